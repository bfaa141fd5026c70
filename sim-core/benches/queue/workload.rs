//! What the queues are asked to do, and the interface by which all of them are asked.

use sim_core::{Class, Engine, EventQueue, SimTime};

/// A queue under measurement. Time in nanoseconds.
pub trait Queue {
    /// Names one scheduled event.
    type Timer: Copy;

    /// An empty queue.
    fn new() -> Self;
    fn schedule(&mut self, time: u64, event: Event<Self::Timer>) -> Self::Timer;
    fn cancel(&mut self, timer: Self::Timer) -> bool;
    fn pop(&mut self) -> Option<(u64, Event<Self::Timer>)>;
}

/// As large as the events of a typical model: 16 bytes or a little less.
#[derive(Clone, Copy)]
pub enum Event<T> {
    /// A piece of work is done; if a timeout guarded it, that is to be cancelled.
    Done { request: u32, timeout: Option<T> },
    /// The work was not done in time.
    Timeout { request: u32 },
}

/// The mean time until an event: 10 ms.
const MEAN: f64 = 1e7;

/// Exponential offsets without the cost of a logarithm for each.
struct Offsets {
    quantiles: [u64; 1024],
    state: u64,
}

impl Offsets {
    fn new() -> Self {
        let quantile = |i| (-MEAN * sim_core::math::ln(1.0 - (i as f64 + 0.5) / 1024.0)) as u64;
        Offsets { quantiles: std::array::from_fn(quantile), state: 1 }
    }

    #[inline]
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        self.quantiles[(self.state >> 54) as usize] + (self.state >> 32 & 0xfff)
    }
}

/// A queue in the steady state of a workload.
pub struct Load<Q: Queue> {
    queue: Q,
    offsets: Offsets,
    timeouts: bool,
    checksum: u64,
}

impl<Q: Queue> Load<Q> {
    /// Pop one, push one: as many pending as in the beginning.
    pub fn hold(pending: usize) -> Self {
        Self::new(pending, false)
    }

    /// Every event is guarded by a timeout a hundred times farther than its mean, which is cancelled
    /// when the event fires. Half of what is pending are timeouts.
    pub fn cancel_heavy(pending: usize) -> Self {
        Self::new(pending / 2, true)
    }

    fn new(events: usize, timeouts: bool) -> Self {
        let mut load = Load { queue: Q::new(), offsets: Offsets::new(), timeouts, checksum: 0 };
        for request in 0..events {
            load.start(0, request as u32);
        }
        for _ in 0..2 * events {
            load.step();
        }
        load
    }

    #[inline]
    fn start(&mut self, now: u64, request: u32) {
        let timeout =
            self.timeouts.then(|| self.queue.schedule(now + 100 * MEAN as u64, Event::Timeout { request }));
        self.queue.schedule(now + self.offsets.next(), Event::Done { request, timeout });
    }

    /// One operation.
    #[inline]
    pub fn step(&mut self) {
        let (now, event) = self.queue.pop().expect("the queue is never empty");
        let (Event::Done { request, .. } | Event::Timeout { request }) = event;
        if let Event::Done { timeout: Some(timeout), .. } = event {
            assert!(self.queue.cancel(timeout));
        }
        self.checksum = self.checksum.rotate_left(5) ^ now ^ u64::from(request);
        self.start(now, request);
    }

    /// What happened: the same for every queue that keeps the order.
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}

/// The engine that models run on.
pub struct Fast(EventQueue<Event<sim_core::Timer>>);

/// The engine that they are checked with.
pub struct Reference(EventQueue<Event<sim_core::Timer>>);

macro_rules! engine {
    ($name:ident) => {
        impl Queue for $name {
            type Timer = sim_core::Timer;

            fn new() -> Self {
                $name(EventQueue::new(Engine::$name))
            }
            #[inline]
            fn schedule(&mut self, time: u64, event: Event<Self::Timer>) -> Self::Timer {
                self.0.schedule(SimTime::from_nanos(time), Class::Begin, event)
            }
            #[inline]
            fn cancel(&mut self, timer: Self::Timer) -> bool {
                self.0.cancel(timer).is_some()
            }
            #[inline]
            fn pop(&mut self) -> Option<(u64, Event<Self::Timer>)> {
                let (time, event) = self.0.pop()?;
                Some((time.as_nanos(), event))
            }
        }
    };
}

engine!(Fast);
engine!(Reference);
