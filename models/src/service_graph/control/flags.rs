//! Flags that users have: something that is switched on for a share of them, and then for more, decided once for each request where it
//! comes in and carried down with all that is done for it.
//!
//! Whether a user has a flag is drawn at his own key, and what is drawn is held against the share: so a user keeps what he has from call to call
//! (one in a loop for ever, one who comes again or makes a session of several calls for as long as that lasts), and whoever has it for a
//! share of 5 % has it for 20 %. A retry, a copy, a call to another replica carry what the request carries: trying elsewhere helps against a
//! replica that has got something wrong, and not against this.
//!
//! A flag does nothing by itself. Services read it: work takes longer or fails ([`with_flags`](crate::service_graph::service::with_flags)),
//! calls are made by those who have it, or by those who have not ([`ByFlag`]), so that it may send a share of the users to a dependency that nobody
//! has called before. Its analysis sees what its users see: how many of their calls failed, wherever that was, and how long they took; and
//! not which service did it.
//!
//! Left out: flags that clients decide, which a page that is open keeps; the service that is asked for them, and what happens when it is not there.

mod by_flag;
mod launcher;

use super::analysis::Analysis;
use super::switch::{self, FlagStage, Says, Words};
use crate::experiment::{Decoder, Len, Node, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Part};
use crate::report::{Cell, Section, Table, Unit, Value};
use crate::service_graph::plan::{Caller, Plan};
use crate::service_graph::spec::{CallSpec, GraphSpec, ServiceSpec, WorkloadSpec};
pub use by_flag::{ByFlag, Only};
pub use launcher::{Dealt, Launcher};
use sim_core::SimDuration;

/// As many there may be: a request carries them as a set of bits.
pub const MOST_FLAGS: usize = 8;

spec! {
    /// Something that some users have, and then more: decided once for each request, by who its user is.
    pub struct Flag where check {
        /// For which share of the users it is on, and from when on.
        stages: Vec<FlagStage>; Len(1..=100),
        /// Names of the workloads whose users may have it; empty means all.
        only_from: Vec<Spanned<String>> = Vec::new(),
        /// Who looks at what becomes of the calls of those who have it, and switches it off; nobody if absent.
        analysis: Option<Analysis> = None,
        /// How long it takes until it is off everywhere.
        kill_takes: SimDuration = SimDuration::ZERO,
    }
}

fn check(flag: &Flag, at: &Node, cx: &mut Decoder) {
    flag.switched().check(at, cx);
}

impl Flag {
    fn switched(&self) -> Says<'_> {
        let Flag { stages, analysis, kill_takes, .. } = self;
        Says { stages, analysis: analysis.as_ref(), kill_takes: *kill_takes }
    }

    /// Whether a workload's users may have it.
    pub fn is_for(&self, workload: &WorkloadSpec) -> bool {
        self.only_from.is_empty() || self.only_from.iter().any(|name| name.value == workload.name.value)
    }

    /// The largest share of a workload's users that ever has it.
    fn most(&self, workload: &WorkloadSpec) -> f64 {
        let shares = self.stages.iter().map(|stage| stage.share);
        if self.is_for(workload) { shares.fold(0.0, f64::max) } else { 0.0 }
    }
}

/// A flag of a graph by its name.
#[derive(Clone, Debug)]
pub struct OfUsers<'a> {
    pub name: &'a str,
    pub flag: &'a Flag,
}

impl Part for OfUsers<'_> {
    fn does(&self) -> Does {
        // Whoever reads it does.
        Does::NOTHING
    }

    fn brief(&self) -> Option<String> {
        Some(format!("{}: {}", self.name, self.flag.switched().brief()))
    }

    fn disturbs(&self) -> Option<(&'static str, sim_core::SimTime)> {
        Some(("flag", self.flag.switched().first()?))
    }

    fn sections(&self, _at: &str) -> Vec<Section> {
        vec![declared(self.name, self.flag)]
    }

    fn notes(&self, _around: &Around) -> Vec<String> {
        let mut notes = self.flag.switched().notes(&format!("the flag {}", self.name));
        notes[0] += " of the users; what services are offered is told for the most that ever have it";
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "flags",
            word: "",
            what: "Switches something on for a share of the users and then for more, decided once for each request by who its user is, and \
                   carried down to every service behind. Work takes longer or fails where `with_flags` says so, and calls are made by those \
                   alone who have it, or who have not (`flag` of a call). An analysis of what becomes of their calls switches it off for all.",
            hurts: "A user who has it keeps it: what fails for him fails whenever he tries again, and at every replica, and in an error rate of \
                    all he is one of many. A call that is made only with it meets a dependency that has never borne that load: what bears 5 % of the users \
                    without an error falls under all of them, and whoever else needs it has no flag to switch off.",
            formula: "users meet it for `sum s_j t_j` of shares `s_j` for times `t_j`; what only it calls at a share `s` of `λ` is busy for \
                      `s λ / (c μ)` of the time, and a store that bears half of `λ` falls at a stage of 50 %",
            source: "Fowler and Hodgson, \"Feature Toggles\", 2017 (release and ops toggles, consistent cohorts); Tang et al., \"Holistic \
                     Configuration Management at Facebook\", SOSP 2015 (Gatekeeper); Google Cloud, incident of 12 June 2025 (code that no flag \
                     guarded, everywhere at once)",
            experiment: "feature-flag",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"{"beta": (stages: [(at: "100ms", share: 0.05), (at: "300ms")])}"#,
            r#"{"beta": (stages: [(at: "0s", share: 0.5)], analysis: (metric: ErrorRate(at_most: 0.1), interval: "100ms"), kill_takes: "20ms")}"#,
        ]
    }
}

/// What will be told: nothing measured yet.
fn declared(name: &str, flag: &Flag) -> Section {
    let words = Words {
        requests: "calls of users who had it",
        share_of_requests: "of all calls of users who may have it",
        failed: "of these, those that did not end well",
        error_rate: "the share of them that that is",
        error_rate_without: "and of the calls of users who may have it and had it not",
        time_to_detect: "from when anybody had it first until it was switched off",
        false_kills: "1 if it was, though no service works longer or fails for it, and no call depends on it",
        with: "Share of the calls that ended in each window whose users had it.",
    };
    let section = switch::declared(Section::new("flags", name), flag.analysis.is_some(), &words);
    section.value("killed_at", Value::new(Unit::Duration, "when it was switched off"))
}

/// All of a graph, for whoever explains it: who has each, and who reads it.
pub fn table(spec: &GraphSpec) -> Option<Table> {
    let columns = ["flag", "whose", "on for", "read by"];
    let mut table = Table {
        title: "Flags of users".into(),
        columns: columns.iter().map(|&name| name.into()).collect(),
        ..Table::default()
    };
    for (name, flag) in spec.flags.iter() {
        let whose: Vec<&str> = flag.only_from.iter().map(|it| it.value.as_str()).collect();
        let on = flag.stages.iter();
        let on = on.map(|stage| format!("{} at {}", crate::words::percent(stage.share), stage.at));
        let readers = spec.services.iter().filter(|(_, service)| service.with_flags.get(name).is_some());
        let readers = readers.map(|(name, _)| name.to_owned());
        let calls = spec.services.iter().flat_map(|(caller, service)| {
            let calls = service.all_calls_of().filter(|call| reads(call, name));
            calls.map(move |call| format!("{caller}->{}", call.to.value))
        });
        let cells: [Cell; 4] = [
            name.into(),
            if whose.is_empty() { "all".into() } else { whose.join(", ").into() },
            on.collect::<Vec<_>>().join(", ").into(),
            readers.chain(calls).collect::<Vec<_>>().join(", ").into(),
        ];
        table.rows.push(cells.into());
    }
    (!table.rows.is_empty()).then_some(table)
}

fn reads(call: &CallSpec, name: &str) -> bool {
    call.flag.as_ref().is_some_and(|flag| flag.name().value == name)
}

/// Whether what reads it does no harm.
fn is_sound(spec: &GraphSpec, name: &str) -> bool {
    spec.services.values().all(|service| {
        service.with_flags.get(name).is_none_or(|it| it.is_sound())
            && !service.all_calls_of().any(|call| reads(call, name))
    })
}

fn check_name(graph: &GraphSpec, name: &str, span: crate::experiment::Span, cx: &mut Decoder) -> bool {
    let known = graph.flags.get(name).is_some();
    if !known {
        let help = if graph.flags.is_empty() {
            format!("add it: flags: {{\"{name}\": (stages: [(at: \"10s\", share: 0.05)])}}")
        } else {
            cx.suggest(name, "the flags are", graph.flags.names())
        };
        cx.error(span, format!("unknown flag `{name}`")).help(help);
    }
    known
}

/// Whether the flags that a service reads are there.
pub fn check_read(graph: &GraphSpec, service: &ServiceSpec, cx: &mut Decoder) -> bool {
    let mut sound = true;
    for name in service.with_flags.names() {
        let span = service.with_flags.span_of(name).unwrap_or_default();
        cx.at("with_flags", |cx| sound &= check_name(graph, name, span, cx));
    }
    sound
}

/// And the one that says who makes a call.
pub fn check_call(graph: &GraphSpec, call: &CallSpec, cx: &mut Decoder) -> bool {
    let Some(flag) = &call.flag else { return true };
    cx.at("flag", |cx| check_name(graph, &flag.name().value, flag.name().span, cx))
}

/// Whether those who may have a flag are there.
pub fn check_users(graph: &GraphSpec, cx: &mut Decoder) {
    for (name, flag) in graph.flags.iter() {
        for whose in flag.only_from.iter().filter(|it| graph.workload_number(&it.value).is_none()) {
            let known = graph.workload.iter().map(|workload| workload.name.value.as_str());
            let help = cx.suggest(&whose.value, "the workloads are", known);
            let message = format!("unknown workload `{}`", whose.value);
            cx.at("flags", |cx| {
                cx.at(name, |cx| cx.at("only_from", |cx| _ = cx.error(whose.span, message).help(help)))
            });
        }
    }
}

/// Whether anybody reads each of them, and whether any request that has it comes by where it is read.
pub fn check_readers(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let graph = plan.spec;
    for (name, flag) in graph.flags.iter() {
        let calls = || graph.services.values().flat_map(ServiceSpec::all_calls_of);
        let is_read = graph.services.values().any(|service| service.with_flags.get(name).is_some());
        if !is_read && !calls().any(|call| reads(call, name)) {
            let span = graph.flags.span_of(name).unwrap_or(at.span);
            cx.at("flags", |cx| {
                cx.warn(span, format!("nobody reads `{name}`: it makes no difference")).help(format!(
                    "`with_flags: {{\"{name}\": (work: 2)}}` of a service, or `flag: With(\"{name}\")` of a call"
                ));
            });
            continue;
        }
        if flag.only_from.iter().any(|it| graph.workload_number(&it.value).is_none()) {
            continue;
        }
        let come = plan.calls(|workload| f64::from(u8::from(flag.is_for(workload))), |_| 1.0, 1.0);
        for (number, (service, says)) in graph.services.iter().enumerate() {
            let into = || plan.edges.iter().zip(&come).filter(|(edge, _)| edge.callee == number);
            let by_users = |caller: Caller| !matches!(caller, Caller::Checks(_));
            let is_called = into().any(|(edge, _)| by_users(edge.caller));
            if !is_called || into().any(|(_, calls)| *calls > 0.0) {
                continue;
            }
            let help = "let `only_from` of the flag name those who come here, or leave it out";
            let none = format!("no request that may have `{name}` ever comes to {service}");
            cx.at("services", |cx| {
                cx.at(service, |cx| {
                    if let Some(span) = says.with_flags.span_of(name) {
                        cx.at("with_flags", |cx| {
                            _ = cx.warn(span, format!("{none}: it reads it for nothing")).help(help)
                        });
                    }
                    for call in says.all_calls_of().filter(|call| reads(call, name)) {
                        let span = call.flag.as_ref().map(|it| it.name().span).unwrap_or_default();
                        let what = match call.flag {
                            Some(ByFlag::Without(_)) => "all requests make this call",
                            _ => "this call is never made",
                        };
                        cx.at("calls", |cx| _ = cx.warn(span, format!("{none}: {what}")).help(help));
                    }
                })
            });
        }
    }
}

/// The kinds of requests that a workload makes by the flags that say who makes a call, and the share of each, when as many as ever do have them.
pub fn kinds(spec: &GraphSpec, workload: &WorkloadSpec) -> Vec<(u8, f64)> {
    let mut kinds = vec![(0, 1.0)];
    for (number, (name, flag)) in spec.flags.iter().enumerate() {
        if !spec.services.values().flat_map(ServiceSpec::all_calls_of).any(|call| reads(call, name)) {
            continue;
        }
        let most = flag.most(workload);
        let with: Vec<(u8, f64)> =
            kinds.iter().map(|(has, share)| (has | 1 << number, share * most)).collect();
        kinds.iter_mut().for_each(|(_, share)| *share *= 1.0 - most);
        kinds.extend(with);
        kinds.retain(|(_, share)| *share > 0.0);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    /// A quarter and a half of the users have two flags, each for itself; of others nobody has either, and a flag that no call asks for makes no
    /// difference.
    #[test]
    fn kinds_of_requests_and_their_shares() {
        let spec = read::<GraphSpec>(
            r#"(workload: [(to: "a", arrivals: Poisson("1/s")), (name: "batch", to: "a", arrivals: Poisson("1/s"))],
                services: {"a": (workers: Async(1), work: "1ms", with_flags: {"z": (work: 2)},
                                 calls: [(to: "b", flag: With("x")), (to: "b", flag: Without("y"))]),
                           "b": (workers: Async(1), work: "1ms")},
                flags: {"x": (stages: [(at: "0s", share: 0.25), (at: "9s", share: 0)], only_from: ["users"]),
                        "z": (stages: [(at: "0s")]), "y": (stages: [(at: "0s", share: 0.5)], only_from: ["users"])})"#,
        )
        .unwrap_or_else(|said| panic!("{said}"))
        .0;
        assert_eq!(
            kinds(&spec, &spec.workload[0]),
            [(0, 0.375), (0b1, 0.125), (0b100, 0.375), (0b101, 0.125)]
        );
        assert_eq!(kinds(&spec, &spec.workload[1]), [(0, 1.0)]);
    }
}
