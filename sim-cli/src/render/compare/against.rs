//! Variants held against a saved run.

use super::named;
use crate::result::compared::{Against, Regressions, how};
use crate::text::{Paint, Style, clean, quiet, wrap};

/// What has changed since a run was saved.
pub(super) fn lines(baseline: &Against, style: Style) -> Vec<String> {
    let mut lines =
        vec![format!("  {}", style.paint(Paint::Strong, &format!("against {}", clean(&baseline.file))))];
    lines.extend(quiet(&how(baseline), "  ", style));
    let said = baseline.variants.iter().map(|v| (v.name.as_str(), v.sentence.as_str()));
    lines.extend(named(&said.collect::<Vec<_>>(), style).into_iter().flatten());
    if let Some(Regressions { found, rule, .. }) = &baseline.regressions {
        for regression in found {
            let text = format!("worse: {}", clean(regression));
            let worse = wrap(&text, style.columns() - 2);
            lines.extend(worse.iter().map(|line| format!("  {}", style.paint(Paint::Bad, line))));
        }
        lines.extend(quiet(&clean(rule), "  ", style));
    }
    lines
}
