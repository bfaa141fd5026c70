//! W1: an M/M/1 queue at 80 %. 800 customers per second, 1 ms of work, one server, nobody gives up.

use super::{Customers, Laws, Results};
use sim_core::{Context, Key, Model, SimDuration, SimTime, Simulation};
use std::collections::VecDeque;

fn customers() -> Customers {
    Customers::new("m_m_1", 800.0, SimDuration::from_millis(1))
}

struct Station<const DIGEST: bool, const LAWS: bool> {
    customers: Customers,
    expected: u64,
    arrived: u64,
    line: VecDeque<Customer>,
    served: Option<Customer>,
    results: Results,
    laws: Laws,
}

#[derive(Clone, Copy)]
struct Customer {
    key: Key,
    arrived: SimTime,
    began: SimTime,
}

enum Event {
    Arrival,
    Departure,
}

impl<const DIGEST: bool, const LAWS: bool> Model for Station<DIGEST, LAWS> {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, ctx: &mut Context<Event>) {
        match event {
            Event::Arrival => self.arrival(ctx),
            Event::Departure => self.departure(ctx),
        }
    }
}

impl<const DIGEST: bool, const LAWS: bool> Station<DIGEST, LAWS> {
    #[inline]
    fn arrival(&mut self, ctx: &mut Context<Event>) {
        let now = ctx.now();
        let key = self.customers.key(self.arrived);
        if DIGEST {
            ctx.witness(1, 0, 0, self.customers.path, key.get(), self.arrived);
        }
        self.arrived += 1;
        if self.arrived < self.expected {
            let gap = self.customers.gap(self.customers.key(self.arrived));
            ctx.schedule_in(gap, Event::Arrival);
        }
        let customer = Customer { key, arrived: now, began: now };
        if self.served.is_none() {
            self.results.busy.increment(now);
            self.serve(customer, ctx);
        } else {
            self.results.waiting.increment(now);
            self.line.push_back(customer);
        }
    }

    #[inline]
    fn serve(&mut self, customer: Customer, ctx: &mut Context<Event>) {
        ctx.schedule_in(self.customers.demand(customer.key), Event::Departure);
        self.served = Some(Customer { began: ctx.now(), ..customer });
    }

    #[inline]
    fn departure(&mut self, ctx: &mut Context<Event>) {
        let now = ctx.now();
        let customer = self.served.take().expect("a departure ends a service");
        let took = now.since(customer.arrived);
        if DIGEST {
            ctx.witness(2, 0, 0, self.customers.path, customer.key.get(), took.as_nanos());
        }
        self.results.latency.record(took);
        if LAWS {
            self.laws.served += u128::from(now.since(customer.began).as_nanos());
        }
        match self.line.pop_front() {
            Some(next) => {
                self.results.waiting.decrement(now);
                if LAWS {
                    self.laws.waited += u128::from(now.since(next.arrived).as_nanos());
                }
                self.serve(next, ctx);
            }
            None => self.results.busy.decrement(now),
        }
    }
}

pub fn model<const DIGEST: bool, const LAWS: bool>(requests: u64) -> u64 {
    let mut station = Station::<DIGEST, LAWS> {
        customers: customers(),
        expected: requests,
        arrived: 0,
        line: VecDeque::new(),
        served: None,
        results: Results::default(),
        laws: Laws::default(),
    };
    let first = SimTime::ZERO + station.customers.gap(station.customers.key(0));
    let mut simulation = Simulation::new(station);
    simulation.context().schedule_at(first, Event::Arrival);
    simulation.run_until(SimTime::MAX);
    let (now, station) = (simulation.now(), simulation.model());
    if LAWS {
        station.laws.check(&station.results, now);
    }
    station.results.checksum(now)
}

/// Two next times instead of a queue of events.
pub fn specialised(requests: u64) -> u64 {
    let mut customers = customers();
    let mut results = Results::default();
    let mut line: VecDeque<(Key, SimTime)> = VecDeque::new();
    let mut served = SimTime::ZERO;
    let mut arrived = 0;
    let mut next_arrival = SimTime::ZERO + customers.gap(customers.key(0));
    let mut next_departure = SimTime::MAX;
    let mut now = SimTime::ZERO;
    loop {
        if next_arrival < next_departure {
            now = next_arrival;
            let key = customers.key(arrived);
            arrived += 1;
            next_arrival =
                if arrived < requests { now + customers.gap(customers.key(arrived)) } else { SimTime::MAX };
            if next_departure == SimTime::MAX {
                results.busy.increment(now);
                served = now;
                next_departure = now + customers.demand(key);
            } else {
                results.waiting.increment(now);
                line.push_back((key, now));
            }
        } else {
            if next_departure == SimTime::MAX {
                return results.checksum(now);
            }
            now = next_departure;
            results.latency.record(now.since(served));
            if let Some((key, since)) = line.pop_front() {
                results.waiting.decrement(now);
                served = since;
                next_departure = now + customers.demand(key);
            } else {
                results.busy.decrement(now);
                next_departure = SimTime::MAX;
            }
        }
    }
}
