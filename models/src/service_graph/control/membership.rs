//! Which replicas of a service callers may choose, and how one leaves and comes back.
//!
//! ```text
//!            drained                 linger over            idle, or grace over
//!   in ───────────────▶ lingering ───────────────▶ finishing ───────────────▶ out
//!    ▲                                                                          │ let in again
//!    └───────────────────────────────── starting ◀──────────────────────────────┘
//!                  ready                              (and after a crash)
//! ```
//!
//! Where there is room for more than there are, the others are out, and nobody wants them in until they are started.
//!
//! Only a replica that is in, and that nobody says is ill or not ready, stands in the views of its callers. One that lingers or finishes takes what
//! still comes and does what it has in hand; one that is out, or starts, refuses. A crash takes nobody out of the views: that is for
//! whoever checks to find out. But whoever starts a replica knows that it is not ready.

use super::needs::{Again, Needs};
use crate::distribution::TimeDistribution;
use crate::fault::{CrashStyle, Effect};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::follow::Listen;
use crate::service_graph::spec::{GraphSpec, ServiceSpec};
use crate::service_graph::state::*;
use sim_core::stats::TimeIntegral;
use sim_core::{Class, Key, Luck, SimDuration, SimTime, StreamUse, Streams, Timer};
use std::collections::VecDeque;

/// Where a replica is on its way out and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    In,
    /// It leaves, and does not look yet whether it is done.
    Lingering,
    /// It goes as soon as it is done.
    Finishing,
    /// It is down.
    Out,
    /// It is down, but not for long.
    Starting,
}

/// One of them.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub stage: Stage,
    /// Whoever checks says so.
    pub unhealthy: bool,
    /// Whoever probes it says that it is not ready.
    pub unready: bool,
    /// There is room for it, and it is not to be there.
    pub unwanted: bool,
    /// It is there, and waits for callers to be switched to it.
    pub aside: bool,
    /// It is to be there, and never becomes ready.
    pub never_starts: bool,
    /// Since when it is in, or was the last time.
    in_since: SimTime,
    /// Whether it is there, on its way in or out or in.
    there: TimeIntegral,
    /// What its stage ends with.
    timer: Option<Timer>,
    /// When it goes in any case.
    gone_by: SimTime,
    starts: u64,
}

impl Member {
    /// Whether it is in, and has been for as long as that.
    pub fn was_in_since(&self, then: SimTime) -> bool {
        self.stage == Stage::In && self.in_since <= then
    }

    /// Whether whoever knows it would choose it: it is in, and nobody says that it is ill.
    pub fn may_be_chosen(&self) -> bool {
        self.is_in() && !self.is_ill()
    }

    /// Whether it is neither leaving nor away nor on its way in.
    pub fn is_in(&self) -> bool {
        self.stage == Stage::In
    }

    /// Whether it is in, and nobody who probes it says otherwise.
    pub fn is_ready(&self) -> bool {
        self.is_in() && !self.unready
    }

    /// Whether anybody says that it is ill, or not ready, or not to be called yet.
    pub fn is_ill(&self) -> bool {
        self.unhealthy || self.unready || self.aside
    }

    /// Whether nobody is there, and nobody is on the way.
    pub fn is_gone(&self) -> bool {
        self.unwanted && self.stage == Stage::Out
    }

    /// Whether whoever counts those that are there to serve counts it.
    pub fn is_counted(&self) -> bool {
        !self.unwanted && !self.aside
    }

    /// It does what it has in hand, and takes nothing more from a queue that others take from.
    pub fn leaves(&self) -> bool {
        matches!(self.stage, Stage::Lingering | Stage::Finishing)
    }

    /// Kept down by its stage, not by a crash.
    pub fn is_kept_down(&self) -> bool {
        matches!(self.stage, Stage::Out | Stage::Starting)
    }
}

/// All replicas of one service of which any may come and go.
#[derive(Clone)]
pub struct Membership {
    pub members: Box<[Member]>,
    /// How many there are from the beginning, and whether that changes.
    pub begins_with: u32,
    scales: bool,
    /// Callers do not know of it before they hear of it.
    looked_up: bool,
    /// The control that ends their stages, and the edges whose callers choose among them.
    control: u32,
    edges: Vec<u32>,
    /// Whoever probes them, and is to know when one starts.
    pub kubelet: Option<u32>,
    /// Whoever changes their version, and is to know when one is ready, or gone.
    pub roller: Option<u32>,
    start: Option<(TimeDistribution, Luck)>,
    /// Whom each needs before it is ready.
    needs: Option<Needs>,
    /// Each makes calls before it is ready.
    calls_first: bool,
    chosen: TimeIntegral,
    least: u64,
    /// Area and time when measurement, and the window, began.
    from: (u128, SimTime),
    window: (u128, SimTime),
    line: Vec<f64>,
}

/// Whether replicas of a service come and go while it runs, or may be said to be ill.
pub fn moves(spec: &GraphSpec, name: &str) -> bool {
    let service = spec.services.get(name).expect("a service of the graph");
    !service.checks().is_empty()
        || service.has_room()
        || service.is_ready_later()
        || service.found().is_some()
        || spec.is_struck(name, |effect| matches!(effect, Effect::Drain { .. }))
}

impl Membership {
    /// All of them are in.
    pub fn new(
        service: &ServiceSpec,
        (name, graph): (&str, &GraphSpec),
        (control, edges): (u32, Vec<u32>),
        streams: &Streams,
    ) -> Self {
        let mut chosen = TimeIntegral::default();
        chosen.set(SimTime::ZERO, service.replicas.into());
        let member = |number: u32| {
            let unwanted = number >= service.replicas;
            let mut there = TimeIntegral::default();
            there.set(SimTime::ZERO, u64::from(!unwanted));
            let stage = if unwanted { Stage::Out } else { Stage::In };
            Member { stage, unwanted, there, ..Member::default() }
        };
        Membership {
            members: (0..service.room()).map(member).collect(),
            begins_with: service.replicas,
            scales: service.has_room(),
            looked_up: service.found().is_some(),
            control,
            edges,
            kubelet: None,
            roller: None,
            start: service.starts().map(|start| (start.time.clone(), streams.luck("start", name))),
            needs: service.starts().and_then(|start| Needs::by(start, graph, service.room())),
            calls_first: service.calls_before_ready(),
            chosen,
            least: service.replicas.into(),
            from: (0, SimTime::ZERO),
            window: (0, SimTime::ZERO),
            line: Vec::new(),
        }
    }

    /// Draws so far, of how long starts take.
    pub fn used(&self) -> Option<StreamUse> {
        self.start.as_ref().map(|(_, luck)| luck.used())
    }

    /// How long the next start of a replica takes, if it takes any time.
    fn start_takes(&mut self, replica: u32) -> Option<SimDuration> {
        let (time, luck) = self.start.as_mut()?;
        let member = &mut self.members[replica as usize];
        member.starts += 1;
        let key = Key::root(0, replica.into()).child(member.starts);
        let takes = SimDuration::drawn(time.nanos.sample(&mut luck.at(key)));
        (!takes.is_zero()).then_some(takes)
    }

    /// Those whom whoever knows them all would choose among.
    pub fn may_be_chosen(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.members).filter(|(_, member)| member.may_be_chosen()).map(|(number, _)| number)
    }

    /// Those that are to be there, in order.
    pub fn there(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.members).filter(|(_, member)| !member.unwanted).map(|(number, _)| number)
    }

    /// The summed times for which replicas have been there.
    pub fn there_area(&self, now: SimTime) -> u128 {
        self.members.iter().map(|member| member.there.area(now)).sum()
    }

    /// For how long one has been there, if any may be away.
    pub fn there_for(&self, replica: u32, now: SimTime) -> Option<u128> {
        self.scales.then(|| self.members[replica as usize].there.area(now))
    }

    /// What is told of those that others are needed for.
    pub fn told_of_needs(&self, at: &str, now: SimTime) -> Option<Section> {
        self.needs.as_ref().map(|needs| needs.section(at, now))
    }

    /// How many are wanted.
    pub fn wanted(&self) -> u32 {
        self.members.iter().filter(|member| !member.unwanted).count() as u32
    }

    /// Who is started next: one that is away, or else one that is on its way.
    pub fn next_to_start(&self) -> Option<u32> {
        let mut unwanted = (0..).zip(&self.members).filter(|(_, member)| member.unwanted);
        let first = unwanted.clone().next();
        unwanted.find(|(_, member)| member.stage == Stage::Out).or(first).map(|(number, _)| number)
    }

    /// Who is stopped next: one that callers may not choose, or else the newest.
    pub fn next_to_stop(&self) -> Option<u32> {
        let wanted = (0..).zip(&self.members).filter(|(_, member)| !member.unwanted);
        let last = wanted.max_by_key(|(number, member)| (!member.may_be_chosen(), member.in_since, *number));
        last.map(|(number, _)| number)
    }

    /// Who is there, well or not: neither yet to come nor gone.
    fn belonging(&self) -> impl Iterator<Item = u32> + '_ {
        let there = (0..).zip(&self.members).filter(|(_, member)| member.stage == Stage::In && !member.aside);
        there.map(|(number, _)| number)
    }

    /// Measurement begins.
    pub fn begin(&mut self, now: SimTime) {
        self.from = (self.chosen.area(now), now);
        self.least = self.chosen.value();
    }

    /// A window is over.
    pub fn close_window(&mut self, now: SimTime) {
        let area = self.chosen.area(now);
        let (before, then) = std::mem::replace(&mut self.window, (area, now));
        self.line.push((area - before) as f64 / now.since(then).as_nanos().max(1) as f64);
    }

    /// What is told of them.
    pub fn section(&self, at: &str, now: SimTime) -> Section {
        let (before, then) = self.from;
        let measured = now.max(then).since(then).as_nanos();
        let mut section = declared(at, self.looked_up);
        section.set(
            "mean",
            (measured > 0).then(|| (self.chosen.area(now.max(then)) - before) as f64 / measured as f64),
        );
        section.set("least", self.least as f64);
        section.draw("chosen_among", self.line.clone());
        section
    }
}

/// What is told of them: nothing measured yet.
pub fn declared(at: &str, looked_up: bool) -> Section {
    let among = match looked_up {
        false => "replicas that callers may choose among: neither leaving, nor starting, nor said to be ill",
        true => {
            "replicas that callers may choose among as soon as they hear of them: neither leaving, nor starting, nor said to be ill"
        }
    };
    let mean = Value::new(Unit::Plain, format!("{among}; mean over time"));
    Section::new("members", at)
        .value("mean", mean.of_windows(Fold::Mean("chosen_among".into())).better(Better::More))
        .value("least", Value::new(Unit::Plain, "and at least, after the warm-up").better(Better::More))
        .line("chosen_among", Unit::Plain, "Replicas that callers may choose among, mean of each window.")
}

impl<L> Graph<L> {
    /// Callers choose among those who may be chosen, and among nobody else; and who leaves has something left to do.
    pub fn check_members(&self) {
        for service in &self.services {
            let Some(it) = &service.membership else { continue };
            let members: Vec<u32> = it.may_be_chosen().collect();
            assert_eq!(it.chosen.value(), members.len() as u64, "members of {}", service.name);
            for view in it.edges.iter().map(|edge| &self.edges[*edge as usize].view) {
                let seen = if view.of() > 1 { view.size() as usize == members.len() } else { true };
                let same = view.of() == 1 || members.iter().all(|member| view.contains(*member));
                assert!(
                    seen && same && (view.size() == 0) == members.is_empty(),
                    "a view of {}",
                    service.name
                );
            }
            for ((member, replica), number) in it.members.iter().zip(&service.replicas).zip(0..) {
                let has_something = replica.in_hand > 0 || service.has_to_write(number);
                let lasts = member.stage != Stage::Finishing || has_something;
                assert!(lasts, "one of {} leaves and has nothing to do", service.name);
                assert!(!member.is_kept_down() || replica.down > 0, "one of {} is out, and up", service.name);
            }
        }
    }
}

impl<L: Listen> Graph<L> {
    /// Something is otherwise about a replica: callers choose among others if that makes a difference to them.
    pub fn change_member(
        &mut self,
        service: u32,
        replica: u32,
        now: SimTime,
        what: impl FnOnce(&mut Member),
    ) {
        let it = self.services[service as usize].membership.as_mut().expect("its members move");
        let member = &mut it.members[replica as usize];
        let before = member.may_be_chosen();
        what(member);
        if member.may_be_chosen() == before {
            return;
        }
        tells_roller(it.roller, &mut self.admitted);
        let chosen = if before { it.chosen.value() - 1 } else { it.chosen.value() + 1 };
        it.chosen.set(now, chosen);
        it.least = it.least.min(chosen);
        for &edge in &it.edges {
            let view = &mut self.edges[edge as usize].view;
            if view.of() > 1 {
                if it.scales {
                    view.belong(it.belonging());
                }
                view.change(it.may_be_chosen());
                if !before {
                    view.joins(replica, now);
                }
            } else {
                // A service of one replica: there is nothing to choose, but there may be nobody.
                view.change((0..1).filter(|_| chosen > 0));
            }
        }
    }

    /// A replica is told to go: it stands in no view from now on.
    pub fn drain(
        &mut self,
        service: u32,
        replica: u32,
        linger: SimDuration,
        grace: SimDuration,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let stage = self.stage(service, replica);
        match stage {
            Stage::In if self.services[service as usize].replicas[replica as usize].down > 0 => {
                // It is down already, and stays so for one reason more.
                self.services[service as usize].replicas[replica as usize].down += 1;
                self.enter_stage(service, replica, (Stage::Out, None), ctx);
            }
            Stage::In => {
                self.takes_its_name_back(service, replica, ctx);
                self.passes_on(service, replica, true, ctx);
                self.change_member(service, replica, now, |member| member.gone_by = now + grace);
                self.enter_stage(service, replica, (Stage::Lingering, Some(now + linger.min(grace))), ctx);
            }
            Stage::Starting => {
                self.is_never_ready(service, replica, ctx);
                self.enter_stage(service, replica, (Stage::Out, None), ctx);
            }
            Stage::Lingering | Stage::Finishing | Stage::Out => {}
        }
    }

    /// A replica is wanted from now on, or is not.
    pub fn want(
        &mut self,
        service: u32,
        replica: u32,
        is_wanted: bool,
        grace: (SimDuration, SimDuration),
        ctx: &mut Ctx,
    ) {
        self.change_member(service, replica, ctx.now(), |member| member.unwanted = !is_wanted);
        if !is_wanted {
            self.drain(service, replica, grace.0, grace.1, ctx);
        } else if !self.services[service as usize].replicas[replica as usize].state.drained {
            self.undrain(service, replica, ctx);
        }
    }

    /// Nothing tells it to go any more: it comes back, if it is wanted.
    pub fn undrain(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let members = self.services[service as usize].membership.as_ref();
        let stays_away = |member: &Member| member.unwanted || member.never_starts;
        if members.is_some_and(|it| stays_away(&it.members[replica as usize])) {
            return;
        }
        match self.stage(service, replica) {
            Stage::Lingering | Stage::Finishing => {
                self.enter_stage(service, replica, (Stage::In, None), ctx);
                self.takes_from_all(service, replica, ctx);
            }
            Stage::Out => {
                self.enter_stage(service, replica, (Stage::In, None), ctx);
                self.restart(service, replica, ctx);
            }
            Stage::In | Stage::Starting => {}
        }
    }

    /// What a stage waited for has come.
    pub fn stage_is_over(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let it = self.services[service as usize].membership.as_mut().expect("its members move");
        let member = &mut it.members[replica as usize];
        member.timer = None;
        let gone_by = member.gone_by;
        match member.stage {
            Stage::Lingering => {
                self.enter_stage(service, replica, (Stage::Finishing, Some(gone_by)), ctx);
                self.goes_if_done(service, replica, ctx);
            }
            Stage::Finishing => self.goes(service, replica, ctx),
            Stage::Starting => {
                if let Some(again) = self.misses_what_it_needs(service, replica, ctx.now()) {
                    return self.enter_stage(service, replica, (Stage::Starting, Some(again)), ctx);
                }
                if self.is_not_ready_yet(service, replica, ctx) {
                    return;
                }
                let it = &mut self.services[service as usize];
                it.replicas[replica as usize].down -= 1;
                it.warming.iter_mut().for_each(|warming| warming.is_ready(replica, ctx.now()));
                self.enter_stage(service, replica, (Stage::In, None), ctx);
                self.opens(service, replica, ctx);
            }
            Stage::In | Stage::Out => unreachable!("a stage without an end"),
        }
    }

    /// A replica that leaves, and has nothing left to do, goes.
    pub fn goes_if_done(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        let it = &self.services[service as usize];
        let idle = it.replicas[replica as usize].in_hand == 0 && !it.has_to_write(replica);
        if idle && self.stage(service, replica) == Stage::Finishing {
            self.goes(service, replica, ctx);
        }
    }

    /// A replica has one request less in hand: if it leaves, it may have nothing left to do.
    #[cold]
    pub fn may_be_done(&mut self, service: u32, replica: u32) {
        let it = &self.services[service as usize];
        if it.membership.is_some() && it.replicas[replica as usize].in_hand == 0 {
            self.admitted.push_back(Admitted::IsDone { service, replica });
        }
    }

    /// What it still has in hand is cut off.
    fn goes(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        self.enter_stage(service, replica, (Stage::Out, None), ctx);
        self.crash(service, replica, CrashStyle::Reset, ctx);
        self.leaves_its_calls(service, replica, ctx);
        self.services[service as usize].derive(replica);
    }

    /// A replica crashes: for how many reasons more it is down. One that was leaving is out, whenever the crash is over; one that was
    /// starting is down already, and starts again then.
    pub fn reasons_to_be_down(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> u32 {
        self.is_otherwise_there(service);
        match self.stage(service, replica) {
            Stage::In | Stage::Out => 1,
            Stage::Lingering | Stage::Finishing => {
                self.enter_stage(service, replica, (Stage::Out, None), ctx);
                2
            }
            Stage::Starting => {
                self.is_never_ready(service, replica, ctx);
                self.enter_stage(service, replica, (Stage::In, None), ctx);
                0
            }
        }
    }

    /// A replica could be up again: whether it starts first.
    pub fn starts(&mut self, service: u32, replica: u32, ctx: &mut Ctx) -> bool {
        let it = &mut self.services[service as usize];
        let takes = it.membership.as_mut().and_then(|it| {
            let takes = it.start_takes(replica);
            // Whoever needs others looks for them, however soon it has started.
            takes.or((it.needs.is_some() || it.calls_first).then_some(SimDuration::ZERO))
        });
        let Some(takes) = takes else {
            it.warming.iter_mut().for_each(|warming| warming.is_ready(replica, ctx.now()));
            return false;
        };
        it.replicas[replica as usize].down += 1;
        self.enter_stage(service, replica, (Stage::Starting, Some(ctx.now() + takes)), ctx);
        true
    }

    /// Whether a replica that has started still needs somebody who is not up; if so, when it has another look.
    #[cold]
    fn misses_what_it_needs(&mut self, service: u32, replica: u32, now: SimTime) -> Option<SimTime> {
        let is_up = |service: &u32| self.services[*service as usize].stats.available.value() > 0;
        let needs = &self.services[service as usize].membership.as_ref()?.needs;
        let all = needs.as_ref()?.services.iter().all(is_up);
        let measured = now >= self.measured_from;
        let it = self.services[service as usize].membership.as_mut()?;
        let needs = it.needs.as_mut()?;
        if all {
            needs.found(replica, now);
            return None;
        }
        match needs.misses(replica, measured, now) {
            Again::Looks(after) => Some(now + after),
            Again::Starts(after) => Some(now + after + it.start_takes(replica).unwrap_or_default()),
        }
    }

    /// Whether it is neither out nor on its way there.
    pub fn stays(&self, service: u32, replica: u32) -> bool {
        matches!(self.stage(service, replica), Stage::In | Stage::Starting)
    }

    /// Whether it is not to be there.
    pub fn is_away(&self, service: u32, replica: u32) -> bool {
        let it = &self.services[service as usize].membership;
        it.as_ref().is_some_and(|it| it.members[replica as usize].unwanted)
    }

    /// Whether it is on its way in.
    pub fn is_starting(&self, service: u32, replica: u32) -> bool {
        self.stage(service, replica) == Stage::Starting
    }

    fn stage(&self, service: u32, replica: u32) -> Stage {
        let it = &self.services[service as usize].membership;
        it.as_ref().map_or(Stage::In, |it| it.members[replica as usize].stage)
    }

    fn enter_stage(
        &mut self,
        service: u32,
        replica: u32,
        (stage, until): (Stage, Option<SimTime>),
        ctx: &mut Ctx,
    ) {
        let it = self.services[service as usize].membership.as_mut().expect("its members move");
        let control = it.control;
        if let Some(timer) = it.members[replica as usize].timer.take() {
            ctx.cancel(timer);
        }
        let timer = until.map(|at| ctx.schedule(at, Class::Change, Event::Look { control, of: replica }));
        let now = ctx.now();
        if let Some(needs) = it.needs.as_mut().filter(|_| stage != Stage::Starting) {
            needs.goes(replica);
        }
        self.change_member(service, replica, now, |member| {
            if stage == Stage::In && member.stage != Stage::In {
                member.in_since = now;
            }
            member.there.set(now, u64::from(stage != Stage::Out));
            (member.stage, member.timer) = (stage, timer)
        });
        self.services[service as usize].note_free(replica);
        self.is_otherwise_there(service);
        self.may_be_found(service, replica, ctx);
    }

    /// One of them has come, or gone: whoever changes their version goes on before the event is over.
    #[cold]
    pub fn is_otherwise_there(&mut self, service: u32) {
        if let Some(members) = &self.services[service as usize].membership {
            tells_roller(members.roller, &mut self.admitted);
        }
    }
}

/// Whoever changes versions goes on when the event is over, once.
fn tells_roller(roller: Option<u32>, admitted: &mut VecDeque<Admitted>) {
    let Some(control) = roller else { return };
    let goes_on = |it: &Admitted| matches!(it, Admitted::RollsOn { control: other } if *other == control);
    if !admitted.iter().any(goes_on) {
        admitted.push_back(Admitted::RollsOn { control });
    }
}

impl Service {
    /// Whether a replica is on its way out, or waits aside, and is up: it takes nothing from a queue that others take from.
    #[cold]
    pub fn leaves(&self, replica: u32) -> bool {
        let member =
            |it: &Membership| it.members[replica as usize].leaves() || it.members[replica as usize].aside;
        self.membership.as_ref().is_some_and(|it| member(it))
    }
}
