//! What `check` found as JUnit XML, which GitLab, Jenkins and most others read: a suite per experiment, a case per
//! expectation, one for its run and one for its snapshot.
//!
//! All that is wrong is a `failure` with a type of its own: `expectation`, `snapshot`, `stopped`, `invalid`. What is
//! undecided and allowed to be is skipped. No times: a result does not depend on clocks. It keeps to
//! what the strict schema of Jenkins' xUnit plugin (junit-10) allows, so places are told in the text.

use crate::result::checked::{Checked, Document};
use crate::result::judged::Judged;
use crate::result::moved::Moved;
use crate::text::clean;

/// The whole document.
pub fn junit(document: &Document, allow_undecided: bool) -> String {
    let suites: Vec<Suite> =
        document.experiments.iter().map(|checked| suite(checked, allow_undecided)).collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (all, _) = counts(suites.iter().flat_map(|suite| &suite.cases));
    out += &format!("<testsuites name=\"brownout\"{all}>\n");
    for suite in &suites {
        let (own, skipped) = counts(suite.cases.iter());
        let file = suite.file.as_ref().map_or(String::new(), |file| format!(" file=\"{}\"", escape(file)));
        let name = escape(&suite.name);
        out += &format!("  <testsuite name=\"{name}\"{own} skipped=\"{skipped}\"{file}>\n");
        suite.cases.iter().for_each(|case| out += &case.xml(suite));
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
}

struct Suite {
    name: String,
    file: Option<String>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Good,
    /// Its type, one line, and all there is to say.
    Failure(&'static str, String, String),
    Skipped(String),
}

fn suite(checked: &Checked, allow_undecided: bool) -> Suite {
    let again = checked.again.join("\n");
    let at = |line: usize| checked.file.as_ref().map_or(String::new(), |file| format!("{file}:{line}: "));
    let unknown = checked.problems.iter().map(|it| ("invalid", format!("{}{}", at(it.line), it.message)));
    let problems: Vec<(&'static str, String)> =
        unknown.chain(checked.stopped.iter().map(|why| ("stopped", format!("stopped: {why}")))).collect();
    let run = match problems.first() {
        None => Outcome::Good,
        Some((kind, first)) => {
            let all: Vec<&str> = problems.iter().map(|(_, problem)| problem.as_str()).collect();
            Outcome::Failure(kind, first.clone(), format!("{}\n{again}", all.join("\n")))
        }
    };
    let mut cases = vec![Case { name: "run".into(), outcome: run }];
    cases.extend(checked.expectations.iter().map(|judged| Case {
        name: Checked::title(judged),
        outcome: outcome(judged, &at(judged.line), allow_undecided),
    }));
    if let Some(words) = &checked.snapshot {
        let outcome = match checked.snapshot_failed() {
            true => Outcome::Failure("snapshot", words.clone(), format!("{}\n{again}", moved(checked))),
            false => Outcome::Good,
        };
        cases.push(Case { name: "snapshot".into(), outcome });
    }
    Suite { name: checked.experiment.clone(), file: checked.file.clone(), cases }
}

/// What moved, and the lines that differ.
fn moved(checked: &Checked) -> String {
    let run = |moved: &Moved| {
        let variant = moved.variant.as_deref().unwrap_or("base");
        let metrics = moved.metrics.iter().filter(|metric| metric.moved);
        let names: Vec<&str> = metrics.map(|metric| metric.metric.as_str()).collect();
        let names = if names.is_empty() { "nothing".into() } else { names.join(", ") };
        format!("{variant}: moved: {names}; first difference: {}\n", moved.first_difference)
    };
    checked.moved.iter().map(run).collect::<String>() + checked.difference.as_deref().unwrap_or_default()
}

fn outcome(judged: &Judged, at: &str, allow_undecided: bool) -> Outcome {
    let measured = format!("measured {}", judged.measured);
    let more = judged.again.as_ref().map_or(String::new(), |again| format!("again: {again}"));
    match (judged.holds, judged.undecided && allow_undecided) {
        (true, _) => Outcome::Good,
        (false, true) => Outcome::Skipped(measured),
        (false, false) => {
            let text = format!("{at}{}: {measured}\n{more}", Checked::title(judged));
            Outcome::Failure("expectation", measured, text)
        }
    }
}

impl Case {
    fn xml(&self, suite: &Suite) -> String {
        let (class, name) = (escape(&suite.name), escape(&self.name));
        let head = format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
        match &self.outcome {
            Outcome::Good => format!("{head}/>\n"),
            Outcome::Failure(kind, message, text) => {
                let text = text.trim_end().lines().map(escape).collect::<Vec<_>>().join("\n");
                let failure = format!("<failure type=\"{kind}\" message=\"{}\">", escape(message));
                format!("{head}>\n      {failure}{text}</failure>\n    </testcase>\n")
            }
            Outcome::Skipped(message) => {
                format!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", escape(message))
            }
        }
    }
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> (String, usize) {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for case in cases {
        tests += 1;
        failures += usize::from(matches!(case.outcome, Outcome::Failure(..)));
        skipped += usize::from(matches!(case.outcome, Outcome::Skipped(_)));
    }
    (format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\""), skipped)
}

/// Text for XML. Characters that XML 1.0 does not know are among those that are spelled out.
fn escape(text: &str) -> String {
    let text = clean(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata::checked;
    use crate::result::checked::Problem;

    #[test]
    fn a_suite_per_experiment_and_a_case_per_expectation() {
        insta::assert_snapshot!(junit(&checked(), false));
    }

    #[test]
    fn undecided_may_be_allowed_and_mistakes_say_where() {
        let mut document = checked();
        document.experiments.truncate(1);
        assert!(junit(&document, true).contains("failures=\"2\" errors=\"0\" time=\"0\" skipped=\"1\""));
        let problem = Problem { line: 3, message: "no metric `p98`".into() };
        document.experiments[0].problems.push(problem);
        document.experiments[0].expectations.clear();
        let xml = junit(&document, true);
        let failure = "<failure type=\"invalid\" message=\"ours/storm.ron:3: no metric `p98`\">";
        assert!(xml.contains(failure), "{xml}");
    }
}
