//! Problems of an experiment, the way rustc shows them.
//!
//! What the file says is untrusted: control and bidirectional characters are shown as `\u{..}`, and of a line
//! that is very long only the part around the problem is shown.

use crate::text::is_hidden;
use annotate_snippets::{
    AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle,
};
use sim_models::experiment::{Diagnostic, Diagnostics, Severity, Sources, Span};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

/// An excerpt of several lines is at most this long; further apart, labels are shown one by one.
const TOGETHER: usize = 4_096;
/// So much of a long line is shown on either side of the problem.
const AROUND: usize = 80;
/// So much of what is long is underlined: where it begins.
const UNDERLINED: usize = 60;

/// All problems that are shown, then how many more there are.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let told = alike(diagnostics, sources);
    let (first, mut more) = diagnostics.shown();
    let mut count = |severity: Severity, by: isize| {
        let number = if severity == Severity::Error { &mut more.errors } else { &mut more.warnings };
        *number = number.saturating_add_signed(by);
    };
    first.iter().for_each(|diagnostic| count(diagnostic.severity, 1));
    let mut out = String::new();
    for (diagnostic, like_it) in told.iter().take(first.len()) {
        count(diagnostic.severity, -1 - *like_it as isize);
        out.push_str(&renderer.render(&[group(diagnostic, sources)]));
        out.push_str("\n\n");
    }
    if more.any() {
        out.push_str(&format!("and {more}\n"));
    }
    out
}

/// Those that are told, each with how many more are like it: what is wrong with many values of an axis in the same way is told
/// of the first, and counted.
fn alike(diagnostics: &Diagnostics, sources: &Sources) -> Vec<(Diagnostic, usize)> {
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut told: Vec<(Diagnostic, usize)> = Vec::new();
    for diagnostic in diagnostics.iter() {
        let Diagnostic { path, message, .. } = diagnostic;
        let value = diagnostic.span().map_or("", |span| sources.slice(span));
        if !value.is_empty() && !path.is_empty() && message.contains(value) {
            match known.entry((path.clone(), message.replace(value, ".."))) {
                Entry::Occupied(first) => {
                    told[*first.get()].1 += 1;
                    continue;
                }
                Entry::Vacant(new) => _ = new.insert(told.len()),
            }
        }
        told.push((diagnostic.clone(), 0));
    }
    for (diagnostic, more) in &mut told {
        match more {
            0 => {}
            1 => diagnostic.message.push_str("; so is 1 more of its values"),
            _ => diagnostic.message.push_str(&format!("; so are {more} more of its values")),
        }
    }
    told
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = match diagnostic.path.as_str() {
        "" => escape_line(&diagnostic.message),
        path => escape_line(&format!("{path}: {}", diagnostic.message)),
    };
    let mut group = level.primary_title(message).elements(None::<Element>);
    for place in places(&diagnostic.labels, sources) {
        group = group.elements(place.elements(sources));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(escape_line(help))),
        None => group,
    }
}

/// Labels of one source that are shown in one excerpt.
struct Place<'a> {
    labels: Vec<(&'a (Span, String), bool)>,
    bytes: Range<usize>,
}

/// The excerpts that show all labels, the one with the problem itself first.
fn places<'a>(labels: &'a [(Span, String)], sources: &Sources) -> Vec<Place<'a>> {
    let mut places: Vec<Place> = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let Some(source) = sources.get(label.0.source) else { continue };
        let lines = lines_of(&source.text, label.0);
        let near = places.iter_mut().find(|place| {
            let union = place.bytes.start.min(lines.start)..place.bytes.end.max(lines.end);
            place.labels[0].0.0.source == label.0.source && union.len() <= TOGETHER
        });
        match near {
            Some(place) => {
                place.bytes = place.bytes.start.min(lines.start)..place.bytes.end.max(lines.end);
                place.labels.push((label, false));
            }
            None => places.push(Place { labels: vec![(label, index == 0)], bytes: lines }),
        }
    }
    places
}

/// The line in which a span begins, without its end. A span over several lines is cut to the first.
fn lines_of(text: &str, span: Span) -> Range<usize> {
    let start = floor(text, span.start as usize);
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[start..].find('\n').map_or(text.len(), |at| start + at);
    from..to
}

impl Place<'_> {
    fn elements<'b>(&self, sources: &Sources) -> Vec<Element<'b>> {
        let first = self.labels[0].0.0;
        let source = sources.get(first.source).expect("places() looked");
        let position = sources.position(first);
        let path = escape_line(&source.name);

        // One very long line: only what is around the problem.
        let mut bytes = self.bytes.clone();
        if bytes.len() > TOGETHER {
            let end = (first.end as usize).min(first.start as usize + AROUND);
            bytes = floor(&source.text, (first.start as usize).saturating_sub(AROUND).max(bytes.start))
                ..floor(&source.text, (end + AROUND).min(bytes.end));
        }
        let excerpt = Excerpt::of(&source.text, bytes);
        let line = sources.position(Span { start: excerpt.from as u32, ..first }).line;
        let annotations = self.labels.iter().map(|((span, text), primary)| {
            let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(excerpt.range(*span));
            if text.is_empty() { annotation } else { annotation.label(escape_line(text)) }
        });
        let snippet = Snippet::source(excerpt.text.clone()).line_start(line).annotations(annotations);
        // The renderer counts columns in the excerpt, so where that differs they are told instead.
        if excerpt.text == source.text[self.bytes.clone()] {
            return vec![snippet.path(path).into()];
        }
        let origin = Origin::path(path).line(position.line).char_column(position.column);
        vec![origin.into(), snippet.into()]
    }
}

/// A part of a text made safe to print, and where each of its bytes went.
struct Excerpt {
    from: usize,
    text: String,
    /// For each byte of the part: its place in `text`; one more for the end.
    moved: Vec<usize>,
}

impl Excerpt {
    fn of(source: &str, bytes: Range<usize>) -> Self {
        let (mut text, mut moved) = (String::new(), Vec::with_capacity(bytes.len() + 1));
        for c in source[bytes.clone()].chars() {
            moved.extend(std::iter::repeat_n(text.len(), c.len_utf8()));
            match c {
                '\n' | '\t' => text.push(c),
                '\r' => {}
                c if is_hidden(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        moved.push(text.len());
        Excerpt { from: bytes.start, text, moved }
    }

    /// A span of the source in the excerpt: within its first line, and at least one character wide where
    /// there is one.
    fn range(&self, span: Span) -> Range<usize> {
        let at = |byte: u32| self.moved[(byte as usize).saturating_sub(self.from).min(self.moved.len() - 1)];
        let start = at(span.start);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let end = at(span.end).clamp(start, ceil(&self.text, line_end.min(start + UNDERLINED)));
        if end > start { start..end } else { start..ceil(&self.text, (start + 1).min(line_end)) }
    }
}

/// One line for a message.
fn escape_line(text: &str) -> String {
    crate::text::escape(text)
}

fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, at: Range<usize>, message: &str) -> String {
        let mut sources = Sources::default();
        let source = sources.add("mine.ron", text);
        let mut diagnostics = Diagnostics::new();
        diagnostics
            .push(Diagnostic::error(Span::new(source, at.start, at.end), message))
            .path("run.seed")
            .help("fix it");
        render(&diagnostics, &sources, false, 100)
    }

    #[test]
    fn the_problem_is_underlined_where_it_is() {
        assert_eq!(
            shown("(\n    run: (seed: -1),\n)", 17..19, "got -1"),
            "error: run.seed: got -1\n --> mine.ron:2:16\n  |\n2 |     run: (seed: -1),\n  |                ^^\n  |\n  = help: fix it\n\n"
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let text = "(\"a\u{1b}[31m\u{202e}\": 1)";
        let out = shown(text, 1..text.len() - 4, "bad name");
        assert!(out.contains(r"\u{1b}[31m\u{202e}"), "{out}");
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out}");
    }

    #[test]
    fn errors_come_first_however_many_warnings_there_are() {
        let mut sources = Sources::default();
        let source = sources.add("mine.ron", "(a: 1)".repeat(2_000));
        let mut diagnostics = Diagnostics::new();
        for number in 0..1_500 {
            let odd = Diagnostic::error(Span::new(source, number, number + 1), "odd");
            diagnostics.push(Diagnostic { severity: Severity::Warning, ..odd });
        }
        for (place, message) in [(9_000, "wrong"), (8_000, "bad")] {
            diagnostics.push(Diagnostic::error(Span::new(source, place, place + 1), message));
        }
        let out = render(&diagnostics.finish(), &sources, false, 100);
        let told: Vec<&str> = out.lines().filter(|line| line.starts_with(['e', 'w'])).collect();
        assert_eq!(told[..3], ["error: bad", "error: wrong", "warning: odd"]);
        assert_eq!(out.lines().last(), Some("and 1482 more warnings"));
    }

    #[test]
    fn a_long_value_is_underlined_where_it_begins() {
        let text = format!("(calls: [{}])", "1, ".repeat(1_000));
        let out = shown(&text, 8..text.len() - 1, "too many");
        assert!(out.lines().all(|line| line.len() <= 120), "{out}");
        assert!(out.contains(&"^".repeat(UNDERLINED)), "{out}");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_problem() {
        let text = format!("[{}x{}]", "1,".repeat(1_000_000), "1,".repeat(1_000_000));
        let out = shown(&text, 2_000_001..2_000_002, "not a number");
        assert!(out.len() < 1_000, "{} bytes", out.len());
        assert!(out.contains("mine.ron:1:2000002"), "{out}");
    }
}
