//! Several distributions over each other: variants, saved runs, parts of a run.

use super::{Histogram, HistogramFormat, during, edge, made, saved};
use crate::app::App;
use crate::error::{Error, Exit, Result};
use crate::experiment::BASE;
use crate::render::{histogram as page, json};
use crate::result::distribution::{self, Distribution, Overlaid};
use crate::text::number::percent;
use crate::text::table::{csv_line, csv_of_part};
use crate::text::{Paint, Style, clean, quiet, wrap};
use sim_models::report::{Edge, Report};

/// One of them.
struct Curve {
    name: String,
    report: Report,
    edge: String,
    during: Option<String>,
}

impl Curve {
    fn edge(&self) -> &Edge {
        self.report.edges.get(&self.edge).expect("found before")
    }

    fn unanswered(&self) -> u64 {
        self.edge().response.unanswered
    }
}

/// Whether more than one is asked for.
pub(super) fn several(args: &Histogram) -> bool {
    args.variant.len() + args.with.len() > 1 || args.during.len() > 1 || !args.with.is_empty()
}

pub(super) fn command(args: &Histogram, app: &mut App) -> Result<Exit> {
    let (formats, out) = (args.format, args.out.is_some());
    if out || matches!(formats, HistogramFormat::Hgrm | HistogramFormat::Hlog) {
        return Err(Error::usage(
            "several distributions are one page, --format json or --format csv".to_string(),
        ));
    }
    let mut exit = Exit::Good;
    let mut reports: Vec<(String, Report)> = Vec::new();
    let variants: Vec<Option<&str>> = match args.variant.as_slice() {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str()).filter(|name| *name != BASE)).collect(),
    };
    for variant in variants {
        let (report, ended) = made(args, variant, app)?;
        exit = exit.max(ended);
        reports.push((report.variant.clone().unwrap_or_else(|| BASE.into()), report));
    }
    for file in &args.with {
        reports.push((file.clone(), saved(file, app)?));
    }
    let parts: Vec<Option<&String>> =
        if args.during.is_empty() { vec![None] } else { args.during.iter().map(Some).collect() };
    let mut curves = Vec::new();
    for (name, report) in &reports {
        for part in &parts {
            let stretch = part.map(|text| during(text)).transpose()?;
            // A run that nothing disturbs has no such part: the others have.
            let of_part = stretch.map_or_else(|| Some(report.clone()), |stretch| report.part(stretch));
            let Some(of_part) = of_part else { continue };
            let (edge, _) = edge(args, &of_part)?;
            let names = [(reports.len() > 1).then_some(name), *part];
            let name: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
            curves.push(Curve {
                name: if name.is_empty() { BASE.into() } else { name.join(" ") },
                edge: edge.to_string(),
                during: part.cloned(),
                report: of_part,
            });
        }
    }
    let document = match args.format {
        HistogramFormat::Csv => {
            let why: Vec<&String> = curves.iter().filter_map(|curve| curve.report.stopped.as_ref()).collect();
            csv_of_part(csv(&curves), &why)
        }
        HistogramFormat::Json => json(&overlaid(&curves)),
        _ => text(&curves, app.console.style()),
    };
    app.console.document(&document)?;
    Ok(exit)
}

fn overlaid(curves: &[Curve]) -> Overlaid<'_> {
    Overlaid { format: distribution::FORMAT, curves: curves.iter().map(distribution_of).collect() }
}

fn distribution_of(curve: &Curve) -> Distribution<'_> {
    Distribution {
        format: distribution::FORMAT,
        experiment: &curve.report.experiment,
        variant: curve.report.variant.as_deref(),
        seed: curve.report.run.seed,
        edge: &curve.edge,
        during: curve.during.as_deref(),
        incomplete: curve.report.stopped.as_deref(),
        latency: &curve.edge().latency,
        response: &curve.edge().response,
    }
}

fn text(curves: &[Curve], style: Style) -> String {
    let Some(first) = curves.first() else { return "nothing to show\n".into() };
    let title =
        [clean(&first.report.experiment), clean(&first.edge), format!("seed {}", first.report.run.seed)];
    let title = title.join(style.pick(" · ", ", "));
    let mut lines: Vec<String> =
        wrap(&title, style.columns()).iter().map(|line| style.paint(Paint::Strong, line)).collect();
    lines.push(String::new());
    let rows: Vec<(String, _, u64)> =
        curves.iter().map(|curve| (clean(&curve.name), &curve.edge().latency, curve.unanswered())).collect();
    lines.extend(page::overlay(&rows, style));
    lines.push(String::new());
    for (curve, why) in curves.iter().filter_map(|curve| Some((curve, curve.report.stopped.as_ref()?))) {
        let said = format!("STOPPED EARLY by a limit, {}: {}", clean(&curve.name), clean(why));
        lines.extend(wrap(&said, style.columns()));
    }
    let few = |curve: &Curve| {
        let success = curve.edge().success?;
        Some(format!("{} {}", clean(&curve.name), percent(success)))
    };
    lines.extend(page::percentiles(
        curves.iter().map(|curve| (curve.name.as_str(), &curve.edge().latency)),
        style,
    ));
    let shares: Vec<String> = curves.iter().filter_map(few).collect();
    lines.extend(quiet(&format!("of calls that ended well: {}", shares.join(", ")), "  ", style));
    lines.push(String::new());
    lines.extend(page::of_all(
        curves.iter().map(|curve| (curve.name.as_str(), &curve.edge().response)),
        style,
    ));
    lines.extend(quiet(
        "of all calls: whoever got no answer waited longer than any answer took",
        "  ",
        style,
    ));
    lines.join("\n") + "\n"
}

/// One row per curve and bucket; those that were not answered come last, at no time.
fn csv(curves: &[Curve]) -> String {
    let mut out = csv_line(["curve", "at_most_ns", "count", "cumulative"]);
    for curve in curves {
        let mut cumulative = 0;
        for &(highest, count) in &curve.edge().latency.histogram {
            cumulative += count;
            out += &csv_line([
                curve.name.clone(),
                highest.to_string(),
                count.to_string(),
                cumulative.to_string(),
            ]);
        }
        let unanswered = curve.unanswered();
        let all = (cumulative + unanswered).to_string();
        out += &csv_line([curve.name.clone(), String::new(), unanswered.to_string(), all]);
    }
    out
}
