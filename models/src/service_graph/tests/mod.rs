//! What is said about a graph before it runs, sentence by sentence, and what `explain` makes of it. Everything here
//! goes through the same door as a file of a user's.

mod alarms;
mod asides;
mod autoscalers;
mod block_and_ramps;
mod breakers;
mod brownouts;
mod by_themselves;
mod bytes;
mod caches;
mod callbacks;
mod calls;
mod cancels;
mod circles;
mod classes;
mod colds;
mod connections;
mod deeds;
mod diagram;
mod discoveries;
mod exact;
mod explain;
mod failures;
mod fallbacks;
mod faults;
mod flags;
mod hedges;
mod keyed;
mod knowledge;
mod leaks;
mod limits;
mod lines;
mod links;
mod meetings;
mod members;
mod observers;
mod orders;
mod per_replica;
mod policies;
mod presets;
mod probes;
mod propagation;
mod quorums;
mod repairs;
mod replicas;
mod requests;
mod rhythms;
mod rollouts;
mod scenes;
mod sharing;
mod shedding;
mod sizes;
mod starts;
mod still;
mod structure;
mod thermals;
mod ties;
mod told;
mod triggers;
mod turns;
mod versions;
mod visits;
mod writes;
mod written_behind;
mod zones;

use crate::Catalog;
use crate::experiment::{Diagnostics, Experiment, Failed, Folder, Severity, Sources};

const WORKLOAD: &str = r#"[(to: "shop", arrivals: Poisson("100/s"), policy: "careful"), (name: "batch", to: "shop", arrivals: Constant("1/s"))]"#;
const SERVICES: &str = r#"{
    "shop": (replicas: 2, workers: Async(8), work: "5ms", calls: [
        (to: "stock", policy: "careful"),
        Parallel([(to: "pay", times: 2), (to: "mail", only_from: ["batch"])]),
    ]),
    "stock": (replicas: 3, workers: Blocking(4), work: "8ms"),
    "pay": (workers: Async(8), work: Exponential(mean: "10ms")),
    "mail": (workers: Async(2), work: "1ms", dies: (at_in_flight: 50, restart_after: "5s")),
}"#;
const POLICIES: &str = r#"{"careful": (timeout: "1s", retry: Fixed(attempts: 2))}"#;
const FAULTS: &str = r#"[(at: "10s", for: "5s", on: "stock", effect: Slow(factor: 3))]"#;
const RUN: &str = r#"(duration: "1min")"#;
/// What a graph in zones says besides, and where its users and its jobs say where they stand.
const NETWORK: &str = r#"network: "1ms""#;
const ZONED: &str = r#"network: "1ms", zones: (names: ["a", "b", "c"], network: "1ms")"#;
const USERS: &str = r#"arrivals: Poisson("100/s")"#;
const BATCH: &str = r#"arrivals: Constant("1/s")"#;

/// What stands beside it, to be replayed.
const BESIDE: [(&str, &str); 10] = [
    ("day.csv", "time,rate\n0s,100/s\n30s,200/s\n60s,100/s\n"),
    ("short.csv", "0s,100/s\n10s,200/s\n"),
    ("nobody.csv", "0s,0/s\n60s,0/s\n"),
    ("calls.csv", "1s\n30s\n60s\n"),
    ("few.csv", "1s\n2s\n"),
    ("tomorrow.csv", "60s\n86400s\n"),
    ("empty.csv", "time,rate\n"),
    ("broken.csv", "time,rate\n0s,9/s\n9s,1/s\n5s\n10s,1/s,2\n8s,2/s\n12s,ten\n"),
    ("mixed.csv", "2s\n3s,1/s\n4s;1/s\n1s\n"),
    ("late.csv", "5s,1/s\n5s,1/s\n5s,2/s\n5s,3/s\n5s,4/s\n5s,5/s\n5s,6/s\n5s,7/s\n5s,8/s\n5s,9/s\n"),
];

/// A graph about which nothing is to be said.
fn shop() -> String {
    format!(
        "(about: \"a shop\", model: ServiceGraph(workload: {WORKLOAD}, services: {SERVICES}, policies: {POLICIES}, \
         faults: {FAULTS}, network: \"1ms\"), run: {RUN})"
    )
}

/// One way to be told something.
struct Row {
    /// What stands in the shop.
    place: &'static str,
    /// What is written instead to be told.
    told: String,
    /// What is written instead to be told nothing: the same, mended.
    mended: String,
    /// What else is written otherwise in both.
    and: Vec<(&'static str, String)>,
    /// All that is told: path, what is underlined, message and help; a warning says that it is one. `*` stands for
    /// a number that is not for a test to know.
    said: &'static str,
}

fn row(place: &'static str, told: impl Into<String>, mended: impl Into<String>, said: &'static str) -> Row {
    Row { place, told: told.into(), mended: mended.into(), and: Vec::new(), said }
}

impl Row {
    fn and(mut self, place: &'static str, value: impl Into<String>) -> Row {
        self.and.push((place, value.into()));
        self
    }

    fn with(&self, value: &str) -> String {
        let mut text = shop();
        let edits = self.and.iter().map(|(place, value)| (*place, value.as_str()));
        for (place, value) in edits.chain([(self.place, value)]) {
            assert_eq!(text.matches(place).count(), 1, "{place} is not once in the shop");
            text = text.replace(place, value);
        }
        said(&text)
    }

    /// As it comes out: without the space before its lines.
    fn said(&self) -> String {
        self.said.lines().map(str::trim).collect::<Vec<_>>().join("\n")
    }

    fn is_told(&self, found: &str) -> bool {
        let said = self.said();
        match said.split_once('*') {
            None => found == said,
            Some((before, after)) => found
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|number| number.parse::<u64>().is_ok()),
        }
    }
}

#[track_caller]
fn hold(rows: &[Row]) {
    let mut wrong = String::new();
    for (number, row) in rows.iter().enumerate() {
        let told = row.with(&row.told);
        if !row.is_told(&told) {
            wrong +=
                &format!("\nrow {number}: {:.80}\nis told:\n{told}\nand not:\n{}\n", row.told, row.said());
        }
        let mended = row.with(&row.mended);
        if !mended.is_empty() {
            wrong += &format!("\nrow {number}, mended: {:.80}\nis told:\n{mended}\n", row.mended);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// All that is said about an experiment, errors and warnings in the order in which they are shown; empty if it is fine.
fn said(text: &str) -> String {
    let beside = Folder::of(BESIDE.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect());
    match Experiment::parse_beside("shop.ron", text, &beside, &[], &Catalog::bundled()) {
        Ok((experiment, warnings)) => lines(&warnings, experiment.sources()),
        Err(Failed { sources, diagnostics }) => lines(&diagnostics, &sources),
    }
}

fn lines(told: &Diagnostics, sources: &Sources) -> String {
    let line = |it: &crate::experiment::Diagnostic| {
        let warning = if it.severity == Severity::Warning { "warning: " } else { "" };
        let help = it.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let under = it.span().map(|span| sources.slice(span)).unwrap_or_default();
        let under = match under.char_indices().nth(40) {
            Some((cut, _)) => format!("{}..", &under[..cut]),
            None => under.to_owned(),
        };
        format!("{warning}{} [{}]: {}{help}", it.path, under.replace('\n', " "), it.message)
    };
    told.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_is_said_about_the_shop() {
    assert_eq!(said(&shop()), "");
}
