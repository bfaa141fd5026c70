//! Whom a client may choose: written by whoever ejects, drains or discovers, read by balancers.

/// Whom a client may choose.
#[derive(Clone, Debug)]
pub struct View {
    members: Members,
    /// How often that has changed.
    pub(super) version: u32,
}

#[derive(Clone, Debug)]
enum Members {
    /// Replica 0 up to here.
    All(u32),
    Listed(Box<[u32]>),
}

impl View {
    /// All of so many replicas.
    pub fn all(replicas: u32) -> View {
        assert!(replicas > 0, "a balancer without replicas");
        View { members: Members::All(replicas), version: 0 }
    }

    /// From now on only these, in this order.
    pub fn change(&mut self, members: impl IntoIterator<Item = u32>) {
        let members: Box<[u32]> = members.into_iter().collect();
        assert!(!members.is_empty(), "a balancer without replicas");
        self.members = Members::Listed(members);
        self.version += 1;
    }

    /// How many there are.
    #[inline]
    pub fn size(&self) -> u32 {
        match &self.members {
            Members::All(replicas) => *replicas,
            Members::Listed(members) => members.len() as u32,
        }
    }

    /// Which replica the one at this place is.
    #[inline]
    pub(super) fn member(&self, place: u32) -> u32 {
        match &self.members {
            Members::All(_) => place,
            Members::Listed(members) => members[place as usize],
        }
    }
}
