//! Running what is checked, and holding it to what is expected.

use super::{Check, moved};
use crate::error::{Error, Exit, Result};
use crate::experiment::{Opened, Prepared};
use crate::golden::facts::Facts;
use crate::golden::{self, Golden};
use crate::progress::Meter;
use crate::replay::{Replay, quote};
use crate::result::checked::{Checked, Problem};
use crate::simulate::{ending, simulate};
use crate::text::escape_path;
use crate::{App, expect, jobs};
use sim_models::experiment::Failed;
use sim_models::report::Metric;
use sim_models::run::RunOutput;
use std::path::PathBuf;

/// The base or a variant: its own seed's run, and what the further seeds came to.
pub(super) struct Run {
    pub prepared: Prepared,
    pub output: RunOutput,
    /// Of each further seed: what was measured of each expectation, and why it was cut short.
    further: Vec<(Vec<Metric>, Option<String>)>,
}

/// What an experiment came to, the mistakes that only a run shows, and the exit code.
pub(super) struct Judged {
    pub checked: Checked,
    pub unknown: Vec<Failed>,
    pub exit: Exit,
}

enum Kept {
    Whole(Box<RunOutput>),
    Read(Vec<Metric>, Option<String>),
}

/// Runs all of all experiments, on as many seeds as their expectations ask for.
pub(super) fn run(experiments: &[Opened], args: &Check, app: &mut App) -> Result<Vec<Vec<Run>>> {
    let mut jobs: Vec<(&Opened, Prepared, bool)> = Vec::new();
    for opened in experiments {
        for variant in variants(opened) {
            let first = app.prepare(opened, variant, &[], None)?;
            let seeds = expect::seeds(&first, &opened.experiment, args.seeds);
            let seed = first.seed;
            jobs.push((opened, first, true));
            for n in 1..u64::from(seeds) {
                jobs.push((opened, app.prepare(opened, variant, &[], Some(seed.wrapping_add(n)))?, false));
            }
        }
    }
    let meter = Meter::of_runs(&app.console, "check", jobs.len());
    let interrupt = app.console.interrupt.clone();
    let kept = jobs::in_order(jobs::threads(app.global.jobs), &jobs, |(opened, prepared, whole)| {
        if let Some(exit) = interrupt.exit() {
            return Err(Error::Stopped(exit));
        }
        let output = simulate(prepared, &args.bounds, None, &interrupt, None);
        meter.run_done();
        let output = output?;
        if *whole {
            return Ok(Kept::Whole(Box::new(output)));
        }
        let count = expect::about(prepared, &opened.experiment).count();
        let absent = |_| vec![Metric::Absent; count];
        let read = expect::read(prepared, &opened.experiment, &output.report).unwrap_or_else(absent);
        Ok(Kept::Read(read, output.report.stopped))
    });
    meter.finish(&mut app.console, None);
    if let Some(exit) = interrupt.exit() {
        return Err(Error::Stopped(exit));
    }
    let kept = kept.into_iter().collect::<Result<Vec<Kept>>>()?;
    let mut runs: Vec<Vec<Run>> = experiments.iter().map(|_| Vec::new()).collect();
    for ((opened, prepared, _), kept) in jobs.into_iter().zip(kept) {
        let of = experiments.iter().position(|one| std::ptr::eq(one, opened)).expect("one of them");
        match kept {
            Kept::Whole(output) => runs[of].push(Run { prepared, output: *output, further: Vec::new() }),
            Kept::Read(read, stopped) => {
                runs[of].last_mut().expect("its first seed comes first").further.push((read, stopped));
            }
        }
    }
    Ok(runs)
}

/// The base, and the variants of which something is expected, in the order of the file.
fn variants(opened: &Opened) -> Vec<Option<&str>> {
    let expected = |name: &&str| {
        opened.experiment.expectations().iter().any(|e| e.variant.as_ref().is_some_and(|v| v.value == *name))
    };
    std::iter::once(None).chain(opened.experiment.variant_names().filter(expected).map(Some)).collect()
}

/// Holds the runs of one experiment to what is expected, and to its snapshot.
pub(super) fn check(
    opened: &Opened,
    runs: &[Run],
    golden: Option<PathBuf>,
    args: &Check,
    app: &mut App,
) -> Result<Judged> {
    let mut checked = Checked {
        experiment: opened.found.name.clone(),
        file: opened.found.path.as_deref().map(|path| {
            let shown = escape_path(path);
            shown.strip_prefix("./").map(String::from).unwrap_or(shown)
        }),
        results: runs[0].output.report.digest.s.clone(),
        ..Checked::default()
    };
    let (mut exit, mut unknown, mut pages) = (Exit::Good, Vec::new(), Vec::new());
    for Run { prepared, output, further } in runs {
        exit = exit.max(ending(output, &app.console.interrupt));
        let replay = |seed: u64| Replay { seed, ..prepared.replay.clone() }.bounded_line("run", &args.bounds);
        let all = std::iter::once(&output.report.stopped).chain(further.iter().map(|(_, stopped)| stopped));
        let mut cut = all.enumerate().filter_map(|(n, stopped)| Some((n as u64, stopped.as_ref()?)));
        if let Some((n, stopped)) = cut.next() {
            let more = match cut.count() {
                0 => String::new(),
                more => format!(", and so {more} more seeds"),
            };
            exit = exit.max(Exit::Limit);
            checked.stopped.push(format!("{stopped}{more}"));
            checked.again.push(replay(prepared.seed.wrapping_add(n)));
        }
        let first = match expect::read(prepared, &opened.experiment, &output.report) {
            Ok(first) => first,
            Err(failed) => {
                exit = exit.max(Exit::Invalid);
                checked.problems.extend(problems(&failed));
                unknown.push(failed);
                continue;
            }
        };
        // A page tells its own run, so that a snapshot does not depend on --seeds.
        let own = expect::judge(prepared, &opened.experiment, &output.report);
        pages.push(golden::page(&output.report, &own.map_err(|failed| app.invalid(&failed))?));
        let readings: Vec<Vec<Metric>> =
            std::iter::once(first).chain(further.iter().map(|(read, _)| read.clone())).collect();
        let judgement = expect::judge_over(prepared, &opened.experiment, &readings, args.seeds);
        let enforced = output.report.stopped.is_none();
        for mut judged in judgement.judged {
            if !judged.holds {
                judged.again = judged.worst_seed.map(replay);
            }
            if judged.fails() || (judged.undecided && !args.allow_undecided) {
                checked.again.extend(judged.again.clone());
                exit = exit.max(if enforced { Exit::Failed } else { exit });
            }
            checked.expectations.push(judged);
        }
    }
    if let Some(path) = golden.filter(|_| checked.stopped.is_empty() && unknown.is_empty()) {
        let now = golden::snapshot(&checked.experiment, &pages);
        let facts = Facts::of(&now, runs.iter().map(|run| &run.output.report));
        let compared = golden::compare(&path, &now, &facts, args.bless, args.golden.is_some())?;
        checked.snapshot = compared.as_ref().map(|golden| golden.words().to_string());
        if compared.as_ref().is_some_and(Golden::failed) {
            exit = exit.max(Exit::Failed);
            checked.again.push(command(opened, args, app));
        }
        if let Some(Golden::Differs { difference, before }) = compared {
            checked.difference = Some(difference);
            match before {
                Ok(before) => checked.moved = moved::explain(&before, &facts, opened, runs, args, app)?,
                Err(why) => checked.note = Some(format!("{why}; --bless writes it")),
            }
        }
    }
    let mut seen = Vec::new();
    checked.again.retain(|again| {
        !seen.contains(again) && {
            seen.push(again.clone());
            true
        }
    });
    checked.good = exit == Exit::Good;
    checked.exit = exit.code();
    Ok(Judged { checked, unknown, exit })
}

/// The command that compares this experiment alone with its snapshot.
fn command(opened: &Opened, args: &Check, app: &App) -> String {
    let mut line = format!("brownout check {}", quote(&opened.found.argument));
    if let Some(folder) = &args.golden {
        line += &format!(" --golden {}", quote(&folder.to_string_lossy()));
    }
    if let Some(dir) = &app.global.dir {
        line += &format!(" --dir {}", quote(&dir.to_string_lossy()));
    }
    line
}

fn problems(failed: &Failed) -> impl Iterator<Item = Problem> {
    failed.diagnostics.iter().map(|problem| Problem {
        line: problem.span().map_or(1, |span| failed.sources.position(span).line),
        message: problem.message.clone(),
    })
}
