//! Everything that is done to the disk goes through here: what is opened to be written, written, made safe, made or moved.
//!
//! A file is written under another name in the same folder, then renamed, so that a reader sees the old file or the new one;
//! never through a symbolic link. A test can let any single step fail, or all from one on, and look at what is left.

use crate::error::{Error, Result};
use crate::files::{other, refuse_unless_regular};
use crate::signal::Interrupt;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The disk. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    interrupt: Interrupt,
    trouble: Option<Arc<Trouble>>,
}

/// So much of a long file is written before it is asked whether there is time for more.
const PIECE: usize = 1 << 20;

/// What a test lets fail.
#[derive(Debug)]
struct Trouble {
    /// The number of the first step that fails, counted from 1.
    from: u64,
    /// Whether all fail from there on.
    lasting: bool,
    done: AtomicU64,
}

impl Disk {
    /// The disk of a process that can be asked to end: not at once any more when something was written.
    pub fn of_process(interrupt: Interrupt) -> Self {
        Disk { interrupt, trouble: None }
    }

    /// Lets the step of this number fail, counted from 1, or all from there on; for those who test what is left then.
    pub fn fail(&mut self, from: u64, lasting: bool) {
        self.trouble = Some(Arc::new(Trouble { from, lasting, done: AtomicU64::new(0) }));
    }

    /// How many steps were taken since.
    pub fn steps(&self) -> u64 {
        self.trouble.as_ref().map_or(0, |trouble| trouble.done.load(Ordering::Relaxed))
    }

    fn step(&self) -> io::Result<()> {
        self.interrupt.begin();
        let Some(trouble) = &self.trouble else { return Ok(()) };
        let number = trouble.done.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = number == trouble.from || (trouble.lasting && number > trouble.from);
        if fails { Err(other(format!("step {number} fails"))) } else { Ok(()) }
    }

    /// Opens a file to be written.
    pub fn open(&self, options: &OpenOptions, path: &Path) -> io::Result<DiskFile> {
        self.step()?;
        Ok(DiskFile { file: options.open(path)?, disk: self.clone() })
    }

    /// Opens a file that is not there yet.
    pub fn open_new(&self, path: &Path) -> io::Result<DiskFile> {
        self.open(OpenOptions::new().write(true).create_new(true), path)
    }

    /// Makes a folder.
    pub fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir(path)
    }

    /// Makes a folder and all above it.
    pub fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir_all(path)
    }

    /// Gives a file or a folder another name.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)
    }

    /// Makes the name of a file as safe as what is in it.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        // A folder is opened like a file on Unix, and nowhere else.
        if cfg!(unix) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())?;
        }
        Ok(())
    }

    /// Writes a file that is not there yet.
    pub fn create(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let fail = |cause: io::Error| Error::file("cannot write", path, cause);
        let mut file = self.open_new(path).map_err(|cause| {
            fail(if cause.kind() == ErrorKind::AlreadyExists {
                other("it exists already, and is not replaced".into())
            } else {
                cause
            })
        })?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.and_then(|()| self.sync_folder(path)).map_err(|cause| {
            let _ = fs::remove_file(path);
            fail(cause)
        })
    }

    /// Replaces a file whole, or leaves it as it was. Whether it may be replaced is the caller's to know.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.replace_unless(&|| false, path, bytes).map(|_| ())
    }

    /// The same; where it is called off on the way, it leaves the file as it was, too, and says so.
    pub fn replace_unless(&self, called_off: &dyn Fn() -> bool, path: &Path, bytes: &[u8]) -> Result<bool> {
        let fail = |cause| Error::file("cannot write", path, cause);
        refuse_unless_regular(path)?;
        let temporary = temporary(path).ok_or_else(|| fail(other("it has no name".into())))?;
        let write = || {
            let mut file = self.open_new(&temporary)?;
            for piece in bytes.chunks(PIECE) {
                file.write_all(piece)?;
                if called_off() {
                    return Ok(false);
                }
            }
            file.sync_all()?;
            self.rename(&temporary, path)?;
            self.sync_folder(path)?;
            Ok(true)
        };
        let written = write();
        if !matches!(written, Ok(true)) {
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(fail)
    }
}

/// What a file is called until it is whole.
pub fn temporary(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(format!(".{}.tmp", std::process::id()));
    Some(path.with_file_name(name))
}

/// Removes what killed writers left of files with such names; for whoever holds the folder.
pub fn clear(folder: &Path, such: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let inner = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".tmp"));
        if inner
            .and_then(|inner| inner.rsplit_once('.'))
            .is_some_and(|(of, pid)| pid.parse::<u32>().is_ok() && such(of))
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    disk: Disk,
}

impl DiskFile {
    /// How long it is.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Cuts it.
    pub fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.step()?;
        self.file.set_len(length)
    }

    /// Makes what is in it safe.
    pub fn sync_data(&self) -> io::Result<()> {
        self.disk.step()?;
        self.file.sync_data()
    }

    /// The same, and what is known of it.
    pub fn sync_all(&self) -> io::Result<()> {
        self.disk.step()?;
        self.file.sync_all()
    }
}

impl Write for DiskFile {
    /// Where it fails, half of it was written: a disk that is full has taken some.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(cause) = self.disk.step() {
            let _ = self.file.write_all(&bytes[..bytes.len() / 2]);
            return Err(cause);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
