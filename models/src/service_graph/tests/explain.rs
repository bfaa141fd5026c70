//! The numbers of `explain`, each worked out by hand beside it.

use crate::Catalog;
use crate::experiment::Experiment;
use crate::policy::Policy;
use crate::report::Cell;
use crate::run::Explanation;

pub fn explain(text: &str) -> Explanation {
    let read = Experiment::parse("test.ron", text, &[], &Catalog::bundled());
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}\n{text}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    resolved.model.explain(&resolved.run)
}

/// Users who call one service under one policy.
fn under(policy: &str) -> Explanation {
    explain(&format!(
        r#"(about: "one edge", model: ServiceGraph(
            workload: [(to: "db", arrivals: Poisson("10/s"), policy: "p")],
            services: {{"db": (workers: Async(4), work: "10ms")}},
            policies: {{"p": ({policy})}},
        ), run: (duration: "1min"))"#
    ))
}

/// One column of a table, by what stands in the first.
fn column(explanation: &Explanation, table: &str, column: &str) -> Vec<(String, String)> {
    let table = explanation.tables.iter().find(|it| it.title == table).expect("a table of that title");
    let place = table.columns.iter().position(|it| it == column).expect("a column of that name");
    table.rows.iter().map(|row| (words(&row[0]), words(&row[place]))).collect()
}

fn words(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => count.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Empty(()) => String::new(),
    }
}

#[track_caller]
fn same(found: Vec<(String, String)>, expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
}

/// What is said of a service that gets so many a second, by what it says of itself.
#[test]
fn what_comes_to_a_service_that_changes() {
    let leak = |says: &str| format!(r#"memory_leak: ({says}, limit: "100MiB", then: Slows(factor: 2))"#);
    let heap = |says: &str| {
        format!(
            r#"stop_the_world: GarbageCollection(heap: "1GiB", live: "200MiB", {says}, allocated_per_request: "2MiB", pause: "5ms", pause_per_gib: "1s")"#
        )
    };
    for (rate, says, told) in [
        (
            200,
            leak(r#"per_request: "1MiB""#),
            Some("a replica of s has leaked all of its 100MiB after 100 requests: 500 ms at 200/s to each"),
        ),
        (
            200,
            leak(r#"per_request: "100MiB""#),
            Some("a replica of s has leaked all of its 100MiB after 1 request: 5 ms at 200/s to each"),
        ),
        (
            1,
            leak(r#"per_request: "99MiB""#),
            Some("a replica of s has leaked all of its 100MiB after 2 requests: 2 s at 1/s to each"),
        ),
        // Half of it by the time.
        (
            1,
            leak(r#"per_request: "1MiB", per_hour: "3600MiB""#),
            Some("after 100 requests or 100 s, sooner by both: 50 s at 1/s to each"),
        ),
        (1, leak(r#"per_hour: "3600MiB""#), Some("a replica of s has leaked all of its 100MiB after 100 s")),
        // e^(-1/s x 4 s) and e^(-1/s x 10 s).
        (
            1,
            r#"cold_start: (time: "1s", idle_timeout: "4s")"#.into(),
            Some("at 1/s, at random, 1.8 % come later than that after the one before and start cold"),
        ),
        (
            1,
            r#"cold_start: (time: "1s", idle_timeout: "10s")"#.into(),
            Some("at 1/s, at random, under 0.1 % come later"),
        ),
        (
            1,
            r#"cold_start: (time: "1s", idle_timeout: "4s", provisioned: 1)"#.into(),
            Some("but for one that stays"),
        ),
        (1, r#"cold_start: (time: "1s", idle_timeout: "4s", provisioned: 4)"#.into(), None),
        // (1.25 ms x 824 - 2 x 200.3 ms) / (1 x (2 / 1024 s + 1.25 ms)) = 196.5.
        (
            400,
            heap(r#"live_per_request: "1MiB""#),
            Some("at 400/s to each replica of s a queue feeds itself by its collections from 196 in hand on"),
        ),
        (
            500,
            heap(r#"live_per_request: "1MiB""#),
            Some("a queue feeds itself by its collections from 80 in hand on"),
        ),
        (600, heap(r#"live_per_request: "1MiB""#), Some("more time than work leaves: it never keeps up")),
        (
            400,
            heap(r#"live_per_request: "500KiB""#),
            Some("it would with 402 in hand, and there is room for 304"),
        ),
        (400, heap(r#"live_per_request: "0B""#), None),
    ] {
        let told_of = explain(&format!(
            r#"(about: "one", model: ServiceGraph(
                workload: [(to: "s", arrivals: Poisson("{rate}/s"), policy: "p")],
                services: {{"s": (workers: Blocking(4), queue: Fifo(capacity: 300), work: "5ms", {says})}},
                policies: {{"p": (timeout: "9s")}},
            ), run: (duration: "1min"))"#
        ));
        let notes = told_of.notes.join("; ");
        match told {
            Some(told) => assert!(notes.contains(told), "{says}: {notes}"),
            None => assert!(!notes.contains(" goes") && !notes.contains("feeds itself"), "{says}: {notes}"),
        }
    }
}

/// Every attempt times out, every back-off is the longest, and the deadline cuts the rest off.
#[test]
fn the_longest_that_a_caller_waits() {
    for (policy, longest) in [
        ("", "for ever"),
        (r#"timeout: "200ms""#, "200 ms"),
        (r#"deadline: "4s""#, "4 s"),
        // A retry needs an end of the attempt before it.
        (r#"retry: Fixed(attempts: 3, delay: "1s")"#, "for ever"),
        // 3 x 200 ms, 2 x 50 ms.
        (r#"timeout: "200ms", retry: Fixed(attempts: 3, delay: "50ms")"#, "700 ms"),
        // 4 x 1 s, 100 + 200 + 400 ms, whatever full jitter makes of them.
        (r#"timeout: "1s", retry: Exponential(attempts: 4, base: "100ms", jitter: None)"#, "4.7 s"),
        (r#"timeout: "1s", retry: Exponential(attempts: 4, base: "100ms", jitter: Full)"#, "4.7 s"),
        // 4 x 1 s, 1 + 3 + 3 s: the cap.
        (
            r#"timeout: "1s", retry: Exponential(attempts: 4, base: "1s", factor: 10, cap: "3s", jitter: None)"#,
            "11 s",
        ),
        // 3 x 1 s, 1 + 1.5 s.
        (r#"timeout: "1s", retry: Linear(attempts: 3, base: "1s", step: "500ms")"#, "5.5 s"),
        // 2 x 1 s, and half as much again as 100 ms.
        (r#"timeout: "1s", retry: Fixed(attempts: 2, delay: "100ms", jitter: Proportional(0.5))"#, "2.15 s"),
        // 3 x 1 s, at most three times the base, at most three times that.
        (r#"timeout: "1s", retry: Exponential(attempts: 3, base: "1s", jitter: Decorrelated)"#, "15 s"),
        // Cut by the deadline, or by the longest of deadlines that differ, where there is one.
        (r#"timeout: "1s", deadline: "3s", retry: Fixed(attempts: 3, delay: "1s")"#, "3 s"),
        (r#"timeout: "1s", deadline: "6s", retry: Fixed(attempts: 3, delay: "1s")"#, "5 s"),
        (r#"timeout: "1s", deadline: Uniform(low: "1s", high: "2s"), retry: Fixed(attempts: 3)"#, "2 s"),
        (r#"timeout: "1s", deadline: Exponential(mean: "1s"), retry: Fixed(attempts: 3)"#, "3 s"),
    ] {
        same(column(&under(policy), "Calls", "longest"), &[("users->db", longest)]);
    }
}

/// How many attempts can begin, each of them too slow, and what is said where that is not all.
#[test]
fn attempts_that_begin_before_the_deadline() {
    let of = "users->db: of";
    for (policy, note) in [
        (r#"timeout: "5s", retry: Fixed(attempts: 4)"#, None),
        // They begin at 0, 5, 10, 15 s.
        (r#"timeout: "5s", deadline: "15001ms", retry: Fixed(attempts: 4)"#, None),
        (
            r#"timeout: "5s", deadline: "15s", retry: Fixed(attempts: 4)"#,
            Some("4 attempts at most 3 can begin before the deadline of 15s"),
        ),
        // At 0, 6, 13, 22 s.
        (
            r#"timeout: "5s", deadline: "20s", retry: Exponential(attempts: 4, base: "1s", jitter: None)"#,
            Some("4 attempts at most 3 can begin before the deadline of 20s"),
        ),
        // With full jitter a back-off may be nothing: at 0, 5, 10, 15 s.
        (
            r#"timeout: "5s", deadline: "20s", retry: Exponential(attempts: 4, base: "1s", jitter: Full)"#,
            None,
        ),
        // With equal jitter it is at least half: at 0, 5.5, 11.5, 18.5 s.
        (
            r#"timeout: "5s", deadline: "18s", retry: Exponential(attempts: 4, base: "1s", jitter: Equal)"#,
            Some("4 attempts at most 3 can begin before the deadline of 18s"),
        ),
        // The deadline comes before the first timeout.
        (
            r#"timeout: "5s", deadline: "1s", retry: Fixed(attempts: 2)"#,
            Some("2 attempts at most 1 can begin before the deadline of 1s"),
        ),
    ] {
        let notes = under(policy).notes;
        let found = notes.iter().find(|note| note.starts_with(of));
        let expected = note.map(|note| format!("{of} {note} if each times out"));
        assert_eq!(found, expected.as_ref(), "{policy}");
    }
}

/// Three layers that retry, one of them reached in two ways.
const LAYERS: &str = r#"(about: "layers", model: ServiceGraph(
    workload: [
        (to: "web", arrivals: Poisson("100/s"), policy: "three"),
        (name: "batch", to: "store", arrivals: Constant("20/s")),
    ],
    services: {
        "web": (replicas: 2, workers: Async(8), work: "40ms", calls: [
            (to: "store", policy: "two", probability: 0.5),
            (to: "cache", times: 3),
        ]),
        "store": (workers: Blocking(10), work: Exponential(mean: "50ms"), calls: [
            (to: "disk", policy: "four"),
            (to: "log", only_from: ["batch"], policy: "four"),
        ]),
        "cache": (workers: Async(1), work: "1ms"),
        "disk": (replicas: 3, workers: Async(2), work: "10ms"),
        "log": (workers: Async(1), work: "10ms"),
    },
    policies: {
        "two": (retry: Fixed(attempts: 2)),
        "three": (retry: Fixed(attempts: 3)),
        "four": (retry: Fixed(attempts: 4)),
    },
), run: (duration: "1min"))"#;

/// Layers of retries multiply: 3 of the users, 2 of the web, 4 of the store. The batch that calls the store itself
/// makes fewer, and the worst counts.
#[test]
fn attempts_multiply_from_layer_to_layer() {
    let explanation = explain(LAYERS);
    same(
        column(&explanation, "Calls", "worst amplification"),
        &[
            ("users->web", "3"),
            ("batch->store", "1"),
            ("web->store", "6"),
            ("web->cache", "3"),
            ("store->disk", "24"),
            ("store->log", "24"),
        ],
    );
    same(
        column(&explanation, "Calls", "attempts"),
        &[
            ("users->web", "3"),
            ("batch->store", "1"),
            ("web->store", "2"),
            ("web->cache", "1"),
            ("store->disk", "4"),
            ("store->log", "4"),
        ],
    );
}

/// Load over capacity, when nothing fails and when every attempt does.
#[test]
fn load_against_capacity() {
    let explanation = explain(LAYERS);
    same(
        column(&explanation, "Services", "capacity"),
        &[
            // 2 x 8 / 40 ms, 10 / 50 ms, 1 / 1 ms, 3 x 2 / 10 ms, 1 / 10 ms
            ("web", "400/s"),
            ("store", "200/s"),
            ("cache", "1000/s"),
            ("disk", "600/s"),
            ("log", "100/s"),
        ],
    );
    same(
        column(&explanation, "Services", "offered"),
        // Half of the 100/s and the batch; three times each; all that the store does; the batch's alone.
        &[("web", "100/s"), ("store", "70.0/s"), ("cache", "300/s"), ("disk", "70.0/s"), ("log", "20.0/s")],
    );
    same(
        column(&explanation, "Services", "utilisation"),
        &[("web", "25 %"), ("store", "35 %"), ("cache", "30 %"), ("disk", "12 %"), ("log", "20 %")],
    );
    same(
        column(&explanation, "Services", "if all fail"),
        // 300/s; 300/2 x 2 + 20; 900; 4 x 320; 4 x 20
        &[("web", "75 %"), ("store", "160 %"), ("cache", "90 %"), ("disk", "213 %"), ("log", "80 %")],
    );
}

/// A distribution can be given in two ways: the other is not told.
#[test]
fn what_was_written_of_a_distribution() {
    let explanation = explain(
        r#"(about: "times", model: ServiceGraph(
            workload: [(to: "db", arrivals: ClosedLoop(users: 2, think: LogNormal(median: "50ms", p99: "1s")))],
            services: {"db": (workers: Async(4), work: "10ms", calls: [(to: "disk", network: LogNormal(mean: "1ms", cv: 2))]),
                       "disk": (workers: Async(4), work: "1ms")},
        ), run: (duration: "1min"))"#,
    );
    let thinks = r#"ClosedLoop(users: 2, think: LogNormal(median: "50ms", p99: "1s"))"#;
    assert_eq!(column(&explanation, "Workload", "arrivals")[0].1, thinks);
    assert_eq!(column(&explanation, "Calls", "latency")[1].1, r#"LogNormal(mean: "1ms", cv: 2.0)"#);
}

/// Who is full, who is vulnerable and from where on, and who is neither.
#[test]
fn what_is_said_of_the_load() {
    let notes = explain(LAYERS).notes;
    for name in ["web", "cache", "log"] {
        assert!(!notes.iter().any(|note| note.starts_with(&format!("{name} is"))), "{name}: {notes:#?}");
    }
    // What outlives its cause is said where the fluid law speaks, and these workers are held: it does not.
    let store = "store is at 35 % of its capacity, but if its callers time out they ask for 160 %";
    assert!(notes.iter().any(|note| note == store), "{notes:#?}");
    let full = explain(&LAYERS.replace("\"100/s\"", "\"500/s\"")).notes;
    assert!(
        full.iter().any(|note| note == "web is offered 125 % of its capacity: it will never keep up"),
        "{full:#?}"
    );
}

/// Sentences about one policy, and what takes them away.
#[test]
fn what_is_said_of_a_policy() {
    for (policy, note) in [
        ("", Some("users->db waits for ever: a callee that falls silent holds its callers")),
        (r#"timeout: "1s""#, None),
        (r#"deadline: "1s""#, None),
        (
            r#"timeout: "1s", retry: Fixed(), budget: Ratio(ratio: 0.25)"#,
            Some(
                "users->db: load is at most 1.25 times the calls in the long run, whatever fails (its budget)",
            ),
        ),
        // 0.1 / 1.1
        (
            r#"timeout: "1s", retry: Fixed(), budget: Throttle(token_ratio: 0.1)"#,
            Some(
                "users->db: no retries while more than 9.1 % of the attempts fail, no limit while fewer do (its budget)",
            ),
        ),
        // resilience4j takes the smaller of both, and half-open that or the probes.
        (
            r#"timeout: "1s", breaker: FailureRate(window: Count(10))"#,
            Some(
                "users->db: its breaker may open after 10 calls, not only after `minimum_calls` (100): its window holds no more",
            ),
        ),
        (
            r#"timeout: "1s", breaker: FailureRate(minimum_calls: 5)"#,
            Some("users->db: half-open its breaker judges after 5 of 10 probes: that many calls are enough"),
        ),
        (
            r#"timeout: "1s", retry: Fixed(), budget: Ratio(of: Successes)"#,
            Some(
                "users->db: at most 0.1 retries for each success in the long run, and none while everything fails (its budget)",
            ),
        ),
        (
            r#"timeout: "1s", retry: Fixed(), budget: Window()"#,
            Some(
                "users->db: load is at most 1.2 times the calls and 10.0 retries a second of each client, whatever fails (its budget)",
            ),
        ),
        // Of ten slots six are remembered; 1 / 0.7 is cut down to 1.
        (
            r#"timeout: "1s", retry: Fixed(), budget: Window(ratio: 0.7, library: Tower)"#,
            Some(
                "users->db: load is at most 2 times the calls and 16.7 retries a second of each client, whatever fails (its budget)",
            ),
        ),
        (
            r#"timeout: "1s", retry: Fixed(), budget: Concurrent()"#,
            Some("users->db: retries are at most 20.0 % of all that a client has out, or 3 (its budget)"),
        ),
        (
            r#"timeout: "1s", retry: Fixed(), budget: Concurrent(ratio: 0)"#,
            Some("users->db: at most 3 retries of a client at a time (its budget)"),
        ),
        (
            r#"timeout: "1s", retry: Fixed(attempts: 3), budget: Quota()"#,
            Some(
                "users->db: 35 retries of a client while all fail, then none; it empties while more than 21.5 % of the attempts fail (its budget)",
            ),
        ),
    ] {
        assert_eq!(under(policy).notes, note.into_iter().collect::<Vec<_>>(), "{policy}");
    }
}

/// Whoever is waited for by nobody holds nobody, however long it is silent.
#[test]
fn what_is_said_of_a_call_that_is_not_waited_for() {
    let of = |wait: bool| {
        let notes = explain(&format!(
            r#"(about: "aside", model: ServiceGraph(
                workload: [(to: "shop", arrivals: Poisson("10/s"), policy: "p")],
                services: {{"shop": (workers: Async(4), work: "10ms", calls: [(to: "mail", wait: {wait})]), "mail": (workers: Async(4), work: "10ms")}},
                policies: {{"p": (timeout: "1s")}},
            ), run: (duration: "1min"))"#
        ));
        notes.notes
    };
    let held = "shop->mail waits for ever: a callee that falls silent holds its callers";
    assert_eq!(of(true), [held]);
    let aside = "nobody waits for shop->mail: requests go on at once, and if it fails, nobody hears of it";
    assert_eq!(of(false), [aside]);
}

/// The waits that a policy allows, retry by retry.
#[test]
fn a_table_of_back_offs() {
    let explanation = under(r#"retry: Exponential(attempts: 4, base: "100ms", factor: 3, jitter: Equal)"#);
    let title = "Back-off of `p`";
    // Half and a uniform half of 100, 300, 900 ms.
    same(column(&explanation, title, "shortest"), &[("1", "50 ms"), ("2", "150 ms"), ("3", "450 ms")]);
    same(column(&explanation, title, "mean"), &[("1", "75 ms"), ("2", "225 ms"), ("3", "675 ms")]);
    same(column(&explanation, title, "longest"), &[("1", "100 ms"), ("2", "300 ms"), ("3", "900 ms")]);
    same(column(&explanation, title, "mean total"), &[("1", "75 ms"), ("2", "300 ms"), ("3", "975 ms")]);
    assert!(under("").tables.iter().all(|table| table.title != title), "there is nothing to wait for");
}

/// What is left out is said, setting by setting, in the order in which a call meets them.
#[test]
fn a_policy_in_full() {
    let rows = column(&under(""), "Policy `p`", "value, defaults included");
    let keys: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
    let policy = Policy::default();
    // Whatever is there, and what is worth a word where it is not.
    let parts = policy.parts();
    let told = parts.iter().filter(|listed| listed.part.is_some() || !listed.otherwise.is_empty());
    assert_eq!(keys, told.map(|listed| listed.key).collect::<Vec<_>>());
    for (key, value) in [
        ("timeout", "none: an attempt waits for ever"),
        ("deadline", "none: a call has no end of its own"),
        ("retry", "None"),
        ("budget", "none: every failure may be retried"),
        ("breaker", "none: whatever fails is called again"),
        ("bulkhead", "none: any number of calls at once"),
        ("balancer", "RoundRobin"),
    ] {
        assert!(rows.contains(&(key.into(), value.into())), "{key}: {rows:?}");
    }
}

/// The universal scalability law: `n / (1 + a (n - 1) + b n (n - 1))`.
#[test]
fn what_workers_cost_each_other() {
    let scaled = |workers: u32, law: &str| {
        explain(&format!(
            r#"(about: "one queue", model: ServiceGraph(
                workload: [(to: "db", arrivals: Poisson("10/s"))],
                services: {{"db": (workers: Async({workers}), work: "10ms", scaling: Usl({law}))}},
            ), run: (duration: "1min"))"#
        ))
    };
    // 10 / (1 + 0.9): 5.26 times 100/s.
    let contended = scaled(10, "contention: 0.1");
    same(column(&contended, "Services", "capacity"), &[("db", "526/s")]);
    assert_eq!(
        contended.notes[0],
        "a replica of db does most with all workers busy: 5.26 times what one worker does alone; all 10 together do 5.26"
    );
    // The peak is at sqrt(1 / 0.01) = 10: 10 / (1 + 0.9); 20 / (1 + 3.8).
    let coherent = scaled(20, "coherency: 0.01");
    same(column(&coherent, "Services", "capacity"), &[("db", "417/s")]);
    assert_eq!(
        coherent.notes[0],
        "a replica of db does most at 10.0 at once: 5.26 times what one worker does alone; all 20 together do 4.17"
    );
}

/// Calls at one instant have no rate; what they are is so much work at once, further down too.
#[test]
fn a_burst_is_work_not_a_rate() {
    let explanation = explain(
        r#"(about: "a burst", model: ServiceGraph(
            workload: [(to: "shop", arrivals: Burst(count: 450))],
            services: {
                "shop": (workers: Async(100), work: "10ms", calls: [(to: "db", times: 2)]),
                "db": (workers: Async(10), work: "100ms"),
            },
        ), run: (duration: "1min"))"#,
    );
    same(column(&explanation, "Workload", "rate"), &[("users", "at once")]);
    // 450 x 10 ms / 100; 900 x 100 ms / 10.
    assert_eq!(
        explanation.notes[..2],
        ["shop gets 450 requests at once: 45 ms of work", "db gets 900 requests at once: 9 s of work"]
    );
}

/// How a fault builds up, comes and goes stands beside its effect.
#[test]
fn the_rhythm_of_a_fault() {
    let explanation = explain(
        r#"(about: "a flap", model: ServiceGraph(
            workload: [(to: "db", arrivals: Constant("1/s"))],
            services: {"db": (workers: Async(1), work: "1ms")},
            faults: [(at: "5s", on: "db", effect: Delay(add: "1s"), ramp: "2s", flap: (active: "3s", quiet: "4s"))],
        ), run: (duration: "1min"))"#,
    );
    let said = r#"Delay(add: "1s"), building up over 2s, 3s there, 4s gone in turn"#;
    same(column(&explanation, "Faults", "effect"), &[("db", said)]);
}

/// Who stands where, and what is left of a service without the zone in which most of it stands.
#[test]
fn where_everybody_stands() {
    let shop = |rate: &str| {
        explain(&format!(
            r#"(about: "zones", model: ServiceGraph(
                zones: (names: ["a", "b", "c"], network: "2ms"),
                workload: [(to: "web", arrivals: Poisson("{rate}"), clients: 5, policy: "p"), (name: "jobs", to: "web", arrivals: Poisson("1/s"), zones: ["c"])],
                services: {{
                    "web": (replicas: 7, workers: Async(1), work: "10ms", calls: [(to: "db")]),
                    "db": (workers: Async(90), work: "10ms", zones: ["b"]),
                }},
                policies: {{"p": (zone: Spill())}},
            ), run: (duration: "1min"))"#
        ))
    };
    let told = shop("399/s");
    let places = [
        ("clients of users", "2 in a, 2 in b, 1 in c"),
        ("clients of jobs", "1 in c"),
        ("replicas of web", "3 in a, 2 in b, 2 in c"),
        ("replicas of db", "1 in b"),
    ];
    same(column(&told, "Zones", "stand"), &places);
    // 400/s of 700/s; without a of 400/s.
    let without = [
        ("clients of users", ""),
        ("clients of jobs", ""),
        ("replicas of web", "100 %"),
        ("replicas of db", "nobody is left"),
    ];
    same(column(&told, "Zones", "utilisation without the largest"), &without);
    let note = |told: &Explanation| told.notes.iter().find(|note| note.contains("without zone")).cloned();
    let said = "web is at 57 % of its capacity, but what is left of it without zone a would be at 100 %";
    assert_eq!(note(&told).as_deref(), Some(said));
    assert_eq!(note(&shop("398/s")), None);
    assert!(told.tables.iter().any(|table| table.title == "What stays in its zone under `p`"));
    let zones = told.tables.iter().find(|table| table.title == "Zones").expect("it is there");
    assert_eq!(zones.note, "a message from one to another takes 2ms longer, each way");
    assert!(under("").tables.iter().all(|table| table.title != "Zones"));
}
