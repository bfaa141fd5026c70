//! What is wrong with a link, and what that does to each message.
//!
//! A message is lost, or else kept back, or else it waits until all before it has gone through, and takes its time and what is added to that. Each of
//! these has luck of its own, addressed by the message's key and the way it goes. What comes twice are two messages: each meets
//! the rest for itself.

use super::link::{Fate, Parcel};
use super::order::Order;
use super::pipe::Pipe;
use crate::fault::{ActiveSet, Effect, Longer, OnLink, Reach, Way, Whose};
use crate::report::{Section, Unit, Value};
use sim_core::{Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// The faults upon one link, and what they have done.
#[derive(Clone)]
pub struct Wrong<M> {
    faults: ActiveSet,
    /// Derived from `faults`, for messages each way of clients who are not told apart.
    states: [OnLink; 2],
    /// Derived: some faults strike some clients only.
    apart: bool,
    drop_luck: Luck,
    delay_luck: Luck,
    twice_luck: Luck,
    reorder_luck: Luck,
    pipes: [Pipe; 2],
    orders: [Order; 2],
    /// Messages kept back, in order.
    held: Vec<M>,
    told: Told,
    measured_from: SimTime,
    tells: Tells,
    /// How long whoever sends at the end of each window would wait.
    backlogs: Vec<f64>,
}

/// What was counted while something was wrong, each way.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    sent: [u64; 2],
    lost: [u64; 2],
    twice: u64,
    overtaken: u64,
}

/// What is told of the link of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tells {
    /// What becomes of its messages.
    pub messages: bool,
    /// How they wait for one another.
    pub waits: bool,
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str, tells: Tells) -> Vec<Section> {
    let plain = |about| Value::new(Unit::Plain, about);
    let (time, share) = (|about| Value::new(Unit::Duration, about), |about| Value::new(Unit::Share, about));
    let messages = || {
        Section::new("network", at)
            .value(
                "requests",
                plain("requests, and what else callers sent, while something was wrong with the link"),
            )
            .value("requests_lost", plain("of them, those that were lost"))
            .value("replies", plain("answers that were sent while something was wrong with it"))
            .value("replies_lost", plain("of them, those that were lost"))
            .value("twice", plain("requests that came twice, the second for nobody"))
            .value("overtaken", plain("messages that come after one that was sent later"))
            .value("overtaken_share", share("the same as a share of all that was sent"))
    };
    let waits = || {
        Section::new("bandwidth", at)
            .value("request_wait", time("mean wait of requests until what was sent before had gone through"))
            .value(
                "request_busy",
                share("share of the time in which something goes through on the way there"),
            )
            .value("reply_wait", time("mean wait of answers until what was sent before had gone through"))
            .value("reply_busy", share("share of the time in which something goes through on the way back"))
            .line("backlog", Unit::Duration, "How long whoever sends at the end of each window would wait.")
    };
    tells.messages.then(messages).into_iter().chain(tells.waits.then(waits)).collect()
}

impl<M> Wrong<M> {
    /// Nothing so far.
    pub fn new(name: &str, streams: &Streams) -> Self {
        Wrong {
            faults: ActiveSet::default(),
            states: [OnLink::WELL; 2],
            apart: false,
            drop_luck: streams.luck("drop", name),
            delay_luck: streams.luck("delay", name),
            twice_luck: streams.luck("duplicate", name),
            reorder_luck: streams.luck("reorder", name),
            pipes: Default::default(),
            orders: Default::default(),
            held: Vec::new(),
            told: Told::default(),
            measured_from: SimTime::ZERO,
            tells: Tells::default(),
            backlogs: Vec::new(),
        }
    }

    /// Whether there is anything.
    pub fn is_anything(&self) -> bool {
        self.apart || self.states != [OnLink::WELL; 2]
    }

    /// Whether there is nothing that strikes messages of this client, either way; and in which zones it stands, and whom it asks.
    pub fn is_well_for(&self, client: u32, stand: Option<(u32, u32)>) -> bool {
        let back = stand.map(|(caller, callee)| (callee, caller));
        let is_well =
            |(way, zones)| self.faults.on_link(way, Whose { client: Some(client), zones }) == OnLink::WELL;
        [(Way::Out, stand), (Way::Back, back)].into_iter().all(is_well)
    }

    /// Whether all messages of these are lost or kept back, one way or the other.
    pub fn is_cut(&self, whose: Whose) -> bool {
        let stops = |state: OnLink| state.holding || state.drop >= 1.0;
        [Way::Out, Way::Back].into_iter().any(|way| stops(self.faults.on_link(way, whose)))
    }

    /// What of it is told, from here on.
    pub fn tell(&mut self, tells: Tells) {
        self.tells = tells;
    }

    /// What is.
    pub fn tells(&self) -> Tells {
        self.tells
    }

    fn state(&self, parcel: &Parcel) -> OnLink {
        if self.apart {
            self.faults.on_link(parcel.way, parcel.whose())
        } else {
            self.states[usize::from(parcel.way == Way::Back)]
        }
    }

    /// Whether a message comes twice.
    pub fn comes_twice(&mut self, parcel: &Parcel) -> bool {
        let share = self.state(parcel).twice;
        share > 0.0 && self.twice_luck.at(parcel.luck()).unit() < share
    }

    /// One that came twice was worked on twice.
    pub fn note_twice(&mut self) {
        self.told.twice += 1;
    }

    /// What becomes of a message that is sent `now`, and takes so long if nothing is added to that.
    pub fn send(
        &mut self,
        now: SimTime,
        parcel: &Parcel,
        takes: impl FnOnce() -> SimDuration,
        is_instant: bool,
    ) -> Fate {
        let (state, way) = (self.state(parcel), usize::from(parcel.way == Way::Back));
        self.told.sent[way] += u64::from(!parcel.is_second);
        if state.drop > 0.0 && self.drop_luck.at(parcel.luck()).unit() < state.drop {
            self.told.lost[way] += u64::from(!parcel.is_second);
            return Fate::Lost;
        }
        if state.holding {
            return Fate::Held;
        }
        let through = state.limit.map(|limit| self.pipes[way].carry(now, limit.time(parcel.bytes.into())));
        let mut then = through.unwrap_or(now);
        if !is_instant {
            then = then + takes();
        }
        if state.delayed {
            then = then + self.delay(parcel);
        }
        if !parcel.is_second {
            self.told.overtaken += self.orders[way].sent(now, then);
        }
        if is_instant && then == now && !state.delayed { Fate::Now } else { Fate::At(then) }
    }

    /// What faults add, each from luck of its own.
    fn delay(&mut self, parcel: &Parcel) -> SimDuration {
        let mut sum = SimDuration::ZERO;
        for Longer { fault, share, time, strength } in self.faults.delays(parcel.way, parcel.whose()) {
            let key = parcel.luck().child(u64::from(fault));
            let nanos = match share {
                None => time.nanos.sample(&mut self.delay_luck.at(key)) * strength,
                Some(share) if self.reorder_luck.at(key).unit() < share => {
                    time.nanos.sample(&mut self.reorder_luck.at(key.child(1)))
                }
                Some(_) => continue,
            };
            sum += SimDuration::drawn(nanos);
        }
        sum
    }

    /// Keeps a message back.
    pub fn hold(&mut self, message: M) {
        self.held.push(message);
    }

    /// A fault begins.
    pub fn strike(&mut self, fault: u32, effect: Effect, strength: f64, reach: Reach) {
        self.faults.begin_with(fault, effect, strength, reach);
        self.derive();
    }

    /// It has another strength.
    pub fn change(&mut self, fault: u32, strength: f64) {
        self.faults.change(fault, strength);
        self.derive();
    }

    /// It ends: what is to be delivered now, in order.
    pub fn lift(&mut self, fault: u32) -> Vec<M> {
        self.faults.end(fault);
        self.derive();
        // What is kept back of some clients, or one way, is when nothing at all holds any more.
        if self.faults.holds() { Vec::new() } else { std::mem::take(&mut self.held) }
    }

    fn derive(&mut self) {
        self.states = [Way::Out, Way::Back].map(|way| self.faults.on_link(way, None));
        self.apart = self.faults.tells_clients_apart();
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.told = Told::default();
        self.measured_from = now;
        self.pipes.iter_mut().for_each(|pipe| pipe.begin(now));
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        if !self.tells.waits {
            return;
        }
        let longest = self.pipes.iter().map(|pipe| pipe.backlog(now)).max();
        self.backlogs.push(longest.map_or(0.0, |backlog| backlog.as_nanos() as f64));
    }

    /// What was measured, of a run of so many windows.
    pub fn sections(&self, at: &str, now: SimTime, windows: usize) -> Vec<Section> {
        let mut sections = declared(at, self.tells);
        for section in &mut sections {
            if section.kind == "network" {
                self.tell_messages(section);
            } else {
                self.tell_waits(section, now, windows);
            }
        }
        sections
    }

    fn tell_messages(&self, section: &mut Section) {
        let Told { sent, lost, twice, overtaken } = self.told;
        let counts = [
            ("requests", sent[0]),
            ("requests_lost", lost[0]),
            ("replies", sent[1]),
            ("replies_lost", lost[1]),
            ("twice", twice),
            ("overtaken", overtaken),
        ];
        counts.into_iter().for_each(|(name, count)| section.set(name, count as f64));
        let all = sent[0] + sent[1];
        section.set("overtaken_share", (all > 0).then(|| overtaken as f64 / all as f64));
    }

    fn tell_waits(&self, section: &mut Section, now: SimTime, windows: usize) {
        let from = self.measured_from;
        let measured = now.max(from).since(from).as_nanos() as f64;
        for (pipe, [wait, busy]) in
            self.pipes.iter().zip([["request_wait", "request_busy"], ["reply_wait", "reply_busy"]])
        {
            let share = || pipe.busy(from, now).as_nanos() as f64 / measured;
            section.set(wait, pipe.mean_wait());
            section.set(busy, pipe.mean_wait().filter(|_| measured > 0.0).map(|_| share()));
        }
        // Whoever was asked to tell later had nothing to tell before.
        let none = std::iter::repeat_n(0.0, windows.saturating_sub(self.backlogs.len()));
        section.draw("backlog", none.chain(self.backlogs.iter().copied()).collect());
    }

    /// The streams it drew from, by their purposes.
    pub fn used(&self) -> [(&'static str, StreamUse); 4] {
        [
            ("drop", self.drop_luck.used()),
            ("delay", self.delay_luck.used()),
            ("duplicate", self.twice_luck.used()),
            ("reorder", self.reorder_luck.used()),
        ]
    }
}
