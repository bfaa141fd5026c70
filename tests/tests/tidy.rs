//! One file per mechanism: what belongs to a mechanism stands in its own room, and whoever speaks about mechanisms in
//! general names none.
//!
//! A mechanism is named where an identifier is its key, or has it as one of its words: `breaker`, `BreakerState`,
//! `Gates::RETRY`. Comments, texts, tests and the list of a folder's modules do not count.

use sim_models::policy::Policy;
use std::fs;
use std::path::{Path, PathBuf};

/// Whoever goes over all mechanisms, or shows what any of them measures: none is named here.
const NAMES_NONE: [&str; 6] = [
    "models/src/report",
    "models/src/service_graph/laws.rs",
    "models/src/service_graph/report.rs",
    "models/src/service_graph/say",
    "models/src/service_graph/theory",
    "sim-cli/src",
];

/// In this many rooms of `models/src` besides its own a mechanism may be named: its line in the list of settings, its
/// state among the guards or of a service, its endings.
const OTHER_ROOMS: usize = 4;

/// Rooms beyond `policy/KEY*` and `service/KEY*` that are a mechanism's own.
const OWN: &[(&str, &str)] = &[
    ("retry", "models/src/policy/backoff"),
    // What becomes of what is kept when somebody writes.
    ("cache", "models/src/service_graph/service/on_write"),
    // A cancellation has two sides.
    ("cancel", "models/src/service_graph/service/on_cancel"),
];

/// Models of their own, with mechanisms of their own, and closed forms, which know no mechanism but may share its name.
const APART: &[&str] = &[
    "models/src/callback_routing",
    "models/src/cluster",
    "models/src/contention",
    "models/src/downtime",
    "models/src/feedback_loop",
    "models/src/fleet",
    "models/src/incident_response",
    "models/src/protocol",
    "models/src/theory",
    "models/src/service_graph/tests",
    "models/src/experiment/tests",
];

/// Folders that count once: what one client remembers is one subject, and the life of a call.
const ONE_ROOM: &[&str] = &["models/src/policy/guards", "models/src/service_graph/call"];

/// The same word for something else.
const HOMONYMS: &[(&str, &str, &str)] = &[
    ("throttle", "models/src/policy/budget", "gRPC's, which is a budget"),
    ("throttle", "models/src/service_graph/service/thermal", "of a machine that is hot"),
    ("cancel", "models/src/service_graph/service/callback", "what the engine does to a timer"),
    ("timeout", "models/src/service_graph/service/callback", "a class of events"),
    ("timeout", "models/src/service_graph/service/execution_limit", "a class of events"),
    ("timeout", "models/src/service_graph/service/work", "a class of events"),
    ("cancel", "models/src/service_graph/control", "what the engine does to a timer"),
    ("cancel", "models/src/service_graph/service/replica", "what the engine does to a timer"),
    ("cancel", "models/src/service_graph/service/sharing", "what the engine does to a timer"),
    ("cancel", "models/src/service_graph/service/work", "what the engine does to a timer"),
    ("cancel", "models/src/service_graph/build", "of `on_cancel`"),
    ("cancel", "models/src/service_graph/spec", "of `on_cancel`"),
    ("cancel", "models/src/service_graph/state", "of `on_cancel`"),
    ("memory_leak", "models/src/service_graph/control/versions", "of a version"),
    ("memory_leak", "models/src/service_graph/control/rollout", "of a version"),
    ("zone", "sim-cli/src", "of a search: where it cannot tell"),
    ("zone", "models/src/fault", "where somebody stands, not whom he prefers"),
    ("zone", "models/src/network", "where somebody stands, not whom he prefers"),
    ("zone", "models/src/service_graph/crossing", "where somebody stands, not whom he prefers"),
    ("per_replica", "models/src/policy/breaker", "a breaker for each"),
    ("per_replica", "models/src/policy/guards", "a breaker for each"),
    ("budget", "models/src/report", "of errors, which users have"),
    ("timeout", "models/src/fault/repair", "of whoever asks for what he needs"),
    ("brownout", "sim-cli/src", "the program"),
    ("budget", "sim-cli/src/html", "of errors"),
    ("budget", "sim-cli/src/result", "of errors"),
    ("timeout", "sim-cli/src/plan", "of `std::sync::mpsc`"),
    ("timeout", "models/src/policy/pool", "of connections that are idle"),
    ("timeout", "models/src/service_graph/control", "of a check"),
    ("scaling", "models/src/service_graph/control/autoscaler", "of how many there are"),
    ("probes", "models/src/policy/breaker", "what passes one that is half-open"),
    ("probes", "sim-cli/src/command/find", "runs that look for an edge"),
    ("probes", "sim-cli/src/study", "runs that look for an edge"),
    ("error_rate", "models/src/service_graph/control/analysis", "of whatever is measured"),
    (
        "error_rate",
        "models/src/service_graph/control/feature_flag",
        "where it is on, besides what fails anyway",
    ),
    ("error_rate", "models/src/service_graph/control/flags", "what is told of those who have one"),
    ("error_rate", "models/src/service_graph/control/switch", "what is told of those for whom it is on"),
    ("error_rate", "models/src/service_graph/control/versions", "of a version, besides what fails anyway"),
    ("error_rate", "models/src/service_graph/service/with_flags", "of who has it, besides what fails anyway"),
    ("zone", "models/src/service_graph/control/feature_flag", "where somebody stands, not whom he prefers"),
    ("deadline", "models/src/service_graph/control/rollout", "until when something must have come of it"),
    ("zone", "models/src/service_graph/control/rollout", "where somebody stands, not whom he prefers"),
    ("error_rate", "models/src/service_graph/control/rollout", "of a version, besides what fails anyway"),
    ("deadline", "models/src/service_graph/service/queue", "an order, by whatever ends a wait first"),
    ("cache", "models/src/report/synthetic", "a section of a mechanism that is not there"),
    ("pool", "sim-cli/src/render/testdata", "a section of a mechanism that is not there"),
    ("budget", "sim-cli/src/command/recommend", "how many runs a search may take"),
    ("budget", "sim-cli/src/study", "how many runs a search may take"),
];

/// Every `.rs` file below `folder`, from the project's root, in order.
fn sources(root: &Path, folder: &str, into: &mut Vec<(String, String)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(root.join(folder))
        .expect("a folder of the project")
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = format!("{folder}/{}", path.file_name().expect("a name").to_str().expect("UTF-8"));
        if path.is_dir() {
            sources(root, &name, into);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            into.push((name, fs::read_to_string(&path).expect("a source file")));
        }
    }
}

/// The words of every identifier in the code of a file, small.
fn words(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().expect("a first part");
    let mut words = Vec::new();
    let mut in_text = false;
    for line in code.lines() {
        if line.trim_start().starts_with("//") || is_module(line) {
            continue;
        }
        for (number, part) in line.split('"').enumerate() {
            in_text ^= number > 0;
            if !in_text {
                let code = part.split("//").next().expect("a first part");
                code.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .for_each(|name| split(name, &mut words));
            }
        }
    }
    words
}

/// `mod x;`: a table of contents.
fn is_module(line: &str) -> bool {
    line.trim_start().trim_start_matches("pub ").starts_with("mod ") && line.ends_with(';')
}

/// `error_rate`, `ErrorRate` and `ERROR_RATE` are `error`, `rate`.
fn split(name: &str, into: &mut Vec<String>) {
    into.push(String::new());
    let mut before_is_small = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && before_is_small) {
            into.push(String::new());
        }
        before_is_small = c.is_lowercase();
        if c != '_' {
            into.last_mut().expect("a word was begun").extend(c.to_lowercase());
        }
    }
    into.push(String::new());
}

/// How often the key is named in these words, which an empty one separates. What is the beginning of a longer key among these names
/// that one.
fn named(key: &str, longer: &[&str], words: &[String]) -> usize {
    let at = |key: &str, place: usize| {
        key.split('_')
            .enumerate()
            .all(|(number, word)| words.get(place + number).is_some_and(|it| it == word))
    };
    let longer = longer.iter().filter(|it| it.strip_prefix(key).is_some_and(|rest| rest.starts_with('_')));
    let longer: Vec<&str> = longer.copied().collect();
    (0..words.len()).filter(|place| at(key, *place) && !longer.iter().any(|it| at(it, *place))).count()
}

fn lies_in(path: &str, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

fn keys() -> Vec<&'static str> {
    let policy = Policy::default();
    let service = brownout_tests::a_service();
    // What every service has, whatever is done to requests: where they wait, and who works. And whom what a policy
    // remembers belongs to, which is no mechanism, and a word of everyday.
    let ground = ["workers", "queue", "per"];
    let all = policy.parts().into_iter().chain(service.parts()).map(|listed| listed.key);
    all.filter(|key| !ground.contains(key)).collect()
}

#[test]
fn a_mechanism_is_named_in_its_own_room_and_hardly_anywhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    sources(&root, "models/src", &mut files);
    sources(&root, "sim-cli/src", &mut files);
    let files: Vec<(String, Vec<String>)> =
        files.into_iter().map(|(path, source)| (path, words(&source))).collect();
    let mut wrong = Vec::new();
    let keys = keys();
    for key in keys.iter().copied() {
        let own = ["policy", "service_graph/service", "service_graph/control"]
            .map(|room| format!("models/src/{room}/{key}"));
        let is_own = |path: &str| {
            own.iter().any(|room| path.starts_with(room.as_str()))
                || OWN.iter().any(|(of, room)| *of == key && path.starts_with(room))
        };
        let homonym = |path: &str| HOMONYMS.iter().any(|(of, room, _)| *of == key && path.starts_with(room));
        let mut rooms: Vec<&str> = Vec::new();
        for (path, words) in &files {
            if named(key, &keys, words) == 0 || is_own(path) || homonym(path) {
                continue;
            }
            if lies_in(path, &NAMES_NONE) {
                wrong.push(format!(
                    "`{key}` is named in {path}, which names no mechanism: let the part tell it"
                ));
            } else if !lies_in(path, APART) {
                rooms.push(ONE_ROOM.iter().copied().find(|room| path.starts_with(room)).unwrap_or(path));
            }
        }
        rooms.dedup();
        if rooms.len() > OTHER_ROOMS {
            wrong.push(format!(
                "`{key}` is named in more than {OTHER_ROOMS} other rooms: {}",
                rooms.join(", ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_counts_as_a_name() {
    let source = r#"
mod breaker;
// a breaker
let text = "breaker"; open_breaker(BreakerState::Open); // breaker
struct Breakers; const ERROR_RATE: f64 = error_rate + ErrorRate;
#[cfg(test)] breaker
"#;
    let words = words(source);
    assert_eq!(named("breaker", &[], &words), 2);
    assert_eq!(named("error_rate", &[], &words), 3);
    assert_eq!(named("rate", &[], &words), 3);
    assert_eq!(named("text_open", &[], &words), 0, "two names are not one");
    assert_eq!(named("error", &["error_rate", "error"], &words), named("error", &[], &words) - 3);
}
