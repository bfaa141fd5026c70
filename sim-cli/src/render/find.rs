//! Where something tips over: the answer in words, a picture of the knob, every edge with its interval.

use super::number::plus_minus;
use super::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use super::{Paint, Style, clean, pad, pad_left, width, wrap};
use crate::replay::Replay;
use crate::replicate::Seeds;
use crate::search::edge::{Edge, Edges};
use crate::search::knob::Knob;
use crate::search::map::State;
use serde::Serialize;
use sim_core::SimDuration;

/// Version of the shape of a [`Found`] in JSON.
pub const FORMAT: u32 = 1;
/// Theory and measurement agree if they differ by at most this share of capacity.
const AGREES: f64 = 0.03;

/// What was found along one knob.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// What was searched.
    pub path: String,
    /// What its values count: `duration` (ns), `rate` (per second), `plain`.
    pub unit: &'static str,
    /// The low end of the range.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// Its value in the file, if that is in the range.
    pub standing: Option<f64>,
    /// What failure is, unless it is the verdict.
    pub failure: Option<String>,
    /// The disturbance, in words.
    pub fault: Option<String>,
    /// The seeds that were searched.
    pub seeds: Seeds,
    /// How many runs were made.
    pub runs: usize,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// Every search and its edges.
    #[serde(rename = "searches")]
    pub told: Vec<Told>,
    /// How the way back was searched, if it was.
    #[serde(rename = "way_back")]
    pub looped: Option<Loop>,
    /// One run of it.
    #[serde(skip)]
    pub replay: Replay,
    /// The knob.
    #[serde(skip)]
    pub knob: Knob,
}

/// Which edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// With the experiment's own disturbance.
    Fault,
    /// Without any disturbance.
    Alone,
    /// The way back of a system that is down.
    Back,
}

/// One search.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Which.
    pub which: Which,
    /// What the seeds say.
    #[serde(flatten)]
    pub edges: Edges,
    /// Where the fluid law puts the edge, if it says anything.
    #[serde(rename = "fluid")]
    pub exact: Option<f64>,
    /// Whether the measured edge is there, to 3 % of capacity.
    pub agrees: Option<bool>,
}

impl Told {
    /// Without what theory says.
    pub fn new(which: Which, edges: Edges) -> Self {
        Told { which, edges, exact: None, agrees: None }
    }

    /// Puts the fluid law's edge beside the measured one, if there is one of each.
    pub fn fluid(&mut self, exact: Option<f64>, capacity: f64) {
        self.exact = exact;
        self.agrees = match (&self.edges.edges[..], exact) {
            ([edge], Some(exact)) => Some(
                (edge.lowest..=edge.highest).contains(&exact)
                    || (edge.mean - exact).abs() <= AGREES * capacity,
            ),
            _ => None,
        };
    }
}

/// How the way back was searched; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Loop {
    /// The load at which it had collapsed.
    pub from: f64,
    /// When the load was lowered.
    pub lowered_at: u64,
    /// How long it had to come back.
    pub settle: u64,
}

/// A stretch of the knob in which one thing happens.
struct Zone {
    low: f64,
    high: f64,
    /// Whether it fails with the fault, and without.
    state: State,
}

impl Found {
    fn edges(&self, which: Which) -> Option<&Edges> {
        self.told.iter().find(|told| told.which == which).map(|told| &told.edges)
    }

    /// What is searched first: the edge that a reader asks about.
    fn first(&self) -> Option<&Told> {
        self.told.first().filter(|told| told.edges.alike > 0)
    }

    fn state(&self, x: f64) -> State {
        let fails = |which: Which| self.edges(which).is_some_and(|edges| edges.fails_at(x));
        if fails(Which::Alone) {
            State::Overloaded
        } else if fails(Which::Fault) {
            State::Vulnerable
        } else {
            State::Stable
        }
    }

    fn zones(&self) -> Vec<Zone> {
        let apart = self.told.iter().filter(|told| told.which != Which::Back);
        let mut ends: Vec<f64> =
            apart.flat_map(|told| told.edges.edges.iter().map(|edge| edge.mean)).collect();
        ends.extend([self.low, self.high]);
        ends.sort_by(f64::total_cmp);
        let mut zones: Vec<Zone> = Vec::new();
        for pair in ends.windows(2).filter(|pair| pair[0] < pair[1]) {
            let state = self.state(pair[0] + (pair[1] - pair[0]) / 2.0);
            match zones.last_mut() {
                Some(last) if last.state == state => last.high = pair[1],
                _ => zones.push(Zone { low: pair[0], high: pair[1], state }),
            }
        }
        zones
    }

    /// Whether the fault and what comes without it were both searched.
    fn disturbed(&self) -> bool {
        self.edges(Which::Fault).is_some()
    }

    /// An edge with its interval: `146 ± 1/s`.
    fn about(&self, edge: &Edge, style: Style) -> String {
        if self.whole() {
            return self.knob.show(edge.mean.floor()) + " and " + &self.knob.show(edge.mean.floor() + 1.0);
        }
        plus_minus(edge.mean, edge.half_width, self.knob.unit(), style)
    }

    fn whole(&self) -> bool {
        self.knob.count == crate::search::knob::Count::Whole
    }

    /// `above 146/s`, `below 3`.
    fn beyond(&self, edge: &Edge, style: Style) -> String {
        match (self.whole(), edge.fails_above) {
            (true, true) => format!("from {} on", self.knob.show(edge.mean.floor() + 1.0)),
            (true, false) => format!("up to {}", self.knob.show(edge.mean.floor())),
            (false, true) => format!("above {}", self.about(edge, style)),
            (false, false) => format!("below {}", self.about(edge, style)),
        }
    }

    fn fails(&self) -> String {
        match &self.failure {
            Some(wish) => clean(wish),
            None if self.disturbed() => "this fault is not survived".into(),
            None => "it fails".into(),
        }
    }

    fn everywhere(&self, low: &str, high: &str) -> String {
        match &self.failure {
            Some(wish) => format!("{} everywhere from {low} to {high}", clean(wish)),
            None if self.disturbed() => format!("this fault is survived nowhere from {low} to {high}"),
            None => format!("it fails everywhere from {low} to {high}"),
        }
    }

    /// The answer: its colour, two words and, after a `|`, one sentence.
    fn headline(&self, style: Style) -> (Paint, String) {
        let Some(first) = self.first() else {
            return (Paint::Bad, "NOTHING FOUND|no seed was searched to its end".into());
        };
        let (low, high) = (self.knob.show(self.low), self.knob.show(self.high));
        match &first.edges.edges[..] {
            [] if first.edges.starts_failed => {
                (Paint::Bad, format!("NO EDGE|{}", self.everywhere(&low, &high)))
            }
            [] => {
                let fine = match &self.failure {
                    Some(wish) => format!("nowhere is {}", clean(wish)),
                    None if self.disturbed() => "this fault is survived everywhere".into(),
                    None => "nothing fails".into(),
                };
                (Paint::Good, format!("NO EDGE|{fine} from {low} to {high}"))
            }
            edges => {
                let parts: Vec<String> = edges.iter().map(|edge| self.beyond(edge, style)).collect();
                (Paint::Bad, format!("THE EDGE|{}: {}", parts.join(" and "), self.fails()))
            }
        }
    }

    /// What to know and what to do, a sentence each.
    fn sentences(&self) -> Vec<String> {
        let show = |x: f64| self.knob.show(x);
        let mut out = Vec::new();
        let fault = self.edges(Which::Fault);
        for zone in self.zones() {
            let stretch = match (zone.low <= self.low, zone.high >= self.high) {
                (true, true) => format!("from {} to {}", show(zone.low), show(zone.high)),
                (true, false) => format!("below {}", show(self.inner(zone.high, zone.low))),
                (false, true) => format!("above {}", show(self.inner(zone.low, zone.high))),
                (false, false) => {
                    format!(
                        "between {} and {}",
                        show(self.inner(zone.low, zone.high)),
                        show(self.inner(zone.high, zone.low))
                    )
                }
            };
            let what = match (zone.state, &self.failure, fault.is_some()) {
                (State::Stable, Some(wish), _) => format!("{} is not so", clean(wish)),
                (State::Stable, None, true) => "stable, it always comes back from this fault".into(),
                (State::Stable, None, false) => "it carries its load".into(),
                (State::Vulnerable | State::Metastable, Some(wish), _) => {
                    format!("{}, by the fault", clean(wish))
                }
                (State::Vulnerable | State::Metastable, None, _) => {
                    let fault =
                        self.fault.as_ref().map_or(String::new(), |fault| format!(" ({})", clean(fault)));
                    format!(
                        "vulnerable, it carries its load, and one fault{fault} is enough to end that for good"
                    )
                }
                (State::Overloaded, Some(wish), true) => format!("{}, without any fault", clean(wish)),
                (State::Overloaded, Some(wish), false) => clean(wish),
                (State::Overloaded, None, true) => "overloaded, it fails without any fault".into(),
                (State::Overloaded, None, false) => "overloaded, it fails".into(),
            };
            out.push(format!("{stretch}: {what}"));
        }
        out.extend(self.way_back());
        if let Some(standing) = self.standing {
            let zone = match (self.state(standing), self.failure.is_some()) {
                (State::Stable, _) => "on the good side",
                (State::Overloaded, _) => "on the bad side, fault or not",
                (_, true) => "on the bad side, because of the fault",
                (_, false) => "in the vulnerable zone",
            };
            let mixed =
                self.told.iter().any(|told| told.which != Which::Back && told.edges.mixed_at(standing));
            let luck = if mixed { ", and so close to an edge that it depends on the seed" } else { "" };
            out.push(format!("the file's {} is {zone}{luck}", show(standing)));
        }
        out
    }

    /// The bound of a zone that is safe on every seed: the far side of the transition.
    fn inner(&self, end: f64, towards: f64) -> f64 {
        let all =
            self.told.iter().filter(|told| told.which != Which::Back).flat_map(|told| &told.edges.edges);
        let edge = all.filter(|edge| edge.mean == end).next();
        match edge {
            None => end,
            Some(edge) if self.whole() => {
                if towards < end {
                    edge.mean.floor() + 1.0
                } else {
                    edge.mean.floor()
                }
            }
            Some(edge) => {
                if towards < end {
                    edge.lowest
                } else {
                    edge.highest
                }
            }
        }
    }

    fn way_back(&self) -> Option<String> {
        let (edges, looped) = (self.edges(Which::Back)?, self.looped?);
        let (from, settle) = (self.knob.show(looped.from), SimDuration::from_nanos(looped.settle).brief());
        let down = format!("once it is down at {from}, ");
        Some(match &edges.edges[..] {
            _ if edges.alike == 0 => return None,
            [edge] if edge.fails_above => format!(
                "{down}it comes back only if the load is lowered below {} (within {settle})",
                self.knob.show(edge.lowest)
            ),
            [] if edges.starts_failed => format!(
                "{down}lowering the load to {} does not bring it back within {settle}: shed more, or restart it",
                self.knob.show(self.low)
            ),
            [] => format!(
                "{down}it comes back by itself within {settle}: the fault only takes longer to forget"
            ),
            _ => format!(
                "{down}whether it comes back does not follow the load in one direction: see --format json"
            ),
        })
    }

    fn doubts(&self) -> Vec<String> {
        let mut out = Vec::new();
        for told in &self.told {
            let name = name(told.which, self.disturbed());
            let not_monotone = told.edges.not_monotone();
            if not_monotone > 0 {
                let of = told.edges.alike + told.edges.otherwise.len();
                out.push(format!("{name}: not in one direction only, on {not_monotone} of {of} seeds"));
            }
            for other in &told.edges.otherwise {
                let seed = self.seeds.first.wrapping_add(other.index as u64);
                let ways: Vec<String> = other
                    .edges
                    .iter()
                    .map(|edge| {
                        let word = if edge.fails_above { "fails" } else { "is fine" };
                        format!("{word} from {}", self.knob.show(edge.high))
                    })
                    .collect();
                let first = if other.starts_failed { "fails" } else { "is fine" };
                let rest = if ways.is_empty() {
                    " over the whole range".into()
                } else {
                    format!(" at {}, {}", self.knob.show(self.low), ways.join(", "))
                };
                out.push(format!("{name}: seed {seed} {first}{rest}"));
            }
            if !told.edges.otherwise.is_empty() && !told.edges.edges.is_empty() {
                let alike = told.edges.alike;
                out.push(format!("{name}: the mean is over the {alike} seeds that go alike; a wider range may have them all"));
            }
        }
        out
    }

    /// Commands that show both sides of the first edge on the first seed.
    fn look(&self) -> Vec<(String, String)> {
        let Some(edge) = self.first().and_then(|told| told.edges.edges.first()) else { return Vec::new() };
        let Some(Some(bracket)) = edge.seeds.first() else { return Vec::new() };
        let line = |x: f64| {
            let mut replay = self.replay.clone();
            replay.set.push(self.knob.set(x));
            replay.line("run")
        };
        let (fine, failed) =
            if bracket.fails_above { (bracket.low, bracket.high) } else { (bracket.high, bracket.low) };
        vec![("still fine".into(), line(fine)), ("no longer".into(), line(failed))]
    }

    fn table(&self, style: Style) -> Grid {
        let with_fluid = self.told.iter().any(|told| told.exact.is_some());
        let mut grid = Grid::new().words("edge").words("at").words("lowest to highest seed").words("seeds");
        if with_fluid {
            grid = grid.words("fluid law").words("agree");
        }
        for told in &self.told {
            let of = told.edges.alike + told.edges.otherwise.len();
            for edge in &told.edges.edges {
                let mut row: Vec<Entry> = vec![
                    name(told.which, self.disturbed()).into(),
                    (if self.whole() {
                        "between ".to_string()
                    } else if edge.fails_above {
                        "above ".into()
                    } else {
                        "below ".into()
                    } + &self.about(edge, style))
                        .into(),
                    format!("{} to {}", self.knob.show(edge.lowest), self.knob.show(edge.highest)).into(),
                    format!("{} of {of}", told.edges.alike).into(),
                ];
                if with_fluid {
                    row.push(told.exact.map_or_else(|| "-".into(), |x| self.fluid(x)).into());
                    row.push(match told.agrees {
                        Some(true) => Entry::painted("yes", Paint::Good),
                        Some(false) => Entry::painted("no", Paint::Doubtful),
                        None => "-".into(),
                    });
                }
                grid.row(row);
            }
            if told.edges.edges.is_empty() && told.edges.alike > 0 {
                let where_ = if told.edges.starts_failed { "everywhere" } else { "nowhere" };
                let mut row: Vec<Entry> = vec![
                    name(told.which, self.disturbed()).into(),
                    where_.into(),
                    "-".into(),
                    format!("{} of {of}", told.edges.alike).into(),
                ];
                if with_fluid {
                    row.push(told.exact.map_or_else(|| "-".into(), |x| self.fluid(x)).into());
                    row.push("-".into());
                }
                grid.row(row);
            }
        }
        grid
    }

    fn fluid(&self, x: f64) -> String {
        if self.whole() {
            format!("{} and {}", self.knob.show(x.floor()), self.knob.show(x.floor() + 1.0))
        } else {
            self.knob.show(x)
        }
    }
}

fn name(which: Which, disturbed: bool) -> &'static str {
    match (which, disturbed) {
        (Which::Fault, _) => "not survived",
        (Which::Alone, true) => "fails without a fault",
        (Which::Alone, false) => "fails",
        (Which::Back, _) => "does not come back",
    }
}

/// The page.
pub fn text(found: &Found, style: Style) -> String {
    let mut sections = vec![title(found, style)];
    let (paint, headline) = found.headline(style);
    let (word, headline) = headline.split_once('|').expect("two parts");
    let mut told: Vec<String> = wrap(headline, style.columns() - word.len() - 4)
        .iter()
        .enumerate()
        .map(|(n, line)| match n {
            0 => format!("  {}  {line}", style.paint(paint, word)),
            _ => format!("  {}  {line}", " ".repeat(word.len())),
        })
        .collect();
    for sentence in found.sentences() {
        told.extend(wrap(&sentence, style.columns() - 4).iter().enumerate().map(|(n, line)| {
            let indent = if n == 0 { "    " } else { "      " };
            format!("{indent}{line}")
        }));
    }
    sections.push(told);
    sections.push(bar(found, style));
    let mut table = found.table(style).text(2, style);
    if found.seeds.count > 1 && found.told.iter().any(|told| !told.edges.edges.is_empty()) {
        let legend =
            "  mean of the seeds' edges with its 95 % interval, which includes half of a seed's bracket";
        table.push(style.paint(Paint::Quiet, legend));
    }
    sections.push(table);
    let doubts = found.doubts();
    sections.push(
        doubts
            .iter()
            .flat_map(|doubt| wrap(doubt, style.columns() - 4))
            .map(|line| format!("  {}", style.paint(Paint::Doubtful, &line)))
            .collect(),
    );
    let look = found.look();
    sections.push(
        look.iter()
            .map(|(what, line)| format!("  {}  {line}", style.paint(Paint::Quiet, &pad(what, 10))))
            .collect(),
    );
    joined(&sections)
}

pub(super) fn joined(sections: &[Vec<String>]) -> String {
    let written: Vec<String> =
        sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    written.join("\n\n") + "\n"
}

/// A head of a page: the name, and what was done to it.
pub(super) fn head(
    experiment: &str,
    parts: impl IntoIterator<Item = String>,
    incomplete: &[String],
    style: Style,
) -> Vec<String> {
    let name = clean(experiment);
    let head = [name.clone()].into_iter().chain(parts).collect::<Vec<_>>();
    let mut lines = wrap(&head.join(style.pick(" · ", ", ")), style.columns());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(&name, &style.paint(Paint::Strong, &name), 1);
    }
    for why in incomplete {
        let text = format!("INCOMPLETE: {}", clean(why));
        lines.extend(wrap(&text, style.columns()).iter().map(|line| style.paint(Paint::Bad, line)));
    }
    lines
}

pub(super) fn settings(variant: Option<&str>, set: &[(String, String)]) -> Vec<String> {
    let variant = variant.iter().map(|variant| format!("variant {}", clean(variant))).collect::<Vec<_>>();
    let set = set.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value)));
    variant.into_iter().chain(set).collect()
}

pub(super) fn seeds_words(seeds: Seeds) -> String {
    match seeds.count {
        1 => format!("seed {}", seeds.first),
        count => format!("{count} seeds from {}", seeds.first),
    }
}

fn title(found: &Found, style: Style) -> Vec<String> {
    let range = format!(
        "{} from {} to {}",
        clean(&found.path),
        found.knob.show(found.low),
        found.knob.show(found.high)
    );
    let parts =
        [range, seeds_words(found.seeds), format!("{} runs", super::number::count(found.runs as u64))];
    head(
        &found.experiment,
        parts.into_iter().chain(settings(found.variant.as_deref(), &found.set)),
        &found.incomplete,
        style,
    )
}

/// The knob from end to end, and what happens where.
fn bar(found: &Found, style: Style) -> Vec<String> {
    if found.first().is_none() {
        return Vec::new();
    }
    let columns = style.columns() - 4;
    let place = |x: f64| {
        ((found.knob.position(x).clamp(0.0, 1.0) * (columns - 1) as f64).round() as usize).min(columns - 1)
    };
    let cells: Vec<State> = (0..columns)
        .map(|n| {
            let share = (n as f64 + 0.5) / columns as f64;
            // Whole numbers lie on their columns, and an edge half-way between two.
            let x = match found.knob.by_ratio() {
                true => found.low * sim_core::math::pow(found.high / found.low, share),
                false => found.low + share * (found.high - found.low),
            };
            found.state(x)
        })
        .collect();
    let mut line = String::from("  ");
    for run in cells.chunk_by(|a, b| a == b) {
        let (glyph, paint) = zone_look(run[0], style);
        line += &style.paint(paint, &glyph.to_string().repeat(run.len()));
    }
    // What stands under the bar: marks where something is, and names.
    let mut marks: Vec<(usize, String)> =
        vec![(0, found.knob.show(found.low)), (columns - 1, found.knob.show(found.high))];
    for told in found.told.iter().filter(|told| told.which != Which::Back) {
        marks.extend(told.edges.edges.iter().map(|edge| (place(edge.mean), found.knob.show(edge.mean))));
    }
    let mut lines = vec![line, format!("  {}", labels(&marks, columns).trim_end())];
    let mut below: Vec<(usize, String)> = Vec::new();
    if let Some(standing) = found.standing {
        below.push((
            place(standing),
            format!("{} the file's {}", style.pick("▲", "^"), found.knob.show(standing)),
        ));
    }
    if let Some([edge]) = found.edges(Which::Back).map(|edges| &edges.edges[..]) {
        below.push((
            place(edge.mean),
            format!("{} back below {}", style.pick("▲", "^"), found.knob.show(edge.mean)),
        ));
    }
    for (at, text) in below {
        lines.push(format!("  {}", pointed(at, &text, columns)));
    }
    let mut seen: Vec<State> = cells;
    seen.dedup();
    let mut legend = Vec::new();
    for state in State::ALL {
        if seen.contains(&state) {
            let (glyph, paint) = zone_look(state, style);
            let mark = style.paint(paint, &glyph.to_string().repeat(2));
            legend.push(format!("{mark} {}", zone_name(found, state)));
        }
    }
    lines.push(format!("  {}", legend.join("   ")));
    lines
}

pub(super) fn zone_look(state: State, style: Style) -> (char, Paint) {
    match state {
        State::Stable => (style.pick('░', '.'), Paint::Good),
        State::Vulnerable => (style.pick('▒', '+'), Paint::Doubtful),
        State::Metastable => (style.pick('▓', '%'), Paint::Bad),
        State::Overloaded => (style.pick('█', '#'), Paint::Strong),
    }
}

fn zone_name(found: &Found, state: State) -> String {
    match (&found.failure, state, found.disturbed()) {
        (None, State::Stable, false) => "carries its load".into(),
        (None, State::Overloaded, false) => "fails".into(),
        (None, _, _) => state.name().into(),
        (Some(_), State::Stable, _) => "not so".into(),
        (Some(wish), State::Overloaded, true) => format!("{} without a fault", clean(wish)),
        (Some(wish), _, true) => format!("{} with the fault", clean(wish)),
        (Some(wish), _, false) => clean(wish),
    }
}

/// Texts centred at columns, as many as fit; the ends first.
pub(super) fn labels(marks: &[(usize, String)], columns: usize) -> String {
    let mut line = vec![' '; columns];
    for (at, text) in marks {
        let long = text.chars().count();
        let from = at.saturating_sub(long / 2).min(columns.saturating_sub(long));
        let around = from.saturating_sub(1)..(from + long + 1).min(columns);
        if line[around].iter().all(|c| *c == ' ') {
            text.chars().enumerate().for_each(|(n, c)| line[from + n] = c);
        }
    }
    line.into_iter().collect()
}

/// A text whose first character stands at a column, or whose last does where it would not fit.
fn pointed(at: usize, text: &str, columns: usize) -> String {
    if at + width(text) <= columns {
        return " ".repeat(at) + text;
    }
    let (mark, rest) = text.split_once(' ').unwrap_or((text, ""));
    pad_left(&format!("{rest} {mark}"), at + 1)
}

/// For a pull request.
pub fn markdown(found: &Found) -> String {
    let style = Style::default();
    let mut out = format!("### {}: {}\n\n", escape_markdown(&found.experiment), escape_markdown(&found.path));
    for why in &found.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    out += &format!(
        "**{}**\n\n",
        escape_markdown(found.headline(style).1.split_once('|').map_or("", |(_, text)| text))
    );
    out += &found.table(style).markdown();
    out += "\n";
    for sentence in found.sentences().iter().chain(&found.doubts()) {
        out += &format!("- {}\n", escape_markdown(sentence));
    }
    out += &format!("\n{} runs on {}.\n", found.runs, seeds_words(found.seeds));
    out
}

/// One row per edge and seed, and one for the mean.
pub fn csv(found: &Found) -> String {
    let heads = [
        "search",
        "edge",
        "fails_above",
        "seed",
        "low",
        "high",
        "mean",
        "half_width",
        "lowest",
        "highest",
        "fluid",
    ];
    let mut out = csv_line(heads);
    let which = |which: Which| match which {
        Which::Fault => "fault",
        Which::Alone => "alone",
        Which::Back => "back",
    };
    for told in &found.told {
        for (number, edge) in told.edges.edges.iter().enumerate() {
            let words = |seed: String| {
                [which(told.which).to_string(), number.to_string(), edge.fails_above.to_string(), seed]
            };
            let mean = [
                None,
                None,
                Some(edge.mean),
                Some(edge.half_width),
                Some(edge.lowest),
                Some(edge.highest),
                told.exact,
            ];
            out += &csv_line(words(String::new()).into_iter().chain(mean.map(csv_number)));
            for (seed, bracket) in found.seeds.iter().zip(&edge.seeds) {
                let ends = [bracket.map(|b| b.low), bracket.map(|b| b.high), None, None, None, None, None];
                out += &csv_line(words(seed.to_string()).into_iter().chain(ends.map(csv_number)));
            }
        }
    }
    out
}
