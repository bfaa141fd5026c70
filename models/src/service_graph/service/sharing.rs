//! Processor sharing: all that a replica works on goes on at once, and shares its cores.
//!
//! With `n` requests at work on `c` cores each goes on at the speed `min(1, c / n)`: what a thread for each request comes to under a fair
//! scheduler, an event loop, or a database. Nobody waits behind a long request, and everybody is slower.
//!
//! All go on at one speed, so one clock of progress is kept, and each request ends when that shows what it showed at its begin and
//! its work besides: the next to end is the least of those, in `O(log n)` at every arrival and departure, and there is one timer, which is
//! moved. Progress is a whole number of parts of a nanosecond, rounded down; a timer is rounded up, so that whoever is done is.

use super::ranked::Ranked;
use crate::service_graph::state::{AttemptId, Ctx, Event};
use sim_core::stats::TimeIntegral;
use sim_core::{Class, SimDuration, SimTime, Timer};

/// Parts of a nanosecond: what is lost by rounding in a million steps is a quarter of a microsecond's thousandth.
const PARTS: u32 = 32;

/// What goes on at one replica.
#[derive(Clone)]
pub struct Sharing {
    cores: u64,
    /// Who is at work, by what the clock of progress will show when it is done.
    at_work: Ranked<Share, u128>,
    /// How far each has come that was there all the time.
    progress: u128,
    /// When that was so.
    at: SimTime,
    /// When the next is done.
    timer: Option<Timer>,
    /// Cores that are in use.
    pub busy: TimeIntegral,
}

/// One request at work, and what the clock showed when it began.
#[derive(Clone, Copy)]
struct Share {
    request: AttemptId,
    from: u128,
}

impl Sharing {
    /// Nothing is at work.
    pub fn new(cores: u32) -> Self {
        Sharing {
            cores: cores.into(),
            at_work: Ranked::default(),
            progress: 0,
            at: SimTime::ZERO,
            timer: None,
            busy: TimeIntegral::default(),
        }
    }

    /// Work on a request begins: the number by which it is found.
    pub fn join(&mut self, request: AttemptId, work: SimDuration, now: SimTime) -> u64 {
        self.advance(now);
        let (from, parts) = (self.progress, u128::from(work.as_nanos()) << PARTS);
        let number = self.at_work.push(Share { request, from }, from + parts);
        self.busy.set(now, self.in_use());
        number
    }

    /// It ends, or is broken off: how much of it was done.
    pub fn leave(&mut self, number: u64, now: SimTime) -> SimDuration {
        self.advance(now);
        let (share, end) = self.at_work.remove(number).expect("it is at work");
        self.busy.set(now, self.in_use());
        let done = (self.progress.min(end) - share.from) >> PARTS;
        SimDuration::from_nanos(u64::try_from(done).expect("no more than its work"))
    }

    /// Moves the timer to when the next is done.
    pub fn plan(&mut self, ctx: &mut Ctx) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel(timer);
        }
        if let Some((attempt, due)) = self.next() {
            self.timer = Some(ctx.schedule(due, Class::End, Event::ShareDone { attempt }));
        }
    }

    /// The timer has fired.
    pub fn fired(&mut self) {
        self.timer = None;
    }

    /// Who is done next, and when, if nobody comes or goes.
    fn next(&self) -> Option<(AttemptId, SimTime)> {
        let (share, end) = self.at_work.first()?;
        let (n, cores) = (self.at_work.len() as u128, u128::from(self.in_use()));
        let left = end.saturating_sub(self.progress);
        let nanos = (left * n).div_ceil(cores << PARTS);
        let most = SimTime::MAX.since(self.at).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).min(most);
        Some((share.request, self.at + SimDuration::from_nanos(nanos)))
    }

    /// Nothing goes on for so long, or for so much longer.
    pub fn stands_still(&mut self, longer: SimDuration, now: SimTime) {
        self.advance(now);
        self.at = self.at.max(now) + longer;
    }

    /// It goes on.
    pub fn goes_on(&mut self, now: SimTime) {
        self.at = self.at.min(now);
    }

    fn advance(&mut self, now: SimTime) {
        if now < self.at {
            return;
        }
        let (n, parts) = (self.at_work.len() as u128, u128::from(now.since(self.at).as_nanos()) << PARTS);
        self.progress += (parts * u128::from(self.in_use())).checked_div(n).unwrap_or(0);
        self.at = now;
    }

    fn in_use(&self) -> u64 {
        self.cores.min(self.at_work.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// By hand, one core: 30 ms of work begin at 0, 10 at 10, and 10 at 20. To 10 ms the first is alone, to 20 both go at half speed, from there
    /// each at a third: the second needs 5 more, which take 15.
    #[test]
    fn all_go_on_at_the_same_speed() {
        let mut sharing = Sharing::new(1);
        let work = SimDuration::from_nanos;
        let begin = |sharing: &mut Sharing, ms: u64, now: u64| {
            sharing.join(AttemptId::of_nobody(), work(ms * MILLI), at(now * MILLI))
        };
        let due = |sharing: &Sharing| sharing.next().map(|(_, due)| due.as_nanos());
        let first = begin(&mut sharing, 30, 0);
        assert_eq!(due(&sharing), Some(30 * MILLI));
        let second = begin(&mut sharing, 10, 10);
        assert_eq!(due(&sharing), Some(30 * MILLI));
        let third = begin(&mut sharing, 10, 20);
        assert_eq!(due(&sharing), Some(35 * MILLI));
        assert_eq!(sharing.leave(second, at(35 * MILLI)), work(10 * MILLI));
        // The first has had 10 + 5 + 5, the third 5: it needs 5 more at half speed.
        assert_eq!(due(&sharing), Some(45 * MILLI));
        // Broken off.
        assert_eq!(sharing.leave(first, at(37 * MILLI)), work(21 * MILLI));
        assert_eq!(due(&sharing), Some(41 * MILLI));
        assert_eq!(sharing.leave(third, at(41 * MILLI)), work(10 * MILLI));
        assert_eq!((due(&sharing), sharing.busy.area(at(50 * MILLI))), (None, u128::from(41 * MILLI)));
    }

    #[test]
    fn as_many_as_there_are_cores_do_not_share() {
        let mut sharing = Sharing::new(2);
        let numbers: Vec<u64> = [7, 9]
            .into_iter()
            .map(|n| sharing.join(AttemptId::of_nobody(), SimDuration::from_nanos(n), at(0)))
            .collect();
        assert_eq!(sharing.next().map(|(_, due)| due), Some(at(7)));
        let third = sharing.join(AttemptId::of_nobody(), SimDuration::from_nanos(1), at(6));
        // Each at two thirds: of the first 1 is left, which takes 1.5, and so of the last, who came later.
        assert_eq!(sharing.next().map(|(_, due)| due), Some(at(8)));
        assert_eq!(sharing.leave(numbers[0], at(8)), SimDuration::from_nanos(7));
        assert_eq!(sharing.leave(third, at(8)), SimDuration::from_nanos(1));
        // What was rounded is no work that was not done: 1.33 of 3 were, and 1.67 are left.
        assert_eq!(sharing.next().map(|(_, due)| due), Some(at(10)));
        assert_eq!(sharing.leave(numbers[1], at(10)), SimDuration::from_nanos(9));
        assert_eq!(sharing.busy.area(at(20)), 2 * 8 + 2);
    }
}
