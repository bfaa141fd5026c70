//! The tree of values that an experiment file is read into, each with the place where it was written.
//!
//! A [`Node`] is what the text says and nothing more: it has no types yet. It keeps enum variants, the
//! order of entries and the spelling of numbers, which `ron::Value` does not, and it exists before any
//! type is known, so overrides replace parts of it and then pass the same checks as the file.

use std::fmt;

use sim_core::digest::{Digester, INPUT};

use super::print;

/// Where a value was written: a range of bytes of one of the sources (the file, or a `--set`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 0 is the experiment file; the others are overrides, in the order in which they were applied.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of a source.
    pub fn new(source: u32, start: usize, end: usize) -> Self {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { source, start: byte(start), end: byte(end) }
    }

    /// From the start of `self` to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { end: other.end, ..self }
    }

    /// Whether `other` lies within.
    pub(super) fn holds(self, other: Span) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }

    /// The first `length` bytes, if there are as many.
    pub(super) fn first(self, length: usize) -> Span {
        Span { end: self.end.min(self.start.saturating_add(length as u32)), ..self }
    }
}

/// A value and where it was written, for names that may dangle.
#[derive(Clone, Debug, Default)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// One value of the file.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it was written, brackets and name included.
    pub span: Span,
}

/// What a value is, as far as the text alone can tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Something that could not be read; the problem has been reported already.
    Invalid,
    /// `()`
    Unit,
    /// `true`
    Bool(bool),
    /// `1_000`, `0.5`, `NaN`: as written.
    Number(Box<str>),
    /// `"text"`, decoded.
    Text(String),
    /// `Full`
    Word(String),
    /// `[1, 2]`
    List(Vec<Node>),
    /// `{"key": 1}`
    Map(Vec<Entry>),
    /// `(field: 1)` or `Name(field: 1)` or `Name()`
    Struct(Option<Box<str>>, Vec<Entry>),
    /// `(1, 2)` or `Name(1, 2)`
    Tuple(Option<Box<str>>, Vec<Node>),
}

/// One `key: value` of a map or a struct.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key or field name.
    pub key: Spanned<String>,
    /// Its value.
    pub value: Node,
    /// In a canonical form: the value is what it would be if nobody had written it, so that no digest feels it. In a tree in
    /// which something was set: it stands there only since something beside it was.
    pub implied: bool,
}

/// Equal in what they say, wherever they were written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// Equal in what they say, wherever they were written.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key.value == other.key.value && self.value == other.value
    }
}

impl From<Kind> for Node {
    fn from(kind: Kind) -> Self {
        Node { kind, span: Span::default() }
    }
}

impl Node {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Kind::Text(text.into()).into()
    }

    /// A number, already spelled as RON.
    pub fn number(text: impl fmt::Display) -> Self {
        Kind::Number(text.to_string().into()).into()
    }

    /// A bare word: a variant without parameters.
    pub fn word(word: &str) -> Self {
        Kind::Word(word.into()).into()
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Node>) -> Self {
        Kind::List(items.into_iter().collect()).into()
    }

    /// A map.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Self {
        Kind::Map(entries.into_iter().map(Entry::from).collect()).into()
    }

    /// `(field: value, ..)`
    pub fn record<E: Into<Entry>>(fields: impl IntoIterator<Item = E>) -> Self {
        Kind::Struct(None, fields.into_iter().map(Into::into).collect()).into()
    }

    /// `Name(value, ..)`
    pub fn tuple(name: &str, items: impl IntoIterator<Item = Node>) -> Self {
        Kind::Tuple(Some(name.into()), items.into_iter().collect()).into()
    }

    /// The same struct or tuple under another name, or under none.
    pub fn named(mut self, name: Option<&str>) -> Self {
        match &mut self.kind {
            Kind::Struct(old, _) | Kind::Tuple(old, _) => *old = name.map(Into::into),
            Kind::Unit => self.kind = Kind::Struct(name.map(Into::into), Vec::new()),
            _ => {}
        }
        self
    }

    /// The name of `Name`, `Name(..)`, if there is one.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(name) => Some(name),
            Kind::Struct(name, _) | Kind::Tuple(name, _) => name.as_deref(),
            _ => None,
        }
    }

    /// Where that name was written; the whole value if it has none.
    pub fn name_span(&self) -> Span {
        match self.name() {
            Some(name) => self.span.first(name.len()),
            None => self.span,
        }
    }

    /// As RON on one line, however long; [`Display`](fmt::Display) breaks long values.
    pub fn to_line(&self) -> String {
        print::line(self)
    }

    /// Where a field was written, or the whole value if it was left out.
    pub fn span_of(&self, field: &str) -> Span {
        self.get(field).map_or(self.span, |field| field.span)
    }

    /// As in a file, on one line; a text without its quotes.
    pub fn plain(&self) -> String {
        self.as_text().map_or_else(|| self.to_line(), str::to_owned)
    }

    /// The same without what nobody wrote and what is not there: implied fields that are `None`.
    #[must_use]
    pub fn without_absent(mut self) -> Self {
        let all = |nodes: Vec<Node>| nodes.into_iter().map(Node::without_absent).collect();
        self.kind = match self.kind {
            Kind::List(items) => Kind::List(all(items)),
            Kind::Tuple(name, items) => Kind::Tuple(name, all(items)),
            Kind::Struct(name, entries) => {
                let absent = |entry: &Entry| entry.implied && entry.value.name() == Some("None");
                let there = entries.into_iter().filter(|entry| !absent(entry));
                Kind::Struct(name, there.map(|it| Entry { value: it.value.without_absent(), ..it }).collect())
            }
            other => other,
        };
        self
    }

    /// The same without what is implied, since it would be so if nobody had written it; of a word that has nothing else its first value.
    #[must_use]
    pub fn as_said(mut self) -> Self {
        let all = |nodes: Vec<Node>| nodes.into_iter().map(Node::as_said).collect();
        let those = |entries: Vec<Entry>| {
            let nothing = entries.iter().all(|entry| entry.implied);
            let said = entries.into_iter().enumerate();
            let said = said.filter(|(n, entry)| !entry.implied || nothing && *n == 0).map(|(_, entry)| entry);
            said.map(|it| Entry { value: it.value.as_said(), ..it }).collect()
        };
        self.kind = match self.kind {
            Kind::List(items) => Kind::List(all(items)),
            Kind::Tuple(name, items) => Kind::Tuple(name, all(items)),
            Kind::Map(entries) => Kind::Map(those(entries)),
            Kind::Struct(name, entries) => Kind::Struct(name, those(entries)),
            other => other,
        };
        self
    }

    /// The text, if it is one. A bare word is one in a `--set`, where shells eat the quotes.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Word(word) if self.span.source > 0 && word != "None" => Some(word),
            _ => None,
        }
    }

    /// The entries of a map or a struct.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) | Kind::Struct(_, entries) => entries,
            _ => &[],
        }
    }

    /// The values of a list or a tuple.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items,
            _ => &[],
        }
    }

    /// The value of a map's key or a struct's field.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }

    /// How many things stand in it.
    pub fn parts(&self) -> usize {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items.len(),
            _ => self.entries().len(),
        }
    }

    /// One of the things that stand in it without a name.
    pub fn part(&self, index: usize) -> Option<&Node> {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items.get(index),
            _ => None,
        }
    }

    /// The same value as if all of it had been written at `span`.
    pub fn at(mut self, span: Span) -> Self {
        self.move_to(span);
        self
    }

    fn move_to(&mut self, span: Span) {
        self.span = span;
        match &mut self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items.iter_mut().for_each(|item| item.move_to(span)),
            Kind::Map(entries) | Kind::Struct(_, entries) => {
                for entry in entries {
                    entry.key.span = span;
                    entry.value.move_to(span);
                }
            }
            _ => {}
        }
    }

    /// Short, for messages: `5`, `"text"`, `LogNormal(..)`, `a list`.
    pub fn brief(&self) -> String {
        match &self.kind {
            Kind::Invalid => "something unreadable".into(),
            Kind::Unit => "()".into(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(text) => print::shortened(text),
            Kind::Text(text) => print::quoted(text),
            Kind::Word(word) => print::shortened(word),
            Kind::List(items) if items.is_empty() => "an empty list".into(),
            Kind::List(_) => "a list [..]".into(),
            Kind::Map(_) => "a map {..}".into(),
            Kind::Struct(name, _) | Kind::Tuple(name, _) => {
                format!("{}(..)", name.as_deref().map(print::shortened).unwrap_or_default())
            }
        }
    }

    /// With the kind of thing it is: `the text "abc"`, `the number 5`.
    pub fn found(&self) -> String {
        let what = match &self.kind {
            Kind::Number(_) => "the number ",
            Kind::Text(_) => "the text ",
            Kind::Word(_) => "the word ",
            _ => "",
        };
        format!("{what}{}", self.brief())
    }

    /// A witness of what the value says. Spans, comments and layout do not change it; entries count in
    /// their order, numbers as they are spelled, so take it of a canonical tree. Of that it leaves out what is at
    /// its default: a setting that is new and not made has no part in it.
    pub fn digest(&self) -> u64 {
        let mut digester = Digester::new(INPUT);
        self.feed(&mut digester);
        digester.finish()
    }

    /// Adds the value to a digest.
    pub fn feed(&self, digester: &mut Digester) {
        let name = |digester: &mut Digester, name: &Option<Box<str>>| match name {
            Some(name) => digester.text(name),
            None => digester.word(u64::MAX),
        };
        match &self.kind {
            Kind::Invalid => digester.word(0),
            Kind::Unit => digester.word(1),
            Kind::Bool(value) => digester.pair(2, u64::from(*value)),
            Kind::Number(text) => {
                digester.word(3);
                digester.text(text);
            }
            Kind::Text(text) => {
                digester.word(4);
                digester.text(text);
            }
            Kind::Word(word) => {
                digester.word(5);
                digester.text(word);
            }
            Kind::List(items) => {
                digester.pair(6, items.len() as u64);
                items.iter().for_each(|item| item.feed(digester));
            }
            Kind::Tuple(given, items) => {
                digester.pair(7, items.len() as u64);
                name(digester, given);
                items.iter().for_each(|item| item.feed(digester));
            }
            Kind::Map(entries) => {
                digester.pair(8, entries.len() as u64);
                entries.iter().for_each(|entry| entry.feed(digester));
            }
            Kind::Struct(given, entries) => {
                let told = || entries.iter().filter(|entry| !entry.implied);
                digester.pair(9, told().count() as u64);
                name(digester, given);
                told().for_each(|entry| entry.feed(digester));
            }
        }
    }
}

impl Entry {
    /// A field of a canonical form, whose default is known if it has one.
    #[doc(hidden)]
    pub fn field(name: &str, value: Node, default: Option<fn() -> Node>) -> Self {
        let implied = default.is_some_and(|default| default() == value);
        Entry { implied, ..Entry::from((name, value)) }
    }

    fn feed(&self, digester: &mut Digester) {
        digester.text(&self.key.value);
        self.value.feed(digester);
    }
}

impl<K: Into<String>> From<(K, Node)> for Entry {
    fn from((key, value): (K, Node)) -> Self {
        Entry { key: Spanned { value: key.into(), span: value.span }, value, implied: false }
    }
}

/// RON as a person would write it: short things on one line, up to 100 columns.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print::pretty(self))
    }
}
