//! From as many of each version as there are to as many as there are to be: one replica at a time is told to start or to stop.
//!
//! Kubernetes' `rolling.go`: whoever is missing starts as long as there are no more than those wanted and the surge; whoever is too many
//! stops as long as enough are available, those first that are not, so that what never becomes ready holds nobody up. Those that are
//! still to become ready are counted as missing already.

/// What is known of the place of a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Whoever is there, or is to be, runs the new version.
    pub new: bool,
    /// It is to be there.
    pub wanted: bool,
    /// Nobody is there, neither starting nor leaving.
    pub gone: bool,
    /// It is ready, and has been for long enough.
    pub available: bool,
    /// Whoever is there may be stopped to make room for the other version, which may start there.
    pub may_change: bool,
    /// Of several places where one may start that of the lowest rank is taken, and of these the first.
    pub rank: u64,
}

/// How many there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// In all.
    pub desired: u32,
    /// Of these, those of the new version.
    pub new: u32,
    /// As many may be wanted beyond that.
    pub surge: u32,
    /// As many may be there, those that leave included.
    pub most: u32,
    /// As many of them may be missing.
    pub unavailable: u32,
    /// Nobody starts before whoever is too many has gone.
    pub one_after_the_other: bool,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A replica starts there: of the new version, or of the old.
    Start { slot: u32, new: bool },
    /// The one that is there stops.
    Stop { slot: u32 },
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Wanted, of the old version and of the new.
    pub wanted: [u32; 2],
    /// And available.
    pub available: [u32; 2],
    /// There, those that leave included.
    pub there: u32,
}

impl Count {
    pub fn of(slots: &[Slot]) -> Self {
        let mut count = Count::default();
        for slot in slots {
            count.there += u32::from(slot.wanted || !slot.gone);
            let version = usize::from(slot.new);
            count.wanted[version] += u32::from(slot.wanted);
            count.available[version] += u32::from(slot.wanted && slot.available);
        }
        count
    }

    fn all(&self) -> u32 {
        self.wanted[0] + self.wanted[1]
    }
}

impl Goal {
    /// How many of the old version and of the new.
    pub fn of_each(&self) -> [u32; 2] {
        let new = self.new.min(self.desired);
        [self.desired - new, new]
    }

    /// Whether it is reached, as far as anybody waits for it: who leaves may still do so.
    pub fn is_reached(&self, count: &Count) -> bool {
        let each = self.of_each();
        count.wanted == each && count.available[0] + count.available[1] == self.desired
    }
}

/// The next thing to be done, if anything can be done now.
pub fn next(slots: &[Slot], goal: &Goal) -> Option<Move> {
    let count = Count::of(slots);
    let each = goal.of_each();
    let missing = (0..2).find(|version| count.wanted[*version] < each[*version]);
    let too_many = (0..2).find(|version| count.wanted[*version] > each[*version]);
    let find = |meant: &dyn Fn(&Slot) -> bool| slots.iter().position(meant).map(|slot| slot as u32);
    let last = |meant: &dyn Fn(&Slot) -> bool| slots.iter().rposition(meant).map(|slot| slot as u32);
    if let Some(version) = too_many {
        let of_it = |slot: &Slot| slot.wanted && slot.new == (version == 1);
        // Fewer are wanted than before, whatever they run.
        if count.all() > goal.desired + goal.surge {
            let slot = last(&|slot| of_it(slot) && !slot.available).or_else(|| last(&of_it));
            return slot.map(|slot| Move::Stop { slot });
        }
        if goal.one_after_the_other {
            let slot = find(&|slot| of_it(slot) && slot.may_change)?;
            return Some(Move::Stop { slot });
        }
        let least = goal.desired.saturating_sub(goal.unavailable);
        let other = 1 - version;
        let unready = count.wanted[other] - count.available[other];
        if count.all() > least + unready {
            let ill = find(&|slot| of_it(slot) && slot.may_change && !slot.available);
            let well = || find(&|slot| of_it(slot) && slot.may_change);
            let may = count.available[0] + count.available[1] > least;
            if let Some(slot) = ill.or_else(|| well().filter(|_| may)) {
                return Some(Move::Stop { slot });
            }
        }
    }
    let version = missing?;
    let leaving = count.there - count.all();
    if goal.one_after_the_other && (too_many.is_some() || leaving > 0) {
        return None;
    }
    if count.there >= goal.most {
        return None;
    }
    let slot = vacant(slots)?;
    Some(Move::Start { slot, new: version == 1 })
}

/// Where the next may start.
pub fn vacant(slots: &[Slot]) -> Option<u32> {
    let all = (0..).zip(slots).filter(|(_, slot)| !slot.wanted && slot.gone && slot.may_change);
    all.min_by_key(|(_, slot)| slot.rank).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `o` and `n`: available, of the old and the new version; `O` and `N`: not available; `x`: leaves; `.`: nobody is there.
    fn slots(text: &str) -> Vec<Slot> {
        let slot = |what: char| Slot {
            new: matches!(what, 'n' | 'N'),
            wanted: what.is_alphabetic() && what != 'x',
            gone: what == '.',
            available: what.is_lowercase() && what != 'x',
            may_change: true,
            rank: 0,
        };
        text.chars().map(slot).collect()
    }

    fn told(found: Option<Move>) -> String {
        match found {
            None => "waits".into(),
            Some(Move::Start { slot, new }) => format!("{}{slot}", if new { "new " } else { "old " }),
            Some(Move::Stop { slot }) => format!("stop {slot}"),
        }
    }

    #[test]
    fn what_is_done_next() {
        let rolling = |desired, new, surge, unavailable| Goal {
            desired,
            new,
            surge,
            most: desired + surge,
            unavailable,
            one_after_the_other: false,
        };
        let recreate = |new| Goal { one_after_the_other: true, ..rolling(4, new, 0, 4) };
        let table = [
            // Four, one more and one less: the first goes, one comes besides.
            ("oooo.", rolling(4, 4, 1, 1), "stop 0"),
            ("xooo.", rolling(4, 4, 1, 1), "new 4"),
            ("xoooN", rolling(4, 4, 1, 1), "waits"),
            // Whoever leaves counts, though there is another place.
            ("xoooN.", rolling(4, 4, 1, 1), "waits"),
            (".oooN", rolling(4, 4, 1, 1), "new 0"),
            ("NoooN", rolling(4, 4, 1, 1), "waits"),
            ("nooox", rolling(4, 4, 1, 1), "stop 1"),
            // One more only: it comes first, and the next goes when it is available.
            ("oooo.", rolling(4, 4, 1, 0), "new 4"),
            ("ooooN", rolling(4, 4, 1, 0), "waits"),
            ("oooon", rolling(4, 4, 1, 0), "stop 0"),
            ("xooon", rolling(4, 4, 1, 0), "waits"),
            // One less only.
            ("oooo", rolling(4, 4, 0, 1), "stop 0"),
            (".ooo", rolling(4, 4, 0, 1), "new 0"),
            ("Nooo", rolling(4, 4, 0, 1), "waits"),
            // One of the old is ill: it goes first, and costs nobody anything.
            ("oOoo.", rolling(4, 4, 1, 1), "stop 1"),
            ("oOoo", rolling(4, 4, 0, 1), "stop 1"),
            // What never becomes ready holds up whoever waits for it, and is first to go when it is taken back.
            ("NoooN", rolling(4, 4, 1, 1), "waits"),
            ("NoooN", rolling(4, 0, 1, 1), "stop 0"),
            (".oooN", rolling(4, 0, 1, 1), "stop 4"),
            (".ooo.", rolling(4, 0, 1, 1), "old 0"),
            // So many and no more.
            ("nooo.", rolling(4, 1, 1, 1), "waits"),
            ("nnnn.", rolling(4, 4, 1, 1), "waits"),
            // More or fewer are wanted.
            ("oooo.", rolling(5, 0, 0, 0), "old 4"),
            // Whoever leaves has its place until it is gone, and no longer.
            ("oxoo.", Goal { most: 5, ..rolling(4, 0, 0, 0) }, "old 4"),
            ("ooooo", rolling(4, 0, 0, 0), "stop 4"),
            ("oOooo", rolling(4, 0, 0, 0), "stop 1"),
            // All go, and when the last is gone all come.
            ("oooo", recreate(4), "stop 0"),
            ("x.o.", recreate(4), "stop 2"),
            ("x...", recreate(4), "waits"),
            ("....", recreate(4), "new 0"),
            ("Nn..", recreate(4), "new 2"),
            // But for one that is missed.
            ("o...", recreate(3), "new 1"),
            ("o..x", recreate(3), "waits"),
        ];
        for (there, goal, expected) in table {
            assert_eq!(told(next(&slots(there), &goal)), expected, "{there} {goal:?}");
        }
    }

    /// Whatever order they become ready in, it comes to an end, no more are there than may be, and no fewer are available.
    #[test]
    fn it_ends_within_its_bounds() {
        for desired in 1..9u32 {
            for (surge, unavailable) in [(0, 1), (1, 0), (1, 1), (3, 2), (desired, desired)] {
                for seed in 0..20u32 {
                    let most = desired + surge;
                    let goal =
                        Goal { desired, new: desired, surge, most, unavailable, one_after_the_other: false };
                    let mut all = vec![
                        Slot { gone: true, may_change: true, ..Slot::default() };
                        (desired + surge) as usize
                    ];
                    all[..desired as usize].iter_mut().for_each(|slot| {
                        (slot.wanted, slot.gone, slot.available) = (true, false, true);
                    });
                    let mut moves = 0;
                    while !goal.is_reached(&Count::of(&all)) {
                        moves += 1;
                        assert!(moves < 10 * (desired + surge) + 10, "{goal:?} has no end: {all:?}");
                        match next(&all, &goal) {
                            Some(Move::Start { slot, new }) => {
                                all[slot as usize] =
                                    Slot { new, wanted: true, may_change: true, ..Slot::default() };
                            }
                            Some(Move::Stop { slot }) => {
                                let slot = &mut all[slot as usize];
                                (slot.wanted, slot.available) = (false, false);
                            }
                            // Somebody becomes ready, or is gone.
                            None => {
                                let busy = (0..all.len())
                                    .filter(|it| !(all[*it].gone || all[*it].wanted && all[*it].available));
                                let busy: Vec<usize> = busy.collect();
                                assert!(!busy.is_empty(), "{goal:?} waits for nobody: {all:?}");
                                let slot = &mut all[busy[(seed + moves) as usize % busy.len()]];
                                (slot.available, slot.gone) = (slot.wanted, !slot.wanted);
                            }
                        }
                        let count = Count::of(&all);
                        assert!(count.there <= desired + surge, "{goal:?}: {all:?}");
                        let available = count.available[0] + count.available[1];
                        assert!(available >= desired.saturating_sub(unavailable), "{goal:?}: {all:?}");
                    }
                }
            }
        }
    }
}
