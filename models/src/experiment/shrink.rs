//! The smallest experiment that still does what this one does: parts left out, then numbers made smaller and rounder, one change after another, each kept
//! if what was to be kept is (delta debugging: Zeller and Hildebrandt, 2002).
//!
//! It knows no model. What is left out takes with it whatever names it elsewhere, since an edge to a service that is not there is no experiment.

use super::node::{Kind, Node};

/// What a search for something smaller came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest that was found.
    pub node: Node,
    /// How many were tried.
    pub tried: u64,
    /// Whether nothing smaller is left to try; else there was no time for it.
    pub whole: bool,
}

/// Makes a tree smaller for as long as `keeps` says so, trying at most so many. What stands under one of the names in `apart` stays as it is.
pub fn shrink(root: Node, apart: &[&str], most: u64, keeps: &mut dyn FnMut(&Node) -> bool) -> Shrunk {
    let mut best = Shrunk { node: root, tried: 0, whole: false };
    loop {
        let before = best.node.clone();
        // What is left out makes every later try cheaper: first.
        for pass in [Pass::LeaveOut, Pass::Simplify] {
            // Edits are numbered, so that after one that is kept it goes on where it was, and not from the beginning.
            let mut place = 0;
            while let Some(edits) = edits(&best.node, apart, pass, place) {
                place += 1;
                for smaller in edits {
                    if best.tried == most {
                        return best;
                    }
                    best.tried += 1;
                    if keeps(&smaller) {
                        best.node = smaller;
                        place -= 1;
                        break;
                    }
                }
            }
        }
        if best.node == before {
            return Shrunk { whole: true, ..best };
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    LeaveOut,
    Simplify,
}

/// All that may be done about one value of a tree, the largest first; none if it has fewer values.
fn edits(root: &Node, apart: &[&str], pass: Pass, place: usize) -> Option<Vec<Node>> {
    let path = nth(root, apart, place)?;
    let mut all = Vec::new();
    match pass {
        Pass::LeaveOut => {
            let mut without = root.clone();
            if let Some(gone) = leave_out(&mut without, &path) {
                let alone = without.clone();
                all.push(alone);
                if let Some(name) = gone {
                    forget(&mut without, &name);
                    all.push(without);
                }
            }
        }
        Pass::Simplify => {
            for simpler in simpler(at(root, &path)) {
                let mut changed = root.clone();
                *at_mut(&mut changed, &path) = simpler;
                all.push(changed);
            }
        }
    }
    Some(all)
}

/// The way to a value: which of the things that stand in each.
type Way = Vec<usize>;

fn parts(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::List(items) | Kind::Tuple(_, items) => items.iter().collect(),
        Kind::Map(entries) | Kind::Struct(_, entries) => entries.iter().map(|entry| &entry.value).collect(),
        _ => Vec::new(),
    }
}

/// The way to the value of this number, parents before what stands in them.
fn nth(root: &Node, apart: &[&str], place: usize) -> Option<Way> {
    fn walk(node: &Node, apart: &[&str], left: &mut usize, way: &mut Way) -> bool {
        for (number, part) in parts(node).into_iter().enumerate() {
            if node.entries().get(number).is_some_and(|entry| apart.contains(&entry.key.value.as_str())) {
                continue;
            }
            way.push(number);
            if *left == 0 || {
                *left -= 1;
                walk(part, apart, left, way)
            } {
                return true;
            }
            way.pop();
        }
        false
    }
    let (mut left, mut way) = (place, Vec::new());
    walk(root, apart, &mut left, &mut way).then_some(way)
}

fn at<'a>(root: &'a Node, way: &[usize]) -> &'a Node {
    way.iter().fold(root, |node, number| parts(node)[*number])
}

fn at_mut<'a>(root: &'a mut Node, way: &[usize]) -> &'a mut Node {
    way.iter().fold(root, |node, number| match &mut node.kind {
        Kind::List(items) | Kind::Tuple(_, items) => &mut items[*number],
        Kind::Map(entries) | Kind::Struct(_, entries) => &mut entries[*number].value,
        _ => unreachable!("the way leads through what has parts"),
    })
}

/// Takes a value out of what it stands in, if that can do without: and gives back the name by which others speak of it.
fn leave_out(root: &mut Node, way: &[usize]) -> Option<Option<String>> {
    let (number, holder) = way.split_last()?;
    match &mut at_mut(root, holder).kind {
        Kind::List(items) => {
            let gone = items.remove(*number);
            Some(gone.get("name").and_then(Node::as_text).map(String::from))
        }
        Kind::Map(entries) => Some(Some(entries.remove(*number).key.value)),
        // What may be left out has a value of its own then; what may not makes no experiment without it.
        Kind::Struct(_, entries) => {
            entries.remove(*number);
            Some(None)
        }
        _ => None,
    }
}

/// Takes out of lists and maps all that speaks of a name.
fn forget(node: &mut Node, name: &str) {
    match &mut node.kind {
        Kind::List(items) => {
            items.retain(|item| !speaks_of(item, name));
            items.iter_mut().for_each(|item| forget(item, name));
        }
        Kind::Map(entries) => {
            entries.retain(|entry| !is_of(&entry.key.value, name));
            entries.iter_mut().for_each(|entry| forget(&mut entry.value, name));
        }
        Kind::Struct(_, entries) => entries.iter_mut().for_each(|entry| forget(&mut entry.value, name)),
        _ => {}
    }
}

/// Whether a value of a list is about a name: it is it, or one of its own fields is. What stands in a list of its own is looked at there.
fn speaks_of(item: &Node, name: &str) -> bool {
    match &item.kind {
        Kind::Text(text) => is_of(text, name),
        Kind::Struct(_, entries) => entries
            .iter()
            .any(|entry| !matches!(entry.value.kind, Kind::List(_)) && speaks_of(&entry.value, name)),
        Kind::Tuple(_, items) => items.iter().any(|item| speaks_of(item, name)),
        _ => false,
    }
}

/// Whether a text has a name in it: `db`, `api->db`, `db[2]`.
fn is_of(text: &str, name: &str) -> bool {
    let is_part = |byte: char| byte.is_alphanumeric() || byte == '_' || byte == '-';
    text.match_indices(name).any(|(from, _)| {
        let before = text[..from].chars().next_back();
        let after = &text[from + name.len()..];
        let joins = after.chars().next().is_some_and(is_part) && !after.starts_with("->");
        !before.is_some_and(is_part) && !joins
    })
}

/// What is simpler than a value, the simplest first.
fn simpler(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::Bool(true) => vec![Kind::Bool(false).into()],
        Kind::Number(text) => smaller(text).into_iter().map(Node::number).collect(),
        Kind::Text(text) => {
            let digits =
                text.find(|at: char| !at.is_ascii_digit() && at != '.' && at != '_').unwrap_or(text.len());
            let (number, unit) = text.split_at(digits);
            let is_unit = unit.chars().all(|at| at.is_alphabetic() || matches!(at, '/' | '%' | 'µ'));
            if number.is_empty() || unit.is_empty() || !is_unit {
                return Vec::new();
            }
            smaller(number).into_iter().map(|number| Node::text(format!("{number}{unit}"))).collect()
        }
        // A distribution is simpler as what it comes to on average.
        Kind::Struct(Some(_), entries) => match node.get("mean") {
            Some(mean) if entries.iter().all(|entry| parts(&entry.value).is_empty()) => vec![mean.clone()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Numbers that are less than one, or as large and rounder: the least first.
fn smaller(text: &str) -> Vec<String> {
    let Ok(number) = text.replace('_', "").parse::<f64>() else { return Vec::new() };
    if !number.is_finite() || number <= 0.0 {
        return Vec::new();
    }
    let whole = !text.contains('.');
    let digit = digit_of(number);
    let rounded = (number / digit).floor() * digit;
    let mut all: Vec<f64> =
        [number / 4.0, number / 2.0, number * 0.75].map(|less| round_to(less, whole)).to_vec();
    all.push(rounded);
    if whole && number < 100.0 {
        all.push(number - 1.0);
    }
    all.push((number / digit * 10.0).floor() * digit / 10.0);
    all.retain(|less| *less > 0.0 && *less < number);
    all.sort_by(f64::total_cmp);
    all.dedup();
    all.into_iter().map(|number| format!("{number}")).filter(|less| less != text).collect()
}

/// The value of the first digit of a number: 100 of 317, 0.01 of 0.05.
fn digit_of(number: f64) -> f64 {
    let text = format!("{number:e}");
    let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    format!("1e{exponent}").parse().unwrap_or(1.0)
}

/// To one digit, or a whole number where the number is one.
fn round_to(number: f64, whole: bool) -> f64 {
    if whole {
        return number.floor();
    }
    let digit = digit_of(number);
    (number / digit).round() * digit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Diagnostics, parse_file};

    fn read(text: &str) -> Node {
        parse_file(text, 0, &mut Diagnostics::new()).expect("sound")
    }

    fn shrunk(text: &str, keeps: impl Fn(&str) -> bool) -> String {
        let mut keeps = |node: &Node| keeps(&node.to_line());
        let found = shrink(read(text), &[], 10_000, &mut keeps);
        assert!(found.whole);
        found.node.to_line()
    }

    #[test]
    fn what_does_not_matter_is_left_out() {
        let text = r#"(a: 3, faults: [(at: "10s", on: "db"), (at: "20s", on: "api"), (at: "31.7s", on: "db")], more: {"x": 1})"#;
        let of = shrunk(text, |text| text.contains("api"));
        assert_eq!(of, r#"(faults: [(on: "api")])"#);
        assert_eq!(shrunk(text, |_| true), "()");
    }

    #[test]
    fn numbers_become_as_small_as_they_may() {
        let at_least = |text: &str, least: f64| {
            let number = text
                .rsplit(' ')
                .next()
                .unwrap()
                .trim_end_matches(')')
                .trim_matches('"')
                .trim_end_matches("ms");
            number.parse::<f64>().is_ok_and(|number| number >= least)
        };
        assert_eq!(shrunk("(a: 317)", |text| at_least(text, 23.0)), "(a: 23)");
        assert_eq!(
            shrunk(r#"(a: "317.5ms")"#, |text| at_least(text, 40.0) && text.contains("ms")),
            r#"(a: "40ms")"#
        );
        assert_eq!(shrunk(r#"(a: Exponential(mean: "5ms"))"#, |text| at_least(text, 5.0)), r#"(a: "5ms")"#);
    }

    /// What names something that is left out goes with it: else there would be no smaller experiment at all.
    #[test]
    fn what_names_what_is_gone_goes_with_it() {
        let text = r#"(services: {"db": (), "db2": (), "api": (calls: ["api->db"])}, faults: [(on: "db[2]"), (on: "db2")])"#;
        // Sound is what speaks of no service that is not there.
        let sound = |text: &str| {
            let there = |name: &str| text.contains(&format!("\"{name}\": "));
            (!is_of_any(text, "db") || there("db")) && text.contains("\"db2\")")
        };
        fn is_of_any(text: &str, name: &str) -> bool {
            text.split('"').any(|part| is_of(part, name))
        }
        let found = shrunk(text, sound);
        assert!(!is_of_any(&found, "db"), "{found}");
        assert!(
            is_of("api->db", "db")
                && is_of("db->api", "db")
                && is_of("db[1]", "db")
                && !is_of("db2", "db")
                && !is_of("my-db", "db")
        );
    }

    #[test]
    fn what_stands_apart_stays() {
        let found = shrink(read("(protocol: (a: 3), b: (protocol: 4))"), &["protocol"], 100, &mut |_| true);
        assert_eq!(found.node.to_line(), "(protocol: (a: 3))");
    }

    #[test]
    fn it_stops_when_enough_was_tried() {
        let found = shrink(read("(a: 1000, b: 1000)"), &[], 3, &mut |_| false);
        assert_eq!((found.tried, found.whole), (3, false));
    }
}
