//! Services that call each other in a circle: a request may come back to one that it has been through.
//!
//! That happens by design (a tree that is walked, a service that asks itself for a part) and by mistake: two caches, each of which takes
//! the other for the origin. It must end. Either by a *hop limit*: a request carries how often it has been passed on, and one that has been
//! as often as it may makes no further call; HTTP's `Max-Forwards` (RFC 9110, 7.6.2), `CDN-Loop` and 508 Loop Detected, IP's time to live.
//! Or by chance: each request makes less than one call on average that comes back, retries and all, so that whoever is passed on
//! leaves fewer and fewer behind (a subcritical branching process, whose mean matrix has a spectral radius below 1). With a chance `p` of a
//! call to itself a request comes to `1/(1-p)` requests, and with a limit of `h` hops to `(1 - p^(h+1)) / (1-p)`; at `p = 1` that is `h + 1`,
//! and without a limit no end.

use super::spec::{Effect, GraphSpec, ServiceSpec};
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};

/// As often a request may be passed on.
#[derive(Clone, Copy, Debug)]
pub struct HopLimit(pub u32);

impl Part for HopLimit {
    fn does(&self) -> Does {
        Does::REFUSES
    }

    fn brief(&self) -> Option<String> {
        Some(format!("at most {} hops", self.0))
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let hops = self.0;
        vec![format!(
            "{}: whoever has been passed on {hops} times makes no further call: what goes round comes to {} requests",
            around.name,
            hops + 1
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "hop_limit",
            word: "",
            what: "Lets a request be passed on so many times: one that has been makes no further call, and what needed that call fails. \
                   Without it calls may go round in a circle only if less than one on average comes back.",
            hurts: "Until it strikes, a loop costs all these hops, for every request that enters it; and whoever is at the end of a longer \
                    way than the limit is never reached.",
            formula: "with a chance `p` of being passed on a request comes to `(1 - p^(h+1)) / (1-p)` requests, `h + 1` of them in a loop \
                      that nothing else ends; without a limit to `1/(1-p)`",
            source: "RFC 9110, 7.6.2 (Max-Forwards); RFC 8586 (CDN-Loop); RFC 5842, 7.2 (508 Loop Detected); RFC 791 (time to live)",
            experiment: "forwarding-loop",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["1", "8", "255"]
    }
}

/// The services of a graph by who calls whom.
pub struct Circles {
    /// Callers before callees, but for those that call each other in a circle.
    pub order: Vec<usize>,
    /// Of each service a number that only those have that can call each other, by whatever way.
    component: Vec<usize>,
    /// Whether it can come back to itself.
    is_circular: Vec<bool>,
}

impl Circles {
    /// Of services, each with those that it calls, once per call.
    pub fn of(callees: &[Vec<usize>]) -> Self {
        let component = components(callees);
        let is_circular = (0..callees.len()).map(|service| {
            let alike = |other: &usize| component[*other] == component[service];
            callees[service].iter().any(alike)
        });
        Circles { is_circular: is_circular.collect(), order: topological(callees, &component), component }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.is_circular.contains(&true)
    }

    /// Whether a call from one to the other is part of a circle.
    pub fn has(&self, caller: usize, callee: usize) -> bool {
        self.component[caller] == self.component[callee] && self.is_circular[caller]
    }

    /// The services of each circle, or of circles that hang together, by number.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.component.len()];
        let circular = (0..self.component.len()).filter(|service| self.is_circular[*service]);
        circular.for_each(|service| members[self.component[service]].push(service));
        members.retain(|members| !members.is_empty());
        members
    }

    /// Whether calls that begin at a service come to a circle.
    fn is_reached_from(&self, service: usize, callees: &[Vec<usize>]) -> bool {
        let (mut seen, mut next) = (vec![false; callees.len()], vec![service]);
        while let Some(service) = next.pop() {
            if self.is_circular[service] {
                return true;
            }
            if !std::mem::replace(&mut seen[service], true) {
                next.extend(&callees[service]);
            }
        }
        false
    }

    /// The shortest circle through the first of these: by services, the first once more at the end.
    fn shortest(&self, members: &[usize], callees: &[Vec<usize>]) -> Vec<usize> {
        let first = members[0];
        let mut before = vec![None; callees.len()];
        let (mut reached, mut next) = (vec![first], 0);
        while next < reached.len() {
            let service = reached[next];
            next += 1;
            for &callee in callees[service].iter().filter(|callee| self.has(service, **callee)) {
                if callee == first {
                    let mut way = vec![first, service];
                    while let Some(caller) = before[*way.last().expect("not empty")] {
                        way.push(caller);
                    }
                    way.dedup();
                    way.reverse();
                    if way.len() == 1 {
                        way.push(first);
                    }
                    return way;
                }
                if before[callee].is_none() {
                    before[callee] = Some(service);
                    reached.push(callee);
                }
            }
        }
        unreachable!("it can come back to itself")
    }
}

/// Of each service the least that it calls and is called by, by whatever way (Tarjan 1972, with a list for a stack: as many services as the
/// limit allows may stand in one chain), numbered in the order of their first.
fn components(callees: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = callees.len();
    let (mut number, mut low, mut found) = (vec![UNSEEN; count], vec![0; count], vec![UNSEEN; count]);
    let (mut open, mut seen) = (Vec::new(), 0);
    for start in 0..count {
        let mut path = Vec::new();
        if number[start] == UNSEEN {
            path.push((start, 0));
        }
        while let Some((service, next)) = path.pop() {
            if next == 0 {
                (number[service], low[service]) = (seen, seen);
                seen += 1;
                open.push(service);
            } else {
                let callee: usize = callees[service][next - 1];
                low[service] = low[service].min(low[callee]);
            }
            let mut at = next;
            let mut goes_down = None;
            while let Some(&callee) = callees[service].get(at) {
                at += 1;
                if number[callee] == UNSEEN {
                    goes_down = Some(callee);
                    break;
                }
                if found[callee] == UNSEEN {
                    low[service] = low[service].min(number[callee]);
                }
            }
            if let Some(callee) = goes_down {
                path.extend([(service, at), (callee, 0)]);
            } else if low[service] == number[service] {
                while let Some(member) = open.pop() {
                    found[member] = service;
                    if member == service {
                        break;
                    }
                }
            }
        }
    }
    // By the least of their members.
    let mut names = vec![UNSEEN; count];
    let mut last = 0;
    found.iter_mut().for_each(|root| {
        if names[*root] == UNSEEN {
            names[*root] = last;
            last += 1;
        }
        *root = names[*root];
    });
    found
}

/// Callers before callees, those of one component together.
fn topological(callees: &[Vec<usize>], component: &[usize]) -> Vec<usize> {
    let count = component.iter().max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); count];
    component.iter().enumerate().for_each(|(service, of)| members[*of].push(service));
    let below = |of: usize| {
        let all = members[of].iter().flat_map(|service| &callees[*service]);
        all.map(|callee| component[*callee]).filter(move |other| *other != of)
    };
    let mut callers = vec![0usize; count];
    (0..count).for_each(|of| below(of).for_each(|other| callers[other] += 1));
    let mut order: Vec<usize> = (0..count).filter(|of| callers[*of] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        for other in below(order[next]) {
            callers[other] -= 1;
            if callers[other] == 0 {
                order.push(other);
            }
        }
        next += 1;
    }
    order.into_iter().flat_map(|of| members[of].clone()).collect()
}

/// Whether less than one call comes back on average: whether the spectral radius of these means, of each call from one service to another, is
/// below 1. It is if it can be shown: no vector of positive numbers is made larger in all of its places by a matrix whose radius is
/// (Collatz and Wielandt), and the power method comes near the one that shows it best.
fn ends_by_chance(means: &[(usize, usize, f64)], members: &[usize]) -> bool {
    /// Of what is so near to 1 that this does not tell, there would be thousands of calls for each.
    const STEPS: usize = 10_000;
    let place = |service: usize| members.binary_search(&service).ok();
    let inside = means.iter().filter_map(|&(from, to, mean)| Some((place(from)?, place(to)?, mean)));
    let inside: Vec<(usize, usize, f64)> = inside.collect();
    let mut of = vec![1.0; members.len()];
    for _ in 0..STEPS {
        let mut next = vec![0.0; members.len()];
        inside.iter().for_each(|&(from, to, mean)| next[from] += mean * of[to]);
        if next.iter().zip(&of).all(|(next, of)| next < of) {
            return true;
        }
        // With what was there before, or a circle of two would go to and fro for ever.
        let most = next.iter().zip(&of).map(|(next, of)| next + of).fold(0.0, f64::max);
        of.iter_mut().zip(&next).for_each(|(of, next)| *of = ((*of + next) / most).max(f64::MIN_POSITIVE));
    }
    false
}

/// Of each call of a service the mean number that a request makes, if all attempts fail that may, and to whom.
fn means(graph: &GraphSpec, service: &ServiceSpec) -> Vec<(usize, f64)> {
    let attempts = |policy: &Option<crate::experiment::Spanned<String>>| {
        let policy = policy.as_ref().and_then(|name| graph.policies.get(&name.value));
        policy.map_or(1.0, |written| f64::from(Around::new("", written.policy.parts()).worst().sent()))
    };
    let calls = service.calls.iter().flat_map(|step| &step.calls);
    let all = calls.flat_map(|call| {
        let made = call.probability * f64::from(call.times);
        let instead = call.instead().map(|(to, policy, _)| (to, policy, made));
        [Some((&call.to, &call.policy, made)), instead].into_iter().flatten()
    });
    // Where messages come twice, each request may.
    let twice = graph.strikes().any(|(effect, _)| matches!(effect, Effect::Duplicate { .. }));
    let copies = if twice { 2.0 } else { 1.0 };
    let mean = |policy, made: f64| copies * made * attempts(policy);
    all.filter_map(|(to, policy, made)| Some((graph.services.index_of(&to.value)?, mean(policy, made))))
        .collect()
}

/// Calls that go round in a circle must end: by the graph's limit, or by chance.
pub fn check(graph: &GraphSpec, callees: &[Vec<usize>], at: &Node, cx: &mut Decoder) -> bool {
    let circles = Circles::of(callees);
    let Some(limit) = graph.hop_limit else {
        let services = graph.services.values().enumerate();
        let means: Vec<(usize, usize, f64)> = services
            .flat_map(|(from, service)| {
                means(graph, service).into_iter().map(move |(to, mean)| (from, to, mean))
            })
            .collect();
        let endless = circles.members().into_iter().filter(|members| !ends_by_chance(&means, members));
        let mut sound = true;
        for members in endless {
            let way = circles.shortest(&members, callees);
            let names: Vec<&str> = way.iter().map(|service| graph.name(*service)).collect();
            let span = graph.services.span_of(names[0]).unwrap_or(at.span);
            cx.at("services", |cx| {
                cx.error(span, format!("calls go round in a circle without end: {}", names.join(" -> "))).help(
                    "give the graph a `hop_limit`; or let less than one call on average come back, attempts included, as with `probability: 0.5`",
                );
            });
            sound = false;
        }
        // A check makes all calls that a request may make, whatever the chance.
        let deep =
            graph.services.iter().filter(|(_, service)| service.checks().iter().any(|it| it.asks().calls));
        let deep = deep.filter_map(|(name, _)| Some((name, graph.services.index_of(name)?)));
        for (name, _) in deep.filter(|(_, service)| circles.is_reached_from(*service, callees)) {
            let span = graph.services.span_of(name).unwrap_or(at.span);
            cx.at("services", |cx| {
                cx.at(name, |cx| {
                    cx.error(span, "deep checks of it make all calls that a request may make, and those go round in a circle").help(
                        "give the graph a `hop_limit`, or check less deep",
                    );
                })
            });
            sound = false;
        }
        return sound;
    };
    let longest = longest_way(graph, callees, &circles);
    if circles.is_empty() && longest <= u64::from(limit) {
        cx.at("hop_limit", |cx| {
            let message = format!("no call comes back, and no request is passed on more than {longest} times: nothing is limited");
            cx.warn(at.span_of("hop_limit"), message).help("leave it out");
        });
    }
    true
}

/// How often a request can be passed on from where users call, where no calls go round.
fn longest_way(graph: &GraphSpec, callees: &[Vec<usize>], circles: &Circles) -> u64 {
    let mut hops: Vec<Option<u64>> = vec![None; callees.len()];
    let entries = graph.workload.iter().filter_map(|workload| graph.services.index_of(&workload.to.value));
    entries.for_each(|entry| hops[entry] = Some(0));
    for &service in &circles.order {
        let Some(so_far) = hops[service] else { continue };
        callees[service].iter().for_each(|callee| hops[*callee] = hops[*callee].max(Some(so_far + 1)));
    }
    hops.into_iter().flatten().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(callees: &[&[usize]]) -> (Circles, Vec<Vec<usize>>) {
        let callees: Vec<Vec<usize>> = callees.iter().map(|all| all.to_vec()).collect();
        (Circles::of(&callees), callees)
    }

    #[test]
    fn who_can_come_back_to_itself() {
        // 0 -> 1 -> 2 -> 1, 2 -> 3, 4 -> 4, 5 -> 0 and 6 alone.
        let (found, callees) = circles(&[&[1], &[2], &[1, 3], &[], &[4], &[0, 0], &[]]);
        assert_eq!(found.members(), [vec![1, 2], vec![4]]);
        assert_eq!(found.order, [4, 5, 6, 0, 1, 2, 3]);
        assert_eq!(
            [(1, 2), (2, 1), (0, 1), (2, 3), (4, 4), (6, 6)].map(|(a, b)| found.has(a, b)),
            [true, true, false, false, true, false]
        );
        assert_eq!(found.shortest(&[1, 2], &callees), [1, 2, 1]);
        assert_eq!(found.shortest(&[4], &callees), [4, 4]);
        let (found, callees) = circles(&[&[1], &[2, 3], &[3], &[0]]);
        assert_eq!(found.shortest(&[0, 1, 2, 3], &callees), [0, 1, 3, 0], "the shortest there is");
        assert!(circles(&[&[1, 2], &[2], &[]]).0.is_empty());
        // A long chain, and back.
        let long: Vec<Vec<usize>> = (0..10_000).map(|service| vec![(service + 1) % 10_000]).collect();
        assert_eq!(Circles::of(&long).members()[0].len(), 10_000);
    }

    /// The spectral radius of small matrices, by hand.
    #[test]
    fn a_circle_ends_if_less_than_one_call_comes_back() {
        for (means, ends) in [
            (&[(0, 0, 0.99)][..], true),
            (&[(0, 0, 1.0)], false),
            (&[(0, 1, 1.0), (1, 0, 0.99)], true),
            (&[(0, 1, 4.0), (1, 0, 0.2)], true),
            (&[(0, 1, 4.0), (1, 0, 0.25)], false),
            (&[(0, 1, 4.0), (1, 0, 0.3)], false),
            // Half to itself, and 0.49 to another that gives it back: 0.99; with 0.51 it is more than 1.
            (&[(0, 0, 0.5), (0, 1, 0.49), (1, 0, 1.0)], true),
            (&[(0, 0, 0.5), (0, 1, 0.51), (1, 0, 1.0)], false),
            // Twice over the same edge.
            (&[(0, 0, 0.5), (0, 0, 0.5)], false),
            (&[(0, 1, 0.0), (1, 0, 1e9)], true),
            (&[(0, 1, 1e9), (1, 0, 1e-10)], true),
        ] {
            let members: Vec<usize> =
                if means.iter().any(|(from, ..)| *from > 0) { vec![0, 1] } else { vec![0] };
            assert_eq!(ends_by_chance(means, &members), ends, "{means:?}");
        }
    }
}
