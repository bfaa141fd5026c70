//! Caches against arithmetic and against independent simulations: hit ratios of LRU under Zipf's law, of a ttl, and how often a key is
//! fetched when its time is over.

use brownout_tests::Runs;
use sim_models::report::Report;
use std::f64::consts::E;

/// Requests of a workload, to a cache in front of what takes so long.
fn cache(workload: &str, cache: &str, work: &str, run: &str) -> String {
    format!(
        r#"(
            about: "a cache",
            model: ServiceGraph(
                workload: [(to: "front", {workload})],
                services: {{
                    "front": (workers: Async(100000), work: "0s", calls: [(to: "back")], cache: ({cache})),
                    "back": (workers: Async(100000), work: "{work}"),
                }},
            ),
            run: ({run}),
        )"#
    )
}

fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("cache", "front").expect("it is told of");
    section.values.get(name).and_then(|value| value.value).unwrap_or_else(|| panic!("no {name}"))
}

/// `mc_lru_zipf.csv`, and Che's approximation in `cache_zipf.csv`, which is within two thousandths of it; of keys that are all alike a share
/// is found that there is room for.
#[test]
fn the_hit_ratio_of_lru_is_what_another_simulation_finds() {
    for (keys, capacity, ratio, che) in [
        ("Zipf(count: 10000, exponent: 0.8)", 500, 0.331902, 0.3311862337),
        ("Zipf(count: 10000, exponent: 1)", 1000, 0.675142, 0.6756017935),
        ("Zipf(count: 1000, exponent: 1.2)", 100, 0.757626, 0.7574503358),
        ("Uniform(1000)", 300, 0.3, 0.3),
    ] {
        let workload = format!(r#"arrivals: Poisson("5000/s"), keys: {keys}"#);
        let run = r#"duration: "25s", warm_up: "5s""#;
        let runs = Runs::of(&cache(&workload, &format!("capacity: {capacity}"), "1ns", run), 1..=4);
        runs.agree(&format!("{capacity} of {keys}"), |report| told(report, "hit_ratio"), ratio, 0.005);
        runs.agree(&format!("{capacity} of {keys}, Che"), |report| told(report, "hit_ratio"), che, 0.005);
        runs.each("it is full", |report| told(report, "entries") == f64::from(capacity));
    }
}

/// `cache_ttl_stampede.csv`: `λ T / (1 + λ T)` where a fetch takes no time.
#[test]
fn the_hit_ratio_of_a_ttl() {
    for (rate, ttl, ratio) in [
        ("0.1/s", "10s", 0.5),
        ("1/s", "1s", 0.5),
        ("1/s", "10s", 0.9090909091),
        ("0.1/s", "1s", 0.09090909091),
    ] {
        let workload = format!(r#"arrivals: Poisson("{rate}")"#);
        let (ttl, run) = (format!(r#"capacity: 1, ttl: "{ttl}""#), r#"duration: "40000s", window: "1000s""#);
        let runs = Runs::of(&cache(&workload, &ttl, "1ns", run), 1..=8);
        runs.agree(&format!("{rate}, {ttl}"), |report| told(report, "hit_ratio"), ratio, 0.003);
        // However much each is longer or shorter: on average it is as long.
        let jittered = format!("{ttl}, jitter: 0.8");
        let runs = Runs::of(&cache(&workload, &jittered, "1ns", run), 1..=8);
        runs.agree(&format!("{rate}, {jittered}"), |report| told(report, "hit_ratio"), ratio, 0.003);
    }
}

/// `cache_ttl_stampede.csv`: `1 + λ δ` fetches each time; with single flight one, every `T + 1/λ + δ`. Without, whoever was last stores last, and it
/// is good for its ttl from then: that is `δ - (1 - e^(-λ δ)) / λ` later than the first.
#[test]
fn fetches_each_time_it_ends() {
    for (rate, ttl, fetch, each, single_rps) in [
        (1.0, 10.0, 1.0, 2.0, 0.08333333333),
        (10.0, 1.0, 0.1, 2.0, 0.8333333333),
        (10.0, 10.0, 1.0, 11.0, 0.09009009009),
        (100.0, 1.0, 0.01, 2.0, 0.9803921569),
        (100.0, 10.0, 1.0, 101.0, 0.09082652134),
        (1000.0, 1.0, 0.1, 101.0, 0.9082652134),
    ] {
        let measured = (60_000.0 / rate) as u64;
        let workload = format!(r#"arrivals: Poisson("{rate}/s")"#);
        let (ttl_text, work) =
            (format!(r#"capacity: 1, ttl: "{ttl}s""#), format!("{}ms", (fetch * 1e3) as u64));
        let run = format!(r#"duration: "{}s", warm_up: "50s", window: "50s""#, measured + 50);
        let rps = |report: &Report| told(report, "fetches") / measured as f64;
        let runs = Runs::of(&cache(&workload, &ttl_text, &work, &run), 1..=6);
        runs.agree(&format!("{rate}/s x {fetch} s"), |report| told(report, "fetches_per_expiry"), each, 0.02);
        let herd = rate * fetch;
        let cycle = ttl + 1.0 / rate + fetch + fetch - (1.0 - sim_core::math::exp(-herd)) / rate;
        runs.agree(&format!("fetches a second of {rate}/s"), rps, each / cycle, 0.01);
        let flight = format!("{ttl_text}, on_miss: SingleFlight");
        let runs = Runs::of(&cache(&workload, &flight, &work, &run), 1..=6);
        // They come so evenly that it matters where a run ends, by one.
        runs.each("one goes", |report| told(report, "fetches_per_expiry") == 1.0);
        runs.agree(
            &format!("one at a time of {rate}/s"),
            rps,
            single_rps,
            1.0 / (single_rps * measured as f64),
        );
    }
}

/// `mc_xfetch.csv`: `e^(1/beta)` fetches, `δ beta (ln(λ δ beta) + 0.5772)` before the time is over.
#[test]
fn early_refreshes_are_few_and_in_time() {
    for (rate, beta, ttl, seconds, each, early) in [
        (100, 1.0, 1000, 240, E, 0.2879801),
        (1000, 1.0, 1200, 160, E, 0.5182386),
        (1000, 2.0, 2400, 160, 1.648721, 1.175107),
        (1000, 0.5, 700, 240, 7.389056, 0.2244619),
    ] {
        let workload = format!(r#"arrivals: Poisson("{rate}/s")"#);
        let early_fetch = format!(r#"capacity: 1, ttl: "{ttl}ms", early: XFetch(beta: {beta})"#);
        let run = format!(r#"duration: "{}s", warm_up: "10s", window: "10s""#, seconds + 10);
        let runs = Runs::of(&cache(&workload, &early_fetch, "100ms", &run), 1..=10);
        runs.agree(
            &format!("{rate}/s, beta {beta}"),
            |report| told(report, "fetches_per_expiry"),
            each,
            0.03,
        );
        runs.agree(
            &format!("{rate}/s, beta {beta}, ahead"),
            |report| told(report, "early_by") / 1e9,
            early,
            0.02,
        );
    }
}
