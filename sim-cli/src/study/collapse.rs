//! When a run of a search has failed.

use crate::error::{Error, Result};
use crate::result::edges::Answer;
use crate::study::wish::Wish;
use sim_models::report::{Outlook, Report, VerdictKind};

/// When a run has failed.
#[derive(Clone, Debug)]
pub enum Collapse {
    /// By its verdict: it is failing, overloaded, never settles, or stays down or degraded for as long as can be seen.
    Verdict,
    /// When this holds.
    When(Box<Wish>),
}

impl Collapse {
    /// The metric by which it is told, if not by the verdict.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Collapse::Verdict => None,
            Collapse::When(wish) => Some(wish.metric()),
        }
    }

    /// Where that is a response time of calls that ended well: how many did in this run.
    pub fn answered(&self, report: &Report) -> Option<f64> {
        match self {
            Collapse::Verdict => None,
            Collapse::When(wish) => wish.answered(report),
        }
    }

    /// Whether that is what happened.
    pub fn of(&self, report: &Report) -> Result<Answer> {
        if let Collapse::When(wish) = self {
            return wish.held(report).map(|held| Answer::of(held.holds));
        }
        match report.verdict.kind {
            VerdictKind::Recovered | VerdictKind::Steady | VerdictKind::Unharmed => Ok(Answer::Fine),
            VerdictKind::NeverSettles | VerdictKind::Overloaded | VerdictKind::Failing => Ok(Answer::Fails),
            VerdictKind::NotRecovered | VerdictKind::Degraded => Ok(match report.verdict.outlook {
                Some(Outlook::Never | Outlook::Stays) => Answer::Fails,
                Some(Outlook::OnItsWay) | None => Answer::Undecided,
            }),
            VerdictKind::Undecided | VerdictKind::StillDisturbed => Ok(Answer::Undecided),
            // Nothing was measured before a limit cut it short.
            VerdictKind::Finding if report.stopped.is_some() => Ok(Answer::Undecided),
            VerdictKind::Finding => Err(Error::Usage {
                message: format!(
                    "the verdict of {} neither holds nor fails: say what failure is",
                    report.experiment
                ),
                help: "  with --until 'METRIC < BOUND'; `brownout list metrics EXPERIMENT` names the metrics"
                    .into(),
            }),
        }
    }
}
