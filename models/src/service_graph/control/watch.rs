//! Whoever watches for a state in which something goes wrong: what he sees, and what begins then.

use super::Control;
use crate::experiment::Spanned;
use crate::fault::{Signal, Trigger, place};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::Plan;
use crate::service_graph::state::*;
use sim_core::{Class, SimTime};

/// What one trigger watches, and what it strikes with.
#[derive(Clone, Debug)]
pub struct Watcher {
    pub trigger: Trigger,
    sight: Sight,
    /// Its faults, among all of them.
    faults: std::ops::Range<u32>,
}

/// A state that somebody looks at.
#[derive(Clone, Debug)]
pub struct Sight {
    when: Signal,
    /// The service that is watched, or the one that the first of the edges leads to; and the edges.
    service: u32,
    edges: Box<[u32]>,
    /// Of a zone: who stands in it, service by service, those included that may yet come.
    there: Box<[(u32, Box<[u32]>)]>,
    /// What there had been by the last look.
    before: [u128; 2],
}

/// All of a graph. Each has some of the faults, which come after all others, from this one on.
pub fn build(plan: &Plan, first: &[std::ops::Range<u32>]) -> Vec<Control> {
    let watchers = plan.spec.triggers.iter().zip(first).map(|((name, says), faults)| {
        let (trigger, sight) = (Trigger::new(name, says), Sight::new(&says.when, plan));
        Control::Watch(Box::new(Watcher { trigger, sight, faults: faults.clone() }))
    });
    watchers.collect()
}

/// The edges whose calls are watched: those into a service, or those of this name.
fn watched(plan: &Plan, of: &Spanned<String>) -> Box<[u32]> {
    let edges = (0..).zip(&plan.edges).filter(|(_, edge)| plan.is_on(&of.value, edge));
    edges.map(|(number, _)| number).collect()
}

impl Watcher {
    /// The service that is watched.
    pub fn service(&self) -> u32 {
        self.sight.service
    }
}

impl Sight {
    /// Of a state that was checked to be somebody's.
    pub fn new(when: &Signal, plan: &Plan) -> Self {
        let edges = watched(plan, when.of());
        let service = plan.spec.services.index_of(&when.of().value).map(|service| service as u32);
        let there: Box<[_]> = match (service, place(&when.of().value)) {
            (None, Some(place)) => {
                plan.spec.all_in(place).map(|(at, those)| (at as u32, those.into())).collect()
            }
            _ => Box::default(),
        };
        let of_edge = || plan.edges[*edges.first().expect("checked: it is there") as usize].callee as u32;
        let service = service.or(there.first().map(|(service, _)| *service)).unwrap_or_else(of_edge);
        Sight { when: when.clone(), service, edges, there, before: [0; 2] }
    }

    /// Whether the state holds.
    pub fn holds(&mut self, services: &[Service], edges: &[Edge], now: SimTime) -> bool {
        let seen = self.sees(services, edges, now);
        self.when.holds(seen)
    }

    /// What is seen of it; of a share nothing, if nothing was there since the last look to take it of.
    fn sees(&mut self, services: &[Service], edges: &[Edge], now: SimTime) -> Option<f64> {
        if !self.there.is_empty() {
            return Some(self.sees_there(services) as f64);
        }
        let service = &services[self.service as usize];
        let mut part = |now: [u128; 2]| {
            let before = std::mem::replace(&mut self.before, now);
            let [some, all] = [0, 1].map(|at| now[at] - before[at]);
            (all > 0).then(|| some as f64 / all as f64)
        };
        match &self.when {
            Signal::Queue { .. } => {
                Some(service.lines.iter().map(|line| line.length.value()).sum::<u64>() as f64)
            }
            Signal::InHand { .. } => Some(service.in_hand() as f64),
            Signal::Utilisation { .. } => {
                let totals = service.totals(now);
                part([totals.used_area, totals.available_area])
            }
            Signal::Failing { .. } => {
                let sum = |of: fn(&Edge) -> u64| {
                    self.edges.iter().map(|edge| u128::from(of(&edges[*edge as usize]))).sum::<u128>()
                };
                let failed = sum(|edge| edge.stats.failed_so_far());
                part([failed, failed + sum(|edge| edge.stats.ok_so_far())])
            }
            Signal::Up { .. } => {
                Some(service.replicas.iter().filter(|replica| replica.down == 0).count() as f64)
            }
        }
    }

    /// What is seen of all who stand in a zone. A queue that several share stands in none: who waits there waits nowhere.
    fn sees_there(&self, services: &[Service]) -> u64 {
        let each = self.there.iter().flat_map(|(service, those)| {
            let service = &services[*service as usize];
            those.iter().map(move |replica| (service, *replica as usize))
        });
        let of_one = |(service, replica): (&Service, usize)| match &self.when {
            Signal::Queue { .. } if service.queue.shared => 0,
            Signal::Queue { .. } => service.lines[replica].length.value(),
            Signal::InHand { .. } => u64::from(service.replicas[replica].in_hand),
            Signal::Up { .. } => u64::from(service.replicas[replica].down == 0),
            Signal::Utilisation { .. } | Signal::Failing { .. } => {
                unreachable!("checked: a share is of a service")
            }
        };
        each.map(of_one).sum()
    }
}

impl<L: Listen> Graph<L> {
    /// A trigger looks; it may fire.
    #[cold]
    pub fn watches(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let Control::Watch(watcher) = &mut self.controls[control as usize] else {
            unreachable!("it watches")
        };
        let seen = watcher.sight.sees(&self.services, &self.edges, now);
        let fires = watcher.trigger.looks(seen, now);
        if let Some(again) = watcher.trigger.again(now) {
            ctx.schedule_at(again, Event::Look { control, of });
        }
        let Some(over) = fires else { return };
        let faults = watcher.faults.clone();
        // From here on it is known what was usual.
        for cohorts in self.edges.iter_mut().filter_map(|edge| edge.stats.cohorts.as_mut()) {
            cohorts.struck_at(now);
        }
        for fault in faults {
            if let Some(over) = over {
                ctx.schedule(over, Class::Change, Event::FaultEnds { fault });
            }
            self.fault_begins(fault, ctx);
        }
    }
}
