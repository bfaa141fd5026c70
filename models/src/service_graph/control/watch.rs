//! Whoever watches for a state in which something goes wrong: what he sees, and what begins then.

use super::Control;
use crate::experiment::Spanned;
use crate::fault::{Signal, Trigger, place};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
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
    /// The edges that these are held against.
    from: Box<[u32]>,
    /// Of a zone: who stands in it, service by service, those included that may yet come.
    there: Box<[(u32, Box<[u32]>)]>,
    /// What there had been by the last look, and over the edges that it is held against.
    before: [[u128; 2]; 2],
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
    // Checks and other errands are not calls of whoever uses a service.
    let is_use = |edge: &EdgePlan| edge.name == of.value || !matches!(edge.caller, Caller::Checks(_));
    let edges = (0..).zip(&plan.edges).filter(|(_, edge)| plan.is_on(&of.value, edge) && is_use(edge));
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
        let from = when.from().map(|from| watched(plan, from)).unwrap_or_default();
        let service = plan.spec.services.index_of(&when.of().value).map(|service| service as u32);
        let there: Box<[_]> = match (service, place(&when.of().value)) {
            (None, Some(place)) => {
                plan.spec.all_in(place).map(|(at, those)| (at as u32, those.into())).collect()
            }
            _ => Box::default(),
        };
        let of_edge = || plan.edges[*edges.first().expect("checked: it is there") as usize].callee as u32;
        let service = service.or(there.first().map(|(service, _)| *service)).unwrap_or_else(of_edge);
        Sight { when: when.clone(), service, edges, from, there, before: [[0; 2]; 2] }
    }

    /// The service that is looked at.
    pub fn service(&self) -> u32 {
        self.service
    }

    /// What nobody looks at.
    #[cfg(test)]
    pub fn of_nothing() -> Self {
        let when = Signal::Up { of: Default::default(), below: 1 };
        let (edges, from, there) = Default::default();
        Sight { when, service: 0, edges, from, there, before: [[0; 2]; 2] }
    }

    /// Whether the state holds.
    pub fn holds(&mut self, services: &[Service], calls: (&[Edge], &[Workload]), now: SimTime) -> bool {
        let seen = self.sees(services, calls, now);
        self.when.holds(seen)
    }

    /// What is seen of it; of a share nothing, if nothing was there since the last look to take it of.
    fn sees(
        &mut self,
        services: &[Service],
        (edges, workloads): (&[Edge], &[Workload]),
        now: SimTime,
    ) -> Option<f64> {
        if !self.there.is_empty() {
            return Some(self.sees_there(services) as f64);
        }
        let service = &services[self.service as usize];
        match &self.when {
            Signal::Queue { .. } => {
                Some(service.lines.iter().map(|line| line.length.value()).sum::<u64>() as f64)
            }
            Signal::InHand { .. } => Some(service.in_hand() as f64),
            Signal::Utilisation { .. } => {
                let totals = service.totals(now);
                self.part(0, [totals.used_area, totals.available_area])
            }
            Signal::Failing { .. } => self.part(0, ended(&self.edges, edges)),
            Signal::Up { .. } => {
                Some(service.replicas.iter().filter(|replica| replica.down == 0).count() as f64)
            }
            Signal::Believed { .. } => {
                let all = 0..service.replicas.len() as u32;
                Some(all.filter(|replica| is_believed(service, *replica)).count() as f64)
            }
            Signal::Takes { .. } => self.part(0, service.times.as_ref()?.sums()),
            Signal::Incomplete { .. } => {
                // The edges of workloads come first, in their order.
                let users = &workloads[*self.edges.first()? as usize];
                let sums = users.visits.as_ref()?.incomplete_so_far()?;
                self.part(0, sums.map(u128::from))
            }
            Signal::Apart { .. } => {
                let one = self.part(0, ended(&self.edges, edges));
                let other = self.part(1, ended(&self.from, edges));
                Some(one? - other?)
            }
        }
    }

    /// What has come to these two since the last look: the first as a share of the second.
    fn part(&mut self, which: usize, now: [u128; 2]) -> Option<f64> {
        let before = std::mem::replace(&mut self.before[which], now);
        let [some, all] = [0, 1].map(|at| now[at] - before[at]);
        (all > 0).then(|| some as f64 / all as f64)
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
            Signal::Believed { .. } => u64::from(is_believed(service, replica as u32)),
            Signal::Utilisation { .. }
            | Signal::Failing { .. }
            | Signal::Takes { .. }
            | Signal::Apart { .. }
            | Signal::Incomplete { .. } => {
                unreachable!("checked: a share or a time is of a service")
            }
        };
        each.map(of_one).sum()
    }
}

/// Calls over these edges that had failed, and that had ended.
fn ended(those: &[u32], edges: &[Edge]) -> [u128; 2] {
    let sum =
        |of: fn(&Edge) -> u64| those.iter().map(|edge| u128::from(of(&edges[*edge as usize]))).sum::<u128>();
    let failed = sum(|edge| edge.stats.failed_so_far());
    [failed, failed + sum(|edge| edge.stats.ok_so_far())]
}

/// Whether callers may choose a replica that is to be there. Where nobody ever says otherwise they may choose any.
fn is_believed(service: &Service, replica: u32) -> bool {
    service.membership.as_ref().is_none_or(|it| it.members[replica as usize].may_be_chosen())
}

impl<L: Listen> Graph<L> {
    /// A trigger looks; it may fire.
    #[cold]
    pub fn watches(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let Control::Watch(watcher) = &mut self.controls[control as usize] else {
            unreachable!("it watches")
        };
        let seen = watcher.sight.sees(&self.services, (&self.edges, &self.workloads), now);
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
