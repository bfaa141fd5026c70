//! Which value to set: the answer first, then how sure it is, what it costs, and what else was close.

use super::estimate::{csv_unit, estimate, in_csv, unit_word};
use super::find::{head, joined, settings};
use super::number::{count, of, plus_minus};
use super::table::{Entry, Grid, csv_line, escape_markdown};
use super::{Paint, Style, clean, pad, pad_left, width, wrap};
use crate::args::Bounds;
use crate::replay::{Replay, quote};
use crate::replicate::{Estimate, Seeds};
use schemars::JsonSchema;
use serde::Serialize;
use sim_models::report::Unit;

/// Version of the shape of a [`Recommendation`] in JSON.
pub const FORMAT: u32 = 1;

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recommendation {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// The objective.
    pub metric: String,
    /// Whether less of it is wanted.
    pub less: bool,
    /// What it counts: `duration` (ns), `rate` (per second), `share`, `plain`.
    #[serde(serialize_with = "unit_name")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// What it came to.
    pub outcome: Outcome,
    /// The seeds of the race.
    pub race_seeds: Seeds,
    /// The seeds of the validation, on which nothing was chosen.
    pub fresh_seeds: Seeds,
    /// How many runs were made.
    pub runs: usize,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// What was validated: the recommended setting first, or the closest if there is none.
    pub finalists: Vec<Finalist>,
    /// Of each setting the values that did as well.
    pub as_well: Vec<(String, String)>,
    /// The settings that lie at an end of their range, so that better ones may lie beyond.
    pub at_an_end: Vec<String>,
    /// The conditions that stand in the way of more.
    pub binding: Vec<Binding>,
    /// All that was tried in the race, with the numbers of the race.
    pub tried: Vec<Tried>,
    /// One run of it, and how far it went.
    #[serde(skip)]
    pub replay: (Replay, Bounds),
}

/// What a search for a setting comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A setting that is better than today's.
    Found,
    /// Today's setting leads.
    Today,
    /// No setting met the conditions on fresh seeds.
    #[default]
    Infeasible,
}

/// A condition.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Condition {
    /// As typed.
    pub text: String,
    /// Its metric.
    pub metric: String,
    /// What that counts.
    #[serde(serialize_with = "unit_name")]
    #[schemars(with = "String")]
    pub unit: Unit,
    /// Its bound, if that is a number.
    pub bound: Option<f64>,
}

/// A setting on the fresh seeds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Finalist {
    /// What to set.
    pub set: Vec<(String, String)>,
    /// Whether this is the recommendation.
    pub recommended: bool,
    /// Whether this is what is set today.
    pub today: bool,
    /// Whether nothing that was tried beat it in every respect.
    pub front: bool,
    /// On how many seeds it was run.
    pub n: u64,
    /// On how many of them all conditions held.
    pub feasible: u64,
    /// On how many of them it met them and no other did better, by more than a thousandth.
    pub best: u64,
    /// The objective.
    pub objective: Estimate,
    /// The metric of each condition.
    pub metrics: Vec<Estimate>,
    /// On how many seeds each condition held.
    pub holds: Vec<u64>,
    /// The objective minus today's, seed by seed.
    pub minus_today: Option<Estimate>,
    /// On how many seeds its objective was better than today's, by more than a thousandth.
    pub better: Option<u64>,
}

impl Finalist {
    /// What it is among the others, in a word.
    pub(crate) fn role(&self) -> (&'static str, Paint) {
        match (self.recommended, self.today, self.front) {
            (true, true, _) => ("keep", Paint::Good),
            (true, ..) => ("set", Paint::Good),
            (_, true, _) => ("today", Paint::Plain),
            (_, _, true) => ("trade-off", Paint::Plain),
            _ => ("runner-up", Paint::Plain),
        }
    }
}

/// A condition that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Binding {
    /// As typed.
    pub condition: String,
    /// How many of those with a better objective broke it.
    pub broke: usize,
    /// How many had a better objective.
    pub better: usize,
}

/// A setting in the race.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tried {
    /// What was set.
    pub set: Vec<(String, String)>,
    /// Whether this is what is set today.
    pub today: bool,
    /// On how many seeds.
    pub seeds: usize,
    /// Whether all conditions held on all of them.
    pub feasible: bool,
    /// The mean objective.
    pub objective: Option<f64>,
    /// The mean metric of each condition.
    pub metrics: Vec<Option<f64>>,
}

fn unit_name<S: serde::Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(unit_word(*unit))
}

/// A value as people say it: without the quotes.
pub fn plain(value: &str) -> String {
    clean(value.trim_matches('"'))
}

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

    /// What it measures: `goodput 998 ± 2/s, amplification 1.08 ± 0.01`.
    pub(crate) fn measures(&self, finalist: &Finalist, style: Style) -> String {
        let value = |name: &str, value: &Estimate, unit: Unit| {
            format!("{} {}", clean(name), estimate(value, unit, style))
        };
        let mut parts = vec![value(&self.metric, &finalist.objective, self.unit)];
        for (condition, metric) in self.conditions.iter().zip(&finalist.metrics) {
            if condition.bound.is_some() && condition.metric != self.metric {
                parts.push(value(&condition.metric, metric, condition.unit));
            }
        }
        parts.join(", ")
    }

    /// What else to know, a name and a sentence each.
    pub(crate) fn notes(&self, style: Style) -> Vec<(&'static str, String)> {
        let Some(first) = self.finalists.first() else { return Vec::new() };
        let mut notes = Vec::new();
        let seeds = |n: u64| format!("{n} of {} fresh seeds", first.n);
        if self.outcome == Outcome::Infeasible {
            for (condition, holds) in
                self.conditions.iter().zip(&first.holds).filter(|(_, holds)| **holds < first.n)
            {
                notes.push(("broken", format!("{} holds on {}", clean(&condition.text), seeds(*holds))));
            }
        } else {
            let all = self.finalists.len();
            notes.push((
                "how sure",
                format!(
                    "all conditions hold on {}; of the {all} settings that were validated none did better on {}",
                    seeds(first.feasible),
                    first.best
                ),
            ));
        }
        if let Some(today) = self.finalists.iter().find(|one| one.today && !one.recommended) {
            let broken: Vec<String> = self
                .conditions
                .iter()
                .zip(&today.holds)
                .filter(|(_, holds)| **holds < today.n)
                .map(|(condition, holds)| format!("{} on {holds} of {}", clean(&condition.text), today.n))
                .collect();
            let broken = if broken.is_empty() { String::new() } else { format!("; {}", broken.join(", ")) };
            notes.push(("today", format!("{}{broken}", self.measures(today, style))));
        }
        if let (Some(difference), Some(better), Outcome::Found) =
            (&first.minus_today, first.better, self.outcome)
            && let (Some(mean), Some(half)) = (difference.mean, difference.half_width)
        {
            let text = match self.unit {
                Unit::Share => plus_minus(mean * 100.0, half * 100.0, Unit::Plain, style) + " points",
                unit => plus_minus(mean, half, unit, style),
            };
            let sign = if mean > 0.0 { "+" } else { "" };
            notes.push(("difference", format!("{sign}{text}; better on {}", seeds(better))));
        }
        for (path, stretch) in &self.as_well {
            notes.push(("as good", format!("{} {}", clean(path), clean(stretch))));
        }
        for path in &self.at_an_end {
            notes.push((
                "at the end",
                format!("{} is at an end of its range: better may lie beyond", clean(path)),
            ));
        }
        for binding in &self.binding {
            notes.push((
                "binding",
                format!(
                    "{}: of {} settings with {} {}, {} broke it",
                    clean(&binding.condition),
                    binding.better,
                    if self.less { "less" } else { "more" },
                    clean(&self.metric),
                    binding.broke
                ),
            ));
        }
        if self.binding.is_empty() && self.outcome == Outcome::Found && !self.conditions.is_empty() {
            let more = if self.less { "less" } else { "more" };
            notes.push((
                "binding",
                format!("none: nothing that broke a condition had {more} {}", clean(&self.metric)),
            ));
        }
        notes
    }

    /// What it came to, in a word or a few.
    pub(crate) fn word(&self) -> (Paint, &'static str) {
        match self.outcome {
            Outcome::Found => (Paint::Good, "SET"),
            Outcome::Today => (Paint::Good, "KEEP"),
            Outcome::Infeasible => (Paint::Bad, "NOTHING MEETS ALL CONDITIONS"),
        }
    }

    /// What was asked for: `most goodput`.
    pub(crate) fn aim(&self) -> String {
        format!("{} {}", if self.less { "least" } else { "most" }, clean(&self.metric))
    }

    fn answer(&self, style: Style) -> Vec<String> {
        let Some(first) = self.finalists.first() else { return Vec::new() };
        let (paint, word) = self.word();
        let mut lines = Vec::new();
        let set: Vec<String> =
            first.set.iter().map(|(path, value)| format!("{}={}", clean(path), plain(value))).collect();
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

    /// The command that runs the first finalist.
    pub(crate) fn command(&self) -> Option<String> {
        let first = self.finalists.first()?;
        let (mut replay, bounds) = self.replay.clone();
        if !first.today {
            replay.set.extend(first.set.iter().cloned());
        }
        Some(replay.bounded_line("run", &bounds))
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
        told.command()
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
    if let Some(command) = told.command() {
        out += &format!("\n```\n{command}\n```\n");
    }
    out
}

/// One row per setting and metric: what was validated, then what was tried.
pub fn csv(told: &Recommendation) -> String {
    let heads = ["stage", "role", "settings", "metric", "unit", "n", "mean", "half_width", "meets_all"];
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
                csv_unit(*unit).into(),
                value.n.to_string(),
            ];
            let numbers = [value.mean, value.half_width].map(|x| in_csv(x, *unit));
            out += &csv_line(row.into_iter().chain(numbers).chain([one.feasible.to_string()]));
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
                csv_unit(*unit).into(),
                one.seeds.to_string(),
            ];
            let meets = u8::from(one.feasible).to_string();
            out += &csv_line(row.into_iter().chain([in_csv(*value, *unit), String::new(), meets]));
        }
    }
    out
}
