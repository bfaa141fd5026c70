//! What came of it: how long everything was up, with what theory says beside it.

use super::exact::{self, Law};
use super::years::Years;
use super::{Fleet, Groups};
use crate::report::{Better, Report, Series, Unit, Value, Verdict};
use sim_core::math::log10;
use sim_core::{SimDuration, SimTime};

/// All values that there may be: what people look at first comes first.
pub const NAMES: [&str; 12] = [
    "availability",
    "downtime_per_year",
    "blast_radius",
    "outages",
    "outage_mean",
    "outage_longest",
    "nines",
    "independent",
    "all_up",
    "any_machine_down",
    "take_overs",
    "by_hand",
];

/// A Julian year.
const YEAR: f64 = 365.25 * 86_400e9;

pub fn fill(fleet: &Fleet, years: &Years, reached: SimTime, report: &mut Report) {
    let law = exact::law(fleet, report.run.seed);
    let measured = reached.max(years.base.1).since(years.base.1).as_nanos() as f64;
    let areas = years.areas(reached);
    let share = |which: usize, of: usize| {
        let area = areas[which] - years.base.0[which];
        (measured > 0.0).then(|| area as f64 / measured / of as f64)
    };
    let availability = share(0, years.groups());
    let counts = &years.counts;
    let groups = match fleet.groups {
        Groups::Cells(_) => "cells",
        Groups::Shards { .. } => "tenants",
    };
    let value = |unit: Unit, about: &str, value: Option<f64>| Value { value, ..Value::new(unit, about) };
    let beside =
        |value: Value, of: fn(&Law) -> Option<f64>| match law.and_then(|law| Some((of(&law)?, law.source))) {
            Some((exact, source)) => Value { exact: Some(exact), source: source.into(), ..value },
            None => value,
        };
    let down = |availability: f64| (1.0 - availability) * YEAR;
    let up = value(Unit::Share, &format!("of the time, the {groups} that were up, on average"), availability);
    let all: [(&str, Value); 12] = [
        ("availability", beside(up.better(Better::More).headline(), |law| Some(law.availability))),
        (
            "independent",
            value(
                Unit::Share,
                "what availability would be if each machine failed as often, and for reasons of its own",
                law.map(|law| law.independent),
            ),
        ),
        (
            "nines",
            beside(
                value(Unit::Plain, "how many nines that is: 99.9 % is three", availability.and_then(nines))
                    .better(Better::More),
                |law| nines(law.availability),
            ),
        ),
        (
            "downtime_per_year",
            beside(
                value(Unit::Duration, "for how long a year it was down, on average", availability.map(down))
                    .better(Better::Less)
                    .headline()
                    .headline(),
                |law| Some((1.0 - law.availability) * YEAR),
            ),
        ),
        (
            "all_up",
            beside(value(Unit::Share, &format!("of the time, with all {groups} up"), share(2, 1)), |law| {
                law.all_up
            }),
        ),
        (
            "any_machine_down",
            beside(
                value(
                    Unit::Share,
                    "of the time, with at least one machine down",
                    share(3, 1).map(|up| 1.0 - up),
                ),
                |law| Some(law.any_machine_down),
            ),
        ),
        (
            "outages",
            value(
                Unit::Plain,
                &format!("times that one of the {groups} went down"),
                Some(counts.outages as f64),
            )
            .better(Better::Less),
        ),
        (
            "outage_mean",
            value(
                Unit::Duration,
                "how long it was down then, on average, of those that are over",
                (counts.ended > 0).then(|| counts.down_ns as f64 / counts.ended as f64),
            ),
        ),
        (
            "outage_longest",
            value(
                Unit::Duration,
                "the longest of them",
                (counts.ended > 0).then_some(counts.longest_ns as f64),
            ),
        ),
        (
            "blast_radius",
            value(
                Unit::Share,
                &format!(
                    "of the {groups}, those that go down together, on average over the times that any does"
                ),
                (counts.events > 0).then(|| counts.hit / counts.events as f64),
            )
            .better(Better::Less),
        ),
        (
            "take_overs",
            value(
                Unit::Plain,
                "times that a spare machine took over",
                fleet.failover.as_ref().map(|_| counts.take_overs as f64),
            ),
        ),
        (
            "by_hand",
            value(
                Unit::Plain,
                "of them, those that did not work of themselves",
                fleet.failover.as_ref().map(|_| counts.by_hand as f64),
            ),
        ),
    ];
    let says = |name: &str| match name {
        "take_overs" | "by_hand" => fleet.failover.is_some(),
        "independent" => !fleet.domains.is_empty(),
        _ => true,
    };
    let mut told: Vec<_> = all.into_iter().filter(|(name, _)| says(name)).collect();
    told.sort_by_key(|(name, _)| NAMES.iter().position(|known| known == name));
    report.values.0.extend(told.into_iter().map(|(name, value)| (name.to_owned(), value)));
    report.summary.success = availability;
    report.verdict = verdict(availability, law.as_ref(), measured, counts.outages);
    let [groups_up, machines_up] = years.lines.clone();
    let line = |name: &str, unit: Unit, values, of| Series {
        name: name.into(),
        unit: unit.name().into(),
        values,
        of: Some(of),
        ..Series::default()
    };
    report.timeline.series.push(line(&format!("{groups} up"), Unit::Share, groups_up, 1.0));
    report.timeline.series.push(line("machines up", Unit::Plain, machines_up, years.machines() as f64));
}

fn verdict(availability: Option<f64>, law: Option<&Law>, measured: f64, outages: u64) -> Verdict {
    let Some(up) = availability else {
        return Verdict { headline: "nothing was measured".into(), ..Verdict::default() };
    };
    let down = |up: f64| SimDuration::from_nanos(((1.0 - up).max(0.0) * YEAR) as u64).brief();
    let over = SimDuration::from_nanos(measured as u64).brief();
    let headline = match outages {
        0 if up >= 1.0 => format!("never down in {over}"),
        _ => format!("up {} of the time: {} of downtime a year", in_nines(up), down(up)),
    };
    let mut details = Vec::new();
    if let Some(law) = law {
        details.push(format!("theory: {}, {} a year", in_nines(law.availability), down(law.availability)));
        if (1.0 - law.independent) * 1.5 < 1.0 - law.availability {
            details.push(format!(
                "machines that failed for reasons of their own would promise {}: {} a year",
                in_nines(law.independent),
                down(law.independent)
            ));
        }
    }
    Verdict { headline, details, ..Verdict::default() }
}

/// How many nines: 0.999 is three. None of what is always up.
fn nines(up: f64) -> Option<f64> {
    (up < 1.0).then(|| -log10(1.0 - up))
}

/// A share in percent with two digits of what it lacks: 99.9985 %.
pub(crate) fn in_nines(up: f64) -> String {
    let lacks = (1.0 - up).max(0.0) * 100.0;
    if lacks == 0.0 {
        return "100 %".into();
    }
    let decimals = (1.0 - log10(lacks).floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{:.decimals$}", 100.0 - lacks);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_shows_what_it_lacks() {
        for (up, text) in [
            (1.0, "100 %"),
            (0.5, "50 %"),
            (0.905, "90.5 %"),
            (0.999, "99.9 %"),
            (0.999985, "99.9985 %"),
            (0.9999, "99.99 %"),
            (0.999_999_5, "99.99995 %"),
        ] {
            assert_eq!(in_nines(up), text);
        }
        assert_eq!((nines(0.999).map(|n| (n * 1e9).round() / 1e9), nines(1.0)), (Some(3.0), None));
    }
}
