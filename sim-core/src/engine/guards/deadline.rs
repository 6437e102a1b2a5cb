//! Until when somebody waits for an attempt, for guards that ask.

use super::Guards;
use super::fast::FastAttempt;
use crate::engine::Simulation;
use crate::engine::slab::Handle;
use crate::engine::source::source_of;
use crate::ids::ClientId;
use crate::time::Instant;

impl Guards {
    /// Whether callers of this kind give up no later than those above them.
    fn inherits_deadline(&self, client: ClientId) -> bool {
        let (chain, _) = self.of_client[client];
        let rows = &self.callers[chain as usize].rows;
        rows.iter().any(|row| row.guard.def.keeps_deadlines)
    }
}

impl Simulation {
    /// The moment after which nobody waits for an attempt's answer: its caller, or one further up;
    /// `None`: somebody always will.
    pub(in crate::engine) fn until(&self, handle: Handle) -> Option<Instant> {
        let attempt = &self.attempts[handle];
        if attempt.call.is_elided() {
            let source = &self.sources[source_of(attempt.number)];
            let caller = &self.callers[source.clients[attempt.class]];
            return FastAttempt {
                number: attempt.number,
                begun: attempt.begun,
                timeout: caller.waits,
            }
            .until();
        }
        if !self.calls.contains(attempt.call) {
            return Some(Instant::ZERO);
        }
        let call = &self.calls[attempt.call];
        let caller = &self.callers[call.client];
        let own = attempt.begun.saturating_add(caller.timeout);
        let whole = call.arrived.saturating_add(caller.deadline);
        let above = if call.parent.is_none() {
            None
        } else if self.attempts.contains(call.parent) {
            self.until(call.parent)
        } else {
            Some(Instant::ZERO)
        };
        let until = own.min(whole).min(above.map_or(u64::MAX, |until| until.0));
        (until != u64::MAX).then_some(Instant(until))
    }

    /// When a caller gives up an attempt because those above it would, if its guards say so.
    pub(in crate::engine) fn inherited_deadline(&self, handle: Handle) -> Option<u64> {
        let call = &self.calls[self.attempts[handle].call];
        let inherits =
            self.guards.any && !call.parent.is_none() && self.guards.inherits_deadline(call.client);
        inherits
            .then(|| self.until(handle))
            .flatten()
            .map(|at| at.0)
    }
}
