//! One wire, both ways: how long a message needs, whether it arrives, and whether it is kept back.
//!
//! A link is asked once for each message and answers with its [`Fate`]; whoever asked schedules the arrival. Its
//! luck is addressed by the message's key, each way its own, so that a retry meets the same network under every
//! policy. What faults do to it stands in its [`ActiveSet`]. A message that is lost is lost before it can be kept
//! back; what is kept back arrives, in order, when nothing holds it any more.

use crate::distribution::TimeDistribution;
use crate::fault::{ActiveSet, Effect, OnLink};
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// A link that carries messages `M`.
#[derive(Clone)]
pub struct Link<M> {
    latency: Latency,
    drop_luck: Luck,
    delay_luck: Luck,
    faults: ActiveSet,
    /// Derived from `faults`.
    state: OnLink,
    /// Derived: a message arrives in the very event that sends it. No latency, and nothing is wrong.
    instant: bool,
    /// Derived: how long every message needs, if all need as long, and not nothing, and nothing is wrong.
    steady: Option<SimDuration>,
    /// Messages kept back, in order.
    held: Vec<M>,
}

#[derive(Clone)]
enum Latency {
    Instant,
    Constant(SimDuration),
    Random { time: Distribution, out: Luck, back: Luck },
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the caller to the callee.
    Out,
    /// Back.
    Back,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a message that nobody delivers is lost"]
pub enum Fate {
    /// It arrives in this very event.
    Now,
    /// It arrives then.
    At(SimTime),
    /// It does not arrive.
    Lost,
    /// It is kept back: to be handed over to [`Link::hold`].
    Held,
}

impl<M> Link<M> {
    /// The link of this name. `latency` is of one way.
    pub fn new(latency: &TimeDistribution, name: &str, streams: &Streams) -> Self {
        let time = &latency.nanos;
        let latency = if time.mean() == 0.0 {
            Latency::Instant
        } else if time.variance() == 0.0 {
            Latency::Constant(latency.mean())
        } else {
            let (out, back) = (streams.luck("request", name), streams.luck("reply", name));
            Latency::Random { time: time.clone(), out, back }
        };
        let mut link = Link {
            latency,
            drop_luck: streams.luck("drop", name),
            delay_luck: streams.luck("delay", name),
            faults: ActiveSet::default(),
            state: OnLink::WELL,
            instant: false,
            steady: None,
            held: Vec::new(),
        };
        link.derive();
        link
    }

    /// Whether a message arrives in the very event that sends it: then nothing need be asked.
    #[inline(always)]
    pub fn is_instant(&self) -> bool {
        self.instant
    }

    /// When a message arrives that is sent `now`, if every one needs as long, and not nothing: then nothing else need be asked.
    #[inline(always)]
    pub fn steadily(&self, now: SimTime) -> Option<SimTime> {
        self.steady.map(|latency| now + latency)
    }

    /// What becomes of the message at `key` that is sent `now`.
    #[inline(never)]
    pub fn send(&mut self, now: SimTime, key: Key, way: Way) -> Fate {
        if self.state.drop > 0.0
            && self.drop_luck.at(key.child(u64::from(way == Way::Back))).unit() < self.state.drop
        {
            return Fate::Lost;
        }
        if self.state.holding {
            return Fate::Held;
        }
        let latency = match &mut self.latency {
            Latency::Instant if !self.state.delayed => return Fate::Now,
            Latency::Instant => SimDuration::ZERO,
            Latency::Constant(latency) => *latency,
            Latency::Random { time, out, back } => {
                let luck = if way == Way::Out { out } else { back };
                SimDuration::drawn(time.sample(&mut luck.at(key)))
            }
        };
        if self.state.delayed {
            return Fate::At(now + latency + self.delay(key, way));
        }
        Fate::At(now + latency)
    }

    /// What faults add, each from luck of its own.
    #[cold]
    fn delay(&mut self, key: Key, way: Way) -> SimDuration {
        let key = key.child(u64::from(way == Way::Back));
        let of = |(fault, time, strength): (u32, &TimeDistribution, f64)| {
            let nanos = time.nanos.sample(&mut self.delay_luck.at(key.child(u64::from(fault))));
            SimDuration::drawn(nanos * strength)
        };
        self.faults.delays().map(of).fold(SimDuration::ZERO, |sum, delay| sum + delay)
    }

    /// Keeps a message back whose fate was [`Fate::Held`].
    pub fn hold(&mut self, message: M) {
        self.held.push(message);
    }

    /// The fault of this number begins here.
    pub fn strike(&mut self, fault: u32, effect: Effect, strength: f64) {
        self.faults.begin(fault, effect, strength);
        self.derive();
    }

    /// It has another strength.
    pub fn change(&mut self, fault: u32, strength: f64) {
        self.faults.change(fault, strength);
        self.derive();
    }

    /// It ends; the messages that nothing holds any more are to be delivered in this order.
    pub fn lift(&mut self, fault: u32) -> Vec<M> {
        self.faults.end(fault);
        self.derive();
        if self.state.holding { Vec::new() } else { std::mem::take(&mut self.held) }
    }

    fn derive(&mut self) {
        self.state = self.faults.on_link();
        let is_well = self.state == OnLink::WELL;
        self.instant = matches!(self.latency, Latency::Instant) && is_well;
        self.steady = match self.latency {
            Latency::Constant(latency) if is_well => Some(latency),
            _ => None,
        };
    }

    /// The streams it drew from, by their purposes.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        let random = match &self.latency {
            Latency::Random { out, back, .. } => Some([("request", out.used()), ("reply", back.used())]),
            Latency::Instant | Latency::Constant(_) => None,
        };
        [("drop", self.drop_luck.used()), ("delay", self.delay_luck.used())]
            .into_iter()
            .chain(random.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Decode, Decoder, Node};

    fn link(latency: Node) -> Link<u32> {
        let latency = TimeDistribution::decode(&latency, &mut Decoder::new()).unwrap();
        Link::new(&latency, "a->b", &Streams::new(7))
    }

    fn exponential() -> Link<u32> {
        let mean = Node::record([("mean", Node::text("2ms"))]);
        link(mean.named(Some("Exponential")))
    }

    const NOW: SimTime = SimTime::from_secs(5);

    fn key(number: u64) -> Key {
        Key::root(1, number)
    }

    #[test]
    fn a_message_takes_its_latency() {
        let mut none = link(Node::text("0s"));
        assert_eq!((none.is_instant(), none.send(NOW, key(0), Way::Out)), (true, Fate::Now));
        let mut constant = link(Node::text("3ms"));
        let later = NOW + SimDuration::from_millis(3);
        for way in [Way::Out, Way::Back] {
            assert_eq!((constant.is_instant(), constant.send(NOW, key(0), way)), (false, Fate::At(later)));
        }
    }

    #[test]
    fn each_way_has_its_own_luck_and_keeps_it() {
        let mut link = exponential();
        let mut sums = [0u64; 2];
        for number in 0..20_000 {
            let both = [Way::Out, Way::Back].map(|way| link.send(NOW, key(number), way));
            assert_eq!(
                both,
                [Way::Out, Way::Back].map(|way| link.send(NOW, key(number), way)),
                "asked twice"
            );
            assert_ne!(both[0], both[1]);
            for (sum, fate) in sums.iter_mut().zip(both) {
                let Fate::At(at) = fate else { panic!("{fate:?}") };
                *sum += at.since(NOW).as_nanos();
            }
        }
        // Of 20,000 exponentials with a mean of 2 ms: the mean to 4 standard errors.
        assert!(sums.iter().all(|&sum| (sum / 20_000).abs_diff(2_000_000) < 57_000), "{sums:?}");
    }

    #[test]
    fn each_way_tells_what_it_drew() {
        let mut link = exponential();
        for way in [Way::Out, Way::Out, Way::Back] {
            let _ = link.send(NOW, key(0), way);
        }
        let used: Vec<(&str, u64)> = link.used().map(|(purpose, used)| (purpose, used.draws)).collect();
        assert_eq!(used, [("drop", 0), ("delay", 0), ("request", 2), ("reply", 1)]);
    }

    #[test]
    fn two_faults_lose_what_either_loses() {
        let mut link = link(Node::text("0s"));
        let lost = |link: &mut Link<u32>, way| {
            (0..20_000).filter(|&number| link.send(NOW, key(number), way) == Fate::Lost).count()
        };
        // (what begins or ends, probability, share lost afterwards)
        let table =
            [(true, 0, 0.25, 0.25), (true, 1, 0.5, 0.625), (false, 0, 0.25, 0.5), (false, 1, 0.5, 0.0)];
        for (begins, fault, probability, share) in table {
            if begins {
                link.strike(fault, Effect::Drop { probability }, 1.0);
            } else {
                assert!(link.lift(fault).is_empty());
            }
            assert_eq!(link.is_instant(), share == 0.0);
            for way in [Way::Out, Way::Back] {
                let found = lost(&mut link, way) as f64 / 20_000.0;
                assert!((found - share).abs() < 0.014, "{found} instead of {share} are lost");
            }
        }
        // Both ways do not share their luck: of half, a quarter loses both.
        link.strike(2, Effect::Drop { probability: 0.5 }, 1.0);
        let both = (0..20_000).filter(|&number| {
            [Way::Out, Way::Back].iter().all(|&way| link.send(NOW, key(number), way) == Fate::Lost)
        });
        assert!(both.count().abs_diff(5_000) < 250);
    }

    #[test]
    fn what_is_kept_back_arrives_in_order_when_the_last_hold_ends() {
        let mut link = exponential();
        link.strike(0, Effect::Hold, 1.0);
        link.strike(1, Effect::Hold, 1.0);
        for message in 0..4 {
            assert_eq!(link.send(NOW, key(u64::from(message)), Way::Out), Fate::Held);
            link.hold(message);
        }
        assert!(link.lift(0).is_empty(), "another still holds");
        assert_eq!(link.lift(1), [0, 1, 2, 3]);
        assert!(matches!(link.send(NOW, key(9), Way::Out), Fate::At(_)));
    }

    #[test]
    fn delays_add_up_and_go() {
        let mut link = link(Node::text("3ms"));
        // (what is done, the latency in microseconds afterwards)
        type Change = fn(&mut Link<u32>);
        let table: [(Change, u64); 5] = [
            (|link| link.strike(0, crate::fault::delay("20ms"), 1.0), 23_000),
            (|link| link.strike(1, crate::fault::delay("10ms"), 0.0), 23_000),
            (|link| link.change(1, 0.25), 25_500),
            (|link| assert!(link.lift(0).is_empty()), 5_500),
            (|link| assert!(link.lift(1).is_empty()), 3_000),
        ];
        for (number, (change, micros)) in table.into_iter().enumerate() {
            change(&mut link);
            let at = NOW + SimDuration::from_micros(micros);
            for way in [Way::Out, Way::Back] {
                assert_eq!(link.send(NOW, key(0), way), Fate::At(at), "after change {number}");
            }
        }
        let mut none = self::link(Node::text("0s"));
        none.strike(0, crate::fault::delay("20ms"), 1.0);
        assert!(!none.is_instant());
        assert_eq!(none.send(NOW, key(0), Way::Out), Fate::At(NOW + SimDuration::from_millis(20)));
    }

    #[test]
    fn a_random_delay_has_luck_of_its_own() {
        let add = Node::record([("mean", Node::text("2ms"))]).named(Some("Exponential"));
        let add = TimeDistribution::decode(&add, &mut Decoder::new()).unwrap();
        let mut link = link(Node::text("0s"));
        link.strike(0, Effect::Delay { add: add.clone() }, 1.0);
        link.strike(1, Effect::Delay { add }, 1.0);
        let mut nanos = |number, way| match link.send(NOW, key(number), way) {
            Fate::At(at) => at.since(NOW).as_nanos() as f64,
            fate => panic!("{fate:?}"),
        };
        // Two exponentials of 2 ms: mean 4 ms, variance 8 ms^2; both ways are independent.
        let (mut sum, mut product) = (0.0, 0.0);
        for number in 0..20_000 {
            let (out, back) = (nanos(number, Way::Out) / 1e6, nanos(number, Way::Back) / 1e6);
            assert_eq!(out, nanos(number, Way::Out) / 1e6, "asked twice");
            sum += out / 20_000.0;
            product += (out - 4.0) * (back - 4.0) / 20_000.0;
        }
        assert!((sum - 4.0).abs() < 4.0 * (8.0f64 / 20_000.0).sqrt(), "{sum}");
        assert!(product.abs() < 4.0 * 8.0 / 20_000f64.sqrt(), "covariance {product}");
    }

    #[test]
    fn what_is_lost_is_not_kept_back() {
        let mut link = link(Node::text("1ms"));
        link.strike(0, Effect::Hold, 1.0);
        link.strike(1, Effect::Drop { probability: 1.0 }, 1.0);
        assert_eq!(link.send(NOW, key(0), Way::Back), Fate::Lost);
    }
}
