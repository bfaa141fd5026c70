//! Files are read with care: regular files only and at most [`LIMIT`] bytes, so that a device or a pipe never hangs us.
//! How they are written is [`disk`](crate::disk)'s.

use crate::error::{Error, Result};
use std::fs;
use std::io::{self, ErrorKind, Read};
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
    let why = format!("it is larger than {} MiB, the most that is read", limit >> 20);
    io::Error::new(ErrorKind::InvalidData, why)
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
