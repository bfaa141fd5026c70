//! Values set from outside: the same checks, the same words, and places in what was typed.

use super::toy::{GOOD, load, said};

/// The canonical value at `path` after it was set.
fn set(path: &str, value: &str, at: &[&str]) -> String {
    let experiment = load(GOOD, &[(path, value)]).unwrap_or_else(|failed| panic!("{path}={value}\n{failed}"));
    let resolved = experiment.with(None, &[]).unwrap();
    let mut node = resolved.canonical.get(if at[0] == "run" { "run" } else { "model" }).unwrap();
    for name in &at[usize::from(at[0] == "run")..] {
        node = match name.parse::<usize>() {
            Ok(index) => &node.items()[index],
            Err(_) => node.get(name).unwrap_or_else(|| panic!("no {name} in {node}")),
        };
    }
    node.to_string()
}

#[test]
fn anything_can_be_set_present_or_defaulted() {
    for (path, value, at, expected) in [
        ("services.pay.workers", "7", &["services", "pay", "workers"][..], "7"),
        ("services.shop.workers", "7", &["services", "shop", "workers"], "7"),
        ("workload[0].to", "pay", &["workload", "0", "to"], "\"pay\""),
        ("workload[0].to", "\"pay\"", &["workload", "0", "to"], "\"pay\""),
        ("workload[0].arrivals", "Batch(2, \"1s\")", &["workload", "0", "arrivals"], "Batch(2, \"1s\")"),
        // A plain value keeps the word around it.
        ("workload[0].arrivals", "5/s", &["workload", "0", "arrivals"], "Poisson(\"5/s\")"),
        ("workload[0].arrivals.rate", "5/s", &["workload", "0", "arrivals"], "Poisson(\"5/s\")"),
        ("workload[0].arrivals[0]", "5/s", &["workload", "0", "arrivals"], "Poisson(\"5/s\")"),
        ("services.shop.work", "7ms", &["services", "shop", "work"], "Constant(\"7ms\")"),
        // A shorthand is written out to be changed in part.
        ("services.shop.work.time", "7ms", &["services", "shop", "work"], "Constant(\"7ms\")"),
        ("services.pay.work.p99", "1min", &["services", "pay", "work", "p99"], "\"60s\""),
        ("services.pay.work.p99", "None", &["services", "pay", "work", "p99"], "None"),
        (
            "policies.naive.retry.attempts",
            "9",
            &["policies", "naive", "retry"],
            "Exponential(attempts: 9, base: \"50ms\", jitter: Full)",
        ),
        (
            "policies.naive.retry.jitter",
            "Proportional(0.5)",
            &["policies", "naive", "retry", "jitter"],
            "Proportional(0.5)",
        ),
        ("policies.naive.deadline", "3s", &["policies", "naive", "deadline"], "\"3s\""),
        ("policies.\"naive\".timeout", "3s", &["policies", "naive", "timeout"], "\"3s\""),
        ("policies.new", "(timeout: \"2s\")", &["policies", "new", "timeout"], "\"2s\""),
        ("services.pay.calls", "[]", &["services", "pay", "calls"], "[]"),
        ("services.shop.calls[0].policy", "None", &["services", "shop", "calls", "0", "policy"], "None"),
        ("run.duration", "1h", &["run", "duration"], "\"1h\""),
        ("run.window", "500ms", &["run", "window"], "\"500ms\""),
        ("run", "(duration: \"1min\")", &["run", "duration"], "\"60s\""),
    ] {
        assert_eq!(set(path, value, at), expected, "{path}={value}");
    }
}

#[test]
fn a_default_inside_a_default_can_be_set() {
    let text = GOOD.replace(", retry: Exponential(base: \"50ms\")", "");
    let resolved = load(&text, &[("policies.naive.retry.attempts", "9")]).unwrap().with(None, &[]).unwrap();
    let policies = resolved.canonical.get("model").unwrap().get("policies").unwrap();
    assert_eq!(
        policies.get("naive").unwrap().get("retry").unwrap().to_string(),
        "Fixed(attempts: 9, delay: \"0s\")"
    );
    // A whole section that was left out as well.
    let text = text
        .replace("        policies: {\"naive\": (timeout: \"1000ms\")},\n", "")
        .replace(", policy: \"naive\"", "");
    let text = text
        .replace("    variants: {\"patient\": {\"policies.naive.timeout\": \"3s\"}},\n", "")
        .replace("variant: \"patient\", ", "");
    let resolved = load(&text, &[("policies.new", "(timeout: \"1s\")")]).unwrap().with(None, &[]).unwrap();
    assert!(resolved.canonical.to_string().contains("\"new\": ("), "{}", resolved.canonical);
}

#[test]
fn what_is_missing_in_the_file_can_be_set() {
    let text = GOOD
        .replace("timeout: \"1000ms\", ", "")
        .replace("duration: \"5min\", ", "")
        .replace("to: \"shop\", ", "");
    let set = [("policies.naive.timeout", "1s"), ("run.duration", "5min"), ("workload[0].to", "shop")];
    assert_eq!(said(&text, &set), "fine");
    let same = load(&text, &set).unwrap().with(None, &[]).unwrap();
    let mut fields: Vec<String> = same.canonical.to_string().lines().map(str::to_string).collect();
    fields.sort();
    assert!(same.canonical.get("run").unwrap().get("duration").is_some(), "{fields:?}");
}

#[test]
fn what_cannot_be_set_says_why() {
    for (path, value, expected) in [
        (
            "services.pay.wrkers",
            "5",
            "--set:1:14: services.pay.wrkers: no field `wrkers` in Service\n  help: did you mean `workers`?",
        ),
        ("services.pai.workers", "5", "--set:1:10: services.pai: no `pai` here\n  help: did you mean `pay`?"),
        (
            "servces.pay.workers",
            "5",
            "--set:1:1: servces: no `servces` in the model\n  help: did you mean `services`?",
        ),
        (
            "model.services",
            "5",
            "no `model` in the model\n  help: paths start inside the model: leave out `model.`",
        ),
        (
            "run.durtion",
            "5",
            "--set:1:5: run.durtion: no field `durtion` in Run\n  help: did you mean `duration`?",
        ),
        ("services.pay.workers", "0", "--set:1:22: services.pay.workers: got 0, allowed 1 to 10000"),
        (
            "services.pay.workers",
            "many",
            "--set:1:22: services.pay.workers: expected a whole number, found the word many",
        ),
        ("services.pay.workers", "", "--set:1:1: services.pay.workers: a value is missing"),
        ("services.pay.workers", "(5", "--set:1:22: services.pay.workers: this `(` is never closed"),
        ("", "5", "--set:1:1: a name is missing in this path"),
        ("a..b", "5", "--set:1:3: a name is missing in this path"),
        ("a.", "5", "a name is missing in this path"),
        ("a[x]", "5", "--set:1:2: an index is a whole number from 0"),
        ("a[1", "5", "--set:1:2: this `[` is never closed"),
        ("a.\"b", "5", "--set:1:3: this `\"` is never closed"),
        ("a]b", "5", "--set:1:2: expected `.` or `[` here"),
        ("[0]", "5", "--set:1:1: a path starts with a name"),
        (
            "services.shop.calls[3].to",
            "x",
            "--set:1:20: services.shop.calls[3]: got index 3, but there are 1 entries",
        ),
        ("services.pay.calls[0].to", "x", "services.pay.calls[0]: the list is empty"),
        ("services[0]", "x", "--set:1:9: services[0]: `services` is not a list but a map {..}"),
        ("services.shop.calls[0].to.x", "x", "the text \"pay\" has no fields"),
        (
            "policies.naive.retry.delay",
            "5s",
            "`delay` belongs to `Fixed`, but this is `Exponential`\n  help: `Exponential` has: attempts, base, jitter",
        ),
        (
            "policies.naive.retry.jitter.ratio",
            "1",
            "`ratio` belongs to `Proportional`, but this is `Full`\n  help: `Full` has no fields",
        ),
        ("policies.naive.retry.pause", "1", "`Exponential` has no field `pause`"),
        (
            "policies.naive.deadline.x",
            "5",
            "`policies.naive.deadline` is None, so nothing inside it can be set\n  help: set all of it: policies.naive.deadline=\"250ms\"",
        ),
        ("policies.new.timeout", "5s", "--set:1:10: policies.new: no `new` here\n  help: there are: naive"),
        (
            "policies.new",
            "(timeout: \"0s\")",
            "--set:1:24: policies.new.timeout: got \"0s\", must be longer than 0",
        ),
        (
            "workload[0].to",
            "pya",
            "--set:1:16: workload[0].to: no service `pya`\n  help: did you mean `pay`?",
        ),
        ("about.x", "5", "no `about` in the model"),
    ] {
        let said = said(GOOD, &[(path, value)]);
        assert!(said.contains(expected), "{path}={value}\n{said}\ndoes not contain\n{expected}");
    }
}

#[test]
fn every_bad_setting_is_reported() {
    let said = said(GOOD, &[("services.pay.workers", "0"), ("nothing", "1"), ("run.seed", "x")]);
    for expected in
        ["got 0, allowed 1 to 10000", "no `nothing` in the model", "run.seed: expected a whole number"]
    {
        assert!(said.contains(expected), "{said}");
    }
}
