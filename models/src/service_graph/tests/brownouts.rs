//! Scenes of services that do less when there is more to do.

use super::scenes::{MILLI, SECOND, scene};
use crate::policy::Ending;
use crate::report::Report;

#[track_caller]
fn told(report: &Report, name: &str) -> f64 {
    let section = report.section("brownout", "shop").expect("it dims");
    section.values.get(name).and_then(|it| it.value).unwrap_or_else(|| panic!("no {name}"))
}

/// One worker, 5 ms of work and 20 ms for what is optional, of two stages: 40 a second with both and 200 without. So many come for 10 s.
#[track_caller]
fn shop(rate: u32, brownout: &str) -> Report {
    scene(
        &format!(
            r#"workload: [(to: "shop", arrivals: Steps(spacing: Even, steps: [(at: "0s", rate: "{rate}/s"), (at: "10005ms", rate: "0/s")]))],
               services: {{
                   "shop": (workers: Blocking(1), queue: Fifo(capacity: Unbounded), work: "5ms", calls: [(to: "more", optional: true)]{brownout}),
                   "more": (workers: Async(9), work: "20ms"),
               }}"#
        ),
        "60s",
    )
}

fn counts(report: &Report) -> (u64, u64, u64) {
    let (users, more) = (report.edges.get("users->shop").unwrap(), report.edges.get("shop->more").unwrap());
    (users.calls.of(Ending::Ok), more.calls.started, users.latency.max.unwrap())
}

/// With too much to do all of it is done, part of it without what is optional; with little nothing is left out.
#[test]
fn what_can_be_left_out_is_left_out_when_there_is_too_much() {
    // A thousand take 25 ms each in full light.
    let (ok, more, longest) = counts(&shop(100, ""));
    assert_eq!((ok, more), (1_000, 1_000));
    assert!(longest > 14 * SECOND, "{longest}");
    for brownout in [
        r#", brownout: Switch(above: 10, below: 2, every: "100ms")"#,
        r#", brownout: Controller(set_point: "200ms", every: "100ms", pole: 0)"#,
    ] {
        let report = shop(100, brownout);
        let (ok, more, longest) = counts(&report);
        // Two thirds of the time with both and a third without: 100 a second of 500 without a queue would be (10 - 5)/20 of all.
        assert_eq!(ok, 1_000);
        assert!((100..=400).contains(&more), "{brownout}: {more} of about 250");
        assert!(longest < 2 * SECOND, "{brownout}: {longest}");
        assert!(told(&report, "dimmer") < 1.0 && told(&report, "least") < 0.5);
        let report = shop(20, brownout);
        let (ok, more, longest) = counts(&report);
        assert_eq!((ok, more, longest), (200, 200, 25 * MILLI), "{brownout}");
        assert_eq!((told(&report, "dimmer"), told(&report, "least")), (1.0, 1.0));
    }
}

/// What a request draws it draws under any dimmer; a call that is made in half of all cases anyhow is made in half of these.
#[test]
fn a_dimmer_multiplies_what_is_written() {
    let of = |probability: &str| {
        let report = scene(
            &format!(
                r#"workload: [(to: "shop", arrivals: Constant("1000/s"))],
                   services: {{
                       "shop": (workers: Async(99), work: "5ms", calls: [(to: "more", optional: true, probability: {probability}), (to: "must")],
                                brownout: Controller(set_point: "1ms", pole: 0)),
                       "more": (workers: Async(99), work: "1ms"), "must": (workers: Async(99), work: "1ms"),
                   }}"#
            ),
            "20s",
        );
        let started = |edge: &str| report.edges.get(edge).unwrap().calls.started;
        assert!(told(&report, "least") == 0.0 && told(&report, "in_time") == 0.0);
        (started("shop->more"), started("shop->must"))
    };
    let ((all, must), (half, _)) = (of("1"), of("0.5"));
    assert!(must > 19_900 && all < 10_000, "{must} {all}");
    assert!((0.43..0.57).contains(&(half as f64 / all as f64)), "{half} of {all}");
}
