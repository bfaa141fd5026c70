//! One run as a page: what it comes to, one picture, then why, then what to do next.

use super::sections::sections;
use super::timeline::timeline;
use super::traffic::{calls, incident, response_times, services};
use crate::render::replicated::section;
use crate::result::judged::{Judged, Judgement};
use crate::result::page::{Page, kind};
use crate::text::number::{cell, compact, duration, of, off_by, or_nothing, to_the_digit};
use crate::text::table::Grid;
use crate::text::{Paint, Style, clean, first_sentence, justify, more, pad, quiet, width, wrap};
use sim_models::report::{Cell, Report, Table, Unit};

/// The most values or rows of a table that are shown; files have them all.
const MOST_ROWS: usize = 40;
/// So many rows of a table that follow each other and tell them apart only by their names are one.
const ALIKE: usize = 3;

/// The page.
pub fn text(report: &Report, page: &Page, style: Style) -> String {
    let sections = [
        title(report, style),
        verdict(report, usize::MAX, style),
        timeline(report, style),
        incident(report, style),
        calls(report, style),
        response_times(report, style),
        services(report, style),
        sections(report, style),
        values(report, style),
        report.tables.iter().flat_map(|table| own_table(table, style)).collect(),
        notes(report, style),
        expectations(&page.expectations, style),
        page.replicated.as_ref().map_or_else(Vec::new, |replicated| section(replicated, style)),
        footer(report, page, style),
    ];
    let written: Vec<String> =
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    written.join("\n\n") + "\n"
}

fn title(report: &Report, style: Style) -> Vec<String> {
    let about = clean(first_sentence(&report.about));
    let name = clean(&report.experiment);
    let run = &report.run;
    let dot = style.pick(" · ", ", ");
    let mut facts = vec![format!("seed {}", run.seed)];
    facts.extend((run.duration > 0).then(|| duration(run.duration)));
    facts.extend((run.warm_up > 0).then(|| format!("measured from {} on", duration(run.warm_up))));
    facts.push(format!("{} events", compact(run.events)));
    let facts = facts.join(dot);
    let head = if about.is_empty() { name.clone() } else { format!("{name}{dot}{about}") };
    let columns = style.columns();
    let mut lines = if width(&head) + 2 + width(&facts) <= columns {
        vec![justify(&head, &facts, columns)]
    } else {
        wrap(&head, columns).into_iter().chain(wrap(&facts, columns)).collect()
    };
    lines[0] = lines[0].replacen(&name, &style.paint(Paint::Strong, &name), 1);
    let mut set: Vec<String> = Vec::new();
    set.extend(report.variant.iter().map(|variant| format!("variant {}", clean(variant))));
    set.extend(report.overrides.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value))));
    lines.extend(quiet(&set.join(dot), "", style));
    lines
}

/// The verdict with its causes, of which as many are told as have room in so many lines.
pub(super) fn verdict(report: &Report, most: usize, style: Style) -> Vec<String> {
    let (words, paint) = kind(report.verdict.kind);
    let capitals = words.to_uppercase();
    let margin = 2 + width(&capitals) + 2;
    let room = style.columns() - margin;
    let mut body = wrap(&clean(&report.verdict.headline), room);
    let details = &report.verdict.details;
    for (n, detail) in details.iter().enumerate() {
        let (lines, rest) = (wrap(&clean(detail), room), details.len() - n);
        // Room is kept for saying that there are more.
        if body.len() + lines.len() + usize::from(rest > 1) > most {
            let more = format!("{}{rest} more: --full", if n == 0 { "" } else { "and " });
            body.extend((body.len() < most).then_some(more));
            break;
        }
        body.extend(lines);
    }
    let mut lines: Vec<String> = body.iter().map(|line| pad("", margin) + line).collect();
    if lines.is_empty() {
        lines.push(pad("", margin));
    }
    let first = lines[0].split_off(margin);
    lines[0] = format!("  {}  {first}", style.paint(paint, &capitals)).trim_end().to_string();
    if let Some(limit) = &report.stopped {
        let stop =
            format!("STOPPED EARLY by a limit: {}; all of this covers only what was reached", clean(limit));
        lines.extend(
            wrap(&stop, style.columns() - 2)
                .iter()
                .map(|line| format!("  {}", style.paint(Paint::Bad, line))),
        );
    }
    lines
}

fn values(report: &Report, style: Style) -> Vec<String> {
    let entries = &report.values.0;
    if entries.is_empty() {
        return Vec::new();
    }
    let exact = entries.iter().any(|(_, value)| value.exact.is_some());
    let spread = entries.iter().any(|(_, value)| value.standard_error.is_some());
    let mut grid = Grid::new().words("value").number("measured");
    grid = if spread { grid.number("standard error") } else { grid };
    grid = if exact { grid.numbers(["exact", "off by"]) } else { grid };
    grid = grid.words("");
    let mut said = "";
    for (name, value) in entries.iter().take(MOST_ROWS) {
        let unit = Unit::named(&value.unit);
        let measured = or_nothing(value.value, |measured| match value.standard_error {
            Some(error) if unit == Unit::Plain => to_the_digit(measured, error),
            _ => of(measured, unit),
        });
        let mut row = vec![name.clone(), measured];
        if spread {
            row.push(or_nothing(value.standard_error, |x| of(x, unit)));
        }
        if exact {
            row.push(or_nothing(value.exact, |x| of(x, unit)));
            row.push(or_nothing(value.value.zip(value.exact), |(value, exact)| off_by(value, exact)));
        }
        // What is said of several in a row is said once.
        row.push(if value.about == said { String::new() } else { value.about.clone() });
        said = &value.about;
        grid.row(row);
    }
    let mut lines = grid.text(2, style);
    lines.extend(more(entries.len().saturating_sub(MOST_ROWS), "values"));
    let mut sources: Vec<&str> = Vec::new();
    for (_, value) in entries.iter().filter(|(_, value)| !value.source.is_empty()) {
        if !sources.contains(&value.source.as_str()) {
            sources.push(&value.source);
        }
    }
    if !sources.is_empty() {
        let sentence = format!("exact: {}", clean(&sources.join("; ")));
        lines.extend(quiet(&sentence, "  ", style));
    }
    lines
}

/// A table of a model's own, title and note included.
pub fn own_table(table: &Table, style: Style) -> Vec<String> {
    let words = |column: usize| table.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Text(_))));
    let grid = table.columns.iter().enumerate().fold(Grid::new(), |grid, (index, head)| {
        if index == 0 || words(index) { grid.words(head) } else { grid.number(head) }
    });
    let mut grid = grid;
    let shown = |(index, entry): (usize, &Cell)| match (entry, table.units.get(index)) {
        (Cell::Number(x), Some(unit)) => of(*x, Unit::named(unit)),
        _ => cell(entry),
    };
    let rows = table.rows.iter().take(MOST_ROWS);
    let rows: Vec<Vec<String>> = rows.map(|row| row.iter().enumerate().map(shown).collect()).collect();
    for mut alike in rows.chunk_by(|one, next| one.get(1..) == next.get(1..)) {
        // Several rows that say the same are one.
        if alike.len() >= ALIKE && alike[0].len() > 1 {
            let name = format!("{} to {}", alike[0][0], alike[alike.len() - 1][0]);
            grid.row(std::iter::once(name).chain(alike[0][1..].iter().cloned()));
            alike = &[];
        }
        alike.iter().for_each(|row| grid.row(row.iter().cloned()));
    }
    let mut lines = Vec::new();
    if !table.title.is_empty() {
        lines.push(format!("  {}", style.paint(Paint::Strong, &clean(&table.title))));
    }
    lines.extend(grid.text(2, style));
    lines.extend(more(table.rows.len().saturating_sub(MOST_ROWS), "rows"));
    lines.extend(wrap(&clean(&table.note), style.columns() - 2).iter().map(|line| format!("  {line}")));
    lines
}

fn notes(report: &Report, style: Style) -> Vec<String> {
    let note = |text: &String| {
        let lines = wrap(&clean(text), style.columns() - 8);
        let head = |index: usize| if index == 0 { "  note  " } else { "        " };
        lines
            .into_iter()
            .enumerate()
            .map(move |(index, line)| format!("{}{line}", head(index)))
            .collect::<Vec<_>>()
    };
    report.notes.iter().flat_map(note).collect()
}

pub(super) fn expectations(judgement: &Judgement, style: Style) -> Vec<String> {
    let claim = |judged: &Judged| match &judged.variant {
        Some(variant) => format!("{}: {}", clean(variant), clean(&judged.claim)),
        None => clean(&judged.claim),
    };
    let claims: Vec<String> = judgement.judged.iter().map(claim).collect();
    let measured_width = judgement.judged.iter().map(|judged| width(&judged.measured)).max().unwrap_or(0);
    let room = style.columns().saturating_sub(width(style.pick("✓", "FAILED")) + 5 + measured_width);
    let claim_width = claims.iter().map(|claim| width(claim)).max().unwrap_or(0).min(room.max(20));
    let lines = |(judged, claim): (&Judged, &String)| {
        let (mark, paint) = match (judged.holds, judged.undecided) {
            (true, _) => (style.pick("✓", "ok    "), Paint::Good),
            (false, true) => (style.pick("?", "open  "), Paint::Plain),
            (false, false) => (style.pick("✗", "FAILED"), Paint::Bad),
        };
        let measured = clean(&judged.measured);
        let mut claim = wrap(claim, claim_width).into_iter();
        let first = pad(&claim.next().unwrap_or_default(), claim_width);
        let first = format!("  {} {first}  {measured}", style.paint(paint, mark)).trim_end().to_string();
        let margin = pad("", 3 + width(mark));
        std::iter::once(first).chain(claim.map(|line| format!("{margin}{line}"))).collect::<Vec<_>>()
    };
    let mut lines: Vec<String> = judgement.judged.iter().zip(&claims).flat_map(lines).collect();
    if let (Some(why), false) = (&judgement.not_enforced, lines.is_empty()) {
        lines.extend(quiet(&format!("shown, not enforced: {}", clean(why)), "  ", style));
    }
    lines
}

fn footer(report: &Report, page: &Page, style: Style) -> Vec<String> {
    let digest = &report.digest;
    let short = |hex: &str| clean(hex).chars().take(12).collect::<String>();
    let parts = [("i", &digest.i), ("t", &digest.t), ("r", &digest.r), ("s", &digest.s)];
    let parts = parts.map(|(name, hex)| format!("{name} {}", short(hex)));
    let mut entries: Vec<(&str, String)> =
        page.next.iter().map(|(name, command)| (name.as_str(), command.clone())).collect();
    if !digest.t.is_empty() {
        let line = parts.join("  ");
        // A command is never broken, or it could not be copied.
        if width(&line) + 11 <= style.columns() {
            entries.push(("digest", line));
        } else {
            entries.extend([("digest", parts[..2].join("  ")), ("", parts[2..].join("  "))]);
        }
    }
    named(&entries, style)
}

/// Lines that have a name each, one below another.
pub(super) fn named(entries: &[(&str, String)], style: Style) -> Vec<String> {
    let name_width = entries.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let line = |(name, text): &(&str, String)| {
        format!("  {}  {text}", style.paint(Paint::Quiet, &pad(name, name_width)))
    };
    entries.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;
    use crate::replay::next_steps;
    use sim_models::report::{Edge, Service};

    fn judged(claim: &str, measured: &str, holds: bool) -> Judged {
        Judged { claim: claim.into(), measured: measured.into(), holds, ..Judged::default() }
    }

    fn page() -> Page {
        let judged =
            vec![judged("recovered is false", "no", true), judged("goodput at least 50/s", "24/s", false)];
        let expectations =
            Judgement { judged, not_enforced: Some("settings were changed with --set".into()) };
        Page {
            expectations,
            next: next_steps(&testdata::storm(), "brownout", "retry-storm", true, true),
            replicated: None,
        }
    }

    fn check(text: &str, style: Style) {
        assert!(text.lines().all(|line| width(line) <= style.columns()), "too wide:\n{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "blanks at the end of a line:\n{text}");
    }

    #[test]
    fn a_storm() {
        let text = text(&testdata::storm(), &page(), Style::default());
        check(&text, Style::default());
        assert!(text.lines().count() <= 46);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_storm_narrow_and_in_ascii() {
        let style = Style { width: 60, unicode: false, ..Style::default() };
        let text = text(&testdata::storm(), &page(), style);
        check(&text, style);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_finding_with_theory() {
        let text = text(&testdata::callbacks(), &Page::default(), Style::default());
        check(&text, Style::default());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn nothing_at_all() {
        let text = text(&Report::default(), &Page::default(), Style::default());
        check(&text, Style::default());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn edges_without_calls_say_so() {
        let mut report = Report { experiment: "empty".into(), ..Report::default() };
        report.edges.push("users->checkout", Edge { from_users: true, ..Edge::default() });
        report.services.push("checkout", Service::default());
        let text = text(&report, &Page::default(), Style::default());
        check(&text, Style::default());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn hostile_names_stay_in_their_lines() {
        let evil = "e\u{1b}[2J\u{202e}vil\n|name";
        let mut report = testdata::callbacks();
        report.experiment = evil.into();
        report.about = evil.into();
        report.variant = Some(evil.into());
        report.overrides = vec![(evil.into(), evil.into())];
        report.verdict.headline = evil.into();
        report.notes = vec![evil.into()];
        report.stopped = Some(evil.into());
        report.values.0[0].0 = evil.into();
        report.tables[0].title = evil.into();
        report.tables[0].columns[0] = evil.into();
        report.edges.push(evil, Edge { from_users: true, ..Edge::default() });
        let expectations =
            Judgement { judged: vec![judged(evil, evil, false)], not_enforced: Some(evil.into()) };
        let page =
            Page { expectations, next: next_steps(&report, "brownout", evil, true, false), replicated: None };
        let text = text(&report, &page, Style::default());
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("|name")), "{text}");
    }
}
