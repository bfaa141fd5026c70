//! Variants side by side, held against the first of them and against a saved run.

use crate::result::change::{self, Seedwise};
use crate::result::column::{Column, unsettled, whom};
use crate::result::effect::{AS_MANY, CLEARLY_FEWER, Effect};
use crate::result::estimate::{Estimate, Measured};
use crate::result::in_hand::InHand;
use crate::result::precision::Precision;
use crate::result::rounds::Rounds;
use crate::result::seeds::Seeds;
use crate::result::set_apart::SetApart;
use crate::result::verdict::Verdict;
use crate::text::number::{duration, percent};
use crate::text::{Style, clean};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::{Disturbance, Series};

/// Version of the shape of a [`Comparison`] in JSON.
pub const FORMAT: u32 = 2;

/// What [`Comparison::document`] says.
pub const DOCUMENT: &str = "comparison";

/// Variants of one experiment, held against the first of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// What this is: [`DOCUMENT`].
    pub document: &'static str,
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// What was set from outside.
    pub set: Vec<(String, String)>,
    /// Where presets stand, if they are what is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<OnEdge>,
    /// The seeds that every variant met.
    pub seeds: Seeds,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// How well everything was to be known, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// What was spared because it was decided before all seeds were run; absent where their number was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// The metrics, in the order of the columns.
    pub metrics: Vec<Column>,
    /// The variants; effects are against the first.
    pub variants: Vec<Compared>,
    /// The same variants against a saved run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Against>,
    /// What disturbed all of them alike, and the length of the run in nanoseconds.
    #[serde(skip)]
    pub faults: (Vec<Disturbance>, u64),
    /// What disturbed the first of them, in words.
    #[serde(skip)]
    pub struck: Option<String>,
    /// Where the rows cannot meet the same luck, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlike: Option<String>,
    /// The command that tries what else there is, where there is an edge to try it on.
    #[serde(skip)]
    pub what_helps: Option<String>,
    /// The command that makes all of it again.
    #[serde(skip)]
    pub again: String,
    /// The command that runs the first of them alone.
    #[serde(skip)]
    pub next: String,
}

/// The edge that presets are put on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct OnEdge {
    /// Its name.
    pub edge: String,
    /// The setting that names its policy.
    pub path: String,
    /// The policy that it follows in the first of the variants, if any.
    pub policy: Option<String>,
    /// The settings of that which stay as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<String>,
}

impl OnEdge {
    /// The same in words.
    pub fn words(&self) -> String {
        let kept = match self.keeps.as_slice() {
            [] => String::new(),
            keeps => format!(", its {} kept", keeps.join(", ")),
        };
        format!("presets on {}{kept}", self.edge)
    }
}

/// One variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Compared {
    /// Its name; `base` is the file as it stands.
    pub name: String,
    /// What it comes to, what clearly differs from the first variant, and on how many seeds.
    pub sentence: String,
    /// A digest of what was run, but for the seed: by it a saved one is known again whatever it is called then.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// What it sets otherwise than the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SetApart>,
    /// Each metric over the seeds.
    pub metrics: Vec<Estimate>,
    /// What each metric differs by from that of the first variant; empty for the first.
    pub effects: Vec<Effect>,
    /// Each metric on each seed, in the order of the seeds.
    pub values: Vec<Vec<Measured>>,
    /// The metrics that it does not have, as those of an edge that is not in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// Calls that are in none of the shares and percentiles, because they were out at an end of the measurement.
    pub in_hand: InHand,
    /// What it comes to alone.
    #[serde(skip)]
    pub verdict: Verdict,
    /// Goodput over time on the first seed.
    #[serde(skip)]
    pub picture: Option<Series>,
}

/// Variants held against a saved run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Against {
    /// The file.
    pub file: String,
    /// What was set when it was made.
    pub set: Vec<(String, String)>,
    /// Its seeds.
    pub seeds: Seeds,
    /// How many seeds both have; differences are taken seed by seed on these. 0 if the samples are independent.
    pub paired: u64,
    /// The variants that both have.
    pub variants: Vec<Changed>,
    /// The variants that it does not have.
    pub missing: Vec<String>,
    /// Those that it has under another name, and why they are taken for one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<String>,
    /// What is clearly worse, if somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regressions: Option<Regressions>,
}

/// What is clearly worse than in a saved run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Regressions {
    /// How many metrics of variants were judged.
    pub judged: usize,
    /// What is worse, in words.
    pub found: Vec<String>,
    /// What a regression is, in words.
    pub rule: String,
}

/// One variant, then and now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// What clearly differs.
    pub sentence: String,
    /// What each metric differs by; null where the saved run does not have it.
    pub effects: Vec<Option<Effect>>,
}

/// The most disturbances that are told one by one.
const MOST_STRUCK: usize = 3;

/// What goes wrong, and when: `slow payments from 60 s to 90 s`.
pub fn struck(disturbances: &[Disturbance]) -> Option<String> {
    let at = |ns: u64| if ns == 0 { "the beginning".into() } else { duration(ns) };
    let one = |one: &Disturbance| {
        let until = one.to.map_or(" on".into(), |to| format!(" to {}", duration(to)));
        format!("{} {} from {}{until}", one.what, one.on, at(one.from))
    };
    let mut said: Vec<String> = disturbances.iter().take(MOST_STRUCK).map(one).collect();
    if disturbances.len() > MOST_STRUCK {
        said.push(format!("{} more", disturbances.len() - MOST_STRUCK));
    }
    (!said.is_empty()).then(|| said.join(", "))
}

impl Comparison {
    /// The rows in the order of their merit, what they are held against first: those that recover before those that do not, and then
    /// by the number that decides.
    pub fn by_merit(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.variants.len()).collect();
        let recovered = self.metrics.iter().position(|metric| metric.path == "recovered");
        let score = |row: usize| {
            let variant = &self.variants[row];
            let recovers = recovered.and_then(|column| {
                let told = variant.metrics.get(column)?;
                Some(told.yes? as f64 / told.n.max(1) as f64)
            });
            let deciding = deciding(&self.metrics).and_then(|column| {
                let mean = variant.metrics.get(column)?.mean?;
                self.metrics[column].less_is_better.map(|less| if less { -mean } else { mean })
            });
            // Where nothing went wrong nothing had to recover.
            (recovers.unwrap_or(1.0), deciding.unwrap_or(f64::NEG_INFINITY))
        };
        if let Some((_, others)) = order.split_first_mut() {
            others.sort_by(|&a, &b| {
                let (one, other) = (score(a), score(b));
                other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
            });
        }
        order
    }
}

/// How sure the numbers are; `best` says what a star means.
pub fn legend(comparison: &Comparison, best: &str) -> String {
    match comparison.seeds.count {
        1 => "one seed has no interval: --replications 10 tells which differences are clear".into(),
        n => {
            let reached = comparison.precision.as_ref().filter(|precision| precision.reached);
            let within = reached.map_or_else(String::new, |p| format!(", each within {}", percent(p.wanted)));
            let whom = whom(comparison.variants.iter().flat_map(|variant| &variant.metrics));
            let unsettled = unsettled(comparison.variants.iter().flat_map(|variant| &variant.metrics));
            let whom: String = whom.into_iter().chain(unsettled).map(|words| format!("; {words}")).collect();
            let spared = comparison.rounds.as_ref().and_then(|rounds| rounds.words());
            let spared = spared.map_or_else(String::new, |spared| format!("; {spared}"));
            format!("mean and 95 % interval over {n} seeds{within}{best}{whom}{spared}")
        }
    }
}

/// Of each variant of which it matters: the calls that are in no share and no percentile.
pub fn in_hand(comparison: &Comparison) -> Option<String> {
    let told = |variant: &Compared| Some(format!("{} {}", variant.name, variant.in_hand.told()?));
    let all: Vec<String> = comparison.variants.iter().filter_map(told).collect();
    (!all.is_empty()).then(|| format!("in no share and no response time: {}", all.join("; ")))
}

/// The metrics that some variants do not have, and which those are.
pub fn lacking(comparison: &Comparison) -> Option<String> {
    let lacking = |metric: &Column| {
        let those = comparison.variants.iter().filter(|variant| variant.lacks.contains(&metric.path));
        let those: Vec<&str> = those.map(|variant| variant.name.as_str()).collect();
        (!those.is_empty()).then(|| format!("no {} in {}", metric.path, those.join(", ")))
    };
    let all: Vec<String> = comparison.metrics.iter().filter_map(lacking).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Of each variant that looks better because it serves fewer: how many those are.
pub fn fewer(comparison: &Comparison) -> Option<String> {
    let told = |variant: &Compared| {
        let columns = variant.effects.iter().zip(&comparison.metrics);
        let saves = |(effect, metric): &(&Effect, &Column)| {
            effect.clear && effect.serves_fewer() && effect.is_flattered(metric.less_is_better)
        };
        let (effect, _) = columns.clone().find(saves)?;
        Some(format!("{}, where {}", variant.name, change::fewer_served(effect.served?)))
    };
    let all: Vec<String> = comparison.variants.iter().filter_map(told).collect();
    (!all.is_empty()).then(|| format!("no gain, with less work for fewer: {}", all.join("; ")))
}

/// What pairing saved, in the metrics that somebody asks about.
pub fn pairing(comparison: &Comparison, style: Style) -> Option<String> {
    let factors = |column: usize| {
        let others = comparison.variants.iter().filter_map(|variant| variant.effects.get(column));
        others.filter_map(|effect| effect.pairing).collect::<Vec<f64>>()
    };
    let factors: Vec<Vec<f64>> = (0..comparison.metrics.len()).map(factors).collect();
    change::pairing(&comparison.metrics, comparison.seeds.count.into(), &factors, style)
        .filter(|_| comparison.seeds.count > 1)
}

/// The one variant that is better than all others in this metric, its interval clear of theirs.
pub fn best(comparison: &Comparison, column: usize) -> Option<usize> {
    let less = comparison.metrics[column].less_is_better?;
    if comparison.variants.len() < 2 {
        return None;
    }
    let score = |row: usize| {
        let estimate = &comparison.variants[row].metrics[column];
        let sign = if less { 1.0 } else { -1.0 };
        estimate.mean.map(|mean| (sign * mean, estimate.half_width.unwrap_or(0.0)))
    };
    let scores: Vec<(usize, (f64, f64))> =
        (0..comparison.variants.len()).filter_map(|row| score(row).map(|score| (row, score))).collect();
    let (row, (mean, half)) = *scores.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    let clear = scores.iter().all(|(other, (m, h))| *other == row || mean + half < m - h);
    // Fast for the few that were answered is no virtue.
    let answered = |row: usize| comparison.variants[row].metrics[column].answered;
    let most = (0..comparison.variants.len()).filter_map(answered).fold(0.0, f64::max);
    let clear = clear && answered(row).is_none_or(|own| own >= most - AS_MANY);
    // Nor is what is saved by serving fewer.
    let served = |row: usize| comparison.variants[row].metrics[column].served;
    let most = (0..comparison.variants.len()).filter_map(served).fold(0.0, f64::max);
    let clear = clear && served(row).is_none_or(|own| own >= CLEARLY_FEWER * most);
    (clear && scores.len() > 1).then_some(row)
}

/// How a comparison with a saved run was made.
pub fn how(baseline: &Against) -> String {
    let Seeds { first, count } = baseline.seeds;
    let seeds = match count {
        1 => format!("seed {first}"),
        _ => format!("seeds {first} to {}", first.wrapping_add(u64::from(count) - 1)),
    };
    let set = baseline.set.iter().map(|(path, value)| format!(", {}={}", clean(path), clean(value)));
    let how = match baseline.paired {
        _ if count == 1 => "one seed has no interval".into(),
        0 => "other seeds: independent samples, Welch's interval".into(),
        n => format!("the same luck: differences seed by seed on {n} seeds"),
    };
    let missing = match baseline.missing.as_slice() {
        [] => String::new(),
        missing => format!("; it does not have {}", clean(&missing.join(", "))),
    };
    let renamed: String = baseline.renamed.iter().map(|one| format!("; {}", clean(one))).collect();
    format!("saved with {seeds}{}; {how}{missing}{renamed}", set.collect::<String>())
}

/// What users get is what variants are about: the number that decides how many seeds they are run on where nobody has named
/// one; none if there is no such number.
pub fn deciding(metrics: &[Column]) -> Option<usize> {
    let named = |name: &str| metrics.iter().position(|metric| metric.path == name);
    let other =
        || metrics.iter().position(|metric| !["recovered", "time_to_recover"].contains(&&*metric.path));
    named("goodput").or_else(|| named("success")).or_else(other)
}

/// Whether each of these metrics of each variant clearly differs from the first's or as clearly does not, but for less than is
/// worth a word. What cannot be told at all decides nothing.
pub fn is_decided(comparison: &Comparison, columns: &[usize], confidence: f64) -> bool {
    let effects = || comparison.variants.iter().skip(1).flat_map(|v| columns.iter().map(|&c| &v.effects[c]));
    let told = || effects().filter(|effect| effect.pairs != Some(0));
    told().next().is_some() && told().all(|effect| effect.is_clear(confidence) || effect.is_small(confidence))
}

/// What a variant comes to, and what clearly differs from the first one: `recovers in 1.2 s on all 10 seeds (base
/// never); p99 4.2x lower (3.9 to 4.6); better on all 10 seeds`.
pub fn sentence(variant: &Compared, first: &Compared, metrics: &[Column]) -> String {
    let (own, other) = (&variant.verdict, &first.verdict);
    let mut sentence = own.text.clone();
    // Two times to recover are worth telling apart only where they clearly differ.
    let time = metrics.iter().position(|metric| metric.path == "time_to_recover");
    // Nor where they count from the end of what did not last equally long.
    let in_time = |verdict: &Verdict| {
        let brief = verdict.brief.as_str();
        (brief.starts_with("in ") || brief == "at once") && !brief.contains(" after ")
    };
    let alike = time.is_some_and(|column| {
        let effect = &variant.effects[column];
        in_time(own) && in_time(other) && effect.can_tell() && !effect.clear
    });
    if own.brief != other.brief && !other.brief.is_empty() && !alike {
        let other = if sentence.starts_with("recovers") { other.brief.clone() } else { other.whole() };
        sentence += &format!(" ({} {other})", first.name);
    }
    let seedwise = Seedwise::of(metrics, &variant.effects, &variant.values, &first.values);
    let effects = change::effects(metrics, &variant.effects, seedwise);
    match (sentence.is_empty(), effects.is_empty()) {
        (_, true) => sentence,
        (true, _) => effects,
        _ => format!("{sentence}; {effects}"),
    }
}
