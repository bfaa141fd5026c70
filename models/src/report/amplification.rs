//! Attempts per call: of its caller, and of the users.
//!
//! A call is amplified by the retries of its own caller, and by those of everybody above: three layers of four tries are 4 attempts per
//! call everywhere, and 64 per call of a user at the bottom. What load there is, the users' number tells.
//!
//! What is called for nobody (a deep check, a repair, a replica that starts) and what follows from it is no retry. Nobody knows of a call
//! from which it follows, so of edges by which any of these come the users' number is not told.
//!
//! Calls that were never sent (a breaker is open, a bulkhead is full) are no thrift: both numbers are those of calls that were.

use super::count::ratio;
use super::edge::{Calls, Edge};
use super::named::Named;
use std::collections::{BTreeMap, BTreeSet};

/// Fills in both, from how many calls were made over each edge and how many attempts were sent. Whose calls come by an edge shows in
/// the names, `caller->callee`: those of the users behind it.
pub fn amplify(edges: &mut Named<Edge>) {
    // In a part of a run a call may have begun before it, and end in it unsent.
    let sent = |calls: &Calls| calls.started.saturating_sub(calls.never_sent);
    let (mut callees, mut entries) = (BTreeMap::<&str, Vec<&str>>::new(), BTreeMap::<&str, u64>::new());
    for (name, edge) in edges.iter() {
        let Some((caller, callee)) = name.split_once("->") else { continue };
        match edge.from_users {
            true => *entries.entry(callee).or_default() += sent(&edge.calls),
            false => callees.entry(caller).or_default().push(callee),
        }
    }
    let mut behind: BTreeMap<String, u64> = BTreeMap::new();
    for (entry, users) in entries {
        for service in reached(&callees, entry) {
            *behind.entry(service.to_owned()).or_default() += users;
        }
    }
    let came = edges.iter().filter(|(_, edge)| edge.calls.started > 0 || edge.attempts.sent > 0);
    let nobodys = came.filter_map(|(_, edge)| edge.nobodys.as_deref());
    let unknown: BTreeSet<String> =
        nobodys.flat_map(|first| reached(&callees, first)).map(str::to_owned).collect();
    for (name, edge) in &mut edges.0 {
        edge.amplification = ratio(edge.attempts.sent, sent(&edge.calls));
        let caller = name.split_once("->").map(|(caller, _)| caller);
        let caller = caller.filter(|caller| edge.nobodys.is_none() && !unknown.contains(*caller));
        let users = caller.and_then(|caller| behind.get(caller)).filter(|users| **users > 0);
        // As if those that were never sent had been tried like the others.
        let per_call =
            |users: &u64| edge.amplification.map(|each| each * edge.calls.started as f64 / *users as f64);
        edge.per_user_call = if edge.from_users { edge.amplification } else { users.and_then(per_call) };
    }
}

/// A service, those that it calls, and whom those call, and so on.
fn reached<'a>(callees: &BTreeMap<&'a str, Vec<&'a str>>, first: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![first]);
    while let Some(service) = next.pop() {
        if reached.insert(service) {
            next.extend(callees.get(service).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Attempts;

    /// Edges by calls made, calls never sent, and attempts.
    fn amplified(edges: &[(&str, u64, u64, u64)]) -> Vec<(Option<f64>, Option<f64>)> {
        let edge = |&(name, started, never_sent, sent): &(&str, u64, u64, u64)| {
            let calls = Calls { started, never_sent, ..Calls::default() };
            let attempts = Attempts { sent, ..Attempts::default() };
            let from_users = name.starts_with("users");
            (name.to_string(), Edge { from_users, calls, attempts, ..Edge::default() })
        };
        let mut edges = Named(edges.iter().map(edge).collect());
        amplify(&mut edges);
        edges.iter().map(|(_, edge)| (edge.amplification, edge.per_user_call)).collect()
    }

    #[test]
    fn layers_multiply() {
        let three =
            amplified(&[("users->a", 100, 0, 400), ("a->b", 400, 0, 1_600), ("b->c", 1_600, 0, 6_400)]);
        assert_eq!(three, [4.0, 16.0, 64.0].map(|per_user| (Some(4.0), Some(per_user))));
        // Others that never come by do not share it, and are no thrift of it either.
        let apart = amplified(&[("users->a", 100, 0, 100), ("users->z", 300, 0, 300), ("a->b", 100, 0, 300)]);
        assert_eq!(
            apart.iter().map(|(_, per_user)| *per_user).collect::<Vec<_>>(),
            [1.0, 1.0, 3.0].map(Some)
        );
    }

    /// The one that checks a, or repairs it, calls b; c is behind it, and d is not.
    #[test]
    fn what_nobody_called_is_not_of_users() {
        let edge = |&(name, started): &(&str, u64)| {
            let calls = Calls { started, ..Calls::default() };
            let attempts = Attempts { sent: 3 * started, ..Attempts::default() };
            let nobodys = name.strip_prefix("db->").map(|callee| callee.trim_end_matches("/repair").into());
            let from_users = name.starts_with("users");
            (name.to_string(), Edge { from_users, calls, attempts, nobodys, ..Edge::default() })
        };
        let per_user = |repairs: u64| {
            let made = [
                ("users->d", 100),
                ("users->a", 100),
                ("d->a", 100),
                ("a->b", 150),
                ("b->c", 150),
                ("db->a/repair", repairs),
            ];
            let mut edges = Named(made.iter().map(edge).collect());
            amplify(&mut edges);
            assert!(edges.iter().all(|(_, edge)| edge.calls.started == 0 || edge.amplification == Some(3.0)));
            edges.iter().map(|(_, edge)| edge.per_user_call).collect::<Vec<_>>()
        };
        assert_eq!(per_user(50), [Some(3.0), Some(3.0), Some(3.0), None, None, None]);
        assert_eq!(per_user(0), [Some(3.0), Some(3.0), Some(3.0), Some(2.25), Some(2.25), None]);
    }

    #[test]
    fn what_was_never_sent_earns_no_credit() {
        // A breaker keeps back three quarters of all calls.
        assert_eq!(amplified(&[("users->a", 400, 300, 110)])[0].0, Some(1.1));
        // At the users' edge, and behind it: whoever was sent makes two calls, of which half are sent, once each.
        let behind = amplified(&[("users->a", 400, 300, 100), ("a->b", 200, 100, 100)]);
        assert_eq!(behind, [(Some(1.0), Some(1.0)), (Some(1.0), Some(2.0))]);
        assert_eq!(amplified(&[("users->a", 5, 5, 0), ("a->b", 0, 0, 0)]), [(None, None); 2]);
    }
}
