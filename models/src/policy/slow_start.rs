//! Whoever has just come is sent little, and more and more until it has its share.
//!
//! A replica that starts is cold, and a balancer that counts what is out finds it idle: it would be sent the most when it can do the
//! least. For `window` after it may be chosen (again) its weight is
//!
//! ```text
//! max(min_weight, (t / window) ^ (1 / aggression))
//! ```
//!
//! of that of the others, as in Envoy. Whoever sends in turn, or draws, passes it over as often as that is short of 1 and asks again;
//! whoever counts what is out holds one attempt there for as many as `1 / weight` elsewhere (NGINX, `least_conn` with weights). A client
//! whose breakers stand before one replica each chooses as these say, and one that goes by keys as they do: neither looks here.

use super::guards::{Balancing, View};
use super::page::Page;
use super::part::{Around, Does, Part};
use crate::experiment::POSITIVE;
use sim_core::{SimDuration, SimTime, Words, math};

spec! {
    /// A share that grows, for a replica that has just come.
    pub struct SlowStart {
        /// How long it takes until it has its whole share.
        window: SimDuration; POSITIVE,
        /// How the share grows: 1 is in a straight line, more is faster at first, less slower.
        aggression: f64 = 1.0; 0.01..=100.0,
        /// The share that it has at once, of that of the others.
        min_weight: f64 = 0.1; 0.0..=1.0,
    }
}

/// Passed over more often than this, a choice stands.
const MOST: usize = 8;

impl SlowStart {
    /// The weight of a replica that has been there for so long.
    fn weight(&self, after: SimDuration) -> f64 {
        if after >= self.window {
            return 1.0;
        }
        let part = after.as_nanos() as f64 / self.window.as_nanos() as f64;
        math::pow(part, 1.0 / self.aggression).max(self.min_weight)
    }

    fn weight_in(&self, view: &View, replica: u32, now: SimTime) -> f64 {
        view.since(replica).map_or(1.0, |since| self.weight(now.since(since)))
    }

    /// Whom the balancer chooses in the end of those that this client may, and of all, that has chosen this one first: none of those that
    /// were tried, as long as there are others.
    #[cold]
    pub fn settle(
        &self,
        first: u32,
        chooser: &mut Balancing,
        (view, all): (&View, &View),
        tried: &[u32],
        now: SimTime,
        words: &mut impl Words,
    ) -> u32 {
        let (mut choice, mut passed_over) = (first, [u32::MAX; MOST]);
        for number in 0..MOST {
            let weight = self.weight_in(all, choice, now);
            if weight >= 1.0 {
                return choice;
            }
            passed_over[number] = choice;
            let is_new = |replica| {
                view.contains(replica) && !passed_over.contains(&replica) && !tried.contains(&replica)
            };
            let others = chooser.best_of(is_new);
            match (chooser.pending(choice), others) {
                (Some(here), Some(other)) => {
                    let there = chooser.pending(other).expect("it counts");
                    let heavier = self.weight_in(all, other, now);
                    if f64::from(here + 1) / weight <= f64::from(there + 1) / heavier {
                        return choice;
                    }
                    choice = other;
                }
                (Some(_), None) => return choice,
                (None, _) if words.unit() < weight => return choice,
                (None, _) if tried.is_empty() => choice = chooser.pick(view, words),
                (None, _) => choice = chooser.pick_other(view, tried, None, words),
            }
        }
        choice
    }
}

impl Part for SlowStart {
    fn does(&self) -> Does {
        Does::STEERS
    }

    fn brief(&self) -> Option<String> {
        Some(format!("slow start {}", self.window))
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        (around.choices == 1).then(|| {
            let why = format!(
                "callers of {} have one replica to choose, or one queue: all of it starts slowly",
                around.name
            );
            (why, "replicas of its own, each with its queue".into())
        })
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "slow_start",
            word: "",
            what: "Sends little to a replica that has just come, started or been found well, and more and more until it has its share.",
            hurts: "Those that are there carry what it does not yet, for the whole window: where they have no room for that, a start costs \
                    more than the cold would. A window that is shorter than the warming up does little.",
            formula: "at `t` it has `max(min_weight, (t / window)^(1 / aggression))` of the share of another; that is enough if at any time \
                      share x coldness x utilisation stays below 1",
            source: "Envoy `slow_start_config` (aggression 1, min_weight_percent 10); NGINX Plus `slow_start`, HAProxy `slowstart`",
            experiment: "slow-start",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#"(window: "1s")"#, r#"(window: "200ms", aggression: 0.5, min_weight: 0)"#]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::balancer::{Balancer, BalancerState, Chooser};
    use crate::policy::tests::read;
    use sim_core::Streams;

    /// Envoy's documentation: aggression 1 in a straight line; at 2 the root; and never less than the least.
    #[test]
    fn how_the_share_grows() {
        for (text, shares) in [
            ("", [0.1, 0.25, 0.5, 1.0]),
            (", aggression: 2", [0.1, 0.5, 0.5f64.sqrt(), 1.0]),
            (", aggression: 0.5, min_weight: 0", [0.0, 0.0625, 0.25, 1.0]),
        ] {
            let slow = read::<SlowStart>(&format!(r#"(window: "60s"{text})"#)).expect("sound").0;
            for (at, share) in [0, 15, 30, 60].into_iter().zip(shares) {
                let found = slow.weight(SimDuration::from_secs(at));
                assert!((found - share).abs() < 1e-12, "{text} at {at} s: {found}");
            }
        }
    }

    /// Of four the last has just come, and has half the share of another: a seventh of all.
    #[test]
    fn who_sends_in_turn_or_draws_gives_it_its_share() {
        let slow = read::<SlowStart>(r#"(window: "60s")"#).expect("sound").0;
        for balancer in
            [Balancer::RoundRobin, Balancer::Random, Balancer::PowerOfD { d: 2, replacement: true }]
        {
            let mut words = Streams::new(5).stream("test", &format!("{balancer:?}"));
            let mut view = View::all(4);
            view.joins(3, SimTime::from_secs(100));
            let mut state = BalancerState::new(&balancer, Chooser::of(4), &mut words);
            let now = SimTime::from_secs(130);
            let mut picks = [0u32; 4];
            for _ in 0..28_000 {
                let first = state.pick(&view, &mut words);
                picks[slow.settle(first, &mut state, (&view, &view), &[], now, &mut words) as usize] += 1;
            }
            // Binomial(28000, 1/7): sd 59; (28000, 2/7): 76.
            assert!(picks[3].abs_diff(4_000) < 240, "{balancer:?}: {picks:?}");
            assert!(picks[..3].iter().all(|n| n.abs_diff(8_000) < 310), "{balancer:?}: {picks:?}");
        }
    }

    /// One attempt there is as good as four elsewhere.
    #[test]
    fn who_counts_what_is_out_gives_it_less() {
        let slow = read::<SlowStart>(r#"(window: "60s")"#).expect("sound").0;
        let mut words = Streams::new(5).stream("test", "counts");
        let mut view = View::all(3);
        view.joins(2, SimTime::from_secs(100));
        let mut state = BalancerState::new(&Balancer::LeastPending, Chooser::of(3), &mut words);
        let mut out = [0u32; 3];
        for _ in 0..90 {
            let first = state.pick(&view, &mut words);
            let replica =
                slow.settle(first, &mut state, (&view, &view), &[], SimTime::from_secs(115), &mut words);
            state.sent(replica);
            out[replica as usize] += 1;
        }
        assert_eq!(out, [40, 40, 10]);
    }

    /// A retry that is to go elsewhere does, whoever has just come.
    #[test]
    fn who_was_tried_is_not_chosen_again() {
        let slow = read::<SlowStart>(r#"(window: "60s", min_weight: 0)"#).expect("sound").0;
        for balancer in [Balancer::Random, Balancer::RoundRobin, Balancer::LeastPending] {
            let mut words = Streams::new(5).stream("test", &format!("tried {balancer:?}"));
            let mut view = View::all(3);
            view.joins(2, SimTime::from_secs(100));
            let mut state = BalancerState::new(&balancer, Chooser::of(3), &mut words);
            let mut tried = 0;
            for _ in 0..200 {
                let first = state.pick_other(&view, &[0], None, &mut words);
                let now = SimTime::from_secs(100);
                let choice = slow.settle(first, &mut state, (&view, &view), &[0], now, &mut words);
                tried += u32::from(choice == 0);
            }
            assert_eq!(tried, 0, "{balancer:?}");
        }
    }

    /// One that is said to have little is still one that can do little.
    #[test]
    fn what_is_reported_is_weighed() {
        let slow = read::<SlowStart>(r#"(window: "60s")"#).expect("sound").0;
        let reported = read::<Balancer>("LeastReported()").expect("sound").0;
        let mut words = Streams::new(5).stream("test", "reported");
        let mut view = View::all(3);
        view.joins(2, SimTime::from_secs(100));
        let mut state = BalancerState::new(&reported, Chooser::of(3), &mut words);
        // At a quarter of its weight 3 there are as good as 12 elsewhere, and 2 as 8.
        for (in_hand, chosen) in [(2, false), (1, true)] {
            state.hears([10, 10, in_hand].map(Some).into_iter());
            let first = state.pick(&view, &mut words);
            assert_eq!(first, 2);
            let now = SimTime::from_secs(115);
            let choice = slow.settle(first, &mut state, (&view, &view), &[], now, &mut words);
            assert_eq!(choice == 2, chosen, "{in_hand}");
        }
    }
}
