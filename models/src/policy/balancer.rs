//! Which replica an attempt goes to, as one client sees it.
//!
//! A client knows only its own attempts: what is pending here is what *this* client has out, not the
//! replica's queue. Ten thousand clients with one call each know next to nothing, and least-pending is then
//! no better than random; one client that sends everything knows all. With full knowledge, random gives
//! `n` M/M/1 queues, two random choices already make long queues doubly exponentially rare (Mitzenmacher
//! 2001), and least-pending is close to one shared queue.
//!
//! Round robin starts at a random replica, or many clients would march in step.

use super::part::{Does, Part};
use crate::experiment::Decode;
use sim_core::Words;

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
    }
}

/// What one client knows about the replicas of a service.
#[derive(Clone, Debug)]
pub struct BalancerState {
    replicas: u32,
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    Only,
    RoundRobin { next: u32 },
    Random,
    LeastPending(Box<Ranking>),
    PowerOfTwo { pending: Box<[u32]> },
}

impl BalancerState {
    /// A client that has sent nothing yet. Draws one word for round robin, none with a single replica.
    pub fn new(balancer: &Balancer, replicas: u32, words: &mut impl Words) -> Self {
        assert!(replicas > 0, "a balancer without replicas");
        let choice = match balancer {
            _ if replicas == 1 => Choice::Only,
            Balancer::RoundRobin => Choice::RoundRobin { next: words.below(u64::from(replicas)) as u32 },
            Balancer::Random => Choice::Random,
            Balancer::LeastPending => Choice::LeastPending(Box::new(Ranking::new(replicas))),
            Balancer::PowerOfTwo => Choice::PowerOfTwo { pending: vec![0; replicas as usize].into() },
        };
        BalancerState { replicas, choice }
    }

    /// The replica for the next attempt.
    #[inline]
    pub fn pick(&mut self, words: &mut impl Words) -> u32 {
        let n = u64::from(self.replicas);
        match &mut self.choice {
            Choice::Only => 0,
            Choice::RoundRobin { next } => {
                let pick = *next;
                *next = if pick + 1 == self.replicas { 0 } else { pick + 1 };
                pick
            }
            Choice::Random => words.below(n) as u32,
            Choice::LeastPending(ranking) => ranking.least(words),
            Choice::PowerOfTwo { pending } => {
                let first = words.below(n) as usize;
                let second = words.below(n - 1) as usize;
                let second = second + usize::from(second >= first);
                (if pending[second] < pending[first] { second } else { first }) as u32
            }
        }
    }

    /// An attempt went to `replica`.
    #[inline]
    pub fn sent(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::LeastPending(ranking) => ranking.sent(replica),
            Choice::PowerOfTwo { pending } => pending[replica as usize] += 1,
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random => {}
        }
    }

    /// An attempt that went to `replica` has ended, as this client sees it.
    #[inline]
    pub fn ended(&mut self, replica: u32) {
        match &mut self.choice {
            Choice::LeastPending(ranking) => ranking.ended(replica),
            Choice::PowerOfTwo { pending } => take_one(&mut pending[replica as usize]),
            Choice::Only | Choice::RoundRobin { .. } | Choice::Random => {}
        }
    }
}

#[inline]
fn take_one(pending: &mut u32) {
    *pending = pending.checked_sub(1).expect("an attempt ended that was never sent");
}

/// Replicas in the order of what they have pending, and where each number begins. A replica that gains or
/// loses one swaps places with the last or first of its equals, and one boundary moves: no scan, however
/// many replicas there are. All that have the fewest stand together, so that a random one of them is one
/// draw (a priority queue would always give the same one).
#[derive(Clone, Debug)]
struct Ranking {
    pending: Box<[u32]>,
    /// Replicas, fewest pending first.
    order: Box<[u32]>,
    /// Where in `order` each replica stands.
    place: Box<[u32]>,
    /// `fewer[k]`: how many replicas have fewer than `k` pending. One longer than the most ever pending.
    fewer: Vec<u32>,
}

impl Ranking {
    fn new(replicas: u32) -> Self {
        let order: Box<[u32]> = (0..replicas).collect();
        let pending = vec![0; replicas as usize].into();
        Ranking { pending, place: order.clone(), order, fewer: vec![0, replicas] }
    }

    #[inline]
    fn least(&self, words: &mut impl Words) -> u32 {
        let least = self.pending[self.order[0] as usize];
        let equals = self.fewer[least as usize + 1];
        self.order[if equals > 1 { words.below(u64::from(equals)) as usize } else { 0 }]
    }

    #[inline]
    fn sent(&mut self, replica: u32) {
        let more = self.pending[replica as usize] + 1;
        self.fewer[more as usize] -= 1;
        self.move_to(replica, self.fewer[more as usize]);
        self.pending[replica as usize] = more;
        if more as usize + 1 == self.fewer.len() {
            self.fewer.push(self.order.len() as u32);
        }
    }

    #[inline]
    fn ended(&mut self, replica: u32) {
        let pending = &mut self.pending[replica as usize];
        let before = *pending as usize;
        take_one(pending);
        self.move_to(replica, self.fewer[before]);
        self.fewer[before] += 1;
    }

    #[inline]
    fn move_to(&mut self, replica: u32, to: u32) {
        let from = self.place[replica as usize];
        let other = self.order[to as usize];
        self.order.swap(from as usize, to as usize);
        self.place[other as usize] = from;
        self.place[replica as usize] = to;
    }
}

impl Part for Balancer {
    fn does(&self) -> Does {
        match self {
            Balancer::Random => Does::NOTHING,
            Balancer::RoundRobin | Balancer::LeastPending | Balancer::PowerOfTwo => Does::STEERS,
        }
    }

    fn brief(&self) -> Option<String> {
        match self {
            Balancer::RoundRobin => None,
            _ => Some(self.encode().plain()),
        }
    }

    fn bytes(&self, replicas: u32) -> u64 {
        match self {
            Balancer::LeastPending => 12 * u64::from(replicas) + 128,
            Balancer::PowerOfTwo => 4 * u64::from(replicas),
            Balancer::RoundRobin | Balancer::Random => 0,
        }
    }

    fn samples() -> &'static [&'static str] {
        &["RoundRobin", "Random", "LeastPending", "PowerOfTwo"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::{Stream, Streams};

    const ALL: [Balancer; 4] =
        [Balancer::RoundRobin, Balancer::Random, Balancer::LeastPending, Balancer::PowerOfTwo];

    fn stream(name: &str) -> Stream {
        Streams::new(42).stream("test", name)
    }

    #[test]
    fn one_replica_draws_nothing() {
        let mut words = stream("one");
        for balancer in &ALL {
            let mut state = BalancerState::new(balancer, 1, &mut words);
            assert_eq!(state.pick(&mut words), 0);
            state.sent(0);
            state.ended(0);
        }
        assert_eq!(words.used().draws, 0);
    }

    #[test]
    fn round_robin_takes_turns_from_a_random_start() {
        let mut words = stream("turns");
        let mut starts = [0u32; 5];
        for _ in 0..5_000 {
            let mut state = BalancerState::new(&Balancer::RoundRobin, 5, &mut words);
            let picks: Vec<u32> = (0..12).map(|_| state.pick(&mut words)).collect();
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
                let mut state = BalancerState::new(balancer, replicas, &mut words);
                let mut picks = vec![0u32; replicas as usize];
                (0..N).for_each(|_| picks[state.pick(&mut words) as usize] += 1);
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
    fn least_pending_is_what_a_scan_would_find() {
        for replicas in [2, 3, 64, 200] {
            let mut words = stream(&format!("scan/{replicas}"));
            let mut state = BalancerState::new(&Balancer::LeastPending, replicas, &mut words);
            let mut pending = vec![0u32; replicas as usize];
            let mut out: Vec<u32> = Vec::new();
            for _ in 0..20_000 {
                let pick = state.pick(&mut words);
                assert_eq!(pending[pick as usize], *pending.iter().min().unwrap());
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
        let mut words = stream("two");
        let mut state = BalancerState::new(&Balancer::PowerOfTwo, 4, &mut words);
        for (replica, pending) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
            (0..pending).for_each(|_| state.sent(replica));
        }
        const N: u32 = 60_000;
        let mut picks = [0u32; 4];
        (0..N).for_each(|_| picks[state.pick(&mut words) as usize] += 1);
        // Of the six pairs, the k-th idlest wins against all that are busier: 0, 1, 2 and 3 pairs.
        for (replica, pairs) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
            let p = f64::from(pairs) / 6.0;
            let error = (f64::from(N) * p * (1.0 - p)).sqrt();
            assert!((f64::from(picks[replica]) - f64::from(N) * p).abs() <= 4.0 * error, "{picks:?}");
        }
        state.ended(0);
        state.ended(0);
        state.ended(0);
        (0..N).for_each(|_| picks[state.pick(&mut words) as usize] += 1);
        assert!(picks[0] > N / 6, "what ended is forgotten: {picks:?}");
    }

    #[test]
    #[should_panic(expected = "never sent")]
    fn only_what_was_sent_can_end() {
        let mut words = stream("panic");
        BalancerState::new(&Balancer::LeastPending, 3, &mut words).ended(1);
    }
}
