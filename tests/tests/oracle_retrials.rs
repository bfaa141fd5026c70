//! Users who come again until they are served, in front of one worker without a queue: the M/M/1 retrial queue.
//!
//! Falin and Templeton, "Retrial Queues", 1997, section 1.2: with arrivals at rate `a`, work at rate `m`, `rho = a / m`, and each of those in
//! orbit coming again at rate `t`, the worker is busy with probability `rho` and `rho / (1 - rho) (rho + a / t)` are in orbit on
//! average. Whoever comes first finds the worker busy with probability `rho` (Poisson arrivals see time averages), and of
//! loads there are `a + t N` a second (each in orbit makes `t`).

use brownout_tests::Runs;
use sim_models::report::Report;

#[test]
fn the_orbit_of_one_worker() {
    for (rate, mean_ms, after_ms) in [(50.0, 10.0, 100.0), (70.0, 10.0, 5.0), (20.0, 10.0, 1000.0)] {
        let text = format!(
            r#"(
                about: "an orbit",
                model: ServiceGraph(
                    workload: [(to: "desk", arrivals: Poisson("{rate}/s"), reload: (after: Exponential(mean: "{after_ms}ms")))],
                    services: {{"desk": (workers: Async(1), queue: Fifo(capacity: 0), work: Exponential(mean: "{mean_ms}ms"))}},
                ),
                run: (duration: "10min", warm_up: "30s", window: "30s"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let (rho, again) = (rate * mean_ms / 1e3, 1e3 / after_ms);
        let orbit = rho / (1.0 - rho) * (rho + rate / again);
        let of = |report: &Report, name: &str| {
            let section = report.section("reloads", "users->desk").expect("users come again");
            section.values.get(name).and_then(|value| value.value).expect("a number")
        };
        let here = format!("{rate}/s, again after {after_ms} ms");
        runs.agree(&format!("in orbit, {here}"), |report| of(report, "away_mean"), orbit, 0.03);
        runs.agree(
            &format!("loads, {here}"),
            |report| of(report, "loads_mean"),
            1.0 + again * orbit / rate,
            0.02,
        );
        let at_once = |report: &Report| of(report, "served_at_once") / of(report, "users");
        runs.agree(&format!("at once, {here}"), at_once, 1.0 - rho, 0.01);
        let busy = |report: &Report| report.services.get("desk").expect("it is there").utilisation;
        runs.agree(&format!("busy, {here}"), busy, rho, 0.01);
        // Little's law for the orbit: who is served has been away, and worked on.
        let until = |report: &Report| of(report, "until_served") / 1e9;
        runs.agree(&format!("until served, {here}"), until, orbit / rate + mean_ms / 1e3, 0.03);
    }
}

/// Users who need several calls, each of which fails with the same chance whatever became of the others: `p^n` of the sessions are completed, and those that
/// end with the first that fails make `(1 - p^n) / (1 - p)` calls. Nobody waits for a worker, so a session takes as long as its calls and pauses.
#[test]
fn sessions_of_independent_calls() {
    let of = |report: &Report, name: &str| {
        let section = report.section("sessions", "users->desk").expect("users make several calls");
        section.values.get(name).and_then(|value| value.value).expect("a number")
    };
    let p: f64 = 0.95;
    let five = p * p * p * p * p;
    // A session goes on with q after each call.
    let q: f64 = 1.0 - 1.0 / 4.0;
    for (calls, on_failure, share, calls_mean, completed) in [
        ("Fixed(5)", "Abandon", five, (1.0 - five) / (1.0 - p), 5.0),
        ("Fixed(5)", "GoOn", five, 5.0, 5.0),
        // Of those that are completed the length is geometric with p q.
        ("Geometric(4)", "Abandon", p * (1.0 - q) / (1.0 - p * q), 1.0 / (1.0 - p * q), 1.0 / (1.0 - p * q)),
    ] {
        let text = format!(
            r#"(
                about: "sessions",
                model: ServiceGraph(
                    workload: [(
                        to: "desk", arrivals: Poisson("20/s"),
                        session: (calls: {calls}, think: Exponential(mean: "50ms"), on_failure: {on_failure}),
                    )],
                    services: {{"desk": (workers: Async(1000), work: Exponential(mean: "10ms"), error_rate: 0.05)}},
                ),
                run: (duration: "200s", warm_up: "10s", window: "10s"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let here = format!("{calls}, {on_failure}");
        runs.agree(&format!("completed, {here}"), |report| of(report, "share"), share, 0.01);
        runs.agree(&format!("calls, {here}"), |report| of(report, "calls_mean"), calls_mean, 0.01);
        let time = completed * 0.01 + (completed - 1.0) * 0.05;
        runs.agree(&format!("time, {here}"), |report| of(report, "time_mean") / 1e9, time, 0.02);
        let offered = |report: &Report| report.edges.get("users->desk").unwrap().calls.started as f64 / 190.0;
        runs.agree(&format!("offered, {here}"), offered, 20.0 * calls_mean, 0.01);
    }
}

/// 30 users think for a second between sessions of four calls of 10 ms, 50 ms apart: as many sessions a second as there are users to a cycle.
#[test]
fn a_closed_loop_of_sessions() {
    let text = r#"(
        about: "sessions in a loop",
        model: ServiceGraph(
            workload: [(
                to: "desk", arrivals: ClosedLoop(users: 30, think: Exponential(mean: "1s")),
                session: (calls: Fixed(4), think: Exponential(mean: "50ms")),
            )],
            services: {"desk": (workers: Async(1000), work: Exponential(mean: "10ms"))},
        ),
        run: (duration: "200s", warm_up: "10s", window: "10s"),
    )"#;
    let runs = Runs::of(text, 1..=20);
    let completed = |report: &Report| {
        let section = report.section("sessions", "users->desk").expect("users make several calls");
        section.values.get("goodput").and_then(|value| value.value).expect("a number")
    };
    runs.agree("sessions a second", completed, 30.0 / (1.0 + 4.0 * 0.01 + 3.0 * 0.05), 0.01);
}
