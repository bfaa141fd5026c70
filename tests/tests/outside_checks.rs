//! Checks by programs that are not ours: `scripts/outside/*`. A machine with only Rust cannot make them, so
//! this says which were left out; with `BROWNOUT_OUTSIDE=1` it makes those whose tools are installed.
//!
//! It is its own harness, because the standard one hides what a passing test prints.

use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("outside_checks: test");
        return ExitCode::SUCCESS;
    }
    // `cargo test sampler` asks for other tests.
    let mut filters = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
    if filters.peek().is_some() && !filters.any(|filter| "outside_checks".contains(filter.as_str())) {
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if std::env::var_os("BROWNOUT_OUTSIDE").is_none() {
        say_what_is_left_out(&root.join("scripts/outside"));
        return ExitCode::SUCCESS;
    }
    match Command::new(root.join("scripts/outside-checks")).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(cause) => {
            eprintln!("cannot run scripts/outside-checks: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn say_what_is_left_out(folder: &Path) {
    println!("\nLEFT OUT: these checks need programs besides Rust. `scripts/outside-tools` installs them,");
    println!("`BROWNOUT_OUTSIDE=1 cargo test --workspace` or `scripts/outside-checks` makes them:");
    let files = std::fs::read_dir(folder).expect("scripts/outside is in the repository");
    let mut paths: Vec<_> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_none());
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let text = std::fs::read_to_string(&path).expect("a check is a text");
        let purpose = text.lines().nth(1).unwrap_or_default().trim_start_matches('#').trim();
        println!("  {name:<20} {purpose}");
    }
    println!();
}
