//! What is known of an organisation before anything happens.

use super::calendar::{Calendar, Hour};
use super::{Command, IncidentResponse, Own, Severity};
use crate::report::{Cell, Table};
use crate::theory::{Mg1, ServiceMoments};
use crate::words::percent;
use sim_core::SimDuration;

/// The work that one team gets, hand-overs left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TeamLoad {
    /// Repairs that it takes part in, per nanosecond.
    pub rate: f64,
    /// The share of time in which it is at work: one or more cannot be.
    pub load: f64,
    /// The rate times the second moment of what one takes.
    second: f64,
}

impl TeamLoad {
    /// The mean wait of a repair for it: M/G/1.
    pub fn wait(&self) -> f64 {
        if self.load == 0.0 {
            return 0.0;
        }
        let service = ServiceMoments {
            mean: self.load / self.rate,
            second: self.second / self.rate,
            third: f64::INFINITY,
        };
        Mg1 { utilisation: self.load, service }.mean_wait()
    }
}

/// The team that owns a service.
pub fn owner(spec: &IncidentResponse, service: u32) -> u32 {
    match spec.teams.own {
        Own::Neighbours => {
            (u64::from(service) * u64::from(spec.teams.count) / u64::from(spec.services)) as u32
        }
        Own::Scattered => service % spec.teams.count,
    }
}

/// Whom a repair concerns that begins at this service: teams, and how many services of each; in the order in which the chain meets them.
pub fn concerned(spec: &IncidentResponse, severity: &Severity, first: u32) -> Vec<(u32, u32)> {
    let mut places = vec![None; spec.teams.count as usize];
    let mut teams: Vec<(u32, u32)> = Vec::new();
    for place in 0..severity.touches {
        let team = owner(spec, (first + place) % spec.services);
        let known = places[team as usize].get_or_insert(teams.len());
        match teams.get_mut(*known) {
            Some((_, services)) => *services += 1,
            None => teams.push((team, 1)),
        }
    }
    teams
}

/// How long is talked in one repair, by so many teams and whoever was paged.
pub fn talk(spec: &IncidentResponse, severity: &Severity, teams: u32) -> SimDuration {
    let people = u64::from(teams) + 1;
    let conversations = match spec.command {
        Command::Commander => people - 1,
        Command::Everybody => people * (people - 1) / 2,
    };
    spec.talk.saturating_mul(conversations.saturating_mul(severity.decisions.into()))
}

/// The work of each team.
pub fn loads(spec: &IncidentResponse) -> Vec<TeamLoad> {
    let mut loads = vec![TeamLoad::default(); spec.teams.count as usize];
    for severity in spec.severities.values() {
        let rate = 1.0 / severity.every.as_nanos() as f64 / f64::from(spec.services);
        let (mean, variance) = (severity.repair.nanos.mean(), severity.repair.nanos.variance());
        for first in 0..spec.services {
            let teams = concerned(spec, severity, first);
            let talk = talk(spec, severity, teams.len() as u32).as_nanos() as f64;
            for (team, services) in teams {
                let load = &mut loads[team as usize];
                let takes = f64::from(services) * mean + talk;
                load.rate += rate;
                load.load += rate * takes;
                load.second += rate * (takes * takes + f64::from(services) * variance);
            }
        }
    }
    loads
}

/// What is so for an incident on average: its teams, and how long is talked, in nanoseconds.
pub fn per_incident(spec: &IncidentResponse) -> [f64; 2] {
    let (mut all, mut sums) = (0.0, [0.0; 2]);
    for severity in spec.severities.values() {
        let rate = 1.0 / severity.every.as_nanos() as f64 / f64::from(spec.services);
        for first in 0..spec.services {
            let teams = concerned(spec, severity, first).len() as u32;
            let talk = talk(spec, severity, teams).as_nanos() as f64;
            all += rate;
            sums = [sums[0] + rate * f64::from(teams), sums[1] + rate * talk];
        }
    }
    sums.map(|sum| sum / all)
}

/// Incidents per nanosecond.
pub fn rate(spec: &IncidentResponse) -> f64 {
    spec.severities.values().map(|severity| 1.0 / severity.every.as_nanos() as f64).sum()
}

/// Over the hours of a week.
pub fn by_hour(spec: &IncidentResponse, of: impl Fn(Hour) -> f64) -> f64 {
    let shares = Calendar::new(spec).shares();
    Hour::ALL.into_iter().map(|hour| shares[hour as usize] * of(hour)).sum()
}

/// The mean wait of a repair for a team, where each team is M/G/1: nothing depends on the hour, and hand-overs cost nothing.
pub fn team_wait(spec: &IncidentResponse) -> Option<f64> {
    let loads = loads(spec);
    let known = spec.paging.is_alike()
        && Calendar::new(spec).hand_over_is_free()
        && loads.iter().all(|team| team.load < 1.0 && team.second.is_finite());
    let repairs: f64 = loads.iter().map(|team| team.rate).sum();
    known.then(|| loads.iter().map(|team| team.rate * team.wait()).sum::<f64>() / repairs)
}

/// The mean load of the teams, where hand-overs cost nothing.
pub fn team_load(spec: &IncidentResponse) -> Option<f64> {
    let loads = loads(spec);
    let known = Calendar::new(spec).hand_over_is_free() && loads.iter().all(|team| team.load < 1.0);
    known.then(|| loads.iter().map(|team| team.load).sum::<f64>() / loads.len() as f64)
}

/// The mean until an incident is noticed, where the faster of two is known: both are exponential.
pub fn detected(spec: &IncidentResponse) -> Option<f64> {
    let mut sum = 0.0;
    for severity in spec.severities.values() {
        let users = severity.users.nanos.mean();
        let seen = match severity.monitored {
            0.0 => 0.0,
            _ if !severity.alarm.is_exponential() || !severity.users.is_exponential() => return None,
            _ => 1.0 / (1.0 / severity.alarm.nanos.mean() + 1.0 / users),
        };
        let mean = severity.monitored * seen + (1.0 - severity.monitored) * users;
        sum += mean / severity.every.as_nanos() as f64;
    }
    Some(sum / rate(spec))
}

/// What `explain` says in sentences.
pub fn notes(spec: &IncidentResponse) -> Vec<String> {
    let brief = |nanos: f64| SimDuration::from_nanos_f64(nanos).brief();
    let [teams, talk] = per_incident(spec);
    let every = 1.0 / rate(spec);
    let shift = 12.0 * 3.6e12 / every;
    let mut notes = vec![
        format!(
            "an incident every {}: {shift:.1} in twelve hours, of which Google allows two to whoever is on call (Site Reliability Engineering, chapter 11)",
            brief(every)
        ),
        format!("one concerns {teams:.1} teams, who talk for {} before all is decided", brief(talk)),
    ];
    let most = loads(spec).into_iter().map(|team| team.load).fold(0.0, f64::max);
    notes.push(match most < 1.0 {
        true => format!("the team with the most work is at it for {} of the time, hand-overs not counted", percent(most)),
        false => format!("the team with the most work gets {most:.2} of what it can do: what waits for it grows without end"),
    });
    if let Some(wait) = team_wait(spec) {
        notes.push(format!("a repair waits for a team for {} on average (M/G/1)", brief(wait)));
    }
    notes
}

/// What `explain` shows.
pub fn tables(spec: &IncidentResponse) -> Vec<Table> {
    let shares = Calendar::new(spec).shares();
    let rows = Hour::ALL.into_iter().filter(|hour| shares[*hour as usize] > 0.0).map(|hour| {
        let law = spec.paging.law(hour);
        vec![hour.name().into(), shares[hour as usize].into(), law.mean.into(), law.escalated.into()]
    });
    let hours = Table {
        title: "whoever has the pager".into(),
        columns: ["is", "of the time", "mean until acknowledged", "escalated"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "share", "ns", "share"].map(String::from).to_vec(),
        note: String::new(),
    };
    let rows = (1..=spec.teams.count.min(8)).map(|teams| {
        let of = |command| {
            let spec = IncidentResponse { command, ..spec.clone() };
            let longest =
                spec.severities.values().map(|severity| talk(&spec, severity, teams).as_nanos()).max();
            Cell::Number(longest.unwrap_or(0) as f64)
        };
        vec![u64::from(teams).into(), of(Command::Commander), of(Command::Everybody)]
    });
    let talks = Table {
        title: "talk in a repair".into(),
        columns: ["teams", "with a commander", "each with each"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "ns", "ns"].map(String::from).to_vec(),
        note: "of the severity in which most is decided".into(),
    };
    vec![hours, talks]
}
