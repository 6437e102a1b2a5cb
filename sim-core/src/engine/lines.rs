//! Who waits for a place at a server: for one server alone, or for whichever has a place first.
//!
//! Most policies are shown servers that have a place and no others, and whoever finds none waits in the
//! pending queue until the policy has a choice. A policy that sees full servers
//! ([`Policy::sees_full`](crate::policy::Policy::sees_full)) decides itself who waits for which: then a
//! place that becomes free goes to the oldest of those that wait for its server and of those that wait
//! for any, without another choice, as queues of proxies work.
//!
//! Limits may depend on how much an instance has to do: `max_connections` is then what a server
//! gets once the instance holds `full_connections` attempts, and with fewer proportionally less.

use super::Simulation;
use super::attempt::{Attempt, Place};
use super::event::Event;
use super::service::Service;
use super::slab::Handle;
use crate::ids::{Id, InstanceId, LocalId, Table};
use crate::model::OutOfService;
use crate::outcome::Outcome;
use crate::policy::Lines;
use std::collections::VecDeque;

/// An attempt in a pending queue.
#[derive(Clone, Copy)]
pub(super) struct Waiter {
    pub handle: Handle,
    /// The server that it waits for; none if any will do.
    pub server: LocalId,
}

impl Service {
    /// Whether a server has no place left with so many attempts of an instance.
    #[inline]
    pub(super) fn fills(&self, local: LocalId, in_flight: u32) -> bool {
        self.limited && in_flight >= self.limits[local]
    }

    /// How many attempts an instance that holds so many gives a server at once.
    fn limit(&self, local: LocalId, held: u32) -> u32 {
        let (limit, least) = (self.limits[local], self.least_limits[local]);
        match self.full_connections {
            Some(full) if held < full && least < limit => {
                let part = u64::from(held) * u64::from(limit) / u64::from(full);
                least.max(part as u32)
            }
            _ => limit,
        }
    }
}

/// Attempts that wait at a balancer instance for a place at a server.
#[derive(Clone)]
pub(super) struct Pending {
    waiters: VecDeque<Waiter>,
    /// How many of them wait for each server and no other, and in all.
    bound: Table<LocalId, u32>,
    bound_count: u32,
    /// Servers that have a place since somebody left, and whether others may have one as well.
    freed: Vec<LocalId>,
    pub all_freed: bool,
    /// Limits of the servers as they are now, where they depend on how much the instance holds.
    limits: Vec<u32>,
}

impl Pending {
    pub(super) fn new(servers: usize) -> Self {
        Self {
            waiters: VecDeque::new(),
            bound: Table::filled(servers, 0),
            bound_count: 0,
            freed: Vec::new(),
            all_freed: false,
            limits: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Who waits longest.
    pub(super) fn front(&self) -> Option<&Waiter> {
        self.waiters.front()
    }

    fn unbound(&self) -> u32 {
        self.waiters.len() as u32 - self.bound_count
    }

    /// Works out limits as they are with so many attempts held, where they depend on that.
    #[inline]
    pub(super) fn take_limits(&mut self, service: &Service, held: u32) {
        if service.full_connections.is_some() {
            let limits = service.limits.ids();
            self.limits.clear();
            (self.limits).extend(limits.map(|local| service.limit(local, held)));
        }
    }

    /// What a policy that sees full servers is shown of limits and of those that wait.
    pub(super) fn lines<'a>(&'a self, service: &'a Service) -> Lines<'a> {
        let pending = service.settings.balancer.pending_queue;
        Lines {
            limits: if service.full_connections.is_some() {
                &self.limits
            } else {
                service.limits.as_slice()
            },
            bound: self.bound.as_slice(),
            bound_limit: pending.map_or(0, |pending| pending.per_server),
            bound_limits: &service.bound_limits,
            unbound: self.unbound(),
        }
    }

    /// An attempt begins to wait, for a server or for any.
    fn begin(&mut self, handle: Handle, server: LocalId) {
        self.waiters.push_back(Waiter { handle, server });
        if server != LocalId::NONE {
            self.bound[server] += 1;
            self.bound_count += 1;
        }
    }

    /// Whoever waits at a place of the queue waits no longer.
    pub(super) fn end(&mut self, place: usize) -> Option<Waiter> {
        let waiter = self.waiters.remove(place)?;
        if waiter.server != LocalId::NONE {
            self.bound[waiter.server] -= 1;
            self.bound_count -= 1;
        }
        Some(waiter)
    }

    /// An attempt waits no longer, if it did.
    pub(super) fn leave(&mut self, handle: Handle) {
        let mut waiters = self.waiters.iter();
        if let Some(place) = waiters.position(|waiter| waiter.handle == handle) {
            self.end(place);
        }
    }

    /// Somebody has left who may have been at a server.
    pub(super) fn note_freed(&mut self, server: Option<LocalId>) {
        self.freed.extend(server);
    }

    /// Who has a place is of no interest.
    pub(super) fn forget_freed(&mut self) {
        self.freed.clear();
    }

    /// Nobody waits any more.
    pub(super) fn clear(&mut self) {
        while self.end(0).is_some() {}
        self.freed.clear();
    }

    /// The oldest that waits for a server, or for any if the server takes such.
    fn next_for(&self, server: LocalId, takes_any: bool) -> Option<usize> {
        if self.bound[server] == 0 && (self.unbound() == 0 || !takes_any) {
            return None;
        }
        self.waiters.iter().position(|waiter| {
            waiter.server == server || takes_any && waiter.server == LocalId::NONE
        })
    }
}

impl Simulation {
    /// Sends an attempt to the server chosen for it, or lets it wait there.
    #[inline]
    pub(super) fn place(&mut self, handle: Handle, local: LocalId) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        if self.services[service].limited && self.balancers[instance].sees_full {
            self.place_in_line(handle, local);
        } else {
            self.assign(handle, local);
        }
    }

    #[inline(never)]
    fn place_in_line(&mut self, handle: Handle, local: LocalId) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        let held = &self.balancers[instance];
        let limit = self.services[service].limit(local, held.connections);
        if held.pending.bound[local] == 0 && held.in_flight[local] < limit {
            return self.assign(handle, local);
        }
        let most = held
            .pending
            .lines(&self.services[service])
            .bound_limit(local.position());
        if most > 0 && held.pending.bound[local] >= most {
            return self.reply(handle, Outcome::Unavailable);
        }
        self.wait_for(handle, local);
    }

    /// An attempt waits for a server, or for any, if there is room.
    pub(super) fn wait_for(&mut self, handle: Handle, local: LocalId) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        let Some(pending) = self.services[service].settings.balancer.pending_queue else {
            return self.reply(handle, Outcome::Unavailable);
        };
        let waiting = &mut self.balancers[instance];
        if waiting.pending.len() >= pending.limit as usize {
            return self.reply(handle, Outcome::Unavailable);
        }
        waiting.pending.begin(handle, local);
        self.attempts[handle].place = Place::Pending;
        if let Some(timeout) = pending.timeout {
            self.after(timeout.0, Event::PendingTimeout(handle));
        }
    }

    /// Places that have become free go to those that wait longest for them.
    #[inline(never)]
    pub(super) fn drain_lines(&mut self, index: InstanceId) {
        let freed = std::mem::take(&mut self.balancers[index].pending.freed);
        // Whoever made room counts as held until the place is taken.
        for local in freed {
            self.serve_line(index, local, 1);
        }
        if !std::mem::take(&mut self.balancers[index].pending.all_freed) {
            return;
        }
        if !self.balancers[index].offers.are_known() {
            self.tell_policy(index);
        }
        self.place_anew(index);
        let eligible = self.balancers[index].eligible.clone();
        for server in eligible {
            self.serve_line(index, LocalId::at(server as usize), 0);
        }
    }

    /// Attempts that wait for a server take its places. So many more than now were held a moment ago.
    fn serve_line(&mut self, index: InstanceId, local: LocalId, more: u32) {
        loop {
            let instance = &self.balancers[index];
            let service = &self.services[instance.service];
            let limit = service.limit(local, instance.connections.saturating_add(more));
            let usable = instance.offers.is_eligible(local) && instance.weights[local] > 0.0;
            if instance.pending.is_empty() || instance.in_flight[local] >= limit {
                return;
            }
            let Some(place) = instance.pending.next_for(local, usable) else {
                return;
            };
            if let Some(waiter) = self.balancers[index].pending.end(place) {
                self.assign(waiter.handle, local);
            }
        }
    }

    /// Those that wait for a server that may not be picked any more are placed again, where they are to move.
    fn place_anew(&mut self, index: InstanceId) {
        let instance = &self.balancers[index];
        let pending = &self.services[instance.service]
            .settings
            .balancer
            .pending_queue;
        let moves = pending.is_some_and(|pending| pending.out_of_service == OutOfService::Moves);
        if !moves || instance.pending.bound_count == 0 {
            return;
        }
        let mut out: Vec<Handle> = Vec::new();
        let mut place = 0;
        while let Some(waiter) = self.balancers[index].pending.waiters.get(place).copied() {
            let instance = &self.balancers[index];
            if waiter.server != LocalId::NONE && !instance.offers.is_eligible(waiter.server) {
                out.extend(self.balancers[index].pending.end(place).map(|w| w.handle));
            } else {
                place += 1;
            }
        }
        for handle in out {
            self.seek_server(handle);
        }
    }
}
