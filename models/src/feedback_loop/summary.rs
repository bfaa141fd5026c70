//! What came of it: what users got, and who noticed.

use super::FeedbackLoop;
use super::monitors::{CALIBRATION, LIFT, PSI};
use super::ranking::{Ranking, noticed};
use crate::report::{Better, Report, Series, Unit, Value, Verdict};
use crate::words::{percent, short};
use sim_core::SimDuration;

/// All values that there may be: what people look at first comes first.
pub const NAMES: [&str; 12] = [
    "quality",
    "at_random",
    "lift",
    "coverage",
    "calibration",
    "calibration_offline",
    "psi",
    "noticed_by_calibration",
    "noticed_by_psi",
    "noticed_by_holdout",
    "false_alarms",
    "clicks_per_visit",
];

pub fn fill(says: &FeedbackLoop, ranking: Ranking, report: &mut Report) {
    let (all, watch) = (&ranking.all, &ranking.watch);
    let (worth, best) = ranking.worth;
    let quality = (best > 0.0).then(|| worth / best);
    let value = |unit: Unit, about: &str, value: Option<f64>| Value { value, ..Value::new(unit, about) };
    let took = |who: usize| noticed(says, watch, who).map(|it| it.as_nanos() as f64);
    let notices = |about: &str, who| value(Unit::Duration, about, took(who)).better(Better::Less);
    let told: [(&str, Value); 12] = [
        (
            "quality",
            value(
                Unit::Share,
                "what users get of what the best lists would give them: looks at what they would click on",
                quality,
            )
            .better(Better::More)
            .headline(),
        ),
        (
            "at_random",
            value(
                Unit::Share,
                "and what random lists would, on average over all draws of appeal",
                Some(says.at_random()),
            ),
        ),
        (
            "lift",
            value(Unit::Plain, "clicks per visit over those of the holdout", all.lift().map(|it| it.0))
                .better(Better::More),
        ),
        (
            "coverage",
            value(
                Unit::Share,
                "of all items, those that the model gave a place between two looks of the monitors, on average, exploring aside",
                (ranking.coverage.1 > 0).then(|| ranking.coverage.0 / ranking.coverage.1 as f64),
            ),
        ),
        (
            "calibration",
            value(
                Unit::Plain,
                "clicks on the model's places, over those that its scores predicted when it served",
                all.calibration(),
            ),
        ),
        (
            "calibration_offline",
            value(Unit::Plain, "the same, by the scores that it had in training", all.offline_calibration()),
        ),
        (
            "psi",
            value(
                Unit::Plain,
                "population stability index between scores in training and in serving, the most at any look",
                watch.psi.map(|_| watch.psi_most),
            )
            .better(Better::Less),
        ),
        (
            "noticed_by_calibration",
            notices("from when something went wrong until observed clicks were off", CALIBRATION),
        ),
        ("noticed_by_psi", notices("until scores in serving were others than in training", PSI)),
        ("noticed_by_holdout", notices("until the lift over the holdout had fallen", LIFT)),
        (
            "false_alarms",
            value(
                Unit::Plain,
                "times that any of them spoke when nothing had gone wrong",
                Some(watch.false_alarms.iter().sum::<u64>() as f64),
            )
            .better(Better::Less),
        ),
        (
            "clicks_per_visit",
            value(
                Unit::Plain,
                "clicks per visit, exploring included and the holdout not",
                (all.visits > 0).then(|| all.clicks as f64 / all.visits as f64),
            )
            .better(Better::More),
        ),
    ];
    report.values.0.extend(told.into_iter().map(|(name, value)| (name.to_owned(), value)));
    report.summary.success = None;
    report.verdict = verdict(says, quality, &ranking);
    let [quality, calibration] = ranking.lines;
    let line = |name: &str, unit: Unit, values, of| Series {
        name: name.into(),
        unit: unit.name().into(),
        values,
        of,
        ..Series::default()
    };
    report.timeline.series.push(line("quality", Unit::Share, quality, Some(1.0)));
    report.timeline.series.push(line("observed over predicted", Unit::Plain, calibration, None));
}

fn verdict(says: &FeedbackLoop, quality: Option<f64>, ranking: &Ranking) -> Verdict {
    let Some(quality) = quality else {
        return Verdict { headline: "nothing was measured".into(), ..Verdict::default() };
    };
    let headline = format!(
        "users get {} of what the best lists would give them; random lists give {}",
        percent(quality),
        percent(says.at_random())
    );
    let mut details = Vec::new();
    if let Some(calibration) = ranking.all.offline_calibration() {
        details.push(format!(
            "its own log says little of that: {} clicks came for each that its training predicted",
            short(calibration)
        ));
    }
    if says.cause().is_some() {
        let who = [
            ("predicted against observed clicks", CALIBRATION),
            ("the population stability index", PSI),
            ("the holdout", LIFT),
        ];
        let after = |who| noticed(says, &ranking.watch, who).map(SimDuration::brief);
        let there = |who: usize| who != LIFT || says.holdout > 0.0;
        let told = who.into_iter().filter(|(_, who)| there(*who)).map(|(name, who)| match after(who) {
            Some(after) => format!("{name} after {after}"),
            None => format!("{name} never in this run"),
        });
        details.push(format!("noticed by {}", told.collect::<Vec<_>>().join(", by ")));
    }
    Verdict { headline, details, ..Verdict::default() }
}
