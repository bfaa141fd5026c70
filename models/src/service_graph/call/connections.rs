//! The connections of each client: given back, opened, closed when their time has come, broken.
//!
//! Each has one timer at most, which may come too early: the connection is looked at then, and again when it is due. What [attempts](super::connect)
//! wait for is not lent from within what made room, but before the event is over.

use crate::fault::CrashStyle;
use crate::policy::Outcome;
use crate::policy::guards::{Back, Connections, Dial, Due, Guards, Lease, Watch};
use crate::service_graph::follow::Listen;
use crate::service_graph::plan::Caller;
use crate::service_graph::state::*;
use crate::service_graph::witness as kind;
use sim_core::{Class, Key, SimTime};

impl<L: Listen> Graph<L> {
    /// A connection comes back, or not.
    pub(super) fn returned(
        &mut self,
        Held { group, lease, .. }: Held,
        (outcome, leaks, hears): (Outcome, bool, bool),
        ctx: &mut Ctx,
    ) -> Back {
        let now = ctx.now();
        let mut own = self.group(group);
        let back = own.connections().give_back(now, lease, outcome, leaks, hears);
        if let Some(watch) = own.watch.connections() {
            watch.came(back);
        }
        own.note(now);
        match back {
            Back::Idle(slot) | Back::Lost(slot) => self.arm(group, slot, ctx),
            Back::Closed(slot) => self.disarm(group, slot, ctx),
            Back::Busy | Back::Nothing => return back,
        }
        self.tend(group, ctx);
        back
    }

    /// As many are opened as are wanted, and who waits for what is there is served before the event is over.
    pub(super) fn tend(&mut self, group: Group, ctx: &mut Ctx) {
        while self.group(group).connections().wants(0) {
            self.open(group, false, ctx);
        }
        if self.group(group).connections().can_admit() {
            self.admitted.push_back(Admitted::Line(group));
        }
    }

    /// One more connection is being opened.
    pub(super) fn open(&mut self, group: Group, is_asked_for: bool, ctx: &mut Ctx) {
        let key = self.next_key(group);
        let own = self.group(group);
        let dial = own.dial.as_mut().expect("whoever connects has what opens connections");
        let there = ctx.now() + dial.time(key);
        let slot = own.guards.connections(group.of).begin(there);
        own.connecting.put(slot, key);
        if there == ctx.now() {
            self.opened(group, slot, is_asked_for, ctx);
        } else {
            self.arm(group, slot, ctx);
        }
    }

    /// Where the luck of the next connection is drawn.
    fn next_key(&mut self, group: Group) -> Key {
        let path = self.edges[group.clients as usize].path;
        let begun = &mut self.group(group).connecting.begun;
        *begun += 1;
        Key::root(path, u64::from(group.client)).child(u64::from(group.of)).child(*begun)
    }

    /// A connection has been opened.
    fn opened(&mut self, group: Group, slot: u32, is_asked_for: bool, ctx: &mut Ctx) {
        if self.is_there(group, slot, is_asked_for, ctx)
            && let Some(watch) = self.group(group).watch.connections()
        {
            watch.opened();
        }
    }

    /// A connection is there. Whether it is kept.
    fn is_there(&mut self, group: Group, slot: u32, is_asked_for: bool, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let mut own = self.group(group);
        let key = own.connecting.slots[slot as usize].key;
        let until = own.dial.as_mut().map_or(SimTime::MAX, |dial| dial.until(now, key));
        let kept = own.connections().opened(now, slot, until, is_asked_for);
        own.note(now);
        if kept {
            self.arm(group, slot, ctx);
        }
        kept
    }

    /// The timer of a connection fired.
    pub fn connection_due(&mut self, list: u32, slot: u32, ctx: &mut Ctx) {
        let now = ctx.now();
        let clients = self.clients.partition_point(|clients| clients.lists_before <= list) as u32 - 1;
        let at = list - self.clients[clients as usize].lists_before;
        let group = self.clients[clients as usize].group(clients, at);
        ctx.witness(
            kind::CONNECTION,
            0,
            0,
            self.edges[clients as usize].path,
            u64::from(at),
            u64::from(slot),
        );
        let mut own = self.group(group);
        own.connecting.slots[slot as usize].timer = None;
        match own.connections().look(now, slot) {
            Due::Open => self.opened(group, slot, false, ctx),
            Due::Close => {
                if let Some(watch) = own.watch.connections() {
                    watch.closed(1);
                }
                own.note(now);
            }
            Due::Nothing => self.arm(group, slot, ctx),
        }
        self.tend(group, ctx);
    }

    /// A connection is looked at when it is due, unless it is looked at before.
    fn arm(&mut self, group: Group, slot: u32, ctx: &mut Ctx) {
        let clients = &self.clients[group.clients as usize];
        let list = clients.lists_before + clients.place(group) as u32;
        let mut own = self.group(group);
        let Some(due) = own.connections().due(slot) else { return };
        let entry = &mut own.connecting.slots[slot as usize];
        if let Some((at, timer)) = entry.timer {
            if at <= due {
                return;
            }
            ctx.cancel(timer);
        }
        let event = Event::Connection { list, slot };
        entry.timer = Some((due, ctx.schedule(due.max(ctx.now()), Class::End, event)));
    }

    /// A connection is no more.
    fn disarm(&mut self, group: Group, slot: u32, ctx: &mut Ctx) {
        if let Some((_, timer)) = self.group(group).connecting.slots[slot as usize].timer.take() {
            ctx.cancel(timer);
        }
    }

    /// A run begins: whoever keeps connections idle has them.
    pub fn begin_connected(&mut self, ctx: &mut Ctx) {
        for clients in 0..self.clients.len() as u32 {
            for at in 0..self.clients[clients as usize].connecting.len() as u32 {
                let group = self.clients[clients as usize].group(clients, at);
                if self.leads_nowhere(group) {
                    continue;
                }
                while self.group(group).connections().wants(0) {
                    let now = ctx.now();
                    let key = self.next_key(group);
                    let mut own = self.group(group);
                    let slot = own.connections().begin(now);
                    own.connecting.put(slot, key);
                    self.is_there(group, slot, false, ctx);
                    self.group(group).connections().not_new(slot);
                }
            }
        }
    }

    /// Whether either end is not there yet.
    fn leads_nowhere(&self, group: Group) -> bool {
        let edge = &self.edges[group.clients as usize];
        let is_down =
            |service: u32, replica: u32| self.services[service as usize].replicas[replica as usize].down > 0;
        let caller = matches!(edge.caller, Caller::Service(service) if is_down(service, group.client));
        caller || self.clients[group.clients as usize].groups_of_each() > 1 && is_down(edge.callee, group.of)
    }

    /// A replica is back that makes calls: its pools begin anew, and open as many as should be idle.
    #[cold]
    pub(in crate::service_graph) fn connects_anew(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        for clients in self.services[service as usize].edges.clone() {
            if self.clients[clients].connecting.is_empty() {
                continue;
            }
            for of in 0..self.clients[clients].groups_of_each() {
                self.tend(Group { clients: clients as u32, client: replica, of }, ctx);
            }
        }
    }

    /// A replica has gone, and all connections to it with it: at once, or, where it says nothing, as far as anybody knows.
    #[cold]
    pub(in crate::service_graph) fn connections_break(
        &mut self,
        service: u32,
        replica: u32,
        style: CrashStyle,
        ctx: &mut Ctx,
    ) {
        self.each_leading_to(service, replica, |graph, group| {
            graph.group(group).connections().loses_all();
            if style == CrashStyle::Reset {
                graph.close_broken(group, ctx);
            }
        });
    }

    /// A replica is back: those that nobody knew to be broken are found to be, and as many are opened as should be idle.
    #[cold]
    pub(in crate::service_graph) fn connections_return(&mut self, service: u32, replica: u32, ctx: &mut Ctx) {
        self.each_leading_to(service, replica, |graph, group| {
            graph.group(group).connections().finds_somebody();
            graph.close_broken(group, ctx);
            graph.tend(group, ctx);
        });
    }

    fn close_broken(&mut self, group: Group, ctx: &mut Ctx) {
        let now = ctx.now();
        let broken = self.group(group).connections().close_broken();
        for &slot in &broken {
            self.disarm(group, slot, ctx);
        }
        let own = self.group(group);
        if let Some(watch) = own.watch.connections() {
            watch.closed(broken.len() as u64);
        }
        own.note(now);
    }

    fn each_leading_to(&mut self, service: u32, replica: u32, mut what: impl FnMut(&mut Self, Group)) {
        let owners = std::mem::take(&mut self.services[service as usize].connected);
        for &clients in &owners {
            for client in 0..self.clients[clients as usize].guards.len() as u32 {
                let of = self.clients[clients as usize].leading_to(client, replica);
                what(self, Group { clients, client, of });
            }
        }
        self.services[service as usize].connected = owners;
    }

    /// All about the connections of one client to one replica.
    pub(super) fn group(&mut self, group: Group) -> Own<'_> {
        let clients = &mut self.clients[group.clients as usize];
        let at = clients.place(group);
        let Clients { guards, connecting, watch, dial, .. } = clients;
        Own {
            of: group.of,
            guards: &mut guards[group.client as usize],
            connecting: &mut connecting[at],
            watch,
            dial,
        }
    }
}

/// What belongs to the connections of one client to one replica.
pub(super) struct Own<'a> {
    of: u32,
    pub(super) guards: &'a mut Guards,
    connecting: &'a mut Connecting,
    watch: &'a mut Watch,
    dial: &'a mut Option<Dial>,
}

impl Own<'_> {
    pub(super) fn connections(&mut self) -> &mut Connections {
        self.guards.connections(self.of)
    }

    /// Whether one is opened at once for whoever asks next.
    pub(super) fn is_opened_for_one_more(&mut self) -> bool {
        self.dial.as_ref().is_some_and(|dial| dial.is_instant())
            && self.connections().counts().idle == 0
            && self.connections().waiting() == 0
            && self.connections().wants(1)
    }

    /// How many there are may have changed.
    pub(super) fn note(self, now: SimTime) {
        let counts = self.guards.connections(self.of).counts();
        let before = std::mem::replace(&mut self.connecting.counts, counts);
        if let Some(watch) = self.watch.connections() {
            watch.moved(now, before, counts);
        }
    }
}

impl Clients {
    /// Which of the groups of connections of a client leads to a replica.
    pub(super) fn leading_to(&self, client: u32, replica: u32) -> u32 {
        self.guards[client as usize].leading_to(replica)
    }

    /// How many groups of connections a client has.
    fn groups_of_each(&self) -> u32 {
        (self.connecting.len() / self.guards.len()) as u32
    }

    /// Where a group of connections is.
    pub(super) fn place(&self, group: Group) -> usize {
        (group.client * self.groups_of_each() + group.of) as usize
    }

    /// The group that is there.
    fn group(&self, clients: u32, at: u32) -> Group {
        let each = self.groups_of_each();
        Group { clients, client: at / each, of: at % each }
    }

    /// A client is forgotten, and with it all its connections.
    #[cold]
    pub fn disconnect(&mut self, client: u32, ctx: &mut Ctx) {
        let each = self.connecting.len() / self.guards.len().max(1);
        for connecting in &mut self.connecting[client as usize * each..][..each] {
            for slot in &mut connecting.slots {
                if let Some((_, timer)) = slot.timer.take() {
                    ctx.cancel(timer);
                }
            }
            connecting.counts = Default::default();
        }
    }
}

impl Connecting {
    /// Another connection has this place.
    fn put(&mut self, slot: u32, key: Key) {
        if self.slots.len() <= slot as usize {
            self.slots.resize_with(slot as usize + 1, || Connection { key, timer: None });
        }
        self.slots[slot as usize].key = key;
    }
}

impl Group {
    pub(super) fn held(self, lease: Lease, key: Key) -> Held {
        Held { group: self, lease, key }
    }
}
