//! Block and ramp: after an overload or an outage nobody is let in for a while, and then more and more.
//!
//! An overload that keeps itself going (retries, a cache that is empty, users who come again) ends only if less comes than can be done. So whoever is on call
//! turns all of it away, waits until what is queued is gone, and lets it in again in steps; when trouble comes back he falls back, and begins anew.
//!
//! ```text
//!          trouble, or by hand        `block` over, no trouble         all are let in
//!   open ─────────────────────▶ blocked ─────────────────────▶ ramping ─────────────▶ open
//!                                  ▲  nobody                   a share  │ ▲
//!                                  └──────────── trouble ───────────────┘ │
//!                                    nothing is left: `back_off: 0`       └─ trouble: a part is left
//! ```
//!
//! The door stands before the replicas, and is one for all of them: it asks nothing of a worker, and whoever is turned away hears at once that he is rejected. A
//! replica that is down turns nobody away in its name. Whoever checks a replica is let in.
//!
//! A share is of users, so that one who is in stays in, whatever he asks for and however often he tries: then a share of users is a share of the load. Of requests
//! it is one of luck anew for every attempt, and whoever may try three times is let in with `1 - (1 - s)^3`.

mod ramper;

use crate::experiment::{Decoder, Node, POSITIVE};
use crate::fault::Signal;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Table, Unit, Value};
use crate::words::percent;
pub use ramper::{Door, Ramper};
use sim_core::{SimDuration, SimTime};

spec! {
    /// After trouble nobody is let in for a while, and then more and more.
    pub struct BlockAndRamp where check {
        /// The state that is trouble: what it blocks for, and falls back for while it ramps.
        when: Option<Signal> = None,
        /// For how long there must be trouble, at every look.
        lasts: SimDuration = SimDuration::ZERO,
        /// How often somebody looks.
        every: SimDuration = SimDuration::from_secs(1); POSITIVE,
        /// When somebody blocks by hand; then `when` does not block, and says only when to fall back.
        at: Option<SimTime> = None,
        /// How long nobody is let in; longer if there is still trouble then.
        block: SimDuration = SimDuration::from_secs(30); POSITIVE,
        /// How more and more are let in after that.
        ramp: Ramp = Ramp::Steps { by: TENTH, each: SimDuration::from_secs(30) },
        /// What is left of the share that is let in when trouble comes back while it ramps; nothing blocks anew.
        back_off: f64 = 0.0; 0.0..=0.99,
        /// What a share is of.
        share_of: ShareOf = ShareOf::Users,
    }
}

/// What Roblox let in at a time.
const TENTH: f64 = 0.1;

spec! {
    /// How a share grows.
    pub enum Ramp {
        /// By as much at a time, from as much on.
        Steps {
            /// How much more.
            by: f64 = TENTH; 0.001..=1.0,
            /// For how long each is let in before the next.
            each: SimDuration = SimDuration::from_secs(30); POSITIVE,
        },
        /// Evenly, in steps of a hundredth.
        Linear {
            /// How long it takes to all.
            over: SimDuration; POSITIVE,
        },
    }
}

spec! {
    /// What a share is of.
    #[derive(Copy, PartialEq, Eq)]
    pub enum ShareOf {
        /// Users: the same ones are in, and more with them.
        Users,
        /// Requests, each attempt for itself.
        Requests,
    }
}

fn check(says: &BlockAndRamp, at: &Node, cx: &mut Decoder) {
    if says.when.is_none() && says.at.is_none() {
        cx.error(at.span, "nothing ever blocks")
            .help("say with `when` in which state, as in `when: Queue(of: \"db\", above: 500)`, or with `at` at what time somebody does");
    }
    if says.when.as_ref().is_some_and(Signal::is_never) {
        cx.warn(at.span_of("when"), "no share is more than 1: there is never any trouble")
            .help("an `above` below 1");
    }
    if says.when.is_none() && says.at.is_some() {
        for name in ["lasts", "every", "back_off"].into_iter().filter(|name| at.get(name).is_some()) {
            cx.warn(at.span_of(name), "nobody looks for trouble: it says nothing")
                .help("say with `when` what trouble is, or leave it out");
        }
    }
}

impl Ramp {
    /// How much more each time, and how long that lasts.
    pub fn step(&self) -> (f64, SimDuration) {
        match self {
            Ramp::Steps { by, each } => (*by, *each),
            Ramp::Linear { over } => (0.01, SimDuration::from_nanos((over.as_nanos() / 100).max(1))),
        }
    }

    /// From the first that are let in until all are.
    fn length(&self) -> SimDuration {
        let (by, each) = self.step();
        each.saturating_mul(steps(by) - 1)
    }
}

/// Shares of so much until it is all.
fn steps(by: f64) -> u64 {
    (1.0 / by - 1e-9).ceil() as u64
}

impl BlockAndRamp {
    /// Whether it goes by who the user is.
    pub fn ranks_users(&self) -> bool {
        self.share_of == ShareOf::Users
    }

    /// From when it blocks until all are let in, at the earliest.
    fn length(&self) -> SimDuration {
        self.block + self.ramp.length()
    }

    /// What will be told: nothing measured yet.
    pub fn declared(&self, at: &str) -> Section {
        let plain = |about: &str| Value::new(Unit::Plain, about);
        let share = |about: &str| Value::new(Unit::Share, about);
        let time = |about: &str| Value::new(Unit::Duration, about);
        Section::new("block_and_ramp", at)
            .value(
                "admitted",
                share("share that is let in, mean over time")
                    .better(Better::More)
                    .headline()
                    .of_windows(Fold::Mean("admitted".into())),
            )
            .value(
                "turned_away",
                plain("requests that it turned away")
                    .better(Better::Less)
                    .headline()
                    .of_windows(Fold::Sum("turned_away".into())),
            )
            .value("turned_away_share", share("the same as a share of all that arrived").better(Better::Less))
            .value("blocked", plain("times that it blocked, from the beginning of the run"))
            .value(
                "fell_back",
                plain("times that trouble came back while it ramped, from the beginning of the run")
                    .better(Better::Less),
            )
            .value("first", time("when it first blocked"))
            .value("opened", time("when it last let all in again").better(Better::Less))
            .value("shut", time("for how long it did not let all in").better(Better::Less))
            .line("admitted", Unit::Share, "Share that is let in, mean of each window.")
            .up_to(Some(1.0))
            .line("turned_away", Unit::Plain, "Requests that it turned away, in each window.")
    }
}

impl Part for BlockAndRamp {
    fn does(&self) -> Does {
        Does::SHEDS
    }

    fn brief(&self) -> Option<String> {
        Some(match (self.at, &self.when) {
            (Some(at), _) => format!("blocks at {at}, and ramps"),
            (None, when) => {
                let when = when.as_ref().and_then(Part::brief).unwrap_or_default();
                format!("blocks when {when}, and ramps")
            }
        })
    }

    fn comes_too_late(&self, end: SimTime) -> Option<String> {
        let at = self.at?;
        let all = at + self.length();
        match () {
            () if at >= end => {
                Some(format!("it blocks at {at}, but the run ends at {end}: it never happens"))
            }
            () if all >= end => Some(format!(
                "it blocks at {at} and lets all in again at {all} at the earliest, but the run ends at {end}"
            )),
            () => None,
        }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let lasts = if self.lasts.is_zero() { String::new() } else { format!(" for {}", self.lasts.brief()) };
        let when = self.when.as_ref().and_then(Part::brief);
        let blocks = match (self.at, &when) {
            (Some(at), _) => format!("at {at}"),
            (None, when) => format!("when {}{lasts}", when.as_deref().unwrap_or_default()),
        };
        let back = match (&when, self.back_off) {
            (None, _) => String::new(),
            (Some(when), 0.0) => format!("; if meanwhile {when}{lasts} it blocks anew"),
            (Some(when), left) => {
                format!("; if meanwhile {when}{lasts} {} of what is let in is left", percent(left))
            }
        };
        vec![format!(
            "{} lets nobody in for {} {blocks}, and all again {} after that began, at the earliest{back}",
            around.name,
            self.block.brief(),
            self.length().brief()
        )]
    }

    fn tables(&self, name: &str) -> Vec<Table> {
        let (by, each) = self.ramp.step();
        let count = steps(by);
        // No more rows than are read.
        let apart = count.div_ceil(10);
        let shown = (1..=count).filter(|step| *step == 1 || *step == count || step % apart == 0);
        let rows = shown.map(|step| {
            let after = self.block + each.saturating_mul(step - 1);
            vec![percent((by * step as f64).min(1.0)).into(), after.brief().to_string().into()]
        });
        let first = vec![percent(0.0).into(), SimDuration::ZERO.brief().to_string().into()];
        vec![Table {
            title: format!("{name} after a block"),
            columns: ["lets in", "from then on, at the earliest"].map(Into::into).into(),
            rows: std::iter::once(first).chain(rows).collect(),
            ..Table::default()
        }]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "block_and_ramp",
            word: "",
            what: "Turns everybody away when there is trouble, or when somebody does so by hand, and after a while lets more and more in again; when trouble comes back it \
                       falls back. What keeps an overload going (a queue of requests that nobody waits for, retries, an empty cache) is gone by then, or grows back slowly.",
            hurts: "While it is shut nobody is served who could have been. A ramp that is faster than what must come back with it (a cache that fills, replicas that warm up, users \
                        who have waited) falls again. Where a part of the share is left when trouble comes back, a queue that is full of requests that nobody waits for stays full: only a block empties it. By requests instead of users whoever tries three times is let in with `1 - (1 - s)^3`.",
            formula: "a queue of `Q` before `W` workers with `w` of work is gone after `Q w / W` of block; a cache with hit ratio `h` behind which `C` can be done bears a first step of `C / L` of a load `L` \
                          and then of as much as it hits; all are let in again after `block + (1 / by - 1) each`",
            source: "Roblox, \"Return to Service 10/28-10/31 2021\" (DNS steering by 10 %); Ulrich, \"Addressing Cascading Failures\", Site Reliability Engineering, chapter 22, 2016; Bronson et al., \
                         \"Metastable Failures in Distributed Systems\", HotOS 2021",
            experiment: "block-and-ramp",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(when: Queue(of: "back", above: 5), every: "50ms", block: "100ms", ramp: Steps(by: 0.25, each: "100ms"))"#,
            r#"(when: InHand(of: "back", above: 8), every: "20ms", lasts: "40ms", block: "60ms", ramp: Linear(over: "500ms"), back_off: 0.5, share_of: Requests)"#,
            r#"(at: "500ms", block: "300ms", ramp: Steps(by: 0.5, each: "200ms"))"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn when_all_are_let_in_again() {
        for (ramp, step, length) in [
            ("Steps()", (0.1, 30_000), 270_000),
            (r#"Steps(by: 1, each: "1s")"#, (1.0, 1_000), 0),
            (r#"Steps(by: 0.3, each: "1s")"#, (0.3, 1_000), 3_000),
            (r#"Steps(by: 0.001, each: "1s")"#, (0.001, 1_000), 999_000),
            (r#"Linear(over: "100s")"#, (0.01, 1_000), 99_000),
        ] {
            let ramp = read::<Ramp>(ramp).expect("sound").0;
            let ms = SimDuration::from_millis;
            assert_eq!((ramp.step(), ramp.length()), ((step.0, ms(step.1)), ms(length)), "{ramp:?}");
        }
    }

    #[test]
    fn what_never_comes_says_so() {
        let says =
            read::<BlockAndRamp>(r#"(at: "60s", block: "10s", ramp: Steps(each: "10s"))"#).expect("sound").0;
        let at = |secs| says.comes_too_late(SimTime::from_secs(secs));
        assert!(at(60).is_some_and(|why| why.contains("never happens")));
        assert!(at(160).is_some_and(|why| why.contains("at 160s at the earliest")), "{:?}", at(160));
        assert_eq!(at(161), None);
    }
}
