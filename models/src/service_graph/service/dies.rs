//! A replica that does not survive its own load.

use crate::byte_size::ByteSize;
use crate::experiment::{Decoder, Node};
use crate::fault::CrashStyle;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use sim_core::SimDuration;

spec! {
    /// A replica that is overwhelmed dies, loses what it had in hand, and comes back empty.
    pub struct Death where check {
        /// Requests in hand (waiting or in progress) that a replica does not survive.
        at_in_flight: Option<u32> = None,
        /// Memory that a replica does not survive.
        at_memory: Option<ByteSize> = None,
        /// Memory of an idle replica.
        memory_idle: ByteSize = ByteSize(0),
        /// Memory of each request in hand, besides what it weighs (its `size`).
        memory_per_request: ByteSize = ByteSize(1 << 20),
        /// Time until it is back.
        restart_after: SimDuration,
        /// What callers notice.
        callers: CrashStyle = CrashStyle::Reset,
    }
}

impl Death {
    /// Bytes of requests in hand that a replica does not survive, if it is memory that it dies of, and what each takes besides its size.
    pub fn fatal_bytes(&self) -> Option<(u64, u64)> {
        let limit = self.at_memory?;
        Some((limit.0.saturating_sub(self.memory_idle.0), self.memory_per_request.0))
    }

    /// The number of requests in hand that a replica does not survive, if they weigh nothing: with which it has that much memory.
    pub fn fatal_in_hand(&self) -> u32 {
        let by_memory = self.at_memory.map(|limit| {
            let room = limit.0.saturating_sub(self.memory_idle.0);
            u32::try_from(room.div_ceil(self.memory_per_request.0.max(1))).unwrap_or(u32::MAX)
        });
        self.at_in_flight.unwrap_or(u32::MAX).min(by_memory.unwrap_or(u32::MAX))
    }
}

/// A replica that may die needs a limit to die at.
fn check(death: &Death, at: &Node, cx: &mut Decoder) {
    if death.at_in_flight.is_none() && death.at_memory.is_none() {
        cx.error(at.span, "give `at_in_flight` or `at_memory`: the load that is not survived");
    }
    if death.at_in_flight == Some(0) {
        cx.error(at.span, "`at_in_flight` must be at least 1");
    }
    if death.at_memory.is_some_and(|limit| limit <= death.memory_idle) {
        cx.error(at.span, "`at_memory` must be more than `memory_idle`: an idle replica would die");
    }
    if death.restart_after.is_zero() {
        cx.error(at.get("restart_after").unwrap_or(at).span, "`restart_after` must be longer than 0");
    }
}

impl Part for Death {
    fn does(&self) -> Does {
        Does::BREAKS
    }

    fn brief(&self) -> Option<String> {
        Some(format!("dies at {} in hand", self.fatal_in_hand()))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "dies",
            word: "",
            what: "Kills a replica that has too many requests, or too much memory, in hand: what it had is \
                   lost, and it comes back empty. Memory is `memory_idle`, and for each request that waits there or is worked on, calls that it waits \
                   for included, `memory_per_request` and its `size`.",
            hurts: "The others get its share and die of it: one after another, each time sooner. Who restarts \
                   alone meets the load of all.",
            formula: "by memory with `(at_memory - memory_idle) / memory_per_request` in hand, rounded up, of requests without a `size`: a queue of fewer \
                      places than that, less its workers, is never fatal; with `m` of `n` replicas left each has `n / m` times its load: the rest follow once `n / m` \
                   times what each has in hand is over the limit",
            source: "Beyer et al., Site Reliability Engineering, chapter 22 (cascading failures)",
            experiment: "slow-dependency",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(at_in_flight: 8, restart_after: "500ms")"#,
            r#"(at_in_flight: 1, restart_after: "50ms", callers: Silence)"#,
            r#"(at_memory: "10MiB", restart_after: "2s")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::read;

    #[test]
    fn it_dies_at_the_value() {
        for (limits, fatal) in [
            ("at_in_flight: 15", 15),
            // 512 MiB and 1 MiB each: 1536 of them make 2 GiB.
            (r#"at_memory: "2GiB", memory_idle: "512MiB""#, 1536),
            (r#"at_memory: "10MiB", memory_per_request: "3MiB""#, 4),
            (r#"at_memory: "10MiB", at_in_flight: 8"#, 8),
        ] {
            let text = format!(r#"({limits}, restart_after: "1s")"#);
            let (death, _) = read::<super::Death>(&text).expect("sound");
            assert_eq!(death.fatal_in_hand(), fatal, "{limits}");
        }
    }
}
