//! What a run comes to (placeholder).
use super::{Report, Verdict};

/// Judges a report whose edges, services and timeline are filled: verdict and summary.
pub fn judge(report: &mut Report) {
    report.verdict = Verdict::default();
}
