//! What one run is set to otherwise than another: each place that differs, as `--set` names it.
//!
//! Both trees have every default written out, so a place that is in one of them is in the other, unless what stands around it is of
//! another kind: then that differs as a whole. Maps and lists may have more in one than in the other.

use super::load::Resolved;
use super::node::{Entry, Kind, Node};
use super::path::{push_index, push_name};

/// A place that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where: `policies.naive.retry`.
    pub path: String,
    /// What stands there; none if nothing does.
    pub from: Option<Node>,
    /// What stands there in the other.
    pub to: Option<Node>,
}

impl Resolved {
    /// What the other is set to otherwise; none if it is another model.
    pub fn changes(&self, other: &Resolved) -> Option<Vec<Change>> {
        self.compared(other, false)
    }

    /// The least that must be set in this to have the other, as `--set` takes it; none if it is another model. What can be set and not
    /// taken away, a service or a variant of a policy, is set with all that stands beside it.
    pub fn settings_of(&self, other: &Resolved) -> Option<Vec<(String, String)>> {
        let settings = self.compared(other, true)?.into_iter();
        Some(settings.filter_map(|one| Some((one.path, one.to?.without_absent().to_line()))).collect())
    }

    fn compared(&self, other: &Resolved, settings: bool) -> Option<Vec<Change>> {
        let ours = (self.canonical.get("model")?, self.canonical.get("run")?);
        let theirs = (other.canonical.get("model")?, other.canonical.get("run")?);
        if ours.0.name() != theirs.0.name() {
            return None;
        }
        let mut all = Walk { settings, all: Vec::new() };
        all.walk("", ours.0, theirs.0);
        all.walk("run", ours.1, theirs.1);
        Some(all.all)
    }
}

impl Node {
    /// What the other says otherwise, if both are of one type, with every default written out.
    pub fn changes(&self, other: &Node) -> Vec<Change> {
        let mut all = Walk { settings: false, all: Vec::new() };
        all.walk("", self, other);
        all.all
    }
}

struct Walk {
    /// Whether all of it is to be set: then what is no longer there takes along what it stood in.
    settings: bool,
    all: Vec<Change>,
}

impl Walk {
    fn walk(&mut self, path: &str, from: &Node, to: &Node) {
        if from == to {
            return;
        }
        let all_in = |some: &[Entry], of: &Node| some.iter().all(|one| of.get(&one.key.value).is_some());
        match (&from.kind, &to.kind) {
            (Kind::Struct(name, fields), Kind::Struct(other, others))
                if name == other && all_in(fields, to) && all_in(others, from) =>
            {
                self.entries(path, from, to)
            }
            (Kind::Map(entries), Kind::Map(_)) if !self.settings || all_in(entries, to) => {
                self.entries(path, from, to)
            }
            (Kind::List(items), Kind::List(others)) if items.len() == others.len() => {
                for (n, (from, to)) in items.iter().zip(others).enumerate() {
                    let mut at = path.to_string();
                    push_index(&mut at, n);
                    self.walk(&at, from, to);
                }
            }
            _ => self.all.push(Change { path: path.into(), from: Some(from.clone()), to: Some(to.clone()) }),
        }
    }

    fn entries(&mut self, path: &str, from: &Node, to: &Node) {
        let at = |key: &str| {
            let mut at = path.to_string();
            push_name(&mut at, key);
            at
        };
        for Entry { key, value, .. } in from.entries() {
            match to.get(&key.value) {
                Some(other) => self.walk(&at(&key.value), value, other),
                None => self.all.push(Change { path: at(&key.value), from: Some(value.clone()), to: None }),
            }
        }
        for Entry { key, value, .. } in to.entries().iter().filter(|it| from.get(&it.key.value).is_none()) {
            self.all.push(Change { path: at(&key.value), from: None, to: Some(value.clone()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;
    use crate::experiment::Experiment;

    const FILE: &str = r#"(about: "x", model: ServiceGraph(
        workload: [(to: "a", arrivals: Poisson("10/s"), policy: "p")],
        services: {"a": (workers: Async(1), work: "1ms", calls: [(to: "b", policy: "p")]), "b": (workers: Async(2), work: "2ms")},
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: 3)), "q": (timeout: "2s")},
    ), run: (duration: "60s"))"#;

    fn resolved(text: &str, set: &[(&str, &str)]) -> Resolved {
        let set: Vec<(String, String)> =
            set.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
        let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
        experiment.with(None, &set).expect("sound")
    }

    #[test]
    fn what_is_set_is_what_differs() {
        let base = resolved(FILE, &[]);
        assert_eq!(base.changes(&base), Some(Vec::new()));
        let set = [
            ("services.a.calls[0].policy", "\"q\""),
            ("policies.p.timeout", "\"5s\""),
            ("policies.p.retry", "None"),
            ("run.duration", "\"30s\""),
        ];
        let other = resolved(FILE, &set);
        let told = |one: Change| (one.path, one.to.expect("it is there").to_line());
        let mut told: Vec<(String, String)> =
            base.changes(&other).expect("one model").into_iter().map(told).collect();
        let mut expected: Vec<(String, String)> =
            set.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
        // Within one kind of retry only what differs.
        let more = resolved(FILE, &[("policies.p.retry", "Fixed(attempts: 5)")]);
        assert_eq!(base.changes(&more).expect("one model")[0].path, "policies.p.retry.attempts");
    }

    #[test]
    fn setting_what_differs_makes_the_other() {
        let base = resolved(FILE, &[]);
        // One policy more, one service fewer, a longer list.
        for other in [
            FILE.replace(r#""q": (timeout: "2s")"#, r#""r": (budget: Ratio(0.1))"#),
            FILE.replace(r#"calls: [(to: "b", policy: "p")]"#, "")
                .replace(r#", "b": (workers: Async(2), work: "2ms")"#, ""),
            FILE.replace(r#"calls: [(to: "b""#, r#"calls: [(to: "b"), (to: "b""#),
            FILE.replace("Poisson(\"10/s\")", "Constant(\"20/s\")").replace("60s", "90s"),
        ] {
            let other = resolved(&other, &[]);
            let settings = base.settings_of(&other).expect("one model");
            let set: Vec<(&str, &str)> =
                settings.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
            assert_eq!(resolved(FILE, &set).input_digest, other.input_digest, "{settings:?}");
        }
        let gone =
            base.changes(&resolved(&FILE.replace(r#", "q": (timeout: "2s")"#, ""), &[])).expect("one model");
        assert_eq!((gone.len(), gone[0].path.as_str(), &gone[0].to), (1, "policies.q", &None));
    }
}
