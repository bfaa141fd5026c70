//! W1, W2, W4, W5 and W6 as experiment files through the service graph, parsing and report included:
//! `cargo bench -p sim-models --bench workloads`. Seconds are for people; `scripts/count-instructions` counts.

#[path = "workloads/mod.rs"]
mod workloads;

use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 10, args = [("w1", 100_000), ("w1-sparse", 100_000), ("w2", 100_000), ("w4", 100_000), ("w5", 5_000), ("w6", 5_000)])]
fn workload(bencher: Bencher, (name, requests): (&str, u64)) {
    bencher.counter(ItemsCount::new(requests)).bench_local(|| workloads::run(name, requests));
}
