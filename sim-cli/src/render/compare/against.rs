//! Variants held against a saved run.

use super::super::run::quiet;
use super::super::{Paint, Style, clean, wrap};
use super::named;
use crate::replicate::{Effect, Seeds};
use schemars::JsonSchema;
use serde::Serialize;

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

/// What has changed since a run was saved.
pub(super) fn lines(baseline: &Against, style: Style) -> Vec<String> {
    let mut lines =
        vec![format!("  {}", style.paint(Paint::Strong, &format!("against {}", clean(&baseline.file))))];
    lines.extend(quiet(&how(baseline), "  ", style));
    let said = baseline.variants.iter().map(|v| (v.name.as_str(), v.sentence.as_str()));
    lines.extend(named(&said.collect::<Vec<_>>(), style));
    if let Some(Regressions { found, rule, .. }) = &baseline.regressions {
        for regression in found {
            let text = format!("worse: {}", clean(regression));
            let worse = wrap(&text, style.columns() - 2);
            lines.extend(worse.iter().map(|line| format!("  {}", style.paint(Paint::Bad, line))));
        }
        lines.extend(quiet(&clean(rule), "  ", style));
    }
    lines
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
    format!("saved with {seeds}{}; {how}{missing}", set.collect::<String>())
}
