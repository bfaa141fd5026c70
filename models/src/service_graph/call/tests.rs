//! Calls with several attempts at once, by hand: whoever answers first ends them all.

use crate::RunSpec;
use crate::experiment::Decode;
use crate::policy::guards::Grant;
use crate::policy::tests::read;
use crate::policy::{Ending, Outcome};
use crate::run::RunOptions;
use crate::service_graph::build::build;
use crate::service_graph::follow::Deaf;
use crate::service_graph::plan::Plan;
use crate::service_graph::spec::GraphSpec;
use crate::service_graph::state::*;
use sim_core::{Key, SimTime, Simulation, Streams};

/// A graph of one edge over which nobody calls but the test.
struct Scene(Simulation<Graph<Deaf>>);

impl Scene {
    fn new(service: &str, policy: &str) -> Scene {
        let spec: GraphSpec = sound(&format!(
            r#"(workload: [(to: "db", arrivals: Poisson("1/s"), policy: "p")],
                services: {{"db": ({service})}}, policies: {{"p": ({policy})}})"#
        ));
        let run: RunSpec = sound(r#"(duration: "1min")"#);
        let graph = build::<Deaf>(&Plan::new(&spec), &run, &RunOptions::seeded(1), &Streams::new(1));
        Scene(Simulation::new(graph))
    }

    /// What happens before so many milliseconds.
    fn until(&mut self, ms: u64) {
        self.0.run_until(SimTime::from_nanos(ms * 1_000_000));
    }

    fn call(&mut self, number: u64) -> CallId {
        let (graph, ctx) = self.0.parts();
        let before: Vec<CallId> = graph.calls.iter().map(|(id, _)| id).collect();
        graph.begin_call(0, 0, Parent::User, Key::root(1, number), ctx);
        let mut new = graph.calls.iter().map(|(id, _)| id).filter(|id| !before.contains(id));
        new.next().expect("a call begins")
    }

    /// Sends one more attempt of a call that has one out, and says which that is.
    fn copy(&mut self, call: CallId, number: u64) -> AttemptId {
        let (graph, ctx) = self.0.parts();
        let key = graph.calls[call].key.child(1).child(number);
        let mut marks = Marks::AWAITED;
        marks.add(Marks::IS_COPY);
        graph.send(call, |_| key, Grant::NONE, marks, None, ctx);
        self.last_sent(call)
    }

    fn last_sent(&self, call: CallId) -> AttemptId {
        let graph = self.0.model();
        graph.attempts.id(graph.calls[call].live.expect("an attempt is out"))
    }

    /// After everything has ended and the laws hold: (sent, retries, copies) and how often attempts ended so.
    fn ends(mut self, calls: &[(Ending, u64)], attempts: &[(Outcome, u64)]) -> (u64, u64, u64) {
        self.until(60_000);
        let now = self.0.now();
        let graph = self.0.model_mut();
        assert_eq!((graph.calls.len(), graph.attempts.len()), (0, 0), "something is left");
        graph.check_laws(now);
        let stats = &graph.edges[0].stats;
        for (end, number) in calls {
            assert_eq!(stats.whole().calls.of(*end), *number, "{end:?}");
        }
        for (outcome, number) in attempts {
            assert_eq!(stats.attempts.of(*outcome), *number, "{outcome:?}");
        }
        (stats.whole().sent, stats.attempts.retries, stats.attempts.copies)
    }
}

fn sound<T: Decode>(text: &str) -> T {
    read::<T>(text).unwrap_or_else(|said| panic!("{said}")).0
}

const WORKS: &str = r#"workers: Async(9), work: "10ms""#;

#[test]
fn whichever_answers_first_ends_the_call_and_the_others() {
    let mut scene = Scene::new(WORKS, r#"timeout: "1s""#);
    let call = scene.call(1);
    scene.until(5);
    scene.copy(call, 1);
    scene.copy(call, 2);
    scene.until(10);
    assert_eq!(scene.0.model().calls.len(), 1);
    scene.until(11);
    let graph = scene.0.model();
    assert_eq!((graph.calls.len(), graph.attempts.len()), (0, 2), "answered at 10 ms; two still work");
    let ends = scene.ends(&[(Ending::Ok, 1)], &[(Outcome::Ok, 1), (Outcome::Cancelled, 2)]);
    assert_eq!(ends, (3, 0, 2), "a copy is no retry");
}

#[test]
fn an_attempt_that_fails_leaves_it_to_the_others() {
    let mut scene = Scene::new(WORKS, r#"timeout: "7ms", retry: Fixed(attempts: 2, delay: "5ms")"#);
    let call = scene.call(1);
    scene.until(5);
    let copy = scene.copy(call, 1);
    scene.until(8);
    let phase = scene.0.model().calls[call].phase;
    assert_eq!((phase, scene.last_sent(call)), (Phase::TRYING, copy), "the first has timed out");
    scene.until(13);
    assert_eq!(
        scene.0.model().calls[call].phase,
        Phase::backing_off(Grant::NONE),
        "and now the copy, at 12 ms"
    );
    let ends = scene.ends(&[(Ending::Failed(Outcome::TimedOut), 1)], &[(Outcome::TimedOut, 3)]);
    assert_eq!(ends, (3, 1, 1), "what is sent when none is out is a retry");
}

#[test]
fn the_deadline_ends_all_that_is_out() {
    let mut scene = Scene::new(WORKS, r#"deadline: "8ms""#);
    let call = scene.call(1);
    scene.until(5);
    scene.copy(call, 1);
    scene.until(9);
    assert_eq!(scene.0.model().calls.len(), 0);
    assert_eq!(scene.ends(&[(Ending::Deadline, 1)], &[(Outcome::Cancelled, 2)]), (2, 0, 1));
}

#[test]
fn a_copy_that_is_refused_leaves_it_to_those_that_are_out() {
    let mut scene =
        Scene::new(WORKS, r#"timeout: "12ms", breaker: Consecutive(failures: 1, open_for: "1h")"#);
    let first = scene.call(1);
    scene.until(1);
    let second = scene.call(2);
    let attempt = scene.last_sent(second);
    let (graph, ctx) = scene.0.parts();
    graph.end_attempt(attempt, Outcome::Error, ctx);
    graph.settle(second, Outcome::Error, ctx);
    let told = graph.clients[0].clone().sections("users->a");
    assert_eq!(told[0].changes.len(), 1, "it opened");
    let only = scene.last_sent(first);
    assert_eq!(scene.copy(first, 1), only, "nothing was sent");
    let ends = scene.ends(&[(Ending::Ok, 1), (Ending::Failed(Outcome::Error), 1)], &[(Outcome::Ok, 1)]);
    assert_eq!(ends, (2, 0, 0));
}

#[test]
fn attempts_leave_the_list_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut scene = Scene::new(WORKS, "");
        let call = scene.call(1);
        let out = [scene.last_sent(call), scene.copy(call, 1), scene.copy(call, 2)];
        for (gone, number) in order.into_iter().enumerate() {
            let (graph, ctx) = scene.0.parts();
            graph.end_attempt(out[number], Outcome::Error, ctx);
            let mut left = Vec::new();
            let mut next = graph.calls[call].live;
            while let Some(link) = next {
                left.push(graph.attempts.id(link));
                next = graph.attempts[link].sibling;
            }
            let expected: Vec<AttemptId> =
                (0..3).rev().filter(|n| !order[..=gone].contains(n)).map(|n| out[n]).collect();
            assert_eq!(left, expected, "{order:?}");
        }
        let (graph, ctx) = scene.0.parts();
        graph.settle(call, Outcome::Error, ctx);
        scene.ends(&[(Ending::Failed(Outcome::Error), 1)], &[(Outcome::Error, 3)]);
    }
}
