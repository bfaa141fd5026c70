//! The scripts for shells, as far as a shell is there to run them.

use std::process::Command;

const BROWNOUT: &str = env!("CARGO_BIN_EXE_brownout");

fn said(command: &mut Command) -> String {
    let output = command.output().expect("it can be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Whether a shell of this name can be run.
fn there(shell: &str) -> bool {
    Command::new(shell).arg("-c").arg("exit 0").output().is_ok_and(|output| output.status.success())
}

/// Each line that is typed, and what is offered for its last word.
const TYPED: [(&str, &str); 7] = [
    ("ru", "run"),
    ("run retry-st", "retry-storm"),
    ("run retry-storm --variant bud", "budgeted"),
    ("compare retry-storm --variant base --variant two", "two-attempts"),
    ("explain --mechanism out", "outlier"),
    ("list mech", "mechanisms"),
    ("run --see", "--seed"),
];

#[test]
fn bash_knows_names() {
    if !there("bash") {
        return;
    }
    let script = said(Command::new(BROWNOUT).args(["completions", "bash"]));
    for (typed, expected) in TYPED {
        let ask = format!(
            "{script}\nbrownout() {{ '{BROWNOUT}' \"$@\"; }}\nCOMP_WORDS=(brownout {typed})\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))\n\
             _brownout_names brownout \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let offered = said(Command::new("bash").arg("-c").arg(ask));
        assert!(offered.lines().any(|line| line == expected), "{typed}: {offered}");
        let last = typed.split(' ').next_back().expect("a word");
        assert!(offered.lines().all(|line| line.starts_with(last)), "{typed}: {offered}");
    }
}

#[test]
fn fish_knows_names() {
    if !there("fish") {
        return;
    }
    let script = said(Command::new(BROWNOUT).args(["completions", "fish"]));
    for (typed, expected) in TYPED {
        let ask =
            format!("function brownout; '{BROWNOUT}' $argv; end\n{script}\ncomplete -C 'brownout {typed}'");
        let offered = said(Command::new("fish").arg("-c").arg(ask));
        assert!(offered.lines().any(|line| line.split('\t').next() == Some(expected)), "{typed}: {offered}");
    }
}

#[test]
fn zsh_takes_the_script() {
    let script = said(Command::new(BROWNOUT).args(["completions", "zsh"]));
    assert!(script.matches(":_brownout_names'").count() > 10, "{script}");
    if there("zsh") {
        said(Command::new("zsh").arg("-fc").arg(format!("autoload -U compinit; compinit -u\n{script}")));
    }
}
