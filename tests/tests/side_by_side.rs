//! `compare`, `sweep` and `histogram` through the whole program: the same bytes at any `--jobs`, replications
//! that a single run repeats, exit codes, files.

use brownout_tests::{Bench, Said};
use serde_json::Value;
use sim_cli::Exit;

const EXPERIMENT: &str = r#"(
    about: "A service falls behind for a while.",
    model: ServiceGraph(
        workload: [(to: "shop", arrivals: Poisson("100/s"))],
        services: {
            "shop": (replicas: 1, workers: Async(8), work: Exponential(mean: "1ms"), calls: [(to: "stock", policy: "eager")]),
            "stock": (replicas: 1, workers: Blocking(2), queue: Fifo(capacity: 64), work: Exponential(mean: "10ms")),
        },
        policies: {
            "eager": (timeout: "100ms", retry: Fixed(attempts: 3)),
            "calm": (timeout: "100ms"),
        },
        faults: [(at: "10s", for: "5s", on: "stock", effect: Slow(factor: 10.0))],
    ),
    run: (duration: "40s", warm_up: "2s", seed: 7, replications: 3),
    variants: {"calm": {"services.shop.calls[0].policy": "calm"}},
    sweep: {"services.stock.workers": [Blocking(2), Blocking(4)]},
)
"#;

fn bench() -> Bench {
    Bench::new(&[("shop.ron", EXPERIMENT)])
}

/// A command about the experiment.
fn run(bench: &Bench, command: &str, rest: &[&str]) -> Said {
    bench.run(&[&[command, "@shop.ron"], rest].concat())
}

fn good(said: &Said) -> &str {
    assert_eq!(said.exit, Exit::Good, "{}", said.err);
    &said.out
}

fn json(said: &Said) -> Value {
    serde_json::from_str(good(said)).expect("one JSON document")
}

#[test]
fn threads_never_show() {
    let bench = bench();
    for command in ["compare", "sweep"] {
        let with = |jobs| run(&bench, command, &["--format", "json", "--jobs", jobs]).out;
        let one = with("1");
        assert!(one.contains("\"format\": "), "{one}");
        assert_eq!(one, with("2"), "{command}");
        assert_eq!(one, with("7"), "{command}");
    }
}

/// What there is to compare shows in the first run of the base, though another, which has other edges and no fault, is over long before.
#[test]
fn the_base_says_what_is_compared_whoever_is_over_first() {
    let hasty = EXPERIMENT.replace("duration: \"40s\"", "duration: \"5min\"").replace(
        "variants: {",
        r#"variants: {
        "hasty": {
            "run.duration": "10s", "faults": [],
            "services.store": (workers: Async(8), work: Exponential(mean: "1ms"), calls: [(to: "stock", policy: "calm")]),
            "workload[0].to": "store",
        },"#,
    );
    let bench = Bench::new(&[("shop.ron", &hasty)]);
    let with = |jobs| run(&bench, "compare", &["--format", "json", "--jobs", jobs]);
    let one = with("1");
    assert!(good(&one).contains(r#"edges[\"users->shop\"].latency.p99"#), "{}", one.out);
    assert_eq!(one.out, with("2").out);
    assert_eq!(one.out, with("7").out);
}

/// What a variant calls by another name it has no numbers of by the first; the others are compared.
#[test]
fn a_variant_may_lack_an_edge() {
    let renamed = EXPERIMENT.replace(
        "variants: {",
        r#"variants: {
        "elsewhere": {
            "services.store": (workers: Async(8), work: Exponential(mean: "1ms"), calls: [(to: "stock", policy: "calm")]),
            "workload[0].to": "store",
        },"#,
    );
    let bench = Bench::new(&[("shop.ron", &renamed)]);
    let compared = json(&run(&bench, "compare", &["--format", "json", "--jobs", "1"]));
    let lacks = |variant: usize| &compared["variants"][variant]["lacks"];
    let p99 = r#"edges["users->shop"].latency.p99"#;
    assert!(lacks(1).as_array().is_some_and(|lacks| lacks.contains(&p99.into())), "{compared}");
    assert_eq!((lacks(0), lacks(2)), (&Value::Null, &Value::Null));
    let paths = compared["metrics"].as_array().unwrap();
    let success = paths.iter().position(|metric| metric["path"] == "success").unwrap();
    assert!(compared["variants"][1]["metrics"][success]["mean"].as_f64().is_some_and(|mean| mean > 0.5));
    let asked = |format: &'static str| {
        run(
            &bench,
            "compare",
            &["--metric", p99, "--metric", "edges.users->store.success", "--format", format],
        )
    };
    let page = asked("text");
    let told = format!("no {p99} in elsewhere; no edges.users->store.success in base, calm");
    assert!(good(&page).contains(&told), "{}", page.out);
    assert!(asked("markdown").out.contains("in elsewhere; no edges"), "{}", asked("markdown").out);
    let nowhere = run(&bench, "compare", &["--metric", "edges.users->stor.success"]);
    assert!(
        nowhere.exit == Exit::Usage && nowhere.err.contains("this report has no metric"),
        "{}",
        nowhere.err
    );
}

#[test]
fn a_replication_is_a_run_with_its_seed() {
    let bench = bench();
    let goodput = |variant: &str, seed: u64| {
        let report = json(&run(
            &bench,
            "run",
            &["--variant", variant, "--seed", &seed.to_string(), "--format", "json"],
        ));
        // A saved run may stand beside other facts; the summary is where it is.
        let report = report.get("report").cloned().unwrap_or(report);
        report["summary"]["goodput"].as_f64().expect("a goodput")
    };
    let compared = json(&run(&bench, "compare", &["--metric", "goodput", "--format", "json"]));
    assert_eq!(compared["seeds"], serde_json::json!({"first": 7, "count": 3}));
    let mean = |variant: &str| (7..10).map(|seed| goodput(variant, seed)).sum::<f64>() / 3.0;
    let (base, calm) = (mean("base"), mean("calm"));
    let of = |row: usize, what: &str| compared["variants"][row][what][0]["mean"].as_f64().expect("a mean");
    assert!((of(0, "metrics") - base).abs() < 1e-9, "{compared}");
    assert!((of(1, "metrics") - calm).abs() < 1e-9, "{compared}");
    let difference = compared["variants"][1]["effects"][0]["difference"].as_f64().expect("a difference");
    assert!((difference - (calm - base)).abs() < 1e-9, "{compared}");
}

#[test]
fn one_replication_has_no_interval() {
    let bench = bench();
    let said = run(&bench, "compare", &["--replications", "1"]);
    assert!(!good(&said).contains('±') && said.out.contains("seed 7"), "{}", said.out);
    let csv = run(&bench, "compare", &["--replications", "1", "--metric", "success", "--format", "csv"]);
    let lines: Vec<&str> = good(&csv).lines().collect();
    assert_eq!(lines.len(), 3, "{}", csv.out);
    assert!(lines[1].starts_with("base,success,share,1,,0.") && lines[1].ends_with(",,,"), "{}", lines[1]);
}

#[test]
fn the_grid_of_the_command_line_replaces_that_of_the_file() {
    let bench = bench();
    let quick = ["--replications", "1", "--metric", "success", "--format", "csv"];
    let cells = |over: &[&str]| {
        let words: Vec<&str> = quick.iter().chain(over).copied().collect();
        good(&run(&bench, "sweep", &words)).lines().skip(1).count()
    };
    assert_eq!(cells(&[]), 2);
    assert_eq!(cells(&["--over", "services.stock.replicas=1..3"]), 3);
    assert_eq!(cells(&["--over", "services.stock.replicas=1..4*2", "--over", "run.duration=\"20s\",30s"]), 6);
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let bench = bench();
    for (command, words, exit, why) in [
        ("compare", &["--variant", "clam"][..], Exit::Usage, "calm"),
        ("compare", &["--variant", "calm", "--variant", "calm"], Exit::Usage, "named twice"),
        ("compare", &["--metric", "succes"], Exit::Usage, "success"),
        ("compare", &["--replications", "0"], Exit::Usage, "1..=100000"),
        ("sweep", &["--over", "services.stock.replica=1,2"], Exit::Invalid, "replicas"),
        ("sweep", &["--over", "services.stock.replicas=2,1,0"], Exit::Invalid, "got 0"),
        ("sweep", &["--over", "services.stock.replicas=1..0"], Exit::Invalid, "never reaches"),
        ("sweep", &["--over", "a=1..1000", "--over", "b=1..1000"], Exit::Invalid, "1000 x 1000 points"),
        ("sweep", &["--over", "a=1,2", "--over", "a=3,4"], Exit::Usage, "a is set twice"),
        ("histogram", &["--edge", "shop->stick"], Exit::Usage, "shop->stock"),
        ("histogram", &["--during", "5s"], Exit::Usage, "--during"),
    ] {
        let said = run(&bench, command, words);
        assert_eq!(said.exit, exit, "{command} {words:?}: {}{}", said.out, said.err);
        assert!(said.out.is_empty() && said.err.contains(why), "{command} {words:?}: {}", said.err);
    }
}

#[test]
fn what_is_incomplete_says_so() {
    let bench = bench();
    for command in ["compare", "sweep"] {
        let said = run(&bench, command, &["--max-events", "1000"]);
        assert_eq!(said.exit, Exit::Limit, "{}", said.err);
        assert!(said.out.contains("INCOMPLETE: a limit cut") && !said.out.contains("NaN"), "{}", said.out);
        let said =
            bench.run_with(&[command, "@shop.ron"], |console| console.interrupt.raise(Exit::Interrupted));
        assert_eq!(said.exit, Exit::Interrupted, "{}", said.err);
        assert!(said.out.contains("INCOMPLETE: interrupted: 6 of 6 runs are missing"), "{}", said.out);
    }
}

#[test]
fn a_histogram_is_the_same_from_a_saved_run() {
    let bench = bench();
    let out = bench.path("saved");
    good(&run(&bench, "run", &["--out", out.to_str().expect("text")]));
    for format in ["text", "json", "csv", "hgrm", "hlog"] {
        let fresh = run(&bench, "histogram", &["--format", format]);
        let saved = bench.run(&["histogram", "@saved/report.json", "--format", format]);
        assert_eq!(good(&fresh), good(&saved), "{format}");
    }
    let refused = bench.run("histogram @saved/report.json --seed 8");
    assert_eq!(refused.exit, Exit::Usage);
}

#[test]
fn files_hold_what_was_asked_for() {
    let bench = bench();
    let folder = bench.path("out");
    let out = folder.to_str().expect("text");
    for command in ["compare", "sweep"] {
        let said = run(&bench, command, &["--out", out, "--format", "csv"]);
        let name = if command == "compare" { "comparison" } else { "sweep" };
        let written = std::fs::read_to_string(folder.join(format!("{name}.csv"))).expect("written");
        assert_eq!(good(&said), written);
        let json: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).expect("written"))
                .expect("JSON");
        assert!(json["format"].is_u64(), "{json}");
    }
    good(&run(&bench, "histogram", &["--out", out]));
    let table = std::fs::read_to_string(folder.join("latency.hgrm")).expect("written");
    assert!(table.contains("1/(1-Percentile)") && table.contains("#[Buckets ="), "{table}");
}

/// Several distributions: variants, parts, and a saved run, which is the same as the run that was saved. Every call is in one bucket, or
/// was not answered.
#[test]
fn histograms_are_laid_over_each_other() {
    let bench = bench();
    let out = bench.path("saved");
    good(&run(&bench, "run", &["--out", out.to_str().expect("UTF-8")]));
    let saved = out.join("report.json");
    let csv = run(&bench, "histogram", &["--with", saved.to_str().expect("UTF-8"), "--format", "csv"]);
    let text = good(&csv);
    let of = |curve: &str| -> Vec<&str> {
        let rows = text.lines().filter(|line| line.starts_with(curve));
        rows.map(|line| line.split_once(',').expect("a curve").1).collect()
    };
    let (base, again) = (of("base,"), of(saved.to_str().expect("UTF-8")));
    assert!(base.len() > 10 && base == again);
    let last = |column: usize| base.last().and_then(|row| row.split(',').nth(column)?.parse::<u64>().ok());
    let before: u64 =
        base[..base.len() - 1].iter().filter_map(|row| row.split(',').nth(1)?.parse::<u64>().ok()).sum();
    assert_eq!(last(2), last(1).map(|unanswered| before + unanswered));
    let page = run(&bench, "histogram", &["--during", "1s..2s", "--during", "2s..3s"]);
    assert!(good(&page).contains("not answered"));
    let refused = run(&bench, "histogram", &["--during", "1s..2s", "--during", "2s..3s", "--format", "hgrm"]);
    assert!(refused.err.contains("several distributions"), "{}", refused.err);
}

#[test]
fn two_sides_that_no_file_has() {
    let bench = bench();
    let sides = ["--a", "policies.eager.timeout=50ms", "--b", "policies.eager.timeout=200ms"];
    let told = json(&run(&bench, "compare", &[&sides[..], &["--format", "json"]].concat()));
    let variants = told["variants"].as_array().expect("variants");
    let names: Vec<&str> = variants.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(variants[0]["changes"][0]["path"], "policies.eager.timeout", "either says what it sets");
    assert_eq!(
        (&variants[1]["changes"][0]["from"], &variants[1]["changes"][0]["to"]),
        (&"100ms".into(), &"200ms".into())
    );
    // One side is held against the base, and does what --set does.
    let one = json(&run(&bench, "compare", &["--b", "policies.eager.timeout=50ms", "--format", "json"]));
    assert_eq!((&one["variants"][0]["name"], &one["variants"][1]["name"]), (&"base".into(), &"b".into()));
    assert_eq!(one["variants"][1]["values"][0], variants[0]["values"][0]);
    for (sides, said) in [
        (&["--a", "policies.eager.timeout=100ms"][..], "what --a sets is set already"),
        (&["--a", "policies.eager.timeout=1s", "--b", "policies.eager.timeout=1s"], "set the same"),
        (&["--a", "policies.eager.timeout=1s", "--a", "policies.eager.timeout=2s"], "is set twice"),
        (&["--set", "policies.eager.timeout=1s", "--b", "policies.eager.timeout=2s"], "is set twice"),
        (&["--a", "policies.eager.timeuot=1s"], "timeout"),
    ] {
        let refused = run(&bench, "compare", sides);
        assert!(refused.exit != Exit::Good && refused.err.contains(said), "{sides:?}: {}", refused.err);
    }
}

#[test]
fn two_files_of_one_model() {
    let calm = EXPERIMENT
        .replace("policy: \"eager\"", "policy: \"calm\"")
        .replace("    sweep: {\"services.stock.workers\": [Blocking(2), Blocking(4)]},\n", "");
    let other = calm.replace("arrivals: Poisson(\"100/s\")", "name: \"web\", arrivals: Poisson(\"100/s\")");
    let routing = "(about: \"x\", model: Contention(clients: 5), run: (duration: \"60s\"))";
    let bench = Bench::new(&[
        ("shop.ron", EXPERIMENT),
        ("calm.ron", &calm),
        ("web.ron", &other),
        ("other.ron", routing),
    ]);
    let files = json(&bench.run(&["compare", "@shop.ron", "@calm.ron", "--format", "json"]));
    let variants = json(&run(&bench, "compare", &["--format", "json"]));
    // The same numbers as a variant that says so: the same luck.
    assert_eq!(files["variants"][1]["values"], variants["variants"][1]["values"]);
    assert_eq!(
        (&files["variants"][0]["name"], &files["variants"][1]["name"]),
        (&"shop".into(), &"calm".into())
    );
    assert_eq!(files["unlike"], Value::Null);
    let renamed = json(&bench.run(&["compare", "@shop.ron", "@web.ron", "--format", "json"]));
    let unlike = renamed["unlike"].as_str().expect("another luck");
    assert!(unlike.contains("users->shop is in the first only; web->shop is in the second only"), "{unlike}");
    let same = bench.run(&["compare", "@shop.ron", "@shop.ron"]);
    assert!(same.exit == Exit::Usage && same.err.contains("they say the same"), "{}", same.err);
    let another = bench.run(&["compare", "@shop.ron", "@other.ron"]);
    assert!(another.exit != Exit::Good, "{}", another.err);
}

#[test]
fn every_mechanism_is_tried_where_it_goes_wrong() {
    let bench = bench();
    let asked = ["--mechanisms", "--replications", "3", "--budget", "260"];
    let told = json(&run(&bench, "recommend", &[&asked[..], &["--format", "json"]].concat()));
    assert_eq!(told["edge"], "shop->stock", "users fail because these do");
    assert!(told["runs"].as_u64() <= Some(260), "{}", told["runs"]);
    let tried = told["mechanisms"].as_array().expect("mechanisms");
    let of = |name: &str| {
        tried.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} was not tried"))
    };
    assert_eq!(
        (&of("no retry")["does"], &of("no retry")["set"][0][0]),
        (&"helps".into(), &"policies.eager.retry".into())
    );
    let order: Vec<&str> = tried.iter().filter_map(|one| one["does"].as_str()).collect();
    assert!(order.is_sorted_by_key(|does| ["helps", "unclear", "hurts"].iter().position(|one| one == does)));
    let idle = told["idle"].as_array().expect("idle");
    assert!(idle.contains(&"per".into()), "one target, so whatever it is counted per: {idle:?}");
    // What is printed is what that setting does, on a seed that nothing was chosen on.
    let first = &tried[0];
    let set = format!("{}={}", first["set"][0][0].as_str().unwrap(), first["set"][0][1].as_str().unwrap());
    let seeds: Vec<f64> = (9..12)
        .map(|seed| {
            let seed = seed.to_string();
            json(&run(&bench, "run", &["--set", &set, "--seed", &seed, "--format", "json"]))["summary"]["goodput"].as_f64().unwrap()
        })
        .collect();
    let mean = first["objective"]["mean"].as_f64().unwrap();
    assert!((seeds.iter().sum::<f64>() / 3.0 - mean).abs() < 1e-6 * mean, "{seeds:?} {mean}");
    let refused = run(&bench, "recommend", &["--mechanisms", "--edge", "shop->stok"]);
    assert!(
        refused.exit == Exit::Usage && refused.err.contains("did you mean `shop->stock`?"),
        "{}",
        refused.err
    );
}

#[test]
fn a_renamed_variant_is_held_against_what_it_was_called() {
    let renamed = EXPERIMENT.replace("variants: {\"calm\"", "variants: {\"gentle\"");
    let bench = Bench::new(&[("shop.ron", EXPERIMENT), ("store.ron", &renamed)]);
    good(&run(&bench, "compare", &["--out", "@saved"]));
    let asked = ["compare", "@store.ron", "--baseline", "@saved", "--fail-on-regression", "--format", "json"];
    let again = bench.run(&asked);
    let baseline = &json(&again)["baseline"];
    assert!(again.err.contains("that is store under another name"), "{}", again.err);
    assert_eq!(baseline["renamed"][0], "gentle was called calm, and says the same");
    let said = baseline["variants"][1]["sentence"].as_str();
    assert_eq!(said, Some("unchanged: the same numbers on all seeds that both have"));
}
