//! Every whole number of every type, at the largest that its type can hold: refused or run, in a second and in little
//! memory. Nothing is made in a number before that number was looked at.

use brownout_tests::ask::peak_kib;
use sim_cli::Console;
use sim_models::Catalog;
use sim_models::experiment::{Decode, FieldDoc, RunSpec, Shape, TypeDoc, TypeRef};
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// What one answer may take.
const LONGEST: Duration = Duration::from_secs(1);
const MOST_KIB: u64 = 64 << 10;

/// A sound experiment of each model, with one of everything that a list or a map can hold.
const SOUND: [(&str, &str); 5] = [
    (
        "ServiceGraph",
        r#"workload: [(to: "a", arrivals: Poisson("10/s"), policy: "p")],
           services: {"a": (workers: Async(4), work: "1ms", calls: [(to: "b", policy: "p")]),
                      "b": (workers: Async(4), work: "1ms")},
           policies: {"p": (timeout: "1s")},
           faults: [(at: "1ms", on: "b", effect: Errors())],"#,
    ),
    ("CallbackRouting", r#"servers: Equal(2), faults: [(at: "1ms", on: "server-1", effect: Drain())],"#),
    ("Contention", "clients: 2, retry: Fixed(attempts: 2),"),
    (
        "IncidentResponse",
        r#"severities: {"a": (every: "1h", diagnose: "1min", repair: "1min")}, sites: {"a": (begins: "8h")},"#,
    ),
    (
        "Downtime",
        r#"revenue_per_hour: 1.0, causes: {"a": (every: "1h", repair: "1min")},
           mitigations: {"a": (costs_per_year: 1.0, against: {"a": (prevents: 0.5)})},
           sla: (fees: 1.0, tiers: [(below: 0.9, credit: 0.1)]),"#,
    ),
];

#[test]
#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is tested")]
fn the_largest_of_every_number_is_answered_at_once() {
    let mut tried = 0;
    for (model, parts) in SOUND {
        let text =
            format!("(about: \"large\", model: {model}({parts}), run: (duration: \"2ms\", window: \"1ms\"))");
        let catalog = Catalog::bundled();
        let entry = catalog.get(model).expect("a model of ours");
        let mut settings = settings(&(entry.describe)(), "", 0);
        settings.extend(self::settings(&RunSpec::describe(), "run.", 0));
        for (path, value) in settings {
            let set = format!("{path}={value}");
            let (before, start) = (peak_kib(true), Instant::now());
            let code = run(&text, &set);
            let (taken, grown) = (start.elapsed(), peak_kib(false).saturating_sub(before));
            assert!((0..=5).contains(&code), "{model} --set '{set}' ended with {code}");
            assert!(taken < LONGEST, "{model} --set '{set}' took {taken:?}");
            assert!(grown < MOST_KIB, "{model} --set '{set}' took {grown} KiB");
            tried += 1;
        }
    }
    println!("{tried} settings");
    assert!(tried > 40, "only {tried} numbers were found: do types still describe themselves?");
}

fn run(text: &str, set: &str) -> i32 {
    let words = ["brownout", "run", "-", "--set", set].map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (text.as_bytes(), Vec::new(), Vec::new());
    let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    sim_cli::run_with(&Catalog::bundled(), words, console).code().into()
}

/// Paths and values: a number at its largest in each, everything else as small as it may be.
fn settings(ty: &TypeDoc, path: &str, depth: usize) -> Vec<(String, String)> {
    let Shape::Struct(fields) = &ty.shape else { return Vec::new() };
    let mut found = Vec::new();
    for field in fields {
        let doc = (field.ty.describe)();
        let here = format!("{path}{}", field.name);
        let inner = |ty: &TypeRef| (ty.describe)();
        match &doc.shape {
            // What the sound file has one of.
            Shape::List(of) if depth == 0 && matches!(inner(of).shape, Shape::Struct(_)) => {
                found.extend(settings(&inner(of), &format!("{here}[0]."), depth + 1));
            }
            Shape::Map(of) if depth == 0 => {
                let key = if field.name == "policies" { "p" } else { "a" };
                found.extend(settings(&inner(of), &format!("{here}.{key}."), depth + 1));
            }
            Shape::List(of) if field.name == "calls" => {
                found.extend(settings(&inner(of), &format!("{here}[0]."), depth + 1));
            }
            _ => found.extend(largest(&doc, 4).into_iter().map(|value| (here.clone(), value))),
        }
    }
    found
}

/// Values of a type, each with one number at its largest.
fn largest(ty: &TypeDoc, depth: usize) -> Vec<String> {
    if depth == 0 {
        return Vec::new();
    }
    let of = |ty: &TypeRef| largest(&(ty.describe)(), depth - 1);
    match &ty.shape {
        Shape::Integer(_, most) => vec![most.to_string()],
        Shape::Optional(inner) => of(inner),
        Shape::List(inner) => of(inner).into_iter().map(|value| format!("[{value}]")).collect(),
        Shape::Map(inner) => of(inner).into_iter().map(|value| format!("{{\"x\": {value}}}")).collect(),
        Shape::Struct(fields) => fields_of(fields, false, depth).map(|inner| format!("({inner})")).collect(),
        Shape::Enum(variants) => {
            let all = variants.iter().flat_map(|variant| {
                let inner = fields_of(&variant.fields, variant.positional, depth);
                inner.map(|inner| format!("{}({inner})", variant.name))
            });
            all.collect()
        }
        Shape::Bool | Shape::Float | Shape::Text(_) | Shape::Any => Vec::new(),
    }
}

/// The required fields, with each number of each field in turn at its largest.
fn fields_of(fields: &[FieldDoc], positional: bool, depth: usize) -> impl Iterator<Item = String> {
    let numbers = fields.iter().enumerate().flat_map(move |(number, field)| {
        let values = largest(&(field.ty.describe)(), depth - 1);
        values.into_iter().map(move |value| (number, value))
    });
    numbers.map(move |(number, value)| {
        let written = fields.iter().enumerate().filter_map(|(other, field)| {
            let text = match other == number {
                true => value.clone(),
                false if positional || field.default.is_none() => (field.ty.describe)().example(),
                false => return None,
            };
            Some(if positional { text } else { format!("{}: {text}", field.name) })
        });
        written.collect::<Vec<_>>().join(", ")
    })
}
