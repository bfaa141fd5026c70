//! A report made by hand, as a page on standard output: `cargo run --example page_by_hand > report.html`.
//!
//! Its names try to be anything but text. With `large` it is a run of 100,000 windows over 50 edges.

use sim_cli::internals::{Around, Judged, Judgement, Page, page};
use sim_models::diagram::{Diagram, Link, Node};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::*;
use sim_models::trace::{Span, SpanKind, Trace};

/// What has no business in a page, in one name.
const EVIL: &str = "</script><script>window.evil=1</script><img src=x onerror=window.evil=1>\"'`{{7*7}}<!-- ]]>\
                    \u{2028}\u{2029}\0\u{202e}&amp;\njavascript:window.evil=1";
const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn main() {
    let large = std::env::args().any(|argument| argument == "large");
    let (windows, edges) = if large { (100_000, 50) } else { (120, 3) };
    let report = report(windows, edges);
    let judged = vec![Judged {
        variant: Some(EVIL.into()),
        claim: EVIL.into(),
        measured: EVIL.into(),
        again: Some(EVIL.into()),
        ..Judged::default()
    }];
    let expectations = Judgement { judged, not_enforced: Some(EVIL.into()) };
    let around = Page { expectations, next: vec![(EVIL.into(), EVIL.into())], replicated: None };
    let around = Around {
        page: &around,
        effective: EVIL,
        diagram: &diagram(),
        traces: &[call("failed"), call("ok")],
        again: EVIL,
    };
    print!("{}", page(&report, &around).html());
}

/// Boxes and arrows of that name.
fn diagram() -> Diagram {
    let node = |name: &str| Node { name: name.into(), facts: vec![EVIL.into()], ..Node::default() };
    let link = Link { from: 0, to: 1, name: EVIL.into(), faults: vec![EVIL.into()], ..Link::default() };
    Diagram { nodes: vec![node(EVIL), node("b")], links: vec![link], notes: vec![EVIL.into()] }
}

fn report(windows: u64, edges: u64) -> Report {
    let text = || EVIL.to_string();
    let mut report = Report {
        format: FORMAT,
        experiment: text(),
        about: text(),
        variant: Some(text()),
        overrides: vec![(text(), text())],
        model: (text(), 1),
        stopped: Some(text()),
        notes: vec![text()],
        run: RunFacts {
            seed: 1,
            duration: windows * SECOND,
            warm_up: 10 * SECOND,
            window: SECOND,
            events: 1,
        },
        verdict: Verdict {
            kind: VerdictKind::Degraded,
            headline: text(),
            details: vec![text()],
            ..Verdict::default()
        },
        digest: DigestParts { i: text(), ..DigestParts::default() },
        ..Report::default()
    };
    for n in 0..edges {
        report.edges.push(format!("{EVIL}{n}->s{n}"), edge(windows, n));
        report.services.push(format!("s{n}{EVIL}"), service(windows, n));
    }
    let values = (0..windows).map(|n| 100.0 + (n * 37 % 23) as f64).collect();
    report.timeline = Timeline {
        series: vec![Series { name: text(), unit: "/s".into(), values, ..Series::default() }],
        disturbances: vec![Disturbance {
            what: text(),
            on: text(),
            from: 40 * SECOND,
            to: Some(60 * SECOND),
        }],
        ..Timeline::default()
    };
    report.sections.push(measured(windows));
    report.values.push(EVIL, Value { about: text(), value: Some(1.0), source: text(), ..Value::default() });
    report.tables = vec![Table {
        title: text(),
        columns: vec![text()],
        rows: vec![vec![EVIL.into()]],
        note: text(),
        ..Table::default()
    }];
    report
}

fn edge(windows: u64, n: u64) -> Edge {
    let at = |window: u64| (0..20).map(|k| ((1 + k) * MS + window % 7 * 100_000 + n * 50_000, 5)).collect();
    let all = windows * 100;
    Edge {
        from_users: n == 0,
        calls: Calls {
            started: all + 10,
            ended: [(Ending::Ok, all), (Ending::FAILED, 10)].into_iter().collect(),
            ..Calls::default()
        },
        attempts: Attempts {
            sent: 2 * all,
            ended: [(Outcome::Ok, all), (Outcome::TimedOut, all)].into_iter().collect(),
            retries: all,
            ..Attempts::default()
        },
        amplification: Some(2.0),
        latency: Latency {
            count: all,
            p50: Some(10 * MS),
            histogram: (1..2000).map(|k| (k * 10_000, 1 + n)).collect(),
            ..Latency::default()
        },
        windows: EdgeWindows {
            started: vec![100; windows as usize],
            ok: vec![100; windows as usize],
            failed: (0..windows).map(|window| window % 3).collect(),
            attempts: (0..windows).map(|window| 200 + window * (n + 3) % 41).collect(),
            latency: (0..windows).map(at).collect(),
            ..EdgeWindows::default()
        },
        ..Edge::default()
    }
}

/// What a mechanism measured.
fn measured(windows: u64) -> Section {
    let mut section = Section::new(format!("kind{EVIL}"), EVIL)
        .value(EVIL, Value { source: EVIL.into(), ..Value::new(Unit::Share, EVIL) })
        .line(EVIL, Unit::Plain, EVIL)
        .line("more", Unit::Duration, EVIL)
        .line("burst", Unit::Rate, EVIL);
    section.set(EVIL, 0.5);
    section.draw(EVIL, (0..windows).map(|window| (window / 50 % 2) as f64).collect());
    section.draw("more", (0..windows).map(|window| (window * MS) as f64).collect());
    section.draw(
        "burst",
        (0..windows).map(|window| if window == 70 { 5_000.0 } else { 40.0 + (window % 9) as f64 }).collect(),
    );
    section.changes =
        vec![Change { at: SECOND, of: Some(0), replica: None, from: EVIL.into(), to: EVIL.into() }];
    section
}

fn service(windows: u64, n: u64) -> Service {
    Service {
        replicas: 2,
        workers: 8,
        queue_capacity: Some(20),
        work: 100 * SECOND,
        work_wasted: n * SECOND,
        windows: ServiceWindows {
            queue_ns: (0..windows).map(|window| window * (n + 1) % 19 * SECOND).collect(),
            queue_max: vec![20; windows as usize],
            busy_ns: (0..windows).map(|window| (window + n) % 8 * SECOND).collect(),
            available_ns: vec![8 * SECOND; windows as usize],
            ..Default::default()
        },
        ..Service::default()
    }
}

/// Two attempts: the first times out while it waits, and is worked on for nobody.
fn call(outcome: &str) -> Trace {
    let span = |parent, kind, attempt, from: u64, to: Option<u64>, outcome: &str| Span {
        parent,
        kind,
        at: EVIL.into(),
        from: from * MS,
        to: to.map(|to| to * MS),
        outcome: outcome.into(),
        attempt,
        ..Span::default()
    };
    let mut spans = vec![
        span(None, SpanKind::Call, 0, 1_000, Some(1_450), outcome),
        span(Some(0), SpanKind::Attempt, 1, 1_000, Some(1_200), "timed out"),
        span(Some(1), SpanKind::Network, 0, 1_000, Some(1_005), ""),
        span(Some(1), SpanKind::Queue, 0, 1_005, Some(1_300), ""),
        span(Some(1), SpanKind::Work, 0, 1_300, Some(1_340), ""),
        span(Some(0), SpanKind::BackOff, 0, 1_200, Some(1_250), ""),
        span(Some(0), SpanKind::Attempt, 2, 1_250, Some(1_450), outcome),
        span(Some(6), SpanKind::Queue, 0, 1_250, Some(1_400), ""),
        span(Some(6), SpanKind::Work, 0, 1_400, None, EVIL),
    ];
    (spans[3].wasted, spans[4].wasted) = (true, true);
    Trace { edge: EVIL.into(), call: 7, why: EVIL.into(), spans, ..Trace::default() }
}
