//! What a service does otherwise for requests that have a flag: their work takes longer, or less long, or ends in an error more often.
//!
//! It is the request that has it and not the replica: wherever it goes, and however often it is tried again, it is treated so.

use crate::experiment::{Decoder, Map, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::service_graph::slab::Beside;
use crate::service_graph::spec::{GraphSpec, ServiceSpec};
use crate::service_graph::state::*;
use crate::theory::either;
use crate::words::percent;
use sim_core::Words;

spec! {
    /// What is otherwise for requests with a flag.
    pub struct WithFlag where check {
        /// How many times as long their own work takes.
        work: f64 = 1.0; 0.000_001..=1_000_000.0,
        /// Share of them that fail after their own work, besides those that do so anyway.
        error_rate: f64 = 0.0; 0.0..=1.0,
    }
}

fn check(with: &WithFlag, at: &Node, cx: &mut Decoder) {
    if with.work == 1.0 && with.error_rate == 0.0 {
        cx.warn(at.span, "nothing is otherwise for those who have it")
            .help("say a `work`, or an `error_rate`");
    }
}

impl WithFlag {
    /// Whether it does no harm.
    pub fn is_sound(&self) -> bool {
        self.work <= 1.0 && self.error_rate == 0.0
    }
}

impl Part for Map<WithFlag> {
    fn does(&self) -> Does {
        let works = self.values().any(|it| it.work != 1.0);
        let fails = self.values().any(|it| it.error_rate > 0.0);
        let varies = if works || fails { Does::VARIES } else { Does::NOTHING };
        varies.and(if fails { Does::FAILS } else { Does::NOTHING })
    }

    fn brief(&self) -> Option<String> {
        let one = |(name, it): (&str, &WithFlag)| {
            let work = (it.work != 1.0).then(|| format!("work x{}", it.work));
            let fails = (it.error_rate > 0.0).then(|| format!("errors {}", percent(it.error_rate)));
            let what: Vec<String> = work.into_iter().chain(fails).collect();
            (!what.is_empty()).then(|| format!("with {name} {}", what.join(", ")))
        };
        let all: Vec<String> = self.iter().filter_map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "with_flags",
            word: "",
            what: "Lets the work of requests that have a flag of the graph take longer, or less long, or fail, wherever they go.",
            hurts: "What is otherwise for one in twenty is hardly to be seen in the figures of all: a mean that is 10 % higher, an error rate of \
                    5 %; for those who have it it is three times as long, or all of it. Another replica does the same to them.",
            formula: "a share `s` whose work takes `f` times as long makes `1 + s (f - 1)` of the mean work",
            source: "Fowler and Hodgson, \"Feature Toggles\", 2017; The Site Reliability Workbook, chapter 16 (canaries by users)",
            experiment: "feature-flag",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"{"beta": (work: 3, error_rate: 0.2)}"#,
            r#"{"beta": (work: 0.5)}"#,
            r#"{"beta": (error_rate: 1)}"#,
        ]
    }
}

/// What a service makes of the flags that come to it.
#[derive(Clone)]
pub struct Reads {
    /// Each that it reads, as a set of one.
    each: Box<[(u8, WithFlag)]>,
    /// And what each request has.
    of: Beside<u8>,
}

impl Reads {
    /// If it reads any.
    pub fn by(service: &ServiceSpec, spec: &GraphSpec) -> Option<Self> {
        let each = service.with_flags.iter();
        let each = each.filter_map(|(name, it)| Some((1 << spec.flags.index_of(name)?, it.clone())));
        let each: Box<[(u8, WithFlag)]> = each.collect();
        (!each.is_empty()).then(|| Reads { each, of: Beside::default() })
    }

    /// A request is on its way that has these.
    #[cold]
    pub fn comes(&mut self, id: AttemptId, flags: u8) {
        self.of.put(id, flags);
    }

    fn those(&self, id: AttemptId) -> impl Iterator<Item = &WithFlag> {
        let has = self.of.get(id).copied().unwrap_or(0);
        self.each.iter().filter(move |(flag, _)| has & flag != 0).map(|(_, it)| it)
    }

    /// How many times as long a request's work takes.
    pub fn stretch(&self, id: AttemptId) -> f64 {
        self.those(id).map(|it| it.work).product()
    }

    /// The chance that it fails, besides.
    fn fails(&self, id: AttemptId) -> f64 {
        self.those(id).map(|it| it.error_rate).fold(0.0, either)
    }
}

impl Service {
    /// A request's work is done, and it has not failed for what fails anyway: whether it does so for its flags.
    pub(super) fn fails_for_flags(&mut self, id: AttemptId, attempt: &Attempt) -> bool {
        let Some(reads) = &self.reads else { return false };
        let more = reads.fails(id);
        let share = either(self.replicas[attempt.replica as usize].fails, more);
        // The same luck as of what fails anyway: with it what would have failed fails, and some more.
        more > 0.0 && self.error_luck.at(attempt.key).unit() < share
    }
}
