//! What went over the edges and through the services of a run, as tables.

use crate::result::column::NEARLY_ALL;
use crate::result::in_hand::InHand;
use crate::result::incident;
use crate::result::page::{MOST, chosen_edges};
use crate::text::number::{count, duration, number, or_nothing, percent, rate, roughly};
use crate::text::table::{Entry, Grid};
use crate::text::{Paint, Style, clean, more, quiet};
use sim_models::policy::Ending;
use sim_models::report::{Edge, Little, Report, Service};

/// Calls over each edge: how many, how they ended, what they cost.
pub(super) fn calls(report: &Report, style: Style) -> Vec<String> {
    let (edges, left_out) = chosen_edges(report);
    if edges.is_empty() {
        return Vec::new();
    }
    // A call of a user's costs more than one of the last caller's where several layers retry, or fan out.
    let layers =
        edges.iter().any(|(_, edge)| edge.per_user_call.is_some_and(|per| Some(per) != edge.amplification));
    let mut grid = Grid::new().words("calls").numbers(["started", "goodput", "ok", "attempts"]);
    grid = if layers { grid.number("per user") } else { grid }.words("the others");
    for (name, edge) in &edges {
        let mut row = vec![
            Entry::from(*name),
            count(edge.calls.started).into(),
            rate(edge.goodput).into(),
            Entry::painted(or_nothing(edge.success, percent), success_paint(edge.success)),
            or_nothing(edge.amplification, number).into(),
        ];
        row.extend(layers.then(|| or_nothing(edge.per_user_call, number).into()));
        row.push(endings(edge).into());
        grid.row(row);
    }
    let mut lines = grid.text(2, style);
    lines.extend(more(left_out, "edges"));
    lines
}

/// What users got before, during and after what went wrong.
pub(super) fn incident(report: &Report, style: Style) -> Vec<String> {
    let rows = incident::rows(report);
    if rows.is_empty() {
        return Vec::new();
    }
    let mut grid = Grid::new().words("users").numbers(incident::HEADS);
    rows.into_iter().for_each(|row| grid.row(row));
    grid.text(2, style)
}

fn success_paint(success: Option<f64>) -> Paint {
    match success {
        Some(share) if share >= 0.99 => Paint::Good,
        Some(share) if share < 0.9 => Paint::Bad,
        _ => Paint::Plain,
    }
}

/// How calls ended that did not end well, most frequent first.
fn endings(edge: &Edge) -> String {
    let calls = &edge.calls;
    let others = Ending::in_order().filter(|ending| *ending != Ending::Ok);
    let mut all: Vec<_> = others.map(|ending| (ending.name(), calls.of(ending))).collect();
    all.sort_by_key(|&(_, n)| std::cmp::Reverse(n));
    let share = |n: u64| roughly(n as f64 / calls.started.max(1) as f64);
    let mut words: Vec<String> =
        all.iter().take(2).filter(|(_, n)| *n > 0).map(|(name, n)| format!("{} {name}", share(*n))).collect();
    let rest: u64 = all.iter().skip(2).map(|(_, n)| n).sum();
    if rest > 0 {
        words.push(format!("{} other", share(rest)));
    }
    words.join(", ")
}

/// Percentiles of calls that ended well, and what they leave out.
pub(super) fn response_times(report: &Report, style: Style) -> Vec<String> {
    let (edges, _) = chosen_edges(report);
    if edges.is_empty() {
        return Vec::new();
    }
    let few = |edge: &Edge| edge.success.is_some_and(|share| share < NEARLY_ALL);
    let some_few = edges.iter().any(|(_, edge)| few(edge));
    let mut grid = Grid::new().words("response time");
    grid = if some_few { grid.number("of") } else { grid };
    grid = grid.numbers(["p50", "p90", "p99", "p99.9", "p99.99", "max"]);
    for (name, edge) in &edges {
        let l = &edge.latency;
        let times = [l.p50, l.p90, l.p99, l.p999, l.p9999, l.max].map(|t| or_nothing(t, duration));
        let whom = some_few.then(|| or_nothing(edge.success, roughly));
        grid.row([clean(name)].into_iter().chain(whom).chain(times));
        if edge.from_users && few(edge) {
            let r = &edge.response;
            let all = [r.p50, r.p90, r.p99, r.p999, r.p9999].map(|t| t.map_or("longer".into(), duration));
            let whom = ["".to_string(), "all".to_string()];
            grid.row(whom.into_iter().chain(all).chain([String::new()]));
        }
    }
    let mut lines = grid.text(2, style);
    let mut said = Vec::new();
    if some_few {
        said.push("of all, the others took longer than any answer".to_string());
    }
    for (name, edge) in edges.iter().filter(|(_, edge)| edge.from_users && edge.calls.in_flight() > 0) {
        let age = edge.calls.in_flight_age.map(|age| format!(", {} old on average", duration(age)));
        said.push(format!(
            "{} of {} {} still waiting{} and not in these percentiles",
            count(edge.calls.in_flight()),
            clean(name),
            if edge.calls.in_flight() == 1 { "is" } else { "are" },
            age.unwrap_or_default()
        ));
    }
    if let Some(before) = InHand::of(report).told_before() {
        said.push(before);
    }
    if !said.is_empty() {
        lines.extend(quiet(&format!("of calls that ended well; {}", said.join("; ")), "  ", style));
    }
    lines
}

/// From this share of work in vain on it has a column.
const IN_VAIN: f64 = 0.01;

/// How busy each service was, how long its queue, and how much of its work was for nobody.
pub(super) fn services(report: &Report, style: Style) -> Vec<String> {
    let mut services: Vec<(usize, &str, &Service)> =
        report.services.iter().enumerate().map(|(index, (name, service))| (index, name, service)).collect();
    if services.is_empty() {
        return Vec::new();
    }
    let left_out = services.len().saturating_sub(MOST);
    services.sort_by(|(i, _, a), (j, _, b)| b.utilisation.total_cmp(&a.utilisation).then(i.cmp(j)));
    services.truncate(MOST);
    services.sort_by_key(|(index, ..)| *index);
    let any = |of: fn(&Service) -> u64| services.iter().any(|(_, _, service)| of(service) > 0);
    let (called_off, deaths) = (any(|service| service.called_off), any(|service| service.deaths));
    let expired = any(|service| service.expired);
    let in_vain =
        services.iter().any(|(_, _, service)| service.in_vain.is_some_and(|share| share >= IN_VAIN));
    let mut grid = Grid::new().words("service").numbers([
        "replicas",
        "workers",
        "busy",
        "mean queue",
        "at most",
        "wait",
        "work wasted",
    ]);
    for (there, head) in
        [(in_vain, "in vain"), (called_off, "called off"), (expired, "expired"), (deaths, "deaths")]
    {
        if there {
            grid = grid.number(head);
        }
    }
    for (_, name, service) in services {
        let of =
            service.queue_capacity.map(|capacity| format!(" of {}", count(capacity))).unwrap_or_default();
        let share = |share: Option<f64>| {
            let paint = if share.is_some_and(|share| share >= 0.1) { Paint::Bad } else { Paint::Plain };
            Entry::painted(or_nothing(share, percent), paint)
        };
        let mut row = vec![
            Entry::from(name),
            count(u64::from(service.replicas)).into(),
            count(service.workers).into(),
            percent(service.utilisation).into(),
            match service.queue_mean {
                little if little > 0.0 && little < 0.001 => "< 0.001".into(),
                mean => number(mean).into(),
            },
            (count(service.queue_max) + &of).into(),
            or_nothing(service.wait_mean, duration).into(),
            share(service.wasted),
        ];
        row.extend(in_vain.then(|| share(service.in_vain)));
        row.extend(called_off.then(|| count(service.called_off).into()));
        row.extend(expired.then(|| count(service.expired).into()));
        row.extend(deaths.then(|| count(service.deaths).into()));
        grid.row(row);
    }
    let mut lines = grid.text(2, style);
    lines.extend(more(left_out, "services"));
    lines.extend(little(report, style));
    lines
}

/// The most services whose sides of Little's law are spelled out.
const MOST_SPELLED_OUT: usize = 3;

/// Little's law in one sentence: both sides of the fullest services; the others only if they differ.
fn little(report: &Report, style: Style) -> Vec<String> {
    let agree = |little: &Little| little.gap() <= 1e-9;
    let mut all: Vec<(&str, &Little)> =
        report.services.iter().filter_map(|(name, service)| Some((name, service.little.as_ref()?))).collect();
    all.sort_by(|(_, a), (_, b)| agree(a).cmp(&agree(b)).then(b.number.total_cmp(&a.number)));
    if all.is_empty() {
        return Vec::new();
    }
    let spelled = all.iter().filter(|(_, little)| !agree(little)).count().max(MOST_SPELLED_OUT);
    let mut parts: Vec<String> = all
        .iter()
        .take(spelled)
        .map(|(name, little)| {
            let verdict = if agree(little) { "=" } else { "is NOT" };
            let times = style.pick("×", "x");
            let time = duration(little.time.round() as u64);
            format!(
                "{} {} {verdict} {} {times} {time}",
                clean(name),
                number(little.number),
                rate(little.rate)
            )
        })
        .collect();
    let rest = all.len().saturating_sub(spelled);
    if rest > 0 {
        parts.push(format!("{rest} more agree"));
    }
    quiet(&format!("Little's law: {}", parts.join("; ")), "  ", style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;

    fn said(services: &[(&str, f64, f64)]) -> String {
        let mut report = testdata::storm();
        report.services.0.clear();
        for &(name, number, product) in services {
            let little = Some(Little { number, rate: 1_000.0, time: product * 1e6, product });
            report.services.push(name, Service { little, ..Service::default() });
        }
        little(&report, Style { width: 400, ..Style::default() }).join("\n")
    }

    #[test]
    fn littles_law_is_one_sentence() {
        let all = [("a", 1.0, 1.0), ("b", 4.0, 4.0), ("c", 3.0, 3.0), ("d", 2.0, 2.0), ("e", 0.5, 0.5)];
        assert_eq!(
            said(&all),
            "  Little's law: b 4 = 1 000/s × 4 ms; c 3 = 1 000/s × 3 ms; d 2 = 1 000/s × 2 ms; 2 more agree"
        );
        assert_eq!(said(&[]), "");
    }

    /// It cannot happen in a report of ours; in one that was read back it must not be hidden.
    #[test]
    fn a_broken_law_comes_first() {
        let all = [("a", 9.0, 9.0), ("b", 8.0, 8.0), ("c", 7.0, 7.0), ("d", 0.1, 0.2)];
        assert!(
            said(&all).starts_with("  Little's law: d 0.1 is NOT 1 000/s × 200 us; a 9"),
            "{}",
            said(&all)
        );
    }
}
