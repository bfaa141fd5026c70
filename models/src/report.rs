//! What came out of a run: a common head, and typed sections that any model may fill.
//!
//! A new model needs no renderer: it fills sections, and every command can show, compare, save and read
//! them back. Times are whole nanoseconds; digests are hex text; everything else is a count or a plain
//! ratio of counts.

mod amplification;
mod cohorts;
mod count;
mod during;
mod edge;
mod fold;
mod head;
mod json;
mod judge;
mod latency;
mod meaning;
mod meter;
mod metric;
mod named;
mod over_time;
mod part;
mod path;
mod response;
mod section;
mod service;
mod stretch;
#[cfg(test)]
mod synthetic;
mod table;
mod tally;
mod timeline;
mod unit;

pub use amplification::amplify;
pub use cohorts::Cohorts;
pub use during::{During, asked};
pub use edge::{Attempts, Began, Calls, Edge, EdgeWindows};
pub use fold::Fold;
pub use head::{DigestParts, FORMAT, Outlook, Report, RunFacts, Summary, Verdict, VerdictKind};
pub use json::{results_digest, schema};
pub use judge::judge;
pub(crate) use judge::{Known, judge_knowing};
pub use latency::Latency;
pub use meaning::Meaning;
pub use meter::Meter;
pub use metric::{Leaf, Leaves, Metric, MetricError};
pub use named::Named;
pub use over_time::CallWindows;
pub use path::names;
pub use response::Response;
pub use section::{Better, Change, Section, Value};
pub use service::{Little, Service, ServiceWindows};
pub use stretch::{Stretch, stretches};
pub use table::{Cell, Table};
pub use tally::Tally;
pub use timeline::{Disturbance, Lane, Series, Standing, Timeline};
pub use unit::Unit;
