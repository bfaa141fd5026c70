//! What the calls of one edge's clients, or their attempts, wait for what a guard lets one have at a time: a section of the report.

use crate::report::{Better, Section, Unit, Value};
use sim_core::SimDuration;

/// A section of this name about `who` waits for `what`: nothing measured yet.
pub(super) fn declared(name: &'static str, at: &str, who: &str, what: &str) -> Section {
    let value = |unit, about: String| Value::new(unit, about).better(Better::Less);
    Section::new(name, at)
        .value(
            "waited",
            value(Unit::Plain, format!("{who} after the warm-up that got {what} after standing in line")),
        )
        .value(
            "gave_up",
            value(
                Unit::Plain,
                format!("{who} after the warm-up that stood in line and got no {}", bare(what)),
            ),
        )
        .value(
            "wait_mean",
            value(Unit::Duration, format!("mean time in line of those that got {what} there")),
        )
        .value("wait_max", value(Unit::Duration, "the longest of these times".into()))
        .line(
            "waiting",
            Unit::Plain,
            &format!("The most {who} in line in each window, of all clients together."),
        )
}

/// Without its article.
fn bare(what: &str) -> &str {
    what.split_once(' ').map_or(what, |(_, bare)| bare)
}

/// Counts those in line of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    waited: u64,
    gave_up: u64,
    time: u128,
    longest: SimDuration,
    waiting: u64,
    most: u64,
    windows: Vec<f64>,
}

impl Waits {
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

    /// What was measured, in this section.
    pub(super) fn fill(self, mut section: Section) -> Section {
        let some = self.waited > 0;
        section.set("waited", self.waited as f64);
        section.set("gave_up", self.gave_up as f64);
        section.set("wait_mean", some.then(|| (self.time / u128::from(self.waited)) as f64));
        section.set("wait_max", some.then(|| self.longest.as_nanos() as f64));
        section.draw("waiting", self.windows);
        section
    }
}
