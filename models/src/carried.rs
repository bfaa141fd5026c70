//! What a request carries besides what it asks for: whose it is, how much it matters, which key it is about, the place of its user among
//! others, and which flags that user has.
//!
//! It is drawn once, for the call of a user, and goes down with everything that is done for that call: attempts, copies, and the
//! calls of the services on the way, which count how often it has been passed on. Whoever queues, balances, limits or keeps answers may look at it; nobody has to.

spec! {
    /// How much a request matters: the criticalities of the SRE book ("Handling Overload"), which services take over from whoever calls
    /// them. Kubernetes and Envoy have other words for the same.
    #[derive(Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Criticality {
        /// What users see at once if it fails.
        CriticalPlus,
        /// What is sent unless something else is said.
        #[default]
        Critical,
        /// What may be missing for some minutes, and is tried again: batch jobs.
        SheddablePlus,
        /// What may be missing often, and even for long.
        Sheddable,
    }
}

impl Criticality {
    /// All of them, what matters most first.
    pub const ALL: [Criticality; 4] = [
        Criticality::CriticalPlus,
        Criticality::Critical,
        Criticality::SheddablePlus,
        Criticality::Sheddable,
    ];

    /// As the book has it, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Criticality::CriticalPlus => "critical plus",
            Criticality::Critical => "critical",
            Criticality::SheddablePlus => "sheddable plus",
            Criticality::Sheddable => "sheddable",
        }
    }

    /// Its place among all: 0 matters most.
    #[inline]
    pub const fn rank(self) -> usize {
        self as usize
    }
}

/// Users have so many places among those who matter as much (DAGOR's user priorities).
pub const USERS: usize = 128;
/// And so many among all; a multiple of those.
pub const PLACES: u64 = 1 << 16;

/// What one request carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Whose it is, if its users are told apart: the number of a tenant.
    pub tenant: Option<u32>,
    /// What it is about, if that is said: the number of a key, the most wanted first.
    pub key: Option<u32>,
    /// How much it matters; [`Criticality::Critical`] where nothing is said.
    pub priority: Criticality,
    /// The user's place among all, below [`PLACES`]; 0 where nobody looks at it.
    pub user: u16,
    /// Bytes that it weighs; none where nothing is said.
    pub bytes: u32,
    /// How often it has been passed on from service to service.
    pub hops: u8,
    /// Whether it changes what it is about.
    pub writes: bool,
    /// It only says that what it is about has changed.
    pub purges: bool,
    /// Where a store of record is: what a user may count on who asks.
    pub expects: u32,
    /// And on the way back the version that is answered; 0 is none.
    pub version: u32,
    /// The flags that its user has, as a set of their numbers.
    pub flags: u8,
    /// In which version of the protocol it is asked, by a service of which that is said; 0 where it is not, which is the first.
    pub speaks: u8,
    /// It is written behind: somebody was told already that it is done, as the version that it `expects`.
    pub behind: bool,
}

const _: () = assert!(size_of::<Carried>() == 40, "it is copied at every attempt");

/// What of it is said by any of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says {
    /// Whose they are.
    pub tenant: bool,
    /// What they are about.
    pub key: bool,
}
