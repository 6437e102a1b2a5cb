//! The play head.

use sim_core::time::Instant;

/// Seconds that a whole run takes when it is played as fast as possible.
const FASTEST_S: f64 = 5.0;

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

/// Simulated seconds per second where a run so long is played as fast as possible.
pub fn played_as_fast_as_possible(horizon: Instant) -> f64 {
    horizon.as_secs_f64() / FASTEST_S
}

/// Speeds to choose from.
pub const SPEEDS: [f64; 8] = [0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 1200.0, f64::INFINITY];

/// A speed in words.
pub fn speed_words(speed: f64) -> String {
    if speed.is_infinite() {
        "max".to_owned()
    } else {
        format!("{speed}×")
    }
}

/// The next higher or lower speed, if there is one.
pub fn next_speed(speed: f64, faster: bool) -> Option<f64> {
    if faster {
        SPEEDS.into_iter().find(|s| *s > speed)
    } else {
        SPEEDS.into_iter().rev().find(|s| *s < speed)
    }
}
