//! The week of whoever has the pager, and what a hand-over does to work that is going on.

use super::IncidentResponse;
use sim_core::{LONGEST, SimDuration};

const DAY: u64 = 86_400_000_000_000;
const WEEK: u64 = 7 * DAY;

/// What whoever has the pager is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hour {
    OnShift,
    Awake,
    Asleep,
}

impl Hour {
    pub const ALL: [Hour; 3] = [Hour::OnShift, Hour::Awake, Hour::Asleep];

    pub fn name(self) -> &'static str {
        ["on shift", "awake", "asleep"][self as usize]
    }
}

/// When the pager is where, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Calendar {
    begins: Vec<u64>,
    works: u64,
    /// From when to when he sleeps, counted from the beginning of work.
    sleeps: [u64; 2],
    days: u64,
    turn: u64,
    longest: u64,
    reads_in: u64,
    keeps: f64,
}

/// Work that was done: when, and how often it was handed over meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub takes: u64,
    pub hand_overs: u32,
}

impl Calendar {
    pub fn new(spec: &IncidentResponse) -> Self {
        let rises = DAY.saturating_sub(spec.day.rises.as_nanos());
        Calendar {
            begins: spec.sites.values().map(|site| site.begins.as_nanos()).collect(),
            works: spec.day.works.as_nanos(),
            sleeps: [rises.saturating_sub(spec.day.sleeps.as_nanos()), rises],
            days: spec.day.days.into(),
            turn: if spec.sites.len() > 1 { DAY } else { spec.hand_over.turn.as_nanos() },
            longest: spec.hand_over.longest.as_nanos(),
            reads_in: spec.hand_over.reads_in.as_nanos(),
            keeps: 1.0 - spec.hand_over.loses,
        }
    }

    /// What whoever has the pager is doing at that time. A run begins on a Monday at midnight, UTC.
    pub fn hour(&self, at: u64) -> Hour {
        let since = self.begins.iter().map(|begins| at + WEEK - begins);
        let since = since.min_by_key(|since| since % DAY).expect("at least one site");
        let (day, time) = (since / DAY % 7, since % DAY);
        if time < self.works {
            return if day < self.days { Hour::OnShift } else { Hour::Awake };
        }
        if (self.sleeps[0]..self.sleeps[1]).contains(&time) { Hour::Asleep } else { Hour::Awake }
    }

    /// The share of a week that is each kind of hour.
    pub fn shares(&self) -> [f64; 3] {
        let edges = [0, self.works, self.sleeps[0], self.sleeps[1]];
        let of_day = self.begins.iter().flat_map(|begins| edges.map(|edge| begins + edge));
        let mut cuts: Vec<u64> =
            of_day.flat_map(|cut| (0..7).map(move |day| (cut + day * DAY) % WEEK)).chain([0, WEEK]).collect();
        cuts.sort_unstable();
        let mut shares = [0.0; 3];
        for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
            shares[self.hour(pair[0]) as usize] += (pair[1] - pair[0]) as f64 / WEEK as f64;
        }
        shares
    }

    /// When the pager is handed over next.
    fn next(&self, at: u64) -> u64 {
        let next = |begins: &u64| match at.checked_sub(*begins) {
            None => *begins,
            Some(since) => begins + (since / self.turn + 1) * self.turn,
        };
        self.begins.iter().map(next).min().expect("at least one site")
    }

    /// The shortest that anybody has it.
    pub fn shortest(&self) -> SimDuration {
        let mut begins = self.begins.clone();
        begins.sort_unstable();
        let gap = |index: usize| match begins.get(index + 1) {
            Some(next) => next - begins[index],
            None => begins[0] + self.turn - begins[index],
        };
        SimDuration::from_nanos((0..begins.len()).map(gap).min().expect("at least one site"))
    }

    /// Whether it makes no difference that somebody else goes on.
    pub fn hand_over_is_free(&self) -> bool {
        self.reads_in == 0 && self.keeps == 1.0
    }

    /// How long work takes that begins then, with what is read and done again after each hand-over.
    pub fn done(&self, begins: u64, work: u64) -> Done {
        let (mut now, mut reading, mut left, mut hand_overs) = (begins, 0, work, 0);
        loop {
            let has = (self.next(now) - now).min(self.longest);
            if reading + left <= has || now - begins >= LONGEST.as_nanos() {
                return Done { takes: (now - begins + reading + left).min(LONGEST.as_nanos()), hand_overs };
            }
            let progress = has.saturating_sub(reading);
            left -= (progress as f64 * self.keeps) as u64;
            (now, reading, hand_overs) = (now + has, self.reads_in, hand_overs + 1);
        }
    }
}
