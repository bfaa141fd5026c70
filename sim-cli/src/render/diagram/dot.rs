//! For Graphviz: `brownout diagram NAME --format dot | dot -Tsvg`.

use super::short;
use crate::text::clean;
use sim_models::diagram::{Diagram, NodeKind};

/// The document.
pub fn dot(title: &str, diagram: &Diagram) -> String {
    let mut out = String::from("digraph brownout {\n");
    out += &format!("  label={}; labelloc=t; rankdir=LR; fontname=\"sans-serif\";\n", quoted(&clean(title)));
    out += "  node [shape=box style=rounded fontname=\"sans-serif\" fontsize=11];\n";
    out += "  edge [fontname=\"sans-serif\" fontsize=9];\n";
    for (index, node) in diagram.nodes.iter().enumerate() {
        let shape = match node.kind {
            NodeKind::Users => " shape=ellipse",
            NodeKind::Service => "",
            NodeKind::Router => " shape=hexagon style=\"\"",
            NodeKind::Store => " shape=cylinder style=\"\"",
        };
        let colour = if node.faults.is_empty() { "" } else { " color=\"#c0392b\" penwidth=2" };
        let label = label(&node.name, &node.facts, &node.faults);
        out += &format!("  n{index} [label={label}{shape}{colour}];\n");
    }
    for link in &diagram.links {
        let name = if link.name.contains("->") { "" } else { link.name.as_str() };
        let style = if link.later { " style=dashed constraint=false" } else { "" };
        let colour = if link.faults.is_empty() { "" } else { " color=\"#c0392b\" fontcolor=\"#c0392b\"" };
        let label = label(name, &link.facts, &link.faults);
        out += &format!("  n{} -> n{} [label={label}{style}{colour}];\n", link.from, link.to);
    }
    if !diagram.notes.is_empty() {
        let notes: Vec<String> = diagram.notes.iter().map(|note| clean(note)).collect();
        out += &format!("  notes [shape=note label={}];\n", quoted(&notes.join("\n")));
    }
    out + "}\n"
}

fn label(name: &str, facts: &[String], faults: &[String]) -> String {
    let name = (!name.is_empty()).then(|| clean(name));
    let facts = facts.iter().map(|fact| short(fact));
    let faults = faults.iter().map(|fault| format!("! {}", short(fault)));
    let lines: Vec<String> = name.into_iter().chain(facts).chain(faults).collect();
    quoted(&lines.join("\n"))
}

/// A string of Graphviz: in one, a backslash begins a code of its own (`\N` is the name of the node), and `&lt;` is
/// a sign.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out + "\""
}
