//! Whatever is written in an experiment file, reading it ends in a run or in diagnostics, quickly and without
//! a panic: texts that were valid before bytes, words, numbers or lines of them were changed at random.

use brownout_tests::fuzz::cases;
use brownout_tests::{Rng, beside, random_experiment};
use sim_core::Limits;
use sim_models::experiment::Experiment;
use sim_models::run::RunOptions;
use sim_models::{Catalog, simulate};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many texts; each is read, and run if it is sound.
const TEXTS: u64 = 5_500;

/// What a random change puts in place of something else.
const WORDS: [&str; 34] = [
    "0",
    "1",
    "-1",
    "4294967296",
    "18446744073709551616",
    "1e400",
    "NaN",
    "inf",
    "0.5",
    "\"0s\"",
    "\"1ns\"",
    "\"9999999999s\"",
    "\"600y\"",
    "\"0/s\"",
    "\"1e9/s\"",
    "\"s0\"",
    "\"s1\"",
    "\"\"",
    "None",
    "Some(1)",
    "()",
    "[]",
    "{}",
    "(",
    ")",
    "\"",
    "Hold",
    "Crash(callers: Silence)",
    "Unbounded",
    "Blocking(0)",
    "Async(1000000)",
    "Fixed(attempts: 1000)",
    "Constant(\"0s\")",
    "\u{202e}\u{0}é",
];

fn mutate(text: &str, rng: &mut Rng) -> String {
    let mut text = text.to_owned();
    if rng.one_in(3) {
        return renumber(&text, rng);
    }
    for _ in 0..rng.between(1, 3) {
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            break;
        }
        let from = rng.below(characters.len() as u64) as usize;
        let word = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '.';
        let to = from + characters[from..].iter().take_while(|c| word(c)).count();
        let start = from - characters[..from].iter().rev().take_while(|c| word(c)).count();
        let piece = |range: std::ops::Range<usize>| characters[range].iter().collect::<String>();
        let (before, after) = (piece(0..start), piece(to..characters.len()));
        text = match rng.below(7) {
            // A word becomes another, is doubled, or goes.
            0..=2 => format!("{before}{}{after}", WORDS[rng.below(WORDS.len() as u64) as usize]),
            3 => format!("{before}{0} {0}{after}", piece(start..to)),
            4 => format!("{before}{after}"),
            // A character goes; the rest of the text goes.
            5 => format!("{}{}", piece(0..from), piece((from + 1).min(characters.len())..characters.len())),
            _ if rng.one_in(8) => piece(0..from),
            // Two lines change places.
            _ => {
                let mut lines: Vec<&str> = text.lines().collect();
                let (a, b) = (rng.below(lines.len() as u64) as usize, rng.below(lines.len() as u64) as usize);
                lines.swap(a, b);
                lines.join("\n")
            }
        };
    }
    text
}

/// Two or three of the numbers in a text become others, units and all the rest stay: most of these can be run.
fn renumber(text: &str, rng: &mut Rng) -> String {
    const NUMBERS: [&str; 8] = ["0", "1", "2", "3", "100", "999", "10000", "0.5"];
    let numbers =
        text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|piece| !piece.is_empty()).count();
    let one_in = (numbers as u64 * 2 / 5).max(1);
    let mut changed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        // Part of a name: s0.
        let named = before.ends_with(|c: char| c.is_alphabetic());
        let keep = named || !rng.one_in(one_in);
        changed.push_str(before);
        changed.push_str(if keep { &number[..end] } else { NUMBERS[rng.below(8) as usize] });
        rest = &number[end..];
    }
    changed + rest
}

/// Reads and, if it is sound, runs a text for a moment. Whether it was sound.
fn read_and_run(text: &str) -> bool {
    let Ok((experiment, _)) = Experiment::parse_beside("fuzz.ron", text, &beside(), &[], &Catalog::bundled())
    else {
        return false;
    };
    let resolved = experiment.with(None, &[]).expect("what was read can be resolved");
    assert!(experiment.canonical().is_ok());
    let limits = Limits { events: 5_000, events_at_one_instant: 2_000 };
    let options = RunOptions { limits, max_in_flight: 2_000, ..RunOptions::seeded(1) };
    let mut windows = 0;
    simulate(&resolved, &options, &mut |_| {
        windows += 1;
        if windows < 200 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    true
}

#[test]
fn changed_experiments_are_refused_or_run() {
    let mut sound = 0;
    let cases = cases(TEXTS);
    let all = cases.end - cases.start;
    for seed in cases {
        let rng = &mut Rng::new(seed ^ 0xf00d);
        let text = mutate(&random_experiment(seed % 40), rng);
        let ended = catch_unwind(AssertUnwindSafe(|| read_and_run(&text)));
        sound += u64::from(ended.unwrap_or_else(|_| panic!("text {seed} ends in a panic:\n{text}")));
    }
    println!("{sound} of {all} texts could be run");
    // A fuzzer that breaks everything, or nothing, tests one half only.
    assert!((all / 20..all * 9 / 10).contains(&sound), "{sound} of {all}");
}
