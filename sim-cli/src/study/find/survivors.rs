//! How many of the calls ended well of whose response times a search is about, run by run.

use crate::result::found::Which;
use crate::result::survivors::Fewest;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A run: of which search, on which seed, at which values (as bits).
type Run = (Which, u64, Vec<u64>);

/// Of each run that was made how many ended well.
#[derive(Default)]
pub(super) struct Survivors(Mutex<BTreeMap<Run, f64>>);

impl Survivors {
    /// A run was made; of several at one place the one counts in which fewest ended well.
    pub fn note(&self, which: Which, seed: u64, at: &[f64], answered: Option<f64>) {
        if let Some(share) = answered {
            let key = (which, seed, at.iter().map(|x| x.to_bits()).collect());
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .and_modify(|least| *least = share.min(*least))
                .or_insert(share);
        }
    }

    /// How many ended well in that run.
    pub fn at(&self, which: Which, seed: u64, x: f64) -> Option<f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(which, seed, vec![x.to_bits()])).copied()
    }

    /// The run in which fewest did.
    pub fn fewest(&self, metric: &str) -> Option<Fewest> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ((_, seed, at), share) = all.iter().min_by(|a, b| a.1.total_cmp(b.1))?;
        let at = at.iter().map(|bits| f64::from_bits(*bits)).collect();
        Some(Fewest { metric: metric.into(), share: *share, at, seed: *seed })
    }
}
