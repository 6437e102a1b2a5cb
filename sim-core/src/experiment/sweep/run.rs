//! Running cells on several threads.
//!
//! The unit of work is a replication, so that few cells with many replications fill all cores as
//! well as many cells with few. Units are handed out in order; a cell is put together, replication
//! by replication in the order of their numbers, when its last one has come. What comes out of a cell
//! does therefore not depend on how many threads there are, only when it comes does.

use super::plan::Plan;
use super::row::{Ended, Row};
use crate::engine::{End, Simulation};
use crate::experiment::{Measure, Run};
use crate::model::Model;
use crate::scenario::Problems;
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
    model: OnceLock<Result<Built, String>>,
}

/// The model of a cell, and what is measured in it.
struct Built {
    model: Arc<Model>,
    measures: Vec<Measure>,
}

/// Simulates a replication; `None` when it was told to stop.
pub(super) type Simulate =
    dyn Fn(&Arc<Model>, u64, &[Measure], &AtomicBool) -> Option<Ended> + Sync;

/// A replication that is over.
struct Message {
    shared: Arc<Shared>,
    replication: u64,
    ended: Ended,
}

/// Runs `cells` of a plan on so many threads. `done` gets each cell's row as soon as it is
/// complete, on the calling thread, in no fixed order; an error of its sets `stop` and is returned.
/// When `stop` is set, cells that are not complete are given up.
///
/// # Errors
/// What `done` returned.
pub fn run<E>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &AtomicBool,
    done: &mut dyn FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    run_with(plan, cells, threads, stop, done, &simulate)
}

/// As [`run`], with something in place of the simulation: for tests of what goes wrong.
pub(super) fn run_with<E>(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    stop: &AtomicBool,
    done: &mut dyn FnMut(Row) -> Result<(), E>,
    simulate: &Simulate,
) -> Result<(), E> {
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
        .take_while(|_| !stop.load(Ordering::Relaxed));
    let mut result = Ok(());
    std::thread::scope(|scope| {
        let pool = &pool;
        scope.spawn(move || {
            let work = |sender: &mut mpsc::Sender<Message>,
                        (shared, replication): (Arc<Shared>, u64)| {
                if let Some(ended) = unit(plan, &shared, replication, stop, simulate) {
                    // Nobody listens any more when the rest was given up.
                    drop(sender.send(Message {
                        shared,
                        replication,
                        ended,
                    }));
                }
            };
            pool.install(|| units.par_bridge().for_each_with(sender, work));
        });
        let mut open: BTreeMap<usize, Vec<(u64, Ended)>> = BTreeMap::new();
        for Message {
            shared,
            replication,
            ended,
        } in receiver
        {
            let runs = open.entry(shared.number).or_default();
            runs.push((replication, ended));
            if (runs.len() as u64) < plan.replications() || result.is_err() {
                continue;
            }
            let Some(mut runs) = open.remove(&shared.number) else {
                continue;
            };
            runs.sort_by_key(|(replication, _)| *replication);
            let runs: Vec<Ended> = runs.into_iter().map(|(_, ended)| ended).collect();
            let built = shared.model.get().and_then(|built| built.as_ref().ok());
            let built = built.map(|built| (&*built.model, &built.measures[..]));
            if let Err(error) = done(Row::of(plan, plan.cell(shared.number), built, &runs)) {
                result = Err(error);
                stop.store(true, Ordering::Relaxed);
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
    stop: &AtomicBool,
    simulate: &Simulate,
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

fn build(plan: &Plan, cell: usize) -> Result<Built, String> {
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
    while simulation.run_events(SLICE) {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
    }
    Some(match simulation.end().and_then(End::warning) {
        Some(early) => Err(early.to_owned()),
        None => Ok(Run::of(&simulation, measures)),
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
