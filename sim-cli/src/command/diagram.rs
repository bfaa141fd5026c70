//! `brownout diagram EXPERIMENT`: what it is made of, as a picture.

use crate::app::App;
use crate::args::Subject;
use crate::error::{Error, Exit, Result};
use crate::out::OutDir;
use crate::render::diagram::{dot, mermaid, svg, text};
use crate::text::{Style, escape, first_sentence};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;

const FILES: [&str; 4] = ["diagram.txt", "diagram.mmd", "diagram.dot", "diagram.svg"];

/// `brownout diagram`
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  brownout diagram retry-storm
  brownout diagram retry-storm --variant budgeted --format svg > retry-storm.svg
  brownout diagram ./mine.ron --format mermaid          # for Markdown on GitHub and GitLab
  brownout diagram ./mine.ron --format dot | dot -Tpng > mine.png
  brownout diagram retry-storm --out pictures           # all four

Boxes are workloads and services, arrows are calls with their policies; what a fault strikes is marked.")]
pub struct Diagram {
    /// Which experiment.
    #[command(flatten)]
    pub subject: Subject,
    /// A variant of the file instead of the base
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The form of the picture
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: DiagramFormat,
    /// Every setting of every box of the tree, however many there are: from twelve services on each has one line without it
    #[arg(long)]
    pub full: bool,
    /// Also write diagram.txt, diagram.mmd, diagram.dot and diagram.svg to this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The forms of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DiagramFormat {
    /// A tree
    #[default]
    Text,
    /// For Markdown
    Mermaid,
    /// For Graphviz
    Dot,
    /// A picture, dark or light as the reader's system
    Svg,
}

pub(super) fn command(args: &Diagram, app: &mut App) -> Result<Exit> {
    let opened = app.open(&args.subject.name, args.variant.as_deref(), &args.subject.set)?;
    let prepared = app.prepare(&opened, args.variant.as_deref(), &args.subject.set, args.subject.seed)?;
    let diagram = prepared.resolved.model.diagram();
    if diagram.is_empty() {
        let model = prepared.resolved.entry.name;
        return Err(Error::usage(format!("{} is a {model}, which has no picture", escape(&prepared.name))));
    }
    let out = args.out.as_deref().map(|path| OutDir::prepare(path, &FILES, &mut app.console)).transpose()?;
    let variant = prepared.variant.as_ref().map(|variant| format!(", {variant}")).unwrap_or_default();
    let title = format!("{}{variant}: {}", prepared.name, first_sentence(&prepared.resolved.about));
    let document = |format: DiagramFormat, full: bool, style: Style| match format {
        DiagramFormat::Text => text(&title, &diagram, full, style),
        DiagramFormat::Mermaid => mermaid(&title, &diagram),
        DiagramFormat::Dot => dot(&title, &diagram),
        DiagramFormat::Svg => svg(&title, &diagram),
    };
    if let Some(out) = out {
        use DiagramFormat::{Dot, Mermaid, Svg, Text};
        for (file, format) in FILES.into_iter().zip([Text, Mermaid, Dot, Svg]) {
            out.write(file, document(format, true, Style::default()).as_bytes())?;
        }
    }
    let document = document(args.format, args.full, app.console.style());
    app.console.document(&document)?;
    Ok(Exit::Good)
}
