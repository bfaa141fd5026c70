//! Whole experiments: variants, sweeps, expectations, the digest.

use super::toy::{GOOD, catalog, load, said, said_with};
use crate::catalog::{Catalog, Entry};
use crate::experiment::{Bound, Check, Decode, Diagnostics, Experiment, Severity, parse_file};

#[test]
fn each_rule_of_a_whole_experiment() {
    for (said, expected) in [
        (
            said_with("about: ", "format: 2, about: "),
            "3:13: format: format 2 needs a newer brownout: this one reads format 1\n  help: upgrade brownout",
        ),
        (
            said_with("about: ", "format: 0, about: "),
            "3:13: format: format 0 is not read: this brownout reads format 1\n  help: the first format is 1",
        ),
        (
            said_with("about: ", "abuot: "),
            "3:5: abuot: unknown field `abuot` in Experiment\n  help: did you mean `about`?",
        ),
        (
            said_with("Toy(", "Toi("),
            "4:12: model: unknown model `Toi`\n  help: did you mean `Toy`? models: Toy(..)",
        ),
        (said_with("Toy(", "("), "4:12: model: expected a model: Toy(..), found (..)"),
        (
            said("(about: \"x\", run: (duration: \"0s\"))", &[]),
            "1:30: run.duration: got \"0s\", must be longer than 0: nothing would happen",
        ),
        (
            said("(about: \"x\", run: (duration: \"0s\"))", &[]),
            "1:1: model: missing field `model`: what is simulated\n  help: models: Toy(..)",
        ),
        (
            said_with("run: (duration: \"5min\", warm_up: \"20s\", seed: 42),", ""),
            "run.duration: missing field `duration` of Run: a duration such as \"250ms\"",
        ),
        (
            said_with("warm_up: \"20s\"", "warm_up: \"5min\""),
            "12:38: run.warm_up: got \"5min\", must be shorter than the duration, \"5min\"",
        ),
        (
            said_with("warm_up: \"20s\"", "window: \"1ms\""),
            "12:37: run.window: got \"1ms\": 300000 windows in the run, allowed at most 100000",
        ),
        (said_with("warm_up: \"20s\"", "replications: 0"), "run.replications: got 0, allowed 1 to 100000"),
        // Variants.
        (
            said_with("\"policies.naive.timeout\": \"3s\"", "\"policies.naive.timeot\": \"3s\""),
            "13:44: policies.naive.timeot: no field `timeot` in Policy (in variant `patient`)",
        ),
        (
            said_with("\"policies.naive.timeout\": \"3s\"", "\"policies.naive.timeout\": \"0s\""),
            "13:54: policies.naive.timeout: got \"0s\", must be longer than 0: every call would fail (in variant `patient`)",
        ),
        (
            said_with("\"policies.naive.timeout\": \"3s\"", "\"run.warm_up\": \"1h\""),
            "run.warm_up: got \"1h\", must be shorter than the duration, \"5min\" (in variant `patient`)",
        ),
        (
            said_with("\"policies.naive.timeout\": \"3s\"", "\"policies..x\": \"3s\""),
            "13:38: variants.patient: a name is missing in this path",
        ),
        (
            said_with("\"patient\": {\"", "\"pat/ient\": {\""),
            "13:16: variants.\"pat/ient\": got \"pat/ient\": a name is letters",
        ),
        (
            said_with("{\"patient\": {\"policies.naive.timeout\": \"3s\"}}", "[1]"),
            "13:15: variants: expected a map {\"name\": {\"path\": value}}, found a list [..]",
        ),
        (
            said_with("{\"policies.naive.timeout\": \"3s\"}", "(policies: 1)"),
            "variants.patient: expected a map from paths",
        ),
        // Sweeps.
        (said_with("[2, 4, 8]", "[]"), "14:37: sweep: the axis `services.pay.workers` has no values"),
        (
            said_with("[2, 4, 8]", "2"),
            "sweep.\"services.pay.workers\": expected a list of values [..], found the number 2",
        ),
        (said_with("[2, 4, 8]", "[0, 4, 0]"), "14:38: services.pay.workers: got 0, allowed 1 to 10000"),
        (
            said_with("[2, 4, 8]", "[2, 4, 04]"),
            "14:44: sweep: a value of `services.pay.workers` occurs twice",
        ),
        (
            said_with("\"services.pay.workers\": [", "\"services.pay.wokers\": ["),
            "14:27: services.pay.wokers: no field `wokers` in Service\n  help: did you mean `workers`?",
        ),
        (
            said_with("\"services.pay.workers\": [2, 4, 8]", "\"workload[0]\": [1]"),
            "sweep: `workload[0].arrivals` and `workload[0]` set the same value",
        ),
        (
            said_with("\"services.pay.workers\": [2, 4, 8]", "\"workload[0].\\\"arrivals\\\"\": [1]"),
            "set the same value",
        ),
        (
            said_with(
                "{\"services.pay.workers\": [2, 4, 8], \"workload[0].arrivals\": [Poisson(\"50/s\"), Poisson(\"100/s\")]}",
                "{}",
            ),
            "14:12: sweep: a sweep without axes",
        ),
        // Expectations.
        (
            said_with("(metric: \"recovered\", is: false)", "(metric: \"recovered\")"),
            "16:9: expect[0]: nothing is expected of the metric\n  help: add one of: is, at_most",
        ),
        (said_with("is: false", "is: false, at_most: 3"), "16:9: expect[0]: more than one thing is expected"),
        (said_with("is: false", "is: 0"), "16:35: expect[0].is: expected true or false, found the number 0"),
        (said_with("is: false", "above: 1, within: 2"), "expect[0].within: goes with `equals` only"),
        (
            said_with("is: false", "at_mots: 0"),
            "expect[0].at_mots: unknown field `at_mots` in Expectation\n  help: did you mean `at_most`?",
        ),
        (
            said_with("variant: \"patient\"", "variant: \"patent\""),
            "17:19: expect[1].variant: no variant \"patent\"\n  help: did you mean `patient`?",
        ),
        (
            said_with("\"60s..90s\"", "\"90s..60s\""),
            "17:81: expect[1].during: got \"90s..60s\": it ends before it begins",
        ),
        (
            said_with("\"60s..90s\"", "\"60s\""),
            "expect[1].during: got \"60s\": a part of the run is before, fault, after, or like \"60s..90s\"",
        ),
        (said_with("\"60s..90s\"", "\"60..90s\""), "expect[1].during: got \"60..90s\": a unit is missing"),
    ] {
        assert!(said.contains(expected), "{said}\ndoes not contain\n{expected}");
    }
}

#[test]
fn a_grid_is_measured_before_it_is_built() {
    let values = |n: usize| format!("[{}]", (1..=n).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let sweep = format!(
        "\"services.pay.workers\": {0}, \"services.shop.workers\": {0}, \"run.seed\": {0}, \"run.replications\": {0}",
        values(9_000)
    );
    let said = said_with("\"services.pay.workers\": [2, 4, 8]", &sweep);
    let expected = "sweep: the sweep has 9000 x 9000 x 9000 x 9000 x 2 points for each of 2 variants, allowed 100000 in all";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_problem_of_many_points_is_told_once() {
    let said = said_with("[2, 4, 8]", "[0, 4, 20000]");
    assert_eq!(said.lines().count(), 2, "{said}");
    // Where values are bad only together, the point is named.
    let text = GOOD.replace(
        "\"workload[0].arrivals\": [Poisson(\"50/s\"), Poisson(\"100/s\")]",
        "\"run.warm_up\": [\"1s\", \"1h\"]",
    );
    let said = super::toy::said(&text, &[]);
    assert!(said.starts_with("toy.ron:14:70: run.warm_up: got \"1h\", must be shorter"), "{said}");
    assert_eq!(said.matches("must be shorter").count(), 1, "{said}");
}

#[test]
fn variants_and_points_are_put_in_place() {
    let experiment = load(GOOD, &[("services.pay.workers", "16")]).unwrap();
    assert_eq!(experiment.about(), "A shop and its payments.");
    assert_eq!(experiment.variant_names().collect::<Vec<_>>(), ["patient"]);
    assert_eq!(experiment.points(), 6);
    let model = |resolved: &crate::experiment::Resolved| resolved.canonical.get("model").unwrap().to_string();
    let plain = experiment.with(None, &[]).unwrap();
    assert!(model(&plain).contains("workers: 16") && model(&plain).contains("timeout: \"1s\""));
    let patient = experiment.with(Some("patient"), &[]).unwrap();
    assert!(model(&patient).contains("timeout: \"3s\""));
    let set = [("policies.naive.timeout".to_string(), "7s".to_string())];
    assert!(model(&experiment.with(Some("patient"), &set).unwrap()).contains("timeout: \"7s\""));
    // The last axis changes fastest; a point wins over `--set`.
    let third = experiment.with_point(Some("patient"), Some(2), &[]).unwrap();
    assert!(
        model(&third).contains("workers: 4,") && model(&third).contains("Poisson(\"50/s\")"),
        "{}",
        model(&third)
    );
    let failed = experiment.with(Some("patint"), &[]).unwrap_err();
    assert_eq!(failed.to_string(), "no variant \"patint\"\n  help: did you mean `patient`?");
    let set = [("services.pay.workers".to_string(), "0".to_string())];
    let failed = experiment.with(None, &set).unwrap_err();
    assert_eq!(failed.to_string(), "--set:1:22: services.pay.workers: got 0, allowed 1 to 10000");
}

#[test]
fn a_setting_wins_over_a_variant() {
    let experiment = load(GOOD, &[("policies.naive.timeout", "9s")]).unwrap();
    let patient = experiment.with(Some("patient"), &[]).unwrap();
    assert!(patient.canonical.to_string().contains("timeout: \"9s\""));
}

#[test]
fn expectations_are_decoded() {
    let experiment = load(GOOD, &[]).unwrap();
    let [first, second] = experiment.expectations() else { panic!("two") };
    assert_eq!((first.metric.value.as_str(), first.check()), ("recovered", Check::Is(false)));
    let thirty = Bound::Duration(sim_core::SimDuration::from_secs(30));
    assert_eq!(second.check(), Check::AtMost(&thirty));
    assert_eq!(second.during.as_ref().unwrap().value.to_string(), "60s..90s");
    assert_eq!(experiment.sources().slice(second.metric.span), "\"time_to_recover\"");
    let text = GOOD.replace("is: false", "equals: 0.95, within: 0.01");
    let experiment = load(&text, &[]).unwrap();
    let (value, within) = (Bound::Number(0.95), Bound::Number(0.01));
    assert_eq!(experiment.expectations()[0].check(), Check::Equals(&value, Some(&within)));
}

#[test]
fn warnings_do_not_stop_and_have_a_place() {
    let text = GOOD.replace("duration: \"5min\", warm_up: \"20s\"", "duration: \"100ms\"");
    let text = text.replace("60s..90s", "60ms..90ms");
    let (experiment, warnings) = Experiment::parse("toy.ron", &text, &[], &catalog()).unwrap();
    let [warning] = &warnings.iter().collect::<Vec<_>>()[..] else { panic!("one: {warnings:?}") };
    assert_eq!((warning.severity, warning.path.as_str()), (Severity::Warning, "workload[0].to"));
    assert_eq!(experiment.sources().slice(warning.span().unwrap()), "\"shop\"");
}

fn digest(text: &str) -> u64 {
    load(text, &[]).unwrap_or_else(|failed| panic!("{failed}")).with(None, &[]).unwrap().input_digest
}

#[test]
fn the_digest_is_of_what_is_meant() {
    let same = digest(GOOD);
    for (from, to) in [
        ("// A comment.", ""),
        ("\n", "\r\n"),
        ("\"1000ms\"", "\"1.0s\""),
        ("workers: 4", "/* four */ workers: 0x4"),
        ("workers: 4", "failing: -0.0, workers: +4"),
        ("workers: 4", "failing: 0.00, workers: 4"),
        ("\"5ms\"", "Constant(\"5000us\")"),
        ("Poisson(\"100/s\")", "Poisson(\"6000/min\")"),
        ("\"p", "r\"p"),
        ("A shop", "Another shop"),
        ("metric: \"recovered\"", "metric: \"goodput\""),
        // Added by whoever runs it, wherever the seed came from.
        ("seed: 42", "seed: 43"),
        ("(\n", "#![enable(implicit_some)]\n(\n"),
    ] {
        let text = if from == "(\n" { GOOD.replacen(from, to, 1) } else { GOOD.replace(from, to) };
        assert_eq!(digest(&text), same, "{from} -> {to}");
    }
    for (from, to) in [("workers: 4", "workers: 5"), ("\"shop\": (", "\"shop\": (workers: 9, ")] {
        assert_ne!(digest(&GOOD.replace(from, to)), same, "{from} -> {to}");
    }
    let newer = Catalog::new([Entry { version: 2, ..*catalog().get("Toy").unwrap() }]);
    let (experiment, _) = Experiment::parse("toy.ron", GOOD, &[], &newer).unwrap();
    assert_ne!(experiment.with(None, &[]).unwrap().input_digest, same);
}

#[test]
fn the_canonical_form_is_an_experiment() {
    let first = load(GOOD, &[]).unwrap().canonical().unwrap().to_string();
    let second = load(&first, &[]).unwrap_or_else(|failed| panic!("{failed}\n{first}"));
    assert_eq!(second.canonical().unwrap().to_string(), first);
    assert_eq!(digest(&first), digest(GOOD));
    assert!(first.lines().all(|line| line.chars().count() <= 100), "{first}");
    let resolved = load(GOOD, &[]).unwrap().with(Some("patient"), &[]).unwrap();
    assert_eq!(digest(&resolved.canonical.to_string()), resolved.input_digest);
}

#[test]
fn a_large_sweep_is_checked() {
    let values = |from: usize, n: usize| {
        format!("[{}]", (from..from + n).map(|n| n.to_string()).collect::<Vec<_>>().join(","))
    };
    let sweep = |first: usize| {
        let sweep = format!(
            "\"services.pay.workers\": {}, \"services.shop.workers\": {}",
            values(first, 100),
            values(1, 50)
        );
        let text = GOOD.replace("\"services.pay.workers\": [2, 4, 8]", &sweep);
        text.replace(", \"workload[0].arrivals\": [Poisson(\"50/s\"), Poisson(\"100/s\")]", "")
    };
    assert_eq!(load(&sweep(1), &[]).unwrap().points(), 5_000);
    let said = said(&sweep(9_950), &[]);
    assert_eq!(said.matches("allowed 1 to 10000").count(), 20, "{said}");
    assert!(said.ends_with("and 29 more errors"), "{said}");
}

#[test]
fn spans_point_at_what_was_written() {
    let mut problems = Diagnostics::new();
    let node = parse_file(GOOD, 0, &mut problems).unwrap();
    let model = node.get("model").unwrap();
    let slice = |span: crate::experiment::Span| &GOOD[span.start as usize..span.end as usize];
    assert_eq!(slice(model.name_span()), "Toy");
    let work = model.get("services").unwrap().get("pay").unwrap().get("work").unwrap();
    assert_eq!(slice(work.span), "LogNormal(median: \"10ms\", p99: \"40ms\")");
    assert_eq!(slice(work.entries()[1].key.span), "p99");
    assert!(crate::experiment::RunSpec::describe().doc.starts_with("How long"));
}
