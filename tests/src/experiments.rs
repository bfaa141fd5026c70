//! The files of `experiments/`.

use sim_models::Catalog;
use sim_models::experiment::{Diagnostics, Experiment, Failed, Folder};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One of them.
pub struct File {
    /// Its folder.
    pub family: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl File {
    /// As it is read.
    pub fn parse(&self) -> Result<(Experiment, Diagnostics), Failed> {
        let name = self.path.to_string_lossy();
        Experiment::parse_beside(&name, &self.text, &beside(), &[], &Catalog::bundled())
    }
}

/// What stands beside any of them, and beside what is generated: each has a name of its own.
pub fn beside() -> Folder {
    static FILES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
        let named = files_below(&folder, "csv").into_iter().map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a readable recording"))
        });
        let generated = RECORDINGS.map(|(name, text)| (name.to_string(), text.to_string()));
        named.chain(generated).collect()
    });
    Folder::of(FILES.clone())
}

/// What is replayed in what is generated.
const RECORDINGS: [(&str, &str); 2] = [
    ("some-rates.csv", "time,rate\n0s,50/s\n1s,400/s\n1500ms,0/s\n2s,100/s\n"),
    ("some-calls.csv", "100ms\n100ms\n100ms\n300ms\n1.2s\n2s\n2.5s\n"),
];

/// All of them, by family and name. A new one needs no line anywhere.
pub fn experiments() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
    let read = |path: PathBuf| File {
        family: stem(path.parent().expect("a folder")),
        name: stem(&path),
        text: fs::read_to_string(&path).expect("a readable experiment"),
        path,
    };
    files_below(&folder, "ron").into_iter().map(read).collect()
}

/// Files with this extension in a folder and those in it, in order.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The name of a file without its extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}
