use crate::with_console;
use sim_cli::Exit;
use sim_models::experiment::RunSpec;
use sim_models::run::{Observer, RunOptions, RunOutput};
use sim_models::{Catalog, Entry, Scenario};

sim_models::spec! {
    /// A model of somebody else, with a bug.
    pub struct Buggy {
        /// Unused.
        size: u32 = 1,
    }
}

impl Scenario for Buggy {
    fn run(&self, _: &RunSpec, _: &RunOptions, _: Observer) -> RunOutput {
        panic!("two calls ended {} times", self.size)
    }
}

const FILE: &str = r#"(about: "A bug.", model: Buggy(size: 3), run: (duration: "1s", seed: 9))"#;

fn catalog() -> Catalog {
    let mut catalog = Catalog::bundled();
    catalog.add(Entry::of::<Buggy>("Buggy", "a model with a bug", 1));
    catalog
}

#[test]
fn a_bug_of_ours_says_how_to_repeat_it() {
    for (command, replay) in [("run", "run"), ("check", "run"), ("verify", "run")] {
        let ran = with_console(&catalog(), &[command, "-", "--max-events", "5"], FILE, |_| {});
        assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Bug, ""));
        let again = format!("brownout {replay} - --seed 9 --max-events 5");
        assert!(ran.stderr.contains("two calls ended 3 times"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&again), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}
