//! What a mechanism says of itself: to whoever explains it, draws it, checks it, or claims something about a graph
//! that it is part of.
//!
//! Knowledge is positive. A part says what it may *do* to the requests that meet it ([`Does`]); whoever claims
//! something (a closed form, the fluid law) says which of these it *knows*, and is silent about a graph that does
//! anything else. So a mechanism that nobody has thought of yet is told no wrong number, only none. Where a closed
//! form needs a number of a mechanism, it asks the part, and a part that has no answer is silent too.
//!
//! None of this is asked while a model runs: what runs is the state of each mechanism, in its own file.

mod does;

use super::Outcome;
use super::page::Page;
use crate::byte_size::ByteRate;
use crate::carried::Says;
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node};
use crate::network::Apart;
use crate::report::{Section, Table};
use crate::theory::{Usl, either};
pub use does::Does;
use sim_core::{SimDuration, SimTime};
use std::ops::Deref;

/// A mechanism as it was written, by what can be asked of it. `does` and `brief` must be answered; any other default
/// is that of a mechanism that has nothing to do with the question, or does not know.
pub trait Part {
    /// What it may do.
    fn does(&self) -> Does;

    /// A few words for a picture; none if it is what everybody expects.
    fn brief(&self) -> Option<String>;

    /// Bytes that one client keeps for so many replicas, beyond the state itself.
    fn bytes(&self, _replicas: u32) -> u64 {
        0
    }

    /// And what all of them keep together.
    fn bytes_of_all(&self, _replicas: u32) -> u64 {
        0
    }

    /// And of what a service keeps by key: what all its replicas keep, if there are so many keys.
    fn bytes_by_key(&self, _replicas: u32, _keys: u64) -> u64 {
        0
    }

    /// What it measures where it stands, declared: nothing measured yet.
    fn sections(&self, _at: &str) -> Vec<Section> {
        Vec::new()
    }

    /// The most that it makes of a call.
    fn worst(&self) -> Worst {
        Worst::ONCE
    }

    /// Warns of what runs and is probably not meant, of it among the others. `at` is what all of them stand in.
    fn check(&self, _around: &Around, _at: &Node, _cx: &mut Decoder) {}

    /// Why it never does anything where it stands, and what would be needed, if that can be known.
    fn idles(&self, _around: &Around) -> Option<(String, String)> {
        None
    }

    /// Of what is done to it at a time: in a word, and when.
    fn disturbs(&self) -> Option<(&'static str, SimTime)> {
        None
    }

    /// What of that does not come before the run ends, if that can be known; what never begins aside.
    fn comes_too_late(&self, _end: SimTime) -> Option<String> {
        None
    }

    /// Sentences worth reading before anything is run, each with the name of where it stands.
    fn notes(&self, _around: &Around) -> Vec<String> {
        Vec::new()
    }

    /// Tables for `explain`; `name` is what it is a part of.
    fn tables(&self, _name: &str) -> Vec<Table> {
        Vec::new()
    }

    /// How many attempts can begin within `whole` if each takes `each`.
    fn begin_within(&self, _each: SimDuration, _whole: SimDuration) -> u32 {
        1
    }

    /// Whether an attempt that ended so is repeated, as long as any are left.
    fn repeats(&self, _outcome: Outcome) -> bool {
        false
    }

    /// Of what repeats or rations: the most retries per call in the long run while every attempt fails; none if that
    /// depends on more than itself.
    fn sustains(&self) -> Option<f64> {
        Some(f64::INFINITY)
    }

    /// Of what rations: the mean number of attempts per call, and where that comes from.
    fn rationed(&self, _of: &Rationed) -> Option<(f64, &'static str)> {
        None
    }

    /// Of what gives up: how long a caller waits. Of what turns away those who have waited so long: how long that is.
    fn patience(&self) -> Option<TimeDistribution> {
        None
    }

    /// Of what refuses: the calls of a client that it lets be out at the same time, if that is all that it looks at.
    fn at_once(&self) -> Option<u32> {
        None
    }

    /// Of what refuses calls at once: how many of one client, who has called nobody yet, it does not refuse at one instant.
    fn lets_in(&self) -> Option<u64> {
        None
    }

    /// Of what ends a call with the request that it is made for: how much earlier.
    fn ahead(&self) -> Option<SimDuration> {
        None
    }

    /// Of what lets wait: those that it lets be out at a time, and how long the others wait, if that is all that it looks at.
    fn line(&self) -> Option<Places> {
        None
    }

    /// Of what chooses: the share of attempts that leave their zone as long as all may be chosen, if each client sends as many as
    /// any other.
    fn leaves(&self, _around: &Around) -> Option<f64> {
        None
    }

    /// Of what fails: the share of work that ends in an error, whatever else happens.
    fn fails(&self) -> Option<f64> {
        None
    }

    /// Of what loses: the share of messages that never arrive, whatever else happens.
    fn loses(&self) -> Option<f64> {
        None
    }

    /// Of what lets messages wait for one another: how much of them it carries.
    fn transmits(&self) -> Option<ByteRate> {
        None
    }

    /// How long a request may take at most, its calls included, before its own service stops it.
    fn stops_after(&self) -> Option<SimDuration> {
        None
    }

    /// Of what answers from what it keeps, in place of the calls of a service: what that is.
    fn keeps(&self) -> Option<Keeps> {
        None
    }

    /// Of what stretches: the law that it follows.
    fn stretch(&self) -> Option<Usl> {
        None
    }

    /// What a person should know of it: a page for each mechanism that the setting offers, the setting's own first. Every
    /// setting of a policy or a service has one; a test asks for it.
    fn about() -> &'static [Page]
    where
        Self: Sized,
    {
        &[]
    }

    /// Settings as a file would have them, for whoever makes up graphs: typical ones, the least and the most, on the
    /// scale of milliseconds.
    fn samples() -> &'static [&'static str]
    where
        Self: Sized;
}

/// What is kept of answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keeps {
    /// The kind of the section that tells of it.
    pub told_in: &'static str,
    /// One for all replicas, not one for each.
    pub is_one: bool,
    /// So many in each, whoever was asked for longest ago first out; any number if nothing is said.
    pub entries: Option<u32>,
    /// For so long each, from when it came: on average and at the most; for ever if nothing is said.
    pub time: Option<(SimDuration, SimDuration)>,
    /// Who fetches, when that is over.
    pub by: Fetched,
    /// Whoever has been out for so long has what he brings kept only if nobody else has gone since; whenever he comes if nothing is said.
    pub awaited: Option<SimDuration>,
}

/// Who goes out for what is kept no longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fetched {
    /// Everybody who asks, until it is there.
    ByAll,
    /// One at a time.
    ByOne,
    /// Some before the time is over, by XFetch with this `beta`, and then everybody.
    Early(f64),
    /// Otherwise.
    Otherwise,
}

/// A line before what there is only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// As many are out at the same time.
    pub at_once: u32,
    /// How long the others wait; for ever if nothing is said.
    pub patience: Option<SimDuration>,
    /// The kind of the section that tells how long they did.
    pub told_in: &'static str,
}

/// What may have been rationed.
#[derive(Clone, Copy, Debug)]
pub struct Rationed {
    /// The chance that an attempt fails.
    pub p_fail: f64,
    /// Retries of a call, at most.
    pub retries: u32,
    /// Attempts per call if nothing were rationed.
    pub unlimited: f64,
    /// Calls that were measured.
    pub calls: u64,
    /// Calls before them, which may have left little.
    pub before: u64,
    /// Seconds in which they were.
    pub seconds: f64,
    /// Clients, each with a ration of its own.
    pub clients: u32,
}

/// The most that can become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// Attempts one after another, if all fail.
    pub attempts: u32,
    /// And of each as many at the same time.
    pub copies: u32,
    /// All pauses between them.
    pub pauses: SimDuration,
    /// How long the call can wait before the first; `None` is for ever.
    pub line: Option<SimDuration>,
    /// How long each attempt can wait before it is sent; `None` is for ever.
    pub connection: Option<SimDuration>,
    /// By how much each pause can be longer because it was told so; `None` is without limit.
    pub told: Option<SimDuration>,
    /// How long an attempt can take; `None` is for ever.
    pub attempt: Option<SimDuration>,
    /// How long the call can take, whatever happens in it; `None` is for ever.
    pub call: Option<SimDuration>,
}

impl Worst {
    /// One attempt that may take for ever.
    pub const ONCE: Worst = Worst {
        attempts: 1,
        copies: 1,
        pauses: SimDuration::ZERO,
        line: Some(SimDuration::ZERO),
        connection: Some(SimDuration::ZERO),
        told: Some(SimDuration::ZERO),
        attempt: None,
        call: None,
    };

    /// Of both at work.
    pub fn and(self, other: Worst) -> Worst {
        let least = |a: Option<SimDuration>, b| a.into_iter().chain(b).min();
        let both = |a: SimDuration, b: SimDuration| {
            SimDuration::from_nanos(a.as_nanos().saturating_add(b.as_nanos()))
        };
        Worst {
            attempts: self.attempts.saturating_mul(other.attempts),
            copies: self.copies.saturating_mul(other.copies),
            pauses: both(self.pauses, other.pauses),
            line: self.line.zip(other.line).map(|(a, b)| both(a, b)),
            connection: self.connection.zip(other.connection).map(|(a, b)| both(a, b)),
            told: self.told.zip(other.told).map(|(a, b)| both(a, b)),
            attempt: least(self.attempt, other.attempt),
            call: least(self.call, other.call),
        }
    }

    /// Attempts in all, if all fail.
    pub fn sent(&self) -> u32 {
        self.attempts.saturating_mul(self.copies)
    }

    /// The longest that a caller can wait: every attempt takes as long as it may, and so does every pause; cut where
    /// the call ends. `None` waits for ever.
    pub fn longest(&self) -> Option<SimDuration> {
        let pauses = match self.attempts {
            1 => Some(self.pauses),
            attempts => self.told.map(|told| {
                let told = told.saturating_mul(u64::from(attempts) - 1);
                SimDuration::from_nanos(self.pauses.as_nanos().saturating_add(told.as_nanos()))
            }),
        };
        let each = self.attempt.zip(self.connection).map(|(attempt, connection)| {
            SimDuration::from_nanos(attempt.as_nanos().saturating_add(connection.as_nanos()))
        });
        let tried = each.zip(self.line).zip(pauses).map(|((each, line), pauses)| {
            let all = each.saturating_mul(u64::from(self.attempts)).as_nanos();
            SimDuration::from_nanos(all.saturating_add(pauses.as_nanos()).saturating_add(line.as_nanos()))
        });
        tried.into_iter().chain(self.call).min()
    }
}

/// A part in a list: its key, and itself if it is there.
pub struct Listed<'a> {
    /// The field of the file.
    pub key: &'static str,
    /// What is said where it is left out, if anything is.
    pub otherwise: &'static str,
    /// What there is; `None` where it was left out.
    pub part: Option<Held<'a>>,
    /// Settings as text. See [`Part::samples`].
    pub samples: &'static [&'static str],
    /// See [`Part::about`].
    pub about: &'static [Page],
}

impl<'a> Listed<'a> {
    /// A part that may be left out.
    pub fn optional<P: Part>(key: &'static str, otherwise: &'static str, part: Option<&'a P>) -> Self {
        let part = part.map(|part| Held::Lent(part as &dyn Part));
        Listed { key, otherwise, part, samples: P::samples(), about: P::about() }
    }

    /// A part that is always there.
    pub fn always<P: Part>(key: &'static str, part: &'a P) -> Self {
        Listed::optional(key, "", Some(part))
    }

    /// A part made of a setting that is a plain value.
    pub fn made<P: Part + 'a>(key: &'static str, otherwise: &'static str, part: Option<P>) -> Self {
        let part = part.map(|part| Held::Own(Box::new(part) as Box<dyn Part>));
        Listed { key, otherwise, part, samples: P::samples(), about: P::about() }
    }
}

/// A part that is looked at.
pub enum Held<'a> {
    /// As the file has it.
    Lent(&'a dyn Part),
    /// Made to be looked at.
    Own(Box<dyn Part + 'a>),
}

impl<'a> Deref for Held<'a> {
    type Target = dyn Part + 'a;

    fn deref(&self) -> &Self::Target {
        match self {
            Held::Lent(part) => *part,
            Held::Own(part) => &**part,
        }
    }
}

/// Parts that stand together, in the order in which a request meets them.
pub struct Around<'a> {
    /// What they are part of: an edge, a service, or nothing that has a name yet.
    pub name: &'a str,
    /// The parts.
    pub parts: Vec<Listed<'a>>,
    /// Workers of each replica of the service.
    pub workers: u32,
    /// Replicas of the service that there may be at a time; 0 where they are of none.
    pub replicas: u32,
    /// Replicas that callers choose among; 0 where they stand nowhere yet.
    pub choices: u32,
    /// Clients that call, each for itself.
    pub clients: u32,
    /// Where they stand, and those whom they call, if that is not all in one zone.
    pub apart: Option<&'a Apart>,
    /// What any request says that comes by.
    pub says: Says,
    /// As many requests each replica of the service can have in hand; none if there is no end to it, or if it is not known.
    pub room: Option<u64>,
    /// Who calls the service, if that is known.
    pub callers: Option<Callers>,
    /// What comes to each replica of the service when nothing fails, if that is known.
    pub offered: Option<Offered>,
}

/// What comes to each replica of a service, and what it costs it.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// Requests per second.
    pub per_sec: f64,
    /// Seconds for which one keeps the whole replica at work: the mean work, shared among its workers.
    pub costs: f64,
    /// One of `replicas` that are there.
    pub replicas: u32,
}

/// Those whose requests come to a service.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// They are told apart: by tenants.
    pub tenants: bool,
    /// Some of their requests say what they are about.
    pub keys: bool,
    /// Which criticalities some of their requests have, by rank.
    pub priorities: [bool; 4],
    /// Some of their requests weigh something.
    pub sizes: bool,
    /// And none of them weighs less than so many bytes.
    pub lightest: Option<u64>,
    /// How long the most patient of them waits; none if that is for ever.
    pub longest: Option<SimDuration>,
    /// All of them wait equally long, whatever happens.
    pub all_alike: bool,
}

impl<'a> Around<'a> {
    /// These parts, wherever they stand.
    pub fn new(name: &'a str, parts: Vec<Listed<'a>>) -> Self {
        Around {
            name,
            parts,
            workers: 1,
            replicas: 0,
            choices: 0,
            clients: 1,
            apart: None,
            says: Says::default(),
            room: None,
            callers: None,
            offered: None,
        }
    }

    /// Those that are there.
    pub fn all(&self) -> impl Iterator<Item = &(dyn Part + 'a)> {
        self.parts.iter().filter_map(|listed| listed.part.as_deref())
    }

    /// What they measure, declared.
    pub fn sections(&self) -> Vec<Section> {
        self.all().flat_map(|part| part.sections(self.name)).collect()
    }

    /// What any of them does.
    pub fn does(&self) -> Does {
        self.all().fold(Does::NOTHING, |does, part| does.and(part.does()))
    }

    /// The key of the only part that does this, and what it answers; `None` if several do, or if it has no answer.
    pub fn only<T>(
        &self,
        does: Does,
        ask: impl Fn(&(dyn Part + 'a)) -> Option<T>,
    ) -> Option<(&'static str, T)> {
        let there = self.parts.iter().filter_map(|listed| Some((listed.key, listed.part.as_deref()?)));
        let mut those = there.filter(|(_, part)| part.does().any(does));
        let (key, part) = those.next()?;
        those.next().is_none().then(|| ask(part)).flatten().map(|answer| (key, answer))
    }

    /// How long a caller waits, whichever part makes it give up; `None` where that is not known.
    pub fn patience(&self) -> Option<TimeDistribution> {
        let mut all = self.all().filter(|part| part.does().any(Does::GIVES_UP)).map(|part| part.patience());
        let first = all.next()??;
        all.try_fold(first, |least, next| {
            Some(TimeDistribution::constant(least.fixed()?.min(next?.fixed()?)))
        })
    }

    /// The share of requests that fail of themselves: for one reason or another, independently.
    pub fn fails(&self) -> f64 {
        self.all().filter_map(|part| part.fails()).reduce(either).unwrap_or(0.0)
    }

    /// The most that they make of a call.
    pub fn worst(&self) -> Worst {
        self.all().fold(Worst::ONCE, |worst, part| worst.and(part.worst()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Option<SimDuration> {
        Some(SimDuration::from_secs(secs))
    }

    #[test]
    fn the_worst_of_several_parts() {
        let tries = Worst { attempts: 3, pauses: SimDuration::from_secs(4), ..Worst::ONCE };
        let limit = |attempt, call| Worst { attempt, call, ..Worst::ONCE };
        for (worst, longest) in [
            (Worst::ONCE, None),
            (tries, None),
            (limit(secs(5), None), secs(5)),
            (tries.and(limit(secs(5), None)), secs(19)),
            (tries.and(limit(secs(5), None)).and(limit(secs(7), secs(30))), secs(19)),
            (tries.and(limit(secs(5), secs(12))), secs(12)),
            (Worst { told: secs(10), ..tries.and(limit(secs(5), None)) }, secs(39)),
            (Worst { told: None, ..tries.and(limit(secs(5), None)) }, None),
            (Worst { told: None, ..limit(secs(5), None) }, secs(5)),
            (tries.and(limit(None, secs(12))), secs(12)),
            (Worst { connection: secs(1), ..tries.and(limit(secs(5), None)) }, secs(22)),
            (Worst { connection: None, ..tries.and(limit(secs(5), None)) }, None),
            (tries.and(tries).and(limit(secs(1), None)), secs(9 + 8)),
        ] {
            assert_eq!(worst.longest(), longest, "{worst:?}");
        }
        let endless = Worst { attempts: u32::MAX, ..tries }.and(limit(secs(u64::MAX / 2_000_000_000), None));
        assert_eq!(endless.and(tries).attempts, u32::MAX);
        assert!(endless.longest() > secs(99 * 365 * 86_400), "no overflow: {:?}", endless.longest());
    }
}
