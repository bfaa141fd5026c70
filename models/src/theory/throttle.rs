//! What gRPC's retry throttle lets through: its tokens as a Markov chain.

/// A bucket that starts full. A failure takes `token` out of it, a success puts `per_success` in, and whoever has failed
/// may try again while more than half of it is left. All three in the same unit.
///
/// Every attempt moves the tokens, whether or not it is a retry, and fails with the same probability: a random walk
/// between nothing and full, of which retries only need to know the upper half. Solved to the end it tells what a
/// bucket of finite size does near the share of failures at which an endless one stops all retries at once. The
/// chain is that of calls made one after another, since the start of a long run.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Tokens of a full bucket.
    pub full: u64,
    /// What a failure takes.
    pub token: u64,
    /// What a success puts in.
    pub per_success: u64,
}

/// The longest a chain may take to solve: its levels times what a step can fill in; and the most that is kept of it.
const MOST_WORK: u64 = 20_000_000;
const MOST_KEPT: u64 = 2_000_000;
/// Weights grow from the bottom up, and are scaled down before they leave the range of a float.
const LARGE: f64 = 1e200;

impl Throttle {
    /// Mean attempts per call of at most `1 + retries`, each failing with `p_fail`; none if the chain is too long.
    pub fn attempts(&self, p_fail: f64, retries: u32) -> Option<f64> {
        let unit = gcd(gcd(self.token, self.per_success), self.full);
        let (top, down, up) = (self.full / unit, self.token / unit, self.per_success / unit);
        let (work, kept) = (down.saturating_mul(up), down.saturating_add(up));
        if top.saturating_mul(work) > MOST_WORK || top.saturating_mul(kept) > MOST_KEPT {
            return None;
        }
        if p_fail >= 1.0 {
            return Some(1.0);
        }
        let levels = stationary(top as usize, down as usize, up as usize, p_fail);
        let (top, down) = (top as usize, down as usize);
        // Attempts at each level that begin a call: all but those that repeat one whose failure led here. Retries are
        // made in the upper half, from where a failure a token higher led, which is known when going down.
        let mut of: Vec<Vec<f64>> = vec![vec![0.0; top + 1]];
        of.resize(retries.min(top as u32 / down.max(1) as u32 + 1) as usize + 1, vec![0.0; top + 1]);
        for level in (0..=top).rev() {
            let mut repeated = 0.0;
            if 2 * level > top && level + down <= top {
                for tried in 1..of.len() {
                    of[tried][level] = p_fail * of[tried - 1][level + down];
                    repeated += of[tried][level];
                }
            }
            of[0][level] = (levels[level] - repeated).max(0.0);
        }
        Some(levels.iter().sum::<f64>() / of[0].iter().sum::<f64>())
    }
}

/// How often each level is met before an attempt, up to a factor: the walk goes `down` levels with `p_down`, else `up`,
/// and stays within `0..=top`. Levels are taken out one by one from the top, which subtracts nothing (Grassmann,
/// Taksar and Heyman 1985).
fn stationary(top: usize, down: usize, up: usize, p_down: f64) -> Vec<f64> {
    // No level leads further than a step, and taking one out leads no further.
    let width = down + up + 1;
    let at = |from: usize, to: usize| from * width + to + down - from;
    let mut rate = vec![0.0; (top + 1) * width];
    for level in 0..=top {
        rate[at(level, level.saturating_sub(down))] += p_down;
        rate[at(level, (level + up).min(top))] += 1.0 - p_down;
    }
    let mut leaves = vec![0.0; top + 1];
    for level in (1..=top).rev() {
        let below = level.saturating_sub(down)..level;
        leaves[level] = below.clone().map(|to| rate[at(level, to)]).sum();
        for from in level.saturating_sub(up)..level {
            let share = rate[at(from, level)] / leaves[level];
            for to in below.clone() {
                rate[at(from, to)] += share * rate[at(level, to)];
            }
        }
    }
    let mut weight = vec![0.0; top + 1];
    weight[0] = 1.0;
    for level in 1..=top {
        let from = level.saturating_sub(up)..level;
        weight[level] = from.map(|from| weight[from] * rate[at(from, level)]).sum::<f64>() / leaves[level];
        if weight[level] > LARGE {
            weight[..=level].iter_mut().for_each(|weight| *weight /= LARGE);
        }
    }
    weight
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Streams, Words};

    /// Four attempts under ten tokens and a tenth for each success: what an endless bucket would do is 99.996, 99.99 and
    /// 90 %.
    #[test]
    fn a_small_bucket_stops_few_before_the_boundary_and_not_all_behind_it() {
        let throttle = Throttle { full: 100, token: 10, per_success: 1 };
        for (p_fail, succeed) in [(0.08, 0.97547), (0.09, 0.94741), (0.10, 0.91831)] {
            let found = (1.0 - p_fail) * throttle.attempts(p_fail, 3).expect("a short chain");
            assert!((found - succeed).abs() < 1e-5, "{p_fail}: {found}");
        }
    }

    /// Against the bucket itself, tokens and successes in all proportions, and a bucket that is never left.
    #[test]
    fn a_chain_is_what_a_bucket_does() {
        const CALLS: u32 = 400_000;
        for (full, token, per_success, p_fail, retries) in [
            (100, 10, 1, 0.09, 3),
            (50, 10, 3, 0.3, 2),
            (12, 2, 5, 0.7, 4),
            (5, 1, 1, 0.5, 1),
            (40, 10, 1, 0.2, 9),
        ] {
            let mut words = Streams::new(3).stream("test", &format!("{full}/{token}/{per_success}/{p_fail}"));
            let (mut tokens, mut attempts): (u64, u32) = (full, 0);
            for _ in 0..CALLS {
                for tried in 0..=retries {
                    attempts += 1;
                    if words.unit() >= p_fail {
                        tokens = full.min(tokens + per_success);
                        break;
                    }
                    tokens = tokens.saturating_sub(token);
                    if 2 * tokens <= full || tried == retries {
                        break;
                    }
                }
            }
            let exact = Throttle { full, token, per_success }.attempts(p_fail, retries).expect("short");
            let measured = f64::from(attempts) / f64::from(CALLS);
            assert!(
                (measured - exact).abs() < 0.01 * exact,
                "{full} {token} {per_success}: {measured}, {exact}"
            );
        }
    }

    #[test]
    fn a_large_bucket_is_nearly_an_endless_one_and_the_largest_is_not_solved() {
        let throttle = Throttle { full: 10_000, token: 10, per_success: 1 };
        assert!((throttle.attempts(0.05, 3).unwrap() - (1.0 + 0.05 + 0.0025 + 0.000125)).abs() < 1e-9);
        assert!((throttle.attempts(0.15, 3).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(
            Throttle { full: 1_000_000_000, token: 1_000_000, per_success: 1_000 }.attempts(0.1, 3),
            None
        );
    }
}
