//! All that has a golden digest, and random graphs besides, run by a program so small that it can be built for any
//! processor: it needs neither the command line nor threads. `scripts/other-processors` compares what it says there.
//!
//! `goldens FOLDER` runs everything, `goldens FOLDER NAMES` what stands in the file NAMES, one a line. Each run is a line
//! on standard output, its events and its name, and a report in FOLDER. Exits 1 if a digest is not the golden one.

use brownout_tests::golden::{self, WRITTEN, digest_line};
use brownout_tests::{experiments, random_experiment, resolve, run_with};
use sim_models::run::RunOptions;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

/// Random graphs; they have no goldens, and are compared with another processor's.
const RANDOM: u64 = 60;

/// Something to run.
struct Todo {
    /// `FAMILY/NAME VARIANT`
    name: String,
    text: String,
    variant: Option<String>,
    /// Its golden digest, if it has one.
    golden: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, chosen @ ..] = &arguments[..] else { panic!("usage: goldens FOLDER [NAMES]") };
    let chosen: Option<String> = chosen.first().map(|it| fs::read_to_string(it).expect("a list of names"));
    fs::create_dir_all(folder).expect("the folder can be made");
    let mut all = everything();
    if let Some(chosen) = &chosen {
        all.retain(|todo| chosen.lines().any(|name| name == todo.name));
        assert_eq!(all.len(), chosen.lines().count(), "a name that is no run's");
    }
    let moved = all.iter().filter(|todo| !is_golden(todo, Path::new(folder))).count();
    if moved == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs it, writes its report, and tells whether its digest is the golden one.
fn is_golden(todo: &Todo, folder: &Path) -> bool {
    let resolved = resolve(&todo.text, todo.variant.as_deref());
    let report = run_with(&resolved, &RunOptions::seeded(resolved.run.seed)).report;
    println!("{} {}", report.run.events, todo.name);
    let text = serde_json::to_string(&report).expect("a report can be written");
    let file = todo.name.replace(['/', ' '], ".") + ".json";
    fs::write(folder.join(file), text).expect("the report can be written");
    match (&todo.golden, digest_line(&report)) {
        (Some(golden), found) if *golden != found => {
            eprintln!("moved: {}\n    now:    {found}\n    golden: {golden}", todo.name);
            false
        }
        _ => true,
    }
}

/// Every bundled experiment as written and in its variants, what is written down here, and random graphs.
fn everything() -> Vec<Todo> {
    let mut all = Vec::new();
    for file in experiments() {
        let list = golden::read(&format!("digests/{}.txt", file.family));
        let read = file.parse();
        let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}"));
        let variants = experiment.variant_names().map(|variant| Some(variant.to_owned()));
        for variant in std::iter::once(None).chain(variants) {
            let name = variant.iter().fold(file.name.clone(), |name, variant| format!("{name} {variant}"));
            let golden = Some(digest_in(&list, &name));
            all.push(Todo {
                name: format!("{}/{name}", file.family),
                text: file.text.clone(),
                variant,
                golden,
            });
        }
    }
    let list = golden::read("digests/embedded.txt");
    all.extend(WRITTEN.map(|(name, text)| Todo {
        name: format!("embedded/{name}"),
        text: text.to_owned(),
        variant: None,
        golden: Some(digest_in(&list, name)),
    }));
    all.extend((1..=RANDOM).map(|seed| Todo {
        name: format!("random/{seed}"),
        text: random_experiment(seed),
        variant: None,
        golden: None,
    }));
    all
}

/// The digest under this name.
fn digest_in(list: &str, name: &str) -> String {
    let of = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
    list.lines().find_map(of).unwrap_or_else(|| panic!("{name} has no golden digest"))
}
