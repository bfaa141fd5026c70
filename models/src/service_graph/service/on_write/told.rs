//! What is told of writes that are answered before they are passed on.

use super::WhenFull;
use super::behind::Behind;
use crate::report::{Better, Fold, Section, Unit, Value};

impl Behind {
    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at, self.when_full);
        let it = &self.counts;
        let counts = [
            ("taken", it.taken),
            ("coalesced", it.coalesced),
            ("passed_on", it.passed_on),
            ("failed", it.failed),
            ("found_full", it.found_full),
            ("lost", it.lost),
            ("in_doubt", it.in_doubt),
            ("left", self.left(|write| write.measured)),
        ];
        counts.into_iter().for_each(|(name, count)| section.set(name, count as f64));
        section.set("coalesced_share", (it.taken > 0).then(|| it.coalesced as f64 / it.taken as f64));
        let done = it.passed_on > 0;
        section.set("delay_mean", done.then(|| it.delay_ns as f64 / it.passed_on as f64));
        section.set("delay_max", done.then_some(it.longest.as_nanos() as f64));
        section.draw("to_write", self.line.clone());
        section
    }
}

/// What is told of it: nothing measured yet.
pub fn declared(at: &str, when_full: WhenFull) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let full = match when_full {
        WhenFull::Block => "writes that found no room, and waited for it",
        WhenFull::WriteThrough => {
            "writes that found no room, and were passed on at once, their users waiting"
        }
        WhenFull::Reject => "writes that found no room, and failed",
    };
    let time = |about: &str| Value::new(Unit::Duration, about).better(Better::Less);
    Section::new("write_behind", at)
        .value("taken", plain("writes that were answered before they were passed on, of those that came after the warm-up"))
        .value("coalesced", plain("of them, those in whose place a later one of the same key was passed on"))
        .value("coalesced_share", Value::new(Unit::Share, "the same as a share: calls that were saved").better(Better::More))
        .value("passed_on", plain("those that have been passed on, and came back well"))
        .value("failed", plain("times that one was passed on and came back failed, retries of its calls included: it is passed on again").better(Better::Less))
        .value("found_full", plain(full).better(Better::Less))
        .value(
            "lost",
            plain("writes that were answered, and when their replica went down had not been passed on, or been turned away each time: nobody will").better(Better::Less).headline(),
        )
        .value(
            "in_doubt",
            plain("those that were on their way when it did, or had been passed on in vain and not been turned away: whether they are done nobody can tell").better(Better::Less),
        )
        .value("left", plain("those that have not been passed on well when the run ends"))
        .value("delay_mean", time("from when a write was answered, the first where one stands for several, to when it had been passed on, on average"))
        .value("delay_max", time("and at the most"))
        .value(
            "to_write_most",
            plain("the most that were to be passed on or on their way at the end of a window, in all replicas").of_windows(Fold::Max("to_write".into())),
        )
        .line("to_write", Unit::Plain, "Writes that are to be passed on or on their way, in all replicas, at the end of each window.")
}
