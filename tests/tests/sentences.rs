//! No sentence without a row: what the source of service graphs can say of a file is held against the tables of its tests, in which
//! each row is asked for by its author's words and held to be what is told.

use std::fs;
use std::path::{Path, PathBuf};

/// What a service graph and its parts say of a file.
const ROOMS: [&str; 5] = ["service_graph", "policy", "workload", "network", "fault"];

/// The tables, each of which is held row by row.
const TABLES: [&str; 4] = ["structure", "sizes", "policies", "faults"];

#[test]
fn every_sentence_has_a_row() {
    let tables = TABLES.map(|table| read(&models().join(format!("service_graph/tests/{table}.rs"))));
    let rows: Vec<&str> = tables.iter().flat_map(|table| rows_of(table)).collect();
    let mut sentences = 0;
    let mut missing = Vec::new();
    for file in files() {
        for sentence in sentences_of(&read(&file)) {
            sentences += 1;
            if !rows.iter().any(|said| holds(said, &sentence)) {
                missing.push(format!("{}: {sentence}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "no row is told\n{}", missing.join("\n"));
    assert!(sentences >= 40, "only {sentences} sentences were found: is this still the way they are said?");
    assert!(rows.len() >= 80, "only {} rows were found: are they still written like that?", rows.len());
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// What rows of a table are told: raw texts that begin with a path and what is underlined there.
fn rows_of(table: &str) -> impl Iterator<Item = &str> {
    let raw = table.split("r#\"").skip(1).map(|rest| rest.split("\"#").next().expect("a text ends"));
    raw.filter(|text| text.lines().next().is_some_and(|line| line.contains("]: ")))
}

/// Source files, tests left out.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ROOMS.iter().map(|room| models().join(room)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a room of models") {
            let path = entry.expect("a readable folder").path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                true => folders.push(path),
                false if path.ends_with("tests.rs") => {}
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// The texts that a source hands to `error`, `warn` and `help`, or to a message that it hands to them.
fn sentences_of(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().expect("at least nothing");
    let mut found = Vec::new();
    for start in [".error(", ".warn(", ".help(", "report(", "let message =", "let help =", "Err("] {
        for (at, _) in source.match_indices(start) {
            let end = if start.starts_with("let") { b';' } else { b')' };
            let said = statement(&source[at + start.len()..], end);
            found.extend(texts(said).filter(|text| text.split_whitespace().count() > 1));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What stands before the end of a statement or the bracket that closes a call.
fn statement(source: &str, end: u8) -> &str {
    let (mut depth, mut text, mut bytes) = (0, false, source.bytes().enumerate());
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if text => _ = bytes.next(),
            b'"' => text = !text,
            _ if text => {}
            _ if byte == end && depth == 0 => return &source[..at],
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    source
}

/// The texts in quotes of a piece of source, as they come out.
fn texts(source: &str) -> impl Iterator<Item = String> {
    let mut rest = source;
    std::iter::from_fn(move || {
        let start = rest.find('"')? + 1;
        let mut text = String::new();
        let mut chars = rest[start..].char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    rest = &rest[start + at + 1..];
                    return Some(text);
                }
                // A text that goes on in the next line.
                '\\' => match chars.next()?.1 {
                    '\n' => {
                        let white =
                            rest[start..][at + 2..].chars().take_while(|it| it.is_whitespace()).count();
                        chars.by_ref().take(white).for_each(drop);
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        None
    })
}

/// Whether `said` has the parts of a sentence between its `{}` in their order.
fn holds(said: &str, sentence: &str) -> bool {
    let mut rest = said;
    let sentence = sentence.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut parts = Vec::new();
    for (number, piece) in sentence.split('{').enumerate() {
        let part = if number == 0 { piece } else { piece.split_once('}').expect("a hole ends").1 };
        parts.push(part.replace('\u{1}', "{").replace('\u{2}', "}"));
    }
    parts.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn sentences_are_found_in_a_source() {
    let source = r#"
        cx.error(span, format!("{n} is too {}", "much")).help("use (at most) two");
        let message = format!("say \
                               \"it\" {{so}}; now");
        cx.warn(span, message); // "not this one"
        #[cfg(test)] cx.error(span, "nor this one");
    "#;
    let found = sentences_of(source);
    assert_eq!(found, ["say \"it\" {{so}}; now", "use (at most) two", "{n} is too {}"]);
    assert!(holds("path: 7 is too heavy", &found[2]) && !holds("path: 7 is heavy", &found[2]));
    assert!(holds("say \"it\" {so}; now", &found[0]));
}

#[test]
fn rows_are_found_in_a_table() {
    let table = r##"row(PLACE, r#"workers: [1]"#, r#"x"#, r#"shop.workers ["1"]: too few
        help: more"#)"##;
    assert_eq!(rows_of(table).collect::<Vec<_>>(), ["shop.workers [\"1\"]: too few\n        help: more"]);
}
