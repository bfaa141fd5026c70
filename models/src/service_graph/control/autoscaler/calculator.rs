//! How many replicas would bring a figure to its target: Kubernetes' `replica_calculator.go`.
//!
//! Replicas of which nothing is known are taken for what speaks against doing anything: on the way up those that are not ready yet, or
//! whose figure is missing, count as idle; on the way down those that are not ready are left out, and those whose figure is missing
//! count as fully busy. If that turns the direction round, or leaves it within the tolerance, nothing is done.

/// What is known of one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Its figure.
    Of(f64),
    /// It starts, or has not been ready for long enough.
    Unready,
    /// It should have one.
    Missing,
}

/// By a figure that each replica has, as utilisation; none if nothing is known of any.
pub fn by_mean(readings: &[Reading], target: f64, tolerance: f64) -> Option<u32> {
    let count = |what: Reading| readings.iter().filter(|reading| **reading == what).count();
    let (unready, missing) = (count(Reading::Unready), count(Reading::Missing));
    let known = readings.iter().filter_map(|reading| match reading {
        Reading::Of(figure) => Some(*figure),
        Reading::Unready | Reading::Missing => None,
    });
    let (sum, number) = known.fold((0.0, 0), |(sum, number), figure| (sum + figure, number + 1));
    let current = readings.len() as u32;
    if number == 0 {
        return None;
    }
    let ratio = sum / number as f64 / target;
    let counts_unready = unready > 0 && ratio > 1.0;
    if !counts_unready && missing == 0 {
        return Some(if is_near(ratio, tolerance) { current } else { whole(ratio * number as f64) });
    }
    let missing_ones = if ratio < 1.0 { missing as f64 * target.max(1.0) } else { 0.0 };
    // Where it is just right nothing is said of those that are missing.
    let all = number + if ratio == 1.0 { 0 } else { missing } + if counts_unready { unready } else { 0 };
    let then = (sum + missing_ones) / all as f64 / target;
    let turns = (ratio < 1.0 && then > 1.0) || (ratio > 1.0 && then < 1.0);
    if is_near(then, tolerance) || turns {
        return Some(current);
    }
    let wanted = whole(then * all as f64);
    let turns = (then < 1.0 && wanted > current) || (then > 1.0 && wanted < current);
    Some(if turns { current } else { wanted })
}

/// By a figure of all of them together, so much of which is right for each.
pub fn by_total(total: f64, current: u32, each: f64, tolerance: f64) -> u32 {
    if is_near(total / (each * f64::from(current)), tolerance) { current } else { whole(total / each) }
}

fn is_near(ratio: f64, tolerance: f64) -> bool {
    (1.0 - ratio).abs() <= tolerance
}

/// Rounded up; what is a whole number but for the last digits is that.
fn whole(replicas: f64) -> u32 {
    (replicas - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: Reading = Reading::Unready;
    const M: Reading = Reading::Missing;

    fn of(figure: u32) -> Reading {
        Reading::Of(f64::from(figure) / 1_000.0)
    }

    /// The cases of Kubernetes' own tests (`replica_calculator_test.go`), in thousandths of a processor.
    #[test]
    fn as_kubernetes_tests_it() {
        let row = |figures: &[u32]| figures.iter().map(|figure| of(*figure)).collect::<Vec<_>>();
        for (name, readings, target, wanted) in [
            ("ScaleUp", row(&[300, 500, 700]), 0.3, 5),
            ("ScaleUpUnreadyLessScale", vec![U, of(500), of(700)], 0.3, 4),
            ("ScaleUpUnreadyNoScale", vec![of(400), U, U], 0.3, 3),
            ("ScaleUpIgnoresDeletionPods", row(&[500, 700]), 0.3, 4),
            ("ScaleDown", row(&[100, 300, 500, 250, 250]), 0.5, 3),
            ("ScaleDownIgnoreHotCpuPods", vec![of(100), of(300), of(500), U, U], 0.5, 2),
            ("ScaleDownExcludeUnscheduledPods", vec![of(100), U, U, U, U], 0.5, 1),
            ("Tolerance", row(&[1_010, 1_030, 1_020]), 1.0, 3),
            ("MissingMetrics", vec![of(400), of(95), M, M], 1.0, 3),
            ("MissingMetricsNoChangeEq", vec![of(1_000), M], 1.0, 2),
            ("MissingMetricsNoChangeGt", vec![of(1_900), M], 1.0, 2),
            ("MissingMetricsNoChangeLt", vec![of(600), M], 1.0, 2),
            ("MissingMetricsUnreadyChange", vec![U, of(450), M], 0.5, 3),
            ("MissingMetricsUnreadyScaleUp", vec![U, of(2_000), M], 0.5, 4),
            ("MissingMetricsUnreadyScaleDown", vec![U, of(100), of(100), M], 0.5, 3),
        ] {
            assert_eq!(by_mean(&readings, target, 0.1), Some(wanted), "TestReplicaCalc{name}");
        }
        assert_eq!(by_mean(&[U, M], 0.5, 0.1), None, "nothing is known");
        for (name, total, current, each, wanted) in [
            ("ScaleUpCMPerPodObject", 20_000.0, 3, 5_000.0, 4),
            ("ScaleUpPerPodCMExternal", 8_600.0, 3, 2_150.0, 4),
            ("ScaleDownPerPodCMExternal", 8_600.0, 5, 2_867.0, 3),
            ("ScaleDownPerPodCMObject", 6_000.0, 5, 2_000.0, 3),
            ("TolerancePerPodCMObject", 20_166.0, 4, 5_000.0, 4),
            ("TolerancePerPodCMExternal", 8_600.0, 3, 2_900.0, 3),
        ] {
            assert_eq!(by_total(total, current, each, 0.1), wanted, "TestReplicaCalc{name}");
        }
    }

    /// One at 70 % is two at 35 %; and two at 35 % of 60 are two: `2 x 35 / 60` is more than one.
    #[test]
    fn what_it_does_it_does_not_take_back() {
        assert_eq!(by_mean(&[of(700)], 0.6, 0.1), Some(2));
        assert_eq!(by_mean(&[of(350), of(350)], 0.6, 0.1), Some(2));
        // Those that start are idle, and then it is near enough.
        assert_eq!(by_mean(&[of(1_000), of(1_000), U, U], 0.48, 0.1), Some(4));
        // Less than a tenth off is near enough.
        assert_eq!(by_mean(&[of(659)], 0.6, 0.1), Some(1));
        assert_eq!(by_mean(&[of(661)], 0.6, 0.1), Some(2));
        assert_eq!(by_total(0.0, 4, 1.0, 0.1), 0);
    }
}
