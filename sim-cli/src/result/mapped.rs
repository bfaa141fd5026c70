//! A map over two knobs: in each cell what becomes of the system there.

use crate::result::knob::Knob;
use crate::result::seeds::Seeds;
use crate::result::survivors::Fewest;
use crate::text::clean;
use crate::text::number::number;
use crate::text::unit::Unit;
use schemars::JsonSchema;
use serde::Serialize;

/// Version of the shape of a [`Mapped`] in JSON.
pub const FORMAT: u32 = 1;

/// What was found over two knobs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Mapped {
    /// Version of this shape: [`FORMAT`].
    pub format: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside in every run.
    pub set: Vec<(String, String)>,
    /// What was searched: from left to right, and from bottom to top.
    pub paths: [String; 2],
    /// What their values count.
    #[serde(serialize_with = "crate::text::unit::as_words")]
    #[schemars(with = "[String; 2]")]
    pub units: [Unit; 2],
    /// Their values in the file.
    pub standing: [Option<f64>; 2],
    /// What failure is, unless it is the verdict.
    pub failure: Option<String>,
    /// Where that is a response time of calls that ended well: the run in which fewest did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fewest: Option<Fewest>,
    /// The disturbance, in words.
    pub fault: Option<String>,
    /// How many times longer the harder fault lasts.
    pub harder: f64,
    /// The seeds of each cell.
    pub seeds: Seeds,
    /// How many runs were made.
    pub runs: usize,
    /// What is wrong with the result as a whole: cut short by a limit, by a signal.
    pub incomplete: Vec<String>,
    /// The values from left to right.
    pub across: Vec<f64>,
    /// The values from bottom to top.
    pub up: Vec<f64>,
    /// Every cell: row by row from the bottom, from left to right.
    pub cells: Vec<Cell>,
    /// The command that shows the first cell that this fault tips.
    #[serde(skip)]
    pub look: Option<String>,
    /// The knobs.
    #[serde(skip)]
    pub knobs: [Knob; 2],
}

/// What becomes of a system at one setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It survives this fault and a harder one.
    Stable,
    /// Its runs end too early to tell.
    Undecided,
    /// It survives this fault, and not a harder one.
    Vulnerable,
    /// This fault tips it, and it stays down when the fault has gone.
    Metastable,
    /// It fails without any fault.
    Overloaded,
}

impl State {
    /// All of them, from good to bad.
    pub const ALL: [State; 5] =
        [State::Stable, State::Undecided, State::Vulnerable, State::Metastable, State::Overloaded];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Stable => "stable",
            State::Undecided => "undecided",
            State::Vulnerable => "vulnerable",
            State::Metastable => "metastable",
            State::Overloaded => "overloaded",
        }
    }
}

/// A cell over its seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Cell {
    /// The value of the first knob and of the second.
    pub at: [f64; 2],
    /// The state on each seed that was asked.
    pub seeds: Vec<State>,
    /// The state on most of them; of equally many, the worst.
    pub state: Option<State>,
    /// Whether another state has as many.
    pub tie: bool,
    /// Where a response time of calls that ended well is failure: how many did in the run in which fewest did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<f64>,
}

impl Mapped {
    /// What a state means here.
    pub(crate) fn legend(&self, state: State) -> String {
        let fault = self.fault.as_ref().map_or(String::new(), |fault| format!(" ({})", clean(fault)));
        let times = number(self.harder);
        match (state, self.fault.is_some(), &self.failure) {
            (State::Stable, true, _) => format!("survives this fault{fault} and one {times} times as long"),
            (State::Undecided, _, _) => {
                "its runs end too early to tell whether it comes back: --settle makes them longer".into()
            }
            (State::Vulnerable, _, _) => format!("survives this fault, and not one {times} times as long"),
            (State::Metastable, _, _) => {
                "vulnerable to this very fault: it stays down when the fault has gone".into()
            }
            (State::Overloaded, true, _) => "fails without any fault".into(),
            (State::Stable, false, None) => "carries its load".into(),
            (State::Overloaded, false, None) => "fails".into(),
            (State::Stable, false, Some(wish)) => format!("not {}", clean(wish)),
            (State::Overloaded, false, Some(wish)) => clean(wish),
        }
    }

    /// What to know of whom it is told.
    pub(crate) fn of_whom(&self) -> Option<String> {
        let fewest = self.fewest.as_ref()?;
        let at: Vec<String> = fewest.at.iter().zip(&self.knobs).map(|(x, knob)| knob.show(*x)).collect();
        fewest.told(&at.join(" and "))
    }

    /// The states that are there, from good to bad.
    pub(crate) fn states(&self) -> impl Iterator<Item = State> {
        let there = |state: &State| self.cells.iter().any(|cell| cell.state == Some(*state));
        State::ALL.into_iter().filter(move |state| there(state))
    }

    /// Where this fault tips it on the first seed, if it does.
    pub fn tipped(&self) -> Option<[f64; 2]> {
        let tips =
            |cell: &&Cell| cell.state == Some(State::Metastable) && cell.seeds.first() == cell.state.as_ref();
        self.cells.iter().find(tips).map(|cell| cell.at)
    }
}
