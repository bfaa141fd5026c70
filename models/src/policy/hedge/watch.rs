//! What the copies of one edge come to: a section of the report.

use super::Hedge;
use crate::report::{Section, Unit, Value};

/// What is told of them: nothing measured yet.
pub(super) fn declared(at: &str, tied: bool) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let section = Section::new("hedges", at)
        .value(
            "copies",
            plain("copies sent after the warm-up, each while another attempt of its call was out"),
        )
        .value("won", plain("calls that a copy answered"))
        .value("won_share", Value::new(Unit::Share, "of the copies, those that answered their call"))
        .line("copies", Unit::Plain, "Copies sent in each window.");
    if !tied {
        return section;
    }
    section.value(
        "left",
        plain("attempts that left a queue, or never joined it, because another of their call was begun with"),
    )
}

/// Counts the copies of all clients of one edge.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    copies: u64,
    won: u64,
    /// Of tied ones, those that left.
    left: Option<u64>,
    window: u64,
    windows: Vec<f64>,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(hedge: &Hedge) -> Self {
        Watch { left: hedge.tied.then_some(0), ..Watch::default() }
    }

    /// One left because another was begun with.
    pub fn left(&mut self, measured: bool) {
        self.left.iter_mut().for_each(|left| *left += u64::from(measured));
    }

    /// A copy was sent.
    pub fn copied(&mut self, measured: bool) {
        self.copies += u64::from(measured);
        self.window += 1;
    }

    /// One answered its call.
    pub fn won(&mut self, measured: bool) {
        self.won += u64::from(measured);
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.windows.push(std::mem::take(&mut self.window) as f64);
    }

    /// What is told of them.
    pub fn section(self, at: &str) -> Section {
        let mut section = declared(at, self.left.is_some());
        section.set("copies", self.copies as f64);
        section.set("won", self.won as f64);
        section.set("won_share", (self.copies > 0).then(|| self.won as f64 / self.copies as f64));
        if let Some(left) = self.left {
            section.set("left", left as f64);
        }
        section.draw("copies", self.windows);
        section
    }
}
