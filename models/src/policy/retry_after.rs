//! What a client makes of a refusal that says when to come again: HTTP's `Retry-After`, gRPC's pushback.
//!
//! | client | waits | longer times |
//! |---|---|---|
//! | Envoy `rate_limited_retry_back_off` | as told, and up to half as long again | over 300 s are ignored: its own back-off |
//! | gRPC `grpc-retry-pushback-ms` | exactly as told | none are refused; a negative one ends the call |
//! | AWS SDKs `x-amz-retry-after` | its own back-off `t`, or as told if that is longer | at most `t` and 5 s |
//! | clients of LLM services | as told | over 60 s are ignored: their own back-off |
//!
//! A service that tells everybody the same time makes a herd: all that it refused come back together, when that is over. What
//! helps is on either side: times that differ, or clients that [spread](RetryAfter::Honour) them. A time as long as it takes
//! to work off what waits would be right; nobody knows it.

use super::Outcome;
use super::page::Page;
use super::part::{Around, Does, Part, Worst};
use crate::experiment::{Decoder, Node, POSITIVE};
use sim_core::{SimDuration, Words};

spec! {
    /// What is made of the time that a refusal carries.
    #[derive(PartialEq)]
    pub enum RetryAfter {
        /// Nothing: retries wait as long as their own back-off says.
        Ignore,
        /// A retry waits as long as it was told, instead of its own back-off.
        Honour {
            /// The longest time that is honoured; any if absent.
            at_most: Option<SimDuration> = None; POSITIVE,
            /// What becomes of a call that is told a longer time.
            beyond: Beyond = Beyond::BackOff,
            /// Waits are spread over so much more, as a share of the time: 0.5 is up to half as long again.
            spread: f64 = 0.0; 0.0..=10.0,
        },
        /// A retry waits as long as its own back-off says, or as long as it was told if that is longer.
        AtLeast {
            /// At most so much longer than its own back-off.
            extra: SimDuration = SimDuration::from_secs(5),
        },
    }
}

spec! {
    /// What becomes of a call that is told to wait longer than its client would.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Beyond {
        /// Its retry waits as long as its own back-off says.
        BackOff,
        /// Its retry waits as long as its client would at most.
        Clamp,
        /// It fails.
        GiveUp,
    }
}

impl RetryAfter {
    /// Whether a call fails that is told to come again after so long.
    pub fn gives_up(&self, told: SimDuration) -> bool {
        matches!(*self, RetryAfter::Honour { at_most: Some(most), beyond: Beyond::GiveUp, .. } if told > most)
    }

    /// How long a retry waits that would back off for so long and was told to come again after `told`.
    pub fn wait(&self, back_off: SimDuration, told: SimDuration, words: &mut impl Words) -> SimDuration {
        match *self {
            RetryAfter::Ignore => back_off,
            RetryAfter::AtLeast { extra } => back_off.max(told.min(back_off + extra)),
            RetryAfter::Honour { at_most: Some(most), beyond: Beyond::BackOff, .. } if told > most => {
                back_off
            }
            RetryAfter::Honour { at_most, spread, .. } => {
                let told = at_most.map_or(told, |most| told.min(most));
                let more = if spread > 0.0 { told.as_nanos() as f64 * spread * words.unit() } else { 0.0 };
                told + SimDuration::drawn(more)
            }
        }
    }
}

impl Part for RetryAfter {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        (*self != RetryAfter::Ignore).then(|| "waits as told".into())
    }

    /// Over its own back-off. How long a service may tell it to wait is not known here.
    fn worst(&self) -> Worst {
        let told = match *self {
            RetryAfter::Ignore => Some(SimDuration::ZERO),
            RetryAfter::AtLeast { extra } => Some(extra),
            RetryAfter::Honour { at_most, spread, .. } => {
                at_most.map(|most| most + SimDuration::drawn(most.as_nanos() as f64 * spread))
            }
        };
        Worst { told, ..Worst::ONCE }
    }

    /// Nobody waits as a refusal says who does not come again after one.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let comes_again = around.all().any(|part| part.repeats(Outcome::Rejected));
        if *self != RetryAfter::Ignore && !comes_again {
            let message = "no retry follows a refusal, so nothing waits as it is told";
            cx.at("retry_after", |cx| _ = cx.warn(at.span_of("retry_after"), message));
        }
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "retry_after",
            word: "",
            what: "Lets a retry wait as long as the refusal said that came before it (a service's `retry_after`), instead of its own \
                   back-off.",
            hurts: "All that were refused at one time and told the same time come back at one time: a herd, unless clients spread \
                    it or the service tells different times. A long time held by short callers is a failure.",
            formula: "`n` callers that come back within `w` are `n / w` a second on top of what comes anyway; they are served \
                      without queueing if that fits",
            source: "RFC 9110 section 10.2.3; gRPC A6 (`grpc-retry-pushback-ms`); Envoy `rate_limited_retry_back_off`; AWS SDK \
                     (standard mode) `x-amz-retry-after`",
            experiment: "retry-after-herd",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Honour()",
            r#"Honour(at_most: "20ms", beyond: Clamp, spread: 0.5)"#,
            r#"Honour(at_most: "5ms", beyond: GiveUp)"#,
            r#"AtLeast(extra: "10ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use sim_core::{Key, Streams};

    /// (setting, own back-off, told, waits), in milliseconds.
    #[test]
    fn what_is_made_of_a_time() {
        for (setting, back_off, told, waits) in [
            ("Ignore", 10, 500, Some(10)),
            ("Honour()", 10, 500, Some(500)),
            ("Honour()", 900, 500, Some(500)),
            (r#"Honour(at_most: "500ms")"#, 10, 500, Some(500)),
            (r#"Honour(at_most: "499ms")"#, 10, 500, Some(10)),
            (r#"Honour(at_most: "499ms", beyond: Clamp)"#, 10, 500, Some(499)),
            (r#"Honour(at_most: "499ms", beyond: GiveUp)"#, 10, 500, None),
            // The AWS SDKs, botocore 1.44.5: `max(t, min(told, t + 5 s))` of a back-off of `t`.
            ("AtLeast()", 10, 500, Some(500)),
            ("AtLeast()", 900, 500, Some(900)),
            ("AtLeast()", 9000, 500, Some(9000)),
            ("AtLeast()", 10, 60_000, Some(5010)),
            (r#"AtLeast(extra: "0s")"#, 10, 500, Some(10)),
        ] {
            let setting = read::<RetryAfter>(setting).unwrap().0;
            let mut luck = Streams::new(1).luck("jitter", "a->b");
            let of = SimDuration::from_millis;
            let found = setting.wait(of(back_off), of(told), &mut luck.at(Key::root(1, 1)));
            let found = (!setting.gives_up(of(told))).then_some(found);
            assert_eq!(found, waits.map(of), "{setting:?}");
        }
    }

    /// Envoy: uniformly between the time and one and a half of it.
    #[test]
    fn a_time_is_spread() {
        let setting = read::<RetryAfter>("Honour(spread: 0.5)").unwrap().0;
        let mut luck = Streams::new(1).luck("jitter", "a->b");
        let told = SimDuration::from_secs(2);
        let waits: Vec<f64> = (0..10_000)
            .map(|n| setting.wait(told, told, &mut luck.at(Key::root(1, n))).as_secs_f64())
            .collect();
        assert!(waits.iter().all(|wait| (2.0..3.0).contains(wait)));
        let mean = waits.iter().sum::<f64>() / 10_000.0;
        // Uniform: sd 0.289 of the width, 0.0029 of ten thousand.
        assert!((mean - 2.5).abs() < 0.012, "{mean}");
    }
}
