//! Whoever repairs what a fault has broken, and asks for what he needs; and what a run can know of its end before that is over.

use super::Control;
use crate::fault::{Mending, Work};
use crate::report::{Disturbance, Section};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::{Errand, Plan};
use crate::service_graph::spec::GraphSpec;
use crate::service_graph::state::*;
use crate::service_graph::stats::UNMEASURED;
use sim_core::{Class, Key, SimTime, Timer};
use std::ops::Range;

/// What an edge is called over which he asks, after the two ends.
pub const REPAIR: &str = "/repair";

/// What is due: that he asks, or that the work is done.
const ASKS: u32 = 0;
const DONE: u32 = 1;

/// Who repairs one of the faults of the file.
#[derive(Clone, Debug)]
pub struct Repairer {
    pub mending: Mending,
    /// What it is told under.
    name: String,
    /// Its number in the file, and what that is among all faults: one for each service where it is on a zone.
    pub fault: u32,
    pub faults: Range<u32>,
    /// What is needed first, and the edges over which all of it is asked.
    pub service: u32,
    edges: Box<[u32]>,
    rounds: u64,
    done: Option<Timer>,
}

/// What each repair is told under: what is broken, and which of several it is.
pub fn names(spec: &GraphSpec) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (number, fault, _) in spec.repairs() {
        let on = &fault.on.value;
        let same = 1 + spec.repairs().filter(|(of, it, _)| *of < number && it.on.value == *on).count();
        names.push(if same == 1 { on.clone() } else { format!("{on}#{same}") });
    }
    names
}

/// All of a graph, given which faults each of the file's is.
pub fn build(plan: &Plan, broken: &[Range<u32>]) -> Vec<Repairer> {
    let repairs = plan.spec.repairs().zip(names(plan.spec));
    let repairers = repairs.map(|((fault, _, repair), name)| {
        let own = (0..).zip(&plan.edges).filter(|(_, edge)| edge.errand == Some(Errand::Repairs { fault }));
        let edges: Box<[u32]> = own.map(|(number, _)| number).collect();
        Repairer {
            mending: Mending::new(repair),
            name,
            fault,
            faults: broken[fault as usize].clone(),
            service: plan.edges[edges[0] as usize].callee as u32,
            edges,
            rounds: 0,
            done: None,
        }
    });
    repairers.collect()
}

impl Repairer {
    /// What is told of it.
    pub fn section(&self, now: SimTime) -> Section {
        self.mending.section(&self.name, now)
    }

    /// What there is to say if it is not over.
    pub fn unfinished(&self, spec: &GraphSpec, now: SimTime) -> Option<String> {
        let repair = spec.faults[self.fault as usize].repair.as_ref()?;
        let needs: Vec<&str> = repair.needs.iter().map(|name| name.value.as_str()).collect();
        self.mending.unfinished(&self.name, &needs, now)
    }
}

/// What must be over before a run is no longer disturbed, where nobody knows before when that will be.
#[derive(Clone, Debug)]
pub struct OpenEnd {
    /// When all else is, in nanoseconds; never, if something else lasts.
    known: u64,
    /// What is still to be repaired.
    left: usize,
}

impl OpenEnd {
    /// Of a graph that this disturbs, if anything is repaired.
    pub fn of(spec: &GraphSpec, disturbances: &[Disturbance]) -> Option<OpenEnd> {
        let left = spec.repairs().count();
        let endless = disturbances.iter().filter(|it| it.to.is_none()).count();
        let known = disturbances.iter().filter_map(|it| it.to).max().unwrap_or(0);
        (left > 0).then_some(OpenEnd { known: if endless > left { u64::MAX } else { known }, left })
    }

    /// When the second stretch begins, and when the third may, before the end of the run.
    pub fn may_begin(&self, second: u64, end: u64) -> Vec<SimTime> {
        [second, self.known.clamp(second, end.max(second))].map(SimTime::from_nanos).into()
    }

    fn is_over(&self, now: SimTime) -> bool {
        self.left == 0 && self.known <= now.as_nanos()
    }
}

impl<L: Listen> Graph<L> {
    /// Something disturbs the run from here on, or no longer does.
    pub fn may_begin_stretch(&mut self, now: SimTime) {
        if self.open_end.is_none() || self.stretch == UNMEASURED + 1 {
            self.begin_stretch();
        }
        self.may_be_over(now);
    }

    fn may_be_over(&mut self, now: SimTime) {
        let is_over = self.open_end.as_ref().is_some_and(|it| it.is_over(now));
        if is_over && self.stretch == UNMEASURED + 2 {
            self.begin_stretch();
        }
    }

    fn repairer(&mut self, control: u32) -> &mut Repairer {
        match &mut self.controls[control as usize] {
            Control::Repair(repairer) => repairer,
            _ => unreachable!("it repairs"),
        }
    }

    /// What is to be repaired is there.
    #[cold]
    pub fn repair_begins(&mut self, control: u32, ctx: &mut Ctx) {
        self.repairer(control).mending.begins(ctx.now());
        ctx.schedule(ctx.now(), Class::Begin, Event::Look { control, of: ASKS });
    }

    /// He asks for what he needs; or the work is done.
    #[cold]
    pub fn repairer_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let repairer = self.repairer(control);
        if of == DONE {
            repairer.mending.is_done(now);
            repairer.done = None;
            for fault in repairer.faults.clone() {
                self.fault_ends(fault, ctx);
            }
            self.open_end.as_mut().expect("something is repaired").left -= 1;
            return self.may_be_over(now);
        }
        repairer.rounds += 1;
        let (rounds, asked) = (repairer.rounds, repairer.mending.asks(now));
        for which in 0..asked {
            let edge = self.repairer(control).edges[which];
            let key = Key::root(self.edges[edge as usize].path, rounds);
            self.begin_call(edge, 0, Parent::Check { control }, key, ctx);
        }
    }

    /// Something that he needs has answered, or has not.
    #[cold]
    pub fn repair_hears(&mut self, control: u32, edge: u32, is_well: bool, ctx: &mut Ctx) {
        let repairer = self.repairer(control);
        let which = repairer.edges.iter().position(|of| *of == edge).expect("one of those that he asks");
        let heard = repairer.mending.hears(which, is_well, ctx.now());
        match heard.work {
            Some(Work::GoesOn { until }) => {
                let due = ctx.schedule(until, Class::Change, Event::Look { control, of: DONE });
                self.repairer(control).done = Some(due);
            }
            Some(Work::Stops) => {
                let due = self.repairer(control).done.take().expect("it went on");
                ctx.cancel(due);
            }
            None => {}
        }
        if let Some(again) = heard.again {
            ctx.schedule(again, Class::Begin, Event::Look { control, of: ASKS });
        }
    }
}
