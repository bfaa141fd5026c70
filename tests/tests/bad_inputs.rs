//! Bad input, row by row, against every command that takes it: told in words, at once, in little memory, the same each time, with the exit
//! code that is due; nothing on standard output, nothing made, no byte of it raw on a terminal.

#[path = "bad/check.rs"]
mod check;
#[path = "bad/files.rs"]
mod files;
#[path = "bad/index.rs"]
mod index;
#[path = "bad/lines.rs"]
mod lines;
#[path = "bad/places.rs"]
mod places;

use brownout_tests::{resolve, run_with};
use check::{BASE, refused, said, works};
use index::Where;
use sim_core::Limits;
use sim_models::run::RunOptions;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Tries them all, and says of each that is not as it should be what is wrong.
fn all<T>(rows: impl IntoIterator<Item = T>, name: impl Fn(&T) -> String, hold: impl Fn(&T)) {
    let (mut tried, mut wrong) = (0, Vec::new());
    for row in rows {
        tried += 1;
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hold(&row))) {
            let words = payload.downcast_ref::<String>().cloned().unwrap_or_default();
            wrong.push(format!("{}: {words}", name(&row)));
        }
    }
    println!("{} of {tried} as they should be", tried - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_is_tried_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut tried: BTreeSet<u16> =
        files::refused().iter().chain(&files::doubtful()).map(|row| row.number).collect();
    for (number, place) in &index::ELSEWHERE {
        tried.insert(*number);
        match place {
            Where::Test(file, test) => {
                let text = fs::read_to_string(root.join(file)).unwrap_or_default();
                assert!(text.contains(&format!("fn {test}(")), "row {number}: no {test} in {file}");
            }
            Where::Nowhere(why) => assert!(!why.is_empty(), "row {number}"),
        }
    }
    let missing: Vec<&u16> = index::ROWS.iter().filter(|number| !tried.contains(number)).collect();
    assert!(missing.is_empty(), "rows that nobody tries: {missing:?}");
}

/// Users who do not think, of a service that takes no time.
#[test]
fn time_that_stands_still_is_an_end() {
    let loop_of = r#"arrivals: ClosedLoop(users: 3, think: "0s")"#;
    let text = BASE.replace(r#"arrivals: Poisson("20/s")"#, loop_of).replace("1ms", "0s");
    let text = text.replace(r#"Exponential(mean: "5ms")"#, r#""0s""#);
    let limits = Limits { events_at_one_instant: 10_000, ..Limits::default() };
    let options = RunOptions { limits, ..RunOptions::seeded(3) };
    let report = run_with(&resolve(&text, None), &options).report;
    let stopped = report.stopped.unwrap_or_default();
    assert!(stopped.starts_with("time stands still at 0s: users call over users->front"), "{stopped}");
    assert!(report.run.events > 9_000, "{}", report.run.events);
}

#[test]
fn bad_files_are_refused_by_every_command() {
    all(files::refused(), |row| format!("row {:03}", row.number), refused);
}

#[test]
fn doubtful_files_run_with_a_word() {
    all(files::doubtful(), |row| format!("row {:03}", row.number), works);
}

#[test]
fn bad_command_lines_are_refused() {
    let held = |(words, exit, expected): &lines::Line| said(words, BASE, *exit, expected);
    all(lines::LINES, |(words, ..)| words.to_string(), held);
    let alone = BASE.replace(r#", variants: {"wide": {"services.back.replicas": 3}}"#, "");
    assert_ne!(alone, BASE);
    said("compare -", &alone, 2, &["no variants", "--baseline", "sweep -"]);
}

#[test]
fn bad_places_are_told() {
    places::all();
}

#[test]
fn what_is_wrong_with_every_value_of_an_axis_is_told_once() {
    let values: Vec<String> = (1..=750).map(|value| value.to_string()).collect();
    let set = format!("policies.p.timeout={}", values.join(","));
    let ran = check::brownout(&["sweep".into(), "-".into(), "--set".into(), set.into()], BASE.as_bytes());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error").count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("got 1, a number without a unit; so are 749 more of its values"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_asked_of_a_time_after_the_end_is_refused() {
    for (command, set, option, asked) in [
        ("recommend", "services.back.replicas=1,2", "--maximize", "goodput during 3s..4s"),
        ("recommend", "services.back.replicas=1,2", "--minimize", "p99 during 1s..4s"),
        ("compare", "services.back.replicas=1", "--metric", "goodput during 3s..4s"),
    ] {
        let words = [command, "-", "--set", set, option, asked].map(Into::into);
        let ran = check::brownout(&words, BASE.as_bytes());
        assert_eq!(ran.code, 2, "{command} {option} '{asked}': {}", ran.stderr);
        assert!(ran.stderr.contains("the run ends at 2s"), "{}", ran.stderr);
    }
}
