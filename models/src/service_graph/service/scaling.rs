//! Whether work takes longer the more of it a replica does at once.

use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::theory::Usl;

spec! {
    /// What the workers of a replica cost each other.
    #[derive(PartialEq)]
    pub enum Scaling {
        /// Nothing: work takes as long as it takes.
        Independent,
        /// The universal scalability law: with `n` workers of the replica busy, its own included, work takes
        /// `1 + contention (n - 1) + coherency n (n - 1)` times as long. `n` is what it is when the work begins.
        Usl {
            /// What all wait for in turn, per other worker.
            contention: f64 = 0.0; 0.0..=1.0,
            /// What each must tell every other, per pair.
            coherency: f64 = 0.0; 0.0..=1.0,
        },
    }
}

impl Scaling {
    /// The law, if there is one.
    pub fn law(&self) -> Option<Usl> {
        match *self {
            Scaling::Independent => None,
            Scaling::Usl { contention, coherency } => Some(Usl { contention, coherency }),
        }
    }
}

impl Part for Scaling {
    fn does(&self) -> Does {
        match self {
            Scaling::Independent => Does::NOTHING,
            Scaling::Usl { .. } => Does::STRETCHES,
        }
    }

    fn brief(&self) -> Option<String> {
        None
    }

    fn stretch(&self) -> Option<Usl> {
        self.law()
    }

    /// Where a replica does most.
    fn notes(&self, around: &Around) -> Vec<String> {
        let Some(law) = self.law() else { return Vec::new() };
        let (workers, peak) = (f64::from(around.workers), law.peak());
        let best =
            if peak < workers { format!("at {peak:.1} at once") } else { "with all workers busy".into() };
        vec![format!(
            "a replica of {} does most {best}: {:.2} times what one worker does alone; all {} together do {:.2}",
            around.name,
            law.capacity(peak.clamp(1.0, workers)),
            around.workers,
            law.capacity(workers),
        )]
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "scaling",
            word: "",
            what: "Makes work take longer the more of it a replica does at once: what all wait for in turn, and \
                   what each must tell every other.",
            hurts: "Past its peak more work at once is less done: a limit on concurrency then raises throughput, \
                   and a larger pool lowers it.",
            formula: "`C(n) = n / (1 + a (n - 1) + b n (n - 1))`, largest at `n = sqrt((1 - a) / b)`",
            source: "Gunther, Guerrilla Capacity Planning, 2007 (universal scalability law)",
            experiment: "universal-scalability",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &["Independent", "Usl(contention: 0.05, coherency: 0.001)", "Usl(contention: 1)"]
    }
}
