//! As SVG, dark or light as the reader's system.

use super::{parties, words};
use crate::text::{clean, width};
use sim_models::trace::{Fate, Sequence};
use std::fmt::Write as _;

const COLUMN: usize = 130;
const ROW: usize = 30;
const MARGIN: usize = 20;
const HEAD: usize = 70;

const CSS: &str = "\
text{font:12px ui-monospace,monospace;fill:#1c2733}.title{font-weight:bold}.page{fill:#fff}.life{stroke:#b9c4d2}\
.arrow{stroke:#3d5a80;fill:none}.lost{stroke:#c0392b;stroke-dasharray:4}.head{fill:#3d5a80}.bad{fill:#c0392b}\
.turn{fill:#e0a030}text.small{fill:#5a6b80}\
@media(prefers-color-scheme:dark){text{fill:#e4e9f0}.page{fill:#12161c}.life{stroke:#465366}.arrow{stroke:#8fb0dd}\
.head{fill:#8fb0dd}.lost{stroke:#ff8a7a}.bad{fill:#ff8a7a}text.small{fill:#9fb0c6}}";

/// The document.
pub fn svg(title: &str, sequence: &Sequence) -> String {
    document(title, sequence, &format!("<style>{CSS}</style>\n"))
}

/// The same within a page, which says by itself how it looks.
pub fn svg_in_page(title: &str, sequence: &Sequence) -> String {
    document(title, sequence, "")
}

fn document(title: &str, sequence: &Sequence, style: &str) -> String {
    let parties = parties(sequence);
    let x = |party: u32| {
        MARGIN + 70 + COLUMN / 2 + parties.iter().position(|one| *one == party as usize).unwrap_or(0) * COLUMN
    };
    let longest = sequence.steps.iter().map(|step| width(&words(step))).max().unwrap_or(0);
    let wide =
        (MARGIN + 70 + parties.len() * COLUMN + longest * 8 + MARGIN).max(width(title) * 10 + 2 * MARGIN);
    let high = HEAD + sequence.steps.len() * ROW + MARGIN;
    let title = escaped(title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" role=\"img\" class=\"sequence\">\n\
         <title>{title}</title>\n{style}\
         <defs><marker id=\"brownout-head\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect class=\"page\" width=\"{wide}\" height=\"{high}\"/>\n<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{title}</text>\n",
        MARGIN + 6
    );
    for party in &parties {
        let (at, bottom) = (x(*party as u32), high - MARGIN / 2);
        let name = escaped(&sequence.lifelines[*party]);
        let _ = writeln!(
            out,
            "<text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{name}</text><path class=\"life\" d=\"M{at} {} V{bottom}\"/>",
            HEAD - 18,
            HEAD - 10
        );
    }
    let first = sequence.steps.first().map_or(0, |step| step.at);
    let beside = MARGIN + 70 + parties.len() * COLUMN;
    for (number, step) in sequence.steps.iter().enumerate() {
        let y = HEAD + number * ROW + ROW / 2;
        let time = crate::text::number::duration(step.at - first);
        let class = if step.fate == Fate::Read { "" } else { " class=\"bad\"" };
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"{MARGIN}\" y=\"{}\">+{}</text><text{class} x=\"{beside}\" y=\"{}\">{}</text>",
            y + 4,
            escaped(&time),
            y + 4,
            escaped(&words(step))
        );
        let from = x(step.from);
        let _ = match step.to.map(x) {
            None => writeln!(out, "<circle class=\"turn\" cx=\"{from}\" cy=\"{y}\" r=\"5\"/>"),
            Some(to) if step.fate == Fate::Read => {
                writeln!(
                    out,
                    "<path class=\"arrow\" marker-end=\"url(#brownout-head)\" d=\"M{from} {y} H{to}\"/>"
                )
            }
            Some(to) => {
                let middle = usize::midpoint(from, to);
                let (left, right, top, below) = (middle - 5, middle + 5, y - 5, y + 5);
                writeln!(
                    out,
                    "<path class=\"arrow lost\" d=\"M{from} {y} H{middle}\"/><path class=\"arrow lost\" d=\"M{left} {top} L{right} {below} M{right} {top} L{left} {below}\"/>"
                )
            }
        };
    }
    out + "</svg>\n"
}

fn escaped(text: &str) -> String {
    crate::html::escape::text(&clean(text))
}
