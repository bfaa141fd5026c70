//! One workload, to count its instructions: `workload w1|w1-loop|w2|w2-loop|.. REQUESTS`. What a request
//! costs is the difference between two runs, divided by the difference of their requests; see
//! `scripts/count-instructions`. The number printed is the same for a model and its loop.

#[path = "../benches/workloads/mod.rs"]
mod workloads;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, requests] = &arguments[..] else { panic!("usage: workload NAME REQUESTS") };
    println!("{:016x}", workloads::run(name, requests.parse().expect("a number of requests")));
}
