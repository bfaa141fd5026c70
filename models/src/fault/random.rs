//! Failures at random: each replica, or link, is up for a time and down for a time, again and again.
//!
//! Times to failure and times to repair are drawn from distributions, for each replica by itself, so that over a long time each is down for
//! `MTTR / (MTTF + MTTR)` whatever the distributions are (an alternating renewal process; Barlow and Proschan 1965). How many are down at
//! once is another matter: see [`correlated`](super::correlated). Everything is up when a run begins, so what is measured early is a little
//! too well: a warm-up of a few repair times takes that away.
//!
//! What happened is told of each source, not of each time: how often, for how long, and for which share of the time one, any, all, or more than can be
//! done without were down.

use super::correlated::Correlation;
use super::pages;
use super::{Affected, Effect, Ways};
use crate::distribution::TimeDistribution;
use crate::experiment::{Decoder, Node, POSITIVE, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Does, Listed, Part};
use crate::report::{Better, Section, Unit, Value};
use crate::theory::{Together, beta_parts};
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse};

spec! {
    /// Something that fails by itself, at random, and is repaired.
    pub struct FailureSpec where check {
        /// A service, or for the network an edge, or a service for all edges into it, as a fault has it. Each replica fails by itself; or each edge.
        on: Spanned<String>,
        /// How long each is up before it fails: the time to failure.
        every: TimeDistribution; POSITIVE,
        /// How long each is down: the time to repair.
        r#for: TimeDistribution; POSITIVE,
        /// What that does.
        effect: Effect = Effect::Crash { callers: super::CrashStyle::Reset },
        /// Which replicas of the service can fail.
        replicas: Affected = Affected::All,
        /// Of the network: which way the messages go that are struck.
        way: Ways = Ways::Both,
        /// Whether they fail together, and what is meant by that.
        correlation: Correlation = Correlation::Independent,
        /// So many of them must be up: it is told for which share of the time they are.
        needs: Option<u32> = None; 1..=10_000,
    }
}

/// A share of strikes that cannot build up, and a sense of failing together that has no times of its own.
fn check(failure: &FailureSpec, at: &Node, cx: &mut Decoder) {
    check_means(&failure.every, &failure.r#for, at, cx);
    let memoryless = failure.every.is_exponential() && failure.r#for.is_exponential();
    if failure.correlation.needs_no_memory() && !memoryless {
        let place = at.get("correlation").unwrap_or(at).span;
        let help =
            "write both as Exponential(mean: ..), or take BetaFactor, which keeps the times that it is given";
        cx.error(place, "this sense of failing together has exponential times to failure and to repair")
            .help(help);
    }
    if failure.way != Ways::Both && !failure.effect.is_network() {
        let message = format!(
            "`{}` strikes replicas, whoever calls them: `way` is of the network",
            failure.effect.name()
        );
        cx.error(at.get("way").unwrap_or(at).span, message)
            .help("leave it out, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth");
    }
}

/// What has no mean is not down for any share of the time.
pub fn check_means(every: &TimeDistribution, repair: &TimeDistribution, at: &Node, cx: &mut Decoder) {
    for (field, _) in
        [("every", every), ("for", repair)].into_iter().filter(|it| !it.1.nanos.mean().is_finite())
    {
        let place = at.get(field).unwrap_or(at).span;
        cx.error(place, format!("`{field}` has no mean: what it comes to in the long run is not known"))
            .help("a shape above 1 has a mean, BoundedPareto an end");
    }
}

impl FailureSpec {
    /// What there is to know of it.
    pub fn parts(&self) -> Vec<Listed<'_>> {
        vec![
            Listed::made("every", "", Some(Every(&self.every))),
            Listed::always("correlation", &self.correlation),
        ]
    }

    /// The share of the time for which each is down in the long run, if that is known.
    pub fn down_share(&self) -> Option<f64> {
        down_share(&self.every, &self.r#for)
    }
}

/// The share of the time for which whoever fails and is repaired like this is down in the long run.
pub fn down_share(every: &TimeDistribution, repair: &TimeDistribution) -> Option<f64> {
    let (mttf, mttr) = (every.nanos.mean(), repair.nanos.mean());
    (mttf + mttr).is_finite().then(|| crate::theory::unavailability(mttf, mttr))
}

/// The setting that makes it random, to be read about.
pub struct Every<'a>(pub &'a TimeDistribution);

impl Part for Every<'_> {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(crate::diagram::time(self.0))
    }

    fn about() -> &'static [Page] {
        pages::RANDOM
    }

    fn samples() -> &'static [&'static str] {
        &["\"1h\"", "Exponential(mean: \"300ms\")"]
    }
}

/// One cause of failures, and what it did.
#[derive(Clone)]
pub struct Source {
    name: String,
    /// How many fail.
    units: u32,
    /// So many must be up, if that is said.
    needs: Option<u32>,
    law: Together,
    every: Distribution,
    repair: Distribution,
    /// For so much of the time each is down.
    p: f64,
    /// Where it is drawn for all at once who is down: how long until that is done again.
    between_draws: Distribution,
    luck: Luck,
    root: Key,
    /// Of each of them, and last of all together: how often it has failed or been repaired.
    turns: Vec<u64>,
    /// Those that are down for a reason of their own, and whether all are for one that they share.
    down: u32,
    all: bool,
    since: SimTime,
    /// When one first failed, from the beginning of the run.
    first: Option<SimTime>,
    told: Told,
    /// Of the window that is being filled.
    window: (SimTime, u128),
    windows: Vec<f64>,
}

/// What was counted while it was measured: times in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Told {
    failures: u64,
    down: u128,
    any: u128,
    all: u128,
    short: u128,
    time: u128,
}

/// What will be told: nothing measured yet.
pub fn declared(name: &str, units: u32, needs: Option<u32>) -> Section {
    let share = |about: &str| Value::new(Unit::Share, about).better(Better::Less);
    let mut section = Section::new("failures", name)
        .value("failures", Value::new(Unit::Plain, "times that any of them failed"))
        .value("down", share("share of the time for which each of them is down"))
        .value("any_down", share("share of the time for which at least one is down"))
        .value("all_down", share("share of the time for which all are down"));
    if needs.is_some() {
        let about = "share of the time for which as many are up as are needed";
        section = section.value("enough_up", Value::new(Unit::Share, about).better(Better::More));
    }
    section
        .line("down", Unit::Plain, "How many are down, in the mean of each window.")
        .up_to(Some(f64::from(units)))
}

impl Source {
    /// So many that fail like this; where some of that is common to all the last of their numbers is that of all.
    pub fn new(
        name: &str,
        (units, needs): (u32, Option<u32>),
        law: Together,
        (every, repair): (&TimeDistribution, &TimeDistribution),
        luck: Luck,
    ) -> Self {
        let (mttf, mttr) = (every.nanos.mean(), repair.nanos.mean());
        let p = crate::theory::unavailability(mttf, mttr);
        // Who is down when it is drawn anew is so again with that chance: so often is it drawn that a repair takes its time.
        let between = Distribution::exponential((mttr * (1.0 - p)).max(1.0));
        Source {
            p,
            between_draws: between.expect("a mean above 0"),
            name: name.to_owned(),
            units,
            needs,
            law,
            every: every.nanos.clone(),
            repair: repair.nanos.clone(),
            luck,
            root: Key::root(sim_core::digest::hash_text(name), u64::from(units)),
            turns: vec![0; units as usize + 1],
            down: 0,
            all: false,
            since: SimTime::ZERO,
            first: None,
            told: Told::default(),
            window: (SimTime::ZERO, 0),
            windows: Vec::new(),
        }
    }

    /// How many have times of their own, that of all together included.
    pub fn renewals(&self) -> u32 {
        match self.law {
            Together::BetaFactor(_) => self.units + 1,
            Together::Independent => self.units,
            Together::Pearson(_) | Together::GaussianCopula(_) => 0,
        }
    }

    /// Whether this number is that of what is common to all.
    pub fn is_common(&self, unit: u32) -> bool {
        unit == self.units
    }

    /// Where the next luck of one of them is drawn, or of all.
    fn next_key(&mut self, unit: u32) -> Key {
        let turn = &mut self.turns[unit as usize];
        *turn += 1;
        Key::root(self.root.get(), u64::from(unit)).child(*turn)
    }

    /// How long this one is up before it fails.
    pub fn time_to_failure(&mut self, unit: u32) -> SimDuration {
        let (key, factor) = (self.next_key(unit), self.rarer(unit));
        SimDuration::drawn(self.every.sample(&mut self.luck.at(key)) * factor)
    }

    /// How long it is down.
    pub fn time_to_repair(&mut self, unit: u32) -> SimDuration {
        let key = self.next_key(unit);
        SimDuration::drawn(self.repair.sample(&mut self.luck.at(key)))
    }

    /// How much longer the times to failure are of what is common to all, and of what is left to each, so that each is down
    /// for as long as it would be by itself.
    fn rarer(&self, unit: u32) -> f64 {
        let Together::BetaFactor(beta) = self.law else { return 1.0 };
        let (mttf, mttr) = (self.every.mean(), self.repair.mean());
        let (common, own) = beta_parts(self.p, beta);
        let share = if unit == self.units { common } else { own };
        // What never happens happens in another life.
        if share > 0.0 { mttr * (1.0 - share) / share / mttf } else { f64::MAX }
    }

    /// How long until it is drawn anew who is down, where that is drawn for all at once.
    pub fn time_to_draw(&mut self) -> SimDuration {
        let key = self.next_key(self.units);
        SimDuration::drawn(self.between_draws.sample(&mut self.luck.at(key)))
    }

    /// Who is down from now on.
    pub fn drawn(&mut self) -> Vec<bool> {
        let key = self.next_key(self.units);
        super::correlated::drawn(self.law, self.p, self.units, |number| {
            self.luck.at(key.child(u64::from(number)))
        })
    }

    fn count_down(&self) -> u32 {
        if self.all { self.units } else { self.down }
    }

    fn settle(&mut self, now: SimTime) {
        let time = u128::from(now.since(self.since).as_nanos());
        let (down, told) = (self.count_down(), &mut self.told);
        told.time += time;
        told.down += time * u128::from(down);
        self.window.1 += time * u128::from(down);
        told.any += if down > 0 { time } else { 0 };
        told.all += if down == self.units { time } else { 0 };
        told.short += if self.needs.is_some_and(|needs| self.units - down < needs) { time } else { 0 };
        self.since = now;
    }

    /// One of them fails, or all do.
    pub fn fails(&mut self, unit: u32, now: SimTime) {
        self.settle(now);
        self.first.get_or_insert(now);
        self.told.failures += 1;
        if unit == self.units { self.all = true } else { self.down += 1 }
    }

    /// When one first failed, if any has.
    pub fn first(&self) -> Option<SimTime> {
        self.first
    }

    /// It is up again.
    pub fn is_repaired(&mut self, unit: u32, now: SimTime) {
        self.settle(now);
        if unit == self.units { self.all = false } else { self.down -= 1 }
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.settle(now);
        self.told = Told::default();
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.settle(now);
        let (from, down) = std::mem::replace(&mut self.window, (now, 0));
        self.windows.push(down as f64 / now.since(from).as_nanos().max(1) as f64);
    }

    /// What was measured.
    pub fn section(&mut self, now: SimTime) -> Section {
        self.settle(now);
        let mut section = declared(&self.name, self.units, self.needs);
        let Told { failures, down, any, all, short, time } = self.told;
        let share = |part: u128| (time > 0).then(|| part as f64 / time as f64);
        section.set("failures", failures as f64);
        section.set("down", share(down).map(|sum| sum / f64::from(self.units)));
        section.set("any_down", share(any));
        section.set("all_down", share(all));
        if self.needs.is_some() {
            section.set("enough_up", share(time - short));
        }
        section.draw("down", self.windows.clone());
        section
    }

    /// Whose it is, and what it drew.
    pub fn used(&self) -> (&str, StreamUse) {
        (&self.name, self.luck.used())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::Streams;

    const HOUR: u64 = 3_600;

    fn source(units: u32, needs: Option<u32>, law: Together) -> Source {
        let hours = |hours: u64| TimeDistribution::exponential(SimDuration::from_secs(hours * HOUR));
        let luck = Streams::new(1).luck("failures", "disks");
        Source::new("disks", (units, needs), law, (&hours(99), &hours(1)), luck)
    }

    #[track_caller]
    fn told<const N: usize>(source: &mut Source, now: u64, names: [&str; N]) -> [f64; N] {
        let section = source.section(SimTime::from_secs(now));
        names.map(|name| section.values.get(name).and_then(|value| value.value).expect("measured"))
    }

    #[test]
    fn time_is_counted_by_how_many_are_down() {
        let mut three = source(3, Some(2), Together::BetaFactor(0.5));
        three.begin(SimTime::from_secs(10));
        // (at, which, fails): one from 20 to 50, a second from 30 to 40, all from 60 to 70, one within that.
        let table = [
            (20, 0, true),
            (30, 2, true),
            (40, 2, false),
            (50, 0, false),
            (60, 3, true),
            (65, 1, true),
            (70, 3, false),
            (80, 1, false),
        ];
        for (at, unit, fails) in table {
            let at = SimTime::from_secs(at);
            if fails { three.fails(unit, at) } else { three.is_repaired(unit, at) }
        }
        let names = ["failures", "down", "any_down", "all_down", "enough_up"];
        // Of 100 s: 10 + 20 + 10 + 30 + 10 of three; two were missing from 30 to 40, and all from 60 to 70.
        assert_eq!(told(&mut three, 110, names), [4.0, 80.0 / 300.0, 0.5, 0.1, 0.8]);
    }

    #[test]
    fn windows_tell_how_many_were_down_of_what_is_not_measured_too() {
        let mut two = source(2, None, Together::Independent);
        two.fails(0, SimTime::from_secs(5));
        two.close_window(SimTime::from_secs(10));
        two.begin(SimTime::from_secs(15));
        two.fails(1, SimTime::from_secs(18));
        two.close_window(SimTime::from_secs(20));
        assert_eq!(two.section(SimTime::from_secs(20)).series[0].values, [0.5, 1.2]);
        assert_eq!(told(&mut two, 20, ["failures", "all_down"]), [1.0, 0.4]);
    }

    /// Each has luck of its own, however many there are; and what is common to all is as rare as leaves each its share.
    #[test]
    fn times_are_those_that_are_written() {
        let mean = |source: &mut Source, unit: u32| {
            let sum: f64 = (0..20_000).map(|_| source.time_to_failure(unit).as_secs_f64()).sum();
            sum / 20_000.0 / HOUR as f64
        };
        let (mut few, mut many) =
            (source(2, None, Together::Independent), source(9, None, Together::Independent));
        let first = (few.time_to_failure(1), few.time_to_repair(1));
        assert_ne!(first.0, few.time_to_failure(1), "another time");
        assert_ne!(few.time_to_failure(0), many.time_to_failure(1));
        let again = (many.units, source(2, None, Together::Independent).time_to_failure(1));
        assert_eq!(again, (9, first.0), "the same luck");
        assert!((mean(&mut few, 0) / 99.0 - 1.0).abs() < 0.03);
        // Down 1 % of the time, of which 0.6 % is common and 0.4 % / 99.4 % of the rest its own.
        let mut together = source(2, None, Together::BetaFactor(0.6));
        let (common, own) = (0.994 / 0.006, (1.0 - 0.004 / 0.994) / (0.004 / 0.994));
        assert!((mean(&mut together, 2) / common - 1.0).abs() < 0.03);
        assert!((mean(&mut together, 0) / own - 1.0).abs() < 0.03);
        assert_eq!((together.renewals(), few.renewals()), (3, 2));
    }

    /// Drawn anew so often that whoever is down is so for a repair time.
    #[test]
    fn who_is_down_is_down_for_a_repair_time() {
        for law in [Together::Pearson(0.6), Together::GaussianCopula(0.3)] {
            let mut four = source(4, None, law);
            assert_eq!(four.renewals(), 0);
            let (mut now, mut since, mut sum, mut times) = (0.0, None, 0.0, 0u32);
            while times < 4_000 {
                now += four.time_to_draw().as_secs_f64() / HOUR as f64;
                match (since, four.drawn()[2]) {
                    (None, true) => since = Some(now),
                    (Some(began), false) => (since, sum, times) = (None, sum + now - began, times + 1),
                    _ => {}
                }
            }
            assert!((sum / f64::from(times) - 1.0).abs() < 0.06, "{law:?}: {} h", sum / f64::from(times));
            assert!((sum / now / 0.01 - 1.0).abs() < 0.1, "{law:?}: {}", sum / now);
        }
    }
}
