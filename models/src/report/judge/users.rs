//! The calls of users by when they began, and which of them were served.

use super::chance::{Served, seldom};
use super::outlook::Known;
use crate::report::count::sum;
use crate::report::edge::Edge;
use crate::report::head::Report;
use crate::report::stretch::Stretch;
use std::ops::Range;

const SECOND: u64 = 1_000_000_000;
/// Users must be served over every stretch of this length.
const HELD: u64 = 10 * SECOND;
/// This much of normal is fine, whatever the test says.
pub const FINE: f64 = 0.95;
/// Less than this much of normal is never normal.
pub const LOST: f64 = 0.5;
/// In one run of a hundred chance may look like harm.
const FALSE_ALARM: f64 = 0.01;
/// Fewer calls tell nothing.
pub const FEWEST: f64 = 3.0;
/// As many tell what is normal.
const ENOUGH: u64 = 10;

/// The calls over one edge of users. Sums from the beginning up to each window.
pub struct Users {
    pub name: String,
    /// They wait for an answer before they call again.
    pub closed_loop: bool,
    /// Calls that began; those of them that ended well; that did so in time.
    began: Vec<u64>,
    ok: Vec<u64>,
    good: Vec<u64>,
    /// The same if all calls that may still be answered in time are. Up to `ripe` there are none.
    hoped: Vec<u64>,
    /// Calls that have ended.
    ended: Vec<u64>,
    /// What is in time, in nanoseconds, if it is known.
    pub within: Option<u64>,
    /// Of calls that begin in these windows the fate is known.
    pub ripe: usize,
    /// Of these it is known at least of some that they were lost.
    pub foreseen: usize,
    /// Windows in [`HELD`].
    pub held: usize,
    /// Of calls that began while anything disturbed the run, those that ended well of those that ended, where they were counted apart.
    apart: Option<Served>,
}

impl Users {
    pub fn of(report: &Report, known: &Known) -> Vec<Users> {
        let users = report.edges.iter().filter(|(_, edge)| edge.from_users);
        let failed =
            |name: &str| known.failed.iter().find(|(edge, _)| edge == name).map(|(_, failed)| &failed[..]);
        users.map(|(name, edge)| Users::on(name, edge, report, failed(name))).collect()
    }

    fn on(name: &str, edge: &Edge, report: &Report, failed: Option<&[u64]>) -> Users {
        let windows = &edge.windows;
        let (count, window) = (windows.started.len(), report.run.window.max(1));
        let at = |series: &[u64], place: usize| series.get(place).copied().unwrap_or(0);
        let sums = |of: &dyn Fn(usize) -> u64| {
            let mut sums = vec![0];
            (0..count).for_each(|place| sums.push(sums[place] + of(place)));
            sums
        };
        let over = |place: usize| at(&windows.ok, place) + at(&windows.failed, place);
        // A model that counts where calls end: what ends has begun.
        let known = !windows.began_ok.is_empty();
        let within = edge.within.filter(|_| known);
        let fate = within.or(edge.latency.p99.filter(|_| known).map(|p99| 3 * p99)).unwrap_or(0);
        let ripe = report.reached().saturating_sub(fate) / window;
        let ripe = if known { (ripe as usize).min(count) } else { count };
        let good = |place: usize| at(if known { &windows.began_in_time } else { &windows.ok }, place);
        let lost = |place: usize| {
            failed.map(|failed| at(failed, place) + at(&windows.began_ok, place) - good(place))
        };
        let hoped = |place: usize| match lost(place) {
            Some(lost) if place >= ripe => at(&windows.started, place) - lost,
            _ => good(place),
        };
        Users {
            name: name.into(),
            closed_loop: edge.closed_loop,
            began: sums(&|place| if known { at(&windows.started, place) } else { over(place) }),
            ok: sums(&|place| at(if known { &windows.began_ok } else { &windows.ok }, place)),
            good: sums(&good),
            hoped: sums(&hoped),
            foreseen: if failed.is_some() && known { count } else { ripe },
            ended: sums(&over),
            within,
            ripe,
            held: HELD.div_ceil(window) as usize,
            // Who still waits at the end was not served, and has not ended.
            apart: edge
                .stretches
                .get(Stretch::Fault as usize)
                .filter(|it| it.calls.in_flight() == 0)
                .map(|it| Served::of(&it.calls)),
        }
    }

    pub fn windows(&self) -> usize {
        self.began.len() - 1
    }

    fn part(sums: &[u64], windows: &Range<usize>) -> u64 {
        sums[windows.end] - sums[windows.start.min(windows.end)]
    }

    pub fn began(&self, windows: &Range<usize>) -> u64 {
        Users::part(&self.began, windows)
    }

    /// Calls that ended well, but late.
    pub fn late(&self, windows: &Range<usize>) -> u64 {
        Users::part(&self.ok, windows) - Users::part(&self.good, windows)
    }

    pub fn served(&self, windows: &Range<usize>) -> Served {
        let (good, of) = (Users::part(&self.good, windows), self.began(windows));
        Served { good: good.min(of) as f64, of: of as f64 }
    }

    /// Those served of all that began while anything disturbed the run, which these windows cover: to the call where that was counted
    /// and nobody was late, since windows begin before a disturbance and end after it.
    pub fn served_meanwhile(&self, windows: &Range<usize>) -> Served {
        self.apart.filter(|_| self.late(windows) == 0).unwrap_or_else(|| self.served(windows))
    }

    /// The same if whoever may still be answered in time is.
    pub fn hoped(&self, windows: &Range<usize>) -> Served {
        let (good, of) = (Users::part(&self.hoped, windows), self.began(windows));
        Served { good: good.min(of) as f64, of: of as f64 }
    }

    /// Calls in flight when that window begins.
    pub fn waiting(&self, window: usize) -> u64 {
        self.began[window].saturating_sub(self.ended[window])
    }

    /// How they are normally served: in these windows, without the last, whose calls were still out when they ended. Nobody
    /// knows which these are: not all of them are the youngest.
    pub fn normal(&self, before: &Range<usize>) -> Normal {
        let out = self.waiting(before.end);
        let without = |calls: u64| {
            let end = (before.start..=before.end).rev().find(|end| self.began(&(*end..before.end)) >= calls);
            Some(before.start..end?).filter(|rest| self.began(rest) >= ENOUGH)
        };
        let before = without(2 * out).or_else(|| without(out)).unwrap_or(before.clone());
        let served = self.served(&before);
        let measured = served.of > 0.0;
        // Where nothing was measured all that is offered is normal, give or take.
        let served = if measured { served } else { Served { good: 99.5, of: 100.0 } };
        let rate =
            (self.closed_loop && measured).then(|| (served.good, before.len() as f64, self.spread(&before)));
        Normal { served, measured, rate, worst: self.worst(&before) }
    }

    /// How much more calls per window vary than those of a Poisson process.
    fn spread(&self, windows: &Range<usize>) -> f64 {
        let counts = || windows.clone().map(|window| self.served(&(window..window + 1)).good);
        let mean = counts().sum::<f64>() / windows.len() as f64;
        let square = counts().map(|count| (count - mean) * (count - mean)).sum::<f64>();
        (square / (windows.len() as f64 - 1.0).max(1.0) / mean).max(1.0)
    }

    /// The smallest share that was served over stretches of so many windows, each twice as long as the one before.
    fn worst(&self, windows: &Range<usize>) -> Vec<f64> {
        let shares = |length: usize| {
            let starts = windows.start..(windows.end + 1).saturating_sub(length);
            starts.filter_map(move |start| self.served(&(start..start + length)).share())
        };
        let lengths = std::iter::successors(Some(self.held), |length| Some(2 * length));
        lengths
            .take_while(|length| *length <= windows.len())
            .map(|length| shares(length).fold(1.0, f64::min))
            .collect()
    }

    /// The stretches in these windows over which users are clearly served worse than normally.
    pub fn harm(&self, windows: &Range<usize>, normal: &Normal) -> Harm {
        let windows = windows.start..windows.end.min(self.foreseen);
        let lengths: Vec<usize> = std::iter::successors(Some(self.held), |length| Some(2 * length))
            .take_while(|length| *length <= windows.len())
            .collect();
        let tests = (windows.len() * lengths.len()).max(1);
        let rare = sim_core::math::ln(FALSE_ALARM / tests as f64);
        let mut harm = Harm { last: None, until: windows.start, down: Vec::new() };
        for start in windows.clone() {
            for (number, length) in lengths.iter().enumerate() {
                let stretch = start..start + length;
                if stretch.end > windows.end || !self.worse(&stretch, normal, normal.worst.get(number), rare)
                {
                    continue;
                }
                if number == 0 {
                    let bad = stretch.clone().filter(|window| {
                        let one = self.hoped(&(*window..window + 1));
                        one.good < FINE * normal.share() * one.of
                    });
                    harm.down.extend(bad);
                }
                if harm.last.as_ref().is_none_or(|last| last.start < start) {
                    let worst = |end: &usize| self.excess(&(start..*end), normal);
                    let ends = start + 1..stretch.end + 1;
                    harm.until = ends.max_by(|a, b| worst(a).total_cmp(&worst(b))).unwrap_or(stretch.end);
                    harm.last = Some(stretch);
                }
            }
        }
        // All of it together is one more test, for what is too rare to show in any part.
        if harm.last.is_none() && self.worse(&windows, normal, None, sim_core::math::ln(FALSE_ALARM)) {
            (harm.last, harm.until) = (Some(windows.clone()), windows.end);
        }
        harm.down.sort_unstable();
        harm.down.dedup();
        harm
    }

    fn worse(&self, stretch: &Range<usize>, normal: &Normal, worst: Option<&f64>, rare: f64) -> bool {
        let served = self.hoped(stretch);
        // Users who wait call no less often as long as they may be answered in time.
        if let Some((good, windows, spread)) = normal.rate.filter(|_| stretch.end <= self.ripe) {
            let usual = good / windows * stretch.len() as f64;
            let seldom = || seldom(served.good / spread, stretch.len() as f64, good / spread, windows);
            if served.good < FINE * usual && seldom() < rare {
                return true;
            }
        }
        let Some(share) = served.share().filter(|_| served.of >= FEWEST) else { return false };
        let before = worst.map_or(1.0, |worst| *worst);
        share < FINE * normal.share() && share < FINE * before && served.chance(normal.served) < rare
    }

    /// How clearly users are served worse: in a closed loop also if they call less.
    fn excess(&self, stretch: &Range<usize>, normal: &Normal) -> f64 {
        let served = self.hoped(stretch);
        let seldom = normal.rate.map_or(0.0, |(good, windows, spread)| {
            let usual = good / windows * stretch.len() as f64;
            let much =
                if served.good > 0.0 { served.good * sim_core::math::ln(served.good / usual) } else { 0.0 };
            if served.good < usual { (usual - served.good + much) / spread } else { 0.0 }
        });
        served.excess(normal.served).max(seldom)
    }

    /// Goodput as a share of what it normally is; absent if nothing was offered.
    pub fn of_normal(&self, windows: &Range<usize>, normal: &Normal) -> Option<f64> {
        let served = self.served(windows);
        let (is, usual) = match normal.rate {
            Some((good, before, _)) if good > 0.0 => (served.good, good / before * windows.len() as f64),
            _ => (served.share()?, normal.share()),
        };
        // Nothing, as ever. A NaN orders before or after all numbers, by its sign, which is the processor's to choose.
        Some(if is == 0.0 && usual == 0.0 { 1.0 } else { is / usual })
    }

    /// Whether the end, after the last harm, may well be more of it: where some are served and some lost, a few that are served
    /// tell nothing.
    pub fn no_better(&self, harm: &Harm, normal: &Normal) -> bool {
        let Some(last) = &harm.last else { return false };
        let (lost, rest) = (self.hoped(last), self.served(&(harm.until.min(self.ripe)..self.ripe)));
        let total =
            self.hoped(&(last.start..harm.until)).share().is_none_or(|share| share < LOST * normal.share());
        let turned = |served: Served| Served { good: served.of - served.good, of: served.of };
        !total && turned(rest).chance(turned(lost)) > sim_core::math::ln(0.05)
    }

    /// Whether so few calls tell that it is not lost: less than half as well served as normally.
    pub fn telling(&self, windows: &Range<usize>, normal: &Normal) -> bool {
        let served = self.served(windows);
        let lost = Served { good: served.of - served.good, of: served.of };
        // As if half of those served before had been lost.
        let half = LOST * normal.share();
        let many = 1e6;
        lost.chance(Served { good: (1.0 - half) * many, of: many }) < sim_core::math::ln(0.15)
    }
}

/// How users were served before the first disturbance.
pub struct Normal {
    pub served: Served,
    /// Whether anything was measured then, or all that is offered is taken as normal.
    pub measured: bool,
    /// In a closed loop: calls served, in how many windows, and how much more they vary than luck does.
    pub rate: Option<(f64, f64, f64)>,
    /// The worst share over stretches of each length.
    worst: Vec<f64>,
}

impl Normal {
    pub fn share(&self) -> f64 {
        self.served.share().unwrap_or(1.0)
    }

    /// Served as in this whole stretch, whatever it was like in between.
    pub fn throughout(users: &Users, windows: &Range<usize>) -> Normal {
        Normal { worst: Vec::new(), rate: None, ..users.normal(windows) }
    }
}

/// Where users are clearly served worse than normally.
pub struct Harm {
    /// The last stretch that is.
    pub last: Option<Range<usize>>,
    /// The window from which on they are not.
    pub until: usize,
    /// Windows within such stretches that are worse themselves, in order.
    down: Vec<usize>,
}

impl Harm {
    /// When it went wrong anew, and for how many windows: what is less than a stretch apart is one.
    pub fn falls(&self, apart: usize) -> Vec<Range<usize>> {
        let mut falls: Vec<Range<usize>> = Vec::new();
        for window in &self.down {
            match falls.last_mut() {
                Some(last) if *window < last.end + apart => last.end = window + 1,
                _ => falls.push(*window..window + 1),
            }
        }
        falls
    }
}

/// Whether so few of them are served that it is no accident.
pub fn failing(served: Served) -> bool {
    let enough = Served { good: FINE * 1e6, of: 1e6 };
    served.good < FINE * served.of && served.chance(enough) < sim_core::math::ln(FALSE_ALARM)
}

/// All users together.
pub fn together(users: &[Users], windows: &Range<usize>) -> Served {
    users.iter().map(|users| users.served(windows)).fold(Served::default(), Served::and)
}

/// Calls offered in these windows, whatever became of them.
pub fn offered(report: &Report, windows: &Range<usize>) -> u64 {
    let users = report.edges.iter().filter(|(_, edge)| edge.from_users);
    users.map(|(_, edge)| sum(&edge.windows.started, windows)).sum()
}
