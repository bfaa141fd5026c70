//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::Measured;
use crate::study::replicate::spelled_out;
use crate::text::escape;
use sim_core::{SimDuration, SimTime};
use sim_models::experiment::Resolved;
use sim_models::report::{During, Meaning, Metric, MetricError, Report, asked};

/// Which metrics are known before anything is run.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Whether the model says what values it may report.
    values: bool,
}

impl Known {
    /// Whether it is known that a run will have this metric, or that it will not.
    pub fn of(self, metric: &str) -> bool {
        self.values || !metric.starts_with("values")
    }
}

/// What can be asked of a run, before it is made: a report in which nothing is measured.
pub fn glance(resolved: &Resolved) -> (Report, Known) {
    (sim_models::run::glance(resolved), Known { values: !resolved.model.values(&resolved.run).is_empty() })
}

/// Refuses metrics that this run would not have.
pub fn check(resolved: &Resolved, metrics: &[String]) -> Result<()> {
    if metrics.is_empty() {
        return Ok(());
    }
    metrics.iter().try_for_each(|metric| within(metric, resolved.run.duration))?;
    let (report, knows) = glance(resolved);
    let metrics: Vec<String> = metrics.iter().filter(|metric| knows.of(metric)).cloned().collect();
    measure(&report, &metrics).map(|_| ())
}

/// Refuses a metric of a stretch that a run of this length does not have to its end.
pub fn within(metric: &str, duration: SimDuration) -> Result<()> {
    let Ok((_, Some(During::Time { from, to }))) = asked(metric) else { return Ok(()) };
    let end = SimTime::ZERO + duration;
    let metric = escape(metric);
    if from >= end {
        return Err(Error::usage(format!("`{metric}` is about nothing: the run ends at {duration}")));
    }
    if to > end {
        let why = format!("`{metric}` asks for a stretch until {to}, and the run ends at {duration}");
        return Err(Error::usage(why));
    }
    Ok(())
}

/// These metrics of one report, and what they mean; an unknown one is a mistake on the command line.
pub fn measure(report: &Report, paths: &[String]) -> Result<Vec<(Measured, Meaning)>> {
    report.measured(paths).into_iter().map(|one| one.map(measured).map_err(unknown)).collect()
}

/// As [`measure`], of metrics that nobody asked for: which of them this report does not have is told instead.
pub fn measure_usual(report: &Report, paths: &[String]) -> (Vec<(Measured, Meaning)>, Vec<bool>) {
    let of = |(path, one): (&String, Result<_, _>)| match one {
        Ok(one) => (measured(one), true),
        Err(_) => ((Measured::Absent, Meaning::at(path)), false),
    };
    paths.iter().zip(report.measured(paths)).map(of).unzip()
}

/// Beside each of these metrics that is a response time of calls that ended well: how many did, of those that ended.
pub fn answered(report: &Report, paths: &[String]) -> Vec<Option<f64>> {
    let asked: Vec<String> = paths.iter().filter_map(|path| answered_path(path)).collect();
    let mut shares = report.measured(&asked).into_iter();
    let share = |path: &String| {
        answered_path(path)?;
        match shares.next()? {
            Ok((Metric::Number(share, _), _)) => Some(share),
            _ => None,
        }
    };
    paths.iter().map(share).collect()
}

/// The same percentile of all calls, of a response time of those that ended well.
pub fn of_all(report: &Report, path: &str) -> Option<Measured> {
    let whole = spelled_out(report, path);
    let (edge, which) = whole.rsplit_once(".latency.")?;
    let of_all = report.metric(&format!("{edge}.response.{which}")).ok()?;
    Some(measured((of_all, Meaning::default())).0)
}

/// `edges["a->b"].success during fault` of `edges["a->b"].latency.p99 during fault`.
fn answered_path(path: &str) -> Option<String> {
    let (named, during) = path.split_at(path.rfind(" during ").unwrap_or(path.len()));
    Some(format!("{}.success{during}", named.rsplit_once(".latency.")?.0))
}

fn measured((metric, meaning): (Metric, Meaning)) -> (Measured, Meaning) {
    let measured = match metric {
        Metric::Truth(truth) => Measured::Truth(truth),
        Metric::Number(number, _) => Measured::of(number),
        Metric::Absent => Measured::Absent,
    };
    (measured, meaning)
}

fn unknown(error: MetricError) -> Error {
    let help = match error.nearest.as_slice() {
        [] => "  `brownout list metrics EXPERIMENT` names them".into(),
        nearest => format!("  the nearest are: {}", nearest.join(", ")),
    };
    Error::Usage { message: error.message, help }
}
