//! What is measured of lists beside the truth: how old they are, whom they name that is gone, whom they do not name yet, and how long it takes
//! until callers know.

use crate::report::{Better, Fold, Section, Unit, Value};
use sim_core::stats::TimeIntegral;
use sim_core::{SimDuration, SimTime};

/// The lists of all callers of one service, and who is there.
#[derive(Clone, Debug)]
pub struct Ledger {
    there: Box<[bool]>,
    /// Whom each list names; none of a caller that has never had one since it started.
    lists: Box<[Option<Box<[bool]>>]>,
    /// Of each list: of which replicas it has yet to hear what became of them last.
    owed: Box<[Box<[bool]>]>,
    /// Of each replica: the lists that say otherwise, and since when it is there or is not.
    behind: Box<[u32]>,
    since: Box<[SimTime]>,
    /// Names of those that are gone, in all lists; those that are missing; and lists.
    gone: TimeIntegral,
    missing: TimeIntegral,
    kept: TimeIntegral,
    /// After the warm-up.
    measured: bool,
    counts: [u64; COUNTS.len()],
    /// How often somebody went, and came.
    turns: [u64; 2],
    /// Until a caller knew that: how often one got to know, the sum and the longest.
    spread: [(u64, u128, u64); 2],
    /// The same of the ages of lists by which attempts were sent.
    ages: (u128, u64),
    from: [u128; 3],
    window: [u128; 3],
    /// Of each window: names of the gone in a list, names that are missing, attempts by such lists, and those to the gone.
    lines: [Vec<f64>; 4],
    sent: [u64; 2],
}

/// What happens and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// An attempt was sent by a list.
    Sent,
    /// To a replica that was down.
    SentToGone,
    /// A heartbeat was answered, or was not.
    Beat,
    BeatLost,
    /// A lookup was answered, or was not.
    Looked,
    LookLost,
    /// A list was dropped since it was too old.
    Dropped,
}

const COUNTS: [(&str, Count, &str); 7] = [
    ("sent", Count::Sent, "attempts that were sent by such lists"),
    (
        "sent_to_gone",
        Count::SentToGone,
        "of these, those to replicas that were down or gone when they were sent",
    ),
    ("heartbeats", Count::Beat, "heartbeats that were answered"),
    ("heartbeats_lost", Count::BeatLost, "heartbeats that got no good answer in time"),
    ("lookups", Count::Looked, "lookups that were answered"),
    ("lookups_lost", Count::LookLost, "lookups that got no good answer in time"),
    ("dropped", Count::Dropped, "lists that were dropped since they were too old"),
];

impl Ledger {
    /// All know those that are there from the beginning; so many callers, of whom only these are there.
    pub fn new((there, room): (u32, u32), callers: impl Iterator<Item = bool>) -> Self {
        let names: Box<[bool]> = (0..room).map(|replica| replica < there).collect();
        let lists: Box<[_]> = callers.map(|is_there| is_there.then(|| names.clone())).collect();
        let mut kept = TimeIntegral::default();
        kept.set(SimTime::ZERO, lists.iter().flatten().count() as u64);
        Ledger {
            owed: vec![vec![false; room as usize].into(); lists.len()].into(),
            behind: vec![0; room as usize].into(),
            since: vec![SimTime::ZERO; room as usize].into(),
            there: names,
            lists,
            gone: TimeIntegral::default(),
            missing: TimeIntegral::default(),
            kept,
            measured: false,
            counts: [0; COUNTS.len()],
            turns: [0; 2],
            spread: [(0, 0, 0); 2],
            ages: (0, 0),
            from: [0; 3],
            window: [0; 3],
            lines: Default::default(),
            sent: [0; 2],
        }
    }

    /// Something happened, at a time that is measured or not.
    pub fn count(&mut self, what: Count) {
        self.counts[what as usize] += u64::from(self.measured);
    }

    /// An attempt is sent by a list of this age, to one that is down or is not.
    pub fn sent(&mut self, age: SimDuration, to_gone: bool) {
        self.sent[0] += 1;
        self.sent[1] += u64::from(to_gone);
        self.count(Count::Sent);
        if to_gone {
            self.count(Count::SentToGone);
        }
        if self.measured {
            self.ages.0 += u128::from(age.as_nanos());
            self.ages.1 = self.ages.1.max(age.as_nanos());
        }
    }

    /// Whether a replica is there, from now on; whether that is news.
    pub fn is_there(&mut self, replica: u32, is: bool, now: SimTime) -> bool {
        let at = replica as usize;
        if self.there[at] == is {
            return false;
        }
        (self.there[at], self.since[at]) = (is, now);
        self.turns[usize::from(is)] += u64::from(self.measured);
        self.behind[at] = 0;
        for (list, owed) in self.lists.iter().zip(&mut self.owed) {
            owed[at] = list.as_ref().is_some_and(|list| list[at] != is);
            self.behind[at] += u32::from(owed[at]);
        }
        self.tally(now);
        true
    }

    /// A caller has a list from now on, of these; or none, since it is down.
    pub fn hears(&mut self, list: usize, names: Option<&[u32]>, now: SimTime) {
        let room = self.there.len();
        let new: Option<Box<[bool]>> = names.map(|names| {
            let mut new = vec![false; room];
            names.iter().for_each(|name| new[*name as usize] = true);
            new.into()
        });
        for at in 0..room {
            let differs = |list: &Option<Box<[bool]>>| {
                u32::from(list.as_ref().is_some_and(|list| list[at] != self.there[at]))
            };
            self.behind[at] = self.behind[at] + differs(&new) - differs(&self.lists[list]);
            if differs(&new) > 0 {
                continue;
            }
            // Who is down need not know.
            let is_news = std::mem::take(&mut self.owed[list][at]) && new.is_some();
            if is_news && self.measured {
                let took = now.since(self.since[at]).as_nanos();
                let spread = &mut self.spread[usize::from(self.there[at])];
                *spread = (spread.0 + 1, spread.1 + u128::from(took), spread.2.max(took));
            }
        }
        self.lists[list] = new;
        self.tally(now);
    }

    /// Whether a replica is there.
    pub fn has(&self, replica: u32) -> bool {
        self.there[replica as usize]
    }

    /// Whether a list names a replica.
    pub fn names(&self, list: usize, replica: u32) -> bool {
        self.lists[list].as_ref().is_some_and(|list| list[replica as usize])
    }

    /// Of what a list names the share of which this is so; none if there is no list. Who is gone is chosen, and is nobody.
    pub fn share(&self, list: usize, is_so: impl Fn(u32) -> bool) -> Option<f64> {
        let list = self.lists[list].as_ref()?;
        let (mut so, mut all) = (0u32, 0u32);
        for replica in (0..).zip(list).filter(|(_, is_named)| **is_named).map(|(replica, _)| replica) {
            all += 1;
            so += u32::from(self.has(replica) && is_so(replica));
        }
        Some(f64::from(so) / f64::from(all.max(1)))
    }

    fn tally(&mut self, now: SimTime) {
        let behind = |there: bool| {
            let all = self.there.iter().zip(&self.behind).filter(|(is, _)| **is == there);
            all.map(|(_, behind)| u64::from(*behind)).sum()
        };
        let (gone, missing) = (behind(false), behind(true));
        self.gone.set(now, gone);
        self.missing.set(now, missing);
        self.kept.set(now, self.lists.iter().flatten().count() as u64);
    }

    fn areas(&self, now: SimTime) -> [u128; 3] {
        [&self.gone, &self.missing, &self.kept].map(|it| it.area(now))
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.measured = true;
        self.from = self.areas(now);
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let areas = self.areas(now);
        let [gone, missing] = of_a_list(areas, self.window).map(Option::unwrap_or_default);
        self.window = areas;
        let [sent, to_gone] = std::mem::take(&mut self.sent).map(|count| count as f64);
        let all = self.lines.iter_mut().zip([gone, missing, sent, to_gone]);
        all.for_each(|(line, value)| line.push(value));
    }

    /// What is told of it, and of entries that ran out if there are any.
    pub fn section(&self, at: &str, expired: Option<u64>, now: SimTime) -> Section {
        let mut section = declared(at, expired.is_some());
        for (name, count, _) in COUNTS {
            if section.values.get(name).is_some() {
                section.set(name, self.counts[count as usize] as f64);
            }
        }
        if let Some(expired) = expired {
            section.set("expired", expired as f64);
        }
        let sent = self.counts[Count::Sent as usize];
        let of_sent = |sum: f64| (sent > 0).then(|| sum / sent as f64);
        section.set("stale", of_sent(self.counts[Count::SentToGone as usize] as f64));
        section.set("age_mean", of_sent(self.ages.0 as f64));
        section.set("age_max", (sent > 0).then_some(self.ages.1 as f64));
        let from = if self.measured { self.from } else { self.areas(now) };
        let [gone, missing] = of_a_list(self.areas(now), from);
        section.set("gone_in_list", gone);
        section.set("missing_in_list", missing);
        for (turns, what) in self.turns.iter().zip(["gone", "come"]) {
            section.set(what, *turns as f64);
        }
        for ((count, sum, most), what) in self.spread.iter().zip(["gone", "come"]) {
            section.set(&format!("{what}_known_mean"), (*count > 0).then(|| *sum as f64 / *count as f64));
            section.set(&format!("{what}_known_max"), (*count > 0).then_some(*most as f64));
        }
        for ((name, _), line) in LINES.iter().zip(&self.lines) {
            section.draw(name, line.clone());
        }
        section
    }
}

/// Names in a list, on average over these times.
fn of_a_list(to: [u128; 3], from: [u128; 3]) -> [Option<f64>; 2] {
    let kept = (to[2] - from[2]) as f64;
    [0, 1].map(|at| (kept > 0.0).then(|| (to[at] - from[at]) as f64 / kept))
}

const LINES: [(&str, &str); 4] = [
    (
        "gone_names",
        "Replicas that a caller's list names and that are down, leaving or gone, mean of each window.",
    ),
    ("missing_names", "Replicas that are there and that a caller's list does not name, mean of each window."),
    ("sent_by_list", "Attempts sent by such lists in each window."),
    ("sent_to_down", "Those of them that went to replicas that were down or gone."),
];

/// What will be told, of callers whose service is registered or resolved: nothing measured yet.
pub fn declared(at: &str, beats: bool) -> Section {
    let value = |unit, about: &str| Value::new(unit, about);
    let mut section = Section::new("discovery", at)
        .value(
            "stale",
            value(Unit::Share, "share of attempts that were sent to a replica that was down or gone")
                .of_windows(Fold::Ratio("sent_to_down".into(), "sent_by_list".into()))
                .better(Better::Less)
                .headline(),
        )
        .value(
            "age_mean",
            value(Unit::Duration, "age of the caller's list when an attempt was sent by it, mean")
                .better(Better::Less),
        )
        .value("age_max", value(Unit::Duration, "and at most").better(Better::Less))
        .value(
            "gone_in_list",
            value(
                Unit::Plain,
                "replicas that a list names and that are down, leaving or gone; mean over lists and time",
            )
            .of_windows(Fold::Mean("gone_names".into()))
            .better(Better::Less),
        )
        .value(
            "missing_in_list",
            value(
                Unit::Plain,
                "replicas that are there and that a list does not name; mean over lists and time",
            )
            .of_windows(Fold::Mean("missing_names".into()))
            .better(Better::Less),
        );
    for (what, about) in [("gone", "died or left"), ("come", "came, or came back")] {
        section = section
            .value(what, value(Unit::Plain, &format!("times that a replica {about}")))
            .value(
                &format!("{what}_known_mean"),
                value(
                    Unit::Duration,
                    &format!("from the moment that a replica {about} until a caller's list says so, mean over all that got to know"),
                )
                .better(Better::Less),
            )
            .value(
                &format!("{what}_known_max"),
                value(Unit::Duration, "and at most: until the last knew").better(Better::Less),
            );
    }
    for (name, count, about) in COUNTS {
        if beats || !matches!(count, Count::Beat | Count::BeatLost) {
            section = section.value(name, value(Unit::Plain, about));
        }
    }
    if beats {
        section = section.value(
            "expired",
            value(Unit::Plain, "entries that ran out, found when somebody asked; since the run began"),
        );
    }
    LINES.iter().fold(section, |section, (name, about)| section.line(name, Unit::Plain, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    fn told(ledger: &Ledger, name: &str) -> Option<f64> {
        ledger.section("api", Some(0), S(100)).values.get(name).expect("it is declared").value
    }

    /// Two callers, three replicas: one dies at 10 s, one caller hears of it at 30 s and the other at 50 s.
    #[test]
    fn each_caller_knows_when_it_hears() {
        let mut ledger = Ledger::new((3, 3), [true, true].into_iter());
        ledger.begin(S(0));
        assert!(ledger.is_there(1, false, S(10)) && !ledger.is_there(1, false, S(11)));
        ledger.hears(0, Some(&[0, 2]), S(30));
        assert_eq!((told(&ledger, "gone"), told(&ledger, "gone_known_mean")), (Some(1.0), Some(20e9)));
        ledger.hears(1, Some(&[0, 2]), S(50));
        assert_eq!((told(&ledger, "gone"), told(&ledger, "gone_known_mean")), (Some(1.0), Some(30e9)));
        // 20 s in two lists and 20 s in one, of two lists for 100 s.
        assert_eq!((told(&ledger, "gone_in_list"), told(&ledger, "missing_in_list")), (Some(0.3), Some(0.0)));
        // It comes back, and dies again before the second has heard of it, which never knew that it was there.
        ledger.is_there(1, true, S(60));
        ledger.hears(0, Some(&[0, 1, 2]), S(65));
        ledger.is_there(1, false, S(70));
        ledger.hears(1, Some(&[0, 2]), S(75));
        ledger.hears(0, Some(&[0, 2]), S(80));
        assert_eq!((told(&ledger, "come"), told(&ledger, "gone")), (Some(1.0), Some(2.0)));
        let known = ["come_known_mean", "come_known_max", "gone_known_mean"].map(|name| told(&ledger, name));
        assert_eq!(known, [Some(5e9), Some(5e9), Some((20e9 + 40e9 + 10e9) / 3.0)]);
        assert_eq!(told(&ledger, "gone_known_max"), Some(40e9));
        // One that comes and goes between two lookups is news to nobody.
        ledger.is_there(1, true, S(82));
        ledger.is_there(1, false, S(84));
        ledger.hears(0, Some(&[0, 2]), S(86));
        assert_eq!((told(&ledger, "come"), told(&ledger, "gone")), (Some(2.0), Some(3.0)));
        assert_eq!(told(&ledger, "gone_known_mean"), Some((20e9 + 40e9 + 10e9) / 3.0));
        // Who is told wrong learns nothing; what was news once is none any more.
        ledger.hears(0, Some(&[0]), S(90));
        ledger.hears(0, Some(&[0, 2]), S(95));
        assert_eq!(told(&ledger, "come_known_max"), Some(5e9));
    }

    /// Who is down has no list: nobody waits for it to know, and what it is told when it is back is no news.
    #[test]
    fn who_is_down_need_not_know() {
        let mut ledger = Ledger::new((2, 2), [true, true, false].into_iter());
        ledger.begin(S(0));
        ledger.is_there(0, false, S(10));
        ledger.hears(0, Some(&[1]), S(20));
        ledger.hears(1, None, S(30));
        assert_eq!(told(&ledger, "gone_known_max"), Some(10e9));
        ledger.hears(1, Some(&[0, 1]), S(40));
        ledger.hears(1, Some(&[1]), S(60));
        ledger.hears(2, Some(&[1]), S(70));
        assert_eq!((told(&ledger, "gone"), told(&ledger, "gone_known_mean")), (Some(1.0), Some(10e9)));
        assert!(ledger.names(2, 1) && !ledger.names(2, 0));
    }

    #[test]
    fn what_is_sent_by_a_list_is_counted_with_its_age() {
        let mut ledger = Ledger::new((2, 2), [true].into_iter());
        ledger.sent(SimDuration::from_secs(99), true);
        ledger.begin(S(1));
        ledger.close_window(S(1));
        for (age, gone) in [(1, false), (2, true), (6, false), (3, false)] {
            ledger.sent(SimDuration::from_secs(age), gone);
        }
        ledger.close_window(S(2));
        let of =
            ["sent", "sent_to_gone", "stale", "age_mean", "age_max"].map(|name| told(&ledger, name).unwrap());
        assert_eq!(of, [4.0, 1.0, 0.25, 3e9, 6e9]);
        let section = ledger.section("api", None, S(2));
        let lines: Vec<_> = section.series.iter().map(|line| line.values.clone()).collect();
        assert_eq!(lines, [vec![0.0, 0.0], vec![0.0, 0.0], vec![1.0, 4.0], vec![1.0, 1.0]]);
        assert!(section.values.get("expired").is_none() && section.values.get("heartbeats").is_none());
    }
}
