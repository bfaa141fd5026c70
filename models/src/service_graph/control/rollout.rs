//! Another version of a service comes, replica by replica: rollouts as Kubernetes and Argo Rollouts make them.
//!
//! A version is what a replica runs. What the new one does otherwise (its work takes longer, it fails more) is upon those replicas that run
//! it, for as long as they do, as the effect of a fault would be: [`ActiveSet`](crate::fault::ActiveSet). A replica of the old one is
//! drained and goes; in its place, or in a place besides (the surge), one of the new one starts, which takes its `start_up` time. So what
//! there is to serve with meanwhile, and who meets which version, follows, and nothing of it is written down.
//!
//! How many of which there are to be is the [`roller`]'s to say, how they come to be that many the [`pace`]'s: Kubernetes' Deployment
//! controller, `rolling.go`. Whoever looks at the new version's figures and takes it back is the
//! [`analysis`](super::analysis).
//!
//! Where callers look up whom they call whoever comes has another address than whoever went, as another pod has: a place of its own. What
//! somebody heard before names those that are gone.
//!
//! A version may speak another version of the protocol between services than the old one, and understand others: [`protocol`](super::protocol).
//!
//! Left out: traffic that is split otherwise than by replicas (a service mesh), more than one release in a run, and a rollout that is
//! paused by hand. A replica that leaves has its place until it is gone (`podReplacementPolicy: TerminationComplete`).

mod explained;
mod moves;
mod pace;
mod roller;
mod told;

use super::analysis::Analysis;
use super::protocol::{self, Protocol};
use super::versions::Version;
use crate::experiment::{Decoder, Len, Node};
use crate::words::percent;
pub use explained::Planned;
pub use roller::Roller;
use sim_core::{SimDuration, SimTime};
pub use told::declared;

spec! {
    /// Another version of a service comes.
    pub struct Rollout where check {
        /// When it begins.
        at: SimTime,
        /// What the old version speaks and understands; the first version of the protocol if nothing is said.
        from: Protocol = Protocol::first(),
        /// What the new version does otherwise than the old one; nothing, if nothing is said.
        to: Version = Version::same(),
        /// How it takes the place of the old one.
        strategy: Strategy = Strategy::usual(),
        /// Replicas that the release misses: they keep the old version for good.
        missed: u32 = 0; 0..=10_000,
        /// How long a new replica must have been ready before it counts (`minReadySeconds`).
        min_ready: SimDuration = SimDuration::ZERO,
        /// How long nothing may come of it before it counts as stuck (`progressDeadlineSeconds`). Pauses do not count.
        progress_deadline: SimDuration = SimDuration::from_secs(600),
        /// Whether it is taken back then (Argo's `progressDeadlineAbort`); Kubernetes only says so.
        progress_deadline_abort: bool = false,
        /// Who looks at the figures of the new version, and takes it back; nobody if absent.
        analysis: Option<Analysis> = None,
        /// When somebody takes it back by hand (`kubectl rollout undo`); nobody if absent.
        undo_at: Option<SimTime> = None,
        /// How long a replica that is stopped waits before it looks whether it is done. Part of `grace`.
        linger: SimDuration = SimDuration::ZERO,
        /// How long it has in all; what it has in hand then is cut off.
        grace: SimDuration = SimDuration::from_secs(30),
    }
}

spec! {
    /// How a new version takes the place of the old one.
    pub enum Strategy {
        /// A few at a time (Kubernetes' RollingUpdate).
        Rolling {
            /// Replicas that may be there beyond those wanted, as a share of them, rounded up.
            max_surge: f64 = QUARTER; 0.0..=1.0,
            /// Replicas of those wanted that may be missing, as a share of them, rounded down; one if both are none.
            max_unavailable: f64 = QUARTER; 0.0..=1.0,
        },
        /// All go, and when the last is gone all come again.
        Recreate,
        /// Some first, and more after each pause (Argo Rollouts' canary without traffic routing); all after the last.
        Canary {
            /// How many, and for how long.
            steps: Vec<CanaryStep>; Len(1..=100),
            /// As of `Rolling`.
            max_surge: f64 = QUARTER; 0.0..=1.0,
            /// As of `Rolling`.
            max_unavailable: f64 = QUARTER; 0.0..=1.0,
        },
        /// As many of the new one are started beside the old one, where no caller chooses them; when all are there callers are switched
        /// over at once (Argo Rollouts' blueGreen).
        BlueGreen {
            /// How long all of them are there before callers are switched over (`autoPromotionSeconds`).
            promote_after: SimDuration = SimDuration::ZERO,
            /// How long the old ones are kept after that, to switch back to (`scaleDownDelaySeconds`).
            scale_down_delay: SimDuration = SimDuration::from_secs(30),
        },
        /// One zone after the other, in their order; in each a few at a time, in place.
        Zones {
            /// How long nothing more is done when one is through.
            pause: SimDuration = SimDuration::ZERO,
            /// Replicas of a zone that may be missing, as a share of them, rounded down; at least one.
            max_unavailable: f64 = QUARTER; 0.0..=1.0,
        },
    }
}

spec! {
    /// A step of a canary.
    pub struct CanaryStep {
        /// The share of the replicas that are to run the new version, rounded up.
        weight: f64; 0.0..=1.0,
        /// How long nothing more is done when they do.
        pause: SimDuration = SimDuration::ZERO,
    }
}

/// Kubernetes' and Argo Rollouts' default of how many may be there beyond those wanted, and of how many may be missing.
const QUARTER: f64 = 0.25;

/// A share of so many, rounded up, and down; what is off by a rounding error is not.
fn up(share: f64, of: u32) -> u32 {
    (share * f64::from(of) - 1e-9).ceil() as u32
}

fn down(share: f64, of: u32) -> u32 {
    (share * f64::from(of) + 1e-9).floor() as u32
}

impl Strategy {
    fn usual() -> Self {
        Strategy::Rolling { max_surge: QUARTER, max_unavailable: QUARTER }
    }

    /// Replicas that may be there beyond so many.
    fn surge(&self, replicas: u32) -> u32 {
        match self {
            Strategy::Rolling { max_surge, .. } | Strategy::Canary { max_surge, .. } => {
                up(*max_surge, replicas)
            }
            Strategy::Recreate | Strategy::Zones { .. } => 0,
            Strategy::BlueGreen { .. } => replicas,
        }
    }

    /// Replicas of so many that may be missing; of a zone, where it goes by zones.
    fn unavailable(&self, replicas: u32) -> u32 {
        match self {
            Strategy::Rolling { max_unavailable, .. } | Strategy::Canary { max_unavailable, .. } => {
                down(*max_unavailable, replicas).max(u32::from(self.surge(replicas) == 0))
            }
            Strategy::Zones { max_unavailable, .. } => down(*max_unavailable, replicas).max(1),
            Strategy::Recreate => replicas,
            Strategy::BlueGreen { .. } => 0,
        }
    }

    fn words(&self) -> String {
        match self {
            Strategy::Rolling { .. } => "rolling".into(),
            Strategy::Recreate => "recreate".into(),
            Strategy::Canary { steps, .. } => {
                let weights: Vec<String> = steps.iter().map(|step| percent(step.weight)).collect();
                format!("canary {}", weights.join(", "))
            }
            Strategy::BlueGreen { .. } => "blue-green".into(),
            Strategy::Zones { .. } => "zone by zone".into(),
        }
    }
}

impl Rollout {
    /// Replicas that there may be, of so many that are wanted at most.
    pub fn room(&self, replicas: u32) -> u32 {
        replicas + self.strategy.surge(replicas)
    }

    /// Places for as many addresses as it gives to so many replicas: those of the old version, those of the new, and where it may be taken
    /// back those of the old that come again.
    pub fn addresses(&self, replicas: u32) -> u32 {
        let may_go_back = self.analysis.is_some() || self.undo_at.is_some() || self.progress_deadline_abort;
        self.room(replicas).max(replicas.saturating_mul(if may_go_back { 3 } else { 2 }))
    }

    /// Whether it needs to know who stands where.
    pub fn goes_by_zones(&self) -> bool {
        matches!(self.strategy, Strategy::Zones { .. })
    }
}

/// What says something that can never be.
fn check(rollout: &Rollout, at: &Node, cx: &mut Decoder) {
    let Rollout { to, strategy, analysis, missed, .. } = rollout;
    if let Some(undo) = rollout.undo_at.filter(|undo| *undo <= rollout.at) {
        let message = format!("is taken back at {undo}, and begins at {}", rollout.at);
        cx.error(at.span_of("undo_at"), message).help("a later `undo_at`");
    }
    if *missed > 0 && matches!(strategy, Strategy::BlueGreen { .. }) {
        cx.error(at.span_of("missed"), "callers are switched over at once: `BlueGreen` misses nobody")
            .help("leave `missed` out, or take another strategy");
    }
    if !to.ready && !to.is_like_the_old() {
        cx.warn(at.span_of("to"), "none of its replicas ever becomes ready: what else it does nobody sees");
    }
    if let Some(understands) = &to.understands {
        protocol::check_numbers(understands, at.get("to").unwrap_or(at), cx);
    }
    if rollout.linger > rollout.grace {
        let (linger, grace) = (rollout.linger, rollout.grace);
        let message =
            format!("waits {linger} before it looks whether it is done, and is cut off after {grace}");
        cx.warn(at.span_of("linger"), message).help("a `grace` that is longer than `linger`");
    }
    if let Strategy::Canary { steps, .. } = strategy
        && let Some(falls) = steps.windows(2).find(|two| two[1].weight < two[0].weight)
    {
        let [from, to] = [0, 1].map(|step| percent(falls[step].weight));
        let message =
            format!("goes from {from} back to {to}: replicas of the new version are replaced by old ones");
        cx.warn(at.span_of("strategy"), message).help("weights that rise from step to step");
    }
    let Some(analysis) = analysis else { return };
    if let Strategy::BlueGreen { scale_down_delay, .. } = strategy
        && analysis.earliest() >= *scale_down_delay
    {
        let message = format!(
            "takes it back {} after the switch at the earliest, and the old ones are kept for {scale_down_delay}: they must be started again",
            analysis.earliest()
        );
        cx.warn(at.span_of("analysis"), message).help("a longer `scale_down_delay`, or a shorter `interval`");
    }
    if !to.ready {
        cx.warn(
            at.span_of("analysis"),
            "none of its replicas ever becomes ready: there is nothing to be looked at",
        )
        .help("what never becomes ready is taken back by `progress_deadline_abort: true`");
    }
    if let Some((why, help)) = analysis.never_fails() {
        cx.warn(at.span_of("analysis"), why).help(help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// As `ResolveFenceposts` has it: up, down, and one if both come to nothing.
    #[test]
    fn shares_of_replicas() {
        for (text, replicas, surge, unavailable) in [
            ("Rolling()", 4, 1, 1),
            ("Rolling()", 10, 3, 2),
            ("Rolling()", 1, 1, 0),
            ("Rolling(max_surge: 0, max_unavailable: 0)", 10, 0, 1),
            ("Rolling(max_surge: 0)", 3, 0, 1),
            ("Rolling(max_surge: 1, max_unavailable: 1)", 3, 3, 3),
            ("Rolling(max_surge: 0.07, max_unavailable: 0.29)", 100, 7, 29),
            ("Recreate", 5, 0, 5),
            ("BlueGreen()", 5, 5, 0),
            ("Zones()", 4, 0, 1),
            ("Zones(max_unavailable: 1)", 4, 0, 4),
            ("Canary(steps: [(weight: 0.1)])", 10, 3, 2),
        ] {
            let rollout = read::<Rollout>(&format!(r#"(at: "1s", strategy: {text})"#)).expect("sound").0;
            let found = (rollout.strategy.surge(replicas), rollout.strategy.unavailable(replicas));
            assert_eq!(found, (surge, unavailable), "{text} of {replicas}");
            assert_eq!(rollout.room(replicas), replicas + surge);
        }
    }
}
