//! The engine: virtual time, a cancellable event queue, named random streams, frozen samplers,
//! measurement, and the digest that witnesses what happened.
//!
//! A simulation is a [`Model`]: a struct, a closed `enum Event`, and one `handle`. The engine takes
//! the earliest event, moves the clock to it, and hands it over, until nothing is left or a limit is
//! reached. Events are small values stored inline; nothing is boxed or allocated per event.
//!
//! ```
//! use sim_core::{Context, Model, SimDuration, SimTime, Simulation};
//!
//! struct Clock { ticks: u32 }
//! enum Event { Tick }
//!
//! impl Model for Clock {
//!     type Event = Event;
//!     fn handle(&mut self, Event::Tick: Event, ctx: &mut Context<Event>) {
//!         self.ticks += 1;
//!         ctx.schedule_in(SimDuration::from_millis(250), Event::Tick);
//!     }
//! }
//!
//! let mut simulation = Simulation::new(Clock { ticks: 0 });
//! simulation.context().schedule_at(SimTime::ZERO, Event::Tick);
//! simulation.run_until(SimTime::from_secs(1));
//! assert_eq!(simulation.model().ticks, 4); // 0, 250, 500, 750 ms; the end itself is not included
//! ```
//!
//! # What is deliberately absent
//! There is no request, no service and no policy here: that is `sim-models`. There is no file, no
//! clock, no thread and no environment, so nothing here can fail for a reason outside its arguments.
//! There is no floating-point time and no source of randomness without a name.

pub mod digest;
pub mod math;
mod model;
mod queue;
pub mod sampler;
mod simulation;
pub mod stats;
mod stream;
mod time;

pub use model::{Context, Model, Witness};
pub use queue::{Class, Engine, EventQueue, Timer};
pub use simulation::{Limits, Simulation, Stop};
pub use stream::{Draw, Key, Luck, Stream, StreamUse, Streams, Words};
pub use time::{LONGEST, ParseTimeError, Rate, SimDuration, SimTime, cut_to_longest};
