//! What every command works with.

use crate::args::Global;
use crate::console::Console;
use sim_models::Catalog;

/// What a command works with.
pub struct App<'a> {
    /// The models.
    pub catalog: Catalog,
    /// What every command understands.
    pub global: Global,
    /// The streams.
    pub console: Console<'a>,
    /// What the program is called: what every hint that names a command calls it.
    pub program: String,
    /// The command line as it was typed, for the message that says how to repeat a failure.
    pub typed: String,
}
