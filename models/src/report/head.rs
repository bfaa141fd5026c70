//! The whole of it, and its head: what was run and how, its digest, what it comes to, the numbers everyone asks for.

use super::edge::Edge;
use super::named::Named;
use super::section::{Section, Value};
use super::service::Service;
use super::stretch::Stretch;
use super::table::Table;
use super::timeline::Timeline;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the report's shape. A reader refuses what it does not know.
pub const FORMAT: u32 = 1;

/// Everything one run has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Its own words.
    pub about: String,
    /// The variant that was run, if not the base.
    pub variant: Option<String>,
    /// What was set from outside, as (path, value).
    pub overrides: Vec<(String, String)>,
    /// Name and version of the model.
    pub model: (String, u32),
    /// How it was run.
    pub run: RunFacts,
    /// The limit that cut the run short, if one did: everything below covers only what was reached.
    pub stopped: Option<String>,
    /// The witness of input, trajectory, randomness and results.
    pub digest: DigestParts,
    /// Whether this covers only a part of its run, see [`Report::during`]: what windows do not tell is 0 or absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub part: bool,
    /// Whether that part is one of the [`stretches`](Stretch) of which calls are counted apart: then more of them is known.
    #[serde(skip)]
    pub stretch: Option<Stretch>,
    /// What it comes to.
    pub verdict: Verdict,
    /// The few numbers everyone asks for; metrics without a dot are looked up here.
    pub summary: Summary,
    /// Calls and attempts over each edge, the users' first.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub edges: Named<Edge>,
    /// Queues and workers of each service.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub services: Named<Service>,
    /// What mechanisms measured, each saying itself what its numbers are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// Other numbers, with the exact value beside them where one is known.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub values: Named<Value>,
    /// Tables of the model's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// The picture: series over time, and what disturbed them.
    pub timeline: Timeline,
    /// What a reader should know before believing the above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// The seed.
    pub seed: u64,
    /// Length of the run in nanoseconds.
    pub duration: u64,
    /// What happens before this time is simulated but not measured, in nanoseconds.
    pub warm_up: u64,
    /// Length of one window of a series in nanoseconds.
    pub window: u64,
    /// Events handled.
    pub events: u64,
}

/// The digest: `i` input, `t` trajectory, `r` randomness, `s` results, each 16 hex digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestParts {
    /// Canonical experiment, seed and model version.
    pub i: String,
    /// Every live event in order.
    pub t: String,
    /// Draws per stream.
    pub r: String,
    /// This report without its digest.
    pub s: String,
    /// A checkpoint was kept after this many events, and after each multiple of it.
    pub every: u64,
    /// The running `t` at each checkpoint.
    pub checkpoints: Vec<String>,
}

/// The kinds of conclusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Nothing disturbed it and it served what was offered.
    Steady,
    /// It does not serve what is offered, or did not before anything disturbed it.
    Failing,
    /// Nothing disturbed it, and a queue grows: more comes than can be served.
    Overloaded,
    /// It falls and comes back, again and again.
    NeverSettles,
    /// Disturbed, and back to what it was.
    Recovered,
    /// The disturbance lasts until the end, and users are served as before.
    Unharmed,
    /// The disturbance lasts until the end, or nearly: nothing can be said about recovery.
    StillDisturbed,
    /// There are too few calls to tell, or what there is to be seen comes too near the end.
    Undecided,
    /// Disturbed, and up to the end serving less than before.
    Degraded,
    /// Disturbed, and up to the end serving less than half of what it did.
    #[serde(alias = "never_recovered")]
    NotRecovered,
    /// A measured fact of a model that does not serve requests over time.
    // And what nobody has judged: it must look neither good nor bad.
    #[default]
    Finding,
}

/// What a run comes to, headline first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The kind of conclusion.
    pub kind: VerdictKind,
    /// One sentence.
    pub headline: String,
    /// What comes after the end, where users are not served as before and that can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
    /// Why: a sentence each.
    pub details: Vec<String>,
}

/// What comes after the end of a run that is not back to what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// It is not going to recover: by the fluid law, or because it had many times as long as the experiment gives it.
    Never,
    /// Nothing has got better for as long as was seen.
    Stays,
    /// What keeps it down gets less.
    OnItsWay,
}

impl Default for Verdict {
    /// What a report says until somebody judges it: neither good nor bad.
    fn default() -> Self {
        Verdict {
            kind: VerdictKind::default(),
            headline: "not judged".into(),
            outlook: None,
            details: Vec::new(),
        }
    }
}

/// The few numbers everyone asks for. A number that a model does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Whether users are served as before the last disturbance; absent without one, and where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<bool>,
    /// From the end of the last disturbance until users were served as before for good, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_recover: Option<u64>,
    /// Calls that users made, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<f64>,
    /// Calls of users that ended well after the warm-up, whenever they began, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goodput: Option<f64>,
    /// Calls of users that ended well, of those that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// Calls of users that ended, but not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// How long nobody at all would have been served for as large a share of calls to be lost, in nanoseconds: what was spent of an
    /// error budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget: Option<u64>,
    /// Attempts per call of a user, on the edge where it is highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplification: Option<f64>,
    /// Share of all work that was done for callers who no longer waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<f64>,
    /// Share of all work that was done for requests that failed in the end, though their callers still waited then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_vain: Option<f64>,
}

impl Report {
    /// The section of that kind at that place.
    pub fn section(&self, kind: &str, at: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind && section.at == at)
    }

    /// How far the run came, in nanoseconds: to its end, or to the last window before it was stopped.
    pub(crate) fn reached(&self) -> u64 {
        let windows = self.edges.iter().map(|(_, edge)| edge.windows.started.len()).max();
        let windows =
            windows.or(self.services.iter().map(|(_, service)| service.windows.busy_ns.len()).max());
        self.run.duration.min(windows.map_or(u64::MAX, |count| count as u64 * self.run.window))
    }
}
