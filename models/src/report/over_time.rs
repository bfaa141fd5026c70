//! What is counted window by window, while a model runs and when its report is written.

use super::edge::EdgeWindows;
use super::head::RunFacts;
use super::timeline::Series;
use sim_core::SimDuration;
use sim_core::stats::LatencyWindows;

/// The calls of one edge over time: the window that is being filled, and those that are over.
#[derive(Clone, Debug, Default)]
pub struct CallWindows {
    filling: Filling,
    closed: EdgeWindows,
    latency: LatencyWindows,
}

#[derive(Clone, Copy, Debug, Default)]
struct Filling {
    started: u64,
    ok: u64,
    failed: u64,
    attempts: u64,
}

impl CallWindows {
    /// A call begins.
    pub fn started(&mut self) {
        self.filling.started += 1;
    }

    /// An attempt is sent.
    pub fn attempt(&mut self) {
        self.filling.attempts += 1;
    }

    /// A call has ended well, so long after it began.
    pub fn ok(&mut self, took: SimDuration) {
        self.filling.ok += 1;
        self.latency.record(took);
    }

    /// A call has ended otherwise.
    pub fn failed(&mut self) {
        self.filling.failed += 1;
    }

    /// Ends the current window.
    pub fn close(&mut self) {
        let Filling { started, ok, failed, attempts } = std::mem::take(&mut self.filling);
        self.closed.started.push(started);
        self.closed.ok.push(ok);
        self.closed.failed.push(failed);
        self.closed.attempts.push(attempts);
        self.latency.close();
    }

    /// The windows that are over, as an edge reports them. What the last window holds is lost unless it is closed.
    pub fn closed(&self) -> EdgeWindows {
        let latency = self.latency.closed().map(<[_]>::to_vec).collect();
        EdgeWindows { latency, ..self.closed.clone() }
    }
}

impl RunFacts {
    /// How long this window is, in seconds: the last one may be shorter than the others.
    pub fn seconds_of(&self, window: usize) -> f64 {
        self.window.min(self.duration - self.window * window as u64) as f64 / 1e9
    }
}

impl Series {
    /// How many per second in each window.
    pub fn per_second(name: impl Into<String>, counts: &[u64], run: &RunFacts) -> Self {
        let rate = |(window, &count): (usize, &u64)| count as f64 / run.seconds_of(window);
        Series {
            name: name.into(),
            unit: "/s".into(),
            values: counts.iter().enumerate().map(rate).collect(),
            ..Series::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_last_window_has_a_rate_of_its_own() {
        let run = RunFacts { duration: 2_500_000_000, window: 1_000_000_000, ..RunFacts::default() };
        let series = Series::per_second("offered", &[10, 0, 10], &run);
        assert_eq!((series.values, series.unit.as_str()), (vec![10.0, 0.0, 20.0], "/s"));
    }

    #[test]
    fn what_happens_is_counted_in_its_window() {
        let mut windows = CallWindows::default();
        windows.started();
        windows.attempt();
        windows.started();
        windows.close();
        windows.attempt();
        windows.ok(SimDuration::from_millis(5));
        windows.failed();
        windows.close();
        windows.started();
        let closed = windows.closed();
        assert_eq!((closed.started, closed.attempts), (vec![2, 0], vec![1, 1]));
        assert_eq!((closed.ok, closed.failed), (vec![0, 1], vec![0, 1]));
        let latencies: Vec<usize> = closed.latency.iter().map(Vec::len).collect();
        assert_eq!(latencies, [0, 1]);
    }
}
