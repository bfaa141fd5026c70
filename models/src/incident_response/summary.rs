//! What came of it: how long incidents last, where the time goes, and whom they wake.

use super::IncidentResponse;
use super::calendar::Hour;
use super::exact;
use super::response::{Durations, Response, STEPS};
use crate::report::{Better, Cell, Report, Series, Table, Unit, Value, Verdict};
use crate::words::{percent, short};
use sim_core::{SimDuration, SimTime};

/// All values that there may be: what people look at first comes first.
pub const NAMES: [&str; 21] = [
    "time_to_mitigate",
    "mitigate_p90",
    "time_to_acknowledge",
    "woken_per_engineer_week",
    "team_wait",
    "hand_overs",
    "mitigate_p50",
    "mitigate_p99",
    "mitigate_longest",
    "time_to_detect",
    "users_first",
    "escalated",
    "out_of_hours",
    "asleep",
    "pages_per_engineer_week",
    "teams_per_incident",
    "talk_per_incident",
    "team_load",
    "team_queue",
    "incidents",
    "open_at_end",
];

const WEEK: f64 = 7.0 * 86_400e9;

pub fn fill(spec: &IncidentResponse, response: Response, reached: SimTime, report: &mut Report) {
    let counts = &response.counts;
    let from = response.base.1;
    let measured = reached.max(from).since(from).as_nanos() as f64;
    let areas = response.areas(reached);
    let mean =
        |which: usize| (measured > 0.0).then(|| (areas[which] - response.base.0[which]) as f64 / measured);
    let hours = counts.hours;
    let noticed: u64 = hours.iter().map(|hour| hour.incidents).sum();
    let pages: u64 = hours.iter().map(|hour| hour.pages).sum();
    let per = |sum: f64, of: u64| (of > 0).then(|| sum / of as f64);
    let of_hours = |of: &[Hour]| of.iter().map(|hour| hours[*hour as usize].incidents).sum::<u64>() as f64;
    let engineers: u32 = spec.sites.values().map(|site| site.engineers).sum();
    let weekly =
        |pages: u64| (measured > 0.0).then(|| pages as f64 / f64::from(engineers) / (measured / WEEK));
    let answered: u128 = hours.iter().map(|hour| hour.until_answered).sum();
    let mitigated = &counts.mitigated;

    let law = |hour| spec.paging.law(hour);
    let rate_a_week = exact::rate(spec) * WEEK / f64::from(engineers);
    let [teams, talk] = exact::per_incident(spec);
    let of_hour = |which: Hour| move |hour: Hour| f64::from(u8::from(hour == which));
    let source_hours = "over the hours of a week";
    let value = |unit, about: &str, value: Option<f64>| Value { value, ..Value::new(unit, about) };
    let beside = |value: Value, exact: Option<f64>, source: &str| match exact {
        Some(exact) => Value { exact: Some(exact), source: source.into(), ..value },
        None => value,
    };
    let time =
        |about: &str, measured: Option<f64>| value(Unit::Duration, about, measured).better(Better::Less);
    let plain = |about: &str, measured: Option<f64>| value(Unit::Plain, about, measured).better(Better::Less);
    let share = |about: &str, measured: Option<f64>| value(Unit::Share, about, measured).better(Better::Less);
    let all: [Value; NAMES.len()] = [
        time("from the beginning of an incident until its last team is done, on average", mitigated.mean())
            .headline(),
        time("nine of ten are", mitigated.percentile(90.0)).headline(),
        beside(
            time("from the first page until somebody answers, on average", per(answered as f64, noticed))
                .headline(),
            Some(exact::by_hour(spec, |hour| law(hour).mean)),
            "integral of the chance that nobody has, by the hour",
        ),
        beside(
            plain(
                "pages a week that wake each engineer who answers first",
                weekly(hours[Hour::Asleep as usize].pages),
            )
            .headline(),
            Some(rate_a_week * exact::by_hour(spec, |hour| of_hour(Hour::Asleep)(hour) * law(hour).pages)),
            "the rate times the pages of one, asleep",
        ),
        beside(
            time("how long a repair waits for a team, on average", per(counts.waited as f64, counts.repairs))
                .headline(),
            exact::team_wait(spec),
            "M/G/1 of each team",
        ),
        plain(
            "times that work at an incident was handed over, on average",
            per(counts.hand_overs as f64, counts.began),
        ),
        time("half of them are mitigated by then", mitigated.percentile(50.0)),
        time("99 of a hundred are", mitigated.percentile(99.0)),
        time("the longest", (mitigated.count > 0).then_some(mitigated.longest as f64)),
        beside(
            time("from the beginning until it is noticed, on average", per(counts.noticed as f64, noticed)),
            exact::detected(spec),
            "the faster of two exponential times",
        ),
        share(
            "of incidents, those that users reported before a monitor alarmed",
            per(counts.by_users as f64, counts.began),
        ),
        beside(
            share(
                "of incidents, those for which more than one had to be paged",
                per(counts.escalated as f64, noticed),
            ),
            Some(exact::by_hour(spec, |hour| law(hour).escalated)),
            "one minus the distribution at the time-out, by the hour",
        ),
        beside(
            share(
                "of incidents, those that reach somebody who is not on shift",
                per(of_hours(&[Hour::Awake, Hour::Asleep]), noticed),
            ),
            Some(1.0 - exact::by_hour(spec, of_hour(Hour::OnShift))),
            source_hours,
        ),
        beside(
            share("of incidents, those that wake somebody", per(of_hours(&[Hour::Asleep]), noticed)),
            Some(exact::by_hour(spec, of_hour(Hour::Asleep))),
            source_hours,
        ),
        beside(
            plain("pages a week of each engineer who answers first, escalations included", weekly(pages)),
            Some(rate_a_week * exact::by_hour(spec, |hour| law(hour).pages)),
            "the rate times the pages of one, by the hour",
        ),
        beside(
            plain("teams that a repair crosses, on average", per(counts.teams as f64, counts.diagnosed)),
            Some(teams),
            "counted over where it may begin",
        ),
        beside(
            time(
                "how long the people of one repair talk, on average",
                per(counts.talk as f64, counts.diagnosed),
            ),
            Some(talk),
            "k - 1 or k (k - 1) / 2 conversations for each decision",
        ),
        beside(
            share(
                "of the time, the teams' that they are at work",
                mean(2).map(|busy| busy / f64::from(spec.teams.count)),
            ),
            exact::team_load(spec),
            "Little's law",
        ),
        plain("repairs that wait for a team, on average over time", mean(1)),
        value(Unit::Plain, "incidents that began", Some(counts.began as f64)),
        plain("of them, those that were open at the end", Some((counts.began - mitigated.count) as f64)),
    ];
    report.values.0.extend(NAMES.iter().map(|name| (*name).to_owned()).zip(all));
    report.tables.push(steps(counts.steps, mitigated));
    report.tables.push(severities(spec, &counts.severities));
    report.tables.push(by_hour(spec, &response));
    report.verdict = verdict(spec, &response, weekly);
    let open = counts.began - mitigated.count;
    if open * 100 > counts.began {
        report.notes.push(format!(
            "{open} of {} incidents were open at the end: how long they take is not in these numbers",
            counts.began
        ));
    }
    let [open, waiting] = response.lines;
    for (name, values) in [("open incidents", open), ("waiting for a team", waiting)] {
        report.timeline.series.push(Series { name: name.into(), values, ..Series::default() });
    }
}

fn steps(steps: [u128; STEPS.len()], mitigated: &Durations) -> Table {
    let rows = STEPS.iter().zip(steps).map(|(name, sum)| {
        let mean = sum as f64 / mitigated.count.max(1) as f64;
        vec![(*name).into(), mean.into(), (sum as f64 / (mitigated.sum as f64).max(1.0)).into()]
    });
    Table {
        title: "where the time goes".into(),
        columns: ["step", "mean", "of all"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "ns", "share"].map(String::from).to_vec(),
        note: "from the team that was done last on".into(),
    }
}

fn severities(spec: &IncidentResponse, all: &[Durations]) -> Table {
    let number = |value: Option<f64>| value.map_or(Cell::Empty(()), Cell::Number);
    let rows = spec.severities.names().zip(all).map(|(name, it)| {
        let at = |percent| number(it.percentile(percent));
        vec![name.into(), it.count.into(), number(it.mean()), at(50.0), at(90.0), at(99.0)]
    });
    Table {
        title: "until mitigated".into(),
        columns: ["severity", "incidents", "mean", "50 %", "90 %", "99 %"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "", "ns", "ns", "ns", "ns"].map(String::from).to_vec(),
        note: String::new(),
    }
}

fn by_hour(spec: &IncidentResponse, response: &Response) -> Table {
    let shares = response.calendar.shares();
    let rows = Hour::ALL.into_iter().filter(|hour| shares[*hour as usize] > 0.0).map(|hour| {
        let of = response.counts.hours[hour as usize];
        let mean = of.until_answered as f64 / of.incidents.max(1) as f64;
        let mean = if of.incidents > 0 { Cell::Number(mean) } else { Cell::Empty(()) };
        let law = spec.paging.law(hour);
        vec![hour.name().into(), shares[hour as usize].into(), of.incidents.into(), mean, law.mean.into()]
    });
    Table {
        title: "whoever has the pager".into(),
        columns: ["is", "of the time", "incidents", "answers after", "exact"].map(String::from).to_vec(),
        rows: rows.collect(),
        units: ["", "share", "", "ns", "ns"].map(String::from).to_vec(),
        note: String::new(),
    }
}

fn verdict(spec: &IncidentResponse, response: &Response, weekly: impl Fn(u64) -> Option<f64>) -> Verdict {
    let counts = &response.counts;
    let brief = |nanos: f64| SimDuration::from_nanos_f64(nanos).brief();
    let (Some(mean), Some(p90)) = (counts.mitigated.mean(), counts.mitigated.percentile(90.0)) else {
        return Verdict { headline: "no incident was mitigated".into(), ..Verdict::default() };
    };
    let headline = format!("incidents last {}, one in ten longer than {}", brief(mean), brief(p90));
    let mut steps: Vec<(&str, f64)> =
        STEPS.into_iter().zip(counts.steps.map(|step| step as f64 / counts.mitigated.sum as f64)).collect();
    steps.sort_by(|one, other| other.1.total_cmp(&one.1));
    let most: Vec<String> =
        steps[..3].iter().map(|(name, share)| format!("{name} {}", percent(*share))).collect();
    let mut details = vec![format!("where the time goes: {}", most.join(", "))];
    let asleep = counts.hours[Hour::Asleep as usize];
    if asleep.incidents > 0 {
        details.push(format!(
            "{} of incidents wake somebody; each engineer is woken {} times a week",
            percent(asleep.incidents as f64 / counts.began.max(1) as f64),
            weekly(asleep.pages).map_or_else(|| "?".into(), short)
        ));
    }
    let load = exact::loads(spec).into_iter().map(|team| team.load).fold(0.0, f64::max);
    if load >= 1.0 {
        details.push(format!(
            "a team gets {} of what it can do: what waits for it grows without end",
            percent(load)
        ));
    }
    Verdict { headline, details, ..Verdict::default() }
}
