//! Answers that are kept, by hand.

use super::scenes::{MILLI, scene, scene_of};
use crate::policy::Outcome;
use crate::report::Report;

/// A call a second from 1 s to 9 s, to a service that looks in no time and calls another, which takes 100 ms.
fn nine(cache: &str, more: &str, faults: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back")], cache: ({cache}) {more}),
                   "back": (workers: Async(99), work: "100ms"),
               }}, faults: [{faults}]"#
        ),
        "30s",
    )
}

fn value(report: &Report, name: &str) -> f64 {
    let section = report.section("cache", "front").expect("it is told of");
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value.unwrap_or(f64::NAN)
}

fn told<const N: usize>(report: &Report, names: [&str; N]) -> [f64; N] {
    names.map(|name| value(report, name))
}

/// What is asked for at 1 s is there at 1.1 s.
#[test]
fn what_is_kept_is_not_asked_for_again() {
    let report = nine("capacity: 1", "", "");
    let counted =
        ["lookups", "hits", "misses", "expired", "fetches", "fills", "failed", "evicted", "entries"];
    assert_eq!(told(&report, counted), [9.0, 8.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(value(&report, "hit_ratio"), 8.0 / 9.0);
    assert!(value(&report, "fetches_per_expiry").is_nan(), "nothing expired");
    let latency = &report.edges.get("users->front").unwrap().latency;
    assert_eq!((latency.count, latency.max, latency.mean), (9, Some(100 * MILLI), Some(100 * MILLI / 9)));
    assert_eq!(report.services.get("back").unwrap().arrived, 1);
}

/// (ttl, hits): of what was stored at 1.1 s, and again 100 ms after a call that found it too old. At the very end of its time it is too old.
#[test]
fn a_value_is_good_for_its_ttl() {
    for (ttl, hits) in [("3500ms", 6.0), ("900ms", 0.0), ("900000001ns", 4.0), ("50ms", 0.0), ("1h", 8.0)] {
        let report = nine(&format!(r#"capacity: 5, ttl: "{ttl}""#), "", "");
        // All that is not found was there but for the first.
        let misses = 9.0 - hits;
        let counted = ["hits", "misses", "expired", "fetches", "fills"];
        assert_eq!(told(&report, counted), [hits, misses, misses - 1.0, misses, misses], "{ttl}");
    }
}

/// It fails until 4.05 s: at 1, 2, 3 and 4 s, if it is asked. An error of 1.1 s is good until 3.6 s; the next, of 4.1 s, until 6.6 s.
#[test]
fn an_error_is_kept_for_a_time_of_its_own() {
    let fails = r#"(at: "0s", for: "4150ms", on: "back", effect: Errors())"#;
    let report = nine("capacity: 1", "", fails);
    assert_eq!(told(&report, ["hits", "fetches", "fills", "failed"]), [4.0, 5.0, 1.0, 4.0]);
    let counted = ["hits", "negative_hits", "fetches", "fills", "failed"];
    let report = nine(r#"capacity: 1, negative_ttl: "2500ms""#, "", fails);
    assert_eq!(told(&report, counted), [6.0, 4.0, 3.0, 3.0, 0.0]);
    assert_eq!(report.edges.get("users->front").unwrap().calls.ok(), 3, "at 7, 8 and 9 s");
}

/// A restart at 5.5 s finds nothing at 6 s, unless it is kept elsewhere.
#[test]
fn a_restart_empties_what_is_in_memory() {
    let crash = r#"(at: "5500ms", for: "100ms", on: "front", effect: Crash())"#;
    for (per, hits) in [("Replica", 7.0), ("Service", 8.0)] {
        let report = nine(&format!("capacity: 1, per: {per}"), "", crash);
        assert_eq!(told(&report, ["hits", "entries"]), [hits, 1.0], "{per}");
    }
    // Each of two replicas has its own, and is asked in turn.
    for (per, hits) in [("Replica", 7.0), ("Service", 8.0)] {
        let report = nine(&format!("capacity: 1, per: {per}"), ", replicas: 2", "");
        assert_eq!(value(&report, "hits"), hits, "{per}");
    }
}

/// What something stands in for is no answer to be kept.
#[test]
fn what_something_stood_in_for_is_not_kept() {
    let graph = |fallback: &str| {
        format!(
            r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back" {fallback})], cache: (capacity: 1)),
                   "back": (workers: Async(99), work: "100ms", error_rate: 1),
               }}"#
        )
    };
    let report = scene(&graph(", fallback: Default"), "30s");
    assert_eq!(told(&report, ["hits", "fetches", "failed"]), [0.0, 9.0, 9.0]);
    assert_eq!(report.summary.success, Some(1.0));
    // Without an optional call the answer is still the answer.
    let report = scene(&graph(", optional: true"), "30s");
    assert_eq!(told(&report, ["hits", "fetches", "failed"]), [8.0, 1.0, 0.0]);
}

/// Ten a second from 0.1 s to 9.5 s, of one key; what they ask for takes a second, and is good for two.
fn ninety_five(cache: &str, front: &str, back: &str, more: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "front", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9550ms", rate: "0/s")]))],
               services: {{
                   "front": (workers: Async(99), work: "0s", calls: [(to: "back")], cache: (capacity: 1, ttl: "2s", {cache}) {front}),
                   "back": (workers: Async(99), work: "1s" {back}),
               }}, {more}"#
        ),
        "30s",
    )
}

const PLAIN: &str = r#"policies: {"p": ()}"#;

/// Those who come at the very end of a fetch find what it brought.
#[test]
fn everybody_goes_unless_something_keeps_him() {
    let counted = ["hits", "fetches", "expired", "fetches_per_expiry", "fills"];
    // From 0.1 s on ten go, the last of whom is back at 2 s; then from 4 s on, and from 7.9 s on.
    let report = ninety_five("", "", "", PLAIN);
    assert_eq!(told(&report, counted), [65.0, 30.0, 2.0, 10.0, 30.0]);
    // From 0.1, 3.1, 6.1 and 9.1 s on one goes, and nine wait; of the last four, until all is over.
    let report = ninety_five("on_miss: SingleFlight", "", "", PLAIN);
    assert_eq!(told(&report, counted), [60.0, 4.0, 3.0, 1.0, 4.0]);
    assert_eq!(value(&report, "waited"), 31.0);
    let latency = &report.edges.get("users->front").unwrap().latency;
    assert_eq!((latency.count, latency.max), (95, Some(1_000 * MILLI)));
    // 1 s, .9 s .. .1 s three times, and the first five of them.
    assert_eq!(latency.mean, Some((3 * 5_500 + 4_000) * MILLI / 95));
    // Those who look again do so up to 250 ms too late.
    let report = ninety_five(r#"on_miss: Lease(wait: "250ms")"#, "", "", PLAIN);
    assert_eq!(told(&report, counted), [60.0, 4.0, 3.0, 1.0, 4.0]);
    assert_eq!(value(&report, "waited"), 31.0);
    let latency = &report.edges.get("users->front").unwrap().latency;
    // 1 s, twice 1, .75 (twice), .5 (three), .25 (two).
    let cycle = 1_000 + 2 * 1_000 + 2 * 750 + 3 * 500 + 2 * 250;
    assert_eq!(latency.mean, Some((3 * cycle + 3_000 + 2 * 750) * MILLI / 95));
}

/// As many are out as there are replicas, unless a store for all of them gives out the leases.
#[test]
fn a_flight_is_of_one_replica_and_a_lease_of_all() {
    for (cache, fetches) in [
        ("on_miss: SingleFlight", 1.0),
        ("on_miss: SingleFlight, per: Service", 2.0),
        ("on_miss: Lease()", 1.0),
        ("on_miss: Lease(), per: Service", 1.0),
    ] {
        let report = ninety_five(cache, ", replicas: 2", "", PLAIN);
        assert_eq!(value(&report, "fetches_per_expiry"), fetches, "{cache}");
        // Of two replicas each has what it keeps to itself fetched.
        let caches = if cache.contains("Service") { 1.0 } else { 2.0 };
        assert_eq!(value(&report, "entries"), caches, "{cache}");
        assert_eq!(value(&report, "fills"), 4.0 * caches.max(fetches), "{cache}");
    }
}

#[test]
fn an_error_is_everybodys_who_waited_for_it() {
    let fails = ", error_rate: 1";
    let ends = |report: &Report| {
        let calls = &report.edges.get("users->front").unwrap().calls;
        (calls.ok(), calls.failed())
    };
    // One goes each second, and nine wait.
    let report = ninety_five("on_miss: SingleFlight", "", fails, PLAIN);
    assert_eq!(
        (told(&report, ["fetches", "failed", "waited"]), ends(&report)),
        ([10.0, 10.0, 85.0], (0, 95))
    );
    // Who has the lease has the error, and gives it back: whoever looks first is next.
    let report = ninety_five(r#"on_miss: Lease(wait: "1ms")"#, "", fails, PLAIN);
    assert_eq!(
        (ends(&report), value(&report, "fetches")),
        ((0, 29), 30.0),
        "each for himself, one after another"
    );
    // What failed is known for a while.
    let report = ninety_five(r#"on_miss: SingleFlight, negative_ttl: "1h""#, "", fails, PLAIN);
    assert_eq!(told(&report, ["fetches", "fills", "negative_hits", "waited"]), [1.0, 1.0, 85.0, 9.0]);
}

/// 300 ms after he went the first is called off, with him those who wait: two each time.
#[test]
fn who_is_called_off_takes_those_with_him_who_wait() {
    let policy = r#"policies: {"p": (timeout: "300ms", cancel: Always)}"#;
    let ends = |report: &Report| {
        let attempts = &report.edges.get("users->front").unwrap().attempts;
        [Outcome::Ok, Outcome::Error, Outcome::TimedOut].map(|outcome| attempts.of(outcome))
    };
    let report = ninety_five("on_miss: SingleFlight", ", on_cancel: Stop", "", policy);
    assert_eq!(ends(&report), [0, 63, 32]);
    assert_eq!(told(&report, ["fetches", "failed", "fills"]), [32.0, 32.0, 0.0]);
    // Where it goes on, it is there after a second, and good for two: from 1.1 s on.
    let report = ninety_five("on_miss: SingleFlight", "", "", policy);
    assert_eq!(told(&report, ["fetches", "failed", "fills", "hits"]), [4.0, 0.0, 4.0, 60.0]);
    // Nobody waited for it any more, and it was not in vain.
    let back = report.services.get("back").unwrap();
    assert_eq!((back.work, back.work_wasted, back.work_in_vain), (4_000 * MILLI, 0, 0));
}

/// Who dies keeps the lease, and who is too slow has lost it.
#[test]
fn a_lease_is_held_for_so_long() {
    // One goes at 0.1 s, and its replica dies with the lease; the other has it at 3.1 s, and goes again at 6.1 and at 9.1 s.
    let crash = format!(
        r#"{PLAIN}, faults: [(at: "500ms", for: "100ms", on: "front", replicas: Only([1]), effect: Crash())]"#
    );
    let lease = r#"per: Service, on_miss: Lease(wait: "50ms", hold: "3s")"#;
    let report = ninety_five(lease, ", replicas: 2", "", &crash);
    let first = report.section("cache", "front").unwrap();
    assert_eq!(first.values.get("failed").unwrap().value, Some(1.0));
    assert_eq!(told(&report, ["fetches", "fills"]), [4.0, 3.0]);
    // A lease that is shorter than a fetch stores nothing, ever.
    let report = ninety_five(r#"on_miss: Lease(wait: "50ms", hold: "400ms")"#, "", "", PLAIN);
    assert_eq!(told(&report, ["fills", "hits"]), [0.0, 0.0]);
    // Those that began in the last second are still out, and nothing has failed.
    let [fetches, failed, late] = told(&report, ["fetches", "failed", "too_late"]);
    assert!(failed == 0.0 && (2.0..=3.0).contains(&(fetches - late)), "{late} of {fetches}");
}

/// At 4 s and at 7 s one fetches in the background, and ten are answered with what is too old.
#[test]
fn what_is_too_old_is_given_while_it_is_fetched() {
    for workers in ["Async(99)", "Blocking(99)", "ProcessorSharing(cores: 99, at_once: 99)"] {
        for more in [
            "",
            ", per_replica: true, dies: (at_in_flight: 90, restart_after: \"1s\")",
            ", replicas: 1, on_cancel: Stop",
        ] {
            let report = scene(
                &format!(
                    r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "10/s"), (at: "9550ms", rate: "0/s")]))],
                       services: {{
                           "front": (workers: {workers}, work: "0s", calls: [(to: "back")], cache: (capacity: 1, ttl: "2s", stale_while_revalidate: "1h") {more}),
                           "back": (workers: Async(99), work: "1s"),
                       }}"#
                ),
                "30s",
            );
            let counted = ["hits", "stale", "fetches", "refreshes", "fetches_per_expiry", "fills"];
            assert_eq!(told(&report, counted), [65.0, 20.0, 12.0, 2.0, 1.0, 12.0], "{workers} {more}");
            let latency = &report.edges.get("users->front").unwrap().latency;
            assert_eq!((latency.count, latency.mean), (95, Some(10_000 * MILLI / 95)), "{workers} {more}");
            let (front, back) = (report.services.get("front").unwrap(), report.services.get("back").unwrap());
            assert_eq!((back.arrived, back.work_wasted, back.work_in_vain), (12, 0, 0), "{workers} {more}");
            assert_eq!((front.arrived, front.completed), (95, 95), "{workers} {more}");
        }
    }
    // Those who have no lease are given it as well, but for so long only: 0.4 s after 3.1 s.
    let report = ninety_five(r#"on_miss: Lease(wait: "1s", stale: "400ms")"#, "", "", PLAIN);
    assert_eq!(told(&report, ["stale", "waited", "fetches"]), [12.0, 9.0 + 5.0 + 5.0, 4.0]);
}

/// Stored at 1.1 s, too old at 2.6 s; it fails from 2.5 s on: at 3.1 and 4.1 s that is known, and forgiven, at 5.1 s no longer.
#[test]
fn what_is_too_old_stands_in_for_an_error() {
    let fails = r#"(at: "2500ms", on: "back", effect: Errors())"#;
    for (more, good, forgiven) in [
        ("", 2, f64::NAN),
        (r#", stale_if_error: "2s""#, 4, 2.0),
        (r#", stale_if_error: "2499999999ns", negative_ttl: "1ms""#, 4, 2.0),
        (r#", stale_if_error: "2500ms""#, 5, 3.0),
    ] {
        let report = nine(&format!(r#"capacity: 1, ttl: "1500ms"{more}"#), "", fails);
        assert_eq!(report.edges.get("users->front").unwrap().calls.ok(), good, "{more}");
        if !forgiven.is_nan() {
            assert_eq!(value(&report, "stale_on_error"), forgiven, "{more}");
        }
    }
}

/// Everything at once, with all that can come between: the laws hold at the end of each.
#[test]
fn whatever_comes_between_the_laws_hold() {
    let caches = [
        r#"(capacity: 5, ttl: "40ms", jitter: 0.5, negative_ttl: "10ms")"#,
        r#"(capacity: 20, ttl: "40ms", on_miss: SingleFlight, stale_if_error: "100ms")"#,
        r#"(capacity: 20, ttl: "20ms", on_miss: SingleFlight, per: Service, early: XFetch())"#,
        r#"(capacity: 20, ttl: "20ms", on_miss: Lease(wait: "3ms", hold: "50ms", stale: "60ms"), per: Service, stale_while_revalidate: "30ms")"#,
        r#"(capacity: 20, ttl: "20ms", on_miss: Lease(wait: "1ms", hold: "5ms"), negative_ttl: "10ms")"#,
        r#"(capacity: 20, ttl: "10ms", stale_while_revalidate: "1s", early: XFetch(beta: 3), stale_if_error: "2s")"#,
    ];
    let fronts = [
        r#"workers: Async(20), on_cancel: Stop, dies: (at_in_flight: 60, restart_after: "200ms")"#,
        r#"workers: Blocking(8), queue: SharedFifo(capacity: 50, drop_expired: true), per_replica: true"#,
        r#"workers: ProcessorSharing(cores: 2, at_once: 30), per_replica: true, on_cancel: Stop, idempotency: Key(lookup: "1ms")"#,
        r#"workers: Blocking(8), queue: Priority(capacity: 20), on_cancel: Stop, queue_bytes: "300kB", shed: MaxWait("50ms")"#,
        r#"workers: Async(8), autoscaler: (metric: Queue(2), min: 1, max: 6, sync: "500ms", scale_down: (stabilization: "500ms")), start_up: (time: "300ms")"#,
        r#"workers: Blocking(8), health: (kind: Deep(), interval: "100ms", timeout: "50ms"), probes: (liveness: (kind: Worker(), period: "500ms", timeout: "200ms"))"#,
    ];
    for (number, cache) in caches.iter().enumerate() {
        for (other, front) in fronts.iter().enumerate() {
            let call = [
                "",
                ", fallback: Default",
                ", optional: true",
                r#", callback: (after: "5ms", within: "50ms", work: "1ms")"#,
            ][(number + other) % 4];
            let report = scene_of(
                &format!(
                    r#"workload: [
                           (to: "front", arrivals: Poisson("300/s"), policy: "p", clients: 3, keys: Zipf(count: 30), size: Exponential(mean: "5kB"), priority: Mixed(critical: 1, sheddable: 1)),
                           (name: "others", to: "front", arrivals: ClosedLoop(users: 10, think: "50ms"), policy: "q"),
                       ], network: "1ms", zones: (names: ["a", "b"], network: "1ms"),
                       services: {{
                           "front": (replicas: 2, work: "1ms", calls: [(to: "back", policy: "q" {call}), (to: "other", policy: "p")], cache: {cache}, {front}),
                           "back": (replicas: 2, workers: Blocking(6), work: Exponential(mean: "20ms"), error_rate: 0.1),
                           "other": (workers: Async(50), work: "2ms"),
                       }},
                       policies: {{
                           "p": (timeout: "100ms", retry: Fixed(attempts: 2), cancel: Always, hedge: (after: "60ms"), pool: (size: 20), deadline_propagation: ()),
                           "q": (timeout: "80ms", deadline: "150ms", retry: Fixed(attempts: 2), breaker: Consecutive(open_for: "100ms"), cancel: Always),
                       }},
                       faults: [
                           (at: "2s", for: "1s", on: "back", effect: Slow(factor: 5)),
                           (at: "4s", for: "300ms", on: "front", replicas: Only([1]), effect: Crash(callers: Silence)),
                           (at: "5s", for: "300ms", on: "front", replicas: Only([0]), effect: Crash()),
                           (at: "6s", for: "500ms", on: "front->back", effect: Hold),
                           (at: "7s", for: "500ms", on: "front", replicas: Only([1]), effect: Drain(grace: "50ms")),
                           (at: "8s", for: "1s", on: "users->front", effect: Duplicate(probability: 0.3)),
                       ]"#
                ),
                r#"duration: "10s", warm_up: "1s", window: "1s""#,
            );
            let [lookups, hits, fetches, fills, failed] =
                told(&report, ["lookups", "hits", "fetches", "fills", "failed"]);
            assert!(lookups > 1_000.0 && hits < lookups && fills > 0.0, "{cache} {front}");
            let late = report.section("cache", "front").and_then(|it| it.values.get("too_late")?.value);
            let late = late.unwrap_or(0.0);
            // Those that are out as the run ends, or were as the warm-up did, are neither.
            assert!(
                (fetches - fills - failed - late).abs() < 60.0,
                "{cache} {front}: {fetches} are {fills}, {failed} and {late}"
            );
        }
    }
}

/// What stands beside what was measured: (cache, keys, what is claimed).
#[test]
fn theory_speaks_where_it_knows() {
    let claims = |cache: &str, workload: &str, front: &str, back: &str| -> Vec<String> {
        let report = scene_of(
            &format!(
                r#"workload: [(to: "front", arrivals: Poisson("200/s"), {workload})],
                   services: {{
                       "front": (workers: Async(9999), work: "0s", cache: ({cache}), calls: [(to: "back" {front})]),
                       "back": (workers: Async(9999), work: {back}),
                   }}, policies: {{"p": (timeout: "1s", retry: Fixed(attempts: 2)), "q": (retry: Fixed(attempts: 2))}}"#
            ),
            r#"duration: "60s", warm_up: "10s""#,
        );
        let kept = report.values.iter().filter(|(name, _)| name.ends_with("front") && !name.contains("->"));
        let per_user = report.values.iter().filter(|(name, _)| name.contains("per_user_call"));
        kept.filter(|(name, _)| name.contains("hit") || name.contains("fetch"))
            .chain(per_user)
            .map(|(name, value)| {
                let (found, exact) = (value.value.unwrap(), value.exact.unwrap());
                assert!(
                    (found / exact - 1.0).abs() < 0.25,
                    "{name} is {found}, and should be {exact}: {cache}"
                );
                name.to_owned()
            })
            .collect()
    };
    let zipf = "keys: Zipf(count: 1000)";
    let (ratio, each) = ("hit_ratio front", "fetches_per_expiry front");
    let nothing: [&str; 0] = [];
    assert_eq!(claims("capacity: 100", zipf, "", r#""1us""#), [ratio]);
    assert_eq!(claims(r#"capacity: 1000, ttl: "5s""#, zipf, "", r#""1us""#), [ratio]);
    assert_eq!(claims(r#"capacity: 1, ttl: "500ms""#, "", "", r#""1us""#), [ratio, each]);
    assert_eq!(
        claims(r#"capacity: 1, ttl: "500ms", jitter: 0.9"#, "", "", r#""100ms""#),
        [each],
        "too long away"
    );
    assert_eq!(claims(r#"capacity: 1, ttl: "2s", early: XFetch()"#, "", "", r#""100ms""#), [each]);
    assert_eq!(
        claims(r#"capacity: 1, ttl: "500ms", on_miss: SingleFlight"#, "", "", r#""1us""#),
        [ratio, each]
    );
    assert_eq!(
        claims(r#"capacity: 1, ttl: "500ms", stale_while_revalidate: "1s""#, "", "", r#""1us""#),
        nothing
    );
    // Room and time together, and time that is drawn: only where the first is never what ends it.
    assert_eq!(claims(r#"capacity: 100, ttl: "500ms""#, zipf, "", r#""1us""#), [ratio]);
    assert_eq!(claims(r#"capacity: 100, ttl: "10s""#, zipf, "", r#""1us""#), nothing);
    // A fetch that may take any time; one who gives up, or asks again; what fails.
    assert_eq!(claims(r#"capacity: 1, ttl: "2s""#, "", "", r#"Exponential(mean: "100ms")"#), nothing);
    assert_eq!(claims("capacity: 100", &format!(r#"{zipf}, policy: "p""#), "", r#""1us""#), nothing);
    assert_eq!(claims("capacity: 100", zipf, "", r#""1us", error_rate: 0.1"#), nothing);
    // Attempts of a call are what they were; how many calls a user makes is not known.
    assert_eq!(
        claims("capacity: 100", zipf, r#", policy: "q", times: 2"#, r#""1us", error_rate: 0.1"#),
        nothing
    );
}

/// The first goes at 0.1 s and dies at 0.5 s, with those who wait: the next goes at 0.6 s, and again at 3.6, 6.6 and 9.6 s, which nobody comes for.
#[test]
fn who_dies_takes_his_flight_with_him() {
    let crash = format!(r#"{PLAIN}, faults: [(at: "500ms", for: "100ms", on: "front", effect: Crash())]"#);
    let report = ninety_five("on_miss: SingleFlight", "", "", &crash);
    assert_eq!(told(&report, ["fetches", "fills", "failed"]), [4.0, 3.0, 1.0]);
    // Nobody who knows that another is out goes before his time.
    let report = ninety_five("on_miss: SingleFlight, early: XFetch(beta: 3)", "", "", PLAIN);
    assert_eq!(value(&report, "fetches_per_expiry"), 1.0);
    assert!(value(&report, "early") > 1.0, "some do");
}

/// A request that asks two at once, one for 10 ms and one for 105 ms, and fails with the first that does: answered with what is kept, it waits for neither, and the
/// other goes on for nobody.
#[test]
fn who_makes_do_leaves_the_rest_behind() {
    let two = |cache: &str, steps: &str, more: &str, fault: &str| {
        scene(
            &format!(
                r#"workload: [(to: "front", arrivals: Steps(spacing: Even, steps: [{steps}]))],
                   services: {{
                       "front": (workers: Async(99), work: "0s", calls: [Parallel(calls: [(to: "quick" {more}), (to: "slow")], fail: Fast)], cache: (capacity: 1 {cache})),
                       "quick": (workers: Async(99), work: "10ms"),
                       "slow": (workers: Async(99), work: "105ms"),
                   }}, faults: [{fault}]"#
            ),
            "30s",
        )
    };
    let latency = |report: &Report| {
        let it = &report.edges.get("users->front").unwrap().latency;
        (it.count, it.max, it.mean)
    };
    // From 1 s to 9 s: all but the first fail, and find what is too old.
    let nine = r#"(at: "0s", rate: "1/s"), (at: "9500ms", rate: "0/s")"#;
    let fails = r#"(at: "1500ms", on: "quick", effect: Errors())"#;
    for (more, asked) in [("", 9), (r#", fallback: Stale(max_age: "1ms")"#, 9)] {
        let report = two(r#", ttl: "500ms", stale_if_error: "1h""#, nine, more, fails);
        assert_eq!(told(&report, ["fetches", "fills", "stale_on_error"]), [9.0, 1.0, 8.0]);
        assert_eq!(latency(&report), (9, Some(105 * MILLI), Some((105 + 8 * 10) * MILLI / 9)));
        let slow = report.services.get("slow").unwrap();
        assert_eq!((slow.arrived, slow.work_wasted), (asked, 8 * 105 * MILLI), "nobody waits for the others");
    }
    // At 100 and 200 ms, and what the first has brought at 205 ms is there when the second fails, at 210 ms.
    let ten = r#"(at: "0s", rate: "10/s"), (at: "550ms", rate: "0/s")"#;
    let report = two("", ten, "", r#"(at: "150ms", on: "quick", effect: Errors())"#);
    assert_eq!(told(&report, ["lookups", "hits", "fetches", "fills"]), [5.0, 3.0, 2.0, 1.0]);
    assert_eq!(latency(&report), (5, Some(105 * MILLI), Some((105 + 10) * MILLI / 5)));
}

/// The same of a replica that stands still two fifths of the time: whoever was to be told so is told so later.
#[test]
fn who_makes_do_and_is_held_back_makes_do() {
    let report = scene(
        r#"workload: [(to: "front", arrivals: Poisson("20/s"))],
           services: {
               "front": (workers: Async(99), work: "0s", calls: [(to: "back")], cache: (capacity: 1, ttl: "1ms", stale_if_error: "1h"),
                   stop_the_world: Periodic(every: "500ms", for: "200ms")),
               "back": (workers: Async(99), work: "10ms"),
           }, faults: [(at: "1500ms", on: "back", effect: Errors())]"#,
        "60s",
    );
    let calls = &report.edges.get("users->front").unwrap().calls;
    assert_eq!(calls.failed(), 0);
    let (stale, latency) =
        (value(&report, "stale_on_error"), &report.edges.get("users->front").unwrap().latency);
    assert!(stale > 1_000.0 && latency.max > Some(150 * MILLI), "{stale} {latency:?}");
}

/// (calls a second, what is said of the store behind, which does 100.)
#[test]
fn what_is_behind_needs_what_is_answered_before_it() {
    for (rate, said) in [
        (99, None),
        (
            100,
            Some(
                "back would be offered 100 % of its capacity if nothing that is kept on the way there answered",
            ),
        ),
        (
            125,
            Some(
                "back would be offered 125 % of its capacity if nothing that is kept on the way there answered: it needs that at least 20 % of what comes is answered before it",
            ),
        ),
    ] {
        let notes = super::explain::explain(&format!(
            r#"(about: "x", model: ServiceGraph(workload: [(to: "front", arrivals: Poisson("{rate}/s"))], services: {{
                "front": (workers: Async(99), work: "0s", calls: [(to: "back")], cache: (capacity: 1)),
                "back": (workers: Async(1), work: "10ms")}}), run: (duration: "9s"))"#
        ))
        .notes;
        let found = notes.iter().find(|note| note.starts_with("back "));
        assert_eq!(found.map(String::as_str), said, "{rate}: {notes:?}");
    }
}
