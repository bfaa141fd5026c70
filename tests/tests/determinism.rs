//! The same experiment and seed give the same bytes: twice, on both engines, on any number of threads, on a
//! processor without fused multiply-add, and on every machine and in every profile since the golden digests
//! were written (`tests/golden/digests`; `BROWNOUT_BLESS=1` writes them anew; those of the bundled experiments are
//! held where these are run, in `snapshots`).

use brownout_tests::golden::{self, EVERYTHING, WRITTEN, digest_line};
use brownout_tests::{resolve, run_with};
use sim_core::Engine;
use sim_models::run::RunOptions;
use std::process::Command;

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

/// What is embedded here. The bundled experiments' are held where they are run anyway, in `snapshots`.
#[test]
fn golden_digests() {
    let line = |(name, text): &(&str, &str)| {
        let seed = resolve(text, None).run.seed;
        format!("{name}: {}\n", digest(text, None, seed, Engine::Fast))
    };
    let found: String = WRITTEN.iter().map(line).collect();
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
