//! A report of a part of the run.
//!
//! Windows keep enough to say again, for any part: calls and attempts per edge, goodput, latency, utilisation
//! and queues. What they do not keep (why calls and attempts failed, how long failures took, waits, work and what
//! of it was wasted, a model's own values and tables) is 0 or absent in a part, and [`metric`](Report::metric)
//! refuses to read it there.
//!
//! Three things differ from the whole: starts and ends are counted where they happen, so that a call may start
//! in one part and end in the next; amplification divides attempts by the calls started beside them, but for those that
//! ended there unsent; and latency is known to 1 % instead of 0.1 %, never too low.
//!
//! The stretches before, during and after what disturbed a run are better known: their calls are counted apart while it
//! runs, by when they began, to the call and to 0.1 %. What else there is of them comes from windows.

use super::amplification::amplify;
use super::count::{area, part, per_second, ratio, sum};
use super::edge::{Attempts, Began, Calls, Edge, EdgeWindows};
use super::fold::Windows;
use super::head::{DigestParts, Report, RunFacts, Summary, Verdict};
use super::judge::summarise;
use super::latency::Latency;
use super::named::Named;
use super::response::Response;
use super::service::{Service, ServiceWindows};
use super::stretch::{Stretch, stretches};
use super::timeline::{Series, Timeline};
use crate::policy::Ending;
use sim_core::SimTime;
use std::ops::Range;

impl Report {
    /// The same report as if only `from..to` had been measured, from its windows. Both ends are rounded
    /// outwards to whole windows; what lies before `from` becomes the warm-up.
    pub fn during(&self, from: SimTime, to: SimTime) -> Report {
        let reached = self.reached();
        let window = self.run.window.max(1);
        let to = to.as_nanos().min(reached).div_ceil(window);
        let from = (from.as_nanos() / window).min(to);
        let windows = from as usize..to as usize;
        let span = from * window..(to * window).min(reached);

        // Part by part: windows are most of a report, and copied once.
        let until_end = |series: &Series| {
            let values = part(&series.values, &(0..windows.end)).to_vec();
            Series {
                values,
                name: series.name.clone(),
                unit: series.unit.clone(),
                about: series.about.clone(),
                of: series.of,
            }
        };
        let timeline = Timeline {
            series: self.timeline.series.iter().map(until_end).collect(),
            disturbances: self.timeline.disturbances.clone(),
            lanes: self.timeline.lanes.clone(),
        };
        let edge = |(name, edge): &(String, Edge)| (name.clone(), edge_during(edge, &windows, &span));
        let service = |(name, one): &(String, Service)| (name.clone(), service_during(one, &windows, &span));
        let (edges, services) = (self.edges.0.iter().map(edge), self.services.0.iter().map(service));
        let (edges, services) = (Named(edges.collect()), Named(services.collect()));
        let windows = Windows { which: windows, length: &|at| self.length_of(at) };
        let mut part = Report {
            format: self.format,
            experiment: self.experiment.clone(),
            about: self.about.clone(),
            variant: self.variant.clone(),
            overrides: self.overrides.clone(),
            model: self.model.clone(),
            run: RunFacts { warm_up: span.start, duration: span.end, events: 0, ..self.run.clone() },
            stopped: self.stopped.clone(),
            digest: DigestParts::default(),
            part: true,
            stretch: self.stretch,
            verdict: Verdict { headline: headline(&span), ..Verdict::default() },
            summary: Summary::default(),
            edges,
            services,
            sections: self.sections.iter().map(|section| section.during(&span, &windows)).collect(),
            values: Named::default(),
            tables: Vec::new(),
            timeline,
            notes: self.notes.clone(),
        };
        amplify(&mut part.edges);
        part.summary = summarise(&part);
        part
    }

    /// The same report as if only this stretch had been measured; none if nothing is disturbed, or if it has no length.
    pub fn stretch(&self, which: Stretch) -> Option<Report> {
        let measured = self.run.warm_up..self.reached();
        let span = stretches(&self.timeline.disturbances, &measured)?[which as usize].clone();
        if span.is_empty() || self.part {
            return None;
        }
        let mut part = self.during(SimTime::from_nanos(span.start), SimTime::from_nanos(span.end));
        let apart = |edge: &Edge| edge.stretches.get(which as usize).cloned();
        if self.edges.iter().all(|(_, edge)| apart(edge).is_none()) {
            return Some(part);
        }
        part.stretch = Some(which);
        (part.run.warm_up, part.run.duration) = (span.start, span.end);
        part.verdict.headline = format!("{which}: {}", headline(&span));
        for ((_, whole), (_, edge)) in self.edges.iter().zip(&mut part.edges.0) {
            let Began { calls, sent, goodput, response, latency, latency_failed } =
                apart(whole).unwrap_or_default();
            edge.success = calls.success();
            edge.attempts.sent = sent;
            (edge.calls, edge.goodput, edge.response) = (calls, goodput, response);
            (edge.latency, edge.latency_failed) = (latency, latency_failed);
        }
        amplify(&mut part.edges);
        part.summary = summarise(&part);
        Some(part)
    }

    /// Fills in what follows from the windows of sections and was not counted apart, after the warm-up.
    pub(crate) fn complete_sections(&mut self) {
        let window = self.run.window.max(1);
        let which = (self.run.warm_up / window) as usize..self.reached().div_ceil(window) as usize;
        let mut sections = std::mem::take(&mut self.sections);
        let windows = Windows { which, length: &|at| self.length_of(at) };
        sections.iter_mut().for_each(|section| section.complete(&windows));
        self.sections = sections;
    }

    /// How long a window is, in nanoseconds: the last one may be shorter.
    pub(crate) fn length_of(&self, window: usize) -> f64 {
        let (from, reached) = (window as u64 * self.run.window, self.reached());
        (from + self.run.window).min(reached).saturating_sub(from) as f64
    }
}

fn headline(span: &Range<u64>) -> String {
    format!("{} to {} of the run", SimTime::from_nanos(span.start), SimTime::from_nanos(span.end))
}

fn edge_during(edge: &Edge, windows: &Range<usize>, span: &Range<u64>) -> Edge {
    let of = |series: &[u64]| sum(series, windows);
    let before_end = |series: &[u64]| part(series, &(0..windows.end)).to_vec();
    let whole = &edge.windows;
    let (started, ok, failed) = (of(&whole.started), of(&whole.ok), of(&whole.failed));
    let sent = of(&whole.attempts);
    let latency = latency_during(&edge.latency, part(&whole.latency, windows));
    Edge {
        from_users: edge.from_users,
        closed_loop: edge.closed_loop,
        nobodys: edge.nobodys.clone(),
        calls: Calls {
            started,
            never_sent: of(&whole.never_sent),
            ended: [(Ending::Ok, ok), (Ending::FAILED, failed)].into_iter().collect(),
            ..Calls::default()
        },
        attempts: Attempts { sent, ..Attempts::default() },
        // Of all edges together.
        amplification: None,
        per_user_call: None,
        goodput: per_second(ok, span.end - span.start).unwrap_or(0.0),
        success: ratio(ok, ok + failed),
        response: Response::of(&latency, failed, &[]),
        latency,
        stretches: Vec::new(),
        latency_failed: Latency::default(),
        within: edge.within,
        patience: edge.patience,
        windows: EdgeWindows {
            started: before_end(&whole.started),
            ok: before_end(&whole.ok),
            failed: before_end(&whole.failed),
            failed_by: Named(
                whole.failed_by.iter().map(|(how, series)| (how.into(), before_end(series))).collect(),
            ),
            began_ok: before_end(&whole.began_ok),
            began_in_time: before_end(&whole.began_in_time),
            attempts: before_end(&whole.attempts),
            never_sent: before_end(&whole.never_sent),
            latency: part(&whole.latency, &(0..windows.end)).to_vec(),
        },
    }
}

/// The distribution in these windows: every value stands for the bucket whose highest it is, but none is above
/// the exact maximum of the whole run.
fn latency_during(whole: &Latency, windows: &[Vec<(u64, u64)>]) -> Latency {
    let histogram = Latency::merged(windows);
    let count: u64 = histogram.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return Latency::default();
    }
    let limit = |value: u64| value.min(whole.max.unwrap_or(u64::MAX));
    // The same convention as `LatencyHistogram::percentile_ns`.
    let at = |percent: f64| {
        let rank = ((percent / 100.0 * count as f64).ceil() as u64).clamp(1, count);
        let mut covered = 0;
        let bucket = histogram.iter().find(|(_, count)| {
            covered += count;
            covered >= rank
        });
        bucket.map(|(value, _)| limit(*value))
    };
    let total: u128 =
        histogram.iter().map(|&(value, count)| u128::from(limit(value)) * u128::from(count)).sum();
    let percentiles = Latency::percentiles(at);
    Latency {
        count,
        overflow: 0,
        mean: Some((total / u128::from(count)) as u64),
        max: histogram.last().map(|(value, _)| limit(*value)),
        histogram,
        ..percentiles
    }
}

fn service_during(service: &Service, windows: &Range<usize>, span: &Range<u64>) -> Service {
    let whole = &service.windows;
    let before_end = |series: &[u64]| part(series, &(0..windows.end)).to_vec();
    let of = |series: &[u64]| area(part(series, windows).iter().copied());
    let per = |area: f64, whole: f64| if whole > 0.0 { area / whole } else { 0.0 };
    Service {
        replicas: service.replicas,
        workers: service.workers,
        queue_capacity: service.queue_capacity,
        utilisation: per(of(&whole.busy_ns), of(&whole.available_ns)),
        queue_mean: per(of(&whole.queue_ns), (span.end - span.start) as f64),
        queue_max: part(&whole.queue_max, windows).iter().copied().max().unwrap_or(0),
        windows: ServiceWindows {
            queue_ns: before_end(&whole.queue_ns),
            queue_max: before_end(&whole.queue_max),
            busy_ns: before_end(&whole.busy_ns),
            available_ns: before_end(&whole.available_ns),
            completed: before_end(&whole.completed),
        },
        ..Service::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::{Second, full_report, healthy, run};
    use crate::report::{Fold, Metric, Section, Unit, Value};

    fn secs(from: u64, to: u64) -> (SimTime, SimTime) {
        (SimTime::from_secs(from), SimTime::from_secs(to))
    }

    fn during(report: &Report, from: u64, to: u64) -> Report {
        let (from, to) = secs(from, to);
        report.during(from, to)
    }

    #[test]
    fn a_part_counts_what_fell_into_it() {
        let report = run(100, |second| match second {
            60..90 => Second { started: 100, ok: 20, failed: 80 },
            _ => healthy(100),
        });
        let part = during(&report, 55, 65);
        let edge = part.edges.get("users->checkout").unwrap();
        assert_eq!((edge.calls.started, edge.calls.ok(), edge.calls.failed()), (1_000, 600, 400));
        assert_eq!((edge.attempts.sent, edge.amplification), (1_800, Some(1.8)));
        assert_eq!(edge.per_user_call, Some(1.8), "of all that users called, not of what went well");
        let failed = part.metric("edges.users->checkout.calls.failed");
        assert_eq!(failed, Ok(Metric::Number(400.0, Unit::Plain)));
        assert_eq!((edge.goodput, edge.success), (60.0, Some(0.6)));
        assert_eq!((part.summary.offered, part.summary.goodput), (Some(100.0), Some(60.0)));
        assert_eq!((part.summary.success, part.summary.amplification), (Some(0.6), Some(1.8)));
        assert_eq!((part.summary.wasted, part.summary.recovered), (None, None));
        assert_eq!((part.run.warm_up, part.run.duration), (55_000_000_000, 65_000_000_000));
        assert_eq!(
            (part.verdict.kind, part.verdict.headline.as_str()),
            (crate::report::VerdictKind::Finding, "55s to 65s of the run")
        );
    }

    #[test]
    fn the_parts_add_up_to_the_whole() {
        let report = full_report();
        let edge = |report: &Report| report.edges.0[0].1.clone();
        let (left, right, whole) =
            (during(&report, 10, 47), during(&report, 47, 120), during(&report, 10, 120));
        assert_eq!(edge(&left).calls.ok() + edge(&right).calls.ok(), edge(&whole).calls.ok());
        assert_eq!(edge(&whole).calls.ok(), edge(&report).calls.ok());
        assert_eq!(edge(&left).latency.count + edge(&right).latency.count, edge(&whole).latency.count);
        // A part of a part is a part.
        assert_eq!(during(&whole, 20, 30), during(&report, 20, 30));
    }

    #[test]
    fn ends_are_rounded_outwards_and_kept_inside_the_run() {
        let report = run(100, healthy);
        let started = |from: u64, to: u64| {
            let part = report.during(SimTime::from_nanos(from), SimTime::from_nanos(to));
            part.edges.0[0].1.calls.started
        };
        assert_eq!(started(20_000_000_001, 20_000_000_002), 20);
        assert_eq!(started(20_999_999_999, 21_000_000_001), 20 + 21);
        assert_eq!(started(98_000_000_000, u64::MAX), 98 + 99);
        assert_eq!(started(200_000_000_000, 300_000_000_000), 0);
        // The last window may be a short one.
        let mut short = run(100, |_| healthy(100));
        short.run.duration -= 500_000_000;
        assert_eq!(during(&short, 99, 100).summary.offered, Some(200.0));
    }

    #[test]
    fn percentiles_are_rebuilt_by_the_same_convention() {
        let mut report = run(20, |_| healthy(100));
        let windows = &mut report.edges.0[0].1.windows.latency;
        windows[11] = vec![(10, 90), (20, 9), (40, 1)];
        windows[12] = vec![(20, 100)];
        report.edges.0[0].1.latency.max = Some(35);
        let latency = |from, to| during(&report, from, to).edges.0[0].1.latency.clone();
        let one = latency(11, 12);
        assert_eq!(
            (one.count, one.p50, one.p90, one.p95, one.p99),
            (100, Some(10), Some(10), Some(20), Some(20))
        );
        assert_eq!((one.p999, one.max, one.mean), (Some(35), Some(35), Some((900 + 180 + 35) / 100)));
        let two = latency(11, 13);
        assert_eq!((two.count, two.p50), (200, Some(20)));
        assert_eq!(two.histogram, [(10, 90), (20, 109), (40, 1)]);
        assert_eq!(latency(12, 12), Latency::default());
    }

    #[test]
    fn services_of_a_part() {
        let report = full_report();
        let part = during(&report, 60, 70);
        let service = part.services.get("payments").unwrap();
        assert_eq!((service.utilisation, service.queue_mean, service.queue_max), (0.5, 2.0, 69));
        assert_eq!((service.workers, service.work, service.wasted), (24, 0, None));
    }

    #[test]
    fn what_a_part_cannot_know_is_refused() {
        let report = full_report();
        let part = during(&report, 60, 70);
        assert_eq!(part.metric("offered"), Ok(Metric::Number(100.0, Unit::Rate)));
        for path in [
            "recovered",
            "services.payments.wasted",
            "edges.users->checkout.calls.in_flight",
            "edges.users->checkout.latency_failed.p99",
        ] {
            let error = part.metric(path).unwrap_err();
            assert!(error.message.contains("known for the whole run only"), "{path}: {error:?}");
        }
        assert_eq!(part.metric("goodputt").unwrap_err().nearest[0], "goodput");
        // Whatever a part claims to know is not an empty field.
        let paths = part.metric_paths();
        assert!(paths.len() > 40 && paths.len() < report.metric_paths().len());
        for path in paths {
            assert_ne!(part.metric(&path).unwrap(), Metric::Absent, "{path}");
        }
    }

    #[test]
    fn an_empty_report_has_empty_parts() {
        let part = during(&Report::default(), 0, 10);
        assert_eq!(part.summary, Default::default());
        let part = during(&run(0, |_| healthy(0)), 0, 10);
        assert_eq!((part.edges.0[0].1.goodput, part.edges.0[0].1.success), (0.0, None));
    }

    #[test]
    fn what_nobody_counted_apart_follows_from_the_windows_after_the_warm_up() {
        let mut report = full_report();
        let path = r#"cache["checkout->payments"].hit_ratio"#;
        report.sections[0].set("hit_ratio", None);
        assert_eq!(report.metric(path), Ok(Metric::Absent));
        report.complete_sections();
        assert_eq!(report.run.warm_up, 10_000_000_000);
        // Three of four for 50 s, one of four for 60 s.
        assert_eq!(report.metric(path), Ok(Metric::Number(210.0 / 440.0, Unit::Share)));
    }

    #[test]
    fn a_short_last_window_counts_for_less() {
        let mut report = run(20, |_| healthy(100));
        report.run.duration -= 750_000_000;
        let held = Value::new(Unit::Plain, "").of_windows(Fold::Mean("held".into()));
        let mut pool = Section::new("pool", "").value("held", held).line("held", Unit::Plain, "");
        pool.draw("held", (0..20).map(|window| if window == 19 { 9.0 } else { 4.0 }).collect());
        report.sections.push(pool);
        // A second of 4 and a quarter of 9.
        let part = during(&report, 18, 20);
        assert_eq!(part.metric("pool.held"), Ok(Metric::Number((4.0 + 0.25 * 9.0) / 1.25, Unit::Plain)));
    }

    #[test]
    fn a_section_is_folded_from_its_windows() {
        let report = full_report();
        let part = during(&report, 50, 70);
        let path = r#"cache["checkout->payments"].hit_ratio"#;
        assert_eq!(part.metric(path), Ok(Metric::Number(0.5, Unit::Share)));
        // What windows do not tell is known of the whole run only.
        assert!(part.metric(r#"cache["checkout->payments"].stale"#).is_err());
        assert!(part.metric("clock.skew").unwrap_err().message.contains("whole run only"));
        assert_eq!(part.section("cache", "checkout->payments").unwrap().series[0].values.len(), 70);
    }
}
