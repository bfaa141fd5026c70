//! What holds a worker.
//!
//! It decides whether a storm can happen: a worker that waits for others does nothing, and is not free.

use super::queue::Capacity;
use super::sharing::Sharing;
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};

spec! {
    /// What holds a worker.
    pub enum Workers where check {
        /// A request holds its worker until it is answered, waiting for other services included.
        Blocking(count: u32; 1..=1_000_000),
        /// A request holds a worker only while its own work is done.
        Async(count: u32; 1..=1_000_000),
        /// All requests that are worked on share the cores of their replica: `n` of them take `n / cores` times as long, if that is more
        /// than 1. A request waits for others without taking any.
        ProcessorSharing {
            /// Cores of each replica.
            cores: u32 = 1; 1..=1_000_000,
            /// As many are worked on at the same time; the others wait in the queue. `Unbounded` must be written out.
            at_once: Capacity,
        },
    }
}

fn check(workers: &Workers, at: &Node, cx: &mut Decoder) {
    if let Workers::ProcessorSharing { cores, at_once: Capacity::Bounded(at_once) } = workers
        && at_once < cores
    {
        let message = format!("{at_once} at once cannot use {cores} cores");
        cx.error(at.get("at_once").unwrap_or(at).span, message).help("`at_once` is `cores` at the least");
    }
}

impl Workers {
    /// Workers of one replica: as many requests can be worked on at once.
    pub fn count(&self) -> u32 {
        match *self {
            Workers::Blocking(count) | Workers::Async(count) => count,
            Workers::ProcessorSharing { at_once: Capacity::Bounded(at_once), .. } => at_once,
            Workers::ProcessorSharing { at_once: Capacity::Unbounded, .. } => u32::MAX,
        }
    }

    /// As many can do as much as they would alone.
    pub fn cores(&self) -> u32 {
        match *self {
            Workers::ProcessorSharing { cores, .. } => cores,
            Workers::Blocking(_) | Workers::Async(_) => self.count(),
        }
    }

    /// What goes on at a replica, if that is shared.
    pub fn sharing(&self) -> Option<Box<Sharing>> {
        matches!(self, Workers::ProcessorSharing { .. }).then(|| Box::new(Sharing::new(self.cores())))
    }
}

impl Part for Workers {
    fn does(&self) -> Does {
        match self {
            Workers::Blocking(_) => Does::HOLDS,
            Workers::Async(_) => Does::NOTHING,
            Workers::ProcessorSharing { .. } => Does::SHARES,
        }
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Workers::Blocking(1) => "1 blocking worker".into(),
            Workers::Blocking(count) => format!("{count} blocking workers"),
            Workers::Async(1) => "1 worker".into(),
            Workers::Async(count) => format!("{count} workers"),
            Workers::ProcessorSharing { cores: 1, .. } => "1 shared core".into(),
            Workers::ProcessorSharing { cores, .. } => format!("{cores} shared cores"),
        })
    }

    fn about() -> &'static [Page] {
        &[
            Page {
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
            },
            Page {
                name: "processor_sharing",
                word: "ProcessorSharing",
                what: "Works on all requests at once, which share the cores: nobody waits behind a long one, and everybody is slower.",
                hurts: "Under overload all are begun and none is in time: there is no queue to shed from, unless `at_once` makes \
                        one. Short requests pass long ones, at the price that long ones take far longer.",
                formula: "M/G/1: `E[S] / (1 - rho)` whatever the work, and `x / (1 - rho)` for a request of `x`; with `c` cores as M/M/c",
                source: "Kleinrock 1967 (time-shared systems); Sakata, Noguchi, Oizumi 1971; Cohen 1979; Harchol-Balter, \
                         Performance Modeling and Design of Computer Systems, 2013",
                experiment: "processor-sharing",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Blocking(5)",
            "Blocking(1)",
            "Async(2)",
            "Async(1)",
            "Async(20)",
            "ProcessorSharing(at_once: Unbounded)",
            "ProcessorSharing(cores: 2, at_once: 5)",
        ]
    }
}
