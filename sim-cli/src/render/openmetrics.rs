//! A run as OpenMetrics text: what a Prometheus would have scraped from the simulated system, once per window.
//!
//! Time is virtual: a run begins at `epoch` seconds after 1970, which is 0 unless asked for. All points of a
//! metric stand together, as the format demands. Every series says which run it is from, so several runs fit
//! into one Prometheus.
//!
//! Two kinds of numbers: counted window by window from the very beginning, and `brownout_measured_..`, the
//! totals of the report, over what began after the warm-up: known at the end only, so they step once.

mod sections;
mod stretches;

use crate::render::Patience;
use crate::render::windows::{count, span_ns};
use crate::text::clean;
use sim_models::policy::Denied;
use sim_models::policy::told::Counted;
use sim_models::report::{Edge, EdgeWindows, Report, Service};

/// Upper bounds of the buckets of response times, in microseconds: 1, 1.5, 2, 3, 5, 7 in each decade. All edges of all
/// runs have the same, so that they can be added.
const BOUNDS_US: [u64; 37] = [
    100,
    150,
    200,
    300,
    500,
    700,
    1_000,
    1_500,
    2_000,
    3_000,
    5_000,
    7_000,
    10_000,
    15_000,
    20_000,
    30_000,
    50_000,
    70_000,
    100_000,
    150_000,
    200_000,
    300_000,
    500_000,
    700_000,
    1_000_000,
    1_500_000,
    2_000_000,
    3_000_000,
    5_000_000,
    7_000_000,
    10_000_000,
    15_000_000,
    20_000_000,
    30_000_000,
    50_000_000,
    70_000_000,
    100_000_000,
];

/// The whole document. `epoch` is when the run begins, in seconds after 1970. Without the patience for all of it, it lacks its
/// last line, and no reader of the format takes it for whole.
pub fn openmetrics(report: &Report, epoch: u64, patience: &Patience) -> String {
    let windows = count(report);
    let times: Vec<u64> = (0..windows).map(|row| span_ns(report, row).1).collect();
    let told = times.iter().map(|&at| told(epoch, at)).collect();
    let mut page = Page { out: String::new(), run: run_labels(report), epoch, times, told, patience };
    page.info(report);
    page.edges(report);
    page.stretches(report);
    page.services(report);
    page.sections(report);
    page.disturbances(report);
    page.values(report);
    if !patience.ends() {
        page.out += "# EOF\n";
    }
    page.out
}

struct Page<'a> {
    out: String,
    /// The labels of every series.
    run: String,
    epoch: u64,
    /// The end of each window.
    times: Vec<u64>,
    /// The same, as it is written.
    told: Vec<String>,
    patience: &'a Patience<'a>,
}

/// What becomes of calls or attempts, and how many.
type Outcomes = fn(&Edge) -> Vec<(&'static str, u64)>;
/// A count per window of an edge.
type Counts = fn(&EdgeWindows) -> &Vec<u64>;
/// A number of a service.
type OfService = fn(&Service) -> f64;
/// Further labels of a series, with their values.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page<'_> {
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        self.out += &format!("# HELP brownout_{name} {help}\n# TYPE brownout_{name} {kind}\n");
        if !unit.is_empty() {
            self.out += &format!("# UNIT brownout_{name} {unit}\n");
        }
    }

    fn point(&mut self, name: &str, labels: Labels, value: f64, at: u64) {
        self.out += &self.series(name, labels);
        self.out += &format!("{} {}\n", number(value), told(self.epoch, at));
    }

    /// What every point of a series begins with.
    fn series(&self, name: &str, labels: Labels) -> String {
        let mut series = format!("brownout_{name}{{{}", self.run);
        for (label, value) in labels {
            series += &format!(",{label}=\"{}\"", escape(value));
        }
        series + "} "
    }

    /// A point of a series, at the end of a window.
    fn tell(&mut self, series: &str, value: f64, row: usize) {
        let (number, at) = (number(value), &self.told[row]);
        [series, &number, " ", at, "\n"].into_iter().for_each(|part| self.out.push_str(part));
    }

    fn end(&self) -> u64 {
        self.times.last().copied().unwrap_or(0)
    }

    /// A gauge: what each window came to, told at its end.
    fn gauge(&mut self, name: &str, labels: Labels, value: impl Fn(usize) -> Option<f64>) {
        let series = self.series(name, labels);
        for row in 0..self.times.len() {
            if self.patience.ends() {
                return;
            }
            if let Some(value) = value(row).filter(|value| value.is_finite()) {
                self.tell(&series, value, row);
            }
        }
    }

    /// A counter: nothing at the beginning, and the sum so far at the end of each window.
    fn counter(&mut self, name: &str, labels: Labels, windows: &[u64]) {
        let name = format!("{name}_total");
        let mut total = 0;
        self.point(&name, labels, 0.0, 0);
        let series = self.series(&name, labels);
        for (row, n) in windows.iter().enumerate().take(self.times.len()) {
            if self.patience.ends() {
                return;
            }
            total += n;
            self.tell(&series, total as f64, row);
        }
    }

    /// A total over what was measured: nothing when measurement begins, all of it at the end.
    fn measured(&mut self, name: &str, labels: Labels, warm_up: u64, total: f64) {
        let name = format!("measured_{name}_total");
        if warm_up < self.end() {
            self.point(&name, labels, 0.0, warm_up);
        }
        self.point(&name, labels, total, self.end());
    }

    fn info(&mut self, report: &Report) {
        self.family(
            "run",
            "info",
            "",
            "What was run: the model and its version, and the digest of the results.",
        );
        let (model, version) = (&report.model.0, report.model.1.to_string());
        let labels = [("model", &**model), ("model_version", &version), ("digest", &report.digest.s)];
        match self.times.is_empty() {
            true => self.point("run_info", &labels, 1.0, 0),
            false => self.gauge("run_info", &labels, |_| Some(1.0)),
        }
        if let Some(why) = &report.stopped {
            self.family("incomplete", "info", "", "Why all of this covers only a part of the run.");
            let at = self.times.last().copied().unwrap_or_default();
            self.point("incomplete_info", &[("why", &super::clean(why))], 1.0, at);
        }
    }

    fn edges(&mut self, report: &Report) {
        if report.edges.is_empty() {
            return;
        }
        let edges = || report.edges.iter();
        self.family("calls_started", "counter", "", "Calls made over an edge.");
        for (name, edge) in edges() {
            self.counter("calls_started", &[("edge", name)], &edge.windows.started);
        }
        self.family("calls_ended", "counter", "", "Calls that ended over an edge, by how: ok or failed.");
        for (name, edge) in edges() {
            self.counter("calls_ended", &[("edge", name), ("outcome", "ok")], &edge.windows.ok);
            self.counter("calls_ended", &[("edge", name), ("outcome", "failed")], &edge.windows.failed);
        }
        self.family("attempts", "counter", "", "Attempts sent over an edge, first ones and retries.");
        for (name, edge) in edges() {
            self.counter("attempts", &[("edge", name)], &edge.windows.attempts);
        }
        self.family(
            "response_time_seconds",
            "histogram",
            "seconds",
            "Response time of calls that ended well, from the intended start, to 1 %.",
        );
        for (name, edge) in edges() {
            self.histogram(name, &edge.windows.latency);
        }
        let rates: [(&str, &str, Counts); 2] = [
            ("offered_calls_per_second", "Calls that users make, in the window.", |windows| &windows.started),
            ("goodput_calls_per_second", "Calls of users that end well, in the window.", |windows| {
                &windows.ok
            }),
        ];
        for (rate, help, counts) in rates {
            self.family(rate, "gauge", "", help);
            for (name, edge) in edges().filter(|(_, edge)| edge.from_users) {
                let per_second =
                    |row: usize| Some(*counts(&edge.windows).get(row)? as f64 / (length(report, row)? / 1e9));
                self.gauge(rate, &[("edge", name)], per_second);
            }
        }
        self.measured_edges(report);
    }

    fn histogram(&mut self, edge: &str, windows: &[Vec<(u64, u64)>]) {
        let mut buckets = [0_u64; BOUNDS_US.len()];
        let (mut count, mut sum) = (0_u64, 0_u128);
        let bounds = BOUNDS_US.into_iter().map(|bound| format!("{:?}", bound as f64 / 1e6));
        let bucket = |le: String| self.series("response_time_seconds_bucket", &[("edge", edge), ("le", &le)]);
        let rest = ["count", "sum"]
            .map(|what| self.series(&format!("response_time_seconds_{what}"), &[("edge", edge)]));
        let all: Vec<String> = bounds.chain(["+Inf".into()]).map(bucket).chain(rest).collect();
        for row in 0..=windows.len().min(self.times.len()) {
            if self.patience.ends() {
                return;
            }
            let at = if row == 0 { told(self.epoch, 0) } else { self.told[row - 1].clone() };
            for &(highest, n) in if row == 0 { &[][..] } else { &windows[row - 1][..] } {
                // The first bound that is not below it; beyond the last there is only +Inf.
                let first = BOUNDS_US.partition_point(|&bound| bound * 1_000 < highest);
                buckets[first..].iter_mut().for_each(|bucket| *bucket += n);
                count += n;
                sum += u128::from(highest) * u128::from(n);
            }
            let numbers = buckets.into_iter().chain([count, count]).map(|n| n as f64);
            for (series, n) in all.iter().zip(numbers.chain([sum as f64 / 1e9])) {
                [series, &number(n), " ", &at, "\n"].into_iter().for_each(|part| self.out.push_str(part));
            }
        }
    }

    fn measured_edges(&mut self, report: &Report) {
        let warm_up = report.run.warm_up;
        let outcomes: [(&str, &str, Outcomes); 2] = [
            ("calls", "Calls that began after the warm-up, by how they ended.", |edge| {
                edge.calls.ended.written().collect()
            }),
            ("attempts", "Attempts of calls that began after the warm-up, by how they ended.", |edge| {
                edge.attempts.ended.written().collect()
            }),
        ];
        for (what, help, ended) in outcomes {
            self.family(&format!("measured_{what}"), "counter", "", help);
            for (name, edge) in report.edges.iter() {
                for (outcome, n) in ended(edge) {
                    let labels = [("edge", name), ("outcome", outcome)];
                    self.measured(what, &labels, warm_up, n as f64);
                }
            }
        }
        self.family("measured_retries", "counter", "", "Attempts after the first of their call.");
        for (name, edge) in report.edges.iter() {
            self.measured("retries", &[("edge", name)], warm_up, edge.attempts.retries as f64);
        }
        for (by, what, help) in Denied::counted().map(|by| (by, by.told().key, by.told().about)) {
            self.family(&format!("measured_{what}"), "counter", "", help);
            for (name, edge) in report.edges.iter() {
                self.measured(what, &[("edge", name)], warm_up, edge.attempts.denied[by] as f64);
            }
        }
    }

    fn services(&mut self, report: &Report) {
        if report.services.is_empty() {
            return;
        }
        let mean = |ns: &[u64], row: usize| Some(*ns.get(row)? as f64 / length(report, row)?);
        type Value<'a> = &'a dyn Fn(&Service, usize) -> Option<f64>;
        let gauges: [(&str, &str, &str, Value); 6] = [
            (
                "queue_length",
                "",
                "Requests waiting in all queues of a service, mean over the window.",
                &|s, row| mean(&s.windows.queue_ns, row),
            ),
            ("queue_length_max", "", "Most requests waiting in the window.", &|s, row| {
                s.windows.queue_max.get(row).map(|&n| n as f64)
            }),
            ("queue_capacity", "", "Places in all queues of a service; none if unbounded.", &|s, _| {
                s.queue_capacity.map(|n| n as f64)
            }),
            ("workers_busy", "", "Busy workers of a service, mean over the window.", &|s, row| {
                mean(&s.windows.busy_ns, row)
            }),
            ("workers_available", "", "Workers of live replicas, mean over the window.", &|s, row| {
                mean(&s.windows.available_ns, row)
            }),
            ("utilisation_ratio", "ratio", "Busy over available worker time in the window.", &|s, row| {
                let available = *s.windows.available_ns.get(row)?;
                (available > 0).then_some(*s.windows.busy_ns.get(row)? as f64 / available as f64)
            }),
        ];
        for (name, unit, help, value) in gauges {
            self.family(name, "gauge", unit, help);
            for (service, section) in report.services.iter() {
                self.gauge(name, &[("service", service)], |row| value(section, row));
            }
        }
        let totals: [(&str, &str, &str, OfService); 7] = [
            ("requests", "", "Attempts that arrived at a service.", |s| s.arrived as f64),
            ("work_seconds", "seconds", "Own work executed, in worker time.", |s| s.work as f64 / 1e9),
            ("work_wasted_seconds", "seconds", "Of it, for callers who no longer waited.", |s| {
                s.work_wasted as f64 / 1e9
            }),
            ("work_in_vain_seconds", "seconds", "Of it, for requests that failed in the end.", |s| {
                s.work_in_vain as f64 / 1e9
            }),
            ("deaths", "", "Replicas that died of their own load.", |s| s.deaths as f64),
            ("called_off", "", "Requests that left because they were called off.", |s| s.called_off as f64),
            ("expired", "", "Requests whose turn came when nobody waited for them any more.", |s| {
                s.expired as f64
            }),
        ];
        for (name, unit, help, total) in totals {
            self.family(&format!("measured_{name}"), "counter", unit, help);
            for (service, section) in report.services.iter() {
                self.measured(name, &[("service", service)], report.run.warm_up, total(section));
            }
        }
    }

    fn disturbances(&mut self, report: &Report) {
        if report.timeline.disturbances.is_empty() || self.times.is_empty() {
            return;
        }
        self.family("disturbance", "gauge", "", "1 while the system is disturbed from outside, by schedule.");
        let mut seen = Vec::new();
        for one in &report.timeline.disturbances {
            let key = (&one.what, &one.on);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let active = |row: usize| {
                let (from, to) = span_ns(report, row);
                let like = report.timeline.disturbances.iter().filter(|d| (&d.what, &d.on) == key);
                let mut active = like.map(|d| d.from < to && d.to.is_none_or(|end| end > from));
                Some(f64::from(u8::from(active.any(|active| active))))
            };
            self.gauge("disturbance", &[("what", &one.what), ("on", &one.on)], active);
        }
    }

    /// What models without edges and services have: their own series, and numbers known at the end.
    fn values(&mut self, report: &Report) {
        if report.edges.is_empty() && report.services.is_empty() && !report.timeline.series.is_empty() {
            self.family("series", "gauge", "", "A series of the model's own, by name.");
            for series in &report.timeline.series {
                let labels = [("name", &*series.name), ("counts", &*series.unit)];
                self.gauge("series", &labels, |row| series.values.get(row).copied());
            }
        }
        if report.values.is_empty() {
            return;
        }
        let end = self.end();
        self.family("value", "gauge", "", "A number of the model's own, by name, over the whole run.");
        for (name, value) in report.values.iter() {
            if let Some(measured) = value.value.filter(|measured| measured.is_finite()) {
                self.point("value", &[("name", name), ("counts", &value.unit)], measured, end);
            }
        }
    }
}

/// Seconds, exact to the nanosecond.
fn told(epoch: u64, at: u64) -> String {
    let (seconds, nanos) = (epoch + at / 1_000_000_000, at % 1_000_000_000);
    if nanos == 0 {
        return seconds.to_string();
    }
    format!("{seconds}.{nanos:09}").trim_end_matches('0').to_string()
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".into(),
        // Counts are most of it, and sooner written as what they are.
        _ if (0.0..1e15).contains(&value) && value.fract() == 0.0 => (value as u64).to_string(),
        _ => value.to_string(),
    }
}

/// The length of a window in nanoseconds, if it has one.
fn length(report: &Report, row: usize) -> Option<f64> {
    let (from, to) = span_ns(report, row);
    (to > from).then_some((to - from) as f64)
}

fn run_labels(report: &Report) -> String {
    let mut labels = format!("experiment=\"{}\"", escape(&report.experiment));
    if let Some(variant) = &report.variant {
        labels += &format!(",variant=\"{}\"", escape(variant));
    }
    if !report.overrides.is_empty() {
        let set: Vec<String> =
            report.overrides.iter().map(|(path, value)| format!("{path}={value}")).collect();
        labels += &format!(",set=\"{}\"", escape(&set.join("; ")));
    }
    labels + &format!(",seed=\"{}\"", report.run.seed)
}

/// A text as the value of a label. What a terminal or a line-reader would act upon is spelled out first.
fn escape(text: &str) -> String {
    clean(text).replace('\\', r"\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::policy::Ending;
    use sim_models::report::{Began, Calls, Disturbance, Latency, Response, RunFacts, ServiceWindows, Value};

    fn report() -> Report {
        let mut report = Report { experiment: "retry-storm".into(), ..Report::default() };
        report.run =
            RunFacts { seed: 7, duration: 2_500_000_000, window: 1_000_000_000, ..RunFacts::default() };
        report.run.warm_up = 1_000_000_000;
        let windows = EdgeWindows {
            started: vec![3, 4, 1],
            ok: vec![2, 0, 1],
            failed: vec![0, 1, 0],
            attempts: vec![5, 6, 1],
            latency: vec![vec![(1_000_000, 1), (9_000_000, 1)], vec![], vec![(200_000_000_000, 1)]],
            ..EdgeWindows::default()
        };
        let mut edge = Edge { from_users: true, windows, ..Edge::default() };
        (edge.calls.started, edge.calls.ended[Ending::Ok]) = (5, 1);
        report.edges.push("users->\"a\\\n", edge);
        let windows = ServiceWindows {
            queue_ns: vec![500_000_000, 0, 250_000_000],
            queue_max: vec![2, 0, 1],
            busy_ns: vec![1_000_000_000, 0, 0],
            available_ns: vec![2_000_000_000, 0, 1_000_000_000],
            ..Default::default()
        };
        report.services.push("a", Service { work: 1_500_000_000, windows, ..Service::default() });
        let slow =
            Disturbance { what: "slow".into(), on: "a".into(), from: 1_000_000_000, to: Some(2_000_000_000) };
        report.timeline.disturbances.push(slow);
        report
    }

    /// Value and time of each point of a metric.
    fn points<'a>(page: &'a str, name: &str, having: &str) -> Vec<&'a str> {
        let begin = format!("brownout_{name}{{");
        let lines = page.lines().filter(|line| line.starts_with(&begin) && line.contains(having));
        lines.map(|line| line.rsplit_once("} ").unwrap().1).collect()
    }

    #[test]
    fn counters_begin_at_nothing_and_gauges_tell_each_window() {
        let page = openmetrics(&report(), 0, &Patience::endless());
        assert!(page.ends_with("\n# EOF\n") && !page.contains("\n\n"), "{page}");
        assert_eq!(points(&page, "calls_started_total", ""), ["0 0", "3 1", "7 2", "8 2.5"]);
        assert_eq!(points(&page, "calls_ended_total", "\"failed\""), ["0 0", "0 1", "1 2", "1 2.5"]);
        // The last window is half as long.
        assert_eq!(points(&page, "offered_calls_per_second", ""), ["3 1", "4 2", "2 2.5"]);
        assert_eq!(points(&page, "queue_length", ""), ["0.5 1", "0 2", "0.5 2.5"]);
        // Where there was no worker, there is no utilisation.
        assert_eq!(points(&page, "utilisation_ratio", ""), ["0.5 1", "0 2.5"]);
        assert_eq!(points(&page, "disturbance", ""), ["0 1", "1 2", "0 2.5"]);
        // What was measured is known at the end.
        assert_eq!(points(&page, "measured_calls_total", "\"ok\""), ["0 1", "1 2.5"]);
        assert_eq!(points(&page, "measured_work_seconds_total", ""), ["0 1", "1.5 2.5"]);
        assert_eq!(points(&page, "queue_capacity", ""), [""; 0], "it is unbounded");
    }

    /// Whoever reads the format asks for its last line.
    #[test]
    fn where_time_is_up_it_is_no_whole_document() {
        let whole = openmetrics(&report(), 0, &Patience::endless());
        for rows in [0, 3, 20, 37] {
            let asked = std::cell::Cell::new(0);
            let ends = || asked.replace(asked.get() + 1) >= rows;
            let cut = openmetrics(&report(), 0, &Patience::until(&ends));
            assert!(!cut.contains("# EOF") && cut.len() < whole.len(), "{rows}: {cut}");
        }
    }

    /// Of a hundred calls before 1 s all were answered, of a hundred while it was slow one in ten.
    #[test]
    fn each_stretch_has_its_numbers_and_nobody_is_left_out() {
        let mut report = report();
        report.run.warm_up = 0;
        let part = |ok: u64, bad: u64| {
            let latency =
                Latency { count: ok, p50: Some(20_000_000), p99: Some(50_000_000), ..Latency::default() };
            let response = Response {
                count: ok + bad,
                unanswered: bad,
                p50: latency.p50.filter(|_| ok > bad),
                p99: latency.p99.filter(|_| bad == 0),
                ..Response::default()
            };
            let ended = [(Ending::Ok, ok), (Ending::FAILED, bad)].into_iter().collect();
            Began {
                calls: Calls { started: ok + bad, ended, ..Calls::default() },
                latency,
                response,
                ..Began::default()
            }
        };
        report.edges.0[0].1.stretches = vec![part(100, 0), part(10, 90), part(50, 0)];
        let page = openmetrics(&report, 0, &Patience::endless());
        let of = |family: &str, having: &str| points(&page, family, having);
        assert_eq!(of("stretch_success_ratio", "stretch=\"fault\""), ["0.1 2"]);
        assert_eq!(of("stretch_calls_lost", ""), ["0 2.5", "0 1", "90 2", "0 2.5"]);
        let p99 = |of_whom: &str| of("stretch_time_seconds", &format!("of=\"{of_whom}\",percentile=\"99\""));
        assert_eq!(p99("answered"), ["0.05 1", "0.05 2", "0.05 2.5"]);
        assert_eq!(p99("all"), ["0.05 1", "+Inf 2", "0.05 2.5"]);
        let tidy = crate::render::windows::tidy_csv(&report, &Patience::endless());
        let rows = tidy.replace("\"users->\"\"a\\\n\"", "USERS");
        for row in [
            "0,1,edge,USERS,success during before,share,1\n",
            "1,2,edge,USERS,lost during fault,calls,90\n",
            "2,2.5,edge,USERS,response_p99 during after,s,0.05\n",
        ] {
            assert!(rows.contains(row), "{row}{rows}");
        }
        assert!(
            !tidy.contains("response_p99 during fault"),
            "what is longer than any answer is no number: {tidy}"
        );
    }

    #[test]
    fn buckets_are_cumulative_in_both_ways() {
        let page = openmetrics(&report(), 0, &Patience::endless());
        let bucket = |le: &str| points(&page, "response_time_seconds_bucket", &format!("le=\"{le}\""));
        // A bound holds what is equal to it.
        assert_eq!(bucket("0.0007"), ["0 0", "0 1", "0 2", "0 2.5"]);
        assert_eq!(bucket("0.001"), ["0 0", "1 1", "1 2", "1 2.5"]);
        assert_eq!(bucket("0.01"), ["0 0", "2 1", "2 2", "2 2.5"]);
        assert_eq!(bucket("100.0"), ["0 0", "2 1", "2 2", "2 2.5"]);
        assert_eq!(bucket("+Inf"), ["0 0", "2 1", "2 2", "3 2.5"]);
        assert_eq!(points(&page, "response_time_seconds_sum", ""), ["0 0", "0.01 1", "0.01 2", "200.01 2.5"]);
    }

    #[test]
    fn series_say_which_run_they_are_from_and_names_stay_text() {
        let mut report = report();
        report.variant = Some("calm".into());
        report.overrides = vec![("a.b".into(), "\"5s\"".into())];
        let page = openmetrics(&report, 1_700_000_000, &Patience::endless());
        let labels = r#"{experiment="retry-storm",variant="calm",set="a.b=\"5s\"",seed="7""#;
        assert!(page.contains(labels), "{page}");
        assert!(page.contains(r#",edge="users->\"a\\\\u{a}"} 3 1700000001"#), "{page}");
        assert!(page.lines().all(|line| line.starts_with('#') || line.contains(labels)));
    }

    #[test]
    fn a_model_without_time_has_its_values() {
        let mut report = Report::default();
        let value = Value { value: Some(0.25), unit: "share".into(), ..Value::default() };
        report.values.push("first try", value);
        let page = openmetrics(&report, 0, &Patience::endless());
        assert_eq!(points(&page, "value", "name=\"first try\",counts=\"share\""), ["0.25 0"]);
    }
}
