//! When too few replicas are left to choose among, all are chosen again: those that are left could not carry what all of them did, and
//! whoever says that most are ill may be ill himself.
//!
//! Envoy calls it panic mode and begins it below half (`healthy_panic_threshold`, 50 %); Istio sets 0 wherever it ejects anybody, so that
//! with nobody left nothing is sent. In panic the share `1 - 1/n` of ill replicas `n` fails as before, which is what is meant: a
//! failure of all of them is not made worse by whom it is sent to.

use super::page::Page;
use super::part::{Does, Part};

/// Below this share of replicas that may be chosen all are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanicThreshold(pub f64);

impl PanicThreshold {
    /// Envoy's: below half.
    pub const ENVOY: f64 = 0.5;

    /// Whether so many that are left of all are too few.
    pub fn is_above(self, left: usize, all: u32) -> bool {
        (left as f64) < self.0 * f64::from(all)
    }
}

impl Part for PanicThreshold {
    /// Nothing by itself: it undoes what others do.
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "panic_threshold",
            word: "",
            what: "When the share of replicas that a client may still choose falls below it, whoever left the others out, it chooses among all of them again.",
            hurts: "A threshold above what is ill sends the ill their share after all; without one the last that are well get \
                    everything, or, with nobody left, nothing is sent at all.",
            formula: "panic if `left < threshold * replicas`; then a share `ejected / replicas` of attempts meets an ejected one",
            source: "Envoy `common_lb_config.healthy_panic_threshold` (50 %); Istio `minHealthPercent` (0)",
            experiment: "fast-failing-replica",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["0.5", "0.9"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Envoy: `100.0 * healthy / hosts < threshold`.
    #[test]
    fn below_it_and_not_at_it() {
        for (threshold, left, all, panics) in [
            (0.5, 2, 3, false),
            (0.5, 1, 3, true),
            (0.5, 1, 2, false),
            (0.5, 0, 1, true),
            (0.0, 0, 3, false),
            (1.0, 3, 3, false),
            (1.0, 2, 3, true),
        ] {
            assert_eq!(PanicThreshold(threshold).is_above(left, all), panics, "{threshold}: {left} of {all}");
        }
    }
}
