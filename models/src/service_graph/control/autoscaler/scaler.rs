//! Whoever scales one service: what is known, what is wanted, and what is told of it.

use super::behaviour::Behaviour;
use super::calculator::{Reading, by_mean, by_total};
use super::{Autoscaler, Metric};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::state::Service;
use sim_core::stats::TimeIntegral;
use sim_core::{SimDuration, SimTime};
use std::collections::VecDeque;

/// Whoever scales one service.
#[derive(Clone, Debug)]
pub struct Scaler {
    /// Which service.
    pub service: u32,
    says: Autoscaler,
    behaviour: Behaviour,
    /// What was seen, the newest last: as far back as anybody looks.
    seen: VecDeque<Seen>,
    /// When it looked last, and what had been done by then.
    looked: SimTime,
    used: Box<[u128]>,
    total: u128,
    changed: Option<SimTime>,
    went_up: Option<bool>,
    wanted: TimeIntegral,
    most: u64,
    /// After the warm-up: see [`declared`].
    counts: [u64; COUNTED.len()],
    /// Areas of what is wanted and of what is there, and the time, when measurement, and the window, began.
    from: ([u128; 2], SimTime),
    window: ([u128; 2], SimTime),
    lines: [Vec<f64>; 2],
}

/// What was seen at a time.
#[derive(Clone, Debug)]
struct Seen {
    at: SimTime,
    figure: Figure,
}

#[derive(Clone, Debug)]
enum Figure {
    Each(Box<[Reading]>),
    Total(f64),
}

const COUNTED: [&str; 4] = ["ups", "downs", "reversals", "held_by_quota"];

/// Nanoseconds of an hour.
const HOUR: f64 = 3.6e12;

impl Scaler {
    /// One that has looked at nothing yet, and has so many replicas of as many as there is room for.
    pub fn new(says: &Autoscaler, service: u32, replicas: u32, room: u32) -> Self {
        let mut wanted = TimeIntegral::default();
        wanted.set(SimTime::ZERO, replicas.into());
        Scaler {
            service,
            says: says.clone(),
            behaviour: Behaviour::new(&says.scale_up, &says.scale_down, replicas),
            seen: VecDeque::new(),
            looked: SimTime::ZERO,
            used: vec![0; room as usize].into(),
            total: 0,
            changed: None,
            went_up: None,
            wanted,
            most: replicas.into(),
            counts: [0; COUNTED.len()],
            from: ([0; 2], SimTime::ZERO),
            window: ([0; 2], SimTime::ZERO),
            lines: [Vec::new(), Vec::new()],
        }
    }

    /// When it looks first.
    pub fn first_look(&self) -> SimTime {
        SimTime::ZERO + self.says.sync
    }

    /// How long a replica that goes has: to wait, and in all.
    pub fn grace(&self) -> (SimDuration, SimDuration) {
        (self.says.linger, self.says.grace)
    }

    /// It looks: when it does so next, and how many replicas there are to be.
    pub fn looks(&mut self, service: &Service, now: SimTime) -> (SimTime, u32) {
        self.sees(service, now);
        let current = self.wanted.value() as u32;
        let (least, granted) = self.says.bounds(now);
        let asked = self.asks(service, current, now).unwrap_or(current);
        let mut next = self.behaviour.allows(asked, current, now);
        if self.changed.zip(self.says.cool_down).is_some_and(|(changed, cool_down)| now < changed + cool_down)
        {
            next = current;
        }
        next = next.clamp(least, self.says.max);
        let most = granted.max(current);
        self.counts[3] += u64::from(next > most);
        next = next.min(most);
        self.behaviour.changes(current, next, now);
        if next != current {
            let up = next > current;
            self.counts[usize::from(!up)] += 1;
            self.counts[2] += u64::from(self.went_up == Some(!up));
            (self.changed, self.went_up) = (Some(now), Some(up));
            self.wanted.set(now, next.into());
            self.most = self.most.max(next.into());
        }
        (now + self.says.sync, next)
    }

    /// What there is to be seen since it looked last.
    fn sees(&mut self, service: &Service, now: SimTime) {
        let since = now.since(self.looked).as_nanos() as f64;
        let figure = match self.says.metric {
            Metric::Utilisation(_) => {
                let members = &service.membership.as_ref().expect("they come and go").members;
                let each = service.replicas.iter().zip(members.iter()).zip(&mut self.used);
                let each = each.map(|((replica, member), used)| {
                    let until = replica.used(now);
                    let part = (until - std::mem::replace(used, until)) as f64;
                    match () {
                        () if !member.was_in_since(self.looked) => Reading::Unready,
                        () if replica.down > 0 => Reading::Missing,
                        () => Reading::Of(part / (since * f64::from(service.cores))),
                    }
                });
                Figure::Each(each.collect())
            }
            Metric::Queue(_) => {
                let area = service.lines.iter().map(|line| line.length.area(now)).sum();
                Figure::Total((area - std::mem::replace(&mut self.total, area)) as f64 / since)
            }
            Metric::Requests(_) => {
                let arrived = u128::from(service.stats.total.arrived);
                let part = arrived - std::mem::replace(&mut self.total, arrived);
                Figure::Total(part as f64 / since * 1e9)
            }
        };
        self.looked = now;
        self.seen.push_back(Seen { at: now, figure });
        while self.seen.get(1).is_some_and(|seen| seen.at + self.says.lag <= now) {
            self.seen.pop_front();
        }
    }

    /// How many replicas its figure asks for; none if there is none yet.
    fn asks(&self, service: &Service, current: u32, now: SimTime) -> Option<u32> {
        let seen = self.seen.front().filter(|seen| seen.at + self.says.lag <= now)?;
        let tolerance = self.says.tolerance;
        match (&seen.figure, &self.says.metric) {
            (Figure::Each(each), Metric::Utilisation(target)) => {
                let members = &service.membership.as_ref().expect("they come and go").members;
                let here = each.iter().zip(members.iter()).filter(|(_, member)| member.is_counted());
                let readings: Vec<Reading> = here.map(|(reading, _)| *reading).collect();
                by_mean(&readings, *target, tolerance)
            }
            (Figure::Total(total), Metric::Queue(each)) => Some(by_total(*total, current, *each, tolerance)),
            (Figure::Total(total), Metric::Requests(each)) => {
                Some(by_total(*total, current, each.get(), tolerance))
            }
            _ => unreachable!("it looks at one thing"),
        }
    }

    fn areas(&self, service: &Service, now: SimTime) -> [u128; 2] {
        let there = service.membership.as_ref().expect("they come and go").there_area(now);
        [self.wanted.area(now), there]
    }

    /// Measurement begins: what was before is drawn, and not counted.
    pub fn begin(&mut self, service: &Service, now: SimTime) {
        self.counts = [0; COUNTED.len()];
        self.most = self.wanted.value();
        self.from = (self.areas(service, now), now);
    }

    /// A window is over.
    pub fn close_window(&mut self, service: &Service, now: SimTime) {
        let areas = self.areas(service, now);
        let (before, then) = std::mem::replace(&mut self.window, (areas, now));
        let nanos = now.since(then).as_nanos().max(1) as f64;
        for (line, (area, before)) in self.lines.iter_mut().zip(areas.into_iter().zip(before)) {
            line.push((area - before) as f64 / nanos);
        }
    }

    /// What is told of it.
    pub fn section(&self, service: &Service, now: SimTime) -> Section {
        let (before, then) = self.from;
        let now = now.max(then);
        let measured = now.since(then).as_nanos() as f64;
        let [wanted, there] = self.areas(service, now);
        let mut section = declared(&service.name);
        section.set("replica_hours", (there - before[1]) as f64 / HOUR);
        section.set("desired_mean", (measured > 0.0).then(|| (wanted - before[0]) as f64 / measured));
        section.set("desired_most", self.most as f64);
        for (name, count) in COUNTED.into_iter().zip(self.counts) {
            section.set(name, count as f64);
        }
        section.draw("desired", self.lines[0].clone());
        section.draw("there", self.lines[1].clone());
        section
    }
}

/// What it will tell: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    Section::new("autoscaler", at)
        .value(
            "replica_hours",
            plain("hours for which replicas were there, those that start and leave included")
                .better(Better::Less)
                .headline(),
        )
        .value(
            "desired_mean",
            plain("replicas that were wanted, mean over time").of_windows(Fold::Mean("desired".into())),
        )
        .value("desired_most", plain("and at most, after the warm-up"))
        .value("ups", plain("looks after which more were wanted than before"))
        .value("downs", plain("and those after which fewer were"))
        .value("reversals", plain("changes in the other direction than the one before").better(Better::Less))
        .value("held_by_quota", plain("looks that would have had more if more had been granted"))
        .line("desired", Unit::Plain, "Replicas that are wanted, mean of each window.")
        .line(
            "there",
            Unit::Plain,
            "Replicas that are there, starting or leaving included, mean of each window.",
        )
}
