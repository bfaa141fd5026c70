//! Who keeps the list of a service's replicas, and the callers that have heard of it: when each says or asks something, and what it makes of the
//! answer.

use super::Discovery;
use super::entries::Entries;
use super::ledger::{Count, Ledger};
use crate::report::Section;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Timer, Words};

/// What is found by callers in lists.
#[derive(Clone, Debug)]
pub struct Directory {
    pub service: u32,
    /// Replicas that there is room for.
    room: u32,
    pace: Option<SimDuration>,
    max_stale: Option<SimDuration>,
    /// How long a caller without a list waits before it asks again; and one that was told of nobody.
    soon: SimDuration,
    when_empty: Option<SimDuration>,
    /// Of a registry: who is in it, and what replicas say to it.
    pub entries: Option<Entries>,
    pub beats: Option<Beats>,
    /// Callers, and all of their lists, one group after another.
    pub groups: Box<[Group]>,
    pub lists: Box<[List]>,
    pub ledger: Ledger,
}

/// What replicas say.
#[derive(Clone, Debug)]
pub struct Beats {
    pub edge: u32,
    every: SimDuration,
    deregisters: bool,
    of: Box<[Beat]>,
    luck: Luck,
}

#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    timer: Option<Timer>,
    said: u64,
    /// It goes, and has not said so.
    leaves: bool,
}

/// Callers of one kind: a workload's clients, or the replicas of a service.
#[derive(Clone, Debug)]
pub struct Group {
    /// Over which they ask.
    pub edge: u32,
    /// The service whose replicas they are.
    pub service: Option<u32>,
    /// Their first list, and how many they are.
    pub first: u32,
    pub callers: u32,
    /// The edges over which they call by what they hear, and those of them whose clients are their own.
    pub sent: Box<[u32]>,
    pub of: Box<[u32]>,
    pub luck: Luck,
}

/// What one caller has heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct List {
    /// When; none if it has no list.
    heard: Option<SimTime>,
    timer: Option<Timer>,
    asked: u64,
    /// It will be looked at when it is too old.
    will_be_old: bool,
}

/// What is to be done about something that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    Nothing,
    /// A call over this edge by this client; what is due comes again after so long.
    Calls {
        edge: u32,
        client: u32,
        ordinal: u64,
        again: Option<SimDuration>,
    },
    /// This list is too old.
    Drops {
        list: u32,
    },
}

/// What a directory is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A replica says something.
    Beat(u32),
    /// A caller asks.
    Look(u32),
    /// A list may be too old.
    Age(u32),
}

/// By what lists the calls of an edge are sent: whose, and the first.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub control: u32,
    pub first: u32,
}

/// What a service has to do with directories.
#[derive(Clone, Debug, Default)]
pub struct Directories {
    /// Which one it is found in.
    pub own: Option<u32>,
    /// Which others its replicas look at, and as which of their groups.
    pub looked_at: Vec<(u32, u32)>,
}

impl Directory {
    /// One in which all are that are there from the beginning; whoever calls has heard so. Of each group of callers: whether each is there.
    pub fn new(
        says: &Discovery,
        (service, there, room): (u32, u32, u32),
        beats: Option<(u32, Luck)>,
        groups: Vec<(Group, u32)>,
    ) -> Self {
        let lookup = says.lookup();
        let callers = groups.iter().flat_map(|(group, there)| (0..group.callers).map(move |it| it < *there));
        let callers: Vec<bool> = callers.collect();
        let list = |is_there: &bool| List { heard: is_there.then_some(SimTime::ZERO), ..List::default() };
        let (entries, beats) = match (says, beats) {
            (
                Discovery::Registry { heartbeat, ttl, self_preservation, deregister, .. },
                Some((edge, luck)),
            ) => (
                Some(Entries::new((*heartbeat, *ttl), *self_preservation, (there, room))),
                Some(Beats {
                    edge,
                    every: *heartbeat,
                    deregisters: *deregister,
                    of: vec![Beat::default(); room as usize].into(),
                    luck,
                }),
            ),
            _ => (None, None),
        };
        Directory {
            service,
            room,
            pace: lookup.every(),
            max_stale: lookup.max_stale,
            soon: lookup.timeout,
            when_empty: match says {
                Discovery::Registry { .. } => None,
                Discovery::Dns { negative_ttl, .. } => Some(*negative_ttl),
            },
            entries,
            beats,
            lists: callers.iter().map(list).collect(),
            ledger: Ledger::new((there, room), callers.into_iter()),
            groups: groups.into_iter().map(|(group, _)| group).collect(),
        }
    }

    /// When each replica that is there says something first, and each caller asks.
    pub fn first_looks(&mut self) -> Vec<(u32, SimTime)> {
        let mut all = Vec::new();
        if let (Some(beats), Some(entries)) = (&mut self.beats, &mut self.entries) {
            for replica in (0..self.room).filter(|replica| self.ledger.has(*replica)) {
                let key = Key::root(0, replica.into());
                let first = SimTime::from_nanos(beats.luck.at(key).below(beats.every.as_nanos()));
                entries.was_heard(replica, first, beats.every);
                all.push((replica, first));
            }
        }
        let Some(pace) = self.pace else { return all };
        for group in &mut self.groups {
            for caller in 0..group.callers {
                let list = group.first + caller;
                if self.lists[list as usize].heard.is_some() {
                    let key = Key::root(0, caller.into());
                    let first = group.luck.at(key).below(pace.as_nanos());
                    all.push((self.room + list, SimTime::from_nanos(first)));
                }
            }
        }
        all
    }

    /// What is due, as a number.
    pub fn of(&self, due: Due) -> u32 {
        let lists = self.lists.len() as u32;
        match due {
            Due::Beat(replica) => replica,
            Due::Look(list) => self.room + list,
            Due::Age(list) => self.room + lists + list,
        }
    }

    /// And back.
    pub fn due(&self, of: u32) -> Due {
        let lists = self.lists.len() as u32;
        match of.checked_sub(self.room) {
            None => Due::Beat(of),
            Some(list) if list < lists => Due::Look(list),
            Some(list) => Due::Age(list - lists),
        }
    }

    /// Which group a list is of, and whose of it.
    pub fn whose(&self, list: u32) -> (&Group, u32) {
        let group = self.groups.partition_point(|group| group.first <= list) - 1;
        (&self.groups[group], list - self.groups[group].first)
    }

    /// Something is due, of a replica or caller that is up or is not.
    pub fn is_due(&mut self, due: Due, is_up: bool, now: SimTime) -> Task {
        match due {
            Due::Beat(replica) => {
                let beats = self.beats.as_mut().expect("they say something");
                let beat = &mut beats.of[replica as usize];
                beat.timer = None;
                let leaves = std::mem::take(&mut beat.leaves);
                if !leaves && !is_up {
                    return Task::Nothing;
                }
                beat.said += 1;
                let again = (!leaves).then_some(beats.every);
                Task::Calls { edge: beats.edge, client: replica, ordinal: beat.said, again }
            }
            Due::Look(number) => {
                let (edge, client) = (self.whose(number).0.edge, self.whose(number).1);
                let list = &mut self.lists[number as usize];
                list.timer = None;
                if !is_up {
                    return Task::Nothing;
                }
                list.asked += 1;
                Task::Calls { edge, client, ordinal: list.asked, again: None }
            }
            Due::Age(number) => {
                let list = &mut self.lists[number as usize];
                list.will_be_old = false;
                let old = list.heard.zip(self.max_stale).is_some_and(|(heard, most)| heard + most <= now);
                if !old {
                    return Task::Nothing;
                }
                list.heard = None;
                self.ledger.count(Count::Dropped);
                self.ledger.hears(number as usize, Some(&[]), now);
                Task::Drops { list: number }
            }
        }
    }

    /// It is scheduled; what was before is to be cancelled.
    pub fn will_be_due(&mut self, due: Due, timer: Option<Timer>) -> Option<Timer> {
        let place = match due {
            Due::Beat(replica) => {
                &mut self.beats.as_mut().expect("they say something").of[replica as usize].timer
            }
            Due::Look(list) => &mut self.lists[list as usize].timer,
            Due::Age(_) => return None,
        };
        std::mem::replace(place, timer)
    }

    /// A replica is told to go: whether it says so.
    pub fn leaves(&mut self, replica: u32) -> bool {
        let Some(beats) = self.beats.as_mut().filter(|beats| beats.deregisters) else { return false };
        beats.of[replica as usize].leaves = true;
        true
    }

    /// It stays after all.
    pub fn stays(&mut self, replica: u32) {
        self.beats.iter_mut().for_each(|beats| beats.of[replica as usize].leaves = false);
    }

    /// What a replica said was heard, or was not.
    pub fn was_said(&mut self, (replica, goes): (u32, bool), is_heard: bool, now: SimTime) {
        self.ledger.count(if is_heard { Count::Beat } else { Count::BeatLost });
        let (Some(entries), true) = (&mut self.entries, is_heard) else { return };
        if !goes {
            entries.renew(replica, now);
        } else if self.beats.as_ref().is_some_and(|beats| beats.deregisters) {
            entries.deregister(replica);
        }
    }

    /// A caller has got no answer: when it asks again, if it does, and when its list is too old.
    pub fn is_not_told(&mut self, number: u32, now: SimTime) -> (Option<SimDuration>, Option<SimTime>) {
        self.ledger.count(Count::LookLost);
        let list = &mut self.lists[number as usize];
        let Some(heard) = list.heard else { return (Some(self.soon), None) };
        let old = self.max_stale.filter(|_| !list.will_be_old).map(|most| (heard + most).max(now));
        list.will_be_old |= old.is_some();
        (self.pace, old)
    }

    /// A caller is told who is there: when it asks again, if it does.
    pub fn is_told(&mut self, number: u32, names: &[u32], now: SimTime) -> Option<SimDuration> {
        self.ledger.count(Count::Looked);
        self.ledger.hears(number as usize, Some(names), now);
        self.lists[number as usize].heard = Some(now);
        match self.when_empty.filter(|_| names.is_empty() && self.pace.is_some()) {
            Some(soon) => Some(soon),
            None => self.pace,
        }
    }

    /// A caller goes down, and its list with it.
    pub fn forgets(&mut self, number: u32, now: SimTime) -> Option<Timer> {
        self.ledger.hears(number as usize, None, now);
        let list = &mut self.lists[number as usize];
        list.heard = None;
        list.timer.take()
    }

    /// How long a caller without a list waits before it asks again.
    pub fn soon(&self) -> SimDuration {
        self.soon
    }

    /// When a caller has heard what it goes by; none if it has no list.
    pub fn heard(&self, list: u32) -> Option<SimTime> {
        self.lists[list as usize].heard
    }

    /// What it has drawn, for what, and over which edge that is.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, u32, StreamUse)> + '_ {
        let beats = self.beats.iter().map(|beats| ("heartbeat", beats.edge, beats.luck.used()));
        beats.chain(self.groups.iter().map(|group| ("lookup", group.edge, group.luck.used())))
    }

    /// What is told of it.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        self.ledger.section(at, self.entries.as_ref().map(|entries| entries.expired), now)
    }
}
