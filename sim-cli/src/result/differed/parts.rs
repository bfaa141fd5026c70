//! Which parts of two digests differ, where, and what that says.

use sim_core::digest::first_difference;
use sim_models::report::DigestParts;

/// The parts of two digests that differ, in words.
pub fn differing_parts(a: &DigestParts, b: &DigestParts) -> Vec<&'static str> {
    let parts = [
        ("input", &a.i, &b.i),
        ("trajectory", &a.t, &b.t),
        ("randomness", &a.r, &b.r),
        ("results", &a.s, &b.s),
    ];
    parts.into_iter().filter(|(_, a, b)| a != b).map(|(name, ..)| name).collect()
}

/// The events between which two trajectories part, as far as their checkpoints tell.
pub fn first_different_stretch(a: &DigestParts, b: &DigestParts) -> Option<(u64, u64)> {
    let numbers = |side: &DigestParts| -> Option<Vec<u64>> {
        side.checkpoints.iter().map(|hex| u64::from_str_radix(hex, 16).ok()).collect()
    };
    if a.every == 0 || b.every == 0 {
        return None;
    }
    first_difference((a.every, &numbers(a)?), (b.every, &numbers(b)?))
}

/// What a set of differing parts says about where to look.
pub fn layer(parts: &[&str]) -> &'static str {
    let differs = |part: &str| parts.contains(&part);
    match (differs("input"), differs("trajectory"), differs("randomness"), differs("results")) {
        (true, false, _, false) => "another input, and yet the same events: what changed had no effect",
        (true, false, _, true) => "another input: the same events came to something else",
        (true, ..) => "",
        (false, true, true, _) => "the same input drew other random numbers: a draw too many or too few",
        (false, true, false, _) => "the same input and draws took another course: another version, or a bug",
        (false, false, _, true) => "the same events were reported differently: another version, or a bug",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing had an effect only if nothing came of it: the same events can end well for one graph and badly for another.
    #[test]
    fn what_is_said_of_the_same_events() {
        for (parts, said) in [
            (&["input"][..], "another input, and yet the same events: what changed had no effect"),
            (&["input", "results"], "another input: the same events came to something else"),
            (&["input", "trajectory", "results"], ""),
            (&["results"], "the same events were reported differently: another version, or a bug"),
            (&[], ""),
        ] {
            assert_eq!(layer(parts), said, "{parts:?}");
        }
    }
}
