//! Servers that a request has been at, for retries that go elsewhere.
//!
//! A list exists only for a call that tries again, or that may have several attempts out at once,
//! and only where its caller's retries avoid servers. It holds no server twice for a try, so it is
//! never longer than twice the servers of the service.

use super::Simulation;
use super::attempt::{Attempt, Call, Calls};
use super::slab::Handle;
use crate::ids::LocalId;
use crate::retry::Avoid;

/// Servers that a call has been at, by the place of the call.
#[derive(Clone)]
pub(super) struct Tried {
    /// Stale once the call is gone: the place may by then be that of another.
    call: Handle,
    /// Those of earlier tries in ascending order, then those of the present one.
    servers: Vec<LocalId>,
    /// How many of them are of earlier tries.
    earlier: usize,
}

/// What an attempt that is to be placed keeps away from.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own"
)]
pub(super) struct Apart {
    /// Servers where another attempt of its call is.
    pub copies: bool,
    /// Servers of earlier tries.
    pub tried: bool,
    /// Whether it stays away from the latter even where there are no others.
    pub for_good: bool,
    /// Whether it then goes to those of a worse priority.
    pub everywhere: bool,
}

/// What is left of eligible servers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// All of them.
    All,
    /// Some.
    Some,
    /// None.
    None,
}

impl Tried {
    const NOBODY: Self = Self {
        call: Handle::NONE,
        servers: Vec::new(),
        earlier: 0,
    };

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.servers.capacity() * size_of::<LocalId>()
    }

    /// Servers of earlier tries, in ascending order, and those of the present one.
    fn parts(&self) -> (&[LocalId], &[LocalId]) {
        self.servers.split_at(self.earlier)
    }

    /// What was tried so far belongs to earlier tries from now on.
    fn begin_try(&mut self, avoid: Avoid) {
        // A try that came to no server leaves those before it the latest.
        let of_one = matches!(avoid, Avoid::Previous | Avoid::StaysUntilLast);
        if of_one && self.servers.len() > self.earlier {
            self.servers.drain(..self.earlier);
        }
        self.servers.sort_unstable();
        self.servers.dedup();
        self.earlier = self.servers.len();
    }
}

impl Apart {
    pub(super) const NOTHING: Self = Self {
        copies: false,
        tried: false,
        for_good: false,
        everywhere: false,
    };

    /// What to keep away from, in order of what is tried first where servers are few: two attempts
    /// of a request at one server wait for each other, which is worse than to try it again.
    pub(super) fn relaxed(self) -> impl Iterator<Item = Self> {
        let both = self.copies && self.tried;
        let parts = [(true, false), (false, true)].map(|(copies, tried)| Self {
            copies,
            tried,
            ..self
        });
        let parts = parts.into_iter().filter(move |part| {
            let keeps_its_word = part.tried || !self.for_good;
            both && keeps_its_word
        });
        std::iter::once(self).chain(parts)
    }
}

impl Calls {
    #[inline(never)]
    fn remember_try(&mut self, call: Handle, avoid: Avoid) {
        let latest = self[call].previous.known();
        let tried = self.tried.with_room(call.slot(), Tried::NOBODY);
        if tried.call != call {
            // The list is kept for its room.
            tried.servers.clear();
            (tried.call, tried.earlier) = (call, 0);
            // A call that had one attempt at a time until now remembers its latest server.
            tried.servers.extend(latest);
        }
        tried.begin_try(avoid);
    }

    /// The first try of a call is under way, and may have come to a server.
    fn remember_first_try(&mut self, call: Handle) {
        let tried = self.tried.with_room(call.slot(), Tried::NOBODY);
        tried.servers.clear();
        (tried.call, tried.earlier) = (call, 0);
        if let Some(server) = self[call].previous.known() {
            self.note_server(call, server);
        }
    }

    /// What is known of a call that tries again elsewhere.
    #[inline]
    fn tried(&self, call: Handle) -> Option<&Tried> {
        let tried = self.tried.get(call.slot())?;
        (tried.call == call).then_some(tried)
    }

    /// An attempt of a call goes to a server.
    #[inline]
    pub(super) fn note_server(&mut self, call: Handle, server: LocalId) {
        if let Some(tried) = self.tried.get_mut(call.slot())
            && tried.call == call
            && !tried.servers[tried.earlier..].contains(&server)
        {
            tried.servers.push(server);
        }
    }
}

impl Simulation {
    /// A try begins, and what follows from it for servers to keep away from.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one look where nothing of the kind is written"
    )]
    pub(super) fn remember_tries(&mut self, call: Handle) {
        let caller = &self.callers[self.calls[call].client];
        let avoid = caller.terms.avoid;
        let hedged = caller.client.hedge.is_some();
        if avoid != Avoid::None && (hedged || self.calls[call].attempts > 0) {
            self.calls.remember_try(call, avoid);
        }
    }

    /// The same of the only try of a call that was elided until now.
    pub(super) fn remember_elided_try(&mut self, call: Handle) {
        let caller = &self.callers[self.calls[call].client];
        if caller.terms.avoid != Avoid::None && caller.client.hedge.is_some() {
            self.calls.remember_first_try(call);
        }
    }

    /// The server that an attempt goes to without a choice, as its caller's rules want it: that of the try before.
    pub(super) fn stays_at(&self, handle: Handle) -> Option<LocalId> {
        let Attempt { call, instance, .. } = self.attempts[handle];
        let terms = &self.callers[self.calls[call].client].terms;
        let server = self.calls[call].previous.known()?;
        let offers = &self.balancers[instance].offers;
        let stays = match terms.avoid {
            Avoid::Stays => true,
            Avoid::StaysUntilLast => {
                self.calls.tries(call) < terms.attempts && offers.is_eligible(server)
            }
            _ => false,
        };
        stays.then_some(server)
    }

    /// What an attempt is to keep away from, by the rules that its caller has now.
    #[inline]
    pub(super) fn kept_from(&self, call: Handle) -> Apart {
        let hedged = self.calls.is_hedged(call);
        let tried = self.calls.tried(call);
        let tried = tried.is_some_and(|tried| tried.earlier > 0);
        if !hedged && !tried {
            return Apart::NOTHING;
        }
        let caller = &self.callers[self.calls[call].client];
        Apart {
            copies: hedged && caller.client.hedge.is_some_and(|hedge| hedge.distinct),
            tried: tried && caller.terms.avoid != Avoid::None,
            for_good: tried && caller.terms.avoid == Avoid::ForGood,
            everywhere: tried && caller.terms.everywhere,
        }
    }

    /// Whether a call's rules let it be at each server once, and it has been at all that are in rotation.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one look where nothing of the kind is written"
    )]
    pub(super) fn has_been_at_all(&self, call: Handle) -> bool {
        let everywhere = self.callers[self.calls[call].client].terms.everywhere;
        everywhere && self.has_tried_all(call)
    }

    #[inline(never)]
    fn has_tried_all(&self, call: Handle) -> bool {
        let Call {
            service, previous, ..
        } = self.calls[call];
        let servers = &self.services[service].servers;
        let is_in = |local: &LocalId| self.fleet.in_rotation(servers[*local]);
        let tried = self.calls.tried(call);
        let (earlier, present) = tried.map_or((&[][..], &[][..]), Tried::parts);
        let is_new = |local: &LocalId| earlier.binary_search(local).is_err();
        let latest = previous.known().filter(|last| !present.contains(last));
        // Whoever counts them need not look in the list for each server that there is.
        let again = present.iter().copied().chain(latest).filter(is_new);
        let been = earlier.iter().copied().chain(again).filter(is_in).count();
        servers.ids().filter(is_in).nth(been).is_none()
    }

    /// Those of the `eligible` servers that an attempt does not keep away from, by position as
    /// policies know them.
    pub(super) fn keep_apart(
        &self,
        call: Handle,
        apart: Apart,
        eligible: &[u32],
        rest: &mut Vec<u32>,
    ) -> Left {
        let mut taken: Vec<LocalId> = match self.calls.tried(call) {
            Some(tried) if apart.tried => tried.servers[..tried.earlier].to_vec(),
            _ => Vec::new(),
        };
        if apart.copies {
            taken.extend(self.copies_at(call));
        }
        taken.sort_unstable();
        taken.dedup();
        rest.clear();
        // What lies between two servers that are left out is copied at once: fleets are large.
        let mut from = 0;
        for server in taken {
            if let Ok(place) = eligible[from..].binary_search(&server.0) {
                rest.extend_from_slice(&eligible[from..from + place]);
                from += place + 1;
            }
        }
        if from == 0 {
            return Left::All;
        }
        rest.extend_from_slice(&eligible[from..]);
        if rest.is_empty() {
            Left::None
        } else {
            Left::Some
        }
    }
}
