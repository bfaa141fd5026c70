//! Where experiments come from: bundled ones by name, the user's own by path or from `--dir`.

use crate::app::App;
use crate::error::{Error, Result};
use crate::files;
use crate::result::fields;
use crate::text::{escape, escape_path};
use sim_models::catalog::Bundled;
use sim_models::experiment::{Folder, no_such};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Every experiment of brownout, by family and name.
pub const BUNDLED: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// What stands beside them, by family: the name of each file, and what it says.
const BESIDE: &[(&str, &[(&str, &str)])] = include!(concat!(env!("OUT_DIR"), "/beside.rs"));

/// An experiment file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The base name, for people and for the report.
    pub name: String,
    /// The family, of bundled experiments and of those in a sub-folder of `--dir`.
    pub family: Option<String>,
    /// How messages call the file: a path, `<stdin>`, or `experiments/family/name.ron`.
    pub shown: String,
    /// What names it on a command line again.
    pub argument: String,
    /// Where the file is, if it is one.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The files beside it, by their names, where they came with it.
    pub beside: Option<BTreeMap<String, String>>,
}

impl Found {
    /// The folder that it may name files of.
    pub fn folder(&self) -> Folder {
        if let Some(files) = &self.beside {
            return Folder::of(files.clone());
        }
        if let Some(path) = self.path.clone() {
            return Folder::new(move |name| read_beside(&path, name));
        }
        let Some(family) = &self.family else { return Folder::none() };
        let files = BESIDE.iter().find(|(it, _)| it == family).map_or(&[][..], |(_, files)| files);
        Folder::new(move |name| match files.iter().find(|(it, _)| *it == name) {
            Some((_, text)) => Ok((*text).into()),
            None => {
                let why = no_such(name, files.iter().map(|(it, _)| *it));
                Err(format!(
                    "{why} (an experiment that is part of the program has no files but those that came with it: \
                     `show` it into a file of your own)"
                ))
            }
        })
    }
}

impl Found {
    /// The files that came with an experiment of the program's own and that it names: a copy of it needs them beside it.
    pub fn files(&self) -> Vec<(&'static str, &'static str)> {
        let Some(family) = self.family.as_deref().filter(|_| self.path.is_none() && self.beside.is_none())
        else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&self.bytes);
        let files = BESIDE.iter().find(|(it, _)| *it == family).map_or(&[][..], |(_, files)| files);
        files.iter().filter(|(name, _)| text.contains(&format!("\"{name}\""))).copied().collect()
    }
}

/// The text of a file in an experiment's folder, or below it.
fn read_beside(experiment: &Path, name: &str) -> Result<String, String> {
    let folder = experiment.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = folder.join(name);
    let whole = path.canonicalize().map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => {
            let there = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut there: Vec<String> = there.filter_map(|it| it.file_name().into_string().ok()).collect();
            there.retain(|name| !name.ends_with(".ron"));
            there.sort_unstable();
            no_such(name, there.iter().map(String::as_str))
        }
        _ => cause.to_string(),
    })?;
    let inside = folder.canonicalize().is_ok_and(|folder| whole.starts_with(folder));
    if !inside {
        return Err("it is a link that leads out of the experiment's folder".into());
    }
    let bytes = files::read(&whole, files::LIMIT).map_err(|error| match error {
        Error::Io(_, cause) => cause.to_string(),
        other => other.to_string(),
    })?;
    String::from_utf8(bytes).map_err(|_| "it is no text: save it as UTF-8".into())
}

impl App<'_> {
    /// The experiment that `argument` names: `-`, a path, a name in `--dir`, a bundled name, in this order.
    pub fn find(&mut self, argument: &str) -> Result<Found> {
        if argument == "-" {
            if self.console.stdin_terminal {
                self.console.note("reading an experiment from the terminal: end it with Ctrl-D");
            }
            if std::mem::replace(&mut self.console.stdin_read, true) {
                return Err(Error::usage("standard input can be read once, and `-` is named twice"));
            }
            let bytes = files::read_limited(&mut *self.console.stdin, files::LIMIT)
                .map_err(|cause| no_experiment(Error::Io("cannot read standard input".into(), cause)))?;
            return Ok(Found {
                name: "stdin".into(),
                family: None,
                shown: "<stdin>".into(),
                argument: "-".into(),
                path: None,
                bytes,
                beside: None,
            });
        }
        let bundled = self
            .bundled()
            .find(|b| argument == b.name || argument.split_once('/') == Some((b.family, b.name)));
        let own = self.own()?.into_iter().find(|own| own.answers_to(argument));
        if let Some(own) = own {
            if bundled.is_some() {
                self.console.note(&format!(
                    "note: {} comes before the bundled experiment {argument}",
                    escape_path(&own.path)
                ));
            }
            return own.read();
        }
        if let Some(bundled) = bundled {
            if Path::new(argument).is_file() {
                self.console.note(&format!(
                    "note: this is the bundled experiment {argument}; the file here is ./{argument}"
                ));
            }
            return Ok(bundled.into());
        }
        if is_path(argument) {
            return read_path(Path::new(argument)).map_err(|error| not_there(Path::new(argument), error));
        }
        Err(self.unknown(argument))
    }

    /// The same where it is there, without a word.
    pub fn known(&self, argument: &str) -> Option<Found> {
        let own = self.own().ok()?.into_iter().find(|own| own.answers_to(argument));
        let bundled = || self.bundled().find(|it| it.name == argument).map(Found::from);
        let file = || Path::new(argument).is_file().then(|| read_path(Path::new(argument)).ok());
        own.and_then(|own| own.read().ok()).or_else(bundled).or_else(|| file().flatten())
    }

    /// The experiments that are part of the program: those that came with the models of somebody else, and ours.
    pub fn bundled(&self) -> impl Iterator<Item = &'static Bundled> {
        self.catalog.experiments().chain(BUNDLED)
    }

    /// The experiments of `--dir`, by family and name.
    pub fn own(&self) -> Result<Vec<Own>> {
        let Some(dir) = &self.global.dir else { return Ok(Vec::new()) };
        let mut own = Vec::new();
        collect(dir, None, &mut own)?;
        own.sort_by(|a, b| (&a.family, &a.name).cmp(&(&b.family, &b.name)));
        Ok(own)
    }

    fn unknown(&self, argument: &str) -> Error {
        let own = self.own().unwrap_or_default();
        let names = self.bundled().map(|b| b.name.to_string()).chain(own.into_iter().map(|own| own.name));
        let base = argument.rsplit('/').next().unwrap_or(argument);
        let mut help = String::new();
        let file = format!("{argument}.ron");
        if argument.contains(['.', '[']) && fields::at(&self.catalog, argument).is_ok() {
            let help = format!("  it is a field: {} explain --field '{}'", self.program, escape(argument));
            return Error::Usage {
                message: format!("there is no experiment called `{}`", escape(argument)),
                help,
            };
        }
        if Path::new(&file).is_file() {
            help = format!("  did you mean `./{}`?\n", escape(&file));
        } else if let Some(nearest) = nearest(base, names) {
            help = format!("  did you mean `{nearest}`?\n");
        }
        help.push_str(
            "  `brownout list` shows all names; a file of your own is named by its path: ./mine.ron",
        );
        Error::Usage { message: format!("there is no experiment called `{}`", escape(argument)), help }
    }
}

/// The name that was most likely meant: a letter or two off, or a part of it.
pub fn nearest(wrong: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.into_iter().collect();
    let near = sim_models::experiment::nearest(wrong, names.iter().map(String::as_str));
    let part = || {
        let wrong = wrong.to_lowercase();
        names.iter().find(|name| wrong.len() >= 3 && name.to_lowercase().contains(&wrong)).map(String::as_str)
    };
    near.or_else(part).map(String::from)
}

/// Whether an argument is a path and not a name.
fn is_path(argument: &str) -> bool {
    argument.contains(['/', '\\']) || argument.ends_with(".ron") || matches!(argument, "." | "..")
}

/// What was not found may be called a little otherwise.
fn not_there(path: &Path, error: Error) -> Error {
    let (Error::Io(doing, cause), Some(name)) = (&error, path.file_name().and_then(|name| name.to_str()))
    else {
        return error;
    };
    if cause.kind() != std::io::ErrorKind::NotFound {
        return error;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".ron"));
    names.sort_unstable();
    match sim_models::experiment::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => {
            let near = escape_path(&path.with_file_name(near));
            let cause = std::io::Error::new(cause.kind(), format!("no such file; did you mean `{near}`?"));
            Error::Io(doing.clone(), cause)
        }
        None => error,
    }
}

/// Reads an experiment by path.
fn read_path(path: &Path) -> Result<Found> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let shown = path.to_string_lossy().into_owned();
    Ok(Found {
        name: stem,
        family: None,
        argument: shown.clone(),
        shown,
        path: Some(path.into()),
        bytes: files::read(path, files::LIMIT).map_err(no_experiment)?,
        beside: None,
    })
}

/// A file that is too large for an experiment can be read, and is none.
fn no_experiment(error: Error) -> Error {
    match &error {
        Error::Io(_, cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
            Error::Invalid { rendered: format!("error: {error}") }
        }
        _ => error,
    }
}

/// As if it had been read from a file.
impl From<&Bundled> for Found {
    fn from(bundled: &Bundled) -> Self {
        Found {
            name: bundled.name.into(),
            family: Some(bundled.family.into()),
            shown: format!("experiments/{}/{}.ron", bundled.family, bundled.name),
            argument: bundled.name.into(),
            path: None,
            bytes: bundled.text.as_bytes().to_vec(),
            beside: None,
        }
    }
}

/// An experiment of `--dir`.
#[derive(Clone, Debug)]
pub struct Own {
    /// The sub-folder, if it is in one.
    pub family: Option<String>,
    /// Its base name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl Own {
    fn answers_to(&self, argument: &str) -> bool {
        argument == self.name
            || self
                .family
                .as_deref()
                .is_some_and(|family| argument.split_once('/') == Some((family, &self.name)))
    }

    /// Reads it.
    pub fn read(&self) -> Result<Found> {
        Ok(Found { family: self.family.clone(), name: self.name.clone(), ..read_path(&self.path)? })
    }
}

/// Every `.ron` of a folder and of the folders in it, no deeper.
fn collect(dir: &Path, family: Option<&str>, own: &mut Vec<Own>) -> Result<()> {
    let fail = |cause| Error::file("cannot list the folder", dir, cause);
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.is_dir() && family.is_none() {
            if let Some(folder) = path.file_name().and_then(|folder| folder.to_str()) {
                collect(&path, Some(folder), own)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            own.push(Own { family: family.map(String::from), name: name.into(), path: path.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let names = || ["retry-storm", "recovery-herd", "bulkhead"].map(String::from);
        assert_eq!(nearest("retrystorm", names()), Some("retry-storm".into()));
        assert_eq!(nearest("storm", names()), Some("retry-storm".into()));
        assert_eq!(nearest("xyz", names()), None);
    }

    #[test]
    fn an_experiment_reads_what_stands_in_its_folder_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("mine");
        std::fs::create_dir_all(inside.join("days")).unwrap();
        for file in ["secret.csv", "mine/day.csv", "mine/days/friday.csv", "mine/mine.ron"] {
            std::fs::write(folder.path().join(file), file).unwrap();
        }
        let experiment = inside.join("mine.ron");
        let mut table = vec![
            ("day.csv", Ok("mine/day.csv")),
            ("days/friday.csv", Ok("mine/days/friday.csv")),
            ("dya.csv", Err("there is no such file: did you mean `day.csv`?")),
            ("days", Err("it is a directory, not a regular file")),
        ];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret.csv", inside.join("out.csv")).unwrap();
            std::os::unix::fs::symlink("days/friday.csv", inside.join("in.csv")).unwrap();
            table.push(("out.csv", Err("it is a link that leads out of the experiment's folder")));
            table.push(("in.csv", Ok("mine/days/friday.csv")));
        }
        for (name, expected) in table {
            let expected = expected.map(String::from).map_err(String::from);
            assert_eq!(read_beside(&experiment, name), expected, "{name}");
        }
    }

    #[test]
    fn base_names_are_unique() {
        let mut names: Vec<_> = BUNDLED.iter().map(|bundled| bundled.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
