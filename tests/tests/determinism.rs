//! The same experiment and seed give the same bytes: twice, on both engines, on any number of threads, on a
//! processor without fused multiply-add, and on every machine and in every profile since the golden digests
//! were written (`tests/golden/digests`; `BROWNOUT_BLESS=1` writes them anew; those of the bundled experiments are
//! held where these are run, in `snapshots`).

use brownout_tests::golden::{self, digest_line};
use brownout_tests::{resolve, run_with};
use sim_core::Engine;
use sim_models::run::RunOptions;
use std::process::Command;

/// Everything that draws, waits, fails and retries, in one experiment.
const EVERYTHING: &str = r#"(
    about: "one of each",
    model: ServiceGraph(
        workload: [
            (to: "front", arrivals: Poisson("200/s"), clients: 5, policy: "breaker"),
            (name: "loop", to: "front", arrivals: ClosedLoop(users: 20, think: LogNormal(median: "50ms", p99: "1s"))),
            (name: "ramp", to: "store", arrivals: Ramp(from: "10/s", to: "200/s", at: "2s", over: "10s")),
        ],
        services: {
            "front": (replicas: 3, workers: Async(16), work: LogNormal(mean: "4ms", cv: 1.5), calls: [
                (to: "store", policy: "retry"),
                Parallel([(to: "cache", times: 3, optional: true), (to: "slow", probability: 0.3, policy: "budget")]),
            ]),
            "cache": (replicas: 2, workers: Blocking(2), work: Weibull(shape: 0.7, scale: "2ms"), queue: SharedFifo()),
            "slow": (workers: Blocking(20), work: BoundedPareto(low: "5ms", high: "2s", shape: 1.3), queue: Lifo(capacity: 30)),
            "store": (replicas: 4, workers: Blocking(3), work: Erlang(k: 3, mean: "12ms"), error_rate: 0.02,
                      dies: (at_in_flight: 80, restart_after: "1s"), queue: Fifo(capacity: 100, drop_expired: true)),
        },
        policies: {
            "retry": (timeout: "100ms", retry: Exponential(attempts: 4, base: "10ms", jitter: Decorrelated), balancer: PowerOfTwo),
            "budget": (timeout: "300ms", retry: Fixed(attempts: 3, delay: "5ms"), budget: Ratio(ratio: 0.2), balancer: Random),
            "breaker": (deadline: "1s", timeout: "400ms", breaker: FailureRate(threshold: 0.5, window: Time("2s"), minimum_calls: 20, open_for: "500ms")),
        },
        faults: [
            (at: "5s", for: "3s", on: "store", effect: Slow(factor: 4), replicas: Fraction(0.5)),
            (at: "6s", for: "1s", on: "front->store", effect: Hold),
            (at: "9s", for: "2s", on: "store", effect: Crash(callers: Silence), replicas: Only([2])),
            (at: "12s", for: "1s", on: "slow", effect: Drop(probability: 0.3)),
        ],
        network: Exponential(mean: "500us"),
    ),
    run: (duration: "20s", warm_up: "1s"),
)"#;

fn digest(text: &str, variant: Option<&str>, seed: u64, engine: Engine) -> String {
    digest_line(&run_with(&resolve(text, variant), &RunOptions { engine, ..RunOptions::seeded(seed) }).report)
}

#[test]
fn twice_and_on_both_engines() {
    let first = digest(EVERYTHING, None, 1, Engine::Fast);
    assert_eq!(first, digest(EVERYTHING, None, 1, Engine::Fast), "not the same twice");
    assert_eq!(first, digest(EVERYTHING, None, 1, Engine::Reference), "the reference engine differs");
    let other = digest(EVERYTHING, None, 2, Engine::Fast);
    let part = |line: &str, n: usize| line.split(' ').nth(n).map(str::to_owned);
    for n in [1, 3, 5, 7] {
        assert_ne!(part(&first, n), part(&other, n), "another seed leaves a part of the digest");
    }
}

#[test]
fn on_many_threads_at_once() {
    let one_by_one: Vec<String> = (1..=8).map(|seed| digest(EVERYTHING, None, seed, Engine::Fast)).collect();
    let at_once: Vec<String> = std::thread::scope(|scope| {
        let run = |seed| scope.spawn(move || digest(EVERYTHING, None, seed, Engine::Fast));
        let running: Vec<_> = (1..=8).map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("a run does not panic")).collect()
    });
    assert_eq!(one_by_one, at_once);
}

/// Comments, spaces and the order of fields are not the experiment.
#[test]
fn the_same_experiment_written_otherwise() {
    let resolved = resolve(EVERYTHING, None);
    let canonical = resolved.canonical.to_string();
    assert_eq!(digest(EVERYTHING, None, 1, Engine::Fast), digest(&canonical, None, 1, Engine::Fast));
    assert_eq!(
        resolve(&canonical, None).canonical.to_string(),
        canonical,
        "canonical text is not a fixed point"
    );
}

const RANDOM: [(&str, &str); 3] = [
    ("random-3", include_str!("../golden/random/3.ron")),
    ("random-14", include_str!("../golden/random/14.ron")),
    ("random-159", include_str!("../golden/random/159.ron")),
];

/// What is embedded here. The bundled experiments' are held where they are run anyway, in `snapshots`.
#[test]
fn golden_digests() {
    let mut texts = vec![("everything".to_owned(), EVERYTHING.to_owned())];
    // Three of the random experiments, written down: whoever makes them up may change its mind.
    texts.extend(RANDOM.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let line = |(name, text): &(String, String)| {
        let seed = resolve(text, None).run.seed;
        format!("{name}: {}\n", digest(text, None, seed, Engine::Fast))
    };
    let found: String = texts.iter().map(line).collect();
    golden::hold("digests/embedded.txt", &found, "determinism golden_digests");
}

const MASKED: &str = "BROWNOUT_TEST_MASKED";
const MASK: &str = "glibc.cpu.hwcaps=-FMA,-AVX2_Usable,-AVX2,-FMA4";

/// Bits of std's logarithm over many inputs: the control that the mask works.
#[allow(clippy::disallowed_methods)]
fn std_ln() -> u64 {
    let inputs = (1..500_000u32).map(|n| std::hint::black_box(f64::from(n) * 3.3e-7));
    inputs.fold(0, |bits: u64, x| bits.rotate_left(1) ^ x.ln().to_bits())
}

fn masked_digests() -> String {
    let runs = (1..=3).map(|seed| digest(EVERYTHING, None, seed, Engine::Fast));
    format!("digests {}", runs.collect::<Vec<_>>().join(" | "))
}

/// The same binary on a processor without fused multiply-add: glibc is told to do without, in a second
/// process. std's `ln` must change there, or the mask did nothing and the check says that it was left out.
#[test]
fn without_fused_multiply_add() {
    if std::env::var_os(MASKED).is_some() {
        // The second process: what follows is read by the first.
        println!("\ncontrol {:016x}\n{}", std_ln(), masked_digests());
        return;
    }
    let program = std::env::current_exe().expect("a test knows its binary");
    let output = Command::new(program)
        .args(["--exact", "without_fused_multiply_add", "--nocapture"])
        .env(MASKED, "1")
        .env("GLIBC_TUNABLES", MASK)
        .output()
        .expect("a test can run itself");
    let said = String::from_utf8_lossy(&output.stdout);
    let find = |what: &str| said.lines().find(|line| line.starts_with(what)).map(str::to_owned);
    let (Some(control), Some(masked)) = (find("control"), find("digests")) else {
        panic!(
            "the second process said nothing of use:\n{said}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    if control == format!("control {:016x}", std_ln()) {
        println!("left out: masking fused multiply-add changes nothing here, not even std's ln");
    } else {
        println!("masked: std's ln differs, ours must not");
    }
    assert_eq!(masked, masked_digests(), "results depend on the processor");
}
