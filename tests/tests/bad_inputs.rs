//! Bad input, row by row, against every command that takes it: told in words, at once, in little memory, the same each time, with the exit
//! code that is due; nothing on standard output, nothing made, no byte of it raw on a terminal.

#[path = "bad/check.rs"]
mod check;
#[path = "bad/files.rs"]
mod files;
#[path = "bad/lines.rs"]
mod lines;
#[path = "bad/places.rs"]
mod places;

use check::{BASE, refused, said, works};
use std::panic::{AssertUnwindSafe, catch_unwind};

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
