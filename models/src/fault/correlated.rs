//! Failures that are not independent: several that fail together, and what they share.
//!
//! *A domain* is what several share: a rack, a power feed, a switch, a name server, a deploy pipeline. It fails as one, and
//! takes with it whatever it holds, of whichever service. That is the cause; written down it needs no coefficient.
//!
//! *A correlation* is what is said where the cause is not known. One number is used for three different things
//! ([`Together`](crate::theory::Together)): the share of the downtime that is common to all, which is the beta factor of reliability
//! engineering; the correlation of being down, of any two; and that of normal numbers behind it. Under the last two it is drawn for all at once who is down, at
//! random times, such that each is up and down for the exponential times that are written: so it is the state that is correlated, as it is defined, and not
//! the moment of failing alone.

use super::{Affected, Effect, FailureSpec, pages};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::theory::{Together, beta_shape, copula_given};
use sim_core::Words;
use sim_core::math::normal_quantile;

spec! {
    /// Whether several fail together, and in which sense; from 0, by themselves, to 1, as one.
    #[derive(Copy, PartialEq)]
    pub enum Correlation {
        /// Each by itself.
        Independent,
        /// This share of the time for which each is down, all are (Fleming 1975).
        BetaFactor(share: f64; 0.0..=1.0),
        /// The coefficient of correlation of being down, of any two.
        Pearson(coefficient: f64; 0.0..=1.0),
        /// The same of normal numbers, each of which is below a threshold while its replica is down (Li 2000).
        GaussianCopula(coefficient: f64; 0.0..=1.0),
    }
}

spec! {
    /// What several share, and what fails as one.
    pub struct DomainSpec where check {
        /// What it holds: services, or some of their replicas.
        holds: Vec<HeldSpec>; Len(1..=10_000),
        /// How long it is up before it fails: the time to failure.
        every: TimeDistribution; POSITIVE,
        /// How long it is down: the time to repair.
        r#for: TimeDistribution; POSITIVE,
        /// What that does to what it holds.
        effect: Effect = Effect::Crash { callers: super::CrashStyle::Reset },
    }
}

spec! {
    /// Something that a domain holds.
    pub struct HeldSpec {
        /// A service; for the network an edge, or a service for all edges into it.
        on: Spanned<String>,
        /// Which of its replicas.
        replicas: Affected = Affected::All,
    }
}

fn check(domain: &DomainSpec, at: &Node, cx: &mut Decoder) {
    super::random::check_means(&domain.every, &domain.r#for, at, cx);
}

impl Correlation {
    /// What that is on paper. Nothing of anything is each by itself, all of it in whatever sense is all as one.
    pub fn law(self) -> Together {
        match self {
            Correlation::Independent => Together::Independent,
            Correlation::BetaFactor(0.0) | Correlation::Pearson(0.0) | Correlation::GaussianCopula(0.0) => {
                Together::Independent
            }
            Correlation::BetaFactor(share) => Together::BetaFactor(share),
            Correlation::Pearson(1.0) | Correlation::GaussianCopula(1.0) => Together::BetaFactor(1.0),
            Correlation::Pearson(rho) => Together::Pearson(rho),
            Correlation::GaussianCopula(rho) => Together::GaussianCopula(rho),
        }
    }

    /// Whether it is a sense that has exponential times only.
    pub fn needs_no_memory(self) -> bool {
        matches!(self, Correlation::Pearson(_) | Correlation::GaussianCopula(_))
    }
}

impl Part for Correlation {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        let what = match self {
            Correlation::Independent => return None,
            Correlation::BetaFactor(share) => format!("beta factor {share}"),
            Correlation::Pearson(rho) => format!("correlation {rho}"),
            Correlation::GaussianCopula(rho) => format!("Gaussian copula {rho}"),
        };
        Some(what)
    }

    fn about() -> &'static [Page] {
        pages::CORRELATION
    }

    fn samples() -> &'static [&'static str] {
        &["Independent", "BetaFactor(0.5)", "Pearson(0.5)", "GaussianCopula(0.5)"]
    }
}

/// What several share, as a setting to be read about: the one that makes it fail.
pub struct Shared;

impl Part for Shared {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn about() -> &'static [Page] {
        pages::DOMAINS
    }

    fn samples() -> &'static [&'static str] {
        &["\"1h\"", "Exponential(mean: \"300ms\")"]
    }
}

impl DomainSpec {
    /// The share of the time for which it is down in the long run, if that is known.
    pub fn down_share(&self) -> Option<f64> {
        super::random::down_share(&self.every, &self.r#for)
    }
}

impl FailureSpec {
    /// The share of the time for which so many of so many are down, if that is known.
    pub fn down(&self, units: u32) -> Option<Vec<f64>> {
        Some(self.correlation.law().down(units, self.down_share()?))
    }
}

/// Who of so many is down, each for a share `p` of the time, from the words of each number; those at `units` are of all.
pub fn drawn<W: Words>(law: Together, p: f64, units: u32, mut words: impl FnMut(u32) -> W) -> Vec<bool> {
    let mut down = 0u32;
    let (a, b) = match law {
        Together::Pearson(rho) => beta_shape(p, rho),
        _ => (0.0, 0.0),
    };
    let common = match law {
        Together::GaussianCopula(rho) => copula_given(p, rho, normal_quantile(words(units).open_unit())),
        _ => 0.0,
    };
    let one = |number: u32| {
        let chance = match law {
            // An urn from which each drawn is put back with another of its kind (Polya): what a probability drawn for all comes to.
            Together::Pearson(_) => (a + f64::from(down)) / (a + b + f64::from(number)),
            Together::GaussianCopula(_) => common,
            Together::Independent | Together::BetaFactor(_) => p,
        };
        let is_down = words(number).unit() < chance;
        down += u32::from(is_down);
        is_down
    };
    (0..units).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Key, Streams};

    /// How many are down at once, drawn 200,000 times, is what it should be in each sense.
    #[test]
    fn as_many_are_down_as_the_law_says() {
        let mut luck = Streams::new(1).luck("test", "correlated");
        let (n, p, times) = (4, 0.2, 200_000);
        for law in [Together::Pearson(0.6), Together::GaussianCopula(0.6), Together::Pearson(0.1)] {
            let mut found = vec![0u32; n as usize + 1];
            let mut each = vec![0u32; n as usize];
            for time in 0..times {
                let root = Key::root(7, time);
                let down = drawn(law, p, n, |number| luck.at(root.child(u64::from(number))));
                found[down.iter().filter(|is_down| **is_down).count()] += 1;
                each.iter_mut().zip(&down).for_each(|(sum, is_down)| *sum += u32::from(*is_down));
            }
            for (down, chance) in law.down(n, p).into_iter().enumerate() {
                let (share, sd) =
                    (f64::from(found[down]) / times as f64, (chance * (1.0 - chance) / times as f64).sqrt());
                assert!((share - chance).abs() < 4.5 * sd, "{law:?}: {down} down {share}, not {chance}");
            }
            // No one is down more often than another.
            assert!(each.iter().all(|down| (f64::from(*down) / times as f64 - p).abs() < 0.005), "{each:?}");
        }
    }
}
