//! The folder of `--out`: where the files of a result go, and nobody else's file is harmed.
//!
//! It has one writer at a time, and is as it was before if nothing came of it.

use crate::console::Console;
use crate::disk::{Disk, clear};
use crate::error::{Error, Result};
use crate::files::{kind, other, refuse_unless_regular};
use crate::lock::Lock;
use crate::render::Patience;
use crate::text::escape_path;
use std::cell::{Cell, RefCell};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder for results. It keeps a list of the files we wrote there; only those are ever replaced.
#[derive(Debug)]
pub struct OutDir {
    disk: Disk,
    path: PathBuf,
    ours: Vec<String>,
    /// The list as it was found.
    before: Option<Vec<u8>>,
    /// Whether there was no such folder.
    made: bool,
    written: Cell<bool>,
    /// What was announced and came too late.
    too_late: RefCell<Vec<&'static str>>,
    lock: Option<Lock>,
}

const LIST: &str = ".brownout";
const LIST_HEAD: &str = "brownout output 1";

impl OutDir {
    /// Makes the folder (not its parents), holds it, and shows, before anything is simulated, that `names` can be written
    /// there.
    pub fn prepare(path: &Path, names: &[&str], console: &mut Console) -> Result<Self> {
        let disk = console.disk.clone();
        let made = match disk.create_dir(path) {
            Ok(()) => true,
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => false,
            Err(cause) => return Err(Error::file("cannot make the folder", path, cause)),
        };
        let mut folder = OutDir {
            disk,
            path: path.into(),
            ours: Vec::new(),
            before: None,
            made,
            written: Cell::new(false),
            too_late: RefCell::default(),
            lock: None,
        };
        let metadata = fs::metadata(path).map_err(|cause| Error::file("cannot write to", path, cause))?;
        if !metadata.is_dir() {
            let cause = other(format!("it is {}, not a folder", kind(&metadata)));
            return Err(Error::file("cannot write to", path, cause));
        }
        let (lock, note) = Lock::take(&folder.disk, path)?;
        folder.lock = Some(lock);
        note.iter().for_each(|note| console.note(note));
        folder.before = fs::read(path.join(LIST)).ok();
        let list = folder.before.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        if list.lines().next() == Some(LIST_HEAD) {
            folder.ours = list.lines().skip(1).map(String::from).collect();
        }
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
        clear(path, |name| name == LIST || folder.ours.iter().any(|ours| ours == name));
        // Written first: it is the proof that the folder can be written to.
        let list = [LIST_HEAD].into_iter().chain(folder.ours.iter().map(String::as_str));
        folder.disk.replace(&path.join(LIST), (list.collect::<Vec<_>>().join("\n") + "\n").as_bytes())?;
        Ok(folder)
    }

    /// Refuses to replace a file that was read: what would be compared with would be gone.
    pub fn spare(&self, input: &Path) -> Result<()> {
        let same = |one: &Path, other: &Path| match (fs::canonicalize(one), fs::canonicalize(other)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        };
        match self.ours.iter().map(|name| self.path.join(name)).find(|file| same(file, input)) {
            Some(file) => {
                let message = format!("--out would replace {}, which is read here", escape_path(&file));
                Err(Error::Usage { message, help: "  choose another folder".into() })
            }
            None => Ok(()),
        }
    }

    /// Writes one of the files that were announced.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        assert!(self.ours.iter().any(|ours| ours == name), "{name} was not announced");
        let file = self.path.join(name);
        let done = self.disk.replace(&file, bytes);
        // It may be there whole, and only its name is not yet safe.
        self.written.set(self.written.get() || file.exists());
        done
    }

    /// The same as long as there is time for it. What is too late is not there, and is told: half of it would be taken for
    /// all, and what was there from before for a part of this.
    pub fn write_in_time(
        &self,
        name: &'static str,
        patience: &Patience,
        text: impl FnOnce() -> Result<String>,
    ) -> Result<()> {
        assert!(self.ours.iter().any(|ours| ours == name), "{name} was not announced");
        let file = self.path.join(name);
        let write = || {
            let text = text()?;
            Ok(!patience.ends() && self.disk.replace_unless(&|| patience.ends(), &file, text.as_bytes())?)
        };
        let whole = if patience.ends() { Ok(false) } else { write() };
        if let Ok(false) = whole {
            let _ = fs::remove_file(&file);
            self.too_late.borrow_mut().push(name);
        }
        // It may be there whole, and only its name is not yet safe.
        self.written.set(self.written.get() || file.exists());
        whole.map(|_| ())
    }

    /// For what there was no time.
    pub fn too_late(&self) -> Vec<&'static str> {
        self.too_late.borrow().clone()
    }

    /// What others write here is kept, too.
    pub fn keep(&self) {
        self.written.set(true);
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        if !self.written.get() && self.lock.is_some() {
            let list = self.path.join(LIST);
            let _ = match &self.before {
                Some(before) => self.disk.replace(&list, before).map_err(|_| ()),
                None => fs::remove_file(list).map_err(|_| ()),
            };
        }
        self.lock = None;
        if self.made && !self.written.get() {
            // Not if anybody has put something there.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(path: &Path) -> Result<OutDir> {
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        OutDir::prepare(
            path,
            &["a.json", "b.csv"],
            &mut Console::captured(&mut stdin, &mut stdout, &mut stderr),
        )
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_of_which_nothing_came_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        drop(prepared(&path).unwrap());
        assert!(!path.exists());
        // One that was there stays, and so does what is in it.
        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine.txt"), "mine").unwrap();
        drop(prepared(&path).unwrap());
        assert_eq!(names(&path), ["mine.txt"]);
        let out = prepared(&path).unwrap();
        out.write("a.json", b"{}").unwrap();
        drop(out);
        assert_eq!(names(&path), [".brownout", "a.json", "mine.txt"]);
        let list = fs::read(path.join(LIST)).unwrap();
        drop(prepared(&path).unwrap());
        assert_eq!(fs::read(path.join(LIST)).unwrap(), list);
    }

    #[test]
    fn what_comes_too_late_is_not_there_and_neither_is_what_was_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let out = prepared(folder.path()).unwrap();
        out.write("b.csv", b"of an earlier run").unwrap();
        let asked = Cell::new(0);
        // Time for one file, and for a piece of the next.
        let ends = || asked.replace(asked.get() + 1) >= 5;
        let patience = Patience::until(&ends);
        out.write_in_time("a.json", &patience, || Ok("{}".into())).unwrap();
        assert!(out.too_late().is_empty());
        let long = "x".repeat(8 << 20);
        out.write_in_time("b.csv", &patience, || Ok(long)).unwrap();
        assert_eq!(out.too_late(), ["b.csv"]);
        drop(out);
        assert_eq!(names(folder.path()), [".brownout", "a.json"]);
    }

    #[test]
    fn a_folder_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let out = prepared(folder.path()).unwrap();
        let second = prepared(folder.path()).expect_err("it is held").to_string();
        assert!(second.contains("is writing it"), "{second}");
        // And the one who was refused took nothing away.
        out.write("a.json", b"{}").unwrap();
        drop(out);
        assert_eq!(names(folder.path()), [".brownout", "a.json"]);
    }

    #[test]
    fn what_a_killed_writer_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            [".a.json.123.tmp", "..brownout.9.tmp", ".c.json.123.tmp", ".a.json.x.tmp", "a.json.1.tmp"]
        {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let out = prepared(folder.path()).unwrap();
        out.write("b.csv", b"").unwrap();
        drop(out);
        assert_eq!(
            names(folder.path()),
            [".a.json.x.tmp", ".brownout", ".c.json.123.tmp", "a.json.1.tmp", "b.csv"]
        );
    }

    #[test]
    fn an_output_never_replaces_its_own_input() {
        let folder = tempfile::tempdir().unwrap();
        let out = prepared(folder.path()).unwrap();
        let file = folder.path().join("a.json");
        assert!(out.spare(&file).is_ok(), "nothing is there yet");
        out.write("a.json", b"{}").unwrap();
        fs::write(folder.path().join("other.json"), "{}").unwrap();
        assert!(out.spare(&folder.path().join("./a.json")).is_err());
        assert!(out.spare(&folder.path().join("other.json")).is_ok());
    }
}
