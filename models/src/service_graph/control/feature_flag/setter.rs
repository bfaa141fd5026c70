//! Whoever switches a flag on and off, and what is told of it.

use super::{By, FeatureFlag, Runs};
use crate::report::{Better, Change, Section, Unit, Value};
use crate::service_graph::control::Control;
use crate::service_graph::control::analysis::{Measured, Next};
use crate::service_graph::control::versions::{Seen, Versions};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use crate::words::percent;
use sim_core::SimTime;

/// Whoever switches the flag of one service.
#[derive(Clone, Debug)]
pub struct Setter {
    /// Which service.
    pub service: u32,
    says: FeatureFlag,
    replicas: u32,
    /// In which zone each replica stands, of how many.
    zones: Box<[u32]>,
    all_zones: u32,
    /// For which share it is on.
    share: f64,
    /// Its analysis looks; or has done so.
    looks: bool,
    base: Option<[Seen; 2]>,
    measured: Measured,
    first: Option<SimTime>,
    killed: Option<SimTime>,
    is_off: bool,
    changes: Vec<Change>,
    /// Requests of all, and of those for whom it is on, when the window began.
    window: [u64; 2],
    line: Vec<f64>,
}

impl Setter {
    /// One that has switched nothing on yet, of a service that begins with so many replicas of as many as there is room for; and where each stands.
    pub fn new(
        says: &FeatureFlag,
        service: u32,
        (replicas, room): (u32, u32),
        zones: impl Fn(u32) -> u32,
    ) -> Self {
        let zones: Box<[u32]> = (0..room).map(zones).collect();
        let all_zones = zones.iter().max().map_or(1, |last| last + 1);
        Setter {
            service,
            says: says.clone(),
            replicas,
            zones,
            all_zones,
            share: 0.0,
            looks: false,
            base: None,
            measured: Measured::default(),
            first: None,
            killed: None,
            is_off: false,
            changes: Vec::new(),
            window: [0; 2],
            line: Vec::new(),
        }
    }

    /// When each stage begins, by its number.
    pub fn first_looks(&self) -> Vec<(u32, SimTime)> {
        (0..).zip(&self.says.stages).map(|(number, stage)| (number, stage.at)).collect()
    }

    /// What it looks at after its stages: figures, and that it is off everywhere.
    fn figures(&self) -> u32 {
        self.says.stages.len() as u32
    }

    /// Whether a replica has it, which runs the new version or not. Those that come later are like those whose places they have in turn.
    pub fn acts(&self, replica: u32, is_new: bool) -> bool {
        let number = replica % self.replicas;
        let (place, of) = match self.says.by {
            By::Replica => (number, self.replicas),
            By::Zone => (self.zones[replica as usize], self.all_zones),
        };
        let runs = match self.says.only {
            None => true,
            Some(Runs::Old) => !is_new,
            Some(Runs::New) => is_new,
        };
        // What is off by a rounding error is not one more.
        let on = (self.share * f64::from(of) - 1e-9).ceil() as u32;
        !self.is_off && runs && place < on && number + self.says.missed < self.replicas
    }

    fn changes(&mut self, to: String, now: SimTime) {
        let from = self.changes.last().map_or_else(|| "off".to_owned(), |last| last.to.to_string());
        if from != to {
            self.changes.push(Change {
                at: now.as_nanos(),
                of: None,
                replica: None,
                from: from.into(),
                to: to.into(),
            });
        }
    }

    /// A stage begins: whether it does, which nothing does that was switched off.
    fn begins(&mut self, stage: u32, now: SimTime) -> bool {
        if self.killed.is_some() {
            return false;
        }
        self.share = self.says.stages[stage as usize].share;
        self.changes(format!("on for {}", percent(self.share)), now);
        true
    }

    /// It acts somewhere now: when its analysis looks first, if it is to begin.
    fn begins_to_look(&mut self, now: SimTime) -> Option<SimTime> {
        self.first.get_or_insert(now);
        let analysis = self.says.analysis.as_ref().filter(|_| !self.looks)?;
        self.looks = true;
        Some(now + analysis.initial_delay)
    }

    /// It looks at what those without it and those with it did from the beginning: when it does so again, or when it is off everywhere.
    fn looks(&mut self, seen: [Seen; 2], now: SimTime) -> Option<(u32, SimTime)> {
        let analysis = self.says.analysis.as_ref()?;
        let again = (self.figures(), now + analysis.interval);
        let Some(base) = self.base.replace(seen) else { return Some(again) };
        let [without, with] = [0, 1].map(|side| seen[side].since(base[side]));
        match analysis.counts(&mut self.measured, analysis.measures(with, without)) {
            Next::GoOn => Some(again),
            Next::Accepted => None,
            Next::Abort => {
                self.killed = Some(now);
                self.changes("killed".into(), now);
                Some((self.figures() + 1, now + self.says.kill_takes))
            }
        }
    }

    /// A window is over.
    pub fn close_window(&mut self, seen: [Seen; 2]) {
        let counts = [seen[0].requests + seen[1].requests, seen[1].requests];
        let before = std::mem::replace(&mut self.window, counts);
        let [all, with] = [0, 1].map(|side| (counts[side] - before[side]) as f64);
        self.line.push(if all > 0.0 { with / all } else { 0.0 });
    }

    /// What is told of it.
    pub fn section(&self, name: &str, sides: &Versions) -> Section {
        let mut section = declared(name, &self.says);
        let [without, with] = sides.measured();
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let yes = |is: bool| f64::from(u8::from(is));
        section.set("requests", with.requests as f64);
        section.set("share_of_requests", share(with.requests, with.requests + without.requests));
        section.set("failed", with.failed as f64);
        section.set("error_rate", share(with.failed, with.requests));
        section.set("error_rate_without", share(without.failed, without.requests));
        let detected = self.killed.zip(self.first).map(|(killed, first)| killed.since(first));
        section.set("time_to_detect", detected.map(|time| time.as_nanos() as f64));
        section.set("killed", yes(self.killed.is_some()));
        section.set("false_kills", yes(self.killed.is_some() && self.says.is_sound()));
        if self.says.analysis.is_some() {
            section.set("measurements", f64::from(self.measured.passed + self.measured.failed));
            section.set("measurements_failed", f64::from(self.measured.failed));
            section.set("measurements_inconclusive", f64::from(self.measured.inconclusive));
        }
        section.draw("with", self.line.clone());
        Section { changes: self.changes.clone(), ..section }
    }
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str, flag: &FeatureFlag) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let share = |about: &str| Value::new(Unit::Share, about);
    let section = Section::new("feature_flag", at)
        .value("requests", plain("requests that replicas answered or turned away on which it acts"))
        .value("share_of_requests", share("of all requests that any did"))
        .value(
            "failed",
            plain("of these, those that they failed or turned away").better(Better::Less).headline(),
        )
        .value("error_rate", share("the share of their requests that that is").better(Better::Less))
        .value("error_rate_without", share("and of the replicas on which it does not act"))
        .value(
            "time_to_detect",
            Value::new(Unit::Duration, "from when it acted first until it was switched off")
                .better(Better::Less)
                .headline(),
        )
        .value("killed", plain("1 if it was switched off"))
        .value("false_kills", plain("1 if it was, though it does no harm").better(Better::Less));
    let section = match flag.analysis {
        None => section,
        Some(_) => section
            .value("measurements", plain("measurements of those with it that said something"))
            .value("measurements_failed", plain("of these, those that failed"))
            .value("measurements_inconclusive", plain("and those that saw too few requests to say anything")),
    };
    section
        .line(
            "with",
            Unit::Share,
            "Share of the requests in each window that came to replicas on which it acts.",
        )
        .up_to(Some(1.0))
}

impl<L: Listen> Graph<L> {
    /// It looks.
    pub fn setter_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let Control::FeatureFlag(setter) = &mut self.controls[control as usize] else {
            unreachable!("it switches")
        };
        let service = setter.service;
        let figures = setter.figures();
        if of == figures {
            let seen = self.services[service as usize].flagged.as_ref().expect("it is counted").seen();
            let next = setter.looks(seen, now);
            if let Some((of, at)) = next {
                ctx.schedule_at(at, Event::Look { control, of });
            }
            return;
        }
        if of > figures {
            setter.is_off = true;
            setter.changes("off".into(), now);
        } else if !setter.begins(of, now) {
            return;
        }
        let all = self.services[service as usize].replicas.len() as u32;
        (0..all).for_each(|replica| self.settles(control, replica));
        let acts = (0..all).any(|replica| {
            self.services[service as usize].flagged.as_ref().is_some_and(|it| it.is_new(replica))
        });
        let Control::FeatureFlag(setter) = &mut self.controls[control as usize] else {
            unreachable!("it switches")
        };
        if let Some(first) = Some(acts).filter(|acts| *acts).and_then(|_| setter.begins_to_look(now)) {
            ctx.schedule_at(first, Event::Look { control, of: figures });
        }
    }

    /// A replica runs another version: what flags do there may be otherwise.
    #[cold]
    pub fn version_is_another(&mut self, service: u32, replica: u32) {
        let of_it = |it: &Control| matches!(it, Control::FeatureFlag(setter) if setter.service == service);
        if let Some(control) = self.controls.iter().position(of_it) {
            self.settles(control as u32, replica);
        }
    }

    /// What the flag does is upon a replica where it acts, and nowhere else.
    fn settles(&mut self, control: u32, replica: u32) {
        let Control::FeatureFlag(setter) = &self.controls[control as usize] else {
            unreachable!("it switches")
        };
        let (burden, service) = (setter.says.burden(), &mut self.services[setter.service as usize]);
        let is_new = service.versions.as_ref().is_some_and(|versions| versions.is_new(replica));
        let acts = setter.acts(replica, is_new);
        service.bears(|it| it.flagged.as_mut().expect("it is counted"), replica, (burden, acts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// For which of eight it is on, of which two stand in each of four zones, and of which the odd ones run the new version.
    #[test]
    fn for_whom_it_is_on() {
        for (text, share, on) in [
            ("", 0.0, "--------"),
            ("", 0.01, "o-------"),
            ("", 0.5, "oooo----"),
            ("", 1.0, "oooooooo"),
            ("missed: 1", 1.0, "ooooooo-"),
            ("by: Zone", 0.25, "o---o---"),
            ("by: Zone", 0.3, "oo--oo--"),
            ("only: Old", 1.0, "o-o-o-o-"),
            ("only: New", 0.5, "-o-o----"),
            ("only: New, missed: 1", 1.0, "-o-o-o--"),
        ] {
            let flag = read::<FeatureFlag>(&format!(r#"(stages: [(at: "1s", share: {share})], {text})"#))
                .expect("sound")
                .0;
            let mut setter = Setter::new(&flag, 0, (8, 8), |replica| replica % 4);
            assert!((0..8).all(|replica| !setter.acts(replica, replica % 2 == 1)), "before it begins");
            assert!(setter.begins(0, SimTime::from_secs(1)));
            let acts = |setter: &Setter| -> String {
                (0..8).map(|replica| if setter.acts(replica, replica % 2 == 1) { 'o' } else { '-' }).collect()
            };
            assert_eq!(acts(&setter), on, "{text} {share}");
            (setter.killed, setter.is_off) = (Some(SimTime::from_secs(2)), true);
            assert_eq!(acts(&setter), "--------", "{text} {share}");
            assert!(!setter.begins(0, SimTime::from_secs(3)), "what was switched off stays so");
        }
    }
}
