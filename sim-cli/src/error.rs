//! What can go wrong, and what it does to the exit code.

use crate::text::escape_path;
use std::fmt;
use std::io;
use std::path::Path;

/// How a command ended. The numbers are a promise: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked, and what was expected holds.
    Good = 0,
    /// A file or a stream could not be read or written.
    Io = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// An experiment is invalid.
    Invalid = 3,
    /// An expectation, a comparison or a verification failed.
    Failed = 4,
    /// A limit was reached: the result covers only a part of the run, and says so.
    Limit = 5,
    /// A bug of brownout.
    Bug = 6,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM or SIGHUP.
    Terminated = 143,
}

impl Exit {
    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command produced no result. What it did produce and what is wrong with that is an [`Exit`].
#[derive(Debug)]
pub enum Error {
    /// A file or a stream: what was being done, and what the system said.
    Io(String, io::Error),
    /// Who read our output has gone (`| head`): not worth a word.
    ClosedPipe,
    /// The command line makes no sense: what is wrong, and what to type instead.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it; may be empty.
        help: String,
    },
    /// Invalid experiments, already in the words and colours of diagnostics.
    Invalid {
        /// The rendered problems.
        rendered: String,
    },
    /// What was asked for could not be established: nothing to compare with, a golden file is missing.
    Failed(String),
    /// A bug of brownout: what it said, and the command that shows it again.
    Bug {
        /// The message of the panic.
        message: String,
        /// The command line that repeats it.
        replay: String,
    },
    /// Stopped by a signal before there was anything to show.
    Stopped(Exit),
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A usage error without further help.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::Usage { message: message.into(), help: String::new() }
    }

    /// A file that could not be read, written ..: `doing` is "cannot read".
    pub fn file(doing: &str, path: &Path, cause: io::Error) -> Self {
        Error::Io(format!("{doing} {}", escape_path(path)), cause)
    }

    /// The exit code it amounts to.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Io(..) => Exit::Io,
            Error::ClosedPipe => Exit::Good,
            Error::Usage { .. } => Exit::Usage,
            Error::Invalid { .. } => Exit::Invalid,
            Error::Failed(_) => Exit::Failed,
            Error::Bug { .. } => Exit::Bug,
            Error::Stopped(exit) => *exit,
        }
    }
}

/// Without "error: " and without a newline at the end.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Io(doing, cause) => write!(f, "{doing}: {}", describe(cause)),
            Error::ClosedPipe => Ok(()),
            Error::Usage { message, help } if help.is_empty() => f.write_str(message),
            Error::Usage { message, help } => write!(f, "{message}\n{help}"),
            Error::Invalid { rendered } => f.write_str(rendered.trim_end()),
            Error::Failed(message) => f.write_str(message),
            Error::Bug { message, replay } => write!(
                f,
                "this is a bug in brownout: {message}\n  please report it with this command, which repeats it:\n    {replay}"
            ),
            Error::Stopped(Exit::Interrupted) => f.write_str("interrupted before there was a result"),
            Error::Stopped(Exit::Limit) => {
                f.write_str("the time was up before there was a result (--max-wall)")
            }
            Error::Stopped(_) => f.write_str("terminated before there was a result"),
        }
    }
}

/// What the system said, without Rust's "(os error 2)".
fn describe(cause: &io::Error) -> String {
    let text = cause.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The words of a panic.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
