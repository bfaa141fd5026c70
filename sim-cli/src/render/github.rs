//! What `check` found as commands of a GitHub workflow: an annotation for each failure, at its line of the file.
//!
//! `::error file=..,line=..,title=..::message`, where a message may not hold `%`, CR or LF as they are, and a
//! property not `:` or `,` either.

use crate::result::checked::{Checked, Document};
use crate::text::clean;

/// One line per failure; nothing if all is well. What is undecided and allowed to be is a warning.
pub fn annotations(document: &Document, allow_undecided: bool) -> String {
    document.experiments.iter().map(|checked| experiment(checked, allow_undecided)).collect()
}

/// The annotations, and how many experiments were good: the log of a workflow step.
pub fn github(document: &Document, allow_undecided: bool) -> String {
    let good = document.experiments.iter().filter(|checked| checked.good).count();
    let all = document.experiments.len();
    annotations(document, allow_undecided) + &format!("{all} checked, {good} good, {} not\n", all - good)
}

fn experiment(checked: &Checked, allow_undecided: bool) -> String {
    let name = clean(&checked.experiment);
    let mut out = String::new();
    for problem in &checked.problems {
        out += &annotation("error", checked, Some(problem.line), &name, &problem.message);
    }
    for stopped in &checked.stopped {
        out +=
            &annotation("error", checked, None, &name, &with_again(&format!("stopped: {stopped}"), checked));
    }
    for judged in checked.expectations.iter().filter(|judged| !judged.holds) {
        let level = if judged.undecided && allow_undecided { "warning" } else { "error" };
        let mut message = format!("{}: measured {}", Checked::title(judged), judged.measured);
        message.extend(judged.again.iter().map(|again| format!("\nagain: {again}")));
        out += &annotation(level, checked, Some(judged.line), &name, &message);
    }
    if checked.snapshot_failed() {
        let mut message = checked.snapshot.clone().unwrap_or_default();
        for moved in &checked.moved {
            let variant = moved.variant.as_deref().unwrap_or("base");
            let metrics: Vec<&str> =
                moved.metrics.iter().filter(|metric| metric.moved).map(|metric| &*metric.metric).collect();
            let metrics = if metrics.is_empty() { "nothing".into() } else { metrics.join(", ") };
            message +=
                &format!("\n{variant}: moved: {metrics}; first difference: {}", moved.first_difference);
        }
        out += &annotation("error", checked, None, &name, &with_again(&message, checked));
    }
    out
}

fn with_again(message: &str, checked: &Checked) -> String {
    let again = checked.again.iter().map(|again| format!("\nagain: {again}"));
    message.to_string() + &again.collect::<String>()
}

fn annotation(level: &str, checked: &Checked, line: Option<usize>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    properties.extend(checked.file.iter().map(|file| format!("file={}", property(file))));
    properties.extend(line.filter(|_| checked.file.is_some()).map(|line| format!("line={line}")));
    properties.push(format!("title={}", property(title)));
    format!("::{level} {}::{}\n", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    let line = |line: &str| clean(line).replace('%', "%25");
    text.lines().map(line).collect::<Vec<_>>().join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata::checked;

    #[test]
    fn an_annotation_per_failure_at_its_line() {
        insta::assert_snapshot!(github(&checked(), false));
        let allowed = annotations(&checked(), true);
        assert!(allowed.contains("::warning ") && allowed.matches("::error ").count() == 2, "{allowed}");
    }

    #[test]
    fn nothing_in_a_name_ends_a_property_or_begins_a_command() {
        assert_eq!(property("a:b,c%d"), "a%3Ab%2Cc%25d");
        assert_eq!(data("50 %\n::error::x\r\n\u{1b}[2J"), "50 %25%0A::error::x%0A\\u{1b}[2J");
    }
}
