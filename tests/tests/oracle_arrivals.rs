//! Arrivals that come in bursts, against the matrix-geometric solution of the queue that they make (Neuts 1981; Fischer and Meier-Hellstern,
//! "The Markov-modulated Poisson process (MMPP) cookbook", 1993), which is worked out here.

use brownout_tests::{Runs, SEEDS, edge, seconds, service};

type Matrix = [[f64; 2]; 2];

fn times(a: Matrix, b: Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
}

fn plus(a: Matrix, b: Matrix, sign: f64) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] + sign * b[i][j]))
}

fn inverse([[a, b], [c, d]]: Matrix) -> Matrix {
    let det = a * d - b * c;
    [[d / det, -b / det], [-c / det, a / det]]
}

fn row([x, y]: [f64; 2], a: Matrix) -> [f64; 2] {
    [x * a[0][0] + y * a[1][0], x * a[0][1] + y * a[1][1]]
}

const ONE: Matrix = [[1.0, 0.0], [0.0, 1.0]];

/// Mean number in an MMPP/M/1 of two states: rates of arrival, rates at which they are left, and the rate of service. A quasi birth-death
/// process: the chances of n in it are `first R^n`, where R is the least solution of `A0 + R A1 + R^2 A2 = 0`.
fn number([up, busy]: [f64; 2], [p, q]: [f64; 2], service: f64) -> f64 {
    let arrivals = [[up, 0.0], [0.0, busy]];
    let inside = [[-p - up - service, p], [q, -q - busy - service]];
    let down = [[service, 0.0], [0.0, service]];
    let mut r = [[0.0; 2]; 2];
    for _ in 0..100_000 {
        let sum = plus(arrivals, times(times(r, r), down), 1.0);
        r = plus([[0.0; 2]; 2], times(sum, inverse(inside)), -1.0);
    }
    // With nobody in it nobody is served: first (A1 + service I + R A2) = 0, and all chances come to 1.
    let empty = plus(plus(inside, down, 1.0), times(r, down), 1.0);
    let direction = [1.0, -empty[0][0] / empty[1][0]];
    let rest = inverse(plus(ONE, r, -1.0));
    let whole: f64 = row(direction, rest).iter().sum();
    let first = direction.map(|chance| chance / whole);
    row(row(row(first, r), rest), rest).iter().sum()
}

#[test]
fn the_solution_knows_what_has_a_closed_form() {
    // Where both states are alike it is M/M/1: rho / (1 - rho).
    for rho in [0.3, 0.7] {
        let found = number([100.0 * rho; 2], [0.5, 2.0], 100.0);
        assert!((found - rho / (1.0 - rho)).abs() < 1e-9, "{found} at {rho}");
    }
    // Where they last for ever, nearly, it is one of two of those, by their shares of the time.
    let slow = number([20.0, 60.0], [1e-6, 1e-6], 100.0);
    assert!((slow - 0.5 * (0.25 + 1.5)).abs() < 1e-3, "{slow}");
}

/// 40/s for 2 s, then 120/s, more than can be served, for half a second: 56 % busy, and a queue that a Poisson process of that rate does not make.
#[test]
fn bursts_make_a_queue_of_their_own() {
    for (quiet, busy, lasts) in [(40.0, 120.0, [2.0, 0.5]), (0.0, 90.0, [1.0, 2.0])] {
        let text = format!(
            r#"(
    about: "bursts",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Bursty(states: [(rate: "{quiet}/s", lasts: "{}s"), (rate: "{busy}/s", lasts: "{}s")]))],
        services: {{"server": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"))}},
    ),
    run: (duration: "3000s", warm_up: "20s", window: "30s"),
)"#,
            lasts[0], lasts[1]
        );
        let runs = Runs::of(&text, SEEDS);
        let mean = (quiet * lasts[0] + busy * lasts[1]) / (lasts[0] + lasts[1]);
        let number = number([quiet, busy], lasts.map(|lasts| 1.0 / lasts), 100.0);
        let name = format!("MMPP/M/1 of {quiet}/s and {busy}/s");
        let started =
            |report: &sim_models::report::Report| edge(report, "users->server").calls.started as f64 / 2980.0;
        runs.agree(&format!("{name}: mean rate"), started, mean, 0.02);
        runs.agree(
            &format!("{name}: mean response"),
            |report| seconds(edge(report, "users->server").latency.mean),
            number / mean,
            0.02,
        );
        runs.agree(
            &format!("{name}: utilisation"),
            |report| service(report, "server").utilisation,
            mean / 100.0,
            0.02,
        );
        // Far from what a Poisson process of that rate would make of it.
        assert!(number > 2.0 * (mean / 100.0) / (1.0 - mean / 100.0), "{number}");
    }
}
