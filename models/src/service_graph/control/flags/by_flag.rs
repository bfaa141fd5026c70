//! Calls that are made by those who have a flag, or by those who have not.

use crate::experiment::Spanned;
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::service_graph::spec::GraphSpec;

spec! {
    /// Which requests make a call, by a flag of the graph.
    pub enum ByFlag {
        /// Those that have the flag of this name.
        With(name: Spanned<String>),
        /// Those that have not.
        Without(name: Spanned<String>),
    }
}

impl ByFlag {
    /// Of which flag.
    pub fn name(&self) -> &Spanned<String> {
        let (ByFlag::With(name) | ByFlag::Without(name)) = self;
        name
    }

    /// The same to be asked; none if there is no such flag.
    pub fn only(&self, spec: &GraphSpec) -> Option<Only> {
        let number = spec.flags.index_of(&self.name().value)?;
        Some(Only { flag: 1 << number, with: matches!(self, ByFlag::With(_)) })
    }
}

/// Which requests make a call, of those that carry such sets of flags.
#[derive(Clone, Copy, Debug)]
pub struct Only {
    flag: u8,
    with: bool,
}

impl Only {
    /// Whether a request makes it that has these.
    pub fn has(self, flags: u8) -> bool {
        (flags & self.flag != 0) == self.with
    }
}

impl Part for ByFlag {
    fn does(&self) -> Does {
        Does::CHOOSES
    }

    fn brief(&self) -> Option<String> {
        let word = if matches!(self, ByFlag::With(_)) { "only with" } else { "only without" };
        Some(format!("{word} {}", self.name().value))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "flag",
            word: "",
            what: "Lets a call be made by those requests alone that have a flag of the graph, or by those alone that have not.",
            hurts: "What a flag switches on calls somebody who has never borne that load. Switched off again, it sends all of its users back to \
                    what was called before, which may have been made smaller in the meantime.",
            formula: "a share `s` that has the flag makes `s` calls for each request, the others `1 - s`",
            source: "Fowler and Hodgson, \"Feature Toggles\", 2017; branch by abstraction and parallel change (Fowler, 2014)",
            experiment: "flagged-dependency",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[r#"With("beta")"#, r#"Without("beta")"#]
    }
}
