//! Optimistic concurrency on one row: everybody reads, everybody writes, one wins.
//!
//! After AWS, "Exponential Backoff And Jitter" (2015), and its simulator. Clients start together. Each reads
//! the row and its version, and writes with that version; a write on an old version is a conflict, and the
//! client backs off and reads again until its own write has succeeded once. The server's work takes no
//! time; every message takes `|Normal(mean, sd)|`.
//!
//! **Mechanism.** Of the writes that read the same version exactly one succeeds. So clients that come
//! back together waste all but one of their attempts, however long they waited: `N` clients in step need about
//! `N^2 / 2` writes. Backoff without jitter keeps them in step and adds waiting: on the same luck fixed, linear
//! and exponential delays longer than a round send exactly the same writes. Jitter breaks the step.
//!
//! **Exact.** One client writes once. Two clients write three times: the first conflict leaves the other
//! alone, since the winner stops. In general a conflict needs somebody else's success between read and
//! write, so no client ever needs more attempts than there are clients.
//!
//! **Units of AWS.** Their delay before retry `n` is `base 2^n` with `n = 1` first, so their base of 5 ms is
//! `base: "10ms"` here, where the first retry waits `base`; decorrelated jitter starts from the base
//! itself and keeps `"5ms"`.
//!
//! **Left out.** Server work, limited connections, other rows, clients that arrive later: with a stream of
//! new arrivals backoff only postpones load, it does not remove it.

use crate::diagram::{self, Diagram, Link, NodeKind};
use crate::drive::{self, Drive, Mark};
use crate::experiment::Decode;
use crate::policy::Outcome;
use crate::policy::retry::{Retry, RetryPlan};
use crate::report::{Cell, Report, Series, Table, Value, Verdict};
use crate::run::{Explanation, Observer, RunOptions, RunOutput, TrajectoryLine};
use crate::{Entry, RunSpec, Scenario};
use sim_core::sampler::standard_normal;
use sim_core::stats::LatencyHistogram;
use sim_core::{Class, Context, Key, Luck, Model, SimDuration, SimTime, StreamUse, Streams, Witness, digest};

spec! {
    /// Clients that update one row at the same time, each until it has succeeded once.
    pub struct Contention {
        /// How many start together.
        clients: u32; 1..=1_000,
        /// One way of any message between a client and the server.
        hop: Hop = Hop { mean: SimDuration::from_millis(10), sd: SimDuration::from_millis(2) },
        /// What a client does after a conflict. No client needs more attempts than there are clients.
        retry: Retry,
    }
}

spec! {
    /// The absolute value of a normal variate.
    pub struct Hop {
        /// Mean of the normal.
        mean: SimDuration,
        /// Its standard deviation.
        sd: SimDuration = SimDuration::ZERO,
    }
}

/// Everything that can happen; `client` is the one it happens to or for.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A client reads the row, for the first time or after its backoff.
    Read { client: u32 },
    /// The read arrives at the server.
    ReadArrives { client: u32 },
    /// The client learns the version, and writes.
    ReadAnswered { client: u32, version: u32 },
    /// The write arrives at the server.
    WriteArrives { client: u32, version: u32 },
    /// The client learns whether its write succeeded.
    WriteAnswered { client: u32, succeeded: bool },
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    /// The attempt it is at, from 1.
    attempt: u32,
    /// What it waited last.
    backoff: SimDuration,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Succeeded,
    GaveUp,
}

/// The messages of an attempt, as addresses of their luck.
const READ: u64 = 0;
const READ_ANSWER: u64 = 1;
const WRITE: u64 = 2;
const WRITE_ANSWER: u64 = 3;

struct Row<'a> {
    spec: &'a Contention,
    retry: RetryPlan,
    hops: Luck,
    jitter: Luck,
    row: u64,
    client_names: u64,
    version: u32,
    clients: Vec<Client>,
    unfinished: u64,
    writes: u64,
    /// When the last client was done.
    completed_at: SimTime,
    /// From the start until a client's success.
    latency: LatencyHistogram,
    writes_in_window: u64,
    windows: Windows,
}

#[derive(Default)]
struct Windows {
    unfinished: Vec<f64>,
    writes: Vec<f64>,
}

impl Model for Row<'_> {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Context<Event>) {
        match event {
            Event::Read { client } => {
                self.clients[client as usize].attempt += 1;
                self.witness(1, 0, client, 0, ctx);
                self.send(READ, client, Event::ReadArrives { client }, ctx);
            }
            Event::ReadArrives { client } => {
                let version = self.version;
                self.witness(2, 0, client, version, ctx);
                self.send(READ_ANSWER, client, Event::ReadAnswered { client, version }, ctx);
            }
            Event::ReadAnswered { client, version } => {
                self.witness(3, 0, client, version, ctx);
                self.send(WRITE, client, Event::WriteArrives { client, version }, ctx);
                self.writes += 1;
                self.writes_in_window += 1;
            }
            Event::WriteArrives { client, version } => {
                let succeeded = version == self.version;
                self.version += u32::from(succeeded);
                self.witness(4, 0, client, version, ctx);
                self.send(WRITE_ANSWER, client, Event::WriteAnswered { client, succeeded }, ctx);
            }
            Event::WriteAnswered { client, succeeded } => self.answered(client, succeeded, ctx),
        }
    }
}

impl<'a> Row<'a> {
    fn new(spec: &'a Contention, streams: &Streams) -> Self {
        Row {
            spec,
            retry: RetryPlan::new(&spec.retry),
            hops: streams.luck("hop", "clients->row"),
            jitter: streams.luck("jitter", "clients->row"),
            row: digest::hash_text("row"),
            client_names: digest::hash_text("clients"),
            version: 0,
            clients: vec![Client::default(); spec.clients as usize],
            unfinished: u64::from(spec.clients),
            writes: 0,
            completed_at: SimTime::ZERO,
            latency: LatencyHistogram::new(),
            writes_in_window: 0,
            windows: Windows::default(),
        }
    }

    fn key(&self, client: u32) -> Key {
        Key::root(self.client_names, u64::from(client))
    }

    fn witness(&self, kind: u16, outcome: u16, client: u32, version: u32, ctx: &mut Context<Event>) {
        let attempt = self.clients[client as usize].attempt as u16;
        ctx.witness(kind, attempt, outcome, self.row, self.key(client).get(), u64::from(version));
    }

    /// Lets `event` happen, answers first, when a message of this client's present attempt has arrived.
    fn send(&mut self, message: u64, client: u32, event: Event, ctx: &mut Context<Event>) {
        let attempt = u64::from(self.clients[client as usize].attempt);
        let key = self.key(client).child(attempt).child(message);
        let Hop { mean, sd } = &self.spec.hop;
        let normal = standard_normal(&mut self.hops.at(key));
        let nanos = mean.as_nanos() as f64 + sd.as_nanos() as f64 * normal;
        let class = match event {
            Event::ReadAnswered { .. } | Event::WriteAnswered { .. } => Class::End,
            _ => Class::Begin,
        };
        ctx.schedule(ctx.now() + SimDuration::drawn(nanos.abs()), class, event);
    }

    fn answered(&mut self, client: u32, succeeded: bool, ctx: &mut Context<Event>) {
        let Client { attempt, backoff, .. } = self.clients[client as usize];
        let outcome = if succeeded { Outcome::Ok } else { Outcome::Error };
        self.witness(5, outcome as u16, client, self.version, ctx);
        if self.retry.retries(attempt, outcome) {
            let words = &mut self.jitter.at(self.key(client).child(u64::from(attempt)));
            let delay = self.retry.delay(attempt, backoff, words);
            self.clients[client as usize].backoff = delay;
            ctx.schedule_in(delay, Event::Read { client });
            return;
        }
        let end = &mut self.clients[client as usize].end;
        assert_eq!(*end, None, "a client ended twice");
        *end = Some(if succeeded { End::Succeeded } else { End::GaveUp });
        self.unfinished -= 1;
        self.completed_at = ctx.now();
        if succeeded {
            self.latency.record(ctx.now().since(SimTime::ZERO));
        }
    }

    fn ended(&self, how: Option<End>) -> u64 {
        self.clients.iter().filter(|client| client.end == how).count() as u64
    }
}

impl Drive for Row<'_> {
    fn begin(&mut self, ctx: &mut Context<Event>) {
        for client in 0..self.spec.clients {
            ctx.schedule_at(SimTime::ZERO, Event::Read { client });
        }
    }

    fn mark(&mut self, mark: Mark, _now: SimTime) {
        if mark == Mark::WindowEnds {
            self.windows.unfinished.push(self.unfinished as f64);
            self.windows.writes.push(std::mem::take(&mut self.writes_in_window) as f64);
        }
    }

    fn streams(&self) -> Vec<(String, StreamUse)> {
        let used = [("hop", self.hops.used()), ("jitter", self.jitter.used())];
        used.map(|(purpose, used)| (Streams::name(purpose, "clients->row"), used)).to_vec()
    }

    fn tell(&self, witness: &Witness, line: &mut TrajectoryLine) {
        let kinds = ["", "read", "read arrives", "read answered", "write arrives", "write answered"];
        line.what = kinds[usize::from(witness.kind)].into();
        line.entity = "row".into();
        line.outcome = if witness.outcome == Outcome::Error as u16 { "conflict" } else { "" }.into();
        if matches!(witness.kind, 2..=4) {
            line.note = format!("version {}", witness.detail);
        }
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<Contention>(
    "Contention",
    "optimistic concurrency on one row: who backs off how, and what it costs",
    1,
);

impl Scenario for Contention {
    fn values(&self, _run: &RunSpec) -> Vec<String> {
        ["calls", "calls_per_client", "completion", "succeeded"].map(String::from).to_vec()
    }

    /// Until everybody is done or the time is over.
    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let build = |streams: &Streams| Row::new(self, streams);
        drive::run(run, options, observer, build, |row, _, output| row.fill(&mut output.report))
    }

    fn diagram(&self) -> Diagram {
        let retry = self.retry.encode();
        let jitter =
            retry.get("jitter").map(|jitter| format!(", jitter {}", jitter.to_line())).unwrap_or_default();
        let clients = diagram::Node {
            name: "clients".into(),
            kind: NodeKind::Users,
            facts: vec![
                format!("{} at once", self.clients),
                format!("retry {}{jitter}", retry.name().unwrap_or_default()),
            ],
            faults: Vec::new(),
        };
        let facts = vec!["of writes that read the same version one succeeds".into()];
        let row = diagram::Node { name: "row".into(), kind: NodeKind::Store, facts, faults: Vec::new() };
        let hop = format!("each way {} +- {}", self.hop.mean, self.hop.sd);
        let link =
            Link { from: 0, to: 1, name: "read, then write".into(), facts: vec![hop], ..Link::default() };
        Diagram { nodes: vec![clients, row], links: vec![link], notes: Vec::new() }
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some("all its clients do the same at the same time, and `brownout run` shows when they are done")
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        let plan = RetryPlan::new(&self.retry);
        let row = |retry: u32| {
            let bounds = plan.bounds(retry);
            let cell = |duration: SimDuration| Cell::Text(duration.brief());
            vec![Cell::Count(u64::from(retry)), cell(bounds.min), cell(bounds.mean), cell(bounds.max)]
        };
        let table = Table {
            title: "delay before each retry".into(),
            columns: ["retry", "least", "mean", "most"].map(String::from).to_vec(),
            rows: (1..plan.attempts().min(11)).map(row).collect(),
            ..Table::default()
        };
        let mut notes = vec![format!(
            "no client needs more than {} attempts: a conflict takes somebody else's success",
            self.clients
        )];
        if plan.attempts() < self.clients {
            notes
                .push(format!("clients give up after {} attempts, which may not be enough", plan.attempts()));
        }
        Explanation { tables: vec![table], notes, ..Explanation::default() }
    }
}

impl Row<'_> {
    fn fill(mut self, report: &mut Report) {
        let clients = u64::from(self.spec.clients);
        let (succeeded, gave_up, unfinished) =
            (self.ended(Some(End::Succeeded)), self.ended(Some(End::GaveUp)), self.ended(None));
        let answers_out = u64::from(self.version).checked_sub(succeeded);
        assert!(answers_out.is_some_and(|out| out <= unfinished), "a success was lost or made");
        let completed = self.completed_at.since(SimTime::ZERO);

        // Nobody's luck matters for one or two clients.
        let exact = match clients {
            1 => Some(1.0),
            2 if unfinished + gave_up == 0 => Some(3.0),
            _ => None,
        };
        let value =
            |about: &str, value: f64| Value { about: about.into(), value: Some(value), ..Value::default() };
        let per_client = self.writes as f64 / clients as f64;
        let source =
            if exact.is_some() { "everybody but the winner conflicts once".into() } else { String::new() };
        let calls = value("writes sent by all clients", self.writes as f64);
        report.values.push("calls", Value { exact, source, ..calls });
        report.values.push("calls_per_client", value("writes sent per client", per_client));
        let completion = value("when the last client was done", completed.as_nanos() as f64);
        report.values.push("completion", Value { unit: "ns".into(), ..completion });
        report.values.push("succeeded", value("clients whose write succeeded", succeeded as f64));
        let done = |percent| {
            self.latency
                .percentile_ns(percent)
                .map_or(Cell::Empty(()), |ns| Cell::Text(SimDuration::from_nanos(ns).brief()))
        };
        report.tables.push(Table {
            title: "clients done".into(),
            columns: ["share", "after"].map(String::from).to_vec(),
            rows: vec![
                vec!["10 %".into(), done(10.0)],
                vec!["50 %".into(), done(50.0)],
                vec!["all".into(), done(100.0)],
            ],
            ..Table::default()
        });
        let headline = if unfinished + gave_up == 0 {
            format!("{clients} clients needed {} writes and {}", self.writes, completed.brief())
        } else {
            format!(
                "{succeeded} of {clients} clients succeeded; {gave_up} gave up, {unfinished} were not done in time"
            )
        };
        let wasted = (self.writes - succeeded) as f64 / self.writes.max(1) as f64;
        let details = vec![format!("{:.1} % of the writes were in vain", wasted * 100.0)];
        report.verdict = Verdict { headline, details, ..Verdict::default() };
        report.summary.success = Some(succeeded as f64 / clients as f64);
        report.summary.amplification = Some(per_client);
        if unfinished == 0 {
            // Nothing happens after the last client is done: the run ends with that window.
            let windows = self.completed_at.as_nanos().div_ceil(report.run.window).max(1);
            report.run.duration = report.run.duration.min(windows * report.run.window);
            self.windows.unfinished.truncate(windows as usize);
            self.windows.writes.truncate(windows as usize);
        }
        let mut series = |name: &str, values, of| {
            report.timeline.series.push(Series { name: name.into(), values, of, ..Series::default() });
        };
        series("unfinished clients", self.windows.unfinished, Some(clients as f64));
        series("writes per window", self.windows.writes, None);
        report.notes.push("All clients start at 0; warm-up plays no part.".into());
    }
}
