//! Callback routing against its closed forms.
//!
//! A frequency of `n` independent calls is within four standard errors, `4 sqrt(p (1 - p) / n)`, of its
//! probability; a mean over seeds is within four of its own. The expected numbers are written out and not
//! taken from the model, which has the same formulas.

use sim_core::stats::Sample;
use sim_core::{Engine, Rate, SimDuration, SimTime, Stream, Streams, Words};
use sim_models::callback_routing::{
    Arrivals, CallbackRouting, Effect, Outage, Routing, ServerFault, Servers, State,
};
use sim_models::distribution::TimeDistribution;
use sim_models::experiment::{Span, Spanned};
use sim_models::policy::Ending;
use sim_models::report::Report;
use sim_models::run::RunOptions;
use sim_models::{RunSpec, Scenario};
use std::ops::ControlFlow;

fn constant(ms: u64) -> TimeDistribution {
    TimeDistribution::constant(SimDuration::from_millis(ms))
}

fn per_second(rate: f64) -> Rate {
    Rate::per_sec(rate).expect("a rate")
}

/// 1000 calls a second for 100 s: 1e5 calls, provider 200 ms.
fn routing(servers: Servers) -> CallbackRouting {
    CallbackRouting {
        servers,
        arrivals: Arrivals::Poisson(per_second(1000.0)),
        until: None,
        provider_delay: TimeDistribution::exponential(SimDuration::from_millis(200)),
        routing: Routing::Independent,
        state: State::Local,
        callback_attempts: 1,
        resend_after: SimDuration::from_millis(100),
        deadline: None,
        calls_per_batch: 10,
        faults: Vec::new(),
    }
}

fn run_for(spec: &CallbackRouting, secs: u64, seed: u64) -> Report {
    let duration = SimDuration::from_secs(secs);
    let span = RunSpec { window: SimDuration::from_secs(10), ..RunSpec::lasting(duration) };
    spec.run(&span, &RunOptions::seeded(seed), &mut |_| ControlFlow::Continue(())).report
}

fn run(spec: &CallbackRouting) -> Report {
    run_for(spec, 100, 42)
}

fn value(report: &Report, name: &str) -> f64 {
    report.values.get(name).unwrap_or_else(|| panic!("no value {name}")).value.expect("measured")
}

/// Four standard errors, and the value is what the report compares it with.
fn assert_share(report: &Report, name: &str, p: f64) {
    let value = report.values.get(name).unwrap_or_else(|| panic!("no value {name}"));
    let n = report.edges.get("callers->service").unwrap().calls.started as f64;
    assert!(n > 90_000.0, "{n} calls are too few");
    let tolerance = 4.0 * (p * (1.0 - p) / n).sqrt();
    let measured = value.value.expect("measured");
    assert!((measured - p).abs() <= tolerance, "{name}: {measured} against {p} +- {tolerance}");
    assert!(
        value.exact.is_some_and(|exact| (exact - p).abs() < 1e-9),
        "{name}: {:?} against {p}",
        value.exact
    );
}

fn servers(weights: &[f64]) -> Servers {
    Servers::Weighted(weights.to_vec())
}

/// 0.8 and nine times 0.2 / 9, as whole numbers.
fn one_large() -> Servers {
    let mut weights = vec![36.0];
    weights.extend([1.0; 9]);
    servers(&weights)
}

/// Claims A1 to A4 and A8; callback_routing.csv.
#[test]
fn success_is_the_sum_of_squares() {
    for (spec, success) in [
        (Servers::Equal(2), 0.5),
        (servers(&[0.9, 0.1]), 0.82),
        (servers(&[0.99, 0.01]), 0.9802),
        (one_large(), 29.0 / 45.0),
        (Servers::Equal(3), 1.0 / 3.0),
        (Servers::Equal(10), 0.1),
        (Servers::Equal(32), 0.03125),
        (Servers::Equal(100), 0.01),
        (Servers::Equal(1), 1.0),
    ] {
        let report = run(&routing(spec));
        assert_share(&report, "success", success);
        assert_share(&report, "failure", 1.0 - success);
    }
}

/// The four joint outcomes of claims A1 and A2.
#[test]
fn joint_distribution() {
    for (weights, joint) in [([0.5, 0.5], [0.25, 0.25, 0.25, 0.25]), ([0.9, 0.1], [0.81, 0.09, 0.09, 0.01])] {
        let report = run(&routing(servers(&weights)));
        let names = ["server-1->server-1", "server-1->server-2", "server-2->server-1", "server-2->server-2"];
        for (name, p) in names.into_iter().zip(joint) {
            assert_share(&report, &format!("joint {name}"), p);
        }
        let total: f64 = names.iter().map(|name| value(&report, &format!("joint {name}"))).sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
}

/// Claim A6: 1 - sum w (1 - w)^k; callback_routing.csv.
#[test]
fn deliveries_routed_afresh() {
    for (spec, by_attempts) in [
        (Servers::Equal(2), [0.5, 0.75, 0.875]),
        (servers(&[0.9, 0.1]), [0.82, 0.91, 0.9262]),
        (one_large(), [29.0 / 45.0, 0.776_790_123_456_79, 0.806_639_231_824_417]),
        (Servers::Equal(10), [0.1, 0.19, 0.271]),
    ] {
        for (attempts, success) in (1..).zip(by_attempts) {
            let report = run(&CallbackRouting { callback_attempts: attempts, ..routing(spec.clone()) });
            assert_share(&report, "success", success);
        }
    }
    // What it costs: on two servers a call takes 1 + 1/2 + 1/4 deliveries of at most three.
    let report = run(&CallbackRouting { callback_attempts: 3, ..routing(Servers::Equal(2)) });
    let amplification = report.summary.amplification.unwrap();
    assert!((amplification - 1.75).abs() < 0.01, "{amplification}");
}

/// callback_pmf_10_calls.csv, by the share of batches with each number of successes.
#[test]
fn successes_out_of_ten() {
    let halves = [
        0.0009765625,
        0.009765625,
        0.0439453125,
        0.1171875,
        0.205078125,
        0.24609375,
        0.205078125,
        0.1171875,
        0.0439453125,
        0.009765625,
        0.0009765625,
    ];
    let canary = [
        3.570467227e-08,
        1.626546181e-06,
        3.334419671e-05,
        0.0004050702415,
        0.003229309981,
        0.01765356123,
        0.06701814911,
        0.1744599437,
        0.2980357372,
        0.3017151907,
        0.1374480313,
    ];
    let ten = [
        0.3486784401,
        0.387420489,
        0.1937102445,
        0.057395628,
        0.011160261,
        0.0014880348,
        0.000137781,
        8.748e-06,
        3.645e-07,
        9e-09,
        1e-10,
    ];
    for (spec, pmf) in
        [(Servers::Equal(2), halves), (servers(&[0.9, 0.1]), canary), (Servers::Equal(10), ten)]
    {
        let report = run(&routing(spec));
        let json = serde_json::to_value(&report).unwrap();
        let tables = json["tables"].as_array().unwrap();
        let table = tables.iter().find(|table| table["title"] == "successes out of 10 calls").unwrap();
        let rows = table["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 11);
        let batches: u64 = rows.iter().map(|row| row[1].as_u64().unwrap()).sum();
        assert!(batches > 9_900);
        for (row, p) in rows.iter().zip(pmf) {
            let found = row[2].as_f64().unwrap();
            // Where a count is rare it is Poisson, and four deviations of less than one are none: allow two.
            let tolerance = (4.0 * (p * (1.0 - p) / batches as f64).sqrt()).max(2.0 / batches as f64);
            assert!((found - p).abs() <= tolerance, "{row}: {found} against {p}");
            assert!((row[3].as_f64().unwrap() - p).abs() < 1e-9, "{row} against {p}");
        }
    }
}

/// Claim A7: with one pointer and one call at a time the callback lands on the next server, always.
#[test]
fn one_round_robin_never_succeeds() {
    let sequential = |servers, attempts| CallbackRouting {
        arrivals: Arrivals::Sequential { pause: SimDuration::from_millis(1) },
        routing: Routing::RoundRobin,
        callback_attempts: attempts,
        resend_after: SimDuration::from_millis(1),
        provider_delay: constant(10),
        ..routing(Servers::Equal(servers))
    };
    for seed in 1..=20 {
        for servers in [2, 3, 10] {
            let report = run_for(&sequential(servers, 1), 10, seed);
            assert!(report.edges.get("callers->service").unwrap().calls.started > 900);
            assert_eq!(value(&report, "success"), 0.0, "{servers} servers, seed {seed}");
            // As many deliveries as servers come round to the first again.
            assert_eq!(value(&run_for(&sequential(servers, servers), 10, seed), "success"), 1.0);
        }
    }
    // With turns of their own and calls that overlap at random it lies in between.
    let mixed = CallbackRouting { routing: Routing::RoundRobinEach, ..routing(Servers::Equal(2)) };
    let success = value(&run(&mixed), "success");
    assert!((0.3..0.7).contains(&success), "{success}");
}

/// Claim A5: with the state where every callback finds it, the number of servers plays no part.
#[test]
fn cures_work_at_any_size() {
    let queue = State::MessageQueue {
        lag: constant(20),
        handling: constant(5),
        visibility: SimDuration::from_secs(1),
    };
    let store = State::SharedStore { latency: constant(1), outages: Vec::new() };
    let copies = State::Replicated { lag: constant(5), copies: None };
    for state in [store, State::Sticky, State::ConsistentHash { vnodes: 100 }, queue, copies] {
        for servers in [2, 10, 100] {
            let provider_delay = constant(200);
            let spec =
                CallbackRouting { state: state.clone(), provider_delay, ..routing(Servers::Equal(servers)) };
            let report = run_for(&spec, 10, 42);
            assert_eq!(value(&report, "success"), 1.0, "{state:?}, {servers} servers");
        }
    }
}

/// Claim A5: a server that joins a ring of ten takes over 1/11 of the keys, and the callbacks that are out
/// for them fail: 10/11 succeed. One ring's arcs deviate by 9.5 % of 1/11, so the mean is over rings.
#[test]
fn ring_keeps_ten_elevenths_when_one_joins() {
    let join = ServerFault {
        at: SimTime::from_secs(20),
        r#for: None,
        on: Spanned { value: "server-11".into(), span: Span::default() },
        effect: Effect::Join,
    };
    let spec = CallbackRouting {
        state: State::ConsistentHash { vnodes: 100 },
        provider_delay: constant(10_000),
        faults: vec![join],
        ..routing(Servers::Equal(11))
    };
    let mut kept = Vec::new();
    for seed in 1..=40 {
        let report = run_for(&spec, 40, seed);
        let across = report.values.get("kept").unwrap();
        // 10 s of calls were out; beside it stands what this ring's arcs give.
        let tolerance = 4.0 * across.standard_error.unwrap();
        assert!(
            (across.value.unwrap() - across.exact.unwrap()).abs() <= tolerance,
            "seed {seed}: {across:?}"
        );
        // Nothing but moved keys fails, and only while it is out.
        let edge = report.edges.get("callers->service").unwrap();
        let failed: Vec<u64> = edge.windows.failed.clone();
        assert_eq!((failed[0], failed[1], failed[3]), (0, 0, 0), "seed {seed}");
        kept.push(across.value.unwrap());
    }
    let kept = Sample::of(&kept);
    assert!((kept.mean - 10.0 / 11.0).abs() < 0.01, "{}", kept.mean);
    assert!((kept.mean - 10.0 / 11.0).abs() < 4.0 * kept.standard_error(), "{kept:?}");
    // Between rings: 1/11 times sqrt(10 / 1101).
    let deviation = kept.variance.sqrt() * 11.0 / (10.0f64 / 1101.0).sqrt();
    assert!((0.6..1.5).contains(&deviation), "{deviation}");
}

/// A copy is in time if its lag is below the callback's delay: d / (l + d) for two exponentials.
#[test]
fn replication_races_the_callback() {
    let exponential = |ms| TimeDistribution::exponential(SimDuration::from_millis(ms));
    for (lag, delay, servers, copies, success) in [
        (exponential(50), exponential(200), 2, None, 0.5 + 0.5 * 0.8),
        (exponential(200), exponential(200), 10, None, 0.1 + 0.9 * 0.5),
        (exponential(200), exponential(200), 10, Some(2), 0.1 + 0.2 * 0.5),
        (constant(300), constant(200), 10, None, 0.1),
        (constant(100), constant(200), 10, Some(4), 0.5),
    ] {
        let state = State::Replicated { lag, copies };
        let report =
            run(&CallbackRouting { state, provider_delay: delay, ..routing(Servers::Equal(servers)) });
        let value = report.values.get("success").unwrap();
        let n = report.edges.get("callers->service").unwrap().calls.started as f64;
        let tolerance = 4.0 * (success * (1.0 - success) / n).sqrt();
        let measured = value.value.expect("measured");
        assert!((measured - success).abs() <= tolerance, "{measured} against {success}");
        assert!((value.exact.unwrap() - success).abs() < 1e-4, "{:?} against {success}", value.exact);
    }
}

/// A message that is not done within its visibility is taken again: P(handling > visibility) = e^-2.
#[test]
fn messages_are_taken_again() {
    let handling = TimeDistribution::exponential(SimDuration::from_millis(50));
    let state =
        State::MessageQueue { lag: constant(20), handling, visibility: SimDuration::from_millis(100) };
    let report = run(&CallbackRouting { state, ..routing(Servers::Equal(4)) });
    assert_eq!(value(&report, "success"), 1.0);
    assert_share(&report, "overrun", 0.135_335_283_236_613);
    assert!(value(&report, "done_twice") > 0.0);
    assert!(value(&report, "done_twice") <= value(&report, "taken_again"));
}

/// The balancer's draws are addressed by call and delivery: where state is kept, and whether anybody asks
/// again, changes nobody's first two servers.
#[test]
fn strategies_meet_the_same_luck() {
    let joint = |spec: &CallbackRouting| -> Vec<f64> {
        let report = run_for(spec, 20, 7);
        let pairs = report.values.iter().filter(|(name, _)| name.starts_with("joint"));
        pairs.filter_map(|(_, value)| value.value).collect()
    };
    let local = CallbackRouting { provider_delay: constant(200), ..routing(servers(&[0.7, 0.3])) };
    let expected = joint(&local);
    assert_eq!(expected.len(), 4);
    let copies = State::Replicated { lag: constant(500), copies: None };
    for other in [
        CallbackRouting { callback_attempts: 5, ..local.clone() },
        CallbackRouting { state: copies, ..local.clone() },
        CallbackRouting { deadline: Some(SimDuration::from_millis(1)), ..local.clone() },
    ] {
        assert_eq!(joint(&other), expected, "{other:?}");
    }
}

/// Anything that can be written runs, loses no call (the model asserts it), and is the same on both queues.
#[test]
fn random_experiments_run_the_same_on_both_engines() {
    let mut words = Streams::new(20).stream("random", "callbacks");
    let mut kinds = [0; 6];
    for case in 0..90 {
        let spec = random(&mut words, &mut kinds);
        let span = RunSpec {
            warm_up: SimDuration::from_secs(words.below(3)),
            window: SimDuration::from_millis(700),
            ..RunSpec::lasting(SimDuration::from_secs(10))
        };
        let run = |engine| {
            let options = RunOptions { engine, ..RunOptions::seeded(case) };
            spec.run(&span, &options, &mut |_| ControlFlow::Continue(())).report
        };
        let report = run(Engine::Fast);
        assert_eq!(report.stopped, None, "{spec:?}");
        assert_eq!(report, run(Engine::Reference), "case {case}: {spec:?}");
        let calls = &report.edges.get("callers->service").unwrap().calls;
        assert_eq!(
            calls.started,
            calls.ok() + calls.failed() + calls.of(Ending::Deadline) + calls.in_flight()
        );
    }
    assert!(kinds.iter().all(|&count| count > 5), "every strategy has its turn: {kinds:?}");
}

fn random(words: &mut Stream, kinds: &mut [u32; 6]) -> CallbackRouting {
    let ms = |words: &mut Stream, below: u64| SimDuration::from_millis(words.below(below));
    let time = |words: &mut Stream, below: u64| {
        let mean = SimDuration::from_millis(1 + words.below(below));
        if words.below(2) == 0 {
            TimeDistribution::exponential(mean)
        } else {
            TimeDistribution::constant(mean)
        }
    };
    let count = 1 + words.below(6);
    let weights: Vec<f64> = (0..count).map(|_| 0.1 + words.unit()).collect();
    let kind = words.below(6) as usize;
    kinds[kind] += 1;
    let outage =
        Outage { at: SimTime::from_secs(words.below(8)), r#for: ms(words, 3000), wipes: words.below(2) == 0 };
    let state = match kind {
        0 => State::Local,
        1 => State::SharedStore { latency: time(words, 20), outages: vec![outage] },
        2 => State::Sticky,
        3 => State::ConsistentHash { vnodes: 1 + words.below(20) as u32 },
        4 => State::MessageQueue {
            lag: time(words, 300),
            handling: time(words, 100),
            visibility: SimDuration::from_millis(20 + words.below(200)),
        },
        _ => State::Replicated { lag: time(words, 300), copies: Some(words.below(7) as u32) },
    };
    let faults = (0..words.below(4)).map(|_| {
        let effect = match words.below(3) {
            0 => Effect::Crash { noticed_after: ms(words, 2000) },
            1 => Effect::Drain { grace: ms(words, 2000) },
            _ => Effect::Join,
        };
        let lasts = !matches!(effect, Effect::Join) && words.below(2) == 0;
        let on = Spanned { value: format!("server-{}", 1 + words.below(count)), span: Span::default() };
        ServerFault {
            at: SimTime::from_secs(words.below(9)),
            r#for: lasts.then(|| ms(words, 4000)),
            on,
            effect,
        }
    });
    let faults = faults.collect();
    CallbackRouting {
        servers: Servers::Weighted(weights),
        arrivals: match words.below(3) {
            0 => Arrivals::Poisson(per_second(200.0)),
            1 => Arrivals::Constant(per_second(200.0)),
            _ => Arrivals::Sequential { pause: SimDuration::from_millis(1 + words.below(10)) },
        },
        until: (words.below(2) == 0).then(|| SimTime::from_secs(8)),
        provider_delay: time(words, 800),
        routing: [Routing::Independent, Routing::RoundRobin, Routing::RoundRobinEach]
            [words.below(3) as usize],
        state,
        callback_attempts: 1 + words.below(4) as u32,
        resend_after: ms(words, 500),
        deadline: (words.below(2) == 0).then(|| ms(words, 2000)),
        calls_per_batch: 1 + words.below(12) as u32,
        faults,
    }
}
