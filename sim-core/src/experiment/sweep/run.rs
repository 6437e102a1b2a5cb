//! Running cells on several threads.
//!
//! The unit of work is a replication, so that few cells with many replications fill all cores as
//! well as many cells with few. Units are taken in order; whoever ends the last replication of a wave
//! puts them together in the order of their numbers, and hands out the cell's next wave or its row. What
//! comes out of a cell does therefore not depend on how many threads there are, only when it comes does.
//! There is no thread that collects: waking one for every small cell would cost more than the cell.

use super::plan::Plan;
use super::row::{Ended, Row};
use super::waves::{Built, Next, Waves, effort, first_wave};
use crate::engine::Simulation;
use crate::experiment::control::crew;
use crate::experiment::{Measure, Run};
use crate::model::Model;
use crate::scenario::Problems;
use crate::time::Instant;
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// Threads that a run may have.
pub const THREADS_MAX: usize = 1024;

/// A cell whose replications are under way.
struct Shared {
    number: usize,
    /// Built by whoever comes first.
    model: OnceLock<Result<Built, String>>,
    gathered: Mutex<Gathered>,
}

/// What is over of a cell.
struct Gathered {
    waves: Waves,
    /// Replications of the wave that is under way, in any order, and how many it has.
    wave: Vec<(u64, Ended)>,
    size: usize,
}

impl Shared {
    fn of(number: usize, first_wave: &Range<u64>) -> Self {
        Self {
            number,
            model: OnceLock::new(),
            gathered: Mutex::new(Gathered {
                waves: Waves::default(),
                wave: Vec::new(),
                size: first_wave.clone().count(),
            }),
        }
    }

    /// Takes a replication; what follows, where that ends a wave.
    fn take(&self, plan: &Plan, replication: u64, ended: Ended) -> Option<Next> {
        let mut gathered = locked(&self.gathered);
        gathered.wave.push((replication, ended));
        if gathered.wave.len() < gathered.size {
            return None;
        }
        let mut wave = std::mem::take(&mut gathered.wave);
        wave.sort_by_key(|(replication, _)| *replication);
        let wave = wave.into_iter().map(|(_, ended)| ended).collect();
        let built = self.model.get().and_then(|built| built.as_ref().ok());
        let next = gathered.waves.take(plan, self.number, built, wave);
        if let Next::Wave(numbers) = &next {
            gathered.size = numbers.clone().count();
        }
        Some(next)
    }
}

/// Simulates a replication; `None` when it was told to stop.
pub(super) type Simulate<'a> =
    dyn Fn(&Arc<Model>, u64, &[Measure], &AtomicBool) -> Option<Ended> + Sync + 'a;

/// Runs `cells` of a plan on so many threads. `done` gets each cell's row as soon as it is
/// complete, one at a time, in no fixed order; an error of its sets `stop` and is returned.
/// When `stop` is set, cells that are not complete are given up.
///
/// # Errors
/// What `done` returned.
pub fn run<E: Send>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &AtomicBool,
    done: &mut (dyn FnMut(Row) -> Result<(), E> + Send),
) -> Result<(), E> {
    run_told(plan, cells, threads, stop, done, &|| {})
}

/// As [`run`], calling `told` after every replication, from whatever thread did it.
///
/// # Errors
/// What `done` returned.
pub fn run_told<E: Send>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &AtomicBool,
    done: &mut (dyn FnMut(Row) -> Result<(), E> + Send),
    told: &(dyn Fn() + Sync),
) -> Result<(), E> {
    let simulate = |model: &Arc<Model>, replication, measures: &[Measure], stop: &AtomicBool| {
        let ended = simulate(model, replication, measures, stop);
        told();
        ended
    };
    run_with(plan, cells, threads, stop, done, &simulate)
}

/// As [`run`], with something in place of the simulation: for tests of what goes wrong.
pub(super) fn run_with<E: Send>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &AtomicBool,
    done: &mut (dyn FnMut(Row) -> Result<(), E> + Send),
    simulate: &Simulate<'_>,
) -> Result<(), E> {
    let threads = threads.clamp(1, THREADS_MAX);
    let queue = Queue::new(cells, first_wave(plan));
    let done = Mutex::new((done, Ok(())));
    let work = &|| {
        while let Some(taken) = queue.take(stop) {
            let Taken {
                cell, replication, ..
            } = &taken;
            let Some(ended) = unit(plan, cell, *replication, stop, simulate) else {
                return;
            };
            match cell.take(plan, *replication, ended) {
                None => {}
                Some(Next::Wave(numbers)) => queue.further(cell, numbers),
                Some(Next::Row(row)) => {
                    let mut done = locked(&done);
                    if done.1.is_ok() {
                        done.1 = (done.0)(*row);
                        if done.1.is_err() {
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        }
    };
    crew(threads, "cells", work);
    done.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

/// Replications that are still to be simulated, cell by cell.
struct Queue<'a> {
    cells: &'a [usize],
    first_wave: Range<u64>,
    state: Mutex<State>,
    /// There may be something to take, or nothing ever again.
    changed: Condvar,
}

/// What is to be handed out.
struct State {
    /// Cells that were begun.
    begun: usize,
    /// Waves with replications that nobody has taken; they come before further cells.
    waves: VecDeque<Wave>,
    /// Replications that are being simulated: each may be the last of a wave, after which another comes.
    busy: usize,
    /// Threads that wait for that.
    waiting: usize,
}

impl State {
    fn pop(&mut self) -> Option<(Arc<Shared>, u64)> {
        let wave = self.waves.front_mut()?;
        let taken = (Arc::clone(&wave.cell), wave.numbers.next()?);
        if wave.numbers.is_empty() {
            self.waves.pop_front();
        }
        Some(taken)
    }
}

/// Replications of a cell that nobody has taken.
struct Wave {
    cell: Arc<Shared>,
    numbers: Range<u64>,
}

/// A replication that somebody simulates, until this is dropped.
struct Taken<'q, 'a> {
    queue: &'q Queue<'a>,
    cell: Arc<Shared>,
    replication: u64,
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        let mut state = locked(&self.queue.state);
        state.busy -= 1;
        if state.waiting > 0 {
            self.queue.changed.notify_all();
        }
    }
}

impl<'a> Queue<'a> {
    fn new(cells: &'a [usize], first_wave: Range<u64>) -> Self {
        Self {
            cells,
            first_wave,
            state: Mutex::new(State {
                begun: 0,
                waves: VecDeque::new(),
                busy: 0,
                waiting: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Adds a wave of a cell. Whoever does holds what it has taken, and so wakes those that wait.
    fn further(&self, cell: &Arc<Shared>, numbers: Range<u64>) {
        locked(&self.state).waves.push_back(Wave {
            cell: Arc::clone(cell),
            numbers,
        });
    }

    /// The next replication. Where there is none, but what is being simulated may bring another wave, this waits.
    fn take(&self, stop: &AtomicBool) -> Option<Taken<'_, 'a>> {
        let mut state = locked(&self.state);
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            if state.waves.is_empty()
                && let Some(number) = self.cells.get(state.begun)
            {
                state.begun += 1;
                state.waves.push_back(Wave {
                    cell: Arc::new(Shared::of(*number, &self.first_wave)),
                    numbers: self.first_wave.clone(),
                });
            }
            if let Some((cell, replication)) = state.pop() {
                state.busy += 1;
                return Some(Taken {
                    queue: self,
                    cell,
                    replication,
                });
            }
            if state.busy == 0 {
                return None;
            }
            state.waiting += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }
}

/// A lock that a panic elsewhere does not close: what it guards is whole after every step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One replication of one cell; `None` when it was given up.
fn unit(
    plan: &Plan,
    shared: &Shared,
    replication: u64,
    stop: &AtomicBool,
    simulate: &Simulate<'_>,
) -> Option<Ended> {
    // A mistake of the program in one cell is told, and the others go on.
    let caught = catch_unwind(AssertUnwindSafe(|| {
        match shared.model.get_or_init(|| build(plan, shared.number)) {
            Ok(built) => simulate(&built.model, replication, &built.effort.measures, stop),
            Err(why) => Some(Err(why.clone())),
        }
    }));
    caught.unwrap_or_else(|payload| {
        let said = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Some(Err(format!(
            "a mistake of the program: {}",
            said.unwrap_or_else(|| "it does not say which".to_owned())
        )))
    })
}

pub(super) fn build(plan: &Plan, cell: usize) -> Result<Built, String> {
    let model = plan.model(cell).map_err(|problems| refusal(&problems))?;
    let measures: Result<Vec<Measure>, String> = plan
        .measures()
        .iter()
        .map(|measure| Measure::parse(measure.path(), &model))
        .collect();
    Ok(Built {
        effort: effort(plan, measures?),
        model: Arc::new(model),
    })
}

fn simulate(
    model: &Arc<Model>,
    replication: u64,
    measures: &[Measure],
    stop: &AtomicBool,
) -> Option<Ended> {
    let mut simulation = Simulation::new(Arc::clone(model), replication);
    let stopped = simulation.run_while(Instant(model.horizon.0), || !stop.load(Ordering::Relaxed));
    (!stopped).then(|| ended(&simulation, measures))
}

/// What came of a simulation that is over.
pub(super) fn ended(simulation: &Simulation, measures: &[Measure]) -> Ended {
    match simulation.early_end() {
        Some(early) => Err(early),
        None => Ok(Run::of(simulation, measures)),
    }
}

/// Why a scenario was refused, in a line.
fn refusal(problems: &Problems) -> String {
    let Some(first) = problems.problems.first() else {
        return "the scenario is invalid".to_owned();
    };
    let more = problems.problems.len() + problems.left_out - 1;
    let help = first
        .help
        .as_ref()
        .map_or(String::new(), |help| format!(" ({help})"));
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("error[{}]: {}{help}{more}", first.code, first.message)
}
