//! Incidents as they run: noticed, paged, diagnosed, and repaired by one team after another's turn.

use super::calendar::{Calendar, Done, Hour};
use super::exact;
use super::{IncidentResponse, Severity};
use crate::RunSpec;
use crate::drive::{Drive, Mark};
use crate::run::TrajectoryLine;
use sim_core::sampler::standard_exponential;
use sim_core::stats::TimeIntegral;
use sim_core::{
    Class, Context, Key, Luck, Model, SimDuration, SimTime, StreamUse, Streams, Witness, Words, digest,
};
use std::collections::{BTreeMap, VecDeque};

/// More are not open at once: nobody would repair them.
const MOST_OPEN: usize = 1_000_000;

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Begins {
        severity: u32,
    },
    Noticed {
        incident: u32,
    },
    Acknowledged {
        incident: u32,
    },
    Diagnosed {
        incident: u32,
    },
    /// A team that was paged has answered.
    Joins {
        incident: u32,
        part: u32,
    },
    /// A team is done with what it works at.
    Done {
        team: u32,
    },
}

type Ctx = Context<Event>;

/// One incident.
#[derive(Clone, Debug, Default)]
struct Incident {
    severity: u32,
    ordinal: u64,
    began: SimTime,
    noticed: SimTime,
    acknowledged: SimTime,
    diagnosed: SimTime,
    /// Of that, what hand-overs cost.
    handed_over: SimDuration,
    first: u32,
    parts: Vec<Part>,
    open: u32,
}

/// What one team does of a repair.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    team: u32,
    work: SimDuration,
    talk: SimDuration,
    handed_over: SimDuration,
    joined: SimTime,
    begun: SimTime,
}

#[derive(Clone, Debug, Default)]
struct Team {
    waiting: VecDeque<(u32, u32)>,
    at_work: Option<(u32, u32)>,
}

/// Where the time of an incident goes, in nanoseconds; of its teams the one that was done last counts.
pub const STEPS: [&str; 8] = [
    "until it is noticed",
    "until somebody answers",
    "diagnosis",
    "until the team answers",
    "waiting for the team",
    "repair",
    "talk",
    "hand-overs",
];

/// Durations, to a thousandth.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    buckets: BTreeMap<u64, u64>,
    pub count: u64,
    pub sum: u128,
    pub longest: u64,
}

impl Durations {
    fn record(&mut self, took: SimDuration) {
        let nanos = took.as_nanos();
        let shift = (64 - nanos.leading_zeros()).saturating_sub(11);
        *self.buckets.entry(nanos >> shift << shift | ((1 << shift) >> 1)).or_default() += 1;
        self.count += 1;
        self.sum += u128::from(nanos);
        self.longest = self.longest.max(nanos);
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// By the nearest rank.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let rank = ((percent / 100.0 * self.count as f64).ceil() as u64).max(1);
        let mut covered = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            covered += *count;
            covered >= rank
        });
        bucket.map(|(nanos, _)| (*nanos).min(self.longest) as f64)
    }
}

/// What was counted, of incidents that began after the warm-up.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub began: u64,
    pub by_users: u64,
    /// By the hour at which they were noticed: how many, pages of the first line, and until one was answered.
    pub hours: [HourCounts; 3],
    pub escalated: u64,
    pub mitigated: Durations,
    pub severities: Vec<Durations>,
    pub noticed: u128,
    pub steps: [u128; STEPS.len()],
    /// Those of which it is known whom they concern: how many, their teams, how long is talked.
    pub diagnosed: u64,
    pub teams: u64,
    pub talk: u128,
    pub hand_overs: u64,
    /// Repairs that a team began with, and how long they had waited.
    pub repairs: u64,
    pub waited: u128,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct HourCounts {
    pub incidents: u64,
    pub pages: u64,
    pub until_answered: u128,
}

/// The organisation as it runs.
pub struct Response<'a> {
    spec: &'a IncidentResponse,
    pub calendar: Calendar,
    measured_from: SimTime,
    incidents: Vec<Incident>,
    free: Vec<u32>,
    teams: Vec<Team>,
    begun: Vec<u64>,
    paths: Vec<u64>,
    lucks: [Luck; PURPOSES.len()],
    pub open: TimeIntegral,
    pub waiting: TimeIntegral,
    pub busy: TimeIntegral,
    /// Areas of these three when measurement, and when the window, began.
    pub base: ([u128; 3], SimTime),
    window: ([u128; 3], SimTime),
    pub lines: [Vec<f64>; 2],
    pub counts: Counts,
}

const ARRIVALS: usize = 0;
const NOTICE: usize = 1;
const PAGE: usize = 2;
const DIAGNOSIS: usize = 3;
const PLACE: usize = 4;
const REPAIR: usize = 5;
const PURPOSES: [&str; 6] = ["arrivals", "notice", "page", "diagnosis", "place", "repair"];

impl<'a> Response<'a> {
    pub fn new(spec: &'a IncidentResponse, run: &RunSpec, streams: &Streams) -> Self {
        let severities = spec.severities.len();
        Response {
            spec,
            calendar: Calendar::new(spec),
            measured_from: SimTime::ZERO + run.warm_up,
            incidents: Vec::new(),
            free: Vec::new(),
            teams: vec![Team::default(); spec.teams.count as usize],
            begun: vec![0; severities],
            paths: spec.severities.names().map(digest::hash_text).collect(),
            lucks: PURPOSES.map(|purpose| streams.luck(purpose, "incidents")),
            open: TimeIntegral::default(),
            waiting: TimeIntegral::default(),
            busy: TimeIntegral::default(),
            base: Default::default(),
            window: Default::default(),
            lines: Default::default(),
            counts: Counts { severities: vec![Durations::default(); severities], ..Counts::default() },
        }
    }

    pub fn areas(&self, now: SimTime) -> [u128; 3] {
        [&self.open, &self.waiting, &self.busy].map(|level| level.area(now))
    }

    fn severity(&self, incident: u32) -> &'a Severity {
        let number = self.incidents[incident as usize].severity;
        self.spec.severities.at(number as usize).expect("one of them").1
    }

    fn key(&self, incident: u32) -> Key {
        let it = &self.incidents[incident as usize];
        Key::root(self.paths[it.severity as usize], it.ordinal)
    }

    /// It began after the warm-up.
    fn counts(&self, incident: u32) -> bool {
        self.incidents[incident as usize].began >= self.measured_from
    }

    fn next_begins(&mut self, severity: u32, ctx: &mut Ctx) {
        let key = Key::root(self.paths[severity as usize], self.begun[severity as usize]);
        let every = self.spec.severities.at(severity as usize).expect("one of them").1.every;
        let gap = standard_exponential(&mut self.lucks[ARRIVALS].at(key)) * every.as_nanos() as f64;
        ctx.schedule_in(SimDuration::drawn(gap), Event::Begins { severity });
    }

    fn begins(&mut self, severity: u32, ctx: &mut Ctx) {
        let ordinal = self.begun[severity as usize];
        self.begun[severity as usize] += 1;
        self.next_begins(severity, ctx);
        let began = Incident { severity, ordinal, began: ctx.now(), ..Incident::default() };
        let incident = match self.free.pop() {
            Some(free) => free,
            None => {
                self.incidents.push(Incident::default());
                self.incidents.len() as u32 - 1
            }
        };
        self.incidents[incident as usize] = began;
        self.open.increment(ctx.now());
        if self.incidents.len() - self.free.len() > MOST_OPEN {
            ctx.stop(format!("more than {MOST_OPEN} incidents are open"));
            return;
        }
        let key = self.key(incident);
        self.witness(1, incident, 0, ctx);
        let of = self.severity(incident);
        let seen = self.lucks[NOTICE].at(key).unit() < of.monitored;
        let users = of.users.sample(&mut self.lucks[NOTICE].at(key.child(1)));
        let alarm = seen.then(|| of.alarm.sample(&mut self.lucks[NOTICE].at(key.child(2))));
        if self.counts(incident) {
            self.counts.began += 1;
            self.counts.by_users += u64::from(alarm.is_none_or(|alarm| users < alarm));
        }
        let after = alarm.map_or(users, |alarm| alarm.min(users));
        ctx.schedule_in(after, Event::Noticed { incident });
    }

    fn noticed(&mut self, incident: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        self.incidents[incident as usize].noticed = now;
        let hour = self.calendar.hour(now.as_nanos());
        self.witness(2, incident, hour as u64, ctx);
        let key = self.key(incident).child(0);
        let answered = self.spec.paging.answered(hour, &mut self.lucks[PAGE], key);
        if self.counts(incident) {
            self.counts.noticed += u128::from(now.since(self.incidents[incident as usize].began).as_nanos());
            let of = &mut self.counts.hours[hour as usize];
            of.incidents += 1;
            of.pages += u64::from(answered.pages);
            of.until_answered += u128::from(answered.after.as_nanos());
            self.counts.escalated += u64::from(answered.pages > 1);
        }
        ctx.schedule_in(answered.after, Event::Acknowledged { incident });
    }

    fn acknowledged(&mut self, incident: u32, ctx: &mut Ctx) {
        self.incidents[incident as usize].acknowledged = ctx.now();
        self.witness(3, incident, 0, ctx);
        let key = self.key(incident);
        let work = self.severity(incident).diagnose.sample(&mut self.lucks[DIAGNOSIS].at(key));
        let done = self.work(incident, work, ctx);
        self.incidents[incident as usize].handed_over = done.saturating_sub(work);
        ctx.schedule_in(done, Event::Diagnosed { incident });
    }

    /// How long work takes that begins now.
    fn work(&mut self, incident: u32, work: SimDuration, ctx: &Ctx) -> SimDuration {
        let Done { takes, hand_overs } = self.calendar.done(ctx.now().as_nanos(), work.as_nanos());
        if self.counts(incident) {
            self.counts.hand_overs += u64::from(hand_overs);
        }
        SimDuration::from_nanos(takes)
    }

    /// It is known which services are concerned: who owns them is paged.
    fn diagnosed(&mut self, incident: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let key = self.key(incident);
        let severity = self.severity(incident);
        let first = self.lucks[PLACE].at(key).below(self.spec.services.into()) as u32;
        let teams = exact::concerned(self.spec, severity, first);
        let talk = exact::talk(self.spec, severity, teams.len() as u32);
        self.witness(4, incident, teams.len() as u64, ctx);
        if self.counts(incident) {
            self.counts.diagnosed += 1;
            self.counts.teams += teams.len() as u64;
            self.counts.talk += u128::from(talk.as_nanos());
        }
        let hour = self.calendar.hour(now.as_nanos());
        let mut parts: Vec<Part> =
            teams.iter().map(|(team, _)| Part { team: *team, talk, ..Part::default() }).collect();
        // A service takes as long to repair, whoever owns it.
        for place in 0..severity.touches {
            let service = (first + place) % self.spec.services;
            let takes = severity.repair.sample(&mut self.lucks[REPAIR].at(key.child(place.into())));
            let team = exact::owner(self.spec, service);
            let part = parts.iter_mut().find(|part| part.team == team).expect("it is concerned");
            part.work = SimDuration::from_nanos(part.work.as_nanos().saturating_add(takes.as_nanos()));
        }
        for (number, part) in (0..).zip(&parts) {
            let key = key.child(1 + u64::from(part.team));
            let answered = self.spec.paging.answered(hour, &mut self.lucks[PAGE], key);
            ctx.schedule_in(answered.after, Event::Joins { incident, part: number });
        }
        let it = &mut self.incidents[incident as usize];
        it.diagnosed = now;
        it.first = first;
        it.open = parts.len() as u32;
        it.parts = parts;
    }

    fn joins(&mut self, incident: u32, part: u32, ctx: &mut Ctx) {
        let it = &mut self.incidents[incident as usize].parts[part as usize];
        it.joined = ctx.now();
        let team = it.team;
        self.witness(5, incident, team.into(), ctx);
        self.teams[team as usize].waiting.push_back((incident, part));
        self.waiting.increment(ctx.now());
        self.next_of(team, ctx);
    }

    /// A team that has nothing to do begins with what has waited longest.
    fn next_of(&mut self, team: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let it = &mut self.teams[team as usize];
        if it.at_work.is_some() {
            return;
        }
        let Some((incident, number)) = it.waiting.pop_front() else { return };
        it.at_work = Some((incident, number));
        self.waiting.decrement(now);
        self.busy.increment(now);
        let mut part = self.incidents[incident as usize].parts[number as usize];
        part.begun = now;
        if self.counts(incident) {
            self.counts.repairs += 1;
            self.counts.waited += u128::from(now.since(part.joined).as_nanos());
        }
        let work = SimDuration::from_nanos(part.work.as_nanos().saturating_add(part.talk.as_nanos()));
        let takes = self.work(incident, work, ctx);
        part.handed_over = takes.saturating_sub(work);
        self.incidents[incident as usize].parts[number as usize] = part;
        ctx.schedule(now + takes, Class::End, Event::Done { team });
    }

    fn done(&mut self, team: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let (incident, number) = self.teams[team as usize].at_work.take().expect("it was at work");
        self.busy.decrement(now);
        self.witness(6, incident, team.into(), ctx);
        let it = &mut self.incidents[incident as usize];
        it.open -= 1;
        if it.open == 0 {
            let part = it.parts[number as usize];
            self.mitigated(incident, part, now);
        }
        self.next_of(team, ctx);
    }

    fn mitigated(&mut self, incident: u32, last: Part, now: SimTime) {
        self.open.decrement(now);
        let it = std::mem::take(&mut self.incidents[incident as usize]);
        self.free.push(incident);
        if it.began < self.measured_from {
            return;
        }
        let took = now.since(it.began);
        self.counts.mitigated.record(took);
        self.counts.severities[it.severity as usize].record(took);
        let steps = [
            it.noticed.since(it.began),
            it.acknowledged.since(it.noticed),
            it.diagnosed.since(it.acknowledged).saturating_sub(it.handed_over),
            last.joined.since(it.diagnosed),
            last.begun.since(last.joined),
            now.since(last.begun).saturating_sub(last.talk).saturating_sub(last.handed_over),
            last.talk,
            SimDuration::from_nanos(it.handed_over.as_nanos() + last.handed_over.as_nanos()),
        ];
        for (sum, step) in self.counts.steps.iter_mut().zip(steps) {
            *sum += u128::from(step.as_nanos());
        }
    }

    fn witness(&self, kind: u16, incident: u32, detail: u64, ctx: &mut Ctx) {
        let it = &self.incidents[incident as usize];
        ctx.witness(kind, 0, 0, self.paths[it.severity as usize], it.ordinal, detail);
    }
}

impl Model for Response<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Begins { severity } => self.begins(severity, ctx),
            Event::Noticed { incident } => self.noticed(incident, ctx),
            Event::Acknowledged { incident } => self.acknowledged(incident, ctx),
            Event::Diagnosed { incident } => self.diagnosed(incident, ctx),
            Event::Joins { incident, part } => self.joins(incident, part, ctx),
            Event::Done { team } => self.done(team, ctx),
        }
    }
}

impl Drive for Response<'_> {
    fn begin(&mut self, ctx: &mut Ctx) {
        (0..self.begun.len() as u32).for_each(|severity| self.next_begins(severity, ctx));
    }

    fn mark(&mut self, mark: Mark, now: SimTime) {
        match mark {
            Mark::WarmUpEnds => self.base = (self.areas(now), now),
            Mark::StretchBegins => {}
            Mark::WindowEnds => {
                let areas = self.areas(now);
                let (before, then) = std::mem::replace(&mut self.window, (areas, now));
                let nanos = now.since(then).as_nanos().max(1) as f64;
                for (line, which) in self.lines.iter_mut().zip(0..) {
                    line.push((areas[which] - before[which]) as f64 / nanos);
                }
            }
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let used = PURPOSES.iter().zip(&self.lucks);
        used.map(|(purpose, luck)| (Streams::name(purpose, "incidents"), luck.used())).collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        let kinds =
            ["", "begins", "is noticed", "is acknowledged", "is diagnosed", "a team joins", "a team is done"];
        line.what = kinds[usize::from(witness.kind)].into();
        let severity = self.paths.iter().position(|path| *path == witness.entity);
        line.entity = severity.and_then(|it| self.spec.severities.names().nth(it)).unwrap_or_default().into();
        line.note = match witness.kind {
            2 => Hour::ALL[witness.detail as usize].name().into(),
            4 => format!("{} teams", witness.detail),
            5 | 6 => format!("team {}", witness.detail),
            _ => String::new(),
        };
    }
}
