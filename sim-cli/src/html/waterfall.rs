//! Single calls as they went: every span a row, indented under what it belongs to, with its bar on a common scale.

use super::Block;
use super::escape::text;
use super::table::{Cell, Table};
use crate::render::sequence::svg_in_page;
use crate::replay::quote;
use crate::text::number::{count, duration};
use sim_models::trace::{Span, SpanKind, Trace};

/// The most spans of one call that are drawn.
const MOST_SPANS: usize = 400;

/// A waterfall for each call; the first is open. `again` is the command that traces calls of this run.
pub fn blocks(traces: &[Trace], again: &str) -> Vec<Block> {
    let drawn = traces.iter().filter(|trace| !trace.spans.is_empty()).enumerate();
    drawn.map(|(index, trace)| Block::Html(waterfall(trace, index == 0, again))).collect()
}

fn waterfall(trace: &Trace, open: bool, again: &str) -> String {
    let call = &trace.spans[0];
    let begin = call.from;
    // Work for a caller who had given up goes on after the call.
    let end =
        trace.spans.iter().map(|span| span.to.unwrap_or(span.from)).max().unwrap_or(begin).max(begin + 1);
    let how = match (call.outcome.as_str(), call.to) {
        (_, None) => "never ended".to_string(),
        ("", Some(to)) => format!("took {}", duration(to - begin)),
        (outcome, Some(to)) => format!("{outcome} after {}", duration(to - begin)),
    };
    let why = if trace.why.is_empty() { String::new() } else { format!(" ({})", trace.why) };
    let head = format!("call {} over {}, begun at {}: {how}{why}", trace.call, trace.edge, duration(begin));
    let mut table = Table::new(&head)
        .words("what")
        .words("how it ended")
        .numbers(["begins", "takes"])
        .words(&format!("0 to {}", duration(end - begin)));
    for (span, depth) in trace.spans.iter().zip(depths(&trace.spans)).take(MOST_SPANS) {
        table.row(row(span, depth, begin, end));
    }
    let more = trace.spans.len().saturating_sub(MOST_SPANS) as u64 + trace.left_out;
    let more = if more > 0 { format!("and {} more spans. ", count(more)) } else { String::new() };
    let line = format!("{again} --edge {} --call {}", quote(&trace.edge), trace.call);
    let open = if open { " open" } else { "" };
    let messages = trace.sequence.as_ref().map_or(String::new(), |sequence| svg_in_page(&head, sequence));
    format!(
        "<details class=\"waterfall\"{open}><summary>{}</summary>{messages}{}<p class=\"note\">{more}Alone: <code>{}</code></p></details>\n",
        text(&head),
        table.build(),
        text(&line)
    )
}

/// How far below the call each span is. Parents stand before their children.
fn depths(spans: &[Span]) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(spans.len());
    for span in spans {
        let parent = span.parent.and_then(|parent| depths.get(parent as usize));
        depths.push(parent.map_or(0, |depth| depth + 1));
    }
    depths
}

fn row(span: &Span, depth: usize, begin: u64, end: u64) -> [Cell; 5] {
    let (word, class) = match span.kind {
        SpanKind::Call => ("call", "k-call"),
        SpanKind::Attempt => ("attempt", "k-attempt"),
        SpanKind::BackOff => ("back-off", "k-back-off"),
        SpanKind::Network => ("network", "k-network"),
        SpanKind::Queue => ("queue", "k-queue"),
        SpanKind::Work => ("work", "k-work"),
        SpanKind::Waiting => ("waits for its calls", "k-waiting"),
        SpanKind::Line => ("in line", "k-queue"),
    };
    let number = if span.attempt > 0 { format!(" {}", span.attempt) } else { String::new() };
    // Blanks that do not collapse: a screen reader passes over them.
    let indent = "\u{a0}\u{a0}".repeat(depth.min(20));
    let what = format!("{indent}{word}{number} {}", crate::text::escape(&span.at));
    let wasted = if span.wasted { "for nobody" } else { "" };
    let of_it = |time: u64, what: &str| match time {
        0 => String::new(),
        time => format!("{what} for {} of it", duration(time)),
    };
    let [starts, still] =
        [of_it(span.starting, "an instance starts"), of_it(span.standing_still, "stands still")];
    let how = [span.outcome.as_str(), &starts, &still, wasted]
        .iter()
        .filter(|word| !word.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let to = span.to.unwrap_or(end);
    let place = |at: u64| (u128::from(at.saturating_sub(begin)) * 1000 / u128::from(end - begin)) as u64;
    let (x, width) = (place(span.from), (place(to) - place(span.from)).max(2));
    let class = if span.wasted { format!("{class} wasted") } else { class.to_string() };
    let open_end = if span.to.is_none() { " open-end" } else { "" };
    let bar = format!(
        "<svg class=\"bar fall\" viewBox=\"0 0 1002 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"{class}{open_end}\" x=\"{x}\" y=\"1\" width=\"{width}\" height=\"8\"/></svg>"
    );
    [
        what.into(),
        how.into(),
        duration(span.from.saturating_sub(begin)).into(),
        span.to.map_or_else(|| "no end".to_string(), |to| duration(to - span.from)).into(),
        Cell::html(bar),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two attempts: the first times out while it waits, and is worked on for nobody.
    pub fn call() -> Trace {
        let span = |parent, kind, from, to, outcome: &str| Span {
            parent,
            kind,
            at: "checkout->payments".into(),
            from,
            to,
            outcome: outcome.into(),
            ..Span::default()
        };
        let spans = vec![
            span(None, SpanKind::Call, 1_000, Some(401_000), "ok"),
            Span { attempt: 1, ..span(Some(0), SpanKind::Attempt, 1_000, Some(201_000), "timed out") },
            span(Some(1), SpanKind::Queue, 1_000, Some(301_000), ""),
            Span { wasted: true, ..span(Some(1), SpanKind::Work, 301_000, None, "") },
            Span { attempt: 2, ..span(Some(0), SpanKind::Attempt, 201_000, Some(401_000), "ok") },
        ];
        Trace { edge: "users-><b>".into(), call: 7, key: 1, why: "slowest".into(), spans, ..Trace::default() }
    }

    #[test]
    fn a_call_is_rows_under_each_other() {
        let html = waterfall(&call(), true, "brownout trace x");
        assert_eq!(html.matches("<tr>").count(), 6, "{html}");
        assert!(html.contains("<details class=\"waterfall\" open><summary>call 7 over users-&gt;&lt;b&gt;, begun at 1 us: ok after 400 us (slowest)"), "{html}");
        assert!(html.contains("\u{a0}\u{a0}\u{a0}\u{a0}work checkout"), "{html}");
        let mut slow = call();
        (slow.spans[3].starting, slow.spans[3].standing_still) = (50_000, 20_000);
        let said = waterfall(&slow, true, "brownout trace x");
        assert!(
            said.contains("an instance starts for 50 us of it, stands still for 20 us of it, for nobody"),
            "{said}"
        );
        // What had no end is drawn to the end.
        assert!(html.contains("class=\"k-work wasted open-end\" x=\"750\" y=\"1\" width=\"250\""), "{html}");
        assert!(html.contains("<td>for nobody</td>"), "{html}");
    }

    #[test]
    fn spans_in_any_state_are_drawn() {
        let mut trace = call();
        trace.spans[0].to = None;
        trace.spans[4].parent = Some(99);
        trace.spans.extend(vec![Span::default(); 500]);
        let html = waterfall(&trace, false, "");
        assert!(html.contains("never ended") && html.contains("and 105 more spans"), "{html}");
        assert!(blocks(&[Trace::default()], "").is_empty());
    }
}
