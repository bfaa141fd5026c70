//! What the breakers of one edge come to: a section of the report.

use super::{Position, Transition};
use crate::report::{Change, Fold, Section, Unit, Value};
use sim_core::SimTime;

/// More changes than this are counted but not listed.
const LISTED: usize = 1_000;

impl Position {
    /// As reports name it.
    const fn name(self) -> &'static str {
        match self {
            Position::Closed => "closed",
            Position::Open => "open",
            Position::HalfOpen => "half_open",
        }
    }
}

/// What they will tell of: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let of_open =
        |fold: fn(String) -> Fold, about| Value::new(Unit::Plain, about).of_windows(fold("open".into()));
    Section::new("breakers", at)
        .value(
            "changes",
            Value::new(Unit::Plain, "changes of state after the warm-up, of all clients together"),
        )
        .value("opened", Value::new(Unit::Plain, "of them to open"))
        .value("first_opened", Value::new(Unit::Duration, "when the first of them opened"))
        .value("open_mean", of_open(Fold::Mean, "clients whose breaker lets not everything pass, on average"))
        .value("open_max", of_open(Fold::Max, "and at most"))
        .line("open", Unit::Plain, "Clients whose breaker is open or half-open at the window's end.")
}

/// Follows the breakers of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Those that are not closed.
    open: u64,
    /// The same at the end of each window.
    windows: Vec<f64>,
    opened: u64,
    first_opened: Option<u64>,
    /// All of them since the beginning of the run, and how many of them were before the measurement.
    changes: Vec<Change>,
    unlisted: u64,
    before: u64,
}

impl Watch {
    /// One of them took a step.
    pub fn stepped(&mut self, now: SimTime, client: u32, step: Transition) {
        let at = now.as_nanos();
        self.open += u64::from(step.from == Position::Closed);
        self.open -= u64::from(step.to == Position::Closed);
        if step.to == Position::Open {
            self.opened += 1;
            self.first_opened.get_or_insert(at);
        }
        if self.changes.len() < LISTED {
            let (from, to) = (step.from.name().into(), step.to.name().into());
            self.changes.push(Change { at, of: client, from, to });
        } else {
            self.unlisted += 1;
        }
    }

    /// A client has forgotten its breaker, which stood there.
    pub fn forgotten(&mut self, position: Position) {
        self.open -= u64::from(position != Position::Closed);
    }

    /// Measurement begins: what was before is listed and drawn, and not counted.
    pub fn begin(&mut self) {
        self.before = self.changes.len() as u64 + self.unlisted;
        (self.opened, self.first_opened) = (0, None);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(self.open as f64);
    }

    /// What is told of them.
    pub fn section(self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("changes", (self.changes.len() as u64 + self.unlisted - self.before) as f64);
        section.set("opened", self.opened as f64);
        section.set("first_opened", self.first_opened.map(|at| at as f64));
        section.draw("open", self.windows);
        Section { changes: self.changes, changes_unlisted: self.unlisted, ..section }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: Position, to: Position) -> Transition {
        Transition { from, to }
    }

    #[test]
    fn what_is_told_of_them() {
        use Position::*;
        let mut watch = Watch::default();
        watch.close_window();
        for client in [1, 2] {
            watch.stepped(SimTime::from_secs(client), client as u32, step(Closed, Open));
        }
        watch.close_window();
        watch.stepped(SimTime::from_secs(3), 1, step(Open, HalfOpen));
        watch.stepped(SimTime::from_secs(3), 1, step(HalfOpen, Closed));
        watch.close_window();
        watch.forgotten(Open);
        watch.forgotten(Closed);
        watch.close_window();
        let told = watch.section("a->b");
        let value = |name: &str| told.values.get(name).and_then(|value| value.value);
        assert_eq!(
            (value("changes"), value("opened"), value("first_opened")),
            (Some(4.0), Some(2.0), Some(1e9))
        );
        assert_eq!(told.series[0].values, [0.0, 2.0, 1.0, 0.0]);
        let last = told.changes.last().unwrap();
        assert_eq!((last.at, last.of, &*last.from, &*last.to), (3_000_000_000, 1, "half_open", "closed"));
    }

    /// Half-open is not closed: who forgets that is not open any more either.
    #[test]
    fn a_breaker_that_is_forgotten_is_open_no_more() {
        use Position::*;
        for (steps, position) in [
            (vec![], Closed),
            (vec![(Closed, Open)], Open),
            (vec![(Closed, Open), (Open, HalfOpen)], HalfOpen),
        ] {
            let mut watch = Watch::default();
            steps.iter().for_each(|&(from, to)| watch.stepped(SimTime::ZERO, 0, step(from, to)));
            watch.forgotten(position);
            watch.close_window();
            assert_eq!(watch.section("a->b").series[0].values, [0.0], "{position:?}");
        }
    }

    #[test]
    fn what_was_before_the_measurement_is_not_counted() {
        use Position::*;
        let mut watch = Watch::default();
        watch.stepped(SimTime::from_secs(1), 0, step(Closed, Open));
        watch.begin();
        watch.close_window();
        watch.stepped(SimTime::from_secs(2), 0, step(Open, HalfOpen));
        let told = watch.section("a->b");
        let value = |name: &str| told.values.get(name).and_then(|value| value.value);
        assert_eq!((value("changes"), value("opened"), value("first_opened")), (Some(1.0), Some(0.0), None));
        assert_eq!((told.changes.len(), told.series[0].values[0]), (2, 1.0), "it is open all the same");
    }

    #[test]
    fn too_many_changes_are_counted() {
        let mut watch = Watch::default();
        for _ in 0..LISTED {
            watch.stepped(SimTime::ZERO, 0, step(Position::Closed, Position::Open));
            watch.stepped(SimTime::ZERO, 0, step(Position::HalfOpen, Position::Closed));
        }
        let told = watch.section("a->b");
        assert_eq!((told.changes.len(), told.changes_unlisted), (LISTED, LISTED as u64));
        assert_eq!(told.values.get("changes").unwrap().value, Some(2.0 * LISTED as f64));
    }
}
