//! `docs/mechanism.md` adds a mechanism. Here that is done, to a copy of the sources, word for word; then the copy's own
//! tests run, and the page's experiment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A block of the page: the file it is about, its language, its text.
struct Block {
    file: String,
    language: String,
    text: String,
}

/// A file is named in a line of its own, or before a colon; blocks are about the file named last.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut file, mut open) = (String::new(), false);
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            if !open {
                blocks.push(Block { file: file.clone(), language: language.into(), text: String::new() });
            }
            open = !open;
        } else if open {
            let block = blocks.last_mut().expect("a block was begun");
            block.text.push_str(line);
            block.text.push('\n');
        } else if let Some((named, _)) = line.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
            file = named.into();
        }
    }
    blocks
}

/// What a diff makes of a file, in which what it takes away or leaves must stand exactly once.
fn patched(text: &str, Block { file, text: diff, .. }: &Block) -> String {
    let side = |other: char| -> String {
        let lines = diff.lines().filter(|line| !line.starts_with(other));
        lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
    };
    let (before, after) = (side('+'), side('-'));
    assert_eq!(text.matches(&before).count(), 1, "{file} must have this exactly once:\n{before}");
    text.replacen(&before, &after, 1)
}

/// Every file below a folder of the project, and what stands in it.
fn read(root: &Path, folder: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(root.join(folder)).expect("a folder of the project") {
        let path = folder.join(entry.expect("an entry").file_name());
        if root.join(&path).is_dir() {
            read(root, &path, into);
        } else if let Ok(text) = fs::read_to_string(root.join(&path)) {
            into.insert(path, text);
        }
    }
}

/// Writes what is not so already: what has not changed need not be compiled again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
    fs::write(path, text).expect("a written file");
}

/// Runs the page's experiment in the copy, and says what its edge came to.
const RUN: &str = r#"
use sim_models::experiment::Experiment;
use sim_models::run::{RunOptions, simulate};
use sim_models::Catalog;
use std::ops::ControlFlow;

#[test]
fn half_is_let_through() {
    let text = include_str!("../../EXPERIMENT");
    let (experiment, _) = Experiment::parse("example.ron", text, &[], &Catalog::bundled()).unwrap_or_else(|failed| panic!("{failed}"));
    let resolved = experiment.with(None, &[]).expect("sound");
    let report = simulate(&resolved, &RunOptions::seeded(1), &mut |_| ControlFlow::Continue(())).report;
    let (_, edge) = &report.edges.0[0];
    let refused = report.metric("edges[\"users->api\"].calls.used_up").expect("a metric");
    assert_eq!((edge.calls.started, edge.calls.ok()), (11_999, 6_000));
    assert_eq!(format!("{refused:?}"), "Number(5999.0, Plain)");
}
"#;

#[test]
fn the_page_adds_a_mechanism() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = BTreeMap::new();
    ["sim-core", "models", "experiments"].iter().for_each(|folder| read(&root, folder.as_ref(), &mut files));
    for file in ["Cargo.lock", "clippy.toml"] {
        files.insert(file.into(), fs::read_to_string(root.join(file)).expect("a file of the project"));
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    let members = r#"members = ["sim-core", "models", "sim-cli", "tests"]"#;
    assert!(manifest.contains(members));
    let manifest = manifest.replace(members, r#"members = ["sim-core", "models"]"#);
    files.insert("Cargo.toml".into(), manifest.replace("default-members = [\"sim-cli\"]\n", ""));

    let page = fs::read_to_string(root.join("docs/mechanism.md")).expect("the page");
    let mut experiment = String::new();
    for block in blocks(&page) {
        let path = PathBuf::from(&block.file);
        if block.language == "diff" {
            let text = files.get_mut(&path).unwrap_or_else(|| panic!("there is no {}", block.file));
            *text = patched(text, &block);
        } else {
            let before = files.insert(path, block.text);
            assert!(before.is_none(), "{} is there already", block.file);
            experiment = block.file;
        }
    }
    files.insert("models/tests/example.rs".into(), RUN.replace("EXPERIMENT", &experiment));
    let there = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mechanism");
    files.iter().for_each(|(path, text)| write(&there.join(path), text));

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // What simulates need not be fast here; all else is there already, since it was built for this test.
    let built = there.ancestors().nth(2).expect("the folder that all is built in");
    let plain = |of: &str| format!("profile.dev.package.{of}.opt-level=0");
    let output = Command::new(cargo)
        .args(["test", "--offline", "--package", "sim-models", "--lib", "--test", "example"])
        .args(["--config", &plain("sim-core"), "--config", &plain("sim-models")])
        .current_dir(&there)
        .env("CARGO_TARGET_DIR", built)
        .output()
        .expect("cargo runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "what docs/mechanism.md makes does not stand:\n{stderr}\n{stdout}");
    assert!(stdout.contains("allowance::tests::what_is_used_up_stays_so"), "{stdout}");
    assert!(stdout.contains("half_is_let_through ... ok"), "{stdout}");
}
