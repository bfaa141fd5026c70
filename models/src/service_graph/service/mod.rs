//! The callee's side, one file per mechanism.
//!
//! A request is let in and worked on (`work`), makes its calls (`steps`) and is answered (`answer`); a `replica` that
//! goes down loses it. The rest is what a service is made of.

mod answer;
pub mod dies;
pub mod error_rate;
pub mod free;
pub mod greeting;
pub mod idempotency;
pub mod line;
pub mod on_cancel;
pub mod queue;
mod replica;
pub mod scaling;
mod steps;
mod tie;
pub mod told;
mod work;
pub mod workers;
