//! Faults are a set of active effects, and behaviour is derived from the set: when one of several that
//! overlap ends, nothing has to be undone.

use super::follow::Listen;
use super::state::*;
use super::witness as kind;
use crate::fault::{CrashStyle, Effect};

impl<L: Listen> Graph<L> {
    pub fn fault_begins(&mut self, id: u32, ctx: &mut Ctx) {
        let fault = &mut self.faults[id as usize];
        fault.active = true;
        ctx.witness(kind::FAULT, 0, 1, fault.path, u64::from(id), 0);
        if let (Effect::Crash { callers }, Target::Replicas { service, replicas }) =
            (&fault.effect, &fault.target)
        {
            let (style, service, replicas) = (*callers, *service, replicas.clone());
            for replica in replicas {
                self.crash(service, replica, &style, ctx);
            }
        }
        self.derive(id, ctx);
    }

    pub fn fault_ends(&mut self, id: u32, ctx: &mut Ctx) {
        let fault = &mut self.faults[id as usize];
        fault.active = false;
        ctx.witness(kind::FAULT, 0, 2, fault.path, u64::from(id), 0);
        if let (Effect::Crash { .. }, Target::Replicas { service, replicas }) = (&fault.effect, &fault.target)
        {
            let (service, replicas) = (*service, replicas.clone());
            for replica in replicas {
                self.restart(service, replica, ctx);
            }
        }
        self.derive(id, ctx);
    }

    /// A replica that died of its load is back.
    pub fn revived(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        self.restart(service, replica, ctx);
        derive_replica(&mut self.services[service as usize], replica, service, &self.faults);
    }

    /// Recomputes what the active faults make of this fault's targets.
    fn derive(&mut self, id: u32, ctx: &mut Ctx) {
        match &self.faults[id as usize].target {
            Target::Replicas { service, replicas } => {
                for &replica in replicas {
                    derive_replica(&mut self.services[*service as usize], replica, *service, &self.faults);
                }
            }
            Target::Edges(edges) => {
                let mut released = Vec::new();
                for &edge in edges {
                    let state = &mut self.edges[edge as usize];
                    (state.drop, state.holding) = (0.0, false);
                    for fault in self.faults.iter().filter(|fault| fault.strikes_edge(edge)) {
                        match fault.effect {
                            Effect::Drop { probability } => {
                                state.drop = 1.0 - (1.0 - state.drop) * (1.0 - probability);
                            }
                            Effect::Hold => state.holding = true,
                            _ => {}
                        }
                    }
                    if !state.holding {
                        released.append(&mut state.held);
                    }
                }
                for message in released {
                    self.deliver(message, ctx);
                }
            }
        }
    }
}

/// Recomputes what the active faults make of a replica.
fn derive_replica(service: &mut Service, number: u32, service_id: u32, faults: &[Fault]) {
    let state = &mut service.replicas[number as usize];
    (state.slow, state.errors, state.black_hole, state.silent) = (1.0, 0.0, false, false);
    let mut crashes = 0;
    for fault in faults.iter().filter(|fault| fault.strikes_replica(service_id, number)) {
        match &fault.effect {
            Effect::Slow { factor } => state.slow *= factor,
            Effect::Errors { probability } => {
                state.errors = 1.0 - (1.0 - state.errors) * (1.0 - probability);
            }
            Effect::BlackHole => state.black_hole = true,
            Effect::Crash { callers } => {
                crashes += 1;
                state.silent |= matches!(callers, CrashStyle::Silence);
            }
            Effect::Drop { .. } | Effect::Hold => {}
        }
    }
    // Down for one reason more than there are faults: dead of its own load.
    state.silent |= state.down > crashes && matches!(service.death_style, CrashStyle::Silence);
}

impl Fault {
    fn strikes_replica(&self, of: u32, number: u32) -> bool {
        self.active
            && matches!(&self.target, Target::Replicas { service, replicas }
                if *service == of && replicas.binary_search(&number).is_ok())
    }

    fn strikes_edge(&self, edge: u32) -> bool {
        self.active && matches!(&self.target, Target::Edges(edges) if edges.binary_search(&edge).is_ok())
    }
}
