//! Which mechanism helps: what was tried where it goes wrong, what that did to the objective, and what to set for it.

use crate::replay::quote;
use crate::result::change::change;
use crate::result::column::{Column, estimate, heads};
use crate::result::effect::Effect;
use crate::result::estimate::Estimate;
use crate::result::seeds::{Seeds, seeds_words};
use crate::text::number::count;
use crate::text::{Paint, Style, clean};
use schemars::JsonSchema;
use serde::Serialize;

/// Version of the shape of a [`Helped`] in JSON.
pub const FORMAT: u32 = 1;

/// What [`Helped::document`] says.
pub const DOCUMENT: &str = "mechanisms tried";

/// What each mechanism does where it goes wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Helped {
    /// What this is: [`DOCUMENT`].
    pub document: &'static str,
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// The objective.
    pub metric: Column,
    /// Whether less of it is wanted.
    pub less: bool,
    /// What has to hold besides.
    pub conditions: Vec<String>,
    /// The edge on which they were tried, and the service behind it.
    pub edge: String,
    /// Why on that one.
    pub why: String,
    /// Edges on which they were not.
    pub others: Vec<String>,
    /// Edges that follow the same policy, and have what is set there as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// How many settings were tried, of all mechanisms together.
    pub tried: usize,
    /// How many runs were made.
    pub runs: usize,
    /// The seeds on which the best setting of each was chosen.
    pub race_seeds: Seeds,
    /// The seeds on which these were run then.
    pub fresh_seeds: Seeds,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// What is set today.
    pub today: Tried,
    /// The best setting of each mechanism, what helps most first.
    pub mechanisms: Vec<Tried>,
    /// Mechanisms of which no setting that was tried changed anything, on any seed.
    pub idle: Vec<String>,
    /// The command that runs the first.
    #[serde(skip)]
    pub look: Option<String>,
}

/// What a mechanism does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Does {
    /// Better beyond doubt.
    Helps,
    /// Neither.
    #[default]
    Unclear,
    /// Worse beyond doubt.
    Hurts,
}

/// One setting on the fresh seeds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Tried {
    /// The mechanism.
    pub name: String,
    /// What it does, in a sentence.
    pub what: String,
    /// What to set.
    pub set: Vec<(String, String)>,
    /// How many settings of it were tried.
    pub tried: usize,
    /// Whether it helps.
    pub does: Does,
    /// On how many seeds it was run.
    pub n: u64,
    /// On how many of them all conditions held.
    pub held: u64,
    /// The objective.
    pub objective: Estimate,
    /// What it differs by from today's, seed by seed; absent for today's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

impl Tried {
    /// What to type for it.
    pub(crate) fn line(&self) -> String {
        let set = self.set.iter().map(|(path, value)| format!("--set {}", quote(&format!("{path}={value}"))));
        set.collect::<Vec<_>>().join(" ")
    }
}

impl Helped {
    /// Those that do so, the most telling first.
    pub(crate) fn those(&self, does: Does) -> Vec<&Tried> {
        let mut those: Vec<&Tried> = self.mechanisms.iter().filter(|one| one.does == does).collect();
        if does == Does::Hurts {
            those.reverse();
        }
        those
    }

    /// What it came to, in a word or a few.
    pub(crate) fn word(&self) -> (Paint, &'static str) {
        match self.those(Does::Helps).is_empty() {
            true => (Paint::Bad, "NOTHING HELPS"),
            false => (Paint::Good, "TRY"),
        }
    }

    /// What the objective is called.
    fn named(&self) -> String {
        clean(&heads(std::slice::from_ref(&self.metric))[0])
    }

    /// What was asked for: `most goodput, recovered = true`.
    pub(crate) fn aim(&self) -> String {
        let aim = format!("{} {}", if self.less { "least" } else { "most" }, self.named());
        std::iter::once(aim)
            .chain(self.conditions.iter().map(|one| clean(one)))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What one comes to: `goodput 890.2 ± 2.3/s, 6.2x higher; all conditions on 6 of 6`.
    pub(crate) fn measures(&self, one: &Tried, style: Style) -> String {
        format!("{} {}{}", self.named(), self.amount(one, style), self.held(one))
    }

    /// The same in short, below a head that says the rest: `890.2 ± 2.3/s, 6.2x higher`.
    pub(crate) fn in_short(&self, one: &Tried, style: Style) -> String {
        let held = if one.held == one.n { String::new() } else { self.held(one) };
        self.amount(one, style) + &held
    }

    /// What the head says: of what the numbers are, and what holds where nothing is said of it.
    pub(crate) fn head(&self) -> String {
        let held = match self.conditions.as_slice() {
            [] => String::new(),
            [only] => format!("; {} unless said otherwise", clean(only)),
            _ => "; all conditions met unless said otherwise".into(),
        };
        format!("{}{held}", self.named())
    }

    fn amount(&self, one: &Tried, style: Style) -> String {
        let mut said = estimate(&one.objective, self.metric.unit, style);
        // A change that is not clear is none.
        if let Some(effect) = one.effect.as_ref().filter(|effect| effect.clear && one.does != Does::Unclear) {
            said += &format!(", {}", change(&self.metric, effect));
        }
        said
    }

    /// On how many seeds the conditions hold, if there are any.
    fn held(&self, one: &Tried) -> String {
        match self.conditions.as_slice() {
            [] => String::new(),
            [only] => format!("; {} on {} of {}", clean(only), one.held, one.n),
            _ => format!("; all conditions on {} of {}", one.held, one.n),
        }
    }

    /// How it was found out.
    pub(crate) fn how(&self) -> String {
        format!(
            "{} settings, typical ones of each mechanism, on {}, and those of each that did best there on all of {}; the best of each then on {}, beside today's on the same luck. A \
             difference is told where all that are told are clear of zero together, at 95 %. Each alone: two together may do more, or undo each other. Times are on the scale of this edge's answers; `recommend --set \
             PATH=LOW..HIGH` finds the best value",
            count(self.tried as u64),
            seeds_words(Seeds { count: 1, ..self.race_seeds }),
            seeds_words(self.race_seeds),
            seeds_words(self.fresh_seeds),
        )
    }

    /// Where it was tried, and what else that touches.
    pub(crate) fn place(&self) -> String {
        let shared = match self.shared.as_slice() {
            [] => String::new(),
            shared => format!("; its policy is that of {} too", clean(&shared.join(", "))),
        };
        let others = match self.others.as_slice() {
            [] => String::new(),
            others => format!(" (--edge chooses another: {})", clean(&others.join(", "))),
        };
        format!("{}: {}{shared}{others}", clean(&self.edge), clean(&self.why))
    }
}
