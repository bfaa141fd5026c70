//! A mechanism that nobody here has heard of, and what it measures: told, drawn, listed, exported, expected of and
//! compared without a line about it outside of its model.

use sim_cli::{Console, Exit};
use sim_models::report::{Better, Edge, EdgeWindows, Fold, Report, RunFacts, Section, Unit, Value};
use sim_models::run::{Observer, RunOptions, RunOutput};
use sim_models::{Catalog, Entry, RunSpec, Scenario};
use std::ffi::OsString;
use std::path::Path;

sim_models::spec! {
    /// A cache that is said to have been asked a hundred times in each of four windows.
    pub struct Cached {
        /// How often it knew, in each window.
        hits: Vec<u32>,
    }
}

const EDGE: &str = "front->store";

impl Cached {
    /// What it will measure: values of each unit, one for each way to follow from windows, and one that does not.
    fn cache() -> Section {
        let name = String::from;
        Section::new("cache", EDGE)
            .value(
                "hit_ratio",
                Value {
                    exact: Some(0.5),
                    source: "Che".into(),
                    ..Value::new(Unit::Share, "answers from the cache, of those asked for")
                        .better(Better::More)
                        .headline()
                        .of_windows(Fold::Ratio(name("hits"), name("asked")))
                },
            )
            .value(
                "lookup",
                Value::new(Unit::Duration, "one look")
                    .better(Better::Less)
                    .of_windows(Fold::Mean(name("lookup"))),
            )
            .value("hits", Value::new(Unit::Plain, "answers").of_windows(Fold::Sum(name("hits"))))
            .value("fill_rate", Value::new(Unit::Rate, "new entries").of_windows(Fold::Max(name("fills"))))
            .value("entries", Value::new(Unit::Plain, "what it holds at the end"))
            .value("stale", Value::new(Unit::Plain, "answers that are too old"))
            .line("hits", Unit::Plain, "Answers from the cache.")
            .line("asked", Unit::Plain, "What it was asked for.")
            .line("lookup", Unit::Duration, "One look.")
            .line("fills", Unit::Rate, "New entries.")
            .line("full", Unit::Share, "What of it is taken.")
    }
}

impl Scenario for Cached {
    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        vec![Cached::cache(), Section::new("clock", "").value("skew", Value::new(Unit::Duration, "apart"))]
    }

    fn run(&self, run: &RunSpec, _options: &RunOptions, _observer: Observer) -> RunOutput {
        let (duration, window) = (run.duration.as_nanos(), run.window.as_nanos());
        let count = (duration / window) as usize;
        let mut report =
            Report { run: RunFacts { duration, window, ..RunFacts::default() }, ..Report::default() };
        let windows = EdgeWindows {
            started: vec![100; count],
            ok: vec![100; count],
            failed: vec![0; count],
            attempts: vec![100; count],
            ..EdgeWindows::default()
        };
        report.edges.push(EDGE, Edge { windows, ..Edge::default() });
        let mut cache = Cached::cache();
        let hits: Vec<f64> = self.hits.iter().map(|&n| n.into()).collect();
        cache.set("hit_ratio", hits.iter().sum::<f64>() / 400.0);
        cache.set("hits", hits.iter().sum::<f64>());
        cache.set("lookup", 2e6);
        cache.set("fill_rate", 90.0);
        cache.set("entries", 7.0);
        cache.draw("hits", hits.clone());
        cache.draw("asked", vec![100.0; 4]);
        cache.draw("lookup", vec![1e6, 2e6, 2e6, 3e6]);
        cache.draw("fills", hits.iter().map(|hits| 100.0 - hits).collect());
        cache.draw("full", vec![0.25, 0.5, 0.75, 1.0]);
        report.sections.push(cache);
        RunOutput { report, ..RunOutput::default() }
    }
}

const EXPERIMENT: &str = r#"(
    about: "A cache fills.",
    model: Cached(hits: [10, 40, 70, 80]),
    run: (duration: "4s", window: "1s", warm_up: "0s"),
    variants: {"cold": {"hits": [0, 10, 20, 30]}},
    expect: [
        (metric: "cache[\"front->store\"].hit_ratio", equals: 0.5),
        (metric: "cache[\"front->store\"].hit_ratio", equals: 0.75, during: "2s..4s"),
        (metric: "cache[\"front->store\"].lookup", at_most: "2500us", during: "2s..4s"),
        (metric: "cache[\"front->store\"].hits", equals: 150, during: "2s..4s"),
        (metric: "cache[\"front->store\"].fill_rate", equals: 30, during: "2s..4s"),
    ],
)
"#;

/// What a command line about the experiment, which stands in for `FILE`, prints, and how it ends.
fn asked(words: &[&str]) -> (Exit, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cached.ron");
    std::fs::write(&file, EXPERIMENT).unwrap();
    let word = |word: &&str| OsString::from(if *word == "FILE" { file.to_str().unwrap() } else { word });
    let arguments = std::iter::once("brownout".into()).chain(words.iter().map(word));
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    let catalog = Catalog::new([Entry::of::<Cached>("Cached", "a cache", 1)]);
    let exit = sim_cli::run_with(&catalog, arguments.collect::<Vec<_>>(), console);
    stdout.extend(stderr);
    (exit, String::from_utf8(stdout).unwrap())
}

/// The same of one that is good.
fn good(words: &[&str]) -> String {
    let (exit, said) = asked(words);
    assert_eq!(exit, Exit::Good, "{words:?}: {said}");
    said
}

fn has(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "no {part:?} in\n{text}"));
}

#[test]
fn it_is_on_the_text_page() {
    let page = good(&["run", "FILE", "--full"]);
    let heads = ["cache", "hit ratio", "lookup", "hits", "fill rate", "entries", "stale"];
    let head = page.lines().find(|line| line.contains("hit ratio")).unwrap_or_else(|| panic!("{page}"));
    has(head, &heads);
    has(&page, &[EDGE, "50 % (exact 50 %)", "2 ms", "90/s", "exact: Che", "clock"]);
    // The first of its lines are in the picture, each with what it is at the end and at its highest; the others are counted.
    has(&page, &["cache front->store hits", "cache front->store asked", "3 more series: --format csv"]);
}

#[test]
fn it_is_on_the_page_and_nothing_is_drawn_twice() {
    let folder = tempfile::tempdir().unwrap();
    good(&["run", "FILE", "--quiet", "--out", folder.path().to_str().unwrap()]);
    let read = |name: &str| std::fs::read_to_string(Path::new(folder.path()).join(name)).unwrap();
    let page = read("report.html");
    has(&page, &["time-cache\"", "time-cache-times", "time-cache-rates", "time-cache-shares"]);
    has(&page, &["<td>hit_ratio</td>", "answers that are too old", "exact from"]);
    has(&read("windows.csv"), &[",front->store cache_hits,", "cache_full"]);
    has(&read("metrics.om"), &["# TYPE brownout_cache_hits gauge"]);
}

#[test]
fn it_is_in_both_tables_of_windows() {
    let csv = good(&["run", "FILE", "--format", "csv"]);
    let head = csv.lines().next().unwrap();
    let names = ["hits", "asked", "lookup", "fills", "full"].map(|line| format!("{EDGE} cache_{line}"));
    assert!(head.ends_with(&names.join(",")), "{head}");
    assert!(csv.lines().nth(2).unwrap().ends_with(",40,100,0.002,60,0.5"), "{csv}");
    let tidy = good(&["run", "FILE", "--format", "tidy-csv"]);
    has(
        &tidy,
        &[
            "\n1,2,edge,front->store,cache_hits,,40\n",
            "\n1,2,edge,front->store,cache_lookup,s,0.002\n",
            "\n1,2,edge,front->store,cache_fills,/s,60\n",
            "\n1,2,edge,front->store,cache_full,share,0.5\n",
        ],
    );
}

#[test]
fn it_is_scraped() {
    let metrics = good(&["run", "FILE", "--format", "openmetrics"]);
    let at = |name: &str| {
        let begin = format!("brownout_{name}{{");
        let lines = metrics.lines().filter(|line| line.starts_with(&begin));
        lines.map(|line| line.rsplit_once("} ").unwrap().1).collect::<Vec<_>>()
    };
    assert_eq!(at("cache_hits"), ["10 1", "40 2", "70 3", "80 4"]);
    assert_eq!(at("cache_lookup_seconds"), ["0.001 1", "0.002 2", "0.002 3", "0.003 4"]);
    assert_eq!(at("cache_fills_per_second"), ["90 1", "60 2", "30 3", "20 4"]);
    assert_eq!(at("cache_full_ratio"), ["0.25 1", "0.5 2", "0.75 3", "1 4"]);
    assert_eq!(at("measured_cache_hit_ratio_ratio"), ["0.5 4"]);
    assert_eq!(at("measured_cache_entries"), ["7 4"]);
    assert_eq!(at("measured_cache_stale"), [""; 0], "nothing was measured");
    has(&metrics, &["# HELP brownout_cache_hits Answers from the cache.", ",edge=\"front->store\"} 10 1"]);
}

#[test]
fn it_is_listed_whether_measured_or_not() {
    let list = good(&["list", "metrics", "FILE", "--format", "csv"]);
    has(
        &list,
        &[
            r#""cache[""front->store""].hit_ratio",share,more"#,
            r#""cache[""front->store""].hit_ratio.exact",share,"#,
            r#""cache[""front->store""].lookup",ns,less"#,
            r#""cache[""front->store""].fill_rate",/s,"#,
            r#""cache[""front->store""].stale""#,
            "clock.skew",
        ],
    );
}

#[test]
fn it_is_expected_of_and_a_part_knows_what_follows_from_windows() {
    good(&["check", "FILE"]);
    let wrong = EXPERIMENT.replace("].hits\", equals: 150", "].entries\", equals: 150");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.ron");
    std::fs::write(&file, wrong).unwrap();
    let (exit, said) = asked(&["check", file.to_str().unwrap()]);
    assert_ne!(exit, Exit::Good);
    has(&said, &["entries", "known for the whole run only"]);
}

#[test]
fn it_is_compared_and_more_is_better() {
    let compared = good(&["compare", "FILE", "--replications", "2"]);
    has(&compared, &["cache[\"front->store\"].hit_ratio 50 % -> 15 %; worse on all 2 seeds"]);
    let json = good(&["compare", "FILE", "--replications", "2", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let metrics = json["metrics"].as_array().unwrap();
    let ratio = metrics.iter().find(|metric| metric["path"] == "cache[\"front->store\"].hit_ratio");
    let ratio = ratio.unwrap_or_else(|| panic!("{metrics:?}"));
    assert_eq!((&ratio["unit"], &ratio["less_is_better"]), (&"share".into(), &false.into()));
}
