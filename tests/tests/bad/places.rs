//! Paths that hold something else than is needed, and arguments that are no text.

use super::check::{BASE, at, brownout};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Every command that reads an experiment, or a saved result.
const READERS: [&str; 12] = [
    "validate FILE",
    "run FILE",
    "compare FILE --set run.seed=5 --replications 2",
    "sweep FILE --set run.seed=5,6",
    "find FILE --set services.back.replicas=1..4",
    "check FILE",
    "trace FILE",
    "histogram FILE",
    "verify FILE",
    "explain FILE",
    "diff FILE FILE",
    "list metrics FILE",
];

pub fn all() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder.ron")).unwrap();
    let long = path(&"x".repeat(5_000));
    for reader in READERS {
        at(reader, &path("folder.ron"), 1, &["a directory"]);
        at(reader, &path("none.ron"), 1, &["no such file"]);
        at(reader, &long, 1, &["error"]);
        #[cfg(unix)]
        {
            at(reader, Path::new("/dev/zero"), 1, &["a device"]);
            at(reader, Path::new("/dev/random"), 1, &["a device"]);
        }
    }
    #[cfg(unix)]
    unix(folder.path());
    // A name that a terminal would take for orders.
    let strange = path("a b\n\u{1b}[31m.ron");
    fs::write(&strange, BASE).unwrap();
    at("run FILE", &strange, 0, &[]);
    fs::write(&strange, "(").unwrap();
    at("run FILE", &strange, 3, &[r"\u{1b}"]);
    outputs(folder.path());
}

/// Where a result cannot go is told before anything is simulated.
fn outputs(folder: &Path) {
    let file = folder.join("mine.txt");
    fs::write(&file, "mine").unwrap();
    let theirs = folder.join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("report.json"), "theirs").unwrap();
    fs::write(theirs.join("comparison.json"), "theirs").unwrap();
    for command in ["run - --out FILE", "compare - --set run.seed=5 --replications 2 --out FILE"] {
        at(command, &file, 1, &["a file"]);
        at(command, &folder.join("none/out"), 1, &["no such file"]);
        at(command, &theirs, 1, &["was not written by brownout"]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(fs::read_to_string(theirs.join("report.json")).unwrap(), "theirs");
}

#[cfg(unix)]
fn unix(folder: &Path) {
    use std::os::unix::ffi::OsStringExt;
    let no_text = OsString::from_vec(b"ru\xffn".to_vec());
    for words in [
        vec![no_text.clone()],
        vec!["run".into(), no_text.clone()],
        vec!["run".into(), "-".into(), "--variant".into(), no_text.clone()],
        vec!["compare".into(), "-".into(), "--set".into(), no_text],
    ] {
        let ran = brownout(&words, BASE.as_bytes());
        assert!((1..=2).contains(&ran.code), "{words:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{words:?}: {}", ran.stderr);
    }
    let pipe = folder.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        at("run FILE", &pipe, 1, &["a pipe"]);
        at("diff FILE FILE", &pipe, 1, &["a pipe"]);
    }
    // A link in the place of a result is not followed.
    let (out, target) = (folder.join("linked"), folder.join("target"));
    fs::create_dir(&out).unwrap();
    fs::write(&target, "target").unwrap();
    std::os::unix::fs::symlink(&target, out.join("report.json")).unwrap();
    at("run - --out FILE", &out, 1, &["symbolic link"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), "target");
}
