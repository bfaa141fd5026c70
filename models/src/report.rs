//! What came out of a run: a common head, and typed sections that any model may fill.
//!
//! A new model needs no renderer: it fills sections, and every command can show, compare, save and read
//! them back. Times are whole nanoseconds; digests are hex text; everything else is a count or a plain
//! ratio of counts.

mod goodput;
mod json;
mod metric;
pub(crate) mod slice;
#[cfg(test)]
mod synthetic;
mod tally;
mod verdict;
mod why;

pub use json::{results_digest, schema};
pub use metric::{Leaves, Metric, MetricError, Unit, unit_of};
pub use tally::Tally;
pub use verdict::{judge, percent};

use crate::policy::{Cause, Ending, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::stats::LatencyHistogram;

/// Version of the report's shape. A reader refuses what it does not know.
pub const FORMAT: u32 = 1;

/// Everything one run has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Its own words.
    pub about: String,
    /// The variant that was run, if not the base.
    pub variant: Option<String>,
    /// What was set from outside, as (path, value).
    pub overrides: Vec<(String, String)>,
    /// Name and version of the model.
    pub model: (String, u32),
    /// How it was run.
    pub run: RunFacts,
    /// The limit that cut the run short, if one did: everything below covers only what was reached.
    pub stopped: Option<String>,
    /// The witness of input, trajectory, randomness and results.
    pub digest: DigestParts,
    /// Whether this covers only a part of its run, see [`Report::during`]: what windows do not tell is 0 or absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub part: bool,
    /// What it comes to.
    pub verdict: Verdict,
    /// The few numbers everyone asks for; metrics without a dot are looked up here.
    pub summary: Summary,
    /// Calls and attempts over each edge, the users' first.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub edges: Named<Edge>,
    /// Queues and workers of each service.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub services: Named<Service>,
    /// Other numbers, with the exact value beside them where one is known.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub values: Named<Value>,
    /// Tables of the model's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// The picture: series over time, and what disturbed them.
    pub timeline: Timeline,
    /// What a reader should know before believing the above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// The seed.
    pub seed: u64,
    /// Length of the run in nanoseconds.
    pub duration: u64,
    /// What happens before this time is simulated but not measured, in nanoseconds.
    pub warm_up: u64,
    /// Length of one window of a series in nanoseconds.
    pub window: u64,
    /// Events handled.
    pub events: u64,
}

/// The digest: `i` input, `t` trajectory, `r` randomness, `s` results, each 16 hex digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestParts {
    /// Canonical experiment, seed and model version.
    pub i: String,
    /// Every live event in order.
    pub t: String,
    /// Draws per stream.
    pub r: String,
    /// This report without its digest.
    pub s: String,
    /// A checkpoint was kept after this many events, and after each multiple of it.
    pub every: u64,
    /// The running `t` at each checkpoint.
    pub checkpoints: Vec<String>,
}

/// The kinds of conclusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Nothing disturbed it and it served what was offered.
    #[default]
    Steady,
    /// Nothing disturbed it and it still did not serve what was offered.
    Failing,
    /// Disturbed, and back to what it was.
    Recovered,
    /// The disturbance lasts until the end: nothing can be said about recovery.
    StillDisturbed,
    /// Disturbed, and since then serving less than before.
    Degraded,
    /// Disturbed, and since then serving less than half of what it did.
    NeverRecovered,
    /// A measured fact of a model that does not serve requests over time.
    Finding,
}

/// What a run comes to, headline first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The kind of conclusion.
    pub kind: VerdictKind,
    /// One sentence.
    pub headline: String,
    /// Why: a sentence each.
    pub details: Vec<String>,
}

/// The few numbers everyone asks for. A number that a model does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Whether goodput came back after the last disturbance; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<bool>,
    /// From the end of the last disturbance until goodput was back for good, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_recover: Option<u64>,
    /// Calls that users made, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<f64>,
    /// Calls of users that ended well after the warm-up, whenever they began, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goodput: Option<f64>,
    /// Calls of users that ended well, of those that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// Attempts per call on the edge where it is highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplification: Option<f64>,
    /// Share of all work that was done for callers who had given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<f64>,
}

/// Calls and attempts over one edge. All counts cover calls that began after the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// Whether the caller is a workload.
    pub from_users: bool,
    /// Whether its users wait for an answer before they call again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_loop: bool,
    /// How calls ended.
    pub calls: Calls,
    /// How attempts ended.
    pub attempts: Attempts,
    /// Attempts per call; absent without calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplification: Option<f64>,
    /// Attempts per call that users made, on all edges from users together; absent without such calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_user_call: Option<f64>,
    /// Calls that ended well after the warm-up, whenever they began, per second.
    pub goodput: f64,
    /// Calls that ended well, of those that ended; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<f64>,
    /// Response time of calls that ended well, from the intended start.
    pub latency: Latency,
    /// Time until failure of calls that did not.
    pub latency_failed: Latency,
    /// Changes of state of this edge's breakers, all clients together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaker: Vec<Transition>,
    /// How many more changes there were than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub breaker_unlisted: u64,
    /// The same over time.
    pub windows: EdgeWindows,
}

/// How calls ended. Their sum is `started`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// Calls made.
    pub started: u64,
    /// Of them: how they ended.
    #[serde(flatten)]
    pub ended: Tally<Ending>,
    /// Calls of which no attempt was ever sent.
    pub never_sent: u64,
    /// Of `failed`: by the cause of the last attempt.
    pub failed_by: Tally<Cause>,
    /// Mean age of those still in flight, in nanoseconds; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_age: Option<u64>,
}

impl Calls {
    /// Those that ended so; of failed ones, of this cause.
    pub fn of(&self, ending: Ending) -> u64 {
        match ending {
            Ending::Failed(cause) => self.failed_by[Cause(cause)],
            other => self.ended[other],
        }
    }

    /// One more has ended so, or `count` more.
    #[inline]
    pub fn add(&mut self, ending: Ending, count: u64) {
        self.ended[ending] += count;
        if let Ending::Failed(cause) = ending {
            debug_assert!(cause.as_cause().is_some(), "no call fails because an attempt was {cause}");
            self.failed_by[Cause(cause)] += count;
        }
    }

    /// Those that were answered, and the caller still waited.
    pub fn ok(&self) -> u64 {
        self.ended[Ending::Ok]
    }

    /// Those that failed with their last attempt, whatever of: a part of a run does not know their causes.
    pub fn failed(&self) -> u64 {
        self.ended[Ending::FAILED]
    }

    /// Those still waiting when the run ended.
    pub fn in_flight(&self) -> u64 {
        self.ended[Ending::InFlight]
    }

    /// Those that ended, but not well.
    pub fn ended_badly(&self) -> u64 {
        self.ended.total() - self.ok() - self.in_flight()
    }
}

/// How attempts ended. Their sum is `sent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempts {
    /// Attempts sent.
    pub sent: u64,
    /// Of them: how they ended.
    #[serde(flatten)]
    pub ended: Tally<Outcome>,
    /// Sent after the first of their call. `sent = started - never_sent + retries`.
    pub retries: u64,
    /// Retries that a budget refused.
    pub budget_refused: u64,
}

impl Attempts {
    /// Retries that would have been made and were not, because the client could not afford them.
    pub fn rationed(&self) -> u64 {
        self.budget_refused
    }

    /// Those that ended so.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome]
    }
}

/// A distribution of latencies in nanoseconds; percentiles are absent if nothing was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// How many were counted.
    pub count: u64,
    /// Longer than an hour: in `count` and `max`, but in no bucket.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overflow: u64,
    /// Exact mean.
    pub mean: Option<u64>,
    /// Half are at or below.
    pub p50: Option<u64>,
    /// 90 % are at or below.
    pub p90: Option<u64>,
    /// 95 % are at or below.
    pub p95: Option<u64>,
    /// 99 % are at or below.
    pub p99: Option<u64>,
    /// 99.9 % are at or below.
    pub p999: Option<u64>,
    /// 99.99 % are at or below.
    pub p9999: Option<u64>,
    /// Exact maximum.
    pub max: Option<u64>,
    /// The buckets that hold anything: (highest value, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<(u64, u64)>,
}

impl Latency {
    /// The percentiles everyone asks for and the whole histogram.
    pub fn of(histogram: &LatencyHistogram) -> Self {
        Latency {
            count: histogram.count(),
            overflow: histogram.overflow(),
            mean: histogram.mean_ns(),
            max: histogram.max_ns(),
            histogram: histogram.recorded(),
            ..Latency::percentiles(|percent| histogram.percentile_ns(percent))
        }
    }

    /// The percentiles alone, of a distribution that is asked for each.
    fn percentiles(at: impl Fn(f64) -> Option<u64>) -> Self {
        Latency {
            p50: at(50.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            p999: at(99.9),
            p9999: at(99.99),
            ..Latency::default()
        }
    }
}

/// One change of state of one client's breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// When, in nanoseconds.
    pub at: u64,
    /// Which client instance of the edge.
    pub client: u32,
    /// `closed`, `open` or `half_open`.
    pub from: String,
    /// `closed`, `open` or `half_open`.
    pub to: String,
}

/// An edge over time: one number per window. Starts are counted where they happen, ends where they happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeWindows {
    /// Calls started.
    pub started: Vec<u64>,
    /// Calls that ended well.
    pub ok: Vec<u64>,
    /// Calls that ended otherwise.
    pub failed: Vec<u64>,
    /// Attempts sent.
    pub attempts: Vec<u64>,
    /// Clients whose breaker was open or half-open at the window's end; empty without a breaker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breakers_open: Vec<u64>,
    /// Response times of calls that ended well, to 1 %: (highest value of the bucket, count).
    pub latency: Vec<Vec<(u64, u64)>>,
}

/// Queues and workers of one service, its replicas together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Replicas.
    pub replicas: u32,
    /// Workers of all replicas.
    pub workers: u64,
    /// Places in all queues; absent if unbounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_capacity: Option<u64>,
    /// Attempts that arrived after the warm-up.
    pub arrived: u64,
    /// Work that was finished.
    pub completed: u64,
    /// Busy worker time over available worker time, at most 1.
    pub utilisation: f64,
    /// Mean number waiting in all queues.
    pub queue_mean: f64,
    /// Largest number waiting in any window, all queues together.
    pub queue_max: u64,
    /// Mean wait of requests whose work began, those that found a free worker included, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_mean: Option<u64>,
    /// Little's law, both sides measured apart; absent if nothing was let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub little: Option<Little>,
    /// Own work executed, in nanoseconds of worker time.
    pub work: u64,
    /// Of it: for callers who had given up.
    pub work_wasted: u64,
    /// `work_wasted / work`; absent without work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<f64>,
    /// Replicas that died of their own load, and came back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deaths: u64,
    /// The same over time.
    pub windows: ServiceWindows,
}

/// Little's law of one service, over the measured part of the run: those who wait or hold a worker are, on
/// average, as many as arrive per second times how long they do so. Both sides are summed apart: the number
/// over time, and the times one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Little {
    /// L: the mean number waiting or holding a worker, from the integral of the number over time.
    pub number: f64,
    /// Lambda: requests per second that were let in, to a worker or the queue.
    pub rate: f64,
    /// W: nanoseconds that requests waited or held a worker, per request let in; those who were there when the
    /// measurement began or ended count for what they spent within it.
    pub time: f64,
    /// Lambda W.
    pub product: f64,
}

/// A service over time: one number per window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceWindows {
    /// Integral of the number waiting, in nanoseconds.
    pub queue_ns: Vec<u64>,
    /// Largest number waiting in one queue of the service, summed over its queues.
    pub queue_max: Vec<u64>,
    /// Integral of busy workers, in nanoseconds.
    pub busy_ns: Vec<u64>,
    /// Integral of available workers (those of live replicas), in nanoseconds.
    pub available_ns: Vec<u64>,
}

/// A number, and what it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// What it is.
    pub about: String,
    /// Measured.
    pub value: f64,
    /// What it counts: `ns`, `/s`, `share`, or nothing in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What theory gives, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<f64>,
    /// The standard error of `value`, where draws are independent and it can be known from one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// Where `exact` comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// A table of a model's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// Column heads.
    pub columns: Vec<String>,
    /// Rows, as wide as the heads.
    pub rows: Vec<Vec<Cell>>,
    /// What the numbers of each column count, as in [`Value::unit`]; empty if plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// What to read in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// A whole number.
    Count(u64),
    /// Any other number.
    Number(f64),
    /// Words.
    Text(String),
    /// Nothing to say.
    Empty(()),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Cell::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Cell::Number(number)
    }
}

/// What to draw over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// The lines, most telling first; empty for models without time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// What disturbed the run, by its schedule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
}

/// One line over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// `offered`, `attempts`, `goodput`, `queue payments` ..
    pub name: String,
    /// `/s`, `share`, or empty for a plain number.
    pub unit: String,
    /// One value per window of `run.window`.
    pub values: Vec<f64>,
    /// The most it can be, if there is such a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<f64>,
}

/// Something that was done to the system from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disturbance {
    /// `slow`, `crash`, `spike` ..
    pub what: String,
    /// The service, edge or workload it was done to.
    pub on: String,
    /// When it began, in nanoseconds.
    pub from: u64,
    /// When it ended, in nanoseconds; absent if it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

fn is_false(truth: &bool) -> bool {
    !truth
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A map that keeps the order in which a model filled it.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Adds an entry; the name must be new.
    pub fn push(&mut self, name: impl Into<String>, value: T) {
        let name = name.into();
        assert!(self.get(&name).is_none(), "a section holds {name} twice");
        self.0.push((name, value));
    }

    /// Every entry in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        std::collections::BTreeMap::<String, T>::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        std::collections::BTreeMap::<String, T>::json_schema(generator)
    }
}
