//! Scenes of requests that go where what they carry says.

use super::scenes::scene;
use crate::report::{Metric, Report};

#[track_caller]
fn number(report: &Report, metric: &str) -> f64 {
    match report.metric(metric).expect("it is measured") {
        Metric::Number(number, _) => number,
        other => panic!("{metric}: {other:?}"),
    }
}

/// How many requests came to each of the replicas of `shard`.
fn arrived(report: &Report, replicas: usize) -> Vec<f64> {
    (0..replicas)
        .map(|replica| number(report, &format!("services.shard.replicas[{replica}].arrived")))
        .collect()
}

/// A hundred requests a second for ten seconds, of 25 ms, by `more`.
fn shards(workload: &str, policy: &str, service: &str) -> Report {
    scene(
        &format!(
            r#"workload: [{workload}],
               services: {{"shard": (replicas: 5, workers: Async(9), work: "25ms", per_replica: true{service})}},
               policies: {{"p": ({policy})}}"#
        ),
        "10s",
    )
}

const ONE_KEY: &str =
    r#"(to: "shard", arrivals: Constant("100/s"), policy: "p", clients: 3, keys: Uniform(1))"#;

/// All clients send all that is about one key to one replica, and so do the clients of another edge.
#[test]
fn a_key_has_one_home() {
    let home = |report: &Report| {
        let arrived = arrived(report, 5);
        let home = arrived.iter().position(|count| *count > 0.0).expect("somewhere");
        assert_eq!(arrived.iter().filter(|count| **count > 0.0).count(), 1, "{arrived:?}");
        home
    };
    let one = home(&shards(ONE_KEY, "balancer: ConsistentHash()", ""));
    let two = format!(
        r#"{ONE_KEY}, (name: "other", to: "shard", arrivals: Constant("50/s"), policy: "p", keys: Uniform(1))"#
    );
    assert_eq!(home(&shards(&two, "balancer: ConsistentHash()", "")), one);
    // A crash that nobody is told of leaves it where it is; who has ejected it sends elsewhere.
    let crash = format!(
        r#")}}, faults: [(at: "0s", on: "shard", replicas: Only([{one}]), effect: Crash(callers: Reset)"#
    );
    let crashed = |policy: &str| {
        let graph = format!(
            r#"workload: [{ONE_KEY}],
               services: {{"shard": (replicas: 5, workers: Async(9), work: "25ms"{crash})],
               policies: {{"p": ({policy})}}"#
        );
        number(&scene(&graph, "10s"), "success")
    };
    assert_eq!(crashed("balancer: ConsistentHash(), retry: Fixed(attempts: 4)"), 0.0, "where it always went");
    assert_eq!(crashed("balancer: ConsistentHash(), retry: Fixed(attempts: 2), retry_host: Other()"), 1.0);
    let ejects = crashed("balancer: ConsistentHash(), outlier: (max_ejection_percent: 100)");
    // Each of three clients learns it from five failures; two or three are out when it has.
    assert!((0.98..0.986).contains(&ejects), "{ejects}");
    let opens = crashed(r#"balancer: ConsistentHash(), breaker: Consecutive(per: Replica())"#);
    assert!((0.98..0.986).contains(&opens), "{opens}");
}

/// Of one key with a bound of 1.25, three are out at a time: ceil(1.25 * 3 / 5) = 1 each.
#[test]
fn what_is_too_much_goes_on_along_the_ring() {
    let one_client = ONE_KEY.replace("clients: 3, ", "");
    let report = shards(&one_client, "balancer: ConsistentHash(load_factor: 1.25)", "");
    let mut arrived = arrived(&report, 5);
    arrived.sort_by(f64::total_cmp);
    // Every 10 ms one, for 25 ms: whoever comes finds two out, and the first is free again for the fourth.
    assert_eq!(arrived[..2], [0.0, 0.0], "{arrived:?}");
    assert!(arrived[2..].iter().all(|count| (count - 333.0).abs() <= 2.0), "{arrived:?}");
}

/// A tenant's requests go to one replica, and a client's do.
#[test]
fn so_have_tenants_and_clients() {
    let tenants =
        r#"(to: "shard", arrivals: Constant("100/s"), policy: "p", clients: 7, tenants: Named({"one": 1}))"#;
    let report = shards(tenants, "balancer: ConsistentHash(by: Tenant)", "");
    assert_eq!(arrived(&report, 5).iter().filter(|count| **count > 0.0).count(), 1);
    let clients = r#"(to: "shard", arrivals: Constant("100/s"), policy: "p", clients: 1)"#;
    let report = shards(clients, "balancer: ConsistentHash(by: Client)", "");
    assert_eq!(arrived(&report, 5).iter().filter(|count| **count > 0.0).count(), 1);
    // Who says nothing of a tenant goes anywhere.
    let report = shards(clients, "balancer: ConsistentHash(by: Tenant)", "");
    assert!(arrived(&report, 5).iter().all(|count| *count > 100.0), "{:?}", arrived(&report, 5));
}
