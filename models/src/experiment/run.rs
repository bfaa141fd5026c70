//! How long and how often a model runs, and what is expected of it.

use crate::promise::{Cost, Slo};
use crate::report::During;
use sim_core::SimDuration;

use super::decode::{Decode, Decoder};
use super::doc::TypeDoc;
use super::node::{Kind, Node, Spanned};
use super::print;
use super::rule::POSITIVE;

/// Windows in one run: each is a row of every series.
pub const MOST_WINDOWS: u64 = 100_000;

spec! {
    /// How long and how often the model runs.
    pub struct RunSpec where check_run {
        /// Virtual time from the first arrival to the end.
        duration: SimDuration; POSITIVE.or("nothing would happen"),
        /// The beginning that is left out of the measurements.
        warm_up: SimDuration = SimDuration::ZERO,
        /// Where all luck comes from.
        seed: u64 = 1,
        /// Runs with different luck, for intervals of confidence.
        replications: u32 = 10; 1..=100_000,
        /// The length of one step of the time series.
        window: SimDuration = SimDuration::from_secs(1); POSITIVE.or("a series would have no end"),
        /// How long users are ready to wait for an answer: what takes longer is late, and a verdict counts it as not served.
        /// Without, three times the 99th percentile before anything goes wrong.
        within: Option<SimDuration> = None; POSITIVE.or("nothing would be in time"),
        /// What is promised to users, and who is told when the promise is in danger.
        slo: Vec<Slo> = Vec::new(),
        /// What things cost.
        cost: Option<Cost> = None,
    }
}

impl RunSpec {
    /// So long, and the rest as it is where nothing is said.
    pub const fn lasting(duration: SimDuration) -> Self {
        RunSpec {
            duration,
            warm_up: SimDuration::ZERO,
            seed: 1,
            replications: 10,
            window: SimDuration::from_secs(1),
            within: None,
            slo: Vec::new(),
            cost: None,
        }
    }
}

fn check_run(run: &RunSpec, at: &Node, cx: &mut Decoder) {
    let place = |field: &str| at.get(field).unwrap_or(at).span;
    if run.duration.is_zero() || run.window.is_zero() {
        return;
    }
    if run.warm_up >= run.duration {
        let message =
            format!("got \"{}\", must be shorter than the duration, \"{}\"", run.warm_up, run.duration);
        cx.at("warm_up", |cx| {
            _ = cx
                .error(place("warm_up"), message)
                .label(place("duration"), "the duration")
                .help("nothing would be measured");
        });
    }
    let windows = run.duration.as_nanos().div_ceil(run.window.as_nanos());
    if windows > MOST_WINDOWS {
        let message =
            format!("got \"{}\": {windows} windows in the run, allowed at most {MOST_WINDOWS}", run.window);
        cx.at("window", |cx| _ = cx.error(place("window"), message).help("make the window longer"));
    }
}

spec! {
    /// What a run should come to. One of `is`, `at_most`, `at_least`, `below`, `above`, `equals`.
    pub struct Expectation where check_expectation {
        /// A metric, as `list metrics` names them: `edges["checkout->payments"].latency.p99`.
        metric: Spanned<String>,
        /// The variant of which it is expected; without one, the experiment as written.
        variant: Option<Spanned<String>> = None,
        /// The part of the run that is looked at: `before`, `fault` or `after` what disturbs it, or `"60s..90s"`.
        during: Option<Spanned<During>> = None,
        /// It is true, or false.
        is: Option<bool> = None,
        /// It is this or less.
        at_most: Option<Bound> = None,
        /// It is this or more.
        at_least: Option<Bound> = None,
        /// It is less than this.
        below: Option<Bound> = None,
        /// It is more than this.
        above: Option<Bound> = None,
        /// It is this, give or take `within`.
        equals: Option<Bound> = None,
        /// How far from `equals` it may be.
        within: Option<Bound> = None,
        /// Over how many seeds `check` judges it, by the 95 % interval of the mean; without it, the file's seed alone.
        seeds: Option<u32> = None; 2..=100_000,
    }
}

/// What a metric is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Check<'a> {
    /// True or false.
    Is(bool),
    /// This or less.
    AtMost(&'a Bound),
    /// This or more.
    AtLeast(&'a Bound),
    /// Less than this.
    Below(&'a Bound),
    /// More than this.
    Above(&'a Bound),
    /// This, give or take the second.
    Equals(&'a Bound, Option<&'a Bound>),
}

impl Expectation {
    /// Of this metric, and nothing yet.
    pub fn of(metric: &str) -> Self {
        Expectation {
            metric: Spanned { value: metric.into(), ..Spanned::default() },
            variant: None,
            during: None,
            is: None,
            at_most: None,
            at_least: None,
            below: None,
            above: None,
            equals: None,
            within: None,
            seeds: None,
        }
    }

    /// What the metric is held against.
    pub fn check(&self) -> Check<'_> {
        self.checks().next().expect("refused when it was read")
    }

    fn checks(&self) -> impl Iterator<Item = Check<'_>> {
        [
            self.is.map(Check::Is),
            self.at_most.as_ref().map(Check::AtMost),
            self.at_least.as_ref().map(Check::AtLeast),
            self.below.as_ref().map(Check::Below),
            self.above.as_ref().map(Check::Above),
            self.equals.as_ref().map(|equals| Check::Equals(equals, self.within.as_ref())),
        ]
        .into_iter()
        .flatten()
    }
}

fn check_expectation(expectation: &Expectation, at: &Node, cx: &mut Decoder) {
    const CHECKS: &str = "is, at_most, at_least, below, above, equals";
    match expectation.checks().count() {
        0 => _ = cx.error(at.span, "nothing is expected of the metric").help(format!("add one of: {CHECKS}")),
        1 => {}
        _ => {
            _ = cx
                .error(at.span, "more than one thing is expected")
                .help(format!("use one of {CHECKS}; write two entries"))
        }
    }
    if let (Some(within), None) = (at.get("within"), &expectation.equals) {
        cx.at("within", |cx| _ = cx.error(within.span, "goes with `equals` only"));
    }
}

/// A value to hold a metric against.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `0.95`
    Number(f64),
    /// `"250ms"`
    Duration(SimDuration),
    /// Any other text.
    Text(String),
}

impl Decode for Bound {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        match (&node.kind, node.as_text()) {
            (Kind::Number(_), _) => f64::decode(node, cx).map(Bound::Number),
            (_, Some(text)) => Some(text.parse().map_or_else(|_| Bound::Text(text.into()), Bound::Duration)),
            _ => cx.expected(node, "a number or a text such as \"250ms\""),
        }
    }
    fn encode(&self) -> Node {
        match self {
            Bound::Number(number) => number.encode(),
            Bound::Duration(duration) => duration.encode(),
            Bound::Text(text) => Node::text(text),
        }
    }
    fn describe() -> TypeDoc {
        TypeDoc::text("bound", "\"250ms\"")
    }
}

impl Decode for During {
    fn decode(node: &Node, cx: &mut Decoder) -> Option<Self> {
        let word = if let Kind::Word(word) = &node.kind { Some(word.as_str()) } else { None };
        let Some(text) = node.as_text().or(word) else {
            return cx.expected(node, "a part of the run: before, fault, after, or one such as \"60s..90s\"");
        };
        match text.parse() {
            Ok(during) => Some(during),
            Err(why) => {
                cx.error(node.span, format!("got {}: {why}", print::quoted(text)));
                None
            }
        }
    }
    fn encode(&self) -> Node {
        Node::text(self.to_string())
    }
    fn describe() -> TypeDoc {
        TypeDoc::text("part of the run", "\"60s..90s\"")
    }
}
