//! What theory says about a run, where it says anything.

use super::{Arrivals, CallbackRouting, Routing, State};
use crate::theory::{callback_returns, same_server};

/// A probability, and where it comes from.
pub(super) struct Law {
    pub(super) probability: f64,
    pub(super) source: &'static str,
    /// Whether the calls are independent of each other.
    pub(super) independent: bool,
}

/// The probability that a call is delivered, if a closed form is known: while nothing fails, nobody joins and
/// nobody's patience ends.
pub(super) fn success(spec: &CallbackRouting, shares: &[f64]) -> Option<Law> {
    let outages = matches!(&spec.state, State::SharedStore { outages, .. } if !outages.is_empty());
    if !spec.faults.is_empty() || outages || spec.deadline.is_some() {
        return None;
    }
    let certain = |source| Some(Law { probability: 1.0, source, independent: true });
    match &spec.state {
        State::Local => local(spec, shares),
        State::SharedStore { .. } => certain("every server reads the same store"),
        State::Sticky => certain("the callback names its server"),
        State::ConsistentHash { .. } => certain("request and callback have the same hash"),
        State::MessageQueue { .. } => certain("any server can do any message"),
        State::Replicated { copies, .. } => {
            if spec.callback_attempts > 1 || spec.routing != Routing::Independent {
                return None;
            }
            let holders = copies.map_or(shares.len() - 1, |copies| (copies as usize).min(shares.len() - 1));
            let own = same_server(shares);
            let held = |first: usize| (1..=holders).map(|n| shares[(first + n) % shares.len()]).sum::<f64>();
            let copy: f64 = shares.iter().enumerate().map(|(first, share)| share * held(first)).sum();
            Some(Law {
                probability: own + copy * copied_in_time(spec),
                source: "sum w^2 + P(copy in time) on the others that hold one",
                independent: true,
            })
        }
    }
}

fn local(spec: &CallbackRouting, shares: &[f64]) -> Option<Law> {
    let times = spec.callback_attempts;
    match (spec.routing, &spec.arrivals) {
        (Routing::Independent, _) => Some(Law {
            probability: callback_returns(shares, times),
            source: if times == 1 { "sum w^2" } else { "1 - sum w (1 - w)^k" },
            independent: true,
        }),
        // The n-th delivery lands n servers after the first: on it again when n is the number of servers.
        (Routing::RoundRobin, Arrivals::Sequential { .. })
            if shares.iter().all(|share| share == &shares[0]) =>
        {
            Some(Law {
                probability: if times as usize >= shares.len() { 1.0 } else { 0.0 },
                source: "the callback takes the next turn",
                independent: true,
            })
        }
        _ => None,
    }
}

/// P(lag <= delay), by 10,000 quantiles of the delay; exact where either is constant.
pub(super) fn copied_in_time(spec: &CallbackRouting) -> f64 {
    const POINTS: u32 = 10_000;
    let State::Replicated { lag, .. } = &spec.state else { return 1.0 };
    let (lag, delay) = (&lag.nanos, &spec.provider_delay.nanos);
    let at = |point| lag.cdf(delay.quantile((f64::from(point) + 0.5) / f64::from(POINTS)));
    (0..POINTS).map(at).sum::<f64>() / f64::from(POINTS)
}
