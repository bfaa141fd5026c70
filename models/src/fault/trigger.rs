//! What goes wrong because of the state that the system is in: a watchdog that restarts whoever is slow, a disk that fills while a queue is long, a
//! failover that strikes when too few are up.
//!
//! Whoever watches looks every so often. A state that holds at every look for as long as is said fires: the effect begins, and ends after its time. While it is
//! there, and until `cool_down` is over after it, the state is not looked at, and what was before does not count.
//!
//! ```text
//!            holds       holds for `lasts`         `for` over        `cool_down` over
//!   quiet ───────────▶ building ──────────▶ struck ───────────▶ cooling ───────────▶ quiet
//!     ▲                   │ holds no more
//!     └───────────────────┘                   (as often as `times`)
//! ```

use super::{Affected, Effect, FaultSpec, Ways, pages};
use crate::experiment::{Decoder, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Does, Listed, Part};
use crate::report::{Disturbance, Section, Unit, Value};
use crate::words::percent;
use sim_core::{SimDuration, SimTime};

spec! {
    /// Something that goes wrong when the system is in some state.
    pub struct TriggerSpec where check {
        /// The state in which it begins.
        when: Signal,
        /// For how long that must have been so, at every look.
        lasts: SimDuration = SimDuration::ZERO,
        /// How often somebody looks.
        every: SimDuration = SimDuration::from_secs(1); POSITIVE,
        /// A service, an edge such as "checkout->payments", a zone, "zone a", or the way between two, "zone a <-> zone b".
        on: Spanned<String>,
        /// What it does.
        effect: Effect,
        /// Which replicas of the service; the network has none.
        replicas: Affected = Affected::All,
        /// How long it is there each time; absent means until the end of the run.
        r#for: Option<SimDuration> = None,
        /// How often it happens at most.
        times: u32 = 1; 1..=1_000_000,
        /// How long after it has gone nobody looks.
        cool_down: SimDuration = SimDuration::ZERO,
    }
}

spec! {
    /// What is looked at.
    pub enum Signal {
        /// Requests that wait at a service, those of all its replicas together; or at all replicas in a zone. A queue that several replicas share stands in no zone.
        Queue {
            /// The service, or a zone, "zone a".
            of: Spanned<String>,
            /// More than so many.
            above: u64,
        },
        /// Requests that a service has in hand, waiting or in progress, those of all its replicas together; or that all replicas in a zone have.
        InHand {
            /// The service, or a zone, "zone a".
            of: Spanned<String>,
            /// More than so many.
            above: u64,
        },
        /// The share of their time for which the workers of a service were busy since the last look.
        Utilisation {
            /// The service.
            of: Spanned<String>,
            /// More than that.
            above: f64; 0.0..=1.0,
        },
        /// The share of calls that failed, of those that ended since the last look.
        Failing {
            /// The edge over which they are made, or the service that they are made to.
            of: Spanned<String>,
            /// More than that.
            above: f64; 0.0..=1.0,
        },
        /// Replicas of a service that are up; or of all services, those that stand in a zone.
        Up {
            /// The service, or a zone, "zone a".
            of: Spanned<String>,
            /// Fewer than so many.
            below: u32; 1..=10_000,
        },
        /// Replicas of a service that callers may choose, because no health check and no probe says otherwise; or of all services, those that stand
        /// in a zone. Where nobody checks these are all that have started, dead or not.
        Believed {
            /// The service, or a zone, "zone a".
            of: Spanned<String>,
            /// Fewer than so many.
            below: u32; 1..=10_000,
        },
        /// How long requests took, on average, that a service was done with since the last look: what it measures itself, from when they came to it,
        /// its queue and its own calls included, the network not. What it never heard of, turned away or still has in hand is not in it.
        Takes {
            /// The service.
            of: Spanned<String>,
            /// Longer than that.
            above: SimDuration; POSITIVE,
        },
        /// By how much more of the calls over one edge failed than over another, of those that ended since the last look: a canary against the rest, A against B.
        Apart {
            /// The edge over which more may fail, or the service that is called.
            of: Spanned<String>,
            /// The one that it is held against.
            from: Spanned<String>,
            /// By more than that: 0.1 if it is 15 % and 4 %.
            above: f64; 0.0..=1.0,
        },
        /// The share of sessions that were not completed, of those that were over since the last look: what became of whole journeys of users, not of
        /// their calls.
        Incomplete {
            /// The edge over which the calls of sessions are made, "users->shop".
            of: Spanned<String>,
            /// More than that.
            above: f64; 0.0..=1.0,
        },
    }
}

fn check(trigger: &TriggerSpec, at: &Node, cx: &mut Decoder) {
    let place = |field: &str| at.get(field).unwrap_or(at).span;
    if trigger.r#for.is_none() && trigger.times > 1 {
        let message = "it lasts until the end of the run: it happens once";
        cx.warn(place("times"), message).help("say with `for` how long it is there each time");
    }
    if trigger.cool_down > SimDuration::ZERO && trigger.times == 1 {
        let message = "nobody looks again: it happens once";
        cx.warn(place("cool_down"), message)
            .help("leave it out, or say with `times` how often it may happen");
    }
    if trigger.r#for.is_some_and(|length| length.is_zero()) {
        cx.error(place("for"), "`for` must be longer than 0").help("leave it out and it lasts until the end");
    }
    if trigger.when.is_never() {
        let message = "no share is more than 1: it never happens";
        cx.warn(place("when"), message).help("an `above` below 1");
    }
}

impl Signal {
    /// Whose state it is.
    pub fn of(&self) -> &Spanned<String> {
        match self {
            Signal::Queue { of, .. }
            | Signal::InHand { of, .. }
            | Signal::Utilisation { of, .. }
            | Signal::Failing { of, .. }
            | Signal::Up { of, .. }
            | Signal::Believed { of, .. }
            | Signal::Takes { of, .. }
            | Signal::Apart { of, .. }
            | Signal::Incomplete { of, .. } => of,
        }
    }

    /// What that is held against, if it is held against another.
    pub fn from(&self) -> Option<&Spanned<String>> {
        if let Signal::Apart { from, .. } = self { Some(from) } else { None }
    }

    /// Whether it is of a share, and no share is as much.
    pub fn is_never(&self) -> bool {
        match self {
            Signal::Utilisation { above, .. }
            | Signal::Failing { above, .. }
            | Signal::Apart { above, .. }
            | Signal::Incomplete { above, .. } => *above >= 1.0,
            _ => false,
        }
    }

    /// Whether it may be of an edge.
    pub fn is_of_calls(&self) -> bool {
        matches!(self, Signal::Failing { .. } | Signal::Apart { .. } | Signal::Incomplete { .. })
    }

    /// Of which replicas there must be fewer, if it is of replicas.
    pub fn below(&self) -> Option<u32> {
        match self {
            Signal::Up { below, .. } | Signal::Believed { below, .. } => Some(*below),
            _ => None,
        }
    }

    /// Whether it may be of a zone: who stands there can be counted, and shares and times are those of a service.
    pub fn is_of_zones(&self) -> bool {
        matches!(
            self,
            Signal::Queue { .. } | Signal::InHand { .. } | Signal::Up { .. } | Signal::Believed { .. }
        )
    }

    /// Whether the state holds if this is what is seen; of a share nothing is known if nothing was there to take it of.
    pub fn holds(&self, seen: Option<f64>) -> bool {
        let Some(seen) = seen else { return false };
        match self {
            Signal::Queue { above, .. } | Signal::InHand { above, .. } => seen > *above as f64,
            Signal::Utilisation { above, .. }
            | Signal::Failing { above, .. }
            | Signal::Apart { above, .. }
            | Signal::Incomplete { above, .. } => seen > *above,
            Signal::Takes { above, .. } => seen > above.as_nanos() as f64,
            Signal::Up { below, .. } | Signal::Believed { below, .. } => seen < f64::from(*below),
        }
    }
}

impl TriggerSpec {
    /// What there is to know of it.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![Listed::always("when", &self.when)]
    }

    /// What it is when it is there.
    pub fn fault(&self) -> FaultSpec {
        FaultSpec {
            at: SimTime::ZERO,
            r#for: self.r#for,
            on: self.on.clone(),
            effect: self.effect.clone(),
            replicas: self.replicas.clone(),
            way: Ways::Both,
            clients: Affected::All,
            requests: None,
            ramp: SimDuration::ZERO,
            flap: None,
            repair: None,
        }
    }

    /// What it does to whom, when, in words.
    pub fn told(&self) -> String {
        let which = self.replicas.brief().filter(|_| !self.effect.is_network());
        let what = self.effect.brief().into_iter().chain(which).collect::<Vec<_>>().join(", ");
        let lasts = match self.lasts {
            SimDuration::ZERO => String::new(),
            lasts => format!(" for {lasts}"),
        };
        let length = self.r#for.map_or("to the end".into(), |length| format!("for {length}"));
        let often = if self.times == 1 { String::new() } else { format!(", {} times at most", self.times) };
        format!("{what}, when {}{lasts}: {length}{often}", self.when.brief().unwrap_or_default())
    }
}

/// Whoever watches.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// What it is called.
    pub name: String,
    /// What it looks at.
    pub when: Signal,
    lasts: SimDuration,
    every: SimDuration,
    length: Option<SimDuration>,
    times: u32,
    cool_down: SimDuration,
    /// Since when the state holds.
    since: Option<SimTime>,
    /// Until when nobody looks.
    rests: SimTime,
    /// When it began, and is over.
    spans: Vec<(SimTime, Option<SimTime>)>,
    on: String,
    effect: &'static str,
    /// Of each window, for which share of it the effect was there.
    windows: Vec<f64>,
    window: SimTime,
}

impl Trigger {
    /// One that has seen nothing yet.
    pub fn new(name: &str, says: &TriggerSpec) -> Self {
        Trigger {
            name: name.into(),
            when: says.when.clone(),
            lasts: says.lasts,
            every: says.every,
            length: says.r#for,
            times: says.times,
            cool_down: says.cool_down,
            since: None,
            rests: SimTime::ZERO,
            spans: Vec::new(),
            on: says.on.value.clone(),
            effect: says.effect.name(),
            windows: Vec::new(),
            window: SimTime::ZERO,
        }
    }

    /// When it looks first.
    pub fn first_look(&self) -> SimTime {
        SimTime::ZERO + self.every
    }

    /// When it looks next; not at all once it has happened often enough.
    pub fn again(&self, now: SimTime) -> Option<SimTime> {
        ((self.spans.len() as u32) < self.times).then(|| now + self.every)
    }

    /// It sees this: whether it fires, and when that is over, if ever.
    pub fn looks(&mut self, seen: Option<f64>, now: SimTime) -> Option<Option<SimTime>> {
        if now < self.rests || self.spans.len() as u32 >= self.times || !self.when.holds(seen) {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        if now.since(since) < self.lasts {
            return None;
        }
        self.since = None;
        let over = self.length.map(|length| now + length);
        self.rests = over.map_or(SimTime::MAX, |over| over + self.cool_down);
        self.spans.push((now, over));
        Some(over)
    }

    /// What it did to a run that has come so far.
    pub fn disturbances(&self) -> impl Iterator<Item = Disturbance> + '_ {
        self.spans.iter().map(|(from, to)| Disturbance {
            what: self.effect.into(),
            on: self.on.clone(),
            from: from.as_nanos(),
            to: to.map(SimTime::as_nanos),
        })
    }

    fn there(&self, from: SimTime, to: SimTime) -> u64 {
        let part = |(began, over): &(SimTime, Option<SimTime>)| {
            let (began, over) = ((*began).max(from), over.unwrap_or(to).min(to));
            over.max(began).since(began).as_nanos()
        };
        self.spans.iter().map(part).sum()
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let from = std::mem::replace(&mut self.window, now);
        let length = now.since(from).as_nanos().max(1);
        self.windows.push(self.there(from, now) as f64 / length as f64);
    }

    /// What is told of it.
    pub fn section(&self, now: SimTime) -> Section {
        let mut section = declared_trigger(&self.name);
        section.set("fired", self.spans.len() as f64);
        section.set("first", self.spans.first().map(|(from, _)| from.as_nanos() as f64));
        section.set("last", self.spans.last().map(|(from, _)| from.as_nanos() as f64));
        section.set("struck", self.there(SimTime::ZERO, now) as f64);
        section.draw("struck_share", self.windows.clone());
        section
    }
}

/// What will be told: nothing measured yet.
pub fn declared_trigger(name: &str) -> Section {
    let time = |about: &str| Value::new(Unit::Duration, about);
    Section::new("trigger", name)
        .value("fired", Value::new(Unit::Plain, "times that it happened, from the beginning of the run"))
        .value("first", time("when it first happened"))
        .value("last", time("and when it last did"))
        .value("struck", time("for how long it was there in all"))
        .line("struck_share", Unit::Share, "Share of each window for which it was there.")
}

impl Part for Signal {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        let of = &self.of().value;
        Some(match self {
            Signal::Queue { above, .. } => format!("more than {above} wait at {of}"),
            Signal::InHand { above, .. } => format!("{of} has more than {above} in hand"),
            Signal::Utilisation { above, .. } => format!("{of} is more than {} busy", percent(*above)),
            Signal::Failing { above, .. } => format!("more than {} of {of} fail", percent(*above)),
            Signal::Up { below, .. } => format!("fewer than {below} of {of} are up"),
            Signal::Believed { below, .. } => format!("fewer than {below} of {of} are believed well"),
            Signal::Takes { above, .. } => format!("{of} takes more than {above}"),
            Signal::Incomplete { above, .. } => {
                format!("more than {} of sessions over {of} are not completed", percent(*above))
            }
            Signal::Apart { from, above, .. } => {
                format!("{} more of {of} fails than of {}", percent(*above), from.value)
            }
        })
    }

    fn about() -> &'static [Page] {
        pages::TRIGGERS
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Queue(of: "service", above: 500)"#,
            r#"InHand(of: "service", above: 100)"#,
            r#"Utilisation(of: "service", above: 0.9)"#,
            r#"Failing(of: "service", above: 0.5)"#,
            r#"Up(of: "service", below: 2)"#,
            r#"Believed(of: "service", below: 2)"#,
            r#"Takes(of: "service", above: "50ms")"#,
            r#"Apart(of: "users->service", from: "service", above: 0.1)"#,
            r#"Incomplete(of: "users->service", above: 0.1)"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    /// One look a second: `x` where more than 500 wait, `.` where not; `F` where it fires.
    #[test]
    fn what_is_seen_decides_when_it_happens() {
        for (says, seen, fires) in [
            ("", ".x", "-F"),
            ("", "xxxx", "F---"),
            (r#"lasts: "2s""#, "x.xxx", "----F"),
            (r#"lasts: "2s""#, "xx.xx.xx", "--------"),
            (r#"for: "2s", times: 9"#, "xxxxxx", "F-F-F-"),
            (r#"for: "2s", times: 2"#, "xxxxxx", "F-F---"),
            (r#"for: "2s", cool_down: "2s", times: 9"#, "xxxxxxxxx", "F---F---F"),
            // What held while it was there does not count.
            (r#"for: "2s", lasts: "1s", times: 9"#, "xxxxxxx", "-F--F--"),
            (r#"for: "2s", lasts: "1s", times: 9"#, "xxxxx.x.xx", "-F--F----F"),
        ] {
            let text = format!(r#"(when: Queue(of: "db", above: 500), on: "db", effect: Crash(), {says})"#);
            let mut trigger = Trigger::new("t", &read::<TriggerSpec>(&text).expect("sound").0);
            let told: String = (1..)
                .zip(seen.chars())
                .map(|(at, seen)| match trigger.looks(Some(if seen == 'x' { 501.0 } else { 500.0 }), S(at)) {
                    Some(_) => 'F',
                    None => '-',
                })
                .collect();
            assert_eq!(told, fires, "{says}: {seen}");
        }
    }

    #[test]
    fn each_signal_has_a_side() {
        for (signal, below, at, above) in [
            (r#"Queue(of: "s", above: 5)"#, false, false, true),
            (r#"InHand(of: "s", above: 5)"#, false, false, true),
            (r#"Up(of: "s", below: 5)"#, true, false, false),
            (r#"Believed(of: "s", below: 5)"#, true, false, false),
            (r#"Takes(of: "s", above: "5ns")"#, false, false, true),
        ] {
            let signal = read::<Signal>(signal).expect("sound").0;
            let found = [4.0, 5.0, 6.0].map(|seen| signal.holds(Some(seen)));
            assert_eq!((found, signal.holds(None)), ([below, at, above], false), "{signal:?}");
        }
        for signal in [
            r#"Utilisation(of: "s", above: 0.5)"#,
            r#"Failing(of: "s", above: 0.5)"#,
            r#"Apart(of: "s", from: "t", above: 0.5)"#,
            r#"Incomplete(of: "s->t", above: 0.5)"#,
        ] {
            let signal = read::<Signal>(signal).expect("sound").0;
            let found = [0.4, 0.5, 0.6].map(|seen| signal.holds(Some(seen)));
            assert_eq!((found, signal.holds(None)), ([false, false, true], false), "{signal:?}");
        }
    }

    #[test]
    fn how_long_it_was_there() {
        let text = r#"(when: Up(of: "db", below: 2), on: "db", effect: Crash(), for: "4s", times: 2)"#;
        let mut trigger = Trigger::new("t", &read::<TriggerSpec>(text).expect("sound").0);
        assert_eq!(trigger.looks(Some(1.0), S(8)), Some(Some(S(12))));
        trigger.close_window(S(10));
        assert_eq!(trigger.looks(Some(1.0), S(18)), Some(Some(S(22))));
        trigger.close_window(S(20));
        assert_eq!((trigger.windows.clone(), trigger.again(S(18))), (vec![0.2, 0.4], None));
        let section = trigger.section(S(20));
        let of = |name| section.values.get(name).unwrap().value;
        assert_eq!(
            (of("fired"), of("first"), of("last"), of("struck")),
            (Some(2.0), Some(8e9), Some(18e9), Some(6e9))
        );
        let spans: Vec<_> =
            trigger.disturbances().map(|it| (it.what, it.from / 1_000_000_000, it.to)).collect();
        assert_eq!(
            spans,
            [("crash".into(), 8, Some(12_000_000_000)), ("crash".into(), 18, Some(22_000_000_000))]
        );
    }
}
