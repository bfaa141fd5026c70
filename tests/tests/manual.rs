//! Every command that the pages show can be typed as it stands, and every recipe of the cookbook gives the answer that it tells.

use brownout_tests::ask::{Ran, ask};
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are written. The page of mechanisms has a test that does what it says, and that of policies is made of commands.
const PAGES: [&str; 7] = [
    "README.md",
    "docs/assumptions.md",
    "docs/cookbook.md",
    "docs/cures.md",
    "docs/files.md",
    "docs/reference.md",
    "docs/speed.md",
];

/// What a page shows and nobody should do here: who would answer is another machine, the files are the reader's own, or what stands there is no
/// command.
const NOT_HERE: [&str; 5] =
    ["sweep submit", "sweep merge plan.runs", "compare ./one.ron", "snapshot 1:", "is a deterministic"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the project's root")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// The words of a line, as a shell would have them: quotes keep them together, and what follows `#`, `>` or `|` is not ours.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut within) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, within) = (Some(c), true),
            (None, ' ') => {
                if within || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                within = false;
            }
            (None, '#' | '>' | '|') if word.is_empty() => return words,
            _ => word.push(c),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    if within || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Every `brownout ..` of a page, in a block or between two backticks, but for those in which something stands for something else.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
            continue;
        }
        if is_block {
            found.extend(line.trim_start_matches("- run: ").strip_prefix("brownout ").map(String::from));
        } else {
            let code = line.split('`').skip(1).step_by(2);
            found.extend(code.filter_map(|code| code.strip_prefix("brownout ")).map(String::from));
        }
    }
    let stands_for = |word: &String| {
        word == ".." || word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    found.retain(|line| {
        let words = words(line);
        let whole = words.len() > 1 || words.first().is_some_and(|it| it == "list" || it.starts_with("--"));
        whole && !words.iter().any(stands_for) && !NOT_HERE.iter().any(|not| line.starts_with(not))
    });
    found
}

/// A folder in which all of them can be typed: experiments of one's own, and the project's.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder of the project").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            _ = fs::copy(entry.path(), to).expect("a file")
        }
    }
}

#[test]
fn every_command_of_the_pages_can_be_typed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    copy(&root().join("docs/cookbook"), &here.join("docs/cookbook"));
    copy(&root().join("experiments"), &here.join("experiments"));
    fs::create_dir_all(here.join("ours/golden")).expect("a folder");
    fs::copy(root().join("docs/cookbook/pool-size.ron"), here.join("ours/pool-size.ron")).expect("a file");
    std::env::set_current_dir(here).expect("it is there");
    let mut typed = Vec::new();
    for name in PAGES {
        for command in commands(&page(name)) {
            if typed.contains(&command) {
                continue;
            }
            // Whether it begins is what is asked; where it ends, others ask.
            // A `>` between quotes is a condition.
            let goes = command.split_once(" > ").filter(|(before, _)| before.matches('\'').count() % 2 == 0);
            let (typed_line, into) = goes.unwrap_or((&command, ""));
            let mut line = words(typed_line);
            line.extend(["--max-wall", "300ms", "--jobs", "1"].map(String::from));
            let Ran { code, stdout, stderr, .. } = ask(line, &[], |_| {});
            // 4 is an answer of two of them: not as it should be, and not the same.
            let answers_4 = ["check ", "diff "].iter().any(|it| command.starts_with(it));
            let may = [0, 5].contains(&code) || code == 4 && answers_4;
            assert!(may, "{name}: `brownout {command}` ends with {code}\n{stderr}{stdout}");
            if let Some(file) = words(into).first() {
                fs::write(here.join(file), stdout).expect("the folder can be written");
            }
            typed.push(command);
        }
    }
    assert!(typed.len() > 30, "commands are found: {typed:?}");
}

#[test]
fn a_line_is_split_as_a_shell_splits_it() {
    for (line, expected) in [
        ("run a --set 'p=Ratio(0.1)'  # why", vec!["run", "a", "--set", "p=Ratio(0.1)"]),
        ("run a --format openmetrics > metrics.om", vec!["run", "a", "--format", "openmetrics"]),
        ("find a --until 'p99 > 300ms' | head", vec!["find", "a", "--until", "p99 > 300ms"]),
    ] {
        assert_eq!(words(line), expected);
    }
    assert_eq!(
        commands("`brownout list` and `brownout run NAME`, `brownout run`, `brownout sweep .. --out x`"),
        ["list"]
    );
    assert_eq!(commands("```\nbrownout run a\nother b\n```\n"), ["run a"]);
}

/// The names of the recipes, in order.
fn recipes() -> Vec<String> {
    let folder = fs::read_dir(root().join("docs/cookbook")).expect("the folder of the recipes");
    let mut names: Vec<String> =
        folder.map(|it| it.expect("an entry").file_name().into_string().expect("a plain name")).collect();
    names.sort();
    names
}

#[test]
fn every_recipe_stands_in_the_cookbook_as_it_is() {
    let cookbook = page("docs/cookbook.md");
    for name in recipes() {
        let file = page(&format!("docs/cookbook/{name}"));
        let shown = cookbook.split("```ron\n").find(|block| block.starts_with(file.as_str()));
        assert!(shown.is_some(), "docs/cookbook.md does not show docs/cookbook/{name} as it is");
        assert!(cookbook.contains(&format!("(cookbook/{name})")), "nor where it is");
        assert!(file.contains("\n    expect: ["), "what {name} answers is held by nothing");
        let stem = name.trim_end_matches(".ron");
        assert!(
            cookbook.contains(&format!("brownout compare docs/cookbook/{stem}.ron")),
            "how to run {name}"
        );
    }
    assert_eq!(cookbook.matches("```ron\n").count(), recipes().len(), "a recipe that is no file");
}

#[test]
fn every_recipe_gives_the_answer_that_it_tells() {
    let folder = root().join("docs/cookbook");
    let ran = ask(["check", "--dir", folder.to_str().expect("a plain name")], &[], |_| {});
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let told = format!("{0} checked, {0} good, 0 not", recipes().len());
    assert!(ran.stdout.contains(&told), "{}", ran.stdout);
}
