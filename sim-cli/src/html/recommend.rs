//! The page of a recommendation: what to set, how sure that is, what it was weighed against.

use super::figure::{At, Axis, Figure, Line, Num, View};
use super::sweep::swept_unit;
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again, tone};
use crate::result::column::estimate;
use crate::result::estimate::Estimate;
use crate::result::recommended::{Finalist, Outcome, Recommendation, Tried, plain};
use crate::result::seeds::settings;
use crate::result::swept::number_in;
use crate::text::number::{NOTHING, count, of};
use crate::text::{Style, escape as clean};

/// The most settings that are listed; the CSV has them all.
const MOST_TRIED: usize = 1_000;

/// The page. `searched` is what was chosen from, as it was typed; `again_line` the command that makes the page.
pub fn page(told: &Recommendation, searched: &[(String, String)], again_line: &str) -> Page {
    let wanted: Vec<String> =
        std::iter::once(told.aim()).chain(told.conditions.iter().map(|one| one.text.clone())).collect();
    let amount = format!("{} settings, {} runs", count(told.tried.len() as u64), count(told.runs as u64));
    let fresh = format!(
        "validated on {} fresh seeds from {}, which the search never saw",
        told.fresh_seeds.count, told.fresh_seeds.first
    );
    let ranges = searched.iter().map(|(path, text)| format!("{path} from {text}"));
    let mut commands: Vec<(String, String)> =
        told.look.iter().map(|line| ("see it".into(), line.clone())).collect();
    if !again_line.is_empty() {
        commands.push(("recommend again".into(), again_line.into()));
    }
    let sections = [
        Section::of("sure", "How sure, and what stands in the way", sure(told)),
        Section::of("finalists", "What was validated", finalists(told)),
        Section::of("trade-offs", "Trade-offs", trade_offs(told)),
        Section::of("tried", "What was searched", tried(told, searched)),
        again(&commands, &[], ""),
    ];
    Page {
        title: told.experiment.clone(),
        about: format!("Which value to set: {}", wanted.join(", ")),
        facts: ranges.chain([amount, fresh]).chain(settings(told.variant.as_deref(), &told.set)).collect(),
        warnings: told.incomplete.clone(),
        verdicts: verdict(told).into_iter().collect(),
        tiles: tiles(told),
        sections: sections.into_iter().flatten().collect(),
        ..Page::default()
    }
}

fn words(set: &[(String, String)]) -> String {
    set.iter().map(|(path, value)| format!("{path}={}", plain(value))).collect::<Vec<_>>().join(", ")
}

fn verdict(told: &Recommendation) -> Option<Verdict> {
    let first = told.finalists.first()?;
    let (paint, word) = told.word();
    let set = words(&first.set);
    let (headline, measured) = match told.outcome {
        Outcome::Infeasible => (format!("the closest is {set}"), "it has "),
        _ => (set, ""),
    };
    let measured = format!("{measured}{}", told.measures(first, Style::default()));
    Some(Verdict { word: word.into(), paint, headline, details: vec![measured] })
}

/// The conditions that are numbers and not the objective itself.
fn shown(told: &Recommendation) -> Vec<usize> {
    let all = told.conditions.iter().enumerate();
    all.filter(|(_, one)| one.bound.is_some() && one.metric != told.metric).map(|(n, _)| n).collect()
}

fn tiles(told: &Recommendation) -> Vec<(String, String)> {
    let Some(first) = told.finalists.first() else { return Vec::new() };
    let style = Style::default();
    let mut tiles = vec![(told.metric.clone(), estimate(&first.objective, told.unit, style))];
    for n in shown(told) {
        let condition = &told.conditions[n];
        tiles.push((condition.metric.clone(), estimate(&first.metrics[n], condition.unit, style)));
    }
    tiles.push(("meets all conditions".into(), format!("{} of {} seeds", first.feasible, first.n)));
    tiles
}

fn sure(told: &Recommendation) -> Vec<Block> {
    let notes = told.notes(Style::default());
    if notes.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new("What to know before setting it").words("").words("");
    notes.iter().for_each(|(name, note)| table.row([Cell::from(name), note.into()]));
    vec![Block::Html(format!("<div class=\"sentences\">\n{}</div>\n", table.build()))]
}

/// The paths of what was chosen, and what tells them apart.
fn paths(told: &Recommendation) -> Vec<(String, String)> {
    let sets = told.finalists.iter().map(|one| &one.set).chain(told.tried.iter().map(|one| &one.set));
    let Some(longest) = sets.max_by_key(|set| set.len()) else { return Vec::new() };
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).replace('_', " ");
    let twice = |path: &str| longest.iter().filter(|(other, _)| last(other) == last(path)).count() > 1;
    let head = |path: &String| if twice(path) { path.clone() } else { last(path) };
    longest.iter().map(|(path, _)| (path.clone(), head(path))).collect()
}

/// Each value of a setting, in the order of the paths.
fn values(set: &[(String, String)], paths: &[(String, String)]) -> Vec<Cell> {
    let value = |(path, _): &(String, String)| {
        set.iter().find(|(other, _)| other == path).map_or_else(|| NOTHING.into(), |(_, value)| plain(value))
    };
    paths.iter().map(value).map(Cell::from).collect()
}

fn finalists(told: &Recommendation) -> Vec<Block> {
    if told.finalists.is_empty() {
        return Vec::new();
    }
    let (style, shown, paths) = (Style::default(), shown(told), paths(told));
    let mut table = Table::new("On fresh seeds: mean and 95 % interval")
        .words("")
        .numbers(paths.iter().map(|(_, head)| head))
        .numbers([&told.metric])
        .numbers(shown.iter().map(|&n| &told.conditions[n].metric))
        .words("meets all")
        .words("none better");
    for one in &told.finalists {
        let (name, paint) = one.role();
        let mut row = vec![Cell::classed(name, tone(paint))];
        row.extend(values(&one.set, &paths));
        row.push(estimate(&one.objective, told.unit, style).into());
        row.extend(
            shown.iter().map(|&n| Cell::from(estimate(&one.metrics[n], told.conditions[n].unit, style))),
        );
        let (mark, class) = if one.feasible == one.n { ("✓", "good") } else { ("✗", "bad") };
        row.push(Cell::classed(&format!("{mark} {} of {}", one.feasible, one.n), class));
        row.push(format!("{} of {}", one.best, one.n).into());
        table.row(row);
    }
    let note = "A trade-off is on the front of the race: nothing that was tried beat it in every respect. In the last column: \
                on how many seeds it met all conditions and none of the others did better.";
    vec![Block::Html(table.build()), Block::Note(note.into())]
}

/// What is drawn of one view: where a setting stands, from its numbers in the race or on the fresh seeds.
struct Plane<'a> {
    of_tried: &'a dyn Fn(&Tried) -> Option<(f64, f64)>,
    of_finalist: &'a dyn Fn(&Finalist) -> Option<(f64, Estimate)>,
}

/// Objective against each condition that is a number, and over each setting that is one.
fn trade_offs(told: &Recommendation) -> Vec<Block> {
    let mut views = Vec::new();
    // What stands in the way is looked at first.
    let mut conditions = shown(told);
    conditions.sort_by_key(|&n| !told.binding.iter().any(|one| one.condition == told.conditions[n].text));
    for n in conditions {
        let condition = &told.conditions[n];
        let plane = Plane {
            of_tried: &|one| Some((one.objective?, one.metrics[n]?)),
            of_finalist: &|one| Some((one.objective.mean?, one.metrics[n].clone())),
        };
        let lines = marks(told, &plane);
        views.push(View {
            name: clean(&format!("{} against {}", condition.metric, told.metric)),
            x: Axis { label: clean(&told.metric), unit: told.unit.name(), ..Axis::default() },
            y: Axis {
                label: clean(&condition.metric),
                unit: condition.unit.name(),
                to: condition.bound.map(Num),
                tight: true,
                ..Axis::default()
            },
            lines,
            summary: format!(
                "{}; asked for: {}",
                validated(told, |one| {
                    let [objective, metric] =
                        [(&one.objective, told.unit), (&one.metrics[n], condition.unit)]
                            .map(|(value, unit)| estimate(value, unit, Style::default()));
                    format!("{} {objective}, {} {metric}", told.metric, condition.metric)
                }),
                condition.text
            ),
            ..View::default()
        });
    }
    for (path, head) in paths(told) {
        let value = |set: &[(String, String)]| {
            set.iter().find(|(other, _)| *other == path).and_then(|(_, value)| number_in(value))
        };
        let plane = Plane {
            of_tried: &|one| Some((value(&one.set)?, one.objective?)),
            of_finalist: &|one| Some((value(&one.set)?, one.objective.clone())),
        };
        let lines = marks(told, &plane);
        let texts = |set: &[(String, String)]| {
            set.iter().filter(|(other, _)| *other == path).map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let all: Vec<String> = told.finalists.iter().flat_map(|one| texts(&one.set)).collect();
        if lines.is_empty() {
            continue;
        }
        views.push(View {
            name: clean(&format!("{} over {head}", told.metric)),
            x: Axis { label: clean(&path), unit: swept_unit(&all), ..Axis::default() },
            y: Axis { label: clean(&told.metric), unit: told.unit.name(), tight: true, ..Axis::default() },
            lines,
            summary: validated(told, |one| {
                format!("{} {}", told.metric, estimate(&one.objective, told.unit, Style::default()))
            }),
            ..View::default()
        });
    }
    views.retain(|view| !view.lines.is_empty());
    if views.is_empty() {
        return Vec::new();
    }
    let mut note = "Filled marks are means on the fresh seeds with 95 % intervals; rings and crosses are the race's, on fewer \
                    seeds and chosen for luck as well."
        .to_string();
    if views.iter().any(|view| view.y.to.is_some()) {
        note += " The dotted line is what a condition allows.";
    }
    vec![Block::Figure(Figure {
        id: "front".into(),
        title: "What was tried, and what was validated".into(),
        note,
        height: 380,
        views,
        ..Figure::default()
    })]
}

/// A line of marks for each kind of setting, those that are told last on top.
fn marks(told: &Recommendation, plane: &Plane) -> Vec<Line> {
    let line = |name: &str, ink: usize, style: &'static str, mut points: Vec<(f64, Estimate)>| {
        points.retain(|(x, value)| x.is_finite() && value.mean.is_some());
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        (!points.is_empty()).then(|| Line {
            name: name.into(),
            ink: [ink, ink],
            style,
            at: At::Each(points.iter().map(|(x, _)| Num(*x)).collect()),
            values: points.iter().map(|(_, value)| value.mean.map(Num)).collect(),
            half: match points.iter().any(|(_, value)| value.half_width.is_some()) {
                true => points.iter().map(|(_, value)| value.half_width.map(Num)).collect(),
                false => Vec::new(),
            },
            ..Line::default()
        })
    };
    let tried = |feasible: bool| -> Vec<(f64, Estimate)> {
        let there = told.tried.iter().filter(|one| one.feasible == feasible).filter_map(plane.of_tried);
        there.map(|(x, y)| (x, Estimate { mean: Some(y), ..Estimate::default() })).collect()
    };
    let validated = |role: &[&str]| -> Vec<(f64, Estimate)> {
        let of_role = |one: &&Finalist| role.contains(&one.role().0);
        told.finalists.iter().filter(of_role).filter_map(plane.of_finalist).collect()
    };
    let lines = [
        line("tried, broke a condition", 7, "crosses", tried(false)),
        line("tried, met all", 0, "rings", tried(true)),
        line("runner-up", 4, "discs", validated(&["runner-up"])),
        line("trade-off", 3, "diamonds", validated(&["trade-off"])),
        line("today", 1, "triangles", validated(&["today"])),
        line("recommended", 2, "squares", validated(&["set", "keep"])),
    ];
    lines.into_iter().flatten().collect()
}

/// One number of every finalist, for those who cannot see it.
fn validated(told: &Recommendation, number: impl Fn(&Finalist) -> String) -> String {
    let each =
        told.finalists.iter().map(|one| format!("{} ({}): {}", one.role().0, words(&one.set), number(one)));
    each.collect::<Vec<_>>().join("; ")
}

/// What was chosen from, and everything that was tried.
fn tried(told: &Recommendation, searched: &[(String, String)]) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !searched.is_empty() {
        let mut table = Table::new("What was chosen from").words("setting").words("from");
        searched.iter().for_each(|(path, text)| table.row([Cell::from(path), text.into()]));
        blocks.push(Block::Html(table.build()));
    }
    if told.tried.is_empty() {
        return blocks;
    }
    let (shown, paths) = (shown(told), paths(told));
    let mut table = Table::new("Every setting of the race, on its seeds")
        .numbers(paths.iter().map(|(_, head)| head))
        .numbers([&told.metric])
        .numbers(shown.iter().map(|&n| &told.conditions[n].metric))
        .words("meets all")
        .numbers(["seeds"])
        .words("");
    for one in told.tried.iter().take(MOST_TRIED) {
        let standing = told.finalists.iter().find(|other| other.today).filter(|_| one.today);
        let mut row = values(standing.map_or(&one.set, |today| &today.set), &paths);
        row.push(one.objective.map_or_else(|| NOTHING.into(), |x| of(x, told.unit)).into());
        row.extend(shown.iter().map(|&n| {
            Cell::from(one.metrics[n].map_or_else(|| NOTHING.into(), |x| of(x, told.conditions[n].unit)))
        }));
        row.push(if one.feasible {
            Cell::classed("✓ yes", "good")
        } else {
            Cell::classed("✗ no", "bad")
        });
        row.extend([one.seeds.to_string().into(), if one.today { "today" } else { "" }.into()]);
        table.row(row);
    }
    blocks.push(Block::Html(table.build()));
    if told.tried.len() > MOST_TRIED {
        let more = told.tried.len() - MOST_TRIED;
        blocks.push(Block::Note(format!("and {more} more settings: the CSV has them all")));
    }
    blocks
}
