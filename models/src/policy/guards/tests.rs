use super::super::tests::read;
use super::*;
use sim_core::Streams;

fn policy(text: &str) -> Policy {
    read::<Policy>(text).unwrap().0
}

struct Client {
    guards: Guards,
    view: View,
    pick: Luck,
    gate: Luck,
    sent: u64,
    first: bool,
    grant: Grant,
}

impl Client {
    fn new(text: &str, choices: u32) -> Self {
        let mut pick = Streams::new(5).luck("pick", "a->b");
        let view = View::all(choices);
        let policy = policy(text);
        let alike = Alike::new(&policy, (choices, None), ("a->b", "b"), &Streams::new(5));
        let guards = Guards::new(&policy, &view, 0, &alike, &mut pick.at(Key::root(0, 0)));
        let gate = Streams::new(5).luck("gate", "a->b");
        Client { guards, view, pick, gate, sent: 0, first: true, grant: Grant::NONE }
    }

    fn is_open(&self) -> bool {
        self.guards.breaker.as_ref().expect("it has one").open() > 0
    }

    fn send_with(&mut self, seconds: u64, admitted: bool) -> Gate<Pass> {
        self.sent += 1;
        let key = Key::root(1, self.sent);
        self.guards.may_send(Ask {
            now: SimTime::from_secs(seconds),
            key,
            view: &self.view,
            pick: &mut self.pick,
            tried: &[],
            picks: None,
            gate: Some(&mut self.gate),
            admitted,
            first: self.first,
            grant: self.grant,
            carried: Default::default(),
            address: None,
        })
    }

    fn send(&mut self, seconds: u64) -> Option<Pass> {
        match self.send_with(seconds, false) {
            Gate::Go(pass) => Some(pass),
            Gate::No(end) => {
                assert_eq!(end, Ending::BreakerOpen);
                None
            }
            Gate::Line(_) | Gate::Turn(_) => panic!("nobody waits to send"),
        }
    }

    fn learn(
        &mut self,
        seconds: u64,
        pass: Pass,
        (outcome, retried, overdue): (Outcome, bool, bool),
    ) -> Option<Step> {
        let now = SimTime::from_secs(seconds);
        let Pass { replica, permit, .. } = pass;
        self.guards.learn(Seen {
            now,
            outcome,
            retried,
            overdue,
            replica,
            permit,
            took: None,
            first: true,
            grant: self.grant,
        })
    }
}

#[test]
fn only_what_is_there_is_asked() {
    let names = [
        (Gates::BEGIN, "begin"),
        (Gates::REPEAT, "repeat"),
        (Gates::SEND, "send"),
        (Gates::LEARN, "learn"),
        (Gates::LEARN_CALL, "learn call"),
        (Gates::PERMIT_PER_CALL, "permit per call"),
        (Gates::COPY, "copy"),
        (Gates::LINE, "line"),
        (Gates::TIMES, "times"),
        (Gates::TRIED, "tried"),
        (Gates::HEEDS, "heeds"),
        (Gates::INHERITS, "inherits"),
        (Gates::SHARES, "shares"),
        (Gates::STEPS, "steps"),
        (Gates::CONNECT, "connect"),
        (Gates::ASKS_ALL, "asks all"),
        (Gates::TELLS_ALL, "tells all"),
    ];
    let per_call = "(breaker: Consecutive(scope: Call))";
    let table = [
        ("()", 1, ""),
        (r#"(timeout: "1s", deadline: "9s", retry: Fixed(attempts: 3))"#, 1, ""),
        ("(balancer: LeastPending)", 1, ""),
        ("()", 3, "send"),
        ("(balancer: Random)", 3, "send"),
        ("(balancer: PowerOfTwo)", 3, "send, learn"),
        ("(balancer: LeastPending)", 3, "send, learn"),
        ("(balancer: PowerOfD())", 3, "send, learn"),
        ("(balancer: Weighted(weights: [2, 1]))", 3, "send"),
        ("(balancer: PeakEwma())", 3, "send, learn, times, asks all, tells all"),
        ("(balancer: PeakEwma())", 1, ""),
        ("(balancer: ConsistentHash())", 3, "send, asks all"),
        ("(balancer: ConsistentHash(load_factor: 1.25))", 3, "send, learn, asks all"),
        ("(balancer: ConsistentHash(load_factor: 1.25))", 1, ""),
        ("(balancer: Sticky())", 3, "send, shares, asks all"),
        ("(balancer: Sticky())", 1, ""),
        ("(bulkhead: ())", 1, "begin, learn call"),
        (r#"(bulkhead: (max_wait: "250ms"))"#, 1, "begin, learn call, line"),
        ("(retry: Fixed(attempts: 3), budget: Ratio())", 1, "begin, repeat"),
        ("(retry: Fixed(attempts: 3), budget: Throttle())", 1, "repeat, learn, tells all"),
        ("(retry: Fixed(attempts: 3), budget: Ratio(of: Successes))", 1, "repeat, learn, tells all"),
        ("(retry: Fixed(attempts: 3), budget: Window())", 1, "begin, repeat"),
        ("(retry: Fixed(attempts: 3), budget: Window(of: Successes))", 1, "repeat, learn, tells all"),
        (
            "(retry: Fixed(attempts: 3), budget: Concurrent())",
            1,
            "repeat, send, learn, learn call, asks all, tells all",
        ),
        ("(retry: Fixed(attempts: 3), budget: Quota())", 1, "repeat, learn, tells all"),
        ("(breaker: Consecutive())", 1, "send, learn"),
        (per_call, 1, "send, learn call, permit per call, asks all"),
        ("(breaker: Consecutive(per: Replica()))", 1, "send, learn"),
        ("(breaker: Consecutive(per: Replica()))", 2, "send, learn, steps, asks all, tells all"),
        ("(breaker: FailureRate(shared: true))", 1, "send, learn, shares, asks all, tells all"),
        ("(breaker: FailureRate(slow_call: ()))", 1, "send, learn, times"),
        (
            "(breaker: FailureRate(slow_call: (), scope: Call))",
            1,
            "send, learn call, permit per call, asks all",
        ),
        (r#"(hedge: (after: "20ms"))"#, 1, "learn, copy, tells all"),
        ("(throttle: ())", 1, "send, learn, asks all, tells all"),
        (r#"(hedge: (after: Percentile(95)))"#, 1, "learn, copy, times, tells all"),
        ("(retry_host: Other())", 1, ""),
        ("(retry_host: Other())", 2, "send, tried, asks all"),
        ("(retry_after: Honour())", 1, "heeds"),
        ("(deadline_propagation: ())", 1, "inherits"),
        ("(concurrency: Aimd())", 1, "send, learn, times, asks all, tells all"),
        (r#"(rate_limit: TokenBucket(rate: "1/s"))"#, 1, "begin"),
        (r#"(rate_limit: TokenBucket(rate: "1/s", counts: Attempts))"#, 1, "send, asks all"),
        (r#"(rate_limit: LeakyBucket(rate: "1/s", capacity: 5))"#, 1, "begin, learn call"),
        ("(outlier: ())", 1, "send, learn, steps, asks all, tells all"),
        ("(outlier: (), panic_threshold: 0.5)", 3, "send, learn, steps, asks all, tells all"),
        ("(panic_threshold: 0.5)", 3, "send, learn, steps, asks all, tells all"),
        ("(subset: Random(2))", 3, "send, asks all"),
        ("(subset: ShuffleShard(2), outlier: ())", 3, "send, learn, steps, asks all, tells all"),
        ("(pool: ())", 1, "connect"),
        ("(pool: ())", 3, "send, connect"),
    ];
    for (text, choices, expected) in table {
        let gates = Gates::of(&policy(text), choices);
        let found: Vec<&str> =
            names.iter().filter(|(gate, _)| gates.has(*gate)).map(|(_, name)| *name).collect();
        assert_eq!(found.join(", "), expected, "{text}, {choices} replicas");
        assert_eq!(gates.is_empty(), expected.is_empty());
    }
}

/// What is asked and told in a few steps where there are but a balancer and a breaker is what all would have said and learnt.
#[test]
fn the_short_way_is_the_long_way() {
    let breakers = [
        "",
        ", breaker: Consecutive(failures: 2)",
        r#", breaker: Consecutive(failures: 2, open_for: "2s", counts: InAll, closes_after: 1)"#,
        r#", breaker: Consecutive(failures: 2, open_for: "2s", recovery: (factor: 2, jitter: 0.5, ramp: "9s"))"#,
        r#", breaker: FailureRate(window: Count(4), minimum_calls: 2, open_for: "3s", probes: 2)"#,
        r#", breaker: FailureRate(window: Time("5s"), minimum_calls: 2, open_for: "3s", slow_call: ())"#,
    ];
    let (mut sent, mut told) = (0, 0);
    for balancer in
        ["RoundRobin", "Random", "LeastPending", "PowerOfTwo", "PowerOfD()", "Weighted(weights: [3, 2])"]
    {
        for text in breakers.map(|breaker| format!("(balancer: {balancer}{breaker})")) {
            assert!(!Gates::of(&policy(&text), 3).has(Gates::ASKS_ALL.or(Gates::TELLS_ALL)), "{text}");
            let mut long = Client::new(&text, 3);
            let mut out = Vec::new();
            for second in 0..500 {
                let luck = Key::root(9, second).get();
                let mut short = long.guards.clone();
                let before = format!("{short:?}");
                if luck.is_multiple_of(2) {
                    let (key, mut pick) = (Key::root(1, long.sent + 1), long.pick.clone());
                    let found = short.sends(key, &long.view, &mut pick);
                    let pass = long.send(second);
                    if let Some((replica, permit)) = found {
                        sent += 1;
                        assert_eq!(Some(Pass { replica, permit, ..Pass::default() }), pass, "{text}");
                        assert_eq!(format!("{short:?}"), format!("{:?}", long.guards), "{text}");
                        assert_eq!(pick.used(), long.pick.used(), "{text}");
                    } else {
                        assert_eq!(format!("{short:?}"), before, "{text}");
                    }
                    out.extend(pass);
                } else if !out.is_empty() {
                    let pass: Pass = out.swap_remove(luck as usize / 2 % out.len());
                    let outcome = if (luck / 64).is_multiple_of(3) { Outcome::Error } else { Outcome::Ok };
                    let knows = outcome == Outcome::Ok && short.succeeds(pass.replica, &pass.permit);
                    let step = long.learn(second, pass, (outcome, true, false));
                    let learnt = format!("{:?}", long.guards);
                    told += u32::from(knows);
                    assert!(!knows || step.is_none(), "{text}");
                    assert_eq!(format!("{short:?}"), if knows { learnt } else { before }, "{text}");
                }
            }
        }
    }
    assert!(sent > 1_000 && told > 500, "{sent} were sent, {told} were told");
}

#[test]
fn a_bulkhead_refuses_before_a_budget_is_paid() {
    let text =
        "(bulkhead: (max_concurrent: 1), retry: Fixed(attempts: 2), budget: Ratio(ratio: 1, burst: 1))";
    let mut client = Client::new(text, 1);
    let guards = &mut client.guards;
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::Go(()));
    // The bucket began full and holds one token.
    assert!(
        guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_ok()
            && guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)) == Err(Denied::Budget)
    );
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::No(Ending::BulkheadFull));
    assert!(
        guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_err(),
        "a call that never began paid nothing in"
    );
    assert_eq!(
        guards.learn_call(SimTime::ZERO, Ending::Deadline, None, Grant::NONE, SimDuration::ZERO),
        None
    );
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::Go(()), "the place came back");
    assert!(guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_ok(), "and this call paid in");
}

/// Who is refused by the clock takes no place, and who waits takes it when its turn has come.
#[test]
fn a_turn_comes_before_a_place() {
    let text = r#"(bulkhead: (max_concurrent: 1), rate_limit: TokenBucket(rate: "10/s", max_wait: "100ms"))"#;
    let guards = &mut Client::new(text, 1).guards;
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::Go(()));
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::Turn(SimDuration::from_millis(100)));
    assert_eq!(guards.may_begin(SimTime::ZERO), Gate::No(Ending::RateLimited));
    assert_eq!(guards.may_enter(SimTime::ZERO), Gate::No(Ending::BulkheadFull), "the first is still out");
    assert_eq!(guards.learn_call(SimTime::ZERO, Ending::Ok, None, Grant::NONE, SimDuration::ZERO), None);
    assert_eq!(guards.may_enter(SimTime::ZERO), Gate::Go(()));
}

/// One retry at a time: its place comes back when its call ends before it, when it is not sent, and when it has ended.
#[test]
fn what_a_retry_was_granted_comes_back() {
    let text = "(retry: Fixed(attempts: 2), budget: Concurrent(ratio: 0, at_least: 1))";
    let mut client = Client::new(text, 1);
    let ask = |client: &mut Client| client.guards.may_repeat(SimTime::ZERO, Some(Outcome::TimedOut));
    for how in ["deadline", "not sent", "ended", "not at all"] {
        let grant = ask(&mut client).expect("there is a place");
        assert!(grant != Grant::NONE && ask(&mut client) == Err(Denied::Budget), "{how}");
        match how {
            "deadline" => {
                client.guards.learn_call(SimTime::ZERO, Ending::Deadline, None, grant, SimDuration::ZERO);
            }
            "not sent" => client.guards.give_back(grant),
            "ended" => {
                client.grant = grant;
                let pass = client.send(0).expect("it is sent");
                client.learn(0, pass, (Outcome::Ok, false, false));
            }
            _ => {}
        }
    }
    assert_eq!(ask(&mut client), Err(Denied::Budget));
}

/// What an open breaker, or a full adaptive limit, did not let be sent was not sent: its turn is there for the next.
#[test]
fn who_is_not_sent_has_used_no_turn() {
    for (guard, end) in [
        (r#"breaker: Consecutive(failures: 1, open_for: "10s")"#, Ending::BreakerOpen),
        ("concurrency: Aimd(initial: 1, min: 1)", Ending::Limited),
    ] {
        let text = format!(r#"(rate_limit: FixedWindow(limit: 2, window: "1h", counts: Attempts), {guard})"#);
        let mut client = Client::new(&text, 1);
        let Gate::Go(pass) = client.send_with(0, false) else { panic!("the first goes") };
        let is_full = end == Ending::Limited;
        if !is_full {
            client.learn(0, pass, (Outcome::Error, false, false));
        }
        (0..5).for_each(|_| assert_eq!(client.send_with(1, false), Gate::No(end), "{guard}"));
        if is_full {
            client.guards.concurrency = None;
        }
        assert!(matches!(client.send_with(11, false), Gate::Go(_)), "{guard}: the second turn is left");
        assert_eq!(client.send_with(11, false), Gate::No(Ending::RateLimited), "{guard}: and no third");
    }
}

/// Whatever else draws, a client's round robin starts where it does without it.
#[test]
fn jitter_moves_no_turn() {
    let first = |breaker: &str| {
        let mut client = Client::new(&format!("({breaker})"), 1000);
        client.send(0).expect("it goes").replica
    };
    let jitter = r#"breaker: Consecutive(failures: 5, recovery: (jitter: 0.5))"#;
    assert_eq!(first(""), first(jitter));
}

#[test]
fn without_a_budget_every_retry_is_paid() {
    let mut client = Client::new("(retry: Fixed(attempts: 2))", 1);
    assert!((0..100).all(|_| client.guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_ok()));
}

#[test]
fn a_throttle_learns_from_what_would_be_retried() {
    // Three tokens: retries go while more than one and a half are left.
    let text = "(retry: Fixed(attempts: 2), budget: Throttle(max_tokens: 3, token_ratio: 1))";
    for (outcome, retried, stops) in [
        (Outcome::Error, true, true),
        (Outcome::Error, false, false),
        (Outcome::Cancelled, false, false),
        (Outcome::Ok, false, false),
    ] {
        let mut client = Client::new(text, 1);
        for _ in 0..2 {
            let pass = client.send(0).unwrap();
            client.learn(0, pass, (outcome, retried, false));
        }
        assert_eq!(
            client.guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_ok(),
            !stops,
            "{outcome}, {retried}"
        );
        let pass = client.send(0).unwrap();
        client.learn(0, pass, (Outcome::Ok, false, false));
        assert!(client.guards.may_repeat(SimTime::ZERO, Some(Outcome::Error)).is_ok(), "a success pays in");
    }
}

#[test]
fn a_breaker_hears_how_each_attempt_ended() {
    // (outcome, cut off by the call's deadline, counts as a failure)
    for (outcome, overdue, failure) in [
        (Outcome::Ok, false, false),
        (Outcome::Error, false, true),
        (Outcome::TimedOut, false, true),
        (Outcome::Cancelled, false, false),
        // What the deadline cut off was not answered in time.
        (Outcome::Cancelled, true, true),
    ] {
        let mut client = Client::new(r#"(breaker: Consecutive(failures: 2, open_for: "10s"))"#, 1);
        for second in [1, 2] {
            let pass = client.send(second).unwrap();
            assert!(pass.permit.is_some());
            let step = client.learn(second, pass, (outcome, true, overdue));
            assert_eq!(step.is_some(), failure && second == 2, "{outcome}, {overdue}");
        }
        assert_eq!(client.is_open(), failure, "{outcome}, {overdue}");
        assert_eq!(client.send(11).is_none(), failure);
        let probe = client.send(12).unwrap();
        assert_eq!(probe.step.is_some(), failure, "the first probe half-opens it");
    }
}

#[test]
fn a_breaker_of_whole_calls_is_asked_once_and_told_once() {
    let text = r#"(breaker: Consecutive(failures: 1, open_for: "10s", scope: Call))"#;
    for (end, opens) in [
        (Ending::Ok, false),
        (Ending::Failed(Outcome::Error), true),
        (Ending::Deadline, true),
        (Ending::Cancelled, false),
    ] {
        let mut client = Client::new(text, 1);
        let mut pass = client.send(1).unwrap();
        let permit = pass.permit.take();
        assert_eq!(client.learn(1, pass, (Outcome::Error, true, false)), None, "an attempt is no call");
        // The retry goes with the permit of its call.
        let Gate::Go(again) = client.send_with(2, true) else { panic!("it was admitted") };
        assert_eq!(again.permit, None);
        assert_eq!(client.learn(2, again, (Outcome::Error, true, false)), None);
        let step =
            client.guards.learn_call(SimTime::from_secs(3), end, permit, Grant::NONE, SimDuration::ZERO);
        assert_eq!((step.is_some(), client.is_open()), (opens, opens), "{end:?}");
    }
}

/// The first attempt of a call goes, and its end is heard as long as the breaker is closed; a retry is asked.
#[test]
fn a_breaker_of_retries_lets_first_attempts_go() {
    let text =
        r#"(retry: Fixed(attempts: 2), breaker: Consecutive(failures: 2, open_for: "10s", guards: Retries))"#;
    let mut client = Client::new(text, 1);
    let send = |client: &mut Client, seconds, first| {
        client.first = first;
        client.send(seconds)
    };
    for second in [1, 2] {
        let pass = send(&mut client, second, true).expect("a first attempt");
        client.learn(second, pass, (Outcome::Error, true, false));
    }
    assert!(client.is_open());
    let pass = send(&mut client, 3, true).expect("it goes all the same");
    assert_eq!((pass.permit.is_none(), client.learn(3, pass, (Outcome::Ok, false, false))), (true, None));
    assert_eq!(send(&mut client, 4, false), None, "no retry");
    let probe = send(&mut client, 12, false).expect("a retry probes");
    assert!(client.learn(12, probe, (Outcome::Ok, false, false)).is_some() && !client.is_open());
}

/// Breaker, then throttle: what an open breaker refuses the throttle behind it does not hear of.
#[test]
fn the_first_that_refuses_is_named_and_those_behind_it_hear_nothing() {
    let breaker = r#"breaker: Consecutive(failures: 3, open_for: "100s")"#;
    let throttle = r#"throttle: (k: 1.0, window: "10min")"#;
    // Three fail, however many the throttle refuses between them; then fifty more ask.
    let ends = |text: &str| {
        let mut client = Client::new(text, 1);
        let mut failures = 0;
        while failures < 3 {
            if let Gate::Go(pass) = client.send_with(2, false) {
                client.learn(2, pass, (Outcome::Error, true, false));
                failures += 1;
            }
        }
        let asked = |client: &Client| client.guards.throttle.as_ref().map(|throttle| throttle.requests());
        let before = asked(&client);
        let refused = (0..50).filter_map(|_| match client.send_with(3, false) {
            Gate::No(end) => Some(end.name()),
            _ => None,
        });
        let mut ends: Vec<&str> = refused.collect();
        ends.sort_unstable();
        ends.dedup();
        (ends.join(" "), asked(&client) > before)
    };
    assert_eq!(ends(&format!("({breaker}, {throttle})")), ("breaker open".into(), false));
    assert_eq!(ends(&format!("({throttle})")), ("throttled".into(), true));
}

#[test]
fn an_open_breaker_leaves_the_balancer_alone() {
    let text = r#"(breaker: Consecutive(failures: 1, open_for: "10s"), balancer: PowerOfTwo)"#;
    let mut client = Client::new(text, 2);
    let pass = client.send(1).unwrap();
    client.learn(1, pass, (Outcome::Error, true, false));
    let drawn = client.pick.used();
    assert!(client.send(2).is_none());
    assert_eq!(client.pick.used(), drawn);
}

#[test]
fn what_is_out_is_known_until_it_ends() {
    let mut client = Client::new("(balancer: LeastPending)", 2);
    let first = client.send(0).unwrap();
    for _ in 0..20 {
        let pass = client.send(0).unwrap();
        assert_ne!(pass.replica, first.replica, "the other has nothing out");
        client.learn(0, pass, (Outcome::Cancelled, false, false));
    }
}

/// Of two attempts one gets the only connection. Whatever else let the other pass lets the next one pass as if it had never asked.
#[test]
fn who_gets_no_connection_has_taken_nothing() {
    for (guard, choices) in [
        ("concurrency: Aimd(initial: 2, min: 2, max: 2)", 1),
        (r#"rate_limit: TokenBucket(rate: "1/s", burst: 2, counts: Attempts)"#, 1),
        ("balancer: LeastPending", 2),
        ("retry: Fixed(), budget: Concurrent(held: Sent)", 1),
    ] {
        let mut client =
            Client::new(&format!("(pool: (max_waiting: 0, size: 1, per: Service), {guard})"), choices);
        let slot = client.guards.connections(0).begin(SimTime::ZERO);
        client.guards.connections(0).opened(SimTime::ZERO, slot, SimTime::MAX, false);
        let first = client.send(1).expect("it may be sent").replica;
        assert!(matches!(client.guards.may_connect(SimTime::from_secs(1), first), Gate::Go(_)), "{guard}");
        let mut ask = |_| {
            let pass = client.send(1).expect("it may be sent");
            assert!(choices == 1 || pass.replica != first, "{guard}");
            let guards = &mut client.guards;
            let refused = guards.may_connect(SimTime::from_secs(1), pass.replica);
            assert_eq!(refused, Gate::No(Ending::PoolFull), "{guard}");
            guards.unsend(SimTime::from_secs(1), pass.replica, pass.permit, client.grant);
        };
        (0..4).for_each(&mut ask);
    }
}

/// Nor has it asked the service for anything.
#[test]
fn a_throttle_counts_nobody_without_a_connection() {
    let mut client = Client::new("(pool: (max_waiting: 0), throttle: ())", 1);
    let before = format!("{:?}", client.guards.throttle);
    let pass = client.send(0).expect("it is let pass");
    assert_ne!(format!("{:?}", client.guards.throttle), before);
    client.guards.unsend(SimTime::ZERO, pass.replica, pass.permit, Grant::NONE);
    assert_eq!(format!("{:?}", client.guards.throttle), before);
}

/// A probe that gets no connection gives its place back, and a breaker learns nothing of it.
#[test]
fn a_probe_without_a_connection_is_none() {
    let mut client = Client::new(
        r#"(pool: (size: 1, max_wait: "1s"), breaker: Consecutive(failures: 1, open_for: "5s"))"#,
        1,
    );
    let pass = client.send(0).expect("it is closed");
    client.learn(0, pass, (Outcome::Error, false, false));
    assert!(client.send(4).is_none(), "it is open");
    for _ in 0..3 {
        let pass = client.send(6).expect("a probe");
        assert!(client.send(6).is_none(), "one at a time");
        assert_eq!(client.guards.unsend(SimTime::from_secs(6), 0, pass.permit, Grant::NONE), None);
    }
}

/// Whom a client has ejected it does not ask, whatever else it has; with nobody left it asks neither its breaker nor its balancer.
#[test]
fn nobody_is_left_to_send_to() {
    for more in [
        "",
        "breaker: Consecutive(failures: 9)",
        "breaker: Consecutive(failures: 9, per: Replica())",
        "throttle: (on: [TimedOut])",
    ] {
        let text = format!(
            r#"(outlier: (consecutive: 1, max_ejection_percent: 100, base_ejection_time: "20s"), balancer: LeastPending, {more})"#
        );
        let mut client = Client::new(&text, 3);
        let mut left = vec![0, 1, 2];
        for second in 0..3 {
            let pass = client.send(second).expect("some are left");
            assert!(left.contains(&pass.replica), "{text}");
            left.retain(|replica| *replica != pass.replica);
            client.learn(second, pass, (Outcome::Error, true, false));
        }
        let (before, drawn) = (format!("{:?}", client.guards.breaker), client.pick.used());
        for second in 3..20 {
            assert_eq!(client.send_with(second, false), Gate::No(Ending::NoHost), "{text}");
        }
        assert_eq!((format!("{:?}", client.guards.breaker), client.pick.used()), (before, drawn), "{text}");
        // Looks later all three are in again; a throttle that had counted what was not sent would send nothing.
        assert!(client.send(40).is_some(), "{text}");
    }
}

/// A balancer that asks how long attempts took is told that, and how late it is: of two replicas the one that took 100 ms is left
/// alone until that has decayed below the 10 ms that the other takes, after `ln 10` times the decay.
#[test]
fn what_took_long_is_forgotten_in_time() {
    let mut client = Client::new(r#"(balancer: PeakEwma(decay: "10s"))"#, 2);
    let mut slow_at = Vec::new();
    for second in 0..60 {
        let pass = client.send(second).expect("nobody refuses");
        let slow = pass.replica == 1;
        slow_at.extend(slow.then_some(second));
        let took = Some(SimDuration::from_millis(if slow { 100 } else { 10 }));
        client.guards.learn(Seen {
            now: SimTime::from_secs(second),
            outcome: Outcome::Ok,
            retried: false,
            overdue: false,
            replica: pass.replica,
            permit: pass.permit,
            took,
            first: true,
            grant: Grant::NONE,
        });
    }
    // Once at first, when nothing is known, and then after 23 s, and 23 s later.
    let waits: Vec<u64> = slow_at.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(waits.len() == 2 && waits.iter().all(|wait| (23..=25).contains(wait)), "{slow_at:?}");
}
