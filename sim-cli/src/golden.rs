//! Golden snapshots: the pages of an experiment as text that a person reviews in a diff, and beside it what a
//! program needs to explain one.

pub mod facts;
pub mod moved;
pub mod whose;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::files;
use crate::text::escape;
use facts::Facts;
use std::io::ErrorKind;
use std::path::Path;

/// The first line of every snapshot. A file that begins otherwise is not ours to replace.
const HEAD: &str = "brownout snapshot 1";
/// The most lines of a difference that are shown.
const SHOWN: usize = 20;

/// What comparing with a snapshot came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Golden {
    /// It is the same.
    Same,
    /// It is not; the first lines that differ.
    Differs {
        /// The lines, `-` as it was and `+` as it is.
        difference: String,
        /// What the snapshot remembers, or why it does not.
        before: std::result::Result<Facts, String>,
    },
    /// There is none, and there should be.
    Missing,
    /// It was written.
    Written,
}

impl Golden {
    /// Whether that is a failure.
    pub fn failed(&self) -> bool {
        matches!(self, Golden::Differs { .. } | Golden::Missing)
    }

    /// In words.
    pub fn words(&self) -> &'static str {
        match self {
            Golden::Same => "snapshot same",
            Golden::Differs { .. } => "snapshot differs",
            Golden::Missing => "snapshot missing: --bless writes it",
            Golden::Written => "snapshot written",
        }
    }
}

/// The snapshot of an experiment: the pages of its runs.
pub fn snapshot(name: &str, pages: &[String]) -> String {
    format!("{HEAD}: {}\n\n{}", escape(name), pages.join("\n\n"))
}

/// Compares, or writes if `bless`, together with its facts. A snapshot that is not there is a failure where there
/// `must` be one.
pub fn compare(
    disk: &Disk,
    path: &Path,
    now: &str,
    facts: &Facts,
    bless: bool,
    must: bool,
) -> Result<Option<Golden>> {
    let before = match std::fs::symlink_metadata(path) {
        Ok(_) => Some(String::from_utf8_lossy(&files::read(path, files::LIMIT)?).into_owned()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(cause) => return Err(Error::file("cannot read", path, cause)),
    };
    match before {
        Some(before) if bless && before != now && !before.starts_with(HEAD) => {
            let cause =
                std::io::Error::other(format!("it does not begin with \"{HEAD}\", so it is not replaced"));
            Err(Error::file("cannot write", path, cause))
        }
        before if bless => {
            // The facts first: without their snapshot they are believed about nothing.
            if Facts::read(path, now)?.as_ref() != Ok(facts) {
                facts.write(disk, path)?;
            }
            if before.as_deref() == Some(now) {
                return Ok(Some(Golden::Same));
            }
            disk.replace(path, now.as_bytes())?;
            Ok(Some(Golden::Written))
        }
        Some(before) if before == now => Ok(Some(Golden::Same)),
        Some(before) => {
            let facts = Facts::read(path, &before)?;
            Ok(Some(Golden::Differs { difference: difference(&before, now), before: facts }))
        }
        None if must => Ok(Some(Golden::Missing)),
        None => Ok(None),
    }
}

/// What stands between the common beginning and the common end.
fn difference(before: &str, now: &str) -> String {
    if before.replace("\r\n", "\n") == now {
        return "only its line ends differ: it was saved with CRLF".into();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = (old.len() - same).min(new.len() - same);
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let removed = old[same..old.len() - tail].iter().map(|line| format!("- {line}"));
    let added = new[same..new.len() - tail].iter().map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = vec![format!("from line {}:", same + 1)];
    let (removed, added): (Vec<_>, Vec<_>) = (removed.collect(), added.collect());
    for side in [removed, added] {
        let more = side.len().saturating_sub(SHOWN);
        lines.extend(side.into_iter().take(SHOWN).map(|line| escape(&line)));
        if more > 0 {
            lines.push(format!("  and {more} more lines"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_the_lines_that_differ_are_shown() {
        assert_eq!(difference("a\nb\nc\nd\n", "a\nB\nc\nd\n"), "from line 2:\n- b\n+ B");
        assert_eq!(difference("a\n", "a\nb\n"), "from line 2:\n+ b");
        assert_eq!(difference("a\na\n", "a\n"), "from line 2:\n- a");
        assert_eq!(difference("a\r\n", "a\n"), "only its line ends differ: it was saved with CRLF");
    }
}
