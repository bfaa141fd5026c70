//! The trajectory digest is a witness: whatever is changed in the course of a run, however little and
//! wherever, `t` changes, and its checkpoints say where. And nothing is witnessed that did not happen: a
//! timer that was cancelled leaves no trace.

use brownout_tests::{Rng, edge, resolve, run_with};
use sim_core::digest::first_difference;
use sim_core::{Context, Model, SimTime, Simulation};
use sim_models::run::RunOptions;

/// One event of a script: when, and about whom.
type Line = (u64, u64);

/// A model that does what a script says, and witnesses it.
struct Script;

impl Model for Script {
    type Event = u64;

    fn handle(&mut self, request: u64, ctx: &mut Context<u64>) {
        ctx.witness(1, 0, 0, 77, request, 0);
    }
}

/// The digest of a script, and its checkpoints.
fn play(script: &[Line]) -> (u64, (u64, Vec<u64>)) {
    let mut simulation = Simulation::new(Script);
    for &(at, request) in script {
        simulation.context().schedule_at(SimTime::from_nanos(at), request);
    }
    simulation.run_until(SimTime::MAX);
    let trajectory = simulation.trajectory();
    let (every, checkpoints) = trajectory.checkpoints();
    (trajectory.finish(), (every, checkpoints.to_vec()))
}

/// Events in order of time, with many ties.
fn script(rng: &mut Rng) -> Vec<Line> {
    let mut at = 0;
    (0..rng.between(200, 400))
        .map(|request| {
            at += rng.below(4) * 1_000;
            (at, request)
        })
        .collect()
}

#[test]
fn every_small_change_shows_and_is_found() {
    let mut ties = 0;
    for seed in 0..1_000 {
        let rng = &mut Rng::new(seed);
        let original = script(rng);
        let mut changed = original.clone();
        let place = rng.below(original.len() as u64 - 1) as usize;
        match seed % 4 {
            0 => changed[place].0 += 1,
            1 => _ = changed.remove(place),
            2 => changed.insert(place, changed[place]),
            _ => {
                // Two events of one instant change places; where there is no tie, two neighbours do.
                let tie = (0..original.len() - 1).find(|&n| n >= place && original[n].0 == original[n + 1].0);
                ties += u64::from(tie.is_some());
                let place = tie.unwrap_or(place);
                let requests = (changed[place].1, changed[place + 1].1);
                (changed[place + 1].1, changed[place].1) = requests;
            }
        }
        let ((before, marks), (after, other_marks)) = (play(&original), play(&changed));
        assert_ne!(before, after, "seed {seed}: a change at event {place} went unseen");
        let first =
            original.iter().zip(&changed).position(|(a, b)| a != b).unwrap_or(original.len() - 1) as u64;
        let found = first_difference((marks.0, &marks.1), (other_marks.0, &other_marks.1));
        match found {
            Some((from, to)) => {
                assert!((from..to).contains(&first), "seed {seed}: {first} is not in {from}..{to}")
            }
            // Only what comes after the last checkpoint is not located.
            None => assert!(
                first >= marks.0 * marks.1.len().min(other_marks.1.len()) as u64,
                "seed {seed}: {first}"
            ),
        }
    }
    assert!(ties > 200, "{ties} ties were swapped");
}

#[test]
fn a_cancelled_timer_leaves_no_trace() {
    let original = script(&mut Rng::new(5));
    let mut simulation = Simulation::new(Script);
    for &(at, request) in &original {
        let context = simulation.context();
        let cancelled = context.schedule_at(SimTime::from_nanos(at), u64::MAX);
        context.schedule_at(SimTime::from_nanos(at), request);
        assert!(context.cancel(cancelled).is_some());
    }
    simulation.run_until(SimTime::MAX);
    assert_eq!(simulation.trajectory().finish(), play(&original).0);
}

const GRAPH: &str = r#"(
    about: "a service that slows down",
    model: ServiceGraph(
        workload: [(to: "server", arrivals: Poisson("100/s"), policy: "p")],
        services: {"server": (workers: Blocking(2), work: Exponential(mean: "10ms"))},
        policies: {"p": (timeout: "100ms", retry: Fixed(attempts: 2))},
        faults: [(at: "3s", for: "1s", on: "server", effect: Slow(factor: 5))],
    ),
    run: (duration: "10s"),
)"#;

/// The same through the service graph: one nanosecond anywhere is another trajectory, and before the first
/// difference the two are the same event for event.
#[test]
fn one_nanosecond_in_an_experiment() {
    let record = |text: &str| {
        let options = RunOptions { record: Some(0..1_000_000), ..RunOptions::seeded(1) };
        run_with(&resolve(text, None), &options)
    };
    let original = record(GRAPH);
    for (from, to, seconds) in [
        (r#"at: "3s""#, r#"at: "3000000001ns""#, 3.0),
        (r#"timeout: "100ms""#, r#"timeout: "100000001ns""#, 0.0),
        (r#"for: "1s""#, r#"for: "1000000001ns""#, 4.0),
    ] {
        let changed = record(&GRAPH.replace(from, to));
        assert_ne!(original.report.digest.t, changed.report.digest.t, "{to}");
        let differs = original.trajectory.iter().zip(&changed.trajectory).position(|(a, b)| a != b);
        let first = &original.trajectory[differs.expect("some event differs")];
        assert!(first.time.as_secs_f64() >= seconds, "{to}: {first:?}");
        assert_eq!(
            edge(&original.report, "users->server").calls.started,
            edge(&changed.report, "users->server").calls.started
        );
    }
}
