//! A callee that accepts and answers later: it calls back, through a balancer that knows nothing of who waits.
//!
//! A payment is asked for, and the provider says at once that it has accepted (202): whether it was paid comes later, by a call of its
//! own, a webhook. The request waits for that at its replica, as it would for an answer, and holds its worker if that is blocking. But the
//! callback is a call like any other: it goes to whichever replica the balancer chooses, waits in its queue, takes a worker, and
//! only then finds out whether anybody there knows of the request. Where the state is kept on the replica that asked and each replica
//! gets a share `w` of requests and callbacks, it finds it with probability `sum w^2`, which is 1/N of N equal ones; a sender that delivers
//! up to `k` times, routed afresh each time, with `1 - sum w (1 - w)^k`. Tests on one replica never show it.
//!
//! Whoever does not find the request answers with an error (404), which the sender's policy may retry: the redelivery of webhooks. One that
//! finds it twice is a duplicate: it is answered well and does no harm. So is one that comes when the request no longer waits, which is late. A
//! callback may come before the acceptance does; the request then goes on when it has both. A callee that is asked
//! again (a retry, a hedge) accepts again, and calls back again, unless an idempotency key tells it not to.
//!
//! Who crashes has forgotten: a replica the requests that it held, a callee the callbacks that it had still to make. Nobody
//! keeps an outbox here.
//!
//! What takes a callback makes no calls of its own: it only wakes the request that waits. Its work is the service's unless it has
//! its own: no number of ours would be right for both a look into a map and a transaction.

mod waits;

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::plan::{EdgePlan, Plan};
use sim_core::sampler::Distribution;
use sim_core::stats::LatencyHistogram;
use sim_core::{SimDuration, SimTime};
pub use waits::{Callbacks, DueId, Leg, WaitId};

/// What an edge is called by which a callee calls back, after the two ends.
pub const CALLBACK: &str = "/callback";

spec! {
    /// The callee accepts the call and calls back later; the request waits for that.
    pub struct Callback where check {
        /// From the acceptance until the callee calls back.
        after: TimeDistribution,
        /// How long the request waits for it, from when the acceptance reached it; then the call has failed.
        within: SimDuration; POSITIVE,
        /// Name of the policy by which the callee calls back: its retries deliver again, its balancer chooses the replica; none means: wait for
        /// ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// One-way network latency of the callback; absent means the graph's.
        network: Option<TimeDistribution> = None,
        /// Work of whoever takes it; absent means that of the service for any request.
        work: Option<TimeDistribution> = None,
        /// Where the request that waits is known.
        state: CallbackState = CallbackState::Local,
    }
}

spec! {
    /// Where a request is known that waits for a callback.
    #[derive(Copy, PartialEq, Eq)]
    pub enum CallbackState {
        /// On its replica, which nothing tells the balancer.
        Local,
        /// On its replica, whose name is in the callback's address: the balancer obeys as long as that replica may be chosen.
        Sticky,
        /// In a store of all replicas: whichever is called wakes the request. What that costs is a call to a store, to be written as one.
        Shared,
    }
}

/// What nobody can wait for.
fn check(callback: &Callback, at: &Node, cx: &mut Decoder) {
    let soonest = SimDuration::from_nanos_f64(callback.after.nanos.min());
    if soonest > callback.within {
        cx.at("within", |cx| {
            let message = format!(
                "no callback comes sooner than after {soonest}, and the request waits {}",
                callback.within
            );
            cx.warn(at.span_of("within"), message).help("make `within` longer than `after` can be");
        });
    }
}

impl Part for Callback {
    fn does(&self) -> Does {
        Does::CALLS_BACK
    }

    fn brief(&self) -> Option<String> {
        Some("called back".into())
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let found = match self.state {
            CallbackState::Local => {
                "another replica than the one that asked does not know of it: of N equal ones one callback in N finds it"
            }
            CallbackState::Sticky => "its address names the replica that asked: it is lost with that",
            CallbackState::Shared => "any replica finds the request that waits",
        };
        vec![format!("{}: the request waits up to {} for a callback; {found}", around.name, self.within)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "callback",
            word: "",
            what: "The callee accepts the call and answers at once; what was asked for comes later, by a call of its own (a webhook) to \
                   whichever replica the balancer chooses. The request waits for that.",
            hurts: "Where the request is known only to the replica that asked, every replica more makes it less likely that the callback \
                    finds it, and tests on one never show it. Requests that hold their workers while they wait leave none for the callbacks.",
            formula: "of replicas with shares `w` a callback finds the request with probability `sum w^2`, `1/N` of N equal ones; of up to `k` \
                      deliveries one does with `1 - sum w (1-w)^k`",
            source: "Hohpe and Woolf, \"Enterprise Integration Patterns\", 2003 (Correlation Identifier, Return Address); RFC 9110, 15.3.3 \
                     (202 Accepted); Stripe and GitHub webhooks (redelivery, duplicates)",
            experiment: "payment-callback",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(after: "5ms", within: "100ms")"#,
            r#"(after: Exponential(mean: "10ms"), within: "50ms", work: "1ms", network: "1ms", state: Shared)"#,
            r#"(after: "0s", within: "20ms", state: Sticky)"#,
        ]
    }
}

/// What is told of them on the edge of the call: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let took = |about| Value::new(Unit::Duration, about).better(Better::Less);
    Section::new("callbacks", at)
        .value(
            "found",
            plain("requests whose callback reached them in time, of calls made after the warm-up")
                .of_windows(Fold::Sum("found".into())),
        )
        .value(
            "missed",
            plain("requests that waited for theirs as long as they would, in vain").better(Better::Less),
        )
        .value(
            "found_share",
            Value::new(
                Unit::Share,
                "those that were reached as a share of all that began to wait early enough for both",
            )
            .better(Better::More)
            .headline()
            .of_windows(Fold::Ratio("found".into(), "ended".into())),
        )
        .value(
            "not_found",
            plain("times that a callback came to a replica that did not know of the request")
                .better(Better::Less),
        )
        .value(
            "late",
            plain("times that one came to a replica that did, when the request no longer waited")
                .better(Better::Less),
        )
        .value("duplicates", plain("times that one came for a request that had had its callback"))
        .value(
            "lost",
            plain("callbacks that their sender gave up, or died with, before any had reached the request")
                .better(Better::Less),
        )
        .value(
            "took_mean",
            took("mean time from the beginning of the call to the callback that reached the request"),
        )
        .value("took_p99", took("99 of a hundred took no longer"))
        .line("found", Unit::Plain, "Requests that their callback reached in each window.")
        .line("ended", Unit::Plain, "Requests in each window that it reached, or that had waited in vain.")
}

/// What came of the callbacks of one call site, of calls that were made after the warm-up; and of all, in windows.
#[derive(Clone, Default)]
pub struct Counts {
    found: u64,
    missed: u64,
    not_found: u64,
    late: u64,
    duplicates: u64,
    lost: u64,
    took: Box<LatencyHistogram>,
    /// Of the requests that began to wait in each window: those that were reached, and those that were not.
    of_waits: Vec<[u64; 2]>,
    window: [u64; 2],
    windows: [Vec<f64>; 2],
}

impl Counts {
    /// The window that is open.
    fn window(&self) -> u32 {
        self.windows[0].len() as u32
    }

    fn found(&mut self, asked: SimTime, measured: bool, now: SimTime) {
        self.window[0] += 1;
        self.window[1] += 1;
        if measured {
            self.found += 1;
            self.took.record(now.since(asked));
        }
    }

    fn missed(&mut self, measured: bool) {
        self.window[1] += 1;
        self.missed += u64::from(measured);
    }

    /// A request that began to wait in this window was reached, or was not.
    fn waited(&mut self, window: u32, reached: bool, measured: bool) {
        if self.of_waits.len() <= window as usize {
            self.of_waits.resize(window as usize + 1, [0; 2]);
        }
        self.of_waits[window as usize][usize::from(!reached)] += u64::from(measured);
    }

    fn close_window(&mut self) {
        for (window, windows) in self.window.iter_mut().zip(&mut self.windows) {
            windows.push(std::mem::take(window) as f64);
        }
    }

    /// What was measured until now, in windows of such a length, where each waits so long at most.
    fn section(&self, at: &str, now: SimTime, (window, within): (SimDuration, SimDuration)) -> Section {
        let mut section = declared(at);
        let Counts { found, missed, not_found, late, duplicates, lost, .. } = self;
        let counts = [
            ("found", found),
            ("missed", missed),
            ("not_found", not_found),
            ("late", late),
            ("duplicates", duplicates),
            ("lost", lost),
        ];
        counts.into_iter().for_each(|(name, count)| section.set(name, *count as f64));
        // Who waits in vain takes longer to be counted: of those who began too late for that nobody is.
        let until = now.as_nanos().saturating_sub(within.as_nanos()) / window.as_nanos().max(1);
        let whole = self.of_waits.iter().take(until as usize);
        let [found, missed] = whole.fold([0, 0], |[found, missed], of| [found + of[0], missed + of[1]]);
        let both = found + missed;
        section.set("found_share", (both > 0).then(|| found as f64 / both as f64));
        section.set("took_mean", self.took.mean_ns().map(|ns| ns as f64));
        section.set("took_p99", self.took.percentile_ns(99.0).map(|ns| ns as f64));
        section.draw("found", self.windows[0].clone());
        section.draw("ended", self.windows[1].clone());
        section
    }
}

/// Whether the calls over an edge are addressed to a replica.
pub fn is_addressed(edge: &EdgePlan, plan: &Plan) -> bool {
    let callback = edge.callback_of.and_then(|asks| plan.edges[asks].call?.callback.as_ref());
    callback.is_some_and(|callback| callback.state == CallbackState::Sticky)
}

/// The work of callbacks to a service, of those that have one of their own, by edge.
pub fn own_work(service: usize, plan: &Plan) -> Vec<(u16, Distribution)> {
    let into = plan.edges.iter().enumerate().filter(|(_, edge)| edge.callee == service);
    let own = into.filter_map(|(number, edge)| {
        let callback = plan.edges[edge.callback_of?].call?.callback.as_ref()?;
        Some((number as u16, callback.work.as_ref()?.nanos.clone()))
    });
    own.collect()
}
