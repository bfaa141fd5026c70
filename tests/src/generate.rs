use crate::Rng;
use sim_models::experiment::{Decode, Shape};
use sim_models::fault::{Correlation, Effect, Requests};
use sim_models::policy::Policy;
use sim_models::policy::part::{Does, Listed, Part};
use sim_models::service_graph::spec::{Callback, ServiceSpec};
use std::fmt::Write;

/// A small, short and usually catastrophic experiment: a random service graph under random policies and
/// overlapping faults. Durations share round numbers, so that many things happen at the same instant. What each
/// mechanism can be set to is asked of the mechanism.
pub fn random_experiment(seed: u64) -> String {
    let rng = &mut Rng::new(seed);
    let services = rng.between(1, 6);
    // In some of them requests come back.
    let goes_round = seed.is_multiple_of(5);
    let mut calls: Vec<Vec<u64>> = Vec::new();
    let mut text = String::from("(\n    about: \"random\",\n    model: ServiceGraph(\n        services: {\n");
    for service in 0..services {
        let mut callees: Vec<u64> = (service + 1..services).filter(|_| !rng.one_in(3)).collect();
        callees.extend(goes_round.then_some(service / 2));
        write_service(&mut text, rng, service, &callees, services);
        calls.push(callees);
    }
    // Whoever is asked where replicas are.
    if text.contains("\"names\"") {
        text.push_str("            \"names\": (replicas: 2, workers: Async(2), work: \"1ms\"),\n");
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
    // Sometimes all of it stands in several zones, of which one may be struck.
    let zones = rng.pick(&[
        "",
        "",
        "zones: (names: [\"a\", \"b\"]), ",
        "zones: (names: [\"a\", \"b\", \"c\"], network: \"3ms\"), ",
        "zones: (names: [\"a\", \"b\"], network: Exponential(mean: \"2ms\")), ",
    ]);
    if !zones.is_empty() && rng.one_in(2) {
        let of_replicas = |sample: &&&str| !crate::sound::<Effect>(sample).is_network();
        let effects: Vec<&str> = Effect::samples().iter().filter(of_replicas).copied().collect();
        let effect = rng.pick(&effects);
        let replicas = rng.pick(&["", "replicas: Fraction(0.5), "]);
        writeln!(
            text,
            "            (at: \"1s\", for: \"1s\", on: \"zone a\", effect: {effect}, {replicas}),"
        )
        .expect("a string takes everything");
    }
    text.push_str("        ],\n        failures: {\n");
    for number in 0..rng.below(3) {
        write_failure(&mut text, rng, number, &targets, edges);
    }
    text.push_str("        },\n        domains: {\n");
    if rng.one_in(3) {
        let (one, other) = (rng.below(services), rng.below(services));
        let effect = rng.pick(&["Crash()", "Slow(factor: 5)", "Hold"]);
        writeln!(
            text,
            "            \"rack\": (holds: [(on: \"s{one}\"), (on: \"s{other}\", replicas: Only([0]))], every: \"700ms\", for: Exponential(mean: \"200ms\"), effect: {effect}),"
        )
        .expect("a string takes everything");
    }
    let network = rng.pick(&["\"0s\"", "\"0s\"", "\"1ms\"", "Exponential(mean: \"2ms\")"]);
    let (duration, warm_up) = (rng.between(2, 6), rng.below(2));
    let window = rng.pick(&["1s", "700ms", "250ms"]);
    let limit = if goes_round { "        hop_limit: 3,\n" } else { "" };
    let record = rng.below(2 * services);
    let record = if record < services { format!("store_of_record: \"s{record}\", ") } else { String::new() };
    // And what somebody reads.
    let read = text.contains("\"beta\"");
    let flags = rng.pick(&[
        "flags: {\"beta\": (stages: [(at: \"0s\", share: 0.3), (at: \"1s\")])}, ",
        "flags: {\"beta\": (stages: [(at: \"500ms\", share: 0.5)], analysis: (metric: ErrorRate(at_most: 0.1), interval: \"300ms\"), kill_takes: \"100ms\")}, ",
    ]);
    let flags = if read { flags } else { "" };
    write!(
        text,
        "        }},\n        {flags}{zones}{record}network: {network},\n{limit}    ),\n    run: (duration: \"{duration}s\", warm_up: \"{warm_up}s\", window: \"{window}\"),\n)\n",
    )
    .expect("a string takes everything");
    text
}

/// A chain of services that carries its load, is struck once, and runs on: what becomes of it can be told. Many come back
/// at once, some later, some not at all.
pub fn random_recovery(seed: u64) -> String {
    let rng = &mut Rng::new(seed);
    let depth = rng.between(1, 3);
    let rate = *[1, 5, 20, 50, 100].get(rng.below(5) as usize).expect("one of them");
    let mut services = String::new();
    for service in 0..depth {
        let workers = rng.between(1, 20);
        // Busy for 10 % to 90 % of the time.
        let work = workers * rng.between(100, 900) / rate;
        let work =
            rng.pick(&["\"WORKms\"", "Exponential(mean: \"WORKms\")"]).replace("WORK", &work.to_string());
        let kind = if service + 1 < depth { "Async" } else { rng.pick(&["Async", "Blocking"]) };
        let queue = rng.pick(&["Unbounded", "Unbounded", "100", "10"]);
        let errors = rng.pick(&["0", "0", "0.02", "0.1"]);
        let dies = if rng.one_in(8) { "dies: (at_in_flight: 100, restart_after: \"5s\"), " } else { "" };
        let calls = match service + 1 < depth {
            true => format!("(to: \"s{}\", policy: \"p{}\")", service + 1, rng.below(2)),
            false => String::new(),
        };
        writeln!(
            services,
            "            \"s{service}\": (workers: {kind}({workers}), queue: Fifo(capacity: {queue}), {dies}work: {work}, \
             error_rate: {errors}, calls: [{calls}]),"
        )
        .expect("a string takes everything");
    }
    let mut policies = String::new();
    for policy in 0..2 {
        let timeout = rng.pick(&["", "", "timeout: \"2s\", ", "timeout: \"10s\", "]);
        let retry = rng.pick(&[
            "",
            "retry: Fixed(attempts: 3), ",
            "retry: Exponential(attempts: 3, base: \"500ms\"), ",
        ]);
        writeln!(policies, "            \"p{policy}\": ({timeout}{retry}),")
            .expect("a string takes everything");
    }
    let (at, length, after) = (rng.between(20, 60), rng.between(1, 20), rng.between(40, 120));
    // What only takes longer harms nobody here, nor does what comes twice, or waits for others that weigh nothing.
    let harmless = Does::TRAVELS.and(Does::DOUBLES).and(Does::CROWDS);
    let harms = |sample: &&&str| !crate::sound::<Effect>(sample).does().within(harmless);
    let effects: Vec<&str> = Effect::samples().iter().filter(harms).copied().collect();
    let (struck, effect) = (rng.below(depth), rng.pick(&effects));
    let (arrivals, window) =
        (rng.pick(&["Poisson", "Poisson", "Constant"]), rng.pick(&["1s", "1s", "700ms", "3s"]));
    format!(
        "(\n    about: \"random\",\n    model: ServiceGraph(\n        services: {{\n{services}        }},\n        \
         workload: [(to: \"s0\", arrivals: {arrivals}(\"{rate}/s\"), policy: \"p0\")],\n        \
         policies: {{\n{policies}        }},\n        \
         faults: [(at: \"{at}s\", for: \"{length}s\", on: \"s{struck}\", effect: {effect})],\n    ),\n    \
         run: (duration: \"{}s\", warm_up: \"5s\", window: \"{window}\"),\n)\n",
        at + length + after
    )
}

/// Each setting of a type as one of its samples, or left out where it may be.
fn settings<T: Decode>(rng: &mut Rng, parts: &[Listed]) -> String {
    let Shape::Struct(fields) = T::describe().shape else { panic!("parts stand in a struct") };
    let mut text = String::new();
    for part in parts {
        let field = fields.iter().find(|field| field.name == part.key).expect("a part is a field");
        if field.default.is_none() || rng.one_in(2) {
            write!(text, "{}: {}, ", part.key, rng.pick(part.samples)).expect("a string takes everything");
        }
    }
    text
}

fn write_service(text: &mut String, rng: &mut Rng, service: u64, callees: &[u64], services: u64) {
    let replicas = rng.between(1, 4);
    let work = rng.pick(&[
        "\"0s\"",
        "\"10ms\"",
        "\"50ms\"",
        "Exponential(mean: \"10ms\")",
        "LogNormal(mean: \"20ms\", cv: 2)",
        "Uniform(low: \"1ms\", high: \"30ms\")",
    ]);
    let mut steps = Vec::new();
    let mut rest = callees.iter();
    while let Some(first) = rest.next() {
        if rng.one_in(3) {
            let votes = service.is_multiple_of(2) && rng.one_in(2);
            let more = rest.by_ref().take(2).map(|callee| call(rng, *callee, services, votes));
            let more: Vec<String> = more.collect();
            let calls = format!("[{}, {}]", call(rng, *first, services, votes), more.join(", "));
            steps.push(match service % 2 {
                0 if votes => format!("Parallel(calls: {calls}, wait_for: 1)"),
                0 => format!("Parallel({calls})"),
                _ => format!("Parallel(calls: {calls}, fail: Fast)"),
            });
        } else {
            steps.push(call(rng, *first, services, false));
        }
    }
    let settings = settings::<ServiceSpec>(rng, &crate::a_service().parts());
    // Who starts may need another: that is a name, which no sample knows.
    let missing =
        ["Wait(every: \"20ms\")", "CrashLoop(initial: \"50ms\", cap: \"200ms\")"][service as usize / 2 % 2];
    let needs = format!("start_up: (needs: [\"s{}\"], missing: {missing}, ", (service + 1) % services);
    let settings = if service.is_multiple_of(2) { settings.replace("start_up: (", &needs) } else { settings };
    // And from whom it may be cut off.
    let cut_off = callees.first().map_or("Start".into(), |callee| format!("Reconnect(to: \"s{callee}\")"));
    let settings = settings.replace("Reconnect(to: \"back\")", &cut_off);
    // And whose state shuts its door.
    let settings = settings.replace("of: \"back\"", &format!("of: \"s{service}\""));
    writeln!(
        text,
        "            \"s{service}\": (replicas: {replicas}, {settings}work: {work}, calls: [{}]),",
        steps.join(", "),
    )
    .expect("a string takes everything");
}

/// A call to one of so many services. One that has a vote in a quorum is like all others.
fn call(rng: &mut Rng, to: u64, services: u64, votes: bool) -> String {
    let probability = rng.pick(&["1", "1", "0.5", "0"]);
    let (times, optional) = (rng.pick(&["1", "1", "1", "3"]), rng.one_in(3) && !votes);
    let instead = format!("fallback: Call(to: \"s{}\"), ", to + 1);
    let besides = match rng.below(8) {
        0 if !votes => "wait: false, ",
        1 if !votes => "fallback: Default, ",
        2 if !votes => "fallback: Stale(max_age: \"500ms\"), ",
        3 if !votes && to + 1 < services => &instead,
        4 if !votes => &callback(rng),
        5 => rng.pick(&[
            "only: Writes, ",
            "only: Reads, ",
            "flag: With(\"beta\"), ",
            "flag: Without(\"beta\"), ",
        ]),
        _ => "",
    };
    let network = rng.pick(&["", "", "", "network: \"0s\", ", "network: Exponential(mean: \"5ms\"), "]);
    let policy = policy(rng);
    format!(
        "(to: \"s{to}\", probability: {probability}, times: {times}, optional: {optional}, {besides}{network}{policy})"
    )
}

/// How the callee of a call calls back.
fn callback(rng: &mut Rng) -> String {
    let sample = rng.pick(Callback::samples());
    let settings = sample.strip_suffix(')').expect("a struct");
    format!("callback: {settings}, {}), ", policy(rng))
}

fn policy(rng: &mut Rng) -> String {
    if rng.one_in(4) { String::new() } else { format!("policy: \"p{}\"", rng.below(3)) }
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
        "Growth(from: \"50/s\", to: \"500/s\", doubles_in: \"1s\")",
        "Diurnal(mean: \"100/s\", amplitude: 1, period: \"2s\", peak_at: \"1s\")",
        "Bursty(states: [(rate: \"10/s\", lasts: \"1s\"), (rate: \"800/s\", lasts: \"100ms\")])",
        "Replay(file: \"some-rates.csv\", between: Lines, scale: 1.5)",
        "Replay(file: \"some-calls.csv\")",
    ]);
    let clients = rng.pick(&["1", "1", "3", "10"]);
    let carries =
        rng.pick(&["", "", "keys: Uniform(20), writes: 0.3, ", "keys: Zipf(count: 9), writes: 1, "]);
    let policy = policy(rng);
    writeln!(
        text,
        "            (name: \"w{number}\", to: \"s{to}\", arrivals: {arrivals}, clients: {clients}, {carries}{policy}),"
    )
    .expect("a string takes everything");
}

fn write_policy(text: &mut String, rng: &mut Rng, number: u64) {
    let settings = settings::<Policy>(rng, &Policy::default().parts());
    writeln!(text, "            \"p{number}\": ({settings}),").expect("a string takes everything");
}

/// Something that fails at random, several times in a run of a few seconds.
fn write_failure(text: &mut String, rng: &mut Rng, number: u64, targets: &[String], services: usize) {
    let effect = rng.pick(Effect::samples());
    let network = crate::sound::<Effect>(effect).is_network();
    let on = &targets[rng.below(if network { targets.len() as u64 } else { services as u64 }) as usize];
    let times = rng.pick(&[
        "every: Exponential(mean: \"1s\"), for: Exponential(mean: \"100ms\")",
        "every: Exponential(mean: \"300ms\"), for: Exponential(mean: \"300ms\")",
    ]);
    let correlation = rng.pick(Correlation::samples());
    writeln!(
        text,
        "            \"f{number}\": (on: \"{on}\", {times}, effect: {effect}, correlation: {correlation}),"
    )
    .expect("a string takes everything");
}

fn write_fault(text: &mut String, rng: &mut Rng, targets: &[String], services: usize) {
    let at = rng.pick(&["0s", "500ms", "1s", "1s", "1500ms", "3s"]);
    let length = rng.pick(&["", "for: \"1ms\", ", "for: \"500ms\", ", "for: \"500ms\", ", "for: \"1s\", "]);
    let effect = rng.pick(Effect::samples());
    let sound = crate::sound::<Effect>(effect);
    let network = sound.is_network();
    let ramp = if sound.has_degrees() { rng.pick(&["", "", "ramp: \"300ms\", "]) } else { "" };
    let flap = rng.pick(&["", "", "", "flap: (active: \"70ms\", quiet: \"130ms\"), "]);
    let on = &targets[rng.below(if network { targets.len() as u64 } else { services as u64 }) as usize];
    let replicas = rng.pick(&["", "", "replicas: Fraction(0.5), ", "replicas: Only([0]), "]);
    let way = if network { rng.pick(&["", "", "way: Requests, ", "way: Replies, "]) } else { "" };
    let clients = if network { rng.pick(&["", "", "clients: Fraction(0.5), "]) } else { "" };
    // What comes to stay may be repaired, by way of whoever is there, or is not; who is looked up is known to nobody who repairs.
    let stays = !text.contains("discovery: ")
        && length.is_empty()
        && ramp.is_empty()
        && flap.is_empty()
        && at != "3s";
    let requests = match sound.is_of_requests() && rng.one_in(2) {
        true => format!("requests: {}, ", rng.pick(Requests::samples())),
        false => String::new(),
    };
    let repair = match stays && on.len() == 2 {
        true => "repair: (takes: \"300ms\", needs: [\"s0\"], every: \"50ms\", timeout: \"20ms\"), ",
        false => "",
    };
    writeln!(
        text,
        "            (at: \"{at}\", {length}on: \"{on}\", effect: {effect}, {replicas}{way}{clients}{requests}{ramp}{flap}{repair}),"
    )
    .expect("a string takes everything");
}
