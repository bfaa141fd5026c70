//! What looks at a system while it runs, and changes it: who may be chosen, and who is up.
//!
//! Each has one file, keeps what it knows of each replica, and decides when it [looks](Event::Look) or hears of something. What it
//! decides is done here and in [`membership`], by the verbs of a replica: it crashes, restarts, is taken out of the views of its
//! callers or let in.

pub mod alarms;
pub mod analysis;
pub mod autoscaler;
pub mod block_and_ramp;
pub mod brownout;
pub mod check;
pub mod discovery;
pub mod feature_flag;
pub mod flags;
pub mod health;
pub mod membership;
pub mod needs;
pub mod observers;
pub mod on_start;
pub mod probes;
pub mod protocol;
pub mod repair;
pub mod reports;
pub mod rollout;
pub mod start_up;
pub mod switch;
pub mod versions;
pub mod watch;

use super::follow::Listen;
use super::plan::{Caller, EdgePlan, Errand, Plan};
use super::service::memory_leak::Leaking;
use super::service::stop_the_world::Frozen;
use super::spec::GraphSpec;
use super::state::*;
use super::witness as kind;
use crate::fault::{CrashStyle, OnReplica, Upon};
use crate::policy::Outcome;
use crate::report::{Disturbance, Section};
use alarms::Alarm;
use autoscaler::Scaler;
use block_and_ramp::Ramper;
use brownout::Dims;
use check::Asks;
use discovery::Directory;
use feature_flag::Setter;
use flags::Launcher;
use health::Checker;
pub use needs::needs_itself;
use observers::Observer;
use on_start::Starter;
use probes::{Kubelet, Task, Verdict, Which};
use repair::Repairer;
use reports::Reports;
use rollout::Roller;
use sim_core::{Class, Key, SimDuration, SimTime, StreamUse, Streams};
use std::cmp::Ordering;
use watch::Watcher;

/// Whoever looks at one service.
#[derive(Clone)]
pub enum Control {
    /// At what becomes of a replica that starts, or leaves.
    Members { service: u32 },
    /// At whether each replica answers.
    Health(Box<Checker>),
    /// What all of them have in hand, for the clients of an edge.
    Reports(Reports),
    /// At whether each replica lives and may be chosen, and when it starts again.
    Probes(Box<Kubelet>),
    /// At how much there is to do, and how many there should be.
    Autoscaler(Box<Scaler>),
    /// At the clock: when each replica stands still.
    Pauses { service: u32 },
    /// At what each replica has lost of its memory.
    Leaks { service: u32 },
    /// At how hot each replica is.
    Heats { service: u32 },
    /// At which version each replica runs, and which it is to run.
    Rollout(Box<Roller>),
    /// At who says that it is there, and who asks for whom.
    Directory(Box<Directory>),
    /// At how long requests take, and what can be left out.
    Dims(Box<Dims>),
    /// At what is true, believed and met.
    Observes(Box<Observer>),
    /// At whether there is trouble, and how much is let in.
    Ramper(Box<Ramper>),
    /// At what each replica has to call by itself.
    Starter(Box<Starter>),
    /// At a state in which something goes wrong.
    Watch(Box<Watcher>),
    /// At what becomes of those for whom something is switched on.
    FeatureFlag(Box<Setter>),
    /// At what becomes of the users who have a flag.
    Flag(Box<Launcher>),
    /// At whether what a repair needs answers.
    Repair(Box<Repairer>),
    /// At a state in which somebody is told.
    Alarm(Box<Alarm>),
    /// At the clock: when each replica passes on what it has to write.
    Writes { service: u32 },
}

/// What they will tell of one service: nothing measured yet.
pub fn declared(spec: &GraphSpec, name: &str) -> Vec<Section> {
    let service = spec.services.get(name).expect("a service of the graph");
    let checks = service.checked().map(|_| health::declared(name));
    let probed = service.probed().map(|_| probes::declared(name));
    let members =
        membership::moves(spec, name).then(|| membership::declared(name, service.found().is_some()));
    let scaled = service.autoscaler.as_ref().map(|_| autoscaler::declared(name));
    let rolled = service.rollout.as_ref().map(|rollout| rollout::declared(name, rollout));
    let found = service.found().map(|found| discovery::declared(name, found.heartbeat().is_some()));
    let flagged = service.feature_flag.as_ref().map(|flag| feature_flag::declared(name, flag));
    let dimmed = service.dims().map(|it| it.declared(name));
    let observed = service.observers.as_ref().map(|_| observers::declared(name));
    let ramps = service.block_and_ramp.as_ref().map(|it| it.declared(name));
    [checks, probed, scaled, rolled, flagged, dimmed, ramps, observed, found, members]
        .into_iter()
        .flatten()
        .collect()
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
        if edge.check?.by != health.check().by {
            return None;
        }
        let replicas = plan.spec.service(service as usize).room();
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
    let probed = plan.spec.services.values().enumerate();
    let probed = probed.filter_map(|(number, service)| {
        let asks = |which: Which| {
            let is_it = |edge: &EdgePlan| {
                edge.caller == Caller::Checks(number as u32)
                    && edge.check.is_some_and(|it| it.by == which.name())
            };
            let edge = plan.edges.iter().position(is_it).expect("whoever asks has an edge");
            (edge as u32, streams.luck("check", &plan.edges[edge].name))
        };
        let kubelet = Kubelet::new(service.probed()?, number as u32, service.room(), asks);
        Some(Control::Probes(Box::new(kubelet)))
    });
    let scaled = plan.spec.services.values().enumerate().filter_map(|(number, service)| {
        let says = service.autoscaler.as_ref()?;
        let scaler = Scaler::new(says, number as u32, service.replicas, service.room());
        Some(Control::Autoscaler(Box::new(scaler)))
    });
    let paused = plan.spec.services.values().enumerate().filter(|(_, service)| Frozen::is_timed(service));
    let paused = paused.map(|(number, _)| Control::Pauses { service: number as u32 });
    let leaking = plan.spec.services.values().enumerate().filter(|(_, service)| Leaking::is_timed(service));
    let leaking = leaking.map(|(number, _)| Control::Leaks { service: number as u32 });
    let heated = (0..).zip(plan.spec.services.values()).filter(|(_, service)| service.thermal.is_some());
    let heated = heated.map(|(service, _)| Control::Heats { service });
    let rolled = plan.spec.services.values().enumerate().filter_map(|(number, service)| {
        let says = service.rollout.as_ref()?;
        let turns = plan.spec.turns_of_service(number);
        let stands = |replica: u32| turns.as_ref().map_or(0, |turns| turns.of(replica));
        let roller = Roller::new(says, number as u32, (service.replicas, service.room()), stands);
        let roller = if service.found().is_some() { roller.with_new_addresses() } else { roller };
        Some(Control::Rollout(Box::new(roller)))
    });
    let flagged = plan.spec.services.values().enumerate().filter_map(|(number, service)| {
        let says = service.feature_flag.as_ref()?;
        let turns = plan.spec.turns_of_service(number);
        let stands = |replica: u32| turns.as_ref().map_or(0, |turns| turns.of(replica));
        let setter = Setter::new(says, number as u32, (service.replicas, service.room()), stands);
        Some(Control::FeatureFlag(Box::new(setter)))
    });
    let found = (0..plan.spec.services.len()).filter_map(|service| directory(service, plan, streams));
    let dims = (0..).zip(plan.spec.services.values());
    let dims = dims
        .filter_map(|(number, service)| Some(Control::Dims(Box::new(Dims::new(service.dims()?, number)))));
    let observers = (0..).zip(plan.spec.services.values()).filter_map(|(number, service)| {
        let says = service.observers.as_ref()?;
        Some(Control::Observes(Box::new(Observer::new(says, number, plan))))
    });
    let ramps = (0..).zip(plan.spec.services.values()).filter_map(|(number, service)| {
        let says = service.block_and_ramp.as_ref()?;
        Some(Control::Ramper(Box::new(Ramper::new(says, number, plan))))
    });
    let starters = (0..plan.spec.services.len()).filter_map(|number| Starter::by(plan, number, streams));
    let starters = starters.map(|starter| Control::Starter(Box::new(starter)));
    let behind = (0..).zip(plan.spec.services.values()).filter(|(_, service)| service.writes_behind());
    let behind = behind.map(|(service, _)| Control::Writes { service });
    let members = members.chain(checks).chain(reports).chain(probed).chain(scaled);
    members
        .chain(paused)
        .chain(leaking)
        .chain(rolled)
        .chain(flagged)
        .chain(found)
        .chain(dims)
        .chain(observers)
        .chain(ramps)
        .chain(starters)
        .chain(behind)
        .chain(heated)
        .chain(Launcher::all(plan.spec).map(|it| Control::Flag(Box::new(it))))
        .collect()
}

/// In what the replicas of a service are found, if callers do not know them anyway.
fn directory(service: usize, plan: &Plan, streams: &Streams) -> Option<Control> {
    let spec = plan.spec.service(service);
    let found = spec.found()?;
    let own = (0..).zip(&plan.edges).filter(|(_, edge)| edge.caller == Caller::Checks(service as u32));
    let errands = own.filter_map(|(number, edge): (u32, &EdgePlan)| Some((number, edge, edge.errand?)));
    let (mut beats, mut groups, mut first) = (None, Vec::new(), 0);
    for (number, edge, errand) in errands {
        let caller = match errand {
            Errand::LooksUp(caller) => caller,
            Errand::SaysItIsThere => {
                beats = Some((number, streams.luck("heartbeat", &edge.name)));
                continue;
            }
            Errand::ByItself | Errand::Repairs { .. } => continue,
        };
        let calls = |(_, it): &(u32, &EdgePlan)| it.caller == caller && it.callee == service;
        let sent: Vec<(u32, &EdgePlan)> = (0..).zip(&plan.edges).filter(calls).collect();
        let own = sent.iter().filter(|(number, it)| it.clients_of == *number as usize);
        let (service, there) = match caller {
            Caller::Service(caller) => (Some(caller), plan.spec.service(caller as usize).replicas),
            Caller::Workload(_) | Caller::Checks(_) => (None, edge.callers),
        };
        let group = discovery::Group {
            edge: number,
            service,
            first,
            callers: edge.callers,
            of: own.map(|(number, _)| *number).collect(),
            sent: sent.iter().map(|(number, _)| *number).collect(),
            luck: streams.luck("lookup", &edge.name),
        };
        first += edge.callers;
        groups.push((group, there));
    }
    let who = (service as u32, spec.replicas, spec.room());
    Some(Control::Directory(Box::new(Directory::new(found, who, beats, groups))))
}

/// Tells the members of each service who is to know when one of them starts, and who chooses by what.
pub fn assign(controls: &[Control], services: &mut [Service], edges: &mut [Edge]) {
    discovery::assign(controls, services, edges);
    for (number, control) in (0..).zip(controls) {
        if let Control::Starter(starter) = control {
            services[starter.service as usize].starter = Some(number);
        }
        let members = services[control.service() as usize].membership.as_mut();
        match control {
            Control::Probes(_) => members.expect("who is probed comes and goes").kubelet = Some(number),
            Control::Rollout(_) => members.expect("they come and go").roller = Some(number),
            Control::Members { .. } | Control::Health(_) | Control::Reports(_) | Control::Autoscaler(_) => {}
            Control::Pauses { .. }
            | Control::Leaks { .. }
            | Control::Heats { .. }
            | Control::Writes { .. }
            | Control::Directory(_)
            | Control::Dims(_)
            | Control::Ramper(_) => {}
            Control::Observes(_)
            | Control::Starter(_)
            | Control::Watch(_)
            | Control::FeatureFlag(_)
            | Control::Flag(_)
            | Control::Repair(_)
            | Control::Alarm(_) => {}
        }
    }
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
                Control::Members { .. } | Control::Starter(_) | Control::Repair(_) => Vec::new(),
                Control::Health(checker) => (0..).zip(checker.first_looks()).collect(),
                Control::Reports(reports) => (0..).zip(reports.first_looks()).collect(),
                Control::Probes(kubelet) => kubelet.first_looks(),
                Control::Autoscaler(scaler) => vec![(0, scaler.first_look())],
                Control::Pauses { service } => {
                    let frozen = &mut self.services[*service as usize].frozen;
                    frozen.iter_mut().flat_map(|frozen| frozen.firsts()).collect()
                }
                Control::Leaks { service } => {
                    let leaking = &self.services[*service as usize].leaking;
                    leaking.iter().flat_map(|leaking| leaking.firsts()).collect()
                }
                Control::Heats { service } => {
                    let heating = &self.services[*service as usize].heating;
                    heating.iter().flat_map(|heating| heating.firsts()).collect()
                }
                Control::Rollout(roller) => roller.first_looks(),
                Control::FeatureFlag(setter) => setter.first_looks(),
                Control::Flag(launcher) => launcher.first_looks(),
                Control::Directory(directory) => directory.first_looks(),
                Control::Watch(watcher) => vec![(0, watcher.trigger.first_look())],
                Control::Dims(dims) => vec![(0, dims.first_look())],
                Control::Observes(observer) => vec![(0, observer.first_look())],
                Control::Alarm(alarm) => vec![(0, alarm.first_look())],
                Control::Writes { service } => {
                    let written = &self.services[*service as usize].written;
                    written.iter().flat_map(|written| written.firsts()).collect()
                }
                Control::Ramper(ramper) => ramper.next().map(|at| (0, at)).into_iter().collect(),
            };
            for (of, at) in first {
                let timer = ctx.schedule_at(at, Event::Look { control, of });
                if let Control::Directory(directory) = it {
                    directory.will_be_due(directory.due(of), Some(timer));
                }
            }
        }
        self.make_calls_at_begin(ctx);
    }

    /// One of them looks at one of the replicas.
    pub fn look(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let service = self.controls[control as usize].service();
        let (replica, what) = self.controls[control as usize].subject(of);
        let path = self.services[service as usize].path;
        ctx.witness(kind::LOOK, what, 0, path, u64::from(replica), control.into());
        match &mut self.controls[control as usize] {
            Control::Members { service } => {
                let service = *service;
                self.stage_is_over(service, of, ctx)
            }
            Control::Health(checker) => {
                let (edge, again, ordinal) = checker.looks(of, ctx.now());
                ctx.schedule_at(again, Event::Look { control, of });
                if self.is_away(service, of) {
                    return;
                }
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
            Control::Probes(kubelet) => match kubelet.looks(of, ctx.now()) {
                Task::Start => self.starts_again(control, replica, ctx),
                Task::Wait { again } => _ = ctx.schedule_at(again, Event::Look { control, of }),
                Task::Ask { edge, ordinal, again } => {
                    ctx.schedule_at(again, Event::Look { control, of });
                    if self.stays(service, replica) {
                        let key = Key::root(self.edges[edge as usize].path, replica.into()).child(ordinal);
                        self.begin_call(edge, replica, Parent::Check { control }, key, ctx);
                    }
                }
            },
            Control::Autoscaler(scaler) => {
                let (again, wanted) = scaler.looks(&self.services[service as usize], ctx.now());
                let grace = scaler.grace();
                ctx.schedule_at(again, Event::Look { control, of });
                self.scale(service, wanted, grace, ctx);
            }
            Control::Pauses { service } => {
                let service = *service;
                self.stands_still(control, (service, of), ctx);
            }
            Control::Leaks { service } => {
                let service = *service;
                self.may_have_leaked(control, (service, of), ctx);
            }
            Control::Heats { service } => {
                let service = *service;
                self.looks_how_hot(control, (service, of), ctx);
            }
            Control::Rollout(_) => self.roller_looks(control, of, ctx),
            Control::Directory(_) => self.directory_looks(control, of, ctx),
            Control::Watch(_) => self.watches(control, of, ctx),
            Control::Starter(_) => self.makes_its_calls(control, of, ctx),
            Control::Observes(observer) => {
                let again = observer.looks(&self.services[service as usize], &self.edges, ctx.now());
                ctx.schedule_at(again, Event::Look { control, of });
            }
            Control::Alarm(alarm) => {
                let again = alarm.looks(&self.services, (&self.edges, &self.workloads), ctx.now());
                ctx.schedule_at(again, Event::Look { control, of });
            }
            Control::Dims(dims) => {
                let again = dims.looks(&mut self.services[service as usize], ctx.now());
                ctx.schedule_at(again, Event::Look { control, of });
            }
            Control::Ramper(ramper) => {
                let next = ramper.acts(&mut self.services, (&self.edges, &self.workloads), ctx.now());
                next.into_iter().for_each(|at| _ = ctx.schedule_at(at, Event::Look { control, of }));
            }
            Control::FeatureFlag(_) => self.setter_looks(control, of, ctx),
            Control::Flag(_) => self.launcher_looks(control, of, ctx),
            Control::Repair(_) => self.repairer_looks(control, of, ctx),
            Control::Writes { service } => {
                let service = *service;
                self.may_pass_on(control, (service, of), ctx);
            }
        }
    }

    /// A check has ended, over this edge, of the replica that is the only one its client calls.
    pub fn checked(&mut self, control: u32, (edge, replica): (u32, u32), is_well: bool, ctx: &mut Ctx) {
        match &mut self.controls[control as usize] {
            Control::Health(checker) => {
                let service = checker.service;
                if let Some(healthy) = checker.heard(replica, is_well, ctx.now()) {
                    self.change_member(service, replica, ctx.now(), |member| member.unhealthy = !healthy);
                }
            }
            Control::Probes(kubelet) => {
                let before = kubelet.state(replica);
                match kubelet.heard(edge, replica, is_well) {
                    None => {}
                    Some(Verdict::Ready) => self.is_otherwise(control, replica, before, ctx.now()),
                    // Whoever is told of an end may be in the middle of something.
                    Some(Verdict::Kill) => self.admitted.push_back(Admitted::Failed { control, replica }),
                }
            }
            Control::Directory(_) => self.directory_hears(control, (edge, replica), is_well, ctx),
            Control::Starter(_) => self.own_call_ended(control, (edge, replica), is_well, ctx),
            Control::Repair(_) => self.repair_hears(control, edge, is_well, ctx),
            Control::Members { .. }
            | Control::Reports(_)
            | Control::Autoscaler(_)
            | Control::Ramper(_)
            | Control::Pauses { .. } => {
                unreachable!("they ask nobody")
            }
            Control::Leaks { .. }
            | Control::Heats { .. }
            | Control::Writes { .. }
            | Control::Rollout(_)
            | Control::Dims(_)
            | Control::Watch(_) => {
                unreachable!("they ask nobody")
            }
            Control::Observes(_) | Control::Alarm(_) => unreachable!("it asks nobody"),
            Control::FeatureFlag(_) | Control::Flag(_) => unreachable!("it asks nobody"),
        }
    }

    /// What is known of a replica by its probes may be otherwise than before.
    fn is_otherwise(&mut self, control: u32, replica: u32, before: &'static str, now: SimTime) {
        let Control::Probes(kubelet) = &mut self.controls[control as usize] else {
            unreachable!("it probes")
        };
        let (service, ready) = (kubelet.service, kubelet.notes(replica, before, now));
        self.change_member(service, replica, now, |member| member.unready = !ready);
    }

    /// A replica has failed a probe too often: its container is killed, unless it leaves anyway.
    #[cold]
    pub fn has_failed(&mut self, control: u32, replica: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let service = self.controls[control as usize].service();
        if !self.stays(service, replica) {
            return;
        }
        let starts = self.is_starting(service, replica);
        let state = &self.services[service as usize].replicas[replica as usize];
        let is_healthy = state.state == OnReplica::WELL && (state.down == 0 || starts);
        let Control::Probes(kubelet) = &mut self.controls[control as usize] else {
            unreachable!("it probes")
        };
        let before = kubelet.state(replica);
        let (again, of) = kubelet.kills(replica, (is_healthy, starts), now);
        self.is_otherwise(control, replica, before, now);
        self.crash(service, replica, CrashStyle::Reset, ctx);
        self.services[service as usize].derive(replica);
        let due = ctx.schedule(again, Class::Change, Event::Look { control, of });
        if let Control::Probes(kubelet) = &mut self.controls[control as usize] {
            kubelet.is_to_start(replica, due);
        }
    }

    /// A container that was killed starts again, if nothing else keeps it down.
    fn starts_again(&mut self, control: u32, replica: u32, ctx: &mut Ctx) {
        let service = self.controls[control as usize].service();
        self.revived(service, replica, ctx);
        let is_killed =
            matches!(&self.controls[control as usize], Control::Probes(it) if it.state(replica) == "killed");
        if is_killed && !self.is_starting(service, replica) {
            // Something else keeps it down.
            self.container_starts(service, replica, ctx);
        }
    }

    /// So many replicas are wanted: as many start, or go.
    fn scale(&mut self, service: u32, wanted: u32, grace: (SimDuration, SimDuration), ctx: &mut Ctx) {
        let members = self.services[service as usize].membership.as_ref();
        if let Some(control) = members.and_then(|it| it.roller) {
            return self.rolls_to(control, wanted, ctx);
        }
        loop {
            let members = self.services[service as usize].membership.as_ref().expect("they come and go");
            let (next, more) = match members.wanted().cmp(&wanted) {
                Ordering::Less => (members.next_to_start(), true),
                Ordering::Greater => (members.next_to_stop(), false),
                Ordering::Equal => return,
            };
            let next = next.expect("there is room for as many as may be wanted");
            self.want(service, next, more, grace, ctx);
            if !more {
                self.forget(service, next, ctx);
            }
        }
    }

    /// A replica is taken away: whoever looks at it knows nothing of the next.
    fn forget(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let (now, mut due) = (ctx.now(), None);
        for control in self.controls.iter_mut().filter(|control| control.service() == service) {
            match control {
                Control::Health(checker) => checker.forgets(replica, now),
                Control::Probes(kubelet) => due = kubelet.forgets(replica, now),
                Control::Members { .. } | Control::Reports(_) | Control::Autoscaler(_) => {}
                Control::Pauses { .. }
                | Control::Leaks { .. }
                | Control::Heats { .. }
                | Control::Writes { .. }
                | Control::Rollout(_) => {}
                Control::Directory(_)
                | Control::Dims(_)
                | Control::Ramper(_)
                | Control::Observes(_)
                | Control::Starter(_) => {}
                Control::Watch(_) | Control::FeatureFlag(_) | Control::Flag(_) => {}
                Control::Repair(_) | Control::Alarm(_) => {}
            }
        }
        self.change_member(service, replica, now, |member| {
            (member.unhealthy, member.unready) = (false, false)
        });
        // Nobody starts what was killed and then taken away: that it was killed is no reason any more for the next to be down.
        if let Some(due) = due {
            ctx.cancel(due);
            self.revived(service, replica, ctx);
        }
    }

    /// A container of a replica starts, if anybody probes it.
    #[cold]
    pub fn container_starts(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let members = self.services[service as usize].membership.as_ref();
        let Some(control) = members.and_then(|it| it.kubelet) else { return };
        let Control::Probes(kubelet) = &mut self.controls[control as usize] else {
            unreachable!("it probes")
        };
        let before = kubelet.state(replica);
        kubelet.starts(replica, ctx.now());
        self.is_otherwise(control, replica, before, ctx.now());
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
        if let (0, Some(at)) = (replica.down, service.goes_on_at(attempt.replica, ctx.now())) {
            // Nobody is there who could say anything.
            attempt.marks.add(Marks::CALLED_OFF);
            ctx.schedule_at(at, Event::Deliver { attempt: id });
            return true;
        }
        match (replica.down > 0, replica.silent || replica.state.black_hole == Upon::All) {
            (true, false) => self.answer(id, Outcome::Refused, ctx),
            (_, true) => self.swallow(id),
            (false, false) => self.answer(id, Outcome::Ok, ctx),
        }
        true
    }

    /// What is told of all, where something first went wrong at that time, if anything did.
    pub fn sections_of_controls(&self, began: Option<SimTime>, now: SimTime) -> Vec<Section> {
        let of = |(number, service): (usize, &Service)| {
            let own = self.controls.iter().filter(move |control| control.service() as usize == number);
            let told = own.filter_map(move |control| match control {
                Control::Health(checker) => Some(checker.section(&service.name, now)),
                Control::Probes(kubelet) => Some(kubelet.section(&service.name, now)),
                Control::Autoscaler(scaler) => Some(scaler.section(service, now)),
                Control::Directory(directory) => Some(directory.section(&service.name, now)),
                Control::Dims(dims) => Some(dims.section(&service.name, now)),
                Control::Observes(observer) => Some(observer.section(&service.name)),
                Control::Ramper(ramper) => Some(ramper.section(service, now)),
                Control::Starter(starter) => Some(starter.section(&service.name, now)),
                Control::Rollout(roller) => {
                    let versions = service.versions.as_ref().expect("it has versions");
                    Some(roller.section((&service.name, versions), now))
                }
                Control::FeatureFlag(setter) => {
                    let sides = service.flagged.as_ref().expect("it is counted");
                    Some(setter.section(&service.name, sides))
                }
                // What membership and what a service itself tells of them, and what belongs to no service.
                Control::Members { .. }
                | Control::Pauses { .. }
                | Control::Leaks { .. }
                | Control::Heats { .. }
                | Control::Writes { .. } => None,
                Control::Reports(_) | Control::Watch(_) | Control::Repair(_) => None,
                Control::Alarm(_) | Control::Flag(_) => None,
            });
            let told = told.chain(service.membership.as_ref().map(|it| it.section(&service.name, now)));
            let needs = service.membership.as_ref().and_then(|it| it.told_of_needs(&service.name, now));
            let told = told.chain(needs);
            told.collect::<Vec<_>>()
        };
        let watchers = self.controls.iter().filter_map(Control::watcher);
        let watchers = watchers.map(|watcher| watcher.trigger.section(now));
        let repairs = self.controls.iter().filter_map(Control::repairer);
        let watchers = watchers.chain(repairs.map(|repairer| repairer.section(now)));
        let alarms = self.controls.iter().filter_map(|control| match control {
            Control::Alarm(alarm) => Some(alarm.section(began, now)),
            _ => None,
        });
        let launchers = self.controls.iter().filter_map(Control::launcher);
        let launchers = launchers.map(|launcher| launcher.section(&self.edges));
        let watchers = watchers.chain(alarms).chain(launchers);
        self.services.iter().enumerate().flat_map(of).chain(watchers).collect()
    }

    /// Measurement begins.
    pub fn begin_measuring_controls(&mut self, now: SimTime) {
        for control in &mut self.controls {
            match control {
                Control::Health(checker) => checker.begin(now),
                Control::Probes(kubelet) => kubelet.begin(now),
                Control::Autoscaler(scaler) => scaler.begin(&self.services[scaler.service as usize], now),
                Control::Directory(directory) => directory.ledger.begin(now),
                Control::Dims(dims) => dims.begin(now),
                Control::Observes(observer) => observer.begin(),
                Control::Ramper(ramper) => ramper.begin(now),
                Control::Rollout(roller) => roller.told.begin(now),
                // Of each request, or replica, they note whether it is measured; or they tell of the whole run.
                Control::Starter(_) | Control::Watch(_) | Control::FeatureFlag(_) | Control::Flag(_) => {}
                Control::Repair(_) | Control::Alarm(_) => {}
                Control::Members { .. }
                | Control::Pauses { .. }
                | Control::Leaks { .. }
                | Control::Heats { .. }
                | Control::Writes { .. } => {}
                Control::Reports(_) => {}
            }
        }
        self.services.iter_mut().filter_map(|it| it.membership.as_mut()).for_each(|it| it.begin(now));
    }

    /// A window is over.
    pub fn close_windows_of_controls(&mut self, now: SimTime) {
        for control in &mut self.controls {
            match control {
                Control::Health(checker) => checker.close_window(now),
                Control::Probes(kubelet) => kubelet.close_window(now),
                Control::Autoscaler(scaler) => {
                    scaler.close_window(&self.services[scaler.service as usize], now);
                }
                Control::Directory(directory) => directory.ledger.close_window(now),
                Control::Rollout(roller) => roller.told.close_window(now),
                Control::FeatureFlag(setter) => {
                    let sides = self.services[setter.service as usize].flagged.as_ref();
                    setter.close_window(sides.expect("it is counted").seen());
                }
                Control::Watch(watcher) => watcher.trigger.close_window(now),
                Control::Alarm(alarm) => alarm.close_window(now),
                Control::Flag(launcher) => launcher.close_window(&self.edges),
                Control::Repair(repairer) => repairer.mending.close_window(now),
                Control::Dims(dims) => dims.close_window(now),
                Control::Observes(observer) => observer.close_window(),
                Control::Ramper(ramper) => {
                    ramper.close_window(&self.services[ramper.service as usize], now);
                }
                Control::Starter(starter) => starter.close_window(),
                Control::Members { .. }
                | Control::Pauses { .. }
                | Control::Leaks { .. }
                | Control::Heats { .. }
                | Control::Writes { .. } => {}
                Control::Reports(_) => {}
            }
        }
        self.services.iter_mut().filter_map(|it| it.membership.as_mut()).for_each(|it| it.close_window(now));
    }
}

impl Control {
    /// Of which service it is.
    pub fn service(&self) -> u32 {
        match self {
            Control::Members { service }
            | Control::Pauses { service }
            | Control::Leaks { service }
            | Control::Heats { service }
            | Control::Writes { service } => *service,
            Control::Health(checker) => checker.service,
            Control::Reports(reports) => reports.service,
            Control::Probes(kubelet) => kubelet.service,
            Control::Autoscaler(scaler) => scaler.service,
            Control::Rollout(roller) => roller.service,
            Control::FeatureFlag(setter) => setter.service,
            Control::Flag(launcher) => launcher.service,
            Control::Directory(directory) => directory.service,
            Control::Watch(watcher) => watcher.service(),
            Control::Alarm(alarm) => alarm.service(),
            Control::Dims(dims) => dims.service,
            Control::Observes(observer) => observer.service,
            Control::Ramper(ramper) => ramper.service,
            Control::Starter(starter) => starter.service,
            Control::Repair(repairer) => repairer.service,
        }
    }

    /// Itself, if it repairs something.
    fn repairer(&self) -> Option<&Repairer> {
        if let Control::Repair(repairer) = self { Some(repairer) } else { None }
    }

    /// Itself, if it switches a flag of users.
    fn launcher(&self) -> Option<&Launcher> {
        if let Control::Flag(launcher) = self { Some(launcher) } else { None }
    }

    /// The fault that it repairs, and when it had, if that is what it does.
    pub fn repaired(&self) -> Option<(u32, Option<SimTime>)> {
        self.repairer().map(|it| (it.fault, it.mending.over()))
    }

    /// What there is to say of what it has not done.
    pub fn unfinished(&self, spec: &GraphSpec, now: SimTime) -> Option<String> {
        self.repairer().and_then(|it| it.unfinished(spec, now))
    }

    /// Itself, if it waits for a state in which something goes wrong.
    fn watcher(&self) -> Option<&Watcher> {
        if let Control::Watch(watcher) = self { Some(watcher) } else { None }
    }

    /// What it set off.
    pub fn disturbances(&self) -> Vec<Disturbance> {
        self.watcher().into_iter().flat_map(|watcher| watcher.trigger.disturbances()).collect()
    }

    /// At which replica, or whom, it looks, and for what of several things.
    fn subject(&self, of: u32) -> (u32, u16) {
        match self {
            Control::Rollout(_) | Control::FeatureFlag(_) | Control::Flag(_) => (0, of as u16),
            Control::Probes(_) => {
                let (replica, what) = Kubelet::subject(of);
                (replica, what as u16)
            }
            Control::Members { .. } | Control::Health(_) | Control::Reports(_) | Control::Autoscaler(_) => {
                (of, 0)
            }
            Control::Pauses { .. }
            | Control::Leaks { .. }
            | Control::Heats { .. }
            | Control::Writes { .. }
            | Control::Directory(_)
            | Control::Dims(_)
            | Control::Ramper(_) => (of, 0),
            Control::Observes(_) | Control::Starter(_) | Control::Watch(_) | Control::Repair(_) => (of, 0),
            Control::Alarm(_) => (of, 0),
        }
    }

    /// What it has drawn, for what, of its service.
    pub fn used_of_service(&self) -> Vec<(&'static str, StreamUse)> {
        if let Control::Starter(starter) = self { starter.used_of_service().collect() } else { Vec::new() }
    }

    /// What it has drawn, for what, and the edge over which it asks or tells.
    pub fn used(&self) -> Vec<(&'static str, u32, StreamUse)> {
        match self {
            Control::Health(checker) => vec![("check", checker.edge, checker.used())],
            Control::Reports(reports) => vec![("reports", reports.edge, reports.luck.used())],
            Control::Probes(kubelet) => kubelet.used().map(|(edge, used)| ("check", edge, used)).collect(),
            Control::Directory(directory) => directory.used().collect(),
            Control::Starter(starter) => {
                starter.used().map(|(edge, used)| ("on_start", edge, used)).into_iter().collect()
            }
            // What a service draws for them is its own.
            Control::Members { .. }
            | Control::Pauses { .. }
            | Control::Leaks { .. }
            | Control::Heats { .. }
            | Control::Writes { .. } => Vec::new(),
            Control::Autoscaler(_) | Control::Rollout(_) | Control::FeatureFlag(_) | Control::Flag(_) => {
                Vec::new()
            }
            Control::Dims(_)
            | Control::Ramper(_)
            | Control::Observes(_)
            | Control::Watch(_)
            | Control::Repair(_)
            | Control::Alarm(_) => Vec::new(),
        }
    }
}
