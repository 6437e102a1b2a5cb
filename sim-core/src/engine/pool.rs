//! Connections: who keeps which to whom, what is on them, and who waits for one.
//!
//! A *pool* is what one side keeps to another: a caller to a balancer, a balancer instance to a
//! server. An attempt takes a connection before it is sent, and gives it back when its sender knows
//! how it ended. A connection that is still being opened is taken like any other: what is sent on it
//! leaves when it is ready. Where a link keeps no connections, nothing here is looked at.
//!
//! The connection of a caller belongs to the balancer instance that accepted its first request, and
//! counts there while it is open. Where a balancer chooses for each connection, it belongs to a
//! server as well, and everything that is sent on it goes there.

use super::Simulation;
use super::attempt::{Attempt, Attempts, Call, Place};
use super::event::Event;
use super::link::Path;
use super::slab::{Handle, Slab, Slot};
use super::source::source_of;
use crate::connection::{Owner, Reuse, Terms};
use crate::draws::Stream;
use crate::ids::{ClientId, Id, InstanceId, LocalId, ServerId, ServiceId, SourceId, Table};
use crate::model::{DownBehaviour, Model};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Which way a connection goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hop {
    /// From a caller to a balancer.
    Caller,
    /// From a balancer instance to a server.
    Server,
}

/// Whose connections, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    /// A caller from outside, by its key; 0 where a source is one caller.
    Outside(SourceId, u64),
    /// A server, or a balancer instance, that makes a call, by its number in its service.
    Call(ClientId, u32),
    /// A balancer instance, to a server.
    Instance(InstanceId, ServerId),
}

#[derive(Clone)]
struct Connection {
    side: Side,
    service: ServiceId,
    /// The instance that accepted it, and the server that it leads to, once they are known.
    instance: InstanceId,
    server: ServerId,
    /// How many were opened before it.
    number: u64,
    /// When it began to be opened, and from when on it carries requests; never, where that was lost.
    opened: u64,
    ready: u64,
    carries: u32,
    /// Requests so far.
    requests: u64,
    /// When it has become too old.
    expires: u64,
    /// Since when it carries nothing.
    idle_since: u64,
    /// When its timer looks at it.
    timer: u64,
    /// Whether it takes no new request.
    leaving: bool,
}

#[derive(Clone)]
struct Pool {
    terms: Terms,
    /// Connections that are open, in the order in which they were opened; where each carries one
    /// request only, those that carry none.
    open: VecDeque<Handle>,
    /// How many there are, and how many of them take requests: what is about to go makes room.
    count: u32,
    taking: u32,
    /// Attempts that wait for one; those that have gone away are passed over.
    line: VecDeque<Handle>,
    waiting: u32,
    /// When one last came free for them.
    freed: u64,
}

/// What an attempt has to do with connections.
#[derive(Clone, Copy, Default)]
struct Use {
    /// The one that its caller keeps, and the one that the balancer keeps to the server.
    taken: [Handle; 2],
    /// The pool in whose line it waits.
    line: Option<Side>,
    /// Whether not the attempt counts in the books of the balancer instance, but its caller's
    /// connection: as one that is open, and as one at the server.
    accepted: bool,
    bound: bool,
}

/// What is known of the connections of one hop over the whole run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct PoolFigures {
    /// Whose: `service.web.link` for those of its callers, `service.web.balancer.link` for those to
    /// its servers.
    pub at: String,
    /// Opened.
    pub opened: u64,
    /// Closed because something on them failed, or an end of them was gone.
    pub broken: u64,
    /// Requests that had to wait because no more could be opened.
    pub waited: u64,
    /// Open at the end.
    pub open: u64,
    /// Most that were open at once.
    pub peak: u64,
}

/// Counters of the connections of one hop.
#[derive(Clone, Copy, Default)]
struct Count {
    opened: u64,
    broken: u64,
    waited: u64,
    open: u64,
    peak: u64,
}

/// All connections.
#[derive(Clone)]
pub(super) struct Pools {
    /// Whether any link keeps connections, or did.
    pub any: bool,
    connections: Slab<Connection>,
    by_side: BTreeMap<Side, Pool>,
    /// Beside attempts, by the same slots.
    of_attempt: Table<Slot, Use>,
    /// Pools in which somebody waits for what has just come free.
    to_serve: Vec<Side>,
    counts: Table<ServiceId, [Count; 2]>,
    /// Connections that lead to each server.
    at_server: Table<ServerId, u32>,
    ages: Stream,
    /// Connections opened so far.
    opened: u64,
    /// While several servers are dealt with together: connections by the server that they lead to, once
    /// somebody has asked, and the service whose connections were renewed last, at so many opened.
    by_server: Option<Vec<(ServerId, Handle)>>,
    renewed: Option<(ServiceId, u64)>,
}

/// What becomes of what is sent now, as far as the connection is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// No connections are kept: each message stands for one of its own, opened at no cost.
    Bare,
    /// It is open.
    Open,
    /// It will be, after so many nanoseconds.
    Opening(u64),
    /// Nobody has answered.
    Dead,
}

impl Connection {
    /// It takes nothing new from now on; whether that is news.
    fn leave(&mut self) -> bool {
        !std::mem::replace(&mut self.leaving, true)
    }

    fn takes_requests(&self, now: u64) -> bool {
        !self.leaving && self.ready != u64::MAX && now < self.expires
    }
}

impl Pool {
    fn new(terms: Terms) -> Self {
        Self {
            terms,
            open: VecDeque::new(),
            count: 0,
            taking: 0,
            line: VecDeque::new(),
            waiting: 0,
            freed: 0,
        }
    }

    /// A connection for one more request; those that are too old are told to `go`.
    fn usable(
        &mut self,
        now: u64,
        all: &mut Slab<Connection>,
        go: &mut Vec<Handle>,
    ) -> Option<Handle> {
        if self.terms.streams == 1 {
            while let Some(handle) = match self.terms.reuse {
                Reuse::Latest => self.open.pop_back(),
                Reuse::Oldest => self.open.pop_front(),
                Reuse::First => self.opened_first(all),
            } {
                if !all.contains(handle) {
                    continue;
                }
                if all[handle].takes_requests(now) {
                    return Some(handle);
                }
                go.push(handle);
            }
            return None;
        }
        let mut best: Option<Handle> = None;
        for &handle in &self.open {
            let most = self.terms.max_requests.unwrap_or(u64::MAX);
            if now >= all[handle].expires || all[handle].requests >= most {
                self.taking -= u32::from(all[handle].leave());
            }
            let connection = &all[handle];
            // What nobody has answered yet is waited for like what is slow to open.
            if connection.leaving || connection.carries >= self.terms.streams {
                if connection.leaving && connection.carries == 0 {
                    go.push(handle);
                }
            } else if best.is_none_or(|best| connection.carries < all[best].carries) {
                best = Some(handle);
            }
        }
        best
    }
}

impl Pool {
    /// Of connections that carry nothing the one that was opened first, or one that is gone.
    fn opened_first(&mut self, all: &Slab<Connection>) -> Option<Handle> {
        let number = |&handle: &Handle| all.contains(handle).then(|| all[handle].number);
        let places = 0..self.open.len();
        let place = places.min_by_key(|&place| number(&self.open[place]))?;
        self.open.remove(place)
    }
}

impl Pools {
    pub(super) fn new(model: &Model, replication: u64) -> Self {
        Self {
            any: false,
            connections: Slab::new(),
            by_side: BTreeMap::new(),
            of_attempt: Table::default(),
            to_serve: Vec::new(),
            counts: Table::filled(model.services.len(), Default::default()),
            at_server: Table::filled(model.servers.len(), 0),
            ages: Stream::new(model.seed, replication, "link/age"),
            opened: 0,
            by_server: None,
            renewed: None,
        }
    }

    /// Servers are dealt with one by one again.
    pub(super) fn no_longer_together(&mut self) {
        (self.by_server, self.renewed) = (None, None);
    }

    /// Connections that are open.
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// An attempt begins: it has no connection yet.
    #[inline]
    pub(super) fn begin(&mut self, attempt: Handle) {
        if self.any {
            *self.of_attempt.with_room(attempt.slot(), Use::default()) = Use::default();
        }
    }

    #[inline]
    fn use_of(&self, attempt: Handle) -> Use {
        let known = self.any.then(|| self.of_attempt.get(attempt.slot()));
        known.flatten().copied().unwrap_or_default()
    }

    fn use_mut(&mut self, attempt: Handle) -> &mut Use {
        self.of_attempt.with_room(attempt.slot(), Use::default())
    }

    #[inline]
    fn of(&self, attempt: Handle, hop: Hop) -> Handle {
        self.use_of(attempt).taken[hop as usize]
    }

    /// Whether its caller's connection stands for an attempt in the books of the balancer instance:
    /// as one that is open, and as one at the server.
    #[inline]
    pub(super) fn stand_for(&self, attempt: Handle) -> (bool, bool) {
        if !self.any {
            return (false, false);
        }
        let of = self.use_of(attempt);
        (of.accepted, of.bound)
    }

    /// Another attempt stands for an attempt at its caller.
    pub(super) fn hand_over(&mut self, from: Handle, to: Handle) {
        if self.any {
            let taken = &mut self.use_mut(from).taken[Hop::Caller as usize];
            let taken = std::mem::take(taken);
            self.use_mut(to).taken[Hop::Caller as usize] = taken;
        }
    }

    /// What an attempt's connection says of what is sent now.
    pub(super) fn line(&self, attempt: Handle, hop: Hop, now: u64) -> Line {
        let connection = self.of(attempt, hop);
        if connection.is_none() {
            return Line::Bare;
        }
        if !self.connections.contains(connection) {
            return Line::Dead;
        }
        match self.connections[connection].ready {
            u64::MAX => Line::Dead,
            ready if ready > now => Line::Opening(ready - now),
            _ => Line::Open,
        }
    }

    /// An attempt waits for a connection no longer.
    fn leave_line(&mut self, attempt: Handle) {
        let Some(side) = self.use_mut(attempt).line.take() else {
            return;
        };
        if let Some(pool) = self.by_side.get_mut(&side) {
            pool.waiting -= 1;
            if pool.waiting == 0 && pool.count == 0 {
                self.by_side.remove(&side);
            }
        }
    }

    /// Whether an attempt waits in the line of a pool.
    fn waits_in(
        of_attempt: &Table<Slot, Use>,
        attempts: &Attempts,
        attempt: Handle,
        side: Side,
    ) -> bool {
        attempts.contains(attempt) && of_attempt[attempt.slot()].line == Some(side)
    }

    /// Connections that lead to a server.
    pub(super) fn at_server(&self, server: ServerId) -> u32 {
        self.at_server[server]
    }

    /// Connections that each instance holds: for the books.
    pub(super) fn held(&self) -> impl Iterator<Item = InstanceId> {
        let all = self.connections.iter();
        all.filter(|(_, c)| !matches!(c.side, Side::Instance(..)))
            .filter_map(|(_, c)| c.instance.known())
    }

    /// Whether somebody waits for what has just come free.
    #[inline]
    pub(super) fn somebody_may_go_on(&self) -> bool {
        !self.to_serve.is_empty()
    }
}

impl Simulation {
    /// Whose connection an attempt needs on a hop.
    fn side(&self, handle: Handle, hop: Hop, terms: &Terms) -> Side {
        let attempt = &self.attempts[handle];
        if hop == Hop::Server {
            return Side::Instance(attempt.instance, attempt.server);
        }
        let call = &self.calls[attempt.call];
        if !call.parent.is_none() {
            return Side::Call(call.client, self.calling_machine(call));
        }
        let key = match terms.owner {
            Owner::Key => call.key,
            Owner::Source => 0,
        };
        Side::Outside(source_of(call.number), key)
    }

    fn path_of(&self, handle: Handle, hop: Hop) -> Option<&Arc<Path>> {
        let attempt = &self.attempts[handle];
        match hop {
            Hop::Caller => self.links.of_caller(self.calls[attempt.call].client),
            Hop::Server => self.fleet.cold[attempt.server].path.as_ref(),
        }
    }

    /// Sees to it that an attempt has a connection before it is sent. False: it waits for one, or
    /// was turned away.
    pub(super) fn connect(&mut self, handle: Handle, hop: Hop) -> bool {
        let Some(terms) = self.path_of(handle, hop).and_then(|path| path.connections) else {
            return true;
        };
        let side = self.side(handle, hop, &terms);
        let pool = self
            .pools
            .by_side
            .entry(side)
            .or_insert_with(|| Pool::new(terms));
        if pool.terms != terms {
            // Those that are open take nothing new.
            pool.open.clear();
            pool.terms = terms;
        }
        let first_in_line = pool.waiting == 0;
        if first_in_line && self.take(handle, hop, side) {
            return true;
        }
        let service = self.attempts[handle].service;
        let pool = self
            .pools
            .by_side
            .entry(side)
            .or_insert_with(|| Pool::new(terms));
        if pool.waiting >= terms.queue {
            self.attempts[handle].place = Place::Underway;
            self.not_connected(handle, Outcome::Unavailable);
            return false;
        }
        pool.line.push_back(handle);
        pool.waiting += 1;
        // It is not searched for in the line when it goes away, but passed over later.
        if pool.line.len() > 64 + 2 * pool.waiting as usize {
            let (of_attempt, attempts) = (&self.pools.of_attempt, &self.attempts);
            (pool.line).retain(|&other| Pools::waits_in(of_attempt, attempts, other, side));
        }
        self.pools.use_mut(handle).line = Some(side);
        self.pools.counts[service][hop as usize].waited += 1;
        self.attempts[handle].place = Place::Unconnected;
        if let Some(wait) = terms.wait {
            self.after(wait.0, Event::Unconnected(handle));
        }
        false
    }

    /// Gives an attempt a connection that can be had at once: one that is there, or a new one.
    fn take(&mut self, handle: Handle, hop: Hop, side: Side) -> bool {
        let now = self.now;
        let Some(pool) = self.pools.by_side.get_mut(&side) else {
            return false;
        };
        let mut go = Vec::new();
        let mut usable = pool.usable(now, &mut self.pools.connections, &mut go);
        for old in go {
            self.close(old, None);
        }
        if usable.is_none() {
            let pool = self.pools.by_side.get(&side);
            let full = pool.is_some_and(|p| p.terms.limit.is_some_and(|limit| p.taking >= limit));
            if full {
                return false;
            }
            usable = Some(self.open(handle, hop, side));
        }
        let Some(found) = usable else { return false };
        let connection = &mut self.pools.connections[found];
        connection.carries += 1;
        connection.requests += 1;
        self.pools.use_mut(handle).taken[hop as usize] = found;
        true
    }

    /// Opens a connection for an attempt.
    fn open(&mut self, handle: Handle, hop: Hop, side: Side) -> Handle {
        let Attempt {
            service,
            server,
            number,
            ..
        } = self.attempts[handle];
        let ordinal = self.attempts.cold(handle).ordinal;
        let path = self.path_of(handle, hop).map(Arc::clone);
        let Some((path, terms)) = path.and_then(|p| p.connections.map(|terms| (p, terms))) else {
            unreachable!("a link without connections opens none")
        };
        let server = if hop == Hop::Server {
            server
        } else {
            ServerId::NONE
        };
        let down = match hop {
            Hop::Server => (!self.fleet[server].state.serves())
                .then_some(self.fleet.cold[server].params.down_behaviour),
            Hop::Caller => {
                let s = &self.services[service];
                let mut active = s.active.iter();
                let serves = active.any(|&i| self.balancers[i].state.serves());
                (!serves).then_some(s.down_behaviour)
            }
        };
        let ready = match down {
            None => {
                let streams = self.links.opening(hop);
                let handshake = path.handshake(terms.round_trips, streams, number, ordinal);
                handshake.map_or(u64::MAX, |ns| {
                    self.now.saturating_add(ns).saturating_add(terms.open.0)
                })
            }
            // It is told so in place of the first answer.
            Some(DownBehaviour::Refuse) => self.now,
            Some(DownBehaviour::BlackHole) => u64::MAX,
        };
        let expires = terms.max_age.map_or(u64::MAX, |age| {
            let mut draws = self.pools.ages.of_attempt(number, ordinal);
            let factor = 1.0 + terms.jitter * (2.0 * draws.uniform() - 1.0);
            let age = Duration::from_nanos_f64(age.0 as f64 * factor);
            self.now.saturating_add(age.0)
        });
        let connection = self.pools.connections.insert(Connection {
            side,
            service,
            instance: InstanceId::NONE,
            server,
            number: self.pools.opened,
            opened: self.now,
            ready,
            carries: 0,
            requests: 0,
            expires,
            idle_since: self.now,
            timer: u64::MAX,
            leaving: false,
        });
        if let Some(server) = server.known() {
            self.pools.at_server[server] += 1;
        }
        let count = &mut self.pools.counts[service][hop as usize];
        count.opened += 1;
        self.pools.opened += 1;
        count.open += 1;
        count.peak = count.peak.max(count.open);
        let pool = self
            .pools
            .by_side
            .entry(side)
            .or_insert_with(|| Pool::new(terms));
        pool.count += 1;
        pool.taking += 1;
        if terms.streams > 1 {
            pool.open.push_back(connection);
        }
        connection
    }

    /// An attempt gives its connection back, its sender knowing how it ended.
    #[inline]
    pub(super) fn disconnect(&mut self, handle: Handle, hop: Hop, outcome: Outcome) {
        if self.pools.any {
            self.give_back_connection(handle, hop, outcome);
        }
    }

    #[inline(never)]
    fn give_back_connection(&mut self, handle: Handle, hop: Hop, outcome: Outcome) {
        let taken = &mut self.pools.use_mut(handle).taken[hop as usize];
        let found = std::mem::take(taken);
        if found.is_none() || !self.pools.connections.contains(found) {
            return;
        }
        let now = self.now;
        let connection = &mut self.pools.connections[found];
        connection.carries -= 1;
        let pool = self.pools.by_side.get_mut(&connection.side);
        let Some(pool) = pool else {
            return self.close(found, None);
        };
        // An error of what lies behind the balancer does not break its callers' connections, unless
        // these lead there themselves.
        let leads_there = hop == Hop::Server || connection.server != ServerId::NONE;
        let reached = hop == Hop::Server || connection.instance != InstanceId::NONE;
        let breaks = match outcome {
            Outcome::Refused | Outcome::Reset | Outcome::ConnectTimedOut => leads_there || !reached,
            // The answer would come all the same, and be taken for that of the next request.
            Outcome::TimedOut | Outcome::Cancelled => {
                pool.terms.streams == 1 || connection.ready > now
            }
            _ => !reached,
        };
        let most = pool.terms.max_requests.unwrap_or(u64::MAX);
        if connection.requests >= most || now >= connection.expires {
            pool.taking -= u32::from(connection.leave());
        }
        if breaks {
            return self.close(found, Some(outcome));
        }
        if connection.carries == 0 {
            if connection.leaving {
                return self.close(found, None);
            }
            connection.idle_since = now;
            if pool.terms.streams == 1 {
                let surplus = if pool.terms.keep_counts_all {
                    pool.count > pool.terms.keep
                } else {
                    pool.waiting == 0 && pool.open.len() >= pool.terms.keep as usize
                };
                if surplus {
                    pool.freed = now;
                    return self.close(found, None);
                }
                pool.open.push_back(found);
            }
        }
        pool.freed = now;
        let waiting = pool.waiting > 0;
        let side = connection.side;
        if waiting {
            self.pools.to_serve.push(side);
        } else {
            self.plan_look(found);
        }
    }

    /// Plans when a connection is looked at that has nothing to do, unless that is planned.
    fn plan_look(&mut self, found: Handle) {
        let Some(due) = self.idle_until(found) else {
            return;
        };
        let connection = &mut self.pools.connections[found];
        if due < connection.timer {
            connection.timer = due;
            self.events.schedule(due, Event::ConnectionDue(found));
        }
    }

    /// Until when a connection is kept without a request; `None`: for ever, or it carries some.
    fn idle_until(&self, found: Handle) -> Option<u64> {
        let connection = &self.pools.connections[found];
        if connection.carries > 0 {
            return None;
        }
        let idle = self.pools.by_side.get(&connection.side)?.terms.idle;
        let until = idle.map_or(u64::MAX, |idle| {
            connection.idle_since.saturating_add(idle.0)
        });
        let until = until.min(connection.expires);
        (until != u64::MAX).then_some(until)
    }

    /// A connection is looked at: it may have been without a request for too long, or be too old.
    pub(super) fn connection_due(&mut self, found: Handle) {
        if !self.pools.connections.contains(found)
            || self.pools.connections[found].timer != self.now
        {
            return;
        }
        self.pools.connections[found].timer = u64::MAX;
        match self.idle_until(found) {
            Some(until) if until <= self.now => self.close(found, None),
            Some(_) => self.plan_look(found),
            None => {}
        }
    }

    /// Closes a connection. `because`: something on it failed, or an end of it is gone.
    fn close(&mut self, found: Handle, because: Option<Outcome>) {
        let connection = self.pools.connections[found].clone();
        self.pools.connections.remove(found);
        let hop = match connection.side {
            Side::Instance(..) => Hop::Server,
            Side::Outside(..) | Side::Call(..) => Hop::Caller,
        };
        let count = &mut self.pools.counts[connection.service][hop as usize];
        count.open -= 1;
        count.broken += u64::from(because.is_some());
        if let Some(server) = connection.server.known() {
            self.pools.at_server[server] -= 1;
        }
        if let Some(pool) = self.pools.by_side.get_mut(&connection.side) {
            pool.count -= 1;
            pool.taking -= u32::from(!connection.leaving);
            if pool.terms.streams > 1 {
                pool.open.retain(|&other| other != found);
            }
            if pool.waiting > 0 {
                self.pools.to_serve.push(connection.side);
            } else if pool.count == 0 {
                self.pools.by_side.remove(&connection.side);
            }
        }
        if hop == Hop::Caller && connection.instance != InstanceId::NONE {
            self.instance_loses(&connection, because);
        }
    }

    /// The connection of a caller is gone from the books of its balancer instance.
    fn instance_loses(&mut self, connection: &Connection, because: Option<Outcome>) {
        let index = connection.instance;
        self.balancers[index].connections -= 1;
        let local = (connection.server.known()).map(|server| self.fleet[server].local);
        if let Some(server) = connection.server.known() {
            let outcome = because.unwrap_or(Outcome::Succeeded);
            let took = Duration(self.now - connection.opened);
            self.forget_one(index, server, outcome, took);
        }
        if !self.balancers[index].pending.is_empty() {
            self.balancers[index].pending.note_freed(local);
            self.balancers.to_drain.push(index);
        }
        self.watch_instance(index);
    }

    /// One attempt, or connection, fewer at a server in the books of a balancer instance.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "nearly every request comes here, from one place"
    )]
    pub(super) fn forget_one(
        &mut self,
        index: InstanceId,
        server: ServerId,
        outcome: Outcome,
        took: Duration,
    ) {
        let local = self.fleet[server].local;
        let instance = &mut self.balancers[index];
        let before = instance.in_flight[local];
        instance.in_flight[local] = before - 1;
        if instance.observes {
            let now = Instant(self.now);
            (instance.policy).on_finished(now, local.position(), before - 1, outcome, took);
        }
        let service = &self.services[instance.service];
        if service.limited && !instance.sees_full && before == service.limits[local] {
            self.refresh_offer(index, local);
        }
    }

    /// Where the connection leads on which an attempt has come to the balancer. `Err`: it has been
    /// closed while the attempt was under way.
    #[inline]
    pub(super) fn accepted_by(&self, handle: Handle) -> Result<Option<InstanceId>, ()> {
        if !self.pools.any {
            return Ok(None);
        }
        let found = self.pools.of(handle, Hop::Caller);
        if found.is_none() {
            return Ok(None);
        }
        if !self.pools.connections.contains(found) {
            return Err(());
        }
        Ok(self.pools.connections[found].instance.known())
    }

    /// A balancer instance takes an attempt. Whether it counts there itself, and not the connection
    /// over which it came.
    #[inline]
    pub(super) fn accept(&mut self, handle: Handle, index: InstanceId) -> bool {
        if !self.pools.any {
            return true;
        }
        let found = self.pools.of(handle, Hop::Caller);
        if found.is_none() {
            return true;
        }
        self.pools.use_mut(handle).accepted = true;
        let connection = &mut self.pools.connections[found];
        let known = connection.instance == index;
        connection.instance = index;
        !known
    }

    /// The server to which the connection of an attempt leads.
    pub(super) fn bound_to(&self, handle: Handle) -> Option<LocalId> {
        let found = self.pools.of(handle, Hop::Caller);
        let bound =
            (self.pools.connections.contains(found)).then(|| &self.pools.connections[found]);
        let server = bound.and_then(|connection| connection.server.known())?;
        Some(self.fleet[server].local)
    }

    /// From now on all that comes over an attempt's connection goes to one server. Whether the
    /// balancer's books count one more there.
    pub(super) fn bind(&mut self, handle: Handle, server: ServerId) -> bool {
        let found = self.pools.of(handle, Hop::Caller);
        if !self.pools.connections.contains(found) {
            return true;
        }
        self.pools.use_mut(handle).bound = true;
        let connection = &mut self.pools.connections[found];
        if connection.server == server {
            return false;
        }
        connection.server = server;
        self.pools.at_server[server] += 1;
        true
    }

    /// An attempt cannot be sent for want of a connection.
    fn not_connected(&mut self, handle: Handle, outcome: Outcome) {
        if self.attempts[handle].server == ServerId::NONE {
            // The caller itself notices.
            let attempt = &mut self.attempts[handle];
            (attempt.place, attempt.outcome) = (Place::Answered, outcome);
            self.answer(handle);
        } else {
            self.pass_on(handle, outcome);
        }
    }

    /// An attempt has waited long enough for a connection.
    pub(super) fn unconnected(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Unconnected {
            if let Some(due) = self.waits_on_until(handle) {
                return self.events.schedule(due, Event::Unconnected(handle));
            }
            self.leave_line(handle);
            self.not_connected(handle, Outcome::ConnectTimedOut);
        }
    }

    /// Until when an attempt goes on waiting for a connection because one has come free meanwhile.
    fn waits_on_until(&self, handle: Handle) -> Option<u64> {
        let pool = self.pools.by_side.get(&self.pools.use_of(handle).line?)?;
        let wait = pool.terms.wait.filter(|_| pool.terms.wait_restarts)?;
        let due = pool.freed.saturating_add(wait.0);
        (due > self.now).then_some(due)
    }

    /// An attempt waits for a connection no longer.
    pub(super) fn leave_line(&mut self, handle: Handle) {
        self.pools.leave_line(handle);
        self.attempts[handle].place = Place::Underway;
    }

    /// The hop before which an attempt waits for a connection.
    fn hop_ahead(&self, handle: Handle) -> Hop {
        if self.attempts[handle].server == ServerId::NONE {
            Hop::Caller
        } else {
            Hop::Server
        }
    }

    /// Gives what has come free to those who wait for it.
    pub(super) fn serve_lines(&mut self) {
        while let Some(side) = self.pools.to_serve.pop() {
            while let Some(pool) = self.pools.by_side.get_mut(&side) {
                if pool.waiting == 0 {
                    if pool.count == 0 {
                        self.pools.by_side.remove(&side);
                    }
                    break;
                }
                let Some(&handle) = pool.line.front() else {
                    break;
                };
                if !Pools::waits_in(&self.pools.of_attempt, &self.attempts, handle, side) {
                    pool.line.pop_front();
                    continue;
                }
                let hop = self.hop_ahead(handle);
                let kept = self
                    .path_of(handle, hop)
                    .is_some_and(|p| p.connections.is_some());
                if kept && !self.take(handle, hop, side) {
                    break;
                }
                if let Some(pool) = self.pools.by_side.get_mut(&side) {
                    pool.line.pop_front();
                }
                self.leave_line(handle);
                match hop {
                    Hop::Caller => self.leave_caller(handle),
                    Hop::Server => self.leave_balancer(handle),
                }
            }
        }
    }

    /// Connections of which something is true are closed: one end is gone.
    fn close_all(&mut self, which: impl Fn(&Connection) -> bool) {
        if self.pools.any {
            for connection in self.connections_where(which) {
                self.close(connection, Some(Outcome::Reset));
            }
        }
    }

    /// A server is gone: connections to it, and those that it had to others.
    pub(super) fn server_disconnects(&mut self, server: ServerId) {
        if !self.pools.any {
            return;
        }
        let s = &self.fleet[server];
        let calls = &self.services[s.service].settings.calls;
        let clients: Vec<ClientId> = calls.iter().map(|call| call.client).collect();
        let local = s.local.0;
        let sides = &self.pools.by_side;
        if !(clients.iter()).any(|&client| sides.contains_key(&Side::Call(client, local))) {
            for connection in self.connections_to(server) {
                self.close(connection, Some(Outcome::Reset));
            }
            return;
        }
        self.close_all(|connection| {
            let own = |side| matches!(side, Side::Call(client, from) if from == local && clients.contains(&client));
            connection.server == server || own(connection.side)
        });
    }

    /// A server is about to go: its connections take nothing new.
    pub(super) fn connections_leave(&mut self, server: ServerId) {
        let found = self.connections_to(server);
        self.retire(found);
    }

    /// Connections that lead to a server, in their order: looked up once for all servers that are dealt
    /// with together.
    fn connections_to(&mut self, server: ServerId) -> Vec<Handle> {
        let pools = &mut self.pools;
        let count = pools.at_server[server] as usize;
        if count == 0 {
            return Vec::new();
        }
        if self.residents.together {
            let known = pools.by_server.get_or_insert_with(|| {
                self.progress.look_at(pools.connections.len());
                let all = pools.connections.iter();
                let mut all: Vec<_> = all.map(|(handle, c)| (c.server, handle)).collect();
                all.sort_by_key(|&(server, _)| server);
                all
            });
            let first = known.partition_point(|&(other, _)| other < server);
            let here = known[first..]
                .iter()
                .take_while(|(other, _)| *other == server);
            let all = &pools.connections;
            let leads = |handle: &Handle| all.contains(*handle) && all[*handle].server == server;
            let found: Vec<Handle> = here.map(|&(_, handle)| handle).filter(leads).collect();
            if found.len() == count {
                return found;
            }
        }
        self.connections_where(|connection| connection.server == server)
    }

    fn connections_where(&mut self, which: impl Fn(&Connection) -> bool) -> Vec<Handle> {
        self.progress.look_at(self.pools.connections.len());
        let all = self.pools.connections.iter();
        all.filter(|(_, c)| which(c)).map(|(h, _)| h).collect()
    }

    /// Connections carry what they carry, and are closed then.
    fn retire(&mut self, found: Vec<Handle>) {
        for found in found {
            let connection = &mut self.pools.connections[found];
            if connection.carries == 0 {
                self.close(found, None);
            } else if connection.leave()
                && let Some(pool) = self.pools.by_side.get_mut(&connection.side)
            {
                pool.taking -= 1;
            }
        }
    }

    /// A balancer instance is gone, with the connections of its callers, those to its servers and those
    /// of its routes.
    pub(super) fn instance_disconnects(&mut self, index: InstanceId) {
        if !self.pools.any {
            return;
        }
        let number = self.balancers.number_of(index);
        let routes = &self.services[self.balancers[index].service]
            .settings
            .balancer
            .routes;
        let clients: Vec<ClientId> = routes.iter().map(|route| route.client).collect();
        self.close_all(|connection| {
            let own = match connection.side {
                Side::Instance(instance, _) => instance == index,
                Side::Call(client, from) => from == number && clients.contains(&client),
                Side::Outside(..) => false,
            };
            connection.instance == index || own
        });
    }

    /// What a link says of connections has changed: those that are open carry what they carry and
    /// take nothing new.
    pub(super) fn renew_connections(&mut self, service: ServiceId) {
        if !std::mem::replace(&mut self.pools.any, true) {
            // Several may wait that share a connection: rules on queues look at more than connections.
            for instance in self.balancers.instances.ids() {
                self.heed_instance(instance);
                self.watch_instance(instance);
            }
        }
        // What follows has followed already, unless one was opened since.
        let state = Some((service, self.pools.opened));
        if self.residents.together && std::mem::replace(&mut self.pools.renewed, state) == state {
            return;
        }
        let found = self.connections_where(|connection| connection.service == service);
        self.retire(found);
        let lines = self
            .pools
            .by_side
            .iter()
            .filter(|(_, pool)| pool.waiting > 0);
        self.pools.to_serve.extend(lines.map(|(&side, _)| side));
    }

    /// What the connections of each hop did so far, where there ever were any.
    pub fn pool_figures(&self) -> Vec<PoolFigures> {
        let services = self.model.services.iter().zip(&self.pools.counts);
        let hops = services.flat_map(|(service, counts)| {
            let names = ["link", "balancer.link"];
            let at = move |name| format!("service.{}.{name}", service.name);
            names.into_iter().map(at).zip(counts)
        });
        let used = hops.filter(|(_, count)| count.opened > 0);
        used.map(|(at, count)| PoolFigures {
            at,
            opened: count.opened,
            broken: count.broken,
            waited: count.waited,
            open: count.open,
            peak: count.peak,
        })
        .collect()
    }

    /// Which of those that make a call a call comes from, by its number in its service.
    pub(super) fn calling_machine(&self, call: &Call) -> u32 {
        if !self.attempts.contains(call.parent) {
            return 0;
        }
        let Attempt {
            server, instance, ..
        } = self.attempts[call.parent];
        match server.known() {
            Some(server) => self.fleet[server].local.0,
            None => (instance.known()).map_or(0, |instance| self.balancers.number_of(instance)),
        }
    }
}
