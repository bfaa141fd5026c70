//! Which of a replica's requests a fault strikes, where it is not all of them: those of some workloads, reads or writes, some tenants, some keys.
//!
//! One table is locked, one tenant's index is corrupt, one partition of many is on a bad disk: most of what a replica does goes well, whoever checks it asks for
//! something else, and no mean shows it. What a request is goes down with all that is called for it (see [`Carried`](crate::carried::Carried)), so that of two
//! services behind one another the second can tell whose a request is as well as the first; and a key that is struck is struck each time.
//!
//! Requests of nobody's (health checks and probes, calls that a replica makes when it starts) are never among them: nobody who checks looks at that table.
//!
//! A replica keeps what strikes some in the same set as what strikes all ([`ActiveSet`](super::ActiveSet)). The whole set is asked of one request only while something in
//! it strikes some: nobody else pays for it.

use super::pages;
use crate::carried::Carried;
use crate::experiment::{Decoder, Node, Spanned};
use crate::policy::page::Page;
use crate::policy::part::{Does, Part};
use crate::words::percent;
use crate::workload::Only;
use sim_core::{Key, Streams, Words};

spec! {
    /// Some of the requests of a replica: those of which everything holds that is said here.
    pub struct Requests where check {
        /// Names of the workloads whose requests are struck, whichever service makes the call for them; empty means all.
        only_from: Vec<Spanned<String>> = Vec::new(),
        /// Whether only reads are struck, or only writes; both if absent.
        only: Option<Only> = None,
        /// Names of the tenants whose requests are struck; those that are numbered are called "1", "2" .., as in the report. Empty means all.
        tenants: Vec<Spanned<String>> = Vec::new(),
        /// Which keys they are about; any, or none at all, if absent.
        keys: Option<SomeKeys> = None,
    }
}

spec! {
    /// Which of the keys.
    pub enum SomeKeys {
        /// Those with these numbers, from 0, the most wanted first.
        Only(numbers: Vec<u32>),
        /// A share of the keys (which may be another share of the requests), rounded to the nearest whole number, at least one: which ones is
        /// drawn, once for the whole run. Of more than a million keys each is drawn for itself.
        Fraction(share: f64; 0.0..=1.0),
    }
}

fn check(requests: &Requests, at: &Node, cx: &mut Decoder) {
    let Requests { only_from, only, tenants, keys } = requests;
    if only_from.is_empty() && only.is_none() && tenants.is_empty() && keys.is_none() {
        cx.warn(at.span, "all requests are struck: nothing is said of which")
            .help("leave it out, or say which: only_from, only, tenants, keys");
    }
    if matches!(keys, Some(SomeKeys::Only(numbers)) if numbers.is_empty()) {
        cx.error(at.span_of("keys"), "no key is struck").help("list at least one, or leave `keys` out");
    }
}

impl Requests {
    /// Resolved: by the numbers of workloads and of tenants, and of so many keys.
    pub fn chosen(
        &self,
        workload: impl Fn(&str) -> Option<u32>,
        tenant: impl Fn(&str) -> Option<u32>,
        keys: u32,
        (path, streams): (&str, &Streams),
    ) -> Picked {
        let mut tenants: Vec<u32> = self.tenants.iter().filter_map(|name| tenant(&name.value)).collect();
        tenants.sort_unstable();
        Picked {
            workloads: self.only_from.iter().filter_map(|name| workload(&name.value)).collect(),
            only: self.only,
            tenants,
            keys: self.keys.as_ref().map(|some| some.chosen(keys, path, streams)),
        }
    }
}

/// Of more nobody looks who is whose number: a share of them is what it is to a part in a thousand.
const MOST_LISTED: u32 = 1_000_000;

impl SomeKeys {
    fn chosen(&self, count: u32, path: &str, streams: &Streams) -> PickedKeys {
        match self {
            SomeKeys::Only(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                PickedKeys::These(numbers)
            }
            SomeKeys::Fraction(share) => {
                let mut luck = streams.luck("struck keys", path);
                let salt = luck.at(Key::root(0, 0)).next_u64();
                streams.spend("struck keys", path, luck.used());
                let mut places: Vec<u64> = match count {
                    0..=MOST_LISTED => (0..count).map(|key| place(salt, key)).collect(),
                    _ => Vec::new(),
                };
                let struck = ((share * f64::from(count)).round() as usize).max(1);
                let most = match places.is_empty() {
                    false => *places.select_nth_unstable(struck - 1).1,
                    true => (share * u64::MAX as f64) as u64,
                };
                PickedKeys::UpTo { salt, most }
            }
        }
    }
}

/// Where a key stands among all, in an order that is drawn.
fn place(salt: u64, key: u32) -> u64 {
    Key::root(salt, u64::from(key)).child(1).get()
}

/// What is known of one request.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The number of the workload that it is made for, if it is for any.
    pub workload: Option<u32>,
    /// What it carries.
    pub carried: Carried,
}

/// Some requests, by numbers.
#[derive(Clone, Debug)]
pub struct Picked {
    /// Of these workloads; of all if there are none.
    workloads: Vec<u32>,
    only: Option<Only>,
    /// Of these tenants, in order; of all if there are none.
    tenants: Vec<u32>,
    keys: Option<PickedKeys>,
}

#[derive(Clone, Debug)]
enum PickedKeys {
    /// In order.
    These(Vec<u32>),
    /// Those that stand up to here.
    UpTo { salt: u64, most: u64 },
}

impl Picked {
    /// Whether a request is one of them.
    pub fn has(&self, asked: &Asked) -> bool {
        let Asked { workload, carried } = asked;
        let Some(workload) = workload else { return false };
        (self.workloads.is_empty() || self.workloads.contains(workload))
            && self.only.is_none_or(|only| only.has(carried.writes))
            && (self.tenants.is_empty()
                || carried.tenant.is_some_and(|one| self.tenants.binary_search(&one).is_ok()))
            && self.keys.as_ref().is_none_or(|keys| carried.key.is_some_and(|key| keys.has(key)))
    }
}

impl PickedKeys {
    fn has(&self, key: u32) -> bool {
        match self {
            PickedKeys::These(numbers) => numbers.binary_search(&key).is_ok(),
            PickedKeys::UpTo { salt, most } => place(*salt, key) <= *most,
        }
    }
}

impl Part for Requests {
    fn does(&self) -> Does {
        Does::VARIES
    }

    fn brief(&self) -> Option<String> {
        let names = |names: &[Spanned<String>]| {
            let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let keys = self.keys.as_ref().map(|keys| match keys {
            SomeKeys::Only(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                format!("about keys {}", numbers.join(", "))
            }
            SomeKeys::Fraction(share) => format!("about {} of the keys", percent(*share)),
        });
        let all = [
            names(&self.only_from).map(|names| format!("from {names}")),
            names(&self.tenants).map(|names| format!("of tenants {names}")),
            keys,
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        let what = match self.only {
            Some(Only::Reads) => "only reads",
            Some(Only::Writes) => "only writes",
            None if all.is_empty() => return None,
            None => "only requests",
        };
        Some(std::iter::once(what.to_owned()).chain(all).collect::<Vec<_>>().join(" "))
    }

    fn about() -> &'static [Page] {
        pages::REQUESTS
    }

    fn samples() -> &'static [&'static str] {
        &[
            "(only: Reads)",
            "(keys: Only([0]))",
            "(keys: Fraction(0.25))",
            "(only: Writes, keys: Fraction(0.5))",
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::read;

    fn picked(text: &str, keys: u32) -> Picked {
        let requests = read::<Requests>(text).unwrap_or_else(|said| panic!("{said}")).0;
        let number = |names: &'static [&str]| {
            move |name: &str| names.iter().position(|it| *it == name).map(|it| it as u32)
        };
        requests.chosen(number(&["web", "batch"]), number(&["a", "b", "c"]), keys, ("0", &Streams::new(1)))
    }

    #[test]
    fn a_request_is_struck_of_which_all_holds_that_is_said() {
        let of = |workload, writes, tenant, key| Asked {
            workload,
            carried: Carried { writes, tenant, key, ..Carried::default() },
        };
        let plain = of(Some(0), false, None, None);
        let (web, batch) = (of(Some(0), true, Some(2), Some(7)), of(Some(1), false, Some(1), Some(8)));
        let nobodys = of(None, false, None, None);
        // (what is said, and of the four of them who is struck)
        let table = [
            ("()", [true, true, true, false]),
            (r#"(only_from: ["web"])"#, [true, true, false, false]),
            (r#"(only_from: ["batch", "web"])"#, [true, true, true, false]),
            ("(only: Reads)", [true, false, true, false]),
            ("(only: Writes)", [false, true, false, false]),
            (r#"(tenants: ["c", "a"])"#, [false, true, false, false]),
            (r#"(tenants: ["c", "b"])"#, [false, true, true, false]),
            ("(keys: Only([9, 7]))", [false, true, false, false]),
            ("(keys: Fraction(1))", [false, true, true, false]),
            (r#"(keys: Only([7]), only: Reads)"#, [false; 4]),
            (r#"(only_from: ["web"], tenants: ["b"])"#, [false; 4]),
        ];
        for (text, struck) in table {
            let picked = picked(text, 10);
            assert_eq!([plain, web, batch, nobodys].map(|asked| picked.has(&asked)), struck, "{text}");
        }
    }

    #[test]
    fn a_share_of_the_keys_is_as_many_and_always_the_same() {
        let struck = |picked: &Picked, keys: u32| {
            let has = |key: &u32| {
                let carried = Carried { key: Some(*key), ..Carried::default() };
                picked.has(&Asked { workload: Some(0), carried })
            };
            (0..keys).filter(has).collect::<Vec<u32>>()
        };
        for (share, keys, count) in [
            (0.0, 10, 1),
            (0.1, 10, 1),
            (0.25, 10, 3),
            (0.24, 10, 2),
            (1.0, 10, 10),
            (0.1, 100_000, 10_000),
            (0.5, 1, 1),
        ] {
            let picked = picked(&format!("(keys: Fraction({share}))"), keys);
            let found = struck(&picked, keys);
            assert_eq!(found.len(), count, "{share} of {keys}");
            assert_eq!(found, struck(&picked, keys));
        }
        // Which they are has nothing to do with how often they are wanted: of the first thousand a tenth as well (sd 9.5).
        let first = struck(&picked("(keys: Fraction(0.1))", 100_000), 1_000).len();
        assert!(first.abs_diff(100) < 38, "{first}");
        // Of more than a million each for itself.
        let many = struck(&picked("(keys: Fraction(0.1))", 3_000_000), 100_000).len();
        assert!(many.abs_diff(10_000) < 380, "{many}");
    }

    #[test]
    fn it_is_said_in_a_few_words() {
        for (text, said) in [
            ("()", None),
            (r#"(only_from: ["web", "batch"])"#, Some("only requests from web, batch")),
            (r#"(only: Writes, tenants: ["a"])"#, Some("only writes of tenants a")),
            ("(only: Reads, keys: Only([0, 3]))", Some("only reads about keys 0, 3")),
            ("(keys: Fraction(0.1))", Some("only requests about 10 % of the keys")),
        ] {
            assert_eq!(read::<Requests>(text).expect("sound").0.brief().as_deref(), said, "{text}");
        }
    }
}
