//! The calls that a request makes: in sequence, or in parallel. Where it waits for the first so many: `quorum`; for none: `aside`.

use crate::carried::Carried;
use crate::policy::Outcome;
use crate::service_graph::follow::Listen;
use crate::service_graph::state::*;
use sim_core::{Key, Words};

impl<L: Listen> Graph<L> {
    /// Makes the next calls of a request, or answers it when none is left.
    pub fn advance(&mut self, id: AttemptId, ctx: &mut Ctx) {
        loop {
            let attempt = &mut self.attempts[id];
            debug_assert!(attempt.server == Server::Waiting);
            if attempt.marks.has(Marks::FAILED) {
                self.has_failed_without_callbacks(id, ctx.now());
                let outcome = if self.keeps { self.outcome_of_failed(id, ctx.now()) } else { Outcome::Error };
                return self.finish(id, outcome, ctx);
            }
            let service = &mut self.services[self.edges[attempt.edge as usize].callee as usize];
            let Some(step) = service.steps.get_mut(attempt.step as usize) else {
                return self.finish(id, Outcome::Ok, ctx);
            };
            let (client, key) = (attempt.replica, attempt.key);
            if step.parallel {
                if step.wait_for > 0 {
                    return self.call_for_quorum(id, ctx);
                }
                attempt.step += 1;
                // Held up by one until all are out, so that an early end does not move the request on.
                attempt.outstanding = 1;
                let made = self.call_in_parallel(id, ctx);
                let attempt = &mut self.attempts[id];
                attempt.outstanding -= 1;
                if made.is_none() {
                    attempt.step -= 1;
                    return self.proceed_later(id, ctx);
                }
                if attempt.outstanding > 0 {
                    return;
                }
                continue;
            }
            let site = &mut step.sites[0];
            let key = key.child(site.number);
            let carried = || self.carriage.of(id);
            let skipped = attempt.repetition == 0 && !site.happens(key, attempt.workload, carried);
            if skipped || u32::from(attempt.repetition) == site.times {
                attempt.step += 1;
                attempt.repetition = 0;
                continue;
            }
            if !ctx.may_begin() {
                return self.proceed_later(id, ctx);
            }
            let key = key.child(u64::from(attempt.repetition));
            attempt.repetition += 1;
            attempt.outstanding = 1;
            let parent = Parent::Request { attempt: id, stake: site.stake };
            let edge = site.edge;
            return self.begin_call(edge, client, parent, key, ctx);
        }
    }

    /// What ends at this instant comes first: it may make room for the next calls of this request.
    #[cold]
    pub(super) fn proceed_later(&mut self, id: AttemptId, ctx: &mut Ctx) {
        ctx.schedule_at(ctx.now(), Event::Proceed { attempt: id });
    }

    /// Makes the calls of the step before the next, and says how many; none if something that ends now comes first.
    pub(super) fn call_in_parallel(&mut self, id: AttemptId, ctx: &mut Ctx) -> Option<u32> {
        let attempt = &self.attempts[id];
        let (service, client, request, workload) = (
            self.edges[attempt.edge as usize].callee as usize,
            attempt.replica,
            attempt.key,
            attempt.workload,
        );
        let step = usize::from(attempt.step - 1);
        let mut made = 0;
        for index in 0..self.services[service].steps[step].sites.len() {
            let site = &mut self.services[service].steps[step].sites[index];
            let key = request.child(site.number);
            if !site.happens(key, workload, || self.carriage.of(id)) {
                continue;
            }
            if made == 0 && !ctx.may_begin() {
                return None;
            }
            let (edge, times, stake) = (site.edge, site.times, site.stake);
            made += times;
            let mut parent = Parent::Request { attempt: id, stake };
            let waits = stake != Stake::Nothing;
            if !waits {
                parent = Parent::Aside { by: id, workload, wanted: true };
            }
            for repetition in 0..times {
                self.attempts[id].outstanding += u32::from(waits);
                self.begin_call(edge, client, parent, key.child(u64::from(repetition)), ctx);
            }
        }
        Some(made)
    }
}

impl Site {
    /// Whether this request makes this call at all.
    #[inline]
    pub(super) fn happens(&mut self, key: Key, workload: u16, carried: impl FnOnce() -> Carried) -> bool {
        (!self.asks || self.is_for(workload, carried()))
            && (self.probability >= 1.0 || self.luck.at(key).unit() < self.probability)
            // Whoever checks wants to know of all that may be needed.
            || workload == NOBODYS && self.probability > 0.0 && self.stake != Stake::Nothing
    }

    /// Whether requests of this workload make it that carry this.
    #[cold]
    fn is_for(&self, workload: u16, carried: Carried) -> bool {
        (self.only_from.is_empty() || self.only_from.contains(&workload))
            && self.only.is_none_or(|only| only.has(carried.writes))
            && self.only_flagged.is_none_or(|only| only.has(carried.flags))
    }
}
