//! What a run leaves: one document on standard output, and every form of it as a file in `--out`.
//!
//! What matters most goes first: the report that holds everything, the page that people read, what was asked for on standard
//! output; then tables, the page with plots, and what is long. Whoever is told to end meanwhile writes what there is time for
//! ([`Interrupt::is_late`]) and names what is missing: a file is whole or not there.

use super::{Run, RunFormat};
use crate::app::App;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::html;
use crate::out::OutDir;
use crate::render::markdown::markdown;
use crate::render::openmetrics::openmetrics;
use crate::render::run::text;
use crate::render::screen::screen;
use crate::render::{Patience, replicated, tables, windows};
use crate::result::page::Page;
use crate::seal::sealed;
use crate::signal::Interrupt;
use crate::simulate::trace;
use crate::text::Style;
use crate::text::table::csv_of_part;
use sim_models::report::Report;
use sim_models::trace::{Selection, Trace};

/// What `--out` writes.
pub(super) const FILES: [&str; 11] = [
    "report.html",
    "report.json",
    "report.txt",
    "windows.csv",
    "tidy.csv",
    "edges.csv",
    "services.csv",
    "latency.csv",
    "metrics.om",
    "replications.json",
    "replications.csv",
];
/// Of these, what one run writes.
pub(super) const OF_ONE: usize = 9;

/// The result of a run, and what was asked for.
pub(super) struct Whole<'a> {
    pub args: &'a Run,
    pub prepared: &'a Prepared,
    pub report: &'a Report,
    pub page: &'a Page,
}

impl Whole<'_> {
    /// Writes all of it, as long as there is time; what is missing.
    pub(super) fn write(&self, app: &mut App, out: Option<&OutDir>) -> Result<Vec<&'static str>> {
        let interrupt = app.console.interrupt.clone();
        let late = || interrupt.is_late();
        let patience = Patience::until(&late);
        if let Some(out) = out {
            self.first(out, &patience)?;
        }
        let of_document = Patience::until(&late);
        let document = self.document(app.console.style(), &of_document);
        // Nobody may be reading: the files are written all the same.
        let printed = app.console.document(&document);
        if let Some(out) = out {
            self.rest(out, &patience, &interrupt)?;
        }
        printed?;
        let cut = of_document.ended().then_some("the end of what was printed");
        Ok(cut.into_iter().chain(out.map(OutDir::too_late).unwrap_or_default()).collect())
    }

    fn document(&self, style: Style, patience: &Patience) -> String {
        let (args, report) = (self.args, self.report);
        match (args.format, &self.page.replicated) {
            (RunFormat::Text, _) if args.full => text(report, self.page, style),
            (RunFormat::Text, _) => screen(report, self.page, style),
            (RunFormat::Json, None) => sealed(&report.to_json()),
            (RunFormat::Csv, None) => self.part(windows::csv(report, patience), patience),
            (RunFormat::Json, Some(replicated)) => sealed(&crate::render::json(replicated)),
            (RunFormat::Csv, Some(replicated)) => {
                csv_of_part(replicated::csv(replicated), &replicated.incomplete)
            }
            (RunFormat::Markdown, _) => {
                let again = self.page.next.iter().find(|(what, _)| what == "again");
                markdown(report, self.page, again.map_or("", |(_, line)| line))
            }
            (RunFormat::TidyCsv, _) => self.part(windows::tidy_csv(report, patience), patience),
            (RunFormat::OpenMetrics, _) => openmetrics(report, args.epoch, patience),
        }
    }

    /// A table of a part says so.
    fn part(&self, table: String, patience: &Patience) -> String {
        let cut = patience.ended().then(|| "cut short while it was written".to_owned());
        csv_of_part(table, &self.report.stopped.iter().cloned().chain(cut).collect::<Vec<_>>())
    }

    fn first(&self, out: &OutDir, patience: &Patience) -> Result<()> {
        let (report, part) = (self.report, |table| Ok(self.part(table, patience)));
        out.write_in_time("report.json", patience, || Ok(sealed(&report.to_json())))?;
        out.write_in_time("report.txt", patience, || Ok(text(report, self.page, Style::default())))?;
        out.write_in_time("edges.csv", patience, || part(tables::edges(report)))?;
        out.write_in_time("services.csv", patience, || part(tables::services(report)))?;
        if let Some(replicated) = &self.page.replicated {
            let json = || Ok(sealed(&crate::render::json(replicated)));
            out.write_in_time("replications.json", patience, json)?;
            let csv = || Ok(csv_of_part(replicated::csv(replicated), &replicated.incomplete));
            out.write_in_time("replications.csv", patience, csv)?;
        }
        Ok(())
    }

    fn rest(&self, out: &OutDir, patience: &Patience, interrupt: &Interrupt) -> Result<()> {
        let (report, part) = (self.report, |table| Ok(self.part(table, patience)));
        out.write_in_time("windows.csv", patience, || part(windows::csv(report, patience)))?;
        out.write_in_time("report.html", patience, || self.html(interrupt))?;
        out.write_in_time("latency.csv", patience, || part(tables::latency(report)))?;
        out.write_in_time("tidy.csv", patience, || part(windows::tidy_csv(report, patience)))?;
        out.write_in_time("metrics.om", patience, || Ok(openmetrics(report, self.args.epoch, patience)))
    }

    /// The page of the run, with a few of its calls.
    fn html(&self, interrupt: &Interrupt) -> Result<String> {
        let traces = self.traces(interrupt)?;
        let effective = self.prepared.resolved.canonical.to_string();
        let again = self.prepared.replay.bounded_line("trace", &self.args.bounds);
        let diagram = self.prepared.resolved.model.diagram();
        let around = html::run::Around {
            page: self.page,
            effective: &effective,
            diagram: &diagram,
            traces: &traces,
            again: &again,
        };
        Ok(html::run::page(self.report, &around).html())
    }

    /// A few calls: for those the run is made again, on the same luck. Not if it was told to end, or is told meanwhile.
    fn traces(&self, interrupt: &Interrupt) -> Result<Vec<Trace>> {
        let few = Selection { slowest: 2, failed: 3, ..Selection::default() };
        if self.prepared.resolved.model.untraceable().is_some() || interrupt.exit().is_some() {
            return Ok(Vec::new());
        }
        Ok(trace(self.prepared, &self.args.bounds, few, interrupt, None)?.traces)
    }
}
