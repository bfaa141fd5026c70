//! What is counted while a graph runs: integers throughout, so that `laws` can hold them to the last call and
//! nanosecond.

use crate::policy::{Denied, Ending, Outcome};
use crate::report::{Attempts, Calls, Cohorts, EdgeWindows, ServiceWindows};
use sim_core::stats::{LatencyHistogram, LatencyWindows, TimeIntegral};
use sim_core::{SimDuration, SimTime};

/// What is counted on an edge. `calls` and `attempts` cover measured calls; the windows cover all.
#[derive(Default)]
pub struct EdgeStats {
    pub calls: Calls,
    pub attempts: Attempts,
    /// Attempts that were sent while another of their call was out.
    pub copies: u64,
    pub latency: LatencyHistogram,
    /// Made when the first call fails: most edges of most runs need none.
    pub latency_failed: Option<Box<LatencyHistogram>>,
    /// Calls that had ended well when the warm-up ended.
    pub ok_at_warm_up: u64,
    pub window: EdgeWindow,
    pub windows: EdgeWindows,
    pub window_latency: LatencyWindows,
    /// On an edge of users.
    pub cohorts: Option<Box<Cohorts>>,
}

/// Which of the attempts of its call one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    /// Sent after all before it had failed.
    Repeat,
    /// Sent while another was out.
    Copy,
}

/// The window that is being filled.
#[derive(Clone, Copy, Default)]
pub struct EdgeWindow {
    pub started: u64,
    pub ok: u64,
    pub failed: u64,
    pub attempts: u64,
}

impl EdgeStats {
    #[inline]
    pub fn call_started(&mut self, measured: bool) {
        self.window.started += 1;
        self.calls.started += u64::from(measured);
    }

    #[inline]
    pub fn attempt_sent(&mut self, which: Which, measured: bool) {
        self.window.attempts += 1;
        if measured {
            self.attempts.sent += 1;
            match which {
                Which::First => {}
                Which::Repeat => self.attempts.retries += 1,
                Which::Copy => self.copies += 1,
            }
        }
    }

    #[inline]
    pub fn attempt_ended(&mut self, outcome: Outcome, measured: bool) {
        self.attempts.ended[outcome] += u64::from(measured);
    }

    pub fn denied(&mut self, by: Denied, measured: bool) {
        self.attempts.denied[by] += u64::from(measured);
    }

    #[inline(always)]
    pub fn call_ended(&mut self, end: Ending, took: SimDuration, sent: u16, measured: bool) {
        if !matches!(end, Ending::Ok) {
            return self.call_failed(end, took, sent, measured);
        }
        self.window.ok += 1;
        self.window_latency.record(took);
        if measured {
            self.calls.ended[Ending::Ok] += 1;
            self.latency.record(took);
        }
    }

    #[inline(never)]
    fn call_failed(&mut self, end: Ending, took: SimDuration, sent: u16, measured: bool) {
        self.window.failed += 1;
        if !measured {
            return;
        }
        self.latency_failed.get_or_insert_default().record(took);
        self.calls.never_sent += u64::from(sent == 0);
        self.calls.add(end, 1);
    }

    /// Calls that have ended well, whenever they began.
    pub fn ok_so_far(&self) -> u64 {
        self.windows.ok.iter().sum::<u64>() + self.window.ok
    }

    pub fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        self.windows.started.push(window.started);
        self.windows.ok.push(window.ok);
        self.windows.failed.push(window.failed);
        self.windows.attempts.push(window.attempts);
        self.window_latency.close();
        if let Some(cohorts) = &mut self.cohorts {
            cohorts.close_window();
        }
    }
}

/// What is counted at a service.
pub struct ServiceStats {
    pub total: ServiceTotals,
    /// `total` when the warm-up ended.
    pub at_warm_up: ServiceTotals,
    /// Times spent waiting and holding workers, request by request, when the warm-up ended and when the run did.
    pub spent: [u128; 2],
    /// Workers of replicas that are up.
    pub available: TimeIntegral,
    /// Own work of requests whose fate is known, in nanoseconds; of it, for nobody.
    pub work: u128,
    pub work_wasted: u128,
    pub windows: ServiceWindows,
    /// Areas when the current window began.
    pub window_base: ServiceTotals,
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
    /// Replicas that died of their load.
    pub deaths: u64,
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
        if !useful {
            self.work_wasted += work;
        }
    }

    pub fn available(&mut self, now: SimTime, change: impl Fn(u64) -> u64) {
        self.available.set(now, change(self.available.value()));
    }
}
