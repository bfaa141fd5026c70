//! What whoever rolls a version out decides, done: by the verbs of a replica.

use super::roller::{Action, Roller, Sight};
use crate::service_graph::control::Control;
use crate::service_graph::control::versions::Seen;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use sim_core::{Class, SimTime};

/// What it looks at: whether to begin, how far it is, what the new version did, and whether to take it back by hand.
pub const BEGIN: u32 = 0;
const AGAIN: u32 = 1;
const FIGURES: u32 = 2;
pub const UNDO: u32 = 3;

impl<L> Graph<L> {
    /// One who calls a service chooses by another list, or those on it are others: which share of what he meets runs the new version.
    #[cold]
    pub fn is_met_otherwise(&mut self, service: u32, list: u32, now: SimTime) {
        let of = &self.services[service as usize];
        let Some(control) = of.membership.as_ref().and_then(|it| it.roller) else { return };
        let Some(own) = of.directories.as_ref().and_then(|it| it.own) else { return };
        let Control::Directory(directory) = &self.controls[own as usize] else { unreachable!("it is one") };
        let versions = of.versions.as_ref().expect("it has versions");
        let share = directory.ledger.share(list as usize, |replica| versions.is_new(replica));
        let lists = directory.lists.len();
        let Control::Rollout(roller) = &mut self.controls[control as usize] else {
            unreachable!("it rolls out")
        };
        roller.told.meets((list as usize, lists), share, now);
    }
}

impl<L: Listen> Graph<L> {
    fn roller(&mut self, control: u32) -> &mut Roller {
        let Control::Rollout(roller) = &mut self.controls[control as usize] else {
            unreachable!("it rolls out")
        };
        roller
    }

    /// It looks.
    pub fn roller_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        match of {
            BEGIN => {
                self.sees_replicas(control, now);
                self.roller(control).begins(now);
            }
            AGAIN => self.roller(control).timer = None,
            UNDO => {
                self.sees_replicas(control, now);
                self.roller(control).is_undone_by_hand(now);
            }
            _ => {
                debug_assert!(of == FIGURES);
                let seen = self.seen_of_versions(control);
                let (again, is_bad) = self.roller(control).looks(seen, now);
                if let Some(again) = again {
                    ctx.schedule_at(again, Event::Look { control, of });
                }
                if is_bad {
                    self.sees_replicas(control, now);
                    self.roller(control).is_taken_back(now);
                }
            }
        }
        self.rolls_on(control, ctx);
    }

    /// Somebody wants another number of replicas of a service whose versions change.
    pub fn rolls_to(&mut self, control: u32, desired: u32, ctx: &mut Ctx) {
        self.roller(control).desires(desired);
        self.rolls_on(control, ctx);
    }

    /// All that can be done now is done.
    pub fn rolls_on(&mut self, control: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let until = loop {
            self.sees_replicas(control, now);
            match self.roller(control).decides(now) {
                Action::Wait { until } => break until,
                action => self.does(control, action, ctx),
            }
        };
        let roller = self.roller(control);
        let first = roller.begins_to_look(now);
        if let Some(timer) = roller.timer.take() {
            ctx.cancel(timer);
        }
        roller.timer = until.map(|at| ctx.schedule(at, Class::Change, Event::Look { control, of: AGAIN }));
        if let Some(first) = first {
            ctx.schedule_at(first, Event::Look { control, of: FIGURES });
        }
    }

    fn sees_replicas(&mut self, control: u32, now: SimTime) {
        let Control::Rollout(roller) = &mut self.controls[control as usize] else {
            unreachable!("it rolls out")
        };
        let service = &self.services[roller.service as usize];
        let members = service.membership.as_ref().expect("they come and go").members.iter();
        let sights = members.zip(&service.replicas).map(|(member, replica)| Sight {
            gone: member.is_gone(),
            ready: member.is_ready() && replica.down == 0,
        });
        roller.sees(sights, now);
        let lists = service.directories.as_ref().and_then(|it| it.own).map(|own| {
            match &self.controls[own as usize] {
                Control::Directory(directory) => directory.lists.len() as u32,
                _ => unreachable!("it is one"),
            }
        });
        let service = self.roller(control).service;
        (0..lists.unwrap_or(0)).for_each(|list| self.is_met_otherwise(service, list, now));
    }

    fn seen_of_versions(&mut self, control: u32) -> [Seen; 2] {
        let service = self.roller(control).service as usize;
        self.services[service].versions.as_ref().expect("it has versions").seen()
    }

    fn does(&mut self, control: u32, action: Action, ctx: &mut Ctx) {
        let roller = self.roller(control);
        let (service, grace) = (roller.service, (roller.says.linger, roller.says.grace));
        match action {
            Action::Start { slot, new, aside } => {
                let never_starts = new && !roller.says.to.ready;
                let burden = roller.says.to.burden();
                let of = &mut self.services[service as usize];
                if of.bears(|it| it.versions.as_mut().expect("it has versions"), slot, (burden, new)) {
                    of.leaking.iter_mut().for_each(|leaking| leaking.runs(slot, new));
                    self.version_is_another(service, slot);
                }
                self.change_member(service, slot, ctx.now(), |member| {
                    (member.aside, member.never_starts) = (aside, never_starts);
                });
                self.want(service, slot, true, grace, ctx);
            }
            Action::Stop { slot } => {
                self.want(service, slot, false, grace, ctx);
                self.forget(service, slot, ctx);
            }
            Action::Show { slot, aside } => {
                self.change_member(service, slot, ctx.now(), |member| member.aside = aside);
                self.services[service as usize].note_free(slot);
                if !aside {
                    self.takes_from_all(service, slot, ctx);
                }
            }
            Action::Wait { .. } => {}
        }
    }
}
