//! What a person should know of each effect, and of whom it strikes.

use crate::policy::page::Page;

/// Of effects.
pub const EFFECTS: &[Page] = &[
    Page {
        name: "effect",
        word: "",
        what: "What goes wrong, for replicas: Slow, Crash, Errors, BlackHole, Drain; or in the network: Drop, Delay, Hold, Duplicate, \
               Reorder, Bandwidth. Several at a time add up: slowness multiplies, shares are those of independent causes, delays are sums, \
               of two limits the smaller counts.",
        hurts: "A fault strikes whom it names and nobody else; what goes wrong together in life, since it is on one rack or behind one switch, must be written \
                as several that begin at the same time.",
        formula: "two that lose shares `p` and `q` lose `1 - (1-p)(1-q)`",
        source: "Jepsen (nemeses); Linux tc-netem; Alvaro and Tymon, \"Abstracting the Geniuses Away from Failure Testing\", ACM Queue 2017",
        experiment: "retry-storm",
    },
    Page {
        name: "drop",
        word: "Drop",
        what: "Loses a share of the messages. With probability 1 it is a partition, and with `way: Replies` one of which the callee knows nothing: all is done \
               and nobody hears of it.",
        hurts: "A caller without a timeout waits for ever for what was lost, and keeps what it waits with: a worker, a connection. One that tries again does \
                what only the answer was lost of a second time.",
        formula: "an attempt fails with `1 - (1-p)^2` where both ways lose `p`, a call of `k` attempts with the `k`th power of that; of calls that are tried \
                  again until one answer comes `p/(1-p)` are done too often",
        source: "Peter Deutsch, \"The Eight Fallacies of Distributed Computing\", 1994 (the first); Bailis and Kingsbury, \"The Network is Reliable\", ACM Queue \
                 2014; Linux tc-netem (loss)",
        experiment: "network-is-reliable",
    },
    Page {
        name: "duplicate",
        word: "Duplicate",
        what: "Lets a share of the messages come twice. Each of the two has latency and luck of its own. A request that comes twice is worked on twice, with all \
               that is called for it; its caller counts one attempt, and takes the answer to the one that comes first.",
        hurts: "Whoever never tries anything again is not safe from doing it twice: only who is asked can tell, by a key.",
        formula: "a share `p` that comes twice is a share `p` of load more, at each hop: `(1+p)^n` behind `n` of them",
        source: "RFC 9293 (why TCP numbers what it sends); Amazon SQS standard queues and Kafka before 0.11 (at least once); Linux tc-netem (duplicate)",
        experiment: "duplicated-and-reordered",
    },
    Page {
        name: "reorder",
        word: "Reorder",
        what: "Lets a share of the messages take so much longer, so that what is sent after them comes before them. A section `network` tells how many were \
               overtaken (RFC 4737), by this or by a latency that varies.",
        hurts: "What is overtaken for longer than its caller waits is tried again, and is then done twice, the old one last.",
        formula: "of messages that come every `t` one that takes `d` longer is overtaken by `d/t`",
        source: "RFC 4737; Linux tc-netem (reorder); Bennett, Partridge and Shectman, \"Packet Reordering is Not Pathological Network Behavior\", 1999",
        experiment: "duplicated-and-reordered",
    },
    Page {
        name: "bandwidth",
        word: "Bandwidth",
        what: "Lets a link carry only so much, one message after another, each way for itself: a message takes what it weighs (a workload's `size`) over that, and \
               waits until those before it have gone through. An answer weighs what its request does.",
        hurts: "No server is busy and nothing is refused: a full link shows only in how long everything takes. What callers give up goes through all \
                the same, and so does each retry.",
        formula: "M/D/1 with messages of one size: mean wait `s rho / (2 (1 - rho))`, `rho` = bytes per second over the limit, `s` = size over the limit; else M/G/1",
        source: "Pollaczek 1930, Khinchine 1932; Gettys and Nichols, \"Bufferbloat: Dark Buffers in the Internet\", ACM Queue 2011",
        experiment: "bandwidth-is-infinite",
    },
];

/// Of the way between zones.
pub const BETWEEN: &[Page] = &[Page {
    name: "partition",
    word: "",
    what: "Strikes what goes from one zone to another, over whichever edge: `zone a -> zone b`, or both ways, `zone a <-> zone b`. With Drop it is a \
           partition between the two, a partial one if there is a third, which sees both.",
    hurts: "Nobody is down, and whoever checks from beside a replica, or from a third zone, finds all of them well: callers go on choosing those whom they cannot \
            reach.",
    formula: "with callers and replicas spread over `z` zones a cut between two of them costs `2/z^2` of the calls, one way or both",
    source: "Alfatafta et al., \"Toward a Generic Fault Tolerance Technique for Partial Network Partitioning\", OSDI 2020; Alquraan et al., \"An Analysis of \
             Network-Partitioning Failures in Cloud Systems\", OSDI 2018",
    experiment: "zone-partition",
}];

/// Of which way messages go.
pub const WAY: &[Page] = &[Page {
    name: "way",
    word: "",
    what: "Which way the messages go that a fault of the network strikes: Requests, and what else callers send; Replies; or Both.",
    hurts: "A partition one way looks like one both ways to the caller, and is another: behind lost requests nothing is done, behind lost answers everything, as \
            often as it is tried.",
    formula: "loss `p` of answers alone: a call of `k` attempts is done `1 + p + .. + p^(k-1)` times on average",
    source: "Alfatafta et al., \"Toward a Generic Fault Tolerance Technique for Partial Network Partitioning\" (simplex partitions), OSDI 2020",
    experiment: "network-is-reliable",
}];

/// Of whose messages they are.
pub const CLIENTS: &[Page] = &[Page {
    name: "clients",
    word: "",
    what: "Whose messages a fault of the network strikes, of the client instances of an edge: some see a fault that others do not.",
    hurts: "What is healthy to most, and to whoever checks it, is down for some of its callers: nothing is taken out of their choice, and the mean looks well.",
    formula: "of `n` clients that call equally often `k` that are cut off are `k/n` of the calls",
    source: "Huang et al., \"Gray Failure: The Achilles' Heel of Cloud-Scale Systems\", HotOS 2017 (differential observability)",
    experiment: "network-is-reliable",
}];

/// Of which requests are struck.
pub const REQUESTS: &[Page] = &[Page {
    name: "requests",
    word: "",
    what: "Which requests of a replica a fault strikes, of Slow, Errors and BlackHole: those of some workloads, only reads or only writes, those of some tenants, those \
           about some keys, the same ones each time. One table, one tenant, one shard is broken, and all else goes well.",
    hurts: "Health checks and probes are none of them: they pass, no replica is better than another, and a mean of all shows little. Whoever is struck is struck each \
            time, so that a retry costs load and helps nobody.",
    formula: "of all calls the share fails that is struck: `k/n` of tenants that call alike; of keys by Zipf's law that of the requests about them, which is not \
              their share of the keys; no attempt more changes it",
    source: "Huang et al., \"Gray Failure: The Achilles' Heel of Cloud-Scale Systems\", HotOS 2017 (differential observability); Alvaro et al., \"Automating Failure \
             Testing Research at Internet Scale\", SoCC 2016 (faults scoped to some requests)",
    experiment: "locked-table",
}];

/// Of who repairs it.
pub const REPAIR: &[Page] = &[Page {
    name: "repair",
    word: "",
    what: "Lets a fault last until somebody has repaired it, who needs services for that: it takes so long, and goes on only while all of them answer. Each is \
           asked `every` so often, by a call over an edge of its own, `backbone->access/repair`. A section `repair` tells how long it took, and for how long \
           it stood still.",
    hurts: "Where what is needed for the repair needs what is broken, the outage does not end by itself, however short the repair is: nobody gets in.",
    formula: "over `takes` after the first good answer if all answer from then on; each time that one does not costs as long as that, and up to `every + timeout` more",
    source: "Meta, \"More details about the October 4 outage\", 2021; Google SRE, \"Building Secure and Reliable Systems\", ch. 9 (emergency access); AWS \
             Builders' Library, \"Minimizing correlated failures in distributed systems\"",
    experiment: "circular-recovery",
}];

/// Of what fails at random.
pub const RANDOM: &[Page] = &[Page {
    name: "random_failures",
    word: "",
    what: "Each replica of a service, or each edge, fails by itself again and again: `every` is its time to failure, `for` its time to repair, both drawn. A \
           section `failures` tells for which share of the time one, any, all, or more than can be done without were down, beside what is exact.",
    hurts: "Many that hardly ever fail fail often: whatever needs all of them is down for as long as any. And what is said of independent ones holds for \
            nothing that shares a rack, a switch or a release.",
    formula: "down for `p = MTTR / (MTTF + MTTR)` whatever the distributions; at least one of `n` for `1 - (1-p)^n`; at least `k` up as the binomial says",
    source: "Barlow and Proschan, Mathematical Theory of Reliability, 1965 (alternating renewal); Trivedi, Probability and Statistics with Reliability, \
             Queuing and Computer Science Applications, 2002",
    experiment: "hundred-servers",
}];

/// Of what a state sets off.
pub const TRIGGERS: &[Page] = &[Page {
    name: "triggers",
    word: "",
    what: "Lets something go wrong when the system is in some state: so many wait or are in hand, workers are so busy, so many calls fail, so few replicas are \
           up or believed well, of a service or in a zone; a service takes so long, more fails on one way to it than on another, or so many sessions are not completed. Somebody looks `every` so often, and a state that holds for as long as it `lasts` sets it off; then nobody looks until it has gone and `cool_down` \
           is over.",
    hurts: "What is set off by trouble and makes it worse keeps itself going: a watchdog that restarts whoever is slow takes capacity from the others, who are slow \
            next.",
    formula: "it begins between `lasts` and `lasts + every` after the state does, and again `for + cool_down + lasts` later at the earliest",
    source: "Bronson et al., \"Metastable Failures in Distributed Systems\", HotOS 2021; Huang et al., \"Metastable Failures in the Wild\", OSDI 2022",
    experiment: "watchdog",
}];

/// Of failing together, by a number.
pub const CORRELATION: &[Page] = &[Page {
    name: "correlation",
    word: "",
    what: "Says how replicas fail together where the cause is not written down, in one of three senses: BetaFactor, the share of the downtime that is common to \
           all; Pearson, the correlation of being down, of any two; GaussianCopula, the same of normal numbers behind it.",
    hurts: "\"A correlation of 0.6\" is three claims that differ tenfold. Each replica is down for as long as before: it shows in nothing but how many are at once.",
    formula: "four that are each down 2 % of the time and 0.6 are all down 1.2e-2 (beta factor), 7.5e-3 (Pearson), 1.07e-3 (copula) of the time; independent ones 1.6e-7",
    source: "Fleming, A Reliability Model for Common Mode Failures, 1975; Li, On Default Correlation, 2000; Ford et al., Availability in Globally Distributed \
             Storage Systems, OSDI 2010",
    experiment: "shared-domain",
}];

/// Of failing together, by a cause.
pub const DOMAINS: &[Page] = &[Page {
    name: "domains",
    word: "",
    what: "What several share and what fails as one: a rack, a power feed, a switch, a name server, a deploy pipeline. It holds replicas of any services, and takes \
           all of them with it.",
    hurts: "A replica more in the same domain is down whenever the others are: it buys capacity, and no availability beyond that of the domain.",
    formula: "a service behind one domain is up for at most the domain's share of the time, however many replicas it has",
    source: "Amazon EC2 spread placement groups; Kubernetes topologySpreadConstraints; Ford et al., OSDI 2010 (37 % of failures are correlated)",
    experiment: "shared-domain",
}];
