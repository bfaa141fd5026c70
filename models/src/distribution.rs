//! Distributions of time as a user writes them: `Exponential(mean: "10ms")`, or `"5ms"` for a constant.

use crate::experiment::{Decode, Decoder, Node, Positive, Rule, TypeDoc};
use sim_core::sampler::{Distribution, DistributionError};
use sim_core::{SimDuration, Words};

spec! {
    /// How long something takes. A plain duration is a constant.
    #[derive(PartialEq)]
    pub enum TimeSpec {
        /// Always the same.
        Constant(value: SimDuration),
        /// Anything between two values, all equally likely.
        Uniform {
            /// The shortest.
            low: SimDuration,
            /// The longest.
            high: SimDuration,
        },
        /// Memoryless: cv 1.
        Exponential {
            /// Mean.
            mean: SimDuration,
        },
        /// The sum of `k` exponentials: cv 1/sqrt(k).
        Erlang {
            /// Stages.
            k: u32; 1..=10_000,
            /// Mean of the sum.
            mean: SimDuration,
        },
        /// Between Erlang's stages: cv 1/sqrt(shape).
        Gamma {
            /// Shape.
            shape: f64,
            /// Mean.
            mean: SimDuration,
        },
        /// A mixture of two exponentials with balanced means: cv at least 1.
        HyperExponential {
            /// Mean.
            mean: SimDuration,
            /// Coefficient of variation (standard deviation over mean), at least 1.
            cv: f64,
        },
        /// What most service times look like. Give `mean` and `cv`, or `median` and `p99`.
        LogNormal {
            /// Mean.
            mean: Option<SimDuration> = None,
            /// Coefficient of variation (standard deviation over mean).
            cv: Option<f64> = None,
            /// Half are below.
            median: Option<SimDuration> = None,
            /// 99 % are below.
            p99: Option<SimDuration> = None,
        },
        /// A heavy tail: P(X > x) = (scale/x)^shape. The mean is infinite for shapes up to 1.
        Pareto {
            /// The shortest.
            scale: SimDuration,
            /// Tail index.
            shape: f64,
        },
        /// A heavy tail that ends.
        BoundedPareto {
            /// The shortest.
            low: SimDuration,
            /// The longest.
            high: SimDuration,
            /// Tail index.
            shape: f64,
        },
        /// P(X > x) = exp(-(x/scale)^shape).
        Weibull {
            /// Shape: below 1 heavier than exponential, above 1 lighter.
            shape: f64,
            /// Scale.
            scale: SimDuration,
        },
        /// One of several, by weight.
        Mixture(parts: Vec<Weighted>),
        /// A percentile table from 0 to 100, linear in between.
        Empirical(points: Vec<Point>),
    }
}

spec! {
    /// A point of a percentile table.
    #[derive(PartialEq)]
    pub struct Point {
        /// So many percent ..
        percent: f64; 0.0..=100.0,
        /// .. are at or below.
        value: SimDuration,
    }
}

spec! {
    /// A part of a mixture.
    #[derive(PartialEq)]
    pub struct Weighted {
        /// Its share, relative to the others.
        weight: f64,
        /// What it is.
        of: TimeDistribution,
    }
}

/// A distribution of time: what was written, and what draws nanoseconds.
#[derive(Clone, Debug)]
pub struct TimeDistribution {
    /// What was written.
    pub spec: TimeSpec,
    /// In nanoseconds.
    pub nanos: Distribution,
}

impl PartialEq for TimeDistribution {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl TimeDistribution {
    /// Always `value`.
    pub fn constant(value: SimDuration) -> Self {
        let nanos = Distribution::constant(value.as_nanos() as f64).expect("a duration is a valid constant");
        TimeDistribution { spec: TimeSpec::Constant(value), nanos }
    }

    /// Memoryless with this mean, which must be longer than 0.
    pub fn exponential(mean: SimDuration) -> Self {
        let nanos =
            Distribution::exponential(mean.as_nanos() as f64).expect("a duration above 0 is a valid mean");
        TimeDistribution { spec: TimeSpec::Exponential { mean }, nanos }
    }

    /// One of them, rounded to the nanosecond.
    #[inline]
    pub fn sample(&self, words: &mut impl Words) -> SimDuration {
        SimDuration::drawn(self.nanos.sample(words))
    }

    /// The only value it can take, if it is a constant.
    pub fn fixed(&self) -> Option<SimDuration> {
        match self.spec {
            TimeSpec::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is memoryless.
    pub fn is_exponential(&self) -> bool {
        matches!(self.spec, TimeSpec::Exponential { .. })
    }

    /// The longest it can take, if there is a longest.
    pub fn longest(&self) -> Option<SimDuration> {
        let longest = self.nanos.max();
        longest.is_finite().then(|| SimDuration::from_nanos_f64(longest))
    }

    /// The mean; the longest duration if it is infinite.
    pub fn mean(&self) -> SimDuration {
        SimDuration::from_nanos_f64(self.nanos.mean())
    }
}

/// A duration in the unit of the samplers.
fn ns(duration: &SimDuration) -> f64 {
    duration.as_nanos() as f64
}

fn sampler(spec: &TimeSpec) -> Result<Distribution, Refused> {
    let refuse = |message: &str| Err(Refused::Words(message.into()));
    Ok(match spec {
        TimeSpec::Constant(value) => Distribution::constant(ns(value))?,
        TimeSpec::Uniform { low, high } => Distribution::uniform(ns(low), ns(high))?,
        TimeSpec::Exponential { mean } => Distribution::exponential(ns(mean))?,
        TimeSpec::Erlang { k, mean } => Distribution::erlang(*k, ns(mean))?,
        TimeSpec::Gamma { shape, mean } => Distribution::gamma(*shape, ns(mean))?,
        TimeSpec::HyperExponential { mean, cv } => Distribution::hyperexponential_from_cv(ns(mean), *cv)?,
        TimeSpec::LogNormal { mean: Some(mean), cv: Some(cv), median: None, p99: None } => {
            Distribution::lognormal(ns(mean), *cv)?
        }
        TimeSpec::LogNormal { mean: None, cv: None, median: Some(median), p99: Some(p99) } => {
            Distribution::lognormal_from_quantiles(ns(median), ns(p99))?
        }
        TimeSpec::LogNormal { .. } => return refuse("give `mean` and `cv`, or `median` and `p99`"),
        TimeSpec::Pareto { scale, shape } => Distribution::pareto(ns(scale), *shape)?,
        TimeSpec::BoundedPareto { low, high, shape } => {
            Distribution::bounded_pareto(ns(low), ns(high), *shape)?
        }
        TimeSpec::Weibull { shape, scale } => Distribution::weibull(*shape, ns(scale))?,
        TimeSpec::Mixture(parts) => {
            Distribution::mixture(parts.iter().map(|part| (part.weight, part.of.nanos.clone())).collect())?
        }
        TimeSpec::Empirical(points) => {
            let points: Vec<_> = points.iter().map(|point| (point.percent, ns(&point.value))).collect();
            Distribution::empirical(&points)?
        }
    })
}

/// On average more than nothing.
impl Rule<TimeDistribution> for Positive {
    fn check(&self, value: &TimeDistribution) -> Result<(), String> {
        Rule::<SimDuration>::check(self, &value.mean())
    }
    fn allowed(&self) -> String {
        Rule::<SimDuration>::allowed(self)
    }
}

enum Refused {
    Words(String),
    Parameter(DistributionError),
}

impl From<DistributionError> for Refused {
    fn from(error: DistributionError) -> Self {
        Refused::Parameter(error)
    }
}

impl Decode for TimeDistribution {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let spec = match node.is_text() {
            true => TimeSpec::Constant(SimDuration::decode(node, cx)?),
            false => TimeSpec::decode(node, cx)?,
        };
        match sampler(&spec) {
            Ok(nanos) => Some(TimeDistribution { spec, nanos }),
            Err(Refused::Words(message)) => {
                cx.error(node.span, message);
                None
            }
            Err(Refused::Parameter(error)) => {
                let name = error.parameter();
                // The sampler speaks of nanoseconds; the file of durations.
                let message = format!("{name} must be {}", error.rule());
                match error.index().and_then(|index| Some((index, node.part(0)?.part(index)?))) {
                    Some((index, point)) => {
                        let place = point.get(name).unwrap_or(point).span;
                        cx.at_index(index, |cx| cx.at(name, |cx| _ = cx.error(place, message)));
                    }
                    None => _ = cx.error(node.get(name).map_or(node.span, |node| node.span), message),
                }
                None
            }
        }
    }

    fn encode(&self) -> Node {
        match &self.spec {
            TimeSpec::Constant(value) => value.encode(),
            spec => spec.encode(),
        }
    }

    fn describe() -> TypeDoc {
        TimeSpec::describe()
    }
}
