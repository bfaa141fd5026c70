//! `brownout compare EXPERIMENT`: all variants on the same luck.

mod ad_hoc;
mod baseline;
mod policies;

use super::documents::Documents;
use crate::app::App;
use crate::args::{Bounds, Repeats, Subject, TableFormat, assignment};
use crate::error::{Error, Exit, Result};
use crate::experiment::{BASE, Opened, Prepared};
use crate::html;
use crate::html::compare::Overlay;
use crate::out::OutDir;
use crate::render::{compare as page, json};
use crate::replay::{quote, result_of};
use crate::result::column::{Column, heads};
use crate::result::compared::{self, Against, Compared, Comparison, sentence};
use crate::result::effect::Effect;
use crate::result::estimate::{Measured, OfWhom};
use crate::result::in_hand::InHand;
use crate::result::set_apart::SetApart;
use crate::seal::sealed;
use crate::study::ended::Ended;
use crate::study::measure::{self, measure, measure_usual, of_whom};
use crate::study::repeats::{Planned, run_planned};
use crate::study::replicate::{Outcome, Row, spelled_out, with_goodput};
use crate::study::rounds::run_until;
use crate::study::together::{Counted, counted, estimate, together};
use crate::text::escape;
use crate::text::table::csv_of_part;
use baseline::{Baseline, Doubt, regressions};
use clap::Args as ClapArgs;
use sim_models::report::{Disturbance, Meaning, Report, Series};
use std::path::PathBuf;
use std::sync::OnceLock;

/// What `--fail-on-regression` means without a metric.
const ANY: &str = "any";
const FILES: [&str; 3] = ["comparison.json", "comparison.csv", "report.html"];

/// `brownout compare`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout compare retry-storm
  brownout compare retry-storm --variant base --variant budgeted --replications 20
  brownout compare retry-storm --policies all           # which library's defaults would have survived this?
  brownout compare retry-storm --policies all --keep timeout      # .. under the timeout that is there
  brownout compare retry-storm --a policies.naive.timeout=100ms --b policies.naive.timeout=400ms
  brownout compare before.ron after.ron                 # two files of one model
  brownout compare retry-storm --format markdown        # for a pull request
  brownout compare retry-storm --precision 5% --metric goodput   # as many seeds as it takes
  brownout compare retry-storm --out saved              # and later, after a change:
  brownout compare retry-storm --baseline saved --fail-on-regression

Every variant runs on the same seeds, so differences are taken seed by seed. Intervals are \
Student's, 95 %. A sentence tells what is clear of zero. Seeds are taken in rounds, at most as many as the file says (10), until \
goodput, or each --metric, is decided: it differs from the first variant's, or by less than 0.5 %, beyond doubt \
(O'Brien and Fleming's bounds), and on one seed more. --replications N runs N. Against a baseline the same seeds are used where it has them. \
The base alone is held against nothing: it needs a variant, a --baseline, or --out to be one later.")]
pub struct Compare {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// Another experiment of the same model, held against the first, each as its file stands, with what --set says of both
    #[arg(value_name = "OTHER", conflicts_with_all = ["variant", "policies", "a", "b", "baseline"])]
    pub other: Option<String>,
    /// Instead of variants: what one side sets, `--a policies.naive.timeout=1s`; several may be given. Without --b it is held against
    /// the base, or one --variant
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, conflicts_with = "policies")]
    pub a: Vec<(String, String)>,
    /// What the other side sets
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment, conflicts_with = "policies")]
    pub b: Vec<(String, String)>,
    /// Only these variants; `base` is the file as it stands, and what one alone is held against. All unless given
    #[arg(long, value_name = "NAME")]
    pub variant: Vec<String>,
    /// Presets instead of variants, each in the place of the policy of one edge: `all`, or names from `brownout list presets`
    #[arg(long, value_name = "PRESETS", value_delimiter = ',')]
    pub policies: Vec<String>,
    /// The edge that --policies are put on: `checkout->payments`. That whose policy the variants change, unless given
    #[arg(long, value_name = "EDGE", requires = "policies")]
    pub edge: Option<String>,
    /// Settings of the policy there that --policies leave as they are: `timeout,deadline`. None unless given
    #[arg(long, value_name = "SETTINGS", requires = "policies", value_delimiter = ',')]
    pub keep: Vec<String>,
    /// The metrics to compare, instead of the usual ones: see `brownout list metrics EXPERIMENT`. Of a part of the run: 'success during fault'
    /// (or before, after, 60s..90s)
    #[arg(long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// Hold each variant against a saved run too: a folder or file that `compare --out` or `run --out` wrote. Runs
    /// on its seeds unless others are asked for
    #[arg(long, value_name = "SAVED")]
    pub baseline: Option<PathBuf>,
    /// Exit with 4 if anything, or this metric, is clearly worse than in the baseline
    #[arg(long, value_name = "METRIC", requires = "baseline", num_args = 0..=1, require_equals = true,
          default_missing_value = ANY)]
    pub fail_on_regression: Option<String>,
    /// The form of the result
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: TableFormat,
    /// Also write report.html, comparison.json and comparison.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// On how many seeds.
    #[command(flatten)]
    pub repeats: Repeats,
    /// How far.
    #[command(flatten)]
    pub bounds: Bounds,
}

pub(super) fn command(args: &Compare, app: &mut App) -> Result<Exit> {
    let baseline = args.baseline.as_deref().map(|path| Baseline::open(path, &mut app.console)).transpose()?;
    let opened = app.open_all(&args.subject.name, &args.subject.set)?;
    let mut unlike = None;
    let made_up = !args.a.is_empty() || !args.b.is_empty();
    let (names, mut rows, on) = if let Some(other) = &args.other {
        let (names, rows, luck) = ad_hoc::files(args, app, &opened, other)?;
        unlike = luck;
        (names, rows, None)
    } else if made_up {
        let (names, rows) = ad_hoc::sides(args, app, &opened)?;
        (names, rows, None)
    } else if args.policies.is_empty() {
        let names = chosen(args, app, &opened)?;
        let row = |name: &Option<String>| Row { variant: name.clone(), set: args.subject.set.clone() };
        let rows: Vec<Row> = names.iter().map(row).collect();
        (names, rows, None)
    } else {
        let (names, rows, on) = policies::field(args, app, &opened)?;
        (names, rows, Some(on))
    };
    let inputs: Vec<String> = prepared(app, &opened, &rows, args.subject.seed)?.iter().map(input).collect();
    match baseline.as_ref().and_then(|baseline| baseline.doubt(&opened.found.name, &inputs)) {
        Some(Doubt::Renamed(note)) => app.console.note(&note),
        Some(Doubt::Another(message)) if args.fail_on_regression.is_some() => {
            return Err(Error::Usage {
                message,
                help:
                    "  what is no baseline of it cannot clear it: save one with compare --out, or leave out \
                       --fail-on-regression"
                        .into(),
            });
        }
        Some(Doubt::Another(message)) => app.console.note(&format!("warning: {message}")),
        None => {}
    }
    let only = args.fail_on_regression.iter().filter(|metric| *metric != ANY);
    checked(&args.metric.iter().chain(only).cloned().collect::<Vec<_>>(), args, app, &opened, &rows)?;
    // What is saved may be a baseline; else there must be something that it is held against.
    if names.len() == 1 && baseline.is_none() && args.out.is_none() {
        return Err(alone(&opened));
    }
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;
    if let (Some(out), Some(baseline)) = (&out, &baseline) {
        out.spare(&baseline.file)?;
    }
    // The same luck as the baseline's, as far as nobody asks for another.
    let own_seeds = args.subject.seed.is_none() && args.repeats.precision.is_none();
    let saved = baseline.as_ref().map(|baseline| baseline.seeds).filter(|_| own_seeds);
    let seed = args.subject.seed.or(saved.map(|saved| saved.first));
    let count = saved.map(|saved| saved.count);
    let plan = args.repeats.plan(app, &opened, &mut rows, seed, count, &args.bounds)?;

    // Which metrics there are shows in the first report; a variant may lack some, as those of an edge that it has not.
    let paths = OnceLock::new();
    let only = args.fail_on_regression.as_deref().filter(|metric| *metric != ANY);
    let only_spelled = OnceLock::new();
    let first_seed = plan.seeds.first;
    let keep = |report: Report, first: bool| -> Result<Kept> {
        let paths = paths.get_or_init(|| asked(args, &report, only));
        only_spelled.get_or_init(|| only.map(|only| spelled_out(&report, only)));
        let (measured, known) = measure_usual(&report, paths);
        // What a model's own values are is seen here first.
        let unknown = paths.iter().zip(&known).find(|(path, known)| path.starts_with("values") && !**known);
        if let (Some((path, _)), false) = (unknown, args.metric.is_empty()) {
            measure(&report, std::slice::from_ref(path))?;
        }
        Ok(Kept {
            overlay: (first && args.out.is_some()).then(|| Overlay::of(&report)),
            measured,
            known,
            whom: of_whom(&report, paths),
            counted: counted(&report, paths, report.run.seed.wrapping_sub(first_seed)),
            in_hand: InHand::of(&report),
            ended: Ended::of(&report),
            faults: (report.timeline.disturbances, report.run.duration),
            picture: report.timeline.series.into_iter().find(|series| first && series.name == "goodput"),
        })
    };
    let named = |kept: &Kept| {
        let paths = paths.get().expect("something was measured").iter().cloned();
        let measured = kept.measured.iter().map(|(measured, _)| *measured).zip(&kept.counted);
        paths.zip(measured).map(|(path, (measured, counted))| (path, measured, counted.clone())).collect()
    };
    let deciding = |metrics: &[Column]| -> Vec<usize> {
        if args.metric.is_empty() {
            compared::deciding(metrics).into_iter().collect()
        } else {
            (0..metrics.len()).collect()
        }
    };
    let name = &opened.found.name;
    let in_rounds = args.repeats.number_is_open() && baseline.is_none() && names.len() > 1;
    let (Planned { outcome, seeds, precision }, mut rounds) = if in_rounds {
        let decided = |outcome: &Outcome<Kept>, seeds: u32, confidence: f64| {
            let comparison = compared(name, &names, paths.get().map_or(&[], Vec::as_slice), outcome, seeds);
            compared::is_decided(&comparison, &deciding(&comparison.metrics), confidence)
        };
        let (outcome, seeds, rounds) =
            run_until(app, &opened, &rows, plan.seeds, &args.bounds, keep, decided)?;
        (Planned { outcome, seeds, precision: None }, Some(rounds))
    } else {
        (run_planned(app, &opened, &rows, plan, &args.bounds, keep, named)?, None)
    };
    let (paths, only) = (paths.into_inner().unwrap_or_default(), only_spelled.into_inner().flatten());
    let mut comparison = compared(name, &names, &paths, &outcome, seeds.count);
    if let Some(rounds) = &mut rounds {
        let heads = heads(&comparison.metrics);
        rounds.by = deciding(&comparison.metrics).into_iter().map(|column| heads[column].clone()).collect();
    }
    comparison.rounds = rounds;
    let common = |one: &&(String, String)| rows.iter().all(|row| row.set.contains(one));
    comparison.set = rows[0].set.iter().filter(common).cloned().collect();
    comparison.seeds = seeds;
    comparison.incomplete.extend(precision.as_ref().and_then(|precision| precision.incomplete(seeds)));
    comparison.precision = precision;
    // Of presets the first: the line shows how one is set.
    let shown = &rows[usize::from(on.is_some())];
    let shown = app.prepare(&opened, shown.variant.as_deref(), &shown.set, Some(seeds.first))?;
    let rows_as_run = prepared(app, &opened, &rows, Some(seeds.first))?;
    for (variant, row) in comparison.variants.iter_mut().zip(&rows_as_run) {
        variant.input = input(row);
    }
    if on.is_none() {
        let base = Row { variant: rows[0].variant.clone(), set: comparison.set.clone() };
        let base = if made_up { &base } else { &rows[0] };
        let base = app.prepare(&opened, base.variant.as_deref(), &base.set, Some(seeds.first))?;
        for (variant, row) in comparison.variants.iter_mut().zip(&rows_as_run) {
            variant.changes = SetApart::all(&base.resolved, &row.resolved);
        }
    }
    comparison.on = on;
    comparison.unlike = unlike;
    comparison.next = shown.replay.bounded_line("run", &args.bounds);
    let seats = !shown.resolved.model.seats().is_empty();
    comparison.what_helps = seats.then(|| line_of_mechanisms(&opened, &comparison.set, app));
    comparison.baseline = baseline.as_ref().map(|baseline| baseline.against(&comparison));
    if let (Some(against), true) = (&mut comparison.baseline, args.fail_on_regression.is_some()) {
        against.regressions = Some(regressions(against, &comparison.metrics, only.as_deref()));
    }

    let overlay = |row: &Vec<Option<Kept>>| row.iter().flatten().find_map(|kept| kept.overlay.clone());
    let overlays: Vec<_> = outcome.rows.iter().map(overlay).collect();
    let again = result_of(&app.typed);
    comparison.again.clone_from(&again);
    let documents = Documents {
        text: page::text(&comparison, app.console.style()),
        markdown: page::markdown(&comparison),
        json: sealed(&json(&comparison)),
        csv: csv_of_part(page::csv(&comparison), &comparison.incomplete),
        html: Box::new(|| html::compare::page(&comparison, &overlays, &again).html()),
    };
    documents.deliver(FILES, out, args.format, app)?;
    match &comparison.baseline {
        Some(against) if outcome.exit == Exit::Good => regressed(against, app),
        _ => Ok(outcome.exit),
    }
}

/// The exit code that a baseline asks for.
fn regressed(against: &Against, app: &mut App) -> Result<Exit> {
    let Some(regressions) = &against.regressions else { return Ok(Exit::Good) };
    let again = format!("  again: {}", app.typed);
    match regressions.found.len() {
        0 if regressions.judged == 0 => Err(Error::Failed(format!(
            "whether anything is worse than in {} cannot be told: it takes two seeds on either side, and a metric \
             that both have\n  save the baseline with --replications 10\n{again}",
            against.file
        ))),
        0 => Ok(Exit::Good),
        n => {
            let what = if n == 1 { "1 metric is" } else { &format!("{n} metrics are") };
            app.console.say(&format!("{what} clearly worse than in {}\n{again}", against.file));
            Ok(Exit::Failed)
        }
    }
}

/// The command that tries every mechanism there is.
fn line_of_mechanisms(opened: &Opened, set: &[(String, String)], app: &App) -> String {
    let set = set.iter().map(|(path, value)| format!(" --set {}", quote(&format!("{path}={value}"))));
    let dir = app.global.dir.iter().map(|dir| format!(" --dir {}", quote(&dir.to_string_lossy())));
    let more: String = set.chain(dir).collect();
    format!("{} recommend {} --mechanisms{more}", app.program, quote(&opened.found.argument))
}

/// The rows as they are run.
fn prepared(app: &App, opened: &Opened, rows: &[Row], seed: Option<u64>) -> Result<Vec<Prepared>> {
    rows.iter().map(|row| app.prepare(opened, row.variant.as_deref(), &row.set, seed)).collect()
}

/// By what a row is known again.
fn input(row: &Prepared) -> String {
    format!("{:016x}", row.resolved.input_digest)
}

/// Refuses metrics that none of these would have.
fn checked(metrics: &[String], args: &Compare, app: &mut App, opened: &Opened, rows: &[Row]) -> Result<()> {
    let rows = prepared(app, opened, rows, args.subject.seed)?;
    for metric in metrics {
        let check = |row: &Prepared| measure::check(&row.resolved, std::slice::from_ref(metric));
        let Some((first, others)) = rows.split_first() else { continue };
        if let Err(why) = check(first)
            && others.iter().all(|other| check(other).is_err())
        {
            return Err(why);
        }
    }
    Ok(())
}

/// The metrics that were asked for, or the usual ones and goodput: what users get is what variants are about.
fn asked(args: &Compare, report: &Report, only: Option<&str>) -> Vec<String> {
    let mut paths = match args.metric.as_slice() {
        [] => with_goodput(report),
        named => named.iter().map(|path| spelled_out(report, path)).collect(),
    };
    let only = only.map(|only| spelled_out(report, only));
    paths.extend(only.filter(|only| !paths.contains(only)));
    paths
}

/// The variants to compare, the base first unless others were asked for; none is the base.
fn chosen(args: &Compare, app: &App, opened: &Opened) -> Result<Vec<Option<String>>> {
    if args.variant.is_empty() {
        let all = opened.experiment.variant_names().map(|name| Some(name.to_string()));
        return Ok(std::iter::once(None).chain(all).collect());
    }
    let mut names: Vec<Option<String>> = Vec::new();
    for name in &args.variant {
        let name = app.variant(opened, Some(name))?.map(String::from);
        if names.contains(&name) {
            let shown = name.unwrap_or_else(|| BASE.into());
            return Err(Error::usage(format!("the variant {} is named twice", escape(&shown))));
        }
        names.push(name);
    }
    // One alone has nothing to differ from, unless that was saved.
    if let ([Some(_)], None) = (names.as_slice(), &args.baseline) {
        names.insert(0, None);
    }
    Ok(names)
}

/// The base by itself.
fn alone(opened: &Opened) -> Error {
    let name = quote(&opened.found.argument);
    let variants: Vec<String> = opened.experiment.variant_names().map(escape).collect();
    let (message, first) = match variants.first() {
        Some(first) => (
            "the base alone: there is nothing to hold it against",
            format!("  add --variant {}; or leave out --variant for all of them", quote(first)),
        ),
        None => (
            "the file has no variants: there is nothing to hold it against",
            "  write what to try into it, as `variants: {\"larger\": {\"services.db.replicas\": 6}}`".into(),
        ),
    };
    let help = format!(
        "{first}\n  before a change save it with `brownout compare {name} --out saved`, after it compare {name} --baseline saved\n  \
         to try values of one setting: brownout sweep {name} --set PATH=A,B\n  \
         for one experiment on many seeds: brownout run {name} --replications 10"
    );
    Error::Usage { message: message.into(), help }
}

/// What is kept of one run.
struct Kept {
    /// What `report.html` draws of the first run of a variant.
    overlay: Option<Overlay>,
    measured: Vec<(Measured, Meaning)>,
    /// Which of them the report has.
    known: Vec<bool>,
    /// Beside each.
    whom: Vec<OfWhom>,
    counted: Vec<Option<Counted>>,
    in_hand: InHand,
    ended: Ended,
    picture: Option<Series>,
    faults: (Vec<Disturbance>, u64),
}

/// For how long a run is disturbed, from the first beginning to the last end; absent within if that has not come, and at all if nothing disturbs it.
fn lasted(disturbances: &[Disturbance]) -> Option<Option<u64>> {
    let from = disturbances.iter().map(|it| it.from).min()?;
    let ends = disturbances.iter().map(|it| it.to).collect::<Option<Vec<_>>>();
    Some(ends.and_then(|ends| Some(ends.into_iter().max()?.saturating_sub(from))))
}

/// What the first so many seeds come to.
fn compared(
    experiment: &str,
    names: &[Option<String>],
    paths: &[String],
    outcome: &Outcome<Kept>,
    seeds: u32,
) -> Comparison {
    let rows: Vec<&[Option<Kept>]> =
        outcome.rows.iter().map(|row| &row[..row.len().min(seeds as usize)]).collect();
    let kept = |row: usize| rows[row].iter().flatten();
    let all = || rows.iter().copied().flatten().flatten();
    let meaning = |column: usize| all().find(|kept| kept.known[column]).map(|kept| kept.measured[column].1);
    let metrics: Vec<Column> =
        paths.iter().enumerate().map(|(column, path)| Column::of(path, meaning(column))).collect();
    let values = |row: usize, column: usize| -> Vec<Measured> {
        let measured =
            |kept: &Option<Kept>| kept.as_ref().map_or(Measured::Absent, |kept| kept.measured[column].0);
        rows[row].iter().map(measured).collect()
    };
    let whom =
        |row: usize, column: usize| -> Vec<OfWhom> { kept(row).map(|kept| kept.whom[column]).collect() };
    // What a run has little to say of is known better from all of them together.
    let counted = |row: usize, column: usize| -> Vec<Option<&Counted>> {
        let runs = rows[row].iter();
        runs.map(|kept| kept.as_ref().and_then(|kept| kept.counted[column].as_ref())).collect()
    };
    let known = |row: usize, column: usize, values: &[Measured]| together(values, &counted(row, column));
    // What does not last equally long in all of them, on the same seed, is told with how long it did.
    let seeds_of = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let unequal = (0..seeds_of).any(|seed| {
        let mut all = rows.iter().filter_map(|row| lasted(&row.get(seed)?.as_ref()?.faults.0));
        all.next().is_some_and(|first| all.any(|other| other != first))
    });
    let verdict = |row: usize| {
        let verdict = Ended::verdict(kept(row).map(|kept| &kept.ended));
        let lengths = || kept(row).filter_map(|kept| lasted(&kept.faults.0)?);
        match (unequal, lengths().min(), lengths().max()) {
            (true, Some(least), Some(most)) => {
                verdict.of_length((least, most), kept(row).any(|kept| kept.faults.0.len() > 1))
            }
            _ => verdict,
        }
    };
    let variant = |(row, name): (usize, &Option<String>)| {
        let values: Vec<Vec<Measured>> = (0..metrics.len()).map(|column| values(row, column)).collect();
        Compared {
            name: name.clone().unwrap_or_else(|| BASE.into()),
            verdict: verdict(row),
            metrics: (0..metrics.len())
                .map(|column| estimate(&values[column], &counted(row, column)).of_those(&whom(row, column)))
                .collect(),
            lacks: (paths.iter().enumerate())
                .filter(|(column, _)| {
                    kept(row).next().is_some() && kept(row).all(|kept| !kept.known[*column])
                })
                .map(|(_, path)| path.clone())
                .collect(),
            in_hand: InHand::mean(kept(row).map(|kept| kept.in_hand)),
            picture: kept(row).find_map(|kept| kept.picture.clone()),
            values,
            ..Compared::default()
        }
    };
    let mut variants: Vec<Compared> = names.iter().enumerate().map(variant).collect();
    if let Some((first, others)) = variants.split_first_mut() {
        first.sentence = match first.verdict.text.as_str() {
            "" if others.is_empty() => "no verdict: see the numbers".into(),
            "" => "what the others are held against".into(),
            text => text.into(),
        };
        let first_known: Vec<Vec<Measured>> =
            first.values.iter().enumerate().map(|(column, values)| known(0, column, values)).collect();
        for (row, other) in others.iter_mut().enumerate() {
            let effect = |column: usize| {
                let (from, to) = (first.metrics[column].of_whom(), other.metrics[column].of_whom());
                let values = known(row + 1, column, &other.values[column]);
                Effect::paired(&values, &first_known[column]).of_those(from, to)
            };
            other.effects = (0..metrics.len()).map(effect).collect();
            other.sentence = sentence(other, first, &metrics);
        }
    }
    // Variants may differ in what disturbs them; then no bar is true of all.
    let mut faults = all().map(|kept| &kept.faults);
    let first_faults = faults.next().cloned().unwrap_or_default();
    let alike = faults.all(|faults| *faults == first_faults);
    Comparison {
        document: compared::DOCUMENT,
        format: compared::FORMAT,
        struck: compared::struck(&first_faults.0),
        faults: if alike { first_faults } else { Default::default() },
        experiment: experiment.into(),
        incomplete: outcome.incomplete(),
        variants,
        metrics,
        ..Comparison::default()
    }
}
