//! What was measured: a table of percentiles.

use super::Family;
use super::checks::{DistributionError, not_negative};
use crate::stream::Words;

/// A quantile function through given points, linear between them. Equal neighbouring values are an atom.
#[derive(Clone, Debug, PartialEq)]
pub struct Empirical {
    points: Box<[Point]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Point {
    /// The probability of a value of at most `value`.
    p: f64,
    value: f64,
}

impl Empirical {
    pub(super) fn new(table: &[(f64, f64)]) -> Result<Self, DistributionError> {
        if table.len() < 2 {
            return Err(DistributionError::new("points", "two or more, from 0 to 100 percent", table.len()));
        }
        let last = table.len() - 1;
        for (index, &(percent, value)) in table.iter().enumerate() {
            let refuse =
                |parameter, rule, found: f64| DistributionError::new(parameter, rule, found).at(index);
            if index == 0 && percent != 0.0 {
                return Err(refuse("percent", "0 at the first point", percent));
            }
            if !(0.0..=100.0).contains(&percent) {
                return Err(refuse("percent", "between 0 and 100", percent));
            }
            if index == last && percent != 100.0 {
                return Err(refuse("percent", "100 at the last point", percent));
            }
            not_negative("value", value).map_err(|error| error.at(index))?;
            if index == 0 {
                continue;
            }
            let (percent_before, value_before) = table[index - 1];
            if percent <= percent_before {
                return Err(refuse("percent", "above the one before", percent).with(percent_before));
            }
            if value < value_before {
                return Err(refuse("value", "at least the one before", value).with(value_before));
            }
        }
        Ok(Empirical {
            points: table.iter().map(|&(percent, value)| Point { p: percent / 100.0, value }).collect(),
        })
    }

    /// The sum over the segments of its probability times `part(low, high)`.
    fn sum(&self, part: impl Fn(f64, f64) -> f64) -> f64 {
        self.points.windows(2).map(|ends| (ends[1].p - ends[0].p) * part(ends[0].value, ends[1].value)).sum()
    }
}

impl Family for Empirical {
    fn mean(&self) -> f64 {
        self.sum(|low, high| 0.5 * (low + high))
    }
    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.sum(|low, high| {
            let (low, high) = (low - mean, high - mean);
            (low * low + low * high + high * high) / 3.0
        })
    }
    fn min(&self) -> f64 {
        self.points[0].value
    }
    fn max(&self) -> f64 {
        self.points[self.points.len() - 1].value
    }
    fn cdf(&self, x: f64) -> f64 {
        let above = self.points.partition_point(|point| point.value <= x);
        let (low, high) = (&self.points[above - 1], &self.points[above]);
        low.p + (x - low.value) / (high.value - low.value) * (high.p - low.p)
    }
    #[inline]
    fn quantile(&self, p: f64) -> f64 {
        let above = self.points.partition_point(|point| point.p < p).max(1);
        let (low, high) = (&self.points[above - 1], &self.points[above]);
        (low.value + (p - low.p) / (high.p - low.p) * (high.value - low.value)).min(high.value)
    }
    #[inline]
    fn sample<W: Words + ?Sized>(&self, words: &mut W) -> f64 {
        self.quantile(words.unit())
    }
}
