//! `brownout compare EXPERIMENT --a .. --b ..` and `brownout compare ONE OTHER`: two sides that no file has as its variants, on the
//! same luck.
//!
//! Two files are one experiment and what has to be set in it to have the other. So both draw from streams of the same names, and
//! whatever has one name in both meets one luck.

use super::Compare;
use crate::app::App;
use crate::error::{Error, Result};
use crate::experiment::{Opened, Prepared};
use crate::replay::quote;
use crate::study::replicate::Row;
use crate::text::escape;
use sim_models::experiment::{Node, Path, Resolved, Span};

/// What is set by hand on either side; against the base where only one is said.
pub(super) fn sides(args: &Compare, app: &App, opened: &Opened) -> Result<(Vec<Option<String>>, Vec<Row>)> {
    let variant = match args.variant.as_slice() {
        [] => None,
        [one] => app.variant(opened, Some(one))?.map(String::from),
        _ => {
            return Err(Error::usage(
                "--a and --b are put into one variant: name it alone, or none for the base",
            ));
        }
    };
    let base = Row { variant: variant.clone(), set: args.subject.set.clone() };
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    for (side, set) in [("a", &args.a), ("b", &args.b)] {
        said_once(side, set, &args.subject.set)?;
        if set.is_empty() {
            names.push(variant.clone());
            rows.push(base.clone());
        } else {
            names.push(Some(side.to_string()));
            rows.push(Row { set: base.set.iter().chain(set).cloned().collect(), ..base.clone() });
        }
    }
    // What is held against it comes after the base.
    if args.b.is_empty() {
        names.reverse();
        rows.reverse();
    }
    let prepare = |row: &Row| app.prepare(opened, row.variant.as_deref(), &row.set, args.subject.seed);
    let [one, other] = [prepare(&rows[0])?, prepare(&rows[1])?];
    if one.resolved.input_digest == other.resolved.input_digest {
        return Err(alike(match (args.a.is_empty(), args.b.is_empty()) {
            (false, false) => "--a and --b set the same",
            (false, true) => "what --a sets is set already",
            _ => "what --b sets is set already",
        }));
    }
    Ok((names, rows))
}

/// Two sides that do not differ.
fn alike(message: &str) -> Error {
    Error::Usage {
        message: message.into(),
        help: "  there would be nothing to hold against each other".into(),
    }
}

/// Refuses what is set twice on one side.
fn said_once(side: &str, set: &[(String, String)], both: &[(String, String)]) -> Result<()> {
    let path = |path: &str| {
        Path::parse(path, Span::default()).map_or_else(|_| path.to_string(), |path| path.to_string())
    };
    for (n, (at, value)) in set.iter().enumerate() {
        let this = format!("--{side} {}", escape(&format!("{at}={value}")));
        let before = set[..n].iter().map(|one| (side, one)).chain(both.iter().map(|one| ("set", one)));
        if let Some((how, (at, value))) = before.into_iter().find(|(_, (other, _))| path(other) == path(at)) {
            let other = format!("--{how} {}", escape(&format!("{at}={value}")));
            return Err(Error::usage(format!("{} is set twice: {other} and {this}", escape(at))));
        }
    }
    Ok(())
}

/// Names, rows, and where these cannot meet the same luck.
type Files = (Vec<Option<String>>, Vec<Row>, Option<String>);

/// Another experiment as what has to be set in this one to have it.
pub(super) fn files(args: &Compare, app: &mut App, opened: &Opened, other: &str) -> Result<Files> {
    let second = app.open_all(other, &args.subject.set)?;
    let set = &args.subject.set;
    let [one, two] = [opened, &second].map(|opened| app.prepare(opened, None, set, args.subject.seed));
    let (one, two) = (one?, two?);
    let refused = |why: String, help: &str| {
        Err(Error::Usage {
            message: format!(
                "{} and {} cannot be held against each other: {why}",
                named(opened),
                named(&second)
            ),
            help: help.into(),
        })
    };
    let Some(settings) = one.resolved.settings_of(&two.resolved) else {
        let [one, two] = [&one, &two].map(|one| one.resolved.entry.name);
        return refused(format!("one simulates {one}, the other {two}"), "  both must be of the same model");
    };
    if one.resolved.input_digest == two.resolved.input_digest {
        return refused("they say the same".into(), "  whatever is asked of them, both come to it");
    }
    let more: Vec<(String, String)> = settings.into_iter().chain(set.iter().cloned()).collect();
    let rows = vec![Row { variant: None, set: set.clone() }, Row { variant: None, set: more }];
    // It may name a file that does not stand beside the first, or that says something else there.
    let there = app.prepare(opened, None, &rows[1].set, args.subject.seed)?;
    if there.resolved.input_digest != two.resolved.input_digest {
        return refused(
            "the second would not be the same if it stood beside the first".into(),
            "  put both, and the files that they name, into one folder",
        );
    }
    let (first, last) = (&opened.found.name, &second.found.name);
    let names = match first == last {
        true => [opened, &second].map(|one| Some(one.found.argument.clone())),
        false => [first, last].map(|name| Some(name.clone())),
    };
    Ok((names.into(), rows, unlike(&one, &two)))
}

fn named(opened: &Opened) -> String {
    quote(&opened.found.argument)
}

/// Where two experiments cannot meet the same luck: whose calls come in one of them only, or in another way.
fn unlike(one: &Prepared, two: &Prepared) -> Option<String> {
    let users = |one: &Prepared| one.resolved.model.outline().map(|told| told.users).unwrap_or_default();
    let (ours, theirs) = (users(one), users(two));
    let alone = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|name| !others.contains(name)).map(|name| escape(name)).collect()
    };
    let mut said = Vec::new();
    for (there, names) in [("first", alone(&ours, &theirs)), ("second", alone(&theirs, &ours))] {
        if !names.is_empty() {
            said.push(format!("{} is in the {there} only", names.join(", ")));
        }
    }
    let arrivals = |resolved: &Resolved, name: &str| -> Option<String> {
        let place = resolved.model.outline()?.users.iter().position(|user| user == name)?;
        let node = resolved.value(&format!("workload[{place}].arrivals")).map(Node::name)?;
        node.map(String::from)
    };
    for name in ours.iter().filter(|name| theirs.contains(name)) {
        if let (Some(from), Some(to)) = (arrivals(&one.resolved, name), arrivals(&two.resolved, name))
            && from != to
        {
            said.push(format!("{} comes by {from} in the first and by {to} in the second", escape(name)));
        }
    }
    (!said.is_empty()).then(|| format!("not the same luck: {}", said.join("; ")))
}
