//! Presets in an experiment: what is set from outside, and what an experiment with them amounts to.

use crate::Catalog;
use crate::experiment::{Experiment, Resolved};

const TEXT: &str = r#"(
    about: "x",
    model: ServiceGraph(
        workload: [(to: "api", arrivals: Poisson("1/s"), policy: "p")],
        services: {"api": (workers: Async(1), work: "1ms")},
        policies: {"p": (preset: "grpc", timeout: "2s"), "plain": (timeout: "3s")},
    ),
    run: (duration: "60s"),
    variants: {
        "envoy": {"policies.p.preset": "envoy"},
        "plain": {"policies.plain.preset": "hystrix"},
        "more": {"policies.p.retry.attempts": 9},
    },
    sweep: {"policies.p.preset": ["istio", "polly"]},
)"#;

fn parse(text: &str, set: &[(&str, &str)]) -> Experiment {
    let set: Vec<_> = set.iter().map(|(path, value)| ((*path).to_string(), (*value).to_string())).collect();
    Experiment::parse("x.ron", text, &set, &Catalog::bundled()).unwrap_or_else(|failed| panic!("{failed}")).0
}

fn at(resolved: &Resolved, path: &str) -> String {
    resolved.value(path).unwrap_or_else(|| panic!("nothing at {path}")).to_line()
}

/// Present, preset or defaulted: (variant, point of the sweep, what is set, where one looks, what is there)
#[test]
fn whatever_a_preset_says_can_be_set_from_outside() {
    let experiment = parse(TEXT, &[]);
    for (variant, point, set, path, value) in [
        (None, None, None, "policies.p.timeout", r#""2s""#),
        (None, None, None, "policies.p.retry.attempts", "4"),
        (None, None, Some(("policies.p.timeout", "5s")), "policies.p.timeout", r#""5s""#),
        (None, None, Some(("policies.p.deadline", "5s")), "policies.p.deadline", r#""5s""#),
        (None, None, Some(("policies.p.retry.attempts", "7")), "policies.p.retry.attempts", "7"),
        (None, None, Some(("policies.p.retry.attempts", "7")), "policies.p.retry.cap", r#""1s""#),
        (None, None, Some(("policies.p.budget.max_tokens", "50")), "policies.p.budget.max_tokens", "50"),
        (None, None, Some(("policies.p.budget", "None")), "policies.p.budget", "None"),
        (None, None, Some(("policies.p.preset", "aws-standard@2026")), "policies.p.retry.base", r#""50ms""#),
        (None, None, Some(("policies.p.preset", "hystrix")), "policies.p.timeout", r#""2s""#),
        (
            None,
            None,
            Some(("policies.plain.preset", "hystrix")),
            "policies.plain.bulkhead.max_concurrent",
            "10",
        ),
        (Some("envoy"), None, None, "policies.p.retry.attempts", "2"),
        (Some("envoy"), None, Some(("policies.p.retry.attempts", "7")), "policies.p.retry.base", r#""25ms""#),
        (Some("plain"), None, None, "policies.plain.breaker.open_for", r#""5s""#),
        (Some("plain"), None, None, "policies.plain.timeout", r#""3s""#),
        (Some("more"), None, None, "policies.p.retry.attempts", "9"),
        // What was set inside a preset is set inside another one too, and nothing else of the first stays.
        (Some("more"), Some(0), None, "policies.p.retry.attempts", "9"),
        (Some("more"), Some(0), None, "policies.p.retry.base", r#""25ms""#),
        (Some("more"), Some(1), None, "policies.p.retry.base", r#""3.3s""#),
        (
            Some("more"),
            None,
            Some(("policies.p.preset", "aws-standard@legacy")),
            "policies.p.retry.attempts",
            "9",
        ),
        (
            Some("more"),
            None,
            Some(("policies.p.preset", "aws-standard@legacy")),
            "policies.p.retry.base",
            r#""1s""#,
        ),
        (Some("more"), None, Some(("policies.p.retry.cap", "2s")), "policies.p.retry.cap", r#""2s""#),
        (Some("more"), None, Some(("policies.p.retry.cap", "2s")), "policies.p.retry.attempts", "9"),
        (None, Some(0), None, "policies.p.balancer", "PowerOfTwo"),
        (None, Some(1), None, "policies.p.breaker.threshold", "0.1"),
    ] {
        let set: Vec<_> =
            set.into_iter().map(|(path, value): (&str, &str)| (path.into(), value.into())).collect();
        let resolved =
            experiment.with_point(variant, point, &set).unwrap_or_else(|failed| panic!("{failed}"));
        assert_eq!(at(&resolved, path), value, "{variant:?}, point {point:?}, {set:?}: {path}");
    }
}

/// A preset is the policy that it stands for: the same digest, and the whole file written out is the same file.
#[test]
fn a_preset_is_what_it_stands_for() {
    let experiment = parse(TEXT, &[]);
    let again = parse(&experiment.canonical().unwrap_or_else(|failed| panic!("{failed}")).to_string(), &[]);
    for variant in [None, Some("envoy"), Some("plain"), Some("more")] {
        for point in [None, Some(0), Some(1)] {
            let of = |experiment: &Experiment| {
                experiment.with_point(variant, point, &[]).expect("sound").input_digest
            };
            assert!(
                variant.is_some() && point.is_some() || of(&experiment) == of(&again),
                "{variant:?} {point:?}"
            );
        }
    }
}

#[test]
fn what_is_set_to_no_preset_is_told_at_the_flag() {
    let set = [("policies.p.preset".to_string(), "grcp".to_string())];
    let failed = Experiment::parse("x.ron", TEXT, &set, &Catalog::bundled()).expect_err("no such preset");
    let said = failed.to_string();
    assert!(said.contains("did you mean `grpc`?") && said.contains("policies.p.preset"), "{said}");
    let failed =
        Experiment::parse("x.ron", &TEXT.replace("\"envoy\"}", "\"envyo\"}"), &[], &Catalog::bundled());
    let said = failed.expect_err("no such preset").to_string();
    assert!(said.contains("did you mean `envoy`?") && said.contains("x.ron:10:40"), "{said}");
}

/// What the file says otherwise, what the library's settings became, where it disagrees with itself; and the effective minimum.
#[test]
fn a_preset_is_explained() {
    let text = TEXT.replace(
        r#"(preset: "grpc", timeout: "2s")"#,
        r#"(preset: "resilience4j", breaker: FailureRate(window: Count(20)))"#,
    );
    let resolved = parse(&text, &[]).with(None, &[]).expect("sound");
    let explanation = resolved.model.explain(&resolved.run);
    let table = |title: &str| {
        let titles: Vec<&str> = explanation.tables.iter().map(|table| table.title.as_str()).collect();
        explanation
            .tables
            .iter()
            .find(|table| table.title == title)
            .unwrap_or_else(|| panic!("{title} in {titles:?}"))
    };
    let became = table("Policy `p` is the preset `resilience4j`");
    assert!(became.note.contains("the file says otherwise of breaker"), "{}", became.note);
    assert!(became.rows.iter().any(|row| row[0] == "Bulkhead maxConcurrentCalls, maxWaitDuration".into()));
    table(
        "Where the documentation and the code of `resilience4j` disagree: minimumNumberOfCalls of a window that holds fewer calls",
    );
    table("What `resilience4j` has and a policy cannot say");
    let minimum = "users->api: its breaker may open after 20 calls, not only after `minimum_calls` (100): its window holds no more";
    assert!(explanation.notes.iter().any(|note| note == minimum), "{:?}", explanation.notes);
    // What is not said otherwise is the preset's, inside the breaker too.
    assert_eq!(at(&resolved, "policies.p.breaker.open_for"), "\"60s\"");
}
