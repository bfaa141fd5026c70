//! Running on until a verdict is decided: `--settle`.
//!
//! A run that ends too early to tell is made again, twice as long, and again, on the same luck, until it is told or is so many
//! times as long as the experiment's own. What stays down for all of that time is said to do so for ever; nothing is left
//! to wait for.

use crate::error::Result;
use sim_core::SimDuration;
use sim_models::RunSpec;
use sim_models::experiment::MOST_WINDOWS;
use sim_models::report::Report;

/// The path of what is made longer.
const DURATION: &str = "run.duration";

/// A run on its way to be decided.
#[derive(Clone, Debug)]
pub struct Settling {
    own: SimDuration,
    most: u32,
    times: u32,
}

/// One of the runs that it takes.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    /// How long it is, if it is not as long as the experiment's own.
    pub longer: Option<SimDuration>,
    /// Whether a longer one may follow.
    pub more: bool,
}

impl Leg {
    /// Its length as a setting.
    pub fn setting(longer: SimDuration) -> (String, String) {
        (DURATION.into(), format!("\"{longer}\""))
    }
}

impl Settling {
    /// Of an experiment whose own runs are like this; at most so many times as long, and no longer than a run may be.
    pub fn new(own: &RunSpec, most: u32) -> Self {
        let longest = own.window.as_nanos().saturating_mul(MOST_WINDOWS) / own.duration.as_nanos().max(1);
        let most = most.min(u32::try_from(longest).unwrap_or(u32::MAX));
        Settling { own: own.duration, most, times: 1 }
    }

    /// How long the last run may be, if that is longer than the experiment's own.
    pub fn longest(&self) -> Option<SimDuration> {
        (self.most > 1).then(|| self.own.saturating_mul(u64::from(self.most)))
    }

    /// How long the next must be, if this one is not enough.
    fn next(&mut self, report: &Report) -> Option<Leg> {
        if !report.is_open() || self.times >= self.most {
            return None;
        }
        self.times = (2 * self.times).min(self.most);
        let longer = self.own.saturating_mul(u64::from(self.times));
        Some(Leg { longer: Some(longer), more: self.times < self.most })
    }

    /// Makes runs until one is enough. None if a signal came first.
    pub fn settle<T>(
        mut self,
        mut run: impl FnMut(Leg) -> Result<Option<T>>,
        report: impl Fn(&mut T) -> &mut Report,
    ) -> Result<Option<T>> {
        let Some(mut made) = run(Leg { longer: None, more: self.most > 1 })? else { return Ok(None) };
        while let Some(leg) = self.next(report(&mut made)) {
            let Some(next) = run(leg)? else { return Ok(None) };
            made = next;
        }
        if self.times > 1 {
            report(&mut made).ran_on(self.own);
        }
        Ok(Some(made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::Catalog;
    use sim_models::experiment::Experiment;
    use sim_models::report::{Outlook, VerdictKind};

    fn spec() -> RunSpec {
        let text = r#"(about: "x", model: ServiceGraph(
            workload: [(to: "s", arrivals: Poisson("1/s"))], services: {"s": (workers: Async(1), work: "1ms")},
        ), run: (duration: "60s"))"#;
        let (experiment, _) = Experiment::parse("x", text, &[], &Catalog::bundled()).expect("sound");
        experiment.with(None, &[]).expect("sound").run
    }

    /// What a run of so many seconds comes to; how long the last one was, and its verdict.
    fn settled(most: u32, kind: impl Fn(u64) -> (VerdictKind, Option<Outlook>)) -> (u64, Vec<u64>, Report) {
        let mut lengths = Vec::new();
        let run = |leg: Leg| {
            let long = leg.longer.unwrap_or(SimDuration::from_secs(60));
            assert_eq!(leg.more, long < SimDuration::from_secs(60).saturating_mul(most.into()));
            let seconds = long.as_nanos() / 1_000_000_000;
            lengths.push(seconds);
            let mut report = Report::default();
            report.run.duration = long.as_nanos();
            (report.verdict.kind, report.verdict.outlook) = kind(seconds);
            report.verdict.headline = "not within some time".into();
            Ok(Some(report))
        };
        let report = Settling::new(&spec(), most).settle(run, |report| report);
        let report = report.expect("well").expect("no signal");
        (report.run.duration / 1_000_000_000, lengths, report)
    }

    #[test]
    fn it_runs_on_until_it_is_told() {
        use VerdictKind::*;
        let decided = |at: u64, then: VerdictKind| {
            move |seconds: u64| match seconds < at {
                true => (NotRecovered, Some(Outlook::OnItsWay)),
                false => (then, None),
            }
        };
        let (long, lengths, report) = settled(16, decided(300, Recovered));
        assert_eq!((long, lengths), (480, vec![60, 120, 240, 480]));
        assert_eq!(
            report.verdict.details,
            ["the experiment's own 60 s are too short to tell: it was run for 8 min"]
        );
        // What is told at once is left alone.
        let (long, _, report) = settled(16, decided(0, Failing));
        assert_eq!((long, report.verdict.details.len()), (60, 0));
        // No more than what is allowed, and then it says so.
        let (long, lengths, report) = settled(5, decided(10_000, Recovered));
        assert_eq!((long, lengths), (300, vec![60, 120, 240, 300]));
        assert_eq!(report.verdict.details, ["not even 5 min tell, 5 times the experiment's own 60 s"]);
        assert_eq!(report.verdict.outlook, Some(Outlook::OnItsWay));
    }

    #[test]
    fn what_stays_down_for_all_that_time_does_so_for_ever() {
        let (_, _, report) = settled(16, |_| (VerdictKind::NotRecovered, Some(Outlook::Stays)));
        assert_eq!(report.verdict.outlook, Some(Outlook::Never));
        assert_eq!(
            report.verdict.headline,
            "never, as far as 16 min can show, 16 times the experiment's own; not within some time"
        );
        // The law needs no longer run.
        let (long, _, _) = settled(16, |_| (VerdictKind::NotRecovered, Some(Outlook::Never)));
        assert_eq!(long, 60);
    }

    #[test]
    fn what_time_cannot_tell_is_not_waited_for() {
        for kind in [VerdictKind::Finding, VerdictKind::Overloaded, VerdictKind::NeverSettles] {
            assert_eq!(settled(16, |_| (kind, None)).0, 60, "{kind:?}");
        }
        let mut lasting = Report::default();
        lasting.verdict.kind = VerdictKind::StillDisturbed;
        assert!(lasting.is_open());
        lasting.timeline.disturbances.push(Default::default());
        assert!(!lasting.is_open(), "a fault that lasts until the end lasts until any end");
    }
}
