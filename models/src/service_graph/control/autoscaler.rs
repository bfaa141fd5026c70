//! A service that has more replicas when it is asked for more: Kubernetes' HorizontalPodAutoscaler.
//!
//! Every `sync` it looks at one figure, the mean since it last looked, and asks how many replicas would bring that to its target:
//! `ceil(replicas x figure / target)`, unless it is off by no more than `tolerance` ([`calculator`]). What it wants is held back by
//! stabilisation windows and by how many may come or go in a while ([`behaviour`]), by `min` and `max`, by a quota, and if it is AWS's
//! simple scaling by a cool-down. Then it starts replicas, which takes their `start_up` time, or drains some: those first that are not
//! ready, then the newest.
//!
//! A loop like this is late by what it looks at (`lag`), by half a `sync` on average, and by how long a replica takes to start; what comes
//! meanwhile is served by those that are there, or not at all. It is not wrong to be late, only expensive: the spare capacity that
//! `target` leaves must last until the new replicas are ready.
//!
//! Replicas that are not there are absent: in no view, not in the utilisation, not asked by anybody. Left out: several metrics at a time
//! (Kubernetes takes the largest answer), scaling to none, and machines that are added for pods that find no place.

mod behaviour;
mod calculator;
mod scaler;

use crate::experiment::{Decoder, Len, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::words::percent;
pub use behaviour::{ScaleDown, ScaleUp};
pub use scaler::{Scaler, declared};
use sim_core::{Rate, SimDuration, SimTime};

spec! {
    /// Starts replicas when a figure is above its target, and stops them when it is below.
    pub struct Autoscaler where check {
        /// What is looked at, and what it should be.
        metric: Metric,
        /// Replicas at least.
        min: u32 = 1; 1..=10_000,
        /// Replicas at most.
        max: u32; 1..=10_000,
        /// From one look to the next; the figure is the mean since the last.
        sync: SimDuration = SimDuration::from_secs(15); POSITIVE,
        /// How old the figure is when it is looked at.
        lag: SimDuration = SimDuration::ZERO,
        /// By which share of its target the figure may be off before anything is done.
        tolerance: f64 = 0.1; 0.0..=1.0,
        /// How fast replicas may come.
        scale_up: ScaleUp = ScaleUp::default(),
        /// How fast they may go.
        scale_down: ScaleDown = ScaleDown::default(),
        /// How long nothing is done after something was (AWS simple scaling); none if absent.
        cool_down: Option<SimDuration> = None; POSITIVE,
        /// What is known beforehand: from when on there are how many at least.
        scheduled: Vec<Scheduled> = Vec::new(); Len(0..=1_000),
        /// What is granted: from when on none is started beyond how many. Before the first there is no limit but `max`.
        quota: Vec<Granted> = Vec::new(); Len(0..=1_000),
        /// How long a replica that is stopped waits before it looks whether it is done. Part of `grace`.
        linger: SimDuration = SimDuration::ZERO,
        /// How long it has in all; what it has in hand then is cut off.
        grace: SimDuration = SimDuration::from_secs(30),
    }
}

spec! {
    /// A figure of a service, and what it should be.
    pub enum Metric {
        /// The share of its workers that are busy, mean over its replicas.
        Utilisation(
            /// What it should be.
            target: f64; 0.01..=1.0,
        ),
        /// Requests that wait, per replica.
        Queue(
            /// How many should.
            target: f64; 0.001..=1_000_000.0,
        ),
        /// Requests that come, per replica; checks that take a worker are requests.
        Requests(
            /// How many should.
            target: Rate; POSITIVE,
        ),
    }
}

spec! {
    /// A number of replicas from a time on.
    pub struct Scheduled {
        /// From then on.
        at: SimTime,
        /// At least so many.
        min: u32; 1..=10_000,
    }
}

spec! {
    /// A number of replicas from a time on.
    pub struct Granted {
        /// From then on.
        at: SimTime,
        /// None beyond so many is started; those that are there stay.
        max: u32; 1..=10_000,
    }
}

fn check(scaler: &Autoscaler, at: &Node, cx: &mut Decoder) {
    if scaler.min > scaler.max {
        cx.error(at.span_of("min"), format!("`min` {} is more than `max` {}", scaler.min, scaler.max));
    }
    let late = |times: Vec<SimTime>| times.windows(2).position(|pair| pair[0] >= pair[1]);
    let scheduled = late(scaler.scheduled.iter().map(|step| step.at).collect());
    let quota = late(scaler.quota.iter().map(|step| step.at).collect());
    for (name, step) in [("scheduled", scheduled), ("quota", quota)] {
        if let Some(step) = step {
            let span = at.span_of(name);
            cx.error(span, format!("{name}[{}] is not later than the one before it", step + 1));
        }
    }
    if let Some(step) = scaler.scheduled.iter().find(|step| step.min > scaler.max) {
        let message = format!("at {} there are to be {}, and `max` is {}", step.at, step.min, scaler.max);
        cx.warn(at.span_of("scheduled"), message).help("`max` goes before it");
    }
}

impl Metric {
    /// What it is called, and its target.
    fn words(&self) -> (&'static str, String) {
        match self {
            Metric::Utilisation(target) => ("utilisation", percent(*target)),
            Metric::Queue(target) => ("queue", format!("{target} each")),
            Metric::Requests(target) => ("requests", format!("{target} each")),
        }
    }
}

impl Autoscaler {
    /// How many there are to be at a time, at least, and how many are granted. `max` goes before what was scheduled.
    fn bounds(&self, now: SimTime) -> (u32, u32) {
        let scheduled = self.scheduled.iter().rfind(|step| step.at <= now).map_or(0, |step| step.min);
        let granted = self.quota.iter().rfind(|step| step.at <= now).map_or(u32::MAX, |step| step.max);
        (self.min.max(scheduled).min(self.max), granted)
    }
}

impl Part for Autoscaler {
    fn does(&self) -> Does {
        Does::VARIES.and(Does::STEERS).and(Does::REFUSES)
    }

    fn brief(&self) -> Option<String> {
        let (what, target) = self.metric.words();
        Some(format!("{} to {} replicas by {what}, {target}", self.min, self.max))
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let late = self.lag + self.sync;
        let name = around.name;
        let mut notes = vec![format!(
            "replicas of {name} begin to start up to {} after its {} has risen by more than {}",
            late.brief(),
            self.metric.words().0,
            percent(self.tolerance)
        )];
        if let Metric::Utilisation(target) = self.metric {
            notes.push(format!(
                "{name} has room for {:.2} times the load that brings its replicas to their target, until more of them are ready",
                1.0 / target
            ));
        }
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "autoscaler",
            word: "",
            what: "Looks every `sync` at how busy the replicas of a service are, how many requests wait, or how many come, starts as many \
                   replicas as would bring that to its target, and stops those that are too many: `min` to `max`, no faster than `scale_up` and \
                   `scale_down` let it, no more than the `quota` grants.",
            hurts: "It is late: by the age of its figures, by its beat, and by how long a replica takes to start. What comes meanwhile \
                    meets those that are there; a figure that cannot rise above its target by much (a full worker is busy, not more) says too \
                    little of a large surge. One that is nought as soon as there are enough (requests that wait), without a stabilisation window, \
                    goes up and down for ever.",
            formula: "`ceil(replicas x figure / target)`, and nothing within `tolerance`; utilisation is 1 at most, so one look multiplies the \
                      replicas by `1 / target` at most; a surge up to `1 / target` times the load is borne; of more some is lost for `lag + sync + start_up` at \
                      least",
            source: "Kubernetes HorizontalPodAutoscaler, autoscaling/v2 and its defaults; `replica_calculator.go`, `horizontal.go`; AWS EC2 \
                     Auto Scaling (simple scaling, cool-down)",
            experiment: "autoscaler",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(metric: Utilisation(0.5), max: 6, sync: "50ms")"#,
            r#"(metric: Queue(1), max: 4, sync: "20ms", lag: "30ms", scale_down: (stabilization: "0s"), grace: "5ms")"#,
            r#"(metric: Requests("20/s"), max: 8, sync: "100ms", tolerance: 0, cool_down: "150ms", scale_up: (policies: [Pods(1, "100ms")]), quota: [(at: "300ms", max: 3)], scheduled: [(at: "100ms", min: 2)])"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn bounds_over_time() {
        let text = r#"(metric: Queue(1), min: 2, max: 9, scheduled: [(at: "10s", min: 5), (at: "20s", min: 1)], quota: [(at: "12s", max: 4), (at: "30s", max: 20)])"#;
        let scaler = read::<Autoscaler>(text).expect("sound").0;
        let none = u32::MAX;
        for (at, bounds) in [(0, (2, none)), (10, (5, none)), (12, (5, 4)), (20, (2, 4)), (30, (2, 20))] {
            assert_eq!(scaler.bounds(SimTime::from_secs(at)), bounds, "at {at} s");
        }
    }
}
