//! Each step of the tour runs, and what it says to look at stands on the page.

use super::{brownout, with_input};
use sim_cli::Exit;

#[test]
fn every_step_shows_what_it_says() {
    let overview = brownout(&["tour"]);
    assert_eq!((overview.exit, overview.stderr.as_str()), (Exit::Good, ""));
    let steps = overview.stdout.matches("brownout tour ").count();
    assert_eq!(steps, 7, "{}", overview.stdout);
    for step in 1..=steps {
        let ran = brownout(&["tour", &step.to_string(), "--quiet"]);
        assert_eq!(ran.exit, Exit::Good, "{step}: {}", ran.stderr);
        let (page, look) = ran.stdout.rsplit_once("Look at\n").expect("what to look at");
        let command = page.lines().find_map(|line| line.strip_prefix("$ brownout ")).expect("its command");
        let page: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let quotes: Vec<&str> = look.lines().filter_map(|line| line.split('"').nth(1)).collect();
        assert!(!quotes.is_empty(), "{step}");
        for quote in quotes {
            assert!(page.contains(quote), "step {step}, `{command}`, does not show \"{quote}\":\n{page}");
        }
        let alone = brownout(&command.split(' ').chain(["--quiet"]).collect::<Vec<_>>());
        assert!(ran.stdout.contains(&alone.stdout), "step {step} is not what `{command}` prints");
    }
    assert_eq!(brownout(&["tour", "8"]).exit, Exit::Usage);
}

#[test]
fn a_guess_is_held_against_the_run() {
    let guessed = with_input(&["run", "retry-storm", "--predict"], "yes\n80\n100\n");
    assert_eq!(guessed.exit, Exit::Good, "{}", guessed.stderr);
    assert!(guessed.stderr.contains("back to normal"), "{}", guessed.stderr);
    let (_, told) = guessed.stdout.split_once("you were asked").expect("the guesses at the end");
    for word in ["wrong", "80 too many", "100 too many", "why", "never, by the fluid law"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let right = with_input(&["run", "retry-storm", "--predict"], "no\n1\n0\n").stdout;
    assert_eq!(right.matches("right").count(), 3, "{right}");
    // Nobody answers: the question, and then what it was.
    let mute = with_input(&["run", "retry-storm", "--predict"], "");
    assert!(mute.exit == Exit::Good && mute.stdout.contains("you were asked"), "{}", mute.stderr);
    let bad = with_input(&["run", "retry-storm", "--predict"], "perhaps\n");
    assert!(
        bad.exit == Exit::Usage && bad.stderr.contains("`perhaps` is neither yes nor no"),
        "{}",
        bad.stderr
    );
    assert_eq!(with_input(&["run", "-", "--predict"], "").exit, Exit::Usage);
}
