//! Scenes of attempts that need a connection. All of it can be worked out by hand.

use super::scenes::{MILLI, scene};
use crate::policy::{Ending, Outcome};
use crate::report::Report;

/// Three calls, at 10, 20 and 30 ms, of 100 ms each, with one connection at most.
#[track_caller]
fn three(pool: &str, policy: &str, service: &str) -> Report {
    calls(3, &format!("size: 1, {pool}"), policy, service)
}

/// So many calls, one each 10 ms.
#[track_caller]
fn calls(many: u64, pool: &str, policy: &str, service: &str) -> Report {
    let end = many * 10 + 5;
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "{end}ms", rate: "0/s")]))],
               services: {{"db": (workers: Async(99), work: "100ms", {service})}},
               policies: {{"p": (pool: ({pool}), {policy})}}"#
        ),
        "10s",
    )
}

/// (well ended, refused, out of time, longest good answer in ms)
fn told(report: &Report) -> (u64, u64, u64, u64) {
    let edge = report.edges.get("users->db").unwrap();
    let of = |ending| edge.calls.of(ending);
    let longest = edge.latency.max.unwrap_or(0) / MILLI;
    (edge.calls.ok(), of(Ending::PoolFull), of(Ending::Deadline), longest)
}

fn value(report: &Report, name: &str) -> f64 {
    let section = report.section("pools", "users->db").expect("there is one");
    section.values.get(name).and_then(|value| value.value).unwrap_or(0.0)
}

/// (got one after a wait, gave up, mean and longest wait in ms, opened, leaked)
fn line(report: &Report) -> (u64, u64, u64, u64, u64, u64) {
    let of = |name| value(report, name) as u64;
    (of("waited"), of("gave_up"), of("wait_mean") / MILLI, of("wait_max") / MILLI, of("opened"), of("leaked"))
}

#[test]
fn who_finds_no_connection_waits_as_long_as_it_may() {
    for (pool, policy, expected, waits) in [
        // They end at 110, 210 and 310 ms.
        (r#"max_wait: "200ms""#, "", (3, 0, 0, 280), (2, 0, 135, 180, 1, 0)),
        (r#"max_wait: "180ms""#, "", (3, 0, 0, 280), (2, 0, 135, 180, 1, 0)),
        (r#"max_wait: "179ms""#, "", (2, 1, 0, 190), (1, 1, 90, 90, 1, 0)),
        (r#"max_wait: "79ms""#, "", (1, 2, 0, 100), (0, 2, 0, 0, 1, 0)),
        // For ever, but not more than one, or none.
        ("max_waiting: 1", "", (2, 1, 0, 190), (1, 0, 90, 90, 1, 0)),
        ("max_waiting: 0", "", (1, 2, 0, 100), (0, 0, 0, 0, 1, 0)),
        ("", "", (3, 0, 0, 280), (2, 0, 135, 180, 1, 0)),
        // The timeout begins when the connection is there; a deadline is the whole call's: 20 + 150, 30 + 150.
        ("", r#"timeout: "101ms""#, (3, 0, 0, 280), (2, 0, 135, 180, 1, 0)),
        // The first is over at 110 ms; the second is given up at 170, its connection is closed and another opened for the third.
        ("", r#"deadline: "150ms""#, (1, 0, 2, 100), (2, 0, 115, 140, 2, 0)),
        ("given_up: Reuse", r#"deadline: "150ms""#, (1, 0, 2, 100), (2, 0, 115, 140, 1, 0)),
        // The second has it until its answer comes, at 210 ms, and the third has gone by then.
        ("given_up: Busy", r#"deadline: "150ms""#, (1, 0, 2, 100), (1, 1, 90, 90, 1, 0)),
        // Each gives it up after 40 ms and comes again after 20 more: who waits goes first. 10..50, 20: 50..90, 30: 90..130; the
        // first again from 70: 130..170, then 170..210, 210..250.
        (
            "given_up: Reuse",
            r#"timeout: "40ms", retry: Fixed(attempts: 2, delay: "20ms")"#,
            (0, 0, 0, 0),
            (5, 0, 54, 60, 1, 0),
        ),
        // Opened anew after each answer, since its life is over.
        (r#"lifetime: "50ms", lifetime_jitter: 0"#, "", (3, 0, 0, 280), (2, 0, 135, 180, 3, 0)),
        // Never given back, and reclaimed after 500 ms: from 10, from 510 and from 1010 ms on.
        ("leak: 1", "", (1, 0, 0, 100), (0, 0, 0, 0, 1, 1)),
        (r#"leak: 1, reclaim_after: "500ms""#, "", (3, 0, 0, 1080), (2, 0, 735, 980, 3, 3)),
        // It takes 30 ms to open: 40..140, 140..240, 240..340.
        (r#"opening: "30ms""#, "", (3, 0, 0, 310), (3, 0, 120, 210, 1, 0)),
        // It is there from the start.
        (r#"opening: "30ms", min_idle: 1"#, "", (3, 0, 0, 280), (2, 0, 135, 180, 0, 0)),
        // The first is served 25 ms longer.
        (r#"opening_work: "25ms""#, "", (3, 0, 0, 305), (2, 0, 160, 205, 1, 0)),
        (r#"opening_work: "25ms", min_idle: 1"#, "", (3, 0, 0, 280), (2, 0, 135, 180, 0, 0)),
    ] {
        let report = three(pool, policy, "");
        assert_eq!((told(&report), line(&report)), (expected, waits), "{pool}, {policy}");
    }
}

/// (opened, closed, share of uses that are the first over their connection in %)
fn opened(report: &Report) -> (u64, u64, u64) {
    (
        value(report, "opened") as u64,
        value(report, "closed") as u64,
        (100.0 * value(report, "new_share")) as u64,
    )
}

/// Ten calls, 10 ms apart, of 100 ms each: all ten are out at the same time, and come back from 110 ms on.
#[test]
fn connections_are_opened_where_none_is_idle_and_closed_when_their_time_has_come() {
    for (pool, expected) in [
        ("size: 20", (10, 0, 100)),
        // Go's two: those that come back third and later are closed.
        ("size: 20, max_idle: 2", (10, 8, 100)),
        ("size: 20, max_idle: 0", (10, 10, 100)),
        (r#"size: 20, idle_timeout: "1s""#, (10, 10, 100)),
        (r#"size: 20, idle_timeout: "1s", min_idle: 4"#, (10, 10, 60)),
        // Opened anew each second, by the clock: 10 s is over when they would be the tenth time.
        (r#"size: 20, lifetime: "1s", lifetime_jitter: 0, min_idle: 4"#, (10 + 9 * 4, 10 + 9 * 4, 60)),
        // The sixth is the first that finds none of five; 5 then serve all.
        ("size: 5", (5, 0, 50)),
    ] {
        let report = calls(10, pool, "", "");
        assert_eq!(opened(&report), expected, "{pool}");
    }
}

/// One database that is away from 5 s to 6 s, calls of 10 ms each at 100/s from a shop with four connections.
fn restart(pool: &str, callers: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(name: "all", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "9s", rate: "0/s")]))],
               services: {{
                   "shop": (workers: Async(99), work: "0s", calls: [(to: "db", policy: "p")]),
                   "db": (workers: Async(99), work: "15ms"),
               }},
               policies: {{"p": (timeout: "40ms", pool: ({pool}))}},
               faults: [(at: "5s", for: "1s", on: "db", effect: Crash(callers: {callers}))]"#
        ),
        "10s",
    )
}

/// What a crash of the other end leaves: nothing that was connected before it is used after it.
#[test]
fn a_crash_breaks_all_connections() {
    let of = |report: &Report| {
        let section = report.section("pools", "shop->db").unwrap();
        let value = |name: &str| section.values.get(name).and_then(|value| value.value).unwrap() as u64;
        (value("opened"), value("closed"))
    };
    for (pool, callers, expected) in [
        // Two are in turn out: both break; each of the hundred calls in between opens one that is refused.
        ("size: 4", "Reset", (2 + 100 + 2, 2 + 100)),
        // Nothing is opened for nobody while it is away, and what should be idle is opened as soon as it is back.
        ("size: 4, min_idle: 4", "Reset", (100 + 4, 4 + 100)),
        // Nobody hears of it: the one that is out is given up after 40 ms, the idle one with the next call, and so are those of the
        // other 99.
        ("size: 4", "Silence", (2 + 99 + 2, 2 + 99)),
    ] {
        assert_eq!(of(&restart(pool, callers)), expected, "{pool}, {callers}");
    }
}

/// Copies wait as others do, and leave when another has answered; a try that gets no connection is tried again where that is listed,
/// and sends nothing.
#[test]
fn copies_and_retries_need_a_connection_too() {
    // The copy is due at 60 ms and waits for the only connection, which answers at 110.
    let report = calls(1, "size: 1", r#"hedge: (after: "50ms")"#, "");
    assert_eq!((told(&report), line(&report)), ((1, 0, 0, 100), (0, 1, 0, 0, 1, 0)));
    let attempts = &report.edges.get("users->db").unwrap().attempts;
    assert_eq!((attempts.sent, attempts.copies), (1, 0), "a copy that was not sent is none");
    // With two it is sent; what loses is given up, and its connection closed.
    let report = calls(1, "size: 2", r#"hedge: (after: "50ms")"#, "");
    let attempts = &report.edges.get("users->db").unwrap().attempts;
    assert_eq!((attempts.sent, attempts.copies, opened(&report)), (2, 1, (2, 1, 100)));
    // Refused at 20 ms, at 80, and let through at 140; the third is refused at 30, 90 and 150.
    let policy = r#"retry: Fixed(attempts: 3, delay: "60ms", on: [PoolFull])"#;
    let report = calls(3, "size: 1, max_waiting: 0", policy, "");
    assert_eq!(told(&report), (2, 1, 0, 220));
    assert_eq!(report.edges.get("users->db").unwrap().attempts.sent, 2);
    // A connection is not kept through a back-off: the first try of each is an error, after 100 ms.
    let policy = r#"retry: Fixed(attempts: 2, delay: "50ms")"#;
    let report = calls(2, "size: 1", policy, "error_rate: 1.0");
    // 10..110, the second 110..210; the first comes again at 160 and waits until 210, the second at 260 until 310.
    assert_eq!(line(&report), (3, 0, 63, 90, 1, 0));
}

/// Who has waited in vain is not out any more: of two that may be, one is sent at 10 ms, another waits from 20 to 50 ms, and the next
/// that may is the one that comes then.
#[test]
fn who_waited_in_vain_gives_back_what_it_was_let_pass_with() {
    let limit = "concurrency: Aimd(initial: 2, min: 2, max: 2)";
    let report = calls(6, r#"size: 1, max_wait: "30ms""#, limit, "");
    let calls = &report.edges.get("users->db").unwrap().calls;
    assert_eq!(told(&report), (1, 2, 0, 100));
    assert_eq!(calls.of(Ending::Limited), 3, "at 30, 40 and 60 ms");
}

/// A replica that is down refuses whoever asks: a pool of thirty that has one out is not full.
#[test]
fn a_replica_that_is_down_is_no_full_pool() {
    for pool in ["size: 30", "size: 30, max_waiting: 0"] {
        let report = restart(pool, "Reset");
        let calls = &report.edges.get("shop->db").unwrap().calls;
        let refused = calls.of(Ending::Failed(Outcome::Refused));
        assert_eq!((calls.of(Ending::PoolFull), refused), (0, 100), "{pool}");
        let section = report.section("pools", "shop->db").unwrap();
        assert_eq!(section.values.get("waited").and_then(|value| value.value), Some(0.0), "{pool}");
    }
}

/// Two calls of one caller to one service under one policy have their connections from one pool.
#[test]
fn two_call_sites_share_a_pool() {
    let twice = |per: &str| {
        scene(
            &format!(
                r#"workload: [(name: "all", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "15ms", rate: "0/s")]))],
                   services: {{
                       "shop": (workers: Async(99), work: "0s", calls: [Parallel([(to: "db", policy: "p"), (to: "db", policy: "p")])]),
                       "db": (workers: Async(99), work: "100ms"),
                   }},
                   policies: {{"p": (pool: (size: 1), per: {per})}}"#
            ),
            "10s",
        )
    };
    let longest = |per| twice(per).edges.get("all->shop").unwrap().latency.max.unwrap() / MILLI;
    assert_eq!((longest("Target"), longest("CallSite")), (200, 100));
}

/// The first call's deadline ends it just when its connection is there: the next call is the first that uses it, and its work includes
/// what opening asks of the service.
#[test]
fn what_nobody_has_used_is_new() {
    let report = calls(2, r#"size: 1, opening: "100ms", opening_work: "50ms""#, r#"deadline: "200ms""#, "");
    let late = calls(2, r#"size: 1, opening: "100ms", opening_work: "50ms""#, r#"deadline: "100ms""#, "");
    // 110..260 is past 210; and with 100 ms both end before anything is sent.
    assert_eq!((told(&report).2, told(&late).2), (2, 2));
    let graph = |rate: &str| {
        scene(
            &format!(
                r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "{rate}"), (at: "450ms", rate: "0/s")]))],
                   services: {{"db": (workers: Async(99), work: "10ms")}},
                   policies: {{"p": (pool: (size: 1, opening: "100ms", opening_work: "50ms"), deadline: "100ms")}}"#
            ),
            "10s",
        )
    };
    // Calls at 200 and 400 ms: the first opens, and ends at 300; the second is new over it and takes 60 ms.
    let report = graph("5/s");
    assert_eq!(
        (told(&report), value(&report, "opened"), value(&report, "new_share")),
        ((1, 0, 1, 60), 1.0, 1.0)
    );
}

/// Who comes back after a crash of its own opens what it keeps idle, before anybody asks.
#[test]
fn a_client_that_is_back_opens_what_it_keeps_idle() {
    let report = scene(
        r#"workload: [(name: "all", to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "2/s"), (at: "1200ms", rate: "0/s")]))],
           services: {
               "shop": (workers: Async(99), work: "0s", calls: [(to: "db", policy: "p")]),
               "db": (workers: Async(99), work: "10ms"),
           },
           policies: {"p": (pool: (size: 2, min_idle: 2, opening: "200ms"))},
           faults: [(at: "600ms", for: "100ms", on: "shop", effect: Crash())]"#,
        "10s",
    );
    // Calls at 0.5 and 1 s; those that were idle are lost at 0.6 s, and two more are there at 0.9.
    assert_eq!(report.edges.get("all->shop").unwrap().latency.max, Some(10 * MILLI));
    let section = report.section("pools", "shop->db").unwrap();
    let value = |name: &str| section.values.get(name).and_then(|value| value.value);
    assert_eq!((value("opened"), value("closed")), (Some(2.0), Some(2.0)));
}
