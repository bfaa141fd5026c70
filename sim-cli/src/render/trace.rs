//! Single calls as waterfalls: what waits for what at the left, when at the right, over one axis of time.
//!
//! A line is an attempt, or a call with its only attempt. Its bar shows where the attempt was at each moment, by
//! `Stage`; where several share a column, the one that had most of it. A cross marks where the caller gave up:
//! whatever stands behind it was for nobody.

mod line;
pub mod otlp;
pub mod perfetto;
mod story;

use super::chart::below;
use super::sequence;
use super::timeline::faults;
use crate::text::number::{count, duration};
use crate::text::{Paint, Style, clean, fit, pad, pad_left, quiet, width, wrap};
use line::{Line, lines};
use sim_core::SimDuration;
use sim_models::report::{Change, Disturbance, Report, Section};
use sim_models::trace::{SpanKind, Trace};

/// Of one trace no more lines than this.
const MOST_LINES: usize = 60;
/// The widest label, in hundredths of the page.
const LABEL: usize = 45;
/// What went on for nobody is drawn for at most this many lengths of the call.
const MOST_LENGTHS: u64 = 3;

/// What a moment of a line is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Network,
    Queue,
    Work,
    /// A request waits for the calls that it makes; a call for its attempt.
    Waiting,
    BackOff,
    /// Nothing comes: lost, swallowed, kept back by the network.
    Nothing,
}

impl Stage {
    const ALL: [(Stage, &'static str); 6] = [
        (Stage::Queue, "queue"),
        (Stage::Work, "work"),
        (Stage::Waiting, "waiting for others"),
        (Stage::BackOff, "back-off"),
        (Stage::Network, "network"),
        (Stage::Nothing, "lost, held, or never answered"),
    ];

    fn glyph(self, style: Style) -> &'static str {
        match self {
            Stage::Network => style.pick("·", "-"),
            Stage::Queue => style.pick("░", "."),
            Stage::Work => style.pick("█", "#"),
            Stage::Waiting => style.pick("─", "="),
            Stage::BackOff => style.pick("~", "~"),
            Stage::Nothing => style.pick("?", "?"),
        }
    }
}

/// A column in which a caller gave up.
fn cross(style: Style) -> &'static str {
    style.pick("✗", "x")
}

/// The page: every trace, then what the signs mean. `again` is the command that shows a trace alone.
pub fn page(report: &Report, traces: &[Trace], again: impl Fn(&Trace) -> String, style: Style) -> String {
    let mut sections: Vec<Vec<String>> = Vec::new();
    let mut drawn: Vec<Line> = Vec::new();
    for trace in traces {
        let mut lines = lines(trace, style);
        sections.push(section(report, trace, &lines, &again(trace), style));
        if trace.sequence.is_none() {
            lines.truncate(MOST_LINES);
            drawn.append(&mut lines);
        }
    }
    sections.push(legend(&drawn, style));
    sections.iter().map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// The signs of these lines and what they mean, as many to a line as fit.
fn legend(drawn: &[Line], style: Style) -> Vec<String> {
    let used = Stage::ALL.iter().filter(|(stage, _)| drawn.iter().any(|line| line.shows(*stage)));
    let mut signs: Vec<String> = used.map(|(stage, name)| format!("{} {name}", stage.glyph(style))).collect();
    if drawn.iter().any(Line::outlasts) {
        signs.push(format!("{} the caller gave up: what follows was for nobody", cross(style)));
    }
    let mut lines: Vec<String> = Vec::new();
    for sign in signs {
        match lines.last_mut() {
            Some(line) if width(line) + 3 + width(&sign) <= style.columns() - 2 => {
                line.extend(["   ", &sign])
            }
            _ => lines.push(sign),
        }
    }
    lines.iter().map(|line| format!("  {}", style.paint(Paint::Quiet, line))).collect()
}

fn section(report: &Report, trace: &Trace, lines: &[Line], again: &str, style: Style) -> Vec<String> {
    let dot = style.pick(" · ", ", ");
    let call = &trace.spans[0];
    let variant = report.variant.iter().map(|variant| format!("variant {}", clean(variant)));
    let title: Vec<String> = [clean(&report.experiment)]
        .into_iter()
        .chain(variant)
        .chain([
            format!("call {} of {}", count(trace.call), clean(&trace.edge)),
            format!("begun at {}", moment(call.from)),
            format!("seed {}", report.run.seed),
        ])
        .collect();
    let mut out: Vec<String> =
        wrap(&title.join(dot), style.columns()).iter().map(|line| style.paint(Paint::Strong, line)).collect();
    if let Some(limit) = &report.stopped {
        out.push(style.paint(Paint::Bad, &format!("  STOPPED EARLY: {}", clean(limit))));
    }
    if !trace.why.is_empty() {
        out.extend(quiet(&clean(&trace.why), "  ", style));
    }
    out.push(String::new());
    out.extend(wrap(&story::story(trace), style.columns() - 2).iter().map(|line| format!("  {line}")));
    out.push(String::new());
    match &trace.sequence {
        Some(sequence) => out.extend(sequence::text(sequence, style)),
        None => out.extend(waterfall(report, trace, lines, style)),
    }
    out.push(String::new());
    out.push(format!("  {}  {again}", style.paint(Paint::Quiet, "again")));
    out
}

/// Virtual time, to the millisecond.
fn moment(nanos: u64) -> String {
    let millis = nanos / 1_000_000;
    format!("{}.{:03} s", count(millis / 1_000), millis % 1_000)
}

/// The time that is drawn.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: u64,
    to: u64,
    columns: usize,
}

impl Axis {
    /// The call, and what went on after it, up to a point.
    fn of(trace: &Trace) -> Self {
        let call = &trace.spans[0];
        let last = trace.spans.iter().map(|span| span.to.unwrap_or(span.from)).max().unwrap_or(call.from);
        let end = call.to.unwrap_or(last).max(call.from + 1);
        let longest = call.from.saturating_add((end - call.from).saturating_mul(MOST_LENGTHS));
        Axis { from: call.from, to: last.clamp(end, longest.max(end)), columns: 0 }
    }

    fn span(self) -> u64 {
        self.to - self.from
    }

    /// The column of a time, which may be past the last.
    fn column(self, at: u64) -> usize {
        let since = u128::from(at.saturating_sub(self.from));
        (since * self.columns as u128 / u128::from(self.span())) as usize
    }

    /// The time at the left of a column.
    fn time(self, column: usize) -> u64 {
        self.from + (u128::from(self.span()) * column as u128 / self.columns as u128) as u64
    }

    /// Times at even distances, the first at 0.
    fn ticks(self) -> String {
        if self.span() <= 1 {
            return "0 s".into();
        }
        let mut step = 1u64;
        while self.span() / step > 5 {
            step = match step.to_string().as_bytes()[0] {
                b'1' => step * 2,
                b'2' => step / 2 * 5,
                _ => step * 2,
            };
        }
        let labels = (0..=self.span() / step).map(|n| {
            let label = SimDuration::from_nanos(n * step).brief();
            (self.column(self.from + n * step), label)
        });
        below(&labels.collect::<Vec<_>>(), self.columns)
    }
}

fn waterfall(report: &Report, trace: &Trace, lines: &[Line], style: Style) -> Vec<String> {
    let rows = &lines[..lines.len().min(MOST_LINES)];
    let left_out = lines.len() - rows.len();
    let label_width = rows.iter().map(|row| width(&row.label)).max().unwrap_or(0);
    let label_width = label_width.max(14).min(style.columns() * LABEL / 100);
    let took_width = rows.iter().map(|row| width(&row.took)).max().unwrap_or(0);
    let outcome_width = rows.iter().map(|row| width(&row.outcome)).max().unwrap_or(0).min(24);
    let left = 2 + label_width + 2 + took_width + 2 + outcome_width + 2;
    let axis = Axis { columns: style.columns().saturating_sub(left).max(16), ..Axis::of(trace) };

    let above = |label: &str, picture: &str, paint: Paint| {
        let label = pad(&fit(label, left - 4, style), left - 2);
        format!("  {}{}", style.paint(Paint::Quiet, &label), style.paint(paint, picture))
            .trim_end()
            .to_string()
    };
    let mut out = vec![above("", &axis.ticks(), Paint::Plain)];
    for (number, row) in
        faults(&disturbances(report, axis), axis.span(), axis.columns, style).iter().enumerate()
    {
        out.push(above(if number == 0 { "fault" } else { "" }, row, Paint::Bad));
    }
    for (label, picture) in states(report, trace, axis, style) {
        out.push(above(&label, &picture, Paint::Doubtful));
    }
    for row in rows {
        out.push(drawn(row, axis, label_width, took_width, outcome_width, style));
    }
    if left_out > 0 {
        out.push(format!("  and {} more lines: --format json", count(left_out as u64)));
    }
    if trace.left_out > 0 {
        out.push(format!("  and more than {} steps that were not kept", count(trace.left_out)));
    }
    out
}

fn drawn(row: &Line, axis: Axis, label: usize, took: usize, outcome: usize, style: Style) -> String {
    let paint = match row.outcome.as_str() {
        "" | "ok" => Paint::Plain,
        "cancelled" | "in flight" => Paint::Doubtful,
        _ => Paint::Bad,
    };
    let name = pad(&fit(&row.label, label, style), label);
    let name = if row.wasted { style.paint(Paint::Quiet, &name) } else { name };
    let (before, after) = row.bar(axis, style);
    let line = format!(
        "  {name}  {}  {}  {before}{}",
        pad_left(&row.took, took),
        style.paint(paint, &pad(&fit(&row.outcome, outcome, style), outcome)),
        style.paint(Paint::Quiet, &after),
    );
    line.trim_end().to_string()
}

/// What disturbed the run meanwhile, counted from the beginning of the axis.
fn disturbances(report: &Report, axis: Axis) -> Vec<Disturbance> {
    let during = |disturbance: &&Disturbance| {
        disturbance.from < axis.to && disturbance.to.is_none_or(|to| to > axis.from)
    };
    let shift = |disturbance: &Disturbance| Disturbance {
        from: disturbance.from.saturating_sub(axis.from),
        to: disturbance.to.filter(|to| *to < axis.to).map(|to| to - axis.from),
        ..disturbance.clone()
    };
    report.timeline.disturbances.iter().filter(during).map(shift).collect()
}

/// What the calls of this trace met that changed its state, where it was not as at first all the time: a row each.
fn states(report: &Report, trace: &Trace, axis: Axis, style: Style) -> Vec<(String, String)> {
    let mut met: Vec<(&str, u32)> = Vec::new();
    for span in trace.spans.iter().filter(|span| span.kind == SpanKind::Call) {
        let one = (span.at.as_str(), span.client.unwrap_or(0));
        if !met.contains(&one) {
            met.push(one);
        }
    }
    let mut states: Vec<(usize, Whose)> = Vec::new();
    for (at, one) in met {
        for (index, section) in report.sections.iter().enumerate().filter(|(_, section)| section.at == at) {
            for whose in states_met(section, one) {
                // What all share was met by each of them.
                if !states.contains(&(index, whose)) {
                    states.push((index, whose));
                }
            }
        }
    }
    let drawn = |(index, whose): (usize, _)| states_of(&report.sections[index], whose, axis, style);
    states.into_iter().filter_map(drawn).collect()
}

/// Whose a state is, and to which replica: of one of those at a place, or of all; to one of the replicas, or to all.
type Whose = (Option<u32>, Option<u32>);

/// The states that one of those at a place has, and those that it shares with the others.
fn states_met(section: &Section, one: u32) -> Vec<Whose> {
    let changes = section.changes.iter().filter(|change| change.of.is_none_or(|of| of == one));
    let mut states: Vec<Whose> = changes.map(|change| (change.of, change.replica)).collect();
    states.sort_unstable();
    states.dedup();
    states
}

/// The state of one of those at a place, over the axis; nothing where it was as at first all the time.
fn states_of(section: &Section, whose: Whose, axis: Axis, style: Style) -> Option<(String, String)> {
    // States by when they are first heard of: what all are at first, what they come to, and anything else.
    let first = section.changes.first()?.from.as_ref();
    let second = section.changes.first()?.to.as_ref();
    let mut state = first;
    let mut changes = section.changes.iter().filter(|change| (change.of, change.replica) == whose).peekable();
    while let Some(change) = changes.next_if(|change| change.at <= axis.from) {
        state = &change.to;
    }
    let during: Vec<&Change> = changes.take_while(|change| change.at < axis.to).collect();
    if during.is_empty() && state == first {
        return None;
    }
    let sign = |state: &str| match state {
        state if state == first => style.pick("─", "-"),
        state if state == second => style.pick("▓", "X"),
        _ => style.pick("▒", "x"),
    };
    let at = |column: usize| {
        let reached = during.iter().rev().find(|change| axis.column(change.at) <= column);
        sign(reached.map_or(state, |change| &change.to))
    };
    let picture = (0..axis.columns).map(at).collect();
    let words = |state: &str| clean(&state.replace('_', "-"));
    let which = whose.1.map_or(String::new(), |replica| format!(" replica {replica}"));
    let mut label = format!("{} {}{which}: {}", clean(&section.kind), clean(&section.at), words(state));
    for change in during.iter().take(2) {
        label.push_str(&format!(", {}", words(&change.to)));
    }
    Some((label, picture))
}

/// A length for a line.
fn took(from: u64, to: Option<u64>) -> String {
    to.map_or_else(|| "..".into(), |to| duration(to - from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testdata;
    use sim_models::policy::Ending;
    use sim_models::report::Unit;
    use sim_models::trace::Span;

    const MS: u64 = 1_000_000;
    const BEGIN: u64 = 89_800 * MS;

    struct Tree(Vec<Span>);

    impl Tree {
        /// Times are milliseconds from the beginning of the call.
        fn add(&mut self, parent: u32, kind: SpanKind, at: &str, span: (u64, u64), outcome: &str) -> u32 {
            let (from, to) = (BEGIN + span.0 * MS, (span.1 < u64::MAX).then(|| BEGIN + span.1 * MS));
            let parent = (!self.0.is_empty()).then_some(parent);
            let attempt = self
                .0
                .iter()
                .filter(|other| other.parent == parent && other.kind == SpanKind::Attempt)
                .count();
            let attempt = if kind == SpanKind::Attempt { attempt as u16 + 1 } else { 0 };
            let client = (kind == SpanKind::Call).then_some(1);
            let (at, outcome) = (at.into(), outcome.into());
            self.0.push(Span { parent, kind, at, from, to, outcome, attempt, client, ..Span::default() });
            self.0.len() as u32 - 1
        }
    }

    /// A call that waits for another, which is tried three times: late, refused before it was sent, lost.
    fn storm() -> Trace {
        use SpanKind::*;
        let mut tree = Tree(Vec::new());
        let root = tree.add(0, Call, "users->checkout", (0, 520), "timed out");
        let first = tree.add(root, Attempt, "users->checkout", (0, 520), "timed out");
        tree.add(first, Network, "users->checkout", (0, 10), "");
        tree.add(first, Work, "checkout[1]", (10, 60), "");
        let waiting = tree.add(first, Waiting, "checkout[1]", (60, 540), "error");
        let inner = tree.add(waiting, Call, "checkout->payments", (60, 540), "timed out");
        let late = tree.add(inner, Attempt, "checkout->payments", (60, 260), "timed out");
        let queue = tree.add(late, Queue, "payments[0]", (60, 700), "");
        let work = tree.add(late, Work, "payments[0]", (700, 780), "");
        tree.0[queue as usize].wasted = true;
        tree.0[work as usize].wasted = true;
        tree.add(inner, BackOff, "checkout->payments", (260, 310), "");
        let refused = Ending::all().find(|ending| ending.told().by.is_some()).expect("a caller can refuse");
        tree.add(inner, Attempt, "checkout->payments", (310, 310), refused.name());
        tree.add(inner, BackOff, "checkout->payments", (310, 340), "");
        let lost = tree.add(inner, Attempt, "checkout->payments", (340, 540), "timed out");
        tree.add(lost, Network, "checkout->payments", (340, u64::MAX), "lost");
        let edge = "users->checkout".to_string();
        Trace {
            edge,
            call: 89_812,
            key: 7,
            why: "the longest of 12 that timed out".into(),
            sequence: None,
            spans: tree.0,
            left_out: 0,
        }
    }

    fn report() -> Report {
        let mut report = testdata::storm();
        let change = |at: u64, from: &'static str, to: &'static str| Change {
            at: BEGIN + at * MS,
            of: Some(1),
            replica: None,
            from: from.into(),
            to: to.into(),
        };
        let changes = vec![change(270, "closed", "open"), change(330, "open", "half_open")];
        let mut gates = Section::new("gates", "checkout->payments").line("open", Unit::Plain, "");
        gates.draw("open", vec![0.0, 1.0]);
        report.sections = vec![Section { changes, ..gates }];
        report
    }

    /// Whoever asks why a call was slow is told what of it was no work: a start, a pause.
    #[test]
    fn a_start_and_a_pause_are_told_from_work() {
        use SpanKind::*;
        let mut tree = Tree(Vec::new());
        let root = tree.add(0, Call, "users->fn", (0, 1_000), "ok");
        let attempt = tree.add(root, Attempt, "users->fn", (0, 1_000), "ok");
        let work = tree.add(attempt, Work, "fn[0]", (0, 1_000), "");
        let told = |starting: u64, standing_still: u64| {
            let mut spans = tree.0.clone();
            let work = &mut spans[work as usize];
            (work.starting, work.standing_still) = (starting * MS, standing_still * MS);
            story::story(&Trace { edge: "users->fn".into(), spans, ..Trace::default() })
        };
        assert_eq!(told(0, 0), "1 s: 100 % working in fn; answered.");
        assert_eq!(
            told(600, 100),
            "1 s: 60 % waiting for an instance of fn to start, 30 % working in fn, 10 % standing still in fn; answered."
        );
        assert_eq!(told(0, 2_000), "1 s: 100 % standing still in fn; answered.");
    }

    /// A state to each replica has a line of its own.
    #[test]
    fn states_to_each_replica_are_told_apart() {
        let mut report = report();
        let changes = &mut report.sections[0].changes;
        changes[0].replica = Some(3);
        changes[1].replica = Some(4);
        changes.push(Change { of: Some(0), replica: Some(9), ..changes[0].clone() });
        let section = &report.sections[0];
        assert_eq!(states_met(section, 1), [(Some(1), Some(3)), (Some(1), Some(4))]);
        let axis = Axis { from: BEGIN, to: BEGIN + 400 * MS, columns: 40 };
        let label =
            |replica| states_of(section, (Some(1), replica), axis, Style::default()).map(|(label, _)| label);
        assert_eq!(label(Some(3)).as_deref(), Some("gates checkout->payments replica 3: closed, open"));
        assert_eq!(label(None), None);
    }

    /// What all share is drawn in every trace that meets it, and once, whoever moved it.
    #[test]
    fn a_state_of_all_is_drawn_once() {
        let mut report = report();
        report.sections[0].changes.iter_mut().for_each(|change| change.of = None);
        let mut trace = storm();
        let mut other = trace.spans[5].clone();
        assert_eq!((&*other.at, other.client), ("checkout->payments", Some(1)));
        other.client = Some(2);
        trace.spans.push(other);
        let rows = states(&report, &trace, Axis::of(&trace), Style::default());
        let labels: Vec<&str> = rows.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["gates checkout->payments: closed, open, half-open"]);
    }

    fn again(trace: &Trace) -> String {
        format!("brownout trace retry-storm --call {}", trace.call)
    }

    fn check(text: &str, style: Style) {
        assert!(text.lines().all(|line| width(line) <= style.columns()), "too wide:\n{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "blanks at the end of a line:\n{text}");
    }

    #[test]
    fn a_call_that_timed_out() {
        let text = page(&report(), &[storm()], again, Style::default());
        check(&text, Style::default());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn narrow_and_in_ascii() {
        let style = Style { width: 70, unicode: false, ..Style::default() };
        let text = page(&report(), &[storm()], again, style);
        check(&text, style);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn many_of_a_kind_are_folded() {
        use SpanKind::*;
        let mut tree = Tree(Vec::new());
        let root = tree.add(0, Call, "users->front", (0, 100), "ok");
        let attempt = tree.add(root, Attempt, "users->front", (0, 100), "ok");
        let waiting = tree.add(attempt, Waiting, "front[0]", (0, 100), "");
        for n in 0..100 {
            let outcome = if n == 50 { "error" } else { "ok" };
            let call = tree.add(waiting, Call, "front->shard", (n, n + 1), outcome);
            let attempt = tree.add(call, Attempt, "front->shard", (n, n + 1), outcome);
            tree.add(attempt, Work, "shard[3]", (n, n + 1), "");
        }
        let trace = Trace { edge: "users->front".into(), spans: tree.0, ..Trace::default() };
        let text = page(&Report::default(), &[trace], again, Style::default());
        check(&text, Style::default());
        insta::assert_snapshot!(text);
    }

    /// Two of three are enough: the second decides, and the third, which takes longer, is not what was waited for.
    #[test]
    fn what_was_not_waited_for_is_not_to_blame() {
        use SpanKind::*;
        let mut tree = Tree(Vec::new());
        let root = tree.add(0, Call, "users->front", (0, 60), "ok");
        let attempt = tree.add(root, Attempt, "users->front", (0, 60), "ok");
        let waiting = tree.add(attempt, Waiting, "front[0]", (0, 60), "");
        for (node, took) in [("a", 20), ("b", 60), ("c", 90)] {
            let edge = format!("front->{node}");
            let call = tree.add(waiting, Call, &edge, (0, took), "ok");
            let attempt = tree.add(call, Attempt, &edge, (0, took), "ok");
            tree.add(attempt, Work, &format!("{node}[0]"), (0, took), "");
        }
        let trace = Trace { edge: "users->front".into(), spans: tree.0, ..Trace::default() };
        let text = page(&Report::default(), &[trace], again, Style::default());
        assert!(text.contains("100 % working in b; answered"), "{text}");
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut trace = storm();
        for span in &mut trace.spans {
            span.at = span.at.replace("payments", "pay\u{1b}[31m\u{202e}\"<b>\n");
        }
        let report = report();
        let text = page(&report, std::slice::from_ref(&trace), again, Style::default());
        assert!(text.contains("\\u{1b}[31m") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
        for document in [perfetto::document(&report, &[trace.clone()]), otlp::document(&report, &[trace])] {
            let read: serde_json::Value = serde_json::from_str(&document).expect("it is JSON");
            assert!(read.to_string().contains("<b>") && !document.contains('\u{1b}'));
        }
    }

    #[test]
    fn for_perfetto() {
        insta::assert_snapshot!(lines_of(&perfetto::document(
            &Report { edges: Default::default(), services: Default::default(), ..report() },
            &[storm()]
        )));
    }

    #[test]
    fn as_opentelemetry() {
        insta::assert_snapshot!(lines_of(&otlp::document(&report(), &[storm()])));
    }

    /// JSON with an object or so a line.
    fn lines_of(document: &str) -> String {
        document.replace("},{", "},\n{").replace("[{", "[\n{")
    }
}
