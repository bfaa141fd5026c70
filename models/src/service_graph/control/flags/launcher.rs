//! Who has a flag, whoever switches it on for more, and what is told of it.

use super::{Flag, OfUsers, declared, is_sound};
use crate::report::Section;
use crate::service_graph::control::Control;
use crate::service_graph::control::switch::Switch;
use crate::service_graph::control::versions::{Seen, Sides};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::{GraphSpec, WorkloadSpec};
use crate::service_graph::state::*;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// A flag among the users of one workload: who of them has it, and what became of their calls.
#[derive(Clone)]
pub struct Dealt {
    number: u32,
    /// The workload and the flag.
    stream: String,
    luck: Luck,
    share: f64,
    sides: Sides,
}

impl Dealt {
    /// Those that a workload's users may have.
    pub fn all(workload: &WorkloadSpec, spec: &GraphSpec, streams: &Streams) -> Vec<Self> {
        let those = (0..).zip(spec.flags.iter()).filter(|(_, (_, flag))| flag.is_for(workload));
        let dealt = |(number, (name, _)): (u32, (&str, &Flag))| {
            let stream = format!("{}/{name}", workload.name.value);
            let luck = streams.luck("flag", &stream);
            Dealt { number, stream, luck, share: 0.0, sides: Sides::default() }
        };
        those.map(dealt).collect()
    }

    /// The set of those that this user has.
    pub fn of_user(all: &mut [Self], whose: Key) -> u8 {
        let mut has = 0;
        for one in all.iter_mut().filter(|it| it.share > 0.0) {
            if one.share >= 1.0 || one.luck.at(whose).unit() < one.share {
                has |= 1 << one.number;
            }
        }
        has
    }

    /// A call of a user has ended who has these: well after so long, or otherwise.
    pub fn ended(&mut self, has: u8, took: Option<SimDuration>, is_measured: bool) {
        self.sides.counts(has & 1 << self.number != 0, took, is_measured);
    }

    /// What was counted of those without it and with it, in what is measured.
    pub fn measured(&self) -> [Seen; 2] {
        self.sides.measured()
    }

    /// What it has drawn.
    pub fn used(&self) -> (&'static str, &str, StreamUse) {
        ("flag", &self.stream, self.luck.used())
    }
}

/// Whoever switches a flag of users.
#[derive(Clone, Debug)]
pub struct Launcher {
    name: String,
    number: u32,
    says: Flag,
    /// The service that those first call who may have it.
    pub service: u32,
    is_sound: bool,
    switch: Switch,
}

impl Launcher {
    /// All of a graph: nothing is on yet.
    pub fn all(spec: &GraphSpec) -> impl Iterator<Item = Self> + '_ {
        (0..).zip(spec.flags.iter()).filter_map(move |(number, (name, flag))| {
            let first = spec.workload.iter().find(|workload| flag.is_for(workload))?;
            let service = spec.services.index_of(&first.to.value)?;
            Some(Launcher {
                name: name.to_owned(),
                number,
                service: service as u32,
                is_sound: is_sound(spec, name),
                switch: Switch::new(flag.switched()),
                says: flag.clone(),
            })
        })
    }

    /// When each stage begins, by its number.
    pub fn first_looks(&self) -> Vec<(u32, SimTime)> {
        self.switch.first_looks()
    }

    /// What its users saw, of those without it and with it.
    fn sees(&self, edges: &[Edge], of: fn(&Sides) -> [Seen; 2]) -> [Seen; 2] {
        let dealt = edges.iter().flat_map(|edge| &edge.classes).flat_map(|it| it.flags());
        let sides = dealt.filter(|it| it.number == self.number).map(|it| of(&it.sides));
        sides.fold(Default::default(), |sum: [Seen; 2], seen| [0, 1].map(|side| sum[side].and(seen[side])))
    }

    /// A window is over.
    pub fn close_window(&mut self, edges: &[Edge]) {
        let seen = self.sees(edges, Sides::seen);
        self.switch.close_window(seen);
    }

    /// What is told of it.
    pub fn section(&self, edges: &[Edge]) -> Section {
        let declared = declared(&self.name, &self.says);
        let mut section = self.switch.section(declared, self.sees(edges, Sides::measured), self.is_sound);
        section.set("killed_at", self.switch.killed().map(|at| at.as_nanos() as f64));
        section
    }
}

impl GraphSpec {
    /// The flags of its users, each by its name.
    pub fn of_users(&self) -> impl Iterator<Item = OfUsers<'_>> {
        self.flags.iter().map(|(name, flag)| OfUsers { name, flag })
    }
}

impl<L: Listen> Graph<L> {
    /// A stage begins, somebody looks at figures, or it is off.
    #[cold]
    pub fn launcher_looks(&mut self, control: u32, of: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let Control::Flag(launcher) = &mut self.controls[control as usize] else {
            unreachable!("it switches")
        };
        let figures = launcher.switch.figures();
        if of == figures {
            let seen = launcher.sees(&self.edges, Sides::seen);
            if let Some((of, at)) = launcher.switch.looks(seen, now) {
                ctx.schedule_at(at, Event::Look { control, of });
            }
            return;
        }
        if !launcher.switch.turns(of, now) {
            return;
        }
        let share = launcher.switch.share();
        let dealt = self.edges.iter_mut().flat_map(|edge| &mut edge.classes).flat_map(|it| it.flags_mut());
        for dealt in dealt.filter(|it| it.number == launcher.number) {
            dealt.share = share;
        }
        if share > 0.0
            && let Some(first) = launcher.switch.begins_to_look(now)
        {
            ctx.schedule_at(first, Event::Look { control, of: figures });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many have it as are to, for each flag others; and nobody loses it when more do.
    #[test]
    fn whoever_has_it_keeps_it() {
        let streams = Streams::new(7);
        let dealt = |number: u32, stream: &str| Dealt {
            number,
            stream: stream.into(),
            luck: streams.luck("flag", stream),
            share: 0.0,
            sides: Sides::default(),
        };
        let mut all = [dealt(0, "users/a"), dealt(3, "users/b")];
        let users = || (0..10_000).map(|user| Key::root(5, user));
        let mut have = |shares: [f64; 2]| -> Vec<u8> {
            all.iter_mut().zip(shares).for_each(|(one, share)| one.share = share);
            users().map(|user| Dealt::of_user(&mut all, user)).collect()
        };
        assert!(have([0.0, 0.0]).iter().all(|has| *has == 0));
        let few = have([0.05, 0.5]);
        let count = |of: &[u8], set: u8| of.iter().filter(|has| **has & set == set).count();
        assert!((450..550).contains(&count(&few, 1)), "{}", count(&few, 1));
        assert!((4_800..5_200).contains(&count(&few, 8)), "{}", count(&few, 8));
        assert!((200..300).contains(&count(&few, 9)), "each for itself: {}", count(&few, 9));
        let more = have([0.2, 0.0]);
        assert!((1_900..2_100).contains(&count(&more, 1)) && count(&more, 8) == 0);
        assert!(few.iter().zip(&more).all(|(few, more)| few & 1 <= more & 1), "nobody loses it");
        assert_eq!(have([0.05, 0.5]), few, "and it is the same users again");
        assert!(have([1.0, 0.0]).iter().all(|has| *has == 1));
    }
}
