use crate::brownout;
use insta::assert_snapshot;
use sim_cli::Exit;

#[test]
fn help_teaches_every_command() {
    for command in sim_cli::command_line().get_subcommands() {
        let name = command.get_name();
        let ran = brownout(&[name, "--help"]);
        assert_eq!(ran.exit, Exit::Good);
        assert_eq!(ran.stderr, "");
        assert_snapshot!(format!("help_{name}"), ran.stdout);
        if name != "man" {
            assert!(ran.stdout.contains("\n  brownout "), "{name}: no example");
        }
    }
}

#[test]
fn the_first_help_says_how_to_start_and_what_exit_codes_mean() {
    let ran = brownout(&["--help"]);
    assert_eq!(ran.exit, Exit::Good);
    assert_snapshot!("help", ran.stdout);
}

#[test]
fn without_arguments_it_explains_itself_and_is_a_usage_error() {
    let ran = brownout(&[]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Exit::Usage, ""));
    assert!(ran.stderr.contains("brownout run retry-storm"), "{}", ran.stderr);
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let manual = brownout(&["man"]).stdout;
    let bash = brownout(&["completions", "bash"]).stdout;
    for command in sim_cli::command_line().get_subcommands() {
        let name = command.get_name();
        assert!(manual.contains(&format!(".SH \"BROWNOUT {}\"", name.to_uppercase())), "man: {name}");
        assert!(bash.contains(name), "completions: {name}");
    }
    for code in ["0  good", "4  an expectation", "130  interrupted"] {
        assert!(manual.contains(code), "the manual does not say: {code}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert_eq!(brownout(&["completions", shell]).exit, Exit::Good);
    }
}

#[test]
fn what_can_be_written_is_listed_from_the_types_themselves() {
    for (what, expected) in
        [("distributions", "LogNormal"), ("policies", "Exponential"), ("models", "ServiceGraph")]
    {
        let ran = brownout(&["list", what]);
        assert_eq!(ran.exit, Exit::Good, "{}", ran.stderr);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
        let json = brownout(&["list", what, "--format", "json"]).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["format"], 1);
    }
}
