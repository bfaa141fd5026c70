//! One run as Markdown, for a pull request or what is written after an incident: what it comes to, the numbers behind it, and
//! the command and the versions that give the same again.

use super::replicated;
use crate::result::incident;
use crate::result::page::{Page, chosen_edges, kind};
use crate::text::number::{count, duration, number, or_nothing, percent, rate};
use crate::text::table::{Grid, escape_markdown};
use crate::text::{Style, clean, first_sentence, upper_first};
use sim_models::report::Report;

/// The page. `again` is the whole command that gives this run.
pub fn markdown(report: &Report, page: &Page, again: &str) -> String {
    let words = kind(report.verdict.kind).0;
    let mut blocks = vec![
        format!("### {}: {words}", escape_markdown(&report.experiment)),
        escape_markdown(first_sentence(&report.about)),
        set(report),
    ];
    if let Some(limit) = &report.stopped {
        blocks.push(format!(
            "**Stopped early** by a limit: {}; all of this covers only what was reached.",
            escape_markdown(limit)
        ));
    }
    let said = std::iter::once(&report.verdict.headline).chain(&report.verdict.details);
    blocks.push(list(said.filter(|text| !text.is_empty()).map(|text| escape_markdown(text))));
    blocks.extend(tables(report).iter().map(Grid::markdown));
    if let Some(replicated) = &page.replicated {
        let seeds = replicated.seeds;
        blocks.push(format!(
            "The page is that of seed {}; over {} seeds{}:",
            seeds.first,
            seeds.count,
            if replicated.verdict.is_empty() {
                String::new()
            } else {
                format!(", {}", escape_markdown(&replicated.verdict))
            }
        ));
        let incomplete = replicated.incomplete.iter();
        blocks.push(list(incomplete.map(|why| format!("**Incomplete**: {}", escape_markdown(why)))));
        blocks.push(replicated::metrics(replicated, Style::default()).markdown());
    }
    let judged = page.expectations.judged.iter().map(|judged| {
        let mark = match (judged.holds, judged.undecided) {
            (true, _) => "✓",
            (false, true) => "? open:",
            (false, false) => "✗ **failed**:",
        };
        format!("{mark} {}, measured {}", escape_markdown(&judged.claim), escape_markdown(&judged.measured))
    });
    blocks.push(list(judged));
    if let (Some(why), false) = (&page.expectations.not_enforced, page.expectations.judged.is_empty()) {
        blocks.push(format!("Shown, not enforced: {}.", escape_markdown(why)));
    }
    blocks.push(list(report.notes.iter().map(|note| format!("note: {}", escape_markdown(note)))));
    blocks.push(format!("```\n{}\n```", clean(again).replace('`', "'")));
    let (model, version) = &report.model;
    let digest: Vec<String> = digests(report).map(|(name, hex)| format!("`{name} {hex}`")).collect();
    blocks.push(format!(
        "brownout {}, {} {version}{}{}",
        env!("CARGO_PKG_VERSION"),
        escape_markdown(model),
        if digest.is_empty() { "" } else { ", digest " },
        digest.join(" ")
    ));
    blocks.retain(|block| !block.is_empty());
    let trimmed: Vec<&str> = blocks.iter().map(|block| block.trim_end()).collect();
    trimmed.join("\n\n") + "\n"
}

fn list(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| format!("- {line}\n")).collect()
}

/// What was run: variant, settings, seed and length.
fn set(report: &Report) -> String {
    let run = &report.run;
    let mut facts: Vec<String> = Vec::new();
    facts.extend(report.variant.iter().map(|variant| format!("variant {}", escape_markdown(variant))));
    facts.extend(report.overrides.iter().map(|(path, value)| escape_markdown(&format!("{path}={value}"))));
    facts.push(format!("seed {}", run.seed));
    facts.extend((run.duration > 0).then(|| duration(run.duration)));
    facts.extend((run.warm_up > 0).then(|| format!("measured from {} on", duration(run.warm_up))));
    upper_first(&facts.join(", ")) + "."
}

/// What users got, what their calls came to, and what the services had to do.
fn tables(report: &Report) -> Vec<Grid> {
    let mut grids = Vec::new();
    let rows = incident::rows(report);
    if !rows.is_empty() {
        let mut grid = Grid::new().words("users").numbers(incident::HEADS);
        rows.into_iter().for_each(|row| grid.row(row));
        grids.push(grid);
    }
    let (edges, _) = chosen_edges(report);
    if !edges.is_empty() {
        let heads = ["started", "goodput", "ok", "attempts", "p50", "p99"];
        let mut grid = Grid::new().words("calls").numbers(heads);
        for (name, edge) in edges {
            grid.row([
                clean(name),
                count(edge.calls.started),
                rate(edge.goodput),
                or_nothing(edge.success, percent),
                or_nothing(edge.amplification, number),
                or_nothing(edge.latency.p50, duration),
                or_nothing(edge.latency.p99, duration),
            ]);
        }
        grids.push(grid);
    }
    grids
}

/// The digest's parts by their letters, as short as the page has them.
fn digests(report: &Report) -> impl Iterator<Item = (&'static str, String)> {
    let digest = &report.digest;
    let parts = [("i", &digest.i), ("t", &digest.t), ("r", &digest.r), ("s", &digest.s)];
    parts
        .map(|(name, hex)| (name, clean(hex).chars().take(12).collect::<String>()))
        .into_iter()
        .filter(|(_, hex)| !hex.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;
    use crate::result::judged::{Judged, Judgement};

    #[test]
    fn a_storm_for_a_pull_request() {
        let judged = |claim: &str, measured: &str, holds| Judged {
            claim: claim.into(),
            measured: measured.into(),
            holds,
            ..Judged::default()
        };
        let judged =
            vec![judged("recovered is false", "no", true), judged("goodput at least 50/s", "24/s", false)];
        let expectations = Judgement { judged, not_enforced: None };
        let page = Page { expectations, ..Page::default() };
        insta::assert_snapshot!(markdown(&testdata::storm(), &page, "brownout run retry-storm --seed 42"));
    }

    #[test]
    fn hostile_names_stay_in_their_lines() {
        let mut report = testdata::storm();
        let evil = "e\u{1b}[2J\u{202e}vil\n|name `x` <b>";
        report.experiment = evil.into();
        report.about = evil.into();
        report.variant = Some(evil.into());
        report.verdict.headline = evil.into();
        report.notes = vec![evil.into()];
        let text = markdown(&report, &Page::default(), "brownout run 'a\u{1b}b`'");
        assert!(!text.contains(['\u{1b}', '\u{202e}']) && !text.contains("<b>"), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("|name")), "{text}");
    }
}
