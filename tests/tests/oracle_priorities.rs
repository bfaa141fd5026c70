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

/// Two workers, 100/s each. The number in hand goes up from `n` at the rate of those who may find `n`, and down at `min(n, 2)` times 100/s; who comes sees it
/// as it is on average, so each class is turned away for the share of time in which as many are in hand as it may not find.
#[test]
fn each_class_is_turned_away_as_the_birth_death_chain_says() {
    let text = r#"(
        about: "three classes at a door",
        model: ServiceGraph(
            workload: [(to: "api", arrivals: Poisson("300/s"), priority: Mixed(critical_plus: 1, critical: 2, sheddable: 3))],
            services: {"api": (
                workers: Async(2), queue: Fifo(capacity: 20), work: Exponential(mean: "10ms"), shed: ByPriority(critical: 6, sheddable: 2),
            )},
        ),
        run: (duration: "150s", warm_up: "10s"),
    )"#;
    // The queue has room for 20, whoever comes.
    let classes = [("critical plus", 50.0, 22), ("critical", 100.0, 6), ("sheddable", 150.0, 2)];
    let mut chain = vec![1.0];
    for n in 0..22 {
        let up: f64 = classes.iter().filter(|(.., cutoff)| n < *cutoff).map(|(_, rate, _)| rate).sum();
        chain.push(chain[n] * up / (100.0 * (n + 1).min(2) as f64));
    }
    let all: f64 = chain.iter().sum();
    let runs = Runs::of(text, 1..=20);
    for (class, _, cutoff) in classes {
        let from: f64 = chain[cutoff..].iter().sum();
        let away = |report: &Report| {
            let told = |name| value(report, "priorities", &format!("users->api {class}"), name);
            told("rejected") / told("calls")
        };
        // A queue of 22 is a matter of years.
        match cutoff {
            22 => assert!(from / all < 1e-9 && runs.sample(away).mean == 0.0, "{}", from / all),
            _ => runs.agree(&format!("share of {class} that is turned away"), away, from / all, 0.02),
        }
    }
    for report in &runs.reports {
        let of = |name| value(report, "shed", "api", name);
        assert!(of("critical") > 0.0 && of("critical") + of("sheddable") == of("shed"));
        assert!(
            !report.section("shed", "api").unwrap().values.iter().any(|(name, _)| name == "critical_plus")
        );
    }
}
