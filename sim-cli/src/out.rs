//! The folder of `--out`: where the files of a result go, and nobody else's file is harmed.

use crate::error::{Error, Result};
use crate::files::{kind, other, refuse_unless_regular, replace};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder for results. It keeps a list of the files we wrote there; only those are ever replaced.
#[derive(Debug)]
pub struct OutDir {
    path: PathBuf,
    ours: Vec<String>,
}

const LIST: &str = ".brownout";
const LIST_HEAD: &str = "brownout output 1";

impl OutDir {
    /// Makes the folder (not its parents) and shows, before anything is simulated, that `names` can be
    /// written there.
    pub fn prepare(path: &Path, names: &[&str]) -> Result<Self> {
        match fs::create_dir(path) {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                return Err(Error::file("cannot make the folder", path, cause));
            }
            _ => {}
        }
        let metadata = fs::metadata(path).map_err(|cause| Error::file("cannot write to", path, cause))?;
        if !metadata.is_dir() {
            let cause = other(format!("it is {}, not a folder", kind(&metadata)));
            return Err(Error::file("cannot write to", path, cause));
        }
        let ours = match fs::read_to_string(path.join(LIST)) {
            Ok(list) if list.lines().next() == Some(LIST_HEAD) => {
                list.lines().skip(1).map(String::from).collect()
            }
            _ => Vec::new(),
        };
        let mut folder = OutDir { path: path.into(), ours };
        for name in names {
            let file = path.join(name);
            refuse_unless_regular(&file)?;
            if !folder.ours.iter().any(|ours| ours == name) && file.exists() {
                let cause = other("it exists and was not written by brownout; choose another folder".into());
                return Err(Error::file("cannot write", &file, cause));
            }
        }
        for name in names {
            if !folder.ours.iter().any(|ours| ours == name) {
                folder.ours.push((*name).into());
            }
        }
        // Written first: it is the proof that the folder can be written to.
        let list = [LIST_HEAD].into_iter().chain(folder.ours.iter().map(String::as_str));
        replace(&path.join(LIST), (list.collect::<Vec<_>>().join("\n") + "\n").as_bytes())?;
        Ok(folder)
    }

    /// Writes one of the files that were announced.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        assert!(self.ours.iter().any(|ours| ours == name), "{name} was not announced");
        replace(&self.path.join(name), bytes)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
