//! Workers that are instances: one starts when a request finds none that is free, and goes when it has had nothing to do for a while.
//!
//! That is a function on demand (AWS Lambda and its kin), or whatever else scales to nothing. `workers: Blocking(1000)` is how many there
//! may be at a time, the concurrency limit, and `queue: Fifo(capacity: 0)` makes what is over the limit throttled. A request that finds a free
//! instance begins at once; otherwise it waits for its own to start, in whose work that counts, as it is paid for. Whoever was free last is
//! used first, so that as few as can do it are kept alive and the others go.
//!
//! Nobody looks for instances that go: each replica keeps the times at which its free instances became so, oldest first, and whoever comes
//! finds the last of them, or that it has gone. So an instance costs nothing but its place in that list.
//!
//! Left out: limits on how fast instances may start, and that some of them fail to. How long an execution may take is the service's
//! `execution_limit`.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::spec::{ServiceSpec, Workers};
use crate::service_graph::state::*;
use crate::words::{percent, short};
use sim_core::math::exp;
use sim_core::stats::TimeIntegral;
use sim_core::{LONGEST, Luck, SimDuration, SimTime, StreamUse, Streams};
use std::collections::VecDeque;

spec! {
    /// Its workers are instances, which start when they are needed.
    pub struct ColdStart {
        /// How long one takes to start, drawn for each request that has to wait for that.
        time: TimeDistribution; POSITIVE,
        /// How long one that has nothing to do is kept.
        idle_timeout: SimDuration = SimDuration::from_secs(600); POSITIVE,
        /// So many of each replica are there from the beginning, and are kept though they have nothing to do.
        provisioned: u32 = 0; 0..=1_000_000,
    }
}

impl ColdStart {
    /// Warns of what only shows against the other settings of its service.
    pub fn check_beside(&self, service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
        let span = at.span_of("cold_start");
        let wrong = match service.workers {
            Workers::Async(_) if !service.calls.is_empty() => Some(
                "an instance is kept until its request is answered, and these workers are free while it waits for calls: more of them may be there",
            ),
            Workers::ProcessorSharing { .. } => Some(
                "an instance works alone, and here all that start and work share the cores of their replica",
            ),
            Workers::Blocking(_) | Workers::Async(_) => None,
        };
        if let Some(why) = wrong {
            cx.warn(span, why).help("write `workers: Blocking(..)`, and that is how many there may be");
        }
        let workers = service.workers.count();
        if self.provisioned > workers {
            let message = format!(
                "{} instances are provisioned, and only {workers} may be busy at a time",
                self.provisioned
            );
            cx.error(span, message).help("as many `workers`, or fewer `provisioned`");
        } else if self.provisioned == workers {
            cx.warn(span, "all instances are provisioned: none ever starts cold")
                .help("fewer `provisioned`, or leave `cold_start` out");
        }
    }
}

impl Part for ColdStart {
    fn does(&self) -> Does {
        Does::VARIES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("instances start in {}", crate::diagram::time(&self.time)))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        if self.provisioned >= around.workers {
            return Vec::new();
        }
        let goes = format!(
            "an instance of {} that has had nothing to do for {} goes",
            around.name,
            self.idle_timeout.brief()
        );
        // Who comes to one of several replicas need not come at random there.
        let alone = around.offered.filter(|it| it.replicas == 1);
        vec![match (self.provisioned, alone) {
            (0, None) => goes,
            (0, Some(it)) => format!(
                "{goes}: at {}, at random, {} come later than that after the one before and start cold, and so does whoever comes while all that are there are busy",
                often(it.per_sec),
                percent(exp(-it.per_sec * self.idle_timeout.as_secs_f64()))
            ),
            (1, _) => {
                format!("{goes}, but for one that stays: what comes while that is free does not start cold")
            }
            (some, _) => {
                format!(
                    "{goes}, but for {some} that stay: what comes while one of those is free does not start cold"
                )
            }
        }]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "cold_start",
            word: "",
            what: "Makes the workers of a service instances: a request that finds none free waits until its own has started, and one that has had nothing to do \
                   for `idle_timeout` goes. `workers` is the concurrency limit, and a queue without places turns away what is over it. \
                   Paid for is an instance while it is busy, starting included, or provisioned (`billed_hours`); one that is only kept costs nothing.",
            hurts: "What is seldom called starts cold nearly always, and so does everybody at once in a surge: each new peak of what goes on at the same time is that many \
                    cold starts, and the longer a start takes the more there are, since they are busy for as long.",
            formula: "one caller at a time at random times: a share `e^(-rate x idle_timeout)` starts cold; once more than 1 % does, the 99th percentile is a cold start; the limit \
                      turns away what Erlang B says, with `rate x (work + share x start)` for its load",
            source: "AWS Lambda (execution environments, provisioned concurrency); Shahrad et al., \"Serverless in the Wild\", USENIX ATC 2020 (keep-alive policies)",
            experiment: "serverless",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(time: "100ms", idle_timeout: "50ms")"#,
            r#"(time: Exponential(mean: "50ms"), idle_timeout: "300ms", provisioned: 1)"#,
        ]
    }
}

/// A rate in words, however low.
fn often(per_sec: f64) -> String {
    if per_sec < 1.0 {
        format!("one every {}", SimDuration::from_nanos_f64(1e9 / per_sec).min(LONGEST).brief())
    } else {
        format!("{}/s", short(per_sec))
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("cold_start", at)
        .value("starts", plain("requests that waited for an instance to start").better(Better::Less).of_windows(Fold::Sum("starts".into())))
        .value("share", Value::new(Unit::Share, "share of the requests that were begun with which did").better(Better::Less).headline())
        .value("idle_mean", plain("instances that are there and have nothing to do, mean over time"))
        .value(
            "billed_hours",
            plain("hours of instances that are paid for: those that are busy, starting included, or provisioned; not those that are only kept").better(Better::Less),
        )
        .line("starts", Unit::Plain, "Requests that waited for an instance to start, in each window.")
}

/// The instances of a service.
#[derive(Clone)]
pub struct Instances {
    says: ColdStart,
    luck: Luck,
    each: Box<[OfReplica]>,
    /// After the warm-up: requests that were begun with, and those that waited for a start; and those of the window.
    begun: u64,
    cold: u64,
    window: u64,
    /// How long the instance takes to start that was asked for last.
    last: SimDuration,
    /// What was there when measurement began.
    idle_before: u128,
    paid_before: u128,
    line: Vec<f64>,
}

#[derive(Clone, Default)]
struct OfReplica {
    /// When each free instance became free, those that have gone since and were not looked at included.
    free: VecDeque<SimTime>,
    busy: u32,
    /// Whoever ends next leaves its instance to another.
    goes_on: bool,
    /// Times for which instances were there and free that are not so any more.
    idled: u128,
    /// Instances that are paid for.
    paid: TimeIntegral,
}

impl Instances {
    /// Those of this service, if that is what its workers are.
    pub fn by(service: &ServiceSpec, name: &str, streams: &Streams) -> Option<Instances> {
        let says = service.cold_start.clone()?;
        let mut each = vec![OfReplica::default(); service.room() as usize];
        for of in each.iter_mut().take(service.replicas as usize) {
            of.opens(&says, SimTime::ZERO);
        }
        let luck = streams.luck("cold", name);
        Some(Instances {
            says,
            luck,
            each: each.into(),
            begun: 0,
            cold: 0,
            window: 0,
            last: SimDuration::ZERO,
            idle_before: 0,
            paid_before: 0,
            line: Vec::new(),
        })
    }

    /// The stream that starts are drawn from.
    pub fn used(&self) -> StreamUse {
        self.luck.used()
    }

    /// A request is begun with: how long its instance takes to start, if none is free.
    pub fn begins(&mut self, replica: u32, attempt: &Attempt, now: SimTime) -> SimDuration {
        let measured = attempt.marks.has(Marks::MEASURED);
        let of = &mut self.each[replica as usize];
        of.forget(&self.says, now);
        let warm = of.free.pop_back();
        of.idled += warm.map_or(0, |since| u128::from(now.since(since).as_nanos()));
        of.busy += 1;
        of.pay(&self.says, now);
        self.begun += u64::from(measured);
        self.last = SimDuration::ZERO;
        if warm.is_some() {
            return self.last;
        }
        self.cold += u64::from(measured);
        self.window += 1;
        self.last = self.says.time.sample(&mut self.luck.at(attempt.key));
        self.last
    }

    /// The same of the request that was begun with last.
    pub fn starts_now(&self) -> SimDuration {
        self.last
    }

    /// A request is about to end that goes on as another, with its instance.
    pub fn goes_on(&mut self, replica: u32) {
        self.each[replica as usize].goes_on = true;
    }

    /// A request is done with, and its instance free.
    pub fn ends(&mut self, replica: u32, now: SimTime) {
        let of = &mut self.each[replica as usize];
        if std::mem::take(&mut of.goes_on) {
            return;
        }
        of.forget(&self.says, now);
        of.busy -= 1;
        of.free.push_back(now);
        of.pay(&self.says, now);
    }

    /// A replica goes down, and all of its instances.
    pub fn goes_down(&mut self, replica: u32, now: SimTime) {
        let of = &mut self.each[replica as usize];
        of.forget(&self.says, now);
        of.idled += of.free.iter().map(|since| u128::from(now.since(*since).as_nanos())).sum::<u128>();
        of.free.clear();
        of.busy = 0;
        of.paid.set(now, 0);
    }

    /// It is up again, with what is provisioned.
    pub fn opens(&mut self, replica: u32, now: SimTime) {
        self.each[replica as usize].opens(&self.says, now);
    }

    /// For how long instances were there and free, up to now, and for how long they were paid for.
    fn areas(&self, now: SimTime) -> (u128, u128) {
        let mut areas = (0, 0);
        for of in &self.each {
            let mut of = of.clone();
            of.forget(&self.says, now);
            let free = of.free.iter().map(|since| u128::from(now.since(*since).as_nanos())).sum::<u128>();
            areas = (areas.0 + of.idled + free, areas.1 + of.paid.area(now));
        }
        areas
    }

    /// The warm-up is over.
    pub fn begin(&mut self, now: SimTime) {
        (self.idle_before, self.paid_before) = self.areas(now);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.line.push(std::mem::take(&mut self.window) as f64);
    }

    /// What is told of them, over so long until now.
    pub fn section(&self, at: &str, measured: SimDuration, now: SimTime) -> Section {
        let (idle, paid) = self.areas(now);
        let nanos = measured.as_nanos() as f64;
        let mut section = declared(at);
        section.set("starts", self.cold as f64);
        section.set("share", (self.begun > 0).then(|| self.cold as f64 / self.begun as f64));
        section.set("idle_mean", (nanos > 0.0).then(|| (idle - self.idle_before) as f64 / nanos));
        section.set("billed_hours", (paid - self.paid_before) as f64 / 3.6e12);
        section.draw("starts", self.line.clone());
        section
    }
}

impl OfReplica {
    fn opens(&mut self, says: &ColdStart, now: SimTime) {
        self.free.extend((0..says.provisioned).map(|_| now));
        self.pay(says, now);
    }

    /// What is busy is paid for, and as many as are provisioned at least.
    fn pay(&mut self, says: &ColdStart, now: SimTime) {
        self.paid.set(now, self.busy.max(says.provisioned).into());
    }

    /// Those that have had nothing to do for too long have gone, as far as there are more than are provisioned.
    fn forget(&mut self, says: &ColdStart, now: SimTime) {
        while self.busy + self.free.len() as u32 > says.provisioned
            && let Some(since) = self.free.front()
            && now.since(*since) > says.idle_timeout
        {
            self.free.pop_front();
            self.idled += u128::from(says.idle_timeout.as_nanos());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn a_rate_in_words() {
        for (per_sec, words) in [(250.0, "250/s"), (1.0, "1/s"), (0.00652, "one every 2 min 33 s")] {
            assert_eq!(often(per_sec), words);
        }
    }

    /// (what happens, at what second, how many are free after it), with a minute's patience: who was free last is used first, so the first goes.
    #[test]
    fn who_has_nothing_to_do_goes() {
        enum Step {
            Takes(bool),
            Leaves,
        }
        use Step::{Leaves, Takes};
        let table = [
            (
                0,
                vec![
                    (0, Takes(true), 0),
                    (1, Takes(true), 0),
                    (5, Leaves, 1),
                    (6, Leaves, 2),
                    (10, Takes(false), 1),
                    (20, Leaves, 2),
                    (65, Takes(false), 1),
                    (66, Leaves, 1),
                    (127, Takes(true), 0),
                ],
            ),
            (
                1,
                vec![
                    (999, Takes(false), 0),
                    (1_000, Takes(true), 0),
                    (1_001, Leaves, 1),
                    (1_002, Leaves, 2),
                    (1_062, Takes(false), 0),
                    (1_062, Leaves, 1),
                    (9_999, Takes(false), 0),
                ],
            ),
        ];
        for (provisioned, steps) in table {
            let says = format!(r#"(time: "1s", idle_timeout: "60s", provisioned: {provisioned})"#);
            let says = read::<ColdStart>(&says).expect("sound").0;
            let mut of = OfReplica::default();
            of.opens(&says, SimTime::ZERO);
            for (second, step, free) in steps {
                let now = SimTime::from_secs(second);
                of.forget(&says, now);
                match step {
                    Takes(cold) => {
                        assert_eq!(of.free.pop_back().is_none(), cold, "at {second} s of {provisioned}");
                        of.busy += 1;
                    }
                    Leaves => {
                        of.busy -= 1;
                        of.free.push_back(now);
                    }
                }
                assert_eq!(of.free.len(), free, "at {second} s of {provisioned}");
            }
        }
    }
}
