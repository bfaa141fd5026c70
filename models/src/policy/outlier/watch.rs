//! What the ejections of all clients of one edge come to: a section of the report.

use super::state::OutlierState;
use crate::report::{Better, Change, Fold, Section, Unit, Value};
use sim_core::SimTime;
use sim_core::stats::TimeIntegral;

/// More changes than this are counted but not listed.
const LISTED: usize = 1_000;

/// What they will tell of: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let of = |fold: fn(String) -> Fold, series: &str, about: &str| {
        Value::new(Unit::Plain, about).of_windows(fold(series.into()))
    };
    Section::new("outliers", at)
        .value(
            "ejections",
            of(Fold::Sum, "ejections", "replicas ejected after the warm-up, of all clients together"),
        )
        .value(
            "spared",
            Value::new(Unit::Plain, "and those that were not, since too many would have been out"),
        )
        .value(
            "ejected_mean",
            of(Fold::Mean, "ejected", "replicas that are out on average, of all clients together"),
        )
        .value("ejected_max", Value::new(Unit::Plain, "and at most"))
        .value(
            "in_panic",
            of(Fold::Sum, "in_panic", "attempts for which all were chosen again, since too few were left")
                .better(Better::Less),
        )
        .line("ejected", Unit::Plain, "Replicas that are out, mean of each window, of all clients together.")
        .line("ejections", Unit::Plain, "Replicas ejected in each window.")
        .line("in_panic", Unit::Plain, "Attempts for which all were chosen again, in each window.")
}

/// Follows those of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    ejected: TimeIntegral,
    /// The area, and the time, when the window began.
    before: (u128, SimTime),
    ejections: u64,
    spared: u64,
    in_panic: u64,
    /// Of the window: ejections, and picks in panic.
    window: (u64, u64),
    windows: [Vec<f64>; 3],
    changes: Vec<Change>,
    unlisted: u64,
}

impl Watch {
    /// A client has looked, or heard something.
    pub fn looked(&mut self, now: SimTime, client: u32, outliers: &mut OutlierState) {
        let (moved, spared) = outliers.untold();
        self.spared += u64::from(spared);
        for moved in moved {
            let (states, out) = match moved.ejected {
                true => (["in", "ejected"], self.ejected.value() + 1),
                false => (["ejected", "in"], self.ejected.value() - 1),
            };
            self.ejected.set(now, out);
            self.ejections += u64::from(moved.ejected);
            self.window.0 += u64::from(moved.ejected);
            if self.changes.len() < LISTED {
                let [from, to] = states.map(Into::into);
                let (of, replica) = (Some(client), Some(moved.replica));
                self.changes.push(Change { at: now.as_nanos(), of, replica, from, to });
            } else {
                self.unlisted += 1;
            }
        }
    }

    /// For so many attempts all were chosen again.
    pub fn panicked(&mut self, attempts: u32) {
        self.in_panic += u64::from(attempts);
        self.window.1 += u64::from(attempts);
    }

    /// A client has forgotten whom it had ejected.
    pub fn forgotten(&mut self, now: SimTime, outliers: &OutlierState) {
        self.ejected.set(now, self.ejected.value() - u64::from(outliers.ejected()));
    }

    /// Measurement begins: what was before is listed and drawn, and not counted.
    pub fn begin(&mut self) {
        (self.ejections, self.spared, self.in_panic) = (0, 0, 0);
        self.ejected.take_peak();
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.ejected.area(now);
        let (before, then) = std::mem::replace(&mut self.before, (area, now));
        let length = now.since(then).as_nanos().max(1) as f64;
        let (ejections, in_panic) = std::mem::take(&mut self.window);
        let values = [(area - before) as f64 / length, ejections as f64, in_panic as f64];
        self.windows.iter_mut().zip(values).for_each(|(line, value)| line.push(value));
    }

    /// What is told of them.
    pub fn section(mut self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("ejections", self.ejections as f64);
        section.set("spared", self.spared as f64);
        section.set("in_panic", self.in_panic as f64);
        section.set("ejected_max", self.ejected.take_peak() as f64);
        for (name, values) in ["ejected", "ejections", "in_panic"].into_iter().zip(self.windows) {
            section.draw(name, values);
        }
        Section { changes: self.changes, changes_unlisted: self.unlisted, ..section }
    }
}
