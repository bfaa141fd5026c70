//! Whose the state of a policy is: what its guards remember: budget, breaker, bulkhead, limits, throttle, hedge, balancer and pool.

use super::page::Page;
use super::part::{Does, Part};

spec! {
    /// Which calls of one client share what a policy remembers.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Per {
        /// All calls of the client to one service under this policy, as a real client's pool or breaker does.
        Target,
        /// Those of one call site.
        CallSite,
    }
}

impl Part for Per {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        (*self == Per::CallSite).then(|| "per call site".into())
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "per",
            word: "",
            what: "Says which calls of one client share what its policy remembers (budget, breaker, bulkhead, \
                   rate limit, adaptive limit, throttle, hedge, balancer, pool): all to the same service under this policy, or those of one call site.",
            hurts: "Shared, a greedy call site uses up what a modest one needs. Apart, each learns alone, and \
                   limits add up: two compartments of 10 are 20 calls out.",
            formula: "`s` call sites with a limit `L` each have up to `s L` calls out",
            source: "real clients keep one pool or breaker per target; Hystrix and resilience4j per name that the \
                   programmer chose",
            experiment: "shared-compartment",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["CallSite"]
    }
}
