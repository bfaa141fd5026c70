//! What replicas and callers do about a directory: they say that they are there, ask, and choose by what they have heard.

use super::directory::{Due, Task};
use super::{Directories, Directory, Found};
use crate::service_graph::control::Control;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use sim_core::{Class, Key, SimTime};

impl<L> Graph<L> {
    fn directory(&mut self, control: u32) -> &mut Directory {
        match &mut self.controls[control as usize] {
            Control::Directory(directory) => directory,
            _ => unreachable!("it is one"),
        }
    }

    /// Whether a replica is up, and not on its way out.
    fn is_to_be_found(&self, service: u32, replica: u32) -> bool {
        let it = &self.services[service as usize];
        let is_in = it.membership.as_ref().is_none_or(|it| it.members[replica as usize].is_in());
        is_in && it.replicas[replica as usize].down == 0
    }

    /// Whether whoever is concerned can say or ask anything.
    fn is_up(&mut self, control: u32, due: Due) -> bool {
        let directory = self.directory(control);
        let (service, one) = match due {
            Due::Beat(replica) => (Some(directory.service), replica),
            Due::Look(list) | Due::Age(list) => {
                let (group, caller) = directory.whose(list);
                (group.service, caller)
            }
        };
        match (service, due) {
            (Some(service), Due::Beat(_)) => self.is_to_be_found(service, one),
            (Some(service), _) => self.services[service as usize].replicas[one as usize].down == 0,
            (None, _) => true,
        }
    }

    fn schedule_due(&mut self, control: u32, due: Due, at: SimTime, ctx: &mut Ctx) {
        let of = self.directory(control).of(due);
        let timer = ctx.schedule(at, Class::Begin, Event::Look { control, of });
        if let Some(before) = self.directory(control).will_be_due(due, Some(timer)) {
            ctx.cancel(before);
        }
    }

    /// Something may be otherwise about whether a replica can be called.
    #[cold]
    pub fn may_be_found(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let own = self.services[service as usize].directories.as_ref().and_then(|it| it.own);
        let Some(control) = own else { return };
        let is = self.is_to_be_found(service, replica);
        let directory = self.directory(control);
        if directory.ledger.is_there(replica, is, ctx.now()) && is {
            directory.stays(replica);
            if directory.beats.is_some() {
                self.schedule_due(control, Due::Beat(replica), ctx.now(), ctx);
            }
        }
    }

    /// A replica is told to go: it takes its name back.
    #[cold]
    pub fn takes_its_name_back(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let own = self.services[service as usize].directories.as_ref().and_then(|it| it.own);
        let Some(control) = own else { return };
        if self.directory(control).leaves(replica) {
            self.schedule_due(control, Due::Beat(replica), ctx.now(), ctx);
        }
    }

    fn looked_at(&self, service: u32) -> Vec<(u32, u32)> {
        self.services[service as usize].directories.as_ref().map_or(Vec::new(), |it| it.looked_at.clone())
    }

    /// A replica has just started: it knows nobody, and asks.
    #[cold]
    pub fn looks_around(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        for (control, group) in self.looked_at(service) {
            let list = self.directory(control).groups[group as usize].first + replica;
            self.schedule_due(control, Due::Look(list), ctx.now(), ctx);
        }
    }

    /// A replica crashes, and what it has heard is lost.
    #[cold]
    pub fn forgets_whom_it_knew(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        for (control, group) in self.looked_at(service) {
            let list = self.directory(control).groups[group as usize].first + replica;
            if let Some(timer) = self.directory(control).forgets(list, ctx.now()) {
                ctx.cancel(timer);
            }
            self.goes_by(control, list, &[], false, ctx.now());
        }
    }

    /// Who would be named by whoever is asked now.
    fn named(&mut self, control: u32, now: SimTime) -> Vec<u32> {
        let directory = self.directory(control);
        let service = directory.service;
        let listed = directory.entries.as_mut().map(|entries| entries.listed(now));
        let members = self.services[service as usize].membership.as_ref().expect("they may be missing");
        match listed {
            // Who is ill is told to a registry, too, by whoever checks.
            Some(listed) => listed.into_iter().filter(|it| !members.members[*it as usize].is_ill()).collect(),
            None => members.may_be_chosen().collect(),
        }
    }

    /// From now on a caller chooses among these.
    fn goes_by(&mut self, control: u32, list: u32, names: &[u32], had_one: bool, now: SimTime) {
        let directory = self.directory(control);
        let (group, caller) = directory.whose(list);
        for edge in group.of.clone() {
            let Some(view) = self.clients[edge as usize].heard.get_mut(caller as usize) else { continue };
            let new: Vec<u32> = names.iter().copied().filter(|name| !view.contains(*name)).collect();
            view.belong(names.iter().copied());
            view.change(names.iter().copied());
            new.into_iter().filter(|_| had_one).for_each(|name| view.joins(name, now));
        }
        // Who meets which version is by what they have heard.
        let service = self.directory(control).service;
        self.is_met_otherwise(service, list, now);
    }
}

impl<L> Graph<L> {
    /// Callers choose among those of whom they have heard, and among nobody else.
    pub fn check_directories(&self) {
        for control in &self.controls {
            let Control::Directory(directory) = control else { continue };
            for group in &directory.groups {
                let heard =
                    group.of.iter().flat_map(|edge| self.clients[*edge as usize].heard.iter().enumerate());
                for (caller, view) in heard {
                    let list = group.first as usize + caller;
                    let same = |replica| view.contains(replica) == directory.ledger.names(list, replica);
                    let name = &self.services[directory.service as usize].name;
                    assert!((0..view.of()).all(same), "what caller {caller} has heard of {name}");
                }
            }
        }
    }
}

impl Found {
    /// An attempt is sent by what its caller has heard, to a replica that is down or is not.
    #[cold]
    #[inline(never)]
    pub fn sent(self, controls: &mut [Control], client: u32, is_gone: bool, now: SimTime) {
        let Control::Directory(directory) = &mut controls[self.control as usize] else {
            unreachable!("it is one")
        };
        // Who has no list sends nothing.
        let age = directory.heard(self.first + client).map(|heard| now.since(heard)).unwrap_or_default();
        directory.ledger.sent(age, is_gone);
    }
}

impl<L: Listen> Graph<L> {
    /// A directory looks at whoever is due.
    #[cold]
    pub fn directory_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let due = self.directory(control).due(of);
        let is_up = self.is_up(control, due);
        match self.directory(control).is_due(due, is_up, ctx.now()) {
            Task::Nothing => {}
            Task::Calls { edge, client, ordinal, again } => {
                if let Some(again) = again {
                    self.schedule_due(control, due, ctx.now() + again, ctx);
                }
                let key = Key::root(self.edges[edge as usize].path, client.into()).child(ordinal);
                self.begin_call(edge, client, Parent::Check { control }, key, ctx);
            }
            Task::Drops { list } => {
                self.goes_by(control, list, &[], false, ctx.now());
                let soon = self.directory(control).soon();
                self.schedule_due(control, Due::Look(list), ctx.now() + soon, ctx);
            }
        }
    }

    /// What was said over this edge was heard, or was not; what was asked was answered, or was not.
    #[cold]
    pub fn directory_hears(
        &mut self,
        control: u32,
        (edge, client): (u32, u32),
        is_well: bool,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let directory = self.directory(control);
        let service = directory.service;
        if directory.beats.as_ref().is_some_and(|beats| beats.edge == edge) {
            let goes = !self.stays(service, client);
            return self.directory(control).was_said((client, goes), is_well, now);
        }
        let group = directory.groups.iter().find(|group| group.edge == edge).expect("whoever asks is of one");
        let list = group.first + client;
        if !self.is_up(control, Due::Look(list)) {
            return;
        }
        let again = if is_well {
            let names = self.named(control, now);
            let had_one = self.directory(control).heard(list).is_some();
            let again = self.directory(control).is_told(list, &names, now);
            self.goes_by(control, list, &names, had_one, now);
            again
        } else {
            let (again, old) = self.directory(control).is_not_told(list, now);
            if let Some(old) = old {
                self.schedule_due(control, Due::Age(list), old, ctx);
            }
            again
        };
        if let Some(again) = again {
            self.schedule_due(control, Due::Look(list), now + again, ctx);
        }
    }
}

/// Tells services and edges of the directories that they have to do with.
pub fn assign(controls: &[Control], services: &mut [Service], edges: &mut [Edge]) {
    for (number, control) in (0..).zip(controls) {
        let Control::Directory(directory) = control else { continue };
        services[directory.service as usize].directories.get_or_insert_default().own = Some(number);
        for (of, group) in (0..).zip(&directory.groups) {
            if let Some(service) = group.service {
                let its: &mut Directories = services[service as usize].directories.get_or_insert_default();
                its.looked_at.push((number, of));
            }
            for edge in group.sent.iter() {
                edges[*edge as usize].found = Some(Found { control: number, first: group.first });
            }
        }
    }
}
