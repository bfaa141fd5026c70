//! M/M/c with callers who wait for a server, each as long, and stay once they have one.
//!
//! Baccelli and Hebuterne, "On queues with impatient customers", 1981: whoever comes has a place unless the wait that it would have
//! exceeds its patience `D`. With arrivals at `a` and `c` servers that do `m` a second each, the density of that wait is that of
//! M/M/c below `D`, `f(v) = a p(c-1) e^((a - c m) v)`, and falls as `e^(-c m v)` above it, where nobody joins. What is refused is
//! the part above. For ever is the limit, Erlang C.

use super::erlang_b;
use sim_core::math;

/// A line with patience in front of `c` servers.
#[derive(Clone, Copy, Debug)]
pub struct MmcPlusD {
    /// The share that gets no server.
    pub refused: f64,
    /// The share that gets one after a wait.
    pub waits: f64,
    /// The mean wait of those, in the unit of the arguments.
    pub wait_mean: f64,
}

impl MmcPlusD {
    /// Of so many arrivals per unit of time; `None` where nobody is ever refused and the line grows without end, or where the numbers
    /// are beyond what a float holds.
    pub fn new(servers: u32, rate: f64, service_mean: f64, patience: Option<f64>) -> Option<MmcPlusD> {
        let drain = f64::from(servers) / service_mean;
        let slope = rate - drain;
        // All weights over that of all servers but one being busy.
        let free = 1.0 / erlang_b(servers - 1, rate * service_mean);
        let (joins, time, beyond) = match patience {
            None if slope >= 0.0 => return None,
            None => (-rate / slope, rate / (slope * slope), 0.0),
            Some(patience) if (slope * patience).abs() < 1e-6 => {
                (rate * patience, rate * patience * patience / 2.0, rate / drain)
            }
            Some(patience) => {
                let grown = math::exp(slope * patience);
                let time = rate * (patience * grown / slope - (grown - 1.0) / (slope * slope));
                (rate * (grown - 1.0) / slope, time, rate * grown / drain)
            }
        };
        let all = free + joins + beyond;
        let law = MmcPlusD { refused: beyond / all, waits: joins / all, wait_mean: time / joins };
        (all.is_finite() && law.wait_mean.is_finite()).then_some(law)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Mmc, erlang_c};

    /// Without an end to patience it is M/M/c, without any Erlang's loss system; and 60 connections of 100 ms with 250 ms of patience
    /// refuse one in eleven of 660 a second.
    #[test]
    fn between_loss_and_delay() {
        for (servers, rate, mean) in [(1, 0.7, 1.0), (4, 3.0, 1.0), (60, 500.0, 0.1), (200, 1900.0, 0.1)] {
            let queue = Mmc { servers, utilisation: rate * mean / f64::from(servers), service_mean: mean };
            let endless = MmcPlusD::new(servers, rate, mean, None).expect("it settles");
            assert!((endless.waits - erlang_c(servers, rate * mean)).abs() < 1e-12, "{servers}");
            assert!(
                (endless.waits * endless.wait_mean - queue.mean_wait()).abs() < 1e-12 * mean,
                "{servers}"
            );
            let long = MmcPlusD::new(servers, rate, mean, Some(1e3 * mean)).expect("it settles");
            assert!(long.refused < 1e-12 && (long.wait_mean / endless.wait_mean - 1.0).abs() < 1e-9);
            let none = MmcPlusD::new(servers, rate, mean, Some(1e-9 * mean)).expect("it settles");
            assert!((none.refused - erlang_b(servers, rate * mean)).abs() < 1e-6, "{servers}");
        }
        let hikari = MmcPlusD::new(60, 660.0, 0.1, Some(0.25)).expect("it settles");
        assert!((hikari.refused - 1.0 / 11.0).abs() < 1e-4, "{}", hikari.refused);
        // As much as there is room for: no slope at all.
        let level = [600.0 - 1e-7, 600.0, 600.0 + 1e-4]
            .map(|rate| MmcPlusD::new(60, rate, 0.1, Some(0.25)).expect("so"));
        assert!(
            level.windows(2).all(|two| (two[0].refused / two[1].refused - 1.0).abs() < 1e-4),
            "{level:?}"
        );
        assert!(
            MmcPlusD::new(60, 600.0, 0.1, None).is_none() && MmcPlusD::new(1, 1e6, 1.0, Some(1e6)).is_none()
        );
    }
}
