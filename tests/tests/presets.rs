//! Presets on the command line: each in the place of the policy of one edge, on the same luck.

use brownout_tests::ask::{Ran, ask};
use brownout_tests::experiments;
use serde_json::Value;
use sim_models::policy::preset;
use std::collections::BTreeSet;
use std::fs;
use tempfile::tempdir;

const TEXT: &str = r#"(
    about: "a shop before a database",
    model: ServiceGraph(
        workload: [(name: "app", to: "shop", arrivals: Poisson("50/s"), policy: "user")],
        services: {
            "shop": (workers: Async(10), work: "1ms", calls: [Parallel([(to: "cache"), (to: "db", policy: "own")])]),
            "cache": (workers: Async(10), work: "1ms"),
            "db": (workers: Async(2), work: Exponential(mean: "20ms"), error_rate: 0.2),
        },
        policies: {"user": (timeout: "2s"), "own": (timeout: "1s"), "grpc": (timeout: "1s")},
    ),
    run: (duration: "20s", seed: 7),
    variants: {
        "tighter": {"policies.own.timeout": "100ms"},
        // What --policies envoy,grpc puts there, by hand.
        "by-hand": {"services.shop.calls[0].calls[1].policy": "theirs", "policies.theirs": (preset: "envoy")},
        "kept-by-hand": {
            "services.shop.calls[0].calls[1].policy": "theirs",
            "policies.theirs": (preset: "envoy", timeout: "100ms"),
        },
    },
)"#;

fn compare(words: &[&str]) -> Ran {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join("shop.ron");
    fs::write(&file, TEXT).expect("a file");
    let file = file.to_str().expect("a plain name").to_owned();
    ask(["compare", &file].iter().chain(words), &[], |_| {})
}

fn json(words: &[&str]) -> (Value, String) {
    let ran = compare(&[words, &["--replications", "2", "--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (serde_json::from_str(&ran.stdout).expect("JSON"), ran.stderr)
}

fn names(comparison: &Value) -> Vec<&str> {
    let variants = comparison["variants"].as_array().expect("variants");
    variants.iter().map(|variant| variant["name"].as_str().expect("a name")).collect()
}

/// The edge that variants change is the one, and what is put there is what a file would have.
#[test]
fn presets_stand_in_the_place_of_one_policy() {
    let (comparison, said) = json(&["--policies", "envoy,grpc"]);
    assert_eq!(names(&comparison), ["base", "envoy", "grpc"]);
    assert_eq!(comparison["on"]["edge"], "shop->db");
    assert_eq!(comparison["on"]["path"], "services.shop.calls[0].calls[1].policy");
    assert_eq!(comparison["on"]["policy"], "own");
    assert!(
        said.contains(
            "presets are put on shop->db instead of `own`, whose timeout 1s no longer holds (--keep timeout"
        ),
        "{said}"
    );
    assert!(said.contains("app->shop") && said.contains("shop->cache"), "the others are named: {said}");
    let (by_hand, _) = json(&["--variant", "base", "--variant", "by-hand"]);
    assert!(by_hand["on"].is_null());
    for row in 0..2 {
        assert_eq!(comparison["variants"][row]["values"], by_hand["variants"][row]["values"], "row {row}");
    }
    assert_ne!(comparison["variants"][1]["values"], comparison["variants"][0]["values"]);
}

#[test]
fn another_edge_or_another_variant_may_be_chosen() {
    let (comparison, said) =
        json(&["--policies", "aws-standard@legacy", "--edge", "shop->cache", "--variant", "tighter"]);
    assert_eq!(names(&comparison), ["tighter", "aws-standard@legacy"]);
    assert_eq!(comparison["on"]["edge"], "shop->cache");
    assert!(comparison["on"]["policy"].is_null(), "{said}");
    assert!(said.contains("presets are put on shop->cache\n"), "nothing is taken away: {said}");
}

/// What a preset stands beside is what a file would say beside it.
#[test]
fn settings_of_the_policy_can_be_kept() {
    let (comparison, said) = json(&["--policies", "envoy", "--variant", "tighter", "--keep", "timeout"]);
    assert!(said.contains("instead of `own`; timeout 100ms is kept"), "{said}");
    assert_eq!(comparison["on"]["keeps"], serde_json::json!(["timeout"]));
    let (by_hand, _) = json(&["--variant", "tighter", "--variant", "kept-by-hand"]);
    let values = |comparison: &Value| comparison["variants"][1]["values"].clone();
    assert_eq!(values(&comparison), values(&by_hand));
    let (without, _) = json(&["--policies", "envoy", "--variant", "tighter"]);
    assert_ne!(values(&comparison), values(&without));
}

#[test]
fn all_are_all_there_are() {
    let (comparison, _) = json(&["--policies", "all", "--metric", "success"]);
    let all: Vec<&str> =
        std::iter::once("base").chain(preset::all().iter().map(|preset| preset.name)).collect();
    assert_eq!(names(&comparison), all);
    for form in ["text", "markdown", "csv"] {
        let ran = compare(&["--policies", "all", "--replications", "1", "--format", form]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(all.iter().all(|name| ran.stdout.contains(name)), "{form}: {}", ran.stdout);
    }
    let text = compare(&["--policies", "grpc", "--replications", "1"]).stdout;
    assert!(text.contains("presets on shop->db"), "{text}");
    // A policy of the file has that name.
    assert!(text.contains(r#"policies.grpc-preset=(preset: "grpc")"#), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, said) in [
        (&["--policies", "grcp"][..], "did you mean `grpc`?"),
        (&["--policies", "aws-standard"], "aws-standard@2026 or aws-standard@legacy"),
        (&["--policies", "grpc,grpc"], "named twice"),
        (&["--policies", "all,grpc"], "leave out the others"),
        (&["--policies", "grpc", "--edge", "shop->bd"], "did you mean `shop->db`?"),
        (&["--policies", "grpc", "--variant", "tighter", "--variant", "base"], "name it alone"),
        (&["--edge", "shop->db"], "--policies"),
        (&["--keep", "timeout"], "--policies"),
        (&["--policies", "grpc", "--keep", "timeuot"], "did you mean `timeout`?"),
        (&["--policies", "grpc", "--keep", "timeout,timeout"], "twice"),
        (&["--policies", "grpc", "--edge", "shop->cache", "--keep", "timeout"], "nothing is said of it"),
    ] {
        let ran = compare(words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    let ran = ask(["compare", "comparison", "--policies", "grpc"], &[], |_| {});
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("no edge that could follow a policy"), "{}", ran.stderr);
}

/// A preset that is new goes through the storm, too.
#[test]
fn the_zoo_has_all_of_them() {
    let zoo = experiments().into_iter().find(|file| file.name == "policy-zoo").expect("the experiment");
    let written = zoo.text.split("preset: \"").skip(1).map(|rest| rest.split('"').next().expect("a name"));
    let all: BTreeSet<&str> = preset::all().iter().map(|preset| preset.name).collect();
    assert_eq!(written.collect::<BTreeSet<_>>(), all);
}
