//! Valid experiments at the edge of what can be written: they run to their end, or are refused before.

use brownout_tests::{edge, resolve, run, run_with, service};
use sim_core::SimTime;
use sim_models::Catalog;
use sim_models::experiment::Experiment;
use sim_models::policy::{Ending, Outcome};
use sim_models::run::RunOptions;

fn graph(parts: &str, run: &str) -> String {
    format!("(about: \"extreme\", model: ServiceGraph({parts}), run: ({run}))")
}

/// The message with which `text` is refused.
fn refused(text: &str) -> String {
    match Experiment::parse("test.ron", text, &[], &Catalog::bundled()) {
        Ok(_) => panic!("not refused: {text}"),
        Err(failed) => failed.to_string(),
    }
}

/// Nothing is left to happen before the warm-up is over: the run goes on to its end all the same, and rates
/// are of all of it.
#[test]
fn users_who_stop_coming() {
    let text = |warm_up| {
        graph(
            r#"workload: [(to: "s", arrivals: Steps(steps: [(at: "0s", rate: "100/s"), (at: "10s", rate: "0/s")], spacing: Even))],
               services: {"s": (workers: Blocking(1), work: "1ms")}"#,
            &format!(r#"duration: "40s", warm_up: "{warm_up}""#),
        )
    };
    let late = run(&text("20s"), 1);
    assert_eq!((edge(&late, "users->s").calls.started, late.summary.goodput), (0, Some(0.0)));
    let all = run(&text("0s"), 1);
    assert_eq!(edge(&all, "users->s").calls.ok(), 999);
    assert_eq!(edge(&all, "users->s").goodput, 999.0 / 40.0);
    assert_eq!(service(&all, "s").utilisation, 0.999 / 40.0);
}

/// A thousand workers for four and a half years.
#[test]
fn more_work_than_can_be_told() {
    let of = |workers: u32| {
        let text = format!(
            r#"(about: "x", model: ServiceGraph(
                workload: [(to: "s", arrivals: Constant("0.0003/s"))],
                services: {{"s": (workers: Async({workers}), work: "900h")}},
            ), run: (duration: "40000h", window: "10h"))"#
        );
        run(&text, 1)
    };
    let (many, few) = (of(1_000), of(10));
    assert_eq!(service(&many, "s").work, u64::MAX);
    let more = "s did more than 584 years of work, which is the most that `work` can say";
    assert_eq!(many.notes, [more]);
    assert!(service(&few, "s").work < u64::MAX && few.notes.is_empty(), "{:?}", few.notes);
}

/// A thousand pauses of a century are explained like any others.
#[test]
fn pauses_longer_than_time() {
    let text = graph(
        r#"workload: [(to: "s", arrivals: Poisson("1/s"), policy: "p")], services: {"s": (workers: Blocking(1), work: "1ms")},
           policies: {"p": (timeout: "870000h", retry: Exponential(attempts: 1000, base: "870000h", cap: "870000h"))}"#,
        r#"duration: "40s""#,
    );
    let resolved = resolve(&text, None);
    assert!(!resolved.model.explain(&resolved.run).tables.is_empty());
}

/// More worker time than 64 bits hold, in one window and in all of them.
#[test]
fn ten_thousand_million_workers() {
    for queue in ["Fifo()", "SharedFifo()", "SharedFifo(capacity: 0)", "SharedFifo(capacity: Unbounded)"] {
        let text = graph(
            &format!(
                r#"workload: [(to: "s", arrivals: Poisson("1/s"))],
                   services: {{"s": (replicas: 10000, workers: Blocking(1000000), work: Exponential(mean: "1s"), queue: {queue})}}"#
            ),
            r#"duration: "10min", window: "1min""#,
        );
        let report = run(&text, 1);
        let part = report.during(SimTime::from_secs(60), SimTime::from_secs(600));
        for s in [service(&report, "s"), service(&part, "s")] {
            assert!(s.utilisation > 0.0 && s.utilisation < 1e-8, "{}", s.utilisation);
        }
    }
    // Half a million at a time for a hundred years, in two services.
    let service = r#"(replicas: 10, workers: Async(50000), work: "36500d")"#;
    let text = graph(
        &format!(
            r#"workload: [(to: "a", arrivals: Constant("2/d")), (name: "others", to: "b", arrivals: Constant("2/d"))],
               services: {{"a": {service}, "b": {service}}}"#
        ),
        r#"duration: "36500d", window: "365d""#,
    );
    let report = run(&text, 1);
    assert!(report.services.iter().all(|(_, service)| service.queue_max == 0));
    assert!(report.during(SimTime::ZERO, SimTime::MAX).services.iter().all(|(_, s)| s.utilisation > 0.05));
}

/// They do the same at the same instants, and that is no loop without delay.
#[test]
fn six_hundred_thousand_users_in_step() {
    let text = graph(
        r#"workload: [(to: "s", arrivals: ClosedLoop(users: 600000, think: "1s"))],
           services: {"s": (workers: Async(1000000), work: "0s")}"#,
        r#"duration: "2500ms""#,
    );
    let report = run(&text, 1);
    assert_eq!((report.stopped.as_deref(), edge(&report, "users->s").calls.ok()), (None, 1_200_000));
}

/// Calls end, what they asked for stays in the queue: that is in flight, too.
#[test]
fn requests_that_nobody_waits_for_are_in_flight() {
    let text = graph(
        r#"workload: [(to: "s", arrivals: Constant("1000/s"), policy: "p")],
           services: {"s": (workers: Blocking(1), work: "1h", queue: Fifo(capacity: Unbounded))},
           policies: {"p": (timeout: "10ms")}"#,
        r#"duration: "60s""#,
    );
    let options = RunOptions { max_in_flight: 5_000, ..RunOptions::seeded(1) };
    let stopped = run_with(&resolve(&text, None), &options).report.stopped.expect("it was stopped");
    assert!(stopped.starts_with("10 calls and 5001 requests in flight at 5 s:"), "{stopped}");
}

/// Every call to the next service is made within the event in which the one before is done.
#[test]
fn a_chain_of_two_thousand_services() {
    const LENGTH: usize = 2_000;
    let mut services = String::new();
    for number in 0..LENGTH {
        let calls = format!("calls: [(to: \"s{}\")]", number + 1);
        let calls = if number + 1 < LENGTH { calls.as_str() } else { "error_rate: 1.0" };
        services += &format!("\"s{number}\": (workers: Blocking(1000), work: \"0s\", {calls}), ");
    }
    let text = graph(
        &format!(r#"workload: [(to: "s0", arrivals: Constant("5/s"))], services: {{{services}}}"#),
        r#"duration: "1001ms", window: "1001ms""#,
    );
    let report = run(&text, 1);
    assert_eq!(edge(&report, "users->s0").calls.of(Ending::Failed(Outcome::Error)), 5);
    assert_eq!(edge(&report, "s1998->s1999").attempts.of(Outcome::Error), 5);
}

/// Ten thousand calls at once, refused at once, by a service that is down.
#[test]
fn a_fan_out_of_ten_thousand() {
    let text = graph(
        r#"workload: [(to: "front", arrivals: Constant("10/s"))],
           services: {
               "front": (workers: Async(1), work: "1ms", calls: [
                   (to: "back", times: 10000, optional: true), Parallel([(to: "back", times: 10000, policy: "p")]),
               ]),
               "back": (replicas: 3, workers: Blocking(1), work: "1ms"),
           },
           policies: {"p": (retry: Fixed(attempts: 2), balancer: LeastPending)},
           faults: [(at: "0s", on: "back", effect: Crash(callers: Reset))]"#,
        r#"duration: "1050ms""#,
    );
    let report = run(&text, 1);
    assert_eq!(edge(&report, "front->back").attempts.of(Outcome::Refused), 100_000);
    assert_eq!(edge(&report, "front->back#2").attempts.of(Outcome::Refused), 200_000);
    assert_eq!(edge(&report, "users->front").calls.of(Ending::Failed(Outcome::Error)), 10);
}

#[test]
fn a_thousand_attempts() {
    let text = graph(
        r#"workload: [(to: "s", arrivals: Constant("1/s"), policy: "p")],
           services: {"s": (workers: Blocking(1), work: "1us", error_rate: 1.0)},
           policies: {"p": (retry: Fixed(attempts: 1000), breaker: Consecutive(failures: 1000000))}"#,
        r#"duration: "2s""#,
    );
    let report = run(&text, 1);
    assert_eq!(edge(&report, "users->s").attempts.sent, 1_000);
}

#[test]
fn what_does_not_fit_into_memory_is_refused() {
    let clients = graph(
        r#"workload: [(to: "s", arrivals: Poisson("1/s"), clients: 100000, policy: "p")],
           services: {"s": (replicas: 10000, workers: Blocking(1), work: "1ms")},
           policies: {"p": (balancer: LeastPending)}"#,
        r#"duration: "1s""#,
    );
    let said = refused(&clients);
    assert!(said.contains("what clients remember of their policies takes 114"), "{said}");
    let calls = "(to: \"b\", times: 10000), ".repeat(101);
    let at_once = graph(
        &format!(
            r#"workload: [(to: "a", arrivals: Poisson("1/s"))],
               services: {{"a": (workers: Async(1), work: "1ms", calls: [Parallel([{calls}])]), "b": (workers: Async(1), work: "1ms")}}"#
        ),
        r#"duration: "1s""#,
    );
    let said = refused(&at_once);
    assert!(said.contains("1010000 calls at once"), "{said}");
    let calls = "(to: \"b\"), ".repeat(1_000);
    let windows = graph(
        &format!(
            r#"workload: [(to: "a", arrivals: Poisson("1/s"))],
               services: {{"a": (workers: Async(1), work: "1ms", calls: [{calls}]), "b": (workers: Async(1), work: "1ms")}}"#
        ),
        r#"duration: "1h", window: "36ms""#,
    );
    let said = refused(&windows);
    assert!(said.contains("100000 windows of 1001 edges"), "{said}");
}
