//! An adaptive limit on the attempts that one client has out: it finds how many the service can take, and nobody has to know.
//!
//! By Little's law the right limit is rate times time, and both change. So it is moved with every attempt that ends:
//!
//! - *AIMD*: one more for each that goes well while at least half of the limit is used, a tenth less for each that is
//!   dropped or takes too long (as TCP does; Chiu and Jain 1989 show that this, and not the other way round, is fair).
//! - *Gradient*: by how much longer an attempt takes than attempts took over a long time,
//!   `limit <- 0.8 limit + 0.2 (limit * min(1, max(1/2, tolerance * long / short)) + queue)`. What queues at the service is
//!   seen before anything fails; `queue` is what it may hold for bursts.
//!
//! Both are those of Netflix's concurrency-limits (`AIMDLimit`, `Gradient2Limit`), with its defaults, but for one thing: how
//! many are out is looked at when an attempt ends, not when it began.
//!
//! The limit is on what is *out*, so a client over it fails at once, and the service has a short queue of those it can
//! serve. Each client finds a limit of its own: with many clients of one call each there is nothing to limit, and all stand at
//! the least. A gradient takes what has been so for long for what is right: a service that gets slower for good raises its limit. How
//! long that is counts attempts, 600 of them: behind Netflix's `WindowedLimit` a sample is a second or more, here it is one attempt, and at
//! 700/s all of it is under a second. A memory of minutes has to be asked for (`long_window`).

use super::outcome::{Failure, OnList, Outcome, OutcomeSet};
use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::{Fold, Section, Unit, Value};
use sim_core::SimDuration;

spec! {
    /// An adaptive limit on the attempts that one client has out.
    pub enum Concurrency where check {
        /// One more for what goes well, a part less for what does not.
        Aimd {
            /// What it begins with.
            initial: u32 = 20; 1..=100_000,
            /// The least that it falls to.
            min: u32 = 20; 1..=100_000,
            /// The most that it rises to.
            max: u32 = 200; 1..=100_000,
            /// What is left of it when an attempt is dropped.
            backoff_ratio: f64 = 0.9; 0.5..=0.999,
            /// An attempt that takes longer counts as dropped.
            timeout: SimDuration = SimDuration::from_secs(5); POSITIVE,
            /// What counts as dropped. Other failures say nothing.
            on: Vec<Failure> = DROPPED.to_vec(); OnList::Sent,
        },
        /// By how much longer attempts take now than they did over a long time.
        Gradient {
            /// What it begins with.
            initial: u32 = 20; 1..=100_000,
            /// The least that it falls to.
            min: u32 = 20; 1..=100_000,
            /// The most that it rises to.
            max: u32 = 200; 1..=100_000,
            /// Attempts that may queue at the service.
            queue: u32 = 4; 0..=10_000,
            /// How much of each step is taken.
            smoothing: f64 = 0.2; 0.001..=1.0,
            /// So many times as long as usual is still usual.
            tolerance: f64 = 1.5; 1.0..=100.0,
            /// Over how many attempts the long time is averaged: at 700/s the default is under a second.
            long_window: u32 = 600; 2..=1_000_000,
            /// What counts as dropped, and so as an attempt that took as long as it did. Other failures say nothing.
            on: Vec<Failure> = DROPPED.to_vec(); OnList::Sent,
        },
    }
}

/// What says that a service has too much to do.
const DROPPED: [Failure; 4] = [Failure::Rejected, Failure::Refused, Failure::Reset, Failure::TimedOut];

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct ConcurrencyState(Box<State>);

#[derive(Clone, Debug)]
struct State {
    out: u32,
    limit: f64,
    range: (f64, f64),
    on: OutcomeSet,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Aimd { backoff_ratio: f64, timeout: SimDuration },
    Gradient { queue: f64, smoothing: f64, tolerance: f64, long: LongTime },
}

/// An average over a long time: of all so far while they are few, then exponential.
#[derive(Clone, Debug)]
struct LongTime {
    mean: f64,
    seen: u32,
    weight: f64,
}

/// The first so many are averaged, each as much as the others.
const FEW: u32 = 10;

impl LongTime {
    fn add(&mut self, time: f64) -> f64 {
        let weight = if self.seen < FEW {
            self.seen += 1;
            1.0 / f64::from(self.seen)
        } else {
            self.weight
        };
        self.mean += (time - self.mean) * weight;
        self.mean
    }
}

impl ConcurrencyState {
    /// A client that has nothing out.
    pub fn new(limit: &Concurrency) -> Self {
        let (initial, range, on, rule) = match *limit {
            Concurrency::Aimd { initial, min, max, backoff_ratio, timeout, ref on } => {
                (initial, (min, max), on, Rule::Aimd { backoff_ratio, timeout })
            }
            Concurrency::Gradient { initial, min, max, queue, smoothing, tolerance, long_window, ref on } => {
                let long = LongTime { mean: 0.0, seen: 0, weight: 2.0 / f64::from(long_window + 1) };
                let queue = f64::from(queue);
                (initial, (min, max), on, Rule::Gradient { queue, smoothing, tolerance, long })
            }
        };
        ConcurrencyState(Box::new(State {
            out: 0,
            limit: f64::from(initial),
            range: (f64::from(range.0), f64::from(range.1)),
            on: OutcomeSet::of(on),
            rule,
        }))
    }

    /// Whether one more may be out.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.0.out < self.limit()
    }

    /// Attempts that may be out.
    #[inline]
    pub fn limit(&self) -> u32 {
        self.0.limit as u32
    }

    /// One is sent.
    #[inline]
    pub fn sent(&mut self) {
        self.0.out += 1;
    }

    /// One that was to be sent is not after all.
    #[cold]
    pub fn take_back(&mut self) {
        self.0.out = self.0.out.checked_sub(1).expect("an attempt that was never to be sent");
    }

    /// One that was sent has ended so, after so long.
    pub fn ended(&mut self, outcome: Outcome, took: SimDuration) {
        let state = &mut *self.0;
        let out = f64::from(state.out);
        state.out = state.out.checked_sub(1).expect("an attempt ended that was never sent");
        let dropped = state.on.contains(outcome);
        if !dropped && outcome != Outcome::Ok {
            return;
        }
        let limit = state.limit;
        let next = match &mut state.rule {
            Rule::Aimd { backoff_ratio, timeout } => {
                if dropped || took > *timeout {
                    (limit * *backoff_ratio) as u32 as f64
                } else if 2.0 * out >= limit {
                    limit + 1.0
                } else {
                    limit
                }
            }
            Rule::Gradient { queue, smoothing, tolerance, long } => {
                let short = took.as_nanos().max(1) as f64;
                let usual = long.add(short);
                if usual > 2.0 * short {
                    long.mean *= 0.95;
                }
                if 2.0 * out < limit {
                    limit
                } else {
                    let gradient = (*tolerance * usual / short).clamp(0.5, 1.0);
                    limit * (1.0 - *smoothing) + (limit * gradient + *queue) * *smoothing
                }
            }
        };
        state.limit = next.clamp(state.range.0, state.range.1);
    }
}

impl Concurrency {
    fn range(&self) -> (u32, u32, u32) {
        match *self {
            Concurrency::Aimd { initial, min, max, .. } | Concurrency::Gradient { initial, min, max, .. } => {
                (min, initial, max)
            }
        }
    }
}

fn check(limit: &Concurrency, at: &Node, cx: &mut Decoder) {
    let (min, initial, max) = limit.range();
    if min > max || initial < min || initial > max {
        cx.error(
            at.span,
            format!("a limit begins between its least and its most: {min} <= {initial} <= {max} is not so"),
        );
    }
}

impl Part for Concurrency {
    fn does(&self) -> Does {
        Does::REFUSES
    }

    fn brief(&self) -> Option<String> {
        let (min, _, max) = self.range();
        Some(format!("{min} to {max} attempts out"))
    }

    fn bytes(&self, _replicas: u32) -> u64 {
        size_of::<State>() as u64
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (min, _, max) = self.range();
        vec![format!(
            "{}: each client has {min} to {max} attempts out at a time, as many as it finds that its callee can take",
            around.name
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "concurrency",
            word: "",
            what: "Limits the attempts that one client has out, and finds the limit itself: by what is dropped (Aimd), or by how much \
                   longer attempts take than they used to (Gradient). What is over the limit fails at once.",
            hurts: "Each client finds a limit of its own, so that of many clients with little to do each stands at its least, and together \
                    they are no limit. A gradient takes what has been so for long for what is right: a service that got slower for \
                    good, or a queue that has stood for long, raises it. Work of very different lengths looks like queueing.",
            formula: "Aimd: one more for each that went well, `limit * 0.9` for each that did not. Gradient: \
                      `0.8 limit + 0.2 (limit * min(1, max(1/2, 1.5 long / short)) + queue)`. What is right is Little's law: rate \
                      times time",
            source: "Netflix concurrency-limits (`AIMDLimit`, `Gradient2Limit`); Chiu and Jain 1989; Envoy's adaptive concurrency filter \
                     is a relative",
            experiment: "adaptive-limits",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Aimd(initial: 5, min: 1, max: 50, timeout: "50ms")"#,
            "Gradient(initial: 5, min: 1, max: 50)",
            "Gradient(initial: 1, min: 1, max: 1, queue: 0)",
        ]
    }
}

/// What they will tell of: nothing measured yet.
fn declared(at: &str) -> Section {
    let of_limit =
        |fold: fn(String) -> Fold, about| Value::new(Unit::Plain, about).of_windows(fold("limit".into()));
    Section::new("concurrency_limits", at)
        .value("limit_mean", of_limit(Fold::Mean, "attempts that a client may have out, on average"))
        .value("limit_max", of_limit(Fold::Max, "and at most, at the end of a window"))
        .line(
            "limit",
            Unit::Plain,
            "Attempts that a client may have out at the window's end, mean of all clients.",
        )
}

/// Follows the limits of all clients of one edge.
#[derive(Clone, Debug)]
pub struct Watch {
    clients: u32,
    /// Of all of them.
    limits: u64,
    windows: Vec<f64>,
}

impl Watch {
    /// So many clients that have called nobody yet.
    pub fn new(limit: &Concurrency, clients: u32) -> Self {
        let (_, initial, _) = limit.range();
        Watch { clients, limits: u64::from(initial) * u64::from(clients), windows: Vec::new() }
    }

    /// One of them stood here and stands there.
    #[inline]
    pub fn moved(&mut self, from: u32, to: u32) {
        self.limits = self.limits - u64::from(from) + u64::from(to);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(self.limits as f64 / f64::from(self.clients.max(1)));
    }

    /// What is told of them.
    pub fn section(self, at: &str) -> Section {
        let mut section = declared(at);
        section.draw("limit", self.windows);
        section
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn state(text: &str) -> ConcurrencyState {
        ConcurrencyState::new(&read::<Concurrency>(text).unwrap().0)
    }

    /// So many are sent and all but the last few end before the one that is looked at.
    fn end(state: &mut ConcurrencyState, out: u32, outcome: Outcome, millis: u64) -> u32 {
        state.0.out = out;
        state.ended(outcome, SimDuration::from_millis(millis));
        state.limit()
    }

    /// `AIMDLimit` of concurrency-limits, by its own rule: (out, outcome, took) and the limit from then on.
    #[test]
    fn one_more_or_a_tenth_less() {
        use Outcome::*;
        let mut aimd = state(r#"Aimd(initial: 20, min: 10, max: 22, timeout: "1s")"#);
        for (number, (out, outcome, millis, limit)) in [
            (9, Ok, 10, 20),
            (10, Ok, 10, 21),
            (20, Ok, 1000, 22),
            (20, Ok, 10, 22),
            (20, Ok, 1001, 19),
            (1, TimedOut, 10, 17),
            (19, Error, 10, 17),
            (19, Cancelled, 10, 17),
            (19, Rejected, 10, 15),
            (19, Reset, 10, 13),
            (19, Refused, 10, 11),
            (19, Refused, 10, 10),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(end(&mut aimd, out, outcome, millis), limit, "{number}");
        }
    }

    /// `Gradient2Limit`: of 20, 0.8 * 20 + 0.2 * (20 * 1 + 4) = 20.8 and so on as long as an attempt takes as long as
    /// ever; (tolerance 1.5) at three times as long the gradient is 1.5 * long / short.
    #[test]
    fn as_many_as_take_no_longer_than_usual() {
        let mut gradient = state("Gradient(initial: 20, min: 5, max: 200)");
        assert_eq!(end(&mut gradient, 9, Outcome::Ok, 100), 20, "half of it is not used");
        for limit in [20.8, 21.6] {
            end(&mut gradient, 20, Outcome::Ok, 100);
            assert!((gradient.0.limit - limit).abs() < 1e-9, "{}", gradient.0.limit);
        }
        // The fourth of the first ten: the mean is (3 * 100 + 300) / 4 = 150.
        end(&mut gradient, 20, Outcome::Ok, 300);
        let expected = 0.8 * 21.6 + 0.2 * (21.6 * 1.5 * 150.0 / 300.0 + 4.0);
        assert!((gradient.0.limit - expected).abs() < 1e-9, "{}", gradient.0.limit);
        // However long it takes, at most half of a fifth is taken away: to nine tenths and what may queue.
        let before = gradient.0.limit;
        end(&mut gradient, 20, Outcome::TimedOut, 100_000);
        assert!((gradient.0.limit - (0.9 * before + 0.8)).abs() < 1e-9, "{}", gradient.0.limit);
    }

    /// What took long once is forgotten sooner when all is quick again.
    #[test]
    fn the_long_time_comes_down_faster_than_it_averages() {
        let mut gradient = state("Gradient()");
        (0..20).for_each(|_| _ = end(&mut gradient, 20, Outcome::Ok, 1000));
        (0..60).for_each(|_| _ = end(&mut gradient, 20, Outcome::Ok, 10));
        let Rule::Gradient { long, .. } = &gradient.0.rule else { panic!("a gradient") };
        // By averages alone 990 * (1 - 2/601)^60 + 10 = 821 ms would be left.
        assert!(long.mean < 60e6, "{}", long.mean);
    }

    #[test]
    fn a_limit_begins_within_its_bounds() {
        for text in ["Aimd(initial: 5)", "Gradient(initial: 500)", "Aimd(min: 50, max: 20, initial: 30)"] {
            let said = read::<Concurrency>(text).unwrap_err();
            assert!(said.contains("a limit begins between"), "{said}");
        }
    }
}
