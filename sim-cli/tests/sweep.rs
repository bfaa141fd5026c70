//! Sweeps of the real program that are killed, stopped, run out of room or have company: what was done is safe,
//! and the final bytes are those of a sweep that nobody disturbed.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const EXPERIMENT: &str = r#"(
    about: "A service falls behind for a while.",
    model: ServiceGraph(
        workload: [(to: "stock", arrivals: Poisson("200/s"), policy: "eager")],
        services: {"stock": (workers: Blocking(4), queue: Fifo(capacity: 64), work: Exponential(mean: "10ms"))},
        policies: {"eager": (timeout: "100ms", retry: Fixed(attempts: 3))},
        faults: [(at: "6s", for: "2s", on: "stock", effect: Slow(factor: 10.0))],
    ),
    run: (duration: "20s", warm_up: "2s", seed: 7, replications: 10),
)
"#;
const RUNS: usize = 40;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("shop.ron"), EXPERIMENT).expect("written");
        Bench(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn sweep(&self, out: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
        command.args([
            "sweep",
            "shop.ron",
            "--set",
            "services.stock.replicas=1..4",
            "--format",
            "json",
            "--out",
            out,
        ]);
        command.current_dir(self.0.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A sweep that nobody disturbs.
    fn whole(&self) -> String {
        let done = self.sweep("whole").output().expect("started");
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        let written = fs::read_to_string(self.path("whole/sweep.json")).expect("written");
        assert_eq!(String::from_utf8(done.stdout).expect("text"), written);
        written
    }

    fn lines(&self, out: &str) -> usize {
        fs::read(self.path(out).join("runs.jsonl"))
            .map_or(0, |bytes| bytes.iter().filter(|&&b| b == b'\n').count())
    }

    /// Waits until so many runs are in the journal.
    fn wait_for(&self, out: &str, runs: usize, child: &mut Child) {
        while self.lines(out) <= runs {
            assert!(child.try_wait().expect("waited").is_none(), "it is over too soon");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn finish(&self, out: &str, whole: &str) -> Output {
        let done = self.sweep(out).output().expect("started");
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert_eq!(String::from_utf8_lossy(&done.stdout), whole);
        assert_eq!(fs::read_to_string(self.path(out).join("sweep.json")).expect("written"), whole);
        assert!(!self.path(out).join(".lock").exists());
        done
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill").arg(name).arg(child.id().to_string()).status().expect("kill is there");
    assert!(sent.success());
}

#[test]
fn killed_at_random_moments_and_resumed_it_gives_the_same_bytes() {
    let bench = Bench::new();
    let whole = bench.whole();
    let mut luck: u64 = 0x5eed;
    let mut kills = 0;
    for round in 0..40 {
        let out = format!("killed-{round}");
        // Longer each time, so that it ends on a slow machine, too.
        for attempt in 0.. {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let patience = Duration::from_millis((luck >> 33) % 100 + 5 * attempt * attempt);
            let mut child = bench.sweep(&out).spawn().expect("started");
            std::thread::sleep(patience);
            if child.try_wait().expect("waited").is_some() {
                let done = child.wait_with_output().expect("waited");
                assert_eq!(done.status.code(), Some(0), "after {kills} kills: {}", said(&done));
                break;
            }
            child.kill().expect("killed");
            child.wait().expect("waited");
            kills += 1;
        }
        assert_eq!(
            fs::read_to_string(bench.path(&out).join("sweep.json")).expect("written"),
            whole,
            "round {round}"
        );
        if kills >= 12 {
            return;
        }
    }
    panic!("only {kills} of the sweeps were still running when they should be killed");
}

#[test]
fn a_signal_stops_it_and_the_same_command_resumes() {
    let bench = Bench::new();
    let whole = bench.whole();
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let out = format!("stopped{name}");
        let mut child = bench.sweep(&out).spawn().expect("started");
        bench.wait_for(&out, 3, &mut child);
        signal(name, &child);
        let stopped = child.wait_with_output().expect("waited");
        assert_eq!(stopped.status.code(), Some(code), "{}", said(&stopped));
        let runs = bench.lines(&out) - 1;
        assert!((3..RUNS).contains(&runs));
        let words = format!("done {runs} of {RUNS}: the same command resumes");
        assert!(said(&stopped).contains(&words), "{}", said(&stopped));
        assert!(!bench.path(&out).join("sweep.json").exists());
        let resumed = bench.finish(&out, &whole);
        assert!(
            said(&resumed).contains(&format!("{runs} of {RUNS} runs were done before")),
            "{}",
            said(&resumed)
        );
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let bench = Bench::new();
    let whole = bench.whole();
    let blocks = fs::metadata(bench.path("whole/runs.jsonl")).expect("written").len() / 512 / 2;
    let sweep = bench.sweep("full");
    let words: Vec<String> =
        sweep.get_args().map(|word| format!("'{}'", word.to_str().expect("text"))).collect();
    // A limit on the size of a file fails a write in the middle of a line, as a full disk does.
    let script = format!("ulimit -f {blocks}; exec '{}' {}", env!("CARGO_BIN_EXE_brownout"), words.join(" "));
    let done =
        Command::new("sh").args(["-c", &script]).current_dir(bench.0.path()).output().expect("started");
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    let runs = bench.lines("full") - 1;
    assert!((1..RUNS).contains(&runs), "{runs}");
    assert!(said(&done).contains("cannot write full/runs.jsonl"), "{}", said(&done));
    assert!(
        said(&done).contains(&format!("{runs} of {RUNS} runs are safe in full: the same command resumes")),
        "{}",
        said(&done)
    );
    let resumed = bench.finish("full", &whole);
    assert!(!said(&resumed).contains("damaged"), "{}", said(&resumed));
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_writer_is_refused_and_the_lock_of_the_dead_is_not() {
    let bench = Bench::new();
    let whole = bench.whole();
    let mut child = bench.sweep("shared").spawn().expect("started");
    bench.wait_for("shared", 1, &mut child);
    let second = bench.sweep("shared").output().expect("started");
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    assert!(said(&second).contains(&format!("process {} is writing it", child.id())), "{}", said(&second));
    child.kill().expect("killed");
    child.wait().expect("waited");
    assert!(bench.path("shared/.lock").exists());
    let resumed = bench.finish("shared", &whole);
    assert!(said(&resumed).contains("its lock is taken over"), "{}", said(&resumed));
}

#[test]
fn all_shards_of_a_plan_are_started_here() {
    let bench = Bench::new();
    let whole = bench.whole();
    let run = |words: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
        command.arg("sweep").args(words).current_dir(bench.0.path()).stdin(Stdio::null());
        let done = command.output().expect("started");
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", said(&done));
        done
    };
    run(&["plan", "shop.ron", "--set", "services.stock.replicas=1..4", "--out", "plan.json"]);
    let started = run(&["submit", "plan.json", "--shards", "5"]);
    assert!(said(&started).contains("next: brownout sweep merge"), "{}", said(&started));
    assert_eq!(fs::read_dir(bench.path("plan.runs")).expect("there").count(), 6);
    assert_eq!(String::from_utf8_lossy(&run(&["merge", "plan.runs", "--format", "json"]).stdout), whole);
    // A task of an array is told its number by the scheduler.
    let task = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .args(["sweep", "run", "plan.json", "--shards", "5"])
        .env("SLURM_ARRAY_TASK_ID", "3")
        .current_dir(bench.0.path())
        .output()
        .expect("started");
    assert!(said(&task).contains("shard 3/5"), "{}", said(&task));
    for (driver, word) in
        [("local", "--shard 4/5"), ("slurm", "#SBATCH --array=0-4"), ("dask", "dask.distributed")]
    {
        let printed = run(&["submit", "plan.json", "--driver", driver, "--shards", "5", "--print"]);
        assert!(String::from_utf8_lossy(&printed.stdout).contains(word), "{driver}");
    }
    assert!(Path::new(&bench.path("plan.runs")).is_dir());
}
