//! Turning somebody away though there is a place: what keeps a queue from being a place where requests grow old, and a replica from taking in
//! what matters little.
//!
//! Some rules look at who waits, when a worker asks for the next; others at whoever comes, at the door.
//!
//! A queue is there for the moments when more come than can be served. If they come for longer it is full for good, and adds
//! nothing but its own length to every wait. A rule of the first kind looks at how long requests have waited, and rejects some of them though they
//! had a place. It goes with any order: first or last in first out, or either, whoever may wait only so long is looked at in the order
//! of arrival, before the next is chosen; in an order of its own (by priority, in turn, by deadline) only whoever is next is looked at.
//! Waits are looked at when a worker asks for the next, so whoever may wait 5 ms hears of it up to one
//! such moment later.
//!
//! A rule of the second kind looks at how much a request matters, before it is let in, whether or not a worker is free: by what the replica has
//! in hand ([`by_priority`]), or by what it has learnt it can do ([`dagor`]). Of a queue for all replicas those that wait there count as what
//! each has in hand. Who is refused at the door costs nothing.

mod by_priority;
pub mod codel;
mod dagor;
pub mod facebook;

use crate::carried::{Carried, Criticality};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::service::line::Line;
use crate::service_graph::state::Service;
use by_priority::Cutoffs;
use codel::CoDel;
use dagor::{Dagor, Rates};
use facebook::FacebookCoDel;
use sim_core::{SimDuration, SimTime};

/// What RFC 8289 and Facebook take: 5 ms, 100 ms.
const TARGET: SimDuration = SimDuration::from_millis(5);
const INTERVAL: SimDuration = SimDuration::from_millis(100);
/// What WeChat takes.
const THRESHOLD: SimDuration = SimDuration::from_millis(20);
const WINDOW: SimDuration = SimDuration::from_secs(1);
const REQUESTS: u32 = 2_000;
const DECREASE: f64 = 0.05;
const INCREASE: f64 = 0.01;
/// More is in nobody's hands.
const MOST: u32 = 100_000_000;

spec! {
    /// Whom a service turns away though there is a place for them.
    pub enum Shed where check {
        /// One now and then, and more and more often, if nobody has waited less than `target` for an `interval` (RFC 8289).
        CoDel {
            /// A wait that is no sign of a standing queue.
            target: SimDuration = TARGET; POSITIVE,
            /// For how long waits may be longer than that.
            interval: SimDuration = INTERVAL; POSITIVE,
        },
        /// Whoever has waited longer than `target` if the queue had not been empty for an `interval` when it came, else whoever has
        /// waited longer than `interval` (Facebook's variant for servers).
        FacebookCoDel {
            /// How long one may wait in a standing queue.
            target: SimDuration = TARGET; POSITIVE,
            /// How long one may wait in another, and how long that may last.
            interval: SimDuration = INTERVAL; POSITIVE,
        },
        /// Whoever has waited longer.
        MaxWait(limit: SimDuration; POSITIVE),
        /// Whoever comes to a replica that has as many in hand, waiting or in progress, as what matters so much (its `priority`) may not find.
        ByPriority {
            /// With so many in hand what matters most is turned away; never if absent.
            critical_plus: Option<u32> = None; 1..=MOST,
            /// With so many what matters next most is; as `critical_plus` if absent.
            critical: Option<u32> = None; 1..=MOST,
            /// With so many what matters less is; as `critical` if absent.
            sheddable_plus: Option<u32> = None; 1..=MOST,
            /// With so many what matters least is; as `sheddable_plus` if absent.
            sheddable: Option<u32> = None; 1..=MOST,
        },
        /// Whoever matters too little, by `priority` and among equals by who the user is: fewer are let in after a window in which requests waited too long, and more after
        /// any other (WeChat's DAGOR).
        Dagor {
            /// A mean wait, of those whose work begins, that is overload.
            threshold: SimDuration = THRESHOLD; POSITIVE,
            /// How long a window lasts at most.
            window: SimDuration = WINDOW; POSITIVE,
            /// And how many requests.
            requests: u32 = REQUESTS; 1..=MOST,
            /// By which share of what was let in less is let in after a window with overload.
            decrease: f64 = DECREASE; 0.001..=0.999,
            /// By which share of what came more is let in after any other.
            increase: f64 = INCREASE; 0.0001..=1.0,
        },
    }
}

fn check(shed: &Shed, at: &Node, cx: &mut Decoder) {
    if let Shed::CoDel { target, interval } | Shed::FacebookCoDel { target, interval } = shed
        && target >= interval
    {
        cx.error(at.get("target").unwrap_or(at).span, "`target` must be shorter than `interval`")
            .help("the usual are \"5ms\" and \"100ms\": the interval is as long as a burst may take");
    }
    let Some(given) = shed.given() else { return };
    if given.iter().all(Option::is_none) {
        cx.error(at.span, "no criticality has a limit: nobody is turned away")
            .help("ByPriority(critical: 60, sheddable: 20): what matters more may find more in hand");
    }
    let mut before: Option<(&str, u32)> = None;
    for (name, limit) in NAMES.into_iter().zip(given).filter_map(|(name, limit)| Some((name, limit?))) {
        if let Some((other, most)) = before.filter(|(_, most)| limit > *most) {
            cx.error(
                at.get(name).unwrap_or(at).span,
                format!(
                    "`{name}` would be let in where `{other}` is turned away: {limit} is more than {most}"
                ),
            )
            .help("what matters less is turned away first, or with the rest");
        }
        before = Some((name, limit));
    }
}

/// The criticalities as a file has them, what matters most first.
const NAMES: [&str; 4] = ["critical_plus", "critical", "sheddable_plus", "sheddable"];

impl Shed {
    /// What is said of each criticality, if that is what it looks at.
    fn given(&self) -> Option<[Option<u32>; 4]> {
        match *self {
            Shed::ByPriority { critical_plus, critical, sheddable_plus, sheddable } => {
                Some([critical_plus, critical, sheddable_plus, sheddable])
            }
            _ => None,
        }
    }

    /// It looks at whoever comes, though a worker may be free.
    pub fn asks_at_the_door(&self) -> bool {
        matches!(self, Shed::ByPriority { .. } | Shed::Dagor { .. })
    }

    /// It looks at who the user is.
    pub fn ranks_users(&self) -> bool {
        matches!(self, Shed::Dagor { .. })
    }

    /// The criticalities that it may turn away at the door, and are told apart.
    fn turned_away_at_the_door(&self) -> Vec<Criticality> {
        let all = Criticality::ALL.into_iter();
        match (self, self.given()) {
            (_, Some(given)) => all.filter(|one| Cutoffs::new(given).of(*one) < u32::MAX).collect(),
            (Shed::Dagor { .. }, None) => all.collect(),
            _ => Vec::new(),
        }
    }
}

impl Part for Shed {
    fn does(&self) -> Does {
        Does::SHEDS
    }

    fn patience(&self) -> Option<TimeDistribution> {
        match self {
            Shed::MaxWait(limit) => Some(TimeDistribution::constant(*limit)),
            Shed::CoDel { .. }
            | Shed::FacebookCoDel { .. }
            | Shed::ByPriority { .. }
            | Shed::Dagor { .. } => None,
        }
    }

    /// CoDel looks at whoever is next.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        if matches!(self, Shed::CoDel { .. }) && around.does().any(Does::REORDERS) {
            let message =
                "`CoDel` looks at how long whoever is next has waited, which says little in such a queue";
            let help = "in `Lifo` and `AdaptiveLifo`, `FacebookCoDel` and `MaxWait` look at whoever has waited longest";
            cx.at("shed", |cx| _ = cx.warn(at.span_of("shed"), message).help(help));
        }
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let (name, callers) = (around.name, around.callers.as_ref()?);
        if let Shed::MaxWait(limit) = self {
            let longest = callers.longest.filter(|longest| longest <= limit)?;
            let why = format!(
                "whoever has waited {limit} at `{name}` has been given up: its callers wait {longest} at most"
            );
            return Some((why, "a shorter limit, or `drop_expired`".into()));
        }
        let given = self.given().filter(|given| given.iter().any(Option::is_some))?;
        let cutoffs = Cutoffs::new(given);
        let those = Criticality::ALL.into_iter().filter(|one| callers.priorities[one.rank()]);
        let lowest = those.map(|one| cutoffs.of(one)).min()?;
        if lowest == u32::MAX {
            let why = format!(
                "`{name}` turns nobody away: no request that comes to it is of a criticality with a limit"
            );
            return Some((
                why,
                "say how much they matter where they come from, as in `priority: Sheddable`".into(),
            ));
        }
        let room = around.room.filter(|room| u64::from(lowest) > *room)?;
        let why = format!(
            "`{name}` turns nobody away: a replica never has {lowest} in hand, since it has room for {room}"
        );
        Some((why, "a lower limit, or a longer queue".into()))
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Shed::CoDel { .. } => "CoDel".into(),
            Shed::FacebookCoDel { .. } => "Facebook's CoDel".into(),
            Shed::MaxWait(limit) => format!("sheds after {limit}"),
            Shed::ByPriority { .. } => "sheds by priority".into(),
            Shed::Dagor { .. } => "DAGOR".into(),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at, self)]
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "shed",
                word: "",
                what: "Rejects requests though there is a place for them: in the queue, by how long they have waited, so that it stays short, and \
                       those who are served are served in time; or at the door, by how much they matter.",
                hurts: "A rejection is cheap for the service and not for its callers: if they try again at once all that was \
                        shed comes back. A limit that is shorter than a burst turns away what could have been served.",
                formula: "with a limit of `D` on the wait a queue of rate `mu` is never longer than some `mu D` requests that \
                          will be served",
                source: "Maurer, \"Fail at Scale\", ACM Queue 2015; Beyer et al., Site Reliability Engineering, chapter 21",
                experiment: "codel-or-lifo",
            },
            Page {
                name: "codel",
                word: "CoDel",
                what: "Drops one request when nobody has waited less than `target` for an `interval`, and then one \
                       after another at shorter and shorter intervals until somebody has.",
                hurts: "It is made for senders that slow down when they are dropped. Against users who come whatever happens it takes \
                        many intervals until it drops enough; on top of last in first out it drops nobody, since \
                        whoever is next has hardly waited.",
                formula: "the `n`-th drop comes `interval / sqrt(n)` after the one before: to shed `x` a second takes some \
                          `2 x interval^2` seconds",
                source: "RFC 8289 (Nichols, Jacobson, McGregor, Iyengar 2018); Nichols and Jacobson, \"Controlling Queue \
                         Delay\", ACM Queue 2012",
                experiment: "codel-or-lifo",
            },
            Page {
                name: "facebook_codel",
                word: "FacebookCoDel",
                what: "Gives whoever comes a limit on its wait: `target` if the queue has not been empty for an `interval`, \
                       else `interval`.",
                hurts: "Whoever is served has waited for almost the limit, as in any queue that is served in the order of arrival. \
                        A service that is never idle for long has a standing queue even if it is a short one: of those who come to it \
                        some are turned away who would have been served in 6 ms.",
                formula: "under overload those who are served in the order of arrival wait `target`, and `1 - mu / lambda` are \
                          turned away",
                source: "Maurer, \"Fail at Scale\", ACM Queue 2015 (M = 5 ms, N = 100 ms)",
                experiment: "codel-or-lifo",
            },
            Page {
                name: "max_wait",
                word: "MaxWait",
                what: "Rejects whoever has waited longer than a limit when a worker asks for the next.",
                hurts: "If it is longer than callers wait it does nothing for them; if it is not much shorter what is served is \
                        answered too late all the same, since the work takes its time as well.",
                formula: "M/M/c with patience (Baccelli and Hebuterne 1981): whoever would wait longer than `D` is rejected, and the \
                          others wait as if those had not come",
                source: "HHVM Server.ThreadJobMaxQueuingMilliSeconds; gRPC and Envoy have no such limit on the server's side",
                experiment: "codel-or-lifo",
            },
            Page {
                name: "shed_by_priority",
                word: "ByPriority",
                what: "Lets a request in only if the replica has fewer in hand than what matters so much may find: the last places are kept for what \
                       matters most. Callers hear at once, and whoever is let in is served in the queue's own order.",
                hurts: "The limits are numbers, and what they should be depends on the work: too low for what matters little and workers idle while it is turned \
                        away, too high and what matters most meets a full queue. Whatever limits there are, those who all say that they matter most share the last.",
                formula: "Poisson, exponential work: the number in hand goes up from `n` at the rate of those who may find `n`, down at `min(n, c) mu`; a class is \
                          turned away for the share of time in which there are as many as it may not find",
                source: "Beyer et al., Site Reliability Engineering, chapter 21 (criticality); trunk reservation in telephone networks; Envoy priorities \
                         (DEFAULT, HIGH) of circuit breakers",
                experiment: "priority-shedding",
            },
            Page {
                name: "dagor",
                word: "Dagor",
                what: "Learns how much it can let in: after a window in which requests waited longer than `threshold` on average it lets in 5 % less, after any other 1 % \
                       more. Who matters least is the first to be turned away: by `priority`, then by a number that belongs to the user and goes down with all that is done for him.",
                hurts: "It takes a second for each step of 5 %: a load that doubles at once is over only after some fifteen windows, unless they end earlier by the number of \
                        requests. What it has learnt under load it unlearns by 1 % a window. A mean wait says little where work takes seconds.",
                formula: "to let in a share `a` of what it did takes `ln(1 / a) / 0.05` windows; a user whose task needs `k` calls of an overloaded service is served with `p`, not \
                          `p^k` as where each call is turned away at random",
                source: "Zhou et al., DAGOR, SoCC 2018 (20 ms, 1 s or 2,000 requests, 5 %, 1 %)",
                experiment: "priority-shedding",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"CoDel(target: "1ms", interval: "20ms")"#,
            "CoDel()",
            r#"FacebookCoDel(target: "1ms", interval: "10ms")"#,
            "FacebookCoDel()",
            r#"MaxWait("5ms")"#,
            r#"MaxWait("1us")"#,
            "ByPriority(critical_plus: 9, critical: 6, sheddable: 3)",
            "ByPriority(critical_plus: 1)",
            "ByPriority(sheddable: 2)",
            r#"Dagor(threshold: "5ms", window: "200ms", requests: 50)"#,
            "Dagor()",
        ]
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str, shed: &Shed) -> Section {
    if shed.asks_at_the_door() {
        return declared_at_the_door(at, shed);
    }
    let shed = Value::new(Unit::Plain, "requests that had a place and were turned away");
    Section::new("shed", at)
        .value("shed", shed.better(Better::Less).headline().of_windows(Fold::Sum("shed".into())))
        .value(
            "share",
            Value::new(
                Unit::Share,
                "the same as a share of all that arrived, or waited when the warm-up ended",
            )
            .better(Better::Less),
        )
        .line("shed", Unit::Plain, "Requests that had a place and were turned away, in each window.")
}

fn declared_at_the_door(at: &str, shed: &Shed) -> Section {
    let count =
        Value::new(Unit::Plain, "requests that were turned away when they came, by how much they mattered");
    let mut section = Section::new("shed", at)
        .value("shed", count.better(Better::Less).headline().of_windows(Fold::Sum("shed".into())))
        .value(
            "share",
            Value::new(Unit::Share, "the same as a share of all that arrived").better(Better::Less),
        );
    for one in shed.turned_away_at_the_door() {
        let about = format!("of them: those that are {}", one.name());
        section = section.value(NAMES[one.rank()], Value::new(Unit::Plain, about));
    }
    section =
        section.line("shed", Unit::Plain, "Requests that were turned away when they came, in each window.");
    if !shed.ranks_users() {
        return section;
    }
    section
        .value(
            "level",
            Value::new(Unit::Share, "of all levels that are let in at the end, on average over replicas"),
        )
        .line("level", Unit::Share, "Levels that are let in at the window's end, of all there are.")
}

/// Whom a service turned away.
#[derive(Clone, Debug)]
pub struct Shedding {
    by: Shed,
    /// How many until the last window ended.
    before: u64,
    windows: Vec<f64>,
    /// Those of each criticality that were turned away at the door, after the warm-up.
    at_the_door: [u64; Criticality::ALL.len()],
    levels: Vec<f64>,
}

impl Shedding {
    /// Nobody yet.
    pub fn by(shed: &Shed) -> Self {
        let (windows, at_the_door, levels) = (Vec::new(), Default::default(), Vec::new());
        Shedding { by: shed.clone(), before: 0, windows, at_the_door, levels }
    }

    /// One that matters so much is turned away at the door.
    pub fn refused(&mut self, priority: Criticality, measured: bool) {
        self.at_the_door[priority.rank()] += u64::from(measured);
    }

    /// A window is over; so many were turned away since the run began, and on average so much is let in.
    fn close_window(&mut self, so_far: u64, level: Option<f64>) {
        self.windows.push((so_far - self.before) as f64);
        self.before = so_far;
        self.levels.extend(level);
    }

    /// What the rules of these queues let in, on average, if they learn that.
    fn level<T: Copy + PartialEq>(lines: &mut [Line<T>]) -> Option<f64> {
        let all = lines.len() as f64;
        let levels = lines.iter_mut().filter_map(|line| line.rule()?.level());
        levels.map(|level| level / all).reduce(|sum, level| sum + level)
    }

    /// What was measured.
    pub fn section(&self, service: &Service) -> Section {
        let (all, before) = (&service.stats.total, &service.stats.at_warm_up);
        let shed = all.turned_away - before.turned_away;
        // Whoever waited when the warm-up ended came before it, and may be turned away after it, but not at the door.
        let waited = if self.by.asks_at_the_door() { 0 } else { before.waiting };
        let there = waited + all.arrived - before.arrived;
        let mut section = declared(&service.name, &self.by);
        section.set("shed", shed as f64);
        section.set("share", (there > 0).then(|| shed as f64 / there as f64));
        section.draw("shed", self.windows.clone());
        for one in self.by.turned_away_at_the_door() {
            section.set(NAMES[one.rank()], self.at_the_door[one.rank()] as f64);
        }
        if self.by.ranks_users() {
            section.set("level", self.levels.last().copied());
            section.draw("level", self.levels.clone());
        }
        section
    }
}

impl Service {
    /// A window is over; so many were turned away since the run began.
    pub fn close_shedding(&mut self, so_far: u64) {
        if let Some(shedding) = &mut self.shedding {
            shedding.close_window(so_far, Shedding::level(&mut self.lines));
        }
    }
}

/// The rule of one queue.
#[derive(Clone, Debug)]
pub enum Rule {
    CoDel(CoDel),
    Facebook(FacebookCoDel),
    MaxWait(SimDuration),
    ByPriority(Cutoffs),
    Dagor(Box<Dagor>),
}

impl Rule {
    /// Of an empty queue.
    pub fn new(shed: &Shed) -> Self {
        match *shed {
            Shed::CoDel { target, interval } => Rule::CoDel(CoDel::new(target, interval)),
            Shed::FacebookCoDel { target, interval } => Rule::Facebook(FacebookCoDel::new(target, interval)),
            Shed::MaxWait(limit) => Rule::MaxWait(limit),
            Shed::ByPriority { critical_plus, critical, sheddable_plus, sheddable } => {
                Rule::ByPriority(Cutoffs::new([critical_plus, critical, sheddable_plus, sheddable]))
            }
            Shed::Dagor { threshold, window, requests, decrease, increase } => {
                let rates = Rates { threshold, window, requests, decrease, increase };
                Rule::Dagor(Box::new(Dagor::new(rates)))
            }
        }
    }

    /// Whether one that carries this is let in by a replica that has so many in hand, while so many wait in this queue.
    pub fn admits(&mut self, carried: Carried, in_hand: u32, waiting: usize, now: SimTime) -> bool {
        match self {
            Rule::ByPriority(cutoffs) => cutoffs.admits(carried.priority, in_hand),
            Rule::Dagor(dagor) => dagor.admits(carried.priority, carried.user, waiting, now),
            Rule::CoDel(_) | Rule::Facebook(_) | Rule::MaxWait(_) => true,
        }
    }

    /// One that was let in found a worker free.
    pub fn begun_at_once(&mut self) {
        if let Rule::Dagor(dagor) = self {
            dagor.begun(SimDuration::ZERO);
        }
    }

    /// The share of levels that are let in, if it learns that.
    pub fn level(&self) -> Option<f64> {
        match self {
            Rule::Dagor(dagor) => Some(dagor.share()),
            _ => None,
        }
    }

    /// Somebody comes to an empty queue.
    pub fn begins(&mut self, now: SimTime) {
        if let Rule::Facebook(codel) = self {
            codel.begins(now);
        }
    }

    /// How long whoever came then, and still waits, may do so, if that is what the rule looks at.
    pub fn patience(&self, since: SimTime) -> Option<SimDuration> {
        match self {
            Rule::CoDel(_) | Rule::ByPriority(_) | Rule::Dagor(_) => None,
            Rule::Facebook(codel) => Some(codel.patience(since)),
            Rule::MaxWait(limit) => Some(*limit),
        }
    }

    /// Whether the next, who has waited so long and leaves so many behind, is turned away.
    pub fn drops(&mut self, wait: SimDuration, behind: usize, now: SimTime) -> bool {
        match self {
            Rule::CoDel(codel) => codel.drops(wait, behind, now),
            Rule::Dagor(dagor) => {
                dagor.begun(wait);
                false
            }
            Rule::Facebook(_) | Rule::MaxWait(_) | Rule::ByPriority(_) => false,
        }
    }

    /// A worker asked for the next, and there was none.
    pub fn emptied(&mut self) {
        if let Rule::CoDel(codel) = self {
            codel.emptied();
        }
    }
}
