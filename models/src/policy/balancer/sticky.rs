//! Whoever has been to a replica goes there again: session affinity.
//!
//! The first request of a session goes to whoever's turn it is, and its answer says who that was: in a cookie (NGINX `sticky cookie`, an AWS
//! load balancer's `lb_cookie`, Envoy's stateful sessions, HAProxy `cookie insert`), which goes with the user whichever client asks next. So
//! all clients of an edge know of it. Where one client keeps an address to itself (`sessionAffinity: ClientIP` of Kubernetes)
//! its requests are one session: `by: Client`.
//!
//! A session stays as long as its replica may be chosen, whether or not that is well: an affinity is no health check. It goes on to
//! another when its replica may not be chosen, or when an attempt of it is sent elsewhere, and it does not come back. It ends after
//! `max_idle` without a request, or `max_life` after it began (HAProxy's `maxidle` and `maxlife`; an AWS load balancer's duration of 1 day and
//! Kubernetes' `timeoutSeconds` of 3 hours count from the last request, NGINX's `expires` from the first). Nothing moves a
//! session because its replica has more to do than the others: what is added to them later has nothing until new sessions come.
//!
//! Sessions of a tenant that never comes again are kept: 24 bytes for each up to the highest number, once for all clients of an edge.

use super::view::View;
use crate::carried::Carried;
use crate::policy::page::Page;
use crate::report::{Better, Section, Unit, Value};
use sim_core::{SimDuration, SimTime, Words};

spec! {
    /// Whose requests are one session.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Session {
        /// Those of one tenant, whoever sends them.
        Tenant,
        /// Those of one client.
        Client,
    }
}

/// Where all sessions of one edge are.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    kept: Vec<Kept>,
    begun: u64,
    moved: u64,
    expired: u64,
}

/// Where one is.
#[derive(Clone, Copy, Debug)]
struct Kept {
    replica: u32,
    since: SimTime,
    last: SimTime,
}

const NOWHERE: Kept = Kept { replica: u32::MAX, since: SimTime::ZERO, last: SimTime::ZERO };

impl Sessions {
    /// Measurement begins: what was before is not counted.
    pub fn begin(&mut self) {
        (self.begun, self.moved, self.expired) = (0, 0, 0);
    }

    /// What is told of them.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("begun", self.begun as f64);
        section.set("expired", self.expired as f64);
        section.set("moved", self.moved as f64);
        section
    }

    fn of(&mut self, number: u32) -> &mut Kept {
        let place = number as usize;
        if place >= self.kept.len() {
            self.kept.resize(place + 1, NOWHERE);
        }
        &mut self.kept[place]
    }
}

/// What they will tell of: nothing measured yet.
pub(super) fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("affinities", at)
        .value("begun", plain("sessions that began after the warm-up, those that had ended included"))
        .value("expired", plain("those among them that had been idle for too long, or were too old"))
        .value(
            "moved",
            plain("sessions that went on to another replica, since theirs could not be chosen, or was asked in vain")
                .better(Better::Less)
                .headline(),
        )
}

/// What one client knows.
#[derive(Clone, Debug)]
pub(super) struct Sticky {
    by: Session,
    max_idle: SimDuration,
    max_life: SimDuration,
    client: u32,
    /// It remembers nothing of what it did before, if it did anything.
    is_new: bool,
    /// Whose turn it is, as in [round robin](super::Balancer::RoundRobin).
    next: u32,
    /// Lent to it while it is asked.
    sessions: Option<Box<Sessions>>,
    now: SimTime,
    /// Of the attempt that asks: its session, and whether it has asked before.
    session: Option<u32>,
    again: bool,
}

impl Sticky {
    pub(super) fn new(
        (by, max_idle, max_life): (Session, Option<SimDuration>, Option<SimDuration>),
        client: u32,
        replicas: u32,
        words: &mut impl Words,
    ) -> Self {
        let for_ever = SimDuration::from_nanos(u64::MAX);
        Sticky {
            by,
            max_idle: max_idle.unwrap_or(for_ever),
            max_life: max_life.unwrap_or(for_ever),
            client,
            is_new: true,
            next: words.below(u64::from(replicas)) as u32,
            sessions: None,
            now: SimTime::ZERO,
            session: None,
            again: false,
        }
    }

    /// Takes the sessions, or gives them back.
    pub(super) fn lend(&mut self, sessions: &mut Option<Box<Sessions>>) {
        std::mem::swap(&mut self.sessions, sessions);
    }

    /// An attempt asks that carries this.
    pub(super) fn look(&mut self, now: SimTime, carried: &Carried) {
        (self.now, self.again) = (now, false);
        self.session = match self.by {
            Session::Tenant => carried.tenant,
            Session::Client => Some(self.client),
        };
    }

    fn in_turn(&mut self, view: &View) -> u32 {
        let place = if self.next < view.size() { self.next } else { 0 };
        self.next = if place + 1 == view.size() { 0 } else { place + 1 };
        view.member(place)
    }

    /// Whether who asks, for the first time, has a session that goes on with one of these.
    pub(super) fn goes_on_in(&self, view: &View) -> bool {
        let kept = self.session.zip(self.sessions.as_ref()).and_then(|(it, all)| all.kept.get(it as usize));
        let forgotten = self.is_new && self.by == Session::Client;
        let goes_on = |kept: &Kept| kept.replica != NOWHERE.replica && !self.has_ended(kept);
        !self.again && !forgotten && kept.is_some_and(|kept| goes_on(kept) && view.contains(kept.replica))
    }

    fn has_ended(&self, kept: &Kept) -> bool {
        self.now.since(kept.last) > self.max_idle || self.now.since(kept.since) > self.max_life
    }

    /// Where its session is; asked again, somebody else, where it is from then on.
    #[inline(never)]
    pub(super) fn pick(&mut self, view: &View) -> u32 {
        let again = std::mem::replace(&mut self.again, true);
        let (Some(number), Some(mut sessions)) = (self.session, self.sessions.take()) else {
            return self.in_turn(view);
        };
        // A client that has forgotten what it did, since it crashed, has no session any more.
        let forgotten = std::mem::replace(&mut self.is_new, false) && self.by == Session::Client;
        let kept = *sessions.of(number);
        let began = kept.replica != NOWHERE.replica && !forgotten;
        let ended = self.has_ended(&kept);
        let mut next = Kept { last: self.now, ..kept };
        if !began || ended || again || !view.contains(kept.replica) {
            next.replica = self.in_turn(view);
            if next.replica == kept.replica && again {
                next.replica = self.in_turn(view);
            }
            if !began || ended && !again {
                sessions.begun += 1;
                sessions.expired += u64::from(began);
                next.since = self.now;
            } else if next.replica != kept.replica {
                sessions.moved += 1;
            }
        }
        *sessions.of(number) = next;
        self.sessions = Some(sessions);
        next.replica
    }
}

pub(super) const PAGE: Page = Page {
    name: "sticky",
    word: "Sticky",
    what: "Sends all requests of a session to the replica that had the first: those of a tenant, as with a cookie that every client honours, or those \
           of a client. A session stays as long as its replica may be chosen, unless it was idle for `max_idle` or is older than `max_life`. \
           A section `affinities` tells how many began, expired and moved.",
    hurts: "A replica that fails keeps its sessions, retries included, until it is ejected or a retry goes elsewhere; then what it remembered of them \
            is lost. Nothing evens loads out: one tenant that asks for much is more than its replica can do, and a replica that is added, or comes back, has \
            nothing to do until new sessions begin.",
    formula: "of sessions that live `L` on average a replica that is new has its share of those that began since, `1 - exp(-t/L)` of what the \
              others have",
    source: "NGINX `sticky`; HAProxy `cookie insert` with `maxidle` and `maxlife`; AWS Application Load Balancer (1 day); Kubernetes \
             `sessionAffinity: ClientIP` (3 h); Envoy stateful sessions",
    experiment: "sticky-sessions",
};

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Streams;

    const T: fn(u64) -> SimTime = SimTime::from_secs;

    fn sticky(by: Session, max_idle: Option<u64>, max_life: Option<u64>) -> Sticky {
        let secs = |secs: Option<u64>| secs.map(SimDuration::from_secs);
        let mut words = Streams::new(1).stream("test", "sticky");
        let mut state = Sticky::new((by, secs(max_idle), secs(max_life)), 5, 4, &mut words);
        state.next = 0;
        state.lend(&mut Some(Box::default()));
        state
    }

    fn goes(state: &mut Sticky, view: &View, at: u64, tenant: u32) -> u32 {
        state.look(T(at), &Carried { tenant: Some(tenant), ..Carried::default() });
        state.pick(view)
    }

    fn counts(state: &Sticky) -> [u64; 3] {
        let sessions = state.sessions.as_ref().expect("lent");
        [sessions.begun, sessions.expired, sessions.moved]
    }

    /// (time, tenant, where it goes), with an idle time of 10 s and a life of 25 s: three tenants in turn, and each again.
    #[test]
    fn who_comes_again_goes_where_it_was() {
        let view = View::all(4);
        let mut state = sticky(Session::Tenant, Some(10), Some(25));
        for (at, tenant, replica, counted) in [
            (0, 7, 0, [1, 0, 0]),
            (1, 8, 1, [2, 0, 0]),
            (2, 7, 0, [2, 0, 0]),
            (3, 3, 2, [3, 0, 0]),
            // Ten seconds idle are not too long; eleven are.
            (12, 7, 0, [3, 0, 0]),
            (12, 8, 3, [4, 1, 0]),
            (22, 7, 0, [4, 1, 0]),
            // It began at 0.
            (25, 7, 0, [4, 1, 0]),
            (26, 7, 0, [5, 2, 0]),
            (26, 8, 1, [6, 3, 0]),
            (30, 7, 0, [6, 3, 0]),
        ] {
            // At 12 s replica 3 has the next turn, at 26 s 0 and 1.
            assert_eq!(goes(&mut state, &view, at, tenant), replica, "{tenant} at {at} s");
            assert_eq!(counts(&state), counted, "{tenant} at {at} s");
        }
    }

    /// Whose replica may not be chosen moves on, and does not come back when it may be again; and so does who asks again.
    #[test]
    fn who_cannot_stay_moves_and_stays_there() {
        let mut view = View::all(4);
        let mut state = sticky(Session::Tenant, None, None);
        assert_eq!([1, 2, 3].map(|tenant| goes(&mut state, &view, 0, tenant)), [0, 1, 2]);
        view.change([1, 2, 3]);
        // The fourth place is nobody's now, so the turn is the first's.
        assert_eq!([1, 2, 1].map(|tenant| goes(&mut state, &view, 1, tenant)), [1, 1, 1]);
        view.change(0..4);
        assert_eq!([1, 2, 3].map(|tenant| goes(&mut state, &view, 2, tenant)), [1, 1, 2]);
        assert_eq!(counts(&state), [3, 0, 1]);
        assert_eq!(goes(&mut state, &view, 3, 3), 2);
        let other = state.pick(&view);
        assert_ne!(other, 2, "asked again");
        assert_eq!(goes(&mut state, &view, 4, 3), other);
        assert_eq!(counts(&state), [3, 0, 2]);
        view.change([3]);
        assert_eq!(goes(&mut state, &view, 5, 1), 3);
        assert_eq!(state.pick(&view), 3, "there is nobody else");
    }

    #[test]
    fn a_client_is_one_session_and_no_tenant_is_none() {
        let view = View::all(4);
        let mut state = sticky(Session::Client, None, None);
        assert_eq!([1, 2, 3, 1].map(|tenant| goes(&mut state, &view, 0, tenant)), [0; 4]);
        // After a crash it is as new; what another client does is nothing to it.
        let mut sessions = None;
        state.lend(&mut sessions);
        let mut words = Streams::new(1).stream("test", "crashed");
        let mut crashed = Sticky::new((Session::Client, None, None), 5, 4, &mut words);
        let mut other = Sticky::new((Session::Client, None, None), 6, 4, &mut words);
        (crashed.next, other.next) = (2, 3);
        other.lend(&mut sessions);
        assert_eq!([1, 2].map(|tenant| goes(&mut other, &view, 1, tenant)), [3; 2]);
        other.lend(&mut sessions);
        crashed.lend(&mut sessions);
        assert_eq!([1, 2].map(|tenant| goes(&mut crashed, &view, 1, tenant)), [2; 2]);
        assert_eq!(counts(&crashed), [3, 0, 0]);
        let mut state = sticky(Session::Tenant, None, None);
        let picks = [0; 5].map(|_| {
            state.look(T(1), &Carried::default());
            state.pick(&view)
        });
        assert_eq!(picks, [0, 1, 2, 3, 0], "in turn");
    }
}
