//! When a rule wants to be asked again, server by server: the earliest is at hand, and each can be moved.

use crate::time::Instant;
use std::collections::BTreeSet;

/// Moments at which servers are to be judged anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Due(BTreeSet<(Instant, u32)>);

impl Due {
    /// Nobody waits for anything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A server is to be judged at another moment than before, or at none.
    pub(super) fn replan(&mut self, server: usize, before: Option<Instant>, at: Option<Instant>) {
        if before != at {
            if let Some(before) = before {
                self.0.remove(&(before, server as u32));
            }
            self.0.extend(at.map(|at| (at, server as u32)));
        }
    }

    /// The earliest moment.
    pub(super) fn first(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Adds the servers whose moment has come by now.
    pub(super) fn come(&self, now: Instant, servers: &mut Vec<u32>) {
        let come = self.0.range(..=(now, u32::MAX));
        servers.extend(come.map(|&(_, server)| server));
    }
}
