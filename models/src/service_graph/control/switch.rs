//! Whoever switches something on for some, and then for more, and off again for all: what a flag of a service's replicas and one of users
//! have alike.
//!
//! It is on for a share of them, stage by stage. Where an [`analysis`](super::analysis) looks at what becomes of those for whom it is on, it
//! does so from when it was on for anybody; once that has said that it is to be taken back no stage begins any more, and `kill_takes` later it is
//! off everywhere: the kill switch.

use super::analysis::{Analysis, Measured, Next};
use super::versions::Seen;
use crate::experiment::{Decoder, Node};
use crate::report::{Better, Change, Section, Unit, Value};
use crate::words::percent;
use sim_core::{SimDuration, SimTime};

spec! {
    /// For how many it is on from a time on.
    pub struct FlagStage {
        /// From then on.
        at: SimTime,
        /// The share of them; of replicas and zones as many as that is, rounded up.
        share: f64 = 1.0; 0.0..=1.0,
    }
}

/// What is said of a flag, as far as it is said of any.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    pub stages: &'a [FlagStage],
    pub analysis: Option<&'a Analysis>,
    pub kill_takes: SimDuration,
}

impl Says<'_> {
    /// Whether it makes sense.
    pub fn check(&self, at: &Node, cx: &mut Decoder) {
        if let Some(late) = self.stages.windows(2).position(|pair| pair[0].at >= pair[1].at) {
            let message = format!("stages[{}] is not later than the one before it", late + 1);
            cx.error(at.span_of("stages"), message);
        }
        if self.stages.iter().all(|stage| stage.share == 0.0) {
            cx.warn(at.span_of("stages"), "it is on for nobody at any time");
        }
        if let Some((why, help)) = self.analysis.and_then(Analysis::never_fails) {
            cx.warn(at.span_of("analysis"), why).help(help);
        }
        if self.analysis.is_none() && !self.kill_takes.is_zero() {
            cx.warn(at.span_of("kill_takes"), "nobody looks at what it does: it is never switched off")
                .help("an `analysis` does that");
        }
    }

    /// For how many, in turn: `5 %, 100 %`.
    pub fn brief(&self) -> String {
        let shares: Vec<String> = self.stages.iter().map(|stage| percent(stage.share)).collect();
        format!("flag for {}", shares.join(", "))
    }

    /// When it is on for anybody first.
    pub fn first(&self) -> Option<SimTime> {
        self.stages.iter().find(|stage| stage.share > 0.0).map(|stage| stage.at)
    }

    /// When it is on for how many, and when it is switched off at the earliest.
    pub fn notes(&self, whose: &str) -> Vec<String> {
        let on = self.stages.iter().map(|stage| format!("{} at {}", percent(stage.share), stage.at));
        let on: Vec<String> = on.collect();
        let mut notes = vec![format!("{whose} is on for {}", on.join(", "))];
        if let (Some(analysis), Some(first)) = (self.analysis, self.first()) {
            let after = analysis.earliest();
            let by_then = self.stages.iter().rfind(|stage| stage.at <= first + after);
            notes.push(format!(
                "it is switched off, if its {}, at {} at the earliest, {} after the first have it: by then {} do",
                analysis.words(),
                first + after,
                after.brief(),
                by_then.map_or_else(|| percent(0.0), |stage| percent(stage.share))
            ));
        }
        notes
    }
}

/// For which share something is on, and whoever looks at that.
#[derive(Clone, Debug)]
pub struct Switch {
    stages: Box<[FlagStage]>,
    analysis: Option<Analysis>,
    kill_takes: SimDuration,
    /// For which share it is on.
    share: f64,
    /// Its analysis looks; or has done so.
    looks: bool,
    base: Option<[Seen; 2]>,
    measured: Measured,
    first: Option<SimTime>,
    killed: Option<SimTime>,
    changes: Vec<Change>,
    /// Requests of all, and of those for whom it is on, when the window began.
    window: [u64; 2],
    line: Vec<f64>,
}

impl Switch {
    /// Nothing is on yet.
    pub fn new(says: Says) -> Self {
        Switch {
            stages: says.stages.into(),
            analysis: says.analysis.cloned(),
            kill_takes: says.kill_takes,
            share: 0.0,
            looks: false,
            base: None,
            measured: Measured::default(),
            first: None,
            killed: None,
            changes: Vec::new(),
            window: [0; 2],
            line: Vec::new(),
        }
    }

    /// For which share it is on.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// When it was switched off, if it was.
    pub fn killed(&self) -> Option<SimTime> {
        self.killed
    }

    /// When each stage begins, by its number.
    pub fn first_looks(&self) -> Vec<(u32, SimTime)> {
        (0..).zip(&self.stages).map(|(number, stage)| (number, stage.at)).collect()
    }

    /// What it looks at after its stages: figures, and that it is off everywhere.
    pub fn figures(&self) -> u32 {
        self.stages.len() as u32
    }

    fn changes(&mut self, to: String, now: SimTime) {
        let from = self.changes.last().map_or_else(|| "off".to_owned(), |last| last.to.to_string());
        if from != to {
            self.changes.push(Change {
                at: now.as_nanos(),
                of: None,
                replica: None,
                from: from.into(),
                to: to.into(),
            });
        }
    }

    /// A stage begins, or it is off everywhere: whether anything changes. No stage does of what was switched off.
    pub fn turns(&mut self, of: u32, now: SimTime) -> bool {
        if of > self.figures() {
            self.share = 0.0;
            self.changes("off".into(), now);
            return true;
        }
        if self.killed.is_some() {
            return false;
        }
        self.share = self.stages[of as usize].share;
        self.changes(format!("on for {}", percent(self.share)), now);
        true
    }

    /// It acts somewhere now: when its analysis looks first, if it is to begin.
    pub fn begins_to_look(&mut self, now: SimTime) -> Option<SimTime> {
        self.first.get_or_insert(now);
        let analysis = self.analysis.as_ref().filter(|_| !self.looks)?;
        self.looks = true;
        Some(now + analysis.initial_delay)
    }

    /// It looks at what those without it and those with it did from the beginning: when it does so again, or when it is off everywhere.
    pub fn looks(&mut self, seen: [Seen; 2], now: SimTime) -> Option<(u32, SimTime)> {
        let analysis = self.analysis.as_ref()?;
        let again = (self.figures(), now + analysis.interval);
        let Some(base) = self.base.replace(seen) else { return Some(again) };
        let [without, with] = [0, 1].map(|side| seen[side].since(base[side]));
        match analysis.counts(&mut self.measured, analysis.measures(with, without)) {
            Next::GoOn => Some(again),
            Next::Accepted => None,
            Next::Abort => {
                self.killed = Some(now);
                self.changes("killed".into(), now);
                Some((self.figures() + 1, now + self.kill_takes))
            }
        }
    }

    /// A window is over.
    pub fn close_window(&mut self, seen: [Seen; 2]) {
        let counts = [seen[0].requests + seen[1].requests, seen[1].requests];
        let before = std::mem::replace(&mut self.window, counts);
        let [all, with] = [0, 1].map(|side| (counts[side] - before[side]) as f64);
        self.line.push(if all > 0.0 { with / all } else { 0.0 });
    }

    /// What is told of it, in a section that was declared: of those without it, and with it, in what is measured; and whether it does no harm.
    pub fn section(&self, mut section: Section, [without, with]: [Seen; 2], is_sound: bool) -> Section {
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let yes = |is: bool| f64::from(u8::from(is));
        section.set("requests", with.requests as f64);
        section.set("share_of_requests", share(with.requests, with.requests + without.requests));
        section.set("failed", with.failed as f64);
        section.set("error_rate", share(with.failed, with.requests));
        section.set("error_rate_without", share(without.failed, without.requests));
        let detected = self.killed.zip(self.first).map(|(killed, first)| killed.since(first));
        section.set("time_to_detect", detected.map(|time| time.as_nanos() as f64));
        section.set("killed", yes(self.killed.is_some()));
        section.set("false_kills", yes(self.killed.is_some() && is_sound));
        if self.analysis.is_some() {
            section.set("measurements", f64::from(self.measured.passed + self.measured.failed));
            section.set("measurements_failed", f64::from(self.measured.failed));
            section.set("measurements_inconclusive", f64::from(self.measured.inconclusive));
        }
        section.draw("with", self.line.clone());
        Section { changes: self.changes.clone(), ..section }
    }
}

/// What is said of the figures of a flag, where that depends on what it is a flag of.
pub struct Words {
    pub requests: &'static str,
    pub share_of_requests: &'static str,
    pub failed: &'static str,
    pub error_rate: &'static str,
    pub error_rate_without: &'static str,
    pub time_to_detect: &'static str,
    pub false_kills: &'static str,
    pub with: &'static str,
}

/// What will be told: nothing measured yet.
pub fn declared(section: Section, is_looked_at: bool, words: &Words) -> Section {
    let plain = |about: &str| Value::new(Unit::Plain, about);
    let share = |about: &str| Value::new(Unit::Share, about);
    let section = section
        .value("requests", plain(words.requests))
        .value("share_of_requests", share(words.share_of_requests))
        .value("failed", plain(words.failed).better(Better::Less).headline())
        .value("error_rate", share(words.error_rate).better(Better::Less))
        .value("error_rate_without", share(words.error_rate_without))
        .value(
            "time_to_detect",
            Value::new(Unit::Duration, words.time_to_detect).better(Better::Less).headline(),
        )
        .value("killed", plain("1 if it was switched off"))
        .value("false_kills", plain(words.false_kills).better(Better::Less));
    let section = match is_looked_at {
        false => section,
        true => section
            .value("measurements", plain("measurements of those with it that said something"))
            .value("measurements_failed", plain("of these, those that failed"))
            .value("measurements_inconclusive", plain("and those that saw too few requests to say anything")),
    };
    section.line("with", Unit::Share, words.with).up_to(Some(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    const S: fn(u64) -> SimTime = SimTime::from_secs;

    fn switch(analysis: &str) -> Switch {
        let analysis = read::<Analysis>(analysis).expect("sound").0;
        let stages = [(10, 0.0), (20, 0.1), (40, 1.0)].map(|(at, share)| FlagStage { at: S(at), share });
        Switch::new(Says {
            stages: &stages,
            analysis: Some(&analysis),
            kill_takes: SimDuration::from_secs(5),
        })
    }

    /// It looks from when somebody has it, at what came in between, and not at what was before; what it has switched off stays so, when the
    /// next stage is due in the meantime, and after it.
    #[test]
    fn it_is_switched_off_for_good() {
        let mut switch = switch(r#"(metric: ErrorRate(at_most: 0.1), interval: "10s", initial_delay: "1s")"#);
        assert_eq!(switch.first_looks(), [(0, S(10)), (1, S(20)), (2, S(40))]);
        assert!(switch.turns(0, S(10)) && switch.share() == 0.0, "for nobody yet");
        assert!(switch.turns(1, S(20)));
        assert_eq!(switch.begins_to_look(S(20)), Some(S(21)));
        assert_eq!(switch.begins_to_look(S(22)), None, "once");
        let seen = |requests, failed| [Seen::default(), Seen { requests, failed, took: 0 }];
        assert_eq!(switch.looks(seen(50, 40), S(21)), Some((3, S(31))), "what it begins with");
        assert_eq!(switch.looks(seen(150, 50), S(31)), Some((3, S(41))), "10 of 100");
        assert!(switch.turns(2, S(40)) && switch.share() == 1.0);
        assert_eq!(switch.looks(seen(250, 61), S(41)), Some((4, S(46))), "11 of 100");
        assert!(!switch.turns(2, S(43)) && switch.share() == 1.0, "on until the kill has come everywhere");
        assert!(switch.turns(4, S(46)) && switch.share() == 0.0);
        assert!(!switch.turns(2, S(50)) && switch.share() == 0.0);
        let words: Vec<String> = switch.changes.iter().map(|it| it.to.to_string()).collect();
        assert_eq!(words, ["on for 0 %", "on for 10 %", "on for 100 %", "killed", "off"]);
        assert_eq!(switch.killed.zip(switch.first), Some((S(41), S(20))));
    }

    #[test]
    fn what_it_takes_for_good_it_looks_at_no_more() {
        let mut switch = switch(r#"(metric: ErrorRate(at_most: 0.1), interval: "10s", count: 1)"#);
        switch.begins_to_look(S(20));
        let seen = |requests, failed| [Seen::default(), Seen { requests, failed, took: 0 }];
        assert_eq!(switch.looks(seen(0, 0), S(20)), Some((3, S(30))));
        assert_eq!(switch.looks(seen(0, 0), S(30)), Some((3, S(40))), "nothing to be seen");
        assert_eq!(switch.looks(seen(10, 1), S(40)), None);
        assert_eq!((switch.measured.passed, switch.measured.inconclusive, switch.killed), (1, 1, None));
    }
}
