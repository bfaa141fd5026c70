//! The lines of a waterfall: the tree of a trace with what need not be seen left out.

use super::{Axis, Stage, cross, took};
use crate::text::number::count;
use crate::text::{Style, clean};
use sim_models::policy::Denied;
use sim_models::trace::{Span, SpanKind, Trace};
use std::collections::BTreeMap;

/// Of calls that one request makes over one edge, and of attempts of one call, these are shown at the beginning
/// and at the end, if there are many.
const SHOWN: (usize, usize) = (3, 1);
/// So many are not yet many.
const FEW: usize = 6;

/// A line of the waterfall.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The tree, and who it is.
    pub label: String,
    /// How long its caller waited.
    pub took: String,
    pub outcome: String,
    /// Whether all of it was for nobody.
    pub wasted: bool,
    parts: Vec<Part>,
    /// When the caller gave up, if anything went on after that.
    gave_up: Option<u64>,
}

/// A stretch of a bar; an open one lasts to the end of the axis.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: u64,
    to: u64,
    stage: Stage,
}

/// All lines of a trace.
pub(super) fn lines(trace: &Trace, style: Style) -> Vec<Line> {
    let mut tree =
        Tree { spans: &trace.spans, children: vec![Vec::new(); trace.spans.len()], style, out: Vec::new() };
    for (index, span) in trace.spans.iter().enumerate() {
        if let Some(parent) = span.parent {
            tree.children[parent as usize].push(index);
        }
    }
    tree.call(0, &Margin::default());
    tree.out
}

/// What stands before a label.
#[derive(Clone, Default)]
struct Margin {
    own: String,
    below: String,
}

struct Tree<'a> {
    spans: &'a [Span],
    children: Vec<Vec<usize>>,
    style: Style,
    out: Vec<Line>,
}

impl Tree<'_> {
    fn of_kind(&self, parent: usize, kinds: &[SpanKind]) -> Vec<usize> {
        let children = self.children[parent].iter().copied();
        children.filter(|&child| kinds.contains(&self.spans[child].kind)).collect()
    }

    fn call(&mut self, index: usize, margin: &Margin) {
        let call = &self.spans[index];
        let attempts = self.of_kind(index, &[SpanKind::Attempt]);
        let pauses = self.of_kind(index, &[SpanKind::BackOff, SpanKind::Line]);
        let name = clean(&call.at);
        if let ([attempt], true) = (&attempts[..], pauses.is_empty()) {
            let attempt = *attempt;
            let label = format!("{}{name}{}", margin.own, self.replica(attempt));
            let outcome = self.why(attempt, &call.outcome);
            let line = Line {
                label,
                outcome,
                wasted: call.wasted,
                took: took(call.from, call.to),
                ..self.bar(attempt)
            };
            self.out.push(line);
            return self.calls_of(attempt, margin);
        }
        let mut parts = vec![];
        parts.extend(call.to.or(self.end_of(index)).map(|to| Part {
            from: call.from,
            to,
            stage: Stage::Waiting,
        }));
        for pause in pauses {
            let span = &self.spans[pause];
            let to = span.to.unwrap_or(u64::MAX);
            let stage = if span.kind == SpanKind::Line { Stage::Queue } else { Stage::BackOff };
            parts.push(Part { from: span.from, to, stage });
        }
        let said = |by: &Denied| {
            self.children[index].iter().any(|&child| self.spans[child].outcome == by.told().name)
        };
        let outcome = match Denied::ALL.iter().find(|by| said(by)) {
            Some(by) => format!("{}, {}", call.outcome, by.told().name),
            None => call.outcome.clone(),
        };
        self.out.push(Line {
            label: format!("{}{name}", margin.own),
            outcome: clean(&outcome),
            took: took(call.from, call.to),
            wasted: call.wasted,
            parts,
            gave_up: None,
        });
        self.siblings(&attempts, margin, Tree::attempt);
    }

    fn attempt(&mut self, index: usize, margin: &Margin) {
        let attempt = &self.spans[index];
        // A copy is of the same try as an attempt that was sent before it.
        let is_copy = self.spans[..index].iter().any(|other| {
            (other.kind, other.parent, other.attempt) == (attempt.kind, attempt.parent, attempt.attempt)
        });
        let what = if is_copy { "copy of" } else { "attempt" };
        let label = format!("{}{what} {}{}", margin.own, attempt.attempt, self.replica(index));
        let outcome = self.why(index, &attempt.outcome);
        let took = took(attempt.from, attempt.to);
        self.out.push(Line { label, outcome, took, wasted: attempt.wasted, ..self.bar(index) });
        self.calls_of(index, margin);
    }

    /// The calls that a request made, below its line.
    fn calls_of(&mut self, attempt: usize, margin: &Margin) {
        let waits = self.of_kind(attempt, &[SpanKind::Waiting]);
        let calls: Vec<usize> =
            waits.iter().flat_map(|&wait| self.of_kind(wait, &[SpanKind::Call])).collect();
        self.siblings(&calls, margin, Tree::call);
    }

    /// Lines of one level; of many that are alike the first ones, one that counts the rest, and the last.
    fn siblings(&mut self, all: &[usize], margin: &Margin, draw: fn(&mut Self, usize, &Margin)) {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &index in all {
            let alike = |group: &Vec<usize>| self.spans[group[0]].at == self.spans[index].at;
            match groups.last_mut().filter(|group| alike(group)) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        let last_group = groups.len().saturating_sub(1);
        for (number, group) in groups.iter().enumerate() {
            let (first, last) = if group.len() > FEW { SHOWN } else { (group.len(), 0) };
            let folded = &group[first..group.len() - last];
            let ends = |index: usize| number == last_group && index == group[group.len() - 1];
            for &index in &group[..first] {
                draw(self, index, &margin.child(ends(index), self.style));
            }
            if !folded.is_empty() {
                let line = self.folded(folded, &margin.child(false, self.style));
                self.out.push(line);
            }
            for &index in &group[group.len() - last..] {
                draw(self, index, &margin.child(ends(index), self.style));
            }
        }
    }

    /// One line for many.
    fn folded(&self, all: &[usize], margin: &Margin) -> Line {
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for &index in all {
            *outcomes.entry(&self.spans[index].outcome).or_default() += 1;
        }
        let said: Vec<String> =
            outcomes.iter().map(|(outcome, n)| format!("{n} {}", clean(outcome))).collect();
        let part = |&index: &usize| {
            let span = &self.spans[index];
            Part { from: span.from, to: span.to.unwrap_or(u64::MAX), stage: Stage::Waiting }
        };
        Line {
            label: format!("{}{} more like these", margin.own, count(all.len() as u64)),
            outcome: if outcomes.len() == 1 {
                clean(outcomes.keys().next().expect("one"))
            } else {
                said.join(", ")
            },
            took: String::new(),
            wasted: all.iter().all(|&index| self.spans[index].wasted),
            parts: all.iter().map(part).collect(),
            gave_up: None,
        }
    }

    /// The bar of an attempt: its stages, and nothing where it had none.
    fn bar(&self, attempt: usize) -> Line {
        let span = &self.spans[attempt];
        let mut parts = Vec::new();
        let mut reached = span.from;
        for &child in &self.children[attempt] {
            let part = &self.spans[child];
            let lost = part.to.is_none() && part.outcome == "lost";
            let stage = match part.kind {
                _ if lost || part.outcome == "held" => Stage::Nothing,
                SpanKind::Network => Stage::Network,
                SpanKind::Queue => Stage::Queue,
                SpanKind::Work => Stage::Work,
                _ => Stage::Waiting,
            };
            let to = if lost { span.to.unwrap_or(part.from) } else { part.to.unwrap_or(u64::MAX) };
            reached = reached.max(to);
            parts.push(Part { from: part.from, to: to.max(part.from), stage });
        }
        if let Some(to) = span.to.filter(|&to| to > reached) {
            parts.push(Part { from: reached, to, stage: Stage::Nothing });
        }
        let gave_up = span.to.filter(|&to| span.outcome != "ok" && reached > to);
        Line { parts, gave_up, ..Line::default() }
    }

    /// `[2]`, the replica that an attempt went to.
    fn replica(&self, attempt: usize) -> String {
        let served = self.children[attempt].iter().rev().map(|&child| &self.spans[child]);
        let at = served
            .filter(|span| span.kind != SpanKind::Network)
            .find_map(|span| span.at.rfind('[').map(|at| &span.at[at..]));
        at.map(|at| format!(" {}", clean(at))).unwrap_or_default()
    }

    /// An outcome, and what became of the request if that is not the same.
    fn why(&self, attempt: usize, outcome: &str) -> String {
        let children = self.children[attempt].iter().map(|&child| self.spans[child].outcome.as_str());
        match children.rev().find(|other| !other.is_empty() && *other != outcome) {
            Some(other) => format!("{}, {}", clean(outcome), clean(other)),
            None => clean(outcome),
        }
    }

    fn end_of(&self, call: usize) -> Option<u64> {
        self.children[call].iter().map(|&child| self.spans[child].to.unwrap_or(u64::MAX)).max()
    }
}

impl Margin {
    fn child(&self, last: bool, style: Style) -> Margin {
        let (own, below) = match last {
            true => style.pick(("└ ", "  "), ("` ", "  ")),
            false => style.pick(("├ ", "│ "), ("|-", "| ")),
        };
        Margin { own: format!("{}{own}", self.below), below: format!("{}{below}", self.below) }
    }
}

impl Line {
    /// Whether a stage is on it.
    pub fn shows(&self, stage: Stage) -> bool {
        self.parts.iter().any(|part| part.stage == stage)
    }

    /// Whether something went on after the caller had given up.
    pub fn outlasts(&self) -> bool {
        self.gave_up.is_some()
    }

    /// The bar up to where the caller gave up, and what follows.
    pub fn bar(&self, axis: Axis, style: Style) -> (String, String) {
        let gave_up = self.gave_up.map(|at| axis.column(at).min(axis.columns - 1));
        let mut signs: Vec<&str> = (0..axis.columns).map(|column| self.sign(axis, column, style)).collect();
        // What is too short for a column is seen all the same.
        if signs.iter().all(|sign| *sign == " ")
            && let Some(longest) = self.parts.iter().max_by_key(|part| part.to - part.from)
        {
            signs[axis.column(longest.from).min(axis.columns - 1)] = longest.stage.glyph(style);
        }
        if self.parts.is_empty() && gave_up.is_none() {
            return (String::new(), String::new());
        }
        match gave_up {
            Some(at) => {
                signs[at] = cross(style);
                (signs[..=at].concat(), signs[at + 1..].concat())
            }
            None => (signs.concat(), String::new()),
        }
    }

    /// The stage that has most of a column.
    fn sign(&self, axis: Axis, column: usize, style: Style) -> &'static str {
        let (from, to) = (axis.time(column), axis.time(column + 1));
        let share = |part: &Part| part.to.min(to).saturating_sub(part.from.max(from));
        // Of equals the later part: a back-off lies upon its call.
        let most = self.parts.iter().filter(|part| share(part) > 0).max_by_key(|part| share(part));
        most.map_or(" ", |part| part.stage.glyph(style))
    }
}
