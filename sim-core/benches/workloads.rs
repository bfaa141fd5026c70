//! W1 and W2 as bare models, beside the loops that are their limit:
//! `cargo bench -p sim-core --bench workloads`. Seconds are for people; `scripts/count-instructions` counts.

#[path = "workloads/mod.rs"]
mod workloads;

use divan::Bencher;
use divan::counter::ItemsCount;

const REQUESTS: u64 = 200_000;

fn main() {
    for (model, specialised) in [("w1", "w1-loop"), ("w2", "w2-loop")] {
        assert_eq!(
            workloads::run(model, 10_000),
            workloads::run(specialised, 10_000),
            "{model} and its loop"
        );
    }
    divan::main();
}

#[divan::bench(sample_count = 20, args = ["w1", "w1-loop", "w2", "w2-without-digest", "w2-without-laws", "w2-loop"])]
fn workload(bencher: Bencher, name: &str) {
    bencher.counter(ItemsCount::new(REQUESTS)).bench_local(|| workloads::run(name, REQUESTS));
}
