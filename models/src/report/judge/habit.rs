//! What falls and comes back, again and again.

use super::users::{LOST, Normal, Users};
use sim_core::SimDuration;
use std::ops::Range;

/// So many falls are a habit.
const FALLS: usize = 3;
/// What is served of the usual between falls: it may come back late, or be about to fall again.
const UP: f64 = 0.8;

/// Of what is served between falls so much is in them, at most.
const DEEP: f64 = 0.8;

/// What falls again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habit {
    /// Windows from fall to fall, on average.
    period: f64,
    /// How often it fell.
    falls: usize,
    /// Whether that is nearly as long each time.
    regular: bool,
}

impl Habit {
    /// Of the falls in one stretch of the run, or in several, if it falls again and again and might do so after the end. `usual`
    /// is the share that is served when all is well.
    pub fn of(users: &Users, stretches: &[Vec<Range<usize>>], usual: f64, end: usize) -> Option<Habit> {
        let pairs = || stretches.iter().flat_map(|falls| falls.windows(2));
        // In between they are served nearly as ever; otherwise it is down all the time, and only sometimes clearly.
        let between = pairs().map(|pair| users.served(&(pair[0].end..pair[1].start)));
        let between = between.fold((0.0, 0.0), |sum, one| (sum.0 + one.good, sum.1 + one.of));
        if between.0 < UP * usual * between.1 {
            return None;
        }
        // What is always full loses somewhat more of a busy minute: that is no fall.
        let falls = stretches.iter().flatten().map(|fall| users.served(fall));
        let (good, of) = falls.fold((0.0, 0.0), |sum, one| (sum.0 + one.good, sum.1 + one.of));
        if good * between.1 > DEEP * between.0 * of {
            return None;
        }
        let last = stretches.last()?.last()?;
        let gaps: Vec<f64> = pairs().map(|pair| (pair[1].start - pair[0].start) as f64).collect();
        let count = gaps.len().max(1) as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let spread = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / count;
        let longest = gaps.iter().copied().fold(0.0, f64::max);
        let quiet = end.saturating_sub(last.end) as f64;
        // One that lasts for longer than it ever took from fall to fall is no fall among others: it is down.
        let lasts = last.len() as f64 > longest;
        let falls = stretches.iter().map(Vec::len).sum();
        let habit = Habit { period: mean, falls, regular: spread < 0.25 * mean * mean };
        (falls >= FALLS && quiet <= 1.5 * longest && !lasts).then_some(habit)
    }

    /// Of what fell before the disturbance as it does after it: each time to less than half of what is usual.
    pub fn ever(users: &Users, before: &Range<usize>, after: &Range<usize>) -> Option<Habit> {
        let normal = Normal::throughout(users, before);
        let falls = |windows: &Range<usize>| -> Vec<Range<usize>> {
            let mut falls = users.harm(windows, &normal).falls(users.held);
            falls
                .retain(|fall| users.served(fall).share().is_some_and(|share| share < LOST * normal.share()));
            falls
        };
        let both = [falls(before), falls(after)];
        both.iter()
            .all(|falls| !falls.is_empty())
            .then(|| Habit::of(users, &both, normal.share(), after.end))?
    }

    /// `it falls again every 23 s, 8 times so far`
    pub fn words(self, window: u64) -> String {
        let Habit { period, falls, regular } = self;
        let period = SimDuration::from_nanos((period * window as f64) as u64).brief();
        match regular {
            true => format!("it falls again every {period}, {falls} times so far"),
            false => format!("it falls again and again, {falls} times so far, every {period} on average"),
        }
    }
}
