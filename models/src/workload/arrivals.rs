//! When calls are made, as a file says it.

use super::recording::{Recording, Says};
use crate::diagram::time;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::words::percent;
use sim_core::{Rate, SimDuration, SimTime};

spec! {
    /// When calls are made. Open loops keep their luck when a rate changes: one unit-rate stream
    /// through the inverted cumulative rate.
    pub enum Arrivals where check {
        /// Independent arrivals at a constant mean rate.
        Poisson(rate: Rate; POSITIVE),
        /// Evenly spaced arrivals.
        Constant(rate: Rate; POSITIVE),
        /// The rate moves in a straight line from one value to another.
        Ramp {
            /// Rate until `at`.
            from: Rate,
            /// Rate from the end of the ramp on.
            to: Rate,
            /// When the ramp begins.
            at: SimTime = SimTime::ZERO,
            /// How long it takes.
            over: SimDuration,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// The rate jumps at given times.
        Steps {
            /// (at, rate) in order of time; the first must be at 0s.
            steps: Vec<RateStep>,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// A base rate with one surge.
        Spike {
            /// Rate outside the surge.
            base: Rate,
            /// Rate during the surge.
            peak: Rate,
            /// When the surge begins.
            at: SimTime,
            /// How long it lasts.
            r#for: SimDuration,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// The rate doubles again and again, until it is as high as it gets.
        Growth {
            /// Rate until `at`.
            from: Rate; POSITIVE,
            /// Rate at which it stays.
            to: Rate; POSITIVE,
            /// In what time it doubles.
            doubles_in: SimDuration; POSITIVE,
            /// When it begins to grow.
            at: SimTime = SimTime::ZERO,
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// The rate goes up and down like that of a day: a wave about its mean.
        Diurnal {
            /// Rate on average.
            mean: Rate; POSITIVE,
            /// By which share of that it is higher at its peak, and lower half a period later.
            amplitude: f64 = 0.5; 0.0..=1.0,
            /// From one peak to the next.
            period: SimDuration = DAY; POSITIVE,
            /// When a peak is.
            peak_at: SimTime = SimTime::from_secs(14 * 3600),
            /// Poisson or evenly spaced.
            spacing: Spacing = Spacing::Poisson,
        },
        /// Quiet and busy stretches that come by chance (a Markov-modulated Poisson process): independent arrivals at the rate of a state as long as it
        /// lasts, then at that of the next in the list, and again from the first.
        Bursty {
            /// Their rates, and how long each lasts on average.
            states: Vec<RateState>; Len(2..=MOST_STATES),
        },
        /// What came one day, from a file in the experiment's folder: a rate from each time on (`60s,800/s` in a line, the first at 0s), or a
        /// call at each time (`61.5s` in a line).
        Replay {
            /// The file, such as `"day.csv"`.
            file: Recording,
            /// By what its rates are multiplied.
            scale: f64 = 1.0; POSITIVE,
            /// What its rates do between two lines.
            between: Between = Between::Steps,
            /// Poisson or evenly spaced, where it has rates.
            spacing: Spacing = Spacing::Poisson,
        },
        /// So many calls at one instant, and none before or after.
        Burst {
            /// How many.
            count: u32; 1..=1_000_000,
            /// When.
            at: SimTime = SimTime::ZERO,
        },
        /// A fixed number of users, each of whom thinks, calls, waits for the end, and thinks again.
        /// Arrivals then depend on the system, so they differ between policies.
        ClosedLoop {
            /// How many.
            users: u32; 1..=1_000_000,
            /// Time between the end of a call and the next.
            think: TimeDistribution,
        },
    }
}

spec! {
    /// How arrivals of a changing rate are spaced.
    pub enum Spacing {
        /// Independent of each other.
        Poisson,
        /// As even as the rate allows.
        Even,
    }
}

spec! {
    /// What the rates of a recording do between two of its lines.
    pub enum Between {
        /// Each stays until the next.
        Steps,
        /// They move in a straight line.
        Lines,
    }
}

spec! {
    /// A rate from a time on.
    pub struct RateStep {
        /// From when.
        at: SimTime,
        /// The rate.
        rate: Rate,
    }
}

const DAY: SimDuration = SimDuration::from_secs(86_400);
const MOST_STATES: usize = 32;
/// Shorter stretches than this would be more events than calls.
const SHORTEST: SimDuration = SimDuration::from_millis(1);

spec! {
    /// A rate for a while.
    pub struct RateState {
        /// The rate.
        rate: Rate,
        /// How long it lasts: exponentially distributed with this mean.
        lasts: SimDuration; SHORTEST..,
    }
}

impl Arrivals {
    /// Whether their rate never settles, or not for long.
    pub fn wander(&self) -> bool {
        use Arrivals::{Bursty, Diurnal, Growth, Replay};
        matches!(self, Growth { .. } | Diurnal { .. } | Bursty { .. } | Replay { .. })
    }

    /// In a few words, for a picture.
    pub fn brief(&self) -> String {
        match self {
            Arrivals::Poisson(rate) => format!("{rate}, Poisson"),
            Arrivals::Constant(rate) => format!("{rate}, evenly spaced"),
            Arrivals::Ramp { from, to, at, over, .. } => format!("{from} to {to}, from {at} in {over}"),
            Arrivals::Spike { base, peak, at, r#for, .. } => format!("{base}, {peak} at {at} for {for}"),
            Arrivals::Steps { steps, .. } => {
                let steps: Vec<String> =
                    steps.iter().map(|step| format!("{} from {}", step.rate, step.at)).collect();
                steps.join(", ")
            }
            Arrivals::Growth { from, to, doubles_in, at, .. } => {
                format!("{from}, doubling every {doubles_in} from {at} on, up to {to}")
            }
            Arrivals::Diurnal { mean, amplitude, period, peak_at, .. } => {
                format!("{mean} on average, {} more at {peak_at}, every {period}", percent(*amplitude))
            }
            Arrivals::Bursty { states } => {
                let states: Vec<String> =
                    states.iter().map(|state| format!("{} for {}", state.rate, state.lasts)).collect();
                format!("{}, on average, in turn", states.join(", "))
            }
            Arrivals::Replay { file, scale, .. } if *scale == 1.0 => file.brief(),
            Arrivals::Replay { file, scale, .. } => format!("{scale} times {}", file.brief()),
            Arrivals::Burst { count, at } => format!("{count} at once, at {at}"),
            Arrivals::ClosedLoop { users, think } => {
                format!("{users} users in a loop, thinking {}", time(think))
            }
        }
    }

    /// Calls per second, if they are independent of each other and of the system, and their rate never changes.
    pub fn poisson(&self) -> Option<f64> {
        match self {
            Arrivals::Poisson(rate) => Some(rate.get()),
            _ => None,
        }
    }

    /// How many users wait for answers, and how long each thinks; `None` if nobody waits.
    pub fn closed_loop(&self) -> Option<(u32, &TimeDistribution)> {
        match self {
            Arrivals::ClosedLoop { users, think } => Some((*users, think)),
            _ => None,
        }
    }

    /// How many calls come at one instant, where that is all there is: they have no rate.
    pub fn at_once(&self) -> Option<u32> {
        match self {
            Arrivals::Burst { count, .. } => Some(*count),
            _ => None,
        }
    }

    /// What is out of the ordinary about them, and when: a word, from, and how long.
    pub fn disturbance(&self) -> Option<(&'static str, SimTime, SimDuration)> {
        match self {
            Arrivals::Spike { at, r#for, .. } => Some(("spike", *at, *r#for)),
            _ => None,
        }
    }

    /// What is known of them before an instant: their rates from then on are left out.
    pub fn until(&self, instant: SimTime) -> Arrivals {
        let flat = |rate: &Rate, spacing: &Spacing| Arrivals::Steps {
            steps: vec![RateStep { at: SimTime::ZERO, rate: *rate }],
            spacing: spacing.clone(),
        };
        match self {
            Arrivals::Ramp { from, at, spacing, .. } if *at >= instant => flat(from, spacing),
            Arrivals::Spike { base, at, spacing, .. } if *at >= instant => flat(base, spacing),
            Arrivals::Steps { steps, spacing } => Arrivals::Steps {
                steps: steps.iter().filter(|step| step.at < instant).cloned().collect(),
                spacing: spacing.clone(),
            },
            _ => self.clone(),
        }
    }

    /// The highest rate, per second; `None` for a closed loop, which has none of its own, and for what has none at all.
    pub fn peak(&self) -> Option<f64> {
        match self {
            Arrivals::Poisson(rate) | Arrivals::Constant(rate) => Some(rate.get()),
            Arrivals::Ramp { from: one, to: other, .. } | Arrivals::Spike { base: one, peak: other, .. } => {
                Some(one.get().max(other.get()))
            }
            Arrivals::Steps { steps, .. } => {
                Some(steps.iter().map(|step| step.rate.get()).fold(0.0, f64::max))
            }
            Arrivals::Growth { to, .. } => Some(to.get()),
            Arrivals::Diurnal { mean, amplitude, .. } => Some(mean.get() * (1.0 + amplitude)),
            Arrivals::Bursty { states } => {
                Some(states.iter().map(|state| state.rate.get()).fold(0.0, f64::max))
            }
            Arrivals::Replay { file, scale, .. } => match file.says() {
                Says::Rates(rates) => {
                    Some(rates.iter().map(|(_, rate)| rate.get()).fold(0.0, f64::max) * scale)
                }
                Says::Arrivals(_) | Says::Unread => None,
            },
            Arrivals::Burst { .. } | Arrivals::ClosedLoop { .. } => None,
        }
    }

    /// What is to be said of a recording that is over before a run is that ends then, or begins after it.
    pub fn out_of_step(&self, ends: SimTime) -> Option<(String, &'static str)> {
        let Arrivals::Replay { file, .. } = self else { return None };
        if let Says::Arrivals(times) = file.says()
            && let Some(first) = times.first().filter(|first| **first >= ends)
        {
            let name = file.name();
            let message =
                format!("nobody comes: the first line of {name} is at {first}, and the run ends at {ends}");
            return Some((message, "a longer run, or lines that count from its beginning"));
        }
        let last = file.last();
        // The last of regular lines stands for as long as the others.
        let over = file.longest_gap().is_zero() || last + file.longest_gap() < ends;
        if !over || file.is_one_rate() || *file.says() == Says::Unread || last >= ends {
            return None;
        }
        let (last, ends) = (last.since(SimTime::ZERO), ends.since(SimTime::ZERO));
        Some(match file.says() {
            Says::Arrivals(_) => (
                format!(
                    "nobody comes after {last}, the last line of {}, and the run ends at {ends}",
                    file.name()
                ),
                "a shorter run: what is measured after that is of an idle system",
            ),
            _ => (
                format!(
                    "the last line of {} is at {last}, and the run ends at {ends}: its rate stays until then",
                    file.name()
                ),
                "a shorter run, or more lines",
            ),
        })
    }
}

impl Part for Arrivals {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(self.brief())
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "arrivals",
                word: "",
                what: "Says when calls are made: independently of each other or evenly, at a rate that stays, jumps, moves in a straight line, \
                       doubles, goes up and down like that of a day, or changes by chance; all at once; as a file says; or by users who wait for each \
                       answer. The rate of an open loop changes when who comes, and not who: the k-th call has the same luck.",
                hurts: "Users who wait for their answers come less often where those are slow, so a closed loop hides an overload that an open \
                        one shows.",
                formula: "the k-th call comes when the cumulative rate reaches the k-th point of a process of rate 1",
                source: "Schroeder, Wierman and Harchol-Balter, \"Open Versus Closed: A Cautionary Tale\", 2006; Çinlar, \"Introduction to \
                         Stochastic Processes\", 1975 (inversion)",
                experiment: "viral-growth",
            },
            Page {
                name: "replay",
                word: "Replay",
                what: "Takes rates or arrivals from a CSV in the experiment's folder. Lines of two cells are rates: `60s,800/s` is 800 calls a second \
                       from then on, or moving in a straight line to the next (`between: Lines`), times `scale`; that of the last line stays. Lines of \
                       one cell are arrivals, as they stand, and nobody comes after the last. A first line without numbers is a header; what begins \
                       with `#` is left out.",
                hurts: "A recording tells who came: whom a slow system kept away is missing, and the retries of those whom it did not are in it as if \
                        they were users. Rates per minute tell nothing of what happened within one: a surge of seconds is spread over all of it.",
                formula: "calls by `t`: `scale` times the sum of rate times length of the lines until then",
                source: "trace-driven simulation: Jain, \"The Art of Computer Systems Performance Analysis\", 1991, chapter 24",
                experiment: "replayed-day",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &["Poisson(\"100/s\")", "Replay(file: \"day.csv\", scale: 2)"]
    }
}

/// Times in order, and somebody who comes.
fn check(arrivals: &Arrivals, at: &Node, cx: &mut Decoder) {
    let place = |field: &str| at.get(field).unwrap_or(at).span;
    match arrivals {
        Arrivals::Ramp { over, .. } if over.is_zero() => {
            cx.error(place("over"), "must be longer than 0: a jump is Steps");
            return;
        }
        Arrivals::Steps { steps, .. } => {
            if steps.first().is_none_or(|step| step.at != SimTime::ZERO) {
                cx.error(place("steps"), "the first step must be at \"0s\"");
            }
            if let Some(late) = steps.windows(2).position(|pair| pair[0].at >= pair[1].at) {
                cx.error(place("steps"), format!("steps[{}] is not later than the one before it", late + 1));
            }
        }
        Arrivals::Growth { from, to, .. } if to.get() <= from.get() => {
            cx.error(place("to"), format!("{to} is not more than {from}, so nothing grows"))
                .help("a rate that falls is a Ramp");
        }
        Arrivals::Replay { file, scale, between, spacing } if matches!(file.says(), Says::Arrivals(_)) => {
            let plain = matches!((between, spacing), (Between::Steps, Spacing::Poisson));
            for (key, plain) in [("scale", *scale == 1.0), ("between", plain), ("spacing", plain)] {
                if let (Some(value), false) = (at.get(key), plain) {
                    cx.error(
                        value.span,
                        format!("`{key}` changes rates, and {} says when each call comes", file.name()),
                    )
                    .help("recorded arrivals come as they stand: leave it out");
                }
            }
        }
        Arrivals::Spike { r#for, .. } if r#for.is_zero() => {
            cx.error(place("for"), "must be longer than 0");
        }
        _ => {}
    }
    if arrivals.peak().is_some_and(|peak| peak <= 0.0) {
        cx.error(at.span, "nobody ever arrives: every rate is 0");
    }
}
