//! Raft by hand, one message after another.

use super::*;
use sim_core::{Key, Streams};

/// Three nodes, and what one of them says to whom, by hand.
struct Hands {
    servers: Vec<Server>,
    outboxes: Vec<Outbox<Server>>,
    stored: Vec<Stored>,
}

impl Hands {
    fn of(raft: &Raft) -> Self {
        let luck = |node| Streams::new(node).luck("protocol", "test");
        Hands {
            servers: (0..3).map(|me| Server::comes_up(raft, me, 3, &Stored::default())).collect(),
            outboxes: (0..3).map(|node| Outbox::new(luck(node), Key::root(node, 0))).collect(),
            stored: vec![Stored::default(); 3],
        }
    }

    /// A node stands for election until it is in this term, hears one other alone, and leads.
    fn elects(&mut self, node: usize, by: usize, term: u64) {
        while self.servers[node].term < term {
            self.servers[node].on_timer(ELECTION, &mut self.outboxes[node]);
            if self.servers[node].term < term {
                self.outboxes[node].said();
            }
        }
        self.passes(node, by);
        self.passes(by, node);
        assert_eq!(self.servers[node].role, Role::Leader, "{node} in term {term}");
    }

    /// All that one says to another is heard; what it says to the third is lost.
    fn passes(&mut self, from: usize, to: usize) {
        for (whom, message) in self.outboxes[from].said() {
            if whom as usize == to {
                self.servers[to].on_message(from as Node, message, &mut self.outboxes[to]);
            }
        }
    }

    fn crashes(&mut self, node: usize, raft: &Raft) {
        let writes = std::mem::take(self.outboxes[node].written());
        writes.iter().for_each(|write| Server::store(&mut self.stored[node], write));
        self.outboxes[node].said();
        self.servers[node] = Server::comes_up(raft, node as Node, 3, &self.stored[node]);
    }
}

/// Figure 8 with three nodes: an entry of an older term that a majority has is not safe, since who leads next may not have it. What counts it as
/// committed is found by the invariant.
#[test]
fn an_entry_of_an_older_term_is_not_committed_by_counting() {
    for (bug, broken) in [(None, false), (Some(Bug::CommitsOlderTerms), true)] {
        let Ok(mut raft) = spec("(batch: 1)") else { panic!("it is sound") };
        raft.bug = bug;
        let mut hands = Hands::of(&raft);
        // Node 0 leads, and nobody has its first entry but itself.
        hands.elects(0, 1, 1);
        hands.crashes(0, &raft);
        // So does node 1.
        hands.elects(1, 2, 2);
        hands.crashes(1, &raft);
        // Node 0 leads again, and node 2 gets its first entry; not the one of its new term.
        hands.elects(0, 2, 3);
        hands.passes(0, 2);
        hands.passes(2, 0);
        hands.passes(0, 2);
        hands.passes(2, 0);
        assert_eq!(hands.servers[2].log.last_index(), 1);
        assert_eq!(hands.servers[0].commit, u64::from(broken));
        // It is gone, and node 1 leads with what it had.
        hands.elects(1, 2, 4);
        let view = View { nodes: hands.servers.iter().collect() };
        let found = leader_completeness(&view);
        assert_eq!(found.is_some(), broken, "{found:?}");
        assert!(found.is_none_or(|how| how.contains("without entry 1")), "it says which");
    }
}

fn spec(text: &str) -> Result<Raft, ()> {
    use crate::experiment::{Decode, Diagnostics, parse_value};
    let node = parse_value(text, 0, 0, "test", &mut Diagnostics::new()).ok_or(())?;
    Raft::decode(&node, &mut Decoder::new()).ok_or(())
}
