//! What happened when: a time axis with a tick wherever something began or ended, a bar for each
//! disturbance, and one row of blocks for each series.
//!
//! Rows of one unit that never rise above the first of them are drawn on its scale, so that their
//! heights compare (goodput beside offered); every other row has a scale of its own, up to its bound if
//! it has one. A scale is that of what is drawn, and where a burst of a column in twenty would press all else to the floor,
//! of the rest: what is higher is marked as cut. The numbers at the right say the rest: the value at the end, and the highest.

use super::chart::{below, resample, sparkline};
use super::lanes::lanes;
use crate::text::number::{NOTHING, count, duration, number, percent, rate};
use crate::text::{Paint, Style, clean, fit, fit_apart, pad, pad_left, width};
use sim_core::SimDuration;
use sim_models::report::{Disturbance, Fold, Report, Section, Series};

/// The most rows of series.
const ROWS: usize = 8;
/// The most rows of one mechanism on one edge.
const OF_SECTION: usize = 2;
/// The same of lines that have one bound, and so compare.
const OF_ONE_BOUND: usize = 3;
/// Lines that compare are apart if they are so by more than this share of their bound, on average.
const APART: f64 = 0.002;
/// The most rows of disturbances.
const DISTURBANCE_ROWS: usize = 3;
/// The widest name of a row, in hundredths of the page.
const NAME: usize = 28;
/// What is so many times as high as all else leaves of it the lowest of the eight blocks.
const PRESSES: f64 = 8.0;

/// The picture of a run; nothing for a run without series.
pub fn timeline(report: &Report, style: Style) -> Vec<String> {
    let mut lines = picture(report, ROWS, style);
    if let (Some(more), false) = (left_out(report), lines.is_empty()) {
        let margin = lines[0].len() - lines[0].trim_start().len();
        lines.push(pad("", margin) + &more);
    }
    lines
}

fn left_out(report: &Report) -> Option<String> {
    let (all, more) = series(report);
    let more = more + all.len().saturating_sub(ROWS);
    (more > 0).then(|| format!("{more} more series: --format csv"))
}

/// The picture with at most so many series, without a word on those that are left out.
pub fn picture(report: &Report, rows: usize, style: Style) -> Vec<String> {
    let window = report.run.window;
    let (all, _) = series(report);
    // Where lanes say who led there is less to say of the rest.
    let is_short = rows < ROWS && !report.timeline.lanes.is_empty();
    let of_series = if is_short { rows.saturating_sub(3) } else { rows };
    let shown = &all[..all.len().min(of_series)];
    let windows = all.iter().map(|series| series.values.len()).max().unwrap_or(0);
    let seen = window.saturating_mul(windows as u64);
    // Of a run that was stopped only what was reached is a picture.
    let span = if report.stopped.is_some() { seen } else { report.run.duration.max(seen) };
    if windows == 0 || span == 0 {
        return Vec::new();
    }
    let names: Vec<String> = shown.iter().map(|series| clean(&series.name)).collect();
    let names = fit_apart(&names, style.columns() * NAME / 100, style);
    let lane_names = report.timeline.lanes.iter().map(|lane| width(&clean(&lane.name)));
    let name_width =
        names.iter().map(|name| width(name)).chain(lane_names).max().unwrap_or(0).max("faults".len());
    let ends: Vec<[String; 2]> =
        shown.iter().map(|series| last_and_peak(series, windows, highest(report, series))).collect();
    let end_width = |which: usize| ends.iter().map(|end| width(&end[which])).max().unwrap_or(0).max(4);
    let [last_width, peak_width] = [end_width(0), end_width(1)];
    // A narrow page keeps the picture and leaves out the peaks.
    let peaks = style.columns() >= 80;
    let right = if peaks { 2 + last_width + 2 + peak_width } else { 2 + last_width };
    let columns = style.columns().saturating_sub(2 + name_width + 2 + right).max(10);
    let row = |name: &str, picture: &str, last: &str, peak: &str| {
        let picture = pad(picture, columns);
        let peak = if peaks { pad_left(peak, 2 + peak_width) } else { String::new() };
        let line = format!("  {}  {picture}  {}{peak}", pad(name, name_width), pad_left(last, last_width));
        line.trim_end().to_string()
    };

    // One of several is drawn on the scale of all of them.
    let parts = parts(report);
    let of_several = |name: &str| {
        let mut all = parts.iter().flat_map(|part| part.lines.iter().map(move |line| (part, line)));
        all.find(|(_, (section, line))| section.title(line) == name).map(|(part, _)| part.full)
    };
    let happened = report.timeline.disturbances.iter().filter(|one| one.from < span);
    let disturbances = &happened.cloned().collect::<Vec<_>>();
    let mut lines = vec![row("", &axis(disturbances, span, columns), "end", "peak")];
    // Nothing else is at the right in these rows: words may go on there.
    let mut bars = bars(disturbances, span, [columns, right], style);
    if is_short && rows < 4 {
        bars.rows.truncate(1);
        bars.left_out = 0;
    }
    for (index, bar) in bars.rows.iter().enumerate() {
        let name = if index > 0 { "" } else { ["fault", "faults"][usize::from(disturbances.len() > 1)] };
        let line = row(name, bar, "", "");
        lines.push(line.replacen(bar.trim_end(), &style.paint(Paint::Bad, bar.trim_end()), 1));
    }
    if bars.left_out > 0 {
        lines.push(row("", &format!("and {} more", count(bars.left_out as u64)), "", ""));
    }
    let mut drawn = lanes(&report.timeline.lanes, span, columns, style);
    if is_short && rows < 4 {
        drawn.truncate(report.timeline.lanes.len());
    }
    lines.extend(drawn.iter().map(|(name, lane)| row(name, lane, "", "")));
    let drawn: Vec<Drawn> = shown
        .iter()
        .map(|series| {
            let part = (columns * series.values.len()).div_ceil(windows);
            Drawn { unit: &series.unit, of: series.of, columns: resample(&series.values, part) }
        })
        .collect();
    let mut any_cut = false;
    for (n, ((series, name), [last, peak])) in shown.iter().zip(&names).zip(&ends).enumerate() {
        // What a mechanism measures compares with nothing else.
        let models = report.timeline.series.contains(series);
        let all = if models { &drawn[..] } else { std::slice::from_ref(&drawn[n]) };
        // But one of several with the others.
        let full = of_several(&series.name).unwrap_or_else(|| full(&drawn[n], all));
        let line = sparkline(&drawn[n].columns, full, style);
        let is_cut = |value: f64| value.is_finite() && full > 0.0 && value > full * (1.0 + 1e-9);
        any_cut |= drawn[n].columns.iter().any(|value| is_cut(*value));
        let mark = |(block, value): (char, &f64)| if is_cut(*value) { style.pick('▲', '^') } else { block };
        let line: String = line.chars().zip(&drawn[n].columns).map(mark).collect();
        lines.push(row(name, &line, last, peak));
    }
    if any_cut {
        let words =
            if peaks { "higher than this row goes: see its peak" } else { "higher than this row goes" };
        lines.push(row("", &format!("{} {words}", style.pick('▲', '^')), "", ""));
    }
    lines
}

/// A row as it is drawn.
struct Drawn<'a> {
    unit: &'a str,
    of: Option<f64>,
    columns: Vec<f64>,
}

impl Drawn<'_> {
    /// How high it goes: as its highest column, unless a burst of one column in twenty is so high that nothing would be seen of the
    /// others.
    fn top(&self) -> f64 {
        let finite = self.columns.iter().copied().filter(|value| value.is_finite());
        let (peak, usual) = (finite.fold(0.0, f64::max), self.usual_peak());
        if usual > 0.0 && peak > PRESSES * usual { 2.0 * usual } else { peak }
    }

    /// What only one column in twenty is above.
    fn usual_peak(&self) -> f64 {
        let mut values: Vec<f64> = self.columns.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values.get((values.len() * 19 / 20).min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// One line of several that are parts of one thing: the replicas of a service.
pub struct Parts<'a> {
    /// What they are: `replicas`.
    pub kind: &'a str,
    /// Of what.
    pub whole: &'a str,
    /// Which line.
    pub name: &'a str,
    /// The highest of any.
    pub full: f64,
    /// Each of them, and where it is.
    pub lines: Vec<(&'a Section, &'a Series)>,
}

/// What is drawn of several parts of one thing, which compare.
pub fn parts(report: &Report) -> Vec<Parts<'_>> {
    let mut all: Vec<Parts> = Vec::new();
    for section in &report.sections {
        let Some(whole) = section.part_of() else { continue };
        for line in &section.series {
            let same = all
                .iter_mut()
                .find(|one| (one.kind, one.whole, one.name) == (&section.kind, whole, line.name.as_str()));
            match same {
                Some(same) => {
                    same.full = same.full.max(peak(line));
                    same.lines.push((section, line));
                }
                None => all.push(Parts {
                    kind: &section.kind,
                    whole,
                    name: &line.name,
                    full: peak(line),
                    lines: vec![(section, line)],
                }),
            }
        }
    }
    all
}

/// The lines of the picture, then those that mechanisms measured, where they are ever more than nothing: of each the first few. And how
/// many more there are. Lines that compare stand together, and those that are furthest apart come after what was offered and what came of it.
fn series(report: &Report) -> (Vec<Series>, usize) {
    let (mut all, mut more) = (report.timeline.series.clone(), 0);
    let per_window = format!("per {}", SimDuration::from_nanos(report.run.window).brief());
    let rates = all.iter().take_while(|series| series.unit == "/s").count();
    let furthest = report
        .sections
        .iter()
        .enumerate()
        .map(|(number, section)| (number, apart(section)))
        .filter(|(_, apart)| *apart > APART)
        .max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)));
    let furthest = furthest.map(|(number, _)| number);
    for (number, section) in report.sections.iter().enumerate() {
        // The most within each window of what is drawn anyway is no picture of its own.
        let is_drawn = |name: &str| section.series.iter().any(|line| line.name == name);
        let lines = section.series.iter().filter(|line| line.values.iter().any(|x| *x != 0.0));
        let lines = lines.filter(|line| !line.name.strip_suffix("_most").is_some_and(is_drawn));
        let mut lines = lines.map(|line| {
            let is_counted = line.unit.is_empty() && is_counted(section, &line.name);
            let unit = if is_counted { per_window.clone() } else { line.unit.clone() };
            Series { name: section.title(line), unit, ..line.clone() }
        });
        let most = if compare(section) { OF_ONE_BOUND } else { OF_SECTION };
        let shown = lines.by_ref().take(most);
        if furthest == Some(number) {
            let shown: Vec<Series> = shown.collect();
            all.splice(rates..rates, shown);
        } else {
            all.extend(shown);
        }
        more += lines.count();
    }
    (all, more)
}

/// Whether its lines, as many as are shown together, have one unit and one bound.
fn compare(section: &Section) -> bool {
    let lines = &section.series;
    let same = |line: &Series| line.of.is_some() && (line.of, &line.unit) == (lines[0].of, &lines[0].unit);
    lines.len() == OF_ONE_BOUND && lines.iter().all(same)
}

/// How far apart lines that compare are, as a share of their bound: the mean over windows, 0 of lines that do not compare.
fn apart(section: &Section) -> f64 {
    let Some(bound) = section.series.first().and_then(|line| line.of).filter(|_| compare(section)) else {
        return 0.0;
    };
    let windows = section.series.iter().map(|line| line.values.len()).min().unwrap_or(0);
    let width = |window: usize| {
        let at = section.series.iter().map(|line| line.values[window]).filter(|value| value.is_finite());
        let (low, high) = at.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        (high - low).max(0.0)
    };
    (0..windows).map(width).sum::<f64>() / (windows.max(1) as f64 * bound)
}

/// The disturbances of a run of that length, as rows of bars `columns` wide.
pub fn faults(disturbances: &[Disturbance], span: u64, columns: usize, style: Style) -> Vec<String> {
    if span == 0 { Vec::new() } else { bars(disturbances, span, [columns, 0], style).rows }
}

/// One row of blocks for a series of another run, `columns` wide, with nothing below and `full` at the top.
pub fn row(series: &Series, full: f64, columns: usize, style: Style) -> String {
    sparkline(&resample(&series.values, columns), full, style)
}

/// The highest value of a series.
pub fn peak(series: &Series) -> f64 {
    series.values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// What a full block means in this row; what is above is marked as cut.
fn full(row: &Drawn, all: &[Drawn]) -> f64 {
    if let Some(of) = row.of {
        return of;
    }
    let same_unit = || all.iter().filter(|other| other.unit == row.unit && other.of.is_none());
    let first = same_unit().next().map_or(0.0, Drawn::top);
    // A little above still compares, and more for a moment: noise, a queue that drains.
    let limit = first * 1.5;
    let compares = |other: &Drawn| other.usual_peak() <= limit;
    if compares(row) {
        same_unit().filter(|other| compares(other)).map(|other| other.top().min(limit)).fold(0.0, f64::max)
    } else {
        row.top()
    }
}

/// Whether a line has how many there were in each window: their sum is what the section counts, or a part of a ratio of such sums.
fn is_counted(section: &Section, line: &str) -> bool {
    section.values.iter().any(|(_, value)| match &value.of_windows {
        Some(Fold::Sum(of)) => of == line,
        Some(Fold::Ratio(part, whole)) => part == line || whole == line,
        _ => false,
    })
}

/// The highest that a row ever was, where that is known better than by the means of windows: how many waited at a time.
fn highest(report: &Report, series: &Series) -> Option<f64> {
    let service = series.name.strip_prefix("queue ").filter(|_| report.timeline.series.contains(series))?;
    let most = report.services.get(service)?.windows.queue_max.iter().max()?;
    Some(*most as f64)
}

/// The value over the last twentieth of the run, and the highest of any window.
fn last_and_peak(series: &Series, windows: usize, highest: Option<f64>) -> [String; 2] {
    // From a hundred on whole numbers, so that a peak never rounds to above its bound.
    let whole = |value: f64| if value.abs() >= 100.0 { value.round() } else { value };
    let show = |value: f64| match series.unit.as_str() {
        "/s" => rate(whole(value)),
        "ns" if value.is_finite() => duration(value as u64),
        "share" => percent(value),
        "" => number(whole(value)),
        unit if value.is_finite() => format!("{} {}", number(whole(value)), clean(unit)),
        _ => NOTHING.into(),
    };
    let bound = series.of.filter(|_| series.unit != "share");
    let of = bound.map_or_else(String::new, |of| format!(" of {}", number(of)));
    let tail = series.values.len().saturating_sub((windows / 20).max(1));
    let last = resample(&series.values[tail..], 1)[0];
    [show(last), show(highest.unwrap_or_else(|| peak(series))) + &of]
}

/// The time axis: its ends, and where something began or ended.
fn axis(disturbances: &[Disturbance], span: u64, columns: usize) -> String {
    let edges = disturbances.iter().flat_map(|d| [Some(d.from), d.to]).flatten();
    let mut times: Vec<u64> = [0, span].into_iter().chain(edges.filter(|&at| at < span)).collect();
    let mut seen = Vec::new();
    times.retain(|at| {
        !seen.contains(at) && {
            seen.push(*at);
            true
        }
    });
    let tick = |at: u64| {
        let label = SimDuration::from_nanos(at);
        let exact = label.to_string();
        (place(at, span, columns), if exact.len() <= 7 { exact } else { label.brief() })
    };
    below(&times.into_iter().map(tick).collect::<Vec<_>>(), columns)
}

fn place(at: u64, span: u64, columns: usize) -> usize {
    (u128::from(at.min(span)) * columns as u128 / u128::from(span)) as usize
}

struct Bars {
    rows: Vec<String>,
    left_out: usize,
}

/// Every disturbance as `├ what on ┤`, or with its words behind where it is too short for them, so many columns beyond the picture at
/// most. As many in a row as do not touch.
fn bars(disturbances: &[Disturbance], span: u64, [columns, beyond]: [usize; 2], style: Style) -> Bars {
    let (left, middle, right, point) = style.pick(("├", "─", "┤", "│"), ("|", "-", "|", "|"));
    let mut rows: Vec<String> = Vec::new();
    let mut left_out = 0;
    for disturbance in disturbances {
        let words = clean(format!("{} {}", disturbance.what, disturbance.on).trim());
        let from = place(disturbance.from, span, columns).min(columns - 1);
        let to = disturbance.to.map_or(columns, |to| place(to, span, columns)).max(from + 1);
        let end = if disturbance.to.is_some() { right } else { middle };
        let room = (to - from).saturating_sub(2);
        let bar = if room >= width(&words) && !words.is_empty() {
            let rest = room - width(&words);
            format!("{left}{}{words}{}{end}", middle.repeat(rest / 2), middle.repeat(rest - rest / 2))
        } else {
            let bar =
                if to - from < 2 { point.into() } else { format!("{left}{}{end}", middle.repeat(room)) };
            let after = (columns + beyond).saturating_sub(to + 1);
            // Too near the end of the page: the words stand before.
            if width(&words) > after && width(&words) < from {
                let before = from - width(&words) - 1;
                put(&mut rows, &format!("{words} {bar}"), before, &mut left_out);
                continue;
            }
            format!("{bar} {}", fit(&words, after, style))
        };
        put(&mut rows, bar.trim_end(), from, &mut left_out);
    }
    Bars { rows, left_out }
}

/// Writes `bar` from that column on in the first row that is free there.
fn put(rows: &mut Vec<String>, bar: &str, from: usize, left_out: &mut usize) {
    match rows.iter().position(|row| width(row) < from) {
        Some(free) => rows[free] = pad(&rows[free], from) + bar,
        None if rows.len() < DISTURBANCE_ROWS => rows.push(pad("", from) + bar),
        None => *left_out += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::{RunFacts, Service, Timeline, Unit, Value};

    const SECOND: u64 = 1_000_000_000;

    fn disturbance(what: &str, from: u64, to: Option<u64>) -> Disturbance {
        Disturbance { what: what.into(), on: "db".into(), from: from * SECOND, to: to.map(|to| to * SECOND) }
    }

    fn page(series: Vec<Series>, disturbances: Vec<Disturbance>, style: Style) -> String {
        let run = RunFacts { duration: 100 * SECOND, window: SECOND, ..RunFacts::default() };
        let report = Report {
            run,
            timeline: Timeline { series, disturbances, ..Timeline::default() },
            ..Report::default()
        };
        timeline(&report, style).join("\n")
    }

    fn series(name: &str, unit: &str, of: Option<f64>, at: impl Fn(usize) -> f64) -> Series {
        Series {
            name: name.into(),
            unit: unit.into(),
            values: (0..100).map(at).collect(),
            of,
            ..Series::default()
        }
    }

    #[test]
    fn disturbances_that_overlap_have_rows_of_their_own() {
        let disturbances = vec![
            disturbance("slow", 20, Some(60)),
            disturbance("crash", 30, Some(30)),
            disturbance("spike", 70, Some(72)),
            disturbance("drop", 95, None),
        ];
        let goodput = series("goodput", "/s", None, |n| if n < 20 { 100.0 } else { 50.0 });
        insta::assert_snapshot!(page(vec![goodput], disturbances, Style::default()));
    }

    #[test]
    fn what_is_counted_says_in_how_long_and_a_queue_its_longest() {
        let mut shed = Section::new("shed", "db")
            .value("shed", Value { of_windows: Some(Fold::Sum("shed".into())), ..Value::default() })
            .line("shed", Unit::Plain, "")
            .line("level", Unit::Plain, "");
        shed.draw("shed", vec![3.0, 12.0]);
        shed.draw("level", vec![2.0, 2.0]);
        let queue =
            Series { name: "queue db".into(), values: vec![1.0, 2.5], of: Some(50.0), ..Series::default() };
        let mut report = Report { sections: vec![shed], ..Report::default() };
        report.run = RunFacts { duration: 10_000_000_000, window: 5_000_000_000, ..RunFacts::default() };
        report.timeline.series.push(queue);
        let mut service = Service::default();
        service.windows.queue_max = vec![4, 41];
        report.services.push("db", service);
        let page = timeline(&report, Style::default());
        let ends = |name: &str| {
            let line = page.iter().find(|line| line.trim_start().starts_with(name)).expect("a row");
            let words: Vec<&str> = line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
            words[words.len() - 2..].join(", ")
        };
        assert_eq!(ends("queue db"), "2.5, 41 of 50");
        assert_eq!(ends("shed db shed"), "12 per 5 s, 12 per 5 s");
        assert_eq!(ends("shed db level"), "2, 2");
    }

    #[test]
    fn too_many_disturbances_are_counted() {
        let many = (0..30).map(|n| disturbance("slow", n, Some(90))).collect();
        let text = page(vec![series("goodput", "/s", None, |_| 1.0)], many, Style::default());
        assert!(text.contains("and 27 more"), "{text}");
    }

    /// What three think of one thing: together, after what was offered and what came of it, where they differ; and of a section whose lines do not compare two.
    #[test]
    fn lines_that_compare_stand_together() {
        let lines = |names: [&str; 3], of: Option<f64>, low: f64| {
            let line = |(number, name): (usize, &&str)| {
                series(name, "share", of, move |n| if n > 50 && number == 0 { low } else { 1.0 })
            };
            names.iter().enumerate().map(line).collect::<Vec<_>>()
        };
        let section = |kind: &str, series| Section { series, ..Section::new(kind, "db") };
        let order = |sections: Vec<Section>| {
            let run = RunFacts { duration: 100 * SECOND, window: SECOND, ..RunFacts::default() };
            let own = [("offered", "/s", None), ("goodput", "/s", None), ("queue", "", Some(9.0))];
            let own = own.map(|(name, unit, of)| series(name, unit, of, |_| 1.0)).to_vec();
            let timeline = Timeline { series: own, ..Timeline::default() };
            let report = Report { run, timeline, sections, ..Report::default() };
            let (all, more) = super::series(&report);
            let names: Vec<&str> = all.iter().map(|series| series.name.rsplit(' ').next().unwrap()).collect();
            (names.join(" "), more)
        };
        let counts = || section("cache", lines(["hits", "fills", "stale"], None, 1.0));
        let views = |low| section("views", lines(["met", "believed", "true"], Some(1.0), low));
        let (own, three, two) = ("offered goodput", "met believed true", "hits fills");
        assert_eq!(order(vec![counts(), views(0.9)]), (format!("{own} {three} queue {two}"), 1));
        // Where they are one they come in their turn.
        assert_eq!(order(vec![counts(), views(1.0)]), (format!("{own} queue {two} {three}"), 1));
        // Of several those that are furthest apart.
        let far = section("views", lines(["a", "b", "c"], Some(1.0), 0.5));
        assert_eq!(order(vec![views(0.9), far]), (format!("{own} a b c queue {three}"), 0));
    }

    #[test]
    fn rows_that_compare_share_a_scale() {
        let all = [
            series("offered", "/s", None, |_| 1000.0),
            series("attempts", "/s", None, |_| 3000.0),
            series("goodput", "/s", None, |n| if n == 50 { 1200.0 } else { 500.0 }),
            series("queue", "", Some(512.0), |_| 512.0),
            series("backlog", "/s", None, |n| if n == 60 { 9000.0 } else { 900.0 }),
        ];
        let all = all.map(|series| Drawn {
            unit: if series.of.is_some() { "" } else { "/s" },
            of: series.of,
            columns: series.values,
        });
        let fulls = all.each_ref().map(|row| full(row, &all));
        assert_eq!(fulls, [1500.0, 3000.0, 1500.0, 512.0, 1500.0]);
    }

    #[test]
    fn a_burst_does_not_hide_the_rest_and_is_marked() {
        let burst = |n: usize| if n == 50 { 900.0 } else { 10.0 + (n % 40) as f64 / 4.0 };
        let text = page(vec![series("retries", "/s", None, burst)], Vec::new(), Style::default());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains('▃') && lines[1].contains('▄'), "{text}");
        assert_eq!(lines[1].matches('▲').count(), 1, "{text}");
        assert!(
            lines[1].ends_with("900/s") && lines[2].trim() == "▲ higher than this row goes: see its peak",
            "{text}"
        );
        // What lasts is no burst: it has the scale.
        let storm = |n: usize| if (50..70).contains(&n) { 900.0 } else { 10.0 };
        let text = page(vec![series("retries", "/s", None, storm)], Vec::new(), Style::default());
        assert!(!text.contains('▲') && text.contains('█'), "{text}");
    }

    #[test]
    fn rows_with_long_names_stay_apart() {
        let names = ["tenants tenants->api acme calls", "tenants tenants->api acme ok"];
        let all = names.map(|name| series(name, "/s", None, |_| 1.0)).to_vec();
        let text = page(all, Vec::new(), Style { width: 80, ..Style::default() });
        assert!(text.contains("calls  ") && text.contains("ok  "), "{text}");
    }

    #[test]
    fn without_series_or_values_there_is_no_picture() {
        assert_eq!(page(Vec::new(), vec![disturbance("slow", 1, None)], Style::default()), "");
        let gaps = series("p99", "ns", None, |_| f64::NAN);
        let text = page(vec![gaps], Vec::new(), Style { unicode: false, ..Style::default() });
        assert!(!text.contains("NaN") && text.is_ascii(), "{text}");
    }
}
