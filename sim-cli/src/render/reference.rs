//! What can be written in a file, as the types themselves document it.

use crate::result::settings::{Type, type_name};
use crate::text::{Paint, Style, wrap};
use serde_json::Value;
use sim_models::experiment::{FieldDoc, Shape, TypeDoc, TypeRef};
use std::collections::VecDeque;

/// A type and every type that its parts are made of, each once, in the order in which they are met.
pub fn types(root: TypeDoc) -> Vec<TypeDoc> {
    // Two types may have one name: a failure that strikes at random, and one that is tried again.
    let known = |doc: &TypeDoc| (doc.name.clone(), doc.doc.clone());
    let (mut met, mut found): (Vec<(String, String)>, Vec<TypeDoc>) = (vec![known(&root)], Vec::new());
    let mut next = VecDeque::from([root]);
    while let Some(doc) = next.pop_front() {
        for part in parts(&doc) {
            let part = named(part);
            if is_composite(&part) && !met.contains(&known(&part)) {
                met.push(known(&part));
                next.push_back(part);
            }
        }
        found.push(doc);
    }
    found
}

fn parts(doc: &TypeDoc) -> Vec<TypeRef> {
    match &doc.shape {
        Shape::Struct(fields) => fields.iter().map(|field| field.ty).collect(),
        Shape::Enum(variants) => {
            variants.iter().flat_map(|v| v.fields.iter().map(|field| field.ty)).collect()
        }
        _ => Vec::new(),
    }
}

/// The type itself, without the lists, maps and options around it.
fn named(ty: TypeRef) -> TypeDoc {
    let doc = (ty.describe)();
    match doc.shape {
        Shape::Optional(inner) | Shape::List(inner) | Shape::Map(inner) => named(inner),
        _ => doc,
    }
}

/// Whether it has parts.
pub fn is_composite(doc: &TypeDoc) -> bool {
    matches!(doc.shape, Shape::Struct(_) | Shape::Enum(_))
}

/// Types for people, one block each.
pub fn text(types: &[TypeDoc], style: Style) -> String {
    let mut lines = Vec::new();
    for doc in types {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(style.paint(Paint::Strong, &doc.name));
        paragraph(&doc.doc, 2, style, &mut lines);
        match &doc.shape {
            Shape::Struct(fields) => fields.iter().for_each(|field| field_lines(field, 2, style, &mut lines)),
            Shape::Enum(variants) => {
                for variant in variants {
                    entry(&variant.signature(), &variant.doc, 2, style, &mut lines);
                    variant.fields.iter().for_each(|field| field_lines(field, 6, style, &mut lines));
                }
            }
            _ => lines.push(format!("  such as {}", doc.example())),
        }
    }
    lines.join("\n") + "\n"
}

/// A single setting for people.
pub fn field(field: &FieldDoc, style: Style) -> String {
    let mut lines = Vec::new();
    field_lines(field, 0, style, &mut lines);
    lines.join("\n") + "\n"
}

/// Where explanations begin.
const COLUMN: usize = 44;

fn field_lines(field: &FieldDoc, indent: usize, style: Style, lines: &mut Vec<String>) {
    let default = field.default_text().map_or_else(
        || " required".into(),
        |default| {
            let short =
                default.lines().next().filter(|line| line.len() <= 20 && default.lines().count() == 1);
            format!(" = {}", short.unwrap_or(".."))
        },
    );
    let allowed =
        if field.allowed.is_empty() { String::new() } else { format!(" Allowed: {}.", field.allowed) };
    let head = format!("{}: {}{default}", field.name, type_name(field.ty));
    entry(&head, &format!("{}{allowed}", field.doc), indent, style, lines);
}

/// A name and what it is, beside it where there is room, below it where there is not.
fn entry(head: &str, doc: &str, indent: usize, style: Style, lines: &mut Vec<String>) {
    let first = lines.len();
    paragraph(doc, COLUMN, style, lines);
    let head = format!("{:indent$}{head}", "");
    match lines.get_mut(first) {
        Some(line) if head.chars().count() < COLUMN - 1 => {
            line.replace_range(..COLUMN, &crate::text::pad(&head, COLUMN));
        }
        _ => lines.insert(first, head),
    }
}

fn paragraph(text: &str, indent: usize, style: Style, lines: &mut Vec<String>) {
    if !text.is_empty() {
        let wrapped = wrap(text, style.columns().saturating_sub(indent));
        lines.extend(wrapped.into_iter().map(|line| format!("{:indent$}{line}", "")));
    }
}

/// Types for programs.
pub fn as_json(types: &[TypeDoc]) -> Value {
    let types: Vec<Type> = types.iter().map(Type::from).collect();
    serde_json::to_value(types).expect("types have text keys")
}
