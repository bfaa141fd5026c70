//! The picture of an experiment: boxes and arrows, as a tree of text, as Mermaid, for Graphviz, or as SVG.
//!
//! Names and texts come from a file. Each form escapes them in its own way, so that they are shown and never obeyed.

mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::{svg, svg_in_page};
pub use text::text;

use crate::text::{Style, clean, fit};

/// Longer facts than this are cut in a picture; `explain` has them in full.
const LONGEST: usize = 44;

/// A fact for a box or an arrow: cleaned, and short.
fn short(fact: &str) -> String {
    fit(&clean(fact), LONGEST, Style::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Style, width};
    use sim_models::diagram::{Diagram, Link, Node, NodeKind};

    fn node(name: &str, kind: NodeKind, facts: &[&str], faults: &[&str]) -> Node {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_string()).collect();
        Node { name: name.into(), kind, facts: texts(facts), faults: texts(faults) }
    }

    fn link(from: usize, to: usize, name: &str, facts: &[&str]) -> Link {
        let facts = facts.iter().map(|text| (*text).to_string()).collect();
        Link { from, to, name: name.into(), facts, ..Link::default() }
    }

    /// Every kind of box and arrow, one of them over a layer.
    fn shop() -> Diagram {
        Diagram {
            nodes: vec![
                node("users", NodeKind::Users, &["1000/s, Poisson"], &[]),
                node("balancer", NodeKind::Router, &[], &[]),
                node("checkout", NodeKind::Service, &["4 replicas of 64 workers", "queue of 1024"], &[]),
                node("payments", NodeKind::Service, &["8 blocking workers"], &["slow, 5 times, 60s to 90s"]),
                node("store", NodeKind::Store, &[], &[]),
            ],
            links: vec![
                link(0, 1, "requests", &[]),
                link(1, 2, "", &["timeout 2s"]),
                Link {
                    faults: vec!["drop 50 %, 1s to 2s".into()],
                    ..link(2, 3, "checkout->payments", &["policy naive"])
                },
                link(2, 4, "state", &[]),
                link(1, 4, "", &[]),
                Link { later: true, ..link(3, 1, "callbacks", &[]) },
            ],
            notes: vec!["one of each".into()],
        }
    }

    const TITLE: &str = "shop: one of each";

    #[test]
    fn as_a_tree() {
        insta::assert_snapshot!(text(TITLE, &shop(), false, Style::default()));
        let narrow = text(TITLE, &shop(), false, Style { width: 60, unicode: false, ..Style::default() });
        assert!(narrow.is_ascii() && narrow.lines().all(|line| width(line) <= 60), "{narrow}");
    }

    /// A chain of thirteen, alike but for the third, which is struck, and the last.
    #[test]
    fn from_a_dozen_services_on_each_has_a_line() {
        let chain = |services: usize| {
            let mut diagram =
                Diagram { nodes: vec![node("users", NodeKind::Users, &["9/s"], &[])], ..Diagram::default() };
            for n in 1..=services {
                let faults: &[&str] = if n == 3 { &["crash, 1s to 2s"] } else { &[] };
                let own = if n == services { "9 workers" } else { "4 workers" };
                diagram.nodes.push(node(&format!("s{n}"), NodeKind::Service, &["queue of 200", own], faults));
                diagram.links.push(link(n - 1, n, "a->b", &["timeout 1s"]));
            }
            diagram
        };
        let short = text(TITLE, &chain(13), false, Style::default());
        let line =
            |name: &str| short.lines().find(|line| line.contains(&format!("[{name}]"))).unwrap_or_default();
        assert!(line("s2").ends_with("[s2]"), "{short}");
        assert!(
            line("s3").ends_with("[s3]  queue of 200 · 4 workers") && short.contains("! crash"),
            "{short}"
        );
        assert!(line("s13").ends_with("[s13]  9 workers"), "{short}");
        assert!(
            short.contains("Most services: queue of 200 · 4 workers. Most calls: timeout 1s."),
            "{short}"
        );
        // The title, a box each, the fault, and what they have in common, in two lines.
        assert_eq!(short.lines().count(), 2 + 14 + 1 + 3, "{short}");
        let full = text(TITLE, &chain(13), true, Style::default());
        assert_eq!(full.matches("queue of 200").count(), 13, "{full}");
        assert_eq!(
            text(TITLE, &chain(11), false, Style::default()),
            text(TITLE, &chain(11), true, Style::default())
        );
        let narrow = Style { width: 60, unicode: false, ..Style::default() };
        let narrow = text(TITLE, &chain(13), false, narrow);
        assert!(narrow.is_ascii() && narrow.lines().all(|line| width(line) <= 60), "{narrow}");
    }

    #[test]
    fn as_mermaid() {
        insta::assert_snapshot!(mermaid(TITLE, &shop()));
    }

    #[test]
    fn for_graphviz() {
        insta::assert_snapshot!(dot(TITLE, &shop()));
    }

    #[test]
    fn as_svg() {
        insta::assert_snapshot!(svg(TITLE, &shop()));
    }

    #[test]
    fn hostile_names_stay_text() {
        let evil = "\"]-->x;<script>&\\N{{}}|`#35;\u{1b}\u{202e}\n%%{init}%%";
        let mut diagram = shop();
        diagram.nodes[2] = node(evil, NodeKind::Service, &[evil], &[evil]);
        diagram.links[2] = link(2, 3, evil, &[evil]);
        diagram.notes = vec![evil.into()];
        let documents = [
            text(evil, &diagram, false, Style::default()),
            mermaid(evil, &diagram),
            dot(evil, &diagram),
            svg(evil, &diagram),
        ];
        for document in &documents {
            assert!(!document.contains(['\u{1b}', '\u{202e}']), "{document}");
        }
        let [_, mermaid, dot, svg] = documents;
        let body = mermaid.split("---\n").nth(2).expect("after its head");
        assert!(!body.contains("<script") && !body.contains("%%{") && !body.contains("]-->x"), "{body}");
        assert_eq!(body.lines().filter(|line| line.starts_with("  n")).count(), 5 + 6 + 1, "{body}");
        assert!(dot.contains("\\\"]-->x;<script>&amp;\\\\N"), "{dot}");
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;&amp;"), "{svg}");
    }
}
