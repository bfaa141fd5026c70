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
//! and takes `δ` to fetch is fetched `1 + λ δ` times each time it ends.
//!
//! What something stood in for (a `fallback`) is not kept: it is not the answer. An answer without an `optional` call is.
//!
//! - [`store`]: what is kept; [`index`]: where of which key. [`look_up`]: a request looks, and comes back with an answer.

mod index;
mod look_up;
mod store;

use super::queue::Capacity;
use crate::experiment::{Decoder, Node, POSITIVE};
use crate::policy::page::Page;
use crate::policy::part::{Around, Does, Keeps, Part};
use crate::report::{Better, Fold, Section, Unit, Value};
use crate::service_graph::slab::Beside;
use crate::service_graph::spec::ServiceSpec;
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
        vec![declared(at)]
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
        Some(Keeps)
    }

    fn notes(&self, around: &Around) -> Vec<String> {
        let name = around.name;
        let whose = match self.per {
            Holder::Replica => "each replica keeps its own answers, and a restart finds none",
            Holder::Service => "all replicas share the answers that are kept",
        };
        let mut notes = vec![format!("{name}: {whose}; what is behind it may be asked for everything then")];
        if self.ttl.is_some() {
            notes.push(format!(
                "{name}: a key that is asked for λ times a second and takes δ to fetch is fetched 1 + λ δ times when its ttl is over"
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
                    fetched by everybody who asks until the first has it.",
            formula: "the hit ratio of LRU is `sum p_i (1 - e^(-p_i T))` with `sum (1 - e^(-p_i T)) = capacity` (Che), of a ttl alone \
                      `λ ttl / (1 + λ ttl)` for each key; a key is fetched `1 + λ δ` times when its ttl is over",
            source: "Che, Tung and Wang, \"Hierarchical Web Caching Systems\", 2002; Fricker, Robert and Roberts, \"A versatile and accurate \
                     approximation for LRU cache performance\", 2012; RFC 2308 (negative caching); memcached 1.6, groupcache",
            experiment: "stampede",
        }]
    }

    fn samples() -> &'static [&'static str] {
        &[
            r#"(capacity: 10, ttl: "200ms", jitter: 0.5)"#,
            r#"(capacity: Unbounded, negative_ttl: "20ms")"#,
            r#"(capacity: 1, ttl: "20ms", negative_ttl: "5ms", per: Service)"#,
        ]
    }
}

/// What is told of it: nothing measured yet.
fn declared(at: &str) -> Section {
    let plain = |about| Value::new(Unit::Plain, about);
    let share = |about| Value::new(Unit::Share, about);
    Section::new("cache", at)
        .value(
            "hit_ratio",
            share("share of the requests that looked, of those that came after the warm-up, which found what they asked for, and it was good")
                .better(Better::More)
                .headline()
                .of_windows(Fold::Ratio("hits".into(), "lookups".into())),
        )
        .value("lookups", plain("requests that looked").of_windows(Fold::Sum("lookups".into())))
        .value("hits", plain("of them, those that were answered with what is kept, and was good").of_windows(Fold::Sum("hits".into())))
        .value("negative_hits", plain("of the hits, those that were answered with an error"))
        .value("misses", plain("those that found nothing, or nothing that was still good"))
        .value("expired", plain("answers that were asked for again when their time was over: each is counted once"))
        .value("fetches", plain("requests that went out for an answer").better(Better::Less).of_windows(Fold::Sum("fetches".into())))
        .value(
            "fetches_per_expiry",
            plain("fetches begun for answers whose time was over, by how many such answers there were").better(Better::Less).headline(),
        )
        .value("fills", plain("answers that came and were stored, errors included"))
        .value("failed", plain("fetches that came to nothing that was stored").better(Better::Less))
        .value("evicted", plain("answers that had to go because another came"))
        .value(
            "entries",
            plain("answers that are kept, in all replicas, those included whose time is over: mean of the ends of the windows")
                .of_windows(Fold::Mean("entries".into())),
        )
        .line("fetches", Unit::Plain, "Requests that went out for an answer in each window.")
        .line("hits", Unit::Plain, "Requests in each window that found what they asked for.")
        .line("lookups", Unit::Plain, "Requests that looked in each window.")
        .line("entries", Unit::Plain, "Answers that are kept, in all replicas, at the end of each window.")
}

/// What is counted: of requests that came after the warm-up.
#[derive(Clone, Default)]
struct Counts {
    lookups: u64,
    hits: u64,
    negative_hits: u64,
    expired: u64,
    /// Fetches, and those of them for what has been there before.
    fetches: u64,
    fetches_again: u64,
    fills: u64,
    failed: u64,
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
    ttl: Option<SimDuration>,
    jitter: f64,
    negative_ttl: Option<SimDuration>,
    /// One for each replica, or one for all.
    is_of_replicas: bool,
    stores: Box<[Store]>,
    /// Who is out for an answer.
    errands: Beside<Errand>,
    luck: Luck,
    counts: Counts,
    window: Window,
    windows: [Vec<f64>; 4],
}

impl Caches {
    /// Of a service that has any: nothing is kept yet.
    pub fn by(service: &ServiceSpec, name: &str, streams: &Streams) -> Option<Self> {
        let Cache { ttl, jitter, negative_ttl, .. } = *service.cache.as_ref()?;
        let cache = service.cache.as_ref()?;
        let store = |_| Store::new(cache.most());
        Some(Caches {
            ttl,
            jitter,
            negative_ttl,
            is_of_replicas: cache.per == Holder::Replica,
            stores: (0..cache.count(service.room())).map(store).collect(),
            errands: Beside::default(),
            luck: streams.luck("ttl", name),
            counts: Counts::default(),
            window: Window::default(),
            windows: Default::default(),
        })
    }

    /// Draws so far, by what they decided.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, StreamUse)> {
        std::iter::once(("ttl", self.luck.used()))
    }

    /// A replica has crashed, with what it kept in its memory.
    pub fn crashed(&mut self, replica: u32) {
        if self.is_of_replicas {
            self.stores[replica as usize].clear();
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        let Window { lookups, hits, fetches } = std::mem::take(&mut self.window);
        let kept: u64 = self.stores.iter().map(|store| u64::from(store.len())).sum();
        let numbers = [lookups, hits, fetches].map(f64::from).into_iter().chain([kept as f64]);
        self.windows.iter_mut().zip(numbers).for_each(|(windows, number)| windows.push(number));
    }

    /// What was measured.
    pub fn section(&self, at: &str) -> Section {
        let mut section = declared(at);
        let Counts { lookups, hits, negative_hits, expired, fetches, fetches_again, fills, failed, evicted } =
            self.counts;
        let counts = [
            ("lookups", lookups),
            ("hits", hits),
            ("negative_hits", negative_hits),
            ("misses", lookups - hits),
            ("expired", expired),
            ("fetches", fetches),
            ("fills", fills),
            ("failed", failed),
            ("evicted", evicted),
        ];
        counts.into_iter().for_each(|(name, count)| section.set(name, count as f64));
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        section.set("hit_ratio", share(hits, lookups));
        section.set("fetches_per_expiry", share(fetches_again, expired));
        let lines = ["lookups", "hits", "fetches", "entries"].into_iter().zip(&self.windows);
        lines.for_each(|(name, windows)| section.draw(name, windows.clone()));
        section
    }

    /// What is kept stands where it is looked for.
    pub fn check(&self) {
        self.stores.iter().for_each(Store::check);
    }
}
