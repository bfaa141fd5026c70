//! Servers behind their balancer, and the way back, as a picture.

use super::{Arrivals, CallbackRouting, Effect, Routing, Servers, State, summary};
use crate::diagram::{Diagram, Link, Node, NodeKind, time};

/// More servers than this are drawn as one box for the rest.
const MOST_SERVERS: usize = 6;

const USERS: usize = 0;
const BALANCER: usize = 1;
const FIRST_SERVER: usize = 2;

pub fn diagram(spec: &CallbackRouting) -> Diagram {
    let node =
        |name: &str, kind, facts: Vec<String>| Node { name: name.into(), kind, facts, faults: Vec::new() };
    let mut users = vec![match spec.arrivals {
        Arrivals::Poisson(rate) => format!("{rate}, Poisson"),
        Arrivals::Constant(rate) => format!("{rate}, evenly spaced"),
        Arrivals::Sequential { pause } => format!("one at a time, {pause} apart"),
    }];
    users.extend(spec.until.map(|until| format!("until {until}")));
    users.extend(spec.deadline.map(|deadline| format!("wait at most {deadline}")));
    let routing = match spec.routing {
        Routing::Independent => "at random by share",
        Routing::RoundRobin => "in turn, one turn for both directions",
        Routing::RoundRobinEach => "in turn, each direction its own",
    };
    let mut nodes =
        vec![node("users", NodeKind::Users, users), node("balancer", NodeKind::Router, vec![routing.into()])];
    let servers = spec.servers.shares();
    let shown = if servers.len() > MOST_SERVERS { MOST_SERVERS - 1 } else { servers.len() };
    for (name, share) in &servers[..shown] {
        nodes.push(node(name, NodeKind::Service, vec![format!("share {}", summary::percent(*share))]));
    }
    if shown < servers.len() {
        let share: f64 = servers[shown..].iter().map(|(_, share)| share).sum();
        let name = format!("{} more", servers.len() - shown);
        nodes.push(node(&name, NodeKind::Service, vec![format!("share {}", summary::percent(share))]));
    }
    let ends = FIRST_SERVER..nodes.len();
    for fault in &spec.faults {
        let number =
            servers.iter().position(|(name, _)| *name == fault.on.value).expect("checked: it exists");
        let what = match fault.effect {
            Effect::Crash { .. } => "crash",
            Effect::Drain { .. } => "drain",
            Effect::Join => "joins",
        };
        let until = match (fault.r#for, &fault.effect) {
            (_, Effect::Join) => format!("at {}", fault.at),
            (None, _) => format!("{} to the end", fault.at),
            (Some(length), _) => format!("{} to {}", fault.at, fault.at + length),
        };
        let said = if number < shown {
            format!("{what}, {until}")
        } else {
            format!("{what} of {}, {until}", fault.on.value)
        };
        nodes[FIRST_SERVER + number.min(shown)].faults.push(said);
    }
    let provider = nodes.len();
    let mut facts = vec![format!("calls back after {}", time(&spec.provider_delay))];
    if spec.callback_attempts > 1 {
        facts.push(format!("up to {} deliveries, {} apart", spec.callback_attempts, spec.resend_after));
    }
    nodes.push(node("provider", NodeKind::Service, facts));

    let link = |from, to, name: &str| Link { from, to, name: name.into(), ..Link::default() };
    let mut links = vec![link(USERS, BALANCER, "requests")];
    links.extend(ends.clone().map(|server| link(BALANCER, server, "")));
    links.extend(ends.clone().map(|server| link(server, provider, "")));
    links.push(Link { later: true, ..link(provider, BALANCER, "callbacks") });
    let mut notes = Vec::new();
    match &spec.state {
        State::Local => notes.push("the state of a call is on the server that took the request".into()),
        State::Sticky => notes.push("a callback's address names the server that has the state".into()),
        State::ConsistentHash { vnodes } => {
            notes.push(format!("a ring of hashes, {vnodes} points a server, names the server of each call"));
        }
        State::SharedStore { latency, outages } => {
            let store = nodes.len();
            let down =
                outages.iter().map(|outage| format!("down, {} to {}", outage.at, outage.at + outage.r#for));
            let kept = node("store", NodeKind::Store, vec![format!("an operation takes {}", time(latency))]);
            nodes.push(Node { faults: down.collect(), ..kept });
            links.extend(ends.map(|server| link(server, store, "state")));
        }
        State::MessageQueue { lag, handling, visibility } => {
            let queue = nodes.len();
            let facts = vec![
                format!("lag {}", time(lag)),
                format!("handling {}", time(handling)),
                format!("visible again after {visibility}"),
            ];
            nodes.push(node("queue", NodeKind::Store, facts));
            links.extend(ends.map(|server| link(server, queue, "callbacks with their state")));
        }
        State::Replicated { lag, copies } => {
            let copies = copies.map_or("all others".into(), |copies| format!("{copies} others"));
            notes.push(format!("the state is copied to {copies}, lag {}", time(lag)));
        }
    }
    if matches!(spec.servers, Servers::Equal(1)) {
        notes.push("with one server nothing can go to another".into());
    }
    Diagram { nodes, links, notes }
}
