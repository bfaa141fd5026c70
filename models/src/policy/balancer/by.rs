//! What two requests have in common that are to go to one replica.

use crate::carried::{Carried, Says};

spec! {
    /// What two requests have in common that are to go to one replica.
    #[derive(Copy, PartialEq, Eq)]
    pub enum By {
        /// What they are about: `keys` of a workload.
        Key,
        /// Whose they are: `tenants` of a workload.
        Tenant,
        /// Who sends them: one client (an address), whoever its users are.
        Client,
    }
}

impl By {
    /// What this request has of that; none if nobody said it.
    #[inline]
    pub(super) fn of(self, carried: &Carried, client: u32) -> Option<u32> {
        match self {
            By::Key => carried.key,
            By::Tenant => carried.tenant,
            By::Client => Some(client),
        }
    }

    /// What it is called where none of the requests says it, and what would say it.
    pub(super) fn unsaid(self, says: Says) -> Option<(&'static str, &'static str)> {
        match self {
            By::Key if !says.key => Some(("what it is about", "`keys` of the workload, or `by: Client`")),
            By::Tenant if !says.tenant => Some(("whose it is", "`tenants` of the workload, or `by: Client`")),
            _ => None,
        }
    }
}
