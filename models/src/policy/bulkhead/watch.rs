//! What the lines of one edge's clients come to: a section of the report.

use crate::report::{Better, Section, Unit, Value};
use sim_core::SimDuration;

/// What is told of them: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let value = |unit, about| Value::new(unit, about).better(Better::Less);
    Section::new("bulkheads", at)
        .value(
            "waited",
            value(Unit::Plain, "calls after the warm-up that got a place after standing in line"),
        )
        .value("gave_up", value(Unit::Plain, "calls after the warm-up that stood in line and got no place"))
        .value("wait_mean", value(Unit::Duration, "mean time in line of those that got a place there"))
        .value("wait_max", value(Unit::Duration, "the longest of these times"))
        .line("waiting", Unit::Plain, "The most calls in line in each window, of all clients together.")
}

/// Counts those in line of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    waited: u64,
    gave_up: u64,
    time: u128,
    longest: SimDuration,
    waiting: u64,
    most: u64,
    windows: Vec<f64>,
}

impl Watch {
    /// A call joins the line.
    pub fn joined(&mut self) {
        self.waiting += 1;
        self.most = self.most.max(self.waiting);
    }

    /// A call leaves it after so long: with a place, or without.
    pub fn left(&mut self, after: SimDuration, with_place: bool, measured: bool) {
        self.waiting -= 1;
        match (measured, with_place) {
            (false, _) => {}
            (true, false) => self.gave_up += 1,
            (true, true) => {
                self.waited += 1;
                self.time += u128::from(after.as_nanos());
                self.longest = self.longest.max(after);
            }
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::replace(&mut self.most, self.waiting) as f64);
    }

    /// What is told of them.
    pub fn section(self, at: &str) -> Section {
        let mut section = declared(at);
        let some = self.waited > 0;
        section.set("waited", self.waited as f64);
        section.set("gave_up", self.gave_up as f64);
        section.set("wait_mean", some.then(|| (self.time / u128::from(self.waited)) as f64));
        section.set("wait_max", some.then(|| self.longest.as_nanos() as f64));
        section.draw("waiting", self.windows);
        section
    }
}
