//! The first `k` of `n` answers: a step that is over as soon as enough of the calls made at once have ended well.
//!
//! Whoever keeps `n` copies need not hear of all of them: Dynamo reads from `R` and writes to `W` of `N`, Cassandra calls it a
//! consistency level, a majority is what Raft and Paxos wait for. Slow and failed copies then cost nothing, up to `n - k` of them.
//! The answer is as slow as the `k`-th: of `n` exponential times with mean `m` on average `m (1/n + 1/(n-1) + .. + 1/(n-k+1))`; it
//! comes at all with the binomial chance that at least `k` of `n` are well. The price is that all `n` are asked.
//!
//! A step fails as soon as more calls have failed than may. What is out when it is decided, either way, nobody waits for: it goes
//! on, retries included, as work for nobody, or is called off where the call's policy says `cancel`. What a call is not made for (by
//! its `probability`, or `only_from`) cannot be waited for: of fewer calls than `wait_for` all are.
//!
//! Left out: what the answers say. Copies that disagree, read repair and hinted hand-off are a matter of a store.

use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::{Fail, Step};
use crate::service_graph::state::*;

/// The most answers that can be waited for.
pub const MOST_QUORUM: u32 = 10_000;

/// As many more calls are out, and answers needed, as can be, while a step's calls are still being made.
const HELD_CALLS: u32 = 1 << 31;
const HELD_ANSWERS: u16 = 1 << 15;

/// So many good answers are enough, of so many calls.
#[derive(Clone, Copy, Debug)]
pub struct Quorum(pub u32, pub u64);

impl Part for Quorum {
    fn does(&self) -> Does {
        Does::COPIES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("{} of {} are enough", self.0, self.1))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "wait_for",
            word: "",
            what: "Waits for the first so many good answers of calls that are made at once, and fails as soon as they can no \
                   longer come.",
            hurts: "All are asked, whoever is waited for: what answers too late is work for nobody. One more to be waited for is \
                    paid in the slowest answers and in availability.",
            formula: "`k` of `n` exponential times take `m (1/n + .. + 1/(n-k+1))` on average; with a chance `a` each, enough are \
                      well with `sum of C(n,i) a^i (1-a)^(n-i)` for `i` from `k` to `n`",
            source: "DeCandia et al., \"Dynamo\", SOSP 2007 (N, R, W); Gifford, \"Weighted voting for replicated data\", 1979; \
                     Cassandra's consistency levels",
            experiment: "quorum-reads",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["1", "2"]
    }
}

/// What is told of a step: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("quorums", at)
        .value("met", plain("requests that got as many good answers as they wait for"))
        .value(
            "missed",
            plain("requests of which so many calls failed that enough could no longer come")
                .better(Better::Less),
        )
        .value("missed_share", Value::new(Unit::Share, "the same as a share").better(Better::Less))
        .value(
            "left_behind",
            plain("calls that were out when it was decided, and went on as work for nobody"),
        )
        .value("called_off", plain("calls that were out when it was decided, and ended with it"))
}

/// What came of a step, of the requests that arrived after the warm-up.
#[derive(Clone, Default)]
pub struct Votes {
    met: u64,
    missed: u64,
    left_behind: u64,
    called_off: u64,
}

impl Votes {
    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        let Votes { met, missed, left_behind, called_off } = self;
        let counts =
            [("met", met), ("missed", missed), ("left_behind", left_behind), ("called_off", called_off)];
        counts.into_iter().for_each(|(name, count)| section.set(name, *count as f64));
        let all = met + missed;
        section.set("missed_share", (all > 0).then(|| *missed as f64 / all as f64));
        section
    }
}

/// What a step waits for can come.
pub fn check(step: &Step, at: &Node, cx: &mut Decoder) {
    let Some(wait_for) = step.wait_for else { return };
    let (most, span) = (step.most(), at.span_of("wait_for"));
    if u64::from(wait_for) > most {
        cx.at("wait_for", |cx| {
            let message = format!("waits for {wait_for} good answers of {most}");
            cx.error(span, message)
                .help("at most as many as there are calls, each as often as its `times` says");
        });
    }
    if step.calls.iter().any(|call| call.optional) {
        cx.at("wait_for", |cx| {
            cx.error(
                span,
                "some of its calls are `optional`, and all of them may fail that are not waited for",
            )
            .help("leave `optional` out, or wait for fewer");
        });
    }
    if step.leaves_any() {
        cx.at("wait_for", |cx| {
            cx.error(span, "one of its calls has `wait: false`: no answer of that one is waited for")
                .help("make it a call of its own, before or after");
        });
    }
    if step.calls.iter().any(|call| call.fallback.is_some()) {
        cx.at("wait_for", |cx| {
            cx.error(
                span,
                "some of its calls have a `fallback`, and what stands in for an answer has no vote",
            )
            .help("give the call of this service a fallback, one level up");
        });
    }
    if step.calls.iter().any(|call| call.callback.is_some()) {
        cx.at("wait_for", |cx| {
            cx.error(span, "some of its calls have a `callback`, which is not left behind when enough others have answered")
                .help("make it a call of its own, before or after");
        });
    }
    if let (Fail::Fast, Some(fail)) = (&step.fail, at.get("fail")) {
        cx.at("fail", |cx| {
            cx.warn(fail.span, "says nothing beside `wait_for`: a step fails as soon as enough cannot come")
                .help("leave `fail` out");
        });
    }
}

impl<L: Listen> Graph<L> {
    /// Makes the calls of a step of which not all are waited for.
    #[inline(never)]
    pub(super) fn call_for_quorum(&mut self, id: AttemptId, ctx: &mut Ctx) {
        let attempt = &mut self.attempts[id];
        let service = &self.services[self.edges[attempt.edge as usize].callee as usize];
        let wait_for = service.steps[attempt.step as usize].wait_for;
        attempt.step += 1;
        // Nothing is decided before all are out.
        (attempt.outstanding, attempt.repetition) = (HELD_CALLS, HELD_ANSWERS + wait_for);
        let made = self.call_in_parallel(id, ctx);
        let attempt = &mut self.attempts[id];
        attempt.outstanding -= HELD_CALLS;
        let Some(made) = made else {
            attempt.step -= 1;
            attempt.repetition = 0;
            return self.proceed_later(id, ctx);
        };
        attempt.repetition -= HELD_ANSWERS;
        let too_many = u32::from(wait_for).saturating_sub(made) as u16;
        attempt.repetition = attempt.repetition.saturating_sub(too_many);
        self.looks_at_votes(id);
    }

    /// A call of such a step has ended, well or not.
    #[inline(never)]
    pub(in crate::service_graph) fn votes(&mut self, id: AttemptId, well: bool) {
        let attempt = &mut self.attempts[id];
        if attempt.repetition > 0 && !attempt.marks.has(Marks::FAILED) {
            attempt.repetition -= u16::from(well);
            self.looks_at_votes(id);
        }
    }

    /// Whether the answers that have come are enough, or those that can still come are too few.
    fn looks_at_votes(&mut self, id: AttemptId) {
        let attempt = &mut self.attempts[id];
        let missed = attempt.outstanding < u32::from(attempt.repetition);
        if missed {
            attempt.marks.add(Marks::FAILED);
        }
        if missed || attempt.repetition == 0 {
            self.admitted.push_back(Admitted::Decided(id));
        }
    }

    /// A request has its answers, or will not have them: it goes on, and leaves the other calls behind.
    #[inline(never)]
    pub(in crate::service_graph) fn decided(&mut self, id: AttemptId, ctx: &mut Ctx) {
        // A crash within this very event may have taken it.
        if !self.waits(id) {
            return;
        }
        let met = !self.attempts[id].marks.has(Marks::FAILED);
        let (mut left_behind, mut called_off) = (0, 0);
        while let Some(&call) = self.calls_of.get(id.index()).and_then(|calls| calls.last()) {
            let goes_on = self.leave_behind(call, met, ctx);
            left_behind += u64::from(goes_on);
            called_off += u64::from(!goes_on);
        }
        let attempt = &self.attempts[id];
        let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
        let votes = &mut service.steps[usize::from(attempt.step) - 1].votes;
        if attempt.marks.has(Marks::MEASURED) {
            votes.met += u64::from(met);
            votes.missed += u64::from(!met);
            votes.left_behind += left_behind;
            votes.called_off += called_off;
        }
        self.advance(id, ctx);
    }
}

impl Service {
    /// What came of its steps of which not all calls are waited for.
    pub fn told_of_votes(&self) -> impl Iterator<Item = Section> {
        let steps = self.steps.iter().enumerate().filter(|(_, step)| step.wait_for > 0);
        steps.map(|(number, step)| step.votes.section(&at(&self.name, number)))
    }
}

/// What a step is called: by its place among the calls of its service.
pub fn at(service: &str, number: usize) -> String {
    format!("{service}.calls[{number}]")
}
