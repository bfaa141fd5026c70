//! Calls that a replica makes by itself, for no user, and work that it does: when it has started, or when a network that had cut it off is whole
//! again.
//!
//! It fills a cache, registers, fetches its configuration, looks for a new mirror. One that does so is nothing; but a deploy, a zone that comes back
//! or a repaired switch makes all of them do so at the same moment, and whoever they call has that load on top of its own: a storm that no
//! user sent, as large as `replicas * times`.
//!
//! The calls are calls, over edges of their own, `nodes->control/on_start`, each under its policy: retries, timeouts, a bulkhead that lets so many
//! out at a time. What still fails is made again `again` after the first of them has failed, and again, until all have ended well; without `again` it is
//! given up. A crash ends those that are out: who makes them at a start begins anew, and who was cut off goes on with what was not done when it has
//! started again. Whoever has been told to go does not wait for them, and whoever comes in its place has nothing to do with them.
//!
//! With `before_ready` a replica takes nothing before all have ended well, so whoever is slow to answer keeps it out. Those that are there when a
//! run begins have made them, unless that is when they are to, with `at_begin`: a site that is switched on.
//!
//! When its calls have ended it does its work, if it has any: it replays a log, builds an index, fills a cache from what it has fetched. Meanwhile it
//! serves, with what of its capacity is left: what takes a share `a` makes whatever else it begins then take `1 / (1 - a)` times as long. With
//! `before_ready` it serves when that is done as well, and not before. A crash ends the work, and so does whoever tells it to go: it begins anew.
//! Left out: it holds no worker, so no utilisation shows it; only what is served meanwhile does.
//!
//! A replica was cut off if no message could pass one of its edges to `to`, one way or the other: all are dropped, or held; where
//! zones are apart, between its own and any other.

use super::Control;
use super::versions::{Burden, OF_START};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Node, POSITIVE, Spanned};
use crate::fault::{Reach, Whose};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::{Caller, Errand, Plan};
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use sim_core::sampler::Distribution;
use sim_core::{Class, Key, Luck, SimDuration, SimTime, StreamUse, Streams, Timer, Words};

/// What an edge is called over which a replica makes them, after the two ends.
pub const BY_ITSELF: &str = "/on_start";

spec! {
    /// Calls that each replica makes by itself when it has started, or is no longer cut off, and work that it does.
    pub struct OnStart where check {
        /// When it makes them.
        when: When = When::Start,
        /// Which; all at once, as far as their policies let them.
        calls: Vec<StartCall> = Vec::new(); Len(0..=100),
        /// Work of its own, when all of them have ended: a log is replayed, an index built; none if absent.
        work: Option<StartWork> = None,
        /// Each replica begins after a time of its own, uniform up to this: jitter.
        spread: SimDuration = SimDuration::ZERO,
        /// How long after one has failed, retries included, those that have are made again; absent: they are given up.
        again: Option<SimDuration> = None; POSITIVE,
        /// Whether a replica that starts is ready only when all of them have ended well, which needs `again`, and its work is done.
        before_ready: bool = false,
        /// Whether those that are there when a run begins make them then, as all do that start later.
        at_begin: bool = false,
    }
}

spec! {
    /// Work that a replica does by itself.
    pub struct StartWork {
        /// How long it takes, drawn for each time.
        time: TimeDistribution,
        /// The share of what the replica can do that it takes meanwhile: whatever else is begun then takes `1 / (1 - share)` times as long.
        /// Before the replica is ready it has all of it.
        share: f64 = 0.5; 0.0..=0.99,
    }
}

spec! {
    /// When a replica makes calls by itself.
    pub enum When {
        /// When it has started: after a crash or a drain, for an autoscaler or a rollout. Those that are there when a run begins only with `at_begin`.
        Start,
        /// When a network fault ends that had cut it off.
        Reconnect {
            /// From which service: one that it calls.
            to: Spanned<String>,
        },
    }
}

spec! {
    /// Calls to one service, made by itself.
    pub struct StartCall {
        /// The service called.
        to: Spanned<String>,
        /// How many.
        times: u32 = 1; 1..=10_000,
        /// Name of the policy; none means: wait for ever, never retry.
        policy: Option<Spanned<String>> = None,
        /// One-way network latency; absent means the graph's.
        network: Option<TimeDistribution> = None,
    }
}

fn check(says: &OnStart, at: &Node, cx: &mut Decoder) {
    if says.at_begin {
        let (message, help) = match says.from() {
            Some(from) => (
                format!("nobody has been cut off from {} when a run begins", from.value),
                "leave it out, or let them be made at a Start",
            ),
            None if says.before_ready => (
                "those that are there when a run begins are ready".to_owned(),
                "leave out one of `at_begin` and `before_ready`",
            ),
            None => (String::new(), ""),
        };
        if !message.is_empty() {
            cx.error(at.span_of("at_begin"), message).help(help);
        }
    }
    if says.calls.is_empty() && says.work.is_none() {
        cx.error(at.span, "neither calls nor work: nothing is done at a start")
            .help("say its `calls`, or its `work`");
    }
    if says.calls.is_empty() && says.again.is_some() {
        cx.warn(at.span_of("again"), "there are no calls to be made again")
            .help("leave it out, or say its `calls`");
    }
    let is_slow = says.work.as_ref().is_some_and(|work| work.time.nanos.mean() > 0.0);
    if says.work.is_some() && !is_slow {
        cx.warn(at.span_of("work"), "its work takes no time: it is as if it were not there")
            .help("a longer `time`");
    }
    if !says.before_ready {
        return;
    }
    if says.again.is_none() && !says.calls.is_empty() {
        let message = "a replica one of whose calls fails would never be ready";
        cx.error(at.span_of("before_ready"), message).help("say when it is made again: again: \"1s\"");
    }
    if says.from().is_some() {
        let message = "a replica that was cut off has been ready all the time";
        cx.error(at.span_of("before_ready"), message).help("leave it out, or let them be made at a Start");
    }
}

impl OnStart {
    /// From which service a replica must have been cut off, if it must.
    pub fn from(&self) -> Option<&Spanned<String>> {
        match &self.when {
            When::Start => None,
            When::Reconnect { to } => Some(to),
        }
    }
}

/// The same of so many replicas.
pub struct OfAll<'a> {
    pub says: &'a OnStart,
    pub replicas: u32,
}

impl Part for OfAll<'_> {
    fn does(&self) -> Does {
        let varies = self.says.before_ready || self.says.work.is_some();
        if varies { Does::VARIES } else { Does::NOTHING }
    }

    fn brief(&self) -> Option<String> {
        let calls: u64 = self.says.calls.iter().map(|call| u64::from(call.times)).sum();
        let when = if self.says.from().is_some() { "a reconnection" } else { "a start" };
        let calls = (calls > 0).then(|| format!("{calls} calls"));
        let work =
            self.says.work.as_ref().map(|work| format!("work of {}", crate::diagram::time(&work.time)));
        let what: Vec<String> = calls.into_iter().chain(work).collect();
        Some(format!("{} at {when}", what.join(" and ")))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at, self.says.work.is_some())]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let when = match self.says.from() {
            None if self.says.at_begin => "has started, or is there when the run begins,".into(),
            None => "has started".into(),
            Some(from) => format!("was cut off from {} and no longer is", from.value),
        };
        let spread = match self.says.spread.is_zero() {
            true => "at once".into(),
            false => format!("within {}", self.says.spread.brief()),
        };
        let (name, replicas) = (around.name, self.replicas);
        let note = |call: &StartCall| {
            let (to, times) = (&call.to.value, call.times);
            let all = u64::from(replicas) * u64::from(times);
            format!(
                "a replica of {name} that {when} makes {times} calls to {to}: all {replicas} together {all}, {spread}"
            )
        };
        let mut notes: Vec<String> = self.says.calls.iter().map(note).collect();
        if let Some(work) = &self.says.work {
            let mean = work.time.mean().brief();
            let meanwhile = match self.says.before_ready {
                true => "is not ready before that is done".into(),
                false => {
                    format!("serves meanwhile at {} of its speed", crate::words::percent(1.0 - work.share))
                }
            };
            let then = if self.says.calls.is_empty() { "" } else { "then " };
            notes.push(format!(
                "a replica of {name} that {when} {then}works by itself for {mean}, and {meanwhile}"
            ));
        }
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "on_start",
            word: "",
            what: "Calls that each replica makes by itself when it has started, or, with `when: Reconnect(to: ..)`, when the network lets it through \
                   again: it fills a cache, registers, looks for a new mirror. What fails is made again `again` later. When they have ended it does \
                   work of its own (`work`: a log is replayed, an index built), which takes a share of what it can do meanwhile. With `before_ready` it takes \
                   nothing before all have ended well and the work is done. Those that are there when the run begins have made them, unless `at_begin` says that they do so then.",
            hurts: "All that start or return at the same moment call at the same moment: a storm that no user sent falls on whoever they share, \
                    and on everybody else who needs that. Where callers give up sooner than it could be worked off, and come again, it \
                    does not end. One that serves while it works for itself is slower than all others, and who takes turns sends it as much.",
            formula: "`replicas x times` calls at once: they take `replicas x times / (capacity - load)` seconds to be worked off, and whoever comes \
                      meanwhile waits behind them; work that takes a share `a` at `n` of `N` replicas leaves `1 - a n / N` of what they can do",
            source: "AWS, \"Summary of the Amazon EC2 and Amazon RDS Service Disruption in the US East Region\", April 2011 (re-mirroring storm); \
                     AWS Builders' Library, \"Timeouts, retries, and backoff with jitter\"",
            experiment: "remirroring-storm",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(calls: [(to: "names", times: 20)], at_begin: true)"#,
            r#"(when: Reconnect(to: "back"), calls: [(to: "names", times: 5)], again: "50ms")"#,
            r#"(calls: [(to: "names", times: 3, network: "1ms")], spread: "50ms", again: "100ms", before_ready: true)"#,
            r#"(work: (time: Exponential(mean: "100ms"), share: 0.8), spread: "20ms")"#,
            r#"(calls: [(to: "names", times: 3)], again: "100ms", work: (time: "30ms"), before_ready: true)"#,
        ]
    }
}

/// What is told of them: nothing measured yet.
fn declared(at: &str, works: bool) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let longest = Value::new(
        Unit::Duration,
        "the longest time from when a replica had something to do to when all of its calls had ended, and its work was done; so far, of one that is not done",
    );
    let section = Section::new("on_start", at)
        .value("replicas", plain("times that a replica had calls to make by itself, after the warm-up"))
        .value("unfinished", plain("replicas that are not done with theirs").better(Better::Less))
        .value("made", plain("calls that ended well"))
        .value("failed", plain("calls that failed, retries included").better(Better::Less))
        .value("longest", longest.better(Better::Less).headline())
        .line("to_do", Unit::Plain, "Calls that are out, or still to be made, at the end of each window.");
    match works {
        true => {
            section.line("at_work", Unit::Plain, "Replicas that do their own work at the end of each window.")
        }
        false => section,
    }
}

/// Who makes them, of one service.
#[derive(Clone)]
pub struct Starter {
    pub service: u32,
    /// The callee that they must have been cut off from, if they must; and in how many zones others stand, and where each of them does.
    from: Option<u32>,
    zones: u32,
    stands: Box<[u32]>,
    before_ready: bool,
    again: Option<SimDuration>,
    spread: SimDuration,
    /// The edge of each call, and how often it is made.
    calls: Box<[(u32, u32)]>,
    each: Box<[OfReplica]>,
    /// Of each replica one after another, how many of each call are still to be made, and are out.
    left: Box<[u32]>,
    out: Box<[u32]>,
    /// Of how many replicas there are that make them when a run begins.
    at_begin: u32,
    luck: Luck,
    /// Work of its own, if there is any: how long it takes, and what it does to whatever else is begun.
    work: Option<(Distribution, Burden, Luck)>,
    replicas: u64,
    made: u64,
    failed: u64,
    longest: SimDuration,
    line: Vec<f64>,
    at_work: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct OfReplica {
    /// Since when it has something to do.
    since: Option<SimTime>,
    /// It has started, and done it.
    done: bool,
    measured: bool,
    /// Its calls have ended, and it does its work; what that does to whatever else it does is upon it.
    works: bool,
    bears: bool,
    times: u64,
    calls: u64,
    timer: Option<Timer>,
}

impl Starter {
    /// Who makes them of this service, if anybody does.
    pub fn by(plan: &Plan, number: usize, streams: &Streams) -> Option<Starter> {
        let service = plan.spec.service(number);
        let says = service.on_start.as_ref()?;
        let own = (0..).zip(&plan.edges).filter(|(_, edge)| {
            edge.caller == Caller::Checks(number as u32) && edge.errand == Some(Errand::ByItself)
        });
        let calls: Box<[(u32, u32)]> =
            own.zip(&says.calls).map(|((edge, _), call)| (edge, call.times)).collect();
        let turns = plan.spec.turns_of_service(number);
        let name = plan.spec.name(number);
        let first = calls.first().map_or(name, |(edge, _)| plan.edges[*edge as usize].name.as_str());
        let work = says.work.as_ref().map(|work| {
            let burden = Burden::of_work(1.0 / (1.0 - work.share), OF_START);
            (work.time.nanos.clone(), burden, streams.luck("start_work", name))
        });
        Some(Starter {
            service: number as u32,
            from: says.from().and_then(|from| plan.spec.services.index_of(&from.value)).map(|it| it as u32),
            zones: plan.spec.zones.as_ref().map_or(0, |zones| zones.names.len() as u32),
            stands: (0..service.room()).map(|it| turns.as_ref().map_or(0, |turns| turns.of(it))).collect(),
            before_ready: says.before_ready,
            again: says.again,
            spread: says.spread,
            each: vec![OfReplica::default(); service.room() as usize].into(),
            left: vec![0; service.room() as usize * calls.len()].into(),
            out: vec![0; service.room() as usize * calls.len()].into(),
            at_begin: if says.at_begin { service.replicas } else { 0 },
            luck: streams.luck("on_start", first),
            work,
            calls,
            replicas: 0,
            made: 0,
            failed: 0,
            longest: SimDuration::ZERO,
            line: Vec::new(),
            at_work: Vec::new(),
        })
    }

    /// Of one replica, how many of each call are still to be made, and are out.
    fn of(&mut self, replica: u32) -> (&mut [u32], &mut [u32]) {
        let (first, calls) = (replica as usize * self.calls.len(), self.calls.len());
        (&mut self.left[first..][..calls], &mut self.out[first..][..calls])
    }

    /// A replica has all of its calls to make: when it begins, unless that is known already.
    fn begins(&mut self, replica: u32, measured: bool, now: SimTime) -> Option<SimTime> {
        let of = &mut self.each[replica as usize];
        if of.since == Some(now) {
            return None;
        }
        of.times += 1;
        (of.since, of.done, of.works, of.measured) = (Some(now), false, false, measured);
        self.replicas += u64::from(measured);
        let all: Vec<u32> = self.calls.iter().map(|(_, times)| *times).collect();
        self.of(replica).0.copy_from_slice(&all);
        Some(self.at_a_time_of_its_own(replica, now))
    }

    /// When a replica begins that has something to do from now on.
    fn at_a_time_of_its_own(&mut self, replica: u32, now: SimTime) -> SimTime {
        if self.spread.is_zero() {
            return now;
        }
        let times = self.each[replica as usize].times;
        let key = Key::root(0, replica.into()).child(times);
        now + SimDuration::from_nanos(self.luck.at(key).below(self.spread.as_nanos()))
    }

    /// A replica is up again that went down before it was done with what it does when it is no longer cut off: when it goes on.
    fn resumes(&mut self, replica: u32, now: SimTime) -> Option<SimTime> {
        self.from.filter(|_| self.each[replica as usize].since.is_some())?;
        self.each[replica as usize].times += 1;
        Some(self.at_a_time_of_its_own(replica, now))
    }

    /// The calls of this kind that are to be made now: over which edge, and how many.
    fn takes(&mut self, replica: u32, call: usize) -> (u32, u32) {
        let (left, out) = self.of(replica);
        let times = std::mem::take(&mut left[call]);
        out[call] += times;
        (self.calls[call].0, times)
    }

    /// One has ended: when the replica goes on, if it has to and does not know.
    fn ended(&mut self, (edge, replica): (u32, u32), is_well: bool, now: SimTime) -> Option<SimTime> {
        let call = self.calls.iter().position(|(of, _)| *of == edge).expect("one of them");
        let is_counted = u64::from(self.each[replica as usize].measured);
        *(if is_well { &mut self.made } else { &mut self.failed }) += is_counted;
        let again = self.again.filter(|_| !is_well);
        let (left, out) = self.of(replica);
        out[call] -= 1;
        if let Some(again) = again {
            left[call] += 1;
            return self.each[replica as usize].timer.is_none().then_some(now + again);
        }
        let is_done = left.iter().chain(&*out).all(|calls| *calls == 0);
        is_done.then(|| self.begins_to_work(replica, now)).flatten()
    }

    /// All of its calls have ended: when a replica goes on, with what it does when its work is done, or since it is ready.
    fn begins_to_work(&mut self, replica: u32, now: SimTime) -> Option<SimTime> {
        let of = &mut self.each[replica as usize];
        if let Some((time, _, luck)) = &mut self.work {
            of.works = true;
            let key = Key::root(1, replica.into()).child(of.times);
            return Some(now + SimDuration::drawn(time.sample(&mut luck.at(key))));
        }
        self.is_done(replica, now);
        self.before_ready.then_some(now)
    }

    /// A replica has nothing to do any more.
    fn is_done(&mut self, replica: u32, now: SimTime) {
        let of = &mut self.each[replica as usize];
        (of.done, of.works) = (true, false);
        let since = of.since.take().filter(|_| of.measured);
        self.longest = self.longest.max(since.map_or(SimDuration::ZERO, |since| now.since(since)));
    }

    /// Whether a replica has no call to make, and none is out.
    fn has_no_calls(&mut self, replica: u32) -> bool {
        let (left, out) = self.of(replica);
        left.iter().chain(&*out).all(|calls| *calls == 0)
    }

    /// A replica goes down: what is out is lost with it, and it has nothing to do any more, or has to do that again.
    fn stops(&mut self, replica: u32) -> Option<Timer> {
        if self.from.is_some() {
            let (left, out) = self.of(replica);
            left.iter_mut().zip(out).for_each(|(left, out)| *left += std::mem::take(out));
            self.each[replica as usize].works = false;
            return self.each[replica as usize].timer.take();
        }
        self.forgets(replica)
    }

    /// A replica is gone, or another: it has nothing to do.
    fn forgets(&mut self, replica: u32) -> Option<Timer> {
        let (left, out) = self.of(replica);
        left.fill(0);
        out.fill(0);
        let of = &mut self.each[replica as usize];
        let OfReplica { times, calls, bears, timer, .. } = *of;
        *of = OfReplica { times, calls, bears, ..OfReplica::default() };
        timer
    }

    /// Whether no message of this replica can pass a link.
    fn is_cut_off(&self, link: &crate::network::Link<Message>, replica: u32) -> bool {
        let own = self.stands[replica as usize];
        let anywhere = (self.zones == 0).then_some(None);
        let zones = (0..self.zones).flat_map(|other| [Some((own, other)), Some((other, own))]);
        let mut whose = anywhere.into_iter().chain(zones);
        whose.any(|zones| link.is_cut(Whose { client: Some(replica), zones }))
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        let left: u64 = self.left.iter().map(|left| u64::from(*left)).sum();
        let out: u64 = self.out.iter().map(|out| u64::from(*out)).sum();
        self.line.push((left + out) as f64);
        if self.work.is_some() {
            self.at_work.push(self.each.iter().filter(|of| of.works).count() as f64);
        }
    }

    /// What it has drawn for the edge of the first of its calls, if it has any.
    pub fn used(&self) -> Option<(u32, StreamUse)> {
        Some((self.calls.first()?.0, self.luck.used()))
    }

    /// And for the service, by what it decided.
    pub fn used_of_service(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        let begins = self.calls.is_empty().then(|| ("on_start", self.luck.used()));
        let works = self.work.as_ref().map(|(_, _, luck)| ("start_work", luck.used()));
        begins.into_iter().chain(works)
    }

    /// What is told of them.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let unfinished = self.each.iter().filter(|of| of.measured).filter_map(|of| of.since);
        let still = unfinished.clone().map(|since| now.since(since)).max().unwrap_or_default();
        let mut section = declared(at, self.work.is_some());
        section.set("replicas", self.replicas as f64);
        section.set("unfinished", unfinished.count() as f64);
        section.set("made", self.made as f64);
        section.set("failed", self.failed as f64);
        section.set("longest", (self.replicas > 0).then(|| self.longest.max(still).as_nanos() as f64));
        section.draw("to_do", self.line.clone());
        if self.work.is_some() {
            section.draw("at_work", self.at_work.clone());
        }
        section
    }
}

impl ServiceSpec {
    /// The calls that its replicas make by themselves, of all of them.
    pub fn by_themselves(&self) -> Option<OfAll<'_>> {
        Some(OfAll { says: self.on_start.as_ref()?, replicas: self.replicas })
    }

    /// Whether a replica that starts makes calls before it is ready.
    pub fn calls_before_ready(&self) -> bool {
        self.on_start.as_ref().is_some_and(|says| says.before_ready)
    }
}

impl<L> Graph<L> {
    fn starter(&mut self, service: u32) -> Option<(u32, &mut Starter)> {
        let control = self.services[service as usize].starter?;
        match &mut self.controls[control as usize] {
            Control::Starter(starter) => Some((control, starter)),
            _ => unreachable!("it is one"),
        }
    }

    /// Who is cut off by what is now on these edges, of those who do something when they no longer are: over which, and which replica.
    #[cold]
    pub fn are_cut_off(&mut self, edges: &[(u32, Reach)]) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for &(number, _) in edges {
            let edge = &self.edges[number as usize];
            let Caller::Service(service) = edge.caller else { continue };
            let Some(control) = self.services[service as usize].starter else { continue };
            let Control::Starter(starter) = &self.controls[control as usize] else { continue };
            if starter.from == Some(edge.callee) {
                let replicas = 0..starter.each.len() as u32;
                let cut = replicas.filter(|replica| starter.is_cut_off(&edge.link, *replica));
                all.extend(cut.map(|replica| (number, replica)));
            }
        }
        all
    }
}

impl<L: Listen> Graph<L> {
    /// Those who were cut off may no longer be.
    #[cold]
    pub fn reconnects(&mut self, were: Vec<(u32, u32)>, ctx: &mut Ctx) {
        for (number, replica) in were {
            let edge = &self.edges[number as usize];
            let Caller::Service(service) = edge.caller else { unreachable!("a service's") };
            let control = self.services[service as usize].starter.expect("it makes calls");
            let Control::Starter(starter) = &self.controls[control as usize] else {
                unreachable!("it is one")
            };
            let is_up = self.services[service as usize].replicas[replica as usize].down == 0;
            if is_up && !starter.is_cut_off(&edge.link, replica) {
                self.has_calls_to_make(service, replica, ctx);
            }
        }
    }

    /// A replica takes what comes: it has started.
    #[cold]
    pub fn has_opened(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let Some((control, starter)) = self.starter(service) else { return };
        if let Some(at) = starter.resumes(replica, ctx.now()) {
            self.goes_on_at(control, replica, at, ctx);
        } else if starter.from.is_none() && !starter.before_ready {
            self.has_calls_to_make(service, replica, ctx);
        }
    }

    /// A run begins: those that are there make their calls, if that is when they are to.
    pub fn make_calls_at_begin(&mut self, ctx: &mut Ctx) {
        for service in 0..self.services.len() as u32 {
            let replicas = self.starter(service).map_or(0, |(_, starter)| starter.at_begin);
            (0..replicas).for_each(|replica| self.has_calls_to_make(service, replica, ctx));
        }
    }

    /// A replica has gone, and was told to: whoever comes in its place does not go on with what it did.
    #[cold]
    pub fn leaves_its_calls(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let Some((control, starter)) = self.starter(service) else { return };
        if let Some(timer) = starter.forgets(replica) {
            ctx.cancel(timer);
        }
        self.bears_its_own_work(control, replica);
    }

    /// A replica has started: whether it makes calls before it is ready, and is not done with them.
    #[cold]
    pub fn is_not_ready_yet(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> bool {
        let Some((_, starter)) = self.starter(service).filter(|(_, it)| it.before_ready) else {
            return false;
        };
        let of = starter.each[replica as usize];
        if !of.done && of.since.is_none() {
            self.has_calls_to_make(service, replica, ctx);
        }
        !of.done
    }

    fn has_calls_to_make(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let (now, measured) = (ctx.now(), ctx.now() >= self.measured_from);
        let (control, starter) = self.starter(service).expect("it makes calls");
        let Some(at) = starter.begins(replica, measured, now) else { return };
        self.goes_on_at(control, replica, at, ctx);
        self.bears_its_own_work(control, replica);
    }

    /// What a replica does by itself is upon whatever else it does, or is no longer.
    fn bears_its_own_work(&mut self, control: u32, replica: u32) {
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        let Some((_, burden, _)) = &starter.work else { return };
        let of = &mut starter.each[replica as usize];
        let bears = of.works && !starter.before_ready;
        if std::mem::replace(&mut of.bears, bears) != bears {
            let service = &mut self.services[starter.service as usize];
            burden.is_upon(&mut service.replicas[replica as usize].faults, bears);
            service.derive(replica);
        }
    }

    fn goes_on_at(&mut self, control: u32, replica: u32, at: SimTime, ctx: &mut Ctx) {
        let timer = ctx.schedule(at, Class::Begin, Event::Look { control, of: replica });
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        if let Some(before) = starter.each[replica as usize].timer.replace(timer) {
            ctx.cancel(before);
        }
    }

    /// A replica goes down: it makes no calls by itself any more.
    #[cold]
    pub fn makes_no_more_calls(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let Some((control, starter)) = self.starter(service) else { return };
        if let Some(timer) = starter.stops(replica) {
            ctx.cancel(timer);
        }
        self.bears_its_own_work(control, replica);
    }

    /// One goes down, or is told to go, that was not ready yet: the calls that are out end with it.
    #[cold]
    pub fn is_never_ready(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        if self.services[service as usize].starter.is_some() {
            self.makes_no_more_calls(service, replica, ctx);
            self.forget_calls_of(service, replica, ctx);
        }
    }

    /// What the policies of a replica knew of the calls that it makes by itself is forgotten.
    #[cold]
    pub fn forgets_its_own_calls(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let Some((_, starter)) = self.starter(service) else { return };
        let edges: Vec<u32> = starter.calls.iter().map(|(edge, _)| *edge).collect();
        for edge in edges {
            self.clients[edge as usize].reset(replica, &mut self.edges[edge as usize], ctx);
        }
    }

    /// A replica makes the calls that it has to make; or is ready, since it has.
    #[cold]
    pub fn makes_its_calls(&mut self, control: u32, replica: u32, ctx: &mut Ctx) {
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        let of = &mut starter.each[replica as usize];
        of.timer = None;
        if of.works {
            starter.is_done(replica, ctx.now());
            let is_ready = starter.before_ready;
            self.bears_its_own_work(control, replica);
            if !is_ready {
                return;
            }
        }
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        let (service, calls) = (starter.service, starter.calls.len());
        if starter.each[replica as usize].done {
            if self.is_starting(service, replica) {
                self.stage_is_over(service, replica, ctx);
            }
            return;
        }
        let before = starter.has_no_calls(replica);
        for call in 0..calls {
            let Control::Starter(starter) = &mut self.controls[control as usize] else {
                unreachable!("it is one")
            };
            let (edge, times) = starter.takes(replica, call);
            for _ in 0..times {
                let Control::Starter(starter) = &mut self.controls[control as usize] else {
                    unreachable!("it is one")
                };
                let of = &mut starter.each[replica as usize];
                of.calls += 1;
                let key = Key::root(self.edges[edge as usize].path, replica.into()).child(of.calls);
                self.begin_call(edge, replica, Parent::Check { control }, key, ctx);
            }
        }
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        let waits = starter.each[replica as usize];
        if before && waits.since.is_some() && !waits.works && waits.timer.is_none() {
            let at = starter.begins_to_work(replica, ctx.now());
            at.into_iter().for_each(|at| self.goes_on_at(control, replica, at, ctx));
            self.bears_its_own_work(control, replica);
        }
    }

    /// A call that a replica made by itself has ended.
    #[cold]
    pub fn own_call_ended(&mut self, control: u32, call: (u32, u32), is_well: bool, ctx: &mut Ctx) {
        let Control::Starter(starter) = &mut self.controls[control as usize] else {
            unreachable!("it is one")
        };
        if let Some(at) = starter.ended(call, is_well, ctx.now()) {
            self.goes_on_at(control, call.1, at, ctx);
        }
        self.bears_its_own_work(control, call.1);
    }
}
