//! Who claims something knows what it speaks of. Two tables: what each mechanism does silences the claims that do not
//! know it, and would not if it did not say so; and each claim knows exactly what it says it knows, so that
//! whatever a mechanism of tomorrow does silences all that have not learned of it.

use crate::RunSpec;
use crate::experiment::{Decode, Decoder, Diagnostics, Node, Sources, parse_file};
use crate::policy::Policy;
use crate::policy::part::Does;
use crate::run::RunOptions;
use crate::service_graph::follow::Deaf;
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::GraphSpec;
use crate::service_graph::theory::fluid;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

fn read<T: Decode>(text: &str) -> T {
    let mut sources = Sources::default();
    let source = sources.add("test.ron", text);
    let node: Option<Node> = parse_file(text, source, &mut Diagnostics::new());
    let value = node.and_then(|node| T::decode(&node, &mut Decoder::new()));
    value.unwrap_or_else(|| panic!("not sound: {text}"))
}

/// What is claimed of a graph if its plan were otherwise: the names of the exact values, and the regime.
fn claims(text: &str, change: impl FnOnce(&mut Plan)) -> BTreeSet<String> {
    let (spec, run): (GraphSpec, RunSpec) = (read(text), read(r#"(duration: "2s")"#));
    let mut plan = Plan::new(&spec);
    change(&mut plan);
    let regime = fluid::law(&plan, &run).regime.map(|regime| format!("{regime:?}"));
    let output = super::super::run_plan::<Deaf>(&plan, &run, &RunOptions::seeded(1), &mut |_| {
        ControlFlow::Continue(())
    });
    output.report.values.iter().map(|(name, _)| name.to_owned()).chain(regime).collect()
}

/// Users of one desk. What they and it are unless something is said: M/M/1, half busy.
#[derive(Clone, Copy)]
struct Desk {
    policy: &'static str,
    users: &'static str,
    service: &'static str,
    faults: &'static str,
    zones: &'static str,
    flags: &'static str,
}

const DESK: Desk = Desk { policy: "", users: "", service: "", faults: "", zones: "None", flags: "" };

impl Desk {
    fn text(&self) -> String {
        let Desk { policy, users, service, faults, zones, flags } = self;
        let or = |said: &str, key: &str, otherwise: &str| match said.contains(&format!("{key}: ")) {
            true => String::new(),
            false => format!("{key}: {otherwise}, "),
        };
        let arrivals = or(users, "arrivals", r#"Poisson("50/s")"#);
        let workers = or(service, "workers", "Async(1)");
        let queue = or(service, "queue", "Fifo(capacity: Unbounded)");
        let work = or(service, "work", r#"Exponential(mean: "10ms")"#);
        // A service that nobody calls would not be alone.
        let back = match service.contains("calls: ") {
            true => {
                r#", "back": (workers: Async(4), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "1ms"))"#
            }
            false => "",
        };
        format!(
            r#"(
                workload: [(to: "desk", policy: "p", {arrivals}{users})],
                services: {{"desk": ({workers}{queue}{work}{service}){back}}},
                policies: {{"p": ({policy})}},
                faults: [{faults}],
                zones: {zones},
                flags: {{{flags}}},
            )"#
        )
    }
}

/// One mechanism, what it does, and a claim that it silences.
#[test]
fn what_a_mechanism_does_silences_who_does_not_know_it() {
    let policy = |policy| Desk { policy, ..DESK };
    let service = |service| Desk { service, ..DESK };
    let fault = |faults| Desk { faults, ..DESK };
    let rows = [
        (policy(r#"timeout: "5s""#), Does::GIVES_UP, "response_mean"),
        (policy(r#"deadline: "5s""#), Does::GIVES_UP, "response_mean"),
        (policy("retry: Fixed(attempts: 2)"), Does::REPEATS, "response_mean"),
        (policy(r#"hedge: (after: "500ms")"#), Does::COPIES, "response_mean"),
        (policy("throttle: ()"), Does::REFUSES, "wait_mean"),
        (policy("cancel: Always"), Does::SHEDS, "wait_mean"),
        (policy("breaker: Consecutive()"), Does::REFUSES, "wait_mean"),
        (policy("breaker: FailureRate()"), Does::REFUSES, "wait_mean"),
        (
            Desk {
                service: "replicas: 2",
                ..policy("balancer: Random, breaker: Consecutive(per: Replica())")
            },
            Does::REFUSES.and(Does::STEERS),
            "wait_mean",
        ),
        (policy("bulkhead: (max_concurrent: 50)"), Does::REFUSES, "wait_mean"),
        (policy("pool: (size: 50)"), Does::DELAYS, "wait_mean"),
        (policy("pool: (size: 50, max_waiting: 0)"), Does::REFUSES, "wait_mean"),
        (
            Desk { service: "replicas: 2", ..policy("balancer: Random, retry_host: Other()") },
            Does::STEERS,
            "wait_mean",
        ),
        (
            Desk {
                service: "replicas: 2",
                ..policy("balancer: Random, outlier: (max_ejection_percent: 100)")
            },
            Does::STEERS.and(Does::REFUSES),
            "wait_mean",
        ),
        (
            policy(r#"deadline_propagation: (allowance: "1ms")"#),
            Does::GIVES_UP.and(Does::EXPIRES),
            "wait_mean",
        ),
        (policy("concurrency: Gradient(initial: 50, max: 50)"), Does::REFUSES, "wait_mean"),
        (policy(r#"rate_limit: TokenBucket(rate: "500/s", burst: 50)"#), Does::REFUSES, "wait_mean"),
        (
            Desk {
                service: "workers: Async(60)",
                ..policy(r#"bulkhead: (max_concurrent: 50, max_wait: "1s")"#)
            },
            Does::DELAYS.and(Does::REFUSES),
            "wait_mean",
        ),
        (
            Desk {
                service: "error_rate: 0.2",
                ..policy("retry: Fixed(attempts: 2), budget: Ratio(burst: 1000)")
            },
            Does::RATIONS,
            "wait_mean",
        ),
        (service("replicas: 2"), Does::STEERS, "wait_mean"),
        (Desk { service: "replicas: 2", ..policy("balancer: LeastPending") }, Does::STEERS, "wait_mean"),
        (Desk { service: "replicas: 2", ..policy("balancer: PowerOfTwo") }, Does::STEERS, "wait_mean"),
        (
            Desk { service: "replicas: 2", ..policy("balancer: Random, subset: Random(1)") },
            Does::STEERS,
            "wait_mean",
        ),
        (
            Desk { service: "replicas: 2", ..policy("balancer: ConsistentHash(by: Client)") },
            Does::STEERS,
            "wait_mean",
        ),
        (Desk { users: r#"network: "1ms""#, ..DESK }, Does::TRAVELS, "response_p99"),
        (Desk { service: "replicas: 2", ..policy("balancer: Random, zone: Own") }, Does::STEERS, "wait_mean"),
        (
            Desk {
                service: r#"zones: ["b"]"#,
                users: r#"zones: ["a"]"#,
                zones: r#"(names: ["a", "b"], network: "1ms")"#,
                ..DESK
            },
            Does::TRAVELS.and(Does::CROSSES),
            "response_p99",
        ),
        (Desk { users: r#"reload: (after: "1s")"#, ..DESK }, Does::RETURNS, "wait_mean"),
        (Desk { users: r#"reload: (after: "1s")"#, ..DESK }, Does::RETURNS, "Stable"),
        (Desk { users: r#"session: (calls: Fixed(2), think: "1s")"#, ..DESK }, Does::FOLLOWS, "wait_mean"),
        (Desk { users: r#"session: (calls: Fixed(1), think: "1s")"#, ..DESK }, Does::FOLLOWS, "Stable"),
        (service("queue: Lifo(capacity: Unbounded)"), Does::REORDERS, "response_p99"),
        (service("queue: AdaptiveLifo(threshold: 9, capacity: Unbounded)"), Does::REORDERS, "response_p99"),
        (service("queue: EarliestDeadline(capacity: Unbounded)"), Does::REORDERS, "response_p99"),
        (service("queue: Priority(capacity: Unbounded)"), Does::REORDERS, "response_p99"),
        (service("queue: Fair(capacity: Unbounded)"), Does::REORDERS, "response_p99"),
        (service("queue: Priority(capacity: 1000)"), Does::SHEDS, "wait_mean"),
        (service("queue: Fair(capacity: 1000)"), Does::SHEDS, "wait_mean"),
        (service("shed: CoDel()"), Does::SHEDS, "wait_mean"),
        (service("shed: FacebookCoDel()"), Does::SHEDS, "wait_mean"),
        (service(r#"shed: MaxWait("1s")"#), Does::SHEDS, "response_mean"),
        (service(r#"queue_bytes: "1GiB""#), Does::SHEDS, "wait_mean"),
        (service("shed: ByPriority(critical: 1000)"), Does::SHEDS, "wait_mean"),
        (service("shed: Dagor()"), Does::SHEDS, "wait_mean"),
        (service(r#"block_and_ramp: (at: "1s", block: "1s")"#), Does::SHEDS, "wait_mean"),
        (
            Desk {
                service: "workers: Async(2), queue: Fifo(capacity: Unbounded, drop_expired: true)",
                ..policy(r#"timeout: "1s""#)
            },
            Does::EXPIRES,
            "wait_mean",
        ),
        (service(r#"workers: Blocking(1), calls: [(to: "back")]"#), Does::HOLDS, "wait_mean desk"),
        (service("workers: ProcessorSharing(at_once: 5)"), Does::SHARES, "wait_mean"),
        (service("idempotency: Key()"), Does::ANSWERS.and(Does::FAILS).and(Does::STRETCHES), "wait_mean"),
        (
            Desk { users: "writes: 0.5", ..service(r#"calls: [(to: "back", only: Writes)]"#) },
            Does::CHOOSES,
            "wait_mean back",
        ),
        (
            service(r#"cache: (capacity: 1, ttl: "1ms"), calls: [(to: "back")]"#),
            Does::ANSWERS,
            "wait_mean desk",
        ),
        (
            Desk {
                users: "writes: 0.1",
                ..service(r#"cache: (capacity: 1, ttl: "1s"), on_write: Invalidate, calls: [(to: "back")]"#)
            },
            Does::FORGETS,
            "hit_ratio desk",
        ),
        (service("scaling: Usl(contention: 0.1)"), Does::STRETCHES, "wait_mean"),
        (
            Desk {
                users: r#"arrivals: ClosedLoop(users: 3, think: Exponential(mean: "20ms"))"#,
                ..service("error_rate: 0.1")
            },
            Does::FAILS,
            "response_mean",
        ),
        (service(r#"dies: (at_in_flight: 500, restart_after: "1s")"#), Does::BREAKS, "wait_mean"),
        (
            Desk { service: "replicas: 2", ..policy(r#"balancer: Random, slow_start: (window: "1s")"#) },
            Does::STEERS,
            "wait_mean",
        ),
        (service(r#"start_up: (time: "1s")"#), Does::VARIES, "wait_mean"),
        (
            service(r#"memory_leak: (per_hour: "1MiB", limit: "1GiB", then: Dies(restart_after: "1s"))"#),
            Does::BREAKS,
            "wait_mean",
        ),
        (
            service(r#"memory_leak: (per_hour: "1MiB", limit: "1GiB", then: Slows(factor: 2))"#),
            Does::VARIES,
            "wait_mean",
        ),
        (
            service(
                "thermal: (air: [(celsius: 25)], busy: 1, cooling: 10, heat_capacity: 99, throttle: (from: 30, to: 40, factor: 2))",
            ),
            Does::VARIES,
            "wait_mean",
        ),
        (
            service(
                "thermal: (air: [(celsius: 25)], busy: 1, cooling: 10, heat_capacity: 99, shut_down: (at: 40, back_at: 30))",
            ),
            Does::BREAKS,
            "wait_mean",
        ),
        (service(r#"cold_start: (time: "1ms")"#), Does::VARIES, "wait_mean"),
        (service(r#"stop_the_world: Periodic(every: "1s", for: "1ms")"#), Does::PAUSES, "wait_mean"),
        (
            service(
                r#"stop_the_world: GarbageCollection(heap: "1GiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            ),
            Does::PAUSES,
            "Stable",
        ),
        (
            Desk { service: "replicas: 2, health: ()", ..policy("balancer: Random") },
            Does::STEERS.and(Does::REFUSES),
            "wait_mean",
        ),
        (
            Desk { service: "replicas: 2, health: (kind: Worker())", ..policy("balancer: Random") },
            Does::STEERS.and(Does::REFUSES).and(Does::CHECKS),
            "wait_mean",
        ),
        (
            Desk { service: "replicas: 2, probes: (readiness: ())", ..policy("balancer: Random") },
            Does::STEERS.and(Does::REFUSES),
            "wait_mean",
        ),
        (
            Desk {
                service: "replicas: 2, probes: (liveness: (kind: Worker()))",
                ..policy("balancer: Random")
            },
            Does::STEERS.and(Does::REFUSES).and(Does::BREAKS).and(Does::CHECKS),
            "wait_mean",
        ),
        (
            Desk { service: "autoscaler: (metric: Queue(1), max: 1)", ..policy("balancer: Random") },
            Does::VARIES.and(Does::STEERS).and(Does::REFUSES),
            "wait_mean",
        ),
        (
            Desk {
                service: r#"feature_flag: (stages: [(at: "1s")], error_rate: 0.1)"#,
                ..policy("balancer: Random")
            },
            Does::VARIES.and(Does::FAILS),
            "wait_mean",
        ),
        (
            Desk {
                flags: r#""x": (stages: [(at: "0s")])"#,
                ..service(r#"work: Exponential(mean: "10ms"), with_flags: {"x": (work: 1.2)}"#)
            },
            Does::VARIES,
            "wait_mean",
        ),
        (
            Desk {
                flags: r#""x": (stages: [(at: "0s", share: 0.2)])"#,
                ..service(r#"with_flags: {"x": (error_rate: 0.2)}"#)
            },
            Does::VARIES.and(Does::FAILS),
            "wait_mean",
        ),
        (
            Desk {
                flags: r#""x": (stages: [(at: "0s", share: 0.5)])"#,
                ..service(r#"calls: [(to: "back", flag: With("x"))]"#)
            },
            Does::CHOOSES,
            "wait_mean back",
        ),
        (
            Desk { service: r#"rollout: (at: "1s")"#, ..policy("balancer: Random") },
            Does::VARIES.and(Does::STEERS).and(Does::REFUSES),
            "wait_mean",
        ),
        (
            Desk {
                service: r#"rollout: (at: "1s", to: (memory_leak: (per_request: "1MiB", limit: "1GiB", then: Dies(restart_after: "1s"))))"#,
                ..policy("balancer: Random")
            },
            Does::VARIES.and(Does::STEERS).and(Does::REFUSES).and(Does::BREAKS),
            "wait_mean",
        ),
        (
            service(r#"calls: [(to: "back", optional: true)], brownout: Switch(above: 90, below: 9)"#),
            Does::VARIES.and(Does::OMITS),
            "wait_mean desk",
        ),
        (
            Desk {
                service: r#"replicas: 2, calls: [(to: "back")], discovery: Dns(resolver: "back")"#,
                ..policy("balancer: Random")
            },
            Does::STEERS.and(Does::REFUSES).and(Does::CHECKS),
            "wait_mean desk",
        ),
        (
            fault(r#"(at: "1s", for: "100ms", on: "desk", effect: Drain())"#),
            Does::VARIES.and(Does::STEERS).and(Does::REFUSES),
            "wait_mean",
        ),
        (
            service(
                r#"calls: [(to: "back")], on_start: (calls: [(to: "back")], again: "1s", before_ready: true)"#,
            ),
            Does::VARIES.and(Does::CHECKS),
            "wait_mean desk",
        ),
        (
            service(
                r#"work: Exponential(mean: "10ms"), on_start: (at_begin: true, work: (time: "1s", share: 0.2))"#,
            ),
            Does::VARIES,
            "wait_mean",
        ),
        (fault(r#"(at: "1s", on: "desk", effect: Slow(factor: 1.5))"#), Does::VARIES, "wait_mean"),
        (fault(r#"(at: "1s", on: "desk", effect: Crash())"#), Does::BREAKS, "wait_mean"),
        (fault(r#"(at: "1s", on: "desk", effect: BlackHole)"#), Does::BREAKS, "wait_mean"),
        (fault(r#"(at: "0s", on: "desk", effect: Errors(probability: 0.1))"#), Does::FAILS, "wait_mean"),
        (
            fault(r#"(at: "0s", on: "desk", effect: Errors(probability: 0.1), requests: (only: Reads))"#),
            Does::VARIES,
            "success users->desk",
        ),
        (fault(r#"(at: "0s", on: "desk", effect: Drop(probability: 0.1))"#), Does::LOSES, "wait_mean"),
        (fault(r#"(at: "1s", for: "500ms", on: "desk", effect: Hold)"#), Does::DELAYS, "wait_mean"),
        (fault(r#"(at: "0s", on: "desk", effect: Duplicate(probability: 0.1))"#), Does::DOUBLES, "wait_mean"),
        (
            fault(r#"(at: "0s", on: "desk", effect: Reorder(probability: 0.1, by: "1ms"))"#),
            Does::TRAVELS,
            "wait_mean",
        ),
        (fault(r#"(at: "0s", on: "desk", effect: Bandwidth(limit: "1MiB/s"))"#), Does::CROWDS, "wait_mean"),
        (
            service(r#"calls: [(to: "back", fallback: Default)]"#),
            Does::STANDS_IN,
            "response_mean users->desk",
        ),
        (
            service(r#"calls: [(to: "back", callback: (after: "1ms", within: "1s"))]"#),
            Does::CALLS_BACK,
            "wait_mean desk",
        ),
        // Whoever does not understand his caller's new version.
        (
            service(r#"calls: [(to: "back")], rollout: (at: "1s", to: (speaks: 2))"#),
            Does::VARIES.and(Does::STEERS).and(Does::REFUSES),
            "wait_mean back",
        ),
        (service(r#"execution_limit: "5s""#), Does::VARIES, "wait_mean"),
        (service(r#"calls: [(to: "desk", probability: 0.1), (to: "back")]"#), Does::LOOPS, "Stable"),
    ];
    // No mechanism is forgotten, nor anything that one does.
    let spec: GraphSpec = read(&DESK.text());
    let policy = Policy::default();
    let listed = policy.parts().into_iter().chain(spec.service(0).parts()).map(|listed| listed.key);
    // Whose a policy's state is does nothing by itself; who shares a budget is looked up where one is spoken of. Nor does
    // what becomes of requests that nobody calls off, how long the pause before a retry is, when those who were taken out
    // of a choice are back in it, or what is told of replicas.
    let silent = ["per", "on_cancel", "retry_after", "panic_threshold", "per_replica", "observers"];
    for key in listed.filter(|key| !silent.contains(key)).chain(["network", "effect", "requests"]) {
        let silences = |(desk, ..): &(Desk, Does, &str)| {
            [desk.policy, desk.users, desk.service, desk.faults].concat().contains(&format!("{key}: "))
        };
        assert!(rows.iter().any(silences), "{key} silences nobody here");
    }
    for (desk, does, claim) in rows {
        let text = desk.text();
        let heard = claims(&text, |_| {});
        assert!(!heard.contains(claim), "{claim} is claimed of what {does:?}: {text}");
        let deaf = claims(&text, |plan| {
            plan.edges.iter_mut().for_each(|edge| edge.does = edge.does.without(does));
            plan.does.iter_mut().chain(&mut plan.faults).for_each(|part| *part = part.without(does));
        });
        assert!(
            deaf.contains(claim),
            "{claim} is not claimed, and not for what {does:?}: {deaf:?} of {text}"
        );
    }
}

const fn all(parts: &[Does]) -> Does {
    let (mut all, mut at) = (Does::NOTHING, 0);
    while at < parts.len() {
        all = all.and(parts[at]);
        at += 1;
    }
    all
}

/// A claim, what it is made of, and what it knows of the edge and of the service at its end: exactly that.
#[test]
fn a_claim_knows_what_it_says_it_knows_and_nothing_else() {
    use Does as D;
    const STILL: Does = all(&[D::RATIONS, D::STEERS]);
    const QUIET: Does = all(&[STILL, D::TRAVELS]);
    const QUEUED: Does = all(&[D::FAILS, D::REORDERS, D::EXPIRES]);
    const IN_ORDER: Does = all(&[D::FAILS, D::EXPIRES]);
    const ANYHOW: Does = all(&[QUEUED, D::HOLDS, D::STRETCHES, D::BREAKS]);
    let loop_of = |users, service| Desk { users, service, ..DESK };
    let storm = Desk {
        policy: r#"timeout: "1s", retry: Fixed(attempts: 3)"#,
        users: r#"arrivals: Poisson("60/s")"#,
        ..DESK
    };
    let impatient = Desk {
        policy: r#"deadline: Exponential(mean: "20ms")"#,
        service: "queue: Fifo(capacity: Unbounded, drop_expired: true)",
        ..DESK
    };
    let flaky = Desk { policy: "retry: Fixed(attempts: 3)", service: "error_rate: 0.5", ..DESK };
    let refusing = Desk { policy: "bulkhead: (max_concurrent: 1)", ..DESK };
    let lined_up = Desk { policy: r#"pool: (size: 1, max_wait: "1s")"#, ..DESK };
    let overrun = Desk { users: r#"arrivals: Poisson("150/s")"#, ..DESK };
    let sharing = Desk { service: "workers: ProcessorSharing(at_once: Unbounded)", ..DESK };
    let waiting = Desk { service: r#"shed: MaxWait("20ms")"#, ..DESK };
    let short = Desk { service: "queue: Fifo(capacity: 1)", ..DESK };
    let thinking = loop_of(r#"arrivals: ClosedLoop(users: 3, think: Exponential(mean: "20ms"))"#, "");
    let saturated = loop_of(
        r#"arrivals: ClosedLoop(users: 3, think: "0s")"#,
        "workers: Async(4), scaling: Usl(contention: 0.1)",
    );
    let chain = Desk { service: r#"calls: [(to: "back")]"#, ..DESK };
    let rows = [
        (DESK, 0, "wait_mean", all(&[QUIET, D::GIVES_UP, D::REPEATS]), QUEUED),
        (DESK, 0, "response_mean", QUIET, QUEUED),
        (DESK, 0, "response_p99", STILL, IN_ORDER),
        (DESK, 0, "Stable", all(&[QUIET, D::GIVES_UP, D::REPEATS]), all(&[QUEUED, D::STRETCHES])),
        (sharing, 0, "response_mean", QUIET, all(&[QUEUED, D::SHARES])),
        (waiting, 0, "rejected", QUIET, all(&[D::FAILS, D::SHEDS])),
        (short, 0, "rejected", all(&[QUIET, D::GIVES_UP]), QUEUED),
        (impatient, 0, "abandoned", all(&[STILL, D::GIVES_UP]), IN_ORDER),
        (thinking, 0, "response_mean", STILL, D::EXPIRES),
        (refusing, 0, "refused", all(&[QUIET, D::REFUSES]), QUEUED),
        (lined_up, 0, "line_wait", all(&[STILL, D::DELAYS, D::REFUSES]), QUEUED),
        (saturated, 0, "throughput", STILL, all(&[D::STRETCHES, D::REORDERS, D::EXPIRES])),
        (
            flaky,
            0,
            "amplification users->desk",
            all(&[QUIET, D::REFUSES, D::GIVES_UP, D::REPEATS, D::STANDS_IN]),
            ANYHOW,
        ),
        (storm, 0, "Vulnerable", all(&[QUIET, D::GIVES_UP, D::REPEATS]), all(&[D::FAILS, D::STRETCHES])),
        (overrun, 0, "Overloaded", all(&[QUIET, D::GIVES_UP, D::REPEATS, D::REFUSES]), ANYHOW),
        (chain, 1, "response_mean users->desk", QUIET, QUEUED.without(D::FAILS)),
    ];
    // A thing that nobody has a name for yet is known to nobody.
    let tomorrow = ("TOMORROW", Does::of_tomorrow());
    for (desk, edge, claim, of_edge, of_service) in rows {
        let text = desk.text();
        for (name, does) in Does::ALL.iter().copied().chain([tomorrow]) {
            for (where_, known) in [("edge", of_edge), ("service", of_service)] {
                let made = claims(&text, |plan| {
                    let callee = plan.edges[edge].callee;
                    let place = match where_ {
                        "edge" => &mut plan.edges[edge].does,
                        _ => &mut plan.does[callee],
                    };
                    *place = place.and(does);
                });
                let knows = does.within(known);
                assert_eq!(made.contains(claim), knows, "{claim}, and the {where_} {name}: {made:?}");
            }
        }
    }
}

/// Of a rate that never settles nothing is claimed that a rate for good would allow.
#[test]
fn nothing_is_claimed_of_arrivals_that_wander() {
    let claimed = |users| claims(&Desk { users, ..DESK }.text(), |_| {});
    let steady = claimed(r#"arrivals: Poisson("50/s")"#);
    for users in [
        r#"arrivals: Growth(from: "10/s", to: "50/s", doubles_in: "1s")"#,
        r#"arrivals: Diurnal(mean: "50/s", period: "2s")"#,
        r#"arrivals: Bursty(states: [(rate: "10/s", lasts: "1s"), (rate: "90/s", lasts: "1s")])"#,
    ] {
        let of_all =
            ["wait_mean", "waiting", "response_mean", "response_p99", "stretch", "Stable", "utilisation"];
        let wrong: Vec<&str> = of_all
            .into_iter()
            .filter(|claim| steady.contains(*claim) && claimed(users).contains(*claim))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?} of {users}");
    }
    assert!(
        ["wait_mean", "response_mean", "Stable"].iter().all(|claim| steady.contains(*claim)),
        "{steady:?}"
    );
}
