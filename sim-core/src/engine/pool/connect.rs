//! An attempt's way through connections: it takes one or waits in line, and gives it back.

use super::super::Simulation;
use super::super::attempt::{Attempt, Place};
use super::super::event::Event;
use super::super::link::Path;
use super::super::slab::Handle;
use super::super::source::source_of;
use super::{Connection, Hop, Pool, Pools, Side};
use crate::connection::{Owner, Terms};
use crate::ids::{Id, InstanceId, LocalId, ServerId};
use crate::model::DownBehaviour;
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::sync::Arc;

impl Simulation {
    /// Whose connection an attempt needs on a hop.
    pub(super) fn side(&self, handle: Handle, hop: Hop, terms: &Terms) -> Side {
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

    pub(super) fn path_of(&self, handle: Handle, hop: Hop) -> Option<&Arc<Path>> {
        let attempt = &self.attempts[handle];
        match hop {
            Hop::Caller => self.links.of_caller(self.calls[attempt.call].client),
            Hop::Server => self.fleet.cold[attempt.server].path.as_ref(),
        }
    }

    /// Sees to it that an attempt has a connection before it is sent. False: it waits for one, or
    /// was turned away.
    pub(in crate::engine) fn connect(&mut self, handle: Handle, hop: Hop) -> bool {
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
    pub(super) fn take(&mut self, handle: Handle, hop: Hop, side: Side) -> bool {
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
    pub(super) fn open(&mut self, handle: Handle, hop: Hop, side: Side) -> Handle {
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
    pub(in crate::engine) fn disconnect(&mut self, handle: Handle, hop: Hop, outcome: Outcome) {
        if self.pools.any {
            self.give_back_connection(handle, hop, outcome);
        }
    }

    #[inline(never)]
    pub(super) fn give_back_connection(&mut self, handle: Handle, hop: Hop, outcome: Outcome) {
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
    pub(super) fn plan_look(&mut self, found: Handle) {
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
    pub(super) fn idle_until(&self, found: Handle) -> Option<u64> {
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
    pub(in crate::engine) fn connection_due(&mut self, found: Handle) {
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
    pub(super) fn close(&mut self, found: Handle, because: Option<Outcome>) {
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
    pub(super) fn instance_loses(&mut self, connection: &Connection, because: Option<Outcome>) {
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
    pub(in crate::engine) fn forget_one(
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
            self.place_turned(index, local);
        }
    }

    /// Where the connection leads on which an attempt has come to the balancer. `Err`: it has been
    /// closed while the attempt was under way.
    #[inline]
    pub(in crate::engine) fn accepted_by(&self, handle: Handle) -> Result<Option<InstanceId>, ()> {
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
    pub(in crate::engine) fn accept(&mut self, handle: Handle, index: InstanceId) -> bool {
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
    pub(in crate::engine) fn bound_to(&self, handle: Handle) -> Option<LocalId> {
        let found = self.pools.of(handle, Hop::Caller);
        let bound =
            (self.pools.connections.contains(found)).then(|| &self.pools.connections[found]);
        let server = bound.and_then(|connection| connection.server.known())?;
        Some(self.fleet[server].local)
    }

    /// From now on all that comes over an attempt's connection goes to one server. Whether the
    /// balancer's books count one more there.
    pub(in crate::engine) fn bind(&mut self, handle: Handle, server: ServerId) -> bool {
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
    pub(super) fn not_connected(&mut self, handle: Handle, outcome: Outcome) {
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
    pub(in crate::engine) fn unconnected(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Unconnected {
            if let Some(due) = self.waits_on_until(handle) {
                return self.events.schedule(due, Event::Unconnected(handle));
            }
            self.leave_line(handle);
            self.not_connected(handle, Outcome::ConnectTimedOut);
        }
    }

    /// Until when an attempt goes on waiting for a connection because one has come free meanwhile.
    pub(super) fn waits_on_until(&self, handle: Handle) -> Option<u64> {
        let pool = self.pools.by_side.get(&self.pools.use_of(handle).line?)?;
        let wait = pool.terms.wait.filter(|_| pool.terms.wait_restarts)?;
        let due = pool.freed.saturating_add(wait.0);
        (due > self.now).then_some(due)
    }

    /// An attempt waits for a connection no longer.
    pub(in crate::engine) fn leave_line(&mut self, handle: Handle) {
        self.pools.leave_line(handle);
        self.attempts[handle].place = Place::Underway;
    }

    /// The hop before which an attempt waits for a connection.
    pub(super) fn hop_ahead(&self, handle: Handle) -> Hop {
        if self.attempts[handle].server == ServerId::NONE {
            Hop::Caller
        } else {
            Hop::Server
        }
    }

    /// Gives what has come free to those who wait for it.
    pub(in crate::engine) fn serve_lines(&mut self) {
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
}
