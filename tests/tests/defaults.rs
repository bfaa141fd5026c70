//! What is at its default has no part in a digest, so a default that changes would move results while `i` stays
//! what it was. Every default of every model is therefore held against a list (`tests/golden/defaults.txt`;
//! `BROWNOUT_BLESS=1` writes it anew): new lines are welcome, a line that changes asks for the model's version to be
//! raised.

use sim_models::Catalog;
use sim_models::experiment::{Decode, FieldDoc, RunSpec, Shape, TypeDoc};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// `path.to.field = default` of everything that can be written under `root`, by the shortest way to each type: `[]` is any of a list,
/// `*` any name, and a variant stands where its parameters are: `policies.*.retry.Fixed.attempts`.
fn defaults_below(root: TypeDoc, lines: &mut BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    let mut todo = VecDeque::from([(String::new(), root)]);
    while let Some((path, doc)) = todo.pop_front() {
        if !doc.name.is_empty() && !seen.insert((doc.name.clone(), doc.doc.clone())) {
            continue;
        }
        let below = |parts: &[&str]| {
            let parts = [path.as_str()].into_iter().chain(parts.iter().copied());
            parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
        };
        let mut fields = |of: &str, fields: &[FieldDoc]| {
            for field in fields {
                let path = below(&[of, field.name]);
                if let Some(default) = field.default {
                    lines.insert(format!("{path} = {}", default().to_line()));
                }
                todo.push_back((path, (field.ty.describe)()));
            }
        };
        match &doc.shape {
            Shape::Struct(own) => fields("", own),
            Shape::Enum(variants) => variants.iter().for_each(|each| fields(each.name, &each.fields)),
            Shape::Optional(inner) => todo.push_back((path, (inner.describe)())),
            Shape::List(inner) => todo.push_back((format!("{path}[]"), (inner.describe)())),
            Shape::Map(inner) => todo.push_back((below(&["*"]), (inner.describe)())),
            Shape::Bool | Shape::Integer(..) | Shape::Float | Shape::Text(_) | Shape::Any => {}
        }
    }
}

fn found() -> String {
    let mut text = String::new();
    let mut section = |head: String, root: TypeDoc| {
        let mut lines = BTreeSet::new();
        defaults_below(root, &mut lines);
        text += &format!("{head}\n{}\n", lines.into_iter().map(|line| line + "\n").collect::<String>());
    };
    for entry in Catalog::bundled().entries() {
        section(format!("# {} version {}", entry.name, entry.version), (entry.describe)());
    }
    section("# run".into(), RunSpec::describe());
    text
}

/// (head, setting) to default.
fn by_setting(text: &str) -> BTreeMap<(String, String), String> {
    let mut head = String::new();
    let mut all = BTreeMap::new();
    for line in text.lines() {
        if let Some(given) = line.strip_prefix("# ") {
            head = given.to_owned();
        } else if let Some((setting, default)) = line.split_once(" = ") {
            all.insert((head.clone(), setting.to_owned()), default.to_owned());
        }
    }
    all
}

/// A default without those of its fields that are absent: what is left out of a record may have got a name since.
fn without_absent(default: &str) -> String {
    let fields = default.split(", ").filter(|field| !field.trim_end_matches(')').ends_with(": None"));
    fields.collect::<Vec<_>>().join(", ").trim_end_matches(')').to_owned()
}

#[test]
fn a_default_changes_with_the_version_of_its_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/defaults.txt");
    let found = found();
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let (old, new) = (by_setting(&golden), by_setting(&found));
    for ((head, setting), default) in &new {
        let before = old.get(&(head.clone(), setting.clone()));
        if let Some(before) = before.filter(|before| without_absent(before) != without_absent(default)) {
            panic!(
                "{head}: {setting} was {before}, now {default}. Files that leave it out have other results under \
                 the same input: raise the model's version"
            );
        }
    }
    if std::env::var_os("BROWNOUT_BLESS").is_some() {
        return std::fs::write(&path, &found).expect("the list can be written");
    }
    assert_eq!(
        found, golden,
        "BROWNOUT_BLESS=1 cargo test -p brownout-tests --test defaults writes the list anew"
    );
}
