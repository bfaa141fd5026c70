//! A second opinion on Raft: noraft, which others wrote after the same paper, on the same ground and under the same faults.
//!
//! noraft keeps terms and positions. What a client asked for is kept here, by its position in the log, and goes with the messages and to the disk.
//!
//! A leader of noraft answers each reply of a follower that is behind with all that it lacks, and each of these is replied to: as many messages go round as
//! ever began to, more with each proposal that overlaps them, and twice as many each round where the network delivers twice (ten million in a second).
//! Its documentation leaves it to who sends to drop what is under way already, and that is done here: nobody is sent the same entries twice between two
//! heartbeats.

use super::*;
use crate::cluster::explore::Draws;
use crate::cluster::protocol::{Answer, Invariant, Node, Op, Outbox, Promises, Request, Stand};
use crate::protocol::raft::Server;
use ::noraft::{Action, Log, LogEntries, LogEntry, LogIndex, LogPosition, NodeId, Role, Term};
use sim_core::stats::Sample;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Commands of a log, by their positions.
type Requests = BTreeMap<LogPosition, Request>;

/// What noraft says, with what its commands are.
#[derive(Clone)]
struct Letter {
    message: ::noraft::Message,
    requests: Vec<(LogPosition, Request)>,
}

/// What goes on the disk.
#[derive(Clone)]
enum Write {
    /// The term, and who was voted for in it.
    Term(Term, Option<NodeId>),
    /// Entries, and what their commands are. What was after the position before them is gone.
    Append(LogEntries, Vec<(LogPosition, Request)>),
}

/// What is on the disk.
#[derive(Clone)]
struct Stored {
    term: Term,
    voted_for: Option<NodeId>,
    entries: LogEntries,
    requests: Requests,
}

impl Default for Stored {
    fn default() -> Self {
        let entries = LogEntries::new(LogPosition::ZERO);
        Stored { term: Term::ZERO, voted_for: None, entries, requests: Requests::new() }
    }
}

/// A node of noraft.
#[derive(Clone)]
struct Other {
    spec: Raft,
    node: ::noraft::Node,
    requests: Requests,
    /// Whether it led when something happened last.
    led: bool,
    leads: Option<Node>,
    applied: u64,
    values: BTreeMap<u32, Op>,
    is_done: BTreeSet<Op>,
    done: u64,
    waiting: VecDeque<(LogPosition, Op)>,
    /// What a leader has sent to whom since its last heartbeat, besides what goes to all: from where, and up to where.
    under_way: BTreeSet<(NodeId, LogPosition, LogPosition)>,
}

const ELECTION: usize = 0;
const HEARTBEAT: usize = 1;

fn id(node: Node) -> NodeId {
    NodeId::new(node.into())
}

fn number(id: NodeId) -> Node {
    id.get() as Node
}

impl Other {
    fn is_leader(&self) -> bool {
        self.node.role() == Role::Leader
    }

    /// What the commands among these entries are.
    fn requests_of(&self, entries: &LogEntries) -> Vec<(LogPosition, Request)> {
        let commands = entries.iter_with_positions().filter(|(_, entry)| *entry == LogEntry::Command);
        commands.map(|(position, _)| (position, self.requests[&position])).collect()
    }

    fn keeps(&mut self, position: LogPosition, request: Request) {
        let before = self.requests.insert(position, request);
        assert!(before.is_none_or(|before| before == request), "two commands at one position");
    }

    fn sends(&self, to: NodeId, message: ::noraft::Message, out: &mut Outbox<Self>) {
        let requests = match &message {
            ::noraft::Message::AppendEntriesCall { entries, .. } => self.requests_of(entries),
            _ => Vec::new(),
        };
        if let ::noraft::Message::RequestVoteReply { term, vote_granted: true, .. } = &message {
            out.votes_for(term.get(), number(to));
        }
        out.send(number(to), Letter { message, requests });
    }

    /// Whether a message is not under way already.
    fn is_news(&mut self, to: NodeId, message: &::noraft::Message) -> bool {
        match message {
            ::noraft::Message::AppendEntriesCall { entries, .. } => {
                self.under_way.insert((to, entries.prev_position(), entries.last_position()))
            }
            _ => true,
        }
    }

    /// Does what noraft asks for, and what has been committed.
    fn delivers(&mut self, out: &mut Outbox<Self>) {
        let leads = self.is_leader();
        if self.led && !leads {
            out.stop(HEARTBEAT);
            self.waiting.drain(..).for_each(|(_, op)| out.answer(op, Answer::Elsewhere(None)));
        }
        if leads && !self.led {
            self.leads = Some(number(self.node.id()));
            self.under_way.clear();
            out.stop(ELECTION);
            out.set(HEARTBEAT, self.spec.heartbeat);
        }
        self.led = leads;
        let actions = std::mem::take(self.node.actions_mut());
        if actions.save_current_term || actions.save_voted_for {
            out.write(Write::Term(self.node.current_term(), self.node.voted_for()));
        }
        for action in actions {
            match action {
                // A leader has a timer of its own.
                Action::SetElectionTimeout if leads => {}
                Action::SetElectionTimeout => {
                    let after = out.between(self.spec.election, self.spec.election_most);
                    out.set(ELECTION, after);
                }
                Action::SaveCurrentTerm | Action::SaveVotedFor => {}
                Action::AppendLogEntries(entries) => {
                    let requests = self.requests_of(&entries);
                    out.write(Write::Append(entries, requests));
                }
                Action::BroadcastMessage(message) => {
                    if let ::noraft::Message::RequestVoteCall { from, term, .. } = &message {
                        out.votes_for(term.get(), number(*from));
                    }
                    for peer in self.node.peers() {
                        self.sends(peer, message.clone(), out);
                    }
                }
                Action::SendMessage(to, message) => {
                    if self.is_news(to, &message) {
                        self.sends(to, message, out);
                    }
                }
                Action::InstallSnapshot(_) => unreachable!("logs are never cut at the beginning"),
            }
        }
        self.applies(out);
    }

    fn applies(&mut self, out: &mut Outbox<Self>) {
        while self.applied < self.node.commit_index().get() {
            self.applied += 1;
            let (entries, index) = (self.node.log().entries(), LogIndex::new(self.applied));
            if entries.get_entry(index) != Some(LogEntry::Command) {
                continue;
            }
            let position = LogPosition::new(entries.get_term(index).expect("it is in the log"), index);
            let request = self.requests[&position];
            if request.writes {
                self.writes_once(request, out);
            }
            if self.waiting.front().is_some_and(|(at, _)| *at == position) {
                self.waiting.pop_front();
                let found = self.values.get(&request.key).copied();
                out.answer(request.op, Answer::Done { found, at: self.done });
            }
        }
    }

    fn writes_once(&mut self, request: Request, out: &mut Outbox<Self>) {
        if !self.is_done.insert(request.op) && request.once {
            return out.reached("a write was in the log twice");
        }
        self.done += 1;
        out.does(self.done, request.op);
        self.values.insert(request.key, request.op);
    }
}

impl Protocol for Other {
    type Spec = Raft;
    type Message = Letter;
    type Write = Write;
    type Stored = Stored;
    const TIMERS: &'static [&'static str] = &["election", "heartbeat"];
    const MESSAGES: &'static [&'static str] =
        &["request vote", "vote", "no vote", "heartbeat", "append", "appended"];
    const MARKS: &'static [&'static str] = &[];

    fn comes_up(spec: &Raft, me: Node, of: u32, stored: &Stored) -> Self {
        // Who belongs to the cluster is known from the beginning, as in a snapshot of nothing.
        let mut members = ::noraft::ClusterConfig::new();
        members.voters.extend((0..of).map(id));
        let log = Log::new(members, stored.entries.clone());
        Other {
            spec: spec.clone(),
            node: ::noraft::Node::restart(id(me), stored.term, stored.voted_for, log),
            requests: stored.requests.clone(),
            led: false,
            leads: None,
            applied: 0,
            values: BTreeMap::new(),
            is_done: BTreeSet::new(),
            done: 0,
            waiting: VecDeque::new(),
            under_way: BTreeSet::new(),
        }
    }

    fn on_start(&mut self, out: &mut Outbox<Self>) {
        self.delivers(out);
    }

    fn on_message(&mut self, from: Node, letter: Letter, out: &mut Outbox<Self>) {
        let (term, last) = (self.node.current_term(), self.node.log().last_position());
        for (position, request) in letter.requests {
            self.keeps(position, request);
        }
        self.node.handle_message(&letter.message).expect("there are no snapshots");
        if self.node.current_term() > term {
            self.leads = None;
        }
        let is_append = matches!(letter.message, ::noraft::Message::AppendEntriesCall { .. });
        if is_append && letter.message.term() == self.node.current_term() {
            self.leads = Some(from);
        }
        if !self.node.log().entries().contains(last) {
            out.reached("an entry was overwritten");
        }
        self.delivers(out);
    }

    fn on_timer(&mut self, timer: usize, out: &mut Outbox<Self>) {
        match (timer, self.is_leader()) {
            (HEARTBEAT, true) => {
                out.set(HEARTBEAT, self.spec.heartbeat);
                self.under_way.clear();
                self.node.heartbeat();
            }
            (ELECTION, false) => {
                if self.node.role() == Role::Candidate {
                    out.reached("an election ends without a leader");
                }
                self.leads = None;
                self.node.handle_election_timeout();
            }
            _ => {}
        }
        self.delivers(out);
    }

    fn on_request(&mut self, request: Request, out: &mut Outbox<Self>) {
        if !self.is_leader() {
            return out.answer(request.op, Answer::Elsewhere(self.leads));
        }
        let position = self.node.propose_command();
        self.keeps(position, request);
        self.waiting.push_back((position, request.op));
        self.delivers(out);
    }

    fn store(stored: &mut Stored, write: &Write) {
        match write {
            Write::Term(term, voted_for) => (stored.term, stored.voted_for) = (*term, *voted_for),
            Write::Append(entries, requests) => {
                assert!(stored.entries.append_suffix(entries), "what is before is on the disk");
                stored.requests.extend(requests.iter().copied());
            }
        }
    }

    fn explains(_: &Raft, _: &ClusterSpec) -> Vec<String> {
        Vec::new()
    }

    fn varies(spec: &mut Raft, latency: SimDuration, draws: &mut Draws) -> [SimDuration; 2] {
        Server::varies(spec, latency, draws)
    }

    fn promises(_: &Raft) -> Promises {
        Promises::CONSENSUS
    }

    fn stand(&self) -> Stand {
        let role = match self.node.role() {
            Role::Follower => "follower",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        };
        Stand { role, leads: self.is_leader(), term: self.node.current_term().get() }
    }

    fn comes_together_within(spec: &Raft, latency: SimDuration, sync: SimDuration) -> Option<SimDuration> {
        Server::comes_together_within(spec, latency, sync)
    }

    fn told(letter: &Letter) -> (usize, u64) {
        let what = match &letter.message {
            ::noraft::Message::RequestVoteCall { .. } => 0,
            ::noraft::Message::RequestVoteReply { vote_granted: true, .. } => 1,
            ::noraft::Message::RequestVoteReply { .. } => 2,
            ::noraft::Message::AppendEntriesCall { entries, .. } if entries.is_empty() => 3,
            ::noraft::Message::AppendEntriesCall { .. } => 4,
            ::noraft::Message::AppendEntriesReply { .. } => 5,
        };
        (what, letter.message.term().get())
    }

    fn carries(letter: &Letter, op: Op) -> bool {
        letter.requests.iter().any(|(_, request)| request.op == op)
    }

    fn invariants() -> &'static [Invariant<Self>] {
        &[]
    }

    fn left(nodes: &[&Self]) -> Vec<Op> {
        let Some(best) = nodes.iter().max_by_key(|other| other.node.log().last_position()) else {
            return Vec::new();
        };
        let requests = best.requests_of(best.node.log().entries()).into_iter().map(|(_, request)| request);
        let mut seen = BTreeSet::new();
        requests
            .filter(|request| request.writes)
            .map(|request| request.op)
            .filter(|op| seen.insert(*op))
            .collect()
    }
}

/// The settings of a cluster of Raft.
fn raft(cluster: &ClusterSpec) -> &Raft {
    let ProtocolSpec::Raft(own) = &cluster.protocol else { unreachable!("it is of Raft") };
    own
}

/// What does not break our Raft does not break theirs: the ground asks nothing that only ours does. A thousand schedules with `BROWNOUT_SCHEDULES=1000`.
#[test]
fn the_other_raft_keeps_the_same_promises() {
    let most = 100;
    let base = read(r#"(protocol: Raft(), clients: (arrivals: Poisson("20/s")))"#);
    let mut marks = BTreeMap::new();
    let mut broken = Vec::new();
    for seed in 0..most {
        let cluster = explore::draw(&base, seed);
        let found = cluster.examine_as::<Other>(raft(&cluster), seed, false);
        if let Some((name, how)) = found.broken {
            broken.push(format!("seed {seed}, at {}: {name}: {how}", found.at));
        }
        found.marks.iter().for_each(|(mark, count)| *marks.entry(*mark).or_insert(0) += count);
    }
    println!("noraft, {most} schedules: {marks:?}");
    assert!(broken.is_empty(), "{} of {most}: {:#?}", broken.len(), &broken[..broken.len().min(5)]);
    for mark in
        ["a write was in the log twice", "an entry was overwritten", "an election ends without a leader"]
    {
        assert!(marks.contains_key(mark), "never came about: {mark}");
    }
}

/// What is measured of both.
const MEASURED: [&str; 6] =
    ["leaders", "candidacies", "time_to_elect_p50", "time_to_elect_max", "no_leader", "unavailability"];

/// Of each value that is measured, what it is with each of these seeds.
fn measured<P: Protocol<Spec = Raft>>(cluster: &ClusterSpec, seeds: std::ops::Range<u64>) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); MEASURED.len()];
    for seed in seeds {
        let (lasting, options) = (RunSpec::lasting(SimDuration::from_secs(60)), RunOptions::seeded(seed));
        let output =
            cluster.drive::<P>(raft(cluster), &lasting, &options, &mut |_| ControlFlow::Continue(()));
        for (values, name) in all.iter_mut().zip(MEASURED) {
            values.push(match name {
                "unavailability" => 1.0 - output.report.summary.success.expect("somebody asked"),
                _ => told(&output.report, name),
            });
        }
        for wrong in ["writes_lost", "stale_reads", "two_leaders_in_a_term", "different_operations"] {
            assert_eq!(told(&output.report, wrong), 0.0, "{wrong}, seed {seed}");
        }
    }
    all
}

/// Leaders crash and are cut off; a node that mostly follows is cut off and comes back with a later term. Messages take long enough for votes to be split.
#[test]
fn both_rafts_elect_as_often_and_as_fast() {
    let cluster = read(
        r#"(
            protocol: Raft(),
            nodes: 5,
            latency: Exponential(mean: "10ms"),
            clients: (arrivals: Poisson("20/s"), timeout: "100ms", pause: "20ms", patience: "200ms"),
            faults: [
                (at: "10s", for: "5s", on: "leader", effect: Crash),
                (at: "20s", for: "5s", on: "leader | followers", effect: Partition),
                (at: "30s", for: "5s", on: "0", effect: Partition),
                (at: "40s", for: "5s", on: "leader", effect: Crash),
                (at: "50s", for: "5s", on: "leader", effect: Crash),
            ],
        )"#,
    );
    // Seeds are not shared, so that the two are independent.
    let ours = measured::<Server>(&cluster, 0..200);
    let theirs = measured::<Other>(&cluster, 1_000..1_200);
    for ((name, ours), theirs) in MEASURED.iter().zip(&ours).zip(&theirs) {
        let (ours, theirs) = (Sample::of(ours), Sample::of(theirs));
        let error = f64::hypot(ours.standard_error(), theirs.standard_error());
        let apart = (ours.mean - theirs.mean) / error;
        println!("{name}: {} here, {} there, error {error}, apart {apart:.2}", ours.mean, theirs.mean);
        assert!(4.0 * error < 0.2 * theirs.mean, "{name}: a fifth more would not be seen, error {error}");
        assert!(apart.abs() < 4.0, "{name}: {} here, {} there, error {error}", ours.mean, theirs.mean);
    }
}
