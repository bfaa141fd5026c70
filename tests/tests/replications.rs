//! Many seeds through the whole program: precision, warm-up, theory, baselines. The same bytes at any `--jobs`,
//! exit codes, and what is said when something cannot be known.

use brownout_tests::Bench;
use sim_cli::Exit;

/// A queue with a closed form, and one that falls behind for a while.
const QUEUE: &str = r#"(
    about: "M/M/1, half busy.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("50/s"))],
        services: {"desk": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: Exponential(mean: "10ms"))},
    ),
    run: (duration: "40s", warm_up: "2s", seed: 7, replications: 3),
    variants: {"fast": {"services.desk.work": Exponential(mean: "5ms")}},
)"#;
const STORM: &str = r#"(
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
        faults: [(at: "20s", for: "5s", on: "stock", effect: Slow(factor: 10.0))],
    ),
    run: (duration: "50s", warm_up: "2s", seed: 7, replications: 8),
    variants: {"calm": {"services.shop.calls[0].policy": "calm"}},
)"#;

fn bench() -> Bench {
    Bench::new(&[("queue.ron", QUEUE), ("storm.ron", STORM)])
}

#[test]
fn threads_never_show() {
    let bench = bench();
    for words in [
        "run @queue.ron --precision 3% --metric values.response_mean.value --warm-up auto --format json",
        "compare @queue.ron --precision 8% --metric p99 --format json",
        "compare @storm.ron --warm-up auto --replications 4 --format json",
    ] {
        let with = |jobs: &str| {
            let said = bench.run(&format!("{words} --jobs {jobs}"));
            assert_eq!(said.exit, Exit::Good, "{}", said.err);
            (said.out, said.err)
        };
        let one = with("1");
        assert_eq!(one, with("2"), "{words}");
        assert_eq!(one, with("7"), "{words}");
    }
}

#[test]
fn precision_stops_where_it_should() {
    let bench = bench();
    const SCHEDULE: [u64; 8] = [10, 15, 22, 33, 49, 73, 109, 163];
    let run = |wanted: &str| bench.json(&format!("run @queue.ron --precision {wanted} --metric p99"));
    let (rough, fine) = (run("10%"), run("2.5%"));
    let mut counts = Vec::new();
    for (document, wanted) in [(&rough, 0.10), (&fine, 0.025)] {
        let count = document["seeds"]["count"].as_u64().expect("a count");
        let estimate = &document["estimates"][0];
        let share = estimate["half_width"].as_f64().unwrap() / estimate["mean"].as_f64().unwrap();
        assert!(SCHEDULE.contains(&count) && share <= wanted, "{count} seeds: {share}");
        assert_eq!(document["precision"]["reached"], true);
        assert_eq!(estimate["n"].as_u64(), Some(count));
        counts.push(count);
        // One step earlier it was not there yet, or ten is the fewest.
        let before = SCHEDULE.iter().rev().find(|step| **step < count);
        if let Some(before) = before {
            let earlier = bench.json(&format!("run @queue.ron --replications {before} --metric p99"));
            let estimate = &earlier["estimates"][0];
            assert!(estimate["half_width"].as_f64().unwrap() / estimate["mean"].as_f64().unwrap() > wanted);
        }
    }
    assert!(counts[0] < counts[1], "{counts:?}");
    // What it stopped at is what that number of replications gives.
    let again = bench.json(&format!("run @queue.ron --replications {} --metric p99", counts[1]));
    assert_eq!(again["values"], fine["values"]);
}

#[test]
fn precision_that_cannot_be_reached_says_what_would() {
    let bench = bench();
    let said = bench.run("run @queue.ron --precision 0.1% --max-replications 20 --metric p99");
    assert_eq!(said.exit, Exit::Limit, "{}", said.err);
    assert!(said.out.contains("over 10 seeds"), "hopeless after ten already: {}", said.out);
    assert!(said.out.contains("INCOMPLETE: a precision of 0.1 % is not reached"), "{}", said.out);
    assert!(said.out.contains("seeds would do it"), "{}", said.out);
    let said =
        bench.run("compare @queue.ron --precision 4% --max-replications 15 --metric p99 --format markdown");
    assert_eq!(said.exit, Exit::Limit, "{}", said.err);
    assert!(said.out.contains("over 15 seeds") && said.out.contains("**Incomplete:**"), "{}", said.out);
    let said = bench.run("run @storm.ron --precision 5% --metric recovered");
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.contains("none of these has one: recovered"), "{}", said.err);
}

#[test]
fn a_warm_up_is_found_and_shown() {
    let bench = bench();
    let said =
        bench.run("run @queue.ron --set run.duration=300s --set services.desk.work=Exponential(mean:\"18ms\") --warm-up auto");
    assert_eq!(said.exit, Exit::Good, "{}", said.err);
    let warm_up: u64 = said
        .err
        .strip_prefix("warm-up ")
        .and_then(|rest| rest.split('s').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{}", said.err));
    // It starts empty and is 90 % busy: it forgets that in 1 / (mu (1 - sqrt(rho))^2) = 6.8 s.
    assert!((1..=20).contains(&warm_up), "{}", said.err);
    assert!(said.out.contains(&format!("--set run.warm_up={warm_up}s --seed 7")), "{}", said.out);
    // A time that is given is the same as setting it.
    let given = bench.json("run @queue.ron --warm-up 5s");
    let set = bench.json("run @queue.ron --set run.warm_up=5s");
    assert_eq!(given["summary"], set["summary"]);
    let twice = bench.run("run @queue.ron --warm-up 5s --set run.warm_up=5s");
    assert_eq!((twice.exit, twice.err.contains("given twice")), (Exit::Usage, true), "{}", twice.err);
}

#[test]
fn what_never_settles_has_no_warm_up() {
    let bench = bench();
    let said = bench.run("run @queue.ron --set services.desk.work=Exponential(mean:\"25ms\") --warm-up auto");
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.err.contains("had not settled") && said.err.contains("run longer"), "{}", said.err);
}

#[test]
fn theory_is_held_against_many_seeds() {
    let bench = bench();
    let document = bench.json("run @queue.ron --replications 12");
    let theory = document["theory"].as_array().expect("values with a closed form");
    assert!(theory.len() >= 4, "{document}");
    assert!(theory.iter().all(|value| value["agrees"] == true), "{theory:#?}");
    assert_eq!(theory[0]["exact"].as_f64().map(f64::round), Some(20e6));
    let page = bench.page("run @queue.ron --replications 12");
    assert!(page.contains("over 12 seeds") && page.contains("agrees"), "{page}");
    // One run says the numbers, and nothing of agreement.
    assert!(!bench.page("run @queue.ron").contains("agrees"));
    assert!(!bench.page("run @queue.ron --replications 1").contains("agrees"));
    // A warm-up of nothing and a short run are not the steady state that theory speaks of.
    let short = "run @queue.ron --replications 200 --set run.duration=1s --set run.warm_up=0s \
                 --set services.desk.work=Exponential(mean:\"18ms\")";
    assert!(bench.page(short).contains("differs"), "{}", bench.page(short));
}

#[test]
fn comparing_says_what_is_clear() {
    let bench = bench();
    let page = bench.page("compare @queue.ron --replications 10");
    assert!(page.contains("lower (") && page.contains("better on all 10 seeds"), "{page}");
    assert!(page.contains("pairing: 10 seeds do the work of"), "{page}");
    let page = bench.page("compare @queue.ron --replications 1");
    assert!(page.contains("one seed has no interval") && !page.contains("better on"), "{page}");
    let csv = bench.page("compare @queue.ron --replications 2 --format csv");
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() >= columns), "{csv}");
}

#[test]
fn a_baseline_is_met_on_its_own_seeds() {
    let bench = bench();
    bench.page("compare @storm.ron --replications 8 --seed 100 --out @saved");
    let page = bench.page("compare @storm.ron --baseline @saved --fail-on-regression");
    assert!(page.contains("seeds 100 to 107") && page.contains("unchanged"), "{page}");
    let slower = "--set services.stock.work=Exponential(mean:\"15ms\")";
    let said = bench.run(&format!("compare @storm.ron --baseline @saved --fail-on-regression {slower}"));
    assert_eq!(said.exit, Exit::Failed, "{}", said.out);
    assert!(said.out.contains("worse: base: ") && said.err.contains("clearly worse than in"), "{}", said.err);
    assert!(said.err.contains("again: brownout compare"), "{}", said.err);
    // Without the flag it is told and decides nothing; and better is never a regression.
    assert!(bench.page(&format!("compare @storm.ron --baseline @saved {slower}")).contains("worse on"));
    bench.page(
        "compare @storm.ron --baseline @saved --fail-on-regression=goodput --set services.stock.work=Exponential(mean:\"5ms\")",
    );
    // Other seeds are other luck.
    let page = bench.page("compare @storm.ron --baseline @saved --seed 9000 --replications 8");
    assert!(page.contains("independent samples, Welch's interval"), "{page}");
    let document = bench.json("compare @storm.ron --baseline @saved --seed 104 --replications 8");
    assert_eq!(document["baseline"]["paired"], 4, "seeds 104 to 107 are in both");
}

#[test]
fn another_experiment_is_no_baseline_that_clears() {
    let bench = bench();
    bench.page("compare @queue.ron --replications 2 --out @other");
    let said = bench.run("compare @storm.ron --baseline @other --fail-on-regression --replications 2");
    assert_eq!(said.exit, Exit::Usage, "{}", said.out);
    assert!(said.err.contains("is of the experiment queue, not of storm"), "{}", said.err);
    assert!(bench.page("compare @storm.ron --baseline @other --replications 2").contains("against "));
}

/// The share of false alarms: the same system on other seeds, many times.
#[test]
fn a_baseline_hardly_ever_cries_wolf() {
    let bench = bench();
    bench.page("compare @queue.ron --replications 10 --seed 1 --out @saved");
    let alarms = (1..=20)
        .filter(|n| {
            let first = 1_000 * n;
            let words = format!(
                "compare @queue.ron --baseline @saved --fail-on-regression --seed {first} --replications 10 \
                 --set run.duration=20s --format json"
            );
            bench.run(&words).exit == Exit::Failed
        })
        .count();
    assert!(alarms <= 3, "{alarms} of 20 comparisons of a system with itself");
}

#[test]
fn one_saved_run_is_a_baseline_without_an_interval() {
    let bench = bench();
    bench.page("run @queue.ron --variant fast --out @one");
    let page = bench.page("compare @queue.ron --baseline @one/report.json");
    assert!(page.contains("one seed has no interval; it does not have base"), "{page}");
    assert!(page.contains("fast  unchanged"), "{page}");
    let said = bench.run("compare @queue.ron --baseline @one --fail-on-regression=p99");
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.err.contains("cannot be told") && said.err.contains("--replications 10"), "{}", said.err);
    bench.page("run @queue.ron --variant fast --replications 4 --out @many");
    let page = bench.page("compare @queue.ron --baseline @many");
    assert!(page.contains("differences seed by seed on 4 seeds"), "{page}");
}

#[test]
fn what_is_typed_wrong_is_told() {
    let bench = bench();
    std::fs::write(bench.path("odd.json"), "{\"document\": \"sweep\"}").expect("written");
    for (words, exit, told) in [
        ("run @queue.ron --precision 0", Exit::Usage, "above 0 and below 100 %"),
        ("run @queue.ron --precision 200%", Exit::Usage, "above 0 and below 100 %"),
        ("run @queue.ron --precision abc", Exit::Usage, "a share such as 2%"),
        ("run @queue.ron --precision 2", Exit::Usage, "2 per cent is written 2%"),
        ("run @queue.ron --precision 2% --replications 5", Exit::Usage, "cannot be used with"),
        ("run @queue.ron --max-replications 50", Exit::Usage, "--precision"),
        ("run @queue.ron --precision 2% --max-replications 9", Exit::Usage, "10..=100000"),
        ("run @queue.ron --metric p99", Exit::Usage, "--replications 10"),
        ("run @queue.ron --metric p98 --replications 2", Exit::Usage, "no metric `p98`"),
        ("run @queue.ron --warm-up soon", Exit::Usage, "`auto` or a time such as 30s"),
        ("run @queue.ron --warm-up 40s", Exit::Invalid, "must be shorter than the duration"),
        ("compare @queue.ron --fail-on-regression", Exit::Usage, "--baseline"),
        ("compare @queue.ron --baseline @nowhere", Exit::Io, "nowhere"),
        ("compare @queue.ron --baseline @queue.ron", Exit::Io, "not a saved run"),
        ("compare @queue.ron --baseline @odd.json", Exit::Io, "a sweep is no baseline"),
    ] {
        let said = bench.run(words);
        assert_eq!(said.exit, exit, "{words}\n{}", said.err);
        assert!(said.err.contains(told), "{words}\n{}", said.err);
        assert!(said.out.is_empty(), "{words}: {}", said.out);
    }
}
