//! What is true of a service, what whoever checks it believes, and what its users meet: a gray failure is when they differ.
//!
//! Huang et al. call that *differential observability*: a system is said to be well by those who are to find out that it is not, and those who
//! use it know better. Here all three are there, and beside them what nobody in a real system sees, the truth.
//!
//! - **truth**: of all pairs of a client and a replica that is to be there, the share in which nothing is wrong: the replica is up, has not begun to
//!   swap, and no fault strikes it or what goes between the two.
//! - **checker**: the share of these replicas that callers may choose, because no [health check](super::health) and no
//!   [probe](super::probes) says otherwise. Where nobody checks, that is all that have started.
//! - **user**: of the calls to the service that ended since the last look, those that ended well. Checks and other errands are not calls of users.
//!
//! The gap is by how much what the checker believes is above what users meet; the other way round nobody is deceived but the checker. Somebody looks every so often; in between all is as it was.

use crate::experiment::POSITIVE;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::plan::{Caller, EdgePlan, Plan};
use crate::service_graph::state::{Edge, Service};
use sim_core::{SimDuration, SimTime};

spec! {
    /// Three views of a service: what is true, what its checks believe, what its users meet.
    pub struct Observers {
        /// How often somebody looks.
        every: SimDuration = SimDuration::from_secs(1); POSITIVE,
    }
}

/// Users meet trouble: fewer than this share of their calls ended well.
const SERVED: f64 = 0.95;

/// Pairs of a client and a replica that are looked at, at most: of more of them every so many.
const PAIRS: u32 = 10_000;

/// The three shares.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Views {
    truth: f64,
    checker: f64,
    user: f64,
}

/// Whoever looks at one service with the eyes of all three.
#[derive(Clone, Debug)]
pub struct Observer {
    pub service: u32,
    every: SimDuration,
    /// Those over which it is called, and by how many clients.
    edges: Box<[(u32, u32)]>,
    /// Calls over them that had ended well, and otherwise, by the last look.
    before: [u64; 2],
    last: Views,
    /// Sums of what was seen in the window, and how many looks there were.
    window: ([f64; 3], u32),
    lines: [Vec<f64>; 3],
    measures: bool,
    blind: SimDuration,
}

impl Observer {
    /// Of a service that is called over edges of a plan.
    pub fn new(says: &Observers, service: u32, plan: &Plan) -> Self {
        let is_call =
            |edge: &EdgePlan| !matches!(edge.caller, Caller::Checks(_)) && edge.callee == service as usize;
        let edges = (0..).zip(&plan.edges).filter(|(_, edge)| is_call(edge));
        Observer {
            service,
            every: says.every,
            edges: edges.map(|(number, edge)| (number, edge.callers)).collect(),
            before: [0; 2],
            last: Views { truth: 1.0, checker: 1.0, user: 1.0 },
            window: ([0.0; 3], 0),
            lines: [const { Vec::new() }; 3],
            measures: false,
            blind: SimDuration::ZERO,
        }
    }

    /// When it looks first.
    pub fn first_look(&self) -> SimTime {
        SimTime::ZERO + self.every
    }

    /// It looks: when it does so again.
    pub fn looks(&mut self, service: &Service, edges: &[Edge], now: SimTime) -> SimTime {
        let own = || self.edges.iter().map(|(edge, clients)| (&edges[*edge as usize], *clients));
        let ended = [
            own().map(|(edge, _)| edge.stats.ok_so_far()).sum(),
            own().map(|(edge, _)| edge.stats.failed_so_far()).sum(),
        ];
        let truth = own().map(|calls| is_true(service, calls, now)).sum::<f64>();
        let truth = truth / self.edges.len().max(1) as f64;
        let [ok, failed] = [0, 1].map(|at| ended[at] - self.before[at]);
        self.before = ended;
        // Where nobody has asked there is no news.
        let user = if ok + failed > 0 { ok as f64 / (ok + failed) as f64 } else { self.last.user };
        self.sees(Views { truth, checker: is_believed(service), user });
        now + self.every
    }

    fn sees(&mut self, views: Views) {
        self.last = views;
        let (sums, looks) = &mut self.window;
        [views.truth, views.checker, views.user].into_iter().zip(sums).for_each(|(seen, sum)| *sum += seen);
        *looks += 1;
        if self.measures && views.checker >= 1.0 && views.user < SERVED {
            self.blind += self.every;
        }
    }

    /// Measurement begins.
    pub fn begin(&mut self) {
        self.measures = true;
    }

    /// A window is over; one without a look is as the last look was.
    pub fn close_window(&mut self) {
        let (sums, looks) = std::mem::take(&mut self.window);
        let last = [self.last.truth, self.last.checker, self.last.user];
        for (at, line) in self.lines.iter_mut().enumerate() {
            line.push(if looks == 0 { last[at] } else { sums[at] / f64::from(looks) });
        }
    }

    /// What is told of them.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        section.set("blind", self.blind.as_nanos() as f64);
        for (line, seen) in ["truth", "checker", "user"].into_iter().zip(&self.lines) {
            section.draw(line, seen.clone());
        }
        section
    }
}

/// Those replicas of a service that are to be there, by their numbers.
fn wanted(service: &Service) -> impl Iterator<Item = u32> + Clone + '_ {
    let members = service.membership.as_ref();
    let is_wanted = move |replica: &u32| members.is_none_or(|it| it.members[*replica as usize].is_counted());
    (0..service.replicas.len() as u32).filter(is_wanted)
}

/// The share of pairs of a client and a replica in which nothing is wrong.
fn is_true(service: &Service, (edge, clients): (&Edge, u32), now: SimTime) -> f64 {
    let is_quick = |replica| {
        service.leaking.as_ref().is_none_or(|it| it.stretch(replica, now) <= 1.0)
            && service.heating.as_ref().is_none_or(|it| it.stretch(replica) <= 1.0)
    };
    let is_well = |number: u32| {
        let replica = &service.replicas[number as usize];
        replica.down == 0 && replica.faults.is_empty() && is_quick(number)
    };
    let replicas = wanted(service);
    let all = replicas.clone().count() as u32;
    let well = replicas.filter(|replica| is_well(*replica));
    if edge.link.is_well() || all == 0 {
        return well.count() as f64 / f64::from(all.max(1));
    }
    let step = (clients.saturating_mul(all) / PAIRS).max(1) as usize;
    let asked = || (0..clients).step_by(step);
    let goes_through = |client: u32, replica: u32| {
        let stand = edge.crossing.as_ref().map(|it| it.stand(client, replica));
        edge.link.is_well_for(client, stand)
    };
    let pairs = well.flat_map(|replica| asked().map(move |client| (client, replica)));
    let through = pairs.filter(|(client, replica)| goes_through(*client, *replica)).count();
    through as f64 / (asked().count() as f64 * f64::from(all))
}

/// The share of its replicas that callers may choose.
fn is_believed(service: &Service) -> f64 {
    let Some(membership) = &service.membership else { return 1.0 };
    let chosen =
        membership.may_be_chosen().filter(|it| membership.members[*it as usize].is_counted()).count();
    chosen as f64 / wanted(service).count().max(1) as f64
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let share = |about: &str, line: &str| {
        let value = Value::new(Unit::Share, about).of_windows(Fold::Mean(line.into()));
        value.better(Better::More)
    };
    let gap = "by how much what the checks believe is above what users meet, mean over time; nothing where it is not";
    let blind = "for how long after the warm-up the checks believed all replicas well and fewer than 95 % of calls ended well";
    Section::new("observers", at)
        .value(
            "truth",
            share(
                "pairs of a client and a replica in which nothing is wrong, of all of them; mean over time",
                "truth",
            ),
        )
        .value(
            "checker",
            share(
                "replicas that callers may choose, of those that are to be there; mean over time",
                "checker",
            ),
        )
        .value(
            "user",
            share("calls that ended well, of those that ended since the last look; mean over time", "user"),
        )
        .value(
            "observability_gap",
            Value::new(Unit::Share, gap)
                .of_windows(Fold::Above("checker".into(), "user".into()))
                .better(Better::Less)
                .headline(),
        )
        .value("blind", Value::new(Unit::Duration, blind).better(Better::Less).headline())
        .line("user", Unit::Share, "Calls that ended well.")
        .up_to(Some(1.0))
        .line("checker", Unit::Share, "Replicas that callers may choose.")
        .up_to(Some(1.0))
        .line("truth", Unit::Share, "Pairs of a client and a replica in which nothing is wrong.")
        .up_to(Some(1.0))
}

impl Part for Observers {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "observers",
            word: "",
            what: "Tells three views of a service beside one another: what is true of it, what its health checks and probes believe, and what its users \
                   meet. `observability_gap` is by how much the second is above the third, `blind` for how long the checks believed all well while users did not.",
            hurts: "It changes nothing. Of a service that nobody checks the checker believes in whoever has started; what users meet is known only when \
                    their calls end, so it is late by as long as they wait.",
            formula: "gap = max(0, believed - served); a fault that no check meets, and that strikes a share `f` of calls, has a gap of `f`",
            source: "Huang et al., \"Gray Failure: The Achilles' Heel of Cloud-Scale Systems\", HotOS 2017 (differential observability)",
            experiment: "partial-partition",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["()", r#"(every: "100ms")"#]
    }
}
