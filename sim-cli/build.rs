//! Embeds every `experiments/<family>/<name>.ron` in the binary, so that an installed `brownout` knows
//! them from any folder, and every `.csv` beside them, which they may replay.
//!
//! Base names are what people type, so they must be unique: a second one stops the build.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    // Of this build: the folder may have moved since this script was compiled.
    let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let root = Path::new(&here).join("../experiments");
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no experiments in {}: the program would know none", root.display());

    let mut families: BTreeMap<String, String> = BTreeMap::new();
    let mut table = String::from("&[\n");
    for file in files {
        let path = file.strip_prefix(&root).expect("found below the root").with_extension("");
        let path = path.to_str().expect("names of experiments are ASCII").replace('\\', "/");
        let (family, name) = path
            .split_once('/')
            .unwrap_or_else(|| panic!("{path}.ron: experiments live in experiments/<family>/"));
        assert!(!name.contains('/'), "{path}.ron: experiments live in experiments/<family>/, not deeper");
        if let Some(other) = families.insert(name.into(), family.into()) {
            panic!("two experiments are called {name}: {other}/{name} and {path}; base names are unique");
        }
        let absolute = file.canonicalize().expect("a file just found");
        writeln!(
            table,
            "    Bundled {{ family: {family:?}, name: {name:?}, text: include_str!({absolute:?}) }},"
        )
        .expect("writing to a string");
    }
    table.push(']');
    let mut beside = String::from("&[\n");
    for family in families_of(&root) {
        let name = family.file_name().and_then(|name| name.to_str()).expect("names of families are ASCII");
        let mut files = String::new();
        for file in recordings(&family) {
            let called =
                file.file_name().and_then(|name| name.to_str()).expect("names of recordings are ASCII");
            let absolute = file.canonicalize().expect("a file just found");
            write!(files, "({called:?}, include_str!({absolute:?})), ").expect("writing to a string");
        }
        if !files.is_empty() {
            writeln!(beside, "    ({name:?}, &[{files}]),").expect("writing to a string");
        }
    }
    beside.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("bundled.rs"), table).expect("OUT_DIR is writable");
    fs::write(out.join("beside.rs"), beside).expect("OUT_DIR is writable");
}

/// The folders of experiments, in order.
fn families_of(root: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(root).into_iter().flatten().map(|entry| entry.expect("a readable folder").path());
    let mut families: Vec<PathBuf> = all.filter(|path| path.is_dir()).collect();
    families.sort();
    families
}

/// What the experiments of a folder replay: each `.csv` in it, in order.
fn recordings(family: &Path) -> Vec<PathBuf> {
    let all =
        fs::read_dir(family).into_iter().flatten().map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|it| it == "csv")).collect();
    files.sort();
    files
}

/// Every `.ron` below `folder`; a folder that is not there holds none.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            files.push(path);
        }
    }
}
