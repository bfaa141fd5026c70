//! The file from the outside: each rule once, with the words a user reads.

mod at_once;
mod experiments;
mod overrides;
mod specs;
mod syntax;
mod toy;
