//! Who needs whom: the machines of each group.

use super::{Domain, Fleet, Groups, Taken};
use sim_core::{Key, Streams, Words};

/// How many machines there are in all.
pub fn machines(fleet: &Fleet) -> u32 {
    match fleet.groups {
        Groups::Cells(cells) => fleet.machines * cells,
        Groups::Shards { .. } => fleet.machines,
    }
}

/// The machines of each group.
pub fn of(fleet: &Fleet, streams: &Streams) -> Vec<Vec<u32>> {
    match fleet.groups {
        Groups::Cells(cells) => {
            (0..cells).map(|cell| (cell * fleet.machines..(cell + 1) * fleet.machines).collect()).collect()
        }
        Groups::Shards { tenants, of } => {
            let mut luck = streams.luck("shard", "fleet");
            let mut all: Vec<u32> = (0..fleet.machines).collect();
            let shards = (0..tenants).map(|tenant| {
                // The beginning of a shuffle.
                let mut words = luck.at(Key::root(0, tenant.into()));
                for place in 0..of {
                    let other = place + words.below(u64::from(fleet.machines - place)) as u32;
                    all.swap(place as usize, other as usize);
                }
                all[..of as usize].to_vec()
            });
            let shards = shards.collect();
            streams.spend("shard", "fleet", luck.used());
            shards
        }
    }
}

/// The machines that a domain takes along.
pub fn taken(fleet: &Fleet, domain: &Domain) -> Vec<u32> {
    let all = 0..machines(fleet);
    match &domain.takes {
        Taken::All => all.collect(),
        Taken::Machines(numbers) => {
            all.filter(|machine| numbers.contains(&(machine % fleet.machines))).collect()
        }
        Taken::Cells(numbers) => {
            all.filter(|machine| numbers.contains(&(machine / fleet.machines))).collect()
        }
    }
}
