//! What a mechanism measures, in numbers that say themselves what they are.
//!
//! A section is of a kind, `cache`, and at a place, `checkout->products`. It has values, for the whole run, and
//! series, one number per window. A value says what it counts, which way is better, whether people look at it first,
//! and how it follows from the windows of the section's series; so a section is listed, shown, drawn, compared, exported
//! and cut into parts by code that has never heard of its kind. Its metrics are `cache["checkout->products"].hit_ratio`.
//!
//! What a section measures is declared before anything runs ([`Section::value`], [`Section::line`]) and filled in
//! afterwards ([`Section::set`], [`Section::draw`]): so a run in which nothing happened has the same metrics, absent.

use super::count::is_zero;
use super::fold::{Fold, Windows};
use super::named::Named;
use super::timeline::Series;
use super::unit::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// What one mechanism measured at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// What it is about: `cache`. The same for all places.
    pub kind: String,
    /// The service or edge it is at; empty for the whole of a run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// Numbers for the whole run, after the warm-up.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub values: Named<Value>,
    /// Numbers per window, from the beginning of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// Changes of state, of each of those that are at the place: what is closed opens, what is up goes down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Changes that were counted but are not listed: those after the listed ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changes_unlisted: u64,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// When, in nanoseconds.
    pub at: u64,
    /// Of which one: the client of an edge, the replica of a service. Absent if it is the state of what they all share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// To which replica the client has such a state, if it has one for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
    /// The state before.
    pub from: Cow<'static, str>,
    /// The state after.
    pub to: Cow<'static, str>,
}

/// A number, and what it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// What it is.
    pub about: String,
    /// Measured; absent if there was nothing to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it counts: `ns`, `/s`, `share`, or nothing in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What theory gives, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The standard error of `value`, where draws are independent and it can be known from one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Where `exact` comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Which way is better, if that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
    /// Whether people look at it first: runs are compared by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub headline: bool,
    /// How it follows from the windows of the section's series, if it does: so a part of a run knows it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_windows: Option<Fold>,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less.
    Less,
    /// More.
    More,
}

impl Value {
    /// Declares a number of this unit: what it is.
    pub fn new(unit: Unit, about: impl Into<String>) -> Self {
        Value { about: about.into(), unit: unit.name().into(), ..Value::default() }
    }

    /// Which way is better.
    #[must_use]
    pub fn better(self, better: Better) -> Self {
        Value { better: Some(better), ..self }
    }

    /// People look at it first.
    #[must_use]
    pub fn headline(self) -> Self {
        Value { headline: true, ..self }
    }

    /// How it follows from windows.
    #[must_use]
    pub fn of_windows(self, fold: Fold) -> Self {
        Value { of_windows: Some(fold), ..self }
    }
}

impl Section {
    /// One of a kind, at a place, or at none. A kind is no other group of metrics.
    pub fn new(kind: impl Into<String>, at: impl Into<String>) -> Self {
        let (kind, at) = (kind.into(), at.into());
        let taken = ["", "summary", "run", "edges", "services", "values"];
        assert!(!taken.contains(&&*kind), "`{kind}` is no kind of its own");
        Section { kind, at, ..Section::default() }
    }

    /// The names in the path of one of its values.
    pub(super) fn names<'a>(&'a self, value: &'a str) -> Vec<&'a str> {
        [self.kind.as_str(), &self.at, value].into_iter().filter(|name| !name.is_empty()).collect()
    }

    /// If it is one of several that are parts of one place, `api[3]`: that place.
    pub fn part_of(&self) -> Option<&str> {
        let (whole, number) = self.at.strip_suffix(']')?.rsplit_once('[')?;
        number.bytes().all(|digit| digit.is_ascii_digit()).then_some(whole)
    }

    /// Declares a value: what it is, and nothing measured yet.
    pub fn value(mut self, name: &str, value: Value) -> Self {
        self.values.push(name, value);
        self
    }

    /// Declares a line over time.
    pub fn line(mut self, name: &str, unit: Unit, about: &str) -> Self {
        assert!(self.series.iter().all(|series| series.name != name), "a section draws {name} twice");
        let (name, unit, about) = (name.into(), unit.name().into(), about.into());
        self.series.push(Series { name, unit, about, ..Series::default() });
        self
    }

    /// The most that the line declared last can be.
    pub fn up_to(mut self, most: Option<f64>) -> Self {
        self.series.last_mut().expect("a line is declared before its bound").of = most;
        self
    }

    /// What a line of it is called among the lines of all kinds: `pool a->b waiting`, and `pool a->b` if it is the only one
    /// at its place.
    pub fn title(&self, line: &Series) -> String {
        let own = if self.series.len() > 1 || self.at.is_empty() { line.name.as_str() } else { "" };
        let names = [self.kind.as_str(), &self.at, own];
        names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// What a declared value came to.
    pub fn set(&mut self, name: &str, measured: impl Into<Option<f64>>) {
        let value = self.values.0.iter_mut().find(|(other, _)| other == name);
        let (_, value) = value.unwrap_or_else(|| panic!("`{}` declares no value `{name}`", self.kind));
        value.value = measured.into().filter(|measured| measured.is_finite());
    }

    /// A declared line, one number per window.
    pub fn draw(&mut self, name: &str, values: Vec<f64>) {
        let line = self.series.iter_mut().find(|series| series.name == name);
        line.unwrap_or_else(|| panic!("`{}` declares no line `{name}`", self.kind)).values = values;
    }

    /// What follows from these windows and was not counted apart.
    pub(super) fn complete(&mut self, windows: &Windows) {
        for index in 0..self.values.0.len() {
            let value = &self.values.0[index].1;
            if let (None, Some(fold)) = (value.value, &value.of_windows) {
                self.values.0[index].1.value = fold.over(&self.series, windows);
            }
        }
    }

    /// The same section, of a part of the run: nothing is drawn after its end, and nothing changed outside of it. What windows
    /// do not tell is absent.
    pub(super) fn during(&self, span: &Range<u64>, windows: &Windows) -> Self {
        let mut part = self.clone();
        part.changes.retain(|change| span.contains(&change.at));
        // Those that are not listed came after the listed ones.
        if self.changes.last().is_some_and(|last| span.end <= last.at) {
            part.changes_unlisted = 0;
        }
        for (_, value) in &mut part.values.0 {
            // Theory speaks of the whole run.
            (value.value, value.exact, value.standard_error) = (None, None, None);
        }
        part.complete(windows);
        part.series.iter_mut().for_each(|series| series.values.truncate(windows.which.end));
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Section {
        Section::new("cache", "a->b").value("entries", Value::default()).line("hits", Unit::Plain, "")
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let mut cache = cache();
        cache.set("entries", f64::NAN);
        assert_eq!(cache.values.get("entries").unwrap().value, None);
        cache.set("entries", None);
        let text = serde_json::to_string(&cache).unwrap();
        assert!(text.contains(r#""entries":{"about":""}"#), "{text}");
    }

    #[test]
    fn a_line_is_called_by_what_tells_it_from_others() {
        let two = cache().line("misses", Unit::Plain, "");
        let nowhere = Section::new("clock", "").line("skew", Unit::Duration, "");
        for (section, title) in [(cache(), "cache a->b"), (two, "cache a->b hits"), (nowhere, "clock skew")] {
            assert_eq!(section.title(&section.series[0]), title);
        }
    }

    #[test]
    #[should_panic(expected = "declares no value `misses`")]
    fn only_what_is_declared_can_be_measured() {
        cache().set("misses", 1.0);
    }

    fn folded(fold: Fold) -> Value {
        Value::default().of_windows(fold)
    }

    fn folded_cache() -> Section {
        let mut cache = Section::new("cache", "a->b")
            .value("hit_ratio", folded(Fold::Ratio("hits".into(), "asked".into())))
            .value("hits", folded(Fold::Sum("hits".into())))
            .value("most", folded(Fold::Max("held".into())))
            .value("held", folded(Fold::Mean("held".into())))
            .value("entries", Value::default())
            .line("hits", Unit::Plain, "")
            .line("asked", Unit::Plain, "")
            .line("held", Unit::Plain, "");
        cache.draw("hits", vec![1.0, 2.0, 3.0, 0.0]);
        cache.draw("asked", vec![2.0, 4.0, 3.0, 0.0]);
        cache.draw("held", vec![5.0, 7.0, f64::NAN, 1.0]);
        cache.set("entries", 9.0);
        cache
    }

    #[test]
    fn values_follow_from_windows() {
        // The last window is half as long.
        let length = |window: usize| if window == 3 { 0.5 } else { 1.0 };
        let values = |windows: Range<usize>| -> Vec<Option<f64>> {
            let part = folded_cache().during(&(0..0), &Windows { which: windows, length: &length });
            part.values.iter().map(|(_, value)| value.value).collect()
        };
        assert_eq!(values(0..4), [Some(6.0 / 9.0), Some(6.0), Some(7.0), Some(12.5 / 2.5), None]);
        assert_eq!(values(1..3), [Some(5.0 / 7.0), Some(5.0), Some(7.0), Some(7.0), None]);
        // Nobody asked, so there is no ratio; beyond the end there is nothing at all.
        assert_eq!(values(3..4), [None, Some(0.0), Some(1.0), Some(1.0), None]);
        assert_eq!(values(9..12), [None; 5]);
        assert_eq!(
            folded_cache().during(&(0..0), &Windows { which: 1..3, length: &length }).series[0].values,
            [1.0, 2.0, 3.0]
        );
    }

    #[test]
    fn what_is_above_is_not_made_up_for_by_what_is_below() {
        let mut two = Section::new("observers", "db")
            .value("gap", folded(Fold::Above("said".into(), "met".into())))
            .line("said", Unit::Share, "")
            .line("met", Unit::Share, "");
        two.draw("said", vec![1.0, 0.5, f64::NAN, 1.0]);
        two.draw("met", vec![0.4, 1.0, 0.0, 0.8]);
        let length = |window: usize| if window == 3 { 0.5 } else { 1.0 };
        for (windows, gap) in [(0..4, (0.6 + 0.5 * 0.2) / 2.5), (0..2, 0.3), (1..2, 0.0)] {
            let part = two.during(&(0..0), &Windows { which: windows, length: &length });
            assert!((part.values.get("gap").unwrap().value.unwrap() - gap).abs() < 1e-12);
        }
    }

    #[test]
    fn what_was_counted_apart_stays() {
        let (mut cache, length) = (folded_cache(), |_: usize| 1.0);
        cache.set("hits", 100.0);
        cache.complete(&Windows { which: 0..4, length: &length });
        let value = |name: &str| cache.values.get(name).and_then(|value| value.value);
        assert_eq!((value("hits"), value("most"), value("entries")), (Some(100.0), Some(7.0), Some(9.0)));
    }

    #[test]
    fn changes_of_a_part() {
        let change = |at| Change { at, of: Some(0), replica: None, from: "closed".into(), to: "open".into() };
        let all =
            Section { changes: vec![change(60), change(80)], changes_unlisted: 2, ..Section::default() };
        for (from, to, listed, unlisted) in [(50, 60, 0, 0), (60, 70, 1, 0), (60, 81, 2, 2), (90, 99, 0, 2)] {
            let part = all.during(&(from..to), &Windows { which: 0..0, length: &|_| 1.0 });
            assert_eq!((part.changes.len(), part.changes_unlisted), (listed, unlisted), "{from}..{to}");
        }
    }
}
