//! Laws that hold in every run, whatever is simulated: random graphs, policies and overlapping faults.
//!
//! The exact laws (every call and attempt ends in one outcome, Little's law and the utilisation law to the
//! nanosecond) are asserted by the model itself at the end of every run; what is added here is that random
//! experiments reach them, on both engines, and that unrelated things do not touch each other.

use brownout_tests::{a_service, edge, random_experiment, resolve, run, run_with};
use sim_core::{Engine, Limits};
use sim_models::fault::Effect;
use sim_models::policy::part::{Listed, Part};
use sim_models::policy::{Outcome, Policy};
use sim_models::report::{Edge, Report, results_digest};
use sim_models::run::RunOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many random experiments; each is small.
const EXPERIMENTS: u64 = 400;

/// Bounds on what a random experiment may cost; a run that meets one is checked all the same.
fn options(seed: u64, engine: Engine) -> RunOptions {
    let limits = Limits { events: 60_000, events_at_one_instant: 20_000 };
    RunOptions { engine, limits, max_in_flight: 5_000, ..RunOptions::seeded(seed) }
}

#[test]
fn random_experiments_obey_every_law_on_both_engines() {
    let (mut events, mut deaths, mut cut_short) = (0, 0, 0);
    for seed in 1..=EXPERIMENTS {
        let text = random_experiment(seed);
        let resolved = resolve(&text, None);
        let runs = [Engine::Fast, Engine::Fast, Engine::Reference].map(|engine| {
            catch_unwind(AssertUnwindSafe(|| run_with(&resolved, &options(seed, engine)).report))
                .unwrap_or_else(|_| panic!("experiment {seed} broke a law with seed {seed}:\n{text}"))
        });
        let [first, again, reference] = &runs;
        assert_eq!(first, again, "experiment {seed} is not the same twice:\n{text}");
        assert_eq!(first, reference, "experiment {seed} differs on the reference engine:\n{text}");
        round_trip(first, &text);
        sums_agree(first, &text);
        events += first.run.events;
        deaths += first.services.iter().map(|(_, service)| service.deaths).sum::<u64>();
        cut_short += u64::from(first.stopped.is_some());
    }
    println!("{EXPERIMENTS} experiments, {events} events, {deaths} deaths, {cut_short} cut short");
    // The generator must reach what it is for.
    assert!(events > 1_000_000 && deaths > 100 && cut_short < EXPERIMENTS / 4);
}

/// Every mechanism beside every other, each in all its samples: two that are sound alone are sound together.
#[test]
fn every_two_mechanisms_obey_every_law_together() {
    let service = a_service();
    let of = |place: &'static str, listed: Vec<Listed>| -> Vec<(&str, &str, &str)> {
        let samples =
            |part: &Listed| part.samples.iter().map(|sample| (place, part.key, *sample)).collect::<Vec<_>>();
        listed.iter().flat_map(samples).collect()
    };
    let policy = Policy::default();
    let mut settings = [of("policy", policy.parts()), of("service", service.parts())].concat();
    settings.extend(Effect::samples().iter().map(|sample| ("fault", "effect", *sample)));
    let mut pairs = 0;
    for (number, one) in settings.iter().enumerate() {
        for other in settings[..number].iter().filter(|other| other.1 != one.1) {
            let said = |place: &str| {
                let here = [one, other].into_iter().filter(|setting| setting.0 == place);
                here.map(|(_, key, sample)| format!("{key}: {sample}, ")).collect::<String>()
            };
            let (policy, mut service, fault) = (said("policy"), said("service"), said("fault"));
            if !service.contains("workers: ") {
                service += "workers: Blocking(2), ";
            }
            let names = match service.contains("\"names\"") {
                true => r#""names": (workers: Async(1), work: "1ms"),"#,
                false => "",
            };
            let flags = match service.contains("\"beta\"") {
                true => r#"flags: {"beta": (stages: [(at: "200ms", share: 0.5)])},"#,
                false => "",
            };
            let faults = match fault.as_str() {
                "" => String::new(),
                effect => format!(r#"(at: "300ms", for: "200ms", on: "back", {effect})"#),
            };
            let text = format!(
                r#"(about: "two", run: (duration: "1s", window: "250ms"), model: ServiceGraph(
                    workload: [(to: "front", arrivals: Poisson("300/s"), clients: 2, policy: "p")],
                    services: {{
                        "front": (replicas: 2, {service}work: "1ms", calls: [(to: "back", policy: "p")]),
                        "back": (replicas: 2, {service}work: Exponential(mean: "5ms")),
                        {names}
                    }},
                    policies: {{"p": ({policy})}}, faults: [{faults}], network: "1ms", {flags}
                ))"#
            );
            let resolved = resolve(&text, None);
            let [fast, reference] = [Engine::Fast, Engine::Reference].map(|engine| {
                catch_unwind(AssertUnwindSafe(|| run_with(&resolved, &options(1, engine)).report))
                    .unwrap_or_else(|_| panic!("a law is broken by\n{text}"))
            });
            assert_eq!(fast, reference, "not the same on the reference engine:\n{text}");
            sums_agree(&fast, &text);
            pairs += 1;
        }
    }
    println!("{} settings, {pairs} pairs", settings.len());
    assert!(pairs > 1_000);
}

fn round_trip(report: &Report, text: &str) {
    let written = serde_json::to_string(report).expect("a report can be written");
    let read: Report = serde_json::from_str(&written).expect("a report can be read back");
    assert_eq!(&read, report, "JSON changes the report of\n{text}");
    assert_eq!(results_digest(&read), results_digest(report));
}

/// The laws again, from the report alone: what a reader can add up must add up.
fn sums_agree(report: &Report, text: &str) {
    for (name, edge) in report.edges.iter() {
        let calls = &edge.calls;
        assert_eq!(calls.started, calls.ended.total(), "calls on {name}:\n{text}");
        assert_eq!(calls.failed(), calls.failed_by.total(), "causes on {name}:\n{text}");
        let sent = &edge.attempts;
        assert_eq!(sent.sent, sent.ended.total(), "attempts on {name}:\n{text}");
        let sum = calls.started - calls.never_sent + sent.retries + sent.copies;
        assert_eq!(sent.sent, sum, "attempts on {name}:\n{text}");
        assert_eq!(edge.latency.count, calls.ok(), "latencies on {name}:\n{text}");
        assert!(sent.of(Outcome::Ok) >= calls.ok(), "{name}: more calls than attempts went well:\n{text}");
    }
    for (name, service) in report.services.iter() {
        assert!((0.0..=1.0).contains(&service.utilisation), "utilisation of {name}:\n{text}");
        assert!(service.work_wasted <= service.work, "waste of {name}:\n{text}");
        if let Some(capacity) = service.queue_capacity {
            assert!(service.queue_max <= capacity, "queue of {name}:\n{text}");
        }
    }
}

const PAIR: &str = r#"(
    about: "two services",
    model: ServiceGraph(
        workload: [(to: "front", arrivals: Poisson("200/s"), clients: 3, policy: "p")UNRELATED_LOAD],
        services: {
            UNRELATED_SERVICES
            "front": (replicas: 2, workers: Async(8), work: LogNormal(median: "4ms", p99: "20ms"),
                      calls: [(to: "back", policy: "p", probability: 0.9)]),
            "back": (replicas: 3, workers: Blocking(2), work: Exponential(mean: "20ms"), error_rate: 0.05),
        },
        policies: {
            "p": (timeout: "100ms", balancer: PowerOfTwo, retry: Exponential(attempts: 3, base: "20ms")),
            "stubborn": (timeout: "100ms", balancer: Random, retry: Fixed(attempts: 10)),
        },
        faults: [(at: "8s", for: "4s", on: "back", effect: Slow(factor: 4), replicas: Fraction(0.4))],
        network: Exponential(mean: "1ms"),
    ),
    run: (duration: "20s", warm_up: "2s"),
    variants: {"stubborn": {"services.front.calls[0].policy": "stubborn"}},
)"#;

#[test]
fn what_is_added_elsewhere_changes_nobody_elses_luck() {
    let alone = PAIR.replace("UNRELATED_LOAD", "").replace("UNRELATED_SERVICES", "");
    // Before the others in the file, so that every index moves.
    let more = PAIR
        .replace("UNRELATED_LOAD", r#", (name: "batch", to: "archive", arrivals: Poisson("90/s"), policy: "p")"#)
        .replace(
            "UNRELATED_SERVICES",
            r#""archive": (workers: Async(2), work: Exponential(mean: "9ms"), calls: [(to: "disk", policy: "p")]),
               "disk": (replicas: 2, workers: Blocking(1), work: Exponential(mean: "15ms")),"#,
        );
    let (alone, more) = (run(&alone, 7), run(&more, 7));
    assert_ne!(alone.digest.t, more.digest.t);
    for (name, alone) in alone.edges.iter() {
        // Of this one number the denominator is the calls of all users, the added ones included.
        let apart = |edge: &Edge| Edge { per_user_call: None, ..edge.clone() };
        assert_eq!(apart(alone), apart(edge(&more, name)), "edge {name}");
    }
    for (name, service) in alone.services.iter() {
        assert_eq!(Some(service), more.services.get(name), "service {name}");
    }
    assert!(edge(&more, "batch->archive").calls.started > 1_000);
}

#[test]
fn another_policy_meets_the_same_arrivals() {
    let text = PAIR.replace("UNRELATED_LOAD", "").replace("UNRELATED_SERVICES", "");
    let reports = [None, Some("stubborn")]
        .map(|variant| run_with(&resolve(&text, variant), &RunOptions::seeded(7)).report);
    let arrivals = reports.each_ref().map(|report| &edge(report, "users->front").windows.started);
    assert_eq!(arrivals[0], arrivals[1]);
    assert_ne!(reports[0].digest.t, reports[1].digest.t);
}

/// When `vault` crashes, the requests of `teller` and `portal` that wait for it go on in the same instant. The
/// portal's next call is the one too many for the teller, which takes three others that were about to go on
/// down with it.
#[test]
fn a_request_that_was_about_to_go_on_can_still_be_lost() {
    let text = r#"(
    about: "two deaths in one instant",
    model: ServiceGraph(
        workload: [
            (name: "early", to: "teller", arrivals: Steps(steps: [(at: "0s", rate: "1/s"), (at: "3500ms", rate: "0/s")], spacing: Even)),
            (name: "late", to: "portal", arrivals: Steps(steps: [(at: "0s", rate: "0.25/s"), (at: "5s", rate: "0/s")], spacing: Even)),
        ],
        services: {
            "portal": (workers: Async(10), work: "0s", calls: [(to: "vault", optional: true), (to: "teller")]),
            "teller": (workers: Async(10), work: "0s", calls: [(to: "vault")],
                       dies: (at_in_flight: 4, restart_after: "1s", callers: Silence)),
            "vault": (workers: Blocking(10), work: "1000s"),
        },
        faults: [(at: "6s", for: "1s", on: "vault", effect: Crash(callers: Reset))],
    ),
    run: (duration: "10s"),
)"#;
    let report = run(text, 1);
    assert_eq!(report.services.get("teller").map(|teller| teller.deaths), Some(1));
    assert_eq!(
        (
            edge(&report, "teller->vault").attempts.of(Outcome::Reset),
            edge(&report, "portal->vault").attempts.of(Outcome::Reset)
        ),
        (3, 1)
    );
    // Silence: nobody without a timeout ever learns of it.
    assert_eq!(
        (edge(&report, "early->teller").calls.in_flight(), edge(&report, "late->portal").calls.in_flight()),
        (3, 1)
    );
}
