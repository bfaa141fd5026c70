//! The file as a whole: its encoding, how it begins, and whether it is an experiment at all.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::node::{Node, Span};
use super::print;
use super::syntax::Parser;

/// The largest file that is read.
pub const MAX_BYTES: usize = 8 << 20;
/// What every experiment starts from, for messages.
const STARTER: &str = "`brownout new` writes a starter experiment";
const SAMPLE: &str =
    "an experiment is RON, as in: (about: \"..\", model: ServiceGraph(..), run: (duration: \"5m\"))";

/// The text of an experiment file, or why its bytes are none. A byte order mark is dropped.
pub fn source_from_bytes(bytes: &[u8]) -> Result<String, Box<Diagnostic>> {
    let refuse = |at: usize, message: String, help: &str| {
        let mut diagnostic = Diagnostic::error(Span::new(0, at, at + 1), message);
        diagnostic.help(help);
        Err(Box::new(diagnostic))
    };
    if bytes.len() > MAX_BYTES {
        return refuse(0, format!("the file is larger than {} MiB, the limit", MAX_BYTES >> 20), "");
    }
    let zeros = |from: usize| bytes.iter().take(64).skip(from).step_by(2).filter(|&&b| b == 0).count();
    let half = bytes.len().min(64) / 2;
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    // A program has as many zeros, and more besides.
    let text = bytes.iter().take(64).all(|&b| b == 0 || b.is_ascii_graphic() || b.is_ascii_whitespace());
    if utf16 || text && half >= 2 && (zeros(0) > half / 2 || zeros(1) > half / 2) {
        return refuse(0, "this looks like UTF-16".into(), "save the file as UTF-8");
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) if bytes.iter().take(1_024).any(|&b| b == 0) => {
            // There is no line of it worth showing.
            let mut diagnostic =
                Diagnostic::error(Span::default(), "this is a binary file, not an experiment");
            diagnostic.labels.clear();
            Err(Box::new(diagnostic))
        }
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1;
            let byte = bytes[at];
            refuse(
                at,
                format!("not UTF-8: byte {at} (0x{byte:02x}, in line {line})"),
                "save the file as UTF-8",
            )
        }
    }
}

/// Reads a whole file. `None` where nothing sensible can be said about the rest.
pub fn parse_file(text: &str, source: u32, out: &mut Diagnostics) -> Option<Node> {
    let mut parser = Parser::new(text, source, out);
    if text.len() > MAX_BYTES {
        parser.error(0, 0, format!("the file is larger than {} MiB, the limit", MAX_BYTES >> 20));
        return None;
    }
    parser.at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    parser.skip_space();
    if parser.fatal {
        return None;
    }
    if parser.peek().is_none() {
        let what = if text.trim_start_matches('\u{feff}').trim().is_empty() {
            "the file is empty"
        } else {
            "the file is empty: it holds only comments"
        };
        let end = text.len().min(1);
        parser.error(0, end, what).help(STARTER);
        return None;
    }
    parser.attributes();
    if parser.fatal || parser.other_language() {
        return None;
    }
    parser.whole("the experiment")
}

impl Parser<'_> {
    /// `#![enable(implicit_some)]` and the like: they change nothing here, but must be known.
    fn attributes(&mut self) {
        const EXTENSIONS: [&str; 3] = ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes"];
        while self.rest().starts_with("#!") {
            let start = self.at;
            let Some(length) = self.rest().find(']') else {
                self.fatal = true;
                self.error(start, start + 1, "this attribute is never closed").help("close it with `]`");
                return;
            };
            let end = start + length + 1;
            let squeezed: String = self.text[start..end].chars().filter(|c| !c.is_whitespace()).collect();
            let body = squeezed.strip_prefix("#![").and_then(|rest| rest.strip_suffix(']')).unwrap_or("");
            if let Some(list) = body.strip_prefix("enable(").and_then(|rest| rest.strip_suffix(')')) {
                for name in list.strip_suffix(',').unwrap_or(list).split(',') {
                    if !EXTENSIONS.contains(&name) {
                        let name = print::shortened(name);
                        self.error(start, end, format!("unknown extension `{name}`"))
                            .help(format!("known ones: {} (all are always on)", EXTENSIONS.join(", ")));
                    }
                }
            } else if !["type=\"", "schema=\""]
                .iter()
                .any(|known| body.starts_with(known) && body.ends_with('"'))
            {
                self.error(start, end, "unknown attribute")
                    .help("known ones: #![enable(..)], #![type = \"..\"], #![schema = \"..\"]");
            }
            self.at = end;
            self.skip_space();
            if self.fatal {
                return;
            }
        }
    }

    /// JSON, YAML and TOML are recognised by how they begin.
    fn other_language(&mut self) -> bool {
        let line = self.rest().lines().next().unwrap_or("").trim_end();
        let name =
            line.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).unwrap_or(line.len());
        let after = line[name..].trim_start();
        let table = line.starts_with('[')
            && line.ends_with(']')
            && !line.contains(['"', ',', '(', '{'])
            && line.len() > 2;
        let language = if table && line[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '[') {
            "TOML"
        } else if line.starts_with(['{', '[', '"']) {
            "JSON"
        } else if line.starts_with("---")
            || line.starts_with("- ")
            || line.starts_with('%')
            || name > 0 && after.starts_with(':')
        {
            "YAML"
        } else if name > 0 && after.starts_with('=') {
            "TOML"
        } else if line.starts_with('#') {
            "YAML or TOML"
        } else if line.starts_with('<') {
            "XML"
        } else {
            return false;
        };
        let (start, end) = (self.at, self.at + line.chars().next().map_or(0, char::len_utf8));
        self.error(start, end, format!("this looks like {language}")).help(SAMPLE);
        true
    }
}
