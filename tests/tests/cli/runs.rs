use crate::{TOY, brownout, with_console, with_input};
use serde_json::Value;
use sim_cli::Exit;
use sim_models::Catalog;
use std::fs;
use tempfile::tempdir;

fn json(words: &[&str]) -> Value {
    let ran = with_input(words, TOY);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}\n{ran}"))
}

/// A queue that grows for ever ends with a word, before the memory does.
#[test]
fn a_run_ends_when_its_memory_is_full() {
    let grows =
        TOY.replace("work: Exponential(mean: \"10ms\")", "work: \"1h\", queue: Fifo(capacity: Unbounded)");
    let words = [
        "run",
        "-",
        "--set",
        "workload[0].arrivals=100000/s",
        "--set",
        "policies={}",
        "--set",
        "workload[0].policy=None",
    ];
    let ran = with_input(&[&words[..], &["--max-memory", "128MiB", "--jobs", "2"]].concat(), &grows);
    assert_eq!(ran.exit, Exit::Limit, "{}", ran.stderr);
    // 64 MiB besides, 8 for states that runs have in common, an eighth for a state of their own; the rest for two runs, of 256 bytes a call.
    assert!(ran.stderr.contains("100353 calls and 100352 requests in flight"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`desk` holds 100352 requests") && ran.stderr.contains("--max-memory"),
        "{}",
        ran.stderr
    );
    // Whoever stands in line at the caller's takes memory like any other.
    let lines =
        [&words[..4], &["--set", "policies.patient=(bulkhead: (max_concurrent: 1, max_wait: \"1h\"))"]]
            .concat();
    let lines: Vec<&str> = lines.into_iter().chain(["--max-in-flight", "1000"]).collect();
    let ran = with_input(&lines, &grows);
    assert_eq!(ran.exit, Exit::Limit, "{}", ran.stderr);
    assert!(ran.stderr.contains("1001 calls and 1 requests in flight"), "{}", ran.stderr);
    for wrong in ["1GB", "0MiB", "99999999999999GiB", "MiB", "2"] {
        assert_eq!(with_input(&["run", "-", "--max-memory", wrong], TOY).exit, Exit::Usage, "{wrong}");
    }
}

/// The p99 of those few that were answered is no virtue of a cell: whose it is stands beside it.
#[test]
fn a_sweep_says_of_whom_a_response_time_is() {
    let sweep = |format: &str| {
        let axis = "policies.naive.retry.attempts=1,3";
        let words = [
            "sweep",
            "retry-storm",
            "--set",
            axis,
            "--replications",
            "2",
            "--metric",
            "p99",
            "--format",
            format,
        ];
        let ran = brownout(&words);
        assert_eq!(ran.exit, Exit::Good, "{}", ran.stderr);
        ran.stdout
    };
    for format in ["text", "markdown"] {
        let said = sweep(format);
        let row = |attempts: &str| {
            let starts = |line: &&str| {
                line.trim_start_matches(['|', ' ']).starts_with(attempts) && line.contains("ms")
            };
            said.lines().find(starts).unwrap_or_else(|| panic!("{said}")).to_string()
        };
        // 15 % are answered before it tips over; with one attempt it never does.
        assert!(row("3").contains("of 14 %") || row("3").contains("of 15 %"), "{said}");
        assert!(row("1").contains("of 89 %"), "{said}");
    }
    assert!(sweep("text").contains("of the 14 % that ended well"));
}

/// When the time is up, what there is by then is told, marked, and kept nowhere.
#[test]
fn a_command_ends_when_its_time_is_up() {
    let long = ["--set", "run.duration=10h", "--set", "workload[0].arrivals=10000/s", "--max-wall", "300ms"];
    let run = with_input(&[&["run", "-"], &long[..]].concat(), TOY);
    assert_eq!(run.exit, Exit::Limit, "{}", run.stderr);
    for said in [&run.stdout, &run.stderr] {
        assert!(said.contains("(--max-wall): how far it gets depends on"), "{said}");
    }
    for words in [&["compare", "-"][..], &["run", "-", "--replications", "3"]] {
        let ran = with_input(&[words, &long].concat(), TOY);
        assert_eq!(ran.exit, Exit::Limit, "{words:?}: {}{}", ran.stdout, ran.stderr);
    }
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    let sweep = ["sweep", "-", "--set", "services.desk.replicas=1,2", "--out", out.to_str().unwrap()];
    let ran = with_input(&[&sweep, &long[..]].concat(), TOY);
    assert_eq!(ran.exit, Exit::Limit, "{}", ran.stderr);
    let journal = fs::read_to_string(out.join("runs.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 1, "only its head: {journal}");
    // What is cut before anything is measured says nothing about its expectations, and not that they are mistakes.
    let early = brownout(&["run", "utilisation-knee", "--max-events", "1000"]);
    assert_eq!(early.exit, Exit::Limit, "{early}");
    assert!(!early.stderr.contains("has no metric"), "{early}");
    // Three runs that the clock cuts end in three places: that is no difference.
    let ran = with_input(&[&["verify", "-"], &long[..]].concat(), TOY);
    assert_eq!((ran.exit, ran.stderr.contains("not the same")), (Exit::Limit, false), "{ran}");
    assert!(ran.stdout.contains("not compared: what --max-wall cuts"), "{ran}");
    // Time enough.
    assert_eq!(with_input(&["run", "-", "--max-wall", "1h"], TOY).exit, Exit::Good);
    let ran = with_input(&["run", "-", "--max-wall", "0s"], TOY);
    assert!(ran.exit == Exit::Usage && ran.stderr.contains("longer than 0"), "{}", ran.stderr);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for format in ["text", "json", "csv"] {
        let run = |more: &[&str]| with_input(&[&["run", "-", "--format", format], more].concat(), TOY).stdout;
        let first = run(&[]);
        assert!(!first.is_empty());
        assert_eq!(first, run(&[]));
        assert_eq!(first, run(&["--engine", "reference"]));
        assert_eq!(first, run(&["--jobs", "3", "--seed", "7"]));
        assert_ne!(first, run(&["--seed", "8"]));
    }
}

#[test]
fn a_report_in_json_reads_back() {
    let text = with_input(&["run", "-", "--format", "json"], TOY).stdout;
    let report = sim_models::report::Report::from_json(&text).unwrap();
    assert_eq!((report.experiment.as_str(), report.run.seed), ("stdin", 7));
    assert_eq!(report.variant, None);
    let slow =
        json(&["run", "-", "--format", "json", "--variant", "slow", "--set", "services.desk.replicas=2"]);
    assert_eq!(slow["variant"], "slow");
    assert_eq!(slow["overrides"], serde_json::json!([["services.desk.replicas", "2"]]));
}

#[test]
fn csv_is_a_row_per_window() {
    let text = with_input(&["run", "-", "--format", "csv"], TOY).stdout;
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("from,to,offered,ok,failed,attempts,"));
    assert_eq!(lines.count(), 20);
}

#[test]
fn a_failed_expectation_says_how_to_see_it_again() {
    let wrong = TOY.replace("at_least: 0.9", "at_most: 0.1");
    let ran = with_input(&["run", "-"], &wrong);
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(ran.stderr, "1 of 1 expectations failed\n  again: brownout run - --seed 7\n");
    // The seed of the file is the file's seed, wherever it was said.
    assert_eq!(with_input(&["run", "-", "--seed", "7"], &wrong).exit, Exit::Failed);
    // Under other circumstances it is shown and not enforced.
    for more in [&["--seed", "8"][..], &["--set", "services.desk.replicas=2"]] {
        let shown = with_input(&[&["run", "-"], more].concat(), &wrong);
        assert_eq!(shown.exit, Exit::Good, "{}", shown.stderr);
        assert!(shown.stdout.contains("not enforced"), "{}", shown.stdout);
    }
    // Of another variant nothing of this kind is expected.
    assert_eq!(with_input(&["run", "-", "--variant", "slow"], &wrong).exit, Exit::Good);
    let checked = with_input(&["check", "-"], &wrong);
    assert_eq!(checked.exit, Exit::Failed);
    assert!(checked.stdout.contains("again: brownout run - --seed 7"), "{}", checked.stdout);
}

#[test]
fn a_limit_keeps_the_partial_result() {
    let ran = with_input(&["run", "-", "--max-events", "500", "--format", "json"], TOY);
    assert_eq!(ran.exit, Exit::Limit);
    let report = sim_models::report::Report::from_json(&ran.stdout).unwrap();
    assert!(report.stopped.is_some() && report.run.events <= 500);
    assert!(ran.stderr.contains("again: brownout run - --seed 7 --max-events 500"), "{}", ran.stderr);
    assert_eq!(with_input(&["check", "-", "--max-events", "500"], TOY).exit, Exit::Limit);
    assert_eq!(with_input(&["verify", "-", "--max-events", "500"], TOY).exit, Exit::Limit);
}

#[test]
fn a_signal_ends_the_run_at_the_next_window() {
    for (signal, code) in [(Exit::Interrupted, 130), (Exit::Terminated, 143)] {
        let stop = |words: &[&str]| {
            with_console(&Catalog::bundled(), words, TOY, |console| console.interrupt.raise(signal))
        };
        let ran = stop(&["run", "-", "--format", "json"]);
        assert_eq!(ran.exit.code(), code);
        let report = sim_models::report::Report::from_json(&ran.stdout).unwrap();
        assert!(report.stopped.is_some(), "what was reached is printed and marked");
        assert!(ran.stderr.contains("again: brownout run - --seed 7"), "{}", ran.stderr);
        assert_eq!(stop(&["verify", "-"]).exit.code(), code);
        assert_eq!(stop(&["check", "-"]).exit.code(), code);
    }
}

#[test]
fn two_engines_agree() {
    let document = json(&["verify", "-", "--variant", "slow", "--format", "json"]);
    assert_eq!(document["verified"][0]["same"], true);
    assert_eq!(document["verified"][0]["runs"].as_array().unwrap().len(), 3);
    assert_eq!(with_input(&["verify", "-"], TOY).exit, Exit::Good);
}

#[test]
fn the_canonical_form_is_the_same_experiment() {
    let folder = tempdir().unwrap();
    let (file, effective) = (folder.path().join("toy.ron"), folder.path().join("effective.ron"));
    fs::write(&file, TOY).unwrap();
    let file = file.to_str().unwrap();
    fs::write(&effective, brownout(&["show", file, "--effective"]).stdout).unwrap();
    assert_eq!(brownout(&["show", file]).stdout, TOY);
    let digest = |file: &str| {
        let text = brownout(&["run", file, "--format", "json"]).stdout;
        sim_models::report::Report::from_json(&text).unwrap().digest
    };
    assert_eq!(digest(file), digest(effective.to_str().unwrap()));
}

#[test]
fn diff_names_the_numbers_and_the_first_event() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("toy.ron");
    fs::write(&file, TOY).unwrap();
    let file = file.to_str().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    brownout(&["run", file, "--out", out]);

    assert_eq!(brownout(&["diff", file, &format!("{file}@7")]).exit, Exit::Good);
    assert_eq!(brownout(&["diff", out, file]).exit, Exit::Good);
    let seeds = brownout(&["diff", file, &format!("{file}@8"), "--format", "json"]);
    assert_eq!(seeds.exit, Exit::Failed);
    let seeds: Value = serde_json::from_str(&seeds.stdout).unwrap();
    assert_eq!(seeds["same"], false);
    assert!(!seeds["numbers"].as_array().unwrap().is_empty());
    let first = seeds["event"]["first"].as_u64().unwrap();
    let side = |name: &str| -> Vec<Value> {
        let lines = seeds["event"][name].as_array().unwrap();
        lines.iter().filter(|line| line["event"] == first).cloned().collect()
    };
    assert_ne!(side("a"), side("b"), "the event that is named first differs");
    let variants = brownout(&["diff", file, &format!("{file}:slow")]);
    assert_eq!(variants.exit, Exit::Failed);
    assert!(variants.stdout.contains("the first different event is number"), "{}", variants.stdout);
}

#[test]
fn validate_tells_programs_too() {
    let broken = TOY.replace("workers", "wrokers");
    let ran = with_input(&["validate", "-", "--format", "json"], &broken);
    assert_eq!(ran.exit, Exit::Invalid);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let file = &document["files"][0];
    assert_eq!((&file["file"], &file["valid"]), (&"<stdin>".into(), &false.into()));
    let problem =
        file["problems"].as_array().unwrap().iter().find(|p| p["line"] == 5 && p["severity"] == "error");
    assert!(problem.is_some(), "{file}");
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let block = |start: &str| {
        let from = readme.find(start).expect("the README has it") + start.len();
        readme[from..].split("```").next().unwrap().to_string()
    };
    let page = brownout(&["run", "retry-storm"]).stdout;
    assert_eq!(
        format!("retry-storm{}", block("```\nretry-storm")),
        page,
        "the README shows what is not printed"
    );
    let ran = with_input(&["check", "-"], &block("```ron\n"));
    assert_eq!(ran.exit.code(), 0, "{ran}");
}

#[test]
fn a_sweep_over_the_number_of_servers_shows_what_all_cells_have() {
    let swept = json(&["sweep", "n-servers", "--replications", "1", "--format", "json"]);
    let metrics = swept["metrics"].as_array().unwrap();
    let paths: Vec<&str> = metrics.iter().map(|metric| metric["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"values.success.value"), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("joint")), "{paths:?}");
}

#[test]
fn a_page_over_many_seeds_says_how_to_have_it_again() {
    let page = brownout(&["run", "utilisation-knee", "--replications", "2", "--metric", "p99"]).stdout;
    let again = "brownout run utilisation-knee --seed 42 --replications 2 --metric p99";
    assert!(page.lines().any(|line| line.trim() == format!("all of it  {again} --full")), "{page}");
    let full =
        brownout(&["run", "utilisation-knee", "--replications", "2", "--metric", "p99", "--full"]).stdout;
    assert!(full.lines().any(|line| line.trim() == format!("again    {again}")), "{full}");
}

/// The page is short wherever it goes, `--full` prints what `report.txt` has, and the other forms have no shorter one.
#[test]
fn the_page_is_short_unless_all_of_it_is_asked_for() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    let short = with_input(&["run", "-", "--out", out.to_str().unwrap()], TOY).stdout;
    let full = with_input(&["run", "-", "--full"], TOY).stdout;
    assert_eq!(full, fs::read_to_string(out.join("report.txt")).unwrap());
    assert!(short.lines().count() <= 23 && full.contains("Little's law") && !short.contains("Little's law"));
    assert!(short.contains("  all of it  brownout run - --seed 7 --full\n"), "{short}");
    let terminal = with_console(&Catalog::bundled(), &["run", "-", "--color", "never"], TOY, |console| {
        console.stdout_terminal = Some(100)
    });
    assert_eq!(terminal.stdout, short);
    for format in ["json", "csv", "tidy-csv", "openmetrics"] {
        let ran = with_input(&["run", "-", "--full", "--format", format], TOY);
        assert!(ran.exit == Exit::Usage && ran.stderr.contains("have all of it anyway"), "{ran}");
    }
}
