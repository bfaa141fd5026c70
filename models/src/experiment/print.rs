//! Values as text: the RON a person would write, and input made safe to show.

use std::fmt::Write as _;

use super::node::{Entry, Kind, Node};

/// Lines are kept this short where they can be.
const WIDTH: usize = 100;
const INDENT: usize = 4;

/// The value as RON, without a newline at the end.
pub fn pretty(node: &Node) -> String {
    let mut out = String::new();
    write_node(&mut out, node, 0, 0);
    out
}

/// The value as RON on one line, however long.
pub fn line(node: &Node) -> String {
    let mut out = String::new();
    write_flat(&mut out, node, usize::MAX);
    out
}

/// Writes `node` where `column` characters of the line are used; `indent` is that of the line.
fn write_node(out: &mut String, node: &Node, indent: usize, column: usize) {
    let mut line = String::new();
    // One column is left for the comma.
    if flat(&mut line, node, WIDTH.saturating_sub(column + 1)) {
        out.push_str(&line);
        return;
    }
    let inner = indent + INDENT;
    match &node.kind {
        Kind::List(items) | Kind::Tuple(_, items) => {
            let (open, close) = if matches!(node.kind, Kind::List(_)) { ('[', ']') } else { ('(', ')') };
            out.push_str(node.name().unwrap_or_default());
            out.push(open);
            if items.iter().all(is_short_scalar) {
                fill(out, items, inner);
            } else {
                for item in items {
                    start_line(out, inner);
                    write_node(out, item, inner, inner);
                    out.push(',');
                }
            }
            start_line(out, indent);
            out.push(close);
        }
        Kind::Map(entries) | Kind::Struct(_, entries) => {
            let (open, close) = if matches!(node.kind, Kind::Map(_)) { ('{', '}') } else { ('(', ')') };
            out.push_str(node.name().unwrap_or_default());
            out.push(open);
            for entry in entries {
                start_line(out, inner);
                let from = out.len();
                write_key(out, node, entry);
                let used = out[from..].chars().count();
                write_node(out, &entry.value, inner, inner + used);
                out.push(',');
            }
            start_line(out, indent);
            out.push(close);
        }
        // A long scalar has nowhere to break.
        _ => {
            flat(out, node, usize::MAX);
        }
    }
}

fn start_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn is_short_scalar(node: &Node) -> bool {
    matches!(&node.kind, Kind::Number(text) if text.len() < 40) || matches!(node.kind, Kind::Bool(_))
}

/// Many numbers: as many on a line as fit.
fn fill(out: &mut String, items: &[Node], indent: usize) {
    let mut column = WIDTH;
    for item in items {
        let mut text = String::new();
        flat(&mut text, item, usize::MAX);
        if column + text.len() + 2 > WIDTH {
            start_line(out, indent);
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(&text);
        out.push(',');
        column += text.len() + 1;
    }
}

fn write_key(out: &mut String, parent: &Node, entry: &Entry) {
    match parent.kind {
        Kind::Map(_) => write_text(out, &entry.key.value),
        _ => out.push_str(&entry.key.value),
    }
    out.push_str(": ");
}

/// Appends the value on one line; false if that takes more than `room` characters.
fn flat(out: &mut String, node: &Node, room: usize) -> bool {
    let limit = out.len().saturating_add(room.saturating_mul(4));
    write_flat(out, node, limit) && out.chars().count() <= room
}

/// False as soon as `out` is longer than `limit` bytes, so that a large value costs no more than a line.
fn write_flat(out: &mut String, node: &Node, limit: usize) -> bool {
    match &node.kind {
        Kind::Invalid => out.push_str("/* unreadable */"),
        Kind::Unit => out.push_str("()"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(text) => out.push_str(text),
        Kind::Word(word) => out.push_str(word),
        Kind::Text(text) => write_text(out, text),
        Kind::List(items) | Kind::Tuple(_, items) => {
            let (open, close) = if matches!(node.kind, Kind::List(_)) { ('[', ']') } else { ('(', ')') };
            out.push_str(node.name().unwrap_or_default());
            out.push(open);
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                if !write_flat(out, item, limit) {
                    return false;
                }
            }
            out.push(close);
        }
        Kind::Map(entries) | Kind::Struct(_, entries) => {
            let (open, close) = if matches!(node.kind, Kind::Map(_)) { ('{', '}') } else { ('(', ')') };
            out.push_str(node.name().unwrap_or_default());
            out.push(open);
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_key(out, node, entry);
                if !write_flat(out, &entry.value, limit) {
                    return false;
                }
            }
            out.push(close);
        }
    }
    out.len() <= limit
}

/// Characters that a terminal acts on or that hide others: controls, bidirectional overrides, zero width.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A RON string literal, with everything a terminal might act on escaped.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => write!(out, "\\u{{{:x}}}", c as u32).expect("writing to a String"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// One safe line: what a terminal might act on is escaped, and a very long message is cut.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(1_000));
    for (index, c) in text.chars().enumerate() {
        if index == 1_000 {
            out.push_str("...");
            break;
        }
        match c {
            c if is_unsafe(c) => write!(out, "\\u{{{:x}}}", c as u32).expect("writing to a String"),
            c => out.push(c),
        }
    }
    out
}

/// The beginning, and the length if there is more: what was written stays recognisable.
pub fn shortened(text: &str) -> String {
    shortened_to(text, 60)
}

/// The same, for texts of which `most` characters may be shown.
pub fn shortened_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.into();
    }
    let count = text.chars().count();
    if count <= most {
        return text.into();
    }
    let start: String = text.chars().take(most / 3).collect();
    format!("{start}... ({count} characters)")
}

/// A text in quotes, escaped and shortened.
pub fn quoted(text: &str) -> String {
    let short = shortened(text);
    let mut out = String::new();
    write_text(&mut out, &short);
    out
}
