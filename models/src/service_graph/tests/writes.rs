//! Writes, what is kept of a key that is written, and how old an answer is: by hand, and by closed forms.

use super::scenes::scene;
use crate::report::Report;

fn value(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).unwrap_or_else(|| panic!("no {name}")).value.unwrap_or(f64::NAN)
}

fn staleness<const N: usize>(report: &Report, names: [&str; N]) -> [f64; N] {
    names.map(|name| value(report, "staleness", "db", name))
}

/// One write at a time of a key, and one read: when they come, to a service with a cache before the store of record; what else is said of either.
fn one_key(writes: &[u64], reads: &[u64], app: &str, db: &str, more: &str) -> Report {
    let steps = |times: &[u64]| {
        // For a second before it, so that it comes then.
        let steps: Vec<String> = times
            .iter()
            .flat_map(|at| {
                let (on, off) = (at * 1_000 - 1_000, at * 1_000 + 1);
                [format!(r#"(at: "{on}ms", rate: "1/s")"#), format!(r#"(at: "{off}ms", rate: "0/s")"#)]
            })
            .collect();
        let steps = steps.join(", ").replace(r#"(at: "0ms", rate: "1/s")"#, r#"(at: "0s", rate: "1/s")"#);
        let nobody = if steps.starts_with(r#"(at: "0s""#) { "" } else { r#"(at: "0s", rate: "0/s"), "# };
        format!("Steps(spacing: Even, steps: [{nobody}{steps}])")
    };
    scene(
        &format!(
            r#"workload: [(name: "w", to: "app", arrivals: {}, writes: 1), (name: "r", to: "app", arrivals: {})],
               services: {{"app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: 1), {app}), "db": (workers: Async(99), {db})}},
               store_of_record: "db", {more}"#,
            steps(writes),
            steps(reads)
        ),
        "60s",
    )
}

/// A read at 1 s, a write at 4 s that takes 100 ms, a read at 7 s: what it is answered with.
#[test]
fn what_a_write_does_to_what_is_kept() {
    for (app, stale, age, fetches, deed) in [
        // What was fetched at 1.1 s, though the write was acknowledged at 4.1 s.
        ("", 1.0, 2.9e9, 1.0, None),
        ("on_write: Invalidate", 0.0, f64::NAN, 2.0, Some("invalidated")),
        ("on_write: Through", 0.0, f64::NAN, 1.0, Some("replaced")),
    ] {
        let report = one_key(&[4], &[1, 7], app, r#"work: "100ms""#, "");
        let [reads, found, mean, writes] = staleness(&report, ["reads", "stale", "age_mean", "writes"]);
        assert_eq!([reads, found, writes], [2.0, stale, 1.0], "{app}");
        assert!((mean - age).abs() < 5e6 || mean.is_nan() && age.is_nan(), "{app}: {mean}");
        assert_eq!(value(&report, "cache", "app", "fetches"), fetches, "{app}");
        let Some(deed) = deed else { continue };
        let done = |report: &Report| ["passed_on", deed].map(|name| value(report, "on_write", "app", name));
        assert_eq!(done(&report), [1.0, 1.0], "{app}");
        // Before anything was kept.
        assert_eq!(done(&one_key(&[4], &[7], app, r#"work: "100ms""#, "")), [1.0, 0.0], "{app}");
    }
}

/// A read goes out at 4 s, and its answer takes three seconds on its way back; a write that is done meanwhile throws away nothing, since nothing is there
/// yet. What comes is as old as before, and stays.
#[test]
fn an_old_value_that_comes_after_its_invalidation_stays() {
    let text = |late: &str| {
        format!(
            r#"workload: [
                   (name: "w", to: "app", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "0/s"), (at: "4s", rate: "1/s"), (at: "5100ms", rate: "0/s")]), writes: 1),
                   (name: "r", to: "app", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "0/s"), (at: "3s", rate: "1/s"), (at: "4100ms", rate: "0/s"), (at: "9s", rate: "1/s"), (at: "12s", rate: "0/s")])),
               ],
               services: {{
                   "app": (workers: Async(99), work: "0s", calls: [(to: "db", only: Reads, network: "{late}"), (to: "db", only: Writes)], cache: (capacity: 1), on_write: Invalidate),
                   "db": (workers: Async(99), work: "10ms"),
               }}, store_of_record: "db""#
        )
    };
    // The read reaches the store before the write, and comes back after it.
    let report = scene(&text("900ms"), "30s");
    let [reads, stale] = staleness(&report, ["reads", "stale"]);
    assert!(
        reads >= 3.0 && stale == reads - 1.0,
        "{stale} of {reads}: all but the first, which began before"
    );
    assert_eq!(value(&report, "on_write", "app", "invalidated"), 0.0, "there was nothing to throw away");
    let report = scene(&text("100ms"), "30s");
    assert_eq!(staleness(&report, ["stale"]), [0.0], "it was there by then");
    assert_eq!(value(&report, "on_write", "app", "invalidated"), 1.0);
}

/// Two replicas keep answers of their own: an invalidation reaches the one that has passed the write on. All have one store: it reaches all.
#[test]
fn an_invalidation_reaches_one_store() {
    let stale = |per: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("100/s"), keys: Uniform(5), writes: 0.1, policy: "p")],
                   services: {{
                       "app": (replicas: 2, workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: 9, per: {per}), on_write: Invalidate),
                       "db": (workers: Async(99), work: "0s"),
                   }}, policies: {{"p": (balancer: Random)}}, store_of_record: "db""#
            ),
            "100s",
        );
        staleness(&report, ["stale_share"])[0]
    };
    assert!(stale("Replica") > 0.2, "{}", stale("Replica"));
    assert_eq!(stale("Service"), 0.0);
}

/// Reads at rate `r` and writes at `w` of each of a hundred keys, a value that is kept for `T`: of what is looked at at an age `a` a share `1 - e^(-w a)` is stale, and
/// one look in `1 + r T` is a fetch.
#[test]
fn what_is_kept_for_a_time_is_stale_by_its_closed_form() {
    for (share, ttl) in [(0.05_f64, 10.0_f64), (0.2, 1.0), (0.01, 3.0)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("500/s"), keys: Uniform(100), writes: {share})],
                   services: {{"app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: Unbounded, ttl: "{ttl}s")), "db": (workers: Async(99), work: "0s")}},
                   store_of_record: "db""#
            ),
            "1000s",
        );
        let (r, w) = (5.0 * (1.0 - share), 5.0 * share);
        let hits = r * ttl - r * (1.0 - sim_core::math::exp(-w * ttl)) / w;
        let exact = hits / (1.0 + r * ttl);
        let found = staleness(&report, ["stale_share"])[0];
        // Times between fetches are as many as there are keys times cycles: each tells its own.
        let cycles = 100.0 * 1000.0 / (ttl + 1.0 / r);
        assert!((found - exact).abs() < 4.0 * 0.5 / cycles.sqrt(), "{found}, not {exact}");
    }
}

/// A call that only writes make is offered to what it is made to by their share, and made by them.
#[test]
fn a_call_is_made_by_those_that_it_is_for() {
    for (only, share) in [("Writes", 0.3), ("Reads", 0.7)] {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("1000/s"), writes: 0.3)],
                   services: {{"app": (workers: Async(9), work: "1ms", calls: [(to: "db", only: {only}), Parallel([(to: "log", only: {only})])]),
                       "db": (workers: Async(9), work: "1ms"), "log": (workers: Async(9), work: "1ms")}}"#
            ),
            "100s",
        );
        for edge in ["app->db", "app->log"] {
            let calls = report.edges.get(edge).unwrap().calls.started as f64 / 100_000.0;
            assert!((calls - share).abs() < 0.006, "{edge} {only}: {calls}");
        }
    }
}

/// The race of cache-aside, where fetches have leases: what throws a value away takes the lease back as well, and what comes with it is not kept.
#[test]
fn a_lease_keeps_an_old_value_out() {
    let stale = |on_miss: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("500/s"), keys: Uniform(50), writes: 0.1)], network: Exponential(mean: "10ms"),
                   services: {{
                       "app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: Unbounded, on_miss: {on_miss}), on_write: Invalidate),
                       "db": (workers: Async(99), work: "1ms"),
                   }}, store_of_record: "db""#
            ),
            "100s",
        );
        staleness(&report, ["stale_share"])[0]
    };
    assert!(
        stale("Fetch") > 0.001 && stale("SingleFlight") > 0.001,
        "{}, {}",
        stale("Fetch"),
        stale("SingleFlight")
    );
    assert_eq!(stale("Lease(hold: \"10s\")"), 0.0);
}

/// A shop before a store of record, and an edge before the shop that keeps answers for 20 s: a write goes through both, and says to the edge that its key has
/// changed, by a message that takes so long, or is lost.
fn edge(purge: &str, faults: &str, seconds: u64) -> Report {
    scene(
        &format!(
            r#"workload: [(name: "w", to: "shop", arrivals: Poisson("5/s"), keys: Uniform(10), writes: 1), (name: "r", to: "edge", arrivals: Poisson("200/s"), keys: Uniform(10))],
               services: {{
                   "edge": (workers: Async(99), work: "0s", calls: [(to: "shop")], cache: (capacity: Unbounded, ttl: "20s")),
                   "shop": (workers: Async(99), work: "0s", calls: [(to: "db") {purge}]),
                   "db": (workers: Async(99), work: "0s"),
               }}, store_of_record: "db", faults: [{faults}]"#
        ),
        &format!("{seconds}s"),
    )
}

/// Half a write a second of each key: without messages all is as old as its ttl lets it, with one that takes `d` a share `1 - e^(-w d)` of the time.
#[test]
fn an_invalidation_is_a_message() {
    let stale = |report: &Report| staleness(report, ["stale_share"])[0];
    let never = edge("", "", 400);
    assert!((stale(&never) - 0.90).abs() < 0.03, "{}", stale(&never));
    let purge = |network: &str| {
        format!(r#", (to: "edge", purge: true, only: Writes, wait: false, network: "{network}")"#)
    };
    let late = edge(&purge("200ms"), "", 400);
    let exact = 1.0 - sim_core::math::exp(-0.5 * 0.2);
    assert!((stale(&late) - exact).abs() < 0.015, "{}, not {exact}", stale(&late));
    assert!(value(&late, "staleness", "db", "age_max") <= 0.21e9);
    let sent = late.edges.get("shop->edge").unwrap().calls.started as f64;
    let [came, threw] = ["purges", "thrown_away"].map(|name| value(&late, "purges", "edge", name));
    assert!(came >= sent - 2.0 && threw > 0.8 * came && threw < came, "{threw} of {came} of {sent}");
    // Nobody calls the shop because of it.
    let asked = late.services.get("shop").unwrap().arrived as f64;
    let (misses, writes) = (value(&late, "cache", "edge", "misses"), staleness(&late, ["writes"])[0]);
    assert!((asked - misses - writes).abs() < 3.0, "{asked}: {misses} and {writes}");
    let lost = edge(&purge("1ms"), r#"(at: "0s", on: "shop->edge", effect: Drop())"#, 400);
    assert!((stale(&lost) - stale(&never)).abs() < 0.02, "what is lost throws nothing away");
}

/// A write whose first answer is lost is tried again: without a key it is done twice, and the second is what was acknowledged; with one it is told again, and is
/// one version. Either way a reader who comes later is told what there is.
#[test]
fn what_is_told_again_is_not_written_again() {
    for idempotency in ["Absent", "Key()"] {
        let report = scene(
            &format!(
                r#"workload: [(to: "db", arrivals: Poisson("100/s"), keys: Uniform(5), writes: 0.5, policy: "again")],
                   services: {{"db": (workers: Async(99), work: "1ms", idempotency: {idempotency})}},
                   policies: {{"again": (timeout: "20ms", retry: Fixed(attempts: 5))}}, store_of_record: "db",
                   faults: [(at: "0s", on: "users->db", effect: Drop(probability: 0.2))]"#
            ),
            "60s",
        );
        assert_eq!(staleness(&report, ["stale"]), [0.0], "{idempotency}");
        assert!(staleness(&report, ["writes"])[0] > 2_500.0);
    }
}

/// What is offered to a tier includes what it is told of keys that have changed, and what is behind it is not asked for that.
#[test]
fn a_message_is_offered_to_whom_it_is_told_and_to_nobody_behind() {
    use crate::Catalog;
    use crate::experiment::Experiment;
    let text = r#"(about: "x", model: ServiceGraph(
        workload: [(name: "w", to: "shop", arrivals: Poisson("20/s"), writes: 0.5), (name: "r", to: "edge", arrivals: Poisson("100/s"))],
        services: {
            "edge": (workers: Async(1), work: "1ms", calls: [(to: "shop", probability: 0.5)], cache: (capacity: 1)),
            "shop": (workers: Async(1), work: "1ms", calls: [(to: "edge", purge: true, only: Writes, times: 2)]),
        }), run: (duration: "10s"))"#;
    let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    let tables = resolved.model.explain(&resolved.run).tables;
    let services = tables.iter().find(|table| table.title == "Services").expect("it is there");
    let offered: Vec<String> = services.rows.iter().map(|row| format!("{:?}", row[6])).collect();
    assert!(offered[0].contains("120/s") && offered[1].contains("70"), "{offered:?}");
}

/// (replicas, whose the cache is and how long it keeps, what is said of the others.)
#[test]
fn it_is_said_that_other_replicas_hear_of_no_write() {
    let says = "app: a write reaches what is kept by the replica that passes it on; every other one answers with the old value";
    for (replicas, cache, until) in [
        (1, "capacity: 9", None),
        (2, "capacity: 9", Some("for as long as it is kept")),
        (2, r#"capacity: 9, ttl: "9s""#, Some("until its time is over")),
        (2, "capacity: 9, per: Service", None),
    ] {
        let notes = super::explain::explain(&format!(
            r#"(about: "x", model: ServiceGraph(workload: [(to: "app", arrivals: Poisson("9/s"), keys: Uniform(99), writes: 0.1)], services: {{
                "app": (replicas: {replicas}, workers: Async(99), work: "0s", calls: [(to: "db")], cache: ({cache}), on_write: Invalidate),
                "db": (workers: Async(9), work: "10ms")}}), run: (duration: "9s"))"#
        ))
        .notes;
        let found: Vec<&String> = notes.iter().filter(|note| note.contains("a write")).collect();
        let expected: Vec<String> = until.iter().map(|until| format!("{says} {until}")).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{cache}");
    }
}

/// Users who give up after 20 ms on writes that take 30 ms: all are passed on, and none is acknowledged.
#[test]
fn a_write_is_passed_on_whether_its_user_hears_of_it_or_not() {
    let report = scene(
        r#"workload: [(to: "app", arrivals: Constant("10/s"), writes: 1, policy: "hasty")],
           services: {
               "app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: 1), on_write: Through),
               "db": (workers: Async(99), work: "30ms"),
           }, policies: {"hasty": (timeout: "20ms")}, store_of_record: "db""#,
        "10s",
    );
    assert!(value(&report, "on_write", "app", "passed_on") >= 98.0);
    assert_eq!(staleness(&report, ["writes"]), [0.0]);
}

/// An error that is kept when its key is written: whoever asks next is answered with what was written, or fetches it, and not with the error.
#[test]
fn a_write_takes_the_place_of_an_error() {
    // One reads at 1 s while the store fails, one writes at 4 s, one reads at 7 s; errors are kept for a minute.
    let report = |rule: &str| {
        let fails = r#"faults: [(at: "500ms", for: "1s", on: "db", effect: Errors(probability: 1))]"#;
        let app = format!(r#"{rule}, calls: [(to: "db")], cache: (capacity: 1, negative_ttl: "1min")"#);
        let at = |name: &str, ms: u64, writes: u32| {
            let (on, off) = (ms - 999, ms + 2);
            format!(
                r#"(name: "{name}", to: "app", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "0/s"), (at: "{on}ms", rate: "1/s"), (at: "{off}ms", rate: "0/s")]), writes: {writes})"#
            )
        };
        let users = [at("early", 1_000, 0), at("w", 4_000, 1), at("late", 7_000, 0)].join(", ");
        scene(
            &format!(
                r#"workload: [{users}], services: {{"app": (workers: Async(9), work: "0s", {app}), "db": (workers: Async(9), work: "1ms")}}, {fails}"#
            ),
            "30s",
        )
    };
    for (rule, ok, negative) in [
        ("on_write: Invalidate", true, 0.0),
        ("on_write: Through", true, 0.0),
        (r#"on_write: Behind(write_delay: "1s")"#, true, 0.0),
        ("retry_after: None", false, 1.0),
    ] {
        let report = report(rule);
        let late = report.edges.get("late->app").expect("it is there");
        assert_eq!((late.calls.ok() == 1, late.calls.started), (ok, 1), "{rule}");
        assert_eq!(value(&report, "cache", "app", "negative_hits"), negative, "{rule}");
    }
}

/// Only reads look: of a key that is asked for at `λ`, a share `w` of it writes, `λ (1 - w)` do. Where writes throw away what is kept nothing is claimed.
#[test]
fn what_is_found_is_what_reads_find() {
    let exact = |rule: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "app", arrivals: Poisson("500/s"), keys: Uniform(100), writes: 0.5)],
                   services: {{"app": (workers: Async(99), work: "0s", calls: [(to: "db")], cache: (capacity: Unbounded, ttl: "1s"){rule}), "db": (workers: Async(99), work: "10us")}}"#
            ),
            "30s",
        );
        let found =
            report.values.iter().find(|(name, _)| *name == "hit_ratio app").and_then(|(_, it)| it.exact);
        found.map(|exact| (exact, value(&report, "cache", "app", "hit_ratio")))
    };
    for rule in ["", ", on_write: Through"] {
        let (exact, found) = exact(rule).expect("it is known");
        assert!((exact - 2.5 / 3.5).abs() < 1e-9 && (found - exact).abs() < 0.02, "{rule}: {found}, {exact}");
    }
    for rule in [", on_write: Invalidate", r#", on_write: Behind(write_delay: "100ms")"#] {
        assert_eq!(exact(rule), None, "{rule}");
    }
}
