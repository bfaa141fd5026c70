//! What looks at a system while it runs, and changes it: who may be chosen, and who is up.
//!
//! Each has one file, keeps what it knows of each replica, and decides when it [looks](Event::Look) or hears of something. What it
//! decides is done here and in [`membership`], by the verbs of a replica: it crashes, restarts, is taken out of the views of its
//! callers or let in.

pub mod check;
pub mod health;
pub mod membership;
pub mod reports;
pub mod start_up;

use super::follow::Listen;
use super::plan::{Caller, Plan};
use super::spec::GraphSpec;
use super::state::*;
use super::witness as kind;
use crate::policy::Outcome;
use crate::report::Section;
use check::Asks;
use health::Checker;
use reports::Reports;
use sim_core::{Key, SimTime, StreamUse, Streams};

/// Whoever looks at one service.
#[derive(Clone)]
pub enum Control {
    /// At what becomes of a replica that starts, or leaves.
    Members { service: u32 },
    /// At whether each replica answers.
    Health(Box<Checker>),
    /// What all of them have in hand, for the clients of an edge.
    Reports(Reports),
}

/// What they will tell of one service: nothing measured yet.
pub fn declared(spec: &GraphSpec, name: &str) -> Vec<Section> {
    let service = spec.services.get(name).expect("a service of the graph");
    let checks = service.checked().map(|_| health::declared(name));
    checks.into_iter().chain(membership::moves(spec, name).then(|| membership::declared(name))).collect()
}

/// All of a graph: those that move members first, by service, then the others.
pub fn build(plan: &Plan, streams: &Streams) -> Vec<Control> {
    let services = plan.spec.services.iter().enumerate();
    let members = services
        .filter(|(_, (name, _))| membership::moves(plan.spec, name))
        .map(|(number, _)| Control::Members { service: number as u32 });
    let checks = plan.edges.iter().enumerate().filter_map(|(number, edge)| {
        let Caller::Checks(service) = edge.caller else { return None };
        let health = plan.spec.service(service as usize).checked()?;
        let replicas = plan.spec.service(service as usize).replicas;
        let luck = streams.luck("check", &edge.name);
        Some(Control::Health(Box::new(Checker::new(health, (service, number as u32), replicas, luck))))
    });
    let reports = plan.edges.iter().enumerate().filter(|(number, edge)| edge.clients_of == *number);
    let reports = reports.filter_map(|(number, edge)| {
        let every = edge.policy.hears_every().filter(|_| edge.choices > 1)?;
        Some(Control::Reports(Reports {
            service: edge.callee as u32,
            edge: number as u32,
            every,
            clients: plan.clients(edge),
            luck: streams.luck("reports", &edge.name),
        }))
    });
    members.chain(checks).chain(reports).collect()
}

/// Which of them moves the members of this service, if any does.
pub fn of_members(plan: &Plan, service: usize) -> Option<u32> {
    let names = plan.spec.services.names().take(service + 1);
    let moving: Vec<bool> = names.map(|name| membership::moves(plan.spec, name)).collect();
    let before = moving[..service].iter().filter(|it| **it).count();
    moving[service].then_some(before as u32)
}

impl<L: Listen> Graph<L> {
    /// They begin to look.
    pub fn begin_controls(&mut self, ctx: &mut Ctx) {
        for (control, it) in (0..).zip(&mut self.controls) {
            let first = match it {
                Control::Members { .. } => Vec::new(),
                Control::Health(checker) => checker.first_looks(),
                Control::Reports(reports) => reports.first_looks(),
            };
            for (of, at) in (0..).zip(first) {
                ctx.schedule_at(at, Event::Look { control, of });
            }
        }
    }

    /// One of them looks at one of the replicas.
    pub fn look(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let service = self.controls[control as usize].service();
        ctx.witness(kind::LOOK, 0, 0, self.services[service as usize].path, u64::from(of), control.into());
        match &mut self.controls[control as usize] {
            Control::Members { service } => {
                let service = *service;
                self.stage_is_over(service, of, ctx)
            }
            Control::Health(checker) => {
                let (edge, again, ordinal) = checker.looks(of, ctx.now());
                ctx.schedule_at(again, Event::Look { control, of });
                let key = Key::root(self.edges[edge as usize].path, of.into()).child(ordinal);
                self.begin_call(edge, of, Parent::Check { control }, key, ctx);
            }
            Control::Reports(reports) => {
                ctx.schedule_at(ctx.now() + reports.every, Event::Look { control, of });
                let replicas = &self.services[service as usize].replicas;
                let says = replicas.iter().map(|replica| (replica.down == 0).then_some(replica.in_hand));
                let guards = &mut self.clients[reports.edge as usize].guards;
                // None where there is nothing to remember.
                guards.get_mut(of as usize).into_iter().for_each(|client| client.hears(says.clone()));
            }
        }
    }

    /// A check has ended, of the replica that is the only one its client calls.
    pub fn checked(&mut self, control: u32, replica: u32, is_well: bool, ctx: &mut Ctx) {
        let Control::Health(checker) = &mut self.controls[control as usize] else {
            unreachable!("only checkers check")
        };
        let service = checker.service;
        if let Some(healthy) = checker.heard(replica, is_well, ctx.now()) {
            self.change_member(service, replica, ctx.now(), |member| member.unhealthy = !healthy);
        }
    }

    /// A check has come: whether it is answered at once, since it needs no worker.
    #[cold]
    pub fn is_checked(&mut self, id: AttemptId, service: u32, ctx: &mut Ctx) -> bool {
        let attempt = &mut self.attempts[id];
        let service = &mut self.services[service as usize];
        let check = Asks::over(&service.checks, attempt.edge);
        let needs_a_worker = check.work.is_some();
        if !check.calls {
            attempt.step = u16::MAX;
        }
        if needs_a_worker {
            return false;
        }
        // It is nothing to the service.
        service.stats.total.arrived -= 1;
        let replica = &service.replicas[attempt.replica as usize];
        match (replica.down > 0, replica.silent || replica.state.black_hole) {
            (true, false) => self.answer(id, Outcome::Refused, ctx),
            (_, true) => self.swallow(id),
            (false, false) => self.answer(id, Outcome::Ok, ctx),
        }
        true
    }

    /// What is told of all.
    pub fn sections_of_controls(&self, now: SimTime) -> Vec<Section> {
        let checks = |service: usize| {
            self.controls.iter().find_map(move |control| match control {
                Control::Health(checker) if checker.service as usize == service => Some(checker),
                Control::Health(_) | Control::Members { .. } | Control::Reports(_) => None,
            })
        };
        let of = |(number, service): (usize, &Service)| {
            let checked = checks(number).map(|checker| checker.section(&service.name, now));
            let members = service.membership.as_ref().map(|it| it.section(&service.name, now));
            [checked, members].into_iter().flatten()
        };
        self.services.iter().enumerate().flat_map(of).collect()
    }

    /// Measurement begins.
    pub fn begin_measuring_controls(&mut self, now: SimTime) {
        for control in &mut self.controls {
            if let Control::Health(checker) = control {
                checker.begin(now);
            }
        }
        self.services.iter_mut().filter_map(|it| it.membership.as_mut()).for_each(|it| it.begin(now));
    }

    /// A window is over.
    pub fn close_windows_of_controls(&mut self, now: SimTime) {
        for control in &mut self.controls {
            if let Control::Health(checker) = control {
                checker.close_window(now);
            }
        }
        self.services.iter_mut().filter_map(|it| it.membership.as_mut()).for_each(|it| it.close_window(now));
    }
}

impl Control {
    /// Of which service it is.
    pub fn service(&self) -> u32 {
        match self {
            Control::Members { service } => *service,
            Control::Health(checker) => checker.service,
            Control::Reports(reports) => reports.service,
        }
    }

    /// What it has drawn, for what, and the edge over which it asks or tells.
    pub fn used(&self) -> Option<(&'static str, u32, StreamUse)> {
        match self {
            Control::Members { .. } => None,
            Control::Health(checker) => Some(("check", checker.edge, checker.used())),
            Control::Reports(reports) => Some(("reports", reports.edge, reports.luck.used())),
        }
    }
}
