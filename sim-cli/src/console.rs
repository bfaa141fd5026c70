//! The streams a command talks to, and how it talks to them.
//!
//! One document goes to stdout, in one piece and flushed; everything else goes to stderr, where a failure
//! to write is nobody's concern. Nothing here is global: a test hands in two vectors.

use crate::args::{Color, Global};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::jobs::threads;
use crate::memory::Memory;
use crate::replay::{PROJECT, by_name};
use crate::signal::Interrupt;
use crate::text::{Style, escape};
use std::io::{ErrorKind, IsTerminal, Read, Write};

/// Width of text that does not go to a terminal, so that the bytes are the same everywhere.
pub const PLAIN_WIDTH: usize = 100;

/// The streams of the process, or a test's.
pub struct Console<'a> {
    /// Where an experiment named `-` comes from.
    pub stdin: &'a mut dyn Read,
    /// Takes the one document.
    pub stdout: &'a mut dyn Write,
    /// Takes everything else.
    pub stderr: &'a mut dyn Write,
    /// It is the terminal, or what is in its place, of a process of ours.
    pub of_process: bool,
    /// Somebody types on stdin.
    pub stdin_terminal: bool,
    /// It was read already.
    pub stdin_read: bool,
    /// Columns of the terminal behind stdout, if there is one.
    pub stdout_terminal: Option<usize>,
    /// Columns of the terminal behind stderr, if there is one.
    pub stderr_terminal: Option<usize>,
    /// `NO_COLOR` is set and not empty, or the terminal is dumb.
    pub plain: bool,
    /// The terminal cannot draw more than ASCII.
    pub ascii: bool,
    /// A GitHub workflow reads along: `GITHUB_ACTIONS` is `true`.
    pub github: bool,
    /// Set by signals.
    pub interrupt: Interrupt,
    /// Where files are written.
    pub disk: Disk,
    /// `--quiet`.
    pub quiet: bool,
    /// `--color`.
    pub color: Color,
    /// What the program is called.
    pub program: String,
}

impl<'a> Console<'a> {
    /// Streams that are not terminals.
    pub fn captured(stdin: &'a mut dyn Read, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Console {
            stdin,
            stdout,
            stderr,
            of_process: false,
            stdin_terminal: false,
            stdin_read: false,
            stdout_terminal: None,
            stderr_terminal: None,
            plain: false,
            ascii: false,
            github: false,
            interrupt: Interrupt::default(),
            disk: Disk::default(),
            quiet: false,
            color: Color::Auto,
            program: PROJECT.into(),
        }
    }

    /// The streams of this process.
    pub fn of_process(
        stdin: &'a mut std::io::Stdin,
        stdout: &'a mut std::io::Stdout,
        stderr: &'a mut std::io::Stderr,
        interrupt: Interrupt,
    ) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = |terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>| {
            terminal.then(|| size.map_or(80, |(width, _)| usize::from(width.0)))
        };
        Console {
            of_process: true,
            stdin_terminal: stdin.is_terminal(),
            stdout_terminal: columns(stdout.is_terminal(), terminal_size::terminal_size_of(&*stdout)),
            stderr_terminal: columns(stderr.is_terminal(), terminal_size::terminal_size_of(&*stderr)),
            plain: set("NO_COLOR") || dumb,
            ascii: dumb,
            github: std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            disk: Disk::of_process(interrupt.clone()),
            interrupt,
            ..Console::captured(stdin, stdout, stderr)
        }
    }

    /// Takes over what the command line says about talking.
    pub fn configure(&mut self, global: &Global) {
        self.quiet = global.quiet;
        self.color = global.color;
        // A test has a console and no machine.
        let machine = || self.of_process.then(Memory::of_machine).flatten();
        if let Some(bytes) = global.max_memory.or_else(machine) {
            self.interrupt.keep_within(Memory { bytes, runs: threads(global.jobs) as u64 });
        }
        if let Some(time) = global.max_wall {
            self.interrupt.end_within(time);
        }
    }

    /// How to draw what goes to stdout.
    pub fn style(&self) -> Style {
        Style {
            width: self.stdout_terminal.unwrap_or(PLAIN_WIDTH).clamp(60, 200),
            colour: self.colored(self.stdout_terminal),
            unicode: !(self.ascii && self.stdout_terminal.is_some()),
        }
    }

    /// Whether what goes to stderr may be coloured.
    pub fn stderr_color(&self) -> bool {
        self.colored(self.stderr_terminal)
    }

    /// Columns for what goes to stderr.
    pub fn stderr_width(&self) -> usize {
        self.stderr_terminal.unwrap_or(PLAIN_WIDTH).clamp(60, 160)
    }

    fn colored(&self, terminal: Option<usize>) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal.is_some() && !self.plain,
        }
    }

    /// Writes the document, all of it, or says why not.
    pub fn document(&mut self, text: &str) -> Result<()> {
        let written = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush());
        written.map_err(|cause| match cause.kind() {
            ErrorKind::BrokenPipe => Error::ClosedPipe,
            _ => Error::Io("cannot write to standard output".into(), cause),
        })
    }

    /// Something worth knowing that is not the result; silent under `--quiet`.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Something that must be known.
    pub fn say(&mut self, text: &str) {
        let text = by_name(text.trim_end(), &self.program);
        let _ = writeln!(self.stderr, "{text}").and_then(|()| self.stderr.flush());
    }

    /// An error, in red where there is colour.
    pub fn error(&mut self, error: &Error) {
        let (red, reset) = if self.stderr_color() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        match error {
            Error::ClosedPipe => {}
            Error::Invalid { rendered } => self.say(rendered),
            // It quotes what was typed, and names files.
            other => {
                let lines: Vec<String> = other.to_string().lines().map(escape).collect();
                self.say(&format!("{red}error{reset}: {}", lines.join("\n")));
            }
        }
    }
}
