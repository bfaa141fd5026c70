//! What falls and comes back, again and again.

use super::users::{Harm, Users};
use sim_core::SimDuration;

/// So many falls are a habit.
const FALLS: usize = 3;
/// What is served of the usual between falls: it may come back late, or be about to fall again.
const UP: f64 = 0.8;

/// Windows from fall to fall, if it falls again and again and might do so after the end; and how many falls. `usual` is the
/// share that is served when all is well.
pub fn habit(users: &Users, harm: &Harm, usual: f64, end: usize) -> Option<(f64, usize, bool)> {
    let falls = harm.falls(users.held);
    // In between they are served nearly as ever; otherwise it is down all the time, and only sometimes clearly.
    let between = falls.windows(2).map(|pair| users.served(&(pair[0].end..pair[1].start)));
    let between = between.fold((0.0, 0.0), |sum, one| (sum.0 + one.good, sum.1 + one.of));
    if between.0 < UP * usual * between.1 {
        return None;
    }
    let (first, last) = (falls.first()?, falls.last()?);
    let gaps: Vec<f64> = falls.windows(2).map(|pair| (pair[1].start - pair[0].start) as f64).collect();
    let mean = (last.start - first.start) as f64 / gaps.len().max(1) as f64;
    let spread = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len().max(1) as f64;
    let quiet = end.saturating_sub(last.end) as f64;
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    (falls.len() >= FALLS && quiet <= 1.5 * longest).then_some((
        mean,
        falls.len(),
        spread < 0.25 * mean * mean,
    ))
}

pub fn again((windows, falls, regular): (f64, usize, bool), window: u64) -> String {
    let period = SimDuration::from_nanos((windows * window as f64) as u64).brief();
    match regular {
        true => format!("it falls again every {period}, {falls} times so far"),
        false => format!("it falls again and again, {falls} times so far, every {period} on average"),
    }
}
