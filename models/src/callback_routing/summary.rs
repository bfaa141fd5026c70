//! The report of a run: every frequency with the exact probability beside it.

use super::balancer::Balancer;
use super::exact::{self, Law};
use super::measure::{Counts, Outcome, Tally};
use super::routes::Routes;
use super::{CallbackRouting, Effect, Routing, State};
use crate::policy::{Ending, Outcome as End};
use crate::report::{
    Attempts, Calls, Cell, Disturbance, Edge, Latency, Report, Response, Series, Summary, Table, Value,
    Verdict,
};
use crate::theory::{binomial_pmf, deliveries, same_server};
use sim_core::SimTime;

/// The one edge: a call is a request and its callback, an attempt is one delivery of the callback.
pub(super) const EDGE: &str = "callers->service";
/// Up to so many servers the joint distribution is shown pair by pair.
const PAIRS_SHOWN: usize = 4;

/// Fills everything of the report that this model knows.
pub(super) fn fill(report: &mut Report, routes: Routes, now: SimTime) {
    let spec = routes.spec;
    let shares: Vec<f64> = spec.servers.shares().into_iter().map(|(_, share)| share).collect();
    let law = exact::success(spec, &shares);
    let figures = Figures {
        spec,
        balancer: &routes.balancer,
        shares: &shares,
        law: law.as_ref(),
        counts: &routes.counts,
    };
    figures.values(report);
    figures.tables(report);
    figures.verdict(report);
    edge(report, &routes, now);
    timeline(report, &routes);
    report.notes.push(
        "A call is a request and its callback; an attempt is one delivery of the callback; shares are of calls that ended."
            .into(),
    );
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

struct Figures<'a> {
    spec: &'a CallbackRouting,
    balancer: &'a Balancer<'a>,
    shares: &'a [f64],
    law: Option<&'a Law>,
    counts: &'a Counts,
}

/// A frequency with its binomial standard error, by the exact probability if there is one.
fn frequency(about: impl Into<String>, part: u64, whole: u64, exact: Option<f64>, source: &str) -> Value {
    let value = share(part, whole).unwrap_or(0.0);
    let p = exact.unwrap_or(value);
    let standard_error = (whole > 0).then(|| (p * (1.0 - p) / whole as f64).max(0.0).sqrt());
    let source = if exact.is_some() { source.into() } else { String::new() };
    Value {
        about: about.into(),
        value: Some(value),
        unit: "share".into(),
        exact,
        standard_error,
        source,
        ..Value::default()
    }
}

/// What may show at the end only: how calls ended, and what that depends on.
pub fn values() -> Vec<String> {
    let endings = Outcome::ALL[1..].iter().map(|outcome| value_of(*outcome));
    endings.chain(["kept", "added_latency"].map(String::from)).collect()
}

/// What the share of calls is called that ended so.
fn value_of(outcome: Outcome) -> String {
    outcome.name().replace(' ', "_")
}

impl Figures<'_> {
    fn values(&self, report: &mut Report) {
        let counts = self.counts;
        let (ended, delivered) = (counts.ended.total(), counts.ended.of(Outcome::Delivered));
        let (exact, source) = self.law.map_or((None, ""), |law| (Some(law.probability), law.source));
        let mut add = |name: String, value: Value| report.values.push(name, value);
        add(
            "success".into(),
            frequency("calls whose callback was delivered", delivered, ended, exact, source),
        );
        let failure = exact.map(|p| 1.0 - p);
        add(
            "failure".into(),
            frequency("calls that ended otherwise", ended - delivered, ended, failure, source),
        );
        for outcome in &Outcome::ALL[1..] {
            let count = counts.ended.of(*outcome);
            if count > 0 {
                let about = format!("calls that ended so: {}", outcome.name());
                // Without a fault the wrong server is the only way in which state on one server fails.
                let only_way = matches!(self.spec.state, State::Local) && *outcome == Outcome::WrongServer;
                let exact = failure.filter(|_| only_way);
                add(value_of(*outcome), frequency(about, count, ended, exact, source));
            }
        }
        let by_name = matches!(self.spec.state, State::Sticky | State::ConsistentHash { .. });
        let joint_source = if by_name { "the callback names its server" } else { "w w'" };
        for (name, part, exact) in self.joint() {
            let total = counts.joint.iter().sum();
            add(
                format!("joint {name}"),
                frequency("first server -> callback's server", part, total, exact, joint_source),
            );
        }
        // A shared store or a queue has nothing on any one server that a membership change could take away.
        let on_servers = !matches!(self.spec.state, State::SharedStore { .. } | State::MessageQueue { .. });
        if on_servers && counts.across.0 > 0 {
            // What a dead server is sent until that is noticed never gets as far as a callback.
            let known_at_once = self.spec.faults.iter().all(
                |fault| !matches!(fault.effect, Effect::Crash { noticed_after } if !noticed_after.is_zero()),
            );
            let on_a_ring = matches!(self.spec.state, State::ConsistentHash { .. });
            let one_change = self.balancer.membership_changes == 1;
            let exact = (on_a_ring && one_change && known_at_once).then_some(1.0 - self.balancer.moved);
            add(
                "kept".into(),
                frequency(
                    "callbacks that were out while the membership changed, and were delivered",
                    counts.across.1,
                    counts.across.0,
                    exact,
                    "arcs of this ring that did not move",
                ),
            );
        }
        self.price(&mut add);
    }

    /// What the strategy costs.
    fn price(&self, add: &mut impl FnMut(String, Value)) {
        let counts = self.counts;
        let per_call = |count: u64| share(count, counts.started).unwrap_or(0.0);
        let plain =
            |about: &str, value: f64| Value { about: about.into(), value: Some(value), ..Value::default() };
        match &self.spec.state {
            State::Local if self.spec.callback_attempts > 1 => {
                let tries = self.spec.callback_attempts;
                let first = counts.deliveries - counts.redeliveries;
                let known = self.spec.routing == Routing::Independent && self.law.is_some();
                add(
                    "deliveries".into(),
                    Value {
                        exact: known.then(|| deliveries(self.shares, tries)),
                        source: if known {
                            "sum over k < tries of sum w (1 - w)^k".into()
                        } else {
                            String::new()
                        },
                        ..plain(
                            "deliveries of a callback, mean",
                            share(counts.deliveries, first).unwrap_or(0.0),
                        )
                    },
                );
            }
            State::Local | State::Sticky | State::ConsistentHash { .. } => {}
            State::SharedStore { .. } => {
                add(
                    "store_operations_per_call".into(),
                    plain("writes and reads", per_call(counts.operations)),
                );
            }
            State::Replicated { copies, .. } => {
                let others = self.shares.len() as u32 - 1;
                let exact =
                    self.spec.faults.is_empty().then(|| f64::from(copies.map_or(others, |n| n.min(others))));
                let source = if exact.is_some() { "as many as are asked for" } else { "" };
                let value = plain("copies sent to other servers", per_call(counts.copies));
                add("copies_per_call".into(), Value { exact, source: source.into(), ..value });
            }
            State::MessageQueue { handling, visibility, .. } => {
                add(
                    "queue_operations_per_call".into(),
                    plain("messages put, taken and done", per_call(counts.operations)),
                );
                let about = "times a message was taken again, per call";
                add("taken_again".into(), plain(about, per_call(counts.taken_again)));
                let overrun = 1.0 - handling.nanos.cdf(visibility.as_nanos() as f64);
                let exact = self.spec.faults.is_empty().then_some(overrun);
                let about = "calls of which a message was not done before it could be taken again";
                add(
                    "overrun".into(),
                    frequency(about, counts.overrun, counts.started, exact, "P(handling > visibility)"),
                );
                let about = "times a message was done again and recognised by its call's id, per call";
                add("done_twice".into(), plain(about, per_call(counts.done_twice)));
            }
        }
        let delivered = counts.ended.of(Outcome::Delivered);
        if counts.added > 0 && delivered > 0 {
            let mean = counts.added as f64 / delivered as f64;
            let about = "what the strategy adds to a call, mean";
            add("added_latency".into(), Value { unit: "ns".into(), ..plain(about, mean.round()) });
        }
    }

    /// Pairs of (first server, callback's server), or whether they are the same if they are many.
    fn joint(&self) -> Vec<(String, u64, Option<f64>)> {
        let servers = &self.balancer.servers;
        let n = servers.len();
        let at = |first: usize, second: usize| self.counts.joint[first * n + second];
        let by_name = matches!(self.spec.state, State::Sticky | State::ConsistentHash { .. });
        let quiet = self.spec.faults.is_empty();
        let known = self.spec.routing == Routing::Independent && !by_name && quiet;
        if n <= PAIRS_SHOWN {
            let pairs = (0..n).flat_map(|first| (0..n).map(move |second| (first, second)));
            return pairs
                .map(|(first, second)| {
                    let name = format!("{}->{}", servers[first].name, servers[second].name);
                    (name, at(first, second), known.then(|| self.shares[first] * self.shares[second]))
                })
                .collect();
        }
        let same: u64 = (0..n).map(|server| at(server, server)).sum();
        // A callback that names its server always meets it.
        let p: f64 = if by_name { 1.0 } else { same_server(self.shares) };
        let exact = (known || (by_name && quiet)).then_some(p);
        let different = self.counts.joint.iter().sum::<u64>() - same;
        vec![("same".into(), same, exact), ("different".into(), different, exact.map(|p| 1.0 - p))]
    }

    fn tables(&self, report: &mut Report) {
        let counts = self.counts;
        let ended = counts.ended.total();
        let number = |value: Option<f64>| value.map_or(Cell::Empty(()), Cell::Number);

        let seen = Outcome::ALL.into_iter().filter(|&outcome| counts.ended.of(outcome) > 0);
        let mut rows: Vec<Vec<Cell>> = seen
            .map(|outcome| {
                let count = counts.ended.of(outcome);
                vec![outcome.name().into(), count.into(), number(share(count, ended))]
            })
            .collect();
        rows.push(vec!["in flight at the end".into(), (counts.started - ended).into(), Cell::Empty(())]);
        report.tables.push(Table {
            title: "how calls ended".into(),
            columns: ["outcome", "calls", "share"].map(String::from).to_vec(),
            rows,
            units: ["", "", "share"].map(String::from).to_vec(),
            note: String::new(),
        });

        let n = self.spec.calls_per_batch;
        let batches: u64 = counts.successes.iter().sum();
        let law = self.law.filter(|law| law.independent);
        report.tables.push(Table {
            title: format!("successes out of {n} calls"),
            columns: ["successes", "batches", "simulated", "exact"].map(String::from).to_vec(),
            rows: (0..=n)
                .zip(&counts.successes)
                .map(|(successes, &count)| {
                    let exact = law.map(|law| binomial_pmf(n, successes, law.probability));
                    vec![
                        u64::from(successes).into(),
                        count.into(),
                        number(share(count, batches)),
                        number(exact),
                    ]
                })
                .collect(),
            units: ["", "", "share", "share"].map(String::from).to_vec(),
            note: format!("{batches} batches of consecutive calls; exact: binomial"),
        });
    }

    fn verdict(&self, report: &mut Report) {
        let counts = self.counts;
        let ended = counts.ended.total();
        let Some(success) = share(counts.ended.of(Outcome::Delivered), ended) else {
            let headline = "No call ended within the run.".to_string();
            report.verdict = Verdict { headline, ..Verdict::default() };
            return;
        };
        let exact = self.law.map_or(String::new(), |law| format!(" (exact: {})", percent(law.probability)));
        let what = match self.spec.state {
            State::Local if self.spec.faults.is_empty() => "callbacks reached the server that knows the call",
            _ => "calls were completed by their callback",
        };
        let headline = format!("{} of {what}{exact}", percent(success));
        let mut details = Vec::new();
        let mut causes: Vec<Outcome> = Outcome::ALL[1..].to_vec();
        causes.retain(|&cause| counts.ended.of(cause) > 0);
        causes.sort_by_key(|&cause| std::cmp::Reverse(counts.ended.of(cause)));
        for cause in causes {
            let count = counts.ended.of(cause);
            details.push(format!(
                "{} of calls failed: {}",
                percent(count as f64 / ended as f64),
                cause.because()
            ));
        }
        if let Some(law) = self.law {
            details.push(format!("law: {}", law.source));
        }
        report.verdict = Verdict { headline, details, ..Verdict::default() };
    }
}

/// `82 %`, `0.05 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = format!("{:.2}", share * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

fn edge(report: &mut Report, routes: &Routes, now: SimTime) {
    let counts = &routes.counts;
    let refused = |tally: &Tally| tally.of(Outcome::ServerDown);
    let error = |tally: &Tally| {
        [Outcome::WrongServer, Outcome::StoreDown, Outcome::TooEarly, Outcome::Lost]
            .map(|o| tally.of(o))
            .iter()
            .sum()
    };
    let (ended, delivered) = (&counts.ended, counts.ended.of(Outcome::Delivered));
    let (in_flight, never_called_back, ages) = routes.unfinished(now);
    let mut calls = Calls {
        started: counts.started,
        never_sent: counts.never_called_back + never_called_back,
        in_flight_age: (in_flight > 0).then(|| (ages / u128::from(in_flight)) as u64),
        ..Calls::default()
    };
    calls.add(Ending::Ok, delivered);
    calls.add(Ending::Failed(End::Error), error(ended));
    calls.add(Ending::Failed(End::Refused), refused(ended));
    calls.add(Ending::Deadline, ended.of(Outcome::Late));
    calls.add(Ending::InFlight, in_flight);
    assert_eq!(calls.started, calls.ended.total(), "calls were lost or made");
    let answered = &counts.delivery_ended;
    let attempts = Attempts {
        sent: counts.deliveries,
        ended: FromIterator::from_iter([
            (End::Ok, answered.of(Outcome::Delivered)),
            (End::Error, error(answered)),
            (End::Refused, refused(answered)),
            (End::InFlight, counts.deliveries - answered.total()),
        ]),
        retries: counts.redeliveries,
        ..Attempts::default()
    };
    assert_eq!(
        attempts.sent + calls.never_sent,
        calls.started + attempts.retries,
        "deliveries were lost or made"
    );
    let warm_up = SimTime::from_nanos(report.run.warm_up);
    let measured = now.max(warm_up).since(warm_up).as_secs_f64();
    let rate = |count: u64| if measured > 0.0 { count as f64 / measured } else { 0.0 };
    report.summary = Summary {
        offered: Some(rate(calls.started)),
        goodput: Some(rate(delivered)),
        success: share(delivered, ended.total()),
        lost: Some(calls.ended_badly()),
        error_budget: share(calls.ended_badly(), ended.total()).map(|lost| (lost * measured * 1e9) as u64),
        amplification: share(attempts.sent, calls.started - calls.never_sent),
        ..Summary::default()
    };
    let latency = Latency::of(&counts.latency);
    // How long each has waited nobody knows: all as long as they have on average.
    let waiting: Vec<_> = calls.in_flight_age.map(|age| (age, calls.in_flight())).into_iter().collect();
    let ended_badly = calls.ended_badly();
    report.edges.push(
        EDGE,
        Edge {
            from_users: true,
            per_user_call: report.summary.amplification,
            amplification: report.summary.amplification,
            goodput: rate(delivered),
            success: report.summary.success,
            calls,
            attempts,
            response: Response::of(&latency, ended_badly, &waiting),
            latency,
            latency_failed: Latency::of(&counts.latency_failed),
            windows: counts.windows.closed(),
            ..Edge::default()
        },
    );
}

/// Requests and deliveries over time; the share that succeeded where something happens on the way.
fn timeline(report: &mut Report, routes: &Routes) {
    let spec = routes.spec;
    let windows = routes.counts.windows.closed();
    for fault in &spec.faults {
        report.timeline.disturbances.push(Disturbance {
            what: match fault.effect {
                Effect::Crash { .. } => "crash",
                Effect::Drain { .. } => "drain",
                Effect::Join => "join",
            }
            .into(),
            on: fault.on.value.clone(),
            from: fault.at.as_nanos(),
            to: match fault.effect {
                // It happens once; what comes after is not disturbed.
                Effect::Join => Some(fault.at.as_nanos()),
                _ => fault.r#for.map(|duration| (fault.at + duration).as_nanos()),
            },
        });
    }
    if let State::SharedStore { outages, .. } = &spec.state {
        for outage in outages {
            let to = Some((outage.at + outage.r#for).as_nanos());
            let from = outage.at.as_nanos();
            report.timeline.disturbances.push(Disturbance {
                what: "down".into(),
                on: "store".into(),
                from,
                to,
            });
        }
    }
    if !report.timeline.disturbances.is_empty() {
        let mut last = 0.0;
        let success = windows.ok.iter().zip(&windows.failed).map(|(&ok, &failed)| {
            // A window in which nothing ended says nothing new.
            last = share(ok, ok + failed).unwrap_or(last);
            last
        });
        let (name, unit) = ("success".into(), "share".into());
        report.timeline.series.push(Series {
            name,
            unit,
            values: success.collect(),
            of: Some(1.0),
            ..Series::default()
        });
    }
    let requests = Series::per_second("requests", &windows.started, &report.run);
    let delivered = Series::per_second("delivered", &windows.ok, &report.run);
    report.timeline.series.extend([requests, delivered]);
}
