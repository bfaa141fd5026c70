//! The failure modes of brownout: an experiment in, a report out.
//!
//! ```
//! use sim_models::experiment::Experiment;
//! use sim_models::run::RunOptions;
//! use sim_models::{Catalog, simulate};
//! use std::ops::ControlFlow;
//!
//! let text = r#"(
//!     about: "three attempts at a server that is too slow for one",
//!     model: ServiceGraph(
//!         workload: [(to: "server", arrivals: Poisson("30/s"), policy: "impatient")],
//!         services: {"server": (workers: Blocking(1), work: Exponential(mean: "50ms"))},
//!         policies: {"impatient": (timeout: "500ms", retry: Fixed(attempts: 3))},
//!     ),
//!     run: (duration: "60s"),
//! )"#;
//! let (experiment, _) = Experiment::parse("slow.ron", text, &[], &Catalog::bundled()).unwrap();
//! let slow = experiment.with(None, &[]).unwrap();
//! let report = simulate(&slow, &RunOptions::seeded(42), &mut |_| ControlFlow::Continue(())).report;
//! assert!(report.summary.wasted > Some(0.9));
//! ```
//!
//! - [`experiment`]: from the text to a decoded, checked model, or to all problems with their places.
//! - [`catalog`]: the models that a file can name; a crate that depends on this one adds its own.
//! - [`service_graph`]: requests through services. [`workload`]: who comes, and when; [`carried`]: what their requests carry;
//!   [`policy`]: what stands between a caller and the [`network`]; [`fault`]: what goes wrong; [`promise`]: what users are promised, and what it costs.
//! - [`callback_routing`], [`contention`], [`fleet`], [`incident_response`], [`downtime`], [`feedback_loop`]: models of their own.
//!   [`cluster`]: nodes that agree by messages, on clocks, disks and links; [`protocol`]: what they do, a file each.
//!   [`drive`]: what all models share while they run.
//! - [`mechanism`]: the pages of what a model is made of, to be read before it is used.
//! - [`report`]: what came out, for any model; it is read back as well as written.
//! - [`diagram`]: what an experiment is made of, to be drawn.
//! - [`trace`]: single calls, attempt by attempt, chosen and followed. [`theory`]: closed forms, to be held against what was simulated. [`distribution`]: times as users write them; [`words`]: shares as people read them.
//!
//! A run is a pure function of the resolved experiment and the [`RunOptions`](run::RunOptions); the observer
//! can end it and change nothing. What is impossible is asserted, so a panic here is a bug of ours.
//!
//! # What is deliberately absent
//! No files, clocks, terminals, threads or environment: those are `sim-cli`'s. No rendering: a report holds
//! numbers and sentences, not layouts. No packets: a message takes a time, or is lost, held, doubled, overtaken.
//! No hosts: a worker is a worker, whatever it shares a machine with.
#[macro_use]
pub mod experiment;
pub mod branch;
mod byte_size;
pub mod callback_routing;
pub mod carried;
pub mod catalog;
pub mod cluster;
pub mod contention;
pub mod diagram;
pub mod distribution;
pub mod downtime;
pub mod drive;
pub mod fault;
pub mod feedback_loop;
pub mod fleet;
pub mod incident_response;
pub mod mechanism;
pub mod network;
pub mod policy;
pub mod promise;
pub mod protocol;
pub mod report;
mod ring;
pub mod run;
pub mod service_graph;
pub mod theory;
pub mod trace;
#[cfg(test)]
mod unconfigured;
pub mod words;
pub mod workload;

pub use branch::Trunk;
pub use byte_size::ByteSize;
pub use catalog::{Catalog, Entry, RunSpec, Scenario};
pub use run::{simulate, simulate_from};
