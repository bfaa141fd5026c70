//! What callers do to themselves, and to those whom they call.

use super::{BATCH, NETWORK, POLICIES, Row, USERS, ZONED, hold, row};

#[test]
fn what_a_policy_may_not_be() {
    hold(&rows());
}

/// What the policy of users and shop says, in brackets.
const SAYS: &str = r#"timeout: "1s", retry: Fixed(attempts: 2)"#;
const RETRY: &str = "Fixed(attempts: 2)";

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        // The name of a library.
        row(SAYS, r#"timeout: "1s", preset: "grcp""#, r#"timeout: "1s", preset: "grpc""#,
            r#"policies.careful.preset ["grcp"]: unknown preset "grcp"
                help: did you mean `grpc`?"#,
        ),
        row(SAYS, r#"timeout: "1s", preset: "aws-standard""#, r#"timeout: "1s", preset: "aws-standard@2026""#,
            r#"policies.careful.preset ["aws-standard"]: the defaults of aws-standard have changed: which of them?
                help: write "aws-standard@2026" or "aws-standard@legacy""#,
        ),
        row(SAYS, r#"timeout: "1s", preset: 5"#, r#"timeout: "1s", preset: None"#,
            r#"policies.careful.preset [5]: expected the name of a preset such as "grpc", found the number 5"#,
        ),
        row(SAYS, r#"timeout: "1s", presett: "grpc""#, r#"timeout: "1s", preset: "grpc""#,
            r#"policies.careful.presett [presett]: unknown field `presett` in Policy
                help: did you mean `preset`?"#,
        ),
        // The deadline against the attempts.
        row(SAYS, r#"timeout: "5s", deadline: "4s""#, r#"timeout: "5s", deadline: "5s""#,
            r#"warning: policies.careful.deadline ["4s"]: the deadline ends every call before an attempt can time out (after 5s)"#,
        ),
        row(
            SAYS,
            r#"timeout: "5s", deadline: "20s", retry: Exponential(attempts: 4, base: "1s", jitter: None)"#,
            r#"timeout: "5s", deadline: "20s", retry: Exponential(attempts: 3, base: "1s", jitter: None)"#,
            r#"warning: policies.careful.deadline ["20s"]: only 3 of 4 attempts can begin before the deadline if each times out"#,
        ),
        // A copy of what is given up by then.
        row(SAYS, r#"timeout: "1s", hedge: (after: "1s")"#, r#"timeout: "1s", hedge: (after: "999ms")"#,
            r#"warning: policies.careful.hedge [(after: "1s")]: an attempt is given up after 1s, before its copy is sent after 1s
                help: a shorter `after`, or a longer `timeout`"#,
        ),
        row(SAYS, r#"deadline: "1s", hedge: (after: "1s")"#, r#"deadline: "1s", hedge: (after: "999ms")"#,
            r#"warning: policies.careful.hedge [(after: "1s")]: the deadline ends every call after 1s, before a copy is sent after 1s
                help: a shorter `after`, or a longer `deadline`"#,
        ),
        // What is slow is given up before it is.
        row(
            SAYS,
            r#"timeout: "1s", breaker: FailureRate(slow_call: (threshold: "1s"))"#,
            r#"timeout: "1s", breaker: FailureRate(slow_call: (threshold: "999ms"))"#,
            r#"warning: policies.careful.breaker [FailureRate(slow_call: (threshold: "1s")..]: nothing is slow: an attempt is given up after 1s, and slow is what takes longer than 1s"#,
        ),
        row(
            SAYS,
            r#"deadline: "2s", breaker: FailureRate(slow_call: (threshold: "2s"), scope: Call)"#,
            r#"deadline: "2s", breaker: FailureRate(slow_call: (threshold: "2s"))"#,
            r#"warning: policies.careful.breaker [FailureRate(slow_call: (threshold: "2s")..]: nothing is slow: a call is given up after 2s, and slow is what takes longer than 2s"#,
        ),
        // A call that ends so much earlier than its caller that it ends before it begins.
        row(
            POLICIES,
            r#"{"careful": (timeout: "500ms", deadline_propagation: (allowance: "1s")), "users": (timeout: "1s")}"#,
            r#"{"careful": (timeout: "500ms", deadline_propagation: (allowance: "999ms")), "users": (timeout: "1s")}"#,
            r#"warning: services.shop ["shop"]: no call over shop->stock ever begins: it would end 1s before its caller's, and batch->shop waits 1s at most
                help: a shorter `allowance`"#,
        )
        .and(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "users""#)
        .and(r#"arrivals: Constant("1/s")"#, r#"arrivals: Constant("1/s"), policy: "users""#),
        // Who is in line when the call ends.
        row(SAYS, r#"deadline: "1s", bulkhead: (max_concurrent: 1, max_wait: "1s")"#, r#"deadline: "1s", bulkhead: (max_concurrent: 1, max_wait: "999ms")"#,
            r#"warning: policies.careful.bulkhead [(max_concurrent: 1, max_wait: "1s")]: no call stands in line for 1s: the deadline ends every call after 1s"#,
        ),
        // Connections.
        row(SAYS, r#"deadline: "1s", pool: (max_wait: "1s")"#, r#"deadline: "1s", pool: (max_wait: "999ms")"#,
            r#"warning: policies.careful.pool [(max_wait: "1s")]: no attempt waits 1s for a connection: the deadline ends every call after 1s"#,
        ),
        row(SAYS, "pool: (size: 3, min_idle: 4)", "pool: (size: 3, min_idle: 3)",
            r#"policies.careful.pool.min_idle [4]: `min_idle` is 4, and `size` only 3
                help: keep fewer idle, or allow more"#,
        ),
        row(SAYS, "pool: (max_idle: 1, min_idle: 2)", "pool: (max_idle: 2, min_idle: 2)",
            r#"policies.careful.pool.max_idle [1]: 2 are to be kept idle, and at most 1"#,
        ),
        row(SAYS, r#"pool: (reclaim_after: "5min")"#, r#"pool: (reclaim_after: "5min", leak: 0.001)"#,
            r#"warning: policies.careful.pool.reclaim_after ["5min"]: no connection is lost that could be reclaimed"#,
        ),
        row(SAYS, r#"pool: (min_idle: 10, idle_timeout: "5min")"#, r#"pool: (min_idle: 9, idle_timeout: "5min")"#,
            r#"warning: policies.careful.pool.idle_timeout ["5min"]: all connections are kept idle, so none is ever closed for it"#,
        ),
        row(SAYS, r#"timeout: "1s", pool: (opening_work: "1s")"#, r#"timeout: "1s", pool: (opening_work: "999ms")"#,
            r#"warning: policies.careful.pool [(opening_work: "1s")]: nothing that is sent over a new connection is answered in time: opening one is 1s of work, and an attempt may take 1s
                help: a longer `timeout`"#,
        ),
        row(SAYS, r#"pool: (max_waiting: 0, opening: "1ms")"#, r#"pool: (max_waiting: 1, opening: "1ms")"#,
            r#"warning: policies.careful.pool.max_waiting [0]: nobody waits for a connection that is being opened, so none ever is"#,
        ),
        row(SAYS, r#"pool: (max_wait: "50ms", opening: "50ms")"#, r#"pool: (max_wait: "50ms", opening: "49ms")"#,
            r#"warning: policies.careful.pool.max_wait ["50ms"]: nobody waits for a connection that takes 50ms to open, but 50ms"#,
        ),
        // Weights.
        row(SAYS, "balancer: Weighted(weights: [3, 0])", "balancer: Weighted(weights: [3, 1])",
            r#"policies.careful.balancer.weights [[3, 0]]: got a list [..], which has the weight 0: allowed 1 to 1000"#,
        ),
        row(SAYS, "balancer: Weighted(weights: [])", "balancer: Weighted(weights: [1000])",
            r#"policies.careful.balancer.weights [[]]: got an empty list, must have the weight of one replica at least"#,
        ),
        row(SAYS, "balancer: Weighted(weights: [1, 2, 3, 4])", "balancer: Weighted(weights: [1, 2])",
            r#"warning: services.shop ["shop"]: users->shop has 4 weights for 2 replicas: the last 2 are nobody's
                help: a weight for each replica, in their order
                warning: services.stock ["stock"]: shop->stock has 4 weights for 3 replicas: the last 1 are nobody's
                help: a weight for each replica, in their order"#,
        ),
        // Who knows all anyway, and who is nobody's.
        row(SAYS, "subset: Random(2)", "subset: Random(1)",
            r#"warning: services.shop ["shop"]: each client knows all 2 replicas over users->shop: a subset of 2 leaves nobody out
                help: fewer, or leave it out"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", tenants: Even(9)"#,
            r#"warning: services.shop ["shop"]: no request over users->shop says whose it is: it may go to all 2 replicas
                help: `tenants` of the workload
                warning: services.stock ["stock"]: no request over shop->stock says whose it is: it may go to all 3 replicas
                help: `tenants` of the workload"#,
        ).and(SAYS, r#"timeout: "1s", subset: ShuffleShard(1)"#),
        row(SAYS, "subset: ShuffleShard(65)", "subset: Random(1)",
            r#"policies.careful.subset [65]: got 65, allowed 1 to 64
                warning: services.shop ["shop"]: each tenant has all 2 replicas over users->shop: a subset of 64 leaves nobody out
                help: fewer, or leave it out
                warning: services.stock ["stock"]: each tenant has all 3 replicas over shop->stock: a subset of 64 leaves nobody out
                help: fewer, or leave it out"#,
        ),
        // Whose zone nobody is nearer to.
        row(SAYS, "zone: Own", "balancer: Random",
            r#"warning: services.shop ["shop"]: all replicas behind users->shop stand in one zone, or in none: no zone is preferred
                help: `zones` of the graph, and more than one of the service
                warning: services.stock ["stock"]: all replicas behind shop->stock stand in one zone, or in none: no zone is preferred
                help: `zones` of the graph, and more than one of the service"#,
        ),
        row(SAYS, "zone: Spill()", "timeout: \"1s\"",
            r#"warning: services.shop ["shop"]: nobody who calls over users->shop stands in a zone of its replicas: no zone is preferred
                help: `zones` of the service in which its callers stand
                warning: services.stock ["stock"]: there is one replica, or one queue, to choose over shop->stock: no zone is preferred
                help: replicas of its own in several zones, each with its queue"#,
        )
        .and(NETWORK, ZONED).and(USERS, format!("{USERS}, zones: [\"c\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]"))
        .and(r#""shop": (replicas: 2"#, r#""shop": (zones: ["a", "b"], replicas: 2"#)
        .and(r#""stock": (replicas: 3"#, r#""stock": (queue: SharedFifo(), replicas: 3"#),
        row(SAYS, "zone: Spill(), subset: Random(1)", "zone: Own, subset: Random(1)",
            r#"warning: policies.careful.zone [Spill()]: who knows some of the replicas does not know which share of a zone is well: nothing spills over as long as it knows anybody there
                help: leave `subset` out, or say `zone: Own`"#,
        )
        .and(NETWORK, ZONED).and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        row(SAYS, "zone: Spill(overprovisioning_factor: 0.9)", "timeout: \"1s\"",
            r#"policies.careful.zone.overprovisioning_factor [0.9]: got 0.9, allowed 1.0 to 100.0"#,
        )
        .and(NETWORK, ZONED).and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]")),
        // What nobody says of a request.
        row(SAYS, "balancer: ConsistentHash()", "balancer: ConsistentHash(by: Client)",
            r#"warning: services.shop ["shop"]: no request over users->shop says what it is about: chance decides where it goes
                help: `keys` of the workload, or `by: Client`
                warning: services.stock ["stock"]: no request over shop->stock says what it is about: chance decides where it goes
                help: `keys` of the workload, or `by: Client`"#,
        ),
        row(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "careful", keys: Uniform(9)"#, r#"Poisson("100/s"), policy: "careful", tenants: Even(9)"#,
            r#"warning: services.shop ["shop"]: no request over users->shop says whose it is: chance decides where it goes
                help: `tenants` of the workload, or `by: Client`
                warning: services.stock ["stock"]: no request over shop->stock says whose it is: chance decides where it goes
                help: `tenants` of the workload, or `by: Client`"#,
        ).and(SAYS, r#"timeout: "1s", balancer: ConsistentHash(by: Tenant, load_factor: 1.25)"#),
        row(SAYS, "balancer: Sticky()", "balancer: Sticky(by: Client)",
            r#"warning: services.shop ["shop"]: no request over users->shop says whose it is, so there are no sessions
                help: `tenants` of the workload, or `by: Client`
                warning: services.stock ["stock"]: no request over shop->stock says whose it is, so there are no sessions
                help: `tenants` of the workload, or `by: Client`"#,
        ),
        row(SAYS, "balancer: ConsistentHash(by: Client, load_factor: 0.9)", "balancer: ConsistentHash(by: Client, load_factor: 1)",
            r#"policies.careful.balancer.load_factor [0.9]: got 0.9, allowed 1.0 to 1000.0"#,
        ),
        row(SAYS, r#"hedge: (after: "0s", tied: true)"#, r#"hedge: (after: "0s")"#,
            r#"warning: services.stock ["stock"]: shop->stock: tied copies wait in one queue, that of the only replica
                help: no copies, or more replicas"#,
        ).and("replicas: 3, workers", "replicas: 1, workers"),
        // Nobody is ever ejected.
        row(SAYS, "outlier: ()", "outlier: (max_ejection_percent: 100)",
            r#"warning: services.shop ["shop"]: nobody is ever ejected over users->shop: one of 2 replicas is 50.0 % of them, and `max_ejection_percent` is 10
                help: `always_eject_one: true`, or more percent
                warning: services.stock ["stock"]: nobody is ever ejected over shop->stock: the only replica is all of them, and `max_ejection_percent` is 10
                help: leave it out: who is ejected leaves nobody to send to"#,
        ).and("replicas: 3, workers", "replicas: 1, workers"),
        row(SAYS, "outlier: ()", "outlier: (max_ejection_percent: 50)",
            r#"warning: services.shop ["shop"]: nobody is ever ejected over users->shop: one of 2 replicas is 50.0 % of them, and `max_ejection_percent` is 10
                help: `always_eject_one: true`, or more percent
                warning: services.stock ["stock"]: nobody is ever ejected over shop->stock: one of 3 replicas is 33.3 % of them, and `max_ejection_percent` is 10
                help: `always_eject_one: true`, or more percent"#,
        ),
        row(SAYS, "outlier: (max_ejection_percent: 50, consecutive: None, success_rate: (minimum_hosts: 3))", "outlier: (max_ejection_percent: 50, consecutive: None, success_rate: (minimum_hosts: 2))",
            r#"warning: services.shop ["shop"]: nobody is ever ejected over users->shop: rates are compared among 3 replicas (`minimum_hosts`), and there are 2
                help: a smaller `minimum_hosts`, or `consecutive`"#,
        ),
        row(SAYS, "outlier: (max_ejection_percent: 50, consecutive: None, success_rate: None)", "outlier: (max_ejection_percent: 50, consecutive: 1, success_rate: None)",
            r#"warning: policies.careful.outlier [(max_ejection_percent: 50, consecutive: ..]: nobody is ever ejected: not for failures in a row, nor for a rate"#,
        ),
        row(SAYS, r#"outlier: (max_ejection_percent: 50, max_ejection_time: "29s")"#, r#"outlier: (max_ejection_percent: 50, max_ejection_time: "30s")"#,
            r#"policies.careful.outlier.max_ejection_time ["29s"]: `max_ejection_time` is 29s, and `base_ejection_time`, which is the least, 30s"#,
        ),
        // What is sent once, or not again after a refusal.
        row(SAYS, r#"timeout: "1s", retry_host: Other()"#, r#"timeout: "1s", retry: Fixed(attempts: 2), retry_host: Other()"#,
            r#"warning: policies.careful.retry_host [Other()]: there is no retry and no copy that could go elsewhere"#,
        ),
        row(SAYS, r#"retry: Fixed(attempts: 2, on: [TimedOut]), retry_after: Honour()"#, r#"retry: Fixed(attempts: 2, on: [Rejected]), retry_after: Honour()"#,
            r#"warning: policies.careful.retry_after [Honour()]: no retry follows a refusal, so nothing waits as it is told"#,
        ),
        // Who waits for its turn when the call ends.
        row(SAYS, r#"deadline: "1s", rate_limit: LeakyBucket(rate: "10/s", capacity: 10)"#, r#"deadline: "1s", rate_limit: LeakyBucket(rate: "10/s", capacity: 9)"#,
            r#"warning: policies.careful.rate_limit [LeakyBucket(rate: "10/s", capacity: 10)]: no call waits 1s for its turn: the deadline ends every call after 1s"#,
        ),
        // A deadline as long as a timeout lets it time out.
        row(
            SAYS,
            r#"timeout: "5s", deadline: "5s", retry: Fixed(attempts: 2)"#,
            r#"timeout: "5s", deadline: "5000000001ns", retry: Fixed(attempts: 2)"#,
            r#"warning: policies.careful.deadline ["5s"]: only 1 of 2 attempts can begin before the deadline if each times out"#,
        ),
        // The second attempt begins at 5 s + 1 s, and must begin before the end.
        row(
            SAYS,
            r#"timeout: "5s", deadline: "6s", retry: Fixed(attempts: 2, delay: "1s")"#,
            r#"timeout: "5s", deadline: "6000000001ns", retry: Fixed(attempts: 2, delay: "1s")"#,
            r#"warning: policies.careful.deadline ["6s"]: only 1 of 2 attempts can begin before the deadline if each times out"#,
        ),
        row(SAYS, r#"timeout: "0s""#, r#"timeout: "1h""#,
            r#"policies.careful.timeout ["0s"]: got "0s", must be longer than 0: every attempt would be too late
                warning: services.shop ["shop"]: no call over users->shop can succeed: it takes at least 7ms, the timeout is 0s
                warning: services.stock ["stock"]: no call over shop->stock can succeed: it takes at least 10ms, the timeout is 0s"#,
        ),
        row(SAYS, r#"deadline: "0s""#, r#"deadline: "1h""#,
            r#"policies.careful.deadline ["0s"]: got "0s", must be longer than 0: every call would be too late
                warning: services.shop ["shop"]: no call over users->shop can succeed: it takes at least 7ms, the timeout is 0s
                warning: services.stock ["stock"]: no call over shop->stock can succeed: it takes at least 10ms, the timeout is 0s"#,
        ),
        // What is behind waits longer than anybody waits for it: both calls here are of the same policy, so the inner
        // one is not longer; with a policy of its own it is.
        row(
            POLICIES,
            r#"{"careful": (timeout: "2s"), "users": (timeout: "1s")}"#,
            r#"{"careful": (timeout: "2s"), "users": (timeout: "2s")}"#,
            r#"warning: services.shop ["shop"]: shop->stock waits up to 2s for an answer, but batch->shop gives up after 1s
                help: timeouts grow from the inside out: what is behind must fail first"#,
        )
        .and(r#"Poisson("100/s"), policy: "careful""#, r#"Poisson("100/s"), policy: "users""#)
        .and(r#"arrivals: Constant("1/s")"#, r#"arrivals: Constant("1/s"), policy: "users""#),
        // Twelve workers, 8 ms of work and 1 ms each way: 15 calls are out while all work.
        row(
            POLICIES,
            r#"{"careful": (timeout: "1s"), "narrow": (timeout: "1s", bulkhead: (max_concurrent: 16))}"#,
            r#"{"careful": (timeout: "1s"), "narrow": (timeout: "1s", bulkhead: (max_concurrent: 15))}"#,
            r#"warning: services.stock ["stock"]: shop->stock may have 16 calls out, but all of `stock` works on 12 at once: the rest wait there
                help: a limit below that keeps a slow callee from holding its callers"#,
        )
        .and(r#"(to: "stock", policy: "careful")"#, r#"(to: "stock", policy: "narrow")"#),
        // What a breaker that stops only retries would stop.
        row(SAYS, "breaker: Consecutive(guards: Retries)", "retry: Fixed(attempts: 2), breaker: Consecutive(guards: Retries)",
            r#"warning: policies.careful.breaker [Consecutive(guards: Retries)]: there are no retries for this breaker to stop"#,
        ),
        // Budgets.
        row(SAYS, "budget: Ratio()", "budget: Ratio(), retry: Fixed(attempts: 2)",
            r#"warning: policies.careful.budget [Ratio()]: there are no retries for this budget to limit"#,
        ),
        row(SAYS, "budget: Throttle(), retry: Fixed(attempts: 1)", "budget: Throttle(), retry: Fixed(attempts: 2)",
            r#"warning: policies.careful.budget [Throttle()]: there are no retries for this budget to limit"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Window(ratio: 0, min_per_sec: 0)", "retry: Fixed(), budget: Window(ratio: 0, min_per_sec: 1)",
            r#"warning: policies.careful.budget [Window(ratio: 0, min_per_sec: 0)]: no retry is ever within this budget"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Concurrent(ratio: 0, at_least: 0)", "retry: Fixed(), budget: Concurrent(ratio: 0, at_least: 1)",
            r#"warning: policies.careful.budget [Concurrent(ratio: 0, at_least: 0)]: no retry is ever within this budget"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Quota(capacity: 4)", "retry: Fixed(), budget: Quota(capacity: 5)",
            r#"warning: policies.careful.budget [Quota(capacity: 4)]: no retry is ever within this budget"#,
        ),
        row(SAYS, r#"retry: Fixed(), budget: Window(ttl: "999us")"#, r#"retry: Fixed(), budget: Window(ttl: "1ms")"#,
            r#"policies.careful.budget.ttl ["999us"]: got "999us", allowed "1ms" to "1h""#,
        ),
        row(SAYS, "retry: Fixed(), budget: Ratio(ratio: 11)", "retry: Fixed(), budget: Ratio(ratio: 10)",
            r#"policies.careful.budget.ratio [11]: got 11, allowed 0.0 to 10.0"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Ratio(burst: 0)", "retry: Fixed(), budget: Ratio(burst: 1)",
            r#"policies.careful.budget.burst [0]: got 0, allowed 1 to 1000000"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Throttle(max_tokens: 1001)", "retry: Fixed(), budget: Throttle(max_tokens: 1000)",
            r#"policies.careful.budget.max_tokens [1001]: got 1001, allowed 1 to 1000"#,
        ),
        row(SAYS, "retry: Fixed(), budget: Throttle(token_ratio: 0)", "retry: Fixed(), budget: Throttle(token_ratio: 0.001)",
            r#"policies.careful.budget.token_ratio [0]: got 0, allowed 0.001 to 1000.0"#,
        ),
        // Breakers.
        row(SAYS, r#"timeout: "31s", breaker: Consecutive()"#, r#"timeout: "30s", breaker: Consecutive()"#,
            r#"warning: policies.careful.breaker [Consecutive()]: a probe may take 31s, but the breaker gives it up after `open_for` (30s)"#,
        ),
        row(SAYS, r#"timeout: "61s", breaker: FailureRate()"#, r#"timeout: "60s", breaker: FailureRate()"#,
            r#"warning: policies.careful.breaker [FailureRate()]: a probe may take 61s, but the breaker gives it up after `open_for` (60s)"#,
        ),
        row(SAYS, "breaker: FailureRate(slow_call: (rate: 0))", "breaker: FailureRate(slow_call: (rate: 0.001))",
            r#"policies.careful.breaker.slow_call [(rate: 0)]: a rate of 0 is reached without a single slow call"#,
        ),
        row(
            SAYS,
            "retry: Fixed(), breaker: Consecutive(guards: Retries, scope: Call)",
            "retry: Fixed(), breaker: Consecutive(guards: Retries, scope: Attempt)",
            r#"policies.careful.breaker.guards [Retries]: a breaker that is asked once for each call cannot stop retries
                help: write `scope: Attempt`"#,
        ),
        row(
            SAYS,
            "breaker: Consecutive(per: Replica(), scope: Call)",
            "breaker: Consecutive(per: Replica(), scope: Attempt)",
            r#"policies.careful.breaker.per [Replica()]: a breaker that is asked once for each call knows no replica
                help: write `scope: Attempt`"#,
        ),
        row(SAYS, "breaker: Consecutive(per: Replica(picks: 101))", "breaker: Consecutive(per: Replica(picks: 100))",
            r#"policies.careful.breaker.per.picks [101]: got 101, allowed 0 to 100"#,
        ),
        row(SAYS, "breaker: Consecutive(probes: 2, closes_after: 3)", "breaker: Consecutive(probes: 2, closes_after: 2)",
            r#"policies.careful.breaker.closes_after [3]: 3 probes never succeed where 2 are let in"#,
        ),
        row(
            SAYS,
            r#"breaker: Consecutive(recovery: (cap: "1min"))"#,
            r#"breaker: Consecutive(recovery: (cap: "1min", factor: 1.1))"#,
            r#"policies.careful.breaker.recovery.cap ["1min"]: nothing grows that this could be the cap of
                help: write a `factor` above 1, or no `cap`"#,
        ),
        row(
            SAYS,
            r#"breaker: Consecutive(recovery: (cap: "29s", factor: 2))"#,
            r#"breaker: Consecutive(recovery: (cap: "30s", factor: 2))"#,
            r#"policies.careful.breaker.recovery [(cap: "29s", factor: 2)]: the cap (29s) is shorter than `open_for` (30s)"#,
        ),
        row(SAYS, "breaker: FailureRate(threshold: 0)", "breaker: FailureRate(threshold: 0.001)",
            r#"policies.careful.breaker.threshold [0]: a threshold of 0 is reached without a single failure"#,
        ),
        row(SAYS, "breaker: FailureRate(threshold: 50)", "breaker: FailureRate(threshold: 0.5)",
            r#"policies.careful.breaker.threshold [50]: got 50, allowed 0.0 to 1.0
                help: is 50 % meant? write 0.5"#,
        ),
        row(SAYS, "breaker: FailureRate(window: Count(0))", "breaker: FailureRate(window: Count(1))",
            r#"policies.careful.breaker.window [0]: got 0, allowed 1 to 10000"#,
        ),
        row(SAYS, r#"breaker: FailureRate(window: Time("0s"))"#, r#"breaker: FailureRate(window: Time("1s"))"#,
            r#"policies.careful.breaker.window ["0s"]: got "0s", must be longer than 0"#,
        ),
        row(SAYS, r#"breaker: Consecutive(open_for: "0s")"#, r#"breaker: Consecutive(open_for: "1s")"#,
            r#"policies.careful.breaker.open_for ["0s"]: got "0s", must be longer than 0: it would never be open"#,
        ),
        row(SAYS, r#"breaker: Consecutive(failures: 0)"#, r#"breaker: Consecutive(failures: 1)"#,
            r#"policies.careful.breaker.failures [0]: got 0, allowed 1 to 1000000"#,
        ),
        row(SAYS, "breaker: Consecutive(probes: 0)", "breaker: Consecutive(probes: 1)",
            r#"policies.careful.breaker.probes [0]: got 0, allowed 1 to 10000"#,
        ),
        row(SAYS, "breaker: Consecutive(on: [])", "breaker: Consecutive(on: [Reset])",
            r#"policies.careful.breaker.on [[]]: got an empty list, must name at least one failure"#,
        ),
        row(
            SAYS,
            "breaker: Consecutive(on: [Error, BreakerOpen])",
            "breaker: Consecutive(on: [Error, TimedOut])",
            r#"policies.careful.breaker.on [[Error, BreakerOpen]]: got a list [..], which names BreakerOpen: nothing is learnt of what was not sent"#,
        ),
        // Retries.
        row(RETRY, "Fixed(on: [])", "Fixed(on: [BreakerOpen])",
            r#"policies.careful.retry.on [[]]: got an empty list, must name at least one failure"#,
        ),
        row(RETRY, "Fixed(on: [Error, Reset, Error])", "Fixed(on: [Error, Reset])",
            r#"policies.careful.retry.on [[Error, Reset, Error]]: got a list [..], which names Error twice"#,
        ),
        row(RETRY, "Fixed(attempts: 0)", "Fixed(attempts: 1)",
            r#"policies.careful.retry.attempts [0]: got 0, allowed 1 to 1000"#,
        ),
        row(RETRY, r#"Exponential(base: "2s", cap: "1s")"#, r#"Exponential(base: "2s", cap: "2s")"#,
            r#"policies.careful.retry.cap ["1s"]: the cap (1s) is shorter than the first delay, `base` (2s)"#,
        ),
        row(RETRY, r#"Linear(base: "2min")"#, r#"Linear(base: "10s")"#,
            r#"policies.careful.retry.base ["2min"]: the cap (20s) is shorter than the first delay, `base` (2min)"#,
        ),
        row(RETRY, r#"Exponential(base: "0s")"#, r#"Exponential(base: "1ms")"#,
            r#"policies.careful.retry.base ["0s"]: got "0s", must be longer than 0: 0 times a factor is still 0"#,
        ),
        row(RETRY, "Exponential(factor: 0.9)", "Exponential(factor: 1)",
            r#"policies.careful.retry.factor [0.9]: got 0.9, allowed 1.0 to 100.0"#,
        ),
        row(
            RETRY,
            r#"Fixed(delay: "1s", jitter: Decorrelated)"#,
            r#"Exponential(base: "1s", jitter: Decorrelated)"#,
            r#"policies.careful.retry.jitter [Decorrelated]: decorrelated jitter decides itself how delays grow
                help: write Exponential(base: .., cap: .., jitter: Decorrelated)"#,
        ),
        row(RETRY, r#"Linear(base: "1s", jitter: Decorrelated)"#, r#"Linear(base: "1s", jitter: Full)"#,
            r#"policies.careful.retry.jitter [Decorrelated]: decorrelated jitter decides itself how delays grow
                help: write Exponential(base: .., cap: .., jitter: Decorrelated)"#,
        ),
        row(RETRY, "Fixed(jitter: Proportional(1.5))", "Fixed(jitter: Proportional(1.0))",
            r#"policies.careful.retry.jitter [1.5]: got 1.5, allowed 0.0 to 1.0
                help: is 1.5 % meant? write 0.015"#,
        ),
        row(SAYS, r#"rate_limit: TokenBucket(rate: "1/s", max_wait: "1s", counts: Attempts)"#, r#"rate_limit: TokenBucket(rate: "1/s", max_wait: "1s")"#,
            r#"policies.careful.rate_limit.max_wait ["1s"]: an attempt does not wait for its turn: leave out `max_wait`, or count calls (`counts: Calls`)"#),
        row(SAYS, "concurrency: Aimd(initial: 5)", "concurrency: Aimd(initial: 5, min: 5)",
            r#"policies.careful.concurrency [Aimd(initial: 5)]: a limit begins between its least and its most: 20 <= 5 <= 200 is not so"#),
        row(SAYS, "bulkhead: (max_concurrent: 0)", "bulkhead: (max_concurrent: 1)",
            r#"policies.careful.bulkhead.max_concurrent [0]: got 0, allowed 1 to 1000000"#,
        ),
        // Layers multiply: users try ten times, and the shop ten times for each. Then 7 x 4 x 4, and 6 x 4 x 4.
        row(RETRY, "Fixed(attempts: 10)", "Fixed(attempts: 9)",
            r#"warning: services.stock ["stock"]: if `stock` fails, one user request becomes up to 100 attempts on it
                help: retry in one layer only, or give the retries a budget"#,
        ),
        row(
            POLICIES,
            r#"{"careful": (retry: Fixed(attempts: 7)), "four": (retry: Fixed(attempts: 4))}"#,
            r#"{"careful": (retry: Fixed(attempts: 6)), "four": (retry: Fixed(attempts: 4))}"#,
            r#"warning: services.mail ["mail"]: if `mail` fails, one user request becomes up to 112 attempts on it
                help: retry in one layer only, or give the retries a budget"#,
        )
        .and(r#"policy: "careful"),
"#, r#"policy: "four"),
"#)
        .and(r#"workers: Blocking(4), work: "8ms""#, r#"workers: Blocking(4), work: "8ms", calls: [(to: "mail", policy: "four")]"#),
        // 1 ms there, 8 ms of work, 1 ms back.
        row(SAYS, r#"timeout: "9999999ns""#, r#"timeout: "10ms""#,
            r#"warning: services.stock ["stock"]: no call over shop->stock can succeed: it takes at least 10ms, the timeout is 9999.999us"#,
        ),
        row(
            SAYS,
            r#"deadline: Uniform(low: "1ms", high: "9999999ns")"#,
            r#"deadline: Uniform(low: "1ms", high: "10ms")"#,
            r#"warning: services.stock ["stock"]: no call over shop->stock can succeed: it takes at least 10ms, the timeout is 9999.999us"#,
        ),
        row(SAYS, r#"timeout: "1s", deadline: "9ms""#, r#"timeout: "10ms", deadline: "1s""#,
            r#"warning: services.stock ["stock"]: no call over shop->stock can succeed: it takes at least 10ms, the timeout is 9ms
                warning: policies.careful.deadline ["9ms"]: the deadline ends every call before an attempt can time out (after 1s)"#,
        ),
    ]
}
