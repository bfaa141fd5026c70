//! Which value to set, how sure that is, what it costs, and what else was close.

use crate::result::change::fewer_served;
use crate::result::column::{estimate, whom};
use crate::result::effect::CLEARLY_FEWER;
use crate::result::estimate::Estimate;
use crate::result::rounds::Rounds;
use crate::result::seeds::Seeds;
use crate::text::number::{plus_minus, roughly};
use crate::text::{Paint, Style, clean};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::Unit;

/// Version of the shape of a [`Recommendation`] in JSON.
pub const FORMAT: u32 = 1;

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recommendation {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// The objective.
    pub metric: String,
    /// Whether less of it is wanted.
    pub less: bool,
    /// What it counts: `duration` (ns), `rate` (per second), `share`, `plain`.
    #[serde(serialize_with = "crate::text::unit::as_word")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// What it came to.
    pub outcome: Outcome,
    /// The seeds of the race.
    pub race_seeds: Seeds,
    /// The seeds of the validation, on which nothing was chosen.
    pub fresh_seeds: Seeds,
    /// How many runs were made.
    pub runs: usize,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// What was spared because it was decided before all fresh seeds were run; absent where their number was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// What was validated: the recommended setting first, or the closest if there is none.
    pub finalists: Vec<Finalist>,
    /// Of each setting the values that did as well.
    pub as_well: Vec<(String, String)>,
    /// The settings that lie at an end of their range, so that better ones may lie beyond.
    pub at_an_end: Vec<String>,
    /// The conditions that stand in the way of more.
    pub binding: Vec<Binding>,
    /// The response times that no setting makes shorter than any bound, since more calls than they leave out get no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nobodys: Vec<Nobodys>,
    /// All that was tried in the race, with the numbers of the race.
    pub tried: Vec<Tried>,
    /// The command that runs the first finalist.
    #[serde(skip)]
    pub look: Option<String>,
}

/// What a search for a setting comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A setting that is better than today's.
    Found,
    /// Today's setting leads.
    Today,
    /// No setting met the conditions on fresh seeds.
    #[default]
    Infeasible,
}

/// A condition.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Condition {
    /// As typed.
    pub text: String,
    /// Its metric.
    pub metric: String,
    /// What that counts.
    #[serde(serialize_with = "crate::text::unit::as_word")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// Its bound, if that is a number.
    pub bound: Option<f64>,
}

/// A setting on the fresh seeds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Finalist {
    /// What to set.
    pub set: Vec<(String, String)>,
    /// Whether this is the recommendation.
    pub recommended: bool,
    /// Whether this is what is set today.
    pub today: bool,
    /// Whether nothing that was tried beat it in every respect.
    pub front: bool,
    /// On how many seeds it was run.
    pub n: u64,
    /// On how many of them all conditions held.
    pub feasible: u64,
    /// On how many of them it met them and no other did better, by more than a thousandth.
    pub best: u64,
    /// The objective.
    pub objective: Estimate,
    /// The metric of each condition.
    pub metrics: Vec<Estimate>,
    /// On how many seeds each condition held.
    pub holds: Vec<u64>,
    /// How many of the users' calls were served, of those offered, or per second where users wait for their answers; the mean.
    pub served: Option<f64>,
    /// The objective minus today's, seed by seed.
    pub minus_today: Option<Estimate>,
    /// On how many seeds its objective was better than today's, by more than a thousandth.
    pub better: Option<u64>,
}

impl Finalist {
    /// What it is among the others, in a word.
    pub(crate) fn role(&self) -> (&'static str, Paint) {
        match (self.recommended, self.today, self.front) {
            (true, true, _) => ("keep", Paint::Good),
            (true, ..) => ("set", Paint::Good),
            (_, true, _) => ("today", Paint::Plain),
            (_, _, true) => ("trade-off", Paint::Plain),
            _ => ("runner-up", Paint::Plain),
        }
    }
}

/// A condition that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Binding {
    /// As typed.
    pub condition: String,
    /// How many of those with a better objective broke it.
    pub broke: usize,
    /// How many had a better objective.
    pub better: usize,
}

/// A response time that is nobody's: more calls get no answer than its percentile leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Nobodys {
    /// The metric.
    pub metric: String,
    /// The share of calls that get none, at the setting where they are fewest, on its worst seed.
    pub unanswered: f64,
    /// A shorter percentile that leaves out as many, if there is one.
    pub instead: Option<String>,
    /// The same of what began after the faults, where they are in it.
    pub after: Option<String>,
}

/// Percentiles and how much they leave out.
const LEFT_OUT: [(&str, f64); 6] =
    [("p9999", 1e-4), ("p999", 1e-3), ("p99", 0.01), ("p95", 0.05), ("p90", 0.1), ("p50", 0.5)];

impl Nobodys {
    /// Of a metric that is longer than any answer since so many get none.
    pub fn of(metric: &str, unanswered: f64, disturbed: bool) -> Self {
        let (named, during) = metric.split_at(metric.rfind(" during ").unwrap_or(metric.len()));
        let edge = &named[..named.rfind('.').map_or(0, |dot| dot + 1)];
        let instead = LEFT_OUT.iter().find(|(_, left_out)| *left_out > unanswered);
        let instead = instead.map(|(name, _)| format!("{edge}{name}{during}"));
        let after = (disturbed && during.is_empty()).then(|| format!("{named} during after"));
        Nobodys { metric: metric.into(), unanswered, instead, after }
    }

    fn told(&self) -> String {
        let Nobodys { metric, unanswered, instead, after } = self;
        let others = [
            instead.as_ref().map(|instead| format!("{} leaves out more", clean(instead))),
            after.as_ref().map(|after| format!("{} leaves out the faults", clean(after))),
            Some("more success may be asked for first".into()),
        ];
        let instead = others.into_iter().flatten().collect::<Vec<String>>().join(", ");
        format!(
            "{}: {} of calls get no answer at the best of these settings, and have waited longer than any bound; {instead}",
            clean(metric),
            roughly(*unanswered)
        )
    }
}

/// A setting in the race.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tried {
    /// What was set.
    pub set: Vec<(String, String)>,
    /// Whether this is what is set today.
    pub today: bool,
    /// On how many seeds.
    pub seeds: usize,
    /// Whether all conditions held on all of them.
    pub feasible: bool,
    /// The mean objective.
    pub objective: Option<f64>,
    /// The mean metric of each condition.
    pub metrics: Vec<Option<f64>>,
}

/// A value as people say it: without the quotes.
pub fn plain(value: &str) -> String {
    clean(value.trim_matches('"'))
}

impl Recommendation {
    /// What it measures: `goodput 998 ± 2/s, amplification 1.08 ± 0.01`.
    pub(crate) fn measures(&self, finalist: &Finalist, style: Style) -> String {
        let value = |name: &str, value: &Estimate, unit: Unit| {
            format!("{} {}", clean(name), estimate(value, unit, style))
        };
        let mut parts = vec![value(&self.metric, &finalist.objective, self.unit)];
        for (condition, metric) in self.conditions.iter().zip(&finalist.metrics) {
            if condition.bound.is_some() && condition.metric != self.metric {
                parts.push(value(&condition.metric, metric, condition.unit));
            }
        }
        parts.join(", ")
    }

    /// What else to know, a name and a sentence each.
    pub(crate) fn notes(&self, style: Style) -> Vec<(&'static str, String)> {
        let Some(first) = self.finalists.first() else { return Vec::new() };
        let mut notes = Vec::new();
        let seeds = |n: u64| format!("{n} of {} fresh seeds", first.n);
        if self.outcome == Outcome::Infeasible {
            for (condition, holds) in
                self.conditions.iter().zip(&first.holds).filter(|(_, holds)| **holds < first.n)
            {
                notes.push(("broken", format!("{} holds on {}", clean(&condition.text), seeds(*holds))));
            }
        } else {
            let all = self.finalists.len();
            notes.push((
                "how sure",
                format!(
                    "all conditions hold on {}; of the {all} settings that were validated none did better on {}",
                    seeds(first.feasible),
                    first.best
                ),
            ));
        }
        notes.extend(self.nobodys.iter().map(|nobodys| ("why", nobodys.told())));
        let served = |one: &Finalist| one.served.filter(|_| !one.recommended);
        let most = self.finalists.iter().filter_map(served).reduce(f64::max);
        if let (Some(most), Some(served), true) = (most, first.served, first.recommended)
            && served < CLEARLY_FEWER * most
        {
            notes.push(("at a price", fewer_served((most, served))));
        }
        if let Some(today) = self.finalists.iter().find(|one| one.today && !one.recommended) {
            let broken: Vec<String> = self
                .conditions
                .iter()
                .zip(&today.holds)
                .filter(|(_, holds)| **holds < today.n)
                .map(|(condition, holds)| format!("{} on {holds} of {}", clean(&condition.text), today.n))
                .collect();
            let broken = if broken.is_empty() { String::new() } else { format!("; {}", broken.join(", ")) };
            notes.push(("today", format!("{}{broken}", self.measures(today, style))));
        }
        if let (Some(difference), Some(better), Outcome::Found) =
            (&first.minus_today, first.better, self.outcome)
            && let (Some(mean), Some(half)) = (difference.mean, difference.half_width)
        {
            let text = match self.unit {
                Unit::Share => plus_minus(mean * 100.0, half * 100.0, Unit::Plain, style) + " points",
                unit => plus_minus(mean, half, unit, style),
            };
            let sign = if mean > 0.0 { "+" } else { "" };
            notes.push(("difference", format!("{sign}{text}; better on {}", seeds(better))));
        }
        for (path, stretch) in &self.as_well {
            notes.push(("as good", format!("{} {}", clean(path), clean(stretch))));
        }
        for path in &self.at_an_end {
            notes.push((
                "at the end",
                format!("{} is at an end of its range: better may lie beyond", clean(path)),
            ));
        }
        for binding in &self.binding {
            notes.push((
                "binding",
                format!(
                    "{}: of {} settings with {} {}, {} broke it",
                    clean(&binding.condition),
                    binding.better,
                    if self.less { "less" } else { "more" },
                    clean(&self.metric),
                    binding.broke
                ),
            ));
        }
        if let Some(whom) = self.whom() {
            let text = format!(
                "{whom}; where that is too few for its percentile, it is no better than any and meets no bound"
            );
            notes.push(("of whom", text));
        }
        if self.binding.is_empty() && self.outcome == Outcome::Found && !self.conditions.is_empty() {
            let more = if self.less { "less" } else { "more" };
            notes.push((
                "binding",
                format!("none: nothing that broke a condition had {more} {}", clean(&self.metric)),
            ));
        }
        notes.extend(self.rounds.as_ref().and_then(Rounds::words).map(|spared| ("spared", spared)));
        notes
    }

    /// Of whom the response times are.
    pub(crate) fn whom(&self) -> Option<&'static str> {
        whom(self.finalists.iter().flat_map(|one| std::iter::once(&one.objective).chain(&one.metrics)))
    }

    /// What it came to, in a word or a few.
    pub(crate) fn word(&self) -> (Paint, &'static str) {
        match self.outcome {
            _ if self.none_is_better() => (Paint::Bad, "NONE IS BETTER THAN ANOTHER"),
            Outcome::Found => (Paint::Good, "SET"),
            Outcome::Today => (Paint::Good, "KEEP"),
            Outcome::Infeasible => (Paint::Bad, "NOTHING MEETS ALL CONDITIONS"),
        }
    }

    /// Whether what is to be small is nobody's at any setting.
    fn none_is_better(&self) -> bool {
        self.outcome == Outcome::Infeasible
            && self.nobodys.iter().any(|nobodys| nobodys.metric == self.metric)
    }

    /// What was asked for: `most goodput`.
    pub(crate) fn aim(&self) -> String {
        format!("{} {}", if self.less { "least" } else { "most" }, clean(&self.metric))
    }
}
