//! The files of `experiments/`.

use std::fs;
use std::path::{Path, PathBuf};

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
