//! What only a process of its own can show: signals, and time, while nothing was begun that is to be ended in order.
#![cfg(unix)]

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(1);

/// The program, waiting for an experiment that never comes.
fn waiting(more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
    command.args(["validate", "-"]).args(more);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn ended(mut child: Child) -> (Option<i32>, String) {
    // Its input stays open until it has ended.
    let input = child.stdin.take();
    let status = child.wait().expect("it can be waited for");
    drop(input);
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    (status.code(), said)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes to end is what is tested")]
fn a_signal_ends_at_once_what_has_not_begun() {
    for (signal, code, words) in [
        ("INT", 130, "error: interrupted before there was a result\n"),
        ("TERM", 143, "error: terminated before there was a result\n"),
        ("HUP", 143, "error: terminated before there was a result\n"),
    ] {
        let child = waiting(&[]);
        // Time to install its handlers.
        std::thread::sleep(Duration::from_millis(500));
        let told = Instant::now();
        let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(kill.expect("there is a kill").success());
        assert_eq!(ended(child), (Some(code), words.into()), "{signal}");
        let took = told.elapsed();
        assert!(took < LONGEST, "{signal} took {took:?}");
    }
}

const TOY: &str = r#"(
    about: "A desk.",
    model: ServiceGraph(
        workload: [(to: "desk", arrivals: Poisson("40/s"))],
        services: {"desk": (workers: Blocking(1), work: Exponential(mean: "20ms"))},
    ),
    run: (duration: "2s", window: "500ms", seed: 3),
)"#;

/// Where it is, what time is called there, in which language, and how wide the terminal is.
#[test]
fn what_surrounds_it_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("toy.ron"), TOY).expect("written");
    let run = |form: &str, more: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brownout"));
        command.args(["run", "toy.ron", "--format", form]).current_dir(folder.path());
        command.env_clear().envs(more.iter().copied());
        let done = command.output().expect("it starts");
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    for form in ["text", "json", "csv", "openmetrics"] {
        let plain = run(form, &[]);
        for (name, value) in [
            ("TZ", "Asia/Kathmandu"),
            ("LANG", "tr_TR.UTF-8"),
            ("LC_ALL", "de_DE.UTF-8"),
            ("HOME", "/nowhere"),
            ("TERM", "dumb"),
            ("NO_COLOR", "1"),
        ] {
            assert!(run(form, &[(name, value)]) == plain, "{name}={value} changes the {form}");
        }
    }
}

#[test]
fn closed_ends_are_no_reason_to_fail() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("toy.ron"), TOY).expect("written");
    for ends in ["2>&-", "<&-", "2>&- <&-"] {
        let line = format!("exec {} run toy.ron {ends}", env!("CARGO_BIN_EXE_brownout"));
        let done = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output();
        let done = done.expect("there is a shell");
        assert_eq!(done.status.code(), Some(0), "{ends}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(!done.stdout.is_empty(), "{ends}");
    }
}

#[test]
fn time_ends_what_has_not_begun() {
    let (code, said) = ended(waiting(&["--max-wall", "300ms"]));
    assert_eq!(code, Some(5));
    assert_eq!(said, "error: the time was up before there was a result (--max-wall)\n");
}
