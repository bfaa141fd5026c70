//! Metrics of one report by their paths.

use crate::error::{Error, Result};
use crate::result::estimate::{Measured, OfWhom};
use crate::study::replicate::spelled_out;
use crate::text::escape;
use sim_core::{SimDuration, SimTime};
use sim_models::experiment::Resolved;
use sim_models::report::{During, Meaning, Metric, MetricError, Report, asked, names};

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

/// Beside each of these metrics: of whom it is, where it looks better if there are fewer.
pub fn of_whom(report: &Report, paths: &[String]) -> Vec<OfWhom> {
    let asked: Vec<[Option<String>; 3]> = paths.iter().map(|path| whose(report, path)).collect();
    let flat: Vec<&String> = asked.iter().flatten().flatten().collect();
    let mut numbers = report.measured(&flat).into_iter().map(|one| match one {
        Ok((Metric::Number(number, _), _)) => Some(number),
        _ => None,
    });
    let mut number = |asked: &Option<String>| asked.as_ref().and_then(|_| numbers.next().flatten());
    let of = |[answered, goodput, offered]: &[Option<String>; 3]| {
        let (answered, goodput, share_of) = (number(answered), number(goodput), number(offered));
        let served =
            if offered.is_some() { goodput.zip(share_of).map(|(good, of)| good / of) } else { goodput };
        OfWhom { answered, served: served.filter(|share| share.is_finite()) }
    };
    asked.iter().map(of).collect()
}

/// The metrics that tell of whom one is: how many calls over its edge ended well; of the users', those served, of those offered.
fn whose(report: &Report, path: &str) -> [Option<String>; 3] {
    let (named, during) = path.split_at(path.rfind(" during ").unwrap_or(path.len()));
    let users = || report.edges.iter().filter(|(_, edge)| edge.from_users);
    // Users who wait for their answers offer no more than they are served.
    let wait = users().any(|(_, edge)| edge.closed_loop);
    let inside = is_inside(named, |edge| users().all(|(name, _)| name != edge));
    [
        named.rsplit_once(".latency.").map(|(edge, _)| format!("{edge}.success{during}")),
        inside.then(|| format!("goodput{during}")),
        (inside && !wait).then(|| format!("offered{during}")),
    ]
}

/// Whether a metric tells of what goes on inside, or of how users are served against what is usual, and not of how many are: less
/// work, fewer failures, shorter queues and a usual that is soon reached are easy to have for whoever serves fewer.
fn is_inside(path: &str, inner: impl Fn(&str) -> bool) -> bool {
    match names(path).unwrap_or_default().iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["amplification" | "wasted" | "in_vain" | "recovered" | "time_to_recover"] | ["services", ..] => true,
        ["edges", edge, ..] => inner(edge),
        // What a model's own values tell of only it knows.
        ["values" | "response" | "latency", ..] | [] | [_] => false,
        // What a mechanism measures.
        _ => true,
    }
}

/// Of a response time that is longer than any answer took: the share of the calls that ended, and not well.
pub fn unanswered(report: &Report, path: &str) -> Option<f64> {
    let (named, during) = path.split_at(path.rfind(" during ").unwrap_or(path.len()));
    let whole = spelled_out(report, named);
    let (edge, which) = match whole.rsplit_once(".latency.").or_else(|| whole.rsplit_once(".response.")) {
        Some((edge, which)) => (edge.to_string(), which),
        // Of the first users.
        None => {
            let which = named.strip_prefix("response.").or_else(|| named.strip_prefix("latency."))?;
            (spelled_out(report, which).rsplit_once(".latency.")?.0.into(), which)
        }
    };
    let of_all = ["unanswered", "count", which].map(|name| format!("{edge}.response.{name}{during}"));
    let number = |one: Result<(Metric, Meaning), MetricError>| match one {
        Ok((Metric::Number(number, _), _)) => Some(number),
        _ => None,
    };
    match report.measured(&of_all).into_iter().filter_map(number).collect::<Vec<f64>>()[..] {
        [unanswered, count, longest] if longest == f64::INFINITY && count > 0.0 => Some(unanswered / count),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::report::{Edge, Latency, Response, Summary};

    #[test]
    fn who_got_no_answer_is_counted_where_a_percentile_is_theirs() {
        let mut report = Report::default();
        let response = Response { count: 100, unanswered: 4, p50: Some(5), ..Response::default() };
        let latency = Latency { count: 96, p50: Some(5), p99: Some(9), ..Latency::default() };
        let edge = Edge { from_users: true, success: Some(0.96), latency, response, ..Edge::default() };
        report.edges.push("users->a", edge);
        let of = |path: &str| unanswered(&report, path).map(|share| (share * 100.0).round());
        for path in [
            "p99",
            "response.p99",
            "latency.p99",
            "edges.users->a.latency.p99",
            r#"edges["users->a"].response.p99"#,
        ] {
            assert_eq!(of(path), Some(4.0), "{path}");
        }
        for path in ["p50", "response.p50", "success", "goodput", "edges.users->a.success"] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn whoever_serves_fewer_has_less_to_do() {
        let mut report = Report {
            summary: Summary { offered: Some(200.0), goodput: Some(80.0), ..Summary::default() },
            ..Report::default()
        };
        let latency = Latency { p99: Some(9), ..Latency::default() };
        let edge = |from_users, success| Edge {
            from_users,
            success: Some(success),
            latency: latency.clone(),
            ..Edge::default()
        };
        report.edges.push("users->a", edge(true, 0.5));
        report.edges.push("a->b", edge(false, 0.25));
        let of = |report: &Report, path: &str| {
            let OfWhom { answered, served } = of_whom(report, &[path.to_string()])[0];
            (answered, served)
        };
        for path in [
            "wasted",
            "amplification",
            "time_to_recover",
            "services.a.queue_mean",
            "edges.a->b.calls.failed",
            "hedges.x.y",
        ] {
            assert_eq!(of(&report, path), (None, Some(0.4)), "{path}");
        }
        for path in [
            "goodput",
            "success",
            "lost",
            "error_budget",
            "p99",
            "response.p99",
            "edges.users->a.success",
            "values.x.value",
        ] {
            assert_eq!(of(&report, path), (None, None), "{path}");
        }
        assert_eq!(of(&report, "edges.users->a.latency.p99"), (Some(0.5), None));
        assert_eq!(of(&report, r#"edges["a->b"].latency.p99"#), (Some(0.25), Some(0.4)));
        // Of several at once each has its own.
        let paths = ["goodput", "edges.a->b.latency.p99", "wasted"].map(String::from);
        let told: Vec<_> = of_whom(&report, &paths).iter().map(|whom| (whom.answered, whom.served)).collect();
        assert_eq!(told, [(None, None), (Some(0.25), Some(0.4)), (None, Some(0.4))]);
        // Whoever waits for an answer offers no more than is served.
        report.edges.0[0].1.closed_loop = true;
        assert_eq!(of(&report, "wasted"), (None, Some(80.0)));
    }
}
