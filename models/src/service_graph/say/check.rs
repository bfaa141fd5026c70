//! What a graph may not be, beyond the types of its parts: all problems at once, where they were written.

use super::doubts::{
    check_allowances, check_fetches, check_idle, check_loops, check_stops, check_timeouts, check_width,
};
use super::limits::{check_memory, check_sizes};
use super::{repairs, requests, versions};
use crate::experiment::{Decoder, Name, Node, Span, Spanned, nearest};
use crate::fault::{Between, Correlation, Signal};
use crate::policy::part::Part;
use crate::service_graph::circles;
use crate::service_graph::control::membership::moves;
use crate::service_graph::control::{flags, needs_itself};
use crate::service_graph::plan::{EdgePlan, Plan, callees};
use crate::service_graph::service::queue::Common;
use crate::service_graph::service::record;
use crate::service_graph::spec::*;
use sim_core::SimDuration;
use std::collections::BTreeMap;

/// A product of attempts along one path that deserves a word.
const NOTABLE_AMPLIFICATION: u64 = 100;

/// Checks names, references, circles and what only makes sense together.
pub fn check_graph(graph: &GraphSpec, at: &Node, cx: &mut Decoder) {
    if graph.workload.is_empty() {
        cx.at("workload", |cx| {
            _ = cx.error(at.get("workload").unwrap_or(at).span, "nothing to simulate: no workload")
        });
    }
    if graph.services.is_empty() {
        cx.at("services", |cx| {
            _ = cx.error(at.get("services").unwrap_or(at).span, "nothing to simulate: no services")
        });
        return;
    }
    // Of what could not be read nothing follows; who is named in the rest is known all the same.
    let guessed = cx.guesses() > 0;
    if !guessed && !check_sizes(graph, at, cx) {
        return;
    }
    check_means(graph, at, cx);
    let mut sound = check_workloads(graph, cx) & check_zones(graph, cx);
    for (name, service) in graph.services.iter() {
        cx.at("services", |cx| {
            cx.at(name, |cx| {
                for name in service.starts().into_iter().flat_map(|start| &start.needs) {
                    cx.at("start_up", |cx| sound &= check_service_name(graph, "needs", name, cx));
                }
                sound &= check_by_themselves(graph, name, service, cx);
                sound &= flags::check_read(graph, service, cx);
                for (number, step) in service.calls.iter().enumerate() {
                    for call in &step.calls {
                        cx.at("calls", |cx| {
                            cx.at_index(number, |cx| {
                                sound &= check_service_name(graph, "to", &call.to, cx);
                                sound &= check_policy_name(graph, &call.policy, cx);
                                check_workload_names(graph, call, cx);
                                sound &= flags::check_call(graph, call, cx);
                                if let Some((to, policy, _)) = call.instead() {
                                    cx.at("fallback", |cx| {
                                        sound &= check_service_name(graph, "to", to, cx);
                                        sound &= check_policy_name(graph, policy, cx);
                                    });
                                }
                                if let Some(callback) = &call.callback {
                                    cx.at("callback", |cx| {
                                        sound &= check_policy_name(graph, &callback.policy, cx);
                                    });
                                }
                            })
                        });
                    }
                }
            })
        });
    }
    sound &= check_found(graph, cx);
    if !guessed {
        flags::check_users(graph, cx);
    }
    if guessed {
        check_struck_names(graph, cx);
        return;
    }
    let callees: Vec<Vec<usize>> = (0..graph.services.len()).map(|service| callees(graph, service)).collect();
    record::check(graph, at, cx);
    sound &= circles::check(graph, &callees, at, cx);
    sound &= check_checkers(graph, at, cx);
    sound &= repairs::check_needs(graph, cx);
    if !sound {
        check_struck_names(graph, cx);
    }
    if sound && let Some(way) = needs_itself(graph) {
        let span = graph.services.span_of(&way[0]).unwrap_or(at.span);
        let message = format!(
            "{}: each needs the next to start, so once all of them are down none ever does",
            way.join(" -> ")
        );
        cx.warn(span, message).help("one of them must start without the others");
    }
    if sound {
        let plan = Plan::new(graph);
        check_faults(&plan, cx);
        check_messages(&plan, cx);
        requests::check(&plan, cx);
        versions::check(&plan, cx);
        repairs::check_circles(&plan, cx);
        check_failures(&plan, at, cx);
        check_triggers(&plan, cx);
        check_alarms(&plan, cx);
        flags::check_readers(&plan, at, cx);
        check_doors(&plan, &callees, cx);
        check_reach(graph, at, cx);
        check_amplification(&plan, at, cx);
        check_patience(&plan, at, cx);
        check_timeouts(&plan, at, cx);
        check_allowances(&plan, at, cx);
        check_fetches(&plan, at, cx);
        check_stops(&plan, at, cx);
        check_width(&plan, at, cx);
        check_idle(&plan, at, cx);
        check_loops(&plan, at, cx);
        check_memory(&plan, at, cx);
    }
}

/// Work whose mean is infinite can be simulated, but its averages never settle.
fn check_means(graph: &GraphSpec, at: &Node, cx: &mut Decoder) {
    for (name, _) in graph.services.iter().filter(|(_, service)| !service.work.nanos.mean().is_finite()) {
        let node = at.get("services").and_then(|services| services.get(name)?.get("work")).unwrap_or(at);
        cx.at("services", |cx| {
            cx.at(name, |cx| {
                cx.at("work", |cx| {
                    cx.warn(
                        node.span,
                        "the mean is infinite: averages will not settle, however long the run",
                    )
                    .help("a shape above 1 has a mean, BoundedPareto an end");
                })
            })
        });
    }
}

fn check_workloads(graph: &GraphSpec, cx: &mut Decoder) -> bool {
    let mut sound = true;
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, workload) in graph.workload.iter().enumerate() {
        cx.at("workload", |cx| {
            cx.at_index(number, |cx| {
                let name = &workload.name;
                if let Err(why) = Name::verdict(&name.value) {
                    cx.at("name", |cx| _ = cx.error(name.span, why));
                    sound = false;
                }
                if graph.services.get(&name.value).is_some() {
                    // One that has no name is called so all the same.
                    let span = if name.span == Span::default() { workload.to.span } else { name.span };
                    let message = format!("`{}` is a service: name the workload otherwise", name.value);
                    cx.at("name", |cx| {
                        _ = cx
                            .error(span, message)
                            .help("what stands before its arrow: (name: \"batch\", to: ..)")
                    });
                    sound = false;
                }
                // A name that could not be read may be any.
                let first = names.insert(&name.value, number).filter(|_| cx.guesses() == 0);
                if let Some(first) = first {
                    cx.at("name", |cx| {
                        cx.error(
                            workload.to.span,
                            format!("workload[{first}] is called `{}` too", name.value),
                        )
                        .help("give one of them a name: (name: \"batch\", to: ..)");
                    });
                    sound = false;
                }
                sound &= check_service_name(graph, "to", &workload.to, cx);
                sound &= check_policy_name(graph, &workload.policy, cx);
            })
        });
    }
    sound
}

/// Who stands somewhere stands in one of the zones that there are.
fn check_zones(graph: &GraphSpec, cx: &mut Decoder) -> bool {
    let mut sound = true;
    let mut check = |named: &[Spanned<String>], cx: &mut Decoder| {
        for name in named.iter().filter(|name| !graph.has_zones(&name.value)) {
            sound = false;
            let (why, help) = unknown_of_zones(graph, &name.value);
            cx.at("zones", |cx| _ = cx.error(name.span, why).help(help));
        }
    };
    for (number, workload) in graph.workload.iter().enumerate() {
        cx.at("workload", |cx| cx.at_index(number, |cx| check(&workload.zones, cx)));
    }
    for (name, service) in graph.services.iter() {
        cx.at("services", |cx| cx.at(name, |cx| check(&service.zones, cx)));
    }
    if graph.zones.is_none() {
        for (name, _) in graph.services.iter().filter(|(_, service)| service.goes_by_zones()) {
            sound = false;
            let span = graph.services.span_of(name).unwrap_or_default();
            cx.at("services", |cx| {
                cx.at(name, |cx| {
                    cx.error(span, "goes from zone to zone, and the graph has none")
                        .help("add them: zones: (names: [\"a\", \"b\"])");
                })
            });
        }
    }
    let all = graph.zones.as_ref().map_or(0, |zones| zones.names.len());
    for (number, workload) in graph.workload.iter().enumerate() {
        let (clients, name) = (workload.clients, &workload.name.value);
        if workload.zones.is_empty() && (clients as usize) < all && cx.guesses() == 0 {
            let plural = if clients == 1 { "" } else { "s" };
            let message =
                format!("`{name}` has {clients} client{plural} for {all} zones: nobody calls from the last");
            let help = "more `clients`, or `zones` of the workload, in which they stand";
            let span = workload.to.span;
            cx.at("workload", |cx| {
                cx.at_index(number, |cx| cx.at("clients", |cx| _ = cx.warn(span, message).help(help)))
            });
        }
    }
    sound
}

/// Why there is no zone of this name, and which there are.
fn unknown_of_zones(graph: &GraphSpec, name: &str) -> (String, String) {
    match &graph.zones {
        None => {
            let help = format!("add them: zones: (names: [\"{name}\", ..])");
            (format!("there is no zone `{name}`: the graph has none"), help)
        }
        Some(zones) => {
            let names = zones.names.iter().map(|name| name.value.as_str());
            let help = crate::experiment::did_you_mean(name, "the zones are", names);
            (format!("there is no zone `{name}`"), help)
        }
    }
}

pub fn check_service_name(graph: &GraphSpec, field: &str, name: &Spanned<String>, cx: &mut Decoder) -> bool {
    let known = graph.services.get(&name.value).is_some();
    if !known {
        let help = cx.suggest(&name.value, "the services are", graph.services.names());
        cx.at(field, |cx| _ = cx.error(name.span, format!("unknown service `{}`", name.value)).help(help));
    }
    known
}

fn check_policy_name(graph: &GraphSpec, name: &Option<Spanned<String>>, cx: &mut Decoder) -> bool {
    let Some(name) = name else { return true };
    let known = graph.policies.get(&name.value).is_some();
    if !known {
        let help = if graph.policies.is_empty() {
            format!("add it: policies: {{\"{}\": (timeout: \"1s\")}}", name.value)
        } else {
            cx.suggest(&name.value, "the policies are", graph.policies.names())
        };
        cx.at("policy", |cx| _ = cx.error(name.span, format!("unknown policy `{}`", name.value)).help(help));
    }
    known
}

fn check_workload_names(graph: &GraphSpec, call: &CallSpec, cx: &mut Decoder) {
    let named = if cx.guesses() == 0 { &call.only_from[..] } else { &[] };
    for name in named.iter().filter(|name| graph.workload_number(&name.value).is_none()) {
        let known = graph.workload.iter().map(|workload| workload.name.value.as_str());
        let help = cx.suggest(&name.value, "the workloads are", known);
        cx.at("only_from", |cx| {
            _ = cx.error(name.span, format!("unknown workload `{}`", name.value)).help(help)
        });
    }
}

/// Who checks replicas has a name of its own among the callers.
fn check_checkers(graph: &GraphSpec, at: &Node, cx: &mut Decoder) -> bool {
    let mut sound = true;
    let checks =
        |(name, service)| ServiceSpec::checks(service).into_iter().map(move |check| (name, check.by));
    for (name, by) in graph.services.iter().flat_map(checks) {
        let span = graph.services.span_of(name).unwrap_or(at.span);
        if graph.services.get(by).is_some() || graph.workload_number(by).is_some() {
            let message =
                format!("whoever checks the replicas of `{name}` is called `{by}`, and so is another");
            let help = "give that workload, or service, another name";
            cx.at("services", |cx| cx.at(name, |cx| _ = cx.error(span, message).help(help)));
            sound = false;
        }
    }
    sound
}

/// Whom replicas call by themselves is there, and known to them; and whom they were cut off from is called at all.
fn check_by_themselves(graph: &GraphSpec, name: &str, service: &ServiceSpec, cx: &mut Decoder) -> bool {
    let Some(says) = service.by_themselves().map(|it| it.says) else { return true };
    let mut sound = true;
    cx.at("on_start", |cx| {
        for (number, call) in says.calls.iter().enumerate() {
            cx.at("calls", |cx| {
                cx.at_index(number, |cx| {
                    sound &= check_service_name(graph, "to", &call.to, cx);
                    sound &= check_policy_name(graph, &call.policy, cx);
                    if graph.services.get(&call.to.value).and_then(ServiceSpec::found).is_some() {
                        let message = format!(
                            "`{}` is looked up, and a replica that starts knows nobody",
                            call.to.value
                        );
                        let help = "whoever is called at a start is known: leave out how it is found";
                        cx.at("to", |cx| _ = cx.error(call.to.span, message).help(help));
                        sound = false;
                    }
                })
            });
        }
        let Some(from) = says.from() else {
            if cx.guesses() == 0 && !says.at_begin && !graph.may_go_down(name, service) {
                let span = graph.services.span_of(name).unwrap_or_default();
                let message = format!("never acts: no replica of `{name}` ever starts while it runs");
                cx.warn(span, message).help(
                    "`at_begin: true`, or whatever makes one start: a Crash(), a `rollout`, an `autoscaler`",
                );
            }
            return;
        };
        cx.at("when", |cx| {
            if !check_service_name(graph, "to", from, cx) {
                sound = false;
            } else if !service.all_calls_of().any(|call| call.to.value == from.value) {
                let message = format!(
                    "never acts: `{name}` makes no calls to `{}`, so nothing cuts it off",
                    from.value
                );
                let help = "name a service that it calls";
                cx.at("to", |cx| _ = cx.warn(from.span, message).help(help));
            }
        });
    });
    sound
}

/// Who is asked where replicas are is there, and need not be asked for itself.
fn check_found(graph: &GraphSpec, cx: &mut Decoder) -> bool {
    let mut sound = true;
    for (name, service) in graph.services.iter() {
        let Some(lookup) = service.found().map(|found| found.lookup()) else { continue };
        let (field, whom) = (lookup.field, lookup.whom);
        cx.at("services", |cx| {
            cx.at(name, |cx| {
                cx.at("discovery", |cx| {
                    let known = check_service_name(graph, field, whom, cx);
                    let asked = graph.services.get(&whom.value).and_then(ServiceSpec::found);
                    if asked.is_some() {
                        let message = format!("`{}` would have to be looked up itself", whom.value);
                        let help = "whoever is asked for others is known: leave out how it is found";
                        cx.at(field, |cx| _ = cx.error(whom.span, message).help(help));
                    }
                    sound &= known && asked.is_none();
                })
            })
        });
    }
    sound
}

/// Whether there are those whom faults strike, as far as that is known of a graph whose edges are not.
fn check_struck_names(graph: &GraphSpec, cx: &mut Decoder) {
    let unknown = |on: &Spanned<String>, cx: &mut Decoder| {
        let (caller, name) = on
            .value
            .rsplit_once("->")
            .map_or((None, on.value.as_str()), |(by, to)| (Some(by), to.split('/').next().unwrap_or(to)));
        if crate::fault::place(&on.value).is_some()
            || Between::of(&on.value).is_some()
            || graph.services.get(name).is_some()
        {
            return;
        }
        let help = match (caller, nearest(name, graph.services.names())) {
            (Some(caller), Some(near)) => format!("did you mean `{caller}->{near}`?"),
            _ => cx.suggest(name, "services are", graph.services.names()),
        };
        _ = cx.error(on.span, format!("unknown service or edge `{}`", on.value)).help(help);
    };
    for (number, fault) in graph.faults.iter().enumerate() {
        cx.at("faults", |cx| cx.at_index(number, |cx| cx.at("on", |cx| unknown(&fault.on, cx))));
    }
    for (name, failure) in graph.failures.iter() {
        cx.at("failures", |cx| cx.at(name, |cx| cx.at("on", |cx| unknown(&failure.on, cx))));
    }
    for (name, trigger) in graph.triggers.iter() {
        cx.at("triggers", |cx| cx.at(name, |cx| cx.at("on", |cx| unknown(&trigger.on, cx))));
    }
}

fn check_faults(plan: &Plan, cx: &mut Decoder) {
    let graph = plan.spec;
    for (number, fault) in graph.faults.iter().enumerate() {
        let on = &fault.on;
        if fault.effect.is_network() && !matches!(fault.replicas, Affected::All) {
            let message = "the network has no replicas: all messages over the edge are struck";
            cx.at("faults", |cx| cx.at_index(number, |cx| _ = cx.warn(on.span, message)));
        }
        let mut report = |message: String, help: String| {
            cx.at("faults", |cx| {
                cx.at_index(number, |cx| cx.at("on", |cx| _ = cx.error(on.span, message).help(help)))
            });
        };
        check_whom(plan, fault, &mut report);
        if fault.r#for.is_some_and(|length| length.is_zero()) {
            report(
                "`for` must be longer than 0".into(),
                "leave it out and the fault lasts until the end".into(),
            );
        }
        check_replicas(graph, on, &fault.replicas, &mut report);
    }
}

/// Whether whom a fault is on is there, and can be struck so: a service, an edge, a zone, or the way between two.
fn check_whom(plan: &Plan, fault: &FaultSpec, report: &mut dyn FnMut(String, String)) {
    let (graph, on) = (plan.spec, &fault.on);
    let struck = fault.place().filter(|_| graph.services.get(&on.value).is_none());
    if let Some(between) = fault.between() {
        check_between(plan, between, fault, report);
    } else if let Some(place) = struck {
        let nobody = || graph.all_in(place).next().is_none();
        if !graph.has_zones(place) {
            let (why, help) = unknown_of_zones(graph, place);
            report(why, help);
        } else if fault.effect.is_network() {
            let effect = fault.effect.name();
            let help = "of the network a service can be struck, which is all edges into it, or an edge";
            report(
                format!("`{effect}` strikes the network, and `{}` is where replicas stand", on.value),
                help.into(),
            );
        } else if !matches!(fault.replicas, Affected::All | Affected::Fraction(_)) {
            report(
                format!(
                    "`{}` is all services of which replicas stand there: `replicas` says those of one",
                    on.value
                ),
                "leave `replicas` out, or say which share of each: Fraction(0.5)".into(),
            );
        } else if nobody() {
            report(format!("nobody stands in `{}`", on.value), "name a zone in which replicas stand".into());
        }
    } else {
        check_struck(plan, on, &fault.effect, &graph.places(), report);
    }
}

/// Whether there is such a way, and anybody goes it.
fn check_between(plan: &Plan, between: Between, fault: &FaultSpec, report: &mut dyn FnMut(String, String)) {
    let (graph, Between { from, to, .. }) = (plan.spec, between);
    let unknown = [from, to].into_iter().filter(|place| !graph.has_zones(place));
    let unknown: Vec<(String, String)> = unknown.map(|place| unknown_of_zones(graph, place)).collect();
    if !unknown.is_empty() {
        unknown.into_iter().for_each(|(why, help)| report(why, help));
    } else if from == to {
        report(
            format!("from `{from}` to `{to}` is no way between two zones"),
            "what is within a zone is struck by the edges or services that stand in it".into(),
        );
    } else if !fault.effect.is_network() {
        report(
            format!(
                "`{}` strikes replicas, and `{}` is a way between zones",
                fault.effect.name(),
                fault.on.value
            ),
            format!(
                "name a zone, such as `zone {from}`, or let the network fail: Drop, Delay, Hold, Duplicate, Reorder, Bandwidth"
            ),
        );
    } else if !plan.edges.iter().any(|edge| plan.is_on(&fault.on.value, edge)) {
        report(
            format!("nothing goes from zone `{from}` to zone `{to}`"),
            "name two zones of which callers stand in one and those whom they call in the other".into(),
        );
    }
}

/// Whether what is struck is there, and can be struck so; it may have been meant for one of these places.
fn check_struck(
    plan: &Plan,
    on: &Spanned<String>,
    effect: &Effect,
    places: &[String],
    report: &mut dyn FnMut(String, String),
) {
    let edges = &plan.edges;
    let service = plan.spec.services.get(&on.value);
    let edge = edges.iter().any(|edge| edge.name == on.value);
    if service.is_none() && !edge {
        let names = plan.spec.services.names().chain(edges.iter().map(|edge| edge.name.as_str()));
        let names = names.chain(places.iter().map(String::as_str));
        let help = crate::experiment::did_you_mean(&on.value, "services and edges are", names);
        report(format!("unknown service or edge `{}`", on.value), help);
    } else if service.is_none() && !effect.is_network() {
        report(
            format!("`{}` strikes a service, and `{}` is an edge", effect.name(), on.value),
            "edges can be struck by Drop, Delay, Hold, Duplicate, Reorder and Bandwidth".into(),
        );
    }
}

/// Whether the replicas are there that are struck.
fn check_replicas(
    graph: &GraphSpec,
    on: &Spanned<String>,
    struck: &Affected,
    report: &mut dyn FnMut(String, String),
) {
    if let (Some(number), Some(place)) = (graph.services.index_of(&on.value), struck.place()) {
        if !graph.has_zones(place) {
            let (why, help) = unknown_of_zones(graph, place);
            report(why, help);
        } else if graph.standing_in(place, number).is_empty() {
            let there = graph.places_of_service(number).unwrap_or_default();
            report(
                format!("no replica of `{}` stands in zone `{place}`", on.value),
                format!("they stand: {there}"),
            );
        }
    }
    let (Some(service), Affected::Only(replicas)) = (graph.services.get(&on.value), struck) else { return };
    if let Some(beyond) = replicas.iter().find(|&&replica| replica >= service.room()) {
        // None at all is refused where it is written, and its faults are looked at all the same.
        let last = service.room().saturating_sub(1);
        report(format!("`{}` has no replica {beyond}: they are 0 to {last}", on.value), String::new());
    }
    if replicas.is_empty() {
        report("no replica is struck".into(), "list at least one, or leave `replicas` out".into());
    }
}

/// What fails at random: who that is, and whether so many can be needed.
fn check_failures(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let graph = plan.spec;
    for (name, failure) in graph.failures.iter() {
        let (on, mut sound) = (&failure.on, true);
        let mut report = |message: String, help: String| {
            sound = false;
            cx.at("failures", |cx| {
                cx.at(name, |cx| cx.at("on", |cx| _ = cx.error(on.span, message).help(help)))
            });
        };
        check_struck(plan, on, &failure.effect, &[], &mut report);
        check_replicas(graph, on, &failure.replicas, &mut report);
        if !sound {
            continue;
        }
        let units = plan.failing(failure);
        if let Some(needs) = failure.needs.filter(|needs| *needs > units) {
            let message = format!("{needs} are needed, but only {units} can fail: they are never all there");
            let help = "as many as there are at most";
            cx.at("failures", |cx| {
                cx.at(name, |cx| cx.at("needs", |cx| _ = cx.error(on.span, message).help(help)))
            });
        }
        if units == 1 && failure.correlation != Correlation::Independent {
            let message = "one alone fails together with nobody";
            let help = "give the service more `replicas`, or leave this out";
            cx.at("failures", |cx| {
                cx.at(name, |cx| cx.at("correlation", |cx| _ = cx.warn(on.span, message).help(help)))
            });
        }
    }
    for (name, domain) in graph.domains.iter() {
        for (number, held) in domain.holds.iter().enumerate() {
            let on = &held.on;
            let mut report = |message: String, help: String| {
                cx.at("domains", |cx| {
                    cx.at(name, |cx| {
                        cx.at("holds", |cx| {
                            cx.at_index(number, |cx| {
                                cx.at("on", |cx| _ = cx.error(on.span, message).help(help))
                            })
                        })
                    })
                });
            };
            check_struck(plan, on, &domain.effect, &[], &mut report);
            check_replicas(graph, on, &held.replicas, &mut report);
        }
        if graph.failures.get(name).is_some() {
            let message = format!("`{name}` is among the `failures`, too");
            let span = graph.domains.span_of(name).unwrap_or(at.span);
            let help = "give it another name, by which it can be told";
            cx.at("domains", |cx| cx.at(name, |cx| _ = cx.error(span, message).help(help)));
        }
    }
}

/// What a state sets off: whose state, and who is struck.
fn check_triggers(plan: &Plan, cx: &mut Decoder) {
    let graph = plan.spec;
    for (name, trigger) in graph.triggers.iter() {
        let on = &trigger.on;
        let mut report = |field: &str, span: Span, message: String, help: String| {
            cx.at("triggers", |cx| {
                cx.at(name, |cx| cx.at(field, |cx| _ = cx.error(span, message).help(help)))
            });
        };
        check_whom(plan, &trigger.fault(), &mut |why, help| report("on", on.span, why, help));
        check_replicas(graph, on, &trigger.replicas, &mut |why, help| report("on", on.span, why, help));
        let mut report = |span: Span, is_error: bool, message: String, help: String| {
            cx.at("triggers", |cx| {
                cx.at(name, |cx| cx.at("when", |cx| said(span, is_error, message, help, cx)))
            });
        };
        check_signal(plan, &trigger.when, &mut report);
    }
}

/// What somebody is told of: whose state.
fn check_alarms(plan: &Plan, cx: &mut Decoder) {
    for (name, alarm) in plan.spec.alarms.iter() {
        let mut report = |span: Span, is_error: bool, message: String, help: String| {
            cx.at("alarms", |cx| {
                cx.at(name, |cx| cx.at("when", |cx| said(span, is_error, message, help, cx)))
            });
        };
        check_signal(plan, &alarm.when, &mut report);
    }
}

fn said(span: Span, is_error: bool, message: String, help: String, cx: &mut Decoder) {
    _ = if is_error { cx.error(span, message) } else { cx.warn(span, message) }.help(help);
}

/// A state that somebody looks at: whose it is, and whether it can be.
fn check_signal(plan: &Plan, when: &Signal, report: &mut dyn FnMut(Span, bool, String, String)) {
    check_watched(plan, when, when.of(), report);
    let Some(from) = when.from() else { return };
    check_watched(plan, when, from, report);
    if from.value == when.of().value {
        let message = format!("nothing is held against itself: it never happens, `{}` is both", from.value);
        report(from.span, false, message, "two edges, as those of a canary and of all the others".into());
    }
}

/// The same of one that is looked at.
fn check_watched(
    plan: &Plan,
    when: &Signal,
    of: &Spanned<String>,
    report: &mut dyn FnMut(Span, bool, String, String),
) {
    let graph = plan.spec;
    let service = graph.services.get(&of.value);
    if let Signal::Incomplete { .. } = when {
        return check_sessions(plan, of, report);
    }
    let of_calls = when.is_of_calls() && plan.edges.iter().any(|edge| edge.name == of.value);
    let place = crate::fault::place(&of.value).filter(|_| service.is_none());
    if let Some(place) = place {
        check_signal_there(graph, place, (when, of), report);
    } else if service.is_none() && !of_calls {
        let edges = plan.edges.iter().filter(|_| when.is_of_calls());
        let places = if when.is_of_zones() { graph.places() } else { Vec::new() };
        let names = graph.services.names().chain(edges.map(|edge| edge.name.as_str()));
        let names = names.chain(places.iter().map(String::as_str));
        let help = crate::experiment::did_you_mean(&of.value, "there are", names);
        report(of.span, true, format!("nothing is called `{}` that has such a state", of.value), help);
    }
    if let (Some(service), Some(below)) = (service, when.below())
        && below > service.room()
    {
        let (room, are) = (service.room(), what_they_are(when));
        let message =
            format!("`{}` never has more than {room}: fewer than {below} are always {are}", of.value);
        report(of.span, true, message, "a `below` of no more than its replicas".into());
    }
    if let (Some(_), Signal::Believed { .. }) = (service, when)
        && !moves(graph, &of.value)
    {
        let message = format!("nobody says of any `{}` that it is ill: it never happens", of.value);
        report(
            of.span,
            false,
            message,
            "give it `health` or `probes`; `Up` is how many there are, whoever knows".into(),
        );
    }
    if let (Some(service), Signal::Queue { above, .. }) = (service, when)
        && let Common { capacity: Capacity::Bounded(places), shared, .. } = service.queue.common()
        && *above >= u64::from(places) * u64::from(if shared { 1 } else { service.room() })
    {
        let message = format!("no more than that can wait at `{}`: it never happens", of.value);
        report(of.span, false, message, "an `above` below the `capacity` of its queues".into());
    }
    if let (Some(service), Signal::InHand { above, .. }) = (service, when)
        && let Some(room) = service.around(&of.value).room.map(|room| room * u64::from(service.room()))
        && *above >= room
    {
        let message = format!("`{}` has no more than {room} in hand: it never happens", of.value);
        report(
            of.span,
            false,
            message,
            "an `above` below its workers and the `capacity` of its queues".into(),
        );
    }
}

/// Whether anybody has sessions over an edge.
fn check_sessions(plan: &Plan, of: &Spanned<String>, report: &mut dyn FnMut(Span, bool, String, String)) {
    let users = || plan.edges.iter().zip(&plan.spec.workload);
    let known = users().find(|(edge, _)| edge.name == of.value);
    let with = users().filter(|(_, workload)| workload.session.is_some()).map(|(edge, _)| edge.name.as_str());
    let message = match known {
        Some((_, workload)) if workload.session.is_some() => return,
        Some(_) => format!("nobody has sessions over `{}`: each makes one call", of.value),
        None => format!("nobody has sessions over `{}`: no users call over that", of.value),
    };
    let help = match with.clone().next() {
        None => "give the `workload` a `session`, or look at its calls: Failing".to_owned(),
        Some(_) => crate::experiment::did_you_mean(&of.value, "there are sessions over", with),
    };
    report(of.span, true, message, help);
}

/// A state of all who stand in a zone.
fn check_signal_there(
    graph: &GraphSpec,
    place: &str,
    (when, of): (&Signal, &Spanned<String>),
    report: &mut dyn FnMut(Span, bool, String, String),
) {
    let there: u32 = graph.all_in(place).map(|(_, those)| those.len() as u32).sum();
    if !graph.has_zones(place) {
        let (why, help) = unknown_of_zones(graph, place);
        report(of.span, true, why, help);
    } else if !when.is_of_zones() {
        let message = format!("shares and times are those of services: nobody knows that of `{}`", of.value);
        let help = "of a zone there is Queue, InHand, Up, Believed; of a share or a time say which service";
        report(of.span, true, message, help.into());
    } else if there == 0 {
        let help = "name a zone in which replicas stand";
        report(of.span, true, format!("nobody stands in `{}`", of.value), help.into());
    } else if let Some(below) = when.below()
        && below > there
    {
        let are = what_they_are(when);
        let message =
            format!("`{}` never has more than {there}: fewer than {below} are always {are}", of.value);
        report(of.span, true, message, "a `below` of no more than its replicas".into());
    } else if let Signal::Believed { .. } = when
        && graph
            .all_in(place)
            .all(|(service, _)| !moves(graph, graph.services.names().nth(service).unwrap_or_default()))
    {
        let message = format!("nobody says of anyone in `{}` that he is ill: it never happens", of.value);
        report(
            of.span,
            false,
            message,
            "give those who stand there `health` or `probes`; `Up` is how many there are, whoever knows"
                .into(),
        );
    } else if let Signal::Queue { above, .. } = when
        && let Some(most) = most_waiting(graph, place)
        && *above >= most
    {
        let message = format!("no more than that can wait at `{}`: it never happens", of.value);
        report(of.span, false, message, "an `above` below the `capacity` of its queues".into());
    }
}

/// What there are too few of.
fn what_they_are(when: &Signal) -> &'static str {
    if matches!(when, Signal::Up { .. }) { "up" } else { "believed well" }
}

/// How many can wait in a zone, if there is an end to it. A queue for all replicas of a service is in no zone.
fn most_waiting(graph: &GraphSpec, place: &str) -> Option<u64> {
    let of_one = |(service, those): (usize, Vec<u32>)| match graph.service(service).queue.common() {
        Common { shared: true, .. } => Some(0),
        Common { capacity: Capacity::Bounded(places), .. } => Some(u64::from(places) * those.len() as u64),
        _ => None,
    };
    graph.all_in(place).map(of_one).sum()
}

/// What shuts the door of a service: whose state, and not what its being shut brings about.
fn check_doors(plan: &Plan, callees: &[Vec<usize>], cx: &mut Decoder) {
    for (number, (name, service)) in plan.spec.services.iter().enumerate() {
        let Some((key, when)) = service.shut_for() else { continue };
        let mut report = |span: Span, is_error: bool, message: String, help: String| {
            cx.at("services", |cx| {
                cx.at(name, |cx| cx.at(key, |cx| cx.at("when", |cx| said(span, is_error, message, help, cx))))
            });
        };
        check_signal(plan, when, &mut report);
        let of = when.of();
        let leads_here = |from: usize| {
            let (mut seen, mut next) = (vec![false; callees.len()], vec![from]);
            while let Some(at) = next.pop() {
                if !std::mem::replace(&mut seen[at], true) {
                    next.extend(&callees[at]);
                }
            }
            seen[number]
        };
        let watched = plan.edges.iter().filter(|edge| plan.is_on(&of.value, edge));
        if when.is_of_calls() && watched.into_iter().any(|edge| leads_here(edge.callee)) {
            let message = format!(
                "calls over `{}` fail because `{name}` turns them away: that trouble never goes",
                of.value
            );
            let help = format!(
                "look at what waits, as in `Queue(of: \"{name}\", above: 500)`, or at calls that `{name}` makes"
            );
            report(of.span, true, message, help);
        }
    }
}

/// Whose messages a fault of the network strikes, and whether they weigh anything.
fn check_messages(plan: &Plan, cx: &mut Decoder) {
    for (number, fault) in plan.spec.faults.iter().enumerate() {
        let struck: Vec<&EdgePlan> = plan.edges.iter().filter(|edge| plan.strikes(fault, edge)).collect();
        let Some(fewest) = struck.iter().min_by_key(|edge| edge.callers) else { continue };
        let span = fault.on.span;
        let mut report = |field: &str, is_error: bool, message: String, help: &str| {
            cx.at("faults", |cx| {
                cx.at_index(number, |cx| {
                    cx.at(field, |cx| {
                        _ = if is_error { cx.error(span, message) } else { cx.warn(span, message) }.help(help)
                    })
                })
            });
        };
        match &fault.clients {
            Affected::Only(clients) => {
                if let Some(beyond) = clients.iter().find(|client| **client >= fewest.callers) {
                    let (name, last) = (&fewest.name, fewest.callers - 1);
                    let message = format!("{name} has no client {beyond}: they are 0 to {last}");
                    report(
                        "clients",
                        true,
                        message,
                        "a workload says how many `clients` it has; a service has as many as replicas",
                    );
                } else if clients.is_empty() {
                    report(
                        "clients",
                        true,
                        "no client is struck".into(),
                        "list at least one, or leave `clients` out",
                    );
                }
            }
            Affected::Fraction(_) if struck.iter().all(|edge| edge.callers == 1) => {
                let message = format!("{} has one client, which is all of them", fewest.name);
                report("clients", false, message, "say `clients` of the workload, or leave this out");
            }
            Affected::Fraction(_) | Affected::All => {}
            _ => {
                let help = "list those that stand there with Only([..]), or take a share with Fraction(..)";
                report(
                    "clients",
                    true,
                    "zones tell which replicas are struck, not which clients".into(),
                    help,
                );
            }
        }
        let weighs = plan.spec.workload.iter().any(|workload| workload.size.is_some());
        if fault.effect.transmits().is_some() && !weighs {
            let message = "no request weighs anything: however little is carried, nothing waits".into();
            report("effect", false, message, "give a workload a `size`, such as Fixed(\"64KiB\")");
        }
    }
}

fn check_reach(graph: &GraphSpec, at: &Node, cx: &mut Decoder) {
    let mut reached = vec![false; graph.services.len()];
    let mut todo: Vec<usize> =
        graph.workload.iter().filter_map(|workload| graph.services.index_of(&workload.to.value)).collect();
    while let Some(service) = todo.pop() {
        if !std::mem::replace(&mut reached[service], true) {
            todo.extend(callees(graph, service));
        }
    }
    for asked in graph.services.values().filter_map(|service| Some(service.found()?.lookup().whom)) {
        graph.services.index_of(&asked.value).into_iter().for_each(|asked| reached[asked] = true);
    }
    let own = graph.services.values().filter_map(|service| Some(&service.by_themselves()?.says.calls));
    todo.extend(own.flatten().filter_map(|call| graph.services.index_of(&call.to.value)));
    let needed = graph.repairs().flat_map(|(_, _, repair)| &repair.needs);
    todo.extend(needed.filter_map(|name| graph.services.index_of(&name.value)));
    while let Some(service) = todo.pop() {
        if !std::mem::replace(&mut reached[service], true) {
            todo.extend(callees(graph, service));
        }
    }
    for (name, _) in graph.services.names().zip(reached).filter(|(_, reached)| !reached) {
        let span = graph.services.span_of(name).unwrap_or(at.span);
        cx.at("services", |cx| cx.at(name, |cx| _ = cx.warn(span, "nobody calls this service")));
    }
}

/// A product of attempts, which may be more than can be counted.
fn attempts_in_words(product: u64) -> String {
    if product == u64::MAX { "more than 10^19".into() } else { format!("up to {product}") }
}

/// Layers of retries multiply.
fn check_amplification(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let graph = plan.spec;
    let worst = plan.worst_attempts(0);
    if let Some((service, &product)) = worst.iter().enumerate().max_by_key(|(_, product)| **product)
        && product >= NOTABLE_AMPLIFICATION
    {
        let name = graph.name(service);
        let span = graph.services.span_of(name).unwrap_or(at.span);
        let product = attempts_in_words(product);
        let message = format!("if `{name}` fails, one user request becomes {product} attempts on it");
        cx.warn(span, message).help("retry in one layer only, or give the retries a budget");
    }
}

/// A caller who gives up before even an idle system could answer.
fn check_patience(plan: &Plan, at: &Node, cx: &mut Decoder) {
    let graph = plan.spec;
    for edge in &plan.edges {
        let Some(patience) = edge.worst.attempt.into_iter().chain(edge.worst.call).min() else { continue };
        let (name, service) = (graph.name(edge.callee), plan.callee(edge));
        let work = edge.check.map_or(service.work.nanos.min(), |check| check.least_work());
        let fastest = 2.0 * edge.network.nanos.min() + work;
        if fastest > patience.as_nanos() as f64 {
            let fastest = SimDuration::from_nanos_f64(fastest);
            let span = graph.services.span_of(name).unwrap_or(at.span);
            let message = format!(
                "no call over {} can succeed: it takes at least {fastest}, the timeout is {patience}",
                edge.name
            );
            cx.warn(span, message);
        } else if let Some(takes) = service.starts_cold().filter(|_| edge.check.is_none())
            && fastest + takes.as_nanos() as f64 > patience.as_nanos() as f64
        {
            let span = graph.services.span_of(name).unwrap_or(at.span);
            let message = format!(
                "no call over {} that has to wait for an instance can succeed: that takes at least {takes} to start, the timeout is {patience}",
                edge.name
            );
            cx.warn(span, message).help("a longer `timeout`, or instances that are `provisioned`");
        }
    }
}
