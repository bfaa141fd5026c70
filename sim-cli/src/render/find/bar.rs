//! A knob from end to end: what happens where, where the edges are, and where the file is.

use crate::result::found::{Found, Which, zone_name};
use crate::result::mapped::State;
use crate::text::{Paint, Style, pad_left, width};

/// The knob from end to end, and what happens where.
pub(super) fn bar(found: &Found, style: Style) -> Vec<String> {
    if !found.searched() {
        return Vec::new();
    }
    let columns = style.columns() - 4;
    let place = |x: f64| {
        ((found.knob.position(x).clamp(0.0, 1.0) * (columns - 1) as f64).round() as usize).min(columns - 1)
    };
    let cells: Vec<State> = (0..columns)
        .map(|n| {
            let share = (n as f64 + 0.5) / columns as f64;
            // Whole numbers lie on their columns, and an edge half-way between two.
            let x = match found.knob.by_ratio() {
                true => found.low * sim_core::math::pow(found.high / found.low, share),
                false => found.low + share * (found.high - found.low),
            };
            found.state(x)
        })
        .collect();
    let mut line = String::from("  ");
    for run in cells.chunk_by(|a, b| a == b) {
        let (glyph, paint) = zone_look(run[0], style);
        line += &style.paint(paint, &glyph.to_string().repeat(run.len()));
    }
    // What stands under the bar: marks where something is, and names.
    let mut marks: Vec<(usize, String)> =
        vec![(0, found.knob.show(found.low)), (columns - 1, found.knob.show(found.high))];
    for told in found.told.iter().filter(|told| told.which != Which::Back) {
        marks.extend(told.edges.edges.iter().map(|edge| {
            let between = || format!("{0:.0} | {1:.0}", edge.mean.floor(), edge.mean.floor() + 1.0);
            let label = if found.whole(edge) { between() } else { found.knob.show(edge.mean) };
            (place(edge.mean), label)
        }));
    }
    let mut lines = vec![line, format!("  {}", labels(&marks, columns).trim_end())];
    let mut below: Vec<(usize, String)> = Vec::new();
    if let Some(standing) = found.standing {
        below.push((
            place(standing),
            format!("{} the file's {}", style.pick("▲", "^"), found.knob.show(standing)),
        ));
    }
    if let Some([edge]) = found.edges(Which::Back).map(|edges| &edges.edges[..]) {
        below.push((
            place(edge.mean),
            format!("{} back below {}", style.pick("▲", "^"), found.knob.show(edge.mean)),
        ));
    }
    for (at, text) in below {
        lines.push(format!("  {}", pointed(at, &text, columns)));
    }
    let mut seen: Vec<State> = cells;
    seen.dedup();
    let mut legend = Vec::new();
    for state in State::ALL {
        if seen.contains(&state) {
            let (glyph, paint) = zone_look(state, style);
            let mark = style.paint(paint, &glyph.to_string().repeat(2));
            legend.push(format!("{mark} {}", zone_name(found, state)));
        }
    }
    lines.push(format!("  {}", legend.join("   ")));
    lines
}

pub(in crate::render) fn zone_look(state: State, style: Style) -> (char, Paint) {
    match state {
        State::Stable => (style.pick('░', '.'), Paint::Good),
        State::Undecided => (style.pick('╱', '/'), Paint::Quiet),
        State::Vulnerable => (style.pick('▒', '+'), Paint::Doubtful),
        State::Metastable => (style.pick('▓', '%'), Paint::Bad),
        State::Overloaded => (style.pick('█', '#'), Paint::Strong),
    }
}

/// Texts centred at columns, as many as fit; the ends first.
pub(in crate::render) fn labels(marks: &[(usize, String)], columns: usize) -> String {
    let mut line = vec![' '; columns];
    for (at, text) in marks {
        let long = text.chars().count();
        let from = at.saturating_sub(long / 2).min(columns.saturating_sub(long));
        let around = from.saturating_sub(1)..(from + long + 1).min(columns);
        if line[around].iter().all(|c| *c == ' ') {
            text.chars().enumerate().for_each(|(n, c)| line[from + n] = c);
        }
    }
    line.into_iter().collect()
}

/// A text whose first character stands at a column, or whose last does where it would not fit.
fn pointed(at: usize, text: &str, columns: usize) -> String {
    if at + width(text) <= columns {
        return " ".repeat(at) + text;
    }
    let (mark, rest) = text.split_once(' ').unwrap_or((text, ""));
    pad_left(&format!("{rest} {mark}"), at + 1)
}
