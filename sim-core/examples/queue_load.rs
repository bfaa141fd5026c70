//! One workload on one queue, to count its instructions:
//!
//! ```text
//! cargo build --release -p sim-core --example queue_load
//! valgrind --tool=callgrind target/release/examples/queue_load fast hold 1000 1000000
//! ```
//!
//! The arguments are the queue, the workload, the events pending and the operations. What one operation
//! costs is the difference between two runs, divided by the difference of their operations. The number
//! printed is the same for all queues.

#[path = "../benches/queue/indexed_heap.rs"]
mod indexed_heap;
#[path = "../benches/queue/timing_wheel.rs"]
mod timing_wheel;
#[path = "../benches/queue/tombstones.rs"]
mod tombstones;
#[path = "../benches/queue/workload.rs"]
mod workload;

use workload::{Load, Queue};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [queue, workload, pending, operations] = &arguments[..] else {
        panic!("usage: queue_load QUEUE hold|cancel-heavy PENDING OPERATIONS");
    };
    let number = |text: &String| text.parse().expect("a number");
    let (pending, operations) = (number(pending), number(operations));
    let checksum = match queue.as_str() {
        "fast" => run::<workload::Fast>(workload, pending, operations),
        "reference" => run::<workload::Reference>(workload, pending, operations),
        "timing-wheel" => run::<timing_wheel::TimingWheel>(workload, pending, operations),
        "indexed-heap" => run::<indexed_heap::IndexedHeap>(workload, pending, operations),
        "tombstones" => run::<tombstones::Tombstones>(workload, pending, operations),
        other => panic!("no queue is called {other}"),
    };
    println!("{checksum:016x}");
}

fn run<Q: Queue>(workload: &str, pending: usize, operations: usize) -> u64 {
    let mut load = match workload {
        "hold" => Load::<Q>::hold(pending),
        "cancel-heavy" => Load::<Q>::cancel_heavy(pending),
        other => panic!("no workload is called {other}"),
    };
    for _ in 0..operations {
        load.step();
    }
    load.checksum()
}
