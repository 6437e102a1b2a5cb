//! Running cells on several threads.
//!
//! The unit of work is a replication, so that few cells with many replications fill all cores as
//! well as many cells with few. Units are taken in order; whoever ends the last replication of a cell
//! puts them together in the order of their numbers. What comes out of a cell does therefore not
//! depend on how many threads there are, only when it comes does. There is no thread that collects:
//! waking one for every small cell would cost more than the cell.

use super::plan::Plan;
use super::row::{Ended, Row};
use crate::engine::Simulation;
use crate::experiment::{Measure, Run};
use crate::model::Model;
use crate::scenario::Problems;
use crate::time::Instant;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Threads that a run may have.
pub const THREADS_MAX: usize = 1024;

/// A cell whose replications are under way.
struct Shared {
    number: usize,
    /// Built by whoever comes first.
    model: OnceLock<Result<Built, String>>,
    /// The replications that are over, in any order.
    ended: Mutex<Vec<(u64, Ended)>>,
}

/// The model of a cell, and what is measured in it.
pub(super) struct Built {
    pub model: Arc<Model>,
    pub measures: Vec<Measure>,
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
    let queue = Queue::new(cells, plan.replications());
    let done = Mutex::new((done, Ok(())));
    let work = || {
        while let Some((shared, replication)) = queue.take(stop) {
            let Some(ended) = unit(plan, &shared, replication, stop, simulate) else {
                return;
            };
            let mut all = locked(&shared.ended);
            all.push((replication, ended));
            if (all.len() as u64) < plan.replications() {
                continue;
            }
            let mut runs = std::mem::take(&mut *all);
            drop(all);
            runs.sort_by_key(|(replication, _)| *replication);
            let runs = runs.into_iter().map(|(_, ended)| ended).collect();
            let built = shared.model.get().and_then(|built| built.as_ref().ok());
            let row = row(plan, shared.number, built, runs);
            let mut done = locked(&done);
            if done.1.is_ok() {
                done.1 = (done.0)(row);
                if done.1.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    // The calling thread works too: one thread needs no other, wherever there are none.
    std::thread::scope(|scope| {
        for index in 1..threads {
            let thread = std::thread::Builder::new().name(format!("cells-{index}"));
            if thread.spawn_scoped(scope, work).is_err() {
                // Fewer threads than asked for make it slower, not different.
                break;
            }
        }
        work();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

/// Replications that are still to be simulated, cell by cell.
struct Queue<'a> {
    cells: &'a [usize],
    replications: u64,
    next: Mutex<Next>,
}

/// The next replication to be handed out.
struct Next {
    position: usize,
    replication: u64,
    /// The cell at this position, once one of its replications is handed out.
    open: Option<Arc<Shared>>,
}

impl<'a> Queue<'a> {
    fn new(cells: &'a [usize], replications: u64) -> Self {
        Self {
            cells,
            replications,
            next: Mutex::new(Next {
                position: 0,
                replication: 0,
                open: None,
            }),
        }
    }

    /// The next replication of the next cell.
    fn take(&self, stop: &AtomicBool) -> Option<(Arc<Shared>, u64)> {
        let mut next = locked(&self.next);
        let number = *self.cells.get(next.position)?;
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let open = next.open.get_or_insert_with(|| {
            Arc::new(Shared {
                number,
                model: OnceLock::new(),
                ended: Mutex::new(Vec::new()),
            })
        });
        let taken = (Arc::clone(open), next.replication);
        next.replication += 1;
        if next.replication == self.replications {
            *next = Next {
                position: next.position + 1,
                replication: 0,
                open: None,
            };
        }
        Some(taken)
    }
}

/// A lock that a panic elsewhere does not close: what it guards is whole after every step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The row of a cell whose replications are in order.
pub(super) fn row(plan: &Plan, cell: usize, built: Option<&Built>, runs: Vec<Ended>) -> Row {
    let built = built.map(|built| (&*built.model, &built.measures[..]));
    Row::of(plan, plan.cell(cell), built, runs)
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
            Ok(built) => simulate(&built.model, replication, &built.measures, stop),
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
        measures: measures?,
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
