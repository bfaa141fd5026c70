//! Which mechanism helps: what to try first, then each with what it does and what to set for it.

use crate::render::find::head;
use crate::result::column::in_csv;
use crate::result::helped::{Does, Helped, Tried};
use crate::result::seeds::settings;
use crate::text::number::count;
use crate::text::table::{csv_line, escape_markdown};
use crate::text::{Paint, Style, clean, joined, pad, quiet, unit, wrap};

/// What stands above those that do so.
const HEADS: [(Does, &str, Paint); 3] = [
    (Does::Helps, "helps", Paint::Good),
    (Does::Unclear, "no clear difference", Paint::Quiet),
    (Does::Hurts, "hurts", Paint::Bad),
];

/// So many of each kind are told with what to set for them; the others by name.
const MOST: usize = 12;

/// The page.
pub fn text(told: &Helped, style: Style) -> String {
    let tried = format!("{} settings, {} runs", count(told.tried as u64), count(told.runs as u64));
    let said = ["which mechanism helps?".to_string(), told.aim(), tried].into_iter();
    let title = head(
        &told.experiment,
        said.chain(settings(told.variant.as_deref(), &told.set)),
        &told.incomplete,
        style,
    );
    let (paint, word) = told.word();
    let helps = told.those(Does::Helps);
    let mut answer = Vec::new();
    match helps.first() {
        Some(first) => {
            answer.push(format!(
                "  {}  {}",
                style.paint(paint, word),
                style.paint(Paint::Strong, &clean(&first.name))
            ));
            let indent = " ".repeat(word.len() + 4);
            let lines =
                [told.measures(first, style), format!("today: {}", told.measures(&told.today, style))];
            answer.extend(lines.iter().flat_map(|line| indented(line, &indent, style)));
            answer.push(format!("{indent}{}", style.paint(Paint::Strong, &first.line())));
        }
        None => {
            answer.push(format!("  {}", style.paint(paint, word)));
            answer.extend(indented(&format!("today: {}", told.measures(&told.today, style)), "    ", style));
        }
    }
    let mut place = Vec::new();
    for (n, line) in wrap(&told.place(), style.columns() - 10).iter().enumerate() {
        let head = if n == 0 { style.paint(Paint::Quiet, &pad("where", 6)) } else { " ".repeat(6) };
        place.push(format!("  {head}  {line}"));
    }
    let mut sections = vec![title, answer, place];
    for (does, name, paint) in HEADS {
        let those = told.those(does);
        if those.is_empty() {
            continue;
        }
        let mut lines = vec![format!("  {}", style.paint(paint, name))];
        if does == Does::Unclear {
            let names: Vec<String> = those.iter().map(|one| clean(&one.name)).collect();
            lines.extend(indented(&names.join(", "), "    ", style));
        } else {
            lines[0] += &style.paint(Paint::Quiet, &format!("  ({})", told.head()));
            let width = those.iter().map(|one| one.name.len()).max().unwrap_or(0);
            let (first, rest) = those.split_at(those.len().min(MOST));
            for one in first {
                let indent = " ".repeat(width + 6);
                let said = indented(&told.in_short(one, style), &indent, style);
                let first = said.first().map_or("", |line| line.trim_start());
                lines.push(format!("    {}  {first}", pad(&clean(&one.name), width)));
                lines.extend(said.iter().skip(1).cloned());
                lines.push(format!("      {}", style.paint(Paint::Quiet, &one.line())));
            }
            if !rest.is_empty() {
                let names: Vec<String> = rest.iter().map(|one| clean(&one.name)).collect();
                let more =
                    format!("and, less: {}; --format csv tells what to set for each", names.join(", "));
                lines.extend(indented(&more, "    ", style));
            }
        }
        sections.push(lines);
    }
    if !told.idle.is_empty() {
        let mut lines = vec![format!("  {}", style.paint(Paint::Quiet, "changes nothing at all"))];
        lines.extend(indented(&clean(&told.idle.join(", ")), "    ", style));
        sections.push(lines);
    }
    sections.push(quiet(&told.how(), "  ", style));
    let look = told.look.as_ref().map(|line| format!("  {}  {line}", style.paint(Paint::Quiet, "see it")));
    sections.push(look.into_iter().collect());
    joined(&sections)
}

fn indented(text: &str, indent: &str, style: Style) -> Vec<String> {
    let columns = style.columns().saturating_sub(indent.len());
    wrap(text, columns).iter().map(|line| format!("{indent}{line}")).collect()
}

/// For a pull request.
pub fn markdown(told: &Helped) -> String {
    let style = Style::default();
    let mut out = format!("### {}: which mechanism helps?\n\n", escape_markdown(&told.experiment));
    for why in &told.incomplete {
        out += &format!("**Incomplete:** {}\n\n", escape_markdown(why));
    }
    out += &format!("{}. On {}\n\n", escape_markdown(&told.aim()), escape_markdown(&told.place()));
    out += &format!("Today: {}\n\n", escape_markdown(&told.measures(&told.today, style)));
    out += "| | mechanism | on fresh seeds | set |\n| --- | --- | --- | --- |\n";
    for (does, name, _) in HEADS.into_iter().filter(|(does, ..)| *does != Does::Unclear) {
        for one in told.those(does) {
            out += &format!(
                "| {name} | {} | {} | `{}` |\n",
                escape_markdown(&one.name),
                escape_markdown(&told.measures(one, style)),
                clean(&one.line()).replace('`', "").replace('|', "\\|")
            );
        }
    }
    let names = |those: Vec<String>| escape_markdown(&those.join(", "));
    let unclear: Vec<String> = told.those(Does::Unclear).iter().map(|one| one.name.clone()).collect();
    for (what, those) in [("No clear difference", unclear), ("Changes nothing at all", told.idle.clone())] {
        if !those.is_empty() {
            out += &format!("\n{what}: {}.\n", names(those));
        }
    }
    out += &format!("\n{}.\n", escape_markdown(&told.how()));
    if let Some(command) = &told.look {
        out += &format!("\n```\n{command}\n```\n");
    }
    out
}

/// A row for each mechanism, today's first.
pub fn csv(told: &Helped) -> String {
    let heads = [
        "does",
        "mechanism",
        "settings",
        "metric",
        "unit",
        "n",
        "held",
        "mean",
        "half_width",
        "difference",
        "difference_half_width",
        "tried",
    ];
    let mut out = csv_line(heads);
    let row = |does: &str, one: &Tried| {
        let number = |x: Option<f64>| in_csv(x, told.metric.unit);
        let effect = one.effect.as_ref();
        csv_line([
            does.to_string(),
            one.name.clone(),
            one.line(),
            told.metric.path.clone(),
            unit::of_csv(told.metric.unit).into(),
            one.n.to_string(),
            one.held.to_string(),
            number(one.objective.mean),
            number(one.objective.half_width),
            number(effect.and_then(|effect| effect.difference)),
            number(effect.and_then(|effect| effect.half_width)),
            one.tried.to_string(),
        ])
    };
    out += &row("today", &told.today);
    for one in &told.mechanisms {
        let does = match one.does {
            Does::Helps => "helps",
            Does::Unclear => "unclear",
            Does::Hurts => "hurts",
        };
        out += &row(does, one);
    }
    out
}
