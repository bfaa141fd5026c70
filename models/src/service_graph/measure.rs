//! What is counted while a graph runs, and the exact laws that the counts must obey.
//!
//! Integers throughout: see [`Graph::check_laws`] for what must agree to the last call and nanosecond.

use super::call::CallEnd;
use super::follow::Listen;
use super::state::*;
use crate::policy::Outcome;
use crate::policy::breaker::Transition;
use crate::report::{Attempts, Calls, EdgeWindows, ServiceWindows};
use sim_core::stats::{LatencyHistogram, LatencyWindows, TimeIntegral};
use sim_core::{SimDuration, SimTime};

/// More changes of state than this are counted but not listed.
const LISTED_TRANSITIONS: usize = 1_000;

/// What is counted on an edge. `calls` and `attempts` cover measured calls; the windows cover all.
#[derive(Default)]
pub struct EdgeStats {
    pub calls: Calls,
    pub attempts: Attempts,
    pub latency: LatencyHistogram,
    /// Made when the first call fails: most edges of most runs need none.
    pub latency_failed: Option<Box<LatencyHistogram>>,
    pub transitions: Vec<(SimTime, u32, Transition)>,
    pub unlisted: u64,
    /// Calls that had ended well when the warm-up ended.
    pub ok_at_warm_up: u64,
    pub window: EdgeWindow,
    pub windows: EdgeWindows,
    pub window_latency: LatencyWindows,
}

/// The window that is being filled.
#[derive(Clone, Copy, Default)]
pub struct EdgeWindow {
    started: u64,
    ok: u64,
    failed: u64,
    attempts: u64,
}

impl EdgeStats {
    #[inline]
    pub fn call_started(&mut self, measured: bool) {
        self.window.started += 1;
        self.calls.started += u64::from(measured);
    }

    #[inline]
    pub fn attempt_sent(&mut self, retry: bool, measured: bool) {
        self.window.attempts += 1;
        self.attempts.sent += u64::from(measured);
        self.attempts.retries += u64::from(measured && retry);
    }

    #[inline]
    pub fn attempt_ended(&mut self, outcome: Outcome, measured: bool) {
        let ended = &mut self.attempts;
        let count = match outcome {
            Outcome::Ok => &mut ended.ok,
            Outcome::Error => &mut ended.error,
            Outcome::Rejected => &mut ended.rejected,
            Outcome::Refused => &mut ended.refused,
            Outcome::Reset => &mut ended.reset,
            Outcome::TimedOut => &mut ended.timed_out,
            Outcome::Cancelled => &mut ended.cancelled,
            Outcome::InFlight => &mut ended.in_flight,
        };
        *count += u64::from(measured);
    }

    pub fn budget_refused(&mut self, measured: bool) {
        self.attempts.budget_refused += u64::from(measured);
    }

    #[inline]
    pub fn call_ended(&mut self, end: CallEnd, took: SimDuration, sent: u16, measured: bool) {
        if !matches!(end, CallEnd::Ok) {
            return self.call_failed(end, took, sent, measured);
        }
        self.window.ok += 1;
        self.window_latency.record(took);
        if measured {
            self.calls.ok += 1;
            self.latency.record(took);
        }
    }

    #[inline(never)]
    fn call_failed(&mut self, end: CallEnd, took: SimDuration, sent: u16, measured: bool) {
        self.window.failed += 1;
        if !measured {
            return;
        }
        self.latency_failed.get_or_insert_default().record(took);
        let calls = &mut self.calls;
        calls.never_sent += u64::from(sent == 0);
        match end {
            CallEnd::Ok => unreachable!("it did not fail"),
            CallEnd::Deadline => calls.deadline += 1,
            CallEnd::BreakerOpen => calls.breaker_open += 1,
            CallEnd::BulkheadFull => calls.bulkhead_full += 1,
            CallEnd::Cancelled => calls.cancelled += 1,
            CallEnd::Failed(cause) => {
                calls.failed += 1;
                let by = &mut calls.failed_by;
                match cause {
                    Outcome::Error => by.error += 1,
                    Outcome::Rejected => by.rejected += 1,
                    Outcome::Refused => by.refused += 1,
                    Outcome::Reset => by.reset += 1,
                    Outcome::TimedOut => by.timed_out += 1,
                    Outcome::Ok | Outcome::Cancelled | Outcome::InFlight => {
                        unreachable!("no call fails because an attempt was {cause}")
                    }
                }
            }
        }
    }

    pub fn transition(&mut self, now: SimTime, client: u32, transition: Transition) {
        if self.transitions.len() < LISTED_TRANSITIONS {
            self.transitions.push((now, client, transition));
        } else {
            self.unlisted += 1;
        }
    }

    /// Calls that have ended well, whenever they began.
    pub fn ok_so_far(&self) -> u64 {
        self.windows.ok.iter().sum::<u64>() + self.window.ok
    }

    pub fn close_window(&mut self, breakers_open: Option<u64>) {
        let window = std::mem::take(&mut self.window);
        self.windows.started.push(window.started);
        self.windows.ok.push(window.ok);
        self.windows.failed.push(window.failed);
        self.windows.attempts.push(window.attempts);
        self.windows.breakers_open.extend(breakers_open);
        self.window_latency.close();
    }
}

/// What is counted at a service.
pub struct ServiceStats {
    pub total: ServiceTotals,
    /// `total` when the warm-up ended.
    pub at_warm_up: ServiceTotals,
    /// Times spent waiting and holding workers, request by request, when the warm-up ended and when the run did.
    pub spent: [u128; 2],
    pub deaths: u64,
    /// Workers of replicas that are up.
    pub available: TimeIntegral,
    /// Own work of requests whose fate is known, in nanoseconds; of it, for nobody.
    pub work: u128,
    pub work_wasted: u128,
    pub windows: ServiceWindows,
    /// Areas when the current window began.
    window_base: ServiceTotals,
}

/// Sums since the beginning of the run.
#[derive(Clone, Copy, Default)]
pub struct ServiceTotals {
    pub arrived: u64,
    pub completed: u64,
    /// Requests that were let in: to a worker at once, or to the queue.
    pub entered: u64,
    /// Of them: to the queue.
    pub queued: u64,
    /// Requests whose work began, after a wait or at once.
    pub begun: u64,
    pub wait_ns: u128,
    pub queue_area: u128,
    pub busy_area: u128,
    pub available_area: u128,
}

impl ServiceStats {
    pub fn new(workers: u64) -> Self {
        let mut available = TimeIntegral::default();
        available.set(SimTime::ZERO, workers);
        ServiceStats {
            total: ServiceTotals::default(),
            at_warm_up: ServiceTotals::default(),
            spent: [0; 2],
            deaths: 0,
            available,
            work: 0,
            work_wasted: 0,
            windows: ServiceWindows::default(),
            window_base: ServiceTotals::default(),
        }
    }

    /// Work begins after this wait.
    #[inline]
    pub fn begun(&mut self, wait: SimDuration) {
        self.total.begun += 1;
        self.total.wait_ns += u128::from(wait.as_nanos());
    }

    #[inline]
    pub fn work(&mut self, work: SimDuration, useful: bool) {
        let work = u128::from(work.as_nanos());
        self.work += work;
        self.work_wasted += if useful { 0 } else { work };
    }

    pub fn available(&mut self, now: SimTime, change: impl Fn(u64) -> u64) {
        self.available.set(now, change(self.available.value()));
    }
}

impl Service {
    /// Sums up to `now`, areas included.
    pub fn totals(&self, now: SimTime) -> ServiceTotals {
        let mut totals = self.stats.total;
        for replica in &self.replicas {
            totals.queue_area += replica.waiting.area(now);
            totals.busy_area += replica.busy.area(now);
        }
        totals.available_area = self.stats.available.area(now);
        totals
    }

    /// What was counted after the warm-up, up to `now`.
    pub fn measured(&self, now: SimTime) -> ServiceTotals {
        let (all, before) = (self.totals(now), &self.stats.at_warm_up);
        ServiceTotals {
            arrived: all.arrived - before.arrived,
            completed: all.completed - before.completed,
            entered: all.entered - before.entered,
            queued: all.queued - before.queued,
            begun: all.begun - before.begun,
            wait_ns: all.wait_ns - before.wait_ns,
            queue_area: all.queue_area - before.queue_area,
            busy_area: all.busy_area - before.busy_area,
            available_area: all.available_area - before.available_area,
        }
    }

    fn close_window(&mut self, now: SimTime) {
        let totals = self.totals(now);
        let peak = self.replicas.iter_mut().map(|replica| replica.waiting.take_peak()).sum();
        let (base, windows) = (self.stats.window_base, &mut self.stats.windows);
        // A window of an hour has room for five million at a time; the sums of the run are exact.
        let part = |now: u128, then: u128| u64::try_from(now - then).unwrap_or(u64::MAX);
        windows.queue_ns.push(part(totals.queue_area, base.queue_area));
        windows.queue_max.push(peak);
        windows.busy_ns.push(part(totals.busy_area, base.busy_area));
        windows.available_ns.push(part(totals.available_area, base.available_area));
        self.stats.window_base = totals;
    }
}

impl<L: Listen> Graph<L> {
    /// A window of virtual time ends at `now`.
    pub fn close_window(&mut self, now: SimTime) {
        for edge in &mut self.edges {
            let open = edge.policy.breaker.is_some().then_some(edge.breakers_open);
            edge.stats.close_window(open);
        }
        for service in &mut self.services {
            service.close_window(now);
        }
    }

    /// Measurement of what is counted where it happens begins at `now`.
    pub fn end_warm_up(&mut self, now: SimTime) {
        for edge in &mut self.edges {
            edge.stats.ok_at_warm_up = edge.stats.ok_so_far();
        }
        let spent = self.spent(now);
        for (service, spent) in self.services.iter_mut().zip(spent) {
            service.stats.at_warm_up = service.totals(now);
            service.stats.spent[0] = spent;
        }
    }

    /// Asserts what must hold exactly, whatever was simulated; a violation is a bug of ours.
    ///
    /// - every attempt and every call ended in one outcome, and the sums agree on every edge;
    /// - attempts sent = calls - calls never sent + retries;
    /// - Little's law on every queue: the integral of its length over time equals the summed waits, to
    ///   the nanosecond;
    /// - the utilisation law on every replica: the integral of busy workers equals the summed times for
    ///   which workers were held; and that is at most what was available;
    /// - a queue that is never over-full: its length is what entered less what left.
    pub fn check_laws(&mut self, now: SimTime) {
        let mut calls_in_flight = vec![(0u64, 0u64); self.edges.len()];
        let mut age_ns = vec![0u128; self.edges.len()];
        let mut never_sent = vec![0u64; self.edges.len()];
        for (_, call) in self.calls.iter() {
            let edge = call.edge as usize;
            calls_in_flight[edge].0 += 1;
            if self.measures(call.started) {
                calls_in_flight[edge].1 += 1;
                age_ns[edge] += u128::from(now.since(call.started).as_nanos());
                never_sent[edge] += u64::from(call.sent == 0);
            }
        }
        for (_, attempt) in self.attempts.iter() {
            if attempt.awaited {
                let measured = self.calls[attempt.call].started >= self.measured_from;
                self.edges[attempt.edge as usize].stats.attempt_ended(Outcome::InFlight, measured);
            }
        }
        for (index, edge) in self.edges.iter_mut().enumerate() {
            let stats = &mut edge.stats;
            stats.calls.in_flight = calls_in_flight[index].1;
            stats.calls.never_sent += never_sent[index];
            stats.calls.in_flight_age = (calls_in_flight[index].1 > 0)
                .then(|| (age_ns[index] / u128::from(calls_in_flight[index].1)) as u64);
            check_edge(&edge.name, stats, calls_in_flight[index].0);
        }
        self.check_services(now);
    }

    /// For how long each replica's requests that are still waiting have waited, and for how long its workers
    /// that are still held have been.
    fn still(&self, now: SimTime) -> (Vec<Vec<u128>>, Vec<Vec<u128>>) {
        let mut waiting: Vec<Vec<u128>> =
            self.services.iter().map(|service| vec![0; service.replicas.len()]).collect();
        let mut held = waiting.clone();
        for (_, attempt) in self.attempts.iter() {
            let id = self.edges[attempt.edge as usize].callee as usize;
            let service = &self.services[id];
            let since = |from: SimTime| u128::from(now.since(from).as_nanos());
            match attempt.server {
                Server::Queued => waiting[id][service.queue_of(attempt.replica)] += since(attempt.since),
                Server::Working => held[id][attempt.replica as usize] += since(attempt.since),
                Server::Waiting if service.blocking => {
                    held[id][attempt.replica as usize] += since(attempt.since);
                }
                _ => {}
            }
        }
        (waiting, held)
    }

    /// What the requests of each service have spent waiting and holding workers, summed request by request.
    fn spent(&self, now: SimTime) -> Vec<u128> {
        let (waiting, held) = self.still(now);
        let over = self.services.iter().map(|service| {
            service.replicas.iter().map(|replica| replica.waited + replica.held).sum::<u128>()
        });
        let still = waiting.iter().zip(&held).map(|(waiting, held)| waiting.iter().chain(held).sum::<u128>());
        over.zip(still).map(|(over, still)| over + still).collect()
    }

    fn check_services(&mut self, now: SimTime) {
        for (spent, service) in self.spent(now).into_iter().zip(&mut self.services) {
            service.stats.spent[1] = spent;
        }
        let (still_waiting, still_held) = self.still(now);
        for (id, service) in self.services.iter().enumerate() {
            for (number, replica) in service.replicas.iter().enumerate() {
                let at = || format!("{}[{number}]", service.name);
                let waits = replica.waited + still_waiting[id][number];
                assert_eq!(replica.waiting.area(now), waits, "Little's law on the queue of {}", at());
                assert_eq!(
                    replica.waiting.value(),
                    replica.queue.len() as u64,
                    "length of the queue of {}",
                    at()
                );
                let held = replica.held + still_held[id][number];
                assert_eq!(replica.busy.area(now), held, "utilisation law at {}", at());
                assert!(replica.busy.value() <= u64::from(service.workers), "workers of {}", at());
            }
            let totals = service.totals(now);
            assert!(totals.busy_area <= totals.available_area, "utilisation of {} above 1", service.name);
        }
    }
}

fn check_edge(name: &str, stats: &EdgeStats, in_flight: u64) {
    let Calls { started, ok, failed, deadline, breaker_open, bulkhead_full, cancelled, .. } = stats.calls;
    let calls = &stats.calls;
    let ended = ok + failed + deadline + breaker_open + bulkhead_full + cancelled;
    assert_eq!(started, ended + calls.in_flight, "calls on {name}: started = sum of outcomes");
    let by = &calls.failed_by;
    assert_eq!(failed, by.error + by.rejected + by.refused + by.reset + by.timed_out, "causes on {name}");
    let sent = &stats.attempts;
    let outcomes = sent.ok + sent.error + sent.rejected + sent.refused + sent.reset + sent.timed_out;
    assert_eq!(sent.sent, outcomes + sent.cancelled + sent.in_flight, "attempts on {name}: sum of outcomes");
    assert_eq!(sent.sent, started - calls.never_sent + sent.retries, "attempts on {name}: calls and retries");
    assert_eq!(stats.latency.count(), ok, "latencies on {name}");
    let windows = |series: &[u64], open: u64| series.iter().sum::<u64>() + open;
    let all = windows(&stats.windows.started, stats.window.started);
    let done =
        windows(&stats.windows.ok, stats.window.ok) + windows(&stats.windows.failed, stats.window.failed);
    assert_eq!(all, done + in_flight, "calls on {name}, warm-up included");
}
