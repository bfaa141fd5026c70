//! The same on more seeds: how sure each number is, and whether theory agrees.

use super::table::{Cell, Table};
use super::{Block, Section};
use crate::result::column::{Column, estimate, heads};
use crate::result::replicated::{Replicated, Theory};
use crate::text::Style;
use crate::text::number::{of, off_by, plus_minus};

/// The section of a page.
pub fn section(replicated: &Replicated) -> Option<Section> {
    let seeds = match replicated.seeds.count {
        1 => format!("seed {}", replicated.seeds.first),
        n => format!("{n} seeds from {}", replicated.seeds.first),
    };
    let mut blocks = vec![Block::Note(format!("Over {seeds}: {}.", replicated.verdict))];
    blocks.extend(replicated.incomplete.iter().map(|why| Block::Note(format!("Incomplete: {why}."))));
    if !replicated.metrics.is_empty() {
        let mut table = Table::new("Each metric over all seeds").words("metric").numbers([
            "mean and 95 % interval",
            "smallest",
            "largest",
            "seeds",
        ]);
        let rows = replicated.metrics.iter().zip(&replicated.estimates).zip(&replicated.values);
        for (head, ((metric, measured), values)) in heads(&replicated.metrics).into_iter().zip(rows) {
            let numbers =
                || values.iter().filter_map(|value| value.number()).filter(|_| measured.yes.is_none());
            let ends = [numbers().reduce(f64::min), numbers().reduce(f64::max)];
            let [smallest, largest] =
                ends.map(|end| end.map_or_else(String::new, |end| of(end, metric.unit)));
            let mean = estimate(measured, metric.unit, Style::default());
            table.row([head, mean, smallest, largest, measured.n.to_string()].map(Cell::from));
        }
        blocks.push(Block::Html(table.build()));
    }
    if !replicated.theory.is_empty() {
        blocks.push(Block::Html(theory(&replicated.theory)));
    }
    Section::of("seeds", "Over many seeds", blocks)
}

fn theory(values: &[Theory]) -> String {
    let columns: Vec<Column> = values.iter().map(|value| value.column.clone()).collect();
    let mut table = Table::new("Measured and exact: whether theory lies within the interval")
        .words("value")
        .numbers(["measured", "exact", "off by"])
        .words("")
        .words("exact from");
    for (head, value) in heads(&columns).into_iter().zip(values) {
        let unit = value.column.unit;
        let measured = match (value.measured.mean, value.allowed) {
            (Some(mean), Some(allowed)) => plus_minus(mean, allowed, unit, Style::default()),
            _ => estimate(&value.measured, unit, Style::default()),
        };
        let off = value.measured.mean.map_or_else(String::new, |mean| off_by(mean, value.exact));
        let verdict = match value.agrees {
            Some(true) => Cell::classed("✓ agrees", "good"),
            Some(false) => Cell::classed("✗ differs", "bad"),
            None => "not judged".into(),
        };
        let cells = [head, measured, of(value.exact, unit), off].map(Cell::from);
        table.row(cells.into_iter().chain([verdict, value.source.as_str().into()]));
    }
    table.build()
}
