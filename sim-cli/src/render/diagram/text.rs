//! Who calls whom, as a tree: each box once in full, and by name wherever else an arrow leads to it.

use crate::text::{Paint, Style, clean, wrap};
use sim_models::diagram::{Diagram, Link, NodeKind};

/// The tree.
pub fn text(title: &str, diagram: &Diagram, style: Style) -> String {
    let mut page = Page { diagram, style, drawn: vec![false; diagram.nodes.len()], lines: Vec::new() };
    page.lines
        .extend(wrap(&clean(title), style.columns()).iter().map(|line| style.paint(Paint::Strong, line)));
    let entered = |node: usize| diagram.links.iter().any(|link| link.to == node && !link.later);
    let roots = (0..diagram.nodes.len())
        .filter(|&node| diagram.nodes[node].kind == NodeKind::Users || !entered(node));
    for root in roots.collect::<Vec<_>>() {
        if !page.drawn[root] {
            page.lines.push(String::new());
            page.node(root, "  ", "  ");
        }
    }
    for note in &diagram.notes {
        page.lines.push(String::new());
        page.paragraph(&clean(note), "  ", Paint::Plain);
    }
    page.lines.join("\n") + "\n"
}

struct Page<'a> {
    diagram: &'a Diagram,
    style: Style,
    drawn: Vec<bool>,
    lines: Vec<String>,
}

impl Page<'_> {
    /// A box behind `first`, and all that it leads to; `rest` stands before its other lines.
    fn node(&mut self, index: usize, first: &str, rest: &str) {
        let (diagram, style) = (self.diagram, self.style);
        let node = &diagram.nodes[index];
        let name = clean(&node.name);
        if self.drawn[index] {
            let seen = style.paint(Paint::Quiet, "(see above)");
            self.lines.push(format!("{first}[{name}] {seen}"));
            return;
        }
        self.drawn[index] = true;
        self.lines.push(format!("{first}[{}]", style.paint(Paint::Strong, &name)));
        let links: Vec<&Link> = diagram.from(index).collect();
        let bar = if links.is_empty() { "    " } else { style.pick("│   ", "|   ") };
        let margin = format!("{rest}{bar}");
        self.facts(&node.facts, &node.faults, &margin);
        for (number, link) in links.iter().enumerate() {
            let last = number + 1 == links.len();
            let corner = match last {
                true => style.pick("└─", "`-"),
                false => style.pick("├─", "|-"),
            };
            let below = if last { "    ".to_string() } else { style.pick("│   ", "|   ").to_string() };
            let arrow = if link.later { style.pick("┄▷ ", ".> ") } else { style.pick("─▶ ", "-> ") };
            let below = format!("{rest}{below}");
            if link.facts.is_empty() && link.faults.is_empty() {
                let name =
                    if link.later || !link.name.contains("->") { clean(&link.name) } else { String::new() };
                let name = if name.is_empty() { name } else { format!(" {name} ") };
                self.node(link.to, &format!("{rest}{corner}{name}{arrow}"), &below);
                continue;
            }
            let head = wrap(
                &link.facts.iter().map(|fact| clean(fact)).collect::<Vec<_>>().join(style.pick(" · ", ", ")),
                self.room(&below),
            );
            let mut lines = head.iter();
            let head = lines.next().map(String::as_str).unwrap_or_default();
            self.lines.push(format!("{rest}{corner} {head}").trim_end().to_string());
            self.lines.extend(lines.map(|line| format!("{below}{line}")));
            self.facts(&[], &link.faults, &below);
            self.node(link.to, &format!("{below}{arrow}"), &format!("{below}   "));
        }
    }

    fn room(&self, margin: &str) -> usize {
        self.style.columns().saturating_sub(crate::text::width(margin)).max(20)
    }

    fn facts(&mut self, facts: &[String], faults: &[String], margin: &str) {
        let facts: Vec<String> = facts.iter().map(|fact| clean(fact)).collect();
        self.paragraph(&facts.join(self.style.pick(" · ", ", ")), margin, Paint::Plain);
        for fault in faults {
            self.paragraph(&format!("! {}", clean(fault)), margin, Paint::Bad);
        }
    }

    fn paragraph(&mut self, text: &str, margin: &str, paint: Paint) {
        for line in wrap(text, self.room(margin)) {
            self.lines.push(format!("{margin}{}", self.style.paint(paint, &line)));
        }
    }
}
