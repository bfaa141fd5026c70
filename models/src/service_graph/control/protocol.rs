//! Versions that must understand one another: what the replicas of a version speak when they call, and what they understand when they are called.
//!
//! Two teams change the two ends of a call at different times, and each changes replica by replica, so that for a while callers of two versions meet callees of two
//! versions. What a request speaks is that of the replica that makes the call; whether it is understood is asked of the replica that it comes to, at the door: one
//! that cannot read it answers with an error at once, with no queue and no worker, as a decoder does. So what share of the calls fails follows from who runs what.
//!
//! ```text
//!   a share p of new callers, q of old callees, who meet by chance:   p q of the calls fail
//!   expand (callees understand both), then the callers, then contract (callees forget the old): none does
//! ```
//!
//! Left out: answers that their caller cannot read, requests that are understood and taken for something else, and more than one release of a service in a run. Users
//! speak the first version; what is nobody's (health checks, probes, what a replica calls by itself when it starts) is understood by all.

use super::rollout::Rollout;
use crate::experiment::{Decoder, Len, Node};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::flight::{Attempt, Marks, NOBODYS};
use crate::service_graph::plan::{Caller, EdgePlan};
use crate::service_graph::spec::{GraphSpec, ServiceSpec};
use crate::service_graph::state::Service;

/// What is spoken where nothing is said.
const FIRST: u32 = 1;
/// A version is a byte of what a request carries.
const MOST: u32 = 255;

spec! {
    /// What a version speaks and understands.
    #[derive(PartialEq, Eq)]
    pub struct Protocol where check {
        /// The version of the protocol in which its replicas make their calls.
        speaks: u32 = FIRST; 1..=MOST,
        /// The versions that they understand; a request in any other is answered with an error at once.
        understands: Vec<u32> = vec![FIRST]; Len(1..=16),
    }
}

fn check(protocol: &Protocol, at: &Node, cx: &mut Decoder) {
    check_numbers(&protocol.understands, at, cx);
}

/// Whether these can be understood.
pub fn check_numbers(understands: &[u32], at: &Node, cx: &mut Decoder) {
    if understands.is_empty() {
        cx.error(at.span_of("understands"), "understands nobody")
            .help("list at least one version, as in [1, 2]");
    } else if let Some(number) = understands.iter().find(|number| !(1..=MOST).contains(*number)) {
        cx.error(at.span_of("understands"), format!("got version {number}, allowed 1 to {MOST}"));
    }
}

impl Protocol {
    /// `speaks 2 and understands 1, 2`.
    pub fn words(&self) -> String {
        let understands: Vec<String> = self.understands.iter().map(u32::to_string).collect();
        format!("speaks {} and understands {}", self.speaks, understands.join(", "))
    }

    /// The first of all.
    pub fn first() -> Self {
        Protocol { speaks: FIRST, understands: vec![FIRST] }
    }
}

impl Rollout {
    /// What the old version speaks and understands, and the new one.
    pub fn protocols(&self) -> [Protocol; 2] {
        let (old, new) = (self.from.clone(), &self.to);
        let speaks = new.speaks.unwrap_or(old.speaks);
        let understands = new.understands.clone().unwrap_or_else(|| old.understands.clone());
        [old, Protocol { speaks, understands }]
    }
}

impl ServiceSpec {
    /// The same of its replicas, whatever they run.
    pub fn protocols(&self) -> [Protocol; 2] {
        self.rollout.as_ref().map_or_else(|| [Protocol::first(), Protocol::first()], Rollout::protocols)
    }
}

/// Whether any service speaks, or understands, anything but the first.
pub fn is_said(spec: &GraphSpec) -> bool {
    let rollouts = spec.services.values().filter_map(|service| service.rollout.as_ref());
    rollouts.flat_map(Rollout::protocols).any(|protocol| protocol != Protocol::first())
}

/// What is spoken over an edge: by the old version of its caller, and by the new one. Nothing by who only checks.
pub fn spoken(spec: &GraphSpec, edge: &EdgePlan) -> Vec<u32> {
    match edge.caller {
        Caller::Workload(_) => vec![FIRST],
        Caller::Service(caller) => spec.service(caller as usize).protocols().map(|it| it.speaks).into(),
        Caller::Checks(_) => Vec::new(),
    }
}

/// Of each service whether some replica of it may be called in a version that it does not understand; nothing where nothing is said.
pub fn misunderstand(spec: &GraphSpec, edges: &[EdgePlan]) -> Vec<bool> {
    if !is_said(spec) {
        return Vec::new();
    }
    let mut all = vec![false; spec.services.len()];
    for edge in edges {
        let own = spec.service(edge.callee).protocols();
        let understood = |version: &u32| own.iter().all(|protocol| protocol.understands.contains(version));
        all[edge.callee] |= !spoken(spec, edge).iter().all(understood);
    }
    all
}

/// What the replicas of a service speak and understand, and what came that they did not.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// The old version and the new one.
    protocols: [Protocol; 2],
    /// Some may come that is not understood.
    is_told: bool,
    /// Requests that came, and those of them that were not understood: of what is measured, and of the window.
    measured: [u64; 2],
    window: [u64; 2],
    windows: [Vec<f64>; 2],
}

impl Dialect {
    /// Of a service of a graph in which anything is said of it.
    pub fn by(service: &ServiceSpec, is_told: bool) -> Self {
        Dialect {
            protocols: service.protocols(),
            is_told,
            measured: [0; 2],
            window: [0; 2],
            windows: Default::default(),
        }
    }

    /// What a replica that runs the new version speaks, or one that runs the old one.
    fn speaks(&self, new: bool) -> u8 {
        self.protocols[usize::from(new)].speaks as u8
    }

    /// A request comes to such a replica that speaks this: whether it is understood.
    fn hears(&mut self, new: bool, spoken: u8, measured: bool) -> bool {
        let understood = self.protocols[usize::from(new)].understands.contains(&u32::from(spoken));
        let counts = [1, u64::from(!understood)];
        for (at, count) in counts.into_iter().enumerate() {
            self.window[at] += count;
            self.measured[at] += if measured { count } else { 0 };
        }
        understood
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        for (line, count) in self.windows.iter_mut().zip(&mut self.window) {
            line.push(std::mem::take(count) as f64);
        }
    }

    /// What was measured, if anything may be.
    pub fn section(&self, at: &str) -> Option<Section> {
        let [asked, misunderstood] = self.measured;
        let mut section = self.is_told.then(|| declared(at))?;
        section.set("misunderstood", misunderstood as f64);
        section.set("share", (asked > 0).then(|| misunderstood as f64 / asked as f64));
        for (name, values) in ["asked", "misunderstood"].into_iter().zip(&self.windows) {
            section.draw(name, values.clone());
        }
        Some(section)
    }
}

/// What will be told: nothing measured yet.
pub fn declared(at: &str) -> Section {
    let misunderstood = Value::new(
        Unit::Plain,
        "requests that were answered with an error, since the replica that they came to does not understand their version",
    );
    let share = Value::new(Unit::Share, "these, of all that came");
    Section::new("versions", at)
        .value(
            "misunderstood",
            misunderstood.better(Better::Less).of_windows(Fold::Sum("misunderstood".into())),
        )
        .value(
            "share",
            share
                .better(Better::Less)
                .of_windows(Fold::Ratio("misunderstood".into(), "asked".into()))
                .headline(),
        )
        .line("asked", Unit::Plain, "Requests that came in each window.")
        .line("misunderstood", Unit::Plain, "Those of them that were not understood.")
}

impl Service {
    fn runs_new(&self, replica: u32) -> bool {
        self.versions.as_ref().is_some_and(|versions| versions.is_new(replica))
    }

    /// What a replica speaks that makes a call; nothing where nobody says.
    pub fn speaks(&self, replica: u32) -> u8 {
        let new = self.runs_new(replica);
        self.dialect.as_ref().map_or(0, |dialect| dialect.speaks(new))
    }

    /// Whether a request is understood by the replica that it comes to.
    #[cold]
    pub fn understands(&mut self, attempt: &Attempt, spoken: u8) -> bool {
        let new = self.runs_new(attempt.replica);
        let Some(dialect) = self.dialect.as_mut().filter(|it| it.is_told && attempt.workload != NOBODYS)
        else {
            return true;
        };
        dialect.hears(new, spoken.max(FIRST as u8), attempt.marks.has(Marks::MEASURED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    #[test]
    fn the_new_one_is_as_the_old_one_where_nothing_is_said() {
        for (text, speaks, understands) in [
            ("", [1, 1], [&[1][..], &[1]]),
            ("to: (speaks: 2)", [1, 2], [&[1], &[1]]),
            ("to: (understands: [1, 2])", [1, 1], [&[1], &[1, 2]]),
            ("from: (understands: [1, 2]), to: (speaks: 3)", [1, 3], [&[1, 2], &[1, 2]]),
            ("from: (speaks: 2, understands: [1, 2]), to: (understands: [2])", [2, 2], [&[1, 2], &[2]]),
        ] {
            let rollout =
                read::<Rollout>(&format!(r#"(at: "1s", {text})"#)).unwrap_or_else(|said| panic!("{said}")).0;
            let found = rollout.protocols();
            assert_eq!([found[0].speaks, found[1].speaks], speaks, "{text}");
            assert_eq!([&found[0].understands[..], &found[1].understands], understands, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_counted() {
        let protocols = [Protocol::first(), Protocol { speaks: 2, understands: vec![1, 2] }];
        let mut dialect = Dialect {
            protocols,
            is_told: true,
            measured: [0; 2],
            window: [0; 2],
            windows: Default::default(),
        };
        assert_eq!([false, true].map(|new| dialect.speaks(new)), [1, 2]);
        for (new, spoken, measured, understood) in [
            (false, 1, false, true),
            (false, 2, false, false),
            (false, 2, true, false),
            (true, 2, true, true),
            (true, 3, true, false),
            (true, 1, true, true),
        ] {
            assert_eq!(dialect.hears(new, spoken, measured), understood, "{new} {spoken}");
        }
        dialect.close_window();
        let section = dialect.section("stock").expect("told");
        let value = |name: &str| section.values.get(name).and_then(|it| it.value);
        assert_eq!((value("misunderstood"), value("share")), (Some(2.0), Some(0.5)));
        assert_eq!(section.series.iter().map(|line| line.values[0]).collect::<Vec<_>>(), [6.0, 3.0]);
    }
}
