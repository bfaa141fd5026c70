//! The policies of one client on one edge that keep something between calls, and the order in which a call meets them.
//!
//! ```text
//! to begin   rate limit (refuses, or lets wait)
//! to enter   bulkhead (refuses, or lets wait) > budget (the call pays in)
//! to retry   budget
//! to copy    budget
//! to send    rate limit, if it counts attempts > breaker > throttle > adaptive limit > who may be chosen
//!                > balancer > pool (refuses, or lets wait)
//! ```
//!
//! Of breakers that stand before one replica each and the balancer neither comes first: it chooses among those that let an attempt pass.
//! Between them stand the deadline, the retry and the timeout, which keep nothing: they belong to whoever makes the
//! call. A mechanism that refuses is one line of [`may_begin`](Guards::may_begin), [`may_repeat`](Guards::may_repeat) or
//! [`may_send`](Guards::may_send); one that only watches and steers is a line of [`learn`](Guards::learn). Which of
//! them have anything to do on an edge is known before it runs ([`Gates`]), so what is not there costs nothing; and where an attempt
//! meets no more than a balancer and a closed breaker, these two are asked and told in a few steps ([`sends`](Guards::sends),
//! [`succeeds`](Guards::succeeds)).

mod alike;
mod shared;
mod watch;

use super::balancer::BalancerState;
pub use super::balancer::{BalancerState as Balancing, View};
use super::breaker::{Breakers, Passes, Replicas, Scope, Unwanted};
pub use super::breaker::{Permit, Step};
use super::budget::BudgetState;
pub use super::budget::Grant;
use super::bulkhead::{BulkheadState, Place};
use super::concurrency::ConcurrencyState;
use super::hedge::HedgeState;
use super::pool::{self, Asked};
pub use super::pool::{Back, Connections, Counts as Connected, Dial, Due, Lease};
use super::rate_limit::{Counts, RateLimitState, Turn};
use super::retry_host::RetryHost;
use super::sight::Sight;
use super::slow_start::SlowStart;
use super::throttle::ThrottleState;
use super::{Denied, Ending, Outcome, Policy};
use crate::carried::Carried;
pub use alike::Alike;
pub use shared::Shared;
use sim_core::{Key, Luck, SimDuration, SimTime, Streams, Words};
pub use watch::{Wait, Watch};

/// What one client of an edge remembers.
#[derive(Clone, Debug)]
pub struct Guards {
    rate_limit: Option<RateLimitState>,
    bulkhead: Option<BulkheadState>,
    budget: Option<BudgetState>,
    /// `None` as long as the one that all clients share is not [here](Self::lend).
    breaker: Option<Breakers>,
    hedge: Option<HedgeState>,
    throttle: Option<ThrottleState>,
    concurrency: Option<ConcurrencyState>,
    /// `None` where it may choose whomever all may.
    sight: Option<Box<Sight>>,
    /// Whoever has just come is sent little.
    slow_start: Option<Box<SlowStart>>,
    /// `None` where there is nothing to choose.
    balancer: Option<BalancerState>,
    /// One for each replica, or one for all of them; none where an attempt needs no connection.
    pools: Vec<Connections>,
}

/// Which questions the guards of an edge have an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates(u32);

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
    /// To send an attempt more is asked than a balancer and whether the breaker of the service is closed: [`Guards::sends`]
    /// will not do.
    pub const ASKS_ALL: Gates = Gates(1 << 16);
    /// More learns of each attempt than a balancer and a breaker of the service: [`Guards::succeeds`] will not do.
    pub const TELLS_ALL: Gates = Gates(1 << 17);
    /// [`Guards::learn_call`].
    pub const LEARN_CALL: Gates = Gates(1 << 4);
    /// A permit to send is held by the whole call, not by each attempt.
    pub const PERMIT_PER_CALL: Gates = Gates(1 << 5);
    /// [`Guards::copy_after`] and [`Guards::goes_on`].
    pub const COPY: Gates = Gates(1 << 6);
    /// Attempts of one call know of each other.
    pub const TIES: Gates = Gates(1 << 18);
    /// [`Guards::may_begin`] may let a call stand in line, and [`Guards::admit`] gets it in.
    pub const LINE: Gates = Gates(1 << 7);
    /// [`Guards::learn`] wants to know how long each attempt was out.
    pub const TIMES: Gates = Gates(1 << 8);
    /// [`Guards::may_send`] wants to know whom the call has tried.
    pub const TRIED: Gates = Gates(1 << 9);
    /// A call ends when nobody waits for the request that makes it.
    pub const INHERITS: Gates = Gates(1 << 11);
    /// A retry may wait as long as a refusal says.
    pub const HEEDS: Gates = Gates(1 << 10);
    /// Whoever is asked or told needs [what all clients share](Guards::lend).
    pub const SHARES: Gates = Gates(1 << 14);
    /// [`Guards::may_send`] may take steps although it lets an attempt pass, and [`Guards::learn`] more than one.
    pub const STEPS: Gates = Gates(1 << 15);
    /// [`Guards::may_connect`].
    pub const CONNECT: Gates = Gates(1 << 12);
    /// Its calls are listed with the replica or the request that makes them.
    pub const LISTED: Gates = Gates(1 << 24);
    /// Its calls and attempts carry something.
    pub const CARRIES: Gates = Gates(1 << 25);
    /// Its calls are users', and are told apart by what they carry.
    pub const CLASSED: Gates = Gates(1 << 26);
    /// Its clients and those whom they call stand in several zones.
    pub const APART: Gates = Gates(1 << 28);
    /// Its calls are not made for a request that has been passed on too often.
    pub const HOPS: Gates = Gates(1 << 29);
    /// Its calls are called back, or are the callbacks.
    pub const CALLBACK: Gates = Gates(1 << 30);
    /// Each client calls the replica of its own number, and nobody is asked.
    pub const FIXED: Gates = Gates(1 << 27);
    /// Something is kept beside each call.
    pub const KEEPS_OF_CALL: Gates = Gates(Gates::INHERITS.0 | Gates::LISTED.0 | Gates::CARRIES.0);
    /// Something is kept beside each attempt.
    pub const KEEPS_OF_ATTEMPT: Gates =
        Gates(Gates::INHERITS.0 | Gates::CARRIES.0 | Gates::FIXED.0 | Gates::APART.0);
    /// Somebody wants to know how each call ends.
    pub const HEARS_OF_CALLS: Gates = Gates(Gates::LEARN_CALL.0 | Gates::CLASSED.0);
    /// Whoever has ended may make room for another.
    pub const MAKES_ROOM: Gates = Gates(Gates::LINE.0 | Gates::CONNECT.0);

    /// Those of an edge with this policy and so many replicas to choose between.
    pub fn of(policy: &Policy, choices: u32) -> Gates {
        let scope = policy.breaker.as_ref().map(|breaker| breaker.scope());
        let (per_attempt, per_call) = (scope == Some(Scope::Attempt), scope == Some(Scope::Call));
        let bulkhead = policy.bulkhead.is_some();
        let budget = policy.budget.as_ref();
        let (pays_in, counts_out) =
            (budget.is_some_and(|it| it.hears_calls()), budget.is_some_and(|it| it.hears_sent()));
        let hears_ends = budget.is_some_and(|it| it.hears_ends());
        let (hedges, steps_back) = (policy.hedge.is_some(), policy.throttle.is_some());
        let limits = policy.rate_limit.as_ref().map(|limit| limit.counts());
        let (limits_calls, limits_attempts) =
            (limits == Some(Counts::Calls), limits == Some(Counts::Attempts));
        let takes_turns = policy.rate_limit.as_ref().is_some_and(|limit| limit.waits());
        let chooses = choices > 1;
        let adapts = policy.concurrency.is_some();
        let elsewhere = chooses && policy.retry_host != RetryHost::Any;
        let special = policy.breaker.as_ref().is_some_and(|breaker| breaker.is_special(choices));
        let counts = chooses && policy.balancer.hears_ends();
        let timed = chooses && policy.balancer.times();
        let asks_all = limits_attempts || adapts || steps_back || counts_out;
        let asks_all = asks_all || chooses && policy.balancer.asks_what_is_carried();
        let own_view = Sight::is_own(policy);
        let ejects = policy.outlier.is_some() || policy.panic_threshold.is_some();
        let asks_all = asks_all || special || per_call || elsewhere || own_view || timed;
        let asks_all = asks_all || starts_slowly(policy, choices);
        let tells_all = hears_ends || hedges || steps_back || adapts || special || ejects || timed;
        [
            (Gates::BEGIN, bulkhead || pays_in || limits_calls),
            (Gates::REPEAT, policy.budget.is_some()),
            (Gates::SEND, scope.is_some() || chooses || asks_all),
            (Gates::ASKS_ALL, asks_all),
            (Gates::LEARN, per_attempt || counts || tells_all),
            (Gates::TELLS_ALL, tells_all),
            (Gates::LEARN_CALL, bulkhead || per_call || takes_turns || counts_out),
            (Gates::PERMIT_PER_CALL, per_call),
            (Gates::COPY, hedges),
            (Gates::TIES, policy.hedge.as_ref().is_some_and(|hedge| hedge.tied)),
            (Gates::LINE, policy.bulkhead.as_ref().is_some_and(|bulkhead| bulkhead.waits())),
            (Gates::TRIED, elsewhere),
            (Gates::INHERITS, policy.deadline_propagation.is_some()),
            (Gates::HEEDS, policy.heeds()),
            (Gates::CONNECT, policy.pool.is_some()),
            (Gates::TIMES, adapts || policy.hedge.as_ref().is_some_and(|hedge| hedge.learns())),
            (Gates::TIMES, timed),
            (Gates::TIMES, per_attempt && policy.breaker.as_ref().is_some_and(|breaker| breaker.times())),
            (Gates::SHARES, policy.breaker.as_ref().is_some_and(|breaker| breaker.is_shared())),
            (Gates::SHARES, chooses && policy.balancer.keeps_sessions()),
            (Gates::STEPS, ejects),
            (Gates::STEPS, policy.breaker.as_ref().is_some_and(|it| it.is_per_replica(choices))),
        ]
        .into_iter()
        .fold(Gates::NONE, |gates, (gate, there)| Gates(gates.0 | if there { gate.0 } else { 0 }))
    }

    /// The same, and this one if it is there.
    #[must_use]
    pub const fn with(self, gate: Gates, there: bool) -> Gates {
        Gates(if there { self.0 | gate.0 } else { self.0 })
    }

    /// These and those.
    pub const fn or(self, other: Gates) -> Gates {
        Gates(self.0 | other.0)
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
    /// It has its turn after so long, and is to ask to [enter](Guards::may_enter) then.
    Turn(SimDuration),
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
    /// Whom its call has tried, where that [matters](Gates::TRIED).
    pub tried: &'a [u32],
    /// How often it is asked for somebody else before its choice stands; until it is somebody else if absent.
    pub picks: Option<u32>,
    /// Where those draw who let it pass or not; there if any of them does.
    pub gate: Option<&'a mut Luck>,
    /// Its call holds a permit already.
    pub admitted: bool,
    /// It is the first of its call.
    pub first: bool,
    /// What it may repeat on, if it repeats.
    pub grant: Grant,
    /// What its call carries: whose it is, which key it is about, how much it matters.
    pub carried: Carried,
    /// The replica that it is addressed to, if it is: it goes there if that may be chosen at all.
    pub address: Option<u32>,
}

/// What an attempt that may be sent takes along.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The replica it goes to.
    pub replica: u32,
    /// To be given back when the attempt has ended, or the call.
    pub permit: Option<Permit>,
    /// The step that admitting it took, where that is the only one that [can have been taken](Gates::STEPS).
    pub step: Option<Step>,
    /// A guard kept it from where the balancer would have had it.
    pub around: bool,
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
    /// How long it was out, where [anybody asks](Gates::TIMES).
    pub took: Option<SimDuration>,
    /// It was the first of its call.
    pub first: bool,
    /// What it repeated on, if it did.
    pub grant: Grant,
}

impl Guards {
    /// A client, by its number, that has called nobody yet and chooses among these. `words` choose where its round robin starts.
    pub fn new(policy: &Policy, view: &View, client: u32, alike: &Alike, words: &mut impl Words) -> Self {
        let choices = view.of();
        // Before anything else that may draw: whatever else is there, it starts where it does.
        let balancer =
            (choices > 1).then(|| BalancerState::new(&policy.balancer, alike.chooser(client), words));
        Guards {
            balancer,
            rate_limit: policy.rate_limit.as_ref().map(RateLimitState::new),
            bulkhead: policy.bulkhead.as_ref().map(BulkheadState::new),
            budget: policy.budget.as_ref().map(BudgetState::new),
            breaker: policy
                .breaker
                .as_ref()
                .filter(|breaker| !breaker.is_shared())
                .map(|breaker| Breakers::new(breaker, choices, words)),
            hedge: policy.hedge.as_ref().map(HedgeState::new),
            throttle: policy.throttle.as_ref().map(ThrottleState::new),
            concurrency: policy.concurrency.as_ref().map(ConcurrencyState::new),
            sight: Sight::new(policy, view, (client, alike.salt()), words).map(Box::new),
            slow_start: policy.slow_start.clone().map(Box::new).filter(|_| starts_slowly(policy, choices)),
            pools: policy.pool.iter().flat_map(|pool| connections(pool, choices)).collect(),
        }
    }

    /// They take the place of those that a client has forgotten.
    #[cold]
    pub fn succeed(&mut self, others: &Guards) {
        self.pools.iter_mut().zip(&others.pools).for_each(|(own, other)| own.succeeds(other));
    }

    /// Whether a call may begin. One that may is to be told of to [`learn_call`](Self::learn_call) when it ends; one that
    /// stands in line to [`leave_line`](Self::leave_line), if it ends before it was [let in](Self::admit).
    #[inline(always)]
    pub fn may_begin(&mut self, now: SimTime) -> Gate {
        if let Some(limit) = &mut self.rate_limit
            && limit.counts() == Counts::Calls
        {
            match limit.ask(now) {
                Turn::Now => {}
                Turn::In(wait) => return Gate::Turn(wait),
                Turn::Refused => return Gate::No(Ending::RateLimited),
            }
        }
        self.may_enter(now)
    }

    /// The rest of it, for a call that has had its turn.
    #[inline(always)]
    pub fn may_enter(&mut self, now: SimTime) -> Gate {
        if let Some(bulkhead) = &mut self.bulkhead {
            match bulkhead.ask() {
                Place::Taken => {}
                Place::InLine(patience) => return Gate::Line(patience),
                Place::Refused => return Gate::No(REFUSED),
            }
        }
        if let Some(budget) = &mut self.budget {
            budget.on_call(now);
        }
        Gate::Go(())
    }

    /// Whether the first in line may begin; if so it does.
    #[inline(never)]
    pub fn admit(&mut self, now: SimTime) -> bool {
        let admitted = self.bulkhead.as_mut().is_some_and(BulkheadState::admit);
        if let Some(budget) = self.budget.as_mut().filter(|_| admitted) {
            budget.on_call(now);
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

    /// Whether a retry that the policy wants after such a failure may be made, or, after none, a copy. What it is granted
    /// goes with the attempt, or [back](Self::give_back) if none is sent.
    #[inline(always)]
    pub fn may_repeat(&mut self, now: SimTime, after: Option<Outcome>) -> Result<Grant, Denied> {
        let Some(budget) = &mut self.budget else { return Ok(Grant::NONE) };
        budget.withdraw(now, after).ok_or(Denied::Budget)
    }

    /// What was granted was not sent after all.
    #[cold]
    pub fn give_back(&mut self, grant: Grant) {
        self.budget.iter_mut().for_each(|budget| budget.give_back(grant));
    }

    /// Where an attempt goes, and with what, if no more than a balancer and a closed breaker is asked. If the breaker is not, nothing
    /// was done, and [all](Self::may_send) are to be asked.
    #[inline(always)]
    pub fn sends(&mut self, key: Key, view: &View, pick: &mut Luck) -> Option<(u32, Option<Permit>)> {
        let permit = match &self.breaker {
            Some(breakers) => Some(breakers.passes_all()?),
            None => None,
        };
        let mut replica = 0;
        if let Some(balancer) = &mut self.balancer {
            replica = balancer.pick(view, &mut pick.at(key));
            balancer.sent(replica);
        }
        Some((replica, permit))
    }

    /// An attempt that was sent has succeeded, which is nothing to a breaker that is closed. If it may be something, nothing was done,
    /// and all are to [learn](Self::learn) it.
    #[inline(always)]
    pub fn succeeds(&mut self, replica: u32, permit: &Option<Permit>) -> bool {
        if let (Some(breakers), Some(permit)) = (&mut self.breaker, permit)
            && !breakers.succeeds(permit)
        {
            return false;
        }
        if let Some(balancer) = &mut self.balancer {
            balancer.ended(replica);
        }
        true
    }

    /// Whether an attempt may be sent, and where to. One that is sent is to be told of to [`learn`](Self::learn) when
    /// it ends.
    pub fn may_send(&mut self, ask: Ask) -> Gate<Pass> {
        let Some(limit) = self.rate_limit.as_mut().filter(|limit| limit.counts() == Counts::Attempts) else {
            return self.may_pass(ask);
        };
        if limit.ask(ask.now) != Turn::Now {
            return Gate::No(Ending::RateLimited);
        }
        let gate = self.may_pass(ask);
        if let (Gate::No(_), Some(limit)) = (&gate, &mut self.rate_limit) {
            limit.take_back();
        }
        gate
    }

    /// The rest of it, for an attempt that has its turn.
    fn may_pass(&mut self, mut ask: Ask) -> Gate<Pass> {
        let mut pass = Pass::default();
        // What an open breaker refuses nobody behind it hears of. What else it has to say it says below, when nobody else refuses.
        if let Some(Breakers::Service(breaker)) = &self.breaker
            && !ask.admitted
            && !(ask.first && breaker.guards_retries())
            && breaker.refuses(ask.now)
        {
            return Gate::No(Ending::BreakerOpen);
        }
        if let Some(throttle) = &mut self.throttle
            && let Some(gate) = &mut ask.gate
            && !throttle.lets_pass(ask.now, &mut gate.at(ask.key))
        {
            return Gate::No(Ending::Throttled);
        }
        if self.concurrency.as_ref().is_some_and(|limit| !limit.has_room()) {
            return self.sends_nothing(Ending::Limited);
        }
        let view = match &mut self.sight {
            None if ask.view.size() == 0 => return self.sends_nothing(NOBODY_LEFT),
            None => ask.view,
            Some(sight) => match sight.look(ask.now, ask.view, &ask.carried) {
                Some(view) => view,
                None => return self.sends_nothing(NOBODY_LEFT),
            },
        };
        if let Some(balancer) = &mut self.balancer {
            balancer.look(ask.now, &ask.carried);
        }
        let mut goes_to = ask.address.filter(|replica| view.contains(*replica));
        if let Some(breakers) = &mut self.breaker
            && !ask.admitted
        {
            match breakers {
                Breakers::Service(breaker) if ask.first && breaker.guards_retries() => {
                    pass.permit = breaker.watched();
                }
                Breakers::Service(breaker) => match breaker.try_acquire(ask.now) {
                    Some(admission) => {
                        pass.permit = Some(admission.permit);
                        pass.step = admission.transition.map(|taken| Step { replica: None, taken });
                    }
                    None => return self.sends_nothing(Ending::BreakerOpen),
                },
                Breakers::Replicas(breakers) => {
                    let balancer = self.balancer.as_mut().expect("there are several replicas");
                    match choose(breakers, balancer, view, &mut ask) {
                        Some(Passes { replica, permit, around }) => {
                            (pass.permit, pass.around, goes_to) = (permit, around, Some(replica));
                        }
                        None => return self.sends_nothing(Ending::BreakerOpen),
                    }
                }
            }
        }
        if let Some(balancer) = &mut self.balancer {
            pass.replica = goes_to.unwrap_or_else(|| {
                let mut words = ask.pick.at(ask.key);
                let choice = match ask.tried {
                    [] => balancer.pick(view, &mut words),
                    tried => balancer.pick_other(view, tried, ask.picks, &mut words),
                };
                match &self.slow_start {
                    None => choice,
                    Some(slow) => {
                        slow.settle(choice, balancer, (view, ask.view), ask.tried, ask.now, &mut words)
                    }
                }
            });
            balancer.sent(pass.replica);
        }
        if let Some(budget) = &mut self.budget {
            budget.sent(ask.grant);
        }
        self.concurrency.iter_mut().for_each(ConcurrencyState::sent);
        self.sight.iter_mut().for_each(|sight| sight.sent());
        Gate::Go(pass)
    }

    /// An attempt that the throttle let pass is not sent after all.
    fn sends_nothing(&mut self, end: Ending) -> Gate<Pass> {
        self.throttle.iter_mut().for_each(ThrottleState::take_back);
        Gate::No(end)
    }

    /// Each replica that says anything says how many requests it has in hand.
    pub fn hears(&mut self, in_hand: impl Iterator<Item = Option<u32>> + Clone) {
        if let Some(balancer) = &mut self.balancer {
            balancer.hears(in_hand);
        }
    }

    /// Whether an attempt that may be sent to this replica has a connection to it. One that has is to be told of to
    /// [its pool](Self::connections) when it ends.
    pub fn may_connect(&mut self, now: SimTime, replica: u32) -> Gate<Lease> {
        match self.connections(self.leading_to(replica)).ask(now) {
            Asked::Got(lease) => Gate::Go(lease),
            Asked::Waits(patience) => Gate::Line(patience),
            Asked::Refused => {
                // Of the rest it may keep what it was let pass on: see `unsend`.
                self.rate_limit
                    .iter_mut()
                    .filter(|limit| limit.counts() == Counts::Attempts)
                    .for_each(RateLimitState::take_back);
                Gate::No(UNCONNECTED)
            }
        }
    }

    /// Which of its pools leads to a replica, by number.
    pub fn leading_to(&self, replica: u32) -> u32 {
        replica.min(self.pools.len() as u32 - 1)
    }

    /// One of its pools.
    pub fn connections(&mut self, pool: u32) -> &mut Connections {
        &mut self.pools[pool as usize]
    }

    /// All of them.
    pub fn all_connections(&self) -> &[Connections] {
        &self.pools
    }

    /// An attempt that might have been sent is not after all, since it got no connection: nothing is learnt of it. The step that
    /// the breaker takes, if it takes one.
    #[cold]
    pub fn unsend(
        &mut self,
        now: SimTime,
        replica: u32,
        permit: Option<Permit>,
        grant: Grant,
    ) -> Option<Step> {
        if let Some(balancer) = &mut self.balancer {
            balancer.ended(replica);
        }
        self.budget.iter_mut().for_each(|budget| budget.unsent(grant));
        self.concurrency.iter_mut().for_each(ConcurrencyState::take_back);
        self.throttle.iter_mut().for_each(|throttle| throttle.learn(now, Outcome::Cancelled));
        self.breaker.as_mut()?.record(now, replica, permit?, Outcome::Cancelled, None)
    }

    /// An attempt that was sent has ended. The step that the breaker takes, if it takes one.
    pub fn learn(&mut self, seen: Seen) -> Option<Step> {
        if let Some(balancer) = &mut self.balancer {
            balancer.ended(seen.replica);
            if let Some(took) = seen.took {
                balancer.took(seen.now, seen.replica, took);
            }
        }
        if let Some(budget) = &mut self.budget {
            budget.ended(seen.now, seen.outcome, seen.retried, seen.grant);
        }
        if let (Some(hedge), Some(took), true) = (&mut self.hedge, seen.took, seen.first) {
            hedge.learn(seen.now, seen.outcome, took);
        }
        // An attempt that the call's deadline cut off was not answered in time either.
        let outcome = if seen.overdue { Outcome::TimedOut } else { seen.outcome };
        if let (Some(limit), Some(took)) = (&mut self.concurrency, seen.took) {
            limit.ended(outcome, took);
        }
        if let Some(throttle) = &mut self.throttle {
            throttle.learn(seen.now, outcome);
        }
        if let Some(sight) = &mut self.sight {
            sight.ended(seen.now, seen.replica, outcome);
        }
        self.breaker.as_mut()?.record(seen.now, seen.replica, seen.permit?, outcome, seen.took)
    }

    /// Attempts that it may have out, if that [adapts](Gates::TIMES) itself.
    #[inline]
    pub fn limit(&self) -> Option<u32> {
        self.concurrency.as_ref().map(ConcurrencyState::limit)
    }

    /// A step that they took while they let nothing pass.
    #[cold]
    pub fn untold_step(&mut self) -> Option<Step> {
        self.breaker.as_mut()?.untold()
    }

    /// A call that was let in has ended after so long, in the pause before a retry if it still has what that was granted. The step that
    /// the breaker takes, if it watches whole calls and takes one.
    #[inline(always)]
    pub fn learn_call(
        &mut self,
        now: SimTime,
        end: Ending,
        permit: Option<Permit>,
        grant: Grant,
        took: SimDuration,
    ) -> Option<Step> {
        if grant != Grant::NONE {
            self.give_back(grant);
        }
        if let Some(bulkhead) = &mut self.bulkhead {
            bulkhead.release();
        }
        self.breaker.as_mut()?.record(now, 0, permit?, end.outcome(), Some(took))
    }
}

/// As what a call ends that was not let begin, at once or after a wait.
pub const REFUSED: Ending = Ending::BulkheadFull;

/// And as what one ends that was not let send for want of a connection.
pub const UNCONNECTED: Ending = Ending::PoolFull;

/// And as what one ends for which there is nobody to choose.
const NOBODY_LEFT: Ending = Ending::NoHost;

/// Whether a replica that has just come is sent less: whoever goes by keys sends it what is its own.
fn starts_slowly(policy: &Policy, choices: u32) -> bool {
    choices > 1 && policy.slow_start.is_some() && !policy.balancer.asks_what_is_carried()
}

/// Whom an attempt goes to, of those whose breaker lets it pass.
#[cold]
fn choose(
    breakers: &mut Replicas,
    balancer: &mut BalancerState,
    view: &View,
    ask: &mut Ask,
) -> Option<Passes> {
    let unwanted = Unwanted { tried: ask.tried, picks: ask.picks };
    breakers.choose(ask.now, ask.first, balancer, view, unwanted, &mut ask.pick.at(ask.key))
}

/// The pools of one client that chooses among so many replicas.
fn connections(pool: &pool::Pool, choices: u32) -> impl Iterator<Item = Connections> {
    (0..pool.pools(choices)).map(|_| Connections::new(pool))
}

/// Pools of each client that chooses among so many replicas.
pub fn pools(policy: &Policy, choices: u32) -> u32 {
    policy.pool.as_ref().map_or(0, |pool| pool.pools(choices))
}

/// Whether the connections of an edge end at a replica, and break with it.
pub fn ends_at_replicas(policy: &Policy) -> bool {
    policy.pool.as_ref().is_some_and(|pool| pool.per == pool::To::Replica)
}

/// Whether the first request over a new connection is more work than the others.
pub fn greets(policy: &Policy) -> bool {
    policy.pool.as_ref().is_some_and(pool::Pool::is_work)
}

/// What opens the connections of an edge, if its attempts need any.
pub fn dial(policy: &Policy, edge: &str, streams: &Streams) -> Option<Dial> {
    policy.pool.as_ref().map(|pool| Dial::new(pool, edge, streams))
}

#[cfg(test)]
mod tests;
