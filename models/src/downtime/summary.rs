//! What came of it: money a year, with what theory says beside it, and what each mitigation is worth.

use super::Downtime;
use super::exact::{self, Used, YEAR};
use super::worlds::{NOTHING, SETTLED, USED, WHOLE, World, Worlds};
use crate::fleet::in_nines;
use crate::report::{Better, Cell, Report, Section, Series, Table, Unit, Value, Verdict};
use crate::words::{percent, short};
use sim_core::math::log10;
use sim_core::{SimDuration, SimTime};

/// All values that there may be: what people look at first comes first.
pub const NAMES: [&str; 16] = [
    "total_per_year",
    "net_per_year",
    "return",
    "availability",
    "lost_per_year",
    "credits_per_year",
    "handling_per_year",
    "spent_per_year",
    "without_per_year",
    "saved_per_year",
    "worst_year",
    "downtime_per_year",
    "nines",
    "outages_per_year",
    "prevented",
    "outage_longest",
];

/// Where what is exact comes from.
const SOURCE: &str = "M/G/infinity: exp(-sum of rate x duration x hits) is left";

/// What was measured.
struct Measured<'a> {
    spec: &'a Downtime,
    worlds: &'a Worlds<'a>,
    reached: SimTime,
    nanos: f64,
}

impl Measured<'_> {
    fn lost(&self, world: &World) -> f64 {
        world.lost(self.reached) as f64 / WHOLE as f64 / self.nanos
    }

    /// What was paid back a year: of whole months.
    fn credits(&self, world: &World) -> f64 {
        let fees = self.spec.sla.as_ref().map_or(0.0, |sla| sla.fees);
        match self.worlds.settled {
            0 => 0.0,
            months => world.credits * fees / months as f64 * (YEAR / SETTLED.as_nanos() as f64),
        }
    }

    fn handling(&self, world: &World) -> f64 {
        let each = self.spec.causes.values().map(|cause| cause.each_costs);
        let all: f64 = world.causes.iter().zip(each).map(|(it, each)| it.outages as f64 * each).sum();
        all * YEAR / self.nanos
    }

    /// What outages cost a year, mitigations not counted.
    fn costs(&self, world: &World) -> f64 {
        exact::revenue_lost(self.spec, self.lost(world)) + self.credits(world) + self.handling(world)
    }

    /// What a mitigation saves over all luck, without what is paid back.
    fn long_run(&self, place: usize) -> [Option<f64>; 2] {
        let used = self.worlds.all[USED].used;
        exact::saves(place, used, |used| exact::long_run(self.spec, used))
    }

    fn saves(&self, place: usize) -> [Option<f64>; 2] {
        let used = self.worlds.all[USED].used;
        exact::saves(place, used, |used| Some(self.costs(self.worlds.of(used))))
    }
}

pub fn fill(spec: &Downtime, worlds: &Worlds, reached: SimTime, report: &mut Report) {
    let from = SimTime::from_nanos(report.run.warm_up);
    let nanos = reached.max(from).since(from).as_nanos() as f64;
    if nanos == 0.0 {
        report.verdict = Verdict { headline: "nothing was measured".into(), ..Verdict::default() };
        return;
    }
    let it = Measured { spec, worlds, reached, nanos };
    let [nothing, with] = [NOTHING, USED].map(|world| &worlds.all[world]);
    let used: Used = with.used;
    let currency = &spec.currency;
    let spent = exact::spent(spec, used);
    let (without, costs, lost) = (it.costs(nothing), it.costs(with), it.lost(with));
    let saved = without - costs;
    let exact_costs = exact::costs(spec, used);
    let exact_saved = exact::costs(spec, 0).zip(exact_costs).map(|(without, with)| without - with);
    let exact_lost = exact::lost(spec, used);

    let value = |unit, about: &str, value: Option<f64>| Value { value, ..Value::new(unit, about) };
    let money_of =
        |about: &str, value_of: f64| value(Unit::Plain, &format!("{about}, in {currency}"), Some(value_of));
    let beside = |value: Value, exact: Option<f64>| match exact {
        Some(exact) => Value { exact: Some(exact), source: SOURCE.into(), ..value },
        None => value,
    };
    let of_spent = |saved: f64| (spent > 0.0).then(|| saved / spent);
    let counted = |of: fn(&super::worlds::OfCause) -> u64| with.causes.iter().map(of).sum::<u64>() as f64;
    let all: [Value; NAMES.len()] = [
        beside(
            money_of("what outages and mitigations cost a year", costs + spent)
                .better(Better::Less)
                .headline(),
            exact_costs.map(|costs| costs + spent),
        ),
        beside(
            money_of("what mitigations save a year, less what they cost", saved - spent)
                .better(Better::More)
                .headline(),
            exact_saved.map(|saved| saved - spent),
        ),
        beside(
            value(Unit::Plain, "what is saved for each that is spent", of_spent(saved))
                .better(Better::More)
                .headline(),
            exact_saved.and_then(of_spent),
        ),
        beside(
            value(Unit::Share, "of the service, what was there on average", Some(1.0 - lost))
                .better(Better::More)
                .headline(),
            exact_lost.map(|lost| 1.0 - lost),
        ),
        beside(
            money_of("revenue lost a year", exact::revenue_lost(spec, lost)).better(Better::Less),
            exact_lost.map(|lost| exact::revenue_lost(spec, lost)),
        ),
        money_of("paid back a year, by contract", it.credits(with)).better(Better::Less),
        beside(
            money_of("what outages cost a year besides", it.handling(with)).better(Better::Less),
            Some(exact::handling(spec, used)),
        ),
        money_of("what mitigations cost a year", spent),
        beside(money_of("what outages would cost a year without any", without), exact::costs(spec, 0)),
        beside(money_of("what mitigations save a year", saved).better(Better::More), exact_saved),
        value(
            Unit::Plain,
            &format!("revenue lost in the worst of the years of 365 days, in {currency}"),
            worlds.worst_year.map(|worst| {
                worst as f64 / WHOLE as f64 / 3.6e12 * spec.revenue_per_hour * (1.0 - spec.comes_back)
            }),
        )
        .better(Better::Less),
        beside(
            value(Unit::Duration, "how long a year that is, if all were down together", Some(lost * YEAR))
                .better(Better::Less),
            exact_lost.map(|lost| lost * YEAR),
        ),
        beside(
            value(Unit::Plain, "how many nines that is: 99.9 % is three", nines(lost)).better(Better::More),
            exact_lost.and_then(nines),
        ),
        beside(
            value(Unit::Plain, "outages a year", Some(counted(|it| it.outages) * YEAR / nanos))
                .better(Better::Less),
            Some(exact::outages(spec, used)),
        ),
        value(
            Unit::Plain,
            "outages a year that were prevented",
            Some(counted(|it| it.prevented) * YEAR / nanos),
        ),
        value(Unit::Duration, "the longest", Some(with.longest as f64)).better(Better::Less),
    ];
    let says = |name: &str| match name {
        "credits_per_year" => spec.sla.is_some(),
        "handling_per_year" => spec.causes.values().any(|cause| cause.each_costs > 0.0),
        "net_per_year" | "return" | "spent_per_year" | "without_per_year" | "saved_per_year"
        | "prevented" => !spec.mitigations.is_empty(),
        _ => true,
    };
    let told = NAMES.iter().zip(all).filter(|(name, _)| says(name));
    report.values.0.extend(told.map(|(name, value)| ((*name).to_owned(), value)));
    report.tables.push(causes(&it));
    for (place, mut section) in sections(spec).into_iter().enumerate() {
        let [alone, last] = it.saves(place);
        let costs = spec.mitigations.at(place).expect("one of them").1.costs_per_year;
        let per = |saved: Option<f64>| saved.filter(|_| costs > 0.0).map(|saved| saved / costs);
        section.set("costs", costs);
        section.set("saves_alone", alone);
        section.set("return_alone", per(alone));
        section.set("saves_last", last);
        section.set("return_last", per(last));
        report.sections.push(section);
    }
    if !spec.mitigations.is_empty() {
        report.tables.push(mitigations(&it));
    }
    report.tables.push(exact::nines(spec));
    report.verdict = verdict(&it, [without, costs, spent]);
    for (name, values) in ["lost without mitigations", "lost"].into_iter().zip(worlds.lines.clone()) {
        report.timeline.series.push(Series {
            name: name.into(),
            unit: Unit::Share.name().into(),
            values,
            ..Series::default()
        });
    }
}

/// What is told of each mitigation.
pub fn sections(spec: &Downtime) -> Vec<Section> {
    let used = exact::used(spec);
    let section = |(place, (name, it)): (usize, (&str, &super::Mitigation))| {
        let [alone, last] = exact::saves(place, used, |used| exact::costs(spec, used));
        let per = |saved: Option<f64>| {
            saved.filter(|_| it.costs_per_year > 0.0).map(|saved| saved / it.costs_per_year)
        };
        let value = |about: String, exact: Option<f64>| {
            let source = if exact.is_some() { SOURCE.into() } else { String::new() };
            Value { exact, source, ..Value::new(Unit::Plain, about) }
        };
        let saves = |how: &str| format!("what it saves a year {how}, in {}", spec.currency);
        let each = |how: &str| format!("what it saves for each that is spent {how}");
        Section::new("mitigation", name)
            .value("costs", value(format!("what it costs a year, in {}", spec.currency), None))
            .value("saves_alone", value(saves("if it is the only one"), alone).better(Better::More))
            .value("return_alone", value(each("if it is the only one"), per(alone)).better(Better::More))
            .value("saves_last", value(saves("beside the others that are used"), last).better(Better::More))
            .value(
                "return_last",
                value(each("beside the others that are used"), per(last)).better(Better::More),
            )
    };
    spec.mitigations.iter().enumerate().map(section).collect()
}

fn causes(it: &Measured) -> Table {
    let with = &it.worlds.all[USED];
    let all: f64 = with.causes.iter().map(|of| of.hit).sum();
    let rows = it.spec.causes.names().zip(&with.causes).map(|(name, of)| {
        let mean =
            if of.outages > 0 { Cell::Number(of.lasted as f64 / of.outages as f64) } else { Cell::Empty(()) };
        let share = of.hit / it.nanos;
        vec![
            name.into(),
            (of.outages as f64 * YEAR / it.nanos).into(),
            (of.prevented as f64 * YEAR / it.nanos).into(),
            mean,
            money(exact::revenue_lost(it.spec, share), &it.spec.currency).into(),
            (if all > 0.0 { of.hit / all } else { 0.0 }).into(),
        ]
    });
    Table {
        title: "causes, a year".into(),
        columns: ["cause", "outages", "prevented", "last", "lose", "of all"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "", "", "ns", "", "share"].map(String::from).to_vec(),
        note: "what several take at once is counted for each".into(),
    }
}

/// What each mitigation returns of what it costs: alone and beside the others, in this run and over all luck.
fn mitigations(it: &Measured) -> Table {
    let rows = it.spec.mitigations.iter().enumerate().map(|(place, (name, of))| {
        let per = |saved: Option<f64>| match saved.filter(|_| of.costs_per_year > 0.0) {
            Some(saved) => Cell::Text(signed_short(saved / of.costs_per_year)),
            None => Cell::Empty(()),
        };
        let [alone, last] = it.saves(place);
        let [all_alone, all_last] = it.long_run(place);
        let used = if of.used { "yes" } else { "no" };
        vec![name.into(), used.into(), per(alone), per(all_alone), per(last), per(all_last)]
    });
    let paid_back = if exact::has_no_credits(it.spec) { "" } else { "; without what is paid back" };
    Table {
        title: "saved for each that is spent".into(),
        columns: ["mitigation", "used", "alone", "in the long run", "beside the others", "in the long run"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        units: Vec::new(),
        note: format!("in the long run: over all luck, not these years{paid_back}"),
    }
}

fn verdict(it: &Measured, [without, costs, spent]: [f64; 3]) -> Verdict {
    let spec = it.spec;
    let say = |amount: f64| money(amount, &spec.currency);
    let with = &it.worlds.all[USED];
    let lost = it.lost(with);
    let down = SimDuration::from_nanos((lost * YEAR) as u64).brief();
    let headline = match with.used {
        0 => format!("outages cost {} a year: {}, {down} a year", say(costs), in_nines(1.0 - lost)),
        _ => format!(
            "{} spent a year save {} of {} that outages would cost",
            say(spent),
            say(without - costs),
            say(without)
        ),
    };
    let mut details = Vec::new();
    if with.used != 0 {
        details.push(format!(
            "{} of the service is there: {down} a year are lost, and {}",
            in_nines(1.0 - lost),
            say(costs)
        ));
    }
    let all: f64 = with.causes.iter().map(|of| of.hit).sum();
    let most = spec.causes.names().zip(&with.causes).max_by(|one, other| one.1.hit.total_cmp(&other.1.hit));
    if let Some((name, of)) = most.filter(|_| all > 0.0) {
        details.push(format!("most of it by {name}: {}", percent(of.hit / all)));
    }
    // A cause that strikes once in years may or may not have in these: what is worth its money is asked of all luck, and of what was paid back.
    let of_each = |place: usize, costs: f64| {
        let without = with.used & !(1 << place);
        let paid_back = it.credits(it.worlds.of(without)) - it.credits(it.worlds.of(without | 1 << place));
        Some((it.long_run(place)[1]? + paid_back) / costs)
    };
    let worth = spec.mitigations.iter().enumerate().filter(|(_, (_, of))| of.costs_per_year > 0.0);
    let worth: Vec<(&str, bool, f64)> = worth
        .filter_map(|(place, (name, of))| Some((name, of.used, of_each(place, of.costs_per_year)?)))
        .collect();
    for (name, _, each) in worth.iter().filter(|(_, used, each)| *used && *each < 1.0) {
        details.push(format!(
            "{name} saves {} of each {} that it costs in the long run: not worth it",
            signed_short(*each),
            spec.currency
        ));
    }
    let best = worth
        .iter()
        .filter(|(_, used, each)| !used && *each > 1.0)
        .max_by(|one, other| one.2.total_cmp(&other.2));
    if let Some((name, _, each)) = best {
        details.push(format!(
            "of what is not used {name} would save most for its money: {} of each {}",
            short(*each),
            spec.currency
        ));
    }
    Verdict { headline, details, ..Verdict::default() }
}

fn nines(lost: f64) -> Option<f64> {
    (lost > 0.0).then(|| -log10(lost))
}

pub fn signed_short(number: f64) -> String {
    if number < 0.0 { format!("-{}", short(-number)) } else { short(number) }
}

/// An amount for people: `1.23 M USD`.
pub fn money(amount: f64, currency: &str) -> String {
    let size = amount.abs();
    let (unit, by) = match size {
        size if size >= 999.5e6 => (" bn", 1e9),
        size if size >= 999.5e3 => (" M", 1e6),
        size if size >= 999.5 => (" k", 1e3),
        _ => ("", 1.0),
    };
    format!("{}{unit} {currency}", signed_short(amount / by)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn amounts_are_short() {
        for (amount, text) in [
            (0.0, "0 EUR"),
            (12.5, "12.5 EUR"),
            (999.6, "1 k EUR"),
            (-1_234.0, "-1.23 k EUR"),
            (2_500_000.0, "2.5 M EUR"),
            (999_600.0, "1 M EUR"),
            (7e9, "7 bn EUR"),
        ] {
            assert_eq!(money(amount, "EUR"), text);
        }
    }
}
