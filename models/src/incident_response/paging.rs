//! From the first page until somebody answers.

use super::calendar::Hour;
use super::{Answer, Paging};
use sim_core::{Key, LONGEST, Luck, SimDuration, Words};

/// Nobody is paged more often than that: whoever has not answered by then answers the last one.
const MOST_PAGES: u32 = 1_000;

/// Parts into which a time-out is cut for an integral.
const STEPS: u32 = 256;

/// An answer: how long after the first page, and of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    pub after: SimDuration,
    pub pages: u32,
}

/// What is known of it before anybody is paged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerLaw {
    /// The mean until somebody answers, in nanoseconds.
    pub mean: f64,
    /// The mean number of pages.
    pub pages: f64,
    /// More than one was needed.
    pub escalated: f64,
}

impl Paging {
    fn of(&self, hour: Hour) -> &Answer {
        match hour {
            Hour::OnShift => &self.on_shift,
            Hour::Awake => &self.awake,
            Hour::Asleep => &self.asleep,
        }
    }

    /// Whether the hour makes no difference.
    pub fn is_alike(&self) -> bool {
        self.on_shift == self.awake && self.awake == self.asleep
    }

    /// One is paged, and the next whenever nobody has answered; the first answer counts, whosever it is.
    pub fn answered(&self, hour: Hour, luck: &mut Luck, key: Key) -> Answered {
        let who = self.of(hour);
        let sent = |page: u32| u64::from(page) * self.escalate_after.as_nanos();
        let mut first = u64::MAX;
        let mut pages = 0;
        while pages < MOST_PAGES && (pages == 0 || sent(pages) < first) {
            let mut words = luck.at(key.child(pages.into()));
            if who.misses == 0.0 || words.unit() >= who.misses {
                first = first.min(sent(pages) + who.takes.sample(&mut words).as_nanos());
            }
            pages += 1;
        }
        Answered { after: SimDuration::from_nanos(first.min(LONGEST.as_nanos())), pages }
    }

    /// The same on average: nobody has answered by a time if none of those who were paged before has.
    pub fn law(&self, hour: Hour) -> AnswerLaw {
        let who = self.of(hour);
        let every = self.escalate_after.as_nanos() as f64;
        let silent = |since: f64| who.misses + (1.0 - who.misses) * (1.0 - who.takes.nanos.cdf(since));
        let nobody = |at: f64, pages: u32| {
            (0..pages).map(|page| silent(at - f64::from(page) * every)).product::<f64>()
        };
        // What always takes the same has a step there.
        let step = who.takes.fixed().map_or(0.0, |fixed| fixed.as_nanos() as f64 % every);
        let (mut mean, mut sum) = (0.0, 0.0);
        for page in 0..MOST_PAGES {
            let sent = f64::from(page) * every;
            let needed = nobody(sent, page);
            if needed < 1e-12 {
                break;
            }
            sum += needed;
            for (from, to) in [(0.0, step), (step, every)].into_iter().filter(|(from, to)| from < to) {
                let width = (to - from) / f64::from(STEPS);
                let middle = |number: u32| sent + from + width * (f64::from(number) + 0.5);
                mean += (0..STEPS).map(|number| nobody(middle(number), page + 1) * width).sum::<f64>();
            }
        }
        AnswerLaw { mean, pages: sum, escalated: silent(every) }
    }
}
