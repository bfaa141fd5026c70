//! The page of which mechanism helps.

use super::table::{Cell, Table};
use super::{Block, Page, Section, Verdict, again};
use crate::result::helped::{Does, Helped};
use crate::result::seeds::settings;
use crate::text::number::count;
use crate::text::{Style, upper_first};

/// The page; `again_line` is the command that makes it.
pub fn page(told: &Helped, again_line: &str) -> Page {
    let style = Style::default();
    let (paint, word) = told.word();
    let today = format!("today: {}", told.measures(&told.today, style));
    let verdict = match told.those(Does::Helps).first() {
        Some(first) => Verdict {
            word: word.into(),
            paint,
            headline: first.name.clone(),
            details: vec![told.measures(first, style), today, first.line()],
        },
        None => Verdict { word: word.into(), paint, headline: today, details: Vec::new() },
    };
    let mut commands: Vec<(String, String)> =
        told.look.iter().map(|line| ("see it".into(), line.clone())).collect();
    if !again_line.is_empty() {
        commands.push(("again".into(), again_line.into()));
    }
    let table = |does: Does, caption: &str, class: &'static str| -> Vec<Block> {
        let those = told.those(does);
        if those.is_empty() {
            return Vec::new();
        }
        let caption = format!("{caption}: {}", told.head());
        let mut table =
            Table::new(&caption).words("mechanism").words("on fresh seeds").words("set").words("what it is");
        for one in those {
            table.row([
                Cell::classed(&one.name, class),
                told.in_short(one, style).into(),
                one.line().into(),
                one.what.clone().into(),
            ]);
        }
        vec![Block::Html(format!("<div class=\"sentences\">\n{}</div>\n", table.build()))]
    };
    let idle = (!told.idle.is_empty())
        .then(|| Block::Note(format!("Changes nothing at all: {}.", told.idle.join(", "))));
    let sections = [
        Section::of("helps", "What helps", table(Does::Helps, "The most first", "good")),
        Section::of("hurts", "What hurts", table(Does::Hurts, "The worst first", "bad")),
        Section::of(
            "unclear",
            "What makes no clear difference",
            table(Does::Unclear, "On these seeds", "plain").into_iter().chain(idle).collect(),
        ),
        Section::of(
            "how",
            "How it was found out",
            vec![Block::Note(upper_first(&told.place()) + "."), Block::Note(told.how() + ".")],
        ),
        again(&commands, &[], ""),
    ];
    let tried = format!("{} settings, {} runs", count(told.tried as u64), count(told.runs as u64));
    Page {
        title: told.experiment.clone(),
        about: format!("Which mechanism helps: {}", told.aim()),
        facts: [tried].into_iter().chain(settings(told.variant.as_deref(), &told.set)).collect(),
        warnings: told.incomplete.clone(),
        verdicts: vec![verdict],
        sections: sections.into_iter().flatten().collect(),
        ..Page::default()
    }
}
