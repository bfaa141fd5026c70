//! What was found along a knob, in sentences.

use crate::result::edges::{Answer, Edge, Edges, Stretch};
use crate::result::found::{Found, Told, Which};
use crate::result::knob::Count;
use crate::result::mapped::State;
use crate::text::number::plus_minus;
use crate::text::{Paint, Style, clean};
use sim_core::SimDuration;

/// A stretch of the knob in which one thing happens.
pub(crate) struct Zone {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether it fails with the fault, and without.
    pub(crate) state: State,
}

impl Found {
    pub(crate) fn edges(&self, which: Which) -> Option<&Edges> {
        self.told.iter().find(|told| told.which == which).map(|told| &told.edges)
    }

    /// What is searched first: the edge that a reader asks about.
    pub(crate) fn first(&self) -> Option<&Told> {
        self.told.first().filter(|told| told.edges.alike > 0)
    }

    pub(crate) fn state(&self, x: f64) -> State {
        let answer = |which: Which| self.edges(which).map_or(Answer::Fine, |edges| edges.at(x));
        // What fails without any fault does with one: what of that cannot be told makes no difference.
        match (answer(Which::Alone), answer(Which::Fault)) {
            (Answer::Fails, _) => State::Overloaded,
            (Answer::Undecided, _) | (_, Answer::Undecided) => State::Undecided,
            (Answer::Fine, Answer::Fails) => State::Vulnerable,
            (Answer::Fine, Answer::Fine) => State::Stable,
        }
    }

    pub(crate) fn zones(&self) -> Vec<Zone> {
        let apart = self.told.iter().filter(|told| told.which != Which::Back);
        let mut ends: Vec<f64> = apart
            .flat_map(|told| {
                let edges = told.edges.edges.iter().map(|edge| edge.mean);
                edges.chain(told.edges.undecided.iter().flat_map(|stretch| [stretch.low, stretch.high]))
            })
            .collect();
        ends.extend([self.low, self.high]);
        ends.sort_by(f64::total_cmp);
        let mut zones: Vec<Zone> = Vec::new();
        for pair in ends.windows(2).filter(|pair| pair[0] < pair[1]) {
            let state = self.state(pair[0] + (pair[1] - pair[0]) / 2.0);
            match zones.last_mut() {
                Some(last) if last.state == state => last.high = pair[1],
                _ => zones.push(Zone { low: pair[0], high: pair[1], state }),
            }
        }
        zones
    }

    /// Whether the fault and what comes without it were both searched.
    pub(crate) fn disturbed(&self) -> bool {
        self.edges(Which::Fault).is_some()
    }

    /// An edge with its interval: `146 ± 1/s`.
    pub(crate) fn about(&self, edge: &Edge, style: Style) -> String {
        if self.whole(edge) {
            return self.knob.show(edge.mean.floor()) + " and " + &self.knob.show(edge.mean.floor() + 1.0);
        }
        plus_minus(edge.mean, edge.half_width, self.knob.unit(), style)
    }

    /// Whether an edge lies between two whole numbers, on all seeds the same.
    pub(crate) fn whole(&self, edge: &Edge) -> bool {
        self.knob.count == Count::Whole && edge.highest - edge.lowest <= 1.0
    }

    /// `above 146/s`, `below 3`.
    pub(crate) fn beyond(&self, edge: &Edge, style: Style) -> String {
        match (self.whole(edge), edge.fails_above) {
            (true, true) => format!("from {} on", self.knob.show(edge.mean.floor() + 1.0)),
            (true, false) => format!("up to {}", self.knob.show(edge.mean.floor())),
            (false, true) => format!("above {}", self.about(edge, style)),
            (false, false) => format!("below {}", self.about(edge, style)),
        }
    }

    pub(crate) fn fails(&self) -> String {
        match &self.failure {
            Some(wish) => clean(wish),
            None if self.disturbed() => "this fault is not survived".into(),
            None => "it fails".into(),
        }
    }

    pub(crate) fn everywhere(&self, low: &str, high: &str) -> String {
        match &self.failure {
            Some(wish) => format!("{} everywhere from {low} to {high}", clean(wish)),
            None if self.disturbed() => format!("this fault is survived nowhere from {low} to {high}"),
            None => format!("it fails everywhere from {low} to {high}"),
        }
    }

    /// The answer: its colour, two words and, after a `|`, one sentence.
    pub(crate) fn headline(&self, style: Style) -> (Paint, String) {
        let Some(first) = self.first() else {
            return (Paint::Bad, "NOTHING FOUND|no seed was searched to its end".into());
        };
        let (low, high) = (self.knob.show(self.low), self.knob.show(self.high));
        match &first.edges.edges[..] {
            [] if !first.edges.undecided.is_empty() => {
                let of = |stretch: &Stretch| {
                    format!("from {} to {}", self.knob.show(stretch.low), self.knob.show(stretch.high))
                };
                let where_: Vec<String> = first.edges.undecided.iter().map(of).collect();
                let too_early = format!("{} runs end too early to tell", where_.join(" and "));
                let rest = if where_.len() == 1 && first.edges.undecided[0].is_all(self.low, self.high) {
                    ""
                } else if first.edges.starts_failed {
                    "; elsewhere it fails"
                } else {
                    "; elsewhere all is well"
                };
                (Paint::Doubtful, format!("UNDECIDED|{too_early}{rest}"))
            }
            [] if first.edges.starts_failed => {
                (Paint::Bad, format!("NO EDGE|{}", self.everywhere(&low, &high)))
            }
            [] => {
                let fine = match &self.failure {
                    Some(wish) => format!("nowhere is {}", clean(wish)),
                    None if self.disturbed() => "this fault is survived everywhere".into(),
                    None => "nothing fails".into(),
                };
                (Paint::Good, format!("NO EDGE|{fine} from {low} to {high}"))
            }
            edges => {
                let parts: Vec<String> = edges.iter().map(|edge| self.beyond(edge, style)).collect();
                (Paint::Bad, format!("THE EDGE|{}: {}", parts.join(" and "), self.fails()))
            }
        }
    }

    /// Whether every search that tells zones apart has an answer.
    pub(crate) fn searched(&self) -> bool {
        self.told.iter().all(|told| told.which == Which::Back || told.edges.alike > 0)
    }

    /// What to know and what to do, a sentence each.
    pub(crate) fn sentences(&self) -> Vec<String> {
        if !self.searched() {
            return Vec::new();
        }
        let show = |x: f64| self.knob.show(x);
        let mut out = Vec::new();
        let fault = self.edges(Which::Fault);
        for zone in self.zones() {
            let stretch = self.stretch(&zone);
            let what = match (zone.state, &self.failure, fault.is_some()) {
                (State::Undecided, ..) => {
                    "undecided, runs end too early to tell whether it comes back: --settle makes them longer"
                        .into()
                }
                (State::Stable, Some(wish), _) => format!("{} is not so", clean(wish)),
                (State::Stable, None, true) => "stable, it always comes back from this fault".into(),
                (State::Stable, None, false) => "it carries its load: at least 95 % of it is answered".into(),
                (State::Vulnerable | State::Metastable, Some(wish), _) => {
                    format!("{}, by the fault", clean(wish))
                }
                (State::Vulnerable | State::Metastable, None, _) => {
                    let fault =
                        self.fault.as_ref().map_or(String::new(), |fault| format!(" ({})", clean(fault)));
                    format!(
                        "vulnerable, it carries its load, and one fault{fault} is enough to end that for good: a \
                         metastable failure"
                    )
                }
                (State::Overloaded, Some(wish), true) => format!("{}, without any fault", clean(wish)),
                (State::Overloaded, Some(wish), false) => clean(wish),
                (State::Overloaded, None, true) => "overloaded, it fails without any fault".into(),
                (State::Overloaded, None, false) => "overloaded, it fails".into(),
            };
            out.push(format!("{stretch}: {what}"));
        }
        out.extend(self.way_back());
        out.extend(self.weaker_fault());
        if let Some(standing) = self.standing {
            let zone = match (self.state(standing), self.failure.is_some()) {
                (State::Stable, _) => "on the good side",
                (State::Undecided, _) => "where runs end too early to tell",
                (State::Overloaded, _) => "on the bad side, fault or not",
                (_, true) => "on the bad side, because of the fault",
                (_, false) => "in the vulnerable zone",
            };
            let mixed =
                self.told.iter().any(|told| told.which != Which::Back && told.edges.mixed_at(standing));
            let luck = if mixed { ", and so close to an edge that it depends on the seed" } else { "" };
            out.push(format!("the file's {} is {zone}{luck}", show(standing)));
        }
        out
    }

    /// A zone's ends in words.
    pub(crate) fn stretch(&self, zone: &Zone) -> String {
        match (self.from(zone), self.up_to(zone)) {
            // The edges of the seeds overlap: there is no stretch that is so on every one of them.
            (Some(_), Some(_)) if self.overlap(zone) => {
                format!("about {} to {}, on some seeds", self.knob.show(zone.low), self.knob.show(zone.high))
            }
            (None, None) => format!("from {} to {}", self.knob.show(zone.low), self.knob.show(zone.high)),
            (None, Some((_, up_to))) => up_to,
            (Some((_, from)), None) => from,
            (Some((from, _)), Some((up_to, _))) => format!("from {from} to {up_to}"),
        }
    }

    /// Where a zone begins on every seed, as a number and as words; none at the low end of the range.
    pub(crate) fn from(&self, zone: &Zone) -> Option<(String, String)> {
        if zone.low <= self.low {
            return None;
        }
        let Some(edge) = self.edge_at(zone.low) else {
            let end = self.knob.show(zone.low);
            return Some((end.clone(), format!("above {end}")));
        };
        Some(match self.whole(edge) {
            true => {
                let first = self.knob.show(edge.mean.floor() + 1.0);
                (first.clone(), format!("from {first} on"))
            }
            false => {
                let end = self.knob.show(edge.highest);
                (end.clone(), format!("above {end}"))
            }
        })
    }

    /// Where a zone ends on every seed, as a number and as words; none at the high end of the range.
    pub(crate) fn up_to(&self, zone: &Zone) -> Option<(String, String)> {
        if zone.high >= self.high {
            return None;
        }
        let Some(edge) = self.edge_at(zone.high) else {
            let end = self.knob.show(zone.high);
            return Some((end.clone(), format!("below {end}")));
        };
        Some(match self.whole(edge) {
            true => {
                let last = self.knob.show(edge.mean.floor());
                (last.clone(), format!("up to {last}"))
            }
            false => {
                let end = self.knob.show(edge.lowest);
                (end.clone(), format!("below {end}"))
            }
        })
    }

    /// Whether a zone ends on some seed before it begins on another.
    fn overlap(&self, zone: &Zone) -> bool {
        let ends = self.edge_at(zone.low).zip(self.edge_at(zone.high));
        ends.is_some_and(|(from, to)| !self.whole(from) && !self.whole(to) && from.highest > to.lowest)
    }

    pub(crate) fn edge_at(&self, end: f64) -> Option<&Edge> {
        let told = self.told.iter().filter(|told| told.which != Which::Back);
        told.flat_map(|told| &told.edges.edges).find(|edge| edge.mean == end)
    }

    /// What the fluid law adds where this fault is weaker than the one it has in mind.
    pub(crate) fn weaker_fault(&self) -> Option<String> {
        let told = self.told.iter().find(|told| told.which == Which::Fault && told.harder_could())?;
        let exact = self.fluid(told.exact?);
        Some(format!("by the fluid law a harder fault could tip it anywhere between that and {exact}"))
    }

    pub(crate) fn way_back(&self) -> Option<String> {
        let (edges, looped) = (self.edges(Which::Back)?, self.looped?);
        let (from, settle) = (self.knob.show(looped.from), SimDuration::from_nanos(looped.settle).brief());
        let down = format!("once it is down at {from}, ");
        Some(match &edges.edges[..] {
            _ if edges.alike == 0 => return None,
            [edge] if edge.fails_above && edges.at(edge.mean) == Answer::Undecided => format!(
                "{down}it comes back within {settle} if the load is lowered below {}, and later if below {}",
                self.knob.show(edge.lowest),
                self.knob.show(edge.highest)
            ),
            [edge] if edge.fails_above => format!(
                "{down}it comes back only if the load is lowered below {} (within {settle})",
                self.knob.show(edge.lowest)
            ),
            [] if !edges.undecided.is_empty() => {
                format!(
                    "{down}whether it comes back when the load is lowered takes longer than {settle} to tell"
                )
            }
            [] if edges.starts_failed => format!(
                "{down}lowering the load to {} does not bring it back within {settle}: shed more, or restart it",
                self.knob.show(self.low)
            ),
            [] => format!(
                "{down}it comes back by itself within {settle}: the fault only takes longer to forget"
            ),
            _ => format!(
                "{down}whether it comes back does not follow the load in one direction: see --format json"
            ),
        })
    }

    pub(crate) fn doubts(&self) -> Vec<String> {
        let fewest = self.fewest.as_ref().and_then(|it| it.told(&self.knob.show(it.at[0])));
        let mut out: Vec<String> = fewest.into_iter().collect();
        for told in &self.told {
            let name = name(told.which, self.disturbed());
            let not_monotone = told.edges.not_monotone();
            if not_monotone > 0 {
                let of = told.edges.alike + told.edges.otherwise.len();
                out.push(format!("{name}: not in one direction only, on {not_monotone} of {of} seeds"));
            }
            for other in &told.edges.otherwise {
                let seed = self.seeds.first.wrapping_add(other.index as u64);
                let ways: Vec<String> = other
                    .edges
                    .iter()
                    .map(|edge| {
                        let word = if edge.fails_above { "fails" } else { "is fine" };
                        format!("{word} from {}", self.knob.show(edge.high))
                    })
                    .collect();
                let first = if other.starts_failed { "fails" } else { "is fine" };
                let rest = if ways.is_empty() {
                    " over the whole range".into()
                } else {
                    format!(" at {}, {}", self.knob.show(self.low), ways.join(", "))
                };
                out.push(format!("{name}: seed {seed} {first}{rest}"));
            }
            if !told.edges.otherwise.is_empty() && !told.edges.edges.is_empty() {
                let alike = told.edges.alike;
                out.push(format!("{name}: the mean is over the {alike} seeds that go alike; a wider range may have them all"));
            }
        }
        out
    }
}

pub(crate) fn name(which: Which, disturbed: bool) -> &'static str {
    match (which, disturbed) {
        (Which::Fault, _) => "not survived",
        (Which::Alone, true) => "fails without a fault",
        (Which::Alone, false) => "fails",
        (Which::Back, _) => "does not come back",
    }
}

pub(crate) fn zone_name(found: &Found, state: State) -> String {
    match (&found.failure, state, found.disturbed()) {
        (_, State::Undecided, _) => state.name().into(),
        (None, State::Stable, false) => "carries its load".into(),
        (None, State::Overloaded, false) => "fails".into(),
        (None, _, _) => state.name().into(),
        (Some(_), State::Stable, _) => "not so".into(),
        (Some(wish), State::Overloaded, true) => format!("{} without a fault", clean(wish)),
        (Some(wish), _, true) => format!("{} with the fault", clean(wish)),
        (Some(wish), _, false) => clean(wish),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::found::Told;
    use crate::result::knob::Knob;
    use crate::result::seeds::Seeds;

    fn edges(lowest: f64, mean: f64, highest: f64) -> Edges {
        let edge = Edge { fails_above: true, mean, half_width: 1.0, lowest, highest, seeds: Vec::new() };
        Edges { edges: vec![edge], alike: 6, ..Edges::default() }
    }

    fn found(fault: Edges, alone: Edges) -> Found {
        let knob = Knob::parse("load", "400/s..3000/s", None).expect("a range");
        Found {
            format: super::super::FORMAT,
            experiment: "storm".into(),
            variant: None,
            set: Vec::new(),
            path: knob.path.clone(),
            unit: crate::text::unit::Unit::Rate,
            low: knob.low,
            high: knob.high,
            standing: None,
            failure: Some("p99 > 300ms".into()),
            fewest: None,
            fault: Some("Slow on payments".into()),
            seeds: Seeds { first: 1, count: 6 },
            runs: 12,
            rounds: None,
            incomplete: Vec::new(),
            told: vec![Told::new(Which::Fault, fault), Told::new(Which::Alone, alone)],
            looped: None,
            look: Vec::new(),
            knob,
        }
    }

    #[test]
    fn a_stretch_begins_before_it_ends() {
        let apart = found(edges(1000.0, 1010.0, 1020.0), edges(2000.0, 2010.0, 2020.0)).sentences();
        assert_eq!(apart[1], "from 1 020/s to 2 000/s: p99 > 300ms, by the fault");
        let overlapping = found(edges(2310.0, 2370.0, 2418.0), edges(2350.0, 2380.0, 2418.0)).sentences();
        assert_eq!(overlapping[1], "about 2 370/s to 2 380/s, on some seeds: p99 > 300ms, by the fault");
    }
}
