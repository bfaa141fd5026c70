//! `docs/policies.md`: the pages of all mechanisms and all presets, for whoever reads before running anything.

use brownout_tests::ask::ask;
use serde_json::Value;
use sim_models::Catalog;
use sim_models::experiment::Decode;
use sim_models::mechanism::Mechanism;
use sim_models::policy::preset::{self, Preset};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = r#"# Policies, and what else can be set

What stands between a caller and an answer is a policy: a name and its settings, which calls and workloads refer to.

```ron
services: {"checkout": (workers: Async(64), work: "4ms", calls: [(to: "payments", policy: "careful")])},
policies: {
    "careful": (timeout: "200ms", retry: Exponential(attempts: 3, base: "50ms"), budget: Ratio(ratio: 0.1)),
    "library": (preset: "grpc", deadline: "2s"),
}
```

What is left out is not there, or has the default that stands below. Any value can be set from outside, `--set policies.careful.retry.attempts=5`,
and `brownout explain NAME` says what all of it amounts to. Times are written `"200ms"`, or as distributions (`brownout list distributions`).

This page is written from what the program knows (`brownout list mechanisms`, `brownout explain --mechanism NAME`, `brownout list presets`), and a test
holds it against that.
"#;

#[test]
fn the_page_of_policies_is_what_the_program_knows() {
    held("policies.md", &page());
}

/// A page of `docs` is this text, or becomes it where that is asked for.
#[track_caller]
pub fn held(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("BROWNOUT_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        return fs::write(&path, found).expect("the page can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let first = there.lines().zip(found.lines()).find(|(there, found)| there != found);
    assert!(
        there == found,
        "docs/{name} says something else: {first:?}\nBROWNOUT_BLESS=1 cargo test -p brownout-tests --test pages \
         writes it anew"
    );
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let all: Vec<Mechanism> = Catalog::bundled().mechanisms().collect();
    let mut told = BTreeSet::new();
    let mut place = "";
    for mechanism in &all {
        let here = mechanism.path.split('.').next().unwrap_or_default();
        if here != place {
            let what = match here {
                "policies" => "policy",
                "services" => "service",
                "workload[]" => "workload",
                "faults[]" => "fault",
                "failures" => "failure at random",
                "domains" => "domain",
                other => other,
            };
            _ = writeln!(page, "\n## Of a {what}");
            place = here;
        }
        of(mechanism, &mut told, &mut page);
    }
    page += "\n## Presets\n\nHow the clients of a library behave unless told otherwise. What is written beside it goes before it, field by field: \
             `(preset: \"grpc\", timeout: \"2s\", retry: Exponential(attempts: 3))`\nhas gRPC's back-off. `brownout compare NAME --policies all` puts \
             each in the place of one policy.\n";
    preset::all().iter().for_each(|preset| of_library(preset, &mut page));
    page
}

fn of(mechanism: &Mechanism, told: &mut BTreeSet<String>, page: &mut String) {
    let about = mechanism.page;
    let place = if about.word.is_empty() { String::new() } else { format!(": {}", about.word) };
    _ = writeln!(page, "\n### {}\n\n`{}{place}`. {}\n", about.name, mechanism.path, about.what);
    for (head, said) in
        [("When it hurts", about.hurts), ("How much", about.formula), ("Source", about.source)]
    {
        _ = writeln!(page, "- *{head}.* {said}");
    }
    _ = writeln!(page, "- *Try it.* `brownout compare {}`", about.experiment);
    let json = ask(["explain", "--mechanism", about.name, "--format", "json"], &[], |_| {}).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let mut rows = String::new();
    row("", &json["setting"], &mut rows);
    for (number, of) in json["types"].as_array().expect("types").iter().enumerate() {
        let name = of["name"].as_str().unwrap_or_default();
        if distributions().contains(name) {
            continue;
        }
        // What several mechanisms are made of is told once.
        if number > 0 && !told.insert(name.to_owned()) {
            continue;
        }
        let within = if number == 0 { String::new() } else { format!("{name}: ") };
        for field in of["fields"].as_array().into_iter().flatten() {
            row(&within, field, &mut rows);
        }
        for variant in of["variants"].as_array().into_iter().flatten() {
            let word = variant["name"].as_str().unwrap_or_default();
            _ = writeln!(rows, "| {within}**{word}** | | | {} |", cell(&variant["doc"]));
            let within = if number == 0 { format!("{word}: ") } else { format!("{name} {word}: ") };
            variant["fields"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|field| row(&within, field, &mut rows));
        }
    }
    _ = write!(page, "\n| setting | default | allowed | |\n|---|---|---|---|\n{rows}");
}

/// How long something takes is told by a list of its own.
fn distributions() -> BTreeSet<String> {
    let json = ask(["list", "distributions", "--format", "json"], &[], |_| {}).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let types = json["types"].as_array().expect("types").iter();
    types.map(|of| of["name"].as_str().expect("a name").to_owned()).collect()
}

fn row(within: &str, field: &Value, rows: &mut String) {
    let default = match field["default"].as_str() {
        Some(default) => {
            format!("`{}`", default.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"))
        }
        None => "required".into(),
    };
    let name = field["name"].as_str().unwrap_or_default();
    let of = field["type"].as_str().unwrap_or_default();
    let (allowed, doc) = (cell(&field["allowed"]), cell(&field["doc"]));
    _ = writeln!(rows, "| {within}`{name}` ({of}) | {default} | {allowed} | {doc} |");
}

fn cell(said: &Value) -> String {
    said.as_str().unwrap_or_default().replace('|', "\\|")
}

fn of_library(preset: &Preset, page: &mut String) {
    let file = &preset.file;
    _ = writeln!(page, "\n### {}\n\n{}. ({})\n", preset.name, file.about, file.source);
    let written = file.policy.encode().without_absent();
    _ = writeln!(page, "```ron\n{written}\n```\n\n| its setting | is there | became |\n|---|---|---|");
    for it in &file.became {
        _ = writeln!(page, "| {} | {} | `{}` |", it.setting, it.is, it.here);
    }
    for it in &file.disagree {
        _ = writeln!(
            page,
            "\nDocumentation and code disagree about the {}. The documentation: {}. The code: {}. Taken: {}.",
            it.about, it.documentation, it.code, it.taken
        );
    }
    if !file.loses.is_empty() {
        _ = writeln!(page, "\nWhat a policy cannot say, and what is done instead:\n");
        file.loses.iter().for_each(|it| _ = writeln!(page, "- {}. Instead: {}", it.setting, it.instead));
    }
}
