//! One run on one screen: what it comes to and why, the one picture, what users got, and what to type next. Who is woken at three
//! reads that first, with the verdict in view; all else is on the whole page ([`super::run`]).
//!
//! A terminal has 24 rows and may have 80 columns. What there is shares them: the picture gives up rows before the verdict gives up
//! its strongest causes.

use super::replicated::section;
use super::run::{expectations, named, verdict};
use super::timeline::picture;
use crate::result::column::{NEARLY_ALL, of_whom};
use crate::result::judged::{Judged, Judgement};
use crate::result::page::Page;
use crate::text::number::{duration, of, or_nothing, percent, rate};
use crate::text::table::{Entry, Grid};
use crate::text::{Paint, Style, clean, first_sentence, fit, joined, justify, pad, quiet, width, wrap};
use sim_models::report::{Edge, Report, Stretch, Unit};

/// The most lines: of a terminal's 24, one is that of the prompt.
pub const ROWS: usize = 23;
/// What is said of expectations that failed, on standard error.
const SAID: usize = 2;
/// What gives way to the verdict, step by step: rows of the picture, rows of users or values, commands.
const STEPS: [(usize, usize, usize); 6] = [(5, 4, 4), (4, 3, 4), (4, 1, 4), (4, 1, 3), (3, 1, 3), (3, 1, 2)];
/// The most lines of the title, and of how the run was made.
const TITLE: usize = 2;
/// A command may take so many lines, on average.
const LINES_OF_COMMAND: usize = 2;
/// The most expectations that failed and are spelled out.
const FAILED: usize = 2;

/// The page.
pub fn screen(report: &Report, page: &Page, style: Style) -> String {
    let title = title(report, style);
    let lines_of = |sections: &[Vec<String>]| {
        let there = sections.iter().filter(|lines| !lines.is_empty());
        there.map(|lines| lines.iter().map(|line| rows(line, style)).sum::<usize>() + 1).sum::<usize>()
    };
    let all = if page.expectations.failed() { ROWS - SAID } else { ROWS };
    let (mut between, mut commands) = (Vec::new(), Vec::new());
    let mut room = 0;
    for (of_picture, of_users, of_commands) in STEPS {
        commands = next(page, of_commands, style);
        between = middle(report, page, of_picture, of_users, style);
        let taken = lines_of(&between) + lines_of(&[title.clone(), commands.clone()]);
        room = all.saturating_sub(taken);
        // The verdict and its strongest cause.
        let wanted = verdict(&Report { verdict: strongest(report), ..Report::default() }, usize::MAX, style);
        if room >= wanted.len() + usize::from(report.verdict.details.len() > 1) {
            break;
        }
    }
    let stopped = verdict(report, 0, style).len() - verdict(&unstopped(report), 0, style).len();
    let verdict = verdict(report, room.saturating_sub(stopped), style);
    // What must be known of the numbers, where no cause gives way to it.
    if let Some(last) = between.last_mut().filter(|last| verdict.len() + usize::from(last.is_empty()) < room)
    {
        last.extend(noted(report, style));
    }
    let sections: Vec<Vec<String>> =
        [vec![title, verdict], between, vec![commands]].into_iter().flatten().collect();
    joined(&sections)
}

fn strongest(report: &Report) -> sim_models::report::Verdict {
    let mut verdict = report.verdict.clone();
    verdict.details.truncate(1);
    verdict
}

fn unstopped(report: &Report) -> Report {
    Report { verdict: report.verdict.clone(), ..Report::default() }
}

/// Between verdict and commands. Of many seeds that is what they came to.
fn middle(report: &Report, page: &Page, rows: usize, of_users: usize, style: Style) -> Vec<Vec<String>> {
    let expected = expected(&page.expectations, style);
    if let Some(replicated) = &page.replicated {
        return vec![section(replicated, style), expected];
    }
    // What a model measured of its own is its result; users are told of where there is none, or room.
    let own = values(report, of_users, style);
    let few = if own.is_empty() { of_users } else { 1 };
    let finding = report.timeline.disturbances.is_empty() && report.services.is_empty() && !own.is_empty();
    let mut users = if finding { Vec::new() } else { users(report, few, style) };
    if own.is_empty() {
        users.extend(expected);
        return vec![picture(report, rows, style), users];
    }
    let own = own.into_iter().chain(expected).collect();
    vec![picture(report, rows, style), users, own]
}

/// What must be known of these numbers: the first, and how many more there are.
fn noted(report: &Report, style: Style) -> Option<String> {
    let more = match report.notes.len() - usize::from(!report.notes.is_empty()) {
        0 => String::new(),
        more => format!(" (and {more} more: --full)"),
    };
    let columns = style.columns().saturating_sub(width(&more));
    let first = report.notes.first()?;
    Some(fit(&format!("  note  {}", clean(first)), columns, style) + &more)
}

/// Name and what it is about, in two lines, and how the run was made beside them where there is room.
fn title(report: &Report, style: Style) -> Vec<String> {
    let (name, about) = (clean(&report.experiment), clean(first_sentence(&report.about)));
    let dot = style.pick(" · ", ", ");
    let head = if about.is_empty() { name.clone() } else { format!("{name}{dot}{about}") };
    let columns = style.columns();
    let mut lines = wrap(&head, columns);
    if lines.len() > TITLE {
        lines[TITLE - 1] = fit(&format!("{} {}", lines[TITLE - 1], lines[TITLE]), columns, style);
        lines.truncate(TITLE);
    }
    let run = &report.run;
    let mut facts: Vec<String> =
        report.variant.iter().map(|variant| format!("variant {}", clean(variant))).collect();
    facts.extend(report.overrides.iter().map(|(path, value)| format!("{}={}", clean(path), clean(value))));
    facts.push(format!("seed {}", run.seed));
    facts.extend((run.duration > 0).then(|| duration(run.duration)));
    facts.extend((run.warm_up > 0).then(|| format!("measured from {} on", duration(run.warm_up))));
    let facts = facts.join(dot);
    let last = lines.pop().unwrap_or_default();
    if width(&last) + 2 + width(&facts) <= columns {
        lines.push(justify(&last, &facts, columns));
    } else {
        lines.push(last);
        let mut facts = wrap(&facts, columns);
        if facts.len() > TITLE {
            facts[TITLE - 1] = fit(&format!("{} {}", facts[TITLE - 1], facts[TITLE]), columns, style);
            facts.truncate(TITLE);
        }
        lines.extend(facts);
    }
    lines[0] = lines[0].replacen(&name, &style.paint(Paint::Strong, &name), 1);
    lines
}

/// What users got: before, during and after what went wrong, or all in all.
fn users(report: &Report, most: usize, style: Style) -> Vec<String> {
    let mut all: Vec<(usize, &str, &Edge)> =
        report.edges.iter().enumerate().map(|(index, (name, edge))| (index, name, edge)).collect();
    all.retain(|(.., edge)| edge.from_users);
    if all.is_empty() {
        return Vec::new();
    }
    let (most, left_out) = shown(all.len(), most);
    // Those that fared worst, in their own order.
    let fared = |edge: &Edge| edge.success.unwrap_or(1.0);
    all.sort_by(|(i, _, a), (j, _, b)| fared(a).total_cmp(&fared(b)).then(i.cmp(j)));
    all.truncate(most);
    all.sort_by_key(|(index, ..)| *index);
    let parts: Vec<(Stretch, Report)> = Stretch::ALL
        .into_iter()
        .filter_map(|one| Some((one, report.stretch(one).filter(|part| part.stretch.is_some())?)))
        .collect();
    let mut grid = Grid::new();
    let narrow = style.columns() < 80;
    if parts.is_empty() {
        let median = !narrow;
        grid = grid.words("users").numbers(["goodput", "ok"]);
        grid = if median { grid.number("p50") } else { grid }.number("p99");
        for (_, name, edge) in &all {
            let few = of_whom(edge.success);
            let time = |ns: Option<u64>| ns.map(|ns| duration(ns) + &few);
            let ok = Entry::painted(or_nothing(edge.success, percent), paint(edge.success));
            let times = [edge.latency.p50, edge.latency.p99].map(|ns| or_nothing(time(ns), |text| text));
            let times = times.into_iter().skip(usize::from(!median)).map(Entry::from);
            grid.row([Entry::from(*name), rate(edge.goodput).into(), ok].into_iter().chain(times));
        }
    } else {
        let head = if narrow { "users: ok" } else { "users: ok, p99" };
        grid = grid.words(head).numbers(parts.iter().map(|(one, part)| {
            let from = if narrow { String::new() } else { format!(" from {}", duration(part.run.warm_up)) };
            format!("{}{from}", word(*one))
        }));
        for (_, name, _) in &all {
            let cell = |(_, part): &(Stretch, Report)| {
                let edge = part.edges.get(name);
                let success = edge.and_then(|edge| edge.success);
                // No percentile of the few that came through: who got nothing waited longer than all of them.
                let nearly_all = !narrow && success.is_some_and(|share| share >= NEARLY_ALL);
                let p99 = edge.and_then(|edge| edge.latency.p99).filter(|_| nearly_all).map(duration);
                let words = std::iter::once(or_nothing(success, percent)).chain(p99);
                Entry::painted(words.collect::<Vec<_>>().join(", "), paint(success))
            };
            grid.row(std::iter::once(Entry::from(*name)).chain(parts.iter().map(cell)));
        }
    }
    let mut lines = grid.text(2, style);
    if left_out > 0 {
        lines.push(format!("  and {left_out} more workloads: --full"));
    }
    lines
}

/// What a model measured of its own: what it came to, what theory gives, and as much of what it is as fits.
fn values(report: &Report, most: usize, style: Style) -> Vec<String> {
    let entries = &report.values.0;
    let (most, left_out) = shown(entries.len(), most);
    let exact = entries.iter().any(|(_, value)| value.exact.is_some());
    let mut grid = Grid::new().words("value").number("measured");
    grid = if exact { grid.number("exact") } else { grid };
    for (name, value) in entries.iter().take(most) {
        let unit = Unit::named(&value.unit);
        let row = [name.clone(), or_nothing(value.value, |x| of(x, unit))];
        grid.row(row.into_iter().chain(exact.then(|| or_nothing(value.exact, |x| of(x, unit)))));
    }
    // What stands beside is placed by the width of what is before it, which colours would add to.
    let plain = Style { colour: false, ..style };
    let mut lines = if entries.is_empty() { Vec::new() } else { grid.text(2, plain) };
    let margin = lines.iter().map(|line| width(line)).max().unwrap_or(0) + 2;
    // Beside a table that was cut in two there is no room.
    if lines.len() == entries.len().min(most) + 1 && style.columns() >= margin + 20 {
        let mut said = "";
        for (line, (_, value)) in lines.iter_mut().skip(1).zip(entries) {
            // What is said of several in a row is said once.
            if value.about != said {
                let about = fit(&clean(&value.about), style.columns() - margin, style);
                *line = format!("{}{about}", pad(line, margin)).trim_end().to_string();
            }
            said = &value.about;
        }
    }
    if let Some(heads) = lines.first_mut() {
        *heads = format!("  {}", style.paint(Paint::Quiet, heads.trim_start()));
    }
    if left_out > 0 {
        lines.push(format!("  and {left_out} more values: --full"));
    }
    lines
}

/// How many of so many are shown, and how many are only counted: one more takes no more room than saying that there is one.
fn shown(all: usize, most: usize) -> (usize, usize) {
    if all <= most + 1 { (all, 0) } else { (most, all - most) }
}

fn word(stretch: Stretch) -> &'static str {
    match stretch {
        Stretch::Before => "before",
        Stretch::Fault => "during",
        Stretch::After => "after",
    }
}

fn paint(success: Option<f64>) -> Paint {
    match success {
        Some(share) if share >= NEARLY_ALL => Paint::Good,
        Some(share) if share < 0.9 => Paint::Bad,
        _ => Paint::Plain,
    }
}

/// How many expectations hold, and those that do not. What more seeds than this run has decide is neither.
fn expected(judgement: &Judgement, style: Style) -> Vec<String> {
    let (failed, held): (Vec<&Judged>, Vec<&Judged>) =
        judgement.judged.iter().partition(|judged| !judged.holds);
    let decided = judgement.judged.iter().filter(|judged| !judged.undecided).count();
    let shown: Vec<Judged> = failed.iter().take(FAILED).map(|judged| (*judged).clone()).collect();
    let mut lines = expectations(&Judgement { judged: shown, not_enforced: None }, style);
    let why = judgement.not_enforced.as_ref();
    let why = if why.is_some() { " (not enforced)" } else { "" };
    let words = match (held.as_slice(), decided) {
        (_, 0) => return lines,
        ([only], 1) => format!("as expected: {} ({}){why}", clean(&only.claim), clean(&only.measured)),
        ([_, _], 2) => format!("both expectations hold{why}"),
        (held, all) if held.len() == all => format!("all {all} expectations hold{why}"),
        (held, all) => format!("{} of {all} expectations hold{why}", held.len()),
    };
    match held.len() == decided {
        true => {
            let mark = style.paint(Paint::Good, style.pick("✓", "ok"));
            let indent = 3 + width(style.pick("✓", "ok"));
            let mut wrapped = wrap(&words, style.columns() - indent).into_iter();
            lines.push(format!("  {mark} {}", wrapped.next().unwrap_or_default()));
            lines.extend(wrapped.map(|line| pad("", indent) + &line));
        }
        false => lines.extend(quiet(&words, "  ", style)),
    }
    lines
}

/// How many lines of the screen a line takes; colours take none.
fn rows(line: &str, style: Style) -> usize {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().map_or(0, width);
    let rest = parts.map(|part| width(part.split_once('m').map_or(part, |(_, words)| words)));
    (first + rest.sum::<usize>()).div_ceil(style.columns()).max(1)
}

/// What to type next; the whole page last.
fn next(page: &Page, most: usize, style: Style) -> Vec<String> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    let mut full = None;
    for (name, command) in &page.next {
        match name.as_str() {
            "again" => full = Some(("all of it", format!("{command} --full"))),
            name => entries.push((name, command.clone())),
        }
    }
    for name in ["sweep", "why"] {
        if entries.len() + 1 > most {
            entries.retain(|(one, _)| *one != name);
        }
    }
    entries.extend(full);
    // A command is never broken, or it could not be copied; one that takes several lines leaves no room for many.
    while entries.len() > 2
        && entries.iter().map(|(_, command)| rows(command, style)).sum::<usize>() > LINES_OF_COMMAND * most
    {
        entries.remove(entries.len() - 2);
    }
    named(&entries, style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;
    use crate::replay::next_steps;
    use sim_models::report::Service;

    fn judged(claim: &str, measured: &str, holds: bool) -> Judged {
        Judged { claim: claim.into(), measured: measured.into(), holds, ..Judged::default() }
    }

    /// The page of a report whose user's name is that of an experiment with variants.
    fn page(report: &Report, holds: bool) -> Page {
        let judged =
            vec![judged("recovered is false", "no", true), judged("goodput at most 50/s", "24/s", holds)];
        Page {
            expectations: Judgement { judged, not_enforced: None },
            next: next_steps(report, "brownout", "retry-storm", true, true),
            replicated: None,
        }
    }

    fn check(text: &str, style: Style) {
        assert!(text.lines().all(|line| width(line) <= style.columns()), "too wide:\n{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "blanks at the end of a line:\n{text}");
        assert!(text.lines().count() <= ROWS, "{} lines:\n{text}", text.lines().count());
    }

    /// A storm with more causes than there is room for.
    fn storm() -> Report {
        let mut report = testdata::storm();
        report.verdict.details = (1..=9)
            .map(|n| {
                format!("cause {n} is that a call from checkout to payments costs 2.98 attempts and more")
            })
            .collect();
        report
    }

    #[test]
    fn a_storm_at_every_width() {
        for width in [60, 80, 200] {
            let style = Style { width, ..Style::default() };
            let text = screen(&storm(), &page(&storm(), true), style);
            check(&text, style);
            insta::assert_snapshot!(format!("a_storm_{width}"), text);
        }
    }

    #[test]
    fn a_finding_at_every_width() {
        for width in [60, 80, 200] {
            let style = Style { width, ..Style::default() };
            let text = screen(&testdata::callbacks(), &page(&testdata::callbacks(), true), style);
            check(&text, style);
            insta::assert_snapshot!(format!("a_finding_{width}"), text);
        }
    }

    #[test]
    fn what_failed_is_spelled_out_in_ascii_too() {
        let style = Style { width: 80, unicode: false, ..Style::default() };
        let text = screen(&storm(), &page(&storm(), false), style);
        check(&text, style);
        assert!(text.is_ascii(), "{text}");
        assert!(
            text.contains("FAILED goodput at most 50/s") && text.contains("1 of 2 expectations hold"),
            "{text}"
        );
        // What more seeds decide is neither.
        let mut judgement = page(&storm(), false).expectations;
        let lines = |judgement: &Judgement| expected(judgement, style).join("\n");
        judgement.judged.iter_mut().filter(|judged| !judged.holds).for_each(|judged| judged.undecided = true);
        assert!(lines(&judgement).contains("ok as expected: "), "{}", lines(&judgement));
        judgement.judged.retain(|judged| judged.undecided);
        assert!(!lines(&judgement).contains("expect"), "{}", lines(&judgement));
    }

    /// Whatever a report is like, its verdict is whole and in view.
    #[test]
    fn the_verdict_is_whole() {
        let mut report = storm();
        report.verdict.headline = "goodput is 3 % of offered, ".repeat(12);
        report.about = "A very long story of a very long night, ".to_string() + &"and more ".repeat(60);
        report.overrides =
            (0..9).map(|n| (format!("services.payments.replicas[{n}]"), "4".to_string())).collect();
        for n in 0..9 {
            let name = format!("users->a-service-with-a-long-name-{n}");
            report.edges.push(name, Edge { from_users: true, success: Some(0.5), ..Edge::default() });
        }
        report.stopped = Some("100 events".into());
        for width in [60, 80, 100, 200] {
            let style = Style { width, ..Style::default() };
            let text = screen(&report, &page(&report, true), style);
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let goodput = words.matches("goodput is 3 % of offered").count();
            assert_eq!(goodput, 12, "{text}");
            assert!(words.contains("STOPPED EARLY by a limit: 100 events"), "{text}");
            assert!(text.lines().count() <= ROWS + 6, "{} lines\n{text}", text.lines().count());
        }
    }

    #[test]
    fn colours_move_nothing() {
        for report in [storm(), testdata::callbacks()] {
            let style = Style { width: 80, ..Style::default() };
            let (plain, painted) = (
                screen(&report, &page(&report, false), style),
                screen(&report, &page(&report, false), Style { colour: true, ..style }),
            );
            let mut words = painted.split('\u{1b}');
            let first = words.next().unwrap_or_default().to_string();
            let bare =
                words.fold(first, |text, word| text + word.split_once('m').map_or(word, |(_, rest)| rest));
            assert_eq!(bare, plain);
        }
    }

    #[test]
    fn nothing_at_all() {
        let text = screen(&Report::default(), &Page::default(), Style::default());
        check(&text, Style::default());
        let mut report = Report { experiment: "empty".into(), ..Report::default() };
        report.edges.push("users->checkout", Edge { from_users: true, ..Edge::default() });
        report.services.push("checkout", Service::default());
        let text = screen(&report, &Page::default(), Style::default());
        check(&text, Style::default());
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn hostile_names_stay_in_their_lines() {
        let evil = "e\u{1b}[2J\u{202e}vil\n|name";
        let mut report = testdata::storm();
        report.experiment = evil.into();
        report.about = evil.into();
        report.variant = Some(evil.into());
        report.overrides = vec![(evil.into(), evil.into())];
        report.verdict.headline = evil.into();
        report.verdict.details = vec![evil.into()];
        report.edges.push(evil, Edge { from_users: true, ..Edge::default() });
        let expectations =
            Judgement { judged: vec![judged(evil, evil, false)], not_enforced: Some(evil.into()) };
        let page =
            Page { expectations, next: next_steps(&report, "brownout", evil, true, false), replicated: None };
        let text = screen(&report, &page, Style::default());
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("|name")), "{text}");
    }
}
