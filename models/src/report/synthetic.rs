//! Reports made by hand for tests.

use super::*;
use crate::policy::Ending;
use sim_core::SimDuration;
use sim_core::stats::LatencyHistogram;

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// What the users' edge saw in one window of a second.
#[derive(Clone, Copy, Default)]
pub(super) struct Second {
    pub started: u64,
    pub ok: u64,
    pub failed: u64,
}

/// Everything asked for is answered within the second.
pub(super) fn healthy(rate: u64) -> Second {
    Second { started: rate, ok: rate, failed: 0 }
}

/// A run of `seconds` windows of one second over the edge `users->checkout`, warmed up for 10 s.
pub(super) fn run(seconds: u64, at: impl Fn(u64) -> Second) -> Report {
    let mut windows = EdgeWindows::default();
    let mut calls = Calls::default();
    let mut waiting = 0;
    for second in 0..seconds {
        let Second { started, ok, failed } = at(second);
        windows.started.push(started);
        windows.ok.push(ok);
        windows.began_ok.push(ok.min(started));
        windows.began_in_time.push(ok.min(started));
        windows.failed.push(failed);
        windows.attempts.push(started + 2 * failed);
        windows.latency.push(if ok > 0 { vec![(50 * MS, ok)] } else { Vec::new() });
        waiting += started;
        waiting -= ok + failed;
        if second >= 10 {
            calls.ended[Ending::Ok] += ok;
            calls.ended[Ending::FAILED] += failed;
        }
    }
    calls.ended[Ending::InFlight] = waiting;
    calls.started = calls.ended.total();
    let attempts = Attempts { sent: calls.started + 2 * calls.failed(), ..Attempts::default() };
    let edge = Edge {
        from_users: true,
        amplification: ratio(attempts.sent, calls.started),
        per_user_call: ratio(attempts.sent, calls.started),
        goodput: calls.ok() as f64 / seconds.saturating_sub(10).max(1) as f64,
        success: ratio(calls.ok(), calls.ok() + calls.failed()),
        calls,
        attempts,
        windows,
        ..Edge::default()
    };
    let mut report = Report { format: FORMAT, experiment: "synthetic".into(), ..Report::default() };
    report.run =
        RunFacts { seed: 1, duration: seconds * SECOND, warm_up: 10 * SECOND, window: SECOND, events: 1 };
    report.edges.push("users->checkout", edge);
    report
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Adds a disturbance, in seconds.
pub(super) fn disturbed(mut report: Report, what: &str, from: u64, to: Option<u64>) -> Report {
    let to = to.map(|to| to * SECOND);
    report.timeline.disturbances.push(Disturbance {
        what: what.into(),
        on: "payments".into(),
        from: from * SECOND,
        to,
    });
    report
}

/// Something in every section.
pub(super) fn full_report() -> Report {
    let mut report = disturbed(run(120, |_| healthy(100)), "slow", 60, Some(90));
    report.about = "everything".into();
    report.variant = Some("budgeted".into());
    report.overrides = vec![("run.seed".into(), "7".into())];
    report.model = ("ServiceGraph".into(), 1);
    report.stopped = Some("1 000 events".into());
    report.digest =
        DigestParts { s: "ff".into(), every: 64, checkpoints: vec!["ab".into()], ..DigestParts::default() };
    report.verdict = Verdict {
        kind: VerdictKind::Recovered,
        headline: "well".into(),
        details: vec!["why".into()],
        outlook: None,
    };
    report.summary = Summary {
        recovered: Some(true),
        time_to_recover: Some(12 * SECOND),
        offered: Some(100.0),
        goodput: Some(1.0 / 3.0),
        success: Some(0.999),
        amplification: Some(1.1),
        wasted: Some(0.25),
        lost: Some(11),
        error_budget: Some(2 * SECOND),
        in_vain: Some(0.125),
    };
    let mut histogram = LatencyHistogram::new();
    (1..=500).for_each(|ms| histogram.record(SimDuration::from_millis(ms)));
    let mut inner = report.edges.0[0].1.clone();
    report.edges.0[0].1.latency = Latency::of(&histogram);
    report.edges.0[0].1.response = Response::of(&Latency::of(&histogram), 1, &[]);
    inner.from_users = false;
    inner.calls.in_flight_age = Some(3);
    inner.latency = Latency::of(&histogram);
    report.edges.push("checkout->payments", inner);
    report.services.push(
        "payments",
        Service {
            replicas: 3,
            workers: 24,
            queue_capacity: Some(512),
            arrived: 1_000,
            completed: 990,
            utilisation: 0.7,
            queue_mean: 2.5,
            queue_max: 40,
            wait_mean: Some(3 * MS),
            little: Some(Little { number: 12.5, rate: 1_250.0, time: 10.0 * MS as f64, product: 12.5 }),
            work: 1_000 * MS,
            work_wasted: 250 * MS,
            wasted: Some(0.25),
            work_in_vain: 125 * MS,
            in_vain: Some(0.125),
            deaths: 1,
            called_off: 0,
            expired: 0,
            windows: ServiceWindows {
                queue_ns: vec![2 * SECOND; 120],
                queue_max: (0..120).collect(),
                completed: vec![9; 120],
                busy_ns: vec![12 * SECOND; 120],
                available_ns: vec![24 * SECOND; 120],
            },
        },
    );
    let exact = Value {
        about: "calls that met their server".into(),
        unit: "share".into(),
        value: Some(0.5),
        exact: Some(0.5),
        standard_error: Some(0.005),
        source: "sum of w^2".into(),
        ..Value::default()
    };
    report.values.push("success", exact);
    report.values.push("p(first = callback)", Value { value: Some(0.1), ..Value::default() });
    report.sections = vec![cache(), Section::new("clock", "").value("skew", skew())];
    report.sections[1].set("skew", 2.0 * MS as f64);
    let rows = vec![vec![Cell::from("a"), 3u64.into(), 1.0.into(), Cell::Empty(())]];
    report.tables = vec![Table {
        title: "t".into(),
        columns: vec!["x".into(); 4],
        rows,
        units: Vec::new(),
        note: "n".into(),
    }];
    let series = Series {
        name: "goodput".into(),
        unit: "/s".into(),
        values: vec![1.5; 120],
        of: Some(2.0),
        ..Series::default()
    };
    report.timeline.series = vec![series];
    report.notes = vec!["a note".into()];
    report
}

/// What a cache would tell of itself.
fn cache() -> Section {
    let ratio = Value {
        about: "answers from the cache, of those that were asked for".into(),
        unit: "share".into(),
        exact: Some(0.8),
        source: "Che".into(),
        better: Some(Better::More),
        headline: true,
        of_windows: Some(Fold::Ratio("hits".into(), "asked".into())),
        ..Value::default()
    };
    let stale = Value { about: "answers older than they may be".into(), ..Value::default() };
    let mut cache = Section::new("cache", "checkout->payments")
        .value("hit_ratio", ratio)
        .value("stale", stale)
        .line("hits", Unit::Plain, "answers from the cache")
        .line("asked", Unit::Plain, "what was asked for");
    cache.draw("hits", (0..120).map(|n| if n < 60 { 3.0 } else { 1.0 }).collect());
    cache.draw("asked", vec![4.0; 120]);
    cache.set("hit_ratio", 0.75);
    cache.changes =
        vec![Change { at: 61 * SECOND, of: Some(0), replica: None, from: "cold".into(), to: "warm".into() }];
    cache.changes_unlisted = 2;
    cache
}

fn skew() -> Value {
    Value { about: "how far the clocks are apart".into(), unit: "ns".into(), ..Value::default() }
}
