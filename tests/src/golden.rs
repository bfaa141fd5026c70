//! Lists that are checked in under `tests/golden`, one entry a line, so that a diff says what moved.

use sim_models::report::Report;
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that draws, waits, fails and retries, in one experiment.
pub const EVERYTHING: &str = include_str!("../golden/everything.ron");

/// Experiments whose digests are held and that are bundled with nothing, by name: one of each mechanism, and
/// random ones, written down because whoever makes them up may change its mind. In the last one users who were never served
/// stand beside others who no longer are: whose part the verdict took was once the processor's choice.
pub const WRITTEN: [(&str, &str); 5] = [
    ("everything", EVERYTHING),
    ("random-3", include_str!("../golden/random/3.ron")),
    ("random-14", include_str!("../golden/random/14.ron")),
    ("random-159", include_str!("../golden/random/159.ron")),
    ("random-12", include_str!("../golden/random/12.ron")),
];

/// Where they are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Whether lists are to be written anew: `BROWNOUT_BLESS=1`.
fn bless() -> bool {
    std::env::var_os("BROWNOUT_BLESS").is_some()
}

/// What stands in a list; nothing if there is none.
pub fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_default()
}

/// The names of the lists in a folder of `golden`, in order.
pub fn lists(of: &str) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> =
        fs::read_dir(folder().join(of)).into_iter().flatten().flatten().map(name).collect();
    names.sort();
    names
}

/// What differs between a list and what was found, line by line; nothing after it was blessed.
pub fn differing(file: &str, found: &str) -> Vec<String> {
    if bless() {
        let path = folder().join(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        fs::write(&path, found).expect("the list can be written");
        return Vec::new();
    }
    let golden = read(file);
    let missing = |from: &str, line: &str| !from.lines().any(|other| other == line);
    let now = found.lines().filter(|line| missing(&golden, line)).map(|line| format!("now:    {line}"));
    let then = golden.lines().filter(|line| missing(found, line)).map(|line| format!("golden: {line}"));
    now.chain(then).collect()
}

/// Asserts that a list is what was found; `again` is the test that writes it anew.
#[track_caller]
pub fn hold(file: &str, found: &str, again: &str) {
    let differ = differing(file, found);
    assert!(differ.is_empty(), "golden/{file}:\n{}\n{}", differ.join("\n"), how_to_bless(again));
}

/// What to do if it was meant.
pub fn how_to_bless(again: &str) -> String {
    format!(
        "If that was meant, say why in the changelog, then\n\
         BROWNOUT_BLESS=1 cargo test -p brownout-tests --test {again}"
    )
}

/// A digest's four parts in one line.
pub fn digest_line(report: &Report) -> String {
    let digest = &report.digest;
    format!("i {} t {} r {} s {}", digest.i, digest.t, digest.r, digest.s)
}
