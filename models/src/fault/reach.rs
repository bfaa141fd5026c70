//! Which messages a fault of the network strikes: which way they go, and whose they are.
//!
//! A partition need not be one for both sides: where answers alone are lost all work is done, and whoever asked for it does not
//! know. Nor for everybody: a gray failure is one that some clients see and others do not (Huang et al., "Gray Failure: The Achilles' Heel of
//! Cloud-Scale Systems", HotOS 2017).

use super::{Affected, Stretch, pages};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use std::sync::Arc;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the caller to the callee.
    Out,
    /// Back.
    Back,
}

spec! {
    /// Which way the messages go that a fault of the network strikes.
    #[derive(Copy, Default, PartialEq, Eq)]
    pub enum Ways {
        /// All of them.
        #[default]
        Both,
        /// Requests, and what else callers send: answers come through.
        Requests,
        /// Answers: requests come through, and are worked on.
        Replies,
    }
}

impl Ways {
    /// Whether messages that go this way are struck.
    pub fn strikes(self, way: Way) -> bool {
        match self {
            Ways::Both => true,
            Ways::Requests => way == Way::Out,
            Ways::Replies => way == Way::Back,
        }
    }
}

impl Part for Ways {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        match self {
            Ways::Both => None,
            Ways::Requests => Some("requests only".into()),
            Ways::Replies => Some("replies only".into()),
        }
    }

    fn about() -> &'static [Page] {
        pages::WAY
    }

    fn samples() -> &'static [&'static str] {
        &["Both", "Requests", "Replies"]
    }
}

/// Of whose messages, which are struck: as it is written.
pub struct Clients<'a>(pub &'a Affected);

impl Part for Clients<'_> {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        self.0.brief_of("client")
    }

    fn about() -> &'static [Page] {
        pages::CLIENTS
    }

    fn samples() -> &'static [&'static str] {
        &["All", "Only([0])", "Fraction(0.5)"]
    }
}

/// Which messages over one link a fault strikes.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Which way they go.
    pub ways: Ways,
    /// Whose they are, in order; all clients' if absent.
    pub clients: Option<Arc<[u32]>>,
    /// From which zone they go to which; wherever they go if absent.
    pub stretch: Option<Stretch>,
}

/// Whose a message is, and where it goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose {
    /// The client that sent it, or waits for it, if any does.
    pub client: Option<u32>,
    /// From which zone to which, if that is known.
    pub zones: Option<(u32, u32)>,
}

impl From<Option<u32>> for Whose {
    fn from(client: Option<u32>) -> Self {
        Whose { client, zones: None }
    }
}

impl Reach {
    /// Whether it strikes a message of this client that goes this way. What is nobody's in particular is struck by what strikes all.
    pub fn strikes(&self, way: Way, whose: impl Into<Whose>) -> bool {
        let Whose { client, zones } = whose.into();
        let is_theirs = |clients: &Arc<[u32]>| client.is_some_and(|one| clients.binary_search(&one).is_ok());
        let goes_there = |it: Stretch| zones.is_some_and(|(from, to)| it.is_gone_by(from, to));
        let is_struck = self.ways.strikes(way) && self.clients.as_ref().is_none_or(is_theirs);
        is_struck && self.stretch.is_none_or(goes_there)
    }

    /// Whether it strikes some messages that go the same way, and others not.
    pub fn tells_apart(&self) -> bool {
        self.clients.is_some() || self.stretch.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_whom_it_reaches() {
        use Way::{Back, Out};
        let some: Option<Arc<[u32]>> = Some(Arc::from([1, 4]));
        // (ways, whose, way, client, struck)
        let table = [
            (Ways::Both, None, Out, None, true),
            (Ways::Both, None, Back, Some(7), true),
            (Ways::Requests, None, Out, Some(7), true),
            (Ways::Requests, None, Back, Some(7), false),
            (Ways::Replies, None, Out, None, false),
            (Ways::Replies, None, Back, None, true),
            (Ways::Both, some.clone(), Out, Some(4), true),
            (Ways::Both, some.clone(), Out, Some(2), false),
            (Ways::Both, some.clone(), Out, None, false),
            (Ways::Replies, some.clone(), Back, Some(1), true),
            (Ways::Replies, some, Out, Some(1), false),
        ];
        for (ways, clients, way, client, struck) in table {
            let reach = Reach { ways, clients, stretch: None };
            assert_eq!(reach.strikes(way, client), struck, "{reach:?} {way:?} {client:?}");
        }
    }
}
