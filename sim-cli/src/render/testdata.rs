//! Reports made by hand for tests.

use crate::result::checked::{Checked, Document};
use crate::result::judged::Judged;
use crate::result::moved::{Moved, MovedMetric, Reading};
use sim_core::SimDuration;
use sim_core::stats::LatencyHistogram;
use sim_models::policy::{Ending, Outcome};
use sim_models::report::*;

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// Five minutes of a retry storm that begins at 60 s.
pub fn storm() -> Report {
    let after = |n: usize| n >= 60;
    let series = |name: &str, unit: &str, of, at: &dyn Fn(usize) -> f64| Series {
        name: name.into(),
        unit: unit.into(),
        values: (0..300).map(at).collect(),
        of,
        ..Series::default()
    };
    let timeline = Timeline {
        series: vec![
            series("offered", "/s", None, &|n| 1000.0 + (n % 7) as f64),
            series("attempts", "/s", None, &|n| if after(n) { 2980.0 } else { 1001.0 }),
            series("goodput", "/s", None, &|n| if after(n) { 24.0 } else { 999.0 }),
            series("queue payments", "", Some(1536.0), &|n| if after(n) { 1530.0 } else { 3.0 }),
        ],
        disturbances: vec![Disturbance {
            what: "slow".into(),
            on: "payments".into(),
            from: 60 * SECOND,
            to: Some(90 * SECOND),
        }],
        ..Timeline::default()
    };
    let mut report = Report {
        format: FORMAT,
        experiment: "retry-storm".into(),
        about: "Payments slow down for 30 s; naive retries never let them come back. More follows.".into(),
        run: RunFacts {
            seed: 42,
            duration: 300 * SECOND,
            warm_up: 20 * SECOND,
            window: SECOND,
            events: 2_134_567,
        },
        digest: DigestParts {
            i: "0123456789abcdef".into(),
            t: "3f9c2a71b04e0000".into(),
            r: "aaaaaaaaaaaaaaaa".into(),
            s: "bbbbbbbbbbbbbbbb".into(),
            ..DigestParts::default()
        },
        verdict: Verdict {
            kind: VerdictKind::NotRecovered,
            headline: "3 min 30 s after the fault ended goodput is 3 % of offered (before: 99.9 %)".into(),
            details: vec![
                "a call costs 2.98 attempts; 71 % of the work in payments was for callers who had given up"
                    .into(),
            ],
            ..Verdict::default()
        },
        timeline,
        ..Report::default()
    };
    report.summary = Summary {
        recovered: Some(false),
        offered: Some(1000.0),
        goodput: Some(180.0),
        success: Some(0.2),
        amplification: Some(2.98),
        wasted: Some(0.71),
        ..Summary::default()
    };
    let mut calls = Calls { started: 280_000, in_flight_age: Some(400 * MS), ..Calls::default() };
    calls.add(Ending::Ok, 56_000);
    calls.add(Ending::Failed(Outcome::TimedOut), 200_000);
    calls.add(Ending::Failed(Outcome::Rejected), 23_000);
    calls.add(Ending::Failed(Outcome::Error), 800);
    calls.add(Ending::InFlight, 200);
    let users = Edge {
        from_users: true,
        success: Some(0.2),
        goodput: 180.0,
        amplification: Some(1.0),
        latency: exponential(50.0),
        calls: calls.clone(),
        ..Edge::default()
    };
    report.edges.push("users->checkout", users);
    let inner = Edge {
        success: Some(0.2),
        goodput: 180.0,
        amplification: Some(2.98),
        latency: exponential(30.0),
        calls,
        ..Edge::default()
    };
    report.edges.push("checkout->payments", inner);
    let mut pool = Section::new("pool", "checkout->payments")
        .value("refused", Value::new(Unit::Plain, "calls without a connection"))
        .value("waited", Value::new(Unit::Duration, "for a connection, on average"))
        .value("in_use", Value::new(Unit::Share, "connections that are taken"))
        .line("in_use", Unit::Share, "Connections that are taken.");
    pool.set("refused", 1_234.0);
    pool.set("waited", 2.5e6);
    pool.set("in_use", 0.9);
    pool.draw("in_use", (0..300).map(|n| if n >= 61 { 1.0 } else { 0.25 }).collect());
    report.sections.push(pool);
    let service = |replicas, utilisation, wasted| Service {
        replicas,
        workers: u64::from(replicas) * 8,
        queue_capacity: Some(1536),
        utilisation,
        queue_mean: 1225.7,
        queue_max: 1536,
        wait_mean: Some(600 * MS),
        wasted,
        ..Service::default()
    };
    report.services.push("checkout", Service { queue_capacity: None, ..service(4, 0.12, Some(0.0)) });
    report.services.push("payments", service(3, 0.998, Some(0.713)));
    report.notes.push("percentiles cover only the calls that ended well".into());
    report
}

/// Ten thousand exponential latencies with this mean in milliseconds.
pub fn exponential(mean_ms: f64) -> Latency {
    let mut histogram = LatencyHistogram::new();
    for n in 0..10_000 {
        let u = (f64::from(n) + 0.5) / 10_000.0;
        histogram.record(SimDuration::from_nanos_f64(-mean_ms * 1e6 * sim_core::math::ln_1p(-u)));
    }
    Latency::of(&histogram)
}

/// A model without time: values with theory beside them, and a table.
pub fn callbacks() -> Report {
    let mut report = Report {
        experiment: "blue-green".into(),
        about: "A callback comes back through the same balancer.".into(),
        verdict: Verdict {
            kind: VerdictKind::Finding,
            headline: "half of all callbacks meet a server that knows nothing of them".into(),
            ..Verdict::default()
        },
        ..Report::default()
    };
    let value = |about: &str, value, exact, standard_error| Value {
        about: about.into(),
        value: Some(value),
        exact,
        standard_error,
        unit: String::new(),
        source: "sum of squared weights".into(),
        ..Value::default()
    };
    report.values.push("success", value("callbacks that met their server", 0.5003, Some(0.5), Some(0.0005)));
    report.values.push("first blue", value("requests that began on blue", 0.5, None, None));
    report.values.push("never", value("impossible", 0.0, Some(0.0), Some(0.0)));
    report.tables.push(Table {
        title: "first server by callback server".into(),
        columns: ["first", "blue", "green"].map(String::from).to_vec(),
        rows: vec![
            vec!["blue".into(), 250_100u64.into(), 249_900u64.into()],
            vec!["green".into(), 249_800u64.into(), Cell::Empty(())],
        ],
        units: Vec::new(),
        note: "Off the diagonal the callback is lost.".into(),
    });
    report
}

/// Two checked experiments: one in which everything that can fail fails, with a hostile name, and a good one.
pub fn checked() -> Document {
    let judged = |claim: &str, measured: &str, holds: bool, undecided: bool| Judged {
        variant: Some("calm".into()),
        claim: claim.into(),
        measured: measured.into(),
        holds,
        undecided,
        line: 27,
        seeds: 20,
        again: (!holds).then(|| "brownout run ./storm.ron --variant calm --seed 57".into()),
        ..Judged::default()
    };
    let metric = |path: &str, before: f64, now: f64, moved: bool| MovedMetric {
        metric: path.into(),
        before: Reading::Number(before),
        now: Reading::Number(now),
        change: Some(now / before - 1.0),
        mean: Some(now),
        reach: Some(now * 0.03),
        like_before: None,
        seeds: 10,
        moved,
        unit: Meaning::at(path).unit,
    };
    let moved = Moved {
        variant: Some("calm".into()),
        seed: 42,
        metrics: vec![metric("p99", 213e6, 260e6, true), metric("goodput", 1000.0, 998.0, false)],
        parts: vec!["trajectory", "results"],
        first_difference: "between event 40 960 (18.2 s) and event 45 056 (20.1 s)".into(),
        events: Some((40_960, 45_056)),
    };
    let bad = Checked {
        experiment: "storm, 50 % \u{1b}[2J <b>".into(),
        file: Some("ours/storm.ron".into()),
        exit: 4,
        expectations: vec![
            judged("success at least 95%", "99.2 %", true, false),
            judged("p99 at most 300ms over 20 seeds", "340 ± 12 ms", false, false),
            judged("p99 at most 350ms over 20 seeds", "340 ± 12 ms, and the bound lies within", false, true),
        ],
        snapshot: Some("snapshot differs".into()),
        difference: Some("from line 12:\n- a & b\n+ a < b".into()),
        moved: vec![moved],
        again: vec!["brownout run ./storm.ron --variant calm --seed 57".into()],
        ..Checked::default()
    };
    let good = Checked {
        experiment: "steady".into(),
        file: Some("ours/steady.ron".into()),
        good: true,
        expectations: vec![judged("recovered is true", "yes", true, false)],
        snapshot: Some("snapshot same".into()),
        ..Checked::default()
    };
    Document { format: 1, experiments: vec![bad, good] }
}
