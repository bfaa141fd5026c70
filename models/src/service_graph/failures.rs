//! From what fails at random, as the file says, to the faults that begin and end so: one for each that fails by itself, and for what is common.

use super::plan::Plan;
use super::state::{Fault, Target};
use crate::fault::{Effect, HeldSpec, Reach, Rhythm, Source, Ways};
use crate::theory::Together;
use sim_core::{SimDuration, SimTime, Streams, digest};

/// The sources of a graph: those that name what fails, then the domains. Their faults come after those of the file.
pub fn build(plan: &Plan, streams: &Streams, faults: &mut Vec<Fault>) -> Vec<Source> {
    let spec = plan.spec;
    let mut sources = Vec::new();
    let mut add = |on: &str, effect: &Effect, targets: Vec<Target>, random: (u32, u32)| {
        faults.push(Fault {
            path: digest::hash_text(on),
            rhythm: Rhythm::new(SimTime::ZERO, None, SimDuration::ZERO, None),
            flaps: false,
            begun: SimTime::ZERO,
            effect: effect.clone(),
            targets,
            random: Some(random),
            drawn_down: false,
            is_set_off: false,
            repair: None,
            requests: None,
            numbers: None,
        });
    };
    let edges = |on: &str, ways: Ways| -> Vec<(u32, Reach)> {
        let on = plan.edges.iter().enumerate().filter(|(_, edge)| plan.is_on(on, edge));
        on.map(|(edge, _)| (edge as u32, Reach { ways, ..Reach::default() })).collect()
    };
    for (number, (name, failure)) in (0..).zip(spec.failures.iter()) {
        let on = &failure.on.value;
        let each: Vec<Target> = match spec.services.index_of(on).filter(|_| !failure.effect.is_network()) {
            Some(service) => {
                let chosen =
                    failure.replicas.chosen(spec.at_first(service, &failure.replicas), name, streams);
                let one = |replica| Target::Replicas { service: service as u32, replicas: vec![replica] };
                chosen.into_iter().map(one).collect()
            }
            None => edges(on, failure.way).into_iter().map(|edge| Target::Edges(vec![edge])).collect(),
        };
        let (law, units) = (failure.correlation.law(), each.len() as u32);
        let luck = streams.luck("failures", name);
        let times = (&failure.every, &failure.r#for);
        sources.push(Source::new(name, (units, failure.needs), law, times, luck));
        let all = each.iter().fold(None, |all: Option<Target>, one| match (all, one) {
            (Some(Target::Replicas { service, mut replicas }), Target::Replicas { replicas: more, .. }) => {
                replicas.extend(more);
                Some(Target::Replicas { service, replicas })
            }
            (Some(Target::Edges(mut edges)), Target::Edges(more)) => {
                edges.extend(more.iter().cloned());
                Some(Target::Edges(edges))
            }
            (_, one) => Some(one.clone()),
        });
        (0..).zip(each).for_each(|(unit, target)| add(on, &failure.effect, vec![target], (number, unit)));
        // What is common to all has the last number, whether that is a failure of all or who of them is down.
        match law {
            Together::Independent => {}
            Together::BetaFactor(_) => add(on, &failure.effect, all.into_iter().collect(), (number, units)),
            Together::Pearson(_) | Together::GaussianCopula(_) => {
                add(on, &failure.effect, Vec::new(), (number, units));
            }
        }
    }
    for (number, (name, domain)) in (spec.failures.len() as u32..).zip(spec.domains.iter()) {
        let luck = streams.luck("failures", name);
        let times = (&domain.every, &domain.r#for);
        sources.push(Source::new(name, (1, None), Together::Independent, times, luck));
        let target = |held: &HeldSpec| {
            let on = &held.on.value;
            match spec.services.index_of(on).filter(|_| !domain.effect.is_network()) {
                Some(service) => {
                    let among = spec.among(service, &held.replicas);
                    let replicas = held.replicas.chosen(among, &format!("{name}/{on}"), streams);
                    Target::Replicas { service: service as u32, replicas }
                }
                None => Target::Edges(edges(on, Ways::Both)),
            }
        };
        add(name, &domain.effect, together(domain.holds.iter().map(target)), (number, 0));
    }
    sources
}

/// What a domain holds, each once, however often it is said.
fn together(targets: impl Iterator<Item = Target>) -> Vec<Target> {
    let mut all: Vec<Target> = Vec::new();
    for one in targets {
        let joined = all.iter_mut().any(|other| match (other, &one) {
            (Target::Replicas { service, replicas }, Target::Replicas { service: of, replicas: more })
                if service == of =>
            {
                replicas.extend(more);
                replicas.sort_unstable();
                replicas.dedup();
                true
            }
            (Target::Edges(edges), Target::Edges(more)) => {
                edges.extend(more.iter().cloned());
                edges.sort_by_key(|(edge, _)| *edge);
                edges.dedup_by_key(|(edge, _)| *edge);
                true
            }
            _ => false,
        });
        if !joined {
            all.push(one);
        }
    }
    all
}
