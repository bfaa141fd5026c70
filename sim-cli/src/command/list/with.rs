//! Which experiments show a mechanism: those in which its setting is written, as they stand or in a variant.

use crate::app::App;
use crate::error::{Error, Result};
use crate::library::nearest;
use crate::text::clean;
use sim_models::experiment::{Kind, Node, Path, Span};
use sim_models::mechanism::Mechanism;

/// The mechanisms of this name.
pub(super) fn named(name: &str, app: &App) -> Result<Vec<Mechanism>> {
    let all: Vec<Mechanism> = app.catalog.mechanisms().collect();
    let those: Vec<Mechanism> = all.iter().filter(|it| it.page.name == name).cloned().collect();
    if those.is_empty() {
        let near = nearest(name, all.iter().map(|it| it.page.name.to_string()));
        let help = match near {
            Some(near) => format!("  did you mean `{near}`?"),
            None => format!("  `{} list mechanisms` names them", app.program),
        };
        return Err(Error::Usage {
            message: format!("there is no mechanism called `{}`", clean(name)),
            help,
        });
    }
    Ok(those)
}

/// Whether an experiment makes use of it somewhere.
pub(super) fn uses(experiment: &Node, mechanism: &Mechanism) -> bool {
    let place: Vec<&str> = mechanism.path.split('.').collect();
    // What any run can be held to stands in the run, all else in the model.
    let of_run = place.first() == Some(&"run");
    let root = experiment.get(if of_run { "run" } else { "model" });
    let below = if of_run { &place[1..] } else { &place[..] };
    root.is_some_and(|root| holds(root, below, mechanism)) || variants(experiment, &place, mechanism)
}

/// Whether it stands at a place below a node; `NAME` is any key of a map, `x[]` any item of a list.
fn holds(node: &Node, place: &[&str], mechanism: &Mechanism) -> bool {
    let Some((first, rest)) = place.split_first() else { return mechanism.is_in(node) };
    if *first == "NAME" {
        let Kind::Map(entries) = &node.kind else { return false };
        return entries.iter().any(|entry| holds(&entry.value, rest, mechanism));
    }
    match first.strip_suffix("[]") {
        Some(list) => node.get(list).is_some_and(|items| any(items, rest, mechanism)),
        None => node.get(first).is_some_and(|value| holds(value, rest, mechanism)),
    }
}

/// The same in an item of a list, however deep lists and what holds several at once are nested.
fn any(node: &Node, place: &[&str], mechanism: &Mechanism) -> bool {
    match &node.kind {
        Kind::List(items) | Kind::Tuple(_, items) => items.iter().any(|item| any(item, place, mechanism)),
        _ => holds(node, place, mechanism),
    }
}

/// Whether a variant sets it, or something that holds it.
fn variants(experiment: &Node, place: &[&str], mechanism: &Mechanism) -> bool {
    let entries = |node: &Node| match &node.kind {
        Kind::Map(entries) => entries.iter().map(|it| (it.key.value.clone(), it.value.clone())).collect(),
        _ => Vec::new(),
    };
    let all = experiment.get("variants").map(entries).unwrap_or_default();
    all.iter().flat_map(|(_, set)| entries(set)).any(|(path, value)| {
        let Some(rest) = Path::parse(&path, Span::default()).ok().and_then(|_| below(&path, place)) else {
            return false;
        };
        match rest {
            // `faults` is set to a list, of which any item may hold it.
            Below::Item(rest) => any(&value, rest, mechanism),
            Below::At(rest) => holds(&value, rest, mechanism),
        }
    })
}

/// What of a place is left below a path that leads towards it.
enum Below<'p> {
    At(&'p [&'p str]),
    Item(&'p [&'p str]),
}

fn below<'p>(path: &str, place: &'p [&'p str]) -> Option<Below<'p>> {
    let mut rest = place;
    let mut segments = path.split('.').peekable();
    while let Some(segment) = segments.next() {
        let (first, after) = rest.split_first()?;
        let (name, indexed) = segment.split_once('[').map_or((segment, false), |(name, _)| (name, true));
        match first.strip_suffix("[]") {
            _ if *first == "NAME" => {}
            Some(list) if list == name => {
                if !indexed && segments.peek().is_none() {
                    return Some(Below::Item(after));
                }
            }
            None if *first == name => {}
            _ => return None,
        }
        rest = after;
    }
    Some(Below::At(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::Catalog;
    use sim_models::experiment::{Diagnostics, parse_file};

    #[test]
    fn a_mechanism_is_found_where_it_is_written() {
        let text = r#"(
            about: "a",
            model: ServiceGraph(
                workload: [(to: "a", arrivals: Poisson("1/s"))],
                services: {"a": (calls: [Parallel([(to: "b", fallback: (to: "c"))])])},
                policies: {"p": (retry: None, hedge: (after: "1s"))},
            ),
            run: (duration: "1s", slo: [(objective: 0.9)]),
            variants: {
                "x": {"policies.p": (breaker: Consecutive(failures: 5))},
                "y": {"services.a.autoscaler": (metric: Queue(1)), "faults": [(effect: Crash())]},
                "z": {"faults[0].effect": Slow(factor: 2), "services.a.queue": Lifo()},
            },
        )"#;
        let node = parse_file(text, 0, &mut Diagnostics::new()).unwrap();
        let used: Vec<&str> =
            Catalog::bundled().mechanisms().filter(|it| uses(&node, it)).map(|it| it.page.name).collect();
        for name in ["hedge", "fallback", "autoscaler", "slo"] {
            assert!(used.contains(&name), "{name}: {used:?}");
        }
        for name in ["retry", "cache", "cost", "rollout"] {
            assert!(!used.contains(&name), "{name}: {used:?}");
        }
        for name in ["breaker", "effect", "lifo"] {
            assert!(used.contains(&name), "{name}: {used:?}");
        }
    }
}
