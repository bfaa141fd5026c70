//! What each of several did over time, as a map: a row for each, the fuller the colour the more. The replicas of a service, say.

use super::Block;
use super::bars::shaded;
use super::table::{Cell, Table};
use crate::render::chart::resample;
use crate::render::timeline::parts;
use crate::text::number::of;
use crate::text::upper_first;
use sim_models::report::{Report, Unit};

/// Columns of a row.
const COLUMNS: usize = 120;

/// Rows of a map.
const ROWS: usize = 100;

/// A map for each line that several of one kind have.
pub(super) fn maps(report: &Report) -> Vec<Block> {
    parts(report)
        .into_iter()
        .map(|part| {
            let unit = Unit::named(&part.lines[0].1.unit);
            let show = |x: f64| of(x, unit);
            let rows = part.lines.len().min(ROWS);
            let left_out = match part.lines.len() - rows {
                0 => String::new(),
                more => format!(" {more} more are in the files."),
            };
            let about = part.lines[0].1.about.clone();
            let caption = format!(
                "{} of {}. {about} The fullest colour is {}.{left_out}",
                upper_first(part.kind),
                part.whole,
                show(part.full)
            );
            let mut table =
                Table::new(&caption).words(part.kind).words("over time").numbers(["mean", "peak"]);
            for (section, line) in part.lines.into_iter().take(rows) {
                let known = || line.values.iter().copied().filter(|x| x.is_finite());
                let mean = known().sum::<f64>() / (known().count().max(1)) as f64;
                let cells = resample(&line.values, COLUMNS.min(line.values.len()));
                table.row([
                    Cell::from(&section.at),
                    Cell::html(shaded(&cells, part.full)),
                    Cell::from(show(mean)),
                    Cell::from(show(known().fold(0.0, f64::max))),
                ]);
            }
            Block::Html(table.build())
        })
        .collect()
}
