//! Whether versions can understand one another, as far as that is known of a graph.

use crate::experiment::Decoder;
use crate::service_graph::control::protocol::{is_said, spoken};
use crate::service_graph::plan::{Caller, EdgePlan, Plan};

/// Who calls somebody no version of whom understands him, and who says what nobody hears.
pub fn check(plan: &Plan, cx: &mut Decoder) {
    let graph = plan.spec;
    if !is_said(graph) {
        return;
    }
    for (number, (name, service)) in graph.services.iter().enumerate() {
        let span = graph.services.span_of(name).unwrap_or_default();
        let mut warn = |message: String, help: String| {
            cx.at("services", |cx| cx.at(name, |cx| _ = cx.warn(span, message).help(help)));
        };
        let own = service.protocols();
        let mut said = Vec::new();
        let into: Vec<&EdgePlan> = plan.into(number).collect();
        for edge in &into {
            let versions = spoken(graph, edge);
            let other = |version: &u32| own.iter().all(|protocol| !protocol.understands.contains(version));
            if let Some(version) = versions.iter().find(|version| other(version)) {
                let who = match edge.caller {
                    Caller::Service(caller) => format!("`{}` speaks", graph.name(caller as usize)),
                    _ => "users speak".into(),
                };
                let message = format!(
                    "no version of `{name}` understands {version}, which {who}: those calls all fail"
                );
                // Whoever it is of several call sites, or of several users, it is said once.
                if said.contains(&message) {
                    continue;
                }
                said.push(message.clone());
                let help = format!("`understands` of its rollout, `from` or `to`, with {version} in it");
                warn(message, help);
            }
        }
        let heard: Vec<u32> = into.iter().flat_map(|edge| spoken(graph, edge)).collect();
        let mut understood = own.iter().flat_map(|protocol| &protocol.understands);
        if let Some(version) =
            understood.find(|version| (2..=255).contains(*version) && !heard.contains(version))
        {
            let message = format!("`{name}` understands {version}, and nobody who calls it speaks that");
            warn(message, format!("`speaks: {version}` in the rollout of whoever calls it"));
        }
        let calls = plan.sites[number].clone().next().is_some();
        if let Some(version) =
            own.iter().map(|protocol| protocol.speaks).find(|version| *version != 1 && !calls)
        {
            let message = format!("`{name}` speaks {version}, and calls nobody");
            warn(message, "leave `speaks` out; what it can be called in is `understands`".into());
        }
    }
}
