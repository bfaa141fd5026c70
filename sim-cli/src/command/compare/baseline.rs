//! `compare --baseline`: the same variants in a run that was saved before.

use crate::console::Console;
use crate::error::{Error, Result};
use crate::experiment::BASE;
use crate::result::change::{self, Seedwise, change, matters};
use crate::result::column::{Column, heads};
use crate::result::compared::{self, Against, Changed, Compared, Comparison, Regressions};
use crate::result::effect::Effect;
use crate::result::estimate::{Estimate, Measured, OfWhom};
use crate::result::replicated;
use crate::result::seeds::{CONFIDENCE, Seeds};
use crate::seal;
use crate::study::measure::{measure, of_whom};
use crate::text::{escape, escape_path, number};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sim_models::report::Report;
use std::path::{Path, PathBuf};

/// What a folder may hold, the most telling first.
const FILES: [&str; 3] = ["comparison.json", "replications.json", "report.json"];

/// A saved run.
#[derive(Debug)]
pub(super) struct Baseline {
    /// Where it was saved.
    pub file: PathBuf,
    experiment: String,
    set: Vec<(String, String)>,
    /// Its seeds.
    pub seeds: Seeds,
    saved: Saved,
}

/// What was saved of each variant.
#[derive(Debug)]
enum Saved {
    /// The values of some metrics, seed by seed.
    Values { metrics: Vec<Metric>, variants: Vec<Variant> },
    /// Everything of one run.
    Report { variant: String, report: Box<Report> },
}

#[derive(Debug, Deserialize)]
struct Metric {
    path: String,
}

#[derive(Debug, Deserialize)]
struct Variant {
    name: String,
    /// What was run; nothing if it was saved by a version that did not tell, or by `run`.
    #[serde(default)]
    input: String,
    values: Vec<Vec<Measured>>,
    /// One for each metric, unless it was saved by a version that did not ask.
    #[serde(default)]
    metrics: Vec<OfWhom>,
}

#[derive(Deserialize)]
struct SavedComparison {
    experiment: String,
    set: Vec<(String, String)>,
    seeds: Seeds,
    metrics: Vec<Metric>,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct SavedReplications {
    experiment: String,
    variant: Option<String>,
    set: Vec<(String, String)>,
    seeds: Seeds,
    metrics: Vec<Metric>,
    values: Vec<Vec<Measured>>,
    #[serde(default)]
    estimates: Vec<OfWhom>,
}

/// Why a saved run may be none to hold something against.
pub(super) enum Doubt {
    /// It is of an experiment that is called otherwise, and says the same.
    Renamed(String),
    /// It is of another.
    Another(String),
}

impl Baseline {
    /// Reads what was saved at `path`: a file, or a folder that holds one.
    pub fn open(path: &Path, console: &mut Console) -> Result<Self> {
        let file = match FILES.iter().map(|name| path.join(name)).find(|file| file.is_file()) {
            Some(file) => file,
            None if path.is_dir() => {
                let cause = std::io::Error::other(format!("it holds none of {}", FILES.join(", ")));
                return Err(Error::file("no baseline in", path, cause));
            }
            None => path.to_path_buf(),
        };
        let text = seal::read(&file, console)?;
        Baseline::parse(file.clone(), &text)
            .map_err(|why| Error::file("cannot read", &file, std::io::Error::other(why)))
    }

    fn parse(file: PathBuf, text: &str) -> std::result::Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            document: Option<String>,
            format: Option<u64>,
            variants: Option<IgnoredAny>,
        }
        let head: Head = serde_json::from_str(text).map_err(|error| format!("not a saved run: {error}"))?;
        let known = |what: &str, format: u32| match head.format {
            Some(saved) if saved == u64::from(format) => Ok(()),
            saved => {
                let saved = saved.map_or("no format".into(), |saved| format!("format {saved}"));
                Err(format!(
                    "the {what} has {saved}, but this version reads format {format} only: save it anew"
                ))
            }
        };
        let whole = |error: serde_json::Error| {
            format!("not a whole {}: {error}", head.document.as_deref().unwrap_or(""))
        };
        match head.document.as_deref() {
            Some(compared::DOCUMENT) => {
                known(compared::DOCUMENT, compared::FORMAT)?;
                let SavedComparison { experiment, set, seeds, metrics, variants } =
                    serde_json::from_str(text).map_err(whole)?;
                Baseline { file, experiment, set, seeds, saved: Saved::Values { metrics, variants } }
                    .checked()
            }
            Some(replicated::DOCUMENT) => {
                known(replicated::DOCUMENT, replicated::FORMAT)?;
                let SavedReplications { experiment, variant, set, seeds, metrics, values, estimates } =
                    serde_json::from_str(text).map_err(whole)?;
                let name = variant.unwrap_or_else(|| BASE.into());
                let variants = vec![Variant { name, input: String::new(), values, metrics: estimates }];
                Baseline { file, experiment, set, seeds, saved: Saved::Values { metrics, variants } }
                    .checked()
            }
            None if head.variants.is_some() => {
                Err(known(compared::DOCUMENT, compared::FORMAT).err().unwrap_or_default())
            }
            Some(other) => Err(format!("a {other} is no baseline: save one with compare --out or run --out")),
            None => {
                let report = Box::new(Report::from_json(text)?);
                let seeds = Seeds { first: report.run.seed, count: 1 };
                let variant = report.variant.clone().unwrap_or_else(|| BASE.into());
                let (experiment, set) = (report.experiment.clone(), report.overrides.clone());
                Ok(Baseline { file, experiment, set, seeds, saved: Saved::Report { variant, report } })
            }
        }
    }

    /// Every variant has a row for every metric, and a value for every seed.
    fn checked(self) -> std::result::Result<Self, String> {
        if let Saved::Values { metrics, variants } = &self.saved {
            let whole = |variant: &Variant| {
                variant.values.len() == metrics.len()
                    && variant.values.iter().all(|row| row.len() == self.seeds.count as usize)
            };
            if self.seeds.count == 0 || !variants.iter().all(whole) {
                return Err("its values do not fit its metrics and seeds".into());
            }
        }
        Ok(self)
    }

    /// Why this is doubtful as a baseline of `experiment`, of which this is run, if it is.
    pub fn doubt(&self, experiment: &str, inputs: &[String]) -> Option<Doubt> {
        if self.experiment == experiment {
            return None;
        }
        let (file, saved, experiment) =
            (escape_path(&self.file), escape(&self.experiment), escape(experiment));
        let known = |(_, input): (&str, &str)| inputs.iter().any(|one| one == input);
        Some(match self.names().into_iter().find(|one| known(*one)) {
            Some((variant, _)) => Doubt::Renamed(format!(
                "note: {file} is of the experiment {saved}: that is {experiment} under another name, since `{}` says the same there",
                escape(variant)
            )),
            None => Doubt::Another(format!("{file} is of the experiment {saved}, not of {experiment}")),
        })
    }

    /// Each variant by its name, and what was run of it if that is known.
    fn names(&self) -> Vec<(&str, &str)> {
        match &self.saved {
            Saved::Values { variants, .. } => {
                variants.iter().map(|saved| (saved.name.as_str(), saved.input.as_str())).collect()
            }
            Saved::Report { variant, .. } => vec![(variant.as_str(), "")],
        }
    }

    /// Under which name each of these was saved, and why it is taken for that if it is another: what says the same is the same, and
    /// where one is left on either side, it is that one. The base is nobody else.
    fn saved_as(&self, now: &[Compared]) -> Vec<Option<(&str, Option<String>)>> {
        let names = self.names();
        let there = |name: &str| names.iter().find(|(saved, _)| *saved == name);
        let mut all: Vec<Option<(&str, Option<String>)>> =
            now.iter().map(|variant| there(&variant.name).map(|(name, _)| (*name, None))).collect();
        let mut left: Vec<(&str, &str)> = names
            .iter()
            .copied()
            .filter(|(name, _)| now.iter().all(|variant| variant.name != *name))
            .collect();
        for (place, variant) in now.iter().enumerate() {
            let same = |(_, input): &(&str, &str)| !input.is_empty() && *input == variant.input;
            if let (None, Some(at)) = (&all[place], left.iter().position(same)) {
                let (name, _) = left.remove(at);
                let why = format!("{} was called {name}, and says the same", variant.name);
                all[place] = Some((name, Some(why)));
            }
        }
        left.retain(|(name, _)| *name != BASE);
        let open: Vec<usize> =
            (0..now.len()).filter(|&place| all[place].is_none() && now[place].name != BASE).collect();
        if let ([place], [(name, _)]) = (open.as_slice(), left.as_slice()) {
            let why = format!("{} is held against {name}: one is left on either side", now[*place].name);
            all[*place] = Some((*name, Some(why)));
        }
        all
    }

    /// The values of a metric of a variant, seed by seed, if they were saved.
    fn values(&self, variant: &str, path: &str) -> Option<Vec<Measured>> {
        match &self.saved {
            Saved::Values { metrics, variants } => {
                let column = metrics.iter().position(|metric| metric.path == path)?;
                Some(variants.iter().find(|saved| saved.name == variant)?.values[column].clone())
            }
            Saved::Report { report, .. } => {
                measure(report, &[path.to_string()]).ok().map(|measured| vec![measured[0].0])
            }
        }
    }

    /// Of whom a metric of a variant is, if that was saved.
    fn of_whom(&self, variant: &str, path: &str) -> Option<OfWhom> {
        match &self.saved {
            Saved::Values { metrics, variants } => {
                let column = metrics.iter().position(|metric| metric.path == path)?;
                variants.iter().find(|saved| saved.name == variant)?.metrics.get(column).copied()
            }
            Saved::Report { report, .. } => Some(of_whom(report, &[path.to_string()])[0]),
        }
    }

    /// The places of each seed that both have: (ours, theirs).
    fn pairs(&self, ours: Seeds) -> Vec<(usize, usize)> {
        let place = |(n, seed): (usize, u64)| {
            let at = seed.wrapping_sub(self.seeds.first);
            (at < u64::from(self.seeds.count)).then_some((n, at as usize))
        };
        ours.iter().enumerate().filter_map(place).collect()
    }

    /// The variants of a comparison, held against this.
    pub fn against(&self, now: &Comparison) -> Against {
        let pairs = self.pairs(now.seeds);
        // One common seed of many would throw the rest away.
        let paired = pairs.len() >= 2 || (!pairs.is_empty() && now.seeds.count.min(self.seeds.count) == 1);
        let pairs = if paired { pairs } else { Vec::new() };
        let saved_as = self.saved_as(&now.variants);
        let named = || now.variants.iter().zip(&saved_as);
        let both = named().filter_map(|(variant, saved)| Some((variant, saved.as_ref()?.0)));
        let missing = named().filter(|(_, saved)| saved.is_none()).map(|(variant, _)| variant.name.clone());
        Against {
            file: escape_path(&self.file),
            set: self.set.clone(),
            seeds: self.seeds,
            paired: pairs.len() as u64,
            variants: both
                .map(|(variant, saved)| self.changed(variant, saved, &now.metrics, &pairs))
                .collect(),
            missing: missing.collect(),
            renamed: saved_as.iter().flatten().filter_map(|(_, why)| why.clone()).collect(),
            ..Against::default()
        }
    }

    fn changed(
        &self,
        variant: &Compared,
        saved: &str,
        metrics: &[Column],
        pairs: &[(usize, usize)],
    ) -> Changed {
        let (mut columns, mut effects) = (Vec::new(), Vec::new());
        let (mut to, mut from): (Vec<Vec<Measured>>, Vec<Vec<Measured>>) = Default::default();
        let mut all = vec![None; metrics.len()];
        for (column, metric) in metrics.iter().enumerate() {
            let Some(then) = self.values(saved, &metric.path) else { continue };
            let now = &variant.values[column];
            let effect = if pairs.is_empty() {
                Effect::independent(now, &then)
            } else {
                let (ours, theirs): (Vec<Measured>, Vec<Measured>) =
                    pairs.iter().map(|&(ours, theirs)| (now[ours], then[theirs])).unzip();
                let effect = Effect::paired(&ours, &theirs);
                to.push(ours);
                from.push(theirs);
                effect
            };
            let now = variant.metrics.get(column).map(Estimate::of_whom);
            let effect = effect
                .of_those(self.of_whom(saved, &metric.path).unwrap_or_default(), now.unwrap_or_default());
            all[column] = Some(effect.clone());
            columns.push(metric.clone());
            effects.push(effect);
        }
        let sentence = if !pairs.is_empty() && to == from {
            let on = if pairs.len() == 1 { "the seed" } else { "all seeds" };
            format!("unchanged: the same numbers on {on} that both have")
        } else {
            sentence(&columns, &effects, &to, &from)
        };
        Changed { name: variant.name.clone(), sentence, effects: all }
    }
}

/// What has changed, in words.
fn sentence(metrics: &[Column], effects: &[Effect], to: &[Vec<Measured>], from: &[Vec<Measured>]) -> String {
    let mut parts = Vec::new();
    let changed = |effect: &Effect| effect.difference.is_some_and(|difference| difference != 0.0);
    let recovered = metrics.iter().position(|metric| metric.path == "recovered");
    if let Some(effect) = recovered.map(|column| &effects[column]).filter(|effect| changed(effect)) {
        let share = |x: Option<f64>| x.map_or_else(|| number::NOTHING.into(), number::percent);
        parts.push(format!(
            "recovered on {} of the seeds, before on {}",
            share(effect.to),
            share(effect.from)
        ));
    }
    let time = metrics.iter().position(|metric| metric.path == "time_to_recover");
    if let Some(column) = time.filter(|&column| effects[column].clear && matters(&effects[column])) {
        parts.push(format!("time to recover {}", change(&metrics[column], &effects[column])));
    }
    if effects.iter().any(Effect::can_tell) {
        let said = change::effects(metrics, effects, Seedwise::of(metrics, effects, to, from));
        parts.extend(
            (!said.is_empty() && (parts.is_empty() || !said.starts_with("no clear"))).then_some(said),
        );
    } else {
        let heads = heads(metrics);
        let moved =
            (0..effects.len()).filter(|&column| Some(column) != recovered && changed(&effects[column]));
        let tell =
            |column: usize| format!("{} {}", heads[column], change(&metrics[column], &effects[column]));
        parts.extend(moved.map(tell).take(change::MOST_SAID));
    }
    if parts.is_empty() { "nothing to hold against each other".into() } else { parts.join("; ") }
}

/// What is clearly worse than the baseline. `only` names the one metric that counts.
///
/// Many intervals are judged at once, so each is widened (Bonferroni): by chance alone, no more than one
/// comparison in twenty with a baseline finds anything. What is true or false is judged one by one, by the
/// exact test: with few seeds no correction would ever let it speak.
pub(super) fn regressions(against: &Against, metrics: &[Column], only: Option<&str>) -> Regressions {
    let counts = |column: &usize| match only {
        Some(only) => metrics[*column].path == only,
        None => metrics[*column].less_is_better.is_some(),
    };
    let columns: Vec<usize> = (0..metrics.len()).filter(counts).collect();
    let heads = heads(metrics);
    let judged: Vec<(&Changed, usize, &Effect)> = against
        .variants
        .iter()
        .flat_map(|variant| columns.iter().map(move |&column| (variant, column)))
        .filter_map(|(variant, column)| {
            variant.effects[column].as_ref().map(|effect| (variant, column, effect))
        })
        .filter(|(_, _, effect)| effect.can_tell())
        .collect();
    let family = judged.iter().filter(|(_, _, effect)| effect.half_width.is_some()).count().max(1);
    let each = 1.0 - (1.0 - CONFIDENCE) / family as f64;
    let worse = |&&(_, column, effect): &&(&Changed, usize, &Effect)| {
        let confidence = if effect.half_width.is_some() { each } else { CONFIDENCE };
        // What has no known direction must not move at all.
        let worse = metrics[column].less_is_better.is_none()
            || effect.is_better(metrics[column].less_is_better) == Some(false);
        // The time of fewer is not better, whatever it is, and that of more is not worse.
        let of_others = effect.is_of_more() && metrics[column].less_is_better == Some(true);
        effect.is_of_fewer() || worse && !of_others && matters(effect) && effect.is_clear(confidence)
    };
    let tell = |&(variant, column, effect): &(&Changed, usize, &Effect)| {
        format!("{}: {} {}", variant.name, heads[column], change(&metrics[column], effect))
    };
    let rule = match judged.len() {
        0 => "nothing can be judged: it takes two seeds on either side, and a metric that both have".into(),
        _ => format!(
            "a regression is worse by {} or more, and clear of zero at {} for all {family} intervals together",
            number::percent(change::TOO_SMALL),
            number::percent(CONFIDENCE),
        ),
    };
    Regressions { judged: judged.len(), found: judged.iter().filter(worse).map(tell).collect(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measured::Number;
    use sim_models::report::Unit;

    const SAVED: &str = r#"{"document": "comparison", "format": 2, "experiment": "storm", "set": [],
        "seeds": {"first": 40, "count": 4}, "metrics": [{"path": "goodput", "unit": "rate"}],
        "variants": [{"name": "base", "values": [[100.0, 110.0, 90.0, 100.0]]}], "other": 1}"#;

    fn saved(text: &str) -> Baseline {
        Baseline::parse("saved.json".into(), text).expect("a baseline")
    }

    fn now(first: u64, values: &[f64]) -> Comparison {
        let values = vec![values.iter().map(|&value| Number(value)).collect::<Vec<_>>()];
        let metric =
            Column { path: "goodput".into(), unit: Unit::Rate, less_is_better: Some(false), short: false };
        Comparison {
            seeds: Seeds { first, count: values[0].len() as u32 },
            metrics: vec![metric],
            variants: vec![Compared { name: "base".into(), values, ..Compared::default() }],
            ..Comparison::default()
        }
    }

    #[test]
    fn the_same_seeds_are_held_against_each_other() {
        let against = saved(SAVED).against(&now(42, &[89.0, 99.0, 5000.0]));
        assert_eq!(against.paired, 2, "seeds 42 and 43 are in both");
        let effect = against.variants[0].effects[0].as_ref().unwrap();
        assert_eq!((effect.difference, effect.half_width, effect.pairs), (Some(-1.0), Some(0.0), Some(2)));
        let same = saved(SAVED).against(&now(40, &[100.0, 110.0, 90.0, 100.0]));
        assert_eq!(same.variants[0].sentence, "unchanged: the same numbers on all seeds that both have");
        assert_eq!(regressions(&same, &now(40, &[1.0]).metrics, None).found, [""; 0]);
    }

    #[test]
    fn what_was_renamed_is_still_known() {
        let of = |name: &str, input: &str| {
            format!(r#"{{"name": "{name}", "input": "{input}", "values": [[1, 2, 3, 4]]}}"#)
        };
        let open = |variants: &[String]| {
            let from = SAVED.find(r#""variants""#).expect("there");
            saved(&format!(r#"{}"variants": [{}]}}"#, &SAVED[..from], variants.join(", ")))
        };
        let now = |names: &[(&str, &str)]| -> Vec<Compared> {
            let one = |(name, input): &(&str, &str)| Compared {
                name: (*name).into(),
                input: (*input).into(),
                ..Compared::default()
            };
            names.iter().map(one).collect()
        };
        let baseline = open(&[of("base", "1"), of("budget", "2"), of("old", "3"), of("gone", "4")]);
        let told = |names: &[(&str, &str)]| -> Vec<Option<String>> {
            baseline
                .saved_as(&now(names))
                .into_iter()
                .map(|it| it.map(|(name, _)| name.to_string()))
                .collect()
        };
        let some = |names: &[Option<&str>]| -> Vec<Option<String>> {
            names.iter().map(|name| name.map(String::from)).collect()
        };
        // By its own name whatever it says, then by what it says, never by what is empty.
        assert_eq!(told(&[("base", "9"), ("budgeted", "2")]), some(&[Some("base"), Some("budget")]));
        assert_eq!(told(&[("base", "1"), ("new", "")]), some(&[Some("base"), None]), "which of the three?");
        // One is left on either side.
        let three = [("budget", "2"), ("old", "3"), ("new", "7")];
        assert_eq!(told(&three), some(&[Some("budget"), Some("old"), Some("gone")]));
        let single = open(&[of("budget", "")]);
        assert_eq!(single.saved_as(&now(&[("base", "1")])), [None], "the base is nobody else");
        let why = single.saved_as(&now(&[("base", "1"), ("budgeted", "2")]))[1].clone().and_then(|it| it.1);
        assert_eq!(why.as_deref(), Some("budgeted is held against budget: one is left on either side"));
        assert!(
            matches!(baseline.doubt("gale", &["2".into()]), Some(Doubt::Renamed(note)) if note.contains("`budget`"))
        );
        assert!(matches!(baseline.doubt("gale", &["8".into()]), Some(Doubt::Another(_))));
        assert!(baseline.doubt("storm", &[]).is_none());
    }

    #[test]
    fn other_seeds_are_independent() {
        let other = now(90, &[51.0, 49.0, 50.0, 50.0]);
        let against = saved(SAVED).against(&other);
        assert_eq!(against.paired, 0);
        let effect = against.variants[0].effects[0].as_ref().unwrap();
        assert_eq!((effect.pairs, effect.difference), (None, Some(-50.0)));
        assert!(effect.clear && effect.half_width.unwrap() > 1.0);
        let Regressions { found, rule, .. } = regressions(&against, &other.metrics, None);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("base: goodput 2.0x lower"), "{found:?}");
        assert!(rule.contains("1 intervals"), "{rule}");
        // Better is no regression.
        let better = now(90, &[151.0, 149.0, 150.0, 150.0]);
        assert!(regressions(&saved(SAVED).against(&better), &better.metrics, None).found.is_empty());
    }

    #[test]
    fn many_comparisons_ask_for_more_confidence() {
        let mut worse = saved(SAVED).against(&now(40, &[98.0, 109.0, 86.0, 95.0]));
        let metrics = now(40, &[1.0]).metrics;
        assert_eq!(regressions(&worse, &metrics, None).found.len(), 1, "clear by itself");
        let more: Vec<Changed> = vec![worse.variants[0].clone(); 40];
        let same = saved(SAVED).against(&now(40, &[100.0, 111.0, 90.0, 100.0])).variants.remove(0);
        worse.variants = std::iter::once(more[0].clone()).chain(vec![same; 40]).collect();
        assert!(regressions(&worse, &metrics, None).found.is_empty(), "one of 41 may be chance");
    }

    /// 250 ms of 99 % before; now 12 ms of 14 %, or 500 ms of 99.9 % where it was of half of them.
    #[test]
    fn the_time_of_fewer_calls_is_not_better() {
        let metric = Column {
            path: "edges.a->b.latency.p99".into(),
            unit: Unit::Duration,
            less_is_better: Some(true),
            short: true,
        };
        let held = |then: (f64, f64), now: (f64, f64)| {
            let values = |ms: f64| (0..4).map(|n| Number(ms * 1e6 + f64::from(n))).collect::<Vec<_>>();
            let effect = Effect::paired(&values(now.0), &values(then.0))
                .of_those(OfWhom::answered(then.1), OfWhom::answered(now.1));
            let variant = Changed { name: "base".into(), effects: vec![Some(effect)], ..Changed::default() };
            let against = Against { variants: vec![variant], ..Against::default() };
            regressions(&against, std::slice::from_ref(&metric), Some(&metric.path)).found
        };
        let told = held((250.0, 0.999), (12.0, 0.14));
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with("of the 14 % that ended well instead of 99.9 %"), "{told:?}");
        assert_eq!(held((12.0, 0.14), (250.0, 0.999)), [""; 0], "the time of more calls is not worse");
        assert_eq!(held((250.0, 0.999), (12.0, 0.998)), [""; 0], "nearly all were answered, then and now");
        assert_eq!(held((250.0, 0.999), (500.0, 0.999)).len(), 1);
        assert_eq!(held((250.0, 0.5), (500.0, 0.5)).len(), 1);
    }

    #[test]
    fn one_seed_tells_no_regression() {
        let against = saved(SAVED).against(&now(41, &[55.0]));
        assert_eq!(against.paired, 1);
        let none = regressions(&against, &now(41, &[1.0]).metrics, None);
        assert_eq!((none.judged, none.found.len()), (0, 0));
        assert!(none.rule.contains("nothing can be judged"), "{}", none.rule);
        assert_eq!(against.variants[0].sentence, "goodput 110/s -> 55/s");
    }

    #[test]
    fn what_is_no_baseline_says_so() {
        let open = |text: &str| Baseline::parse("saved.json".into(), text).unwrap_err();
        assert!(open("{").contains("not a saved run"));
        assert!(open(r#"{"document": "sweep", "format": 1}"#).contains("a sweep is no baseline"));
        assert!(open(&SAVED.replace("\"format\": 2", "\"format\": 9")).contains("format 9"));
        assert!(open(r#"{"format": 1, "variants": []}"#).contains("save it anew"));
        assert!(open(&SAVED.replace("110.0, ", "")).contains("do not fit"));
        assert!(open(&SAVED.replace("[100.0", "[\"x\"")).contains("not a whole comparison"));
        assert!(open("{}").contains("states no format"));
    }
}
