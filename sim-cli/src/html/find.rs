//! The page of an edge: where it tips over, how sure that is, each seed's own edge, the fluid law beside.

use super::bars::{forest, stretch};
use super::figure::{At, Axis, Figure, Line, Num, View};
use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again};
use crate::result::edges::Edge;
use crate::result::found::{Found, Told, Which, name, zone_name};
use crate::result::mapped::State;
use crate::result::rounds::Rounds;
use crate::result::seeds::{seeds_words, settings};
use crate::text::Style;
use crate::text::number::{NOTHING, count};
use crate::text::upper_first;

/// The page. `again_line` is the command that makes it.
pub fn page(found: &Found, again_line: &str) -> Page {
    let (paint, headline) = found.headline(Style::default());
    let (word, headline) = headline.split_once('|').expect("two parts");
    let fault = found.fault.as_ref().map(|fault| format!("the fault: {fault}"));
    let facts = [range(found), seeds_words(found.seeds), format!("{} runs", count(found.runs as u64))];
    let mut commands = found.look.clone();
    if !again_line.is_empty() {
        commands.push(("find again".into(), again_line.into()));
    }
    let sections = [
        Section::of("along", "Along the range", along(found)),
        Section::of("seeds", "Each seed's edge", seeds(found)),
        again(&commands, &[], ""),
    ];
    Page {
        title: found.experiment.clone(),
        about: format!("Where {} tips it over", found.path),
        facts: facts.into_iter().chain(fault).chain(settings(found.variant.as_deref(), &found.set)).collect(),
        warnings: found.incomplete.clone(),
        verdicts: vec![Verdict {
            word: word.into(),
            paint,
            headline: headline.into(),
            details: found.sentences().into_iter().chain(found.doubts()).collect(),
        }],
        tiles: tiles(found),
        sections: sections.into_iter().flatten().collect(),
        ..Page::default()
    }
}

fn range(found: &Found) -> String {
    format!("{} from {} to {}", found.path, found.knob.show(found.low), found.knob.show(found.high))
}

/// Where each search has its edge, if it has one, and the file.
fn tiles(found: &Found) -> Vec<(String, String)> {
    let edge = |told: &Told| {
        let [edge] = &told.edges.edges[..] else { return None };
        let name = name(told.which, found.disturbed());
        Some((name.to_string(), found.beyond(edge, Style::default())))
    };
    let standing = found.standing.map(|x| ("the file".to_string(), found.knob.show(x)));
    found.told.iter().filter_map(edge).chain(standing).collect()
}

/// The class of a state's colour.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Stable => "z-stable",
        State::Undecided => "z-undecided",
        State::Vulnerable => "z-vulnerable",
        State::Metastable => "z-metastable",
        State::Overloaded => "z-overloaded",
    }
}

/// What happens where, every edge with its interval, and the file's own value, all on one scale.
fn along(found: &Found) -> Vec<Block> {
    let with_fluid = found.told.iter().any(|told| told.exact.is_some());
    let mut table = Table::new(&range(found)).words("what").words("where").words(&format!(
        "{} … {}",
        found.knob.show(found.low),
        found.knob.show(found.high)
    ));
    table = table.words("lowest to highest seed").words("seeds");
    if with_fluid {
        table = table.words("fluid law").words("agree");
    }
    let rest = if with_fluid { 4 } else { 2 };
    let place = |x: f64| found.knob.position(x).clamp(0.0, 1.0);
    let blank = || std::iter::repeat_n(Cell::from(""), rest);
    if found.searched() {
        for zone in found.zones() {
            let picture = stretch(class(zone.state), place(zone.low), place(zone.high));
            let cells =
                [zone_name(found, zone.state).into(), found.stretch(&zone).into(), Cell::html(picture)];
            table.row(cells.into_iter().chain(blank()));
        }
    }
    let point = |at: f64, half: f64, class: &str| {
        let reach = (place(at + half) - place(at - half)) / 2.0;
        Cell::html(forest(place(at), reach, 0.0, 1.0, class))
    };
    for told in &found.told {
        let what = name(told.which, found.disturbed());
        let fluid = |with_edge: bool| {
            let exact = told.exact.map_or_else(|| NOTHING.to_string(), |x| found.fluid(x));
            let agree = if with_edge { agree(told) } else { NOTHING.into() };
            if with_fluid { vec![exact.into(), agree] } else { Vec::new() }
        };
        let all = told.edges.alike + told.edges.otherwise.len();
        let seeds = Cell::from(format!("{} of {all}", told.edges.alike));
        for edge in &told.edges.edges {
            let ends = format!("{} to {}", found.knob.show(edge.lowest), found.knob.show(edge.highest));
            let cells = [
                what.into(),
                found.beyond(edge, Style::default()).into(),
                point(edge.mean, edge.half_width, "plain"),
                ends.into(),
                seeds.clone(),
            ];
            table.row(cells.into_iter().chain(fluid(true)));
        }
        if told.edges.edges.is_empty() && told.edges.undecided.is_empty() && told.edges.alike > 0 {
            let everywhere = if told.edges.starts_failed { "everywhere" } else { "nowhere" };
            let cells = [what.into(), everywhere.into(), "".into(), NOTHING.into(), seeds];
            table.row(cells.into_iter().chain(fluid(false)));
        }
    }
    if let Some(standing) = found.standing {
        let cells = ["the file".into(), found.knob.show(standing).into(), point(standing, 0.0, "plain")];
        table.row(cells.into_iter().chain(blank()));
    }
    if table.is_empty() {
        return Vec::new();
    }
    let mut note = match found.seeds.count {
        1 => "Of one seed; an edge is the middle of the stretch in which it was found.".to_string(),
        _ => "An edge is the mean of the seeds' edges with its 95 % interval, which includes half of a seed's bracket.".into(),
    };
    if let Some(spared) = found.rounds.as_ref().and_then(Rounds::words) {
        note += &format!(" {}.", upper_first(&spared));
    }
    if with_fluid {
        note += " The fluid law agrees if it lies among the seeds' edges, or within 3 % of capacity of their mean; without a fault up to 5 % may be lost before a run fails.";
    }
    vec![Block::Html(table.build()), Block::Note(note)]
}

fn agree(told: &Told) -> Cell {
    match told.agrees {
        Some(true) => Cell::classed("✓ yes", "good"),
        Some(false) if told.which == Which::Fault && told.harder_could() => "~ harder faults could".into(),
        Some(false) => Cell::classed("✗ no", "bad"),
        None => NOTHING.into(),
    }
}

/// The marks of the searches, each another shape.
const MARKS: [&str; 3] = ["discs", "diamonds", "triangles"];

/// Every seed's bracket as a point with its ends, and the fluid law across: all searches together, then each.
fn seeds(found: &Found) -> Vec<Block> {
    let with_edges: Vec<(usize, &Told)> =
        found.told.iter().enumerate().filter(|(_, told)| !told.edges.edges.is_empty()).collect();
    let mut views = Vec::new();
    if with_edges.len() > 1 {
        views.push(view(found, "all", &with_edges));
    }
    for one in &with_edges {
        views.push(view(found, name(one.1.which, found.disturbed()), std::slice::from_ref(one)));
    }
    if views.is_empty() {
        return Vec::new();
    }
    let note = "Each mark is the middle of one seed's bracket, and its bar the bracket. A seed brings the same arrivals, demands \
                and faults to every search.";
    vec![Block::Figure(Figure {
        id: "edges".into(),
        title: format!("{} at which each seed's answer changes", found.path),
        note: note.into(),
        height: 320,
        views,
        ..Figure::default()
    })]
}

fn view(found: &Found, title: &str, searches: &[(usize, &Told)]) -> View {
    let names: Vec<String> = found.seeds.iter().map(|seed| seed.to_string()).collect();
    let line =
        |name: &str, n: usize, style: &'static str, values: Vec<Option<Num>>, half: Vec<Option<Num>>| Line {
            name: name.into(),
            ink: [n, n],
            style,
            at: At::Each((0..names.len()).map(|n| Num(n as f64)).collect()),
            values,
            half,
            ..Line::default()
        };
    let (mut lines, mut words) = (Vec::new(), Vec::new());
    for &(n, told) in searches {
        let what = name(told.which, found.disturbed());
        for (number, edge) in told.edges.edges.iter().enumerate() {
            let name = match told.edges.edges.len() {
                1 => what.to_string(),
                _ => format!("{what}, edge {}", number + 1),
            };
            words.push(in_words(found, &name, edge));
            let of_each = |of: fn(f64, f64) -> f64| {
                edge.seeds.iter().map(|seed| seed.map(|seed| Num(of(seed.low, seed.high)))).collect()
            };
            let [middles, halves] =
                [|low, high| low + (high - low) / 2.0, |low, high| (high - low) / 2.0].map(of_each);
            lines.push(line(&name, n, MARKS[n % MARKS.len()], middles, halves));
        }
        if let Some(exact) = told.exact {
            let across = vec![Some(Num(exact)); names.len()];
            lines.push(line(&format!("{what}, fluid law"), n, "exact", across, Vec::new()));
        }
    }
    View {
        name: title.into(),
        x: Axis { label: "seed".into(), names: names.clone(), ..Axis::default() },
        y: Axis {
            unit: found.knob.unit().name(),
            log: found.knob.by_ratio(),
            tight: true,
            ..Axis::default()
        },
        lines,
        summary: words.join("; "),
        ..View::default()
    }
}

/// An edge for those who cannot see it.
fn in_words(found: &Found, name: &str, edge: &Edge) -> String {
    format!(
        "{name}: {}, the seeds from {} to {}",
        found.beyond(edge, Style::default()),
        found.knob.show(edge.lowest),
        found.knob.show(edge.highest)
    )
}
