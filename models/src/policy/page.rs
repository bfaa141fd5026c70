//! What a person should know of a mechanism before it is used: its page.
//!
//! A page stands with its mechanism, as data: what it does, when it hurts, how much of it, who found out, and what to run
//! to see it. Settings with their defaults and limits are not said again here: the type of the setting says them.

/// The page of one mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is called: the key of its setting, or if a setting offers several mechanisms a name of its own.
    pub name: &'static str,
    /// The word by which its setting chooses it: `Lifo`. Empty if all of the setting is about it.
    pub word: &'static str,
    /// What it does, in a sentence that can stand alone, and then more.
    pub what: &'static str,
    /// When it does harm.
    pub hurts: &'static str,
    /// How much of it, where that is known.
    pub formula: &'static str,
    /// Who says so: paper, library and version.
    pub source: &'static str,
    /// The experiment that shows it, by name.
    pub experiment: &'static str,
}
