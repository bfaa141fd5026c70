//! Scenes of requests that go where what they carry says.

use super::scenes::{scene, scene_of};
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

/// A tenant has two of five, whoever balances and whatever else keeps him from one of them; and the same two by another edge.
#[test]
fn a_tenant_has_a_few_of_its_own() {
    let tenant =
        r#"(to: "shard", arrivals: Constant("100/s"), policy: "p", clients: 3, tenants: Named({"one": 1}))"#;
    let own = |policy: &str, workload: &str| -> Vec<usize> {
        let report = shards(workload, policy, "");
        let arrived = arrived(&report, 5);
        (0..5).filter(|replica| arrived[*replica] > 0.0).collect()
    };
    let subset = "subset: ShuffleShard(2)";
    let two = own(subset, tenant);
    assert_eq!(two.len(), 2);
    for balancer in [
        "Random",
        "LeastPending",
        "PowerOfTwo",
        "PowerOfD()",
        "PeakEwma()",
        "Weighted(weights: [3, 1, 3, 1, 3])",
        "ConsistentHash(by: Key)",
    ] {
        for more in [
            "",
            "breaker: Consecutive(per: Replica())",
            "outlier: (max_ejection_percent: 100)",
            "pool: (per: Replica)",
            r#"hedge: (after: "5ms"), retry_host: Other()"#,
            r#"retry: Fixed(attempts: 4), retry_host: Other(picks: 2), timeout: "24ms", breaker: Consecutive(per: Replica(picks: 3), open_for: "1s")"#,
        ] {
            let policy = format!("{subset}, balancer: {balancer}, {more}");
            assert_eq!(own(&policy, tenant), two, "{policy}");
        }
    }
    let other = format!(
        r#"{tenant}, (name: "other", to: "shard", arrivals: Constant("9/s"), policy: "p", tenants: Named({{"one": 1}}))"#
    );
    assert_eq!(own(subset, &other), two);
    let all = r#"(to: "shard", arrivals: Constant("100/s"), policy: "p")"#;
    assert_eq!(own(subset, all).len(), 5, "who is of no tenant has all");
}

/// Five clients that know two of five each: two rounds and a half. In rounds each replica is known to 2, and in the last to somebody
/// once more, or not; by chance to as many as chance has it, and that is counted.
#[test]
fn how_many_clients_know_whom_is_told() {
    let clients = r#"(to: "shard", arrivals: Constant("200/s"), policy: "p", clients: 5)"#;
    for (subset, sum) in [("Deterministic(1)", 5.0), ("Deterministic(5)", 25.0), ("Random(2)", 10.0)] {
        let report = shards(clients, &format!("subset: {subset}"), "");
        let told = |name| number(&report, &format!("subsets[\"users->shard\"].{name}"));
        let (least, most, unknown) = (told("clients_least"), told("clients_most"), told("unknown"));
        let idle = arrived(&report, 5).iter().filter(|count| **count == 0.0).count();
        assert_eq!(unknown, idle as f64, "{subset}: who is known to nobody has nothing to do");
        assert!(5.0 * least <= sum && sum <= 5.0 * most, "{subset}: {least} to {most}");
        assert!(subset.starts_with("Random") || least == most, "{subset}: {least} to {most}");
    }
}

/// Who has ejected one of the two that it knows has the other; without it, half is lost.
#[test]
fn of_few_one_is_lost() {
    let lost = |policy: &str| {
        let graph = format!(
            r#"workload: [(to: "shard", arrivals: Constant("100/s"), policy: "p", tenants: Named({{"one": 1}}))],
               services: {{"shard": (replicas: 3, workers: Async(9), work: "1ms")}},
               policies: {{"p": (subset: ShuffleShard(2), {policy})}},
               faults: [(at: "0s", on: "shard", replicas: Only([0, 1]), effect: Errors(probability: 1.0))]"#
        );
        1.0 - number(&scene(&graph, "20s"), "success")
    };
    // Of the three pairs two have one that works, and one has none.
    let one = lost("");
    assert!((one - 0.5).abs() < 0.001 || one == 1.0, "{one}");
    let ejecting = lost("outlier: (max_ejection_percent: 100)");
    assert!(if one == 1.0 { ejecting == 1.0 } else { ejecting < 0.006 }, "{ejecting} of {one}");
    let elsewhere = lost("retry: Fixed(attempts: 2), retry_host: Other()");
    assert_eq!(elsewhere, if one == 1.0 { 1.0 } else { 0.0 });
}

/// A session is where it was, whichever client asks, until its replica is ejected.
#[test]
fn a_session_stays_where_it_is() {
    let tenants =
        |more: &str| format!(r#"(to: "shard", arrivals: Constant("100/s"), policy: "p", clients: 3{more})"#);
    let of = |workload: &str, policy: &str| {
        let report = shards(workload, policy, "");
        let begun = number(&report, "affinities[\"users->shard\"].begun");
        (arrived(&report, 5).iter().filter(|count| **count > 0.0).count(), begun)
    };
    let one = tenants(r#", tenants: Named({"one": 1})"#);
    assert_eq!(of(&one, "balancer: Sticky()"), (1, 1.0));
    assert_eq!(
        of(&one, "balancer: Sticky(), subset: ShuffleShard(2), outlier: (max_ejection_percent: 100)"),
        (1, 1.0)
    );
    assert_eq!(of(&one, "balancer: Sticky(by: Client)").1, 3.0, "three clients");
    // Every second a new one; the clients have turns of their own, so it need not be another.
    let (_, begun) = of(&one, r#"balancer: Sticky(max_life: "1s")"#);
    assert_eq!(begun, 10.0);
    let crashed = |policy: &str| {
        let graph = format!(
            r#"workload: [{one}],
               services: {{"shard": (replicas: 5, workers: Async(9), work: "1ms")}},
               policies: {{"p": (balancer: Sticky(), {policy})}},
               faults: [(at: "2s", for: "4s", on: "shard", effect: Errors(probability: 1.0))]"#
        );
        let report = scene(&graph, "10s");
        (number(&report, "success"), number(&report, "affinities[\"users->shard\"].moved"))
    };
    // All are ill for four seconds, and a session stays: nobody is ejected.
    let (success, moved) = crashed("");
    assert!((success - 0.6).abs() < 0.001 && moved == 0.0, "{success}, {moved} moved");
    assert!(
        crashed("retry: Fixed(attempts: 2), retry_host: Other()").1 >= 400.0,
        "each retry takes it along"
    );
}

/// What began before measurement did is not counted.
#[test]
fn sessions_are_counted_after_the_warm_up() {
    let graph = r#"workload: [(to: "shard", arrivals: Constant("100/s"), policy: "p", tenants: Named({"one": 1}))],
                   services: {"shard": (replicas: 5, workers: Async(9), work: "1ms")},
                   policies: {"p": (balancer: Sticky(max_life: "4s"))}"#;
    let report = scene_of(graph, r#"duration: "10s", warm_up: "5s", window: "5s""#);
    // At 0, 4 and 8 s; what comes at the very end of a life is still of it.
    let told = |name| number(&report, &format!("affinities[\"users->shard\"].{name}"));
    assert_eq!((told("begun"), told("expired"), told("moved")), (1.0, 1.0, 0.0));
}
