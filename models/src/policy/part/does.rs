//! What a mechanism may do, by name.

use std::fmt;

/// What a mechanism may do to the requests that meet it: a set.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Does(u64);

macro_rules! does {
    ($(#[doc = $doc:literal] $name:ident = $bit:literal,)*) => {
        impl Does {
            $(#[doc = $doc] pub const $name: Does = Does(1 << $bit);)*
            /// Everything that has a name.
            pub const ALL: &[(&str, Does)] = &[$((stringify!($name), Does::$name)),*];
            /// The same in sentences.
            const SENTENCES: &[&str] = &[$($doc),*];
        }
    };
}

does! {
    /// A call may end unsent.
    REFUSES = 0,
    /// A caller may stop waiting.
    GIVES_UP = 1,
    /// Attempts are made one after another.
    REPEATS = 2,
    /// What would be repeated may not be.
    RATIONS = 3,
    /// Attempts are out at the same time.
    COPIES = 4,
    /// A call may wait before it is sent.
    DELAYS = 5,
    /// Messages take time.
    TRAVELS = 6,
    /// Messages may be lost.
    LOSES = 7,
    /// Where an attempt goes depends on what was before.
    STEERS = 8,
    /// An answer may come from elsewhere than the service.
    ANSWERS = 9,
    /// Who waits is not served in the order of arrival.
    REORDERS = 10,
    /// Who has been given up is not served.
    EXPIRES = 11,
    /// Who waits, or would, may be turned away although there is a place.
    SHEDS = 12,
    /// Those at work have parts of what is there, not one worker each.
    SHARES = 13,
    /// A worker is kept while others do the work.
    HOLDS = 14,
    /// Work takes longer with load.
    STRETCHES = 15,
    /// Work may end in an error.
    FAILS = 16,
    /// A replica may be gone for a while.
    BREAKS = 17,
    /// Capacity changes while it runs.
    VARIES = 18,
    /// Whoever was not served comes again.
    RETURNS = 19,
    /// One call of a user's follows another.
    FOLLOWS = 20,
    /// Requests come that no user has made.
    CHECKS = 21,
    /// Something else may answer for a call that has failed.
    STANDS_IN = 22,
    /// A message may come twice.
    DOUBLES = 23,
    /// Messages wait for one another on their way.
    CROWDS = 24,
    /// Some messages take longer than others: those that leave their zone.
    CROSSES = 25,
    /// What is asked for comes later, by a call of the callee's own.
    CALLS_BACK = 26,
    /// A request may come back to where it has been.
    LOOPS = 27,
    /// No work is done for a while, again and again.
    PAUSES = 28,
    /// Some requests make a call and others do not, by what they carry.
    CHOOSES = 29,
    /// What is kept of answers may go, or begin anew, before its time.
    FORGETS = 30,
    /// What a request can do without may be left out.
    OMITS = 31,
}

impl Does {
    /// Nothing.
    pub const NOTHING: Does = Does(0);

    /// Something that has no name yet.
    #[cfg(test)]
    pub fn of_tomorrow() -> Does {
        Does(1 << Does::ALL.len())
    }

    /// Both.
    pub const fn and(self, other: Does) -> Does {
        Does(self.0 | other.0)
    }

    /// The rest.
    pub const fn without(self, other: Does) -> Does {
        Does(self.0 & !other.0)
    }

    /// Whether all that is done is known.
    pub const fn within(self, known: Does) -> bool {
        self.without(known).0 == 0
    }

    /// All of it, by name and in a sentence.
    pub fn told(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = Does::ALL.iter().zip(Does::SENTENCES);
        all.filter(move |((_, bit), _)| self.any(*bit)).map(|((name, _), said)| (*name, said.trim()))
    }

    /// Whether any of it is done. Nothing may be claimed because it is not: that is what [`within`](Self::within) is
    /// for.
    pub const fn any(self, of: Does) -> bool {
        self.0 & of.0 != 0
    }
}

impl fmt::Debug for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Does::ALL.iter().filter(|(_, bit)| self.any(*bit)).map(|(name, _)| *name);
        f.write_str(&names.collect::<Vec<_>>().join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_a_set() {
        for (number, (name, one)) in Does::ALL.iter().enumerate() {
            assert_eq!(format!("{one:?}"), *name);
            let others = Does::ALL.iter().filter(|(other, _)| other != name);
            let rest = others.fold(Does::NOTHING, |rest, (_, other)| rest.and(*other));
            assert!(
                !one.within(rest) && one.within(rest.and(*one)),
                "{name} is bit {number}, and nobody else's"
            );
            assert!(rest.within(rest) && !rest.and(*one).within(rest) && !rest.any(*one));
        }
        assert!(Does::NOTHING.within(Does::NOTHING) && !Does::NOTHING.any(Does::NOTHING));
    }
}
