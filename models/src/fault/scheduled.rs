//! Faults that begin and end when the file says so.

use super::{Between, Clients, Effect, Flap, Repair, Requests, Rhythm, Ways};
use crate::experiment::{Decoder, Node, Spanned};
use crate::policy::part::{Listed, Part};
use sim_core::{Key, SimDuration, SimTime, Streams, Words};

spec! {
    /// Something that goes wrong for a while.
    pub struct FaultSpec where check {
        /// When it begins.
        at: SimTime,
        /// How long it lasts; absent means until the end of the run.
        r#for: Option<SimDuration> = None,
        /// A service; of the network, all edges into it, or those between two, such as "checkout->payments": all call sites
        /// there, of which "checkout->payments#2" is the second alone. Or a zone, "zone a": the replicas of every service that stand in it.
        /// Or of the network the way from a zone to another, "zone a -> zone b", or both ways, "zone a <-> zone b".
        on: Spanned<String>,
        /// What it does.
        effect: Effect,
        /// Which replicas of the service, or of each in the zone; the network has none.
        replicas: Affected = Affected::All,
        /// Of the network: which way the messages go that are struck.
        way: Ways = Ways::Both,
        /// Of the network: whose messages are struck, of the client instances of an edge (a workload's `clients`, the replicas of a service that
        /// calls). `Fraction` and `Only` as of replicas.
        clients: Affected = Affected::All,
        /// Of what strikes replicas: which of their requests, of Slow, Errors and BlackHole; all if absent.
        requests: Option<Requests> = None,
        /// How long it takes to build up, in a straight line from nothing; slowness from "as usual". What is there or is
        /// not (Crash, BlackHole, Hold) cannot.
        ramp: SimDuration = SimDuration::ZERO,
        /// It comes and goes until `for` is over; a ramp is climbed each time.
        flap: Option<Flap> = None,
        /// Who repairs it, and what he needs for that: it lasts until he has. Instead of `for`.
        repair: Option<Repair> = None,
    }
}

impl FaultSpec {
    /// What it does, and to which messages: what there is to know of a fault.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![
            Listed::made("on", "", self.between()),
            Listed::always("effect", &self.effect),
            Listed::always("way", &self.way),
            Listed::made("clients", "", Some(Clients(&self.clients))),
            Listed::optional("requests", "", self.requests.as_ref()),
            Listed::optional("repair", "", self.repair.as_ref()),
        ]
    }

    /// The zone that it is on, by its name, if it is on one.
    pub fn place(&self) -> Option<&str> {
        super::place(&self.on.value)
    }

    /// The way between two zones that it is on, if it is on one.
    pub fn between(&self) -> Option<Between<'_>> {
        Between::of(&self.on.value)
    }

    /// Whose repair it is: what is broken, in a word.
    pub fn broken(&self) -> &str {
        let on = self.on.value.as_str();
        match (self.between(), self.place()) {
            (Some(between), _) => between.from,
            (None, Some(place)) => place,
            (None, None) => {
                let to = on.rsplit_once("->").map_or(on, |(_, to)| to);
                to.split_once('#').map_or(to, |(to, _)| to)
            }
        }
    }

    /// Whether it says which replicas of a service it strikes, by how many there are.
    pub fn counts_replicas(&self) -> bool {
        self.place().is_none() && matches!(self.replicas, Affected::Only(_) | Affected::Fraction(_))
    }

    /// Until when it is there, in words.
    pub fn until(&self) -> String {
        match (&self.repair, self.r#for) {
            (Some(repair), _) => repair.told(),
            (None, Some(length)) => (self.at + length).to_string(),
            (None, None) => "the end".into(),
        }
    }

    /// When it is there, and how much of it.
    pub fn rhythm(&self) -> Rhythm {
        Rhythm::new(self.at, self.r#for, self.ramp, self.flap.clone())
    }

    /// Whether it is as it is from beginning to end.
    pub fn is_steady(&self) -> bool {
        self.ramp.is_zero() && self.flap.is_none()
    }

    /// Which messages it strikes, or which requests, where it is not all.
    pub fn brief_reach(&self) -> Option<String> {
        let requests = self.requests.as_ref().and_then(Part::brief);
        let all = [self.way.brief(), Clients(&self.clients).brief(), requests];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Whether it is told what becomes of messages by it.
    pub fn tells_of_messages(&self) -> bool {
        let some =
            self.way != Ways::Both || !matches!(self.clients, Affected::All) || self.between().is_some();
        self.effect.tells_of_messages() || some
    }

    /// Whether it is no fault but what the network can do, at any time of a run.
    pub fn is_a_property(&self) -> bool {
        let always = self.at == SimTime::ZERO && self.lasts() && self.is_steady();
        always && self.effect.transmits().is_some()
    }

    /// Whether nothing ends it before the run does.
    pub fn lasts(&self) -> bool {
        self.r#for.is_none() && self.repair.is_none()
    }

    /// How it comes and goes, where it does not come at once to stay.
    pub fn brief_rhythm(&self) -> Option<String> {
        let ramp = (!self.ramp.is_zero()).then(|| format!("building up over {}", self.ramp));
        let flap = self.flap.as_ref();
        let flap = flap.map(|flap| format!("{} there, {} gone in turn", flap.active, flap.quiet));
        let both: Vec<String> = ramp.into_iter().chain(flap).collect();
        (!both.is_empty()).then(|| both.join(", "))
    }
}

/// What can build up does, before it ends; what comes and goes takes its time for both.
fn check(fault: &FaultSpec, at: &Node, cx: &mut Decoder) {
    let place = |field: &str| at.get(field).unwrap_or(at).span;
    if !fault.ramp.is_zero() && !fault.effect.has_degrees() {
        let message = format!("`{}` is there or is not: it cannot build up", fault.effect.name());
        cx.error(place("ramp"), message)
            .help("Slow, Errors, Drop, Delay, Duplicate and Reorder have degrees");
    }
    for (field, is_said) in
        [("way", fault.way != Ways::Both), ("clients", !matches!(fault.clients, Affected::All))]
    {
        if is_said && !fault.effect.is_network() {
            let message = format!(
                "`{}` strikes replicas, whoever calls them: `{field}` is of the network",
                fault.effect.name()
            );
            cx.error(place(field), message).help(
                "leave it out, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth",
            );
        }
    }
    if fault.requests.is_some() && !fault.effect.is_of_requests() {
        let message =
            format!("`{}` strikes all requests: `requests` says which of them", fault.effect.name());
        cx.error(place("requests"), message)
            .help("leave it out, or take what can be of some: Slow, Errors, BlackHole");
    }
    if let Some(Flap { active, quiet }) = &fault.flap
        && (active.is_zero() || quiet.is_zero())
    {
        let help = "without `flap` it is there all the time";
        cx.error(place("flap"), "`active` and `quiet` must be longer than 0").help(help);
    }
    if fault.repair.is_some() {
        for (field, is_said) in
            [("for", fault.r#for.is_some()), ("ramp", !fault.ramp.is_zero()), ("flap", fault.flap.is_some())]
        {
            if is_said {
                let message = format!("`{field}` of what is there until it is repaired");
                cx.error(place(field), message).help("leave one of the two out");
            }
        }
    }
    let there = fault.flap.as_ref().map(|flap| flap.active).into_iter().chain(fault.r#for).min();
    if let Some(there) = there.filter(|&there| fault.ramp > there && !there.is_zero()) {
        let message = format!("builds up over {}, but is there for {there} only", fault.ramp);
        cx.warn(place("ramp"), message).help("it ends before it has its full strength");
    }
}

spec! {
    /// Which of several a fault strikes.
    pub enum Affected {
        /// All of them.
        All,
        /// Those with these numbers, from 0. Of a service that a `rollout` changes, numbers of those that are there when it begins, in order.
        Only(numbers: Vec<u32>),
        /// A share of them, rounded to the nearest whole number, at least one; which ones is drawn.
        Fraction(share: f64; 0.0..=1.0),
        /// Those that stand in the zone of this name.
        Zone(name: String),
    }
}

impl Affected {
    /// Which replicas they are, where it is not all.
    pub fn brief(&self) -> Option<String> {
        self.brief_of("replica")
    }

    /// Which of what they are, where it is not all.
    pub fn brief_of(&self, what: &str) -> Option<String> {
        match self {
            Affected::All => None,
            Affected::Only(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                Some(format!("{what}s {}", numbers.join(", ")))
            }
            Affected::Fraction(share) => Some(format!("{} of the {what}s", crate::words::percent(*share))),
            Affected::Zone(name) => Some(format!("in zone {name}")),
        }
    }

    /// The zone in which they stand, by its name, if that says which they are.
    pub fn place(&self) -> Option<&str> {
        match self {
            Affected::Zone(name) => Some(name),
            _ => None,
        }
    }

    /// How many are struck, of so many.
    pub fn count(&self, of: u32) -> u32 {
        match self {
            Affected::All | Affected::Zone(_) => of,
            Affected::Only(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                numbers.len() as u32
            }
            Affected::Fraction(share) => ((share * f64::from(of)).round() as u32).clamp(1, of),
        }
    }

    /// The replicas struck, of these. Who stands in a zone has been looked up by then.
    pub fn chosen(&self, among: Vec<u32>, path: &str, streams: &Streams) -> Vec<u32> {
        match self {
            Affected::All | Affected::Zone(_) => among,
            Affected::Only(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            }
            Affected::Fraction(_) => {
                let wanted = self.count(among.len() as u32);
                let (mut luck, mut order) = (streams.luck("struck", path), among);
                order.sort_by_cached_key(|&replica| luck.at(Key::root(0, u64::from(replica))).next_u64());
                streams.spend("struck", path, luck.used());
                order.truncate(wanted as usize);
                order.sort_unstable();
                order
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_strikes_whom_it_names_once_each_in_order() {
        let streams = Streams::new(1);
        assert_eq!(Affected::All.chosen(vec![0, 1, 2], "a/0", &streams), [0, 1, 2]);
        assert_eq!(Affected::Zone("a".into()).chosen(vec![0, 3], "a/0", &streams), [0, 3]);
        assert_eq!(Affected::Only(vec![4, 1, 4]).chosen((0..6).collect(), "a/0", &streams), [1, 4]);
    }

    #[test]
    fn a_share_is_rounded_and_its_replicas_are_drawn() {
        let streams = Streams::new(1);
        for (share, replicas, struck) in [(0.0, 4, 1), (0.5, 4, 2), (0.5, 5, 3), (0.1, 100, 10), (1.0, 7, 7)]
        {
            let chosen = Affected::Fraction(share).chosen((0..replicas).collect(), "a/0", &streams);
            assert_eq!(chosen.len(), struck, "{share} of {replicas}");
            assert!(chosen.windows(2).all(|two| two[0] < two[1]), "{chosen:?}");
        }
        // Over many faults every replica is struck as often: binomial(3000, 1/3), sd 25.8.
        let mut times = [0u32; 6];
        for fault in 0..3_000 {
            let all = (0..6).collect();
            for replica in Affected::Fraction(1.0 / 3.0).chosen(all, &format!("a/{fault}"), &streams) {
                times[replica as usize] += 1;
            }
        }
        assert!(times.iter().all(|&n| n.abs_diff(1_000) < 104), "{times:?}");
        // Of those that stand in a zone, and of nobody else.
        let of_a_zone = Affected::Fraction(0.5).chosen(vec![1, 4, 7, 10], "a/0", &streams);
        assert!(of_a_zone.len() == 2 && of_a_zone.iter().all(|replica| replica % 3 == 1), "{of_a_zone:?}");
    }
}
