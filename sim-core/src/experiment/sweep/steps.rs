//! Cells without threads: a little at a time, for whoever has one thread and must share it.

use super::plan::Plan;
use super::row::{Ended, Row};
use super::run::{Built, build, ended, row};
use crate::engine::Simulation;
use std::sync::Arc;

/// Cells that are simulated step by step, in their order: the rows are those of
/// [`run`](super::run()).
pub struct Steps {
    plan: Arc<Plan>,
    cells: Vec<usize>,
    /// Cells that are complete.
    done: usize,
    open: Option<Open>,
}

/// The cell that is under way.
struct Open {
    built: Result<Built, String>,
    runs: Vec<Ended>,
    under_way: Option<Simulation>,
}

impl Steps {
    /// Before the first replication of the first of `cells`.
    pub fn new(plan: Arc<Plan>, cells: Vec<usize>) -> Self {
        Self {
            plan,
            cells,
            done: 0,
            open: None,
        }
    }

    /// Whether all cells are complete.
    pub fn is_over(&self) -> bool {
        self.done == self.cells.len()
    }

    /// Replications done, of all cells.
    pub fn replications(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |open| open.runs.len() as u64);
        self.done as u64 * self.plan.replications() + open
    }

    /// Simulates up to so many events further; a row when that completes a cell.
    pub fn step(&mut self, events: u64) -> Option<Row> {
        let number = *self.cells.get(self.done)?;
        let open = self.open.get_or_insert_with(|| Open {
            built: build(&self.plan, number),
            runs: Vec::new(),
            under_way: None,
        });
        match &open.built {
            // An invalid cell fails in all replications alike.
            Err(why) => open
                .runs
                .resize(self.plan.replications() as usize, Err(why.clone())),
            Ok(built) => {
                let replication = open.runs.len() as u64;
                let simulation = open
                    .under_way
                    .get_or_insert_with(|| Simulation::new(Arc::clone(&built.model), replication));
                if simulation.run_events(events) {
                    return None;
                }
                open.runs.push(ended(simulation, &built.measures));
                open.under_way = None;
            }
        }
        if (open.runs.len() as u64) < self.plan.replications() {
            return None;
        }
        let Open { built, runs, .. } = self.open.take()?;
        self.done += 1;
        Some(row(&self.plan, number, built.as_ref().ok(), runs))
    }
}
