//! The program in a folder of its own, asked as from a command line.

use serde_json::Value;
use sim_cli::{Console, Exit};
use sim_models::Catalog;
use std::fs;
use std::path::PathBuf;

/// A folder with files, and the program, which knows some models.
pub struct Bench {
    folder: tempfile::TempDir,
    catalog: Catalog,
    /// What every command line begins with.
    command: &'static [&'static str],
}

/// How a command ended, and what it said.
pub struct Said {
    /// Its exit code.
    pub exit: Exit,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Bench {
    /// With these files: names and texts.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        Bench { folder, catalog: Catalog::bundled(), command: &[] }
    }

    /// The program knows these models instead.
    #[must_use]
    pub fn knowing(self, catalog: Catalog) -> Self {
        Bench { catalog, ..self }
    }

    /// Every command line begins with these words.
    #[must_use]
    pub fn always(self, command: &'static [&'static str]) -> Self {
        Bench { command, ..self }
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What stands in a file of the folder.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect(name)
    }

    /// `brownout` with these words; what begins with `@` is a path in the folder.
    pub fn run(&self, words: &(impl Words + ?Sized)) -> Said {
        self.run_with(words, |_| ())
    }

    /// The same at a console that was made to be otherwise.
    pub fn run_with(&self, words: &(impl Words + ?Sized), change: impl FnOnce(&mut Console)) -> Said {
        let (mut stdin, mut out, mut err) = (std::io::empty(), Vec::new(), Vec::new());
        let mut console = Console::captured(&mut stdin, &mut out, &mut err);
        change(&mut console);
        let words = words.words();
        let word = |word: &&str| match word.strip_prefix('@') {
            Some(name) => self.path(name).into_os_string(),
            None => word.into(),
        };
        let words = ["brownout"].iter().chain(self.command).chain(&words).map(word);
        let exit = sim_cli::run_with(&self.catalog, words, console);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("everything we print is text");
        Said { exit, out: text(out), err: text(err) }
    }

    /// The same, which must go well.
    #[track_caller]
    pub fn good(&self, words: &(impl Words + ?Sized)) -> Said {
        let said = self.run(words);
        assert_eq!(said.exit, Exit::Good, "{:?}\n{}", words.words(), said.err);
        said
    }

    /// The page that it prints, which must go well.
    #[track_caller]
    pub fn page(&self, words: &(impl Words + ?Sized)) -> String {
        self.good(words).out
    }

    /// The document that it prints, which must go well.
    #[track_caller]
    pub fn json(&self, words: &(impl Words + ?Sized)) -> Value {
        let words = [words.words(), vec!["--format", "json"]].concat();
        serde_json::from_str(&self.page(&words)).expect("one JSON document")
    }
}

/// A command line: words, or a text in which spaces part them.
pub trait Words {
    /// Its words.
    fn words(&self) -> Vec<&str>;
}

impl Words for str {
    fn words(&self) -> Vec<&str> {
        self.split(' ').collect()
    }
}

impl Words for String {
    fn words(&self) -> Vec<&str> {
        self.as_str().words()
    }
}

impl Words for [&str] {
    fn words(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl Words for Vec<&str> {
    fn words(&self) -> Vec<&str> {
        self.clone()
    }
}

impl<const N: usize> Words for [&str; N] {
    fn words(&self) -> Vec<&str> {
        self.to_vec()
    }
}
