//! Requests that share the cores of their replica: scenes to be worked out by hand, and what sharing comes to where there is nothing to share.

use super::scenes::{MILLI, scene};
use super::shedding::trajectory_of;
use crate::report::Report;

/// Three come at 10, 20 and 30 ms, of 25 ms each.
fn three(service: &str, policy: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "100/s"), (at: "35ms", rate: "0/s")]))],
               services: {{"db": (work: "25ms", {service})}},
               policies: {{"p": ({policy})}}"#
        ),
        "10s",
    )
}

/// To 20 ms the first is alone, to 30 there are two, to 60, when the first is done, three. The second is done at 80, the third at 85.
#[test]
fn whoever_is_there_has_a_part() {
    for (workers, mean, longest) in [
        ("ProcessorSharing(at_once: Unbounded)", 55_000, 60),
        // At once, two at a time: the first has 10 + 12.5 at 45; it is done at 50, and the second, who has 15, at 70 with the third, who has 10.
        ("ProcessorSharing(at_once: 2)", 48_333, 55),
        ("ProcessorSharing(at_once: 1)", 40_000, 55),
        // To 30 ms nothing is shared; the first has 5 left then, at two thirds.
        ("ProcessorSharing(cores: 2, at_once: Unbounded)", 27_500, 27),
        ("ProcessorSharing(cores: 3, at_once: 3)", 25_000, 25),
    ] {
        let report = three(&format!("workers: {workers}"), "");
        let latency = &report.edges.get("users->db").unwrap().latency;
        let (micros, most) = (latency.mean.unwrap() / 1_000, latency.max.unwrap() / MILLI);
        assert_eq!((latency.count, micros, most), (3, mean, longest), "{workers}");
        let service = report.services.get("db").unwrap();
        // What is done is done, whoever else was there.
        assert_eq!((service.work, service.work_wasted), (75 * MILLI, 0), "{workers}");
        let cores = f64::from(u8::from(workers.contains("cores: 2")))
            + 1.0
            + 2.0 * f64::from(u8::from(workers.contains("cores: 3")));
        assert!(
            (service.utilisation * cores * 10_000.0 - 75.0).abs() < 1e-6,
            "{workers}: {}",
            service.utilisation
        );
    }
}

/// Given up after 30 ms each, and stopped: the first has had 18.3 ms, the second 13.3 and the third 18.3.
#[test]
fn what_was_done_of_what_is_stopped_was_done_in_vain() {
    for (policy, service, stopped) in [
        (r#"timeout: "30ms", cancel: Always"#, "on_cancel: Stop", 50 * MILLI),
        // It goes on to its end.
        (r#"timeout: "30ms", cancel: Always"#, "on_cancel: Ignore", 75 * MILLI),
    ] {
        let report = three(&format!("workers: ProcessorSharing(at_once: Unbounded), {service}"), policy);
        let db = report.services.get("db").unwrap();
        assert_eq!(db.work, db.work_wasted);
        assert!(db.work <= stopped && db.work + 3 >= stopped, "{service}: {} of {stopped}", db.work);
    }
}

/// As many cores as are served at once: nothing is shared, and every event is that of as many workers.
#[test]
fn what_is_not_shared_is_a_worker_each() {
    for (cores, service, policy) in [
        (1, "", ""),
        (4, "", ""),
        (4, "on_cancel: Stop,", ", cancel: Always"),
        (4, r#"idempotency: Key(lookup: "1ms"),"#, ""),
        (4, "scaling: Usl(contention: 0.1),", ""),
        (4, r#"dies: (at_in_flight: 60, restart_after: "300ms"),"#, ""),
        (4, r#"shed: FacebookCoDel(),"#, r#", hedge: (after: "50ms")"#),
    ] {
        let shared = format!("workers: ProcessorSharing(cores: {cores}, at_once: {cores}), {service}");
        let apart = format!("workers: Async({cores}), {service}");
        assert_eq!(trajectory_of(&shared, policy), trajectory_of(&apart, policy), "{cores} {service}");
        let others = format!("workers: ProcessorSharing(cores: {cores}, at_once: {}), {service}", 3 * cores);
        assert_ne!(trajectory_of(&others, policy), trajectory_of(&apart, policy), "{cores} {service}");
    }
}
