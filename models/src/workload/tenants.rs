//! Whose a request is: the tenants of a service that many share.
//!
//! Tenants are numbered, or have names. The same number, or the same name, is the same tenant in all workloads: a flood of one that is
//! among those of another workload is a workload of its own, with this tenant alone. A user in a loop belongs to one tenant; an open
//! workload draws one for each call, by its luck, so it is the same under every policy.

use super::classes;
use super::ranks::Ranks;
use crate::experiment::{Decoder, Len, Map, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::{Better, Section, Unit, Value};
use sim_core::sampler::Zipf;

/// More would need more memory for what is counted of each than a run of any length.
const MOST: u32 = 1_000_000;
const MOST_NAMED: usize = 10_000;
/// Tenants of whom each has a line of its own, if there are no more; of more the first have, and the others have one together.
const TOLD_APART: usize = 10;
const FIRST: usize = 8;

spec! {
    /// Whose the requests are.
    pub enum Tenants where check {
        /// So many, with as many requests each.
        Even(count: u32; 1..=MOST),
        /// So many; the k-th has requests in proportion to `1 / k^exponent`.
        Zipf {
            /// How many.
            count: u32; 1..=MOST,
            /// How unlike they are; 0 is not at all.
            exponent: f64 = 1.0; 0.0..=10.0,
        },
        /// By name, each with its weight: its part of all of them is its part of the requests.
        Named(weights: Map<f64>; Len(1..=MOST_NAMED)),
    }
}

fn check(tenants: &Tenants, at: &Node, cx: &mut Decoder) {
    let Tenants::Named(weights) = tenants else { return };
    if let Some((name, weight)) = weights.iter().find(|(_, weight)| !(0.0..=1e12).contains(*weight)) {
        cx.error(
            weights.span_of(name).unwrap_or(at.span),
            format!("got a weight of {weight:?}, allowed 0.0 to 1e12"),
        );
    } else if weights.names().any(|name| name == OTHERS) {
        let help = "any other name: that is what those are called together that have no line of their own";
        cx.error(weights.span_of(OTHERS).unwrap_or(at.span), format!("no tenant is called `{OTHERS}`"))
            .help(help);
    } else if weights.values().all(|weight| *weight == 0.0) {
        cx.error(at.span, "no tenant has a weight: whose would a request be?");
    }
}

impl Tenants {
    /// How they are drawn.
    pub fn ranks(&self) -> Ranks {
        match self {
            Tenants::Even(count) => Ranks::Even(*count),
            Tenants::Zipf { count, exponent } => Ranks::Zipf(Zipf::new(u64::from(*count), *exponent)),
            Tenants::Named(weights) => Ranks::weighted(weights.values().copied()),
        }
    }

    /// Those that are told of one by one, by their numbers among these, and what they are called.
    pub fn told_apart(&self) -> Vec<String> {
        let names: Vec<String> = match self {
            Tenants::Even(count) | Tenants::Zipf { count, .. } => {
                (1..=*count).take(TOLD_APART + 1).map(|number| number.to_string()).collect()
            }
            Tenants::Named(weights) => weights.names().take(TOLD_APART + 1).map(str::to_owned).collect(),
        };
        let told = if names.len() > TOLD_APART { FIRST } else { names.len() };
        names.into_iter().take(told).collect()
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        match self {
            Tenants::Even(count) | Tenants::Zipf { count, .. } => *count,
            Tenants::Named(weights) => weights.len() as u32,
        }
    }
}

/// The numbers of the tenants of all workloads: what is numbered keeps its number, and names come after all numbers, in the order of
/// the file.
#[derive(Clone, Debug, Default)]
pub struct Numbering<'a> {
    numbered: u32,
    names: Vec<&'a str>,
}

impl<'a> Numbering<'a> {
    /// Of these.
    pub fn of(all: impl Iterator<Item = &'a Tenants>) -> Self {
        let mut numbering = Numbering::default();
        let mut seen = std::collections::BTreeSet::new();
        for tenants in all {
            match tenants {
                Tenants::Named(weights) => {
                    numbering.names.extend(weights.names().filter(|name| seen.insert(*name)));
                }
                Tenants::Even(count) | Tenants::Zipf { count, .. } => {
                    numbering.numbered = numbering.numbered.max(*count);
                }
            }
        }
        numbering
    }

    /// How many there are in all.
    pub fn count(&self) -> u32 {
        self.numbered + self.names.len() as u32
    }

    /// The number of the tenant of this name, or of one that is only numbered, as it is told: the first is called "1".
    pub fn number(&self, name: &str) -> Option<u32> {
        let named = self.names.iter().position(|it| *it == name).map(|place| self.numbered + place as u32);
        let numbered = || name.parse().ok().filter(|number| (1..=self.numbered).contains(number));
        named.or_else(|| numbered().map(|number: u32| number - 1))
    }

    /// Some of what they are called, to choose from.
    pub fn called(&self) -> impl Iterator<Item = String> {
        let numbered = (1..=self.numbered.min(TOLD_APART as u32)).map(|number| number.to_string());
        self.names.iter().map(|name| name.to_string()).chain(numbered)
    }

    /// The numbers of these, in their order; nothing where each is its own.
    pub fn numbers(&self, tenants: &Tenants) -> Vec<u32> {
        let Tenants::Named(weights) = tenants else { return Vec::new() };
        let places: std::collections::BTreeMap<&str, u32> =
            self.names.iter().copied().zip(self.numbered..).collect();
        weights.names().map(|name| places[name]).collect()
    }
}

impl Part for Tenants {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(match self.count() {
            1 => "one tenant".into(),
            count => format!("{count} tenants"),
        })
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        let names = self.told_apart();
        let others = (names.len() < self.count() as usize).then_some(OTHERS);
        let rows = names.iter().map(String::as_str).chain(others);
        let rows = rows.map(|name| classes::declared("tenants", at, name));
        rows.chain([declared(at)]).collect()
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "tenants",
            word: "",
            what: "Says whose each request is: of so many tenants, alike or by Zipf's law, or of tenants with names. It goes down with \
                   all that is done for the request, so that queues and balancers may look at it. A section `tenants` tells what became \
                   of the first of them, and `tenants_all` how unlike they fared.",
            hurts: "What all share one can use up: where nobody looks at whose a request is, a tenant that sends ten times as much gets \
                    ten times as much of what is there, and all fail alike.",
            formula: "of `n` tenants by Zipf's law with exponent `s` the `k`-th sends a share `k^-s / (1 + 2^-s + .. + n^-s)`",
            source: "Zipf 1949; MacCarthaigh, \"Workload isolation using shuffle-sharding\", AWS Builders' Library; Amazon, \"Fairness in \
                     multi-tenant systems\"",
            experiment: "noisy-neighbour",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Even(3)", "Zipf(count: 100)", r#"Named({"big": 5, "small": 1, "other": 0.5})"#]
    }
}

/// What all tenants are called that are not told of one by one.
pub const OTHERS: &str = "others";

/// What is told of all of them: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let share = |about| Value::new(Unit::Share, about);
    Section::new("tenants_all", at)
        .value("seen", Value::new(Unit::Plain, "tenants who made a call that ended, after the warm-up"))
        .value(
            "worst_success",
            share("of the calls of the tenant that fared worst").better(Better::More).headline(),
        )
        .value("median_success", share("of the calls of the tenant in the middle"))
        .value("failed_share", share("of the tenants: those none of whose calls ended well"))
        .value(
            "fairness",
            share("Jain's index of their shares of success: 1 if all fared alike, 1/n if one had everything"),
        )
}

/// What was measured of all of them: of each the calls that ended well, and all that ended.
pub fn told(at: &str, ended: &[[u32; 2]]) -> Section {
    let mut section = declared(at);
    let seen = ended.iter().filter(|[_, all]| *all > 0);
    let mut success: Vec<f64> = seen.map(|[ok, all]| f64::from(*ok) / f64::from(*all)).collect();
    success.sort_by(f64::total_cmp);
    let count = success.len() as f64;
    section.set("seen", count);
    section.set("worst_success", success.first().copied());
    section.set("median_success", success.get(success.len() / 2).copied());
    let failed = success.partition_point(|share| *share == 0.0);
    section.set("failed_share", (count > 0.0).then(|| failed as f64 / count));
    let (sum, squares) = success.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    section.set("fairness", (squares > 0.0).then(|| sum * sum / (count * squares)));
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn tenants(text: &str) -> Tenants {
        read::<Tenants>(text).unwrap_or_else(|said| panic!("{said}")).0
    }

    #[test]
    fn the_same_name_is_the_same_tenant() {
        let all = [r#"Named({"a": 1, "b": 1})"#, "Even(5)", r#"Named({"c": 1, "b": 1})"#, "Zipf(count: 3)"]
            .map(tenants);
        let numbering = Numbering::of(all.iter());
        assert_eq!(numbering.count(), 8);
        for (name, number) in [
            ("a", Some(5)),
            ("c", Some(7)),
            ("1", Some(0)),
            ("5", Some(4)),
            ("6", None),
            ("0", None),
            ("x", None),
        ] {
            assert_eq!(numbering.number(name), number, "{name}");
        }
        let numbers: Vec<Vec<u32>> = all.iter().map(|tenants| numbering.numbers(tenants)).collect();
        assert_eq!(numbers, [vec![5, 6], vec![], vec![7, 6], vec![]]);
    }

    #[test]
    fn of_many_the_first_are_told_of() {
        for (text, told, others) in [
            ("Even(1)", 1, false),
            ("Even(10)", 10, false),
            ("Even(11)", 8, true),
            ("Zipf(count: 1000000)", 8, true),
            (r#"Named({"a": 1, "b": 1})"#, 2, false),
        ] {
            let tenants = tenants(text);
            assert_eq!(tenants.told_apart().len(), told, "{text}");
            let sections = tenants.sections("users->api");
            assert_eq!(sections.len(), told + usize::from(others) + 1, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_shared_out_is_refused() {
        for (text, said) in [
            ("Even(0)", "got 0, allowed 1 to 1000000"),
            ("Zipf(count: 10, exponent: -1)", "got -1, allowed 0.0 to 10.0"),
            ("Named({})", "0 entries, allowed 1 to 10000"),
            (r#"Named({"a": 0})"#, "no tenant has a weight"),
            (r#"Named({"a": 1, "b": -2})"#, "got a weight of -2.0"),
            (r#"Named({"a": 1, "A": 2})"#, "A"),
        ] {
            let why = read::<Tenants>(text).map(|_| ()).expect_err(text);
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn how_unlike_they_fared() {
        let of = |ended: &[[u32; 2]]| {
            let section = told("at", ended);
            section.values.iter().map(|(_, value)| value.value.unwrap_or(-1.0)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [0.0, -1.0, -1.0, -1.0, -1.0]);
        assert_eq!(of(&[[5, 10], [0, 0], [4, 8]]), [2.0, 0.5, 0.5, 0.0, 1.0], "who never came is nobody");
        // One of four has everything.
        assert_eq!(of(&[[0, 3], [7, 7], [0, 1], [0, 9]]), [4.0, 0.0, 0.0, 0.75, 0.25]);
    }
}
