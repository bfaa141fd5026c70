//! The samplers against what they must never cease to be (known answers), against their own exact
//! distribution functions, and against two independent libraries.

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use rand_distr::Distribution as _;
use sim_core::digest::Digester;
use sim_core::sampler::{Distribution, DistributionError, standard_exponential, standard_normal};
use sim_core::{Draw, Key, Stream, Streams, Words, math};
use statrs::distribution::{Continuous, ContinuousCDF};

type Made = Result<Distribution, DistributionError>;

/// One or more of each family, with easy and hard parameters, and whether it has a density (no atoms).
fn families() -> Vec<(&'static str, Distribution, bool)> {
    let exponential = Distribution::exponential(3.0).unwrap();
    let uniform = Distribution::uniform(5.0, 9.0).unwrap();
    let constant = Distribution::constant(4.0).unwrap();
    let all: [(&'static str, Made, bool); 23] = [
        ("constant", Distribution::constant(7.5), false),
        ("uniform", Distribution::uniform(2.0, 5.0), true),
        ("exponential", Distribution::exponential(1e7), true),
        ("erlang 1", Distribution::erlang(1, 2.0), true),
        ("erlang 4", Distribution::erlang(4, 10.0), true),
        ("gamma 0.05", Distribution::gamma(0.05, 1.0), true),
        ("gamma 0.5", Distribution::gamma(0.5, 1e6), true),
        ("gamma 2.5", Distribution::gamma(2.5, 3.0), true),
        ("gamma 1000", Distribution::gamma(1000.0, 3.0), true),
        ("hyperexponential", Distribution::hyperexponential(&[(0.9, 1.0), (0.1, 20.0)]), true),
        ("hyperexponential cv 2", Distribution::hyperexponential_from_cv(10.0, 2.0), true),
        ("lognormal cv 0.1", Distribution::lognormal(10.0, 0.1), true),
        ("lognormal cv 2", Distribution::lognormal(10.0, 2.0), true),
        ("lognormal p99", Distribution::lognormal_from_quantiles(4e6, 20e6), true),
        ("pareto 1.5", Distribution::pareto(2.0, 1.5), true),
        ("pareto 5", Distribution::pareto(2.0, 5.0), true),
        ("bounded pareto", Distribution::bounded_pareto(1.0, 1000.0, 1.1), true),
        ("weibull 0.5", Distribution::weibull(0.5, 2.0), true),
        ("weibull 3", Distribution::weibull(3.0, 2.0), true),
        ("mixture", Distribution::mixture(vec![(3.0, exponential.clone()), (1.0, uniform)]), true),
        ("mixture with an atom", Distribution::mixture(vec![(0.2, constant), (0.8, exponential)]), false),
        (
            "empirical",
            Distribution::empirical(&[(0.0, 1.0), (50.0, 4.0), (90.0, 9.0), (99.0, 30.0), (100.0, 90.0)]),
            true,
        ),
        (
            "empirical with an atom",
            Distribution::empirical(&[(0.0, 0.0), (30.0, 2.0), (70.0, 2.0), (100.0, 3.0)]),
            false,
        ),
    ];
    all.map(|(name, made, density)| (name, made.unwrap(), density)).into()
}

fn stream(name: &str) -> Stream {
    Streams::new(20_240_501).stream("samplers", name)
}

fn draw(name: &str, ordinal: u64) -> Draw {
    Streams::new(1).luck("samplers", name).at(Key::root(7, ordinal))
}

fn draws(name: &str, distribution: &Distribution, count: usize) -> Vec<f64> {
    let mut words = stream(name);
    (0..count).map(|_| distribution.sample(&mut words)).collect()
}

/// Four addressed draws, bit for bit, and the digest of 20,000 sequential ones, which pass through every
/// rare branch.
fn known_answer(name: &str, mut sample: impl FnMut(&mut dyn Words) -> f64) -> [u64; 5] {
    let mut answer = [0; 5];
    for (ordinal, bits) in answer[..4].iter_mut().enumerate() {
        *bits = sample(&mut draw(name, ordinal as u64)).to_bits();
    }
    let mut words = stream(name);
    let mut digest = Digester::new(0);
    (0..20_000).for_each(|_| digest.word(sample(&mut words).to_bits()));
    answer[4] = digest.finish();
    answer
}

#[test]
fn known_answers() {
    let mut answers = vec![
        ("standard exponential", known_answer("standard exponential", |words| standard_exponential(words))),
        ("standard normal", known_answer("standard normal", |words| standard_normal(words))),
    ];
    for (name, distribution, _) in families() {
        answers.push((name, known_answer(name, |words| distribution.sample(words))));
    }
    let lines = answers.iter().map(|(name, answer)| {
        let words: Vec<String> = answer.iter().map(|word| format!("{word:#018x}")).collect();
        format!("    ({name:?}, [{}]),\n", words.join(", "))
    });
    let source: String = lines.collect();
    assert!(answers == KNOWN, "a frozen sampler gives other values; now they are\n{source}");
}

#[rustfmt::skip]
const KNOWN: [(&str, [u64; 5]); 25] = [
    ("standard exponential", [0x3f79200d1dd97866, 0x3ff701d4a26523df, 0x3ff4eff94fe5f84c, 0x3fe452fc25d1f339, 0x852e57b02b0fe609]),
    ("standard normal", [0x3fe60d9befecc66a, 0x3fae1614c2c83b37, 0x3fec5e37b8ccb4b2, 0xbfc175d84e00ffc6, 0x60b8b8c5835052bc]),
    ("constant", [0x401e000000000000, 0x401e000000000000, 0x401e000000000000, 0x401e000000000000, 0x37fb53a776758a2f]),
    ("uniform", [0x40126d8003c41a10, 0x4000f0bb0060e2a4, 0x4009e4773b79ef63, 0x40095b2472b6c38c, 0x198f6229b299eb2d]),
    ("exponential", [0x4169b3750b6ac5b5, 0x41350acc5f50fc67, 0x4147409983131c6c, 0x415309cac26cd570, 0x3cb400415b3fd971]),
    ("erlang 1", [0x40052baf9c1dc157, 0x400f15dbfed1afd9, 0x400297a013773683, 0x4004a0be329fb167, 0xd3b16d6d9a23ca68]),
    ("erlang 4", [0x4034dc038653ec2d, 0x40168df90b6f2a24, 0x4023174db3965456, 0x402491fb13d33bf0, 0x57661ef5bd8331c2]),
    ("gamma 0.05", [0x3e66796e3cdb35f3, 0x3f053788b4925c02, 0x3fc0e16b733661d8, 0x3f0fd7d10f1a1de9, 0x69b2d8c192e5aa95]),
    ("gamma 0.5", [0x4042b4eb409fc7ac, 0x4131f9c287e6bae0, 0x41305c935e380dec, 0x412288991638bd02, 0x3b12eeb1357adbb4]),
    ("gamma 2.5", [0x40095dbc1a22d213, 0x3ff935a8ea0fe9c4, 0x4007e1b667ba7188, 0x3fe5c481bc84ef4d, 0xc509924e5063fb03]),
    ("gamma 1000", [0x400839df406eac9f, 0x4006d710b8547db2, 0x400745cf4e97dcc3, 0x4007707dd7a9de86, 0x8a06abd0dfa80913]),
    ("hyperexponential", [0x3fe40ade40e0b14b, 0x400222fb6128f7a7, 0x3fdcd09a6e3b94d9, 0x400006516cfbcdc5, 0xe0d9330b1c780d90]),
    ("hyperexponential cv 2", [0x406009e6cb3ac743, 0x3fe56c0e90539035, 0x404043f9e3eb988c, 0x400ba235e8dcf6f7, 0xd9af310d8f41edc3]),
    ("lognormal cv 0.1", [0x40240e1e90b38684, 0x40259e767bb6935c, 0x401e8cb235cce7a7, 0x4022a25e184cd247, 0xaf94cdda5b5c8824]),
    ("lognormal cv 2", [0x40048e53971b485a, 0x3ffb642102bdf7dd, 0x4027eb39ec021c9f, 0x401085a9f4fd9b30, 0xdfc847cf9265c31f]),
    ("lognormal p99", [0x4162509e7057b3aa, 0x414a1e79942304fa, 0x41535bec94112d82, 0x4155bdc165dbd6c0, 0xc529c0e795ac486b]),
    ("pareto 1.5", [0x4013a8ef78d90225, 0x4004285b508a9dea, 0x40220b92abb3fa65, 0x40056c33bbad5ac8, 0x0b79ddde171c8417]),
    ("pareto 5", [0x40022ff962bf6d8e, 0x40045619bd6f4b22, 0x4005f87e4510405c, 0x4000a0027758a7b3, 0x0ccb4432de552c13]),
    ("bounded pareto", [0x4019e7faf2500e52, 0x4034f1adc892fc12, 0x3ff35ddf6a528697, 0x4010d1383cd0b28d, 0x8b3bbe956a9c16de]),
    ("weibull 0.5", [0x3fe6f0c00c5bd356, 0x3fd6f568fe318dc4, 0x4002900a9df24696, 0x3fecf442e856e54e, 0x60b138c521eb02c4]),
    ("weibull 3", [0x3fe92f59f9abefbd, 0x3ffd6c1651e6c21e, 0x3fec0b210139d9cd, 0x3ffd386f71305c32, 0x7bf5d72d6e2346f4]),
    ("mixture", [0x3ffed8905e857c57, 0x401518145518e813, 0x400e13215d87cb6f, 0x4021f5a648ff61f8, 0xf8625553296b8879]),
    ("mixture with an atom", [0x3fff144001b4a3d0, 0x4010000000000000, 0x3fdcca434e51e806, 0x3fc4d5b7b3ffa16d, 0x6c01d03577ad5224]),
    ("empirical", [0x4007dc7b689b6553, 0x401584fc31017fbd, 0x4004e28c8ad5092c, 0x4021200d2673fe06, 0x6b475c80ff1d5759]),
    ("empirical with an atom", [0x3ffc31ee6990c3cb, 0x4000000000000000, 0x400562959ef1cfa8, 0x4000000000000000, 0xafe3cb27155f3e22]),
];

/// The largest distance between the sample's distribution and `cdf`, times sqrt(n) (Kolmogorov, Smirnov).
fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = |(i, &x): (usize, &f64)| {
        let p = cdf(x);
        f64::max((i as f64 + 1.0) / n - p, p - i as f64 / n)
    };
    sample.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// As [`ks`], between two samples of equal size: scaled so that the same critical value holds.
fn ks_two(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (mut i, mut j, mut widest) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        if a[i] < b[j] {
            i += 1
        } else {
            j += 1
        }
        widest = widest.max(i.abs_diff(j));
    }
    widest as f64 / (2.0 * a.len() as f64).sqrt()
}

/// Kolmogorov's distribution passes this with probability 0.001. Seeds are fixed: a test fails always or never.
const KS_CRITICAL: f64 = 1.9495;

#[test]
fn draws_follow_the_exact_cdf() {
    for (name, distribution, _) in families().into_iter().filter(|(_, _, density)| *density) {
        let distance = ks(draws(name, &distribution, 200_000), |x| distribution.cdf(x));
        assert!(distance < KS_CRITICAL, "{name}: {distance}");
    }
}

#[test]
fn atoms_have_their_probability() {
    for (name, value, probability) in
        [("mixture with an atom", 4.0, 0.2), ("empirical with an atom", 2.0, 0.4)]
    {
        let (_, distribution, _) = families().into_iter().find(|family| family.0 == name).unwrap();
        let n = 200_000;
        let hits = draws(name, &distribution, n).iter().filter(|x| **x == value).count() as f64;
        let error = (probability * (1.0 - probability) / n as f64).sqrt();
        assert!((hits / n as f64 - probability).abs() < 4.0 * error, "{name}: {hits} of {n}");
        let jump = distribution.cdf(value) - distribution.cdf(value * (1.0 - 1e-15));
        assert!((jump - probability).abs() < 1e-12, "{name}: the cdf jumps by {jump}");
    }
}

/// A million draws see the tail, the edges of the strips and the symmetry.
#[test]
fn the_ziggurat_is_exact_far_out() {
    let n = 1_000_000;
    let mut words = stream("far");
    let normals: Vec<f64> = (0..n).map(|_| standard_normal(&mut words)).collect();
    let exponentials: Vec<f64> = (0..n).map(|_| standard_exponential(&mut words)).collect();
    let within = |sample: &[f64], beyond: &dyn Fn(f64) -> bool, p: f64, what: &str| {
        let hits = sample.iter().filter(|x| beyond(**x)).count() as f64;
        let (expected, error) = (n as f64 * p, (n as f64 * p).sqrt());
        assert!((hits - expected).abs() < 4.0 * error, "{what}: {hits} instead of {expected}");
    };
    for x in [2.0, 3.0, 3.6, 3.7, 4.0, 4.4] {
        within(&normals, &|z| z > x, math::normal_cdf(-x), "normal above");
        within(&normals, &|z| z < -x, math::normal_cdf(-x), "normal below");
    }
    for x in [3.0, 7.0, 7.6, 7.8, 9.0, 11.0] {
        within(&exponentials, &|e| e > x, math::exp(-x), "exponential above");
    }
    assert!(ks(normals, math::normal_cdf) < KS_CRITICAL);
    assert!(ks(exponentials, |x| -math::exp_m1(-x)) < KS_CRITICAL);
}

#[test]
fn draws_agree_with_rand_distr() {
    let n = 100_000;
    let mut generator = ChaCha8Rng::seed_from_u64(9);
    let mut check = |name: &str, ours: Made, theirs: &dyn Fn(&mut ChaCha8Rng) -> f64| {
        let theirs = (0..n).map(|_| theirs(&mut generator)).collect();
        let distance = ks_two(draws(name, &ours.unwrap(), n), theirs);
        assert!(distance < KS_CRITICAL, "{name}: {distance}");
    };
    let exponential = rand_distr::Exp::new(0.1).unwrap();
    check("exponential", Distribution::exponential(10.0), &|rng| exponential.sample(rng));
    let gamma = rand_distr::Gamma::new(2.5, 4.0).unwrap();
    check("gamma 2.5", Distribution::gamma(2.5, 10.0), &|rng| gamma.sample(rng));
    let gamma = rand_distr::Gamma::new(0.3, 10.0).unwrap();
    check("gamma 0.3", Distribution::gamma(0.3, 3.0), &|rng| gamma.sample(rng));
    let lognormal = rand_distr::LogNormal::from_mean_cv(10.0, 1.5).unwrap();
    check("lognormal", Distribution::lognormal(10.0, 1.5), &|rng| lognormal.sample(rng));
    let pareto = rand_distr::Pareto::new(3.0, 1.2).unwrap();
    check("pareto", Distribution::pareto(3.0, 1.2), &|rng| pareto.sample(rng));
    let weibull = rand_distr::Weibull::new(2.0, 0.7).unwrap();
    check("weibull", Distribution::weibull(0.7, 2.0), &|rng| weibull.sample(rng));
}

fn assert_close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} and {theirs}");
}

#[test]
fn moments_and_cdfs_agree_with_statrs() {
    fn check<T>(name: &str, ours: Made, theirs: T)
    where
        T: ContinuousCDF<f64, f64> + Continuous<f64, f64> + statrs::statistics::Distribution<f64>,
    {
        let ours = ours.unwrap();
        assert_close(ours.mean(), theirs.mean().unwrap_or(f64::INFINITY), 1e-9, name);
        if let Some(variance) = theirs.variance() {
            assert_close(ours.variance(), variance, 1e-9, name);
        }
        for p in [1e-6, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0 - 1e-6] {
            let x = ours.quantile(p);
            assert_close(ours.cdf(x), theirs.cdf(x), 1e-9, name);
            assert_close(theirs.cdf(x), p, 1e-9, name);
        }
    }
    use statrs::distribution::{Erlang, Exp, Gamma, LogNormal, Pareto, Uniform, Weibull};
    check("uniform", Distribution::uniform(2.0, 5.0), Uniform::new(2.0, 5.0).unwrap());
    check("exponential", Distribution::exponential(4.0), Exp::new(0.25).unwrap());
    check("erlang", Distribution::erlang(4, 10.0), Erlang::new(4, 0.4).unwrap());
    check("gamma 0.5", Distribution::gamma(0.5, 10.0), Gamma::new(0.5, 0.05).unwrap());
    check("gamma 2.5", Distribution::gamma(2.5, 10.0), Gamma::new(2.5, 0.25).unwrap());
    check("gamma 70", Distribution::gamma(70.0, 10.0), Gamma::new(70.0, 7.0).unwrap());
    check("pareto", Distribution::pareto(2.0, 2.5), Pareto::new(2.0, 2.5).unwrap());
    check("weibull 0.7", Distribution::weibull(0.7, 2.0), Weibull::new(0.7, 2.0).unwrap());
    check("weibull 3", Distribution::weibull(3.0, 2.0), Weibull::new(3.0, 2.0).unwrap());
    let sigma = math::ln(5.0) / math::normal_quantile(0.99);
    check(
        "lognormal",
        Distribution::lognormal_from_quantiles(4.0, 20.0),
        LogNormal::new(math::ln(4.0), sigma).unwrap(),
    );
    let sigma2 = math::ln_1p(2.25);
    check(
        "lognormal by cv",
        Distribution::lognormal(10.0, 1.5),
        LogNormal::new(math::ln(10.0) - 0.5 * sigma2, sigma2.sqrt()).unwrap(),
    );
}

#[test]
fn moments_are_what_was_asked_for() {
    let close = |made: Made, mean: f64, cv2: f64| {
        let made = made.unwrap();
        assert_close(made.mean(), mean, 1e-12, "mean");
        assert_close(made.cv2(), cv2, 1e-12, "cv2");
    };
    close(Distribution::constant(0.0), 0.0, 0.0);
    close(Distribution::exponential(3.0), 3.0, 1.0);
    close(Distribution::erlang(4, 3.0), 3.0, 0.25);
    close(Distribution::lognormal(3.0, 1.5), 3.0, 2.25);
    for cv in [1.0, 1.001, 2.0, 30.0, 1e6] {
        close(Distribution::hyperexponential_from_cv(3.0, cv), 3.0, cv * cv);
    }
    close(Distribution::empirical(&[(0.0, 0.0), (100.0, 6.0)]), 3.0, 1.0 / 3.0);
    let p99 = Distribution::lognormal_from_quantiles(4e6, 20e6).unwrap();
    assert_eq!(p99.quantile(0.5), 4e6);
    assert_close(p99.quantile(0.99), 20e6, 1e-14, "p99");
    let pareto = |shape| Distribution::pareto(1.0, shape).unwrap();
    assert_eq!(
        (pareto(1.0).mean(), pareto(1.0).variance(), pareto(1.0).cv2()),
        (f64::INFINITY, f64::INFINITY, f64::INFINITY)
    );
    assert_eq!((pareto(2.0).mean(), pareto(2.0).variance()), (2.0, f64::INFINITY));
    let heavy =
        Distribution::mixture(vec![(1.0, pareto(0.9)), (0.0, pareto(0.5)), (9.0, pareto(3.0))]).unwrap();
    assert_eq!((heavy.mean(), heavy.variance()), (f64::INFINITY, f64::INFINITY));
}

#[test]
fn bounded_pareto_moments_have_no_holes() {
    let (low, high) = (2.0_f64, 300.0_f64);
    let made = |shape| Distribution::bounded_pareto(low, high, shape).unwrap();
    // Where the textbook's formula has no singularity.
    for a in [0.5, 1.5, 3.0] {
        let inside = 1.0 - math::pow(low / high, a);
        let moment = |n: f64| {
            a * math::pow(low, a) / (inside * (a - n)) * (math::pow(low, n - a) - math::pow(high, n - a))
        };
        assert_close(made(a).mean(), moment(1.0), 1e-12, "mean");
        assert_close(made(a).variance(), moment(2.0) - moment(1.0) * moment(1.0), 1e-12, "variance");
    }
    for hole in [1.0, 2.0] {
        for near in [hole - 1e-13, hole + 1e-13] {
            assert_close(made(hole).mean(), made(near).mean(), 1e-11, "mean");
            assert_close(made(hole).variance(), made(near).variance(), 1e-11, "variance");
        }
    }
    assert!(Distribution::bounded_pareto(1e-100, 1e100, 0.05).unwrap().variance().is_finite());
}

#[test]
fn sample_moments_are_within_four_standard_errors() {
    for (name, distribution, _) in families() {
        // Without a finite fourth moment a sample's variance says nothing about its own error.
        if ["pareto 1.5", "constant"].contains(&name) {
            continue;
        }
        let sample = draws(name, &distribution, 200_000);
        let n = sample.len() as f64;
        let (mean, variance) = (distribution.mean(), distribution.variance());
        let moment = |k| sample.iter().map(|x| math::powi(x - mean, k)).sum::<f64>() / n;
        let error = (variance / n).sqrt();
        assert!(moment(1).abs() < 4.0 * error, "{name}: mean off by {} errors", moment(1) / error);
        let error = ((moment(4) - moment(2) * moment(2)) / n).sqrt();
        let off = (moment(2) - variance) / error;
        assert!(off.abs() < 4.0, "{name}: variance off by {off} errors");
    }
}

/// To 1e-12, and to what a neighbouring argument gives: a quantile is no better than its probability.
fn assert_inverse(name: &str, distribution: &Distribution, x: f64) {
    let p = distribution.cdf(x);
    let back = distribution.quantile(p);
    let (low, high) = (distribution.quantile(p * (1.0 - 1e-14)), distribution.quantile(p * (1.0 + 1e-14)));
    assert!((back - x).abs() <= 1e-12 * x + (high - low), "{name}: the quantile of cdf({x}) = {p} is {back}");
}

#[test]
fn quantiles_invert_cdfs() {
    for (name, distribution, density) in families() {
        assert_eq!(distribution.quantile(0.0), distribution.min(), "{name}");
        assert_eq!(distribution.quantile(1.0), distribution.max(), "{name}");
        assert_eq!(distribution.cdf(distribution.max()), 1.0, "{name}");
        assert_eq!(distribution.cdf(-1.0), 0.0, "{name}");
        let mut before = distribution.min();
        for p in [1e-9, 1e-6, 0.001, 0.01, 0.1, 0.25, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0 - 1e-6] {
            let x = distribution.quantile(p);
            assert!(x >= before, "{name}: quantile({p}) falls from {before} to {x}");
            before = x;
            if density {
                let near = distribution.cdf(x * (1.0 + 1e-15)) - distribution.cdf(x * (1.0 - 1e-15));
                let off = (distribution.cdf(x) - p).abs();
                assert!(off <= 1e-12 * p + near, "{name}: the cdf of quantile({p}) is off by {off}");
                assert_inverse(name, &distribution, x);
            } else {
                assert!(distribution.cdf(x) >= p - 1e-12, "{name}: cdf(quantile({p}))");
                assert!(distribution.cdf(x * (1.0 - 1e-9)) <= p, "{name}: quantile({p}) is not the least");
            }
        }
        if density {
            draws(name, &distribution, 200).into_iter().for_each(|x| assert_inverse(name, &distribution, x));
        }
    }
}

/// Words that begin with one of our choice.
struct After(Option<u64>, Draw);

impl Words for After {
    fn next_u64(&mut self) -> u64 {
        self.0.take().unwrap_or_else(|| self.1.next_u64())
    }
}

#[test]
fn every_sample_is_finite_and_in_the_support() {
    let mut extreme = families();
    for (name, made) in [
        ("heaviest pareto", Distribution::pareto(1e100, 0.05)),
        ("heaviest weibull", Distribution::weibull(0.05, 1e100)),
        ("widest lognormal", Distribution::lognormal_from_quantiles(1e94, 1e100)),
        ("widest bounded pareto", Distribution::bounded_pareto(1e-100, 1e100, 0.05)),
        ("narrowest uniform", Distribution::uniform(1.0, 1.0 + f64::EPSILON)),
        ("steadiest gamma", Distribution::gamma(1e6, 1e-100)),
    ] {
        extreme.push((name, made.unwrap(), true));
    }
    for (name, distribution, _) in extreme {
        let (low, high) = (distribution.min(), distribution.max());
        let check = |x: f64| assert!(x.is_finite() && x >= low && x <= high, "{name}: {x}");
        draws(name, &distribution, 20_000).into_iter().for_each(check);
        for layer in 0..256 {
            for place in [0, 1, 1 << 52, (1 << 52) - 1, (1 << 53) - 1] {
                check(distribution.sample(&mut After(Some(place << 11 | layer), draw(name, layer))));
            }
        }
    }
}
