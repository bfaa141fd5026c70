//! Metrics are paths into a report.
//!
//! `edges["checkout->payments"].latency.p99`: names joined by dots; a name that is not made of letters, digits,
//! `_` and `-` stands in `["quotes"]`, and may stand without them as long as it holds no dot, bracket or quote
//! (`edges.checkout->payments.latency.p99`). A path without a dot is looked up in the summary, `goodput`, then in the
//! response times of the first edge from users, `p99`: those of calls that ended well. `response.p99` is of all of its calls.
//!
//! `services.api.replicas[3].p99` is the fourth replica's, where they are told apart.
//!
//! Of a section it is the kind, the place and the name of the value: `cache["checkout->products"].hit_ratio`.
//!
//! What is a picture and not a number (windows, series, changes of state, histograms, tables) has no path.

mod leaf;
mod walk;

pub use self::leaf::{Leaf, Metric};
use self::walk::walk;
use super::head::Report;
use super::meaning::KNOWN_IN_PART;
use super::path::{SUMMARY, names, written};
use super::section::Section;

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricError {
    /// What is wrong with the path.
    pub message: String,
    /// The nearest paths that exist.
    pub nearest: Vec<String>,
}

impl MetricError {
    pub(super) fn because(message: String) -> Self {
        MetricError { message, nearest: Vec::new() }
    }
}

/// How many nearest paths an error names.
const NEAREST: usize = 3;

impl Report {
    /// Every metric that this report has, found once: to ask for many.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves::of(self)
    }

    /// The metric at `path`, of the whole run or `during` a part. Who asks for many asks [`Report::measured`] for all of them.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        self.measured(&[path]).remove(0).map(|(metric, _)| metric)
    }

    /// Every path that leads to a metric, in the order of the report.
    pub fn metric_paths(&self) -> Vec<String> {
        self.leaves().iter().map(Leaf::path).collect()
    }

    /// The paths of what mechanisms measured and people look at first.
    pub fn headlines(&self) -> Vec<String> {
        let first = |section: &Section| {
            let values = section.values.iter().filter(|(_, value)| value.headline);
            values.map(|(name, _)| written(&section.names(name))).collect::<Vec<_>>()
        };
        self.sections.iter().flat_map(first).collect()
    }
}

/// The metrics of a report, in its order.
#[derive(Debug)]
pub struct Leaves<'a> {
    /// Whether the report covers a part of its run, and how that is known of some only.
    part: bool,
    /// Whether that is a stretch whose calls are counted apart.
    stretch: bool,
    /// The first edge from users: response times without an edge are its.
    users: Option<&'a str>,
    all: Vec<Leaf<'a>>,
    /// Places in `all`, by names.
    sorted: Vec<usize>,
}

impl<'a> Leaves<'a> {
    fn of(report: &'a Report) -> Self {
        let mut all = walk(report);
        let mut sorted: Vec<usize> = (0..all.len()).collect();
        sorted.sort_by(|&a, &b| all[a].names.cmp(&all[b].names));
        let users = report.edges.iter().find(|(_, edge)| edge.from_users).map(|(name, _)| name);
        for leaf in &mut all {
            leaf.meaning.short |=
                matches!(leaf.names[..], ["edges", name, "latency", _] if users == Some(name));
        }
        Leaves { part: report.part, stretch: report.stretch.is_some(), users, all, sorted }
    }

    /// Every metric that is known, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = &Leaf<'a>> {
        self.all.iter().filter(|leaf| self.knows(leaf))
    }

    fn knows(&self, leaf: &Leaf) -> bool {
        !self.part || leaf.meaning.in_part || (self.stretch && leaf.meaning.in_stretch)
    }

    /// The metric at `path`.
    pub fn metric(&self, path: &str) -> Result<Metric, MetricError> {
        self.leaf(path).map(|leaf| leaf.metric)
    }

    /// The same, and what it means.
    pub fn leaf(&self, path: &str) -> Result<&Leaf<'a>, MetricError> {
        let wanted = names(path).map_err(|message| MetricError { message, nearest: Vec::new() })?;
        let Some(leaf) = self.find(&wanted) else { return Err(self.unknown(path, &wanted)) };
        if !self.knows(leaf) {
            let message = format!("`{path}` is known for the whole run only: {KNOWN_IN_PART}");
            return Err(MetricError { message, nearest: Vec::new() });
        }
        Ok(leaf)
    }

    /// The same where it does not matter why there is nothing: the nearest paths are not looked for.
    pub fn get(&self, path: &str) -> Option<&Leaf<'a>> {
        let wanted = names(path).ok()?;
        self.find(&wanted).filter(|leaf| self.knows(leaf))
    }

    /// As it is written; one name alone is looked up in the summary, then in the response times of users; `response.p99` in theirs.
    fn find(&self, wanted: &[String]) -> Option<&Leaf<'a>> {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let short = |name: &&str| {
            let of_users = || self.at(&["edges", self.users?, "latency", name]);
            self.at(&[SUMMARY, name]).or_else(of_users)
        };
        self.at(&wanted).or_else(|| match &wanted[..] {
            [name] => short(name),
            ["response", name] => self.at(&["edges", self.users?, "response", name]),
            ["services", service, "replicas", number, name] => {
                self.at(&["replicas", &format!("{service}[{number}]"), name])
            }
            _ => None,
        })
    }

    fn at(&self, names: &[&str]) -> Option<&Leaf<'a>> {
        let place = self.sorted.binary_search_by(|&leaf| self.all[leaf].names.as_slice().cmp(names)).ok()?;
        Some(&self.all[self.sorted[place]])
    }

    /// Why there is nothing at a path: it is a group, or nothing at all.
    fn unknown(&self, path: &str, wanted: &[String]) -> MetricError {
        let inside = |at: &[&str]| at.len() > wanted.len() && at.iter().zip(wanted).all(|(a, b)| a == b);
        let group: Vec<String> = self.all.iter().filter(|leaf| inside(&leaf.names)).map(Leaf::path).collect();
        if !group.is_empty() {
            let message = format!("`{path}` is a group of {} metrics: name one of them", group.len());
            return MetricError { message, nearest: group.into_iter().take(NEAREST).collect() };
        }
        let message = format!("this report has no metric `{path}`");
        if let [group, service, each, ..] = wanted
            && group == "services"
            && each == "replicas"
            && wanted.len() > 3
        {
            let told = |leaf: &&Leaf| {
                leaf.names[0] == "replicas" && leaf.names[1].starts_with(&format!("{service}["))
            };
            let why = match self.all.iter().any(|leaf| told(&leaf)) {
                false => format!("replicas are told apart where `services.{service}.per_replica` is true"),
                true => "replicas are counted from 0, and `list metrics` has what is told of each".into(),
            };
            return MetricError { message: format!("{message}: {why}"), nearest: nearest(wanted, &self.all) };
        }
        // What is measured at a place is asked by its kind first: `edges["a->b"].cache.hits` is `cache["a->b"].hits`.
        if let [_, at, kind, name] = wanted
            && let Some(leaf) =
                self.at(&[kind, at, name]).or_else(|| self.at(&[&format!("{kind}s"), at, name]))
        {
            let now = leaf.path();
            return MetricError { message: format!("{message}: it is called `{now}`"), nearest: vec![now] };
        }
        MetricError { message, nearest: nearest(wanted, &self.all) }
    }
}

/// The paths that look most like the wanted one, and those that end like it.
fn nearest(wanted: &[String], leaves: &[Leaf]) -> Vec<String> {
    let text = wanted.join(".");
    let likeness = |at: &[&str]| {
        let at = if wanted.len() == 1 && at[0] == SUMMARY { &at[1..] } else { at };
        let alike = strsim::normalized_damerau_levenshtein(&at.join("."), &text);
        if at.last().copied() == wanted.last().map(String::as_str) { alike.max(0.6) } else { alike }
    };
    let mut near: Vec<(f64, &Leaf)> = leaves.iter().map(|leaf| (likeness(&leaf.names), leaf)).collect();
    near.retain(|(alike, _)| *alike >= 0.6);
    // Stable: of equally near ones, the first of the report.
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.iter().take(NEAREST).map(|(_, leaf)| leaf.path()).collect()
}

#[cfg(test)]
mod tests;
