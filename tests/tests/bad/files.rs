//! Files: what is changed in a sound one, and what must be said of it. Numbers are those of the catalogue.

use super::check::{BASE, Row};
use std::fmt::Write;

/// A part of the base, and what stands there instead.
fn change(from: &str, to: &str) -> Vec<u8> {
    assert!(BASE.contains(from), "the base has no {from}");
    BASE.replacen(from, to, 1).into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn nested(depth: usize) -> Vec<u8> {
    change(r#""a base""#, &format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
}

const TIMEOUT: &str = r#"timeout: "1s""#;
const RATE: &str = r#"Poisson("20/s")"#;
const WORK: &str = r#"Exponential(mean: "5ms")"#;
const FAULT: &str = r#"(at: "500ms", for: "100ms", on: "back", effect: Errors())"#;
const RETRY: &str = "Fixed(attempts: 2)";
const RUN: &str = r#"(duration: "2s", window: "500ms", seed: 3)"#;
const SITE: &str = r#"[(to: "back", policy: "p")]"#;
const EXPECT: &str = r#"expect: [(metric: "success", at_least: 0.1)],"#;

/// What no command runs.
pub fn refused() -> Vec<Row> {
    let mut rows = syntax();
    rows.extend(structure());
    rows.extend(numbers());
    rows.extend(policies());
    rows
}

fn row(number: u16, text: impl Into<Vec<u8>>, says: &'static [&'static str]) -> Row {
    Row { number, text: text.into(), says, of_a_sweep: false }
}

/// What whoever gives axes of his own does not look at.
fn of_a_sweep(number: u16, text: Vec<u8>, says: &'static [&'static str]) -> Row {
    Row { of_a_sweep: true, ..row(number, text, says) }
}

fn syntax() -> Vec<Row> {
    let digits = "9".repeat(1_000_000);
    let mut large = BASE.to_owned();
    large.extend(std::iter::repeat_n(' ', 9 << 20));
    let mut values = String::from("[");
    (0..600_000).for_each(|n| _ = write!(values, "{n},"));
    let mut problems = String::from("{");
    (0..9_000).for_each(|n| _ = write!(problems, "\"s{n}\": 7,"));
    vec![
        row(1, "", &["is empty", "brownout new"]),
        row(2, "  \n// nothing\n/* here */\n", &["brownout new"]),
        row(4, format!("{BASE} rubbish"), &["`rubbish` after the end", "row.ron:14:3"]),
        row(5, change(r#"to: "front", "#, r#"to: "front" "#), &["comma", "row.ron:4"]),
        row(6, change(r#""a base""#, r#""a base"#), &["row.ron:2:12"]),
        row(6, format!("/* {BASE}"), &["row.ron:1:1"]),
        row(9, utf16(BASE), &["UTF-16"]),
        row(10, change(r#""front": "#, "\"fro\0nt\": "), &[r"\u{0}"]),
        row(11, [BASE.as_bytes(), b"\xff\xfe"].concat(), &["UTF-8"]),
        row(12, r#"{"about": "json", "model": {"ServiceGraph": {}}}"#, &["JSON"]),
        row(13, "about: yaml\nmodel:\n  services:\n    - front\n", &["YAML"]),
        row(13, "about = \"toml\"\n[model]\nservices = 3\n", &["TOML"]),
        row(14, nested(65), &["nested too deeply"]),
        row(14, nested(10_000), &["nested too deeply"]),
        row(14, nested(1_000_000), &["nested too deeply"]),
        row(16, change("replicas: 2", &format!("replicas: {digits}")), &["replicas"]),
        row(17, large, &["8 MiB"]),
        row(18, change(SITE, &(values + "]")), &["250000 values"]),
        row(20, format!("#![enable(nothing)]\n{BASE}"), &["implicit_some"]),
        row(21, change("about:", "format: 999, about:"), &["999"]),
        row(22, change("about:", "format: 0, about:"), &["format"]),
        row(
            161,
            change("{\"p\": (timeout: \"1s\", retry: Fixed(attempts: 2))}", &(problems + "}")),
            &["more errors"],
        ),
    ]
}

fn structure() -> Vec<Row> {
    let services = |count: usize| {
        let mut text = String::from("services: {");
        (0..count).for_each(|n| _ = write!(text, "\"s{n}\": (workers: Async(1), work: \"1ms\"),"));
        text
    };
    let mut edges = String::from("[");
    (0..100_001).for_each(|_| edges.push_str("(to: \"back\"),"));
    let mut unknown = String::from("Fixed(attempts: 2");
    (0..100_000).for_each(|n| _ = write!(unknown, ", f{n}: 1"));
    vec![
        row(24, change(TIMEOUT, r#"timout: "1s""#), &["did you mean `timeout`"]),
        row(25, change(RETRY, "Fixed(attempts: 2, atempts: 3)"), &["atempts"]),
        row(26, change(TIMEOUT, r#"timeout: "1s", timeout: "2s""#), &["given twice", "first here"]),
        row(28, change(r#"{"p":"#, r#"{"p": (), "p":"#), &["given twice", "first here"]),
        row(29, change(r#"(to: "back""#, r#"(to: "bakc""#), &["bakc", "did you mean `back`"]),
        row(30, change(r#"on: "back""#, r#"on: "bakc""#), &["bakc", "back"]),
        row(
            30,
            change(FAULT, r#"(at: "1s", on: "back", replicas: Replicas([7]), effect: Errors())"#),
            &["replica"],
        ),
        row(
            33,
            change(r#"workload: [(to: "front", arrivals: Poisson("20/s"), policy: "p")]"#, "workload: []"),
            &["workload"],
        ),
        row(34, change("services: {", "services: {}, policies_: {"), &["services"]),
        row(
            36,
            change(r#""back": ("#, r#""back": (calls: [(to: "front", probability: 0.5)], "#),
            &["in a circle", "front -> back -> front"],
        ),
        row(37, change(SITE, r#"[(to: "front", policy: "p")]"#), &["front"]),
        row(38, change("Exponential(", "Exponentail("), &["did you mean `Exponential`"]),
        row(40, change(r#"work: "1ms", "#, ""), &["work"]),
        row(41, change("replicas: 2", r#"replicas: "two""#), &["expected", "found"]),
        row(41, change(RUN, "[1, 2]"), &["expected", "found"]),
        row(42, change(TIMEOUT, "timeout: 5"), &["without a unit"]),
        row(42, change(TIMEOUT, r#"timeout: "5 parsecs""#), &["unknown unit `parsecs`"]),
        row(42, change(TIMEOUT, r#"timeout: "5M""#), &["min"]),
        row(
            44,
            change(r#""back": (replicas"#, r#""FRONT": (workers: Async(1), work: "1ms"), "back": (replicas"#),
            &["FRONT", "front"],
        ),
        row(45, change("services: {", &services(10_001)), &["services"]),
        row(45, change(SITE, &(edges + "]")), &["4000"]),
        row(45, change("replicas: 2", "replicas: 1000001"), &["replicas"]),
        row(138, change(EXPECT, r#"sweep: {"services.back.replicas": []},"#), &["sweep"]),
        of_a_sweep(140, change(EXPECT, r#"sweep: {"services.bakc.replicas": [1, 2]},"#), &["bakc"]),
        of_a_sweep(
            141,
            change(EXPECT, r#"sweep: {"services.back.replicas": [1, 2, 1]},"#),
            &["occurs twice"],
        ),
        of_a_sweep(142, change(EXPECT, r#"sweep: {"services.back.replicas": [1, 0, 2]},"#), &["got 0"]),
        row(152, change(r#""front": "#, r#""../../x": "#), &["../../x"]),
        row(161, change(RETRY, &(unknown + ")")), &["f0", "and 99980 more errors"]),
        row(152, change(r#""front": "#, r#""CON": "#), &["CON"]),
        row(156, change(r#""front": "#, "\"fr\u{1b}[31m\u{202e}\": "), &[r"\u{1b}", r"\u{202e}"]),
    ]
}

fn numbers() -> Vec<Row> {
    let mut rows = Vec::new();
    // One for each kind of number.
    for place in ["attempts: 2", "at_least: 0.1", "replicas: 2", "capacity: 10", "seed: 3"] {
        let field = place.split_once(' ').expect("a space").0;
        for number in ["NaN", "inf", "-inf", "1e400"] {
            rows.push(row(48, change(place, &format!("{field} {number}")), &["error"]));
        }
    }
    rows.extend([
        row(50, change("at_least: 0.1", "at_least: 1e400"), &["1e400"]),
        row(50, change(SITE, r#"[(to: "back", probability: 1e-400)]"#), &["1e-400"]),
        row(52, change(TIMEOUT, r#"timeout: "1000000000000000000000000000000s""#), &["100 years"]),
        row(52, change(TIMEOUT, r#"timeout: "80000d""#), &["100 years"]),
        row(52, change(TIMEOUT, r#"timeout: "18446744073709551615ns""#), &["100 years"]),
        row(53, change(TIMEOUT, r#"timeout: "0.4ns""#), &["1 ns"]),
        row(54, change("Blocking(2)", "Blocking(0)"), &["got 0"]),
        row(54, change("replicas: 2", "replicas: 0"), &["got 0"]),
        row(54, change(TIMEOUT, r#"timeout: "1s", bulkhead: (max_concurrent: 0)"#), &["0"]),
        row(56, change("replicas: 2", "replicas: 4294967296"), &["4294967296", "allowed"]),
        row(57, change(SITE, r#"[(to: "back", probability: 1.0000001)]"#), &["1.0000001"]),
        row(57, change(SITE, r#"[(to: "back", probability: -0.1)]"#), &["-0.1"]),
        row(57, change(SITE, r#"[(to: "back", probability: 100)]"#), &["1.0"]),
        row(60, change(RATE, r#"Poisson("0/s")"#), &["0"]),
        row(60, change(RATE, r#"Poisson("-5/s")"#), &["-5/s"]),
        row(60, change(RATE, r#"Poisson("1e18/s")"#), &["1e18/s"]),
        row(61, change(RUN, r#"(duration: "90y")"#), &["unknown unit `y`"]),
        row(61, change(RUN, r#"(duration: "30000d", window: "1000d")"#), &["calls in one run"]),
        row(62, change(RUN, r#"(duration: "0s")"#), &["duration"]),
        row(62, change(RUN, "()"), &["duration"]),
        row(62, change(RUN, r#"(duration: "2s", warm_up: "2s")"#), &["warm_up"]),
        row(66, change(WORK, "Empirical([])"), &["two or more"]),
        row(
            66,
            change(WORK, r#"Empirical([(percent: 0, value: "5ms"), (percent: 100, value: "1ms")])"#),
            &["[1]"],
        ),
        row(
            66,
            change(WORK, r#"Empirical([(percent: 0, value: "1ms"), (percent: 50, value: "2ms")])"#),
            &["100"],
        ),
        row(
            66,
            change(WORK, r#"Empirical([(percent: 0, value: "-1ms"), (percent: 100, value: "2ms")])"#),
            &["negative"],
        ),
        row(69, change(RUN, r#"(duration: "2s", window: "1us")"#), &["2000000 windows", "100000"]),
        row(70, change("seed: 3", "seed: -1"), &["-1"]),
        row(70, change("seed: 3", "seed: 18446744073709551616"), &["18446744073709551616"]),
        row(70, change("seed: 3", "seed: 1.5"), &["1.5"]),
        row(70, change("seed: 3", r#"seed: "x""#), &["seed"]),
    ]);
    rows
}

fn policies() -> Vec<Row> {
    vec![
        row(72, change("attempts: 2", "attempts: 1000000000"), &["1000000000", "allowed"]),
        row(77, change(TIMEOUT, r#"timeout: "0s""#), &["timeout"]),
        row(80, change(TIMEOUT, r#"timeout: "1s", budget: (ratio: -1)"#), &["-1"]),
        row(80, change(TIMEOUT, r#"timeout: "1s", budget: Ratio(ratio: 5000.0)"#), &["5000", "allowed"]),
        row(80, change(TIMEOUT, r#"timeout: "1s", budget: Ratio(ratio: 0.0, burst: 0)"#), &["burst: got 0"]),
        row(81, change(TIMEOUT, r#"timeout: "1s", breaker: FailureRate(window: Count(0))"#), &["got 0"]),
        row(
            81,
            change(TIMEOUT, r#"timeout: "1s", breaker: FailureRate(window: Time("0s"))"#),
            &["longer than 0"],
        ),
        row(81, change(TIMEOUT, r#"timeout: "1s", breaker: FailureRate(probes: 0)"#), &["got 0"]),
        row(81, change(TIMEOUT, r#"timeout: "1s", breaker: FailureRate(minimum_calls: 0)"#), &["got 0"]),
        row(81, change(TIMEOUT, r#"timeout: "1s", breaker: (threshold: 0)"#), &["breaker"]),
        row(81, change(TIMEOUT, r#"timeout: "1s", breaker: (threshold: 1.5)"#), &["breaker"]),
        row(85, change(FAULT, r#"(at: "-1s", on: "back", effect: Errors())"#), &["negative"]),
        row(85, change(FAULT, r#"(at: "1s", for: "0s", on: "back", effect: Errors())"#), &["for"]),
        row(88, change(FAULT, r#"(at: "1s", on: "back", effect: Errors(share: 1.5))"#), &["1.5"]),
    ]
}

/// What runs, with a warning or a note.
pub fn doubtful() -> Vec<Row> {
    let chain = |layers: usize, attempts: u32| {
        let mut services = String::new();
        for n in 0..layers {
            let calls =
                if n + 1 < layers { format!("[(to: \"s{}\", policy: \"p\")]", n + 1) } else { "[]".into() };
            _ = write!(services, "\"s{n}\": (workers: Async(100), work: \"1ms\", calls: {calls}),");
        }
        format!(
            "(about: \"layers\", model: ServiceGraph(workload: [(to: \"s0\", arrivals: Poisson(\"1/s\"), policy: \"p\")], \
             services: {{{services}}}, policies: {{\"p\": (timeout: \"1s\", retry: Fixed(attempts: {attempts}))}}), \
             run: (duration: \"1s\"))"
        )
    };
    let mut rows = vec![
        row(8, format!("\u{feff}{BASE}"), &["valid"]),
        row(
            32,
            change(r#""back": (replicas"#, r#""spare": (workers: Async(1), work: "1ms"), "back": (replicas"#),
            &["nobody calls"],
        ),
        row(64, change(WORK, r#"Pareto(scale: "1ms", shape: 0.9)"#), &["mean is infinite"]),
        row(65, change(WORK, r#"Pareto(scale: "1s", shape: 0.05)"#), &["longer than 36500 d", "cut to it"]),
        row(73, chain(4, 11), &["14641"]),
        row(73, chain(8, 1000), &["more than 10^19 attempts", "> 10^19"]),
        row(
            76,
            change(RETRY, r#"Exponential(attempts: 100, base: "1s", factor: 100.0)"#),
            &["10000 attempts"],
        ),
        row(78, change(TIMEOUT, r#"timeout: "100us""#), &["no call over"]),
        row(84, change(TIMEOUT, r#"timeout: "1s", bulkhead: (max_concurrent: 100000)"#), &["bulkhead"]),
        row(85, change(FAULT, r#"(at: "1h", on: "back", effect: Errors())"#), &["never happens"]),
        row(86, change(FAULT, r#"(at: "0s", on: "back", effect: Crash(callers: Silence))"#), &["success"]),
        row(96, change(FAULT, r#"(at: "0s", on: "front", effect: Crash(callers: Silence))"#), &["-"]),
        row(97, change(RATE, "Burst(count: 1)"), &["success"]),
        row(98, change(WORK, r#""0s""#), &["success"]),
        row(153, change(r#""a base""#, r#""<script>alert(1)</script>""#), &["<script>"]),
        row(154, change(r#""a base""#, "\"a </script><!-- ]]> \u{2028} base\""), &["</script>"]),
        row(157, change(r#""a base""#, r#""a | b ` c\nd""#), &["a | b ` c"]),
        row(156, change(r#""a base""#, r#""a \u{202e}\u{1b}[31m base""#), &[r"\u{202e}"]),
    ];
    // Nothing is expected of them.
    for row in &mut rows {
        row.text =
            String::from_utf8(std::mem::take(&mut row.text)).expect("text").replace(EXPECT, "").into_bytes();
    }
    rows
}
