//! What comes after the end of a run that is not back to what it was.
//!
//! What keeps users from being served is, nearly always, a backlog. One that clearly falls, by the same test as one that
//! grows, is on its way to be gone. One that does not, for as long as was seen, stays; but that is no proof: only the fluid
//! law tells that retries feed it for ever, and only where they do by now, since it is longer than callers wait.

use super::trend::falls;
use crate::report::count::{ratio, share};
use crate::report::edge::ends;
use crate::report::head::{Outlook, Report, VerdictKind};
use crate::report::json::results_digest;
use crate::words::short;
use sim_core::SimDuration;
use sim_core::digest::Hex;
use std::ops::Range;

/// Fewer windows show nothing.
const SEEN: usize = 20;

/// What is known of a run beside its report, nothing by default: what the fluid law of metastable failures says, and what
/// became of the last calls.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Services whose backlog keeps itself alive once callers give up because of it, and by how many retries per call.
    pub feeds: Vec<(String, f64)>,
    /// Whether any backlog drains.
    pub drains: bool,
    /// Over each edge of users: of the calls that began in a window, those that have failed. Where it is left out, nothing is
    /// known of calls that might still be answered when the run ends.
    pub failed: Vec<(String, Vec<u64>)>,
}

/// What comes, and why that is known.
pub struct Ahead {
    pub outlook: Outlook,
    /// A sentence.
    pub because: Option<String>,
}

impl Ahead {
    /// Of a run with these windows after its last disturbance, of which the `latest` show it at its worst; none if that is too
    /// short to see.
    pub fn of(report: &Report, after: &Range<usize>, latest: &Range<usize>, known: &Known) -> Option<Ahead> {
        let ahead = |outlook, because| Some(Ahead { outlook, because: Some(because) });
        let seconds = report.run.window.max(1) as f64 / 1e9;
        if let Some((name, per_window, left)) = falls(report, after) {
            let (rate, time) = (per_window / seconds, left / per_window * seconds);
            let time = SimDuration::from_nanos_f64(time * 1e9).brief();
            let because =
                format!("the queue of {name} falls by {}/s: at that rate it is empty in {time}", short(rate));
            return ahead(Outlook::OnItsWay, because);
        }
        let backlogs = backlogs(report, latest);
        let fed = |(name, _): &&(String, f64)| backlogs.iter().any(|backlog| backlog.service == name);
        if let Some((name, retries)) = known.feeds.iter().find(fed) {
            let retries = match short(*retries).as_str() {
                "1" => "1 retry".into(),
                more => format!("{more} retries"),
            };
            let because = format!(
                "by the fluid law {name} stays down: with {retries} per call it is asked for more than it can do, and its \
                 queue stays longer than callers wait"
            );
            return ahead(Outlook::Never, because);
        }
        if known.drains
            && let Some(backlog) = backlogs.first()
        {
            let because = format!("by the fluid law the queue of {} drains", backlog.service);
            return ahead(Outlook::OnItsWay, because);
        }
        (after.len() >= SEEN).then_some(Ahead { outlook: Outlook::Stays, because: None })
    }

    /// The headline's beginning, from what is seen: that it was not within some time.
    pub fn headline(&self, time: &str) -> String {
        match self.outlook {
            Outlook::Never => format!("never, by the fluid law, and {time}"),
            Outlook::Stays => time.into(),
            Outlook::OnItsWay => format!("{time}, but on its way"),
        }
    }
}

impl Report {
    /// Whether a longer run could tell more.
    pub fn is_open(&self) -> bool {
        let ends = self.timeline.disturbances.iter().all(|disturbance| disturbance.to.is_some());
        self.stopped.is_none()
            && match self.verdict.kind {
                VerdictKind::Undecided => true,
                VerdictKind::StillDisturbed => ends,
                VerdictKind::NotRecovered | VerdictKind::Degraded => {
                    self.verdict.outlook != Some(Outlook::Never)
                }
                _ => false,
            }
    }

    /// Says that this run was made because the experiment's own, so long, was too short to tell; and whether it still is. What
    /// has stayed down for so much longer is said to do so for ever.
    pub fn ran_on(&mut self, own: SimDuration) {
        let open = self.is_open();
        let long = SimDuration::from_nanos(self.run.duration);
        let times = short(long.as_nanos() as f64 / own.as_nanos().max(1) as f64);
        let (own, long) = (own.brief(), long.brief());
        let verdict = &mut self.verdict;
        if verdict.outlook == Some(Outlook::Stays) {
            verdict.outlook = Some(Outlook::Never);
            let shown = format!("never, as far as {long} can show, {times} times the experiment's own");
            verdict.headline = format!("{shown}; {}", verdict.headline);
        } else {
            let told = match open {
                true => format!("not even {long} tell, {times} times the experiment's own {own}"),
                false => format!("the experiment's own {own} are too short to tell: it was run for {long}"),
            };
            verdict.details.insert(0, told);
        }
        self.digest.s = Hex(results_digest(self)).to_string();
    }
}

/// A queue that takes longer than callers wait: whatever leaves it is for nobody.
pub struct Backlog<'a> {
    pub service: &'a str,
    /// Nanoseconds of work for each worker.
    pub holds: u64,
    /// How long the least patient of its callers waits, in nanoseconds.
    pub patience: u64,
}

/// Those in these windows, the longest first.
pub fn backlogs<'a>(report: &'a Report, windows: &Range<usize>) -> Vec<Backlog<'a>> {
    let mut found: Vec<Backlog> = report
        .services
        .iter()
        .filter_map(|(service, it)| {
            let work = ratio(it.work, it.completed)?;
            let callers =
                report.edges.iter().filter(|(edge, _)| ends(edge).is_some_and(|(_, to)| to == service));
            let patience = callers.filter_map(|(_, edge)| edge.patience).min()?;
            let holds = share(&it.windows.queue_ns, &it.windows.busy_ns, windows)? * work;
            (holds > patience as f64).then_some(Backlog { service, holds: holds as u64, patience })
        })
        .collect();
    found.sort_by_key(|backlog| std::cmp::Reverse(backlog.holds));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judge::judge_knowing;
    use crate::report::synthetic::{Second, disturbed, healthy, run};
    use crate::report::{Edge, Service};

    /// Nothing is served from 60 s on, though the fault has gone at 90 s; what `queue` says waits, each for 10 ms of a worker,
    /// and callers wait for a second.
    fn down(seconds: u64, queue: impl Fn(u64) -> u64) -> Report {
        let second = 1_000_000_000;
        let bad = Second { started: 100, ok: 0, failed: 100 };
        let mut report = run(seconds, |at| if at < 60 { healthy(100) } else { bad });
        let mut service = Service { workers: 2, completed: 1_000, work: second * 10, ..Service::default() };
        service.windows.queue_ns = (0..seconds).map(|at| queue(at) * second).collect();
        service.windows.busy_ns = vec![2 * second; seconds as usize];
        service.windows.available_ns = service.windows.busy_ns.clone();
        report.services.push("db", service);
        report.edges.push("checkout->db", Edge { patience: Some(second), ..Edge::default() });
        disturbed(report, "slow", 60, Some(90))
    }

    fn told(mut report: Report, known: &Known) -> (Option<Outlook>, Report) {
        judge_knowing(&mut report, known);
        (report.verdict.outlook, report)
    }

    fn feeds() -> Known {
        Known { feeds: vec![("db".into(), 2.0)], ..Known::default() }
    }

    #[test]
    fn what_falls_is_on_its_way() {
        let (outlook, report) = told(down(300, |at| 3_000 - 10 * at.min(299)), &Known::default());
        assert_eq!(outlook, Some(Outlook::OnItsWay));
        assert_eq!(
            report.verdict.headline,
            "not within 3 min 30 s of the fault's end, but on its way: goodput is 0 % of offered (before: 100 %)"
        );
        let expected = "the queue of db falls by 10/s: at that rate it is empty in 1 s";
        assert!(report.verdict.details.contains(&expected.into()), "{:?}", report.verdict.details);
        // It rose for a while first. And what is seen counts for more than what is known.
        let hill = |at: u64| if at < 190 { 20 * at } else { 3_800 - 20 * (at - 190) };
        assert_eq!(told(down(300, hill), &feeds()).0, Some(Outlook::OnItsWay));
    }

    #[test]
    fn what_does_not_fall_stays_unless_it_is_known_better() {
        let stays = |queue: u64, known: &Known| told(down(300, move |_| queue), known);
        let (outlook, report) = stays(1_000, &Known::default());
        assert_eq!(outlook, Some(Outlook::Stays));
        assert!(
            report.verdict.headline.starts_with("not within 3 min 30 s of"),
            "{}",
            report.verdict.headline
        );
        // 1000 are 5 s of work for two workers, and the callers wait 1 s.
        let (outlook, report) = stays(1_000, &feeds());
        assert_eq!(outlook, Some(Outlook::Never));
        assert!(
            report.verdict.headline.starts_with("never, by the fluid law, and not within"),
            "{}",
            report.verdict.headline
        );
        // 100 are half a second: whoever joins them is in time.
        assert_eq!(stays(100, &feeds()).0, Some(Outlook::Stays));
        let drains = Known { drains: true, ..Known::default() };
        assert_eq!(stays(1_000, &drains).0, Some(Outlook::OnItsWay));
        assert_eq!(stays(100, &drains).0, Some(Outlook::Stays));
        // It falls to where it stays.
        let plateau = |at: u64| if at < 150 { 4_000 - 20 * at } else { 1_000 };
        assert_eq!(told(down(300, plateau), &Known::default()).0, Some(Outlook::Stays));
    }

    #[test]
    fn what_is_too_short_shows_nothing() {
        assert_eq!(told(down(105, |_| 1_000), &Known::default()).0, None);
        assert_eq!(told(down(115, |_| 1_000), &Known::default()).0, Some(Outlook::Stays));
        // The law needs no time.
        assert_eq!(told(down(105, |_| 1_000), &feeds()).0, Some(Outlook::Never));
        let (outlook, report) = told(disturbed(run(120, |_| healthy(100)), "slow", 60, Some(80)), &feeds());
        assert_eq!((outlook, report.verdict.kind), (None, VerdictKind::Recovered));
    }

    #[test]
    fn what_more_time_could_tell_is_open() {
        use VerdictKind::*;
        for (kind, outlook, open) in [
            (Steady, None, false),
            (Failing, None, false),
            (Overloaded, None, false),
            (NeverSettles, None, false),
            (Recovered, None, false),
            (Finding, None, false),
            (Undecided, None, true),
            (StillDisturbed, None, true),
            (NotRecovered, None, true),
            (Degraded, Some(Outlook::OnItsWay), true),
            (NotRecovered, Some(Outlook::Stays), true),
            (NotRecovered, Some(Outlook::Never), false),
        ] {
            let mut report = disturbed(Report::default(), "slow", 60, Some(90));
            (report.verdict.kind, report.verdict.outlook) = (kind, outlook);
            assert_eq!(report.is_open(), open, "{kind:?} {outlook:?}");
            report.stopped = Some("a limit".into());
            assert!(!report.is_open(), "{kind:?}: a longer run would be stopped too");
        }
    }
}
