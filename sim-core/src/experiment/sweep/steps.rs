//! Cells without threads: a little at a time, for whoever has one thread and must share it.

use super::plan::Plan;
use super::row::{Ended, Row};
use super::run::{build, ended};
use super::waves::{Built, Next, Waves, first_wave};
use crate::engine::Simulation;
use std::sync::Arc;

/// Cells that are simulated step by step, in their order: the rows are those of
/// [`run`](super::run()).
pub struct Steps {
    plan: Arc<Plan>,
    cells: Vec<usize>,
    /// Cells that are complete.
    done: usize,
    /// Replications that those took.
    took: u64,
    open: Option<Open>,
}

/// The cell that is under way.
struct Open {
    built: Result<Built, String>,
    /// The waves that are over.
    waves: Waves,
    /// Replications of the wave that is under way, and how many it has.
    wave: Vec<Ended>,
    size: usize,
    under_way: Option<Simulation>,
}

impl Steps {
    /// Before the first replication of the first of `cells`.
    pub fn new(plan: Arc<Plan>, cells: Vec<usize>) -> Self {
        Self {
            plan,
            cells,
            done: 0,
            took: 0,
            open: None,
        }
    }

    /// Whether all cells are complete.
    pub fn is_over(&self) -> bool {
        self.done == self.cells.len()
    }

    /// Replications done, of all cells.
    pub fn replications(&self) -> u64 {
        let open = self.open.as_ref();
        self.took + open.map_or(0, |open| open.waves.done() + open.wave.len() as u64)
    }

    /// Simulates up to so many events further; a row when that completes a cell.
    pub fn step(&mut self, events: u64) -> Option<Row> {
        let number = *self.cells.get(self.done)?;
        let open = self.open.get_or_insert_with(|| Open {
            built: build(&self.plan, number),
            waves: Waves::default(),
            wave: Vec::new(),
            size: first_wave(&self.plan).count(),
            under_way: None,
        });
        match &open.built {
            // An invalid cell fails in all replications alike.
            Err(why) => open.wave.resize(open.size, Err(why.clone())),
            Ok(built) => {
                let replication = open.waves.done() + open.wave.len() as u64;
                let simulation = open
                    .under_way
                    .get_or_insert_with(|| Simulation::new(Arc::clone(&built.model), replication));
                if simulation.run_events(events) {
                    return None;
                }
                open.wave.push(ended(simulation, &built.effort.measures));
                open.under_way = None;
            }
        }
        if open.wave.len() < open.size {
            return None;
        }
        let wave = std::mem::take(&mut open.wave);
        match open
            .waves
            .take(&self.plan, number, open.built.as_ref().ok(), wave)
        {
            Next::Wave(numbers) => {
                open.size = numbers.count();
                None
            }
            Next::Row(row) => {
                self.open = None;
                self.done += 1;
                self.took += row.replications;
                Some(*row)
            }
        }
    }
}
