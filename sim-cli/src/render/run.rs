//! One run as text (minimal).

use super::Style;
use crate::expect::Judgement;
use sim_models::report::Report;

/// The report for people: verdict first, then the picture, why, and what to do next.
pub fn text(report: &Report, expectations: &Judgement, style: Style) -> String {
    let mut out = format!("{}: {}\n", report.experiment, report.verdict.headline);
    for judged in &expectations.judged {
        let mark = if judged.holds { style.pick("✓", "ok") } else { style.pick("✗", "FAILED") };
        out += &format!("  {mark} {}: {}\n", judged.claim, judged.measured);
    }
    out
}
