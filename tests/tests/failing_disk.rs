//! Every step of every command that writes, failing in turn: what is opened, written, made safe, made or moved. The exit code
//! says so, what is there is whole, and the same command on a sound disk ends as if nothing had been.

use brownout_tests::ask::{Ran, ask, folder_in_memory, words_in};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const GOOD: u8 = 0;
const IO: u8 = 1;

const TOY: &str = r#"(
    about: "A desk.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("40/s"), policy: "p")],
        services: {"desk": (workers: Blocking(1), work: Exponential(mean: "20ms"), queue: Fifo(capacity: 5))},
        policies: {"p": (timeout: "200ms")},
    ),
    run: (duration: "2s", window: "500ms", seed: 3, replications: 2),
    sweep: {"services.desk.replicas": [1, 2]},
    expect: [(metric: "success", at_least: 0.01)],
)"#;

// Commands that write, each in a folder with the experiment; `;` divides those that prepare from the one that is tried.
const RUNS: [&str; 5] = [
    "new DIR/mine.ron",
    "run DIR/toy.ron --out DIR/out",
    "trace DIR/toy.ron --out DIR/out",
    "diagram DIR/toy.ron --out DIR/out",
    "histogram DIR/toy.ron --out DIR/out",
];
const STUDIES: [&str; 5] = [
    "compare DIR/toy.ron --set policies.p.timeout=50ms --replications 2 --out DIR/out",
    "find DIR/toy.ron --set workload[0].arrivals=10/s..200/s --within 50% --probes 1 --replications 1 --out DIR/out",
    "recommend DIR/toy.ron --maximize goodput --set services.desk.replicas=1,2 --replications 2 --budget 8 --out DIR/out",
    "check DIR/toy.ron --out DIR/out",
    "check DIR/toy.ron --golden DIR/golden --bless",
];
const SWEEPS: [&str; 4] = [
    "sweep DIR/toy.ron --out DIR/out",
    "sweep plan DIR/toy.ron --out DIR/plan.json",
    "sweep plan DIR/toy.ron --out DIR/plan.json; sweep run DIR/plan.json --shard 0/1",
    "sweep plan DIR/toy.ron --out DIR/plan.json; sweep run DIR/plan.json --shard 0/1; sweep merge DIR/plan.json",
];

/// One command, where the step `from` fails, and all after it if that lasts; and how many steps it took.
fn brownout(folder: &Path, command: &str, from: u64, lasting: bool) -> (Ran, u64) {
    let mut disk = None;
    let ran = ask(words_in(folder, command), b"", |console| {
        console.disk.fail(from, lasting);
        disk = Some(console.disk.clone());
    });
    (ran, disk.map_or(0, |disk| disk.steps()))
}

/// Makes the folder anew, and does all but the last of these commands in it.
fn prepare<'c>(folder: &Path, commands: &'c str) -> &'c str {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("toy.ron"), TOY).unwrap();
    let (before, last) = commands.rsplit_once("; ").unwrap_or(("", commands));
    for command in before.split("; ").filter(|command| !command.is_empty()) {
        assert_eq!(brownout(folder, command, u64::MAX, false).0.code, GOOD, "{command}");
    }
    last
}

/// Every file below a folder, and every folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(here) = todo.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            match path.is_dir() {
                true => {
                    found.insert(name, Vec::new());
                    todo.push(path);
                }
                false => _ = found.insert(name, fs::read(&path).unwrap()),
            }
        }
    }
    // A line that was torn is put aside, and kept.
    found.retain(|name, _| !name.contains(".bad-"));
    found
}

/// The names of those that are in one and not in the other, or not the same.
fn differing(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    a.keys().chain(b.keys()).filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}

fn every_step_of(commands: &str) {
    let root = folder_in_memory();
    let folder = root.path().join("here");
    let command = prepare(&folder, commands);
    let (ran, steps) = brownout(&folder, command, u64::MAX, false);
    assert_eq!(ran.code, GOOD, "{command}: {}", ran.stderr);
    assert!(steps >= 4, "{command} takes {steps} steps: does it write past the disk?");
    let whole = files(&folder);
    // Every step alone; a disk that stays broken at some of them.
    let cases = (1..=steps).flat_map(|from| [Some((from, false)), (from % 3 == 1).then_some((from, true))]);
    for (from, lasting) in cases.flatten() {
        prepare(&folder, commands);
        let after = if lasting { " and all after it" } else { "" };
        let what = format!("{command} where step {from} fails{after}");
        let (failed, _) = brownout(&folder, command, from, lasting);
        let found = files(&folder);
        match failed.code {
            IO => {
                let said = failed.stderr.contains("error: cannot") && failed.stderr.contains("fails");
                assert!(said, "{what} says: {}", failed.stderr);
            }
            // What was still to be done did not matter.
            GOOD => assert_eq!(differing(&found, &whole), [""; 0], "{what} is called good"),
            other => panic!("{what} ends with {other}: {}", failed.stderr),
        }
        for (name, bytes) in &found {
            // A journal grows, and whoever reads it knows a whole line from another.
            let hidden = name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
            if !hidden && !name.ends_with("runs.jsonl") {
                assert_eq!(whole.get(name), Some(bytes), "{what}: {name} is neither absent nor whole");
            }
        }
        let (again, _) = brownout(&folder, command, u64::MAX, false);
        // What `new` has written whole is not replaced.
        let there = command.starts_with("new") && again.stderr.contains("exists already");
        assert!(again.code == GOOD || there, "{what}, then again: {}", again.stderr);
        assert_eq!(differing(&files(&folder), &whole), [""; 0], "{what}, then again");
    }
}

#[test]
fn every_step_of_what_shows_a_run() {
    RUNS.into_iter().for_each(every_step_of);
}

#[test]
fn every_step_of_what_makes_many_runs() {
    STUDIES.into_iter().for_each(every_step_of);
}

#[test]
fn every_step_of_a_sweep() {
    SWEEPS.into_iter().for_each(every_step_of);
}
