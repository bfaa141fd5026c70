//! A result in all its forms, and where each of them goes.

use crate::app::App;
use crate::args::TableFormat;
use crate::error::Result;
use crate::out::OutDir;

/// A result in all its forms.
pub(super) struct Documents<'a> {
    /// For people.
    pub text: String,
    /// For a pull request.
    pub markdown: String,
    /// For programs.
    pub json: String,
    /// For spreadsheets.
    pub csv: String,
    /// The page, which is drawn only where somebody keeps it.
    pub html: Box<dyn FnOnce() -> String + 'a>,
}

impl Documents<'_> {
    /// Three of them to the folder of `--out`, as JSON, CSV and a page under these names; one to standard output.
    pub fn deliver(
        self,
        [json, csv, html]: [&str; 3],
        out: Option<OutDir>,
        format: TableFormat,
        app: &mut App,
    ) -> Result<()> {
        if let Some(out) = out {
            out.write(json, self.json.as_bytes())?;
            out.write(csv, self.csv.as_bytes())?;
            out.write(html, (self.html)().as_bytes())?;
        }
        app.console.document(match format {
            TableFormat::Text => &self.text,
            TableFormat::Markdown => &self.markdown,
            TableFormat::Json => &self.json,
            TableFormat::Csv => &self.csv,
        })
    }
}
