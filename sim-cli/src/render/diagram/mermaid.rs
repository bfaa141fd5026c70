//! As Mermaid, which GitHub and GitLab draw in any Markdown.

use super::short;
use crate::text::clean;
use sim_models::diagram::{Diagram, NodeKind};

/// The document.
pub fn mermaid(title: &str, diagram: &Diagram) -> String {
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", serde_json::json!(clean(title)));
    for (index, node) in diagram.nodes.iter().enumerate() {
        let (open, close) = match node.kind {
            NodeKind::Users => ("([", "])"),
            NodeKind::Service => ("[", "]"),
            NodeKind::Router => ("{{", "}}"),
            NodeKind::Store => ("[(", ")]"),
        };
        out += &format!("  n{index}{open}{}{close}\n", label(&node.name, &node.facts, &node.faults));
    }
    for link in &diagram.links {
        let name = if link.name.contains("->") { "" } else { link.name.as_str() };
        let arrow = if link.later { "-.->" } else { "-->" };
        let label = match label(name, &link.facts, &link.faults) {
            empty if empty == "\"\"" => String::new(),
            label => format!("|{label}|"),
        };
        out += &format!("  n{} {arrow}{label} n{}\n", link.from, link.to);
    }
    let faulty = |faults: &[String]| !faults.is_empty();
    for (index, _) in diagram.nodes.iter().enumerate().filter(|(_, node)| faulty(&node.faults)) {
        out += &format!("  style n{index} stroke:#c0392b,stroke-width:2px\n");
    }
    for (index, _) in diagram.links.iter().enumerate().filter(|(_, link)| faulty(&link.faults)) {
        out += &format!("  linkStyle {index} stroke:#c0392b\n");
    }
    if !diagram.notes.is_empty() {
        let notes: Vec<String> = diagram.notes.iter().map(|note| escaped(&clean(note))).collect();
        out += &format!("  notes[\"{}\"]\n  style notes stroke-dasharray:4\n", notes.join("<br/>"));
    }
    out
}

fn label(name: &str, facts: &[String], faults: &[String]) -> String {
    let name = (!name.is_empty()).then(|| escaped(&clean(name)));
    let facts = facts.iter().map(|fact| escaped(&short(fact)));
    let faults = faults.iter().map(|fault| format!("! {}", escaped(&short(fault))));
    let lines: Vec<String> = name.into_iter().chain(facts).chain(faults).collect();
    format!("\"{}\"", lines.join("<br/>"))
}

/// Whatever could end a label, begin HTML or be read as Markdown is written as the number of its character.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if c.is_alphanumeric() || " ,.:/%()+=!?".contains(c) || !c.is_ascii() => out.push(c),
            '-' => out.push('-'),
            c => out += &format!("#{};", u32::from(c)),
        }
        out
    })
}
