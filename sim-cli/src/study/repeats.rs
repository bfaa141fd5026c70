//! What `--replications`, `--precision` and `--warm-up` come to.

use crate::app::App;
use crate::args::{Bounds, Repeats, WarmUp};
use crate::error::{Error, Exit, Result};
use crate::experiment::{BASE, Opened};
use crate::result::estimate::Measured;
use crate::result::precision::Precision;
use crate::result::seeds::{CONFIDENCE, Seeds};
use crate::study::replicate::{How, Outcome, Row, run_all};
use crate::study::together::{Counted, estimate, together};
use crate::study::warm_up;
use crate::text::escape;
use sim_core::stats::Sample;
use sim_core::stats::precision::{next_count, relative_half_width, replications_needed};
use sim_models::report::Report;

/// The path of the warm-up.
const WARM_UP: &str = "run.warm_up";
/// When this many times the most replications would be needed, no more are made. From ten replications the
/// spread looks that much too large once in ten thousand times.
const HOPELESS: f64 = 4.0;

/// On which seeds the rows are run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The first seed, and how many; with a precision, how many at most.
    pub seeds: Seeds,
    /// How narrow each interval is to be, relative to its mean; then as many seeds as that takes.
    pub precision: Option<f64>,
    /// How many times as long as the experiment's own a run may be until it is decided, each by itself; none does not run on.
    pub settle: Option<u32>,
}

impl Repeats {
    /// Whether nobody has said how many seeds it shall be.
    pub fn number_is_open(&self) -> bool {
        self.replications.is_none() && self.precision.is_none()
    }

    /// The seeds of these rows, counted up from `seed` or the file's; as many as `unless_said` or the file says
    /// where the command line says nothing. The warm-up that was asked for is added to the settings of every
    /// row, so that each line that repeats a run shows it.
    pub fn plan(
        &self,
        app: &mut App,
        opened: &Opened,
        rows: &mut [Row],
        seed: Option<u64>,
        unless_said: Option<u32>,
        bounds: &Bounds,
    ) -> Result<Plan> {
        let first = rows.first().expect("somebody asks for at least one row");
        let run = app.prepare(opened, first.variant.as_deref(), &first.set, seed)?;
        let count = match self.precision {
            Some(_) => self.max_replications,
            None => self.replications.or(unless_said).unwrap_or(run.resolved.run.replications),
        };
        let seeds = Seeds { first: run.seed, count };
        if let Some(warm_up) = self.warm_up {
            if rows.iter().flat_map(|row| &row.set).any(|(path, _)| path == WARM_UP) {
                let message = format!("the warm-up is given twice: by --warm-up, and as {WARM_UP}");
                return Err(Error::usage(message));
            }
            let length = match warm_up {
                WarmUp::For(length) => length,
                WarmUp::Auto => warm_up::find(app, opened, rows, seeds.first, bounds)?,
            };
            rows.iter_mut().for_each(|row| row.set.push((WARM_UP.into(), length.to_string())));
        }
        Ok(Plan { seeds, precision: self.precision, settle: None })
    }
}

/// What came of a plan.
#[derive(Debug)]
pub struct Planned<T> {
    /// The runs.
    pub outcome: Outcome<T>,
    /// The seeds that were run.
    pub seeds: Seeds,
    /// What was wanted and how near it is, if a precision was.
    pub precision: Option<Precision>,
}

/// A metric of one run: its name, what it came to, and what was counted of it where a run has little to say.
pub type Known = (String, Measured, Option<Counted>);

/// As [`run_all`], on the seeds of a plan: all of them, or as many as its precision takes. `measured` is what
/// `keep` kept of the metrics that are to be known well, in the order of `names`.
pub fn run_planned<T: Send>(
    app: &mut App,
    opened: &Opened,
    rows: &[Row],
    plan: Plan,
    bounds: &Bounds,
    keep: impl Fn(Report, bool) -> Result<T> + Sync,
    measured: impl Fn(&T) -> Vec<Known>,
) -> Result<Planned<T>> {
    let Some(wanted) = plan.precision else {
        let outcome = run_all(app, opened, rows, plan.seeds, How::new(bounds, plan.settle), keep)?;
        return Ok(Planned { outcome, seeds: plan.seeds, precision: None });
    };
    let most = plan.seeds.count;
    let mut all = Outcome::none(rows.len());
    let mut precision = Precision { wanted, ..Precision::default() };
    let mut count = 0;
    while let Some(next) = next_count(count, most) {
        let first = plan.seeds.first.wrapping_add(u64::from(count));
        let batch = Seeds { first, count: next - count };
        let keep = |report: Report, first: bool| keep(report, first && count == 0);
        all.add(run_all(app, opened, rows, batch, How::new(bounds, plan.settle), keep)?);
        count = next;
        if app.console.interrupt.exit().is_some() {
            precision.short = vec!["interrupted".into()];
            break;
        }
        precision = judge(rows, &all.rows, &measured, wanted)?;
        if precision.reached || precision.needed.is_some_and(|n| n as f64 > HOPELESS * f64::from(most)) {
            break;
        }
    }
    if all.exit == Exit::Good && !precision.reached {
        all.exit = Exit::Limit;
    }
    let seeds = Seeds { count, ..plan.seeds };
    Ok(Planned { outcome: all, seeds, precision: Some(precision) })
}

/// How well every metric of every row is known.
fn judge<T>(
    rows: &[Row],
    runs: &[Vec<Option<T>>],
    measured: impl Fn(&T) -> Vec<Known>,
    wanted: f64,
) -> Result<Precision> {
    let mut short: Vec<(f64, String)> = Vec::new();
    let (mut judged, mut needed) = (0, Some(0.0_f64));
    let mut without = Vec::new();
    for (row, runs) in rows.iter().zip(runs) {
        let values: Vec<Vec<Known>> = runs.iter().flatten().map(&measured).collect();
        let names = values.first().map_or(&[][..], Vec::as_slice).iter().map(|(name, ..)| name);
        for (column, name) in names.enumerate() {
            let number = |measured: &Measured| match *measured {
                Measured::Number(x) if x.is_finite() => Some(x),
                _ => None,
            };
            let measured: Vec<Measured> = values.iter().map(|run| run[column].1).collect();
            let counted: Vec<Option<&Counted>> = values.iter().map(|run| run[column].2.as_ref()).collect();
            let numbers: Vec<f64> = together(&measured, &counted).iter().filter_map(number).collect();
            let sample = Sample::of(&numbers);
            let of = format!("{} of {}", escape(name), named(row, rows));
            let Some(share) = relative_half_width(&sample, CONFIDENCE) else {
                // A truth, or never there, or there once, or a mean of nothing.
                match sample.n {
                    0 if !without.contains(name) => without.push(name.clone()),
                    0 => {}
                    1 => short.push((f64::INFINITY, format!("{of} is there on one seed only"))),
                    _ => short
                        .push((f64::INFINITY, format!("{of} is 0 on average and has no relative precision"))),
                }
                needed = if sample.n > 0 { None } else { needed };
                continue;
            };
            judged += 1;
            // The longer side of an interval that is longer to one.
            let share = estimate(&measured, &counted).longer_side().unwrap_or(share);
            if share > wanted {
                let n = replications_needed(&sample, CONFIDENCE, wanted).unwrap_or(f64::INFINITY);
                let n = n.max(sample.n as f64 + 1.0);
                // A metric that is there on half of the seeds takes twice as many.
                let n = (n * values.len() as f64 / sample.n as f64).ceil();
                needed = needed.map(|needed| needed.max(n));
                short.push((share, format!("{of} is known to {:.2} %", share * 100.0)));
            }
        }
    }
    if judged == 0 && short.is_empty() && !without.is_empty() {
        return Err(Error::Usage {
            message: format!(
                "--precision asks how well a mean is known, and none of these has one: {}",
                escape(&without.join(", "))
            ),
            help: "  what is true or false, or never there, has no relative precision: choose another --metric, or \
                   a number of seeds with --replications"
                .into(),
        });
    }
    short.sort_by(|a, b| b.0.total_cmp(&a.0));
    let reached = short.is_empty() && judged > 0;
    let needed = needed.filter(|n| !reached && *n > 0.0).map(|n| n as u64);
    Ok(Precision { wanted, reached, short: short.into_iter().map(|(_, text)| text).collect(), needed })
}

/// What tells a row from the others.
fn named(row: &Row, rows: &[Row]) -> String {
    let variant = escape(row.variant.as_deref().unwrap_or(BASE));
    let alike = rows.iter().filter(|other| other.variant == row.variant).count() > 1;
    let set = row.set.iter().map(|(path, value)| escape(&format!("{path}={value}"))).collect::<Vec<_>>();
    match alike {
        true => format!("{variant} at {}", set.join(" ")),
        false => variant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measured::{Absent, Number, Truth};

    fn judged(runs: &[Measured], wanted: f64) -> Result<Precision> {
        let runs = vec![runs.iter().map(|run| Some(*run)).collect()];
        let rows = [Row { variant: None, set: Vec::new() }];
        judge(&rows, &runs, |run: &Measured| vec![("p99".into(), *run, None)], wanted)
    }

    #[test]
    fn it_is_reached_when_the_interval_is_narrow() {
        let runs: Vec<Measured> = (0..10).map(|n| Number(100.0 + f64::from(n % 2))).collect();
        let wide = judged(&runs, 0.001).unwrap();
        assert!(!wide.reached && wide.short[0].starts_with("p99 of base is known to 0.3"), "{wide:?}");
        assert_eq!(wide.needed, Some(141));
        assert!(wide.incomplete(Seeds { first: 1, count: 10 }).unwrap().contains("about 141 seeds"));
        let narrow = judged(&runs, 0.01).unwrap();
        assert!(narrow.reached && narrow.needed.is_none() && narrow.incomplete(Seeds::default()).is_none());
    }

    #[test]
    fn what_is_there_on_half_of_the_seeds_takes_twice_as_many() {
        let all: Vec<Measured> = (0..20).map(|n| Number(100.0 + f64::from(n % 2))).collect();
        let half: Vec<Measured> = all.iter().flat_map(|value| [*value, Absent]).collect();
        let needed = |runs: &[Measured]| judged(runs, 0.0001).unwrap().needed.unwrap() as f64;
        assert!((needed(&half) / needed(&all) - 2.0).abs() < 1e-3);
    }

    #[test]
    fn what_has_no_relative_precision_says_so() {
        for runs in [[Truth(true); 10], [Absent; 10]] {
            let error = judged(&runs, 0.02).unwrap_err().to_string();
            assert!(error.contains("none of these has one: p99"), "{error}");
        }
        let around_zero: Vec<Measured> = (0..10).map(|n| Number(f64::from(n % 2 * 2) - 1.0)).collect();
        let judgement = judged(&around_zero, 0.02).unwrap();
        assert!(!judgement.reached && judgement.needed.is_none(), "{judgement:?}");
        assert!(
            judgement.incomplete(Seeds { first: 1, count: 10 }).unwrap().contains("may never"),
            "{judgement:?}"
        );
        assert!(judged(&[Number(0.0); 10], 0.02).unwrap().reached, "nothing varies: it is known exactly");
    }
}
