//! How many calls there is memory for, so that an overload ends with a word and not with an abort.
//!
//! What grows without end in a run is the number of calls and requests in flight; everything else is known and checked
//! before it starts. So a limit on memory is a limit on those.

use std::fs;

/// What the program takes besides calls: code, reports, histograms, threads.
const BESIDES: u64 = 64 << 20;
/// A call or request in flight, measured at the worst instant: when the tables that hold them have just grown.
pub const EACH: u64 = 256;
/// What states that runs have in common may take, if there is that much: no more than [`SHARED`] of all.
pub const TOGETHER: u64 = 128 << 20;
const SHARED: u64 = 16;
/// Of what a run may take so much is left for a state of its own that it keeps while a copy goes on: one in so many.
const KEPT: u64 = 8;
/// Of what the machine has free so much is taken, in percent, where nobody says how much.
const SHARE: u64 = 80;

/// What a process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// In bytes.
    pub bytes: u64,
    /// Runs at the same time that share it.
    pub runs: u64,
}

impl Memory {
    /// What this machine, or whoever limits us on it, has for us; nothing where that cannot be known.
    pub fn of_machine() -> Option<u64> {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let free = after(&text("/proc/meminfo"), "MemAvailable:").map(|kib| kib << 10);
        let address = after(&text("/proc/self/limits"), "Max address space");
        let group = text("/sys/fs/cgroup/memory.max").trim().parse().ok();
        let least: u64 = [free, address, group].into_iter().flatten().min()?;
        Some(least / 100 * SHARE)
    }

    /// What states that runs have in common may take.
    pub fn together(memory: Option<Memory>) -> u64 {
        memory.map_or(TOGETHER, |memory| (memory.bytes / SHARED).min(TOGETHER))
    }

    /// What a state of its own may take that a run keeps while a copy goes on.
    pub fn kept(memory: Option<Memory>) -> u64 {
        memory.map_or(u64::MAX, |memory| memory.of_one() / KEPT)
    }

    /// Calls and requests that one run may have in flight.
    pub fn in_flight(self) -> u64 {
        ((self.of_one() - Self::kept(Some(self))) / EACH).max(1)
    }

    /// What one run may take.
    fn of_one(self) -> u64 {
        let besides = BESIDES + Self::together(Some(self));
        self.bytes.saturating_sub(besides) / self.runs
    }
}

/// The number that stands after some words.
fn after(text: &str, words: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(words))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_calls() {
        let of = |mib: u64, runs| Memory { bytes: mib << 20, runs }.in_flight();
        assert_eq!((of(64 + 128 + 2048, 1), of(64 + 128 + 2048, 4)), (7 << 20, 7 << 18));
        assert_eq!(of(64 + 16 + 176, 1), 154 << 12);
        assert_eq!(of(1, 1), 1);
        // With the state that is kept it is all there is.
        let memory = Memory { bytes: (64 + 128 + 2048) << 20, runs: 4 };
        assert_eq!(Memory::kept(Some(memory)) + memory.in_flight() * EACH, 512 << 20);
    }

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(after("MemTotal: 9 kB\nMemAvailable:    1234 kB\n", "MemAvailable:"), Some(1234));
        assert_eq!(
            after(
                "Max address space         unlimited            unlimited            bytes",
                "Max address space"
            ),
            None
        );
        assert_eq!(
            after(
                "Max address space         614400000            614400000            bytes",
                "Max address space"
            ),
            Some(614_400_000)
        );
    }
}
