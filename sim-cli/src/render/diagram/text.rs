//! Who calls whom, as a tree: each box once in full, and by name wherever else an arrow leads to it.

use crate::text::{Paint, Style, clean, fit, width, wrap};
use sim_models::diagram::{Diagram, Link, NodeKind};
use std::collections::BTreeMap;

/// From so many services on each has one line, unless all is asked for: what it is made of must be seen at once.
const MANY: usize = 12;

/// The tree; `full` with all settings, however many boxes there are.
pub fn text(title: &str, diagram: &Diagram, full: bool, style: Style) -> String {
    let services = diagram.nodes.iter().filter(|node| node.kind != NodeKind::Users);
    let usual = (!full && services.clone().count() >= MANY).then(|| Usual {
        nodes: usual(services.map(|node| &node.facts[..])),
        links: usual(diagram.links.iter().map(|link| &link.facts[..])),
    });
    let mut page = Page { diagram, usual, style, drawn: vec![false; diagram.nodes.len()], lines: Vec::new() };
    page.lines
        .extend(wrap(&clean(title), style.columns()).iter().map(|line| style.paint(Paint::Strong, line)));
    let entered = |node: usize| diagram.links.iter().any(|link| link.to == node && !link.later);
    let roots = (0..diagram.nodes.len())
        .filter(|&node| diagram.nodes[node].kind == NodeKind::Users || !entered(node));
    for root in roots.collect::<Vec<_>>() {
        if !page.drawn[root] {
            page.lines.push(String::new());
            match page.usual {
                Some(_) => page.line(root, None, "  ", "  "),
                None => page.node(root, "  ", "  "),
            }
        }
    }
    page.of_most();
    for note in &diagram.notes {
        page.lines.push(String::new());
        page.paragraph(&clean(note), "  ", Paint::Plain);
    }
    page.lines.join("\n") + "\n"
}

/// What half of the boxes, and of the arrows, have in common.
struct Usual<'a> {
    nodes: Vec<&'a str>,
    links: Vec<&'a str>,
}

/// What at least half of these say, in the order in which it is first said.
fn usual<'a>(all: impl Iterator<Item = &'a [String]>) -> Vec<&'a str> {
    let (mut counts, mut count, mut order) = (BTreeMap::<&str, usize>::new(), 0, Vec::new());
    for fact in all.inspect(|_| count += 1).flatten() {
        let so_far = counts.entry(fact).or_default();
        if *so_far == 0 {
            order.push(fact.as_str());
        }
        *so_far += 1;
    }
    order.retain(|fact| 2 * counts[fact] >= count);
    order
}

struct Page<'a> {
    diagram: &'a Diagram,
    /// Where each box is one line.
    usual: Option<Usual<'a>>,
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

    /// A box in one line, with what sets it and the call to it apart from most, and all that it leads to.
    fn line(&mut self, index: usize, link: Option<&Link>, first: &str, rest: &str) {
        let (diagram, style) = (self.diagram, self.style);
        let node = &diagram.nodes[index];
        let name = clean(&node.name);
        let seen = std::mem::replace(&mut self.drawn[index], true);
        let faults: Vec<&String> = link.iter().flat_map(|link| &link.faults).collect();
        let struck = !node.faults.is_empty();
        let Some(usual) = &self.usual else { return };
        let own = node.facts.iter().filter(|fact| struck || !usual.nodes.contains(&fact.as_str()));
        let of_call = link.iter().flat_map(|link| &link.facts);
        let of_call = of_call.filter(|fact| !faults.is_empty() || !usual.links.contains(&fact.as_str()));
        let facts: Vec<String> = match seen {
            true => vec!["(see above)".into()],
            false => own.chain(of_call).map(|fact| clean(fact)).collect(),
        };
        let room = style.columns().saturating_sub(width(first) + width(&name) + 4).max(8);
        let facts = fit(&facts.join(style.pick(" · ", ", ")), room, style);
        let head =
            format!("{first}[{}]  {}", style.paint(Paint::Strong, &name), style.paint(Paint::Quiet, &facts));
        self.lines.push(head.trim_end().to_string());
        let links: Vec<&Link> = if seen { Vec::new() } else { diagram.from(index).collect() };
        let margin = format!("{rest}{}", if links.is_empty() { "   " } else { style.pick("│  ", "|  ") });
        let faults = faults.into_iter().chain(node.faults.iter().filter(|_| !seen));
        for fault in faults.map(|fault| format!("! {}", clean(fault))).collect::<Vec<_>>() {
            self.paragraph(&fault, &margin, Paint::Bad);
        }
        for (number, link) in links.iter().enumerate() {
            let last = number + 1 == links.len();
            let corner = if last { style.pick("└", "`") } else { style.pick("├", "|") };
            let arrow = if link.later { style.pick("┄▷ ", ".> ") } else { style.pick("─▶ ", "-> ") };
            let below = if last { "   ".to_string() } else { style.pick("│  ", "|  ").to_string() };
            self.line(link.to, Some(link), &format!("{rest}{corner}{arrow}"), &format!("{rest}{below}"));
        }
    }

    /// What is not said of each because most have it.
    fn of_most(&mut self) {
        let Some(Usual { nodes, links }) = &self.usual else { return };
        let dot = self.style.pick(" · ", ", ");
        let said = |what: &str, facts: &[&str]| {
            let facts: Vec<String> = facts.iter().map(|fact| clean(fact)).collect();
            (!facts.is_empty()).then(|| format!("Most {what}: {}.", facts.join(dot)))
        };
        let said: Vec<String> =
            [said("services", nodes), said("calls", links)].into_iter().flatten().collect();
        let text = format!("{} Each line says what is otherwise; all settings: --full", said.join(" "));
        self.lines.push(String::new());
        self.paragraph(text.trim_start(), "  ", Paint::Quiet);
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
