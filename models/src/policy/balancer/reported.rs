//! The replica with the fewest requests in hand, as it said some time ago.
//!
//! A client that counts its own attempts knows nothing of the others'. What the replicas themselves report (a load balancer's agent checks,
//! ORCA, a bulletin board) is the whole, and old: each client hears it every so often, in its own beat, and until it hears again
//! believes what it heard. The least of all is then the same replica for all that a client sends in the meantime, and the better the
//! clients agree the larger the herd: with reports older than a few services the least of all is far worse than a random one, and the better
//! of two random ones is worse, too, as soon as reports are old enough (Mitzenmacher, "How Useful Is Old Information?", 2000). A client
//! that adds what it has sent itself since (`counts_own`) spreads its own herd.
//!
//! Left out: reports take no time, and none is lost. One of a replica that is down does not come, and what it said last stands.

use super::power_of_d;
use super::ranking::Ranking;
use super::view::View;
use crate::policy::page::Page;
use sim_core::Words;

/// What one client has heard of all of them.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    ranking: Ranking,
    /// So many are drawn, and the least of these is chosen; of all if none.
    d: Option<u32>,
    counts_own: bool,
}

impl Reported {
    /// It has heard nothing yet: all are equal.
    pub(super) fn new(d: Option<u32>, counts_own: bool, replicas: u32) -> Self {
        Reported { ranking: Ranking::new(replicas), d, counts_own }
    }

    #[inline(never)]
    pub(super) fn pick(&mut self, view: &View, words: &mut impl Words) -> u32 {
        match self.d {
            None => self.ranking.least(view, words),
            Some(d) => power_of_d::least_of_drawn(view, self.ranking.all(), d, false, words),
        }
    }

    /// What it goes by, if it looks at all of them.
    pub(super) fn ranking(&self) -> Option<&Ranking> {
        self.d.is_none().then_some(&self.ranking)
    }

    pub(super) fn sent(&mut self, replica: u32) {
        if self.counts_own {
            self.ranking.sent(replica);
        }
    }

    /// Each says how many requests it has in hand; of one that says nothing what it said last stands.
    pub(super) fn hears(&mut self, in_hand: impl Iterator<Item = Option<u32>>) {
        self.ranking.hears(in_hand);
    }
}

pub(super) const PAGE: Page = Page {
    name: "least_reported",
    word: "LeastReported",
    what: "The replica with the fewest requests in hand, or of `d` drawn ones the one with the fewest, as all of them said last: each client \
           hears it `every` so often. `counts_own` adds what it has sent itself since.",
    hurts: "Until a client hears again it sends all it has to the one that was idle: reports older than a few services herd, and the more \
            exact they are the worse. Many clients that hear at different times are many small herds. A replica that is \
           down says nothing more: it is believed to have as little as it had, and draws calls.",
    formula: "a report of age `T` is good for about as many picks as the replica ends in `T`; at `T` of many services the least of all is worse \
              than a random one, whose queue at load rho is M/M/1's `rho / (1 - rho)`",
    source: "Mitzenmacher, \"How Useful Is Old Information?\", IEEE TPDS 2000; Dahlin, \"Interpreting Stale Load Information\", 2000; ORCA in \
             Envoy and gRPC (load reports)",
    experiment: "stale-views",
};
