//! What a row sets otherwise than the one it is held against, in words.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::experiment::{Change, Kind, Node, Resolved};

/// The most that is said of one row.
const MOST: usize = 4;
/// So many characters of a value are shown, and of what it takes the place of.
const SHOWN: usize = 56;
const SHOWN_BEFORE: usize = 26;

/// A place that is set otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetApart {
    /// Where, as `--set` names it.
    pub path: String,
    /// What stands there in the row it is held against; null if nothing does.
    pub from: Option<String>,
    /// What stands there; null if nothing does.
    pub to: Option<String>,
    /// Where that names another policy: what this says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<SetApart>,
    /// The same two, short.
    #[serde(skip)]
    short: [String; 2],
}

impl SetApart {
    /// All that is set otherwise in the other; nothing where that is another model.
    pub fn all(base: &Resolved, other: &Resolved) -> Vec<SetApart> {
        let policies = other.value("policies");
        base.changes(other).unwrap_or_default().into_iter().map(|one| SetApart::of(one, policies)).collect()
    }

    fn of(change: Change, policies: Option<&Node>) -> SetApart {
        let policy = |node: &Option<Node>| {
            let name = node.as_ref().filter(|_| change.path.ends_with("policy")).and_then(Node::as_text)?;
            policies?.get(name)
        };
        let within = match (policy(&change.from), policy(&change.to)) {
            (Some(from), Some(to)) => from.changes(to),
            _ => Vec::new(),
        };
        let Change { path, from, to } = change;
        let said = |node: &Option<Node>| node.clone().map(|node| node.as_said().plain());
        SetApart {
            short: [short(from.as_ref(), SHOWN_BEFORE), short(to.as_ref(), SHOWN)],
            from: said(&from),
            to: said(&to),
            within: within.into_iter().map(|one| SetApart::of(one, None)).collect(),
            path,
        }
    }

    fn words(&self) -> String {
        let SetApart { path, short: [from, to], .. } = self;
        let said = match (from.as_str(), to.as_str()) {
            (_, "") => return format!("no {path}"),
            ("", to) => format!("{path} {to}"),
            (from, to) => format!("{path} {from} -> {to}"),
        };
        match self.within.as_slice() {
            [] => said,
            within => format!("{said} ({})", listed(within, ", ")),
        }
    }
}

/// All of it in a line.
pub fn words(all: &[SetApart]) -> String {
    listed(all, "; ")
}

fn listed(all: &[SetApart], between: &str) -> String {
    let most = if all.len() > MOST + 1 { MOST } else { all.len() };
    let mut parts: Vec<String> = all.iter().take(most).map(SetApart::words).collect();
    if all.len() > most {
        parts.push(format!("and {} more", all.len() - most));
    }
    parts.join(between)
}

/// A value in so many characters; nothing where nothing stands.
fn short(node: Option<&Node>, most: usize) -> String {
    let Some(node) = node else { return String::new() };
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        return String::new();
    }
    let whole = node.clone().as_said().plain();
    if whole.chars().count() <= most {
        return whole;
    }
    match node.name() {
        Some(name) if most < SHOWN => format!("{name}(..)"),
        _ if most < SHOWN => String::new(),
        _ => whole.chars().take(most - 2).collect::<String>() + "..",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::Catalog;
    use sim_models::experiment::Experiment;

    #[test]
    fn a_variant_in_words() {
        let text = r#"(about: "x", model: ServiceGraph(
            workload: [(to: "a", arrivals: Poisson("10/s"))],
            services: {"a": (workers: Async(1), work: "1ms", calls: [(to: "b", policy: "p")]), "b": (workers: Async(2), work: "2ms", queue: Fifo(capacity: 7))},
            policies: {"p": (timeout: "1s", retry: Fixed(attempts: 3)), "q": (timeout: "2s", budget: Ratio(0.1))},
            faults: [(at: "10s", for: "5s", on: "b", effect: Crash())],
        ), run: (duration: "60s"))"#;
        let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
        let said = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
            let [base, other] = [&[][..], &set].map(|set| experiment.with(None, set).expect("sound"));
            words(&SetApart::all(&base, &other))
        };
        for (set, expected) in [
            (&[][..], ""),
            (&[("policies.p.timeout", "\"5s\"")], "policies.p.timeout 1s -> 5s"),
            (&[("policies.p.retry", "None")], "policies.p.retry Fixed(attempts: 3) -> None"),
            (&[("faults", "[]")], "no faults"),
            (
                &[("services.a.calls[0].policy", "\"q\"")],
                "services.a.calls[0].policy p -> q (timeout 1s -> 2s, retry Fixed(attempts: 3) -> None, budget None -> Ratio(ratio: 0.1))",
            ),
            (
                &[("services.b.queue", "Lifo(capacity: 5)"), ("services.b.replicas", "4")],
                "services.b.replicas 1 -> 4; services.b.queue Fifo(capacity: 7) -> Lifo(capacity: 5)",
            ),
        ] {
            assert_eq!(said(set), expected);
        }
    }
}
