//! What outages cost over the years, and what comes back of the money that is spent against them.
//!
//! No requests: outages have causes, each with a rate, a time until it is noticed, a time of repair, and a share of the service that it takes. A mitigation
//! prevents some outages of some causes, or makes them smaller or shorter, and costs money every year. The same outages happen with and without it: one run carries as many worlds side by side
//! as there are questions (with nothing, with what is used, with each mitigation alone, with all but it), so what each saves is a difference on the same luck.
//!
//! **Exact.** Outages of a cause come at random and last independently: those that are there at a moment are Poisson with the mean `rate x duration` (M/G/infinity). Each leaves
//! `1 - hits`, so on average `exp(-sum of rate x duration x hits)` is left, whatever the distributions.
//!
//! **When it bites.** What two mitigations save together is less than what they save alone, where they are against the same cause: the second
//! finds less to prevent. And each nine is worth a tenth of the one before.
//!
//! **Left out.** Hours in which more is sold than in others; customers who never come back; what a mitigation breaks; more than money.

mod exact;
mod summary;
mod worlds;

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::distribution::TimeDistribution;
use crate::drive;
use crate::experiment::{Decoder, Len, Map, NOT_EMPTY, Node, POSITIVE, nearest};
use crate::report::Section;
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::{Entry, RunSpec, Scenario};
use sim_core::{SimDuration, Streams};
use worlds::Worlds;

/// The most mitigations: each has two worlds of its own.
const MOST_MITIGATIONS: usize = 12;

spec! {
    /// Outages over years, and what is done against them. Money is in one currency throughout.
    pub struct Downtime where check {
        /// What all money is in.
        currency: String = "USD".to_owned(),
        /// What is earned in an hour in which all goes well, and lost in one in which nobody is served.
        revenue_per_hour: f64; 0.0..=1e12,
        /// The share of what is lost that is bought later all the same. Assumed none.
        comes_back: f64 = 0.0; 0.0..=1.0,
        /// Why there are outages.
        causes: Map<Cause>; Len(1..=32),
        /// What is done against them.
        mitigations: Map<Mitigation> = Map::default(); Len(0..=MOST_MITIGATIONS),
        /// What is paid back to customers, by how much of a month the service was down.
        sla: Option<Sla> = None,
    }
}

spec! {
    /// Outages of one cause.
    pub struct Cause {
        /// On average so long from one to the next, at random (Poisson).
        every: SimDuration; SimDuration::from_secs(3_600)..,
        /// From the beginning until it is noticed.
        unnoticed: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// From then on until it is over.
        repair: TimeDistribution; POSITIVE,
        /// The share of the service that it takes: of users, or of what they want.
        hits: f64 = 1.0; 0.0..=1.0,
        /// What each costs besides, however short: people, reports, presents.
        each_costs: f64 = 0.0; 0.0..=1e12,
    }
}

spec! {
    /// Something that is done against outages.
    pub struct Mitigation {
        /// What it costs a year: machines, licences, the time of people.
        costs_per_year: f64; 0.0..=1e12,
        /// Whether it is there. What it would save is told in any case.
        used: bool = true,
        /// What it does about each cause that it is for.
        against: Map<Effect>; NOT_EMPTY,
    }
}

spec! {
    /// What a mitigation does about outages of one cause. What several do is multiplied.
    pub struct Effect where check_effect {
        /// The share of them that do not happen.
        prevents: f64 = 0.0; 0.0..=1.0,
        /// How long the others stay unnoticed, as a share of how long they would.
        notices: f64 = 1.0; 0.0..=10.0,
        /// How long they are repaired, as a share of how long they would.
        repairs: f64 = 1.0; 0.0..=10.0,
        /// What they hit, as a share of what they would.
        contains: f64 = 1.0; 0.0..=1.0,
    }
}

spec! {
    /// A promise with a price, settled every 30 days.
    pub struct Sla where check_sla {
        /// What customers pay in 30 days.
        fees: f64; 0.0..=1e12,
        /// While at least this share of the service is lost, it is down as the contract has it.
        down_from: f64 = 0.5; 0.0..=1.0,
        /// What is paid back. Of several that apply the highest credit counts.
        tiers: Vec<Tier>; NOT_EMPTY,
    }
}

spec! {
    /// One step of the credits.
    pub struct Tier {
        /// If it was up for a smaller share of the 30 days than this ..
        below: f64; 0.0..=1.0,
        /// .. this share of the fees is paid back.
        credit: f64; 0.0..=1.0,
    }
}

fn check(spec: &Downtime, at: &Node, cx: &mut Decoder) {
    for (name, mitigation) in spec.mitigations.iter() {
        for cause in mitigation.against.names().filter(|cause| spec.causes.get(cause).is_none()) {
            let span = mitigation.against.span_of(cause).unwrap_or(at.span);
            let known = spec.causes.names().collect::<Vec<_>>().join(", ");
            let help = match nearest(cause, spec.causes.names()) {
                Some(near) => format!("did you mean `{near}`? causes: {known}"),
                None => format!("causes: {known}"),
            };
            cx.at("mitigations", |cx| {
                cx.at(name, |cx| {
                    cx.at("against", |cx| {
                        cx.at(cause, |cx| _ = cx.error(span, format!("no cause `{cause}`")).help(help))
                    })
                })
            });
        }
    }
    if cx.has_errors() {
        return;
    }
    if let Some(lost) = exact::lost(spec, 0).filter(|lost| *lost > 0.5) {
        let message =
            format!("without mitigations {} of the service is lost on average", crate::words::percent(lost));
        cx.warn(at.span_of("causes"), message)
            .help("`every` is from one outage to the next, `repair` how long one lasts");
    }
}

fn check_effect(effect: &Effect, at: &Node, cx: &mut Decoder) {
    // What was refused is mended, and would be told of twice.
    if !cx.has_errors()
        && effect.prevents == 0.0
        && [effect.notices, effect.repairs, effect.contains] == [1.0; 3]
    {
        cx.warn(at.span, "it changes nothing about this cause")
            .help("`prevents` above 0, or `notices`, `repairs` or `contains` below 1");
    }
}

fn check_sla(sla: &Sla, at: &Node, cx: &mut Decoder) {
    let tiers = at.get("tiers");
    for (number, tier) in sla.tiers.iter().enumerate() {
        let better = |other: &Tier| other.below >= tier.below && other.credit > tier.credit;
        if sla.tiers.iter().any(better) {
            let span = tiers.and_then(|tiers| tiers.part(number)).map_or(at.span, |it| it.span);
            let message = format!("below {} another tier pays more back: this one never counts", tier.below);
            cx.at("tiers", |cx| {
                cx.at_index(number, |cx| {
                    _ = cx.warn(span, message).help("who is down for longer gets more back")
                })
            });
        }
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<Downtime>(
    "Downtime",
    "years of outages in money: what they cost, and what each mitigation saves for what it costs",
    1,
);

impl Scenario for Downtime {
    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::NAMES.map(String::from).to_vec()
    }

    fn sections(&self, _run: &RunSpec) -> Vec<Section> {
        summary::sections(self)
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Worlds::new(self, run, streams);
        drive::run(run, options, observer, build, |worlds, reached, output| {
            summary::fill(self, &worlds, reached, &mut output.report);
        })
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some("it has outages and no calls, and `brownout run` shows what they cost")
    }

    fn diagram(&self) -> Diagram {
        let node =
            |name: &str, kind, facts| diagram::Node { name: name.into(), kind, facts, faults: Vec::new() };
        let earns = format!("{} an hour", summary::money(self.revenue_per_hour, &self.currency));
        let mut nodes = vec![node("the service", NodeKind::Service, vec![earns])];
        let mut links = Vec::new();
        for (name, cause) in self.causes.iter() {
            let facts = vec![
                format!("one in {}", cause.every.brief()),
                format!("repaired in {}", diagram::time(&cause.repair)),
                format!("hits {}", crate::words::percent(cause.hits)),
            ];
            links.push(Link { from: nodes.len(), to: 0, name: "takes it down".into(), ..Link::default() });
            nodes.push(node(name, NodeKind::Store, facts));
        }
        for (name, mitigation) in self.mitigations.iter() {
            let costs = format!("{} a year", summary::money(mitigation.costs_per_year, &self.currency));
            let facts = vec![costs, if mitigation.used { "used" } else { "not used" }.into()];
            for cause in mitigation.against.names().filter_map(|cause| self.causes.index_of(cause)) {
                links.push(Link {
                    from: nodes.len(),
                    to: 1 + cause,
                    name: "against".into(),
                    ..Link::default()
                });
            }
            nodes.push(node(name, NodeKind::Router, facts));
        }
        Diagram { nodes, links, notes: Vec::new() }
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        Explanation { notes: exact::notes(self), tables: exact::tables(self), ..Explanation::default() }
    }
}

#[cfg(test)]
mod tests;
