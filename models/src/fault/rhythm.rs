//! When a fault is there, and how much of it: at once or building up, to stay or to come and go.
//!
//! ```text
//!  strength
//!     1 |      ________              ________
//!       |     /        |            /        |
//!       |    /         |           /         |
//!     0 |___/          |__________/          |____
//!          at            `quiet`              at + for
//!           |< active >|
//! ```
//!
//! A ramp is a staircase of [`STEPS`] equal steps, each as high as the straight line in its middle, so that its mean
//! is that of the line.

use sim_core::{SimDuration, SimTime};

/// Steps of a ramp.
const STEPS: u128 = 100;

spec! {
    /// It comes and goes.
    #[derive(PartialEq)]
    pub struct Flap {
        /// How long it is there each time.
        active: SimDuration,
        /// How long it is gone in between.
        quiet: SimDuration,
    }
}

/// When a fault is there, and how much of it.
#[derive(Clone, Debug)]
pub struct Rhythm {
    from: SimTime,
    /// Absent: until the end of the run.
    to: Option<SimTime>,
    ramp: SimDuration,
    flap: Option<Flap>,
}

impl Rhythm {
    /// From a time, for so long, building up for so long each time that it comes.
    pub fn new(from: SimTime, length: Option<SimDuration>, ramp: SimDuration, flap: Option<Flap>) -> Self {
        Rhythm { from, to: length.map(|length| from + length), ramp, flap }
    }

    /// When it first comes.
    pub fn first(&self) -> SimTime {
        self.from
    }

    /// When it goes that came at `begun`; `None` if it stays.
    pub fn ends(&self, begun: SimTime) -> Option<SimTime> {
        let flap = self.flap.as_ref().map(|flap| begun + flap.active);
        flap.into_iter().chain(self.to).min()
    }

    /// When it comes again that went at `ended`.
    pub fn again(&self, ended: SimTime) -> Option<SimTime> {
        let next = ended + self.flap.as_ref()?.quiet;
        self.to.is_none_or(|to| next < to).then_some(next)
    }

    /// When it has gone for the last time; `None` if it never does.
    pub fn over(&self) -> Option<SimTime> {
        let to = self.to?;
        let Some(Flap { active, quiet }) = self.flap else { return Some(to) };
        // Where the end falls into a quiet stretch, it had gone before.
        let cycle = active.as_nanos() + quiet.as_nanos();
        let since = to.since(self.from).as_nanos() % cycle;
        let gone = if since == 0 { quiet.as_nanos() } else { since.saturating_sub(active.as_nanos()) };
        Some(SimTime::from_nanos(to.as_nanos() - gone))
    }

    /// Its strength so long after it came, from 0 to 1.
    pub fn strength(&self, since: SimDuration) -> f64 {
        match self.step(since) {
            step if step < STEPS => (step as f64 + 0.5) / STEPS as f64,
            _ => 1.0,
        }
    }

    /// When its strength next changes, of one that came at `begun`; not once it has gone.
    pub fn grows(&self, begun: SimTime, now: SimTime) -> Option<SimTime> {
        let step = self.step(now.since(begun));
        let next = (u128::from(self.ramp.as_nanos()) * (step + 1)).div_ceil(STEPS);
        let at = begun + SimDuration::from_nanos(next as u64);
        (step < STEPS && self.ends(begun).is_none_or(|end| at < end)).then_some(at)
    }

    fn step(&self, since: SimDuration) -> u128 {
        let (since, ramp) = (u128::from(since.as_nanos()), u128::from(self.ramp.as_nanos()));
        (since * STEPS).checked_div(ramp).unwrap_or(STEPS).min(STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm(length: Option<u64>, ramp: u64, flap: Option<(u64, u64)>) -> Rhythm {
        let seconds = SimDuration::from_secs;
        let flap = flap.map(|(active, quiet)| Flap { active: seconds(active), quiet: seconds(quiet) });
        Rhythm::new(SimTime::from_secs(10), length.map(seconds), seconds(ramp), flap)
    }

    /// The stretches in which it is there, in seconds.
    fn stretches(rhythm: &Rhythm) -> Vec<(u64, Option<u64>)> {
        let seconds = |at: SimTime| at.as_nanos() / 1_000_000_000;
        let (mut next, mut found) = (Some(rhythm.first()), Vec::new());
        while let Some(begun) = next.filter(|_| found.len() < 5) {
            let end = rhythm.ends(begun);
            found.push((seconds(begun), end.map(seconds)));
            next = end.and_then(|end| rhythm.again(end));
        }
        found
    }

    #[test]
    fn it_comes_and_goes() {
        // (for, flap, stretches, when it is over); it begins at 10 s.
        let table = [
            (None, None, vec![(10, None)], None),
            (Some(30), None, vec![(10, Some(40))], Some(40)),
            (Some(30), Some((4, 8)), vec![(10, Some(14)), (22, Some(26)), (34, Some(38))], Some(38)),
            // The end falls into a quiet stretch, at its end, and into one in which it is there.
            (Some(20), Some((4, 8)), vec![(10, Some(14)), (22, Some(26))], Some(26)),
            (Some(24), Some((4, 8)), vec![(10, Some(14)), (22, Some(26))], Some(26)),
            (Some(14), Some((4, 8)), vec![(10, Some(14)), (22, Some(24))], Some(24)),
            (Some(3), Some((4, 8)), vec![(10, Some(13))], Some(13)),
            (
                None,
                Some((4, 8)),
                vec![(10, Some(14)), (22, Some(26)), (34, Some(38)), (46, Some(50)), (58, Some(62))],
                None,
            ),
        ];
        for (length, flap, expected, over) in table {
            let rhythm = rhythm(length, 0, flap);
            assert_eq!(stretches(&rhythm), expected, "{length:?} {flap:?}");
            assert_eq!(rhythm.over(), over.map(SimTime::from_secs), "{length:?} {flap:?}");
        }
    }

    #[test]
    fn without_a_ramp_it_is_there_at_once() {
        let rhythm = rhythm(Some(30), 0, None);
        assert_eq!(rhythm.strength(SimDuration::ZERO), 1.0);
        assert_eq!(rhythm.grows(rhythm.first(), rhythm.first()), None);
    }

    #[test]
    fn it_builds_up_in_a_hundred_steps_about_a_straight_line() {
        let rhythm = rhythm(None, 20, None);
        let begun = rhythm.first();
        let (mut now, mut steps, mut mean) = (begun, 0, 0.0);
        while let Some(next) = rhythm.grows(begun, now) {
            assert_eq!(next.since(now), SimDuration::from_millis(200));
            let (low, high) = (f64::from(steps) / 100.0, f64::from(steps + 1) / 100.0);
            let strength = rhythm.strength(now.since(begun));
            assert!((low..high).contains(&strength), "{strength} at {now}");
            mean += strength / 100.0;
            (now, steps) = (next, steps + 1);
        }
        assert_eq!((steps, rhythm.strength(now.since(begun))), (100, 1.0));
        assert!((mean - 0.5).abs() < 1e-12, "{mean}");
    }

    #[test]
    fn a_ramp_of_a_few_nanoseconds_ends() {
        let rhythm = Rhythm::new(SimTime::ZERO, None, SimDuration::from_nanos(7), None);
        let (mut now, mut steps) = (SimTime::ZERO, 0);
        while let Some(next) = rhythm.grows(SimTime::ZERO, now) {
            assert!(next > now);
            (now, steps) = (next, steps + 1);
        }
        assert_eq!((now.as_nanos(), steps), (7, 7));
        assert_eq!(rhythm.strength(SimDuration::from_nanos(7)), 1.0);
    }

    #[test]
    fn what_has_gone_grows_no_more() {
        let rhythm = rhythm(Some(5), 20, None);
        let last = SimTime::from_nanos(14_900_000_000);
        assert_eq!(rhythm.grows(rhythm.first(), last), None);
        assert!(rhythm.grows(rhythm.first(), SimTime::from_secs(14)).is_some());
    }
}
