//! What is counted while a graph runs: integers throughout, so that `laws` can hold them to the last call and
//! nanosecond.

use crate::policy::{Denied, Ending, Outcome};
use crate::report::{Attempts, Calls, Cohorts, EdgeWindows, Latency, Named, Response, ServiceWindows};
use sim_core::stats::count;
use sim_core::stats::{LatencyHistogram, LatencyWindows, TimeIntegral};
use sim_core::{SimDuration, SimTime};

/// What is counted on an edge. `began` and `attempts` cover measured calls; the windows cover all.
#[derive(Clone, Default)]
pub struct EdgeStats {
    /// Calls made and attempts sent, of calls by the stretch in which they began.
    pub started: PerStretch,
    pub sent: PerStretch,
    /// What became of them: one for each stretch that is measured.
    pub began: Vec<Began>,
    /// How measured attempts ended, and which they were; how many were sent is in `began`.
    pub attempts: Attempts,
    /// Calls that had ended well when each stretch began.
    pub ok_before: Vec<u64>,
    pub window: EdgeWindow,
    /// Of `started` and `sent`, what the windows hold that are closed.
    closed: (u64, u64),
    pub windows: EdgeWindows,
    /// How measured calls failed: those ways that there were.
    failed_by: Vec<Way>,
    pub window_latency: LatencyWindows,
    /// On an edge of users.
    pub cohorts: Option<Box<Cohorts>>,
}

/// A way in which calls failed, window by window.
#[derive(Clone)]
struct Way {
    end: Ending,
    so_far: u64,
    windows: Vec<u64>,
}

/// Stretches of a run that are told apart at most: before, during and after what disturbs it.
const STRETCHES: usize = 3;

/// What is not measured belongs to no stretch: the first of them is 1.
pub const UNMEASURED: u8 = 0;

/// How many of each stretch; the first are those that are not measured.
pub type PerStretch = [u64; STRETCHES + 1];

/// What is counted of the calls that began in one stretch.
#[derive(Clone, Default)]
pub struct Began {
    pub calls: Calls,
    /// Attempts sent.
    pub sent: u64,
    pub latency: LatencyHistogram,
    /// Made when the first call fails: most edges of most runs need none.
    pub latency_failed: Option<Box<LatencyHistogram>>,
    /// How long those have waited that are still out when the run ends; made if there are any.
    pub waiting: Option<Box<LatencyHistogram>>,
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

/// The window that is being filled: what is not counted for stretches, too.
#[derive(Clone, Copy, Default)]
pub struct EdgeWindow {
    pub ok: u64,
    pub failed: u64,
    pub never_sent: u64,
}

impl EdgeStats {
    #[inline]
    pub fn call_started(&mut self, stretch: u8) {
        count(&mut self.started[usize::from(stretch) & STRETCHES]);
    }

    /// Of calls that began in this stretch, if they are measured.
    #[inline]
    pub fn began(&mut self, stretch: u8) -> Option<&mut Began> {
        self.began.get_mut(usize::from(stretch).wrapping_sub(1))
    }

    #[inline]
    pub fn attempt_sent(&mut self, which: Which, stretch: u8) {
        count(&mut self.sent[usize::from(stretch) & STRETCHES]);
        if stretch != UNMEASURED {
            match which {
                Which::First => {}
                Which::Repeat => count(&mut self.attempts.retries),
                Which::Copy => count(&mut self.attempts.copies),
            }
        }
    }

    #[inline]
    pub fn attempt_ended(&mut self, outcome: Outcome, measured: bool) {
        if measured {
            count(&mut self.attempts.ended[outcome]);
        }
    }

    pub fn denied(&mut self, by: Denied, measured: bool) {
        self.attempts.denied[by] += u64::from(measured);
    }

    #[inline(always)]
    pub fn call_ended(&mut self, end: Ending, took: SimDuration, sent: u16, stretch: u8) {
        if !matches!(end, Ending::Ok) {
            return self.call_failed(end, took, sent, stretch);
        }
        count(&mut self.window.ok);
        self.window_latency.record(took);
        if let Some(began) = self.began(stretch) {
            began.latency.record(took);
        }
    }

    #[inline(never)]
    fn call_failed(&mut self, end: Ending, took: SimDuration, sent: u16, stretch: u8) {
        count(&mut self.window.failed);
        if sent == 0 {
            count(&mut self.window.never_sent);
        }
        let Some(began) = self.began(stretch) else { return };
        began.latency_failed.get_or_insert_default().record(took);
        began.calls.count(end);
        if sent == 0 {
            count(&mut began.calls.never_sent);
        }
    }

    /// The next stretch begins.
    pub fn stretch_begins(&mut self) {
        let (ok, sum) = (self.ok_so_far(), |series: &[u64]| series.iter().sum::<u64>());
        let in_hand = self.started_so_far() - ok - sum(&self.windows.failed) - self.window.failed;
        self.began[self.ok_before.len()].calls.in_hand_before = in_hand;
        self.ok_before.push(ok);
    }

    /// The run is over: what was counted for all stretches at once is handed to each.
    pub fn settle(&mut self) {
        for (number, began) in self.began.iter_mut().enumerate() {
            (began.calls.started, began.sent) = (self.started[number + 1], self.sent[number + 1]);
            began.calls.ended[Ending::Ok] = began.latency.count();
        }
    }

    /// All that is measured.
    pub fn whole(&self) -> Began {
        let mut whole = Began::default();
        let add = |into: &mut Option<Box<LatencyHistogram>>, more: &Option<Box<LatencyHistogram>>| {
            if let Some(more) = more {
                into.get_or_insert_default().add(more);
            }
        };
        for began in &self.began {
            whole.calls.add_all(&began.calls);
            whole.sent += began.sent;
            whole.latency.add(&began.latency);
            add(&mut whole.latency_failed, &began.latency_failed);
            add(&mut whole.waiting, &began.waiting);
        }
        whole.calls.in_hand_before = self.began[0].calls.in_hand_before;
        whole.calls.in_flight_age = whole.mean_age();
        whole
    }

    /// Calls that were made, whenever they began.
    pub fn started_so_far(&self) -> u64 {
        self.started.iter().sum()
    }

    /// Calls that have ended well, whenever they began.
    pub fn ok_so_far(&self) -> u64 {
        self.windows.ok.iter().sum::<u64>() + self.window.ok
    }

    /// Calls that have ended otherwise.
    pub fn failed_so_far(&self) -> u64 {
        self.windows.failed.iter().sum::<u64>() + self.window.failed
    }

    pub fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        if window.failed > 0 {
            self.tell_ways();
        }
        let so_far = (self.started_so_far(), self.sent.iter().sum());
        let before = std::mem::replace(&mut self.closed, so_far);
        self.windows.started.push(so_far.0 - before.0);
        self.windows.ok.push(window.ok);
        self.windows.failed.push(window.failed);
        self.windows.attempts.push(so_far.1 - before.1);
        self.windows.never_sent.push(window.never_sent);
        self.window_latency.close();
        if let Some(cohorts) = &mut self.cohorts {
            cohorts.close_window();
        }
    }
}

impl EdgeStats {
    /// Of the window that is closed: how its calls failed, from what was counted in all.
    #[cold]
    fn tell_ways(&mut self) {
        let window = self.windows.failed.len();
        for end in Ending::in_order().filter(|end| !matches!(end, Ending::Ok | Ending::InFlight)) {
            let so_far: u64 = self.began.iter().map(|began| began.calls.of(end)).sum();
            let way = match self.failed_by.iter_mut().find(|way| way.end == end) {
                Some(way) => way,
                None if so_far == 0 => continue,
                None => {
                    self.failed_by.push(Way { end, so_far: 0, windows: Vec::new() });
                    self.failed_by.last_mut().expect("it was pushed")
                }
            };
            way.windows.resize(window, 0);
            way.windows.push(so_far - way.so_far);
            way.so_far = so_far;
        }
    }

    /// How measured calls failed, as many windows as there are of all else.
    pub fn failed_by(&self) -> Named<Vec<u64>> {
        let windows = self.windows.failed.len();
        let told = |way: &Way| {
            let mut series = way.windows.clone();
            series.resize(windows, 0);
            (way.end.name().to_owned(), series)
        };
        Named(self.failed_by.iter().map(told).collect())
    }
}

impl Began {
    /// Another is still out when the run ends.
    pub fn still_out(&mut self, age: SimDuration, sent: u16) {
        self.calls.ended[Ending::InFlight] += 1;
        self.calls.never_sent += u64::from(sent == 0);
        self.waiting.get_or_insert_default().record(age);
    }

    /// Of those that are still out.
    pub fn mean_age(&self) -> Option<u64> {
        self.waiting.as_ref().and_then(|ages| ages.mean_ns())
    }

    /// Response times: of all, of those that ended well, of those that did not.
    pub fn times(&self) -> (Response, Latency, Latency) {
        let latency = Latency::of(&self.latency);
        let failed = self.latency_failed.as_deref().map_or_else(Latency::default, Latency::of);
        let waiting = self.waiting.as_deref().map_or_else(Vec::new, LatencyHistogram::recorded);
        (Response::of(&latency, self.calls.ended_badly(), &waiting), latency, failed)
    }
}

/// What is counted at a service.
#[derive(Clone)]
pub struct ServiceStats {
    pub total: ServiceTotals,
    /// `total` when the warm-up ended.
    pub at_warm_up: ServiceTotals,
    /// Times spent waiting and holding workers, request by request, when the warm-up ended and when the run did.
    pub spent: [u128; 2],
    /// Workers of replicas that are up, or what they share.
    pub available: TimeIntegral,
    /// Own work of requests whose fate is known, in nanoseconds; of it, for nobody.
    pub work: u128,
    pub work_wasted: u128,
    /// And of it: for requests that failed in the end, after it had come back.
    pub work_in_vain: u128,
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
    /// Requests that left because they were called off.
    pub called_off: u64,
    /// Requests whose turn came when nobody waited for them any more.
    pub expired: u64,
    /// Requests that were turned away when their turn came.
    pub turned_away: u64,
    pub wait_ns: u128,
    pub queue_area: u128,
    /// Of workers that are held.
    pub busy_area: u128,
    /// Of what they use of what is available: all of it, unless they share that.
    pub used_area: u128,
    pub available_area: u128,
    /// Requests that wait at that moment: no sum, and known of moments only.
    pub waiting: u64,
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
            work_in_vain: 0,
            windows: ServiceWindows::default(),
            window_base: ServiceTotals::default(),
        }
    }

    /// Work begins after this wait.
    #[inline]
    pub fn begun(&mut self, wait: SimDuration) {
        count(&mut self.total.begun);
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
