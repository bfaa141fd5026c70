//! Whose the state of a policy is: what its budget, breaker, bulkhead and balancer remember.

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

    fn samples() -> &'static [&'static str] {
        &["CallSite"]
    }
}
