//! The whole command line for models of somebody else.

use crate::{TOY, with_console};
use sim_cli::Exit;
use sim_models::experiment::RunSpec;
use sim_models::run::{Observer, RunOptions, RunOutput};
use sim_models::{Catalog, Entry, Scenario};

sim_models::spec! {
    /// A model that measures nothing and judges nothing.
    pub struct Silent {
        /// Unused.
        size: u32 = 1,
    }
}

impl Scenario for Silent {
    fn run(&self, _: &RunSpec, _: &RunOptions, _: Observer) -> RunOutput {
        RunOutput::default()
    }
}

const FILE: &str = r#"(
    about: "Nothing happens.",
    model: Silent(size: 3),
    run: (duration: "1s", seed: 9),
    variants: {"small": {"size": 1}},
)"#;

fn catalog() -> Catalog {
    let mut catalog = Catalog::bundled();
    catalog.add(Entry::of::<Silent>("Silent", "a model that says nothing", 1));
    catalog
}

#[test]
fn another_crate_gets_the_whole_command_line_for_its_models() {
    let listed = with_console(&catalog(), &["list", "models"], "", |_| {});
    assert!(listed.stdout.contains("a model that says nothing"), "{}", listed.stdout);
    let explained = with_console(&catalog(), &["show", "-", "--effective"], FILE, |_| {});
    assert!(explained.stdout.contains("Silent(size: 3)"), "{}", explained.stdout);
    assert_eq!(with_console(&catalog(), &["run", "-"], TOY, |_| {}).exit, Exit::Good);
}

#[test]
fn what_nobody_judged_is_neither_good_nor_bad_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let ran = |words: &[&str]| {
        let ran = with_console(&catalog(), words, FILE, |_| {});
        assert_eq!(ran.exit, Exit::Good, "{words:?}: {}", ran.stderr);
        ran.stdout
    };
    assert!(ran(&["run", "-"]).contains("\n  FINDING  not judged\n"));
    assert!(ran(&["run", "-", "--color", "always"]).contains("\n  \u{1b}[1mFINDING\u{1b}[0m  not judged\n"));
    let json: serde_json::Value = serde_json::from_str(&ran(&["run", "-", "--format", "json"])).unwrap();
    assert_eq!(
        (&json["verdict"]["kind"], &json["verdict"]["headline"]),
        (&"finding".into(), &"not judged".into())
    );
    ran(&["run", "-", "--out", out]);
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains(r#"<div class="verdict plain"><p class="word">finding</p>"#), "{page:.3000}");
    for format in ["text", "markdown"] {
        let compared = ran(&["compare", "-", "--format", format]).to_lowercase();
        assert!(compared.contains("small") && !compared.contains("steady"), "{compared}");
    }
}
