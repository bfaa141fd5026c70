//! What comes first at one instant, and one number that orders instants and what comes first at each.
//!
//! The class lies below the time, so a queue that keeps such numbers in order knows nothing of classes, and has
//! nothing to compare that it had not before.

use crate::time::SimTime;

/// The place of an event among those of its instant: ends before beginnings. So whoever leaves makes room for whoever
/// comes, and what takes exactly as long as somebody waits for it is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something is over: work is done, an answer is there.
    End,
    /// The world changes: a fault begins or ends, a server is back.
    Change,
    /// Somebody has waited long enough.
    Timeout,
    /// Something begins: an arrival, a request that reaches its server, another try.
    Begin,
}

/// How many bits a class takes.
const BITS: u32 = 2;

/// The last instant that has a number of its own: in 146 years.
const LAST: u64 = u64::MAX >> BITS;

/// The last instant at which anything is due.
pub(super) fn no_later_than_the_last(at: SimTime) -> SimTime {
    at.min(SimTime::from_nanos(LAST))
}

/// An instant and a class, in the order of both.
#[inline(always)]
pub(super) fn moment(at: SimTime, class: Class) -> u64 {
    at.as_nanos().min(LAST) << BITS | class as u64
}

/// The instant of a moment.
#[inline(always)]
pub(super) fn instant(moment: u64) -> SimTime {
    SimTime::from_nanos(moment >> BITS)
}

/// The first moment of the same instant.
pub(super) fn first_of_instant(moment: u64) -> u64 {
    moment >> BITS << BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Class; 4] = [Class::End, Class::Change, Class::Timeout, Class::Begin];

    #[test]
    fn moments_are_in_the_order_of_instants_and_then_of_classes() {
        let instants = [0, 1, 2, 1_000, LAST - 1, LAST];
        let all = instants.map(|nanos| ALL.map(|class| moment(SimTime::from_nanos(nanos), class)));
        assert!(all.as_flattened().is_sorted_by(|a, b| a < b));
        for (nanos, moments) in instants.into_iter().zip(all) {
            for moment in moments {
                assert_eq!(instant(moment), SimTime::from_nanos(nanos));
                assert_eq!(first_of_instant(moment), moments[0]);
            }
        }
    }

    #[test]
    fn what_is_later_than_the_last_instant_is_due_then() {
        assert!(ALL.is_sorted());
        for nanos in [LAST + 1, u64::MAX] {
            let at = SimTime::from_nanos(nanos);
            assert_eq!(no_later_than_the_last(at), SimTime::from_nanos(LAST));
            assert_eq!(moment(at, Class::End), moment(SimTime::from_nanos(LAST), Class::End));
        }
    }
}
