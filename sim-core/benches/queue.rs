//! W3: the event queue alone, beside what it could have been. `cargo bench -p sim-core --bench queue`.
//!
//! Numbers and the choice they led to are in the documentation of `sim-core/src/queue`.

#[path = "queue/indexed_heap.rs"]
mod indexed_heap;
#[path = "queue/timing_wheel.rs"]
mod timing_wheel;
#[path = "queue/tombstones.rs"]
mod tombstones;
#[path = "queue/workload.rs"]
mod workload;

use divan::Bencher;
use indexed_heap::IndexedHeap;
use timing_wheel::TimingWheel;
use tombstones::Tombstones;
use workload::{Fast, Load, Queue, Reference};

const PENDING: [usize; 6] = [2, 10, 1_000, 10_000, 100_000, 1_000_000];
const OPERATIONS: usize = 100_000;

fn main() {
    divan::main();
}

fn measure<Q: Queue>(bencher: Bencher, mut load: Load<Q>) {
    bencher.counter(divan::counter::ItemsCount::new(OPERATIONS)).bench_local(|| {
        for _ in 0..OPERATIONS {
            load.step();
        }
        load.checksum()
    });
}

#[divan::bench(args = PENDING, types = [Fast, TimingWheel, IndexedHeap, Tombstones, Reference], sample_count = 30)]
fn hold<Q: Queue>(bencher: Bencher, pending: usize) {
    measure(bencher, Load::<Q>::hold(pending));
}

#[divan::bench(args = PENDING, types = [Fast, TimingWheel, IndexedHeap, Tombstones, Reference], sample_count = 30)]
fn cancel_heavy<Q: Queue>(bencher: Bencher, pending: usize) {
    measure(bencher, Load::<Q>::cancel_heavy(pending));
}
