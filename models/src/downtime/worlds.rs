//! The same outages in several worlds, each with other mitigations.

use super::exact::{self, Used};
use super::{Cause, Downtime};
use crate::RunSpec;
use crate::drive::{Drive, Mark};
use crate::run::TrajectoryLine;
use sim_core::sampler::standard_exponential;
use sim_core::stats::TimeIntegral;
use sim_core::{
    Class, Context, Key, Luck, Model, SimDuration, SimTime, StreamUse, Streams, Witness, Words, digest,
};

/// All of the service, in the parts in which what is lost of it is counted.
pub const WHOLE: u64 = 1_000_000_000;

/// What a contract settles at a time, and what is looked at as a year.
pub const SETTLED: SimDuration = SimDuration::from_secs(30 * 86_400);
const YEAR: SimDuration = SimDuration::from_secs(365 * 86_400);

/// More outages at once are not followed.
const MOST_AT_ONCE: usize = 100_000;

/// Everything that can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Begins {
        cause: u32,
    },
    Ends {
        world: u32,
        outage: u32,
    },
    /// Thirty days are over.
    Settles,
    YearEnds,
}

type Ctx = Context<Event>;

/// What happens with these mitigations.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub used: Used,
    /// Outages that are going on, and what each leaves of the service.
    active: Vec<(u32, f64)>,
    lost: TimeIntegral,
    down: TimeIntegral,
    /// When measurement began: what had been lost by then.
    base: u128,
    settled: u128,
    /// Shares of fees that were paid back.
    pub credits: f64,
    /// By cause: outages, how long they lasted, that times what they hit, and how many were prevented.
    pub causes: Vec<OfCause>,
    pub longest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct OfCause {
    pub outages: u64,
    pub prevented: u64,
    pub lasted: u128,
    pub hit: f64,
}

impl World {
    /// What was lost of the service, in parts times nanoseconds.
    pub fn lost(&self, now: SimTime) -> u128 {
        self.lost.area(now) - self.base
    }

    fn changes(&mut self, down_from: f64, now: SimTime) {
        let left: f64 = self.active.iter().map(|(_, left)| left).product();
        let lost = 1.0 - left;
        self.lost.set(now, (lost * WHOLE as f64 + 0.5) as u64);
        let down = !self.active.is_empty() && lost >= down_from;
        self.down.set(now, u64::from(down));
    }
}

/// All worlds as they run.
pub struct Worlds<'a> {
    spec: &'a Downtime,
    measured_from: SimTime,
    pub all: Vec<World>,
    begun: Vec<u64>,
    paths: Vec<u64>,
    outages: u32,
    lucks: [Luck; PURPOSES.len()],
    /// How often was settled since measurement began.
    pub settled: u64,
    year_began: u128,
    pub worst_year: Option<u128>,
    window: ([u128; 2], SimTime),
    pub lines: [Vec<f64>; 2],
}

/// The worlds with nothing, and with what is used; the others follow.
pub const NOTHING: usize = 0;
pub const USED: usize = 1;

const ARRIVALS: usize = 0;
const LENGTH: usize = 1;
const PREVENTED: usize = 2;
const PURPOSES: [&str; 3] = ["arrivals", "length", "prevented"];

impl<'a> Worlds<'a> {
    pub fn new(spec: &'a Downtime, run: &RunSpec, streams: &Streams) -> Self {
        let used = exact::used(spec);
        let others = (0..spec.mitigations.len()).flat_map(|place| [1 << place, used ^ (1 << place)]);
        let world =
            |used| World { used, causes: vec![OfCause::default(); spec.causes.len()], ..World::default() };
        Worlds {
            spec,
            measured_from: SimTime::ZERO + run.warm_up,
            all: [0, used].into_iter().chain(others).map(world).collect(),
            begun: vec![0; spec.causes.len()],
            paths: spec.causes.names().map(digest::hash_text).collect(),
            outages: 0,
            lucks: PURPOSES.map(|purpose| streams.luck(purpose, "outages")),
            settled: 0,
            year_began: 0,
            worst_year: None,
            window: Default::default(),
            lines: Default::default(),
        }
    }

    /// The world with these mitigations.
    pub fn of(&self, used: Used) -> &World {
        self.all.iter().find(|world| world.used == used).expect("it is one of them")
    }

    fn cause(&self, cause: u32) -> (&'a str, &'a Cause) {
        let (name, cause) = self.spec.causes.at(cause as usize).expect("one of them");
        (&name.value, cause)
    }

    fn next_begins(&mut self, cause: u32, ctx: &mut Ctx) {
        let key = Key::root(self.paths[cause as usize], self.begun[cause as usize]);
        let every = self.cause(cause).1.every.as_nanos() as f64;
        let gap = standard_exponential(&mut self.lucks[ARRIVALS].at(key)) * every;
        ctx.schedule_in(SimDuration::drawn(gap), Event::Begins { cause });
    }

    fn begins(&mut self, number: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let (name, cause) = self.cause(number);
        let key = Key::root(self.paths[number as usize], self.begun[number as usize]);
        self.begun[number as usize] += 1;
        self.next_begins(number, ctx);
        let outage = self.outages;
        self.outages = self.outages.wrapping_add(1);
        ctx.witness(1, 0, 0, self.paths[number as usize], outage.into(), 0);
        let unnoticed = cause.unnoticed.sample(&mut self.lucks[LENGTH].at(key.child(0))).as_nanos() as f64;
        let repair = cause.repair.sample(&mut self.lucks[LENGTH].at(key.child(1))).as_nanos() as f64;
        let counts = now >= self.measured_from;
        for (place, world) in (0..).zip(&mut self.all) {
            let (mut first, mut then, mut hits, mut happens) = (unnoticed, repair, cause.hits, true);
            for (mitigation, effect) in exact::effects(self.spec, world.used, name) {
                first *= effect.notices;
                then *= effect.repairs;
                hits *= effect.contains;
                if effect.prevents > 0.0 {
                    let luck = self.lucks[PREVENTED].at(key.child(digest::hash_text(mitigation))).unit();
                    happens &= luck >= effect.prevents;
                }
            }
            let of = &mut world.causes[number as usize];
            if !happens {
                of.prevented += u64::from(counts);
                continue;
            }
            let lasts = SimDuration::drawn(first + then);
            if counts {
                of.outages += 1;
                of.lasted += u128::from(lasts.as_nanos());
                of.hit += lasts.as_nanos() as f64 * hits;
                world.longest = world.longest.max(lasts.as_nanos());
            }
            world.active.push((outage, 1.0 - hits));
            world.changes(self.spec.sla.as_ref().map_or(1.0, |sla| sla.down_from), now);
            ctx.schedule(now + lasts, Class::End, Event::Ends { world: place, outage });
            if world.active.len() > MOST_AT_ONCE {
                ctx.stop(format!("more than {MOST_AT_ONCE} outages at once"));
            }
        }
    }

    fn ends(&mut self, world: u32, outage: u32, ctx: &mut Ctx) {
        if world == USED as u32 {
            ctx.witness(2, 0, 0, self.paths[0], outage.into(), 0);
        }
        let down_from = self.spec.sla.as_ref().map_or(1.0, |sla| sla.down_from);
        let world = &mut self.all[world as usize];
        let place = world.active.iter().position(|(other, _)| *other == outage).expect("it is going on");
        world.active.swap_remove(place);
        world.changes(down_from, ctx.now());
    }

    /// Thirty days are over: what was down of them is paid back.
    fn settles(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let Some(sla) = &self.spec.sla else { return };
        for world in &mut self.all {
            let down = world.down.area(now);
            let up = 1.0 - (down - world.settled) as f64 / SETTLED.as_nanos() as f64;
            world.settled = down;
            let credits = sla.tiers.iter().filter(|tier| up < tier.below).map(|tier| tier.credit);
            world.credits += credits.fold(0.0, f64::max);
        }
        self.settled += 1;
        ctx.schedule_in(SETTLED, Event::Settles);
    }

    fn year_ends(&mut self, ctx: &mut Ctx) {
        let lost = self.all[USED].lost.area(ctx.now());
        let this = lost - self.year_began;
        self.worst_year = Some(self.worst_year.map_or(this, |worst| worst.max(this)));
        self.year_began = lost;
        ctx.schedule_in(YEAR, Event::YearEnds);
    }
}

impl Model for Worlds<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx) {
        match event {
            Event::Begins { cause } => self.begins(cause, ctx),
            Event::Ends { world, outage } => self.ends(world, outage, ctx),
            Event::Settles => self.settles(ctx),
            Event::YearEnds => self.year_ends(ctx),
        }
    }
}

impl Drive for Worlds<'_> {
    fn begin(&mut self, ctx: &mut Ctx) {
        (0..self.begun.len() as u32).for_each(|cause| self.next_begins(cause, ctx));
        if self.spec.sla.is_some() {
            ctx.schedule_at(self.measured_from + SETTLED, Event::Settles);
        }
        ctx.schedule_at(self.measured_from + YEAR, Event::YearEnds);
    }

    fn mark(&mut self, mark: Mark, now: SimTime) {
        match mark {
            Mark::WarmUpEnds => {
                for world in &mut self.all {
                    world.base = world.lost.area(now);
                    world.settled = world.down.area(now);
                }
                self.year_began = self.all[USED].base;
            }
            Mark::StretchBegins => {}
            Mark::WindowEnds => {
                let areas = [NOTHING, USED].map(|world| self.all[world].lost.area(now));
                let (before, then) = std::mem::replace(&mut self.window, (areas, now));
                let whole = now.since(then).as_nanos().max(1) as f64 * WHOLE as f64;
                for (line, which) in self.lines.iter_mut().zip(0..) {
                    line.push((areas[which] - before[which]) as f64 / whole);
                }
            }
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let used = PURPOSES.iter().zip(&self.lucks);
        used.map(|(purpose, luck)| (Streams::name(purpose, "outages"), luck.used())).collect()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        line.what = ["", "an outage begins", "an outage ends"][usize::from(witness.kind)].into();
        let cause = self.paths.iter().position(|path| *path == witness.entity).filter(|_| witness.kind == 1);
        line.entity = cause.and_then(|it| self.spec.causes.names().nth(it)).unwrap_or("outages").into();
        line.note = format!("number {}", witness.request);
    }
}
