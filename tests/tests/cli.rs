//! The command line as its users meet it: in process, with exit code, stdout and stderr looked at together.

#[path = "cli/bugs.rs"]
mod bugs;
#[path = "cli/checks.rs"]
mod checks;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/own_models.rs"]
mod own_models;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/tour.rs"]
mod tour;
#[path = "cli/traces.rs"]
mod traces;

use sim_cli::{Console, Exit};
use sim_models::Catalog;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

/// What a command line came to.
pub struct Ran {
    /// The exit code.
    pub exit: Exit,
    /// The document.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

/// As a snapshot: everything a user or a script can see.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.exit.code(), self.stdout, self.stderr)
    }
}

impl Ran {
    /// With the path of a temporary folder replaced.
    pub fn within(mut self, folder: &Path) -> Self {
        let path = folder.to_str().expect("temporary folders have plain names");
        self.stdout = self.stdout.replace(path, "DIR");
        self.stderr = self.stderr.replace(path, "DIR");
        self
    }
}

/// `brownout <words>`
pub fn brownout(words: &[&str]) -> Ran {
    with_input(words, "")
}

/// The same with something on standard input.
pub fn with_input(words: &[&str], input: &str) -> Ran {
    with_console(&Catalog::bundled(), words, input, |_| {})
}

/// The same with other models, and another console.
pub fn with_console(catalog: &Catalog, words: &[&str], input: &str, change: impl Fn(&mut Console)) -> Ran {
    named("brownout", catalog, words, input, change)
}

/// The same as another program.
pub fn named(
    program: &str,
    catalog: &Catalog,
    words: &[&str],
    input: &str,
    change: impl Fn(&mut Console),
) -> Ran {
    let arguments = std::iter::once(program).chain(words.iter().copied()).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (input.as_bytes(), Vec::new(), Vec::new());
    let mut console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    change(&mut console);
    let exit = sim_cli::run_with(catalog, arguments, console);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("everything we print is text");
    Ran { exit, stdout: text(stdout), stderr: text(stderr) }
}

/// A small experiment: fast, with variants, expectations that hold, and one service.
pub const TOY: &str = r#"(
    about: "One queue. It is served.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("50/s"), policy: "patient")],
        services: {"desk": (workers: Blocking(2), work: Exponential(mean: "10ms"))},
        policies: {"patient": (timeout: "5s")},
    ),
    run: (duration: "20s", seed: 7),
    variants: {"slow": {"services.desk.work": Exponential(mean: "20ms")}},
    expect: [
        (metric: "success", at_least: 0.9),
        (variant: "slow", metric: "amplification", equals: 1.0),
    ],
)
"#;
