//! Whose change a snapshot shows: the experiment's, or brownout's.
//!
//! What a file says is remembered apart from the version of its model. If it says what it said, and another result came out, brownout
//! is another, and its changelog says why.

use crate::golden::facts::{Fact, Facts};
use crate::text::first_sentence;

/// All that changed, newest first.
const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");
/// So many of its entries are told.
const MOST: usize = 3;

/// Whose change it is that today's runs are not those of the snapshot, in a sentence; none where that cannot be told.
pub fn told(before: &Facts, now: &Facts, experiment: &str) -> Option<String> {
    let mut pairs = Vec::new();
    for fact in &now.runs {
        pairs.extend(before.runs.iter().find(|then| then.variant == fact.variant).map(|then| (then, fact)));
    }
    let others: Vec<&(&Fact, &Fact)> = pairs.iter().filter(|(then, fact)| is_other(then, fact)).collect();
    let made = made(before)?;
    let today = self::made(now)?;
    let by =
        if made == today { String::new() } else { format!("; the snapshot is of {made}, this is {today}") };
    if others.iter().any(|(then, fact)| unknown(then, fact)) {
        return None;
    }
    if let Some((then, _)) = others.first() {
        let name = then.variant.as_deref().unwrap_or("base");
        let more = match others.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return Some(format!(
            "the experiment says something else than it did, or its seed is another: {name}{more}{by}"
        ));
    }
    let changed = pairs.iter().any(|(then, fact)| then.digest != fact.digest || then.metrics != fact.metrics);
    let since = before.brownout.as_deref().unwrap_or_default();
    match changed {
        true => Some(format!(
            "brownout changed, and nothing that the experiment says{by}; {}",
            entries(CHANGELOG, since, experiment)
        )),
        false => {
            Some(format!("no number changed and nothing that the experiment says: only how it is told{by}"))
        }
    }
}

/// What made a snapshot: `brownout 0.1.0 with ServiceGraph 1`.
fn made(facts: &Facts) -> Option<String> {
    let (model, version) = facts.runs.first()?.model.as_ref()?;
    Some(format!("brownout {} with {model} {version}", facts.brownout.as_ref()?))
}

/// Whether a run is of something else than it was.
fn is_other(then: &Fact, fact: &Fact) -> bool {
    then.seed != fact.seed || then.said.is_none() || then.said != fact.said
}

fn unknown(then: &Fact, fact: &Fact) -> bool {
    then.said.is_none() || fact.said.is_none()
}

/// What the changelog says since a version: the entries that name the experiment, or where to look.
fn entries(changelog: &str, since: &str, experiment: &str) -> String {
    let (mut headings, mut entries): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for line in changelog.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            if heading.split_whitespace().next() == Some(since) {
                break;
            }
            headings.push(heading);
        } else if let Some(entry) = line.strip_prefix("- ") {
            entries.push(entry.into());
        } else if let (Some(entry), false) = (entries.last_mut(), line.trim().is_empty()) {
            *entry += " ";
            *entry += line.trim();
        }
    }
    // Alone, or with a variant: `storm`, `storm budgeted`.
    let names = [format!("`{experiment}`"), format!("`{experiment} ")];
    let named = entries.iter().filter(|entry| names.iter().any(|name| entry.contains(name))).take(MOST);
    let named: Vec<&str> = named.map(|entry| first_sentence(entry)).collect();
    let headings = headings.join(", ");
    match named.is_empty() {
        true => format!("CHANGELOG.md under {headings} says what moved"),
        false => format!("CHANGELOG.md under {headings}: {}", named.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(version: u32, said: &str, events: u64) -> Facts {
        let mut fact = Fact { model: Some(("ServiceGraph".into(), version)), ..Fact::default() };
        fact.said = Some(said.into());
        fact.digest.t = events.to_string();
        Facts { brownout: Some(format!("0.{version}.0")), runs: vec![fact], ..Facts::default() }
    }

    #[test]
    fn whose_change_it_is() {
        let before = facts(1, "a", 10);
        let told = |now: &Facts| told(&before, now, "mine").unwrap();
        assert!(
            told(&facts(1, "a", 11)).starts_with("brownout changed, and nothing that the experiment says; ")
        );
        let newer = told(&facts(2, "a", 11));
        assert!(
            newer.contains(
                "of brownout 0.1.0 with ServiceGraph 1, this is brownout 0.2.0 with ServiceGraph 2"
            )
        );
        assert!(told(&facts(1, "b", 11)).starts_with("the experiment says something else than it did"));
        assert!(told(&facts(1, "a", 10)).starts_with("no number changed"));
        let both = told(&facts(2, "b", 11));
        assert!(both.starts_with("the experiment") && both.contains("0.2.0"), "{both}");
        // Who did not say what made it tells nothing.
        let old = Facts { brownout: None, ..before.clone() };
        assert_eq!(super::told(&old, &facts(1, "a", 11), "mine"), None);
    }

    #[test]
    fn the_changelog_is_read_from_the_version_on() {
        let changelog = "# Changelog\n\n## Unreleased\n\n- `mine` moved. It is slower.\n- Another:\n  more of `it`.\n\n## 0.2.0\n\n\
                         - `it` is new.\n\n## 0.1.0\n\n- `mine` is new.\n";
        let told = |since, name| entries(changelog, since, name);
        assert_eq!(told("0.1.0", "mine"), "CHANGELOG.md under Unreleased, 0.2.0: `mine` moved");
        assert_eq!(
            told("0.1.0", "it"),
            "CHANGELOG.md under Unreleased, 0.2.0: Another: more of `it`; `it` is new"
        );
        assert_eq!(told("0.2.0", "other"), "CHANGELOG.md under Unreleased says what moved");
        assert!(CHANGELOG.lines().any(|line| line.starts_with("## ")));
    }
}
