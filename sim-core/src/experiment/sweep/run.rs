//! Running cells on several threads.
//!
//! The unit of work is a replication, so that few cells with many replications fill all cores as
//! well as many cells with few. Units are handed out in order; a cell is put together, replication
//! by replication in the order of their numbers, when its last one has come. What comes out of a cell
//! does therefore not depend on how many threads there are, only when it comes does.

use super::plan::Plan;
use super::row::{Row, Run};
use crate::engine::Simulation;
use crate::model::Model;
use crate::scenario::Problems;
use crate::summary::Summary;
use rayon::iter::{ParallelBridge, ParallelIterator};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

/// Events after which a run looks whether it should stop.
const SLICE: u64 = 100_000;

/// Threads that a run may have.
pub const THREADS_MAX: usize = 1024;

/// A cell whose replications are under way.
struct Shared {
    number: usize,
    /// Built by whoever comes first.
    model: OnceLock<Result<Arc<Model>, String>>,
}

/// A replication that is over.
struct Message {
    number: usize,
    replication: u64,
    run: Run,
}

/// Runs `cells` of a plan on so many threads. `done` gets each cell's row as soon as it is
/// complete, on the calling thread, in no fixed order; an error of its stops the rest and is
/// returned. When `stop` says so, cells that are not complete are given up.
///
/// # Errors
/// What `done` returned.
pub fn run<E>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
    done: &mut dyn FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    run_with(plan, cells, threads, stop, done, &simulate)
}

/// As [`run`], with something in place of the simulation: for tests of what goes wrong.
pub(super) fn run_with<E>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
    done: &mut dyn FnMut(Row) -> Result<(), E>,
    simulate: &(dyn Fn(&Arc<Model>, u64, u64, &(dyn Fn() -> bool + Sync)) -> Option<Run> + Sync),
) -> Result<(), E> {
    let given_up = AtomicBool::new(false);
    let stopped = || given_up.load(Ordering::Relaxed) || stop();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.clamp(1, THREADS_MAX))
        .thread_name(|index| format!("cells-{index}"))
        .build()
        .unwrap_or_else(|error| panic!("the system gives no threads: {error}"));
    let (sender, receiver) = mpsc::channel();
    let units = cells
        .iter()
        .flat_map(|number| {
            let shared = Arc::new(Shared {
                number: *number,
                model: OnceLock::new(),
            });
            (0..plan.replications()).map(move |replication| (Arc::clone(&shared), replication))
        })
        .take_while(|_| !stopped());
    let mut result = Ok(());
    std::thread::scope(|scope| {
        let (pool, stopped) = (&pool, &stopped);
        scope.spawn(move || {
            pool.install(|| {
                units
                    .par_bridge()
                    .for_each_with(sender, |sender, (shared, replication)| {
                        if let Some(run) = unit(plan, &shared, replication, stopped, simulate) {
                            // Nobody listens any more when the rest was given up.
                            drop(sender.send(Message {
                                number: shared.number,
                                replication,
                                run,
                            }));
                        }
                    });
            });
        });
        let mut open: BTreeMap<usize, Vec<(u64, Run)>> = BTreeMap::new();
        for message in receiver {
            let runs = open.entry(message.number).or_default();
            runs.push((message.replication, message.run));
            if (runs.len() as u64) < plan.replications() || result.is_err() {
                continue;
            }
            let Some(mut runs) = open.remove(&message.number) else {
                continue;
            };
            runs.sort_by_key(|(replication, _)| *replication);
            let runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
            if let Err(error) = done(Row::of(plan, plan.cell(message.number), &runs)) {
                result = Err(error);
                given_up.store(true, Ordering::Relaxed);
            }
        }
    });
    result
}

/// One replication of one cell; `None` when it was given up.
fn unit(
    plan: &Plan,
    shared: &Shared,
    replication: u64,
    stopped: &(dyn Fn() -> bool + Sync),
    simulate: &(dyn Fn(&Arc<Model>, u64, u64, &(dyn Fn() -> bool + Sync)) -> Option<Run> + Sync),
) -> Option<Run> {
    // A mistake of the program in one cell is told, and the others go on.
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let model = shared.model.get_or_init(|| {
            plan.model(shared.number)
                .map(Arc::new)
                .map_err(|problems| refusal(&problems))
        });
        match model {
            Ok(model) => simulate(model, replication, plan.scenario_hash(), stopped),
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

fn simulate(
    model: &Arc<Model>,
    replication: u64,
    scenario_hash: u64,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Run> {
    let mut simulation = Simulation::new(Arc::clone(model), replication);
    while simulation.run_events(SLICE) {
        if stopped() {
            return None;
        }
    }
    Some(match simulation.end().and_then(|end| end.warning()) {
        Some(early) => Err(early.to_owned()),
        None => Ok(Summary::of(&simulation, scenario_hash)),
    })
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
