//! Where the events of two runs part.

use schemars::JsonSchema;
use serde::Serialize;
use sim_models::run::TrajectoryLine;

/// Where two runs part.
pub enum Parting {
    /// The first event that differs, and the lines of both sides around it.
    At {
        /// Its number.
        event: u64,
        /// What the first run did there.
        a: Vec<TrajectoryLine>,
        /// What the second did.
        b: Vec<TrajectoryLine>,
    },
    /// Only so much is known.
    Between(Option<(u64, u64)>, String),
}

impl Parting {
    /// For programs.
    pub(crate) fn document(&self) -> Document {
        let lines = |lines: &[TrajectoryLine]| lines.iter().map(Line::of).collect::<Vec<_>>();
        match self {
            Parting::Between(stretch, why) => Document::Between { between: *stretch, why: why.clone() },
            Parting::At { event, a, b } => Document::At { first: *event, a: lines(a), b: lines(b) },
        }
    }
}

/// Where two runs part, for programs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Document {
    /// The first event that differs, and what is around it on both sides.
    At {
        /// Its number, from 0.
        first: u64,
        a: Vec<Line>,
        b: Vec<Line>,
    },
    /// Only so much is known.
    Between {
        /// The events between which it is; absent if after the last checkpoint.
        between: Option<(u64, u64)>,
        /// Why no more is known.
        why: String,
    },
}

/// One event.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Line {
    /// Number of the event, from 0.
    pub(crate) event: u64,
    /// When, in nanoseconds.
    pub(crate) time: u64,
    /// What happened.
    pub(crate) what: String,
    /// Where.
    pub(crate) entity: String,
    /// Key of the request, in hex.
    pub(crate) request: String,
    /// Attempt, from 1; 0 where there is none.
    pub(crate) attempt: u16,
    /// How it ended, if it did.
    pub(crate) outcome: String,
    /// One more number, which depends on what happened.
    pub(crate) detail: u64,
    /// What that number is, in words.
    pub(crate) note: String,
}

impl Line {
    fn of(line: &TrajectoryLine) -> Self {
        Line {
            event: line.event,
            time: line.time.as_nanos(),
            what: line.what.clone(),
            entity: line.entity.clone(),
            request: format!("{:016x}", line.request),
            attempt: line.attempt,
            outcome: line.outcome.clone(),
            detail: line.detail,
            note: line.note.clone(),
        }
    }
}
