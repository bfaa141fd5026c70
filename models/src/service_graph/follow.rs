//! Following single calls through the graph, for [`crate::trace`].
//!
//! The tracer is told of every step of every call and keeps those of calls that descend from the ones asked for:
//! where a call or an attempt stands in its trace is kept beside the slab, by place. It sees and never answers,
//! so it cannot change what it sees. A graph is compiled twice, for the tracer and for nobody: a test of an option at
//! each step cost three instructions in a hundred.

use super::plan::Caller;
use super::service::callback::WaitId;
use super::state::*;
use crate::policy::{Denied, Ending, Outcome};
use crate::trace::{Chooser, Outline, Span, SpanKind, Trace, Tracing};
use sim_core::{Key, LONGEST, SimDuration, SimTime};
use std::collections::BTreeMap;

/// More spans than this of one trace are counted and not kept.
const MOST_SPANS: usize = 20_000;

/// Whoever a graph tells of its steps. What is told to nobody is not even compiled.
pub trait Listen {
    fn new(tracing: Option<&Tracing>, edges: &[Edge], measured_from: SimTime) -> Self;
    fn tell(&mut self, what: impl FnOnce(&mut Tracer));
}

/// Nobody.
#[derive(Clone)]
pub struct Deaf;

impl Listen for Deaf {
    fn new(_: Option<&Tracing>, _: &[Edge], _: SimTime) -> Self {
        Deaf
    }

    #[inline(always)]
    fn tell(&mut self, _: impl FnOnce(&mut Tracer)) {}
}

impl Listen for Tracer {
    fn new(tracing: Option<&Tracing>, edges: &[Edge], measured_from: SimTime) -> Self {
        tracing.map_or_else(Tracer::default, |tracing| Tracer::new(tracing, edges, measured_from))
    }

    fn tell(&mut self, what: impl FnOnce(&mut Tracer)) {
        what(self);
    }
}

/// What becomes of an attempt's message or request where it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Queued,
    Rejected,
    Refused,
    /// The replica is down and says nothing.
    Down,
    BlackHole,
    NotUnderstood,
}

/// Who is told.
#[derive(Clone, Default)]
pub struct Tracer {
    /// Only to choose.
    chooser: Option<Chooser>,
    /// Calls begun on each edge of users: they come first.
    begun: Vec<u64>,
    /// By place in the slab, of users' calls that are out while choosing.
    outlines: Vec<Option<Outline>>,
    /// (edge, call) of those to follow, and where they stand in `followed`.
    wanted: BTreeMap<(u32, u64), usize>,
    followed: Vec<Option<Followed>>,
    /// By place in the slab.
    calls: Vec<Option<At>>,
    attempts: Vec<Option<At>>,
    /// And where callbacks stand that are to come, by what they are about.
    waits: Vec<Option<At>>,
    /// And what was answered and is still to be passed on.
    unwritten: BTreeMap<u64, At>,
}

/// Where something stands in its trace.
#[derive(Clone, Copy)]
struct At {
    trace: usize,
    span: u32,
    /// What it is in: the back-off of a call; the message, queue, work or waiting of an attempt.
    stage: Option<u32>,
}

#[derive(Clone)]
struct Followed {
    edge: u32,
    call: u64,
    key: u64,
    spans: Vec<Step>,
    left_out: u64,
}

/// A span with numbers for names.
#[derive(Clone, Copy)]
struct Step {
    parent: Option<u32>,
    kind: SpanKind,
    place: Place,
    from: SimTime,
    to: Option<SimTime>,
    outcome: &'static str,
    attempt: u16,
    client: Option<u32>,
    wasted: bool,
    /// Of work: how long its instance starts, and how long its replica stood still.
    starting: SimDuration,
    still: SimDuration,
    /// It is wanted, whoever waits for what it is a part of: a call, or what a request waits for that fetches or writes something for others.
    aside: bool,
}

#[derive(Clone, Copy)]
enum Place {
    Edge(u32),
    /// A service, and which replica of it, unless all share one queue.
    Service(u32, Option<u32>),
}

impl Tracer {
    fn new(tracing: &Tracing, edges: &[Edge], measured_from: SimTime) -> Self {
        let users = edges.iter().filter(|edge| matches!(edge.caller, Caller::Workload(_)));
        let names: Vec<&str> = users.map(|edge| edge.name.as_str()).collect();
        let mut tracer = Tracer { begun: vec![0; names.len()], ..Tracer::default() };
        match tracing {
            Tracing::Choose(selection) => {
                tracer.chooser = Some(Chooser::new(selection.clone(), names.into_iter(), measured_from));
            }
            Tracing::Follow(calls) => {
                for (edge, call) in calls {
                    let number = names.iter().position(|name| name == edge);
                    if let Some(number) = number {
                        tracer.wanted.insert((number as u32, *call), tracer.followed.len());
                    }
                    tracer.followed.push(None);
                }
            }
        }
        tracer
    }

    /// A call begins, or is turned away before it could.
    pub fn call_begins(
        &mut self,
        id: Result<CallId, Ending>,
        parent: Parent,
        (edge, client): (u32, u32),
        key: Key,
        now: SimTime,
    ) {
        let at = match parent {
            Parent::Request { attempt, .. } => self.inner_call((edge, client), (attempt, false), now),
            Parent::Aside { by, wanted, .. } => self.inner_call((edge, client), (by, wanted), now),
            Parent::Check { .. } => None,
            // It stands beside the call that asked for it.
            Parent::Callback { wait, .. } => get(&self.waits, wait.index()).and_then(|at| {
                let step = Step::new(SpanKind::Call, Place::Edge(edge), now).by(client);
                self.begin(at.trace, Step { aside: true, ..step }, at.span)
            }),
            Parent::User | Parent::Loop { .. } | Parent::Visit { .. } => {
                self.user_call(id, (edge, client), key, now)
            }
        };
        match id {
            Ok(id) => put(&mut self.calls, id.index(), at),
            Err(end) => self.end(at, end.name(), now),
        }
    }

    fn user_call(
        &mut self,
        id: Result<CallId, Ending>,
        (edge, client): (u32, u32),
        key: Key,
        now: SimTime,
    ) -> Option<At> {
        let call = self.begun[edge as usize];
        self.begun[edge as usize] += 1;
        if let Some(chooser) = &mut self.chooser {
            chooser.begins(edge, call, now);
            let outcome = Outcome::InFlight.name();
            let outline = Outline { edge, call, key: key.get(), from: now, to: None, outcome, client };
            match id {
                Ok(id) => put(&mut self.outlines, id.index(), Some(outline)),
                Err(end) => chooser.ended(Outline { to: Some(now), outcome: end.name(), ..outline }, now),
            }
        }
        let trace = *self.wanted.get(&(edge, call))?;
        let spans = vec![Step::new(SpanKind::Call, Place::Edge(edge), now).by(client)];
        self.followed[trace] = Some(Followed { edge, call, key: key.get(), spans, left_out: 0 });
        Some(At { trace, span: 0, stage: None })
    }

    fn inner_call(
        &mut self,
        (edge, client): (u32, u32),
        (attempt, aside): (AttemptId, bool),
        now: SimTime,
    ) -> Option<At> {
        let request = get(&self.attempts, attempt.index())?;
        let step = Step { aside, ..Step::new(SpanKind::Call, Place::Edge(edge), now).by(client) };
        // A request makes calls while it waits for them.
        let by = request.stage.unwrap_or(request.span);
        let wasted = !aside && self.is_for_nobody(request.trace, by);
        self.begin(request.trace, Step { wasted, ..step }, by)
    }

    /// The request that made a call goes on without it: from here on it is for nobody.
    pub fn left_behind(&mut self, call: CallId) {
        let Some(At { trace, span, .. }) = get(&self.calls, call.index()) else { return };
        if let Some(followed) = &mut self.followed[trace] {
            followed.spans[span as usize].wasted = true;
        }
    }

    /// A call is sent whose callee will call back, about this.
    pub fn asks_for_callback(&mut self, wait: WaitId, call: CallId) {
        let at = get(&self.calls, call.index()).and_then(|at| {
            let span = self.followed[at.trace].as_ref()?.spans[at.span as usize].parent?;
            Some(At { span, stage: None, ..at })
        });
        put(&mut self.waits, wait.index(), at);
    }

    pub fn attempt_sent(&mut self, id: AttemptId, call: CallId, edge: u32, number: u16, now: SimTime) {
        let at = get(&self.calls, call.index()).and_then(|call| {
            let step = Step::new(SpanKind::Attempt, Place::Edge(edge), now);
            let wasted = self.is_for_nobody(call.trace, call.span);
            self.begin(call.trace, Step { attempt: number, wasted, ..step }, call.span)
        });
        put(&mut self.attempts, id.index(), at);
    }

    /// The request of an attempt comes once more: another beside it, that is over for the caller as it begins.
    pub fn comes_twice(&mut self, again: AttemptId, first: AttemptId, edge: u32, number: u16, now: SimTime) {
        let at = get(&self.attempts, first.index()).and_then(|first| {
            let call = self.followed[first.trace].as_ref()?.spans[first.span as usize].parent?;
            let step = Step::new(SpanKind::Attempt, Place::Edge(edge), now);
            let over = Step { attempt: number, to: Some(now), outcome: "came twice", wasted: true, ..step };
            self.begin(first.trace, over, call)
        });
        put(&mut self.attempts, again.index(), at);
        self.transmits(again, edge, now);
    }

    /// An attempt waits for a connection.
    pub fn connecting(&mut self, id: AttemptId, call: CallId, edge: u32, now: SimTime) {
        let at = get(&self.calls, call.index()).and_then(|call| {
            self.begin(call.trace, Step::new(SpanKind::Line, Place::Edge(edge), now), call.span)
        });
        put(&mut self.attempts, id.index(), at);
    }

    /// It waits no longer.
    pub fn connects(&mut self, id: AttemptId, outcome: &'static str, now: SimTime) {
        self.end(get(&self.attempts, id.index()), outcome, now);
        put(&mut self.attempts, id.index(), None);
    }

    /// The caller's own policy refused a try.
    pub fn not_sent(&mut self, call: CallId, edge: u32, number: u16, end: Ending, now: SimTime) {
        let Some(call) = get(&self.calls, call.index()) else { return };
        let step = Step { attempt: number, ..Step::new(SpanKind::Attempt, Place::Edge(edge), now) };
        let at = self.begin(call.trace, step, call.span);
        self.end(at, end.name(), now);
    }

    pub fn denied(&mut self, call: CallId, edge: u32, by: Denied, now: SimTime) {
        let Some(call) = get(&self.calls, call.index()) else { return };
        let step = Step::new(SpanKind::BackOff, Place::Edge(edge), now);
        let at = self.begin(call.trace, step, call.span);
        self.end(at, by.told().name, now);
    }

    /// A call pauses: it backs off, or stands in line.
    pub fn pauses(&mut self, kind: SpanKind, call: CallId, edge: u32, now: SimTime) {
        let Some(at) = get(&self.calls, call.index()) else { return };
        let pause = self.begin(at.trace, Step::new(kind, Place::Edge(edge), now), at.span);
        put(&mut self.calls, call.index(), Some(At { stage: pause.map(|at| at.span), ..at }));
    }

    pub fn pause_ends(&mut self, call: CallId, now: SimTime) {
        self.leave_stage(false, call.index(), "", now);
    }

    pub fn call_ended(&mut self, call: CallId, end: Ending, now: SimTime) {
        self.call_is_over(call, end.name(), now);
    }

    fn call_is_over(&mut self, call: CallId, outcome: &'static str, now: SimTime) {
        if let Some(chooser) = &mut self.chooser
            && let Some(outline) = self.outlines.get_mut(call.index()).and_then(Option::take)
        {
            chooser.ended(Outline { to: Some(now), outcome, ..outline }, now);
        }
        self.leave_stage(false, call.index(), outcome, now);
        self.end(get(&self.calls, call.index()), outcome, now);
        put(&mut self.calls, call.index(), None);
    }

    /// The caller is done with an attempt.
    pub fn attempt_ended(&mut self, id: AttemptId, outcome: Outcome, now: SimTime) {
        self.end(get(&self.attempts, id.index()), outcome.name(), now);
    }

    /// A message of this attempt goes out.
    pub fn transmits(&mut self, id: AttemptId, edge: u32, now: SimTime) {
        self.enter_stage(id, SpanKind::Network, Place::Edge(edge), now);
    }

    /// The network keeps the message back.
    pub fn held(&mut self, id: AttemptId) {
        if let Some(step) = self.stage(id) {
            step.outcome = "held";
        }
    }

    /// A request reaches its replica, and no worker is free for it.
    pub fn arrives(
        &mut self,
        id: AttemptId,
        (service, replica): (u32, Option<u32>),
        what: Arrival,
        now: SimTime,
    ) {
        self.enter_stage(id, SpanKind::Queue, Place::Service(service, replica), now);
        let outcome = match what {
            Arrival::Queued => return,
            Arrival::Rejected => Outcome::Rejected.name(),
            Arrival::Refused => Outcome::Refused.name(),
            Arrival::Down => "replica down",
            Arrival::BlackHole => "black hole",
            Arrival::NotUnderstood => "not understood",
        };
        self.leave_stage(true, id.index(), outcome, now);
    }

    pub fn work_begins(&mut self, id: AttemptId, service: u32, replica: u32, now: SimTime) {
        self.enter_stage(id, SpanKind::Work, Place::Service(service, Some(replica)), now);
    }

    /// The work that has begun waits first for an instance to start.
    pub fn starts(&mut self, id: AttemptId, takes: SimDuration) {
        if let Some(step) = self.stage(id) {
            step.starting = takes;
        }
    }

    /// Work is done, and its replica stood still for so much of it.
    pub fn stood_still(&mut self, id: AttemptId, time: SimDuration) {
        if let Some(step) = self.stage(id) {
            step.still = time;
        }
    }

    /// A request's own work is done, and it makes calls.
    pub fn waiting_begins(&mut self, id: AttemptId, service: u32, replica: u32, now: SimTime) {
        let fetches = self.stage(id).is_some_and(|work| matches!(work.outcome, "miss" | "another fetches"));
        self.enter_stage(id, SpanKind::Waiting, Place::Service(service, Some(replica)), now);
        self.stage(id).into_iter().for_each(|waiting| waiting.aside = fetches);
    }

    /// What a request was told that looked at what is kept, as its work ended.
    pub fn is_told(&mut self, id: AttemptId, what: &'static str) {
        if let Some(step) = self.stage(id) {
            step.outcome = what;
        }
    }

    /// A request is answered, and goes on as another: what it waits for from here on nobody waits for.
    pub fn goes_on_in_background(
        &mut self,
        again: AttemptId,
        first: AttemptId,
        (service, replica): (u32, u32),
        now: SimTime,
    ) {
        let at = get(&self.attempts, first.index()).and_then(|first| {
            let step = Step::new(SpanKind::Waiting, Place::Service(service, Some(replica)), now);
            self.begin(first.trace, Step { aside: true, ..step }, first.span)
        });
        put(&mut self.attempts, again.index(), at);
    }

    /// A request was answered, and what it has written is to be passed on: that is found again by the key of its luck.
    pub fn will_write(&mut self, key: u64, id: AttemptId) {
        if let Some(at) = get(&self.attempts, id.index()) {
            self.unwritten.insert(key, at);
        }
    }

    /// Another of the same key is passed on in its place.
    pub fn never_written(&mut self, key: u64) {
        self.unwritten.remove(&key);
    }

    /// It is passed on now, as another request.
    pub fn passes_on(&mut self, again: AttemptId, key: u64, (service, replica): (u32, u32), now: SimTime) {
        let at = self.unwritten.get(&key).copied().and_then(|first| {
            let step = Step::new(SpanKind::Waiting, Place::Service(service, Some(replica)), now);
            self.begin(first.trace, Step { aside: true, ..step }, first.span)
        });
        put(&mut self.attempts, again.index(), at);
    }

    /// What a request brings back that nobody waits for is for others: it is kept, or written.
    pub fn is_for_others(&mut self, id: AttemptId, what: &'static str) {
        if let Some(At { trace, span, stage }) = get(&self.attempts, id.index())
            && let Some(followed) = &mut self.followed[trace]
        {
            followed.spans[stage.unwrap_or(span) as usize].outcome = what;
        }
    }

    /// And is over.
    pub fn background_ends(&mut self, id: AttemptId, outcome: Outcome, now: SimTime) {
        let at = get(&self.attempts, id.index());
        let said = at.and_then(|at| Some(self.followed[at.trace].as_ref()?.spans[at.span as usize].outcome));
        let is_said = said.is_some_and(|said| !said.is_empty());
        self.end(at, if is_said { said.unwrap_or_default() } else { outcome.name() }, now);
        put(&mut self.attempts, id.index(), None);
    }

    /// A request is over at its replica.
    pub fn finished(&mut self, id: AttemptId, outcome: Outcome, now: SimTime) {
        self.drop_empty_waiting(id, now);
        let outcome = if outcome == Outcome::Ok { "" } else { outcome.name() };
        self.leave_stage(true, id.index(), outcome, now);
    }

    /// It was in a replica's hands and is no longer: a crash, or its caller had gone when its turn came.
    pub fn lost_in_hand(&mut self, id: AttemptId, why: &'static str, now: SimTime) {
        self.leave_stage(true, id.index(), why, now);
    }

    /// An answer reaches whoever sent the attempt, and ends it and its call if it is good. `call` awaits it.
    pub fn answered(&mut self, id: AttemptId, answer: Outcome, call: Option<CallId>, now: SimTime) {
        self.leave_stage(true, id.index(), "", now);
        let at = get(&self.attempts, id.index());
        if answer == Outcome::Reset || at.is_some_and(|at| self.is_for_nobody(at.trace, at.span)) {
            self.wasted(at);
        }
        if let (Some(call), Outcome::Ok) = (call, answer) {
            self.end(at, Outcome::Ok.name(), now);
            self.call_is_over(call, Ending::Ok.name(), now);
        }
    }

    /// Nothing will come back.
    pub fn swallowed(&mut self, id: AttemptId) {
        if let Some(message) = self.stage(id) {
            message.outcome = "lost";
        }
        let at = get(&self.attempts, id.index());
        self.wasted(at);
        put(&mut self.attempts, id.index(), at.map(|at| At { stage: None, ..at }));
    }

    /// Whether the attempt or call, or anybody above it, is no longer waited for: a request may have failed by another of
    /// its calls. What a request fetches that keeps answers is for whoever asks next.
    fn is_for_nobody(&self, trace: usize, span: u32) -> bool {
        let Some(followed) = &self.followed[trace] else { return false };
        let mut above = Some(span);
        while let Some(index) = above {
            let step = &followed.spans[index as usize];
            let ended = matches!(step.kind, SpanKind::Call | SpanKind::Attempt | SpanKind::Waiting)
                && step.to.is_some();
            if ended || step.kind == SpanKind::Call && step.wasted {
                return true;
            }
            above = step.parent.filter(|_| !step.aside);
        }
        false
    }

    /// What was done for this attempt was done for nobody.
    fn wasted(&mut self, at: Option<At>) {
        let Some(At { trace, span, .. }) = at else { return };
        let Some(followed) = &mut self.followed[trace] else { return };
        for step in &mut followed.spans[span as usize..] {
            step.wasted |= step.parent == Some(span);
        }
    }

    fn begin(&mut self, trace: usize, step: Step, parent: u32) -> Option<At> {
        let followed = self.followed[trace].as_mut()?;
        if followed.spans.len() == MOST_SPANS {
            followed.left_out += 1;
            return None;
        }
        followed.spans.push(Step { parent: Some(parent), ..step });
        Some(At { trace, span: followed.spans.len() as u32 - 1, stage: None })
    }

    fn end(&mut self, at: Option<At>, outcome: &'static str, now: SimTime) {
        let Some(At { trace, span, .. }) = at else { return };
        if let Some(followed) = &mut self.followed[trace] {
            let step = &mut followed.spans[span as usize];
            (step.to, step.outcome) = (Some(now), outcome);
        }
    }

    fn enter_stage(&mut self, id: AttemptId, kind: SpanKind, place: Place, now: SimTime) {
        self.leave_stage(true, id.index(), "", now);
        let Some(at) = get(&self.attempts, id.index()) else { return };
        let stage = self.begin(at.trace, Step::new(kind, place, now), at.span);
        put(&mut self.attempts, id.index(), Some(At { stage: stage.map(|at| at.span), ..at }));
    }

    /// The present stage of an attempt, or the back-off of a call, is over.
    fn leave_stage(&mut self, of_attempt: bool, place: usize, outcome: &'static str, now: SimTime) {
        let all = if of_attempt { &mut self.attempts } else { &mut self.calls };
        let Some(at) = all.get_mut(place).and_then(Option::as_mut) else { return };
        let (Some(stage), Some(followed)) = (at.stage.take(), &mut self.followed[at.trace]) else { return };
        let step = &mut followed.spans[stage as usize];
        step.to = Some(now);
        if !outcome.is_empty() {
            step.outcome = outcome;
        }
    }

    fn stage(&mut self, id: AttemptId) -> Option<&mut Step> {
        let At { trace, stage, .. } = get(&self.attempts, id.index())?;
        Some(&mut self.followed[trace].as_mut()?.spans[stage? as usize])
    }

    /// A request that made no calls after all did not wait.
    fn drop_empty_waiting(&mut self, id: AttemptId, now: SimTime) {
        let Some(at) = get(&self.attempts, id.index()) else { return };
        let (Some(stage), Some(followed)) = (at.stage, &mut self.followed[at.trace]) else { return };
        let last = followed.spans.len() as u32 - 1 == stage;
        let step = followed.spans[stage as usize];
        if last && step.kind == SpanKind::Waiting && step.from == now {
            followed.spans.pop();
            put(&mut self.attempts, id.index(), Some(At { stage: None, ..at }));
        }
    }
}

impl<L: Listen> Graph<L> {
    /// What the tracer heard.
    pub fn traces(&mut self, now: SimTime) -> Vec<Trace> {
        let mut heard = None;
        self.listener.tell(|tracer| heard = Some(std::mem::take(tracer)));
        let Some(tracer) = heard else { return Vec::new() };
        let name = |edge: u32| self.edges[edge as usize].name.clone();
        if let Some(mut chooser) = tracer.chooser {
            for outline in tracer.outlines.into_iter().flatten() {
                chooser.ended(outline, now);
            }
            return chooser.into_traces(name);
        }
        let place = |place: Place| match place {
            Place::Edge(edge) => name(edge),
            Place::Service(service, None) => self.services[service as usize].name.clone(),
            Place::Service(service, Some(replica)) => {
                format!("{}[{replica}]", self.services[service as usize].name)
            }
        };
        let span = |step: Step| {
            let open = step.to.is_none() && matches!(step.kind, SpanKind::Call | SpanKind::Attempt);
            Span {
                parent: step.parent,
                kind: step.kind,
                at: place(step.place),
                from: step.from.as_nanos(),
                to: step.to.map(SimTime::as_nanos),
                outcome: if open { Outcome::InFlight.name() } else { step.outcome }.into(),
                attempt: step.attempt,
                client: step.client,
                wasted: step.wasted,
                // Whoever was cut off may have been starting still.
                starting: step.starting.min(step.lasted()).as_nanos(),
                standing_still: step.still.as_nanos(),
            }
        };
        let trace = |followed: Followed| Trace {
            edge: name(followed.edge),
            call: followed.call,
            key: followed.key,
            why: String::new(),
            spans: followed.spans.into_iter().map(span).collect(),
            sequence: None,
            left_out: followed.left_out,
        };
        tracer.followed.into_iter().flatten().map(trace).collect()
    }
}

impl Step {
    fn new(kind: SpanKind, place: Place, from: SimTime) -> Self {
        Step {
            parent: None,
            kind,
            place,
            from,
            to: None,
            outcome: "",
            attempt: 0,
            client: None,
            wasted: false,
            starting: SimDuration::ZERO,
            still: SimDuration::ZERO,
            aside: false,
        }
    }

    fn lasted(&self) -> SimDuration {
        self.to.map_or(LONGEST, |to| to.since(self.from))
    }

    fn by(self, client: u32) -> Self {
        Step { client: Some(client), ..self }
    }
}

fn get(all: &[Option<At>], place: usize) -> Option<At> {
    all.get(place).copied().flatten()
}

fn put<T>(all: &mut Vec<Option<T>>, place: usize, what: Option<T>) {
    if place >= all.len() {
        all.resize_with(place + 1, || None);
    }
    all[place] = what;
}
