//! Which mechanism helps: every one that can stand on an edge or in the service behind it, with its own typical settings, on shared
//! luck; then the best setting of each on seeds that none was chosen on.
//!
//! What there is to try is asked of the mechanisms ([`Part::samples`](sim_models::policy::part::Part::samples)), so a new one is tried
//! as soon as there is one. Of a service those are tried that turn away, choose, order, answer or leave out; what breaks, slows or stops it is
//! its nature, not a remedy. The two settings of each mechanism that do best on the first seed are run on the second, the others not. Samples are on the scale of milliseconds: their times are stretched to that of the edge's answers, their
//! rates to what one client of it sends.

use super::goal::{Goal, Seen};
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::jobs::{in_order, threads};
use crate::library::nearest;
use crate::progress::Meter;
use crate::result::column::Column;
use crate::result::effect::Effect;
use crate::result::estimate::{Estimate, Measured, OfWhom};
use crate::result::helped::{self, Does as Helps, Helped, Tried};
use crate::result::seeds::{CONFIDENCE, Seeds};
use crate::study::replicate::spelled_out;
use crate::study::runs::{Runs, Settings, Start, incomplete};
use crate::text::escape;
use crate::text::number::{count, number, percent};
use sim_core::{Rate, SimDuration};
use sim_models::experiment::{Diagnostics, Entry, Kind, Node, parse_value};
use sim_models::mechanism::Mechanism;
use sim_models::policy::Outcome;
use sim_models::policy::part::Does;
use sim_models::policy::preset::Seat;
use sim_models::report::{Edge, Report};
use std::collections::BTreeSet;

/// Seeds on which the best setting of each is chosen.
const RACE: u32 = 2;
/// Of the mechanisms of a service those that do any of this are tried, unless they do harm as well.
const REMEDIES: Does = Does::REFUSES
    .and(Does::STEERS)
    .and(Does::REORDERS)
    .and(Does::EXPIRES)
    .and(Does::SHEDS)
    .and(Does::ANSWERS)
    .and(Does::OMITS);
const HARM: Does = Does::FAILS.and(Does::BREAKS).and(Does::PAUSES).and(Does::STRETCHES);
/// What may change for reasons of its own is none by one setting of it.
const OWN: Does = HARM.and(Does::VARIES);
/// Settings of a mechanism that are run on a second seed.
const AGAIN: usize = 2;
/// How long an answer takes, in nanoseconds, and how many calls come per second, where samples are as they should be.
const USUAL_ANSWER: f64 = 10e6;
const USUAL_RATE: f64 = 80.0;
/// A setting is as good as another within this share of it: then the shorter one is taken.
const AS_GOOD: f64 = 0.01;
/// About so many runs it takes where nobody says less.
const EXPECTED: usize = 450;
/// Below this share of all attempts what fails is not what anything is about.
const HARDLY_ANY: f64 = 1e-3;
/// Other edges that are named.
const MOST_NAMED: usize = 6;

/// How many runs it may take.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// In all.
    pub runs: usize,
    /// Fresh seeds for each mechanism.
    pub fresh: u32,
}

/// A setting to be tried.
#[derive(Clone, Debug)]
struct Trial {
    name: String,
    what: String,
    set: Settings,
}

/// Tries them all: what came of it, and the exit code.
pub fn mechanisms(
    app: &mut App,
    start: Start,
    goal: &Goal,
    seed: u64,
    edge: Option<&str>,
    allowed: Allowed,
) -> Result<(Helped, Exit)> {
    let seats = start.base.model.seats();
    if seats.is_empty() {
        return Err(Error::Usage {
            message: "there is no edge on which a mechanism could stand: only graphs of services have them"
                .into(),
            help: "  of other models, choose among values: --set PATH=LOW..HIGH".into(),
        });
    }
    let meter = Meter::of_search(&app.console, &start.opened.found.name, allowed.runs.min(EXPECTED));
    let runs = Runs::new(app, start, &meter);
    let stopped = |app: &App| Error::Stopped(app.console.interrupt.exit().unwrap_or(Exit::Limit));
    let Some(first) = runs.journey(&[], seed, None)?.end()? else { return Err(stopped(app)) };
    let (seat, why) = match edge {
        Some(edge) => (named(edge, &seats)?, "as asked".into()),
        None => where_it_arises(&first, &seats),
    };
    let all: Vec<Mechanism> = app.catalog.mechanisms().collect();
    let mut trials = trials(start, seat, &all, &first);
    let mut names: Vec<String> = Vec::new();
    for trial in &trials {
        if !names.contains(&trial.name) {
            names.push(trial.name.clone());
        }
    }
    // Where all are too many the last of each are left out: those at the ends.
    let affordable = allowed.runs.saturating_sub((names.len() + 1) * allowed.fresh as usize) / RACE as usize;
    for each in (1..=trials.len()).rev() {
        if trials.len() < affordable {
            break;
        }
        keep_first(&mut trials, each);
    }

    let (each, leaders) = (trials.len() + AGAIN * names.len(), names.len() + 1);
    meter.expects(each + leaders * allowed.fresh as usize);
    let threads = threads(app.global.jobs);
    let see = |(set, seed): &(Settings, u64)| -> Result<Option<Seen>> {
        runs.journey(set, *seed, None)?.end()?.map(|report| goal.seen(&report)).transpose()
    };
    let run = |sets: &[Settings], seeds: Seeds| -> Result<Vec<Vec<Option<Seen>>>> {
        let jobs: Vec<(Settings, u64)> =
            seeds.iter().flat_map(|seed| sets.iter().map(move |set| (set.clone(), seed))).collect();
        let seen: Vec<Option<Seen>> = in_order(threads, &jobs, see).into_iter().collect::<Result<_>>()?;
        Ok((0..sets.len()).map(|n| seen.iter().skip(n).step_by(sets.len()).cloned().collect()).collect())
    };
    let race = Seeds { first: seed, count: RACE };
    let sets: Vec<Settings> =
        std::iter::once(Vec::new()).chain(trials.iter().map(|trial| trial.set.clone())).collect();
    // On the first seed all of them; on the others those that may yet lead.
    let mut raced = run(&sets, Seeds { count: 1, ..race })?;
    let score = |seen: &[Option<Seen>]| {
        let met = seen.iter().flatten().filter(|seen| goal.feasible(seen)).count();
        let values: Vec<f64> = seen.iter().flatten().filter_map(|seen| goal.value(seen)).collect();
        // Without a number on some seed it is worse than anything.
        let whole = values.len() == seen.len();
        (met, if whole { values.iter().sum::<f64>() } else { f64::NEG_INFINITY })
    };
    let same = |seen: &[Option<Seen>], base: &[Option<Seen>]| {
        let both = seen.iter().zip(base);
        both.clone().count() > 0
            && both.into_iter().all(|(one, other)| match (one, other) {
                (Some(one), Some(other)) => {
                    one.objective == other.objective && goal.feasible(one) == goal.feasible(other)
                }
                _ => false,
            })
    };
    let those =
        |name: &str| -> Vec<usize> { (0..trials.len()).filter(|n| trials[*n].name == name).collect() };
    let mut again: Vec<usize> = vec![0];
    for name in &names {
        let mut of_it = those(name);
        let score = |n: &usize| score(&raced[*n + 1]);
        // Those that do nothing say that of all of them, the plainest first.
        of_it.sort_by(|a, b| {
            let ((met, sum), (other_met, other)) = (score(a), score(b));
            other_met
                .cmp(&met)
                .then(other.total_cmp(&sum))
                .then(length(&trials[*a].set).cmp(&length(&trials[*b].set)))
        });
        of_it.truncate(AGAIN);
        again.extend(of_it.iter().map(|n| n + 1));
    }
    let rest = Seeds { first: race.first.wrapping_add(1), count: RACE - 1 };
    let chosen: Vec<Settings> = again.iter().map(|&n| sets[n].clone()).collect();
    for (n, seen) in again.iter().zip(run(&chosen, rest)?) {
        raced[*n].extend(seen);
    }
    let (mut leaders, mut idle): (Vec<(usize, usize)>, Vec<String>) = Default::default();
    for name in &names {
        let of_it = those(name);
        if of_it.iter().all(|&n| same(&raced[n + 1], &raced[0])) {
            idle.extend((!of_it.is_empty()).then(|| name.clone()));
            continue;
        }
        let kept: Vec<usize> =
            of_it.iter().copied().filter(|n| raced[n + 1].len() == raced[0].len()).collect();
        let scores: Vec<(usize, f64)> = kept.iter().map(|&n| score(&raced[n + 1])).collect();
        leaders
            .extend(plainest(&scores, |at| length(&trials[kept[at]].set)).map(|at| (kept[at], of_it.len())));
    }

    let fresh = Seeds { first: seed.wrapping_add(RACE.into()), count: allowed.fresh };
    let sets: Vec<Settings> =
        std::iter::once(Vec::new()).chain(leaders.iter().map(|(n, _)| trials[*n].set.clone())).collect();
    let seen = run(&sets, fresh)?;
    meter.finish(&mut app.console, None);
    let missing = seen.iter().flatten().filter(|run| run.is_none()).count();
    let all = seen.iter().flatten().count();
    let missing = (missing > 0).then(|| format!("{missing} of {all} runs on fresh seeds are missing"));
    let (exit, notes) = incomplete(&runs, app, missing);
    let Some(unit) = seen.iter().flatten().flatten().next().map(|seen| seen.unit) else {
        return Err(stopped(app));
    };
    let path = spelled_out(&first, &goal.metric);
    let metric = Column { short: path != goal.metric, path, unit, less_is_better: Some(goal.less) };
    let today = tried(goal, &seen[0], None);
    // Of so many comparisons some would be clear by chance.
    let each = 1.0 - (1.0 - CONFIDENCE) / leaders.len().max(1) as f64;
    let mut mechanisms: Vec<Tried> = leaders
        .iter()
        .zip(&seen[1..])
        .map(|(&(n, of_it), own)| {
            let Trial { name, what, set } = trials[n].clone();
            Tried { name, what, set, tried: of_it, ..tried(goal, own, Some((&seen[0], &today, each))) }
        })
        .collect();
    let sign = if goal.less { -1.0 } else { 1.0 };
    let value = |one: &Tried| one.objective.mean.map_or(f64::NEG_INFINITY, |mean| sign * mean);
    mechanisms
        .sort_by(|a, b| a.does.cmp(&b.does).then(b.held.cmp(&a.held)).then(value(b).total_cmp(&value(a))));
    let shares =
        |other: &&Seat| other.edge != seat.edge && seat.policy.is_some() && other.policy == seat.policy;
    let others = seats.iter().filter(|other| other.edge != seat.edge && edge.is_none()).take(MOST_NAMED);
    let look = mechanisms.first().filter(|first| first.does == Helps::Helps);
    let told = Helped {
        document: helped::DOCUMENT,
        format: helped::FORMAT,
        experiment: start.opened.found.name.clone(),
        variant: start.variant.map(String::from),
        set: start.fixed.to_vec(),
        metric,
        less: goal.less,
        conditions: goal.wishes.iter().map(ToString::to_string).collect(),
        edge: seat.edge.clone(),
        why,
        others: others.map(|other| other.edge.clone()).collect(),
        shared: seats.iter().filter(shares).map(|other| other.edge.clone()).collect(),
        tried: trials.len(),
        runs: runs.made(),
        race_seeds: race,
        fresh_seeds: fresh,
        incomplete: notes,
        look: look.map(|first| start.line(app, &first.set, fresh.first)),
        today,
        mechanisms,
        idle,
    };
    Ok((told, exit))
}

/// What a setting came to on the fresh seeds, beside what is set today.
fn tried(goal: &Goal, seen: &[Option<Seen>], today: Option<(&[Option<Seen>], &Tried, f64)>) -> Tried {
    let objective = |seen: &[Option<Seen>]| -> Vec<Measured> {
        seen.iter().map(|one| one.as_ref().map_or(Measured::Absent, |one| one.objective)).collect()
    };
    let met = |seen: &[Option<Seen>]| -> Vec<Measured> {
        let met = |one: &Option<Seen>| match one {
            Some(one) => Measured::Truth(goal.feasible(one)),
            None => Measured::Absent,
        };
        seen.iter().map(met).collect()
    };
    let values = objective(seen);
    let whom: Vec<OfWhom> = seen.iter().flatten().map(|one| one.whom[0]).collect();
    let own = Estimate::of(&values).of_those(&whom);
    let held = seen.iter().flatten().filter(|one| goal.feasible(one)).count() as u64;
    let mut tried =
        Tried { n: seen.iter().flatten().count() as u64, held, objective: own, ..Tried::default() };
    if let Some((theirs, today, confidence)) = today {
        let effect = Effect::paired(&values, &objective(theirs))
            .of_those(today.objective.of_whom(), tried.objective.of_whom());
        let survives = Effect::paired(&met(seen), &met(theirs));
        let gain = effect.gain(Some(goal.less)).filter(|_| effect.is_clear(confidence));
        tried.does = match (survives.clear, gain) {
            (true, _) if survives.larger > survives.smaller => Helps::Helps,
            (true, _) => Helps::Hurts,
            (false, Some(true)) if held >= today.held => Helps::Helps,
            (false, Some(false)) if held <= today.held => Helps::Hurts,
            _ => Helps::Unclear,
        };
        tried.effect = Some(effect);
    }
    tried
}

/// Of settings with on how many seeds they met all conditions and what they came to: the shortest of those that are as good as the best.
fn plainest(scores: &[(usize, f64)], length: impl Fn(usize) -> usize) -> Option<usize> {
    let best = scores
        .iter()
        .copied()
        .reduce(|a, b| if b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).is_gt() { b } else { a })?;
    let as_good = |at: &usize| {
        let (met, sum) = scores[*at];
        met == best.0 && (sum == best.1 || sum >= best.1 - AS_GOOD * best.1.abs())
    };
    (0..scores.len()).filter(as_good).min_by_key(|&at| length(at))
}

/// How much it takes to type.
fn length(set: &Settings) -> usize {
    set.iter().map(|(_, value)| value.len()).sum()
}

/// The first so many of each mechanism.
fn keep_first(trials: &mut Vec<Trial>, each: usize) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    trials.retain(|trial| {
        let at = match seen.iter().position(|(name, _)| *name == trial.name) {
            Some(at) => at,
            None => {
                seen.push((trial.name.clone(), 0));
                seen.len() - 1
            }
        };
        seen[at].1 += 1;
        seen[at].1 <= each
    });
}

/// Everything that can be tried there, in the order in which a call meets it.
fn trials(start: Start, seat: &Seat, all: &[Mechanism], base: &Report) -> Vec<Trial> {
    let edge = base.edges.get(&seat.edge);
    let callee = callee(&seat.edge);
    let stretch = Stretch::of(start, seat, base, edge);
    let new =
        (1..).map(|n| format!("tried{n}")).find(|name| !seat.names.contains(name)).expect("a free name");
    let of_policy = |key: &str, value: String| -> Settings {
        match &seat.policy {
            Some(name) => vec![(format!("policies.{}.{key}", step(name)), value)],
            None => vec![
                (format!("policies.{new}"), format!("({key}: {value})")),
                (seat.path.clone(), format!("{new:?}")),
            ],
        }
    };
    let mut found: Vec<Trial> = Vec::new();
    let mut trial = |name: String, what: &str, set: Settings| {
        found.push(Trial { name, what: what.into(), set });
    };
    let mut paths: Vec<&str> = Vec::new();
    for mechanism in all.iter().filter(|mechanism| mechanism.page.word.is_empty()) {
        if paths.contains(&mechanism.path.as_str()) {
            continue;
        }
        paths.push(&mechanism.path);
        let key = |head: &str| {
            mechanism.path.strip_prefix(head).filter(|key| !key.contains(['.', '['])).map(String::from)
        };
        let page = |value: &str| {
            let chosen = |other: &&Mechanism| {
                let word = other.page.word;
                other.path == mechanism.path && !word.is_empty() && named_so(value, word)
            };
            all.iter().find(chosen).unwrap_or(mechanism).page
        };
        if let Some(key) = key("policies.NAME.") {
            let today = seat.settings.iter().find(|(set, _)| *set == key).map(|(_, value)| value);
            if let Some(today) = today {
                let without = format!("Without it: {}", mechanism.page.what);
                trial(format!("no {}", mechanism.page.name), &without, of_policy(&key, "None".into()));
                for times in [0.5, 2.0] {
                    if let Some(value) = times_as_long(today, times) {
                        trial(mechanism.page.name.into(), mechanism.page.what, of_policy(&key, value));
                    }
                }
            }
            for sample in &mechanism.samples {
                let page = page(sample);
                let Some(value) = stretch.value(sample) else { continue };
                trial(page.name.into(), page.what, of_policy(&key, value));
            }
        } else if let Some(key) = key("services.NAME.") {
            let harmless = mechanism.does.any(REMEDIES) && !mechanism.does.any(HARM);
            for (sample, does) in mechanism.samples.iter().zip(&mechanism.sampled) {
                // Who answers from what it keeps is one whatever else it costs; another is where this setting is.
                let helps = does.any(REMEDIES) && !does.any(OWN) || does.any(Does::ANSWERS);
                if !harmless && !helps {
                    continue;
                }
                let page = page(sample);
                let Some(value) = stretch.value(sample) else { continue };
                trial(
                    page.name.into(),
                    page.what,
                    vec![(format!("services.{}.{key}", step(&callee)), value)],
                );
            }
        }
    }
    let path = format!("services.{}.replicas", step(&callee));
    if let Some(replicas) = start.base.value(&path).and_then(|node| node.to_line().parse::<u32>().ok()) {
        let more = replicas + (replicas / 4).max(1);
        trial(
            "more replicas".into(),
            "More of the same, to hold the others against.",
            vec![(path, more.to_string())],
        );
    }
    // What is as today, what cannot stand there, and what is the same as another.
    let mut known = BTreeSet::from([start.base.input_digest]);
    found.retain(|trial| {
        let set: Settings = start.fixed.iter().chain(&trial.set).cloned().collect();
        let resolved = start.opened.experiment.with(start.variant, &set);
        resolved.is_ok_and(|resolved| known.insert(resolved.input_digest))
    });
    found
}

/// Whether a value is chosen by this word.
fn named_so(value: &str, word: &str) -> bool {
    value.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// A name as a step of a path.
fn step(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.chars().all(plain) { name.into() } else { format!("{name:?}") }
}

/// A plain time, so many times as long.
fn times_as_long(value: &str, times: f64) -> Option<String> {
    let time: SimDuration = value.trim_matches('"').parse().ok()?;
    (!time.is_zero()).then(|| format!("\"{}\"", SimDuration::from_nanos_f64(time.as_nanos() as f64 * times)))
}

/// By how much samples are stretched: their times and their rates.
#[derive(Clone, Copy)]
struct Stretch {
    times: f64,
    rates: f64,
}

impl Stretch {
    fn of(start: Start, seat: &Seat, base: &Report, edge: Option<&Edge>) -> Self {
        let answer = edge.and_then(|edge| {
            let calm = edge.stretches.first().map_or(&edge.latency, |before| &before.latency);
            calm.p50.or(edge.latency.p50)
        });
        let times = round_step(answer.map_or(1.0, |ns| ns as f64 / USUAL_ANSWER));
        let seconds = (base.run.duration.saturating_sub(base.run.warm_up)) as f64 / 1e9;
        let workload = seat.path.strip_suffix(".policy").filter(|path| path.starts_with("workload"));
        let clients = match workload {
            Some(workload) => start.base.value(&format!("{workload}.clients")),
            None => start.base.value(&format!("services.{}.replicas", step(caller(&seat.edge)))),
        };
        let clients = clients.and_then(|node| node.to_line().parse::<f64>().ok()).unwrap_or(1.0).max(1.0);
        let per_client = edge.map_or(0.0, |edge| edge.calls.started as f64 / seconds.max(1e-9) / clients);
        let rates = if per_client > 0.0 { round_step(per_client / USUAL_RATE) } else { 1.0 };
        Stretch { times, rates }
    }

    /// A sample on this scale, as one would type it.
    fn value(self, sample: &str) -> Option<String> {
        let node = parse_value(sample, 0, 0, "", &mut Diagnostics::new())?;
        Some(self.node(node).to_line())
    }

    fn node(self, mut node: Node) -> Node {
        let all = |nodes: Vec<Node>| nodes.into_iter().map(|node| self.node(node)).collect::<Vec<_>>();
        let those = |entries: Vec<Entry>| {
            entries.into_iter().map(|it| Entry { value: self.node(it.value), ..it }).collect::<Vec<_>>()
        };
        node.kind = match node.kind {
            Kind::Text(text) => Kind::Text(self.text(text)),
            Kind::List(items) => Kind::List(all(items)),
            Kind::Tuple(name, items) => Kind::Tuple(name, all(items)),
            Kind::Map(entries) => Kind::Map(those(entries)),
            Kind::Struct(name, entries) => Kind::Struct(name, those(entries)),
            other => other,
        };
        node
    }

    fn text(self, text: String) -> String {
        if let Ok(time) = text.parse::<SimDuration>() {
            return SimDuration::from_nanos_f64(time.as_nanos() as f64 * self.times).to_string();
        }
        match text.parse::<Rate>() {
            Ok(rate) => format!("{}/s", crate::text::number::tidy(rate.get() * self.rates)),
            Err(_) => text,
        }
    }
}

/// The nearest of 1, 2 and 5 of a decade.
fn round_step(x: f64) -> f64 {
    if !(x.is_finite() && x > 0.0) {
        return 1.0;
    }
    let steps = (-6..=6).flat_map(|decade: i32| [1, 2, 5].map(|digit| format!("{digit}e{decade}")));
    let steps = steps.map(|text| text.parse::<f64>().expect("a number"));
    let far = |step: f64| if step > x { step / x } else { x / step };
    steps.reduce(|a, b| if far(b) < far(a) { b } else { a }).unwrap_or(1.0)
}

fn caller(edge: &str) -> &str {
    edge.split("->").next().unwrap_or(edge)
}

/// The service behind an edge, whichever of the call sites it is.
fn callee(edge: &str) -> String {
    let callee = edge.split("->").nth(1).unwrap_or(edge);
    callee.split(['#', '/']).next().unwrap_or(callee).into()
}

fn named<'s>(edge: &str, seats: &'s [Seat]) -> Result<&'s Seat> {
    seats.iter().find(|seat| seat.edge == edge).ok_or_else(|| {
        let names: Vec<String> = seats.iter().map(|seat| escape(&seat.edge)).collect();
        let near = nearest(edge, names.iter().cloned())
            .map_or(String::new(), |near| format!("  did you mean `{near}`?\n"));
        Error::Usage {
            message: format!("there is no edge called `{}`", escape(edge)),
            help: format!("{near}  there are: {}", names.join(", ")),
        }
    })
}

/// Attempts over an edge that failed, other than because a call behind it had.
fn arisen(report: &Report, name: &str) -> u64 {
    let Some(edge) = report.edges.get(name) else { return 0 };
    let bad = edge.attempts.sent
        - edge.attempts.of(Outcome::Ok)
        - edge.attempts.of(Outcome::InFlight)
        - edge.attempts.of(Outcome::Cancelled);
    let behind = callee(name);
    let passed_on = report.edges.iter().filter(|(other, _)| caller(other) == behind);
    bad.saturating_sub(passed_on.map(|(_, edge)| edge.calls.ended_badly()).sum())
}

/// The edge on which most fails that has not failed behind it, or else the one before the busiest service; and why.
fn where_it_arises<'s>(report: &Report, seats: &'s [Seat]) -> (&'s Seat, String) {
    let all: u64 = seats.iter().map(|seat| arisen(report, &seat.edge)).sum();
    let most =
        |a: &'s Seat, b: &'s Seat| if arisen(report, &b.edge) > arisen(report, &a.edge) { b } else { a };
    let service = |seat: &Seat| report.services.get(callee(&seat.edge).as_str());
    let sent: u64 = report.edges.iter().map(|(_, edge)| edge.attempts.sent).sum();
    if all as f64 > HARDLY_ANY * sent as f64 {
        let seat = seats.iter().reduce(most).expect("there are seats");
        let own = arisen(report, &seat.edge);
        let mut why = vec![match own == all {
            true => format!("all attempts that fail do so here first, {} of them", count(all)),
            false => format!("of {} attempts that fail {} do so here first", count(all), count(own)),
        }];
        let amplification = report.edges.get(seat.edge.as_str()).and_then(|edge| edge.amplification);
        why.extend(
            amplification.filter(|it| *it > 1.05).map(|it| format!("a call costs {} attempts", number(it))),
        );
        let wasted = service(seat).and_then(|service| service.wasted).filter(|share| *share > 0.01);
        why.extend(
            wasted.map(|share| {
                format!("{} of the work in {} is for nobody", percent(share), callee(&seat.edge))
            }),
        );
        return (seat, why.join(", "));
    }
    let busy = |seat: &Seat| service(seat).map_or(0.0, |service| service.utilisation);
    let seat = seats.iter().reduce(|a, b| if busy(b) > busy(a) { b } else { a }).expect("there are seats");
    let few = if all > 0 { "hardly anything" } else { "nothing" };
    let why = format!(
        "{few} fails, and {} is the busiest, for {} of the time",
        callee(&seat.edge),
        percent(busy(seat))
    );
    (seat, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_models::policy::Ending;

    fn edge(calls: u64, bad_calls: u64, sent: u64, ok: u64) -> Edge {
        let mut edge = Edge::default();
        edge.calls.started = calls;
        edge.calls.ended[Ending::Ok] = calls - bad_calls;
        edge.calls.ended[Ending::FAILED] = bad_calls;
        edge.attempts.sent = sent;
        edge.attempts.ended[Outcome::Ok] = ok;
        edge.attempts.ended[Outcome::TimedOut] = sent - ok;
        edge
    }

    fn seat(name: &str) -> Seat {
        let (edge, path) = (name.into(), "p".into());
        Seat { edge, path, policy: None, settings: Vec::new(), attempts: 1, names: Vec::new() }
    }

    #[test]
    fn what_fails_behind_an_edge_does_not_arise_on_it() {
        let mut report = Report::default();
        // Every user fails because a call to b has, which took three attempts.
        report.edges.push("users->a", edge(100, 90, 100, 10));
        report.edges.push("a->b", edge(100, 90, 290, 10));
        let seats = [seat("users->a"), seat("a->b")];
        let (found, why) = where_it_arises(&report, &seats);
        assert_eq!(
            (found.edge.as_str(), arisen(&report, "users->a"), arisen(&report, "a->b")),
            ("a->b", 0, 280)
        );
        assert!(why.starts_with("all attempts that fail do so here first, 280 of them"), "{why}");
        // A handful in a million is no place to look.
        let mut calm = Report::default();
        calm.edges.push("users->a", edge(1_000_000, 0, 1_000_000, 1_000_000));
        calm.edges.push("a->b", edge(1_000_000, 5, 1_000_005, 999_995));
        let (_, why) = where_it_arises(&calm, &seats);
        assert!(why.starts_with("hardly anything fails, and a is the busiest"), "{why}");
        // A user who gives up while b answers has failed here.
        report.edges.push("users->c", edge(50, 50, 500, 0));
        let seats = [seat("users->a"), seat("a->b"), seat("users->c")];
        assert_eq!(where_it_arises(&report, &seats).0.edge, "users->c");
        assert_eq!(
            (caller("a->b#2"), callee("a->b#2").as_str(), callee("a->b/callback").as_str()),
            ("a", "b", "b")
        );
    }

    #[test]
    fn the_plainest_of_those_that_are_as_good_is_taken() {
        let lengths = [9, 5, 7, 1];
        let of = |scores: &[(usize, f64)]| plainest(scores, |at| lengths[at]);
        assert_eq!(of(&[(2, 1000.0), (2, 995.0), (2, 996.0), (2, 700.0)]), Some(1));
        assert_eq!(
            of(&[(1, 1000.0), (1, 999.0), (2, 300.0), (1, 999.0)]),
            Some(2),
            "it survives, and they do not"
        );
        assert_eq!(
            of(&[(0, f64::NEG_INFINITY), (0, -50.0), (0, -50.1), (0, -80.0)]),
            Some(1),
            "less was wanted"
        );
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn samples_are_on_the_scale_of_the_edge() {
        let stretch = Stretch { times: 20.0, rates: 0.5 };
        for (sample, expected) in [
            ("\"50ms\"", "\"1s\""),
            ("Fixed(attempts: 3)", "Fixed(attempts: 3)"),
            (r#"TokenBucket(rate: "100/s", burst: 5)"#, r#"TokenBucket(rate: "50/s", burst: 5)"#),
            (r#"Percentile(percent: 90, window: "1s")"#, r#"Percentile(percent: 90, window: "20s")"#),
        ] {
            assert_eq!(stretch.value(sample).as_deref(), Some(expected));
        }
        assert_eq!([0.0, 0.9, 3.0, 4.0, 17.0].map(round_step), [1.0, 1.0, 2.0, 5.0, 20.0]);
        assert!(named_so("Lifo(capacity: 5)", "Lifo") && !named_so("LifoX", "Lifo"));
        assert_eq!(times_as_long("\"200ms\"", 0.5).as_deref(), Some("\"100ms\""));
        assert_eq!(times_as_long("Fixed(attempts: 3)", 2.0), None);
    }
}
