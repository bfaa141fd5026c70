//! `brownout list [WHAT]`: what there is.

mod with;

use crate::app::App;
use crate::args::Format;
use crate::error::{Error, Exit, Result};
use crate::library::{Found, nearest};
use crate::render::field as entries;
use crate::render::mechanism as pages;
use crate::render::reference;
use crate::replay::by_name;
use crate::result::fields::{self, Examples};
use crate::study::measure::glance;
use crate::text::table::{Grid, csv_line};
use crate::text::{Paint, Style, clean, escape, first_sentence, wrap};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use sim_models::distribution::TimeSpec;
use sim_models::experiment::{Decode, Diagnostics, Node, TypeDoc, parse_file, source_from_bytes};
use sim_models::mechanism::Mechanism;
use sim_models::policy::preset::{self, Preset, Written};
use sim_models::report::{Leaf, Metric};

/// `brownout list`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout list
  brownout list models
  brownout list metrics retry-storm
  brownout list --search retry      # experiments whose name, family or words have it
  brownout list --with hedge        # experiments that show a mechanism
  brownout list policies
  brownout list mechanisms
  brownout list fields ttl")]
pub struct List {
    /// What to list
    #[arg(value_name = "WHAT", default_value = "experiments")]
    pub what: Listed,
    /// The experiment whose metrics to list, the model whose settings to list, or a part of the paths of fields
    #[arg(value_name = "EXPERIMENT")]
    pub name: Option<String>,
    /// Only experiments whose name, family, model or description has this, in capitals or not; several must all be there
    #[arg(long, value_name = "WORDS")]
    pub search: Vec<String>,
    /// Only experiments that have this mechanism, in a variant or as they stand: one of `brownout list mechanisms`
    #[arg(long, value_name = "MECHANISM")]
    pub with: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Experiments by family
    #[default]
    Experiments,
    /// Models; with a name, all settings of that one
    Models,
    /// The metrics of an experiment, for `expect` and --metric
    Metrics,
    /// Distributions of times
    Distributions,
    /// What policies are made of
    Policies,
    /// Presets: policies by the name of a library
    Presets,
    /// Mechanisms, of policies and of services: each has a page, `explain --mechanism NAME`
    Mechanisms,
    /// Fields of the experiment file by their paths; with a word, those in whose path it stands
    Fields,
}

pub(super) fn command(args: &List, app: &mut App) -> Result<Exit> {
    let takes_a_name = matches!(args.what, Listed::Metrics | Listed::Models | Listed::Fields);
    if let (Some(name), false) = (&args.name, takes_a_name) {
        return Err(Error::usage(format!(
            "only metrics, models and fields take a name, not `{}`",
            clean(name)
        )));
    }
    if (args.with.is_some() || !args.search.is_empty()) && args.what != Listed::Experiments {
        return Err(Error::usage("--search and --with choose among experiments"));
    }
    match args.what {
        Listed::Experiments => experiments(args, app),
        Listed::Models => models(args, app),
        Listed::Metrics => metrics(args, app),
        Listed::Distributions => types(TimeSpec::describe(), args, app),
        Listed::Policies => types(Written::describe(), args, app),
        Listed::Presets => presets(args, app),
        Listed::Mechanisms => mechanisms(args, app),
        Listed::Fields => fields(args, app),
    }
}

/// An experiment in a list.
struct Row {
    family: String,
    name: String,
    model: String,
    about: String,
    /// All that the file says.
    node: Option<Node>,
}

/// What is looked for: words, however they were handed over.
fn words(said: &[String]) -> Vec<String> {
    said.iter().flat_map(|said| said.split_whitespace()).map(str::to_lowercase).collect()
}

fn experiments(args: &List, app: &mut App) -> Result<Exit> {
    let mut rows = Vec::new();
    for own in app.own()? {
        rows.push(row(own.read()?, &app.program));
    }
    // What is found by name is found in --dir first.
    let bundled = app.bundled().filter(|bundled| !rows.iter().any(|own: &Row| own.name == bundled.name));
    let bundled: Vec<Row> = bundled.map(|bundled| row(bundled.into(), &app.program)).collect();
    rows.extend(bundled);
    let words = words(&args.search);
    rows.retain(|row| {
        let text = [&row.name, &row.family, &row.model, &row.about].map(|text| text.to_lowercase()).join(" ");
        words.iter().all(|word| text.contains(word))
    });
    if let Some(name) = &args.with {
        let those = with::named(name, app)?;
        rows.retain(|row| row.node.as_ref().is_some_and(|node| those.iter().any(|it| with::uses(node, it))));
    }
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Text => experiments_text(&rows, style),
        Format::Csv => {
            let line = |row: &Row| csv_line([&row.family, &row.name, &row.model, &row.about]);
            csv_line(["family", "name", "model", "about"]) + &rows.iter().map(line).collect::<String>()
        }
        Format::Json => {
            let row = |row: &Row| {
                json!({ "family": row.family, "name": row.name, "model": row.model, "about": row.about })
            };
            format!("{}\n", json!({ "format": 1, "experiments": rows.iter().map(row).collect::<Vec<_>>() }))
        }
    })?;
    Ok(Exit::Good)
}

/// Only the text is looked at, so that a file with a problem is listed as well.
fn row(found: Found, program: &str) -> Row {
    let text = source_from_bytes(&found.bytes).unwrap_or_default();
    let node = parse_file(&text, 0, &mut Diagnostics::new());
    let field = |name: &str| node.as_ref().and_then(|node| node.get(name));
    let about = match field("about").and_then(|about| about.as_text()) {
        Some(about) => about.into(),
        None => by_name("(cannot be read: see `brownout validate`)", program),
    };
    let model = field("model").and_then(|model| model.name()).unwrap_or_default().into();
    let family = found.family.unwrap_or_else(|| "(no family)".into());
    Row { family, name: found.name, model, about, node }
}

fn experiments_text(rows: &[Row], style: Style) -> String {
    let mut lines = Vec::new();
    let column = 4 + rows.iter().map(|row| crate::text::width(&clean(&row.name))).max().unwrap_or(0);
    let mut family = None;
    for row in rows {
        if family != Some(&row.family) {
            if family.is_some() {
                lines.push(String::new());
            }
            lines.push(style.paint(Paint::Strong, &clean(&row.family)));
            family = Some(&row.family);
        }
        let about = clean(first_sentence(&row.about));
        let wrapped = wrap(&about, style.columns().saturating_sub(column));
        for (index, line) in wrapped.iter().enumerate() {
            let name = if index == 0 { format!("  {}", clean(&row.name)) } else { String::new() };
            lines.push(format!("{}{line}", crate::text::pad(&name, column)));
        }
    }
    if lines.is_empty() {
        lines.push("no experiments".into());
    }
    lines.join("\n") + "\n"
}

fn models(args: &List, app: &mut App) -> Result<Exit> {
    if let Some(name) = &args.name {
        let Some(entry) = app.catalog.get(name) else {
            let near = nearest(name, app.catalog.names().map(String::from));
            let names = app.catalog.names().collect::<Vec<_>>().join(", ");
            let help =
                near.map_or(format!("  there are: {names}"), |near| format!("  did you mean `{near}`?"));
            return Err(Error::Usage {
                message: format!("there is no model called `{}`", clean(name)),
                help,
            });
        };
        return types((entry.describe)(), args, app);
    }
    let entries = app.catalog.entries();
    let document = match args.format {
        Format::Text => {
            let mut grid = Grid::new().words("model").number("version").words("what it simulates");
            for entry in entries {
                grid.row([entry.name.to_string(), entry.version.to_string(), entry.about.to_string()]);
            }
            grid.text(0, app.console.style()).join("\n")
                + &format!("\n\n`{} list models NAME` names all settings of one\n", app.program)
        }
        Format::Csv => {
            let line = |e: &sim_models::Entry| csv_line([e.name, &e.version.to_string(), e.about]);
            csv_line(["model", "version", "about"]) + &entries.iter().map(line).collect::<String>()
        }
        Format::Json => {
            let one =
                |e: &sim_models::Entry| json!({ "name": e.name, "version": e.version, "about": e.about });
            format!("{}\n", json!({ "format": 1, "models": entries.iter().map(one).collect::<Vec<_>>() }))
        }
    };
    app.console.document(&document)?;
    Ok(Exit::Good)
}

fn presets(args: &List, app: &mut App) -> Result<Exit> {
    let all = preset::all();
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Text => {
            let column = 4 + all.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
            let mut lines = Vec::new();
            for preset in all {
                let said = wrap(&preset.file.about, style.columns() - column).into_iter().enumerate();
                let name = |number| if number == 0 { format!("  {}", preset.name) } else { String::new() };
                lines.extend(said.map(|(number, line)| crate::text::pad(&name(number), column) + &line));
            }
            lines.extend([
                String::new(),
                "policies: {\"p\": (preset: \"NAME\")} in a file; what is written beside it goes before it"
                    .into(),
            ]);
            lines.join("\n") + "\n"
        }
        Format::Csv => {
            let line = |it: &Preset| csv_line([it.name, &it.file.about, &it.file.source]);
            csv_line(["preset", "about", "source"]) + &all.iter().map(line).collect::<String>()
        }
        Format::Json => {
            let one = |it: &Preset| {
                let policy = it.file.policy.encode().to_string();
                json!({ "name": it.name, "about": it.file.about, "source": it.file.source, "policy": policy })
            };
            format!("{}\n", json!({ "format": 1, "presets": all.iter().map(one).collect::<Vec<_>>() }))
        }
    })?;
    Ok(Exit::Good)
}

fn mechanisms(args: &List, app: &mut App) -> Result<Exit> {
    let all: Vec<Mechanism> = app.catalog.mechanisms().collect();
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Text => pages::list(&all, &app.program, style),
        Format::Csv => pages::list_csv(&all),
        Format::Json => pages::list_json(&all),
    })?;
    Ok(Exit::Good)
}

fn fields(args: &List, app: &mut App) -> Result<Exit> {
    let mut all = fields::all(&app.catalog, false);
    if let Some(name) = &args.name {
        let meant = name.to_lowercase();
        all.retain(|it| it.model == name || it.path.to_lowercase().contains(&meant));
        if all.is_empty() {
            let help = format!("  `{} list fields` names all of them", app.program);
            return Err(Error::Usage { message: format!("no path has `{}` in it", clean(name)), help });
        }
    }
    let examples = || Examples::of(&app.catalog, app.bundled());
    let document = match args.format {
        Format::Text => entries::list(&all, &app.program, app.console.style()),
        Format::Csv => entries::list_csv(&all, &examples()),
        Format::Json => entries::list_json(&all, &examples()),
    };
    app.console.document(&document)?;
    Ok(Exit::Good)
}

fn types(root: TypeDoc, args: &List, app: &mut App) -> Result<Exit> {
    let types = reference::types(root);
    let document = match args.format {
        Format::Text => reference::text(&types, app.console.style()),
        Format::Json => format!("{}\n", json!({ "format": 1, "types": reference::as_json(&types) })),
        Format::Csv => return Err(Error::usage("types are no table: use --format json")),
    };
    app.console.document(&document)?;
    Ok(Exit::Good)
}

/// What can be asked of a run, known before it is made.
fn metrics(args: &List, app: &mut App) -> Result<Exit> {
    let Some(name) = &args.name else {
        let help = "  such as: brownout list metrics retry-storm";
        return Err(Error::Usage { message: "metrics of which experiment?".into(), help: help.into() });
    };
    let opened = app.open(name, None, &[])?;
    let prepared = app.prepare(&opened, None, &[], None)?;
    let (mut report, _) = glance(&prepared.resolved);
    // What may be there, and shows only in a run, if something exact is known of it.
    report.values.0.retain(|(_, value)| !value.about.is_empty());
    let leaves = report.leaves();
    let rows = leaves.iter().map(|leaf| (leaf.path(), unit(leaf), better(leaf)));
    let document = match args.format {
        Format::Text => {
            let mut grid = Grid::new().words("metric").words("unit").words("better");
            rows.for_each(|(path, unit, better)| grid.row([path, unit.into(), better.into()]));
            format!(
                "{}\n\nwhat they came to, and `values` that a theory has something beside: {} run {} --format json\n\
                 of a part of the run: 'success during fault', 'p99 during 60s..90s'\n",
                grid.text(0, app.console.style()).join("\n"),
                app.program,
                escape(&opened.found.argument),
            )
        }
        Format::Csv => {
            let line =
                |(path, unit, better): (String, &str, &str)| csv_line([path, unit.into(), better.into()]);
            csv_line(["metric", "unit", "better"]) + &rows.map(line).collect::<String>()
        }
        Format::Json => {
            let one = |(path, unit, better)| json!({ "metric": path, "unit": unit, "better": better });
            format!(
                "{}\n",
                json!({ "format": 2, "experiment": prepared.name, "metrics": rows.map(one).collect::<Vec<_>>() })
            )
        }
    };
    app.console.document(&document)?;
    Ok(Exit::Good)
}

/// What a metric is counted in, as far as that is known before a run.
fn unit(leaf: &Leaf) -> &'static str {
    match leaf.metric {
        Metric::Truth(_) => "truth",
        // The one that is true or false, and is not said of a run in which nothing happened.
        Metric::Absent if leaf.path() == "recovered" => "truth",
        Metric::Number(_, unit) => unit.name(),
        Metric::Absent => leaf.meaning.unit.name(),
    }
}

/// Which way is better, where one is.
fn better(leaf: &Leaf) -> &'static str {
    match leaf.meaning.less_is_better() {
        Some(true) => "less",
        Some(false) => "more",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn quoted_words_are_several() {
        let words = |said: &[&str]| super::words(&said.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(&["Stale  cache ", "retry"]), ["stale", "cache", "retry"]);
        assert!(words(&[" "]).is_empty());
    }
}
