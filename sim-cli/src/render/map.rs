//! A map over two knobs: in each cell what becomes of the system there.

use crate::render::find::{head, labels, zone_look};
use crate::result::mapped::{Cell, Mapped, State};
use crate::result::seeds::{seeds_words, settings};
use crate::text::number::count;
use crate::text::table::{Grid, csv_line, csv_number, escape_markdown};
use crate::text::{Paint, Style, clean, fit, joined, pad, pad_left, unit, width, wrap};

impl Mapped {
    fn title(&self, style: Style) -> Vec<String> {
        let sides = format!("{} {} {} cells", self.across.len(), style.pick("×", "x"), self.up.len());
        let seeds = match self.seeds.count {
            1 => seeds_words(self.seeds),
            count => format!("most of {count} seeds from {}", self.seeds.first),
        };
        let parts = [sides, seeds, format!("{} runs", count(self.runs as u64))];
        head(
            &self.experiment,
            parts.into_iter().chain(settings(self.variant.as_deref(), &self.set)),
            &self.incomplete,
            style,
        )
    }
}

/// The map.
pub fn text(mapped: &Mapped, style: Style) -> String {
    let names: Vec<String> = mapped.up.iter().map(|y| mapped.knobs[1].show(*y)).collect();
    let left = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let columns = mapped.across.len();
    let each = ((style.columns() - left - 6) / columns).clamp(1, 6);
    let mut picture = vec![format!(
        "  {}",
        style.paint(Paint::Strong, &fit(&clean(&mapped.paths[1]), style.columns() - 4, style))
    )];
    let rows: Vec<&[Cell]> = mapped.cells.chunks(columns).collect();
    for (row, name) in rows.iter().zip(&names).rev() {
        let mut line = format!("  {} {}", pad_left(name, left), style.pick("┤", "|"));
        for cell in *row {
            let mut drawn = String::new();
            let (glyph, paint) = cell.state.map_or((' ', Paint::Plain), |state| zone_look(state, style));
            for n in 0..each {
                drawn.push(if cell.tie && n + 1 == each.div_ceil(2) { '?' } else { glyph });
            }
            line += &style.paint(paint, &drawn);
        }
        picture.push(line);
    }
    let wide = each * columns;
    picture.push(format!(
        "  {} {}{}",
        " ".repeat(left),
        style.pick("└", "+"),
        style.pick("─", "-").repeat(wide)
    ));
    let mut marks: Vec<(usize, String)> = Vec::new();
    let last = columns - 1;
    for n in [0, last, last / 2, last / 4, 3 * last / 4] {
        marks.push((n * each + each / 2, mapped.knobs[0].show(mapped.across[n])));
    }
    marks.dedup();
    picture.push(format!("  {}  {}", " ".repeat(left), labels(&marks, wide.max(12))).trim_end().to_string());
    let across = clean(&mapped.paths[0]);
    picture.push(format!(
        "  {}  {}",
        " ".repeat(left),
        style.paint(Paint::Strong, &fit(&across, style.columns() - left - 4, style))
    ));
    let mut legend: Vec<String> = Vec::new();
    for state in mapped.states() {
        let (glyph, paint) = zone_look(state, style);
        let mark = style.paint(paint, &glyph.to_string().repeat(2));
        let lines = wrap(&mapped.legend(state), style.columns() - 18);
        for (n, line) in lines.iter().enumerate() {
            legend.push(match n {
                0 => format!("  {mark} {} {line}", pad(state.name(), 10)),
                _ => format!("  {}{line}", " ".repeat(14)),
            });
        }
    }
    let ties = mapped.cells.iter().filter(|cell| cell.tie).count();
    if ties > 0 {
        legend.push(format!("  ?? {} as many seeds say otherwise ({ties} cells)", pad("tie", 10)));
    }
    if let [Some(x), Some(y)] = mapped.standing {
        legend.push(format!("  the file is at {} and {}", mapped.knobs[0].show(x), mapped.knobs[1].show(y)));
    }
    let whom = mapped.of_whom().map_or_else(Vec::new, |whom| wrap(&whom, style.columns() - 4));
    let whom = whom.iter().map(|line| format!("  {}", style.paint(Paint::Doubtful, line))).collect();
    joined(&[mapped.title(style), picture, legend, whom, look(mapped, style)])
}

/// The command that shows the first cell that this fault tips.
fn look(mapped: &Mapped, style: Style) -> Vec<String> {
    let line = |line: &String| format!("  {}  {line}", style.paint(Paint::Quiet, "see one tip"));
    mapped.look.iter().map(line).collect()
}

/// A table of names.
pub fn markdown(mapped: &Mapped) -> String {
    let mut out = format!(
        "### {}: {} and {}\n\n",
        escape_markdown(&mapped.experiment),
        escape_markdown(&mapped.paths[0]),
        escape_markdown(&mapped.paths[1])
    );
    for why in &mapped.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    let mut grid = Grid::new().words("");
    for x in &mapped.across {
        grid = grid.words(mapped.knobs[0].show(*x));
    }
    for (row, y) in mapped.cells.chunks(mapped.across.len()).zip(&mapped.up).rev() {
        let cell = |cell: &Cell| match cell.state {
            Some(state) => format!("{}{}", state.name(), if cell.tie { "?" } else { "" }),
            None => String::new(),
        };
        grid.row(std::iter::once(mapped.knobs[1].show(*y)).chain(row.iter().map(cell)));
    }
    out += &grid.markdown();
    out += "\n";
    for state in mapped.states() {
        out += &format!("- **{}**: {}\n", state.name(), escape_markdown(&mapped.legend(state)));
    }
    out += &mapped.of_whom().map_or(String::new(), |whom| format!("- {}\n", escape_markdown(&whom)));
    out
}

/// One row per cell.
pub fn csv(mapped: &Mapped) -> String {
    let [a, b] = &mapped.paths;
    let mut out = csv_line([
        a.as_str(),
        b,
        "state",
        "tie",
        "seeds",
        "stable",
        "undecided",
        "vulnerable",
        "metastable",
        "overloaded",
        "answered",
    ]);
    // Times are seconds, as in every CSV.
    let number = |axis: usize, cell: &Cell| csv_number(Some(unit::in_csv(cell.at[axis], mapped.units[axis])));
    for cell in &mapped.cells {
        let votes =
            State::ALL.map(|state| cell.seeds.iter().filter(|other| **other == state).count().to_string());
        let words = [
            number(0, cell),
            number(1, cell),
            cell.state.map_or(String::new(), |state| state.name().into()),
            cell.tie.to_string(),
            cell.seeds.len().to_string(),
        ];
        out += &csv_line(words.into_iter().chain(votes).chain([csv_number(cell.answered)]));
    }
    out
}
