//! What a run comes to.
//!
//! Users are judged by cohorts: calls by when they began, and what became of them. A call is *served* if it ended well within
//! the time that users are ready to wait: `run.within`, or three times the 99th percentile before anything went wrong.
//!
//! A disturbed run has *recovered* from the moment on from which there is no stretch of ten seconds or more, up to the end,
//! in which clearly fewer calls were served than before: less than 95 % of the share before, and fewer than chance leaves
//! over in one run of a hundred, by exact tests that know how few calls there may be. It took from the end of the last
//! disturbance until that moment. Calls that might still be answered in time when the run ends say nothing.
//!
//! What served less than half of what was offered before the disturbance has nothing to come back to: it is failing. What
//! falls three times or more never settles. A queue that grows by more than luck is overloaded, and so is a service that turns away
//! for good what it cannot do (`overload.rs`). What the run is too short to show is left undecided.
//!
//! A run that is not back by its end is looked at once more: whether what keeps it down gets less, or stays, or is known by the
//! fluid law to keep itself alive (`outlook.rs`). Nothing else says *never*.
//!
//! Two models are not judged, and say a fact of theirs instead: whether a callback finds its server is no question of when, and
//! clients that all write one row once are nobody who comes again.
//!
//! Who is served is counted in `users.rs`, what chance does in `chance.rs`, what grows in `trend.rs`, what falls again in
//! `habit.rs`; `course.rs` judges runs that were disturbed, `undisturbed.rs` the others; what to say beside the headline is in
//! `why.rs`.

#[cfg(test)]
mod branches;
mod chance;
mod course;
mod habit;
mod outlook;
mod overload;
#[cfg(test)]
mod queues;
mod summary;
#[cfg(test)]
mod tests;
mod trend;
mod undisturbed;
mod users;
mod verdict;
mod why;

pub(super) use summary::summarise;

use super::head::{Report, Verdict};
pub use outlook::Known;
use verdict::Judgement;

/// Judges a report whose edges, services and timeline are filled: verdict and summary.
///
/// For models that serve requests over time; a report without an edge from users is left as it is.
pub fn judge(report: &mut Report) {
    judge_knowing(report, &Known::default());
}

/// The same, where a law tells more than can be seen.
pub fn judge_knowing(report: &mut Report, known: &Known) {
    if !report.edges.iter().any(|(_, edge)| edge.from_users) {
        return;
    }
    let mut summary = summarise(report);
    let judgement = Judgement::of(report, &summary, known);
    summary.recovered = judgement.recovered();
    summary.time_to_recover = judgement.time_to_recover;
    let details = why::details(report, &judgement);
    let Judgement { kind, headline, outlook, .. } = judgement;
    report.verdict = Verdict { kind, headline, outlook: outlook.map(|it| it.outlook), details };
    report.summary = summary;
}
