//! `find` and `recommend` against what theory says of the answer.

use serde_json::Value;
use sim_cli::{Console, Exit};
use std::ffi::OsString;

/// `brownout <words>` with an experiment on standard input: exit code, document, and the rest.
fn brownout(words: &[&str], experiment: &str) -> (Exit, String, String) {
    let arguments = std::iter::once("brownout").chain(words.iter().copied()).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (experiment.as_bytes(), Vec::new(), Vec::new());
    let exit = sim_cli::run(arguments, Console::captured(&mut stdin, &mut stdout, &mut stderr));
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (exit, text(stdout), text(stderr))
}

/// The same as JSON; it must have gone well.
#[track_caller]
fn json(words: &[&str], experiment: &str) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--format", "json", "--quiet"]).collect();
    let (exit, stdout, stderr) = brownout(&words, experiment);
    assert_eq!(exit, Exit::Good, "{words:?}: {stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

/// 200/s; the outage holds messages back for ten seconds, and the retries keep what piles up alive.
fn database(attempts: u32, per_sec: f64) -> String {
    format!(
        r#"(
    about: "a database and an outage",
    model: ServiceGraph(
        workload: [(to: "db", arrivals: Poisson("{per_sec}/s"), policy: "web")],
        services: {{"db": (workers: Async(10), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "50ms"))}},
        policies: {{"web": (timeout: "500ms", retry: Fixed(attempts: {attempts}))}},
        faults: [(at: "15s", for: "10s", on: "users->db", effect: Hold)],
    ),
    run: (duration: "300s", warm_up: "5s", seed: 1, replications: 4),
)"#
    )
}

const CAPACITY: f64 = 200.0;

/// The one edge of a search, and what the fluid law says of it.
#[track_caller]
fn edge(found: &Value, which: &str) -> (f64, f64, f64) {
    let searches = found["searches"].as_array().expect("searches");
    let search = searches.iter().find(|search| search["which"] == which).expect("that search");
    let edges = search["edges"].as_array().expect("edges");
    assert_eq!(edges.len(), 1, "{which}: {search:#}");
    let number = |value: &Value| value.as_f64().expect("a number");
    (number(&edges[0]["mean"]), number(&edges[0]["half_width"]), search["fluid"].as_f64().unwrap_or(f64::NAN))
}

/// A short queue turns away whom it cannot serve soon: who is served is served as fast at ten times the load, and is one of ten.
#[test]
fn a_search_by_the_time_of_survivors_says_how_few_they_are() {
    let text = r#"(about: "a door", model: ServiceGraph(
        workload: [(to: "door", arrivals: Poisson("100/s"))],
        services: {"door": (workers: Async(10), queue: Fifo(capacity: 1), work: "50ms")},
    ), run: (duration: "40s", warm_up: "5s", seed: 1))"#;
    let load = ["--set", "workload[0].arrivals=100/s..2000/s"];
    let until = ["--until", "p99 > 300ms", "--replications", "2", "--quiet"];
    let find = |more: &[&str]| {
        let words: Vec<&str> = ["find", "-"].iter().chain(&load).chain(&until).chain(more).copied().collect();
        let (exit, stdout, stderr) = brownout(&words, text);
        assert_eq!(exit, Exit::Good, "{stderr}");
        stdout
    };
    let joined = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "p99 is of the calls that ended well, which are 10 % of all at 2 000/s on seed";
    for page in [find(&[]), find(&["--format", "markdown"])] {
        assert!(
            joined(&page).contains(told) && joined(&page).contains("response.p99 is of all calls"),
            "{page}"
        );
    }
    let found: Value = serde_json::from_str(&find(&["--format", "json"])).expect("JSON");
    let share = found["fewest"]["share"].as_f64().expect("a share");
    assert!((share - 0.1).abs() < 0.01 && found["fewest"]["at"] == serde_json::json!([2000.0]), "{found:#}");
    // By the time of all calls it has an edge, where one in a hundred is turned away.
    let of_all = ["find", "-", load[0], load[1], "--until", "response.p99 > 300ms", "--replications", "2"];
    let at = edge(&json(&of_all, text), "alone").0;
    assert!((100.0..200.0).contains(&at), "{at}");
    // Where there is an edge, each of its ends says of whom it is.
    let slow = text.replace("Fifo(capacity: 1)", "Fifo(capacity: 100)");
    let words = ["find", "-", load[0], load[1], until[0], until[1], "--format", "csv", "--quiet"];
    let (_, csv, stderr) = brownout(&words, &slow);
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heads = rows.next().expect("a head");
    let column = |name: &str| {
        heads.iter().position(|head| *head == name).unwrap_or_else(|| panic!("{name}: {csv}{stderr}"))
    };
    let of_seed = rows.find(|row| !row[column("seed")].is_empty()).expect("a seed's row");
    let number =
        |name: &str| of_seed[column(name)].parse::<f64>().unwrap_or_else(|_| panic!("{name}: {csv}"));
    assert!(number("answered_high") <= number("answered_low") && number("answered_low") > 0.9, "{csv}");
    // Of two settings each cell says it.
    let map = [
        "find",
        "-",
        load[0],
        load[1],
        "--set",
        "services.door.workers=10..11",
        "--grid",
        "2x2",
        until[0],
        until[1],
        "--quiet",
    ];
    let (_, page, stderr) = brownout(&map, text);
    assert!(joined(&page).contains("which are 10 % of all at 2 000/s and 10 on seed"), "{page}{stderr}");
}

/// Refusing nearly everybody is fast for the few who are let in, and no answer to who wants p99 small or bounded.
#[test]
fn a_recommendation_minds_whom_its_times_are_of() {
    let text = r#"(about: "a door", model: ServiceGraph(
        workload: [(to: "door", arrivals: Poisson("1000/s"))],
        services: {"door": (workers: Async(10), queue: Fifo(capacity: 1), work: "50ms")},
    ), run: (duration: "20s", warm_up: "2s", seed: 1))"#;
    let words = [
        "recommend",
        "-",
        "--maximize",
        "goodput",
        "--subject-to",
        "p99 <= 300ms",
        "--replications",
        "2",
        "--budget",
        "40",
        "--set",
        "services.door.workers=10,20,80",
        "--quiet",
    ];
    let (exit, page, stderr) = brownout(&words, text);
    assert_eq!(exit, Exit::Good, "{page}{stderr}");
    assert!(page.contains("services.door.workers=80"), "{page}");
    let poor =
        words.map(|word| if word.ends_with("10,20,80") { "services.door.workers=10,20" } else { word });
    let (exit, page, stderr) = brownout(&poor, text);
    assert_eq!(exit, Exit::Failed, "{page}{stderr}");
    assert!(
        page.contains("p99 <= 300ms holds on 0 of 2 fresh seeds") && page.contains(" ms of 40 %"),
        "{page}"
    );
    let joined = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "of calls get no answer at the best of these settings, and have waited longer than any bound; \
               more success may be asked for first";
    assert!(joined(&page).contains(why) && joined(&page).contains("why p99: 6"), "{page}");
    // A few errors are there whatever is set: a percentile that leaves them out can be asked for, and that is named.
    let errors = text.replace("work: \"50ms\"", "work: \"50ms\", error_rate: 0.03");
    let roomy =
        words.map(|word| if word.ends_with("10,20,80") { "services.door.workers=90,95" } else { word });
    let (exit, page, _) = brownout(&roomy, &errors);
    let instead = "p95 leaves out more, more success may be asked for first";
    assert!(exit == Exit::Failed && joined(&page).contains(instead), "{page}");
    let p95 = roomy.map(|word| if word == "p99 <= 300ms" { "p95 <= 300ms" } else { word });
    assert_eq!(brownout(&p95, &errors).0, Exit::Good);
    // Where it is what is to be small, none is better than another.
    let least = [&["recommend", "-", "--minimize", "p99"], &roomy[6..]].concat();
    let (exit, page, stderr) = brownout(&least, &errors);
    assert!(exit == Exit::Failed && page.contains("NONE IS BETTER THAN ANOTHER"), "{page}{stderr}");
}

/// Whoever asks for little work and nothing else is told what it costs.
#[test]
fn a_recommendation_says_how_many_are_served_less() {
    let text = r#"(about: "a door", model: ServiceGraph(
        workload: [(to: "door", arrivals: Poisson("100/s"), policy: "p")],
        services: {"door": (workers: Async(10), work: "20ms", error_rate: 0.5)},
        policies: {"p": (retry: Fixed(attempts: 4))},
    ), run: (duration: "20s", warm_up: "2s", seed: 1))"#;
    let words = ["recommend", "-", "--minimize", "amplification", "--replications", "2", "--budget", "40"];
    let words = [&words[..], &["--quiet", "--set", "policies.p.retry.attempts=1,2,4"]].concat();
    let joined = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, page, stderr) = brownout(&words, text);
    assert!(page.contains("SET  policies.p.retry.attempts=1"), "{page}{stderr}");
    assert!(joined(&page).contains("at a price 51 % of calls are served instead of 93 %"), "{page}");
    // Nobody is served less where that is a condition.
    let fair = [&words[..], &["--subject-to", "success >= 90%"]].concat();
    let (_, page, _) = brownout(&fair, text);
    assert!(page.contains("KEEP  policies.p.retry.attempts=4") && !page.contains("at a price"), "{page}");
}

#[test]
fn a_stretch_after_the_end_is_refused() {
    for words in [
        [
            "find",
            "-",
            "--set",
            "workload[0].arrivals=20/s..240/s",
            "--until",
            "success during 300s..400s < 0.9",
        ],
        [
            "recommend",
            "-",
            "--set",
            "workload[0].arrivals=20/s..240/s",
            "--maximize=goodput",
            "--subject-to=success during 301s..400s > 0.9",
        ],
    ] {
        let (exit, _, stderr) = brownout(&words, &database(2, 150.0));
        assert_eq!(exit, Exit::Usage, "{stderr}");
        assert!(
            stderr.contains("the run ends at 5min") || stderr.contains("the run ends at 300s"),
            "{stderr}"
        );
    }
}

/// The fluid law is about collapse: beside somebody's own idea of failure it would be a comparison of two things.
#[test]
fn the_fluid_law_is_silent_about_other_failures() {
    let words = ["find", "-", "--set", "workload[0].arrivals=20/s..240/s", "--until", "p99 > 400ms"];
    let found = json(&[&words[..], &["--replications", "2"]].concat(), &database(2, 150.0));
    for search in found["searches"].as_array().expect("searches") {
        assert!(search["fluid"].is_null(), "{search:#}");
    }
}

/// F-4: vulnerable above 1 / (1 + r) of capacity, to 0.03, and back below it.
#[test]
fn the_fluid_boundary_is_found() {
    for retries in [1u32, 2, 3] {
        let found =
            json(&["find", "-", "--set", "workload[0].arrivals=20/s..240/s"], &database(retries + 1, 150.0));
        let boundary = 1.0 / f64::from(retries + 1);
        for which in ["fault", "back"] {
            let (mean, half, fluid) = edge(&found, which);
            println!("{retries} retries, {which}: {mean:.1} ± {half:.1} for {:.1}", boundary * CAPACITY);
            assert!((mean / CAPACITY - boundary).abs() <= 0.03, "{retries} retries, {which}: {mean}");
            assert!((fluid / CAPACITY - boundary).abs() <= 0.001, "{retries} retries, {which}: {fluid}");
        }
        let (alone, _, fluid) = edge(&found, "alone");
        assert!((0.9..=1.0).contains(&(alone / CAPACITY)), "{retries} retries, alone: {alone}");
        assert!((fluid / CAPACITY - 1.0).abs() <= 0.001, "{fluid}");
    }
}

/// HotOS'21, section 2.1: stable below 150/s, vulnerable from there to 300/s, and no way back above 150/s.
#[test]
fn the_numbers_of_the_paper() {
    let words =
        ["find", "metastable-280", "--set", "workload[0].arrivals=100/s..330/s", "--replications", "3"];
    let found = json(&words, "");
    let (fault, _, _) = edge(&found, "fault");
    let (alone, _, _) = edge(&found, "alone");
    let (back, _, _) = edge(&found, "back");
    println!("vulnerable from {fault}, overloaded from {alone}, back below {back}");
    assert!((fault - 150.0).abs() <= 9.0 && (alone - 300.0).abs() <= 9.0, "{fault} {alone}");
    assert!((back - 150.0).abs() <= 9.0 && found["way_back"]["from"] == 280.0, "{back}");
    for search in found["searches"].as_array().expect("searches") {
        assert_eq!(search["agrees"], true, "{search:#}");
    }
}

/// Other seeds give another mean, and the intervals know it.
#[test]
fn intervals_cover_what_other_seeds_say() {
    let of = |seed: &str| {
        let words = [
            "find",
            "-",
            "--set",
            "workload[0].arrivals=80/s..110/s",
            "--replications",
            "8",
            "--seed",
            seed,
            "--within",
            "0.2/s",
            "--probes",
            "0",
        ];
        let (mean, half, _) = edge(&json(&words, &database(2, 150.0)), "fault");
        (mean, half)
    };
    let found: Vec<(f64, f64)> = ["1", "1001", "2001"].map(of).to_vec();
    println!("{found:?}");
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let ((a, half_a), (b, half_b)) = (found[a], found[b]);
        assert!((a - b).abs() <= half_a + half_b, "{found:?}");
        assert!(half_a < 6.0, "an interval of {half_a} says nothing");
    }
}

#[test]
fn results_do_not_depend_on_jobs() {
    let experiment = database(2, 150.0).replace("300s", "90s");
    for words in [
        vec![
            "find",
            "-",
            "--set",
            "workload[0].arrivals=60/s..190/s",
            "--replications",
            "3",
            "--probes",
            "1",
        ],
        vec![
            "find",
            "-",
            "--set",
            "workload[0].arrivals=60/s..190/s",
            "--set",
            "policies.web.retry.attempts=1..3",
            "--grid",
            "3x3",
        ],
        vec![
            "recommend",
            "-",
            "--set",
            "policies.web.retry.attempts=1..3",
            "--set",
            "policies.web.timeout=200ms..2s",
            "--maximize",
            "goodput",
            "--budget",
            "40",
            "--replications",
            "3",
        ],
    ] {
        let with = |jobs: &'static str| {
            let words: Vec<&str> = words.iter().copied().chain(["--jobs", jobs]).collect();
            brownout(&words, &experiment)
        };
        let one = with("1");
        assert!(!one.1.is_empty(), "{words:?}: {}", one.2);
        assert_eq!(one, with("2"), "{words:?}");
        assert_eq!(one, with("7"), "{words:?}");
        insta::with_settings!({ snapshot_path => "find", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(one.1);
        });
    }
}

/// With four attempts 100/s is vulnerable, with one it is not: the edge is a whole number, and the law knows it.
#[test]
fn attempts_are_whole() {
    let words = ["find", "-", "--set", "policies.web.retry.attempts=1..6", "--replications", "2"];
    let found = json(&words, &database(2, 80.0));
    // 200 / 80 = 2.5 attempts.
    let (mean, _, fluid) = edge(&found, "fault");
    assert_eq!((mean, fluid), (2.5, 2.5));
}

#[test]
fn a_map_has_four_countries() {
    let words = [
        "find",
        "-",
        "--set",
        "workload[0].arrivals=40/s..240/s",
        "--set",
        "faults[0].for=1s..40s",
        "--grid",
        "6x3",
        "--replications",
        "1",
    ];
    let found = json(&words, &database(2, 150.0));
    let cells = found["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 18);
    let at = |cell: &Value, n: usize| cell["at"][n].as_f64().expect("a number");
    for cell in cells {
        let (load, state) = (at(cell, 0) / CAPACITY, cell["state"].as_str().expect("a state"));
        match load {
            // The first drains after any fault, the last never did.
            load if load <= 0.25 => assert_eq!(state, "stable", "{cell}"),
            load if load > 1.0 => assert_eq!(state, "overloaded", "{cell}"),
            load if load > 0.55 && load < 0.9 => assert_eq!(state, "metastable", "{cell}"),
            _ => {}
        }
    }
}

/// A service that is offered half as much again as it can do, by callers who wait half a second.
const QUEUE: &str = r#"(
    about: "an overloaded service whose queue is too long for its callers",
    model: ServiceGraph(
        workload: [(to: "s", arrivals: Poisson("150/s"), policy: "wait")],
        services: {"s": (workers: Async(1), queue: Fifo(capacity: 200), work: Exponential(mean: "10ms"))},
        policies: {"wait": (timeout: "500ms")},
    ),
    run: (duration: "60s", warm_up: "5s", seed: 7),
)"#;

/// The commands that show both sides of an edge make the very runs of the search: as long as those were, and as far.
#[test]
fn both_sides_of_an_edge_can_be_seen_again() {
    let words = ["find", "-", "--set", "faults[0].for=100ms..20s", "--replications", "1"];
    let bounds = ["--max-events", "5000000"];
    let experiment = database(2, 130.0).replace("10s\", on", "100ms\", on");
    let (exit, stdout, stderr) = brownout(&[&words[..], &bounds[..]].concat(), &experiment);
    assert_eq!(exit, Exit::Good, "{stderr}");
    for (what, verdict) in [("still fine", "RECOVERED"), ("no longer", "NOT RECOVERED")] {
        let line = stdout.lines().find(|line| line.contains(what)).expect("a command");
        assert!(line.ends_with("--seed 1 --max-events 5000000"), "{line}");
        let set: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        assert!(set.iter().any(|set| set.starts_with("run.duration=")), "{line}");
        let again = set.iter().fold(vec!["run", "-"], |mut words, set| {
            words.extend(["--set", set]);
            words
        });
        let (_, page, _) = brownout(&again, &experiment);
        let said = page.lines().find(|line| line.contains("RECOVERED")).expect("a verdict").trim();
        assert!(said.starts_with(verdict), "{line}: {said}");
    }
}

/// 100/s can be done. A full queue of 50 takes 500 ms: what waits longer is done for nobody, and a queue of very few
/// leaves the worker idle. So the best is in between, and gives all that can be done.
#[test]
fn the_right_length_of_a_queue() {
    let words = [
        "recommend",
        "-",
        "--set",
        "services.s.queue.capacity=1..400",
        "--maximize",
        "goodput",
        "--budget",
        "200",
        "--replications",
        "10",
    ];
    let found = json(&words, QUEUE);
    assert_eq!(found["outcome"], "found");
    let best = &found["finalists"][0];
    let capacity: f64 = best["set"][0][1].as_str().expect("typed").parse().expect("a number");
    let mean = |finalist: &Value| finalist["objective"]["mean"].as_f64().expect("a number");
    println!("{capacity} places: {}/s", mean(best));
    assert!((8.0..=40.0).contains(&capacity), "{capacity}");
    assert!((mean(best) - 100.0).abs() < 3.0, "{}", mean(best));
    let today = found["finalists"].as_array().expect("finalists").iter().find(|one| one["today"] == true);
    assert!(mean(today.expect("today is always validated")) < 20.0);
    assert_eq!(found["at_an_end"], serde_json::json!([]));
    assert_eq!(best["better"], 10);
}

/// Half of the attempts fail. A budget of `b` lets through `b` retries per call, so `amplification <= 1.2` is a budget
/// of 0.2, and more would be more success: the condition binds.
#[test]
fn the_budget_that_a_condition_allows() {
    let experiment = r#"(
    about: "half of the attempts fail",
    model: ServiceGraph(
        workload: [(to: "s", arrivals: Poisson("200/s"), policy: "retry")],
        services: {"s": (workers: Async(100), work: "1ms", error_rate: 0.5)},
        policies: {"retry": (retry: Fixed(attempts: 4), budget: Ratio(ratio: 0.05, burst: 10))},
    ),
    run: (duration: "60s", warm_up: "5s", seed: 3),
)"#;
    let words = [
        "recommend",
        "-",
        "--set",
        "policies.retry.budget.ratio=0.01..0.9",
        "--maximize",
        "success",
        "--subject-to",
        "amplification <= 1.2",
        "--budget",
        "240",
        "--replications",
        "10",
    ];
    let found = json(&words, experiment);
    let best = &found["finalists"][0];
    let ratio: f64 = best["set"][0][1].as_str().expect("typed").parse().expect("a number");
    println!("a ratio of {ratio}: {}", best["metrics"][0]);
    assert!((0.18..=0.2).contains(&ratio), "{ratio}");
    assert_eq!(found["binding"][0]["condition"], "amplification <= 1.2");
    assert!(best["metrics"][0]["mean"].as_f64().expect("a number") <= 1.2);
}

/// What is printed was measured on seeds that the race did not see: anyone can run them.
#[test]
fn what_is_reported_is_validated() {
    let words = [
        "recommend",
        "-",
        "--set",
        "services.s.queue.capacity=1..400",
        "--maximize",
        "goodput",
        "--budget",
        "80",
        "--replications",
        "4",
    ];
    let found = json(&words, QUEUE);
    let (race, fresh) = (&found["race_seeds"], &found["fresh_seeds"]);
    assert_eq!((race["first"].as_u64(), race["count"].as_u64()), (Some(7), Some(6)));
    assert_eq!((fresh["first"].as_u64(), fresh["count"].as_u64()), (Some(13), Some(4)));
    let best = &found["finalists"][0];
    let set = format!("services.s.queue.capacity={}", best["set"][0][1].as_str().expect("typed"));
    let again = (13..17).map(|seed| {
        let report = json(&["run", "-", "--set", &set, "--seed", &seed.to_string()], QUEUE);
        report["summary"]["goodput"].as_f64().expect("a number")
    });
    let mean = again.sum::<f64>() / 4.0;
    let reported = best["objective"]["mean"].as_f64().expect("a number");
    assert!((mean - reported).abs() < 1e-9, "{mean} is not {reported}");
}

#[test]
fn what_cannot_be_had_is_refused() {
    let words = [
        "recommend",
        "-",
        "--set",
        "services.s.queue.capacity=1..400",
        "--maximize",
        "goodput",
        "--subject-to",
        "p99 <= 1ms",
        "--budget",
        "60",
        "--replications",
        "4",
    ];
    let (exit, stdout, _) = brownout(&words, QUEUE);
    assert_eq!(exit, Exit::Failed);
    assert!(stdout.contains("NOTHING MEETS ALL CONDITIONS"), "{stdout}");
    assert!(stdout.contains("p99 <= 1ms holds on 0 of 4"), "{stdout}");
}

/// What a search takes a run's early part for: whoever is down for good by the fluid law, a sixth of the way, is so at the
/// end.
#[test]
fn who_is_down_for_good_early_is_so_in_the_end() {
    let mut proved = 0;
    for per_sec in ["101", "105", "115", "130", "150", "180"] {
        for seed in ["1", "2", "3", "4"] {
            let arrivals = format!("workload[0].arrivals={per_sec}/s");
            let outlook = |duration: &str| {
                let duration = format!("run.duration={duration}");
                let words = ["run", "-", "--seed", seed, "--set", &arrivals, "--set", &duration];
                json(&words, &database(2, 150.0))["verdict"]["outlook"].clone()
            };
            // The fault is over at 25 s, so a sixth of what is left is at 70 s.
            if outlook("70s") == "never" {
                proved += 1;
                assert_eq!(outlook("300s"), "never", "{per_sec}/s, seed {seed}");
            }
        }
    }
    assert!(proved > 12, "{proved} of 24");
}

/// The page, the JSON and the number of seeds agree on what was spared, at any number of threads.
#[test]
fn what_was_decided_early_is_said() {
    let experiment = database(1, 150.0).replace("replications: 4", "replications: 10").replace(
        "run: (duration: \"300s\"",
        "variants: {\"retried\": {\"policies.web.retry\": Fixed(attempts: 2)}}, run: (duration: \"60s\"",
    );
    let compared = json(&["compare", "-", "--jobs", "3"], &experiment);
    let rounds = &compared["rounds"];
    let after = rounds["decided_after"].as_u64().expect("decided before all seeds were run");
    let spared = 2 * (10 - after - 1);
    assert_eq!((&rounds["most"], &rounds["by"][0]), (&10.into(), &"goodput".into()));
    assert_eq!((&compared["seeds"]["count"], &rounds["spared"]), (&(after + 1).into(), &spared.into()));
    assert_eq!(json(&["compare", "-", "--jobs", "1"], &experiment), compared);
    let (_, page, _) = brownout(&["compare", "-"], &experiment);
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let words =
        format!("goodput decided after {after} of 10 seeds and on one more: {spared} runs were spared");
    assert!(page.contains(&words), "{page}");
    // Who says how many gets so many, and the same seeds have the same values.
    let all = json(&["compare", "-", "--replications", "10"], &experiment);
    assert_eq!((&all["seeds"]["count"], all["rounds"].is_null()), (&10.into(), true));
    let first = |document: &Value| {
        document["variants"][1]["values"][0].as_array().expect("values")[..after as usize].to_vec()
    };
    assert_eq!(first(&all), first(&compared));
    let words =
        ["find", "-", "--set", "workload[0].arrivals=60/s..250/s", "--probes", "1", "--within", "15/s"];
    let found = json(&words, &experiment);
    assert_eq!(found["rounds"]["most"], 10);
    let after = found["rounds"]["decided_after"].as_u64().expect("known before all seeds were searched");
    assert_eq!(found["seeds"]["count"].as_u64(), Some(after + 1));
}
