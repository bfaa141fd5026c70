//! State kept on one server, callback balanced to any server.
//!
//! A server takes a request, remembers something about it, and calls an outside provider. Some time later
//! the provider calls back, through the same balancer. Nothing tells the balancer where the state is, so
//! with shares `w` and independent choices the callback finds it with probability `sum w^2`: 1/2 on two
//! equal servers, 82 % on a 90/10 canary, 1/N on N equal servers, which is the least that any shares give.
//!
//! **When it bites.** Every server more makes it worse, and so does every step of a rollout towards its
//! middle. Tests on one server never show it.
//!
//! **Closed forms.** A provider that delivers up to `k` times, routed afresh each time, succeeds with
//! probability `1 - sum w (1 - w)^k`. A global round robin with one call at a time is not independent at
//! all: the callback always lands on the next server, and the success is exactly 0. A server that joins a
//! ring of `N` takes over `1 / (N + 1)` of the keys, and with them the callbacks that are out.
//!
//! **Cures**, each with its own price and its own way to fail: [`State`].
//!
//! **Left out.** Servers are infinitely fast and have no queues: this is about *where* a callback goes. How
//! long it waits there is a service graph's business.

mod balancer;
mod diagram;
mod exact;
mod measure;
mod routes;
mod summary;

use crate::catalog::Outline;
use crate::diagram::Diagram;
use crate::distribution::TimeDistribution;
use crate::drive;
use crate::experiment::{Decoder, Map, NOT_EMPTY, Node, POSITIVE, Spanned};
use crate::report::{Cell, Table};
use crate::run::{Explanation, Observer, RunOptions, RunOutput};
use crate::{Entry, RunSpec, Scenario};
use routes::Routes;
use sim_core::{Rate, SimDuration, SimTime, Streams};

spec! {
    /// Servers behind a balancer keep state; the provider's callback comes back through the same balancer.
    pub struct CallbackRouting where check {
        /// The servers and their shares of the traffic.
        servers: Servers,
        /// When requests arrive.
        arrivals: Arrivals = Arrivals::Poisson(Rate::per_sec(100.0).expect("a constant")),
        /// From then on none arrive, so that what is out can end; absent means until the end of the run.
        until: Option<SimTime> = None,
        /// From a request to the provider's callback.
        provider_delay: TimeDistribution = TimeDistribution::exponential(SimDuration::from_millis(200)),
        /// How the balancer chooses a server.
        routing: Routing = Routing::Independent,
        /// Where the state of a call is kept until its callback comes.
        state: State = State::Local,
        /// How often the provider delivers a callback, the first time included, until one is accepted.
        callback_attempts: u32 = 1; 1..=1_000,
        /// From a failed delivery to the next.
        resend_after: SimDuration = SimDuration::from_secs(1),
        /// How long the user waits: a callback that succeeds later is late. Absent means: for ever.
        deadline: Option<SimDuration> = None,
        /// Calls in each batch whose successes are counted together.
        calls_per_batch: u32 = 10; 1..=1_000,
        /// What happens to servers, and when.
        faults: Vec<ServerFault> = Vec::new(),
    }
}

spec! {
    /// The servers and their shares of the traffic.
    pub enum Servers {
        /// So many, with equal shares.
        Equal(count: u32; 1..=1_000),
        /// Shares in proportion to these weights.
        Weighted(weights: Vec<f64>; NOT_EMPTY),
        /// The same with names.
        Named(weights: Map<f64>; NOT_EMPTY),
    }
}

spec! {
    /// When requests arrive.
    pub enum Arrivals {
        /// Independent of each other at a constant mean rate.
        Poisson(rate: Rate; POSITIVE),
        /// Evenly spaced.
        Constant(rate: Rate; POSITIVE),
        /// One at a time: the next begins a pause after the last has ended.
        Sequential {
            /// The pause.
            pause: SimDuration = SimDuration::from_millis(1); POSITIVE.or("time would stand still while nobody answers"),
        },
    }
}

spec! {
    /// How the balancer chooses among the servers in rotation.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Routing {
        /// At random by share, afresh each time.
        Independent,
        /// In turn by share; one turn for requests and callbacks together.
        RoundRobin,
        /// In turn by share; requests and callbacks each have their own turn.
        RoundRobinEach,
    }
}

spec! {
    /// Where the state of a call is kept until its callback comes.
    pub enum State {
        /// On the server that took the request, and nowhere else.
        Local,
        /// In a store that all servers share. Price: a write and a read per call. Fails when it is down.
        SharedStore {
            /// Time of one operation.
            latency: TimeDistribution = TimeDistribution::constant(SimDuration::from_millis(1)),
            /// When it is down.
            outages: Vec<Outage> = Vec::new(),
        },
        /// On the server that took the request, whose name is in the callback's address: the balancer obeys
        /// as long as it knows that server. Fails when the server dies or leaves.
        Sticky,
        /// On the server that a ring of hashes names for the call, for requests and callbacks alike. Fails
        /// for the keys that move when the membership changes.
        ConsistentHash {
            /// Points of a server of average share on the ring: more points, more even shares.
            vnodes: u32 = 100; 1..=10_000,
        },
        /// In the message: any server accepts the callback and queues it, any server takes it up. Price: the
        /// wait. A message is taken again if it is not done in time, so it may be done twice; the call's id
        /// tells, and it counts once.
        MessageQueue {
            /// From acceptance until a consumer takes the message.
            lag: TimeDistribution = TimeDistribution::exponential(SimDuration::from_millis(20)),
            /// From taking the message to having done it.
            handling: TimeDistribution = TimeDistribution::exponential(SimDuration::from_millis(10)),
            /// From taking a message until it can be taken again, unless it is done before.
            visibility: SimDuration = SimDuration::from_secs(30); POSITIVE.or("it would be taken again at once, for ever"),
        },
        /// On the server that took the request, copied to others without waiting. Fails when the callback is
        /// faster than the copy.
        Replicated {
            /// Until a copy is readable, drawn for each copy.
            lag: TimeDistribution,
            /// How many other servers, the next in order, get a copy; absent means all.
            copies: Option<u32> = None,
        },
    }
}

spec! {
    /// A time during which the shared store does not answer.
    pub struct Outage {
        /// When it begins.
        at: SimTime,
        /// How long it lasts.
        r#for: SimDuration,
        /// Whether the store comes back empty.
        wipes: bool = false,
    }
}

spec! {
    /// Something that happens to a server.
    pub struct ServerFault {
        /// When it begins.
        at: SimTime,
        /// How long it lasts; absent means until the end of the run.
        r#for: Option<SimDuration> = None,
        /// The server: `server-1` is the first of those without a name.
        on: Spanned<String>,
        /// What it is.
        effect: Effect,
    }
}

spec! {
    /// What happens to a server.
    pub enum Effect {
        /// It loses its state and refuses everything. Back, empty, when the fault ends.
        Crash {
            /// Until the balancer stops choosing it.
            noticed_after: SimDuration = SimDuration::ZERO,
        },
        /// The balancer stops choosing it. What is addressed to it (a sticky callback) is still answered for
        /// a while; then it stops, and its state is gone. Back, empty, when the fault ends.
        Drain {
            /// For how long it still answers what is addressed to it.
            grace: SimDuration = SimDuration::ZERO,
        },
        /// It does not exist before `at`, and joins then.
        Join,
    }
}

/// The catalog's line.
pub const ENTRY: Entry = Entry::of::<CallbackRouting>(
    "CallbackRouting",
    "state on one server, callbacks balanced to any: who finds it again",
    1,
);

impl Scenario for CallbackRouting {
    /// What is written about a time that never comes.
    fn check(&self, run: &RunSpec, cx: &mut Decoder) {
        let end = SimTime::ZERO + run.duration;
        for (number, fault) in self.faults.iter().enumerate().filter(|(_, fault)| fault.at >= end) {
            let message = format!("begins at {}, after the end of the run", fault.at);
            cx.at("faults", |cx| cx.at_index(number, |cx| _ = cx.warn(fault.on.span, message)));
        }
    }

    fn values(&self, _run: &RunSpec) -> Vec<String> {
        summary::values()
    }

    fn outline(&self) -> Option<Outline> {
        Some(Outline { users: vec![summary::EDGE.into()], ..Outline::default() })
    }

    fn run(&self, run: &RunSpec, options: &RunOptions, observer: Observer) -> RunOutput {
        let warm_up = SimTime::ZERO + run.warm_up;
        let build = |streams: &Streams| Routes::new(self, streams, warm_up, options.max_in_flight);
        drive::run(run, options, observer, build, |routes, reached, output| {
            summary::fill(&mut output.report, routes, reached);
        })
    }

    fn diagram(&self) -> Diagram {
        diagram::diagram(self)
    }

    fn untraceable(&self) -> Option<&'static str> {
        Some(
            "its servers take no time, so a call of it is only where it was sent and where its callback went",
        )
    }

    fn explain(&self, _run: &RunSpec) -> Explanation {
        let servers = self.servers.shares();
        let shares: Vec<f64> = servers.iter().map(|(_, share)| *share).collect();
        let table = Table {
            title: "servers".into(),
            columns: ["server", "share"].map(String::from).to_vec(),
            rows: servers
                .into_iter()
                .map(|(name, share)| vec![Cell::Text(name), Cell::Number(share)])
                .collect(),
            units: ["", "share"].map(String::from).to_vec(),
            note: String::new(),
        };
        let note = match exact::success(self, &shares) {
            Some(law) => format!("exact success: {} ({})", summary::percent(law.probability), law.source),
            None => "no closed form for the success under these faults, turns or limits".into(),
        };
        Explanation { tables: vec![table], notes: vec![note], ..Explanation::default() }
    }
}

impl Servers {
    /// Every server's name and share; shares add up to 1.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let weights = self.weights();
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(name, weight)| (name, weight / total)).collect()
    }

    fn weights(&self) -> Vec<(String, f64)> {
        match self {
            Servers::Equal(count) => (1..=*count).map(|n| (format!("server-{n}"), 1.0)).collect(),
            Servers::Weighted(weights) => {
                (1..).zip(weights).map(|(n, &w)| (format!("server-{n}"), w)).collect()
            }
            Servers::Named(weights) => weights.iter().map(|(name, &w)| (name.to_string(), w)).collect(),
        }
    }
}

/// More make the joint distribution unreadable and large.
const MOST_SERVERS: usize = 1_000;
/// Turns count shares in billionths: a weight that is nothing beside another would never have its turn.
const LEAST_WEIGHT: f64 = 0.001;

fn check(spec: &CallbackRouting, at: &Node, cx: &mut Decoder) {
    let span = at.get("servers").unwrap_or(at).span;
    let servers = spec.servers.weights();
    if servers.len() > MOST_SERVERS {
        cx.at("servers", |cx| {
            _ = cx.error(span, format!("{} servers, at most {MOST_SERVERS}", servers.len()))
        });
    }
    if servers.iter().any(|&(_, weight)| !(LEAST_WEIGHT..=1.0 / LEAST_WEIGHT).contains(&weight)) {
        let allowed = format!("every weight must be from {LEAST_WEIGHT} to {}", 1.0 / LEAST_WEIGHT);
        cx.at("servers", |cx| _ = cx.error(span, allowed));
    }
    for (number, fault) in spec.faults.iter().enumerate() {
        cx.at("faults", |cx| cx.at_index(number, |cx| check_fault(fault, &servers, cx)));
    }
}

fn check_fault(fault: &ServerFault, servers: &[(String, f64)], cx: &mut Decoder) {
    let on = &fault.on;
    if !servers.iter().any(|(name, _)| *name == on.value) {
        let help = cx.suggest(&on.value, "the servers are", servers.iter().map(|(name, _)| name.as_str()));
        cx.at("on", |cx| _ = cx.error(on.span, format!("there is no server `{}`", on.value)).help(help));
    }
    if matches!(fault.effect, Effect::Join) && fault.r#for.is_some() {
        cx.error(on.span, "a server that joins stays: leave out `for`");
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::experiment::Experiment;
    use crate::run::{RunOptions, simulate};
    use std::ops::ControlFlow;

    /// The messages for a model that differs from a sound one.
    fn problems(model: &str) -> Vec<String> {
        let text = format!("(about: \"a test\", model: CallbackRouting({model}), run: (duration: \"10s\"))");
        match Experiment::parse("test.ron", &text, &[], &Catalog::bundled()) {
            Ok((_, diagnostics)) | Err(crate::experiment::Failed { diagnostics, .. }) => {
                diagnostics.iter().map(|problem| problem.message.clone()).collect()
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (model, said) in [
            ("servers: Equal(2)", ""),
            ("servers: Named({\"stable\": 0.9, \"canary\": 0.1}), state: SharedStore()", ""),
            ("servers: Equal(0)", "allowed 1 to 1000"),
            ("servers: Weighted([1.0, 0.0])", "every weight must be from 0.001"),
            ("servers: Weighted([-1.0, -1.0])", "every weight must be from 0.001"),
            ("servers: Weighted([])", "allowed at least 1"),
            ("servers: Equal(2), arrivals: Poisson(\"0/s\")", "must be more than 0"),
            ("servers: Equal(2), callback_attempts: 0", "allowed 1 to 1000"),
            ("servers: Equal(2), state: MessageQueue(visibility: \"0s\")", "taken again at once"),
            (
                "servers: Equal(2), faults: [(at: \"1s\", on: \"server-3\", effect: Join)]",
                "no server `server-3`",
            ),
            (
                "servers: Equal(2), faults: [(at: \"1s\", for: \"1s\", on: \"server-2\", effect: Join)]",
                "leave out `for`",
            ),
            (
                "servers: Equal(2), faults: [(at: \"11s\", on: \"server-2\", effect: Drain())]",
                "after the end of the run",
            ),
        ] {
            let problems = problems(model);
            match said {
                "" => assert_eq!(problems, [""; 0], "{model}"),
                _ => assert!(problems.len() == 1 && problems[0].contains(said), "{model}: {problems:?}"),
            }
        }
    }

    /// Two operations of four milliseconds each: the provider is called when the store has answered, not before.
    #[test]
    fn a_store_adds_a_write_and_a_read() {
        let text = r#"(
            about: "a test",
            model: CallbackRouting(
                servers: Equal(2),
                arrivals: Constant("10/s"),
                provider_delay: "100ms",
                state: SharedStore(latency: "4ms"),
            ),
            run: (duration: "10s"),
        )"#;
        let (experiment, _) = Experiment::parse("test.ron", text, &[], &Catalog::bundled()).expect("sound");
        let resolved = experiment.with(None, &[]).expect("sound");
        let options = RunOptions::seeded(1);
        let report = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
        assert_eq!(report.values.get("added_latency").map(|value| value.value), Some(Some(8e6)));
        let latency = &report.edges.get("callers->service").expect("the one edge").latency;
        assert_eq!((latency.p50, latency.max), (Some(108_000_000), Some(108_000_000)));
    }
}
