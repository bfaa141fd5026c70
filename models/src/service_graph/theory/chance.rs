//! What calls come to when attempts fail independently with a known probability, for the whole run: attempts
//! per call, attempts per user's call, and success, through any number of layers.
//!
//! An attempt fails because its request does (`error_rate`, an `Errors` fault, a required call of its own) or
//! because a message is lost (a `Drop` fault), nothing else. Whether anything else happened, such as a timeout
//! or a full queue, is read in the report, and then there is nothing to say here: what is said of
//! a run is that it had these failures and no others.

use super::{QUIET, Ran, is_rough};
use crate::RunSpec;
use crate::fault::Way;
use crate::policy::part::{Does, Part, Rationed};
use crate::policy::{Ending, Outcome};
use crate::report::Edge;
use crate::service_graph::plan::{EdgePlan, Plan};
use crate::service_graph::spec::{Affected, Fallback, FaultSpec, GraphSpec, ServiceSpec, Step};
use crate::theory::{either, expected_attempts, success_after_retries};
use sim_core::SimTime;
use sim_core::math::powi;
use std::ops::Range;

/// If the end of the run cuts off a larger share of the calls, with retries still to come, what was counted is no
/// more than roughly what theory speaks of.
const MOST_CUT_OFF: f64 = 0.005;

/// Of more calls at once it is not worth working out how many end well.
const MOST_COPIES: usize = 64;

/// What a fault may do and be spoken of here.
const STRUCK: Does = Does::FAILS.and(Does::LOSES);
/// What may become of calls and requests: whether any of it happened, and spoiled the chances, is read in the report.
const CALLER: Does = QUIET.and(Does::REFUSES).and(Does::GIVES_UP).and(Does::REPEATS).and(Does::STANDS_IN);
const CALLEE: Does = Does::FAILS
    .and(Does::REORDERS)
    .and(Does::EXPIRES)
    .and(Does::HOLDS)
    .and(Does::STRETCHES)
    .and(Does::BREAKS);

/// What becomes of a call over an edge.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// The chance that an attempt fails.
    pub p_fail: f64,
    /// Mean attempts.
    pub attempts: f64,
    /// The chance that the call fails in the end.
    pub fails: f64,
    /// Where the attempts come from.
    pub source: &'static str,
    /// Whether retries were refused that would have been made.
    pub rationed: bool,
    /// Whether this, or what becomes of the calls that a request makes further down, is an approximation.
    pub rough: bool,
}

/// Chances of everything, per workload: a request's further calls depend on whose it is.
pub struct Chances {
    /// Of a call over each edge, for requests of each workload; `None` if unknown.
    pub outlook: Vec<Vec<Option<Outlook>>>,
    /// Mean calls over each edge per call of each workload's user.
    pub calls: Vec<Vec<Option<f64>>>,
    /// The edges into each service.
    into: Vec<Vec<usize>>,
}

/// Whether a fault is there from beginning to end, so that it is a property of the graph.
pub fn lasts(fault: &FaultSpec, run: &RunSpec) -> bool {
    let to_the_end = fault.lasts() || fault.r#for.is_some_and(|length| length >= run.duration);
    fault.at == SimTime::ZERO && to_the_end && fault.is_steady()
}

impl Chances {
    /// `None` if something else than steady errors and losses goes wrong.
    pub fn of(ran: &Ran) -> Option<Chances> {
        let (plan, spec) = (ran.plan, ran.plan.spec);
        // A zone is never all of a service.
        let whole = |fault: &FaultSpec| {
            let all = [&fault.replicas, &fault.clients].iter().all(|it| matches!(it, Affected::All));
            all && fault.place().is_none() && fault.between().is_none()
        };
        let steady = |fault: &FaultSpec| lasts(fault, ran.run) && whole(fault);
        let known = |(fault, does): (&FaultSpec, &Does)| {
            does.within(Does::NOTHING) || (does.within(STRUCK) && steady(fault))
        };
        // What fails at random may do anything of what it does to some, at some time.
        if !spec.faults.iter().zip(&plan.faults).all(known) || spec.fails_at_random() {
            return None;
        }
        let workloads = spec.workload.len();
        let own = own_errors(spec);
        let mut into = vec![Vec::new(); spec.services.len()];
        plan.edges.iter().enumerate().for_each(|(number, edge)| into[edge.callee].push(number));
        let mut chances = Chances {
            into,
            outlook: vec![vec![None; workloads]; plan.edges.len()],
            calls: vec![vec![Some(0.0); workloads]; plan.edges.len()],
        };
        for (number, _) in
            plan.edges.iter().enumerate().filter(|(_, edge)| edge.does.any(Does::CALLS_BACK.and(Does::LOOPS)))
        {
            let concerns = (0..workloads).filter(|workload| plan.concerns(number, *workload));
            concerns.for_each(|workload| chances.calls[number][workload] = None);
        }
        for workload in 0..workloads {
            // The chance that a request fails at each service, callees before callers.
            let mut fail = vec![None; spec.services.len()];
            let outlook_of = |chances: &Chances, fail: &[Option<f64>], edge: usize| {
                let callee = plan.edges[edge].callee;
                let rough = chances.rough_below(&plan.sites[callee], workload);
                fail[callee].and_then(|p| outlook(ran, edge, (p, rough)))
            };
            for &service in plan.order.iter().rev() {
                for edge in plan.sites[service].clone() {
                    chances.outlook[edge][workload] = outlook_of(&chances, &fail, edge);
                }
                let survives = plan.steps(service).try_fold(1.0 - own[service], |alive, (step, edges)| {
                    Some(alive * chances.survival(plan, step, edges, workload)?)
                });
                fail[service] = survives.map(|alive| 1.0 - alive);
            }
            // The edges of the workloads come first.
            chances.outlook[workload][workload] = outlook_of(&chances, &fail, workload);
            chances.calls[workload][workload] = Some(1.0);
            for &service in &plan.order {
                chances.count_calls(plan, service, own[service], workload);
            }
        }
        Some(chances)
    }

    /// Whether what becomes of any call of these sites is approximate.
    fn rough_below(&self, sites: &Range<usize>, workload: usize) -> bool {
        sites.clone().any(|edge| self.outlook[edge][workload].is_some_and(|outlook| outlook.rough))
    }

    /// Whether anything at all is approximate: how many calls are made depends on what becomes of others.
    pub fn any_rough(&self) -> bool {
        self.outlook.iter().flatten().flatten().any(|outlook| outlook.rough)
    }

    /// The chance that a request survives a step that it begins.
    fn survival(&self, plan: &Plan, step: &Step, edges: Range<usize>, workload: usize) -> Option<f64> {
        if let Some(wait_for) = step.wait_for {
            return self.quorum(plan, step, edges, workload, wait_for as usize);
        }
        let mut alive = 1.0;
        for (edge, call) in edges.zip(&step.calls) {
            if !call.optional && call.wait && plan.concerns(edge, workload) {
                let ok = 1.0 - self.fails_in_the_end(plan, edge, workload)?;
                alive *= 1.0 - call.probability + call.probability * powi(ok, call.times);
            }
        }
        Some(alive)
    }

    /// The chance that a call has failed when nothing is left to stand in for it. Whether there was an answer before that can, in time,
    /// nobody here knows.
    fn fails_in_the_end(&self, plan: &Plan, edge: usize, workload: usize) -> Option<f64> {
        let fails = |edge: usize| Some(self.outlook[edge][workload]?.fails);
        match plan.edges[edge].call.and_then(|call| call.fallback.as_ref()) {
            None => fails(edge),
            Some(Fallback::Default) => Some(0.0),
            Some(Fallback::Stale { .. }) => None,
            Some(Fallback::Call { .. }) => Some(fails(edge)? * fails(plan.edges[edge].fallback?)?),
        }
    }

    /// The chance that a request of a service ends well and nothing stood in for any part of that, and that it ends well.
    fn clean(&self, plan: &Plan, workload: usize, own: &[f64]) -> Option<Vec<(f64, f64)>> {
        let mut all = vec![(1.0, 1.0); plan.spec.services.len()];
        for &service in plan.order.iter().rev() {
            if plan.keeps(service) {
                return None;
            }
            let (mut clean, mut ok) = (1.0 - own[service], 1.0 - own[service]);
            for (step, edges) in plan.steps(service) {
                let survival = self.survival(plan, step, edges.clone(), workload)?;
                ok *= survival;
                if step.wait_for.is_some() {
                    // Whose answers count is not known.
                    if edges.clone().any(|edge| plan.degrades[plan.edges[edge].callee]) {
                        return None;
                    }
                    clean *= survival;
                    continue;
                }
                for (edge, call) in edges.zip(&step.calls) {
                    if !call.wait || !plan.concerns(edge, workload) {
                        continue;
                    }
                    let fails = self.outlook[edge][workload]?.fails;
                    let (as_is, well) = all[plan.edges[edge].callee];
                    let unharmed = match &call.fallback {
                        // Whether there was an answer before that can stand in, in time, nobody here knows.
                        Some(Fallback::Stale { .. }) => return None,
                        Some(Fallback::Default) => 0.0,
                        _ if !call.optional => 0.0,
                        None => fails,
                        // Whoever was to stand in has failed as well.
                        Some(Fallback::Call { .. }) => {
                            fails * self.outlook[plan.edges[edge].fallback?][workload]?.fails
                        }
                    };
                    let each = unharmed + (1.0 - fails) * if well > 0.0 { as_is / well } else { 0.0 };
                    clean *= 1.0 - call.probability + call.probability * powi(each, call.times);
                }
            }
            all[service] = (clean, ok);
        }
        Some(all)
    }

    /// The share of degraded answers among the good ones that each workload's users get, where that is known.
    pub fn degraded(&self, plan: &Plan, workload: usize) -> Option<f64> {
        let all = self.clean(plan, workload, &own_errors(plan.spec))?;
        let (clean, ok) = all[plan.edges[workload].callee];
        (ok > 0.0).then(|| 1.0 - clean / ok)
    }

    /// The chance that so many calls of a step end well, or all that are made if those are fewer. Call by call: the chances of
    /// having made so many, of which so many are well.
    fn quorum(
        &self,
        plan: &Plan,
        step: &Step,
        edges: Range<usize>,
        workload: usize,
        wait_for: usize,
    ) -> Option<f64> {
        let most = usize::try_from(step.most()).ok().filter(|most| *most <= MOST_COPIES)?;
        let mut now = vec![vec![0.0; most + 1]; most + 1];
        now[0][0] = 1.0;
        for (edge, call) in edges.zip(&step.calls).filter(|(edge, _)| plan.concerns(*edge, workload)) {
            let (ok, times) = (1.0 - self.outlook[edge][workload]?.fails, call.times as usize);
            let mut made = now.clone();
            for _ in 0..times {
                let before = std::mem::replace(&mut made, vec![vec![0.0; most + 1]; most + 1]);
                for calls in 0..most {
                    for well in 0..=calls {
                        made[calls + 1][well + 1] += before[calls][well] * ok;
                        made[calls + 1][well] += before[calls][well] * (1.0 - ok);
                    }
                }
            }
            let both = now.iter_mut().flatten().zip(made.into_iter().flatten());
            both.for_each(|(skipped, made)| {
                *skipped = *skipped * (1.0 - call.probability) + made * call.probability
            });
        }
        let enough =
            (0..=most).flat_map(|calls| (wait_for.min(calls)..=calls).map(move |well| (calls, well)));
        Some(enough.map(|(calls, well)| now[calls][well]).sum())
    }

    /// Fills the mean calls of a service's sites, those of its callers being known.
    fn count_calls(&mut self, plan: &Plan, service: usize, own_error: f64, workload: usize) {
        // How many need no calls, since what they ask for is kept, nobody here knows.
        let visits = self.visits(plan, service, workload).filter(|_| !plan.keeps(service));
        let mut alive = visits.map(|visits| visits * (1.0 - own_error));
        for (step, edges) in plan.steps(service) {
            for (edge, call) in edges.clone().zip(&step.calls) {
                if !plan.concerns(edge, workload) {
                    continue;
                }
                // One after another a required call is repeated as long as all before it went well.
                let all_are_made = step.parallel || call.optional || !call.wait;
                let repeats = if all_are_made || call.times == 1 {
                    Some(f64::from(call.times))
                } else {
                    let fails = self.fails_in_the_end(plan, edge, workload);
                    fails.map(|fails| (0..call.times).fold(0.0, |sum, _| 1.0 + (1.0 - fails) * sum))
                };
                let made = alive.zip(repeats).map(|(alive, repeats)| alive * call.probability * repeats);
                self.calls[edge][workload] = made;
                if let Some(instead) = plan.edges[edge].fallback {
                    let fails = self.outlook[edge][workload].map(|outlook| outlook.fails);
                    self.calls[instead][workload] = made.zip(fails).map(|(made, fails)| made * fails);
                }
            }
            let survival = self.survival(plan, step, edges, workload);
            alive = alive.zip(survival).map(|(alive, survival)| alive * survival);
        }
    }

    /// Mean requests that reach a service per call of this workload's user.
    pub fn visits(&self, plan: &Plan, service: usize, workload: usize) -> Option<f64> {
        let mut sum = 0.0;
        for &edge in &self.into[service] {
            let calls = self.calls[edge][workload]?;
            if calls > 0.0 {
                sum += calls * self.attempts(plan, edge, workload)?;
            }
        }
        Some(sum)
    }

    /// Mean attempts of a call over an edge: one where none is repeated or held back, whatever becomes of it.
    fn attempts(&self, plan: &Plan, edge: usize, workload: usize) -> Option<f64> {
        let once = plan.edges[edge].does.within(QUIET.and(Does::GIVES_UP));
        if once { Some(1.0) } else { self.outlook[edge][workload].map(|outlook| outlook.attempts) }
    }

    /// What becomes of calls over an edge, if that is the same for all workloads that make them.
    pub fn of_edge(&self, edge: usize) -> Option<Outlook> {
        let mut all = (0..self.calls[edge].len()).filter(|&workload| self.calls[edge][workload] != Some(0.0));
        let first = self.outlook[edge][all.next()?]?;
        all.all(|workload| self.outlook[edge][workload].is_some_and(|other| other.p_fail == first.p_fail))
            .then_some(first)
    }

    /// Mean attempts over an edge per user's call, where only one workload has users.
    pub fn per_user_call(&self, edge: usize) -> Option<f64> {
        let [calls] = self.calls[edge].as_slice() else { return None };
        Some((*calls)? * self.outlook[edge][0]?.attempts)
    }
}

/// The share of each service's requests that fail of themselves.
fn own_errors(spec: &GraphSpec) -> Vec<f64> {
    let own = |(name, service): (&str, &ServiceSpec)| {
        let of_itself = service.around(name).fails();
        let struck = spec.faults.iter().filter(|fault| fault.on.value == name);
        struck.filter_map(|fault| fault.effect.fails()).fold(of_itself, either)
    };
    spec.services.iter().map(own).collect()
}

/// The share of messages lost over an edge, on the way there and back.
fn lost(plan: &Plan, edge: &EdgePlan) -> [f64; 2] {
    [Way::Out, Way::Back].map(|way| {
        let struck = plan.spec.faults.iter().filter(|fault| plan.strikes(fault, edge));
        let struck = struck.filter(|fault| fault.way.strikes(way));
        struck.filter_map(|fault| fault.effect.loses()).fold(0.0, either)
    })
}

/// What becomes of a call whose requests fail with probability `p_error`, which may be an approximation.
fn outlook(ran: &Ran, number: usize, (p_error, rough): (f64, bool)) -> Option<Outlook> {
    let (edge, measured) = (&ran.plan.edges[number], &ran.report.edges.0[number].1);
    let [lost_there, lost_back] = lost(ran.plan, edge);
    let lost = either(lost_there, lost_back);
    let known = edge.does.within(CALLER) && ran.plan.does[edge.callee].within(CALLEE);
    if !known || !as_foreseen(measured, lost > 0.0) {
        return None;
    }
    let policy = edge.around();
    let repeats = |outcome: Outcome| policy.all().any(|part| part.repeats(outcome));
    let mut retried = p_error == 0.0 || repeats(Outcome::Error);
    if lost > 0.0 {
        // A lost message shows as a timeout, which must show nothing else.
        if !answers_in_time(ran, edge) {
            return None;
        }
        let timeouts = repeats(Outcome::TimedOut);
        if edge.worst.attempts > 1 && timeouts != retried && p_error > 0.0 {
            return None;
        }
        retried = timeouts;
    }
    let p_fail = 1.0 - (1.0 - p_error) * (1.0 - lost_there) * (1.0 - lost_back);
    let retries = if retried { edge.worst.attempts - 1 } else { 0 };
    let unlimited = expected_attempts(p_fail, retries);
    let rationed = measured.attempts.rationed() > 0;
    let (attempts, source) = if rationed {
        let calls = measured.calls.started;
        if ran.plan.sharing(edge.clients_of).count() > 1 {
            // Others spend from the same budget.
            return None;
        }
        let clients = ran.plan.clients(edge);
        let before = measured.windows.started.iter().sum::<u64>().saturating_sub(calls);
        let seconds = ran.run.duration.as_secs_f64() - ran.run.warm_up.as_secs_f64();
        let of = Rationed { p_fail, retries, unlimited, calls, before, seconds, clients };
        policy.only(Does::RATIONS, |part| part.rationed(&of))?.1
    } else {
        (unlimited, "1 + p + .. + p^r")
    };
    // Each attempt succeeds with the same chance, whatever decided that it was made (Wald); the shorter way
    // loses no digits.
    let fails = if attempts == unlimited {
        1.0 - success_after_retries(p_fail, retries)
    } else {
        1.0 - (1.0 - p_fail) * attempts
    };
    let cut_off = measured.calls.in_flight() as f64 > MOST_CUT_OFF * measured.calls.started as f64;
    let rough = rough || cut_off || is_rough(source);
    Some(Outlook { p_fail, attempts, fails, source, rationed, rough })
}

/// Whether attempts over an edge ended well, by an error, or by a loss that can be, and calls likewise: whatever
/// else there is, nobody here knows what it does to the chances.
fn as_foreseen(edge: &Edge, loses: bool) -> bool {
    let known = [Outcome::Ok, Outcome::Error, Outcome::InFlight, Outcome::TimedOut];
    let known = if loses { &known[..] } else { &known[..3] };
    let calls = [Ending::Ok, Ending::FAILED, Ending::InFlight];
    edge.attempts.ended.none_but(known) && edge.calls.ended.none_but(&calls)
}

/// Whether whatever is not lost is answered in time: the callee calls nobody, its work has an end that no load
/// moves, nobody waited for it, and what a caller gives up is an attempt, not the call.
fn answers_in_time(ran: &Ran, edge: &EdgePlan) -> bool {
    let service = ran.plan.callee(edge);
    let independent = ran.plan.does[edge.callee].within(CALLEE.without(Does::STRETCHES));
    let nobody_waited = ran.report.services.0[edge.callee].1.windows.queue_max.iter().all(|&most| most == 0);
    let longest = service.work.nanos.max() + 2.0 * edge.network.nanos.max();
    let limit = edge.around().only(Does::GIVES_UP, |part| part.worst().attempt);
    let in_time = limit.is_some_and(|(_, limit)| longest < limit.as_nanos() as f64);
    service.calls.is_empty() && independent && nobody_waited && in_time
}
