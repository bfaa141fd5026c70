//! From tree to types, reporting every problem on the way.
//!
//! A [`Decoder`] carries the path of the value being read and the problems found so far. Decoding
//! returns `None` where a problem was reported, and its caller goes on with the neighbours, so one pass
//! finds everything. [`spec!`](crate::spec) writes [`Decode`] for structs and enums out of the methods
//! here; a type with a shorthand writes its own with the same methods:
//!
//! ```
//! use sim_models::experiment::{Decode, Decoder, Node, TypeDoc};
//! sim_models::spec! {
//!     /// How work is done.
//!     pub enum Workers {
//!         /// One call each.
//!         Blocking(count: u32; 1..),
//!     }
//! }
//! /// A plain number means blocking workers.
//! #[derive(Debug)]
//! struct Shorthand(Workers);
//! impl Decode for Shorthand {
//!     fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
//!         if node.is_number() {
//!             return cx.checked(node, Some(&(1..))).map(|count| Shorthand(Workers::Blocking(count)));
//!         }
//!         Workers::decode(node, cx).map(Shorthand)
//!     }
//!     fn encode(&self) -> Node {
//!         self.0.encode()
//!     }
//!     fn describe() -> TypeDoc {
//!         Workers::describe()
//!     }
//! }
//! let mut cx = Decoder::new();
//! let Shorthand(Workers::Blocking(count)) = Shorthand::decode(&Node::number(8), &mut cx).unwrap();
//! assert_eq!(count, 8);
//! ```

use super::diagnostic::{Diagnostic, Diagnostics, Severity, did_you_mean};
use super::doc::{Shape, TypeDoc};
use super::folder::Folder;
use super::node::{Entry, Kind, Node, Span};
use super::path::{push_index, push_name};
use super::print;
use super::rule::Rule;
use super::syntax::parse_value;
use std::any::Any;
use std::sync::Arc;

/// The text that guesses stand in, which is none of the file's.
const GUESSED: u32 = u32::MAX;

/// A type that is read from an experiment file.
pub trait Decode: Sized {
    /// The value, or `None` after at least one error was reported. (An error may have been reported with
    /// `Some` as well: then the type is right and the value is not.)
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self>;

    /// The value in canonical form: every default filled in, every shorthand written out. Decoding it
    /// gives an equal value.
    fn encode(&self) -> Node;

    /// What can be written.
    fn describe() -> TypeDoc;
}

/// Where decoding is, and what it found.
#[derive(Debug, Default)]
pub struct Decoder {
    path: String,
    diagnostics: Diagnostics,
    folder: Option<Folder>,
    guessing: bool,
    guesses: usize,
}

impl Decoder {
    /// At the root, with nothing found.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for an experiment in a folder: its files are looked at. Elsewhere they are only named.
    pub(crate) fn beside(folder: &Folder) -> Self {
        Decoder { folder: Some(folder.clone()), ..Self::default() }
    }

    /// The same, and what cannot be read is guessed, so that the names in the rest are looked at all the same.
    pub(super) fn guessing(self) -> Self {
        Decoder { guessing: true, ..self }
    }

    /// How many values were guessed so far. What is told of a guess, or follows from one, is nothing that was written.
    pub fn guesses(&self) -> usize {
        self.guesses
    }

    /// In the place of a value that cannot be read, which was told: its default, or what an example of it says. What others are
    /// named in is not guessed: of each name it would be told that there is none.
    fn guess<T: Decode>(&mut self, default: Option<fn() -> T>) -> Option<T> {
        if !self.guessing || self.diagnostics.full() {
            return None;
        }
        let doc = T::describe();
        if matches!(doc.shape, Shape::Map(_) | Shape::List(_) | Shape::Optional(_) | Shape::Any)
            && !doc.is_plain()
        {
            return None;
        }
        let example = || {
            let node = parse_value(&doc.example(), 0, GUESSED, "", &mut Diagnostics::new())?;
            T::decode(&node, &mut Decoder::new())
        };
        let guess = default.map(|default| default()).or_else(example)?;
        self.guesses += 1;
        Some(guess)
    }

    /// What a file beside the experiment says, as `understand` reads it; none where files are not looked at.
    pub fn file<T: Any + Send + Sync>(
        &self,
        name: &str,
        understand: fn(&str) -> T,
    ) -> Option<Result<Arc<T>, String>> {
        self.folder.as_ref().map(|folder| folder.get(name, understand))
    }

    /// Reports an error at `span`, under the current path.
    pub fn error(&mut self, span: Span, message: impl AsRef<str>) -> &mut Diagnostic {
        let diagnostic = self.diagnostics.push(Diagnostic::error(span, message));
        diagnostic.path(self.path.as_str())
    }

    /// Reports a warning at `span`, under the current path.
    pub fn warn(&mut self, span: Span, message: impl AsRef<str>) -> &mut Diagnostic {
        let mut diagnostic = Diagnostic::error(span, message);
        diagnostic.severity = Severity::Warning;
        self.diagnostics.push(diagnostic).path(self.path.as_str())
    }

    /// Runs `within` with the path one field or key longer.
    pub fn at<R>(&mut self, name: &str, within: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.path.len();
        push_name(&mut self.path, name);
        let result = within(self);
        self.path.truncate(outer);
        result
    }

    /// Runs `within` with the path one index longer.
    pub fn at_index<R>(&mut self, index: usize, within: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.path.len();
        push_index(&mut self.path, index);
        let result = within(self);
        self.path.truncate(outer);
        result
    }

    /// The path of the value being read: `services.payments.workers`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether an error was reported.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.has_errors()
    }

    /// What was found.
    pub fn into_diagnostics(mut self) -> Diagnostics {
        if self.guesses > 0 {
            self.diagnostics.leave_out(|span| span.source == GUESSED);
        }
        self.diagnostics
    }

    /// "expected a duration such as "250ms", found a list [..]". Returns `None` for the caller's return.
    pub fn expected<T>(&mut self, node: &Node, what: &str) -> Option<T> {
        if node.kind != Kind::Invalid {
            self.error(node.span, format!("expected {what}, found {}", node.found()));
        }
        None
    }

    /// "did you mean `x`?" or the list of names; nothing where there are too many problems to care.
    pub fn suggest<'a>(&self, found: &str, what: &str, names: impl IntoIterator<Item = &'a str>) -> String {
        if self.diagnostics.full() { String::new() } else { did_you_mean(found, what, names) }
    }

    /// Decodes a value and applies a rule to it.
    pub fn checked<T: Decode>(&mut self, node: &Node, rule: Option<&dyn Rule<T>>) -> Option<T> {
        if let Some(why) = rule.and_then(|rule| rule.too_much(node)) {
            self.error(node.span, why);
            return None;
        }
        let before = self.diagnostics.len();
        let mut value = T::decode(node, self);
        if let (Some(rule), None, Some(text)) = (rule, &value, node.as_text())
            && let Ok(number) = text.trim().parse::<f64>()
        {
            // Without its quotes it may be a percentage, where a share is meant.
            let plain = T::decode(&Node::number(number), &mut Decoder::new());
            if let Some(hint) = plain.as_ref().and_then(|plain| rule.hint(plain))
                && let Some(diagnostic) = self.diagnostics.last_since(before)
            {
                diagnostic.help = Some(hint);
            }
        }
        let (Some(rule), true) = (rule, value.is_some() || node.is_number()) else { return value };
        match &mut value {
            Some(value) => {
                if let Err(why) = rule.check(value) {
                    let hint = rule.hint(value).unwrap_or_default();
                    self.error(node.span, format!("got {}, {why}", node.brief())).help(hint);
                    rule.mend(value);
                }
            }
            // A number that does not even fit its type: what the rule allows says more.
            None => {
                let mut shape = T::describe().shape;
                while let Shape::Optional(inner) = shape {
                    shape = (inner.describe)().shape;
                }
                if let Shape::Integer(least, most) = shape
                    && let Some(diagnostic) = self.diagnostics.last_since(before)
                    && let Some(got) = diagnostic.message.strip_suffix(&format!("allowed {least} to {most}"))
                {
                    diagnostic.message = format!("{got}allowed {}", rule.allowed());
                } else if let Shape::Integer(..) = shape
                    && ["0 to 100", "1 to 100"].contains(&rule.allowed().as_str())
                    && let Ok(share @ 0.01..1.0) = node.to_line().parse::<f64>()
                    && let Some(diagnostic) = self.diagnostics.last_since(before)
                    && diagnostic.path.contains("percent")
                {
                    let percent = (share * 100.0).round();
                    diagnostic.help = Some(format!("is {percent} % meant? write {percent}"));
                }
            }
        }
        value
    }

    /// The fields of a struct or variant called `name`. Reports those that are not among `known`. A value
    /// alone is the first field's: `Ratio(0.1)`.
    pub fn fields<'n>(&mut self, node: &'n Node, name: &'static str, known: &[&str]) -> Option<Fields<'n>> {
        let mut lone = None;
        let given: &[Entry] = match &node.kind {
            Kind::Invalid => return None,
            Kind::Tuple(Some(given), items)
                if is_called(given, name) && items.len() == 1 && !known.is_empty() =>
            {
                lone = Some((field_name(known[0]).to_owned(), &items[0]));
                &[]
            }
            Kind::Struct(None, fields) => fields,
            Kind::Struct(Some(given), fields) if is_called(given, name) => fields,
            Kind::Unit => &[],
            Kind::Word(word) if is_called(word, name) => &[],
            Kind::Struct(Some(given), _) | Kind::Tuple(Some(given), _) if !is_called(given, name) => {
                let name = short_name(name);
                return self.expected(node, &format!("`{name}` or (field: value, ..)"));
            }
            Kind::Map(_) => {
                let name = short_name(name);
                self.error(
                    node.span.first(1),
                    format!("expected {name} as (field: value, ..), found a map {{..}}"),
                )
                .help("fields stand in round brackets, their names without quotes");
                return None;
            }
            Kind::Tuple(Some(given), _) => {
                let known = known.iter().map(|name| field_name(name)).collect::<Vec<_>>().join(": .., ");
                self.error(node.span, format!("`{given}` takes its values by name"))
                    .help(format!("write {given}({known}: ..)"));
                return None;
            }
            _ => {
                let name = short_name(name);
                let known = known.iter().map(|name| field_name(name)).collect::<Vec<_>>().join(", ");
                self.error(
                    node.span,
                    format!("expected {name} as (field: value, ..), found {}", node.found()),
                )
                .help(format!("its fields are: {known}"));
                return None;
            }
        };
        let name = short_name(name);
        for entry in given {
            let found = entry.key.value.as_str();
            if !known.iter().any(|known| field_name(known) == found) {
                if self.only_counts(entry.key.span) {
                    continue;
                }
                let what = if known.is_empty() { "it has no fields" } else { "its fields are" };
                let help = self.suggest(found, what, known.iter().map(|name| field_name(name)));
                let message = format!("unknown field `{}` in {name}", print::shortened(found));
                self.at(found, |cx| cx.error(entry.key.span, message).help(help).span());
            }
        }
        Some(Fields { given, lone, of: name, span: node.span })
    }

    /// One field: decoded and checked, or its default, or reported as missing.
    pub fn field<T: Decode>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        default: Option<fn() -> T>,
        rule: Option<&dyn Rule<T>>,
    ) -> Option<T> {
        let name = field_name(name);
        if let Some(value) = fields.get(name) {
            return self.at(name, |cx| cx.checked(value, rule).or_else(|| cx.guess(default)));
        }
        if let Some(default) = default {
            return Some(default());
        }
        if self.only_counts(fields.span) {
            return None;
        }
        let doc = T::describe();
        let message = format!("missing field `{name}` of {}: {}", fields.of, doc.phrase());
        let end = Span { start: fields.span.end.saturating_sub(1).max(fields.span.start), ..fields.span };
        let help = format!("add {name}: {}", doc.example());
        self.at(name, |cx| _ = cx.error(end, message).label(fields.span.first(1), "of this").help(help));
        self.guess(None)
    }

    /// The name of a variant as written: `Full`, `Fixed(..)`.
    pub fn variant<'n>(&mut self, node: &'n Node, describe: fn() -> TypeDoc) -> Option<&'n str> {
        if let Some(name) = node.name() {
            return Some(name);
        }
        if node.kind == Kind::Invalid {
            return None;
        }
        let doc = describe();
        let help = match (&doc.shape, node.as_text()) {
            (Shape::Enum(variants), Some(text)) if variants.iter().any(|variant| variant.name == text) => {
                format!("write {text} without quotes")
            }
            _ => doc.alternatives(),
        };
        let message = format!("expected {}, found {}", doc.phrase(), node.found());
        self.error(node.span, message).help(help);
        None
    }

    /// Whether a problem here is one too many to be shown: then it is counted, and its words are not made.
    fn only_counts(&mut self, span: Span) -> bool {
        let full = self.diagnostics.full();
        if full {
            self.error(span, "");
        }
        full
    }

    /// Reports that the node's name is no variant.
    pub fn unknown_variant<T>(&mut self, node: &Node, describe: fn() -> TypeDoc) -> Option<T> {
        if self.only_counts(node.span) {
            return None;
        }
        let name = node.name().unwrap_or_default();
        let doc = describe();
        let help = match &doc.shape {
            Shape::Enum(variants) => {
                match super::diagnostic::nearest(name, variants.iter().map(|variant| variant.name)) {
                    Some(near) => format!("did you mean `{near}`? {}", doc.alternatives()),
                    None => doc.alternatives(),
                }
            }
            _ => String::new(),
        };
        let message = format!("unknown variant `{}` of {}", print::shortened(name), doc.name);
        self.error(node.name_span(), message).help(help);
        None
    }

    /// That a variant without parameters was given none.
    pub fn bare(&mut self, node: &Node) -> Option<()> {
        match &node.kind {
            Kind::Word(_) => Some(()),
            Kind::Struct(_, fields) if fields.is_empty() => Some(()),
            _ => {
                let name = node.name().unwrap_or_default();
                self.error(node.span, format!("`{name}` takes no parameters")).help(format!("write {name}"));
                None
            }
        }
    }

    /// The parameters of a variant, in order. Their names may be written, too.
    pub fn items<'n>(&mut self, node: &'n Node, names: &[&'static str]) -> Option<Items<'n>> {
        let name = node.name().unwrap_or_default();
        let given: Vec<(&'static str, &Node)> = match &node.kind {
            Kind::Tuple(_, items) => {
                let names = names.iter().copied().chain(std::iter::repeat(""));
                names.map(field_name).zip(items).collect()
            }
            Kind::Struct(_, fields)
                if fields.iter().all(|field| names.contains(&field.key.value.as_str())) =>
            {
                names.iter().filter_map(|&name| Some((name, node.get(name)?))).collect()
            }
            Kind::Struct(..) => {
                self.error(node.span, format!("`{name}` has no such fields"))
                    .help(format!("write {name}({})", names.join(", ")));
                return None;
            }
            _ => Vec::new(),
        };
        if given.len() == names.len() {
            let alone = given.len() == 1;
            return Some(Items { given: given.into_iter(), alone });
        }
        let plural = if names.len() == 1 { "parameter" } else { "parameters" };
        let message = format!("`{name}` takes {} {plural}, got {}", names.len(), given.len());
        self.error(node.span, message).help(format!("write {name}({})", names.join(", ")));
        None
    }

    /// The next parameter of a variant.
    pub fn item<T: Decode>(&mut self, items: &mut Items<'_>, rule: Option<&dyn Rule<T>>) -> Option<T> {
        let (name, node) = items.given.next()?;
        if items.alone { self.checked(node, rule) } else { self.at(name, |cx| cx.checked(node, rule)) }
    }
}

/// The parameters that were written.
#[derive(Debug)]
pub struct Items<'n> {
    given: std::vec::IntoIter<(&'static str, &'n Node)>,
    alone: bool,
}

/// The fields that were written.
#[derive(Debug)]
pub struct Fields<'n> {
    given: &'n [Entry],
    /// The first field, written alone and without its name.
    lone: Option<(String, &'n Node)>,
    of: &'static str,
    span: Span,
}

impl<'n> Fields<'n> {
    /// The value of a field, if it was written.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        let named = self.given.iter().find(|entry| entry.key.value == name).map(|entry| &entry.value);
        let lone = || self.lone.as_ref().filter(|(first, _)| first == name).map(|(_, value)| *value);
        named.or_else(lone)
    }
}

/// What a type is called in the file: `RetrySpec` and `Retry` are both `Retry`.
#[doc(hidden)]
pub fn short_name(name: &str) -> &str {
    match name.strip_suffix("Spec") {
        Some(short) if !short.is_empty() => short,
        _ => name,
    }
}

fn is_called(given: &str, name: &str) -> bool {
    given == name || given == short_name(name)
}

/// A field's name in the file: Rust writes `for` as `r#for`.
#[doc(hidden)]
pub fn field_name(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

impl Node {
    /// Whether it is written as a text.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_))
    }

    /// Whether it is written as a number.
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number(_))
    }
}

impl TypeDoc {
    /// For the middle of a sentence: `a duration such as "250ms"`.
    pub fn phrase(&self) -> String {
        let article = if self.name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        match &self.shape {
            Shape::Bool => "true or false".into(),
            Shape::Text(example) => format!("{article} {} such as {example}", self.name),
            Shape::Enum(_) | Shape::Struct(_) => self.name.clone(),
            Shape::Optional(inner) => (inner.describe)().phrase(),
            _ => format!("{article} {}", self.name),
        }
    }

    /// Whether nothing is named in it: it is a word, a number, a text, or none.
    fn is_plain(&self) -> bool {
        match &self.shape {
            Shape::Bool | Shape::Integer(..) | Shape::Float | Shape::Text(_) | Shape::Enum(_) => true,
            Shape::Optional(inner) => (inner.describe)().is_plain(),
            _ => false,
        }
    }

    /// The variants with their parameters.
    pub(super) fn alternatives(&self) -> String {
        let Shape::Enum(variants) = &self.shape else { return String::new() };
        let names: Vec<String> = variants.iter().map(|variant| variant.signature()).collect();
        format!("one of: {}", names.join(", "))
    }
}
