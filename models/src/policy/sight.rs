//! Whom one client may choose, where that is not what all may: those of its edge's view that it knows, or that whoever asks has for
//! his own, without those that it has ejected itself; and all of them again when too few are left, whoever left them out.

use super::outcome::Outcome;
use super::outlier::{self, OutlierState};
use super::panic_threshold::PanicThreshold;
use super::subset::SubsetState;
use super::{Policy, View};
use crate::carried::Carried;
use sim_core::{SimTime, Words};

/// What one client sees of the replicas.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Whom it knows, if not all.
    subset: Option<SubsetState>,
    /// Whom it has ejected, if it ejects anybody.
    outliers: Option<OutlierState>,
    panic: PanicThreshold,
    all: u32,
    /// Whom it knows, and for a moment, whom a tenant has.
    known: Vec<u32>,
    few: Vec<u32>,
    view: View,
    /// Of the view that this was made from.
    version: u32,
    left: Left,
    /// Those of one attempt, if they have some of their own.
    shard: View,
    /// What is left of those that were looked at last is too few.
    in_fear: bool,
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
        policy.outlier.is_some() || policy.panic_threshold.is_some() || policy.subset.is_some()
    }

    /// A client, by its number, that has seen nothing yet of those in this view.
    pub fn new(
        policy: &Policy,
        view: &View,
        (client, salt): (u32, u64),
        words: &mut impl Words,
    ) -> Option<Self> {
        if !Sight::is_own(policy) {
            return None;
        }
        let all = view.of();
        let mut sight = Sight {
            subset: policy.subset.as_ref().map(|subset| SubsetState::new(subset, all, client, salt)),
            outliers: policy.outlier.as_ref().map(|outlier| OutlierState::new(outlier, all, words)),
            panic: PanicThreshold(policy.panic_threshold.unwrap_or(0.0)),
            all,
            known: Vec::new(),
            few: Vec::new(),
            view: view.clone(),
            // It has to look if any are missing, and whether anybody is left.
            version: if view.size() == all { view.version() } else { STALE },
            left: Left::Some,
            shard: View::passing(),
            in_fear: false,
            in_panic: 0,
        };
        if sight.subset.is_some() {
            sight.see(view);
        }
        Some(sight)
    }

    /// Whom it may choose now of those whom all may, for an attempt that carries this; nobody may be left.
    pub fn look(&mut self, now: SimTime, of: &View, carried: &Carried) -> Option<&View> {
        if self.outliers.as_mut().is_some_and(|outliers| outliers.look(now)) {
            self.version = STALE;
        }
        if let (Some(subset), Some(tenant)) = (&self.subset, carried.tenant)
            && subset.is_of_tenants()
        {
            subset.shard(of, tenant, &mut self.few);
            return self.see_few();
        }
        if self.version != of.version() {
            self.see(of);
        }
        self.in_fear = self.left == Left::TooFew;
        (self.left != Left::Nobody).then_some(&self.view)
    }

    /// An attempt is sent to one of them.
    pub fn sent(&mut self) {
        self.in_panic += u32::from(self.in_fear);
    }

    /// Whom it knows, if that is not all whom all may choose.
    pub fn known(&self) -> Option<&[u32]> {
        self.subset.as_ref().filter(|subset| !subset.is_of_tenants()).map(|_| self.known.as_slice())
    }

    /// An attempt that was sent to a replica has ended.
    pub fn ended(&mut self, now: SimTime, replica: u32, outcome: Outcome) {
        // Behind a shared queue it is whoever took the request: for the caller they are one.
        let replica = replica.min(self.all - 1);
        if self.outliers.as_mut().is_some_and(|outliers| outliers.ended(now, replica, outcome)) {
            // It is looked at anew before the next is chosen.
            self.version = STALE;
        }
    }

    /// What is left of so many if so many are in.
    fn left(&self, left: usize, all: u32) -> Left {
        match left {
            some if self.panic.is_above(some, all) => Left::TooFew,
            0 => Left::Nobody,
            _ => Left::Some,
        }
    }

    #[cold]
    fn see(&mut self, of: &View) {
        self.version = of.version();
        let all;
        if let Some(subset) = &self.subset {
            self.known = subset.known(of);
            all = subset.most();
            self.outliers.iter_mut().for_each(|outliers| outliers.choose_among(all));
        } else {
            self.known = of.members().collect();
            all = of.there().len() as u32;
            self.view.belong_as(of);
            self.outliers.iter_mut().for_each(|outliers| outliers.choose_among(all));
        }
        let known = || self.known.iter().copied();
        let left: Vec<u32> = known().filter(|replica| is_in(&self.outliers, *replica)).collect();
        // Where nobody is there at all there is nobody to panic about.
        let is_left = if of.there().is_empty() { Left::Nobody } else { self.left(left.len(), all) };
        match is_left {
            Left::Some => self.view.change(left),
            Left::TooFew => {
                let mut whole = View::all(self.all);
                whole.change(of.there());
                match &self.subset {
                    Some(subset) if all < self.all => self.view.change(subset.known(&whole)),
                    _ => self.view.change(whole.members()),
                }
            }
            Left::Nobody => {}
        }
        self.view.panics(is_left == Left::TooFew);
        self.left = is_left;
    }

    /// The same, of those few that whoever asks has for his own.
    #[inline(never)]
    fn see_few(&mut self) -> Option<&View> {
        let left = self.few.iter().filter(|replica| is_in(&self.outliers, **replica)).count();
        let is_left = self.left(left, self.few.len() as u32);
        self.in_fear = is_left == Left::TooFew;
        let (few, outliers, in_fear) = (&self.few, &self.outliers, self.in_fear);
        self.shard.pass(few.iter().copied().filter(|replica| in_fear || is_in(outliers, *replica)));
        self.shard.panics(in_fear);
        (is_left != Left::Nobody).then_some(&self.shard)
    }

    /// What has happened since somebody was told.
    pub fn tell(&mut self, watch: &mut outlier::Watch, now: SimTime, client: u32) {
        self.outliers.iter_mut().for_each(|outliers| watch.looked(now, client, outliers));
        watch.panicked(std::mem::take(&mut self.in_panic));
    }

    /// It is forgotten.
    pub fn forgotten(&self, watch: &mut outlier::Watch, now: SimTime) {
        self.outliers.iter().for_each(|outliers| watch.forgotten(now, outliers));
    }
}

/// The version of what must be looked at anew: that of no view of an edge.
const STALE: u32 = u32::MAX;

/// Whether a replica has not been ejected.
fn is_in(outliers: &Option<OutlierState>, replica: u32) -> bool {
    !outliers.as_ref().is_some_and(|outliers| outliers.is_ejected(replica))
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
        (Sight::new(&policy, &view, (0, 5), &mut words).expect("its own"), view)
    }

    fn fails(sight: &mut Sight, replica: u32) {
        (0..5).for_each(|_| sight.ended(T(1), replica, Outcome::Error));
    }

    fn seen(sight: &mut Sight, of: &View) -> Option<Vec<u32>> {
        sight.look(T(1), of, &Carried::default()).map(|view| view.members().collect())
    }

    fn seen_by(sight: &mut Sight, of: &View, tenant: u32) -> Option<Vec<u32>> {
        let carried = Carried { tenant: Some(tenant), ..Carried::default() };
        sight.look(T(1), of, &carried).map(|view| view.members().collect())
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
            let all = sight.look(T(100), &view, &Carried::default()).map(View::size);
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

    /// A client that knows two of six ejects one of them, and the other, if it may, and has nobody, or both again. The others are nothing
    /// to it, and `max_ejection_percent` is of those that it knows.
    #[test]
    fn of_those_that_it_knows_some_are_ejected() {
        for (text, least) in [("max_ejection_percent: 50", 1), ("max_ejection_percent: 100", 0)] {
            let text = format!("(subset: Random(2), outlier: ({text}))");
            let (mut sight, view) = sight(&text, 6);
            let known = seen(&mut sight, &view).expect("two");
            assert_eq!((known.len(), sight.known().map(<[u32]>::to_vec)), (2, Some(known.clone())));
            fails(&mut sight, known[0]);
            assert_eq!(seen(&mut sight, &view), Some(vec![known[1]]), "{text}");
            fails(&mut sight, known[1]);
            let left = seen(&mut sight, &view).map_or(0, |left| left.len());
            assert_eq!(left, least, "{text}");
        }
        let (mut sight, mut view) =
            sight("(subset: Random(2), outlier: (max_ejection_percent: 100), panic_threshold: 0.5)", 6);
        let known = seen(&mut sight, &view).expect("two");
        known.iter().for_each(|replica| fails(&mut sight, *replica));
        assert_eq!(seen(&mut sight, &view).as_ref(), Some(&known), "too few are left: both again");
        sight.sent();
        assert_eq!(sight.in_panic, 1);
        // Somebody leaves that it does not know: nothing moves. One that it knows: another comes in its place, who is not ejected.
        let stranger = (0..6).find(|replica| !known.contains(replica)).expect("four of them");
        view.change((0..6).filter(|replica| *replica != stranger));
        assert_eq!(seen(&mut sight, &view).as_ref(), Some(&known));
        view.change((0..6).filter(|replica| *replica != known[0]));
        let now = seen(&mut sight, &view).expect("one");
        assert!(
            now.len() == 1 && !known.contains(&now[0]),
            "half of two are left: {now:?} and not {known:?}"
        );
    }

    /// A tenant's few, without whom the client has ejected; whoever says no tenant has all the others.
    #[test]
    fn of_a_tenants_own_some_are_ejected() {
        let (mut sight, view) = sight("(subset: ShuffleShard(2), outlier: (max_ejection_percent: 100))", 6);
        let own = seen_by(&mut sight, &view, 3).expect("two");
        assert_eq!((own.len(), seen_by(&mut sight, &view, 3).as_ref()), (2, Some(&own)));
        fails(&mut sight, own[0]);
        assert_eq!(seen_by(&mut sight, &view, 3), Some(vec![own[1]]));
        let rest: Vec<u32> = (0..6).filter(|replica| *replica != own[0]).collect();
        assert_eq!(seen(&mut sight, &view), Some(rest), "no tenant");
        fails(&mut sight, own[1]);
        assert_eq!(seen_by(&mut sight, &view, 3), None, "nobody is left to it");
        assert_eq!(seen(&mut sight, &view).map(|rest| rest.len()), Some(4), "and four to the others");
        let others = (0..100).filter_map(|tenant| seen_by(&mut sight, &view, tenant));
        assert!(others.flatten().all(|replica| !own.contains(&replica)));
        let (mut sight, view) = super::tests::sight(
            "(subset: Shard(3), outlier: (max_ejection_percent: 100), panic_threshold: 0.6)",
            6,
        );
        let own = seen_by(&mut sight, &view, 3).expect("three");
        for (failing, left) in [(0, vec![own[1], own[2]]), (1, own.clone())] {
            fails(&mut sight, own[failing]);
            assert_eq!(seen_by(&mut sight, &view, 3), Some(left), "a third is below six tenths");
        }
        sight.sent();
        assert_eq!((sight.in_panic, sight.known()), (1, None));
    }
}
