//! What mechanisms measured: a gauge for each line, window by window, and one for each value, known at the end.

use super::{Page, escape};
use crate::render::windows::place;
use crate::text::unit::in_csv;
use sim_models::report::{Report, Section, Series, Unit, Value};

impl Page<'_> {
    pub(super) fn sections(&mut self, report: &Report) {
        let lines = report.sections.iter().flat_map(|section| {
            section
                .series
                .iter()
                .map(move |line: &Series| (family(section, &line.name, &line.unit), section, line))
        });
        for (name, all) in by_name(lines) {
            let (_, unit) = spelled(&all[0].1.unit);
            self.family(&name, "gauge", unit, &help(all.iter().map(|(_, line)| line.about.as_str())));
            for (section, line) in all {
                let unit = Unit::named(&line.unit);
                self.gauge(&name, &at(report, section), |row| Some(in_csv(*line.values.get(row)?, unit)));
            }
        }
        let end = self.end();
        let values = report.sections.iter().flat_map(|section| {
            let named =
                |name: &str, value: &Value| format!("measured_{}", family(section, name, &value.unit));
            section.values.iter().map(move |(name, value)| (named(name, value), section, value))
        });
        for (name, all) in by_name(values) {
            let (_, unit) = spelled(&all[0].1.unit);
            self.family(&name, "gauge", unit, &help(all.iter().map(|(_, value)| value.about.as_str())));
            for (section, value) in all {
                if let Some(measured) = value.value.filter(|measured| measured.is_finite()) {
                    let measured = in_csv(measured, Unit::named(&value.unit));
                    self.point(&name, &at(report, section), measured, end);
                }
            }
        }
    }
}

/// All that have one name stand together, in the order of the first of each.
fn by_name<'a, T>(
    all: impl Iterator<Item = (String, &'a Section, &'a T)>,
) -> Vec<(String, Vec<(&'a Section, &'a T)>)> {
    let mut families: Vec<(String, Vec<(&Section, &T)>)> = Vec::new();
    for (name, section, one) in all {
        match families.iter_mut().find(|(other, _)| *other == name) {
            Some((_, family)) => family.push((section, one)),
            None => families.push((name, vec![(section, one)])),
        }
    }
    families
}

/// The name of a family: `cache_hits`, with the unit that the format wants in it.
fn family(section: &Section, name: &str, unit: &str) -> String {
    let plain = |text: &str| {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        text.chars().map(letter).collect::<String>()
    };
    format!("{}_{}{}", plain(&section.kind), plain(name), spelled(unit).0)
}

/// How a unit ends a name, and what it is called.
fn spelled(unit: &str) -> (&'static str, &'static str) {
    match Unit::named(unit) {
        Unit::Duration => ("_seconds", "seconds"),
        Unit::Share => ("_ratio", "ratio"),
        Unit::Rate => ("_per_second", ""),
        Unit::Bytes => ("_bytes", "bytes"),
        Unit::Plain => ("", ""),
    }
}

/// Where it was measured: at an edge, at a service, or somewhere else.
fn at<'a>(report: &Report, section: &'a Section) -> Vec<(&'a str, &'a str)> {
    let label = (!section.at.is_empty()).then(|| place(report, &section.at).unwrap_or("at"));
    label.map(|label| (label, section.at.as_str())).into_iter().collect()
}

/// What the first of them says that says anything.
fn help<'a>(mut about: impl Iterator<Item = &'a str>) -> String {
    escape(about.find(|about| !about.is_empty()).unwrap_or("What a mechanism measured."))
}
