//! Theory beside measurement inside a graph: the exact values that a report offers are those of the reference
//! tables, the measured ones agree with them over seeds, and where nothing is known nothing is said.
//!
//! The mean work is 10 ms unless a test says otherwise; tables are in mean service times.

use brownout_tests::{Runs, SEEDS, random_experiment, run};
use sim_models::report::{Report, Value};
use sim_models::theory::{Mm1PlusD, Usl, erlang_b};

/// The mean work, in nanoseconds.
const WORK: f64 = 1e7;

const EXPONENTIAL: &str = r#"Exponential(mean: "10ms")"#;

/// A graph without a fault; `duration` in seconds, after a warm-up of 10 s.
fn graph(workload: &str, services: &str, policies: &str, duration: u32) -> String {
    format!(
        r#"(
    about: "a part with a closed form",
    model: ServiceGraph(
        workload: [{workload}],
        services: {{{services}}},
        policies: {{{policies}}},
    ),
    run: (duration: "{duration}s", warm_up: "10s", window: "30s"),
)"#
    )
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a Value> {
    report.values.get(name)
}

#[track_caller]
fn value<'a>(report: &'a Report, name: &str) -> &'a Value {
    let names = || report.values.iter().map(|(name, _)| name).collect::<Vec<_>>();
    find(report, name).unwrap_or_else(|| panic!("no value {name} among {:?}", names()))
}

/// Every run offers `exact` (to nine digits), and what was measured agrees with it over seeds.
#[track_caller]
fn agrees(runs: &Runs, name: &str, exact: f64, tolerance: f64) {
    for report in &runs.reports {
        let offered = value(report, name).exact.expect("something exact is beside it");
        assert!((offered - exact).abs() <= 2e-9 * exact.abs(), "{name}: {offered} is offered for {exact}");
    }
    runs.agree(name, |report| value(report, name).value.expect("measured"), exact, tolerance);
}

/// One worker that stands still at random times: they go before everybody, in the middle of work as well, and wait for each other, so it is
/// an M/G/1 queue with two preemptive priorities (White and Christie 1958). A tenth of the time for half of it busy: the
/// response is 38.9 ms instead of 20, and 25.9 ms if the same tenth comes in pauses of 10 ms instead of 100.
#[test]
fn a_worker_that_stands_still() {
    for (every, pause) in [(1.0, 0.1), (0.1, 0.01)] {
        let (rho, still, work) = (0.5, pause / every, 0.01);
        let rest = (pause * pause / every + 50.0 * 2.0 * work * work) / 2.0;
        let exact = (work * (1.0 - still - rho) + rest) / ((1.0 - still) * (1.0 - still - rho));
        let text = graph(
            r#"(to: "server", arrivals: Poisson("50/s"))"#,
            &format!(
                r#""server": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL},
                    stop_the_world: Periodic(every: Exponential(mean: "{}us"), for: "{}us"))"#,
                every * 1e6,
                pause * 1e6
            ),
            "",
            2_000,
        );
        let runs = Runs::of(&text, SEEDS);
        println!("M/G/1 with pauses of {pause} s every {every} s: {exact}");
        let mean = |report: &Report| report.edges.0[0].1.latency.mean.expect("calls ended well") as f64;
        runs.agree("response_mean", mean, exact * 1e9, 0.02);
        let told = |report: &Report, name: &str| {
            let section = report.section("stop_the_world", "server").expect("it stands still");
            section.values.get(name).and_then(|it| it.value).expect("measured")
        };
        runs.agree("share", |report| told(report, "share"), still, 0.02);
        for report in &runs.reports {
            assert!(find(report, "wait_mean").is_none(), "nothing is known of it");
        }
    }
}

/// One caller at a time, at random times: cold is who comes later than the time-out after the one before, with probability `e^(-rate x timeout)`.
#[test]
fn a_share_starts_cold() {
    for times in [0.5, 1.0, 3.9120] {
        let exact = sim_core::math::exp(-times);
        let text = graph(
            &format!(r#"(to: "function", arrivals: Poisson("{}/s"))"#, times / 10.0),
            r#""function": (workers: Blocking(9), queue: Fifo(capacity: 0), work: "10us", cold_start: (time: "20us", idle_timeout: "10s"))"#,
            "",
            (200_000.0 / times) as u32,
        );
        let runs = Runs::of(&text, SEEDS);
        println!("cold starts: {times} calls per time-out, {exact}");
        let share = |report: &Report| {
            let section = report.section("cold_start", "function").expect("it starts cold");
            section.values.get("share").and_then(|it| it.value).expect("measured")
        };
        runs.agree("share", share, exact, 0.01);
    }
}

/// `erlang_a.csv`: c, rho, theta, P(wait), P(abandon), utilisation. Of those served, the wait is the derived
/// closed form; who leaves during the work is not in the table either: patience has no memory.
#[test]
fn erlang_a() {
    for (workers, rho, theta, p_wait, p_abandon, utilisation) in [
        (1, 0.9, 1.0, 0.5934303403, 0.3406329553, 0.5934303403),
        (2, 1.2, 2.0, 0.6208860822, 0.371090838, 0.7546909943),
        (10, 1.0, 1.0, 0.5420702855, 0.1251100357, 0.8748899643),
        (10, 1.5, 0.5, 0.980677905, 0.335856723, 0.9962149155),
    ] {
        let rate = rho * f64::from(workers) * 100.0;
        let text = graph(
            &format!(r#"(to: "server", arrivals: Poisson("{rate}/s"), policy: "patience")"#),
            &format!(
                r#""server": (workers: Blocking({workers}), queue: Fifo(capacity: Unbounded, drop_expired: true), work: {EXPONENTIAL})"#
            ),
            &format!(r#""patience": (deadline: Exponential(mean: "{}ns"))"#, (WORK / theta) as u64),
            10 + (80_000.0 / rate) as u32,
        );
        let runs = Runs::of(&text, SEEDS);
        println!("Erlang A: c {workers}, rho {rho}, theta {theta}");
        agrees(&runs, "waiting", p_wait, 0.005);
        agrees(&runs, "abandoned", p_abandon, 0.005);
        agrees(&runs, "utilisation", utilisation, 0.005);
        agrees(&runs, "in_time", (1.0 - p_abandon) / (1.0 + theta), 0.005);
        let wait = value(&runs.reports[0], "wait_mean").exact.expect("it is known");
        agrees(&runs, "wait_mean", wait, 0.005);
    }
}

/// A constant patience is what `deadline` always was, and a queue that skips the expired is M/M/1+D.
#[test]
fn a_constant_patience_is_a_deadline() {
    for (rho, patience) in [(0.9, 5.0), (1.2, 2.0)] {
        let text = graph(
            &format!(r#"(to: "server", arrivals: Poisson("{}/s"), policy: "patience")"#, rho * 100.0),
            &format!(
                r#""server": (workers: Blocking(1), queue: Fifo(capacity: Unbounded, drop_expired: true), work: {EXPONENTIAL})"#
            ),
            &format!(r#""patience": (deadline: "{}ms")"#, patience * 10.0),
            700,
        );
        let runs = Runs::of(&text, SEEDS);
        let exact = Mm1PlusD { utilisation: rho, patience, service_mean: 1.0 };
        agrees(&runs, "abandoned", exact.p_expired(), 0.005);
        agrees(&runs, "in_time", exact.p_answered_in_time(), 0.005);
        agrees(&runs, "utilisation", rho * (1.0 - exact.p_expired()), 0.005);
    }
}

/// `usl.csv` (0.05, 0.001 and 0.1, 0.01): throughput against N, in that of one alone, whatever the law of the work.
#[test]
fn users_who_never_think_follow_the_scalability_law() {
    for (contention, coherency, work, rows) in [
        (0.05, 0.001, EXPONENTIAL, [(1, 1.0), (8, 5.689900427), (32, 9.034443817), (128, 5.42235025)]),
        (
            0.1,
            0.01,
            r#"Erlang(k: 4, mean: "10ms")"#,
            [(2, 1.785714286), (8, 3.539823009), (16, 3.265306122), (64, 1.343973121)],
        ),
    ] {
        for (users, capacity) in rows {
            let text = graph(
                &format!(r#"(to: "server", arrivals: ClosedLoop(users: {users}, think: "0s"))"#),
                &format!(
                    r#""server": (workers: Async(256), work: {work}, scaling: Usl(contention: {contention}, coherency: {coherency}))"#
                ),
                "",
                40,
            );
            println!("USL {contention}, {coherency}: {users} users");
            agrees(&Runs::of(&text, SEEDS), "capacity", capacity, 0.005);
        }
    }
}

/// More users than workers wait: what matters is how many work.
#[test]
fn a_limit_at_the_peak_keeps_the_peak() {
    let text = graph(
        r#"(to: "server", arrivals: ClosedLoop(users: 128, think: "0s"))"#,
        &format!(
            r#""server": (workers: Async(32), work: {EXPONENTIAL}, scaling: Usl(contention: 0.05, coherency: 0.001))"#
        ),
        "",
        40,
    );
    agrees(&Runs::of(&text, SEEDS), "capacity", 9.034443817, 0.005);
}

/// Six sizes beside each other: the fitted law is the one that was written, on average over seeds, and each fit
/// knows how far it may be off.
#[test]
fn a_fit_finds_contention_and_coherency() {
    let law = Usl { contention: 0.05, coherency: 0.001 };
    let sizes = [1, 2, 4, 8, 16, 32, 64];
    let workload = sizes.map(|n| {
        format!(r#"(name: "{n}-users", to: "of-{n}", arrivals: ClosedLoop(users: {n}, think: "0s"))"#)
    });
    let services = sizes.map(|n| {
        format!(r#""of-{n}": (workers: Async(64), work: {EXPONENTIAL}, scaling: Usl(contention: 0.05, coherency: 0.001))"#)
    });
    let runs = Runs::of(&graph(&workload.join(", "), &services.join(", "), "", 60), SEEDS);
    agrees(&runs, "contention", law.contention, 0.005);
    agrees(&runs, "coherency", law.coherency, 0.005);
    agrees(&runs, "peak", law.peak(), 0.005);
    let within = |name: &str| {
        let off =
            |value: &Value| (value.value.unwrap() - value.exact.unwrap()) / value.standard_error.unwrap();
        runs.reports.iter().filter(|report| off(value(report, name)).abs() < 2.776).count()
    };
    // 95 % of Student's t with four degrees of freedom; fewer than 15 of 20 is 3 in 10,000.
    assert!(within("contention") >= 15 && within("coherency") >= 15);
}

/// `tandem_mm1.csv` (3 stages at 0.5 and 0.7): each stage is an M/M/1 queue of its own (Burke), and the mean end to
/// end is their sum, with a network between that delays at random.
#[test]
fn a_tandem_is_a_row_of_queues() {
    for (rho, end_to_end) in [(0.5, 6.0), (0.7, 10.0)] {
        let stage = format!("workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}");
        let far = r#"network: Exponential(mean: "2ms")"#;
        let text = graph(
            &format!(r#"(to: "a", arrivals: Poisson("{}/s"), {far})"#, rho * 100.0),
            &format!(
                r#""a": ({stage}, calls: [(to: "b", {far})]), "b": ({stage}, calls: [(to: "c")]), "c": ({stage})"#
            ),
            "",
            1_200,
        );
        let runs = Runs::of(&text, SEEDS);
        agrees(&runs, "response_mean users->a", end_to_end * WORK + 8e6, 0.01);
        for stage in ["a", "b", "c"] {
            agrees(&runs, &format!("wait_mean {stage}"), rho / (1.0 - rho) * WORK, 0.01);
            agrees(&runs, &format!("utilisation {stage}"), rho, 0.005);
        }
    }
}

/// Splits, merges, random replicas, two workloads and a queue with a limit that is never reached: every part is
/// M/M/c, and the M/G/1 at the end of the way is one too, because what arrives there is Poisson.
#[test]
fn a_feed_forward_graph_is_a_row_of_queues() {
    let text = graph(
        r#"(to: "front", arrivals: Poisson("120/s")), (name: "jobs", to: "back", arrivals: Poisson("30/s"), policy: "random")"#,
        &format!(
            r#"
            "front": (workers: Async(2), work: {EXPONENTIAL}, calls: [
                (to: "back", probability: 0.5, policy: "random"), (to: "log", probability: 0.25)]),
            "back": (replicas: 2, workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}),
            "log": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: "20ms")"#
        ),
        r#""random": (balancer: Random)"#,
        900,
    );
    let runs = Runs::of(&text, SEEDS);
    // mmc.csv and mm1.csv: c = 2 at 0.6; 90/s on two replicas are 0.45 each; 30/s of 20 ms are 0.6, and half of M/M/1.
    agrees(&runs, "wait_mean front", 0.5625 * WORK, 0.01);
    agrees(&runs, "wait_mean back", 0.45 / 0.55 * WORK, 0.01);
    agrees(&runs, "wait_mean log", 0.6 / 0.4 / 2.0 * 2.0 * WORK, 0.01);
    let response = 1.5625 + 0.5 * (1.0 / 0.55) + 0.25 * (2.0 + 1.5);
    agrees(&runs, "response_mean users->front", response * WORK, 0.01);
    for report in &runs.reports {
        assert!(value(report, "wait_mean log").source.contains("Pollaczek"));
    }
}

/// `mm1_feedback_retry_exact.csv`: lambda 0.5, p 0.3: retries at once make 0.714 of it, in bursts that are not
/// Poisson, and the queue is as if they were (Jackson). The same for a service that is called three times in a row.
#[test]
fn who_comes_again_makes_a_product_form() {
    let text = graph(
        r#"(to: "server", arrivals: Poisson("50/s"), policy: "again")"#,
        &format!(
            r#""server": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}, error_rate: 0.3)"#
        ),
        r#""again": (retry: Fixed(attempts: 100))"#,
        1_500,
    );
    let runs = Runs::of(&text, SEEDS);
    agrees(&runs, "utilisation", 0.7142857143, 0.005);
    agrees(&runs, "wait_mean", 0.7142857143 / (1.0 - 0.7142857143) * WORK, 0.01);
    agrees(&runs, "amplification users->server", 1.428571429, 0.005);

    let stage = format!("workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}");
    let text = graph(
        r#"(to: "front", arrivals: Poisson("20/s"))"#,
        &format!(
            r#""front": ({stage}, calls: [(to: "back", times: 3), (to: "last")]), "back": ({stage}), "last": ({stage})"#
        ),
        "",
        1_500,
    );
    let runs = Runs::of(&text, SEEDS);
    agrees(&runs, "wait_mean back", 0.6 / 0.4 * WORK, 0.01);
    agrees(&runs, "wait_mean last", 0.2 / 0.8 * WORK, 0.01);
    agrees(&runs, "response_mean users->front", (2.0 * 1.25 + 3.0 * 2.5) * WORK, 0.01);
}

/// Branches of calls made at once are each a queue of their own; of their end nothing is said.
#[test]
fn parallel_branches_are_queues_of_their_own() {
    let stage = format!("workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}");
    let text = graph(
        r#"(to: "front", arrivals: Poisson("60/s"))"#,
        &format!(
            r#""front": ({stage}, calls: [Parallel([(to: "left"), (to: "right")]), (to: "after")]),
            "left": ({stage}), "right": ({stage}), "after": ({stage})"#
        ),
        "",
        900,
    );
    let runs = Runs::of(&text, SEEDS);
    agrees(&runs, "wait_mean left", 1.5 * WORK, 0.01);
    agrees(&runs, "wait_mean right", 1.5 * WORK, 0.01);
    runs.each("nothing is said of what comes after", |report| {
        find(report, "wait_mean after").is_none() && find(report, "response_mean users->front").is_none()
    });
}

/// A wrong exact value is worse than none: whatever breaks an assumption silences what rests on it.
#[test]
fn where_nothing_is_known_nothing_is_said() {
    let service = |rest: &str| {
        format!(r#"(workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}{rest})"#)
    };
    let poisson = r#"(to: "a", arrivals: Poisson("50/s"))"#;
    let pair = |a: &str, b: &str| format!(r#""a": {a}, "b": {b}"#);
    let calls_b = service(r#", calls: [(to: "b")]"#);
    let plain = service("");
    let cases = [
        // The control: all of it is known.
        (poisson.to_owned(), pair(&calls_b, &plain), "", true, true),
        // A worker that waits for others.
        (poisson.to_owned(), pair(&calls_b.replace("Async", "Blocking"), &plain), "", false, false),
        // Departures of work that is not exponential.
        (poisson.to_owned(), pair(&calls_b.replace(EXPONENTIAL, "\"10ms\""), &plain), "", true, false),
        // Arrivals that are not Poisson.
        (poisson.replace("Poisson", "Constant"), pair(&calls_b, &plain), "", false, false),
        // A balancer that makes them more even.
        (
            poisson.to_owned(),
            pair(&calls_b, &plain.replace("workers", "replicas: 2, workers")),
            "",
            true,
            false,
        ),
        // A queue that turns requests away.
        (poisson.to_owned(), pair(&calls_b.replace("Unbounded", "2"), &plain), "", true, false),
        // A queue that never settles.
        (poisson.replace("50/s", "101/s"), pair(&calls_b, &plain), "", false, false),
        // A breaker that may hold requests back.
        (
            poisson.to_owned(),
            pair(&service(r#", calls: [(to: "b", policy: "p")]"#), &plain),
            r#""p": (breaker: Consecutive())"#,
            true,
            false,
        ),
        // A caller who tries again when it takes too long.
        (
            poisson.to_owned(),
            pair(&service(r#", calls: [(to: "b", policy: "p")]"#), &plain),
            r#""p": (timeout: "30ms", retry: Fixed(attempts: 2))"#,
            true,
            false,
        ),
        // Work that takes longer the more of it there is.
        (poisson.to_owned(), pair(&calls_b, &service(", scaling: Usl(contention: 0.1)")), "", true, false),
        // Replicas that die of their load.
        (
            poisson.to_owned(),
            pair(&calls_b, &service(r#", dies: (at_in_flight: 9, restart_after: "1s")"#)),
            "",
            true,
            false,
        ),
    ];
    for (workload, services, policies, a, b) in cases {
        let text = graph(&workload, &services, policies, 60);
        let report = run(&text, 1);
        let said = |name: &str| find(&report, name).is_some();
        assert_eq!((said("wait_mean a"), said("wait_mean b")), (a, b), "{text}");
    }
    // What a request does after a call that may be held back.
    let held = service(r#", calls: [(to: "b", policy: "p"), (to: "c")]"#);
    let services = format!(r#"{}, "c": {plain}"#, pair(&held, &plain));
    let report = run(&graph(poisson, &services, r#""p": (breaker: Consecutive())"#, 60), 1);
    assert!(find(&report, "wait_mean c").is_none() && find(&report, "wait_mean a").is_some());
    // A fault, even one that is long over.
    let text = graph(poisson, &pair(&calls_b, &plain), "", 60).replace(
        "policies: {}",
        r#"policies: {}, faults: [(at: "1s", for: "1s", on: "b", effect: Slow(factor: 2))]"#,
    );
    assert!(run(&text, 1).values.is_empty());
}

/// Patience begins with the call: what the network takes of it is not known to the queue.
#[test]
fn patience_on_a_network_is_not_known() {
    let with = |deadline: &str, network: &str, rest: &str| {
        let text = graph(
            &format!(r#"(to: "server", arrivals: Poisson("90/s"), policy: "patience"{network})"#),
            &format!(
                r#""server": (workers: Blocking(1), queue: Fifo(capacity: Unbounded, drop_expired: true), work: {EXPONENTIAL}{rest})"#
            ),
            &format!(r#""patience": (deadline: {deadline})"#),
            60,
        );
        run(&text, 1)
    };
    for deadline in [r#""100ms""#, r#"Exponential(mean: "100ms")"#] {
        assert!(find(&with(deadline, "", ""), "in_time").is_some());
        assert!(with(deadline, r#", network: "30ms""#, "").values.is_empty());
        // An error in time is no success.
        let exact = |rest: &str| value(&with(deadline, "", rest), "in_time").exact.expect("it is known");
        assert!((exact(", error_rate: 0.2") / exact("") - 0.8).abs() < 1e-12);
    }
}

/// Who is turned away by what a request could do without is answered sooner than theory would say.
#[test]
fn a_rejected_optional_call_shortens_the_response() {
    let response = |optional: bool| {
        let text = graph(
            r#"(to: "a", arrivals: Poisson("100/s"))"#,
            &format!(
                r#""a": (workers: Async(8), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}, calls: [(to: "b", optional: {optional})]),
                   "b": (workers: Async(1), queue: Fifo(capacity: 0), work: "10ms")"#
            ),
            "",
            60,
        );
        let report = run(&text, 1);
        assert!(find(&report, "utilisation b").is_some());
        find(&report, "response_mean users->a").is_some()
    };
    assert!(!response(true) && !response(false));
}

/// Work that others stretch may end after the timeout though nobody waits: a loss is not all that times out.
#[test]
fn losses_of_work_that_others_stretch_are_not_known() {
    let losses = |scaling: &str| {
        let text = graph(
            r#"(to: "a", arrivals: Poisson("5/s"), policy: "p")"#,
            &format!(r#""a": (workers: Async(20), work: "10ms"{scaling})"#),
            r#""p": (timeout: "25ms", retry: Fixed(attempts: 3, delay: "1s"))"#,
            60,
        );
        run(
            &text.replace(
                "policies: {",
                r#"faults: [(at: "0s", on: "a", effect: Drop(probability: 0.1))], policies: {"#,
            ),
            1,
        )
    };
    assert!(find(&losses(""), "amplification users->a").is_some());
    assert!(losses(", scaling: Usl(contention: 1.0, coherency: 1.0)").values.is_empty());
}

/// What a small budget lets through is known roughly, and so is all that follows from it; what does not, exactly.
#[test]
fn what_follows_from_an_approximation_is_one() {
    let text = graph(
        r#"(to: "a", arrivals: Poisson("40/s"))"#,
        &format!(
            r#""a": (workers: Async(2), work: {EXPONENTIAL}, calls: [(to: "b", policy: "few"), (to: "c", policy: "all")]),
               "b": (workers: Async(2), work: {EXPONENTIAL}, error_rate: 0.1),
               "c": (workers: Async(2), work: {EXPONENTIAL}, error_rate: 0.1)"#
        ),
        r#""few": (retry: Fixed(attempts: 3), budget: Ratio(ratio: 0.12, burst: 1)), "all": (retry: Fixed(attempts: 3))"#,
        60,
    );
    let report = run(&text, 1);
    for (name, rough) in [
        ("amplification a->b", true),
        ("amplification a->c", false),
        ("per_user_call a->c", true),
        ("success users->a", true),
    ] {
        assert_eq!(value(&report, name).source.contains("approximate"), rough, "{name}");
    }
}

/// Retries that come after the end of the run are missing in what was counted.
#[test]
fn calls_cut_off_by_the_end_make_it_approximate() {
    let rough = |pause: &str| {
        let text = graph(
            r#"(to: "a", arrivals: Poisson("40/s"), policy: "p")"#,
            &format!(r#""a": (workers: Async(2), work: {EXPONENTIAL}, error_rate: 0.3)"#),
            &format!(r#""p": (retry: Fixed(attempts: 3, delay: "{pause}"))"#),
            60,
        );
        let report = run(&text, 1);
        ["amplification users->a", "success users->a"]
            .map(|name| value(&report, name).source.contains("approximate"))
    };
    assert_eq!((rough("10ms"), rough("2s")), ([false; 2], [true; 2]));
}

/// A timeout without retries changes nothing for the server, which works on; only of the answers nothing is said.
#[test]
fn a_timeout_is_the_callers_business() {
    let text = graph(
        r#"(to: "server", arrivals: Poisson("70/s"), policy: "quick")"#,
        &format!(r#""server": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL})"#),
        r#""quick": (timeout: "20ms")"#,
        900,
    );
    let runs = Runs::of(&text, SEEDS);
    agrees(&runs, "wait_mean", 0.7 / 0.3 * WORK, 0.01);
    runs.each("nothing is said of the answers", |report| find(report, "response_mean").is_none());
}

/// `erlang_b.csv`: a bulkhead of 25 for 20 Erlang of constant work.
#[test]
fn a_bulkhead_refuses_as_erlang_b_says() {
    let text = graph(
        r#"(to: "api", arrivals: Poisson("2000/s"), policy: "pool")"#,
        r#""api": (workers: Async(25), work: "10ms")"#,
        r#""pool": (bulkhead: (max_concurrent: 25))"#,
        40,
    );
    agrees(&Runs::of(&text, SEEDS), "refused", erlang_b(25, 20.0), 0.005);
}

/// `retry_layers_partial.csv`: p 0.5, one retry at each of three layers; and the same with losses instead of
/// errors: what survives both ways of a network that loses 29.3 % is half.
#[test]
fn layers_of_retries() {
    let layer =
        |to: &str| format!(r#"(workers: Async(1000), work: "1ms", calls: [(to: "{to}", policy: "p")])"#);
    let workload = r#"(to: "a", arrivals: Poisson("200/s"), policy: "p")"#;
    let errors = graph(
        workload,
        &format!(
            r#""a": {}, "b": {}, "c": (workers: Async(1000), work: "1ms", error_rate: 0.5)"#,
            layer("b"),
            layer("c")
        ),
        r#""p": (retry: Fixed(attempts: 2))"#,
        60,
    );
    let runs = Runs::of(&errors, SEEDS);
    agrees(&runs, "amplification b->c", 1.5, 0.005);
    agrees(&runs, "amplification a->b", 1.25, 0.005);
    agrees(&runs, "amplification users->a", 1.0625, 0.005);
    agrees(&runs, "per_user_call b->c", 1.9921875, 0.005);
    agrees(&runs, "success users->a", 0.99609375, 0.005);

    let lost = 1.0 - 0.5f64.sqrt();
    let losses = graph(
        r#"(to: "c", arrivals: Poisson("200/s"), policy: "p")"#,
        r#""c": (workers: Async(1000), work: "1ms")"#,
        r#""p": (timeout: "10ms", retry: Fixed(attempts: 4))"#,
        60,
    )
    .replace(
        "},\n    ),",
        &format!(
            "}},\n        faults: [(at: \"0s\", on: \"c\", effect: Drop(probability: {lost}))],\n    ),"
        ),
    );
    let runs = Runs::of(&losses, SEEDS);
    agrees(&runs, "amplification users->c", 1.875, 0.005);
    agrees(&runs, "success users->c", 0.9375, 0.005);
}

/// `retry_budget_cap.csv`: 10 % for three retries at p 0.5 is 1.1, at p 0.05 the budget never matters; and if all
/// fail, the retries are to the last one what was paid in and the first fill.
#[test]
fn budgets() {
    let text = |p: f64, burst: u32, warm_up: &str| {
        graph(
            r#"(to: "server", arrivals: Poisson("500/s"), policy: "p")"#,
            &format!(r#""server": (workers: Async(1000), work: "1ms", error_rate: {p})"#),
            &format!(r#""p": (retry: Fixed(attempts: 4), budget: Ratio(ratio: 0.1, burst: {burst}))"#),
            110,
        )
        .replace("warm_up: \"10s\"", warm_up)
    };
    let runs = Runs::of(&text(0.5, 20, "warm_up: \"10s\""), SEEDS);
    agrees(&runs, "amplification users->server", 1.1, 0.005);
    agrees(&runs, "success users->server", 0.55, 0.005);
    runs.each("it is called approximate", |report| {
        value(report, "amplification users->server").source.contains("approximate")
    });
    let runs = Runs::of(&text(0.05, 1_000, "warm_up: \"10s\""), SEEDS);
    agrees(&runs, "amplification users->server", 1.052625, 0.005);
    for report in Runs::of(&text(1.0, 20, "warm_up: \"0s\""), SEEDS).reports {
        let value = value(&report, "amplification users->server");
        // Calls that overlap the first may lose their deposit to the full bucket too; the last may still be out.
        let retries =
            (value.value.unwrap() - value.exact.unwrap()) * report.edges.0[0].1.calls.started as f64;
        assert!(retries.abs() < 2.0, "{retries} retries off: {value:?}");
    }
}

/// Both sides of Little's law, summed apart, are the same in every run of anything; and it is about something.
#[test]
fn littles_law_holds_whatever_happens() {
    let mut busy = 0;
    for seed in 1..=60 {
        let report = run(&random_experiment(seed), seed);
        for (name, service) in report.services.iter() {
            let Some(little) = service.little else { continue };
            let gap = (little.number - little.product).abs();
            assert!(gap <= 1e-12 * little.number, "random experiment {seed}, {name}: {little:?}");
            assert!(little.number >= service.queue_mean, "{name}: who waits is in hand");
            busy += u32::from(little.number > 0.1);
        }
    }
    assert!(busy > 60, "{busy} services had something in hand");
}
