//! What is said of queues, workers and who waits: each sentence, and where it is not said.

use super::branches::{SECOND, struck, told};
use super::trend::{Growth, growth};
use crate::policy::Ending;
use crate::report::VerdictKind::*;
use crate::report::judge;
use crate::report::synthetic::{Second, healthy, run};
use crate::report::{Edge, Report, Service};

/// A service of ten workers; how its queue goes, how busy it is in percent, and what else is so.
fn grows(queue: impl Fn(u64) -> u64, busy: u64, more: impl Fn(&mut Service, &mut Edge)) -> Option<Growth> {
    let mut report = run(200, |_| healthy(100));
    let mut service = Service { workers: 10, work: 1, completed: 1, ..Service::default() };
    service.windows.queue_ns = (0..200).map(|second| queue(second) * SECOND).collect();
    service.windows.busy_ns = vec![busy * SECOND / 10; 200];
    service.windows.available_ns = vec![10 * SECOND; 200];
    let mut edge = Edge::default();
    more(&mut service, &mut edge);
    report.services.push("db", service);
    report.edges.push("checkout->db", edge);
    growth(&report, &(0..200))
}

#[test]
fn growth_is_of_a_busy_queue_that_nobody_leaves() {
    let nothing = |_: &mut Service, _: &mut Edge| {};
    let clearly = Some(Growth::Grows("db".into(), 12.0, None));
    let perhaps = Some(Growth::Perhaps("db".into()));
    let steadily = |second: u64| 12 * second;
    assert_eq!(grows(steadily, 100, nothing), clearly);
    assert_eq!(grows(steadily, 90, nothing), None, "workers have rest: something else holds it back");
    assert_eq!(
        grows(steadily, 100, |_, edge| edge.closed_loop = true),
        None,
        "users who wait are only so many"
    );
    // Long, and no rest: it may grow. Not if callers leave, if it is full, if it is short, or if there is rest.
    let long = |_: u64| 100;
    assert_eq!(grows(long, 100, nothing), perhaps);
    assert_eq!(grows(long, 100, |_, edge| edge.patience = Some(SECOND)), None);
    assert_eq!(
        grows(long, 100, |service, _| (service.queue_capacity, service.queue_max) = (Some(100), 100)),
        None
    );
    assert_eq!(grows(|_| 5, 100, nothing), None);
    assert_eq!(grows(long, 98, nothing), None);
    // It rose by 1.7 times what luck does, and there is hardly any rest.
    let drunk = |second: u64| 100 + 3 * second + 20 * (second % 2);
    assert_eq!(grows(drunk, 96, nothing), perhaps);
    // And by four times that: it grows.
    let surely = grows(|second| 100 + 7 * second + 20 * (second % 2), 96, nothing);
    assert!(matches!(surely, Some(Growth::Grows(_, rate, _)) if (rate - 7.1).abs() < 0.1), "{surely:?}");
    // It was soon as long as it is: that is no growth.
    assert_eq!(grows(|second| 12 * second.min(50), 96, nothing), None);
    // Nine more in all that time are nothing.
    assert_eq!(grows(|second| second / 22, 100, nothing), None);
    // In bursts of forty seconds, up and down: luck goes as far.
    let bursts = |second: u64| if second % 80 < 40 { 10 * (second % 40) } else { 400 - 10 * (second % 40) };
    assert_eq!(grows(bursts, 96, nothing), None);
}

#[test]
fn the_queue_that_grows_most_is_named() {
    let mut report = run(200, |_| healthy(100));
    for (name, by) in [("slow", 2), ("fast", 30), ("middle", 9)] {
        let mut service = Service { workers: 10, work: 1, completed: 1, ..Service::default() };
        service.windows.queue_ns = (0..200).map(|second| by * second * SECOND).collect();
        service.windows.busy_ns = vec![10 * SECOND; 200];
        service.windows.available_ns = vec![10 * SECOND; 200];
        report.services.push(name, service);
    }
    assert_eq!(told(report).1, "the queue of fast grows by 30/s");
}

/// A call graph of a gateway and a database that is told what to be like in its last windows.
fn detailed(more: impl Fn(&mut Report)) -> Vec<String> {
    let bad =
        |second: u64| if second < 60 { healthy(100) } else { Second { started: 100, ok: 0, failed: 100 } };
    let mut report = struck(run(300, bad));
    for name in ["gateway", "db"] {
        let mut service =
            Service { workers: 10, work: 10_000_000_000, completed: 1_000, ..Service::default() };
        service.windows.busy_ns = vec![5 * SECOND; 300];
        service.windows.available_ns = vec![10 * SECOND; 300];
        service.windows.queue_ns = vec![0; 300];
        service.windows.queue_max = vec![0; 300];
        report.services.push(name, service);
    }
    for edge in ["gateway->db", "batch->db"] {
        report.edges.push(edge, Edge { patience: Some(2 * SECOND), ..Edge::default() });
    }
    more(&mut report);
    judge(&mut report);
    report.verdict.details
}

#[test]
fn what_a_person_would_name_is_named() {
    let says = |details: &[String], what: &str| details.iter().any(|detail| detail == what);
    let nothing = detailed(|_| {});
    for word in ["queue", "workers", "wait", "grows"] {
        assert!(!nothing.iter().any(|detail| detail.contains(word)), "{word}: {nothing:?}");
    }
    // All ten are busy at both; half of them is not all.
    let taken = detailed(|report| {
        report.services.0.iter_mut().for_each(|(_, it)| it.windows.busy_ns.fill(10 * SECOND))
    });
    assert!(says(&taken, "by the end the workers of db are all taken"), "the last on the way: {taken:?}");
    // Full in half of the last windows, and in one of thirty.
    let full = |every: usize| {
        detailed(move |report| {
            let db = &mut report.services.0[1].1;
            db.queue_capacity = Some(64);
            (0..300)
                .filter(|window| window % every == 0)
                .for_each(|window| db.windows.queue_max[window] = 64);
        })
    };
    assert!(says(&full(2), "by the end the queue of db ran full in 50 % of the windows"), "{:?}", full(2));
    assert!(!full(30).iter().any(|detail| detail.contains("queue")), "{:?}", full(30));
    // 1000 wait for five busy workers, each for 10 ms: two seconds, and callers wait two; 1,500 are three.
    let waits = |length: u64, patience: u64| {
        detailed(move |report| {
            report.services.0[1].1.windows.queue_ns.fill(length * SECOND);
            report.edges.0[2].1.patience = Some(patience * SECOND);
        })
    };
    assert!(
        says(&waits(1_500, 9), "the queue of db holds 3 s of work; callers wait 2 s"),
        "{:?}",
        waits(1_500, 9)
    );
    assert!(!waits(900, 9).iter().any(|detail| detail.contains("holds")));
    // It grows to the end, by luck or not, though it is not what is told first.
    let grows = detailed(|report| {
        let db = &mut report.services.0[1].1.windows;
        db.busy_ns.fill(10 * SECOND);
        db.queue_ns = (0..300).map(|second| 12 * second * SECOND).collect();
    });
    assert!(says(&grows, "the queue of db grows by 12/s"), "{grows:?}");
    // A hundred of 24,000 are few, unless they are old; of a run that went well none is told unless it is old.
    let waiting = |count: u64, age: u64| {
        detailed(move |report| {
            let calls = &mut report.edges.0[0].1.calls;
            calls.started += count;
            (calls.ended[Ending::InFlight], calls.in_flight_age) = (count, Some(age * SECOND));
        })
    };
    assert!(!waiting(100, 9).iter().any(|detail| detail.contains("wait")), "{:?}", waiting(100, 9));
    assert!(says(&waiting(100, 11), "100 calls still wait at the end, 11 s old on average"));
    assert!(says(&waiting(1_000, 9), "1000 calls still wait at the end, 9 s old on average"));
}

/// What is too short to tell does not excuse who fails already.
#[test]
fn a_queue_that_may_grow_is_no_excuse() {
    let perhaps = |ok: u64| {
        let mut report = run(120, |_| Second { started: 100, ok, failed: 100 - ok });
        let mut service = Service { workers: 10, work: 1, completed: 1, ..Service::default() };
        service.windows.queue_ns = vec![100 * SECOND; 120];
        service.windows.busy_ns = vec![10 * SECOND; 120];
        service.windows.available_ns = vec![10 * SECOND; 120];
        report.services.push("db", service);
        told(report).0
    };
    assert_eq!((perhaps(100), perhaps(60)), (Undecided, Failing));
}
