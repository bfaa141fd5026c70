//! What several commands take: which experiment, on how many seeds, how far, in which form.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args as ClapArgs, ValueEnum};
use sim_core::SimDuration;
use sim_models::experiment::{Path, Span};
use std::path::PathBuf;
use std::time::Duration;

/// What every command understands.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// A folder of your own experiments, found by name before the bundled ones
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Threads to use; all cores unless given. Never changes a result
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Stop after so much time by the clock on the wall, with exit code 5: `30s`. What there is by then is printed and marked;
    /// how far that is depends on the machine, so it is never kept
    #[arg(long, global = true, value_name = "TIME", value_parser = wall)]
    pub max_wall: Option<Duration>,
    /// The memory that calls in flight may take: `512MiB`; most of what the machine has free unless given. A run that has
    /// more in flight is stopped, with exit code 5
    #[arg(long, global = true, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// When to colour: auto means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Only the result and errors: no progress, no notes
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; carries its version
    Json,
    /// For spreadsheets and data frames
    Csv,
}

/// The form of a result that is a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people
    #[default]
    Text,
    /// For a pull request
    Markdown,
    /// For programs; carries its version
    Json,
    /// For spreadsheets and data frames
    Csv,
}

/// For results that are not tables.
pub fn text_or_json() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["text", "json"])
        .map(|name| if name == "json" { Format::Json } else { Format::Text })
}

/// Which experiment, set up how.
#[derive(Clone, Debug, ClapArgs)]
pub struct Subject {
    /// An experiment: a name from `brownout list`, a path (anything with a `/` or ending in `.ron`), or - for
    /// standard input
    #[arg(value_name = "EXPERIMENT")]
    pub name: String,
    /// Set any value of the file, defaulted ones too: `--set services.payments.replicas=4`
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// On how many seeds, and measured from when on.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Replications")]
pub struct Repeats {
    /// How many seeds, counted up from the first; the file's number unless given (`run`: one; `compare`: as many of them as it
    /// takes to decide)
    #[arg(long, value_name = "N", conflicts_with = "precision",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: Option<u32>,
    /// As many seeds as it takes, at least 10, until every metric's 95 % interval is this narrow: `2%` is
    /// a mean known to within 2 % of itself
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub precision: Option<f64>,
    /// The most seeds that --precision may take
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "precision",
          value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub max_replications: u32,
    /// Leave out the beginning, as --set run.warm_up does: `30s`; `auto` finds how much in pilot runs (MSER-5)
    #[arg(long, value_name = "auto|TIME", value_parser = warm_up)]
    pub warm_up: Option<WarmUp>,
}

/// How much of the beginning is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// As much as pilot runs show to be different from the rest.
    Auto,
    /// This much.
    For(SimDuration),
}

/// How long a run may go on until it is decided.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Settle {
    /// Run on until the verdict is decided, each time twice as long, at most so many times the experiment's own
    /// duration: a bare --settle is --settle=16
    #[arg(long, value_name = "TIMES", num_args = 0..=1, require_equals = true, default_missing_value = "16",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub settle: Option<u32>,
}

/// How far a run may go, and on what.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(next_help_heading = "Limits")]
pub struct Bounds {
    /// The event queue to run on: `reference` is slow and simple, and must give the same digests
    #[arg(long, value_enum, default_value = "fast", value_name = "ENGINE")]
    pub engine: EngineName,
    /// Stop after this many events, with exit code 5
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: u64,
    /// Stop when this many calls are in flight at once, with exit code 5
    #[arg(long, value_name = "N", default_value_t = sim_models::run::DEFAULT_MAX_IN_FLIGHT,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub max_in_flight: u64,
}

/// The event queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The timing wheel
    #[default]
    Fast,
    /// The priority-queue crate
    Reference,
}

/// A seed.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

/// A share above 0 and below 1: `2%`, `0.02`.
pub fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent.trim_end(), 100.0));
    let share = number.parse::<f64>().map_err(|_| "expected a share such as 2% or 0.02".to_string())? / scale;
    match share {
        _ if share > 0.0 && share < 1.0 => Ok(share),
        _ if share >= 1.0 && scale == 1.0 => {
            Err(format!("expected a share above 0 and below 1; {text} per cent is written {text}%"))
        }
        _ => Err("expected a share above 0 and below 100 %, such as 2%".into()),
    }
}

/// `auto`, or a time: `30s`.
pub fn warm_up(text: &str) -> Result<WarmUp, String> {
    match text {
        "auto" => Ok(WarmUp::Auto),
        _ => text
            .parse()
            .map(WarmUp::For)
            .map_err(|why| format!("expected `auto` or a time such as 30s: {why}")),
    }
}

/// `path=value`, both sides there.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("expected PATH=VALUE")?;
    let (path, value) = (path.trim(), value.trim());
    match (path.is_empty(), value.is_empty()) {
        (true, _) => Err("expected a path before `=`".into()),
        (_, true) => Err(format!("expected a value after `{path}=`; an empty text is written {path}='\"\"'")),
        _ => Ok((path.into(), value.into())),
    }
}

/// Time by the clock on the wall.
fn wall(text: &str) -> Result<Duration, String> {
    match text.parse::<SimDuration>() {
        Ok(time) if time.is_zero() => Err("must be longer than 0".into()),
        Ok(time) => Ok(Duration::from_nanos(time.as_nanos())),
        Err(error) => Err(error.to_string()),
    }
}

/// An amount of memory.
fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.trim() {
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err("expected a whole number of MiB or GiB, as in 512MiB".into()),
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift)) {
        Some(bytes) if bytes >= 128 << 20 => Ok(bytes),
        Some(_) => Err("128MiB is the least that there is any use for".into()),
        None => Err("more than any machine has".into()),
    }
}

/// Nothing is set twice, by `--set` or by `--seed`: which of the two is meant?
pub fn said_once(matches: &ArgMatches) -> Result<(), String> {
    if let Some((_, inner)) = matches.subcommand() {
        return said_once(inner);
    }
    let set = matches.try_get_many::<(String, String)>("set").ok().flatten().into_iter().flatten();
    let mut said: Vec<(String, String)> = Vec::new();
    if let Ok(Some(seed)) = matches.try_get_one::<u64>("seed") {
        said.push(("run.seed".into(), format!("--seed {seed}")));
    }
    for (path, value) in set {
        // However it is spaced and quoted.
        let same = Path::parse(path, Span::default()).map_or_else(|_| path.clone(), |path| path.to_string());
        let this = format!("--set {path}={value}");
        if let Some((_, other)) = said.iter().find(|(before, _)| *before == same) {
            return Err(format!("{path} is set twice: {other} and {this}"));
        }
        said.push((same, this));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        for (text, expected) in
            [("2%", 0.02), ("0.5 %", 0.005), ("0.02", 0.02), ("50%", 0.5), ("1e-3", 0.001)]
        {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["", "%", "0", "0%", "-1%", "100%", "200%", "1", "2", "abc", "NaN", "inf", "inf%", "2%%"]
        {
            assert!(share(text).is_err(), "{text}");
        }
        assert!(share("2").unwrap_err().contains("2%"));
    }

    #[test]
    fn a_warm_up_is_found_or_given() {
        assert_eq!(warm_up("auto"), Ok(WarmUp::Auto));
        assert_eq!(warm_up("30s"), Ok(WarmUp::For(SimDuration::from_secs(30))));
        assert_eq!(warm_up("0s"), Ok(WarmUp::For(SimDuration::ZERO)));
        for text in ["", "30", "Auto", "-1s", "soon"] {
            assert!(warm_up(text).is_err(), "{text}");
        }
    }
}
