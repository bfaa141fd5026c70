//! The exact laws that the counts must obey, whatever was simulated.

use super::state::{Graph, Group, Parent, Phase, Server, Service};
use super::stats::{Began, EdgeStats, UNMEASURED};
use crate::policy::guards::{Connections, Gates, Guards};
use crate::policy::{Ending, Outcome};
use sim_core::SimTime;

impl<L> Graph<L> {
    /// Asserts what must hold exactly, whatever was simulated; a violation is a bug of ours.
    ///
    /// - every attempt and every call ended in one outcome, and the sums agree on every edge;
    /// - a call that is trying has an attempt out, one that backs off a timer and none, one in line none;
    /// - as many calls stand in line as the guards of their clients have counted, and as many attempts wait for a connection;
    /// - as many connections are lent as attempts have one, and a client has no more than it may;
    /// - as many users' calls were counted of all tenants, and of all priorities, as in all;
    /// - as many attempts were looked at for whether they leave their zone as were sent;
    /// - requests wait for as many callbacks as are still to come to them, and nothing is kept of one that nobody can ask for;
    /// - where requests are weighed, what waits and what is in hand is what they weigh;
    /// - callers choose among the members of a service, and who leaves it has something left to do;
    /// - every attempt that is waited for is in the list of its call, once;
    /// - attempts sent = calls - calls never sent + retries + copies;
    /// - Little's law on every queue: the integral of its length over time equals the summed waits, to
    ///   the nanosecond;
    /// - the utilisation law on every replica: the integral of busy workers equals the summed times for
    ///   which workers were held; and that is at most what was available;
    /// - a queue that is never over-full: its length is what entered less what left.
    pub fn check_laws(&mut self, now: SimTime) {
        let mut calls_in_flight = vec![0u64; self.edges.len()];
        let mut listed = 0u64;
        let mut outstanding = Vec::new();
        let mut waiting_in_line = vec![0u32; self.clients.len()];
        for (id, call) in self.calls.iter() {
            if let Parent::Request { attempt, .. } = call.parent {
                outstanding.push(attempt.index());
            }
            let mut next = call.live;
            while let Some(attempt) = next {
                let attempt = &self.attempts[attempt];
                assert!(
                    attempt.is_awaited() && attempt.call == id.link(),
                    "a call lists an attempt that is not its own"
                );
                (listed, next) = (listed + 1, attempt.sibling);
            }
            let (out, due) = (call.live.is_some(), call.timer.is_some());
            let (trying, copies) =
                (call.phase.is_trying(), self.edges[call.edge as usize].gates.has(Gates::COPY));
            assert_eq!(
                out, trying,
                "a call that backs off or stands in line has no attempt out, and only that"
            );
            let in_line = call.phase == Phase::IN_LINE;
            assert!(
                if trying { !due || copies } else { due || in_line },
                "a call that waits for nothing has a timer"
            );
            let edge = call.edge as usize;
            waiting_in_line[self.edges[edge].clients as usize] += u32::from(in_line);
            calls_in_flight[edge] += 1;
            if let Some(began) = self.edges[edge].stats.began(call.stretch) {
                began.still_out(now.since(call.started), call.sent);
            }
        }
        for (clients, waiting) in self.clients.iter().zip(waiting_in_line) {
            let counted: u32 = clients.guards.iter().map(Guards::waiting).sum();
            assert_eq!(counted, waiting, "calls in line, as their guards have counted them");
        }
        outstanding.extend(self.callbacks.waiting(&self.attempts).map(|request| request.index()));
        outstanding.sort_unstable();
        let mut parents = outstanding.as_slice();
        for (id, attempt) in self.attempts.iter() {
            let own = parents.partition_point(|&parent| parent <= id.index());
            assert_eq!(attempt.outstanding as usize, own, "calls that a request has out");
            let needed = attempt.is_awaited() || attempt.server != Server::Gone || own > 0;
            assert!(needed, "an attempt is there that nobody needs");
            parents = &parents[own..];
            if attempt.is_awaited() {
                listed -= 1;
                if attempt.server == Server::Unsent {
                    continue;
                }
                let measured = self.calls[attempt.call].stretch != UNMEASURED;
                self.edges[attempt.edge as usize].stats.attempt_ended(Outcome::InFlight, measured);
            }
        }
        self.check_connections();
        self.check_members();
        self.check_directories();
        self.services.iter().for_each(Service::check_told_apart);
        self.check_weights();
        self.fruits.check(&self.attempts);
        self.book.check();
        self.callbacks.check(&self.calls, &self.attempts);
        self.services.iter().flat_map(|service| &service.caches).for_each(|caches| caches.check());
        self.services.iter().flat_map(|service| &service.written).for_each(|written| written.check());
        assert!(parents.is_empty(), "calls of a request that is not there");
        assert_eq!(listed, 0, "attempts that a call lists and nobody awaits");
        for (edge, in_flight) in self.edges.iter_mut().zip(calls_in_flight) {
            edge.stats.settle();
            check_edge(&edge.name, &edge.stats, in_flight);
        }
        self.check_classes();
        for edge in &self.edges {
            let Some(crossing) = &edge.crossing else { continue };
            let measured: u64 = edge.stats.began.iter().map(|began| began.sent).sum();
            assert_eq!(crossing.counted(), measured, "attempts that may leave their zone on {}", edge.name);
        }
        self.check_services(now);
    }

    /// What was counted of each class of users' calls is what was counted of all.
    fn check_classes(&self) {
        for edge in &self.edges {
            let Some(classes) = &edge.classes else { continue };
            let calls = edge.stats.whole().calls;
            let ok = calls.of(Ending::Ok);
            classes.check(&edge.name, [calls.started, ok, calls.started - ok - calls.of(Ending::InFlight)]);
        }
    }

    fn check_connections(&self) {
        let mut counted = vec![(0u64, 0u64); self.clients.len()];
        for (id, attempt) in self.attempts.iter() {
            let edge = &self.edges[attempt.edge as usize];
            let (waiting, lent) = &mut counted[edge.clients as usize];
            if attempt.server == Server::Unsent {
                *waiting += 1;
            } else if edge.gates.has(Gates::CONNECT)
                && let Some(held) = self.held.of(id)
            {
                let Group { clients, client, of } = held.group;
                let guards = &self.clients[clients as usize].guards[client as usize];
                *lent += u64::from(guards.all_connections()[of as usize].lends(held.lease));
            }
        }
        for (clients, (waiting, lent)) in self.clients.iter().zip(counted) {
            let all = || clients.guards.iter().flat_map(Guards::all_connections);
            let sum = |of: fn(&Connections) -> u32| all().map(|it| u64::from(of(it))).sum::<u64>();
            assert_eq!(sum(Connections::waiting), waiting, "attempts that wait for a connection");
            assert_eq!(sum(|it| it.counts().lent), lent, "connections that attempts have");
            all().for_each(Connections::check);
        }
    }

    /// How many requests each replica has in hand, counted one by one.
    fn counted_in_hand(&self) -> Vec<Vec<u32>> {
        let mut counts: Vec<Vec<u32>> = self.services.iter().map(|it| vec![0; it.replicas.len()]).collect();
        for (_, attempt) in self.attempts.iter() {
            let id = self.edges[attempt.edge as usize].callee as usize;
            let is_there = match attempt.server {
                Server::Queued => !self.services[id].queue.shared,
                Server::Working | Server::Waiting => true,
                Server::Unsent | Server::Sent | Server::Replying(_) | Server::Gone => false,
            };
            counts[id][attempt.replica as usize] += u32::from(is_there);
        }
        counts
    }

    /// For how long the requests that still wait in each queue have waited, and for how long the workers of each
    /// replica that are still held have been.
    fn still(&self, now: SimTime) -> (Vec<Vec<u128>>, Vec<Vec<u128>>) {
        let none = |of: fn(&Service) -> usize| self.services.iter().map(|s| vec![0; of(s)]).collect();
        let mut waiting: Vec<Vec<u128>> = none(|service| service.lines.len());
        let mut held: Vec<Vec<u128>> = none(|service| service.replicas.len());
        for (request, attempt) in self.attempts.iter() {
            let id = self.edges[attempt.edge as usize].callee as usize;
            let service = &self.services[id];
            let since = |from: SimTime| u128::from(now.since(from).as_nanos());
            match attempt.server {
                Server::Queued => waiting[id][service.line_of(attempt.replica)] += since(attempt.since),
                Server::Working => held[id][attempt.replica as usize] += since(attempt.since),
                Server::Waiting if service.waits_with_worker(request) => {
                    held[id][attempt.replica as usize] += since(attempt.since);
                }
                _ => {}
            }
        }
        (waiting, held)
    }

    /// What the requests of each service have spent waiting and holding workers, summed request by request.
    pub fn spent(&self, now: SimTime) -> Vec<u128> {
        let (waiting, held) = self.still(now);
        let over = self.services.iter().map(|service| {
            let waited = service.lines.iter().map(|line| line.waited);
            waited.chain(service.replicas.iter().map(|replica| replica.held)).sum::<u128>()
        });
        let still = waiting.iter().zip(&held).map(|(waiting, held)| waiting.iter().chain(held).sum::<u128>());
        over.zip(still).map(|(over, still)| over + still).collect()
    }

    fn check_services(&mut self, now: SimTime) {
        for (spent, service) in self.spent(now).into_iter().zip(&mut self.services) {
            service.stats.spent[1] = spent;
        }
        let (still_waiting, still_held) = self.still(now);
        let in_hand = self.counted_in_hand();
        for (id, service) in self.services.iter().enumerate() {
            for (number, line) in service.lines.iter().enumerate() {
                let at = || format!("{}[{number}]", service.name);
                let waits = line.waited + still_waiting[id][number];
                assert_eq!(line.length.area(now), waits, "Little's law on the queue of {}", at());
                assert_eq!(line.length.value(), line.len() as u64, "length of the queue of {}", at());
            }
            for (number, replica) in service.replicas.iter().enumerate() {
                let at = || format!("{}[{number}]", service.name);
                let held = replica.held + still_held[id][number];
                assert_eq!(replica.busy.area(now), held, "utilisation law at {}", at());
                assert!(replica.busy.value() <= u64::from(service.workers), "workers of {}", at());
                assert_eq!(replica.in_hand, in_hand[id][number], "requests in hand at {}", at());
            }
            let totals = service.totals(now);
            assert!(totals.used_area <= totals.available_area, "utilisation of {} above 1", service.name);
        }
    }
}

fn check_edge(name: &str, stats: &EdgeStats, in_flight: u64) {
    for Began { calls, .. } in &stats.began {
        assert_eq!(calls.started, calls.ended.total(), "calls on {name}: started = sum of outcomes");
        assert_eq!(calls.failed(), calls.failed_by.total(), "causes on {name}");
    }
    let of = |count: fn(&Began) -> u64| stats.began.iter().map(count).sum::<u64>();
    let (started, never_sent) = (of(|began| began.calls.started), of(|began| began.calls.never_sent));
    let (sent, attempts) = (of(|began| began.sent), &stats.attempts);
    assert_eq!(sent, attempts.ended.total(), "attempts on {name}: sum of outcomes");
    let without_retries = started - never_sent;
    let repeated = attempts.retries + attempts.copies;
    assert_eq!(sent, without_retries + repeated, "attempts on {name}: calls, retries and copies");
    let windows = |series: &[u64], open: u64| series.iter().sum::<u64>() + open;
    let all = stats.started_so_far();
    let done =
        windows(&stats.windows.ok, stats.window.ok) + windows(&stats.windows.failed, stats.window.failed);
    assert_eq!(all, done + in_flight, "calls on {name}, warm-up included");
    let failures = || Ending::in_order().filter(|end| !matches!(end, Ending::Ok | Ending::InFlight));
    let failed: u64 =
        stats.began.iter().map(|began| failures().map(|end| began.calls.of(end)).sum::<u64>()).sum();
    let told: u64 = stats.failed_by().iter().map(|(_, windows)| windows.iter().sum::<u64>()).sum();
    assert!(told <= failed && (told == failed || stats.window.failed > 0), "how calls failed on {name}");
}
