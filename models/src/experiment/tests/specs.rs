//! `spec!`: what it reads, what it refuses and how it says so, what it documents.

use super::toy::Toy;
use crate::experiment::{Decode, Decoder, Diagnostics, Failed, Sources, parse_file};

/// The canonical form, or the messages.
fn read<T: Decode>(text: &str) -> Result<String, String> {
    let mut sources = Sources::default();
    let id = sources.add("toy.ron", text);
    let mut diagnostics = Diagnostics::new();
    let node = parse_file(text, id, &mut diagnostics);
    let mut cx = Decoder::new();
    let value = node.and_then(|node| T::decode(&node, &mut cx));
    diagnostics.append(cx.into_diagnostics());
    match value {
        Some(value) if !diagnostics.has_errors() => Ok(value.encode().to_string()),
        _ => Err(Failed { sources, diagnostics: diagnostics.finish() }.to_string()),
    }
}

const GOOD: &str = r#"
(
    workload: [(to: "shop", arrivals: Poisson("100/s"))],
    services: {
        "shop": (work: "5ms", calls: [(to: "pay", policy: "naive", for: "3s")]),
        "pay": (workers: 4, work: LogNormal(median: "10ms", p99: "40ms")),
    },
    policies: {"naive": (timeout: "1000ms", retry: Exponential(base: "50ms"))},
)"#;

#[test]
fn a_good_file_is_filled_in() {
    assert_eq!(
        read::<Toy>(GOOD).unwrap(),
        r#"(
    workload: [(to: "shop", arrivals: Poisson("100/s"))],
    services: {
        "shop": (
            workers: 8,
            work: Constant("5ms"),
            calls: [(to: "pay", policy: "naive", for: "3s")],
            failing: 0.0,
        ),
        "pay": (workers: 4, work: LogNormal(median: "10ms", p99: "40ms"), calls: [], failing: 0.0),
    },
    policies: {
        "naive": (
            timeout: "1s",
            retry: Exponential(attempts: 3, base: "50ms", jitter: Full),
            deadline: None,
        ),
    },
)"#
    );
}
