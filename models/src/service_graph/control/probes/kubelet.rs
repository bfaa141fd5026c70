//! Whoever probes the replicas of one service, and what he knows of each.

use super::crash_loop::{CrashLoopBackoff, Loop};
use super::{Probes, Which};
use crate::report::{Better, Change, Fold, Section, Unit, Value};
use crate::service_graph::control::check::{self, InARow, Thresholds};
use sim_core::Timer;
use sim_core::stats::TimeIntegral;
use sim_core::{Luck, SimDuration, SimTime, StreamUse};

/// More changes than this are counted but not listed.
const LISTED: usize = 1_000;

/// What is looked at of each replica: each question, and whether a killed container is to start.
const SUBJECTS: u32 = 4;
const START: u32 = 3;

/// The nodes of a service: each probes the replica that it runs.
#[derive(Clone, Debug)]
pub struct Kubelet {
    /// Which service.
    pub service: u32,
    probers: [Option<Prober>; 3],
    backoff: CrashLoopBackoff,
    pods: Box<[Pod]>,
    unready: TimeIntegral,
    /// After the warm-up: see [`declared`].
    counts: [u64; COUNTED.len()],
    /// Area and time when measurement, and the window, began.
    from: (u128, SimTime),
    window: (u128, SimTime),
    line: Vec<f64>,
    /// Kills in this window, and in those before.
    kills: u64,
    kills_line: Vec<f64>,
    changes: Vec<Change>,
    unlisted: u64,
}

/// One question.
#[derive(Clone, Debug)]
struct Prober {
    edge: u32,
    initial_delay: SimDuration,
    period: SimDuration,
    thresholds: Thresholds,
    luck: Luck,
}

/// What is known of one replica.
#[derive(Clone, Debug, Default)]
struct Pod {
    /// Which of its containers it is, and since when.
    container: u32,
    since: SimTime,
    /// It was killed, and has not started again.
    killed: bool,
    /// When it will have.
    due: Option<Timer>,
    started: bool,
    ready: bool,
    rows: [InARow; 3],
    /// Which container was asked last.
    asked: [u32; 3],
    /// How often it was its turn.
    turns: [u64; 3],
    crash_loop: Loop,
}

/// What is to be done about a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its container is killed.
    Kill,
    /// Whether it is ready may be otherwise.
    Ready,
}

/// What there is to do when a replica is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It is asked over this edge, and this is how often it was its turn; and it is looked at again then.
    Ask { edge: u32, ordinal: u64, again: SimTime },
    /// It is not asked this time.
    Wait { again: SimTime },
    /// Its container starts again.
    Start,
}

const COUNTED: [&str; 6] =
    ["kills", "kills_of_healthy", "kills_while_starting", "starts", "taken_out", "let_in"];

impl Pod {
    fn is_ready(&self) -> bool {
        !self.killed && self.started && self.ready
    }

    fn state(&self) -> &'static str {
        if self.killed {
            "killed"
        } else if self.is_ready() {
            "ready"
        } else {
            "unready"
        }
    }
}

impl Kubelet {
    /// All containers have started long ago, and are ready. Each question has its edge and its luck.
    pub fn new(
        probes: &Probes,
        service: u32,
        replicas: u32,
        mut asks: impl FnMut(Which) -> (u32, Luck),
    ) -> Self {
        let probers = Which::ALL.map(|which| {
            let probe = probes.of(which)?;
            let (edge, luck) = asks(which);
            let (initial_delay, period) = (probe.initial_delay, probe.period);
            Some(Prober { edge, initial_delay, period, thresholds: probe.thresholds(), luck })
        });
        let pod = Pod { started: true, ready: true, ..Pod::default() };
        Kubelet {
            service,
            probers,
            backoff: probes.crash_loop_backoff,
            pods: vec![pod; replicas as usize].into(),
            unready: TimeIntegral::default(),
            counts: [0; COUNTED.len()],
            from: (0, SimTime::ZERO),
            window: (0, SimTime::ZERO),
            line: Vec::new(),
            kills: 0,
            kills_line: Vec::new(),
            changes: Vec::new(),
            unlisted: 0,
        }
    }

    /// When each replica is looked at first, for each question.
    pub fn first_looks(&mut self) -> Vec<(u32, SimTime)> {
        let replicas = self.pods.len() as u32;
        let mut all = Vec::new();
        for (subject, prober) in (0..).zip(&mut self.probers) {
            let Some(prober) = prober else { continue };
            let beats = check::beats(&mut prober.luck, prober.period, replicas);
            all.extend((0..).zip(beats).map(|(replica, at)| (replica * SUBJECTS + subject, at)));
        }
        all
    }

    /// At whom a look is, and for what.
    pub fn subject(of: u32) -> (u32, u32) {
        (of / SUBJECTS, of % SUBJECTS)
    }

    /// What a look is for.
    pub fn looks(&mut self, of: u32, now: SimTime) -> Task {
        let (replica, subject) = Self::subject(of);
        if subject == START {
            return Task::Start;
        }
        let (pod, subject) = (&mut self.pods[replica as usize], subject as usize);
        let prober = self.probers[subject].as_ref().expect("it is asked");
        let again = now + prober.period;
        pod.turns[subject] += 1;
        let is_due = pod.started != (Which::ALL[subject] == Which::Startup);
        // What starts with the run has started long ago.
        let is_early = pod.container > 0 && now.since(pod.since) < prober.initial_delay;
        if pod.killed || !is_due || is_early {
            return Task::Wait { again };
        }
        pod.asked[subject] = pod.container;
        Task::Ask { edge: prober.edge, ordinal: pod.turns[subject], again }
    }

    /// A replica has answered over an edge, or not: what is to be done about it. An answer of a container that is gone says nothing.
    pub fn heard(&mut self, edge: u32, replica: u32, is_well: bool) -> Option<Verdict> {
        let is_it = |prober: &Option<Prober>| prober.as_ref().is_some_and(|it| it.edge == edge);
        let subject = self.probers.iter().position(is_it).expect("one of its edges");
        let prober = self.probers[subject].as_ref().expect("it has an edge");
        let pod = &mut self.pods[replica as usize];
        if pod.killed || pod.asked[subject] != pod.container {
            return None;
        }
        let is_well = pod.rows[subject].hears(is_well, prober.thresholds)?;
        match (Which::ALL[subject], is_well) {
            (Which::Liveness | Which::Startup, false) => Some(Verdict::Kill),
            (Which::Liveness, true) => None,
            (Which::Startup, true) => {
                pod.started = true;
                Some(Verdict::Ready)
            }
            (Which::Readiness, _) if pod.ready == is_well => None,
            (Which::Readiness, _) => {
                pod.ready = is_well;
                self.counts[if is_well { 5 } else { 4 }] += 1;
                Some(Verdict::Ready)
            }
        }
    }

    /// Something is otherwise about a replica: whether callers may choose it.
    pub fn notes(&mut self, replica: u32, before: &'static str, now: SimTime) -> bool {
        let after = self.state(replica);
        if before != after {
            let unready = self.unready.value() + u64::from(before == "ready") - u64::from(after == "ready");
            self.unready.set(now, unready);
            if self.changes.len() < LISTED {
                let (at, of) = (now.as_nanos(), Some(replica));
                self.changes.push(Change { at, of, replica: None, from: before.into(), to: after.into() });
            } else {
                self.unlisted += 1;
            }
        }
        after == "ready"
    }

    /// What a replica is now, in a word.
    pub fn state(&self, replica: u32) -> &'static str {
        self.pods[replica as usize].state()
    }

    /// The container of a replica is killed, with which nothing was wrong, or which was still starting: when it starts again, and when it
    /// is looked at for that.
    pub fn kills(
        &mut self,
        replica: u32,
        (is_healthy, starts): (bool, bool),
        now: SimTime,
    ) -> (SimTime, u32) {
        let pod = &mut self.pods[replica as usize];
        pod.killed = true;
        let again = pod.crash_loop.killed(now, &self.backoff);
        self.kills += 1;
        let counted = [true, is_healthy, starts];
        self.counts.iter_mut().zip(counted).for_each(|(count, is_so)| *count += u64::from(is_so));
        (again, replica * SUBJECTS + START)
    }

    /// A container of a replica starts: the startup probe begins, and it is not ready before it has said so.
    pub fn starts(&mut self, replica: u32, now: SimTime) {
        let pod = &mut self.pods[replica as usize];
        self.counts[3] += u64::from(pod.killed);
        pod.due = None;
        let is_asked = |which: Which| self.probers[which as usize].is_some();
        (pod.container, pod.since, pod.killed) = (pod.container + 1, now, false);
        pod.started = !is_asked(Which::Startup);
        pod.ready = !is_asked(Which::Readiness);
        pod.rows = [InARow::default(); 3];
    }

    /// A container that was killed starts when this is due.
    pub fn is_to_start(&mut self, replica: u32, due: Timer) {
        self.pods[replica as usize].due = Some(due);
    }

    /// A replica is taken away: nothing is known of whatever takes its place. If its container was killed and was to start again: when that is
    /// due.
    pub fn forgets(&mut self, replica: u32, now: SimTime) -> Option<Timer> {
        let pod = &mut self.pods[replica as usize];
        if !pod.is_ready() {
            self.unready.set(now, self.unready.value() - 1);
        }
        let (container, turns, due) = (pod.container + 1, pod.turns, pod.due.take());
        *pod = Pod { container, turns, started: true, ready: true, ..Pod::default() };
        due
    }

    /// Draws so far, and over which edges.
    pub fn used(&self) -> impl Iterator<Item = (u32, StreamUse)> + '_ {
        self.probers.iter().flatten().map(|prober| (prober.edge, prober.luck.used()))
    }

    /// Measurement begins: what was before is listed and drawn, and not counted.
    pub fn begin(&mut self, now: SimTime) {
        self.counts = [0; COUNTED.len()];
        self.from = (self.unready.area(now), now);
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.unready.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.line.push((area - before) as f64 / now.since(then).as_nanos().max(1) as f64);
        self.kills_line.push(std::mem::take(&mut self.kills) as f64);
    }

    /// What is told of it.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let (before, then) = self.from;
        let now = now.max(then);
        let measured = now.since(then).as_nanos();
        let mut section = declared(at);
        for (name, count) in COUNTED.into_iter().zip(self.counts) {
            section.set(name, count as f64);
        }
        section.set(
            "unready_mean",
            (measured > 0).then(|| (self.unready.area(now) - before) as f64 / measured as f64),
        );
        section.draw("unready", self.line.clone());
        section.draw("kills", self.kills_line.clone());
        Section { changes: self.changes.clone(), changes_unlisted: self.unlisted, ..section }
    }
}

/// What it will tell: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    Section::new("probes", at)
        .value(
            "kills",
            plain("replicas that were killed since they failed a probe, after the warm-up")
                .of_windows(Fold::Sum("kills".into()))
                .better(Better::Less)
                .headline(),
        )
        .value(
            "kills_of_healthy",
            plain("of these, those with which nothing was wrong: no fault was on them").better(Better::Less),
        )
        .value("kills_while_starting", plain("those that were still starting").better(Better::Less))
        .value("starts", plain("and those that were started again"))
        .value("taken_out", plain("replicas that became unready, which callers no longer chose"))
        .value("let_in", plain("and those that became ready"))
        .value(
            "unready_mean",
            plain("replicas that are killed, have not started or are not ready, mean over time")
                .of_windows(Fold::Mean("unready".into()))
                .better(Better::Less),
        )
        .line("unready", Unit::Plain, "Replicas that are not ready, mean of each window.")
        .line("kills", Unit::Plain, "Replicas that were killed since they failed a probe, in each window.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;
    use sim_core::Streams;

    const T: fn(u64) -> SimTime = SimTime::from_secs;

    fn kubelet(text: &str) -> Kubelet {
        let probes = read::<Probes>(text).expect("sound").0;
        let edge = |which: Which| (which as u32, Streams::new(1).luck("check", which.name()));
        Kubelet::new(&probes, 0, 2, edge)
    }

    /// Asks a replica, or not, and hears this: what is to be done.
    fn asked(kubelet: &mut Kubelet, which: Which, at: u64, is_well: bool) -> Option<Option<Verdict>> {
        let subject = SUBJECTS + which as u32;
        match kubelet.looks(subject, T(at)) {
            Task::Ask { edge, .. } => Some(kubelet.heard(edge, 1, is_well)),
            Task::Wait { again } => {
                assert!(again > T(at));
                None
            }
            Task::Start => unreachable!("a question"),
        }
    }

    /// What a container goes through: the startup probe alone, then the others; and what they say is believed after some in a row.
    #[test]
    fn one_question_after_another() {
        let mut it = kubelet(
            "(liveness: (failure_threshold: 2), readiness: (failure_threshold: 1, success_threshold: 2), startup: ())",
        );
        assert_eq!(it.state(1), "ready", "all have started long ago");
        assert_eq!(asked(&mut it, Which::Startup, 0, false), None);
        assert_eq!(asked(&mut it, Which::Readiness, 0, false), Some(Some(Verdict::Ready)));
        assert_eq!(it.state(1), "unready");
        assert_eq!(asked(&mut it, Which::Liveness, 1, false), Some(None));
        assert_eq!(asked(&mut it, Which::Liveness, 2, false), Some(Some(Verdict::Kill)));
        assert_eq!(it.kills(1, (true, false), T(2)), (T(2), SUBJECTS + START));
        assert_eq!((it.state(1), it.state(0)), ("killed", "ready"));
        assert_eq!(asked(&mut it, Which::Liveness, 3, false), None, "there is nobody");
        it.starts(1, T(4));
        assert_eq!(asked(&mut it, Which::Liveness, 5, false), None, "it has not started");
        assert_eq!(asked(&mut it, Which::Startup, 5, false), Some(None));
        assert_eq!(asked(&mut it, Which::Startup, 6, true), Some(Some(Verdict::Ready)));
        assert_eq!(it.state(1), "unready");
        assert_eq!(asked(&mut it, Which::Startup, 7, true), None);
        assert_eq!(asked(&mut it, Which::Readiness, 7, true), Some(None));
        assert_eq!(asked(&mut it, Which::Readiness, 8, true), Some(Some(Verdict::Ready)));
        assert_eq!(it.state(1), "ready");
        // The row began anew with the container.
        assert_eq!(asked(&mut it, Which::Liveness, 9, false), Some(None));
    }

    /// What the last container was asked says nothing of this one, nor of another that takes its place.
    #[test]
    fn an_answer_of_a_container_that_is_gone() {
        for is_taken_away in [false, true] {
            let mut it = kubelet("(liveness: (failure_threshold: 1))");
            let Task::Ask { edge, .. } = it.looks(SUBJECTS + Which::Liveness as u32, T(1)) else {
                panic!("it is asked")
            };
            it.kills(1, (false, false), T(2));
            it.notes(1, "ready", T(2));
            if is_taken_away {
                it.forgets(1, T(2));
            } else {
                it.starts(1, T(2));
            }
            assert_eq!(it.heard(edge, 1, false), None);
            assert_eq!(it.state(1), "ready");
        }
    }

    /// Whoever is taken away while it waits to start leaves nothing behind.
    #[test]
    fn who_is_taken_away_is_forgotten() {
        let mut it = kubelet("(liveness: (), readiness: ())");
        let before = it.state(1);
        it.kills(1, (true, false), T(1));
        assert!(!it.notes(1, before, T(1)));
        it.forgets(1, T(11));
        assert_eq!(it.state(1), "ready");
        assert_eq!(it.kills(1, (true, false), T(12)).0, T(12), "its first");
        assert_eq!(it.section("a", T(20)).values.get("unready_mean").unwrap().value, Some(0.5));
    }
}
