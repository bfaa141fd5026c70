//! What may go wrong, and what may die.

use super::{BATCH, FAULTS, NETWORK, Row, USERS, ZONED, hold, row};

#[test]
fn what_a_fault_may_not_be() {
    hold(&rows());
}

/// What ends the replicas of one service.
const DIES: &str = r#"(at_in_flight: 50, restart_after: "5s")"#;

/// Where a workload can say what its requests weigh.
const WEIGHS: &str = r#"arrivals: Poisson("100/s")"#;

/// Where something that fails at random can be said.
const RANDOM: &str = r#"network: "1ms""#;

/// The same, of a run in which it happens.
fn at_random(what: &str) -> String {
    format!("{what}, {RANDOM}")
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let set_off =
        |when: &str, rest: &str| at_random(&format!("triggers: {{\"t\": (when: {when}, {rest})}}"));
    let alarm = |what: &str| at_random(&format!("alarms: {{\"a\": ({what})}}"));
    let zoned = |told: String, mended: String, said| {
        let row = row(FAULTS, told, mended, said).and(NETWORK, ZONED);
        row.and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]"))
    };
    let zoned_set_off = |told: &str, mended: &str, said| {
        let of = |rest: &str| format!("triggers: {{\"t\": (when: Up(of: \"stock\", below: 2), {rest})}}, {ZONED}");
        let row = row(NETWORK, of(told), of(mended), said);
        row.and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]"))
    };
    let zoned_watch = |told: &str, mended: &str, said| {
        let of = |when: &str| format!("triggers: {{\"t\": (when: {when}, on: \"stock\", effect: Crash())}}, {ZONED}");
        let row = row(NETWORK, of(told), of(mended), said);
        row.and(USERS, format!("{USERS}, zones: [\"a\"]")).and(BATCH, format!("{BATCH}, zones: [\"a\"]"))
    };
    let at = |on: &str, rest: &str| format!("[(at: \"10s\", on: \"{on}\", {rest})]");
    let often = r#"every: Exponential(mean: "9s"), for: Exponential(mean: "1s")"#;
    let fails = |on: &str, rest: &str| at_random(&format!("failures: {{\"f\": (on: \"{on}\", {rest})}}"));
    let shared = |holds: &str, rest: &str| {
        at_random(&format!("domains: {{\"rack\": (holds: [{holds}], every: \"9s\", for: \"1s\"{rest})}}"))
    };
    let repaired = |needs: &str, more: &str, rest: &str| {
        let repair = format!("repair: (takes: \"5s\", needs: [\"{needs}\"])");
        at("stock", &format!("{more}{rest}, {repair}"))
    };
    vec![
        // Who is struck.
        row(FAULTS, at("stok", "effect: BlackHole"), at("stock", "effect: BlackHole"),
            r#"faults[0].on ["stok"]: unknown service or edge `stok`
                help: did you mean `stock`?"#,
        ),
        row(FAULTS, at("stock->shop", "effect: Hold"), at("shop->stock", "effect: Hold"),
            r#"faults[0].on ["stock->shop"]: unknown service or edge `stock->shop`
                help: did you mean `batch->shop`?"#,
        ),
        row(FAULTS, at("everything", "effect: Hold"), at("users->shop", "effect: Hold"),
            r#"faults[0].on ["everything"]: unknown service or edge `everything`
                help: services and edges are: shop, stock, pay, mail, users->shop, batch->shop, shop->stock, shop->pay, shop->mail"#,
        ),
        row(FAULTS, at("shop->stock", "effect: Slow(factor: 2)"), at("stock", "effect: Slow(factor: 2)"),
            r#"faults[0].on ["shop->stock"]: `slow` strikes a service, and `shop->stock` is an edge
                help: edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth"#,
        ),
        row(FAULTS, at("shop->stock", "effect: Crash()"), at("stock", "effect: Crash()"),
            r#"faults[0].on ["shop->stock"]: `crash` strikes a service, and `shop->stock` is an edge
                help: edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth"#,
        ),
        row(FAULTS, at("shop->stock", "effect: Errors()"), at("stock", "effect: Errors()"),
            r#"faults[0].on ["shop->stock"]: `errors` strikes a service, and `shop->stock` is an edge
                help: edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth"#,
        ),
        row(FAULTS, at("shop->stock", "effect: BlackHole"), at("shop->stock", "effect: Drop()"),
            r#"faults[0].on ["shop->stock"]: `black hole` strikes a service, and `shop->stock` is an edge
                help: edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth"#,
        ),
        // Which of them.
        row(
            FAULTS,
            at("stock", "effect: Crash(), replicas: Only([0, 3])"),
            at("stock", "effect: Crash(), replicas: Only([0, 2])"),
            r#"faults[0].on ["stock"]: `stock` has no replica 3: they are 0 to 2"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Crash(), replicas: Only([])"),
            at("stock", "effect: Crash(), replicas: Only([1])"),
            r#"faults[0].on ["stock"]: no replica is struck
                help: list at least one, or leave `replicas` out"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Crash(), replicas: Fraction(50)"),
            at("stock", "effect: Crash(), replicas: Fraction(0.5)"),
            r#"faults[0].replicas [50]: got 50, allowed 0.0 to 1.0
                help: is 50 % meant? write 0.5"#,
        ),
        row(
            FAULTS,
            at("shop->stock", "effect: Hold, replicas: Only([0])"),
            at("shop->stock", "effect: Hold, replicas: All"),
            r#"warning: faults[0].on ["shop->stock"]: the network has no replicas: all messages over the edge are struck"#,
        ),
        row(FAULTS, at("stock", "effect: Drop(), replicas: Fraction(0.5)"), at("stock", "effect: Drop()"),
            r#"warning: faults[0].on ["stock"]: the network has no replicas: all messages over the edge are struck"#,
        ),
        // What a state sets off.
        row(NETWORK, set_off(r#"Queue(of: "stok", above: 9)"#, r#"on: "stok", effect: Crash()"#), set_off(r#"Queue(of: "stock", above: 9)"#, r#"on: "stock", effect: Crash()"#),
            r#"triggers.t.when.of ["stok"]: nothing is called `stok` that has such a state
                help: did you mean `stock`?
                triggers.t.on ["stok"]: unknown service or edge `stok`
                help: did you mean `stock`?"#,
        ),
        row(NETWORK, set_off(r#"InHand(of: "shop->stock", above: 9)"#, r#"on: "shop->stock", effect: Drop()"#), set_off(r#"Failing(of: "shop->stock", above: 0.5)"#, r#"on: "shop->stock", effect: Drop()"#),
            r#"triggers.t.when.of ["shop->stock"]: nothing is called `shop->stock` that has such a state
                help: there are: shop, stock, pay, mail"#,
        ),
        row(NETWORK, set_off(r#"Up(of: "stock", below: 4)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"Up(of: "stock", below: 3)"#, r#"on: "stock", effect: Crash()"#),
            r#"triggers.t.when.of ["stock"]: `stock` never has more than 3: fewer than 4 are always up
                help: a `below` of no more than its replicas"#,
        ),
        row(NETWORK, set_off(r#"Queue(of: "stock", above: 3072)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"Queue(of: "stock", above: 3071)"#, r#"on: "stock", effect: Crash()"#),
            r#"warning: triggers.t.when.of ["stock"]: no more than that can wait at `stock`: it never happens
                help: an `above` below the `capacity` of its queues"#,
        ),
        // Twelve workers, and as many who wait.
        row(NETWORK, set_off(r#"InHand(of: "stock", above: 3084)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"InHand(of: "stock", above: 3083)"#, r#"on: "stock", effect: Crash()"#),
            r#"warning: triggers.t.when.of ["stock"]: `stock` has no more than 3084 in hand: it never happens
                help: an `above` below its workers and the `capacity` of its queues"#,
        ),
        row(NETWORK, set_off(r#"Utilisation(of: "stock", above: 1)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"Utilisation(of: "stock", above: 0.9)"#, r#"on: "stock", effect: Crash()"#),
            r#"warning: triggers.t.when [Utilisation(of: "stock", above: 1)]: no share is more than 1: it never happens
                help: an `above` below 1"#,
        ),
        row(NETWORK, set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), times: 2, for: "0s""#), set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), times: 2, for: "1s""#),
            r#"triggers.t.for ["0s"]: `for` must be longer than 0
                help: leave it out and it lasts until the end"#,
        ),
        row(NETWORK, set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), times: 2"#), set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), times: 1"#),
            r#"warning: triggers.t.times [2]: it lasts until the end of the run: it happens once
                help: say with `for` how long it is there each time"#,
        ),
        row(NETWORK, set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), for: "1s", cool_down: "1s""#), set_off(r#"Up(of: "stock", below: 2)"#, r#"on: "stock", effect: Crash(), for: "1s", cool_down: "1s", times: 2"#),
            r#"warning: triggers.t.cool_down ["1s"]: nobody looks again: it happens once
                help: leave it out, or say with `times` how often it may happen"#,
        ),
        row(NETWORK, set_off(r#"Believed(of: "stock", below: 1)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"Up(of: "stock", below: 1)"#, r#"on: "stock", effect: Crash()"#),
            r#"warning: triggers.t.when.of ["stock"]: nobody says of any `stock` that it is ill: it never happens
                help: give it `health` or `probes`; `Up` is how many there are, whoever knows"#,
        ),
        row(NETWORK, set_off(r#"Apart(of: "users->shp", from: "batch->shp", above: 0.1)"#, r#"on: "stock", effect: Crash()"#), set_off(r#"Apart(of: "users->shop", from: "batch->shop", above: 0.1)"#, r#"on: "stock", effect: Crash()"#),
            r#"triggers.t.when.of ["users->shp"]: nothing is called `users->shp` that has such a state
                help: did you mean `users->shop`?
                triggers.t.when.from ["batch->shp"]: nothing is called `batch->shp` that has such a state
                help: did you mean `batch->shop`?"#,
        ),
        // Who would be told.
        row(NETWORK, alarm(r#"when: Takes(of: "stok", above: "1s")"#), alarm(r#"when: Takes(of: "stock", above: "1s")"#),
            r#"alarms.a.when.of ["stok"]: nothing is called `stok` that has such a state
                help: did you mean `stock`?"#,
        ),
        row(NETWORK, alarm(r#"when: Takes(of: "shop->stock", above: "1s")"#), alarm(r#"when: Takes(of: "stock", above: "1s")"#),
            r#"alarms.a.when.of ["shop->stock"]: nothing is called `shop->stock` that has such a state
                help: there are: shop, stock, pay, mail"#,
        ),
        row(NETWORK, alarm(r#"when: Believed(of: "stock", below: 4)"#), alarm(r#"when: Believed(of: "stock", below: 3)"#),
            r#"alarms.a.when.of ["stock"]: `stock` never has more than 3: fewer than 4 are always believed well
                help: a `below` of no more than its replicas"#,
        ).and(r#"work: "8ms")"#, r#"work: "8ms", health: ())"#),
        row(NETWORK, alarm(r#"when: Apart(of: "shop", from: "shop", above: 0.1)"#), alarm(r#"when: Apart(of: "shop", from: "stock", above: 0.1)"#),
            r#"warning: alarms.a.when.from ["shop"]: nothing is held against itself: it never happens, `shop` is both
                help: two edges, as those of a canary and of all the others"#,
        ),
        row(NETWORK, alarm(r#"when: Failing(of: "shop", above: 1)"#), alarm(r#"when: Failing(of: "shop", above: 0.1)"#),
            r#"warning: alarms.a.when [Failing(of: "shop", above: 1)]: no share is more than 1: it never fires
                help: an `above` below 1"#,
        ),
        row(NETWORK, alarm(r#"when: Failing(of: "shop", above: 0.1), every: "0s""#), alarm(r#"when: Failing(of: "shop", above: 0.1), every: "1s""#),
            r#"alarms.a.every ["0s"]: got "0s", must be longer than 0"#,
        ),
        row(NETWORK, alarm(r#"when: Failing(of: "shop", above: 0.1), lasts: "31s", every: "15s""#), alarm(r#"when: Failing(of: "shop", above: 0.1), lasts: "30s", every: "14s""#),
            r#"warning: alarms.a ["a"]: fires at 60s at the earliest, but the run ends at 60s: it never does
                help: a shorter `lasts` or `every`, or a longer run"#,
        ),
        row(NETWORK, alarm(r#"when: Incomplete(of: "users->shop", above: 0.1)"#), alarm(r#"when: Failing(of: "users->shop", above: 0.1)"#),
            r#"alarms.a.when.of ["users->shop"]: nobody has sessions over `users->shop`: each makes one call
                help: give the `workload` a `session`, or look at its calls: Failing"#,
        ),
        row(NETWORK, alarm(r#"when: Incomplete(of: "shop", above: 0.1)"#), alarm(r#"when: Incomplete(of: "users->shop", above: 0.1)"#),
            r#"alarms.a.when.of ["shop"]: nobody has sessions over `shop`: no users call over that
                help: there are sessions over: users->shop"#,
        ).and(USERS, format!("{USERS}, session: (calls: Fixed(2), think: \"1s\")")),
        // Who repairs it.
        row(FAULTS, repaired("stok", "", "effect: Crash()"), repaired("pay", "", "effect: Crash()"),
            r#"faults[0].repair.needs[0] ["stok"]: unknown service `stok`
                help: did you mean `stock`?"#,
        ),
        row(FAULTS, repaired("pay", "for: \"5s\", ", "effect: Crash()"), repaired("pay", "", "effect: Crash()"),
            r#"faults[0].for ["5s"]: `for` of what is there until it is repaired
                help: leave one of the two out"#,
        ),
        row(FAULTS, repaired("pay", "ramp: \"1s\", flap: (active: \"2s\", quiet: \"1s\"), ", "effect: Slow(factor: 9)"), repaired("pay", "", "effect: Slow(factor: 9)"),
            r#"faults[0].ramp ["1s"]: `ramp` of what is there until it is repaired
                help: leave one of the two out
                faults[0].flap [(active: "2s", quiet: "1s")]: `flap` of what is there until it is repaired
                help: leave one of the two out"#,
        ),
        row(FAULTS, repaired("stock", "", "effect: Crash()"), repaired("stock", "", "effect: Slow(factor: 9)"),
            r#"warning: faults[0].repair.needs[0] ["stock"]: needs `stock`, which this takes down: it is never repaired
                help: a way in that works without what is broken: out-of-band"#,
        ),
        row(FAULTS, repaired("shop", "", "effect: Drop()"), repaired("shop", "", "effect: Drop(probability: 0.9)"),
            r#"warning: faults[0].repair.needs[0] ["shop"]: needs `shop` -> `stock`, which this takes down: it is never repaired
                help: a way in that works without what is broken: out-of-band"#,
        ),
        row(FAULTS, at("shop->stock", "effect: Drop(), repair: (takes: \"5s\", needs: [\"shop\"])"), at("shop->stock", "effect: Drop(), repair: (takes: \"5s\", needs: [\"stock\"])"),
            r#"warning: faults[0].repair.needs[0] ["shop"]: needs `shop` -> `stock`, which this takes down: it is never repaired
                help: a way in that works without what is broken: out-of-band"#,
        ),
        row(FAULTS, repaired("stock", "replicas: Only([0]), ", "effect: Crash()"), repaired("pay", "replicas: Only([0]), ", "effect: Crash()"),
            r#"faults[0].repair.needs[0] ["stock"]: `stock` is looked up, and whoever repairs knows nobody
                help: whoever is needed for a repair is known: leave out how it is found"#,
        ).and(r#"work: "8ms")"#, r#"work: "8ms", discovery: Dns(resolver: "mail"))"#),
        zoned_set_off(r#"on: "zone north", effect: Crash()"#, r#"on: "zone c", effect: Crash()"#,
            r#"triggers.t.on ["zone north"]: there is no zone `north`
                help: the zones are: a, b, c"#,
        ),
        zoned_set_off(r#"on: "zone a -> zone b", effect: Crash()"#, r#"on: "zone a -> zone b", effect: Drop()"#,
            r#"triggers.t.on ["zone a -> zone b"]: `crash` strikes replicas, and `zone a -> zone b` is a way between zones
                help: name a zone, such as `zone a`, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"#,
        ),
        zoned_watch(r#"Up(of: "zone north", below: 2)"#, r#"Up(of: "zone c", below: 1)"#,
            r#"triggers.t.when.of ["zone north"]: there is no zone `north`
                help: the zones are: a, b, c"#,
        ),
        zoned_watch(r#"Failing(of: "zone a", above: 0.5)"#, r#"Failing(of: "stock", above: 0.5)"#,
            r#"triggers.t.when.of ["zone a"]: shares and times are those of services: nobody knows that of `zone a`
                help: of a zone there is Queue, InHand, Up, Believed; of a share or a time say which service"#,
        ),
        zoned_watch(r#"Utilisation(of: "zone a", above: 0.5)"#, r#"InHand(of: "zone a", above: 5)"#,
            r#"triggers.t.when.of ["zone a"]: shares and times are those of services: nobody knows that of `zone a`
                help: of a zone there is Queue, InHand, Up, Believed; of a share or a time say which service"#,
        ),
        // Of `shop`, `stock`, `pay` and `mail` one each stands in a; nobody but the third of `stock` in c.
        zoned_watch(r#"Up(of: "zone a", below: 5)"#, r#"Up(of: "zone a", below: 4)"#,
            r#"triggers.t.when.of ["zone a"]: `zone a` never has more than 4: fewer than 5 are always up
                help: a `below` of no more than its replicas"#,
        ),
        zoned_watch(r#"Queue(of: "zone c", above: 1024)"#, r#"Queue(of: "zone c", above: 1023)"#,
            r#"warning: triggers.t.when.of ["zone c"]: no more than that can wait at `zone c`: it never happens
                help: an `above` below the `capacity` of its queues"#,
        ),
        // Two of them are twice as many; a queue for all of them is in no zone.
        zoned_watch(r#"Queue(of: "zone c", above: 2048)"#, r#"Queue(of: "zone c", above: 2047)"#,
            r#"warning: triggers.t.when.of ["zone c"]: no more than that can wait at `zone c`: it never happens
                help: an `above` below the `capacity` of its queues"#,
        ).and(r#""stock": (replicas: 3"#, r#""stock": (zones: ["c", "c", "a"], replicas: 3"#),
        zoned_watch(r#"Queue(of: "zone c", above: 0)"#, r#"Queue(of: "zone a", above: 0)"#,
            r#"warning: triggers.t.when.of ["zone c"]: no more than that can wait at `zone c`: it never happens
                help: an `above` below the `capacity` of its queues"#,
        ).and(r#""stock": (replicas: 3"#, r#""stock": (queue: SharedFifo(), replicas: 3"#),
        zoned_watch(r#"Up(of: "zone c", below: 1)"#, r#"Up(of: "zone a", below: 1)"#,
            r#"triggers.t.when.of ["zone c"]: nobody stands in `zone c`
                help: name a zone in which replicas stand"#,
        ).and(r#""stock": (replicas: 3"#, r#""stock": (zones: ["a", "b"], replicas: 3"#),
        zoned_watch(r#"Believed(of: "zone c", below: 1)"#, r#"Up(of: "zone c", below: 1)"#,
            r#"warning: triggers.t.when.of ["zone c"]: nobody says of anyone in `zone c` that he is ill: it never happens
                help: give those who stand there `health` or `probes`; `Up` is how many there are, whoever knows"#,
        ),
        zoned_watch(r#"Up(of: "zon a", below: 1)"#, r#"Up(of: "zone a", below: 1)"#,
            r#"triggers.t.when.of ["zon a"]: nothing is called `zon a` that has such a state
                help: did you mean `zone a`?"#,
        ),
        // What goes from one to another.
        row(FAULTS, at("zone a -> zone b", "effect: Drop()"), at("stock", "effect: Drop()"),
            r#"faults[0].on ["zone a -> zone b"]: there is no zone `a`: the graph has none
                help: add them: zones: (names: ["a", ..])
                faults[0].on ["zone a -> zone b"]: there is no zone `b`: the graph has none
                help: add them: zones: (names: ["b", ..])"#,
        ),
        zoned(at("zone a -> zone cc", "effect: Drop()"), at("zone a -> zone c", "effect: Drop()"),
            r#"faults[0].on ["zone a -> zone cc"]: there is no zone `cc`
                help: did you mean `c`?"#,
        ),
        zoned(at("zone a -> zone a", "effect: Drop()"), at("zone a <-> zone b", "effect: Drop()"),
            r#"faults[0].on ["zone a -> zone a"]: from `a` to `a` is no way between two zones
                help: what is within a zone is struck by the edges or services that stand in it"#,
        ),
        zoned(at("zone a -> zone b", "effect: Drop()"), at("zone a -> zone c", "effect: Drop()"),
            r#"faults[0].on ["zone a -> zone b"]: nothing goes from zone `a` to zone `b`
                help: name two zones of which callers stand in one and those whom they call in the other"#,
        ).and(r#""stock": (replicas: 3"#, r#""stock": (zones: ["c"], replicas: 3"#).and(r#""shop": (replicas: 2"#, r#""shop": (zones: ["a"], replicas: 2"#),
        zoned(at("zone a -> zone b", "effect: Crash()"), at("zone a", "effect: Crash()"),
            r#"faults[0].on ["zone a -> zone b"]: `crash` strikes replicas, and `zone a -> zone b` is a way between zones
                help: name a zone, such as `zone a`, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"#,
        ),
        // What stands in a zone.
        row(FAULTS, at("zone a", "effect: Crash()"), at("stock", "effect: Crash()"),
            r#"faults[0].on ["zone a"]: there is no zone `a`: the graph has none
                help: add them: zones: (names: ["a", ..])"#,
        ),
        zoned(at("zone north", "effect: Crash()"), at("zone c", "effect: Crash()"),
            r#"faults[0].on ["zone north"]: there is no zone `north`
                help: the zones are: a, b, c"#,
        ),
        zoned(at("zoneb", "effect: Crash()"), at("zone b", "effect: Crash()"),
            r#"faults[0].on ["zoneb"]: unknown service or edge `zoneb`
                help: did you mean `zone b`?"#,
        ),
        zoned(at("zone a", "effect: Drop()"), at("zone a", "effect: Errors()"),
            r#"faults[0].on ["zone a"]: `drop` strikes the network, and `zone a` is where replicas stand
                help: of the network a service can be struck, which is all edges into it, or an edge"#,
        ),
        zoned(at("zone a", "effect: BlackHole, replicas: Only([0])"), at("zone a", "effect: BlackHole, replicas: Fraction(0.5)"),
            r#"faults[0].on ["zone a"]: `zone a` is all services of which replicas stand there: `replicas` says those of one
                help: leave `replicas` out, or say which share of each: Fraction(0.5)"#,
        ),
        zoned(at("zone b", "effect: BlackHole"), at("zone a", "effect: BlackHole"),
            r#"faults[0].on ["zone b"]: nobody stands in `zone b`
                help: name a zone in which replicas stand"#,
        ).and(r#""stock": (replicas: 3"#, r#""stock": (zones: ["c"], replicas: 3"#).and(r#""shop": (replicas: 2"#, r#""shop": (zones: ["a"], replicas: 2"#),
        zoned(at("shop", "effect: BlackHole, replicas: Zone(\"c\")"), at("stock", "effect: BlackHole, replicas: Zone(\"c\")"),
            r#"faults[0].on ["shop"]: no replica of `shop` stands in zone `c`
                help: they stand: 1 in a, 1 in b"#,
        ),
        zoned(at("shop", "effect: BlackHole, replicas: Zone(\"north\")"), at("shop", "effect: BlackHole, replicas: Zone(\"b\")"),
            r#"faults[0].on ["shop"]: there is no zone `north`
                help: the zones are: a, b, c"#,
        ),
        // How long, and how much.
        row(
            FAULTS,
            at("stock", "for: \"0s\", effect: BlackHole"),
            at("stock", "for: \"1ns\", effect: BlackHole"),
            r#"faults[0].on ["stock"]: `for` must be longer than 0
                help: leave it out and the fault lasts until the end"#,
        ),
        row(FAULTS, at("stock", "effect: Slow(factor: 0)"), at("stock", "effect: Slow(factor: 0.000001)"),
            r#"faults[0].effect.factor [0]: got 0, allowed 1e-6 to 1000000.0"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Errors(probability: 5)"),
            at("stock", "effect: Errors(probability: 0.05)"),
            r#"faults[0].effect.probability [5]: got 5, allowed 0.0 to 1.0
                help: is 5 % meant? write 0.05"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Drop(probability: -0.1)"),
            at("stock", "effect: Drop(probability: 0)"),
            r#"faults[0].effect.probability [-0.1]: got -0.1, allowed 0.0 to 1.0"#,
        ),
        row(FAULTS, at("stock", "effect: Delay(add: \"-1s\")"), at("stock", "effect: Delay(add: \"1s\")"),
            r#"faults[0].effect.add ["-1s"]: got "-1s": a duration cannot be negative"#,
        ),
        // Which requests.
        row(FAULTS, at("stock", "effect: Crash(), requests: (only: Reads)"), at("stock", "effect: BlackHole, requests: (only: Reads)"),
            r#"faults[0].requests [(only: Reads)]: `crash` strikes all requests: `requests` says which of them
                help: leave it out, or take what can be of some: Slow, Errors, BlackHole"#,
        ),
        row(FAULTS, at("shop->stock", "effect: Drop(), requests: (only: Reads)"), at("shop->stock", "effect: Drop()"),
            r#"faults[0].requests [(only: Reads)]: `drop` strikes all requests: `requests` says which of them
                help: leave it out, or take what can be of some: Slow, Errors, BlackHole"#,
        ),
        row(FAULTS, at("stock", "effect: BlackHole, requests: ()"), at("stock", "effect: BlackHole"),
            r#"warning: faults[0].requests [()]: all requests are struck: nothing is said of which
                help: leave it out, or say which: only_from, only, tenants, keys"#,
        ),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (only_from: ["user", "bach"], tenants: ["acme"])"#), at("stock", r#"effect: Errors(), requests: (only_from: ["users", "batch"])"#),
            r#"faults[0].requests.only_from[0] ["user"]: unknown workload `user`
                help: did you mean `users`?
                faults[0].requests.only_from[1] ["bach"]: unknown workload `bach`
                help: did you mean `batch`?
                faults[0].requests.tenants[0] ["acme"]: unknown tenant `acme`
                help: say whose requests are: tenants: Named({"acme": 1, ..}) of a workload"#,
        ),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (tenants: ["acne"])"#), at("stock", r#"effect: Errors(), requests: (tenants: ["acme", "2"])"#),
            r#"faults[0].requests.tenants[0] ["acne"]: unknown tenant `acne`
                help: did you mean `acme`?"#,
        ).and(USERS, format!("{USERS}, tenants: Named({{\"acme\": 1, \"other\": 2}})")).and(BATCH, format!("{BATCH}, tenants: Even(2)")),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (tenants: ["everybody"])"#), at("stock", r#"effect: Errors(), requests: (tenants: ["1"])"#),
            r#"faults[0].requests.tenants[0] ["everybody"]: unknown tenant `everybody`
                help: the tenants are: acme, other, 1, 2"#,
        ).and(USERS, format!("{USERS}, tenants: Named({{\"acme\": 1, \"other\": 2}})")).and(BATCH, format!("{BATCH}, tenants: Even(2)")),
        row(FAULTS, at("mail", r#"effect: Errors(), requests: (only_from: ["users"])"#), at("mail", r#"effect: Errors(), requests: (only_from: ["batch"])"#),
            r#"warning: faults[0].requests.only_from ["mail"]: never acts: no request of theirs comes to `mail`
                help: name a workload whose requests come there, or a service that they come to"#,
        ),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (only: Writes)"#), at("stock", r#"effect: Errors(), requests: (only: Reads)"#),
            r#"warning: faults[0].requests.only ["stock"]: never acts: no request that comes there is a write
                help: say which share is, with `writes` of a workload"#,
        ),
        row(FAULTS, at("mail", r#"effect: Errors(), requests: (only: Reads)"#), at("mail", r#"effect: Errors(), requests: (only: Writes)"#),
            r#"warning: faults[0].requests.only ["mail"]: never acts: every request that comes there is a write
                help: `writes` below 1, or leave `only` out"#,
        ).and(BATCH, format!("{BATCH}, writes: 1")),
        row(FAULTS, at("mail", r#"effect: Errors(), requests: (tenants: ["acme"])"#), at("stock", r#"effect: Errors(), requests: (tenants: ["acme"])"#),
            r#"warning: faults[0].requests.tenants ["mail"]: never acts: no request that comes there is of these tenants
                help: name tenants of a workload whose requests do"#,
        ).and(USERS, format!("{USERS}, tenants: Named({{\"acme\": 1, \"other\": 2}})")),
        row(FAULTS, at("mail", r#"effect: Errors(), requests: (keys: Fraction(0.5))"#), at("stock", r#"effect: Errors(), requests: (keys: Fraction(0.5))"#),
            r#"warning: faults[0].requests.keys ["mail"]: never acts: no request that comes there is about a key
                help: say which, with `keys` of a workload, such as Uniform(1000)"#,
        ).and(USERS, format!("{USERS}, keys: Uniform(9)")),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (keys: Only([3, 9]))"#), at("stock", r#"effect: Errors(), requests: (keys: Only([3, 8]))"#),
            r#"faults[0].requests.keys ["stock"]: no request is about key 9: they are 0 to 8
                help: the most wanted is key 0"#,
        ).and(USERS, format!("{USERS}, keys: Uniform(9)")),
        row(FAULTS, at("stock", r#"effect: Errors(), requests: (keys: Only([]))"#), at("stock", r#"effect: Errors(), requests: (keys: Only([0]))"#),
            r#"faults[0].requests.keys [Only([])]: no key is struck
                help: list at least one, or leave `keys` out"#,
        ).and(USERS, format!("{USERS}, keys: Uniform(9)")),
        // Which messages.
        row(FAULTS, at("stock", "effect: Crash(), way: Replies"), at("stock", "effect: Drop(), way: Replies"),
            r#"faults[0].way [Replies]: `crash` strikes replicas, whoever calls them: `way` is of the network
                help: leave it out, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"#,
        ),
        row(FAULTS, at("stock", "effect: Errors(), clients: Only([0])"), at("stock", "effect: Hold, clients: Only([0])"),
            r#"faults[0].clients [Only([0])]: `errors` strikes replicas, whoever calls them: `clients` is of the network
                help: leave it out, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"#,
        ),
        row(FAULTS, at("stock", "effect: Hold, clients: Only([1, 2])"), at("stock", "effect: Hold, clients: Only([1])"),
            r#"faults[0].clients ["stock"]: shop->stock has no client 2: they are 0 to 1
                help: a workload says how many `clients` it has; a service has as many as replicas"#,
        ),
        row(FAULTS, at("stock", "effect: Hold, clients: Only([])"), at("stock", "effect: Hold, clients: Only([0])"),
            r#"faults[0].clients ["stock"]: no client is struck
                help: list at least one, or leave `clients` out"#,
        ),
        row(
            FAULTS,
            at("stock", r#"effect: Hold, clients: Zone("a")"#),
            at("stock", "effect: Hold"),
            r#"faults[0].clients ["stock"]: zones tell which replicas are struck, not which clients
                help: list those that stand there with Only([..]), or take a share with Fraction(..)"#,
        ),
        row(
            FAULTS,
            at("users->shop", "effect: Hold, clients: Fraction(0.5)"),
            at("shop->stock", "effect: Hold, clients: Fraction(0.5)"),
            r#"warning: faults[0].clients ["users->shop"]: users->shop has one client, which is all of them
                help: say `clients` of the workload, or leave this out"#,
        ),
        // How much is carried.
        row(FAULTS, at("stock", "effect: Bandwidth(limit: \"0B/s\")"), at("stock", "effect: Bandwidth(limit: \"1B/s\")"),
            r#"faults[0].effect.limit ["0B/s"]: got "0B/s", must be more than 0"#,
        ).and(WEIGHS, format!("size: Fixed(\"1kB\"), {WEIGHS}")),
        row(FAULTS, at("stock", "effect: Bandwidth(limit: \"10MiB\")"), at("stock", "effect: Bandwidth(limit: \"10MiB/s\")"),
            r#"faults[0].effect.limit ["10MiB"]: not a rate of bytes: the text "10MiB"
                help: write a whole number and a unit per second, as in "10MiB/s", "500kB/s" or "100Mbit/s""#,
        ).and(WEIGHS, format!("size: Fixed(\"1kB\"), {WEIGHS}")),
        row(FAULTS, at("stock", "effect: Bandwidth(limit: 10)"), at("stock", "effect: Bandwidth(limit: \"10MiB/s\")"),
            r#"faults[0].effect.limit [10]: expected a rate of bytes such as "10MiB/s", found the number 10"#,
        ).and(WEIGHS, format!("size: Fixed(\"1kB\"), {WEIGHS}")),
        row(FAULTS, at("stock", "effect: Bandwidth(limit: \"1MiB/s\")"), at("stock", "effect: Delay(add: \"1s\")"),
            r#"warning: faults[0].effect ["stock"]: no request weighs anything: however little is carried, nothing waits
                help: give a workload a `size`, such as Fixed("64KiB")"#,
        ),
        // How it comes and goes.
        row(
            FAULTS,
            at("stock", "effect: Hold, ramp: \"5s\""),
            at("stock", "effect: Delay(add: \"1s\"), ramp: \"5s\""),
            r#"faults[0].ramp ["5s"]: `hold` is there or is not: it cannot build up
                help: Slow, Errors, Drop, Delay, Duplicate and Reorder have degrees"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Hold, flap: (active: \"0s\", quiet: \"1s\")"),
            at("stock", "effect: Hold, flap: (active: \"1ns\", quiet: \"1s\")"),
            r#"faults[0].flap [(active: "0s", quiet: "1s")]: `active` and `quiet` must be longer than 0
                help: without `flap` it is there all the time"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Hold, flap: (active: \"1s\", quiet: \"0s\")"),
            at("stock", "effect: Hold, flap: (active: \"1s\", quiet: \"1ns\")"),
            r#"faults[0].flap [(active: "1s", quiet: "0s")]: `active` and `quiet` must be longer than 0
                help: without `flap` it is there all the time"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Drop, for: \"4s\", ramp: \"5s\""),
            at("stock", "effect: Drop, for: \"4s\", ramp: \"4s\""),
            r#"warning: faults[0].ramp ["5s"]: builds up over 5s, but is there for 4s only
                help: it ends before it has its full strength"#,
        ),
        row(
            FAULTS,
            at("stock", "effect: Slow(factor: 9), for: \"9s\", ramp: \"5s\", flap: (active: \"3s\", quiet: \"1s\")"),
            at("stock", "effect: Slow(factor: 9), for: \"9s\", ramp: \"3s\", flap: (active: \"3s\", quiet: \"1s\")"),
            r#"warning: faults[0].ramp ["5s"]: builds up over 5s, but is there for 3s only
                help: it ends before it has its full strength"#,
        ),
        // What fails at random.
        row(RANDOM, fails("stok", often), fails("stock", often),
            r#"failures.f.on ["stok"]: unknown service or edge `stok`
                help: did you mean `stock`?"#,
        ),
        row(RANDOM, fails("shop->stock", often), fails("shop->stock", &format!("{often}, effect: Drop()")),
            r#"failures.f.on ["shop->stock"]: `crash` strikes a service, and `shop->stock` is an edge
                help: edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth"#,
        ),
        row(
            RANDOM,
            fails("stock", &format!("{often}, replicas: Only([0, 3])")),
            fails("stock", &format!("{often}, replicas: Only([0, 2])")),
            r#"failures.f.on ["stock"]: `stock` has no replica 3: they are 0 to 2"#,
        ),
        row(
            RANDOM,
            fails("stock", &format!("{often}, needs: 4")),
            fails("stock", &format!("{often}, needs: 3")),
            r#"failures.f.needs ["stock"]: 4 are needed, but only 3 can fail: they are never all there
                help: as many as there are at most"#,
        ),
        row(
            RANDOM,
            fails("stock", r#"every: "9s", for: Exponential(mean: "1s"), correlation: Pearson(0.5)"#),
            fails("stock", r#"every: "9s", for: Exponential(mean: "1s"), correlation: BetaFactor(0.5)"#),
            r#"failures.f.correlation [Pearson(0.5)]: this sense of failing together has exponential times to failure and to repair
                help: write both as Exponential(mean: ..), or take BetaFactor, which keeps the times that it is given"#,
        ),
        row(
            RANDOM,
            fails("stock", &format!("{often}, way: Replies")),
            fails("stock", &format!("{often}, effect: Drop(), way: Replies")),
            r#"failures.f.way [Replies]: `crash` strikes replicas, whoever calls them: `way` is of the network
                help: leave it out, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"#,
        ),
        row(
            RANDOM,
            fails("pay", &format!("{often}, correlation: BetaFactor(0.5)")),
            fails("stock", &format!("{often}, correlation: BetaFactor(0.5)")),
            r#"warning: failures.f.correlation ["pay"]: one alone fails together with nobody
                help: give the service more `replicas`, or leave this out"#,
        ),
        row(
            RANDOM,
            fails("stock", r#"every: Pareto(scale: "1s", shape: 1), for: "1s""#),
            fails("stock", r#"every: Pareto(scale: "1s", shape: 1.5), for: "1s""#),
            r#"failures.f.every [Pareto(scale: "1s", shape: 1)]: `every` has no mean: what it comes to in the long run is not known
                help: a shape above 1 has a mean, BoundedPareto an end"#,
        ),
        row(RANDOM, fails("stock", r#"every: "0s", for: "1s""#), fails("stock", r#"every: "9s", for: "1s""#),
            r#"failures.f.every ["0s"]: got "0s", must be longer than 0"#,
        ),
        row(RANDOM, fails("stock", r#"every: "1h", for: "1s""#), fails("stock", r#"every: "1min", for: "1s""#),
            r#"warning: failures.f.every ["stock"]: happens once in 20 min on average, and the run is over after 60s
                help: a longer run, or a shorter time to failure"#,
        ),
        row(RANDOM, shared(r#"(on: "stok")"#, ""), shared(r#"(on: "stock")"#, ""),
            r#"domains.rack.holds[0].on ["stok"]: unknown service or edge `stok`
                help: did you mean `stock`?"#,
        ),
        row(RANDOM, shared(r#"(on: "pay"), (on: "stock", replicas: Only([]))"#, ""), shared(r#"(on: "pay"), (on: "stock", replicas: Only([1]))"#, ""),
            r#"domains.rack.holds[1].on ["stock"]: no replica is struck
                help: list at least one, or leave `replicas` out"#,
        ),
        row(
            RANDOM,
            at_random(&format!("failures: {{\"rack\": (on: \"stock\", {often})}}, domains: {{\"rack\": (holds: [(on: \"pay\")], {often})}}")),
            at_random(&format!("failures: {{\"disk\": (on: \"stock\", {often})}}, domains: {{\"rack\": (holds: [(on: \"pay\")], {often})}}")),
            r#"domains.rack ["rack"]: `rack` is among the `failures`, too
                help: give it another name, by which it can be told"#,
        ),
        // What a replica does not survive.
        row(DIES, r#"(restart_after: "5s")"#, r#"(at_memory: "1MiB", restart_after: "5s")"#,
            r#"services.mail.dies [(restart_after: "5s")]: give `at_in_flight` or `at_memory`: the load that is not survived"#,
        ),
        row(DIES, r#"(at_in_flight: 0, restart_after: "5s")"#, r#"(at_in_flight: 1, restart_after: "5s")"#,
            r#"services.mail.dies [(at_in_flight: 0, restart_after: "5s")]: `at_in_flight` must be at least 1"#,
        ),
        row(
            DIES,
            r#"(at_memory: "2MiB", memory_idle: "2MiB", restart_after: "5s")"#,
            r#"(at_memory: "2049KiB", memory_idle: "2MiB", restart_after: "5s")"#,
            r#"services.mail.dies [(at_memory: "2MiB", memory_idle: "2MiB",..]: `at_memory` must be more than `memory_idle`: an idle replica would die"#,
        ),
        row(
            DIES,
            r#"(at_in_flight: 50, restart_after: "0s")"#,
            r#"(at_in_flight: 50, restart_after: "1ns")"#,
            r#"services.mail.dies.restart_after ["0s"]: `restart_after` must be longer than 0"#,
        ),
        row(
            DIES,
            r#"(at_memory: "2 lots", restart_after: "5s")"#,
            r#"(at_memory: "2 MB", restart_after: "5s")"#,
            r#"services.mail.dies.at_memory ["2 lots"]: not an amount of memory: the text "2 lots"
                help: write a whole number and one of B, kB, KiB, MB, MiB, GB, GiB, TiB, as in "512MiB""#,
        ),
        row(DIES, r#"(at_memory: 2, restart_after: "5s")"#, r#"(at_memory: "2B", restart_after: "5s")"#,
            r#"services.mail.dies.at_memory [2]: expected an amount of memory such as "512MiB", found the number 2"#,
        ),
    ]
}
