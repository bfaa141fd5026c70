//! Where calls, attempts and work went, edge by edge and service by service.

use super::Block;
use super::bars::{Part, stacked};
use super::table::{Cell, Table};
use crate::result::incident;
use crate::text::number::{count, duration, number, or_nothing, percent, rate, roughly};
use sim_models::policy::told::{Told, Tone};
use sim_models::policy::{Ending, Outcome};
use sim_models::report::{Edge, Report, Service};

/// Bars and tables.
pub fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    let rows = incident::rows(report);
    if !rows.is_empty() {
        let mut table = Table::new("What users got before, during and after what went wrong")
            .words("")
            .numbers(incident::HEADS);
        rows.into_iter().for_each(|row| table.row(row.into_iter().map(Cell::from)));
        blocks.push(Block::Html(table.build()));
    }
    if !report.edges.is_empty() {
        let calls = |edge: &Edge| (edge.calls.started, call_endings(edge));
        blocks.push(Block::Html(endings(report, "How calls ended", "calls", &["goodput"], calls, |edge| {
            vec![rate(edge.goodput)]
        })));
        let attempts = |edge: &Edge| (edge.attempts.sent, attempt_endings(edge));
        blocks.push(Block::Html(endings(
            report,
            "How attempts ended",
            "attempts",
            &["per call", "per user call"],
            attempts,
            |edge| [edge.amplification, edge.per_user_call].map(|x| or_nothing(x, number)).to_vec(),
        )));
        let most = report
            .edges
            .iter()
            .filter_map(|(_, edge)| edge.per_user_call.or(edge.amplification))
            .fold(0.0, f64::max);
        if most > 1.005 {
            blocks.push(Block::Html(amplification(report, most)));
        }
    }
    if !report.services.is_empty() {
        blocks.push(Block::Html(work(report)));
        blocks.push(Block::Html(services(report)));
        blocks.extend(little(report).map(Block::Html));
    }
    blocks
}

/// A way to end, and how many did.
type Ended = (Told, u64);

fn call_endings(edge: &Edge) -> Vec<Ended> {
    Ending::in_order().map(|ending| (ending.told(), edge.calls.of(ending))).collect()
}

fn attempt_endings(edge: &Edge) -> Vec<Ended> {
    Outcome::TOLD.map(|outcome| (outcome.told(), edge.attempts.of(outcome))).to_vec()
}

/// The class of a tone's colour.
fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "c-ok",
        Tone::Late => "c-timed-out",
        Tone::Rejected => "c-rejected",
        Tone::Error => "c-error",
        Tone::Unsent => "c-unsent",
        Tone::Other => "c-other",
        Tone::Open => "c-flight",
    }
}

/// A bar per edge and the same in words; `more` columns of numbers before them.
fn endings(
    report: &Report,
    caption: &str,
    what: &str,
    heads: &[&str],
    of: impl Fn(&Edge) -> (u64, Vec<Ended>),
    more: impl Fn(&Edge) -> Vec<String>,
) -> String {
    let mut table =
        Table::new(caption).words("edge").numbers([what]).numbers(heads).words("shares").words("in words");
    for (name, edge) in report.edges.iter() {
        let (all, endings) = of(edge);
        let there: Vec<Ended> = endings.into_iter().filter(|(_, n)| *n > 0).collect();
        let share = |n: u64| roughly(n as f64 / all.max(1) as f64);
        let named: Vec<String> =
            there.iter().map(|(told, n)| format!("{} {}", told.name, share(*n))).collect();
        let parts: Vec<Part> = there
            .iter()
            .zip(&named)
            .map(|((told, n), words)| (class(told.tone), words.as_str(), *n as f64))
            .collect();
        let bar = Cell::html(stacked(&parts, all as f64));
        let cells =
            [Cell::from(name), count(all).into()].into_iter().chain(more(edge).into_iter().map(Cell::from));
        table.row(cells.chain([bar, named.join(", ").into()]));
    }
    table.build()
}

/// Attempts per call that users made, layer by layer.
fn amplification(report: &Report, most: f64) -> String {
    let mut table = Table::new("Attempts on each edge for one call of a user")
        .words("edge")
        .numbers(["attempts"])
        .words("");
    for (name, edge) in report.edges.iter() {
        let per = edge.per_user_call.or(edge.amplification).unwrap_or(0.0);
        let parts =
            [("c-first", "first attempts", per.min(1.0)), ("c-retry", "more than one", (per - 1.0).max(0.0))];
        table.row([Cell::from(name), number(per).into(), Cell::html(stacked(&parts, most))]);
    }
    table.build()
}

/// Work of each service on one scale: what came to users, what was in vain, what was for nobody.
fn work(report: &Report) -> String {
    let most = report.services.iter().map(|(_, service)| service.work).max().unwrap_or(0);
    let caption = "Work done: useful, in vain for requests that failed in the end, wasted on callers who no longer waited";
    let mut table = Table::new(caption)
        .words("service")
        .numbers(["work", "in vain", "wasted"])
        .words("useful | in vain | wasted");
    for (name, service) in report.services.iter() {
        let useful = service.work.saturating_sub(service.work_wasted).saturating_sub(service.work_in_vain);
        let parts = [
            ("c-ok", "useful", useful as f64),
            ("c-vain", "in vain", service.work_in_vain as f64),
            ("c-waste", "wasted", service.work_wasted as f64),
        ];
        table.row([
            Cell::from(name),
            duration(service.work).into(),
            or_nothing(service.in_vain, percent).into(),
            or_nothing(service.wasted, percent).into(),
            Cell::html(stacked(&parts, most as f64)),
        ]);
    }
    table.build()
}

fn services(report: &Report) -> String {
    let any = |of: fn(&Service) -> u64| report.services.iter().any(|(_, service)| of(service) > 0);
    let (deaths, called_off) = (any(|service| service.deaths), any(|service| service.called_off));
    let heads =
        ["replicas", "workers", "busy", "arrived", "completed", "mean queue", "at most", "places", "wait"];
    let table = Table::new("Queues and workers").words("service").numbers(heads);
    let expired = any(|service| service.expired);
    let table = if called_off { table.numbers(["called off"]) } else { table };
    let table = if expired { table.numbers(["expired"]) } else { table };
    let mut table = if deaths { table.numbers(["deaths"]) } else { table };
    for (name, service) in report.services.iter() {
        let cells = [
            name.to_string(),
            count(u64::from(service.replicas)),
            count(service.workers),
            percent(service.utilisation),
            count(service.arrived),
            count(service.completed),
            number(service.queue_mean),
            count(service.queue_max),
            service.queue_capacity.map_or_else(|| "unbounded".into(), count),
            or_nothing(service.wait_mean, duration),
        ];
        let died = deaths.then(|| count(service.deaths));
        let left = called_off.then(|| count(service.called_off));
        let late = expired.then(|| count(service.expired));
        table.row(cells.into_iter().chain(left).chain(late).chain(died).map(Cell::from));
    }
    table.build()
}

/// Little's law, both sides measured apart.
fn little(report: &Report) -> Option<String> {
    let mut table = Table::new(
        "Little's law: those in a service are as many as come per second times how long they stay",
    )
    .words("service")
    .numbers(["in it, on average", "let in per second", "each stays", "their product"])
    .words("");
    for (name, service) in report.services.iter() {
        let Some(law) = &service.little else { continue };
        // Sums of whole nanoseconds: only the last step is in floats.
        let holds = law.gap() <= 1e-9;
        let verdict =
            if holds { Cell::classed("✓ equal", "good") } else { Cell::classed("✗ NOT equal", "bad") };
        let cells = [
            name.into(),
            number(law.number),
            rate(law.rate),
            duration(law.time.round() as u64),
            number(law.product),
        ];
        table.row(cells.map(|cell: String| Cell::from(cell)).into_iter().chain([verdict]));
    }
    (!table.is_empty()).then(|| table.build())
}
