//! How much a request matters: one word for all requests of a workload, or shares of each.
//!
//! The words are the SRE book's criticalities, which go down with everything that is done for a request. What they bring is up to whoever
//! looks at them: a queue that serves the important first, a limit that turns the others away while it is tight.

use super::classes;
use super::ranks::Ranks;
use crate::carried::Criticality;
use crate::experiment::{Decoder, Node};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::report::Section;

spec! {
    /// How much the requests matter.
    pub enum Priority where check {
        /// All: what users see at once if it fails.
        CriticalPlus,
        /// All: what is sent unless something else is said.
        Critical,
        /// All: what may be missing for some minutes.
        SheddablePlus,
        /// All: what may be missing often.
        Sheddable,
        /// Some this, some that, drawn for each call: by their parts of the sum.
        Mixed {
            /// What users see at once if it fails.
            critical_plus: f64 = 0.0; 0.0..=1e12,
            /// What is sent unless something else is said.
            critical: f64 = 0.0; 0.0..=1e12,
            /// What may be missing for some minutes.
            sheddable_plus: f64 = 0.0; 0.0..=1e12,
            /// What may be missing often.
            sheddable: f64 = 0.0; 0.0..=1e12,
        },
    }
}

fn check(priority: &Priority, at: &Node, cx: &mut Decoder) {
    if priority.weights().iter().all(|weight| *weight == 0.0) {
        cx.error(at.span, "no priority has a share")
            .help("Mixed(critical: 0.3, sheddable: 0.7), or one word for all: Sheddable");
    }
}

impl Priority {
    /// The part of each criticality, what matters most first.
    pub fn weights(&self) -> [f64; 4] {
        match self {
            Priority::CriticalPlus => [1.0, 0.0, 0.0, 0.0],
            Priority::Critical => [0.0, 1.0, 0.0, 0.0],
            Priority::SheddablePlus => [0.0, 0.0, 1.0, 0.0],
            Priority::Sheddable => [0.0, 0.0, 0.0, 1.0],
            Priority::Mixed { critical_plus, critical, sheddable_plus, sheddable } => {
                [*critical_plus, *critical, *sheddable_plus, *sheddable]
            }
        }
    }

    /// Those that there are.
    pub fn those(&self) -> Vec<Criticality> {
        let all = Criticality::ALL.into_iter().zip(self.weights());
        all.filter(|(_, weight)| *weight > 0.0).map(|(which, _)| which).collect()
    }

    /// How they are drawn, by their ranks; nothing is drawn if all are the same.
    pub fn ranks(&self) -> Option<Ranks> {
        (self.those().len() > 1).then(|| Ranks::weighted(self.weights()))
    }
}

impl Part for Priority {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        let names: Vec<&str> = self.those().into_iter().map(Criticality::name).collect();
        Some(names.join(", "))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        self.those().into_iter().map(|one| classes::declared("priorities", at, one.name())).collect()
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "priority",
            word: "",
            what: "Says how much each request matters, by the SRE book's criticalities. It goes down with all that is done for the request, so \
                   that queues and limits may look at it. A section `priorities` tells what became of each.",
            hurts: "Where nobody looks at it, it is worth nothing; where everybody says that his matters most, as little.",
            formula: "what is served of a class is what the classes above it leave of the capacity",
            source: "Beyer et al., \"Site Reliability Engineering\", chapter 21, 2016 (criticality)",
            experiment: "priority-shedding",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Sheddable", "Mixed(critical_plus: 1, critical: 2, sheddable: 7)", "CriticalPlus"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn what_there_is_of_each() {
        for (text, those, drawn) in [
            ("Sheddable", vec![Criticality::Sheddable], false),
            ("Mixed(critical: 3)", vec![Criticality::Critical], false),
            (
                "Mixed(sheddable: 3, critical_plus: 1)",
                vec![Criticality::CriticalPlus, Criticality::Sheddable],
                true,
            ),
        ] {
            let priority = read::<Priority>(text).unwrap_or_else(|said| panic!("{said}")).0;
            assert_eq!((priority.those(), priority.ranks().is_some()), (those, drawn), "{text}");
        }
        let why = read::<Priority>("Mixed()").map(|_| ()).expect_err("nothing of anything");
        assert!(why.contains("no priority has a share"), "{why}");
    }

    /// The words of the file are those of what is carried, in the same order.
    #[test]
    fn one_word_for_all_is_that() {
        for one in Criticality::ALL {
            let word = format!("{one:?}");
            assert_eq!(read::<Priority>(&word).expect("a word").0.those(), [one]);
            assert_eq!(Criticality::ALL[one.rank()], one);
        }
    }
}
