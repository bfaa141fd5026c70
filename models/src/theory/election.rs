//! Elections of Raft: how often votes are split, and how long it takes until somebody leads.
//!
//! Ongaro, "Consensus: Bridging Theory and Practice" (2014), chapter 9: timers are uniform over a range, messages take `l` of that range, and a vote is split
//! if so many stand in the first `l` that none has a majority. The mean time is up to 6 % too long, since who stands starts its timer anew earlier than the
//! formula has it.

use sim_core::math::powi;

/// How likely the votes of `live` of `nodes` are split, where messages take the share `l` of the range of the timers.
pub fn split_vote(nodes: u32, live: u32, l: f64) -> f64 {
    let spare = live.saturating_sub(nodes / 2);
    // Nobody can be elected.
    if spare == 0 {
        return 1.0;
    }
    let l = l.clamp(0.0, 1.0);
    let mut ways = 1.0;
    let mut p = 0.0;
    for k in 0..=live {
        if k >= spare {
            p += ways * powi(l, k) * powi(1.0 - l, live - k);
        }
        ways *= f64::from(live - k) / f64::from(k + 1);
    }
    p
}

/// How long it takes on average until one leads, in the unit of `least`: timers from `least` to `least + range`, messages take `latency`.
pub fn time_to_elect(nodes: u32, live: u32, least: f64, range: f64, latency: f64) -> f64 {
    let split = split_vote(nodes, live, if range > 0.0 { latency / range } else { 1.0 });
    (least + range / (f64::from(live) + 1.0) + latency) / (1.0 - split) + latency
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed in the dissertation (figure 9.3 and its text), and derived from its sources, which come to the same.
    #[test]
    fn as_often_as_the_dissertation_has_it() {
        for (nodes, live, l, p) in [
            (5, 4, 0.01, 0.000_592),
            (5, 4, 0.1, 0.0523),
            (5, 4, 0.2, 0.1808),
            (5, 3, 0.2, 0.488),
            (9, 7, 0.2, 0.148),
            (9, 6, 0.2, 0.3446),
            (9, 5, 0.2, 0.6723),
            (9, 5, 0.1, 0.4095),
            (3, 2, 0.01, 0.0199),
            (3, 2, 0.1, 0.19),
        ] {
            let found = split_vote(nodes, live, l);
            assert!((found - p).abs() < 0.0006, "{live} of {nodes}, {l}: {found} instead of {p}");
        }
        assert_eq!((split_vote(5, 2, 0.1), split_vote(5, 4, 0.0), split_vote(5, 4, 1.0)), (1.0, 0.0, 1.0));
    }

    #[test]
    fn as_long_as_the_formula_has_it() {
        for (nodes, live, l, time) in [
            (3, 2, 0.1, 1.869_547),
            (5, 4, 0.05, 1.317_773),
            (5, 4, 0.1, 1.471_742),
            (5, 3, 0.1, 1.951_852),
            (5, 3, 0.2, 3.032_031),
        ] {
            let found = time_to_elect(nodes, live, 1.0, 1.0, l);
            assert!((found - time).abs() < 1e-5, "{live} of {nodes}, {l}: {found} instead of {time}");
        }
    }
}
