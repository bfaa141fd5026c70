use super::*;
use crate::theory::ring_share_cv;

fn circle(seed: u64, replicas: u32, vnodes: u32) -> Arc<Circle> {
    Arc::new(Circle::new(replicas, vnodes, "cache", &Streams::new(seed)))
}

fn state(circle: &Arc<Circle>, replicas: u32, load_factor: Option<f64>) -> ConsistentHash {
    ConsistentHash::new(circle.clone(), By::Key, 0, load_factor, replicas)
}

fn key(key: u32) -> Carried {
    Carried { key: Some(key), ..Carried::default() }
}

fn words() -> sim_core::Stream {
    Streams::new(3).stream("test", "words")
}

/// Where each of so many keys goes.
fn owners(state: &mut ConsistentHash, view: &View, keys: u32) -> Vec<u32> {
    let mut words = words();
    let owners = (0..keys).map(|number| {
        state.look(&key(number));
        state.pick(view, &mut words)
    });
    let owners: Vec<u32> = owners.collect();
    assert_eq!(words.used().draws, 0, "what is known is not drawn");
    owners
}

fn counts(owners: &[u32], replicas: u32) -> Vec<u32> {
    let mut counts = vec![0; replicas as usize];
    owners.iter().for_each(|owner| counts[*owner as usize] += 1);
    counts
}

/// mc_ring_imbalance.csv (nodes, points, mean of the largest share over the mean, and its standard error over 2,000 rings), and the closed
/// form of how much shares vary, over 200 rings of ours.
#[test]
fn shares_are_as_uneven_as_those_of_a_ring() {
    const RINGS: u64 = 200;
    for (nodes, vnodes, max_over_mean, deviation) in [
        (10, 1, 2.93972, 0.799),
        (10, 10, 1.536525, 0.195),
        (10, 100, 1.159217, 0.055),
        (3, 100, 1.086025, 0.0488),
    ] {
        let (mut most, mut squares) = (0.0, 0.0);
        for seed in 0..RINGS {
            let circle = circle(seed, nodes, vnodes);
            // Arcs are known exactly.
            let mut shares = vec![0.0; nodes as usize];
            let mut before = *circle.ring.ends().last().expect("a point");
            for (place, end) in circle.ring.ends().iter().enumerate() {
                shares[circle.ring.owner_at(place) as usize] += end.wrapping_sub(before) as f64;
                before = *end;
            }
            let mean = 18_446_744_073_709_551_616.0 / f64::from(nodes);
            most += shares.iter().fold(0.0, |most: f64, share| most.max(share / mean)) / RINGS as f64;
            let of = |share: &f64| (share / mean - 1.0) * (share / mean - 1.0);
            squares += shares.iter().map(of).sum::<f64>() / f64::from(nodes) / RINGS as f64;
        }
        let error = deviation / (RINGS as f64).sqrt();
        assert!(
            (most - max_over_mean).abs() < 4.0 * error,
            "{nodes} of {vnodes}: {most}, not {max_over_mean}"
        );
        let (found, cv) = (squares.sqrt(), ring_share_cv(nodes, vnodes));
        assert!((found / cv - 1.0).abs() < 0.12, "{nodes} of {vnodes}: {found}, not {cv}");
    }
}

/// Keys are numbers one after another, and spread all the same.
#[test]
fn keys_go_where_their_arc_is() {
    let (circle, view) = (circle(1, 10, 160), View::all(10));
    const KEYS: u32 = 200_000;
    let counted = counts(&owners(&mut state(&circle, 10, None), &view, KEYS), 10);
    let mut shares = vec![0.0; 10];
    let mut before = *circle.ring.ends().last().expect("a point");
    for (place, end) in circle.ring.ends().iter().enumerate() {
        shares[circle.ring.owner_at(place) as usize] +=
            end.wrapping_sub(before) as f64 / 18_446_744_073_709_551_616.0;
        before = *end;
    }
    for (count, share) in counted.iter().zip(&shares) {
        let (mean, error) = (f64::from(KEYS) * share, (f64::from(KEYS) * share * (1.0 - share)).sqrt());
        assert!((f64::from(*count) - mean).abs() < 4.5 * error, "{counted:?}");
    }
    // Whoever else is a client has the same ring.
    let mut other = ConsistentHash::new(circle.clone(), By::Key, 7, None, 10);
    assert_eq!(counts(&owners(&mut other, &view, KEYS), 10), counted);
}

/// consistent_hash.csv: one of ten that leaves moves a tenth, all of it its own; and what it had is back when it is.
#[test]
fn who_leaves_takes_its_own_keys_and_no_others() {
    let (circle, mut view) = (circle(5, 10, 160), View::all(10));
    let mut state = state(&circle, 10, None);
    let before = owners(&mut state, &view, 50_000);
    let mut moved_in_all = 0;
    for gone in 0..10 {
        view.change((0..10).filter(|replica| *replica != gone));
        let without = owners(&mut state, &view, 50_000);
        let moved = before.iter().zip(&without).filter(|(before, after)| before != after);
        moved_in_all += moved.clone().count();
        assert!(moved.clone().all(|(before, after)| *before == gone && *after != gone), "{gone}");
        assert_eq!(moved.count(), before.iter().filter(|owner| **owner == gone).count());
    }
    assert_eq!(moved_in_all, 50_000, "a tenth each, on average");
    view.change(0..10);
    assert_eq!(owners(&mut state, &view, 50_000), before);
}

/// Asked again it is whoever would have the key without the first; and of those that were tried none as long as there is another.
#[test]
fn asked_again_it_goes_on_along_the_ring() {
    let (circle, all) = (circle(2, 5, 160), View::all(5));
    let mut state = state(&circle, 5, None);
    let mut words = words();
    for number in 0..500 {
        state.look(&key(number));
        let (first, second) = (state.pick(&all, &mut words), state.pick(&all, &mut words));
        assert_ne!(first, second);
        let mut without = View::all(5);
        without.change((0..5).filter(|replica| *replica != first));
        state.look(&key(number));
        assert_eq!(state.pick(&without, &mut words), second, "the same ring without it");
        state.look(&key(number));
        let third = state.pick_other(&all, &[first, second], &mut words);
        assert!(third != first && third != second);
        without.change((0..5).filter(|replica| *replica != first && *replica != second));
        state.look(&key(number));
        assert_eq!(state.pick(&without, &mut words), third);
        state.look(&key(number));
        let again = state.pick_other(&all, &[0, 1, 2, 3, 4], &mut words);
        assert_eq!(again, first, "all were tried: whose it is");
    }
    // The only one there is.
    let mut one = View::all(5);
    one.change([3]);
    state.look(&key(1));
    assert_eq!([0; 3].map(|_| state.pick(&one, &mut words)), [3; 3]);
}

/// What says nothing of a key goes anywhere, in the proportion of the arcs.
#[test]
fn without_a_key_chance_decides() {
    let (circle, view) = (circle(1, 4, 1_000), View::all(4));
    let mut state = state(&circle, 4, None);
    let mut words = words();
    let picks: Vec<u32> = (0..8_000)
        .map(|_| {
            state.look(&Carried { tenant: Some(1), ..Carried::default() });
            state.pick(&view, &mut words)
        })
        .collect();
    assert_eq!(words.used().draws, 8_000);
    // A share of a quarter varies by 3 % of itself, and 2,000 of 8,000 by 39.
    assert!(counts(&picks, 4).iter().all(|count| count.abs_diff(2_000) < 4 * 75), "{:?}", counts(&picks, 4));
}

#[test]
fn one_client_or_one_tenant_is_as_one_key() {
    let (circle, view) = (circle(1, 50, 160), View::all(50));
    let mut words = words();
    let mut of = |by, client, carried: Carried| {
        let mut state = ConsistentHash::new(circle.clone(), by, client, None, 50);
        state.look(&carried);
        state.pick(&view, &mut words)
    };
    let carried = |tenant, key| Carried { tenant: Some(tenant), key: Some(key), ..Carried::default() };
    for number in 0..20 {
        let whose = of(By::Key, 0, carried(99, number));
        assert_eq!(of(By::Tenant, 1, carried(number, 98)), whose);
        assert_eq!(of(By::Client, number, carried(97, 96)), whose);
    }
}

/// Nobody has more than `ceil(c (m + 1) / n)` out, whatever is asked for, and whoever has room keeps what is his.
#[test]
fn loads_are_bounded() {
    let (circle, view) = (circle(4, 8, 160), View::all(8));
    for factor in [1.0, 1.1, 1.25, 2.0] {
        let (mut bounded, mut free) = (state(&circle, 8, Some(factor)), state(&circle, 8, None));
        let mut words = words();
        let (mut pending, mut out): ([u32; 8], Vec<u32>) = ([0; 8], Vec::new());
        let mut kept = 0;
        for number in 0..20_000u32 {
            // Half of all are about one key.
            let about = key(if number % 2 == 0 { 7 } else { number });
            bounded.look(&about);
            free.look(&about);
            let (pick, own) = (bounded.pick(&view, &mut words), free.pick(&view, &mut words));
            let most = (factor * (out.len() as f64 + 1.0) / 8.0 - 1e-9).ceil() as u32;
            pending[pick as usize] += 1;
            assert!(pending[pick as usize] <= most, "{factor}: {pending:?} of {}", out.len() + 1);
            assert!(pick == own || pending[own as usize] >= most, "{factor}: it had room");
            kept += u32::from(pick == own);
            bounded.sent(pick);
            out.push(pick);
            while out.len() > 100 || !out.is_empty() && words.below(3) == 0 {
                let ended = out.swap_remove(words.below(out.len() as u64) as usize);
                bounded.ended(ended);
                pending[ended as usize] -= 1;
            }
        }
        assert!(kept > 6_000, "{factor}: {kept}");
    }
    // By hand: eight replicas, one key, factor 1.25. The second attempt makes ceil(1.25 * 2 / 8) = 1, so it goes on.
    let mut state = state(&circle, 8, Some(1.25));
    let mut words = words();
    let mut picks: Vec<u32> = (0..13)
        .map(|_| {
            state.look(&key(1));
            let pick = state.pick(&view, &mut words);
            state.sent(pick);
            pick
        })
        .collect();
    // One each of the first six: ceil(1.25 * 7 / 8) = 2 is for the seventh, which is the first's again.
    assert_eq!(picks[6], picks[0]);
    picks.truncate(6);
    picks.sort_unstable();
    picks.dedup();
    assert_eq!(picks.len(), 6);
}

/// Where an attempt may go to a few only, a replica is full when it has its share of all; and if all of them are, it goes where it would.
#[test]
fn of_a_few_all_may_be_full() {
    let (circle, mut view) = (circle(4, 8, 160), View::passing());
    let mut state = state(&circle, 8, Some(1.0));
    let mut words = words();
    let mut go = |state: &mut ConsistentHash, few: &[u32]| {
        view.pass(few.iter().copied());
        state.look(&key(1));
        let pick = state.pick(&view, &mut words);
        state.sent(pick);
        pick
    };
    // One each makes ceil(1 * 2 / 8) = 1: the other of two, and then the first again, since both are full.
    let picks = [0; 3].map(|_| go(&mut state, &[2, 5]));
    assert!(picks[0] != picks[1] && picks[2] == picks[0], "{picks:?}");
    assert_eq!(go(&mut state, &[7]), 7);
}
