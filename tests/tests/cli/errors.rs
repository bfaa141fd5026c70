use crate::{TOY, brownout, with_console, with_input};
use insta::assert_snapshot;
use sim_cli::Exit;
use sim_models::Catalog;

#[test]
fn wrong_words_are_answered_with_the_nearest_right_ones() {
    assert_snapshot!("unknown_command", brownout(&["runn"]));
    assert_snapshot!("unknown_flag", brownout(&["run", "--vairant", "x"]));
    assert_snapshot!("unknown_variant", with_input(&["run", "-", "--variant", "slo"], TOY));
    assert_snapshot!("unknown_model", brownout(&["list", "models", "Graph"]));
}

#[test]
fn an_unknown_experiment_is_a_usage_error() {
    let ran = brownout(&["run", "no-such-thing-at-all"]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""));
    assert!(ran.stderr.contains("brownout list"), "{}", ran.stderr);
}

#[test]
fn arguments_out_of_range_are_usage_errors() {
    for words in [
        &["run", "-", "--jobs", "0"][..],
        &["run", "-", "--jobs", "-1"],
        &["run", "-", "--seed", "18446744073709551616"],
        &["run", "-", "--seed", "1.5"],
        &["run", "-", "--max-events", "0"],
        &["run", "-", "--set", "services.desk.replicas"],
        &["run", "-", "--set", "services.desk.replicas="],
        &["run", "-", "--set", "=5"],
        &["explain", "-", "--format", "csv"],
        &["validate"],
        &["list", "policies", "retry-storm"],
        &["list", "metrics"],
        &["check", "-", "--bless"],
        &["rnu", "-"],
    ] {
        let ran = with_input(words, TOY);
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""), "{words:?}: {}", ran.stderr);
    }
}

/// Which of the two is meant? Whatever the command, and however the path is written.
#[test]
fn what_is_said_twice_is_refused() {
    for (words, said) in [
        (
            &["run", "-", "--set", "run.window=1s", "--set", "run.window=2s"][..],
            "run.window is set twice: --set run.window=1s and --set run.window=2s",
        ),
        (
            &["explain", "-", "--seed", "2", "--set", "run.seed=1"],
            "run.seed is set twice: --seed 2 and --set run.seed=1",
        ),
        (
            &["sweep", "-", "--set", "services.desk.replicas=1,2", "--set", "services.\"desk\".replicas=3"],
            "services.\"desk\".replicas is set twice: --set services.desk.replicas=1,2 and --set",
        ),
        (
            &["find", "-", "--set", "services.desk.replicas=1..4", "--set", "services.desk.replicas=2..8"],
            "services.desk.replicas is set twice",
        ),
        (&["compare", "-", "--seed", "1", "--seed", "2"], "'--seed <N>' cannot be used multiple times"),
    ] {
        let ran = with_input(words, TOY);
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""), "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    // What is within the other is another place.
    let ran = with_input(
        &[
            "explain",
            "-",
            "--set",
            "services.desk=(workers: Async(1), work: \"1ms\")",
            "--set",
            "services.desk.replicas=2",
        ],
        TOY,
    );
    assert_eq!(ran.exit, Exit::Good, "{}", ran.stderr);
}

/// Nothing is simulated for a metric that no run will have, or a bound that it cannot have: they are told by `validate`,
/// and before any work.
#[test]
fn a_metric_that_no_run_will_have_is_told_before_any_work() {
    let metric = |metric: &str| TOY.replace("metric: \"success\", at_least: 0.9", metric);
    for (wrong, said) in [
        ("metric: \"values.no_such\", at_least: 1", "values.no_such"),
        ("metric: \"edges[\\\"users->desk\\\"].latency.p99\", at_most: 0.5", "hold it against one"),
        ("metric: \"recovered\", during: \"fault\", is: true", "whole run only"),
        ("metric: \"sucess\", at_least: 0.9", "success"),
    ] {
        for command in ["validate", "check", "run"] {
            let ran = with_input(&[command, "-"], &metric(wrong));
            assert_eq!(
                (ran.exit, ran.stdout.as_str()),
                (Exit::Invalid, ""),
                "{command}, {wrong}: {}",
                ran.stderr
            );
            assert!(ran.stderr.contains(said), "{command}: {}", ran.stderr);
        }
    }
    // A theory that may have something to say is one, whether it will or not.
    assert_eq!(
        with_input(&["validate", "-"], &metric("metric: \"values.in_time.value\", at_least: 0.1")).exit,
        Exit::Good
    );
    // An hour of ten thousand calls a second would take minutes.
    let long = ["--set", "run.duration=1h", "--set", "workload[0].arrivals=10000/s"];
    for words in [
        &["compare", "-", "--metric", "nope"][..],
        &["run", "-", "--replications", "9", "--metric", "values.nope"],
        &["find", "-", "--set", "services.desk.replicas=1..4", "--until", "nope > 3"],
        &["recommend", "-", "--set", "services.desk.replicas=1..2", "--maximize", "values.nope"],
        &["sweep", "-", "--set", "services.desk.replicas=1,2", "--metric", "nope"],
    ] {
        let ran = with_input(&[words, &long].concat(), TOY);
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""), "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("nope"), "{}", ran.stderr);
    }
}

/// What is set brings metrics along: they are known then, and only then.
#[test]
fn a_metric_may_come_with_what_is_set() {
    let metric = ["--metric", "breakers[\"users->desk\"].changes", "--replications", "2"];
    let breaker = "policies.patient.breaker=Consecutive()";
    let axis = "policies.patient.breaker=Consecutive(),Consecutive(failures: 9)";
    for (words, exit) in [
        (&["sweep", "-", "--set", "services.desk.replicas=1,2"][..], Exit::Usage),
        (&["sweep", "-", "--set", "services.desk.replicas=1,2", "--set", breaker], Exit::Good),
        (&["sweep", "-", "--set", axis], Exit::Good),
        (&["run", "-"], Exit::Usage),
        (&["run", "-", "--set", breaker], Exit::Good),
    ] {
        let ran = with_input(&[words, &metric].concat(), TOY);
        assert_eq!(ran.exit, exit, "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn metrics_are_listed_without_a_run() {
    let hour = TOY.replace("duration: \"20s\"", "duration: \"20h\"").replace("50/s", "10000/s");
    let ran = with_input(&["list", "metrics", "-", "--format", "csv"], &hour);
    assert_eq!(ran.exit, Exit::Good, "{}", ran.stderr);
    for line in [
        "metric,unit,better",
        "goodput,/s,more",
        "recovered,truth,more",
        "\"edges[\"\"users->desk\"\"].latency.p99\",ns,less",
    ] {
        assert!(ran.stdout.lines().any(|it| it == line), "no {line} in\n{}", ran.stdout);
    }
}

/// A variant may be there to show what one is warned of: who runs another is not told.
#[test]
fn a_warning_about_a_variant_is_for_who_runs_it() {
    let told = |words: &[&str]| {
        let ran = brownout(words);
        assert_eq!(ran.exit, Exit::Good, "{words:?}: {}", ran.stderr);
        ran.stderr.contains("gives up after 25s (in variant `inverted`)")
    };
    let name = "timeout-hierarchy";
    assert!(!told(&["explain", name]) && !told(&["explain", name, "--variant", "hierarchy"]));
    assert!(told(&["explain", name, "--variant", "inverted"]) && told(&["validate", name]));
}

/// What is set from outside may make doubtful what was not, and the other way round.
#[test]
fn a_warning_is_about_what_runs() {
    let idle = "services.desk.start_up=(time: \"0s\")";
    let doubtful = TOY.replace("workers", "start_up: (time: \"0s\"), workers");
    let told = |text: &str, set: &[&str]| {
        let ran = with_input(&[&["run", "-"][..], set].concat(), text);
        assert!(ran.stdout.contains("desk"), "{}", ran.stderr);
        ran.stderr.contains("it is as if it were not there")
    };
    assert!(!told(TOY, &[]) && told(TOY, &["--set", idle]));
    assert!(told(&doubtful, &[]) && !told(&doubtful, &["--set", "services.desk.start_up.time=1s"]));
}

#[test]
fn letters_that_changed_places_are_answered_with_the_command() {
    assert!(brownout(&["rnu", "retry-storm"]).stderr.contains("'run'"));
}

#[test]
fn problems_of_an_experiment_point_at_the_character() {
    let broken = TOY.replace("workers", "wrokers").replace("\"50/s\"", "\"-1/s\"");
    assert_snapshot!("invalid_experiment", with_input(&["run", "-"], &broken));
    assert_snapshot!("invalid_set", with_input(&["run", "-", "--set", "services.dek.replicas=3"], TOY));
    assert_snapshot!("empty_experiment", with_input(&["validate", "-"], ""));
}

#[test]
fn a_metric_that_does_not_exist_is_a_mistake_in_the_file() {
    let ran = with_input(&["run", "-"], &TOY.replace("\"success\"", "\"sucess\""));
    assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Invalid, ""));
    assert!(ran.stderr.contains("<stdin>:11:18") && ran.stderr.contains("success"), "{}", ran.stderr);
}

#[test]
fn nothing_can_be_expected_of_what_comes_after_the_end() {
    let late = TOY.replace("\"success\", at_least", "\"success\", during: \"5s..90s\", at_least");
    let ran = with_input(&["validate", "-"], &late);
    assert_eq!(ran.exit, Exit::Invalid, "{}", ran.stderr);
    assert!(ran.stderr.contains("the run ends at 20s") && ran.stderr.contains(":11:"), "{}", ran.stderr);
    let within = late.replace("5s..90s", "5s..20s");
    assert_eq!(with_input(&["validate", "-"], &within).exit, Exit::Good);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let evil = "\u{1b}[31m\u{202e}\u{7}";
    let file = TOY.replace("\"desk\"", &format!("\"desk{evil}\""));
    let about = TOY.replace("One queue.", &format!("One {evil}queue."));
    for ran in [
        with_input(&["run", "-"], &file),
        with_input(&["run", "-"], &about),
        with_input(&["explain", "-"], &about),
        with_input(&["run", "-", "--variant", evil], TOY),
        with_input(&["run", "-", "--set", &format!("{evil}=1")], TOY),
        with_input(&["run", "-", "--format", "csv"], &file),
        brownout(&["run", evil]),
        brownout(&["run", &format!("./{evil}.ron")]),
        brownout(&["run", "x", &format!("--{evil}")]),
        brownout(&[evil]),
    ] {
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.is_empty());
        assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{said:?}");
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    let coloured = |words: &[&str], terminal, plain| {
        let ran = with_console(&Catalog::bundled(), words, "", |console| {
            console.stderr_terminal = Some(80).filter(|_| terminal);
            console.plain = plain;
        });
        ran.stderr.contains('\u{1b}')
    };
    assert!(!coloured(&["run", "-"], false, false));
    assert!(coloured(&["run", "-"], true, false));
    assert!(!coloured(&["run", "-"], true, true), "NO_COLOR");
    assert!(!coloured(&["run", "-", "--color", "never"], true, false));
    assert!(coloured(&["run", "-", "--color", "always"], false, true));
}

#[test]
fn the_same_mistake_gets_the_same_answer() {
    let broken = TOY.replace("workers", "wrokers");
    let twice = [with_input(&["run", "-"], &broken), with_input(&["run", "-"], &broken)];
    assert_eq!(twice[0].to_string(), twice[1].to_string());
}
