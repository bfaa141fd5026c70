//! How a number of a section follows from its windows: for a part of a run, and for the whole of one where nobody counted it
//! apart.

use super::count::part;
use super::section::Section;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How the numbers of windows come to one, by the names of series of the same section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Their sum: of counts.
    Sum(String),
    /// Their mean over time: of rates, shares of time, and what is there at a moment.
    Mean(String),
    /// The largest.
    Max(String),
    /// The sum of the first over the sum of the second; absent if that is 0.
    Ratio(String, String),
}

/// Windows of a run, by their numbers.
pub(super) struct Windows<'a> {
    pub(super) which: Range<usize>,
    /// How long each is; the last may be shorter than the others.
    pub(super) length: &'a dyn Fn(usize) -> f64,
}

impl Section {
    /// What a value comes to over these windows; absent where there is nothing to fold.
    fn folded(&self, fold: &Fold, windows: &Windows) -> Option<f64> {
        let of = |name: &str| {
            let series = self.series.iter().find(|series| series.name == name);
            let values = series.map_or(&[][..], |series| part(&series.values, &windows.which));
            (windows.which.start..).zip(values.iter().copied()).filter(|(_, x)| x.is_finite())
        };
        let sum = |name: &str| of(name).map(|(_, x)| x).reduce(|sum, x| sum + x);
        match fold {
            Fold::Sum(series) => sum(series),
            Fold::Max(series) => of(series).map(|(_, x)| x).reduce(f64::max),
            Fold::Mean(series) => {
                let all = of(series).map(|(window, _)| (windows.length)(window)).sum::<f64>();
                let area = of(series).map(|(window, x)| x * (windows.length)(window)).sum::<f64>();
                (all > 0.0).then(|| area / all)
            }
            Fold::Ratio(part, whole) => {
                let (part, whole) = (sum(part)?, sum(whole)?);
                (whole != 0.0).then(|| part / whole)
            }
        }
    }

    /// What follows from these windows and was not counted apart.
    pub(super) fn complete(&mut self, windows: &Windows) {
        for index in 0..self.values.0.len() {
            let value = &self.values.0[index].1;
            if let (None, Some(fold)) = (value.value, &value.of_windows) {
                self.values.0[index].1.value = self.folded(fold, windows);
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
    use crate::report::{Change, Unit, Value};

    fn folded(fold: Fold) -> Value {
        Value::default().of_windows(fold)
    }

    fn cache() -> Section {
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
            let part = cache().during(&(0..0), &Windows { which: windows, length: &length });
            part.values.iter().map(|(_, value)| value.value).collect()
        };
        assert_eq!(values(0..4), [Some(6.0 / 9.0), Some(6.0), Some(7.0), Some(12.5 / 2.5), None]);
        assert_eq!(values(1..3), [Some(5.0 / 7.0), Some(5.0), Some(7.0), Some(7.0), None]);
        // Nobody asked, so there is no ratio; beyond the end there is nothing at all.
        assert_eq!(values(3..4), [None, Some(0.0), Some(1.0), Some(1.0), None]);
        assert_eq!(values(9..12), [None; 5]);
        assert_eq!(
            cache().during(&(0..0), &Windows { which: 1..3, length: &length }).series[0].values,
            [1.0, 2.0, 3.0]
        );
    }

    #[test]
    fn what_was_counted_apart_stays() {
        let (mut cache, length) = (cache(), |_: usize| 1.0);
        cache.set("hits", 100.0);
        cache.complete(&Windows { which: 0..4, length: &length });
        let value = |name: &str| cache.values.get(name).and_then(|value| value.value);
        assert_eq!((value("hits"), value("most"), value("entries")), (Some(100.0), Some(7.0), Some(9.0)));
    }

    #[test]
    fn changes_of_a_part() {
        let change = |at| Change { at, of: 0, from: "closed".into(), to: "open".into() };
        let all =
            Section { changes: vec![change(60), change(80)], changes_unlisted: 2, ..Section::default() };
        for (from, to, listed, unlisted) in [(50, 60, 0, 0), (60, 70, 1, 0), (60, 81, 2, 2), (90, 99, 0, 2)] {
            let part = all.during(&(from..to), &Windows { which: 0..0, length: &|_| 1.0 });
            assert_eq!((part.changes.len(), part.changes_unlisted), (listed, unlisted), "{from}..{to}");
        }
    }
}
