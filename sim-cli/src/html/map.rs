//! The page of a map over two settings: what becomes of the system in each cell, told by a letter and a colour.

use super::find::class;
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again};
use crate::result::mapped::{Cell as Found, Mapped, State};
use crate::result::seeds::{seeds_words, settings};
use crate::text::Paint;
use crate::text::number::{NOTHING, count};

/// The page. `again_line` is the command that makes it.
pub fn page(mapped: &Mapped, again_line: &str) -> Page {
    let [across, up] = &mapped.paths;
    let sides = format!("{} × {} cells", mapped.across.len(), mapped.up.len());
    let seeds = match mapped.seeds.count {
        1 => seeds_words(mapped.seeds),
        count => format!("most of {count} seeds from {}", mapped.seeds.first),
    };
    let fault = mapped.fault.as_ref().map(|fault| format!("the fault: {fault}"));
    let runs = format!("{} runs", count(mapped.runs as u64));
    let mut commands: Vec<(String, String)> =
        mapped.look.iter().map(|line| ("see one tip".into(), line.clone())).collect();
    if !again_line.is_empty() {
        commands.push(("find again".into(), again_line.into()));
    }
    let sections = [
        Section::of("map", "Map", map(mapped)),
        Section::of("cells", "Every cell", cells(mapped)),
        again(&commands, &[], ""),
    ];
    Page {
        title: mapped.experiment.clone(),
        about: format!("What becomes of it over {across} and {up}"),
        facts: [sides, seeds, runs]
            .into_iter()
            .chain(fault)
            .chain(settings(mapped.variant.as_deref(), &mapped.set))
            .collect(),
        warnings: mapped.incomplete.clone(),
        verdicts: verdict(mapped).into_iter().collect(),
        sections: sections.into_iter().flatten().collect(),
        ..Page::default()
    }
}

/// How much of the map is what, and where the file is.
fn verdict(mapped: &Mapped) -> Option<Verdict> {
    let all = mapped.cells.len();
    let of = |state: State| mapped.cells.iter().filter(|cell| cell.state == Some(state)).count();
    let parts: Vec<String> =
        mapped.states().map(|state| format!("{} {}", count(of(state) as u64), state.name())).collect();
    if parts.is_empty() {
        return None;
    }
    let mut details = Vec::new();
    if let [Some(x), Some(y)] = mapped.standing {
        details.push(format!("the file is at {} and {}", mapped.knobs[0].show(x), mapped.knobs[1].show(y)));
    }
    details.extend(mapped.of_whom());
    Some(Verdict {
        word: "The map".into(),
        paint: Paint::Strong,
        headline: format!("{} cells: {}", count(all as u64), parts.join(", ")),
        details,
    })
}

/// A state's letter.
fn letter(state: State) -> &'static str {
    match state {
        State::Stable => "S",
        State::Undecided => "U",
        State::Vulnerable => "V",
        State::Metastable => "M",
        State::Overloaded => "O",
    }
}

fn cell(cell: &Found) -> Cell {
    let Some(state) = cell.state else { return NOTHING.into() };
    let tie = if cell.tie { ["?", ", and as many seeds say otherwise"] } else { ["", ""] };
    Cell::mark(&format!("{}{}", letter(state), tie[0]), &format!("{}{}", state.name(), tie[1]), class(state))
}

/// The picture, low values of the second setting at the bottom, and what its letters mean.
fn map(mapped: &Mapped) -> Vec<Block> {
    if mapped.cells.is_empty() {
        return Vec::new();
    }
    let [across, up] = &mapped.paths;
    let mut table = Table::new(&format!("{across} from left to right, {up} from bottom to top"))
        .words("")
        .numbers(mapped.across.iter().map(|x| mapped.knobs[0].show(*x)));
    for (row, y) in mapped.cells.chunks(mapped.across.len()).zip(&mapped.up).rev() {
        table.row(std::iter::once(Cell::from(mapped.knobs[1].show(*y))).chain(row.iter().map(cell)));
    }
    let mut legend = Table::new("What the letters mean").words("").words("").words("");
    for state in mapped.states() {
        let mark = Cell::mark(letter(state), state.name(), class(state));
        legend.row([mark, state.name().into(), mapped.legend(state).into()]);
    }
    let ties = mapped.cells.iter().filter(|cell| cell.tie).count();
    if ties > 0 {
        legend.row(["?".into(), "tie".into(), format!("as many seeds say otherwise ({ties} cells)").into()]);
    }
    vec![
        Block::Html(format!("<div class=\"maps states\">\n{}</div>\n", table.build())),
        Block::Html(format!("<div class=\"legend-table\">\n{}</div>\n", legend.build())),
    ]
}

/// How the seeds of each cell voted.
fn cells(mapped: &Mapped) -> Vec<Block> {
    if mapped.seeds.count < 2 || mapped.cells.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new("What each seed says, cell by cell")
        .numbers(&mapped.paths)
        .words("state")
        .numbers(mapped.states().map(|state| state.name()));
    for cell in &mapped.cells {
        let votes = mapped
            .states()
            .map(|state| cell.seeds.iter().filter(|seed| **seed == state).count().to_string().into());
        let state = cell.state.map_or(NOTHING, State::name);
        let ends = [mapped.knobs[0].show(cell.at[0]), mapped.knobs[1].show(cell.at[1]), state.into()];
        table.row(ends.into_iter().map(Cell::from).chain(votes));
    }
    vec![
        Block::Note(
            "No more seeds are asked than a majority takes, so the votes of a cell may be fewer than the seeds.".into(),
        ),
        Block::Html(table.build()),
    ]
}
