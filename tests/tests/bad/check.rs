//! What every row of the catalogue is held against.

use brownout_tests::ask::{Ran, ask, is_raw, peak_kib};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What rows change.
pub const BASE: &str = r#"(
    about: "a base",
    model: ServiceGraph(
        workload: [(to: "front", arrivals: Poisson("20/s"), policy: "p")],
        services: {
            "front": (workers: Async(100), work: "1ms", calls: [(to: "back", policy: "p")]),
            "back": (replicas: 2, workers: Blocking(2), work: Exponential(mean: "5ms"), queue: Fifo(capacity: 10)),
        },
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: 2))},
        faults: [(at: "500ms", for: "100ms", on: "back", effect: Errors())],
    ),
    run: (duration: "2s", window: "500ms", seed: 3), variants: {"wide": {"services.back.replicas": 3}},
    expect: [(metric: "success", at_least: 0.1)],
)"#;

/// One file: its number in the catalogue, the text, and what must be said of it.
pub struct Row {
    pub number: u16,
    pub text: Vec<u8>,
    pub says: &'static [&'static str],
    /// It is only in the `sweep` of the file.
    pub of_a_sweep: bool,
}

/// Each command that takes an experiment.
const COMMANDS: [&str; 15] = [
    "validate FILE",
    "run FILE",
    "run FILE --replications 2",
    "compare FILE --replications 2",
    "sweep FILE",
    "sweep plan FILE --set run.seed=5,6",
    "find FILE --set services.back.replicas=1..4",
    "recommend FILE --maximize goodput --set services.back.replicas=1..4",
    "check FILE",
    "trace FILE",
    "histogram FILE",
    "verify FILE",
    "explain FILE",
    "diagram FILE",
    "list metrics FILE",
];
/// Those of them that write into a folder.
const WITH_OUT: [&str; 8] = ["run", "compare", "sweep", "find", "recommend", "check", "trace", "histogram"];

/// What one answer may take: it holds where nothing is optimised and several tests share the processors, too.
const LONGEST: Duration = Duration::from_secs(1);
const MOST_KIB: u64 = 64 << 10;

pub fn brownout(words: &[OsString], input: &[u8]) -> Ran {
    ask(words, input, |_| ())
}

pub fn split(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

/// What holds of every answer.
fn decent(what: &str, ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        for word in ["panicked", "backtrace", "src/", "bug in brownout"] {
            assert!(!text.contains(word), "{what} says `{word}`: {text}");
        }
        assert!(!text.contains(is_raw), "{what} prints raw: {text:?}");
    }
    assert!(ran.took < LONGEST, "{what} took {:?}", ran.took);
}

fn has(what: &str, text: &str, says: &[&str]) {
    for word in says {
        assert!(text.contains(word), "{what} does not say `{word}`: {text}");
    }
}

/// A file that no command runs.
pub fn refused(row: &Row) {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("row.ron"), folder.path().join("out"));
    let concerns = |command: &&str| !(row.of_a_sweep && command.starts_with("sweep plan"));
    for command in COMMANDS.into_iter().filter(concerns) {
        let what = format!("row {:03} · {command}", row.number);
        fs::write(&file, &row.text).unwrap();
        let mut words = split(command);
        words.iter_mut().filter(|word| *word == "FILE").for_each(|word| *word = file.clone().into());
        if WITH_OUT.iter().any(|name| words[0] == *name) && words[1] != "plan" {
            words.extend(["--out".into(), out.clone().into()]);
        }
        let before = peak_kib(true);
        let ran = brownout(&words, b"");
        let grown = peak_kib(false).saturating_sub(before);
        assert_eq!(ran.code, 3, "{what}: {}{}", ran.stdout, ran.stderr);
        decent(&what, &ran);
        assert_eq!(ran.stdout, "", "{what} prints");
        assert!(ran.stderr.starts_with("error"), "{what}: {}", ran.stderr);
        has(&what, &ran.stderr, row.says);
        assert!(ran.stderr.len() < 30_000, "{what} says {} bytes", ran.stderr.len());
        assert!(grown < MOST_KIB, "{what} took {grown} KiB");
        assert!(!out.exists(), "{what} made a folder");
        if command.starts_with("run FILE") {
            assert_eq!(brownout(&words, b"").stderr, ran.stderr, "{what}, a second time");
        }
    }
    // After all that the same command works on a sound file.
    fs::write(&file, BASE).unwrap();
    let words = ["run".into(), file.into(), "--out".into(), out.into()];
    assert_eq!(brownout(&words, b"").code, 0, "row {:03}, then a sound file", row.number);
}

/// A file that runs, of which something is said in `validate`, in `explain`, or on the page of a run.
pub fn works(row: &Row) {
    let what = format!("row {:03}", row.number);
    let mut all = String::new();
    for command in ["validate", "explain", "run --full", "list metrics"] {
        let words: Vec<OsString> = split(command).into_iter().chain(["-".into()]).collect();
        let ran = brownout(&words, &row.text);
        let what = format!("{what} · {command}");
        decent(&what, &ran);
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        for word in ["NaN", "inf/", "inf s", "18446744073709551615"] {
            assert!(!ran.stdout.contains(word), "{what} prints `{word}`: {}", ran.stdout);
        }
        all += &(ran.stdout + &ran.stderr);
    }
    has(&what, &all, row.says);
}

/// A command line, with an experiment on standard input.
pub fn said(line: &str, input: &str, exit: u8, says: &[&str]) {
    let words = split(line);
    let ran = brownout(&words, input.as_bytes());
    decent(line, &ran);
    assert_eq!(ran.code, exit, "{line}: {}{}", ran.stdout, ran.stderr);
    has(line, &(ran.stdout.clone() + &ran.stderr), says);
    if matches!(exit, 1..=3) {
        assert_eq!(ran.stdout, "", "{line} prints");
    }
    assert_eq!(brownout(&words, input.as_bytes()).stderr, ran.stderr, "{line}, a second time");
}

/// A path on the command line.
pub fn at(command: &str, path: &Path, exit: u8, says: &[&str]) {
    let mut words = split(command);
    words.iter_mut().filter(|word| *word == "FILE").for_each(|word| *word = path.into());
    let ran = brownout(&words, BASE.as_bytes());
    let what = format!("{command} with {}", path.display().to_string().chars().take(80).collect::<String>());
    decent(&what, &ran);
    assert_eq!(ran.code, exit, "{what}: {}{}", ran.stdout, ran.stderr);
    has(&what, &ran.stderr, says);
}
