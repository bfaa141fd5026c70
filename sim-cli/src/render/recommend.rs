//! Which value to set: the answer first, then how sure it is, what it costs, and what else was close.

use crate::render::find::head;
use crate::replay::quote;
use crate::result::column::{estimate, in_csv};
use crate::result::recommended::{Finalist, Outcome, Recommendation, Tried, plain};
use crate::result::seeds::{Seeds, settings};
use crate::text::number::{count, of};
use crate::text::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use crate::text::{Paint, Style, clean, joined, pad, pad_left, unit, width, wrap};
use sim_models::report::Unit;

impl Recommendation {
    fn title(&self, style: Style) -> Vec<String> {
        let aim = self.aim();
        let conditions = self.conditions.iter().map(|condition| clean(&condition.text));
        let wanted = [aim].into_iter().chain(conditions).collect::<Vec<_>>().join(", ");
        let tried = format!("{} settings, {} runs", count(self.tried.len() as u64), count(self.runs as u64));
        head(
            &self.experiment,
            [wanted, tried].into_iter().chain(settings(self.variant.as_deref(), &self.set)),
            &self.incomplete,
            style,
        )
    }

    fn answer(&self, style: Style) -> Vec<String> {
        let Some(first) = self.finalists.first() else { return Vec::new() };
        let (paint, word) = self.word();
        let mut lines = Vec::new();
        let end = |path: &String| match self.outcome == Outcome::Found && self.at_an_end.contains(path) {
            true => "  (an end of its range)",
            false => "",
        };
        let set: Vec<String> = first
            .set
            .iter()
            .map(|(path, value)| format!("{}={}{}", clean(path), plain(value), end(path)))
            .collect();
        let indent = match self.outcome {
            Outcome::Infeasible => {
                lines.push(format!("  {}  the closest, on fresh seeds:", style.paint(paint, word)));
                4
            }
            _ => width(word) + 4,
        };
        for (n, line) in set.iter().enumerate() {
            match (n, self.outcome) {
                (0, Outcome::Found | Outcome::Today) => {
                    lines.push(format!(
                        "  {}  {}",
                        style.paint(paint, word),
                        style.paint(Paint::Strong, line)
                    ));
                }
                _ => lines.push(format!("{}{}", " ".repeat(indent), style.paint(Paint::Strong, line))),
            }
        }
        let measures = self.measures(first, style);
        lines.extend(wrap(&measures, style.columns() - indent).iter().map(|line| " ".repeat(indent) + line));
        lines
    }

    fn table(&self, style: Style) -> Grid {
        let paths: Vec<&String> = self
            .finalists
            .iter()
            .max_by_key(|one| one.set.len())
            .map_or_else(Vec::new, |one| one.set.iter().map(|(path, _)| path).collect());
        let last = |path: &String| path.rsplit('.').next().unwrap_or(path).to_string();
        let twice = |path: &String| paths.iter().filter(|other| last(other) == last(path)).count() > 1;
        let mut grid = Grid::new().words("");
        for path in &paths {
            grid = grid.number(if twice(path) { (*path).clone() } else { last(path) });
        }
        grid = grid.number(self.metric.clone());
        let shown: Vec<usize> = (0..self.conditions.len())
            .filter(|&n| self.conditions[n].bound.is_some())
            .filter(|&n| self.conditions[n].metric != self.metric)
            .collect();
        for &n in &shown {
            grid = grid.number(self.conditions[n].metric.clone());
        }
        grid = grid.number("meets all").number("best");
        for one in &self.finalists {
            let (name, paint) = one.role();
            let mut row = vec![Entry::painted(name, paint)];
            for path in &paths {
                let value = one.set.iter().find(|(other, _)| other == *path);
                row.push(value.map_or_else(String::new, |(_, value)| plain(value)).into());
            }
            row.push(estimate(&one.objective, self.unit, style).into());
            for &n in &shown {
                row.push(estimate(&one.metrics[n], self.conditions[n].unit, style).into());
            }
            let paint = if one.feasible == one.n { Paint::Good } else { Paint::Bad };
            row.push(Entry::painted(format!("{} of {}", one.feasible, one.n), paint));
            row.push(format!("{} of {}", one.best, one.n).into());
            grid.row(row);
        }
        grid
    }

    /// The objective over the first condition that is a number: what was tried as dots, what was validated as marks.
    fn scatter(&self, style: Style) -> Vec<String> {
        const ROWS: usize = 12;
        let Some(condition) =
            self.conditions.iter().position(|one| one.bound.is_some() && one.metric != self.metric)
        else {
            return Vec::new();
        };
        let columns = (style.columns() - 16).min(72);
        let place = |one: &Tried| Some((one.metrics[condition]?, one.objective?));
        let marked = |one: &Finalist| Some((one.metrics[condition].mean?, one.objective.mean?));
        let tried: Vec<(f64, f64, bool)> =
            self.tried.iter().filter_map(|one| place(one).map(|(x, y)| (x, y, one.feasible))).collect();
        let finalists: Vec<(f64, f64, &Finalist)> =
            self.finalists.iter().filter_map(|one| marked(one).map(|(x, y)| (x, y, one))).collect();
        let all = || tried.iter().map(|(x, y, _)| (*x, *y)).chain(finalists.iter().map(|(x, y, _)| (*x, *y)));
        let span = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
        };
        let (x_low, x_high) = span(&mut all().map(|(x, _)| x));
        let (y_low, y_high) = span(&mut all().map(|(_, y)| y));
        if !(x_high > x_low && y_high > y_low) {
            return Vec::new();
        }
        let column = |x: f64| (((x - x_low) / (x_high - x_low)) * (columns - 1) as f64).round() as usize;
        let row = |y: f64| ROWS - 1 - (((y - y_low) / (y_high - y_low)) * (ROWS - 1) as f64).round() as usize;
        let mut cells = vec![vec![(' ', Paint::Plain); columns]; ROWS];
        let (bad, good) = style.pick(('·', '∘'), ('.', 'o'));
        for (x, y, feasible) in tried.iter().filter(|one| !one.2).chain(tried.iter().filter(|one| one.2)) {
            cells[row(*y)][column(*x)] = if *feasible { (good, Paint::Plain) } else { (bad, Paint::Quiet) };
        }
        for (x, y, one) in finalists.iter().rev() {
            cells[row(*y)][column(*x)] = match (one.recommended, one.today) {
                (true, _) => (style.pick('★', '*'), Paint::Good),
                (_, true) => ('T', Paint::Strong),
                _ => (style.pick('◆', '#'), Paint::Doubtful),
            };
        }
        let labels: Vec<String> = (0..ROWS)
            .map(|n| match n {
                0 => of(y_high, self.unit),
                n if n == ROWS - 1 => of(y_low, self.unit),
                _ => String::new(),
            })
            .collect();
        let left = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let mut lines = vec![format!("  {}", style.paint(Paint::Strong, &clean(&self.metric)))];
        for (cells, label) in cells.iter().zip(&labels) {
            let drawn: String = cells
                .iter()
                .map(|(c, paint)| if *c == ' ' { " ".into() } else { style.paint(*paint, &c.to_string()) })
                .collect();
            lines.push(
                format!("  {} {}{drawn}", pad_left(label, left), style.pick("┤", "|")).trim_end().to_string(),
            );
        }
        lines.push(format!(
            "  {} {}{}",
            " ".repeat(left),
            style.pick("└", "+"),
            style.pick("─", "-").repeat(columns)
        ));
        let unit = self.conditions[condition].unit;
        let (low, high) = (of(x_low, unit), of(x_high, unit));
        let gap = columns.saturating_sub(width(&low) + width(&high));
        lines.push(format!("  {}  {low}{}{high}", " ".repeat(left), " ".repeat(gap)));
        lines.push(format!(
            "  {}  {}",
            " ".repeat(left),
            style.paint(Paint::Strong, &clean(&self.conditions[condition].metric))
        ));
        let (star, front) = style.pick(('★', '◆'), ('*', '#'));
        let legend = format!(
            "{star} recommended   T today   {front} validated   {good} met all conditions in the race   {bad} did not"
        );
        lines.push(format!("  {}", style.paint(Paint::Quiet, &legend)));
        lines
    }
}

/// The page.
pub fn text(told: &Recommendation, style: Style) -> String {
    let mut sections = vec![told.title(style), told.answer(style)];
    let notes = told.notes(style);
    let mut lines = Vec::new();
    for (name, note) in &notes {
        for (n, line) in wrap(note, style.columns() - 15).iter().enumerate() {
            let head = if n == 0 { style.paint(Paint::Quiet, &pad(name, 11)) } else { " ".repeat(11) };
            lines.push(format!("  {head}  {line}"));
        }
    }
    sections.push(lines);
    let mut table = told.table(style).text(2, style);
    let Seeds { first, count } = told.fresh_seeds;
    let race = told.race_seeds;
    let legend = format!(
        "  mean and 95 % interval on {count} fresh seeds from {first}; the race was run on {} seeds from {}",
        race.count, race.first
    );
    table.extend(
        wrap(&legend, style.columns() - 2).iter().map(|line| style.paint(Paint::Quiet, &format!("  {line}"))),
    );
    sections.push(table);
    sections.push(told.scatter(style));
    sections.push(
        told.look
            .as_ref()
            .map(|line| format!("  {}  {line}", style.paint(Paint::Quiet, "see it")))
            .into_iter()
            .collect(),
    );
    joined(&sections)
}

/// For a pull request.
pub fn markdown(told: &Recommendation) -> String {
    let style = Style::default();
    let mut out = format!("### {}: ", escape_markdown(&told.experiment));
    out += &match told.outcome {
        Outcome::Found => "a better setting\n\n".to_string(),
        Outcome::Today => "today's setting leads\n\n".to_string(),
        Outcome::Infeasible => "nothing meets all conditions\n\n".to_string(),
    };
    for why in &told.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    if let Some(first) = told.finalists.first() {
        for (path, value) in &first.set {
            out += &format!("- `{}={}`\n", clean(path).replace('`', ""), plain(value).replace('`', ""));
        }
        out += "\n";
    }
    out += &told.table(style).markdown();
    out += "\n";
    for (name, note) in told.notes(style) {
        out += &format!("- {name}: {}\n", escape_markdown(&note));
    }
    let Seeds { first, count } = told.fresh_seeds;
    out += &format!(
        "\nMean and 95 % interval on {count} fresh seeds from {first}, which the search never saw.\n"
    );
    if let Some(command) = &told.look {
        out += &format!("\n```\n{command}\n```\n");
    }
    out
}

/// One row per setting and metric: what was validated, then what was tried.
pub fn csv(told: &Recommendation) -> String {
    let heads =
        ["stage", "role", "settings", "metric", "unit", "n", "mean", "half_width", "meets_all", "answered"];
    let mut out = csv_line(heads);
    let words = |set: &[(String, String)]| {
        set.iter().map(|(path, value)| quote(&format!("{path}={value}"))).collect::<Vec<_>>().join(" ")
    };
    let metrics: Vec<(&str, Unit)> = [(told.metric.as_str(), told.unit)]
        .into_iter()
        .chain(told.conditions.iter().map(|condition| (condition.text.as_str(), condition.unit)))
        .collect();
    for one in &told.finalists {
        let role = match (one.recommended, one.today, one.front) {
            (true, ..) => "recommended",
            (_, true, _) => "today",
            (_, _, true) => "trade-off",
            _ => "runner-up",
        };
        for ((metric, unit), value) in metrics.iter().zip([&one.objective].into_iter().chain(&one.metrics)) {
            let row = [
                "validated".to_string(),
                role.into(),
                words(&one.set),
                metric.to_string(),
                unit::of_csv(*unit).into(),
                value.n.to_string(),
            ];
            let numbers = [value.mean, value.half_width].map(|x| in_csv(x, *unit));
            let last = [one.feasible.to_string(), csv_number(value.answered)];
            out += &csv_line(row.into_iter().chain(numbers).chain(last));
        }
    }
    for one in &told.tried {
        let role = if one.today { "today" } else { "" };
        for ((metric, unit), value) in metrics.iter().zip([&one.objective].into_iter().chain(&one.metrics)) {
            let row = [
                "race".to_string(),
                role.into(),
                words(&one.set),
                metric.to_string(),
                unit::of_csv(*unit).into(),
                one.seeds.to_string(),
            ];
            let meets = u8::from(one.feasible).to_string();
            out += &csv_line(row.into_iter().chain([
                in_csv(*value, *unit),
                String::new(),
                meets,
                String::new(),
            ]));
        }
    }
    out
}
