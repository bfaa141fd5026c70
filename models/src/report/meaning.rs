//! What the numbers of a report mean: their unit, which way is better, whether people look at them.
//!
//! A value of a section says so itself. What has a field of its own in a report stands in one table here, by its
//! name; whoever shows, compares or remembers metrics asks this.

use super::path::{SUMMARY, names};
use super::section::{Better, Value};
use super::unit::Unit;

/// What one metric means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// What it counts.
    pub unit: Unit,
    /// Which way it is better, if that can be known.
    pub better: Option<Better>,
    /// Whether people look at it: what runs are remembered and compared by.
    pub headline: bool,
    /// Whether a part of a run knows it.
    pub in_part: bool,
    /// Whether a stretch of a run knows it whose calls are counted apart.
    pub in_stretch: bool,
    /// Whether its last name alone leads to it: `p99` is of the first edge of users.
    pub short: bool,
}

/// What [`Report::during`](super::Report::during) knows, in words.
pub(super) const KNOWN_IN_PART: &str = "a part has offered, goodput, success, lost, error_budget and amplification; of an edge also \
    calls.started, calls.ok, calls.failed, attempts.sent, response and latency, and `before`, `fault` and `after` all of calls and \
    latency_failed; of a service utilisation, queue_mean and queue_max; of what a \
    mechanism measures whatever follows from its windows";

impl Meaning {
    /// Of what is at a path, by its names. What only a report knows, the unit of one of its values, is not known.
    pub fn at(path: &str) -> Self {
        let names = names(path).unwrap_or_default();
        Self::of(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(super) fn of(names: &[&str]) -> Self {
        let told = match names {
            // Of a model's own value the name is all there is to go by.
            ["values", name, "value"] => Meaning { unit: Unit::Plain, ..by_name(name) },
            ["values", ..] => Meaning::default(),
            [.., last] => by_name(last),
            [] => Meaning::default(),
        };
        let in_part = known_in_part(names);
        let in_stretch = in_part || matches!(names, ["edges", _, "calls" | "latency_failed", ..]);
        Meaning {
            headline: is_headline(names),
            in_part,
            in_stretch,
            short: names.first() == Some(&SUMMARY),
            ..told
        }
    }

    /// Of a value at those names: what it says itself comes first.
    pub(super) fn of_value(value: &Value, names: &[&str]) -> Self {
        let known = Self::of(names);
        Meaning {
            unit: Unit::named(&value.unit),
            better: value.better.or(known.better),
            headline: value.headline || known.headline,
            in_part: value.of_windows.is_some(),
            in_stretch: value.of_windows.is_some(),
            short: false,
        }
    }

    /// Whether less of it is better, if that can be known.
    pub fn less_is_better(&self) -> Option<bool> {
        self.better.map(|better| better == Better::Less)
    }
}

/// The table: names that mean the same wherever they stand.
fn by_name(name: &str) -> Meaning {
    use Better::{Less, More};
    let (unit, better) = match name {
        "recovered" | "ok" => (Unit::Plain, Some(More)),
        "goodput" => (Unit::Rate, Some(More)),
        "success" => (Unit::Share, Some(More)),
        "offered" | "rate" => (Unit::Rate, None),
        "wasted" | "in_vain" => (Unit::Share, Some(Less)),
        "lost" | "unanswered" => (Unit::Plain, Some(Less)),
        "utilisation" => (Unit::Share, None),
        "mean" | "p50" | "p90" | "p95" | "p99" | "p999" | "p9999" | "max" | "wait_mean"
        | "time_to_recover" | "error_budget" | "work_wasted" | "work_in_vain" => (Unit::Duration, Some(Less)),
        "work" | "in_flight_age" | "duration" | "warm_up" | "window" | "time" => (Unit::Duration, None),
        "amplification" | "per_user_call" | "queue_mean" | "queue_max" | "failed" | "timed_out"
        | "rejected" | "deaths" | "completion" | "response_mean" | "response_p99" => {
            (Unit::Plain, Some(Less))
        }
        _ => (Unit::Plain, None),
    };
    Meaning { unit, better, ..Meaning::default() }
}

/// The summary, and of each edge and service what they are compared by.
fn is_headline(names: &[&str]) -> bool {
    matches!(
        names,
        [SUMMARY, _]
            | ["edges", _, "success" | "goodput" | "amplification"]
            | ["edges", _, "attempts", "retries"]
            | ["edges", _, "latency", "p50" | "p99"]
            | ["services", _, "utilisation" | "queue_mean" | "wasted" | "deaths"]
            | ["values", _, "value"]
    )
}

/// Whether windows tell this metric.
fn known_in_part(names: &[&str]) -> bool {
    matches!(
        names,
        [SUMMARY, "offered" | "goodput" | "success" | "lost" | "error_budget" | "amplification"]
            | ["run", "duration" | "warm_up" | "window"]
            | ["edges", _, "goodput" | "success" | "amplification" | "per_user_call"]
            | ["edges", _, "calls", "started" | "ok" | "failed"]
            | ["edges", _, "attempts", "sent"]
            | ["edges", _, "latency" | "response", _]
            | ["services", _, "replicas" | "workers" | "queue_capacity"]
            | ["services", _, "utilisation" | "queue_mean" | "queue_max"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_its_last_name_means() {
        for (path, unit, less) in [
            (r#"edges["a->b"].latency.p9999"#, Unit::Duration, Some(true)),
            (r#"edges["a->b"]["latency"]["p50"]"#, Unit::Duration, Some(true)),
            ("time_to_recover", Unit::Duration, Some(true)),
            ("offered", Unit::Rate, None),
            ("goodput", Unit::Rate, Some(false)),
            ("services.a.wasted", Unit::Share, Some(true)),
            ("edges.a->b.calls.deadline", Unit::Plain, None),
            ("edges.a->b.calls.ok", Unit::Plain, Some(false)),
            ("services.a.queue_max", Unit::Plain, Some(true)),
            ("values.completion.value", Unit::Plain, Some(true)),
            ("values.completion.exact", Unit::Plain, None),
            ("no [path", Unit::Plain, None),
        ] {
            let meaning = Meaning::at(path);
            assert_eq!((meaning.unit, meaning.less_is_better()), (unit, less), "{path}");
        }
    }

    #[test]
    fn a_value_says_more_than_its_name() {
        let value = Value { unit: "share".into(), better: Some(Better::More), ..Value::default() };
        let meaning = Meaning::of_value(&value, &["cache", "a->b", "failed"]);
        assert_eq!((meaning.unit, meaning.better), (Unit::Share, Some(Better::More)));
        assert!(!meaning.headline && !meaning.in_part);
    }
}
