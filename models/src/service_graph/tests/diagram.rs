//! What is written beside the boxes and arrows of a picture: what is worth a word, and nothing that is not.

use super::{FAULTS, shop};
use crate::Catalog;
use crate::experiment::Experiment;

/// Everything that is written in the picture of the shop with something written otherwise.
fn drawn(place: &str, otherwise: &str) -> Vec<String> {
    let text = shop().replace(place, otherwise);
    let read = Experiment::parse("shop.ron", &text, &[], &Catalog::bundled());
    let (experiment, _) = read.unwrap_or_else(|failed| panic!("{failed}"));
    let diagram = experiment.with(None, &[]).expect("sound").model.diagram();
    let line = |name: String, facts: Vec<String>, faults: Vec<String>| {
        format!(
            "{name}: {}{}",
            facts.join(", "),
            faults.iter().map(|fault| format!("! {fault}")).collect::<String>()
        )
    };
    let nodes = diagram.nodes.into_iter().map(|it| line(it.name, it.facts, it.faults));
    nodes.chain(diagram.links.into_iter().map(|it| line(it.name, it.facts, it.faults))).collect()
}

#[test]
fn what_is_written_in_a_picture() {
    let pay = r#""pay": (workers: Async(8)"#;
    let fault = |fault: &str| format!("[({fault})]");
    let rows = [
        ("pay", pay, pay.to_owned(), "8 workers, queue of 1024, work Exponential, mean 10 ms"),
        (
            "pay",
            pay,
            format!("{pay}, queue: Fifo(capacity: 0)"),
            "8 workers, no queue, work Exponential, mean 10 ms",
        ),
        (
            "pay",
            pay,
            format!("{pay}, error_rate: 0.25"),
            "8 workers, queue of 1024, work Exponential, mean 10 ms, errors 25 %",
        ),
        (
            "stock",
            FAULTS,
            fault(r#"at: "10s", for: "5s", on: "stock", effect: Slow(factor: 3)"#),
            "3 replicas of 4 blocking workers, queue of 1024, work 8ms! slow, 3 times, 10s to 15s",
        ),
        (
            "stock",
            FAULTS,
            fault(r#"at: "10s", on: "stock", replicas: Only([1]), effect: Crash()"#),
            "3 replicas of 4 blocking workers, queue of 1024, work 8ms! crash, replicas 1, 10s to the end",
        ),
        (
            "shop->stock",
            FAULTS,
            fault(r#"at: "10s", for: "5s", on: "stock", effect: Hold"#),
            "policy careful, timeout 1s, up to 2 attempts, network 1ms! hold, 10s to 15s",
        ),
        (
            "stock",
            FAULTS,
            fault(r#"at: "10s", on: "zone b", effect: Crash(), replicas: Fraction(0.5)"#)
                + r#", zones: (names: ["a", "b"], network: "2ms")"#,
            "3 replicas of 4 blocking workers, queue of 1024, work 8ms, 2 in a, 1 in b! zone b: crash, 50 % of the replicas, 10s to the end",
        ),
        (
            "pay",
            FAULTS,
            fault(r#"at: "10s", on: "zone b", effect: Crash()"#) + r#", zones: (names: ["a", "b"])"#,
            "8 workers, queue of 1024, work Exponential, mean 10 ms, 1 in a",
        ),
        (
            "shop->mail",
            FAULTS,
            fault(r#"at: "1s", on: "shop->mail", effect: Drop(probability: 0.5)"#),
            "network 1ms, only for batch! drop 50 %, 1s to the end",
        ),
    ];
    for (of, place, otherwise, expected) in rows {
        let all = drawn(place, &otherwise);
        let found = all.iter().find_map(|line| line.strip_prefix(&format!("{of}: ")));
        assert_eq!(found, Some(expected), "{otherwise}");
    }
}
