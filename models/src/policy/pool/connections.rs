//! What one pool keeps: connections that are idle, lent, being opened or lost, and how many attempts wait for one.
//!
//! ```text
//!              is there                   lent
//!   opening ------------> idle <----------------------> lent
//!                          |  given back                 |  \
//!                          |                             |   never given back
//!                          +--> closed <-- reclaimed -- lost <--+
//! ```
//!
//! Whoever comes back last is lent first, so that those that nobody needs grow old; what nobody has used yet is lent last. A connection that is lent is never closed;
//! what has become of it meanwhile shows when it is given back.

use super::{GivenUp, Pool};
use crate::policy::Outcome;
use sim_core::{SimDuration, SimTime};

/// The pool of one client to one replica, or to all.
#[derive(Clone, Debug)]
pub struct Connections {
    rules: Rules,
    slots: Vec<Slot>,
    /// Slots without a connection.
    vacant: Vec<u32>,
    /// Of those that are idle, who came back last, and who first.
    newest: Option<u32>,
    oldest: Option<u32>,
    now: Counts,
    waiting: u32,
    /// How often all connections broke, or the pool was lost with its client: what was opened before is not to be used.
    epoch: u32,
    /// Nobody is there to connect to.
    gone: bool,
}

/// Bytes that the timer of a connection takes, here and in the queue of events: with both, some 100 a connection were measured.
const TIMED: u64 = 56;

/// How many there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Being opened.
    pub opening: u32,
    /// Open, and nobody's.
    pub idle: u32,
    /// Somebody's.
    pub lent: u32,
    /// Lent, and never given back.
    pub lost: u32,
}

impl Counts {
    /// Those that are open.
    pub fn open(self) -> u32 {
        self.idle + self.lent + self.lost
    }
}

/// What a pool goes by.
#[derive(Clone, Copy, Debug)]
struct Rules {
    size: u32,
    min_idle: u32,
    max_idle: u32,
    places: u32,
    patience: Option<SimDuration>,
    idle_timeout: Option<SimDuration>,
    reclaim_after: Option<SimDuration>,
    at_once: u32,
    given_up: GivenUp,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    state: State,
    /// In which it was opened.
    epoch: u32,
    /// Nobody has used it yet.
    is_new: bool,
    /// When it will be there, then when its lifetime ends.
    until: SimTime,
    /// Since when it is idle, or when it was lent.
    since: SimTime,
    /// Its neighbours among those that are idle.
    newer: Option<u32>,
    older: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Vacant,
    Opening,
    Idle,
    Lent,
    Lost,
}

/// A connection that is lent, until it is [given back](Connections::give_back).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    slot: u32,
    epoch: u32,
    /// Nobody has used it before.
    pub is_new: bool,
}

/// What becomes of an attempt that asks for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It has one.
    Got(Lease),
    /// It waits for one, at most so long; for ever if nothing is said.
    Waits(Option<SimDuration>),
    /// It is refused.
    Refused,
}

/// What becomes of a connection that was lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// Another may have it.
    Idle(u32),
    /// It is closed.
    Closed(u32),
    /// It is not given back.
    Lost(u32),
    /// It is not free before the answer comes that nobody waits for.
    Busy,
    /// The pool that it belonged to is no more.
    Nothing,
}

/// What is to be done about a connection whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is there.
    Open,
    /// It has lived, idled or been lost long enough, and is closed.
    Close,
    /// Nothing yet.
    Nothing,
}

impl Connections {
    /// Bytes that so many take, with the timer of each.
    pub(super) fn bytes(size: u32) -> u64 {
        (size_of::<Self>() as u64) + u64::from(size) * ((size_of::<Slot>() + size_of::<u32>()) as u64 + TIMED)
    }

    /// A pool without any.
    pub fn new(pool: &Pool) -> Self {
        let rules = Rules {
            size: pool.size,
            min_idle: pool.min_idle,
            max_idle: pool.max_idle.unwrap_or(u32::MAX),
            places: pool.max_waiting.unwrap_or(u32::MAX),
            patience: pool.max_wait,
            idle_timeout: pool.idle_timeout,
            reclaim_after: pool.reclaim_after,
            at_once: pool.opening_at_once.unwrap_or(u32::MAX),
            given_up: pool.given_up,
        };
        Connections {
            rules,
            slots: Vec::new(),
            vacant: Vec::new(),
            newest: None,
            oldest: None,
            now: Counts::default(),
            waiting: 0,
            epoch: 0,
            gone: false,
        }
    }

    /// It takes the place of one that was lost with its client: what that had lent is unknown to it.
    pub fn succeeds(&mut self, other: &Connections) {
        (self.epoch, self.gone) = (other.epoch + 1, other.gone);
    }

    /// An attempt asks for a connection. Nobody overtakes who waits.
    pub fn ask(&mut self, now: SimTime) -> Asked {
        if self.waiting == 0
            && let Some(lease) = self.lend(now)
        {
            return Asked::Got(lease);
        }
        if self.waiting >= self.rules.places {
            return Asked::Refused;
        }
        self.waiting += 1;
        Asked::Waits(self.rules.patience)
    }

    /// Whether the first who waits gets one; if so it is lent.
    pub fn admit(&mut self, now: SimTime) -> Option<Lease> {
        let lease = (self.waiting > 0).then(|| self.lend(now)).flatten()?;
        self.waiting -= 1;
        Some(lease)
    }

    /// Whether somebody waits for what is there.
    pub fn can_admit(&self) -> bool {
        self.waiting > 0 && self.now.idle > 0
    }

    /// An attempt waits no longer, and has none.
    pub fn leave(&mut self) {
        self.waiting = self.waiting.checked_sub(1).expect("nobody waits for a connection");
    }

    /// Attempts that wait.
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// What there is.
    pub fn counts(&self) -> Counts {
        self.now
    }

    /// Whether one more is to be opened, if so many wait besides: where none is idle that they could have, and to keep as many
    /// idle as there should be.
    pub fn wants(&self, besides: u32) -> bool {
        let Counts { opening, idle, lent, lost } = self.now;
        let kept = if self.gone { 0 } else { self.rules.min_idle };
        opening + idle + lent + lost < self.rules.size
            && opening < self.rules.at_once
            && u64::from(self.waiting) + u64::from(besides) + u64::from(kept)
                > u64::from(idle) + u64::from(opening)
    }

    /// One is being opened, and will be there then.
    pub fn begin(&mut self, there: SimTime) -> u32 {
        let slot = self.vacant.pop().unwrap_or(self.slots.len() as u32);
        let entry = Slot {
            state: State::Opening,
            epoch: self.epoch,
            is_new: true,
            until: there,
            since: there,
            newer: None,
            older: None,
        };
        match self.slots.get_mut(slot as usize) {
            Some(vacant) => *vacant = entry,
            None => self.slots.push(entry),
        }
        self.now.opening += 1;
        slot
    }

    /// It is there, and lives until then; unless nobody is at the other end, which only shows if somebody waits or asks to send something.
    /// Whether it is kept.
    pub fn opened(&mut self, now: SimTime, slot: u32, until: SimTime, is_asked_for: bool) -> bool {
        debug_assert_eq!(self.slots[slot as usize].state, State::Opening);
        self.now.opening -= 1;
        if self.gone && self.waiting == 0 && !is_asked_for {
            self.vacate(slot);
            return false;
        }
        (self.slots[slot as usize].epoch, self.slots[slot as usize].until) = (self.epoch, until);
        match self.waiting {
            0 => self.idles_last(now, slot),
            _ => self.idles(now, slot),
        }
        true
    }

    /// It was there from the beginning: the first who uses it finds it as others do.
    pub fn not_new(&mut self, slot: u32) {
        self.slots[slot as usize].is_new = false;
    }

    /// An attempt over it has ended so. `leaks`: if it could be used again, it is not given back. `hears`: an answer may still come.
    pub fn give_back(
        &mut self,
        now: SimTime,
        lease: Lease,
        outcome: Outcome,
        leaks: bool,
        hears: bool,
    ) -> Back {
        let Some(slot) = self.lent(lease) else { return Back::Nothing };
        let breaks = match outcome {
            Outcome::Ok | Outcome::Error | Outcome::Rejected => false,
            Outcome::Refused | Outcome::Reset | Outcome::InFlight => true,
            Outcome::TimedOut | Outcome::Cancelled => match self.rules.given_up {
                GivenUp::Close => true,
                GivenUp::Busy if hears => return Back::Busy,
                GivenUp::Busy => true,
                GivenUp::Reuse => false,
            },
        };
        let is_stale = slot.epoch != self.epoch || now >= slot.until;
        if leaks && !breaks {
            self.now.lent -= 1;
            self.now.lost += 1;
            self.slots[lease.slot as usize].state = State::Lost;
            return Back::Lost(lease.slot);
        }
        self.now.lent -= 1;
        if breaks || is_stale || self.waiting == 0 && self.now.idle >= self.rules.max_idle {
            self.vacate(lease.slot);
            return Back::Closed(lease.slot);
        }
        self.idles(now, lease.slot);
        Back::Idle(lease.slot)
    }

    /// When a connection is to be looked at next.
    pub fn due(&self, slot: u32) -> Option<SimTime> {
        let Slot { state, until, since, .. } = self.slots[slot as usize];
        match state {
            State::Vacant | State::Lent => None,
            State::Opening => Some(until),
            State::Idle => {
                let tired = self.rules.idle_timeout.map_or(SimTime::MAX, |timeout| since + timeout);
                Some(until.min(tired)).filter(|due| *due < SimTime::MAX)
            }
            State::Lost => self.rules.reclaim_after.map(|after| since + after),
        }
    }

    /// A connection is looked at: one that is to be closed is.
    pub fn look(&mut self, now: SimTime, slot: u32) -> Due {
        if self.due(slot).is_none_or(|due| now < due) {
            return Due::Nothing;
        }
        let entry = &mut self.slots[slot as usize];
        match entry.state {
            State::Opening => return Due::Open,
            // As many are kept as there should be, for as long again.
            State::Idle if now < entry.until && self.now.idle <= self.rules.min_idle => {
                entry.since = now;
                return Due::Nothing;
            }
            State::Idle => self.take_out(slot),
            State::Lost => self.now.lost -= 1,
            State::Vacant | State::Lent => unreachable!("nothing is due"),
        }
        self.vacate(slot);
        Due::Close
    }

    /// The other end has gone, and all that was connected to it with it, whether or not anybody notices now.
    pub fn loses_all(&mut self) {
        (self.epoch, self.gone) = (self.epoch + 1, true);
    }

    /// Somebody is there again.
    pub fn finds_somebody(&mut self) {
        self.gone = false;
    }

    /// Closes those that are idle and broken: which they are.
    pub fn close_broken(&mut self) -> Vec<u32> {
        let is_broken = |slot: &Slot| slot.state == State::Idle && slot.epoch != self.epoch;
        let all = (0..).zip(&self.slots).filter(|(_, slot)| is_broken(slot));
        let broken: Vec<u32> = all.map(|(slot, _)| slot).collect();
        for &slot in &broken {
            self.take_out(slot);
            self.vacate(slot);
        }
        broken
    }

    /// Whether an attempt has this one of them.
    pub fn lends(&self, lease: Lease) -> bool {
        self.lent(lease).is_some()
    }

    /// Asserts that no more are there than may be, and that those that are idle are in the list of those that are.
    pub fn check(&self) {
        let Counts { opening, idle, lent, lost } = self.now;
        let all = opening + idle + lent + lost;
        assert!(all <= self.rules.size, "more connections than there may be");
        assert_eq!(
            all as usize + self.vacant.len(),
            self.slots.len(),
            "places with and without a connection"
        );
        let mut in_list = 0;
        let mut next = self.newest;
        while let Some(slot) = next {
            (in_list, next) = (in_list + 1, self.slots[slot as usize].older);
        }
        assert_eq!(in_list, idle, "connections that are idle");
    }

    /// The connection of a lease, if it is one of this pool's.
    fn lent(&self, lease: Lease) -> Option<Slot> {
        let slot = self.slots.get(lease.slot as usize)?;
        (slot.state == State::Lent && slot.epoch == lease.epoch).then_some(*slot)
    }

    fn lend(&mut self, now: SimTime) -> Option<Lease> {
        let slot = self.newest?;
        self.take_out(slot);
        self.now.lent += 1;
        let entry = &mut self.slots[slot as usize];
        (entry.state, entry.since) = (State::Lent, now);
        let is_new = std::mem::replace(&mut entry.is_new, false);
        Some(Lease { slot, epoch: entry.epoch, is_new })
    }

    fn idles(&mut self, now: SimTime, slot: u32) {
        let older = self.newest.replace(slot);
        let entry = &mut self.slots[slot as usize];
        (entry.state, entry.since, entry.older, entry.newer) = (State::Idle, now, older, None);
        match older {
            Some(older) => self.slots[older as usize].newer = Some(slot),
            None => self.oldest = Some(slot),
        }
        self.now.idle += 1;
    }

    fn idles_last(&mut self, now: SimTime, slot: u32) {
        let newer = self.oldest.replace(slot);
        let entry = &mut self.slots[slot as usize];
        (entry.state, entry.since, entry.older, entry.newer) = (State::Idle, now, None, newer);
        match newer {
            Some(newer) => self.slots[newer as usize].older = Some(slot),
            None => self.newest = Some(slot),
        }
        self.now.idle += 1;
    }

    /// It is no longer idle.
    fn take_out(&mut self, slot: u32) {
        let Slot { newer, older, .. } = self.slots[slot as usize];
        match newer {
            Some(newer) => self.slots[newer as usize].older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.slots[older as usize].newer = newer,
            None => self.oldest = newer,
        }
        self.now.idle -= 1;
    }

    fn vacate(&mut self, slot: u32) {
        self.slots[slot as usize].state = State::Vacant;
        self.vacant.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn pool(text: &str) -> Connections {
        Connections::new(&read::<Pool>(text).unwrap().0)
    }

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    /// What is done, and (opening, idle, lent, lost, waiting) afterwards. Connections are opened and lent by number.
    #[test]
    fn step_by_step() {
        type Step = (u64, &'static str, &'static str, [u32; 5]);
        let hikari: &[Step] = &[
            (0, "ask", "waits 250ms", [0, 0, 0, 0, 1]),
            (0, "open", "0", [1, 0, 0, 0, 1]),
            // One is on its way for whoever waits.
            (0, "open", "no", [1, 0, 0, 0, 1]),
            (0, "ask", "waits 250ms", [1, 0, 0, 0, 2]),
            (0, "open", "1", [2, 0, 0, 0, 2]),
            // There may be two.
            (0, "ask", "waits 250ms", [2, 0, 0, 0, 3]),
            (0, "open", "no", [2, 0, 0, 0, 3]),
            (5, "there 1", "kept", [1, 1, 0, 0, 3]),
            (5, "admit", "new 1", [1, 0, 1, 0, 2]),
            (5, "admit", "no", [1, 0, 1, 0, 2]),
            // It comes back before the other is there.
            (6, "ok 1", "idle 1", [1, 1, 0, 0, 2]),
            // Nobody overtakes who waits.
            (6, "ask", "waits 250ms", [1, 1, 0, 0, 3]),
            (6, "admit", "1", [1, 0, 1, 0, 2]),
            (6, "leave", "", [1, 0, 1, 0, 1]),
            (6, "leave", "", [1, 0, 1, 0, 0]),
            (7, "there 0", "kept", [0, 1, 1, 0, 0]),
            (8, "ask", "new 0", [0, 0, 2, 0, 0]),
            (9, "ok 1", "idle 1", [0, 1, 1, 0, 0]),
            (10, "ok 0", "idle 0", [0, 2, 0, 0, 0]),
            // Who came back last is lent first.
            (11, "ask", "0", [0, 1, 1, 0, 0]),
            (12, "reset 0", "closed 0", [0, 1, 0, 0, 0]),
            (13, "look 1", "nothing", [0, 1, 0, 0, 0]),
            // Its life of 100 ms ends at 105, lent or not.
            (104, "ask", "1", [0, 0, 1, 0, 0]),
            (105, "look 1", "nothing", [0, 0, 1, 0, 0]),
            (106, "ok 1", "closed 1", [0, 0, 0, 0, 0]),
        ];
        let go: &[Step] = &[
            (0, "open", "no", [0, 0, 0, 0, 0]),
            (0, "open for one", "0", [1, 0, 0, 0, 0]),
            (0, "there 0", "kept", [0, 1, 0, 0, 0]),
            (0, "ask", "new 0", [0, 0, 1, 0, 0]),
            (0, "open for one", "1", [1, 0, 1, 0, 0]),
            (0, "there 1", "kept", [0, 1, 1, 0, 0]),
            (0, "ask", "new 1", [0, 0, 2, 0, 0]),
            (1, "error 0", "idle 0", [0, 1, 1, 0, 0]),
            // One is idle, which is enough.
            (2, "rejected 1", "closed 1", [0, 1, 0, 0, 0]),
            (3, "ask", "0", [0, 0, 1, 0, 0]),
            (4, "late 0", "closed 0", [0, 0, 0, 0, 0]),
            (4, "ask", "waits", [0, 0, 0, 0, 1]),
            (4, "ask", "refused", [0, 0, 0, 0, 1]),
        ];
        let leaky: &[Step] = &[
            (0, "open", "0", [1, 0, 0, 0, 0]),
            // One at a time.
            (0, "open", "no", [1, 0, 0, 0, 0]),
            (1, "there 0", "kept", [0, 1, 0, 0, 0]),
            (1, "open", "1", [1, 1, 0, 0, 0]),
            (2, "there 1", "kept", [0, 2, 0, 0, 0]),
            (2, "open", "no", [0, 2, 0, 0, 0]),
            // Who has been there longest, among those that nobody has used.
            (2, "ask", "new 0", [0, 1, 1, 0, 0]),
            (3, "leak 0", "lost 0", [0, 1, 0, 1, 0]),
            (3, "open", "2", [1, 1, 0, 1, 0]),
            (4, "there 2", "kept", [0, 2, 0, 1, 0]),
            // Idle for 10 ms, but there should be two.
            (12, "look 1", "nothing", [0, 2, 0, 1, 0]),
            // Taken at 2 ms, and reclaimed 50 ms later.
            (51, "look 0", "nothing", [0, 2, 0, 1, 0]),
            (52, "look 0", "close", [0, 2, 0, 0, 0]),
            (52, "open", "no", [0, 2, 0, 0, 0]),
            (60, "ask", "new 1", [0, 1, 1, 0, 0]),
            (61, "open", "0", [1, 1, 1, 0, 0]),
            (62, "there 0", "kept", [0, 2, 1, 0, 0]),
            (63, "late 1", "busy", [0, 2, 1, 0, 0]),
            // The answer comes that nobody waits for.
            (70, "ok 1", "idle 1", [0, 3, 0, 0, 0]),
            (71, "look 2", "close", [0, 2, 0, 0, 0]),
            (79, "look 1", "nothing", [0, 2, 0, 0, 0]),
        ];
        let broken: &[Step] = &[
            (0, "open", "0", [1, 0, 0, 0, 0]),
            (0, "there 0", "kept", [0, 1, 0, 0, 0]),
            (0, "ask", "new 0", [0, 0, 1, 0, 0]),
            (0, "open", "1", [1, 0, 1, 0, 0]),
            (1, "breaks", "", [1, 0, 1, 0, 0]),
            // Nobody is there and nobody wants it; nor is another opened.
            (2, "there 1", "closed", [0, 0, 1, 0, 0]),
            (2, "open", "no", [0, 0, 1, 0, 0]),
            // Its answer was on its way, and it is broken all the same.
            (2, "ok 0", "closed 0", [0, 0, 0, 0, 0]),
            (3, "ask", "waits", [0, 0, 0, 0, 1]),
            (3, "open", "0", [1, 0, 0, 0, 1]),
            (3, "there 0", "kept", [0, 1, 0, 0, 1]),
            (3, "admit", "new 0", [0, 0, 1, 0, 0]),
            (4, "refused 0", "closed 0", [0, 0, 0, 0, 0]),
            (5, "is back", "", [0, 0, 0, 0, 0]),
            (5, "open", "0", [1, 0, 0, 0, 0]),
        ];
        for (text, steps) in [
            (r#"(size: 2, max_wait: "250ms", lifetime: "100ms")"#, hikari),
            ("(size: 3, max_idle: 1, max_waiting: 1)", go),
            (
                r#"(size: 4, min_idle: 2, idle_timeout: "10ms", reclaim_after: "50ms", leak: 0.1, opening_at_once: 1, given_up: Busy)"#,
                leaky,
            ),
            ("(size: 2, min_idle: 1)", broken),
        ] {
            let mut pool = pool(text);
            let mut leases = [None; 4];
            for (number, (millis, step, expected, counts)) in steps.iter().enumerate() {
                let here = format!("{text}, step {number}: {step} at {millis} ms");
                let found = said(&mut pool, &mut leases, at(*millis), step);
                assert_eq!(found, *expected, "{here}");
                let Counts { opening, idle, lent, lost } = pool.counts();
                assert_eq!([opening, idle, lent, lost, pool.waiting()], *counts, "{here}");
                pool.check();
            }
        }
    }

    fn said(pool: &mut Connections, leases: &mut [Option<Lease>; 4], now: SimTime, step: &str) -> String {
        let (what, slot) = step.split_once(' ').unwrap_or((step, ""));
        let number = slot.parse().unwrap_or(0);
        let held = leases.get(number as usize).copied().flatten();
        let mut lent = |lease: Lease| {
            leases[lease.slot as usize] = Some(lease);
            format!("{}{}", if lease.is_new { "new " } else { "" }, lease.slot)
        };
        let lifetime = pool.rules.patience.map_or(SimTime::MAX, |_| now + SimDuration::from_millis(100));
        let ends = |outcome, leaks, pool: &mut Connections| {
            let lease = held.expect("it is lent");
            match pool.give_back(now, lease, outcome, leaks, true) {
                Back::Idle(slot) => format!("idle {slot}"),
                Back::Closed(slot) => format!("closed {slot}"),
                Back::Lost(slot) => format!("lost {slot}"),
                Back::Busy => "busy".into(),
                Back::Nothing => "nothing".into(),
            }
        };
        match what {
            "ask" => match pool.ask(now) {
                Asked::Got(lease) => lent(lease),
                Asked::Waits(None) => "waits".into(),
                Asked::Waits(Some(patience)) => format!("waits {patience}"),
                Asked::Refused => "refused".into(),
            },
            "admit" => pool.admit(now).map_or("no".into(), lent),
            "open" => match pool.wants(u32::from(!slot.is_empty())) {
                true => pool.begin(now).to_string(),
                false => "no".into(),
            },
            "there" if pool.opened(now, number, lifetime, false) => "kept".into(),
            "there" => "closed".into(),
            "look" => match pool.look(now, number) {
                Due::Open => "open".into(),
                Due::Close => "close".into(),
                Due::Nothing => "nothing".into(),
            },
            "ok" => ends(Outcome::Ok, false, pool),
            "error" => ends(Outcome::Error, false, pool),
            "rejected" => ends(Outcome::Rejected, false, pool),
            "reset" => ends(Outcome::Reset, false, pool),
            "refused" => ends(Outcome::Refused, false, pool),
            "late" => ends(Outcome::TimedOut, false, pool),
            "leak" => ends(Outcome::Ok, true, pool),
            "leave" => {
                pool.leave();
                String::new()
            }
            "breaks" => {
                pool.loses_all();
                String::new()
            }
            "is" => {
                pool.finds_somebody();
                String::new()
            }
            _ => unreachable!("{step}"),
        }
    }

    /// What a client had lent that has crashed since is nothing to the one that takes its place.
    #[test]
    fn a_pool_does_not_know_what_another_lent() {
        let mut old = pool("(size: 1)");
        old.begin(at(0));
        old.opened(at(0), 0, SimTime::MAX, false);
        let Asked::Got(lease) = old.ask(at(0)) else { panic!("one is idle") };
        let mut new = pool("(size: 1)");
        new.succeeds(&old);
        assert_eq!(new.give_back(at(1), lease, Outcome::Ok, false, false), Back::Nothing);
        new.begin(at(1));
        new.opened(at(1), 0, SimTime::MAX, false);
        assert!(matches!(new.ask(at(1)), Asked::Got(_)) && !new.lends(lease));
        assert_eq!(new.give_back(at(1), lease, Outcome::Ok, false, false), Back::Nothing);
    }

    #[test]
    #[should_panic(expected = "nobody waits for a connection")]
    fn who_does_not_wait_does_not_leave() {
        pool("()").leave();
    }
}
