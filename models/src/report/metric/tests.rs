use super::*;
use crate::report::Unit;
use crate::report::synthetic::full_report;

#[test]
fn paths_lead_to_what_the_report_states() {
    let report = full_report();
    let number = |value, unit| Ok(Metric::Number(value, unit));
    for (path, expected) in [
        ("goodput", number(1.0 / 3.0, Unit::Rate)),
        ("summary.goodput", number(1.0 / 3.0, Unit::Rate)),
        ("recovered", Ok(Metric::Truth(true))),
        ("time_to_recover", number(12e9, Unit::Duration)),
        ("run.events", number(1.0, Unit::Plain)),
        (r#"edges["users->checkout"].calls.ok"#, number(11_000.0, Unit::Plain)),
        ("edges.users->checkout.calls.ok", number(11_000.0, Unit::Plain)),
        (r#"["edges"]["users->checkout"]["calls"].ok"#, number(11_000.0, Unit::Plain)),
        ("edges.checkout->payments.calls.in_flight_age", number(3.0, Unit::Duration)),
        ("edges.users->checkout.calls.in_flight_age", Ok(Metric::Absent)),
        ("edges.users->checkout.latency_failed.p99", Ok(Metric::Absent)),
        ("services.payments.utilisation", number(0.7, Unit::Share)),
        ("services.payments.work_wasted", number(250e6, Unit::Duration)),
        ("services.payments.replicas", number(3.0, Unit::Plain)),
        ("services.payments.little.number", number(12.5, Unit::Plain)),
        ("services.payments.little.gap", number(0.0, Unit::Plain)),
        ("values.success.value", number(0.5, Unit::Share)),
        ("values.success.standard_error", number(0.005, Unit::Share)),
        (r#"values["p(first = callback)"].value"#, number(0.1, Unit::Plain)),
        (r#"values["p(first = callback)"].exact"#, Ok(Metric::Absent)),
    ] {
        assert_eq!(report.metric(path), expected, "{path}");
    }
    let p99 = report.edges.0[0].1.latency.p99.unwrap() as f64;
    assert_eq!(report.metric("p99"), number(p99, Unit::Duration));
    assert_eq!(report.metric(r#"edges["users->checkout"].latency.p99"#), number(p99, Unit::Duration));
}

#[test]
fn response_times_without_an_edge_are_those_of_the_first_from_users() {
    let mut report = full_report();
    report.edges.0.rotate_left(1);
    let mut other = report.edges.0[1].1.clone();
    report.edges.0[1].1.latency.p99 = Some(1);
    other.latency.p99 = Some(2);
    report.edges.push("batch->checkout", other);
    assert_eq!(report.metric("p99"), Ok(Metric::Number(1.0, Unit::Duration)));
}

#[test]
fn every_listed_path_is_found_and_read_back() {
    let report = full_report();
    let paths = report.metric_paths();
    assert!(paths.iter().all(|path| report.metric(path).is_ok()));
    let mut unique = paths.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), paths.len());
    assert_eq!(paths[..3], ["recovered", "time_to_recover", "offered"]);
    assert!(paths.contains(&r#"edges["checkout->payments"].latency.p99"#.into()));
    assert_eq!(paths.last().unwrap(), r#"values["p(first = callback)"].standard_error"#);
    // In the report's order, not the alphabet's.
    let at = |path: &str| paths.iter().position(|p| p == path).unwrap();
    assert!(at(r#"edges["users->checkout"].calls.ok"#) < at(r#"edges["checkout->payments"].calls.ok"#));
}

/// The numbers of the JSON form, by another road: nothing is forgotten.
#[test]
fn every_number_of_the_json_is_a_metric() {
    fn numbers(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
        let picture = ["windows", "histogram", "seed", "from_users"];
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map.iter().filter(|(key, _)| !picture.contains(&key.as_str())) {
                    numbers(value, &format!("{at}[\"{key}\"]"), found);
                }
            }
            serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Null => {
                found.push(at.into());
            }
            _ => {}
        }
    }
    let report = full_report();
    let json = serde_json::to_value(&report).unwrap();
    let mut found = Vec::new();
    for section in ["summary", "run", "edges", "services", "values"] {
        numbers(&json[section], &format!("[\"{section}\"]"), &mut found);
    }
    assert!(found.len() > 100);
    for path in found {
        assert!(report.metric(&path).is_ok(), "{path}");
    }
}

#[test]
fn a_wrong_path_names_the_nearest() {
    let report = full_report();
    for (path, near) in [
        ("goodputt", "goodput"),
        ("recoverd", "recovered"),
        ("services.payment.utilisation", "services.payments.utilisation"),
        ("services.payments.utilization", "services.payments.utilisation"),
        (r#"edges["checkout->payment"].latency.p99"#, r#"edges["checkout->payments"].latency.p99"#),
        ("checkout->payments.latency.p99", r#"edges["checkout->payments"].latency.p99"#),
        ("values.sucess.value", "values.success.value"),
    ] {
        let error = report.metric(path).unwrap_err();
        assert!(error.message.contains(path), "{error:?}");
        assert_eq!(error.nearest.first().map(String::as_str), Some(near), "{path}: {error:?}");
        assert!(error.nearest.len() <= NEAREST);
    }
    assert_eq!(report.metric("entirely.elsewhere").unwrap_err().nearest, [""; 0]);
}

#[test]
fn a_group_asks_for_one_of_its_metrics() {
    let error = full_report().metric("edges.users->checkout.latency").unwrap_err();
    assert!(error.message.contains("group of 10 metrics"), "{error:?}");
    assert_eq!(error.nearest[0], r#"edges["users->checkout"].latency.count"#);
}

#[test]
fn a_broken_path_says_what_is_wrong() {
    for (path, why) in [
        ("", "a name is missing"),
        ("edges..p99", "a name is missing"),
        ("goodput.", "a name is missing"),
        (r#"edges["users"#, "a quote is not closed"),
        (r#"edges["users".p99"#, "a bracket is not closed"),
        ("edges[users].p99", "needs quotes"),
        ("edges]users", "stands alone"),
        (r#"edges["users"]p99"#, "a dot is missing"),
    ] {
        let error = full_report().metric(path).unwrap_err();
        assert!(error.message.contains(why), "{path}: {error:?}");
    }
}

#[test]
fn a_section_is_asked_by_kind_place_and_name() {
    let mut report = full_report();
    let leaves = report.leaves();
    let number = |value, unit| Ok(Metric::Number(value, unit));
    for (path, expected) in [
        (r#"cache["checkout->payments"].hit_ratio"#, number(0.75, Unit::Share)),
        ("cache.checkout->payments.hit_ratio", number(0.75, Unit::Share)),
        (r#"cache["checkout->payments"].hit_ratio.exact"#, number(0.8, Unit::Share)),
        (r#"cache["checkout->payments"].stale"#, Ok(Metric::Absent)),
        ("clock.skew", number(2e6, Unit::Duration)),
    ] {
        assert_eq!(leaves.metric(path), expected, "{path}");
    }
    let meaning = leaves.leaf(r#"cache["checkout->payments"].hit_ratio"#).unwrap().meaning;
    assert_eq!((meaning.less_is_better(), meaning.headline, meaning.in_part), (Some(false), true, true));
    let error = leaves.metric(r#"cache["checkout->payments"].hit_rate"#).unwrap_err();
    assert_eq!(error.nearest[0], r#"cache["checkout->payments"].hit_ratio"#);
    // Who asks the place for it is told how it is asked, also by the name of one of its kind.
    report.sections[0].kind = "caches".into();
    let error = report.metric("edges.checkout->payments.cache.hit_ratio").unwrap_err();
    assert!(error.message.ends_with(r#"it is called `caches["checkout->payments"].hit_ratio`"#), "{error:?}");
    assert_eq!(error.nearest, [r#"caches["checkout->payments"].hit_ratio"#]);
}

/// Twenty thousand metrics are listed and each is asked for: the report is gone through once, not once for each.
#[test]
fn many_are_found_in_one_pass() {
    let mut report = full_report();
    let edge = report.edges.0[1].1.clone();
    (0..500).for_each(|n| report.edges.0.push((format!("a{n}->b{n}"), edge.clone())));
    let before = super::walk::WALKS.get();
    let leaves = report.leaves();
    let listed: Vec<&Leaf> = leaves.iter().collect();
    assert!(listed.len() > 20_000, "{}", listed.len());
    assert!(listed.iter().all(|leaf| leaves.get(&leaf.path()) == Some(*leaf)));
    assert_eq!(super::walk::WALKS.get() - before, 1);
}
