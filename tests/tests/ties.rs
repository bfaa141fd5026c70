//! What happens at one instant: ends come before beginnings, whoever they belong to and whatever network, policy or
//! service is between. So a system of even arrivals and even work can be full to the last nanosecond, and what takes
//! exactly as long as somebody waits for it is in time.

use brownout_tests::{edge, resolve, run, run_with};
use sim_core::Engine;
use sim_models::policy::{Ending, Outcome};
use sim_models::report::Report;
use sim_models::run::RunOptions;

/// A hundred calls a second of `front` for ten seconds, evenly spaced: one every 10 ms.
fn evenly(services: &str, policies: &str, more: &str) -> String {
    format!(
        r#"(about: "ties", model: ServiceGraph(
            workload: [(to: "front", arrivals: Constant("100/s"), policy: "user")],
            services: {{{services}}}, policies: {{{policies}}}, {more}),
        run: (duration: "10s", seed: 1))"#
    )
}

/// The run of it, which is the same on both engines.
#[track_caller]
fn report(text: &str) -> Report {
    let reference = RunOptions { engine: Engine::Reference, ..RunOptions::seeded(1) };
    let report = run(text, 1);
    assert_eq!(report, run_with(&resolve(text, None), &reference).report, "the engines differ:\n{text}");
    report
}

/// Every call ends well, or is out when the run is over.
#[track_caller]
fn nobody_is_turned_away(services: &str, policies: &str, more: &str) {
    let text = evenly(services, policies, more);
    for (name, edge) in report(&text).edges.iter() {
        let ended = edge.calls.of(Ending::Ok);
        let out = edge.calls.started - ended;
        assert!(ended > 900 && out <= 9, "{name}: {ended} of {} ended well:\n{text}", edge.calls.started);
        assert_eq!(edge.calls.ended_badly(), 0, "{name}:\n{text}");
        assert_eq!(edge.attempts.sent, edge.calls.started, "{name}:\n{text}");
    }
}

const ONE: &str = r#"workers: Async(1), queue: Fifo(capacity: 0), work: "10ms""#;

#[test]
fn a_worker_that_is_freed_when_a_request_arrives_takes_it() {
    let front = format!(r#""front": ({ONE})"#);
    nobody_is_turned_away(&front, r#""user": ()"#, "");
    nobody_is_turned_away(&front, r#""user": ()"#, r#"network: "5ms""#);
    nobody_is_turned_away(&front, r#""user": ()"#, r#"network: "10ms""#);
    let shared = r#""front": (replicas: 2, workers: Async(1), queue: SharedFifo(capacity: 0), work: "20ms")"#;
    nobody_is_turned_away(shared, r#""user": ()"#, "");
    let turns = r#""front": (replicas: 2, workers: Async(1), queue: Fifo(capacity: 0), work: "20ms")"#;
    nobody_is_turned_away(turns, r#""user": (balancer: RoundRobin)"#, "");
    nobody_is_turned_away(turns, r#""user": (balancer: LeastPending)"#, "");
}

#[test]
fn a_place_that_is_freed_when_a_call_wants_it_is_free() {
    let front = r#""front": (workers: Async(9), work: "10ms")"#;
    let user = r#""user": (bulkhead: (max_concurrent: 1))"#;
    nobody_is_turned_away(front, user, "");
    let user = r#""user": (bulkhead: (max_concurrent: 2))"#;
    nobody_is_turned_away(front, user, r#"network: "5ms""#);
}

/// Who ends at one service and who wants the next may do so at one instant, in whatever order they were scheduled: that
/// of a request which took longer was scheduled before.
#[test]
fn a_request_that_goes_on_waits_for_what_ends_at_its_instant() {
    let user = r#""user": (), "narrow": (bulkhead: (max_concurrent: 1))"#;
    for kind in ["Async(1), work: \"10ms\"", "Async(2), work: \"20ms\"", "Async(3), work: \"30ms\""] {
        let one = |name: &str, calls: &str| {
            format!(r#""{name}": (workers: {kind}, queue: Fifo(capacity: 0), calls: [{calls}]), "#)
        };
        let last = |name: &str| format!(r#""{name}": ({ONE}), "#);
        let tandem = one("front", r#"(to: "back")"#) + &last("back");
        nobody_is_turned_away(&tandem, user, "");
        let three = one("front", r#"(to: "middle")"#) + &one("middle", r#"(to: "back")"#) + &last("back");
        nobody_is_turned_away(&three, user, "");
        let many = r#""back": (workers: Async(9), work: "10ms")"#;
        let narrow = one("front", r#"(to: "back", policy: "narrow")"#) + many;
        nobody_is_turned_away(&narrow, user, "");
        // One after another: the second call begins when the first has ended.
        let twice = one("front", r#"(to: "a"), (to: "b")"#) + &one("a", "") + &last("b");
        nobody_is_turned_away(&twice, user, "");
        let at_once = r#"Parallel([(to: "a"), (to: "b", policy: "narrow")])"#;
        nobody_is_turned_away(&(one("front", at_once) + &last("a") + &last("b")), user, "");
    }
    for (workers, work) in [(2, 10), (3, 20)] {
        let blocking = format!(
            r#""front": (workers: Blocking({workers}), queue: Fifo(capacity: 0), work: "{work}ms", calls: [(to: "back")]), "back": ({ONE})"#
        );
        nobody_is_turned_away(&blocking, user, "");
    }
}

/// How the calls of users ended: well, out of time, failed in other ways.
fn ends(text: &str) -> [u64; 3] {
    let report = report(text);
    let users = edge(&report, "users->front");
    let late = users.calls.of(Ending::Failed(Outcome::TimedOut)) + users.calls.of(Ending::Deadline);
    [users.calls.of(Ending::Ok), late, users.calls.ended_badly() - late]
}

#[test]
fn an_answer_at_the_very_end_of_the_wait_is_in_time() {
    let front = r#""front": (workers: Async(9), work: "10ms")"#;
    for limit in ["timeout", "deadline"] {
        for (network, least) in [("0s", 10_000), ("3ms", 16_000)] {
            let more = format!(r#"network: "{network}""#);
            for (micros, in_time) in [(least, true), (least - 1, false)] {
                let [ok, late, others] =
                    ends(&evenly(front, &format!(r#""user": ({limit}: "{micros}us")"#), &more));
                assert!(others == 0 && ok.max(late) > 990, "{limit} {micros}: {ok}, {late}, {others}");
                assert!(ok.min(late) == 0 && (ok > 0) == in_time, "{limit} {micros}: {ok} ok, {late} late");
            }
        }
    }
    // Also through a service that has its own last call to make.
    let chain = r#""front": (workers: Async(9), work: "4ms", calls: [(to: "a"), (to: "a")]), "a": (workers: Async(9), work: "3ms")"#;
    assert_eq!(ends(&evenly(chain, r#""user": (timeout: "10ms")"#, "")), [998, 0, 0]);
}

/// A try that would begin when the call's time is over does not begin; one that ends then has ended well.
#[test]
fn the_deadline_comes_before_the_next_try_and_after_the_answer() {
    let front = r#""front": (workers: Async(9), work: "10ms", error_rate: 1)"#;
    let policy = |deadline: &str| {
        format!(r#""user": (deadline: "{deadline}", retry: Fixed(attempts: 2, delay: "5ms"))"#)
    };
    let sent = |deadline: &str| {
        let report = report(&evenly(front, &policy(deadline), ""));
        let users = edge(&report, "users->front");
        (
            users.attempts.retries,
            users.calls.of(Ending::Deadline),
            users.calls.of(Ending::Failed(Outcome::Error)),
        )
    };
    assert!(matches!(sent("15ms"), (0, 990.., 0)));
    assert!(matches!(sent("25ms"), (990.., 0, 990..)));
    assert!(matches!(sent("24999us"), (990.., 990.., 0)));
}

/// Whoever gives up as another comes leaves it the place, whether it waits for an answer or for its next try.
#[test]
fn a_place_that_is_given_up_when_a_call_wants_it_is_free() {
    let front = |errors: u8| format!(r#""front": (workers: Async(9), work: "5ms", error_rate: {errors})"#);
    for (errors, limits) in [
        (0, r#"timeout: "10ms""#),
        (0, r#"deadline: "10ms""#),
        (1, r#"deadline: "10ms", retry: Fixed(attempts: 2, delay: "1s")"#),
    ] {
        let slow = if errors == 0 { r#"faults: [(at: "0s", on: "front", effect: BlackHole)]"# } else { "" };
        let user = format!(r#""user": ({limits}, bulkhead: (max_concurrent: 1))"#);
        let report = report(&evenly(&front(errors), &user, slow));
        let calls = &edge(&report, "users->front").calls;
        assert_eq!((calls.of(Ending::BulkheadFull), calls.ended_badly()), (0, 998), "{limits}");
    }
}

/// A retry that begins when somebody leaves finds the place that this one left.
#[test]
fn a_back_off_ends_after_what_ends_at_its_instant() {
    // The first try of each call meets the work of the one before it, and the second its end.
    let front = r#""front": (workers: Async(1), queue: Fifo(capacity: 0), work: "15ms")"#;
    let user = r#""user": (retry: Fixed(attempts: 2, delay: "5ms"))"#;
    let report = report(&evenly(front, user, ""));
    let users = edge(&report, "users->front");
    // 0 to 15, 15 to 30 (came at 10), nobody for 20 (tried at 25), 30 to 45 and so on: two of three.
    let ok = users.calls.of(Ending::Ok);
    assert!((664..=667).contains(&ok), "{ok}");
}

/// A fault is there from its first instant, for whoever comes, and gone at its last; what ends as it begins has ended.
#[test]
fn a_fault_strikes_what_begins_at_its_beginning_and_not_what_ends() {
    let front = r#""front": (workers: Async(9), work: "10ms")"#;
    for network in ["0s", "5ms", "10ms"] {
        let more = format!(
            r#"network: "{network}", faults: [(at: "1s", for: "1s", on: "front", effect: Crash(callers: Reset))]"#
        );
        let report = report(&evenly(front, r#""user": ()"#, &more));
        let calls = &edge(&report, "users->front").calls;
        let [refused, reset] =
            [Outcome::Refused, Outcome::Reset].map(|outcome| calls.of(Ending::Failed(outcome)));
        // Halfway between, the request that is there is lost.
        assert_eq!((refused, reset), (100, u64::from(network == "5ms")), "{network}");
    }
    // A request that was to go on at the instant of the crash is lost like any other in hand.
    for (style, refused) in [("Reset", 100), ("Silence", 0)] {
        let services = format!(r#""front": ({ONE}, calls: [(to: "back")]), "back": ({ONE})"#);
        let more =
            format!(r#"faults: [(at: "1s", for: "1s", on: "front", effect: Crash(callers: {style}))]"#);
        let report = report(&evenly(&services, r#""user": (timeout: "1h")"#, &more));
        let calls = &edge(&report, "users->front").calls;
        let failed = [Outcome::Refused, Outcome::Reset].map(|outcome| calls.of(Ending::Failed(outcome)));
        // The one whose own work was just done, and the one that waited for `back`.
        assert_eq!(failed, [refused, if refused > 0 { 1 } else { 0 }], "{style}");
    }
}

/// Two answers take longer than a second: what was sent 10 ms before the network keeps everything back, and 10 ms after.
#[test]
fn what_a_network_lets_go_comes_before_whoever_has_waited_long_enough() {
    let front = r#""front": (workers: Async(200), work: "15ms")"#;
    for (timeout, kept_back) in [("1010ms", 2), ("1020ms", 3), ("1009ms", 1)] {
        let more = r#"faults: [(at: "1s", for: "1s", on: "users->front", effect: Hold)]"#;
        let report = report(&evenly(front, &format!(r#""user": (timeout: "{timeout}")"#), more));
        let calls = &edge(&report, "users->front").calls;
        let histogram = &edge(&report, "users->front").latency.histogram;
        let late: u64 = histogram.iter().filter(|(ns, _)| *ns > 1_000_000_000).map(|&(_, n)| n).sum();
        assert_eq!(late, kept_back, "{timeout}: {calls:?}");
    }
}

/// A message that is done at the very moment at which it would be seen again is not seen again.
#[test]
fn a_message_is_done_before_it_is_visible_again() {
    for (visibility, again) in [("50ms", false), ("49999us", true)] {
        let text = format!(
            r#"(about: "ties", model: CallbackRouting(
                servers: Equal(4), arrivals: Constant("100/s"), provider_delay: "200ms", deadline: "10s",
                state: MessageQueue(lag: "20ms", handling: "50ms", visibility: "{visibility}")),
            run: (duration: "10s", seed: 1))"#
        );
        let values = report(&text).values;
        let taken_again = values.get("taken_again").and_then(|value| value.value).expect("measured");
        assert_eq!(taken_again > 0.0, again, "{visibility}: {taken_again}");
    }
}
