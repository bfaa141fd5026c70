//! Parameters that make no sense are refused, and the message says what would be allowed, and where.

use sim_core::sampler::{Distribution, DistributionError};

type Made = Result<Distribution, DistributionError>;

#[test]
fn what_makes_no_sense_is_refused() {
    let one = || Distribution::constant(1.0).unwrap();
    let positive: [(&str, &dyn Fn(f64) -> Made); 12] = [
        ("mean", &Distribution::exponential),
        ("mean", &|x| Distribution::erlang(2, x)),
        ("mean", &|x| Distribution::gamma(2.0, x)),
        ("mean", &|x| Distribution::hyperexponential(&[(1.0, x)])),
        ("mean", &|x| Distribution::hyperexponential_from_cv(x, 2.0)),
        ("mean", &|x| Distribution::lognormal(x, 1.0)),
        ("median", &|x| Distribution::lognormal_from_quantiles(x, 9.0)),
        ("p99", &|x| Distribution::lognormal_from_quantiles(1.0, x)),
        ("scale", &|x| Distribution::pareto(x, 2.0)),
        ("low", &|x| Distribution::bounded_pareto(x, 9.0, 2.0)),
        ("high", &|x| Distribution::bounded_pareto(1.0, x, 2.0)),
        ("scale", &|x| Distribution::weibull(2.0, x)),
    ];
    for (parameter, make) in positive {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, -0.0] {
            let error = make(bad).unwrap_err();
            assert_eq!(error.parameter(), parameter);
            assert_eq!(error.rule(), "finite and above 0");
            assert!(
                error.to_string().ends_with(&format!("must be finite and above 0, not {bad}")),
                "{error}"
            );
        }
        assert_eq!(make(1e-101).unwrap_err().rule(), "between 1e-100 and 1e100");
    }
    let not_negative: [(&str, &dyn Fn(f64) -> Made); 5] = [
        ("value", &Distribution::constant),
        ("low", &|x| Distribution::uniform(x, 9.0)),
        ("high", &|x| Distribution::uniform(1.0, x)),
        ("value", &|x| Distribution::empirical(&[(0.0, x), (100.0, 9.0)])),
        ("weight", &|x| Distribution::mixture(vec![(x, one()), (1.0, one())])),
    ];
    for (parameter, make) in not_negative {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let error = make(bad).unwrap_err();
            assert_eq!((error.parameter(), error.rule()), (parameter, "finite and at least 0"));
        }
        assert_eq!(make(1e101).unwrap_err().rule(), "at most 1e100");
    }
    let shapes: [&dyn Fn(f64) -> Made; 4] = [
        &|x| Distribution::gamma(x, 1.0),
        &|x| Distribution::pareto(1.0, x),
        &|x| Distribution::bounded_pareto(1.0, 9.0, x),
        &|x| Distribution::weibull(x, 1.0),
    ];
    for make in shapes {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0, 0.04, 1e7] {
            let error = make(bad).unwrap_err();
            assert_eq!(error.to_string(), format!("shape must be between 0.05 and 1e6, not {bad}"));
        }
    }
}

#[test]
fn refusals_say_what_and_where() {
    let one = || Distribution::constant(1.0).unwrap();
    let good = (0.0, 1.0);
    let cases: [(Made, Option<usize>, &str); 22] = [
        (Distribution::exponential(f64::NAN), None, "mean must be finite and above 0, not NaN"),
        (Distribution::uniform(3.0, 3.0), None, "high must be above low (3), not 3"),
        (Distribution::erlang(0, 1.0), None, "k must be a whole number between 1 and 1000000, not 0"),
        (Distribution::lognormal(1.0, 0.0), None, "cv must be above 0 and at most 1e6, not 0"),
        (Distribution::lognormal(1.0, f64::NAN), None, "cv must be above 0 and at most 1e6, not NaN"),
        (Distribution::lognormal_from_quantiles(4.0, 4.0), None, "p99 must be above the median (4), not 4"),
        (
            Distribution::lognormal_from_quantiles(1.0, 2e6),
            None,
            "p99 must be at most a million medians (1), not 2000000",
        ),
        (Distribution::bounded_pareto(5.0, 4.0, 1.0), None, "high must be above low (5), not 4"),
        (Distribution::hyperexponential_from_cv(1.0, 0.9), None, "cv must be between 1 and 1e6, not 0.9"),
        (Distribution::hyperexponential(&[]), None, "the sum of probabilities must be 1, not 0"),
        (
            Distribution::hyperexponential(&[(0.5, 1.0), (0.4, 2.0)]),
            None,
            "the sum of probabilities must be 1, not 0.9",
        ),
        (
            Distribution::hyperexponential(&[(0.5, 1.0), (1.5, 2.0)]),
            Some(1),
            "probability [1] must be between 0 and 1, not 1.5",
        ),
        (
            Distribution::hyperexponential(&[(0.5, 1.0), (0.5, 0.0)]),
            Some(1),
            "mean [1] must be finite and above 0, not 0",
        ),
        (Distribution::mixture(vec![]), None, "weights must be above 0 for at least one part, not 0 for all"),
        (
            Distribution::mixture(vec![(0.0, one())]),
            None,
            "weights must be above 0 for at least one part, not 0 for all",
        ),
        (
            Distribution::mixture(vec![(1.0, one()), (-1.0, one())]),
            Some(1),
            "weight [1] must be finite and at least 0, not -1",
        ),
        (Distribution::empirical(&[good]), None, "points must be two or more, from 0 to 100 percent, not 1"),
        (
            Distribution::empirical(&[(1.0, 1.0), (100.0, 2.0)]),
            Some(0),
            "percent [0] must be 0 at the first point, not 1",
        ),
        (
            Distribution::empirical(&[good, (99.0, 2.0)]),
            Some(1),
            "percent [1] must be 100 at the last point, not 99",
        ),
        (
            Distribution::empirical(&[good, (50.0, 2.0), (50.0, 3.0), (100.0, 4.0)]),
            Some(2),
            "percent [2] must be above the one before (50), not 50",
        ),
        (
            Distribution::empirical(&[good, (50.0, 2.0), (90.0, 1.5), (100.0, 4.0)]),
            Some(2),
            "value [2] must be at least the one before (2), not 1.5",
        ),
        (
            Distribution::empirical(&[good, (f64::NAN, 2.0), (100.0, 4.0)]),
            Some(1),
            "percent [1] must be between 0 and 100, not NaN",
        ),
    ];
    for (made, index, message) in cases {
        let error = made.unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.index(), index, "{message}");
    }
}

/// The caller's unit is not ours: nothing but the whole message holds a length.
#[test]
fn rules_hold_no_values() {
    let error = Distribution::lognormal_from_quantiles(5e6, 4e6).unwrap_err();
    assert_eq!((error.parameter(), error.rule()), ("p99", "above the median"));
    assert_eq!(error.to_string(), "p99 must be above the median (5000000), not 4000000");
}
