//! When a call is given up: a timer of the caller's, from its beginning, all attempts and pauses together.
//!
//! A distribution is the patience of callers, drawn for each call: users leave a queue at different times.

use super::Policy;
use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decode, Decoder, Node};
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams};

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadline<'a>(pub &'a TimeDistribution);

impl Deadline<'_> {
    /// What an attempt may take, how long the call may, and how many attempts can begin before that; where both are
    /// the same for every call.
    fn room(&self, around: &Around) -> Option<(SimDuration, SimDuration, u32)> {
        let (attempt, deadline) = (around.worst().attempt?, self.0.fixed()?);
        let begin =
            around.all().map(|part| part.begin_within(attempt, deadline)).fold(1, u32::saturating_mul);
        Some((attempt, deadline, begin))
    }
}

/// How long the callers of an edge wait for a call, as it runs. A random patience is not kept: it is drawn again from
/// the call's key whenever it is asked for.
#[derive(Clone)]
pub enum Patience {
    /// For ever.
    Endless,
    /// Each as long.
    Fixed(SimDuration),
    /// Each as long as is drawn for it.
    Random {
        /// What it is drawn from.
        time: Distribution,
        /// Where.
        luck: Luck,
    },
}

impl Patience {
    /// That of callers with this policy, over the edge of this name.
    pub fn new(policy: &Policy, edge: &str, streams: &Streams) -> Self {
        let Some(deadline) = &policy.deadline else { return Patience::Endless };
        let random =
            || Patience::Random { time: deadline.nanos.clone(), luck: streams.luck("patience", edge) };
        deadline.fixed().map_or_else(random, Patience::Fixed)
    }

    /// When the call at `key` that began then is given up.
    #[inline(always)]
    pub fn end(&mut self, started: SimTime, key: Key) -> SimTime {
        match self {
            Patience::Endless => SimTime::MAX,
            Patience::Fixed(patience) => started + *patience,
            Patience::Random { time, luck } => Self::random_end(time, luck, started, key),
        }
    }

    #[inline(never)]
    fn random_end(time: &Distribution, luck: &mut Luck, started: SimTime, key: Key) -> SimTime {
        started + SimDuration::drawn(time.sample(&mut luck.at(key)))
    }

    /// Its stream, if it draws.
    pub fn used(&self) -> Option<StreamUse> {
        if let Patience::Random { luck, .. } = self { Some(luck.used()) } else { None }
    }
}

impl Part for Deadline<'_> {
    fn does(&self) -> Does {
        Does::GIVES_UP
    }

    fn brief(&self) -> Option<String> {
        Some(format!("deadline {}", self.0.encode().plain()))
    }

    fn worst(&self) -> Worst {
        Worst { call: self.0.longest(), ..Worst::ONCE }
    }

    fn patience(&self) -> Option<TimeDistribution> {
        Some(self.0.clone())
    }

    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let Some((attempt, deadline, begin)) = self.room(around) else { return };
        let attempts = around.worst().attempts;
        let message = if deadline < attempt {
            format!("the deadline ends every call before an attempt can time out (after {attempt})")
        } else {
            format!("only {begin} of {attempts} attempts can begin before the deadline if each times out")
        };
        if deadline < attempt || begin < attempts {
            cx.at("deadline", |cx| _ = cx.warn(at.span_of("deadline"), message));
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (Some((_, deadline, begin)), attempts) = (self.room(around), around.worst().attempts) else {
            return Vec::new();
        };
        let note = format!(
            "{}: of {attempts} attempts at most {begin} can begin before the deadline of {deadline} if each times out",
            around.name,
        );
        if begin < attempts { vec![note] } else { Vec::new() }
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "deadline",
            word: "",
            what: "Ends a call, all its attempts and pauses together, so long after its beginning. A \
                   distribution is the patience of callers, drawn for each call.",
            hurts: "Where an attempt cannot time out before it, no retry ever begins. Who leaves a queue is \
                   still served if nobody takes the expired out of it.",
            formula: "in a line of M/M/1 with deadline D a share `(1 - rho) rho e / (1 - rho^2 e)` is late, with \
                   `e = exp(-(1 - rho) D)` in mean service times",
            source: "Baccelli and Hebuterne 1981; gRPC deadlines; Envoy route.timeout (15 s, all retries \
                   included)",
            experiment: "impatient-callers",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#""100ms""#, r#""10ms""#, r#""1s""#, r#"Exponential(mean: "50ms")"#]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn each_call_has_its_own_patience_and_keeps_it() {
        let began = SimTime::from_secs(7);
        for (policy, differ, mean) in [
            ("()", false, None),
            (r#"(deadline: "2s")"#, false, Some(2.0)),
            (r#"(deadline: Exponential(mean: "2s"))"#, true, Some(2.0)),
        ] {
            let mut patience = Patience::new(&read(policy).unwrap().0, "a->b", &Streams::new(3));
            let ends: Vec<SimTime> = (0..2_000).map(|n| patience.end(began, Key::root(1, n))).collect();
            assert!(ends.iter().zip(0..).all(|(end, n)| patience.end(began, Key::root(1, n)) == *end));
            assert_eq!(ends.windows(2).all(|two| two[0] != two[1]), differ, "{policy}");
            let Some(mean) = mean else {
                assert_eq!(ends[0], SimTime::MAX, "for ever");
                continue;
            };
            let found = ends.iter().map(|end| end.since(began).as_secs_f64()).sum::<f64>() / 2_000.0;
            // Of 2,000 exponentials with a mean of 2 s: to four standard errors.
            assert!((found - mean).abs() < 0.18, "{policy}: {found} s");
        }
    }
}
