//! One wire, both ways: how long a message needs, whether it arrives, and whether it is kept back.
//!
//! A link is asked once for each message and answers with its [`Fate`]; whoever asked schedules the arrival. Its
//! luck is addressed by the message's key, each way its own, so that a retry meets the same network under every
//! policy. If something is [wrong](super::wrong) with it whoever asked must say more of the message ([`Parcel`]), and ask again.
//!
//! Where callers and callees stand in several zones the link does not know how far a message goes: it answers when it arrives if it
//! stays in its zone, and whoever asked knows whether it does, and asks how much [further](Link::further) it is.

use super::wrong::{Tells, Wrong};
use crate::distribution::TimeDistribution;
use crate::fault::{Effect, Reach, Way, Whose};
use crate::report::Section;
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams};

/// A link that carries messages `M`.
#[derive(Clone)]
pub struct Link<M> {
    latency: Latency,
    /// Derived: a message arrives in the very event that sends it. No latency, and nothing is wrong.
    instant: bool,
    /// Derived: something is wrong.
    struck: bool,
    /// Derived: how long every message needs, if all need as long, and not nothing, and nothing is wrong.
    steady: Option<SimDuration>,
    wrong: Box<Wrong<M>>,
}

#[derive(Clone)]
enum Latency {
    Instant,
    Constant(SimDuration),
    Random { time: Distribution, out: Luck, back: Luck },
    Apart(Box<Apart>),
}

/// Some messages go further than others.
#[derive(Clone)]
struct Apart {
    /// Of those that do not.
    near: Latency,
    /// What the others need beyond that.
    further: Distribution,
    luck: Luck,
}

impl Latency {
    /// How long the message at this key needs, if it goes no further than others.
    fn of(&mut self, key: Key, way: Way) -> SimDuration {
        match self {
            Latency::Instant => SimDuration::ZERO,
            Latency::Constant(latency) => *latency,
            Latency::Random { time, out, back } => {
                let luck = if way == Way::Out { out } else { back };
                SimDuration::drawn(time.sample(&mut luck.at(key)))
            }
            Latency::Apart(apart) => apart.near.of(key, way),
        }
    }

    /// What it needs beyond that if it leaves its zone.
    fn further(&mut self, key: Key, way: Way) -> SimDuration {
        let Latency::Apart(apart) = self else { return SimDuration::ZERO };
        let key = key.child(u64::from(way == Way::Back));
        SimDuration::drawn(apart.further.sample(&mut apart.luck.at(key)))
    }
}

/// What a link must know of a message if something is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    /// Where its luck is drawn.
    pub key: Key,
    /// Which way it goes.
    pub way: Way,
    /// Which client sent it, or waits for it, if any does.
    pub client: Option<u32>,
    /// What it weighs.
    pub bytes: u32,
    /// It is the second of one that comes twice.
    pub is_second: bool,
    /// It leaves its zone.
    pub crosses: bool,
    /// From which zone to which, if that is known.
    pub zones: Option<(u32, u32)>,
}

/// The second of a message that comes twice has luck of its own.
const SECOND: u64 = 1 << 36;

impl Parcel {
    /// Where its luck is drawn, each way its own.
    pub fn luck(&self) -> Key {
        self.key.child(u64::from(self.way == Way::Back))
    }

    /// Whose it is, and where it goes.
    pub fn whose(&self) -> Whose {
        Whose { client: self.client, zones: self.zones }
    }

    /// The same once more.
    pub fn again(&self) -> Self {
        Parcel { key: self.key.child(SECOND), is_second: true, ..*self }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a message that nobody delivers is lost"]
pub enum Fate {
    /// It arrives in this very event.
    Now,
    /// It arrives then.
    At(SimTime),
    /// It arrives then if it stays in its zone, and so much later as it goes [further](Link::further) if not.
    Apart(SimTime),
    /// It is kept back: to be handed over to [`Link::hold`].
    Held,
    /// It does not arrive.
    Lost,
    /// Something is wrong: to be asked by [`Link::send_struck`].
    Struck,
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
        let wrong = Box::new(Wrong::new(name, streams));
        let mut link = Link { latency, instant: false, struck: false, steady: None, wrong };
        link.derive();
        link
    }

    /// The same, with a way that is so much longer for whoever leaves his zone.
    #[must_use]
    pub fn apart(mut self, further: &TimeDistribution, name: &str, streams: &Streams) -> Self {
        let (near, further) = (self.latency, further.nanos.clone());
        let luck = streams.luck("between", name);
        self.latency = Latency::Apart(Box::new(Apart { near, further, luck }));
        self.derive();
        self
    }

    /// Whether a message arrives in the very event that sends it: then nothing need be asked.
    #[inline(always)]
    pub fn is_instant(&self) -> bool {
        self.instant
    }

    /// Whether nothing is wrong with it.
    pub fn is_well(&self) -> bool {
        !self.struck
    }

    /// Whether nothing is wrong with it for the messages of a client, either way; and in which zones it stands, and whom it asks.
    pub fn is_well_for(&self, client: u32, stand: Option<(u32, u32)>) -> bool {
        self.wrong.is_well_for(client, stand)
    }

    /// When a message arrives that is sent `now`, if every one needs as long, and not nothing: then nothing else need be asked.
    #[inline(always)]
    pub fn steadily(&self, now: SimTime) -> Option<SimTime> {
        self.steady.map(|latency| now + latency)
    }

    /// What becomes of the message at `key` that is sent `now`, if nothing is wrong.
    #[inline(never)]
    pub fn send(&mut self, now: SimTime, key: Key, way: Way) -> Fate {
        if self.struck {
            return Fate::Struck;
        }
        match &mut self.latency {
            Latency::Instant => Fate::Now,
            Latency::Apart(_) => Fate::Apart(now + self.latency.of(key, way)),
            latency => Fate::At(now + latency.of(key, way)),
        }
    }

    /// What becomes of a message that is sent `now`, whatever is wrong. One that comes twice is two: see [`Link::comes_twice`].
    #[cold]
    pub fn send_struck(&mut self, now: SimTime, parcel: &Parcel) -> Fate {
        let is_instant = matches!(self.latency, Latency::Instant);
        let latency = &mut self.latency;
        let takes = || {
            let near = latency.of(parcel.key, parcel.way);
            if parcel.crosses { near + latency.further(parcel.key, parcel.way) } else { near }
        };
        self.wrong.send(now, parcel, takes, is_instant)
    }

    /// How much longer the message at `key` needs since it leaves its zone.
    #[cold]
    pub fn further(&mut self, key: Key, way: Way) -> SimDuration {
        self.latency.further(key, way)
    }

    /// Whether a message comes twice: then [the second](Parcel::again) is sent for itself.
    #[cold]
    pub fn comes_twice(&mut self, parcel: &Parcel) -> bool {
        self.wrong.comes_twice(parcel)
    }

    /// One that came twice was worked on twice.
    pub fn note_twice(&mut self) {
        self.wrong.note_twice();
    }

    /// Keeps a message back whose fate was [`Fate::Held`].
    pub fn hold(&mut self, message: M) {
        self.wrong.hold(message);
    }

    /// The fault of this number begins here, for these messages.
    pub fn strike(&mut self, fault: u32, effect: Effect, strength: f64, reach: Reach) {
        self.wrong.strike(fault, effect, strength, reach);
        self.derive();
    }

    /// It has another strength.
    pub fn change(&mut self, fault: u32, strength: f64) {
        self.wrong.change(fault, strength);
        self.derive();
    }

    /// It ends; the messages that nothing holds any more are to be delivered in this order.
    pub fn lift(&mut self, fault: u32) -> Vec<M> {
        let free = self.wrong.lift(fault);
        self.derive();
        free
    }

    /// Whether no message of these can pass it, one way or the other.
    pub fn is_cut(&self, whose: Whose) -> bool {
        self.wrong.is_cut(whose)
    }

    fn derive(&mut self) {
        self.struck = self.wrong.is_anything();
        self.instant = matches!(self.latency, Latency::Instant) && !self.struck;
        self.steady = match self.latency {
            Latency::Constant(latency) if !self.struck => Some(latency),
            _ => None,
        };
    }

    /// What faults do to it is told from here on: so much of it.
    pub fn tell(&mut self, tells: Tells) {
        self.wrong.tell(tells);
    }

    /// How much of it is.
    pub fn tells(&self) -> Tells {
        self.wrong.tells()
    }

    /// Measurement of what faults do begins.
    pub fn begin(&mut self, now: SimTime) {
        self.wrong.begin(now);
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.wrong.close_window(now);
    }

    /// What faults have done to it, in a run of so many windows.
    pub fn sections(&self, at: &str, now: SimTime, windows: usize) -> Vec<Section> {
        self.wrong.sections(at, now, windows)
    }

    /// The streams it drew from, by their purposes.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        let (near, between) = match &self.latency {
            Latency::Apart(apart) => (&apart.near, Some(("between", apart.luck.used()))),
            near => (near, None),
        };
        let random = match near {
            Latency::Random { out, back, .. } => Some([("request", out.used()), ("reply", back.used())]),
            Latency::Instant | Latency::Constant(_) | Latency::Apart(_) => None,
        };
        self.wrong.used().into_iter().chain(random.into_iter().flatten()).chain(between)
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

    /// What becomes of it, whether or not anything is wrong.
    fn fate(link: &mut Link<u32>, number: u64, way: Way) -> Fate {
        fate_of(link, number, way, Some(0))
    }

    fn fate_of(link: &mut Link<u32>, number: u64, way: Way, client: Option<u32>) -> Fate {
        match link.send(NOW, key(number), way) {
            Fate::Struck => link.send_struck(NOW, &parcel(number, way, client)),
            fate => fate,
        }
    }

    fn parcel(number: u64, way: Way, client: Option<u32>) -> Parcel {
        Parcel { key: key(number), way, client, bytes: 1_000, is_second: false, crosses: false, zones: None }
    }

    fn told(link: &mut Link<u32>, name: &str) -> Option<f64> {
        link.tell(Tells { messages: true, waits: false });
        link.sections("a->b", NOW, 0)[0].values.get(name).and_then(|value| value.value)
    }

    fn strike(link: &mut Link<u32>, fault: u32, effect: Effect, strength: f64) {
        link.strike(fault, effect, strength, Reach::default());
    }

    fn key(number: u64) -> Key {
        Key::root(1, number)
    }

    #[test]
    fn a_message_takes_its_latency() {
        let mut none = link(Node::text("0s"));
        assert_eq!((none.is_instant(), fate(&mut none, 0, Way::Out)), (true, Fate::Now));
        let mut constant = link(Node::text("3ms"));
        let later = NOW + SimDuration::from_millis(3);
        for way in [Way::Out, Way::Back] {
            assert_eq!((constant.is_instant(), fate(&mut constant, 0, way)), (false, Fate::At(later)));
        }
    }

    #[test]
    fn each_way_has_its_own_luck_and_keeps_it() {
        let mut link = exponential();
        let mut sums = [0u64; 2];
        for number in 0..20_000 {
            let both = [Way::Out, Way::Back].map(|way| fate(&mut link, number, way));
            assert_eq!(both, [Way::Out, Way::Back].map(|way| fate(&mut link, number, way)), "asked twice");
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
            let _ = fate(&mut link, 0, way);
        }
        let used: Vec<(&str, u64)> = link.used().map(|(purpose, used)| (purpose, used.draws)).collect();
        assert_eq!(
            used,
            [("drop", 0), ("delay", 0), ("duplicate", 0), ("reorder", 0), ("request", 2), ("reply", 1)]
        );
    }

    #[test]
    fn two_faults_lose_what_either_loses() {
        let mut link = link(Node::text("0s"));
        let lost = |link: &mut Link<u32>, way| {
            (0..20_000).filter(|&number| fate(link, number, way) == Fate::Lost).count()
        };
        // (what begins or ends, probability, share lost afterwards)
        let table =
            [(true, 0, 0.25, 0.25), (true, 1, 0.5, 0.625), (false, 0, 0.25, 0.5), (false, 1, 0.5, 0.0)];
        for (begins, fault, probability, share) in table {
            if begins {
                strike(&mut link, fault, Effect::Drop { probability }, 1.0);
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
        strike(&mut link, 2, Effect::Drop { probability: 0.5 }, 1.0);
        let both = (0..20_000).filter(|&number| {
            [Way::Out, Way::Back].iter().all(|&way| fate(&mut link, number, way) == Fate::Lost)
        });
        assert!(both.count().abs_diff(5_000) < 250);
    }

    #[test]
    fn what_is_kept_back_arrives_in_order_when_the_last_hold_ends() {
        let mut link = exponential();
        strike(&mut link, 0, Effect::Hold, 1.0);
        strike(&mut link, 1, Effect::Hold, 1.0);
        for message in 0..4 {
            assert_eq!(fate(&mut link, u64::from(message), Way::Out), Fate::Held);
            link.hold(message);
        }
        assert!(link.lift(0).is_empty(), "another still holds");
        assert_eq!(link.lift(1), [0, 1, 2, 3]);
        assert!(matches!(fate(&mut link, 9, Way::Out), Fate::At(_)));
    }

    #[test]
    fn delays_add_up_and_go() {
        let mut link = link(Node::text("3ms"));
        // (what is done, the latency in microseconds afterwards)
        type Change = fn(&mut Link<u32>);
        let table: [(Change, u64); 5] = [
            (|link| strike(link, 0, crate::fault::delay("20ms"), 1.0), 23_000),
            (|link| strike(link, 1, crate::fault::delay("10ms"), 0.0), 23_000),
            (|link| link.change(1, 0.25), 25_500),
            (|link| assert!(link.lift(0).is_empty()), 5_500),
            (|link| assert!(link.lift(1).is_empty()), 3_000),
        ];
        for (number, (change, micros)) in table.into_iter().enumerate() {
            change(&mut link);
            let at = NOW + SimDuration::from_micros(micros);
            for way in [Way::Out, Way::Back] {
                assert_eq!(fate(&mut link, 0, way), Fate::At(at), "after change {number}");
            }
        }
        let mut none = self::link(Node::text("0s"));
        strike(&mut none, 0, crate::fault::delay("20ms"), 1.0);
        assert!(!none.is_instant());
        assert_eq!(fate(&mut none, 0, Way::Out), Fate::At(NOW + SimDuration::from_millis(20)));
    }

    #[test]
    fn a_random_delay_has_luck_of_its_own() {
        let add = Node::record([("mean", Node::text("2ms"))]).named(Some("Exponential"));
        let add = TimeDistribution::decode(&add, &mut Decoder::new()).unwrap();
        let mut link = link(Node::text("0s"));
        strike(&mut link, 0, Effect::Delay { add: add.clone() }, 1.0);
        strike(&mut link, 1, Effect::Delay { add }, 1.0);
        let mut nanos = |number, way| match fate(&mut link, number, way) {
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

    /// Who stays in his zone needs what he needed before there were any; how much further it is to another is drawn for each way, and
    /// what faults do they do to both.
    #[test]
    fn who_leaves_his_zone_goes_further() {
        let millis = |millis| SimDuration::from_millis(millis);
        let far = TimeDistribution::constant(millis(7));
        for (near, needs) in [("0s", 0), ("3ms", 3)] {
            let mut link = link(Node::text(near)).apart(&far, "a->b", &Streams::new(7));
            assert_eq!((link.is_instant(), link.steadily(NOW)), (false, None), "{near}");
            for way in [Way::Out, Way::Back] {
                assert_eq!(link.send(NOW, key(0), way), Fate::Apart(NOW + millis(needs)), "{near}");
                assert_eq!(link.further(key(0), way), millis(7));
            }
            strike(&mut link, 0, crate::fault::delay("20ms"), 1.0);
            for (crosses, further) in [(false, 0), (true, 7)] {
                assert_eq!(link.send(NOW, key(0), Way::Out), Fate::Struck);
                let parcel = Parcel { crosses, ..parcel(0, Way::Out, None) };
                assert_eq!(link.send_struck(NOW, &parcel), Fate::At(NOW + millis(needs + 20 + further)));
            }
            strike(&mut link, 1, Effect::Hold, 1.0);
            assert_eq!(fate(&mut link, 0, Way::Out), Fate::Held);
            strike(&mut link, 2, Effect::Drop { probability: 1.0 }, 1.0);
            assert_eq!(fate(&mut link, 0, Way::Out), Fate::Lost);
        }
        // The luck of those who stay is what it was.
        let mean = Node::record([("mean", Node::text("2ms"))]).named(Some("Exponential"));
        let further = TimeDistribution::decode(&mean, &mut Decoder::new()).unwrap();
        let (mut before, mut apart) =
            (exponential(), exponential().apart(&further, "a->b", &Streams::new(7)));
        for way in [Way::Out, Way::Back] {
            let (Fate::At(at), Fate::Apart(near)) =
                (before.send(NOW, key(5), way), apart.send(NOW, key(5), way))
            else {
                panic!("both arrive")
            };
            assert_eq!(at, near);
        }
        let [out, back] = [Way::Out, Way::Back].map(|way| apart.further(key(5), way));
        assert!(
            out != back && apart.further(key(5), Way::Out) == out,
            "each way has luck of its own, and keeps it"
        );
        let used: Vec<(&str, u64)> = apart.used().map(|(purpose, used)| (purpose, used.draws)).collect();
        assert_eq!(
            used,
            [
                ("drop", 0),
                ("delay", 0),
                ("duplicate", 0),
                ("reorder", 0),
                ("request", 1),
                ("reply", 1),
                ("between", 3)
            ]
        );
    }

    #[test]
    fn what_is_lost_is_not_kept_back() {
        let mut link = link(Node::text("1ms"));
        strike(&mut link, 0, Effect::Hold, 1.0);
        strike(&mut link, 1, Effect::Drop { probability: 1.0 }, 1.0);
        assert_eq!(fate(&mut link, 0, Way::Back), Fate::Lost);
    }

    #[test]
    fn one_way_is_lost_and_the_other_is_not() {
        use crate::fault::Ways;
        let drop = || Effect::Drop { probability: 1.0 };
        for (ways, lost) in [(Ways::Requests, [true, false]), (Ways::Replies, [false, true])] {
            let mut link = link(Node::text("1ms"));
            link.strike(0, drop(), 1.0, Reach { ways, ..Reach::default() });
            let found = [Way::Out, Way::Back].map(|way| fate(&mut link, 0, way) == Fate::Lost);
            assert_eq!(found, lost, "{ways:?}");
        }
        // Some clients only: a gray failure.
        let mut link = link(Node::text("0s"));
        let reach = Reach { clients: Some([1, 3].into()), ..Reach::default() };
        link.strike(0, drop(), 1.0, reach);
        let found = [0, 1, 2, 3].map(|client| fate_of(&mut link, 0, Way::Out, Some(client)) == Fate::Lost);
        assert_eq!((found, link.is_instant()), ([false, true, false, true], false));
        assert!(link.lift(0).is_empty() && link.is_instant());
    }

    #[test]
    fn a_share_comes_twice_each_of_the_two_by_itself() {
        let mut link = exponential();
        strike(&mut link, 0, Effect::Duplicate { probability: 0.3 }, 1.0);
        let (mut twice, mut both) = (0, 0);
        for number in 0..20_000 {
            let [out, back] = [Way::Out, Way::Back].map(|way| parcel(number, way, None));
            let is_twice = link.comes_twice(&out);
            (twice, both) =
                (twice + u32::from(is_twice), both + u32::from(is_twice && link.comes_twice(&back)));
            assert_ne!(link.send_struck(NOW, &out), link.send_struck(NOW, &out.again()), "{number}");
        }
        // Binomials: 6000 with a deviation of 65, 1800 with one of 40.
        assert!(twice.abs_diff(6_000) < 260 && both.abs_diff(1_800) < 160, "{twice} {both}");
        assert_eq!(told(&mut link, "requests"), Some(20_000.0), "the second is none of its own");
    }

    #[test]
    fn a_share_takes_longer_and_is_overtaken() {
        let mut link = link(Node::text("3ms"));
        strike(&mut link, 0, crate::fault::reorder(0.25, "20ms"), 1.0);
        let (usual, longer) = (NOW + SimDuration::from_millis(3), NOW + SimDuration::from_millis(23));
        let fates: Vec<Fate> = (0..20_000).map(|number| fate(&mut link, number, Way::Out)).collect();
        let late = fates.iter().filter(|fate| **fate == Fate::At(longer)).count();
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::At(usual)).count(), 20_000 - late);
        assert!(late.abs_diff(5_000) < 250, "{late}");
        let told = told(&mut link, "overtaken");
        // The last of all may have nobody behind it.
        assert!(late as f64 - told.expect("a count") <= 3.0, "{told:?} of {late}");
    }

    #[test]
    fn what_carries_so_much_carries_one_after_another_each_way() {
        let mut link = link(Node::text("3ms"));
        // A kilobyte takes 10 ms.
        let limit = crate::byte_size::ByteRate(100_000);
        strike(&mut link, 0, Effect::Bandwidth { limit }, 1.0);
        let at = |ms| Fate::At(NOW + SimDuration::from_millis(ms));
        for ms in [13, 23, 33] {
            assert_eq!(fate(&mut link, 0, Way::Out), at(ms));
        }
        assert_eq!(fate(&mut link, 0, Way::Back), at(13), "each way for itself");
        // What weighs nothing waits, and takes no time.
        let nothing = Parcel { bytes: 0, ..parcel(0, Way::Out, None) };
        assert_eq!(link.send_struck(NOW, &nothing), at(33));
        // Who is lost takes no time either.
        strike(&mut link, 1, Effect::Drop { probability: 1.0 }, 1.0);
        assert_eq!(fate(&mut link, 0, Way::Out), Fate::Lost);
        assert!(link.lift(1).is_empty());
        assert_eq!(fate(&mut link, 0, Way::Out), at(43));
        // No latency: whoever finds it free and weighs nothing is there at once.
        let mut none = self::link(Node::text("0s"));
        strike(&mut none, 0, Effect::Bandwidth { limit }, 1.0);
        assert_eq!([none.send_struck(NOW, &nothing), fate(&mut none, 0, Way::Out)], [Fate::Now, at(10)]);
    }
}
