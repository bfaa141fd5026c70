//! `check` as a regression test of one's own models: many seeds, what moved, forms for CI.

use crate::{TOY, brownout, with_console, with_input};
use sim_cli::Exit;
use sim_models::Catalog;
use std::fs;
use tempfile::tempdir;

/// The toy with these expectations in place of its own.
fn expecting(expectations: &str) -> String {
    let (head, _) = TOY.split_once("    expect: [").unwrap();
    format!("{head}    expect: [\n{expectations}\n    ],\n)\n")
}

#[test]
fn an_expectation_over_seeds_holds_fails_or_stays_open() {
    let text = expecting(
        r#"        (metric: "p50", at_most: "20ms", seeds: 5),
        (metric: "p50", at_most: "1ms", seeds: 5),
        (metric: "offered", at_most: "50/s", seeds: 5),
        (variant: "slow", metric: "time_to_recover", at_most: "1s", seeds: 3),
        (metric: "p50", at_most: "20ms"),"#,
    );
    let checked = with_input(&["check", "-"], &text);
    assert_eq!(checked.exit, Exit::Failed);
    insta::assert_snapshot!("check_over_seeds", checked.to_string());
    // The order of finishing never shows.
    assert_eq!(with_input(&["check", "-", "--jobs", "1"], &text).stdout, checked.stdout);
    // A run alone decides nothing that needs more seeds.
    let ran = with_input(&["run", "-"], &text);
    assert_eq!(ran.exit, Exit::Good, "{}", ran.stdout);
    assert!(ran.stdout.contains("5 seeds decide: brownout check"), "{}", ran.stdout);

    let open = expecting(r#"        (metric: "offered", at_most: "50/s"),"#);
    let check = |more: &[&str]| with_input(&[&["check", "-", "--seeds", "5"], more].concat(), &open);
    assert_eq!((check(&[]).exit, check(&["--allow-undecided"]).exit), (Exit::Failed, Exit::Good));
    // On which of them it does not hold by itself is told, and is what each comes to alone.
    let document: serde_json::Value = serde_json::from_str(&check(&["--format", "json"]).stdout).unwrap();
    let missed = document.pointer("/experiments/0/expectations/0/missed_seeds").unwrap();
    let alone =
        |seed: &u64| with_input(&["check", "-"], &open.replace("seed: 7", &format!("seed: {seed}"))).exit;
    let fail: Vec<u64> = (7..12).filter(|seed| alone(seed) == Exit::Failed).collect();
    assert!((1..5).contains(&fail.len()), "{fail:?}");
    assert_eq!(*missed, serde_json::json!(fail));
}

#[test]
fn a_difference_says_what_moved_and_where_it_begins() {
    let folder = tempdir().unwrap();
    let (file, golden) = (folder.path().join("toy.ron"), folder.path().join("golden"));
    let check = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let words = ["check", file.to_str().unwrap(), "--golden", golden.to_str().unwrap()];
        brownout(&[&words, more].concat()).within(folder.path())
    };
    assert_eq!(check(TOY, &["--bless"]).exit, Exit::Good);
    let facts = golden.join("toy.snap.json");
    let blessed = fs::read(&facts).unwrap();
    assert_eq!(check(TOY, &["--bless"]).stdout, check(TOY, &[]).stdout, "the same is not written anew");

    let slower = TOY.replace("mean: \"10ms\"", "mean: \"20ms\"");
    let moved = check(&slower, &[]);
    assert_eq!(moved.exit, Exit::Failed);
    insta::assert_snapshot!("check_moved", moved.to_string());
    // Another seed of the same model is only luck.
    let reseeded = check(&TOY.replace("seed: 7", "seed: 8"), &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&reseeded.stdout).unwrap();
    let metrics = document.pointer("/experiments/0/moved/0/metrics").unwrap().as_array().unwrap();
    assert!(!metrics.is_empty() && metrics.iter().all(|metric| metric["moved"] == false), "{metrics:?}");
    assert_eq!(document.pointer("/experiments/0/moved/0/parts/0").unwrap(), "input");

    // Without its facts, or with those of another, lines are compared and the reason is said.
    fs::remove_file(&facts).unwrap();
    let lines = check(&slower, &[]);
    assert!(lines.stdout.contains("toy.snap.json is not there, so only lines can be compared"), "{lines}");
    assert!(lines.stdout.contains("+ seed 7") || lines.stdout.contains("from line"), "{lines}");
    fs::write(&facts, "mine").unwrap();
    assert_eq!(check(&slower, &["--bless"]).exit, Exit::Io, "it is not ours to replace");
    assert_eq!(fs::read_to_string(&facts).unwrap(), "mine");
    fs::write(&facts, &blessed).unwrap();
    assert_eq!(check(&slower, &["--bless"]).exit, Exit::Good);
    assert!(check(TOY, &[]).stdout.contains("moved"));
}

#[test]
fn ci_systems_get_what_they_read() {
    let text = expecting(r#"        (metric: "p50", at_most: "1ms"),"#);
    let annotation =
        "::error title=stdin::p50 at most 1ms: measured 7.54 ms%0Aagain: brownout run - --seed 7\n";
    let github = with_input(&["check", "-", "--format", "github"], &text);
    assert_eq!(
        (github.exit, github.stdout),
        (Exit::Failed, format!("{annotation}1 checked, 0 good, 1 not\n"))
    );
    let in_workflow =
        |words: &[&str]| with_console(&Catalog::bundled(), words, &text, |console| console.github = true);
    assert_eq!(in_workflow(&["check", "-"]).stderr, annotation);
    assert_eq!(in_workflow(&["check", "-", "--format", "github"]).stderr, "", "once is enough");

    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    let words = ["check", "-", "--out", out.to_str().unwrap()];
    let page = with_input(&words, &text).stdout;
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(read("check.txt"), page);
    assert_eq!(read("check.json"), with_input(&["check", "-", "--format", "json"], &text).stdout);
    assert_eq!(read("junit.xml"), with_input(&["check", "-", "--format", "junit"], &text).stdout);
    assert!(read("junit.xml").contains("<failure type=\"expectation\" message=\"measured 7.54 ms\">"));
}
