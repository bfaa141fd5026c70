//! The example of a model of one's own, asked everything that brownout can be asked.

#[allow(dead_code)]
#[path = "../examples/own_model.rs"]
mod own_model;

use sim_cli::{Console, Exit};
use std::ffi::OsString;

/// Standard output of a command line that is good, and has nothing to complain about.
fn asked(words: &[&str]) -> String {
    let arguments = ["own_model"].iter().chain(words).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    let exit = sim_cli::run_with(&own_model::catalog(), arguments, console);
    let text = |bytes| String::from_utf8(bytes).expect("everything printed is text");
    assert_eq!((exit, text(stderr).as_str()), (Exit::Good, ""), "{words:?}");
    text(stdout)
}

#[test]
fn it_is_listed_with_all_its_settings() {
    let list = asked(&["list"]);
    assert!(list.contains("\nlocks\n") || list.starts_with("locks\n"), "{list}");
    assert!(list.contains("convoy") && list.contains("retry-storm"), "{list}");
    assert!(asked(&["list", "models"]).contains("the convoy that they form"));
    let settings = asked(&["list", "models", "Lock"]);
    for setting in ["arrivals", "hold", "wake", "Barging", "whoever comes then is turned away"] {
        assert!(settings.contains(setting), "{setting}: {settings}");
    }
    assert!(asked(&["list", "metrics", "convoy"]).contains("lock.found_free"));
}

#[test]
fn a_run_has_what_every_run_has() {
    let page = asked(&["run", "convoy", "--full"]);
    let said = page.split_once("FAILING").unwrap_or_else(|| panic!("{page}")).1;
    for part in [
        "% of offered",
        "offered",
        "goodput",
        "lock asleep",
        "p99",
        "found free",
        "rejected",
        " explain convoy",
    ] {
        assert!(said.contains(part), "{part}: {page}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&asked(&["run", "convoy", "--format", "json"])).unwrap();
    let share = |name: &str| json["summary"][name].as_f64().unwrap_or_else(|| panic!("no {name}"));
    assert!((0.40..0.50).contains(&share("success")), "a convoy serves one in 220 us of 10,000/s");
    assert!((9_000.0..11_000.0).contains(&share("offered")));
    let quiet = asked(&["run", "convoy", "--variant", "quiet", "--full"]);
    assert!(
        quiet.contains("93.3 %") && quiet.contains("a queue whose first customer is served faster"),
        "{quiet}"
    );
}

#[test]
fn its_page_has_pictures() {
    let folder = tempfile::tempdir().unwrap();
    asked(&["run", "convoy", "--quiet", "--out", folder.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    for part in ["failing", "threads-&gt;lock", "asleep", "found_free", " run convoy"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn variants_are_compared_and_expectations_checked() {
    let compared = asked(&["compare", "convoy", "--replications", "2"]);
    assert!(compared.contains("barging") && compared.contains("steady"), "{compared}");
    assert!(asked(&["explain", "convoy"]).contains("a load of 2.20"));
    asked(&["check", "convoy"]);
    asked(&["verify", "convoy", "--set", "run.duration=1s"]);
}
