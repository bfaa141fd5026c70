//! `run --predict`: what somebody expects, asked before anything is shown, and held against what was measured.
//!
//! Whoever has said what will happen reads a result otherwise. The questions are those of its verdict: whether it recovers, and how many
//! are served meanwhile and afterwards. Answers are read from standard input, a line each; an empty line, or none, is no guess.

use crate::app::App;
use crate::error::{Error, Result};
use crate::experiment::Prepared;
use crate::study::measure::glance;
use crate::text::number::{number, percent};
use crate::text::table::{Entry, Grid};
use crate::text::{Paint, Style, clean, wrap};
use sim_models::report::{Disturbance, Metric, Report};
use std::io::Read;

/// So often somebody at a terminal is asked again.
const TIMES: usize = 3;
/// So near, in calls of 100, is right.
const NEAR: f64 = 2.0;
/// No answer is longer.
const LONGEST: usize = 200;

/// Something that can be guessed, and the guess.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    words: String,
    /// What it is called where the guess is told.
    short: &'static str,
    metric: &'static str,
    kind: Kind,
    guess: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// 1 is yes.
    Truth,
    /// Of 100.
    Share,
}

/// What can be asked about a run that is not made yet.
fn questions(report: &Report) -> Vec<Question> {
    let question = |words: String, short, metric, kind| Question { words, short, metric, kind, guess: None };
    let shares = |words: &str, short, metric| question(words.into(), short, metric, Kind::Share);
    let disturbances = &report.timeline.disturbances;
    if report.edges.iter().all(|(_, edge)| !edge.from_users) {
        return Vec::new();
    }
    if disturbances.is_empty() {
        return vec![shares("how many of 100 calls of users are served?", "served, of 100", "success")];
    }
    let mut all = Vec::new();
    let over = disturbances.iter().map(|it| it.to.filter(|to| *to < report.run.duration)).min().flatten();
    if over.is_some() {
        let what = told(disturbances);
        all.push(question(
            format!("when {what} is over, will it be back to normal before the run ends? (yes or no)"),
            "back to normal",
            "recovered",
            Kind::Truth,
        ));
    }
    all.push(shares(
        "how many of 100 calls are served while it lasts?",
        "served meanwhile, of 100",
        "success during fault",
    ));
    if over.is_some() {
        all.push(shares(
            "and how many of 100 that come afterwards?",
            "served afterwards, of 100",
            "success during after",
        ));
    }
    all
}

/// What disturbs the run: the first by name.
fn told(disturbances: &[Disturbance]) -> String {
    let first = &disturbances[0];
    let name = format!("`{} {}`", clean(&first.what), clean(&first.on));
    match disturbances.len() {
        1 => name,
        more => format!("{name} (and {} more)", more - 1),
    }
}

/// Asks, before the run is made.
pub(super) fn ask(prepared: &Prepared, app: &mut App) -> Result<Vec<Question>> {
    let (mut report, _) = glance(&prepared.resolved);
    report.run.duration = prepared.resolved.run.duration.as_nanos();
    let mut all = questions(&report);
    if all.is_empty() {
        return Err(Error::usage("--predict asks of the calls of users, and this experiment has none"));
    }
    for question in &mut all {
        for _ in 0..TIMES {
            app.console.say(&question.words);
            let Some(line) = line(&mut *app.console.stdin) else { break };
            match read(&line, question.kind) {
                Ok(guess) => {
                    question.guess = guess;
                    break;
                }
                Err(why) if app.console.stdin_terminal => app.console.say(&why),
                Err(why) => return Err(Error::usage(why)),
            }
        }
    }
    Ok(all)
}

/// The next line, without its end; none where there is none.
fn line(input: &mut dyn Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while bytes.len() < LONGEST && input.read(&mut byte).is_ok_and(|read| read == 1) {
        if byte[0] == b'\n' {
            return Some(String::from_utf8_lossy(&bytes).trim().into());
        }
        bytes.push(byte[0]);
    }
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).trim().into())
}

fn read(line: &str, kind: Kind) -> std::result::Result<Option<f64>, String> {
    let shown = clean(line);
    match (kind, line.to_lowercase().as_str()) {
        (_, "") => Ok(None),
        (Kind::Truth, "y" | "yes" | "true") => Ok(Some(1.0)),
        (Kind::Truth, "n" | "no" | "false") => Ok(Some(0.0)),
        (Kind::Truth, _) => Err(format!("`{shown}` is neither yes nor no; an empty line is no guess")),
        (Kind::Share, text) => match text.trim_end_matches('%').trim_end().parse::<f64>() {
            Ok(of) if (0.0..=100.0).contains(&of) => Ok(Some(of)),
            _ => Err(format!("`{shown}` is no number from 0 to 100; an empty line is no guess")),
        },
    }
}

/// Each guess beside what was measured, and why it came so, in the words of the verdict.
pub(super) fn held(questions: &[Question], report: &Report, style: Style) -> String {
    let mut grid = Grid::new().words("you were asked").numbers(["you said", "it was"]).words("");
    let mut wrong = false;
    for question in questions {
        let was = match report.metric(question.metric) {
            Ok(Metric::Truth(truth)) => Some(if truth { 1.0 } else { 0.0 }),
            Ok(Metric::Number(share, _)) => Some(share * 100.0),
            _ => None,
        };
        let show = |value: Option<f64>, of_run: bool| match (question.kind, value) {
            (_, None) => "-".into(),
            (Kind::Truth, Some(truth)) => (if truth == 1.0 { "yes" } else { "no" }).to_string(),
            (Kind::Share, Some(of)) if of_run => percent(of / 100.0).trim_end_matches(" %").into(),
            (Kind::Share, Some(of)) => number(of),
        };
        let (words, paint) = match (question.kind, question.guess.zip(was)) {
            (_, None) => (String::new(), Paint::Plain),
            (_, Some((guess, was)))
                if (guess - was).abs() <= NEAR && (question.kind == Kind::Share || guess == was) =>
            {
                ("right".into(), Paint::Good)
            }
            (Kind::Truth, _) => ("wrong".into(), Paint::Bad),
            (Kind::Share, Some((guess, was))) => {
                let off = number((guess - was).abs().round());
                (format!("{off} too {}", if guess > was { "many" } else { "few" }), Paint::Bad)
            }
        };
        wrong |= paint == Paint::Bad;
        let cells =
            [question.short.to_string(), show(question.guess, false), show(was, true)].map(Entry::from);
        grid.row(cells.into_iter().chain([Entry::painted(words, paint)]));
    }
    let mut lines = grid.text(2, style);
    if wrong {
        let said = std::iter::once(&report.verdict.headline).chain(&report.verdict.details);
        let why = said.take(3).flat_map(|text| wrap(&clean(text), style.columns() - 7));
        lines.extend(
            why.enumerate().map(|(n, line)| format!("  {:4} {line}", if n == 0 { "why" } else { "" })),
        );
    }
    format!("\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;

    #[test]
    fn answers_are_read_as_people_write_them() {
        for (text, kind, expected) in [
            ("yes", Kind::Truth, Some(Some(1.0))),
            ("N", Kind::Truth, Some(Some(0.0))),
            ("", Kind::Truth, Some(None)),
            ("", Kind::Share, Some(None)),
            ("80", Kind::Share, Some(Some(80.0))),
            ("99.9 %", Kind::Share, Some(Some(99.9))),
            ("maybe", Kind::Truth, None),
            ("101", Kind::Share, None),
            ("-1", Kind::Share, None),
            ("NaN", Kind::Share, None),
        ] {
            assert_eq!(read(text, kind).ok(), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_read_one_by_one() {
        let mut input: &[u8] = b"yes\n\n 80 \r\nlast";
        let lines: Vec<Option<String>> = (0..5).map(|_| line(&mut input)).collect();
        let expected = [Some("yes"), Some(""), Some("80"), Some("last"), None];
        assert_eq!(lines, expected.map(|line| line.map(String::from)));
    }

    #[test]
    fn a_guess_is_held_against_the_storm() {
        let report = testdata::storm();
        let mut all = questions(&report);
        let asked: Vec<&str> = all.iter().map(|it| it.short).collect();
        assert_eq!(asked, ["back to normal", "served meanwhile, of 100", "served afterwards, of 100"]);
        all[0].guess = Some(1.0);
        all[1].guess = Some(100.0);
        let text = held(&all, &report, Style::default());
        assert!(text.contains("wrong") && text.contains("why"), "{text}");
        let headline: String = report.verdict.headline.chars().take(20).collect();
        assert!(text.contains(&headline), "{text}");
        // Nobody is told to be wrong who said nothing.
        let mute = held(&questions(&report), &report, Style::default());
        assert!(!mute.contains("wrong") && !mute.contains("why"), "{mute}");
    }
}
