//! Reading takes time in proportion to the file, whatever is in it.

use sim_models::Catalog;
use sim_models::experiment::Experiment;
use std::time::Duration;

const GOOD: &str = r#"(
    about: "a desk",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("50/s"))],
        services: {"desk": (replicas: 4, workers: Async(4), work: "1ms")},
    ),
    run: (duration: "1min"),
)"#;

/// What is said about `text`.
fn said(text: &str) -> String {
    match Experiment::parse("desk.ron", text, &[], &Catalog::bundled()) {
        Ok(_) => "fine".into(),
        Err(failed) => failed.to_string(),
    }
}

/// What is said about [`GOOD`] with other replicas.
fn said_with(replicas: &str) -> String {
    assert!(said(GOOD) == "fine" && GOOD.contains("replicas: 4"));
    said(&GOOD.replace("replicas: 4", replicas))
}

/// The time this thread has had a processor: other than wall time it says the same on a busy machine.
/// `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn within(limit: Duration, what: &str, work: impl FnOnce()) {
    let start = processor_time();
    work();
    if let (Some(start), Some(end)) = (start, processor_time()) {
        assert!(end - start < limit, "{what} took {:?}", end - start);
    }
}

#[test]
fn large_files_take_linear_time() {
    within(Duration::from_secs(1), "100,000 syntax errors", || {
        let text = format!("({})", "a: @, ".repeat(100_000));
        let said = said(&text);
        assert!(said.ends_with("and 199982 more errors"), "{}", said.lines().last().unwrap());
    });
    within(Duration::from_secs(1), "100,000 unknown fields", || {
        let fields: String = (0..100_000).map(|index| format!("wrokers{index}: 1, ")).collect();
        let said = said_with(fields.trim_end_matches(", "));
        assert!(said.ends_with("and 99980 more errors"), "{}", said.lines().last().unwrap());
    });
    within(Duration::from_secs(1), "a number of a million digits", || {
        let said = said_with(&format!("replicas: {}", "1".repeat(1_000_000)));
        assert!(
            said.contains("got 11111111111111111111... (1000000 characters), allowed 1 to 10000"),
            "{said}"
        );
    });
    within(Duration::from_secs(1), "8 MiB of numbers", || {
        let text = format!("(about: [{}])", "1,".repeat(4_000_000));
        assert!(said(&text).contains("more than 250000 values in one file, the limit"));
    });
    within(Duration::from_secs(1), "a million quotes", || assert_ne!(said(&"\"".repeat(1_000_001)), "fine"));
    within(Duration::from_secs(1), "8 MiB of a name", || {
        let said = said(&format!("({}: 1)", "a".repeat(8_000_000)));
        assert!(said.len() < 2_000, "{}", said.len());
    });
}
