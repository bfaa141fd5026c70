//! `spec!`: what it reads, what it refuses and how it says so, what it documents.

use super::toy::{GOOD, Retry, Toy, load, said_with};
use crate::experiment::{Decode, Decoder, Node, Shape};

/// Replaces the work of the service `shop`.
fn work(text: &str) -> String {
    said_with("\"5ms\"", text)
}

/// Replaces the settings of the service `pay`.
fn pay(text: &str) -> String {
    said_with("workers: 4", text)
}

#[test]
fn each_rule_has_its_place_and_its_words() {
    for (said, expected) in [
        // Names and structure.
        (
            pay("wrokers: 4"),
            "8:21: services.pay.wrokers: unknown field `wrokers` in Service\n  help: did you mean `workers`?",
        ),
        (
            pay("colour: 4"),
            "services.pay.colour: unknown field `colour` in Service\n  help: its fields are: workers, work, calls, failing",
        ),
        (pay("workers: 4, workers: 5"), "8:33: services.pay.workers: `workers` is given twice"),
        (
            said_with("to: \"shop\", ", ""),
            "5:47: workload[0].to: missing field `to` of Load: a text such as \"name\"\n  help: add to: \"name\"",
        ),
        (
            said_with("to: \"shop\"", "to: \"shopp\""),
            "5:25: workload[0].to: no service `shopp`\n  help: did you mean `shop`?",
        ),
        (
            said_with("to: \"shop\"", "to: \"a/b\""),
            "5:25: workload[0].to: got \"a/b\", a name is letters (a-z, A-Z), digits, `_` and `-`",
        ),
        (
            said_with("to: \"shop\"", "to: shop"),
            "5:25: workload[0].to: expected a text in quotes, found the word shop\n  help: write \"shop\"",
        ),
        (
            said_with("\"pay\": (", "\"Shop\": ("),
            "8:13: services.Shop: `shop` and `Shop` differ only in capitals",
        ),
        (said_with("\"pay\": (", "\"p y\": ("), "8:13: services.\"p y\": got \"p y\": a name is letters"),
        (
            said_with("\"pay\": (", "\"Lpt9\": ("),
            "8:13: services.Lpt9: got \"Lpt9\": `Lpt9` is no name: Windows keeps it for a device",
        ),
        (said_with("\"pay\": (", "\"../x\": ("), "8:13: services.\"../x\": got \"../x\": a name is letters"),
        (
            said_with("\"pay\": (", "\"p\\u{1b}[2J\": ("),
            "8:13: services.\"p\\u{1b}[2J\": got \"p\\u{1b}[2J\": a name is",
        ),
        (
            said_with("\"pay\": (", &format!("\"{}\": (", "p".repeat(65))),
            "a name has at most 64 bytes, this one 65",
        ),
        (
            work("LogNormall(median: \"5ms\")"),
            "7:28: services.shop.work: unknown variant `LogNormall` of Distribution\n  help: did you mean `LogNormal`? one of: Constant(time), Exponential(mean: ..), LogNormal(median: .., p99: ..)",
        ),
        (work("Zipf"), "unknown variant `Zipf` of Distribution\n  help: one of: Constant(time)"),
        (
            work("Exponential(meen: \"5ms\")"),
            "7:40: services.shop.work.meen: unknown field `meen` in Exponential\n  help: did you mean `mean`?",
        ),
        (work("Exponential"), "7:38: services.shop.work.mean: missing field `mean` of Exponential"),
        (
            work("Exponential(\"5ms\", 2)"),
            "7:28: services.shop.work: `Exponential` takes its values by name\n  help: write Exponential(mean: ..)",
        ),
        (
            work("Constant"),
            "7:28: services.shop.work: `Constant` takes 1 parameter, got 0\n  help: write Constant(time)",
        ),
        (work("Constant(\"1s\", \"2s\")"), "`Constant` takes 1 parameter, got 2"),
        (work("Constant(tim: \"1s\")"), "`Constant` has no such fields\n  help: write Constant(time)"),
        (
            said_with("retry: Exponential(base: \"50ms\")", "retry: Never(1)"),
            "policies.naive.retry: `Never` takes no parameters\n  help: write Never",
        ),
        (
            said_with("retry: Exponential(base: \"50ms\")", "retry: \"Never\""),
            "policies.naive.retry: expected Retry, found the text \"Never\"\n  help: write Never without quotes",
        ),
        // Types.
        (work("[1]"), "services.shop.work: expected Distribution, found a list [..]"),
        (pay("workers: \"4\""), "8:30: services.pay.workers: expected a whole number, found the text \"4\""),
        (pay("workers: 4.5"), "services.pay.workers: expected a whole number, found the number 4.5"),
        (pay("calls: (to: \"x\")"), "services.pay.calls: expected a list [(to: \"name\"), ..], found (..)"),
        (
            pay("calls: (\"x\", \"y\")"),
            "services.pay.calls: expected a list [..], found (..)\n  help: lists stand in square brackets",
        ),
        (
            said_with(
                "policies: {\"naive\": (timeout: \"1000ms\", retry: Exponential(base: \"50ms\"))}",
                "policies: (naive: (timeout: \"1s\"))",
            ),
            "policies: expected a map {\"name\": ..}, found fields (..)",
        ),
        (
            said_with(
                "\"naive\": (timeout: \"1000ms\", retry: Exponential(base: \"50ms\"))",
                "\"naive\": {\"timeout\": \"1s\"}",
            ),
            "policies.naive: expected Policy as (field: value, ..), found a map {..}",
        ),
        (
            said_with("\"naive\": (", "\"naive\": Police("),
            "policies.naive: expected `Policy` or (field: value, ..), found Police(..)",
        ),
        // Units.
        (work("\"5\""), "7:28: services.shop.work: got \"5\": a unit is missing"),
        (work("\"5M\""), "got \"5M\": unknown unit `M`: minutes are `min`"),
        (work("\"5 parsecs\""), "got \"5 parsecs\": unknown unit `parsecs`: use ns, us, ms"),
        (work("\"0.1ns\""), "got \"0.1ns\": finer than 1 ns"),
        (work("\"200000d\""), "longer than 100 years"),
        (
            work("Constant(5)"),
            "services.shop.work: got 5, a number without a unit\n  help: write it with its unit and in quotes, as in \"250ms\" (ns, us, ms, s, min, h, d)",
        ),
        (
            said_with("Poisson(\"100/s\")", "Poisson(100)"),
            "got 100, a number without a unit\n  help: write it with its unit and in quotes, as in \"800/s\" or \"30/min\"",
        ),
        (
            said_with("Poisson(\"100/s\")", "Poisson(\"0/s\")"),
            "workload[0].arrivals: got \"0/s\", must be more than 0",
        ),
        (
            said_with("Poisson(\"100/s\")", "Batch(0, \"0s\")"),
            "workload[0].arrivals.size: got 0, allowed at least 1\n",
        ),
        (
            said_with("Poisson(\"100/s\")", "Batch(1, \"0s\")"),
            "workload[0].arrivals.every: got \"0s\", must be longer than 0",
        ),
        (
            said_with("timeout: \"1000ms\"", "timeout: \"0s\""),
            "policies.naive.timeout: got \"0s\", must be longer than 0: every call would fail",
        ),
        (
            said_with("timeout: \"1000ms\"", "timeout: \"1s\", deadline: Some(\"0s\")"),
            "policies.naive.deadline: got Some(..), must be longer than 0",
        ),
        // Numbers.
        (pay("workers: 0"), "8:30: services.pay.workers: got 0, allowed 1 to 10000"),
        (pay("workers: -1"), "services.pay.workers: got -1, allowed 1 to 10000"),
        (pay("workers: 4294967296"), "services.pay.workers: got 4294967296, allowed 1 to 10000"),
        (pay("workers: NaN"), "services.pay.workers: got NaN, which is not a finite number"),
        (pay("failing: NaN"), "services.pay.failing: got NaN, which is not a finite number"),
        (pay("failing: -inf"), "services.pay.failing: got -inf, which is not a finite number"),
        (pay("failing: 1e400"), "services.pay.failing: got 1e400, which is beyond the largest number"),
        (pay("failing: 1e-400"), "services.pay.failing: got 1e-400, which is too small to tell from 0"),
        (pay("failing: 1.0000001"), "got 1.0000001, allowed 0.0 to 1.0\n  help: write 1.0 for all"),
        (
            pay("failing: 100"),
            "services.pay.failing: got 100, allowed 0.0 to 1.0\n  help: is 100 % meant? write 1.0",
        ),
        (pay("failing: \"95%\""), "found the text \"95%\"\n  help: a percentage is written as a share: 0.95"),
        (pay("failing: \"95\""), "found the text \"95\"\n  help: is 95 % meant? write 0.95"),
        (pay("failing: \"0.5\""), "found the text \"0.5\"\n  help: write it without quotes: 0.5"),
        (pay("workers: \"3\""), "found the text \"3\"\n  help: write it without quotes: 3"),
        (pay("failing: -0.1"), "services.pay.failing: got -0.1, allowed 0.0 to 1.0"),
        (pay("failing: 101"), "services.pay.failing: got 101, allowed 0.0 to 1.0"),
        (said_with("seed: 42", "seed: -1"), "12:51: run.seed: got -1, allowed 0 to 18446744073709551615"),
        (
            said_with("seed: 42", "seed: 18446744073709551616"),
            "run.seed: got 18446744073709551616, allowed 0 to 18446744073709551615",
        ),
        (said_with("seed: 42", "seed: 1.5"), "run.seed: expected a whole number, found the number 1.5"),
        (
            said_with("workload: [(to: \"shop\", arrivals: Poisson(\"100/s\"))]", "workload: []"),
            "workload: got an empty list, 0 entries, allowed at least 1",
        ),
    ] {
        assert!(said.contains(expected), "{said}\ndoes not contain\n{expected}");
    }
}

#[test]
fn all_problems_are_reported_together() {
    let text = GOOD
        .replace("to: \"shop\", ", "")
        .replace("workers: 4", "wokers: 4, failing: 2")
        .replace("\"10ms\"", "\"10mss\"")
        .replace("timeout: \"1000ms\", ", "")
        .replace("seed: 42", "seed: x");
    let failed = load(&text, &[]).unwrap_err();
    let paths: Vec<&str> = failed.diagnostics.iter().map(|d| d.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "workload[0].to",
            "services.pay.wokers",
            "services.pay.failing",
            "services.pay.work.median",
            "policies.naive.timeout",
            "run.seed",
        ]
    );
}

#[test]
fn implicit_and_explicit_options_are_one() {
    for (text, canonical) in [("None", "None"), ("\"1s\"", "\"1s\""), ("Some(\"1000ms\")", "\"1s\"")] {
        let text = GOOD.replace("timeout: \"1000ms\"", &format!("timeout: \"1s\", deadline: {text}"));
        let resolved = load(&text, &[]).unwrap().with(None, &[]).unwrap();
        let policy = resolved.canonical.get("model").unwrap().get("policies").unwrap().get("naive").unwrap();
        assert_eq!(policy.get("deadline").unwrap().to_string(), canonical);
    }
}

#[test]
fn names_of_types_and_of_parameters_may_be_written() {
    for (from, to) in [
        ("(to: \"shop\"", "Load(to: \"shop\""),
        ("\"naive\": (", "\"naive\": Policy("),
        ("Poisson(\"100/s\")", "Poisson(rate: \"100/s\")"),
    ] {
        assert_eq!(said_with(from, to), "fine", "{to}");
        let written = load(&GOOD.replacen(from, to, 1), &[]).unwrap().with(None, &[]).unwrap();
        let plain = load(GOOD, &[]).unwrap().with(None, &[]).unwrap();
        assert_eq!(written.input_digest, plain.input_digest, "{to}");
    }
}

#[test]
fn types_are_documented() {
    let doc = Retry::describe();
    assert_eq!((doc.name.as_str(), doc.doc.as_str()), ("Retry", "What happens after a failure."));
    let Shape::Enum(variants) = &doc.shape else { panic!("an enum") };
    let signatures: Vec<String> = variants.iter().map(|variant| variant.signature()).collect();
    assert_eq!(
        signatures,
        ["Never", "Fixed(attempts: .., delay: ..)", "Exponential(attempts: .., base: .., jitter: ..)"]
    );
    let attempts = &variants[1].fields[0];
    assert_eq!((attempts.default_text().as_deref(), attempts.allowed.as_str()), (Some("3"), "1 to 1000"));
    assert_eq!((attempts.ty.describe)().name, "whole number");
    let toy = Toy::describe();
    let Shape::Struct(fields) = &toy.shape else { panic!("a struct") };
    assert_eq!(fields[0].doc, "Who sends requests.");
    assert_eq!((fields[1].ty.describe)().name, "map of Service");
    assert_eq!(
        toy.example(),
        "(workload: [(to: \"name\", arrivals: Poisson(\"800/s\"))], services: {\"name\": (work: Constant(\"250ms\"))})"
    );
}

#[test]
fn every_default_passes_its_own_rule() {
    fn visit(doc: &crate::experiment::TypeDoc, depth: usize) -> usize {
        let fields = match &doc.shape {
            Shape::Struct(fields) => fields.iter().collect::<Vec<_>>(),
            Shape::Enum(variants) => variants.iter().flat_map(|variant| &variant.fields).collect(),
            Shape::List(ty) | Shape::Map(ty) | Shape::Optional(ty) if depth > 0 => {
                return visit(&(ty.describe)(), depth - 1);
            }
            _ => return 0,
        };
        let mut seen = 0;
        for field in fields {
            if let Some(default) = field.default {
                seen += 1;
                assert_eq!((field.ty.expand)(&default()), Some(default()), "{}", field.name);
            }
            seen += if depth > 0 { visit(&(field.ty.describe)(), depth - 1) } else { 0 };
        }
        seen
    }
    assert!(visit(&Toy::describe(), 6) >= 8);
}

#[test]
fn a_node_without_a_place_is_decoded_too() {
    let mut cx = Decoder::new();
    assert!(Retry::decode(&Node::word("Sometimes"), &mut cx).is_none());
    assert!(cx.has_errors());
}
