//! Who is in a server, wherever in it: those in service and in its queue it knows itself, those that have
//! called another service, or are held by a guard, it does not.
//!
//! To find them is to look at all attempts. Where something is done to many servers at once, that is done
//! once for all of them.

use super::Simulation;
use super::attempt::Attempt;
use super::slab::Handle;
use crate::ids::ServerId;

/// Attempts in servers, as they were when somebody asked.
#[derive(Clone, Default)]
pub(super) struct Residents {
    /// Whether several servers are dealt with together.
    pub together: bool,
    /// By server, in the order of attempts; none before somebody asks.
    known: Option<Vec<(ServerId, Handle)>>,
}

impl Simulation {
    /// Attempts of which something is true, in their order.
    pub(super) fn attempts_where(&mut self, which: impl Fn(&Attempt) -> bool) -> Vec<Handle> {
        self.progress.look_at(self.attempts.len());
        let attempts = self.attempts.iter();
        let found = attempts.filter(|(_, attempt)| which(attempt));
        found.map(|(handle, _)| handle).collect()
    }

    /// Attempts in a server, in their order.
    pub(super) fn residents(&mut self, server: ServerId) -> Vec<Handle> {
        let lives = |attempt: &Attempt| attempt.server == server && attempt.place.is_at_server();
        if !self.residents.together {
            return self.attempts_where(lives);
        }
        if self.residents.known.is_none() {
            let all = self.attempts_where(|attempt| attempt.place.is_at_server());
            let with_server = |handle: Handle| (self.attempts[handle].server, handle);
            let mut all: Vec<_> = all.into_iter().map(with_server).collect();
            all.sort_by_key(|&(server, _)| server);
            self.residents.known = Some(all);
        }
        let known = self.residents.known.as_deref().unwrap_or_default();
        let first = known.partition_point(|&(other, _)| other < server);
        let here = known[first..]
            .iter()
            .take_while(|(other, _)| *other == server);
        let found: Vec<Handle> = here
            .map(|&(_, handle)| handle)
            .filter(|&handle| self.attempts.contains(handle) && lives(&self.attempts[handle]))
            .collect();
        if found.len() == self.fleet[server].in_system as usize {
            return found;
        }
        // What was done to other servers has sent somebody here.
        self.attempts_where(lives)
    }
}
