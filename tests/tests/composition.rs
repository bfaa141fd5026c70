//! Policies, queues and faults together: what simulators get wrong that call a request done when its
//! handler returns. Each test is a bad day that an engineer would recognise.

use brownout_tests::{Runs, edge, resolve, run, run_with, seconds, service};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::Report;
use sim_models::run::RunOptions;
use sim_models::theory::erlang_b;

/// A second of nanoseconds.
const S: u64 = 1_000_000_000;

/// 30/s into a server that does 20/s, half a second of patience, three attempts.
const OVERLOADED: &str = r#"(
    about: "30/s into a server of 20/s",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("30/s"), policy: "impatient")],
        services: {"server": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "50ms"))},
        policies: {
            "patient": (),
            "impatient": (timeout: "500ms", retry: Fixed(attempts: 3)),
        },
    ),
    run: (duration: "300s", warm_up: "60s"),
    variants: {"patient": {"workload[0].policy": "patient"}},
)"#;

#[test]
fn an_overloaded_server_times_out_and_works_for_nobody() {
    let runs = Runs::of(OVERLOADED, 1..=5);
    runs.each("almost nothing is answered in time", |report| {
        edge(report, "users->server").success < Some(0.01)
    });
    runs.each("nearly all attempts time out", |report| {
        let users = edge(report, "users->server");
        users.attempts.of(Outcome::TimedOut) > 9 * users.attempts.sent / 10
            && users.calls.of(Ending::Failed(Outcome::TimedOut)) > 0
    });
    runs.each("every call costs three attempts", |report| {
        let users = edge(report, "users->server");
        users.amplification.is_some_and(|amplification| amplification > 2.9)
    });
    runs.each("the server is busy, and all of it is waste", |report| {
        let server = service(report, "server");
        server.utilisation == 1.0 && server.wasted > Some(0.99)
    });
    // Without a timeout the same server answers 20/s, later and later.
    let patient = run_with(&resolve(OVERLOADED, Some("patient")), &RunOptions::seeded(1)).report;
    let users = edge(&patient, "users->server");
    let answered = users.windows.ok[60..].iter().sum::<u64>() as f64 / 240.0;
    assert!((answered - 20.0).abs() < 1.0 && users.attempts.of(Outcome::TimedOut) == 0, "{answered}");
    assert_eq!(service(&patient, "server").wasted, Some(0.0));
    assert!(seconds(users.latency.p50) > 20.0);
}

/// A crash of 20 s, as callers see it, and what stands in front of it.
fn crash(callers: &str, policy: &str) -> Report {
    let text = format!(
        r#"(
    about: "a crash of 20 s",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("100/s"), policy: "p")],
        services: {{"server": (workers: Blocking(4), work: Exponential(mean: "20ms"))}},
        policies: {{"p": (timeout: "200ms"{policy})}},
        faults: [(at: "20s", for: "20s", on: "server", effect: Crash(callers: {callers}))],
    ),
    run: (duration: "60s"),
)"#
    );
    run(&text, 3)
}

#[test]
fn a_breaker_before_a_crash_opens_and_closes_again() {
    let bare = crash("Reset", "");
    let guarded = crash("Reset", ", breaker: Consecutive(failures: 5, open_for: \"3s\")");
    let users = edge(&guarded, "users->server");
    let breakers = guarded.section("breakers", "users->server").expect("there is one");
    let steps: Vec<_> = breakers.changes.iter().map(|change| (&*change.to, change.at)).collect();
    let (first, last) = (steps[0], steps[steps.len() - 1]);
    assert!(first.0 == "open" && (20 * S..21 * S).contains(&first.1), "{steps:?}");
    // Probes at 3, 6 .. 18 s fail, the one after 21 s succeeds.
    assert!(last.0 == "closed" && (41 * S..42 * S).contains(&last.1), "{steps:?}");
    assert_eq!(steps.iter().filter(|step| step.0 == "half_open").count(), 7);
    // What it refused was neither sent nor answered, and does not count as done.
    assert!(users.calls.of(Ending::BreakerOpen) > 1_900);
    assert_eq!(users.calls.never_sent, users.calls.of(Ending::BreakerOpen));
    assert_eq!(users.attempts.sent, users.calls.started - users.calls.of(Ending::BreakerOpen));
    assert!(users.attempts.of(Outcome::Refused) + users.attempts.of(Outcome::Reset) <= 5 + 6 + 4);
    assert!(users.calls.ok() < edge(&bare, "users->server").calls.ok());
    assert!(edge(&bare, "users->server").attempts.of(Outcome::Refused) > 1_800);
}

#[test]
fn a_reset_and_silence_are_different_crashes() {
    let reset = crash("Reset", "");
    let silence = crash("Silence", "");
    let (reset, silence) = (edge(&reset, "users->server"), edge(&silence, "users->server"));
    assert!(reset.attempts.of(Outcome::Reset) > 0 && reset.attempts.of(Outcome::Refused) > 1_800);
    assert_eq!((silence.attempts.of(Outcome::Reset), silence.attempts.of(Outcome::Refused)), (0, 0));
    assert!(silence.attempts.of(Outcome::TimedOut) > 1_800);
    // Whoever is refused knows at once; whoever hears nothing knows after the timeout.
    assert!(reset.latency_failed.p50 < Some(1_000) && silence.latency_failed.p50 == Some(S / 5));
}

/// A network fault of 10 s on a server with room for 100/s under 60/s.
fn network(effect: &str, policy: &str) -> Report {
    let text = format!(
        r#"(
    about: "a network fault of 10 s",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("60/s"), policy: "p")],
        services: {{"server": (workers: Blocking(2), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "20ms"))}},
        policies: {{"p": ({policy})}},
        faults: [(at: "20s", for: "10s", on: "users->server", effect: {effect})],
    ),
    run: (duration: "90s"),
)"#
    );
    run(&text, 5)
}

#[test]
fn held_messages_arrive_together_and_dropped_ones_never() {
    let (held, dropped) = (network("Hold", ""), network("Drop", ""));
    let (late, lost) = (edge(&held, "users->server"), edge(&dropped, "users->server"));
    // Nobody has a timeout: what was held is answered late, what was dropped is waited for until the end.
    assert_eq!(
        (late.calls.in_flight() < 5, late.calls.ok() + late.calls.in_flight()),
        (true, late.calls.started)
    );
    let during: u64 = lost.windows.started[20..30].iter().sum();
    assert!(lost.calls.in_flight().abs_diff(during) < 20, "{} of {during}", lost.calls.in_flight());
    assert!(service(&held, "server").queue_max > 500 && service(&dropped, "server").queue_max < 50);
    assert!(seconds(late.latency.max) > 10.0 && seconds(lost.latency.max) < 3.0);
    // With a timeout both fail alike while it lasts; only the hold leaves a queue of the dead behind.
    let (held, dropped) = (network("Hold", "timeout: \"1s\""), network("Drop", "timeout: \"1s\""));
    let after = |report: &Report| edge(report, "users->server").windows.ok[30..33].iter().sum::<u64>();
    assert!(after(&held) < 20 && after(&dropped) > 120, "{} {}", after(&held), after(&dropped));
    assert!(service(&held, "server").work_wasted > 50 * service(&dropped, "server").work_wasted.max(1) / 10);
}

/// Claim E13: 1000 calls at once into 100/s with 5 s of patience and no retry: 500 are answered, and the
/// other 500 keep the server busy for nobody until 10 s.
#[test]
fn a_herd_is_served_half_in_vain() {
    let report = run(
        r#"(
    about: "a herd",
    model: ServiceGraph(
        workload: [(to: "server", policy: "p", arrivals: Steps(spacing: Even, steps: [
            (at: "0s", rate: "1000000/s"), (at: "1000500ns", rate: "0/s"),
        ]))],
        services: {"server": (workers: Blocking(1), work: "10ms", queue: Fifo(capacity: Unbounded))},
        policies: {"p": (timeout: "5s")},
    ),
    run: (duration: "20s"),
)"#,
        1,
    );
    let users = edge(&report, "users->server");
    assert_eq!((users.calls.started, users.calls.ok()), (1_000, 500));
    let server = service(&report, "server");
    assert_eq!((server.work, server.wasted), (10 * S, Some(0.5)));
    let busy = &server.windows.busy_ns;
    assert!(busy[..9].iter().skip(1).all(|&busy| busy == S) && busy[11..].iter().all(|&busy| busy == 0));
}

/// Claims E7 and E8: four classes of requests share 100 threads; payments become slow. By Little's law they
/// hold 50 of the threads at 1 s, and would hold 150 at 3 s. With a bulkhead of 25 on the calls to
/// payments they hold no more, and nobody else notices.
fn pools(payments: &str, policy: &str) -> Report {
    let text = format!(
        r#"(
    about: "100 threads for everything",
    model: ServiceGraph(
        workload: [
            (name: "pay", to: "app", arrivals: Poisson("50/s")),
            (name: "browse", to: "app", arrivals: Poisson("150/s")),
        ],
        services: {{
            "app": (workers: Blocking(100), queue: Fifo(capacity: 0), work: "20ms",
                    calls: [(to: "payments", only_from: ["pay"], policy: "p")]),
            "payments": (workers: Async(10000), work: "{payments}"),
        }},
        policies: {{"p": ({policy})}},
    ),
    run: (duration: "120s", warm_up: "20s"),
)"#
    );
    run(&text, 9)
}

#[test]
fn slow_payments_starve_everyone_unless_a_bulkhead_stands_before_them() {
    let slow = pools("1s", "");
    // 200/s for 20 ms and 50/s for another second.
    assert!((service(&slow, "app").utilisation - 0.54).abs() < 0.02, "{}", service(&slow, "app").utilisation);
    assert_eq!(edge(&slow, "browse->app").success, Some(1.0));
    let dead = pools("3s", "");
    let browse = edge(&dead, "browse->app").success.expect("calls ended");
    // The pool is Erlang's loss system, whatever holds its threads: 200 x 0.02 + 50 x 3 = 154 Erlang.
    assert!(browse < 0.75 && (1.0 - browse - erlang_b(100, 154.0)).abs() < 0.02, "{browse}");
    assert!(edge(&dead, "browse->app").attempts.of(Outcome::Rejected) > 0);
    let guarded = pools("3s", "bulkhead: (max_concurrent: 25)");
    assert!(edge(&guarded, "browse->app").success >= Some(0.999));
    let calls = &edge(&guarded, "app->payments").calls;
    assert!(
        calls.of(Ending::BulkheadFull) > calls.ok() && calls.never_sent == calls.of(Ending::BulkheadFull)
    );
}

/// Claim B24: one of ten replicas fails at once. Round robin gives it a tenth of the calls whatever the load;
/// whoever sends to the least busy sends it all that the others are too busy for, and more the busier
/// they are.
#[test]
fn a_fast_failure_attracts_the_balancer() {
    let errors = |rate: u32, balancer: &str| {
        let text = format!(
            r#"(
    about: "gray failure",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("{rate}/s"), policy: "p")],
        services: {{"server": (replicas: 10, workers: Blocking(1), queue: Fifo(capacity: Unbounded),
                               work: Exponential(mean: "10ms"))}},
        policies: {{"p": (balancer: {balancer})}},
        faults: [
            (at: "0s", on: "server", effect: Errors(probability: 1), replicas: Only([3])),
            (at: "0s", on: "server", effect: Slow(factor: 0.001), replicas: Only([3])),
        ],
    ),
    run: (duration: "60s", warm_up: "10s"),
)"#
        );
        1.0 - edge(&run(&text, 2), "users->server").success.expect("calls ended")
    };
    assert!((errors(100, "RoundRobin") - 0.10).abs() < 0.001);
    assert!((errors(700, "RoundRobin") - 0.10).abs() < 0.001);
    // Nine can do 900/s: of 2000/s at least 55 % go where they are answered at once, with an error.
    let least = [100, 700, 2_000].map(|rate| errors(rate, "LeastPending"));
    println!("errors with the least pending at 100, 700 and 2000/s: {least:?}");
    assert!((least[0] - 0.10).abs() < 0.02 && least[1] > 0.2 && least[2] > 0.55, "{least:?}");
}

/// Claim D8: a dead replica gets its turn like the others.
#[test]
fn round_robin_keeps_calling_the_dead() {
    let report = run(
        r#"(
    about: "one of three is dead",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("90/s"))],
        services: {"server": (replicas: 3, workers: Blocking(2), work: Exponential(mean: "10ms"))},
        faults: [(at: "0s", on: "server", effect: Crash(callers: Reset), replicas: Only([1]))],
    ),
    run: (duration: "60s"),
)"#,
        1,
    );
    let users = edge(&report, "users->server");
    assert!(users.attempts.of(Outcome::Refused).abs_diff(users.attempts.sent / 3) <= 1);
}

/// Replicas that do not survive 50 requests in hand, under a load that three can carry and two cannot. One is
/// down for five seconds; the others die of its share, whoever comes back dies of theirs: with retries, a
/// third of the service for 5 s becomes all of it for half a minute.
#[test]
fn replicas_die_of_the_load_of_the_dead() {
    let text = |attempts: u32| {
        format!(
            r#"(
    about: "a cascade",
    model: ServiceGraph(
        workload: [(to: "server", policy: "p", clients: 5, arrivals: Steps(steps: [
            (at: "0s", rate: "240/s"), (at: "120s", rate: "60/s"),
        ]))],
        services: {{"server": (
            replicas: 3, workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: "10ms",
            dies: (at_in_flight: 50, restart_after: "10s"),
        )}},
        policies: {{"p": (timeout: "2s", retry: Fixed(attempts: {attempts}))}},
        faults: [(at: "30s", for: "5s", on: "server", effect: Crash(callers: Reset), replicas: Only([0]))],
    ),
    run: (duration: "180s"),
)"#
        )
    };
    // Without retries nobody takes over what the dead one would have done: round robin spares the others.
    let alone = run(&text(1), 1);
    assert_eq!(service(&alone, "server").deaths, 0);
    let cascade = run(&text(3), 1);
    let ok = &edge(&cascade, "users->server").windows.ok;
    let per_sec = |from: usize, to: usize| ok[from..to].iter().sum::<u64>() as f64 / (to - from) as f64;
    assert!(per_sec(10, 30) > 230.0);
    // It ends when two happen to come back together.
    assert!(per_sec(35, 60) < 60.0, "after the crash: {}/s", per_sec(35, 60));
    assert!(per_sec(130, 180) > 55.0, "when the load is gone: {}/s", per_sec(130, 180));
    let died = service(&cascade, "server").deaths;
    assert!(died >= 6, "{died}");
}

/// A front of eight workers before a back that needs a second: held while they wait, eight are 8/s; given
/// back, they are no limit.
#[test]
fn blocking_workers_wait_and_async_ones_do_not() {
    let text = |workers: &str| {
        format!(
            r#"(
    about: "a slow back",
    model: ServiceGraph(
        workload: [(to: "front", arrivals: Poisson("100/s"))],
        services: {{
            "front": (workers: {workers}(8), queue: Fifo(capacity: 20), work: "10ms", calls: [(to: "back")]),
            "back": (workers: Blocking(1000), work: "1s"),
        }},
    ),
    run: (duration: "60s", warm_up: "10s"),
)"#
        )
    };
    let (held, free) = (run(&text("Blocking"), 1), run(&text("Async"), 1));
    let (slow, quick) = (edge(&held, "users->front"), edge(&free, "users->front"));
    assert!((slow.goodput - 8.0 / 1.01).abs() < 0.5, "{}", slow.goodput);
    assert!(slow.attempts.of(Outcome::Rejected) > 4_000 && quick.attempts.of(Outcome::Rejected) == 0);
    assert!((quick.goodput - 100.0).abs() < 5.0 && service(&held, "front").utilisation > 0.999);
    assert!((service(&free, "front").utilisation - 100.0 * 0.01 / 8.0).abs() < 0.01);
}

/// A network that loses half of all messages: half of the requests never arrive, and half of the work that
/// is done is done for an answer that nobody gets.
#[test]
fn work_whose_answer_is_lost_is_wasted() {
    let text = r#"(
    about: "half of all messages are lost",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("100/s"), policy: "p")],
        services: {"server": (workers: Blocking(4), work: Exponential(mean: "5ms"))},
        policies: {"p": (timeout: "1s")},
        faults: [(at: "0s", on: "users->server", effect: Drop(0.5))],
    ),
    run: (duration: "200s"),
)"#;
    let runs = Runs::of(text, 1..=20);
    runs.agree("work for a lost answer", |report| service(report, "server").wasted.unwrap(), 0.5, 0.0);
    runs.agree("both messages get through", |report| report.summary.success.unwrap(), 0.25, 0.0);
}

/// Users of a closed loop who wait for ever stop asking: what is left of them is answered, and still it is
/// not what it was.
#[test]
fn users_who_wait_for_ever_have_not_recovered() {
    let text = r#"(
    about: "requests vanish for 5 s, and nobody has a timeout",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: ClosedLoop(users: 1000, think: Exponential(mean: "10s")))],
        services: {"server": (workers: Blocking(4), work: Exponential(mean: "5ms"))},
        faults: [(at: "60s", for: "5s", on: "server", effect: BlackHole)],
    ),
    run: (duration: "200s", warm_up: "10s"),
)"#;
    Runs::of(text, 1..=5).each("less than before is not recovered", |report| {
        report.summary.recovered == Some(false) && report.summary.success > Some(0.9)
    });
}

/// Two crashes at once: what callers notice is said by those that still hold the replica down.
#[test]
fn the_silence_of_a_crash_ends_with_it() {
    let report = run(
        r#"(
    about: "silence, then refusals",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Constant("100/s"), policy: "p")],
        services: {"server": (workers: Blocking(10), work: "1ms")},
        policies: {"p": (timeout: "5ms")},
        faults: [
            (at: "10005ms", for: "10s", on: "server", effect: Crash(callers: Silence)),
            (at: "15005ms", for: "15s", on: "server", effect: Crash(callers: Reset)),
        ],
    ),
    run: (duration: "40s"),
)"#,
        1,
    );
    let attempts = &edge(&report, "users->server").attempts;
    assert_eq!((attempts.of(Outcome::TimedOut), attempts.of(Outcome::Refused)), (1_000, 1_000));
}

/// Requests that wait for a dependency count against what a replica survives, whichever queue they came from.
#[test]
fn a_replica_dies_of_what_it_took_from_a_shared_queue() {
    let text = |queue: &str| {
        format!(
            r#"(
    about: "asynchronous workers take on too much",
    model: ServiceGraph(
        workload: [(to: "front", arrivals: Steps(steps: [(at: "0s", rate: "1000/s"), (at: "20ms", rate: "0/s")], spacing: Even))],
        services: {{
            "front": (workers: Async(1), work: "10ms", queue: {queue}, calls: [(to: "back")],
                      dies: (at_in_flight: 10, restart_after: "1s")),
            "back": (workers: Blocking(100), work: "10s"),
        }},
    ),
    run: (duration: "9s"),
)"#
        )
    };
    // Its own queue counts, so the tenth to arrive kills it; of a shared one it has what it took, so the tenth
    // that it takes does, and when it is back the same happens with the rest.
    for (queue, reset, waiting) in [("Fifo()", 10, 9), ("SharedFifo()", 10, 9)] {
        let report = run(&text(queue), 1);
        let attempts = &edge(&report, "users->front").attempts;
        let found = (
            attempts.of(Outcome::Reset),
            attempts.of(Outcome::InFlight) + attempts.of(Outcome::Refused),
            service(&report, "front").deaths,
        );
        assert_eq!(found, (reset, waiting, 1), "{queue}");
    }
}

/// gRPC's throttle counts the failures that would be retried, and no others.
#[test]
fn a_throttle_counts_what_it_could_retry() {
    let text = |on: &str| {
        format!(
            r#"(
    about: "errors beside timeouts",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Constant("100/s"), policy: "p")],
        services: {{"server": (workers: Blocking(10), work: "1ms", error_rate: 0.5)}},
        policies: {{"p": (timeout: "100ms", retry: Fixed(attempts: 2, on: [{on}]), budget: Throttle())}},
        faults: [(at: "50s", for: "1s", on: "server", effect: BlackHole)],
    ),
    run: (duration: "100s"),
)"#
        )
    };
    let timeouts = run(&text("TimedOut"), 1);
    let attempts = &edge(&timeouts, "users->server").attempts;
    assert_eq!((attempts.retries, attempts.rationed() > 90), (4, true));
    let both = run(&text("TimedOut, Error"), 1);
    assert!(edge(&both, "users->server").attempts.rationed() > 4_000);
}
