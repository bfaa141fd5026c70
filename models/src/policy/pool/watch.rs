//! What the pools of one edge come to: a section of the report.

use super::connections::{Back, Counts};
use crate::policy::waits::{self, Waits};
use crate::report::{Better, Fold, Section, Unit, Value};
use sim_core::SimTime;
use sim_core::stats::TimeIntegral;

/// What the section is called.
pub(super) const KIND: &str = "pools";

/// What they will tell of: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let of = |fold: fn(String) -> Fold, series: &str, about: &str| {
        Value::new(Unit::Plain, about).of_windows(fold(series.into()))
    };
    let less = |about: &str| Value::new(Unit::Plain, about).better(Better::Less);
    waits::declared(KIND, at, "attempts", "a connection")
        .value(
            "in_use_mean",
            of(Fold::Mean, "in_use", "connections in use on average, of all pools together"),
        )
        .value("in_use_max", Value::new(Unit::Plain, "and at most"))
        .value("open_mean", of(Fold::Mean, "open", "open connections on average, of all pools together"))
        .value("opened", less("connections opened after the warm-up").of_windows(Fold::Sum("opened".into())))
        .value("closed", less("connections closed after the warm-up, for whatever reason"))
        .value("leaked", less("connections that were not given back after the warm-up"))
        .value(
            "new_share",
            Value::new(
                Unit::Share,
                "share of the attempts sent after the warm-up that are the first over their connection",
            )
            .better(Better::Less),
        )
        .line("in_use", Unit::Plain, "Connections in use, mean of each window, those that leaked among them.")
        .line("open", Unit::Plain, "Open connections, idle or in use, mean of each window.")
        .line("opened", Unit::Plain, "Connections opened in each window.")
}

/// Follows the pools of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Of those who wait.
    pub waits: Waits,
    in_use: TimeIntegral,
    open: TimeIntegral,
    /// The areas of both, and the time, when the window began.
    before: (u128, u128, SimTime),
    opened: u64,
    closed: u64,
    leaked: u64,
    uses: (u64, u64),
    windows: Windows,
}

#[derive(Clone, Debug, Default)]
struct Windows {
    in_use: Vec<f64>,
    open: Vec<f64>,
    opened: Vec<f64>,
    opened_so_far: u64,
}

impl Watch {
    /// A pool had this, and has that.
    pub fn moved(&mut self, now: SimTime, from: Counts, to: Counts) {
        let in_use = |counts: Counts| u64::from(counts.lent) + u64::from(counts.lost);
        let open = |counts: Counts| in_use(counts) + u64::from(counts.idle);
        let change = |integral: &mut TimeIntegral, from: u64, to: u64| {
            if from != to {
                integral.set(now, integral.value() + to - from);
            }
        };
        change(&mut self.in_use, in_use(from), in_use(to));
        change(&mut self.open, open(from), open(to));
    }

    /// A connection is there.
    pub fn opened(&mut self) {
        self.opened += 1;
        self.windows.opened_so_far += 1;
    }

    /// Some were closed.
    pub fn closed(&mut self, some: u64) {
        self.closed += some;
    }

    /// One was given back, or not.
    pub fn came(&mut self, back: Back) {
        self.closed += u64::from(matches!(back, Back::Closed(_)));
        self.leaked += u64::from(matches!(back, Back::Lost(_)));
    }

    /// An attempt is sent over one.
    pub fn used(&mut self, is_new: bool, measured: bool) {
        if measured {
            self.uses.0 += 1;
            self.uses.1 += u64::from(is_new);
        }
    }

    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        (self.opened, self.closed, self.leaked) = (0, 0, 0);
        self.in_use.take_peak();
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.waits.close_window();
        let areas = (self.in_use.area(now), self.open.area(now), now);
        let (in_use, open, then) = std::mem::replace(&mut self.before, areas);
        let length = now.since(then).as_nanos().max(1) as f64;
        self.windows.in_use.push((areas.0 - in_use) as f64 / length);
        self.windows.open.push((areas.1 - open) as f64 / length);
        self.windows.opened.push(std::mem::take(&mut self.windows.opened_so_far) as f64);
    }

    /// What is told of them.
    pub fn section(mut self, at: &str) -> Section {
        let most = self.in_use.take_peak();
        let mut section = self.waits.fill(declared(at));
        section.set("in_use_max", most as f64);
        section.set("opened", self.opened as f64);
        section.set("closed", self.closed as f64);
        section.set("leaked", self.leaked as f64);
        let (uses, new) = self.uses;
        section.set("new_share", (uses > 0).then(|| new as f64 / uses as f64));
        section.draw("in_use", self.windows.in_use);
        section.draw("open", self.windows.open);
        section.draw("opened", self.windows.opened);
        section
    }
}
