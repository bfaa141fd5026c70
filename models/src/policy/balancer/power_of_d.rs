//! The least pending of a few that are drawn.
//!
//! Two choices instead of one make long queues doubly exponentially rare; each one more makes them rarer still, and the step is ever
//! smaller: at 90 % busy the mean wait is 9.0, 1.61, 1.03 and 0.71 works for 1, 2, 3 and 5 of very many (Mitzenmacher 2001). NGINX draws
//! different ones; Envoy's LEAST_REQUEST draws each of its `choice_count` anew and may meet the same again, so that of ten replicas
//! one in ten choices of two is none.

use super::view::View;
use crate::policy::page::Page;
use sim_core::Words;

/// The most that may be drawn.
pub(super) const MOST: u32 = 16;

/// Of so many drawn ones the one with the fewest pending, among equals the first that was drawn.
#[inline(never)]
pub(super) fn least_of_drawn(
    view: &View,
    pending: &[u32],
    d: u32,
    replacement: bool,
    words: &mut impl Words,
) -> u32 {
    let n = view.size();
    let draws = if replacement { d } else { d.min(n) };
    // Places that were drawn, in order.
    let mut drawn = [0; MOST as usize];
    let mut least = None;
    for so_far in 0..draws as usize {
        let place = if replacement {
            words.below(n.into()) as u32
        } else {
            let mut place = words.below(u64::from(n) - so_far as u64) as u32;
            let mut at = 0;
            while at < so_far && drawn[at] <= place {
                place += 1;
                at += 1;
            }
            drawn.copy_within(at..so_far, at + 1);
            drawn[at] = place;
            place
        };
        let replica = view.member(place);
        let fewer = |best: u32| pending[replica as usize] < pending[best as usize];
        if least.is_none_or(fewer) {
            least = Some(replica);
        }
    }
    least.expect("somebody was drawn")
}

pub(super) const PAGE: Page = Page {
    name: "power_of_d",
    word: "PowerOfD",
    what: "Of `d` random replicas, all different or each drawn anew (`replacement`), the one with the fewest of this client's \
           attempts out.",
    hurts: "Each choice more makes less of a difference and costs as much as the one before; with many clients that know little \
            it is random, and a replica that fails at once is often among those that are drawn.",
    formula: "of very many queues at load rho a share `rho^((d^k - 1) / (d - 1))` has `k` or more: at 0.9 the mean wait is 9.0, 1.61, \
              1.03 and 0.71 works for d = 1, 2, 3 and 5",
    source: "Mitzenmacher, \"The Power of Two Choices\", 2001; Envoy LEAST_REQUEST `choice_count`, with replacement; NGINX `random two`, \
             without",
    experiment: "slow-replica",
};

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Streams;
    use sim_core::math::powi;

    /// Five replicas with 0 to 4 pending: the k-th idlest is chosen if the other `d - 1` are among those that are busier, of all
    /// sets of `d`; drawn anew if all are at least as busy, less if all are busier.
    #[test]
    fn the_chance_of_each() {
        let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        let (view, pending) = (View::all(5), [4, 3, 0, 1, 2]);
        for d in [1, 2, 3, 4, 5, 9] {
            for replacement in [false, true] {
                let mut words = Streams::new(1).stream("test", "d");
                const N: u32 = 40_000;
                let mut picks = [0u32; 5];
                for _ in 0..N {
                    let replica = least_of_drawn(&view, &pending, d, replacement, &mut words);
                    picks[pending[replica as usize] as usize] += 1;
                }
                for (idler, &picked) in (0..).zip(&picks) {
                    let others = 5 - 1 - idler;
                    let p = match replacement {
                        false if d >= 5 => f64::from(u32::from(idler == 0)),
                        false if others + 1 < d => 0.0,
                        false => choose(others, d - 1) / choose(5, d),
                        true => {
                            let at_least = |busy: u32| powi(f64::from(busy) / 5.0, d);
                            at_least(others + 1) - at_least(others)
                        }
                    };
                    let error = (f64::from(N) * p * (1.0 - p)).sqrt();
                    let off = (f64::from(picked) - f64::from(N) * p).abs();
                    assert!(off <= 4.0 * error, "{d}, {replacement}: {picks:?} and {p}");
                }
            }
        }
    }

    /// Among equals all are as likely.
    #[test]
    fn equals_are_as_likely() {
        let mut words = Streams::new(1).stream("test", "equals");
        let mut view = View::all(6);
        view.change([5, 1, 2, 4]);
        for replacement in [false, true] {
            let mut picks = [0u32; 6];
            for _ in 0..40_000 {
                picks[least_of_drawn(&view, &[7; 6], 3, replacement, &mut words) as usize] += 1;
            }
            // Binomial(40000, 1/4): sd 86.6.
            let even = |replica: usize| picks[replica].abs_diff(10_000) < 350;
            assert!([1, 2, 4, 5].into_iter().all(even) && picks[0] + picks[3] == 0, "{picks:?}");
        }
    }
}
