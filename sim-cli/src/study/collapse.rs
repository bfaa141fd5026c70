//! When a run of a search has failed.

use crate::error::{Error, Result};
use crate::study::wish::Wish;
use sim_models::report::{Report, VerdictKind};

/// When a run has failed.
#[derive(Clone, Debug)]
pub enum Collapse {
    /// By its verdict: it is failing, overloaded, degraded, has not recovered within the run as far as can be told, or
    /// never settles.
    Verdict,
    /// When this holds.
    When(Box<Wish>),
}

impl Collapse {
    /// Whether that is what happened.
    pub fn of(&self, report: &Report) -> Result<bool> {
        if let Collapse::When(wish) = self {
            return wish.held(report).map(|held| held.holds);
        }
        match report.verdict.kind {
            VerdictKind::Recovered | VerdictKind::Steady => Ok(false),
            VerdictKind::NotRecovered
            | VerdictKind::Degraded
            | VerdictKind::NeverSettles
            | VerdictKind::Overloaded
            | VerdictKind::Failing => Ok(true),
            // Not shown to be back within the run.
            VerdictKind::Undecided => Ok(true),
            // What no limit of calls or events held back was not judged, and is no success.
            _ if report.stopped.is_some() => Ok(true),
            VerdictKind::StillDisturbed => Err(Error::Usage {
                message: format!("it cannot be told whether that recovers: {}", report.verdict.headline),
                help: "  give the run more time, --set run.duration=10min, or say what failure is: --until 'success < 0.9'".into(),
            }),
            VerdictKind::Finding => Err(Error::Usage {
                message: format!("the verdict of {} neither holds nor fails: say what failure is", report.experiment),
                help: "  with --until 'METRIC < BOUND'; `brownout list metrics EXPERIMENT` names the metrics".into(),
            }),
        }
    }
}
