//! One workload through the service graph, to count its instructions: `graph_workload w1|w2|w4|w5|w6|.. REQUESTS`.
//! What a request costs is the difference between two runs, divided by the difference of their requests;
//! see `scripts/count-instructions`. Prints the events, the parts of the digest, and on Linux the most
//! memory that was resident.

#[path = "../benches/workloads/mod.rs"]
mod workloads;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, requests] = &arguments[..] else { panic!("usage: graph_workload NAME REQUESTS") };
    let report = workloads::run(name, requests.parse().expect("a number of requests"));
    let digest = &report.digest;
    println!("events {} t {} r {} s {}", report.run.events, digest.t, digest.r, digest.s);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("resident {}", peak.trim());
    }
}
