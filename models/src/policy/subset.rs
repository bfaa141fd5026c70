//! Whom a client, or a tenant, knows of the replicas at all.
//!
//! *Of clients.* A thousand clients with a connection to each of a thousand replicas are a million connections. If each knows a few,
//! there are few, and who chooses the few decides how even loads are. By chance some replicas are known to many and some to
//! nobody: of `N` clients with `k` of `n` each a replica has `N k / n` on average, give or take `sqrt(N k/n (1 - k/n))` (gRPC
//! `random_subsetting`, Finagle's aperture without its ring). The SRE book's deterministic subsetting ("Load Balancing in the Datacenter")
//! shuffles the replicas anew for each round of `n/k` clients and deals them out, so that each round gives each replica one client.
//!
//! *Of tenants.* What a tenant does to the replicas that serve it, it does to everybody who is served there. With shards of `k` that is
//! one tenant in `n/k`. Shuffle shards give each tenant `k` of its own, by a hash of it: of two tenants `j` are in both with
//! `C(k,j) C(n-k,k-j) / C(n,k)`, and all of them for one in `C(n,k)`. Whoever shares some has the others left, if it goes
//! there when it fails: without that, just as many calls are lost as with plain shards, and only spread otherwise.
//!
//! Who is known is chosen among those that may be chosen at all, so when one of them leaves, another takes its place: with random
//! subsets and shuffle shards only there, with the others everywhere. What a client has ejected itself is not replaced: it has its
//! own few, and `max_ejection_percent` and `panic_threshold` are shares of those.

mod state;
mod watch;

use super::page::Page;
use super::part::{Around, Does, Part};
use crate::report::Section;
use crate::theory::{choose, shard_overlap, unknown_to_all};
pub use state::SubsetState;
pub use watch::spread;

/// The most that a shuffle shard may have: they are looked up for each attempt.
const MOST_OF_SHARD: u32 = 64;

spec! {
    /// Which replicas a client, or a tenant, knows.
    pub enum Subset {
        /// Each client so many by chance.
        Random(size: u32; 1..=1_000_000),
        /// Each client so many, dealt out in rounds so that all are known to as many.
        Deterministic(size: u32; 1..=1_000_000),
        /// Each tenant one of the groups of so many that all are divided into, by a hash of it.
        Shard(size: u32; 1..=1_000_000),
        /// Each tenant so many of its own, by a hash of it.
        ShuffleShard(size: u32; 1..=MOST_OF_SHARD),
    }
}

impl Subset {
    /// How many each knows.
    fn size(&self) -> u32 {
        match self {
            Subset::Random(size)
            | Subset::Deterministic(size)
            | Subset::Shard(size)
            | Subset::ShuffleShard(size) => *size,
        }
    }

    /// Whether it goes by whose a request is, and not by who sends it.
    fn is_of_tenants(&self) -> bool {
        matches!(self, Subset::Shard(_) | Subset::ShuffleShard(_))
    }
}

impl Part for Subset {
    fn does(&self) -> Does {
        Does::STEERS
    }

    fn brief(&self) -> Option<String> {
        let size = self.size();
        Some(match self {
            Subset::Random(_) => format!("knows {size}, by chance"),
            Subset::Deterministic(_) => format!("knows {size}, in rounds"),
            Subset::Shard(_) => format!("shards of {size}"),
            Subset::ShuffleShard(_) => format!("shuffle shards of {size}"),
        })
    }

    fn bytes(&self, replicas: u32) -> u64 {
        // Whom it knows, whom that leaves, and of each replica whether it is one of them.
        8 * u64::from(self.size().min(replicas)) + u64::from(replicas) + size_of::<SubsetState>() as u64
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        if self.is_of_tenants() { Vec::new() } else { vec![watch::declared(at)] }
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let (edge, all, size) = (around.name, around.choices, self.size());
        if all == 0 {
            return None;
        }
        if size >= all {
            let those = if all == 1 { "the only replica".into() } else { format!("all {all} replicas") };
            let whose = if self.is_of_tenants() { "each tenant has" } else { "each client knows" };
            return Some((
                format!("{whose} {those} over {edge}: a subset of {size} leaves nobody out"),
                "fewer, or leave it out".into(),
            ));
        }
        let nobody = self.is_of_tenants() && !around.says.tenant;
        nobody.then(|| {
            let why = format!("no request over {edge} says whose it is: it may go to all {all} replicas");
            (why, "`tenants` of the workload".into())
        })
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let (edge, all, clients, size) = (around.name, around.choices, around.clients, self.size());
        if all == 0 || self.idles(around).is_some() {
            return Vec::new();
        }
        let (share, groups) = (f64::from(size) / f64::from(all), all / size);
        let mean = f64::from(clients) * share;
        vec![match self {
            Subset::Random(_) => format!(
                "{edge}: a replica is known to {mean:.1} of {clients} clients on average, give or take {:.1} (standard deviation), \
                 and {:.1} of {all} to nobody",
                (mean * (1.0 - share)).sqrt(),
                unknown_to_all(all, size, clients),
            ),
            Subset::Deterministic(_) if all % size == 0 => {
                let (least, most) = (clients / groups, clients.div_ceil(groups));
                let known = if least == most { least.to_string() } else { format!("{least} or {most}") };
                format!("{edge}: a replica is known to {known} of {clients} clients")
            }
            Subset::Deterministic(_) => format!(
                "{edge}: a replica is known to {mean:.1} of {clients} clients on average: {size} does not divide {all}, so {} are left \
                 over in each round",
                all % size
            ),
            Subset::Shard(_) => format!(
                "{edge}: {groups} shards: who takes one down takes {:.3} % of all tenants with it",
                100.0 / f64::from(groups)
            ),
            Subset::ShuffleShard(_) => format!(
                "{edge}: {:.0} shards: who takes one down takes {:.3} % of all tenants with it, and {:.1} % share some of it",
                choose(all, size),
                100.0 * shard_overlap(all, size, size),
                100.0 * (1.0 - shard_overlap(all, size, 0) - shard_overlap(all, size, size)),
            ),
        }]
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "subset",
                word: "",
                what: "Lets a client know only some of the replicas, by chance or dealt out in rounds, or gives each tenant some of them \
                       for its own. Whoever balances chooses among those. A section `subsets` tells to how many clients each replica is known.",
                hurts: "Who knows few has few to go to when they fail, and sees the load of few: loads are the less even the fewer each knows. By \
                        chance some replicas are known to many clients and some to none. Of plain shards one tenant in `n/k` goes down with \
                        whoever takes its shard down.",
                formula: "by chance a replica is known to `N k/n` of `N` clients, give or take `sqrt(N k/n (1-k/n))`, and to nobody with \
                          `(1-k/n)^N`; in rounds to `N k/n`, give or take one, where `k` divides `n`",
                source: "Beyer et al., \"Site Reliability Engineering\", ch. 20 (deterministic subsetting); gRPC A68 `random_subsetting`; Finagle \
                         deterministic aperture",
                experiment: "shuffle-sharding",
            },
            Page {
                name: "shuffle_shard",
                word: "ShuffleShard",
                what: "Gives each tenant a few replicas of its own, by a hash of it, so that few other tenants have the same, and most that \
                       share some have others left.",
                hurts: "It helps only those who go elsewhere when a replica fails: without a retry to another one as many calls are lost as \
                        with plain shards. Each tenant has no more than its shard can do; and with a few tenants that do harm their shards \
                        are soon all there is.",
                formula: "of two tenants `j` of `k` replicas are in both with `C(k,j) C(n-k,k-j) / C(n,k)`: for 2 of 8 none with 15/28, one \
                          with 12/28, both with 1/28",
                source: "MacCarthaigh, \"Workload isolation using shuffle-sharding\", AWS Builders' Library; Amazon Route 53 (4 of 2,048)",
                experiment: "shuffle-sharding",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &["Random(2)", "Deterministic(1)", "Shard(2)", "ShuffleShard(2)", "ShuffleShard(1)"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carried::Says;
    use crate::policy::tests::read;

    #[test]
    fn what_is_told_before_anything_runs() {
        for (text, choices, clients, tenant, why, note) in [
            ("Random(2)", 0, 1, false, "", ""),
            (
                "Random(8)",
                8,
                1,
                false,
                "each client knows all 8 replicas over a->b: a subset of 8 leaves nobody out",
                "",
            ),
            ("Shard(2)", 1, 1, true, "each tenant has the only replica over a->b", ""),
            ("ShuffleShard(2)", 8, 1, false, "no request over a->b says whose it is: it may go to all 8", ""),
            (
                "ShuffleShard(2)",
                8,
                1,
                true,
                "",
                "28 shards: who takes one down takes 3.571 % of all tenants with it, and 42.9 % share some",
            ),
            ("Shard(2)", 8, 1, true, "", "4 shards: who takes one down takes 25.000 % of all tenants"),
            (
                "Random(30)",
                300,
                300,
                false,
                "",
                "known to 30.0 of 300 clients on average, give or take 5.2 (standard deviation), and 0.0 of 300",
            ),
            (
                "Random(1)",
                4,
                2,
                false,
                "",
                "known to 0.5 of 2 clients on average, give or take 0.6 (standard deviation), and 2.2 of 4 to nobody",
            ),
            ("Deterministic(3)", 12, 10, false, "", "known to 2 or 3 of 10 clients"),
            ("Deterministic(3)", 12, 8, false, "", "known to 2 of 8 clients"),
            (
                "Deterministic(5)",
                12,
                6,
                false,
                "",
                "known to 2.5 of 6 clients on average: 5 does not divide 12, so 2 are left over",
            ),
        ] {
            let subset = read::<Subset>(text).unwrap().0;
            let says = Says { tenant, key: false };
            let around = Around { choices, clients, says, ..Around::new("a->b", Vec::new()) };
            let told = subset.idles(&around).map_or(String::new(), |(why, _)| why);
            assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{text}: {told}");
            let notes = subset.notes(&around).concat();
            assert!(notes.contains(note) && notes.is_empty() == note.is_empty(), "{text}: {notes}");
        }
    }
}
