//! What requests carry, on their way: from the call of a user down to every attempt of every call that is made for it.
//!
//! It is kept beside calls and attempts, and only in a graph of which some workload says what its requests carry: nobody else pays for it.
//! Both need it: a request in a replica's hands may make calls when its own call is long over.

use super::control::flags::Dealt;
use super::control::protocol;
use super::follow::Listen;
use super::plan::Caller;
use super::slab::Beside;
use super::spec::{GraphSpec, ServiceSpec, WorkloadSpec};
use super::state::*;
use super::stats::UNMEASURED;
use crate::carried::{Carried, Criticality, PLACES};
use crate::policy::Ending;
use crate::report::Section;
use crate::workload::Ranks;
use crate::workload::classes::Class;
use crate::workload::tenants::{self, OTHERS};
use sim_core::sampler::Distribution;
use sim_core::{Key, Luck, SimDuration, SimTime, StreamUse, Streams, Words};

/// What each call carries, and each attempt.
#[derive(Clone, Default)]
pub struct Carriage {
    calls: Beside<Carried>,
    attempts: Beside<Carried>,
    /// Somebody looks at who the user is.
    ranks_users: bool,
    /// How often a request may be passed on, if that is limited.
    hop_limit: u8,
}

/// Of what there is of a user's first key: his place among others, a hash of who he is.
const USER: u64 = 1 << 35;

impl Carriage {
    /// Nothing yet.
    pub fn in_graph(spec: &GraphSpec) -> Self {
        let hop_limit = spec.hop_limit.map_or(u8::MAX, |limit| u8::try_from(limit).expect("checked: few"));
        Carriage { ranks_users: ranks_users(spec), hop_limit, ..Carriage::default() }
    }

    /// Whether the request that makes this call has been passed on as often as it may be.
    #[cold]
    pub fn is_at_hop_limit(&self, parent: Parent) -> bool {
        match parent {
            Parent::Request { attempt, .. } | Parent::Aside { by: attempt, .. } => {
                self.of(attempt).hops >= self.hop_limit
            }
            _ => false,
        }
    }

    /// What a call carries, in a graph in which anything is.
    #[inline]
    pub fn of_call(&self, id: CallId) -> Carried {
        *self.calls.of(id)
    }

    /// What a request carries; nothing in a graph in which nothing is.
    #[inline]
    pub fn of(&self, id: AttemptId) -> Carried {
        self.attempts.get(id).copied().unwrap_or_default()
    }

    /// What a request carries, to be added to.
    pub fn of_mut(&mut self, id: AttemptId) -> &mut Carried {
        self.attempts.of_mut(id, false)
    }

    /// A request goes on as another, which weighs nothing.
    #[cold]
    pub fn goes_on(&mut self, again: AttemptId, carried: Carried) {
        self.attempts.put(again, Carried { bytes: 0, version: 0, ..carried });
    }

    /// An attempt takes along what its call carries.
    #[inline(never)]
    pub fn sent(&mut self, call: CallId, attempt: AttemptId) {
        self.attempts.put(attempt, *self.calls.of(call));
    }
}

/// What the requests of one workload carry, and what became of them by that.
#[derive(Clone)]
pub struct Classes {
    /// Who says so.
    workload: String,
    tenants: Option<Drawn>,
    keys: Option<Drawn>,
    writes: Option<(f64, Luck)>,
    sizes: Option<(Distribution, Luck)>,
    /// Of all calls, unless they are drawn.
    priority: Criticality,
    priorities: Option<Drawn>,
    /// The number in the whole graph of each of its tenants, where that is another; and back, from the first of these on.
    numbers: Vec<u32>,
    places: (u32, Vec<u32>),
    /// The flags that its users may have.
    flags: Vec<Dealt>,
    /// Figures by rank of priority, of those that there are; and of the tenants that are told of one by one, then of the others together.
    by_priority: Vec<Option<Class>>,
    by_tenant: Vec<(String, Class)>,
    /// Of each tenant: calls that ended well, and all that ended.
    ended: Vec<[u32; 2]>,
}

/// One of many, by luck of its own.
#[derive(Clone)]
struct Drawn {
    ranks: Ranks,
    luck: Luck,
}

impl Drawn {
    fn at(&mut self, key: Key) -> u32 {
        self.ranks.draw(&mut self.luck.at(key))
    }
}

/// Whether anything is carried in this graph.
pub fn carries(spec: &GraphSpec) -> bool {
    spec.workload.iter().any(says)
        || ranks_users(spec)
        || spec.hop_limit.is_some()
        || spec.store_of_record.is_some()
        || !spec.flags.is_empty()
        || protocol::is_said(spec)
        || spec.services.values().any(|service| service.all_calls_of().any(|call| call.purge))
}

/// Whether a service looks at who the user is.
fn ranks_users(spec: &GraphSpec) -> bool {
    spec.services.values().any(ServiceSpec::ranks_users)
}

/// Whether a workload says anything of what its requests carry.
pub fn says(workload: &WorkloadSpec) -> bool {
    workload.tenants.is_some()
        || workload.priority.is_some()
        || workload.keys.is_some()
        || workload.writes.is_some()
        || workload.size.is_some()
}

impl Classes {
    /// Of one of the workloads of a graph, if it says anything of what its requests carry.
    pub fn by(workload: &WorkloadSpec, spec: &GraphSpec, streams: &Streams) -> Option<Self> {
        let flags = Dealt::all(workload, spec, streams);
        if !says(workload) && flags.is_empty() {
            return None;
        }
        let name = &workload.name.value;
        let drawn = |purpose: &str, ranks: Ranks| Drawn { ranks, luck: streams.luck(purpose, name) };
        let numbering = spec.tenants();
        let (mut by_tenant, mut count) = (Vec::new(), 0);
        let (mut numbers, mut places) = (Vec::new(), (0, Vec::new()));
        if let Some(tenants) = &workload.tenants {
            numbers = numbering.numbers(tenants);
            let first = numbers.iter().min().copied().unwrap_or(0);
            let last = numbers.iter().max().map_or(0, |last| last + 1);
            places = (first, vec![0; (last - first) as usize]);
            (0..).zip(&numbers).for_each(|(own, number)| places.1[(number - first) as usize] = own);
            let names = tenants.told_apart();
            count = tenants.count() as usize;
            let others = (names.len() < count).then(|| OTHERS.to_owned());
            by_tenant = names.into_iter().chain(others).map(|name| (name, Class::default())).collect();
        }
        let mut by_priority = Vec::new();
        if let Some(priority) = &workload.priority {
            let those = priority.those();
            by_priority =
                Criticality::ALL.iter().map(|one| those.contains(one).then(Class::default)).collect();
        }
        Some(Classes {
            workload: name.clone(),
            tenants: workload.tenants.as_ref().map(|it| drawn("tenant", it.ranks())),
            keys: workload.keys.as_ref().map(|it| drawn("key", it.ranks())),
            writes: workload.writes.map(|share| (share, streams.luck("write", name))),
            sizes: workload.size.as_ref().map(|it| (it.bytes(), streams.luck("size", name))),
            priority: workload.priority.as_ref().map(|it| it.those()[0]).unwrap_or_default(),
            priorities: workload.priority.as_ref().and_then(|it| Some(drawn("priority", it.ranks()?))),
            numbers,
            places,
            flags,
            by_priority,
            by_tenant,
            ended: vec![[0; 2]; count],
        })
    }

    /// What the call at `key` carries, of a user who first called at `first`; of one in a loop, `whose` says who that is.
    fn draw(&mut self, key: Key, first: Key, whose: Key) -> Carried {
        let tenant = self.tenants.as_mut().map(|drawn| drawn.at(whose));
        Carried {
            tenant: tenant.map(|own| self.numbers.get(own as usize).copied().unwrap_or(own)),
            key: self.keys.as_mut().map(|drawn| drawn.at(key)),
            priority: self
                .priorities
                .as_mut()
                .map_or(self.priority, |drawn| Criticality::ALL[drawn.at(first) as usize]),
            user: 0,
            // What is more than there is room for is the most.
            bytes: self.sizes.as_mut().map_or(0, |(bytes, luck)| bytes.sample(&mut luck.at(key)) as u32),
            writes: self.writes.as_mut().is_some_and(|(share, luck)| luck.at(key).unit() < *share),
            flags: Dealt::of_user(&mut self.flags, whose),
            ..Carried::default()
        }
    }

    /// The number of a tenant of its own among these.
    fn own(&self, tenant: u32) -> usize {
        let (first, places) = &self.places;
        if places.is_empty() { tenant as usize } else { places[(tenant - first) as usize] as usize }
    }

    /// Every class that what is carried belongs to, and the tenant, by its number here.
    fn of(&mut self, carried: Carried) -> (impl Iterator<Item = &mut Class>, Option<usize>) {
        let tenant = carried.tenant.map(|tenant| self.own(tenant));
        let last = self.by_tenant.len().saturating_sub(1);
        let by_tenant = tenant.and_then(|own| self.by_tenant.get_mut(own.min(last))).map(|(_, class)| class);
        let by_priority = self.by_priority.get_mut(carried.priority.rank()).and_then(Option::as_mut);
        (by_tenant.into_iter().chain(by_priority), tenant)
    }

    fn began(&mut self, carried: Carried, measured: bool) {
        self.of(carried).0.for_each(|class| class.began(measured));
    }

    fn ended(&mut self, carried: Carried, (end, took): (Ending, SimDuration), sent: bool, measured: bool) {
        let well = (end == Ending::Ok).then_some(took);
        self.flags.iter_mut().for_each(|dealt| dealt.ended(carried.flags, well, measured));
        let (classes, tenant) = self.of(carried);
        classes.for_each(|class| class.ended(end, took, sent, measured));
        if let Some(own) = tenant.filter(|_| measured) {
            let [ok, all] = &mut self.ended[own];
            *ok += u32::from(end == Ending::Ok);
            *all += 1;
        }
    }

    /// A window is over.
    pub fn close_window(&mut self) {
        self.by_tenant.iter_mut().for_each(|(_, class)| class.close_window());
        self.by_priority.iter_mut().flatten().for_each(Class::close_window);
    }

    /// Draws so far, by what they decided.
    pub fn used(&self) -> impl Iterator<Item = (&'static str, &str, StreamUse)> {
        let all = [("tenant", &self.tenants), ("key", &self.keys), ("priority", &self.priorities)];
        let sizes = self.sizes.iter().map(|(_, luck)| ("size", self.workload.as_str(), luck.used()));
        let writes = self.writes.iter().map(|(_, luck)| ("write", self.workload.as_str(), luck.used()));
        let drawn = all.into_iter().filter_map(|(purpose, drawn)| {
            Some((purpose, self.workload.as_str(), drawn.as_ref()?.luck.used()))
        });
        drawn.chain(sizes).chain(writes).chain(self.flags.iter().map(Dealt::used))
    }

    /// The flags that its users may have.
    pub fn flags(&self) -> &[Dealt] {
        &self.flags
    }

    /// The same, to be switched.
    pub fn flags_mut(&mut self) -> &mut [Dealt] {
        &mut self.flags
    }

    /// What was measured, over so long.
    pub fn sections(&self, at: &str, measured: SimDuration) -> Vec<Section> {
        let tenants = self.by_tenant.iter().map(|(name, class)| class.section("tenants", at, name, measured));
        let all = self.tenants.as_ref().map(|_| tenants::told(at, &self.ended));
        let priorities = Criticality::ALL.iter().zip(&self.by_priority);
        let priorities = priorities
            .filter_map(|(one, class)| Some(class.as_ref()?.section("priorities", at, one.name(), measured)));
        tenants.chain(all).chain(priorities).collect()
    }

    /// All that was counted by tenants, or by priorities, is what was counted on the edge: calls, well ended, ended otherwise.
    pub fn check(&self, at: &str, counted: [u64; 3]) {
        let sum = |classes: &mut dyn Iterator<Item = &Class>| {
            classes.map(Class::counted).fold([0; 3], |sum, one| std::array::from_fn(|n| sum[n] + one[n]))
        };
        let tenants = sum(&mut self.by_tenant.iter().map(|(_, class)| class));
        assert!(
            self.tenants.is_none() || tenants == counted,
            "calls by tenants on {at}: {tenants:?}, not {counted:?}"
        );
        let priorities = sum(&mut self.by_priority.iter().flatten());
        for dealt in &self.flags {
            let [all, failed] = dealt
                .measured()
                .iter()
                .fold([0; 2], |[all, failed], seen| [all + seen.requests, failed + seen.failed]);
            let [_, ok, otherwise] = counted;
            assert_eq!([all - failed, failed], [ok, otherwise], "calls by flags on {at}");
        }
        let told = !self.by_priority.is_empty();
        assert!(
            !told || priorities == counted,
            "calls by priorities on {at}: {priorities:?}, not {counted:?}"
        );
    }
}

/// A user's place among others.
fn place_of(user: Key) -> u16 {
    (user.child(USER).get() % PLACES) as u16
}

impl<L: Listen> Graph<L> {
    /// What a call of this parent carries: what the request carries that makes it, or what is drawn for a user.
    fn carried_from(&mut self, parent: Parent, edge: u32, key: Key) -> Carried {
        let (key, first, user) = match parent {
            Parent::Request { attempt, .. } | Parent::Aside { by: attempt, .. } => {
                let carried = self.carriage.of(attempt);
                let purges = self.edges[edge as usize].purges;
                return Carried { hops: carried.hops.saturating_add(1), version: 0, purges, ..carried };
            }
            Parent::Check { .. } => return Carried::default(),
            Parent::Callback { wait, .. } => return self.callbacks.carried(wait),
            Parent::User => (key, key, None),
            Parent::Loop { user } => (key, key, Some(user)),
            // Whoever comes again is the same user, who wants the same; or the next, which matters as much.
            Parent::Visit { visit } => self.visits[visit].whose(),
        };
        let edge = &mut self.edges[edge as usize];
        let Caller::Workload(workload) = edge.caller else { unreachable!("whoever is no request is a user") };
        let path = self.workloads[workload as usize].path;
        let whose = user.map_or(first, |user| Key::root(path, u64::from(user)));
        let carried =
            edge.classes.as_mut().map(|classes| classes.draw(key, first, whose)).unwrap_or_default();
        let user = if self.carriage.ranks_users { place_of(whose) } else { 0 };
        let expects = self.ledger.as_mut().map_or(0, |ledger| ledger.expects(carried.key));
        Carried { user, expects, ..carried }
    }

    /// A call begins that carries something.
    #[inline(never)]
    pub(super) fn load(&mut self, id: CallId) {
        let call = &self.calls[id];
        let (parent, edge, key, measured) =
            (call.parent, u32::from(call.edge), call.key, call.stretch != UNMEASURED);
        let client = call.client;
        let mut carried = self.carried_from(parent, edge, key);
        if let Caller::Service(by) = self.edges[edge as usize].caller {
            carried.speaks = self.services[by as usize].speaks(client);
        }
        self.carriage.calls.put(id, carried);
        if let Some(classes) = &mut self.edges[edge as usize].classes {
            classes.began(carried, measured);
        }
    }

    /// A user's call ends as it would begin.
    #[cold]
    pub(super) fn never_loaded(&mut self, parent: Parent, edge: u32, key: Key, end: Ending) {
        let measured = self.stretch != UNMEASURED;
        let carried = self.carried_from(parent, edge, key);
        if let Some(classes) = &mut self.edges[edge as usize].classes {
            classes.began(carried, measured);
            classes.ended(carried, (end, SimDuration::ZERO), false, measured);
        }
    }
}

impl Edge {
    /// A user's call has ended so.
    #[inline(never)]
    pub(super) fn class_ended(&mut self, call: &Call, carried: Carried, end: Ending, now: SimTime) {
        let (took, sent, measured) = (now.since(call.started), call.sent > 0, call.stretch != UNMEASURED);
        if let Some(classes) = &mut self.classes {
            classes.ended(carried, (end, took), sent, measured);
        }
    }
}
