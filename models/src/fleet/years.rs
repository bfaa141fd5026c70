//! What happens: machines and domains fail and are repaired, spares take over.

use super::groups;
use super::{Failover, Fleet};
use crate::distribution::TimeDistribution;
use crate::drive::{Drive, Mark};
use crate::run::TrajectoryLine;
use sim_core::stats::TimeIntegral;
use sim_core::{Class, Context, Key, Luck, Model, SimTime, StreamUse, Streams, Witness, Words, digest};
use std::collections::VecDeque;

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Fails {
        machine: u32,
    },
    Repaired {
        machine: u32,
    },
    DomainFails {
        domain: u32,
    },
    DomainRepaired {
        domain: u32,
    },
    /// A spare has taken over in a group, if it is still the same that was to.
    TookOver {
        group: u32,
        round: u32,
    },
}

type Ctx = Context<Event>;

#[derive(Clone, Debug, Default)]
struct Machine {
    /// Why it is down: itself, and each domain that is.
    reasons: u32,
    groups: Vec<u32>,
    times: u64,
}

#[derive(Clone, Debug)]
struct Group {
    machines: Vec<u32>,
    up: u32,
    /// Those that do the work, where others wait for their turn.
    active: Vec<u32>,
    /// The take-over that is going on, and how many there have been.
    taking: bool,
    round: u32,
    is_up: bool,
    down_since: SimTime,
}

struct DomainState {
    machines: Vec<u32>,
    is_down: bool,
    times: u64,
}

/// What was counted after the warm-up.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Groups that went down.
    pub outages: u64,
    /// And came back: how long they were down in all, and at most.
    pub ended: u64,
    pub down_ns: u128,
    pub longest_ns: u64,
    /// Instants at which any went down, and the share of all that did, summed up.
    pub events: u64,
    pub hit: f64,
    pub take_overs: u64,
    pub by_hand: u64,
}

/// The fleet as it runs.
pub struct Years<'a> {
    fleet: &'a Fleet,
    machines: Vec<Machine>,
    groups: Vec<Group>,
    domains: Vec<DomainState>,
    queue: VecDeque<u32>,
    busy_crews: u32,
    lucks: [Luck; 4],
    path: u64,
    now: SimTime,
    pub groups_up: TimeIntegral,
    pub machines_up: TimeIntegral,
    pub all_up: TimeIntegral,
    pub all_machines_up: TimeIntegral,
    /// The areas of these four, and when measurement, and the window, began.
    pub base: ([u128; 4], SimTime),
    window: ([u128; 4], SimTime),
    pub lines: [Vec<f64>; 2],
    pub counts: Counts,
}

const FAILS: usize = 0;
const REPAIR: usize = 1;
const DOMAINS: usize = 2;
const FAILOVER: usize = 3;
const PURPOSES: [&str; 4] = ["failure", "repair", "domain", "failover"];

impl<'a> Years<'a> {
    pub fn new(fleet: &'a Fleet, streams: &Streams) -> Self {
        let mut machines = vec![Machine::default(); groups::machines(fleet) as usize];
        let all = groups::of(fleet, streams);
        for (number, members) in (0..).zip(&all) {
            members.iter().for_each(|machine| machines[*machine as usize].groups.push(number));
        }
        let active = |members: &[u32]| match fleet.failover {
            Some(_) => members[..fleet.needs as usize].to_vec(),
            None => Vec::new(),
        };
        let group = |machines: Vec<u32>| Group {
            up: machines.len() as u32,
            active: active(&machines),
            machines,
            taking: false,
            round: 0,
            is_up: true,
            down_since: SimTime::ZERO,
        };
        let groups: Vec<Group> = all.into_iter().map(group).collect();
        let domain =
            |domain| DomainState { machines: groups::taken(fleet, domain), is_down: false, times: 0 };
        let level = |value: u64| {
            let mut level = TimeIntegral::default();
            level.set(SimTime::ZERO, value);
            level
        };
        Years {
            fleet,
            groups_up: level(groups.len() as u64),
            machines_up: level(machines.len() as u64),
            all_up: level(1),
            all_machines_up: level(1),
            domains: fleet.domains.values().map(domain).collect(),
            machines,
            groups,
            queue: VecDeque::new(),
            busy_crews: 0,
            lucks: PURPOSES.map(|purpose| streams.luck(purpose, "fleet")),
            path: digest::hash_text("fleet"),
            now: SimTime::ZERO,
            base: Default::default(),
            window: Default::default(),
            lines: Default::default(),
            counts: Counts::default(),
        }
    }

    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    pub fn machines(&self) -> usize {
        self.machines.len()
    }

    pub fn areas(&self, now: SimTime) -> [u128; 4] {
        [&self.groups_up, &self.machines_up, &self.all_up, &self.all_machines_up].map(|level| level.area(now))
    }

    /// Schedules what happens next to a machine or a domain, a time drawn from now.
    fn after(&mut self, purpose: usize, key: Key, time: &TimeDistribution, event: Event, ctx: &mut Ctx) {
        let takes = time.sample(&mut self.lucks[purpose].at(key));
        ctx.schedule(ctx.now() + takes, Class::Change, event);
    }

    fn of_machine(&mut self, machine: u32) -> Key {
        let it = &mut self.machines[machine as usize];
        it.times += 1;
        Key::root(self.path, machine.into()).child(it.times)
    }

    /// A machine has one more reason to be down, or one less.
    fn changes(&mut self, machine: u32, down: bool, ctx: &mut Ctx) {
        let it = &mut self.machines[machine as usize];
        let was_up = it.reasons == 0;
        it.reasons = if down { it.reasons + 1 } else { it.reasons - 1 };
        let is_up = it.reasons == 0;
        if was_up == is_up {
            return;
        }
        let now = ctx.now();
        let up = self.machines_up.value();
        let up = if is_up { up + 1 } else { up - 1 };
        self.machines_up.set(now, up);
        self.all_machines_up.set(now, u64::from(up as usize == self.machines.len()));
        for index in 0..self.machines[machine as usize].groups.len() {
            let group = self.machines[machine as usize].groups[index];
            let it = &mut self.groups[group as usize];
            it.up = if is_up { it.up + 1 } else { it.up - 1 };
            if self.fleet.failover.is_some() {
                self.takes_over(group, ctx);
            }
        }
    }

    /// Begins to replace an active machine that is down, if there is a spare one, and nobody does yet.
    fn takes_over(&mut self, group: u32, ctx: &mut Ctx) {
        let machines = &self.machines;
        let is_up = |machine: &u32| machines[*machine as usize].reasons == 0;
        let it = &mut self.groups[group as usize];
        let wants = it.active.iter().any(|machine| !is_up(machine))
            && it.machines.iter().any(|machine| is_up(machine) && !it.active.contains(machine));
        if !wants || it.taking {
            return;
        }
        it.taking = true;
        it.round += 1;
        let round = it.round;
        let failover: &Failover = self.fleet.failover.as_ref().expect("asked before");
        let mut words = self.lucks[FAILOVER].at(Key::root(self.path, group.into()).child(round.into()));
        let works = failover.fails == 0.0 || words.unit() >= failover.fails;
        let takes = if works { &failover.takes } else { &failover.by_hand };
        let takes = takes.sample(&mut words);
        self.counts.take_overs += 1;
        self.counts.by_hand += u64::from(!works);
        ctx.schedule(ctx.now() + takes, Class::Change, Event::TookOver { group, round });
    }

    /// Puts the first spare machine that is up in the place of the first active one that is not.
    fn took_over(&mut self, group: u32, ctx: &mut Ctx) {
        let machines = &self.machines;
        let is_up = |machine: &u32| machines[*machine as usize].reasons == 0;
        let it = &mut self.groups[group as usize];
        it.taking = false;
        let spare =
            it.machines.iter().copied().find(|machine| is_up(machine) && !it.active.contains(machine));
        let gone = it.active.iter().position(|machine| !is_up(machine));
        if let (Some(spare), Some(gone)) = (spare, gone) {
            it.active[gone] = spare;
        }
        self.takes_over(group, ctx);
    }

    fn serves(&self, group: &Group) -> bool {
        match self.fleet.failover {
            None => group.up >= self.fleet.needs,
            Some(_) => group.active.iter().all(|machine| self.machines[*machine as usize].reasons == 0),
        }
    }

    /// Looks which of the groups of these machines are up now.
    fn look(&mut self, groups: &[u32], now: SimTime) {
        let mut hit = 0u64;
        let mut up = self.groups_up.value();
        for &group in groups {
            let is_up = self.serves(&self.groups[group as usize]);
            let it = &mut self.groups[group as usize];
            if it.is_up == is_up {
                continue;
            }
            it.is_up = is_up;
            if is_up {
                up += 1;
                let took = now.since(it.down_since.max(self.base.1)).as_nanos();
                self.counts.ended += 1;
                self.counts.down_ns += u128::from(took);
                self.counts.longest_ns = self.counts.longest_ns.max(took);
            } else {
                up -= 1;
                hit += 1;
                it.down_since = now;
                self.counts.outages += 1;
            }
        }
        if hit > 0 {
            self.counts.events += 1;
            self.counts.hit += hit as f64 / self.groups.len() as f64;
        }
        self.groups_up.set(now, up);
        self.all_up.set(now, u64::from(up as usize == self.groups.len()));
    }

    fn domain_changes(&mut self, domain: u32, down: bool, ctx: &mut Ctx) {
        let it = &mut self.domains[domain as usize];
        it.is_down = down;
        it.times += 1;
        let key = Key::root(self.path, u64::from(domain) << 32).child(it.times);
        let machines = std::mem::take(&mut it.machines);
        let spec = self.fleet.domains.values().nth(domain as usize).expect("one of them");
        let (time, event) = if down {
            (&spec.repair, Event::DomainRepaired { domain })
        } else {
            (&spec.fails, Event::DomainFails { domain })
        };
        self.after(DOMAINS, key, time, event, ctx);
        machines.iter().for_each(|machine| self.changes(*machine, down, ctx));
        let mut groups: Vec<u32> =
            machines.iter().flat_map(|it| &self.machines[*it as usize].groups).copied().collect();
        groups.sort_unstable();
        groups.dedup();
        self.look(&groups, ctx.now());
        self.domains[domain as usize].machines = machines;
    }

    fn machine_changes(&mut self, machine: u32, down: bool, ctx: &mut Ctx) {
        self.changes(machine, down, ctx);
        let groups = std::mem::take(&mut self.machines[machine as usize].groups);
        self.look(&groups, ctx.now());
        self.machines[machine as usize].groups = groups;
    }

    fn begin_repair(&mut self, machine: u32, ctx: &mut Ctx) {
        if self.fleet.crews.is_some_and(|crews| self.busy_crews >= crews) {
            self.queue.push_back(machine);
            return;
        }
        self.busy_crews += 1;
        let key = self.of_machine(machine);
        self.after(REPAIR, key, &self.fleet.repair, Event::Repaired { machine }, ctx);
    }
}

impl Model for Years<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        self.now = ctx.now();
        match event {
            Event::Fails { machine } => {
                ctx.witness(1, 0, 0, self.path, machine.into(), 0);
                self.machine_changes(machine, true, ctx);
                self.begin_repair(machine, ctx);
            }
            Event::Repaired { machine } => {
                ctx.witness(2, 0, 0, self.path, machine.into(), 0);
                self.busy_crews -= 1;
                let key = self.of_machine(machine);
                self.after(FAILS, key, &self.fleet.fails, Event::Fails { machine }, ctx);
                if let Some(next) = self.queue.pop_front() {
                    self.begin_repair(next, ctx);
                }
                self.machine_changes(machine, false, ctx);
            }
            Event::DomainFails { domain } => {
                ctx.witness(3, 0, 0, self.path, domain.into(), 0);
                self.domain_changes(domain, true, ctx);
            }
            Event::DomainRepaired { domain } => {
                ctx.witness(4, 0, 0, self.path, domain.into(), 0);
                self.domain_changes(domain, false, ctx);
            }
            Event::TookOver { group, round } => {
                ctx.witness(5, 0, 0, self.path, group.into(), round.into());
                self.took_over(group, ctx);
                self.look(&[group], ctx.now());
            }
        }
    }
}

impl Drive for Years<'_> {
    fn begin(&mut self, ctx: &mut Ctx) {
        for machine in 0..self.machines.len() as u32 {
            let key = self.of_machine(machine);
            self.after(FAILS, key, &self.fleet.fails, Event::Fails { machine }, ctx);
        }
        for (domain, spec) in (0..).zip(self.fleet.domains.values()) {
            let key = Key::root(self.path, u64::from(domain) << 32).child(0);
            self.after(DOMAINS, key, &spec.fails, Event::DomainFails { domain }, ctx);
        }
    }

    fn mark(&mut self, mark: Mark, now: SimTime) {
        match mark {
            Mark::WarmUpEnds => {
                self.base = (self.areas(now), now);
                self.counts = Counts::default();
            }
            Mark::StretchBegins => {}
            Mark::WindowEnds => {
                let areas = self.areas(now);
                let (before, then) = std::mem::replace(&mut self.window, (areas, now));
                let mean = |which: usize| {
                    (areas[which] - before[which]) as f64 / now.since(then).as_nanos().max(1) as f64
                };
                let means = [mean(0) / self.groups.len() as f64, mean(1)];
                self.lines.iter_mut().zip(means).for_each(|(line, mean)| line.push(mean));
            }
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let used = PURPOSES.iter().zip(&self.lucks);
        used.map(|(purpose, luck)| (Streams::name(purpose, "fleet"), luck.used())).collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        let kinds = [
            "",
            "machine fails",
            "machine is repaired",
            "domain fails",
            "domain is repaired",
            "a spare takes over",
        ];
        line.what = kinds[usize::from(witness.kind)].into();
        line.entity = "fleet".into();
        let number = witness.request;
        line.note = match witness.kind {
            1 | 2 => format!("machine {number}"),
            3 | 4 => self.fleet.domains.names().nth(number as usize).unwrap_or_default().into(),
            _ => format!("cell {number}"),
        };
    }
}
