//! A machine between two restarts: what it has been through.

use crate::machine::MachineState;

/// Crashes and restarts of a machine.
#[derive(Clone, Default)]
pub(super) struct Incarnation {
    /// Grows with every crash, restart and start: timers of earlier incarnations are void.
    pub number: u32,
    pub crashes: u64,
    /// Crashes in quick succession, for back-off.
    pub streak: u32,
    pub up_since: u64,
    pub down_since: u64,
    /// Time not up, over ended spells.
    pub downtime: u64,
    /// The latest cause of a crash.
    pub cause: String,
}

impl Incarnation {
    /// Time not up so far, of a machine that is in `state`.
    pub(super) fn downtime_at(&self, state: MachineState, now: u64) -> u64 {
        let down = matches!(state, MachineState::Down | MachineState::Booting);
        self.downtime + if down { now - self.down_since } else { 0 }
    }
}
