use super::toy::*;
#[test]
fn look() {
    println!("{}", load(GOOD, &[]).unwrap().canonical().unwrap());
    let w = |a: &str, b: &str| println!("--- {b}\n{}", said_with(a, b));
    for text in [
        "",
        "// x\n/* y */",
        "\u{feff}",
        "(about: \"x\"",
        "(about: \"x\n, model: Toy()",
        "/* x",
        "{\"a\": 1}",
        "[1,2]",
        "about: x\nmodel: y",
        "[model]\nx=1",
        "about = \"x\"",
        "---\na",
        "#![enable(foo)]\n(about: \"x\")",
        "(about: \"a\u{0}b\")",
        "5",
        "hello",
    ] {
        println!("--- {text:?}\n{}", said(text, &[]));
    }
    println!("{}", said(&("(a: ".to_string() + &"[".repeat(1_000_000)), &[]));
    println!("{}", said(&format!("{GOOD} ) trailing"), &[]));
    w("work: \"5ms\", ", "work: \"5ms\" ");
    w("work: \"5ms\", ", "work: 5ms, ");
    w("work: \"5ms\", ", "work: 5 ms, ");
    w("\"5ms\"", "\"5 parsecs\"");
    w("\"5ms\"", "5");
    w("\"5ms\"", "Constant(5M)");
    w("\"5ms\"", "Exponential(meen: \"5ms\")");
    w("\"5ms\"", "LogNormall(median: \"5ms\")");
    w("\"5ms\"", "Constant");
    w("\"5ms\"", "\"Constant\"");
    w("\"5ms\"", "[1]");
    w("to: \"shop\", ", "");
    w("to: \"shop\"", "too: \"shop\"");
    w("to: \"shop\"", "to: \"shopp\"");
    w("to: \"shop\"", "to: 5, to: 6");
    w("\"pay\": (", "\"Shop\": (");
    w("\"pay\": (", "\"p y\": (");
    w("workers: 4", "workers: 0, failing: 100");
    w("workers: 4", "workers: 4294967296, failing: -0.1");
    w("workers: 4", "workers: NaN, failing: 1e400");
    w("workers: 4", "workers: 4.0, failing: 1e-400");

    w("\"naive\": (", "\"naive\": {");
    w("timeout: \"1000ms\"", "timeout: \"0s\"");
    w("calls: [(to", "calls: [(to = ");
    w("seed: 42", "seed: -1");
    w("warm_up: \"20s\"", "warm_up: \"20min\"");
    w("(duration: \"5min\", ", "(");
    w("run: (duration: \"5min\", warm_up: \"20s\", seed: 42),", "");
    w("Toy(", "Toi(");
    w("Toy(", "(");
    w("is: false", "is: 0");
    w("is: false", "is: false, at_most: 3");
    w("(metric: \"recovered\", is: false)", "(metric: \"recovered\")");
    w("variant: \"patient\"", "variant: \"patent\"");
    w("\"60s..90s\"", "\"90s..60s\"");
    w("\"policies.naive.timeout\": \"3s\"", "\"policies.naive.timeot\": \"3s\"");
    w("\"policies.naive.timeout\": \"3s\"", "\"policies.naive.timeout\": \"0s\"");
    w("[2, 4, 8]", "[2, 4, 04]");
    w("[2, 4, 8]", "[]");
    w("[2, 4, 8]", "[0, 1, 2]");
    w("\"services.pay.workers\": [", "\"services.pay.wokers\": [");
    w("\"services.pay.workers\": [2, 4, 8]", "\"workload[0]\": [1]");
    w("about: ", "format: 2, about: ");
    w("about: ", "format: 0, about: ");
    for (p, v) in [
        ("services.pay.wrkers", "5"),
        ("services.pai.workers", "5"),
        ("services.pay.workers", "0"),
        ("services.pay.workers", ""),
        ("", "5"),
        ("services..x", "5"),
        ("services.shop.calls[3].to", "x"),
        ("services.shop.calls[0].to.x", "x"),
        ("policies.naive.retry.delay", "5s"),
        ("policies.naive.retry.jitter.ratio", "5s"),
        ("policies.naive.deadline.x", "5"),
        ("model.services.pay.workers", "5"),
        ("policies.new.timeout", "5s"),
        ("policies.new", "(timeout: \"0s\")"),
        ("policies.new", "(timeout: \"1s\""),
        ("services.pay.work.p99.x", "1"),
        ("run.durtion", "1s"),
        ("workload[0].arrivals", "naive"),
        ("servces.pay.workers", "1"),
    ] {
        println!("--- {p}={v}\n{}", said(GOOD, &[(p, v)]));
    }
}
