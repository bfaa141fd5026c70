//! Which replica an attempt goes to, as one client sees it.
//!
//! A client knows only its own attempts: what is pending here is what *this* client has out, not the
//! replica's queue. Ten thousand clients with one call each know next to nothing, and least-pending is then
//! no better than random; one client that sends everything knows all. With full knowledge, random gives
//! `n` M/M/1 queues, two random choices already make long queues doubly exponentially rare (Mitzenmacher
//! 2001), and least-pending is close to one shared queue.
//!
//! Round robin starts at a random replica, or many clients would march in step.
//!
//! Whom it may choose stands in a [`View`], which is not its own. Whoever ejects, drains or discovers replicas
//! writes a view, and no balancer knows of any of them.

mod by;
mod consistent_hash;
mod peak_ewma;
mod power_of_d;
mod ranking;
mod reported;
mod sticky;
mod view;
mod weighted;

use super::page::Page;
use super::part::{Around, Does, Part};
use super::zone::{Near, ZoneState};
use crate::carried::Carried;
use crate::experiment::{Decode, POSITIVE};
use crate::report::Section;
use crate::theory::ring_share_cv;
use by::By;
pub use consistent_hash::Circle;
use consistent_hash::ConsistentHash;
use peak_ewma::PeakEwma;
use ranking::{Ranking, take_one};
use reported::Reported;
use sim_core::{SimDuration, SimTime, Streams, Words};
use std::sync::Arc;
pub use sticky::Sessions;
use sticky::{Session, Sticky};
pub use view::View;
use weighted::Weighted;

spec! {
    /// Which replica an attempt goes to.
    pub enum Balancer {
        /// Each in turn, from a random start.
        RoundRobin,
        /// A uniformly random one.
        Random,
        /// One with the fewest of this client's attempts out; among equals a random one.
        LeastPending,
        /// Of two different random ones, the one with fewer of this client's attempts out.
        PowerOfTwo,
        /// Of a few random ones, the one with the fewest of this client's attempts out.
        PowerOfD {
            /// How many are drawn.
            d: u32 = 3; 2..=power_of_d::MOST,
            /// Each is drawn anew and may be one that was drawn; otherwise all are different.
            replacement: bool = false,
        },
        /// Of two different random ones, the one that took less long of late, times what is out there.
        PeakEwma {
            /// In this time what is known loses all but 1/e of its weight.
            decay: SimDuration = peak_ewma::DECAY; POSITIVE,
        },
        /// One with the fewest requests in hand, as all of them said last.
        LeastReported {
            /// How often a client hears from them, each in its own beat.
            every: SimDuration = SimDuration::from_secs(1); POSITIVE,
            /// So many different ones are drawn, and the least of these is chosen; of all if absent.
            d: Option<u32> = None; 2..=power_of_d::MOST,
            /// What this client has sent since then counts, too.
            counts_own: bool = false,
        },
        /// Each in turn, some more often than others.
        Weighted {
            /// How often, of replicas 0, 1, ..; those beyond have 1.
            weights: Vec<u32>; weighted::Weights,
        },
        /// The one whose point on a ring of hashes comes next.
        ConsistentHash {
            /// What is hashed.
            by: By = By::Key,
            /// Points of each replica on the ring: more points, more even shares.
            vnodes: u32 = consistent_hash::VNODES; 1..=10_000,
            /// No replica has more than so many times the mean of this client's attempts out: who would goes on along the ring. Absent:
            /// however many.
            load_factor: Option<f64> = None; 1.0..=1000.0,
        },
        /// The one that had the first request of a session.
        Sticky {
            /// Whose requests are one session.
            by: Session = Session::Tenant,
            /// A session ends after so long without a request. Absent: never for that.
            max_idle: Option<SimDuration> = None; POSITIVE,
            /// And so long after it began. Absent: never for that.
            max_life: Option<SimDuration> = None; POSITIVE,
        },
    }
}

/// Who chooses.
#[derive(Clone, Copy)]
pub struct Chooser<'a> {
    /// Its number among the clients of its edge.
    pub client: u32,
    /// What tells those of one caller from those of another.
    pub caller: u32,
    /// Among so many.
    pub replicas: u32,
    /// On what, if its [`Balancer`] [needs one](Balancer::circle).
    pub circle: Option<&'a Arc<Circle>>,
    /// Those that are near are preferred, if anything makes a difference between them.
    pub near: Option<Near<'a>>,
}

impl Chooser<'_> {
    /// The only one.
    pub fn of(replicas: u32) -> Self {
        Chooser { client: 0, caller: 0, replicas, circle: None, near: None }
    }
}

/// What one client knows about the replicas of a service.
#[derive(Clone, Debug)]
pub struct BalancerState {
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    Only,
    RoundRobin {
        next: u32,
    },
    Random,
    LeastPending(Box<Ranking>),
    PowerOfTwo {
        pending: Box<[u32]>,
    },
    PowerOfD {
        pending: Box<[u32]>,
        d: u32,
        replacement: bool,
    },
    PeakEwma(Box<PeakEwma>),
    Reported(Box<Reported>),
    Weighted(Box<Weighted>),
    ConsistentHash(Box<ConsistentHash>),
    Sticky(Box<Sticky>),
    /// Any of them, for each of two levels.
    Zone(Box<ZoneState>),
}

impl Balancer {
    /// Whether it wants to know when attempts end.
    pub fn hears_ends(&self) -> bool {
        match self {
            Balancer::RoundRobin
            | Balancer::Random
            | Balancer::Weighted { .. }
            | Balancer::LeastReported { .. }
            | Balancer::Sticky { .. } => false,
            Balancer::ConsistentHash { load_factor, .. } => load_factor.is_some(),
            _ => true,
        }
    }

    /// Whether it wants to know what requests carry: see [`BalancerState::look`].
    pub fn asks_what_is_carried(&self) -> bool {
        matches!(self, Balancer::ConsistentHash { .. } | Balancer::Sticky { .. })
    }

    /// Whether all who choose by it among the replicas of a service remember [something together](BalancerState::lend).
    pub fn keeps_sessions(&self) -> bool {
        matches!(self, Balancer::Sticky { .. })
    }

    /// What all who choose by it among the replicas of a service have in common, if anything.
    pub fn circle(&self, replicas: u32, service: &str, streams: &Streams) -> Option<Arc<Circle>> {
        match self {
            Balancer::ConsistentHash { vnodes, .. } if replicas > 1 => {
                Some(Arc::new(Circle::new(replicas, *vnodes, service, streams)))
            }
            _ => None,
        }
    }

    /// How often it wants to hear what the replicas have in hand: see [`BalancerState::hears`].
    pub fn hears_every(&self) -> Option<SimDuration> {
        match self {
            Balancer::LeastReported { every, .. } => Some(*every),
            _ => None,
        }
    }

    /// And how long each took, and how late it is: see [`BalancerState::look`].
    pub fn times(&self) -> bool {
        matches!(self, Balancer::PeakEwma { .. })
    }
}

impl BalancerState {
    /// A client that has sent nothing yet. Draws one word for round robin, none with a single replica.
    pub fn new(balancer: &Balancer, chooser: Chooser, words: &mut impl Words) -> Self {
        let replicas = chooser.replicas;
        if let (Some(near), 2..) = (chooser.near, replicas) {
            let choice = Choice::Zone(Box::new(ZoneState::new(near, balancer, chooser, words)));
            return BalancerState { choice };
        }
        let choice = match balancer {
            _ if replicas == 1 => Choice::Only,
            Balancer::RoundRobin => Choice::RoundRobin { next: words.below(u64::from(replicas)) as u32 },
            Balancer::Random => Choice::Random,
            Balancer::LeastPending => Choice::LeastPending(Box::new(Ranking::new(replicas))),
            Balancer::PowerOfTwo => Choice::PowerOfTwo { pending: vec![0; replicas as usize].into() },
            Balancer::PowerOfD { d, replacement } => {
                let pending = vec![0; replicas as usize].into();
                Choice::PowerOfD { pending, d: *d, replacement: *replacement }
            }
            Balancer::PeakEwma { decay } => Choice::PeakEwma(Box::new(PeakEwma::new(*decay, replicas))),
            Balancer::LeastReported { d, counts_own, .. } => {
                Choice::Reported(Box::new(Reported::new(*d, *counts_own, replicas)))
            }
            Balancer::Weighted { weights } => {
                Choice::Weighted(Box::new(Weighted::new(weights, replicas, words)))
            }
            Balancer::ConsistentHash { by, load_factor, .. } => match chooser.circle {
                Some(circle) => {
                    let (circle, client) = (circle.clone(), chooser.client ^ chooser.caller);
                    let state = ConsistentHash::new(circle, *by, client, *load_factor, replicas);
                    Choice::ConsistentHash(Box::new(state))
                }
                // Whose place another takes is never asked.
                None => Choice::Only,
            },
            Balancer::Sticky { by, max_idle, max_life } => {
                let rules = (*by, *max_idle, *max_life);
                Choice::Sticky(Box::new(Sticky::new(rules, chooser.client, replicas, words)))
            }
        };
        BalancerState { choice }
    }

    /// Each replica that says anything says how many requests it has in hand.
    pub fn hears(&mut self, in_hand: impl Iterator<Item = Option<u32>> + Clone) {
        match &mut self.choice {
            Choice::Reported(all) => all.hears(in_hand),
            Choice::Zone(all) => all.hears(in_hand),
            _ => {}
        }
    }

    /// It is so late, and who asks carries this: to be told before it [picks](Self::pick), if it asks for [times](Balancer::times)
    /// or for [that](Balancer::asks_what_is_carried).
    #[inline]
    pub fn look(&mut self, now: SimTime, carried: &Carried) {
        match &mut self.choice {
            Choice::PeakEwma(all) => all.look(now),
            Choice::ConsistentHash(all) => all.look(carried),
            Choice::Sticky(all) => all.look(now, carried),
            Choice::Zone(all) => all.look(now, carried),
            _ => {}
        }
    }

    /// Takes what all clients remember together, or gives it back.
    pub fn lend(&mut self, sessions: &mut Option<Box<Sessions>>) {
        match &mut self.choice {
            Choice::Sticky(all) => all.lend(sessions),
            Choice::Zone(all) => all.lend(sessions),
            _ => {}
        }
    }

    /// Whether who asks has a session that goes on with one of these.
    pub fn has_session_in(&self, view: &View) -> bool {
        matches!(&self.choice, Choice::Sticky(all) if all.goes_on_in(view))
    }

    /// A number that is the same for all that is about one thing, if that decides who is chosen.
    pub fn lot(&self) -> Option<u64> {
        match &self.choice {
            Choice::ConsistentHash(all) => all.lot(),
            _ => None,
        }
    }

    /// An attempt that ended now took so long.
    #[inline]
    pub fn took(&mut self, now: SimTime, replica: u32, took: SimDuration) {
        match &mut self.choice {
            Choice::PeakEwma(all) => all.took(now, replica, took),
            Choice::Zone(all) => all.took(now, replica, took),
            _ => {}
        }
    }

    /// The replica for the next attempt: one of `view`.
    #[inline(always)]
    pub fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        let n = view.size();
        match &mut self.choice {
            Choice::RoundRobin { next } => {
                let place = if *next < n { *next } else { 0 };
                *next = if place + 1 == n { 0 } else { place + 1 };
                view.member(place)
            }
            _ => self.pick_by_luck(view, words),
        }
    }

    /// The replica for an attempt that is to go to none of these: asked again so often, after which its choice stands, or until it
    /// is another, as long as there is one.
    #[cold]
    pub fn pick_other(
        &mut self,
        view: &View,
        tried: &[u32],
        picks: Option<u32>,
        words: &mut impl Words,
    ) -> u32 {
        match (&mut self.choice, picks) {
            (Choice::ConsistentHash(all), None) => return all.pick_other(view, tried, words),
            (Choice::Zone(all), _) => return all.pick_other(view, tried, picks, words),
            _ => {}
        }
        let mut choice = self.pick(view, words);
        if view.size() as usize <= tried.len() && view.members().all(|replica| tried.contains(&replica)) {
            return choice;
        }
        // Whoever draws finds one of a few others soon.
        let often = picks.unwrap_or(8.max(tried.len() as u32));
        for _ in 0..often {
            if !tried.contains(&choice) {
                return choice;
            }
            choice = self.pick(view, words);
        }
        if picks.is_some() || !tried.contains(&choice) {
            return choice;
        }
        let new = |replica: &u32| view.contains(*replica) && !tried.contains(replica);
        self.best_of(|replica| new(&replica)).or_else(|| view.members().find(new)).unwrap_or(choice)
    }

    /// How many attempts this client has out there, or how many requests it believes there to be, if that is all that it goes by.
    pub fn pending(&self, replica: u32) -> Option<u32> {
        match &self.choice {
            Choice::LeastPending(ranking) => Some(ranking.pending(replica)),
            Choice::Reported(all) => all.ranking().map(|ranking| ranking.pending(replica)),
            Choice::Zone(all) => all.pending(replica),
            _ => None,
        }
    }

    /// Of those that are wanted, the one that it would rather have than the others, if it makes a difference between them.
    pub fn best_of(&self, wanted: impl Fn(u32) -> bool) -> Option<u32> {
        match &self.choice {
            Choice::LeastPending(ranking) => ranking.least_of(wanted),
            Choice::Reported(all) => all.ranking()?.least_of(wanted),
            Choice::Zone(all) => all.best_of(&wanted),
            _ => None,
        }
    }

    #[inline(never)]
    fn pick_by_luck(&mut self, view: &View, words: &mut impl Words) -> u32 {
        let n = view.size();
        match &mut self.choice {
            Choice::Only => 0,
            Choice::RoundRobin { .. } => unreachable!("in turn, not by luck"),
            Choice::Random => view.member(words.below(u64::from(n)) as u32),
            Choice::LeastPending(ranking) => ranking.least(view, words),
            Choice::PowerOfTwo { .. } if n == 1 => view.member(0),
            Choice::PowerOfTwo { pending } => {
                let first = words.below(u64::from(n)) as u32;
                let second = words.below(u64::from(n - 1)) as u32;
                let second = view.member(second + u32::from(second >= first));
                let first = view.member(first);
                if pending[second as usize] < pending[first as usize] { second } else { first }
            }
            Choice::PowerOfD { pending, d, replacement } => {
                power_of_d::least_of_drawn(view, pending, *d, *replacement, words)
            }
            Choice::PeakEwma(all) => all.pick(view, words),
            Choice::Reported(all) => all.pick(view, words),
            Choice::Weighted(all) => all.pick(view, words),
            Choice::ConsistentHash(all) => all.pick(view, words),
            Choice::Sticky(all) => all.pick(view),
            Choice::Zone(all) => all.pick(view, words),
        }
    }

    /// An attempt went to `replica`.
    #[inline(always)]
    pub fn sent(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random => {}
            Choice::PowerOfTwo { pending } => pending[replica as usize] += 1,
            _ => self.counts_sent(replica),
        }
    }

    /// An attempt that went to `replica` has ended, as this client sees it.
    #[inline(always)]
    pub fn ended(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random => {}
            Choice::PowerOfTwo { pending } => take_one(&mut pending[replica as usize]),
            _ => self.counts_ended(replica),
        }
    }

    /// The same for those whose books are longer: out of the way of the others.
    #[inline(never)]
    fn counts_sent(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::LeastPending(ranking) => ranking.sent(replica),
            Choice::PowerOfD { pending, .. } => pending[replica as usize] += 1,
            Choice::PeakEwma(all) => all.sent(replica),
            Choice::Reported(all) => all.sent(replica),
            Choice::ConsistentHash(all) => all.sent(replica),
            Choice::Zone(all) => all.sent(replica),
            Choice::Weighted(_) | Choice::Sticky(_) => {}
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random | Choice::PowerOfTwo { .. } => {
                unreachable!("they have no books, or short ones")
            }
        }
    }

    #[inline(never)]
    fn counts_ended(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::LeastPending(ranking) => ranking.ended(replica),
            Choice::PowerOfD { pending, .. } => take_one(&mut pending[replica as usize]),
            Choice::PeakEwma(all) => all.ended(replica),
            Choice::ConsistentHash(all) => all.ended(replica),
            Choice::Zone(all) => all.ended(replica),
            Choice::Reported(_) | Choice::Weighted(_) | Choice::Sticky(_) => {}
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random | Choice::PowerOfTwo { .. } => {
                unreachable!("they have no books, or short ones")
            }
        }
    }
}

impl Part for Balancer {
    fn does(&self) -> Does {
        match self {
            Balancer::Random => Does::NOTHING,
            _ => Does::STEERS,
        }
    }

    fn brief(&self) -> Option<String> {
        match self {
            Balancer::RoundRobin => None,
            _ => Some(self.encode().plain()),
        }
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.keeps_sessions() { vec![sticky::declared(at)] } else { Vec::new() }
    }

    /// Whoever calls all alike leaves as often as others stand elsewhere.
    fn leaves(&self, around: &Around) -> Option<f64> {
        let (Balancer::RoundRobin | Balancer::Random, Some(apart)) = (self, around.apart) else {
            return None;
        };
        let share = |zone| {
            let callers = f64::from(apart.callers.count(zone, around.clients)) / f64::from(around.clients);
            callers * f64::from(apart.callees.count(zone, around.choices)) / f64::from(around.choices)
        };
        Some(1.0 - apart.zones().map(share).sum::<f64>())
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (Balancer::ConsistentHash { vnodes, .. }, 2..) = (self, around.choices) else {
            return Vec::new();
        };
        vec![format!(
            "{}: the shares of {} replicas on a ring with {vnodes} points each differ by {:.1} % (standard deviation)",
            around.name,
            around.choices,
            100.0 * ring_share_cv(around.choices, *vnodes)
        )]
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        if let (Balancer::ConsistentHash { by, .. }, 2..) = (self, around.choices) {
            let (what, help) = by.unsaid(around.says)?;
            let why = format!("no request over {} says {what}: chance decides where it goes", around.name);
            return Some((why, help.into()));
        }
        if let (Balancer::Sticky { by: Session::Tenant, .. }, 2.., false) =
            (self, around.choices, around.says.tenant)
        {
            let why = format!("no request over {} says whose it is, so there are no sessions", around.name);
            return Some((why, "`tenants` of the workload, or `by: Client`".into()));
        }
        let Balancer::Weighted { weights } = self else { return None };
        let beyond = weights.len().checked_sub(around.choices as usize).filter(|beyond| *beyond > 0)?;
        let why = format!(
            "{} has {} weights for {} replicas: the last {beyond} are nobody's",
            around.name,
            weights.len(),
            around.choices
        );
        (around.choices > 0).then(|| (why, "a weight for each replica, in their order".into()))
    }

    fn bytes(&self, replicas: u32) -> u64 {
        match self {
            Balancer::LeastPending => 12 * u64::from(replicas) + 128,
            Balancer::PowerOfTwo | Balancer::PowerOfD { .. } => 4 * u64::from(replicas),
            Balancer::LeastReported { .. } => 12 * u64::from(replicas) + 160,
            Balancer::PeakEwma { .. } => {
                (size_of::<peak_ewma::Host>() as u64) * u64::from(replicas) + size_of::<PeakEwma>() as u64
            }
            Balancer::Weighted { .. } => 40 * u64::from(replicas) + size_of::<Weighted>() as u64,
            Balancer::ConsistentHash { load_factor, .. } => {
                ConsistentHash::bytes(replicas, load_factor.is_some())
            }
            Balancer::Sticky { .. } => size_of::<Sticky>() as u64,
            Balancer::RoundRobin | Balancer::Random => 0,
        }
    }

    fn bytes_of_all(&self, replicas: u32) -> u64 {
        match self {
            Balancer::ConsistentHash { vnodes, .. } => Circle::bytes(replicas, *vnodes),
            _ => 0,
        }
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "balancer",
                word: "",
                what: "Chooses the replica that an attempt goes to, by what this client has out itself. Round robin \
                   starts at a random place.",
                hurts: "A client knows only its own attempts: of ten thousand with one call each none knows \
                   anything, and least-pending is then random. A replica that fails quickly looks idle and \
                   draws calls.",
                formula: "of queues at load rho a share `rho^(2^k - 1)` has `k` or more with two choices, `rho^k` with \
                   one; at 0.9 of ten replicas the mean wait is 9.0 (random), 4.7 (round robin), 2.2 (two \
                   choices), 0.7 (one line)",
                source: "Mitzenmacher, \"The Power of Two Choices\", 2001; Vvedenskaya et al. 1996; Finagle P2C; \
                   Envoy LEAST_REQUEST",
                experiment: "hedged-requests",
            },
            power_of_d::PAGE,
            reported::PAGE,
            peak_ewma::PAGE,
            weighted::PAGE,
            consistent_hash::PAGE,
            sticky::PAGE,
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "RoundRobin",
            "Random",
            "LeastPending",
            "PowerOfTwo",
            "PowerOfD()",
            "PowerOfD(d: 2, replacement: true)",
            r#"LeastReported(every: "50ms")"#,
            r#"LeastReported(every: "300ms", d: 2, counts_own: true)"#,
            "PeakEwma()",
            r#"PeakEwma(decay: "50ms")"#,
            "Weighted(weights: [3])",
            "Weighted(weights: [1, 5, 1000])",
            "ConsistentHash()",
            "ConsistentHash(by: Client, vnodes: 1, load_factor: 1)",
            "ConsistentHash(by: Tenant, vnodes: 7, load_factor: 1.25)",
            "Sticky()",
            r#"Sticky(by: Client, max_idle: "200ms", max_life: "1s")"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Stream, Streams};

    const ALL: [Balancer; 11] = [
        Balancer::RoundRobin,
        Balancer::Random,
        Balancer::LeastPending,
        Balancer::PowerOfTwo,
        Balancer::PowerOfD { d: 3, replacement: false },
        Balancer::PowerOfD { d: 2, replacement: true },
        Balancer::PeakEwma { decay: peak_ewma::DECAY },
        Balancer::LeastReported { every: peak_ewma::DECAY, d: None, counts_own: true },
        Balancer::LeastReported { every: peak_ewma::DECAY, d: Some(2), counts_own: false },
        Balancer::Weighted { weights: Vec::new() },
        Balancer::Sticky { by: Session::Tenant, max_idle: None, max_life: None },
    ];

    fn stream(name: &str) -> Stream {
        Streams::new(42).stream("test", name)
    }

    #[test]
    fn one_replica_draws_nothing() {
        let view = View::all(1);
        let mut words = stream("one");
        for balancer in &ALL {
            let mut state = BalancerState::new(balancer, Chooser::of(1), &mut words);
            assert_eq!(state.pick(&view, &mut words), 0);
            state.sent(0);
            state.ended(0);
        }
        assert_eq!(words.used().draws, 0);
    }

    /// Once all are tried each has its turn again, and not always the same.
    #[test]
    fn whoever_has_tried_all_goes_on_as_usual() {
        for balancer in &ALL {
            let mut words = stream(&format!("tried/{balancer:?}"));
            let view = View::all(3);
            let mut state = BalancerState::new(balancer, Chooser::of(3), &mut words);
            let mut picks = [0u32; 3];
            (0..3_000).for_each(|_| {
                let replica = state.pick_other(&view, &[2, 0, 1], None, &mut words);
                picks[replica as usize] += 1;
            });
            // Binomial(3000, 1/3): sd 25.8.
            assert!(picks.iter().all(|&n| n.abs_diff(1_000) < 104), "{balancer:?}: {picks:?}");
        }
    }

    #[test]
    fn round_robin_takes_turns_from_a_random_start() {
        let mut words = stream("turns");
        let view = View::all(5);
        let mut starts = [0u32; 5];
        for _ in 0..5_000 {
            let mut state = BalancerState::new(&Balancer::RoundRobin, Chooser::of(5), &mut words);
            let picks: Vec<u32> = (0..12).map(|_| state.pick(&view, &mut words)).collect();
            assert!(picks.windows(2).all(|two| two[1] == (two[0] + 1) % 5), "{picks:?}");
            starts[picks[0] as usize] += 1;
        }
        // Binomial(5000, 1/5): sd 28.3.
        assert!(starts.iter().all(|&n| n.abs_diff(1_000) < 114), "{starts:?}");
    }

    #[test]
    fn every_idle_replica_is_as_likely() {
        for balancer in &ALL {
            for replicas in [2, 3, 10] {
                const N: u32 = 30_000;
                let mut words = stream(&format!("{balancer:?}/{replicas}"));
                let view = View::all(replicas);
                let mut state = BalancerState::new(balancer, Chooser::of(replicas), &mut words);
                let mut picks = vec![0u32; replicas as usize];
                (0..N).for_each(|_| picks[state.pick(&view, &mut words) as usize] += 1);
                let p = 1.0 / f64::from(replicas);
                let error = (f64::from(N) * p * (1.0 - p)).sqrt();
                for (replica, &n) in picks.iter().enumerate() {
                    let off = (f64::from(n) - f64::from(N) * p).abs();
                    assert!(off < 4.0 * error, "{balancer:?}: replica {replica} of {replicas}: {n}");
                }
            }
        }
    }

    #[test]
    fn least_pending_is_what_a_scan_would_find_whoever_may_be_chosen() {
        for replicas in [2, 3, 64, 200] {
            let mut view = View::all(replicas);
            let mut members: Vec<u32> = (0..replicas).collect();
            let mut words = stream(&format!("scan/{replicas}"));
            let mut state = BalancerState::new(&Balancer::LeastPending, Chooser::of(replicas), &mut words);
            let mut pending = vec![0u32; replicas as usize];
            let mut out: Vec<u32> = Vec::new();
            for _ in 0..20_000 {
                let pick = state.pick(&view, &mut words);
                let least = members.iter().map(|&member| pending[member as usize]).min();
                assert_eq!(Some(pending[pick as usize]), least);
                assert!(members.contains(&pick), "{pick} may not be chosen");
                // Now and then others may be chosen, in another order.
                if words.below(50) == 0 {
                    members = (0..replicas).rev().filter(|_| words.below(3) > 0).collect();
                    members.extend((members.is_empty()).then_some(0));
                    view.change(members.iter().copied());
                }
                // Sometimes the attempt goes elsewhere: a balancer must believe what it is told.
                let to = if words.below(4) == 0 { words.below(u64::from(replicas)) as u32 } else { pick };
                state.sent(to);
                pending[to as usize] += 1;
                out.push(to);
                while !out.is_empty() && words.below(20) < 10 {
                    let ended = out.swap_remove(words.below(out.len() as u64) as usize);
                    state.ended(ended);
                    pending[ended as usize] -= 1;
                }
            }
        }
    }

    #[test]
    fn power_of_two_never_picks_the_busiest() {
        let view = View::all(4);
        let mut words = stream("two");
        let mut state = BalancerState::new(&Balancer::PowerOfTwo, Chooser::of(4), &mut words);
        for (replica, pending) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
            (0..pending).for_each(|_| state.sent(replica));
        }
        const N: u32 = 60_000;
        let mut picks = [0u32; 4];
        (0..N).for_each(|_| picks[state.pick(&view, &mut words) as usize] += 1);
        // Of the six pairs, the k-th idlest wins against all that are busier: 0, 1, 2 and 3 pairs.
        for (replica, pairs) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
            let p = f64::from(pairs) / 6.0;
            let error = (f64::from(N) * p * (1.0 - p)).sqrt();
            assert!((f64::from(picks[replica]) - f64::from(N) * p).abs() <= 4.0 * error, "{picks:?}");
        }
        state.ended(0);
        state.ended(0);
        state.ended(0);
        (0..N).for_each(|_| picks[state.pick(&view, &mut words) as usize] += 1);
        assert!(picks[0] > N / 6, "what ended is forgotten: {picks:?}");
    }

    #[test]
    fn only_members_are_chosen_and_none_is_forgotten() {
        for balancer in &ALL {
            let mut words = stream(&format!("members/{balancer:?}"));
            let mut view = View::all(6);
            let mut state = BalancerState::new(balancer, Chooser::of(6), &mut words);
            for members in [vec![4, 1, 3], vec![5], vec![0, 5], vec![2], (0..6).collect()] {
                view.change(members.iter().copied());
                let mut picks: Vec<u32> = (0..200).map(|_| state.pick(&view, &mut words)).collect();
                if let Balancer::RoundRobin = balancer {
                    let from = members.iter().position(|&member| member == picks[0]).unwrap();
                    let turns = members.iter().cycle().skip(from).take(picks.len());
                    assert!(picks.iter().eq(turns), "each in turn: {picks:?}");
                }
                picks.sort_unstable();
                picks.dedup();
                let mut members = members;
                members.sort_unstable();
                assert_eq!(picks, members, "{balancer:?}");
            }
        }
    }

    /// Who is to go elsewhere goes to the next least of those that are said to have little.
    #[test]
    fn the_next_that_has_little() {
        let mut words = stream("reported");
        let balancer = Balancer::LeastReported { every: peak_ewma::DECAY, d: None, counts_own: false };
        let view = View::all(4);
        let mut state = BalancerState::new(&balancer, Chooser::of(4), &mut words);
        state.hears([Some(7), Some(1), Some(3), None].into_iter());
        // One that says nothing is believed to have what it had: nothing.
        assert_eq!(state.pick(&view, &mut words), 3);
        assert_eq!(state.pick_other(&view, &[3, 1], None, &mut words), 2);
    }

    #[test]
    fn there_may_be_nobody() {
        let mut view = View::all(3);
        view.change([]);
        assert_eq!((view.size(), view.of(), view.contains(0)), (0, 3, false));
    }

    #[test]
    #[should_panic(expected = "never sent")]
    fn only_what_was_sent_can_end() {
        let mut words = stream("panic");
        BalancerState::new(&Balancer::LeastPending, Chooser::of(3), &mut words).ended(1);
    }

    /// Others may be chosen for each attempt, a few at a time, and nothing is remembered of that.
    #[test]
    fn a_few_for_one_attempt() {
        for balancer in &ALL {
            let mut words = stream(&format!("few/{balancer:?}"));
            let mut view = View::passing();
            let mut state = BalancerState::new(balancer, Chooser::of(9), &mut words);
            let mut picks = [0u32; 9];
            for number in 0..9_000u32 {
                let few = [number % 9, (number + 4) % 9];
                view.pass(few);
                let pick = state.pick(&view, &mut words);
                assert!(few.contains(&pick), "{balancer:?}: {pick} of {few:?}");
                picks[pick as usize] += 1;
                let other = state.pick_other(&view, &[pick], None, &mut words);
                assert!(few.contains(&other) && other != pick, "{balancer:?}: {other} of {few:?}");
            }
            // Each is one of two for two of nine: Binomial(2000, 1/2), sd 22.
            assert!(picks.iter().all(|picks| picks.abs_diff(1_000) < 100), "{balancer:?}: {picks:?}");
        }
        // Whoever has fewer out is chosen.
        let mut words = stream("few/least");
        let mut view = View::passing();
        let mut state = BalancerState::new(&Balancer::LeastPending, Chooser::of(4), &mut words);
        [3, 3, 1, 0].into_iter().for_each(|replica| state.sent(replica));
        for (few, least) in [([3, 1], 1), ([0, 3], 0), ([2, 1], 2)] {
            view.pass(few);
            assert_eq!(state.pick(&view, &mut words), least, "{few:?}");
        }
        assert_eq!(state.pick(&View::all(4), &mut words), 2, "and of all as before");
    }
}
