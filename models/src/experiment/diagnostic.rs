//! What is wrong with an experiment, where, and what to do about it.
//!
//! Nothing here prints: a [`Diagnostic`] holds all that a renderer needs, and [`Sources`] finds the line
//! and column. Problems are collected, never returned one at a time, because a user who fixes one error
//! per attempt is a user who leaves.

use std::fmt;

use super::node::Span;
use super::print;

/// So many problems are shown; the rest is a count.
pub const SHOWN: usize = 20;

/// So many are kept: a hostile file may have a million.
const KEPT: usize = 1_000;

/// Whether a problem stops the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The experiment cannot run.
    Error,
    /// It can, but perhaps not as meant.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it stops the run.
    pub severity: Severity,
    /// The value in question, from the model's fields on: `services.payments.workers`. May be empty.
    pub path: String,
    /// What is wrong: `got 0, allowed at least 1`. One line, safe to print.
    pub message: String,
    /// Places and what to say at each. The first is where the problem is.
    pub labels: Vec<(Span, String)>,
    /// What to do, in a sentence.
    pub help: Option<String>,
    /// The only variant that has it, which the message names.
    pub variant: Option<String>,
}

impl Diagnostic {
    /// A problem that stops the run.
    pub fn error(span: Span, message: impl AsRef<str>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            path: String::new(),
            message: print::safe(message.as_ref()),
            labels: vec![(span, String::new())],
            help: None,
            variant: None,
        }
    }

    /// Says where it is, from the model's fields on.
    pub fn path(&mut self, path: impl Into<String>) -> &mut Self {
        self.path = path.into();
        self
    }

    /// Points at one more place.
    pub fn label(&mut self, span: Span, text: impl AsRef<str>) -> &mut Self {
        self.labels.push((span, print::safe(text.as_ref())));
        self
    }

    /// Says what to do. An empty text says nothing.
    pub fn help(&mut self, text: impl AsRef<str>) -> &mut Self {
        let text = text.as_ref();
        self.help = (!text.is_empty()).then(|| print::safe(text));
        self
    }

    /// Where the problem is, if it has a place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.0)
    }
}

/// Problems as they are found. No warning takes the room of an error.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
    /// Errors in the list.
    kept: usize,
    dropped: usize,
    spare: Option<Box<Diagnostic>>,
}

/// How many of each kind there are beyond those that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More {
    /// What stops the run.
    pub errors: usize,
    /// What does not.
    pub warnings: usize,
}

impl More {
    /// Whether there are any.
    pub fn any(self) -> bool {
        self.errors + self.warnings > 0
    }
}

/// `2 more errors and 1 more warning`; nothing where there are none.
impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |number: usize, what: &str| match number {
            0 => None,
            1 => Some(format!("1 more {what}")),
            _ => Some(format!("{number} more {what}s")),
        };
        let both: Vec<String> =
            [told(self.errors, "error"), told(self.warnings, "warning")].into_iter().flatten().collect();
        f.write_str(&both.join(" and "))
    }
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, and hands it back to be completed.
    pub fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        let error = diagnostic.severity == Severity::Error;
        self.errors += usize::from(error);
        if self.list.len() < KEPT {
            self.kept += usize::from(error);
            self.list.push(diagnostic);
            return self.list.last_mut().expect("just pushed");
        }
        self.dropped += 1;
        if error && self.kept < KEPT {
            let warning = self.list.iter_mut().rev().find(|kept| kept.severity == Severity::Warning);
            let place = warning.expect("not all that is kept are errors");
            self.kept += 1;
            *place = diagnostic;
            return place;
        }
        self.spare.insert(Box::new(diagnostic))
    }

    /// The last one, if it came after the first `before`.
    pub(super) fn last_since(&mut self, before: usize) -> Option<&mut Diagnostic> {
        if self.list.len() > before { self.list.last_mut() } else { None }
    }

    /// All that were kept, to be completed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.list.iter_mut()
    }

    /// Whether further problems are only counted, so that looking for help is a waste.
    pub(super) fn full(&self) -> bool {
        self.kept >= KEPT
    }

    /// Whether one of them stops the run.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many there are, those that were only counted included.
    pub fn len(&self) -> usize {
        self.list.len() + self.dropped
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Moves all of `other` here.
    pub fn append(&mut self, other: Diagnostics) {
        self.dropped += other.dropped;
        self.errors += other.errors - other.kept;
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Forgets what is told of such places.
    pub(super) fn leave_out(&mut self, such: impl Fn(Span) -> bool) {
        let errors = |list: &[Diagnostic]| list.iter().filter(|d| d.severity == Severity::Error).count();
        let before = errors(&self.list);
        self.list.retain(|d| !d.span().is_some_and(&such));
        let gone = before - errors(&self.list);
        self.errors -= gone;
        self.kept -= gone;
    }

    /// Sorts, errors first, by position, and removes what was found twice.
    pub fn finish(mut self) -> Self {
        let key = |d: &Diagnostic| (d.severity, d.span().unwrap_or_default());
        self.list.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message)));
        self.list.dedup_by(|b, a| (b.span(), &b.message, b.severity) == (a.span(), &a.message, a.severity));
        let kept = self.list.iter().filter(|d| d.severity == Severity::Error).count();
        self.errors -= self.kept - kept;
        self.kept = kept;
        self
    }

    /// The problems that were kept.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// The first [`SHOWN`] and the numbers of those left out.
    pub fn shown(&self) -> (&[Diagnostic], More) {
        let shown = &self.list[..self.list.len().min(SHOWN)];
        let errors = shown.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = self.len() - self.errors - (shown.len() - errors);
        (shown, More { errors: self.errors - errors, warnings })
    }

    /// Those that are not of another variant than this.
    #[must_use]
    pub fn of(&self, variant: Option<&str>) -> Diagnostics {
        let mut those = Diagnostics::new();
        let here = |it: &&Diagnostic| it.variant.is_none() || it.variant.as_deref() == variant;
        self.list.iter().filter(here).for_each(|it| _ = those.push(it.clone()));
        those
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Diagnostic> {
        self.list.into_iter()
    }
}

/// The texts that spans point into: the file first, then each override.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

/// One text and what to call it.
#[derive(Clone, Debug)]
pub struct Source {
    /// `retry-storm.ron`, `--set`
    pub name: String,
    /// All of it.
    pub text: String,
}

/// Where a span begins, for people: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Character in that line.
    pub column: usize,
}

impl Sources {
    /// Adds a text; the number goes into its spans.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.0.push(Source { name: name.into(), text: text.into() });
        self.0.len() as u32 - 1
    }

    /// The text with this number.
    pub fn get(&self, source: u32) -> Option<&Source> {
        self.0.get(source as usize)
    }

    /// The bytes of a span, cut to whole characters.
    pub fn slice(&self, span: Span) -> &str {
        let Some(source) = self.get(span.source) else { return "" };
        let floor = |at: u32| {
            let at = (at as usize).min(source.text.len());
            (0..=at).rev().find(|&at| source.text.is_char_boundary(at)).unwrap_or(0)
        };
        source.text.get(floor(span.start)..floor(span.end)).unwrap_or("")
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        let before = self.slice(Span { start: 0, end: span.start, ..span });
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Why an experiment cannot run: the problems and the texts they point into.
#[derive(Clone, Debug, Default)]
pub struct Failed {
    /// The file and the overrides.
    pub sources: Sources,
    /// Sorted, each once.
    pub diagnostics: Diagnostics,
}

impl std::error::Error for Failed {}

/// `file:line:column: field.path: message`, one problem a line, help below it.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, more) = self.diagnostics.shown();
        for (index, diagnostic) in shown.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if let Some(span) = diagnostic.span() {
                let Position { line, column } = self.sources.position(span);
                let name = self.sources.get(span.source).map_or("", |source| &source.name);
                write!(f, "{}:{line}:{column}: ", print::safe(name))?;
            }
            if diagnostic.severity == Severity::Warning {
                f.write_str("warning: ")?;
            }
            if !diagnostic.path.is_empty() {
                write!(f, "{}: ", diagnostic.path)?;
            }
            f.write_str(&diagnostic.message)?;
            if let Some(help) = &diagnostic.help {
                write!(f, "\n  help: {help}")?;
            }
        }
        if more.any() {
            write!(f, "\nand {more}")?;
        }
        Ok(())
    }
}

/// The candidate that `found` was most likely meant to be.
pub fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if found.len() > 80 {
        return None;
    }
    let folded = found.to_lowercase().replace(['-', ' '], "_");
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 80)
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace(['-', ' '], "_");
            (strsim::damerau_levenshtein(&folded, &plain), candidate)
        })
        .filter(|(distance, candidate)| *distance <= found.len().max(candidate.len()).div_ceil(3).min(4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or else the names there are: `<what>: a, b, c`.
pub fn did_you_mean<'a>(found: &str, what: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match nearest(found, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => format!("{what}: none"),
        None => {
            let more = names.len().saturating_sub(20);
            let listed = names[..names.len() - more].join(", ");
            if more > 0 { format!("{what}: {listed} and {more} more") } else { format!("{what}: {listed}") }
        }
    }
}
