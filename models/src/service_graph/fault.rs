//! Faults begin and end: one walk over what each strikes.

use super::follow::Listen;
use super::state::*;
use super::witness as kind;
use crate::fault::{Asked, CrashStyle, Effect, Upon};
use sim_core::Class;

impl<L: Listen> Graph<L> {
    pub fn fault_begins(&mut self, id: u32, ctx: &mut Ctx) {
        let fault = &mut self.faults[id as usize];
        if let Some((source, unit)) = fault.random {
            let source = &mut self.sources[source as usize];
            source.fails(unit, ctx.now());
            if unit < source.renewals() {
                let end = ctx.now() + source.time_to_repair(unit);
                ctx.schedule(end, Class::Change, Event::FaultEnds { fault: id });
            }
        }
        ctx.witness(kind::FAULT, 0, 1, fault.path, u64::from(id), 0);
        fault.begun = ctx.now();
        if let Some(to) = fault.rhythm.ends(fault.begun).filter(|_| fault.flaps) {
            ctx.schedule(to, Class::Change, Event::FaultEnds { fault: id });
        }
        if let Some(control) = fault.repair {
            self.repair_begins(control, ctx);
        }
        self.finds_whom(id);
        let strength = self.grows_on(id, ctx);
        let fault = &mut self.faults[id as usize];
        let (effect, requests) = (fault.effect.clone(), fault.requests.clone());
        let targets = std::mem::take(&mut fault.targets);
        for target in &targets {
            match target {
                Target::Replicas { service, replicas } => {
                    for &replica in replicas {
                        self.services[*service as usize].replicas[replica as usize].faults.begin_for(
                            id,
                            effect.clone(),
                            strength,
                            requests.clone(),
                        );
                        if let Effect::Crash { callers } = effect {
                            self.crash(*service, replica, callers, ctx);
                        }
                        if let Effect::Drain { linger, grace } = effect {
                            self.drain(*service, replica, linger, grace, ctx);
                        }
                        self.services[*service as usize].derive(replica);
                    }
                }
                Target::Edges(edges) => {
                    for (edge, reach) in edges {
                        self.edges[*edge as usize].link.strike(id, effect.clone(), strength, reach.clone());
                    }
                }
            }
        }
        self.faults[id as usize].targets = targets;
    }

    /// Whom it strikes now, where others may have taken the places of those that it names.
    fn finds_whom(&mut self, id: u32) {
        let fault = &mut self.faults[id as usize];
        let (Some(numbers), [Target::Replicas { service, replicas }]) =
            (&fault.numbers, fault.targets.as_mut_slice())
        else {
            return;
        };
        let members = self.services[*service as usize].membership.as_ref().expect("they come and go");
        let there: Vec<u32> = members.there().collect();
        *replicas = numbers.iter().filter_map(|number| there.get(*number as usize)).copied().collect();
    }

    /// A fault that builds up has more of its strength.
    pub fn fault_grows(&mut self, id: u32, ctx: &mut Ctx) {
        let fault = &mut self.faults[id as usize];
        ctx.witness(kind::FAULT, 0, 3, fault.path, u64::from(id), 0);
        if let Some((source, _)) = fault.random {
            return self.draw_failures(source, id, ctx);
        }
        let targets = std::mem::take(&mut fault.targets);
        let strength = self.grows_on(id, ctx);
        for target in &targets {
            match target {
                Target::Replicas { service, replicas } => {
                    for &replica in replicas {
                        let service = &mut self.services[*service as usize];
                        service.replicas[replica as usize].faults.change(id, strength);
                        service.derive(replica);
                    }
                }
                Target::Edges(edges) => {
                    edges.iter().for_each(|(edge, _)| self.edges[*edge as usize].link.change(id, strength));
                }
            }
        }
        self.faults[id as usize].targets = targets;
    }

    /// Its strength now; when that changes next is scheduled.
    fn grows_on(&mut self, id: u32, ctx: &mut Ctx) -> f64 {
        let Fault { rhythm, begun, .. } = &self.faults[id as usize];
        if let Some(at) = rhythm.grows(*begun, ctx.now()) {
            ctx.schedule(at, Class::Change, Event::FaultGrows { fault: id });
        }
        rhythm.strength(ctx.now().since(*begun))
    }

    pub fn fault_ends(&mut self, id: u32, ctx: &mut Ctx) {
        let fault = &mut self.faults[id as usize];
        ctx.witness(kind::FAULT, 0, 2, fault.path, u64::from(id), 0);
        if let Some((source, unit)) = fault.random {
            let source = &mut self.sources[source as usize];
            source.is_repaired(unit, ctx.now());
            if unit < source.renewals() {
                let next = ctx.now() + source.time_to_failure(unit);
                ctx.schedule(next, Class::Change, Event::FaultBegins { fault: id });
            }
        }
        if let Some(again) = fault.rhythm.again(ctx.now()) {
            ctx.schedule(again, Class::Change, Event::FaultBegins { fault: id });
        }
        let crash = matches!(fault.effect, Effect::Crash { .. });
        let drain = matches!(fault.effect, Effect::Drain { .. });
        let targets = std::mem::take(&mut fault.targets);
        for target in &targets {
            match target {
                Target::Replicas { service, replicas } => {
                    for &replica in replicas {
                        self.services[*service as usize].replicas[replica as usize].faults.end(id);
                        if crash {
                            self.restart(*service, replica, ctx);
                        }
                        self.services[*service as usize].derive(replica);
                        if drain && !self.services[*service as usize].replicas[replica as usize].state.drained
                        {
                            self.undrain(*service, replica, ctx);
                        }
                    }
                }
                Target::Edges(edges) => {
                    let were = self.are_cut_off(edges);
                    let links = edges.iter().flat_map(|(edge, _)| self.edges[*edge as usize].link.lift(id));
                    for message in links.collect::<Vec<_>>() {
                        self.deliver(message, ctx);
                    }
                    self.reconnects(were, ctx);
                }
            }
        }
        self.faults[id as usize].targets = targets;
    }

    /// Whatever fails at random is up, and has its first time to failure.
    pub fn begin_failures(&mut self, ctx: &mut Ctx) {
        for id in 0..self.faults.len() as u32 {
            let Some((source, unit)) = self.faults[id as usize].random else { continue };
            let source = &mut self.sources[source as usize];
            if unit < source.renewals() {
                let first = ctx.now() + source.time_to_failure(unit);
                ctx.schedule(first, Class::Change, Event::FaultBegins { fault: id });
            } else if source.is_common(unit) {
                let first = ctx.now() + source.time_to_draw();
                ctx.schedule(first, Class::Change, Event::FaultGrows { fault: id });
            }
        }
    }

    /// It is drawn anew who is down, of those before this one whose failures are drawn for all at once.
    fn draw_failures(&mut self, source: u32, common: u32, ctx: &mut Ctx) {
        let all = self.sources[source as usize].drawn();
        for (id, is_down) in (common - all.len() as u32..).zip(all) {
            match (std::mem::replace(&mut self.faults[id as usize].drawn_down, is_down), is_down) {
                (false, true) => self.fault_begins(id, ctx),
                (true, false) => self.fault_ends(id, ctx),
                _ => {}
            }
        }
        let next = ctx.now() + self.sources[source as usize].time_to_draw();
        ctx.schedule(next, Class::Change, Event::FaultGrows { fault: common });
    }

    /// A replica that died of its load is back.
    pub fn revived(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        self.restart(service, replica, ctx);
        self.services[service as usize].derive(replica);
    }
}

impl Service {
    /// Recomputes what its active faults make of a replica.
    pub fn derive(&mut self, number: u32) {
        let replica = &mut self.replicas[number as usize];
        replica.state = replica.faults.on_replica();
        // Of any request at most; if they are told apart each is asked for when it would fail.
        replica.fails = replica.faults.at_worst().fails(self.error_rate);
        self.varies |= replica.state.tells_apart;
        // Down for one reason more than there are faults, and than there are to leave or to start: dead of its own load.
        let kept = self.membership.as_ref().is_some_and(|it| it.members[number as usize].is_kept_down());
        let dead = replica.down > replica.state.crashes + u32::from(kept);
        replica.silent = replica.state.silent || dead && self.death_style == CrashStyle::Silence;
    }

    /// Whether work fails of which so much was drawn that it may: it does, unless its request is one that is spared what strikes others.
    #[inline(always)]
    pub fn fails_for(&self, replica: u32, drawn: f64, asked: impl FnOnce() -> Asked) -> bool {
        let replica = &self.replicas[replica as usize];
        !replica.state.tells_apart || drawn < replica.faults.on_request(&asked()).fails(self.error_rate)
    }
}

impl Replica {
    /// Whether a request vanishes here, where some do.
    #[cold]
    pub fn loses(&self, asked: impl FnOnce() -> Asked) -> bool {
        self.state.black_hole == Upon::All || self.faults.on_request(&asked()).black_hole == Upon::All
    }
}
