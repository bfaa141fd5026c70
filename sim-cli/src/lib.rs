//! The command line of brownout, and the only crate that touches the world: files, streams, threads, signals,
//! the terminal.
//!
//! [`run`] is the whole program as a function: arguments and a [`Console`] in, an [`Exit`] out. Nothing in
//! it is global, so tests call it in process. Each command is one file in `command`; it returns its exit
//! code, or the [`Error`] that kept it from having a result.

mod app;
mod args;
mod command;
mod condition;
mod console;
mod diagnostics;
mod disk;
mod error;
mod expect;
mod experiment;
mod files;
mod golden;
mod html;
mod jobs;
mod library;
mod lock;
mod memory;
mod out;
mod plan;
mod progress;
mod render;
mod replay;
mod result;
#[cfg(test)]
mod schema;
mod seal;
mod signal;
mod simulate;
mod study;
mod text;

/// What this project's own tests and pages reach into; no promise to anybody else.
#[doc(hidden)]
pub mod internals {
    pub use crate::expect::judge;
    pub use crate::experiment::Prepared;
    pub use crate::html::run::{Around, page};
    pub use crate::jobs::{in_order, threads};
    pub use crate::library::BUNDLED;
    pub use crate::plan::{line, store::RESULTS};
    pub use crate::render::screen::{ROWS, screen};
    pub use crate::replay::{Replay, next_steps};
    pub use crate::result::fields;
    pub use crate::result::judged::{Judged, Judgement};
    pub use crate::result::page::Page;
    pub use crate::text::{Style, first_sentence, width};
}

use app::App;
pub use command::command_line;
pub use console::Console;
pub use error::{Error, Exit};

use crate::text::escape;
use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use command::{Args, command_line_of};
use error::Result;
use sim_models::Catalog;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};

/// The process: real streams, real signals, and the models of `catalog`. A crate with models of its own calls
/// it with `Catalog::bundled()` and its entries added.
pub fn main_with(catalog: &Catalog) -> std::process::ExitCode {
    // A bug is told by us, with the command that repeats it; whoever asks for a backtrace gets Rust's words too.
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|_| {}));
    }
    let interrupt = signal::Interrupt::install();
    let (mut stdin, mut stdout, mut stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let console = Console::of_process(&mut stdin, &mut stdout, &mut stderr, interrupt);
    run_with(catalog, std::env::args_os(), console).into()
}

/// The whole program with the bundled models: `arguments` begin with its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: Console) -> Exit {
    run_with(&Catalog::bundled(), arguments, console)
}

/// The whole program with the models of `catalog`.
pub fn run_with(
    catalog: &Catalog,
    arguments: impl IntoIterator<Item = OsString>,
    mut console: Console,
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let typed = replay::typed(&arguments);
    console.program = replay::program(&arguments);
    let args = match parse(arguments, &console) {
        Ok(args) => args,
        Err(error) => return tell_usage(&error, &mut console),
    };
    console.configure(&args.global);
    let mut app = App {
        catalog: catalog.clone(),
        program: console.program.clone(),
        global: args.global,
        console,
        typed,
    };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| command::dispatch(&args.command, &mut app)))
        .unwrap_or_else(|payload| {
            Err(Error::Bug { message: error::panic_message(&*payload), replay: app.typed.clone() })
        });
    match outcome {
        Ok(exit) => exit,
        Err(error) => {
            app.console.error(&error);
            error.exit()
        }
    }
}

fn parse(arguments: Vec<OsString>, console: &Console) -> Result<Args, clap::Error> {
    let mut command = command_line_of(&console.program).term_width(console.style().width.min(100));
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_string()).collect();
    let matches =
        command.try_get_matches_from_mut(arguments).map_err(|error| with_suggestion(error, names))?;
    if let Err(twice) = args::said_once(&matches) {
        return Err(command.error(ErrorKind::ArgumentConflict, twice));
    }
    Args::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Letters that changed places are not alike enough for clap: `rnu` is answered with `run` as well.
fn with_suggestion(mut error: clap::Error, names: Vec<String>) -> clap::Error {
    let told = error.get(ContextKind::SuggestedSubcommand).is_some();
    if let (Some(ContextValue::String(typed)), false) = (error.get(ContextKind::InvalidSubcommand), told)
        && let Some(near) = library::nearest(typed, names)
    {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near]));
    }
    error
}

/// Help and the version go to stdout and are good; everything else goes to stderr and is a usage error.
fn tell_usage(error: &clap::Error, console: &mut Console) -> Exit {
    let text = error.render();
    if error.use_stderr() {
        // It quotes what was typed. Where that could move the cursor, it is shown escaped and without colour.
        let plain: Vec<String> = text.to_string().lines().map(escape).collect();
        let harmless = plain.iter().map(String::as_str).eq(text.to_string().lines());
        let coloured = harmless && console.stderr_color();
        console.say(&if coloured { text.ansi().to_string() } else { plain.join("\n") });
        return Exit::Usage;
    }
    let text = if console.style().colour { text.ansi().to_string() } else { text.to_string() };
    match console.document(&replay::by_name(&text, &console.program)) {
        Ok(()) => Exit::Good,
        Err(error) => {
            console.error(&error);
            error.exit()
        }
    }
}
