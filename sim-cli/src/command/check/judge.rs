//! Running what is checked, and holding it to what is expected.

use super::runs::Run;
use super::{Check, moved};
use crate::app::App;
use crate::error::{Exit, Result};
use crate::expect;
use crate::experiment::Opened;
use crate::golden::facts::Facts;
use crate::golden::{self, Golden, whose};
use crate::render::run::text;
use crate::replay::{Replay, quote};
use crate::result::checked::{Checked, Problem};
use crate::result::judged::Judgement;
use crate::result::page::Page;
use crate::simulate::ending;
use crate::text::{Style, escape_path};
use sim_models::experiment::Failed;
use sim_models::report::Metric;
use sim_models::report::Report;
use std::path::PathBuf;

/// What an experiment came to, the mistakes that only a run shows, and the exit code.
pub(super) struct Judged {
    pub checked: Checked,
    pub unknown: Vec<Failed>,
    pub exit: Exit,
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
        pages.push(page(&output.report, &own.map_err(|failed| app.invalid(&failed))?));
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
        let of_run = |run: &'_ Run| run.prepared.resolved.said();
        let facts = Facts::of(&now, runs.iter().map(|run| (&run.output.report, of_run(run))));
        let compared =
            golden::compare(&app.console.disk, &path, &now, &facts, args.bless, args.golden.is_some())?;
        checked.snapshot = compared.as_ref().map(|golden| golden.words().to_string());
        if compared.as_ref().is_some_and(Golden::failed) {
            exit = exit.max(Exit::Failed);
            checked.again.push(command(opened, args, app));
        }
        if let Some(Golden::Differs { difference, before }) = compared {
            checked.difference = Some(difference);
            match before {
                Ok(before) => {
                    checked.moved = moved::explain(&before, &facts, opened, runs, args, app)?;
                    checked.note = whose::told(&before, &facts, &checked.experiment);
                }
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
    let mut line = format!("{} check {}", app.program, quote(&opened.found.argument));
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

/// One run of a snapshot.
fn page(report: &Report, expectations: &Judgement) -> String {
    text(report, &Page { expectations: expectations.clone(), ..Page::default() }, Style::default())
}
