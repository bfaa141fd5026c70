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
pub struct Settling {
    own: SimDuration,
    most: u32,
    times: u32,
}

impl Settling {
    /// Of an experiment whose own runs are like this; at most so many times as long, and no longer than a run may be.
    pub fn new(own: &RunSpec, most: u32) -> Self {
        let longest = own.window.as_nanos().saturating_mul(MOST_WINDOWS) / own.duration.as_nanos().max(1);
        let most = most.min(u32::try_from(longest).unwrap_or(u32::MAX));
        Settling { own: own.duration, most, times: 1 }
    }

    /// How long the next must be, if this one is not enough.
    fn next(&mut self, report: &Report) -> Option<(String, String)> {
        if !report.is_open() || self.times >= self.most {
            return None;
        }
        self.times = (2 * self.times).min(self.most);
        let longer = self.own.saturating_mul(u64::from(self.times));
        Some((DURATION.into(), format!("\"{longer}\"")))
    }

    /// Makes runs until one is enough: `run` makes one with a setting besides its own. None if a signal came first.
    pub fn settle<T>(
        mut self,
        mut run: impl FnMut(Option<&(String, String)>) -> Result<Option<T>>,
        report: impl Fn(&mut T) -> &mut Report,
    ) -> Result<Option<T>> {
        let Some(mut made) = run(None)? else { return Ok(None) };
        while let Some(longer) = self.next(report(&mut made)) {
            let Some(next) = run(Some(&longer))? else { return Ok(None) };
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
        let run = |longer: Option<&(String, String)>| {
            let long: SimDuration =
                longer.map_or("60s", |(_, value)| value.trim_matches('"')).parse().expect("a time");
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
