//! Why a run came to what it did: the sentences below the headline.

use super::outlook::{Backlog, backlogs};
use super::trend::{Growth, growth, rises};
use super::users::FINE;
use super::verdict::Judgement;
use crate::policy::{Ending, Outcome};
use crate::report::count::{ratio, share, sum};
use crate::report::edge::{Edge, ends as line_to};
use crate::report::head::{Report, VerdictKind};
use crate::words::{percent, short};
use sim_core::SimDuration;
use std::collections::BTreeSet;

/// More attempts per call than this are worth a sentence.
const AMPLIFIED: f64 = 1.05;
/// A larger share of wasted work is, and of work in vain where users are served badly, or so much of it that it is not the usual errors.
const WASTED: f64 = 0.01;
const IN_VAIN: f64 = 0.1;
/// Calls still waiting at the end are, beyond this share of all or this mean age.
const WAITING: (f64, u64) = (0.01, 10_000_000_000);
/// Writes that are still to be passed on at the end are worth a sentence beyond this share of them, if they become more all the time.
const UNWRITTEN: f64 = 0.05;
/// A queue is, if it ran full in more than this share of windows.
const FULL: f64 = 0.1;
/// What a service's own calls come to is worth a sentence from this share of them on.
const BEHIND: f64 = 0.1;
/// Workers that are busy for this share of the time are all taken.
const TAKEN: f64 = 0.99;

/// A sentence for each thing that explains the verdict, most telling first.
pub fn details(report: &Report, judgement: &Judgement) -> Vec<String> {
    let bad = !matches!(judgement.kind, VerdictKind::Steady | VerdictKind::Recovered | VerdictKind::Unharmed);
    let mut details = Vec::new();
    details.extend(judgement.meanwhile.clone());
    details.extend(judgement.overload.clone());
    details.extend(released(report));
    details.extend(losses(report));
    details.extend(unwritten(report));
    if bad {
        details.extend(deaths(report));
        details.extend(kills(report));
        details.extend(impatience(report, judgement));
        details.extend(judgement.outlook.as_ref().and_then(|ahead| ahead.because.clone()));
    }
    details.extend(amplification(report, judgement, bad));
    details.extend(multiplied(report));
    details.extend(wasted(report));
    details.extend(in_vain(report, bad));
    if bad {
        details.extend(main_cause(report));
        details.extend(behind(report));
        details.extend(full_queue(report, judgement));
        details.extend(taken(report, judgement));
        details.extend(grows(report, judgement));
        details.retain(|detail| !is_said(detail, judgement));
    }
    details.extend(waiting(report, bad));
    details.extend(before(judgement));
    details
}

/// What became of a release that is not with everybody in the end.
fn released(report: &Report) -> impl Iterator<Item = String> + '_ {
    report.sections.iter().filter(|section| section.kind == "rollout").filter_map(|section| {
        let value = |name| section.values.get(name).and_then(|value| value.value);
        let name = &section.at;
        match &*section.changes.last()?.to {
            "complete" => None,
            "rolling back" | "rolled back" => {
                let after = SimDuration::from_nanos_f64(value("time_to_detect").unwrap_or(0.0)).brief();
                let in_vain = value("false_rollbacks").is_some_and(|is| is > 0.0);
                let why = if in_vain { ", though nothing is wrong with it" } else { "" };
                Some(format!("the rollout of {name} was taken back after {after}{why}"))
            }
            state => Some(format!(
                "the rollout of {name} had not come to its end when the run ended: it was {state}"
            )),
        }
    })
}

/// Writes that users were told are done, and that went with the replica that had them.
fn losses(report: &Report) -> impl Iterator<Item = String> + '_ {
    report.sections.iter().filter(|section| section.kind == "write_behind").filter_map(|section| {
        let value = |name| section.values.get(name).and_then(|value| value.value).unwrap_or(0.0);
        let (lost, in_doubt, name) = (value("lost"), value("in_doubt"), &section.at);
        let (writes, are) = if lost + in_doubt == 1.0 { ("write", "is") } else { ("writes", "are") };
        match (lost > 0.0, in_doubt > 0.0) {
            (false, false) => None,
            (true, false) => {
                Some(format!("{} {writes} that {name} had acknowledged {are} lost", short(lost)))
            }
            (false, true) => Some(format!(
                "of {} {writes} that {name} had acknowledged nobody can tell whether they are done",
                short(in_doubt)
            )),
            (true, true) => Some(format!(
                "{} writes that {name} had acknowledged are lost, and of {} more nobody can tell",
                short(lost),
                short(in_doubt)
            )),
        }
    })
}

/// Writes that users were told are done, and that come faster than they are passed on.
fn unwritten(report: &Report) -> impl Iterator<Item = String> + '_ {
    let ends = report.timeline.disturbances.iter().map(|it| it.to.unwrap_or(it.from));
    let from = ends.max().unwrap_or(0).div_ceil(report.run.window.max(1)) as usize;
    report.sections.iter().filter(|section| section.kind == "write_behind").filter_map(move |section| {
        let value = |name| section.values.get(name).and_then(|value| value.value).unwrap_or(0.0);
        let line = section.series.iter().find(|line| line.name == "to_write")?;
        let (left, name) = (value("left"), &section.at);
        // What nobody has begun to pass on may only wait for its time.
        let is_passed_on = value("passed_on") + value("failed") > 0.0;
        let many = left > 1.0 && left >= UNWRITTEN * value("taken") && is_passed_on;
        (many && rises(&line.values, from)).then(|| {
            format!(
                "by the end {} writes that {name} had acknowledged wait to be passed on, and there are more of them all the time",
                short(left)
            )
        })
    })
}

/// Whether the headline says so, or what says more of an overload.
fn is_said(detail: &str, judgement: &Judgement) -> bool {
    let detail = detail.trim_start_matches("by the end ").replace("is always full", "is full");
    let said = |text: &str| text != detail && text.contains(&detail);
    said(&judgement.headline) || judgement.overload.as_deref().is_some_and(said)
}

/// The edge on which a call costs most: at the end, where that is what keeps it down.
fn amplification(report: &Report, judgement: &Judgement, at_the_end: bool) -> Option<String> {
    let edges = report.edges.iter().filter_map(|(name, edge)| {
        let of = |series: &[u64]| sum(series, &judgement.latest);
        let latest = ratio(of(&edge.windows.attempts), of(&edge.windows.started));
        Some((name, if at_the_end { latest } else { edge.amplification }?))
    });
    let (name, attempts) = edges.reduce(|most, next| if next.1 > most.1 { next } else { most })?;
    let when = if at_the_end && judgement.before.is_some() { "by the end " } else { "" };
    (attempts >= AMPLIFIED).then(|| format!("{when}a call {} costs {} attempts", ends(name), short(attempts)))
}

/// Where retries at several layers multiply: the edge that gets most attempts for one call of a user.
fn multiplied(report: &Report) -> Option<String> {
    let retried = || {
        let edges = report.edges.iter();
        edges.filter(|(_, edge)| edge.amplification.is_some_and(|attempts| attempts >= AMPLIFIED))
    };
    let most = retried().filter_map(|(name, edge)| Some((name, edge.per_user_call?, edge.amplification?)));
    let (name, attempts, here) = most.reduce(|most, next| if next.1 > most.1 { next } else { most })?;
    (retried().count() > 1 && attempts >= AMPLIFIED * here)
        .then(|| format!("retries multiply: a user's call costs {} attempts {}", short(attempts), ends(name)))
}

/// The service that did most work for nobody.
fn wasted(report: &Report) -> Option<String> {
    let services = report.services.iter();
    let (name, service) =
        services.reduce(|most, next| if next.1.work_wasted > most.1.work_wasted { next } else { most })?;
    let share = ratio(service.work_wasted, service.work).filter(|share| *share >= WASTED)?;
    // Who is overtaken by a copy of its own, here or further up, has not given up.
    let copies = report.edges.iter().any(|(_, sent)| sent.attempts.copies > 0);
    let whom = if copies { "answers that nobody waited for" } else { "callers who had given up" };
    Some(format!("{} of the work in {name} was for {whom}", percent(share)))
}

/// The service that did most work for requests that failed all the same.
fn in_vain(report: &Report, bad: bool) -> Option<String> {
    let services = report.services.iter();
    let (name, service) =
        services.reduce(|most, next| if next.1.work_in_vain > most.1.work_in_vain { next } else { most })?;
    let least = if bad { WASTED } else { IN_VAIN };
    let share = ratio(service.work_in_vain, service.work).filter(|share| *share >= least)?;
    Some(format!("{} of the work in {name} was for requests that failed in the end", percent(share)))
}

/// What most calls that did not end well came to, on the edge where it happened: an error is often only the
/// answer of somebody whose own calls failed, so it is named where nothing else is.
fn main_cause(report: &Report) -> Option<String> {
    let (name, edge, count, words) = most_failed(report)?;
    let share = percent(ratio(count, edge.calls.ended_badly())?);
    Some(format!("of the failed calls {} {share} {words}", ends(name)))
}

/// What a service that fails its callers meets itself: what many of its own calls come to, and so on to the end of the chain.
fn behind(report: &Report) -> Option<String> {
    let (mut name, ..) = most_failed(report)?;
    let (mut last, mut met) = (None, BTreeSet::new());
    // Where calls go round in a circle, once is enough.
    while met.insert(name) {
        let service = line_to(name)?.1;
        let next =
            failures(report).filter(|(edge, ..)| line_to(edge).is_some_and(|(from, _)| from == service));
        let next = next.filter(|(_, edge, count, ..)| *count as f64 >= BEHIND * edge.calls.started as f64);
        let Some((edge, of, count, words)) = most(next) else { break };
        let share = percent(ratio(count, of.calls.started)?);
        (name, last) = (edge, Some(format!("of the calls {} {share} {words}", ends(edge))));
    }
    last
}

type Failed<'r> = (&'r str, &'r Edge, u64, &'static str);

/// What the calls of each edge failed of, an error aside.
fn failures(report: &Report) -> impl Iterator<Item = Failed<'_>> {
    report.edges.iter().flat_map(|(name, edge)| {
        let endings = Ending::in_order().filter(|ending| *ending != ERROR);
        let told = endings.filter_map(|ending| Some((edge.calls.of(ending), ending.told().because?)));
        told.filter(|(count, _)| *count > 0).map(move |(count, words)| (name, edge, count, words))
    })
}

fn most<'r>(failed: impl Iterator<Item = Failed<'r>>) -> Option<Failed<'r>> {
    failed.reduce(|most, next| if next.2 > most.2 { next } else { most })
}

/// What most calls failed of; of an error where there is nothing else.
fn most_failed(report: &Report) -> Option<Failed<'_>> {
    let errors = || {
        let edges = report.edges.iter().map(|(name, edge)| (name, edge, edge.calls.of(ERROR)));
        edges
            .filter(|it| it.2 > 0)
            .filter_map(|(name, edge, count)| Some((name, edge, count, ERROR.told().because?)))
    };
    most(failures(report)).or_else(|| most(errors()))
}

/// An edge in words.
fn ends(edge: &str) -> String {
    match edge.split_once("->") {
        Some((from, to)) => format!("from {from} to {to}"),
        None => format!("over {edge}"),
    }
}

/// What says least: it is often only the answer of somebody whose own calls failed.
const ERROR: Ending = Ending::Failed(Outcome::Error);

/// The bounded queue that ran full most often of late.
fn full_queue(report: &Report, judgement: &Judgement) -> Option<String> {
    let mut worst: Option<(f64, &str)> = None;
    for (name, service) in report.services.iter() {
        let Some(capacity) = service.queue_capacity.filter(|capacity| *capacity > 0) else { continue };
        let at = |window: usize| service.windows.queue_max.get(window).is_some_and(|max| *max >= capacity);
        let full = judgement.latest.clone().filter(|window| at(*window)).count();
        let share = ratio(full as u64, judgement.latest.len() as u64).unwrap_or(0.0);
        if share > worst.map_or(FULL, |(most, _)| most) {
            worst = Some((share, name));
        }
    }
    let (share, name) = worst?;
    let when = if judgement.before.is_some() { "by the end " } else { "" };
    let often = if share < 1.0 {
        format!("ran full in {} of the windows", percent(share))
    } else {
        "is always full".into()
    };
    Some(format!("{when}the queue of {name} {often}"))
}

/// Users' calls that had not ended when the run did.
fn waiting(report: &Report, bad: bool) -> Option<String> {
    let users = || report.edges.iter().filter(|(_, edge)| edge.from_users).map(|(_, edge)| &edge.calls);
    let waiting: u64 = users().map(|calls| calls.in_flight()).sum();
    let started = users().map(|calls| calls.started).sum();
    let ages =
        users().map(|calls| u128::from(calls.in_flight_age.unwrap_or(0)) * u128::from(calls.in_flight()));
    let age = ages.sum::<u128>().checked_div(u128::from(waiting))? as u64;
    let many = bad && ratio(waiting, started).is_some_and(|share| share >= WAITING.0);
    let calls =
        if waiting == 1 { "1 call still waits".into() } else { format!("{waiting} calls still wait") };
    let old = if age > 0 {
        format!(", {} old on average", SimDuration::from_nanos(age).brief())
    } else {
        String::new()
    };
    (many || age >= WAITING.1).then(|| format!("{calls} at the end{old}"))
}

/// What to know about the state that the end is compared with.
fn before(judgement: &Judgement) -> Option<String> {
    let before = judgement.before.as_ref()?;
    if !before.measured {
        return Some(
            "nothing was measured before the disturbance: normal is taken to be all that is offered".into(),
        );
    }
    // Where it was less than half, the headline says so.
    if before.share < FINE && !matches!(judgement.kind, VerdictKind::Failing | VerdictKind::Overloaded) {
        return Some(format!(
            "even before the disturbance only {} of calls were served{}",
            percent(before.share),
            before.in_time
        ));
    }
    let (then, now) = (before.offered?, judgement.offered?);
    before
        .fewer
        .then(|| format!("users offer {}/s at the end, {}/s before the disturbance", short(now), short(then)))
}

/// Replicas that died of their load.
fn deaths(report: &Report) -> Vec<String> {
    let died = report.services.iter().filter(|(_, service)| service.deaths > 0);
    died.map(|(name, service)| match service.deaths {
        1 => format!("a replica of {name} died of its load"),
        deaths => format!("replicas of {name} died of their load {deaths} times"),
    })
    .collect()
}

/// Replicas that something of their own killed, where nothing from outside disturbs the run: what each mechanism counts as kills.
fn kills(report: &Report) -> Vec<String> {
    if !report.timeline.disturbances.is_empty() {
        return Vec::new();
    }
    let all = report.sections.iter().filter_map(|section| {
        let kills = section.values.get("kills")?.value.filter(|kills| *kills > 0.0)?;
        Some((section.at.as_str(), section.kind.replace('_', " "), kills))
    });
    all.map(|(name, by, kills)| match kills {
        1.0 => format!("a replica of {name} was killed ({by})"),
        kills => format!("replicas of {name} were killed {kills} times ({by})"),
    })
    .collect()
}

/// The queue that takes longest, if that is longer than callers wait.
fn impatience(report: &Report, judgement: &Judgement) -> Option<String> {
    let Backlog { service, holds, patience } = backlogs(report, &judgement.latest).into_iter().next()?;
    let brief = |nanos: u64| SimDuration::from_nanos(nanos).brief();
    Some(format!("the queue of {service} holds {} of work; callers wait {}", brief(holds), brief(patience)))
}

/// A service whose workers are all taken, if there is one: the last on the way of a request.
fn taken(report: &Report, judgement: &Judgement) -> Option<String> {
    let windows = &judgement.latest;
    let busy = report.services.iter().filter(|(_, service)| {
        let busy = share(&service.windows.busy_ns, &service.windows.available_ns, windows);
        busy.is_some_and(|busy| busy >= TAKEN)
    });
    let (name, _) = busy.last()?;
    let when = if judgement.before.is_some() { "by the end " } else { "" };
    Some(format!("{when}the workers of {name} are all taken"))
}

/// The queue that grows without end, where the headline says something else.
fn grows(report: &Report, judgement: &Judgement) -> Option<String> {
    let from = report.timeline.disturbances.iter().map(|it| it.to.unwrap_or(it.from)).max()?;
    let window = report.run.window.max(1);
    match growth(report, &(from.div_ceil(window) as usize..(report.reached() / window) as usize))? {
        Growth::Grows(name, rate, None) if judgement.kind != VerdictKind::Overloaded => {
            Some(format!("the queue of {name} grows by {}/s", short(rate)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Cause;
    use crate::report::synthetic::{Second, disturbed, full_report, healthy, run};
    use crate::report::{Edge, Section, Unit, Value, judge};

    fn details_of(mut report: Report) -> Vec<String> {
        judge(&mut report);
        report.verdict.details
    }

    /// (lost, in doubt, what is said), however well all else goes.
    #[test]
    fn writes_that_were_acknowledged_and_are_lost() {
        for (lost, in_doubt, said) in [
            (0.0, 0.0, None),
            (1.0, 0.0, Some("1 write that shop had acknowledged is lost")),
            (28.0, 0.0, Some("28 writes that shop had acknowledged are lost")),
            (0.0, 3.0, Some("of 3 writes that shop had acknowledged nobody can tell whether they are done")),
            (5.0, 2.0, Some("5 writes that shop had acknowledged are lost, and of 2 more nobody can tell")),
        ] {
            let mut report = run(300, |_| healthy(1_000));
            let value = |value| Value { value: Some(value), ..Value::new(Unit::Plain, "") };
            let section = Section::new("write_behind", "shop").value("lost", value(lost));
            report.sections.push(section.value("in_doubt", value(in_doubt)));
            let details = details_of(report);
            let found = details.iter().find(|detail| detail.contains("acknowledged"));
            assert_eq!(found.map(String::as_str), said);
        }
    }

    /// (how many are to be written at the end of each second, how many are left of how many, whether that is said), however well all else goes.
    #[test]
    fn writes_that_become_more_all_the_time() {
        let luck = |second: u64| (second * 37 % 11) as f64;
        let grows: fn(u64) -> f64 = |second| 50.0 * second as f64;
        let saw: fn(u64) -> f64 = |second| 100.0 * (second % 70) as f64;
        let full: fn(u64) -> f64 = |second| 50.0 * second.min(100) as f64;
        let since: fn(u64) -> f64 =
            |second| if second < 95 { 40.0 * second as f64 } else { 10.0 * second as f64 };
        for (to_write, passed_on, left, taken, fault, said) in [
            (grows, 14_950.0, 15_050.0, 30_000.0, None, true),
            (grows, 0.0, 15_050.0, 30_000.0, None, false),
            (grows, 984_950.0, 15_050.0, 1_000_000.0, None, false),
            (saw, 28_000.0, 2_000.0, 30_000.0, None, false),
            (full, 25_000.0, 5_000.0, 30_000.0, None, false),
            // A fault has ended: what counts is the time since then, and not where it is less than it was.
            (grows, 14_950.0, 15_050.0, 30_000.0, Some(100), true),
            (saw, 28_000.0, 2_000.0, 30_000.0, Some(280), false),
            (since, 27_000.0, 3_000.0, 30_000.0, Some(100), false),
        ] {
            let mut report = run(300, |_| healthy(1_000));
            if let Some(to) = fault {
                report = disturbed(report, "slow", 60, Some(to));
            }
            let value = |value| Value { value: Some(value), ..Value::new(Unit::Plain, "") };
            let section = Section::new("write_behind", "shop").value("left", value(left));
            let section = section.value("passed_on", value(passed_on)).value("taken", value(taken));
            let mut section = section.line("to_write", Unit::Plain, "");
            section.draw("to_write", (0..300).map(|second| to_write(second) + luck(second)).collect());
            report.sections.push(section);
            let details = details_of(report);
            let found = details.iter().find(|detail| detail.contains("acknowledged"));
            let text = "by the end 15050 writes that shop had acknowledged wait to be passed on, and there are more of them all the time";
            assert_eq!(found.map(String::as_str), said.then_some(text), "{left} of {taken}, {fault:?}");
        }
    }

    /// A storm: nearly nothing is answered from 60 s on, the fault ends at 90 s.
    fn storm() -> Report {
        disturbed(
            run(300, |second| {
                if second < 60 { healthy(1_000) } else { Second { started: 1_000, ok: 30, failed: 970 } }
            }),
            "slow",
            60,
            Some(90),
        )
    }

    /// Who kills is told where nothing else went wrong, once and often; and not where all is well, or a fault is there to be blamed.
    #[test]
    fn what_is_killed_from_within_is_told() {
        let killed = |kills: f64, mut report: Report| {
            let value = Value { value: Some(kills), ..Value::new(Unit::Plain, "") };
            report.sections.push(Section::new("memory_leak", "api").value("kills", value));
            details_of(report).into_iter().find(|detail| detail.contains("killed"))
        };
        let failing = || run(300, |_| Second { started: 100, ok: 30, failed: 70 });
        assert_eq!(
            killed(6.0, failing()).as_deref(),
            Some("replicas of api were killed 6 times (memory leak)")
        );
        assert_eq!(killed(1.0, failing()).as_deref(), Some("a replica of api was killed (memory leak)"));
        assert_eq!(killed(0.0, failing()), None);
        assert_eq!(killed(6.0, run(300, |_| healthy(100))), None);
        assert_eq!(killed(6.0, storm()), None);
    }

    /// A service is full since it waits for a pool, whose other end waits for nobody: the last of them is told, too.
    #[test]
    fn what_is_behind_a_full_service_is_told() {
        let behind = |share: u64| {
            let mut report = storm();
            let calls = &mut report.edges.0[0].1.calls;
            calls.failed_by[Cause(Outcome::Rejected)] = calls.failed();
            for (name, ending) in
                [("checkout->payments", Ending::PoolFull), ("payments->db", Ending::Deadline)]
            {
                let mut edge = Edge::default();
                edge.calls.started = 1_000;
                edge.calls.add(ending, share);
                edge.calls.add(Ending::Ok, 1_000 - share);
                report.edges.push(name, edge);
            }
            report.edges.push("other->db", report.edges.0[0].1.clone());
            details_of(report).into_iter().find(|detail| detail.starts_with("of the calls"))
        };
        assert_eq!(
            behind(730).as_deref(),
            Some("of the calls from payments to db 73 % passed their deadline")
        );
        assert_eq!(behind(90), None, "that is not why");
    }

    #[test]
    fn a_storm_is_explained() {
        let mut report = storm();
        let mut inner: Edge = report.edges.0[0].1.clone();
        inner.from_users = false;
        inner.windows.attempts = inner.windows.started.iter().map(|started| started * 298 / 100).collect();
        report.edges.push("checkout->payments", inner);
        report.edges.0[0].1.windows.attempts = report.edges.0[0].1.windows.started.clone();
        // What times out inside is an error to the user.
        let inner = &mut report.edges.0[1].1.calls;
        inner.failed_by[Cause(Outcome::TimedOut)] = inner.failed() * 9 / 10;
        inner.failed_by[Cause(Outcome::Rejected)] = inner.failed() / 10;
        let calls = &mut report.edges.0[0].1.calls;
        calls.failed_by[Cause(Outcome::Error)] = calls.failed();
        (calls.ended[Ending::InFlight], calls.in_flight_age) = (4_210, Some(12_000_000_000));
        let mut services = full_report().services;
        let service = &mut services.0[0].1;
        (service.work, service.work_wasted, service.work_in_vain) = (1_000, 710, 20);
        service.windows.queue_max = vec![512; 300];
        report.services = services;
        assert_eq!(
            details_of(report),
            [
                "a replica of payments died of its load",
                "by the end a call from checkout to payments costs 2.98 attempts",
                "71 % of the work in payments was for callers who had given up",
                "2 % of the work in payments was for requests that failed in the end",
                "of the failed calls from checkout to payments 90 % timed out",
                "by the end the queue of payments is always full",
                "4210 calls still wait at the end, 12 s old on average",
            ]
        );
    }

    #[test]
    fn a_recovery_says_what_it_was_a_recovery_from() {
        let outage = |second: u64| {
            if (60..90).contains(&second) {
                Second { started: 100, ok: 12, failed: 88 }
            } else {
                healthy(100)
            }
        };
        let one = details_of(disturbed(run(200, outage), "slow", 60, Some(90)));
        assert_eq!(one[0], "while the fault lasted 12 % of calls were served");
        let two = disturbed(disturbed(run(200, outage), "slow", 60, Some(80)), "crash", 85, Some(90));
        assert_eq!(
            details_of(two)[0],
            "from the first fault to the end of the last 12 % of calls were served"
        );
    }

    #[test]
    fn retries_at_several_layers_multiply() {
        let mut report = run(60, |_| Second { started: 100, ok: 0, failed: 100 });
        for (name, per_user_call) in [("a->b", 4.0), ("b->c", 16.0)] {
            let edge =
                Edge { amplification: Some(4.0), per_user_call: Some(per_user_call), ..Edge::default() };
            report.edges.push(name, edge);
        }
        let details = details_of(report);
        let expected = "retries multiply: a user's call costs 16 attempts from b to c";
        assert!(details.contains(&expected.into()), "{details:?}");
    }

    #[test]
    fn errors_are_named_where_nothing_else_failed() {
        let mut report = storm();
        let calls = &mut report.edges.0[0].1.calls;
        calls.failed_by[Cause(Outcome::Error)] = calls.failed();
        let details = details_of(report);
        let expected = "of the failed calls from users to checkout 100 % were answered with an error";
        assert!(details.contains(&expected.into()), "{details:?}");
    }

    #[test]
    fn nothing_is_said_when_there_is_nothing_to_say() {
        assert_eq!(details_of(run(120, |_| healthy(100))), [""; 0]);
        assert_eq!(details_of(disturbed(run(120, |_| healthy(100)), "slow", 60, Some(80))), [""; 0]);
    }

    #[test]
    fn what_normal_is_compared_with_is_said() {
        let early = details_of(disturbed(run(120, |_| healthy(100)), "slow", 5, Some(30)));
        assert!(early[0].contains("normal is taken to be all that is offered"), "{early:?}");
        let poor = details_of(disturbed(
            run(120, |_| Second { started: 100, ok: 60, failed: 40 }),
            "slow",
            60,
            Some(80),
        ));
        assert!(
            poor.contains(&"even before the disturbance only 60 % of calls were served".into()),
            "{poor:?}"
        );
        let slower = details_of(disturbed(
            run(120, |second| healthy(if second < 60 { 1_000 } else { 30 })),
            "slow",
            60,
            Some(80),
        ));
        assert_eq!(slower, ["users offer 30/s at the end, 1000/s before the disturbance"]);
    }
}
