//! What is promised to users, and what it costs: to keep the promise, and to break it.
//!
//! A promise changes nothing in a run. It reads the windows of a report, as a monitoring system reads the counters that it scrapes, so any
//! model's run can be held to one: `run: (slo: [(objective: 0.999)], cost: (downtime_hour: 300000))`.

mod burn;
mod cost;
mod slo;

pub use cost::Cost;
pub use slo::{BurnRateAlert, Severity, Slo};

use crate::catalog::Outline;
use crate::experiment::{Decode, Decoder, Node, RunSpec, quoted};
use crate::mechanism::{Mechanism, of};
use crate::policy::part::{Does, Listed};
use crate::report::{Edge, Report};

/// The pages of both.
pub fn mechanisms() -> Vec<Mechanism> {
    let sample = |key, sample| {
        let duration = ("duration", Node::text("1h"));
        RunSpec::decode(&Node::record([duration, (key, sample)]), &mut Decoder::new()).map(|_| Does::NOTHING)
    };
    of("run", RunSpec::describe(), &[listed(), Listed::optional::<Cost>("cost", "", None)], sample)
}

fn listed() -> Listed<'static> {
    Listed::optional::<Slo>("slo", "", None)
}

/// What is promised of a run, and when somebody would be told, in sentences.
pub fn notes(run: &RunSpec) -> Vec<String> {
    run.slo.iter().flat_map(Slo::notes).collect()
}

/// What became of the promises of a run: sections of its report.
pub fn judge(run: &RunSpec, report: &mut Report) {
    let slos = run.slo.iter().flat_map(|slo| slo.sections(report)).collect::<Vec<_>>();
    report.sections.extend(slos);
    report.sections.extend(run.cost.as_ref().map(|cost| cost.section(run, report)));
}

/// The edges over which users call: all, or the one that is named, or the one of the workload that is.
fn of_users<'a>(report: &'a Report, of: Option<&str>) -> impl Iterator<Item = (&'a str, &'a Edge)> {
    let wanted = move |name: &str| of.is_none_or(|of| names(of, name));
    report.edges.iter().filter(move |(name, edge)| edge.from_users && wanted(name))
}

/// Whether a name is that of an edge, or of who calls over it.
fn names(of: &str, edge: &str) -> bool {
    of == edge || edge.split_once("->").is_some_and(|(users, _)| of == users)
}

/// Reports what makes no sense for this run, whose report will tell of these, if that is known.
pub fn check(run: &RunSpec, outline: impl Fn() -> Option<Outline>, at: &Node, cx: &mut Decoder) {
    if run.slo.is_empty() && run.cost.is_none() {
        return;
    }
    let Some(outline) = outline() else { return };
    let priced = run.cost.iter().flat_map(|cost| cost.replica_hours.names());
    for name in priced.filter(|name| !outline.services.iter().any(|known| known == name)) {
        let help = cx.suggest(name, "services", outline.services.iter().map(String::as_str));
        let span = at.get("cost").and_then(|cost| cost.get("replica_hours")).unwrap_or(at).span;
        cx.error(span, format!("no service {}", quoted(name))).help(help);
    }
    for (number, slo) in run.slo.iter().enumerate() {
        let here = at.get("slo").and_then(|all| all.part(number)).unwrap_or(at);
        slo.check(run, here, cx);
        let Some(of) = &slo.of else { continue };
        let edges = &outline.users;
        if !edges.iter().any(|edge| names(&of.value, edge)) {
            let help = cx.suggest(&of.value, "edges of users", edges.iter().map(String::as_str));
            cx.error(of.span, format!("no users call over {}", quoted(&of.value))).help(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Catalog;
    use crate::experiment::Experiment;

    /// What is said of a run of two hours: every problem, error or warning.
    fn said(run: &str) -> Vec<String> {
        let text = format!(
            r#"(about: "x", model: ServiceGraph(
                workload: [(name: "guests", to: "shop", arrivals: Poisson("1/s"))],
                services: {{"shop": (workers: Async(1), work: "1ms")}},
            ), run: (duration: "2h", window: "1min", {run}))"#
        );
        let diagnostics = match Experiment::parse("x", &text, &[], &Catalog::bundled()) {
            Ok((_, warnings)) => warnings,
            Err(failed) => failed.diagnostics,
        };
        diagnostics
            .iter()
            .map(|it| format!("{}: {} | {}", it.path, it.message, it.help.as_deref().unwrap_or("")))
            .collect()
    }

    #[test]
    fn what_cannot_be_meant() {
        for (run, expected) in [
            (r#"slo: [(objective: 0.99)]"#, vec![]),
            (r#"slo: [(objective: 0.99, of: "guests")], cost: (replica_hours: {"shop": 1})"#, vec![]),
            (
                r#"slo: [(objective: 0.99, of: "gusts")], cost: (replica_hours: {"shup": 1})"#,
                vec!["no users call over \"gusts\"", "no service \"shup\""],
            ),
            (
                r#"slo: [(objective: 0.9, alerts: [(burn_rate: 11, long: "1h")])]"#,
                vec!["never fires: at an objective of 90 % the budget burns at most 10.000 times"],
            ),
            (
                r#"slo: [(objective: 0.9, alerts: [(burn_rate: 2, long: "1h", short: "2h")])]"#,
                vec!["got \"2h\", must not be longer than `long`, \"1h\""],
            ),
            (
                r#"slo: [(objective: 0.9, alerts: [(burn_rate: 2, long: "10min")])]"#,
                vec!["the run is told in windows of 60s: an alert cannot look at the last 50s"],
            ),
        ] {
            let said = said(run);
            assert_eq!(said.len(), expected.len(), "{run}: {said:#?}");
            for (said, expected) in said.iter().zip(expected) {
                assert!(said.starts_with("run.") && said.contains(expected), "{run}: {said}");
            }
        }
    }
}
