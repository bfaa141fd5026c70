//! What became of calls in the parts of a run: known when the part is over.

use super::Page;
use crate::render::stretches::{Figure, figures, parts};
use sim_models::report::Report;

/// Families by the names of the figures, with what else a series says of itself.
const FAMILIES: [(&str, &str, &str); 4] = [
    (
        "goodput",
        "stretch_goodput_calls_per_second",
        "Calls that ended well per second, in all that is measured and in each stretch of it.",
    ),
    (
        "success",
        "stretch_success_ratio",
        "Calls that ended well, of those that began in the stretch and ended.",
    ),
    ("lost", "stretch_calls_lost", "Calls that began in the stretch and ended, but not well."),
    (
        "",
        "stretch_time_seconds",
        "Response times of calls that began in the stretch: of those that ended well, and of all, where whoever got no answer waited longer than any answer took (+Inf).",
    ),
];

impl Page<'_> {
    /// One point for each part, at its end.
    pub(super) fn stretches(&mut self, report: &Report) {
        if report.edges.is_empty() {
            return;
        }
        let parts = parts(report);
        for (figure, family, help) in FAMILIES {
            let unit = match family {
                _ if family.ends_with("_ratio") => "ratio",
                _ if family.ends_with("_seconds") => "seconds",
                _ => "",
            };
            self.family(family, "gauge", unit, help);
            for part in &parts {
                let stretch = part.stretch.map_or("all", |stretch| stretch.name());
                for (edge, section) in part.edges() {
                    for Figure { metric: (name, _), value } in figures(section) {
                        let Some(value) = value else { continue };
                        let labels = [("edge", edge), ("stretch", stretch)];
                        let at = part.span().1;
                        match name.split_once("_p") {
                            None if name == figure => self.point(family, &labels, value, at),
                            Some((of, digits)) if figure.is_empty() => {
                                let of = if of == "latency" { "answered" } else { "all" };
                                // `p999` is 99.9; `quantile` is a label of summaries only.
                                let percentile =
                                    digits.get(..2).map_or(digits.to_owned(), |two| match &digits[2..] {
                                        "" => two.to_owned(),
                                        more => format!("{two}.{more}"),
                                    });
                                let [edge, stretch] = labels;
                                self.point(
                                    family,
                                    &[edge, stretch, ("of", of), ("percentile", &percentile)],
                                    value,
                                    at,
                                );
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}
