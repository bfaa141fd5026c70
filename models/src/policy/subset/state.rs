//! Who is known to whom: pure functions of a number and of those that there are.

use super::Subset;
use crate::policy::View;
use sim_core::{Key, Streams, Words, digest};

/// What one client knows by.
#[derive(Clone, Debug)]
pub struct SubsetState {
    rule: Subset,
    /// As many replicas there can be.
    all: u32,
    client: u32,
    salt: u64,
}

/// A number below `below`, the same whenever it is asked for.
#[inline]
fn draw(key: Key, number: u64, below: u32) -> u32 {
    ((u128::from(key.child(number).get()) * u128::from(below)) >> 64) as u32
}

/// In an order of its own (Fisher and Yates).
fn shuffled(mut those: Vec<u32>, key: Key) -> Vec<u32> {
    for place in (1..those.len()).rev() {
        those.swap(place, draw(key, place as u64, place as u32 + 1) as usize);
    }
    those
}

impl Subset {
    /// What makes the subsets of one run others than those of the next: tenants have the same whoever calls the service for them, and
    /// clients are those of an edge.
    pub fn salt(&self, edge: &str, service: &str, streams: &Streams) -> u64 {
        let path = if self.is_of_tenants() { service } else { edge };
        let mut luck = streams.luck("subset", path);
        let salt = luck.at(Key::root(digest::hash_text(path), 0)).next_u64();
        streams.spend("subset", path, luck.used());
        salt
    }
}

impl SubsetState {
    /// That of a client, by its number.
    pub fn new(subset: &Subset, all: u32, client: u32, salt: u64) -> Self {
        SubsetState { rule: subset.clone(), all, client, salt }
    }

    /// Whether it goes by whose a request is, and not by who sends it.
    #[inline]
    pub fn is_of_tenants(&self) -> bool {
        self.rule.is_of_tenants()
    }

    /// The most that the client knows.
    pub fn most(&self) -> u32 {
        if self.is_of_tenants() { self.all } else { self.rule.size().min(self.all) }
    }

    /// Whom the client knows of these; all of them if only tenants make a difference.
    pub fn known(&self, of: &View) -> Vec<u32> {
        let there = || of.members().collect::<Vec<u32>>();
        let size = self.rule.size() as usize;
        match self.rule {
            Subset::Random(_) => {
                // The first of an order of all that there can be: who leaves is replaced, and nobody else moves.
                let order = shuffled((0..self.all).collect(), Key::root(self.salt, self.client.into()));
                order.into_iter().filter(|replica| of.contains(*replica)).take(size).collect()
            }
            Subset::Deterministic(_) => deal(there(), self.client, size, self.salt),
            Subset::Shard(_) | Subset::ShuffleShard(_) => there(),
        }
    }

    /// Whom a tenant has of these.
    pub fn shard(&self, of: &View, tenant: u32, into: &mut Vec<u32>) {
        into.clear();
        let (size, there) = (self.rule.size(), of.size());
        let key = Key::root(self.salt, tenant.into());
        if size >= there {
            return into.extend(of.members());
        }
        if let Subset::Shard(_) = self.rule {
            let groups = there / size;
            let group = draw(key, 0, groups);
            // What is left over when they are divided is shared out.
            let begin = |group: u32| (u64::from(group) * u64::from(there) / u64::from(groups)) as u32;
            return into.extend((begin(group)..begin(group + 1)).map(|place| of.member(place)));
        }
        // The first different ones that are there in an endless list of its own.
        for number in 0.. {
            let replica = draw(key, number, self.all);
            if of.contains(replica) && !into.contains(&replica) {
                into.push(replica);
                if into.len() == size as usize {
                    return;
                }
            }
        }
    }
}

/// The SRE book's `Subset(backends, client_id, subset_size)`: clients are in rounds of as many as there are whole subsets; each round
/// has an order of its own, of which each of its clients has a part.
fn deal(backends: Vec<u32>, client: u32, size: usize, salt: u64) -> Vec<u32> {
    let count = backends.len() / size;
    if count == 0 {
        return backends;
    }
    let (round, own) = (client as usize / count, client as usize % count);
    let order = shuffled(backends, Key::root(salt, round as u64));
    order[own * size..(own + 1) * size].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;
    use crate::theory::shard_overlap;

    fn state(text: &str, all: u32, client: u32) -> SubsetState {
        let subset = read::<Subset>(text).unwrap_or_else(|said| panic!("{said}")).0;
        let salt = subset.salt("a->b", "b", &Streams::new(7));
        SubsetState::new(&subset, all, client, salt)
    }

    fn shard(state: &SubsetState, of: &View, tenant: u32) -> Vec<u32> {
        let mut shard = vec![99];
        state.shard(of, tenant, &mut shard);
        shard
    }

    fn sorted(mut those: Vec<u32>) -> Vec<u32> {
        those.sort_unstable();
        those
    }

    /// The book's example: 12 backends and 10 clients that know 3 of them: rounds of 4, each of which has everybody once, so that each
    /// backend has 2 or 3 clients; and rounds have orders of their own.
    #[test]
    fn each_round_deals_out_all() {
        let view = View::all(12);
        let known: Vec<Vec<u32>> =
            (0..10).map(|client| state("Deterministic(3)", 12, client).known(&view)).collect();
        for round in known.chunks_exact(4) {
            assert_eq!(sorted(round.concat()), (0..12).collect::<Vec<u32>>(), "{round:?}");
        }
        let mut clients = [0; 12];
        known.iter().flatten().for_each(|replica| clients[*replica as usize] += 1);
        assert!(clients.iter().all(|count| (2..=3).contains(count)), "{clients:?}");
        assert_ne!(known[0], known[4], "another round, another order");
        // 300 backends, 300 clients, 30 of them each, as in the book: 30 rounds, and each has 30 clients.
        let (view, mut clients) = (View::all(300), [0; 300]);
        (0..300)
            .flat_map(|client| state("Deterministic(30)", 300, client).known(&view))
            .for_each(|replica| clients[replica as usize] += 1);
        assert!(clients.iter().all(|count| *count == 30));
        // What does not divide is left over, others in each round; and who wants more than there are has all.
        let of_five: Vec<u32> =
            (0..400).flat_map(|client| state("Deterministic(2)", 5, client).known(&View::all(5))).collect();
        for replica in 0..5 {
            let count = of_five.iter().filter(|known| **known == replica).count();
            // Of 200 rounds each is left over in a fifth: sd 5.7.
            assert!(count.abs_diff(160) < 25, "{replica}: {count}");
        }
        assert_eq!(sorted(state("Deterministic(9)", 5, 3).known(&View::all(5))), [0, 1, 2, 3, 4]);
    }

    /// As many of each as chance has it: 300 clients know 30 of 300 each, and a replica 30 clients, give or take 5.2.
    #[test]
    fn by_chance_some_are_known_to_more() {
        let (view, mut clients) = (View::all(300), [0i64; 300]);
        for client in 0..300 {
            let known = state("Random(30)", 300, client).known(&view);
            let mut different = sorted(known.clone());
            different.dedup();
            assert_eq!(different.len(), 30);
            known.iter().for_each(|replica| clients[*replica as usize] += 1);
        }
        let variance = clients.iter().map(|count| (count - 30) * (count - 30)).sum::<i64>() as f64 / 300.0;
        // 27, and a variance of 300 varies by 8 %.
        assert!((variance / 27.0 - 1.0).abs() < 0.33, "{variance}");
    }

    /// Of those who knew it each has another instead, and all else stays.
    #[test]
    fn who_leaves_is_replaced() {
        let (all, mut view) = (View::all(20), View::all(20));
        view.change((0..20).filter(|replica| *replica != 4));
        let tenants = state("ShuffleShard(3)", 20, 0);
        for number in 0..200 {
            let client = state("Random(3)", 20, number);
            for (before, after) in [
                (client.known(&all), client.known(&view)),
                (shard(&tenants, &all, number), shard(&tenants, &view, number)),
            ] {
                assert!(after.len() == 3 && !after.contains(&4));
                let stay =
                    before.iter().filter(|replica| **replica != 4).all(|replica| after.contains(replica));
                assert!(stay, "{before:?} and {after:?}");
            }
        }
    }

    /// shuffle_sharding.csv: of two tenants 0, 1 or 2 of 2 of 8 are in both with 15, 12 and 1 of 28; 4 of 16 likewise; and by groups
    /// all or none.
    #[test]
    fn shards_have_in_common_what_chance_has_it() {
        const TENANTS: u32 = 40_000;
        for (text, all, size) in
            [("ShuffleShard(2)", 8, 2), ("ShuffleShard(4)", 16, 4), ("ShuffleShard(5)", 6, 5)]
        {
            let (state, view) = (state(text, all, 0), View::all(all));
            let first = shard(&state, &view, 0);
            let mut overlaps = vec![0u32; size as usize + 1];
            let mut of_each = vec![0u32; all as usize];
            for tenant in 1..=TENANTS {
                let other = shard(&state, &view, tenant);
                assert_eq!(other, shard(&state, &view, tenant), "whenever it is asked for");
                overlaps[other.iter().filter(|replica| first.contains(replica)).count()] += 1;
                other.iter().for_each(|replica| of_each[*replica as usize] += 1);
            }
            let near = |count: u32, p: f64| {
                let (n, mean) = (f64::from(TENANTS), f64::from(TENANTS) * p);
                (f64::from(count) - mean).abs() <= 4.0 * (n * p * (1.0 - p)).sqrt()
            };
            for (common, count) in (0..).zip(&overlaps) {
                assert!(near(*count, shard_overlap(all, size, common)), "{text}: {common} with {count}");
            }
            let share = f64::from(size) / f64::from(all);
            assert!(of_each.iter().all(|count| near(*count, share)), "{text}: {of_each:?}");
        }
        // Eleven in groups of two: five groups, of which one has three.
        let (state, view) = (state("Shard(2)", 11, 0), View::all(11));
        let mut groups: Vec<Vec<u32>> = (0..1_000).map(|tenant| shard(&state, &view, tenant)).collect();
        groups.sort();
        groups.dedup();
        assert_eq!((groups.len(), groups.concat()), (5, (0..11).collect()));
    }

    /// A tenant has the same whoever calls the service for him; a client is one of its edge.
    #[test]
    fn tenants_are_those_of_a_service_and_clients_those_of_an_edge() {
        for (text, same) in
            [("ShuffleShard(2)", true), ("Shard(2)", true), ("Random(2)", false), ("Deterministic(2)", false)]
        {
            let subset = read::<Subset>(text).unwrap().0;
            let salt = |edge, service, seed| subset.salt(edge, service, &Streams::new(seed));
            assert_eq!(salt("a->b", "b", 7) == salt("c->b", "b", 7), same, "{text}");
            assert!(
                salt("a->b", "b", 7) != salt("a->b", "b", 8) && salt("a->b", "b", 7) != salt("a->d", "d", 7)
            );
        }
    }

    #[test]
    fn who_wants_more_than_there_are_has_all() {
        let mut view = View::all(9);
        view.change([7, 2]);
        for text in ["ShuffleShard(2)", "ShuffleShard(5)", "Shard(2)", "Shard(3)"] {
            assert_eq!(shard(&state(text, 9, 0), &view, 5), [7, 2], "{text}");
        }
        assert_eq!(sorted(state("Random(3)", 9, 1).known(&view)), [2, 7]);
        assert_eq!(state("Shard(1)", 9, 1).known(&view), [7, 2], "who is of no tenant");
    }
}
