//! What became of the requests of one class: of a tenant, or of a priority.

use crate::policy::{Ending, Outcome};
use crate::report::{Better, Fold, Latency, Response, Section, Unit, Value};
use sim_core::SimDuration;
use sim_core::stats::LatencyHistogram;

/// What is told of a class: nothing measured yet.
pub fn declared(kind: &str, at: &str, class: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let sum = |line: &str| Fold::Sum(line.into());
    Section::new(kind, format!("{at} {class}"))
        .value("calls", plain("calls that were made").of_windows(sum("calls")))
        .value("ok", plain("calls that ended well").of_windows(sum("ok")))
        .value(
            "success",
            Value::new(Unit::Share, "of the calls that ended")
                .of_windows(Fold::Ratio("ok".into(), "ended".into()))
                .better(Better::More)
                .headline(),
        )
        .value("goodput", Value::new(Unit::Rate, "calls that ended well"))
        .value("rejected", plain("calls that the service turned away, or that were never sent"))
        .value("ok_mean", Value::new(Unit::Duration, "of the calls that ended well, on average"))
        .value(
            "p50",
            Value::new(
                Unit::Duration,
                "half of all that ended were answered as fast; absent if they were not answered",
            ),
        )
        .value(
            "p99",
            Value::new(
                Unit::Duration,
                "99 % of all that ended were answered as fast; absent if they were not answered",
            ),
        )
        .line("calls", Unit::Plain, "Calls that were made in each window.")
        .line("ok", Unit::Plain, "Calls that ended well in each window.")
        .line(
            "ended",
            Unit::Plain,
            "Calls that ended in each window, well or otherwise, whenever they began.",
        )
}

/// What is counted of a class.
#[derive(Clone, Debug, Default)]
pub struct Class {
    calls: u64,
    ok: u64,
    failed: u64,
    rejected: u64,
    latency: LatencyHistogram,
    /// Made, ended well, ended: those of all calls, measured or not.
    window: [u64; 3],
    windows: [Vec<f64>; 3],
}

impl Class {
    /// A call is made.
    pub fn began(&mut self, measured: bool) {
        self.calls += u64::from(measured);
        self.window[0] += 1;
    }

    /// A call has ended so, after so long.
    pub fn ended(&mut self, end: Ending, took: SimDuration, sent: bool, measured: bool) {
        self.window[1] += u64::from(end == Ending::Ok);
        self.window[2] += 1;
        if !measured {
            return;
        }
        if end == Ending::Ok {
            self.ok += 1;
            self.latency.record(took);
        } else {
            self.failed += 1;
            self.rejected += u64::from(!sent || end == Ending::Failed(Outcome::Rejected));
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        for (windows, window) in self.windows.iter_mut().zip(&mut self.window) {
            windows.push(std::mem::take(window) as f64);
        }
    }

    /// Calls that were made, of those that are measured, and how many of them ended well and otherwise.
    pub fn counted(&self) -> [u64; 3] {
        [self.calls, self.ok, self.failed]
    }

    /// What was measured, over so long.
    pub fn section(&self, kind: &str, at: &str, class: &str, measured: SimDuration) -> Section {
        let mut section = declared(kind, at, class);
        let ended = self.ok + self.failed;
        let response = Response::of(&Latency::of(&self.latency), self.failed, &[]);
        let seconds = measured.as_secs_f64();
        section.set("calls", self.calls as f64);
        section.set("ok", self.ok as f64);
        section.set("success", (ended > 0).then(|| self.ok as f64 / ended as f64));
        section.set("goodput", (seconds > 0.0).then(|| self.ok as f64 / seconds));
        section.set("rejected", self.rejected as f64);
        section.set("ok_mean", self.latency.mean_ns().map(|ns| ns as f64));
        section.set("p50", response.p50.map(|ns| ns as f64));
        section.set("p99", response.p99.map(|ns| ns as f64));
        let [calls, ok, ended] = &self.windows;
        section.draw("calls", calls.clone());
        section.draw("ok", ok.clone());
        section.draw("ended", ended.clone());
        section
    }
}
