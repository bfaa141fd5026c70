//! A replica that starts: not there at once, and slow at first.
//!
//! While it starts it refuses what comes, and no caller chooses it: whoever starts a process knows that it is not ready. When it is,
//! it is as cold as `cold_factor` says: code is not compiled, caches are empty, connections not open; that wears off in a straight line.
//! All replicas of a file are there and warm when a run begins.
//!
//! One that needs others is not ready before they are there: it looks for them when it has started, and again and again (an init container that
//! waits), or it exits at once and is started again, each time later (a process that cannot connect, in a crash loop). All it looks for is
//! whether any replica of theirs is up: that costs them nothing. Those that need each other start for each other, or never: after an outage
//! of all of both there is nobody to begin with.

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::spec::GraphSpec;
use sim_core::{SimDuration, SimTime};
use std::collections::BTreeMap;

spec! {
    /// How a replica starts: after a crash, and when it comes back that was drained.
    pub struct StartUp where check {
        /// How long it takes until it is ready, drawn for each start. Until then it refuses what comes, and no caller chooses it.
        time: TimeDistribution,
        /// How many times longer work takes for one that has just become ready; 1 is not at all.
        cold_factor: f64 = 1.0; 1.0..=1_000.0,
        /// How long it takes until it is warm: work takes less longer in a straight line.
        warms_up_in: SimDuration = SimDuration::from_secs(60); POSITIVE,
        /// Services of which any replica must be up before it is ready. It looks for that once `time` is over.
        needs: Vec<Spanned<String>> = Vec::new(); Len(0..=100),
        /// What it does as long as one of them is missing.
        missing: Missing = Missing::Wait { every: SimDuration::from_secs(1) },
    }
}

spec! {
    /// What a replica does that has started, and does not find what it needs.
    #[derive(PartialEq)]
    pub enum Missing {
        /// It looks again, until all of them are there.
        Wait {
            /// How long after it has looked.
            every: SimDuration = SimDuration::from_secs(1); POSITIVE,
        },
        /// It exits, and is started anew, which takes its `time` again; Kubernetes' figures.
        CrashLoop {
            /// How long it stays down the first time; twice as long each time after that, until it has been ready.
            initial: SimDuration = SimDuration::from_secs(10); POSITIVE,
            /// And at most.
            cap: SimDuration = SimDuration::from_secs(300); POSITIVE,
        },
    }
}

fn check(start: &StartUp, at: &Node, cx: &mut Decoder) {
    if start.needs.is_empty() && start.missing != (Missing::Wait { every: SimDuration::from_secs(1) }) {
        cx.warn(at.span_of("missing"), "nothing can be missing: it needs nobody")
            .help("name the services that it needs: needs: [\"db\"]");
    }
    if start.time.nanos.mean() == 0.0 && start.cold_factor == 1.0 && start.needs.is_empty() {
        cx.warn(at.span, "takes no time, and is warm at once: it is as if it were not there");
    }
}

impl StartUp {
    /// How many times longer work takes that begins so long after a replica was ready.
    pub fn stretch(&self, after: SimDuration) -> f64 {
        let left = 1.0 - after.as_nanos() as f64 / self.warms_up_in.as_nanos() as f64;
        1.0 + (self.cold_factor - 1.0) * left.max(0.0)
    }

    /// Whether it is cold at first.
    pub fn is_cold(&self) -> bool {
        self.cold_factor > 1.0
    }
}

/// Services that need each other, one after another, the first again at the end; none if there are no such.
pub fn needs_itself(graph: &GraphSpec) -> Option<Vec<String>> {
    let needs = |number: usize| {
        let start = graph.service(number).starts().into_iter().flat_map(|start| &start.needs);
        start.filter_map(|name| graph.services.index_of(&name.value))
    };
    (0..graph.services.len()).find_map(|first| {
        let (mut todo, mut by) = (vec![first], BTreeMap::new());
        while let Some(here) = todo.pop() {
            for next in needs(here) {
                if next == first {
                    let before = std::iter::successors(Some(here), |at| by.get(at).copied());
                    let mut way: Vec<usize> = before.collect();
                    way.reverse();
                    way.push(first);
                    return Some(way.into_iter().map(|number| graph.name(number).to_owned()).collect());
                }
                if next != first && !by.contains_key(&next) {
                    by.insert(next, here);
                    todo.push(next);
                }
            }
        }
        None
    })
}

/// What is told of starts that others are needed for: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about).better(Better::Less);
    Section::new("start_up", at)
        .value("waited", plain("replicas that had started, and waited for a service that they need"))
        .value("exits", plain("times that one exited because a service was missing that it needs"))
        .value(
            "longest_wait",
            Value::new(
                Unit::Duration,
                "the longest time from when one had started to when it found what it needs",
            )
            .better(Better::Less),
        )
}

/// Which services a replica needs before it is ready, and who waits for them.
#[derive(Clone)]
pub struct Needs {
    pub services: Box<[u32]>,
    missing: Missing,
    each: Box<[OfReplica]>,
    waited: u64,
    exits: u64,
    longest: SimDuration,
}

#[derive(Clone, Copy, Default)]
struct OfReplica {
    /// Since when it looks for them.
    since: Option<SimTime>,
    exits: u32,
}

impl Needs {
    /// What the replicas of a service need that start, if they need anything.
    pub fn by(start: &StartUp, graph: &GraphSpec, replicas: u32) -> Option<Needs> {
        let number =
            |name: &Spanned<String>| graph.services.index_of(&name.value).expect("checked: it is there");
        let services: Box<[u32]> = start.needs.iter().map(|name| number(name) as u32).collect();
        (!services.is_empty()).then(|| Needs {
            services,
            missing: start.missing.clone(),
            each: vec![OfReplica::default(); replicas as usize].into(),
            waited: 0,
            exits: 0,
            longest: SimDuration::ZERO,
        })
    }

    /// One has started and found all that it needs.
    pub fn found(&mut self, replica: u32, now: SimTime) {
        let of = std::mem::take(&mut self.each[replica as usize]);
        if let Some(since) = of.since {
            self.longest = self.longest.max(now.since(since));
        }
    }

    /// One has started and does not find what it needs: how long until it looks again, or until it is started anew.
    pub fn misses(&mut self, replica: u32, measured: bool, now: SimTime) -> Again {
        let of = &mut self.each[replica as usize];
        if of.since.is_none() {
            of.since = Some(now);
            self.waited += u64::from(measured);
        }
        match self.missing {
            Missing::Wait { every } => Again::Looks(every),
            Missing::CrashLoop { initial, cap } => {
                let times = 1u64.checked_shl(of.exits).unwrap_or(u64::MAX);
                of.exits += 1;
                self.exits += u64::from(measured);
                Again::Starts(initial.saturating_mul(times).min(cap))
            }
        }
    }

    /// One goes down, or is told to go: it looks for nobody any more.
    pub fn goes(&mut self, replica: u32) {
        self.each[replica as usize] = OfReplica::default();
    }

    /// What is told of it. Who still waits has waited for as long as that.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let still = self.each.iter().filter_map(|of| of.since).map(|since| now.since(since)).max();
        let mut section = declared(at);
        section.set("waited", self.waited as f64);
        section.set("exits", self.exits as f64);
        let longest = still.map_or(self.longest, |still| still.max(self.longest));
        section.set("longest_wait", (self.waited > 0).then(|| longest.as_nanos() as f64));
        section
    }
}

/// What one does that misses what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It looks again after so long.
    Looks(SimDuration),
    /// It exits, and is started after so long.
    Starts(SimDuration),
}

/// When each replica became ready.
#[derive(Clone, Debug)]
pub struct Warming {
    start: StartUp,
    ready: Box<[Option<SimTime>]>,
}

impl Warming {
    /// All of them are warm.
    pub fn new(start: &StartUp, replicas: u32) -> Self {
        Warming { start: start.clone(), ready: vec![None; replicas as usize].into() }
    }

    /// One is ready now.
    pub fn is_ready(&mut self, replica: u32, now: SimTime) {
        self.ready[replica as usize] = Some(now);
    }

    /// How many times longer work takes there that begins now.
    pub fn stretch(&self, replica: u32, now: SimTime) -> f64 {
        self.ready[replica as usize].map_or(1.0, |ready| self.start.stretch(now.since(ready)))
    }
}

impl Part for StartUp {
    fn does(&self) -> Does {
        Does::VARIES
    }

    fn brief(&self) -> Option<String> {
        let cold = if self.is_cold() { format!(", cold {} times", self.cold_factor) } else { String::new() };
        Some(format!("starts in {}{cold}", crate::diagram::time(&self.time)))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.needs.is_empty() { Vec::new() } else { vec![declared(at)] }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let names: Vec<&str> = self.needs.iter().map(|name| name.value.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let then = match self.missing {
            Missing::Wait { every } => format!("looks for that every {}", every.brief()),
            Missing::CrashLoop { initial, cap } => {
                format!(
                    "exits if not, and is started again after {}, twice as long each time, {} at most",
                    initial.brief(),
                    cap.brief()
                )
            }
        };
        vec![format!(
            "a replica of {} that has started is ready when any of {} is up, and {then}",
            around.name,
            names.join(" and of ")
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "start_up",
            word: "",
            what: "How long a replica takes to start, after a crash or when it comes back that was drained, and how much slower it is at \
                   first. Until it is ready it refuses what comes and no caller chooses it. With `needs` it is not ready before those are up: it waits for them, or \
                   exits and is started again, later each time.",
            hurts: "A cold replica that gets its full share at once builds up a queue before it is warm: callers time out, and whoever \
                    counts what is out finds that it has nothing, and sees how slow it is only if it sends enough itself. Services that need each other are up as long as \
                    one of them is, and after an outage of all of them never again.",
            formula: "at `t` after it is ready work takes `1 + (cold_factor - 1) (1 - t / warms_up_in)` times as long: for as long as that times \
                      its utilisation is over 1 its queue grows",
            source: "Kubernetes readiness; Envoy slow start (why there is one); JVM warm-up",
            experiment: "slow-start",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#"(time: "50ms")"#, r#"(time: Exponential(mean: "200ms"), cold_factor: 5, warms_up_in: "500ms")"#]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn who_misses_what_it_needs() {
        let start = |missing| {
            read::<StartUp>(&format!(r#"(time: "1s", needs: ["db"], missing: {missing})"#)).expect("sound").0
        };
        let needs = |missing| Needs {
            services: [0].into(),
            missing: start(missing).missing,
            each: vec![OfReplica::default(); 2].into(),
            waited: 0,
            exits: 0,
            longest: SimDuration::ZERO,
        };
        let seconds = SimDuration::from_secs;
        let mut waits = needs(r#"Wait(every: "5s")"#);
        for at in [10, 15, 20] {
            assert_eq!(waits.misses(0, true, SimTime::from_secs(at)), Again::Looks(seconds(5)));
        }
        waits.found(0, SimTime::from_secs(25));
        assert_eq!((waits.waited, waits.exits, waits.longest), (1, 0, seconds(15)));
        // Later each time, until it has been ready.
        let mut exits = needs(r#"CrashLoop(initial: "10s", cap: "30s")"#);
        let mut next = |replica| exits.misses(replica, true, SimTime::from_secs(0));
        assert_eq!(
            [10, 20, 30, 30].map(|it| Again::Starts(seconds(it))),
            [next(1), next(1), next(1), next(1)]
        );
        exits.found(1, SimTime::from_secs(1));
        assert_eq!(exits.misses(1, false, SimTime::from_secs(0)), Again::Starts(seconds(10)));
        assert_eq!((exits.waited, exits.exits), (1, 4));
    }

    #[test]
    fn it_warms_up_in_a_straight_line() {
        let start = read::<StartUp>(r#"(time: "1s", cold_factor: 5, warms_up_in: "40s")"#).expect("sound").0;
        let mut warming = Warming::new(&start, 2);
        warming.is_ready(1, SimTime::from_secs(100));
        for (replica, at, times) in
            [(0, 100, 1.0), (1, 100, 5.0), (1, 110, 4.0), (1, 130, 2.0), (1, 140, 1.0), (1, 1_000, 1.0)]
        {
            assert_eq!(warming.stretch(replica, SimTime::from_secs(at)), times, "{replica} at {at} s");
        }
    }
}
