//! The numbers everyone asks for.

use crate::report::count::{area, per_second, ratio};
use crate::report::edge::Calls;
use crate::report::head::{Report, Summary};

/// The numbers that follow from edges and services alone.
pub fn summarise(report: &Report) -> Summary {
    let users = || report.edges.iter().map(|(_, edge)| edge).filter(|edge| edge.from_users);
    let total = |of: fn(&Calls) -> u64| users().map(|edge| of(&edge.calls)).sum::<u64>();
    let (started, ok, bad) = (total(|calls| calls.started), total(Calls::ok), total(Calls::ended_badly));
    let measured = report.reached().saturating_sub(report.run.warm_up);
    let services = || report.services.iter().map(|(_, service)| service);
    let work = area(services().map(|service| service.work));
    let wasted = area(services().map(|service| service.work_wasted));
    let from_users = users().next().is_some();
    Summary {
        recovered: None,
        time_to_recover: None,
        offered: per_second(started, measured).filter(|_| from_users),
        goodput: from_users.then(|| users().map(|edge| edge.goodput).sum()),
        success: ratio(ok, ok + bad),
        lost: from_users.then_some(bad),
        error_budget: ratio(bad, ok + bad).map(|lost| (lost * measured as f64) as u64).filter(|_| from_users),
        amplification: report.edges.iter().filter_map(|(_, edge)| edge.per_user_call).max_by(f64::total_cmp),
        wasted: (work > 0.0).then(|| wasted / work),
        // Told by whoever knows what work a request had done.
        in_vain: None,
    }
}
