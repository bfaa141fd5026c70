//! What a run comes to.
//!
//! A disturbed run has *recovered* when goodput is back at 95 % of its share before the disturbance, over every 10 s
//! from then on until the end; it took from the end of the last disturbance until the first such moment.
//!
//! What served less than half of what was offered before the disturbance has nothing to come back to: it is failing.
//!
//! When goodput is fine is decided in `goodput.rs`, what to say beside the headline in `why.rs`.

mod goodput;
mod summary;
#[cfg(test)]
mod tests;
mod verdict;
mod why;

pub(super) use summary::summarise;

use super::head::{Report, Verdict};
use verdict::Judgement;

/// Judges a report whose edges, services and timeline are filled: verdict and summary.
///
/// For models that serve requests over time; a report without an edge from users is left as it is.
pub fn judge(report: &mut Report) {
    if !report.edges.iter().any(|(_, edge)| edge.from_users) {
        return;
    }
    let mut summary = summarise(report);
    let judgement = Judgement::of(report, &summary);
    summary.recovered = judgement.recovered();
    summary.time_to_recover = judgement.time_to_recover;
    let details = why::details(report, &judgement);
    report.verdict = Verdict { kind: judgement.kind, headline: judgement.headline, details };
    report.summary = summary;
}
