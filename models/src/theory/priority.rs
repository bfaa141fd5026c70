//! What matters most first, on paper.

/// The mean waits of classes that one worker serves in order of importance, what matters most first, nobody being interrupted: arrivals by
/// Poisson at these rates, work of this mean and second moment for all. `W_k = W0 / ((1 - s_(k-1)) (1 - s_k))` with
/// `W0 = lambda E[S^2] / 2` and `s_k` the utilisation by the classes up to `k` (Cobham, "Priority assignment in waiting line problems",
/// Operations Research 2, 1954). A class for which nothing is left waits for ever.
pub fn cobham_waits(rates: &[f64], mean: f64, second: f64) -> Vec<f64> {
    let left = rates.iter().sum::<f64>() * second / 2.0;
    let mut above = 0.0;
    let wait = |rate: &f64| {
        let before = above;
        above += rate * mean;
        if above < 1.0 { left / ((1.0 - before) * (1.0 - above)) } else { f64::INFINITY }
    };
    rates.iter().map(wait).collect()
}

#[cfg(test)]
mod tests {
    use super::cobham_waits;
    use crate::theory::{Mmc, assert_close};

    #[test]
    fn by_hand() {
        // M/M/1 with a mean of 1, half of 0.8 each: W0 = 0.8.
        let waits = cobham_waits(&[0.4, 0.4], 1.0, 2.0);
        assert_close(waits[0], 0.8 / 0.6, "first");
        assert_close(waits[1], 0.8 / (0.6 * 0.2), "second");
        assert_eq!(cobham_waits(&[0.5, 0.5], 1.0, 1.0)[1], f64::INFINITY);
    }

    /// Kleinrock's conservation law: whatever the order, the waits weighted by their load are those of first in first out.
    #[test]
    fn the_order_moves_no_mean() {
        let rates = [0.1, 0.3, 0.05, 0.4];
        let waits = cobham_waits(&rates, 1.0, 2.0);
        let load: f64 = rates.iter().sum();
        let mean: f64 = rates.iter().zip(waits).map(|(rate, wait)| rate / load * wait).sum();
        let queue = Mmc { servers: 1, utilisation: load, service_mean: 1.0 };
        assert_close(mean, queue.mean_wait(), "conservation");
    }
}
