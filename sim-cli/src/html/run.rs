//! The page of one run.

use super::figure::{Axis, Backdrop, Band, Figure, Line, Num, View};
use super::latency::{ranges, spectrum, times};
use super::over_time::{MOST_SERVICES, inks, pictures, time_axis};
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again, lanes, replicated, traffic, waterfall};
use crate::render::diagram::svg_in_page;
use crate::result;
use crate::result::column::NEARLY_ALL;
use crate::result::in_hand::InHand;
use crate::result::page::{chosen_edges, kind, kinds};
use crate::text::number::{
    LONGER, cell, compact, count, duration, number, of, off_by, or_nothing, percent, rate, roughly,
};
use crate::text::{escape as clean, upper_first};
use sim_models::diagram::Diagram;
use sim_models::report::{self, Edge, Report, Stretch, Unit, VerdictKind};
use sim_models::trace::Trace;
use std::ops::Range;

/// What stands around a report on its page.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Expectations, and what to type next.
    pub page: &'a result::page::Page,
    /// Every parameter, defaults written out.
    pub effective: &'a str,
    /// What is connected to what.
    pub diagram: &'a Diagram,
    /// Calls as they went: the slowest, and some that failed.
    pub traces: &'a [Trace],
    /// The command that traces calls of this run.
    pub again: &'a str,
}

/// The page of one run.
pub fn page(report: &Report, around: &Around) -> Page {
    let (word, paint) = kind(report.verdict.kind);
    let stopped = report
        .stopped
        .iter()
        .map(|limit| format!("Stopped early by a limit: {limit}. All of this covers only what was reached."));
    let sections = [
        expectations(around),
        around.page.replicated.as_ref().and_then(replicated::section),
        Section::of("time", "Over time", over_time(report)),
        Section::of("diagram", "What is connected to what", diagram(report, around.diagram)),
        Section::of("latency", "Response time", response_times(report)),
        Section::of("work", "Where the work went", traffic::blocks(report)),
        Section::of("values", "Measured and exact", values(report)),
        Section::of("calls", "Single calls", waterfall::blocks(around.traces, around.again)),
        Section::of(
            "notes",
            "Worth knowing",
            report.notes.iter().map(|note| Block::Note(note.clone())).collect(),
        ),
        again(&around.page.next, &digest(report), around.effective),
    ];
    Page {
        title: report.experiment.clone(),
        about: report.about.clone(),
        facts: facts(report),
        warnings: stopped.collect(),
        verdicts: vec![Verdict {
            word: word.into(),
            paint,
            headline: report.verdict.headline.clone(),
            details: report.verdict.details.clone(),
        }],
        tiles: tiles(report),
        sections: sections.into_iter().flatten().collect(),
        backdrop: backdrop(report),
    }
}

/// Where each node stood, and then the pictures.
fn over_time(report: &Report) -> Vec<Block> {
    lanes::block(&report.timeline.lanes, report.run.duration).into_iter().chain(pictures(report)).collect()
}

fn facts(report: &Report) -> Vec<String> {
    let run = &report.run;
    let variant = report.variant.iter().map(|variant| format!("variant {variant}"));
    let set = report.overrides.iter().map(|(path, value)| format!("{path}={value}"));
    let length = (run.duration > 0).then(|| duration(run.duration));
    let measured = (run.warm_up > 0).then(|| format!("measured from {} on", duration(run.warm_up)));
    let (model, version) = &report.model;
    variant
        .chain(set)
        .chain([format!("seed {}", run.seed)])
        .chain(length)
        .chain(measured)
        .chain([format!("{} events", compact(run.events)), format!("model {model} {version}")])
        .collect()
}

fn tiles(report: &Report) -> Vec<(String, String)> {
    let summary = &report.summary;
    let users = report.edges.iter().find(|(_, edge)| edge.from_users).map(|(_, edge)| edge);
    let p99 = users.and_then(|edge| edge.latency.p99);
    let few = users.and_then(|edge| edge.success).filter(|share| *share < NEARLY_ALL);
    let of_whom =
        few.map_or("p99 of users".into(), |share| format!("p99 of the {} that ended well", roughly(share)));
    let of_all = users.filter(|edge| few.is_some() && !edge.response.is_empty());
    let in_hand = InHand::of(report);
    // Where it took no time that can be told, the verdict says why.
    let recover = match (summary.time_to_recover, report.verdict.kind) {
        (Some(0), _) => Some("at once".to_string()),
        (Some(ns), _) => Some(duration(ns)),
        (None, VerdictKind::Steady | VerdictKind::Finding) => None,
        (None, _) if report.timeline.disturbances.is_empty() => None,
        (None, verdict) => Some(kind(verdict).0.into()),
    };
    let all = [
        ("offered", summary.offered.map(rate)),
        ("goodput", summary.goodput.map(rate)),
        ("calls that ended well", summary.success.map(percent)),
        ("error budget spent", summary.error_budget.filter(|spent| *spent > 0).map(duration)),
        ("still in hand at the end", in_hand.told().map(|_| count(in_hand.at_the_end as u64))),
        ("attempts per user's call", summary.amplification.map(number)),
        ("work for callers who no longer waited", summary.wasted.map(percent)),
        (
            "work for requests that failed in the end",
            summary.in_vain.filter(|share| *share > 0.0).map(percent),
        ),
        (of_whom.as_str(), p99.map(duration)),
        ("p99 of all calls", of_all.map(|edge| edge.response.p99.map_or(LONGER.into(), duration))),
        ("time to recover", recover),
    ];
    all.into_iter().filter_map(|(what, much)| much.map(|much| (what.to_string(), much))).collect()
}

/// What disturbed the run, where measuring begins, where it ends.
pub fn backdrop(report: &Report) -> Backdrop {
    let seconds = |ns: u64| Num(ns as f64 / 1e9);
    let end = report.run.duration;
    let band = |it: &report::Disturbance| Band {
        name: clean(format!("{} {}", it.what, it.on).trim()),
        from: seconds(it.from),
        to: seconds(it.to.unwrap_or(end)),
    };
    let bands = report.timeline.disturbances.iter().map(band).collect();
    Backdrop { bands, warm_up: seconds(report.run.warm_up), end: seconds(end) }
}

fn digest(report: &Report) -> Vec<(String, String)> {
    let digest = &report.digest;
    let parts =
        [("input", &digest.i), ("trajectory", &digest.t), ("randomness", &digest.r), ("results", &digest.s)];
    let there = parts.into_iter().filter(|(_, hex)| !hex.is_empty());
    there.map(|(name, hex)| (format!("digest of {name}"), hex.clone())).collect()
}

/// The picture, in the colours of the page.
fn diagram(report: &Report, diagram: &Diagram) -> Vec<Block> {
    if diagram.is_empty() {
        return Vec::new();
    }
    let picture = svg_in_page(&report.experiment, diagram);
    vec![Block::Html(format!(
        "<div class=\"diagram scroll\" role=\"region\" aria-label=\"Diagram\" tabindex=\"0\">{picture}</div>\n"
    ))]
}

fn expectations(around: &Around) -> Option<Section> {
    let judgement = &around.page.expectations;
    if judgement.judged.is_empty() {
        return None;
    }
    let mut table = Table::new("What the author of the experiment expects")
        .words("")
        .words("expected")
        .numbers(["measured"]);
    for judged in &judgement.judged {
        let (mark, tone) = if judged.holds { ("✓ holds", "good") } else { ("✗ fails", "bad") };
        let claim = match &judged.variant {
            Some(variant) => format!("{variant}: {}", judged.claim),
            None => judged.claim.clone(),
        };
        table.row([Cell::classed(mark, tone), claim.into(), judged.measured.as_str().into()]);
    }
    let mut blocks = vec![Block::Html(table.build())];
    blocks
        .extend(judgement.not_enforced.iter().map(|why| Block::Note(format!("Shown, not enforced: {why}."))));
    Section::of("expected", "Expected", blocks)
}

fn response_times(report: &Report) -> Vec<Block> {
    let (edges, _) = chosen_edges(report);
    let services: Vec<_> = report.services.iter().take(MOST_SERVICES).collect();
    let inks = inks(&edges, &services);
    let counted: Vec<_> = edges.iter().zip(&inks).filter(|((_, edge), _)| edge.latency.count > 0).collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let over_time = times(&counted.iter().map(|((_, edge), _)| *edge).collect::<Vec<_>>(), report.run.window);
    let mapped: Vec<_> = counted
        .iter()
        .zip(&over_time)
        .filter(|(_, times)| !times.is_empty())
        .map(|(((name, edge), _), times)| (*name, *edge, times))
        .collect();
    if let Some((_, _, first)) = mapped.first() {
        let view = |(name, edge, times): &(&str, &Edge, &super::latency::Times)| View {
            name: clean(name),
            x: time_axis(),
            y: Axis { unit: "ns", log: true, ..Axis::default() },
            heat: Some(times.heat()),
            summary: tail_in_words(edge),
            ..View::default()
        };
        blocks.push(Block::Figure(Figure {
            id: "heat".into(),
            title: "Response time over time".into(),
            note: format!("Calls that ended well, counted when they ended; the lines are the median and the 99th percentile. {}", first.resolution()),
            link: "time",
            height: 280,
            views: mapped.iter().map(view).collect(),
        }));
        let spans = spans(report);
        let parts: Vec<Option<Report>> = spans.iter().map(|(.., part)| report.stretch((*part)?)).collect();
        // Calls are counted one by one for these; windows tell the others.
        let exact = |part: &Option<Report>| part.as_ref().is_none_or(|part| part.stretch.is_some());
        let exact = parts.iter().all(exact) && report.edges.iter().all(|(_, edge)| edge.calls.started > 0);
        let row = |name: &str, edge: &Edge, times: &super::latency::Times| {
            let of = |((what, span, _), part): (&(String, Range<u64>, _), &Option<Report>)| {
                let theirs = match part {
                    Some(part) => part.edges.get(name),
                    None => Some(edge),
                };
                let counted = theirs.filter(|_| exact).map(super::latency::counted);
                (what.clone(), counted.unwrap_or_else(|| times.summary(span)))
            };
            spans.iter().zip(&parts).map(of).collect::<Vec<_>>()
        };
        let rows: Vec<_> = mapped.iter().map(|(name, edge, times)| (*name, row(name, edge, times))).collect();
        let what = if exact { "began" } else { "ended" };
        let caption =
            format!("Calls that {what} in each range, and the response time of those that ended well");
        blocks.push(Block::Html(ranges(&caption, &rows)));
    }
    let lines: Vec<Line> =
        counted.iter().map(|((name, edge), ink)| spectrum(name, **ink, &edge.latency)).collect();
    let summary = counted
        .iter()
        .map(|((name, edge), _)| format!("{name}: {}", tail_in_words(edge)))
        .collect::<Vec<_>>()
        .join("; ");
    blocks.push(Block::Figure(Figure {
        id: "spectrum".into(),
        title: "Response time by percentile".into(),
        note: "Of calls that ended well, from their intended start; every nine more is as wide as the one before.".into(),
        height: 300,
        views: vec![View {
            x: Axis { unit: "tail", log: true, ..Axis::default() },
            y: Axis { unit: "ns", log: true, ..Axis::default() },
            lines,
            summary,
            ..View::default()
        }],
        ..Figure::default()
    }));
    blocks.push(Block::Html(percentiles(report)));
    blocks
}

fn tail_in_words(edge: &Edge) -> String {
    let l = &edge.latency;
    let time = |ns: Option<u64>| or_nothing(ns, duration);
    format!(
        "median {}, p90 {}, p99 {}, p99.9 {}, at most {}",
        time(l.p50),
        time(l.p90),
        time(l.p99),
        time(l.p999),
        time(l.max)
    )
}

/// The stretches of a run that are worth comparing.
fn spans(report: &Report) -> Vec<(String, Range<u64>, Option<Stretch>)> {
    let (start, end) = (report.run.warm_up, report.run.duration);
    let faults = &report.timeline.disturbances;
    let (Some(from), Some(to)) =
        (faults.iter().map(|it| it.from).min(), faults.iter().map(|it| it.to.unwrap_or(end)).max())
    else {
        return vec![("all".into(), start..end, None)];
    };
    let all = [
        ("before", start..from, Stretch::Before),
        ("during", from.max(start)..to.min(end), Stretch::Fault),
        ("after", to..end, Stretch::After),
    ];
    let named = |(name, span, part): (&str, Range<u64>, Stretch)| {
        let what = format!("{name} the fault, {} to {}", duration(span.start), duration(span.end));
        (span.end > span.start).then_some((what, span, Some(part)))
    };
    all.into_iter().filter_map(named).collect()
}

fn percentiles(report: &Report) -> String {
    let mut table = Table::new("Response time of calls that ended well; time until failure of the others")
        .words("calls")
        .numbers([
            "ended well",
            "p50",
            "p90",
            "p95",
            "p99",
            "p99.9",
            "p99.99",
            "max",
            "failed: p50",
            "failed: p99",
        ]);
    for (name, edge) in report.edges.iter() {
        let (l, f) = (&edge.latency, &edge.latency_failed);
        let times = [l.p50, l.p90, l.p95, l.p99, l.p999, l.p9999, l.max, f.p50, f.p99];
        let times = times.map(|ns| Cell::from(or_nothing(ns, duration)));
        table.row([Cell::from(name), crate::text::number::count(l.count).into()].into_iter().chain(times));
    }
    table.build()
}

fn values(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (kind, sections) in kinds(report) {
        let rows = sections.iter().flat_map(|section| {
            section.values.iter().map(|(name, value)| (Some(section.at.as_str()), name, value))
        });
        let rows = rows.collect::<Vec<_>>();
        blocks.push(Block::Html(told(&upper_first(&kind.replace('_', " ")), &rows)));
    }
    if !report.values.is_empty() {
        let rows = report.values.iter().map(|(name, value)| (None, name, value));
        let caption = "What was measured, and what theory gives where it does";
        blocks.push(Block::Html(told(caption, &rows.collect::<Vec<_>>())));
    }
    blocks.extend(report.tables.iter().flat_map(own_table));
    blocks
}

/// Values with what they are, each with the place where it was measured if it has one.
fn told(caption: &str, rows: &[(Option<&str>, &str, &report::Value)]) -> String {
    let table = Table::new(caption);
    let table = if rows.iter().any(|(at, ..)| at.is_some()) { table.words("at") } else { table };
    let mut table = table
        .words("value")
        .numbers(["measured", "standard error", "exact", "off by"])
        .words("what it is")
        .words("exact from");
    for (at, name, value) in rows {
        let unit = Unit::named(&value.unit);
        let show = |x: f64| of(x, unit);
        let off = value.exact.zip(value.value).map(|(exact, measured)| off_by(measured, exact));
        let cells = [
            Cell::from(name),
            or_nothing(value.value, show).into(),
            or_nothing(value.standard_error, show).into(),
            or_nothing(value.exact, show).into(),
            or_nothing(off, |off| off).into(),
            value.about.as_str().into(),
            value.source.as_str().into(),
        ];
        table.row(at.iter().map(Cell::from).chain(cells));
    }
    table.build()
}

/// A table of a model's own.
fn own_table(own: &report::Table) -> Vec<Block> {
    let words =
        |column: usize| own.rows.iter().any(|row| matches!(row.get(column), Some(report::Cell::Text(_))));
    let table = own.columns.iter().enumerate().fold(Table::new(&own.title), |table, (index, head)| {
        if index == 0 || words(index) { table.words(head) } else { table.numbers([head]) }
    });
    let mut table = table;
    for row in &own.rows {
        let shown = |(index, entry): (usize, &report::Cell)| match (entry, own.units.get(index)) {
            (report::Cell::Number(x), Some(unit)) => Cell::from(of(*x, Unit::named(unit))),
            _ => Cell::from(cell(entry)),
        };
        table.row(row.iter().enumerate().map(shown));
    }
    let note = (!own.note.is_empty()).then(|| Block::Note(own.note.clone()));
    std::iter::once(Block::Html(table.build())).chain(note).collect()
}
