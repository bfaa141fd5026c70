//! A replica that starts: not there at once, and slow at first.
//!
//! While it starts it refuses what comes, and no caller chooses it: whoever starts a process knows that it is not ready. When it is,
//! it is as cold as `cold_factor` says: code is not compiled, caches are empty, connections not open; that wears off in a straight line.
//! All replicas of a file are there and warm when a run begins.
//!
//! One that needs others is not ready before they are there: [`needs`](super::needs).

use super::needs;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Len, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::Section;
use sim_core::{SimDuration, SimTime};

spec! {
    /// How a replica starts: after a crash, and when it comes back that was drained.
    pub struct StartUp where check {
        /// How long it takes until it is ready, drawn for each start. Until then it refuses what comes, and no caller chooses it.
        time: TimeDistribution,
        /// How many times longer work takes for one that has just become ready; 1 is not at all.
        cold_factor: f64 = 1.0; 1.0..=1_000.0,
        /// How long it takes until it is warm: work takes less longer in a straight line.
        warms_up_in: SimDuration = SimDuration::from_secs(60); POSITIVE,
        /// Services of which any replica must be up before it is ready. It looks for that once `time` is over.
        needs: Vec<Spanned<String>> = Vec::new(); Len(0..=100),
        /// What it does as long as one of them is missing.
        missing: Missing = Missing::Wait { every: SimDuration::from_secs(1) },
    }
}

spec! {
    /// What a replica does that has started, and does not find what it needs.
    #[derive(PartialEq)]
    pub enum Missing {
        /// It looks again, until all of them are there.
        Wait {
            /// How long after it has looked.
            every: SimDuration = SimDuration::from_secs(1); POSITIVE,
        },
        /// It exits, and is started anew, which takes its `time` again; Kubernetes' figures.
        CrashLoop {
            /// How long it stays down the first time; twice as long each time after that, until it has been ready.
            initial: SimDuration = SimDuration::from_secs(10); POSITIVE,
            /// And at most.
            cap: SimDuration = SimDuration::from_secs(300); POSITIVE,
        },
    }
}

fn check(start: &StartUp, at: &Node, cx: &mut Decoder) {
    if start.needs.is_empty() && start.missing != (Missing::Wait { every: SimDuration::from_secs(1) }) {
        cx.warn(at.span_of("missing"), "nothing can be missing: it needs nobody")
            .help("name the services that it needs: needs: [\"db\"]");
    }
    if start.time.nanos.mean() == 0.0 && start.cold_factor == 1.0 && start.needs.is_empty() {
        cx.warn(at.span, "takes no time, and is warm at once: it is as if it were not there");
    }
}

impl StartUp {
    /// How many times longer work takes that begins so long after a replica was ready.
    pub fn stretch(&self, after: SimDuration) -> f64 {
        let left = 1.0 - after.as_nanos() as f64 / self.warms_up_in.as_nanos() as f64;
        1.0 + (self.cold_factor - 1.0) * left.max(0.0)
    }

    /// Whether it is cold at first.
    pub fn is_cold(&self) -> bool {
        self.cold_factor > 1.0
    }
}

/// When each replica became ready.
#[derive(Clone, Debug)]
pub struct Warming {
    start: StartUp,
    ready: Box<[Option<SimTime>]>,
}

impl Warming {
    /// All of them are warm.
    pub fn new(start: &StartUp, replicas: u32) -> Self {
        Warming { start: start.clone(), ready: vec![None; replicas as usize].into() }
    }

    /// One is ready now.
    pub fn is_ready(&mut self, replica: u32, now: SimTime) {
        self.ready[replica as usize] = Some(now);
    }

    /// How many times longer work takes there that begins now.
    pub fn stretch(&self, replica: u32, now: SimTime) -> f64 {
        self.ready[replica as usize].map_or(1.0, |ready| self.start.stretch(now.since(ready)))
    }
}

impl Part for StartUp {
    fn does(&self) -> Does {
        Does::VARIES
    }

    fn brief(&self) -> Option<String> {
        let cold = if self.is_cold() { format!(", cold {} times", self.cold_factor) } else { String::new() };
        Some(format!("starts in {}{cold}", crate::diagram::time(&self.time)))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.needs.is_empty() { Vec::new() } else { vec![needs::declared(at)] }
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let names: Vec<&str> = self.needs.iter().map(|name| name.value.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let then = match self.missing {
            Missing::Wait { every } => format!("looks for that every {}", every.brief()),
            Missing::CrashLoop { initial, cap } => {
                format!(
                    "exits if not, and is started again after {}, twice as long each time, {} at most",
                    initial.brief(),
                    cap.brief()
                )
            }
        };
        vec![format!(
            "a replica of {} that has started is ready when any of {} is up, and {then}",
            around.name,
            names.join(" and of ")
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "start_up",
            word: "",
            what: "How long a replica takes to start, after a crash or when it comes back that was drained, and how much slower it is at \
                   first. Until it is ready it refuses what comes and no caller chooses it. With `needs` it is not ready before those are up: it waits for them, or \
                   exits and is started again, later each time.",
            hurts: "A cold replica that gets its full share at once builds up a queue before it is warm: callers time out, and whoever \
                    counts what is out finds that it has nothing, and sees how slow it is only if it sends enough itself. Services that need each other are up as long as \
                    one of them is, and after an outage of all of them never again.",
            formula: "at `t` after it is ready work takes `1 + (cold_factor - 1) (1 - t / warms_up_in)` times as long: for as long as that times \
                      its utilisation is over 1 its queue grows",
            source: "Kubernetes readiness; Envoy slow start (why there is one); JVM warm-up",
            experiment: "slow-start",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#"(time: "50ms")"#, r#"(time: Exponential(mean: "200ms"), cold_factor: 5, warms_up_in: "500ms")"#]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn it_warms_up_in_a_straight_line() {
        let start = read::<StartUp>(r#"(time: "1s", cold_factor: 5, warms_up_in: "40s")"#).expect("sound").0;
        let mut warming = Warming::new(&start, 2);
        warming.is_ready(1, SimTime::from_secs(100));
        for (replica, at, times) in
            [(0, 100, 1.0), (1, 100, 5.0), (1, 110, 4.0), (1, 130, 2.0), (1, 140, 1.0), (1, 1_000, 1.0)]
        {
            assert_eq!(warming.stretch(replica, SimTime::from_secs(at)), times, "{replica} at {at} s");
        }
    }
}
