//! The connections that a client keeps to those whom it calls: so many at most, each for one attempt at a time.
//!
//! Whoever finds none idle waits for one that is given back, or that is opened if there may be more; whichever comes first, in the
//! order of arrival. It waits as long as it has patience for that alone: the timeout of the attempt begins when it is sent.
//! A connection belongs to its attempt until that has ended, and to nobody while a call backs off.
//!
//! | here | HikariCP 5 | Go `database/sql` | Envoy | PgBouncer 1.2x |
//! |---|---|---|---|---|
//! | `size` | `maximumPoolSize` 10 | `SetMaxOpenConns`, no limit | `max_connections` 1024 | `default_pool_size` 20 |
//! | `min_idle` | `minimumIdle`, as many as the pool has | - | preconnect | `min_pool_size` 0 |
//! | `max_idle` | - | `SetMaxIdleConns` 2 | - | - |
//! | `max_wait` | `connectionTimeout` 30 s | the context's | the route's timeout | `query_wait_timeout` 120 s |
//! | `max_waiting` | - | - | `max_pending_requests` 1024 | - |
//! | `lifetime` | `maxLifetime` 30 min, less up to 2.5 % | `SetConnMaxLifetime`, none | `max_connection_duration`, none | `server_lifetime` 1 h |
//! | `idle_timeout` | `idleTimeout` 10 min | `SetConnMaxIdleTime`, none | 1 h | `server_idle_timeout` 10 min |
//! | `opening_at_once` | 1: a thread of its own | any | any | 1 |
//! | `given_up` | evicts what is broken | closes what was cancelled | closes (HTTP/1.1) | closes |
//!
//! # What becomes of connections
//! An answer gives its connection back, whatever it says. A crash of the other end breaks all that lead there, idle ones too; where
//! it says nothing (`callers: Silence`) that shows when it is back. A connection that is refused or reset is closed. One that was
//! given up is in doubt, since its answer may still come: closed, kept busy until then, or used again at once
//! ([`GivenUp`]). Closing does not stop the service, so it may have more in hand than its callers have connections.
//!
//! What is lent is never closed for its age, neither here nor in any of these libraries: a connection that is not given back is
//! lost for good, whatever its `lifetime`. Who takes it back is told so: `reclaim_after` (DBCP's `removeAbandonedTimeout`, c3p0's
//! `unreturnedConnectionTimeout`; HikariCP's `leakDetectionThreshold` only logs), or a restart of the client.
//!
//! # What opening costs
//! `opening` is time that the client waits: round trips, a handshake. `opening_work` is what the service has to do for it: a
//! process, a session, keys; whoever works on the first request over it does that first. The first is paid by few, the second by
//! all, when everybody opens at once. Whoever waits while one is being opened may get another that is given back meanwhile; what is
//! opened then is idle. A pool that begins with the run has its `min_idle` already, one whose client has crashed opens them again.
//!
//! Left out: an opening that fails by itself (where nobody listens it is the request that finds out); checks of idle
//! connections; Go's choice of any who waits instead of the first.

mod connections;
mod dial;
mod watch;

pub use connections::{Asked, Back, Connections, Counts, Due, Lease};
pub use dial::Dial;
pub(super) use watch::Watch;

use super::page::Page;
use super::part::{Around, Does, Part, Places, Worst};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::report::Section;
use sim_core::SimDuration;

spec! {
    /// The connections that one client keeps to a service: a limit on its attempts that are out, and what it costs to have them.
    pub struct Pool where check {
        /// The most connections, those that are being opened included.
        size: u32 = DEFAULT_SIZE; 1..=100_000,
        /// So many are kept idle, for whoever comes next.
        min_idle: u32 = 0; 0..=100_000,
        /// The most that are kept idle: one more that is given back is closed. Any if absent.
        max_idle: Option<u32> = None; 0..=100_000,
        /// How long an attempt waits for a connection before it is refused; for ever if absent.
        max_wait: Option<SimDuration> = None; POSITIVE.or("nobody could wait"),
        /// The most attempts that wait, for one that is being opened too; one more is refused at once. Any number if absent.
        max_waiting: Option<u32> = None; 0..=100_000_000,
        /// How long a connection lives; for ever if absent. One that is in use then is closed when it is given back.
        lifetime: Option<SimDuration> = None; POSITIVE,
        /// Each lives up to this share shorter, so that not all end together that began together.
        lifetime_jitter: f64 = 0.025; 0.0..=1.0,
        /// How long a connection may be idle before it is closed, unless it is one of `min_idle`; for ever if absent.
        idle_timeout: Option<SimDuration> = None; POSITIVE,
        /// How long it takes to open a connection.
        opening: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// What the service has to do for a new connection, besides its work on the first request over it.
        opening_work: TimeDistribution = TimeDistribution::constant(SimDuration::ZERO),
        /// The most that are being opened at the same time; any if absent.
        opening_at_once: Option<u32> = None; 1..=100_000,
        /// What becomes of the connection of an attempt that is given up.
        given_up: GivenUp = GivenUp::Close,
        /// Share of the attempts that never give their connection back.
        leak: f64 = 0.0; 0.0..=1.0,
        /// How long after it was lent a connection that leaked is taken back; never if absent. One whose attempt is still out is left
        /// alone, which DBCP does not do.
        reclaim_after: Option<SimDuration> = None; POSITIVE,
        /// Whether each replica of the service has a pool of its own.
        per: To = To::Replica,
    }
}

spec! {
    /// What becomes of the connection of an attempt that is given up, before its answer is there.
    #[derive(Copy, PartialEq, Eq)]
    pub enum GivenUp {
        /// It is closed: HTTP/1.1, Go's `database/sql`. Another may be opened at once.
        Close,
        /// Nobody can use it before the answer comes: a thread that waits for a socket. It is closed if none can come.
        Busy,
        /// Another attempt has it at once: streams of HTTP/2, statements that the server stops.
        Reuse,
    }
}

spec! {
    /// Where the connections of a pool end.
    #[derive(Copy, PartialEq, Eq)]
    pub enum To {
        /// At one replica; each has a pool of its own. A service with one replica or one queue for all has one pool.
        Replica,
        /// At the service, whichever replica then answers: as behind a proxy, which no crash of a replica breaks.
        Service,
    }
}

/// Connections of a pool. HikariCP's `maximumPoolSize`.
pub const DEFAULT_SIZE: u32 = 10;

fn check(pool: &Pool, at: &Node, cx: &mut Decoder) {
    if pool.min_idle > pool.size {
        let span = at.span_of("min_idle");
        cx.at("min_idle", |cx| {
            let message = format!("`min_idle` is {}, and `size` only {}", pool.min_idle, pool.size);
            _ = cx.error(span, message).help("keep fewer idle, or allow more");
        });
    }
    if let Some(most) = pool.max_idle.filter(|most| *most < pool.min_idle) {
        let span = at.span_of("max_idle");
        cx.at("max_idle", |cx| {
            _ = cx.error(span, format!("{} are to be kept idle, and at most {most}", pool.min_idle));
        });
    }
    let mut doubt = |key: &'static str, message: String| {
        cx.at(key, |cx| _ = cx.warn(at.span_of(key), message));
    };
    if pool.reclaim_after.is_some() && pool.leak == 0.0 {
        doubt("reclaim_after", "no connection is lost that could be reclaimed".into());
    }
    if pool.idle_timeout.is_some() && pool.min_idle == pool.size {
        doubt("idle_timeout", "all connections are kept idle, so none is ever closed for it".into());
    }
    if pool.max_waiting == Some(0) && !pool.opens_instantly() && pool.min_idle == 0 {
        doubt("max_waiting", "nobody waits for a connection that is being opened, so none ever is".into());
    }
    let opening = pool.opening.fixed().zip(pool.max_wait);
    if let Some((opening, wait)) = opening.filter(|(opening, wait)| opening >= wait && pool.min_idle == 0) {
        doubt("max_wait", format!("nobody waits for a connection that takes {opening} to open, but {wait}"));
    }
}

impl Pool {
    /// Whether a connection is there as soon as it is wanted.
    pub fn opens_instantly(&self) -> bool {
        self.opening.fixed().is_some_and(|time| time.is_zero())
    }

    /// Whether the service has something to do for a new connection.
    pub fn is_work(&self) -> bool {
        self.opening_work.fixed().is_none_or(|work| !work.is_zero())
    }

    /// Pools of a client that chooses among so many replicas.
    pub fn pools(&self, choices: u32) -> u32 {
        if self.per == To::Replica { choices } else { 1 }
    }

    /// Whether it is nothing but a limit: connections that cost nothing, and none that is lost.
    fn is_plain(&self) -> bool {
        self.opens_instantly() && !self.is_work() && self.leak == 0.0
    }
}

impl Part for Pool {
    fn does(&self) -> Does {
        let waits = self.max_waiting != Some(0);
        let delays = if waits { Does::DELAYS } else { Does::NOTHING };
        let refuses =
            if self.max_wait.is_some() || self.max_waiting.is_some() { Does::REFUSES } else { Does::NOTHING };
        delays.and(refuses)
    }

    fn brief(&self) -> Option<String> {
        let wait = self.max_wait.map_or(String::new(), |wait| format!(", {wait} for one"));
        Some(format!("{} connections{wait}", self.size))
    }

    fn bytes(&self, replicas: u32) -> u64 {
        u64::from(self.pools(replicas)) * Connections::bytes(self.size)
    }

    /// Each attempt may wait.
    fn worst(&self) -> Worst {
        let connection = if self.max_waiting == Some(0) { Some(SimDuration::ZERO) } else { self.max_wait };
        Worst { connection, ..Worst::ONCE }
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![watch::declared(at)]
    }

    /// Who waits longer than the whole call may take is never refused, but always too late.
    fn check(&self, around: &Around, at: &Node, cx: &mut Decoder) {
        let work = self.opening_work.fixed();
        if let (Some(work), Some(longest)) = (work, around.worst().attempt)
            && work >= longest
        {
            let message = format!(
                "nothing that is sent over a new connection is answered in time: opening one is {work} of work, and an attempt may take {longest}"
            );
            cx.at("pool", |cx| _ = cx.warn(at.span_of("pool"), message).help("a longer `timeout`"));
        }
        let (Some(wait), Some(whole)) = (self.max_wait, around.worst().call) else { return };
        if wait >= whole {
            let message = format!(
                "no attempt waits {wait} for a connection: the deadline ends every call after {whole}"
            );
            cx.at("pool", |cx| _ = cx.warn(at.span_of("pool"), message));
        }
    }

    fn at_once(&self) -> Option<u32> {
        self.is_plain().then_some(self.size)
    }

    fn line(&self) -> Option<Places> {
        let places = Places { at_once: self.size, patience: self.max_wait, told_in: watch::KIND };
        (self.is_plain() && self.max_waiting.is_none()).then_some(places)
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "pool",
            word: "",
            what: "Keeps connections to whom a client calls, each for one attempt at a time. Who finds none idle waits until one \
                   is given back, or opened if there may be more, and is refused when its patience for that is over.",
            hurts: "A pool that is right when the service is quick is used up when it is slow, long before the service is, and those \
                    who wait hold their callers. A connection that is not given back is lost for good, whatever its lifetime: the \
                    pool shrinks until nobody gets any. Connections that break together are opened together, which is work for a \
                    service that has just come back; if what waits for that is given up and its connection closed, it never ends.",
            formula: "M/M/c with c connections: Erlang C wait, with patience `D` a share `p(c-1) rate e^((rate - c m) D) / (c m)` gets \
                      none. Connections that live for `T` are opened at `c / T`. With a leak of `q` a pool of `c` is gone after \
                      `c / (rate q)` on average",
            source: "HikariCP (10 connections, 30 s, 30 min less up to 2.5 %); Go database/sql (2 idle); Envoy max_connections, \
                     max_pending_requests (1024); PgBouncer (20); DBCP removeAbandonedTimeout",
            experiment: "connection-pool",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "(size: 4)",
            r#"(size: 1, max_wait: "20ms", opening: "5ms")"#,
            r#"(size: 3, max_waiting: 2, min_idle: 1, lifetime: "200ms", idle_timeout: "50ms", opening: Exponential(mean: "3ms"), opening_work: "2ms", opening_at_once: 1)"#,
            r#"(size: 3, max_idle: 1, leak: 0.01, reclaim_after: "100ms", max_wait: "30ms", given_up: Busy)"#,
            "(size: 4, max_waiting: 0, given_up: Reuse, per: Service)",
        ]
    }
}
