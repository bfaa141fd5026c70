//! The policies of one client on one edge that keep something between calls, and the order in which a call meets them.
//!
//! ```text
//! to begin   bulkhead (refuses, or lets wait) > budget (the call pays in)
//! to retry   budget
//! to copy    budget
//! to send    throttle > breaker > balancer
//! ```
//!
//! Between them stand the deadline, the retry and the timeout, which keep nothing: they belong to whoever makes the
//! call. A mechanism that refuses is one line of [`may_begin`](Guards::may_begin), [`may_repeat`](Guards::may_repeat) or
//! [`may_send`](Guards::may_send); one that only watches and steers is a line of [`learn`](Guards::learn). Which of
//! them have anything to do on an edge is known before it runs ([`Gates`]), so what is not there costs nothing.

use super::balancer::{Balancer, BalancerState, View};
use super::breaker::{self, BreakerState, Scope};
pub use super::breaker::{Permit, Transition as Step};
use super::budget::{Budget, BudgetState};
use super::bulkhead::{self, BulkheadState, Place};
use super::hedge::{self, HedgeState};
use super::throttle::ThrottleState;
use super::{Denied, Ending, Outcome, Policy};
use crate::report::Section;
use sim_core::{Key, Luck, SimDuration, SimTime, Words};

/// What one client of an edge remembers.
#[derive(Clone, Debug)]
pub struct Guards {
    bulkhead: Option<BulkheadState>,
    budget: Option<BudgetState>,
    breaker: Option<BreakerState>,
    hedge: Option<HedgeState>,
    throttle: Option<ThrottleState>,
    /// `None` where there is nothing to choose.
    balancer: Option<BalancerState>,
}

/// Which questions the guards of an edge have an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates(u8);

impl Gates {
    /// None: the clients of such an edge keep nothing.
    pub const NONE: Gates = Gates(0);
    /// [`Guards::may_begin`].
    pub const BEGIN: Gates = Gates(1);
    /// [`Guards::may_repeat`].
    pub const REPEAT: Gates = Gates(1 << 1);
    /// [`Guards::may_send`].
    pub const SEND: Gates = Gates(1 << 2);
    /// [`Guards::learn`].
    pub const LEARN: Gates = Gates(1 << 3);
    /// [`Guards::learn_call`].
    pub const LEARN_CALL: Gates = Gates(1 << 4);
    /// A permit to send is held by the whole call, not by each attempt.
    pub const PERMIT_PER_CALL: Gates = Gates(1 << 5);
    /// [`Guards::copy_after`] and [`Guards::goes_on`].
    pub const COPY: Gates = Gates(1 << 6);
    /// [`Guards::may_begin`] may let a call stand in line, and [`Guards::admit`] gets it in.
    pub const LINE: Gates = Gates(1 << 7);

    /// Those of an edge with this policy and so many replicas to choose between.
    pub fn of(policy: &Policy, choices: u32) -> Gates {
        let scope = policy.breaker.as_ref().map(|breaker| breaker.scope());
        let (per_attempt, per_call) = (scope == Some(Scope::Attempt), scope == Some(Scope::Call));
        let bulkhead = policy.bulkhead.is_some();
        let pays_in = matches!(policy.budget, Some(Budget::Ratio { .. }));
        let throttles = matches!(policy.budget, Some(Budget::Throttle { .. }));
        let (hedges, steps_back) = (policy.hedge.is_some(), policy.throttle.is_some());
        let chooses = choices > 1;
        let counts = chooses && matches!(policy.balancer, Balancer::LeastPending | Balancer::PowerOfTwo);
        [
            (Gates::BEGIN, bulkhead || pays_in),
            (Gates::REPEAT, policy.budget.is_some()),
            (Gates::SEND, scope.is_some() || chooses || steps_back),
            (Gates::LEARN, per_attempt || throttles || counts || hedges || steps_back),
            (Gates::LEARN_CALL, bulkhead || per_call),
            (Gates::PERMIT_PER_CALL, per_call),
            (Gates::COPY, hedges),
            (Gates::LINE, policy.bulkhead.as_ref().is_some_and(|bulkhead| bulkhead.waits())),
        ]
        .into_iter()
        .fold(Gates::NONE, |gates, (gate, there)| Gates(gates.0 | if there { gate.0 } else { 0 }))
    }

    /// Whether this one is among them.
    #[inline(always)]
    pub fn has(self, gate: Gates) -> bool {
        self.0 & gate.0 != 0
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self == Gates::NONE
    }
}

/// Whether a call may go on.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Gate<T = ()> {
    /// It may, with this.
    Go(T),
    /// It stands in line until it may, at most so long.
    Line(Option<SimDuration>),
    /// It may not, and this is what ends it unless its policy tries again.
    No(Ending),
}

/// An attempt that asks to be sent.
pub struct Ask<'a> {
    /// The present.
    pub now: SimTime,
    /// The attempt's key.
    pub key: Key,
    /// Whom the balancer may choose.
    pub view: &'a View,
    /// Where it draws.
    pub pick: &'a mut Luck,
    /// Where those draw who let it pass or not; there if any of them does.
    pub gate: Option<&'a mut Luck>,
    /// Its call holds a permit already.
    pub admitted: bool,
}

/// What an attempt that may be sent takes along.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The replica it goes to.
    pub replica: u32,
    /// To be given back when the attempt has ended, or the call.
    pub permit: Option<Permit>,
    /// The step that admitting it took.
    pub step: Option<Step>,
}

/// How an attempt ended.
pub struct Seen {
    /// The present.
    pub now: SimTime,
    /// As its caller saw it.
    pub outcome: Outcome,
    /// The policy would try again if tries were left.
    pub retried: bool,
    /// It was cut off because its call's deadline has passed.
    pub overdue: bool,
    /// Where it was sent.
    pub replica: u32,
    /// What it was sent with.
    pub permit: Option<Permit>,
    /// How long it was out, if it was the first of its call.
    pub took: Option<SimDuration>,
}

impl Guards {
    /// A client that has called nobody yet and chooses among these. `words` choose where its round robin starts.
    pub fn new(policy: &Policy, view: &View, words: &mut impl Words) -> Self {
        let choices = view.size();
        Guards {
            bulkhead: policy.bulkhead.as_ref().map(BulkheadState::new),
            budget: policy.budget.as_ref().map(BudgetState::new),
            breaker: policy.breaker.as_ref().map(BreakerState::new),
            hedge: policy.hedge.as_ref().map(HedgeState::new),
            throttle: policy.throttle.as_ref().map(ThrottleState::new),
            balancer: (choices > 1).then(|| BalancerState::new(&policy.balancer, choices, words)),
        }
    }

    /// Whether a call may begin. One that may is to be told of to [`learn_call`](Self::learn_call) when it ends; one that
    /// stands in line to [`leave_line`](Self::leave_line), if it ends before it was [let in](Self::admit).
    #[inline(always)]
    pub fn may_begin(&mut self) -> Gate {
        if let Some(bulkhead) = &mut self.bulkhead {
            match bulkhead.ask() {
                Place::Taken => {}
                Place::InLine(patience) => return Gate::Line(patience),
                Place::Refused => return Gate::No(REFUSED),
            }
        }
        if let Some(budget) = &mut self.budget {
            budget.on_call();
        }
        Gate::Go(())
    }

    /// Whether the first in line may begin; if so it does.
    #[inline(never)]
    pub fn admit(&mut self) -> bool {
        let admitted = self.bulkhead.as_mut().is_some_and(BulkheadState::admit);
        if let Some(budget) = self.budget.as_mut().filter(|_| admitted) {
            budget.on_call();
        }
        admitted
    }

    /// Calls in line now.
    pub fn waiting(&self) -> u32 {
        self.bulkhead.as_ref().map_or(0, BulkheadState::waiting)
    }

    /// A call leaves the line before it was let in.
    #[cold]
    pub fn leave_line(&mut self) {
        self.bulkhead.iter_mut().for_each(BulkheadState::leave);
    }

    /// How long after an attempt that is sent now its next copy is, if so many were sent of this try.
    #[inline]
    pub fn copy_after(&mut self, now: SimTime, copies: u8) -> Option<SimDuration> {
        self.hedge.as_mut()?.after(now, copies)
    }

    /// Whether a try goes on after one of its attempts failed so: others may be out, or yet to come.
    #[inline]
    pub fn goes_on(&self, outcome: Outcome) -> bool {
        self.hedge.as_ref().is_some_and(|hedge| hedge.goes_on(outcome))
    }

    /// Whether a retry that the policy wants may be made, or a copy.
    #[inline(always)]
    pub fn may_repeat(&mut self) -> Result<(), Denied> {
        let paid = self.budget.as_mut().is_none_or(BudgetState::withdraw);
        if paid { Ok(()) } else { Err(Denied::Budget) }
    }

    /// Whether an attempt may be sent, and where to. One that is sent is to be told of to [`learn`](Self::learn) when
    /// it ends.
    #[inline(always)]
    pub fn may_send(&mut self, ask: Ask) -> Gate<Pass> {
        let mut pass = Pass::default();
        if let Some(throttle) = &mut self.throttle
            && let Some(gate) = ask.gate
            && !throttle.lets_pass(ask.now, &mut gate.at(ask.key))
        {
            return Gate::No(Ending::Throttled);
        }
        if let Some(breaker) = &mut self.breaker
            && !ask.admitted
        {
            let Some(admission) = breaker.try_acquire(ask.now) else {
                self.throttle.iter_mut().for_each(ThrottleState::take_back);
                return Gate::No(Ending::BreakerOpen);
            };
            (pass.permit, pass.step) = (Some(admission.permit), admission.transition);
        }
        if let Some(balancer) = &mut self.balancer {
            pass.replica = balancer.pick(ask.view, &mut ask.pick.at(ask.key));
            balancer.sent(pass.replica);
        }
        Gate::Go(pass)
    }

    /// An attempt that was sent has ended. The step that the breaker takes, if it takes one.
    #[inline(always)]
    pub fn learn(&mut self, seen: Seen) -> Option<Step> {
        if let Some(balancer) = &mut self.balancer {
            balancer.ended(seen.replica);
        }
        if let Some(budget) = &mut self.budget {
            match seen.outcome {
                Outcome::Ok => budget.on_success(),
                _ if seen.retried => budget.on_failure(),
                _ => {}
            }
        }
        if let (Some(hedge), Some(took)) = (&mut self.hedge, seen.took) {
            hedge.learn(seen.now, seen.outcome, took);
        }
        // An attempt that the call's deadline cut off was not answered in time either.
        let outcome = if seen.overdue { Outcome::TimedOut } else { seen.outcome };
        if let Some(throttle) = &mut self.throttle {
            throttle.learn(seen.now, outcome);
        }
        self.breaker.as_mut()?.record(seen.now, seen.permit?, outcome)
    }

    /// A call that was let in has ended. The step that the breaker takes, if it watches whole calls and takes one.
    #[inline(always)]
    pub fn learn_call(&mut self, now: SimTime, end: Ending, permit: Option<Permit>) -> Option<Step> {
        if let Some(bulkhead) = &mut self.bulkhead {
            bulkhead.release();
        }
        self.breaker.as_mut()?.record(now, permit?, end.outcome())
    }
}

/// As what a call ends that was not let begin, at once or after a wait.
pub const REFUSED: Ending = Ending::BulkheadFull;

/// What the guards of all clients of one edge measure together, each mechanism in a section of the report.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    breaker: Option<breaker::Watch>,
    hedge: Option<hedge::Watch>,
    bulkhead: Option<bulkhead::Watch>,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(policy: &Policy) -> Self {
        Watch {
            breaker: policy.breaker.as_ref().map(|_| breaker::Watch::default()),
            hedge: policy.hedge.as_ref().map(|_| hedge::Watch::default()),
            bulkhead: policy.bulkhead.as_ref().filter(|it| it.waits()).map(|_| bulkhead::Watch::default()),
        }
    }

    /// A client's guards took a step.
    pub fn stepped(&mut self, now: SimTime, client: u32, step: Step) {
        self.breaker.iter_mut().for_each(|watch| watch.stepped(now, client, step));
    }

    /// A copy was sent.
    #[cold]
    pub fn copied(&mut self, measured: bool) {
        self.hedge.iter_mut().for_each(|watch| watch.copied(measured));
    }

    /// A copy answered its call.
    #[cold]
    pub fn won_by_copy(&mut self, measured: bool) {
        self.hedge.iter_mut().for_each(|watch| watch.won(measured));
    }

    /// A call joins the line.
    #[cold]
    pub fn joined(&mut self) {
        self.bulkhead.iter_mut().for_each(bulkhead::Watch::joined);
    }

    /// A call leaves the line after so long, let in or not.
    #[cold]
    pub fn left(&mut self, after: SimDuration, let_in: bool, measured: bool) {
        self.bulkhead.iter_mut().for_each(|watch| watch.left(after, let_in, measured));
    }

    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        self.breaker.iter_mut().for_each(breaker::Watch::begin);
    }

    /// A client is forgetting what its guards know.
    pub fn forgotten(&mut self, guards: &Guards) {
        let breakers = self.breaker.iter_mut().zip(&guards.breaker);
        breakers.for_each(|(watch, breaker)| watch.forgotten(breaker.position()));
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.breaker.iter_mut().for_each(breaker::Watch::close_window);
        self.hedge.iter_mut().for_each(hedge::Watch::close_window);
        self.bulkhead.iter_mut().for_each(bulkhead::Watch::close_window);
    }

    /// What was measured.
    pub fn sections(self, at: &str) -> Vec<Section> {
        let breaker = self.breaker.map(|watch| watch.section(at));
        let hedge = self.hedge.map(|watch| watch.section(at));
        let bulkhead = self.bulkhead.map(|watch| watch.section(at));
        [breaker, hedge, bulkhead].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use sim_core::Streams;

    fn policy(text: &str) -> Policy {
        read::<Policy>(text).unwrap().0
    }

    struct Client {
        guards: Guards,
        view: View,
        pick: Luck,
        gate: Luck,
        sent: u64,
    }

    impl Client {
        fn new(text: &str, choices: u32) -> Self {
            let mut pick = Streams::new(5).luck("pick", "a->b");
            let view = View::all(choices);
            let guards = Guards::new(&policy(text), &view, &mut pick.at(Key::root(0, 0)));
            let gate = Streams::new(5).luck("gate", "a->b");
            Client { guards, view, pick, gate, sent: 0 }
        }

        fn is_open(&self) -> bool {
            let breaker = self.guards.breaker.as_ref().expect("it has one");
            breaker.position() != breaker::Position::Closed
        }

        fn send_with(&mut self, seconds: u64, admitted: bool) -> Gate<Pass> {
            self.sent += 1;
            let key = Key::root(1, self.sent);
            self.guards.may_send(Ask {
                now: SimTime::from_secs(seconds),
                key,
                view: &self.view,
                pick: &mut self.pick,
                gate: Some(&mut self.gate),
                admitted,
            })
        }

        fn send(&mut self, seconds: u64) -> Option<Pass> {
            match self.send_with(seconds, false) {
                Gate::Go(pass) => Some(pass),
                Gate::No(end) => {
                    assert_eq!(end, Ending::BreakerOpen);
                    None
                }
                Gate::Line(_) => panic!("nobody stands in line to send"),
            }
        }

        fn learn(
            &mut self,
            seconds: u64,
            pass: Pass,
            (outcome, retried, overdue): (Outcome, bool, bool),
        ) -> Option<Step> {
            let now = SimTime::from_secs(seconds);
            let Pass { replica, permit, .. } = pass;
            self.guards.learn(Seen { now, outcome, retried, overdue, replica, permit, took: None })
        }
    }

    #[test]
    fn only_what_is_there_is_asked() {
        let names = [
            (Gates::BEGIN, "begin"),
            (Gates::REPEAT, "repeat"),
            (Gates::SEND, "send"),
            (Gates::LEARN, "learn"),
            (Gates::LEARN_CALL, "learn call"),
            (Gates::PERMIT_PER_CALL, "permit per call"),
            (Gates::COPY, "copy"),
            (Gates::LINE, "line"),
        ];
        let per_call = "(breaker: Consecutive(scope: Call))";
        let table = [
            ("()", 1, ""),
            (r#"(timeout: "1s", deadline: "9s", retry: Fixed(attempts: 3))"#, 1, ""),
            ("(balancer: LeastPending)", 1, ""),
            ("()", 3, "send"),
            ("(balancer: Random)", 3, "send"),
            ("(balancer: PowerOfTwo)", 3, "send, learn"),
            ("(balancer: LeastPending)", 3, "send, learn"),
            ("(bulkhead: ())", 1, "begin, learn call"),
            (r#"(bulkhead: (max_wait: "250ms"))"#, 1, "begin, learn call, line"),
            ("(retry: Fixed(attempts: 3), budget: Ratio())", 1, "begin, repeat"),
            ("(retry: Fixed(attempts: 3), budget: Throttle())", 1, "repeat, learn"),
            ("(breaker: Consecutive())", 1, "send, learn"),
            (per_call, 1, "send, learn call, permit per call"),
            (r#"(hedge: (after: "20ms"))"#, 1, "learn, copy"),
            ("(throttle: ())", 1, "send, learn"),
        ];
        for (text, choices, expected) in table {
            let gates = Gates::of(&policy(text), choices);
            let found: Vec<&str> =
                names.iter().filter(|(gate, _)| gates.has(*gate)).map(|(_, name)| *name).collect();
            assert_eq!(found.join(", "), expected, "{text}, {choices} replicas");
            assert_eq!(gates.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn a_bulkhead_refuses_before_a_budget_is_paid() {
        let text =
            "(bulkhead: (max_concurrent: 1), retry: Fixed(attempts: 2), budget: Ratio(ratio: 1, burst: 1))";
        let mut client = Client::new(text, 1);
        let guards = &mut client.guards;
        assert_eq!(guards.may_begin(), Gate::Go(()));
        // The bucket began full and holds one token.
        assert!(guards.may_repeat().is_ok() && guards.may_repeat() == Err(Denied::Budget));
        assert_eq!(guards.may_begin(), Gate::No(Ending::BulkheadFull));
        assert!(guards.may_repeat().is_err(), "a call that never began paid nothing in");
        assert_eq!(guards.learn_call(SimTime::ZERO, Ending::Deadline, None), None);
        assert_eq!(guards.may_begin(), Gate::Go(()), "the place came back");
        assert!(guards.may_repeat().is_ok(), "and this call paid in");
    }

    #[test]
    fn without_a_budget_every_retry_is_paid() {
        let mut client = Client::new("(retry: Fixed(attempts: 2))", 1);
        assert!((0..100).all(|_| client.guards.may_repeat().is_ok()));
    }

    #[test]
    fn a_throttle_learns_from_what_would_be_retried() {
        // Three tokens: retries go while more than one and a half are left.
        let text = "(retry: Fixed(attempts: 2), budget: Throttle(max_tokens: 3, token_ratio: 1))";
        for (outcome, retried, stops) in [
            (Outcome::Error, true, true),
            (Outcome::Error, false, false),
            (Outcome::Cancelled, false, false),
            (Outcome::Ok, false, false),
        ] {
            let mut client = Client::new(text, 1);
            for _ in 0..2 {
                let pass = client.send(0).unwrap();
                client.learn(0, pass, (outcome, retried, false));
            }
            assert_eq!(client.guards.may_repeat().is_ok(), !stops, "{outcome}, {retried}");
            let pass = client.send(0).unwrap();
            client.learn(0, pass, (Outcome::Ok, false, false));
            assert!(client.guards.may_repeat().is_ok(), "a success pays in");
        }
    }

    #[test]
    fn a_breaker_hears_how_each_attempt_ended() {
        // (outcome, cut off by the call's deadline, counts as a failure)
        for (outcome, overdue, failure) in [
            (Outcome::Ok, false, false),
            (Outcome::Error, false, true),
            (Outcome::TimedOut, false, true),
            (Outcome::Cancelled, false, false),
            // What the deadline cut off was not answered in time.
            (Outcome::Cancelled, true, true),
        ] {
            let mut client = Client::new(r#"(breaker: Consecutive(failures: 2, open_for: "10s"))"#, 1);
            for second in [1, 2] {
                let pass = client.send(second).unwrap();
                assert!(pass.permit.is_some());
                let step = client.learn(second, pass, (outcome, true, overdue));
                assert_eq!(step.is_some(), failure && second == 2, "{outcome}, {overdue}");
            }
            assert_eq!(client.is_open(), failure, "{outcome}, {overdue}");
            assert_eq!(client.send(11).is_none(), failure);
            let probe = client.send(12).unwrap();
            assert_eq!(probe.step.is_some(), failure, "the first probe half-opens it");
        }
    }

    #[test]
    fn a_breaker_of_whole_calls_is_asked_once_and_told_once() {
        let text = r#"(breaker: Consecutive(failures: 1, open_for: "10s", scope: Call))"#;
        for (end, opens) in [
            (Ending::Ok, false),
            (Ending::Failed(Outcome::Error), true),
            (Ending::Deadline, true),
            (Ending::Cancelled, false),
        ] {
            let mut client = Client::new(text, 1);
            let mut pass = client.send(1).unwrap();
            let permit = pass.permit.take();
            assert_eq!(client.learn(1, pass, (Outcome::Error, true, false)), None, "an attempt is no call");
            // The retry goes with the permit of its call.
            let Gate::Go(again) = client.send_with(2, true) else { panic!("it was admitted") };
            assert_eq!(again.permit, None);
            assert_eq!(client.learn(2, again, (Outcome::Error, true, false)), None);
            let step = client.guards.learn_call(SimTime::from_secs(3), end, permit);
            assert_eq!((step.is_some(), client.is_open()), (opens, opens), "{end:?}");
        }
    }

    #[test]
    fn an_open_breaker_leaves_the_balancer_alone() {
        let text = r#"(breaker: Consecutive(failures: 1, open_for: "10s"), balancer: PowerOfTwo)"#;
        let mut client = Client::new(text, 2);
        let pass = client.send(1).unwrap();
        client.learn(1, pass, (Outcome::Error, true, false));
        let drawn = client.pick.used();
        assert!(client.send(2).is_none());
        assert_eq!(client.pick.used(), drawn);
    }

    #[test]
    fn what_is_out_is_known_until_it_ends() {
        let mut client = Client::new("(balancer: LeastPending)", 2);
        let first = client.send(0).unwrap();
        for _ in 0..20 {
            let pass = client.send(0).unwrap();
            assert_ne!(pass.replica, first.replica, "the other has nothing out");
            client.learn(0, pass, (Outcome::Cancelled, false, false));
        }
    }
}
