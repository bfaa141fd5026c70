//! Whether a queue grows without end, or only by luck.
//!
//! A queue at its limit wanders like a drunkard: in `n` windows it comes as far as the root of `n` times the variance of
//! what one window adds. What has grown by clearly more than that, and still grows in the end, has a drift: more comes than
//! is served. A queue of which so much cannot be said, but whose workers have long had no rest, may be either.
//!
//! What is offered may have become too much only on the way. Then the whole shows little, and it is asked again of the time since its
//! workers last had a rest, if the queue is longer by now than it has ever been and been gone again. A queue is never empty in such a time, so
//! even without a drift it has grown: its end is that of a meander, which is beyond `z` standard deviations with a chance of
//! `exp(-z^2 / 2)` (Durrett, Iglehart and Miller 1977), and must be beyond more of them.

use crate::report::count::{part, share};
use crate::report::edge::ends;
use crate::report::head::Report;
use std::ops::Range;

/// Standard deviations that are growth: chance does so once in two hundred runs, at the very limit of what can be carried.
const GROWS: f64 = 2.6;
/// The same chance, of what has not been empty meanwhile: sqrt(2 ln 200).
const GROWS_SINCE: f64 = 3.26;
/// And that are suspicious.
const MAY_GROW: f64 = 1.2;
/// Fewer windows, or a smaller rise, show nothing.
const WINDOWS: usize = 20;
const RISE: f64 = 10.0;
/// Twenty stretches vary by so much more than single windows only where things come in bursts.
const BURSTS: f64 = 2.0;
/// Workers that are busy for this share of the time have no rest.
const BUSY: f64 = 0.995;
pub const NEARLY_BUSY: f64 = 0.95;

/// What can be said of a queue.
#[derive(Clone, Debug, PartialEq)]
pub enum Growth {
    /// It grows: whose, by how many requests a second, and for how many windows, if not all the time.
    Grows(String, f64, Option<usize>),
    /// The run is too short to tell.
    Perhaps(String),
}

/// The queue that grows most, or might.
pub fn growth(report: &Report, windows: &Range<usize>) -> Option<Growth> {
    let seconds = report.run.window.max(1) as f64 / 1e9;
    let (mut most, mut perhaps) = (None::<(f64, &str, Option<usize>)>, None);
    for (name, service) in report.services.iter() {
        let queue = lengths(&service.windows.queue_ns, windows, report.run.window);
        let half = windows.start + windows.len() / 2..windows.end;
        let busy = |windows: &Range<usize>| {
            share(&service.windows.busy_ns, &service.windows.available_ns, windows).unwrap_or(0.0)
        };
        let drift = drift(&queue);
        let grows = drift.filter(|(sure, _)| *sure >= GROWS && busy(&half) >= NEARLY_BUSY);
        let grows = grows.map(|(_, rate)| (rate, None)).or_else(|| {
            let rest = |window: &usize| busy(&(*window..window + 1)) < BUSY;
            grows_since(&queue, windows.clone().rev().position(|window| rest(&window))?)
        });
        if let Some((rate, since)) = grows {
            let rate = rate / seconds;
            if most.is_none_or(|(most, ..)| rate > most) {
                most = Some((rate, name, since));
            }
        }
        let patient = !report
            .edges
            .iter()
            .any(|(edge, it)| ends(edge).is_some_and(|(_, to)| to == name) && it.patience.is_some());
        let full = service.queue_capacity.is_some_and(|most| 2 * service.queue_max >= most);
        let long = queue.last().is_some_and(|last| *last >= service.workers.max(RISE as u64) as f64);
        let rising = drift.is_some_and(|(sure, _)| sure >= MAY_GROW) && busy(&half) >= NEARLY_BUSY;
        if patient && !full && long && queue.len() >= WINDOWS && (rising || busy(&half) >= BUSY) {
            perhaps = Some(name);
        }
    }
    if report.edges.iter().any(|(_, edge)| edge.closed_loop) {
        // Users who wait are never more than they are.
        return None;
    }
    most.map(|(rate, name, since)| Growth::Grows(name.into(), rate, since))
        .or(perhaps.map(|name| Growth::Perhaps(name.into())))
}

/// By how many requests per window a queue has grown for so many windows, in which its workers had no rest, if it clearly has.
fn grows_since(queue: &[f64], windows: usize) -> Option<(f64, Option<usize>)> {
    let (before, since) = queue.split_at(queue.len() - windows);
    let (sure, rate) = drift(since)?;
    let been = before.iter().copied().fold(0.0, f64::max);
    (sure >= GROWS_SINCE && *since.last()? > been).then_some((rate, Some(windows)))
}

/// Whether what was counted at the end of each window clearly grows since one of them, to more than it had been before that.
pub fn rises(values: &[f64], from: usize) -> bool {
    let (before, since) = values.split_at(from.min(values.len()));
    let been = before.iter().copied().fold(0.0, f64::max);
    drift(since).is_some_and(|(sure, _)| sure >= GROWS) && since.last().is_some_and(|last| *last > been)
}

/// The queue that falls and still does so in the end, if one clearly does: whose, by how many requests per window, and how
/// many are left.
pub fn falls<'a>(report: &'a Report, windows: &Range<usize>) -> Option<(&'a str, f64, f64)> {
    let falling = report.services.iter().filter_map(|(name, service)| {
        let queue = lengths(&service.windows.queue_ns, windows, report.run.window);
        let most = queue.iter().copied().fold(0.0, f64::max);
        let below: Vec<f64> = queue.iter().map(|length| most - length).collect();
        // All the time, or since half of it: it may have grown at first.
        let parts = [&below[..], &below[below.len() / 2..]];
        let (_, rate) = parts.into_iter().filter_map(drift).find(|(sure, _)| *sure >= GROWS)?;
        Some((name, rate, *queue.last()?))
    });
    falling.max_by(|a, b| a.2.total_cmp(&b.2))
}

/// The mean length of a queue in each window.
fn lengths(queue_ns: &[u64], windows: &Range<usize>, window: u64) -> Vec<f64> {
    part(queue_ns, windows).iter().map(|area| *area as f64 / window.max(1) as f64).collect()
}

/// By how many standard deviations a wandering number has risen, and by how much per window; none if it has not, or not of
/// late.
fn drift(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < WINDOWS {
        return None;
    }
    let steps = (values.len() - 1) as f64;
    let rate = (values[values.len() - 1] - values[0]) / steps;
    let third = values.len() / 3;
    let of_late = (values[values.len() - 1] - values[values.len() - 1 - third]) / third as f64;
    if rate * steps < RISE || of_late < 0.1 * rate {
        return None;
    }
    // Per step, from single steps and from twentieths of the whole: what comes in bursts varies more over these.
    let variance = |apart: usize| {
        let jumps = values.iter().step_by(apart).zip(values.iter().skip(apart).step_by(apart));
        let squares: Vec<f64> =
            jumps.map(|(a, b)| (b - a - rate * apart as f64) * (b - a - rate * apart as f64)).collect();
        squares.iter().sum::<f64>() / squares.len().max(1) as f64 / apart as f64
    };
    // Means over a window vary by two thirds of what the ends of windows do.
    let (single, twentieth) = (1.5 * variance(1), variance((values.len() / 20).max(1)));
    let variance = if twentieth > BURSTS * single { twentieth } else { single };
    Some((rate * steps / (variance * steps).sqrt().max(1e-9), rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Service;
    use crate::report::synthetic::{healthy, run};

    /// A queue of 200 s, whose workers have had no rest for the last so many.
    fn told(seconds: u64, queue: impl Fn(u64) -> f64, busy_for: u64) -> Option<Growth> {
        let mut report = run(seconds, |_| healthy(100));
        let mut page = Service { workers: 1, ..Service::default() };
        let second = 1_000_000_000;
        page.windows.queue_ns = (0..seconds).map(|at| (queue(at) * second as f64) as u64).collect();
        page.windows.available_ns = vec![second; seconds as usize];
        let busy = |at| if at + busy_for >= seconds { second } else { second / 2 };
        page.windows.busy_ns = (0..seconds).map(busy).collect();
        report.services.push("page", page);
        growth(&report, &(0..seconds as usize))
    }

    /// What comes doubles every 20 s and is too much for the last 60 of 200 s: the line is that of the fluid.
    #[test]
    fn what_has_become_too_much_only_in_the_end_grows_all_the_same() {
        let line = |at: u64| {
            let t = at.saturating_sub(140) as f64;
            100.0
                * (sim_core::math::exp(t / 20.0 * std::f64::consts::LN_2)
                    - 1.0
                    - t / 20.0 * std::f64::consts::LN_2)
        };
        let since = |told: Option<Growth>| match told {
            Some(Growth::Grows(page, rate, since)) => Some((page, rate.round(), since)),
            _ => None,
        };
        let grown = (line(199) - line(140)) / 59.0;
        assert_eq!(since(told(200, line, 60)), Some(("page".into(), grown.round(), Some(60))));
        assert_eq!(since(told(200, line, 15)), None, "a dozen seconds show nothing");
        // It was as long before, and then it was gone: so may this one.
        let wave = |at: u64| line(at).max(if at == 70 { line(199) + 1.0 } else { 0.0 });
        assert_eq!(since(told(200, wave, 60)), None);
        // It has grown, and does so no more; or is on its way to be gone.
        let plateau = |at: u64| if at < 140 { 0.0 } else { 1_000.0 };
        let hill = |at: u64| if at < 140 { 0.0 } else { 1_000.0 - 10.0 * (at - 140) as f64 };
        assert_eq!((since(told(200, plateau, 60)), since(told(200, hill, 60))), (None, None));
    }

    /// Steps of plus or minus one, or more, from a fixed sequence.
    fn walk(drift: f64, floor: f64) -> Vec<f64> {
        let mut state = 7_u64;
        let mut at = floor;
        (0..280)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = ((state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5) * 12.0_f64.sqrt();
                at = (at + 20.0 * noise + drift).max(0.0);
                at
            })
            .collect()
    }

    #[test]
    fn a_drift_is_told_from_a_drunkard() {
        let sure = |drift_by: f64| drift(&walk(drift_by, 0.0)).map_or(0.0, |(sure, _)| sure);
        assert!(sure(10.0) > GROWS, "{}", sure(10.0));
        assert!(sure(-2.0) < MAY_GROW && sure(-10.0) < MAY_GROW, "{}", sure(-10.0));
        let (_, rate) = drift(&walk(12.0, 0.0)).expect("it grows");
        assert!((10.0..14.0).contains(&rate), "{rate}");
        // Up to a plateau, and no further.
        let plateau: Vec<f64> = (0..100).map(|n| f64::from(n.min(50))).collect();
        assert_eq!(drift(&plateau), None);
        assert_eq!(drift(&[0.0; 100]), None);
        assert_eq!(drift(&[1.0, 100.0]), None);
    }
}
