//! The play head.

use sim_core::time::Instant;

/// Seconds that a whole run takes when it is played as fast as possible.
pub(super) const FASTEST_S: f64 = 5.0;

/// Where the play head is, and how it moves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Transport {
    /// The moment shown, or on the way to be shown.
    pub goal: Instant,
    /// Whether time runs.
    pub playing: bool,
    /// Simulated seconds per second; infinite for as fast as the engine goes.
    pub speed: f64,
    /// Whether playing pauses at events of the event log.
    pub pause_at_events: bool,
    /// A stretch that is played again and again.
    pub range: Option<(Instant, Instant)>,
}
