//! A service-level objective, and who is told when the budget for what may go wrong burns too fast.
//!
//! Of a hundred thousand calls, an objective of 99.9 % lets a hundred be bad: its *error budget*. The *burn rate* is how many times faster than
//! that it is spent: at 1 it lasts exactly its window (30 days), at 14.4 a fiftieth is gone in an hour. An alert on the burn rate of one window
//! is either late or nervous; so each looks at two, a long one that says that it matters and a short one that says that it goes on, and
//! fires while both burn at least so fast. Those by default are Google's: 14.4 over 1 h and 5 min and 6 over 6 h and 30 min page somebody, 1
//! over 3 d and 6 h writes a ticket.
//!
//! What is counted is what a monitoring system would count: calls where they *end*, in the window in which they do. Whoever waits and has no
//! answer yet is in no counter. An alert is looked at at the end of each window of the run, `for` nothing. What was before the run is taken to
//! have been well, with as many calls as there are in the run on average; without that, the first bad second of a run would be all there is to an
//! hour, as it is to a monitor that has just been started.

use super::burn::Counts;
use super::of_users;
use crate::experiment::{Decoder, Node, RunSpec, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Change, Edge, Report, Section, Unit, Value};
use crate::words::percent;
use sim_core::SimDuration;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

spec! {
    /// A service-level objective: how large a share of users' calls must be good.
    pub struct Slo where check {
        /// The share of calls that must be good, over the window.
        objective: f64; 0.0..=0.999_999_999,
        /// What takes longer is not good. Absent: every answer is.
        latency: Option<SimDuration> = None,
        /// Whose calls: a workload, or its edge. Absent: those of all users, edge by edge.
        of: Option<Spanned<String>> = None,
        /// What it is called where there are several for the same users.
        name: Option<String> = None,
        /// The time over which the budget is counted.
        window: SimDuration = SimDuration::from_secs(30 * DAY),
        /// Who is told when it burns too fast.
        alerts: Vec<BurnRateAlert> = google(),
    }
}

spec! {
    /// An alert on the burn rate over two windows.
    pub struct BurnRateAlert where check_alert {
        /// It fires while the budget burns so many times faster than it may, over both windows.
        burn_rate: f64; 0.001..=1_000_000.0,
        /// The window that says that it matters.
        long: SimDuration,
        /// The window that says that it goes on; absent means a twelfth of the long one.
        short: Option<SimDuration> = None,
        /// What it does.
        severity: Severity = Severity::Page,
    }
}

spec! {
    /// What an alert does.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Severity {
        /// It wakes somebody.
        Page,
        /// It waits for the morning.
        Ticket,
    }
}

/// Google's, of "The Site Reliability Workbook", 2018, chapter 5, table 5-8: 2 % of the budget in an hour, 5 % in six, 10 % in three days.
fn google() -> Vec<BurnRateAlert> {
    let alert = |burn_rate, long, short, severity| {
        let (long, short) = (SimDuration::from_secs(long), Some(SimDuration::from_secs(short)));
        BurnRateAlert { burn_rate, long, short, severity }
    };
    vec![
        alert(14.4, HOUR, HOUR / 12, Severity::Page),
        alert(6.0, 6 * HOUR, HOUR / 2, Severity::Page),
        alert(1.0, 3 * DAY, 6 * HOUR, Severity::Ticket),
    ]
}

fn check(slo: &Slo, at: &Node, cx: &mut Decoder) {
    for (number, alert) in slo.alerts.iter().enumerate() {
        // Where nothing at all is answered, the budget burns this fast.
        let most = 1.0 / (1.0 - slo.objective);
        if alert.burn_rate > most {
            let spot = at.get("alerts").and_then(|alerts| alerts.part(number)).unwrap_or(at).span;
            let message = format!(
                "never fires: at an objective of {} the budget burns at most {most:.3} times as fast as it may",
                percent(slo.objective)
            );
            cx.at("alerts", |cx| _ = cx.warn(spot, message).help("a smaller `burn_rate`"));
        }
    }
}

fn check_alert(alert: &BurnRateAlert, at: &Node, cx: &mut Decoder) {
    if alert.short() > alert.long {
        let message =
            format!("got \"{}\", must not be longer than `long`, \"{}\"", alert.short(), alert.long);
        cx.at("short", |cx| {
            _ = cx.error(at.span_of("short"), message).help("the short window says that it goes on")
        });
    }
}

impl Slo {
    /// What makes no sense for this run.
    pub fn check(&self, run: &RunSpec, at: &Node, cx: &mut Decoder) {
        let finest = self.alerts.iter().map(BurnRateAlert::short).min();
        if let Some(finest) = finest.filter(|finest| *finest < run.window) {
            let message = format!(
                "the run is told in windows of {}: an alert cannot look at the last {finest}",
                run.window
            );
            cx.warn(at.get("alerts").unwrap_or(at).span, message)
                .help("a longer alert, or a shorter `run.window`");
        }
    }
}

impl BurnRateAlert {
    fn short(&self) -> SimDuration {
        self.short.unwrap_or(SimDuration::from_nanos(self.long.as_nanos() / 12))
    }

    /// The line that draws how fast it burns over the long window.
    fn line(&self) -> String {
        format!("burn {}", self.long)
    }
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        }
    }
}

/// An alert that does not fire.
const QUIET: &str = "quiet";

/// When any alert of one severity was on.
#[derive(Default)]
struct Fired {
    is_on: bool,
    /// When it began to be, each time.
    began: Vec<u64>,
    last_end: Option<u64>,
    on: u64,
    looks: u64,
}

impl Fired {
    /// Whether any is on at the end of a window.
    fn look(&mut self, at: u64, any: bool) {
        match (self.is_on, any) {
            (false, true) => self.began.push(at),
            (true, false) => self.last_end = Some(at),
            _ => {}
        }
        self.is_on = any;
        self.looks += 1;
        self.on += u64::from(any);
    }

    /// When the last has ended for good.
    fn over(&self) -> Option<u64> {
        self.last_end.filter(|_| !self.is_on)
    }
}

impl Slo {
    /// What is promised, and when each alert would fire.
    pub fn notes(&self) -> Vec<String> {
        let brief = self.brief().unwrap_or_default();
        let of = self.of.as_ref().map_or(String::new(), |of| format!(" of {}", of.value));
        let promise = format!("promised{of}: {brief}, over {}", self.window);
        let alerts = self.alerts.iter().map(|alert| {
            format!(
                "a {} where more than {} of calls were bad, over {} and over the last {}: {} times what is allowed",
                alert.severity.word(),
                percent((alert.burn_rate * (1.0 - self.objective)).min(1.0)),
                alert.long,
                alert.short(),
                alert.burn_rate
            )
        });
        std::iter::once(promise).chain(alerts).collect()
    }

    /// What became of it: one section for each edge over which such users call.
    pub fn sections(&self, report: &Report) -> Vec<Section> {
        let of = self.of.as_ref().map(|of| of.value.as_str());
        of_users(report, of).map(|(name, edge)| self.section(name, edge, report)).collect()
    }

    /// Calls of a window that were good, by when they ended.
    fn good(&self, edge: &Edge) -> Vec<u64> {
        let Some(latency) = self.latency else { return edge.windows.ok.clone() };
        let in_time = |buckets: &Vec<(u64, u64)>| {
            let those = buckets.iter().filter(|(highest, _)| *highest <= latency.as_nanos());
            those.map(|(_, count)| count).sum()
        };
        edge.windows.latency.iter().map(in_time).collect()
    }

    fn section(&self, edge_name: &str, edge: &Edge, report: &Report) -> Section {
        let good = self.good(edge);
        let ended: Vec<u64> =
            edge.windows.ok.iter().zip(&edge.windows.failed).map(|(ok, failed)| ok + failed).collect();
        let counts = Counts::new(&good, &ended);
        let window = report.run.window.max(1);
        let allowed = 1.0 - self.objective;
        let mut section = self.declared(self.name.as_deref().unwrap_or(edge_name));

        // A window that began before is left out.
        let measured = report.run.warm_up.div_ceil(window) as usize;
        let of = |all: &[u64]| all.iter().skip(measured).sum::<u64>();
        let (all, bad) = (of(&ended), of(&ended) - of(&good));
        let share = (all > 0).then(|| bad as f64 / all as f64);
        section.set("objective", self.objective);
        section.set("good", share.map(|bad| 1.0 - bad));
        section.set("burn_rate", share.map(|bad| bad / allowed));
        // At this pace, as many calls in the window.
        let seconds = report.reached().saturating_sub(measured as u64 * window) as f64;
        let budget = all as f64 / seconds.max(1.0) * self.window.as_nanos() as f64 * allowed;
        section.set("budget_burnt", (all > 0).then(|| bad as f64 / budget));

        let fired = self.look(&counts, window, report, &mut section);
        self.tell(&fired, report, &mut section);
        section
    }

    /// Looks at each alert at the end of each window: what was on, page and ticket.
    fn look(&self, counts: &Counts, window: u64, report: &Report, section: &mut Section) -> [Fired; 2] {
        let allowed = 1.0 - self.objective;
        let windows = |span: SimDuration| (span.as_nanos() / window).max(1);
        let mut fired: [Fired; 2] = Default::default();
        let mut on = vec![false; self.alerts.len()];
        let mut rates = vec![Vec::with_capacity(counts.windows()); self.alerts.len()];
        let mut changes = Vec::new();
        for number in 0..counts.windows() {
            let at = ((number as u64 + 1) * window).min(report.reached());
            let mut any = [false; 2];
            for (index, alert) in self.alerts.iter().enumerate() {
                let rate = |span| counts.bad(number, windows(span)) / allowed;
                let long = rate(alert.long);
                rates[index].push(long);
                let fires = long >= alert.burn_rate && rate(alert.short()) >= alert.burn_rate;
                any[alert.severity as usize] |= fires;
                if fires != on[index] {
                    on[index] = fires;
                    let (from, to) =
                        if fires { (QUIET, alert.severity.word()) } else { (alert.severity.word(), QUIET) };
                    let of = Some(index as u32);
                    changes.push(Change { at, of, replica: None, from: from.into(), to: to.into() });
                }
            }
            fired.iter_mut().zip(any).for_each(|(fired, any)| fired.look(at, any));
        }
        for (alert, rates) in self.alerts.iter().zip(rates) {
            section.draw(&alert.line(), rates);
        }
        section.changes = changes;
        fired
    }

    fn tell(&self, [page, ticket]: &[Fired; 2], report: &Report, section: &mut Section) {
        let number = |at: Option<u64>| at.map(|at| at as f64);
        section.set("pages", page.began.len() as f64);
        section.set("tickets", ticket.began.len() as f64);
        section.set("first_page", number(page.began.first().copied()));
        section.set("first_ticket", number(ticket.began.first().copied()));
        section.set("paging", (page.looks > 0).then(|| page.on as f64 / page.looks as f64));
        let wrong = &report.timeline.disturbances;
        let begun = wrong.iter().map(|it| it.from).min();
        let since = begun.and_then(|begun| page.began.iter().find_map(|at| at.checked_sub(begun)));
        section.set("detected_after", number(since));
        // None if one of them lasts.
        let over = wrong.iter().map(|it| it.to).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
        section
            .set("reset_after", number(over.zip(page.over()).and_then(|(over, end)| end.checked_sub(over))));
    }

    fn declared(&self, at: &str) -> Section {
        let plain = |about| Value::new(Unit::Plain, about).better(Better::Less);
        let time = |about| Value::new(Unit::Duration, about);
        let good =
            format!("calls that were good, of those that ended; promised are {}", percent(self.objective));
        let mut section = Section::new("slo", at)
            .value("good", Value::new(Unit::Share, good).better(Better::More).headline())
            .value("objective", Value::new(Unit::Share, "what is promised"))
            .value("burn_rate", plain("how many times faster than it may the budget burnt").headline())
            .value(
                "budget_burnt",
                Value::new(Unit::Share, format!("what this run burnt of the budget of {}", self.window))
                    .better(Better::Less),
            )
            .value(
                "pages",
                plain("times that somebody was called: an alert that pages began to fire, and no other did")
                    .headline(),
            )
            .value("first_page", time("when that was for the first time"))
            .value(
                "detected_after",
                time("from the beginning of the first disturbance to the first page since")
                    .better(Better::Less)
                    .headline(),
            )
            .value(
                "reset_after",
                time("from the end of the last disturbance to the end of the last page").better(Better::Less),
            )
            .value(
                "paging",
                Value::new(Unit::Share, "of the run, time in which a page was on").better(Better::Less),
            )
            .value("tickets", plain("times that work was left for the morning"))
            .value("first_ticket", time("when that was for the first time"));
        let mut drawn: Vec<String> = Vec::new();
        for alert in &self.alerts {
            let line = alert.line();
            if !drawn.contains(&line) {
                section = section.line(
                    &line,
                    Unit::Plain,
                    "How many times faster than it may the budget burns, over so long.",
                );
                drawn.push(line);
            }
        }
        section
    }
}

impl Part for Slo {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        let latency = self.latency.map_or(String::new(), |latency| format!(" within {latency}"));
        Some(format!("{} of calls are good{latency}", percent(self.objective)))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "slo",
            word: "",
            what: "Promises that a share of users' calls is good, counts the budget for the others, and says when each alert on its burn rate \
                   would have fired. Nothing in the run changes. The alerts by default are Google's three; each looks at a long window and at a \
                   short one.",
            hurts: "An alert on one window is late or nervous; one on two still needs so many bad calls that it says nothing where few come. \
                    Calls that hang are in no counter until they end: a silent outage is noticed a timeout later.",
            formula: "burn rate = share of bad calls / (1 - objective); where a share `e` of all is bad, an alert at burn rate `b` over a window `w` \
                      fires `w b (1 - objective) / e` after it began, and the short window forgets it `w/12` after it ended",
            source: "Beyer et al., \"The Site Reliability Workbook\", 2018, chapter 5 (table 5-8: multiwindow, multi-burn-rate alerts)",
            experiment: "burn-rate",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "[(objective: 0.999)]",
            r#"[(objective: 0.99, latency: "300ms", alerts: [(burn_rate: 14.4, long: "1h", short: "5min")])]"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Disturbance, EdgeWindows, RunFacts};

    const MINUTE: u64 = 60_000_000_000;

    fn report(ok: Vec<u64>, failed: Vec<u64>, wrong: Option<(u64, u64)>) -> Report {
        let run = RunFacts { duration: ok.len() as u64 * MINUTE, window: MINUTE, ..RunFacts::default() };
        let windows = EdgeWindows { started: vec![0; ok.len()], ok, failed, ..EdgeWindows::default() };
        let mut report = Report { run, ..Report::default() };
        report.edges.push("users->shop", Edge { from_users: true, windows, ..Edge::default() });
        report.edges.push("shop->db", Edge::default());
        let wrong = wrong.map(|(from, to)| Disturbance {
            from: from * MINUTE,
            to: Some(to * MINUTE),
            ..Disturbance::default()
        });
        report.timeline.disturbances.extend(wrong);
        report
    }

    fn slo(objective: f64) -> Slo {
        Slo {
            objective,
            latency: None,
            of: None,
            name: None,
            window: SimDuration::from_secs(30 * DAY),
            alerts: google(),
        }
    }

    fn told(slo: &Slo, report: &Report, name: &str) -> Option<f64> {
        let sections = slo.sections(report);
        assert_eq!(sections.len(), 1, "of users' edges only");
        sections[0].values.get(name).expect("declared").value
    }

    /// By hand: 60 calls a minute, all of which fail from minute 600 on. Over 60 minutes the burn rate is 14.4 when 1.44 % of 3,600 are bad,
    /// so with the first minute (1.67 %); half an hour and six come later, at 0.6 % of 21,600.
    #[test]
    fn an_outage_pages_within_a_minute_and_is_forgotten_five_after_it() {
        let minute = |n: u64| u64::from(!(600..630).contains(&n)) * 60;
        let ok: Vec<u64> = (0..900).map(minute).collect();
        let failed = ok.iter().map(|ok| 60 - ok).collect();
        let outage = report(ok, failed, Some((600, 630)));
        let slo = slo(0.999);
        let told = |name| told(&slo, &outage, name);
        assert_eq!(told("detected_after"), Some(MINUTE as f64));
        // The fast alert ends when its five minutes hold none, the slow one when half an hour holds fewer than 0.6 %: none.
        let section = &slo.sections(&outage)[0];
        let changes: Vec<(u64, u32, &str)> =
            section.changes.iter().map(|it| (it.at / MINUTE, it.of.unwrap(), &*it.to)).collect();
        assert_eq!(
            changes,
            [(601, 0, "page"), (603, 1, "page"), (605, 2, "ticket"), (635, 0, "quiet"), (660, 1, "quiet")]
        );
        assert_eq!((told("pages"), told("tickets")), (Some(1.0), Some(1.0)));
        assert_eq!(told("reset_after"), Some(30.0 * MINUTE as f64));
        assert_eq!(told("paging"), Some(59.0 / 900.0));
        // 1,800 of 54,000 are bad: 33.3 times 0.1 %. Of 43,200 minutes there were 900.
        assert!((told("burn_rate").unwrap() - 1_800.0 / 54.0).abs() < 1e-9);
        assert!((told("budget_burnt").unwrap() - 1_800.0 / 54.0 * 900.0 / 43_200.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_slow_is_not_good() {
        let slow = Slo { latency: Some(SimDuration::from_millis(300)), ..slo(0.9) };
        let mut run = report(vec![10], vec![2], None);
        let edge = &mut run.edges.0[0].1;
        edge.windows.latency = vec![vec![(100_000_000, 4), (300_000_000, 3), (300_000_001, 3)]];
        assert_eq!(told(&slow, &run, "good"), Some(1.0 - 5.0 / 12.0));
        assert!((told(&slow, &run, "burn_rate").unwrap() - 5.0 / 12.0 / 0.1).abs() < 1e-9);
        assert_eq!(told(&slo(0.9), &run, "good"), Some(1.0 - 2.0 / 12.0));
    }

    #[test]
    fn whose_calls() {
        let mut run = report(vec![1], vec![0], None);
        run.edges.push("robots->shop", Edge { from_users: true, ..Edge::default() });
        for (of, at) in [
            (None, vec!["users->shop", "robots->shop"]),
            (Some("robots"), vec!["robots->shop"]),
            (Some("users->shop"), vec!["users->shop"]),
            (Some("shop"), vec![]),
        ] {
            let of = of.map(|of: &str| Spanned { value: of.into(), ..Spanned::default() });
            let sections = Slo { of, ..slo(0.9) }.sections(&run);
            assert_eq!(sections.iter().map(|it| it.at.as_str()).collect::<Vec<_>>(), at);
        }
    }
}
