//! What a version does, and what those replicas did that run it.

use crate::fault::{ActiveSet, Effect};
use crate::policy::Outcome;
use crate::service_graph::service::memory_leak::MemoryLeak;
use crate::service_graph::state::Service;
use sim_core::{SimDuration, stats::count};

spec! {
    /// What the new version does otherwise than the old one.
    pub struct Version {
        /// How many times as long its work takes.
        work: f64 = 1.0; 0.000_001..=1_000_000.0,
        /// Share of its requests that fail after their own work, besides those that do so anyway.
        error_rate: f64 = 0.0; 0.0..=1.0,
        /// Whether its replicas ever become ready (one that cannot be pulled, crashes as it starts, or fails its readiness check does not).
        ready: bool = true,
        /// Memory that its replicas never give back; what those of the old one lose if absent.
        memory_leak: Option<MemoryLeak> = None,
        /// The version of the protocol between services in which its replicas make their calls; that of the old one if absent.
        speaks: Option<u32> = None; 1..=255,
        /// The versions that its replicas understand when they are called, such as [1, 2]: a request in any other is answered with an error at
        /// once. Those of the old one if absent.
        understands: Option<Vec<u32>> = None,
    }
}

/// What comes upon a replica besides faults: two effects, under numbers that no fault has.
#[derive(Clone, Copy, Debug)]
pub struct Burden {
    /// How many times as long work takes.
    pub work: f64,
    /// Share of requests that fail.
    pub error_rate: f64,
    /// The number of the first of the two.
    pub number: u32,
}

/// Of what a version does, of what a flag does.
const OF_VERSION: u32 = u32::MAX - 1;
pub const OF_FLAG: u32 = u32::MAX - 3;
/// And of what a replica does by itself when it has started.
pub const OF_START: u32 = u32::MAX - 5;

impl Burden {
    /// One that only makes work take so many times as long.
    pub fn of_work(work: f64, number: u32) -> Self {
        Burden { work, error_rate: 0.0, number }
    }

    /// Whether there is nothing of it.
    pub fn is_none(&self) -> bool {
        self.work == 1.0 && self.error_rate == 0.0
    }

    fn effects(&self) -> impl Iterator<Item = (u32, Effect)> {
        let slow = (self.work != 1.0).then_some((self.number, Effect::Slow { factor: self.work }));
        let fails = Effect::Errors { probability: self.error_rate };
        slow.into_iter().chain((self.error_rate > 0.0).then_some((self.number + 1, fails)))
    }

    /// It comes upon a replica, or goes.
    pub fn is_upon(&self, set: &mut ActiveSet, comes: bool) {
        self.effects().for_each(|(number, effect)| match comes {
            true => set.begin(number, effect, 1.0),
            false => set.end(number),
        });
    }
}

impl Service {
    /// A replica is on the new side of two from now on, or no longer is; and what that does is upon it. Whether that is another than before.
    pub fn bears(
        &mut self,
        sides: impl FnOnce(&mut Service) -> &mut Versions,
        replica: u32,
        (burden, new): (Burden, bool),
    ) -> bool {
        let changes = sides(self).changes(replica, new);
        if changes {
            burden.is_upon(&mut self.replicas[replica as usize].faults, new);
            self.derive(replica);
        }
        changes
    }
}

impl Version {
    /// One that does all as the old one does.
    pub fn same() -> Self {
        Version {
            work: 1.0,
            error_rate: 0.0,
            ready: true,
            memory_leak: None,
            speaks: None,
            understands: None,
        }
    }

    /// Whether those of its replicas that are ready do as the old ones do.
    pub fn is_like_the_old(&self) -> bool {
        self.burden().is_none() && self.memory_leak.is_none() && !self.speaks_otherwise()
    }

    /// Whether whoever takes it back does so for nothing.
    pub fn is_sound(&self) -> bool {
        let is_well = self.work <= 1.0 && self.error_rate == 0.0 && self.ready && self.memory_leak.is_none();
        is_well && !self.speaks_otherwise()
    }

    /// Whether it speaks or understands something of its own: whether that is well is not its doing alone.
    fn speaks_otherwise(&self) -> bool {
        self.speaks.is_some() || self.understands.is_some()
    }

    /// What is upon a replica that runs it.
    pub fn burden(&self) -> Burden {
        Burden { work: self.work, error_rate: self.error_rate, number: OF_VERSION }
    }
}

/// What those of one version did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests that were answered, or turned away.
    pub requests: u64,
    /// Of these, those that were not answered well.
    pub failed: u64,
    /// How long the others took, from when they came, in nanoseconds.
    pub took: u128,
}

impl Seen {
    /// What both saw.
    pub fn and(self, other: Seen) -> Seen {
        Seen {
            requests: self.requests + other.requests,
            failed: self.failed + other.failed,
            took: self.took + other.took,
        }
    }

    /// Those that were answered well.
    pub fn ok(&self) -> u64 {
        self.requests - self.failed
    }

    /// What was seen since then.
    pub fn since(self, then: Seen) -> Seen {
        Seen {
            requests: self.requests - then.requests,
            failed: self.failed - then.failed,
            took: self.took - then.took,
        }
    }

    fn counts(&mut self, took: Option<SimDuration>) {
        count(&mut self.requests);
        match took {
            Some(took) => self.took += u128::from(took.as_nanos()),
            None => self.failed += 1,
        }
    }
}

/// What those on either side of two did, the old one and the new: from the beginning, and of what is measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sides {
    all: [Seen; 2],
    measured: [Seen; 2],
}

impl Sides {
    /// One more request, which was answered well after so long, or was not.
    pub fn counts(&mut self, is_new: bool, took: Option<SimDuration>, is_measured: bool) {
        let side = usize::from(is_new);
        self.all[side].counts(took);
        if is_measured {
            self.measured[side].counts(took);
        }
    }

    /// From the beginning: the old one and the new.
    pub fn seen(&self) -> [Seen; 2] {
        self.all
    }

    /// And of what is measured.
    pub fn measured(&self) -> [Seen; 2] {
        self.measured
    }
}

/// Which version each replica runs, or for which of them a flag acts, and what they did.
#[derive(Clone, Debug)]
pub struct Versions {
    new: Box<[bool]>,
    sides: Sides,
}

impl Versions {
    /// All run the old one.
    pub fn new(replicas: u32) -> Self {
        Versions { new: vec![false; replicas as usize].into(), sides: Sides::default() }
    }

    /// Whether a replica runs the new one.
    pub fn is_new(&self, replica: u32) -> bool {
        self.new[replica as usize]
    }

    /// A replica runs another: whether it did not before.
    pub fn changes(&mut self, replica: u32, new: bool) -> bool {
        std::mem::replace(&mut self.new[replica as usize], new) != new
    }

    /// What they did from the beginning: the old one and the new.
    pub fn seen(&self) -> [Seen; 2] {
        self.sides.seen()
    }

    /// And of what is measured.
    pub fn measured(&self) -> [Seen; 2] {
        self.sides.measured()
    }

    /// A replica is done with a request, which took so long.
    #[cold]
    pub fn ended(&mut self, replica: u32, outcome: Outcome, took: SimDuration, is_measured: bool) {
        let took = (outcome == Outcome::Ok).then_some(took);
        self.sides.counts(self.is_new(replica), took, is_measured);
    }

    /// It turns one away.
    #[cold]
    pub fn turned_away(&mut self, replica: u32, is_measured: bool) {
        self.ended(replica, Outcome::Rejected, SimDuration::ZERO, is_measured);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a version does is upon a replica beside what faults do, and leaves nothing behind.
    #[test]
    fn a_version_is_upon_whoever_runs_it() {
        let bad = Version { work: 3.0, error_rate: 0.5, ..Version::same() };
        let flag = Burden { work: 5.0, error_rate: 0.5, number: OF_FLAG };
        let mut set = ActiveSet::default();
        set.begin(7, Effect::Slow { factor: 2.0 }, 1.0);
        bad.burden().is_upon(&mut set, true);
        let state = set.on_replica();
        assert_eq!((state.slow, state.errors), (6.0, 0.5));
        flag.is_upon(&mut set, true);
        let both = set.on_replica();
        assert_eq!((both.slow, both.errors), (30.0, 0.75));
        flag.is_upon(&mut set, false);
        assert_eq!(set.on_replica(), state);
        bad.burden().is_upon(&mut set, false);
        let state = set.on_replica();
        assert_eq!((state.slow, state.errors), (2.0, 0.0));
        Version::same().burden().is_upon(&mut set, true);
        assert_eq!(set.on_replica(), state);
    }

    #[test]
    fn each_counts_for_its_version() {
        let mut versions = Versions::new(2);
        assert!(versions.changes(1, true) && !versions.changes(1, true));
        let took = SimDuration::from_nanos(5);
        for (replica, outcome, measured) in [
            (0, Outcome::Ok, true),
            (1, Outcome::Ok, false),
            (1, Outcome::Error, true),
            (0, Outcome::Error, true),
        ] {
            versions.ended(replica, outcome, took, measured);
        }
        versions.turned_away(1, true);
        let seen = |requests, failed, took| Seen { requests, failed, took };
        assert_eq!(versions.seen(), [seen(2, 1, 5), seen(3, 2, 5)]);
        assert_eq!(versions.measured(), [seen(2, 1, 5), seen(2, 2, 0)]);
        assert_eq!(versions.seen()[1].since(seen(1, 0, 5)), seen(2, 2, 0));
    }

    #[test]
    fn what_is_taken_back_for_nothing() {
        let leak = r#"(memory_leak: (per_request: "1B", limit: "1MiB", then: Slows(factor: 2)))"#;
        let leaks = crate::policy::tests::read::<Version>(leak).expect("sound").0;
        assert!(!leaks.is_sound() && !leaks.is_like_the_old() && Version::same().is_like_the_old());
        for (version, sound) in [
            (Version::same(), true),
            (Version { work: 0.5, ..Version::same() }, true),
            (Version { work: 1.1, ..Version::same() }, false),
            (Version { error_rate: 0.01, ..Version::same() }, false),
            (Version { ready: false, ..Version::same() }, false),
        ] {
            assert_eq!(version.is_sound(), sound, "{version:?}");
        }
    }
}
