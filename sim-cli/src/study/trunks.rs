//! States that the runs of a search begin from together, as many as there is room for: see [`sim_models::branch`].

use crate::args::Bounds;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::memory::Memory;
use crate::signal::Interrupt;
use crate::simulate::trunk;
use sim_core::SimTime;
use sim_models::Trunk;
use sim_models::experiment::Resolved;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a state is taken for that is still to be made.
const STATE: u64 = 4 << 20;

type Slot = Arc<OnceLock<Option<Arc<Trunk>>>>;

/// The latest of them, by key. Whoever needs one that another is about to make waits for it.
#[derive(Default)]
pub struct Trunks(Mutex<VecDeque<(u64, Slot)>>);

impl Trunks {
    /// The state with this key, which `make` makes if nobody has.
    pub fn get<E>(
        &self,
        key: u64,
        memory: Option<Memory>,
        make: impl FnOnce() -> std::result::Result<Option<Trunk>, E>,
    ) -> std::result::Result<Option<Arc<Trunk>>, E> {
        let slot = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match all.iter().find(|(other, _)| *other == key) {
                Some((_, slot)) => Slot::clone(slot),
                None => {
                    let slot = Slot::default();
                    all.push_back((key, Slot::clone(&slot)));
                    slot
                }
            }
        };
        let mut failed = None;
        let trunk = slot.get_or_init(|| match make() {
            Ok(trunk) => trunk.map(Arc::new),
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let trunk = trunk.clone();
        self.make_room(Memory::together(memory));
        Ok(trunk)
    }

    /// Forgets the oldest until the rest takes no more than so many bytes.
    fn make_room(&self, bytes: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |slot: &Slot| match slot.get() {
            Some(Some(trunk)) => trunk.bytes,
            Some(None) => 0,
            None => STATE,
        };
        let mut taken: u64 = all.iter().map(|(_, slot)| size(slot)).sum();
        while taken > bytes
            && let Some((_, oldest)) = all.pop_front()
        {
            taken -= size(&oldest);
        }
    }
}

/// The state that this run begins from together with others that differ from it from an instant on, if it has one.
pub fn begin(
    trunks: &Trunks,
    prepared: &Prepared,
    bounds: &Bounds,
    interrupt: &Interrupt,
    before: SimTime,
) -> Result<Option<Arc<Trunk>>> {
    let options = bounds.options(prepared.seed, interrupt.memory());
    let Resolved { model, run, .. } = &prepared.resolved;
    let Some(key) = model.trunk_key(run, &options, before) else { return Ok(None) };
    trunks.get(key, interrupt.memory(), || trunk(None, prepared, bounds, interrupt, before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::TOGETHER;
    use sim_core::SimTime;
    use std::convert::Infallible;

    fn trunk(bytes: u64) -> std::result::Result<Option<Trunk>, Infallible> {
        Ok(Some(Trunk::new(0, SimTime::ZERO, bytes, ())))
    }

    #[test]
    fn what_is_there_is_not_made_again() {
        let trunks = Trunks::default();
        let mut made = 0;
        let mut get = |key: u64, bytes: u64| {
            trunks
                .get(key, None, || {
                    made += 1;
                    trunk(bytes)
                })
                .expect("cannot fail")
                .expect("made");
            made
        };
        assert_eq!([get(1, 0), get(2, 0), get(1, 0), get(2, 0)], [1, 2, 2, 2]);
    }

    #[test]
    fn the_oldest_give_way() {
        let trunks = Trunks::default();
        let keys = || trunks.0.lock().unwrap().iter().map(|(key, _)| *key).collect::<Vec<_>>();
        let most = Memory::together(None) / STATE;
        for key in 0..=most {
            trunks.get(key, None, || trunk(STATE)).expect("cannot fail");
        }
        assert_eq!(keys(), (1..=most).collect::<Vec<_>>());
        // One that takes half of it takes the place of half of them.
        trunks.get(1_000, None, || trunk(TOGETHER / 2)).expect("cannot fail");
        assert!(keys().len() as u64 <= most / 2 + 1 && keys().contains(&1_000), "{:?}", keys());
        // With less memory there is less room.
        let little = Some(Memory { bytes: 100 << 20, runs: 1 });
        trunks.get(1_001, little, || trunk(STATE)).expect("cannot fail");
        assert_eq!(keys(), [1_001]);
    }

    #[test]
    fn a_failure_is_told_to_whoever_met_it() {
        let trunks = Trunks::default();
        assert!(trunks.get(1, None, || Err("no")).is_err());
        assert!(trunks.get::<&str>(1, None, || unreachable!()).expect("known").is_none());
    }
}
