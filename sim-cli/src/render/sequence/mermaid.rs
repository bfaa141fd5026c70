//! As Mermaid, which GitHub and GitLab draw in any Markdown.

use super::{parties, words};
use crate::text::clean;
use sim_models::trace::{Fate, Sequence};

/// The document.
pub fn mermaid(title: &str, sequence: &Sequence) -> String {
    let mut out = format!("---\ntitle: {}\n---\nsequenceDiagram\n", serde_json::json!(clean(title)));
    for party in parties(sequence) {
        out += &format!("  participant p{party} as {}\n", escaped(&sequence.lifelines[party]));
    }
    for step in &sequence.steps {
        let (from, what) = (step.from, escaped(&words(step)));
        out += &match (step.to, step.fate) {
            (None, _) => format!("  Note over p{from}: {what}\n"),
            (Some(to), Fate::Read) => format!("  p{from}->>p{to}: {what}\n"),
            (Some(to), _) => format!("  p{from}-xp{to}: {what}\n"),
        };
    }
    out
}

/// What would end a line or begin a comment is said by its number.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        ';' | '#' | '<' | '>' | '"' | '%' => format!("#{};", c as u32),
        c => c.to_string(),
    };
    clean(text).chars().map(escape).collect()
}
