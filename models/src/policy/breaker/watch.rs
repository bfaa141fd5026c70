//! What the breakers of one edge come to: a section of the report.

use super::{Breaker, Position, Transition, Whose};
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
pub(super) fn declared(at: &str, per_replica: bool, shared: bool) -> Section {
    let of = |fold: fn(String) -> Fold, series: &str, about| {
        Value::new(Unit::Plain, about).of_windows(fold(series.into()))
    };
    let (on_average, line) = match (per_replica, shared) {
        (false, false) => (
            "clients whose breaker lets not everything pass, on average",
            "Clients whose breaker is open or half-open at the window's end.",
        ),
        (true, false) => (
            "breakers that let not everything pass, of all replicas and clients, on average",
            "Breakers that are open or half-open at the window's end, of all replicas and clients.",
        ),
        (_, true) => (
            "breakers that let not everything pass, of those that all clients share, on average",
            "Breakers that are open or half-open at the window's end, of those that all clients share.",
        ),
    };
    let whose = if shared { "breakers" } else { "clients" };
    let section = Section::new("breakers", at)
        .value(
            "changes",
            Value::new(Unit::Plain, format!("changes of state after the warm-up, of all {whose} together")),
        )
        .value("opened", Value::new(Unit::Plain, "of them to open"))
        .value("first_opened", Value::new(Unit::Duration, "when the first of them opened"))
        .value("open_mean", of(Fold::Mean, "open", on_average))
        .value("open_max", of(Fold::Max, "open_most", "and at most"))
        .line("open", Unit::Plain, line)
        .line("open_most", Unit::Plain, "The most of them at once in each window.");
    if !per_replica {
        return section;
    }
    section.value(
        "around",
        Value::new(
            Unit::Plain,
            "attempts sent to another replica than the balancer chose first, whose breaker let nothing pass",
        ),
    )
}

/// Follows the breakers of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Those that are not closed, and the most of them at once since the window began.
    open: u64,
    most: u64,
    /// The same of each window: at its end, and the most.
    windows: Vec<f64>,
    most_of_windows: Vec<f64>,
    opened: u64,
    first_opened: Option<u64>,
    /// All of them since the beginning of the run, and how many of them were before the measurement.
    changes: Vec<Change>,
    unlisted: u64,
    before: u64,
    per_replica: bool,
    shared: bool,
    around: u64,
}

impl Watch {
    /// Of these nothing is known yet.
    pub fn new(breaker: &Breaker) -> Self {
        Watch {
            per_replica: breaker.common().whose != Whose::Service,
            shared: breaker.is_shared(),
            ..Watch::default()
        }
    }

    /// One of them took a step: the client's only one, or that for a replica. One that is shared is not of the client that
    /// happened to move it.
    pub fn stepped(&mut self, now: SimTime, client: u32, replica: Option<u32>, step: Transition) {
        let at = now.as_nanos();
        self.open += u64::from(step.from == Position::Closed);
        self.open -= u64::from(step.to == Position::Closed);
        self.most = self.most.max(self.open);
        if step.to == Position::Open {
            self.opened += 1;
            self.first_opened.get_or_insert(at);
        }
        if self.changes.len() < LISTED {
            let (from, to) = (step.from.name().into(), step.to.name().into());
            let of = (!self.shared).then_some(client);
            self.changes.push(Change { at, of, replica, from, to });
        } else {
            self.unlisted += 1;
        }
    }

    /// An attempt went elsewhere.
    pub fn went_around(&mut self, measured: bool) {
        self.around += u64::from(measured);
    }

    /// A client has forgotten its breakers, of which so many were not closed.
    pub fn forgotten(&mut self, open: u32) {
        self.open -= u64::from(open);
    }

    /// Measurement begins: what was before is listed and drawn, and not counted.
    pub fn begin(&mut self) {
        self.before = self.changes.len() as u64 + self.unlisted;
        (self.opened, self.first_opened) = (0, None);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(self.open as f64);
        self.most_of_windows.push(std::mem::replace(&mut self.most, self.open) as f64);
    }

    /// What is told of them.
    pub fn section(self, at: &str) -> Section {
        let mut section = declared(at, self.per_replica, self.shared);
        if self.per_replica {
            section.set("around", self.around as f64);
        }
        section.set("changes", (self.changes.len() as u64 + self.unlisted - self.before) as f64);
        section.set("opened", self.opened as f64);
        section.set("first_opened", self.first_opened.map(|at| at as f64));
        section.draw("open", self.windows);
        section.draw("open_most", self.most_of_windows);
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
            watch.stepped(SimTime::from_secs(client), client as u32, None, step(Closed, Open));
        }
        watch.close_window();
        watch.stepped(SimTime::from_secs(3), 1, None, step(Open, HalfOpen));
        watch.stepped(SimTime::from_secs(3), 1, None, step(HalfOpen, Closed));
        watch.close_window();
        watch.forgotten(1);
        watch.forgotten(0);
        watch.close_window();
        let told = watch.section("a->b");
        let value = |name: &str| told.values.get(name).and_then(|value| value.value);
        assert_eq!(
            (value("changes"), value("opened"), value("first_opened")),
            (Some(4.0), Some(2.0), Some(1e9))
        );
        assert_eq!(told.series[0].values, [0.0, 2.0, 1.0, 0.0]);
        assert_eq!(told.series[1].values, [0.0, 2.0, 2.0, 1.0], "what a window begins with is in it");
        let last = told.changes.last().unwrap();
        assert_eq!(
            (last.at, last.of, &*last.from, &*last.to),
            (3_000_000_000, Some(1), "half_open", "closed")
        );
    }

    #[test]
    fn what_was_before_the_measurement_is_not_counted() {
        use Position::*;
        let mut watch = Watch::default();
        watch.stepped(SimTime::from_secs(1), 0, None, step(Closed, Open));
        watch.begin();
        watch.close_window();
        watch.stepped(SimTime::from_secs(2), 0, None, step(Open, HalfOpen));
        let told = watch.section("a->b");
        let value = |name: &str| told.values.get(name).and_then(|value| value.value);
        assert_eq!((value("changes"), value("opened"), value("first_opened")), (Some(1.0), Some(0.0), None));
        assert_eq!((told.changes.len(), told.series[0].values[0]), (2, 1.0), "it is open all the same");
    }

    #[test]
    fn too_many_changes_are_counted() {
        let mut watch = Watch::default();
        for _ in 0..LISTED {
            watch.stepped(SimTime::ZERO, 0, None, step(Position::Closed, Position::Open));
            watch.stepped(SimTime::ZERO, 0, None, step(Position::HalfOpen, Position::Closed));
        }
        let told = watch.section("a->b");
        assert_eq!((told.changes.len(), told.changes_unlisted), (LISTED, LISTED as u64));
        assert_eq!(told.values.get("changes").unwrap().value, Some(2.0 * LISTED as f64));
    }
}
