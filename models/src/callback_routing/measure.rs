//! How calls end, and what is counted.

use crate::report::CallWindows;
use sim_core::stats::LatencyHistogram;
use std::collections::BTreeMap;

/// How a call, or one delivery of its callback, ended. The numbers are hashed into digests: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub(super) enum Outcome {
    /// The callback reached a server that knows the call.
    Delivered = 1,
    /// It reached a server that never knew the call.
    WrongServer = 2,
    /// It reached a server that refuses, or there was none to reach.
    ServerDown = 3,
    /// The shared store did not answer.
    StoreDown = 4,
    /// The copy had not yet arrived where the callback did.
    TooEarly = 5,
    /// It reached the right place, but the state had been lost there.
    Lost = 6,
    /// Delivered after the user ended.
    Late = 7,
}

impl Outcome {
    pub(super) const ALL: [Outcome; 7] = [
        Outcome::Delivered,
        Outcome::WrongServer,
        Outcome::ServerDown,
        Outcome::StoreDown,
        Outcome::TooEarly,
        Outcome::Lost,
        Outcome::Late,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::WrongServer => "wrong server",
            Outcome::ServerDown => "server down",
            Outcome::StoreDown => "store down",
            Outcome::TooEarly => "too early",
            Outcome::Lost => "lost",
            Outcome::Late => "late",
        }
    }

    /// The reason in a sentence about the callback.
    pub(super) fn because(self) -> &'static str {
        match self {
            Outcome::Delivered => "nothing was wrong",
            Outcome::WrongServer => "the callback reached a server that never knew the call",
            Outcome::ServerDown => "no server answered",
            Outcome::StoreDown => "the shared store was down",
            Outcome::TooEarly => "the callback was faster than the copy of the state",
            Outcome::Lost => "the state was lost before the callback came",
            Outcome::Late => "the callback was delivered after the user ended",
        }
    }
}

/// One counter for each outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally([u64; 8]);

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    pub(super) fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What is measured: windows count everything, the rest only calls that began after the warm-up.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) started: u64,
    pub(super) never_called_back: u64,
    pub(super) ended: Tally,
    pub(super) deliveries: u64,
    pub(super) redeliveries: u64,
    pub(super) delivery_ended: Tally,
    /// First callbacks by (first server, callback server).
    pub(super) joint: Vec<u64>,
    /// Unfinished batches: (ended, successes).
    pub(super) batches: BTreeMap<u64, (u32, u32)>,
    /// Whole batches by number of successes.
    pub(super) successes: Vec<u64>,
    pub(super) operations: u64,
    pub(super) copies: u64,
    pub(super) taken_again: u64,
    /// Calls whose message was not done before it could be taken again.
    pub(super) overrun: u64,
    pub(super) done_twice: u64,
    /// Of calls delivered: what the strategy added to their latency, in nanoseconds.
    pub(super) added: u128,
    /// First callbacks that came after a membership change which their call had not seen: all, delivered.
    pub(super) across: (u64, u64),
    pub(super) latency: LatencyHistogram,
    pub(super) latency_failed: LatencyHistogram,
    pub(super) windows: CallWindows,
}
