//! Files are read and written with care.
//!
//! Reading: regular files only and at most [`LIMIT`] bytes, so that a device or a pipe never hangs us.
//! Writing: to a temporary file in the same folder, then renamed, so that a reader sees the old file or the
//! new one; never through a symbolic link, and never over a file that we did not write.

use crate::error::{Error, Result};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// The largest experiment file, in bytes.
pub const LIMIT: u64 = 8 << 20;
/// The largest saved report, in bytes.
pub const REPORT_LIMIT: u64 = 1 << 30;

/// Everything in a regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let fail = |cause| Error::file("cannot read", path, cause);
    let metadata = fs::metadata(path).map_err(fail)?;
    if !metadata.is_file() {
        return Err(fail(other(format!("it is {}, not a regular file", kind(&metadata)))));
    }
    if metadata.len() > limit {
        return Err(fail(too_large(limit)));
    }
    let file = fs::File::open(path).map_err(fail)?;
    read_limited(file, limit).map_err(fail)
}

/// Everything in a stream, which must end within `limit` bytes.
pub fn read_limited(stream: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn too_large(limit: u64) -> io::Error {
    other(format!("it is larger than {} MiB, the most that is read", limit >> 20))
}

pub fn other(message: String) -> io::Error {
    io::Error::other(message)
}

pub fn kind(metadata: &fs::Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => "a directory",
        (_, true) => "a file",
        _ => "something else",
    }
}

/// Writes a file that is not there yet.
pub fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |cause: io::Error| Error::file("cannot write", path, cause);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|cause| {
        fail(if cause.kind() == ErrorKind::AlreadyExists {
            other("it exists already, and is not replaced".into())
        } else {
            cause
        })
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|cause| {
        let _ = fs::remove_file(path);
        fail(cause)
    })
}

/// Replaces a file whole, or leaves it as it was. Whether it may be replaced is the caller's to know.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |cause| Error::file("cannot write", path, cause);
    refuse_unless_regular(path)?;
    let name = path.file_name().ok_or_else(|| fail(other("it has no name".into())))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(path));
    written.map_err(|cause| {
        let _ = fs::remove_file(&temporary);
        fail(cause)
    })
}

/// Makes the name of a file as safe as what is in it.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    // A folder is opened like a file on Unix, and nowhere else.
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())?;
    }
    Ok(())
}

/// A place for a file: nothing is there, or a regular file.
pub fn refuse_unless_regular(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(Error::file(
            "cannot write",
            path,
            other("it is a symbolic link, which is not followed".into()),
        )),
        Ok(found) if !found.is_file() => {
            Err(Error::file("cannot write", path, other(format!("it is {}", kind(&found)))))
        }
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Error::file("cannot write", path, cause)),
    }
}
