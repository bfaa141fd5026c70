//! Names, references and circles.

use super::{BATCH, NETWORK, Row, SERVICES, USERS, WORKLOAD, ZONED, hold, row};

#[test]
fn what_a_graph_is_made_of() {
    hold(&rows());
}

/// Who alone causes mail.
const ONLY: &str = r#"only_from: ["batch"]"#;

/// What is called at once.
const PARALLEL: &str = r#"Parallel([(to: "pay", times: 2), (to: "mail", only_from: ["batch"])])"#;

/// What the network is, and a flag that somebody reads.
const BETA: &str = r#"network: "1ms", flags: {"beta": (stages: [(at: "9s")])}"#;

/// Users some of whose requests are writes.
const WRITERS: &str = r#"arrivals: Poisson("100/s"), writes: 0.1"#;

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let long = "x".repeat(65);
    vec![
        // Versions that must understand one another.
        row(
            r#"work: "8ms""#,
            r#"work: "8ms", rollout: (at: "5s", to: (speaks: 2))"#,
            r#"work: "8ms", rollout: (at: "5s", to: (work: 1.1))"#,
            r#"warning: services.stock ["stock"]: `stock` speaks 2, and calls nobody
                help: leave `speaks` out; what it can be called in is `understands`"#,
        ),
        row(
            r#"work: "8ms""#,
            r#"work: "8ms", rollout: (at: "5s", to: (understands: [1, 2]))"#,
            r#"work: "8ms", rollout: (at: "5s", to: (work: 1.1))"#,
            r#"warning: services.stock ["stock"]: `stock` understands 2, and nobody who calls it speaks that
                help: `speaks: 2` in the rollout of whoever calls it"#,
        ),
        row(
            r#"work: "5ms""#,
            r#"work: "5ms", rollout: (at: "5s", from: (understands: [2]), to: (speaks: 2))"#,
            r#"work: "5ms", rollout: (at: "5s")"#,
            r#"warning: services.shop ["shop"]: `shop` understands 2, and nobody who calls it speaks that
                help: `speaks: 2` in the rollout of whoever calls it
                warning: services.shop ["shop"]: no version of `shop` understands 1, which users speak: those calls all fail
                help: `understands` of its rollout, `from` or `to`, with 1 in it
                warning: services.stock ["stock"]: no version of `stock` understands 2, which `shop` speaks: those calls all fail
                help: `understands` of its rollout, `from` or `to`, with 2 in it
                warning: services.pay ["pay"]: no version of `pay` understands 2, which `shop` speaks: those calls all fail
                help: `understands` of its rollout, `from` or `to`, with 2 in it
                warning: services.mail ["mail"]: no version of `mail` understands 2, which `shop` speaks: those calls all fail
                help: `understands` of its rollout, `from` or `to`, with 2 in it"#,
        ),
        row(
            r#"work: "8ms""#,
            r#"work: "8ms", rollout: (at: "5s", from: (understands: [1, 256]), to: (understands: []))"#,
            r#"work: "8ms", rollout: (at: "5s", from: (understands: [1]), to: (understands: [1]))"#,
            r#"services.stock.rollout.from.understands [[1, 256]]: got version 256, allowed 1 to 255
                services.stock.rollout.to.understands [[]]: understands nobody
                help: list at least one version, as in [1, 2]"#,
        ),
        row(WORKLOAD, "[]", WORKLOAD,
            r#"workload [[]]: nothing to simulate: no workload
                warning: services.shop ["shop"]: nobody calls this service
                warning: services.stock ["stock"]: nobody calls this service
                warning: services.pay ["pay"]: nobody calls this service
                warning: services.mail ["mail"]: nobody calls this service"#,
        ).and(ONLY, "only_from: []"),
        row(SERVICES, "{}", SERVICES,
            r#"services [{}]: nothing to simulate: no services"#,
        ),
        // Replicas that stand still.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: Periodic(every: "1s", for: "1s")"#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: Periodic(every: "1s", for: "999ms")"#,
            r#"services.stock.stop_the_world.for ["1s"]: pauses of 1s every 1s: it never goes on
                help: `every` counts from beginning to beginning, and is longer than `for`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: GarbageCollection(heap: "1GiB", live: "1GiB", allocated_per_request: "1MiB")"#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: GarbageCollection(heap: "1GiB", live: "1023MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            r#"services.stock.stop_the_world.live ["1GiB"]: `live` 1GiB fills the heap of 1GiB: there is no room for a request
                help: a larger `heap`
                warning: services.stock.stop_the_world [GarbageCollection(heap: "1GiB", live: "1..]: a collection takes no time: it is as if it were not there
                help: give it a `pause`, or a `pause_per_gib`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", queue: SharedFifo(), stop_the_world: GarbageCollection(heap: "2GiB", live_per_request: "1MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: GarbageCollection(heap: "2GiB", live_per_request: "1MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            r#"warning: services.stock.stop_the_world [GarbageCollection(heap: "2GiB", live_per..]: what waits in the queue that all replicas share is alive in none of them: only what is worked on is
                help: leave `shared` out of the queue, and each has its own"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", memory_leak: (limit: "1GiB", then: Slows(factor: 1))"#,
            r#"workers: Blocking(4), work: "8ms", memory_leak: (limit: "1GiB", per_hour: "1B", then: Slows(factor: 2))"#,
            r#"warning: services.stock.memory_leak [(limit: "1GiB", then: Slows(factor: 1))]: nothing leaks: it is as if it were not there
                help: say how much is lost `per_request`, or `per_hour`
                warning: services.stock.memory_leak.then [Slows(factor: 1)]: a factor of 1 makes nothing slower
                help: a larger `factor`, or Dies(restart_after: "10s")"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", memory_leak: (per_request: "512MiB", limit: "512MiB", then: Slows(factor: 2))"#,
            r#"workers: Blocking(4), work: "8ms", memory_leak: (per_request: "511MiB", limit: "512MiB", then: Slows(factor: 2))"#,
            r#"warning: services.stock.memory_leak.per_request ["512MiB"]: one request leaves 512MiB behind, and there are 512MiB: the first uses all of it up
                help: a larger `limit`, or less `per_request`"#,
        ),
        // Machines that heat up.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25), (celsius: 35)], busy: 400, cooling: 10, heat_capacity: 1000, throttle: (from: 70, to: 70, factor: 4), shut_down: (at: 80, back_at: 80))"#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25), (at: "1s", celsius: 35)], busy: 400, cooling: 10, heat_capacity: 1000, throttle: (from: 70, to: 71, factor: 4), shut_down: (at: 80, back_at: 79))"#,
            r#"services.stock.thermal.air [[(celsius: 25), (celsius: 35)]]: air[1] is not later than the one before it
                help: list the times in order, each once
                services.stock.thermal.throttle [(from: 70, to: 70, factor: 4)]: as slow as it becomes at 70 C, and not slow up to 70 C
                help: `to` is above `from`
                services.stock.thermal.shut_down [(at: 80, back_at: 80)]: switched off at 80 C, and on again at 80 C: it would be as soon as it is off
                help: `back_at` is below `at`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000, throttle: (from: 70, to: 75, factor: 1), shut_down: (at: 60, back_at: 25), every: "101s")"#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000, throttle: (from: 59, to: 75, factor: 2), shut_down: (at: 60, back_at: 26), every: "100s")"#,
            r#"warning: services.stock.thermal.throttle [(from: 70, to: 75, factor: 1)]: a factor of 1 makes nothing slower
                help: a larger `factor`
                warning: services.stock.thermal.throttle [(from: 70, to: 75, factor: 1)]: is never slowed down: that begins at 70 C, and at 60 C it is off
                help: a lower `from`
                warning: services.stock.thermal.shut_down [(at: 60, back_at: 25)]: the air is never colder than 25 C: once off, it never cools to 25 C
                help: a higher `back_at`, or colder `air`
                warning: services.stock.thermal.every ["101s"]: looks every 101s, and its temperature goes 63 % of its way in 100 s: it is hot before it knows
                help: look more often"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], idle: 400, busy: 400, cooling: 10, heat_capacity: 1000, shut_down: (at: 60, back_at: 50))"#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], idle: 300, busy: 400, cooling: 10, heat_capacity: 1000, shut_down: (at: 60, back_at: 50))"#,
            r#"warning: services.stock.thermal.shut_down [(at: 60, back_at: 50)]: with nothing to do it comes to 65 C even in the coldest air: it is off at 60 C whatever is asked of it
                help: more `cooling`, or less `idle`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000)"#,
            r#"workers: Blocking(4), work: "8ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000, shut_down: (at: 60, back_at: 50))"#,
            r#"warning: services.stock.thermal [(air: [(celsius: 25)], busy: 400, coolin..]: however hot it becomes, nothing comes of it
                help: say from when it is slow, `throttle`, or off, `shut_down`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#,
            r#"workers: Blocking(8), work: "5ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000, shut_down: (at: 60, back_at: 50))"#,
            r#"workers: Async(8), work: "5ms", thermal: (air: [(celsius: 25)], busy: 400, cooling: 10, heat_capacity: 1000, shut_down: (at: 60, back_at: 50))"#,
            r#"warning: services.shop.thermal [(air: [(celsius: 25)], busy: 400, coolin..]: a worker that waits for its calls warms its machine as if it worked
                help: Async workers are busy with their own work only"#,
        ),
        // A heap that is less than what one request needs, and one that is less than what all do that it has room for.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: GarbageCollection(heap: "1GiB", live: "300MiB", live_per_request: "725MiB", allocated_per_request: "1B", pause: "1ms")"#,
            r#"workers: Blocking(1), work: "8ms", queue: Fifo(capacity: 0), stop_the_world: GarbageCollection(heap: "1GiB", live: "300MiB", live_per_request: "723MiB", allocated_per_request: "1B", pause: "1ms")"#,
            r#"services.stock.stop_the_world.heap ["1GiB"]: one request needs more than the heap of 1GiB: 300MiB are alive without it, 725MiB with it, and it allocates 1B
                help: a larger `heap`: who has less is killed by its first request"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", queue: Fifo(capacity: 6), stop_the_world: GarbageCollection(heap: "1GiB", live: "25MiB", live_per_request: "100MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            r#"workers: Blocking(4), work: "8ms", queue: Fifo(capacity: 5), stop_the_world: GarbageCollection(heap: "1GiB", live: "24MiB", live_per_request: "100MiB", allocated_per_request: "1MiB", pause: "1ms")"#,
            r#"warning: services.stock.stop_the_world [GarbageCollection(heap: "1GiB", live: "2..]: 10 requests, for which there is room, keep 1025MiB alive in a heap of 1GiB: whose memory is full dies of it, and here it only collects at every request
                help: a shorter queue, or a larger `heap`"#,
        ),
        // Who asks is less patient than a pause is long.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: Periodic(every: "9s", for: "200ms"), probes: (liveness: (timeout: "199ms"))"#,
            r#"workers: Blocking(4), work: "8ms", stop_the_world: Periodic(every: "9s", for: "200ms"), probes: (liveness: (timeout: "200ms"))"#,
            r#"warning: services.stock.probes [(liveness: (timeout: "199ms"))]: stands still for 200 ms at a time, and `liveness` waits for 199 ms: it kills who is well, if it happens 3 times in a row
                help: a `timeout` of `liveness` that is longer than pauses are"#,
        ),
        // Workers that come and go. The caller waits for a second, of which the network takes 2 ms and the work 8.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "991ms", provisioned: 3)"#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "990ms", provisioned: 3)"#,
            r#"warning: services.stock ["stock"]: no call over shop->stock that has to wait for an instance can succeed: that takes at least 991ms to start, the timeout is 1s
                help: a longer `timeout`, or instances that are `provisioned`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#,
            r#"workers: Async(8), work: "5ms", cold_start: (time: "9ms")"#,
            r#"workers: Blocking(8), work: "5ms", cold_start: (time: "9ms")"#,
            r#"warning: services.shop.cold_start [(time: "9ms")]: an instance is kept until its request is answered, and these workers are free while it waits for calls: more of them may be there
                help: write `workers: Blocking(..)`, and that is how many there may be"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: ProcessorSharing(at_once: 9), work: "8ms", cold_start: (time: "9ms")"#,
            r#"workers: Async(9), work: "8ms", cold_start: (time: "9ms")"#,
            r#"warning: services.stock.cold_start [(time: "9ms")]: an instance works alone, and here all that start and work share the cores of their replica
                help: write `workers: Blocking(..)`, and that is how many there may be"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "9ms", provisioned: 5)"#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "9ms", provisioned: 3)"#,
            r#"services.stock.cold_start [(time: "9ms", provisioned: 5)]: 5 instances are provisioned, and only 4 may be busy at a time
                help: as many `workers`, or fewer `provisioned`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "9ms", provisioned: 4)"#,
            r#"workers: Blocking(4), work: "8ms", cold_start: (time: "9ms", provisioned: 0)"#,
            r#"warning: services.stock.cold_start [(time: "9ms", provisioned: 4)]: all instances are provisioned: none ever starts cold
                help: fewer `provisioned`, or leave `cold_start` out"#,
        ),
        // Who needs whom to start.
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["pay", "mail"])"#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["mail"])"#,
            r#"warning: services.stock ["stock"]: stock -> pay -> stock: each needs the next to start, so once all of them are down none ever does
                help: one of them must start without the others"#,
        ).and(r#"work: Exponential(mean: "10ms")"#, r#"work: Exponential(mean: "10ms"), start_up: (time: "1s", needs: ["mail", "stock"])"#),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["pax"])"#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["pay"])"#,
            r#"services.stock.start_up.needs[0] ["pax"]: unknown service `pax`
                help: did you mean `pay`?"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", missing: CrashLoop())"#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["pay"], missing: CrashLoop())"#,
            r#"warning: services.stock.start_up.missing [CrashLoop()]: nothing can be missing: it needs nobody
                help: name the services that it needs: needs: ["db"]"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["stock"])"#,
            r#"workers: Blocking(4), work: "8ms", start_up: (time: "1s", needs: ["pay"])"#,
            r#"warning: services.stock ["stock"]: stock -> stock: each needs the next to start, so once all of them are down none ever does
                help: one of them must start without the others"#,
        ),
        // Names of workloads.
        row(r#"name: "batch""#, r#"name: """#, r#"name: "b""#,
            r#"workload[1].name [""]: a name cannot be empty"#,
        ).and(ONLY, "only_from: []"),
        row(r#"name: "batch""#, r#"name: "two words""#, r#"name: "two-words""#,
            r#"workload[1].name ["two words"]: a name is letters (a-z, A-Z), digits, `_` and `-`, and does not begin with `-`"#,
        ).and(ONLY, "only_from: []"),
        row(r#"name: "batch""#, format!("name: \"{long}\""), format!("name: \"{}\"", &long[1..]),
            r#"workload[1].name ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..]: a name has at most 64 bytes, this one 65"#,
        ).and(ONLY, "only_from: []"),
        row(r#"name: "batch""#, r#"name: "pay""#, r#"name: "payer""#,
            r#"workload[1].name ["pay"]: `pay` is a service: name the workload otherwise
                help: what stands before its arrow: (name: "batch", to: ..)"#,
        ).and(ONLY, "only_from: []"),
        row(r#"name: "batch""#, r#"name: "users""#, r#"name: "others""#,
            r#"workload[1].name ["shop"]: workload[0] is called `users` too
                help: give one of them a name: (name: "batch", to: ..)"#,
        ).and(ONLY, "only_from: []"),
        // Where they stand.
        row(USERS, format!("{USERS}, zones: [\"a\"]"), USERS,
            r#"workload[0].zones[0] ["a"]: there is no zone `a`: the graph has none
                help: add them: zones: (names: ["a", ..])"#,
        ),
        row(r#""pay": (workers"#, r#""pay": (zones: ["cc"], workers"#, r#""pay": (zones: ["c"], workers"#,
            r#"services.pay.zones[0] ["cc"]: there is no zone `cc`
                help: did you mean `c`?"#,
        ).and(NETWORK, ZONED).and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        row(r#""pay": (workers"#, r#""pay": (zones: ["north"], workers"#, r#""pay": (zones: ["c", "c", "b"], workers"#,
            r#"services.pay.zones[0] ["north"]: there is no zone `north`
                help: the zones are: a, b, c"#,
        ).and(NETWORK, ZONED).and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        row(NETWORK, r#"network: "1ms", zones: (names: ["a", "a", "b c"])"#, r#"network: "1ms", zones: (names: ["a", "b", "c"])"#,
            r#"zones.names[1] ["a"]: another zone is called so
                zones.names[2] ["b c"]: a name is letters (a-z, A-Z), digits, `_` and `-`, and does not begin with `-`"#,
        ).and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        row(NETWORK, r#"network: "1ms", zones: (names: [])"#, r#"network: "1ms", zones: None"#,
            r#"zones.names [[]]: got an empty list, 0 entries, allowed 1 to 32"#,
        ),
        row(USERS, format!("{USERS}, clients: 2"), format!("{USERS}, clients: 3"),
            r#"warning: workload[0].clients ["shop"]: `users` has 2 clients for 3 zones: nobody calls from the last
                help: more `clients`, or `zones` of the workload, in which they stand"#,
        ).and(NETWORK, ZONED).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        // Who is checked.
        row(r#"(replicas: 3, workers: Blocking(4), work: "8ms")"#, r#"(replicas: 3, workers: Blocking(4), work: "8ms", health: (), queue: SharedFifo())"#, r#"(replicas: 3, workers: Blocking(4), work: "8ms", health: (), queue: Fifo())"#,
            r#"warning: services.stock.health [()]: the replicas share one queue: none of them can be asked, or left out, and nothing is checked
                help: leave `shared` out of the queue, and each has its own"#,
        ),
        row(r#"name: "batch""#, r#"name: "health""#, r#"name: "batches""#,
            r#"services.stock ["stock"]: whoever checks the replicas of `stock` is called `health`, and so is another
                help: give that workload, or service, another name"#,
        ).and(ONLY, "only_from: []").and(r#"work: "8ms")"#, r#"work: "8ms", health: ())"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", health: (interval: "1s", timeout: "1500ms"))"#, r#"work: "8ms", health: (interval: "1s", timeout: "1s"))"#,
            r#"services.stock.health.timeout ["1500ms"]: a check waits 1.5s for its answer, and the next is made after 1s
                help: make `timeout` at most `interval`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", probes: (readiness: (), liveness: (period: "1s", timeout: "1500ms")))"#, r#"work: "8ms", probes: (readiness: (), liveness: (period: "1s", timeout: "1s")))"#,
            r#"services.stock.probes.liveness.timeout ["1500ms"]: a check waits 1.5s for its answer, and the next is made after 1s
                help: make `timeout` at most `period`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", queue: SharedFifo(), probes: (readiness: ()))"#, r#"work: "8ms", queue: Fifo(), probes: (readiness: ()))"#,
            r#"warning: services.stock.probes [(readiness: ())]: the replicas share one queue: none of them can be asked, or left out, and nothing is checked
                help: leave `shared` out of the queue, and each has its own"#,
        ),
        row(r#"name: "batch""#, r#"name: "liveness""#, r#"name: "batches""#,
            r#"services.stock ["stock"]: whoever checks the replicas of `stock` is called `liveness`, and so is another
                help: give that workload, or service, another name"#,
        ).and(ONLY, "only_from: []").and(r#"work: "8ms")"#, r#"work: "8ms", probes: (readiness: (), liveness: ()))"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", probes: ())"#, r#"work: "8ms", probes: (startup: ()))"#,
            r#"warning: services.stock.probes [()]: asks nothing: it is as if it were not there
                help: give it `liveness`, `readiness` or `startup`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", probes: (liveness: (success_threshold: 2)))"#, r#"work: "8ms", probes: (readiness: (success_threshold: 2)))"#,
            r#"services.stock.probes.liveness.success_threshold [2]: `success_threshold` of `liveness` must be 1
                help: one success ends a row of failures, and only `readiness` may ask for more"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", probes: (liveness: (), crash_loop_backoff: (initial: "10s", cap: "9s")))"#, r#"work: "8ms", probes: (liveness: (), crash_loop_backoff: (initial: "9s", cap: "9s")))"#,
            r#"services.stock.probes.crash_loop_backoff.cap ["9s"]: `cap` 9s is less than `initial` 10s"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", start_up: (time: "31s"), probes: (liveness: ()))"#, r#"work: "8ms", start_up: (time: "30s"), probes: (liveness: ()))"#,
            r#"warning: services.stock.start_up [(time: "31s")]: takes at least 31s to start, and `liveness` kills it after 30s: it never starts again
                help: a `startup` probe holds `liveness` back until it has started, or `initial_delay` does"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", start_up: (time: "31s"), probes: (liveness: (), startup: ()))"#, r#"work: "8ms", start_up: (time: "31s"), probes: (liveness: (), startup: (failure_threshold: 4)))"#,
            r#"warning: services.stock.start_up [(time: "31s")]: takes at least 31s to start, and `startup` kills it after 30s: it never starts again
                help: a larger `failure_threshold` of `startup`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 2))"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 3))"#,
            r#"services.stock.replicas [3]: `replicas` is 3, and the autoscaler has 1 to 2
                help: begin with a number between `min` and `max`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", autoscaler: (metric: Queue(1), min: 4, max: 3))"#, r#"work: "8ms", autoscaler: (metric: Queue(1), min: 3, max: 3))"#,
            r#"services.stock.replicas [3]: `replicas` is 3, and the autoscaler has 4 to 3
                help: begin with a number between `min` and `max`
                services.stock.autoscaler.min [4]: `min` 4 is more than `max` 3"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 9, quota: [(at: "2s", max: 4), (at: "2s", max: 5)]))"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 9, quota: [(at: "1s", max: 4), (at: "2s", max: 5)]))"#,
            r#"services.stock.autoscaler.quota [[(at: "2s", max: 4), (at: "2s", max: 5)]]: quota[1] is not later than the one before it"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 9, scheduled: [(at: "2s", min: 10)]))"#, r#"work: "8ms", autoscaler: (metric: Queue(1), max: 9, scheduled: [(at: "2s", min: 9)]))"#,
            r#"warning: services.stock.autoscaler.scheduled [[(at: "2s", min: 10)]]: at 2s there are to be 10, and `max` is 9
                help: `max` goes before it"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", missed: 1, strategy: BlueGreen()))"#, r#"work: "8ms", rollout: (at: "9s", missed: 1))"#,
            r#"services.stock.rollout.missed [1]: callers are switched over at once: `BlueGreen` misses nobody
                help: leave `missed` out, or take another strategy"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", undo_at: "9s"))"#, r#"work: "8ms", rollout: (at: "9s", undo_at: "10s"))"#,
            r#"services.stock.rollout.undo_at ["9s"]: is taken back at 9s, and begins at 9s
                help: a later `undo_at`"#,
        ),
        // Flags.
        row(r#"work: "8ms")"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s", share: 0.5), (at: "9s")]))"#, r#"work: "8ms", feature_flag: (stages: [(at: "8s", share: 0.5), (at: "9s")]))"#,
            r#"services.stock.feature_flag.stages [[(at: "9s", share: 0.5), (at: "9s")]]: stages[1] is not later than the one before it"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s", share: 0)]))"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s", share: 0.1)]))"#,
            r#"warning: services.stock.feature_flag.stages [[(at: "9s", share: 0)]]: it is on for nobody at any time"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], kill_takes: "1s"))"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], kill_takes: "1s", analysis: (metric: ErrorRate(at_most: 0))))"#,
            r#"warning: services.stock.feature_flag.kill_takes ["1s"]: nobody looks at what it does: it is never switched off
                help: an `analysis` does that"#,
        ),
        // Flags of users.
        row(NETWORK, r#"network: "1ms", flags: {"x": (stages: [(at: "9s")])}"#, NETWORK,
            r#"warning: flags.x ["x"]: nobody reads `x`: it makes no difference
                help: `with_flags: {"x": (work: 2)}` of a service, or `flag: With("x")` of a call"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"x": (work: 2)})"#, r#"work: "8ms")"#,
            r#"services.stock.with_flags.x ["x"]: unknown flag `x`
                help: add it: flags: {"x": (stages: [(at: "10s", share: 0.05)])}"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"quite-another": (work: 2), "beta": (work: 2)})"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#,
            r#"services.stock.with_flags.quite-another ["quite-another"]: unknown flag `quite-another`
                help: the flags are: beta"#,
        ).and(NETWORK, BETA),
        row(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"beat": (work: 2), "beta": (work: 2)})"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#,
            r#"services.stock.with_flags.beat ["beat"]: unknown flag `beat`
                help: did you mean `beta`?"#,
        ).and(NETWORK, BETA),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", flag: With("beat"))"#, r#"(to: "stock", policy: "careful", flag: With("beta"))"#,
            r#"services.shop.calls[0].flag ["beat"]: unknown flag `beat`
                help: did you mean `beta`?"#,
        ).and(NETWORK, BETA),
        row(NETWORK, r#"network: "1ms", flags: {"beta": (stages: [(at: "9s")], only_from: ["batsh"])}"#, BETA,
            r#"flags.beta.only_from[0] ["batsh"]: unknown workload `batsh`
                help: did you mean `batch`?"#,
        ).and(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"beta": ()})"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#,
            r#"warning: services.stock.with_flags.beta [()]: nothing is otherwise for those who have it
                help: say a `work`, or an `error_rate`"#,
        ).and(NETWORK, BETA),
        row(r#"work: "1ms", dies"#, r#"work: "1ms", with_flags: {"beta": (work: 2)}, dies"#, r#"work: "1ms", dies"#,
            r#"warning: services.mail.with_flags.beta ["beta"]: no request that may have `beta` ever comes to mail: it reads it for nothing
                help: let `only_from` of the flag name those who come here, or leave it out"#,
        ).and(NETWORK, r#"network: "1ms", flags: {"beta": (stages: [(at: "9s")], only_from: ["users"])}"#)
            .and(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#),
        row(r#"work: "1ms", dies"#, r#"work: "1ms", calls: [(to: "pay", flag: With("beta"), policy: "careful"), (to: "pay", flag: Without("beta"), policy: "careful")], dies"#, r#"work: "1ms", dies"#,
            r#"warning: services.mail.calls[0].flag ["beta"]: no request that may have `beta` ever comes to mail: this call is never made
                help: let `only_from` of the flag name those who come here, or leave it out
                warning: services.mail.calls[1].flag ["beta"]: no request that may have `beta` ever comes to mail: all requests make this call
                help: let `only_from` of the flag name those who come here, or leave it out"#,
        ).and(NETWORK, r#"network: "1ms", flags: {"beta": (stages: [(at: "9s")], only_from: ["users"])}"#)
            .and(r#"work: "8ms")"#, r#"work: "8ms", with_flags: {"beta": (work: 2)})"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], only: New))"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], only: Old))"#,
            r#"warning: services.stock.feature_flag.only [New]: no new version ever comes: it never does anything
                help: give the service a `rollout`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], missed: 3))"#, r#"work: "8ms", feature_flag: (stages: [(at: "9s")], missed: 2))"#,
            r#"warning: services.stock.feature_flag.missed [3]: misses 3 of 3 replicas: nobody gets it
                help: fewer `missed`, or more `replicas`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", missed: 3))"#, r#"work: "8ms", rollout: (at: "9s", missed: 2))"#,
            r#"warning: services.stock.rollout.missed [3]: misses 3 of 3 replicas: nobody gets it
                help: fewer `missed`, or more `replicas`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", to: (ready: false, work: 2)))"#, r#"work: "8ms", rollout: (at: "9s", to: (ready: false)))"#,
            r#"warning: services.stock.rollout.to [(ready: false, work: 2)]: none of its replicas ever becomes ready: what else it does nobody sees"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", to: (ready: false), analysis: (metric: ErrorRate(at_most: 0))))"#, r#"work: "8ms", rollout: (at: "9s", to: (ready: false), progress_deadline_abort: true))"#,
            r#"warning: services.stock.rollout.analysis [(metric: ErrorRate(at_most: 0))]: none of its replicas ever becomes ready: there is nothing to be looked at
                help: what never becomes ready is taken back by `progress_deadline_abort: true`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 1), interval: "9s")))"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 0.5), interval: "9s")))"#,
            r#"warning: services.stock.rollout.analysis [(metric: ErrorRate(at_most: 1), interval..]: no share of requests is more than `at_most: 1`: it never takes anything back
                help: a lower `at_most`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 0), count: 2, failure_limit: 2)))"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 0), count: 3, failure_limit: 2, interval: "9s")))"#,
            r#"warning: services.stock.rollout.analysis [(metric: ErrorRate(at_most: 0), count: 2..]: 2 measurements, of which 2 may fail: it never takes anything back
                help: a lower `failure_limit`, or a higher `count`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", strategy: Canary(steps: [(weight: 0.01)])))"#, r#"work: "8ms", rollout: (at: "9s", strategy: Canary(steps: [(weight: 0.3)])))"#,
            r#"warning: services.stock.rollout.strategy [Canary(steps: [(weight: 0.01)])]: 1 % of 3 replicas is one: it meets 33 % of the requests
                help: more `replicas`, of which a share can be that small"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", strategy: Canary(steps: [(weight: 0.6), (weight: 0.3)])))"#, r#"work: "8ms", rollout: (at: "9s", strategy: Canary(steps: [(weight: 0.3), (weight: 0.6)])))"#,
            r#"warning: services.stock.rollout.strategy [Canary(steps: [(weight: 0.6), (weight: 0..]: goes from 60 % back to 30 %: replicas of the new version are replaced by old ones
                help: weights that rise from step to step"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", linger: "31s"))"#, r#"work: "8ms", rollout: (at: "9s", linger: "30s"))"#,
            r#"warning: services.stock.rollout.linger ["31s"]: waits 31s before it looks whether it is done, and is cut off after 30s
                help: a `grace` that is longer than `linger`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", strategy: BlueGreen(), analysis: (metric: ErrorRate(at_most: 0), interval: "15s", failure_limit: 1)))"#, r#"work: "8ms", rollout: (at: "9s", strategy: BlueGreen(), analysis: (metric: ErrorRate(at_most: 0), interval: "14s", failure_limit: 1)))"#,
            r#"warning: services.stock.rollout.analysis [(metric: ErrorRate(at_most: 0), interval..]: takes it back 30s after the switch at the earliest, and the old ones are kept for 30s: they must be started again
                help: a longer `scale_down_delay`, or a shorter `interval`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", strategy: BlueGreen(promote_after: "51s")))"#, r#"work: "8ms", rollout: (at: "9s", strategy: BlueGreen(promote_after: "50s")))"#,
            r#"warning: services.stock ["stock"]: no caller meets its new version before 60s, and the run ends at 60s"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 0), interval: "1s", initial_delay: "50s")))"#, r#"work: "8ms", rollout: (at: "9s", analysis: (metric: ErrorRate(at_most: 0), interval: "1s", initial_delay: "49s")))"#,
            r#"warning: services.stock ["stock"]: its analysis takes nothing back before 60s, and the run ends at 60s"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "9s", strategy: Zones()))"#, r#"work: "8ms", rollout: (at: "9s"))"#,
            r#"services.stock ["stock"]: goes from zone to zone, and the graph has none
                help: add them: zones: (names: ["a", "b"])"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", rollout: (at: "60s"))"#, r#"work: "8ms", rollout: (at: "59s"))"#,
            r#"warning: services.stock ["stock"]: its rollout begins at 60s, but the run ends at 60s: it never happens"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", start_up: (time: "0s"))"#, r#"work: "8ms", start_up: (time: "1ms"))"#,
            r#"warning: services.stock.start_up [(time: "0s")]: takes no time, and is warm at once: it is as if it were not there"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", on_start: (calls: [(to: "pay")]))"#, r#"work: "8ms", on_start: (calls: [(to: "pay")], at_begin: true))"#,
            r#"warning: services.stock.on_start ["stock"]: never acts: no replica of `stock` ever starts while it runs
                help: `at_begin: true`, or whatever makes one start: a Crash(), a `rollout`, an `autoscaler`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", on_start: (at_begin: true))"#, r#"work: "8ms", on_start: (at_begin: true, work: (time: "1s")))"#,
            r#"services.stock.on_start [(at_begin: true)]: neither calls nor work: nothing is done at a start
                help: say its `calls`, or its `work`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", on_start: (at_begin: true, again: "1s", work: (time: "0s")))"#, r#"work: "8ms", on_start: (at_begin: true, work: (time: "1s")))"#,
            r#"warning: services.stock.on_start.again ["1s"]: there are no calls to be made again
                help: leave it out, or say its `calls`
                warning: services.stock.on_start.work [(time: "0s")]: its work takes no time: it is as if it were not there
                help: a longer `time`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pai", policy: "none")]))"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")]))"#,
            r#"services.stock.on_start.calls[0].to ["pai"]: unknown service `pai`
                help: did you mean `pay`?
                services.stock.on_start.calls[0].policy ["none"]: unknown policy `none`
                help: the policies are: careful"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")], before_ready: true))"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")], before_ready: true, again: "1s"))"#,
            r#"services.stock.on_start.before_ready [true]: a replica one of whose calls fails would never be ready
                help: say when it is made again: again: "1s""#),
        row(r#"Parallel([(to: "pay", times: 2), (to: "mail", only_from: ["batch"])]),
    ])"#, r#"(to: "pay"), (to: "mail")], on_start: (when: Reconnect(to: "pay"), calls: [(to: "pay")], before_ready: true, again: "1s"))"#,
            r#"(to: "pay"), (to: "mail")], on_start: (when: Reconnect(to: "pay"), calls: [(to: "pay")], again: "1s"))"#,
            r#"services.shop.on_start.before_ready [true]: a replica that was cut off has been ready all the time
                help: leave it out, or let them be made at a Start"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")], before_ready: true, again: "1s", at_begin: true))"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")], at_begin: true))"#,
            r#"services.stock.on_start.at_begin [true]: those that are there when a run begins are ready
                help: leave out one of `at_begin` and `before_ready`"#),
        row(r#"Parallel([(to: "pay", times: 2), (to: "mail", only_from: ["batch"])]),
    ])"#, r#"(to: "pay"), (to: "mail")], on_start: (when: Reconnect(to: "pay"), calls: [(to: "pay")], at_begin: true))"#,
            r#"(to: "pay"), (to: "mail")], on_start: (when: Reconnect(to: "pay"), calls: [(to: "pay")]))"#,
            r#"services.shop.on_start.at_begin [true]: nobody has been cut off from pay when a run begins
                help: leave it out, or let them be made at a Start"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", on_start: (when: Reconnect(to: "mail"), calls: [(to: "pay")]))"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), on_start: (calls: [(to: "pay")]))"#,
            r#"warning: services.stock.on_start.when.to ["mail"]: never acts: `stock` makes no calls to `mail`, so nothing cuts it off
                help: name a service that it calls"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), discovery: Dns(resolver: "mail"), on_start: (calls: [(to: "stock")]))"#, r#"work: "8ms", dies: (at_in_flight: 500, restart_after: "1s"), discovery: Dns(resolver: "mail"), on_start: (calls: [(to: "pay")]))"#,
            r#"services.stock.on_start.calls[0].to ["stock"]: `stock` is looked up, and a replica that starts knows nobody
                help: whoever is called at a start is known: leave out how it is found"#),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: Ever))"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: Never))"#,
            r#"services.stock.discovery.ttl [Ever]: expected a duration such as "30s", or the word Never, found the word Ever"#,
        ),
        // Who is let in again, and when.
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (block: "9s"))"#, r#"work: "8ms", block_and_ramp: (block: "9s", at: "9s", ramp: Linear(over: "9s")))"#,
            r#"services.stock.block_and_ramp [(block: "9s")]: nothing ever blocks
                help: say with `when` in which state, as in `when: Queue(of: "db", above: 500)`, or with `at` at what time somebody does"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (when: Utilisation(of: "stock", above: 1)))"#, r#"work: "8ms", block_and_ramp: (when: Utilisation(of: "stock", above: 0.99)))"#,
            r#"warning: services.stock.block_and_ramp.when [Utilisation(of: "stock", above: 1)]: no share is more than 1: there is never any trouble
                help: an `above` below 1"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (at: "9s", ramp: Linear(over: "9s"), block: "9s", back_off: 0.5))"#, r#"work: "8ms", block_and_ramp: (at: "9s", ramp: Linear(over: "9s"), block: "9s", back_off: 0.5, when: InHand(of: "stock", above: 9)))"#,
            r#"warning: services.stock.block_and_ramp.back_off [0.5]: nobody looks for trouble: it says nothing
                help: say with `when` what trouble is, or leave it out"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (when: Queue(of: "stok", above: 9)))"#, r#"work: "8ms", block_and_ramp: (when: Queue(of: "stock", above: 9)))"#,
            r#"services.stock.block_and_ramp.when.of ["stok"]: nothing is called `stok` that has such a state
                help: did you mean `stock`?"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (when: Failing(of: "shop", above: 0.5)))"#, r#"work: "8ms", block_and_ramp: (when: Failing(of: "shop->pay", above: 0.5)))"#,
            r#"services.stock.block_and_ramp.when.of ["shop"]: calls over `shop` fail because `stock` turns them away: that trouble never goes
                help: look at what waits, as in `Queue(of: "stock", above: 500)`, or at calls that `stock` makes"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (at: "10min", block: "9s"))"#, r#"work: "8ms", block_and_ramp: (at: "9s", block: "9s", ramp: Steps(by: 0.5, each: "9s")))"#,
            r#"warning: services.stock ["stock"]: it blocks at 10min, but the run ends at 60s: it never happens"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", block_and_ramp: (at: "9s", block: "9s"))"#, r#"work: "8ms", block_and_ramp: (at: "9s", block: "9s", ramp: Steps(by: 0.5, each: "9s")))"#,
            r#"warning: services.stock ["stock"]: it blocks at 9s and lets all in again at 288s at the earliest, but the run ends at 60s"#,
        ),
        // What takes too long.
        row(r#"work: "8ms")"#, r#"work: "8ms", execution_limit: "7ms")"#, r#"work: "8ms", execution_limit: "8ms")"#,
            r#"warning: services.stock.execution_limit ["7ms"]: work takes at least 8ms, and is stopped after 7ms: no request is done
                help: a longer limit, or shorter `work`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", execution_limit: "16999us""#, r#"workers: Async(8), work: "5ms", execution_limit: "17ms""#,
            r#"warning: services.shop ["shop"]: a request takes at least 17ms, calls included, and is stopped after 16.999ms: none is done
                help: a longer limit, or calls that nobody waits for"#,
        ),
        // What is left out under load.
        row(r#"work: "5ms", calls: ["#, r#"work: "5ms", brownout: Switch(above: 9, below: 2), calls: ["#, r#"work: "5ms", brownout: Switch(above: 9, below: 2), calls: [(to: "pay", optional: true), "#,
            r#"warning: services.shop.brownout [Switch(above: 9, below: 2)]: no call of it is optional: there is nothing to leave out
                help: say `optional: true` of calls that a request can do without"#,
        ),
        row(r#"work: "5ms", calls: ["#, r#"work: "5ms", brownout: Switch(above: 9, below: 10), calls: [(to: "pay", optional: true), "#, r#"work: "5ms", brownout: Switch(above: 9, below: 9), calls: [(to: "pay", optional: true), "#,
            r#"services.shop.brownout.below [10]: off above 9 and on below 10: between them it is both
                help: a `below` of no more than `above`"#,
        ),
        // Who is looked up.
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Dns(resolver: "names"))"#, r#"work: "8ms", discovery: Dns(resolver: "mail"))"#,
            r#"services.stock.discovery.resolver ["names"]: unknown service `names`
                help: the services are: shop, stock, pay, mail"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Registry(registry: "stock"))"#, r#"work: "8ms", discovery: Registry(registry: "pay"))"#,
            r#"services.stock.discovery.registry ["stock"]: `stock` would have to be looked up itself
                help: whoever is asked for others is known: leave out how it is found"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", queue: SharedFifo(), discovery: Dns(resolver: "pay"))"#, r#"work: "8ms", queue: Fifo(), discovery: Dns(resolver: "pay"))"#,
            r#"warning: services.stock.discovery [Dns(resolver: "pay")]: the replicas share one queue: nobody chooses among them, and nothing is looked up
                help: leave `shared` out of the queue, and each has its own"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Registry(registry: "pay", heartbeat: "30s", ttl: "30s"))"#, r#"work: "8ms", discovery: Registry(registry: "pay", heartbeat: "29s", ttl: "30s"))"#,
            r#"warning: services.stock.discovery.ttl ["30s"]: an entry runs out after 30s, and is renewed after 30s
                help: three times `heartbeat`, so that two may be lost"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Registry(registry: "pay", self_preservation: 0.85))"#, r#"work: "8ms", discovery: Registry(registry: "pay", self_preservation: 0.85, ttl: "60s"))"#,
            r#"warning: services.stock.discovery.self_preservation [0.85]: entries run out after 30s, before a minute of heartbeats has been counted
                help: a `ttl` of 90s, as Eureka has"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: "1s", timeout: "2s"))"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: "2s", timeout: "2s"))"#,
            r#"services.stock.discovery.timeout ["2s"]: a lookup waits 2s for its answer, and an answer is kept for 1s
                help: make `timeout` at most `ttl`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Registry(registry: "pay", max_stale: "29s"))"#, r#"work: "8ms", discovery: Registry(registry: "pay", max_stale: "30s"))"#,
            r#"services.stock.discovery.max_stale ["29s"]: a list is dropped after 29s, and asked for again after 30s only
                help: make `max_stale` at least `refresh`"#,
        ),
        row(r#"work: "8ms")"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: Never, max_stale: "1s"))"#, r#"work: "8ms", discovery: Dns(resolver: "pay", ttl: Never))"#,
            r#"warning: services.stock.discovery.max_stale ["1s"]: never acts: nobody asks again, so nobody finds out that there is no answer
                help: leave it out, or say a time for `ttl`"#,
        ),
        // A check that needs no work is not late because requests need much.
        row(r#"work: "8ms")"#, r#"work: "8ms", health: (kind: Worker(work: "30ms"), timeout: "20ms"))"#, r#"work: "8ms", health: (timeout: "5ms"))"#,
            r#"warning: services.stock ["stock"]: no call over health->stock can succeed: it takes at least 32ms, the timeout is 20ms"#,
        ),
        // What requests carry.
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", keys: Hot(count: 3, hot: 4, share: 0.5)"#, r#"Poisson("100/s"), policy: "careful", keys: Hot(count: 3, hot: 3, share: 0.5)"#,
            r#"workload[0].keys.hot [4]: 4 of 3 keys are hot
                help: `hot` is how many of the `count` keys are"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"a": 0})"#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"a": 0.1})"#,
            r#"workload[0].tenants [Named({"a": 0})]: no tenant has a weight: whose would a request be?"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"others": 1})"#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"other": 1})"#,
            r#"workload[0].tenants.others ["others"]: no tenant is called `others`
                help: any other name: that is what those are called together that have no line of their own"#,
        ),
        row(r#"(replicas: 3, workers: Blocking(4), work: "8ms")"#, r#"(replicas: 1001, workers: Blocking(4), work: "8ms", per_replica: true)"#, r#"(replicas: 1000, workers: Blocking(4), work: "8ms", per_replica: true)"#,
            r#"services.stock.per_replica [true]: no more than 1000 replicas are told apart, and there are 1001
                help: leave it out: what all of them did together is told anyway"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"a": 1, "b": -1})"#, r#"Poisson("100/s"), policy: "careful", tenants: Named({"a": 1, "b": 0})"#,
            r#"workload[0].tenants.b ["b"]: got a weight of -1.0, allowed 0.0 to 1e12"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", priority: Mixed(critical: 0)"#, r#"Poisson("100/s"), policy: "careful", priority: Critical"#,
            r#"workload[0].priority [Mixed(critical: 0)]: no priority has a share
                help: Mixed(critical: 0.3, sheddable: 0.7), or one word for all: Sheddable"#,
        ),
        // Who calls back.
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", wait: false, callback: (after: "1s", within: "2s", policy: "careful"))"#, r#"(to: "stock", policy: "careful", callback: (after: "1s", within: "2s", policy: "careful"))"#,
            r#"services.shop.calls[0].callback [(after: "1s", within: "2s", policy: "car..]: nobody waits for this call, nor for its callback
                help: leave `wait: false` out: a request waits for a callback without a worker if its service is Async"#,
        ),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", callback: (after: Uniform(low: "2s", high: "9s"), within: "1999ms", policy: "careful"))"#, r#"(to: "stock", policy: "careful", callback: (after: Uniform(low: "2s", high: "9s"), within: "2s", policy: "careful"))"#,
            r#"warning: services.shop.calls[0].callback.within ["1999ms"]: no callback comes sooner than after 2s, and the request waits 1.999s
                help: make `within` longer than `after` can be"#,
        ),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", callback: (after: "1s", within: "2s", policy: "carful"))"#, r#"(to: "stock", policy: "careful", callback: (after: "1s", within: "2s"))"#,
            r#"services.shop.calls[0].callback.policy ["carful"]: unknown policy `carful`
                help: did you mean `careful`?"#,
        ),
        row(PARALLEL, r#"Parallel(calls: [(to: "pay", times: 2, callback: (after: "1s", within: "2s")), (to: "mail", only_from: ["batch"])], wait_for: 1)"#, r#"Parallel(calls: [(to: "pay", times: 2, callback: (after: "1s", within: "2s")), (to: "mail", only_from: ["batch"])], fail: Fast)"#,
            r#"services.shop.calls[1].wait_for [1]: some of its calls have a `callback`, which is not left behind when enough others have answered
                help: make it a call of its own, before or after"#,
        ),
        // Who is named must be there.
        row(r#"(to: "stock""#, r#"(to: "stok""#, r#"(to: "stock""#,
            r#"services.shop.calls[0].to ["stok"]: unknown service `stok`
                help: did you mean `stock`?"#,
        ),
        row(r#"(name: "batch", to: "shop""#, r#"(name: "batch", to: "nowhere""#, r#"(name: "batch", to: "stock""#,
            r#"workload[1].to ["nowhere"]: unknown service `nowhere`
                help: the services are: shop, stock, pay, mail"#,
        ),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "carful")"#, r#"(to: "stock")"#,
            r#"services.shop.calls[0].policy ["carful"]: unknown policy `carful`
                help: did you mean `careful`?"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "gone""#, r#"Poisson("100/s")"#,
            r#"workload[0].policy ["gone"]: unknown policy `gone`
                help: the policies are: careful"#,
        ),
        row(r#"{"careful": (timeout: "1s", retry: Fixed(attempts: 2))}"#, "{}", r#"{"careful": ()}"#,
            r#"workload[0].policy ["careful"]: unknown policy `careful`
                help: add it: policies: {"careful": (timeout: "1s")}
                services.shop.calls[0].policy ["careful"]: unknown policy `careful`
                help: add it: policies: {"careful": (timeout: "1s")}"#,
        ),
        row(ONLY, r#"only_from: ["batch", "bach"]"#, r#"only_from: ["batch", "users"]"#,
            r#"services.shop.calls[1].only_from ["bach"]: unknown workload `bach`
                help: did you mean `batch`?"#,
        ),
        row(ONLY, r#"only_from: ["everybody"]"#, r#"only_from: []"#,
            r#"services.shop.calls[1].only_from ["everybody"]: unknown workload `everybody`
                help: the workloads are: users, batch"#,
        ),
        // A request that comes back must come to an end.
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", calls: [(to: "shop")]"#,
            r#"work: "10ms", calls: [(to: "stock")]"#,
            r#"services.shop ["shop"]: calls go round in a circle without end: shop -> pay -> shop
                help: give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`"#,
        ),
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", calls: [(to: "pay")]"#,
            r#"work: "10ms", calls: [(to: "pay", probability: 0.99)]"#,
            r#"services.pay ["pay"]: calls go round in a circle without end: pay -> pay
                help: give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`"#,
        ),
        // Twice for each request, and from there with this chance; and with two attempts.
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", calls: [(to: "shop", probability: 0.5)]"#,
            r#"work: "10ms", calls: [(to: "shop", probability: 0.49)]"#,
            r#"services.shop ["shop"]: calls go round in a circle without end: shop -> pay -> shop
                help: give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`"#,
        ),
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", calls: [(to: "pay", policy: "careful", probability: 0.5)]"#,
            r#"work: "10ms", calls: [(to: "pay", probability: 0.5)]"#,
            r#"services.pay ["pay"]: calls go round in a circle without end: pay -> pay
                help: give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`"#,
        ),
        // Whoever checks makes them all.
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", health: (kind: Deep()), calls: [(to: "mail", probability: 0.5)]"#,
            r#"work: "10ms", health: (), calls: [(to: "mail", probability: 0.5)]"#,
            r#"services.pay ["pay"]: deep checks of it make all calls that a request may make, and those go round in a circle
                help: give the graph a `hop_limit`, or check less deep"#,
        )
        .and(r#"work: "1ms", dies"#, r#"work: "1ms", calls: [(to: "mail", probability: 0.5)], dies"#),
        // Whoever stands in is called, too.
        row(
            r#"work: Exponential(mean: "10ms")"#,
            r#"work: "10ms", calls: [(to: "stock", fallback: Call(to: "pay"))]"#,
            r#"work: "10ms", calls: [(to: "stock", probability: 0.5, fallback: Call(to: "pay"))]"#,
            r#"services.pay ["pay"]: calls go round in a circle without end: pay -> pay
                help: give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`"#,
        ),
        row(r#"network: "1ms""#, r#"network: "1ms", hop_limit: 1"#, r#"network: "1ms""#,
            r#"warning: hop_limit [1]: no call comes back, and no request is passed on more than 1 times: nothing is limited
                help: leave it out"#,
        ),
        row(r#"network: "1ms""#, r#"network: "1ms", hop_limit: 256"#, r#"network: "1ms", hop_limit: 255"#,
            r#"hop_limit [256]: got 256, allowed 1 to 255"#,
        )
        .and(r#"work: Exponential(mean: "10ms")"#, r#"work: "10ms", calls: [(to: "pay")]"#),
        // Somebody calls whatever is there.
        row(r#"(to: "stock", policy: "careful"),"#, r#""#, r#"(to: "stock"),"#,
            r#"warning: services.stock ["stock"]: nobody calls this service"#,
        ),
        row(r#"(to: "stock", policy: "careful"),"#, r#"[(to: "stock"), (to: "pay")],"#, r#"Parallel([(to: "stock"), (to: "pay")]),"#,
            r#"services.shop.calls[0] [[(to: "stock"), (to: "pay")]]: a list of calls in a list of calls
                help: calls that are made at once are written Parallel([(to: ..), (to: ..)])"#,
        ),
        // Of calls that are made at once, so many.
        row(PARALLEL, r#"Parallel(calls: [(to: "pay", times: 2), (to: "mail")], wait_for: 4)"#, r#"Parallel(calls: [(to: "pay", times: 2), (to: "mail")], wait_for: 3)"#,
            r#"services.shop.calls[1].wait_for [4]: waits for 4 good answers of 3
                help: at most as many as there are calls, each as often as its `times` says"#,
        ),
        row(PARALLEL, r#"Parallel(calls: [(to: "pay"), (to: "mail", optional: true)], wait_for: 1)"#, r#"Parallel(calls: [(to: "pay"), (to: "mail")], wait_for: 1)"#,
            r#"services.shop.calls[1].wait_for [1]: some of its calls are `optional`, and all of them may fail that are not waited for
                help: leave `optional` out, or wait for fewer"#,
        ),
        row(PARALLEL, r#"Parallel(calls: [(to: "pay"), (to: "mail", wait: false)], wait_for: 1)"#, r#"Parallel(calls: [(to: "pay")], wait_for: 1), (to: "mail", wait: false)"#,
            r#"services.shop.calls[1].wait_for [1]: one of its calls has `wait: false`: no answer of that one is waited for
                help: make it a call of its own, before or after"#,
        ),
        row(PARALLEL, r#"(to: "pay"), (to: "mail", wait: false, optional: true)"#, r#"(to: "pay"), (to: "mail", wait: false)"#,
            r#"warning: services.shop.calls[2].optional [true]: says nothing of a call that is not waited for: it fails nobody
                help: leave `optional` out"#,
        ),
        row(PARALLEL, r#"Parallel(calls: [(to: "pay"), (to: "mail", fallback: Default)], wait_for: 1)"#, r#"Parallel(calls: [(to: "pay"), (to: "mail")], wait_for: 1)"#,
            r#"services.shop.calls[1].wait_for [1]: some of its calls have a `fallback`, and what stands in for an answer has no vote
                help: give the call of this service a fallback, one level up"#,
        ),
        row(PARALLEL, r#"(to: "pay"), (to: "mail", wait: false, fallback: Default)"#, r#"(to: "pay"), (to: "mail", wait: false)"#,
            r#"services.shop.calls[2].fallback [Default]: nobody waits for this call: nothing needs to stand in for it
                help: leave `fallback` out, or `wait: false`"#,
        ),
        row(PARALLEL, r#"(to: "pay"), (to: "mail", optional: true, fallback: Default)"#, r#"(to: "pay"), (to: "mail", fallback: Default)"#,
            r#"warning: services.shop.calls[2].optional [true]: says nothing beside `fallback: Default`: that never fails
                help: leave one of them out; what is optional is not counted as degraded"#,
        ),
        row(PARALLEL, r#"(to: "pay", fallback: Call(to: "mial", policy: "careless")), (to: "mail")"#, r#"(to: "pay", fallback: Call(to: "mail", policy: "careful"))"#,
            r#"services.shop.calls[1].fallback.to ["mial"]: unknown service `mial`
                help: did you mean `mail`?
                services.shop.calls[1].fallback.policy ["careless"]: unknown policy `careless`
                help: the policies are: careful"#,
        ),
        row(PARALLEL, r#"Parallel(calls: [(to: "pay"), (to: "mail")], wait_for: 1, fail: Fast)"#, r#"Parallel(calls: [(to: "pay"), (to: "mail")], wait_for: 1)"#,
            r#"warning: services.shop.calls[1].fail [Fast]: says nothing beside `wait_for`: a step fails as soon as enough cannot come
                help: leave `fail` out"#,
        ),
        row(r#"(to: "stock", policy: "careful"),"#, r#"Parallel([]), (to: "stock"),"#, r#"Parallel([(to: "stock")]),"#,
            r#"services.shop.calls[0] [[]]: got an empty list, 0 entries, allowed 1 to 4000"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: 4, work: "8ms""#, r#"workers: Async(4), work: "8ms""#,
            r#"services.stock.workers [4]: expected Workers, found the number 4
                help: one of: Blocking(count), Async(count), ProcessorSharing(cores: .., at_once: ..)"#,
        ),
        // What is turned away, and by what it is told.
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), shed: CoDel(target: "100ms"), work: "8ms""#, r#"workers: Async(4), shed: CoDel(target: "99ms"), work: "8ms""#,
            r#"services.stock.shed.target ["100ms"]: `target` must be shorter than `interval`
                help: the usual are "5ms" and "100ms": the interval is as long as a burst may take"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: Lifo(), shed: CoDel(), work: "8ms""#, r#"workers: Async(4), queue: Lifo(), shed: FacebookCoDel(), work: "8ms""#,
            r#"warning: services.stock.shed [CoDel()]: `CoDel` looks at how long whoever is next has waited, which says little in such a queue
                help: in `Lifo` and `AdaptiveLifo`, `FacebookCoDel` and `MaxWait` look at whoever has waited longest"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: ProcessorSharing(cores: 4, at_once: 3), work: "8ms""#, r#"workers: ProcessorSharing(cores: 4, at_once: 4), work: "8ms""#,
            r#"services.stock.workers.at_once [3]: 3 at once cannot use 4 cores
                help: `at_once` is `cores` at the least"#,
        ),
        // What requests weigh.
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", size: BoundedPareto(low: "2kB", high: "2kB", shape: 1)"#, r#"Poisson("100/s"), policy: "careful", size: BoundedPareto(low: "2kB", high: "2001B", shape: 1)"#,
            r#"workload[0].size [BoundedPareto(low: "2kB", high: "2kB", s..]: `low` must be less than `high`
                help: for requests of one size write Fixed("64KiB")"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", size: LogNormal(median: "2kB", p99: "2kB")"#, r#"Poisson("100/s"), policy: "careful", size: LogNormal(median: "2kB", p99: "2001B")"#,
            r#"workload[0].size [LogNormal(median: "2kB", p99: "2kB")]: `median` must be less than `p99`
                help: for requests of one size write Fixed("64KiB")"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", size: Exponential(mean: "0B")"#, r#"Poisson("100/s"), policy: "careful", size: Exponential(mean: "1B")"#,
            r#"workload[0].size.mean ["0B"]: got "0B", must be more than 0"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue_bytes: "1MiB", work: "8ms""#, r#"workers: Async(4), work: "8ms""#,
            r#"warning: services.stock ["stock"]: no request to `stock` weighs anything: the bytes in its queue are not limited
                help: say how much they do where they come from, as in `size: Fixed("64KiB")`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue_bytes: "1999B", work: "8ms""#, r#"workers: Async(4), queue_bytes: "2kB", work: "8ms""#,
            r#"warning: services.stock ["stock"]: nobody ever waits at `stock`: its queue has room for 1999B, and no request weighs less than 2kB
                help: a larger `queue_bytes`; or `capacity: 0`, if that is meant"#,
        )
        .and(r#"Constant("1/s")"#, r#"Constant("1/s"), size: BoundedPareto(low: "2kB", high: "9kB", shape: 1)"#)
        .and(r#"Poisson("100/s")"#, r#"Poisson("100/s"), size: Fixed("3kB")"#),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", size: Exponential(mean: "4GiB")"#, r#"Poisson("100/s"), policy: "careful", size: Exponential(mean: "3GiB")"#,
            r#"workload[0].size [Exponential(mean: "4GiB")]: 4GiB is more than a request can weigh, which is 4294967295B
                help: write sizes and limits in a smaller measure everywhere, as if a MiB were a GiB"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", size: Fixed("8GiB")"#, r#"Poisson("100/s"), policy: "careful", size: Fixed("4294967295B")"#,
            r#"workload[0].size [Fixed("8GiB")]: 8GiB is more than a request can weigh, which is 4294967295B
                help: write sizes and limits in a smaller measure everywhere, as if a MiB were a GiB"#,
        ),
        // What is kept.
        row(NETWORK, r#"network: "1ms", store_of_record: "stok""#, r#"network: "1ms", store_of_record: "stock""#,
            r#"store_of_record ["stok"]: unknown service `stok`
                help: did you mean `stock`?"#,
        ).and(USERS, WRITERS),
        row(NETWORK, r#"network: "1ms", store_of_record: "stock""#, r#"network: "1ms""#,
            r#"warning: store_of_record ["stock"]: nobody writes, so nothing can be stale
                help: `writes` of a workload, such as 0.05; or leave it out"#,
        ),
        row(USERS, WRITERS, USERS,
            r#"warning: workload[0].to ["shop"]: nothing makes a difference between writes and reads
                help: name the `store_of_record`, or say `only: Writes` of a call; or leave `writes` out"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Through"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1)"#,
            r#"warning: services.shop ["shop"]: nobody writes, so `shop` never hears of a write
                help: `writes` of a workload; or leave `on_write` out"#,
        ),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", only: Reads)"#, r#"(to: "stock", policy: "careful")"#,
            r#"warning: store_of_record ["stock"]: no write ever comes to stock, so nothing can be stale
                help: let writes make the calls on the way there, or name another service"#,
        ).and(USERS, WRITERS).and(NETWORK, r#"network: "1ms", store_of_record: "stock""#),
        row(r#"network: "1ms""#, r#"network: "1ms", store_of_record: "mail""#, r#"network: "1ms", store_of_record: "pay""#,
            r#"warning: store_of_record ["mail"]: no write ever comes to mail, so nothing can be stale
                help: let writes make the calls on the way there, or name another service"#,
        ).and(USERS, WRITERS),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", on_write: Invalidate"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Invalidate"#,
            r#"warning: services.shop.on_write [Invalidate]: nothing is kept here that a write could change
                help: give the service a `cache`; or leave `on_write` out"#,
        ).and(USERS, WRITERS),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", on_write: Behind(write_delay: "1s")"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Behind(write_delay: "1s")"#,
            r#"warning: services.shop.on_write [Behind(write_delay: "1s")]: nothing is kept here, so a write cannot be answered before it is passed on
                help: give the service a `cache`; or leave `on_write` out"#,
        ).and(USERS, WRITERS),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", only: Reads)"#, r#"(to: "stock", policy: "careful")"#,
            r#"warning: services.shop.on_write [Behind(write_delay: "1s")]: no write makes a call here: there is nothing to pass on
                help: a call that is not for `Reads` only; or leave `on_write` out"#,
        ).and(USERS, WRITERS)
        .and(r#"Parallel([(to: "pay", times: 2), (to: "mail", only_from: ["batch"])])"#, r#"(to: "pay", only: Reads), (to: "mail", only: Reads)"#)
        .and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Behind(write_delay: "1s")"#),
        row("write_batch_size: 10", "write_batch_size: 11", "write_batch_size: 10",
            r#"warning: services.shop.on_write.write_batch_size [11]: a replica never has 11 to write: it has room for 10
                help: at most `capacity`; or leave it out"#,
        ).and(USERS, WRITERS)
        .and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Behind(write_delay: "1s", write_batch_size: 10, capacity: 10)"#),
        row(r#"write_delay: "1ms""#, r#"write_delay: "999us""#, r#"write_delay: "1ms""#,
            r#"services.shop.on_write.write_delay ["999us"]: got "999us", allowed at least "1ms""#,
        ).and(USERS, WRITERS)
        .and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Behind(write_delay: "1ms")"#),
        row(r#"write_delay: "59s""#, r#"write_delay: "1min""#, r#"write_delay: "59s""#,
            r#"warning: services.shop ["shop"]: what is written is passed on every 60s, but the run ends at 60s: it never is"#,
        ).and(USERS, WRITERS)
        .and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1), on_write: Behind(write_delay: "59s")"#),
        row(r#"(to: "pay", times: 2)"#, r#"(to: "pay", times: 2), (to: "stock", only: Writes, purge: true)"#, r#"(to: "pay", times: 2)"#,
            r#"warning: services.shop.calls[1][1].to ["stock"]: stock keeps no answers: there is nothing to throw away
                help: give it a `cache`; or leave the call out"#,
        ).and(USERS, r#"arrivals: Poisson("100/s"), writes: 0.1, keys: Uniform(5)"#).and(NETWORK, r#"network: "1ms", store_of_record: "stock""#),
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful"), (to: "shop", purge: true)"#, r#"(to: "stock", policy: "careful"), (to: "shop", purge: true, only: Writes)"#,
            r#"warning: services.shop.calls[1].to ["shop"]: this call throws away what is kept for reads as well, so nothing is kept for long
                help: `only: Writes`"#,
        ).and(USERS, WRITERS).and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1)"#),
        row(r#"(to: "pay", times: 2)"#, r#"(to: "pay", times: 2, only: Writes)"#, r#"(to: "pay", times: 2)"#,
            r#"warning: services.shop.calls[1][0].to ["pay"]: nobody writes, so this call is never made
                help: `writes` of a workload, such as 0.05; or leave `only` out"#,
        ),
        row(r#"(to: "pay", times: 2)"#, r#"(to: "pay", times: 2, only: Reads)"#, r#"(to: "pay", times: 2)"#,
            r#"warning: services.shop.calls[1][0].to ["pay"]: nobody writes, so all requests make this call
                help: `writes` of a workload, such as 0.05; or leave `only` out"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 0)"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1)"#,
            r#"services.shop.cache.capacity [0]: there is room for nothing
                help: at least 1; or leave `cache` out"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, jitter: 0.1)"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "1s", jitter: 0.1)"#,
            r#"warning: services.shop.cache.jitter [0.1]: nothing here has a time that could be shorter or longer
                help: a `ttl`, such as "60s"; or leave `jitter` out"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, stale_while_revalidate: "1s")"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_while_revalidate: "1s")"#,
            r#"warning: services.shop.cache.stale_while_revalidate ["1s"]: an answer is good for ever here: none is ever too old, or nearly
                help: give the cache a `ttl`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, stale_if_error: "1s")"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_if_error: "1s")"#,
            r#"warning: services.shop.cache.stale_if_error ["1s"]: an answer is good for ever here: none is ever too old, or nearly
                help: give the cache a `ttl`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, early: XFetch())"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", early: XFetch())"#,
            r#"warning: services.shop.cache.early [XFetch()]: an answer is good for ever here: none is ever too old, or nearly
                help: give the cache a `ttl`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, on_miss: Lease(stale: "1s"))"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", on_miss: Lease(stale: "1s"))"#,
            r#"warning: services.shop.cache.on_miss [Lease(stale: "1s")]: an answer is good for ever here: none is ever too old, or nearly
                help: give the cache a `ttl`"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_while_revalidate: "1s", stale_if_error: "1s")"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_while_revalidate: "1s", stale_if_error: "2s")"#,
            r#"warning: services.shop.cache.stale_if_error ["1s"]: until then `stale_while_revalidate` answers, and nobody waits for a fetch
                help: a longer time than that"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_while_revalidate: "1s", on_miss: Lease(stale: "1s"))"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", stale_while_revalidate: "1s", on_miss: Lease(stale: "2s"))"#,
            r#"warning: services.shop.cache.on_miss [Lease(stale: "1s")]: until then `stale_while_revalidate` answers, and nobody waits for a fetch
                help: a longer time than that"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", on_miss: Lease(hold: "11999us"))"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1, ttl: "9s", on_miss: Lease(hold: "12ms"))"#,
            r#"warning: services.shop ["shop"]: a lease of shop is over after 11.999ms, and a fetch takes at least 12ms: what comes is kept only if nobody has asked since
                help: a longer `hold` than that"#,
        ),
        row(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), work: "5ms", cache: (capacity: 2)"#, r#"workers: Async(8), work: "5ms", cache: (capacity: 1)"#,
            r#"warning: services.shop ["shop"]: no request that comes to shop says a key: all are about one thing, and 2 are never kept
                help: `keys` of a workload, such as Zipf(count: 10000); or `capacity: 1`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Blocking(4), work: "8ms", cache: (capacity: 1)"#, r#"workers: Blocking(4), work: "8ms""#,
            r#"warning: services.stock.cache [(capacity: 1)]: this service calls nobody: an answer that is kept saves nothing
                help: what is worth keeping comes from `calls`; own work is done for each request, kept or not"#,
        ),
        // What is turned away at the door.
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(critical: 9), work: "8ms""#,
            r#"services.stock.shed [ByPriority()]: no criticality has a limit: nobody is turned away
                help: ByPriority(critical: 60, sheddable: 20): what matters more may find more in hand"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(critical: 9, sheddable: 10), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(critical: 9, sheddable: 9), work: "8ms""#,
            r#"services.stock.shed.sheddable [10]: `sheddable` would be let in where `critical` is turned away: 10 is more than 9
                help: what matters less is turned away first, or with the rest"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(sheddable: 9), work: "8ms""#, r#"workers: Async(4), shed: ByPriority(critical: 9), work: "8ms""#,
            r#"warning: services.stock ["stock"]: `stock` turns nobody away: no request that comes to it is of a criticality with a limit
                help: say how much they matter where they come from, as in `priority: Sheddable`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: Fifo(capacity: 5), shed: ByPriority(critical: 10), work: "8ms""#, r#"workers: Async(4), queue: Fifo(capacity: 6), shed: ByPriority(critical: 10), work: "8ms""#,
            r#"warning: services.stock ["stock"]: `stock` turns nobody away: a replica never has 10 in hand, since it has room for 9
                help: a lower limit, or a longer queue"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), shed: MaxWait("1s"), work: "8ms""#, r#"workers: Async(4), shed: MaxWait("999ms"), work: "8ms""#,
            r#"warning: services.stock ["stock"]: whoever has waited 1s at `stock` has been given up: its callers wait 1s at most
                help: a shorter limit, or `drop_expired`"#,
        ),
        row(r#"arrivals: Constant("1/s")"#, r#"arrivals: Constant("1/s"), policy: "careful""#, r#"arrivals: Constant("1/s")"#,
            r#"warning: services.shop ["shop"]: whoever has waited 1s at `shop` has been given up: its callers wait 1s at most
                help: a shorter limit, or `drop_expired`"#,
        ).and(r#"workers: Async(8), work: "5ms""#, r#"workers: Async(8), shed: MaxWait("1s"), work: "5ms""#),
        // What takes a while to arrive is waited for less long when it comes.
        row(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "careful", network: "2ms")"#, r#"(to: "stock", policy: "careful", network: Exponential(mean: "2ms"))"#,
            r#"warning: services.stock ["stock"]: all callers of `stock` wait equally long: who is waited for least long is who came first
                help: callers that wait for different times, or `Fifo`"#,
        ).and(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: EarliestDeadline(), work: "8ms""#),
        // An order by what all have in common.
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: Fair(), work: "8ms""#, r#"workers: Async(4), queue: Fifo(), work: "8ms""#,
            r#"warning: services.stock ["stock"]: nobody says whose the requests to `stock` are: its fair queue serves them as they came
                help: say it where they come from, as in `tenants: Even(10)`, or leave the order to `Fifo`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: Priority(), work: "8ms""#, r#"workers: Async(4), queue: Fifo(), work: "8ms""#,
            r#"warning: services.stock ["stock"]: all requests to `stock` matter equally: its priority queue serves them as they came
                help: say how much where they come from, as in `priority: Sheddable`, or leave the order to `Fifo`"#,
        ),
        row(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Async(4), queue: EarliestDeadline(), work: "8ms""#, r#"workers: Async(4), queue: Fifo(), work: "8ms""#,
            r#"warning: services.stock ["stock"]: all callers of `stock` wait equally long: who is waited for least long is who came first
                help: callers that wait for different times, or `Fifo`"#,
        ),
    ]
}
