//! Three who look at the model, and what each of them can see.

use super::Monitors;
use sim_core::SimTime;
use sim_core::math::ln;

/// What has been since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Clicks on the model's lists, exploring aside: predicted by the scores that made them, by those of its training, and observed.
    pub predicted: f64,
    pub offline: f64,
    pub observed: u64,
    /// Visits with a list of the model's, and all clicks on them.
    pub visits: u64,
    pub clicks: u64,
    /// And of the holdout.
    pub held: u64,
    pub held_clicks: u64,
}

impl Seen {
    /// Observed clicks over predicted.
    pub fn calibration(&self) -> Option<f64> {
        (self.predicted > 0.0).then(|| self.observed as f64 / self.predicted)
    }

    /// The same with the scores that it was trained with.
    pub fn offline_calibration(&self) -> Option<f64> {
        (self.offline > 0.0).then(|| self.observed as f64 / self.offline)
    }

    /// How many times more clicks a visit brings than one of the holdout, and the standard error of that as a share of it.
    pub fn lift(&self) -> Option<(f64, f64)> {
        if self.held_clicks == 0 || self.clicks == 0 {
            return None;
        }
        let rate = |clicks: u64, visits: u64| clicks as f64 / visits as f64;
        let error = (1.0 / self.clicks as f64 + 1.0 / self.held_clicks as f64).sqrt();
        Some((rate(self.clicks, self.visits) / rate(self.held_clicks, self.held), error))
    }

    /// Both together.
    pub fn add(&mut self, other: &Seen) {
        self.predicted += other.predicted;
        self.offline += other.offline;
        self.observed += other.observed;
        self.visits += other.visits;
        self.clicks += other.clicks;
        self.held += other.held;
        self.held_clicks += other.held_clicks;
    }
}

/// Who looks, by what it looks at.
pub const CALIBRATION: usize = 0;
pub const PSI: usize = 1;
pub const LIFT: usize = 2;

/// What they remember.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// What was seen at the first look.
    first: Option<Seen>,
    /// When each first spoke after there was something to be seen, and how often each spoke before.
    pub spoke: [Option<SimTime>; 3],
    pub false_alarms: [u64; 3],
    /// What the last look found of the index.
    pub psi: Option<f64>,
    pub psi_most: f64,
}

impl Watch {
    /// A look, at scores that are so far from those in training.
    pub fn looks(&mut self, says: &Monitors, seen: &Seen, psi: f64, cause: Option<SimTime>, now: SimTime) {
        // The warm-up has ended just now.
        if seen.visits == 0 {
            return;
        }
        (self.psi, self.psi_most) = (Some(psi), self.psi_most.max(psi));
        let Some(first) = &self.first else {
            self.first = Some(*seen);
            return;
        };
        let off = |now: f64, then: f64| (now / then - 1.0).abs() > says.calibration;
        let fell = |(now, its): (f64, f64), (then, error): (f64, f64)| {
            let fall = 1.0 - now / then;
            fall > says.lift && fall > 3.0 * (its * its + error * error).sqrt()
        };
        // Clicks of which none were predicted are off by more than any share.
        let out_of_nothing = seen.predicted == 0.0 && seen.observed > 0 && first.predicted > 0.0;
        let speak = [
            out_of_nothing
                || seen.calibration().zip(first.calibration()).is_some_and(|(now, then)| off(now, then)),
            psi > says.psi,
            seen.lift().zip(first.lift()).is_some_and(|(now, then)| fell(now, then)),
        ];
        for (who, _) in speak.into_iter().enumerate().filter(|(_, speaks)| *speaks) {
            match cause {
                Some(cause) if now > cause => _ = self.spoke[who].get_or_insert(now),
                _ => self.false_alarms[who] += 1,
            }
        }
    }
}

/// As many groups as scores are counted in.
const GROUPS: usize = 10;

/// The population stability index between scores in training, which are put in order here, and in serving: `sum (q - p) ln(q / p)` over the tenths of those in
/// training. A tenth without any counts as half of one.
pub fn psi(training: &mut [f64], serving: &[f64]) -> f64 {
    training.sort_unstable_by(f64::total_cmp);
    let n = training.len();
    let edge = |group: usize| training[(group * n / GROUPS).min(n - 1)];
    let group = |score: f64| (1..GROUPS).take_while(|group| score >= edge(*group)).count();
    let (mut before, mut after) = ([0.0; GROUPS], [0.0; GROUPS]);
    training.iter().for_each(|score| before[group(*score)] += 1.0);
    serving.iter().for_each(|score| after[group(*score)] += 1.0);
    let share = |count: f64, of: usize| f64::max(count, 0.5) / of as f64;
    let of = |group: usize| {
        let (p, q) = (share(before[group], n), share(after[group], serving.len()));
        if before[group] == 0.0 && after[group] == 0.0 { 0.0 } else { (q - p) * ln(q / p) }
    };
    (0..GROUPS).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::SimDuration;

    #[test]
    fn scores_that_move_are_seen() {
        let training = || (0..100).map(f64::from).collect::<Vec<f64>>();
        assert_eq!(psi(&mut training(), &training()), 0.0);
        // Order is nothing to it.
        assert_eq!(psi(&mut training(), &training().into_iter().rev().collect::<Vec<_>>()), 0.0);
        // The lowest tenth is in the highest: 0.005 of 0.1 is left, half of one of a hundred.
        let moved: Vec<f64> =
            training().into_iter().map(|it| if it < 10.0 { it + 95.0 } else { it }).collect();
        let expected = (0.005 - 0.1) * ln(0.005 / 0.1) + (0.2 - 0.1) * ln(0.2 / 0.1);
        assert!((psi(&mut training(), &moved) - expected).abs() < 1e-12, "{}", psi(&mut training(), &moved));
        // All the same: one group.
        assert_eq!(psi(&mut [1.0; 50], &[1.0; 50]), 0.0);
    }

    fn day(number: u64) -> SimTime {
        SimTime::from_secs(number * 86_400)
    }

    /// 1000 visits with 500 clicks where 520 were predicted, and 1000 of the holdout with 250: a lift of 2.
    #[test]
    fn each_sees_what_it_can() {
        let says = Monitors { every: SimDuration::from_secs(86_400), calibration: 0.1, psi: 0.2, lift: 0.15 };
        let usual = Seen {
            predicted: 520.0,
            offline: 520.0,
            observed: 500,
            visits: 1000,
            clicks: 500,
            held: 1000,
            held_clicks: 250,
        };
        let (lift, error) = usual.lift().expect("there is a holdout");
        assert!((lift - 2.0).abs() < 1e-12 && (error - 0.006_f64.sqrt()).abs() < 1e-12);
        let none = [None; 3];
        let all = [Some(day(3)); 3];
        // (what is seen on the third day, the index then, who speaks)
        let fewer = Seen { clicks: 300, ..usual };
        for (seen, psi, spoke) in [
            (usual, 0.0, none),
            (Seen { predicted: 580.0, ..usual }, 0.2, [Some(day(3)), None, None]),
            (Seen { predicted: 560.0, ..usual }, 0.2, none),
            (Seen { offline: 900.0, ..usual }, 0.21, [None, Some(day(3)), None]),
            (fewer, 0.0, [None, None, Some(day(3))]),
            // A fall by a fifth that may be chance.
            (Seen { clicks: 400, ..usual }, 0.0, none),
            (Seen { predicted: 300.0, ..fewer }, 0.3, all),
        ] {
            let mut watch = Watch::default();
            for (number, seen, psi) in [(1, usual, 0.0), (2, usual, 0.0), (3, seen, psi), (4, usual, 0.0)] {
                watch.looks(&says, &seen, psi, Some(day(2)), day(number));
            }
            assert_eq!((watch.spoke, watch.false_alarms), (spoke, [0; 3]), "{seen:?}");
            // Nothing has gone wrong.
            let mut watch = Watch::default();
            [usual, seen]
                .iter()
                .zip(1..)
                .for_each(|(seen, number)| watch.looks(&says, seen, psi, None, day(number)));
            assert_eq!(
                (watch.spoke, watch.false_alarms),
                (none, spoke.map(|it| u64::from(it.is_some()))),
                "{seen:?}"
            );
        }
    }
}
