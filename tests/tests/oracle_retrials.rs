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
