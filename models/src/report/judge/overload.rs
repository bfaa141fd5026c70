//! Whether more is asked of a service than it can do.
//!
//! A queue without a bound grows then, and is seen to (`trend.rs`). One with a bound is full, and the excess is refused, or leaves,
//! for good: nothing grows. So work is counted: how many calls are made to the service, each for as long as one holds a worker, against
//! the workers that there are. Repeats and copies are left out, its own callers' and those further up: what they add is no
//! demand, and where only they are too much it is they that keep it down.

use super::trend::NEARLY_BUSY;
use super::users::{Users, together};
use crate::report::count::{area, part, share, sum};
use crate::report::edge::{Edge, ends};
use crate::report::head::Report;
use crate::report::service::Service;
use crate::words::short;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Standard deviations that are more than luck, as for a queue that grows.
const CLEAR: f64 = 2.6;
/// Whoever holds a worker for so much longer than its work takes waits for others.
const WAITS: f64 = 1.05;
/// From so many attempts per call on those others may be slow because of the attempts.
const REPEATS: f64 = 1.05;
/// Where more is lost than this says, who could be served is not.
const NEARLY_ALL: f64 = 0.9;
/// A queue that reaches so much of its places in so many windows is full.
const FULL: (f64, f64) = (0.9, 0.5);

/// A service that is asked for more than it can do.
pub struct Overload<'a> {
    service: &'a str,
    /// Calls of users per second that are offered and not served.
    excess: f64,
    /// It is less than that, what is more than it can do: the others find it busy for those who have left.
    can: bool,
    /// How many times what it can do.
    times: f64,
    state: State,
}

/// What its callers find.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Full,
    Taken,
    /// Those who are kept out before they come leave it some rest, or there is no queue to keep it busy.
    AtTimes,
}

impl Overload<'_> {
    /// `40/s more is offered than is served, the queue of db is full`.
    pub fn words(&self) -> String {
        let Overload { service, excess, can, times, state } = self;
        let state = match state {
            State::Full => format!("the queue of {service} is full"),
            State::Taken => format!("the workers of {service} are all taken"),
            State::AtTimes => format!("{service} is asked for {} times what it can do", short(*times)),
        };
        let is = if *can { "can be" } else { "is" };
        format!("{}/s more is offered than {is} served, {state}", short(*excess))
    }

    /// Whether that is what keeps users from being served: it has no rest.
    pub fn has_no_rest(&self) -> bool {
        self.state != State::AtTimes
    }
}

/// The service on which too much is asked in these windows, the last of them that is.
pub fn overload<'a>(report: &'a Report, users: &[Users], windows: &Range<usize>) -> Option<Overload<'a>> {
    let served = together(users, windows);
    let seconds = windows.len() as f64 * report.run.window as f64 / 1e9;
    let lost = (served.of - served.good) / seconds;
    if lost.is_nan() || lost <= 0.0 {
        return None;
    }
    let asked = Asked::of(report);
    let all = report.services.iter();
    let (service, it, times) =
        all.filter_map(|(name, it)| Some((name, it, asked.too_much(name, it, windows)?))).last()?;
    let places = it.queue_capacity.filter(|places| *places > 0);
    let full = places.is_some_and(|places| {
        let lengths = part(&it.windows.queue_max, windows);
        let long = lengths.iter().filter(|length| **length as f64 >= FULL.0 * places as f64).count();
        long as f64 >= FULL.1 * lengths.len() as f64
    });
    let busy = share(&it.windows.busy_ns, &it.windows.available_ns, windows);
    let state = match busy {
        Some(busy) if busy >= NEARLY_BUSY => {
            if full {
                State::Full
            } else {
                State::Taken
            }
        }
        _ => State::AtTimes,
    };
    // What is counted is better than what is worked out from it, unless they differ.
    let beyond = served.of / seconds * (1.0 - 1.0 / times);
    let (excess, can) = if beyond < NEARLY_ALL * lost { (beyond, true) } else { (lost, false) };
    Some(Overload { service, excess, can, times, state })
}

/// Who calls whom.
struct Asked<'a> {
    into: BTreeMap<&'a str, Vec<(&'a str, &'a Edge)>>,
    out_of: BTreeMap<&'a str, Vec<(&'a str, &'a Edge)>>,
    /// Of the requests that come to a service: the share that is there for the first attempt of everybody above.
    first: BTreeMap<&'a str, f64>,
}

impl<'a> Asked<'a> {
    fn of(report: &'a Report) -> Self {
        let (mut into, mut out_of) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (name, edge) in report.edges.iter() {
            let Some((caller, callee)) = ends(name) else { continue };
            into.entry(callee).or_default().push((caller, edge));
            if !edge.from_users {
                out_of.entry(caller).or_default().push((callee, edge));
            }
        }
        let mut asked = Asked { into, out_of, first: BTreeMap::new() };
        // Callers before callees.
        let services = |edges: &[(&str, &Edge)]| edges.iter().filter(|(_, edge)| !edge.from_users).count();
        let mut left: BTreeMap<&str, usize> =
            asked.into.iter().map(|(name, edges)| (*name, services(edges))).collect();
        let mut next: Vec<&str> =
            left.iter().filter(|(_, left)| **left == 0).map(|(name, _)| *name).collect();
        while let Some(name) = next.pop() {
            let share = asked.share_of_first(name);
            asked.first.insert(name, share);
            for (callee, _) in asked.out_of.get(name).into_iter().flatten() {
                let left = left.get_mut(callee).expect("it is called");
                *left -= 1;
                next.extend((*left == 0).then_some(*callee));
            }
        }
        // What a service is asked for by those who call it back is asked of it, too; but they pass nothing on.
        for (name, edge) in report.edges.iter() {
            if let Some((caller, callee)) = ends(name)
                && let Some(service) = callee.strip_suffix("/callback")
            {
                asked.into.entry(service).or_default().push((caller, edge));
            }
        }
        asked
    }

    fn share_of_first(&self, name: &str) -> f64 {
        let (mut sent, mut of_first) = (0.0, 0.0);
        for (caller, edge) in self.into.get(name).into_iter().flatten() {
            let repeats = edge.attempts.retries + edge.attempts.copies;
            sent += edge.attempts.sent as f64;
            of_first += edge.attempts.sent.saturating_sub(repeats) as f64 * self.above(caller, edge);
        }
        if sent > 0.0 { of_first / sent } else { 1.0 }
    }

    fn above(&self, caller: &str, edge: &Edge) -> f64 {
        if edge.from_users { 1.0 } else { self.first.get(caller).copied().unwrap_or(1.0) }
    }

    /// Whether calls of a service may come back to it.
    fn comes_back(&self, name: &str) -> bool {
        let callees = |name: &str| self.out_of.get(name).into_iter().flatten().map(|(callee, _)| *callee);
        let (mut seen, mut next) = (BTreeSet::new(), callees(name).collect::<Vec<_>>());
        while let Some(callee) = next.pop() {
            if callee == name {
                return true;
            }
            if seen.insert(callee) {
                next.extend(callees(callee));
            }
        }
        false
    }

    /// How many times what it can do a service is asked for, if that is clearly more than once.
    fn too_much(&self, name: &str, service: &Service, windows: &Range<usize>) -> Option<f64> {
        let nanos = |series: &[u64]| area(part(series, windows).iter().copied());
        let (busy, available) = (nanos(&service.windows.busy_ns), nanos(&service.windows.available_ns));
        let completed = sum(&service.windows.completed, windows);
        // Whose requests come back has them in hand for as long as those take that it has asked for itself.
        if completed == 0 || available == 0.0 || self.comes_back(name) {
            return None;
        }
        let held = busy / completed as f64;
        // It may wait for others, who are slow because they are asked again and again.
        let own = service.work as f64 / service.completed.max(1) as f64;
        let mut calls = self.out_of.get(name).into_iter().flatten();
        let again = |(_, edge): &(&str, &Edge)| edge.amplification.is_some_and(|each| each >= REPEATS);
        if held > WAITS * own && calls.any(again) {
            return None;
        }
        let of_edge = |(caller, edge): &(&str, &Edge)| {
            sum(&edge.windows.started, windows) as f64 * self.above(caller, edge)
        };
        let calls: f64 = self.into.get(name).into_iter().flatten().map(of_edge).sum();
        // Luck moves the number of calls, and the work of each about as much.
        let times = calls * held / available;
        let clear = (times - 1.0) * (calls / 2.0).sqrt() >= CLEAR;
        // A burst that is asked of it once is no overload, however large.
        let lasts = || {
            let more = windows.clone().filter(|&window| {
                let asked = |(caller, edge): &(&str, &Edge)| {
                    edge.windows.started[window] as f64 * self.above(caller, edge)
                };
                let asked: f64 = self.into.get(name).into_iter().flatten().map(asked).sum();
                asked * held > service.windows.available_ns[window] as f64
            });
            2 * more.count() > windows.len()
        };
        (clear && lasts()).then_some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judge::branches::{SECOND, struck};
    use crate::report::judge::judge;
    use crate::report::synthetic::{Second, run};
    use crate::report::{VerdictKind, VerdictKind::*};

    /// 150 a second come to a gateway, which asks a database that can do 100, and tells the others no; and what else is so.
    fn shop(more: impl Fn(&mut Report)) -> Report {
        let mut report = run(200, |_| Second { started: 150, ok: 100, failed: 50 });
        report.edges.0[0].0 = "users->gateway".into();
        report.edges.0[0].1.attempts.sent = 30_000;
        let service = |workers: u64, own: u64| {
            let mut it = Service { workers, completed: 20_000, work: 20_000 * own, ..Service::default() };
            it.windows.completed = vec![100; 200];
            it.windows.available_ns = vec![workers * SECOND; 200];
            it.windows.busy_ns = vec![100 * own; 200];
            it.windows.queue_ns = vec![0; 200];
            it.windows.queue_max = vec![50; 200];
            it
        };
        report.services.push("gateway", service(100, SECOND / 1_000));
        report.services.push("db", Service { queue_capacity: Some(50), ..service(1, SECOND / 100) });
        let mut edge = Edge { amplification: Some(1.0), ..Edge::default() };
        edge.windows.started = vec![150; 200];
        edge.attempts.sent = 30_000;
        report.edges.push("gateway->db", edge);
        more(&mut report);
        report
    }

    fn told(mut report: Report) -> (VerdictKind, String) {
        judge(&mut report);
        (report.verdict.kind, report.verdict.headline)
    }

    fn db(report: &mut Report) -> &mut Service {
        &mut report.services.0[1].1
    }

    #[test]
    fn who_turns_the_excess_away_for_good_is_overloaded() {
        let of = |state: &str| {
            (Overloaded, format!("50/s more is offered than is served, {state}: goodput is 67 % of offered"))
        };
        assert_eq!(told(shop(|_| {})), of("the queue of db is full"));
        // Nobody need wait in a queue for that.
        assert_eq!(
            told(shop(|report| db(report).queue_capacity = Some(0))),
            of("the workers of db are all taken")
        );
        assert_eq!(
            told(shop(|report| db(report).windows.queue_max.fill(44))),
            of("the workers of db are all taken")
        );
        let rest = |report: &mut Report| {
            db(report).windows.busy_ns.fill(7 * SECOND / 10);
            db(report).windows.completed.fill(70);
        };
        assert_eq!(told(shop(rest)), of("db is asked for 1.5 times what it can do"));
        // Two call sites ask the same database.
        let two = |report: &mut Report| {
            let (_, edge) = &mut report.edges.0[1];
            edge.windows.started.fill(75);
            let second = edge.clone();
            report.edges.push("gateway->db#2", second);
        };
        assert_eq!(told(shop(two)), of("the queue of db is full"));
        assert_eq!(
            told(shop(|report| report.edges.0[1].1.windows.started.fill(75))).0,
            Failing,
            "half of it comes"
        );
    }

    #[test]
    fn what_others_are_asked_again_is_no_demand() {
        // Every call of users is made twice, so that 75 of 150 are there for the first attempt.
        let twice = |report: &mut Report| report.edges.0[0].1.attempts.retries = 15_000;
        let copied = |report: &mut Report| report.edges.0[0].1.attempts.copies = 15_000;
        assert_eq!((told(shop(twice)).0, told(shop(copied)).0), (Failing, Failing));
        // One in ten is a repeat: 135 are too many.
        assert_eq!(told(shop(|report| report.edges.0[0].1.attempts.retries = 3_000)).0, Overloaded);
        // A gateway whose workers all wait for the database; which is slow because it is asked three times.
        let waits = |attempts: f64| {
            move |report: &mut Report| {
                *db(report) = Service::default();
                report.edges.0[1].1.amplification = Some(attempts);
                report.services.0[0].1.windows.busy_ns.fill(100 * SECOND);
            }
        };
        assert_eq!(told(shop(waits(1.0))).0, Overloaded);
        assert_eq!(told(shop(waits(3.0))).0, Failing);
    }

    /// All that comes comes in one second, and that is much more than can be done in it.
    #[test]
    fn a_burst_is_no_overload() {
        let once = |report: &mut Report| {
            report.edges.0[1].1.windows.started =
                (0..200).map(|second| u64::from(second == 10) * 30_000).collect();
        };
        let (kind, said) = told(shop(once));
        assert!(kind != Overloaded, "{said}");
    }

    #[test]
    fn luck_is_no_overload_and_neither_is_a_little() {
        let offered = |per_second: u64, ok: u64| {
            let mut report = shop(|report| report.edges.0[1].1.windows.started.fill(per_second));
            report.edges.0[0].1 =
                run(200, |_| Second { started: per_second, ok, failed: per_second - ok }).edges.0.remove(0).1;
            report.edges.0[0].1.attempts.sent = 200 * per_second;
            told(report)
        };
        assert_eq!(
            offered(101, 95),
            (Failing, "goodput is 94 % of offered".into()),
            "of 20,200 luck may be 200"
        );
        assert_eq!(offered(103, 95).0, Overloaded);
        // It carries its load, nearly: nobody is alarmed, and it is told.
        let (kind, headline) = offered(104, 100);
        assert_eq!(
            (kind, headline.as_str()),
            (
                Steady,
                "4/s more is offered than is served, the queue of db is full: goodput is 96 % of offered"
            )
        );
        assert_eq!(
            offered(150, 150),
            (Steady, "goodput is 100 % of offered".into()),
            "somebody else answers"
        );
    }

    #[test]
    fn what_was_too_much_before_a_fault_is_too_much_after_it() {
        let (kind, headline) = told(struck(shop(|_| {})));
        assert_eq!(
            (kind, headline.as_str()),
            (
                Overloaded,
                "50/s more is offered than is served, the queue of db is full, before the fault as after it: goodput is 67 % \
                 of offered (before: 67 %)"
            )
        );
        // Less than half of it was carried before anything went wrong.
        let poor = |report: &mut Report| {
            let edge = run(200, |_| Second { started: 300, ok: 100, failed: 200 }).edges.0.remove(0).1;
            report.edges.0[0].1 = edge;
            report.edges.0[1].1.windows.started.fill(300);
        };
        let (kind, headline) = told(struck(shop(poor)));
        assert_eq!(
            (kind, headline.as_str()),
            (
                Overloaded,
                "200/s more is offered than is served, the queue of db is full: goodput was only 33 % of offered before anything went wrong"
            )
        );
        // It carried all before: what keeps it down since is told, if that is too much.
        let since = |report: &mut Report| {
            let course = |second: u64| Second {
                started: 150,
                ok: if second < 60 { 150 } else { 100 },
                failed: if second < 60 { 0 } else { 50 },
            };
            report.edges.0[0].1 = run(200, course).edges.0.remove(0).1;
            db(report).windows.completed[..60].fill(150);
        };
        let mut report = struck(shop(since));
        judge(&mut report);
        assert_eq!(report.verdict.kind, Degraded);
        let said = "50/s more is offered than is served, the queue of db is full";
        assert_eq!(
            report
                .verdict
                .details
                .iter()
                .filter(|detail| detail.contains("the queue of db"))
                .collect::<Vec<_>>(),
            [said]
        );
    }
}
