//! What is known of the money before anything happens.

use super::summary::{money, signed_short};
use super::{Cause, Downtime, Effect};
use crate::fleet::in_nines;
use crate::report::{Cell, Table};
use sim_core::math::exp;

/// A Julian year.
pub const YEAR: f64 = 365.25 * 86_400e9;
pub const HOURS_A_YEAR: f64 = 8_766.0;

/// Mitigations that are there, by their place in the file.
pub type Used = u32;

/// Those that the file says are used.
pub fn used(spec: &Downtime) -> Used {
    (0..).zip(spec.mitigations.values()).map(|(place, it)| u32::from(it.used) << place).sum()
}

/// What those mitigations do about a cause.
pub fn effects<'a>(
    spec: &'a Downtime,
    used: Used,
    cause: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Effect)> {
    (0..)
        .zip(spec.mitigations.iter())
        .filter(move |(place, _)| used >> place & 1 == 1)
        .filter_map(move |(_, (name, it))| Some((name, it.against.get(cause)?)))
}

/// What they leave of the outages of a cause: how many a nanosecond, how long, and what each hits.
pub fn left(spec: &Downtime, used: Used, name: &str, cause: &Cause) -> [f64; 3] {
    let mut rate = 1.0 / cause.every.as_nanos() as f64;
    let (mut unnoticed, mut repair, mut hits) =
        (cause.unnoticed.nanos.mean(), cause.repair.nanos.mean(), cause.hits);
    for (_, effect) in effects(spec, used, name) {
        rate *= 1.0 - effect.prevents;
        unnoticed *= effect.notices;
        repair *= effect.repairs;
        hits *= effect.contains;
    }
    [rate, unnoticed + repair, hits]
}

/// The share of the service that is lost on average; none where outages have no mean.
pub fn lost(spec: &Downtime, used: Used) -> Option<f64> {
    let loads =
        spec.causes.iter().map(|(name, cause)| left(spec, used, name, cause).into_iter().product::<f64>());
    let load: f64 = loads.sum();
    load.is_finite().then(|| 1.0 - exp(-load))
}

/// Outages a year.
pub fn outages(spec: &Downtime, used: Used) -> f64 {
    spec.causes.iter().map(|(name, cause)| left(spec, used, name, cause)[0] * YEAR).sum()
}

/// Money lost a year, where a share of the service is.
pub fn revenue_lost(spec: &Downtime, share: f64) -> f64 {
    share * HOURS_A_YEAR * spec.revenue_per_hour * (1.0 - spec.comes_back)
}

/// What outages cost besides.
pub fn handling(spec: &Downtime, used: Used) -> f64 {
    spec.causes.iter().map(|(name, cause)| left(spec, used, name, cause)[0] * YEAR * cause.each_costs).sum()
}

/// What those mitigations cost.
pub fn spent(spec: &Downtime, used: Used) -> f64 {
    (0..)
        .zip(spec.mitigations.values())
        .filter(|(place, _)| used >> place & 1 == 1)
        .map(|(_, it)| it.costs_per_year)
        .sum()
}

/// Whether nothing is paid back: what is depends on how outages fall into months.
pub fn has_no_credits(spec: &Downtime) -> bool {
    spec.sla.as_ref().is_none_or(|sla| sla.fees == 0.0)
}

/// What outages cost a year, mitigations and what is paid back not counted; none where outages have no mean.
pub fn long_run(spec: &Downtime, used: Used) -> Option<f64> {
    lost(spec, used).map(|share| revenue_lost(spec, share) + handling(spec, used))
}

/// The same, where that is all that they cost.
pub fn costs(spec: &Downtime, used: Used) -> Option<f64> {
    long_run(spec, used).filter(|_| has_no_credits(spec))
}

/// What a mitigation saves: if it is the only one, and if it is added to the others that are used.
pub fn saves(place: usize, used: Used, costs: impl Fn(Used) -> Option<f64>) -> [Option<f64>; 2] {
    let this = 1 << place;
    let difference = |without: Used| Some(costs(without)? - costs(without | this)?);
    [difference(0), difference(used & !this)]
}

/// What a nine is worth: a table of how long each may be down, what that loses, and what it is better than the one before.
pub fn nines(spec: &Downtime) -> Table {
    let mut before = None;
    let rows = (1..=6).map(|nines| {
        let share = sim_core::math::powi(0.1, nines);
        let loses = revenue_lost(spec, share);
        let worth = before.replace(loses).map(|before| before - loses);
        let worth = worth.map_or(Cell::Empty(()), |worth| Cell::Text(money(worth, &spec.currency)));
        vec![in_nines(1.0 - share).into(), (share * YEAR).into(), money(loses, &spec.currency).into(), worth]
    });
    Table {
        title: "what a nine is worth, a year".into(),
        columns: ["up", "may be down", "loses", "less than the one before"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "ns", "", ""].map(String::from).to_vec(),
        note: "the most that a step from one to the next may cost a year".into(),
    }
}

/// What `explain` says in sentences.
pub fn notes(spec: &Downtime) -> Vec<String> {
    let mut notes = Vec::new();
    let say = |used: Used| lost(spec, used).map_or_else(|| "?".into(), |lost| in_nines(1.0 - lost));
    notes.push(format!(
        "without mitigations it is up {} of the time, with those that are used {}",
        say(0),
        say(used(spec))
    ));
    if let [Some(without), Some(with)] = [long_run(spec, 0), long_run(spec, used(spec))] {
        notes.push(format!(
            "outages cost {} a year without, and {} with what is used, which costs {}",
            money(without, &spec.currency),
            money(with, &spec.currency),
            money(spent(spec, used(spec)), &spec.currency)
        ));
    }
    if !has_no_credits(spec) {
        notes.push("what the contract pays back comes on top: it depends on how outages fall into months, and is simulated".into());
    }
    notes
}

/// What `explain` shows.
pub fn tables(spec: &Downtime) -> Vec<Table> {
    let currency = &spec.currency;
    let used = used(spec);
    let rows = spec.causes.iter().map(|(name, cause)| {
        let [rate, lasts, hits] = left(spec, used, name, cause);
        let without: f64 = left(spec, 0, name, cause).into_iter().product();
        let loses = |load: f64| Cell::Text(money(revenue_lost(spec, load), currency));
        vec![
            name.into(),
            (rate * YEAR).into(),
            lasts.into(),
            hits.into(),
            loses(rate * lasts * hits),
            loses(without),
        ]
    });
    let causes = Table {
        title: "causes, with what is used".into(),
        columns: ["cause", "a year", "lasts", "hits", "loses a year", "without"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "", "ns", "share", "", ""].map(String::from).to_vec(),
        note: String::new(),
    };
    let text = |value: Option<String>| value.map_or(Cell::Empty(()), Cell::Text);
    let rows = spec.mitigations.iter().enumerate().map(|(place, (name, it))| {
        let [alone, last] = saves(place, used, |used| long_run(spec, used));
        let saves = |saved: Option<f64>| text(saved.map(|saved| money(saved, currency)));
        let per = |saved: Option<f64>| {
            text(
                saved
                    .filter(|_| it.costs_per_year > 0.0)
                    .map(|saved| signed_short(saved / it.costs_per_year)),
            )
        };
        let name = if it.used { name.to_owned() } else { format!("{name} (not used)") };
        vec![
            name.into(),
            money(it.costs_per_year, currency).into(),
            saves(alone),
            per(alone),
            saves(last),
            per(last),
        ]
    });
    let mitigations = Table {
        title: "mitigations, a year".into(),
        columns: ["mitigation", "costs", "saves alone", "of each spent", "saves last", "of each spent"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        units: Vec::new(),
        note: "last: added to the others that are used".into(),
    };
    let mut tables = vec![causes, mitigations, nines(spec)];
    tables.retain(|table| !table.rows.is_empty());
    tables
}
