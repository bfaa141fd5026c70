//! Users who were not served and come again: a page is loaded once more, a number is redialled.
//!
//! A call of a user's that ends otherwise than well (patience over, an error, turned away) is followed by another after a
//! while, with new luck, as long as the user has not had enough. It is no retry of a client's: no policy knows of it, no
//! budget pays for it, and what went on for the load before goes on, unless it is called off. Load then grows with failure, and most
//! where it does most harm.
//!
//! The theory calls those who are between two loads the *orbit* (retrial queues; Cohen 1957, Falin and Templeton 1997). For one worker
//! without a queue, arrivals at rate `a`, mean work `1 / m`, `rho = a / m`, and users who come again for ever, each after a mean of
//! `1 / t`, the worker is busy for a share `rho` of the time as if all waited in a queue, and `rho / (1 - rho) (rho + a / t)` users are in orbit
//! on average. Those who give up after some loads make it a system with loss again.

use crate::distribution::TimeDistribution;
use crate::experiment::POSITIVE;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Section, Unit, Value};

spec! {
    /// Users who come again when they were not served.
    pub struct Reload {
        /// How long after a load that ended otherwise than well the next begins, drawn for each.
        after: TimeDistribution; POSITIVE,
        /// Loads after the first, at most; as many as it takes if absent.
        times: Option<u32> = None; 1..=1_000_000,
        /// How likely a user who was not served comes again, each time.
        probability: f64 = 1.0; 0.0..=1.0,
    }
}

impl Part for Reload {
    fn does(&self) -> Does {
        Does::RETURNS
    }

    fn brief(&self) -> Option<String> {
        Some("users come again".into())
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![declared(at)]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "reload",
            word: "",
            what: "Lets users who were not served come again after a while, with a new call, so often or until they are served. A section \
                   `reloads` tells how many were served in the end, and after how many loads.",
            hurts: "Load grows with failure: whoever waits too long comes a second time while the first load is still worked on, \
                    and a short outage brings all whom it turned away back together. No budget of a client's pays for it. What helps is to \
                    turn users away at once, and to tell them to come later.",
            formula: "one worker, no queue, all come until they are served: `rho / (1 - rho) (rho + a / t)` are between two loads, \
                      and calls are made at `a + t` times that",
            source: "Cohen 1957; Falin and Templeton, \"Retrial Queues\", 1997; Gunther et al. on redials in Erlang B",
            experiment: "reload-storm",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#"(after: "50ms", times: 2)"#, r#"(after: Exponential(mean: "20ms"), times: 5, probability: 0.5)"#]
    }
}

/// What is told of them: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    Section::new("reloads", at)
        .value("users", plain("users who came after the warm-up"))
        .value("served", plain("of them, those who were served, at whichever load"))
        .value("served_share", Value::new(Unit::Share, "of those who were served or gave up"))
        .value("served_at_once", plain("those whose first load was answered"))
        .value("gave_up", plain("those who had enough"))
        .value("loads_mean", plain("loads of a user who was served or gave up, on average"))
        .value("until_served", Value::new(Unit::Duration, "from the first load to the answer, on average"))
        .value("away_mean", plain("users between two loads, on average"))
        .line("away", Unit::Plain, "Users between two loads at the window's end.")
}
