//! What theory says of a fleet in the long run.

use super::groups::{machines, of, taken};
use super::{Domain, Fleet, Groups};
use crate::distribution::TimeDistribution;
use crate::theory::{binomial_pmf, choose};
use sim_core::Streams;
use std::collections::BTreeMap;

/// What is known before anything runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// The share of time in which a group is up, on average over groups.
    pub availability: f64,
    /// The same if each machine failed as often as it does, and for reasons of its own.
    pub independent: f64,
    /// All groups are; `None` where they share machines.
    pub all_up: Option<f64>,
    /// Any machine is down.
    pub any_machine_down: f64,
    /// Where it comes from.
    pub source: &'static str,
}

/// The share of time in which something is up that is up and down in turn.
pub fn up(fails: &TimeDistribution, repair: &TimeDistribution) -> f64 {
    let (up, down) = (fails.nanos.mean(), repair.nanos.mean());
    up / (up + down)
}

/// How much a cycle must vary, over its mean, so that machines that all begin as new do not fail in step for ever.
const SPREAD: f64 = 0.25;

/// Whether what is up and down in turn forgets when it began.
pub fn is_spread(fails: &TimeDistribution, repair: &TimeDistribution) -> bool {
    let variance = fails.nanos.variance() + repair.nanos.variance();
    variance.sqrt() >= SPREAD * (fails.nanos.mean() + repair.nanos.mean())
}

/// The law of a fleet; `None` where there is none: a take-over takes time, too few repair what does not fail at random, or all fail in step since their times hardly vary.
pub fn law(fleet: &Fleet, seed: u64) -> Option<Law> {
    let cycles = fleet.domains.values().map(|domain| (&domain.fails, &domain.repair));
    let in_step = |(fails, repair): (&TimeDistribution, &TimeDistribution)| !is_spread(fails, repair);
    if fleet.failover.is_some() || cycles.chain([(&fleet.fails, &fleet.repair)]).any(in_step) {
        return None;
    }
    let all = of(fleet, &Streams::new(seed));
    match fleet.crews {
        Some(crews) if crews < machines(fleet) => few_crews(fleet, crews, &all),
        _ => Some(cases(fleet, &all)),
    }
}

/// Sums over which domains are down: within each case machines fail independently.
fn cases(fleet: &Fleet, all: &[Vec<u32>]) -> Law {
    let domains: Vec<&Domain> = fleet.domains.values().collect();
    let mut mask = vec![0u16; machines(fleet) as usize];
    for (bit, domain) in domains.iter().enumerate() {
        taken(fleet, domain).iter().for_each(|machine| mask[*machine as usize] |= 1 << bit);
    }
    // Groups whose machines stand on the same domains are alike.
    let mut alike: BTreeMap<Vec<u16>, u32> = BTreeMap::new();
    for group in all {
        let mut masks: Vec<u16> = group.iter().map(|machine| mask[*machine as usize]).collect();
        masks.sort_unstable();
        *alike.entry(masks).or_default() += 1;
    }
    let a = up(&fleet.fails, &fleet.repair);
    let up_of: Vec<f64> = domains.iter().map(|domain| up(&domain.fails, &domain.repair)).collect();
    let enough: Vec<f64> = (0..=fleet.machines).map(|n| at_least(fleet.needs, n, a)).collect();
    let share_machines = matches!(fleet.groups, Groups::Shards { .. }) && all.len() > 1;
    let (mut availability, mut all_up, mut no_machine_down) = (0.0, 0.0, 0.0);
    for case in 0..1u16 << domains.len() {
        let is_down = |bit: usize| case >> bit & 1 == 1;
        let p: f64 =
            up_of.iter().enumerate().map(|(bit, up)| if is_down(bit) { 1.0 - up } else { *up }).product();
        let mut together = 1.0;
        for (masks, count) in &alike {
            let left = masks.iter().filter(|mask| *mask & case == 0).count();
            availability += p * enough[left] * f64::from(*count) / all.len() as f64;
            together *= sim_core::math::powi(enough[left], *count);
        }
        all_up += p * together;
        if mask.iter().all(|mask| mask & case == 0) {
            no_machine_down += p * sim_core::math::powi(a, mask.len() as u32);
        }
    }
    let alone = |mask: u16| {
        let stands_on = up_of.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
        a * stands_on.map(|(_, up)| up).product::<f64>()
    };
    let apart = |masks: &Vec<u16>| some_of(fleet.needs as usize, masks.iter().map(|mask| alone(*mask)));
    let independent =
        alike.iter().map(|(masks, count)| apart(masks) * f64::from(*count) / all.len() as f64).sum();
    Law {
        availability,
        independent,
        all_up: (!share_machines).then_some(all_up),
        any_machine_down: 1.0 - no_machine_down,
        source: if domains.is_empty() {
            "k of n: a binomial tail of mttf / (mttf + mttr)"
        } else {
            "summed over which domains are down: k of the others"
        },
    }
}

/// Machine repair: how many are down is a chain of births and deaths, and whose they are is equally likely.
fn few_crews(fleet: &Fleet, crews: u32, all: &[Vec<u32>]) -> Option<Law> {
    if !fleet.fails.is_exponential() || !fleet.repair.is_exponential() || !fleet.domains.is_empty() {
        return None;
    }
    let n = machines(fleet);
    if n > 1_000 {
        // There are more ways to choose than a number can hold.
        return None;
    }
    let rho = fleet.repair.nanos.mean() / fleet.fails.nanos.mean();
    let mut weights = vec![1.0];
    for down in 1..=n {
        let last: f64 = weights[down as usize - 1];
        weights.push(last * f64::from(n - down + 1) * rho / f64::from(down.min(crews)));
        if weights[down as usize] > 1e200 {
            // What counts is how they compare.
            weights.iter_mut().for_each(|weight| *weight /= 1e200);
        }
    }
    let total: f64 = weights.iter().sum();
    let size = all[0].len() as u32;
    // Of `size` machines, none of which is another's, those that are up when so many of all are down.
    let enough =
        |down: u32| -> f64 { (fleet.needs..=size).map(|up| hypergeometric(n, n - down, size, up)).sum() };
    let mean =
        |of: &dyn Fn(u32) -> f64| (0..=n).map(|down| weights[down as usize] * of(down)).sum::<f64>() / total;
    let availability = mean(&enough);
    let alone = mean(&|down| 1.0 - f64::from(down) / f64::from(n));
    Some(Law {
        availability,
        independent: at_least(fleet.needs, size, alone),
        all_up: (all.len() == 1).then_some(availability),
        any_machine_down: 1.0 - weights[0] / total,
        source: "machine repair: a birth-death chain of those that are down",
    })
}

/// Of `n` things of which `marked` are, `drawn` are taken: the chance that `k` of them are marked.
fn hypergeometric(n: u32, marked: u32, drawn: u32, k: u32) -> f64 {
    if k > marked || drawn - k > n - marked {
        return 0.0;
    }
    choose(marked, k) * choose(n - marked, drawn - k) / choose(n, drawn)
}

/// At least `needs` of `n`, each with chance `p`: summed from the side that is less likely, so that many nines are not lost.
fn at_least(needs: u32, n: u32, p: f64) -> f64 {
    1.0 - too_few(needs, n, p)
}

fn too_few(needs: u32, n: u32, p: f64) -> f64 {
    (0..needs.min(n + 1)).map(|k| binomial_pmf(n, k, p)).sum()
}

/// At least `needs` of independent things that are each there with a chance of its own.
fn some_of(needs: usize, chances: impl Iterator<Item = f64>) -> f64 {
    let mut there = vec![1.0];
    for p in chances {
        there.push(0.0);
        for k in (0..there.len()).rev() {
            there[k] = there[k] * (1.0 - p) + if k > 0 { there[k - 1] * p } else { 0.0 };
        }
    }
    there.iter().skip(needs).sum()
}

/// What `explain` says.
pub fn notes(fleet: &Fleet) -> Vec<String> {
    let share = super::summary::in_nines;
    let mut notes =
        vec![format!("a machine alone is up {} of the time", share(up(&fleet.fails, &fleet.repair)))];
    for (name, domain) in fleet.domains.iter() {
        notes.push(format!(
            "{name} is up {} of the time, and takes {} of {} machines along",
            share(up(&domain.fails, &domain.repair)),
            taken(fleet, domain).len(),
            machines(fleet)
        ));
    }
    match law(fleet, 1) {
        Some(law) => {
            notes.push(format!(
                "{} of {} machines are up {} of the time; if each failed for reasons of its own it would be {}",
                fleet.needs,
                match &fleet.groups {
                    Groups::Cells(_) => fleet.machines,
                    Groups::Shards { of, .. } => *of,
                },
                share(law.availability),
                share(law.independent)
            ));
        }
        None => notes.push("no closed form here says how long it is up: it is simulated".into()),
    }
    notes
}
