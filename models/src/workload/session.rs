//! Users who need several calls, one after another: a shopper who browses, fills a cart and pays, a batch of steps, a page that leads to the next.
//!
//! What a service tells of itself is the share of its requests that it answered; what a user tells is whether he got what he came for. If each call
//! ends well with probability `p`, whatever became of the others, a session of `n` calls does with `p^n`: of ten calls of 99 % each, one session in ten
//! fails. And whoever has to give up half-way has been worked for in vain, so a service that turns away calls as they come, whoever makes them, may be
//! busy all the time with sessions of which hardly any is completed. What turns away whole sessions, at their first call or by who the user is, keeps what
//! has been begun (Cherkasova and Phaal, "Session-Based Admission Control", IEEE Transactions on Computers 2002).
//!
//! All calls of a session go to the same service, and belong to the same tenant, matter as much and are made by the same user; each has a key of its own. So
//! sessions that begin at rate `a` offer `a n` calls a second if all are completed, and `a (1 - p^n) / (1 - p)` if they end at the first that fails.

use crate::distribution::TimeDistribution;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use sim_core::stats::LatencyHistogram;
use sim_core::{Key, Luck, SimDuration, StreamUse, Words};

spec! {
    /// Users who make several calls, one after another.
    pub struct Session {
        /// How many.
        calls: Length,
        /// How long after the end of one the next is made, drawn for each.
        think: TimeDistribution,
        /// What the user does when one of them ended otherwise than well.
        on_failure: OnFailure = OnFailure::Abandon,
    }
}

spec! {
    /// How many calls a session takes.
    pub enum Length {
        /// So many.
        Fixed(count: u32; 1..=10_000),
        /// One at least, and after each another with the same probability: so many on average.
        Geometric(mean: f64; 1.0..=10_000.0),
    }
}

spec! {
    /// What a user does when a call of his ended otherwise than well.
    pub enum OnFailure {
        /// Nothing more: the session is over.
        Abandon,
        /// The rest, as if it had: the session is not completed all the same.
        GoOn,
    }
}

impl Session {
    /// Calls of a session, if none of them fails.
    pub fn calls_mean(&self) -> f64 {
        match self.calls {
            Length::Fixed(count) => f64::from(count),
            Length::Geometric(mean) => mean,
        }
    }

    /// What those are called that were not completed, and why they were not.
    fn otherwise(&self) -> (&'static str, &'static str) {
        match self.on_failure {
            OnFailure::Abandon => ("abandoned", "of them, those that ended with a call that failed"),
            OnFailure::GoOn => {
                ("failed", "of them, those that went to their end, and a call of which failed")
            }
        }
    }

    /// What is told of them: nothing measured yet.
    fn declared(&self, at: &str) -> Section {
        let plain = |about: &str| Value::new(Unit::Plain, about);
        let time = |about: &str| Value::new(Unit::Duration, about);
        let (otherwise, why) = self.otherwise();
        Section::new("sessions", at)
            .value("begun", plain("sessions that began after the warm-up"))
            .value(
                "completed",
                plain("of them, those all calls of which ended well")
                    .of_windows(Fold::Sum("completed".into())),
            )
            .value(otherwise, plain(why).better(Better::Less))
            .value(
                "share",
                Value::new(Unit::Share, "completed, of those that are over")
                    .of_windows(Fold::Ratio("completed".into(), "over".into()))
                    .better(Better::More)
                    .headline(),
            )
            .value("goodput", Value::new(Unit::Rate, "sessions that were completed"))
            .value("calls_mean", plain("calls of a session that is over, on average"))
            .value(
                "time_mean",
                time("from the beginning to the end of those that were completed, on average"),
            )
            .value("time_p99", time("99 % of those that were completed took as long at most"))
            .line("over", Unit::Plain, "Sessions that ended in each window, completed or not.")
            .line("completed", Unit::Plain, "Sessions that were completed in each window.")
    }
}

impl Part for Session {
    fn does(&self) -> Does {
        Does::FOLLOWS
    }

    fn brief(&self) -> Option<String> {
        Some(match self.calls {
            Length::Fixed(count) => format!("sessions of {count} calls"),
            Length::Geometric(mean) => format!("sessions of {mean} calls on average"),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![self.declared(at)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "session",
            word: "",
            what: "Lets a user make several calls, one after another with pauses, who has what he came for if all of them end well. A section \
                   `sessions` tells how many were completed, and how long they took.",
            hurts: "What looks well call by call may not session by session: a share of failures is paid once for each call. Whoever gives up half-way has been worked \
                    for in vain: under overload, a service that refuses calls whoever makes them completes hardly any session, and is busy all the time.",
            formula: "`p^n` of the sessions are completed if `n` calls end well with `p` each; they offer `a n` calls a second, or \
                      `a (1 - p^n) / (1 - p)` if they end with the first that fails",
            source: "Cherkasova and Phaal, Session-Based Admission Control, IEEE Transactions on Computers 2002; Zhou et al., DAGOR, SoCC 2018 \
                     (subsequent overload)",
            experiment: "checkout-sessions",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(calls: Fixed(3), think: "20ms")"#,
            r#"(calls: Geometric(2.5), think: Exponential(mean: "50ms"), on_failure: GoOn)"#,
            r#"(calls: Fixed(1), think: "0s")"#,
        ]
    }
}

/// The sessions of one workload.
#[derive(Clone)]
pub struct Sessions {
    session: Session,
    luck: Luck,
    begun: u64,
    completed: u64,
    otherwise: u64,
    calls: u64,
    took: LatencyHistogram,
    /// From the beginning of the run: that are over, and completed.
    so_far: [u64; 2],
    /// Of this window: the same.
    window: [u64; 2],
    windows: [Vec<f64>; 2],
}

impl Sessions {
    /// None has begun yet.
    pub fn new(session: &Session, luck: Luck) -> Self {
        Sessions {
            session: session.clone(),
            luck,
            begun: 0,
            completed: 0,
            otherwise: 0,
            calls: 0,
            took: LatencyHistogram::default(),
            so_far: [0; 2],
            window: [0; 2],
            windows: Default::default(),
        }
    }

    /// One begins.
    pub fn begins(&mut self, measured: bool) {
        self.begun += u64::from(measured);
    }

    /// After so many calls, of which the last, drawn for at this key, ended well or not: how long until the next, if there is one.
    pub fn next(&mut self, key: Key, calls: u32, well: bool) -> Option<SimDuration> {
        if !well && matches!(self.session.on_failure, OnFailure::Abandon) {
            return None;
        }
        let mut words = self.luck.at(key);
        let goes_on = match self.session.calls {
            Length::Fixed(count) => calls < count,
            Length::Geometric(mean) => words.unit() < 1.0 - 1.0 / mean,
        };
        goes_on.then(|| self.session.think.sample(&mut words))
    }

    /// One is over after so many calls; if all of them ended well, after so long.
    pub fn over(&mut self, calls: u32, well: Option<SimDuration>, measured: bool) {
        for [over, completed] in [&mut self.window, &mut self.so_far] {
            *over += 1;
            *completed += u64::from(well.is_some());
        }
        if !measured {
            return;
        }
        self.calls += u64::from(calls);
        match well {
            Some(took) => {
                self.completed += 1;
                self.took.record(took);
            }
            None => self.otherwise += 1,
        }
    }

    /// Those that were not completed, of those that are over, since the beginning of the run.
    pub fn incomplete_so_far(&self) -> [u64; 2] {
        let [over, completed] = self.so_far;
        [over - completed, over]
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        for (windows, window) in self.windows.iter_mut().zip(&mut self.window) {
            windows.push(std::mem::take(window) as f64);
        }
    }

    /// Draws so far.
    pub fn used(&self) -> StreamUse {
        self.luck.used()
    }

    /// What was measured, over so long.
    pub fn section(&self, at: &str, measured: SimDuration) -> Section {
        let mut section = self.session.declared(at);
        let over = self.completed + self.otherwise;
        let per = |sum: u64, count: u64| (count > 0).then(|| sum as f64 / count as f64);
        let seconds = measured.as_secs_f64();
        section.set("begun", self.begun as f64);
        section.set("completed", self.completed as f64);
        section.set(self.session.otherwise().0, self.otherwise as f64);
        section.set("share", per(self.completed, over));
        section.set("goodput", (seconds > 0.0).then(|| self.completed as f64 / seconds));
        section.set("calls_mean", per(self.calls, over));
        section.set("time_mean", self.took.mean_ns().map(|ns| ns as f64));
        section.set("time_p99", self.took.percentile_ns(99.0).map(|ns| ns as f64));
        let [over, completed] = &self.windows;
        section.draw("over", over.clone());
        section.draw("completed", completed.clone());
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;
    use sim_core::Streams;

    fn sessions(text: &str) -> Sessions {
        let (session, _) = read::<Session>(text).unwrap_or_else(|said| panic!("{said}"));
        Sessions::new(&session, Streams::new(1).luck("session", "users"))
    }

    /// (session, calls so far, the last ended well, there is another)
    #[test]
    fn whether_there_is_another_call() {
        for (text, calls, well, another) in [
            (r#"(calls: Fixed(3), think: "1s")"#, 1, true, true),
            (r#"(calls: Fixed(3), think: "1s")"#, 2, true, true),
            (r#"(calls: Fixed(3), think: "1s")"#, 3, true, false),
            (r#"(calls: Fixed(3), think: "1s")"#, 1, false, false),
            (r#"(calls: Fixed(3), think: "1s", on_failure: GoOn)"#, 1, false, true),
            (r#"(calls: Fixed(3), think: "1s", on_failure: GoOn)"#, 3, false, false),
            (r#"(calls: Geometric(1), think: "1s")"#, 1, true, false),
        ] {
            let next = sessions(text).next(Key::root(1, 1), calls, well);
            assert_eq!(next, another.then(|| SimDuration::from_secs(1)), "{text} after {calls}, {well}");
        }
    }

    /// One more follows with 3/4: four calls on average.
    #[test]
    fn a_geometric_session_has_its_mean() {
        let mut sessions = sessions(r#"(calls: Geometric(4), think: "0s")"#);
        let (mut all, count) = (0, 20_000);
        for session in 0..count {
            let mut calls = 1;
            while sessions.next(Key::root(1, session).child(calls), calls as u32, true).is_some() {
                calls += 1;
            }
            all += calls;
        }
        let mean = all as f64 / count as f64;
        assert!((mean - 4.0).abs() < 0.1, "{mean}");
    }
}
