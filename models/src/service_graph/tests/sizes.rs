//! What is more than can be simulated, or less than anything.

use super::{FAULTS, POLICIES, RUN, Row, WORKLOAD, hold, row};

#[test]
fn what_is_too_much_or_too_little() {
    hold(&rows());
}

/// The first workload's arrivals.
const ARRIVALS: &str = r#"Poisson("100/s")"#;
const USERS: &str = r#"policy: "careful"), (name"#;
const REPLICAS: &str = r#""shop": (replicas: 2"#;
/// What the policy says besides its timeout.
const SAYS: &str = "retry: Fixed(attempts: 2)";
const STOCK: &str = r#"(replicas: 3, workers: Blocking(4), work: "8ms")"#;

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    // So many users who call `stock` again and again, and what else is said of them and of how they call.
    let looped = |users: u32, think: &str, more: &str| {
        let others = WORKLOAD.strip_suffix(']').expect("a list");
        format!(r#"{others}, (name: "loop", to: "stock", policy: "q", {more}arrivals: ClosedLoop(users: {users}, think: "{think}"))]"#)
    };
    let limited = |says: &str| {
        let careful = POLICIES.strip_suffix('}').expect("a map");
        format!(r#"{careful}, "q": ({says})}}"#)
    };
    // Services that somebody calls, each with so many replicas.
    let services = |count: usize, replicas: u32| {
        let calls: String = (0..count).map(|n| format!("(to: \"s{n}\"), ")).collect();
        let services: String = (0..count)
            .map(|n| format!(", \"s{n}\": (replicas: {replicas}, workers: Async(1), work: \"1ms\")"))
            .collect();
        format!("(workers: Async(9), work: \"8ms\", calls: [{calls}]){services}")
    };
    let calls = |count: usize| {
        let calls = "(to: \"end\"), ".repeat(count);
        format!(
            "(workers: Async(9), work: \"8ms\", calls: [{calls}]), \"end\": (workers: Async(9), work: \"1ms\")"
        )
    };
    let at_once = |times: &str| {
        let calls: String = (0..100).map(|_| "(to: \"end\", times: 10000), ").collect();
        format!(
            "(workers: Async(9), work: \"8ms\", calls: [Parallel([{calls}{times}])]), \"end\": (workers: Async(9), work: \"1ms\")"
        )
    };
    let left_behind = |last: &str| {
        let calls = "(to: \"end\", times: 10000, wait: false), ".repeat(100);
        format!(
            "(workers: Async(9), work: \"8ms\", calls: [{calls}{last}]), \"end\": (workers: Async(9), work: \"1ms\")"
        )
    };
    vec![
        // 2 + 1 + 1 + 3 of the shop's own.
        row(STOCK, services(100, 10_000), services(99, 10_000),
            r#"services [{     "shop": (replicas: 2, workers: Asy..]: 1000005 replicas in all, at most 1000000"#,
        ),
        // Two workloads and three calls of the shop's own.
        row(STOCK, calls(3_996), calls(3_995),
            r#"services [{     "shop": (replicas: 2, workers: Asy..]: 4001 edges, at most 4000"#,
        ),
        row(STOCK, at_once("(to: \"end\")"), at_once(""),
            r#"services.stock ["stock"]: a request makes 1000001 calls at once, at most 1000000"#,
        ),
        row(r#""shop": (replicas: 2,"#, r#""shop": (replicas: 2, cache: (capacity: Unbounded),"#, r#""shop": (replicas: 2, cache: (capacity: 1000000),"#,
            r#"services [{     "shop": (replicas: 2, cache: (capa..]: what services keep by key takes * MiB if every key is asked for, at most 2048
                help: fewer keys, less capacity, or `per: Service`, which is one for all replicas"#,
        )
        .and(USERS, r#"policy: "careful", keys: Uniform(20000000)), (name"#),
        // Nobody waits for any of them before the next.
        row(STOCK, left_behind("(to: \"end\")"), left_behind(""),
            r#"services.stock ["stock"]: a request makes 1000001 calls at once, at most 1000000"#,
        ),
        row(r#"work: "8ms""#, r#"work: Pareto(scale: "1ms", shape: 1)"#, r#"work: Pareto(scale: "1ms", shape: 1.01)"#,
            r#"warning: services.stock.work [Pareto(scale: "1ms", shape: 1)]: the mean is infinite: averages will not settle, however long the run
                help: a shape above 1 has a mean, BoundedPareto an end"#,
        ),
        // Arrivals.
        row(
            ARRIVALS,
            r#"Ramp(from: "1/s", to: "9/s", over: "0s")"#,
            r#"Ramp(from: "1/s", to: "9/s", over: "1ns")"#,
            r#"workload[0].arrivals.over ["0s"]: must be longer than 0: a jump is Steps"#,
        ),
        row(ARRIVALS, r#"Growth(from: "9/s", to: "9/s", doubles_in: "1s")"#, r#"Growth(from: "9/s", to: "10/s", doubles_in: "1s")"#,
            r#"workload[0].arrivals.to ["9/s"]: 9/s is not more than 9/s, so nothing grows
                help: a rate that falls is a Ramp"#,
        ),
        row(ARRIVALS, r#"Diurnal(mean: "9/s", amplitude: 1.5)"#, r#"Diurnal(mean: "9/s", amplitude: 1)"#,
            r#"workload[0].arrivals.amplitude [1.5]: got 1.5, allowed 0.0 to 1.0
                help: is 1.5 % meant? write 0.015"#,
        ),
        row(ARRIVALS, r#"Bursty(states: [(rate: "9/s", lasts: "1s")])"#, r#"Bursty(states: [(rate: "9/s", lasts: "1s"), (rate: "0/s", lasts: "1ms")])"#,
            r#"workload[0].arrivals.states [[(rate: "9/s", lasts: "1s")]]: got a list [..], 1 entries, allowed 2 to 32"#,
        ),
        row(ARRIVALS, r#"Bursty(states: [(rate: "9/s", lasts: "1s"), (rate: "0/s", lasts: "1us")])"#, r#"Bursty(states: [(rate: "9/s", lasts: "1s"), (rate: "0/s", lasts: "1ms")])"#,
            r#"workload[0].arrivals.states[1].lasts ["1us"]: got "1us", allowed at least "1ms""#,
        ),
        row(ARRIVALS, r#"Bursty(states: [(rate: "0/s", lasts: "1s"), (rate: "0/s", lasts: "2s")])"#, r#"Bursty(states: [(rate: "1/s", lasts: "1s"), (rate: "0/s", lasts: "2s")])"#,
            r#"workload[0].arrivals [Bursty(states: [(rate: "0/s", lasts: "1s..]: nobody ever arrives: every rate is 0"#,
        ),
        row(ARRIVALS, r#"Replay(file: "dya.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"workload[0].arrivals.file ["dya.csv"]: dya.csv: there is no such file: did you mean `day.csv`?"#,
        ),
        row(ARRIVALS, r#"Replay(file: "../day.csv")"#, r#"Replay(file: "calls.csv")"#,
            r#"workload[0].arrivals.file ["../day.csv"]: ../day.csv: it must stand in the folder of the experiment, or in one below, without `.` and `..`"#,
        ),
        row(ARRIVALS, r#"Replay(file: "empty.csv")"#, r#"Replay(file: "day.csv", scale: 2.5, between: Lines, spacing: Even)"#,
            r#"workload[0].arrivals.file ["empty.csv"]: empty.csv, line 1: there are no lines that say anything"#,
        ),
        row(ARRIVALS, r#"Replay(file: "broken.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"workload[0].arrivals.file ["broken.csv"]: broken.csv, line 4: a time without a rate
                workload[0].arrivals.file ["broken.csv"]: broken.csv, line 5: 3 cells: a time, or a time and a rate
                workload[0].arrivals.file ["broken.csv"]: broken.csv, line 6: 8s is not later than 9s, which stands before it
                workload[0].arrivals.file ["broken.csv"]: broken.csv, line 7: `ten`: a rate is a number per unit of time, as in "800/s" or "30/min""#,
        ),
        row(ARRIVALS, r#"Replay(file: "mixed.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"workload[0].arrivals.file ["mixed.csv"]: mixed.csv, line 2: a rate beside a time, and none beside those before
                workload[0].arrivals.file ["mixed.csv"]: mixed.csv, line 3: cells are told apart by commas
                workload[0].arrivals.file ["mixed.csv"]: mixed.csv, line 4: 1s is earlier than 2s, which stands before it"#,
        ),
        row(ARRIVALS, r#"Replay(file: "late.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"workload[0].arrivals.file ["late.csv"]: late.csv, line 1: the first rate is at 5s, and must be at 0s
                workload[0].arrivals.file ["late.csv"]: late.csv, line 2: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 3: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 4: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 5: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 6: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 7: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv, line 8: 5s is not later than 5s, which stands before it
                workload[0].arrivals.file ["late.csv"]: late.csv: 2 more lines are wrong, from line 9 on"#,
        ),
        row(ARRIVALS, r#"Replay(file: (name: "day.csv", content: "0123"))"#, r#"Replay(file: (name: "day.csv", content: "024787f6da5be488"))"#,
            r#"workload[0].arrivals.file [(name: "day.csv", content: "0123")]: day.csv says 024787f6da5be488, and 0123 was to be replayed
                help: to take it as it is, write its name alone"#,
        ),
        row(ARRIVALS, r#"Replay(file: "calls.csv", scale: 2)"#, r#"Replay(file: "calls.csv", scale: 1)"#,
            r#"workload[0].arrivals.scale [2]: `scale` changes rates, and calls.csv says when each call comes
                help: recorded arrivals come as they stand: leave it out"#,
        ),
        row(ARRIVALS, r#"Replay(file: "day.csv", scale: 0)"#, r#"Replay(file: "day.csv", scale: 0.5)"#,
            r#"workload[0].arrivals [Replay(file: "day.csv", scale: 0)]: nobody ever arrives: every rate is 0
                workload[0].arrivals.scale [0]: got 0, must be more than 0"#,
        ),
        row(ARRIVALS, r#"Replay(file: "nobody.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"workload[0].arrivals [Replay(file: "nobody.csv")]: nobody ever arrives: every rate is 0"#,
        ),
        row(ARRIVALS, r#"Replay(file: "short.csv")"#, r#"Replay(file: "day.csv")"#,
            r#"warning: workload[0].arrivals ["shop"]: the last line of short.csv is at 10s, and the run ends at 60s: its rate stays until then
                help: a shorter run, or more lines"#,
        ),
        row(ARRIVALS, r#"Replay(file: "few.csv")"#, r#"Replay(file: "calls.csv")"#,
            r#"warning: workload[0].arrivals ["shop"]: nobody comes after 2s, the last line of few.csv, and the run ends at 60s
                help: a shorter run: what is measured after that is of an idle system"#,
        ),
        row(ARRIVALS, r#"Replay(file: "tomorrow.csv")"#, r#"Replay(file: "calls.csv")"#,
            r#"warning: workload[0].arrivals ["shop"]: nobody comes: the first line of tomorrow.csv is at 60s, and the run ends at 60s
                help: a longer run, or lines that count from its beginning"#,
        ),
        row(ARRIVALS, r#"Steps(steps: [])"#, r#"Steps(steps: [(at: "0s", rate: "1/s")])"#,
            r#"workload[0].arrivals [Steps(steps: [])]: nobody ever arrives: every rate is 0
                workload[0].arrivals.steps [[]]: the first step must be at "0s""#,
        ),
        row(
            ARRIVALS,
            r#"Steps(steps: [(at: "1ns", rate: "1/s")])"#,
            r#"Steps(steps: [(at: "0s", rate: "1/s")])"#,
            r#"workload[0].arrivals.steps [[(at: "1ns", rate: "1/s")]]: the first step must be at "0s""#,
        ),
        row(
            ARRIVALS,
            r#"Steps(steps: [(at: "0s", rate: "1/s"), (at: "5s", rate: "2/s"), (at: "5s", rate: "3/s")])"#,
            r#"Steps(steps: [(at: "0s", rate: "1/s"), (at: "5s", rate: "2/s"), (at: "6s", rate: "3/s")])"#,
            r#"workload[0].arrivals.steps [[(at: "0s", rate: "1/s"), (at: "5s", rat..]: steps[2] is not later than the one before it"#,
        ),
        row(
            ARRIVALS,
            r#"Spike(base: "1/s", peak: "9/s", at: "5s", for: "0s")"#,
            r#"Spike(base: "1/s", peak: "9/s", at: "5s", for: "1s")"#,
            r#"workload[0].arrivals.for ["0s"]: must be longer than 0"#,
        ),
        row(
            ARRIVALS,
            r#"Steps(steps: [(at: "0s", rate: "0/s"), (at: "1s", rate: "0/s")])"#,
            r#"Steps(steps: [(at: "0s", rate: "0/s"), (at: "1s", rate: "1/s")])"#,
            r#"workload[0].arrivals [Steps(steps: [(at: "0s", rate: "0/s"), (..]: nobody ever arrives: every rate is 0"#,
        ),
        row(
            ARRIVALS,
            r#"Ramp(from: "0/s", to: "0/s", over: "1s")"#,
            r#"Ramp(from: "0/s", to: "1/s", over: "1s")"#,
            r#"workload[0].arrivals [Ramp(from: "0/s", to: "0/s", over: "1s")]: nobody ever arrives: every rate is 0"#,
        ),
        row(ARRIVALS, r#"Poisson("0/s")"#, r#"Poisson("1/h")"#,
            r#"workload[0].arrivals [Poisson("0/s")]: nobody ever arrives: every rate is 0
                workload[0].arrivals ["0/s"]: got "0/s", must be more than 0"#,
        ),
        row(ARRIVALS, r#"Constant("0/s")"#, r#"Constant("1/h")"#,
            r#"workload[0].arrivals [Constant("0/s")]: nobody ever arrives: every rate is 0
                workload[0].arrivals ["0/s"]: got "0/s", must be more than 0"#,
        ),
        row(ARRIVALS, r#"ClosedLoop(users: 0, think: "1s")"#, r#"ClosedLoop(users: 1, think: "1s")"#,
            r#"workload[0].arrivals.users [0]: got 0, allowed 1 to 1000000"#,
        ),
        // Against the length of the run: 60 s.
        row(ARRIVALS, r#"Poisson("166666667/s")"#, r#"Poisson("166666666/s")"#,
            r#"workload[0].arrivals ["shop"]: up to 10000000020 calls in one run, at most 10000000000
                help: lower the rate or shorten the run: shares and percentiles settle long before"#,
        ),
        row(
            ARRIVALS,
            r#"Spike(base: "1/s", peak: "200000000/s", at: "5s", for: "1s")"#,
            r#"Spike(base: "1/s", peak: "100000000/s", at: "5s", for: "1s")"#,
            r#"workload[0].arrivals ["shop"]: up to 12000000000 calls in one run, at most 10000000000
                help: lower the rate or shorten the run: shares and percentiles settle long before"#,
        ),
        row(FAULTS, r#"[(at: "60s", on: "stock", effect: BlackHole)]"#, r#"[(at: "59s", on: "stock", effect: BlackHole)]"#,
            r#"warning: faults[0].at ["stock"]: begins at 60s, but the run ends at 60s: it never happens"#,
        ),
        row(FAULTS, r#"[(at: "30s", on: "stock", effect: BlackHole, repair: (takes: "30s", needs: ["pay"]))]"#, r#"[(at: "30s", on: "stock", effect: BlackHole, repair: (takes: "29s", needs: ["pay"]))]"#,
            r#"warning: faults[0].repair ["stock"]: is repaired at 60s at the earliest, but the run ends at 60s: it lasts to the end
                help: a longer run, or a shorter repair"#,
        ),
        row(FAULTS, r#"[(at: "50s", for: "10s", on: "stock", effect: BlackHole)]"#, r#"[(at: "50s", for: "9999ms", on: "stock", effect: BlackHole)]"#,
            r#"warning: faults[0].for ["stock"]: begins at 50s and lasts 10s, and the run ends at 60s: nothing shows whether it recovers
                help: a longer `run.duration`, or a shorter `for`"#,
        ),
        // Six numbers of each of 450 edges and four of each of five services, in every window.
        row(RUN, r#"(duration: "100000s")"#, r#"(duration: "98000s")"#,
            r#"workload[0].to ["shop"]: 100000 windows of 450 edges are more than a series has room for
                help: make run.window longer"#,
        ).and(STOCK, calls(445)),
        // Twelve bytes of each replica, and some more.
        row(SAYS, "balancer: LeastPending", "balancer: PowerOfTwo",
            r#"services [{     "shop": (replicas: 10000, workers:..]: what clients remember of their policies takes * MiB, at most 2048
                help: fewer clients or caller replicas; or Random instead of LeastPending"#,
        ).and(USERS, r#"policy: "careful", clients: 18000), (name"#).and(REPLICAS, r#""shop": (replicas: 10000"#),
        // Twelve of each point of a ring.
        row(SAYS, "balancer: ConsistentHash(by: Client, vnodes: 10000, load_factor: 2)", "balancer: ConsistentHash(by: Client, load_factor: 2)",
            r#"services [{     "shop": (replicas: 10000, workers:..]: what clients remember of their policies takes * MiB, at most 2048
                help: fewer clients or caller replicas; or Random instead of LeastPending"#,
        ).and(USERS, r#"policy: "careful", clients: 24000), (name"#).and(REPLICAS, r#""shop": (replicas: 10000"#),
        row(USERS, r#"policy: "careful", clients: 18000), (name"#, r#"policy: "careful", clients: 17000), (name"#,
            r#"services [{     "shop": (replicas: 10000, workers:..]: what clients remember of their policies takes * MiB, at most 2048
                help: fewer clients or caller replicas; or Random instead of LeastPending"#,
        ).and(SAYS, "balancer: LeastPending").and(REPLICAS, r#""shop": (replicas: 10000"#),
        row(REPLICAS, r#""shop": (replicas: 10000"#, r#""shop": (replicas: 9000"#,
            r#"services [{     "shop": (replicas: 10000, workers:..]: what clients remember of their policies takes * MiB, at most 2048
                help: fewer clients or caller replicas; or Random instead of LeastPending"#,
        ).and(SAYS, "balancer: LeastPending").and(USERS, r#"policy: "careful", clients: 18000), (name"#),
        row(r#"work: "8ms""#, r#"work: "0s""#, r#"work: "1ns""#,
            r#"warning: services.stock.work ["0s"]: takes no time and calls nobody: it can never be busy"#,
        ),
        row(
            r#"work: "8ms""#,
            r#"work: "0s""#,
            r#"work: "0s", dies: (at_in_flight: 9, restart_after: "1s")"#,
            r#"warning: services.stock.work ["0s"]: takes no time and calls nobody: it can never be busy"#,
        ),
        row(r#"work: "8ms""#, r#"work: "0s""#, r#"work: "0s", calls: [(to: "pay")]"#,
            r#"warning: services.stock.work ["0s"]: takes no time and calls nobody: it can never be busy"#,
        ),
        // Users who never think, and hear at once that they are refused.
        row(WORKLOAD, looped(5, "0s", ""), looped(5, "1ns", ""),
            r#"workload[2].arrivals [ClosedLoop(users: 5, think: "0s")]: 5 users, who think for no time, call at once, and `rate_limit` lets 2 in: whoever is refused asks again at that instant, and time stands still
                help: a `think` above 0, as in think: "1ms""#,
        ).and(POLICIES, limited(r#"rate_limit: TokenBucket(rate: "100/s", burst: 2)"#)),
        // Two are let in, and five wait for up to 50 ms.
        row(WORKLOAD, looped(8, "0s", ""), looped(7, "0s", ""),
            r#"workload[2].arrivals [ClosedLoop(users: 8, think: "0s")]: 8 users, who think for no time, call at once, and `rate_limit` lets 7 in: whoever is refused asks again at that instant, and time stands still
                help: a `think` above 0, as in think: "1ms""#,
        ).and(POLICIES, limited(r#"rate_limit: TokenBucket(rate: "100/s", burst: 2, max_wait: "50ms")"#)),
        row(WORKLOAD, looped(7, "0s", "clients: 2, "), looped(3, "0s", ""),
            r#"workload[2].arrivals [ClosedLoop(users: 7, think: "0s")]: 7 users, who think for no time, call at once, and `bulkhead` lets 6 in: whoever is refused asks again at that instant, and time stands still
                help: a `think` above 0, as in think: "1ms""#,
        ).and(POLICIES, limited("bulkhead: (max_concurrent: 3)")),
        row(WORKLOAD, looped(1, "0s", ""), looped(1, "0s", r#"reload: (after: "1s", times: 3), "#),
            r#"warning: workload[2].arrivals [ClosedLoop(users: 1, think: "0s")]: users who think for no time ask again at the instant at which `breaker` refuses them: if it does, time stands still
                help: a `think` above 0, as in think: "1ms""#,
        ).and(POLICIES, limited(r#"breaker: Consecutive(failures: 5)"#)),
        // Twelve workers and three queues of two.
        row(WORKLOAD, looped(19, "0s", r#"network: "0s", "#), looped(18, "0s", r#"network: "0s", "#),
            r#"workload[2].arrivals [ClosedLoop(users: 19, think: "0s")]: 19 users, who think for no time, call at once, and `stock` has room for 18: whoever is turned away asks again at that instant, and time stands still
                help: a `think` above 0, as in think: "1ms""#,
        ).and(POLICIES, limited(r#"timeout: "1s""#)).and(r#"work: "8ms""#, r#"work: "8ms", queue: Fifo(capacity: 2)"#),
        row(r#"work: "8ms""#, r#"work: "0s""#, r#"work: "1ns""#,
            r#"workload[2].arrivals [ClosedLoop(users: 1, think: "0s")]: users who think for no time call `stock`, which takes none either: time stands still
                help: a `think` above 0, as in think: "1ms"
                warning: services.stock.work ["0s"]: takes no time and calls nobody: it can never be busy"#,
        ).and(POLICIES, limited(r#"timeout: "1s""#)).and(WORKLOAD, looped(1, "0s", r#"network: "0s", "#)),
    ]
}
