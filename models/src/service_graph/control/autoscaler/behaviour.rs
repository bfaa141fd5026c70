//! How fast replicas may come and go: the `behavior` of autoscaling/v2, as `horizontal.go` reads it.
//!
//! Of what was wanted within a stabilisation window the least is believed on the way up, the most on the way down. Then a limit on the
//! change within a period: so many replicas, or so many percent of those that there were as it began; of several limits the widest.

use crate::experiment::{Len, POSITIVE};
use sim_core::{SimDuration, SimTime};
use std::collections::VecDeque;

spec! {
    /// How fast replicas may come.
    pub struct ScaleUp {
        /// Within this time the least that was wanted is believed.
        stabilization: SimDuration = SimDuration::ZERO,
        /// How many may come within a while.
        policies: Vec<ScalingPolicy> = ScaleUp::default().policies; Len(1..=10),
        /// Which of several counts.
        select: SelectPolicy = SelectPolicy::Max,
    }
}

spec! {
    /// How fast replicas may go.
    pub struct ScaleDown {
        /// Within this time the most that was wanted is believed.
        stabilization: SimDuration = SimDuration::from_secs(300),
        /// How many may go within a while.
        policies: Vec<ScalingPolicy> = ScaleDown::default().policies; Len(1..=10),
        /// Which of several counts.
        select: SelectPolicy = SelectPolicy::Max,
    }
}

spec! {
    /// A limit on the change within a period.
    pub enum ScalingPolicy {
        /// So many replicas.
        Pods(
            /// How many.
            replicas: u32; 1..=10_000,
            /// Within how long.
            period: SimDuration; POSITIVE,
        ),
        /// So many percent of those that there were as it began.
        Percent(
            /// How many.
            percent: f64; 0.1..=100_000.0,
            /// Within how long.
            period: SimDuration; POSITIVE,
        ),
    }
}

spec! {
    /// Which of several limits counts.
    #[derive(Copy, PartialEq, Eq)]
    pub enum SelectPolicy {
        /// The widest.
        Max,
        /// The narrowest.
        Min,
        /// None of them: there is no change in this direction.
        Disabled,
    }
}

impl Default for ScaleUp {
    fn default() -> Self {
        let period = SimDuration::from_secs(15);
        let policies = vec![ScalingPolicy::Percent(100.0, period), ScalingPolicy::Pods(4, period)];
        ScaleUp { stabilization: SimDuration::ZERO, policies, select: SelectPolicy::Max }
    }
}

impl Default for ScaleDown {
    fn default() -> Self {
        let policies = vec![ScalingPolicy::Percent(100.0, SimDuration::from_secs(15))];
        ScaleDown { stabilization: SimDuration::from_secs(300), policies, select: SelectPolicy::Max }
    }
}

/// What was wanted, and what was done, as far back as anybody asks.
#[derive(Clone, Debug)]
pub struct Behaviour {
    up: ScaleUp,
    down: ScaleDown,
    wanted: VecDeque<(SimTime, u32)>,
    came: VecDeque<(SimTime, u32)>,
    went: VecDeque<(SimTime, u32)>,
}

impl Behaviour {
    /// One that has seen so many replicas, and nothing else.
    pub fn new(up: &ScaleUp, down: &ScaleDown, replicas: u32) -> Self {
        Behaviour {
            up: up.clone(),
            down: down.clone(),
            wanted: VecDeque::from([(SimTime::ZERO, replicas)]),
            came: VecDeque::new(),
            went: VecDeque::new(),
        }
    }

    /// Of `current` replicas so many are wanted: how many there may be.
    pub fn allows(&mut self, wanted: u32, current: u32, now: SimTime) -> u32 {
        self.wanted.push_back((now, wanted));
        let longest = self.up.stabilization.max(self.down.stabilization);
        forget(&mut self.wanted, longest, now);
        let within = |window: SimDuration| {
            self.wanted
                .iter()
                .filter(move |(at, _)| *at == now || *at + window > now)
                .map(|(_, wanted)| *wanted)
        };
        let least = within(self.up.stabilization).min().unwrap_or(wanted);
        let most = within(self.down.stabilization).max().unwrap_or(wanted);
        let stable = current.max(least).min(most);
        match stable {
            more if more > current => more.min(self.most(current, now).max(current)),
            fewer if fewer < current => fewer.max(self.least(current, now).min(current)),
            _ => current,
        }
    }

    /// There are so many now.
    pub fn changes(&mut self, from: u32, to: u32, now: SimTime) {
        let (events, by) = if to > from { (&mut self.came, to - from) } else { (&mut self.went, from - to) };
        if by > 0 {
            events.push_back((now, by));
        }
        let periods = self.up.policies.iter().chain(&self.down.policies).map(ScalingPolicy::period);
        let longest = periods.max().unwrap_or_default();
        forget(&mut self.came, longest, now);
        forget(&mut self.went, longest, now);
    }

    fn most(&self, current: u32, now: SimTime) -> u32 {
        let limits = self.up.policies.iter().map(|policy| {
            let before = self.before(current, policy, now);
            match policy {
                ScalingPolicy::Pods(replicas, _) => before.saturating_add(*replicas),
                ScalingPolicy::Percent(percent, _) => {
                    (f64::from(before) * (1.0 + percent / 100.0)).ceil() as u32
                }
            }
        });
        match self.up.select {
            SelectPolicy::Max => limits.max(),
            SelectPolicy::Min => limits.min(),
            SelectPolicy::Disabled => None,
        }
        .unwrap_or(current)
    }

    fn least(&self, current: u32, now: SimTime) -> u32 {
        let limits = self.down.policies.iter().map(|policy| {
            let before = self.before(current, policy, now);
            match policy {
                ScalingPolicy::Pods(replicas, _) => before.saturating_sub(*replicas),
                ScalingPolicy::Percent(percent, _) => {
                    (f64::from(before) * (1.0 - percent / 100.0)).max(0.0) as u32
                }
            }
        });
        match self.down.select {
            SelectPolicy::Max => limits.min(),
            SelectPolicy::Min => limits.max(),
            SelectPolicy::Disabled => None,
        }
        .unwrap_or(current)
    }

    /// How many there were as the period of a limit began.
    fn before(&self, current: u32, policy: &ScalingPolicy, now: SimTime) -> u32 {
        let within = |events: &VecDeque<(SimTime, u32)>| -> u32 {
            events.iter().filter(|(at, _)| *at + policy.period() > now).map(|(_, by)| *by).sum()
        };
        (current + within(&self.went)).saturating_sub(within(&self.came))
    }
}

impl ScalingPolicy {
    fn period(&self) -> SimDuration {
        match self {
            ScalingPolicy::Pods(_, period) | ScalingPolicy::Percent(_, period) => *period,
        }
    }
}

/// What is so old counts nowhere any more.
fn forget(events: &mut VecDeque<(SimTime, u32)>, after: SimDuration, now: SimTime) {
    while events.front().is_some_and(|(at, _)| *at < now && *at + after <= now) {
        events.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// What is wanted at each time, and how many there are then.
    #[track_caller]
    fn follow(up: &str, down: &str, from: u32, steps: &[(u64, u32, u32)]) {
        let up = read::<ScaleUp>(up).expect("sound").0;
        let down = read::<ScaleDown>(down).expect("sound").0;
        let mut behaviour = Behaviour::new(&up, &down, from);
        let mut current = from;
        for (at, wanted, then) in steps {
            let now = SimTime::from_secs(*at);
            let next = behaviour.allows(*wanted, current, now);
            behaviour.changes(current, next, now);
            assert_eq!(next, *then, "{wanted} of {current} are wanted at {at} s");
            current = next;
        }
    }

    /// autoscaling/v2: twice as many or four more every 15 s, whichever is more; and no fewer than were wanted in the last five minutes.
    #[test]
    fn as_kubernetes_has_it() {
        follow("()", "()", 1, &[(15, 100, 5), (30, 100, 10), (45, 100, 20), (50, 100, 20), (60, 100, 40)]);
        follow(
            "()",
            "()",
            10,
            &[(15, 2, 10), (285, 2, 10), (300, 2, 2), (330, 1, 2), (599, 1, 2), (600, 1, 1)],
        );
        follow("()", "()", 10, &[(15, 2, 10), (290, 9, 10), (315, 2, 9), (589, 2, 9), (590, 2, 2)]);
    }

    #[test]
    fn limits_in_a_period() {
        let at_once = r#"(stabilization: "0s", "#;
        let down = |policies: &str| format!("{at_once}{policies})");
        let none = r#"(stabilization: "0s")"#;
        follow(
            "()",
            &down(r#"policies: [Pods(2, "60s")]"#),
            10,
            &[(15, 1, 8), (30, 1, 8), (74, 1, 8), (75, 1, 6)],
        );
        follow(
            "()",
            &down(r#"policies: [Percent(10, "60s")]"#),
            80,
            &[(15, 1, 72), (30, 1, 72), (75, 1, 64)],
        );
        let two = r#"policies: [Percent(10, "60s"), Pods(20, "60s")]"#;
        follow("()", &down(two), 80, &[(15, 1, 60)]);
        follow("()", &down(&format!("{two}, select: Min")), 80, &[(15, 1, 72)]);
        follow(
            "()",
            &down(&format!("{two}, select: Disabled")),
            80,
            &[(15, 1, 80), (900, 1, 80), (915, 81, 81)],
        );
        follow(
            r#"(policies: [Pods(1, "30s")])"#,
            none,
            1,
            &[(15, 9, 2), (30, 9, 2), (45, 9, 3), (60, 1, 1), (75, 9, 4)],
        );
        follow(
            r#"(stabilization: "60s")"#,
            none,
            4,
            &[(15, 8, 4), (30, 6, 4), (60, 8, 6), (75, 8, 6), (90, 8, 8)],
        );
        follow(r#"(select: Disabled)"#, none, 4, &[(15, 8, 4), (30, 3, 3), (45, 4, 3)]);
    }
}
