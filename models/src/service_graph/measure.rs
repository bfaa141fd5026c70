//! When it is counted: the ends of windows, and of the warm-up.

use super::follow::Listen;
use super::state::{Graph, Replica, Service};
use super::stats::{ServiceTotals, UNMEASURED};
use sim_core::SimTime;

impl<L: Listen> Graph<L> {
    /// A window of virtual time ends at `now`.
    pub fn close_window(&mut self, now: SimTime) {
        for edge in &mut self.edges {
            edge.stats.close_window();
            edge.classes.iter_mut().for_each(|classes| classes.close_window());
            edge.fallback.iter_mut().for_each(|fallback| fallback.close_window());
            edge.degrades.iter_mut().for_each(|degraded| degraded.close_window());
            edge.link.close_window(now);
            edge.crossing.iter_mut().for_each(|crossing| crossing.close_window());
        }
        for clients in &mut self.clients {
            clients.watch.close_window(now);
        }
        for service in &mut self.services {
            service.close_window(now);
        }
        for workload in &mut self.workloads {
            workload.visits.iter_mut().for_each(|visits| visits.close_window());
        }
        self.callbacks.close_window();
        self.ledger.iter_mut().for_each(|ledger| ledger.close_window());
        self.sources.iter_mut().for_each(|source| source.close_window(now));
        self.close_windows_of_controls(now);
    }

    /// A stretch begins: the first as the warm-up ends.
    pub fn begin_stretch(&mut self) {
        self.stretch += 1;
        self.edges.iter_mut().for_each(|edge| edge.stats.stretch_begins());
    }

    /// Measurement of what is counted where it happens begins at `now`.
    pub fn end_warm_up(&mut self, now: SimTime) {
        self.stretch = UNMEASURED;
        self.begin_stretch();
        for clients in &mut self.clients {
            clients.begin();
        }
        self.edges.iter_mut().for_each(|edge| edge.link.begin(now));
        for workload in &mut self.workloads {
            workload.visits.iter_mut().for_each(|visits| visits.begin(now));
        }
        self.sources.iter_mut().for_each(|source| source.begin(now));
        self.begin_measuring_controls(now);
        let spent = self.spent(now);
        for (service, spent) in self.services.iter_mut().zip(spent) {
            service.stats.at_warm_up = service.totals(now);
            service.stats.spent[0] = spent;
            service.tell_apart_from(now);
            service.frozen.iter_mut().for_each(|frozen| frozen.begin(now));
            service.instances.iter_mut().for_each(|instances| instances.begin(now));
        }
    }
}

impl Replica {
    /// For how long workers were busy up to `now`, or cores where all share them.
    pub fn used(&self, now: SimTime) -> u128 {
        self.sharing.as_ref().map_or(&self.busy, |it| &it.busy).area(now)
    }
}

impl Service {
    /// Sums up to `now`, areas included.
    pub fn totals(&self, now: SimTime) -> ServiceTotals {
        let mut totals = self.stats.total;
        totals.queue_area = self.lines.iter().map(|line| line.length.area(now)).sum();
        totals.busy_area = self.replicas.iter().map(|replica| replica.busy.area(now)).sum();
        totals.used_area = self.replicas.iter().map(|replica| replica.used(now)).sum();
        totals.available_area = self.stats.available.area(now);
        totals.waiting = self.lines.iter().map(|line| line.length.value()).sum();
        totals
    }

    /// What was counted after the warm-up, up to `now`.
    pub fn measured(&self, now: SimTime) -> ServiceTotals {
        let (all, before) = (self.totals(now), &self.stats.at_warm_up);
        ServiceTotals {
            arrived: all.arrived - before.arrived,
            completed: all.completed - before.completed,
            entered: all.entered - before.entered,
            queued: all.queued - before.queued,
            begun: all.begun - before.begun,
            deaths: all.deaths - before.deaths,
            called_off: all.called_off - before.called_off,
            expired: all.expired - before.expired,
            turned_away: all.turned_away - before.turned_away,
            wait_ns: all.wait_ns - before.wait_ns,
            queue_area: all.queue_area - before.queue_area,
            busy_area: all.busy_area - before.busy_area,
            used_area: all.used_area - before.used_area,
            available_area: all.available_area - before.available_area,
            waiting: all.waiting,
        }
    }

    fn close_window(&mut self, now: SimTime) {
        let totals = self.totals(now);
        let peak = self.lines.iter_mut().map(|line| line.length.take_peak()).sum();
        let (base, windows) = (self.stats.window_base, &mut self.stats.windows);
        // A window of an hour has room for five million at a time; the sums of the run are exact.
        let part = |now: u128, then: u128| u64::try_from(now - then).unwrap_or(u64::MAX);
        windows.queue_ns.push(part(totals.queue_area, base.queue_area));
        windows.queue_max.push(peak);
        windows.busy_ns.push(part(totals.used_area, base.used_area));
        windows.available_ns.push(part(totals.available_area, base.available_area));
        windows.completed.push(totals.completed - base.completed);
        self.stats.window_base = totals;
        self.deeds.iter_mut().for_each(|deeds| deeds.close_window());
        self.dialect.iter_mut().for_each(|dialect| dialect.close_window());
        self.caches.iter_mut().for_each(|caches| caches.close_window());
        self.written.iter_mut().for_each(|written| written.close_window());
        self.close_shedding(totals.turned_away);
        self.weights.iter_mut().for_each(|weights| weights.close_window());
        self.limited.iter_mut().for_each(|limited| limited.close_window());
        self.frozen.iter_mut().for_each(|frozen| frozen.close_window(now));
        self.leaking.iter_mut().for_each(|leaking| leaking.close_window(now));
        self.heating.iter_mut().for_each(|heating| heating.close_window());
        self.instances.iter_mut().for_each(|instances| instances.close_window());
        self.per_replica.iter_mut().for_each(|figures| figures.close_window(now));
    }
}
