//! Whoever shuts the door and opens it again, and the door.

use super::{BlockAndRamp, ShareOf};
use crate::carried::PLACES;
use crate::report::{Change, Section};
use crate::service_graph::control::watch::Sight;
use crate::service_graph::plan::Plan;
use crate::service_graph::state::{Edge, Service, Workload};
use crate::words::percent;
use sim_core::stats::TimeIntegral;
use sim_core::{Key, Luck, SimTime, StreamUse, Streams, Words};

/// Of a share, of which so many are all.
const ALL: f64 = 1e9;

/// What a request meets before it comes to a replica.
#[derive(Clone, Debug)]
pub struct Door {
    share: f64,
    /// Where it is drawn for each attempt; where there is none, users have places.
    luck: Option<Luck>,
    /// From the beginning, and of what is measured.
    turned_away: [u64; 2],
}

impl Door {
    /// One that is open.
    pub fn by(says: &BlockAndRamp, service: &str, streams: &Streams) -> Self {
        let luck = (says.share_of == ShareOf::Requests).then(|| streams.luck("door", service));
        Door { share: 1.0, luck, turned_away: [0; 2] }
    }

    /// Whether an attempt of this key is let in, of a user in this place.
    pub fn admits(&mut self, key: Key, place: u16, is_measured: bool) -> bool {
        let is_in = match &mut self.luck {
            _ if self.share >= 1.0 => true,
            _ if self.share <= 0.0 => false,
            Some(luck) => luck.at(key).unit() < self.share,
            None => f64::from(place) < self.share * PLACES as f64,
        };
        if !is_in {
            self.turned_away[0] += 1;
            self.turned_away[1] += u64::from(is_measured);
        }
        is_in
    }

    /// What it has drawn, if it draws.
    pub fn used(&self) -> Option<StreamUse> {
        self.luck.as_ref().map(Luck::used)
    }
}

/// What it is at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Open,
    /// Nobody is let in before then.
    Blocked {
        until: SimTime,
    },
    /// This share is let in, and more from then on.
    Ramping {
        share: f64,
        until: SimTime,
    },
}

/// The decisions: what there is to see, to what is let in.
#[derive(Clone, Debug)]
struct Law {
    says: BlockAndRamp,
    phase: Phase,
    /// Since when there is trouble.
    since: Option<SimTime>,
    blocked: u64,
    fell_back: u64,
    opened: Option<SimTime>,
}

impl Law {
    fn share(&self) -> f64 {
        match self.phase {
            Phase::Open => 1.0,
            Phase::Blocked { .. } => 0.0,
            Phase::Ramping { share, .. } => share,
        }
    }

    fn name(&self) -> &'static str {
        match self.phase {
            Phase::Open => "open",
            Phase::Blocked { .. } => "blocked",
            Phase::Ramping { .. } => "ramping",
        }
    }

    fn blocks(&mut self, now: SimTime) {
        self.blocked += 1;
        (self.phase, self.since) = (Phase::Blocked { until: now + self.says.block }, None);
    }

    /// A share is let in from now on.
    fn lets_in(&mut self, share: f64, now: SimTime) {
        let (_, each) = self.says.ramp.step();
        // What is off by a rounding error is all.
        self.phase = if share >= 1.0 - 1e-9 {
            self.opened = Some(now);
            Phase::Open
        } else {
            Phase::Ramping { share, until: now + each }
        };
    }

    /// By hand.
    fn by_hand(&mut self, now: SimTime) {
        self.blocks(now);
    }

    /// It looks, and there is trouble or there is not.
    fn looks(&mut self, trouble: bool, now: SimTime) {
        let since = if trouble { Some(*self.since.get_or_insert(now)) } else { None };
        self.since = since;
        let lasts = since.is_some_and(|since| now.since(since) >= self.says.lasts);
        match self.phase {
            Phase::Open if lasts && self.says.at.is_none() => self.blocks(now),
            Phase::Ramping { share, .. } if lasts => {
                self.fell_back += 1;
                self.since = None;
                match self.says.back_off {
                    0.0 => self.blocks(now),
                    left => self.lets_in(share * left, now),
                }
            }
            Phase::Open | Phase::Blocked { .. } | Phase::Ramping { .. } => {}
        }
    }

    /// What was to end by now does, unless there is trouble.
    fn goes_on(&mut self, now: SimTime) {
        let (by, _) = self.says.ramp.step();
        match self.phase {
            Phase::Blocked { until } if until <= now && self.since.is_none() => self.lets_in(by, now),
            Phase::Ramping { share, until } if until <= now && self.since.is_none() => {
                self.lets_in(share + by, now)
            }
            Phase::Open | Phase::Blocked { .. } | Phase::Ramping { .. } => {}
        }
    }

    /// When that is to end.
    fn due(&self) -> Option<SimTime> {
        match self.phase {
            Phase::Open => None,
            Phase::Blocked { until } | Phase::Ramping { until, .. } => Some(until),
        }
    }
}

/// Whoever shuts the door of one service and opens it again.
#[derive(Clone, Debug)]
pub struct Ramper {
    /// Which service.
    pub service: u32,
    law: Law,
    sight: Option<Sight>,
    /// When somebody blocks by hand who has not yet, and when it looks next.
    by_hand: Option<SimTime>,
    next: Option<SimTime>,
    admitted: TimeIntegral,
    shut: TimeIntegral,
    first: Option<SimTime>,
    changes: Vec<Change>,
    from: (u128, SimTime),
    window: (u128, SimTime, u64),
    lines: [Vec<f64>; 2],
}

impl Ramper {
    /// One that lets all in.
    pub fn new(says: &BlockAndRamp, service: u32, plan: &Plan) -> Self {
        let mut admitted = TimeIntegral::default();
        admitted.set(SimTime::ZERO, ALL as u64);
        let law = Law {
            says: says.clone(),
            phase: Phase::Open,
            since: None,
            blocked: 0,
            fell_back: 0,
            opened: None,
        };
        Ramper {
            service,
            law,
            sight: says.when.as_ref().map(|when| Sight::new(when, plan)),
            by_hand: says.at,
            next: says.when.as_ref().map(|_| SimTime::ZERO + says.every),
            admitted,
            shut: TimeIntegral::default(),
            first: None,
            changes: Vec::new(),
            from: (0, SimTime::ZERO),
            window: (0, SimTime::ZERO, 0),
            lines: [Vec::new(), Vec::new()],
        }
    }

    /// When there is something to do next, if ever.
    pub fn next(&self) -> Option<SimTime> {
        // One that waits for the end of trouble waits for the next look.
        let due = self.law.due().filter(|_| self.law.since.is_none() || self.sight.is_none());
        [self.by_hand, self.next, due].into_iter().flatten().min()
    }

    /// Something is to be done: when there is next.
    pub fn acts(
        &mut self,
        services: &mut [Service],
        (edges, workloads): (&[Edge], &[Workload]),
        now: SimTime,
    ) -> Option<SimTime> {
        let before = (self.law.share(), self.law.name());
        if self.by_hand.is_some_and(|at| at <= now) {
            self.by_hand = None;
            self.law.by_hand(now);
        }
        if self.next.is_some_and(|at| at <= now) {
            self.next = Some(now + self.law.says.every);
            let trouble =
                self.sight.as_mut().is_some_and(|sight| sight.holds(services, (edges, workloads), now));
            self.law.looks(trouble, now);
        }
        self.law.goes_on(now);
        let share = self.law.share();
        if share != before.0 {
            self.admitted.set(now, (share * ALL) as u64);
            self.shut.set(now, u64::from(share < 1.0));
            services[self.service as usize].door.as_mut().expect("it has one").share = share;
            if share == 0.0 {
                self.first.get_or_insert(now);
            }
        }
        self.changes(before, now);
        self.next()
    }

    fn changes(&mut self, (share, name): (f64, &'static str), now: SimTime) {
        let to = match self.law.name() {
            "ramping" if self.law.share() < share => format!("fell back to {}", percent(self.law.share())),
            to => to.to_owned(),
        };
        if to == name {
            return;
        }
        let from = self.changes.last().map_or_else(|| name.into(), |last| last.to.clone());
        self.changes.push(Change { at: now.as_nanos(), of: None, replica: None, from, to: to.into() });
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.from = (self.admitted.area(now), now);
    }

    /// A window is over.
    pub fn close_window(&mut self, service: &Service, now: SimTime) {
        let (area, so_far) =
            (self.admitted.area(now), service.door.as_ref().map_or(0, |door| door.turned_away[0]));
        let (before, then, turned_away) = std::mem::replace(&mut self.window, (area, now, so_far));
        self.lines[0].push((area - before) as f64 / ALL / now.since(then).as_nanos().max(1) as f64);
        self.lines[1].push((so_far - turned_away) as f64);
    }

    /// What is told of it.
    pub fn section(&self, service: &Service, now: SimTime) -> Section {
        let mut section = self.law.says.declared(&service.name);
        let (before, then) = self.from;
        let measured = now.max(then).since(then);
        let area = self.admitted.area(now.max(then)) - before;
        section
            .set("admitted", (!measured.is_zero()).then(|| area as f64 / ALL / measured.as_nanos() as f64));
        let turned_away = service.door.as_ref().map_or(0, |door| door.turned_away[1]);
        let arrived = service.stats.total.arrived - service.stats.at_warm_up.arrived;
        section.set("turned_away", turned_away as f64);
        section.set("turned_away_share", (arrived > 0).then(|| turned_away as f64 / arrived as f64));
        section.set("blocked", self.law.blocked as f64);
        section.set("fell_back", self.law.fell_back as f64);
        section.set("first", self.first.map(|at| at.as_nanos() as f64));
        section.set(
            "opened",
            self.law.opened.filter(|_| self.law.phase == Phase::Open).map(|at| at.as_nanos() as f64),
        );
        section.set("shut", self.shut.area(now) as f64);
        section.draw("admitted", self.lines[0].clone());
        section.draw("turned_away", self.lines[1].clone());
        Section { changes: self.changes.clone(), ..section }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// One look a second from 1 s on: `x` is trouble. What is let in after each, in tenths, and `#` is all.
    #[test]
    fn what_is_seen_decides_what_is_let_in() {
        let usual = r#"when: Queue(of: "db", above: 9), block: "2s", ramp: Steps(by: 0.5, each: "2s")"#;
        let fine = r#"when: Queue(of: "db", above: 9), block: "1s", ramp: Steps(by: 0.2, each: "1s")"#;
        let by_hand = r#"at: "2s", block: "2s", ramp: Steps(by: 0.5, each: "2s")"#;
        for (says, also, seen, lets_in) in [
            (usual, "", "........", "########"),
            (usual, "", ".x......", "#0055###"),
            // The block lasts as long as the trouble.
            (usual, "", "xxxx....", "000055##"),
            (usual, r#", lasts: "2s""#, "xxx.....", "##0055##"),
            (usual, r#", lasts: "2s""#, "xx.xx.xx", "########"),
            // Trouble while it ramps blocks anew; while it is blocked it only lasts.
            (usual, "", "x..x....", "0050055#"),
            // Or some of it is left.
            (fine, ", back_off: 0.5", "x...x.....", "02463579##"),
            // No more are let in as long as there is any.
            (fine, r#", back_off: 0.5, lasts: "2s""#, "xxx....xx.", "##0246888#"),
            // And again after all of it.
            (usual, "", "x.....x...", "0055##0055"),
            // By hand: it is not blocked for trouble, but falls back for it.
            (by_hand, "", "........", "#0055###"),
            (by_hand, "", "x.......", "#0055###"),
            (by_hand, r#", when: Queue(of: "db", above: 9)"#, "x..xx.....", "#000055###"),
            (by_hand, r#", when: Queue(of: "db", above: 9)"#, "x...x.....", "#0050055##"),
            (by_hand, r#", when: Queue(of: "db", above: 9)"#, ".......xxx", "#0055#####"),
        ] {
            let says = read::<BlockAndRamp>(&format!("({says}{also})")).expect("sound").0;
            let by_hand = says.at;
            let mut law =
                Law { says, phase: Phase::Open, since: None, blocked: 0, fell_back: 0, opened: None };
            let mut found = String::new();
            for (second, seen) in (1..).zip(seen.chars()) {
                let now = SimTime::from_secs(second);
                if by_hand == Some(now) {
                    law.by_hand(now);
                }
                if law.says.when.is_some() {
                    law.looks(seen == 'x', now);
                }
                law.goes_on(now);
                let tenths = (law.share() * 10.0).round() as u32;
                found.push(if tenths == 10 { '#' } else { char::from_digit(tenths, 10).expect("a digit") });
            }
            assert_eq!(found, lets_in, "{also} {seen}");
        }
    }

    /// The same users are in at a larger share; none at none, all at all. By requests it is luck, and each attempt has its own.
    #[test]
    fn who_is_let_in() {
        let streams = Streams::new(1);
        let door = |share_of: &str, share: f64| {
            let says = format!(r#"(at: "1s", share_of: {share_of})"#);
            let says = read::<BlockAndRamp>(&says).expect("sound").0;
            Door { share, ..Door::by(&says, "shop", &streams) }
        };
        let key = |number: u64| Key::root(7, number);
        for (share, last) in [(0.0, None), (0.1, Some(6_553)), (0.5, Some(32_767)), (1.0, Some(65_535))] {
            let mut door = door("Users", share);
            let those: Vec<u16> = (0..=u16::MAX).filter(|place| door.admits(key(1), *place, true)).collect();
            assert_eq!((those.first().copied(), those.last().copied()), (last.map(|_| 0), last), "{share}");
            assert_eq!(door.turned_away, [65_536 - those.len() as u64; 2]);
        }
        for (share, least, most) in
            [(0.0, 0, 0), (0.1, 900, 1_100), (0.5, 4_800, 5_200), (1.0, 10_000, 10_000)]
        {
            let mut door = door("Requests", share);
            let those = (0..10_000).filter(|number| door.admits(key(*number), 0, false)).count();
            assert!((least..=most).contains(&those), "{share}: {those}");
            assert_eq!(door.turned_away, [10_000 - those as u64, 0]);
        }
    }
}
