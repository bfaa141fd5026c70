//! `brownout explain EXPERIMENT`: what it amounts to before it is run.

use crate::app::App;
use crate::args::{Format, assignment, seed, text_or_json};
use crate::error::{Error, Exit, Result};
use crate::experiment::{Opened, Prepared};
use crate::library::nearest;
use crate::render;
use crate::render::mechanism as pages;
use crate::render::run::own_table;
use crate::result::fields::{self, Examples};
use crate::text::{Paint, Style, clean, wrap};
use clap::Args as ClapArgs;
use serde_json::json;
use sim_models::mechanism::Mechanism;
use sim_models::promise;
use sim_models::run::Explanation;

/// `brownout explain`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout explain retry-storm
  brownout explain retry-storm --variant budgeted
  brownout explain ./mine.ron --set services.payments.replicas=6
  brownout explain --mechanism breaker   # one of `brownout list mechanisms`
  brownout explain --field services.payments.queue   # one of `brownout list fields`")]
pub struct Explain {
    /// An experiment: a name from `brownout list`, a path (anything with a `/` or ending in `.ron`), or - for
    /// standard input
    #[arg(value_name = "EXPERIMENT", required_unless_present_any = ["mechanism", "field"])]
    pub name: Option<String>,
    /// The page of a mechanism instead: what it does, when it hurts, its formula, source and settings
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "set", "seed", "variant"])]
    pub mechanism: Option<String>,
    /// The entry of a field of the experiment file instead: what it is, its type, unit, default and range, and an example; by the
    /// path that --set takes
    #[arg(long, value_name = "PATH", conflicts_with_all = ["name", "mechanism", "set", "seed", "variant"])]
    pub field: Option<String>,
    /// Set any value of the file, defaulted ones too: `--set services.payments.replicas=4`
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// The seed, instead of the file's
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = text_or_json())]
    pub format: Format,
}

pub(super) fn command(args: &Explain, app: &mut App) -> Result<Exit> {
    if let Some(path) = &args.field {
        return field(path, args, app);
    }
    let Some(name) = &args.name else { return page(args, app) };
    let opened = app.open(name, args.variant.as_deref(), &args.set)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.set, args.seed)?;
    let mut explanation = prepared.resolved.model.explain(&prepared.resolved.run);
    explanation.notes.extend(promise::notes(&prepared.resolved.run));
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => as_json(&prepared, &explanation),
        _ => text(&opened, &prepared, &explanation, style),
    })?;
    Ok(Exit::Good)
}

/// What there is to know of one field.
fn field(path: &str, args: &Explain, app: &mut App) -> Result<Exit> {
    let places = fields::at(&app.catalog, path).map_err(|(message, help)| Error::Usage {
        message: clean(&message),
        help: format!("  {}", clean(&help)),
    })?;
    let examples = Examples::of(&app.catalog, app.bundled());
    let others = fields::elsewhere(&app.catalog, path, &places);
    let mechanisms: Vec<Mechanism> = app.catalog.mechanisms().collect();
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => render::field::page_json(&places, &examples),
        _ => render::field::page(&places, &clean(path), &others, &mechanisms, &examples, &app.program, style),
    })?;
    Ok(Exit::Good)
}

/// What there is to know of one mechanism.
fn page(args: &Explain, app: &mut App) -> Result<Exit> {
    let name = args.mechanism.as_deref().unwrap_or_default();
    let all: Vec<Mechanism> = app.catalog.mechanisms().collect();
    let Some(mechanism) = all.iter().find(|mechanism| mechanism.page.name == name) else {
        let names = all.iter().map(|mechanism| mechanism.page.name);
        let near = nearest(name, names.clone().map(String::from));
        let near = near.map_or(String::new(), |near| format!("  did you mean `{near}`?\n"));
        return Err(Error::Usage {
            message: format!("there is no mechanism called `{}`", clean(name)),
            help: format!("{near}  there are: {}", names.collect::<Vec<_>>().join(", ")),
        });
    };
    let style = app.console.style();
    app.console.document(&match args.format {
        Format::Json => pages::page_json(mechanism),
        _ => pages::page(mechanism, &app.program, style),
    })?;
    Ok(Exit::Good)
}

fn as_json(prepared: &Prepared, explanation: &Explanation) -> String {
    let document = json!({
        "format": 1,
        "experiment": prepared.name,
        "variant": prepared.variant,
        "overrides": prepared.set,
        "model": (prepared.resolved.entry.name, prepared.resolved.entry.version),
        "seed": prepared.seed,
        "effective": prepared.resolved.canonical.to_string(),
        "tables": explanation.tables,
        "notes": explanation.notes,
    });
    format!("{document}\n")
}

fn text(opened: &Opened, prepared: &Prepared, explanation: &Explanation, style: Style) -> String {
    let variant =
        prepared.variant.as_ref().map_or(String::new(), |variant| format!(", variant {}", clean(variant)));
    let run = &prepared.resolved.run;
    let mut lines = vec![
        style.paint(Paint::Strong, &format!("{}{variant}", clean(&prepared.name))),
        format!(
            "{} · {}, measured from {} on · seed {}",
            prepared.resolved.entry.name, run.duration, run.warm_up, prepared.seed
        ),
        String::new(),
    ];
    lines.extend(wrap(&clean(&prepared.resolved.about), style.columns()));
    let mut variants = opened.experiment.variants().iter().peekable();
    if variants.peek().is_some() {
        lines.extend([String::new(), style.paint(Paint::Strong, "Variants")]);
    }
    for variant in variants {
        // A value may be written over several lines.
        let line_of = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        let set = variant.set.iter().map(|set| format!("{} = {}", set.path, line_of(&set.value.to_string())));
        let set = set.collect::<Vec<_>>();
        let line = format!("{}: {}", variant.name.value, set.join(", "));
        lines.extend(wrap(&clean(&line), style.columns() - 2).into_iter().map(|line| format!("  {line}")));
    }
    for table in &explanation.tables {
        lines.push(String::new());
        lines.extend(own_table(table, style));
    }
    if !explanation.notes.is_empty() {
        lines.extend([String::new(), style.paint(Paint::Strong, "Worth knowing")]);
        for note in &explanation.notes {
            let wrapped = wrap(&clean(note), style.columns() - 4);
            lines.extend(
                wrapped
                    .iter()
                    .enumerate()
                    .map(|(index, line)| format!("  {} {line}", if index == 0 { "-" } else { " " })),
            );
        }
    }
    lines.extend([
        String::new(),
        format!("every setting   {} show {} --effective", opened.program, prepared.replay.experiment),
    ]);
    let mut text = lines.join("\n") + "\n";
    if !style.unicode {
        text = text.replace('·', "-");
    }
    text
}
