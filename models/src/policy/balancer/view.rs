//! Whom a client may choose: written by whoever ejects, drains or discovers, read by balancers.

use sim_core::SimTime;

/// Whom a client may choose.
#[derive(Clone, Debug)]
pub struct View {
    members: Members,
    /// How many that are: asked for every attempt.
    size: u32,
    /// How many there are to choose among when all may be.
    all: u32,
    /// Since when each has been one, of those that came when others were there.
    since: Vec<Option<SimTime>>,
    /// How often that has changed.
    pub(super) version: u32,
    /// All are in it again, since too few were left.
    in_panic: bool,
    /// Who belongs to it, well or not, if that is not everybody for whom there is room.
    there: Option<Box<[u32]>>,
}

#[derive(Clone, Debug)]
enum Members {
    /// From replica 0 on.
    All,
    Listed {
        members: Box<[u32]>,
        /// Of each replica up to the last of them, whether it is one.
        are: Box<[bool]>,
    },
    /// A few, and others for the next attempt.
    Few(Vec<u32>),
}

/// The version of a view that is of one attempt alone.
const PASSING: u32 = u32::MAX;

impl View {
    /// All of so many replicas.
    pub fn all(replicas: u32) -> View {
        assert!(replicas > 0, "a balancer without replicas");
        View {
            members: Members::All,
            size: replicas,
            all: replicas,
            since: Vec::new(),
            version: 0,
            in_panic: false,
            there: None,
        }
    }

    /// From now on only these, in this order. There may be nobody, and then nobody must be [chosen](super::BalancerState::pick).
    pub fn change(&mut self, members: impl IntoIterator<Item = u32>) {
        let members: Box<[u32]> = members.into_iter().collect();
        let mut are = vec![false; members.iter().max().map_or(0, |last| *last as usize + 1)];
        members.iter().for_each(|member| are[*member as usize] = true);
        self.size = members.len() as u32;
        self.members = Members::Listed { members, are: are.into() };
        self.version += 1;
    }

    /// Nobody yet: to be [filled](Self::pass) for one attempt at a time.
    pub fn passing() -> View {
        View {
            members: Members::Few(Vec::new()),
            size: 0,
            all: 0,
            since: Vec::new(),
            version: PASSING,
            in_panic: false,
            there: None,
        }
    }

    /// These few, for one attempt: nobody is to remember anything of them.
    pub fn pass(&mut self, few: impl IntoIterator<Item = u32>) {
        let Members::Few(members) = &mut self.members else { unreachable!("it was made to pass") };
        members.clear();
        members.extend(few);
        self.size = members.len() as u32;
    }

    /// Only these are there at all, well or not: others may come.
    pub fn belong(&mut self, there: impl IntoIterator<Item = u32>) {
        self.there = Some(there.into_iter().collect());
    }

    /// The same as to that view.
    pub fn belong_as(&mut self, other: &View) {
        self.there.clone_from(&other.there);
    }

    /// Who is there, well or not.
    pub fn there(&self) -> Vec<u32> {
        self.there.as_ref().map_or_else(|| (0..self.all).collect(), |there| there.to_vec())
    }

    /// Whether all are in it because too few were left: then nobody is to be preferred.
    pub fn panics(&mut self, so: bool) {
        self.in_panic = so;
    }

    /// Whether that is so.
    pub fn in_panic(&self) -> bool {
        self.in_panic
    }

    /// Whether it is of one attempt alone.
    #[inline]
    pub fn is_passing(&self) -> bool {
        self.version == PASSING
    }

    /// How many there are.
    #[inline]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// This one may be chosen from now on, or again.
    pub fn joins(&mut self, replica: u32, now: SimTime) {
        self.since.resize(self.all as usize, None);
        self.since[replica as usize] = Some(now);
    }

    /// Since when this one may be chosen; none if it was there from the beginning.
    pub fn since(&self, replica: u32) -> Option<SimTime> {
        *self.since.get(replica as usize)?
    }

    /// How many there are when all may be chosen.
    pub fn of(&self) -> u32 {
        self.all
    }

    /// How often that has changed: who remembers something of its members asks whether they are still the same.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether this replica may be chosen.
    #[inline]
    pub fn contains(&self, replica: u32) -> bool {
        match &self.members {
            Members::All => replica < self.size,
            Members::Listed { are, .. } => are.get(replica as usize).is_some_and(|is| *is),
            Members::Few(members) => members.contains(&replica),
        }
    }

    /// All of them.
    pub fn members(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.size()).map(|place| self.member(place))
    }

    /// Which replica the one at this place is.
    #[inline]
    pub fn member(&self, place: u32) -> u32 {
        match &self.members {
            Members::All => place,
            Members::Listed { members, .. } => members[place as usize],
            Members::Few(members) => members[place as usize],
        }
    }
}
