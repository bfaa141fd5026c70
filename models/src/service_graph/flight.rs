//! Calls and attempts in flight.

use super::fruit::{Basket, Fruit};
use super::service::callback::WaitId;
use super::service::queue::offer::Ticket;
use super::slab::{Id, Link};
use super::visits::VisitId;
use crate::carried::Carried;
use crate::fault::Asked;
use crate::policy::Outcome;
use crate::policy::guards::{Grant, Permit};
use sim_core::{Key, SimDuration, SimTime, Timer};

pub type CallId = Id<Call>;
pub type AttemptId = Id<Attempt>;

/// What can be derived is not kept: its deadline (`Edge::deadline`).
#[derive(Clone)]
pub struct Call {
    pub key: Key,
    pub started: SimTime,
    pub parent: Parent,
    pub edge: u16,
    pub client: u32,
    /// Tries so far, those that were refused before they were sent included.
    pub tries: u16,
    /// Attempts sent so far.
    pub sent: u16,
    pub previous_delay: SimDuration,
    pub phase: Phase,
    /// The stretch of the run in which it began: none if it is not measured, else before, during or after what disturbs the run.
    pub stretch: u8,
    /// One at a time, whatever it is for: see [`Phase`].
    pub timer: Option<Timer>,
    /// The last of the attempts that are out; each knows the one before it.
    pub live: Option<Link<Attempt>>,
    /// What it was let pass with, where whole calls are.
    pub permit: Option<Permit>,
}

/// What a call is about, and so what its timer means. In one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase(u8);

impl Phase {
    /// From here on: backing off, by what the next try was granted.
    const BACKING_OFF: Phase = Phase(1 << 7);
    /// It stands in line, and the timer says when it no longer does.
    pub const IN_LINE: Phase = Phase(u8::MAX - 1);
    /// It waits for its turn, and the timer says when that has come.
    pub const IN_TURN: Phase = Phase(u8::MAX - 2);
    /// Attempts are out. If a timer runs, it says when a copy is sent.
    pub const TRYING: Phase = Phase(0);

    /// No attempt is out, and the timer says when the next try begins, on this grant.
    #[inline]
    pub fn backing_off(on: Grant) -> Phase {
        Phase(Phase::BACKING_OFF.0 + on.number())
    }

    /// Whether attempts are out.
    #[inline]
    pub fn is_trying(self) -> bool {
        self.0 < Phase::BACKING_OFF.0
    }

    /// Whether its first try has begun, or could.
    #[inline]
    pub fn has_begun(self) -> bool {
        self != Phase::IN_LINE && self != Phase::IN_TURN
    }

    /// If it is a pause between tries: what the next was granted.
    #[inline]
    pub fn granted(self) -> Option<Grant> {
        let number = self.0.checked_sub(Phase::BACKING_OFF.0)?;
        (number < Grant::MOST).then(|| Grant::numbered(number))
    }

    /// Copies sent of the present try.
    #[inline]
    pub fn copies(self) -> u8 {
        self.0
    }

    /// One more.
    pub fn copied(self) -> Phase {
        Phase(self.0 + 1)
    }
}

/// Who waits for a call.
#[derive(Clone, Copy, Debug)]
pub enum Parent {
    /// Nobody but the statistics: an open-loop user.
    User,
    /// A closed-loop user, who goes on thinking when it ends.
    Loop { user: u32 },
    /// A user who may make more than one call.
    Visit { visit: VisitId },
    /// Whoever checks a replica, and waits for what it says.
    Check { control: u32 },
    /// A request that is being served, and what it has at stake; or that was, until another of its calls failed.
    Request { attempt: AttemptId, stake: Stake },
    /// Nobody: the request that made it goes on without it, and may be gone. Somebody may want it done all the same.
    Aside { by: AttemptId, workload: u16, wanted: bool },
    /// A callee that accepted a call calls back, about this.
    Callback { wait: WaitId, workload: u16 },
}

/// What becomes of a request one of whose calls fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stake {
    /// It survives.
    Optional,
    /// It fails, when all that is out for it has ended.
    Required,
    /// It fails at once. The others go on, and it is there until they have ended.
    Decisive,
    /// It counts how many of its calls end well.
    Vote,
    /// It does not wait.
    Nothing,
    /// Something may stand in, and what it has at stake otherwise is kept with that.
    FallsBack,
}

/// The workload of what no user has asked for.
pub const NOBODYS: u16 = u16::MAX;

/// One try of a call: the caller's side and, once delivered, the request in the replica's hands. The
/// entry lives until both sides are done with it.
#[derive(Clone)]
pub struct Attempt {
    pub key: Key,
    /// Its call, as long as it is awaited.
    pub call: Link<Call>,
    /// Of the attempts of its call that are out, the one that was sent before it.
    pub sibling: Option<Link<Attempt>>,
    pub edge: u16,
    /// The workload at the root of it all: the call may be gone before the attempt is.
    pub workload: u16,
    pub replica: u32,
    /// When it was sent, then when it arrived, then when work on it began.
    pub since: SimTime,
    pub own: OwnWork,
    /// Work that was done for it at the services that it called, and came back with good answers.
    pub below: Option<Basket>,
    pub timer: Option<Timer>,
    /// What it was let pass with, where attempts are.
    pub permit: Option<Permit>,
    /// Calls of the present step that are out.
    pub outstanding: u32,
    pub repetition: u16,
    pub step: u16,
    /// Which try of its call; 0 of a check.
    pub number: u16,
    /// What that repeats on, if it does.
    pub grant: Grant,
    pub server: Server,
    pub marks: Marks,
}

/// The work of an attempt's own: where it stands as long as it is [queued](Server::Queued), the timer that says when it is
/// done as long as it is [worked on](Server::Working), or its number among those who share what there is, then how long it took.
#[derive(Clone, Copy, Default)]
pub struct OwnWork(u64);

/// What is or is not so of an attempt, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// The caller still waits.
    pub const AWAITED: Marks = Marks(1);
    /// The timer is that of the whole call, which ends before the attempt would.
    pub const UNTIL_CALL_ENDS: Marks = Marks(1 << 1);
    /// A required call failed.
    pub const FAILED: Marks = Marks(1 << 2);
    /// It arrived after the warm-up.
    pub const MEASURED: Marks = Marks(1 << 3);
    /// Another attempt of its call was out when this one was sent, or was sent while this one was out.
    pub const HAS_SIBLINGS: Marks = Marks(1 << 4);
    /// A copy, whatever was out when it was sent.
    pub const IS_COPY: Marks = Marks(1 << 5);
    /// Its service knows until when it is waited for, and does not work on it later.
    pub const EXPIRES: Marks = Marks(1 << 7);
    /// Called off before it arrived; or a check, which is looked at first.
    pub const CALLED_OFF: Marks = Marks(1 << 6);

    /// Either of two.
    pub const fn or(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// This one, if it is so.
    #[inline(always)]
    pub fn when(self, is_so: bool) -> Marks {
        if is_so { self } else { Marks(0) }
    }

    #[inline(always)]
    pub fn has(self, mark: Marks) -> bool {
        self.0 & mark.0 != 0
    }

    #[inline(always)]
    pub fn add(&mut self, marks: Marks) {
        self.0 |= marks.0;
    }

    #[inline(always)]
    pub fn lift(&mut self, mark: Marks) {
        self.0 &= !mark.0;
    }
}

impl Attempt {
    /// It begins to wait, in this place of the queue.
    #[inline(always)]
    pub fn wait(&mut self, ticket: Ticket) {
        self.server = Server::Queued;
        self.own = OwnWork(ticket.0);
    }

    /// Its place in the queue in which it waits.
    pub fn ticket(&self) -> Ticket {
        debug_assert!(self.server == Server::Queued);
        Ticket(self.own.0)
    }

    /// It waits no longer, and no work was done.
    #[inline(always)]
    pub fn leave_queue(&mut self) {
        self.own = OwnWork(0);
    }

    /// Work on it begins; the timer says when that is done.
    #[inline(always)]
    pub fn begin_work(&mut self, now: SimTime, done: Timer) {
        self.server = Server::Working;
        self.since = now;
        self.own = OwnWork(done.to_bits());
    }

    /// Work on it is done later than was planned.
    pub fn put_off(&mut self, done: Timer) {
        debug_assert!(self.server == Server::Working);
        self.own = OwnWork(done.to_bits());
    }

    /// Work on it begins, and shares what there is under this number.
    pub fn share_work(&mut self, now: SimTime, number: u64) {
        self.server = Server::Working;
        self.since = now;
        self.own = OwnWork(number);
    }

    /// The number under which the work on it shares what there is.
    pub fn share(&self) -> u64 {
        debug_assert!(self.server == Server::Working);
        self.own.0
    }

    /// It is no longer worked on, but is somewhere else.
    #[inline(always)]
    pub fn end_work(&mut self, now: SimTime, next: Server) {
        debug_assert!(self.server == Server::Working && next != Server::Working);
        self.server = next;
        self.own = OwnWork(now.since(self.since).as_nanos());
    }

    /// The timer that says when the work on it will be done, if it has one of its own.
    pub fn work_timer(&self) -> Timer {
        debug_assert!(self.server == Server::Working);
        Timer::from_bits(self.own.0)
    }

    /// Its own work, once that is over.
    #[inline(always)]
    pub fn work(&self) -> SimDuration {
        debug_assert!(self.server != Server::Working);
        SimDuration::from_nanos(self.own.0)
    }

    /// What a good answer of it takes along, from this service: its own work if that was useful.
    #[inline(always)]
    pub fn fruit(&self, service: u32, useful: bool) -> Fruit {
        let own = if useful { self.work() } else { SimDuration::ZERO };
        Fruit { below: self.below, own, service }
    }

    /// What is known of it by who asks whether a fault is upon it.
    pub fn asked(&self, carried: Carried) -> Asked {
        let workload = (self.workload != NOBODYS).then_some(u32::from(self.workload));
        Asked { workload, carried }
    }

    /// Whether it is nothing but a check of its replica: no try of anything.
    #[inline]
    pub fn is_check(&self) -> bool {
        self.number == 0
    }

    /// Whether the caller still waits.
    #[inline(always)]
    pub fn is_awaited(&self) -> bool {
        self.marks.has(Marks::AWAITED)
    }

    /// What the reply says that is on its way.
    #[inline(always)]
    pub fn answer(&self) -> Outcome {
        match self.server {
            Server::Replying(answer) => answer,
            _ => Outcome::InFlight,
        }
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// It waits for a connection.
    Unsent,
    /// On its way there.
    Sent,
    Queued,
    Working,
    /// Its own work is done, calls are out.
    Waiting,
    /// This answer is on its way back.
    Replying(Outcome),
    /// Answered, lost or swallowed.
    Gone,
}

// With eight more for each place, a call in flight and its attempt take 152 bytes.
const _: () = assert!(size_of::<Call>() <= 64 && size_of::<Attempt>() <= 72);
