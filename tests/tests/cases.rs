//! Small inputs whose right value is known: from a closed form, from a simulation of its own, or from what has to be so.
//! Each stands for a kind. The files are in `tests/cases`.

use brownout_tests::{edge, resolve, run, run_with};
use serde_json::Value;
use sim_cli::{Console, Exit};
use sim_models::policy::Ending;
use sim_models::report::Metric;
use sim_models::run::RunOptions;
use std::ffi::OsString;

/// The text of a case.
fn case(name: &str) -> String {
    let path = format!("{}/cases/{name}.ron", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// What the program prints about an experiment, which must go well.
#[track_caller]
fn brownout(words: &str, experiment: &str) -> String {
    let arguments = ["brownout"].into_iter().chain(words.split_whitespace()).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (experiment.as_bytes(), Vec::new(), Vec::new());
    let exit = sim_cli::run(arguments, Console::captured(&mut stdin, &mut stdout, &mut stderr));
    assert_eq!(exit, Exit::Good, "{words}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// Of a value in 20 runs: the closed form, whether it is agreed with, and where it comes from.
#[track_caller]
fn theory(experiment: &str, name: &str) -> (f64, Option<bool>, String) {
    let text = brownout("run - --replications 20 --quiet --format json", experiment);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let all = document["theory"].as_array().expect("theory");
    let path = format!("values[\"{name}\"].value");
    let found = all.iter().find(|one| one["path"] == *path).unwrap_or_else(|| panic!("no {name}: {all:#?}"));
    (found["exact"].as_f64().expect("a number"), found["agrees"].as_bool(), found["source"].to_string())
}

/// 1000 tokens, of which the 500 calls of the warm-up leave 550, and a tenth for each of the 5500 calls after it.
#[test]
fn a_first_fill_that_outlives_the_warm_up_is_counted() {
    let text = case("t1-budget-first-fill");
    let (exact, agrees, source) = theory(&text, "amplification users->s");
    assert!((exact - 1.2).abs() < 0.002, "{exact}: {source}");
    assert_eq!(agrees, Some(true), "{source}");
    // Once it has been spent only the tenth is left; and clients have a fill each.
    let spent = text.replace("burst: 1000", "burst: 100");
    assert!((theory(&spent, "amplification users->s").0 - 1.1).abs() < 0.001);
    let clients = text.replace("policy: \"p\")]", "policy: \"p\", clients: 4)]").replace("1000", "250");
    let (exact, agrees, source) = theory(&clients, "amplification users->s");
    assert!((exact - 1.2).abs() < 0.002 && agrees != Some(false), "{exact}: {source}");
}

/// With four attempts, ten tokens and a tenth for a success. An endless bucket would make it 99.996, 99.99 and 90 %.
#[test]
fn a_throttle_of_ten_tokens_has_no_sharp_boundary() {
    for (errors, succeed) in [(0.08, 0.9755), (0.09, 0.9474), (0.10, 0.9183)] {
        let text = case("t1-budget-first-fill")
            .replace("error_rate: 1.0", &format!("error_rate: {errors}"))
            .replace("attempts: 2", "attempts: 4")
            .replace("Ratio(ratio: 0.1, burst: 1000)", "Throttle(max_tokens: 10, token_ratio: 0.1)")
            .replace("60s", "1000s");
        let value = run(&text, 1).values.get("success users->s").expect("there is theory").clone();
        let (measured, exact) = (value.value.expect("measured"), value.exact.expect("known"));
        assert!((exact - succeed).abs() < 1e-4 && (measured - exact).abs() < 0.005, "{errors}: {value:?}");
        assert!(value.source.contains("approximate"), "not all calls come one after another");
    }
}

/// M/D/2 has no closed form; 11.67 ms is an approximation, and so is what it is a part of.
#[test]
fn a_sum_with_an_approximate_part_is_approximate() {
    let text = case("t2-sum-of-approximate");
    let measured = run(&text, 1).edges.0[0].1.latency.mean.expect("measured") as f64 / 1e6;
    assert!((measured - 11.768).abs() < 0.1, "{measured}");
    let (exact, agrees, source) = theory(&text, "response_mean x->a");
    assert!((exact / 1e6 - 11.67).abs() < 0.01 && source.contains("approximate"), "{exact}: {source}");
    assert_eq!(agrees, None, "it is not judged");
    // Of one server it is exact, and in a sweep each cell says which it is.
    let grid = "sweep - --quiet --replications 2 --set services.a.workers=Async(2),Async(3)";
    let page = brownout(grid, &text);
    assert!(page.contains("approximate") && page.contains("exact"), "the utilisation is exact: {page}");
    let both = "sweep - --quiet --replications 2 --set services.a.workers=Async(1),Async(2) --set services.a.work=5ms";
    let page = brownout(both, &text);
    let row =
        |workers: &str| page.lines().find(|line| line.trim_start().starts_with(workers)).expect("a row");
    assert!(row("2 ").contains("ms, approximate") && !row("1 ").contains("approximate"), "{page}");
}

/// Four attempts at 2.5 % fail together in 3.9e-7 of the calls: none of 10,000 says nothing about that.
#[test]
fn what_is_too_rare_to_have_happened_is_not_refuted_by_everything_else() {
    let text = case("t3-rare-complement");
    let (exact, agrees, _) = theory(&text, "success users->s");
    assert!(exact < 1.0 && agrees.is_none(), "{exact}: {agrees:?}");
    let page = brownout("run - --replications 20 --quiet", &text);
    assert!(page.contains("too rare to tell") && !page.contains("differs"), "{page}");
    // Nor do calls that never met a failure of one in a hundred million refute the retry that it would have had.
    let rarer = text.replace("0.025", "0.00000001");
    assert_eq!(theory(&rarer, "amplification users->s").1, None);
}

/// A run that was never disturbed has nothing to recover from, in no time and in no long one.
#[test]
fn a_metric_that_is_absent_is_not_bad() {
    let text = r#"(
        about: "a short fault",
        model: ServiceGraph(
            workload: [(to: "s", arrivals: Poisson("100/s"))],
            services: {"s": (workers: Async(10), work: "1ms")},
            faults: [(at: "20s", for: "1s", on: "s", effect: Errors(probability: 1.0))],
        ),
        run: (duration: "60s", warm_up: "5s", seed: 1),
    )"#;
    let words =
        ["find", "-", "--set", "workload[0].arrivals=50/s..200/s", "--until", "time_to_recover > 40s"];
    let arguments = ["brownout"].into_iter().chain(words).chain(["--quiet", "--replications", "2"]);
    let (mut stdin, mut stdout, mut stderr) = (text.as_bytes(), Vec::new(), Vec::new());
    let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    let exit = sim_cli::run(arguments.map(OsString::from), console);
    let page = String::from_utf8(stdout).expect("text");
    assert_eq!(exit, Exit::Good, "{}", String::from_utf8_lossy(&stderr));
    assert!(page.contains("nowhere") && !page.contains("everywhere"), "{page}");
}

/// About 3,900 deaths in 1000 s, and the half and the tenth of them where half and nine tenths are warm-up.
#[test]
fn counters_start_where_the_measurement_does() {
    let deaths = |warm_up: &str| {
        let text =
            case("m3-deaths-after-warm-up").replace("warm_up: \"0s\"", &format!("warm_up: \"{warm_up}\""));
        run(&text, 901).services.0[0].1.deaths
    };
    assert_eq!(deaths("0s"), 3882);
    let (half, tenth) = (deaths("500s"), deaths("900s"));
    assert!((1850..2050).contains(&half) && (330..450).contains(&tenth), "{half}, {tenth}");
}

/// A breaker that opened once and for all before the measurement opened no time in it.
#[test]
fn a_breaker_that_opened_in_the_warm_up_is_not_counted() {
    let opened = |warm_up: &str| {
        let text = case("t1-budget-first-fill")
            .replace(
                "retry: Fixed(attempts: 2), budget: Ratio(ratio: 0.1, burst: 1000)",
                "breaker: Consecutive(open_for: \"1h\")",
            )
            .replace("warm_up: \"5s\"", &format!("warm_up: \"{warm_up}\""));
        let report = run(&text, 1);
        let number = |what: &str| report.metric(&format!("breakers[\"users->s\"].{what}")).expect("a metric");
        [number("opened"), number("changes")].map(|metric| match metric {
            Metric::Number(number, _) => number,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!((opened("0s"), opened("5s")), ([1.0; 2], [0.0; 2]));
}

/// A network between two services has no favourite among the calls that go over it.
#[test]
fn a_fault_on_an_edge_strikes_all_its_call_sites() {
    let text = case("m1-second-call-not-struck");
    let failed = |text: &str| {
        let report = run(text, 1);
        ["a->b", "a->b#2"].map(|name| edge(&report, name).calls.failed())
    };
    // 30 s of 100/s, but for those that are out at the end, and those that the first call holds up.
    let [first, second] = failed(&text);
    assert!((2_980..3_001).contains(&first) && (2_970..3_001).contains(&second), "{first}, {second}");
    // Whoever means one of them says so.
    let [first, second] = failed(&text.replace("on: \"a->b\", effect", "on: \"a->b#2\", effect"));
    assert!(first == 0 && second > 2_970, "{first}, {second}");
    let page = brownout("explain -", &text);
    assert!(page.contains("a->b, all 2 call sites"), "{page}");
}

/// Two calls at once, each lost with 1 - 0.99^2: 3.9 % wait for the second try of one of them, wherever it is said.
#[test]
fn a_loss_is_the_same_on_the_service_and_on_the_edge() {
    let text = case("21-dns-five-seconds").replace("20min", "200s");
    let two = text.replace(
        "(to: \"dns\", policy: \"udp\", times: 2)",
        "(to: \"dns\", policy: \"udp\"), (to: \"dns\", policy: \"udp\")",
    );
    for text in [&text, &two] {
        for on in ["\"dns\"", "\"resolver->dns\""] {
            let report = run(&text.replacen("on: \"dns\"", &format!("on: {on}"), 1), 1);
            let histogram = &report.edges.0[0].1.latency.histogram;
            let all: u64 = histogram.iter().map(|&(_, n)| n).sum();
            let slow: u64 = histogram.iter().filter(|(ns, _)| *ns >= 4_900_000_000).map(|&(_, n)| n).sum();
            let share = slow as f64 / all as f64;
            assert!((share - 0.0394).abs() < 0.004, "{on}: {share}");
        }
    }
}

/// A pool of one is one for both calls to what it is a pool of, unless the file says that each has its own.
#[test]
fn a_policy_remembers_per_target() {
    let text = case("m2-one-pool-two-calls");
    let refused = |text: &str| {
        let report = run(text, 1);
        report
            .edges
            .iter()
            .filter(|(name, _)| name.starts_with("a->"))
            .map(|(_, it)| it.calls.never_sent)
            .sum::<u64>()
    };
    let twice = text
        .replace("(to: \"b\", policy: \"p\", optional: true), ", "")
        .replace("optional: true)])", "optional: true, times: 2)])");
    assert_eq!((refused(&text), refused(&twice)), (599, 599));
    assert_eq!(refused(&text.replace("max_concurrent: 1)", "max_concurrent: 1), per: CallSite")), 0);
    // Two policies are two pools, and so are those of two callers.
    let two = text.replace("policies: {", "policies: {\"q\": (bulkhead: (max_concurrent: 1)), ").replacen(
        "policy: \"p\", optional: true), ",
        "policy: \"q\", optional: true), ",
        1,
    );
    assert!(two.contains("policy: \"q\""));
    assert_eq!(refused(&two), 0);
    let callees = text
        .replace(
            "(to: \"b\", policy: \"p\", optional: true), ",
            "(to: \"c\", policy: \"p\", optional: true), ",
        )
        .replace("services: {", "services: {\"c\": (workers: Async(50), work: \"10ms\"), ");
    assert_eq!(refused(&callees), 0);
    let one = text.replace("(to: \"b\", policy: \"p\", optional: true), ", "");
    let callers = one
        .replace("workload: [", "workload: [(name: \"others\", to: \"c\", arrivals: Constant(\"10/s\")), ")
        .replace(
            "services: {",
            "services: {\"c\": (workers: Async(50), work: \"0s\", calls: [(to: \"b\", policy: \"p\")]), ",
        );
    let report = run(&callers, 1);
    let sent = ["a->b", "c->b"]
        .map(|name| (edge(&report, name).calls.started, edge(&report, name).calls.never_sent));
    assert!(sent.iter().all(|(started, unsent)| *started > 590 && *unsent == 0), "{sent:?}");
    let page = brownout("explain -", &text);
    assert!(page.contains("a->b and a->b#2 share one bulkhead"), "{page}");
}

/// Even arrivals, even work, no queue and not a nanosecond to spare: who leaves at an instant makes room for who comes.
#[test]
fn a_system_that_is_exactly_full_turns_nobody_away() {
    let text = case("m4-ties-dd1");
    for variant in [None, Some("two-of-20ms"), Some("place"), Some("bulkhead")] {
        let report = run_with(&resolve(&text, variant), &RunOptions::seeded(1)).report;
        let calls = &edge(&report, "users->s").calls;
        assert_eq!((calls.started, calls.ended_badly()), (9_000, 0), "{variant:?}");
        assert_eq!(report.services.0[0].1.queue_max, 0, "{variant:?}: nobody waits");
    }
}

/// Two of a hundred reads take 10 s. A copy after 500 ms costs two more of a hundred and makes p99 600 ms; if all take
/// 600 ms, all are copied, and all are well. To throw the first away instead loses every read that is slow twice.
#[test]
fn a_copy_saves_the_rarely_slow_and_doubles_the_load_of_the_always_slow() {
    let text = case("22-hedge");
    let of = |variant: &str| {
        let report = run_with(&resolve(&text, Some(variant)), &RunOptions::seeded(1)).report;
        let edge = edge(&report, "querier->store");
        let p99 = edge.latency.p99.map(|nanos| nanos as f64 / 1e9).unwrap_or(f64::INFINITY);
        (p99, edge.amplification.expect("sent"), edge.success.expect("ended"))
    };
    let (p99, load, success) = of("hedged");
    assert!(
        (0.599..=0.602).contains(&p99) && (load - 1.02).abs() < 0.003 && success == 1.0,
        "{p99} {load} {success}"
    );
    let (_, load, success) = of("hedged-all-slow");
    assert!((load - 2.0).abs() < 1e-3 && success == 1.0, "{load} {success}");
    assert!(of("second-attempt-all-slow").2 < 0.001);
}

/// A delay of 20 ms won the race on a few seeds, and is better on 10 of 20 fresh ones, by -9 ± 23 ms: nobody would change it.
#[test]
fn nobody_is_told_to_change_what_is_not_shown_to_gain() {
    let text = case("hedge-delay");
    let search = "recommend - --quiet --set policies.p.hedge.after=10ms..500ms --minimize p99";
    let page = brownout(search, &text);
    assert!(page.contains("KEEP  policies.p.hedge.after=50ms"), "{page}");
    // From a delay that is clearly too long one is led away.
    let page = brownout(search, &text.replace("after: \"50ms\"", "after: \"400ms\""));
    assert!(page.contains("SET  policies.p.hedge.after="), "{page}");
}

/// A copy is told as one: it is of the same try, and follows no failure.
#[test]
fn a_copy_is_no_retry() {
    let page = brownout("trace - --quiet --slowest 1", &case("hedge-delay"));
    assert!(
        page.contains("├ attempt 1") && page.contains("└ copy of 1") && !page.contains("retry"),
        "{page}"
    );
    let page = brownout("run - --quiet", &case("hedge-delay"));
    assert!(page.contains("of the work in store was for answers that nobody waited for"), "{page}");
}

/// Five errors in a row for each pod: 15 if all three are bad, and then nothing is sent for a minute; 5 if one is. Envoy's defaults let
/// go of nobody of three, and say so; and with its panic threshold all are chosen again once two of three are out.
#[test]
fn each_pod_is_ejected_for_its_own_errors() {
    let text = case("12-ejection");
    for (variant, errors, no_host) in
        [(None, 15, 55), (Some("one-of-three"), 5, 0), (Some("envoy"), 59, 0), (Some("panic"), 59, 0)]
    {
        for seed in 1..=5 {
            let report = run_with(&resolve(&text, variant), &RunOptions::seeded(seed)).report;
            let edge = edge(&report, "caller->hello");
            let found = (edge.calls.failed(), edge.calls.of(Ending::NoHost));
            assert_eq!(found, (errors, no_host), "{variant:?}, seed {seed}");
        }
    }
}

/// Twenty machines and requests of very different length: the response time, and the most that any machine has in hand as those who
/// come find it.
#[test]
fn who_has_most_in_hand_is_known() {
    for (variant, p50, most) in [(None, 1.34, 10.2), (Some("p2c"), 0.74, 3.8), (Some("full-scan"), 0.31, 1.5)]
    {
        let text = case("19-full-scan").replace("workers: Async(1)", "workers: Async(1), per_replica: true");
        let (mut response, mut in_hand) = (0.0, 0.0);
        for seed in 1..=10 {
            let report = run_with(&resolve(&text, variant), &RunOptions::seeded(seed)).report;
            let Metric::Number(found, _) = report.metric("spread.api.most_in_hand").expect("told apart")
            else {
                panic!("nobody came")
            };
            in_hand += found / 10.0;
            response += edge(&report, "envoy->api").latency.p50.expect("answered") as f64 / 1e10;
        }
        assert!((response / p50 - 1.0).abs() < 0.03, "{variant:?}: p50 {response} s, not {p50}");
        assert!((in_hand / most - 1.0).abs() < 0.05, "{variant:?}: {in_hand} in hand, not {most}");
    }
}

/// 100/s for 10 s, and the first: 1,001, give or take what Poisson does in a dozen times. One with single flight, or a lease that outlasts it.
#[test]
fn a_value_that_takes_ten_seconds_is_made_a_thousand_times_or_once() {
    let text = case("16-stampede");
    let told = |variant, name: &str| {
        let report = run_with(&resolve(&text, variant), &RunOptions::seeded(1)).report;
        match report.metric(&format!("cache.cache.{name}")).expect("it is told") {
            Metric::Number(number, _) => number,
            other => panic!("{name}: {other:?}"),
        }
    };
    let each = told(None, "fetches_per_expiry");
    assert!((each - 1001.0).abs() < 4.0 * (1000.0f64 / 12.0).sqrt(), "{each}");
    assert_eq!(told(Some("single-flight"), "fetches_per_expiry"), 1.0);
    assert_eq!(told(Some("lease"), "fetches_per_expiry"), 1.0);
}
