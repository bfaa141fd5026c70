//! Raft: a leader that a majority has elected, and a log that is the same wherever a majority has it.
//!
//! After Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (USENIX ATC 2014), figure 2, and Ongaro's dissertation (2014):
//! section 5 for snapshots, 6.4 for reads, 9.6 for pre-vote. Names are theirs; indexes count from 1.
//!
//! **What holds** (figure 3): at most one leader a term; a leader never overwrites its log; logs that agree on one entry agree on all before it; what was
//! committed is in the log of every later leader; no two nodes do different operations at one index.
//!
//! **Left out.** Members that change, leadership that is handed over. A snapshot is sent whole.

use crate::cluster::explore::Draws;
mod log;
#[cfg(test)]
mod tests;

use crate::cluster::protocol::{
    Answer, Invariant, Node, Op, Outbox, Promises, Protocol, Request, Stand, View,
};
use crate::cluster::{ClusterSpec, Local, MOST_NODES};
use crate::experiment::{Decoder, Node as Text, POSITIVE};
use crate::theory::{split_vote, time_to_elect};
use crate::words::percent;
use log::{Log, State};
use sim_core::SimDuration;
use std::collections::VecDeque;
use std::rc::Rc;

spec! {
    /// How nodes elect a leader, and how it is heard.
    pub struct Raft where check {
        /// How often a leader says that it is there.
        heartbeat: SimDuration = SimDuration::from_millis(50); POSITIVE,
        /// After how long without a word of a leader a node stands for election, at least.
        election: SimDuration = SimDuration::from_millis(150); POSITIVE,
        /// And at most: each time between the two.
        election_most: SimDuration = SimDuration::from_millis(300); POSITIVE,
        /// Whether a leader says so only when what it has written is on its disk, as it does with all else; or at once, and a slow disk makes no election.
        heartbeats_wait: bool = true,
        /// Whether a node asks whether it would be elected before it stands, so that one which was cut off disturbs nobody when it is back.
        pre_vote: bool = false,
        /// Whether a leader that has not heard of a majority for an election time steps down.
        check_quorum: bool = false,
        /// How reads are answered.
        reads: Reads = Reads::Log,
        /// How many entries go with one message, at most.
        batch: u32 = 64; 1..=10_000,
        /// After how many entries a node takes what they came to into a snapshot, and forgets them; never unless said. Who lacks what is forgotten is
        /// sent the snapshot.
        snapshot_every: Option<u32> = None; 1..=1_000_000_000,
        /// A mistake in the protocol, to see that it is found.
        bug: Option<Bug> = None,
    }
}

spec! {
    /// How reads are answered.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Reads {
        /// Like writes: each is an entry of the log.
        Log,
        /// By the leader, when a majority has said after the question that it still leads (ReadIndex).
        Index,
        /// By a leader that a majority has heard less than an election time ago, by its own clock: right while clocks go alike.
        Lease,
        /// By whoever is asked, of what it has: old where it is behind.
        Anybody,
    }
}

spec! {
    /// Mistakes.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Bug {
        /// A vote is given before it is on the disk, and never put there.
        VoteNotStored,
        /// An entry of an older term counts as committed when a majority has it (figure 8 of the paper).
        CommitsOlderTerms,
        /// A leader answers reads without asking whether it still leads.
        ReadsWithoutQuorum,
    }
}

fn check(raft: &Raft, at: &Text, cx: &mut Decoder) {
    if raft.election_most < raft.election {
        let message = format!("at most {}, and at least {}", raft.election_most, raft.election);
        cx.error(at.span_of("election_most"), message)
            .help("`election` is the least, `election_most` the most");
    }
    if raft.heartbeat >= raft.election {
        let message = format!("a leader is heard every {}, and not after {}", raft.heartbeat, raft.election);
        cx.warn(at.span_of("heartbeat"), message)
            .help("a third of `election` or less: else every message that is late elects somebody");
    }
}

/// So many seconds.
fn brief(seconds: f64) -> String {
    SimDuration::drawn(seconds * 1e9).brief()
}

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In which term a leader took it.
    pub term: u64,
    /// What is to be done; nothing at the beginning of a term.
    pub request: Option<Request>,
}

/// What nodes say to one another.
#[derive(Clone, Debug)]
pub enum Message {
    /// A candidate asks for a vote; or whether it would get one.
    RequestVote { term: u64, last_index: u64, last_term: u64, would: bool },
    /// And gets it, or not.
    Vote { term: u64, granted: bool, would: bool },
    /// A leader has entries, or is only there.
    Append { term: u64, prev_index: u64, prev_term: u64, entries: Vec<Entry>, commit: u64, tag: Tag },
    /// Who lacks what a leader has forgotten takes what it came to.
    Install { term: u64, index: u64, last_term: u64, state: Rc<State>, tag: Tag },
    /// They are in the log, up to an index; or the log is otherwise, and where it may be alike.
    Appended { term: u64, success: bool, index: u64, tag: Tag },
}

/// What a leader knows its messages by when they are answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tag {
    /// In which round it asked whether it still leads.
    round: u64,
    /// Which message to this node it was.
    sent: u64,
}

/// What goes on the disk.
#[derive(Clone, Debug)]
pub enum Write {
    /// The term, and who was voted for in it.
    Term(u64, Option<Node>),
    /// An entry at the end of the log.
    Append(Entry),
    /// The log ends after so many.
    Truncate(u64),
    /// What all up to an index, of that term, came to.
    Snapshot(u64, u64, Rc<State>),
}

/// What is on the disk.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    term: u64,
    voted_for: Option<Node>,
    log: Log,
    state: Rc<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Follower,
    /// Asks whether it would be elected.
    Wondering,
    Candidate,
    Leader,
}

/// A read that waits until a majority has heard of its leader after it.
#[derive(Clone, Copy, Debug)]
struct Read {
    request: Request,
    round: u64,
    index: u64,
}

/// A node of Raft.
#[derive(Clone, Debug)]
pub struct Server {
    spec: Raft,
    me: Node,
    of: u32,
    // Persistent (figure 2).
    term: u64,
    voted_for: Option<Node>,
    log: Log,
    /// What the log up to its base came to.
    snapshot: Rc<State>,
    // Volatile.
    role: Role,
    leads: Option<Node>,
    commit: u64,
    /// In which term it took something for committed last.
    commit_term: u64,
    applied: u64,
    state: State,
    /// When it last heard of a leader.
    heard: Local,
    // Of a candidate and a leader.
    votes: Vec<bool>,
    next: Vec<u64>,
    /// How many messages it has sent to each.
    sent: Vec<u64>,
    /// Which of them must be answered, or a later one, before the next is sent. Heartbeats go besides.
    awaited: Vec<u64>,
    /// To whom it sends one message at a time, since its log differed: until it has found where it is alike, what comes after is of no use.
    probes: Vec<bool>,
    matches: Vec<u64>,
    /// Of each node the last round it has answered, and when that was sent.
    acked: Vec<u64>,
    acked_at: Vec<Local>,
    round: u64,
    rounds: VecDeque<(u64, Local)>,
    waiting: VecDeque<(u64, Op)>,
    reads: VecDeque<Read>,
}

const ELECTION: usize = 0;
const HEARTBEAT: usize = 1;

impl Server {
    fn majority(&self) -> usize {
        self.of as usize / 2 + 1
    }

    /// The most that a majority has at least.
    fn by_majority<T: Copy + Ord + Default>(&self, all: &[T]) -> T {
        let mut sorted = [T::default(); MOST_NODES];
        let sorted = &mut sorted[..all.len()];
        sorted.copy_from_slice(all);
        sorted.sort_unstable();
        sorted[all.len() - self.majority()]
    }

    fn others(&self) -> impl Iterator<Item = Node> + use<> {
        let me = self.me;
        (0..self.of).filter(move |node| *node != me)
    }

    fn waits_for_a_leader(&self, out: &mut Outbox<Self>) {
        let after = out.between(self.spec.election, self.spec.election_most);
        out.set(ELECTION, after);
    }

    /// Another term: nothing of the one before counts.
    fn turns(&mut self, term: u64, voted_for: Option<Node>, out: &mut Outbox<Self>) {
        (self.term, self.voted_for) = (term, voted_for);
        if let Some(whom) = voted_for {
            out.votes_for(term, whom);
        }
        if self.spec.bug == Some(Bug::VoteNotStored) {
            // The term alone is put down.
            out.write(Write::Term(term, None));
        } else {
            out.write(Write::Term(term, voted_for));
        }
    }

    fn follows(&mut self, out: &mut Outbox<Self>) {
        if self.role == Role::Leader {
            out.stop(HEARTBEAT);
            self.waits_for_a_leader(out);
            let ops = self.waiting.drain(..).map(|(_, op)| op);
            let reads = self.reads.drain(..).map(|read| read.request.op);
            ops.chain(reads).for_each(|op| out.answer(op, Answer::Elsewhere(None)));
        }
        self.role = Role::Follower;
    }

    /// A leader of this term has been heard of.
    fn hears_leader(&mut self, leader: Node, out: &mut Outbox<Self>) {
        self.follows(out);
        self.leads = Some(leader);
        self.heard = out.now();
        self.waits_for_a_leader(out);
    }

    /// A message of a later term: whoever is not in it yet follows.
    fn sees_term(&mut self, term: u64, out: &mut Outbox<Self>) {
        if term > self.term {
            self.turns(term, None, out);
            self.leads = None;
            self.follows(out);
        }
    }

    fn stands(&mut self, would: bool, out: &mut Outbox<Self>) {
        self.leads = None;
        self.votes.iter_mut().for_each(|vote| *vote = false);
        self.votes[self.me as usize] = true;
        let term = self.term + 1;
        if would {
            self.role = Role::Wondering;
        } else {
            self.role = Role::Candidate;
            self.turns(term, Some(self.me), out);
        }
        let (last_index, last_term) = (self.log.last_index(), self.log.last_term());
        for node in self.others() {
            out.send(node, Message::RequestVote { term, last_index, last_term, would });
        }
        self.counts_votes(out);
    }

    fn counts_votes(&mut self, out: &mut Outbox<Self>) {
        if self.votes.iter().filter(|vote| **vote).count() < self.majority() {
            return;
        }
        match self.role {
            Role::Wondering => self.stands(false, out),
            Role::Candidate => self.leads_now(out),
            Role::Follower | Role::Leader => {}
        }
    }

    fn leads_now(&mut self, out: &mut Outbox<Self>) {
        self.role = Role::Leader;
        self.leads = Some(self.me);
        let last = self.log.last_index();
        self.next.iter_mut().for_each(|next| *next = last + 1);
        self.matches.iter_mut().for_each(|matches| *matches = 0);
        self.probes.iter_mut().for_each(|probes| *probes = false);
        let now = out.now();
        self.acked.iter_mut().for_each(|acked| *acked = 0);
        self.acked_at.iter_mut().for_each(|at| *at = now);
        self.rounds.clear();
        if last > self.commit {
            out.reached("a new leader has entries that are not committed");
        }
        // Nothing to be done, so that what is before it can be committed (section 5.4.2 and 8).
        self.appends(Entry { term: self.term, request: None }, out);
        out.stop(ELECTION);
        self.says_it_is_there(out);
    }

    fn appends(&mut self, entry: Entry, out: &mut Outbox<Self>) {
        self.log.entries.push(entry);
        out.write(Write::Append(entry));
        self.matches[self.me as usize] = self.log.last_index();
    }

    fn says_it_is_there(&mut self, out: &mut Outbox<Self>) {
        out.set(HEARTBEAT, self.spec.heartbeat);
        self.begins_round(out);
        for node in self.others() {
            if self.spec.heartbeats_wait {
                self.replicates(node, out);
            } else {
                self.is_there(node, out);
                self.sends_next(node, out);
            }
        }
        self.commits(out);
    }

    /// Says so at once, and nothing that is not on its disk: of the log only what that one has.
    fn is_there(&self, node: Node, out: &mut Outbox<Self>) {
        let prev_index = self.matches[node as usize].max(self.log.base);
        let (term, prev_term, commit) =
            (self.term, self.log.term_at(prev_index), self.commit.min(self.matches[node as usize]));
        let tag = Tag { round: self.round, sent: 0 };
        out.send_early(
            node,
            Message::Append { term, prev_index, prev_term, entries: Vec::new(), commit, tag },
        );
    }

    fn begins_round(&mut self, out: &mut Outbox<Self>) {
        self.round += 1;
        self.rounds.push_back((self.round, out.now()));
        if self.rounds.len() > 1_000 {
            self.rounds.pop_front();
        }
        (self.acked[self.me as usize], self.acked_at[self.me as usize]) = (self.round, out.now());
    }

    /// Sends the next of what one was not sent yet, unless it is to find out first where its log is alike.
    fn sends_next(&mut self, node: Node, out: &mut Outbox<Self>) {
        if !self.probes[node as usize] && self.next[node as usize] <= self.log.last_index() {
            self.replicates(node, out);
            self.awaited[node as usize] = self.sent[node as usize];
        }
    }

    fn replicates(&mut self, node: Node, out: &mut Outbox<Self>) {
        let prev_index = self.next[node as usize] - 1;
        self.sent[node as usize] += 1;
        let tag = Tag { round: self.round, sent: self.sent[node as usize] };
        let (term, commit) = (self.term, self.commit);
        if prev_index < self.log.base {
            let (index, last_term, state) = (self.log.base, self.log.base_term, Rc::clone(&self.snapshot));
            self.next[node as usize] = index + 1;
            out.reached("who was far behind is sent a snapshot");
            return out.send(node, Message::Install { term, index, last_term, state, tag });
        }
        let entries = self.log.after(prev_index, self.spec.batch);
        // It is taken to come: an answer says if not.
        self.next[node as usize] = prev_index + entries.len() as u64 + 1;
        let prev_term = self.log.term_at(prev_index);
        out.send(node, Message::Append { term, prev_index, prev_term, entries, commit, tag });
    }

    /// What a majority has is committed (rules for leaders).
    fn commits(&mut self, out: &mut Outbox<Self>) {
        let index = self.by_majority(&self.matches);
        let counts = self.log.term_at(index) == self.term || self.spec.bug == Some(Bug::CommitsOlderTerms);
        if index > self.commit && counts {
            (self.commit, self.commit_term) = (index, self.term);
            self.applies(out);
        }
        self.answers_reads(out);
    }

    fn applies(&mut self, out: &mut Outbox<Self>) {
        while self.applied < self.commit {
            self.applied += 1;
            let request =
                self.log.get(self.applied).expect("what is not in the snapshot is in the log").request;
            out.decides(self.applied, request.map_or(Op::MAX, |request| request.op));
            let Some(request) = request else { continue };
            if request.writes {
                if self.state.writes(request) {
                    out.does(self.state.done, request.op);
                } else {
                    out.reached("a write was in the log twice");
                }
            }
            if self.role == Role::Leader
                && self.waiting.front().is_some_and(|(index, _)| *index == self.applied)
            {
                self.waiting.pop_front();
                self.answers(request, out);
            }
        }
        if self.spec.snapshot_every.is_some_and(|every| self.applied - self.log.base >= u64::from(every)) {
            self.takes_snapshot(
                Rc::new(self.state.clone()),
                self.applied,
                self.log.term_at(self.applied),
                out,
            );
        }
    }

    fn takes_snapshot(&mut self, state: Rc<State>, index: u64, term: u64, out: &mut Outbox<Self>) {
        self.log.forget(index, term);
        self.snapshot = Rc::clone(&state);
        out.write(Write::Snapshot(index, term, state));
    }

    fn answers(&self, request: Request, out: &mut Outbox<Self>) {
        out.answer(request.op, Answer::Done { found: self.state.value(request.key), at: self.state.done });
    }

    /// A round that a majority has answered, and when it was sent.
    fn confirmed(&self) -> (u64, Local) {
        (self.by_majority(&self.acked), self.by_majority(&self.acked_at))
    }

    fn answers_reads(&mut self, out: &mut Outbox<Self>) {
        if self.reads.is_empty() {
            return;
        }
        let (round, _) = self.confirmed();
        while let Some(read) = self.reads.front().copied() {
            if read.round > round || read.index > self.applied {
                return;
            }
            self.reads.pop_front();
            self.answers(read.request, out);
        }
    }

    /// Whether a leader has what every leader before it had committed: an entry of its own term is.
    fn has_committed(&self) -> bool {
        self.log.term_at(self.commit) == self.term
    }

    fn reads(&mut self, request: Request, out: &mut Outbox<Self>) {
        let (_, at) = self.confirmed();
        let fresh = at.until(out.now()) < self.spec.election;
        if self.spec.reads == Reads::Lease && fresh && self.has_committed() && self.applied == self.commit {
            return self.answers(request, out);
        }
        // What is committed now must be done, and a majority must say that nobody else leads.
        let index = if self.has_committed() { self.commit } else { self.log.last_index() };
        self.begins_round(out);
        self.reads.push_back(Read { request, round: self.round, index });
        for node in self.others() {
            self.replicates(node, out);
        }
        self.answers_reads(out);
    }
}

impl Protocol for Server {
    type Spec = Raft;
    type Message = Message;
    type Write = Write;
    type Stored = Stored;
    const TIMERS: &'static [&'static str] = &["election", "heartbeat"];
    const MESSAGES: &'static [&'static str] = &[
        "would you vote",
        "request vote",
        "vote",
        "no vote",
        "heartbeat",
        "append",
        "appended",
        "log differs",
        "install snapshot",
    ];
    const MARKS: &'static [&'static str] = &[
        "a new leader has entries that are not committed",
        "a write was in the log twice",
        "who was far behind is sent a snapshot",
        "an election ends without a leader",
        "an entry was overwritten",
    ];

    fn comes_up(spec: &Raft, me: Node, of: u32, stored: &Stored) -> Self {
        let nodes = of as usize;
        Server {
            spec: spec.clone(),
            me,
            of,
            term: stored.term,
            voted_for: stored.voted_for,
            log: stored.log.clone(),
            snapshot: Rc::clone(&stored.state),
            role: Role::Follower,
            leads: None,
            commit: stored.log.base,
            commit_term: stored.log.base_term,
            applied: stored.log.base,
            state: State::clone(&stored.state),
            heard: Local::default(),
            votes: vec![false; nodes],
            next: vec![1; nodes],
            sent: vec![0; nodes],
            awaited: vec![0; nodes],
            probes: vec![false; nodes],
            matches: vec![0; nodes],
            acked: vec![0; nodes],
            acked_at: vec![Local::default(); nodes],
            round: 0,
            rounds: VecDeque::new(),
            waiting: VecDeque::new(),
            reads: VecDeque::new(),
        }
    }

    fn on_start(&mut self, out: &mut Outbox<Self>) {
        self.heard = out.now();
        self.waits_for_a_leader(out);
    }

    fn on_timer(&mut self, timer: usize, out: &mut Outbox<Self>) {
        match (timer, self.role) {
            (HEARTBEAT, Role::Leader) => {
                let (_, at) = self.confirmed();
                if self.spec.check_quorum && at.until(out.now()) > self.spec.election_most {
                    out.reached("a leader without a majority steps down");
                    self.leads = None;
                    return self.follows(out);
                }
                self.says_it_is_there(out);
            }
            (ELECTION, Role::Follower | Role::Wondering | Role::Candidate) => {
                if self.role == Role::Candidate {
                    out.reached("an election ends without a leader");
                }
                self.waits_for_a_leader(out);
                self.stands(self.spec.pre_vote, out);
            }
            _ => {}
        }
    }

    fn on_message(&mut self, from: Node, message: Message, out: &mut Outbox<Self>) {
        match message {
            Message::RequestVote { term, last_index, last_term, would } => {
                let is_as_new = (last_term, last_index) >= (self.log.last_term(), self.log.last_index());
                if would {
                    // Nobody would, who hears of a leader (9.6).
                    let quiet =
                        self.role != Role::Leader && self.heard.until(out.now()) >= self.spec.election;
                    let granted = term > self.term && is_as_new && quiet;
                    return out.send(
                        from,
                        Message::Vote { term: if granted { term } else { self.term }, granted, would },
                    );
                }
                self.sees_term(term, out);
                let granted =
                    term == self.term && is_as_new && self.voted_for.is_none_or(|node| node == from);
                if granted && self.voted_for.is_none() {
                    self.turns(term, Some(from), out);
                }
                if granted {
                    self.waits_for_a_leader(out);
                }
                out.send(from, Message::Vote { term: self.term, granted, would });
            }
            Message::Vote { term, granted, would } => {
                if would {
                    if granted && self.role == Role::Wondering && term == self.term + 1 {
                        self.votes[from as usize] = true;
                        self.counts_votes(out);
                    } else if !granted {
                        self.sees_term(term, out);
                    }
                    return;
                }
                self.sees_term(term, out);
                if granted && term == self.term && self.role == Role::Candidate {
                    self.votes[from as usize] = true;
                    self.counts_votes(out);
                }
            }
            Message::Append { term, prev_index, prev_term, entries, commit, tag } => {
                self.sees_term(term, out);
                if term < self.term {
                    return out
                        .send(from, Message::Appended { term: self.term, success: false, index: 0, tag });
                }
                self.hears_leader(from, out);
                let term = self.term;
                // What is in its snapshot is committed, and so alike.
                let alike = prev_index < self.log.base || self.log.term_at(prev_index) == prev_term;
                if prev_index > self.log.last_index() || !alike {
                    // Where it may be alike: before all entries of the term that differs.
                    let mut index = prev_index.min(self.log.last_index());
                    let other = self.log.term_at(index);
                    while index > self.commit && self.log.term_at(index) == other && index > 0 {
                        index -= 1;
                    }
                    return out.send(from, Message::Appended { term, success: false, index, tag });
                }
                let last = prev_index + entries.len() as u64;
                for (index, entry) in (prev_index + 1..).zip(entries) {
                    if index <= self.log.base {
                        continue;
                    }
                    if index <= self.log.last_index() {
                        if self.log.term_at(index) == entry.term {
                            continue;
                        }
                        self.log.truncate(index - 1);
                        out.write(Write::Truncate(index - 1));
                        out.reached("an entry was overwritten");
                    }
                    self.log.entries.push(entry);
                    out.write(Write::Append(entry));
                }
                if commit.min(last) > self.commit {
                    (self.commit, self.commit_term) = (commit.min(last), self.term);
                    self.applies(out);
                }
                out.send(from, Message::Appended { term, success: true, index: last, tag });
            }
            Message::Install { term, index, last_term, state, tag } => {
                self.sees_term(term, out);
                if term == self.term {
                    self.hears_leader(from, out);
                    if index > self.commit {
                        self.state = State::clone(&state);
                        (self.commit, self.applied) = (index, index);
                        self.takes_snapshot(state, index, last_term, out);
                    }
                }
                let success = term == self.term;
                out.send(from, Message::Appended { term: self.term, success, index, tag });
            }
            Message::Appended { term, success, index, tag } => {
                self.sees_term(term, out);
                if self.role != Role::Leader || term < self.term {
                    return;
                }
                let node = from as usize;
                if tag.round > self.acked[node] {
                    self.acked[node] = tag.round;
                    if let Ok(place) = self.rounds.binary_search_by_key(&tag.round, |(round, _)| *round) {
                        self.acked_at[node] = self.rounds[place].1;
                    }
                }
                if success {
                    self.matches[node] = self.matches[node].max(index);
                    self.next[node] = self.next[node].max(index + 1);
                    self.probes[node] = false;
                    self.commits(out);
                    // Who is behind is sent the next when it has the last: all at once would overtake one another, and be sent again.
                    if tag.sent >= self.awaited[node] {
                        self.sends_next(from, out);
                    }
                } else if !self.probes[node] || tag.sent >= self.awaited[node] {
                    // What was sent before is answered alike, and each answer would be one more message.
                    self.next[node] = (index + 1).max(self.matches[node] + 1);
                    self.probes[node] = true;
                    self.replicates(from, out);
                    self.awaited[node] = self.sent[node];
                }
            }
        }
    }

    fn on_request(&mut self, request: Request, out: &mut Outbox<Self>) {
        if !request.writes && self.spec.reads == Reads::Anybody {
            return self.answers(request, out);
        }
        if self.role != Role::Leader {
            return out.answer(request.op, Answer::Elsewhere(self.leads));
        }
        if !request.writes && self.spec.bug == Some(Bug::ReadsWithoutQuorum) {
            return self.answers(request, out);
        }
        if !request.writes && self.spec.reads != Reads::Log {
            return self.reads(request, out);
        }
        self.appends(Entry { term: self.term, request: Some(request) }, out);
        self.waiting.push_back((self.log.last_index(), request.op));
        for node in self.others() {
            self.sends_next(node, out);
        }
        self.commits(out);
    }

    fn store(stored: &mut Stored, write: &Write) {
        match write {
            Write::Term(term, voted_for) => (stored.term, stored.voted_for) = (*term, *voted_for),
            Write::Append(entry) => stored.log.entries.push(*entry),
            Write::Truncate(index) => stored.log.truncate(*index),
            Write::Snapshot(index, term, state) => {
                stored.log.forget(*index, *term);
                stored.state = Rc::clone(state);
            }
        }
    }

    fn stand(&self) -> Stand {
        let role = match self.role {
            Role::Follower => "follower",
            Role::Wondering | Role::Candidate => "candidate",
            Role::Leader => "leader",
        };
        Stand { role, leads: self.role == Role::Leader, term: self.term }
    }

    fn explains(spec: &Raft, cluster: &ClusterSpec) -> Vec<String> {
        let nodes = cluster.nodes;
        let latency = cluster.latency.mean().as_secs_f64();
        let range = (spec.election_most - spec.election).as_secs_f64();
        let mut notes =
            vec![format!("of {nodes} nodes {} may be down: the rest is a majority", (nodes - 1) / 2)];
        for live in (nodes / 2 + 1..nodes).rev() {
            if latency >= range {
                notes.push(format!(
                    "with {live} up and nobody who leads, timers differ by {}, less than the {} that a message takes: nearly all votes are split",
                    brief(range),
                    brief(latency)
                ));
                continue;
            }
            let split = split_vote(nodes, live, latency / range);
            let time = time_to_elect(nodes, live, spec.election.as_secs_f64(), range, latency);
            notes.push(format!(
                "with {live} up and nobody who leads, votes are split in {} of elections, and it takes about {} until one leads (Ongaro 2014, 9.3; up to 6 % less)",
                percent(split),
                brief(time)
            ));
        }
        notes
    }

    fn varies(spec: &mut Raft, latency: SimDuration, draws: &mut Draws) -> [SimDuration; 2] {
        // In half of them messages take so long that much happens while one is on its way.
        let least = latency.saturating_mul(4).max(SimDuration::from_millis(10));
        let most =
            if draws.one_in(2) { least.saturating_mul(2) } else { SimDuration::from_millis(600).max(least) };
        spec.election = draws.time(least, most);
        // Timers that differ by less than a message takes elect nobody, and that is no mistake of the protocol.
        let wide = draws.time(latency.saturating_mul(5), spec.election.max(latency.saturating_mul(6)));
        spec.election_most = spec.election + wide;
        spec.heartbeat = SimDuration::from_nanos(spec.election.as_nanos() / draws.between(2, 8));
        spec.batch = [1, 1, 4, 64][draws.below(4) as usize];
        spec.snapshot_every = draws.one_in(2).then(|| draws.between(3, 40) as u32);
        [spec.election, spec.election_most]
    }

    fn promises(spec: &Raft) -> Promises {
        Promises { linearisable: spec.reads != Reads::Anybody, ..Promises::CONSENSUS }
    }

    /// Elections that end without a leader are a matter of luck: of thirty one ends with one, where a message takes less than half of what timers differ by.
    fn comes_together_within(spec: &Raft, latency: SimDuration, sync: SimDuration) -> Option<SimDuration> {
        let round = spec.election_most + latency.saturating_mul(4) + sync.saturating_mul(4);
        Some(SimDuration::from_secs(3) + round.saturating_mul(30))
    }

    fn told(message: &Message) -> (usize, u64) {
        match message {
            Message::RequestVote { term, would: true, .. } => (0, *term),
            Message::RequestVote { term, .. } => (1, *term),
            Message::Vote { term, granted: true, .. } => (2, *term),
            Message::Vote { term, .. } => (3, *term),
            Message::Append { term, entries, .. } if entries.is_empty() => (4, *term),
            Message::Install { term, .. } => (8, *term),
            Message::Append { term, .. } => (5, *term),
            Message::Appended { term, success: true, .. } => (6, *term),
            Message::Appended { term, .. } => (7, *term),
        }
    }

    fn carries(message: &Message, op: Op) -> bool {
        let is = |entry: &Entry| entry.request.is_some_and(|request| request.op == op);
        matches!(message, Message::Append { entries, .. } if entries.iter().any(is))
    }

    fn invariants() -> &'static [Invariant<Self>] {
        &[("leader completeness", leader_completeness), ("log matching", log_matching)]
    }

    fn left(nodes: &[&Self]) -> Vec<Op> {
        // Whoever could be elected by all has everything that was committed.
        let best = nodes.iter().max_by_key(|node| (node.log.last_term(), node.log.last_index()));
        let Some(best) = best else { return Vec::new() };
        let log = best.log.entries.iter().filter_map(|entry| entry.request).filter(|request| request.writes);
        best.snapshot.ops().chain(log.map(|request| request.op)).collect()
    }
}

/// Whoever leads has everything that was committed in a term before.
fn leader_completeness(view: &View<Server>) -> Option<String> {
    let newest = view.nodes.iter().filter(|node| node.role == Role::Leader).max_by_key(|node| node.term)?;
    for node in &view.nodes {
        // What its own snapshot has was committed.
        let from = node.log.base.max(newest.log.base) + 1;
        for index in from..=node.commit {
            let entry = node.log.get(index)?;
            if entry.term < newest.term && newest.log.get(index) != Some(entry) {
                let (leader, other, term) = (newest.me, node.me, newest.term);
                let (last, then) = (node.log.term_at(node.commit), node.commit_term);
                let why = if last < then {
                    format!(
                        ", because in term {then} an entry of term {last} counted as committed, with none of term {then} after it"
                    )
                } else {
                    String::new()
                };
                return Some(format!(
                    "node {leader} leads in term {term} without entry {index}, which node {other} has committed{why}"
                ));
            }
        }
    }
    None
}

/// Logs that agree on an entry agree on the one before it, and so on all: looked at where logs grow, since what is further back was looked at then.
fn log_matching(view: &View<Server>) -> Option<String> {
    const TAIL: u64 = 64;
    for (number, one) in view.nodes.iter().enumerate() {
        for other in &view.nodes[..number] {
            let upto = one.log.last_index().min(other.log.last_index());
            let from = upto.saturating_sub(TAIL).max(one.log.base).max(other.log.base) + 2;
            for index in from..=upto {
                let same = |index| one.log.get(index) == other.log.get(index);
                if one.log.term_at(index) == other.log.term_at(index) && !same(index - 1) {
                    return Some(format!(
                        "nodes {} and {} agree on entry {index}, and not on {}",
                        other.me,
                        one.me,
                        index - 1
                    ));
                }
            }
        }
    }
    None
}
