//! Paths such as `services.payments.calls[0].policy`, and setting the value at one.
//!
//! A path starts at the model's fields; `run.` is reserved for the run section. What it names is looked
//! up in the tree as written. Where the tree does not say it, because it was left at its default or
//! written in a shorthand, the type's canonical form supplies the missing piece, so everything that
//! `explain` shows can be set, and the value passes the same checks as if it stood in the file.

use std::fmt::Write as _;

use super::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use super::doc::{Shape, TypeDoc, TypeRef};
use super::node::{Entry, Kind, Node, Span, Spanned};
use super::print;
use super::syntax::{MAX_DEPTH, parse_value};

/// Appends a field or key to a path as text; odd names are quoted.
pub(super) fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.len() <= 80 && name.bytes().all(plain) {
        path.push_str(name);
    } else {
        path.push_str(&print::quoted(name));
    }
}

/// Appends an index to a path as text.
pub(super) fn push_index(path: &mut String, index: usize) {
    write!(path, "[{index}]").expect("writing to a String");
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name(String),
    Index(usize),
}

/// A place in an experiment.
#[derive(Clone, Debug)]
pub struct Path {
    steps: Vec<(Step, Span)>,
    span: Span,
}

/// As it is written, with quotes only where they are needed.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text_to(self.steps.len()))
    }
}

impl Path {
    /// Reads a path whose first byte is at `span.start`. (If it was written with escapes, the places of
    /// its steps are not known, and the whole is pointed at.)
    pub fn parse(text: &str, span: Span) -> Result<Path, Box<Diagnostic>> {
        let exact = (span.end - span.start) as usize == text.len();
        let at = |start: usize, end: usize| match exact {
            true => Span::new(span.source, span.start as usize + start, span.start as usize + end),
            false => span,
        };
        let refuse = |start: usize, end: usize, message: &str| {
            let mut diagnostic = Diagnostic::error(at(start, end), message);
            diagnostic.help("a path looks like services.payments.calls[0].policy; odd names are quoted");
            Err(Box::new(diagnostic))
        };
        let mut steps = Vec::new();
        let mut from = 0;
        loop {
            let rest = &text[from..];
            let (step, length) = if let Some(inner) = rest.strip_prefix('[') {
                let Some(end) = inner.find(']') else {
                    return refuse(from, from + 1, "this `[` is never closed");
                };
                match inner[..end].trim().parse() {
                    Ok(index) => (Step::Index(index), end + 2),
                    Err(_) => return refuse(from, from + end + 2, "an index is a whole number from 0"),
                }
            } else if let Some(inner) = rest.strip_prefix('"') {
                let Some(end) = inner.find('"') else {
                    return refuse(from, from + 1, "this `\"` is never closed");
                };
                (Step::Name(inner[..end].into()), end + 2)
            } else {
                let end = rest.find(['.', '[', ']', '"', '=']).unwrap_or(rest.len());
                if rest[..end].trim().is_empty() {
                    return refuse(from, (from + 1).min(text.len()), "a name is missing in this path");
                }
                (Step::Name(rest[..end].trim().into()), end)
            };
            if steps.is_empty() && matches!(step, Step::Index(_)) {
                return refuse(0, length, "a path starts with a name");
            }
            steps.push((step, at(from, from + length)));
            from += length;
            match text.as_bytes().get(from) {
                None => break,
                Some(b'.') => from += 1,
                Some(b'[') => {}
                Some(_) => return refuse(from, from + 1, "expected `.` or `[` here"),
            }
        }
        if steps.len() > MAX_DEPTH {
            return refuse(0, text.len(), "a path this long leads nowhere");
        }
        Ok(Path { steps, span })
    }

    /// Where it was written.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it leads into; none if there is nothing around it.
    pub(super) fn parent(&self) -> Option<Path> {
        let (_, steps) = self.steps.split_last()?;
        (!steps.is_empty()).then(|| Path { steps: steps.to_vec(), span: self.span })
    }

    /// Whether it leads into the run section, and how many steps that takes.
    fn in_run(&self) -> bool {
        self.steps[0].0 == Step::Name("run".into())
    }

    /// Whether one of them is, or contains, what the other names.
    pub(super) fn overlaps(&self, other: &Path) -> bool {
        self.steps.iter().zip(&other.steps).all(|(a, b)| a.0 == b.0)
    }

    /// Whether it names what `other` names, or something around it.
    pub(super) fn covers(&self, other: &Path) -> bool {
        self.steps.len() <= other.steps.len() && self.overlaps(other)
    }

    /// What stands there in trees in which everything is written out.
    pub(super) fn look_up<'n>(&self, model: &'n Node, run: &'n Node) -> Option<&'n Node> {
        let (root, from) = if self.in_run() { (run, 1) } else { (model, 0) };
        self.steps[from..].iter().try_fold(root, |node, (step, _)| match (step, &node.kind) {
            (Step::Index(index), _) => node.items().get(*index),
            // `Poisson("280/s")` has one value, whatever the field is called.
            (Step::Name(_), Kind::Tuple(Some(_), items)) if items.len() == 1 => items.first(),
            (Step::Name(name), _) => node.get(name),
        })
    }

    fn text_to(&self, steps: usize) -> String {
        let mut text = String::new();
        for (step, _) in &self.steps[..steps] {
            match step {
                Step::Name(name) => push_name(&mut text, name),
                Step::Index(index) => push_index(&mut text, *index),
            }
        }
        text
    }
}

/// A value to be put at a path.
#[derive(Clone, Debug)]
pub struct Override {
    /// Where it goes.
    pub path: Path,
    /// What goes there.
    pub value: Node,
}

impl Override {
    /// Reads `path=value` as the command line gives it; `text` holds both and the value starts after
    /// `path_length` and the `=`. What is not RON is a text, so `100ms` needs no quotes.
    pub fn parse(text: &str, path_length: usize, source: u32, out: &mut Diagnostics) -> Option<Override> {
        let path = match Path::parse(&text[..path_length], Span::new(source, 0, path_length)) {
            Ok(path) => path,
            Err(diagnostic) => {
                out.push(*diagnostic);
                return None;
            }
        };
        let start = path_length + 1;
        let bare = text.get(start..).unwrap_or("");
        let span = Span::new(source, start, text.len());
        if bare.trim().is_empty() {
            let diagnostic =
                out.push(Diagnostic::error(Span::new(source, 0, text.len()), "a value is missing"));
            diagnostic.path(path.to_string()).help(format!("write `{path}=value`"));
            return None;
        }
        let mut problems = Diagnostics::new();
        let name = path.to_string();
        let value = parse_value(text, start, source, &name, &mut problems);
        let value = match value {
            Some(value) if !problems.has_errors() => value,
            _ if looks_structured(bare.trim()) => {
                out.append(problems);
                return None;
            }
            _ => Node { kind: Kind::Text(bare.trim().into()), span },
        };
        Some(Override { path, value })
    }
}

/// Whether somebody meant RON: brackets or quotes at the start, or a name and brackets.
fn looks_structured(text: &str) -> bool {
    let word = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').trim_start();
    text.starts_with(['(', '[', '{', '"']) || word.starts_with('(') && word.len() < text.len()
}

/// The path of what was written exactly at `span`, below `path`. For problems that are found when the
/// tree has become a value, which remembers spans and no paths.
pub(super) fn path_of(node: &Node, span: Span, path: &mut String) -> bool {
    if node.span == span {
        return true;
    }
    let outer = path.len();
    for (index, item) in node.items().iter().enumerate() {
        if matches!(node.kind, Kind::List(_)) {
            push_index(path, index);
        }
        if path_of(item, span, path) {
            return true;
        }
        path.truncate(outer);
    }
    for Entry { key, value, .. } in node.entries() {
        push_name(path, &key.value);
        if key.span == span || path_of(value, span, path) {
            return true;
        }
        path.truncate(outer);
    }
    false
}

/// What the steps of a path are looked up in where the tree itself does not say.
pub(super) struct Place<'a> {
    /// The documentation of the type.
    pub describe: fn() -> TypeDoc,
    /// The canonical form of a value of that type, if it is sound.
    pub expand: &'a dyn Fn(&Node) -> Option<Node>,
}

/// The two trees that paths lead into.
pub(super) struct Roots<'a> {
    /// The model's value.
    pub model: &'a mut Node,
    /// The run section.
    pub run: &'a mut Node,
}

/// Puts the value at its path.
pub(super) fn apply(
    set: &Override,
    roots: Roots<'_>,
    model: Place<'_>,
    run: TypeRef,
) -> Result<(), Box<Diagnostic>> {
    let walk = Walk { set };
    let (root, place, from) = if set.path.in_run() {
        (roots.run, Place { describe: run.describe, expand: &run.expand }, 1)
    } else {
        (roots.model, model, 0)
    };
    if let Some(present) = present(root, &set.path.steps[from..]) {
        *present = instead_of(present, &set.value);
        return Ok(());
    }
    walk.set(root, place, from)
}

/// A value instead of another. A plain one keeps the word around a plain one: `131/s` instead of `Poisson("80/s")`
/// is `Poisson("131/s")`.
fn instead_of(standing: &Node, value: &Node) -> Node {
    let plain = |node: &Node| matches!(node.kind, Kind::Text(_) | Kind::Number(_));
    match &standing.kind {
        Kind::Tuple(word @ Some(_), items) if items.len() == 1 && plain(&items[0]) && plain(value) => {
            Node { kind: Kind::Tuple(word.clone(), vec![value.clone()]), span: value.span }
        }
        _ => value.clone(),
    }
}

/// The node at the path, if every step of it is written in the tree.
fn present<'n>(node: &'n mut Node, steps: &[(Step, Span)]) -> Option<&'n mut Node> {
    let Some(((step, _), rest)) = steps.split_first() else { return Some(node) };
    let next = match (step, &mut node.kind) {
        (Step::Name(name), Kind::Map(entries) | Kind::Struct(_, entries)) => {
            entries.iter_mut().find(|entry| entry.key.value == *name).map(|entry| {
                entry.implied = false;
                &mut entry.value
            })
        }
        (Step::Index(index), Kind::List(items)) => items.get_mut(*index),
        _ => None,
    };
    present(next?, rest)
}

/// Says of all entries of a value whether nobody wrote them.
fn all_implied(node: &mut Node, implied: bool) {
    match &mut node.kind {
        Kind::List(items) | Kind::Tuple(_, items) => {
            items.iter_mut().for_each(|item| all_implied(item, implied))
        }
        Kind::Map(entries) | Kind::Struct(_, entries) => {
            for entry in entries {
                entry.implied = implied;
                all_implied(&mut entry.value, implied);
            }
        }
        _ => {}
    }
}

struct Walk<'a> {
    set: &'a Override,
}

impl Walk<'_> {
    fn set(&self, node: &mut Node, place: Place<'_>, depth: usize) -> Result<(), Box<Diagnostic>> {
        let Some((step, span)) = self.set.path.steps.get(depth) else {
            *node = instead_of(node, &self.set.value);
            return Ok(());
        };
        let doc = (place.describe)();
        if let Shape::Optional(inner) = doc.shape {
            return self.set_optional(node, inner, depth);
        }
        let last = depth + 1 == self.set.path.steps.len();
        match step {
            Step::Index(index) => self.set_index(node, &doc, &place, *index, depth),
            Step::Name(name) => {
                if matches!(node.kind, Kind::Invalid | Kind::Unit) {
                    *node = Node { kind: Kind::Struct(None, Vec::new()), span: node.span };
                }
                let fields = doc.fields_of(node);
                let child = |index: usize| fields.get(index).map(|field| field.ty);
                if let Some(at) = node.entries().iter().position(|entry| entry.key.value == *name) {
                    let entry = match &mut node.kind {
                        Kind::Map(entries) | Kind::Struct(_, entries) => &mut entries[at],
                        _ => unreachable!("it has entries"),
                    };
                    entry.implied = false;
                    let value = &mut entry.value;
                    let ty = match doc.shape {
                        Shape::Map(ty) => Some(ty),
                        _ => fields.iter().find(|field| field.name == name).map(|field| field.ty),
                    };
                    return self.descend(value, ty, depth);
                }
                if let Kind::Tuple(Some(_), items) = &mut node.kind
                    && let Some(index) = fields.iter().position(|field| field.name == name)
                    && let Some(item) = items.get_mut(index)
                {
                    return self.descend(item, child(index), depth);
                }
                if let Kind::Map(entries) = &mut node.kind {
                    if let (Shape::Map(_), true) = (&doc.shape, last) {
                        let key = Spanned { value: name.clone(), span: *span };
                        entries.push(Entry { key, value: self.set.value.clone(), implied: false });
                        return Ok(());
                    }
                    let names = entries.iter().map(|entry| entry.key.value.as_str());
                    let help = did_you_mean(name, "there are", names);
                    return Err(self.unknown(
                        *span,
                        depth,
                        format!("no `{}` here", print::shortened(name)),
                        help,
                    ));
                }
                // Left at its default, or written in a shorthand: the canonical form has it.
                if let Some(canonical) = (place.expand)(node) {
                    let mut canonical = canonical.at(node.span);
                    let found = canonical.entries().iter().find(|entry| entry.key.value == *name).cloned();
                    if let (Kind::Struct(_, entries), Some(mut entry)) = (&mut node.kind, found) {
                        // What is not on the way there is as nobody has written it.
                        all_implied(&mut entry.value, true);
                        entries.push(entry);
                        return self.set(node, place, depth);
                    }
                    if node.kind != canonical.kind && !matches!(node.kind, Kind::Struct(..)) {
                        all_implied(&mut canonical, false);
                        *node = canonical;
                        return self.set(node, place, depth);
                    }
                } else if let (Kind::Struct(_, entries), Some(field)) =
                    (&mut node.kind, fields.iter().find(|field| field.name == name))
                {
                    // The value is not sound yet; this may be what it lacks.
                    let start = field.default.map_or(Kind::Unit.into(), |default| default());
                    let key = Spanned { value: name.clone(), span: *span };
                    entries.push(Entry { key, value: start.at(node.span), implied: false });
                    return self.set(node, place, depth);
                }
                // The canonical form is a short one that has no place for it, or has what it stands for; by its name it has.
                let default = fields.iter().find(|field| field.name == name).and_then(|field| field.default);
                let has_place = match node.name() {
                    Some(word) => !doc.is_positional(word),
                    None => matches!(doc.shape, Shape::Struct(_)),
                };
                if let (Some(default), true) = (default, has_place) {
                    let entry = |(name, value): (&str, Node)| Entry {
                        key: Spanned { value: name.into(), span: value.span },
                        value,
                        implied: false,
                    };
                    let more = entry((name, default().at(*span)));
                    match &mut node.kind {
                        Kind::Struct(_, entries) => entries.push(more),
                        Kind::Tuple(word, items) => {
                            let names = fields.iter().map(|field| field.name);
                            let written = names.zip(std::mem::take(items)).map(entry);
                            node.kind = Kind::Struct(word.take(), written.chain([more]).collect());
                        }
                        _ => return Err(self.no_field(node, &doc, name, *span, depth)),
                    }
                    return self.set(node, place, depth);
                }
                Err(self.no_field(node, &doc, name, *span, depth))
            }
        }
    }

    fn set_optional(&self, node: &mut Node, inner: TypeRef, depth: usize) -> Result<(), Box<Diagnostic>> {
        let place = Place { describe: inner.describe, expand: &inner.expand };
        match &mut node.kind {
            Kind::Tuple(Some(name), items) if &**name == "Some" && items.len() == 1 => {
                self.set(&mut items[0], place, depth)
            }
            Kind::Word(word) if word == "None" => {
                let span = self.set.path.steps[depth].1;
                let whole = self.set.path.text_to(depth);
                let example = (inner.describe)().example();
                let message = format!("`{whole}` is None, so nothing inside it can be set");
                Err(self.unknown(span, depth, message, format!("set all of it: {whole}={example}")))
            }
            _ => self.set(node, place, depth),
        }
    }

    fn set_index(
        &self,
        node: &mut Node,
        doc: &TypeDoc,
        place: &Place<'_>,
        index: usize,
        depth: usize,
    ) -> Result<(), Box<Diagnostic>> {
        let ty = match &doc.shape {
            Shape::List(ty) => Some(*ty),
            _ => doc.fields_of(node).get(index).map(|field| field.ty),
        };
        let span = self.set.path.steps[depth].1;
        if let Kind::List(items) | Kind::Tuple(_, items) = &mut node.kind {
            let count = items.len();
            return match items.get_mut(index) {
                Some(item) => self.descend(item, ty, depth),
                None if count == 0 => {
                    Err(self.unknown(span, depth, "the list is empty".into(), String::new()))
                }
                None => {
                    let last = count - 1;
                    let message =
                        format!("got index {index}, but there are {count} entries: [0] to [{last}]");
                    Err(self.unknown(span, depth, message, String::new()))
                }
            };
        }
        if let Some(canonical) = (place.expand)(node)
            && matches!(canonical.kind, Kind::List(_) | Kind::Tuple(..))
        {
            *node = canonical.at(node.span);
            return self.set_index(node, doc, place, index, depth);
        }
        let message = format!("`{}` is not a list but {}", self.set.path.text_to(depth), node.found());
        Err(self.unknown(span, depth, message, String::new()))
    }

    fn descend(&self, node: &mut Node, ty: Option<TypeRef>, depth: usize) -> Result<(), Box<Diagnostic>> {
        let ty = ty.unwrap_or(TypeRef::ANY);
        self.set(node, Place { describe: ty.describe, expand: &ty.expand }, depth + 1)
    }

    fn unknown(&self, span: Span, depth: usize, message: String, help: String) -> Box<Diagnostic> {
        let mut diagnostic = Diagnostic::error(span, message);
        diagnostic.path(self.set.path.text_to(depth + 1)).help(help);
        Box::new(diagnostic)
    }

    fn no_field(&self, node: &Node, doc: &TypeDoc, name: &str, span: Span, depth: usize) -> Box<Diagnostic> {
        let shown = print::shortened(name);
        let fields = doc.fields_of(node);
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        if let Shape::Enum(variants) = &doc.shape
            && (node.name().is_some() || names.is_empty())
        {
            let here = print::shortened(node.name().unwrap_or(&node.brief()));
            let help = match names.is_empty() {
                true => format!("`{here}` has no fields"),
                false => format!("`{here}` has: {}", names.join(", ")),
            };
            let owner = variants.iter().find(|variant| variant.fields.iter().any(|field| field.name == name));
            let message = match owner {
                // A variant without a name is what stands there without one.
                Some(owner) if owner.name.is_empty() => {
                    format!("`{here}` has no field `{shown}`: what stands in it may have one")
                }
                Some(owner) => format!("`{shown}` belongs to `{}`, but this is `{here}`", owner.name),
                None => format!("`{here}` has no field `{shown}`"),
            };
            return self.unknown(span, depth, message, help);
        }
        let message = match depth {
            _ if !names.is_empty() && depth == 0 => format!("no `{shown}` in the model"),
            _ if !names.is_empty() => format!("no field `{shown}` in {}", doc.name),
            _ => format!("{} has no fields", node.found()),
        };
        let mut names = names;
        if depth == 0 {
            names.push("run");
        }
        if depth == 0 && name == "model" {
            return self.unknown(
                span,
                depth,
                message,
                "paths start inside the model: leave out `model.`".into(),
            );
        }
        let help = if names.is_empty() { String::new() } else { did_you_mean(name, "its fields are", names) };
        self.unknown(span, depth, message, help)
    }
}
