//! What a request does without an answer: one of its calls has failed, whatever of, and something else stands in for it.
//!
//! A fallback keeps a failure from going up the tree: Hystrix made it known, resilience4j and Polly have it, and it is what a
//! breaker is for. It is asked for when all else has been tried: after the last retry, a deadline, an open breaker, a full bulkhead.
//! The request goes on and may end well; its answer is *degraded* if anything did stand in, and so is every answer that is made of it, up to the
//! user. Success says nothing of it: so it is counted beside, on the call's edge and where users get it.
//!
//! - `Default`: a value that the caller has anyway: an empty list, a guest, "in stock". It is there at once and never fails.
//! - `Stale`: the last good answer that this replica of the caller has had over this call, if it is young enough: it must have had
//!   one, a restart forgets it, and an outage that lasts longer than `max_age` shows after all. (One answer for all: what each
//!   user, or each key, would have to have been told before is a cache.)
//! - `Call`: another service is asked. That takes time, may fail as well, and then the call has failed; whoever stands in gets all
//!   the load at once, when others are in trouble, which is why AWS does without ("Avoiding fallback in distributed systems").
//!
//! Whether a default is honest is not for a simulator to say: "not in stock" can be put right later, "paid" cannot.

use crate::distribution::TimeDistribution;
use crate::experiment::{POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::{EdgePlan, Plan};
use crate::service_graph::state::*;
use sim_core::{Key, SimDuration, SimTime};

/// What is asked of a service that stands in has luck of its own.
const INSTEAD: u64 = 1 << 36;

spec! {
    /// What stands in for the answer of a call that has failed.
    pub enum Fallback {
        /// A value that the caller has anyway, at once.
        Default,
        /// The last good answer that the caller's replica has had over this call.
        Stale {
            /// It must be no older.
            max_age: SimDuration; POSITIVE,
        },
        /// The answer of another service. If that fails, too, so has the call.
        Call {
            /// The service that is asked.
            to: Spanned<String>,
            /// Name of the policy; none means: wait for ever, never retry.
            policy: Option<Spanned<String>> = None,
            /// One-way network latency; absent means the graph's.
            network: Option<TimeDistribution> = None,
        },
    }
}

impl Part for Fallback {
    fn does(&self) -> Does {
        Does::STANDS_IN
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Fallback::Default => "or a default".into(),
            Fallback::Stale { max_age } => format!("or what it was, up to {max_age} ago"),
            Fallback::Call { to, .. } => format!("or {}", to.value),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let then = match self {
            Fallback::Default => "the request goes on with a default".into(),
            Fallback::Stale { max_age } => format!(
                "the request goes on with what was answered last, if that is no older than {max_age}: a longer outage shows"
            ),
            Fallback::Call { to, .. } => format!(
                "`{}` is asked: it is asked for all of them at once when nothing else works",
                to.value
            ),
        };
        vec![format!("{}: if it fails, {then}", around.name)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "fallback",
            word: "",
            what: "Stands in for the answer of a call that has failed, whatever of: a default, the last good answer, or another \
                   service. The request goes on, and its answer is counted as degraded.",
            hurts: "Success no longer shows that anything is wrong. What is not true may not be said: a payment has no default. A \
                    service that stands in is hardly ever asked, and then by all at once.",
            formula: "of calls that fail with a chance `p` each, `1 - (1-p)^n` of the answers of a request with `n` of them are degraded",
            source: "Netflix Hystrix (getFallback); resilience4j and Polly (Fallback); Gabrielson, \"Avoiding fallback in \
                     distributed systems\", Amazon Builders' Library",
            experiment: "order-fan-out",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Default", r#"Stale(max_age: "500ms")"#]
    }
}

/// What is told of it on the edge of the call: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("fallbacks", at)
        .value("failed", plain("calls that failed, of those made after the warm-up").better(Better::Less))
        .value("stood_in", plain("of them, those that something stood in for, or was asked to"))
        .value("stood_in_share", Value::new(Unit::Share, "the same as a share"))
        .line("stood_in", Unit::Plain, "Calls that something stood in for in each window.")
}

/// What is told of it where users get it: nothing measured yet.
pub fn degraded(at: &str) -> Section {
    Section::new("degraded", at)
        .value(
            "answers",
            Value::new(Unit::Plain, "answers that something stood in for a part of").better(Better::Less),
        )
        .value(
            "share",
            Value::new(Unit::Share, "the same as a share of all good answers")
                .better(Better::Less)
                .headline(),
        )
        .line("answers", Unit::Plain, "Answers in each window that something stood in for a part of.")
}

/// What stands in on an edge, and what came of it.
#[derive(Clone)]
pub struct StandIn {
    how: How,
    /// What the request has at stake if nothing stands in.
    otherwise: Stake,
    failed: u64,
    stood_in: u64,
    window: u64,
    windows: Vec<f64>,
}

#[derive(Clone)]
enum How {
    Default,
    /// When each replica of the caller had its last good answer.
    Stale(SimDuration, Vec<Option<SimTime>>),
    /// The edge over which another is asked.
    Call(u32),
}

impl StandIn {
    /// Of the calls of an edge, if anything stands in for them.
    pub fn by(edge: &EdgePlan, plan: &Plan) -> Option<Self> {
        let how = match edge.call?.fallback.as_ref()? {
            Fallback::Default => How::Default,
            Fallback::Stale { max_age } => How::Stale(*max_age, vec![None; plan.clients(edge) as usize]),
            Fallback::Call { .. } => How::Call(edge.fallback? as u32),
        };
        let otherwise = Stake::Required;
        Some(StandIn { how, otherwise, failed: 0, stood_in: 0, window: 0, windows: Vec::new() })
    }

    /// What a request has at stake if nothing does.
    pub fn otherwise(&mut self, stake: Stake) {
        self.otherwise = stake;
    }

    /// Whether it must hear of good answers.
    pub fn hears(&self) -> bool {
        matches!(self.how, How::Stale(..))
    }

    /// A replica of the caller has a good answer.
    pub fn answered(&mut self, client: u32, now: SimTime) {
        if let How::Stale(_, last) = &mut self.how {
            last[client as usize] = Some(now);
        }
    }

    /// A replica of the caller has restarted.
    pub fn forget(&mut self, client: u32) {
        if let How::Stale(_, last) = &mut self.how {
            last[client as usize] = None;
        }
    }

    /// Whether anything stands in now for what this replica of the caller calls; and if another is asked, over which edge.
    fn stands_in(&self, client: u32, now: SimTime) -> (bool, Option<u32>) {
        match &self.how {
            How::Default => (true, None),
            How::Stale(max_age, last) => {
                (last[client as usize].is_some_and(|last| now.since(last) <= *max_age), None)
            }
            How::Call(edge) => (true, Some(*edge)),
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::take(&mut self.window) as f64);
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("failed", self.failed as f64);
        section.set("stood_in", self.stood_in as f64);
        section.set("stood_in_share", (self.failed > 0).then(|| self.stood_in as f64 / self.failed as f64));
        section.draw("stood_in", self.windows.clone());
        section
    }
}

/// Answers over an edge that something may have stood in for a part of.
#[derive(Clone)]
pub struct Degraded {
    /// All of them stand in for those of another edge.
    stands_in: bool,
    answers: u64,
    window: u64,
    windows: Vec<f64>,
}

impl Degraded {
    /// Of the answers over an edge, if they can be that.
    pub fn by(edge: &EdgePlan, plan: &Plan) -> Option<Self> {
        let stands_in = edge.instead_of.is_some();
        let (answers, window, windows) = (0, 0, Vec::new());
        (stands_in || plan.degrades[edge.callee]).then_some(Degraded { stands_in, answers, window, windows })
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::take(&mut self.window) as f64);
    }

    /// What was measured, of so many good answers.
    pub fn section(&self, at: &str, ok: u64) -> Section {
        let mut section = degraded(at);
        section.set("answers", self.answers as f64);
        section.set("share", (ok > 0).then(|| self.answers as f64 / ok as f64));
        section.draw("answers", self.windows.clone());
        section
    }
}

impl<L: Listen> Graph<L> {
    /// A call of a request has failed that something may stand in for.
    #[inline(never)]
    pub fn falls_back(
        &mut self,
        id: AttemptId,
        (edge, client): (u32, u32),
        (key, measured): (Key, bool),
        ctx: &mut Ctx,
    ) {
        let request = &self.attempts[id];
        // One that has failed already goes nowhere.
        let goes_on = request.server == Server::Waiting && !request.marks.has(Marks::FAILED);
        let made = &mut self.edges[edge as usize];
        let fallback = made.fallback.as_mut().expect("its calls have one");
        let (stands_in, other) = fallback.stands_in(client, ctx.now());
        let stands_in = stands_in && goes_on;
        fallback.failed += u64::from(measured);
        fallback.stood_in += u64::from(measured && stands_in);
        fallback.window += u64::from(stands_in);
        let stake = fallback.otherwise;
        let other = other.filter(|_| stands_in);
        // Of another's answer that is told when there is one.
        if stands_in && other.is_none() {
            self.degraded.put(id, true);
        }
        match other {
            Some(other) => {
                let parent = Parent::Request { attempt: id, stake };
                self.begin_call(other, client, parent, key.child(INSTEAD), ctx);
            }
            None => {
                let stake = if stands_in { Stake::Optional } else { stake };
                self.call_is_over(Parent::Request { attempt: id, stake }, (edge, client), None, ctx);
            }
        }
    }

    /// A call was answered well, by this attempt: what it is made of goes on to whoever asked.
    #[inline(never)]
    pub fn hand_on(
        &mut self,
        id: AttemptId,
        (number, client): (u32, u32),
        (parent, measured): (Parent, bool),
        (began, now): (SimTime, SimTime),
    ) {
        let edge = &mut self.edges[number as usize];
        if let Some(fallback) = &mut edge.fallback {
            fallback.answered(client, now);
        }
        if edge.says_versions {
            self.hand_on_version(id, (parent, measured), began, now);
        }
        let Some(degraded) = &mut self.edges[number as usize].degrades else { return };
        if !degraded.stands_in && !*self.degraded.of(id) {
            return;
        }
        match parent {
            Parent::Request { attempt, .. } => self.degraded.put(attempt, true),
            Parent::Aside { .. } | Parent::Check { .. } | Parent::Callback { .. } => {}
            Parent::User | Parent::Loop { .. } | Parent::Visit { .. } => {
                degraded.answers += u64::from(measured);
                degraded.window += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last good answer stands in as long as it is young enough, for the replica that has had it.
    #[test]
    fn what_stands_in_and_when() {
        let at = |secs| SimTime::ZERO + SimDuration::from_secs(secs);
        let of = |how| StandIn {
            how,
            otherwise: Stake::Required,
            failed: 0,
            stood_in: 0,
            window: 0,
            windows: Vec::new(),
        };
        let mut stale = of(How::Stale(SimDuration::from_secs(10), vec![None; 2]));
        let stands_in = |stale: &StandIn, client| [5, 15, 16].map(|secs| stale.stands_in(client, at(secs)).0);
        assert_eq!(stands_in(&stale, 0), [false; 3], "nothing was answered yet");
        stale.answered(0, at(5));
        assert_eq!((stands_in(&stale, 0), stands_in(&stale, 1)), ([true, true, false], [false; 3]));
        stale.forget(0);
        assert_eq!(stands_in(&stale, 0), [false; 3], "a restart forgets");
        assert_eq!(of(How::Default).stands_in(7, at(0)), (true, None));
        assert_eq!(of(How::Call(3)).stands_in(7, at(0)), (true, Some(3)));
    }
}
