//! What is told of a rollout.

use super::Rollout;
use super::roller::Roller;
use crate::report::{Better, Change, Fold, Section, Unit, Value};
use crate::service_graph::control::versions::Versions;
use sim_core::SimTime;

/// What happened, and for how long who was met by whom.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The share of those that callers may choose that run the new version, since when, and summed over nanoseconds.
    share: f64,
    /// The same of each list of whoever looks up whom he calls; none if he has no list.
    met: Vec<Option<f64>>,
    since: SimTime,
    exposure: f64,
    /// The sum when measurement began.
    before: f64,
    /// And of the window, and when that began.
    window: (f64, SimTime),
    line: Vec<f64>,
    began: Option<SimTime>,
    first_shown: Option<SimTime>,
    least: Option<u32>,
    completed: Option<SimTime>,
    taken_back: Option<SimTime>,
    undone: Option<SimTime>,
    stuck: bool,
    state: Option<&'static str>,
    changes: Vec<Change>,
}

impl Told {
    /// Up to now it was as it is.
    pub fn settle(&mut self, now: SimTime) {
        let more = self.share * now.since(self.since).as_nanos() as f64;
        self.exposure += more;
        self.window.0 += more;
        self.since = now;
    }

    /// Of so many that callers may choose so many run the new version from now on.
    pub fn shows(&mut self, (new, all): (u32, u32), is_moving: bool, now: SimTime) {
        self.share = if all > 0 { f64::from(new) / f64::from(all) } else { 0.0 };
        if new > 0 {
            self.first_shown.get_or_insert(now);
        }
        if is_moving {
            self.least = Some(self.least.map_or(all, |least| least.min(all)));
        }
    }

    /// Of what one of so many callers has heard of this share runs the new version from now on: users meet what callers have heard of.
    pub fn meets(&mut self, (list, lists): (usize, usize), share: Option<f64>, now: SimTime) {
        self.settle(now);
        self.met.resize(lists, None);
        self.met[list] = share;
        let (sum, count) =
            self.met.iter().flatten().fold((0.0, 0u32), |(sum, count), it| (sum + it, count + 1));
        self.share = sum / f64::from(count.max(1));
    }

    /// When callers could first choose the new version.
    pub fn first_shown(&self) -> Option<SimTime> {
        self.first_shown
    }

    /// Whether somebody took it back.
    pub fn was_taken_back(&self) -> bool {
        self.taken_back.is_some()
    }

    /// When all was done, or taken back.
    pub fn ended(&self) -> Option<SimTime> {
        self.undone.or(self.completed)
    }

    /// The fewest that callers could choose while versions changed.
    pub fn least(&self) -> Option<u32> {
        self.least
    }

    /// It is in another state.
    pub fn changes(&mut self, to: &'static str, now: SimTime) {
        self.began.get_or_insert(now);
        let from = self.state.replace(to).unwrap_or("waiting");
        if from != to {
            let (from, to) = (from.into(), to.into());
            self.changes.push(Change { at: now.as_nanos(), of: None, replica: None, from, to });
        }
    }

    pub fn is_complete(&mut self, now: SimTime) {
        self.changes("complete", now);
        self.completed = Some(now);
    }

    pub fn is_stuck(&mut self, now: SimTime) {
        self.changes("stuck", now);
        self.stuck = true;
    }

    pub fn is_taken_back(&mut self, now: SimTime) {
        self.changes("rolling back", now);
        self.taken_back = Some(now);
    }

    pub fn is_undone(&mut self, now: SimTime) {
        self.changes("rolled back", now);
        self.undone = Some(now);
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.settle(now);
        self.before = self.exposure;
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.settle(now);
        let (sum, then) = std::mem::replace(&mut self.window, (0.0, now));
        self.line.push(sum / now.since(then).as_nanos().max(1) as f64);
    }
}

impl Roller {
    /// What is told of it.
    pub fn section(&self, (name, versions): (&str, &Versions), now: SimTime) -> Section {
        let told = &self.told;
        let mut section = declared(name, &self.says);
        let between = |from: Option<SimTime>, to: Option<SimTime>| Some(to?.since(from?).as_nanos() as f64);
        let yes = |is: bool| f64::from(u8::from(is));
        let [old, new] = versions.measured();
        let all = old.requests + new.requests;
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let since = now.max(told.since).since(told.since).as_nanos() as f64;
        section.set("exposure", told.exposure - told.before + told.share * since);
        section.set("requests", new.requests as f64);
        section.set("share_of_requests", share(new.requests, all));
        section.set("failed", new.failed as f64);
        section.set("error_rate", share(new.failed, new.requests));
        section.set("error_rate_old", share(old.failed, old.requests));
        section.set("took", between(told.began, told.completed));
        section.set(
            "time_to_detect",
            between(told.first_shown, told.taken_back).or_else(|| between(told.began, told.taken_back)),
        );
        section.set("time_to_roll_back", between(told.taken_back, told.undone));
        section.set("least_available", told.least.map(f64::from));
        section.set("completed", yes(told.completed.is_some()));
        section.set("stuck", yes(told.stuck));
        section.set("rolled_back", yes(told.taken_back.is_some()));
        section.set("false_rollbacks", yes(told.taken_back.is_some() && self.says.to.is_sound()));
        if self.says.analysis.is_some() {
            let measured = self.measured();
            section.set("measurements", f64::from(measured.passed + measured.failed));
            section.set("measurements_failed", f64::from(measured.failed));
            section.set("measurements_inconclusive", f64::from(measured.inconclusive));
        }
        section.draw("new", told.line.clone());
        Section { changes: told.changes.clone(), ..section }
    }
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str, rollout: &Rollout) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let time = |about: &str| Value::new(Unit::Duration, about).better(Better::Less);
    let share = |about: &str| Value::new(Unit::Share, about);
    let section = Section::new("rollout", at)
        .value(
            "exposure",
            time("the share of those replicas that callers may choose, or have heard of, that run the new version, summed over time: for so long all of them would have")
        )
        .value(
            "new_mean",
            share("that share, mean over time").of_windows(Fold::Mean("new".into())),
        )
        .value("requests", plain("requests that the new version answered or turned away"))
        .value("share_of_requests", share("of all requests that either did"))
        .value(
            "failed",
            plain("requests that the new version failed or turned away").better(Better::Less).headline(),
        )
        .value("error_rate", share("the share of its requests that that is").better(Better::Less))
        .value("error_rate_old", share("and of the old version"))
        .value("took", time("from its beginning until all replicas that get it ran the new version"))
        .value(
            "time_to_detect",
            time("from when callers could first choose the new version, or if they never could from the beginning, until it was taken back")
                .headline(),
        )
        .value("time_to_roll_back", time("from then until callers had as much of the old version as before"))
        .value(
            "least_available",
            plain("replicas that callers could choose, at least, while versions changed").better(Better::More).headline(),
        )
        .value("completed", plain("1 if all replicas that get it ran the new version once"))
        .value("stuck", plain("1 if nothing came of it within its deadline").better(Better::Less))
        .value("rolled_back", plain("1 if it was taken back"))
        .value(
            "false_rollbacks",
            plain("1 if it was, though nothing is wrong with the new version").better(Better::Less),
        );
    let section = match rollout.analysis {
        None => section,
        Some(_) => section
            .value("measurements", plain("measurements of the new version that said something"))
            .value("measurements_failed", plain("of these, those that it failed"))
            .value("measurements_inconclusive", plain("and those that saw too few requests to say anything")),
    };
    section
        .line(
            "new",
            Unit::Share,
            "Share of the replicas that callers may choose, or have heard of, that run the new version.",
        )
        .up_to(Some(1.0))
}
