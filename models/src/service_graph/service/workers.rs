//! What holds a worker.
//!
//! It decides whether a storm can happen: a worker that waits for others does nothing, and is not free.

use crate::policy::page::Page;
use crate::policy::part::{Does, Part};

spec! {
    /// What holds a worker.
    pub enum Workers {
        /// A request holds its worker until it is answered, waiting for other services included.
        Blocking(count: u32; 1..=1_000_000),
        /// A request holds a worker only while its own work is done.
        Async(count: u32; 1..=1_000_000),
    }
}

impl Workers {
    /// Workers of one replica.
    pub fn count(&self) -> u32 {
        match *self {
            Workers::Blocking(count) | Workers::Async(count) => count,
        }
    }
}

impl Part for Workers {
    fn does(&self) -> Does {
        match self {
            Workers::Blocking(_) => Does::HOLDS,
            Workers::Async(_) => Does::NOTHING,
        }
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Workers::Blocking(1) => "1 blocking worker".into(),
            Workers::Blocking(count) => format!("{count} blocking workers"),
            Workers::Async(1) => "1 worker".into(),
            Workers::Async(count) => format!("{count} workers"),
        })
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "workers",
            word: "",
            what: "Says what holds a worker: a request until it is answered, waiting for other services \
                   included (blocking), or only its own work (async).",
            hurts: "Blocking workers wait for the slowest dependency: one that hangs takes all of them, and the \
                   service is down for requests that do not need it. Async workers let in what nobody can \
                   finish.",
            formula: "a blocking service does `workers / (own work + time of its calls)`, an async one `workers / \
                   own work`; `L = lambda W` (Little)",
            source: "Little 1961; Nygard, Release It!, 2007 (blocked threads)",
            experiment: "bulkhead",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Blocking(5)", "Blocking(1)", "Async(2)", "Async(1)", "Async(20)"]
    }
}
