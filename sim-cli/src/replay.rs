//! The command line that does something again, quoted for a shell.

use crate::args::{Bounds, EngineName};
use crate::text::escape;
use sim_models::report::{Report, VerdictKind};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One run: which experiment, set up how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// What the program is called.
    pub program: String,
    /// `--dir`
    pub dir: Option<PathBuf>,
    /// What names the experiment.
    pub experiment: String,
    /// `--variant`
    pub variant: Option<String>,
    /// `--set`
    pub set: Vec<(String, String)>,
    /// `--seed`
    pub seed: u64,
    /// `--max-memory`, in bytes
    pub max_memory: Option<u64>,
}

impl Replay {
    /// `brownout <command> <experiment> ..`: the whole line, by the name of the program.
    pub fn line(&self, command: &str) -> String {
        let mut line = format!("{} {command} {}", self.program, quote(&self.experiment));
        let mut option = |name: &str, value: &str| {
            line.push_str(&format!(" {name} {}", quote(value)));
        };
        if let Some(variant) = &self.variant {
            option("--variant", variant);
        }
        for (path, value) in &self.set {
            option("--set", &format!("{path}={value}"));
        }
        option("--seed", &self.seed.to_string());
        if let Some(dir) = &self.dir {
            option("--dir", &dir.to_string_lossy());
        }
        line
    }

    /// The same with the bounds that were not left at their defaults.
    pub fn bounded_line(&self, command: &str, bounds: &Bounds) -> String {
        let (defaults, mut line) = (Bounds::default(), self.line(command));
        if bounds.engine == EngineName::Reference {
            line.push_str(" --engine reference");
        }
        if bounds.max_events != defaults.max_events {
            line.push_str(&format!(" --max-events {}", bounds.max_events));
        }
        if bounds.max_in_flight != defaults.max_in_flight {
            line.push_str(&format!(" --max-in-flight {}", bounds.max_in_flight));
        }
        if let Some(bytes) = self.max_memory {
            line.push_str(&format!(" --max-memory {}MiB", bytes >> 20));
        }
        line
    }
}

/// The name of the project, and of its own program.
pub const PROJECT: &str = "brownout";

/// What it can be told to do: a hint that names one of these is a command.
const COMMANDS: [&str; 21] = [
    "run",
    "compare",
    "sweep",
    "find",
    "recommend",
    "histogram",
    "explore",
    "shrink",
    "trace",
    "diagram",
    "explain",
    "show",
    "list",
    "tour",
    "new",
    "validate",
    "check",
    "verify",
    "diff",
    "completions",
    "man",
];

/// What the program is called: the first of these words, without where it is.
pub fn program(words: &[OsString]) -> String {
    let stem = words.first().and_then(|word| Path::new(word).file_stem());
    let name = stem.map(|stem| quote(&stem.to_string_lossy()));
    name.filter(|name| name != "''").unwrap_or_else(|| PROJECT.into())
}

/// A hint that names commands of our own program, for one that is called otherwise: `brownout list` is `mysim list`.
pub fn by_name(hint: &str, program: &str) -> String {
    if program == PROJECT {
        return hint.into();
    }
    COMMANDS.iter().fold(hint.into(), |hint: String, command| {
        hint.replace(&format!("{PROJECT} {command}"), &format!("{program} {command}"))
    })
}

/// The words of a command line as one would type them.
pub fn typed(words: &[OsString]) -> String {
    let words = words.iter().enumerate().map(|(index, word)| match index {
        0 => program(words),
        _ => quote(&word.to_string_lossy()),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What of a typed line decides the result: without where it goes, in which form, and how fast.
pub fn result_of(typed: &str) -> String {
    let aside = |word: &str, name: &str| {
        word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
    };
    let (mut kept, mut quoted, mut skip) = (Vec::new(), false, false);
    let words = typed.split_inclusive(|c| {
        quoted ^= c == '\'';
        c == ' ' && !quoted
    });
    for word in words.map(str::trim_end) {
        if std::mem::take(&mut skip) || matches!(word, "--quiet" | "-q") {
            continue;
        }
        match ["--out", "--format", "--jobs", "--color"].into_iter().find(|name| aside(word, name)) {
            Some(name) => skip = word == name,
            None => kept.push(word),
        }
    }
    kept.join(" ")
}

/// One word for a POSIX shell. What a terminal cannot show is escaped, so that the line is safe to print.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", escape(word).replace('\'', r"'\''"))
    }
}

/// The commands that a reader of this report may want next. `argument` is what named the experiment.
pub fn next_steps(
    report: &Report,
    program: &str,
    argument: &str,
    has_variants: bool,
    has_sweep: bool,
) -> Vec<(String, String)> {
    let name = quote(argument);
    let assignments = report.overrides.iter().map(|(path, value)| quote(&format!("{path}={value}")));
    let set: String = assignments.map(|assignment| format!(" --set {assignment}")).collect();
    let variant =
        report.variant.as_ref().map(|variant| format!(" --variant {}", quote(variant))).unwrap_or_default();
    let bad = matches!(
        report.verdict.kind,
        VerdictKind::Failing
            | VerdictKind::Overloaded
            | VerdictKind::NeverSettles
            | VerdictKind::Degraded
            | VerdictKind::NotRecovered
    );
    let mut next = Vec::new();
    if report.is_open() {
        let line = format!("{program} run {name}{variant}{set} --seed {} --settle", report.run.seed);
        next.push(("run on".into(), line));
    }
    if has_variants {
        let why = if bad && report.variant.is_none() { "cure it" } else { "compare" };
        next.push((why.into(), format!("{program} compare {name}{set}")));
    }
    if has_sweep {
        next.push(("sweep".into(), format!("{program} sweep {name}{variant}{set}")));
    }
    next.push(("why".into(), format!("{program} explain {name}{variant}{set}")));
    next.push(("again".into(), format!("{program} run {name}{variant}{set} --seed {}", report.run.seed)));
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_would_change_them() {
        let words =
            ["/opt/brownout", "run", "retry-storm", "--set", "a.b[0]=\"it's\"", ""].map(OsString::from);
        assert_eq!(typed(&words), r#"brownout run retry-storm --set 'a.b[0]="it'\''s"' ''"#);
    }

    #[test]
    fn a_program_says_its_own_name() {
        let named = |word: &str| program(&[OsString::from(word)]);
        assert_eq!((named("target/release/mysim"), named("mysim.exe")), ("mysim".into(), "mysim".into()));
        assert_eq!((named(""), program(&[])), (PROJECT.into(), PROJECT.into()));
        let hint = "`brownout list metrics` names them; this is a bug in brownout";
        let said = by_name(hint, "mysim");
        assert_eq!(said, "`mysim list metrics` names them; this is a bug in brownout");
    }

    #[test]
    fn every_command_is_known_by_name() {
        let line = crate::command::command_line();
        assert_eq!(line.get_subcommands().map(|one| one.get_name()).collect::<Vec<_>>(), COMMANDS);
    }

    #[test]
    fn where_a_result_goes_is_no_part_of_it() {
        let typed = "brownout compare 'my storm' --out 'a b' --set 'x=\"--out y\"' --jobs=4 --format json --quiet --seed 7";
        assert_eq!(result_of(typed), "brownout compare 'my storm' --set 'x=\"--out y\"' --seed 7");
    }

    #[test]
    fn a_run_is_repeated_with_everything_that_was_said() {
        let replay = Replay {
            program: PROJECT.into(),
            dir: Some("my own".into()),
            experiment: "retry-storm".into(),
            variant: Some("budgeted".into()),
            set: vec![("a.b".into(), "\"5 s\"".into())],
            seed: 7,
            max_memory: Some(512 << 20),
        };
        let bounds = Bounds { engine: EngineName::Reference, max_events: 10, ..Bounds::default() };
        assert_eq!(
            replay.bounded_line("run", &bounds),
            "brownout run retry-storm --variant budgeted --set 'a.b=\"5 s\"' --seed 7 --dir 'my own' \
             --engine reference --max-events 10 --max-memory 512MiB"
        );
    }
}
