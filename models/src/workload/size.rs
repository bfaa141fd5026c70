//! What a request weighs: bytes that it keeps wherever it waits or is worked on.
//!
//! Requests are counted where places are meant, and weighed where memory is: a thousand of a kilobyte are a megabyte, and one of a gigabyte is a gigabyte.
//! Sizes are spread far wider than times, with tails in which a few requests hold most of the bytes. Each call of a user's draws its own, and whatever is
//! called for it weighs as much. Work takes no longer for it; a message does, over a link that carries only so much.

use crate::byte_size::ByteSize;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use sim_core::sampler::{Distribution, DistributionError};

spec! {
    /// How much the requests weigh; a byte less than 4 GiB at most, whatever is drawn.
    pub enum Size where check {
        /// All the same.
        Fixed(bytes: ByteSize),
        /// Memoryless.
        Exponential {
            /// Mean.
            mean: ByteSize; POSITIVE,
        },
        /// Half are below the median, and 99 % below `p99`.
        LogNormal {
            /// Half are below.
            median: ByteSize; POSITIVE,
            /// 99 % are below.
            p99: ByteSize; POSITIVE,
        },
        /// A heavy tail that ends.
        BoundedPareto {
            /// The smallest.
            low: ByteSize; POSITIVE,
            /// The largest.
            high: ByteSize; POSITIVE,
            /// Tail index.
            shape: f64; 0.01..=100.0,
        },
    }
}

/// More than what is kept of a size can say.
const MOST: ByteSize = ByteSize(u32::MAX as u64);

fn check(size: &Size, at: &Node, cx: &mut Decoder) {
    let (Size::Fixed(usual)
    | Size::Exponential { mean: usual }
    | Size::LogNormal { median: usual, .. }
    | Size::BoundedPareto { low: usual, .. }) = size;
    if *usual > MOST {
        cx.error(at.span, format!("{usual} is more than a request can weigh, which is {MOST}"))
            .help("write sizes and limits in a smaller measure everywhere, as if a MiB were a GiB");
    }
    let (low, high, names) = match size {
        Size::LogNormal { median, p99 } => (median, p99, "`median` must be less than `p99`"),
        Size::BoundedPareto { low, high, .. } => (low, high, "`low` must be less than `high`"),
        Size::Fixed(_) | Size::Exponential { .. } => return,
    };
    if low >= high {
        cx.error(at.span, names).help("for requests of one size write Fixed(\"64KiB\")");
    } else if let Err(why) = size.drawn() {
        cx.error(at.span, why.to_string());
    }
}

impl Size {
    /// No request weighs less.
    pub fn least(&self) -> u64 {
        match self {
            Size::Fixed(bytes) | Size::BoundedPareto { low: bytes, .. } => bytes.0,
            Size::Exponential { .. } | Size::LogNormal { .. } => 0,
        }
    }

    /// What draws bytes.
    pub fn bytes(&self) -> Distribution {
        self.drawn().expect("checked")
    }

    fn drawn(&self) -> Result<Distribution, DistributionError> {
        let of = |bytes: &ByteSize| bytes.0 as f64;
        match self {
            Size::Fixed(bytes) => Distribution::constant(of(bytes)),
            Size::Exponential { mean } => Distribution::exponential(of(mean)),
            Size::LogNormal { median, p99 } => Distribution::lognormal_from_quantiles(of(median), of(p99)),
            Size::BoundedPareto { low, high, shape } => {
                Distribution::bounded_pareto(of(low), of(high), *shape)
            }
        }
    }
}

impl Part for Size {
    fn does(&self) -> Does {
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(match self {
            Size::Fixed(bytes) => format!("{bytes} each"),
            Size::Exponential { mean } => format!("{mean} each on average"),
            Size::LogNormal { median, .. } => format!("{median} each in the middle"),
            Size::BoundedPareto { low, high, .. } => format!("{low} to {high} each"),
        })
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "size",
            word: "",
            what: "Says what each request weighs, in bytes that it keeps wherever it waits or is worked on. It goes down with all that is done for the request. \
                   What looks at it: a limit on the bytes in a queue (`queue_bytes`), the memory that a replica does not survive (`dies`), and a link \
                   that carries only so much (`effect: Bandwidth(..)`).",
            hurts: "A limit that counts requests knows nothing of it: as many as ever may be a hundred times as heavy, and a replica that is well with a thousand \
                    small ones dies of ten large ones.",
            formula: "bytes in hand are requests in hand times the mean size (Little), with a spread that a heavy tail makes as large as the largest",
            source: "Crovella and Bestavros, Self-Similarity in World Wide Web Traffic, 1997 (heavy tails of sizes); Kafka queued.max.request.bytes; RabbitMQ \
                     x-max-length-bytes",
            experiment: "heavy-requests",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"Fixed("64KiB")"#,
            r#"Exponential(mean: "1MiB")"#,
            r#"LogNormal(median: "10KiB", p99: "2MiB")"#,
            r#"BoundedPareto(low: "1KiB", high: "50MiB", shape: 1.1)"#,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn sizes_have_the_means_that_they_should() {
        for (text, mean) in [
            (r#"Fixed("3KiB")"#, 3072.0),
            (r#"Exponential(mean: "1MB")"#, 1e6),
            // 2.326 standard deviations of the logarithm, which is ln 10 in all.
            (r#"LogNormal(median: "1kB", p99: "10kB")"#, 1632.0),
            (r#"BoundedPareto(low: "1kB", high: "4kB", shape: 1)"#, 4.0 / 3.0 * 1386.294),
        ] {
            let size = read::<Size>(text).unwrap_or_else(|said| panic!("{said}")).0;
            assert!((size.bytes().mean() / mean - 1.0).abs() < 1e-3, "{text}: {}", size.bytes().mean());
        }
    }

    /// What cannot be drawn is refused where it is written.
    #[test]
    fn what_cannot_be_drawn_is_no_size() {
        for text in [
            r#"BoundedPareto(low: "1B", high: "4GiB", shape: 0.01)"#,
            r#"LogNormal(median: "1B", p99: "1TiB")"#,
        ] {
            assert!(crate::policy::tests::read::<Size>(text).is_err(), "{text}");
        }
    }
}
