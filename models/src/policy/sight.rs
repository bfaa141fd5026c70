//! Whom one client may choose, where that is not what all may: the view of its edge without those that it has ejected itself, and all
//! of them again when too few are left, whoever left them out.

use super::Policy;
use super::guards::View;
use super::outcome::Outcome;
use super::outlier::{self, OutlierState};
use super::panic_threshold::PanicThreshold;
use sim_core::{SimTime, Words};

/// What one client sees of the replicas.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Whom it has ejected, if it ejects anybody.
    outliers: Option<OutlierState>,
    panic: PanicThreshold,
    all: u32,
    view: View,
    /// Of the view that this was made from.
    version: u32,
    left: Left,
    /// Attempts that were sent in panic and nobody has been told of.
    in_panic: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Some,
    TooFew,
    Nobody,
}

impl Sight {
    /// Whether a client of such a policy sees anything else than all do.
    pub fn is_own(policy: &Policy) -> bool {
        policy.outlier.is_some() || policy.panic_threshold.is_some()
    }

    /// A client that has seen nothing yet of those in this view.
    pub fn new(policy: &Policy, view: &View, words: &mut impl Words) -> Option<Self> {
        let all = view.of();
        Sight::is_own(policy).then(|| Sight {
            outliers: policy.outlier.as_ref().map(|outlier| OutlierState::new(outlier, all, words)),
            panic: PanicThreshold(policy.panic_threshold.unwrap_or(0.0)),
            all,
            view: view.clone(),
            // It has to look if any are missing, and whether anybody is left.
            version: if view.size() == all { view.version() } else { u32::MAX },
            left: Left::Some,
            in_panic: 0,
        })
    }

    /// Whom it may choose now of those whom all may; nobody may be left.
    pub fn look(&mut self, now: SimTime, of: &View) -> Option<&View> {
        let moved = self.outliers.as_mut().is_some_and(|outliers| outliers.look(now));
        if moved || self.version != of.version() {
            self.see(of);
        }
        (self.left != Left::Nobody).then_some(&self.view)
    }

    /// An attempt is sent to one of them.
    pub fn sent(&mut self) {
        self.in_panic += u32::from(self.left == Left::TooFew);
    }

    /// An attempt that was sent to a replica has ended.
    pub fn ended(&mut self, now: SimTime, replica: u32, outcome: Outcome) {
        // Behind a shared queue it is whoever took the request: for the caller they are one.
        let replica = replica.min(self.all - 1);
        if self.outliers.as_mut().is_some_and(|outliers| outliers.ended(now, replica, outcome)) {
            // It is looked at anew before the next is chosen.
            self.version = u32::MAX;
        }
    }

    #[cold]
    fn see(&mut self, of: &View) {
        self.version = of.version();
        let is_in = |replica: &u32| !self.outliers.as_ref().is_some_and(|it| it.is_ejected(*replica));
        let left: Vec<u32> = of.members().filter(is_in).collect();
        self.left = match left.len() {
            some if self.panic.is_above(some, self.all) => Left::TooFew,
            0 => Left::Nobody,
            _ => Left::Some,
        };
        match self.left {
            Left::Some => self.view.change(left),
            Left::TooFew => self.view.change(0..self.all),
            Left::Nobody => {}
        }
    }

    /// What has happened since somebody was told.
    pub fn tell(&mut self, watch: &mut outlier::Watch, now: SimTime, client: u32) {
        if let Some(outliers) = &mut self.outliers {
            watch.looked(now, client, outliers);
        }
        watch.panicked(std::mem::take(&mut self.in_panic));
    }

    /// It is forgotten.
    pub fn forgotten(&self, watch: &mut outlier::Watch, now: SimTime) {
        if let Some(outliers) = &self.outliers {
            watch.forgotten(now, outliers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use sim_core::Streams;

    const T: fn(u64) -> SimTime = SimTime::from_secs;

    fn sight(text: &str, replicas: u32) -> (Sight, View) {
        let policy = read::<Policy>(text).unwrap().0;
        let view = View::all(replicas);
        let mut words = Streams::new(1).stream("test", text);
        (Sight::new(&policy, &view, &mut words).expect("its own"), view)
    }

    fn fails(sight: &mut Sight, replica: u32) {
        (0..5).for_each(|_| sight.ended(T(1), replica, Outcome::Error));
    }

    fn seen(sight: &mut Sight, of: &View) -> Option<Vec<u32>> {
        sight.look(T(1), of).map(|view| view.members().collect())
    }

    /// One after another is ejected: with nobody left nothing is sent, and below the threshold all are chosen.
    #[test]
    fn who_is_left_is_chosen_until_too_few_are() {
        for (threshold, left) in [
            ("", [Some(vec![0, 2]), Some(vec![2]), None]),
            ("panic_threshold: 0.5", [Some(vec![0, 2]), Some(vec![0, 1, 2]), Some(vec![0, 1, 2])]),
            ("panic_threshold: 0.3", [Some(vec![0, 2]), Some(vec![2]), Some(vec![0, 1, 2])]),
        ] {
            let text = format!("(outlier: (max_ejection_percent: 100, success_rate: None), {threshold})");
            let (mut sight, view) = sight(&text, 3);
            assert_eq!(seen(&mut sight, &view), Some(vec![0, 1, 2]));
            for (replica, left) in [1, 0, 2].into_iter().zip(left) {
                fails(&mut sight, replica);
                assert_eq!(seen(&mut sight, &view), left, "{threshold}: without {replica}");
            }
            sight.sent();
            assert_eq!(sight.in_panic, u32::from(!threshold.is_empty()));
            // All are let in again by the same look.
            let all = sight.look(T(100), &view).map(View::size);
            assert_eq!(all, Some(3), "{threshold}");
        }
    }

    /// What all may choose is what it leaves somebody out of.
    #[test]
    fn what_others_say_of_the_replicas_counts() {
        let (mut sight, mut view) = sight("(outlier: (max_ejection_percent: 100))", 4);
        fails(&mut sight, 1);
        view.change([3, 1]);
        assert_eq!(seen(&mut sight, &view), Some(vec![3]));
        view.change([1]);
        assert_eq!(seen(&mut sight, &view), None);
        view.change([2, 1, 0]);
        assert_eq!(seen(&mut sight, &view), Some(vec![2, 0]));
    }
    /// Whoever left them out: those who check them, too.
    #[test]
    fn who_is_said_to_be_ill_is_chosen_when_too_few_are_well() {
        let (mut sight, mut view) = sight("(panic_threshold: 0.5)", 4);
        view.change([3, 1]);
        assert_eq!(seen(&mut sight, &view), Some(vec![3, 1]));
        view.change([3]);
        assert_eq!(seen(&mut sight, &view), Some(vec![0, 1, 2, 3]));
        view.change([]);
        assert_eq!(seen(&mut sight, &view), Some(vec![0, 1, 2, 3]));
    }

    /// Whoever takes a request from a queue that all share: the caller sees one.
    #[test]
    fn those_behind_one_queue_are_one() {
        let (mut sight, view) = sight("(outlier: (max_ejection_percent: 100))", 1);
        (0..5).for_each(|replica| sight.ended(T(1), replica, Outcome::Error));
        assert_eq!(seen(&mut sight, &view), None);
    }
}
