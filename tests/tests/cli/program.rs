//! A program with models of its own has a name of its own, and every hint says it.

use super::{Ran, TOY, named, with_input};

fn mysim(words: &[&str], input: &str) -> Ran {
    named("/opt/bin/mysim", &sim_models::Catalog::bundled(), words, input, |_| {})
}

#[test]
fn every_hint_names_the_program_that_gives_it() {
    for words in [
        &["run", "-"][..],
        &["run", "-", "--max-events", "10"],
        &["run", "-", "--metric", "p99"],
        &["compare", "-"],
        &["compare", "-", "--metric", "sucess"],
        &["find", "-"],
        &["recommend", "-", "--maximize", "goodput"],
        &["sweep", "-"],
        &["explain", "-"],
        &["check", "nowhere"],
        &["list", "models"],
        &["list", "metrics"],
        &["--help"],
        &["run", "--help"],
    ] {
        let (ours, theirs) = (with_input(words, TOY), mysim(words, TOY));
        for theirs in [&theirs.stdout, &theirs.stderr] {
            for command in
                ["run", "compare", "sweep", "find", "recommend", "explain", "list", "check", "show"]
            {
                assert!(!theirs.contains(&format!("brownout {command}")), "{words:?}: {theirs}");
            }
        }
        assert_eq!(ours.exit, theirs.exit);
    }
    assert!(mysim(&["run", "-"], TOY).stdout.contains("mysim run - --seed 7"));
    assert!(mysim(&["--version"], "").stdout.starts_with("mysim "));
}

#[test]
fn a_list_names_it_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("half.ron"), "(about:").unwrap();
    let listed = mysim(&["list", "--dir", folder.path().to_str().unwrap()], "").stdout;
    assert!(listed.contains("`mysim validate`"), "{listed}");
}
