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
use super::fold::Fold;
use super::named::Named;
use super::timeline::Series;
use super::unit::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
    /// Of which one: the client of an edge, the replica of a service.
    pub of: u32,
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
    #[should_panic(expected = "declares no value `misses`")]
    fn only_what_is_declared_can_be_measured() {
        cache().set("misses", 1.0);
    }
}
