//! How well the means of a result are known.

use crate::result::seeds::Seeds;
use schemars::JsonSchema;
use serde::Serialize;

/// How well the means are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Precision {
    /// Half of each 95 % interval, at most, as a share of its mean.
    pub wanted: f64,
    /// Whether every metric that has a relative precision is known that well.
    pub reached: bool,
    /// Why not, in words; the worst first.
    pub short: Vec<String>,
    /// How many replications would do, if that can be said.
    pub needed: Option<u64>,
}

impl Precision {
    /// What a reader must know before believing the rest; nothing if it is as good as was wanted.
    pub fn incomplete(&self, seeds: Seeds) -> Option<String> {
        if self.reached {
            return None;
        }
        let short = match self.short.as_slice() {
            [] => String::new(),
            [one] => format!(": {one}"),
            [worst, rest @ ..] => format!(": {worst}, and {} more are short of it", rest.len()),
        };
        let needed = match self.needed {
            Some(n) => format!("; about {} seeds would do it", crate::text::number::count(n)),
            None => "; more seeds may never do it".into(),
        };
        Some(format!(
            "a precision of {} is not reached on {} seeds{short}{needed}. A longer run narrows intervals too, and \
             --metric chooses what must be known",
            crate::text::number::percent(self.wanted),
            seeds.count
        ))
    }
}
