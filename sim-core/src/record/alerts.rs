//! How alerts stood over time, whoever evaluates them: what the event log does not tell, since an alert that was pending
//! and never fired is forgotten without a word.

use crate::time::Instant;
use sim_alert::State;
use std::sync::Arc;

/// Changes kept of a run at most: what comes after is not known.
pub const ALERT_CHANGES_MAX: usize = 10_000;

/// An alert stands otherwise from a moment on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlertChange {
    /// When.
    pub at: Instant,
    /// The alert, by its position in the model.
    pub alert: usize,
    /// How it stands from then on.
    pub to: State,
}

/// How alerts stand, and stood.
#[derive(Clone, Debug)]
pub(super) struct Standings {
    now: Vec<State>,
    /// Clones of a simulation share it.
    changes: Arc<Vec<AlertChange>>,
}

impl Standings {
    pub(super) fn new(alerts: usize) -> Self {
        Self {
            now: vec![State::Inactive; alerts],
            changes: Arc::default(),
        }
    }

    pub(super) fn changes(&self) -> &Arc<Vec<AlertChange>> {
        &self.changes
    }

    /// An alert stands so at a moment.
    pub(super) fn stands(&mut self, alert: usize, now: u64, to: State) {
        let before = std::mem::replace(&mut self.now[alert], to);
        if before != to && self.changes.len() < ALERT_CHANGES_MAX {
            let at = Instant(now);
            Arc::make_mut(&mut self.changes).push(AlertChange { at, alert, to });
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.changes.len() * size_of::<AlertChange>()
    }
}
