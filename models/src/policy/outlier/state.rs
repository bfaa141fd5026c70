//! What one client has seen of each replica, and whom it has ejected.
//!
//! Looks come at even intervals, the first at a random moment within one, so that clients do not march in step. They are made up
//! for when the client next calls somebody or hears of somebody: nothing happens between two looks of a client that does neither, so
//! however many there were, the first of them sees what there is to see and the rest is arithmetic.

use super::Outlier;
use crate::policy::outcome::{Outcome, OutcomeSet};
use sim_core::{SimTime, Words};

/// What one client remembers.
#[derive(Clone, Debug)]
pub struct OutlierState {
    rules: Box<Outlier>,
    on: OutcomeSet,
    /// It looks at rates.
    compares: bool,
    hosts: Box<[Host]>,
    /// As many as the client chooses among.
    among: u32,
    ejected: u32,
    /// When it looks next.
    next: SimTime,
    /// Of whom it has heard since the last look, if it looks at rates.
    heard_of: Vec<u32>,
    /// Who is ejected, or was of late.
    marked: Vec<u32>,
    /// What happened and nobody has been told of.
    moved: Vec<Moved>,
    spared: u32,
}

/// A replica went or came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub replica: u32,
    /// It was ejected; otherwise it is let in again.
    pub ejected: bool,
}

/// What it knows of one replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host {
    /// Failures in a row.
    in_a_row: u32,
    /// Since the last look: what was heard of it, and how much of that was good.
    heard: u32,
    good: u32,
    /// How often it was ejected of late.
    often: u32,
    /// When it was ejected or let in again.
    since: SimTime,
    ejected: bool,
}

impl OutlierState {
    /// A client that has seen nothing yet of so many. Draws when it looks first.
    pub fn new(outlier: &Outlier, replicas: u32, words: &mut impl Words) -> Self {
        let phase = words.below(outlier.interval.as_nanos());
        OutlierState {
            on: OutcomeSet::of(&outlier.on),
            compares: outlier.success_rate.is_some() || outlier.failure_percentage.is_some(),
            rules: Box::new(outlier.clone()),
            hosts: vec![Host::default(); replicas as usize].into(),
            among: replicas,
            ejected: 0,
            next: SimTime::from_nanos(phase + 1),
            heard_of: Vec::new(),
            marked: Vec::new(),
            moved: Vec::new(),
            spared: 0,
        }
    }

    /// Whether a replica is ejected.
    #[inline]
    pub fn is_ejected(&self, replica: u32) -> bool {
        self.hosts[replica as usize].ejected
    }

    /// The client chooses among so many from now on.
    pub fn choose_among(&mut self, so_many: u32) {
        self.among = so_many;
    }

    /// How many are.
    pub fn ejected(&self) -> u32 {
        self.ejected
    }

    /// Makes up for the looks that were due by now. Whether anybody went or came back.
    #[inline]
    pub fn look(&mut self, now: SimTime) -> bool {
        now >= self.next && self.make_up(now)
    }

    /// An attempt that was sent to a replica has ended. Whether anybody went or came back.
    pub fn ended(&mut self, now: SimTime, replica: u32, outcome: Outcome) -> bool {
        let before = self.moved.len();
        self.look(now);
        if matches!(outcome, Outcome::Cancelled | Outcome::InFlight) {
            return self.moved.len() > before;
        }
        let host = &mut self.hosts[replica as usize];
        let failed = self.on.contains(outcome);
        if self.compares {
            if host.heard == 0 {
                self.heard_of.push(replica);
            }
            host.heard += 1;
            host.good += u32::from(!failed);
        }
        if failed {
            host.in_a_row = host.in_a_row.saturating_add(1);
            // One that is out already hears no more of it until it is in again.
            if Some(host.in_a_row) == self.rules.consecutive && !host.ejected {
                host.in_a_row = 0;
                self.eject(replica, now);
            }
        } else {
            host.in_a_row = 0;
        }
        self.moved.len() > before
    }

    /// What happened that nobody has been told of: who went and came back, in order, and who would have gone if it had not been
    /// one too many.
    pub fn untold(&mut self) -> (std::vec::Drain<'_, Moved>, u32) {
        let spared = std::mem::take(&mut self.spared);
        (self.moved.drain(..), spared)
    }

    fn eject(&mut self, replica: u32, now: SimTime) {
        if !self.rules.may_go(self.ejected, self.among) {
            self.spared += 1;
            return;
        }
        let (base, longest) = (self.rules.base_ejection_time, self.rules.longest());
        let host = &mut self.hosts[replica as usize];
        if host.often == 0 {
            self.marked.push(replica);
        }
        (host.ejected, host.since) = (true, now);
        let beyond = longest.as_nanos().saturating_add(base.as_nanos());
        if base.saturating_mul(host.often.into()).as_nanos() < beyond {
            host.often += 1;
        }
        self.ejected += 1;
        self.moved.push(Moved { replica, ejected: true });
    }

    fn let_in(&mut self, replica: u32, now: SimTime) {
        let host = &mut self.hosts[replica as usize];
        (host.ejected, host.since, host.in_a_row) = (false, now, 0);
        self.ejected -= 1;
        self.moved.push(Moved { replica, ejected: false });
    }

    /// The looks up to now: the first sees what was heard, the others only that time has passed.
    #[cold]
    fn make_up(&mut self, now: SimTime) -> bool {
        let (before, first, interval) = (self.moved.len(), self.next, self.rules.interval);
        let later = now.since(first).as_nanos() / interval.as_nanos();
        self.next = first + interval.saturating_mul(later + 1);
        self.marked.sort_unstable();
        for at in 0..self.marked.len() {
            let replica = self.marked[at];
            if self.hosts[replica as usize].ejected && self.ends_at(replica) <= first {
                self.let_in(replica, first);
            }
        }
        self.compare(first);
        for at in 0..self.marked.len() {
            let replica = self.marked[at];
            let mut looks = later;
            if self.hosts[replica as usize].ejected {
                let needed = self.ends_at(replica).since(first).as_nanos().div_ceil(interval.as_nanos());
                if needed > later {
                    continue;
                }
                self.let_in(replica, first + interval.saturating_mul(needed));
                looks -= needed;
            } else {
                looks += u64::from(self.hosts[replica as usize].since < first);
            }
            let host = &mut self.hosts[replica as usize];
            host.often -= host.often.min(u32::try_from(looks).unwrap_or(u32::MAX));
        }
        let hosts = &self.hosts;
        self.marked.retain(|replica| hosts[*replica as usize].often > 0);
        self.moved.len() > before
    }

    /// When the ejection of a replica may end.
    fn ends_at(&self, replica: u32) -> SimTime {
        let host = &self.hosts[replica as usize];
        let long = self.rules.base_ejection_time.saturating_mul(host.often.into()).min(self.rules.longest());
        host.since + long
    }

    /// A look at rates: of those that were asked often enough since the last, and are in.
    fn compare(&mut self, now: SimTime) {
        let mut heard_of = std::mem::take(&mut self.heard_of);
        heard_of.sort_unstable();
        let rate = |host: &Host| 100.0 * f64::from(host.good) / f64::from(host.heard);
        let enough = |hosts: &[Host], volume: u32, least: u32| -> Vec<(u32, f64)> {
            let asked = heard_of.iter().map(|replica| (*replica, &hosts[*replica as usize]));
            let asked = asked.filter(|(_, host)| !host.ejected && host.heard >= volume);
            let rates: Vec<(u32, f64)> = asked.map(|(replica, host)| (replica, rate(host))).collect();
            if rates.len() < least as usize { Vec::new() } else { rates }
        };
        let mut outliers: Vec<u32> = Vec::new();
        if let Some(rule) = self.rules.success_rate {
            let rates = enough(&self.hosts, rule.request_volume, rule.minimum_hosts);
            let far = threshold(&rates, rule.stdev_factor);
            outliers.extend(rates.iter().filter(|(_, rate)| *rate < far).map(|(replica, _)| replica));
        }
        if let Some(rule) = self.rules.failure_percentage {
            let rates = enough(&self.hosts, rule.request_volume, rule.minimum_hosts);
            let fails = |rate: f64| 100.0 - rate >= f64::from(rule.threshold);
            outliers.extend(rates.iter().filter(|(_, rate)| fails(*rate)).map(|(replica, _)| replica));
        }
        for replica in outliers {
            if !self.hosts[replica as usize].ejected {
                self.eject(replica, now);
            }
        }
        for replica in heard_of.drain(..) {
            let host = &mut self.hosts[replica as usize];
            (host.heard, host.good) = (0, 0);
        }
        self.heard_of = heard_of;
    }
}

/// Below this a rate is far below the others: the mean less so many standard deviations.
fn threshold(rates: &[(u32, f64)], stdev_factor: f64) -> f64 {
    let n = rates.len() as f64;
    let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / n;
    let variance = rates.iter().map(|(_, rate)| (rate - mean) * (rate - mean)).sum::<f64>() / n;
    mean - stdev_factor * variance.sqrt()
}

#[cfg(test)]
mod tests;
