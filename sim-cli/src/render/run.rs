//! One run as text (minimal).

use super::Style;
use sim_models::report::Report;

/// The report for people, verdict first.
pub fn text(report: &Report, _style: Style) -> String {
    format!("{}: {}\n", report.experiment, report.verdict.headline)
}
