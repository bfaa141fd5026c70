//! One side of a comparison: a saved run, or one that is made now.

use crate::app::App;
use crate::args::Bounds;
use crate::error::{Error, Exit, Result};
use crate::experiment::Prepared;
use crate::progress::Meter;
use crate::seal;
use crate::simulate::{cut_short, ending, simulate};
use crate::text::{escape, escape_path};
use sim_models::report::Report;
use std::path::{Path, PathBuf};

/// A report, and how to make it again where that is possible.
pub struct Side {
    /// What was measured.
    pub report: Report,
    /// The run, if it can be made again.
    pub prepared: Option<Prepared>,
    /// Why it cannot.
    pub gone: String,
    saved: Option<PathBuf>,
}

impl Side {
    /// What `argument` names: a saved report or its folder, or `EXPERIMENT[:VARIANT][@SEED]`.
    pub fn open(argument: &str, bounds: &Bounds, app: &mut App) -> Result<Side> {
        let path = Path::new(argument);
        if path.join("report.json").is_file() {
            return Side::saved(&path.join("report.json"), app);
        }
        if argument.ends_with(".json") {
            return Side::saved(path, app);
        }
        let (name, variant, seed) = split(argument);
        let opened = app.open(name, variant, &[])?;
        let prepared = app.prepare(&opened, variant, &[], seed)?;
        let meter = Meter::of_run(&app.console, &prepared.name);
        let simulated = simulate(&prepared, bounds, None, &app.console.interrupt, Some(&meter));
        meter.finish(&mut app.console, None);
        let output = simulated?;
        match ending(&output, &app.console.interrupt) {
            Exit::Good => {}
            Exit::Limit => {
                let again = prepared.replay.bounded_line("run", bounds);
                app.console.say(&cut_short(&prepared, &output.report, Exit::Limit, &again));
            }
            stopped => return Err(Error::Stopped(stopped)),
        }
        Ok(Side { report: output.report, prepared: Some(prepared), gone: String::new(), saved: None })
    }

    /// A saved run. It can be made again if today's experiment of that name is still what it was.
    fn saved(path: &Path, app: &mut App) -> Result<Side> {
        let text = seal::read(path, &mut app.console)?;
        let report = Report::from_json(&text)
            .map_err(|why| Error::file("cannot read", path, std::io::Error::other(why)))?;
        let (prepared, gone) = match again(&report, app) {
            Ok(prepared) => (Some(prepared), String::new()),
            Err(why) => (None, format!("{} cannot be run again: {why}", escape_path(path))),
        };
        Ok(Side { report, prepared, gone, saved: Some(path.into()) })
    }

    /// In words.
    pub fn name(&self) -> String {
        let report = &self.report;
        let variant = report.variant.as_ref().map_or(String::new(), |variant| format!(", variant {variant}"));
        let set =
            report.overrides.iter().map(|(path, value)| format!(", {path}={value}")).collect::<String>();
        let run = escape(&format!("{}{variant}{set}, seed {}", report.experiment, report.run.seed));
        self.saved.as_ref().map_or(run.clone(), |path| format!("{}: {run}", escape_path(path)))
    }
}

/// The run that a report came from.
fn again(report: &Report, app: &mut App) -> std::result::Result<Prepared, String> {
    let first_line = |error: Error| error.to_string().lines().next().unwrap_or_default().to_string();
    let opened = app.open(&report.experiment, report.variant.as_deref(), &[]).map_err(first_line)?;
    let variant = report.variant.as_deref();
    app.prepare(&opened, variant, &report.overrides, Some(report.run.seed)).map_err(first_line)
}

/// `NAME[:VARIANT][@SEED]`, read from the right, so that a path may hold either sign.
fn split(argument: &str) -> (&str, Option<&str>, Option<u64>) {
    let seeded = argument.rsplit_once('@').and_then(|(name, seed)| Some((name, seed.parse().ok()?)));
    let (rest, seed) = seeded.map_or((argument, None), |(name, seed)| (name, Some(seed)));
    match rest.rsplit_once(':') {
        Some((name, variant)) if !variant.contains(['/', '\\']) && !Path::new(rest).exists() => {
            (name, Some(variant), seed)
        }
        _ => (rest, None, seed),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_side_is_a_name_a_variant_and_a_seed() {
        assert_eq!(split("storm"), ("storm", None, None));
        assert_eq!(split("storm@7"), ("storm", None, Some(7)));
        assert_eq!(split("storm:cured@7"), ("storm", Some("cured"), Some(7)));
        assert_eq!(split("./a@b/storm.ron:cured"), ("./a@b/storm.ron", Some("cured"), None));
        assert_eq!(split("storm@-1"), ("storm@-1", None, None));
    }
}
