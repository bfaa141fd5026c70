//! Service discovery: how callers come to know the replicas that they choose among, and how old that knowledge is.
//!
//! Without it every caller knows at once who is there. With it each has a list of its own, as it was when it last heard, and calls by
//! that until it hears again: a replica that is gone is still called, and one that has come is not yet.
//!
//! - `Registry`: replicas register with a service of the graph when they are ready, and say again and again that they are there
//!   ([`entries`](self::entries)); one that leaves says so, one that dies is found out when its entry has run out. Callers ask the same service for
//!   the list.
//! - `Dns`: whoever keeps the zone knows the replicas as a load balancer does: at once if they leave, by health checks if they are ill, and
//!   not at all if they just die. Callers keep an answer for its time to live.
//!
//! Heartbeats and lookups are calls over edges of their own, `api->consul/heartbeat` and `users->consul/lookup`, to a service of the graph: its
//! outage, its overload and its network are faults like any other. While nobody answers a caller keeps the list that it has (static
//! stability), for `max_stale` at most; one that has just started has none, and nobody to call.
//!
//! A replica dies with a heartbeat of age `A`, uniform over `heartbeat`; its entry runs out `ttl - A` later, and each caller hears of that at its
//! next look, uniform over `refresh`: `ttl - heartbeat / 2 + refresh / 2` later on average, and `ttl + refresh` at most. Of `n` callers the
//! last does so after `ttl - heartbeat / 2 + refresh n / (n + 1)`.
//!
//! Whoever a rollout starts has another address than whoever it stopped. Left out: the same of those that an autoscaler starts again, of
//! whom come back after a crash or a drain, and of a rollout of which so many come and go that no address is left: they have the one
//! that was left first.
//!
//! Left out: lookups on the path of a request (they are made beside it, as by Envoy's `STRICT_DNS` and by registry clients), and what was in
//! an answer when it was sent: it says what is known when it arrives, which is milliseconds later.

mod directory;
mod entries;
mod ledger;
mod seen;

pub use directory::{Directories, Directory, Found, Group};
pub use ledger::declared;
pub use seen::assign;

use crate::experiment::{Decode, Decoder, Node, POSITIVE, Spanned, TypeDoc};
use crate::policy::Policy;
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use sim_core::SimDuration;

/// A registry that preserves itself counts heartbeats by the minute.
const MINUTE: SimDuration = SimDuration::from_secs(60);

spec! {
    /// How callers find the replicas of a service.
    pub enum Discovery where check {
        /// Replicas register with a service, and callers ask it for the list.
        Registry {
            /// The service that keeps the list.
            registry: Spanned<String>,
            /// How often a replica says that it is there; each has its own beat.
            heartbeat: SimDuration = SimDuration::from_secs(10); POSITIVE,
            /// How long the registry believes that.
            ttl: SimDuration = SimDuration::from_secs(30); POSITIVE,
            /// Whether a replica that is told to go says so. If not, its entry runs out.
            deregister: bool = true,
            /// As long as fewer heartbeats than this share of those that are due came within the last minute, no entry runs out: it may be the
            /// network that fails. 0 is never; Eureka has 0.85.
            self_preservation: f64 = 0.0; 0.0..=1.0,
            /// How long after an answer a caller asks again, or `Never`.
            refresh: Pace = Pace::Each(SimDuration::from_secs(30)),
            /// For how long a caller keeps a list that cannot be refreshed; absent means for ever.
            max_stale: Option<SimDuration> = None,
            /// How long a heartbeat or a lookup waits for its answer. A caller without a list asks again so long after that.
            timeout: SimDuration = SimDuration::from_secs(1); POSITIVE,
        },
        /// Callers ask a resolver, and keep the answer.
        Dns {
            /// The service that resolves the name.
            resolver: Spanned<String>,
            /// How long a caller keeps an answer, or `Never`: it never asks again.
            ttl: Pace = Pace::Each(SimDuration::from_secs(60)),
            /// How long it keeps one that names nobody.
            negative_ttl: SimDuration = SimDuration::from_secs(10); POSITIVE,
            /// For how long a caller keeps a list that cannot be refreshed; absent means for ever.
            max_stale: Option<SimDuration> = None,
            /// How long a lookup waits for its answer. A caller without a list asks again so long after that.
            timeout: SimDuration = SimDuration::from_secs(1); POSITIVE,
        },
    }
}

/// How long after an answer a caller asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So long.
    Each(SimDuration),
    /// It has asked once.
    Never,
}

impl Decode for Pace {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if node.name() == Some("Never") {
            return cx.bare(node).map(|()| Pace::Never);
        }
        if !node.is_text() {
            return cx.expected(node, "a duration such as \"30s\", or the word Never");
        }
        cx.checked(node, Some(&POSITIVE)).map(Pace::Each)
    }

    fn encode(&self) -> Node {
        match self {
            Pace::Each(every) => every.encode(),
            Pace::Never => Node::word("Never"),
        }
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("duration or Never", "30s")
    }
}

/// What the two ways have in common.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Who is asked, and the setting that says so.
    pub whom: &'a Spanned<String>,
    pub field: &'static str,
    /// How long after an answer a caller asks again, and the setting that says so.
    pub pace: Pace,
    pub pace_field: &'static str,
    pub max_stale: Option<SimDuration>,
    pub timeout: SimDuration,
}

impl Lookup<'_> {
    /// How often a caller asks, if it does so more than once.
    pub fn every(&self) -> Option<SimDuration> {
        match self.pace {
            Pace::Each(every) => Some(every),
            Pace::Never => None,
        }
    }

    /// What heartbeats and lookups are made under.
    pub fn policy(&self) -> Policy {
        Policy { timeout: Some(self.timeout), ..Policy::default() }
    }
}

impl Discovery {
    /// How a list is got.
    pub fn lookup(&self) -> Lookup<'_> {
        match self {
            Discovery::Registry { registry, refresh, max_stale, timeout, .. } => Lookup {
                whom: registry,
                field: "registry",
                pace: *refresh,
                pace_field: "refresh",
                max_stale: *max_stale,
                timeout: *timeout,
            },
            Discovery::Dns { resolver, ttl, max_stale, timeout, .. } => Lookup {
                whom: resolver,
                field: "resolver",
                pace: *ttl,
                pace_field: "ttl",
                max_stale: *max_stale,
                timeout: *timeout,
            },
        }
    }

    /// How often replicas say that they are there, if they do.
    pub fn heartbeat(&self) -> Option<SimDuration> {
        match self {
            Discovery::Registry { heartbeat, .. } => Some(*heartbeat),
            Discovery::Dns { .. } => None,
        }
    }
}

fn check(discovery: &Discovery, at: &Node, cx: &mut Decoder) {
    let place = |field: &str| at.get(field).unwrap_or(at).span;
    let Lookup { pace, pace_field, max_stale, timeout, .. } = discovery.lookup();
    if let Discovery::Registry { heartbeat, ttl, .. } = discovery
        && ttl <= heartbeat
    {
        let message = format!("an entry runs out after {ttl}, and is renewed after {heartbeat}");
        cx.warn(place("ttl"), message).help("three times `heartbeat`, so that two may be lost");
    }
    if let Discovery::Registry { ttl, self_preservation, .. } = discovery
        && *self_preservation > 0.0
        && *ttl < MINUTE
    {
        let message = format!("entries run out after {ttl}, before a minute of heartbeats has been counted");
        cx.warn(place("self_preservation"), message).help("a `ttl` of 90s, as Eureka has");
    }
    match (pace, max_stale) {
        (Pace::Each(every), _) if timeout > every => {
            let message =
                format!("a lookup waits {timeout} for its answer, and an answer is kept for {every}");
            cx.error(place("timeout"), message).help(format!("make `timeout` at most `{pace_field}`"));
        }
        (Pace::Each(every), Some(most)) if most < every => {
            let message = format!("a list is dropped after {most}, and asked for again after {every} only");
            cx.error(place("max_stale"), message).help(format!("make `max_stale` at least `{pace_field}`"));
        }
        (Pace::Never, Some(_)) => {
            let message = "never acts: nobody asks again, so nobody finds out that there is no answer";
            cx.warn(place("max_stale"), message)
                .help(format!("leave it out, or say a time for `{pace_field}`"));
        }
        _ => {}
    }
}

impl Part for Discovery {
    fn does(&self) -> Does {
        Does::STEERS.and(Does::REFUSES)
    }

    fn brief(&self) -> Option<String> {
        let Lookup { whom, pace, .. } = self.lookup();
        let how = match self {
            Discovery::Registry { ttl, .. } => format!("registered with {} for {ttl}", whom.value),
            Discovery::Dns { .. } => format!("resolved by {}", whom.value),
        };
        Some(match pace {
            Pace::Each(every) => format!("{how}, looked up every {every}"),
            Pace::Never => format!("{how}, looked up once"),
        })
    }

    fn bytes(&self, replicas: u32) -> u64 {
        16 * u64::from(replicas)
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let name = around.name;
        let whom = &self.lookup().whom.value;
        match (self, self.lookup().pace) {
            (_, Pace::Never) => vec![format!(
                "{name}: callers ask {whom} once: who comes later is never called, and who goes always is"
            )],
            (Discovery::Registry { heartbeat, ttl, .. }, Pace::Each(every)) => {
                let nanos = |time: &SimDuration| time.as_nanos() as f64;
                let mean = nanos(ttl) + (nanos(&every) - nanos(heartbeat)) / 2.0;
                let mean = SimDuration::from_nanos_f64(mean.max(0.0)).brief();
                let most = (*ttl + every).brief();
                vec![format!(
                    "a replica of {name} that dies is called for {mean} more on average, {most} at most; one that leaves, for {} at most",
                    every.brief()
                )]
            }
            (Discovery::Dns { .. }, Pace::Each(every)) => {
                vec![format!("a replica of {name} that leaves is called for {} more at most", every.brief())]
            }
        }
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "discovery",
                word: "",
                what: "Says how callers come to know the replicas of a service: each chooses by the list that it last heard. Left out, all \
                       know at once.",
                hurts: "A list is old: who is gone is called, and who has come is not, until it is asked for again. A rollout's new replicas \
                        have new addresses; who comes back after a crash or a drain, or by an autoscaler, has his old one. And whoever keeps \
                        the list is one more thing that may fail: callers go on with what they have, those that start have nothing.",
                formula: "who leaves is called for up to the time between two lookups, half of it on average",
                source: "Deutsch, \"The Eight Fallacies of Distributed Computing\": topology doesn't change; AWS Builders' Library, \"Static \
                         stability using Availability Zones\"",
                experiment: "topology-never-changes",
            },
            Page {
                name: "registry",
                word: "Registry",
                what: "Replicas register with a service when they are ready, renew that with heartbeats and take it back when they are told to \
                       go; callers ask it for the list. A drain's `linger` is the de-registration delay: how long a replica still takes what \
                       comes after it has said that it goes.",
                hurts: "One that dies says nothing: it is called until its entry has run out and all have asked again. A network that loses \
                        heartbeats empties the list of replicas that are well, unless the registry preserves itself; then it keeps the dead. And \
                        a replica whose heartbeats come and whose requests fail stays in it.",
                formula: "who dies is called for `ttl - heartbeat / 2 + refresh / 2` on average and `ttl + refresh` at most",
                source: "Netflix Eureka 1.x (lease renewal 30 s, expiration 90 s, registry fetch 30 s, self-preservation 0.85); HashiCorp \
                         Consul, TTL checks; Burrows, \"The Chubby Lock Service\", OSDI 2006",
                experiment: "discovery",
            },
            Page {
                name: "dns",
                word: "Dns",
                what: "Callers ask a resolver for the addresses and keep the answer for its time to live. The zone knows at once who leaves, and \
                       by health checks who is ill; who just dies stays in it. `Never` keeps the first answer, as a JVM with \
                       `networkaddress.cache.ttl=-1` does.",
                hurts: "An answer cannot be called back: for up to `ttl` after a replica left it is called. An answer that names nobody is kept, \
                        too.",
                formula: "who leaves is called for `ttl / 2` on average and `ttl` at most",
                source: "RFC 1035; RFC 2308 (negative caching); RFC 8767 (stale answers); Envoy `STRICT_DNS`; Java `networkaddress.cache.ttl`",
                experiment: "topology-never-changes",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Registry(registry: "names", heartbeat: "100ms", ttl: "250ms", refresh: "200ms", timeout: "50ms")"#,
            r#"Registry(registry: "names", heartbeat: "50ms", ttl: "100ms", refresh: "100ms", max_stale: "200ms", timeout: "20ms", deregister: false)"#,
            r#"Dns(resolver: "names", ttl: "300ms", negative_ttl: "50ms", timeout: "100ms")"#,
            r#"Dns(resolver: "names", ttl: Never)"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (text, said) in [
            (r#"Registry(registry: "r", refresh: "1s", timeout: "2s")"#, "a lookup waits 2s"),
            (r#"Registry(registry: "r", refresh: "30s", max_stale: "29s")"#, "dropped after 29s"),
            (r#"Dns(resolver: "r", ttl: "0s")"#, "longer than 0"),
            (r#"Dns(resolver: "r", ttl: Always)"#, "or the word Never"),
        ] {
            let why = read::<Discovery>(text).map(|_| ()).expect_err("not sound");
            assert!(why.contains(said), "{text}: {why}");
        }
        for text in [
            r#"Registry(registry: "r", refresh: "1s", timeout: "1s", max_stale: "1s")"#,
            r#"Registry(registry: "r", refresh: Never)"#,
            r#"Dns(resolver: "r", ttl: Never)"#,
        ] {
            let discovery = read::<Discovery>(text).expect("sound").0;
            assert_eq!(
                read::<Discovery>(&discovery.encode().to_string()).expect("sound").0.encode().to_string(),
                discovery.encode().to_string()
            );
        }
    }
}
