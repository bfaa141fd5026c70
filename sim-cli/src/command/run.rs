//! `brownout run EXPERIMENT`: what happened, verdict first.

use crate::App;
use crate::args::{Format, Run};
use crate::error::{Exit, Result};
use crate::experiment::{Opened, Prepared};
use crate::files::OutDir;
use crate::progress::Meter;
use crate::render::run::{Page, next_steps, text};
use crate::simulate::{ending, simulate};
use crate::{expect, windows};
use sim_models::report::Report;

/// What `--out` writes.
const FILES: [&str; 3] = ["report.json", "report.txt", "windows.csv"];

pub(super) fn command(args: &Run, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.subject.set, args.subject.seed)?;
    if let Some(failed) = expect::check(&prepared, &opened.experiment, &app.console.interrupt)? {
        return Err(app.invalid(&failed));
    }
    let out = args.out.as_deref().map(|folder| OutDir::prepare(folder, &FILES)).transpose()?;

    let meter = Meter::of_run(&app.console, &prepared.name);
    let simulated = simulate(&prepared, &args.bounds, None, &app.console.interrupt, Some(&meter));
    meter.finish(&mut app.console, simulated.as_ref().ok().map(|output| output.report.run.events));
    let output = simulated?;
    let report = &output.report;
    let judged =
        expect::judge(&prepared, &opened.experiment, report).map_err(|failed| app.invalid(&failed))?;

    let page = page(&opened, report, judged);
    if let Some(out) = &out {
        out.write("report.json", json(report).as_bytes())?;
        out.write("report.txt", text(report, &page, crate::render::Style::default()).as_bytes())?;
        out.write("windows.csv", windows::csv(report).as_bytes())?;
    }
    app.console.document(&match args.format {
        Format::Text => text(report, &page, app.console.style()),
        Format::Json => json(report),
        Format::Csv => windows::csv(report),
    })?;

    let again = prepared.replay.bounded_line("run", &args.bounds);
    let ending = ending(&output, &app.console.interrupt);
    if ending != Exit::Good {
        app.console.say(&cut_short(&prepared, report, ending, &again));
        Ok(ending)
    } else if page.expectations.failed() {
        let failed = page.expectations.judged.iter().filter(|judged| !judged.holds).count();
        let all = page.expectations.judged.len();
        app.console.say(&format!("{failed} of {all} expectations failed\n  again: {again}"));
        Ok(Exit::Failed)
    } else {
        Ok(Exit::Good)
    }
}

fn page(opened: &Opened, report: &Report, expectations: expect::Judgement) -> Page {
    let has_variants = !opened.experiment.variants().is_empty();
    let has_sweep = !opened.experiment.axes().is_empty();
    Page { expectations, next: next_steps(report, &opened.found.argument, has_variants, has_sweep) }
}

/// One line: a report is for programs.
fn json(report: &Report) -> String {
    serde_json::to_string(report).expect("a report holds only numbers, texts and named maps") + "\n"
}

/// Why the result is partial, and how to get it again.
pub(super) fn cut_short(prepared: &Prepared, report: &Report, ending: Exit, again: &str) -> String {
    let why = report.stopped.as_deref().unwrap_or("the end");
    let what = match ending {
        Exit::Limit => "stopped at a limit",
        Exit::Interrupted => "interrupted",
        _ => "terminated",
    };
    let name = &prepared.name;
    format!("{name}: {what}: {why}; the result covers only what was reached\n  again: {again}")
}
