//! Whoever rolls a new version out: how many of each there are to be, by the strategy and by what is ready; and when all is taken back.
//!
//! ```text
//!   waiting ──at──▶ progressing ⇄ paused ──▶ complete
//!                        │    stuck               │    an analysis fails; or it is stuck, if that is said
//!                        └────▶ rolling back ◀────┘
//!                                    └──▶ rolled back
//! ```
//!
//! It is told what is to be seen of each replica ([`sees`](Roller::sees)), and asked what is to be done next ([`decides`](Roller::decides))
//! until it says that it waits. So it can be asked before a run, too: what would come of it if nothing else happened.

use super::pace::{self, Count, Goal, Move, Slot};
use super::told::Told;
use super::{Rollout, Strategy};
use crate::service_graph::control::analysis::{Measured, Next};
use crate::service_graph::control::versions::Seen;
use sim_core::{SimDuration, SimTime, Timer};

/// Whoever rolls out a version of one service.
#[derive(Clone, Debug)]
pub struct Roller {
    /// Which service.
    pub service: u32,
    /// When it looks again at how far it is, if that is known.
    pub timer: Option<Timer>,
    pub says: Rollout,
    /// As many are wanted, and there is room for so many.
    desired: u32,
    room: u32,
    places: Vec<Place>,
    slots: Vec<Slot>,
    /// Where callers look up whom they call nobody has the place, which is the address, of somebody before him as long as there is another:
    /// how many have left so far.
    left: Option<u64>,
    /// How many stood in each zone as it began.
    stood: Vec<u32>,
    phase: Phase,
    /// Which step of a canary, or which zone.
    stage: u32,
    /// Replicas of the zone that it is at, as it began with that.
    zone_size: u32,
    /// Until when nothing more is done.
    pause: Option<SimTime>,
    /// Of blue and green: callers are at the new one; and until when the old ones are kept.
    switched: bool,
    kept_until: Option<SimTime>,
    /// When anything came of it last, and how far it was.
    progressed: SimTime,
    progress: Count,
    stuck: bool,
    /// Of the analysis: whether it has begun or is over, what had been seen as it measured last, and what it found.
    looks: Looks,
    base: Option<[Seen; 2]>,
    measured: Measured,
    pub told: Told,
}

/// What it knows of the place of a replica besides its [`Slot`].
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    zone: u32,
    ready_since: Option<SimTime>,
    /// How many had left when somebody left it last; 0 if nobody ever did.
    left: u64,
    /// No caller may choose it: it waits to be switched to.
    aside: bool,
}

/// What is to be seen of a replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    /// Nobody is there, neither starting nor leaving.
    pub gone: bool,
    /// It is up and ready.
    pub ready: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A replica starts: of the new version or the old; aside, where no caller may choose it.
    Start { slot: u32, new: bool, aside: bool },
    /// One stops.
    Stop { slot: u32 },
    /// Callers may choose it, or no longer.
    Show { slot: u32, aside: bool },
    /// Nothing, until then at the latest.
    Wait { until: Option<SimTime> },
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Going,
    Done,
    Undoing,
    Undone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    NotYet,
    Looking,
    Over,
}

impl Roller {
    /// One that has done nothing yet, of a service that begins with so many replicas of as many as there is room for; and where each stands.
    pub fn new(
        says: &Rollout,
        service: u32,
        (replicas, room): (u32, u32),
        zones: impl Fn(u32) -> u32,
    ) -> Self {
        let place = |number: u32| Place {
            zone: zones(number),
            ready_since: (number < replicas).then_some(SimTime::ZERO),
            left: 0,
            aside: false,
        };
        let slot = |number: u32| Slot {
            new: false,
            wanted: number < replicas,
            gone: number >= replicas,
            available: number < replicas,
            may_change: true,
            rank: 0,
        };
        Roller {
            service,
            timer: None,
            says: says.clone(),
            desired: replicas,
            room,
            places: (0..room).map(place).collect(),
            slots: (0..room).map(slot).collect(),
            left: None,
            stood: Vec::new(),
            phase: Phase::Waiting,
            stage: 0,
            zone_size: 0,
            pause: None,
            switched: false,
            kept_until: None,
            progressed: SimTime::ZERO,
            progress: Count::default(),
            stuck: false,
            looks: Looks::NotYet,
            base: None,
            measured: Measured::default(),
            told: Told::default(),
        }
    }

    /// The same where each that comes is to have another address than whoever went.
    pub fn with_new_addresses(mut self) -> Self {
        self.left = Some(0);
        self.stood = vec![0; self.last_zone() as usize + 1];
        for (place, _) in self.places.iter().zip(&self.slots).filter(|(_, slot)| slot.wanted) {
            self.stood[place.zone as usize] += 1;
        }
        self
    }

    /// Whoever comes has a place in the zone that lacks most, as whoever places pods spreads them; there one that nobody has had, or the one
    /// that was left first.
    fn ranks(&mut self) {
        let mut lacking: Vec<i64> = self.stood.iter().map(|stood| i64::from(*stood)).collect();
        for (place, _) in self.places.iter().zip(&self.slots).filter(|(_, slot)| slot.wanted) {
            lacking[place.zone as usize] -= 1;
        }
        for (place, slot) in self.places.iter().zip(&mut self.slots) {
            let others = i64::from(i32::MAX) - lacking[place.zone as usize];
            slot.rank = (others as u64) << 32 | place.left;
        }
    }

    /// When it looks first, and at what.
    pub fn first_looks(&self) -> Vec<(u32, SimTime)> {
        let undo = self.says.undo_at.map(|undo| (super::moves::UNDO, undo));
        std::iter::once((super::moves::BEGIN, self.says.at)).chain(undo).collect()
    }

    /// It begins.
    pub fn begins(&mut self, now: SimTime) {
        self.enter(Phase::Going, now);
        self.begin_zone();
        if matches!(self.says.strategy, Strategy::Zones { .. }) {
            self.skip_empty_zones();
        }
    }

    /// So many are wanted from now on.
    pub fn desires(&mut self, desired: u32) {
        self.desired = desired;
    }

    /// Whether versions are changing: who is there may be neither all of one nor all of the other.
    pub fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Going | Phase::Undoing)
    }

    /// What is to be seen of each replica now.
    pub fn sees(&mut self, sights: impl Iterator<Item = Sight>, now: SimTime) {
        self.told.settle(now);
        let (mut shown, mut shown_new) = (0, 0);
        for ((place, slot), sight) in self.places.iter_mut().zip(&mut self.slots).zip(sights) {
            let ready = slot.wanted && sight.ready;
            place.ready_since = if ready { place.ready_since.or(Some(now)) } else { None };
            let since = place.ready_since;
            slot.available = since.is_some_and(|since| since + self.says.min_ready <= now);
            slot.gone = sight.gone && !slot.wanted;
            if ready && !place.aside {
                shown += 1;
                shown_new += u32::from(slot.new);
            }
        }
        let is_moving = self.is_moving();
        self.told.shows((shown_new, shown), is_moving, now);
    }

    /// What is to be done next.
    pub fn decides(&mut self, now: SimTime) -> Action {
        loop {
            if self.left.is_some() {
                self.ranks();
            }
            let count = Count::of(&self.slots);
            let action = match self.says.strategy {
                Strategy::BlueGreen { .. } => self.moves_beside(&count, now),
                _ => self.moves(),
            };
            if let Some(action) = action {
                self.notes(action);
                return action;
            }
            self.notes_progress(count, now);
            if !self.advances(&count, now) && !self.is_stuck(now) {
                return Action::Wait { until: self.wakes(now) };
            }
        }
    }

    /// How many there are to be, where one takes the place of another.
    fn goal(&self) -> Goal {
        let (desired, strategy) = (self.desired, &self.says.strategy);
        let all = desired.saturating_sub(self.says.missed);
        let calm = |new| Goal {
            desired,
            new,
            surge: 0,
            most: self.room,
            unavailable: desired,
            one_after_the_other: false,
        };
        let surge = strategy.surge(desired);
        let moving = |new, of| Goal {
            desired,
            new,
            surge,
            most: desired + surge,
            unavailable: strategy.unavailable(of),
            one_after_the_other: matches!(strategy, Strategy::Recreate),
        };
        match self.phase {
            Phase::Waiting | Phase::Undone => calm(0),
            Phase::Done => calm(all),
            Phase::Undoing => moving(0, desired),
            Phase::Going => match strategy {
                Strategy::Canary { steps, .. } => {
                    let step = steps.get(self.stage as usize);
                    let new = step.map_or(all, |step| super::up(step.weight, desired));
                    moving(new.min(all), desired)
                }
                Strategy::Zones { .. } => {
                    let later = self.places.iter().zip(&self.slots);
                    let later =
                        later.filter(|(place, slot)| slot.wanted && !slot.new && place.zone > self.stage);
                    let new = desired.saturating_sub(later.count() as u32);
                    moving(new.min(all), self.zone_size)
                }
                Strategy::Rolling { .. } | Strategy::Recreate | Strategy::BlueGreen { .. } => {
                    moving(all, desired)
                }
            },
        }
    }

    fn moves(&mut self) -> Option<Action> {
        if let Strategy::Zones { .. } = self.says.strategy {
            let (going, stage) = (self.phase == Phase::Going, self.stage);
            for (place, slot) in self.places.iter().zip(&mut self.slots) {
                slot.may_change = !going || place.zone <= stage;
            }
        }
        pace::next(&self.slots, &self.goal()).map(|next| match next {
            Move::Start { slot, new } => Action::Start { slot, new, aside: false },
            Move::Stop { slot } => Action::Stop { slot },
        })
    }

    /// The same where the new ones are beside the old ones until callers are switched over.
    fn moves_beside(&self, count: &Count, now: SimTime) -> Option<Action> {
        let active = usize::from(self.switched);
        let kept = self.kept_until.is_some_and(|until| now < until);
        let other = match self.phase {
            Phase::Going => !self.switched || kept,
            Phase::Done => kept,
            Phase::Undoing => self.switched,
            Phase::Waiting | Phase::Undone => false,
        };
        let mut wanted = [if other { self.desired } else { 0 }; 2];
        wanted[active] = self.desired;
        let is_of = |slot: &Slot, version: usize| slot.wanted && usize::from(slot.new) == version;
        // Whoever comes is shown before whoever goes is not: somebody is always there.
        for aside in [false, true] {
            let otherwise = |(place, slot): (&Place, &Slot)| {
                is_of(slot, if aside { 1 - active } else { active }) && place.aside != aside
            };
            if let Some(slot) = self.places.iter().zip(&self.slots).position(otherwise) {
                return Some(Action::Show { slot: slot as u32, aside });
            }
        }
        for version in [active, 1 - active] {
            if count.wanted[version] > wanted[version] {
                let ill = self.slots.iter().rposition(|slot| is_of(slot, version) && !slot.available);
                let slot = ill.or_else(|| self.slots.iter().rposition(|slot| is_of(slot, version)));
                return slot.map(|slot| Action::Stop { slot: slot as u32 });
            }
            if count.wanted[version] < wanted[version]
                && let Some(slot) = pace::vacant(&self.slots)
            {
                let aside = version != active;
                return Some(Action::Start { slot, new: version == 1, aside });
            }
        }
        None
    }

    /// What is done is known.
    fn notes(&mut self, action: Action) {
        match action {
            Action::Start { slot, new, aside } => {
                let of = &mut self.slots[slot as usize];
                (of.new, of.wanted, of.gone, of.available) = (new, true, false, false);
                let place = &mut self.places[slot as usize];
                (place.ready_since, place.aside) = (None, aside);
            }
            Action::Stop { slot } => {
                let of = &mut self.slots[slot as usize];
                (of.wanted, of.available) = (false, false);
                let place = &mut self.places[slot as usize];
                place.ready_since = None;
                if let Some(left) = &mut self.left {
                    *left += 1;
                    place.left = *left;
                }
            }
            Action::Show { slot, aside } => self.places[slot as usize].aside = aside,
            Action::Wait { .. } => {}
        }
    }

    /// There is nothing left to be done for what there is to be now: whether there is more to be.
    fn advances(&mut self, count: &Count, now: SimTime) -> bool {
        if let Strategy::BlueGreen { promote_after, scale_down_delay } = self.says.strategy {
            let desired = self.desired;
            let ready = |version: usize| count.available[version] >= desired;
            let is_through = self.phase == Phase::Going && ready(1) && self.is_through(promote_after, now);
            if is_through {
                self.switched = true;
                self.kept_until = Some(now + scale_down_delay);
                self.enter(Phase::Done, now);
            }
            let is_back = self.phase == Phase::Undoing && (!self.switched || ready(0));
            if is_back {
                self.switched = false;
                self.enter(Phase::Undone, now);
            }
            return is_through || is_back;
        }
        if !self.is_moving() || !self.goal().is_reached(count) {
            return false;
        }
        if self.phase == Phase::Undoing {
            self.enter(Phase::Undone, now);
            return true;
        }
        let pause = match &self.says.strategy {
            Strategy::Canary { steps, .. } => steps.get(self.stage as usize).map(|step| step.pause),
            Strategy::Zones { pause, .. } => (self.stage < self.last_zone()).then_some(*pause),
            _ => None,
        };
        match pause {
            None => self.enter(Phase::Done, now),
            Some(pause) if !self.is_through(pause, now) => return false,
            Some(_) => {
                self.stage += 1;
                self.begin_zone();
                self.skip_empty_zones();
                self.progressed = now;
            }
        }
        true
    }

    /// Whether a pause of so long is over, which begins now unless it has.
    fn is_through(&mut self, pause: SimDuration, now: SimTime) -> bool {
        let until = *self.pause.get_or_insert(now + pause);
        let is_through = until <= now;
        if is_through {
            self.pause = None;
            self.told.changes("progressing", now);
        } else {
            self.told.changes("paused", now);
        }
        is_through
    }

    fn last_zone(&self) -> u32 {
        self.places.iter().map(|place| place.zone).max().unwrap_or(0)
    }

    fn begin_zone(&mut self) {
        let here = self.places.iter().zip(&self.slots);
        let here = here.filter(|(place, slot)| slot.wanted && place.zone == self.stage);
        self.zone_size = here.count() as u32;
    }

    /// Where nobody stands nothing is done, and nobody waits.
    fn skip_empty_zones(&mut self) {
        while self.says.goes_by_zones() && self.zone_size == 0 && self.stage < self.last_zone() {
            self.stage += 1;
            self.begin_zone();
        }
    }

    fn notes_progress(&mut self, count: Count, now: SimTime) {
        let (before, is) = (self.progress, count);
        if before.wanted != is.wanted || is.available != before.available {
            (self.progress, self.progressed) = (is, now);
            if self.stuck && self.phase == Phase::Going {
                self.told.changes("progressing", now);
            }
        }
    }

    /// Whether nothing has come of it for too long, and it is taken back for that.
    fn is_stuck(&mut self, now: SimTime) -> bool {
        if self.stuck || self.deadline().is_none_or(|deadline| now < deadline) {
            return false;
        }
        self.stuck = true;
        self.told.is_stuck(now);
        if self.says.progress_deadline_abort {
            self.is_taken_back(now);
        }
        self.says.progress_deadline_abort
    }

    fn deadline(&self) -> Option<SimTime> {
        let counts = self.phase == Phase::Going && self.pause.is_none() && !self.stuck;
        counts.then(|| self.progressed + self.says.progress_deadline)
    }

    /// When it looks again at the latest.
    fn wakes(&self, now: SimTime) -> Option<SimTime> {
        let ripe = self.places.iter().filter_map(|place| Some(place.ready_since? + self.says.min_ready));
        let all = ripe.chain(self.pause).chain(self.kept_until).chain(self.deadline());
        all.filter(|at| *at > now).min()
    }

    /// It is taken back by hand, if it has not been.
    pub fn is_undone_by_hand(&mut self, now: SimTime) {
        if matches!(self.phase, Phase::Going | Phase::Done) {
            self.is_taken_back(now);
        }
    }

    /// It is taken back.
    pub fn is_taken_back(&mut self, now: SimTime) {
        self.pause = None;
        self.enter(Phase::Undoing, now);
    }

    fn enter(&mut self, phase: Phase, now: SimTime) {
        self.phase = phase;
        self.progressed = now;
        match phase {
            Phase::Waiting => {}
            Phase::Going => self.told.changes("progressing", now),
            Phase::Done => self.told.is_complete(now),
            Phase::Undoing => self.told.is_taken_back(now),
            Phase::Undone => self.told.is_undone(now),
        }
    }

    /// Whether the analysis begins now, since callers can choose the new version: when it looks first.
    pub fn begins_to_look(&mut self, now: SimTime) -> Option<SimTime> {
        let analysis = self.says.analysis.as_ref()?;
        if self.looks != Looks::NotYet || self.told.first_shown().is_none() {
            return None;
        }
        self.looks = Looks::Looking;
        Some(now + analysis.initial_delay)
    }

    /// It looks at what both versions did from the beginning: when it does so again, and whether the new one is to be taken back.
    pub fn looks(&mut self, seen: [Seen; 2], now: SimTime) -> (Option<SimTime>, bool) {
        let Some(analysis) = self.says.analysis.as_ref().filter(|_| self.looks == Looks::Looking) else {
            return (None, false);
        };
        let again = now + analysis.interval;
        if !matches!(self.phase, Phase::Going | Phase::Done) {
            self.looks = Looks::Over;
            return (None, false);
        }
        let Some(base) = self.base.replace(seen) else { return (Some(again), false) };
        let [old, new] = [0, 1].map(|version| seen[version].since(base[version]));
        let next = analysis.counts(&mut self.measured, analysis.measures(new, old));
        if next != Next::GoOn {
            self.looks = Looks::Over;
        }
        (Some(again).filter(|_| next == Next::GoOn), next == Next::Abort)
    }

    /// What it found.
    pub fn measured(&self) -> Measured {
        self.measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// What is done second by second, by replicas that take 10 s to start and are gone at once, until nothing more is: and after so
    /// many seconds all is taken back.
    fn course(text: &str, replicas: u32, room: u32, back: Option<u64>, never: bool) -> String {
        let rollout = read::<Rollout>(text).expect("sound").0;
        let mut roller = Roller::new(&rollout, 0, (replicas, room), |slot| slot % 2);
        let mut there: Vec<(u64, bool)> = (0..room).map(|slot| (0, slot < replicas)).collect();
        let mut done: Vec<String> = Vec::new();
        for second in 0..200 {
            let now = SimTime::from_secs(second);
            let mut here = Vec::new();
            if now == rollout.at {
                roller.begins(now);
            }
            if back == Some(second) {
                roller.is_taken_back(now);
            }
            loop {
                let sight =
                    |(at, is_in): &(u64, bool)| Sight { gone: !is_in, ready: *is_in && *at <= second };
                roller.sees(there.iter().map(sight), now);
                match roller.decides(now) {
                    Action::Start { slot, new, aside } => {
                        let ready = if new && never { u64::MAX } else { second + 10 };
                        there[slot as usize] = (ready, true);
                        here.push(format!(
                            "{}{slot}{}",
                            if new { '+' } else { 'o' },
                            if aside { "'" } else { "" }
                        ));
                    }
                    Action::Stop { slot } => {
                        there[slot as usize] = (second, false);
                        here.push(format!("-{slot}"));
                    }
                    Action::Show { slot, aside } => {
                        here.push(format!("{}{slot}", if aside { '<' } else { '>' }))
                    }
                    Action::Wait { .. } => break,
                }
            }
            if !here.is_empty() {
                done.push(format!("{second} {}", here.concat()));
            }
        }
        done.join(", ")
    }

    /// Of a hundred requests none failed, and of the next hundred twenty: a tenth of all, but a fifth of those that it looks at.
    #[test]
    fn it_looks_at_what_was_since_it_looked() {
        let text = r#"(at: "0s", analysis: (metric: ErrorRate(at_most: 0.15), interval: "10s"))"#;
        let rollout = read::<Rollout>(text).expect("sound").0;
        let mut roller = Roller::new(&rollout, 0, (1, 2), |_| 0);
        roller.begins(SimTime::ZERO);
        roller.looks = Looks::Looking;
        let seen = |requests, failed| [Seen::default(), Seen { requests, failed, took: 0 }];
        for (at, requests, failed, is_bad) in [(0, 0, 0, false), (10, 100, 0, false), (20, 200, 20, true)] {
            let (again, found) = roller.looks(seen(requests, failed), SimTime::from_secs(at));
            assert_eq!((again, found), ((!is_bad).then(|| SimTime::from_secs(at + 10)), is_bad), "at {at} s");
        }
        assert_eq!(roller.measured(), Measured { passed: 1, failed: 1, inconclusive: 0 });
    }

    #[test]
    fn what_is_done_when() {
        let canary = r#"Canary(steps: [(weight: 0.25, pause: "20s"), (weight: 0.5)], max_unavailable: 0)"#;
        let of = |strategy: &str| format!(r#"(at: "5s", strategy: {strategy})"#);
        for (text, replicas, room, back, never, expected) in [
            // Nothing before it begins; one comes besides, and each is replaced when the one before it is ready.
            (of("Rolling(max_unavailable: 0)"), 2, 3, None, false, "5 +2, 15 -0+0, 25 -1"),
            (of("Rolling(max_surge: 0)"), 2, 2, None, false, "5 -0+0, 15 -1+1"),
            (of("Recreate"), 2, 2, None, false, "5 -0-1+0+1"),
            (of(canary), 4, 5, None, false, "5 +4, 15 -0, 35 +0, 45 -1+1, 55 -2+2, 65 -3"),
            // Taken back in the pause, and half-way.
            (of(canary), 4, 5, Some(20), false, "5 +4, 15 -0, 20 o0, 30 -4"),
            (of("Rolling(max_surge: 0)"), 2, 2, Some(7), false, "5 -0+0, 7 -0o0"),
            // Aside until all are there; kept for 30 s.
            (of("BlueGreen()"), 2, 4, None, false, "5 +2'+3', 15 >2>3<0<1, 45 -1-0"),
            (of(r#"BlueGreen(promote_after: "7s")"#), 2, 4, None, false, "5 +2'+3', 22 >2>3<0<1, 52 -1-0"),
            // Taken back before, while the old ones are kept, and after.
            (of("BlueGreen()"), 2, 4, Some(9), false, "5 +2'+3', 9 -3-2"),
            (of("BlueGreen()"), 2, 4, Some(20), false, "5 +2'+3', 15 >2>3<0<1, 20 >0>1<2<3-3-2"),
            (
                of("BlueGreen()"),
                2,
                4,
                Some(60),
                false,
                "5 +2'+3', 15 >2>3<0<1, 45 -1-0, 60 o0'o1', 70 >0>1<2<3-3-2",
            ),
            // Zone by zone, in place: 0 and 2, then 1 and 3.
            (of(r#"Zones(pause: "20s", max_unavailable: 1)"#), 4, 4, None, false, "5 -0-2+0+2, 35 -1-3+1+3"),
            (of("Zones()"), 4, 4, None, false, "5 -0+0, 15 -2+2, 25 -1+1, 35 -3+3"),
            // What never becomes ready goes no further, and is taken back if that is said.
            (of("Rolling()"), 4, 5, None, true, "5 -0+0+4"),
            (
                r#"(at: "5s", progress_deadline: "60s", progress_deadline_abort: true)"#.into(),
                4,
                5,
                None,
                true,
                "5 -0+0+4, 65 -0-4o0",
            ),
            // One misses it.
            (r#"(at: "5s", missed: 1, strategy: Rolling(max_surge: 0))"#.into(), 2, 2, None, false, "5 -0+0"),
            // Ready for long enough.
            (
                r#"(at: "5s", min_ready: "7s", strategy: Rolling(max_surge: 0))"#.into(),
                2,
                2,
                None,
                false,
                "5 -0+0, 22 -1+1",
            ),
        ] {
            assert_eq!(course(&text, replicas, room, back, never), expected, "{text} {back:?}");
        }
    }
}
