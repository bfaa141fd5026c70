//! `--warm-up auto`: how much of the beginning is not yet what the system is like.
//!
//! A few pilot runs are measured from time zero on, in fine windows, up to the first disturbance: what a fault
//! does is not warm-up. Requests in the system, response time and goodput are averaged over the pilots, window
//! by window, MSER-5 finds the cut of each, and the largest counts, for every row alike: rows are compared
//! over the same stretch.

use crate::app::App;
use crate::args::Bounds;
use crate::error::{Error, Exit, Result};
use crate::experiment::{BASE, Opened};
use crate::result::seeds::Seeds;
use crate::study::replicate::{How, Row, run_all};
use crate::text::escape;
use sim_core::SimDuration;
use sim_core::stats::mser5;
use sim_models::report::{EdgeWindows, Report};

/// Pilot runs of each row.
const PILOTS: u32 = 5;
/// Pilot runs of a row that does not seem to settle in so few.
const MOST_PILOTS: u32 = 20;
/// Windows of a pilot run.
const FINE: u64 = 5_000;
/// Windows of the stretch before the first disturbance, at most: finer ones are joined.
const WINDOWS: usize = 500;
/// The most rows that are piloted: of more, as many evenly apart, the first and the last among them.
const MOST_ROWS: usize = 12;

/// The warm-up that all of these rows need, a whole number of windows. Says on stderr what it found.
pub(super) fn find(
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    first_seed: u64,
    bounds: &Bounds,
) -> Result<SimDuration> {
    let chosen = evenly(rows.len());
    let rows: Vec<Row> = chosen.iter().map(|&row| rows[row].clone()).collect();
    let mut pilots = Vec::with_capacity(rows.len());
    let mut rounding = Vec::with_capacity(rows.len());
    for row in &rows {
        let run = app.prepare(opened, row.variant.as_deref(), &row.set, Some(first_seed))?.resolved.run;
        let window = SimDuration::from_nanos((run.duration.as_nanos() / FINE).max(1)).min(run.window);
        let mut set = row.set.clone();
        set.extend([("run.warm_up".into(), "0s".into()), ("run.window".into(), window.to_string())]);
        pilots.push(Row { variant: row.variant.clone(), set });
        rounding.push(run.window);
    }
    let mut sums = pilot(app, opened, &pilots, first_seed, PILOTS, bounds)?;
    // Without any transient the least MSER is anywhere, by chance even in the second half. More pilots meet other
    // luck; what still has not settled then drifts.
    let doubtful: Vec<usize> = (0..rows.len()).filter(|&row| sums[row].unsettled().is_some()).collect();
    if !doubtful.is_empty() {
        let again: Vec<Row> = doubtful.iter().map(|&row| pilots[row].clone()).collect();
        let more = pilot(app, opened, &again, first_seed, MOST_PILOTS, bounds)?;
        doubtful.iter().zip(more).for_each(|(&row, more)| sums[row] = more);
    }
    let (mut longest, mut because) = (SimDuration::ZERO, "");
    for ((row, windows), rounding) in rows.iter().zip(&sums).zip(rounding) {
        if let Some(what) = windows.unsettled() {
            return Err(unsettled(row, what, windows));
        }
        if windows.series().is_empty() {
            return Err(Error::Failed(format!(
                "{} has no requests over time before anything disturbs it, so no warm-up can be found: give it, \
                 --warm-up 10s, or none",
                named(row)
            )));
        }
        for (what, values) in windows.series() {
            let cut = windows.width.as_nanos() * mser5(&values).unwrap_or(0) as u64;
            let rounded = SimDuration::from_nanos(cut.next_multiple_of(rounding.as_nanos()));
            if rounded > longest {
                (longest, because) = (rounded, what);
            }
        }
    }
    let rows = if rows.len() > 1 { format!(" of each of {} settings", rows.len()) } else { String::new() };
    let why = if longest.is_zero() { String::new() } else { format!(", for the {because} to settle") };
    let pilots = if doubtful.is_empty() { PILOTS } else { MOST_PILOTS };
    let up_to = if doubtful.is_empty() { "" } else { "up to " };
    app.console.note(&format!("warm-up {longest}{why}: found in {up_to}{pilots} pilot runs{rows} (MSER-5)"));
    Ok(longest)
}

/// The windows of each row, its pilots added up.
fn pilot(
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    first: u64,
    count: u32,
    bounds: &Bounds,
) -> Result<Vec<Windows>> {
    let seeds = Seeds { first, count };
    let outcome =
        run_all(app, opened, rows, seeds, How::new(bounds, None), |report, _| Ok(Windows::of(&report)))?;
    match outcome.exit {
        Exit::Interrupted | Exit::Terminated => Err(Error::Stopped(outcome.exit)),
        _ => Ok(outcome.rows.iter().map(|row| Windows::sum(row.iter().flatten()).joined()).collect()),
    }
}

fn unsettled(row: &Row, what: &str, windows: &Windows) -> Error {
    let stretch = SimDuration::from_nanos(windows.width.as_nanos() * windows.begun.len() as u64);
    Error::Failed(format!(
        "no warm-up can be found: in {} the {what} had not settled in the first half of the {stretch} before \
         anything disturbs it\n  run longer (--set run.duration=.., later faults), or give the warm-up: --warm-up 30s",
        named(row)
    ))
}

fn named(row: &Row) -> String {
    let variant = row.variant.as_deref().unwrap_or(BASE);
    let set = row.set.iter().map(|(path, value)| format!(" {path}={value}")).collect::<String>();
    escape(&format!("{variant}{set}"))
}

/// At most [`MOST_ROWS`] of `rows` rows, evenly apart.
fn evenly(rows: usize) -> Vec<usize> {
    if rows <= MOST_ROWS {
        return (0..rows).collect();
    }
    (0..MOST_ROWS).map(|n| n * (rows - 1) / (MOST_ROWS - 1)).collect()
}

/// What one run, or the sum of a few, did in each whole window before the first disturbance.
#[derive(Clone, Debug, Default, PartialEq)]
struct Windows {
    width: SimDuration,
    /// Requests waiting or served, times nanoseconds; empty without services.
    in_system: Vec<u128>,
    /// Calls of users that ended well, and their response times, in nanoseconds.
    begun: Vec<u64>,
    ok: Vec<u64>,
    response: Vec<u128>,
}

impl Windows {
    fn of(report: &Report) -> Self {
        let width = report.run.window.max(1);
        let until = report.timeline.disturbances.iter().map(|disturbance| disturbance.from);
        let until = until.min().unwrap_or(u64::MAX).min(report.run.duration);
        let count = (until / width) as usize;
        let users: Vec<&EdgeWindows> =
            report.edges.iter().filter(|(_, edge)| edge.from_users).map(|(_, edge)| &edge.windows).collect();
        let sum = |of: &dyn Fn(&EdgeWindows, usize) -> u64| -> Vec<u64> {
            (0..count).map(|n| users.iter().map(|edge| of(edge, n)).sum()).collect()
        };
        let at = |values: &[u64], n: usize| values.get(n).copied().unwrap_or(0);
        let response = |n: usize| -> u128 {
            let buckets = users.iter().filter_map(|edge| edge.latency.get(n)).flatten();
            buckets.map(|&(ns, count)| u128::from(ns) * u128::from(count)).sum()
        };
        let services = || report.services.iter().map(|(_, service)| &service.windows);
        let in_system = |n: usize| -> u128 {
            services().map(|s| u128::from(at(&s.queue_ns, n)) + u128::from(at(&s.busy_ns, n))).sum()
        };
        Windows {
            width: SimDuration::from_nanos(width),
            in_system: if report.services.is_empty() {
                Vec::new()
            } else {
                (0..count).map(in_system).collect()
            },
            begun: if users.is_empty() { Vec::new() } else { sum(&|edge, n| at(&edge.started, n)) },
            ok: sum(&|edge, n| at(&edge.ok, n)),
            response: (0..count).map(response).collect(),
        }
    }

    /// Window by window; as long as the shortest.
    fn sum<'a>(all: impl Iterator<Item = &'a Windows>) -> Windows {
        fn add<T: Copy + std::ops::AddAssign>(sum: &mut Vec<T>, more: &[T]) {
            sum.truncate(more.len());
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += *more);
        }
        let join = |mut sum: Windows, more: &Windows| {
            add(&mut sum.in_system, &more.in_system);
            add(&mut sum.begun, &more.begun);
            add(&mut sum.ok, &more.ok);
            add(&mut sum.response, &more.response);
            sum
        };
        let mut all = all.cloned();
        let first = all.next().unwrap_or_default();
        all.fold(first, |sum, more| join(sum, &more))
    }

    /// In wider windows, not many more than [`WINDOWS`].
    fn joined(self) -> Windows {
        fn join<T: Copy + std::iter::Sum<T>>(values: &[T], each: usize) -> Vec<T> {
            values.chunks_exact(each).map(|chunk| chunk.iter().copied().sum()).collect()
        }
        let each = (self.ok.len() / WINDOWS).max(1);
        Windows {
            width: SimDuration::from_nanos(self.width.as_nanos() * each as u64),
            in_system: join(&self.in_system, each),
            begun: join(&self.begun, each),
            ok: join(&self.ok, each),
            response: join(&self.response, each),
        }
    }

    /// What has not settled in the first half.
    fn unsettled(&self) -> Option<&'static str> {
        self.series().into_iter().find(|(_, values)| mser5(values).is_none()).map(|(what, _)| what)
    }

    /// What is looked at, in words, and its values; none if nothing began.
    fn series(&self) -> Vec<(&'static str, Vec<f64>)> {
        if self.begun.iter().all(|begun| *begun == 0) {
            return Vec::new();
        }
        let mut all = Vec::new();
        if !self.in_system.is_empty() {
            all.push((
                "number of requests in the system",
                self.in_system.iter().map(|x| *x as f64).collect(),
            ));
        }
        // A window in which nothing ended says nothing of response times: the one before stands.
        let mut last = None;
        let mean = |(ok, response): (&u64, &u128)| {
            last = if *ok > 0 { Some(*response as f64 / *ok as f64) } else { last };
            last
        };
        let responses: Vec<f64> = self.ok.iter().zip(&self.response).filter_map(mean).collect();
        // Few requests in few windows make neither a response time nor a rate worth looking at.
        let enough = |values: &[u64]| values.iter().filter(|n| **n > 0).count() * 2 >= values.len();
        if enough(&self.ok) {
            all.push(("response time", responses));
            all.push(("goodput", self.ok.iter().map(|ok| *ok as f64).collect()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_piloted_evenly() {
        assert_eq!(evenly(3), [0, 1, 2]);
        let chosen = evenly(100);
        assert_eq!((chosen.len(), chosen[0], chosen[11]), (MOST_ROWS, 0, 99));
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "{chosen:?}");
    }

    #[test]
    fn only_what_comes_before_the_first_disturbance_counts() {
        let report = crate::render::testdata::storm();
        assert_eq!(Windows::of(&report).in_system.len(), 60);
        let calm = Report { timeline: Default::default(), ..report };
        assert_eq!(Windows::of(&calm).in_system.len(), 300);
    }

    #[test]
    fn pilots_are_added_window_by_window() {
        let one = Windows {
            begun: vec![1, 2, 3],
            ok: vec![1, 0, 3],
            response: vec![5, 0, 9],
            ..Windows::default()
        };
        let other = Windows { begun: vec![1, 1], ok: vec![1, 0], response: vec![7, 0], ..Windows::default() };
        let sum = Windows::sum([&one, &other].into_iter());
        assert_eq!((sum.begun.clone(), sum.response.clone()), (vec![2, 3], vec![12, 0]));
        assert_eq!(sum.clone().joined(), sum, "so few windows are not joined");
        // The second window had no answers: its response time is that of the first.
        assert_eq!(sum.series()[0], ("response time", vec![6.0, 6.0]));
    }

    #[test]
    fn many_windows_are_joined() {
        let fine = Windows {
            width: SimDuration::from_nanos(10),
            in_system: vec![1; 1_601],
            begun: vec![2; 1_601],
            ok: vec![2; 1_601],
            response: vec![3; 1_601],
        };
        let joined = fine.joined();
        assert_eq!((joined.width.as_nanos(), joined.ok.len(), joined.ok[0]), (30, 533, 6));
        assert_eq!((joined.in_system[532], joined.response.len()), (3, 533));
    }
}
