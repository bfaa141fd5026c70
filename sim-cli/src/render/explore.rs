//! The page of random schedules.

use crate::render::sequence;
use crate::result::explored::{Explored, Found};
use crate::text::number::{count, duration};
use crate::text::{Paint, Style, clean, quiet, wrap};

/// The page; with `file` the scenario that was found is printed, too.
pub fn text(explored: &Explored, file: bool, style: Style) -> String {
    let dot = style.pick(" · ", ", ");
    let variant = explored.variant.iter().map(|variant| format!("variant {}", clean(variant)));
    let title: Vec<String> = std::iter::once(clean(&explored.experiment))
        .chain(variant)
        .chain([
            format!(
                "{} {} from seed {}",
                count(explored.seeds),
                if explored.seeds == 1 { "schedule" } else { "schedules" },
                explored.first
            ),
            format!("{} events", count(explored.events)),
        ])
        .collect();
    let mut sections = vec![
        wrap(&title.join(dot), style.columns())
            .iter()
            .map(|line| style.paint(Paint::Strong, line))
            .collect::<Vec<_>>(),
    ];
    match &explored.found {
        None => {
            let word = style.paint(Paint::Good, "NOTHING BROKE");
            sections.push(vec![format!("{word}: every invariant held after every event, and clients were served once faults were over, where they end")]);
        }
        Some(found) => sections.extend(broken(found, file, style)),
    }
    sections.push(reached(explored, style));
    sections
        .into_iter()
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n") + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

fn broken(found: &Found, file: bool, style: Style) -> Vec<Vec<String>> {
    let headline = format!("BROKEN: {}", clean(&found.broken));
    let mut head: Vec<String> = vec![style.paint(Paint::Bad, &headline)];
    head.extend(wrap(&clean(&found.how), style.columns() - 2).into_iter().map(|line| format!("  {line}")));
    let whole = if found.whole { "the shortest" } else { "not the shortest perhaps" };
    let tried = format!(
        "seed {}, at {}; {whole} of {} that were tried:",
        found.seed,
        duration(found.at),
        count(found.tried)
    );
    head.extend(quiet(&tried, "  ", style));
    let mut sections = vec![head, sequence::text(&found.sequence, style)];
    if file {
        sections.push(found.experiment.trim_end().lines().map(clean).collect());
    }
    sections
}

/// What should come about now and then.
fn reached(explored: &Explored, style: Style) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let most = explored.reached.iter().map(|(_, times)| count(*times).len()).max().unwrap_or(0);
    for (what, times) in &explored.reached {
        lines.push(format!("  {:>most$} times  {}", count(*times), clean(what)));
    }
    for what in &explored.not_reached {
        lines.push(style.paint(Paint::Doubtful, &format!("  {:>most$} times  {}", "0", clean(what))));
    }
    if !lines.is_empty() {
        lines.insert(0, style.paint(Paint::Strong, "what schedules should reach, and how often they did"));
    }
    lines
}
