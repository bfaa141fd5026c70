//! Answers that are kept, by key, so that what made them need not be asked again: a cache in front of what a service calls.
//!
//! A request does the service's own work first, which is the look-up. If what it asks for is kept, it is answered with that and makes no
//! calls; if not, it makes them, and what comes back well is kept for whoever asks next. So how many find something is nobody's setting:
//! it comes of which keys are asked for how often ([`keys`](crate::workload::Keys)), of how much there is room for, and of how long it
//! is good. A request without a key is about the one thing that all of those are about. Tiers are services with caches, one before
//! the other.
//!
//! *Room*: whoever was asked for longest ago goes when another comes (LRU, as groupcache, Guava's and memcached's). *Time*: a value is good
//! for its ttl from when it was stored, however often it is asked for; when that is over it keeps its place until it is fetched
//! again, or evicted. With a `jitter` each ttl is drawn, so that what was stored together does not end together. *Errors*
//! may be kept as well, for a time of their own (negative caching, RFC 2308): whoever asks is told that it failed, and the callee has
//! peace.
//!
//! *Whose*: each replica has its own memory, and a restart finds it empty; or all replicas have one store, which a restart leaves as it
//! is. That store is never down and takes no time: one that can be is a service of its own.
//!
//! While a fetch is out, everybody else who asks goes out as well, unless something keeps him: a key that is asked for `λ` times a second
//! and takes `δ` to fetch is fetched `1 + λ δ` times each time it ends (a stampede). What helps:
//!
//! - *single flight* (Go's `x/sync/singleflight`): of the requests of one process one goes, and the others wait for what it comes back
//!   with, whatever that is: its error is everybody's, and so is it when the one who went is called off. Each replica has a flight of its own.
//! - *leases* (Nishtala et al., memcache at Facebook): whoever looks first may fetch, the others look again after a while, or are
//!   answered with what is too old. The store gives them out, so with `per: Service` one of all replicas goes. One who fails gives it back; one who
//!   dies keeps it until `hold` is over, and if he takes longer what he brings is not stored.
//! - *stale while revalidate* (RFC 5861): for so long what is too old is still the answer, and one request fetches the next in the
//!   background, as work for whoever comes. *Stale if error*: it is the answer where a fetch has failed.
//! - *XFetch* (Vattani, Chierichetti and Lowenstein 2015): whoever finds a good value may fetch the next, sooner the longer that takes: if `now -
//!   took * beta * ln(u) >= until`, `u` drawn for each request. For a key that is asked for often it is fetched `e^(1/beta)` times.
//!
//! A fetch goes on when its caller has given up, and is kept all the same: its work is for whoever asks next.
//!
//! What something stood in for (a `fallback`) is not kept: it is not the answer. An answer without an `optional` call is.
//!
//! - [`store`]: what is kept; [`index`]: where of which key. [`look_up`]: a request looks, and comes back with an answer. [`flights`]: who is
//!   out, and who waits for it. [`fetch`]: what becomes of requests meanwhile.

mod fetch;
mod flights;
mod forget;
pub mod index;
mod look_up;
mod store;

use super::queue::Capacity;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Fetched, Keeps, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::slab::Beside;
use crate::service_graph::spec::ServiceSpec;
use flights::Flights;
use look_up::Errand;
pub use look_up::Found;
use sim_core::{Luck, SimDuration, StreamUse, Streams};
use store::Store;

spec! {
    /// Answers that a service keeps, by key: a request whose key is kept makes no calls.
    pub struct Cache where check {
        /// Answers in each: one more, and the one that was asked for longest ago goes. `Unbounded` keeps all.
        capacity: Capacity,
        /// How long an answer is good, from when it was stored; for ever if absent.
        ttl: Option<SimDuration> = None; POSITIVE,
        /// By which share of it each ttl is shorter or longer at the most, drawn for each.
        jitter: f64 = 0.0; 0.0..=1.0,
        /// How long an error is kept, and answered with; not at all if absent.
        negative_ttl: Option<SimDuration> = None; POSITIVE,
        /// Whose it is.
        per: Holder = Holder::Replica,
        /// Who goes out for what is not there.
        on_miss: OnMiss = OnMiss::Fetch,
        /// For how long after its time an answer is still given, while one request fetches the next in the background.
        stale_while_revalidate: Option<SimDuration> = None; POSITIVE,
        /// For how long after its time an answer is given where the fetch of the next has failed.
        stale_if_error: Option<SimDuration> = None; POSITIVE,
        /// Whether some requests fetch what is still good, before its time is over.
        early: Option<Early> = None,
    }
}

spec! {
    /// Who goes out for what is not there, or not good any more.
    #[derive(Copy, PartialEq, Eq)]
    pub enum OnMiss {
        /// Everybody.
        Fetch,
        /// The first of each replica; the others wait for what it comes back with, an error included.
        SingleFlight,
        /// Whoever has the lease, one for each key of each cache.
        Lease {
            /// After how long the others look again.
            wait: SimDuration = SimDuration::from_millis(10); POSITIVE,
            /// When another may have it, if whoever has it is not back.
            hold: SimDuration = SimDuration::from_secs(10); POSITIVE,
            /// For how long after its time the others are given an answer, instead of waiting; not at all if absent.
            stale: Option<SimDuration> = None; POSITIVE,
        },
    }
}

spec! {
    /// Who fetches what is still good.
    #[derive(Copy, PartialEq)]
    pub enum Early {
        /// By luck, sooner the longer a fetch takes.
        XFetch {
            /// How much sooner: more than 1 is more careful.
            beta: f64 = 1.0; 0.001..=1000.0,
        },
    }
}

spec! {
    /// Whose a cache is.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Holder {
        /// Each replica has its own, in its memory: a restart finds it empty.
        Replica,
        /// All replicas have one, outside of them: nothing empties it.
        Service,
    }
}

/// What can be seen without the calls that it is for.
fn check(cache: &Cache, at: &Node, cx: &mut Decoder) {
    if cache.capacity == Capacity::Bounded(0) {
        cx.at("capacity", |cx| {
            cx.error(at.span_of("capacity"), "there is room for nothing")
                .help("at least 1; or leave `cache` out");
        });
    }
    if cache.jitter > 0.0 && cache.ttl.is_none() && cache.negative_ttl.is_none() {
        cx.at("jitter", |cx| {
            cx.warn(at.span_of("jitter"), "nothing here has a time that could be shorter or longer")
                .help("a `ttl`, such as \"60s\"; or leave `jitter` out");
        });
    }
    let lease_stale = match cache.on_miss {
        OnMiss::Lease { stale, .. } => stale,
        OnMiss::Fetch | OnMiss::SingleFlight => None,
    };
    let after = [
        ("stale_while_revalidate", cache.stale_while_revalidate.is_some()),
        ("stale_if_error", cache.stale_if_error.is_some()),
        ("on_miss", lease_stale.is_some()),
        ("early", cache.early.is_some()),
    ];
    for (field, _) in after.into_iter().filter(|(_, said)| *said && cache.ttl.is_none()) {
        cx.at(field, |cx| {
            cx.warn(at.span_of(field), "an answer is good for ever here: none is ever too old, or nearly")
                .help("give the cache a `ttl`");
        });
    }
    let before = cache.stale_while_revalidate.unwrap_or_default();
    for (field, limit) in [("stale_if_error", cache.stale_if_error), ("on_miss", lease_stale)] {
        if limit.is_some_and(|limit| limit <= before) {
            cx.at(field, |cx| {
                cx.warn(
                    at.span_of(field),
                    "until then `stale_while_revalidate` answers, and nobody waits for a fetch",
                )
                .help("a longer time than that");
            });
        }
    }
}

/// And with them.
pub fn check_service(service: &ServiceSpec, at: &Node, cx: &mut Decoder) {
    if service.cache.is_some() && service.calls.is_empty() {
        cx.at("cache", |cx| {
            cx.warn(at.span_of("cache"), "this service calls nobody: an answer that is kept saves nothing")
                .help("what is worth keeping comes from `calls`; own work is done for each request, kept or not");
        });
    }
}

impl Cache {
    /// Answers in each.
    fn most(&self) -> u32 {
        match self.capacity {
            Capacity::Bounded(most) => most,
            Capacity::Unbounded => u32::MAX,
        }
    }

    /// So many caches are there of a service with so many replicas.
    fn count(&self, replicas: u32) -> u32 {
        if self.per == Holder::Service { 1 } else { replicas }
    }
}

impl Part for Cache {
    fn does(&self) -> Does {
        Does::ANSWERS
    }

    fn brief(&self) -> Option<String> {
        let room = match self.capacity {
            Capacity::Bounded(most) => format!("cache of {most}"),
            Capacity::Unbounded => "cache".to_owned(),
        };
        Some(match self.ttl {
            Some(ttl) => format!("{room}, ttl {}", ttl.brief()),
            None => room,
        })
    }

    fn bytes_by_key(&self, replicas: u32, keys: u64) -> u64 {
        let each = u64::from(self.most()).min(keys).saturating_mul(Store::BYTES);
        each.saturating_mul(u64::from(self.count(replicas)))
    }

    fn sections(&self, at: &str) -> Vec<Section> {
        vec![self.declared(at)]
    }

    fn idles(&self, around: &Around) -> Option<(String, String)> {
        let keyless = around.callers.as_ref().is_some_and(|callers| !callers.keys);
        let Capacity::Bounded(most @ 2..) = self.capacity else { return None };
        keyless.then(|| {
            let why = format!(
                "no request that comes to {} says a key: all are about one thing, and {most} are never kept",
                around.name
            );
            (why, "`keys` of a workload, such as Zipf(count: 10000); or `capacity: 1`".to_owned())
        })
    }

    fn keeps(&self) -> Option<Keeps> {
        let plain = self.stale_while_revalidate.is_none();
        let by = match (self.on_miss, self.early) {
            (OnMiss::Fetch, None) if plain => Fetched::ByAll,
            (OnMiss::Fetch, Some(Early::XFetch { beta })) if plain => Fetched::Early(beta),
            (OnMiss::SingleFlight, None) if plain && self.per == Holder::Replica => Fetched::ByOne,
            _ => Fetched::Otherwise,
        };
        let longest =
            |ttl: SimDuration| SimDuration::from_nanos_f64(ttl.as_nanos() as f64 * (1.0 + self.jitter));
        Some(Keeps {
            told_in: "cache",
            is_one: self.per == Holder::Service,
            entries: (self.capacity != Capacity::Unbounded).then(|| self.most()),
            time: self.ttl.map(|ttl| (ttl, longest(ttl))),
            by,
            awaited: match self.on_miss {
                OnMiss::Lease { hold, .. } => Some(hold),
                OnMiss::Fetch | OnMiss::SingleFlight => None,
            },
        })
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let name = around.name;
        let whose = match self.per {
            Holder::Replica => "each replica keeps its own answers, and a restart finds none",
            Holder::Service => "all replicas share the answers that are kept",
        };
        let mut notes = vec![format!("{name}: {whose}; what is behind it may be asked for everything then")];
        if self.ttl.is_some() {
            let (how_often, why) = match (self.on_miss, self.early, self.stale_while_revalidate) {
                (OnMiss::SingleFlight, ..) => ("once by each replica".to_owned(), "the others wait for it"),
                (OnMiss::Lease { .. }, ..) => ("once".to_owned(), "the others have no lease"),
                (OnMiss::Fetch, _, Some(_)) => {
                    ("once by each replica".to_owned(), "the others get what is too old")
                }
                (OnMiss::Fetch, Some(Early::XFetch { beta }), None) => {
                    let times = sim_core::math::exp(1.0 / beta);
                    (format!("{times:.3} times on average"), "if it is asked for often while it is fetched")
                }
                (OnMiss::Fetch, None, None) => {
                    ("1 + λ δ times".to_owned(), "if it is asked for λ times a second")
                }
            };
            notes.push(format!(
                "{name}: a key that takes δ to fetch is fetched {how_often} when its ttl is over: {why}"
            ));
        }
        if self.per == Holder::Service && self.on_miss == OnMiss::SingleFlight {
            notes.push(format!(
                "{name}: a flight is of one replica: as many may be out for a key as there are replicas"
            ));
        }
        notes
    }

    fn about() -> &'static [Page] {
        &[Page {
            name: "cache",
            word: "",
            what: "Keeps answers by key, in front of the calls of a service: a request does the service's own work, which is the look-up, and \
                   if its key is kept it is answered without calls; if not it makes them, and what comes back well is kept.",
            hurts: "What is behind it is built for what it lets through: when it is emptied, by a restart or because much of it ends at once, \
                    everything comes there, answers come late or not at all, and what was not answered was not kept. A hot key that ends is \
                    fetched by everybody who asks until the first has it (`on_miss`, `early` and `stale_while_revalidate` help). With `SingleFlight` an \
                    error is everybody's, and so is it when the one who went is called off (`cancel` of his caller, `on_cancel: Stop` here): where \
                    callers give up before a fetch is done none ever is, and whoever waits fails as well. What is answered while it is `stale` is \
                    not what it should be; a lease that is shorter than a fetch keeps anything from being stored.",
            formula: "the hit ratio of LRU is `sum p_i (1 - e^(-p_i T))` with `sum (1 - e^(-p_i T)) = capacity` (Che), of a ttl alone \
                      `λ ttl / (1 + λ ttl)` for each key; a key is fetched `1 + λ δ` times when its ttl is over, once with `SingleFlight`, a `Lease` or \
                      `stale_while_revalidate`, `e^(1/beta)` times with `XFetch`, on average `δ beta (ln(λ δ beta) + 0.577)` before its time",
            source: "Che, Tung and Wang, \"Hierarchical Web Caching Systems\", 2002; Fricker, Robert and Roberts, \"A versatile and accurate \
                     approximation for LRU cache performance\", 2012; RFC 2308 (negative caching); RFC 5861 (stale-while-revalidate, stale-if-error); \
                     Nishtala et al., NSDI 2013 (memcache at Facebook: leases); Vattani, Chierichetti and Lowenstein, \"Optimal \
                     Probabilistic Cache Stampede Prevention\", VLDB 2015; Go, golang.org/x/sync/singleflight",
            experiment: "stampede",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(capacity: 10, ttl: "200ms", jitter: 0.5)"#,
            r#"(capacity: Unbounded, negative_ttl: "20ms")"#,
            r#"(capacity: 1, ttl: "20ms", negative_ttl: "5ms", per: Service)"#,
            r#"(capacity: 3, ttl: "20ms", negative_ttl: "5ms", on_miss: SingleFlight, stale_if_error: "100ms")"#,
            r#"(capacity: 5, ttl: "30ms", per: Service, on_miss: Lease(wait: "3ms", hold: "50ms"), early: XFetch())"#,
            r#"(capacity: 2, ttl: "10ms", on_miss: Lease(stale: "20ms"), stale_while_revalidate: "10ms", stale_if_error: "1s")"#,
            r#"(capacity: Unbounded, ttl: "10ms", stale_while_revalidate: "50ms", early: XFetch(beta: 2))"#,
        ]
    }
}

impl Cache {
    /// What is told of it: nothing measured yet.
    fn declared(&self, at: &str) -> Section {
        let plain = |about| Value::new(Unit::Plain, about);
        let share = |about| Value::new(Unit::Share, about);
        let sum = |of: &str| Fold::Sum(of.into());
        let ratio = "share of the requests that looked, of those that came after the warm-up, which found an answer that was good";
        let mut section = Section::new("cache", at)
            .value(
                "hit_ratio",
                share(ratio)
                    .better(Better::More)
                    .headline()
                    .of_windows(Fold::Ratio("hits".into(), "lookups".into())),
            )
            .value("lookups", plain("requests that looked").of_windows(sum("lookups")))
            .value(
                "hits",
                plain("of them, those that were answered with what was good").of_windows(sum("hits")),
            )
            .value("misses", plain("those that found nothing, or nothing that was still good"));
        if self.negative_ttl.is_some() {
            section =
                section.value("negative_hits", plain("of the hits, those that were answered with an error"));
        }
        if self.is_ever_stale() {
            section = section.value(
                "stale",
                plain("of the misses, those that were answered at once with what was too old"),
            );
        }
        if self.on_miss != OnMiss::Fetch {
            section =
                section.value("waited", plain("of the misses, those that waited while another was out"));
        }
        if self.early.is_some() {
            section = section
                .value("early", plain("requests that fetched what was still good: neither hits nor misses"))
                .value(
                    "early_by",
                    Value::new(
                        Unit::Duration,
                        "how long before its time was over the first of them did: mean over answers",
                    ),
                );
        }
        section = section.value(
            "fetches",
            plain("requests that went out for an answer").better(Better::Less).of_windows(sum("fetches")),
        );
        section = section.value(
            "fetches_most",
            plain("the most of them in one window")
                .better(Better::Less)
                .of_windows(Fold::Max("fetches".into())),
        );
        if self.stale_while_revalidate.is_some() {
            section = section.value("refreshes", plain("of the fetches, those in the background"));
        }
        section = section
            .value(
                "expired",
                plain("answers that were asked for when their time was over, and nobody had fetched the next: each is counted once"),
            )
            .value(
                "fetches_per_expiry",
                plain("fetches begun for answers whose time was over, or would be soon, by how many such answers there were")
                    .better(Better::Less)
                    .headline(),
            )
            .value("fills", plain("answers that came and were stored, errors included"))
            .value("failed", plain("fetches that came to nothing that was stored").better(Better::Less));
        if matches!(self.on_miss, OnMiss::Lease { .. }) {
            let late = "answers that came when their lease was over, or taken back by a write, and were not stored: not counted as failed";
            section = section.value("too_late", plain(late).better(Better::Less));
        }
        if self.stale_if_error.is_some() || self.early.is_some() {
            section = section
                .value("stale_on_error", plain("fetches that failed and were answered with what there was"));
        }
        section
            .value("evicted", plain("answers that had to go because another came"))
            .value(
                "entries",
                plain("answers that are kept, in all replicas, those included whose time is over: mean of the ends of the windows")
                    .of_windows(Fold::Mean("entries".into())),
            )
            .line("fetches", Unit::Plain, "Requests that went out for an answer in each window.")
            .line("hits", Unit::Plain, "Requests in each window that found an answer that was good.")
            .line("lookups", Unit::Plain, "Requests that looked in each window.")
            .line("entries", Unit::Plain, "Answers that are kept, in all replicas, at the end of each window.")
    }

    /// Whether anybody is answered at once with what is too old.
    fn is_ever_stale(&self) -> bool {
        self.stale_while_revalidate.is_some() || matches!(self.on_miss, OnMiss::Lease { stale: Some(_), .. })
    }
}

/// What is counted: of requests that came after the warm-up.
#[derive(Clone, Default)]
struct Counts {
    lookups: u64,
    hits: u64,
    negative_hits: u64,
    stale: u64,
    waited: u64,
    early: u64,
    /// Of the early ones the first for each answer, and how much sooner they were.
    first_early: u64,
    early_by: u128,
    fetches: u64,
    refreshes: u64,
    expired: u64,
    /// Answers for the next of which somebody went out, and all who did.
    renewed: u64,
    fetches_again: u64,
    fills: u64,
    failed: u64,
    too_late: u64,
    stale_on_error: u64,
    evicted: u64,
}

/// And of all, in windows.
#[derive(Clone, Default)]
struct Window {
    lookups: u32,
    hits: u32,
    fetches: u32,
}

/// The caches of a service.
#[derive(Clone)]
pub struct Caches {
    rules: Cache,
    /// One for each replica, or one for all.
    is_of_replicas: bool,
    stores: Box<[Store]>,
    /// Who is out: known to each process, or to whoever gives out leases.
    flies_by_replica: bool,
    flights: Box<[Flights]>,
    /// What requests are about.
    errands: Beside<Errand>,
    /// Where ttls are drawn, and who goes before his time.
    luck: Luck,
    early: Option<(f64, Luck)>,
    counts: Counts,
    window: Window,
    windows: [Vec<f64>; 4],
}

impl Caches {
    /// Of a service that has any: nothing is kept yet.
    pub fn by(service: &ServiceSpec, name: &str, streams: &Streams) -> Option<Self> {
        let cache = service.cache.as_ref()?;
        let is_of_replicas = cache.per == Holder::Replica;
        let flies_by_replica = is_of_replicas || !matches!(cache.on_miss, OnMiss::Lease { .. });
        let flights = if flies_by_replica { service.room() } else { 1 };
        let early = cache.early.map(|Early::XFetch { beta }| (beta, streams.luck("early", name)));
        Some(Caches {
            rules: cache.clone(),
            is_of_replicas,
            stores: (0..cache.count(service.room())).map(|_| Store::new(cache.most())).collect(),
            flies_by_replica,
            flights: (0..flights).map(|_| Flights::default()).collect(),
            errands: Beside::default(),
            luck: streams.luck("ttl", name),
            early,
            counts: Counts::default(),
            window: Window::default(),
            windows: Default::default(),
        })
    }

    /// Draws so far, by what they decided.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        let early = self.early.iter().map(|(_, luck)| ("early", luck.used()));
        std::iter::once(("ttl", self.luck.used())).chain(early)
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        let Window { lookups, hits, fetches } = std::mem::take(&mut self.window);
        let kept: u64 = self.stores.iter().map(|store| u64::from(store.len())).sum();
        let numbers = [fetches, hits, lookups].map(f64::from).into_iter().chain([kept as f64]);
        self.windows.iter_mut().zip(numbers).for_each(|(windows, number)| windows.push(number));
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = self.rules.declared(at);
        let it = &self.counts;
        let counts = [
            ("lookups", it.lookups),
            ("hits", it.hits),
            ("misses", it.lookups - it.hits - it.early),
            ("negative_hits", it.negative_hits),
            ("stale", it.stale),
            ("waited", it.waited),
            ("early", it.early),
            ("fetches", it.fetches),
            ("refreshes", it.refreshes),
            ("expired", it.expired),
            ("fills", it.fills),
            ("failed", it.failed),
            ("too_late", it.too_late),
            ("stale_on_error", it.stale_on_error),
            ("evicted", it.evicted),
        ];
        let told: Vec<_> =
            counts.into_iter().filter(|(name, _)| section.values.get(name).is_some()).collect();
        told.into_iter().for_each(|(name, count)| section.set(name, count as f64));
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        section.set("hit_ratio", share(it.hits, it.lookups));
        section.set("fetches_per_expiry", share(it.fetches_again, it.renewed));
        if self.early.is_some() {
            let mean = (it.first_early > 0).then(|| it.early_by as f64 / it.first_early as f64);
            section.set("early_by", mean);
        }
        let lines = ["fetches", "hits", "lookups", "entries"].into_iter().zip(&self.windows);
        lines.for_each(|(name, windows)| section.draw(name, windows.clone()));
        section
    }

    /// What is kept stands where it is looked for.
    pub fn check(&self) {
        self.stores.iter().for_each(Store::check);
    }
}
