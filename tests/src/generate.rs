use crate::Rng;
use std::fmt::Write;

/// A small, short and usually catastrophic experiment: a random service graph under random policies and
/// overlapping faults. Durations share round numbers, so that many things happen at the same instant.
pub fn random_experiment(seed: u64) -> String {
    let rng = &mut Rng::new(seed);
    let services = rng.between(1, 6);
    let mut calls: Vec<Vec<u64>> = Vec::new();
    let mut text = String::from("(\n    about: \"random\",\n    model: ServiceGraph(\n        services: {\n");
    for service in 0..services {
        let callees: Vec<u64> = (service + 1..services).filter(|_| !rng.one_in(3)).collect();
        write_service(&mut text, rng, service, &callees);
        calls.push(callees);
    }
    text.push_str("        },\n        workload: [\n");
    let workloads = rng.between(1, 3);
    let entries: Vec<u64> = (0..workloads).map(|_| rng.below(services.min(3))).collect();
    for (number, to) in entries.iter().enumerate() {
        write_workload(&mut text, rng, number, *to);
    }
    text.push_str("        ],\n        policies: {\n");
    for policy in 0..3 {
        write_policy(&mut text, rng, policy);
    }
    text.push_str("        },\n        faults: [\n");
    let mut targets: Vec<String> = (0..services).map(|service| format!("s{service}")).collect();
    let edges = targets.len();
    targets.extend(entries.iter().enumerate().map(|(number, to)| format!("w{number}->s{to}")));
    for (service, callees) in calls.iter().enumerate() {
        targets.extend(callees.iter().map(|callee| format!("s{service}->s{callee}")));
    }
    for _ in 0..rng.below(6) {
        write_fault(&mut text, rng, &targets, edges);
    }
    let network = rng.pick(&["\"0s\"", "\"0s\"", "\"1ms\"", "Exponential(mean: \"2ms\")"]);
    let (duration, warm_up) = (rng.between(2, 6), rng.below(2));
    let window = rng.pick(&["1s", "700ms", "250ms"]);
    write!(
        text,
        "        ],\n        network: {network},\n    ),\n    run: (duration: \"{duration}s\", warm_up: \"{warm_up}s\", window: \"{window}\"),\n)\n",
    )
    .expect("a string takes everything");
    text
}

fn write_service(text: &mut String, rng: &mut Rng, service: u64, callees: &[u64]) {
    let kind = rng.pick(&["Fifo", "Fifo", "Lifo", "SharedFifo"]);
    let capacity = rng.pick(&["0", "1", "5", "50", "Unbounded"]);
    let drop_expired = rng.one_in(3);
    let workers = rng.pick(&["Blocking", "Async"]);
    let (replicas, count) = (rng.between(1, 4), rng.pick(&["1", "2", "5", "20"]));
    let work = rng.pick(&[
        "\"0s\"",
        "\"10ms\"",
        "\"50ms\"",
        "Exponential(mean: \"10ms\")",
        "LogNormal(mean: \"20ms\", cv: 2)",
        "Uniform(low: \"1ms\", high: \"30ms\")",
    ]);
    let errors = rng.pick(&["0", "0", "0.1", "1"]);
    let mut steps = Vec::new();
    let mut rest = callees.iter();
    while let Some(first) = rest.next() {
        if rng.one_in(3) {
            let more: Vec<String> = rest.by_ref().take(2).map(|callee| call(rng, *callee)).collect();
            steps.push(format!("Parallel([{}, {}])", call(rng, *first), more.join(", ")));
        } else {
            steps.push(call(rng, *first));
        }
    }
    let dies = if rng.one_in(3) {
        let (at, after) = (rng.between(1, 12), rng.pick(&["50ms", "500ms", "2s"]));
        format!("dies: (at_in_flight: {at}, restart_after: \"{after}\", callers: {}),", style(rng))
    } else {
        String::new()
    };
    writeln!(
        text,
        "            \"s{service}\": (replicas: {replicas}, workers: {workers}({count}), \
         queue: {kind}(capacity: {capacity}, drop_expired: {drop_expired}), work: {work}, \
         error_rate: {errors}, calls: [{}], {dies}),",
        steps.join(", "),
    )
    .expect("a string takes everything");
}

fn call(rng: &mut Rng, to: u64) -> String {
    let probability = rng.pick(&["1", "1", "0.5", "0"]);
    let (times, optional) = (rng.pick(&["1", "1", "1", "3"]), rng.one_in(3));
    let network = rng.pick(&["", "", "", "network: \"0s\", ", "network: Exponential(mean: \"5ms\"), "]);
    let policy = policy(rng);
    format!(
        "(to: \"s{to}\", probability: {probability}, times: {times}, optional: {optional}, {network}{policy})"
    )
}

fn policy(rng: &mut Rng) -> String {
    if rng.one_in(4) { String::new() } else { format!("policy: \"p{}\"", rng.below(3)) }
}

fn style(rng: &mut Rng) -> &'static str {
    rng.pick(&["Reset", "Silence"])
}

fn write_workload(text: &mut String, rng: &mut Rng, number: usize, to: u64) {
    let arrivals = rng.pick(&[
        "Poisson(\"100/s\")",
        "Poisson(\"400/s\")",
        "Constant(\"100/s\")",
        "Ramp(from: \"0/s\", to: \"300/s\", at: \"1s\", over: \"2s\")",
        "Steps(steps: [(at: \"0s\", rate: \"50/s\"), (at: \"1s\", rate: \"500/s\"), (at: \"2s\", rate: \"0/s\")])",
        "Spike(base: \"50/s\", peak: \"1000/s\", at: \"1s\", for: \"500ms\", spacing: Even)",
        "ClosedLoop(users: 20, think: Exponential(mean: \"50ms\"))",
        "ClosedLoop(users: 5, think: \"10ms\")",
    ]);
    let clients = rng.pick(&["1", "1", "3", "10"]);
    let policy = policy(rng);
    writeln!(
        text,
        "            (name: \"w{number}\", to: \"s{to}\", arrivals: {arrivals}, clients: {clients}, {policy}),"
    )
    .expect("a string takes everything");
}

fn write_policy(text: &mut String, rng: &mut Rng, number: u64) {
    let timeout = rng.pick(&["", "timeout: \"10ms\", ", "timeout: \"50ms\", ", "timeout: \"200ms\", "]);
    let deadline = rng.pick(&["", "", "deadline: \"100ms\", ", "deadline: \"1s\", "]);
    let on = rng.pick(&["", "", ", on: [Error, BreakerOpen]", ", on: [TimedOut, Reset, Refused]"]);
    let jitter = rng.pick(&[
        "None",
        "Full",
        "Equal",
        "Decorrelated",
        "Proportional(0.1)",
        "Symmetric(0.5)",
        "Additive(\"10ms\")",
    ]);
    let attempts = rng.between(1, 4);
    let retry = match rng.below(4) {
        0 => "None".to_owned(),
        1 => format!("Fixed(attempts: {attempts}{on})"),
        2 => {
            format!("Linear(attempts: {attempts}, base: \"10ms\", cap: \"50ms\", jitter: Symmetric(0.5){on})")
        }
        _ => {
            format!("Exponential(attempts: {attempts}, base: \"10ms\", cap: \"50ms\", jitter: {jitter}{on})")
        }
    };
    let budget =
        rng.pick(&["", "", "budget: Ratio(ratio: 0.1, burst: 5), ", "budget: Throttle(max_tokens: 5), "]);
    let scope = rng.pick(&["Attempt", "Call"]);
    let (failures, probes) = (rng.between(1, 6), rng.between(1, 3));
    let breaker = match rng.below(4) {
        0 => format!(
            "breaker: Consecutive(failures: {failures}, open_for: \"100ms\", probes: {probes}, scope: {scope}), "
        ),
        1 => format!(
            "breaker: FailureRate(threshold: 0.5, window: Time(\"1s\"), minimum_calls: {failures}, \
             open_for: \"300ms\", probes: {probes}, scope: {scope}), "
        ),
        _ => String::new(),
    };
    let bulkhead = rng.pick(&["", "", "bulkhead: (max_concurrent: 1), ", "bulkhead: (max_concurrent: 10), "]);
    let balancer = rng.pick(&["RoundRobin", "Random", "LeastPending", "PowerOfTwo"]);
    writeln!(
        text,
        "            \"p{number}\": ({timeout}{deadline}retry: {retry}, {budget}{breaker}{bulkhead}balancer: {balancer}),"
    )
    .expect("a string takes everything");
}

fn write_fault(text: &mut String, rng: &mut Rng, targets: &[String], services: usize) {
    let at = rng.pick(&["0s", "500ms", "1s", "1s", "1500ms", "3s"]);
    let length = rng.pick(&["", "for: \"1ms\", ", "for: \"500ms\", ", "for: \"500ms\", ", "for: \"1s\", "]);
    let network = rng.one_in(2);
    let on = &targets[rng.below(if network { targets.len() as u64 } else { services as u64 }) as usize];
    let effect = if network {
        rng.pick(&["Drop(probability: 0.5)", "Drop", "Hold", "Hold"]).to_owned()
    } else {
        match rng.below(6) {
            0 => "Slow(factor: 10)".to_owned(),
            1 => "Errors(probability: 0.5)".to_owned(),
            2 => "BlackHole".to_owned(),
            _ => format!("Crash(callers: {})", style(rng)),
        }
    };
    let replicas = rng.pick(&["", "", "replicas: Fraction(0.5), ", "replicas: Only([0]), "]);
    writeln!(text, "            (at: \"{at}\", {length}on: \"{on}\", effect: {effect}, {replicas}),")
        .expect("a string takes everything");
}
