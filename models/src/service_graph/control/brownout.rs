//! Brown-out: what a request can do without is done with a probability, the *dimmer*, which is turned down when there is more to do than can be
//! done in time. Everybody is served, and some get less.
//!
//! `Controller` is the feedback of Klein et al. (ICSE 2014). Each `every` `h` it takes a percentile `t` of the response times since the last look, supposes that
//! it is `alpha` times the dimmer `theta`, estimates `alpha` by recursive least squares that forget, and moves the dimmer by a part of what is missing to the
//! set point:
//!
//! ```text
//! theta  <-  theta + h (1 - pole) / alpha (set_point - t)         within 0 and 1
//! ```
//!
//! `Switch` is what most of us have: all or nothing, by the length of the queue, with hysteresis.
//!
//! There is one dimmer for all replicas of a service; it concerns the calls that are `optional`, and multiplies their `probability`. What a request draws for that
//! it draws under any dimmer: whoever is without it at 0.7 is so at 0.5.

use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::state::{Service, Stake};
use crate::words::percent;
use sim_core::stats::TimeIntegral;
use sim_core::{SimDuration, SimTime};

spec! {
    /// Optional calls are made with a probability that is turned down under load.
    pub enum Brownout where check {
        /// A feedback controller keeps response times at a set point.
        Controller {
            /// What the percentile should be: from a request's arrival at the replica to its answer.
            set_point: SimDuration; POSITIVE,
            /// Which percentile.
            percentile: f64 = 95.0; 1.0..=100.0,
            /// From one look to the next.
            every: SimDuration = SimDuration::from_millis(500); POSITIVE,
            /// How slowly it moves: 0 is all that is missing at once, near 1 is hardly.
            pole: f64 = 0.9; 0.0..=0.999,
            /// How much of what was learnt counts at the next look.
            forgetting: f64 = 0.95; 0.5..=1.0,
        },
        /// None of them is made from when more wait until fewer do.
        Switch {
            /// Requests that wait at all replicas together: off if they are more.
            above: u64,
            /// And on again if they are fewer.
            below: u64; 1..=1_000_000_000,
            /// From one look to the next.
            every: SimDuration = SimDuration::from_millis(500); POSITIVE,
        },
    }
}

fn check(brownout: &Brownout, at: &Node, cx: &mut Decoder) {
    if let Brownout::Switch { above, below, .. } = brownout
        && below > above
    {
        let message = format!("off above {above} and on below {below}: between them it is both");
        cx.error(at.get("below").unwrap_or(at).span, message).help("a `below` of no more than `above`");
    }
}

/// The dimmer of a service, where its requests tell how long they took.
#[derive(Clone, Debug, Default)]
pub struct Dimmer {
    /// Since the last look, in nanoseconds.
    took: Vec<u64>,
    /// Step, place and probability of the calls that it concerns.
    sites: Box<[(u32, u32, f64)]>,
}

impl Dimmer {
    /// One for the optional calls among these.
    pub fn new(steps: &[crate::service_graph::state::StepPlan]) -> Self {
        let sites = (0..).zip(steps).flat_map(|(number, step)| {
            let those = (0..).zip(&step.sites).filter(|(_, site)| site.stake == Stake::Optional);
            those.map(move |(place, site)| (number, place, site.probability))
        });
        Dimmer { took: Vec::new(), sites: sites.collect() }
    }

    /// A request was answered.
    pub fn answered(&mut self, took: SimDuration) {
        self.took.push(took.as_nanos());
    }

    /// The percentile of those that were answered since it was last asked for, if any were.
    fn percentile(&mut self, percentile: f64) -> Option<u64> {
        let count = self.took.len();
        let rank = (percentile / 100.0 * count as f64).ceil() as usize;
        self.took.sort_unstable();
        let found = (count > 0).then(|| self.took[rank.clamp(1, count) - 1]);
        self.took.clear();
        found
    }
}

impl Service {
    /// From now on its optional calls are made with so much of their probability.
    fn dims(&mut self, theta: f64) {
        let Some(dimmer) = &self.dimmer else { return };
        for (step, place, probability) in &dimmer.sites {
            self.steps[*step as usize].sites[*place as usize].probability = probability * theta;
        }
    }
}

/// Whoever turns the dimmer of one service.
#[derive(Clone, Debug)]
pub struct Dims {
    pub service: u32,
    says: Brownout,
    law: Law,
    theta: TimeIntegral,
    least: u64,
    /// After the warm-up: looks at which there was something to see, those at which it was in time, and times that it was switched.
    counts: [u64; 3],
    measured: bool,
    from: (u128, SimTime),
    window: (u128, SimTime),
    seen: Option<u64>,
    lines: [Vec<f64>; 2],
}

/// What it keeps of the theory: one dimmer of all that is there is a thousand million.
const FULL: f64 = 1e9;

/// The controller's own state: the dimmer, the estimate, and how uncertain that is.
#[derive(Clone, Copy, Debug)]
struct Law {
    theta: f64,
    alpha: f64,
    p: f64,
}

impl Law {
    /// As its authors begin, and with all that there is.
    const NEW: Law = Law { theta: 1.0, alpha: 1.0, p: 1_000.0 };

    /// After so many seconds the percentile is `t`: what the dimmer is from now on.
    fn sees(&mut self, t: f64, set_point: f64, (pole, forgetting): (f64, f64), period: f64) -> f64 {
        // With nothing dimmed in nothing is learnt of what that costs.
        if self.theta > 0.0 {
            let gain = self.p * self.theta;
            let weight = 1.0 / (forgetting + self.theta * gain);
            self.alpha += weight * gain * (t - self.theta * self.alpha);
            self.p = (self.p - weight * gain * gain) / forgetting;
        }
        // A percentile is positive, and so is what it is taken for.
        self.alpha = self.alpha.max(1e-6);
        self.theta += period * (1.0 - pole) / self.alpha * (set_point - t);
        self.theta = self.theta.clamp(0.0, 1.0);
        self.theta
    }
}

/// Off if more wait than that, on if fewer than this, and in between as it was.
fn switched(theta: f64, waits: u64, (above, below): (u64, u64)) -> f64 {
    match () {
        () if waits > above => 0.0,
        () if waits < below => 1.0,
        () => theta,
    }
}

impl Dims {
    /// One that has seen nothing yet: all is done.
    pub fn new(says: &Brownout, service: u32) -> Self {
        let mut theta = TimeIntegral::default();
        theta.set(SimTime::ZERO, FULL as u64);
        Dims {
            service,
            says: says.clone(),
            law: Law::NEW,
            theta,
            least: FULL as u64,
            counts: [0; 3],
            measured: false,
            from: (0, SimTime::ZERO),
            window: (0, SimTime::ZERO),
            seen: None,
            lines: [Vec::new(), Vec::new()],
        }
    }

    fn every(&self) -> SimDuration {
        match self.says {
            Brownout::Controller { every, .. } | Brownout::Switch { every, .. } => every,
        }
    }

    /// When it looks first.
    pub fn first_look(&self) -> SimTime {
        SimTime::ZERO + self.every()
    }

    /// It looks, and turns the dimmer: when it looks next.
    pub fn looks(&mut self, service: &mut Service, now: SimTime) -> SimTime {
        let before = self.law.theta;
        match self.says {
            Brownout::Controller { set_point, percentile, every, pole, forgetting } => {
                let seen = service.dimmer.as_mut().and_then(|dimmer| dimmer.percentile(percentile));
                self.seen = seen.or(self.seen);
                if let Some(t) = seen {
                    self.counts[0] += u64::from(self.measured);
                    self.counts[1] += u64::from(self.measured && t <= set_point.as_nanos());
                    let (t, set_point) = (t as f64 / 1e9, set_point.as_secs_f64());
                    self.law.sees(t, set_point, (pole, forgetting), every.as_secs_f64());
                }
            }
            Brownout::Switch { above, below, .. } => {
                let waits: u64 = service.lines.iter().map(|line| line.length.value()).sum();
                self.law.theta = switched(before, waits, (above, below));
                self.counts[2] += u64::from(self.measured && before != self.law.theta);
                service.dimmer.iter_mut().for_each(|dimmer| dimmer.took.clear());
            }
        }
        if self.law.theta != before {
            service.dims(self.law.theta);
            let theta = (self.law.theta * FULL) as u64;
            self.theta.set(now, theta);
            self.least = self.least.min(theta);
        }
        now + self.every()
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.measured = true;
        self.least = self.theta.value();
        self.from = (self.theta.area(now), now);
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.theta.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.lines[0].push((area - before) as f64 / FULL / now.since(then).as_nanos().max(1) as f64);
        self.lines[1].push(self.seen.unwrap_or(0) as f64);
    }

    /// What is told of it.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let mut section = self.says.declared(at);
        let (before, then) = self.from;
        let measured = now.max(then).since(then).as_nanos();
        let area = self.theta.area(now.max(then)) - before;
        section.set("dimmer", (measured > 0).then(|| area as f64 / FULL / measured as f64));
        section.set("least", self.least as f64 / FULL);
        section.draw("dimmer_mean", self.lines[0].clone());
        match self.says {
            Brownout::Controller { .. } => {
                let [looks, in_time, _] = self.counts.map(|count| count as f64);
                section.set("in_time", (looks > 0.0).then(|| in_time / looks));
                section.draw("percentile", self.lines[1].clone());
            }
            Brownout::Switch { .. } => section.set("switched", self.counts[2] as f64),
        }
        section
    }
}

impl Brownout {
    /// What will be told: nothing measured yet.
    pub fn declared(&self, at: &str) -> Section {
        let share = |about: &str| Value::new(Unit::Share, about).better(Better::More);
        let section = Section::new("brownout", at)
            .value(
                "dimmer",
                share("share of their probability with which optional calls are made, mean over time")
                    .of_windows(Fold::Mean("dimmer_mean".into()))
                    .headline(),
            )
            .value("least", share("and at least, after the warm-up"))
            .line("dimmer_mean", Unit::Share, "The dimmer, mean of each window.");
        match self {
            Brownout::Controller { percentile, .. } => section
                .value(
                    "in_time",
                    share("share of the looks at which the percentile was at the set point or below"),
                )
                .line(
                    "percentile",
                    Unit::Duration,
                    &format!("The {percentile}th percentile that it saw last, at the end of each window."),
                ),
            Brownout::Switch { .. } => {
                section.value("switched", Value::new(Unit::Plain, "times that it went off, or on again"))
            }
        }
    }
}

impl Part for Brownout {
    fn does(&self) -> Does {
        Does::VARIES.and(Does::OMITS)
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Brownout::Controller { set_point, percentile, .. } => {
                format!("brown-out: {} in {set_point}", percent(percentile / 100.0))
            }
            Brownout::Switch { above, below, .. } => {
                format!("brown-out above {above} waiting, until below {below}")
            }
        })
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "brownout",
                word: "",
                what: "Makes the optional calls of a service with a probability that is turned down when there is more to do than can be done in time: \
                       everybody is served, and some get less.",
                hurts: "What is optional must be cheap to leave out and dear to do: where the rest alone is too much it helps nobody. And whoever gets less \
                        is not counted as failed: success says nothing of it, the dimmer does.",
                formula: "with `m` of work for a request and `o` more for what is optional, `W` workers carry `W / (m + theta o)`: for `L` a second \
                          `theta = (W / L - m) / o`",
                source: "Klein, Maggio, Arzen, Hernandez-Rodriguez, \"Brownout: Building More Robust Cloud Applications\", ICSE 2014",
                experiment: "brownout",
            },
            Page {
                name: "brownout_controller",
                word: "Controller",
                what: "Moves the dimmer by feedback, so that a percentile of the response times comes to its set point: it learns by itself what the optional part costs.",
                hurts: "It looks back: what has come since it last turned the dimmer is served as it was. A pole near 1 is slow, one near 0 swings.",
                formula: "`theta + h (1 - pole) / alpha (set_point - t)`, `alpha` by recursive least squares",
                source: "Klein et al., ICSE 2014; cloud-control/brownout-simulator (pole 0.9, forgetting 0.95, 95th percentile)",
                experiment: "brownout",
            },
            Page {
                name: "brownout_switch",
                word: "Switch",
                what: "Turns what is optional off while the queue is long, and on again when it is short: a degraded mode with hysteresis.",
                hurts: "All or nothing: where the truth is in between it goes off and on for ever, and half of the users get less than there would be for all.",
                formula: "off above `above`, on below `below`; on for `(L - W/m) ..` as the queue drains: the nearer they are, the oftener it goes",
                source: "Nygard, Release It!; Beyer et al., Site Reliability Engineering, chapter 22 (graceful degradation)",
                experiment: "brownout",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Controller(set_point: "30ms", every: "100ms")"#,
            r#"Controller(set_point: "10ms", percentile: 50, every: "50ms", pole: 0, forgetting: 1)"#,
            r#"Switch(above: 10, below: 2, every: "50ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// A plant that is what the controller takes it for: `t = alpha theta + delta`. It comes to its set point and stays there, however dear
    /// the optional part is; and where all fits, or nothing does, it is at its end and not beyond.
    #[test]
    fn it_comes_to_its_set_point_and_stays() {
        for (alpha, delta, set_point) in
            [(2.0, 0.1, 1.0), (10.0, 0.0, 1.0), (0.7, 0.0, 0.5), (0.2, 0.1, 1.0), (1.0, 2.0, 1.0)]
        {
            for pole in [0.9, 0.5] {
                let mut law = Law::NEW;
                let mut seen = Vec::new();
                for _ in 0..2_000 {
                    let t = alpha * law.theta + delta;
                    seen.push(law.sees(t, set_point, (pole, 0.95), 0.5));
                }
                let ideal = ((set_point - delta) / alpha).clamp(0.0, 1.0);
                let last = &seen[1_900..];
                assert!(
                    last.iter().all(|theta| (theta - ideal).abs() < 0.02),
                    "{alpha} {delta} {set_point} {pole}: {last:?}, and not {ideal}"
                );
                assert!(seen.iter().all(|theta| (0.0..=1.0).contains(theta)));
            }
        }
    }

    /// By hand: from theta 1, alpha 1, p 1000 it sees 3 s.
    #[test]
    fn one_look_by_hand() {
        let mut law = Law::NEW;
        let theta = law.sees(3.0, 1.0, (0.9, 0.95), 0.5);
        let weight = 1.0 / 1_000.95;
        let alpha = 1.0 + weight * 1_000.0 * 2.0;
        assert!((law.alpha - alpha).abs() < 1e-12 && (law.p - (1_000.0 - weight * 1e6) / 0.95).abs() < 1e-9);
        assert!((theta - (1.0 - 0.5 * 0.1 / alpha * 2.0)).abs() < 1e-12, "{theta}");
    }

    #[test]
    fn a_percentile_is_of_those_since_the_last_look() {
        let mut dimmer = Dimmer::default();
        assert_eq!(dimmer.percentile(95.0), None);
        (1..=20).rev().for_each(|took| dimmer.answered(SimDuration::from_nanos(took)));
        assert_eq!(dimmer.percentile(95.0), Some(19));
        dimmer.answered(SimDuration::from_nanos(7));
        assert_eq!((dimmer.percentile(1.0), dimmer.percentile(100.0)), (Some(7), None));
    }

    #[test]
    fn a_switch_has_two_sides() {
        let mut theta = 1.0;
        for (waits, is) in [(5, 1.0), (6, 0.0), (5, 0.0), (3, 0.0), (2, 1.0), (4, 1.0), (6, 0.0), (0, 1.0)] {
            theta = switched(theta, waits, (5, 3));
            assert_eq!(theta, is, "{waits} wait");
        }
        let why = read::<Brownout>("Switch(above: 5, below: 6)").map(|_| ()).expect_err("both");
        assert!(why.contains("between them it is both"), "{why}");
        assert!(read::<Brownout>("Switch(above: 5, below: 5)").is_ok());
    }
}
