//! Where requests wait: what a file says of it, and below, one file each, who is next ([`discipline`]).

mod adaptive_lifo;
mod by_priority;
pub mod discipline;
mod earliest_deadline;
mod fair;
mod fifo;
mod lifo;
pub mod offer;
mod ordered;

use crate::experiment::{Decode, Decoder, Node, TypeDoc};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};

/// Places in a queue unless the file says otherwise (Envoy's `max_pending_requests`).
pub const DEFAULT_QUEUE_CAPACITY: u32 = 1024;

spec! {
    /// Where requests wait. Each replica has its own, unless it is shared.
    pub enum Queue {
        /// First in, first out.
        Fifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
        /// Last in, first out.
        Lifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
        /// One first-in-first-out queue for all replicas: whoever is free takes the next.
        SharedFifo {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
        },
        /// First in, first out as long as few wait; last in, first out as long as there are more.
        AdaptiveLifo {
            /// The last to come is next as long as more than so many wait.
            threshold: u32; 0..=100_000_000,
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
            /// One queue for all replicas: whoever is free takes the next.
            shared: bool = false,
        },
        /// What matters most is next, and what matters equally is served as it came; nobody is interrupted.
        Priority {
            /// Places; in a full queue the last to come of what matters least gives its place up for what matters more, and any other
            /// that comes is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
            /// One queue for all replicas: whoever is free takes the next.
            shared: bool = false,
        },
        /// Tenants are served in turn, one request each, and of each what came first.
        Fair {
            /// Places; in a full queue the last to come of the tenant that has most in it gives its place up for one that has less, and any
            /// other that comes is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
            /// One queue for all replicas: whoever is free takes the next.
            shared: bool = false,
        },
        /// Whoever is waited for least long is next: by the timeout or deadline of its caller, whichever is earlier.
        EarliestDeadline {
            /// Places; a request that finds none is rejected. `Unbounded` must be written out.
            capacity: Capacity = Capacity::Bounded(DEFAULT_QUEUE_CAPACITY),
            /// Whether a request whose caller has given up is skipped when its turn comes.
            drop_expired: bool = false,
            /// One queue for all replicas: whoever is free takes the next.
            shared: bool = false,
        },
    }
}

/// What every queue has, whatever its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// Places.
    pub capacity: Capacity,
    /// Whether a request whose caller has given up is skipped when its turn comes.
    pub drop_expired: bool,
    /// One queue for all replicas: whoever is free takes the next.
    pub shared: bool,
    /// It looks at until when requests are waited for.
    pub looks_ahead: bool,
}

impl Queue {
    /// What it has in common with every other.
    pub fn common(&self) -> Common {
        let (capacity, drop_expired, shared) = match *self {
            Queue::Fifo { capacity, drop_expired } | Queue::Lifo { capacity, drop_expired } => {
                (capacity, drop_expired, false)
            }
            Queue::SharedFifo { capacity, drop_expired } => (capacity, drop_expired, true),
            Queue::AdaptiveLifo { capacity, drop_expired, shared, .. }
            | Queue::Priority { capacity, drop_expired, shared }
            | Queue::Fair { capacity, drop_expired, shared }
            | Queue::EarliestDeadline { capacity, drop_expired, shared } => (capacity, drop_expired, shared),
        };
        Common { capacity, drop_expired, shared, looks_ahead: matches!(self, Queue::EarliestDeadline { .. }) }
    }
}

impl Part for Queue {
    fn does(&self) -> Does {
        let order = match self {
            Queue::Fifo { .. } | Queue::SharedFifo { .. } => Does::NOTHING,
            Queue::Lifo { .. } | Queue::AdaptiveLifo { .. } | Queue::EarliestDeadline { .. } => {
                Does::REORDERS
            }
            // Who waits in a full one may have to give its place up.
            Queue::Priority { capacity, .. } | Queue::Fair { capacity, .. } => match capacity {
                Capacity::Bounded(_) => Does::REORDERS.and(Does::SHEDS),
                Capacity::Unbounded => Does::REORDERS,
            },
        };
        if self.common().drop_expired { order.and(Does::EXPIRES) } else { order }
    }

    fn brief(&self) -> Option<String> {
        let kind = match self {
            Queue::Fifo { .. } => "queue",
            Queue::Lifo { .. } => "last-in-first-out queue",
            Queue::SharedFifo { .. } => "shared queue",
            Queue::AdaptiveLifo { .. } => "adaptive last-in-first-out queue",
            Queue::EarliestDeadline { .. } => "earliest-deadline-first queue",
            Queue::Priority { .. } => "priority queue",
            Queue::Fair { .. } => "fair queue",
        };
        Some(match self.common().capacity {
            Capacity::Bounded(0) => "no queue".into(),
            Capacity::Bounded(places) => format!("{kind} of {places}"),
            Capacity::Unbounded => format!("{kind}, unbounded"),
        })
    }

    /// An order by something that all have in common is that in which they came.
    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let (name, callers) = (around.name, around.callers.as_ref()?);
        let (is_one, why, help) = match self {
            Queue::Fair { .. } => (
                !callers.tenants,
                format!(
                    "nobody says whose the requests to `{name}` are: its fair queue serves them as they came"
                ),
                "say it where they come from, as in `tenants: Even(10)`, or leave the order to `Fifo`",
            ),
            Queue::Priority { .. } => (
                callers.priorities.iter().filter(|there| **there).count() == 1,
                format!(
                    "all requests to `{name}` matter equally: its priority queue serves them as they came"
                ),
                "say how much where they come from, as in `priority: Sheddable`, or leave the order to `Fifo`",
            ),
            Queue::EarliestDeadline { .. } => (
                callers.all_alike,
                format!(
                    "all callers of `{name}` wait equally long: who is waited for least long is who came first"
                ),
                "callers that wait for different times, or `Fifo`",
            ),
            _ => return None,
        };
        is_one.then(|| (why, help.into()))
    }

    fn about() -> &'static [Page] {
        &[
            Page {
                name: "queue",
                word: "",
                what: "Where requests wait when all workers are busy: first in first out, last in first out, or one \
                   line for all replicas. It is bounded, and who finds no place is rejected.",
                hurts: "A queue that takes longer to empty than its callers wait makes every answer late: all work \
                   is for nobody. Skipping the expired helps only where there is little overload: the head of \
                   the line is always about to expire.",
                formula: "a full queue of `K` places at a rate `mu` is a wait of `K / mu`; M/M/1/K rejects `(1 - rho) \
                   rho^K / (1 - rho^(K+1))`",
                source: "Erlang; Kleinrock, Queueing Systems, 1975; Envoy max_pending_requests (1024); Maurer, \"Fail \
                   at Scale\", ACM Queue 2015",
                experiment: "metastable-280",
            },
            Page {
                name: "lifo",
                word: "Lifo",
                what: "Serves the newest first: who came last still waits for the answer.",
                hurts: "Whoever is overtaken may wait without end: the mean wait is that of first in first out, its \
                   spread is far larger.",
                formula: "`E[W]` as first in first out, `E[W^2]` that divided by `1 - rho` (M/M/1)",
                source: "Maurer, \"Fail at Scale\", ACM Queue 2015 (adaptive LIFO); Kleinrock 1975",
                experiment: "metastable-280",
            },
            Page {
                name: "adaptive_lifo",
                word: "AdaptiveLifo",
                what: "Serves in the order of arrival as long as few wait, and the newest first as long as more do: \
                       fair when there is time, and in time when there is none.",
                hurts: "Those who came before the rush wait until it is over, or give up: without something that turns them \
                        away (`shed`) or skips them (`drop_expired`) they fill the places, and are worked on \
                        for nobody when it ends.",
                formula: "`E[W]` as first in first out: no order that does not look at the work moves it",
                source: "Maurer, \"Fail at Scale\", ACM Queue 2015; HHVM Server.ThreadJobLIFOSwitchThreshold (JobQueue)",
                experiment: "codel-or-lifo",
            },
            Page {
                name: "priority_queue",
                word: "Priority",
                what: "Serves what matters most first, by the `priority` that requests carry, and what matters equally as it came. Whoever is at work \
                       is not interrupted. In a full queue the last to come of what matters least gives its place up.",
                hurts: "What matters less waits for all of the rest: under overload it gets what is left over, which may be nothing for as long \
                        as that lasts, and whoever tries it again makes it worse. If everything matters most nothing does.",
                formula: "one worker, Poisson: class `k` waits `W0 / ((1 - s_(k-1)) (1 - s_k))`, `s_k` being the utilisation by classes 1 to `k`, and \
                          `W0 = lambda E[S^2] / 2`",
                source: "Cobham, \"Priority assignment in waiting line problems\", 1954; Beyer et al., Site Reliability Engineering, chapter 21",
                experiment: "priority-shedding",
            },
            Page {
                name: "fair",
                word: "Fair",
                what: "Serves tenants in turn, one request each, by the `tenants` that requests carry: whoever asks for much waits for himself. In a \
                       full queue the last to come of the tenant that has most in it gives its place up.",
                hurts: "It shares out requests, not work: a tenant whose requests take ten times as long has ten times as much. A flood that \
                        comes as a thousand tenants has a thousand shares.",
                formula: "max-min: whoever asks for less than the share `f` gets it all, the others `f` each, and all of it is the capacity",
                source: "Nagle, RFC 970, 1985; McKenney 1990 and Linux sch_sfq (whose last is dropped); Shreedhar and Varghese 1995; Kubernetes API \
                         Priority and Fairness",
                experiment: "noisy-neighbour",
            },
            Page {
                name: "deadline_queue",
                word: "EarliestDeadline",
                what: "Serves whoever is waited for least long: by the timeout or the deadline of its caller, which the \
                       request brings along.",
                hurts: "Under overload it is the worst order: whoever is next is about to be too late, and its work is done in \
                        vain, one after another. If all wait equally long it is first in first out.",
                formula: "if any order has all in time this one has (one worker, all known beforehand); `E[W]` as first in first \
                          out",
                source: "Liu and Layland 1973; Jackson 1955; gRPC's `grpc-timeout` header tells a service how long it is \
                         waited for",
                experiment: "codel-or-lifo",
            },
        ]
    }

    fn samples() -> &'static [&'static str] {
        &[
            "Fifo(capacity: 50)",
            "Fifo(capacity: 0)",
            "Fifo(capacity: Unbounded, drop_expired: true)",
            "Lifo(capacity: 5)",
            "Lifo(capacity: Unbounded, drop_expired: true)",
            "SharedFifo(capacity: 1)",
            "SharedFifo(capacity: 50, drop_expired: true)",
            "AdaptiveLifo(threshold: 3, capacity: 50)",
            "AdaptiveLifo(threshold: 0, capacity: Unbounded, drop_expired: true, shared: true)",
            "Priority(capacity: 50)",
            "Priority(capacity: Unbounded, drop_expired: true, shared: true)",
            "Fair(capacity: 50)",
            "Fair(capacity: 5, drop_expired: true, shared: true)",
            "EarliestDeadline(capacity: 50)",
            "EarliestDeadline(capacity: 5, drop_expired: true, shared: true)",
        ]
    }
}

/// Places in a queue: a number, or the word `Unbounded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// So many.
    Bounded(u32),
    /// As many as come.
    Unbounded,
}

impl Decode for Capacity {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        if node.name() == Some("Unbounded") {
            return cx.bare(node).map(|()| Capacity::Unbounded);
        }
        if !node.is_number() {
            return cx.expected(node, "a number of places, or the word Unbounded");
        }
        cx.checked(node, Some(&(0..=100_000_000))).map(Capacity::Bounded)
    }

    fn encode(&self) -> Node {
        match self {
            Capacity::Bounded(places) => places.encode(),
            Capacity::Unbounded => Node::word("Unbounded"),
        }
    }

    fn describe() -> TypeDoc {
        TypeDoc::text("number of places or Unbounded", "100")
    }
}
