//! The stretches of a run that something disturbs: before the first disturbance, while any lasts, after the last.
//!
//! They are what an incident is told by: how it was, what it cost, how it was afterwards. Each is measured like a run of its own, of
//! the calls that *began* in it and whatever became of them, so that together they are the whole run, call by call.

use super::timeline::Disturbance;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A stretch of a run that something disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stretch {
    /// From the end of the warm-up until the first disturbance begins.
    Before,
    /// From there until the last one ends: between two there is no other stretch.
    Fault,
    /// From there to the end.
    After,
}

impl Stretch {
    /// All there are, in the order of time.
    pub const ALL: [Stretch; 3] = [Stretch::Before, Stretch::Fault, Stretch::After];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Stretch::Before => "before",
            Stretch::Fault => "fault",
            Stretch::After => "after",
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stretch {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Stretch::ALL.into_iter().find(|stretch| stretch.name() == text).ok_or(())
    }
}

/// Where the stretches of what is measured begin and end, in nanoseconds, in their order; some may be empty. None if nothing is
/// disturbed.
pub fn stretches(disturbances: &[Disturbance], measured: &Range<u64>) -> Option<[Range<u64>; 3]> {
    let within = |at: u64| at.clamp(measured.start, measured.end.max(measured.start));
    let from = within(disturbances.iter().map(|it| it.from).min()?);
    let ends = disturbances.iter().map(|it| it.to.unwrap_or(u64::MAX));
    let to = within(ends.max()?).max(from);
    Some([measured.start..from, from..to, to..measured.end.max(to)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(disturbances: &[(u64, Option<u64>)]) -> Option<[Range<u64>; 3]> {
        let disturbances: Vec<Disturbance> = disturbances
            .iter()
            .map(|&(from, to)| Disturbance { from, to, ..Disturbance::default() })
            .collect();
        stretches(&disturbances, &(10..100))
    }

    #[test]
    fn a_run_is_cut_where_the_first_begins_and_the_last_ends() {
        assert_eq!(cut(&[]), None);
        for (disturbances, expected) in [
            (&[(60, Some(90))][..], [10..60, 60..90, 90..100]),
            (&[(30, Some(40)), (20, Some(70)), (50, Some(60))], [10..20, 20..70, 70..100]),
            (&[(60, None)], [10..60, 60..100, 100..100]),
            (&[(5, Some(20))], [10..10, 10..20, 20..100]),
            (&[(2, Some(4))], [10..10, 10..10, 10..100]),
            (&[(200, Some(300))], [10..100, 100..100, 100..100]),
            (&[(50, Some(50))], [10..50, 50..50, 50..100]),
        ] {
            assert_eq!(cut(disturbances), Some(expected), "{disturbances:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for stretch in Stretch::ALL {
            assert_eq!(stretch.to_string().parse(), Ok(stretch));
        }
        assert_eq!("during".parse::<Stretch>(), Err(()));
    }
}
