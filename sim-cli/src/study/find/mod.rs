//! Where the cliff is, and the way back: what is asked of every run of one search, and of all of them.

mod atlas;
mod edges;
mod looks;
mod survivors;
mod way_back;

use crate::error::{Error, Result};
use crate::result::knob::Knob;
use crate::result::seeds::Seeds;
use crate::study::collapse::Collapse;
use crate::study::fault;
use crate::study::measure::glance;
use crate::study::runs::{Runs, Settings, Start};
use crate::text::escape;
use sim_core::SimDuration;

/// What is asked of every run.
pub struct Question<'a> {
    /// Which runs.
    pub start: Start<'a>,
    /// What failure is.
    pub collapse: Collapse,
    /// The seeds, the same at every value; at most so many if they are taken in rounds.
    pub seeds: Seeds,
    /// Whether no more of them are taken once every edge is known.
    pub in_rounds: bool,
    /// How long a system that was lowered has to come back; three times what the file leaves it after its fault.
    pub back_within: Option<SimDuration>,
}

impl Question<'_> {
    /// Finds out before the search what cannot be answered.
    pub fn check(&self) -> Result<()> {
        let all = fault::disturbances(self.start.base);
        if let (Collapse::Verdict, Some(lasting)) =
            (&self.collapse, all.iter().find(|one| one.length.is_none()))
        {
            return Err(Error::Usage {
                message: format!("{} lasts until the end of the run: there is nothing to recover to", escape(&lasting.what)),
                help: "  give it an end, --set 'faults[0].for=30s', or say what failure is: --until 'success < 0.9'".into(),
            });
        }
        if let Collapse::When(wish) = &self.collapse {
            let (report, knows) = glance(self.start.base);
            if knows.of(wish.metric()) {
                wish.held(&report)?;
            }
        }
        Ok(())
    }

    /// The settings of one value, with as much time after the fault as the file has.
    fn at(&self, runs: &Runs, set: Settings) -> Result<Settings> {
        let mut set = set;
        if !self.start.fixed.iter().chain(&set).any(|(path, _)| path == "run.duration") {
            set.extend(fault::as_long_after(self.start.base, &runs.resolved(&set)?));
        }
        Ok(set)
    }

    /// What failure is, unless it is the verdict.
    fn failure(&self) -> Option<String> {
        match &self.collapse {
            Collapse::Verdict => None,
            Collapse::When(wish) => Some(wish.to_string()),
        }
    }

    /// The disturbances in words, where these knobs are searched.
    fn fault(&self, knobs: &[&Knob]) -> Option<String> {
        let all = fault::disturbances(self.start.base);
        all.first().map(|one| words(one, all.len(), knobs))
    }
}

/// A disturbance for people. Where its own numbers are searched, they are not told.
fn words(one: &fault::Disturbance, all: usize, knobs: &[&Knob]) -> String {
    let searched = knobs.iter().any(|knob| knob.path.starts_with("faults"));
    let length = match one.length {
        Some(length) if !searched => format!(" for {}", length.brief()),
        _ => String::new(),
    };
    let what = if searched { &one.what_briefly } else { &one.what };
    let more = if all > 1 { format!(" and {} more", all - 1) } else { String::new() };
    format!("{what}{length}{more}")
}
