//! Requests that change something: a share of them, drawn for each call.
//!
//! Whether it is a write goes down with all that is done for a request, so that a call may be made by reads only, or by writes; a cache
//! never answers one, and does what it is told about it; and a store of record ([`service_graph`](crate::service_graph)) has a new version of its key when it
//! has done one.

use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::words::percent;

/// The share of a workload's requests that are writes.
#[derive(Clone, Copy, Debug)]
pub struct Writes(pub f64);

spec! {
    /// Which requests make a call.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Only {
        /// Those that change nothing.
        Reads,
        /// Those that do.
        Writes,
    }
}

impl Only {
    /// Whether a request makes it that is a write, or is not.
    #[inline]
    pub fn has(self, write: bool) -> bool {
        (self == Only::Writes) == write
    }
}

impl Part for Writes {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(format!("writes {}", percent(self.0)))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "writes",
            word: "",
            what: "Says which share of a workload's requests change what they are about, drawn for each call. It goes down with all that is \
                   done for the request: a call with `only: Writes` is made by those alone, with `only: Reads` by the others.",
            hurts: "What is kept of an answer is old as soon as somebody writes: the more writes, the shorter it is worth keeping.",
            formula: "a key that is asked for at `λ`, a share `w` of it writes, is written at `w λ`",
            source: "Cooper et al., \"Benchmarking Cloud Serving Systems with YCSB\", 2010 (workload A: half are writes, B: one in twenty, C: none); \
                     Atikoglu et al., \"Workload Analysis of a Large-Scale Key-Value Store\", 2012",
            experiment: "write-patterns",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["0.05", "1"]
    }
}

impl Part for Only {
    fn does(&self) -> Does {
        Does::CHOOSES
    }

    fn brief(&self) -> Option<String> {
        Some(if *self == Only::Writes { "only writes" } else { "only reads" }.into())
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "only",
            word: "",
            what: "Lets a call be made by reads only, or by writes only.",
            hurts: "Two ways through the same services with one name: what is enough for the many reads may be too little for what a write sets off.",
            formula: "a share `w` of writes makes `w` calls for each request, or `1 - w`",
            source: "command and query separation: Fowler, \"CQRS\", 2011",
            experiment: "cache-tiers",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Reads", "Writes"]
    }
}
