//! What a page of one run is made of, besides its report.

use crate::result::judged::Judgement;
use crate::result::replicated::Replicated;
use crate::text::Paint;
use sim_models::policy::Outcome;
use sim_models::report::{Edge, Report, Section, VerdictKind};

/// What stands around a report on its page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What the author of the experiment expects, and what was measured.
    pub expectations: Judgement,
    /// What to type next: (`again`, `brownout run ..`). See `replay::next_steps`.
    pub next: Vec<(String, String)>,
    /// The same on more seeds, if it was run on more.
    pub replicated: Option<Replicated>,
}

/// The words and the colour of a kind of verdict.
pub fn kind(kind: VerdictKind) -> (&'static str, Paint) {
    match kind {
        VerdictKind::Steady => ("steady", Paint::Good),
        VerdictKind::Failing => ("failing", Paint::Bad),
        VerdictKind::Recovered => ("recovered", Paint::Good),
        VerdictKind::Unharmed => ("unharmed", Paint::Good),
        VerdictKind::StillDisturbed => ("still disturbed", Paint::Doubtful),
        VerdictKind::Degraded => ("degraded", Paint::Doubtful),
        VerdictKind::NotRecovered => ("not recovered", Paint::Bad),
        VerdictKind::Overloaded => ("overloaded", Paint::Bad),
        VerdictKind::NeverSettles => ("never settles", Paint::Bad),
        VerdictKind::Undecided => ("undecided", Paint::Doubtful),
        VerdictKind::Finding => ("finding", Paint::Strong),
    }
}

/// The most edges or services that are shown; files have them all.
pub(crate) const MOST: usize = 12;

/// The most telling of many: those of users, then those that failed most; in their own order.
pub fn chosen_edges(report: &Report) -> (Vec<(&str, &Edge)>, usize) {
    let mut edges: Vec<(usize, &str, &Edge)> =
        report.edges.iter().enumerate().map(|(index, (name, edge))| (index, name, edge)).collect();
    let left_out = edges.len().saturating_sub(MOST);
    edges.sort_by_key(|(index, _, edge)| {
        (
            !edge.from_users,
            std::cmp::Reverse(edge.attempts.sent.saturating_sub(edge.attempts.of(Outcome::Ok))),
            *index,
        )
    });
    edges.truncate(MOST);
    edges.sort_by_key(|(index, ..)| *index);
    (edges.into_iter().map(|(_, name, edge)| (name, edge)).collect(), left_out)
}

/// The kinds of sections that have values, in the order of the report; a part of a place of which nothing was measured is left out.
pub fn kinds(report: &Report) -> Vec<(&str, Vec<&Section>)> {
    let mut kinds: Vec<(&str, Vec<&Section>)> = Vec::new();
    let is_told = |section: &&Section| {
        let is_measured = section.values.iter().any(|(_, value)| value.value.is_some());
        is_measured || section.part_of().is_none() && !section.values.is_empty()
    };
    for section in report.sections.iter().filter(is_told) {
        match kinds.iter_mut().find(|(kind, _)| *kind == section.kind) {
            Some((_, all)) => all.push(section),
            None => kinds.push((&section.kind, vec![section])),
        }
    }
    kinds
}
