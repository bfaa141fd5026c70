//! A replica that needs others is not ready before they are there: it looks for them when it has started, and again and again (an init container that
//! waits), or it exits at once and is started again, each time later (a process that cannot connect, in a crash loop). All it looks for is
//! whether any replica of theirs is up: that costs them nothing. Those that need each other start for each other, or never: after an outage
//! of all of both there is nobody to begin with.

use super::start_up::{Missing, StartUp};
use crate::experiment::Spanned;
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::spec::GraphSpec;
use sim_core::{SimDuration, SimTime};

/// Services that need each other, one after another, the first again at the end; none if there are no such.
pub fn needs_itself(graph: &GraphSpec) -> Option<Vec<String>> {
    let needed = |number: usize| {
        let start = graph.service(number).starts().into_iter().flat_map(|start| &start.needs);
        start.filter_map(|name| graph.services.index_of(&name.value)).collect::<Vec<_>>()
    };
    let all: Vec<Vec<usize>> = (0..graph.services.len()).map(needed).collect();
    // Who is needed by nobody that is left is in no circle, one after another.
    let mut needing = vec![0u32; all.len()];
    all.iter().flatten().for_each(|&number| needing[number] += 1);
    let mut free: Vec<usize> = (0..all.len()).filter(|&number| needing[number] == 0).collect();
    let mut left = all.len();
    while let Some(number) = free.pop() {
        left -= 1;
        for &next in &all[number] {
            needing[next] -= 1;
            if needing[next] == 0 {
                free.push(next);
            }
        }
    }
    if left == 0 {
        return None;
    }
    // Whoever is left is needed by somebody who is left: back that way, and round.
    let mut by = vec![None; all.len()];
    let is_left = |number: &usize| needing[*number] > 0;
    for number in (0..all.len()).filter(is_left) {
        all[number].iter().filter(|next| is_left(next)).for_each(|&next| by[next] = Some(number));
    }
    let before = |&at: &usize| by[at];
    let somewhere = std::iter::successors((0..all.len()).find(is_left), before).nth(all.len())?;
    let mut way = vec![somewhere];
    way.extend(std::iter::successors(by[somewhere], before).take_while(|&at| at != somewhere));
    way.push(somewhere);
    way.reverse();
    let least = (0..way.len() - 1).min_by_key(|&at| way[at])?;
    let round = (0..way.len()).map(|step| way[(least + step) % (way.len() - 1)]);
    Some(round.map(|number| graph.name(number).to_owned()).collect())
}

/// What is told of starts that others are needed for: nothing measured yet.
pub fn declared(at: &str) -> Section {
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
}
