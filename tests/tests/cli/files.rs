use crate::{TOY, brownout};
use sim_cli::{Console, Exit};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use tempfile::tempdir;

fn toy(folder: &Path) -> String {
    let path = folder.join("toy.ron");
    fs::write(&path, TOY).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn the_starter_validates_and_holds_what_it_expects() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("mine.ron");
    let path = file.to_str().unwrap();
    assert_eq!(brownout(&["new", path]).exit, Exit::Good);
    // The commands in it name the file.
    assert_eq!(fs::read_to_string(&file).unwrap(), brownout(&["new"]).stdout.replace("./mine.ron", path));
    let valid = brownout(&["validate", path]).within(folder.path());
    assert_eq!(
        valid.to_string(),
        "exit 0\n--- stdout\nDIR/mine.ron: valid, 2 variants, 4 points, 4 expectations\n--- stderr\n"
    );
    let checked = brownout(&["check", path]);
    assert_eq!(checked.exit, Exit::Good, "{}", checked.stdout);
    // It never replaces a file.
    let again = brownout(&["new", path]);
    assert_eq!(again.exit, Exit::Io);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
}

#[test]
fn a_file_that_is_called_otherwise_is_named() {
    let folder = tempdir().unwrap();
    toy(folder.path());
    let wrong = folder.path().join("tyo.ron");
    let ran = brownout(&["run", wrong.to_str().unwrap()]).within(folder.path());
    assert_eq!(ran.exit, Exit::Io);
    assert_eq!(ran.stderr, "error: cannot read DIR/tyo.ron: no such file; did you mean `DIR/toy.ron`?\n");
}

/// Whatever is wrong and whenever it is found.
#[test]
fn a_command_that_fails_leaves_no_folder() {
    let folder = tempdir().unwrap();
    let toy = toy(folder.path());
    let out = folder.path().join("out");
    for words in [
        &["run", "--set", "nothing=1"][..],
        &["compare", "--metric", "nope", "--replications", "2"],
        &["sweep", "--set", "services.desk.replicas=1,0"],
        &["find", "--set", "services.desk.replicas=1..4", "--until", "nope > 3"],
        &["recommend", "--set", "services.desk.replicas=1..2", "--maximize", "nope"],
        &["trace", "--call", "99999999"],
    ] {
        let words = [&words[..1], &[&toy], &words[1..], &["--out", out.to_str().unwrap()]].concat();
        let ran = brownout(&words);
        assert!(matches!(ran.exit, Exit::Usage | Exit::Invalid), "{words:?}: {}", ran.stderr);
        assert!(!out.exists(), "{words:?} left {}", out.display());
    }
}

#[test]
fn a_baseline_is_not_replaced_by_what_is_compared_with_it() {
    let folder = tempdir().unwrap();
    let (toy, out) = (toy(folder.path()), folder.path().join("out"));
    let out = out.to_str().unwrap();
    let first = brownout(&["compare", &toy, "--replications", "2", "--out", out]);
    assert_eq!(first.exit, Exit::Good, "{}", first.stderr);
    let before = fs::read(folder.path().join("out/comparison.json")).unwrap();
    let second = brownout(&["compare", &toy, "--replications", "2", "--out", out, "--baseline", out]);
    assert_eq!(second.exit, Exit::Usage);
    assert!(second.stderr.contains("--out would replace"), "{}", second.stderr);
    assert_eq!(fs::read(folder.path().join("out/comparison.json")).unwrap(), before);
}

/// A bit that was flipped on the way is told by whoever reads the file again.
#[test]
fn a_flipped_bit_in_a_saved_result_is_told() {
    let folder = tempdir().unwrap();
    let (toy, out) = (toy(folder.path()), folder.path().join("out"));
    for words in [&["run", &toy][..], &["compare", &toy, "--replications", "2"]] {
        let ran = brownout(&[words, &["--out", out.to_str().unwrap()]].concat());
        assert_eq!(ran.exit, Exit::Good, "{}", ran.stderr);
    }
    let damaged = folder.path().join("damaged.json");
    let damaged = damaged.to_str().unwrap();
    for (file, readers) in [
        (
            "report.json",
            &[
                &["diff", damaged, damaged][..],
                &["histogram", damaged],
                &["compare", &toy, "--replications", "1", "--baseline", damaged],
            ][..],
        ),
        ("comparison.json", &[&["compare", &toy, "--replications", "2", "--baseline", damaged]]),
    ] {
        let whole = fs::read(out.join(file)).unwrap();
        fs::write(damaged, &whole).unwrap();
        for words in readers {
            let ran = brownout(words);
            assert_eq!(ran.exit, Exit::Good, "{words:?}: {}", ran.stderr);
        }
        for flip in 0..40 {
            let mut bytes = whole.clone();
            let at = flip * (bytes.len() - 2) / 40;
            bytes[at] ^= 1 << (flip % 8);
            fs::write(damaged, &bytes).unwrap();
            for words in readers {
                let ran = brownout(words);
                assert_eq!(
                    (ran.exit, ran.stdout.as_str()),
                    (Exit::Io, ""),
                    "{words:?}, byte {at}: {}",
                    ran.stderr
                );
            }
        }
    }
    // What was written before there were seals is read, and that is said.
    let text = fs::read_to_string(out.join("report.json")).unwrap();
    fs::write(damaged, text.split(",\"seal\":").next().unwrap().to_owned() + "}").unwrap();
    let ran = brownout(&["histogram", damaged]);
    assert!(ran.exit == Exit::Good && ran.stderr.contains("has no seal"), "{}", ran.stderr);
}

/// Whoever reads a file of a run that was cut short, in whatever form, is told so by the file.
#[test]
fn what_is_partial_says_so_in_every_form() {
    let folder = tempdir().unwrap();
    let toy = toy(folder.path());
    let says = |text: &str| {
        ["incomplete", "Incomplete", "STOPPED", "Stopped early", "\"stopped\":\""]
            .iter()
            .any(|word| text.contains(word))
    };
    for format in ["text", "json", "csv", "tidy-csv", "openmetrics"] {
        let run = |more: &[&str]| brownout(&[&["run", &toy, "--format", format], more].concat());
        let (whole, part) = (run(&[]), run(&["--max-events", "500"]));
        assert_eq!((whole.exit, part.exit), (Exit::Good, Exit::Limit), "{format}");
        assert!(!says(&whole.stdout) && says(&part.stdout), "{format}: {}", part.stdout);
    }
    let out = folder.path().join("out");
    let ran = brownout(&["run", &toy, "--max-events", "500", "--out", out.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Limit);
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != ".brownout" {
            assert!(says(&fs::read_to_string(&path).unwrap()), "{}", path.display());
        }
    }
    for format in ["text", "json", "csv", "hgrm", "hlog"] {
        let words = ["histogram", &toy, "--max-events", "500", "--format", format];
        assert!(says(&brownout(&words).stdout), "{format}");
        if !format.starts_with('h') {
            let overlaid = brownout(&[&words[..], &["--variant", "base", "--variant", "slow"]].concat());
            assert!(says(&overlaid.stdout), "{format}: {}", overlaid.stdout);
        }
    }
    for many in [&["compare"][..], &["run"]] {
        let words = [many, &[&toy, "--replications", "2", "--max-events", "500", "--format", "csv"]].concat();
        let ran = brownout(&words);
        assert!(ran.exit == Exit::Limit && says(&ran.stdout), "{words:?}: {}", ran.stdout);
    }
}

/// Arguments are shown, and do nothing to the terminal.
#[test]
fn what_was_typed_is_not_obeyed() {
    let folder = tempdir().unwrap();
    let toy = toy(folder.path());
    let evil = "p\u{1b}[31m\u{202e}";
    let until = format!("{evil} > 3");
    for words in [
        &["find", &toy, "--set", "services.desk.replicas=1..4", "--until", &until][..],
        &["recommend", &toy, "--set", "services.desk.replicas=1..2", "--maximize", evil],
        &["compare", &toy, "--metric", evil],
        &["run", &toy, "--replications", "2", "--metric", evil],
        &["explain", &toy, "--variant", evil],
        &["explain", evil],
        &["run", &toy, "--set", evil],
        &["histogram", evil],
        &["diff", evil, evil],
        &["list", "metrics", evil],
    ] {
        let ran = brownout(words);
        assert_ne!(ran.exit, Exit::Good, "{words:?}");
        assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{words:?}: {:?}", ran.stderr);
    }
}

#[test]
fn a_program_is_no_experiment() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("program");
    fs::write(&path, b"\x7fELF\x02\x01\x01\0\0\0\0\0\xff\xfe\0\x1b[31m").unwrap();
    let ran = brownout(&["validate", path.to_str().unwrap()]).within(folder.path());
    assert_eq!(
        ran.to_string(),
        "exit 3\n--- stdout\n--- stderr\nerror: this is a binary file, not an experiment\n"
    );
}

#[test]
fn who_types_an_experiment_is_told_how_to_end_it() {
    let typing = |console: &mut Console| console.stdin_terminal = true;
    let ran = crate::with_console(&sim_models::Catalog::bundled(), &["validate", "-"], TOY, typing);
    assert_eq!(ran.exit, Exit::Good);
    assert!(ran.stderr.contains("end it with Ctrl-D"), "{}", ran.stderr);
}

#[test]
fn what_is_no_experiment_file_is_refused_with_its_path() {
    let folder = tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let ran = brownout(&["run", path]).within(folder.path());
    assert_eq!(
        ran.to_string(),
        "exit 1\n--- stdout\n--- stderr\nerror: cannot read DIR: it is a directory, not a regular file\n"
    );
    assert_eq!(brownout(&["run", "."]).exit, Exit::Io);
    let missing = brownout(&["run", &format!("{path}/x.ron")]);
    assert_eq!(missing.exit, Exit::Io);
    let large = folder.path().join("large.ron");
    fs::File::create(&large).unwrap().set_len(9 << 20).unwrap();
    let large = brownout(&["run", large.to_str().unwrap()]);
    assert_eq!(large.exit, Exit::Invalid);
    assert!(large.stderr.contains("8 MiB"), "{}", large.stderr);
    #[cfg(unix)]
    assert!(brownout(&["run", "/dev/zero"]).stderr.contains("it is a device"));
}

#[test]
fn results_are_written_where_nothing_of_others_is() {
    let folder = tempdir().unwrap();
    let file = toy(folder.path());
    let out = folder.path().join("out");
    let run = |out: &Path| brownout(&["run", &file, "--out", out.to_str().unwrap()]);

    assert_eq!(run(&out).exit, Exit::Good);
    let report = fs::read_to_string(out.join("report.json")).unwrap();
    assert_eq!(report, brownout(&["run", &file, "--format", "json"]).stdout);
    for (name, format) in [("windows.csv", "csv"), ("tidy.csv", "tidy-csv"), ("metrics.om", "openmetrics")] {
        let printed = brownout(&["run", &file, "--format", format]).stdout;
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), printed, "{name}");
    }
    assert_eq!(
        fs::read_to_string(out.join("report.txt")).unwrap(),
        brownout(&["run", &file, "--full"]).stdout
    );
    // Its own files are replaced, and nothing is left over.
    assert_eq!(run(&out).exit, Exit::Good);
    let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let reports = ["report.html", "report.json", "report.txt"];
    let tables = ["services.csv", "tidy.csv", "windows.csv"];
    assert_eq!(
        names,
        [&[".brownout", "edges.csv", "latency.csv", "metrics.om"][..], &reports, &tables].concat()
    );

    let theirs = folder.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("report.txt"), "precious").unwrap();
    let refused = run(&theirs);
    assert_eq!((refused.exit, refused.stdout.as_str()), (Exit::Io, ""));
    assert_eq!(fs::read_to_string(theirs.join("report.txt")).unwrap(), "precious");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);

    assert_eq!(run(&folder.path().join("no/parent")).exit, Exit::Io);
    assert_eq!(run(Path::new(&file)).exit, Exit::Io);
}

#[test]
fn a_page_to_show_is_the_same_wherever_and_however_it_is_made() {
    let folder = tempdir().unwrap();
    let file = toy(folder.path());
    for words in
        [&["run"][..], &["compare", "--replications", "2"], &["sweep", "--set", "run.duration=1s,2s"]]
    {
        let page = |name: &str, jobs: &str| {
            let out = folder.path().join(format!("{}-{name}", words[0]));
            let rest = [&file, "--out", out.to_str().unwrap(), "--jobs", jobs];
            let ran = brownout(&[words, &rest].concat());
            assert!(matches!(ran.exit, Exit::Good | Exit::Failed), "{}", ran.stderr);
            fs::read_to_string(out.join("report.html")).unwrap()
        };
        let one = page("one", "1");
        assert!(one == page("two", "2"), "{words:?}");
        assert!(one.contains(&format!("<code>brownout {}", words[0])), "{words:?} says how to make it again");
        assert!(!one.contains("--out"), "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_not_followed() {
    let folder = tempdir().unwrap();
    let file = toy(folder.path());
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(folder.path().join("target"), "precious").unwrap();
    std::os::unix::fs::symlink("../target", out.join("report.json")).unwrap();
    let ran = brownout(&["run", &file, "--out", out.to_str().unwrap()]);
    assert_eq!(ran.exit, Exit::Io);
    assert!(ran.stderr.contains("symbolic link"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("target")).unwrap(), "precious");
}

#[test]
fn experiments_of_a_folder_are_found_by_name() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("queues")).unwrap();
    fs::write(folder.path().join("queues/toy.ron"), TOY).unwrap();
    let dir = folder.path().to_str().unwrap();
    for name in ["toy", "queues/toy"] {
        assert_eq!(brownout(&["run", name, "--dir", dir]).exit, Exit::Good);
    }
    let listed = brownout(&["list", "--dir", dir, "--format", "csv"]);
    assert!(listed.stdout.contains("queues,toy,ServiceGraph,One queue. It is served."), "{}", listed.stdout);
    let near = brownout(&["run", "toi", "--dir", dir]);
    assert!(near.stderr.contains("did you mean `toy`?"), "{}", near.stderr);
    assert_eq!(brownout(&["list", "--dir", "/no/such/folder"]).exit, Exit::Io);
}

#[test]
fn golden_snapshots_are_blessed_compared_and_missed() {
    let folder = tempdir().unwrap();
    toy(folder.path());
    let golden = tempdir().unwrap();
    let (dir, golden_dir) = (folder.path().to_str().unwrap(), golden.path().to_str().unwrap());
    let check = |more: &[&str]| brownout(&[&["check", "--dir", dir], more].concat());

    assert_eq!(check(&[]).exit, Exit::Good, "without a snapshot only expectations count");
    assert_eq!(check(&["--golden", golden_dir]).exit, Exit::Failed, "a golden folder must have one");
    assert_eq!(check(&["--golden", golden_dir, "--bless"]).exit, Exit::Good);
    let path = golden.path().join("toy.snap");
    let blessed = fs::read_to_string(&path).unwrap();
    assert_eq!(check(&["--golden", golden_dir, "--jobs", "3"]).exit, Exit::Good);

    fs::write(&path, blessed.replacen("One queue", "Two queues", 1)).unwrap();
    let differs = check(&["--golden", golden_dir]);
    assert_eq!(differs.exit, Exit::Failed);
    assert!(differs.stdout.contains("- toy · Two queues"), "{}", differs.stdout);
    assert!(differs.stdout.contains("+ toy · One queue"), "{}", differs.stdout);

    fs::write(&path, blessed.replace('\n', "\r\n")).unwrap();
    assert!(check(&["--golden", golden_dir]).stdout.contains("CRLF"));

    fs::write(&path, "my notes").unwrap();
    assert_eq!(check(&["--golden", golden_dir, "--bless"]).exit, Exit::Io, "it is not ours to replace");
    assert_eq!(fs::read_to_string(&path).unwrap(), "my notes");
}

/// Takes nothing.
struct Refuses(ErrorKind);

impl Write for Refuses {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_device_is_told_and_a_closed_pipe_is_not() {
    let run = |words: &[&str], kind| {
        let arguments = std::iter::once("brownout").chain(words.iter().copied()).map(OsString::from);
        let (mut stdin, mut stdout, mut stderr) = (TOY.as_bytes(), Refuses(kind), Vec::new());
        let exit = sim_cli::run(arguments, Console::captured(&mut stdin, &mut stdout, &mut stderr));
        (exit, String::from_utf8(stderr).unwrap())
    };
    for words in [&["run", "-"][..], &["--help"], &["list", "models"], &["man"], &["validate", "-"]] {
        assert_eq!(run(words, ErrorKind::BrokenPipe), (Exit::Good, String::new()), "{words:?}");
        let (exit, said) = run(words, ErrorKind::StorageFull);
        assert_eq!(exit, Exit::Io, "{words:?}");
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
}
