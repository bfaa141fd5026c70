//! The retry budget and the rate limit of tower, run beside ours: the same calls at the same times, the same answers.

use brownout_tests::sound;
use sim_core::{SimDuration, SimTime, Streams, Words};
use sim_models::policy::budget::{Budget, BudgetState, Library, Paid};
use sim_models::policy::rate_limit::{RateLimit, RateLimitState, Turn};
use std::task::{Context, Waker};
use std::time::Duration;
use tower::Service;
use tower::limit::rate::Rate;
use tower::retry::budget::{Budget as _, TpsBudget};

/// Times that matter: within a slot, to the end of one, over several, and longer than all is remembered.
fn gap(words: &mut impl Words, slot: u64) -> u64 {
    match words.below(12) {
        0 => slot,
        1 => slot - 1,
        2 => slot + 1,
        3 => slot * (1 + words.below(12)),
        4 => slot * (1 + words.below(12)) + 1,
        5 => words.below(25 * slot),
        6 => 0,
        7 => words.below(slot),
        _ => words.below(slot / 20),
    }
}

#[test]
fn budget() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let (mut asked, mut granted) = (0u64, 0u64);
    for case in 0..400u64 {
        let mut words = Streams::new(17).stream("tower", &case.to_string());
        let secs = 1 + words.below(60);
        let min_per_sec = [0, 0, 1, 3, 10][words.below(5) as usize];
        let ratio = [0.0, 0.01, 0.1, 0.2, 0.3, 0.7, 1.0, 1.5, 3.0, 1000.0][words.below(10) as usize];
        let ttl = SimDuration::from_secs(secs);
        let (of, library) = (Paid::Calls, Library::Tower);
        let mut ours = BudgetState::new(&Budget::Window { ratio, min_per_sec, ttl, of, library });
        runtime.block_on(async {
            let theirs = TpsBudget::new(Duration::from_secs(secs), min_per_sec, ratio as f32);
            let mut now = SimTime::ZERO;
            let calls = words.below(100);
            for step in 0..2_000 {
                let nanos = gap(&mut words, secs * 100_000_000);
                tokio::time::advance(Duration::from_nanos(nanos)).await;
                now = now + SimDuration::from_nanos(nanos);
                if words.below(100) < calls {
                    theirs.deposit();
                    ours.on_call(now);
                } else {
                    let expected = theirs.withdraw();
                    assert_eq!(
                        ours.withdraw(now, None).is_some(),
                        expected,
                        "case {case}, step {step}: {ratio} and {min_per_sec}/s over {secs} s, at {now:?}"
                    );
                    asked += 1;
                    granted += u64::from(expected);
                }
            }
        });
    }
    assert!(granted > asked / 10 && granted < 9 * asked / 10, "{granted} of {asked}");
}

/// A service that is always ready, behind tower's limit: it lets a call through, or is not ready for it.
#[test]
fn rate_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let (mut asked, mut refused) = (0u64, 0u64);
    for case in 0..200u64 {
        let mut words = Streams::new(17).stream("tower-rate", &case.to_string());
        let limit = 1 + words.below(20) as u32;
        // Tokio's timers are of whole milliseconds.
        let millis = [10, 100, 1_000][words.below(3) as usize];
        let spec = format!(r#"FixedWindow(limit: {limit}, window: "{millis}ms", begins: WithFirst)"#);
        let mut ours = RateLimitState::new(&sound::<RateLimit>(&spec));
        runtime.block_on(async {
            let inner = tower::service_fn(|()| async { Ok::<_, std::convert::Infallible>(()) });
            let rate = Rate::new(u64::from(limit), Duration::from_millis(millis));
            let mut theirs = tower::limit::RateLimit::new(inner, rate);
            let mut now = SimTime::ZERO;
            for step in 0..2_000 {
                let gap = match words.below(40) {
                    0 => millis,
                    1 => millis - 1,
                    2 => millis * (1 + words.below(5)),
                    _ => words.below(millis / u64::from(limit) + 1) / 2,
                };
                tokio::time::advance(Duration::from_millis(gap)).await;
                now = now + SimDuration::from_millis(gap);
                let mut context = Context::from_waker(Waker::noop());
                let ready = theirs.poll_ready(&mut context).is_ready();
                if ready {
                    drop(theirs.call(()));
                }
                assert_eq!(ours.ask(now) == Turn::Now, ready, "case {case}, step {step}: {spec} at {now:?}");
                asked += 1;
                refused += u64::from(!ready);
            }
        });
    }
    assert!(refused > asked / 20 && refused < asked / 2, "{refused} of {asked}");
}
