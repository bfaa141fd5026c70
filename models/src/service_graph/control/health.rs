//! Active health checks: somebody asks each replica now and then, and takes out who does not answer well.
//!
//! What it asks for makes the difference (see [`check`](super::check)): whoever is taken out because he is busy leaves his load to the
//! others, and when what all of them need is ill a deep check takes all of them out. What strikes its edge, `health->api` (a cut between
//! checker and replica), strikes nobody else.
//!
//! There is one checker for all callers, as in a load balancer or a kubelet, and they see what it says at once. Of `unhealthy_threshold`
//! `f` checks, one each `interval` `i`, a replica that answers nothing more is taken out `(f - 1) i + timeout` after the first that it
//! misses, which is uniform over `i`: `(f - 1/2) i + timeout` on average.

use super::check::{self, Check, InARow, Kind, Thresholds};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Better, Change, Fold, Section, Unit, Value};
use sim_core::stats::TimeIntegral;
use sim_core::{Luck, SimDuration, SimTime, StreamUse};

/// More changes than this are counted but not listed.
const LISTED: usize = 1_000;

spec! {
    /// Checks of each replica: who fails some in a row is chosen by nobody until he passes some.
    pub struct Health where check {
        /// What is asked for.
        kind: Kind = Kind::Shallow,
        /// From one check of a replica to the next; each replica has its own beat, from a random moment on.
        interval: SimDuration = SimDuration::from_secs(2); POSITIVE,
        /// How long a check waits for its answer.
        timeout: SimDuration = SimDuration::from_secs(1); POSITIVE,
        /// Failures in a row that take a replica out.
        unhealthy_threshold: u32 = 3; 1..=1_000,
        /// Successes in a row that let it in again.
        healthy_threshold: u32 = 2; 1..=1_000,
        /// One-way network latency of a check; absent means the graph's.
        network: Option<TimeDistribution> = None,
    }
}

/// What a checker is called.
pub const CHECKER: &str = "health";

fn check(health: &Health, at: &Node, cx: &mut Decoder) {
    check::check_pace((health.timeout, health.interval), "interval", at, cx);
}

impl Health {
    /// Who asks, and what.
    pub fn check(&self) -> Check<'_> {
        Check { by: CHECKER, kind: &self.kind, timeout: self.timeout, network: &self.network }
    }
}

/// Whoever checks all replicas of one service.
#[derive(Clone, Debug)]
pub struct Checker {
    /// Which.
    pub service: u32,
    /// Over which it asks.
    pub edge: u32,
    interval: SimDuration,
    /// To be taken out, and to be let in again.
    thresholds: Thresholds,
    hosts: Box<[Host]>,
    luck: Luck,
    unhealthy: TimeIntegral,
    /// After the warm-up: checks, those that failed, replicas taken out, and let in again.
    counts: [u64; 4],
    /// Area and time when measurement, and the window, began.
    from: (u128, SimTime),
    window: (u128, SimTime),
    line: Vec<f64>,
    changes: Vec<Change>,
    unlisted: u64,
}

/// What it knows of one.
#[derive(Clone, Copy, Debug, Default)]
struct Host {
    unhealthy: bool,
    row: InARow,
    checks: u64,
}

impl Checker {
    /// One that has seen nothing yet, and takes all for well.
    pub fn new(health: &Health, (service, edge): (u32, u32), replicas: u32, luck: Luck) -> Self {
        Checker {
            service,
            edge,
            interval: health.interval,
            thresholds: Thresholds { ill: health.unhealthy_threshold, well: health.healthy_threshold },
            hosts: vec![Host::default(); replicas as usize].into(),
            luck,
            unhealthy: TimeIntegral::default(),
            counts: [0; 4],
            from: (0, SimTime::ZERO),
            window: (0, SimTime::ZERO),
            line: Vec::new(),
            changes: Vec::new(),
            unlisted: 0,
        }
    }

    /// When it looks at each replica first.
    pub fn first_looks(&mut self) -> Vec<SimTime> {
        check::beats(&mut self.luck, self.interval, self.hosts.len() as u32).collect()
    }

    /// It looks at a replica: over which edge, when it does so next, and how often it has.
    pub fn looks(&mut self, replica: u32, now: SimTime) -> (u32, SimTime, u64) {
        let host = &mut self.hosts[replica as usize];
        host.checks += 1;
        (self.edge, now + self.interval, host.checks)
    }

    /// A check has ended: what it says of the replica from now on, if that is another thing than before.
    pub fn heard(&mut self, replica: u32, is_well: bool, now: SimTime) -> Option<bool> {
        self.counts[0] += 1;
        self.counts[1] += u64::from(!is_well);
        let host = &mut self.hosts[replica as usize];
        let healthy = host.row.hears(is_well, self.thresholds)?;
        if healthy != host.unhealthy {
            return None;
        }
        host.unhealthy = !healthy;
        let ill = if healthy { self.unhealthy.value() - 1 } else { self.unhealthy.value() + 1 };
        self.unhealthy.set(now, ill);
        self.counts[if healthy { 3 } else { 2 }] += 1;
        if self.changes.len() < LISTED {
            let [from, to] = if healthy { ["unhealthy", "healthy"] } else { ["healthy", "unhealthy"] };
            self.changes.push(Change {
                at: now.as_nanos(),
                of: Some(replica),
                replica: None,
                from: from.into(),
                to: to.into(),
            });
        } else {
            self.unlisted += 1;
        }
        Some(healthy)
    }

    /// Another takes the place of a replica: nothing is known of that.
    pub fn forgets(&mut self, replica: u32, now: SimTime) {
        let host = &mut self.hosts[replica as usize];
        let was_ill = host.unhealthy;
        *host = Host { checks: host.checks, ..Host::default() };
        if was_ill {
            self.unhealthy.set(now, self.unhealthy.value() - 1);
        }
    }

    /// Draws so far.
    pub fn used(&self) -> StreamUse {
        self.luck.used()
    }

    /// Measurement begins: what was before is listed and drawn, and not counted.
    pub fn begin(&mut self, now: SimTime) {
        self.counts = [0; 4];
        self.from = (self.unhealthy.area(now), now);
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.unhealthy.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.line.push((area - before) as f64 / now.since(then).as_nanos().max(1) as f64);
    }

    /// What is told of it.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let (before, then) = self.from;
        let now = now.max(then);
        let measured = now.since(then).as_nanos();
        let mut section = declared(at);
        for (name, count) in ["checks", "failed", "taken_out", "let_in"].into_iter().zip(self.counts) {
            section.set(name, count as f64);
        }
        section.set(
            "unhealthy_mean",
            (measured > 0).then(|| (self.unhealthy.area(now) - before) as f64 / measured as f64),
        );
        section.draw("unhealthy", self.line.clone());
        Section { changes: self.changes.clone(), changes_unlisted: self.unlisted, ..section }
    }
}

/// What it will tell: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    Section::new("health", at)
        .value("checks", plain("checks that ended after the warm-up"))
        .value("failed", plain("of these, those that got no good answer in time"))
        .value("taken_out", plain("replicas said to be ill, which callers no longer chose"))
        .value("let_in", plain("and those said to be well again"))
        .value(
            "unhealthy_mean",
            plain("replicas said to be ill, mean over time")
                .of_windows(Fold::Mean("unhealthy".into()))
                .better(Better::Less),
        )
        .line("unhealthy", Unit::Plain, "Replicas that the checker says are ill, mean of each window.")
}

impl Part for Health {
    fn does(&self) -> Does {
        Does::STEERS.and(Does::REFUSES).and(self.kind.does())
    }

    fn brief(&self) -> Option<String> {
        Some(format!("{} checks every {}", self.kind.name(), self.interval))
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let rounds = f64::from(self.unhealthy_threshold) - 0.5;
        let mean = SimDuration::from_nanos_f64(rounds * self.interval.as_nanos() as f64) + self.timeout;
        let worst = self.interval.saturating_mul(self.unhealthy_threshold.into()) + self.timeout;
        vec![format!(
            "a replica of {} that falls silent is chosen for {} more on average, {} at most",
            around.name,
            mean.brief(),
            worst.brief()
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "health",
            word: "",
            what: "Asks each replica now and then whether it is well; one that fails some checks in a row is chosen by no caller until it \
                   passes some. A shallow check asks whether anybody listens, one with a worker waits for it like a request, a deep one \
                   makes the calls of a request too, all that it may wait for.",
            hurts: "A shallow check passes while users fail. One that needs a worker takes replicas out because they are busy, and gives \
                    their load to the others. Deep checks take all replicas out at once when what all of them need is ill: callers that \
                    could have been served without it get nothing.",
            formula: "who falls silent is out after `(unhealthy_threshold - 1/2) interval + timeout` on average, and half an interval more at most",
            source: "HAProxy `inter` 2 s, `fall` 3, `rise` 2; Envoy `health_checks`; AWS Builders' Library, \"Implementing health checks\"; \
                     Huang et al., \"Gray Failure\", HotOS 2017",
            experiment: "health-checks",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(interval: "100ms", timeout: "50ms")"#,
            r#"(kind: Worker(), interval: "50ms", timeout: "20ms", unhealthy_threshold: 1, healthy_threshold: 1)"#,
            r#"(kind: Deep(work: "500us"), interval: "100ms", timeout: "100ms", unhealthy_threshold: 2, network: "1ms")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;
    use sim_core::Streams;

    /// HAProxy's `fall` and `rise`: in a row, and counted anew after any check that says what is known already.
    #[test]
    fn in_a_row_and_counted_anew() {
        for (text, checks, says) in [
            ("()", "xxx", "--o"),
            ("()", "xx.xx.xxx", "--------o"),
            ("()", "xxx.x..", "--o---i"),
            ("(unhealthy_threshold: 1, healthy_threshold: 1)", "x.x..", "oioi-"),
            ("(unhealthy_threshold: 1, healthy_threshold: 3)", "x..x...", "o-----i"),
        ] {
            let health = read::<Health>(text).expect("sound").0;
            let mut checker = Checker::new(&health, (0, 0), 1, Streams::new(1).luck("check", "test"));
            let said: String = (0..)
                .zip(checks.chars())
                .map(|(at, check)| match checker.heard(0, check == '.', SimTime::from_secs(at)) {
                    None => '-',
                    Some(true) => 'i',
                    Some(false) => 'o',
                })
                .collect();
            assert_eq!(said, says, "{text}: {checks}");
        }
    }

    #[test]
    fn a_check_ends_before_the_next() {
        let why = read::<Health>(r#"(interval: "1s", timeout: "2s")"#).map(|_| ()).expect_err("too long");
        assert!(why.contains("make `timeout` at most `interval`"), "{why}");
        assert!(read::<Health>(r#"(interval: "1s", timeout: "1s")"#).is_ok());
    }

    /// Each has its own beat.
    #[test]
    fn replicas_are_looked_at_one_after_another() {
        let health = read::<Health>("()").expect("sound").0;
        let mut checker = Checker::new(&health, (0, 0), 1_000, Streams::new(1).luck("check", "test"));
        let looks = checker.first_looks();
        let mean = looks.iter().map(|at| at.as_secs_f64()).sum::<f64>() / 1_000.0;
        // Uniform over 2 s: of a thousand the mean has sd 0.018.
        assert!((mean - 1.0).abs() < 0.06 && looks.iter().all(|at| *at < SimTime::from_secs(2)), "{mean}");
    }
}
