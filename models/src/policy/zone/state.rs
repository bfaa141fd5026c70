//! A balancer for each of two levels: who stands in the zone of its client, and everybody else.

use super::{Level, Zone};
use crate::carried::Carried;
use crate::network::{Apart, Turns};
use crate::policy::balancer::{Balancer, BalancerState, Chooser, Sessions, View};
use sim_core::{SimDuration, SimTime, Words};

/// What makes a difference between replicas, for all clients of an edge.
#[derive(Clone, Copy)]
pub struct Near<'a> {
    /// What they want.
    pub zone: &'a Zone,
    /// Where they stand, and whom they call.
    pub apart: &'a Apart,
    /// They know all replicas that there are.
    pub knows_all: bool,
}

/// The own zone, and all others.
const OWN: usize = 0;
const OTHERS: usize = 1;

/// What one client knows.
#[derive(Clone, Debug)]
pub struct ZoneState {
    zone: Zone,
    own: u32,
    callees: Turns,
    levels: [At; 2],
    /// Sessions know nothing of levels: one balancer has them all.
    keeps_sessions: bool,
    knows_all: bool,
    /// Of the view that stands in the levels, if any does yet.
    version: Option<u32>,
    /// Of a hundred attempts those that stay; and of those that choose among a few of their own.
    stay: [u32; 2],
    /// Who chooses now does so among a few of his own.
    passing: bool,
    /// The level that was drawn for who chooses now: asked again he stays there.
    drawn: Option<usize>,
}

/// One level.
#[derive(Clone, Debug)]
struct At {
    /// As many replicas stand there as there are.
    all: u32,
    balancer: BalancerState,
    view: View,
    few: View,
}

impl At {
    fn view(&self, passing: bool) -> &View {
        if passing { &self.few } else { &self.view }
    }
}

impl ZoneState {
    /// A client that has sent nothing yet.
    pub fn new(near: Near, balancer: &Balancer, chooser: Chooser, words: &mut impl Words) -> Self {
        let Near { zone, apart, knows_all } = near;
        let (own, all) = (apart.callers.of(chooser.client), chooser.replicas);
        let here = apart.callees.count(own, all);
        let levels = [here, all - here].map(|there| At {
            all: there,
            balancer: BalancerState::new(balancer, Chooser { near: None, ..chooser }, words),
            view: View::all(all),
            few: View::passing(),
        });
        ZoneState {
            zone: zone.clone(),
            own,
            callees: apart.callees.clone(),
            levels,
            keeps_sessions: balancer.keeps_sessions(),
            knows_all,
            version: None,
            stay: [100; 2],
            passing: false,
            drawn: None,
        }
    }

    /// What both of its balancers are told.
    fn both(&mut self) -> impl Iterator<Item = &mut BalancerState> {
        self.levels.iter_mut().map(|at| &mut at.balancer)
    }

    /// Each replica that says anything says how many requests it has in hand.
    pub fn hears(&mut self, in_hand: impl Iterator<Item = Option<u32>> + Clone) {
        self.both().for_each(|balancer| balancer.hears(in_hand.clone()));
    }

    /// Somebody asks for the first time.
    pub fn look(&mut self, now: SimTime, carried: &Carried) {
        self.drawn = None;
        self.both().for_each(|balancer| balancer.look(now, carried));
    }

    /// Takes what all clients remember together, or gives it back.
    pub fn lend(&mut self, sessions: &mut Option<Box<Sessions>>) {
        self.levels[OWN].balancer.lend(sessions);
    }

    /// An attempt went to `replica`.
    #[inline(never)]
    pub fn sent(&mut self, replica: u32) {
        self.drawn = None;
        self.both().for_each(|balancer| balancer.sent(replica));
    }

    /// It has ended.
    #[inline(never)]
    pub fn ended(&mut self, replica: u32) {
        self.both().for_each(|balancer| balancer.ended(replica));
    }

    /// It took so long.
    pub fn took(&mut self, now: SimTime, replica: u32, took: SimDuration) {
        self.both().for_each(|balancer| balancer.took(now, replica, took));
    }

    /// See [`BalancerState::pending`].
    pub fn pending(&self, replica: u32) -> Option<u32> {
        self.levels[OWN].balancer.pending(replica)
    }

    /// See [`BalancerState::best_of`]: of the level that was drawn.
    pub fn best_of(&self, wanted: &dyn Fn(u32) -> bool) -> Option<u32> {
        let at = &self.levels[self.drawn.unwrap_or(OWN)];
        at.balancer.best_of(|replica| wanted(replica) && at.view(self.passing).contains(replica))
    }

    /// The replica for the next attempt: one of `view`.
    #[inline(never)]
    pub fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        if self.keeps_sessions && self.levels[OWN].balancer.has_session_in(view) {
            return self.levels[OWN].balancer.pick(view, words);
        }
        let level = self.level(view, words);
        let (balancer, view) = self.at(level);
        balancer.pick(view, words)
    }

    /// And for one that is to go to none of these: see [`BalancerState::pick_other`].
    pub fn pick_other(
        &mut self,
        view: &View,
        tried: &[u32],
        picks: Option<u32>,
        words: &mut impl Words,
    ) -> u32 {
        let mut level = self.level(view, words);
        let passing = self.passing;
        let has_new = |at: &At| at.view(passing).members().any(|replica| !tried.contains(&replica));
        if picks.is_none() && !has_new(&self.levels[level]) && has_new(&self.levels[1 - level]) {
            level = 1 - level;
            self.drawn = Some(level);
        }
        let (balancer, view) = self.at(level);
        balancer.pick_other(view, tried, picks, words)
    }

    /// Who chooses at a level, and among whom.
    fn at(&mut self, level: usize) -> (&mut BalancerState, &View) {
        let [own, others] = &mut self.levels;
        match (level, self.keeps_sessions) {
            (OWN, _) => (&mut own.balancer, if self.passing { &own.few } else { &own.view }),
            (_, true) => (&mut own.balancer, others.view(self.passing)),
            (_, false) => (&mut others.balancer, if self.passing { &others.few } else { &others.view }),
        }
    }

    /// The level at which somebody of this view is chosen.
    fn level(&mut self, view: &View, words: &mut impl Words) -> usize {
        self.passing = view.is_passing();
        if self.passing || self.version != Some(view.version()) {
            self.look_at(view);
        }
        if let Some(level) = self.drawn.filter(|level| self.levels[*level].view(self.passing).size() > 0) {
            return level;
        }
        let level = match self.stay[usize::from(self.passing)] {
            0 => OTHERS,
            100 => OWN,
            stay => {
                let lot = self.levels[OWN].balancer.lot().unwrap_or_else(|| words.below(100));
                if lot % 100 < u64::from(stay) { OWN } else { OTHERS }
            }
        };
        self.drawn = Some(level);
        level
    }

    /// Tells those who stand in the own zone from the others. In panic they are all alike.
    #[cold]
    fn look_at(&mut self, view: &View) {
        let panics = view.in_panic();
        let there = view.there();
        for (level, at) in self.levels.iter_mut().enumerate() {
            let (callees, own) = (&self.callees, self.own);
            let is_own = move |replica: &u32| panics || callees.of(*replica) == own;
            let members = view.members().filter(|replica| is_own(replica) == (level == OWN));
            if self.passing {
                at.few.pass(members)
            } else {
                at.view.change(members)
            }
            if !self.passing {
                let is_own = |replica: &&u32| callees.of(**replica) == own;
                at.all = there.iter().filter(|replica| is_own(replica) == (level == OWN)).count() as u32;
            }
        }
        let level = |at: &At| {
            let well = at.view(self.passing).size();
            Level { well, all: if self.knows_all { at.all } else { well } }
        };
        let [own, others] = [level(&self.levels[OWN]), level(&self.levels[OTHERS])];
        self.stay[usize::from(self.passing)] = if panics { 100 } else { self.zone.stay(own, others) };
        if !self.passing {
            self.version = Some(view.version());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Zones;
    use crate::policy::Policy;
    use crate::policy::tests::read;
    use sim_core::Streams;

    /// Client 0 of nine replicas that stand in a, b, c in turn: 0, 3 and 6 are in its zone.
    fn client(zone: &str, balancer: &str) -> (BalancerState, impl Words) {
        let zones = read::<Zones>(r#"(names: ["a", "b", "c"])"#).unwrap().0;
        let apart = Apart::of(&zones, (zones.turns(&[]), 3), (zones.turns(&[]), 9)).expect("three zones");
        let policy = read::<Policy>(&format!("(zone: {zone}, balancer: {balancer})")).unwrap().0;
        let streams = Streams::new(1);
        let mut words = streams.stream("test", &format!("{zone}{balancer}"));
        let near = Near { zone: policy.zone.as_ref().expect("one"), apart: &apart, knows_all: true };
        let circle = policy.balancer.circle(9, "b", &streams);
        let chooser = Chooser { near: Some(near), circle: circle.as_ref(), ..Chooser::of(9) };
        (BalancerState::new(&policy.balancer, chooser, &mut words), words)
    }

    const BALANCERS: [&str; 9] = [
        "RoundRobin",
        "Random",
        "LeastPending",
        "PowerOfTwo",
        "PowerOfD()",
        "PeakEwma()",
        "LeastReported()",
        "Weighted(weights: [1])",
        "ConsistentHash(by: Key)",
    ];

    /// How often each is chosen, of requests about so many different things.
    fn picks(state: &mut BalancerState, view: &View, times: u32, words: &mut impl Words) -> [u32; 9] {
        let mut picks = [0; 9];
        for number in 0..times {
            state.look(SimTime::ZERO, &Carried { key: Some(number), ..Carried::default() });
            let replica = state.pick(view, words);
            state.sent(replica);
            state.ended(replica);
            picks[replica as usize] += 1;
        }
        picks
    }

    fn without(gone: &[u32]) -> View {
        let mut view = View::all(9);
        view.change((0..9).filter(|replica| !gone.contains(replica)));
        view
    }

    /// Whatever chooses: with all well nobody leaves; with a third of the zone left 46 % stay, all of them at that one, and 54 % are
    /// shared out evenly; with nobody left all are.
    #[test]
    fn what_leaves_is_shared_out_by_any_balancer() {
        const N: u32 = 30_000;
        let near = |found: u32, p: f64| {
            let (n, mean) = (f64::from(N), f64::from(N) * p);
            (f64::from(found) - mean).abs() <= 4.0 * (n * p * (1.0 - p)).sqrt() + 1.0
        };
        for balancer in BALANCERS {
            // Shares on a ring of 160 points each are even to 8 % or so.
            let even = if balancer.starts_with("Consistent") { 0.35 } else { 0.0 };
            for (zone, gone, own, other) in [
                ("Spill()", vec![], 1.0 / 3.0, 0.0),
                ("Spill()", vec![3, 6], 0.46, 0.54 / 6.0),
                ("Spill()", vec![0, 3, 6], 0.0, 1.0 / 6.0),
                ("Own", vec![], 1.0 / 3.0, 0.0),
                ("Own", vec![3, 6], 1.0, 0.0),
                ("Own", vec![0, 3, 6], 0.0, 1.0 / 6.0),
            ] {
                let (mut state, mut words) = client(zone, balancer);
                let view = if gone.is_empty() { View::all(9) } else { without(&gone) };
                let found = picks(&mut state, &view, N, &mut words);
                for (replica, &count) in (0..).zip(&found) {
                    let p = match replica % 3 {
                        _ if gone.contains(&replica) => 0.0,
                        0 => own,
                        _ => other,
                    };
                    let uneven = even * f64::from(N) * p;
                    let well = near(count, p) || (f64::from(count) - f64::from(N) * p).abs() <= uneven;
                    assert!(well, "{zone}, {balancer}, without {gone:?}: {found:?}, {replica} has not {p}");
                }
                let stays: u32 = [0, 3, 6].map(|replica: usize| found[replica]).iter().sum();
                let p: f64 = [0, 3, 6].map(|it| if gone.contains(&it) { 0.0 } else { own }).iter().sum();
                assert!(near(stays, p.min(1.0)), "{zone}, {balancer}, without {gone:?}: {stays} stay");
            }
        }
    }

    /// Each level has turns of its own: two that are left of the own zone take turns whatever goes elsewhere in between.
    #[test]
    fn turns_are_those_of_a_level() {
        let (mut state, mut words) = client("Spill()", "RoundRobin");
        let view = without(&[6]);
        let mut last = [None; 2];
        for _ in 0..3_000 {
            let replica = state.pick(&view, &mut words);
            state.sent(replica);
            let (level, next): (usize, &dyn Fn(u32) -> u32) = match replica {
                0 | 3 => (0, &|before| 3 - before),
                _ => (1, &|before| [1, 2, 4, 5, 7, 8].into_iter().find(|it| *it > before).unwrap_or(1)),
            };
            if let Some(before) = last[level].replace(replica) {
                assert_eq!(replica, next(before), "level {level}");
            }
        }
    }

    /// What is about one thing goes to one replica, spilt over or not.
    #[test]
    fn a_key_is_of_one_level() {
        let (mut state, mut words) = client("Spill()", "ConsistentHash(by: Key)");
        let view = without(&[3, 6]);
        for number in 0..200 {
            let carried = Carried { key: Some(number), ..Carried::default() };
            let mut again = || {
                state.look(SimTime::ZERO, &carried);
                let replica = state.pick(&view, &mut words);
                state.sent(replica);
                replica
            };
            let first = again();
            assert!((0..5).all(|_| again() == first), "key {number}");
        }
    }

    /// In panic nobody is nearer; and as soon as it is over somebody is again.
    #[test]
    fn in_panic_nobody_is_preferred() {
        for zone in ["Own", "Spill()"] {
            let (mut state, mut words) = client(zone, "LeastPending");
            let mut view = without(&[]);
            view.panics(true);
            let found = picks(&mut state, &view, 9_000, &mut words);
            assert!(found.iter().all(|count| count.abs_diff(1_000) < 130), "{zone}: {found:?}");
            view.change(0..9);
            view.panics(false);
            let found = picks(&mut state, &view, 900, &mut words);
            assert_eq!(found[0] + found[3] + found[6], 900, "{zone}");
        }
    }

    /// Who is to go elsewhere does so within its zone, and leaves it when all of it have been tried; who is asked so often only stays.
    #[test]
    fn who_has_tried_its_zone_leaves_it() {
        let (mut state, mut words) = client("Own", "LeastPending");
        let view = View::all(9);
        for _ in 0..100 {
            let other = state.pick_other(&view, &[0, 6], None, &mut words);
            state.sent(other);
            assert_eq!(other, 3);
            let other = state.pick_other(&view, &[0, 3, 6], None, &mut words);
            state.sent(other);
            assert!(other % 3 != 0, "{other}");
            let other = state.pick_other(&view, &[0, 3, 6], Some(2), &mut words);
            state.sent(other);
            assert!(other % 3 == 0, "{other}");
            [3, other].iter().for_each(|replica| state.ended(*replica));
        }
    }

    /// Who is asked again, since somebody refused his choice, is asked of the level that was drawn.
    #[test]
    fn asked_again_it_stays_at_its_level() {
        let (mut state, mut words) = client("Spill()", "Random");
        let view = without(&[6]);
        for _ in 0..300 {
            let own = |replica: u32| replica.is_multiple_of(3);
            let first = own(state.pick(&view, &mut words));
            assert!((0..5).all(|_| own(state.pick(&view, &mut words)) == first));
            assert!(state.best_of(|_| true).is_none(), "to chance all are alike");
            state.sent(1);
        }
        let (mut state, mut words) = client("Own", "LeastPending");
        let first = state.pick(&View::all(9), &mut words);
        let best = state.best_of(|replica| replica != first).expect("two others");
        assert!(best.is_multiple_of(3) && best != first, "{best}");
    }

    /// A few for one attempt alone are told apart as all are.
    #[test]
    fn of_a_few_those_of_its_zone() {
        let (mut state, mut words) = client("Own", "RoundRobin");
        let mut view = View::passing();
        for (few, one_of) in [([1, 3, 5], vec![3]), ([0, 6, 8], vec![0, 6]), ([1, 4, 7], vec![1, 4, 7])] {
            view.pass(few);
            for _ in 0..20 {
                let replica = state.pick(&view, &mut words);
                state.sent(replica);
                assert!(one_of.contains(&replica), "{replica} of {few:?}");
            }
        }
        let replica = state.pick(&View::all(9), &mut words);
        assert!(replica.is_multiple_of(3), "and of all as before");
    }

    /// A session stays where it is, in whichever zone, and begins in the own one.
    #[test]
    fn sessions_begin_in_the_own_zone_and_stay() {
        let (mut state, mut words) = client("Own", "Sticky()");
        let mut sessions = Some(Box::default());
        state.lend(&mut sessions);
        let of = |tenant| Carried { tenant: Some(tenant), ..Carried::default() };
        let mut at = |tenant, view: &View| {
            state.look(SimTime::ZERO, &of(tenant));
            let replica = state.pick(view, &mut words);
            state.sent(replica);
            replica
        };
        let lost = without(&[0, 3, 6]);
        let there: Vec<u32> = (0..10).map(|tenant| at(tenant, &lost)).collect();
        assert!(there.iter().all(|replica| !replica.is_multiple_of(3)), "{there:?}");
        let back = View::all(9);
        let stay: Vec<u32> = (0..10).map(|tenant| at(tenant, &back)).collect();
        assert_eq!(stay, there, "the zone is back, and the sessions are elsewhere");
        assert!((10..30).all(|tenant| at(tenant, &back).is_multiple_of(3)), "new ones begin in it");
    }
}
