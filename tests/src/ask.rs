//! The program, asked once within this process: how it ended, what it said, how long that took.

use sim_cli::Console;
use sim_models::Catalog;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir, tempdir_in};

/// How it ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: u8,
    /// Standard output, which may be bytes where a file is written to it.
    pub bytes: Vec<u8>,
    /// The same as text.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

/// `brownout` with these words and this standard input, at a console that was made to be otherwise.
#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is tested")]
pub fn ask<W: Into<OsString>>(
    words: impl IntoIterator<Item = W>,
    mut input: &[u8],
    change: impl FnOnce(&mut Console),
) -> Ran {
    let words = std::iter::once("brownout".into()).chain(words.into_iter().map(Into::into));
    let words: Vec<OsString> = words.collect();
    let (mut bytes, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console::captured(&mut input, &mut bytes, &mut stderr);
    change(&mut console);
    let begun = Instant::now();
    let code = sim_cli::run_with(&Catalog::bundled(), words, console).code();
    let took = begun.elapsed();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code, stdout: text(&bytes), stderr: text(&stderr), bytes, took }
}

/// The words of a line on one thread; DIR in it is this folder.
pub fn words_in(folder: &Path, line: &str) -> Vec<OsString> {
    let folder = folder.to_str().expect("temporary folders have plain names");
    format!("{line} --jobs 1").split(' ').map(|word| OsString::from(word.replace("DIR", folder))).collect()
}

/// A folder in memory, where there is such a place: what is made safe thousands of times need not be.
pub fn folder_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempdir_in(memory) } else { tempdir() };
    folder.expect("a temporary folder")
}

/// Whether a terminal would take a character for an order.
pub fn is_raw(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
}

/// The most memory that this process had, since it was last forgotten, in KiB; where the system tells.
pub fn peak_kib(forget: bool) -> u64 {
    if forget {
        let _ = fs::write("/proc/self/clear_refs", "5");
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
