//! RON text into [`Node`]s, with every syntax error it can find.
//!
//! The grammar is RON's as far as an experiment needs it: implicit `Some`, comments, raw texts and
//! trailing commas are accepted; characters, byte strings and ranges have no use here and are refused.
//! What this parser accepts, the `ron` crate accepts too. After an error it skips to the next comma or
//! closing bracket and goes on; it stops only where going on would report nonsense: in a text, comment
//! or bracket that is never closed, or below 64 levels. Every byte is looked at a bounded number of times.

use std::collections::BTreeMap;

use super::diagnostic::Diagnostics;
use super::node::{Entry, Kind, Node, Span, Spanned};
use super::path::{push_index, push_name};
use super::print;

/// The most values in a file. What large experiments hold is a thousandth of this.
pub const MAX_VALUES: usize = 250_000;
/// The deepest nesting of brackets.
pub const MAX_DEPTH: usize = 64;

/// Reads a value that starts at byte `start` of `text` and takes the rest, for an override of `path`.
pub fn parse_value(text: &str, start: usize, source: u32, path: &str, out: &mut Diagnostics) -> Option<Node> {
    let mut parser = Parser::new(text, source, out);
    parser.path = path.into();
    parser.at = start;
    parser.whole("the value")
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) source: u32,
    /// Where the value being read belongs: `model.services.payments`.
    pub(super) path: String,
    /// Going on would report nonsense.
    pub(super) fatal: bool,
    pub(super) out: &'a mut Diagnostics,
    /// The brackets around the current position, and where each was opened.
    open: Vec<(u8, usize)>,
    values: usize,
    /// The map whose bare keys were last reported.
    unquoted: Option<usize>,
}

/// What a pair of brackets holds.
#[derive(Clone, Copy)]
enum Of {
    /// `[value]`
    Items,
    /// `(value)`
    Parameters,
    /// `name: value`
    Fields,
    /// `"key": value`
    Keys,
}

fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, source: u32, out: &'a mut Diagnostics) -> Self {
        Parser {
            text,
            at: 0,
            source,
            path: String::new(),
            fatal: false,
            out,
            open: Vec::new(),
            values: 0,
            unquoted: None,
        }
    }

    /// One value and nothing after it.
    pub(super) fn whole(&mut self, what: &str) -> Option<Node> {
        self.skip_space();
        let node = self.value()?;
        self.skip_space();
        if !self.fatal && self.peek().is_some() {
            let shown = print::shortened(self.lump());
            let (start, end) = (self.at, self.at + self.lump().len());
            self.path.clear();
            self.error(start, end, format!("`{shown}` after the end of {what}"))
                .help("remove what follows, or look for a bracket that closes too early");
        }
        (!self.fatal).then_some(node)
    }

    /// A value, or `None` after an error has been reported.
    fn value(&mut self) -> Option<Node> {
        let start = self.at;
        self.values += 1;
        if self.values > MAX_VALUES {
            self.fatal = true;
            self.error(start, start + 1, format!("more than {MAX_VALUES} values in one file, the limit"));
            return None;
        }
        let kind = match self.peek() {
            Some(b'(') => self.round(None)?,
            Some(b'[') => Kind::List(self.group(Of::Items, Self::item)?),
            Some(b'{') => Kind::Map(self.entries(Of::Keys, Self::map_entry)?),
            Some(b'"') => Kind::Text(self.text()?),
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => self.number()?,
            Some(b'r') if self.at_raw_text() => Kind::Text(self.raw_text()?),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.named()?,
            _ => return self.no_value(),
        };
        Some(Node { kind, span: Span::new(self.source, start, self.at) })
    }

    fn named(&mut self) -> Option<Kind> {
        let start = self.at;
        let word: Box<str> = self.word()?.into();
        let end = self.at;
        match (&*word, self.peek()) {
            ("true", _) => return Some(Kind::Bool(true)),
            ("false", _) => return Some(Kind::Bool(false)),
            ("NaN" | "inf", _) => return Some(Kind::Number(word)),
            ("b", Some(b'"' | b'\'')) | (_, Some(b'\'')) => {
                self.error(start, end, "a text is written as \"text\"");
                return None;
            }
            _ => {}
        }
        self.skip_space();
        let option = matches!(&*word, "Some" | "None");
        let kind = if self.peek() == Some(b'(') {
            self.round(Some(word))?
        } else {
            self.at = end;
            Kind::Word(word.into())
        };
        // RON gives these two a meaning of their own.
        let sound = match &kind {
            Kind::Word(word) => word != "Some",
            Kind::Tuple(Some(name), items) => &**name == "Some" && items.len() == 1,
            _ => false,
        };
        if option && !sound {
            let end = self.at;
            self.error(start, end, "an option is None, Some(value), or just the value");
            return None;
        }
        Some(kind)
    }

    /// Round brackets: fields if the first thing in them is `name:`, else values in order.
    fn round(&mut self, name: Option<Box<str>>) -> Option<Kind> {
        let start = self.at;
        self.at += 1;
        self.skip_space();
        let empty = self.peek() == Some(b')');
        let fields = self.word().is_some() && {
            self.skip_space();
            matches!(self.peek(), Some(b':' | b'=' | b'"' | b'[' | b'{' | b'0'..=b'9'))
        };
        self.at = start;
        if fields {
            return Some(Kind::Struct(name, self.entries(Of::Fields, Self::field)?));
        }
        let items = self.group(Of::Parameters, Self::item)?;
        Some(match (name, empty) {
            (None, true) => Kind::Unit,
            (name, true) => Kind::Struct(name, Vec::new()),
            (name, false) => Kind::Tuple(name, items),
        })
    }

    /// `name: value`
    fn field(&mut self) -> Option<Entry> {
        let start = self.at;
        let key = match self.word() {
            Some(word) => word.to_string(),
            None if self.peek() == Some(b'"') => {
                self.text()?;
                let end = self.at;
                self.error(start, end, "a field name is written without quotes")
                    .help("fields are (name: value); maps are {\"key\": value}");
                return None;
            }
            None => return self.no_entry("`name: value`"),
        };
        let key = Spanned { value: key, span: Span::new(self.source, start, self.at) };
        self.entry(key)
    }

    /// `"key": value`
    fn map_entry(&mut self) -> Option<Entry> {
        let start = self.at;
        let key = match self.peek() {
            Some(b'"') => self.text()?,
            Some(b'r') if self.at_raw_text() => self.raw_text()?,
            _ => match self.word().map(String::from) {
                Some(word) => {
                    // Once for each pair of brackets: who writes one key so writes all of them so.
                    let (_, opened) = *self.open.last().expect("within brackets");
                    if self.unquoted.replace(opened) != Some(opened) {
                        let (end, shown) = (self.at, print::shortened(&word));
                        self.error(start, end, format!("`{shown}` needs quotes here")).help(format!(
                            "keys of a map are texts: {{\"{shown}\": ..}}; fields are ({shown}: ..)"
                        ));
                    }
                    word
                }
                None => return self.no_entry("`\"key\": value`"),
            },
        };
        let key = Spanned { value: key, span: Span::new(self.source, start, self.at) };
        self.entry(key)
    }

    /// The colon and the value. A value that cannot be read leaves an [`Kind::Invalid`] behind, so that
    /// its field is not reported as missing.
    fn entry(&mut self, key: Spanned<String>) -> Option<Entry> {
        let end = self.at;
        self.skip_space();
        let outer = self.path.len();
        push_name(&mut self.path, &key.value);
        if self.peek() == Some(b':') {
            self.at += 1;
        } else if !self.fatal {
            let shown = print::shortened(&key.value);
            let start = key.span.start as usize;
            if self.peek() == Some(b'=') {
                self.error(start, end, format!("`{shown}` is followed by `=`"))
                    .help(format!("write `{shown}: value`"));
                self.at += 1 + usize::from(self.rest()[1..].starts_with('>'));
            } else {
                self.error(start, end, format!("a colon is missing after `{shown}`"))
                    .help(format!("write `{shown}: value`"));
                // `name value` is read on; anything else is not worth guessing at.
                if matches!(self.peek(), None | Some(b',' | b')' | b']' | b'}')) {
                    self.path.truncate(outer);
                    return Some(Entry {
                        value: Node { kind: Kind::Invalid, span: key.span },
                        key,
                        implied: false,
                    });
                }
            }
        }
        self.skip_space();
        let start = self.at;
        let value = if self.fatal { None } else { self.value() };
        self.path.truncate(outer);
        let value = match value {
            Some(value) => value,
            None if self.fatal => return None,
            None => {
                self.skip_rest();
                Node { kind: Kind::Invalid, span: Span::new(self.source, start, self.at) }
            }
        };
        Some(Entry { key, value, implied: false })
    }

    fn item(&mut self) -> Option<Node> {
        let node = self.value()?;
        if let Kind::Text(_) | Kind::Word(_) = node.kind {
            let end = self.at;
            self.skip_space();
            if self.peek() == Some(b':') {
                let (start, at) = (node.span.start as usize, self.at);
                self.error(start, at + 1, "a name in the middle of values")
                    .help("fields are (name: value), maps {\"key\": value}, lists [value]: not mixed");
                return None;
            }
            self.at = end;
        }
        Some(node)
    }

    /// The entries of a map or a struct, each key once.
    fn entries(&mut self, of: Of, parse: fn(&mut Self) -> Option<Entry>) -> Option<Vec<Entry>> {
        let mut entries = self.group(of, parse)?;
        // Most have one or two, and room for four: of a hundred thousand calls that is thirty megabytes of nothing.
        entries.shrink_to_fit();
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut repeated = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match first.get(entry.key.value.as_str()) {
                Some(&span) => repeated.push((index, span)),
                None => _ = first.insert(&entry.key.value, entry.key.span),
            }
        }
        if repeated.is_empty() {
            return Some(entries);
        }
        for &(index, before) in &repeated {
            let Spanned { value, span } = &entries[index].key;
            let outer = self.path.len();
            push_name(&mut self.path, value);
            let message = format!("`{}` is given twice", print::shortened(value));
            self.error(span.start as usize, span.end as usize, message)
                .label(before, "first here")
                .help("remove one");
            self.path.truncate(outer);
        }
        let mut repeated = repeated.into_iter().map(|(index, _)| index).peekable();
        let keep = |&(index, _): &(usize, Entry)| repeated.next_if_eq(&index).is_none();
        Some(entries.into_iter().enumerate().filter(keep).map(|(_, entry)| entry).collect())
    }

    /// Things separated by commas, between the bracket at the current position and its counterpart.
    fn group<T>(&mut self, of: Of, parse: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let (open, opened) = (self.text.as_bytes()[self.at], self.at);
        if self.open.len() == MAX_DEPTH {
            self.fatal = true;
            self.error(opened, opened + 1, format!("nested too deeply: more than {MAX_DEPTH} brackets"));
            return None;
        }
        self.open.push((open, opened));
        self.at += 1;
        let mut items = Vec::new();
        let mut position = 0;
        loop {
            self.skip_space();
            if self.fatal {
                return None;
            }
            match self.peek() {
                Some(b')' | b']' | b'}') | None => break self.close(open, opened)?,
                Some(b',') => {
                    let at = self.at;
                    self.error(at, at + 1, "a comma without a value before it").help("remove it");
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let outer = self.path.len();
            if matches!(of, Of::Items) {
                push_index(&mut self.path, position);
            }
            position += 1;
            let item = parse(self);
            self.path.truncate(outer);
            if self.fatal {
                return None;
            }
            if item.is_none() {
                self.skip_rest();
            }
            items.extend(item);
            self.comma(of);
        }
        self.open.pop();
        // A hundred thousand small groups would be half air.
        items.shrink_to_fit();
        Some(items)
    }

    /// After a value: a comma, or the end of the group, or an error that says which is missing.
    fn comma(&mut self, of: Of) {
        let end = self.at;
        self.skip_space();
        if self.fatal || matches!(self.peek(), None | Some(b')' | b']' | b'}')) {
            return;
        }
        if self.peek() == Some(b',') {
            self.at += 1;
            return;
        }
        let (start, next) = (self.at, self.at + self.lump().len());
        let shown = print::shortened(self.lump());
        let another = match of {
            Of::Items | Of::Parameters => {
                matches!(self.peek(), Some(b'(' | b'[' | b'{' | b'"'))
                    || shown.starts_with(char::is_alphanumeric)
            }
            Of::Keys => self.peek() == Some(b'"'),
            Of::Fields => {
                let named = self.word().is_some() && {
                    self.skip_space();
                    self.peek() == Some(b':')
                };
                self.at = start;
                named
            }
        };
        if another {
            let here = Span::new(self.source, start, next);
            self.error(end, end, format!("a comma is missing before `{shown}`")).label(here, "before this");
        } else {
            let digit = self.text[..end].ends_with(|c: char| c.is_ascii_digit());
            let unit = digit && shown.starts_with(|c: char| c.is_alphabetic() || c == '%' || c == '/');
            self.error(start, next, format!("expected a comma or a closing bracket, found `{shown}`")).help(
                if unit { "a value with a unit is written in quotes: \"250ms\", \"800/s\"" } else { "" },
            );
            self.skip_rest();
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
    }

    /// The closing bracket of `open`, or what stands in its place.
    fn close(&mut self, open: u8, opened: usize) -> Option<()> {
        let wanted = closing(open);
        let Some(found) = self.peek() else {
            self.fatal = true;
            self.error(opened, opened + 1, format!("this `{}` is never closed", open as char))
                .help(format!("a `{}` is missing", wanted as char));
            return None;
        };
        if found == wanted {
            self.at += 1;
            return Some(());
        }
        let at = self.at;
        let opened_at = Span::new(self.source, opened, opened + 1);
        let message = format!("`{}` where `{}` was expected", found as char, wanted as char);
        self.error(at, at + 1, message).label(opened_at, format!("to close this `{}`", open as char));
        // If it closes the bracket around ours, ours was forgotten; else it is a slip of the finger.
        let outer = self.open.len().checked_sub(2).map(|outer| closing(self.open[outer].0));
        if outer != Some(found) {
            self.at += 1;
        }
        Some(())
    }

    /// Moves to the comma or closing bracket that ends the current value, whatever is in between.
    fn skip_rest(&mut self) {
        let mut depth = 0usize;
        while !self.fatal {
            self.skip_space();
            match self.peek() {
                None => return,
                Some(b',') if depth == 0 => return,
                Some(b')' | b']' | b'}') if depth == 0 => return,
                Some(b'(' | b'[' | b'{') => depth += 1,
                Some(b')' | b']' | b'}') => depth -= 1,
                Some(b'"') => {
                    let close = string_end(&self.text[self.at..]);
                    self.at = close.map_or(self.text.len(), |length| self.at + length);
                    continue;
                }
                _ => {}
            }
            self.at += self.peek_char().map_or(0, char::len_utf8);
        }
    }

    fn no_entry<T>(&mut self, wanted: &str) -> Option<T> {
        let (start, end) = (self.at, self.at + self.lump().len());
        let shown = print::shortened(self.lump());
        self.error(start, end, format!("expected {wanted}, found `{shown}`"));
        None
    }

    fn no_value(&mut self) -> Option<Node> {
        let start = self.at;
        let end = start + self.lump().len();
        let shown = print::shortened(self.lump());
        match self.peek_char() {
            None => self.error(start, start, "a value is missing"),
            Some(',' | ')' | ']' | '}') => {
                self.error(start, end, format!("a value is missing before `{shown}`"))
            }
            Some('\'') => self.error(start, end, "a text is written as \"text\""),
            Some('\u{201c}' | '\u{201d}' | '\u{201e}') => {
                self.error(start, end, format!("`{shown}` has curly quotes")).help("use plain ones: \"text\"")
            }
            Some(_) => self
                .error(start, end, format!("expected a value, found `{shown}`"))
                .help("texts need quotes: \"text\""),
        };
        None
    }
}

/// The length of the text that begins here, quotes included.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
