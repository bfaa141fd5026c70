//! Whoever is asked about one input says the same of it: `run`, `run --settle`, `compare`, `find` along one setting, its map, `recommend`.
//!
//! What is searched are settings that make no difference, so that every run is the input itself.

use serde_json::Value;
use sim_cli::{Console, Exit};
use std::ffi::OsString;

/// `brownout <words>` about an experiment on standard input, as JSON.
#[track_caller]
fn json(words: &[&str], experiment: &str) -> Value {
    let more = ["--format", "json", "--quiet"];
    let arguments = ["brownout"].iter().chain(words).chain(&more).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (experiment.as_bytes(), Vec::new(), Vec::new());
    let exit = sim_cli::run(arguments, Console::captured(&mut stdin, &mut stdout, &mut stderr));
    let stderr = String::from_utf8_lossy(&stderr);
    assert!([Exit::Good, Exit::Failed].contains(&exit), "{words:?}: {exit:?}: {stderr}\n{experiment}");
    serde_json::from_slice(&stdout).unwrap_or_else(|why| panic!("{words:?}: {why}: {stderr}"))
}

/// A database of 200/s whose callers give up after half a second; `extra` of its settings, a fault or none.
fn database(arrivals: &str, attempts: u32, extra: &str, fault: &str, duration: &str) -> String {
    format!(
        r#"(
    about: "a database",
    model: ServiceGraph(
        workload: [(to: "db", arrivals: {arrivals}, policy: "web", clients: 1)],
        services: {{"db": (workers: Async(10), {extra} work: Exponential(mean: "50ms"))}},
        policies: {{
            "web": (timeout: "500ms", retry: Fixed(attempts: {attempts})),
            "idle": (timeout: "1s", retry: Fixed(attempts: 2)),
        }},
        faults: [{fault}],
    ),
    run: (duration: "{duration}", warm_up: "5s", seed: 1, replications: 3),
    variants: {{"same": {{"policies.idle.timeout": "2s"}}}},
)"#
    )
}

const HOLD: &str = r#"(at: "30s", for: "10s", on: "users->db", effect: Hold)"#;
const UNBOUNDED: &str = "queue: Fifo(capacity: Unbounded),";

/// What a person says of an input, and what each command must.
struct Case {
    name: &'static str,
    experiment: String,
    /// The verdict of `run`, and what it sees ahead.
    kinds: &'static [&'static str],
    outlook: Option<&'static str>,
    recovered: Option<bool>,
    /// What `find` says along a setting: `fine`, `undecided`, `fails`; and its map.
    answer: &'static str,
    state: &'static str,
    /// What `compare` says.
    compare: &'static str,
}

fn cases() -> Vec<Case> {
    vec![
        // Nothing is wrong with it.
        Case {
            name: "steady",
            experiment: database("Poisson(\"100/s\")", 2, UNBOUNDED, "", "120s"),
            kinds: &["steady"],
            outlook: None,
            recovered: None,
            answer: "fine",
            state: "stable",
            compare: "steady on all 3 seeds",
        },
        // 60/s and all their retries are 120/s of 200/s.
        Case {
            name: "recovers",
            experiment: database("Poisson(\"60/s\")", 2, UNBOUNDED, HOLD, "200s"),
            kinds: &["recovered"],
            outlook: None,
            recovered: Some(true),
            answer: "fine",
            state: "stable",
            compare: "recovers in ",
        },
        // 150/s and all their retries are 300/s of 200/s: by the fluid law never.
        Case {
            name: "never",
            experiment: database("Poisson(\"150/s\")", 2, UNBOUNDED, HOLD, "200s"),
            kinds: &["not_recovered"],
            outlook: Some("never"),
            recovered: Some(false),
            answer: "fails",
            state: "metastable",
            compare: "does not recover (0 of 3 seeds)",
        },
        // 90/s are 180/s: 1800 that were held drain at 20/s, which takes 90 s; it has 60.
        Case {
            name: "on its way",
            experiment: database("Poisson(\"90/s\")", 2, UNBOUNDED, HOLD, "100s"),
            kinds: &["not_recovered"],
            outlook: Some("on_its_way"),
            recovered: Some(false),
            answer: "undecided",
            state: "undecided",
            compare: "has not recovered by the end, but is on its way (0 of 3 seeds)",
        },
        // The law does not know who skips the expired. What is served next is always about to expire, and is asked for once more.
        Case {
            name: "stays",
            experiment: database(
                "Poisson(\"175/s\")",
                2,
                "queue: Fifo(capacity: Unbounded, drop_expired: true),",
                HOLD,
                "300s",
            ),
            kinds: &["not_recovered"],
            outlook: Some("stays"),
            recovered: Some(false),
            answer: "fails",
            state: "metastable",
            compare: "does not recover (0 of 3 seeds)",
        },
        // A call in half a minute: after the fault there are two or three.
        Case {
            name: "too few calls",
            experiment: database("Constant(\"0.04/s\")", 2, UNBOUNDED, &HOLD.replace("30s", "400s"), "460s"),
            kinds: &["undecided"],
            outlook: None,
            recovered: None,
            answer: "undecided",
            state: "undecided",
            compare: "undecided on all 3 seeds",
        },
        // The end is four seconds after the fault's.
        Case {
            name: "too soon",
            experiment: database("Poisson(\"60/s\")", 2, UNBOUNDED, HOLD, "44s"),
            kinds: &["still_disturbed"],
            outlook: None,
            recovered: None,
            answer: "undecided",
            state: "undecided",
            compare: "still disturbed on all 3 seeds",
        },
        // 240/s of 200/s, and nobody gives up.
        Case {
            name: "overloaded",
            experiment: database("Poisson(\"240/s\")", 1, UNBOUNDED, "", "120s")
                .replace("timeout: \"500ms\", ", ""),
            kinds: &["overloaded"],
            outlook: None,
            recovered: None,
            answer: "fails",
            state: "overloaded",
            compare: "overloaded on all 3 seeds",
        },
        // The same, and they do.
        Case {
            name: "overloaded, and nobody is served",
            experiment: database("Poisson(\"240/s\")", 1, "queue: Fifo(capacity: 200),", "", "120s"),
            kinds: &["overloaded"],
            outlook: None,
            recovered: None,
            answer: "fails",
            state: "overloaded",
            compare: "overloaded on all 3 seeds",
        },
        // 192/s of 200/s, and it dies of 120 in flight: by luck, every few minutes, for ever.
        Case {
            name: "never settles",
            experiment: database(
                "Poisson(\"192/s\")",
                3,
                "queue: Fifo(capacity: Unbounded), dies: (at_in_flight: 120, restart_after: \"20s\"),",
                &HOLD.replace("Hold", "Drop()").replace("10s", "3s"),
                "1800s",
            ),
            kinds: &["never_settles"],
            outlook: None,
            recovered: Some(false),
            answer: "fails",
            state: "overloaded",
            compare: "never settles (0 of 3 seeds)",
        },
    ]
}

const CLIENTS: &str = "workload[0].clients=1..2";
const IDLE: &str = "policies.idle.retry.attempts=2..3";

#[test]
fn everybody_says_the_same_of_one_input() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut told = Vec::new();
        for seed in ["1", "2", "3"] {
            let report = json(&["run", "-", "--seed", seed], &case.experiment);
            let verdict = &report["verdict"];
            let kind = verdict["kind"].as_str().unwrap_or_default();
            told.push((
                format!("run --seed {seed}: {kind} {} {}", verdict["outlook"], verdict["headline"]),
                case.kinds.contains(&kind)
                    && verdict["outlook"].as_str() == case.outlook
                    && report["summary"]["recovered"].as_bool() == case.recovered,
            ));
        }
        let compared = json(&["compare", "-"], &case.experiment);
        for variant in compared["variants"].as_array().expect("variants") {
            let text = variant["sentence"].as_str().unwrap_or_default();
            told.push((format!("compare: {text}"), text.contains(case.compare)));
        }
        let found = json(&["find", "-", "--set", IDLE, "--replications", "3"], &case.experiment);
        let search = &found["searches"][0];
        let nothing = Vec::new();
        let undecided = search["undecided"].as_array().unwrap_or(&nothing);
        let answer = match (undecided.len(), search["starts_failed"].as_bool()) {
            (1, _) => "undecided",
            (_, Some(true)) => "fails",
            _ => "fine",
        };
        let edges = search["edges"].as_array().map_or(0, Vec::len);
        told.push((format!("find: {answer}, {edges} edges"), answer == case.answer && edges == 0));
        let words = ["find", "-", "--set", CLIENTS, "--set", IDLE, "--grid", "2x2", "--harder", "1.01"];
        let map = json(&words, &case.experiment);
        for cell in map["cells"].as_array().expect("cells") {
            let state = cell["state"].as_str().unwrap_or_default();
            told.push((format!("map: {state} at {}", cell["at"]), state == case.state));
        }
        if case.experiment.contains("(at: ") {
            let words = ["recommend", "-", "--set", IDLE, "--maximize", "goodput", "--budget", "24"];
            let words = [&words[..], &["--replications", "3"]].concat();
            let recommended = json(&words, &case.experiment);
            let outcome = recommended["outcome"].as_str().unwrap_or_default();
            told.push((
                format!("recommend: {outcome}"),
                (outcome == "infeasible") == (case.recovered != Some(true)),
            ));
        }
        if told.iter().any(|(_, right)| !right) {
            let said: Vec<String> = told
                .iter()
                .map(|(said, right)| format!("{} {said}", if *right { ' ' } else { '!' }))
                .collect();
            wrong.push(format!("{}:\n  {}", case.name, said.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is on its way has arrived when it is waited for, after the time that the queue takes to drain: 1800 were held and asked for
/// once more while they waited, and 20/s are to spare.
#[test]
fn who_runs_on_learns_what_comes() {
    let all = cases();
    let of = |name: &str| &all.iter().find(|case| case.name == name).expect("a case").experiment;
    let report = json(&["run", "-", "--settle"], of("on its way"));
    assert_eq!(report["verdict"]["kind"], "recovered", "{:#}", report["verdict"]);
    let took = report["summary"]["time_to_recover"].as_f64().expect("a time") / 1e9;
    println!("{took} s: {:#}", report["verdict"]);
    assert!((60.0..120.0).contains(&took), "{took}");
    let told = report["verdict"]["details"][0].as_str().unwrap_or_default();
    assert!(told.starts_with("the experiment's own 100 s are too short to tell: it was run for "), "{told}");
    let found = json(&["find", "-", "--set", IDLE, "--replications", "3", "--settle"], of("on its way"));
    assert_eq!(found["searches"][0]["undecided"], Value::Null, "{:#}", found["searches"][0]);
    assert_eq!(found["searches"][0]["starts_failed"], false);
    let words =
        ["find", "-", "--set", CLIENTS, "--set", IDLE, "--grid", "2x2", "--harder", "1.01", "--settle"];
    let map = json(&words, of("on its way"));
    let states: Vec<&str> = map["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .map(|it| it["state"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(states, ["stable"; 4]);
    // Of many runs each is waited for by itself.
    let many = json(&["run", "-", "--settle", "--replications", "3"], of("on its way"));
    let column = |path: &str| {
        let metrics = many["metrics"].as_array().expect("metrics");
        &many["values"][metrics.iter().position(|it| it["path"] == path).expect("that metric")]
    };
    assert_eq!(column("recovered"), &serde_json::json!([true, true, true]));
    let times: Vec<f64> =
        column("time_to_recover").as_array().expect("times").iter().filter_map(Value::as_f64).collect();
    assert!(times.len() == 3 && times[0] == took * 1e9 && times[1] != times[0], "{times:?}");
    // What is known needs no waiting, and what stays for sixteen times as long does so for ever.
    for (name, times) in [("never", 1), ("recovers", 1), ("overloaded", 1), ("stays", 4)] {
        let report = json(&["run", "-", "--settle=4"], of(name));
        let own = json(&["run", "-"], of(name));
        let longer = report["run"]["duration"].as_u64().expect("a time")
            / own["run"]["duration"].as_u64().expect("a time");
        assert_eq!(longer, times, "{name}: {:#}", report["verdict"]);
        if times > 1 {
            assert_eq!(report["verdict"]["outlook"], "never", "{name}: {:#}", report["verdict"]);
            let headline = report["verdict"]["headline"].as_str().unwrap_or_default();
            assert!(
                headline.starts_with(
                    "never, as far as 20 min can show, 4 times the experiment's own; not within"
                ),
                "{headline}"
            );
        }
    }
}
