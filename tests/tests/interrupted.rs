//! A run that is asked to end does so soon, however long its windows are, and what it then says is true.

use sim_cli::{Console, Exit};
use sim_core::Limits;
use sim_models::experiment::Experiment;
use sim_models::report::Report;
use sim_models::run::RunOptions;
use sim_models::{Catalog, simulate};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

/// One window, in which hundreds of millions of events would happen.
const HUGE: &str = r#"(
    about: "One window without an end.",
    model: ServiceGraph(
        workload: [(to: "a", arrivals: Poisson("100000/s"), policy: "p")],
        services: {
            "a": (workers: Async(1000), work: "1ms", calls: [(to: "b", policy: "p")]),
            "b": (workers: Blocking(64), work: Exponential(mean: "1ms")),
        },
        policies: {"p": (timeout: "1s", retry: Fixed(attempts: 3))},
    ),
    run: (duration: "3000s", window: "3000s"),
    variants: {"two": {"services.a.replicas": 2}},
    expect: [(metric: "success", at_least: 0.1)],
)"#;

/// In a build for tests, beside others on the same processors; its window would take minutes. A release build takes a hundredth.
const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn what_was_reached_within_a_window_is_what_a_limit_there_gives() {
    let catalog = Catalog::bundled();
    let (experiment, _) = Experiment::parse("huge.ron", HUGE, &[], &catalog).unwrap();
    let resolved = experiment.with(None, &[]).unwrap();
    let mut asked = 0;
    let interrupted = simulate(&resolved, &RunOptions::seeded(7), &mut |progress| {
        asked += 1;
        assert!(progress.now < progress.end && progress.events < 100_000, "{progress:?}");
        if asked < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let mut interrupted = interrupted.report;
    assert_eq!(asked, 3);
    let limits = Limits { events: interrupted.run.events, ..Limits::default() };
    let options = RunOptions { limits, ..RunOptions::seeded(7) };
    let limited = simulate(&resolved, &options, &mut |_| ControlFlow::Continue(())).report;
    assert!(interrupted.stopped.as_ref().is_some_and(|why| why.starts_with("interrupted at ")));
    assert!(interrupted.edges.get("users->a").unwrap().calls.started > 1_000);
    // They differ in nothing but the reason.
    interrupted.stopped.clone_from(&limited.stopped);
    interrupted.digest.s.clone_from(&limited.digest.s);
    assert_eq!(interrupted, limited);
}

/// Commands, and whether there is something to show of what was reached.
const COMMANDS: [(&str, bool); 11] = [
    ("run -", true),
    ("run - --replications 3", false),
    ("trace -", true),
    ("histogram -", true),
    ("check -", false),
    ("verify -", false),
    ("compare - --set policies.p.timeout=2s", true),
    ("find - --set services.a.replicas=1..9", false),
    ("recommend - --maximize goodput --set services.a.replicas=1..9", false),
    ("sweep - --set services.a.replicas=1,2", true),
    ("sweep - --set services.a.replicas=1,2 --out DIR", true),
];

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes to end is what is tested")]
fn every_command_ends_when_it_is_told_to() {
    for ((command, shows), signal) in
        COMMANDS.into_iter().zip([Exit::Interrupted, Exit::Terminated].into_iter().cycle())
    {
        let folder = tempfile::tempdir().unwrap();
        let words = format!("brownout {command}").replace("DIR", folder.path().to_str().unwrap());
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        let (mut stdin, mut stdout, mut stderr) = (HUGE.as_bytes(), Vec::new(), Vec::new());
        let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
        let interrupt = console.interrupt.clone();
        let (exit, took) = thread::scope(|scope| {
            let teller = scope.spawn(move || {
                thread::sleep(Duration::from_millis(300));
                interrupt.raise(signal);
                Instant::now()
            });
            let exit = sim_cli::run_with(&Catalog::bundled(), words, console);
            (exit, Instant::now().saturating_duration_since(teller.join().unwrap()))
        });
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(exit, signal, "{command}: {stderr}");
        assert!(took < AT_ONCE, "{command} ended {took:?} after it was told to");
        assert_eq!(!stdout.is_empty(), shows, "{command}: {stderr}");
        let said = format!("{}{stderr}", String::from_utf8_lossy(&stdout)).to_lowercase();
        assert!(
            ["interrupted", "terminated", "stopped"].iter().any(|word| said.contains(word)),
            "{command}: {said}"
        );
    }
}

/// A hundred thousand windows: every file is long.
const LONG: &str = r#"(
    about: "Much to write.",
    model: ServiceGraph(
        workload: [(to: "a", arrivals: Poisson("1/s"))],
        services: {"a": (workers: Blocking(1), work: "1ms")},
    ),
    run: (duration: "100000s", window: "1s"),
)"#;

/// Told while it runs, or while it writes: what is there is whole, and what is not there is named.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes to end is what is tested")]
fn a_folder_holds_whole_files_and_only_of_this_run() {
    for after in [0, 30, 150, 500, 1500] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let run = |stdin: &str, after: Option<u64>| {
            let words = ["brownout", "run", "-", "--out", out.to_str().unwrap()].map(OsString::from);
            let (mut stdin, mut stdout, mut stderr) = (stdin.as_bytes(), Vec::new(), Vec::new());
            let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
            let interrupt = console.interrupt.clone();
            let (exit, told) = thread::scope(|scope| {
                let teller = after.map(|after| {
                    scope.spawn(move || {
                        thread::sleep(Duration::from_millis(after));
                        interrupt.raise(Exit::Terminated);
                        Instant::now()
                    })
                });
                (sim_cli::run_with(&Catalog::bundled(), words, console), teller.map(|told| told.join()))
            });
            let took = told.map(|told| Instant::now().saturating_duration_since(told.unwrap()));
            assert!(took.is_none_or(|took| took < AT_ONCE), "told after {after:?} ms, ended {took:?} later");
            (exit, String::from_utf8(stderr).unwrap())
        };
        let short = LONG.replace("100000s", "100s");
        assert_eq!(run(&short, None).0, Exit::Good);
        let (exit, stderr) = run(LONG, Some(after));
        assert_eq!(exit, Exit::Terminated, "{after} ms: {stderr}");
        let cut = stderr.contains("interrupted at");
        let mut missing = 0;
        for name in [
            "report.html",
            "report.json",
            "report.txt",
            "windows.csv",
            "tidy.csv",
            "edges.csv",
            "services.csv",
            "latency.csv",
            "metrics.om",
        ] {
            match std::fs::read_to_string(out.join(name)) {
                Ok(text) => {
                    let whole = match name.rsplit_once('.') {
                        Some((_, "html")) => text.ends_with("</html>\n"),
                        Some((_, "json")) => text.ends_with("}\n"),
                        Some((_, "om")) => text.ends_with("# EOF\n"),
                        _ => text.ends_with('\n'),
                    };
                    assert!(whole, "{after} ms: {name} is cut");
                    // The run before was not cut short.
                    let of_part = text.contains("interrupted at") || text.contains("incomplete\n");
                    assert!(of_part || !cut, "{after} ms: {name} is old");
                }
                Err(_) => {
                    assert!(stderr.contains(name), "{after} ms: {name} is not there: {stderr}");
                    missing += 1;
                }
            }
        }
        assert!(missing > 0 || cut, "{after} ms: {stderr}");
    }
}

#[test]
fn a_report_of_a_part_says_so_itself() {
    let words = ["brownout", "run", "-", "--format", "json", "--max-events", "20000"].map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (HUGE.as_bytes(), Vec::new(), Vec::new());
    let console = Console::captured(&mut stdin, &mut stdout, &mut stderr);
    assert_eq!(sim_cli::run_with(&Catalog::bundled(), words, console), Exit::Limit);
    let report = Report::from_json(&String::from_utf8(stdout).unwrap()).unwrap();
    assert_eq!(report.run.events, 20_000);
    assert!(report.stopped.is_some());
}
