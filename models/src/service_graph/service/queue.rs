//! Where requests wait: what a file says of it, and below, one file each, who is next ([`discipline`]).

pub mod discipline;
mod fifo;
mod lifo;
pub mod offer;

use crate::experiment::{Decode, Decoder, Node, TypeDoc};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};

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
}

impl Queue {
    /// What it has in common with every other.
    pub fn common(&self) -> Common {
        let shared = matches!(self, Queue::SharedFifo { .. });
        match *self {
            Queue::Fifo { capacity, drop_expired }
            | Queue::Lifo { capacity, drop_expired }
            | Queue::SharedFifo { capacity, drop_expired } => Common { capacity, drop_expired, shared },
        }
    }
}

impl Part for Queue {
    fn does(&self) -> Does {
        let order = match self {
            Queue::Fifo { .. } | Queue::SharedFifo { .. } => Does::NOTHING,
            Queue::Lifo { .. } => Does::REORDERS,
        };
        if self.common().drop_expired { order.and(Does::EXPIRES) } else { order }
    }

    fn brief(&self) -> Option<String> {
        let kind = match self {
            Queue::Fifo { .. } => "queue",
            Queue::Lifo { .. } => "last-in-first-out queue",
            Queue::SharedFifo { .. } => "shared queue",
        };
        Some(match self.common().capacity {
            Capacity::Bounded(0) => "no queue".into(),
            Capacity::Bounded(places) => format!("{kind} of {places}"),
            Capacity::Unbounded => format!("{kind}, unbounded"),
        })
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
