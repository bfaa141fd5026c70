//! Faults of a cluster, as they begin and end.

use super::clock::NtpSpec;
use super::fault::{Harm, Target};
use super::kinds;
use super::machine::{Ctx, Event, Machine};
use super::protocol::{Node, Protocol, Stand};
use super::tape::Cause;
use crate::fault::Reach;
use crate::trace::{Fate, Step};
use sim_core::{Class, Key, SimDuration};

/// A fault, and whom it struck when it began.
pub struct Struck {
    pub target: Target,
    pub nodes: Vec<Node>,
    pub wires: Vec<usize>,
}

impl<P: Protocol> Machine<'_, P> {
    /// A fault begins.
    pub(super) fn strikes(&mut self, number: u32, ctx: &mut Ctx) {
        let fault = &self.spec.faults[number as usize];
        if let Some(length) = fault.r#for {
            ctx.schedule(ctx.now() + length, Class::Change, Event::Lifts { fault: number });
        }
        if let Some(every) = fault.every {
            ctx.schedule(ctx.now() + every, Class::Change, Event::Strikes { fault: number });
        }
        let leader = self.leader();
        let of = self.spec.nodes;
        let target = self.faults[number as usize].target.clone();
        if let Some(effect) = fault.effect.on_links() {
            let ways = target.ways(of, leader);
            let cut = matches!(fault.effect, Harm::Partition);
            let alone: Vec<Node> = (0..of).filter(|node| cut && is_alone(*node, &ways, of)).collect();
            let wires: Vec<usize> = ways.iter().map(|(from, to)| (from * of + to) as usize).collect();
            wires
                .iter()
                .for_each(|wire| self.wires[*wire].strike(number, effect.clone(), 1.0, Reach::default()));
            self.truth.strikes(!wires.is_empty());
            let first = target.nodes(of, leader).first().copied();
            self.notes(first, format!("{}: {}", fault.effect.name(), target.told(leader)), ctx);
            ctx.witness(kinds::FAULT, 0, 1, 0, number.into(), 0);
            alone.iter().for_each(|node| self.truth.kept(*node, "cut off", true, ctx.now()));
            let struck = &mut self.faults[number as usize];
            (struck.wires, struck.nodes) = (wires, alone);
            return;
        }
        let nodes = target.nodes(of, leader);
        ctx.witness(
            kinds::FAULT,
            0,
            1,
            0,
            number.into(),
            nodes.first().map_or(0, |node| u64::from(*node) + 1),
        );
        self.truth.strikes(!nodes.is_empty());
        for &node in &nodes {
            self.notes(Some(node), fault.effect.name().into(), ctx);
        }
        self.faults[number as usize].nodes.clone_from(&nodes);
        for &node in &nodes {
            self.is_struck(node, &fault.effect, fault.r#for, ctx);
        }
    }

    fn is_struck(&mut self, node: Node, effect: &Harm, length: Option<SimDuration>, ctx: &mut Ctx) {
        let now = ctx.now();
        match effect {
            Harm::Crash => self.dies(node, ctx),
            Harm::Wipe => self.is_wiped(node, ctx),
            Harm::BackupsFail => {
                let vault = &mut self.nodes[node as usize].vault;
                (vault.empty, vault.noticed) = (vault.empty + 1, false);
            }
            Harm::LeapSecond if length.is_some() => self.weighs(node, ctx),
            Harm::LeapSecond => self.nodes[node as usize].clock.steps(now, -1_000_000_000),
            Harm::Pause => {
                self.nodes[node as usize].still += 1;
                self.truth.kept(node, "paused", true, now);
            }
            Harm::Slow { .. } | Harm::SlowDisk { .. } | Harm::ClockDrift { .. } => self.weighs(node, ctx),
            Harm::ClockStep { seconds } => self.nodes[node as usize].clock.steps(now, (seconds * 1e9) as i64),
            _ => unreachable!("that is of links"),
        }
    }

    /// All that strikes a node now makes it as slow as the product of it, and its clock as fast as the sum.
    pub(super) fn weighs(&mut self, node: Node, ctx: &mut Ctx) {
        let now = ctx.now();
        let (mut slow, mut slow_disk) = (1.0, 1.0);
        let mut ppm = self.spec.clocks.get(node as usize).map_or(0.0, |clock| clock.drift_ppm);
        let strikes =
            self.faults.iter().zip(&self.spec.faults).filter(|(struck, _)| struck.nodes.contains(&node));
        for (_, fault) in strikes {
            match fault.effect {
                Harm::Slow { factor } => slow *= factor,
                Harm::SlowDisk { factor } => slow_disk *= factor,
                Harm::ClockDrift { ppm: by } => ppm += by,
                // A second in as long as it is smeared over.
                Harm::LeapSecond => ppm -= fault.r#for.map_or(0.0, |length| 1e6 / length.as_secs_f64()),
                _ => {}
            }
        }
        let place = &mut self.nodes[node as usize];
        ppm += place.slew;
        (place.slow, place.slow_disk) = (slow, slow_disk);
        place.clock.goes(now, 1.0 + ppm * 1e-6);
    }

    /// It comes up after so long, until when it is as good as down.
    fn starts(&mut self, node: Node, takes: SimDuration, ctx: &mut Ctx) {
        let place = &mut self.nodes[node as usize];
        (place.down, place.starts) = (place.down.max(1), true);
        let life = place.life;
        ctx.schedule(ctx.now() + takes, Class::Change, Event::Up { node, life });
    }

    /// All that a node has is gone, and what was kept of it elsewhere is restored.
    fn is_wiped(&mut self, node: Node, ctx: &mut Ctx) {
        self.dies(node, ctx);
        let place = &mut self.nodes[node as usize];
        let kept = place.vault.last.clone();
        place.disk.is_replaced(kept);
        let key = Key::root(place.path, u64::from(place.life) << 32);
        let restore = self.spec.node.backup.as_ref().map_or(&self.spec.node.start, |backup| &backup.restore);
        let takes = restore.sample(&mut self.work.at(key));
        // A crash that lasts goes on after it.
        if place.down == 1 {
            self.starts(node, takes, ctx);
        } else {
            place.down -= 1;
        }
    }

    /// A node's disk is copied, if it is up.
    pub(super) fn keeps(&mut self, node: Node, ctx: &mut Ctx) {
        let backup = self.spec.node.backup.as_ref().expect("it is kept");
        let place = &mut self.nodes[node as usize];
        if place.down == 0 {
            place.vault.keeps(&place.disk.stored, backup.tried_every);
        }
        ctx.schedule(ctx.now() + backup.every, Class::Change, Event::Keeps { node });
    }

    /// What sets a node's clock right.
    pub(super) fn ntp(&self, node: Node) -> Option<&NtpSpec> {
        self.spec.clocks.get(node as usize)?.ntp.as_ref()
    }

    /// A node asks a server what time it is. Its answer is taken for right as of half the time that both ways took.
    pub(super) fn asks_time(&mut self, node: Node, ctx: &mut Ctx) {
        let now = ctx.now();
        let Some(ntp) = self.ntp(node).cloned() else { return };
        let place = &mut self.nodes[node as usize];
        place.asked_time += 1;
        let key = Key::root(place.path, place.asked_time);
        let there = ntp.there.sample(&mut self.ntp.at(key.child(0)));
        let back = ntp.back.sample(&mut self.ntp.at(key.child(1)));
        let wrong = (there.as_nanos() as i64 - back.as_nanos() as i64) / 2;
        let by = wrong - place.clock.ahead(now);
        if place.runs() {
            if by.unsigned_abs() >= ntp.steps_from.as_nanos() {
                place.clock.steps(now, by);
            } else {
                place.slew = ntp.slew_ppm * (by.signum() as f64);
                let takes = SimDuration::drawn(by.unsigned_abs() as f64 / (ntp.slew_ppm * 1e-6));
                if takes < ntp.every {
                    ctx.schedule(now + takes, Class::Change, Event::Slewed { node });
                }
                self.weighs(node, ctx);
            }
        }
        ctx.schedule(now + ntp.every, Class::Change, Event::AsksTime { node });
    }

    fn dies(&mut self, node: Node, ctx: &mut Ctx) {
        let place = &mut self.nodes[node as usize];
        if std::mem::take(&mut place.starts) {
            // It was coming up, and is down again: what it had begun is for nothing.
            place.life += 1;
            place.down -= 1;
        }
        place.down += 1;
        if place.down > 1 {
            return;
        }
        let mut unread = Vec::new();
        place.dies(|slot| unread.push(slot));
        let was = place.stand;
        place.stand = Stand { role: "down", leads: false, term: was.term };
        self.truth.stands(node, was, place.stand, ctx.now());
        let timers: Vec<_> = place
            .alarms
            .iter_mut()
            .filter_map(|alarm| {
                alarm.set += 1;
                alarm.timer.take()
            })
            .collect();
        timers.into_iter().for_each(|timer| _ = ctx.cancel(timer));
        unread.into_iter().for_each(|slot| self.drops(slot, Fate::Unread, ctx));
    }

    /// A fault ends.
    pub(super) fn lifts(&mut self, number: u32, ctx: &mut Ctx) {
        let fault = &self.spec.faults[number as usize];
        ctx.witness(kinds::FAULT, 0, 0, 0, number.into(), 0);
        for wire in std::mem::take(&mut self.faults[number as usize].wires) {
            for slot in self.wires[wire].lift(number) {
                ctx.schedule_in(SimDuration::ZERO, Event::Arrives { slot });
            }
        }
        let nodes = std::mem::take(&mut self.faults[number as usize].nodes);
        if let (Some(node), false) = (nodes.first(), matches!(fault.effect, Harm::Crash)) {
            self.notes(Some(*node), format!("{} over", fault.effect.name()), ctx);
        }
        for node in nodes {
            let now = ctx.now();
            let place = &mut self.nodes[node as usize];
            match fault.effect {
                Harm::Crash => {
                    place.down -= 1;
                    if place.down == 0 {
                        let key = Key::root(place.path, u64::from(place.life) << 32);
                        let takes = self.spec.node.start.sample(&mut self.work.at(key));
                        self.starts(node, takes, ctx);
                    }
                }
                Harm::Pause => {
                    place.still -= 1;
                    self.truth.kept(node, "paused", place.still > 0, now);
                    if place.runs() {
                        if std::mem::take(&mut place.owed) {
                            place.busy = false;
                            self.does_first(node, ctx);
                        }
                        self.reads(node, ctx);
                    }
                }
                Harm::Partition => self.truth.kept(node, "cut off", false, now),
                Harm::Slow { .. } | Harm::SlowDisk { .. } | Harm::ClockDrift { .. } | Harm::LeapSecond => {
                    self.weighs(node, ctx)
                }
                Harm::BackupsFail => place.vault.empty -= 1,
                _ => {}
            }
        }
    }

    /// Puts on the tape what happens to a node.
    pub(super) fn notes(&mut self, node: Option<Node>, what: String, ctx: &Ctx) {
        if let Some(tape) = &mut self.tape {
            let from = node.map_or(0, |node| node + 1);
            let at = ctx.now().as_nanos();
            tape.step(Cause::Turn, |_| false, || Step { from, what, at, until: Some(at), ..Step::default() });
        }
    }
}

/// Whether the ways that are struck part a node from a majority, one way or the other.
fn is_alone(node: Node, ways: &[(Node, Node)], of: u32) -> bool {
    let struck =
        (0..of).filter(|other| ways.contains(&(node, *other)) || ways.contains(&(*other, node))).count();
    of as usize - struck <= of as usize / 2
}
