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

mod close;
mod connect;

use super::attempt::Attempts;
use super::slab::{Handle, Slab, Slot};
use crate::connection::{Reuse, Terms};
use crate::draws::Stream;
use crate::ids::{ClientId, InstanceId, ServerId, ServiceId, SourceId, Table};
use crate::model::Model;
use std::collections::{BTreeMap, VecDeque};

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
