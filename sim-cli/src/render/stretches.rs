//! What became of calls in the parts of a run, one number each: of all that is measured, and of what began before, during and after
//! what disturbed it.

use sim_models::report::{Edge, Report, Stretch};
use std::borrow::Cow;

/// A part of a run.
pub struct Part<'a> {
    /// None is all that is measured.
    pub stretch: Option<Stretch>,
    /// The run as if only that had been measured.
    report: Cow<'a, Report>,
}

/// A number of an edge in a part.
pub struct Figure {
    /// Its name, and what it counts.
    pub metric: (&'static str, &'static str),
    /// Absent where there is nothing to count; infinite if it is longer than any answer took.
    pub value: Option<f64>,
}

/// The parts that there are, the whole first.
pub fn parts(report: &Report) -> Vec<Part<'_>> {
    let whole = Part { stretch: None, report: Cow::Borrowed(report) };
    let stretch = |stretch: Stretch| {
        Some(Part { stretch: Some(stretch), report: Cow::Owned(report.stretch(stretch)?) })
    };
    [whole].into_iter().chain(Stretch::ALL.into_iter().filter_map(stretch)).collect()
}

impl Part<'_> {
    /// When it begins and ends, in nanoseconds.
    pub fn span(&self) -> (u64, u64) {
        (self.report.run.warm_up, self.report.run.duration)
    }

    /// Its edges.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &Edge)> {
        self.report.edges.iter()
    }
}

/// What is told of an edge: how many calls were answered, and the times of those and of all calls.
pub fn figures(edge: &Edge) -> Vec<Figure> {
    let figure =
        |name: &'static str, unit: &'static str, value: Option<f64>| Figure { metric: (name, unit), value };
    let seconds = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e9);
    let (of_well, of_all) = (&edge.latency, &edge.response);
    let beyond = |ns: Option<u64>| (!of_all.is_empty()).then(|| seconds(ns).unwrap_or(f64::INFINITY));
    vec![
        figure("goodput", "/s", Some(edge.goodput)),
        figure("success", "share", edge.success),
        figure("lost", "calls", Some(edge.calls.ended_badly() as f64)),
        figure("latency_p50", "s", seconds(of_well.p50)),
        figure("latency_p90", "s", seconds(of_well.p90)),
        figure("latency_p99", "s", seconds(of_well.p99)),
        figure("latency_p999", "s", seconds(of_well.p999)),
        figure("response_p50", "s", beyond(of_all.p50)),
        figure("response_p90", "s", beyond(of_all.p90)),
        figure("response_p99", "s", beyond(of_all.p99)),
        figure("response_p999", "s", beyond(of_all.p999)),
    ]
}
