//! Queues that have a closed form, through the service graph: means, losses and percentiles, at
//! utilisations up to 0.8 (and 0.9 for two choices, which settle quickly).
//!
//! The mean service time is 10 ms unless a test says otherwise; tables are in mean service times.

use brownout_tests::{Runs, SEEDS, edge, seconds, service, spread};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::Report;
use sim_models::theory::{Mm1PlusD, erlang_b};

/// The mean service time, in seconds.
const SERVICE: f64 = 0.01;

/// One service under Poisson arrivals of so many mean service times' worth of work per mean service time.
fn queue(offered: f64, service: &str, balancer: &str) -> String {
    let rate = offered / SERVICE;
    // Enough customers in all for a standard error of about 1 % at 0.8.
    let duration = (60_000.0 / rate).ceil();
    let warm_up = (duration / 8.0).min(10.0);
    format!(
        r#"(
    about: "a queue",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("{rate}/s"), policy: "p")],
        services: {{"server": ({service})}},
        policies: {{"p": (balancer: {balancer})}},
    ),
    run: (duration: "{duration}s", warm_up: "{warm_up}s", window: "30s"),
)"#
    )
}

const EXPONENTIAL: &str = r#"Exponential(mean: "10ms")"#;

/// One server, one queue without bound.
fn single(offered: f64, work: &str) -> Runs {
    let service = format!("workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: {work}");
    Runs::of(&queue(offered, &service, "Random"), SEEDS)
}

fn wait(report: &Report) -> f64 {
    seconds(service(report, "server").wait_mean) / SERVICE
}

fn response(report: &Report) -> f64 {
    seconds(edge(report, "users->server").latency.mean) / SERVICE
}

fn response_p99(report: &Report) -> f64 {
    seconds(edge(report, "users->server").latency.p99) / SERVICE
}

fn utilisation(report: &Report) -> f64 {
    service(report, "server").utilisation
}

fn rejected(report: &Report) -> f64 {
    let attempts = &edge(report, "users->server").attempts;
    attempts.of(Outcome::Rejected) as f64 / attempts.sent as f64
}

/// `mm1.csv`; 0.5 and 0.7 are also claim B15.
#[test]
fn mm1() {
    for (rho, mean_wait, mean_response, p99) in
        [(0.5, 1.0, 2.0, 9.210_340), (0.7, 2.333_333, 3.333_333, 15.350_567), (0.8, 4.0, 5.0, 23.025_851)]
    {
        let runs = single(rho, EXPONENTIAL);
        runs.agree(&format!("M/M/1 at {rho}: mean wait"), wait, mean_wait, 0.01);
        runs.agree(&format!("M/M/1 at {rho}: mean response"), response, mean_response, 0.01);
        runs.agree(&format!("M/M/1 at {rho}: p99 of the response"), response_p99, p99, 0.02);
        runs.agree(&format!("M/M/1 at {rho}: utilisation"), utilisation, rho, 0.005);
        let queue = |report: &Report| service(report, "server").queue_mean;
        runs.agree(&format!("M/M/1 at {rho}: mean queue"), queue, rho * mean_wait, 0.01);
    }
}

/// `md1.csv`, `mg1_pk.csv`: the variance of the work alone moves the wait, from 1.17 to 5.83 at 0.7.
#[test]
fn mg1() {
    for (work, rho, mean_wait, p99_of_wait) in [
        (r#""10ms""#, 0.7, 1.166_667, Some(6.485_5)),
        (r#"Erlang(k: 4, mean: "10ms")"#, 0.7, 1.458_333, None),
        (r#"LogNormal(mean: "10ms", cv: 0.5)"#, 0.7, 1.458_333, None),
        (r#"LogNormal(mean: "10ms", cv: 2)"#, 0.7, 5.833_333, None),
        (r#"HyperExponential(mean: "10ms", cv: 2)"#, 0.7, 5.833_333, None),
        (r#"Mixture([(weight: 9, of: "5263158ns"), (weight: 1, of: "52631579ns")])"#, 0.5, 1.509_695, None),
    ] {
        let runs = single(rho, work);
        runs.agree(&format!("M/G/1 at {rho}, {work}: mean wait"), wait, mean_wait, 0.01);
        if let Some(p99) = p99_of_wait {
            runs.agree("M/D/1: p99 of the response", response_p99, 1.0 + p99, 0.02);
        }
    }
}

/// `mmc.csv`. Eight workers of one replica and eight replicas behind a shared queue are the same queue.
#[test]
fn mmc() {
    for (servers, rho, mean_wait, p99) in [(4, 0.8, 0.745_541, 6.893_203), (8, 0.7, 0.112_751, 4.781_682)] {
        for (replicas, workers, kind) in [(1, servers, "Fifo"), (servers, 1, "SharedFifo")] {
            let text = format!(
                "replicas: {replicas}, workers: Blocking({workers}), queue: {kind}(capacity: Unbounded), work: {EXPONENTIAL}"
            );
            let runs = Runs::of(&queue(f64::from(servers) * rho, &text, "RoundRobin"), SEEDS);
            let name = format!("M/M/{servers} at {rho}, {replicas} replicas of {workers}");
            runs.agree(&format!("{name}: mean wait"), wait, mean_wait, 0.01);
            runs.agree(&format!("{name}: p99 of the response"), response_p99, p99, 0.02);
            runs.agree(&format!("{name}: utilisation"), utilisation, rho, 0.005);
        }
    }
}

/// Tied at once to every replica, with messages that take no time, whoever is free first has the next request that came: that is
/// one queue for all, M/M/c (cancel on start with as many copies as there are servers; Ayesta et al. 2018).
#[test]
fn tied_to_all_is_one_queue_for_all() {
    for (servers, rho, mean_wait, p99) in [(4, 0.8, 0.745_541, 6.893_203), (8, 0.7, 0.112_751, 4.781_682)] {
        for balancer in ["Random", "LeastPending"] {
            let service = format!(
                "replicas: {servers}, workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}"
            );
            let copies = servers - 1;
            let tied = format!(
                r#"{balancer}, retry_host: Other(), hedge: (after: "0s", copies: {copies}, tied: true)"#
            );
            let runs = Runs::of(&queue(f64::from(servers) * rho, &service, &tied), SEEDS);
            let name = format!("tied to {servers} at {rho}, {balancer}");
            // The response, not the wait: a request waits in every queue.
            runs.agree(&format!("{name}: mean response"), response, 1.0 + mean_wait, 0.01);
            runs.agree(&format!("{name}: p99 of the response"), response_p99, p99, 0.02);
            runs.agree(&format!("{name}: utilisation"), utilisation, rho, 0.005);
        }
    }
}

/// `mm1_ps_lifo.csv`: a response takes 1 / (1 - rho), whatever the work, and where all work is the same that is `x / (1 - rho)`; with several
/// cores as many are there as in M/M/c. The standard deviation where work is exponential is sqrt((2 + rho) / (2 - rho)) / (1 - rho).
#[test]
fn processor_sharing_is_insensitive() {
    for (cores, rho, mean) in [(1, 0.5, 2.0), (1, 0.8, 5.0), (4, 0.8, 1.745_541)] {
        for work in [EXPONENTIAL, r#""10ms""#, r#"LogNormal(mean: "10ms", cv: 2)"#] {
            let text = format!("workers: ProcessorSharing(cores: {cores}, at_once: Unbounded), work: {work}");
            let runs = Runs::of(&queue(f64::from(cores) * rho, &text, "Random"), SEEDS);
            let name = format!("M/G/{cores} shared, at {rho}, {work}");
            runs.agree(&format!("{name}: mean response"), response, mean, 0.02);
            runs.agree(&format!("{name}: utilisation"), utilisation, rho, 0.005);
        }
    }
}

/// M/M/c with a limit on the wait, as the theory beside it has it: Baccelli and Hebuterne 1981. With one worker that is `mm1_deadline_queue.csv`.
#[test]
fn a_limit_on_the_wait() {
    for (workers, rho, limit, rejected_share) in
        [(1, 0.7, 20, 0.157_644), (1, 0.9, 50, 0.107_306), (1, 1.2, 20, 0.311_818)]
    {
        let text = format!(
            r#"workers: Blocking({workers}), queue: Fifo(capacity: Unbounded), shed: MaxWait("{limit}ms"), work: {EXPONENTIAL}"#
        );
        let runs = Runs::of(&queue(rho, &text, "Random"), SEEDS);
        runs.agree(&format!("MaxWait of {limit} ms at {rho}: rejected"), rejected, rejected_share, 0.02);
        let exact = |report: &Report| {
            report.values.get("rejected").and_then(|value| value.exact).expect("theory says so")
        };
        runs.each("theory is the table", |report| (exact(report) / rejected_share - 1.0).abs() < 1e-5);
    }
}

/// `mmck.csv`: K counts those in service, a queue's capacity does not.
#[test]
fn mmck() {
    for (servers, places, rho, blocked, mean_wait) in [
        (2, 4, 0.7, 0.105_627, 0.289_228),
        (2, 4, 1.2, 0.298_721, 0.502_876),
        (4, 8, 0.9, 0.096_636, 0.332_038),
    ] {
        let capacity = places - servers;
        let text =
            format!("workers: Blocking({servers}), queue: Fifo(capacity: {capacity}), work: {EXPONENTIAL}");
        let runs = Runs::of(&queue(f64::from(servers) * rho, &text, "Random"), SEEDS);
        let name = format!("M/M/{servers}/{places} at {rho}");
        runs.agree(&format!("{name}: rejected"), rejected, blocked, 0.01);
        runs.agree(&format!("{name}: mean wait of those accepted"), wait, mean_wait, 0.01);
        runs.each("the queue stays within its capacity", |r| {
            service(r, "server").queue_max <= capacity as u64
        });
    }
}

/// `erlang_b.csv` (10 workers, 7 Erlang) and claim B22: only the mean of the service time matters.
#[test]
fn erlang_b_is_insensitive() {
    for work in [r#""10ms""#, r#"LogNormal(mean: "10ms", cv: 2)"#] {
        let text = format!("workers: Blocking(10), queue: Fifo(capacity: 0), work: {work}");
        let runs = Runs::of(&queue(7.0, &text, "Random"), SEEDS);
        runs.agree(&format!("Erlang B, {work}: rejected"), rejected, 0.078_740_88, 0.01);
        runs.each("nobody waits", |report| wait(report) == 0.0);
    }
}

/// Claim B6: one bulkhead of 100 for 80 Erlang loses 0.4 %, each of four of 25 for 20 Erlang 5 %.
#[test]
fn a_bulkhead_is_erlang_b_too() {
    for (places, offered, tolerance) in [(25, 20.0, 0.01), (100, 80.0, 0.02)] {
        let text = queue(offered, "workers: Async(1000), work: \"10ms\"", "Random")
            .replace("balancer: Random", &format!("bulkhead: (max_concurrent: {places})"));
        // Losses of 0.4 % come in clusters: four times as many customers.
        let text = text.replace("duration: \"8s\"", "duration: \"32s\"");
        let full = |report: &Report| {
            let calls = &edge(report, "users->server").calls;
            calls.of(Ending::BulkheadFull) as f64 / calls.started as f64
        };
        Runs::of(&text, SEEDS).agree(
            &format!("bulkhead of {places} under {offered} Erlang: refused"),
            full,
            erlang_b(places, offered),
            tolerance,
        );
    }
}

/// `mm1_deadline_queue.csv`: customers whose wait reaches D leave unserved. Here the caller's timeout is D
/// and the server skips whoever has given up. What the table calls goodput is who *enters service* in time.
/// Who has the *answer* in time is less: with u(w) the density of the work found, P(W + S <= D) =
/// p0 (1 - e) / (1 - rho) with e = exp(-(1 - rho) D), by integrating u over [0, D].
#[test]
fn mm1_with_a_deadline() {
    for (rho, patience, p_idle, p_expired) in
        [(0.7, 2.0, 0.410_351, 0.157_644), (0.9, 5.0, 0.196_576, 0.107_306), (1.2, 2.0, 0.174_182, 0.311_818)]
    {
        let text = queue(
            rho,
            &format!("workers: Blocking(1), queue: Fifo(capacity: Unbounded, drop_expired: true), work: {EXPONENTIAL}"),
            "Random",
        )
        .replace("balancer: Random", &format!("timeout: \"{}ms\"", patience * 10.0));
        let runs = Runs::of(&text, SEEDS);
        let name = format!("M/M/1 at {rho} with patience {patience}");
        let served = |report: &Report| {
            let server = service(report, "server");
            server.completed as f64 / server.arrived as f64
        };
        runs.agree(&format!("{name}: served"), served, 1.0 - p_expired, 0.005);
        runs.agree(&format!("{name}: busy"), utilisation, 1.0 - p_idle, 0.005);
        let closed_form = Mm1PlusD { utilisation: rho, patience, service_mean: 1.0 };
        assert!((closed_form.p_expired() - p_expired).abs() < 1e-6);
        let in_time = |report: &Report| edge(report, "users->server").success.expect("calls ended");
        let e = sim_core::math::exp(-(1.0 - rho) * patience);
        runs.agree(&format!("{name}: answered in time"), in_time, p_idle * (1.0 - e) / (1.0 - rho), 0.005);
    }
}

/// `closed_loop_mm1.csv`: machine repair. Users who wait for answers cannot overload the server.
#[test]
fn closed_loop() {
    for (users, think, throughput, mean_response) in
        [(10, 100, 0.785_418, 2.732_079), (20, 500, 0.387_905, 1.558_970)]
    {
        let text = queue(0.7, &format!("workers: Blocking(1), work: {EXPONENTIAL}"), "Random").replace(
            r#"Poisson("70/s")"#,
            &format!(r#"ClosedLoop(users: {users}, think: Exponential(mean: "{think}ms"))"#),
        );
        let runs = Runs::of(&text, SEEDS);
        let rate = |report: &Report| edge(report, "users->server").goodput * SERVICE;
        runs.agree(&format!("{users} users: throughput"), rate, throughput, 0.005);
        runs.agree(&format!("{users} users: mean response"), response, mean_response, 0.01);
        runs.agree(&format!("{users} users: utilisation"), utilisation, throughput, 0.005);
    }
}

fn replicas(count: u32, rho: f64, balancer: &str) -> Runs {
    let text = format!(
        "replicas: {count}, workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}"
    );
    Runs::of(&queue(f64::from(count) * rho, &text, balancer), SEEDS)
}

/// `lb_round_robin.csv`: round robin over n servers gives each an E_n/M/1 queue. Random gives M/M/1.
#[test]
fn round_robin() {
    for (count, mean_wait) in [(2, 1.600_623), (10, 1.019_804)] {
        let runs = replicas(count, 0.7, "RoundRobin");
        runs.agree(&format!("round robin over {count}: mean wait"), wait, mean_wait, 0.01);
    }
    replicas(10, 0.7, "Random").agree("random over 10: mean wait", wait, 2.333_333, 0.01);
}

/// `lb_jsq2_exact.csv`: one client that sends everything knows both queues, so least pending joins the
/// shorter one; so does power of two, when there are no more than two.
#[test]
fn the_shorter_of_two_queues() {
    for balancer in ["LeastPending", "PowerOfTwo"] {
        let runs = replicas(2, 0.8, balancer);
        runs.agree(&format!("{balancer} over 2: mean response"), response, 2.955_737, 0.01);
    }
}

/// Fresh reports are as good as to know, and before the first of them all are equal: `lb_jsq2_exact.csv` again, both columns.
#[test]
fn reports_are_as_good_as_they_are_fresh() {
    for (reports, mean_response) in
        [(r#"every: "200us", counts_own: true"#, 2.955_737), (r#"every: "1000h""#, 5.0)]
    {
        let runs = replicas(2, 0.8, &format!("LeastReported({reports})"));
        runs.agree(&format!("reported {reports}: mean response"), response, mean_response, 0.02);
    }
}

/// Claim D1, where random has 5 and 10. `mc_power_of_d_finite.csv` has 3.176 at 0.9 for two choices *with*
/// replacement, one of ten of which is no choice; ours are two different servers. The references are a
/// simulation of that Markov chain apart from this program: 2.0750 +- 0.0034 and 2.9786 +- 0.0098.
#[test]
fn power_of_two_of_ten() {
    for (rho, mean_response, tolerance) in [(0.8, 2.0750, 0.01), (0.9, 2.9786, 0.02)] {
        let runs = replicas(10, rho, "PowerOfTwo");
        runs.agree(
            &format!("power of two over 10 at {rho}: mean response"),
            response,
            mean_response,
            tolerance,
        );
    }
}

/// `mc_power_of_d_finite.csv`: d choices with replacement of n servers at 0.9, a simulation of that Markov chain of 1.5 million events
/// apart from this program, good to 1 or 2 %. Without replacement two of ten are the better of two; of very many it makes no
/// difference, and three of them are within 3 % of Mitzenmacher's limit (`power_of_d_meanfield.csv`: 2.0279).
#[test]
fn the_least_of_a_few() {
    for (count, balancer, mean_response, tolerance) in [
        (10, "PowerOfD(d: 2, replacement: true)", 3.175_785, 0.03),
        (10, "PowerOfD(d: 2)", 2.9786, 0.02),
        (100, "PowerOfD(d: 2, replacement: true)", 2.676_133, 0.02),
        (100, "PowerOfD(d: 3, replacement: true)", 2.077_776, 0.02),
        (100, "PowerOfD(d: 3)", 2.0279, 0.03),
    ] {
        let runs = replicas(count, 0.9, balancer);
        runs.agree(&format!("{balancer} over {count}: mean response"), response, mean_response, tolerance);
    }
}

/// `lb_round_robin.csv`: with the same weight for all each is an E_n/M/1 queue, as in turn.
#[test]
fn equal_weights() {
    let runs = replicas(10, 0.7, "Weighted(weights: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5])");
    runs.agree("even weights over 10: mean wait", wait, 1.019_804, 0.01);
}

/// `mm1_ps_lifo.csv`: last in, first out has the mean of first in, first out, and twice its spread.
#[test]
fn lifo_has_the_same_mean_and_another_spread() {
    let deviation = |report: &Report| spread(&edge(report, "users->server").latency.histogram) / SERVICE;
    for (kind, sd_wait) in [("Fifo", 3.179_797), ("Lifo", 6.812_298)] {
        let text = format!("workers: Blocking(1), queue: {kind}(capacity: Unbounded), work: {EXPONENTIAL}");
        let runs = Runs::of(&queue(0.7, &text, "Random"), SEEDS);
        runs.agree(&format!("{kind}: mean wait"), wait, 2.333_333, 0.01);
        // The wait does not depend on one's own service, so variances add.
        let exact = (sd_wait * sd_wait + 1.0f64).sqrt();
        runs.agree(&format!("{kind}: deviation of the response"), deviation, exact, 0.02);
    }
}

/// `tandem_mm1.csv`: by Burke's theorem each stage is an M/M/1 queue of its own, and waits add up.
#[test]
fn tandem() {
    let text = queue(0.7, &format!("workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}, calls: [(to: \"second\")]"), "Random")
        .replace("services: {", &format!(
            r#"services: {{
            "second": (workers: Async(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}, calls: [(to: "third")]),
            "third": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}),
            "#
        ));
    let runs = Runs::of(&text, SEEDS);
    runs.agree("three stages: mean response", response, 10.0, 0.01);
    runs.agree("three stages: p99 of the response", response_p99, 28.019_823, 0.02);
    for stage in ["server", "second", "third"] {
        let wait = |report: &Report| seconds(service(report, stage).wait_mean) / SERVICE;
        runs.agree(&format!("{stage} of the tandem: mean wait"), wait, 2.333_333, 0.01);
    }
}

/// `mm1_feedback_retry_exact.csv`: whoever fails goes to the end of the queue at once. Jackson: an M/M/1
/// queue at rho / (1 - p).
#[test]
fn feedback() {
    let text = queue(
        0.4,
        &format!(
            "workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: {EXPONENTIAL}, error_rate: 0.3"
        ),
        "Random",
    )
    .replace("balancer: Random", "retry: Fixed(attempts: 1000)");
    let runs = Runs::of(&text, SEEDS);
    let attempts = |report: &Report| edge(report, "users->server").amplification.expect("calls were made");
    runs.agree("retried until it works: attempts", attempts, 1.428_571, 0.005);
    runs.agree("retried until it works: utilisation", utilisation, 0.571_429, 0.005);
    runs.agree("retried until it works: mean response", response, 3.333_333, 0.01);
}
