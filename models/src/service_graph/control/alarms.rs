//! Who notices first: somebody looks at a state every so often, and says so once it has held for long enough. Nobody does anything about it.
//!
//! ```text
//!            holds        holds for `lasts`, at every look
//!   quiet ───────────▶ pending ────────────────────────────▶ firing
//!     ▲                   │ holds no more                       │ holds no more
//!     └───────────────────┴─────────────────────────────────────┘
//! ```
//!
//! That is the `for` of an alerting rule of Prometheus. What is seen is what came since the last look, so a state is seen a look late, and what comes and goes
//! between two looks may never be.
//!
//! An alarm that fires before anything has gone wrong is false, and one that is firing when it does tells nobody: it is found out by whoever fires next.

use super::Control;
use super::watch::Sight;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::fault::Signal;
use crate::policy::page::Page;
use crate::policy::part::{Does, Listed, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::plan::Plan;
use crate::service_graph::state::{Edge, Service, Workload};
use sim_core::stats::TimeIntegral;
use sim_core::{SimDuration, SimTime};

/// As Prometheus is configured in its own example; its default is a minute.
const EVERY: SimDuration = SimDuration::from_secs(15);

spec! {
    /// Somebody who looks at a state, and says so when it has held for long enough. Nothing is done about it.
    pub struct AlarmSpec where check {
        /// The state in which it fires.
        when: Signal,
        /// For how long that must have been so, at every look; not longer if it is 0.
        lasts: SimDuration = SimDuration::ZERO,
        /// How often somebody looks, the first time after as long.
        every: SimDuration = EVERY; POSITIVE,
    }
}

fn check(alarm: &AlarmSpec, at: &Node, cx: &mut Decoder) {
    if alarm.when.is_never() {
        let message = "no share is more than 1: it never fires";
        cx.warn(at.span_of("when"), message).help("an `above` below 1");
    }
}

impl AlarmSpec {
    /// What there is to know of it.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![Listed::made("when", "", Some(Alarmed(&self.when)))]
    }

    /// The state, in words.
    pub fn told(&self) -> String {
        self.when.brief().unwrap_or_default()
    }

    /// How long after a state begins it fires, if nobody has to wait for enough of it to be seen: between the two.
    pub fn delay(&self) -> [SimDuration; 2] {
        let looks = self.lasts.as_nanos().div_ceil(self.every.as_nanos());
        [looks, looks + 1].map(|looks| self.every.saturating_mul(looks))
    }
}

/// Whoever looks.
#[derive(Clone, Debug)]
pub struct Alarm {
    name: String,
    lasts: SimDuration,
    every: SimDuration,
    sight: Sight,
    /// Since when the state holds.
    since: Option<SimTime>,
    /// When it began to fire, each time, and whether it does.
    fired: Vec<SimTime>,
    firing: TimeIntegral,
    /// What it had fired for when the window began, and the share of each for which it did.
    window: (u128, SimTime),
    windows: Vec<f64>,
}

/// All of a graph.
pub fn build(plan: &Plan) -> impl Iterator<Item = Control> {
    plan.spec.alarms.iter().map(|(name, says)| Control::Alarm(Box::new(Alarm::new(name, says, plan))))
}

impl Alarm {
    /// One that has seen nothing yet.
    fn new(name: &str, says: &AlarmSpec, plan: &Plan) -> Self {
        Alarm {
            name: name.into(),
            lasts: says.lasts,
            every: says.every,
            sight: Sight::new(&says.when, plan),
            since: None,
            fired: Vec::new(),
            firing: TimeIntegral::default(),
            window: (0, SimTime::ZERO),
            windows: Vec::new(),
        }
    }

    /// The service that it looks at.
    pub fn service(&self) -> u32 {
        self.sight.service()
    }

    /// When it looks first.
    pub fn first_look(&self) -> SimTime {
        SimTime::ZERO + self.every
    }

    /// It looks: when it does so again.
    pub fn looks(&mut self, services: &[Service], calls: (&[Edge], &[Workload]), now: SimTime) -> SimTime {
        let holds = self.sight.holds(services, calls, now);
        self.sees(holds, now);
        now + self.every
    }

    fn sees(&mut self, holds: bool, now: SimTime) {
        if !holds {
            self.since = None;
            self.firing.set(now, 0);
            return;
        }
        let since = *self.since.get_or_insert(now);
        if self.firing.value() == 0 && now.since(since) >= self.lasts {
            self.fired.push(now);
            self.firing.set(now, 1);
        }
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.firing.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.windows.push((area - before) as f64 / now.since(then).as_nanos().max(1) as f64);
    }

    /// Where something first went wrong at that time, or nothing did: how often it fired before, and how long after that it did next.
    fn found(&self, began: Option<SimTime>) -> (usize, Option<SimDuration>) {
        let is_false = |at: &&SimTime| began.is_none_or(|began| **at < began);
        let early = self.fired.iter().filter(is_false).count();
        (early, self.fired.get(early).zip(began).map(|(at, began)| at.since(began)))
    }

    /// What is told of it.
    pub fn section(&self, began: Option<SimTime>, now: SimTime) -> Section {
        let mut section = declared(&self.name);
        let (early, found) = self.found(began);
        section.set("fired", self.fired.len() as f64);
        section.set("first", self.fired.first().map(|at| at.as_nanos() as f64));
        section.set("time_to_detect", found.map(|time| time.as_nanos() as f64));
        section.set("false_alarms", early as f64);
        section.set("firing", self.firing.area(now) as f64);
        section.draw("firing_share", self.windows.clone());
        section
    }
}

/// Who was told of what first went wrong, the first one first, and who was not; and who was told of nothing.
pub fn note(controls: &[Control], began: Option<SimTime>) -> Option<String> {
    let all: Vec<(&str, usize, Option<SimDuration>)> = controls
        .iter()
        .filter_map(|control| if let Control::Alarm(alarm) = control { Some(alarm) } else { None })
        .map(|alarm| (alarm.name.as_str(), alarm.found(began)))
        .map(|(name, (early, found))| (name, early, found))
        .collect();
    let list = |those: Vec<String>| (!those.is_empty()).then(|| those.join(", "));
    let mut told: Vec<(SimDuration, &str)> = all.iter().filter_map(|it| Some((it.2?, it.0))).collect();
    told.sort_by_key(|(found, _)| *found);
    let told = list(told.iter().map(|(found, name)| format!("{name} after {}", found.brief())).collect());
    let not = all.iter().filter(|it| began.is_some() && it.2.is_none());
    let not = list(not.map(|it| it.0.to_owned()).collect());
    let nothing = all.iter().filter(|it| it.1 > 0).map(|(name, early, _)| match early {
        1 => format!("{name} once"),
        early => format!("{name} {early} times"),
    });
    let (is_told, nothing) = (told.is_some(), list(nothing.collect()));
    let told = told.map(|those| format!("told of it: {those}"));
    let not =
        not.map(|those| if is_told { format!("not: {those}") } else { format!("not told of it: {those}") });
    let nothing = nothing.map(|those| format!("told when nothing had gone wrong: {those}"));
    let sentence: Vec<String> = told.into_iter().chain(not).chain(nothing).collect();
    (!sentence.is_empty()).then(|| sentence.join("; "))
}

/// What will be told: nothing measured yet.
pub fn declared(name: &str) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let time = |about: &str| Value::new(Unit::Duration, about);
    let found = "from when something first goes wrong (a fault, a failure at random, a release, a burst of load) to when it fires next; nothing if it never does";
    let early = "times that it fired before anything had gone wrong: where nothing ever does, all of them";
    Section::new("alarm", name)
        .value("time_to_detect", time(found).better(Better::Less).headline())
        .value("false_alarms", plain(early).better(Better::Less).headline())
        .value("fired", plain("times that it fired, from the beginning of the run"))
        .value("first", time("when it first fired"))
        .value("firing", time("for how long it fired in all"))
        .line("firing_share", Unit::Share, "Share of each window for which it fired.")
        .up_to(Some(1.0))
}

/// The state of an alarm, to be read about.
pub struct Alarmed<'a>(pub &'a Signal);

impl Part for Alarmed<'_> {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        self.0.brief()
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "alarms",
            word: "",
            what: "Tells who would have noticed, and when: somebody looks at a state `every` so often, and fires when it has held at every look for as long as it `lasts`; when it \
                   holds no more it is quiet again. Nobody does anything about it. `time_to_detect` is from when something first goes wrong to when it fires next, `false_alarms` how \
                   often it fired before.",
            hurts: "Whoever looks at what only he sees is told of nothing else: checks ask for no work, a service's own times know nothing of requests that never came, and users are \
                    heard only when they have waited. A threshold near what is usual fires for nothing, one far from it fires late; a longer `lasts` is quieter by as much as it is later.",
            formula: "it fires `⌈lasts/every⌉ every` to one `every` more after a state begins, and later by as long as what is seen of a look must change: a share `f` shows as `a` after `a/f` of one",
            source: "Prometheus alerting rules (`for`, `evaluation_interval`); Huang et al., \"Gray Failure\", HotOS 2017 (differential observability); Ewaschuk, \"Monitoring Distributed \
                     Systems\", Site Reliability Engineering, chapter 6",
            experiment: "differential-observability",
        }]
    }

    fn samples() -> &'static [&'static str] {
        <Signal as Part>::samples()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    fn alarm(lasts: u64) -> Alarm {
        let sight = Sight::of_nothing();
        Alarm {
            name: "a".into(),
            lasts: SimDuration::from_secs(lasts),
            every: SimDuration::from_secs(1),
            sight,
            since: None,
            fired: Vec::new(),
            firing: TimeIntegral::default(),
            window: (0, SimTime::ZERO),
            windows: Vec::new(),
        }
    }

    /// One look a second: `x` where the state holds, `.` where not; `F` where it begins to fire, `f` where it goes on.
    #[test]
    fn what_is_seen_decides_when_it_fires() {
        for (lasts, seen, fires) in [
            (0, ".x", "-F"),
            (0, "xxx.x", "Fff-F"),
            (2, "xxxxx", "--Fff"),
            (2, "xx.xx.xx", "--------"),
            (2, "x.xxxx.xxx", "----Ff---F"),
            (9, "xxxx", "----"),
        ] {
            let mut alarm = alarm(lasts);
            let told: String = (1..)
                .zip(seen.chars())
                .map(|(at, seen)| {
                    let before = alarm.fired.len();
                    alarm.sees(seen == 'x', S(at));
                    match (alarm.fired.len() > before, alarm.firing.value()) {
                        (true, _) => 'F',
                        (false, 1) => 'f',
                        _ => '-',
                    }
                })
                .collect();
            assert_eq!(told, fires, "{lasts}: {seen}");
        }
    }

    /// It fires from 2 s to 4 s, and from 7 s on, in a run of ten.
    #[test]
    fn what_is_false_and_what_is_found() {
        for (began, found, early) in [
            (None, None, 2.0),
            (Some(0), Some(2e9), 0.0),
            (Some(2), Some(0.0), 0.0),
            // It rings already: whoever hears of it hears of it when it rings again.
            (Some(3), Some(4e9), 1.0),
            (Some(8), None, 2.0),
        ] {
            let mut alarm = alarm(0);
            (1..).zip(".xx...xxx".chars()).for_each(|(at, seen)| {
                alarm.sees(seen == 'x', S(at));
                if at == 5 {
                    alarm.close_window(S(5));
                }
            });
            alarm.close_window(S(10));
            let section = alarm.section(began.map(S), S(10));
            let of = |name| section.values.get(name).unwrap().value;
            assert_eq!((of("time_to_detect"), of("false_alarms")), (found, Some(early)), "{began:?}");
            assert_eq!((of("fired"), of("first"), of("firing")), (Some(2.0), Some(2e9), Some(5e9)));
            assert_eq!(section.series[0].values, [0.4, 0.6]);
        }
    }

    #[test]
    fn how_late_it_is() {
        for (lasts, every, least, most) in
            [(0, 15, 0, 15), (60, 15, 60, 75), (50, 15, 60, 75), (5, 15, 15, 30), (60, 60, 60, 120)]
        {
            let secs = SimDuration::from_secs;
            let when = Signal::Up { of: Default::default(), below: 1 };
            let says = AlarmSpec { when, lasts: secs(lasts), every: secs(every) };
            assert_eq!(says.delay(), [secs(least), secs(most)], "{lasts} {every}");
        }
    }
}
