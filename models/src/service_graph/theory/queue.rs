//! What theory says of one queue with arrivals that are known.

use super::QUIET;
use crate::policy::part::Does;
use crate::service_graph::plan::{EdgePlan, Plan};
use crate::service_graph::spec::{Capacity, ServiceSpec};
use crate::theory::{
    ClosedMm1, ErlangA, Mg1, Mm1PlusD, Mmc, MmcPlusD, Mmck, ServiceMoments, allen_cunneen_wait, erlang_b,
    erlang_c,
};

/// What is known of a stream of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// Not even whether its rate is what it should be.
    Unknown,
    /// Queues with exponential work are as if it were Poisson.
    Product,
    /// Poisson.
    Poisson,
}

/// A stream of requests.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    pub nature: Nature,
    /// A branch of calls made in parallel.
    pub forked: bool,
}

/// What a service may do and be a textbook's: errors are answers, the order moves no mean, and nobody expires unless
/// somebody gives up.
pub const KNOWN: Does = Does::FAILS.and(Does::REORDERS).and(Does::EXPIRES);
/// Sums over more servers or places than this take longer than they are worth.
const MOST_SERVERS: u32 = 1_000_000;
/// A queue that turns away a smaller share than this is as good as unbounded: no run could tell.
const NEVER_FULL: f64 = 1e-9;

/// What theory says of a queue; times in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Textbook {
    pub source: &'static str,
    pub work_mean: f64,
    /// Of requests whose work begins.
    pub wait_mean: Option<f64>,
    /// Wait and work.
    pub response_mean: Option<f64>,
    pub response_p99: Option<f64>,
    pub rejected: Option<f64>,
    /// Share of arrivals that must wait.
    pub waiting: Option<f64>,
    /// Share of arrivals whose patience ends before their turn.
    pub abandoned: Option<f64>,
    /// Share of arrivals answered, and not with an error, while somebody waits for it.
    pub in_time: Option<f64>,
    pub utilisation: Option<f64>,
    /// What leaves it is of the same nature as what arrives.
    pub departs: bool,
}

/// A service, and what is known of its arrivals.
pub struct Asked<'a> {
    pub service: &'a ServiceSpec,
    pub does: Does,
    /// Requests per second.
    pub rate: f64,
    pub arrivals: Stream,
    pub callers: &'a [&'a EdgePlan<'a>],
}

/// What theory says of an open queue whose replicas each have a random part of the arrivals.
pub fn law(asked: &Asked) -> Option<Textbook> {
    let Asked { service, does, rate, arrivals, callers } = asked;
    if arrivals.nature == Nature::Unknown || !does.within(KNOWN.and(Does::SHEDS).and(Does::SHARES)) {
        return None;
    }
    if does.any(Does::SHARES) {
        return shared(asked);
    }
    // How many servers one queue feeds, and how many such queues share the arrivals at random.
    let (servers, queues) = match service.queue.common().shared {
        true => (service.workers.count().checked_mul(service.replicas)?, 1),
        false => (service.workers.count(), service.replicas),
    };
    if servers > MOST_SERVERS {
        return None;
    }
    if service.work.nanos.mean() == 0.0 {
        return Some(Textbook { departs: true, response_mean: Some(0.0), ..Textbook::default() });
    }
    let offered = rate / f64::from(queues) * service.work.nanos.mean() / 1e9;
    if does.any(Does::SHEDS) {
        return limited(asked, servers, rate / f64::from(queues), offered);
    }
    let given_up = callers.iter().any(|edge| edge.does.any(Does::GIVES_UP));
    if given_up && does.any(Does::EXPIRES) {
        return match callers {
            [only] if arrivals.nature == Nature::Poisson => impatient(asked, servers, offered, only),
            _ => None,
        };
    }
    let once = callers.iter().all(|edge| edge.does.within(QUIET.and(Does::GIVES_UP)));
    open_queue(asked, servers, offered).filter(|law| law.departs || law.rejected.is_none() || once)
}

fn open_queue(asked: &Asked, servers: u32, offered: f64) -> Option<Textbook> {
    let (service, poisson) = (asked.service, asked.arrivals.nature == Nature::Poisson);
    let work = &service.work.nanos;
    let service_mean = work.mean();
    let utilisation = offered / f64::from(servers);
    let exponential = service.work.is_exponential();
    let in_order = asked.does.within(KNOWN.without(Does::REORDERS));
    if !poisson && !exponential {
        return None;
    }
    let mmc = Mmc { servers, utilisation, service_mean };
    let endless = Textbook {
        source: "M/M/c",
        work_mean: service_mean,
        wait_mean: Some(mmc.mean_wait()),
        response_mean: Some(mmc.mean_response()),
        waiting: Some(erlang_c(servers, offered)),
        utilisation: Some(utilisation),
        departs: true,
        ..Textbook::default()
    };
    match service.queue.common().capacity {
        Capacity::Bounded(0) if poisson => {
            let rejected = erlang_b(servers, offered);
            Some(Textbook {
                source: "Erlang B: M/G/c/c, any service time",
                work_mean: service_mean,
                rejected: Some(rejected),
                response_mean: Some(service_mean),
                utilisation: Some(utilisation * (1.0 - rejected)),
                departs: exponential && rejected < NEVER_FULL,
                ..Textbook::default()
            })
        }
        Capacity::Bounded(places) if exponential && places <= MOST_SERVERS => {
            let queue = Mmck::new(servers, servers.checked_add(places)?, utilisation, service_mean);
            let rejected = queue.p_blocked();
            if rejected < NEVER_FULL && utilisation < 1.0 {
                return Some(endless);
            }
            poisson.then(|| Textbook {
                source: "M/M/c/K",
                work_mean: service_mean,
                wait_mean: Some(queue.mean_wait()),
                response_mean: Some(queue.mean_response()),
                rejected: Some(rejected),
                utilisation: Some(utilisation * (1.0 - rejected)),
                ..Textbook::default()
            })
        }
        // A queue that hardly ever fills is as good as unbounded, but "hardly" is no closed form.
        Capacity::Bounded(_) => None,
        Capacity::Unbounded if utilisation >= 1.0 => None,
        Capacity::Unbounded if exponential => {
            let response_p99 = (in_order && poisson).then(|| mmc.response_quantile(0.99));
            Some(Textbook { response_p99, ..endless })
        }
        Capacity::Unbounded => {
            let wait = match servers {
                1 => {
                    let second = work.variance() + service_mean * service_mean;
                    let moments = ServiceMoments { mean: service_mean, second, third: f64::NAN };
                    Mg1 { utilisation, service: moments }.mean_wait()
                }
                _ => allen_cunneen_wait(mmc, 1.0, work.cv2()),
            };
            Some(Textbook {
                work_mean: service_mean,
                source: if servers == 1 {
                    "M/G/1: Pollaczek-Khinchine"
                } else {
                    "M/G/c: Allen-Cunneen, approximate"
                },
                wait_mean: Some(wait),
                response_mean: Some(wait + service_mean),
                // One busy server, whatever its work takes.
                waiting: (servers == 1).then_some(utilisation),
                utilisation: Some(utilisation),
                ..Textbook::default()
            })
        }
    }
}

/// Callers who leave when their patience ends, unless their work has begun; it is finished for nobody then. Patience
/// begins with the call: on a network some of it, or all, is gone before the queue.
fn impatient(asked: &Asked, servers: u32, offered: f64, caller: &EdgePlan) -> Option<Textbook> {
    const CALLER: Does = QUIET.without(Does::TRAVELS).and(Does::GIVES_UP);
    let service = asked.service;
    let endless = service.queue.common().capacity == Capacity::Unbounded;
    let in_order = asked.does.within(KNOWN.without(Does::REORDERS));
    let plain = caller.does.within(CALLER) && endless && in_order;
    if !(plain && service.work.is_exponential() && service.calls.is_empty()) {
        return None;
    }
    let (patience, work_mean) = (caller.around().patience()?, service.work.nanos.mean());
    // Who is answered in time may be answered with an error.
    let ok = 1.0 - service.around("").fails();
    let utilisation = offered / f64::from(servers);
    if patience.is_exponential() {
        let queue = ErlangA::new(servers, utilisation, work_mean, patience.nanos.mean())?;
        return Some(Textbook {
            source: "Erlang A: M/M/c+M",
            work_mean,
            wait_mean: Some(queue.mean_wait_served()),
            waiting: Some(queue.p_wait()),
            abandoned: Some(queue.p_abandon()),
            in_time: Some(ok * queue.p_answered_in_time()),
            utilisation: Some(queue.utilisation()),
            ..Textbook::default()
        });
    }
    let patience = patience.fixed()?.as_nanos() as f64;
    let queue = Mm1PlusD { utilisation, patience, service_mean: work_mean };
    (servers == 1).then(|| Textbook {
        source: "M/M/1 with a deadline",
        work_mean,
        abandoned: Some(queue.p_expired()),
        in_time: Some(ok * queue.p_answered_in_time()),
        utilisation: Some(utilisation * (1.0 - queue.p_expired())),
        ..Textbook::default()
    })
}

/// A limit on the wait: whoever is still in the queue after so long is turned away, and takes no work. Nobody else gives up.
fn limited(asked: &Asked, servers: u32, rate: f64, offered: f64) -> Option<Textbook> {
    let service = asked.service;
    let (_, limit) = service.around("").only(Does::SHEDS, |part| part.patience()?.fixed())?;
    let patient = asked.callers.iter().all(|edge| edge.does.within(QUIET));
    let endless = service.queue.common().capacity == Capacity::Unbounded;
    let plain = patient && endless && asked.does.within(Does::SHEDS.and(Does::FAILS));
    if !(plain && service.work.is_exponential() && asked.arrivals.nature == Nature::Poisson) {
        return None;
    }
    let work_mean = service.work.nanos.mean();
    let law = MmcPlusD::new(servers, rate / 1e9, work_mean, Some(limit.as_nanos() as f64))?;
    let served = 1.0 - law.refused;
    Some(Textbook {
        source: "M/M/c+D: Baccelli and Hebuterne",
        work_mean,
        wait_mean: Some(law.waits * law.wait_mean / served),
        rejected: Some(law.refused),
        utilisation: Some(offered / f64::from(servers) * served),
        ..Textbook::default()
    })
}

/// All are worked on at once, and share what there is. How many there are depends on the mean of their work alone, so it is M/M/c;
/// and whoever leaves does so as it came.
fn shared(asked: &Asked) -> Option<Textbook> {
    let service = asked.service;
    let one_way = service.replicas == 1 || !service.queue.common().shared;
    let all_at_once = one_way && service.workers.count() == u32::MAX;
    let nobody_leaves = asked.callers.iter().all(|edge| !edge.does.any(Does::GIVES_UP));
    let plain = all_at_once && nobody_leaves && asked.does.within(KNOWN.and(Does::SHARES));
    let (servers, service_mean) = (service.workers.cores(), service.work.nanos.mean());
    let offered = asked.rate / f64::from(service.replicas) * service_mean / 1e9;
    let utilisation = offered / f64::from(servers);
    let poisson = asked.arrivals.nature == Nature::Poisson;
    if !plain || !poisson || utilisation >= 1.0 || servers > MOST_SERVERS {
        return None;
    }
    Some(Textbook {
        source: "M/G/c processor sharing: as M/M/c, whatever the work",
        work_mean: service_mean,
        response_mean: Some(Mmc { servers, utilisation, service_mean }.mean_response()),
        utilisation: Some(utilisation),
        departs: true,
        ..Textbook::default()
    })
}

/// Users who think, call the only service there is, wait, and think again.
pub fn closed_loop(plan: &Plan) -> Option<Textbook> {
    let (workload, edge, service) = (&plan.spec.workload[0], &plan.edges[0], plan.spec.service(0));
    let (users, think) = workload.arrivals.closed_loop()?;
    // Nobody gives up, so nobody expires.
    let known = edge.does.within(QUIET.without(Does::TRAVELS)) && plan.does[0].within(Does::EXPIRES);
    let alone = service.replicas == 1 && service.workers.count() == 1;
    if !(known
        && alone
        && has_room(service, users)
        && think.is_exponential()
        && service.work.is_exponential())
    {
        return None;
    }
    let queue = ClosedMm1::new(users, think.nanos.mean(), service.work.nanos.mean());
    Some(Textbook {
        source: "closed M/M/1 (machine repair)",
        work_mean: service.work.nanos.mean(),
        response_mean: Some(queue.mean_response),
        utilisation: Some(queue.utilisation),
        ..Textbook::default()
    })
}

/// Whether so many at once are never turned away.
pub fn has_room(service: &ServiceSpec, users: u32) -> bool {
    match service.queue.common().capacity {
        Capacity::Bounded(places) => places >= users.saturating_sub(service.workers.count()),
        Capacity::Unbounded => true,
    }
}
