//! Work that ends in an error, by chance, whatever else happens.

use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::words::percent;

/// Share of requests that fail after their own work.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRate(pub f64);

impl Part for ErrorRate {
    fn does(&self) -> Does {
        if self.0 > 0.0 { Does::FAILS } else { Does::NOTHING }
    }

    fn brief(&self) -> Option<String> {
        (self.0 > 0.0).then(|| format!("errors {}", percent(self.0)))
    }

    fn fails(&self) -> Option<f64> {
        Some(self.0)
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "error_rate",
            word: "",
            what: "Lets a share of requests fail after their own work, by chance, whatever else happens.",
            hurts: "It is no overload: retries help against it, one by one, and a client that takes errors for \
                   overload is wrong here.",
            formula: "of `n` attempts all fail with `p^n`; a call that needs `k` services succeeds with `(1 - \
                   p)^k`",
            source: "of itself",
            experiment: "retry-amplification",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["0", "0.1", "1"]
    }
}
