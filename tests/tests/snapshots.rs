//! Every bundled experiment, as written and in each of its variants, run with its own seed: what it comes to as
//! a text to review in a diff, whether its author was right, its digest, and the numbers that its report has.
//!
//! One walk over `experiments/` finds them, and one run of each serves all that is asked here, so a new file needs
//! no line: it gets a snapshot (`INSTA_UPDATE=always cargo test -p brownout-tests --test snapshots` accepts all) and
//! golden digests (`BROWNOUT_BLESS=1`), and its expectations count. Neither changes without a line in the changelog
//! that says why.

use brownout_tests::ask::ask;
use brownout_tests::golden::{self, digest_line};
use brownout_tests::{File, experiments, files_below, stem};
use serde_json::Value;
use sim_cli::internals::{
    BUNDLED, Judgement, Page, Prepared, ROWS as SCREEN, Replay, Style, first_sentence, in_order, judge,
    next_steps, screen, threads, width,
};
use sim_cli::{Console, Exit};
use sim_core::SimDuration;
use sim_models::experiment::Experiment;
use sim_models::policy::{Ending, Outcome};
use sim_models::report::{Cell, Edge, Latency, Report, Service, Stretch, Table};
use sim_models::run::RunOptions;
use sim_models::simulate;
use sim_models::words::percent;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

/// Rows of a table that a snapshot shows.
const ROWS: usize = 12;

#[test]
fn every_experiment_comes_to_what_it_came_to() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut differ = Vec::new();
    for of in 0..EXPERIMENTS.len() {
        let (name, text) = (EXPERIMENTS[of].file.name.as_str(), snapshot(of));
        let same = || settings.bind(|| insta::assert_snapshot!(name, text));
        if catch_unwind(AssertUnwindSafe(same)).is_err() {
            differ.push(name);
        }
    }
    assert!(differ.is_empty(), "not as in their snapshots: {}", differ.join(", "));
}

/// What each amounts to before it is run, as its reader is told.
#[test]
fn every_experiment_is_explained_as_it_was() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("explanations");
    let mut differ = Vec::new();
    for Read { file: File { name, .. }, .. } in EXPERIMENTS.iter() {
        let text = explained(name);
        let same = || settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        if catch_unwind(AssertUnwindSafe(same)).is_err() {
            differ.push(name.as_str());
        }
    }
    assert!(differ.is_empty(), "not explained as in their snapshots: {}", differ.join(", "));
}

/// `brownout explain <name>`
fn explained(name: &str) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let words = ["brownout", "explain", name].map(OsString::from);
    let exit = sim_cli::run(words, Console::captured(&mut std::io::empty(), &mut stdout, &mut stderr));
    let said = String::from_utf8(stderr).expect("text");
    assert!(exit == Exit::Good && said.contains(warned(name)), "{name}: {said}");
    assert_eq!(said.is_empty(), warned(name).is_empty(), "{name}: {said}");
    String::from_utf8(stdout).expect("text")
}

/// What an experiment is warned of, because that is what it is about.
fn warned(name: &str) -> &'static str {
    match name {
        "three-in-twenty" => {
            "policies.client.deadline: only 3 of 4 attempts can begin before the deadline if each times out"
        }
        "circular-recovery" => {
            "faults[0].repair.needs[0]: needs `access` -> `backbone`, which this takes down: it is never repaired"
        }
        "locked-table" => {
            "services.app: app->db waits up to 30s for an answer, but users->app gives up after 3s"
        }
        _ => "",
    }
}

#[test]
fn every_expectation_holds() {
    let mut broken = String::new();
    let mut judged = 0;
    for run in RUNS.iter() {
        let name = &EXPERIMENTS[run.of].file.name;
        // What more seeds decide, `every_luck_is_as_expected` has judged.
        for judged in run.judgement.judged.iter().filter(|judged| judged.fails()) {
            let replay = run.replay.line("run");
            _ = writeln!(broken, "{name}: {}, but it is {}\n    {replay}", judged.claim, judged.measured);
        }
        judged += run.judgement.judged.len();
    }
    assert!(broken.is_empty(), "{broken}");
    // Each belongs to one run: none was left out.
    assert_eq!(judged, EXPERIMENTS.iter().map(|file| file.experiment.expectations().len()).sum::<usize>());
}

/// What is expected of several seeds together.
#[test]
fn every_luck_is_as_expected() {
    let of_luck =
        EXPERIMENTS.iter().filter(|read| read.experiment.expectations().iter().any(|it| it.seeds.is_some()));
    let mut judged = 0;
    for read in of_luck {
        let ran = ask(["check", read.file.name.as_str()], &[], |_| {});
        assert_eq!(ran.code, 0, "{}{}", ran.stderr, ran.stdout);
        judged += 1;
    }
    assert!(judged > 0, "nothing is expected of several seeds");
}

/// What `run` prints fits a terminal of 24 rows, its prompt included, from 80 columns on.
#[test]
fn every_page_fits_a_screen() {
    let mut too_large = String::new();
    for run in RUNS.iter() {
        for columns in [80, 100, 200] {
            let text = page(run, columns);
            let (rows, wide) = (text.lines().count(), text.lines().map(width).max().unwrap_or(0));
            if rows > SCREEN || wide > columns {
                let again = run.replay.line("run");
                _ = writeln!(too_large, "{rows} rows, {wide} of {columns} columns: {again}\n{text}");
            }
        }
    }
    assert!(too_large.is_empty(), "{too_large}");
}

/// What `run` prints of it.
fn page(run: &Run, columns: usize) -> String {
    let read = &EXPERIMENTS[run.of];
    let has_variants = read.experiment.variant_names().next().is_some();
    let has_sweep = !read.experiment.axes().is_empty();
    let page = Page {
        expectations: run.judgement.clone(),
        next: next_steps(&run.report, "brownout", &read.file.name, has_variants, has_sweep),
        replicated: None,
    };
    screen(&run.report, &page, Style { width: columns, ..Style::default() })
}

/// One list for each family, so that work on two of them does not meet in one file.
#[test]
fn golden_digests() {
    let mut families: BTreeMap<&str, String> = BTreeMap::new();
    for run in RUNS.iter() {
        let File { family, name, .. } = &EXPERIMENTS[run.of].file;
        let variant = run.variant.as_ref().map(|variant| format!(" {variant}")).unwrap_or_default();
        let line = format!("{name}{variant}: {}\n", digest_line(&run.report));
        families.entry(family.as_str()).or_default().push_str(&line);
    }
    let list = |family: &str| format!("digests/{family}.txt");
    let differ: Vec<String> =
        families.iter().flat_map(|(family, found)| golden::differing(&list(family), found)).collect();
    assert!(differ.is_empty(), "{}\n{}", differ.join("\n"), golden::how_to_bless("snapshots golden_digests"));
    let lists: BTreeSet<String> = golden::lists("digests").into_iter().collect();
    let known = families.keys().copied().chain(["embedded"]).map(|family| format!("{family}.txt"));
    assert_eq!(lists, known.collect(), "a list of digests of no family");
}

/// What can be asked of a run is known before it is made: each of its metrics, in the same unit.
#[test]
fn what_is_measured_is_known_before() {
    for run in RUNS.iter() {
        let file = &EXPERIMENTS[run.of];
        let resolved = file.experiment.with(run.variant.as_deref(), &[]).expect("sound");
        let (before, found) = (sim_models::run::glance(&resolved), &run.report);
        let (known, what) = (before.leaves(), format!("{} {:?}", file.file.name, run.variant));
        for leaf in found.leaves().iter() {
            let path = leaf.path();
            let declared = known.get(&path).unwrap_or_else(|| panic!("{what}: {path} was not known"));
            if !path.starts_with("values") {
                assert_eq!(declared.meaning, leaf.meaning, "{what}: {path}");
            }
        }
    }
}

/// A number that is new in every report is new in every `s`: what measures nothing is left out. Which numbers some
/// report of a bundled experiment has is therefore a list.
#[test]
fn reports_have_the_keys_that_are_listed() {
    let mut keys = BTreeSet::new();
    for run in RUNS.iter() {
        let report = serde_json::to_value(&run.report).expect("a report can be written");
        list_keys(&report, "", false, &mut keys);
    }
    let found: String = keys.iter().map(|key| format!("{key}\n")).collect();
    golden::hold("keys.txt", &found, "snapshots reports_have_the_keys");
}

/// Keys under which a report has a map from names: names are the experiment's, and stand as `*`.
const NAMED: [&str; 3] = ["edges", "services", "values"];

/// Paths of all that is below `value`; `[]` stands for every item.
fn list_keys(value: &Value, path: &str, named: bool, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let below = match (path.is_empty(), named) {
                    (_, true) => format!("{path}.*"),
                    (true, false) => key.clone(),
                    (false, false) => format!("{path}.{key}"),
                };
                list_keys(value, &below, !named && NAMED.contains(&key.as_str()), keys);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| list_keys(it, &format!("{path}[]"), false, keys)),
        _ => _ = keys.insert(path.to_owned()),
    }
}

#[test]
fn every_experiment_says_what_it_shows() {
    for Read { file: File { name, text, .. }, experiment, warnings } in EXPERIMENTS.iter() {
        assert_eq!(warnings.trim_end(), warned(name), "{name} loads with warnings");
        let (about, headline) = (experiment.about(), first_sentence(experiment.about()));
        assert!(headline.len() < about.len() - 1, "{name}: one sentence is a headline; say why it is so");
        assert!(!experiment.expectations().is_empty(), "{name} expects nothing");
        assert!(text.contains("seed:"), "{name} leaves its seed to the default");
    }
}

#[test]
fn the_binary_knows_every_experiment() {
    let bundled: Vec<_> = BUNDLED.iter().map(|it| (it.family.to_owned(), it.name.to_owned())).collect();
    let files = EXPERIMENTS.iter().map(|it| (it.file.family.clone(), it.file.name.clone()));
    let files: Vec<_> = files.collect();
    assert_eq!(bundled, files);
    let names: BTreeSet<&str> = EXPERIMENTS.iter().map(|it| it.file.name.as_str()).collect();
    assert_eq!(names.len(), files.len(), "a base name is what people type: it must be unique");
    for folder in ["tests/snapshots", "tests/explanations"] {
        for path in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "snap") {
            assert!(names.contains(stem(&path).as_str()), "{} is of no experiment", path.display());
        }
    }
}

/// A file of `experiments/`, and what it says.
struct Read {
    file: File,
    experiment: Experiment,
    /// What loading it warned of.
    warnings: String,
}

/// What one run of an experiment came to.
struct Run {
    /// Its place in [`EXPERIMENTS`].
    of: usize,
    variant: Option<String>,
    report: Report,
    judgement: Judgement,
    replay: Replay,
}

/// All of them, by family and name.
static EXPERIMENTS: LazyLock<Vec<Read>> = LazyLock::new(|| experiments().into_iter().map(read).collect());

/// The base and the variants of each, in the order of the file; run once for all tests here.
static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let mut todo = Vec::new();
    for (of, file) in EXPERIMENTS.iter().enumerate() {
        todo.push((of, None));
        todo.extend(file.experiment.variant_names().map(|variant| (of, Some(variant.to_owned()))));
    }
    in_order(threads(None), &todo, |(of, variant)| run(*of, variant.clone()))
});

fn read(file: File) -> Read {
    let read = file.parse();
    let (experiment, warnings) = read.unwrap_or_else(|failed| panic!("{failed}"));
    // A variant may be there to show what one is warned of.
    let warnings: String =
        warnings.of(None).iter().map(|it| format!("{}: {}\n", it.path, it.message)).collect();
    Read { file, experiment, warnings }
}

fn run(of: usize, variant: Option<String>) -> Run {
    let Read { file: File { name, .. }, experiment, .. } = &EXPERIMENTS[of];
    let resolved =
        experiment.with(variant.as_deref(), &[]).unwrap_or_else(|failed| panic!("{name}: {failed}"));
    let seed = resolved.run.seed;
    let output = simulate(&resolved, &RunOptions::seeded(seed), &mut |_| ControlFlow::Continue(()));
    let replay = Replay {
        program: "brownout".into(),
        experiment: name.clone(),
        variant: variant.clone(),
        seed,
        ..Replay::default()
    };
    let prepared = Prepared {
        name: name.clone(),
        variant: variant.clone(),
        set: Vec::new(),
        seed,
        reseeded: false,
        resolved,
        replay: replay.clone(),
    };
    let judgement =
        judge(&prepared, experiment, &output.report).unwrap_or_else(|failed| panic!("{name}: {failed}"));
    assert_eq!((&judgement.not_enforced, &output.report.stopped), (&None, &None), "{name}");
    Run { of, variant, report: output.report, judgement, replay }
}

/// All runs of one experiment in words.
fn snapshot(of: usize) -> String {
    let Read { file, experiment, .. } = &EXPERIMENTS[of];
    let mut text = format!("{}/{}: {}\n", file.family, file.name, first_sentence(experiment.about()));
    for run in RUNS.iter().filter(|run| run.of == of) {
        text.push('\n');
        describe(run.variant.as_deref().unwrap_or("(as written)"), &run.report, &mut text)
            .expect("writing to a string");
    }
    text
}

fn describe(name: &str, report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{name}")?;
    writeln!(out, "  {:?}: {}", report.verdict.kind, report.verdict.headline)?;
    let summary = &report.summary;
    let parts = [
        summary.time_to_recover.map(|it| format!("recovered after {}", time(it))),
        summary.offered.map(|it| format!("offered {it:.1}/s")),
        summary.goodput.map(|it| format!("goodput {it:.1}/s")),
        summary.success.map(|it| format!("success {}", percent(it))),
        summary.amplification.map(|it| format!("amplification {it:.3}")),
        summary.wasted.map(|it| format!("wasted {}", percent(it))),
        summary.in_vain.filter(|it| *it > 0.0).map(|it| format!("in vain {}", percent(it))),
        summary.error_budget.filter(|it| *it > 0).map(|it| format!("error budget {}", time(it))),
    ];
    list(out, "  ", &parts)?;
    for (name, each) in report.edges.iter() {
        edge(name, each, out)?;
    }
    for stretch in Stretch::ALL {
        during(report, stretch, out)?;
    }
    for (name, each) in report.services.iter() {
        service(name, each, out)?;
    }
    for section in &report.sections {
        let values = section.values.iter().map(|(name, value)| Some(format!("{name} {}", told(value))));
        list(out, &format!("  {} {}: ", section.kind, section.at), &values.collect::<Vec<_>>())?;
    }
    for (name, value) in report.values.iter() {
        writeln!(out, "  {name}: {}", told(value))?;
    }
    for each in &report.tables {
        table(each, out)?;
    }
    writeln!(out, "  {} events, trajectory {}", report.run.events, report.digest.t)
}

/// What users got before, during and after what went wrong.
fn during(report: &Report, stretch: Stretch, out: &mut String) -> std::fmt::Result {
    let Some(part) = report.stretch(stretch).filter(|part| part.stretch.is_some()) else { return Ok(()) };
    let summary = &part.summary;
    let users = part.edges.iter().map(|(_, edge)| edge).find(|edge| edge.from_users);
    let parts = [
        summary.goodput.map(|it| format!("goodput {it:.1}/s")),
        summary.success.map(|it| format!("success {}", percent(it))),
        summary.lost.filter(|it| *it > 0).map(|it| format!("{it} lost")),
        users.and_then(|users| users.latency.p99).map(|it| format!("p99 {}", time(it))),
    ];
    list(out, &format!("  {stretch}: "), &parts)
}

/// A value and what theory gives.
fn told(value: &sim_models::report::Value) -> String {
    let number = |number: f64| match value.unit.as_str() {
        "ns" => time(number as u64),
        unit => format!("{number:.5} {unit}").trim_end().to_owned(),
    };
    let exact = value.exact.map(|exact| format!(", exact {}", number(exact))).unwrap_or_default();
    value.value.map_or("-".into(), number) + &exact
}

fn edge(name: &str, edge: &Edge, out: &mut String) -> std::fmt::Result {
    // A reviewer reads these without the page around them.
    let words = |ending: Ending| match ending {
        Ending::Failed(Outcome::Error) => "failed by an error",
        Ending::Deadline => "out of time",
        other => other.name(),
    };
    let calls = counts(Ending::all().map(|ending| (edge.calls.of(ending), words(ending))));
    writeln!(out, "  {name}: {} calls: {calls}", edge.calls.started)?;
    let sent = &edge.attempts;
    let attempts = counts(Outcome::ALL.map(|outcome| (sent.of(outcome), outcome.name())).into_iter());
    let parts = [
        Some(format!("{} attempts: {attempts}", sent.sent)),
        (sent.retries > 0).then(|| format!("{} retries", sent.retries)),
        (sent.rationed() > 0).then(|| format!("{} refused by the budget", sent.rationed())),
        edge.amplification.map(|it| format!("{it:.3} a call")),
        edge.per_user_call.map(|it| format!("{it:.3} a users' call")),
    ];
    if edge.attempts.sent != edge.calls.started || edge.calls.ok() != edge.attempts.of(Outcome::Ok) {
        list(out, "    ", &parts)?;
    }
    latency("answered", &edge.latency, out)?;
    latency("not answered", &edge.latency_failed, out)?;
    Ok(())
}

fn latency(what: &str, latency: &Latency, out: &mut String) -> std::fmt::Result {
    let at = |name: &str, nanos: Option<u64>| nanos.map(|nanos| format!("{name} {}", time(nanos)));
    if latency.count == 0 {
        return Ok(());
    }
    let parts =
        [at("p50", latency.p50), at("p99", latency.p99), at("max", latency.max), at("mean", latency.mean)];
    list(out, &format!("    {what} after: "), &parts)
}

fn service(name: &str, service: &Service, out: &mut String) -> std::fmt::Result {
    let parts = [
        Some(format!("utilisation {}", percent(service.utilisation))),
        (service.queue_max > 0)
            .then(|| format!("queue {:.2} on average, {} at most", service.queue_mean, service.queue_max)),
        service.wasted.filter(|wasted| *wasted > 0.0).map(|wasted| format!("wasted {}", percent(wasted))),
        (service.deaths > 0).then(|| format!("{} deaths", service.deaths)),
    ];
    list(out, &format!("  [{name}] "), &parts)
}

fn table(table: &Table, out: &mut String) -> std::fmt::Result {
    writeln!(out, "  {}: {}", table.title, table.columns.join(" | "))?;
    for row in table.rows.iter().take(ROWS) {
        let cells = row.iter().map(|cell| match cell {
            Cell::Count(count) => count.to_string(),
            Cell::Number(number) => format!("{number:.5}"),
            Cell::Text(text) => text.clone(),
            Cell::Empty(()) => "-".into(),
        });
        writeln!(out, "    {}", cells.collect::<Vec<_>>().join(" | "))?;
    }
    match table.rows.len().saturating_sub(ROWS) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

/// The parts that are there, on one line; no line if there is none.
fn list(out: &mut String, start: &str, parts: &[Option<String>]) -> std::fmt::Result {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "{start}{}", parts.join(", ")) }
}

/// What happened at all, and how often.
fn counts<'a>(of: impl Iterator<Item = (u64, &'a str)>) -> String {
    let seen = of.filter(|(count, _)| *count > 0);
    seen.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

fn time(nanos: u64) -> String {
    SimDuration::from_nanos(nanos).brief()
}
