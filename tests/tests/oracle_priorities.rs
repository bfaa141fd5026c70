//! Queues by priority against Cobham's waits, and queues with a turn for each tenant against the max-min fair share.

use brownout_tests::Runs;
use sim_models::report::Report;
use sim_models::theory::cobham_waits;

fn value(report: &Report, kind: &str, at: &str, name: &str) -> f64 {
    let section = report.section(kind, at).unwrap_or_else(|| panic!("no {kind} at {at}"));
    section.values.get(name).and_then(|value| value.value).unwrap_or_else(|| panic!("no {name} at {at}"))
}

#[test]
fn each_class_waits_as_cobham_says() {
    for (work, second) in [(r#"Exponential(mean: "1ms")"#, 2.0), (r#""1ms""#, 1.0)] {
        let text = format!(
            r#"(
                about: "four classes",
                model: ServiceGraph(
                    workload: [(to: "api", arrivals: Poisson("800/s"), priority: Mixed(critical_plus: 1, critical: 1, sheddable_plus: 1, sheddable: 1))],
                    services: {{"api": (workers: Async(1), queue: Priority(capacity: Unbounded), work: {work})}},
                ),
                run: (duration: "150s", warm_up: "10s"),
            )"#
        );
        let runs = Runs::of(&text, 1..=20);
        let classes = ["critical plus", "critical", "sheddable plus", "sheddable"];
        for (class, wait) in classes.into_iter().zip(cobham_waits(&[200.0; 4], 1e-3, second * 1e-6)) {
            let mean = |report: &Report| {
                value(report, "priorities", &format!("users->api {class}"), "ok_mean") / 1e9
            };
            runs.agree(&format!("mean response of {class}"), mean, wait + 1e-3, 0.02);
        }
    }
}

/// 300/s can be done of 600/s. One asks for 50/s and gets it; the others ask for 250 and 300, and get half each of the rest.
#[test]
fn each_tenant_has_its_fair_share() {
    let text = r#"(
        about: "three tenants",
        model: ServiceGraph(
            workload: [(to: "api", arrivals: Poisson("600/s"), tenants: Named({"little": 1, "more": 5, "most": 6}))],
            services: {"api": (workers: Async(3), queue: Fair(capacity: 60), work: Exponential(mean: "10ms"))},
        ),
        run: (duration: "120s", warm_up: "10s"),
    )"#;
    let runs = Runs::of(text, 1..=10);
    for (tenant, share) in [("little", 50.0), ("more", 125.0), ("most", 125.0)] {
        let goodput = |report: &Report| value(report, "tenants", &format!("users->api {tenant}"), "goodput");
        runs.agree(&format!("goodput of {tenant}"), goodput, share, 0.03);
    }
}
