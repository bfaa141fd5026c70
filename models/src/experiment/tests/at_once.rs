//! Types, names and metrics are told in one round, and nothing follows from what could not be read.

use crate::catalog::Catalog;
use crate::experiment::{Diagnostics, Experiment, Folder, Kind, Node, Severity, Span, parse_file};
use std::fs;
use std::path::PathBuf;

/// One mistake of each kind.
const BAD: &str = r#"(
    about: "bad",
    model: ServiceGraph(
        workload: [(to: "shp", arrivals: Poisson("80/s"), policy: "usr")],
        services: {
            "shop": (replicas: "two", workers: Blocking(8), work: "5ms", calls: [(to: "pya", policy: "p")]),
            "pay": (workers: Blocking(8), work: 5),
        },
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: true))},
        faults: [(at: "10s", for: "5s", on: "pey", effect: Crash()), (at: "10s", on: "shop->pey", effect: Hold)],
    ),
    run: (duration: "30s"),
    variants: {"far": {"policies.q.timeout": "2s"}},
    expect: [
        (metric: "recoverd", is: true),
        (variant: "far", metric: "services.pay.wastd", at_most: 0.1),
        (metric: "services.shop.wasted", at_most: 0.1),
        (metric: "edges.users->shop.latency.p99", at_most: "1s"),
        (metric: "breakers.x.opened", at_most: 1),
    ],
)"#;

fn told(text: &str, folder: &Folder) -> Vec<(Span, String)> {
    let Err(failed) = Experiment::parse_beside("a.ron", text, folder, &[], &Catalog::bundled()) else {
        return Vec::new();
    };
    let errors = failed.diagnostics.iter().filter(|it| it.severity == Severity::Error);
    errors.map(|it| (it.span().unwrap_or_default(), it.message.clone())).collect()
}

#[test]
fn one_round_tells_types_names_and_metrics() {
    let Err(failed) = Experiment::parse("bad.ron", BAD, &[], &Catalog::bundled()) else { panic!("sound") };
    let expected = [
        "4:25: workload[0].to: unknown service `shp`\n  help: did you mean `shop`?",
        "4:67: workload[0].policy: unknown policy `usr`\n  help: the policies are: p",
        "6:32: services.shop.replicas: expected a whole number, found the text \"two\"",
        "6:87: services.shop.calls[0].to: unknown service `pya`\n  help: did you mean `pay`?",
        "7:49: services.pay.work: expected Time, found the number 5\n  help: one of: Constant(value)",
        "9:64: policies.p.retry.attempts: expected a whole number, found true",
        "10:45: faults[0].on: unknown service or edge `pey`\n  help: did you mean `pay`?",
        "10:86: faults[1].on: unknown service or edge `shop->pey`\n  help: did you mean `shop->pay`?",
        "13:34: policies.q: no `q` here (in variant `far`)\n  help: did you mean `p`?",
        "15:18: expect: this report has no metric `recoverd`\n  help: the nearest are: recovered",
        "16:34: expect: this report has no metric `services.pay.wastd`\n  help: the nearest are: services.pay.wasted, ",
    ];
    let said = failed.to_string();
    for line in expected {
        assert!(said.contains(&format!("bad.ron:{line}")), "{line}\nis not among\n{said}");
    }
    assert_eq!(said.matches("bad.ron:").count(), expected.len(), "{said}");
}

/// Whatever single value is no value of its type, nothing is wrong elsewhere, in no bundled experiment.
#[test]
fn nothing_follows_from_what_could_not_be_read() {
    let (mut broken, mut stride, mut follows) = (0, 0, Vec::new());
    for path in bundled() {
        let text = fs::read_to_string(&path).unwrap();
        let beside = path.parent().unwrap().to_path_buf();
        let folder =
            Folder::new(move |name| fs::read_to_string(beside.join(name)).map_err(|why| why.to_string()));
        let root = parse_file(&text, 0, &mut Diagnostics::new()).unwrap();
        let mut values = Vec::new();
        for part in ["model", "run"] {
            leaves(root.get(part).unwrap(), &mut values);
        }
        for at in values {
            stride += 1;
            if stride % EVERY != 0 {
                continue;
            }
            let (start, end) = (at.start as usize, at.end as usize);
            // No type is read from a list of a list in a pair.
            let text = format!("{}([[]], [[]]){}", &text[..start], &text[end..]);
            let place = start..=start + "([[]], [[]])".len();
            for (span, message) in told(&text, &folder) {
                let here =
                    place.contains(&(span.start as usize)) || (span.start..span.end).contains(&at.start);
                let of_variant = message.contains("(in variant `");
                if !here && !of_variant {
                    let around = &text[start.saturating_sub(20)..(start + 20).min(text.len())];
                    follows.push(format!("{}: {around}: {message}", path.display()));
                }
            }
            broken += 1;
        }
    }
    assert!(follows.is_empty(), "{}", follows.join("\n"));
    assert!(broken > 150, "only {broken} files were broken");
}

/// One value in so many is broken: all of them take minutes.
const EVERY: usize = 13;

/// What is expected of a bundled experiment is known, as far as anything is, where its model is broken.
#[test]
fn what_is_expected_of_a_broken_file_is_not_doubted() {
    for path in bundled() {
        let text = fs::read_to_string(&path).unwrap();
        let broken = text.replacen("run: (", "run: (windw: 1, ", 1);
        assert_ne!(text, broken, "{}", path.display());
        let told = told(&broken, &Folder::none());
        let of_metrics: Vec<&String> = told.iter().map(|(_, m)| m).filter(|m| m.contains("metric")).collect();
        assert!(told.iter().any(|(_, message)| message.contains("windw")), "{}", path.display());
        assert!(of_metrics.is_empty(), "{}: {of_metrics:?}", path.display());
    }
}

fn bundled() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../experiments");
    let families = fs::read_dir(root).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_dir());
    let files = families.flat_map(|family| fs::read_dir(family).unwrap().map(|it| it.unwrap().path()));
    let mut files: Vec<PathBuf> = files.filter(|it| it.extension().is_some_and(|it| it == "ron")).collect();
    files.sort();
    files
}

/// Where values are written that have no values in them.
fn leaves(node: &Node, found: &mut Vec<Span>) {
    match &node.kind {
        Kind::Struct(_, fields) | Kind::Map(fields) => fields.iter().for_each(|it| leaves(&it.value, found)),
        Kind::Tuple(_, items) | Kind::List(items) => items.iter().for_each(|it| leaves(it, found)),
        _ => found.push(node.span),
    }
}
