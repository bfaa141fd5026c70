//! Every file that is read again, spoilt: it is told, or what comes of it is what came of the whole file. Never a panic, never
//! another result without a word.

use brownout_tests::Rng;
use brownout_tests::ask::{Ran, ask, folder_in_memory, words_in};
use brownout_tests::fuzz::{cases, spoil};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

const FILES: u64 = 1_500;
const LONGEST: Duration = Duration::from_secs(5);

const TOY: &str = r#"(
    about: "A desk.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("400/s"), policy: "p")],
        services: {"desk": (workers: Blocking(1), work: Exponential(mean: "2ms"), queue: Fifo(capacity: 5))},
        policies: {"p": (timeout: "20ms")},
    ),
    run: (duration: "200ms", window: "50ms", seed: 3, replications: 2),
    sweep: {"services.desk.replicas": [1, 2]},
    expect: [(metric: "success", at_least: 0.01)],
)"#;

/// What makes a file, which file that is, and what reads it. DIR is where all of them are.
const READ: [(&str, &str, &str); 11] = [
    ("run DIR/toy.ron --out DIR/run", "run/report.json", "diff DIR/run/report.json DIR/toy.ron"),
    ("run DIR/toy.ron --out DIR/run", "run/report.json", "histogram DIR/run/report.json"),
    (
        "run DIR/toy.ron --replications 2 --out DIR/many",
        "many/replications.json",
        "compare DIR/toy.ron --baseline DIR/many --replications 2",
    ),
    (
        "compare DIR/toy.ron --replications 2 --out DIR/both",
        "both/comparison.json",
        "compare DIR/toy.ron --baseline DIR/both --replications 2",
    ),
    ("sweep plan DIR/toy.ron --out DIR/plan.json", "plan.json", "sweep run DIR/plan.json --shard 0/1"),
    ("sweep run DIR/plan.json --shard 0/1", "plan.runs/shard-0-of-1.jsonl", "sweep merge DIR/plan.json"),
    ("sweep DIR/toy.ron --out DIR/swept", "swept/runs.jsonl", "sweep DIR/toy.ron --out DIR/swept"),
    ("sweep DIR/toy.ron --out DIR/swept", "swept/plan.json", "sweep DIR/toy.ron --out DIR/swept"),
    ("sweep DIR/toy.ron --out DIR/swept", "swept/.brownout", "sweep DIR/toy.ron --out DIR/swept"),
    (
        "check DIR/toy.ron --golden DIR/golden --bless",
        "golden/toy.snap",
        "check DIR/toy.ron --golden DIR/golden",
    ),
    (
        "check DIR/toy.ron --golden DIR/golden --bless",
        "golden/toy.snap.json",
        "check DIR/toy.ron --golden DIR/golden",
    ),
];
fn brownout(folder: &Path, line: &str) -> Ran {
    ask(words_in(folder, line), b"", |_| ())
}

/// A sound file, and what comes of it.
struct Sound {
    of: usize,
    bytes: Vec<u8>,
    ran: Ran,
    /// The shards of a plan are made anew with it.
    shards: Option<Vec<u8>>,
}

#[test]
fn what_is_read_again_and_was_spoilt_is_told_or_is_the_same() {
    let folder = folder_in_memory();
    fs::write(folder.path().join("toy.ron"), TOY).unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut sound = Vec::new();
    for (of, (make, name, read)) in READ.into_iter().enumerate() {
        let made = brownout(folder.path(), make);
        assert!(made.code == 0, "{make}: {}", made.stderr);
        let bytes = fs::read(at(name)).unwrap_or_else(|why| panic!("{make} makes no {name}: {why}"));
        let ran = brownout(folder.path(), read);
        assert!([0, 4].contains(&ran.code), "{read}: {}{}", ran.stdout, ran.stderr);
        sound.push(Sound { of, bytes, ran, shards: None });
    }
    let shard = at("plan.runs/shard-0-of-1.jsonl");
    let shards = fs::read(&shard).unwrap();
    sound.iter_mut().for_each(|sound| sound.shards = Some(shards.clone()));
    let (cases, mut told, mut same) = (cases(FILES), 0, 0);
    for seed in cases {
        let rng = &mut Rng::new(seed ^ 0xf11e);
        let Sound { of, bytes, ran: before, shards } = &sound[rng.below(sound.len() as u64) as usize];
        let (_, name, read) = READ[*of];
        let spoilt = spoil(bytes, rng);
        fs::write(at(name), &spoilt).unwrap();
        let what = || {
            let kept = std::env::temp_dir().join("brownout-spoilt");
            let _ = fs::write(&kept, &spoilt);
            format!("case {seed}: {read} with a spoilt {name} (now {})", kept.display())
        };
        let ran = catch_unwind(AssertUnwindSafe(|| brownout(folder.path(), read)));
        let ran = ran.unwrap_or_else(|_| panic!("{} panics", what()));
        assert!(ran.code <= 5, "{} ends with {}: {}", what(), ran.code, ran.stderr);
        assert!(ran.took < LONGEST, "{} took {:?}", what(), ran.took);
        let result = |ran: &Ran| (ran.code, ran.stdout.clone());
        match result(&ran) == result(before) {
            true => same += 1,
            false => {
                // A snapshot is text, and says itself what is different in it.
                let golden = name.starts_with("golden/") && ran.code == 4;
                assert!(
                    !ran.stderr.is_empty() || golden,
                    "{} gives another result without a word: {}",
                    what(),
                    ran.stdout
                );
                told += 1;
            }
        }
        fs::write(at(name), bytes).unwrap();
        fs::write(&shard, shards.as_ref().expect("kept above")).unwrap();
        for entry in fs::read_dir(at("swept")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().contains(".bad-") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    println!("{told} told, {same} the same");
    assert!(told > 0 && same > 0, "{told} told, {same} the same");
}
