//! What is written while a sweep runs: one line for every run that is over, appended and made safe in groups.
//!
//! A process that is killed loses what it was simulating, and nothing that it had appended; a machine that loses
//! power loses what was not yet made safe, half a second at most. Either may leave a torn line: the next
//! reader finds it by its checksum.

use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::progress::now;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Lines are made safe at least this often.
const GROUP: Duration = Duration::from_millis(500);

/// A file that grows by whole lines.
#[derive(Debug)]
pub struct Journal {
    file: DiskFile,
    path: PathBuf,
    length: u64,
    unsafe_since: Option<Instant>,
}

impl Journal {
    /// Goes on at the end of a file that is there.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self> {
        let fail = |cause| Error::file("cannot write", path, cause);
        let file = disk.open(OpenOptions::new().append(true), path).map_err(fail)?;
        let length = file.length().map_err(fail)?;
        Ok(Journal { file, path: path.into(), length, unsafe_since: None })
    }

    /// Adds a line. If it does not fit, the file is as it was before.
    pub fn append(&mut self, line: &str) -> Result<()> {
        if let Err(cause) = self.file.write_all(line.as_bytes()) {
            let _ = self.file.set_len(self.length);
            let _ = self.file.sync_data();
            return Err(Error::file("cannot write", &self.path, cause));
        }
        self.length += line.len() as u64;
        self.unsafe_since.get_or_insert_with(now);
        self.settle()
    }

    /// Makes lines safe that have waited long enough.
    pub fn settle(&mut self) -> Result<()> {
        match self.unsafe_since {
            Some(since) if since.elapsed() >= GROUP => self.sync(),
            _ => Ok(()),
        }
    }

    /// Makes every line safe.
    pub fn sync(&mut self) -> Result<()> {
        if self.unsafe_since.take().is_some() {
            self.file.sync_data().map_err(|cause| Error::file("cannot write", &self.path, cause))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_to_what_is_there() {
        let path = std::env::temp_dir().join(format!("brownout-journal-{}", std::process::id()));
        std::fs::write(&path, "one\n").unwrap();
        let mut journal = Journal::open(&Disk::default(), &path).unwrap();
        journal.append("two\n").unwrap();
        journal.append("three\n").unwrap();
        journal.sync().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        std::fs::remove_file(&path).unwrap();
    }
}
