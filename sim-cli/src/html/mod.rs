//! Results as one self-contained page that opens offline: `report.html`.
//!
//! A [`Page`] is a verdict and sections. What is read (verdict, numbers, tables, bars, waterfalls, commands) is plain
//! HTML with or without scripts; what is drawn is a [`Figure`], data that the one script of the page turns into
//! linked plots. The page asks the network for nothing, and its policy allows only the scripts and styles that it carries, by
//! their hashes. The same result gives the same bytes.
//!
//! A command adds its page by filling a [`Page`]: no HTML is written outside of this module but through
//! [`escape::text`].

pub mod bars;
pub mod compare;
mod csp;
pub mod escape;
pub mod figure;
pub mod find;
pub mod helped;
mod lanes;
mod latency;
pub mod map;
mod over_time;
mod places;
pub mod recommend;
mod replicated;
pub mod run;
mod script;
pub mod sweep;
pub mod table;
mod traffic;
mod waterfall;

pub use figure::{Backdrop, Figure};

use crate::text::{Paint, first_sentence};
use escape::{json, lines, text};
use script::SCRIPT;
use serde::Serialize;
use std::collections::BTreeMap;

/// The plotting library (MIT, see NOTICE).
const UPLOT: &str = include_str!("../../assets/uplot-1.6.32.min.js");
const UPLOT_STYLE: &str = include_str!("../../assets/uplot-1.6.32.min.css");
/// Ours.
const STYLE: &str = include_str!("../../assets/report.css");

/// What a page says, verdict first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What was asked: the name of the experiment.
    pub title: String,
    /// What it is about, in a sentence or more.
    pub about: String,
    /// How it was done: seed, length ..
    pub facts: Vec<String>,
    /// What a reader must know before believing the rest.
    pub warnings: Vec<String>,
    /// What it comes to.
    pub verdicts: Vec<Verdict>,
    /// The few numbers everyone asks for: what, and how much.
    pub tiles: Vec<(String, String)>,
    /// All else.
    pub sections: Vec<Section>,
    /// What stands behind the figures over time.
    pub backdrop: Backdrop,
}

/// One conclusion.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// In a word or two.
    pub word: String,
    /// Whether that is good.
    pub paint: Paint,
    /// In a sentence.
    pub headline: String,
    /// Why.
    pub details: Vec<String>,
}

/// A part of a page.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its name within the page: letters and dashes.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Figures and tables as they follow each other.
    pub blocks: Vec<Block>,
}

/// One thing in a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// Something to draw.
    Figure(Figure),
    /// Made by this module: a table, bars, a waterfall.
    Html(String),
    /// A sentence.
    Note(String),
}

impl Section {
    /// A section, if it has anything to say.
    pub fn of(id: &'static str, title: &'static str, blocks: Vec<Block>) -> Option<Section> {
        (!blocks.is_empty()).then_some(Section { id, title, blocks })
    }
}

#[derive(Serialize)]
struct Data<'a> {
    figures: BTreeMap<&'a str, &'a Figure>,
    backdrop: &'a Backdrop,
}

impl Page {
    /// The whole file.
    pub fn html(&self) -> String {
        let policy = csp::policy(&[UPLOT, SCRIPT], &[UPLOT_STYLE, STYLE]);
        let blocks = || self.sections.iter().flat_map(|section| &section.blocks);
        let figures = blocks().filter_map(|block| match block {
            Block::Figure(figure) => Some((figure.id.as_str(), figure)),
            _ => None,
        });
        let data = Data { figures: figures.collect(), backdrop: &self.backdrop };
        let links = self
            .sections
            .iter()
            .map(|section| format!("<a href=\"#{}\">{}</a>", section.id, text(section.title)));
        [
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n".to_string(),
            format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n"),
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n".to_string(),
            "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
                .to_string(),
            format!("<title>{} · brownout</title>\n", text(&self.title)),
            format!("<style>{UPLOT_STYLE}</style>\n<style>{STYLE}</style>\n</head>\n<body>\n"),
            "<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n".to_string(),
            format!("<nav aria-label=\"Sections\"><div>{}</div></nav>\n", links.collect::<String>()),
            format!("<main id=\"main\" tabindex=\"-1\">\n{}", self.head()),
            self.sections.iter().map(section).collect(),
            "</main>\n<p class=\"sr\" id=\"live\" aria-live=\"polite\"></p>\n".to_string(),
            format!("<script type=\"application/json\" id=\"data\">{}</script>\n", json(&data)),
            format!("<script>{UPLOT}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"),
        ]
        .concat()
    }

    /// Name, verdict, the few numbers; what is longer than a sentence comes after those.
    fn head(&self) -> String {
        let about = one_line(&self.about);
        let (sentence, more) = about.split_at(first_sentence(&about).len());
        let paragraph = |class: &str, words: &str| match words.trim_matches(['.', ' ']) {
            "" => String::new(),
            words => format!("<p class=\"{class}\">{}.</p>\n", text(words)),
        };
        let facts: Vec<String> = self.facts.iter().map(|fact| format!("<li>{}</li>", text(fact))).collect();
        let warnings =
            self.warnings.iter().map(|why| format!("<p class=\"warning\" role=\"note\">{}</p>\n", text(why)));
        let tile = |(what, much): &(String, String)| {
            format!("<div><dt>{}</dt><dd>{}</dd></div>", text(what), text(much))
        };
        let tiles = match self.tiles.iter().map(tile).collect::<String>() {
            none if none.is_empty() => none,
            tiles => format!("<dl class=\"tiles\">{tiles}</dl>\n"),
        };
        format!(
            "<header>\n<h1>{}</h1>\n{}<ul class=\"facts\">{}</ul>\n</header>\n{}{}{tiles}{}",
            text(&self.title),
            paragraph("about", sentence),
            facts.concat(),
            warnings.collect::<String>(),
            verdicts(&self.verdicts),
            paragraph("more", more)
        )
    }
}

/// One in large letters, or several as rows.
fn verdicts(all: &[Verdict]) -> String {
    let class = if all.len() > 1 { "verdicts many" } else { "verdicts" };
    let one = |verdict: &Verdict| {
        let details: String = verdict.details.iter().map(|why| format!("<li>{}</li>", text(why))).collect();
        let details = if details.is_empty() { details } else { format!("<ul>{details}</ul>") };
        format!(
            "<div class=\"verdict {}\"><p class=\"word\">{}</p><div><p class=\"headline\">{}</p>{details}</div></div>\n",
            tone(verdict.paint),
            text(&verdict.word),
            text(&verdict.headline)
        )
    };
    match all {
        [] => String::new(),
        all => format!(
            "<section class=\"{class}\" aria-label=\"Verdict\">\n{}</section>\n",
            all.iter().map(one).collect::<String>()
        ),
    }
}

/// The class of a colour.
pub fn tone(paint: Paint) -> &'static str {
    match paint {
        Paint::Good => "good",
        Paint::Bad => "bad",
        Paint::Doubtful => "doubtful",
        Paint::Plain | Paint::Strong | Paint::Quiet => "plain",
    }
}

fn section(section: &Section) -> String {
    let block = |block: &Block| match block {
        Block::Figure(figure) => figure.html(),
        Block::Html(html) => html.clone(),
        Block::Note(note) => format!("<p class=\"note\">{}</p>\n", text(note)),
    };
    format!(
        "<section class=\"part\" id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
        section.id,
        text(section.title),
        section.blocks.iter().map(block).collect::<String>()
    )
}

/// The section that every page ends with: how to get this again, and of what it is the result.
pub fn again(commands: &[(String, String)], digest: &[(String, String)], effective: &str) -> Option<Section> {
    let row = |(what, line): &(String, String)| {
        format!("<div><dt>{}</dt><dd><code>{}</code></dd></div>\n", text(what), text(line))
    };
    let rows: String = commands.iter().chain(digest).map(row).collect();
    let mut blocks = Vec::new();
    if !rows.is_empty() {
        blocks.push(Block::Html(format!("<dl class=\"commands\">\n{rows}</dl>\n")));
    }
    if !effective.is_empty() {
        blocks.push(Block::Html(format!(
            "<details class=\"parameters\"><summary>All parameters, defaults written out</summary>\n\
             <div class=\"scroll\" role=\"region\" aria-label=\"Parameters\" tabindex=\"0\"><pre>{}</pre></div></details>\n",
            lines(effective)
        )));
    }
    Section::of("again", "Do it again", blocks)
}

/// A text of several lines as one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
