//! A sweep in shards: whoever makes which part, in which order and on how many threads, the merged bytes are those
//! of the sweep in one go; and what is missing, damaged, changed or mixed is found.

use brownout_tests::Bench;
use serde_json::Value;
use sim_cli::Exit;
use sim_models::experiment::RunSpec;
use sim_models::run::{Observer, RunOptions, RunOutput};
use sim_models::{Catalog, Entry, Scenario};
use std::fs;

const EXPERIMENT: &str = r#"(
    about: "A service falls behind for a while.",
    model: ServiceGraph(
        workload: [(to: "stock", arrivals: Poisson("100/s"), policy: "eager")],
        services: {"stock": (workers: Blocking(2), queue: Fifo(capacity: 64), work: Exponential(mean: "10ms"))},
        policies: {"eager": (timeout: "100ms", retry: Fixed(attempts: 3))},
        faults: [(at: "3s", for: "1s", on: "stock", effect: Slow(factor: 10.0))],
    ),
    run: (duration: "10s", warm_up: "1s", seed: 7, replications: 3),
    sweep: {"services.stock.workers": [Blocking(2), Blocking(4)]},
)
"#;

const AXES: [&str; 4] = [
    "--set",
    "workload[0].arrivals=Poisson(\"60/s\"),Poisson(\"120/s\")",
    "--set",
    "services.stock.replicas=1..4",
];

fn bench() -> Bench {
    Bench::new(&[("shop.ron", EXPERIMENT)]).always(&["sweep"])
}

fn plan(bench: &Bench) {
    bench.good(&[&["plan", "@shop.ron", "--out", "@plan.json"], &AXES[..]].concat());
}

fn shard(bench: &Bench, index: usize, of: usize, out: &str) {
    bench.good(&["run", "@plan.json", "--shard", &format!("{index}/{of}"), "--out", out]);
}

/// What a folder has in the end.
fn written(bench: &Bench, folder: &str) -> [String; 3] {
    sim_cli::internals::RESULTS.map(|name| bench.read(&format!("{folder}/{name}")))
}

/// The sweep in one go: its page, and its files.
fn in_one_go(bench: &Bench) -> (String, [String; 3]) {
    let words: Vec<&str> = ["@shop.ron", "--out", "@whole"].into_iter().chain(AXES).collect();
    let text = bench.good(&words).out;
    (text, written(bench, "whole"))
}

#[test]
fn merged_shards_are_the_sweep_in_one_go() {
    let bench = bench();
    let whole = in_one_go(&bench);
    plan(&bench);
    for of in [1, 2, 7, 64] {
        let out = format!("@in-{of}");
        // Any order, and one of them twice.
        let mut indices: Vec<usize> = (0..of).rev().collect();
        indices.rotate_left(of / 3);
        indices.push(of / 2);
        for index in indices {
            shard(&bench, index, of, &out);
        }
        let text = bench.good(&["merge", &out]).out;
        assert_eq!((text, written(&bench, &format!("in-{of}"))), whole, "{of} shards");
        // And once more, over what it wrote.
        assert_eq!(bench.good(&["merge", "@plan.json", &out, "--format", "json"]).out, whole.1[0]);
    }
}

#[test]
fn a_shard_is_the_same_file_at_any_number_of_threads() {
    let bench = bench();
    plan(&bench);
    let with = |jobs: &str| {
        let out = format!("@jobs-{jobs}");
        bench.good(&["run", "@plan.json", "--shard", "1/2", "--out", &out, "--jobs", jobs]);
        bench.read(&format!("jobs-{jobs}/shard-1-of-2.jsonl"))
    };
    let one = with("1");
    assert_eq!(one, with("2"));
    assert_eq!(one, with("5"));
    for line in one.lines() {
        let _: serde_json::Value = serde_json::from_str(line).expect("every line is JSON");
    }
}

#[test]
fn metrics_are_chosen_when_the_runs_are_there() {
    let bench = bench();
    plan(&bench);
    shard(&bench, 0, 1, "@out");
    let merged = bench.good(&["merge", "@out", "--metric", "services.stock.utilisation", "--format", "csv"]);
    let words: Vec<&str> = ["@shop.ron", "--metric", "services.stock.utilisation", "--format", "csv"]
        .into_iter()
        .chain(AXES)
        .collect();
    assert_eq!(merged.out, bench.good(&words).out);
    let wrong = bench.run(&["merge", "@out", "--metric", "services.stock.utilization"]);
    assert_eq!(wrong.exit, Exit::Usage);
    assert!(wrong.err.contains("services.stock.utilisation"), "{}", wrong.err);
}

/// What is kept of a run is small, but not too small for what is asked.
#[test]
fn parts_of_runs_are_measured_in_a_sweep_too() {
    let bench = bench();
    let metrics = [
        "--metric",
        "success during after",
        "--metric",
        "edges[\"users->stock\"].latency.p90 during 3s..4s",
        "--metric",
        "services.stock.queue_mean during fault",
        "--metric",
        "services.stock.utilisation",
    ];
    let swept = bench.json(&[&["@shop.ron"], &metrics[..]].concat());
    let alone = Bench::new(&[("shop.ron", EXPERIMENT)]);
    for (cell, workers) in ["2", "4"].iter().enumerate() {
        let set = format!("services.stock.workers=Blocking({workers})");
        let replicated =
            alone.json(&[&["run", "@shop.ron", "--replications", "3", "--set", &set], &metrics[..]].concat());
        for column in 0..4 {
            let of = |document: &Value| document[column]["mean"].as_f64().expect("a number");
            let (own, other) = (of(&swept["cells"][cell]["metrics"]), of(&replicated["estimates"]));
            // A percentile of which a run has little to say is known from all runs together there.
            let off = if column == 1 { 0.1 * other } else { 1e-9 };
            assert!((own - other).abs() <= off, "{workers}, {column}: {own}, {other}");
            assert!(own > 0.0 || cell == 0, "{column}");
        }
    }
    // In shards the plan says what there is to keep; in a folder the first sweep.
    bench.good(&[&["plan", "@shop.ron", "--out", "@plan.json"], &metrics[..]].concat());
    shard(&bench, 1, 2, "@parts");
    shard(&bench, 0, 2, "@parts");
    assert_eq!(bench.json("merge @parts"), swept);
    bench.good("@shop.ron --out @store");
    let stored = [&["@shop.ron", "--out", "@store"], &metrics[..]].concat();
    let late = bench.run(&stored);
    assert_eq!(late.exit, Exit::Usage);
    let told = "`success during after` is of a part of a run";
    assert!(late.err.contains(told) && late.err.contains("--fresh"), "{}", late.err);
    assert_eq!(bench.json(&[&stored[..], &["--fresh"]].concat()), swept);
    assert_eq!(bench.json(&stored), swept, "from what was kept");
    plan(&bench);
    shard(&bench, 0, 1, "@whole-runs");
    let late = bench.run(&["merge", "@whole-runs", "--metric", "success during after"]);
    assert!(late.exit == Exit::Usage && late.err.contains("sweep plan"), "{}", late.err);
}

#[test]
fn missing_shards_are_named_with_the_command_that_repeats_them() {
    let bench = bench();
    plan(&bench);
    for index in [0, 1, 3, 4, 6] {
        shard(&bench, index, 7, "@out");
    }
    let said = bench.run(&["merge", "@out"]);
    assert_eq!((said.exit, said.out.as_str()), (Exit::Io, ""), "{}", said.err);
    assert!(said.err.contains("2 of 7 shards are missing or damaged: 2, 5 (7 of 24 runs)"), "{}", said.err);
    let out = bench.path("out");
    let loops = format!(
        "for i in 2 5; do brownout sweep run {0}/plan.json --shard $i/7 --out {0}; done",
        out.display()
    );
    assert!(said.err.contains(&loops) && said.err.contains("--array=2,5"), "{}", said.err);
    // One of them repeated, as it says.
    shard(&bench, 2, 7, "@out");
    let said = bench.run(&["merge", "@plan.json", "@out"]);
    assert!(
        said.err.contains("--shard 5/7") && said.err.contains("1 of 7 shards is missing"),
        "{}",
        said.err
    );
    shard(&bench, 5, 7, "@out");
    bench.good(&["merge", "@out"]);
    let empty = bench.run(&["merge", "@plan.json", "@"]);
    assert_eq!(empty.exit, Exit::Io);
    assert!(empty.err.contains("no shards are in"), "{}", empty.err);
}

#[test]
fn a_damaged_byte_is_found_and_its_shard_repeated() {
    let bench = bench();
    plan(&bench);
    (0..2).for_each(|index| shard(&bench, index, 2, "@out"));
    let whole = bench.good(&["merge", "@out", "--format", "json"]).out;
    let path = bench.path("out/shard-1-of-2.jsonl");
    let sound = fs::read(&path).expect("read");
    // Somewhere in the third run.
    let at = sound.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2).expect("lines").0 + 900;
    let mut damaged = sound.clone();
    damaged[at] ^= 1;
    for bytes in [&damaged[..], &sound[..at], b"", b"something else\n"] {
        fs::write(&path, bytes).expect("written");
        let said = bench.run(&["merge", "@out"]);
        assert_eq!(said.exit, Exit::Io, "{}", said.err);
        assert!(said.err.contains("--shard 1/2"), "{}", said.err);
        shard(&bench, 1, 2, "@out");
        assert_eq!(fs::read(&path).expect("read"), sound);
        assert_eq!(bench.good(&["merge", "@out", "--format", "json"]).out, whole);
    }
}

#[test]
fn a_plan_of_another_version_or_a_changed_one_is_refused() {
    let bench = bench();
    plan(&bench);
    let plan = bench.read("plan.json");
    let version = format!("\"brownout\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for (from, to, why) in [
        (version.as_str(), "\"brownout\": \"99.0.0\"", "brownout 99.0.0 planned it"),
        ("Fifo(capacity: 64)", "Fifo(capacity: 65)", "changed after it was written"),
        ("\"count\": 3", "\"count\": 4", "which its axes do not have"),
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("\"variant\": null", "\"variant\": 5", "no whole plan"),
        ("{", "[", "is no plan"),
    ] {
        assert!(plan.contains(from), "{from}");
        fs::write(bench.path("other.json"), plan.replacen(from, to, 1)).expect("written");
        for command in [&["run", "@other.json", "--shard", "0/1"][..], &["merge", "@other.json", "@"]] {
            let said = bench.run(command);
            assert_eq!(said.exit, Exit::Usage, "{}", said.err);
            assert!(said.err.contains(why), "{to}: {}", said.err);
        }
    }
    assert!(!bench.path("other.runs").exists());
}

#[test]
fn runs_of_two_plans_are_not_mixed() {
    let bench = bench();
    plan(&bench);
    shard(&bench, 0, 2, "@out");
    bench.good(&["plan", "@shop.ron", "--set", "services.stock.replicas=1..3", "--out", "@plan.json"]);
    let said = bench.run(&["run", "@plan.json", "--shard", "1/2", "--out", "@out"]);
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.contains("holds another sweep: its axes"), "{}", said.err);
    let said = bench.run(&["merge", "@plan.json", "@out"]);
    assert!(said.err.contains("holds runs of another plan"), "{}", said.err);
}

#[test]
fn one_run_with_two_results_is_refused() {
    let bench = bench();
    plan(&bench);
    (0..2).for_each(|index| shard(&bench, index, 2, "@out"));
    // Run 0 again, with a report that says something else and a checksum that is right.
    let shard = bench.read("out/shard-0-of-2.jsonl");
    let mut lines = shard.lines();
    let (head, first) = (lines.next().expect("a head"), lines.next().expect("a run"));
    let body = first.split_once("\"report\":").expect("a report").1.strip_suffix('}').expect("an end");
    let changed = body.replacen("\"events\":", "\"events\":1", 1);
    let (line, _) = sim_cli::internals::line::write(0, sim_cli::internals::line::Kind::Report, &changed);
    fs::write(bench.path("out/shard-0-of-24.jsonl"), format!("{head}\n{line}")).expect("written");
    let said = bench.run(&["merge", "@out"]);
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.err.contains("run 0 has two results") && said.err.contains("--shard 0/24"), "{}", said.err);
}

#[test]
fn a_folder_is_resumed_by_the_same_sweep_only() {
    let bench = bench();
    let words = |more: &[&'static str]| -> Vec<&'static str> {
        ["@shop.ron", "--out", "@store"].into_iter().chain(AXES).chain(more.iter().copied()).collect()
    };
    let first = bench.good(&words(&["--format", "json"]));
    let again = bench.good(&words(&["--format", "json"]));
    assert!(again.err.contains("24 of 24 runs were done before"), "{}", again.err);
    assert_eq!(first.out, again.out);
    // Other metrics need no run; another seed is another sweep.
    let other = bench.good(&words(&["--metric", "services.stock.utilisation", "--format", "csv"]));
    assert!(other.out.contains("services.stock.utilisation"), "{}", other.out);
    let said = bench.run(&words(&["--seed", "8"]));
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.contains("another sweep: its seeds: 3 from 7; now 3 from 8"), "{}", said.err);
    let fresh = bench.good(&words(&["--seed", "8", "--fresh"]));
    assert!(fresh.err.contains("old-1") && bench.path("store/old-1/runs.jsonl").exists(), "{}", fresh.err);
    // What is damaged is put aside, counted and run again.
    let journal = bench.path("store/runs.jsonl");
    let mut bytes = fs::read(&journal).expect("read");
    let (middle, end) = (bytes.len() / 2, bytes.len() - 10);
    bytes[middle] ^= 4;
    bytes.truncate(end);
    fs::write(&journal, &bytes).expect("written");
    let said = bench.good(&words(&["--seed", "8"]));
    assert!(said.err.contains("2 damaged lines") && said.err.contains("22 of 24"), "{}", said.err);
    assert_eq!(said.out, fresh.out);
    assert!(bench.path("store/runs.jsonl.bad-1").exists());
    for bytes in [&b""[..], b"foreign\n"] {
        fs::write(&journal, bytes).expect("written");
        assert_eq!(bench.good(&words(&["--seed", "8"])).out, fresh.out);
    }
}

#[test]
fn what_is_wrong_with_axes_is_told_together() {
    let bench = bench();
    let said = bench.run(&[
        "@shop.ron",
        "--set",
        "services.stok.replicas=1..3",
        "--set",
        "services.stock.replicas=2,0",
        "--set",
        "run.duration=9s..1s:1s",
        "--set",
        "run.warm_up=1s..1s:1s",
    ]);
    assert_eq!(said.exit, Exit::Invalid);
    for why in ["no `stok` here", "got 0", "never reaches its end", "the range has one value"] {
        assert!(said.err.contains(why), "{why}: {}", said.err);
    }
    for (axes, why) in [
        (&["--set", "services.stock.replicas=1,2", "--set", "services.stock=1,2"][..], "set the same value"),
        (&["--set", "run.duration=10s,10000ms"], "occurs twice"),
        (&["--set", "services.stock.replicas=1..1000", "--set", "run.seed=1..1000"], "1000 x 1000 points"),
        // Neither value is wrong alone.
        (
            &["--set", "run.warm_up=1s,9s", "--set", "run.duration=10s,5s"],
            "must be shorter than the duration",
        ),
    ] {
        let words: Vec<&str> = ["@shop.ron"].into_iter().chain(axes.iter().copied()).collect();
        let said = bench.run(&words);
        assert_eq!((said.exit, said.out.as_str()), (Exit::Invalid, ""), "{axes:?}: {}", said.err);
        assert!(said.err.contains(why), "{why}: {}", said.err);
    }
    // One value fixes an axis of the file, and then nothing varies.
    let said = bench.run(&["@shop.ron", "--set", "services.stock.workers=Blocking(3)"]);
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.contains("nothing is left to vary"), "{}", said.err);
}

#[test]
fn seeds_can_be_an_axis() {
    let bench = bench();
    let swept = bench.good(&[
        "@shop.ron",
        "--set",
        "run.seed=7,8,9",
        "--replications",
        "1",
        "--metric",
        "success",
        "--format",
        "csv",
    ]);
    let means: Vec<&str> =
        swept.out.lines().skip(1).map(|line| line.split(',').nth(5).expect("a mean")).collect();
    assert!(means[0] != means[1] && means[1] != means[2], "{}", swept.out);
    bench.good(&[
        "plan",
        "@shop.ron",
        "--set",
        "run.seed=7,8,9",
        "--replications",
        "1",
        "--out",
        "@plan.json",
    ]);
    (0..2).for_each(|index| shard(&bench, index, 2, "@out"));
    assert_eq!(bench.good(&["merge", "@out", "--metric", "success", "--format", "csv"]).out, swept.out);
    for (words, why) in [
        (&["--set", "run.seed=1,2", "--seed", "5"][..], "run.seed is set twice"),
        (&["--set", "run.replications=1,2"], "say how many with --replications"),
    ] {
        let said = bench.run(&[&["@shop.ron"], words].concat());
        assert_eq!(said.exit, Exit::Usage);
        assert!(said.err.contains(why), "{}", said.err);
    }
}

#[test]
fn a_precision_and_a_warm_up_are_for_sweeps_too() {
    let bench = bench();
    let axis = ["--set", "services.stock.replicas=2,3", "--metric", "services.stock.utilisation"];
    let swept = |more: &[&str]| bench.run(&[&["@shop.ron"], &axis[..], more].concat());
    let said = swept(&["--precision", "20%", "--format", "json"]);
    assert_eq!(said.exit, Exit::Good, "{}", said.err);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let seeds = json["seeds"]["count"].as_u64().expect("a number");
    assert!(seeds >= 10 && json["cells"][1]["metrics"][0]["n"] == seeds, "{json}");
    // The same seeds, said.
    let same = swept(&["--replications", &seeds.to_string(), "--format", "json"]);
    assert_eq!(same.out, said.out);
    let never = swept(&["--precision", "0.01%", "--max-replications", "10"]);
    assert_eq!(never.exit, Exit::Limit, "{}", never.err);
    assert!(
        never.out.contains("INCOMPLETE: a precision of 0.01 % is not reached on 10 seeds"),
        "{}",
        never.out
    );
    for more in [&["--precision", "5%", "--out", "@store"][..], &["--precision", "5%", "--replications", "5"]]
    {
        assert_eq!(swept(more).exit, Exit::Usage);
    }
    let planned = bench.run(&[&["plan", "@shop.ron"], &axis[..], &["--precision", "5%"]].concat());
    assert_eq!(planned.exit, Exit::Usage);
    assert!(planned.err.contains("--replications 20"), "{}", planned.err);
    // A warm-up is a setting like any other, also in a plan.
    let warm = swept(&["--warm-up", "2s", "--format", "json"]);
    assert_eq!(warm.out, swept(&["--set", "run.warm_up=2s", "--format", "json"]).out);
    let plan = bench.good(&[&["plan", "@shop.ron"], &axis[..], &["--warm-up", "auto"]].concat());
    assert!(plan.out.contains("run.warm_up") && plan.err.contains("MSER-5"), "{}", plan.err);
    let twice = swept(&["--warm-up", "2s", "--set", "run.warm_up=1s"]);
    assert!(twice.exit == Exit::Usage && twice.err.contains("given twice"), "{}", twice.err);
}

sim_models::spec! {
    /// A model that breaks at a size.
    pub struct Brittle {
        /// It breaks at 3.
        size: u32 = 1,
    }
}

impl Scenario for Brittle {
    fn run(&self, _: &RunSpec, options: &RunOptions, _: Observer) -> RunOutput {
        assert!(self.size != 3 || options.seed != 10, "three is too much");
        let mut output = RunOutput::default();
        output.report.summary.goodput = Some(f64::from(self.size));
        output
    }
}

#[test]
fn a_bug_in_one_run_leaves_the_others() {
    let mut catalog = Catalog::bundled();
    catalog.add(Entry::of::<Brittle>("Brittle", "it breaks", 1));
    let file = r#"(about: "A bug.", model: Brittle(), run: (duration: "1s", seed: 9, replications: 2))"#;
    let bench = Bench::new(&[("shop.ron", file)]).knowing(catalog).always(&["sweep"]);
    let axis = ["--set", "size=1..4", "--metric", "goodput"];
    let whole = bench.run(&[&["@shop.ron"], &axis[..], &["--out", "@whole"]].concat());
    assert_eq!(whole.exit, Exit::Bug, "{}", whole.err);
    assert!(whole.out.contains("INCOMPLETE: a bug in brownout ended 1 of 8 runs"), "{}", whole.out);
    assert!(
        whole.err.contains("three is too much") && whole.err.contains("--set size=3 --seed 10"),
        "{}",
        whole.err
    );
    assert!(!whole.err.contains("panicked"), "{}", whole.err);
    bench.good(&[&["plan", "@shop.ron"], &axis[..], &["--out", "@plan.json"]].concat());
    for index in 0..3 {
        let said = bench.run(&["run", "@plan.json", "--shard", &format!("{index}/3"), "--out", "@out"]);
        let breaks = index == 5 % 3;
        assert_eq!(said.exit, if breaks { Exit::Bug } else { Exit::Good }, "{}", said.err);
        assert_eq!(breaks, said.err.contains("--shard 5/8"), "{}", said.err);
    }
    let merged = bench.run(&["merge", "@out"]);
    assert_eq!((merged.exit, merged.out), (Exit::Bug, whole.out));
    assert_eq!(bench.read("out/sweep.json"), bench.read("whole/sweep.json"));
}

#[test]
fn a_limit_in_one_run_marks_its_cell() {
    let bench = bench();
    let words = ["@shop.ron", "--set", "run.duration=2s,10s", "--max-events", "2000", "--out", "@whole"];
    let whole = bench.run(&words);
    assert_eq!(whole.exit, Exit::Limit, "{}", whole.err);
    let row = |at: &str| {
        whole.out.lines().find(|line| line.trim_start().starts_with(at)).expect("a row").to_string()
    };
    assert!(!row("2s").contains("cut") && row("10s").contains("3, 3 cut short"), "{}", whole.out);
    bench.good(&[
        "plan",
        "@shop.ron",
        "--set",
        "run.duration=2s,10s",
        "--max-events",
        "2000",
        "--out",
        "@plan.json",
    ]);
    assert_eq!(bench.run(&["run", "@plan.json", "--shard", "0/1", "--out", "@out"]).exit, Exit::Limit);
    let merged = bench.run(&["merge", "@out"]);
    assert_eq!((merged.exit, merged.out), (Exit::Limit, whole.out));
}
