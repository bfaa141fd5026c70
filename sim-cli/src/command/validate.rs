//! `brownout validate EXPERIMENT..`: every problem of every file, without running any further than one event.

use crate::app::App;
use crate::args::{Format, assignment, text_or_json};
use crate::error::{Exit, Result};
use crate::expect;
use crate::library::Found;
use crate::text::escape;
use clap::Args as ClapArgs;
use serde_json::{Value, json};
use sim_models::experiment::{Diagnostics, Experiment, Failed, Severity, Sources};

/// `brownout validate`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout validate mine.ron
  brownout validate experiments/*/*.ron
  brownout validate retry-storm --set services.payments.replicas=4
  generate | brownout validate -")]
pub struct Validate {
    /// Experiments: names, paths, or - for standard input
    #[arg(value_name = "EXPERIMENT", required = true)]
    pub names: Vec<String>,
    /// With this value set, in each of them: `--set services.payments.replicas=4`
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
}

pub(super) fn command(args: &Validate, app: &mut App) -> Result<Exit> {
    let (mut worst, mut lines, mut files) = (Exit::Good, String::new(), Vec::new());
    for name in &args.names {
        let found = match app.find(name) {
            Ok(found) => found,
            Err(error) => {
                app.console.error(&error);
                worst = worst.max(error.exit());
                files.push(json!({ "file": name, "valid": false, "error": error.to_string() }));
                continue;
            }
        };
        let mut understood = app.understand(&found, &args.set);
        if let Ok((experiment, _)) = &understood
            && let Some(failed) = unmeasured(&found, experiment, app)?
        {
            understood = Err(failed);
        }
        let (problems, sources) = match &understood {
            Ok((experiment, warnings)) => (warnings, experiment.sources()),
            Err(failed) => (&failed.diagnostics, &failed.sources),
        };
        files.push(json!({
            "file": found.shown,
            "valid": understood.is_ok(),
            "problems": problems.iter().map(|problem| as_json(problem, sources)).collect::<Vec<_>>(),
        }));
        match &understood {
            Ok((experiment, warnings)) => {
                app.warn(warnings, experiment.sources());
                lines += &format!("{}: valid{}\n", escape(&found.shown), about(experiment, warnings));
            }
            Err(failed) => {
                app.console.error(&app.invalid(failed));
                worst = worst.max(Exit::Invalid);
            }
        }
    }
    match args.format {
        // What is wrong has been said; a list of what is right would hide it.
        Format::Text if worst == Exit::Good => app.console.document(&lines)?,
        Format::Json => app.console.document(&format!("{}\n", json!({ "format": 1, "files": files })))?,
        _ => {}
    }
    Ok(worst)
}

/// What is expected of a metric that no run will have.
fn unmeasured(found: &Found, experiment: &Experiment, app: &App) -> Result<Option<Failed>> {
    let opened = app.opened(found.clone(), experiment.clone());
    expect::check_all(app, &opened)
}

fn about(experiment: &Experiment, warnings: &Diagnostics) -> String {
    let counted = |n: usize, what: &str| match n {
        0 => String::new(),
        1 => format!(", 1 {what}"),
        n => format!(", {n} {what}s"),
    };
    counted(experiment.variants().len(), "variant")
        + &counted(experiment.points(), "point")
        + &counted(experiment.expectations().len(), "expectation")
        + &counted(warnings.len(), "warning")
}

fn as_json(problem: &sim_models::experiment::Diagnostic, sources: &Sources) -> Value {
    let place = problem.span().map(|span| (sources.get(span.source), sources.position(span)));
    json!({
        "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
        "source": place.as_ref().and_then(|(source, _)| source.as_ref().map(|source| source.name.clone())),
        "line": place.as_ref().map(|(_, position)| position.line),
        "column": place.as_ref().map(|(_, position)| position.column),
        "path": problem.path,
        "message": problem.message,
        "help": problem.help,
    })
}
