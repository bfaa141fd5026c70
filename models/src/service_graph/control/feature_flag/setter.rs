//! Whoever switches a flag on and off, and what is told of it.

use super::{By, FeatureFlag, Runs};
use crate::report::Section;
use crate::service_graph::control::Control;
use crate::service_graph::control::switch::{self, Switch, Words};
use crate::service_graph::control::versions::{Seen, Versions};
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
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
    switch: Switch,
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
            replicas,
            zones,
            all_zones,
            switch: Switch::new(says.switched()),
            says: says.clone(),
        }
    }

    /// When each stage begins, by its number.
    pub fn first_looks(&self) -> Vec<(u32, SimTime)> {
        self.switch.first_looks()
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
        let on = (self.switch.share() * f64::from(of) - 1e-9).ceil() as u32;
        runs && place < on && number + self.says.missed < self.replicas
    }

    /// A window is over.
    pub fn close_window(&mut self, seen: [Seen; 2]) {
        self.switch.close_window(seen);
    }

    /// What is told of it.
    pub fn section(&self, name: &str, sides: &Versions) -> Section {
        self.switch.section(declared(name, &self.says), sides.measured(), self.says.is_sound())
    }
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str, flag: &FeatureFlag) -> Section {
    let words = Words {
        requests: "requests that replicas answered or turned away on which it acts",
        share_of_requests: "of all requests that any did",
        failed: "of these, those that they failed or turned away",
        error_rate: "the share of their requests that that is",
        error_rate_without: "and of the replicas on which it does not act",
        time_to_detect: "from when it acted first until it was switched off",
        false_kills: "1 if it was, though it does no harm",
        with: "Share of the requests in each window that came to replicas on which it acts.",
    };
    switch::declared(Section::new("feature_flag", at), flag.analysis.is_some(), &words)
}

impl<L: Listen> Graph<L> {
    /// It looks.
    pub fn setter_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let Control::FeatureFlag(setter) = &mut self.controls[control as usize] else {
            unreachable!("it switches")
        };
        let service = setter.service;
        let figures = setter.switch.figures();
        if of == figures {
            let seen = self.services[service as usize].flagged.as_ref().expect("it is counted").seen();
            let next = setter.switch.looks(seen, now);
            if let Some((of, at)) = next {
                ctx.schedule_at(at, Event::Look { control, of });
            }
            return;
        }
        if !setter.switch.turns(of, now) {
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
        if let Some(first) = Some(acts).filter(|acts| *acts).and_then(|_| setter.switch.begins_to_look(now)) {
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
            assert!(setter.switch.turns(0, SimTime::from_secs(1)));
            let acts = |setter: &Setter| -> String {
                (0..8).map(|replica| if setter.acts(replica, replica % 2 == 1) { 'o' } else { '-' }).collect()
            };
            assert_eq!(acts(&setter), on, "{text} {share}");
            assert!(setter.switch.turns(2, SimTime::from_secs(3)), "off everywhere");
            assert_eq!(acts(&setter), "--------", "{text} {share}");
        }
    }
}
