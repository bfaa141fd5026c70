//! What mechanisms measured, as tables: one for each kind, with a row for each place.

use crate::result::page::{MOST, kinds};
use crate::text::number::{of, or_nothing};
use crate::text::table::Grid;
use crate::text::{Style, clean, more, quiet};
use sim_models::report::{Report, Section, Unit, Value};

/// What any of these has a value of, in their order.
fn names<'a>(sections: &[&'a Section]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in sections.iter().flat_map(|section| section.values.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What is in the column of a value: what was measured, and beside it what theory gives.
fn measured(value: &Value) -> String {
    let unit = Unit::named(&value.unit);
    let measured = or_nothing(value.value, |x| of(x, unit));
    value.exact.map_or(measured.clone(), |exact| format!("{measured} (exact {})", of(exact, unit)))
}

/// The tables.
pub(super) fn sections(report: &Report, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, all) in kinds(report) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let names = names(&all);
        let mut grid = Grid::new().words(kind).numbers(names.iter().map(|name| name.replace('_', " ")));
        for section in all.iter().take(MOST) {
            let cell = |name: &&str| section.values.get(name).map_or_else(String::new, measured);
            grid.row([section.at.clone()].into_iter().chain(names.iter().map(cell)));
        }
        lines.extend(grid.text(2, style));
        lines.extend(more(all.len().saturating_sub(MOST), kind));
        lines.extend(sources(&all, style));
    }
    lines
}

/// Where exact values come from.
fn sources(sections: &[&Section], style: Style) -> Vec<String> {
    let mut sources: Vec<&str> = Vec::new();
    for (_, value) in sections.iter().flat_map(|section| section.values.iter()) {
        if value.exact.is_some() && !value.source.is_empty() && !sources.contains(&value.source.as_str()) {
            sources.push(&value.source);
        }
    }
    match sources.is_empty() {
        true => Vec::new(),
        false => quiet(&format!("exact: {}", clean(&sources.join("; "))), "  ", style),
    }
}
