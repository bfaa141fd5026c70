//! Whether work takes longer the more of it a replica does at once.

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
