//! `brownout completions SHELL`: a script that knows commands and options, and asks the program for the names that only it knows.

use crate::app::App;
use crate::error::{Exit, Result};
use crate::experiment::BASE;
use clap::{Arg, Args as ClapArgs, Command};
use clap_complete::Shell;

/// `brownout completions`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout completions bash > ~/.local/share/bash-completion/completions/brownout
  brownout completions zsh > ~/.zfunc/_brownout      # a folder of fpath
  brownout completions fish > ~/.config/fish/completions/brownout.fish

In bash, zsh and fish names of experiments, of their variants and of mechanisms are completed as well: the script
asks the program for them, those of --dir included.")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", required_unless_present = "names")]
    pub shell: Option<Shell>,
    /// The names that may come after these words, one a line: what the scripts ask
    #[arg(last = true, hide = true, allow_hyphen_values = true, value_name = "WORD")]
    pub names: Vec<String>,
}

pub(super) fn command(args: &Completions, app: &mut App) -> Result<Exit> {
    let document = match args.shell {
        Some(shell) => script(shell, &app.program),
        None => names(&args.names, app).iter().map(|name| format!("{name}\n")).collect(),
    };
    app.console.document(&document)?;
    Ok(Exit::Good)
}

/// What clap writes, and how names are asked for.
fn script(shell: Shell, program: &str) -> String {
    let mut script = Vec::new();
    let mut line = super::command_line();
    clap_complete::generate(shell, &mut line, program, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let own = |text: &str| text.replace("PROGRAM", program).replace("IDENT", &program.replace('-', "__"));
    match shell {
        Shell::Bash => script + &own(BASH),
        Shell::Zsh => {
            let lines = script.lines().map(|line| zsh_line(line, program) + "\n").collect::<String>();
            let end = format!("\nif [ \"$funcstack[1]\" = \"_{program}\" ]");
            lines.replacen(&end, &(own(ZSH) + &end), 1)
        }
        Shell::Fish => {
            let takers: Vec<&str> =
                line.get_subcommands().filter(|one| takes_names(one)).map(Command::get_name).collect();
            let seen =
                |command: &str| format!("complete -c PROGRAM -n \"__fish_seen_subcommand_from {command}\"");
            let mut own_lines = format!("{} -f -a \"{FISH}\"\n", seen(&takers.join(" ")));
            for one in line.get_subcommands() {
                let options = one.get_arguments().filter_map(|arg| kind_of(arg).and(arg.get_long()));
                for long in options {
                    own_lines += &format!("{} -l {long} -x -a \"{FISH}\"\n", seen(one.get_name()));
                }
            }
            script + &own(&own_lines)
        }
        _ => script,
    }
}

const BASH: &str = r#"
# Experiments, variants and mechanisms: only the program knows their names.
_IDENT_names() {
    local cur="${COMP_WORDS[COMP_CWORD]}" names
    [[ $cur == = ]] && cur=""
    _IDENT "$@"
    [[ $cur == -* ]] && return 0
    names="$("$1" completions -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)"
    [[ -z $names ]] && return 0
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$names" -- "$cur"))
}
complete -F _IDENT_names -o bashdefault -o default PROGRAM
"#;

const ZSH: &str = r#"
# Experiments, variants and mechanisms: only the program knows their names.
_PROGRAM_names() {
    local -a names
    names=(${(f)"$(PROGRAM completions -- ${words[1,CURRENT-1]} 2>/dev/null)"})
    compadd -a names
    _files -g '*.ron'
}
"#;

const FISH: &str = "(PROGRAM completions -- (commandline -opc)[2..-1] 2>/dev/null)";

/// A line of clap's script for zsh, in which what takes a name asks for it.
fn zsh_line(line: &str, program: &str) -> String {
    let argument = line.trim_start_matches(['\'', '*', ':']);
    let asks = ["name -- ", "names -- ", "--variant=", "--mechanism="];
    match line.strip_suffix(":_default' \\") {
        Some(rest) if asks.iter().any(|ask| argument.starts_with(ask)) || rest.ends_with(":MECHANISM") => {
            format!("{rest}:_{program}_names' \\")
        }
        _ => line.into(),
    }
}

/// What names can stand somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Experiments,
    Variants,
    Mechanisms,
}

fn kind_of(arg: &Arg) -> Option<Kind> {
    match arg.get_id().as_str() {
        "variant" => Some(Kind::Variants),
        "mechanism" => Some(Kind::Mechanisms),
        "with" if value_name(arg) == Some("MECHANISM") => Some(Kind::Mechanisms),
        _ if arg.is_positional() && value_name(arg) == Some("EXPERIMENT") => Some(Kind::Experiments),
        _ => None,
    }
}

fn value_name(arg: &Arg) -> Option<&str> {
    arg.get_value_names().and_then(|names| names.first()).map(|name| name.as_str())
}

fn takes_names(command: &Command) -> bool {
    command.get_positionals().any(|arg| kind_of(arg).is_some())
}

/// The names that may come next; none where it is no name that comes.
fn names(words: &[String], app: &mut App) -> Vec<String> {
    let dir = words.iter().position(|word| word == "--dir").and_then(|at| words.get(at + 1));
    app.global.dir = dir.map(Into::into).or(app.global.dir.take());
    let app = &*app;
    let own = app.own().unwrap_or_default();
    let experiments = || own.iter().map(|own| own.name.clone()).chain(app.bundled().map(|it| it.name.into()));
    match next(&super::command_line(), words) {
        Some(Kind::Experiments) => experiments().collect(),
        Some(Kind::Mechanisms) => app.catalog.mechanisms().map(|it| it.page.name.into()).collect(),
        Some(Kind::Variants) => {
            let named = words.iter().skip(1).find_map(|word| app.known(word));
            let understood = named.and_then(|found| app.understand(&found, &[]).ok());
            let variants = understood
                .map(|(experiment, _)| experiment.variant_names().map(String::from).collect::<Vec<_>>());
            variants.into_iter().flatten().chain([BASE.to_string()]).collect()
        }
        None => Vec::new(),
    }
}

/// What kind of name comes after these words of a command line.
fn next(line: &Command, words: &[String]) -> Option<Kind> {
    let (at, command) =
        words.iter().enumerate().find_map(|(at, word)| Some((at, line.find_subcommand(word)?)))?;
    let option = |word: &str| {
        let long = word.strip_prefix("--")?.split('=').next()?;
        command.get_arguments().chain(line.get_arguments()).find(|arg| arg.get_long() == Some(long))
    };
    let (mut positional, mut awaits) = (0, None);
    for word in &words[at + 1..] {
        match awaits.take() {
            // What bash makes of `--variant=x`.
            Some(arg) if word == "=" => awaits = Some(arg),
            Some(_) => {}
            None if word.starts_with('-') && word.len() > 1 => {
                awaits = option(word).filter(|arg| arg.get_action().takes_values() && !word.contains('='));
            }
            None => positional += 1,
        }
    }
    if let Some(arg) = awaits {
        return kind_of(arg);
    }
    let mut all = command.get_positionals();
    let last = command.get_positionals().last()?;
    let many = last.get_num_args().is_some_and(|range| range.max_values() > 1)
        || matches!(last.get_action(), clap::ArgAction::Append);
    kind_of(all.nth(positional).or(many.then_some(last))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_is_known_by_what_stands_before() {
        let line = crate::command::command_line();
        let next = |words: &str| next(&line, &words.split_whitespace().map(String::from).collect::<Vec<_>>());
        for (words, expected) in [
            ("", None),
            ("run", Some(Kind::Experiments)),
            ("--quiet run", Some(Kind::Experiments)),
            ("run --seed", None),
            ("run --seed 7", Some(Kind::Experiments)),
            ("run --seed=7", Some(Kind::Experiments)),
            ("run retry-storm", None),
            ("run retry-storm --variant", Some(Kind::Variants)),
            ("run retry-storm --variant =", Some(Kind::Variants)),
            ("run retry-storm --variant budgeted", None),
            ("compare retry-storm --variant base --variant", Some(Kind::Variants)),
            ("check a b", Some(Kind::Experiments)),
            ("validate a", Some(Kind::Experiments)),
            ("explain --mechanism", Some(Kind::Mechanisms)),
            ("list", None),
            ("list metrics", Some(Kind::Experiments)),
            ("new", None),
            ("completions", None),
        ] {
            assert_eq!(next(words), expected, "{words}");
        }
    }
}
