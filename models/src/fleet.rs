//! Years of a fleet: machines that fail and are repaired, groups of them that are up while enough of theirs are, and what takes several at
//! once.
//!
//! No requests: what is asked is how much of the time there is anybody to answer them. A machine is up for a while and down for a while, each
//! time as long as is drawn; a *group* (a service, a cell, a tenant's shard) is up while so many of its machines are; a *domain* (a rack, a
//! power feed, a switch, a release) fails by itself and takes machines along.
//!
//! **Exact.** A machine alone is up for `A = mttf / (mttf + mttr)` of the time, whatever the distributions (alternating renewal). Of `n` independent ones
//! at least `k` are with the probability of a binomial tail. Domains are independent of each other, so one sums over which of them are down:
//! within each case machines are independent again. A repair crew that is too small makes it the machine repair problem, a birth-death chain where
//! all times are exponential.
//! All begin as new: where times hardly vary they fail in step for ever, and are never independent; of those nothing is claimed.
//!
//! **When it bites.** Two machines at 99.9 % promise six nines, if they fail for different reasons. A domain that takes both a tenth as
//! often as either fails leaves four. (The *beta factor* of IEC 61508 is such a domain: of failures of a machine, a share `beta` is
//! everybody's.)
//!
//! **Left out.** Load: who is up serves everything. Machines that are up and wrong. Failures that cause others: that is a service
//! graph's business.

mod exact;
mod groups;
mod summary;
mod years;

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::distribution::TimeDistribution;
use crate::drive;
use crate::experiment::{Decoder, Len, Map, NOT_EMPTY, Node, POSITIVE};
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::{Entry, RunSpec, Scenario};
pub use exact::is_spread;
use sim_core::{SimDuration, Streams};
pub(crate) use summary::in_nines;
use years::Years;

/// The most domains of which all cases are summed up.
const MOST_DOMAINS: usize = 12;

/// The most machines of all tenants together.
const MOST_SHARED: u64 = 2_000_000;

spec! {
    /// Machines that fail and are repaired, in groups that need some of theirs.
    pub struct Fleet where check {
        /// The machines of each cell, or of the pool that shards are taken from.
        machines: u32; 1..=10_000,
        /// A group is up while so many of its machines are.
        needs: u32; 1..=10_000,
        /// How long a machine is up; of so many years exponential, unless something wears out.
        fails: TimeDistribution; POSITIVE,
        /// How long it is down.
        repair: TimeDistribution; POSITIVE,
        /// How many can be repaired at the same time; absent means all. Who comes first is repaired first.
        crews: Option<u32> = None; 1..=10_000,
        /// Who needs whom.
        groups: Groups = Groups::Cells(1),
        /// What else must happen before a spare machine takes over; absent means that all machines do their part all the time (active-active).
        failover: Option<Failover> = None,
        /// What takes several machines at once.
        domains: Map<Domain> = Map::default(); Len(0..=MOST_DOMAINS),
    }
}

spec! {
    /// Who needs whom.
    pub enum Groups {
        /// So many cells with machines and users of their own.
        Cells(count: u32; 1..=10_000),
        /// Tenants, each with some machines of one pool, drawn for him: a shuffle shard.
        Shards {
            /// Tenants.
            tenants: u32; 1..=100_000,
            /// Machines of each.
            of: u32; 1..=10_000,
        },
    }
}

spec! {
    /// How a spare machine takes over from one that has failed: `needs` are active, the others wait.
    pub struct Failover {
        /// From the failure to the end of the take-over: to notice, to decide, to switch.
        takes: TimeDistribution; POSITIVE,
        /// How likely it does not work: then somebody does it by hand.
        fails: f64 = 0.0; 0.0..=1.0,
        /// How long that takes.
        by_hand: TimeDistribution = TimeDistribution::constant(SimDuration::from_secs(3_600)),
    }
}

spec! {
    /// Something that machines have in common: while it is down, they are.
    pub struct Domain where check_domain {
        /// How long it is up.
        fails: TimeDistribution; POSITIVE,
        /// How long it is down.
        repair: TimeDistribution; POSITIVE,
        /// Whom it takes along.
        takes: Taken = Taken::All,
    }
}

spec! {
    /// Whom a domain takes along.
    pub enum Taken {
        /// Every machine there is.
        All,
        /// The machines with these numbers, from 0, of every cell.
        Machines(numbers: Vec<u32>; NOT_EMPTY),
        /// Every machine of the cells with these numbers, from 0.
        Cells(numbers: Vec<u32>; NOT_EMPTY),
    }
}

fn check(fleet: &Fleet, at: &Node, cx: &mut Decoder) {
    let (of, what) = match &fleet.groups {
        Groups::Cells(_) => (fleet.machines, "a cell has"),
        Groups::Shards { of, .. } => (*of, "a tenant has"),
    };
    if fleet.needs > of {
        let message = format!("got {}, and {what} {of}: it would never be up", fleet.needs);
        cx.at("needs", |cx| _ = cx.error(at.span_of("needs"), message).help("fewer, or more machines"));
    }
    if let Groups::Shards { of, .. } = &fleet.groups
        && *of > fleet.machines
    {
        let message = format!("{of} machines for each tenant, of {}", fleet.machines);
        cx.at("groups", |cx| {
            _ = cx.error(at.span_of("groups"), message).help("as many as there are is everybody")
        });
    }
    if let Groups::Shards { tenants, of } = &fleet.groups
        && u64::from(*tenants) * u64::from(*of) > MOST_SHARED
    {
        let message = format!("{tenants} tenants of {of} machines each are more than {MOST_SHARED} in all");
        cx.at("groups", |cx| _ = cx.error(at.span_of("groups"), message).help("fewer tenants show the same"));
    }
    if fleet.failover.is_some() && matches!(fleet.groups, Groups::Shards { .. }) {
        cx.at("failover", |cx| {
            _ = cx
                .error(
                    at.span_of("failover"),
                    "machines that several tenants share are not one tenant's spares",
                )
                .help("leave `failover` out, or write `groups: Cells(1)`");
        });
    }
    if fleet.failover.is_some() && fleet.needs == fleet.machines {
        cx.at("failover", |cx| {
            _ = cx
                .warn(
                    at.span_of("failover"),
                    format!("all {} machines are needed: there is no spare to take over", fleet.needs),
                )
                .help("more `machines`, or fewer that are needed");
        });
    }
    let cells = match fleet.groups {
        Groups::Cells(count) => count,
        Groups::Shards { .. } => 1,
    };
    for (name, domain) in fleet.domains.iter() {
        let (numbers, most, what) = match &domain.takes {
            Taken::All => continue,
            Taken::Machines(numbers) => (numbers, fleet.machines, "machines"),
            Taken::Cells(numbers) => (numbers, cells, "cells"),
        };
        if let Some(beyond) = numbers.iter().find(|number| **number >= most) {
            let here = at.get("domains").and_then(|all| all.get(name)).unwrap_or(at);
            let message = format!("there is no number {beyond}: the {what} are 0 to {}", most - 1);
            cx.at("domains", |cx| {
                cx.at(name, |cx| {
                    _ = cx.error(here.span_of("takes"), message).help(format!("there are {most} {what}"))
                })
            });
        }
    }
}

fn check_domain(domain: &Domain, at: &Node, cx: &mut Decoder) {
    if domain.repair.mean() > domain.fails.mean() {
        cx.warn(at.span, "it is down for longer than it is up")
            .help("`fails` is how long it is up, `repair` how long it is down");
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<Fleet>(
    "Fleet",
    "machines that fail and are repaired for years: who is up how much of the time",
    1,
);

impl Scenario for Fleet {
    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::NAMES.map(String::from).to_vec()
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Years::new(self, streams);
        drive::run(run, options, observer, build, |years, reached, output| {
            summary::fill(self, &years, reached, &mut output.report);
        })
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some("it has machines and no calls, and `brownout run` shows when they are up")
    }

    fn diagram(&self) -> Diagram {
        let up = |fails: &TimeDistribution, repair: &TimeDistribution| {
            format!("up for {}, down for {}", diagram::time(fails), diagram::time(repair))
        };
        let node = |name: String, kind, facts| diagram::Node { name, kind, facts, faults: Vec::new() };
        let group = match &self.groups {
            Groups::Cells(1) => "users".into(),
            Groups::Cells(cells) => format!("{cells} cells of users"),
            Groups::Shards { tenants, of } => format!("{tenants} tenants of {of} machines each"),
        };
        let mut facts = vec![up(&self.fails, &self.repair)];
        facts.extend(self.crews.map(|crews| format!("{crews} repaired at once")));
        facts.extend(
            self.failover.as_ref().map(|it| format!("a spare takes over in {}", diagram::time(&it.takes))),
        );
        let mut nodes = vec![
            node(group, NodeKind::Users, vec![format!("served while {} are up", self.needs)]),
            node(format!("{} machines", self.machines), NodeKind::Store, facts),
        ];
        let mut links = vec![Link { from: 0, to: 1, name: "need".into(), ..Link::default() }];
        for (name, domain) in self.domains.iter() {
            links.push(Link { from: 1, to: nodes.len(), name: "stand on".into(), ..Link::default() });
            nodes.push(node(name.into(), NodeKind::Store, vec![up(&domain.fails, &domain.repair)]));
        }
        Diagram { nodes, links, notes: Vec::new() }
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation { notes: exact::notes(self), ..Explanation::default() }
    }
}

#[cfg(test)]
mod tests;
