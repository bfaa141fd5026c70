//! The servers as the balancer sees them: who is in rotation, who answers, and where something goes.

use super::{CallbackRouting, Effect, Routing, ServerFault, State};
use crate::ring::Ring;
use sim_core::{Key, Luck, SimTime, Stream, StreamUse, Streams, Words, digest};

/// What a server is at the moment, as its faults have it.
pub(super) struct Server {
    pub(super) name: String,
    /// The hash of its name.
    pub(super) entity: u64,
    share: f64,
    /// The share as a whole number, so that turns never drift.
    tickets: i64,
    /// The balancer chooses it.
    pub(super) in_rotation: bool,
    /// It answers what reaches it.
    pub(super) answers: bool,
    /// Goes up whenever its state is lost, and what was stored before is gone.
    pub(super) epoch: u32,
    /// When it last became empty.
    pub(super) empty_since: SimTime,
}

/// Chooses servers; knows what their faults make of them.
pub(super) struct Balancer<'a> {
    spec: &'a CallbackRouting,
    pub(super) servers: Vec<Server>,
    /// The server that each fault strikes.
    struck: Vec<usize>,
    ring: Ring,
    /// Smooth weighted round robin: what each server is owed, per turn.
    owed: [Vec<i64>; 2],
    /// Where round robin looks first among equals.
    offset: usize,
    /// How often somebody joined or left the rotation.
    pub(super) membership_changes: u32,
    /// Share of the ring that the last membership change moved.
    pub(super) moved: f64,
    turns: Stream,
    luck: Luck,
    consumers: Luck,
    hashes: Luck,
    ring_luck: Luck,
}

impl<'a> Balancer<'a> {
    pub(super) fn new(spec: &'a CallbackRouting, streams: &Streams) -> Self {
        let server = |(name, share): (String, f64)| Server {
            entity: digest::hash_text(&name),
            share,
            tickets: (share * 1e9).round() as i64,
            in_rotation: true,
            answers: true,
            epoch: 0,
            empty_since: SimTime::ZERO,
            name,
        };
        let servers: Vec<Server> = spec.servers.shares().into_iter().map(server).collect();
        let index_of =
            |name: &str| servers.iter().position(|server| server.name == name).expect("names are checked");
        let mut turns = streams.stream("turns", "balancer");
        let mut balancer = Balancer {
            spec,
            struck: spec.faults.iter().map(|fault| index_of(&fault.on.value)).collect(),
            ring: Ring::default(),
            owed: [vec![0; servers.len()], vec![0; servers.len()]],
            offset: turns.below(servers.len() as u64) as usize,
            membership_changes: 0,
            moved: 0.0,
            turns,
            luck: streams.luck("route", "balancer"),
            consumers: streams.luck("consumer", "queue"),
            hashes: streams.luck("hash", "calls"),
            ring_luck: streams.luck("ring", "balancer"),
            servers,
        };
        balancer.apply_faults(SimTime::ZERO);
        balancer.membership_changes = 0;
        balancer
    }

    /// The server that a fault strikes.
    pub(super) fn struck(&self, fault: u32) -> &Server {
        &self.servers[self.struck[fault as usize]]
    }

    /// A live server that takes a message for the `taken`-th time; any that is free, so it is drawn.
    pub(super) fn consumer(&mut self, call: Key, taken: u32) -> Option<usize> {
        let words = &mut self.consumers.at(call.child(u64::from(taken)));
        draw(&self.servers, |server| server.in_rotation && server.answers, words)
    }

    /// What each stream was used for.
    pub(super) fn streams_used(&self) -> [(&'static str, StreamUse); 5] {
        [
            ("turns balancer", self.turns.used()),
            ("route balancer", self.luck.used()),
            ("consumer queue", self.consumers.used()),
            ("hash calls", self.hashes.used()),
            ("ring balancer", self.ring_luck.used()),
        ]
    }

    /// The server that the balancer sends something of a call to: the one it was told, the one that owns the
    /// call on the ring, or one of those in rotation. `delivery` is 0 for the request itself.
    pub(super) fn route(&mut self, call: Key, delivery: u16, told: Option<usize>) -> Option<usize> {
        // It knows who is in rotation, and who is being drained and still answers.
        if told.is_some_and(|told| self.servers[told].in_rotation || self.servers[told].answers) {
            return told;
        }
        if let State::ConsistentHash { .. } = self.spec.state {
            return self.ring.owner(self.hashes.at(call).next_u64()).map(|server| server as usize);
        }
        match self.spec.routing {
            Routing::Independent => {
                let words = &mut self.luck.at(call.child(u64::from(delivery)));
                draw(&self.servers, |server| server.in_rotation, words)
            }
            Routing::RoundRobin => self.in_turn(0),
            Routing::RoundRobinEach => self.in_turn(usize::from(delivery > 0)),
        }
    }

    /// Smooth weighted round robin: everyone in rotation is owed its share more, who is owed most is chosen
    /// and pays what all got. With equal shares it is plain round robin.
    fn in_turn(&mut self, turn: usize) -> Option<usize> {
        let (servers, owed) = (&self.servers, &mut self.owed[turn]);
        let in_rotation = |&index: &usize| servers[index].in_rotation;
        let mut given = 0;
        for index in (0..servers.len()).filter(in_rotation) {
            owed[index] += servers[index].tickets;
            given += servers[index].tickets;
        }
        // Among equals the first after a place drawn once, not always server 0.
        let from_offset = (self.offset..servers.len()).chain(0..self.offset).filter(in_rotation);
        let chosen = from_offset.reduce(|best, index| if owed[index] > owed[best] { index } else { best })?;
        owed[chosen] -= given;
        Some(chosen)
    }

    /// Derives what every server is from the faults that are active now. State is lost where a server stops
    /// to answer; the ring is made anew when the membership changes.
    pub(super) fn apply_faults(&mut self, now: SimTime) {
        let mut membership_changed = false;
        for (index, server) in self.servers.iter_mut().enumerate() {
            let (mut in_rotation, mut answers) = (true, true);
            for (fault, _) in
                self.spec.faults.iter().zip(&self.struck).filter(|&(_, &struck)| struck == index)
            {
                in_rotation &= fault.leaves_in_rotation(now);
                answers &= fault.leaves_answering(now);
            }
            if server.answers && !answers {
                server.epoch += 1;
            }
            if !server.answers && answers {
                server.empty_since = now;
            }
            membership_changed |= server.in_rotation != in_rotation;
            (server.in_rotation, server.answers) = (in_rotation, answers);
        }
        if let State::ConsistentHash { vnodes } = self.spec.state
            && (membership_changed || self.ring.is_empty())
        {
            let members = self.servers.iter().enumerate().filter(|(_, server)| server.in_rotation);
            let average = self.servers.len() as f64 * f64::from(vnodes);
            // A server's points depend on its name alone.
            let keys = members.flat_map(|(index, server)| {
                let count = (server.share * average).round().max(1.0) as u64;
                (0..count).map(move |point| (Key::root(server.entity, point), index as u32))
            });
            let luck = &mut self.ring_luck;
            let ring = Ring::new(keys.map(|(key, server)| (luck.at(key).next_u64(), server)));
            self.moved = self.ring.share_moved(&ring);
            self.ring = ring;
        }
        self.membership_changes += u32::from(membership_changed);
    }
}

impl ServerFault {
    /// When the server it strikes may become another.
    pub(super) fn changes(&self) -> Vec<SimTime> {
        let second = match self.effect {
            Effect::Crash { noticed_after } => Some(self.at + noticed_after),
            Effect::Drain { grace } => Some(self.at + grace),
            Effect::Join => None,
        };
        let end = self.r#for.map(|duration| self.at + duration);
        let mut changes: Vec<SimTime> = [Some(self.at), second, end].into_iter().flatten().collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    fn active(&self, now: SimTime) -> bool {
        self.at <= now && self.r#for.is_none_or(|duration| now < self.at + duration)
    }

    fn leaves_in_rotation(&self, now: SimTime) -> bool {
        match self.effect {
            Effect::Crash { noticed_after } => !self.active(now) || now < self.at + noticed_after,
            Effect::Drain { .. } => !self.active(now),
            Effect::Join => now >= self.at,
        }
    }

    fn leaves_answering(&self, now: SimTime) -> bool {
        match self.effect {
            Effect::Crash { .. } => !self.active(now),
            Effect::Drain { grace } => !self.active(now) || now < self.at + grace,
            Effect::Join => now >= self.at,
        }
    }
}

/// One of the servers that qualify, with probability in proportion to its share.
fn draw(servers: &[Server], qualifies: impl Fn(&Server) -> bool, words: &mut impl Words) -> Option<usize> {
    let eligible = || servers.iter().enumerate().filter(|(_, server)| qualifies(server));
    let total: f64 = eligible().map(|(_, server)| server.share).sum();
    let mut left = words.unit() * total;
    let mut last = None;
    for (index, server) in eligible() {
        if left < server.share {
            return Some(index);
        }
        left -= server.share;
        // Rounding may leave a crumb after the last one.
        last = Some(index);
    }
    last
}
