use crate::experiment::Experiment;
use crate::report::Report;
use crate::run::RunOptions;
use crate::{Catalog, simulate};
use std::ops::ControlFlow;

fn text(fields: &str, duration: &str) -> String {
    format!(
        r#"(about: "x", model: FeedbackLoop({fields}), run: (duration: "{duration}", window: "1h", warm_up: "1d"))"#
    )
}

fn run(fields: &str, duration: &str) -> Report {
    let (experiment, _) =
        Experiment::parse("x", &text(fields, duration), &[], &Catalog::bundled()).expect("sound");
    let resolved = experiment.with(None, &[]).expect("sound");
    simulate(&resolved, &RunOptions::seeded(7), &mut |_| ControlFlow::Continue(())).report
}

fn told(report: &Report, name: &str) -> Option<f64> {
    report.values.get(name).unwrap_or_else(|| panic!("no {name}")).value
}

#[track_caller]
fn close(got: Option<f64>, want: f64, within: f64) {
    let got = got.expect("it was measured");
    assert!((got - want).abs() <= within, "{got}, expected {want}");
}

/// Nobody ranks: of 2,000 items between 0 and 0.2 the ten best are worth 0.2 but for a hundredth, and any is worth half of that.
#[test]
fn exploring_everywhere_is_random() {
    let report = run(r#"items: 2000, visits: "1/s", retrain: "1h", explores: 1, holdout: 0.5"#, "3d");
    close(told(&report, "quality"), 0.5, 0.01);
    close(told(&report, "at_random"), 0.501, 0.001);
    close(told(&report, "lift"), 1.0, 0.03);
}

/// Two places that all look at, and ten items of which each is shown by chance now and then: it finds the best two, and gives them all places but one
/// in ten, in which the others are worth half on average.
#[test]
fn without_bias_it_finds_the_best() {
    let report = run(
        r#"items: 10, appeal: (least: 0.1, most: 0.9), places: 2, visits: "1/s", position_bias: 0, retrain: "1h", memory: 0.9, explores: 0.1"#,
        "3d",
    );
    let quality = told(&report, "quality").expect("measured");
    assert!((0.9..0.985).contains(&quality), "{quality}");
    close(told(&report, "calibration"), 1.0, 0.01);
    assert_eq!(told(&report, "psi"), Some(0.0));
}

/// A hundred looks a day at what random lists show make nothing of places: whoever is trained on them has no loop.
#[test]
fn what_random_lists_teach_has_no_place_in_it() {
    let says = |more: &str| {
        format!(
            r#"items: 50, appeal: (most: 0.5), visits: "1/s", retrain: "1h", memory: 0.9, holdout: 0.2{more}"#
        )
    };
    let own = run(&says(""), "4d");
    let random = run(&says(", trained_on: Holdout"), "4d");
    let corrected = run(&says(", corrects_position: true"), "4d");
    let quality = |report: &Report| told(report, "quality").expect("measured");
    assert!(quality(&random) > 0.9, "{}", quality(&random));
    assert!(quality(&own) < quality(&random) - 0.05, "{}", quality(&own));
    assert!(quality(&corrected) > quality(&own) + 0.05, "{}", quality(&corrected));
}

/// A third of items get four times their score from the second day on. What serves is off from training from the next look on, and training knows nothing of it.
#[test]
fn skew_is_seen_where_it_is() {
    let says = |skew: &str| {
        format!(
            r#"items: 50, appeal: (most: 0.5), visits: "1/s", retrain: "1h", memory: 0.9, holdout: 0.2, trained_on: Holdout{skew}"#
        )
    };
    let healthy = run(&says(""), "6d");
    let skewed = run(&says(r#", skew: (at: "49h", share: 0.3, factor: 4)"#), "6d");
    let hours = |report: &Report, name: &str| told(report, name).map(|nanos| nanos / 3.6e12);
    assert_eq!(hours(&skewed, "noticed_by_calibration"), Some(23.0));
    assert_eq!(hours(&skewed, "noticed_by_psi"), Some(23.0));
    assert_eq!(told(&skewed, "false_alarms"), Some(0.0));
    assert!(told(&skewed, "quality") < told(&healthy, "quality"));
    let offline = |report: &Report| told(report, "calibration_offline").expect("measured");
    assert!(told(&skewed, "calibration").expect("measured") < offline(&skewed) - 0.1);
    for name in ["noticed_by_calibration", "noticed_by_psi", "noticed_by_holdout"] {
        assert_eq!(told(&healthy, name), None, "{name}");
    }
}

/// All scores become nothing: lists are made of chance, and clicks come that nobody predicted.
#[test]
fn clicks_that_nobody_predicted_are_noticed() {
    let report = run(
        r#"items: 50, appeal: (most: 0.5), visits: "1/s", retrain: "1h", skew: (at: "2d", share: 1, factor: 0)"#,
        "6d",
    );
    assert_eq!(told(&report, "noticed_by_calibration"), Some(24.0 * 3.6e12));
    assert_eq!(told(&report, "false_alarms"), Some(0.0));
}

/// What is so from the beginning is how it is, and nobody is late to notice it.
#[test]
fn what_was_always_so_is_nobodys_finding() {
    let report =
        run(r#"items: 50, appeal: (most: 0.5), visits: "1/s", retrain: "1h", changes: (share: 0.1)"#, "4d");
    assert!(!report.verdict.details.iter().any(|it| it.contains("noticed")), "{:?}", report.verdict.details);
}

#[test]
fn what_cannot_be_meant() {
    let said = |fields: &str| match Experiment::parse("x", &text(fields, "9d"), &[], &Catalog::bundled()) {
        Ok((_, warnings)) => warnings,
        Err(failed) => failed.diagnostics,
    };
    for (fields, messages) in [
        (
            r#"items: 5, appeal: (least: 0.5, most: 0.2), places: 6, visits: "1/h", retrain: "10min", trained_on: Holdout"#,
            vec![
                "between 0.5 and 0.2 there is nothing",
                "6 places, and 5 items",
                "trained every 10min, in which 0.17 lists are shown",
                "there is no holdout: it would never learn anything",
            ],
        ),
        (
            r#"items: 50, appeal: (most: 0.5), visits: "1/s", retrain: "1h", changes: (share: 0.1), skew: (at: "47h", share: 0.5, factor: 2)"#,
            vec!["begins at 47h, and the monitors take what they find until 2d for how it should be"],
        ),
        (r#"items: 50, appeal: (most: 0), visits: "1/s", retrain: "1h""#, vec!["nobody ever clicks"]),
        (
            r#"items: 50, appeal: (least: 0.1, most: 0.1), visits: "1/s", retrain: "2d", skew: (at: "9d", share: 0.5, factor: 1),
               changes: (from: "10d", share: 0.1)"#,
            vec![
                "all items are worth the same: every list is as good as any",
                "they look every 1d, and it is trained every 2d",
                "it changes nothing: it serves as it was trained",
                "begins at 9d, after the end of the run",
                "begins at 10d, after the end of the run",
            ],
        ),
    ] {
        let said: Vec<String> = said(fields).iter().map(|it| it.message.clone()).collect();
        assert_eq!(said.len(), messages.len(), "{said:#?}");
        messages
            .iter()
            .for_each(|message| assert!(said.iter().any(|it| it.contains(message)), "{message}: {said:#?}"));
    }
}
