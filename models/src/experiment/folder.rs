//! The files that stand beside an experiment. Nothing is read here: whoever can read gives them, by name.
//!
//! An experiment may name a file in its own folder, or in a folder of that; nothing else, so that it can be handed on with what
//! it needs and can be read by nobody's leave: no absolute path, no `..`, and no link that leads out, which is for whoever reads to see.
//! Each is read, and understood, once, however many variants and points of a sweep there are.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

type Read = dyn Fn(&str) -> Result<String, String> + Send + Sync;
type Understood = Result<Arc<dyn Any + Send + Sync>, String>;

/// What stands beside an experiment.
#[derive(Clone)]
pub struct Folder(Arc<Shelf>);

struct Shelf {
    read: Box<Read>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What was read, as it stands there.
    texts: BTreeMap<String, String>,
    /// What it says, to whom.
    understood: BTreeMap<(TypeId, String), Understood>,
}

impl Folder {
    /// A folder whose files are read so: by a name such as `days/friday.csv`, the text, or why there is none.
    pub fn new(read: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static) -> Self {
        Folder(Arc::new(Shelf { read: Box::new(read), known: Mutex::default() }))
    }

    /// What was not read from a file has no folder.
    pub fn none() -> Self {
        Folder::new(|_| Err("this experiment was not read from a file, so nothing stands beside it".into()))
    }

    /// Texts that are at hand, by their names.
    pub fn of(files: BTreeMap<String, String>) -> Self {
        Folder::new(move |name| match files.get(name) {
            Some(text) => Ok(text.clone()),
            None => Err(no_such(name, files.keys().map(String::as_str))),
        })
    }

    /// All that was read of it: what somebody else needs to run the experiment.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.0.known.lock().expect("nobody panics who reads").texts.clone()
    }

    /// What a file says, as `understand` reads it; or why it cannot be had.
    pub(super) fn get<T: Any + Send + Sync>(
        &self,
        name: &str,
        understand: fn(&str) -> T,
    ) -> Result<Arc<T>, String> {
        refuse(name)?;
        // One at a time: a file is read once, though many points of a sweep are looked at together.
        let mut known = self.0.known.lock().expect("nobody panics who reads");
        let Known { texts, understood } = &mut *known;
        let read = || {
            let text = (self.0.read)(name)?;
            let says: Arc<dyn Any + Send + Sync> = Arc::new(understand(&text));
            texts.insert(name.into(), text);
            Ok(says)
        };
        let found = understood.entry((TypeId::of::<T>(), name.into())).or_insert_with(read).clone()?;
        Ok(found.downcast().expect("it is known by its type"))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Folder")
    }
}

/// Names that lead out of the folder.
fn refuse(name: &str) -> Result<(), String> {
    let why = if name.is_empty() {
        "a file has a name"
    } else if name.contains('\\') {
        "folders are told apart by `/`"
    } else if name.starts_with('/') || name.contains(':') {
        "it must stand in the folder of the experiment, or in one below: give its name from there on"
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "it must stand in the folder of the experiment, or in one below, without `.` and `..`"
    } else {
        return Ok(());
    };
    Err(why.into())
}

/// What is said where there is no file of that name among those that there are.
pub fn no_such<'a>(name: &str, there: impl IntoIterator<Item = &'a str>) -> String {
    match super::diagnostic::nearest(name, there) {
        Some(near) => format!("there is no such file: did you mean `{near}`?"),
        None => "there is no such file".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let folder = Folder::new(|_| Ok(String::new()));
        for (name, inside) in [
            ("day.csv", true),
            ("days/friday.csv", true),
            ("..csv", true),
            ("", false),
            ("/etc/passwd", false),
            ("../day.csv", false),
            ("days/../../day.csv", false),
            ("./day.csv", false),
            ("days//friday.csv", false),
            ("C:/day.csv", false),
            ("..\\day.csv", false),
        ] {
            assert_eq!(folder.get(name, str::len).is_ok(), inside, "{name}");
        }
    }

    #[test]
    fn a_file_is_read_once() {
        static READ: AtomicU32 = AtomicU32::new(0);
        let folder = Folder::new(|name| {
            READ.fetch_add(1, Ordering::Relaxed);
            if name == "day.csv" { Ok("1 2 3".into()) } else { Err("not there".into()) }
        });
        let again = folder.clone();
        for folder in [&folder, &again, &folder] {
            assert_eq!(folder.get("day.csv", |text| text.split(' ').count()).map(|it| *it), Ok(3));
            assert_eq!(folder.get("night.csv", str::len), Err("not there".into()));
        }
        assert_eq!(READ.load(Ordering::Relaxed), 2);
    }
}
