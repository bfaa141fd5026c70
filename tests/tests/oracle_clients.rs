//! Real clients, run beside ours: what they made of a schedule of failures stands in `tests/outside`, and `scripts/outside/botocore` and
//! `scripts/outside/grpc` ask them again.

use brownout_tests::{edge, resolve};
use sim_core::SimTime;
use sim_models::policy::budget::{BudgetState, Grant};
use sim_models::policy::retry::RetryPlan;
use sim_models::policy::{Outcome, Policy, preset};
use sim_models::run::RunOptions;
use sim_models::trace::{Selection, SpanKind, collect};
use std::ops::ControlFlow;

fn preset(name: &str) -> &'static Policy {
    &preset::find(name).expect("a preset").file.policy
}

/// The calls of a client of its own, one after another: attempts made of those given, and whether the call ended well.
fn agree(table: &str, policy: &Policy, outcome: impl Fn(char) -> Outcome) -> usize {
    let retry = RetryPlan::new(&policy.retry);
    let mut budget = BudgetState::new(policy.budget.as_ref().expect("a budget"));
    let (now, mut refused) = (SimTime::ZERO, 0);
    for (number, line) in table.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let [script, made, ended] = line.split(' ').take(3).collect::<Vec<_>>()[..] else {
            panic!("line {number}: {line}")
        };
        budget.on_call(now);
        let (mut grant, mut tries, mut well) = (Grant::default(), 0, false);
        for outcome in script.chars().map(&outcome) {
            tries += 1;
            budget.sent(grant);
            budget.ended(now, outcome, retry.retries(0, outcome), grant);
            well = outcome == Outcome::Ok;
            if !retry.retries(tries, outcome) {
                break;
            }
            match budget.withdraw(now, Some(outcome)) {
                Some(next) => grant = next,
                None => {
                    refused += 1;
                    break;
                }
            }
        }
        let ours = format!("{tries} {}", if well { "ok" } else { "failed" });
        assert_eq!(ours, format!("{made} {ended}"), "call {number}: {line}");
    }
    refused
}

#[test]
fn the_quota_of_aws_clients() {
    let outcome = |letter| match letter {
        'O' => Outcome::Ok,
        'E' => Outcome::Error,
        'R' => Outcome::Rejected,
        'X' => Outcome::Reset,
        'T' => Outcome::TimedOut,
        _ => panic!("{letter}"),
    };
    for (table, name) in [
        (include_str!("../outside/botocore-1.44.txt"), "aws-standard@2026"),
        (include_str!("../outside/botocore-1.34.txt"), "aws-standard@legacy"),
    ] {
        let refused = agree(table, preset(name), outcome);
        assert!(refused > 40, "{name} is seen empty: {refused}");
    }
}

#[test]
fn the_throttle_of_a_grpc_channel() {
    let outcome = |letter| match letter {
        'O' => Outcome::Ok,
        'U' => Outcome::Refused,
        'I' => Outcome::Error,
        _ => panic!("{letter}"),
    };
    let refused = agree(include_str!("../outside/grpc-retries.txt"), preset("grpc"), outcome);
    assert!(refused > 50, "it is seen empty: {refused}");
}

/// One call to as many replicas as it may have attempts, each of which takes as long and ends as one attempt does there.
#[test]
fn the_copies_of_a_grpc_channel() {
    for line in include_str!("../outside/grpc-hedging.txt").lines().filter(|line| !line.starts_with('#')) {
        let [after, most, script, arrived, ended, how] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let script: Vec<&str> = script.split(',').collect();
        let copies = most.parse::<u32>().expect("a count") - 1;
        // What is fatal there is no other failure here: either is in a schedule, not both.
        let non_fatal = if line.contains('I') { "[TimedOut]" } else { "[Error]" };
        let seen = |first: usize| {
            let faults: Vec<String> = (0..script.len())
                .flat_map(|attempt| {
                    let replica = (first + attempt) % script.len();
                    let (takes, ends) = script[attempt].split_at(script[attempt].len() - 1);
                    let fault = |effect: String| {
                        format!(r#"(at: "0s", on: "db", replicas: Only([{replica}]), effect: {effect})"#)
                    };
                    let fails = (ends != "O").then(|| fault("Errors()".into()));
                    [Some(fault(format!("Slow(factor: {takes})"))), fails].into_iter().flatten()
                })
                .collect();
            one_call(&format!(
                r#"(
                    about: "one call",
                    model: ServiceGraph(
                        workload: [(to: "db", policy: "p", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "1/s"), (at: "1500ms", rate: "0/s")]))],
                        services: {{"db": (replicas: {}, workers: Async(9), work: "100ms")}},
                        policies: {{"p": (hedge: (after: "{}ms", copies: {copies}, non_fatal: {non_fatal}))}},
                        faults: [{}],
                    ),
                    run: (duration: "10s"),
                )"#,
                script.len(),
                100 * after.parse::<u32>().expect("tenths"),
                faults.join(", "),
            ))
        };
        // In turn, from a place that the seed chooses: whom it begins with does not depend on what they do.
        let ours = seen(seen(0).0);
        assert_eq!(ours.1, format!("{arrived} {ended} {how}"), "{line}");
    }
}

/// The replica that the first attempt of the only call went to; when each was sent and when the call ended, in tenths of a second, and how.
fn one_call(text: &str) -> (usize, String) {
    let resolved = resolve(text, None);
    let choose = Selection { slowest: 1, failed: 1, ..Selection::default() };
    let ran = collect(&resolved, &RunOptions::seeded(1), choose, &mut |_| ControlFlow::Continue(()));
    assert_eq!(edge(&ran.report, "users->db").calls.started, 1, "{text}");
    let spans = &ran.traces[0].spans;
    let tenths = |nanos: u64| (nanos - spans[0].from) / 100_000_000;
    let attempts: Vec<_> = spans.iter().filter(|span| span.kind == SpanKind::Attempt).collect();
    let sent: Vec<String> = attempts.iter().map(|span| tenths(span.from).to_string()).collect();
    let how = if spans[0].outcome == "ok" { "ok" } else { "failed" };
    let ended = tenths(spans[0].to.expect("it ended"));
    let first = spans.iter().find_map(|span| span.at.strip_prefix("db[")?.strip_suffix(']')?.parse().ok());
    (first.expect("somebody worked"), format!("{} {ended} {how}", sent.join(",")))
}
