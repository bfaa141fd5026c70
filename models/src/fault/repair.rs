//! A fault that is over when somebody has repaired it, who needs services for that: access to what is broken, a console, a build system.
//!
//! A repair takes so long, and goes on only while all that it needs answers. Each is asked `every` so often, by a real call over an edge of its own,
//! `backbone->access/repair`: to somebody who is down, cut off or slower than the `timeout` there is no answer. When all have answered well the work
//! goes on; when one does not it stands still, until the next time that all do. What is done is kept.
//!
//! ```text
//!          all answer                    `takes` of work is done
//!   waits ───────────▶ works ───────────────────────────────────▶ over: the fault ends
//!     ▲                  │ one does not
//!     └──────────────────┘
//! ```
//!
//! So when such a fault ends is not known before the run: if what it needs is down for as long as it is there, never.

use super::pages;
use crate::experiment::{Len, POSITIVE, Spanned};
use crate::policy::Policy;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Section, Unit, Value};
use sim_core::{SimDuration, SimTime};

/// More than that nobody needs at once.
const MOST_NEEDS: usize = 10;

spec! {
    /// Somebody who repairs it, and what he needs for that.
    pub struct Repair {
        /// How long it takes, waits for what it needs left out.
        takes: SimDuration; POSITIVE,
        /// Services: it goes on only while each of them answers.
        needs: Vec<Spanned<String>>; Len(1..=MOST_NEEDS),
        /// How often each is asked, by a call that is one of its requests.
        every: SimDuration = SimDuration::from_secs(10); POSITIVE,
        /// How long an answer is waited for.
        timeout: SimDuration = SimDuration::from_secs(5); POSITIVE,
    }
}

impl Repair {
    /// What his calls are made under.
    pub fn policy(&self) -> Policy {
        Policy { timeout: Some(self.timeout), ..Policy::default() }
    }

    /// When it is over, in words.
    pub fn told(&self) -> String {
        let needs: Vec<&str> = self.needs.iter().map(|name| name.value.as_str()).collect();
        let (takes, verb) = (self.takes, if needs.len() == 1 { "answers" } else { "answer" });
        format!("it is repaired, which takes {takes} while {} {verb}", needs.join(" and "))
    }
}

impl Part for Repair {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(format!("until {}", self.told()))
    }

    fn about() -> &'static [Page] {
        pages::REPAIR
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(takes: "300ms", needs: ["names"], every: "50ms", timeout: "20ms")"#,
            r#"(takes: "1ms", needs: ["names"])"#,
        ]
    }
}

/// What is told of a repair: nothing measured yet.
pub fn declared_repair(at: &str) -> Section {
    let time = |about: &str| Value::new(Unit::Duration, about);
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let took = time("from when the fault began to when it was repaired; absent if it was not");
    Section::new("repair", at)
        .value("took", took.better(Better::Less).headline())
        .value("worked", time("for how long the work went on, from the beginning of the run"))
        .value(
            "stood_still",
            time("for how long it did not, since something did not answer that it needs")
                .better(Better::Less),
        )
        .value("asked", plain("calls to what it needs"))
        .value("unanswered", plain("of these, those that did not end well").better(Better::Less))
        .line("done", Unit::Share, "Share of the work that was done by the end of each window.")
}

/// A repair, as far as it has come.
#[derive(Clone, Debug)]
pub struct Mending {
    takes: SimDuration,
    every: SimDuration,
    /// Whether each of what it needs answered well when it was last asked.
    well: Box<[bool]>,
    /// How many of them have yet to answer, and when they were asked.
    out: usize,
    asked_at: SimTime,
    /// What was done before now, and since when it goes on, if it does.
    done: SimDuration,
    since: Option<SimTime>,
    began: Option<SimTime>,
    over: Option<SimTime>,
    asked: u64,
    unanswered: u64,
    windows: Vec<f64>,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it will be over, if it goes on from here; or that it no longer goes on.
    pub work: Option<Work>,
    /// When they are asked again, if all have answered.
    pub again: Option<SimTime>,
}

/// Whether work goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It does, and will be over then.
    GoesOn {
        /// When that is.
        until: SimTime,
    },
    /// It stands still.
    Stops,
}

impl Mending {
    /// Of a fault that has not begun.
    pub fn new(says: &Repair) -> Self {
        Mending {
            takes: says.takes,
            every: says.every,
            well: vec![false; says.needs.len()].into(),
            out: 0,
            asked_at: SimTime::ZERO,
            done: SimDuration::ZERO,
            since: None,
            began: None,
            over: None,
            asked: 0,
            unanswered: 0,
            windows: Vec::new(),
        }
    }

    /// The fault is there.
    pub fn begins(&mut self, now: SimTime) {
        self.began = Some(now);
    }

    /// How many are asked now: none once it is over.
    pub fn asks(&mut self, now: SimTime) -> usize {
        if self.over.is_some() {
            return 0;
        }
        (self.out, self.asked_at) = (self.well.len(), now);
        self.asked += self.out as u64;
        self.out
    }

    /// One of them has answered, or has not.
    pub fn hears(&mut self, which: usize, is_well: bool, now: SimTime) -> Heard {
        self.out -= 1;
        self.unanswered += u64::from(!is_well);
        if self.over.is_some() {
            return Heard { work: None, again: None };
        }
        self.well[which] = is_well;
        let work = match self.since {
            // What one of them said a while ago is not enough.
            None if self.out == 0 && self.well.iter().all(|well| *well) => {
                self.since = Some(now);
                Some(Work::GoesOn { until: now + self.takes.saturating_sub(self.done) })
            }
            Some(since) if !is_well => {
                (self.done, self.since) = (self.done + now.since(since), None);
                Some(Work::Stops)
            }
            _ => None,
        };
        Heard { work, again: (self.out == 0).then(|| now.max(self.asked_at + self.every)) }
    }

    /// The work is done.
    pub fn is_done(&mut self, now: SimTime) {
        (self.done, self.since, self.over) = (self.takes, None, Some(now));
    }

    /// When it was.
    pub fn over(&self) -> Option<SimTime> {
        self.over
    }

    fn worked(&self, now: SimTime) -> SimDuration {
        self.done + self.since.map_or(SimDuration::ZERO, |since| now.since(since))
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        self.windows.push(self.worked(now).as_nanos() as f64 / self.takes.as_nanos() as f64);
    }

    /// What is told of it.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let mut section = declared_repair(at);
        let (worked, since) = (self.worked(now), |began: SimTime| self.over.unwrap_or(now).since(began));
        let still = self.began.map(|began| since(began).saturating_sub(worked));
        section.set("took", self.over.zip(self.began).map(|(_, began)| since(began).as_nanos() as f64));
        section.set("worked", worked.as_nanos() as f64);
        section.set("stood_still", still.map_or(0.0, |still| still.as_nanos() as f64));
        section.set("asked", self.asked as f64);
        section.set("unanswered", self.unanswered as f64);
        section.draw("done", self.windows.clone());
        section
    }

    /// What there is to say of a repair that began and is not over.
    pub fn unfinished(&self, on: &str, needs: &[&str], now: SimTime) -> Option<String> {
        self.began.filter(|_| self.over.is_none())?;
        let (worked, takes) = (self.worked(now).brief(), self.takes.brief());
        let (needs, answer) = (needs.join(" and "), if needs.len() == 1 { "answers" } else { "answer" });
        Some(format!(
            "{on} was not repaired: {worked} of {takes} of work were done, which goes on only while {needs} {answer}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    fn mending(says: &str) -> Mending {
        Mending::new(&read::<Repair>(says).expect("sound").0)
    }

    /// Ten seconds of work, asked every four; (at, an answer, whether it goes on and until when, when it is asked again).
    #[test]
    fn work_goes_on_while_what_it_needs_answers() {
        let mut one = mending(r#"(takes: "10s", needs: ["access"], every: "4s")"#);
        one.begins(S(100));
        let goes_on = |until| Some(Work::GoesOn { until: S(until) });
        for (asked, at, is_well, work, again) in [
            (100, 101, false, None, 104),
            (104, 105, true, goes_on(115), 108),
            (108, 109, true, None, 112),
            // Four seconds are done, and kept.
            (112, 113, false, Some(Work::Stops), 116),
            // Who answers late is asked again at once.
            (116, 122, true, goes_on(124), 122),
            (122, 123, true, None, 126),
        ] {
            assert_eq!(one.asks(S(asked)), 1);
            assert_eq!(one.hears(0, is_well, S(at)), Heard { work, again: Some(S(again)) }, "at {at}");
        }
        one.is_done(S(124));
        assert_eq!((one.asks(S(126)), one.over()), (0, Some(S(124))));
        let section = one.section("x", S(200));
        let of = |name| section.values.get(name).unwrap().value;
        assert_eq!(
            ["took", "worked", "stood_still", "asked", "unanswered"].map(of),
            [Some(24e9), Some(10e9), Some(14e9), Some(6.0), Some(2.0)]
        );
    }

    #[test]
    fn all_that_it_needs_must_answer() {
        let mut two = mending(r#"(takes: "10s", needs: ["access", "console"], every: "4s")"#);
        two.begins(S(0));
        let mut round = |at, answers: [bool; 2]| {
            assert_eq!(two.asks(S(at)), 2);
            let first = two.hears(1, answers[1], S(at));
            assert_eq!(first.again, None, "one is still out");
            (first.work, two.hears(0, answers[0], S(at)).work)
        };
        assert_eq!(round(0, [true, false]), (None, None));
        assert_eq!(round(4, [false, true]), (None, None));
        assert_eq!(round(8, [true, true]), (None, Some(Work::GoesOn { until: S(18) })));
        assert_eq!(round(12, [true, false]), (Some(Work::Stops), None));
        assert_eq!(round(16, [true, true]), (None, Some(Work::GoesOn { until: S(22) })));
        two.close_window(S(17));
        assert_eq!(two.windows, [0.5]);
        let section = two.section("x", S(17));
        assert_eq!(section.values.get("took").unwrap().value, None);
        let said = two.unfinished("x", &["access", "console"], S(17)).expect("it is not over");
        assert_eq!(
            said,
            "x was not repaired: 5 s of 10 s of work were done, which goes on only while access and console answer"
        );
    }

    /// An answer to what was asked before it was over is none to anything.
    #[test]
    fn what_is_over_is_not_taken_up_again() {
        let mut one = mending(r#"(takes: "1s", needs: ["access"])"#);
        assert_eq!(one.unfinished("x", &["access"], S(9)), None, "it has not begun");
        one.begins(S(0));
        one.asks(S(0));
        one.hears(0, true, S(0));
        one.asks(S(1));
        one.is_done(S(1));
        assert_eq!(one.hears(0, false, S(2)), Heard { work: None, again: None });
        assert_eq!(one.unfinished("x", &["access"], S(9)), None);
    }
}
