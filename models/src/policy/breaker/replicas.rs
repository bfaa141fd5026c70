//! Whose breaker it is: one for the whole service, or one for each replica, which also says whom the balancer may choose.
//!
//! One bad replica of `n` fails a share of `1 / n` of the calls. A breaker of the service sees that share: it is below its
//! threshold, and nothing happens, or not, and everything stops. A breaker of the replica sees nothing but failures, and
//! what it stops goes to the others. Where all are slow there are no others: each breaker opens when its own replica has
//! failed enough, those that are still closed get what the open ones do not, and fail the sooner.
//!
//! *Who chooses.* In linkerd (`linkerd2-proxy`, `consecutive-failures`) an endpoint whose breaker is open is not ready, so the
//! balancer has nothing to do with it until it may be probed; and so in Envoy, which takes an ejected host out of the set. That is
//! `per: Replica()`: the balancer is asked again until its choice may be sent to, and an attempt is refused only if nobody
//! may. A client library that puts a breaker in front of an address it was given refuses: `picks: 0`; and one that asks again so often
//! is between them (Finagle asks up to five times, and then sends anyway, which this does not). A retry that had rather go to
//! somebody else is named somebody as it would be without breakers; that is one choice, however often the balancer was asked for it.
//!
//! *No scan.* Replicas whose breaker is closed stand together, in no order that matters, so that one of them is found by one
//! draw once the balancer's own choices were in vain; and where no breaker is closed nobody is asked before the first of them may
//! let something pass. Who is not among those that the client may choose at all ([`View`]) is passed over, whatever his breaker says.

use super::{Breaker, BreakerState, Guarded, Permit, Transition, Whose};
use crate::policy::Outcome;
use crate::policy::balancer::{BalancerState, View};
use sim_core::{SimDuration, SimTime, Words};

/// What one client knows of those whom it calls.
#[derive(Clone, Debug)]
pub enum Breakers {
    /// Of the service as a whole.
    Service(BreakerState),
    /// Of each replica.
    Replicas(Box<Replicas>),
}

/// A step of the only breaker of a client, or of that for a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which replica's.
    pub replica: Option<u32>,
    /// What it took.
    pub taken: Transition,
}

impl Breakers {
    /// Those of a client, or of all, who choose among so many.
    pub fn new(breaker: &Breaker, choices: u32, words: &mut impl Words) -> Self {
        match breaker.common().whose {
            Whose::Replica { picks } if choices > 1 => {
                let states = (0..choices).map(|_| BreakerState::new(breaker, words)).collect();
                Breakers::Replicas(Box::new(Replicas::new(picks, states)))
            }
            _ => Breakers::Service(BreakerState::new(breaker, words)),
        }
    }

    /// What an attempt takes along that is sent while all may be.
    #[inline(always)]
    pub fn passes_all(&self) -> Option<Permit> {
        match self {
            Breakers::Service(state) => state.passes_all(),
            Breakers::Replicas(_) => None,
        }
    }

    /// What was admitted has succeeded. See [`BreakerState::succeeds`].
    #[inline(always)]
    pub fn succeeds(&mut self, permit: &Permit) -> bool {
        match self {
            Breakers::Service(state) => state.succeeds(permit),
            Breakers::Replicas(_) => false,
        }
    }

    /// What was admitted to a replica ended so. See [`BreakerState::record`].
    #[inline]
    pub fn record(
        &mut self,
        now: SimTime,
        replica: u32,
        permit: Permit,
        outcome: Outcome,
        took: Option<SimDuration>,
    ) -> Option<Step> {
        match self {
            Breakers::Service(state) => {
                let taken = state.record(now, permit, outcome, took)?;
                Some(Step { replica: None, taken })
            }
            Breakers::Replicas(all) => all.record(now, replica, permit, outcome, took),
        }
    }

    /// A step that they took when they were asked, which nobody has been told of.
    pub fn untold(&mut self) -> Option<Step> {
        match self {
            Breakers::Service(state) => state.untold().map(|taken| Step { replica: None, taken }),
            Breakers::Replicas(all) => all.untold(),
        }
    }

    /// How many let not everything pass.
    pub fn open(&self) -> u32 {
        match self {
            Breakers::Service(state) => u32::from(!state.is_closed()),
            Breakers::Replicas(all) => all.open(),
        }
    }
}

/// A breaker for each replica.
#[derive(Clone, Debug)]
pub struct Replicas {
    states: Box<[BreakerState]>,
    /// Replicas, those first whose breaker is closed, and where each of them stands.
    order: Box<[u32]>,
    place: Box<[u32]>,
    closed: u32,
    /// Before this nothing passes those that are not closed; long ago if that is not known.
    due: SimTime,
    /// Of those that could be chosen when that was found.
    version: u32,
    picks: Option<u32>,
    /// Steps that nobody has been told of, in order.
    untold: Vec<Step>,
}

/// An attempt that may be sent to a replica.
#[derive(Debug)]
pub struct Passes {
    /// Which.
    pub replica: u32,
    /// To be given back when it has ended.
    pub permit: Option<Permit>,
    /// A breaker kept it from where its balancer would have had it.
    pub around: bool,
}

/// So often a balancer is asked again before somebody is looked for whom it did not name.
const PATIENCE: u32 = 8;

/// Whom an attempt would rather not go to: those that its call has tried. See [`BalancerState::pick_other`].
#[derive(Clone, Copy)]
pub struct Unwanted<'a> {
    /// Those.
    pub tried: &'a [u32],
    /// So often the balancer is asked for somebody else, after which its choice stands; until it is if absent.
    pub picks: Option<u32>,
}

impl Unwanted<'_> {
    /// Whom the balancer names, as it would if there were no breakers.
    fn pick(self, balancer: &mut BalancerState, view: &View, words: &mut impl Words) -> u32 {
        match self.tried {
            [] => balancer.pick(view, words),
            tried => balancer.pick_other(view, tried, self.picks, words),
        }
    }
}

impl Replicas {
    /// One closed breaker for each of so many.
    fn new(picks: Option<u32>, states: Box<[BreakerState]>) -> Self {
        let order: Box<[u32]> = (0..states.len() as u32).collect();
        Replicas {
            place: order.clone(),
            closed: order.len() as u32,
            order,
            states,
            due: SimTime::ZERO,
            version: 0,
            picks,
            untold: Vec::new(),
        }
    }

    /// Where an attempt goes, or nowhere: the balancer chooses among those that let it pass. One that `goes` does so whatever
    /// they say.
    pub fn choose(
        &mut self,
        now: SimTime,
        goes: bool,
        balancer: &mut BalancerState,
        view: &View,
        unwanted: Unwanted,
        words: &mut impl Words,
    ) -> Option<Passes> {
        if goes && self.states[0].guards == Guarded::Retries {
            let replica = balancer.pick(view, words);
            let permit = self.states[replica as usize].watched();
            return Some(Passes { replica, permit, around: false });
        }
        if self.version != view.version() || view.is_passing() {
            (self.version, self.due) = (view.version(), SimTime::ZERO);
        }
        if self.closed == 0 && now < self.due {
            return None;
        }
        // Only what a breaker refused counts.
        for refused in 0..=self.picks.unwrap_or(PATIENCE) {
            let choice = unwanted.pick(balancer, view, words);
            if let Some(permit) = self.acquire(choice, now) {
                return Some(Passes { replica: choice, permit: Some(permit), around: refused > 0 });
            }
        }
        if self.picks.is_some() {
            return None;
        }
        let mut found = self.find(now, balancer, view, unwanted.tried, words);
        if found.is_none() && !unwanted.tried.is_empty() {
            // Rather one that was tried than nobody.
            found = self.find(now, balancer, view, &[], words);
        }
        found.map(|(replica, permit)| Passes { replica, permit: Some(permit), around: true })
    }

    /// Somebody whom the balancer did not name: of those that are closed, or else of those that may be probed.
    fn find(
        &mut self,
        now: SimTime,
        balancer: &BalancerState,
        view: &View,
        tried: &[u32],
        words: &mut impl Words,
    ) -> Option<(u32, Permit)> {
        let closed = |replica: u32| self.place[replica as usize] < self.closed;
        let wanted = |replica: u32| view.contains(replica) && !tried.contains(&replica);
        let best = balancer.best_of(|replica| closed(replica) && wanted(replica));
        if let Some(replica) = best
            && let Some(permit) = self.acquire(replica, now)
        {
            return Some((replica, permit));
        }
        // A few more than are not wanted: those that have just closed may let only some pass.
        let all = u64::from(self.closed);
        let start = if all > 1 { words.below(all) } else { 0 };
        let left_out = self.order.len() as u64 - u64::from(view.size());
        for step in 0..all.min(u64::from(PATIENCE) + tried.len() as u64 + left_out) {
            let replica = self.order[((start + step) % all) as usize];
            if wanted(replica)
                && let Some(permit) = self.acquire(replica, now)
            {
                return Some((replica, permit));
            }
        }
        if now >= self.due { self.probe(now, view, tried) } else { None }
    }

    /// One of those that are not closed, if any lets something pass; if none does, when the first of them will.
    fn probe(&mut self, now: SimTime, view: &View, tried: &[u32]) -> Option<(u32, Permit)> {
        let mut due = SimTime::MAX;
        for place in self.closed as usize..self.order.len() {
            let replica = self.order[place];
            if !view.contains(replica) {
                continue;
            }
            if !tried.contains(&replica)
                && let Some(permit) = self.acquire(replica, now)
            {
                return Some((replica, permit));
            }
            due = due.min(self.states[replica as usize].lets_nothing_pass_before());
        }
        if tried.is_empty() {
            self.due = due;
        }
        None
    }

    fn acquire(&mut self, replica: u32, now: SimTime) -> Option<Permit> {
        let state = &mut self.states[replica as usize];
        let admission = state.try_acquire(now);
        let step = admission.as_ref().map_or_else(|| state.untold(), |admission| admission.transition);
        self.untold.extend(step.map(|taken| Step { replica: Some(replica), taken }));
        admission.map(|admission| admission.permit)
    }

    /// What was admitted to a replica has ended.
    #[inline(never)]
    fn record(
        &mut self,
        now: SimTime,
        replica: u32,
        permit: Permit,
        outcome: Outcome,
        took: Option<SimDuration>,
    ) -> Option<Step> {
        let step = self.states[replica as usize].record(now, permit, outcome, took);
        // A place may be free, or one is open from here on.
        self.due = SimTime::ZERO;
        let is_closed = self.states[replica as usize].is_closed();
        let place = self.place[replica as usize];
        match (place < self.closed, is_closed) {
            (true, false) => {
                self.closed -= 1;
                self.swap(place, self.closed);
            }
            (false, true) => {
                self.swap(place, self.closed);
                self.closed += 1;
            }
            _ => {}
        }
        step.map(|taken| Step { replica: Some(replica), taken })
    }

    fn swap(&mut self, a: u32, b: u32) {
        self.order.swap(a as usize, b as usize);
        for place in [a, b] {
            self.place[self.order[place as usize] as usize] = place;
        }
    }

    /// Breakers that are not closed.
    fn open(&self) -> u32 {
        self.order.len() as u32 - self.closed
    }

    /// A step that they took when they were asked.
    fn untold(&mut self) -> Option<Step> {
        (!self.untold.is_empty()).then(|| self.untold.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::read;
    use super::*;
    use crate::policy::balancer::{Balancer, Chooser};
    use sim_core::{Stream, Streams};

    /// A client of so many replicas.
    struct Client {
        breakers: Breakers,
        balancer: BalancerState,
        view: View,
        words: Stream,
        out: Vec<(u32, Option<Permit>)>,
    }

    fn secs(secs: u64) -> SimTime {
        SimTime::from_secs(secs)
    }

    impl Client {
        fn new(breaker: &str, balancer: &Balancer, replicas: u32) -> Self {
            let mut words = Streams::new(3).stream("test", breaker);
            let breaker = read::<Breaker>(breaker).unwrap().0;
            Client {
                breakers: Breakers::new(&breaker, replicas, &mut words),
                balancer: BalancerState::new(balancer, Chooser::of(replicas), &mut words),
                view: View::all(replicas),
                words,
                out: Vec::new(),
            }
        }

        fn all(&mut self) -> &mut Replicas {
            let Breakers::Replicas(all) = &mut self.breakers else { panic!("there are several") };
            all
        }

        /// Where an attempt goes, and whether it was kept from going elsewhere.
        fn send_as(&mut self, now: SimTime, first: bool, unwanted: Unwanted) -> Option<(u32, bool)> {
            let Client { breakers: Breakers::Replicas(all), balancer, view, words, out } = self else {
                panic!("there are several")
            };
            let passes = all.choose(now, first, balancer, view, unwanted, words)?;
            balancer.sent(passes.replica);
            out.push((passes.replica, passes.permit));
            Some((passes.replica, passes.around))
        }

        fn send_but(&mut self, now: SimTime, tried: &[u32]) -> Option<u32> {
            let unwanted = Unwanted { tried, picks: None };
            self.send_as(now, true, unwanted).map(|(replica, _)| replica)
        }

        fn send(&mut self, now: SimTime) -> Option<u32> {
            self.send_but(now, &[])
        }

        /// All that are out end so.
        fn end(&mut self, now: SimTime, outcome: impl Fn(u32) -> Outcome) {
            for (replica, permit) in std::mem::take(&mut self.out) {
                self.balancer.ended(replica);
                if let Some(permit) = permit {
                    self.breakers.record(now, replica, permit, outcome(replica), None);
                }
                self.check();
            }
        }

        /// Those that are closed stand before the others, each in its place.
        fn check(&mut self) {
            let all = self.all();
            for (place, &replica) in all.order.iter().enumerate() {
                assert_eq!(all.place[replica as usize] as usize, place);
                assert_eq!(all.states[replica as usize].is_closed(), place < all.closed as usize);
            }
        }

        fn steps(&mut self) -> Vec<(u32, u16)> {
            let steps = std::iter::from_fn(|| self.breakers.untold());
            steps.map(|step| (step.replica.unwrap(), step.taken.to as u16)).collect()
        }
    }

    const ALL: [Balancer; 4] =
        [Balancer::RoundRobin, Balancer::Random, Balancer::LeastPending, Balancer::PowerOfTwo];
    const ONE_BAD: fn(u32) -> Outcome = |replica| if replica == 2 { Outcome::Error } else { Outcome::Ok };

    /// Three failures of replica 2, and nobody meets it again for 10 s; then one does.
    #[test]
    fn one_bad_replica_is_left_alone_until_it_may_be_probed() {
        for balancer in &ALL {
            let mut client =
                Client::new(r#"Consecutive(failures: 3, open_for: "10s", per: Replica())"#, balancer, 6);
            let mut met = [0u32; 6];
            for _ in 0..200 {
                let replica = client.send(secs(1)).expect("five are well");
                met[replica as usize] += 1;
                client.end(secs(1), ONE_BAD);
            }
            assert_eq!(met[2], 3, "{balancer:?}: {met:?}");
            assert!(
                met.iter().all(|&n| n == 3 || n > 20),
                "{balancer:?}: the others share the rest: {met:?}"
            );
            assert_eq!(client.breakers.open(), 1);
            let probes = (0..100).filter(|_| client.send(secs(11)) == Some(2)).count();
            assert_eq!((probes, client.steps()), (1, vec![(2, 2)]), "{balancer:?}: one probe is let in");
            client.end(secs(11), |_| Outcome::Ok);
            assert_eq!(client.breakers.open(), 0, "it is back");
        }
    }

    /// All fail: once each has had its failures nothing is sent, and nothing drawn, before the first may be probed.
    #[test]
    fn nobody_is_asked_while_all_are_open() {
        for balancer in &ALL {
            let text = r#"Consecutive(failures: 1, open_for: "10s", per: Replica())"#;
            let mut client = Client::new(text, balancer, 4);
            for second in 0..4 {
                assert!(client.send(secs(second)).is_some());
                client.end(secs(second), |_| Outcome::Error);
            }
            assert_eq!((client.breakers.open(), client.send(secs(5))), (4, None));
            let drawn = client.words.used().draws;
            assert!((0..50).all(|n| client.send(secs(5) + SimDuration::from_millis(n)).is_none()));
            assert_eq!(client.words.used().draws, drawn, "{balancer:?}");
            // The first that failed is the first that may be probed, and while that is out nobody else.
            let first = client.send(secs(10)).expect("its time has come");
            assert_eq!(client.steps(), [(first, 2)]);
            let later = secs(10) + SimDuration::from_nanos(1);
            assert_eq!((client.send(secs(10)), client.send(later)), (None, None), "{balancer:?}");
            let drawn = client.words.used().draws;
            assert_eq!((client.send(later), client.words.used().draws), (None, drawn), "its probe is out");
            // One that says nothing has given its place back.
            client.end(later, |_| Outcome::Cancelled);
            assert_eq!(client.send(later), Some(first), "{balancer:?}");
            client.end(secs(10), |_| Outcome::Ok);
            assert_eq!(client.send(secs(10)), Some(first), "{balancer:?}");
        }
    }

    /// A choice that stands is refused, as often as the balancer makes it.
    #[test]
    fn asked_again_so_often_and_no_more() {
        for (picks, refused) in [(0, 1.0 / 4.0), (1, 1.0 / 16.0), (3, 1.0 / 256.0)] {
            let text = format!(r#"Consecutive(failures: 1, open_for: "1h", per: Replica(picks: {picks}))"#);
            let mut client = Client::new(&text, &Balancer::Random, 4);
            while client.breakers.open() == 0 {
                client.send(secs(0));
                client.end(secs(0), ONE_BAD);
            }
            const N: u32 = 20_000;
            let mut failed = 0;
            for _ in 0..N {
                failed += u32::from(client.send(secs(1)).is_none());
                client.end(secs(1), ONE_BAD);
            }
            let error = (f64::from(N) * refused * (1.0 - refused)).sqrt();
            assert!((f64::from(failed) - f64::from(N) * refused).abs() < 4.0 * error, "{picks}: {failed}");
        }
    }

    /// Rather nobody that was tried; but rather one that was than nobody.
    #[test]
    fn who_was_tried_is_the_last_resort() {
        for balancer in &ALL {
            let text = r#"Consecutive(failures: 1, open_for: "1h", per: Replica())"#;
            let mut client = Client::new(text, balancer, 4);
            while client.breakers.open() == 0 {
                client.send(secs(0));
                client.end(secs(0), ONE_BAD);
            }
            for _ in 0..50 {
                let replica = client.send_but(secs(1), &[0, 1]).expect("the last");
                assert_eq!(replica, 3, "{balancer:?}");
                client.end(secs(1), ONE_BAD);
                let replica = client.send_but(secs(1), &[0, 1, 3]).expect("one that was tried");
                assert_ne!(replica, 2, "{balancer:?}");
                client.end(secs(1), ONE_BAD);
            }
        }
    }

    /// Envoy's way to retry: the balancer is asked once more for somebody else, and then its choice stands, unless its breaker is open.
    #[test]
    fn asked_once_more_for_somebody_else() {
        let text = r#"Consecutive(failures: 1, open_for: "1h", per: Replica())"#;
        let mut client = Client::new(text, &Balancer::RoundRobin, 4);
        while client.breakers.open() == 0 {
            client.send(secs(0));
            client.end(secs(0), ONE_BAD);
        }
        while client.send(secs(1)) != Some(3) {}
        let unwanted = Unwanted { tried: &[0, 1], picks: Some(1) };
        // In turn: 0 is not wanted, 1 stands. Then 2 is open, and 3 is neither; it is around something, and 1 was not.
        assert_eq!(client.send_as(secs(1), false, unwanted), Some((1, false)));
        assert_eq!(client.send_as(secs(1), false, unwanted), Some((3, true)));
    }

    /// Whom a call has tried is asked over, and that takes none of the choices that a breaker may refuse.
    #[test]
    fn who_was_tried_takes_no_choice() {
        for balancer in &ALL {
            for picks in ["", "picks: 0", "picks: 2"] {
                let text = format!("Consecutive(failures: 1000000, per: Replica({picks}))");
                let [mut guarded, mut plain] = [(), ()].map(|()| Client::new(&text, balancer, 4));
                for tried in [&[][..], &[0], &[1, 2], &[0, 1, 3], &[0, 1, 2, 3]].repeat(20) {
                    for picks in [None, Some(1), Some(3)] {
                        let unwanted = Unwanted { tried, picks };
                        let Client { balancer, view, words, .. } = &mut plain;
                        let choice = unwanted.pick(balancer, view, words);
                        balancer.sent(choice);
                        assert_eq!(
                            guarded.send_as(secs(1), false, unwanted),
                            Some((choice, false)),
                            "{text}"
                        );
                    }
                }
                assert_eq!(guarded.words.used().draws, plain.words.used().draws);
            }
        }
    }

    /// What stops only retries lets the first of a call go where it would; a retry it keeps from the bad one.
    #[test]
    fn the_first_of_a_call_goes_if_only_retries_are_stopped() {
        let text = r#"Consecutive(failures: 2, open_for: "1h", guards: Retries, per: Replica())"#;
        for balancer in &ALL {
            let mut client = Client::new(text, balancer, 4);
            let anybody = Unwanted { tried: &[], picks: None };
            let (mut firsts, mut retries) = (0, 0);
            for _ in 0..200 {
                firsts += u32::from(client.send_as(secs(1), true, anybody).unwrap().0 == 2);
                client.end(secs(1), ONE_BAD);
                retries += u32::from(client.send_as(secs(1), false, anybody).unwrap().0 == 2);
                client.end(secs(1), ONE_BAD);
            }
            assert!(firsts > 20 && retries <= 2, "{balancer:?}: {firsts} firsts, {retries} retries");
        }
    }

    /// A probe that is out for too long opens the breaker again, and that is told when somebody asks.
    #[test]
    fn probes_are_given_up_while_nobody_is_closed() {
        let text =
            r#"Consecutive(failures: 1, open_for: "10s", per: Replica(), recovery: (max_half_open: "2s"))"#;
        let mut client = Client::new(text, &Balancer::RoundRobin, 2);
        while client.breakers.open() < 2 {
            client.send(secs(0)).expect("one is closed");
            client.end(secs(0), |_| Outcome::Error);
        }
        assert!(client.send(secs(10)).is_some() && client.send(secs(10)).is_some(), "both are probed");
        assert_eq!(client.send(secs(11)), None);
        client.steps();
        assert_eq!(client.send(secs(13)), None);
        let mut steps = client.steps();
        steps.sort_unstable();
        assert_eq!(steps, [(0, 1), (1, 1)]);
        assert_eq!(client.send(secs(21)), None, "open again since 12 s");
        assert!(client.send(secs(22)).is_some());
    }

    /// Of a hundred replicas one is closed: it is found although the balancer hardly ever names it.
    #[test]
    fn the_last_one_is_found() {
        for balancer in &ALL {
            let text = r#"Consecutive(failures: 1, open_for: "1h", per: Replica())"#;
            let mut client = Client::new(text, balancer, 100);
            while client.breakers.open() < 99 {
                client.send(secs(0)).expect("some are closed");
                client.end(secs(0), |replica| if replica == 77 { Outcome::Ok } else { Outcome::Reset });
            }
            for _ in 0..100 {
                assert_eq!(client.send(secs(1)), Some(77), "{balancer:?}");
            }
            client.end(secs(1), |_| Outcome::Ok);
        }
    }

    /// Whom the client may not choose is neither found nor probed, whatever his breaker; and who may be chosen again is asked at once.
    #[test]
    fn who_may_not_be_chosen_is_passed_over() {
        for balancer in &ALL {
            let text = r#"Consecutive(failures: 1, open_for: "10s", per: Replica())"#;
            let mut client = Client::new(text, balancer, 100);
            client.view.change([3, 50, 98]);
            for second in 0..3 {
                let replica = client.send(secs(second)).expect("one of three is closed");
                assert!([3, 50, 98].contains(&replica), "{balancer:?}");
                client.end(secs(second), |_| Outcome::Reset);
            }
            assert_eq!(client.send(secs(5)), None, "{balancer:?}: 97 others are closed");
            client.view.change([3, 50, 77, 98]);
            assert_eq!(client.send(secs(5)), Some(77), "{balancer:?}");
            client.end(secs(5), |_| Outcome::Reset);
            client.view.change([77]);
            assert_eq!(client.send(secs(12)), None, "{balancer:?}: three may be probed");
            client.view.change([77, 50]);
            assert_eq!(client.send(secs(12)), Some(50), "{balancer:?}");
            client.end(secs(12), |_| Outcome::Ok);
        }
    }

    /// When the first of those that may be chosen can be probed is not known any more once others may be.
    #[test]
    fn who_may_be_chosen_again_may_be_probed_at_once() {
        let text = r#"Consecutive(failures: 1, open_for: "10s", per: Replica())"#;
        let mut client = Client::new(text, &Balancer::RoundRobin, 2);
        for (second, replica) in [(0, 1), (5, 0)] {
            client.view.change([replica]);
            assert_eq!(client.send(secs(second)), Some(replica));
            client.end(secs(second), |_| Outcome::Reset);
        }
        assert_eq!(client.send(secs(12)), None, "it is open until 15 s");
        client.view.change([0, 1]);
        assert_eq!(client.send(secs(12)), Some(1));
    }

    /// Half-open is not closed either.
    #[test]
    fn how_many_let_not_everything_pass() {
        for text in [
            r#"Consecutive(failures: 1, open_for: "1s")"#,
            r#"Consecutive(failures: 1, open_for: "1s", per: Replica())"#,
        ] {
            let breaker = read::<Breaker>(text).unwrap().0;
            let mut words = Streams::new(3).stream("test", text);
            let mut breakers = Breakers::new(&breaker, 2, &mut words);
            assert_eq!(breakers.open(), 0);
            let acquire = |breakers: &mut Breakers, now| match breakers {
                Breakers::Service(one) => one.try_acquire(now).map(|admission| admission.permit),
                Breakers::Replicas(all) => all.acquire(1, now),
            };
            let permit = acquire(&mut breakers, secs(0)).unwrap();
            breakers.record(secs(0), 1, permit, Outcome::Error, None);
            assert_eq!(breakers.open(), 1, "{text}");
            let permit = acquire(&mut breakers, secs(1)).unwrap();
            assert_eq!(breakers.open(), 1, "{text}");
            breakers.record(secs(1), 1, permit, Outcome::Ok, None);
            assert_eq!(breakers.open(), 0, "{text}");
        }
    }

    /// Who has others to choose among than whoever asked before is not told what was found of those: all four are open, two of them
    /// until later.
    #[test]
    fn what_was_found_for_one_attempt_is_nothing_to_the_next() {
        let text = r#"Consecutive(failures: 1, open_for: "5s", per: Replica())"#;
        let mut client = Client::new(text, &Balancer::RoundRobin, 4);
        client.view = View::passing();
        for (at, few) in [(0, [2, 3]), (4, [0, 1])] {
            for _ in few {
                client.view.pass(few);
                assert!(client.send(secs(at)).is_some());
            }
            client.end(secs(at), |_| Outcome::Error);
        }
        for (at, few, goes) in [(4, [0, 1], false), (5, [0, 1], false), (5, [2, 3], true), (8, [0, 1], false)]
        {
            client.view.pass(few);
            assert_eq!(client.send(secs(at)).is_some(), goes, "{few:?} at {at} s");
        }
    }
}
