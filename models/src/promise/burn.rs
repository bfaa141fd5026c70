//! How fast a budget burns, over time: calls that were not good, of all that ended within the last so many windows, over what is
//! allowed.

/// Calls that ended, window by window, and the same summed up.
pub struct Counts {
    /// Sums up to each window, from 0 on.
    good: Vec<u64>,
    ended: Vec<u64>,
    /// Calls in a window before the run: there were as many then as there are on average, and all were good.
    before: f64,
}

impl Counts {
    /// Of so many good calls, and so many that ended, in each window.
    pub fn new(good: &[u64], ended: &[u64]) -> Self {
        let summed = |all: &[u64]| {
            let sums = all.iter().scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            });
            std::iter::once(0).chain(sums).collect::<Vec<u64>>()
        };
        let (good, ended) = (summed(good), summed(ended));
        let windows = ended.len() - 1;
        let before = ended[windows] as f64 / windows.max(1) as f64;
        Counts { good, ended, before }
    }

    /// How many windows there are.
    pub fn windows(&self) -> usize {
        self.ended.len() - 1
    }

    /// The share of calls that were not good in the last `over` windows up to the end of this one.
    pub fn bad(&self, window: usize, over: u64) -> f64 {
        let to = window + 1;
        let from = to.saturating_sub(usize::try_from(over).unwrap_or(usize::MAX));
        let missing = over - (to - from) as u64;
        let ended = self.ended[to] - self.ended[from];
        let bad = ended - (self.good[to] - self.good[from]);
        let all = ended as f64 + missing as f64 * self.before;
        if all > 0.0 { bad as f64 / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten calls in each window, of which all fail in the third and the fourth.
    fn outage() -> Counts {
        Counts::new(&[10, 10, 0, 0, 10, 10], &[10; 6])
    }

    #[test]
    fn a_share_of_the_last_windows() {
        let table =
            [(1, 1, 0.0), (2, 1, 1.0), (2, 2, 0.5), (3, 2, 1.0), (3, 4, 0.5), (4, 2, 0.5), (5, 2, 0.0)];
        for (window, over, bad) in table {
            assert_eq!(outage().bad(window, over), bad, "{over} windows up to {window}");
        }
    }

    /// A monitor that was started with the run would see nothing but the outage.
    #[test]
    fn what_was_before_the_run_was_well() {
        assert_eq!(outage().bad(2, 30), 10.0 / 300.0);
        let all = Counts::new(&[0; 3], &[10; 3]);
        assert_eq!(all.bad(0, 10), 0.1);
        assert_eq!(all.bad(2, 10), 0.3);
        assert_eq!(all.bad(2, 3), 1.0);
    }

    #[test]
    fn nobody_called() {
        assert_eq!(Counts::new(&[0], &[0]).bad(0, 12), 0.0);
        assert_eq!(Counts::new(&[], &[]).windows(), 0);
    }
}
