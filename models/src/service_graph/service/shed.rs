//! Turning somebody away when a worker asks for the next: what keeps a queue from being a place where requests grow old.
//!
//! A queue is there for the moments when more come than can be served. If they come for longer it is full for good, and adds
//! nothing but its own length to every wait. A rule looks at how long requests have waited, and rejects some of them though they
//! had a place. It goes with any order: first or last in first out, or either, whoever may wait only so long is looked at in the order
//! of arrival, before the next is chosen; in an order of its own (by priority, in turn, by deadline) only whoever is next is looked at.
//! Waits are looked at when a worker asks for the next, so whoever may wait 5 ms hears of it up to one
//! such moment later. Not modelled: limits by bytes, since requests have no size.

pub mod codel;
pub mod facebook;

use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::state::Service;
use codel::CoDel;
use facebook::FacebookCoDel;
use sim_core::{SimDuration, SimTime};

/// What RFC 8289 and Facebook take: 5 ms, 100 ms.
const TARGET: SimDuration = SimDuration::from_millis(5);
const INTERVAL: SimDuration = SimDuration::from_millis(100);

spec! {
    /// Whom a service turns away though they had a place in its queue.
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
    }
}

fn check(shed: &Shed, at: &Node, cx: &mut Decoder) {
    if let Shed::CoDel { target, interval } | Shed::FacebookCoDel { target, interval } = shed
        && target >= interval
    {
        cx.error(at.get("target").unwrap_or(at).span, "`target` must be shorter than `interval`")
            .help("the usual are \"5ms\" and \"100ms\": the interval is as long as a burst may take");
    }
}

impl Part for Shed {
    fn does(&self) -> Does {
        Does::SHEDS
    }

    fn patience(&self) -> Option<TimeDistribution> {
        match self {
            Shed::MaxWait(limit) => Some(TimeDistribution::constant(*limit)),
            Shed::CoDel { .. } | Shed::FacebookCoDel { .. } => None,
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

    fn brief(&self) -> Option<String> {
        Some(match self {
            Shed::CoDel { .. } => "CoDel".into(),
            Shed::FacebookCoDel { .. } => "Facebook's CoDel".into(),
            Shed::MaxWait(limit) => format!("sheds after {limit}"),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "shed",
                word: "",
                what: "Rejects requests that have a place in the queue, by how long they have waited: the queue stays short, and \
                       those who are served are served in time.",
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
        ]
    }
}

/// What is told of it: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let shed = Value::new(Unit::Plain, "requests that had a place and were turned away");
    Section::new("shed", at)
        .value("shed", shed.better(Better::Less).headline().of_windows(Fold::Sum("shed".into())))
        .value(
            "share",
            Value::new(Unit::Share, "the same as a share of all that arrived").better(Better::Less),
        )
        .line("shed", Unit::Plain, "Requests that had a place and were turned away, in each window.")
}

/// Whom a service turned away.
#[derive(Clone, Debug, Default)]
pub struct Shedding {
    /// How many until the last window ended.
    before: u64,
    windows: Vec<f64>,
}

impl Shedding {
    /// A window is over; so many were turned away since the run began.
    pub fn close_window(&mut self, so_far: u64) {
        self.windows.push((so_far - self.before) as f64);
        self.before = so_far;
    }

    /// What was measured.
    pub fn section(&self, service: &Service) -> Section {
        let (all, before) = (&service.stats.total, &service.stats.at_warm_up);
        let (shed, arrived) = (all.turned_away - before.turned_away, all.arrived - before.arrived);
        let mut section = declared(&service.name);
        section.set("shed", shed as f64);
        section.set("share", (arrived > 0).then(|| shed as f64 / arrived as f64));
        section.draw("shed", self.windows.clone());
        section
    }
}

/// The rule of one queue.
#[derive(Clone, Debug)]
pub enum Rule {
    CoDel(CoDel),
    Facebook(FacebookCoDel),
    MaxWait(SimDuration),
}

impl Rule {
    /// Of an empty queue.
    pub fn new(shed: &Shed) -> Self {
        match *shed {
            Shed::CoDel { target, interval } => Rule::CoDel(CoDel::new(target, interval)),
            Shed::FacebookCoDel { target, interval } => Rule::Facebook(FacebookCoDel::new(target, interval)),
            Shed::MaxWait(limit) => Rule::MaxWait(limit),
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
            Rule::CoDel(_) => None,
            Rule::Facebook(codel) => Some(codel.patience(since)),
            Rule::MaxWait(limit) => Some(*limit),
        }
    }

    /// Whether the next, who has waited so long and leaves so many behind, is turned away.
    pub fn drops(&mut self, wait: SimDuration, behind: usize, now: SimTime) -> bool {
        match self {
            Rule::CoDel(codel) => codel.drops(wait, behind, now),
            Rule::Facebook(_) | Rule::MaxWait(_) => false,
        }
    }

    /// A worker asked for the next, and there was none.
    pub fn emptied(&mut self) {
        if let Rule::CoDel(codel) = self {
            codel.emptied();
        }
    }
}
