//! What is said of a run is what somebody who looked at every call would say.

use brownout_tests::slow_judge::{Course, Truth, every_call, truth};
use brownout_tests::{random_recovery, resolve};
use sim_core::{Engine, Limits};
use sim_models::run::RunOptions;
use std::collections::BTreeMap;

fn options(seed: u64) -> RunOptions {
    let limits = Limits { events: 1_000_000, events_at_one_instant: 20_000 };
    RunOptions { engine: Engine::Fast, limits, max_in_flight: 20_000, ..RunOptions::seeded(seed) }
}

/// The slow judge sees all that the report counts, and graphs are made up in which it has something to say.
#[test]
fn the_slow_judge_sees_every_call_of_random_graphs() {
    let mut told: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 1..=60 {
        let resolved = resolve(&random_recovery(seed), None);
        let (report, edges) = every_call(&resolved, &options(seed));
        let fault = &report.timeline.disturbances[0];
        let course = Course {
            measured_from: report.run.warm_up,
            struck: fault.from,
            gone: fault.to.expect("it ends"),
            end: report.run.duration,
        };
        for (name, calls) in edges {
            let edge = report.edges.get(&name).expect("the same edges");
            let measured = || calls.iter().filter(|call| call.began >= report.run.warm_up);
            assert_eq!(measured().count() as u64, edge.calls.started, "{seed} {name}");
            let well = measured().filter(|call| call.end.is_some_and(|(_, well)| well)).count();
            assert_eq!(well as u64, edge.calls.ok(), "{seed} {name}");
            let truth = truth(&calls, &course, None);
            let kind = match truth {
                Truth::Back { latest, .. } if latest < course.gone + 3_000_000_000 => "at once",
                Truth::Back { .. } => "later",
                Truth::Out => "out",
                Truth::Open => "open",
            };
            println!("{seed} {truth:?} {:?} {}", report.summary.time_to_recover, report.verdict.headline);
            *told.entry(kind).or_default() += 1;
        }
    }
    println!("{told:?}");
    assert!(["at once", "later", "out"].iter().all(|kind| told.get(kind) >= Some(&3)), "{told:?}");
}
