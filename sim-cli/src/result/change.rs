//! What a variant does, in one sentence: what it comes to, what clearly differs from the other, by how much,
//! and on how many seeds.

use crate::result::column::{Column, NEARLY_ALL, heads};
use crate::result::effect::{AS_MANY, Effect};
use crate::result::estimate::Measured;
use crate::text::Style;
use crate::text::number::{
    NOTHING, count, difference, number, of, percent, plus_minus, roughly, to_the_digit,
};
use sim_models::report::Unit;

/// Metrics in one sentence.
pub const MOST_SAID: usize = 5;
/// A ratio from here on is told as "2x higher", one nearer to 1 as "+37 %".
const TOLD_AS_RATIO: f64 = 1.5;
/// A difference below this share of the larger value is not worth a word, however clear.
pub const TOO_SMALL: f64 = 0.005;
/// Below this all shares of what is better rare are alike.
const TRIFLE: f64 = 1e-3;
/// Where nearly all are served, who is lost is told: if at least so many are here or there, and by so much fewer.
const FEWEST_LOST: f64 = 1e-4;
const FEWER_LOST: f64 = 0.2;
/// What is told as "from -> to" even though it has a ratio: people know these by their values.
const BY_VALUE: [&str; 1] = ["amplification"];

/// Which of these effects a sentence tells: what is clear and large enough to matter, and of two that tell the
/// same the more telling. Whether it recovers and when is told by the verdict. What looks better because fewer are served is told
/// only where there is nothing else to tell.
pub fn told(metrics: &[Column], effects: &[Effect]) -> Vec<usize> {
    let flattered = |column: &usize| effects[*column].is_flattered(metrics[*column].less_is_better);
    let all = worth_telling(metrics, effects, &|_| true);
    if all.iter().all(flattered) {
        all
    } else {
        worth_telling(metrics, effects, &|column| !flattered(column))
    }
}

fn worth_telling(metrics: &[Column], effects: &[Effect], counts: &dyn Fn(&usize) -> bool) -> Vec<usize> {
    let tells = |column: &usize| {
        let effect = &effects[*column];
        let matters = matters(effect) || lost(&metrics[*column], effect).is_some();
        (effect.clear || effect.is_all_or_none())
            && matters
            && !is_trifle(&metrics[*column], effect)
            && counts(column)
    };
    let said = |path: &str| metrics.iter().position(|metric| metric.path == path).is_some_and(|c| tells(&c));
    // Of machines that fail, the share of calls that are served is that of the time in which somebody serves.
    let told_again = |column: usize| {
        let same = |other: usize| {
            effects[other].from == effects[column].from && effects[other].to == effects[column].to
        };
        let shares = |other: &usize| *other != column && metrics[*other].unit == Unit::Share;
        (0..effects.len()).filter(shares).filter(tells).any(same)
    };
    let p99 = || metrics.iter().position(|metric| metric.short && last(&metric.path) == "p99");
    (0..effects.len())
        .filter(tells)
        .filter(|&column| match metrics[column].path.as_str() {
            "recovered" | "time_to_recover" => false,
            "success" => !said("goodput") && !told_again(column),
            path if metrics[column].short && last(path) == "p50" => !p99().is_some_and(|c| tells(&c)),
            _ => true,
        })
        .collect()
}

/// Shared luck makes differences clear that nobody would care for.
pub fn matters(effect: &Effect) -> bool {
    let (Some(from), Some(to)) = (effect.from, effect.to) else { return false };
    if from.is_infinite() || to.is_infinite() {
        return from != to;
    }
    (to - from).abs() >= TOO_SMALL * from.abs().max(to.abs())
}

/// A share of next to nothing that is another next to nothing: what of the work was wasted, 0.0057 % or 0.0061 %.
fn is_trifle(metric: &Column, effect: &Effect) -> bool {
    metric.unit == Unit::Share
        && metric.path != "success"
        && effect.from.into_iter().chain(effect.to).all(|share| share.abs() < TRIFLE)
}

/// The share of calls that were lost, there and here, where these clearly differ although nearly all were served: of 0.1 % and none
/// one pages somebody.
fn lost(metric: &Column, effect: &Effect) -> Option<(f64, f64)> {
    let success = effect.from.zip(effect.to).filter(|_| metric.path == "success" && !matters(effect));
    let (from, to) = success.map(|(from, to)| (1.0 - from, 1.0 - to))?;
    let most = from.max(to);
    (most >= FEWEST_LOST && (to - from).abs() >= FEWER_LOST * most).then_some((from, to))
}

/// The effects in words: `p99 4.2x lower (3.9 to 4.6), amplification 2.9 -> 1.1; better on all 10 seeds`. Nothing
/// where there are too few seeds to tell.
pub fn effects(metrics: &[Column], effects: &[Effect], seeds: Option<Seedwise>) -> String {
    let told = told(metrics, effects);
    if told.is_empty() {
        let clear: Vec<usize> = (0..effects.len()).filter(|&column| effects[column].clear).collect();
        return match clear.as_slice() {
            [] if effects.iter().any(Effect::can_tell) => "no clear difference".into(),
            // A truth that changed clearly has been told by the verdict.
            clear if clear.iter().any(|&column| matters(&effects[column])) => String::new(),
            [] => String::new(),
            _ => format!("no clear difference above {}", percent(TOO_SMALL)),
        };
    }
    let heads = heads(metrics);
    let tell = |&column: &usize| match lost(&metrics[column], &effects[column]) {
        Some((from, to)) => format!("lost {} -> {}", of(from, Unit::Share), of(to, Unit::Share)),
        None => {
            let each = if effects[column].clear { "" } else { " on each seed" };
            format!("{} {}{each}", heads[column], change(&metrics[column], &effects[column]))
        }
    };
    // What goes the other way comes last, after a "but": than what users get, or else than what differs most.
    let better = |column: usize| effects[column].is_better(metrics[column].less_is_better);
    let of_users = |column: &&usize| ["goodput", "success"].contains(&metrics[**column].path.as_str());
    let most = told
        .iter()
        .copied()
        .filter(|&column| better(column).is_some())
        .reduce(|a, b| if times(&effects[b]) > times(&effects[a]) { b } else { a });
    let direction = told.iter().find(of_users).copied().or(most).and_then(better);
    let (with, against): (Vec<usize>, Vec<usize>) =
        told.iter().partition(|&&column| better(column).is_none_or(|better| Some(better) == direction));
    let list = |columns: &[usize]| -> String {
        let mut parts: Vec<String> = columns.iter().take(MOST_SAID).map(tell).collect();
        if columns.len() > MOST_SAID {
            parts.push(format!("and {} more", columns.len() - MOST_SAID));
        }
        parts.join(", ")
    };
    let mut sentence = list(&with);
    if !against.is_empty() {
        sentence += &format!(", but {}", list(&against));
    }
    if let Some(words) = seeds.and_then(Seedwise::words) {
        sentence += &format!("; {words}");
    }
    sentence
}

/// How many times as large it is as it was, or was as it is: without end where one of them is nothing.
fn times(effect: &Effect) -> f64 {
    let (from, to) = (effect.from.unwrap_or(0.0).abs(), effect.to.unwrap_or(0.0).abs());
    if from == to { 1.0 } else { from.max(to) / from.min(to) }
}

/// On how many seeds everything that is told went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seedwise {
    /// Nothing worse, something better.
    pub better: u64,
    /// Nothing better, something worse.
    pub worse: u64,
    /// Seeds that both were run on.
    pub of: u64,
}

impl Seedwise {
    /// Of what a sentence tells, and of whether it recovered: `to` and `from` hold each metric's values, seed by
    /// seed. None where nothing of it is better or worse, or the samples are independent.
    pub fn of(
        metrics: &[Column],
        effects: &[Effect],
        to: &[Vec<Measured>],
        from: &[Vec<Measured>],
    ) -> Option<Self> {
        let mut columns = told(metrics, effects);
        if effects.iter().any(|effect| effect.pairs.is_none()) {
            return None;
        }
        // Those are told by the verdict.
        let by_verdict = |c: &usize| ["recovered", "time_to_recover"].contains(&metrics[*c].path.as_str());
        columns.extend(
            (0..effects.len()).filter(by_verdict).filter(|&c| effects[c].clear && matters(&effects[c])),
        );
        columns.retain(|&column| {
            let direction = metrics[column].less_is_better;
            direction.is_some() && !effects[column].is_flattered(direction)
        });
        let seeds = columns.iter().map(|&column| to[column].len().min(from[column].len())).max()?;
        let mut seedwise = Seedwise { of: seeds as u64, ..Seedwise::default() };
        for seed in 0..seeds {
            let difference = |column: &usize| {
                let (a, b) = (to[*column].get(seed)?.order()?, from[*column].get(seed)?.order()?);
                let (a, b) = if metrics[*column].less_is_better == Some(true) { (b, a) } else { (a, b) };
                Some(if a == b { 0.0 } else { a - b })
            };
            let differences: Vec<f64> = columns.iter().filter_map(difference).collect();
            let (up, down) = (differences.iter().any(|d| *d > 0.0), differences.iter().any(|d| *d < 0.0));
            seedwise.better += u64::from(up && !down);
            seedwise.worse += u64::from(down && !up);
        }
        Some(seedwise)
    }

    fn words(self) -> Option<String> {
        let on = |n: u64| {
            if n == self.of { format!("all {n} seeds") } else { format!("{n} of {} seeds", self.of) }
        };
        match self {
            Seedwise { better: 0, worse: 0, .. } => None,
            Seedwise { better, worse, .. } if better >= worse => Some(format!("better on {}", on(better))),
            Seedwise { worse, .. } => Some(format!("worse on {}", on(worse))),
        }
    }
}

/// Percentiles are known to that share of themselves: see `LatencyHistogram`.
const RESOLUTION: f64 = 1e-3;
/// Below this share of themselves numbers differ by how they were added up.
pub const ROUNDING: f64 = 1e-9;
/// From this many seeds on an interval is shown however wide it is.
const FEW: u64 = 4;

/// A difference with its sign and interval, shares in percentage points. `~0` where two percentiles differ by less than a
/// histogram tells apart; `unclear` where few seeds leave an interval wider than either number.
pub fn minus(metric: &Column, effect: &Effect, style: Style) -> String {
    let Some(mean) = effect.difference else { return NOTHING.into() };
    let largest = effect.from.map_or(0.0, f64::abs).max(effect.to.map_or(0.0, f64::abs));
    // What is left of equal numbers when they are added in another order.
    let rounding = ROUNDING * largest;
    let half = effect.half_width.unwrap_or(0.0);
    if (mean != 0.0 || half > 0.0) && mean.abs() <= rounding && half <= rounding {
        return "~0".into();
    }
    let is_percentile =
        last(&metric.path).strip_prefix('p').is_some_and(|digits| digits.parse::<f64>().is_ok());
    if is_percentile && metric.unit == Unit::Duration && mean != 0.0 && mean.abs() <= RESOLUTION * largest {
        return "~0".into();
    }
    let text = match (effect.half_width, metric.unit) {
        (Some(half), _) if half > largest && effect.pairs.is_some_and(|pairs| pairs < FEW) => {
            return "unclear".into();
        }
        (None, unit) => difference(mean, unit),
        (Some(half), Unit::Share) => plus_minus(mean * 100.0, half * 100.0, Unit::Plain, style) + " pp",
        (Some(half), unit) => plus_minus(mean, half, unit, style),
    };
    if mean > 0.0 && !text.starts_with('+') { format!("+{text}") } else { text }
}

/// By how much: `4.2x lower (3.9 to 4.6)`, `+37 % (36 to 38)`, `2.9 -> 1.1`.
pub fn change(metric: &Column, effect: &Effect) -> String {
    let few = |(from, to): &(f64, f64)| from.min(*to) < NEARLY_ALL && (from - to).abs() > AS_MANY;
    let of_whom = effect.answered.filter(few).map_or(String::new(), |(from, to)| {
        format!(" of the {} that ended well instead of {}", roughly(to), roughly(from))
    });
    let fewer = effect.served.filter(|_| effect.serves_fewer() && effect.is_flattered(metric.less_is_better));
    let serving = fewer.map_or(String::new(), |served| format!(" where {}", fewer_served(served)));
    format!("{}{of_whom}{serving}", by_how_much(metric, effect))
}

/// How many are served, there and here: `40 % of calls are served instead of 96 %`.
pub fn fewer_served((from, to): (f64, f64)) -> String {
    match from.max(to) <= 1.0 + AS_MANY {
        true => format!("{} of calls are served instead of {}", roughly(to), roughly(from)),
        false => format!("{} are served instead of {}", of(to, Unit::Rate), of(from, Unit::Rate)),
    }
}

fn by_how_much(metric: &Column, effect: &Effect) -> String {
    let by_value = matches!(metric.unit, Unit::Plain | Unit::Share | Unit::Bytes)
        || BY_VALUE.contains(&last(&metric.path));
    // Where it may as well be less as more, how many times is no answer.
    let sure = effect.ratio_interval.filter(|(low, high)| *low > 1.0 || *high < 1.0);
    let (Some(ratio), Some((low, high)), false) = (effect.ratio, sure, by_value) else {
        let show = |x: Option<f64>| x.map_or_else(|| "-".into(), |x| of(x, metric.unit));
        return format!("{} -> {}", show(effect.from), show(effect.to));
    };
    if ratio >= TOLD_AS_RATIO {
        let [ratio, low, high] = digits(ratio, low, high);
        format!("{ratio}x higher{}", interval(&ratio, &low, &high))
    } else if ratio <= 1.0 / TOLD_AS_RATIO {
        let [ratio, low, high] = digits(1.0 / ratio, 1.0 / high, 1.0 / low);
        format!("{ratio}x lower{}", interval(&ratio, &low, &high))
    } else {
        let percents = [ratio, low, high].map(|ratio| (ratio - 1.0) * 100.0);
        let [change, low, high] = digits(percents[0], percents[1], percents[2]);
        let sign = if percents[0] > 0.0 { "+" } else { "" };
        format!("{sign}{change} %{}", interval(&change, &low, &high))
    }
}

/// An interval, unless it is so narrow that it would only say the same again.
fn interval(x: &str, low: &str, high: &str) -> String {
    if low == x && high == x { String::new() } else { format!(" ({low} to {high})") }
}

/// A number and the ends of its interval, all to the first digit of the interval's width, at most three.
fn digits(x: f64, low: f64, high: f64) -> [String; 3] {
    let half = (high - low) / 2.0;
    if half < x.abs() / 1e3 {
        return [x, low, high].map(number);
    }
    let error = (half * 10.0).max(x.abs() / 10.0);
    let written = [x, low, high].map(|x| to_the_digit(x, error));
    // An end that is clear of zero must not look like it.
    let lost = |(text, x): (&String, f64)| x != 0.0 && !text.contains(|digit| ('1'..='9').contains(&digit));
    if written.iter().zip([x, low, high]).any(lost) { [x, low, high].map(number) } else { written }
}

/// Seeds that somebody might run.
const MANY_SEEDS: f64 = 1e5;
/// Below so many times as many seeds nothing was saved that is worth a word.
const SAVED: f64 = 2.0;

/// How much work pairing saved: `pairing: 10 seeds do the work of 430 (p99), 21 (p50) independent ones`. Of each metric the middle one of these factors, one per variant. Where
/// hardly anything was saved, and where so much was that nobody would run it, there is nothing to say.
pub fn pairing(metrics: &[Column], seeds: u64, factors: &[Vec<f64>], style: Style) -> Option<String> {
    let heads = heads(metrics);
    let middle = |factors: &Vec<f64>| -> Option<f64> {
        let mut factors = factors.clone();
        factors.sort_by(f64::total_cmp);
        factors.get(factors.len() / 2).copied()
    };
    let of = |(column, factors): (usize, &Vec<f64>)| {
        let independent = middle(factors).filter(|factor| *factor >= SAVED)? * seeds as f64;
        (independent <= MANY_SEEDS).then_some(())?;
        Some(format!("{} ({})", rounded(independent), heads[column]))
    };
    let parts: Vec<String> = factors.iter().enumerate().filter_map(of).collect();
    let about = style.pick("≈", "about");
    (!parts.is_empty()).then(|| {
        format!("pairing: {seeds} seeds do the work of {about} {} independent ones", parts.join(", "))
    })
}

/// Two digits: more would be a promise.
fn rounded(x: f64) -> String {
    let whole = x.round().max(1.0) as u64;
    let step = 10_u64.pow(whole.ilog10().saturating_sub(1));
    count((whole + step / 2) / step * step)
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::estimate::OfWhom;
    use Measured::Number;
    use sim_models::report::Meaning;

    fn column(path: &str, unit: Unit) -> Column {
        Column { path: path.into(), unit, less_is_better: Meaning::at(path).less_is_better(), short: false }
    }

    #[test]
    fn next_to_nothing_is_no_difference() {
        let said = |to: [f64; 3], from: [f64; 3]| {
            effects(&[column("wasted", Unit::Share)], &[effect(&to, &from)], None)
        };
        assert_eq!(said([6.1e-5, 6.2e-5, 6.0e-5], [5.7e-5, 5.8e-5, 5.6e-5]), "");
        assert!(said([0.02, 0.021, 0.019], [5.7e-5, 5.8e-5, 5.6e-5]).starts_with("wasted 0.0057 % -> 2 %"));
    }

    #[test]
    fn of_nearly_all_those_who_are_lost_are_told() {
        let metrics = [column("goodput", Unit::Rate), column("success", Unit::Share)];
        let said = |to: [f64; 3], from: [f64; 3]| {
            let goodput = |success: [f64; 3]| success.map(|share| 3_000.0 * share);
            effects(&metrics, &[effect(&goodput(to), &goodput(from)), effect(&to, &from)], None)
        };
        let base = [0.9986, 0.9985, 0.9987];
        assert_eq!(said([1.0; 3], base), "lost 0.14 % -> 0 %");
        assert_eq!(said([0.9973, 0.9974, 0.9972], base), "lost 0.14 % -> 0.27 %");
        assert_eq!(said(base.map(|share| share + 1e-4), base), "no clear difference above 0.5 %");
        let good = [0.99996, 0.99995, 0.99994];
        assert_eq!(said([1.0; 3], good), "no clear difference above 0.5 %", "one in twenty thousand");
        // Goodput tells of what is lost otherwise.
        assert!(said([1.0; 3], [0.96, 0.961, 0.959]).starts_with("goodput +4"));
    }

    #[test]
    fn how_many_times_is_told_where_it_is_known() {
        let downtime = column("downtime_per_year", Unit::Duration);
        // A few times to a million times less, by two seeds.
        let wide = effect(&[0.2e9, 500e9], &[190e9, 600e9]);
        assert!(wide.ratio_interval.is_some_and(|(low, high)| low < 1.0 && high > 1.0));
        assert_eq!(change(&downtime, &wide), "6 min 35 s -> 4 min 10 s");
        // The same numbers under two names are told once.
        let metrics = [column("success", Unit::Share), column("availability", Unit::Share)];
        let fewer = effect(&[0.994, 0.9941, 0.9939], &[0.99996, 0.99995, 0.99996]);
        let told = effects(&metrics, &[fewer.clone(), fewer], None);
        assert_eq!(told.matches("->").count(), 1, "{told}");
        assert!(told.starts_with("availability"), "{told}");
    }

    fn numbers(values: &[f64]) -> Vec<Measured> {
        values.iter().map(|&value| Number(value)).collect()
    }

    fn effect(to: &[f64], from: &[f64]) -> Effect {
        Effect::paired(&numbers(to), &numbers(from))
    }

    #[test]
    fn changes_in_words() {
        let p99 = column("p99", Unit::Duration);
        let slower = [100e6, 200e6, 300e6, 150e6];
        assert_eq!(change(&p99, &effect(&[25e6, 48e6, 70e6, 36e6], &slower)), "4.2x lower (4.0 to 4.3)");
        assert_eq!(change(&p99, &effect(&[400e6, 800e6, 1200e6, 600e6], &slower)), "4x higher");
        assert_eq!(change(&p99, &effect(&[97e6, 195e6, 291e6, 146e6], &slower)), "-2.8 % (-3.2 to -2.4)");
        let goodput = column("goodput", Unit::Rate);
        assert_eq!(
            change(&goodput, &effect(&[137.0, 273.0, 412.0], &[100.0, 200.0, 300.0])),
            "+37 % (36 to 38)"
        );
        let amplification = column("amplification", Unit::Plain);
        assert_eq!(change(&amplification, &effect(&[1.1, 1.08], &[2.9, 2.9])), "2.9 -> 1.09");
        let wasted = column("wasted", Unit::Share);
        assert_eq!(change(&wasted, &effect(&[0.0, 0.0], &[0.93, 0.92])), "92.5 % -> 0 %");
        assert_eq!(
            change(&goodput, &effect(&[0.0, 0.0], &[9.0, 11.0])),
            "10/s -> 0/s",
            "nothing has no ratio"
        );
    }

    #[test]
    fn a_difference_that_nobody_can_use_is_no_number() {
        let show =
            |metric: &Column, to: &[f64], from: &[f64]| minus(metric, &effect(to, from), Style::default());
        let (p50, share) = (column("edges.a.latency.p50", Unit::Duration), column("success", Unit::Share));
        assert_eq!(show(&p50, &[20e6, 20.1e6], &[19e6, 19.1e6]), "+1 ± 0 ms");
        // One bucket.
        assert_eq!(show(&p50, &[20e6, 20e6], &[20.0164e6, 20.0164e6]), "~0");
        assert_eq!(show(&p50, &[20e6, 20e6], &[20e6, 20e6]), "0 ± 0 s");
        // A mean of all is known better than a bucket.
        let mean = column("edges.a.latency.mean", Unit::Duration);
        assert_eq!(show(&mean, &[20e6, 20e6], &[20.0164e6, 20.0164e6]), "-16.4 ± 0 us");
        assert_eq!(show(&share, &[0.05, 0.05], &[0.05, 0.05 + 1e-17]), "~0");
        assert_eq!(show(&share, &[0.9, 0.1], &[0.1, 0.1]), "unclear");
        assert_eq!(show(&share, &[0.9, 0.1, 0.9, 0.1], &[0.1, 0.1, 0.1, 0.1]), "+40 ± 73 pp");
    }

    #[test]
    fn a_sentence_says_what_is_clear() {
        let metrics =
            [column("goodput", Unit::Rate), column("success", Unit::Share), column("p99", Unit::Duration)];
        let better = effect(&[20.0, 20.1, 20.0], &[10.0, 10.0, 10.1]);
        let unclear = effect(&[1.0, 3.0, 2.0], &[2.0, 1.0, 3.0]);
        let all = Some(Seedwise { better: 3, worse: 0, of: 3 });
        let say = |all_effects: &[Effect], seeds| effects(&metrics, all_effects, seeds);
        assert_eq!(
            say(&[better.clone(), better.clone(), unclear.clone()], all),
            "goodput 2.00x higher (1.96 to 2.03); better on all 3 seeds",
        );
        assert_eq!(say(&[unclear.clone(), unclear.clone(), unclear.clone()], None), "no clear difference");
        let some = Some(Seedwise { better: 1, worse: 2, of: 3 });
        assert!(say(&[better, unclear.clone(), unclear], some).ends_with("; worse on 2 of 3 seeds"));
    }

    #[test]
    fn what_differs_most_leads_where_users_get_the_same() {
        let stale = Column { less_is_better: Some(true), ..column("staleness.db.stale_share", Unit::Share) };
        let metrics = [column("goodput", Unit::Rate), column("p99", Unit::Duration), stale];
        let same = effect(&[100.0, 100.1, 99.9], &[100.0, 100.1, 99.9]);
        let slower = effect(&[80e6, 80.1e6, 79.9e6], &[75e6, 75.1e6, 74.9e6]);
        let gone = effect(&[0.002, 0.0021, 0.0019], &[0.78, 0.79, 0.77]);
        let told = effects(&metrics, &[same, slower, gone], None);
        assert!(told.starts_with("staleness.db.stale_share 78 % -> 0.2 %, but p99 +6.67 %"), "{told}");
        // More than none, on every seed, with an interval that says nothing of how many.
        let twice = [Column { less_is_better: Some(true), ..column("duplicates.a.twice", Unit::Plain) }];
        let told = effects(&twice, &[effect(&[0.0; 3], &[30.0, 9000.0, 700.0])], None);
        assert_eq!(told, "duplicates.a.twice 3 240 -> 0 on each seed");
    }

    #[test]
    fn the_survivors_of_a_worse_variant_are_no_virtue() {
        let short = Column { short: true, ..column(r#"edges["users->a"].latency.p99"#, Unit::Duration) };
        let metrics = [column("goodput", Unit::Rate), short];
        let worse = effect(&[10.0, 10.0, 10.1], &[20.0, 20.1, 20.0]);
        let faster = effect(&[10e6, 11e6, 10e6], &[47e6, 49e6, 48e6]);
        let slower = effect(&[47e6, 49e6, 48e6], &[10e6, 11e6, 10e6]);
        let say = |first: &Effect, second: Effect| effects(&metrics, &[first.clone(), second], None);
        // Fewer are served, and the few are served fast: nothing to be told with a "but".
        let flattered = faster.clone().of_those(OfWhom::answered(0.99), OfWhom::answered(0.14));
        assert!(flattered.is_flattered(Some(true)));
        assert!(!say(&worse, flattered).contains("p99"));
        assert!(
            say(&worse, faster.of_those(OfWhom::answered(0.99), OfWhom::answered(0.99)))
                .contains("but p99 4.6")
        );
        // The other way round it is told, and of whom it is.
        let better = effect(&[20.0, 20.1, 20.0], &[10.0, 10.0, 10.1]);
        let told = say(&better, slower.of_those(OfWhom::answered(0.14), OfWhom::answered(0.99)));
        assert!(told.ends_with("of the 99 % that ended well instead of 14 %"), "{told}");
    }

    #[test]
    fn work_that_is_saved_by_serving_fewer_is_no_virtue() {
        let metrics = [
            column("goodput", Unit::Rate),
            column("wasted", Unit::Share),
            column("services.db.utilisation", Unit::Share),
            column(r#"edges["a->b"].success"#, Unit::Share),
        ];
        let serving = |share: f64| OfWhom { served: Some(share), ..OfWhom::default() };
        let fewer = effect(&[10.0, 10.0, 10.1], &[24.0, 24.1, 24.0]);
        let less = effect(&[0.0018, 0.0017, 0.0018], &[0.127, 0.128, 0.127]);
        let idle = effect(&[0.4, 0.41, 0.4], &[0.96, 0.97, 0.96]);
        let inner = effect(&[0.99, 0.99, 0.98], &[0.6, 0.61, 0.6]);
        let say = |from: f64, to: f64, goodput: &Effect| {
            let inside = [&less, &idle, &inner].map(|one| one.clone().of_those(serving(from), serving(to)));
            effects(&metrics, &[std::slice::from_ref(goodput), &inside[..]].concat(), None)
        };
        // Less is wasted, and fewer calls inside fail: of two fifths.
        let told = say(0.96, 0.40, &fewer);
        assert!(
            told.starts_with("goodput 2.40x lower") && told.ends_with("utilisation 96.3 % -> 40.3 %"),
            "{told}"
        );
        // Hardly fewer: that may be worth it.
        let hardly = effect(&[23.0, 23.1, 23.0], &[24.0, 24.1, 24.0]);
        let told = say(0.96, 0.92, &hardly);
        assert!(
            told.contains(r#", but wasted 12.7 % -> 0.177 %, edges["a->b"].success 60.3 % -> 98.7 %"#),
            "{told}"
        );
        // Where it is all that was asked for it is told with whom it left out; and of users who wait, as often as they got their turn.
        let alone = |from: f64, to: f64| {
            let flattered = less.clone().of_those(serving(from), serving(to));
            effects(&metrics[1..2], &[flattered], Some(Seedwise::default()))
        };
        assert_eq!(
            alone(0.96, 0.40),
            "wasted 12.7 % -> 0.177 % where 40 % of calls are served instead of 96 %"
        );
        assert_eq!(alone(240.0, 100.0), "wasted 12.7 % -> 0.177 % where 100/s are served instead of 240/s");
    }

    #[test]
    fn who_is_back_sooner_is_not_simply_worse() {
        let metrics = [column("time_to_recover", Unit::Duration), column("goodput", Unit::Rate)];
        let of = |values: &[f64]| numbers(values);
        let (soon, late) = (of(&[0.0, 1e9, 0.0]), of(&[190e9, 200e9, 195e9]));
        let (fewer, more) = (of(&[99.0, 98.9, 99.0]), of(&[100.0, 100.0, 100.1]));
        let seedwise = |time: [&Vec<Measured>; 2]| {
            let effects = [Effect::paired(time[0], time[1]), Effect::paired(&fewer, &more)];
            let (to, from) = ([time[0].clone(), fewer.clone()], [time[1].clone(), more.clone()]);
            let told = Seedwise::of(&metrics, &effects, &to, &from).expect("seeds");
            (told.better, told.worse)
        };
        assert_eq!((seedwise([&soon, &late]), seedwise([&late, &soon])), ((0, 0), (0, 3)));
    }

    #[test]
    fn pairing_names_the_seeds_it_saved() {
        let metrics = [column("goodput", Unit::Rate), column("p99", Unit::Duration)];
        let said = pairing(&metrics, 10, &[vec![43.2, 1.0, 99.0], vec![]], Style::default()).unwrap();
        assert_eq!(said, "pairing: 10 seeds do the work of ≈ 430 (goodput) independent ones");
        assert_eq!(pairing(&metrics, 10, &[vec![1.9], vec![35e9]], Style::default()), None);
        assert_eq!(pairing(&metrics, 10, &[vec![], vec![]], Style::default()), None);
        assert_eq!(
            (rounded(0.2), rounded(97.0), rounded(12_345.6)),
            ("1".into(), "97".into(), "12 000".into())
        );
    }
}
