//! Key frames: clones of a simulation at intervals, from which any moment is reached quickly.
//!
//! Memory is bounded: when the frames of a run take more than their share, every second one is
//! dropped and the distance between new ones doubled. Clones share the sealed part of their time
//! line, so a frame costs what is in flight, not hours of data.

use crate::engine::Simulation;
use crate::time::Instant;

/// Key frames that a whole run gets at first.
const FRAMES: u64 = 160;

/// Key frames of one run, in order of time.
#[derive(Default)]
pub struct Frames {
    all: Vec<Simulation>,
    spacing_ns: u64,
    bytes: usize,
}

impl Frames {
    /// The frames of a run, or of a fork, that begins with `first`.
    pub fn new(first: &Simulation) -> Self {
        let mut frames = Self {
            all: Vec::new(),
            spacing_ns: (first.model().horizon.0 / FRAMES).max(1),
            bytes: 0,
        };
        frames.push(first);
        frames
    }

    fn push(&mut self, simulation: &Simulation) {
        self.bytes += simulation.clone_bytes();
        self.all.push(simulation.clone());
    }

    /// The moment of the next frame.
    pub fn due(&self) -> Instant {
        let last = self.all.last().map_or(0, |frame| frame.now().0);
        Instant((last / self.spacing_ns + 1).saturating_mul(self.spacing_ns))
    }

    /// Keeps a frame if one is due, within `budget` bytes.
    pub fn offer(&mut self, simulation: &Simulation, budget: usize) {
        if simulation.now() < self.due() {
            return;
        }
        self.push(simulation);
        self.fit(budget);
    }

    /// Drops frames until they take no more than `budget` bytes. Two are kept in any case: the first,
    /// without which the past cannot be reached, and the latest.
    pub fn fit(&mut self, budget: usize) {
        while self.bytes > budget && self.all.len() > 2 {
            self.thin();
        }
    }

    fn thin(&mut self) {
        self.spacing_ns = self.spacing_ns.saturating_mul(2);
        let mut index = 0;
        self.all.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.bytes = self.all.iter().map(Simulation::clone_bytes).sum();
    }

    /// The last frame at `at` or before.
    pub fn before(&self, at: Instant) -> Option<&Simulation> {
        let after = self.all.partition_point(|frame| frame.now() <= at);
        after.checked_sub(1).map(|i| &self.all[i])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
