//! Probes, as a kubelet makes them: whether a container has started, whether it still lives, whether it may be sent anything.
//!
//! Each replica is probed by its own node, so there is one prober for each and no network between, and what one says is believed by all
//! callers at once. Three questions, each with its own beat:
//!
//! - *startup*: until it has been answered well the other two are not asked, and no caller chooses the replica. Too many failures kill the
//!   container.
//! - *liveness*: `failure_threshold` failures in a row kill the container: what it had in hand is lost, and it starts again, which takes
//!   its `start_up` time if the service has one. At the second time in a row that waits ([`CrashLoopBackoff`]).
//! - *readiness*: as many failures take the replica out of the callers' choice, and `success_threshold` successes let it in again. A
//!   container that starts is not ready before that.
//!
//! What is asked makes the difference (see [`check`](super::check)). A probe that is answered on a port and a thread of its own says
//! whether the process is there. One that waits for a worker behind the requests of users says how long their queue is: in an overload
//! liveness then kills who is merely busy, the others get his load, and are next.
//!
//! A container that a fault has taken down is not known to be so: it is probed, fails, and is killed, which changes nothing while the
//! fault lasts. While a container starts it refuses, so a probe that comes then fails. Nothing is probed that is on its way out.
//!
//! Left out: the grace period of a killed container (it is gone at once), and that Kubernetes without a readiness probe sends requests to
//! a container that has not finished starting: here `start_up` says when it has.

mod crash_loop;
mod kubelet;

use super::check::{self, Check, Kind, Thresholds};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crash_loop::CrashLoopBackoff;
pub use kubelet::{Kubelet, Task, Verdict, declared};
use sim_core::SimDuration;

spec! {
    /// Probes of each replica by its own node: who does not live is started again, who is not ready is chosen by nobody.
    pub struct Probes where check_probes {
        /// Whether it still lives: who fails is killed and started again; not asked if absent.
        liveness: Option<Probe> = None,
        /// Whether it may be sent requests: who fails is chosen by no caller until it succeeds; not asked if absent.
        readiness: Option<Probe> = None,
        /// Whether it has started: until then the others are not asked. Who fails is killed and started again; not asked if absent.
        startup: Option<Probe> = None,
        /// How long a container that is killed again and again waits before it starts.
        crash_loop_backoff: CrashLoopBackoff = CrashLoopBackoff::default(),
    }
}

spec! {
    /// One question, asked again and again.
    pub struct Probe where check_probe {
        /// What is asked for.
        kind: Kind = Kind::Shallow,
        /// How long after its start a container is asked first.
        initial_delay: SimDuration = SimDuration::ZERO,
        /// From one probe of a replica to the next; each replica has its own beat, from a random moment on.
        period: SimDuration = SimDuration::from_secs(10); POSITIVE,
        /// How long a probe waits for its answer.
        timeout: SimDuration = SimDuration::from_secs(1); POSITIVE,
        /// Failures in a row that are believed.
        failure_threshold: u32 = 3; 1..=1_000,
        /// Successes in a row that are believed after a failure; 1 for liveness and startup.
        success_threshold: u32 = 1; 1..=1_000,
        /// One-way network latency: none, since a replica is asked by its own node; `None` means the graph's.
        network: Option<TimeDistribution> = Some(TimeDistribution::constant(SimDuration::ZERO)),
    }
}

/// Which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Startup,
    Liveness,
    Readiness,
}

impl Which {
    /// In the order in which a container meets them.
    pub const ALL: [Which; 3] = [Which::Startup, Which::Liveness, Which::Readiness];

    /// What it is called, as a caller of the service too.
    pub fn name(self) -> &'static str {
        match self {
            Which::Startup => "startup",
            Which::Liveness => "liveness",
            Which::Readiness => "readiness",
        }
    }
}

fn check_probe(probe: &Probe, at: &Node, cx: &mut Decoder) {
    check::check_pace((probe.timeout, probe.period), "period", at, cx);
}

fn check_probes(probes: &Probes, at: &Node, cx: &mut Decoder) {
    if probes.all().next().is_none() {
        cx.warn(at.span, "asks nothing: it is as if it were not there")
            .help("give it `liveness`, `readiness` or `startup`");
    }
    for (which, probe) in probes.all().filter(|(which, _)| *which != Which::Readiness) {
        if probe.success_threshold != 1 {
            let name = which.name();
            let span = at.get(name).map_or(at.span, |probe| probe.span_of("success_threshold"));
            cx.error(span, format!("`success_threshold` of `{name}` must be 1"))
                .help("one success ends a row of failures, and only `readiness` may ask for more");
        }
    }
}

impl Probe {
    /// How long a container that answers nothing has at least from its start until it is killed for that, and at most.
    fn patience(&self) -> (SimDuration, SimDuration) {
        let probes = u64::from(self.failure_threshold);
        let least = self.initial_delay + self.period.saturating_mul(probes - 1);
        (least, least + self.period)
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds { ill: self.failure_threshold, well: self.success_threshold }
    }
}

impl Probes {
    /// Those that are made.
    pub fn all(&self) -> impl Iterator<Item = (Which, &Probe)> {
        Which::ALL.into_iter().filter_map(|which| Some((which, self.of(which)?)))
    }

    fn of(&self, which: Which) -> Option<&Probe> {
        match which {
            Which::Startup => self.startup.as_ref(),
            Which::Liveness => self.liveness.as_ref(),
            Which::Readiness => self.readiness.as_ref(),
        }
    }

    /// Who asks, and what.
    pub fn checks(&self) -> impl Iterator<Item = Check<'_>> {
        self.all().map(|(which, probe)| Check {
            by: which.name(),
            kind: &probe.kind,
            timeout: probe.timeout,
            network: &probe.network,
        })
    }

    /// Whether any of them kills.
    pub fn kill(&self) -> bool {
        self.liveness.is_some() || self.startup.is_some()
    }

    /// Why a container that stands still for so long at a time may be killed for it, if so.
    pub fn kills_who_pauses(&self, pause: SimDuration) -> Option<String> {
        let probe = self.liveness.as_ref().filter(|probe| pause > probe.timeout)?;
        let (pause, timeout) = (pause.brief(), probe.timeout.brief());
        let rows = match probe.failure_threshold {
            1 => String::new(),
            some => format!(", if it happens {some} times in a row"),
        };
        Some(format!(
            "stands still for {pause} at a time, and `liveness` waits for {timeout}: it kills who is well{rows}"
        ))
    }

    /// Why a container that needs at least this long to start never does, and what would help, if so.
    pub fn never_start(&self, takes: SimDuration) -> Option<(String, String)> {
        let (which, probe) = self.all().find(|(which, _)| *which != Which::Readiness)?;
        let most = probe.patience().1;
        (takes > most).then(|| {
            let help = match which {
                Which::Startup => "a larger `failure_threshold` of `startup`",
                _ => "a `startup` probe holds `liveness` back until it has started, or `initial_delay` does",
            };
            let name = which.name();
            let why = format!(
                "takes at least {takes} to start, and `{name}` kills it after {most}: it never starts again"
            );
            (why, help.into())
        })
    }
}

impl Part for Probes {
    fn does(&self) -> Does {
        let each = self.all().map(|(which, probe)| {
            // A container that starts again is chosen by nobody until it has.
            let leaves = Does::STEERS.and(Does::REFUSES).and(probe.kind.does());
            if which == Which::Readiness { leaves } else { leaves.and(Does::BREAKS) }
        });
        each.fold(Does::NOTHING, Does::and)
    }

    fn brief(&self) -> Option<String> {
        let each: Vec<String> = self
            .all()
            .map(|(which, probe)| {
                format!("{} {} every {}", probe.kind.name(), which.name(), probe.period.brief())
            })
            .collect();
        (!each.is_empty()).then(|| each.join(", "))
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let name = around.name;
        let found = |probe: &Probe| {
            let rounds = f64::from(probe.failure_threshold) - 0.5;
            let mean = SimDuration::from_nanos_f64(rounds * probe.period.as_nanos() as f64) + probe.timeout;
            let most = probe.period.saturating_mul(probe.failure_threshold.into()) + probe.timeout;
            format!("{} later on average, {} at most", mean.brief(), most.brief())
        };
        let mut notes = Vec::new();
        if let Some(probe) = &self.readiness {
            notes.push(format!("a replica of {name} that falls silent is chosen by nobody {}", found(probe)));
        }
        if let Some(probe) = &self.liveness {
            notes.push(format!("a replica of {name} that falls silent is killed {}", found(probe)));
        }
        if let Some(probe) = &self.startup {
            let (least, most) = probe.patience();
            let (least, most) = (least.brief(), most.brief());
            notes.push(format!("a replica of {name} has {least} to {most} to start, or is killed"));
        }
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "probes",
            word: "",
            what: "Asks each replica from its own node, as a kubelet does. `startup` asks until it has started, and holds the others back; \
                   `liveness` kills and starts again whoever fails some times in a row; `readiness` takes whoever fails out of the callers' \
                   choice until it succeeds. Who is killed again and again waits before it starts: 10 s, twice as long each time, 5 min at \
                   most, and forgotten after 10 min without.",
            hurts: "Liveness that waits for a worker like the requests of users kills, in an overload, replicas with which nothing is wrong: \
                    what they had in hand is lost, the others get their load and are next. Without a startup probe it kills whoever starts \
                    slowly, for ever. A deep probe kills everybody when what all of them need is ill.",
            formula: "who falls silent is found out `(failure_threshold - 1/2) period + timeout` later on average, half a period more or less; \
                      who is busy once the queue takes longer than `timeout`, and that much later",
            source: "Kubernetes `livenessProbe`, `readinessProbe`, `startupProbe` and their defaults; kubelet `prober/worker.go`, \
                     `CrashLoopBackOff`",
            experiment: "probes",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(readiness: (period: "100ms", timeout: "50ms"))"#,
            r#"(liveness: (kind: Worker(), period: "50ms", timeout: "20ms", failure_threshold: 1), crash_loop_backoff: (initial: "50ms", cap: "200ms", reset_after: "1s"))"#,
            r#"(startup: (period: "10ms", timeout: "10ms", failure_threshold: 100), liveness: (kind: Deep(work: "500us"), initial_delay: "20ms", period: "100ms", timeout: "50ms", network: None), readiness: (period: "30ms", timeout: "30ms", success_threshold: 2))"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn as_kubernetes_has_them() {
        let probe = read::<Probe>("()").expect("all have defaults").0;
        let secs = SimDuration::from_secs;
        assert_eq!((probe.initial_delay, probe.period, probe.timeout), (secs(0), secs(10), secs(1)));
        assert_eq!((probe.failure_threshold, probe.success_threshold), (3, 1));
        assert_eq!(probe.patience(), (secs(20), secs(30)));
    }

    /// It never starts where even the last probe that is borne comes too early.
    #[test]
    fn who_has_no_time_to_start() {
        for (probes, takes, is_told) in [
            ("(liveness: ())", 30, false),
            ("(liveness: ())", 31, true),
            (r#"(liveness: (initial_delay: "30s"))"#, 60, false),
            (r#"(liveness: (initial_delay: "30s"))"#, 61, true),
            ("(liveness: (), startup: (failure_threshold: 30))", 300, false),
            ("(liveness: (), startup: (failure_threshold: 30))", 301, true),
            ("(readiness: ())", 1_000, false),
        ] {
            let probes = read::<Probes>(probes).unwrap_or_else(|why| panic!("{probes}: {why}")).0;
            assert_eq!(
                probes.never_start(SimDuration::from_secs(takes)).is_some(),
                is_told,
                "{probes:?}: {takes}"
            );
        }
    }
}
