//! Numbers for people: three significant digits, thousands apart, and `-` where there is nothing to say.

use crate::text::Style;
use sim_core::{SimDuration, math};
use sim_models::report::{Cell, Metric, Unit};

/// What stands for a number that does not exist.
pub const NOTHING: &str = "-";

/// A whole number, all of its digits: `1 234 567`.
pub fn count(n: u64) -> String {
    group(&n.to_string())
}

/// A whole number that only has to be imagined: `2.1 M`.
pub fn compact(n: u64) -> String {
    match n {
        0..10_000 => count(n),
        10_000..1_000_000 => format!("{:.0} k", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", n as f64 / 1e6),
        _ => format!("{:.1} G", n as f64 / 1e9),
    }
}

/// Three significant digits: `0.0123`, `2.98`, `12 300`; whole numbers below a million in full; `-` for
/// what is no number.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return NOTHING.into();
    }
    let size = x.abs();
    if size == 0.0 {
        return "0".into();
    }
    if size < 1e6 && x.fract() == 0.0 {
        return group(&format!("{x:.0}"));
    }
    if !(1e-4..1e12).contains(&size) {
        return shorten(&format!("{x:.2e}"));
    }
    // The exponent after rounding to three digits: 9.996 is 10.0.
    let exponent: i32 = exponent(size);
    let decimals = (2 - exponent).max(0) as usize;
    let rounded = if exponent > 2 {
        let step = math::pow(10.0, f64::from(exponent - 2));
        (x / step).round() * step
    } else {
        x
    };
    let text = format!("{rounded:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { group(&text) }
}

fn exponent(size: f64) -> i32 {
    let written = format!("{size:.2e}");
    written.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).expect("scientific notation")
}

/// `1.20e-7` as `1.2e-7`.
fn shorten(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').expect("scientific notation");
    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

fn group(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A share as a percentage: `71 %`, `99.9 %`, `0.05 %`. Only a whole is `100 %`, only nothing is `0 %`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NOTHING.into();
    }
    let percent = share * 100.0;
    if share != 0.0 && percent.abs() < 0.0005 {
        return format!("{}0.001 %", if percent < 0.0 { "> -" } else { "< " });
    }
    if share < 1.0 && percent > 99.5 {
        // As many digits as it takes to see that it is not everything.
        for decimals in 1..=4 {
            let text = format!("{percent:.decimals$}");
            if !text.starts_with("100") {
                return format!("{} %", text.trim_end_matches('0').trim_end_matches('.'));
            }
        }
        return "> 99.999 %".into();
    }
    format!("{} %", number(percent))
}

/// A share among others, to one per cent: `71 %`, `0.3 %`.
pub fn roughly(share: f64) -> String {
    match share * 100.0 {
        x if (0.0..0.05).contains(&x) && share > 0.0 => "< 0.1 %".into(),
        x if x < 0.95 => format!("{x:.1} %"),
        x if x < 99.5 => format!("{x:.0} %"),
        _ => percent(share),
    }
}

/// A number to the digits that its standard error leaves meaningful: two of the error's.
pub fn to_the_digit(x: f64, error: f64) -> String {
    if !(x.is_finite() && error.is_finite() && error > 0.0) {
        return number(x);
    }
    let decimals = (1 - exponent(error)).clamp(0, 9) as usize;
    let text = format!("{x:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.is_empty() { group(whole) } else { format!("{}.{fraction}", group(whole)) }
}

/// A number to two significant digits.
pub fn two_digits(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let step = math::pow(10.0, f64::from(exponent(x.abs()) - 1));
    (x / step).round() * step
}

/// Per second: `1 000/s`.
pub fn rate(per_second: f64) -> String {
    let text = number(per_second);
    if text == NOTHING { text } else { text + "/s" }
}

/// Nanoseconds, to three digits: `12.3 ms`.
pub fn duration(ns: u64) -> String {
    SimDuration::from_nanos(ns).brief()
}

/// Nanoseconds that need be neither whole nor positive: means, differences.
pub fn nanos(ns: f64) -> String {
    if !ns.is_finite() {
        return NOTHING.into();
    }
    let size = SimDuration::from_nanos_f64(ns.abs());
    if ns < 0.0 && !size.is_zero() { format!("-{}", size.brief()) } else { size.brief() }
}

/// A number with its unit.
pub fn of(x: f64, unit: Unit) -> String {
    match unit {
        Unit::Duration if x == f64::INFINITY => LONGER.into(),
        Unit::Duration => nanos(x),
        Unit::Rate => rate(x),
        Unit::Share => percent(x),
        Unit::Bytes => bytes(x),
        Unit::Plain => number(x),
    }
}

/// A response time that a percentile of all calls has where more than the others were not answered.
pub const LONGER: &str = "longer than any answer";

/// A mean and half its interval in one unit, both to the digits that the interval leaves meaningful:
/// `11.8 ± 1.9 s`.
pub fn plus_minus(mean: f64, half: f64, unit: Unit, style: Style) -> String {
    if !(mean.is_finite() && half.is_finite()) {
        return of(mean, unit);
    }
    let (scale, suffix) = match unit {
        Unit::Duration => time_scale(mean.abs().max(half)),
        Unit::Share => (0.01, " %"),
        Unit::Rate => (1.0, "/s"),
        Unit::Bytes => byte_scale(mean.abs().max(half)),
        Unit::Plain => (1.0, ""),
    };
    let (mean, half) = (mean / scale, half / scale);
    // An interval of next to nothing does not ask for more than four digits: of a share that is almost all, of what is left.
    let left = 100.0 - mean;
    let size = if unit == Unit::Share && left > 0.0 { left.min(mean.abs()) } else { mean.abs() };
    let least = math::pow(10.0, f64::from(exponent(size.max(1e-9))) - 2.0);
    let digits = half.max(least);
    let (mean, half) = match half {
        0.0 => (number(mean), "0".into()),
        _ => (to_the_digit(mean, digits), to_the_digit(half, digits)),
    };
    format!("{mean} {} {half}{suffix}", style.pick("±", "+-"))
}

/// Bytes, to three digits, in the units that memory is bought in: `1.5 MiB`.
pub fn bytes(x: f64) -> String {
    let (scale, suffix) = byte_scale(x.abs());
    let text = number(x / scale);
    if text == NOTHING { text } else { text + suffix }
}

/// Bytes in the unit that so many are told in, and its name.
fn byte_scale(bytes: f64) -> (f64, &'static str) {
    const UNITS: [&str; 5] = [" B", " KiB", " MiB", " GiB", " TiB"];
    // What would be told as 1 000 of one is one of the next, as good as.
    let place = (1..UNITS.len()).rev().find(|&place| bytes >= 999.5 * scale(place - 1)).unwrap_or(0);
    (scale(place), UNITS[place])
}

fn scale(place: usize) -> f64 {
    (1u64 << (10 * place)) as f64
}

/// Nanoseconds in the unit that a time of this size is told in, and its name.
fn time_scale(ns: f64) -> (f64, &'static str) {
    match ns {
        0.0 => (1e9, " s"),
        ns if ns < 999.5 => (1.0, " ns"),
        ns if ns < 999.5e3 => (1e3, " us"),
        ns if ns < 999.5e6 => (1e6, " ms"),
        ns if ns < 119.95e9 => (1e9, " s"),
        ns if ns < 119.95 * 60e9 => (60e9, " min"),
        _ => (3600e9, " h"),
    }
}

/// A difference: as [`of`], with its sign, and shares in percentage points (`pp`).
pub fn difference(x: f64, unit: Unit) -> String {
    let text = match unit {
        Unit::Share if x.is_finite() => format!("{} pp", number(x * 100.0)),
        _ => of(x, unit),
    };
    if x > 0.0 && !text.starts_with(['<', '>']) && text != NOTHING { format!("+{text}") } else { text }
}

/// What a report states, in words.
pub fn metric(metric: Metric) -> String {
    match metric {
        Metric::Truth(true) => "yes".into(),
        Metric::Truth(false) => "no".into(),
        Metric::Number(x, unit) => of(x, unit),
        Metric::Absent => NOTHING.into(),
    }
}

/// What is there, or `-`.
pub fn or_nothing<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.into(), show)
}

/// One cell of a model's own table.
pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Count(n) => count(*n),
        Cell::Number(x) => number(*x),
        Cell::Text(text) => super::clean(text),
        Cell::Empty(()) => String::new(),
    }
}

/// How far a measured value is from the exact one, relative where that means anything.
pub fn off_by(measured: f64, exact: f64) -> String {
    let off = measured - exact;
    match exact {
        _ if !off.is_finite() => NOTHING.into(),
        0.0 => number(off),
        _ => {
            let text = percent(off / exact.abs());
            if off > 0.0 && !text.starts_with('<') { format!("+{text}") } else { text }
        }
    }
}

/// Twelve significant digits: 0.1 + 0.2 is 0.3.
pub(crate) fn tidy(x: f64) -> String {
    format!("{x:.11e}").parse::<f64>().expect("a number").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_as_memory_is_bought() {
        let table = [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1000.0, "0.977 KiB"),
            (33_554_432.0, "32 MiB"),
            (750e6, "715 MiB"),
        ];
        for (x, told) in table {
            assert_eq!(of(x, Unit::Bytes), told);
        }
        assert_eq!(plus_minus(2.5e9, 2e8, Unit::Bytes, Style::default()), "2.33 ± 0.19 GiB");
        assert_eq!(difference(1024.0, Unit::Bytes), "+1 KiB");
    }

    #[test]
    fn three_digits_and_thousands_apart() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (2.984, "2.98"),
            (9.996, "10"),
            (99.95, "100"),
            (999.6, "1 000"),
            (1000.0, "1 000"),
            (12_345.0, "12 345"),
            (12_345.6, "12 300"),
            (-1_234_567.0, "-1 230 000"),
            (0.012_34, "0.0123"),
            (0.1, "0.1"),
            (1.2e-7, "1.2e-7"),
            (3.456e13, "3.46e13"),
            (f64::NAN, "-"),
            (f64::NEG_INFINITY, "-"),
        ] {
            assert_eq!(number(x), text, "{x}");
        }
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1 000", "1 234 567"].map(String::from)
        );
    }

    #[test]
    fn only_a_whole_is_a_hundred_percent() {
        for (share, text) in [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.713, "71.3 %"),
            (0.999, "99.9 %"),
            (0.999_87, "99.99 %"),
            (0.999_99, "99.999 %"),
            (0.999_999_9, "> 99.999 %"),
            (0.000_001, "< 0.001 %"),
            (0.000_5, "0.05 %"),
            (2.5, "250 %"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(percent(share), text, "{share}");
        }
    }

    #[test]
    fn units_signs_and_absence() {
        assert_eq!(of(1_234_000.0, Unit::Duration), "1.23 ms");
        assert_eq!(nanos(-2e9), "-2 s");
        assert_eq!(difference(0.123, Unit::Share), "+12.3 pp");
        assert_eq!(difference(-5e6, Unit::Duration), "-5 ms");
        assert_eq!(difference(0.0, Unit::Plain), "0");
        assert_eq!(
            [0.713, 0.0031, 0.999, 1e-5].map(roughly),
            ["71 %", "0.3 %", "99.9 %", "< 0.1 %"].map(String::from)
        );
        assert_eq!(to_the_digit(0.500_321, 0.000_51), "0.50032");
        assert_eq!(to_the_digit(12_345.678, 25.0), "12 346");
        assert_eq!(to_the_digit(0.5, 0.0), "0.5");
        let style = Style::default();
        assert_eq!(plus_minus(11.83e9, 1.897e9, Unit::Duration, style), "11.8 ± 1.9 s");
        assert_eq!(plus_minus(0.973, 0.0143, Unit::Share, style), "97.3 ± 1.4 %");
        assert_eq!(plus_minus(0.999_877, 0.000_031, Unit::Share, style), "99.9877 ± 0.0031 %");
        assert_eq!(plus_minus(0.999_999_6, 2e-9, Unit::Share, style), "99.99996000 ± 0.00000020 %");
        assert_eq!(plus_minus(1.0, 1e-9, Unit::Share, style), "100.0 ± 0.0 %");
        assert_eq!(plus_minus(2.98, 0.0248, Unit::Plain, style), "2.980 ± 0.025");
        assert_eq!(plus_minus(2.98, 1e-9, Unit::Plain, style), "2.980 ± 0.000");
        assert_eq!(plus_minus(1000.0, 0.0, Unit::Rate, style), "1 000 ± 0/s");
        assert_eq!(plus_minus(-4.2e6, 12e6, Unit::Duration, style), "-4 ± 12 ms");
        assert_eq!([654.4e6, 604e6, 99.9, 0.0].map(two_digits), [650e6, 600e6, 100.0, 0.0]);
        assert_eq!(rate(f64::NAN), "-");
        assert_eq!(metric(Metric::Absent), "-");
        assert_eq!(metric(Metric::Truth(false)), "no");
        assert_eq!(or_nothing(None, count), "-");
        assert_eq!(cell(&Cell::Text("a\u{1b}b".into())), "a\\u{1b}b");
    }
}
