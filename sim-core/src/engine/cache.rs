//! Caches at calls: what a server has been told is not asked for again.
//!
//! A call with a cache is looked up by the key of its request when the stage of the visit begins that it
//! belongs to. What is there and fresh is a hit, and the call is not made; a miss makes it, and an
//! answer is kept. Where equal misses are coalesced, only the first of them goes out, and the others end
//! as it ends. A server's cache is empty when it starts; one that all servers share outlives them.

use super::Simulation;
use super::event::Event;
use super::slab::Handle;
use crate::event_log::Kind;
use crate::ids::{LocalId, ServerId, ServiceId, Table};
use crate::model::{Actor, Cache, Model};
use crate::outcome::Outcome;
use std::collections::BTreeMap;
use std::ops::Range;

/// So many calls of a service, the first of its list, can have a cache: as a scenario is told.
pub(super) const CACHED: usize = crate::model::CACHED_CALLS;

/// All caches, and what is being fetched for them.
#[derive(Clone)]
pub(super) struct Caches {
    /// Whether there are any.
    pub any: bool,
    /// By service and position in its list of calls.
    of: Table<ServiceId, Vec<Option<CallCache>>>,
    /// Calls that fetch something, by whom they fetch it for.
    fetching: BTreeMap<Handle, Wanted>,
    /// Of what is coalesced: who waits for the one that fetches it.
    waiting: BTreeMap<Wanted, Vec<Handle>>,
    /// The same by who waits, with how that is to end once it is known.
    waits: BTreeMap<Handle, Waits>,
}

/// Something that a cache lacks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    service: ServiceId,
    call: u16,
    server: LocalId,
    key: u64,
}

#[derive(Clone, Copy)]
enum Waits {
    For(Wanted),
    EndsAs(Outcome),
}

/// The caches of a call: one for each server, or one for all.
#[derive(Clone)]
struct CallCache {
    settings: Cache,
    stores: BTreeMap<LocalId, Store>,
    seen: Seen,
    /// The same up to the end of each interval.
    by_interval: Vec<Seen>,
}

/// What came of a call that has a cache before it.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Times it was to be made.
    wanted: u64,
    /// Times it was not, since the answer was there, or on its way for another.
    spared: u64,
}

impl CallCache {
    /// The share of calls that went through in some intervals; of the whole run, where none was to be made
    /// in them.
    fn passed(&self, window: &Range<usize>) -> f64 {
        let upto = |end: usize| match end.checked_sub(1) {
            Some(last) => self.by_interval.get(last).copied().unwrap_or(self.seen),
            None => Seen::default(),
        };
        let (before, after) = (upto(window.start), upto(window.end));
        let (mut wanted, mut spared) = (after.wanted - before.wanted, after.spared - before.spared);
        if wanted == 0 {
            (wanted, spared) = (self.seen.wanted, self.seen.spared);
        }
        if wanted == 0 {
            return 0.0;
        }
        1.0 - spared as f64 / wanted as f64
    }
}

/// What a cache holds.
#[derive(Clone, Default)]
struct Store {
    /// The server's incarnation that it belongs to.
    incarnation: u32,
    /// When each was used last, by a count of uses, and until when it is fresh.
    entries: BTreeMap<u64, (u64, u64)>,
    by_use: BTreeMap<u64, u64>,
    uses: u64,
}

impl Store {
    /// Whether a key is there and fresh; it is used then, and what is stale goes.
    fn hits(&mut self, key: u64, now: u64) -> bool {
        let Some(&(used, until)) = self.entries.get(&key) else {
            return false;
        };
        self.by_use.remove(&used);
        if until <= now {
            self.entries.remove(&key);
            return false;
        }
        self.use_of(key, until);
        true
    }

    fn use_of(&mut self, key: u64, until: u64) {
        self.uses += 1;
        self.entries.insert(key, (self.uses, until));
        self.by_use.insert(self.uses, key);
    }

    /// Keeps a key; what was not used for longest makes room.
    fn keep(&mut self, key: u64, until: u64, capacity: usize) {
        if let Some((used, _)) = self.entries.get(&key) {
            self.by_use.remove(used);
        }
        self.use_of(key, until);
        while self.entries.len() > capacity {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                return;
            };
            self.entries.remove(&oldest);
        }
    }
}

impl Caches {
    /// Whether a call only waits for the answer to another, and is no request of its own.
    pub(super) fn only_waits(&self, call: Handle) -> bool {
        self.any && self.waits.contains_key(&call)
    }

    /// An interval of the history ends.
    pub(super) fn close_interval(&mut self) {
        for cache in self.of.as_mut_slice().iter_mut().flatten().flatten() {
            cache.by_interval.push(cache.seen);
        }
    }

    /// How many do.
    pub(super) fn waiting(&self) -> usize {
        self.waits.len()
    }

    pub(super) fn new(model: &Model) -> Self {
        let of_call = |call: &crate::model::Call| {
            call.cache.map(|settings| CallCache {
                settings,
                stores: BTreeMap::new(),
                seen: Seen::default(),
                by_interval: Vec::new(),
            })
        };
        let of_service =
            |service: &crate::model::Service| service.calls.iter().map(of_call).collect();
        let of: Table<ServiceId, Vec<_>> = model.services.iter().map(of_service).collect();
        Self {
            any: of.iter().flatten().any(Option::is_some),
            of,
            fetching: BTreeMap::new(),
            waiting: BTreeMap::new(),
            waits: BTreeMap::new(),
        }
    }

    /// A call is over; what that means for what it fetched, if it did.
    fn ended(&mut self, call: Handle, outcome: Outcome) -> Option<(Wanted, Fetched)> {
        if let Some(Waits::For(wanted)) = self.waits.remove(&call)
            && let Some(others) = self.waiting.get_mut(&wanted)
        {
            others.retain(|other| *other != call);
        }
        let wanted = self.fetching.remove(&call)?;
        let mut others = self.waiting.remove(&wanted).unwrap_or_default();
        if outcome == Outcome::Cancelled && !others.is_empty() {
            let next = others.remove(0);
            self.waits.remove(&next);
            self.fetching.insert(next, wanted);
            self.waiting.insert(wanted, others);
            return Some((wanted, Fetched::Next(next)));
        }
        for other in &others {
            self.waits.insert(*other, Waits::EndsAs(outcome));
        }
        Some((wanted, Fetched::Over(others)))
    }
}

/// What became of something that was fetched.
enum Fetched {
    /// It is there, or not to be had: who waited for it ends likewise.
    Over(Vec<Handle>),
    /// Nobody waits for this call any more: the next goes in its place.
    Next(Handle),
}

impl Simulation {
    /// Which of the calls that a visit makes next are answered by caches: a bit for each of the first ones.
    pub(super) fn look_up(&mut self, handle: Handle) -> u32 {
        let service = self.attempts[handle].service;
        let server = self.attempts[handle].server;
        let key = self.attempts.cold(handle).key;
        let mut hits = 0;
        for call in 0..self.caches.of[service].len().min(CACHED) {
            if self.caches.of[service][call].is_none() || !self.makes(handle, call) {
                continue;
            }
            let now = self.now;
            let store = self.store(service, call, server);
            let hit = store.is_some_and(|(store, _)| store.hits(key, now));
            hits |= u32::from(hit) << call;
            if let Some(Some(cache)) = self.caches.of[service].get_mut(call) {
                cache.seen.wanted += 1;
                cache.seen.spared += u64::from(hit);
            }
        }
        hits
    }

    /// The share of a service's calls, by their position, that caches let through in some intervals.
    pub(crate) fn passed(&self, service: ServiceId, call: usize, window: &Range<usize>) -> f64 {
        match self.caches.of[service].get(call) {
            Some(Some(cache)) if call < CACHED => cache.passed(window),
            _ => 1.0,
        }
    }

    /// The cache of a call at a server, emptied if that has started anew since.
    fn store(
        &mut self,
        service: ServiceId,
        call: usize,
        server: ServerId,
    ) -> Option<(&mut Store, Cache)> {
        let cache = self.caches.of[service].get_mut(call)?.as_mut()?;
        let (place, incarnation) = if cache.settings.shared {
            (LocalId(0), 0)
        } else {
            let number = self.fleet.cold[server].incarnation.number;
            (self.fleet[server].local, number)
        };
        let store = cache.stores.entry(place).or_default();
        if store.incarnation != incarnation {
            *store = Store {
                incarnation,
                ..Store::default()
            };
        }
        Some((store, cache.settings))
    }

    /// A visit makes a call that its cache could not answer; whether another fetches the same already, so
    /// that this one waits for it.
    pub(super) fn misses(&mut self, visit: Handle, position: usize, child: Handle) -> bool {
        let service = self.attempts[visit].service;
        let Some(Some(cache)) = self.caches.of[service].get(position) else {
            return false;
        };
        let settings = cache.settings;
        let server = if settings.shared {
            LocalId(0)
        } else {
            self.fleet[self.attempts[visit].server].local
        };
        let wanted = Wanted {
            service,
            call: position as u16,
            server,
            key: self.attempts.cold(visit).key,
        };
        if !settings.coalesce {
            self.caches.fetching.insert(child, wanted);
            return false;
        }
        if let Some(others) = self.caches.waiting.get_mut(&wanted) {
            others.push(child);
            self.caches.waits.insert(child, Waits::For(wanted));
            if let Some(Some(cache)) = self.caches.of[service].get_mut(position) {
                cache.seen.spared += 1;
            }
            // It is no request to the other service: that is asked once for all of them.
            self.recorder.flows[self.calls[child].flow as usize].arrived -= 1;
            return true;
        }
        self.caches.waiting.insert(wanted, Vec::new());
        self.caches.fetching.insert(child, wanted);
        false
    }

    /// A call is over, of which a cache may want to know.
    #[cold]
    pub(super) fn tell_caches(&mut self, call: Handle, outcome: Outcome) {
        let Some((wanted, fetched)) = self.caches.ended(call, outcome) else {
            return;
        };
        let position = usize::from(wanted.call);
        match fetched {
            Fetched::Next(next) => {
                if let Some(Some(cache)) = self.caches.of[wanted.service].get_mut(position) {
                    cache.seen.spared -= 1;
                }
                self.recorder.flows[self.calls[next].flow as usize].arrived += 1;
                self.events.soon(self.now, Event::Attempt(next));
            }
            Fetched::Over(others) => {
                if outcome == Outcome::Succeeded {
                    self.keep(wanted);
                }
                for other in others {
                    self.events.soon(self.now, Event::Coalesced(other));
                }
            }
        }
    }

    /// An answer is kept.
    fn keep(&mut self, wanted: Wanted) {
        let server = self.services[wanted.service].servers[wanted.server];
        let now = self.now;
        let store = self.store(wanted.service, usize::from(wanted.call), server);
        if let Some((store, settings)) = store {
            let until = settings
                .ttl
                .map_or(u64::MAX, |ttl| now.saturating_add(ttl.0));
            store.keep(wanted.key, until, settings.capacity as usize);
        }
    }

    /// A call that waited for the answer to another has it.
    pub(super) fn coalesced(&mut self, call: Handle) {
        if let Some(Waits::EndsAs(outcome)) = self.caches.waits.get(&call).copied() {
            self.end_call(call, outcome);
        }
    }

    /// The caches of a server are emptied.
    pub(super) fn flush(
        &mut self,
        server: ServerId,
        by: Actor,
        note: &str,
    ) -> Option<&'static str> {
        let (service, local) = (self.fleet[server].service, self.fleet[server].local);
        for cache in self.caches.of[service].iter_mut().flatten() {
            let place = if cache.settings.shared {
                LocalId(0)
            } else {
                local
            };
            cache.stores.remove(&place);
        }
        self.tell_of_server(Kind::Flush, by, server, note.to_owned());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut store = Store::default();
        for key in [1, 2, 3] {
            store.keep(key, 100, 3);
        }
        assert!(store.hits(1, 50));
        store.keep(4, 100, 3);
        assert_eq!(
            [1, 2, 3, 4].map(|key| store.hits(key, 50)),
            [true, false, true, true]
        );
        // At the end of its time a key is stale.
        assert!(store.hits(1, 99));
        assert!(!store.hits(1, 100));
        assert_eq!((store.entries.len(), store.by_use.len()), (2, 2));
    }
}
