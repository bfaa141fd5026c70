//! A replica that never gives all of its memory back: it is killed when there is none left, or gets slower as it swaps.
//!
//! What leaks is counted, not looked for: so much for each request that is begun with, and so much for the time for which a replica has been
//! up. Whoever starts anew starts with nothing leaked, so every crash, drain and restart is a cure for a while. Replicas that started
//! together and get the same share of the load fill up together: what would be one out of four at a time is all four at once.
//! Where another version comes, that may lose more, or other than nothing: what a replica loses is what the version does that it runs.

use crate::byte_size::ByteSize;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::ServiceSpec;
use crate::service_graph::state::*;
use crate::words::{percent, short};
use sim_core::{Class, LONGEST, SimDuration, SimTime};

const HOUR: u128 = 3_600_000_000_000;

spec! {
    /// Memory that a replica never gives back while it is up.
    pub struct MemoryLeak where check {
        /// What each request leaves behind that is begun with.
        per_request: ByteSize = ByteSize(0),
        /// What is lost in every hour, whatever a replica does.
        per_hour: ByteSize = ByteSize(0),
        /// What there is to be lost.
        limit: ByteSize; POSITIVE,
        /// What becomes of a replica that loses it.
        then: Then,
    }
}

spec! {
    /// What becomes of a replica whose memory is used up.
    pub enum Then {
        /// It is killed when nothing is left: what it had in hand is lost, and it starts anew. Its callers notice what they do where it
        /// `dies` of its load: a reset if that is not said.
        Dies {
            /// Time until it is back.
            restart_after: SimDuration; POSITIVE,
        },
        /// It swaps: work takes longer and longer, in a straight line from `from` of the limit to the limit, and as long from there on.
        Slows {
            /// The share of the limit up to which nobody notices anything.
            from: f64 = 0.8; 0.0..=0.999,
            /// How many times longer work takes when nothing is left.
            factor: f64; 1.0..=1_000_000.0,
        },
    }
}

fn check(leak: &MemoryLeak, at: &Node, cx: &mut Decoder) {
    if leak.per_request.0 == 0 && leak.per_hour.0 == 0 {
        cx.warn(at.span, "nothing leaks: it is as if it were not there")
            .help("say how much is lost `per_request`, or `per_hour`");
    }
    if leak.per_request.0 >= leak.limit.0 {
        let message = format!(
            "one request leaves {} behind, and there are {}: the first uses all of it up",
            leak.per_request, leak.limit
        );
        cx.warn(at.span_of("per_request"), message).help("a larger `limit`, or less `per_request`");
    }
    if let Then::Slows { factor: 1.0, .. } = leak.then {
        cx.warn(at.span_of("then"), "a factor of 1 makes nothing slower")
            .help("a larger `factor`, or Dies(restart_after: \"10s\")");
    }
}

impl MemoryLeak {
    /// Whether replicas die of it.
    pub fn kills(&self) -> bool {
        matches!(self.then, Then::Dies { .. })
    }

    /// Whether time alone kills them.
    fn kills_in_time(&self) -> bool {
        self.per_hour.0 > 0 && self.kills()
    }

    /// What has leaked after so many requests and so long.
    fn leaked(&self, requests: u64, up: SimDuration) -> u128 {
        let by_time = u128::from(self.per_hour.0) * u128::from(up.as_nanos()) / HOUR;
        u128::from(self.per_request.0) * u128::from(requests) + by_time
    }

    /// How long it takes until so much has leaked by time alone; none if that never comes.
    fn time_to_leak(&self, bytes: u128) -> Option<SimDuration> {
        let nanos = (bytes * HOUR).checked_add(u128::from(self.per_hour.0).checked_sub(1)?)?
            / u128::from(self.per_hour.0);
        Some(SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(LONGEST))
    }

    /// How many times longer work takes when so much has leaked.
    fn stretch(&self, leaked: u128) -> f64 {
        let Then::Slows { from, factor } = self.then else { return 1.0 };
        let share = leaked as f64 / self.limit.0 as f64;
        1.0 + (factor - 1.0) * ((share - from) / (1.0 - from)).clamp(0.0, 1.0)
    }
}

impl Part for MemoryLeak {
    fn does(&self) -> Does {
        match self.then {
            Then::Dies { .. } => Does::BREAKS,
            Then::Slows { .. } => Does::VARIES,
        }
    }

    fn brief(&self) -> Option<String> {
        Some(match &self.then {
            Then::Dies { .. } => format!("leaks, killed at {}", self.limit),
            Then::Slows { from, .. } => format!("leaks, slow from {} of {}", percent(*from), self.limit),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (name, limit) = (around.name, u128::from(self.limit.0));
        let requests = (limit + u128::from(self.per_request.0).saturating_sub(1))
            .checked_div(u128::from(self.per_request.0));
        let alone = self.time_to_leak(limit);
        let by = match (requests, alone) {
            (None, None) => return Vec::new(),
            (Some(requests), None) => format!("after {}", counted(requests.max(1))),
            (None, Some(time)) => format!("after {}", time.brief()),
            (Some(requests), Some(time)) => {
                format!("after {} or {}, sooner by both", counted(requests.max(1)), time.brief())
            }
        };
        let at_rate = around.offered.filter(|_| self.per_request.0 > 0).map(|it| {
            let seconds = match (self.per_hour.0, requests) {
                (0, Some(requests)) => requests.max(1) as f64 / it.per_sec,
                (by_time, _) => {
                    let per_sec = it.per_sec * self.per_request.0 as f64 + by_time as f64 / 3_600.0;
                    self.limit.0 as f64 / per_sec
                }
            };
            let time = SimDuration::from_nanos_f64(seconds * 1e9).min(LONGEST);
            format!(": {} at {}/s to each", time.brief(), short(it.per_sec))
        });
        let at_rate = at_rate.unwrap_or_default();
        vec![format!("a replica of {name} has leaked all of its {} {by}{at_rate}", self.limit)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "memory_leak",
            word: "",
            what: "Lets a replica lose memory, for each request that it begins with and in every hour, until nothing is left: then it is killed (Dies), or \
                   it had begun to swap before and is slow (Slows). Whatever starts it anew gives all of it back.",
            hurts: "A process that swaps is there, says that it is well, and answers late: what asks only whether it is there sees nothing. Replicas that \
                    started together fill up together, so all are slow, or are killed, within the same minute.",
            formula: "full after `limit / (requests per second x per_request + per_hour / 3600)` seconds; work takes `1 + (factor - 1) (used - from) / (1 - from)` times as \
                      long with `used` of the limit leaked",
            source: "Huang et al., \"Gray Failure: The Achilles' Heel of Cloud-Scale Systems\", HotOS 2017; the Linux OOM killer; Vaidyanathan and Trivedi 2005 \
                     (software ageing and rejuvenation)",
            experiment: "memory-leak",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(per_request: "1MiB", limit: "100MiB", then: Dies(restart_after: "300ms"))"#,
            r#"(per_hour: "3600MiB", limit: "1MiB", then: Dies(restart_after: "100ms"))"#,
            r#"(per_request: "1MiB", per_hour: "1GiB", limit: "64MiB", then: Slows(factor: 10))"#,
        ]
    }
}

/// So many requests, in words.
fn counted(requests: u128) -> String {
    if requests == 1 { "1 request".into() } else { format!("{requests} requests") }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let most = Value::new(
        Unit::Share,
        "share of the limit that had leaked, of the replica that had lost most: at the end of some window, or when it was killed",
    );
    Section::new("memory_leak", at)
        .value("kills", Value::new(Unit::Plain, "replicas that were killed when nothing was left, after the warm-up").better(Better::Less))
        .value("most", most.better(Better::Less).of_windows(Fold::Max("leaked".into())).headline())
        .line("leaked", Unit::Share, "Share of the limit that has leaked, of the replica that has lost most: at the end of each window, or all of it where one was killed in it.")
}

/// What the replicas of a service have lost.
#[derive(Clone)]
pub struct Leaking {
    /// Of the version that all run at first, and of the one that comes.
    says: [Option<MemoryLeak>; 2],
    each: Box<[OfReplica]>,
    kills: u64,
    /// Somebody was killed in this window: there was nothing left.
    killed: bool,
    line: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct OfReplica {
    /// Since when it is up, if it is.
    since: Option<SimTime>,
    requests: u64,
    /// It runs the version that comes.
    new: bool,
}

impl Leaking {
    /// What the replicas of this service lose, if they lose anything.
    pub fn by(service: &ServiceSpec) -> Option<Leaking> {
        let since = |replica| (replica < service.replicas).then_some(SimTime::ZERO);
        let each = 0..service.room();
        let each = each.map(|replica| OfReplica { since: since(replica), ..OfReplica::default() });
        let says = service.leaks().map(|leak| leak.cloned());
        says.iter().any(Option::is_some).then(|| Leaking {
            says,
            each: each.collect(),
            kills: 0,
            killed: false,
            line: Vec::new(),
        })
    }

    /// What a replica loses, if it does.
    fn of(&self, replica: u32) -> Option<&MemoryLeak> {
        self.says[usize::from(self.each[replica as usize].new)].as_ref()
    }

    /// A replica is to run this version, from when it is up.
    pub fn runs(&mut self, replica: u32, new: bool) {
        self.each[replica as usize].new = new;
    }

    /// Whether the time alone kills them.
    pub fn is_timed(service: &ServiceSpec) -> bool {
        service.leaks().into_iter().flatten().any(MemoryLeak::kills_in_time)
    }

    fn leaked(&self, replica: u32, now: SimTime) -> u128 {
        let (of, leak) = (&self.each[replica as usize], self.of(replica));
        of.since.zip(leak).map_or(0, |(since, leak)| leak.leaked(of.requests, now.since(since)))
    }

    /// The same as a share of what there was to be lost.
    fn share(&self, replica: u32, now: SimTime) -> f64 {
        let limit = self.of(replica).map_or(1, |leak| leak.limit.0);
        (self.leaked(replica, now) as f64 / limit as f64).min(1.0)
    }

    /// Nobody who has just started has lost everything sooner, by time alone: so often each is looked at, whatever it will run.
    fn soonest(&self) -> Option<SimDuration> {
        let timed = self.says.iter().flatten().filter(|leak| leak.kills_in_time());
        timed.filter_map(|leak| leak.time_to_leak(leak.limit.0.into())).min()
    }

    /// When each may have lost everything, by time alone.
    pub fn firsts(&self) -> Vec<(u32, SimTime)> {
        let first = self.soonest().map(|it| SimTime::ZERO + it);
        (0..self.each.len() as u32).filter_map(|replica| Some((replica, first?))).collect()
    }

    /// It may have: whether it has, and if not when it may again.
    fn looks(&self, replica: u32, now: SimTime) -> Option<SimTime> {
        let soonest = self.soonest().expect("somebody leaks by the time");
        let Some(leak) = self.of(replica).filter(|leak| leak.kills_in_time()) else {
            return Some(now + soonest);
        };
        let left =
            u128::from(leak.limit.0).checked_sub(self.leaked(replica, now)).filter(|left| *left > 0)?;
        Some(now + leak.time_to_leak(left).expect("it leaks by the time").min(soonest))
    }

    /// How long a killed replica is gone, if that is what becomes of this one now.
    fn kills(&self, replica: u32, now: SimTime) -> Option<SimDuration> {
        let leak = self.of(replica)?;
        let Then::Dies { restart_after } = leak.then else { return None };
        let is_up = self.each[replica as usize].since.is_some();
        (is_up && self.leaked(replica, now) >= leak.limit.0.into()).then_some(restart_after)
    }

    /// How many times longer work takes at a replica that begins with it now.
    pub fn stretch(&self, replica: u32, now: SimTime) -> f64 {
        self.of(replica).map_or(1.0, |leak| leak.stretch(self.leaked(replica, now)))
    }

    /// A replica is up, with nothing lost.
    pub fn opens(&mut self, replica: u32, now: SimTime) {
        let of = &mut self.each[replica as usize];
        (of.since, of.requests) = (Some(now), 0);
    }

    /// It is down.
    pub fn goes_down(&mut self, replica: u32) {
        self.each[replica as usize].since = None;
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let all = 0..self.each.len() as u32;
        let share = all.map(|replica| self.share(replica, now)).fold(0.0, f64::max);
        self.line.push(if std::mem::take(&mut self.killed) { 1.0 } else { share });
    }

    /// What is told of it.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("kills", self.kills as f64);
        section.draw("leaked", self.line.clone());
        section
    }
}

impl<L: Listen> Graph<L> {
    /// A request is begun with at a replica that loses memory by it: that may be the last.
    #[cold]
    pub(super) fn leaks(&mut self, service: u32, replica: u32, now: SimTime) {
        let Some(leaking) = &mut self.services[service as usize].leaking else { return };
        leaking.each[replica as usize].requests += 1;
        if leaking.kills(replica, now).is_some() {
            self.admitted.push_back(Admitted::Overwhelmed { service, replica });
        }
    }

    /// By time alone a replica may have lost everything.
    pub fn may_have_leaked(&mut self, control: u32, (service, replica): (u32, u32), ctx: &mut Ctx) {
        let now = ctx.now();
        let leaking = self.services[service as usize].leaking.as_ref().expect("it leaks");
        if let Some(again) = leaking.looks(replica, now) {
            ctx.schedule_at(again, Event::Look { control, of: replica });
            return;
        }
        self.is_used_up(service, replica, ctx);
        let leaking = self.services[service as usize].leaking.as_ref().expect("it leaks");
        if let Some(again) = leaking.looks(replica, now) {
            ctx.schedule_at(again, Event::Look { control, of: replica });
        }
    }

    /// A replica has lost all of its memory, if it has: it is killed.
    #[cold]
    pub(super) fn is_used_up(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let state = &mut self.services[service as usize];
        let Some(restart_after) = state.leaking.as_ref().and_then(|it| it.kills(replica, now)) else {
            return;
        };
        let style = state.death_style;
        if let Some(leaking) = &mut state.leaking {
            leaking.kills += u64::from(now >= self.measured_from);
            leaking.killed = true;
        }
        ctx.schedule(now + restart_after, Class::Change, Event::Restart { service, replica });
        self.crash(service, replica, style, ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn what_has_leaked() {
        // (what is said, requests, seconds up, bytes)
        for (says, requests, seconds, leaked) in [
            (r#"per_request: "1KiB""#, 3, 9_000, 3_072),
            (r#"per_hour: "3600kB""#, 3, 9, 9_000),
            (r#"per_request: "1kB", per_hour: "3600kB""#, 3, 9, 12_000),
        ] {
            let text = format!(r#"({says}, limit: "1MB", then: Dies(restart_after: "1s"))"#);
            let leak = read::<MemoryLeak>(&text).expect("sound").0;
            assert_eq!(leak.leaked(requests, SimDuration::from_secs(seconds)), leaked, "{says}");
        }
        let leak = read::<MemoryLeak>(r#"(per_hour: "3600kB", limit: "1MB", then: Slows(factor: 11))"#);
        let leak = leak.expect("sound").0;
        assert_eq!(leak.time_to_leak(1_000_000), Some(SimDuration::from_secs(1_000)));
        assert_eq!(leak.time_to_leak(1), Some(SimDuration::from_nanos(1_000_000)));
        for (leaked, times) in
            [(0, 1.0), (800_000, 1.0), (900_000, 6.0), (1_000_000, 11.0), (9_000_000, 11.0)]
        {
            assert!((leak.stretch(leaked) - times).abs() < 1e-9, "{leaked}");
        }
    }
}
