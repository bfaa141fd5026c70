//! Where something tips over: the answer in words, a picture of the knob, every edge with its interval.

use crate::result::found::{Found, Which, name};
use crate::result::rounds::Rounds;
use crate::result::seeds::{seeds_words, settings};
use crate::text::number::count;
use crate::text::table::{Entry, Grid, csv_line, csv_number, escape_markdown};
use crate::text::{Paint, Style, clean, joined, pad, unit, wrap};
use crate::text::{quiet, upper_first};

mod bar;

pub(super) use bar::{labels, zone_look};

impl Found {
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
                    (if self.whole(edge) {
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
                        Some(false) if told.which == Which::Fault && told.harder_could() => {
                            Entry::painted("harder faults could", Paint::Doubtful)
                        }
                        Some(false) => Entry::painted("no", Paint::Doubtful),
                        None => "-".into(),
                    });
                }
                grid.row(row);
            }
            for stretch in &told.edges.undecided {
                let ends = [stretch.low, stretch.high].map(|end| self.knob.show(end));
                let mut row: Vec<Entry> = vec![
                    name(told.which, self.disturbed()).into(),
                    Entry::painted(format!("undecided from {} to {}", ends[0], ends[1]), Paint::Doubtful),
                ];
                row.resize_with(if with_fluid { 6 } else { 4 }, || "-".into());
                grid.row(row);
            }
            if told.edges.edges.is_empty() && told.edges.undecided.is_empty() && told.edges.alike > 0 {
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
    sections.push(bar::bar(found, style));
    let grid = found.table(style);
    let mut table = if grid.is_empty() { Vec::new() } else { grid.text(2, style) };
    if found.seeds.count > 1 && found.told.iter().any(|told| !told.edges.edges.is_empty()) {
        let legend =
            "mean of the seeds' edges with its 95 % interval, which includes half of a seed's bracket".into();
        let legend = [legend].into_iter().chain(found.rounds.as_ref().and_then(Rounds::words));
        table.extend(quiet(&legend.collect::<Vec<String>>().join("; "), "  ", style));
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
    sections.push(
        found
            .look
            .iter()
            .map(|(what, line)| format!("  {}  {line}", style.paint(Paint::Quiet, &pad(what, 10))))
            .collect(),
    );
    joined(&sections)
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

fn title(found: &Found, style: Style) -> Vec<String> {
    let range = format!(
        "{} from {} to {}",
        clean(&found.path),
        found.knob.show(found.low),
        found.knob.show(found.high)
    );
    let parts = [range, seeds_words(found.seeds), format!("{} runs", count(found.runs as u64))];
    head(
        &found.experiment,
        parts.into_iter().chain(settings(found.variant.as_deref(), &found.set)),
        &found.incomplete,
        style,
    )
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
    if let Some(spared) = found.rounds.as_ref().and_then(Rounds::words) {
        out += &format!("{}.\n", upper_first(&spared));
    }
    out
}

/// One row per edge and seed, and one for the mean; one for each stretch where most seeds cannot tell.
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
        "answered_low",
        "answered_high",
    ];
    // Times are seconds, as in every CSV.
    let in_csv = |x: Option<f64>| csv_number(x.map(|x| unit::in_csv(x, found.unit)));
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
            let nobody = || [String::new(), String::new()];
            out += &csv_line(words(String::new()).into_iter().chain(mean.map(in_csv)).chain(nobody()));
            for (seed, bracket) in found.seeds.iter().zip(&edge.seeds) {
                let ends = [bracket.map(|b| b.low), bracket.map(|b| b.high), None, None, None, None, None];
                let shares = bracket
                    .and_then(|b| b.answered)
                    .map_or_else(nobody, |shares| shares.map(|x| csv_number(Some(x))));
                out += &csv_line(words(seed.to_string()).into_iter().chain(ends.map(in_csv)).chain(shares));
            }
        }
        for stretch in &told.edges.undecided {
            let ends = [Some(stretch.low), Some(stretch.high), None, None, None, None, None];
            let words = [which(told.which), "undecided", "", ""].map(String::from);
            out += &csv_line(words.into_iter().chain(ends.map(in_csv)).chain([String::new(), String::new()]));
        }
    }
    out
}
