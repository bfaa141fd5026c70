use crate::{TOY, brownout, with_input};
use sim_cli::Exit;
use sim_models::trace::Trace;

#[test]
fn a_trace_and_a_diagram_are_pages() {
    let trace = with_input(&["trace", "-", "--call", "3", "--at", "5s"], TOY);
    assert_eq!(trace.exit, Exit::Good);
    assert!(trace.stdout.contains("call 3 of users->desk") && trace.stdout.contains("answered."), "{trace}");
    let diagram = with_input(&["diagram", "-"], TOY);
    assert_eq!(diagram.exit, Exit::Good);
    assert!(diagram.stdout.contains("[users]") && diagram.stdout.contains("2 blocking workers"), "{diagram}");
}

#[test]
fn what_cannot_be_traced_says_why() {
    for (words, said) in [
        (&["trace", "n-servers"][..], "n-servers has no calls to trace: its servers take no time"),
        (&["trace", "backoff-jitter"], "backoff-jitter has no calls to trace: all its clients"),
        (&["trace", "retry-storm", "--edge", "checkout->payments"], "is not an edge of users"),
        (&["trace", "retry-storm", "--edge", "users->chekout"], "did you mean 'users->checkout'?"),
        (&["trace", "-", "--call", "1000000000"], "there is no call 1000000000: the last is "),
        (&["trace", "-", "--at", "9h"], "no call began at 9h or later"),
        (&["trace", "-", "--at", "soon"], "--at soon: "),
    ] {
        let ran = with_input(words, TOY);
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn every_form_is_one_document() {
    for (format, key) in [("json", "traces"), ("perfetto", "traceEvents"), ("otlp", "resourceSpans")] {
        let ran = with_input(&["trace", "-", "--call", "3", "--format", format], TOY);
        assert_eq!((ran.exit, ran.stderr.as_str()), (Exit::Good, ""), "{format}");
        let read: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        assert!(read[key].as_array().is_some_and(|items| !items.is_empty()), "{format}");
    }
    let ran = with_input(&["trace", "-", "--call", "3", "--call", "5", "--format", "json"], TOY);
    let read: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(read["format"], 1);
    let traces: Vec<Trace> = serde_json::from_value(read["traces"].clone()).expect("traces are read back");
    assert_eq!(traces.iter().map(|trace| trace.call).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn both_write_all_their_forms() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let path = out.to_str().expect("a plain name");
    assert_eq!(with_input(&["trace", "-", "--call", "3", "--out", path], TOY).exit, Exit::Good);
    assert_eq!(brownout(&["diagram", "blue-green", "--out", path]).exit, Exit::Good);
    for file in [
        "trace.txt",
        "trace.json",
        "trace.perfetto.json",
        "trace.otlp.json",
        "diagram.txt",
        "diagram.mmd",
        "diagram.dot",
        "diagram.svg",
    ] {
        assert!(out.join(file).metadata().is_ok_and(|file| file.len() > 100), "{file}");
    }
}
