//! Who simulates an experiment: threads of the core's own, or slices of the screen's time where
//! there are no threads. What comes out is the same.

use super::prepare::Prepared;
use sim_core::doctor::{self, Finding, Outcome};
use sim_core::experiment::sweep::{self, Row, Shard, Steps};
use sim_core::experiment::{
    Comparison, ComparisonSteps, Control, Deadline, DeadlineSteps, Progress, Stop, Variant,
    compare_told, deadline,
};
use sim_core::scenario::Problems;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use web_time::Instant as WallInstant;

/// How often what can be said so far is worked out anew.
const REFRESH: Duration = Duration::from_millis(150);
/// Events between two looks at the clock: less than a picture's time on a slow machine.
const EVENTS: u64 = 4_000;
/// The same where it is asked every few events whether to go on.
const ASKED: u32 = 128;

/// Called when there is something new to show.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// What can be said so far.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing yet.
    Nothing,
    /// Of a comparison: by the replications that are whole.
    Compared(Arc<Comparison>),
    /// Of a sweep: the cells that are complete, by their numbers.
    Swept(Arc<Vec<Row>>),
    /// Of a search for the last moment: by the replications that are whole.
    Acted(Arc<Deadline>),
    /// What is done does not fit at one of the moments, which ended it.
    Unfit(Arc<Problems>),
    /// By the doctor, what costs most first: of the trials that are complete.
    Examined(Arc<Vec<Finding>>),
}

/// How an experiment ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// Everything planned is done.
    Complete,
    /// Somebody stopped it: what is complete is kept.
    Stopped,
    /// By a mistake of the program.
    Broken,
}

/// How far it is and what can be said.
#[derive(Clone, Debug)]
pub struct Report {
    /// What can be said.
    pub found: Found,
    /// Runs done and planned.
    pub progress: Progress,
    /// Time since the start.
    pub elapsed: Duration,
    /// How it ended, once it has.
    pub over: Option<Over>,
}

impl Report {
    /// Before anything is done.
    pub fn new(prepared: &Prepared) -> Self {
        Self {
            found: Found::Nothing,
            progress: Progress {
                done: 0,
                planned: prepared.runs(),
            },
            elapsed: Duration::ZERO,
            over: None,
        }
    }

    /// Time that the rest will take at this rate; `None` while nothing is done.
    pub fn left(&self) -> Option<Duration> {
        let Progress { done, planned } = self.progress;
        let rest = planned.saturating_sub(done) as f64;
        (done > 0).then(|| self.elapsed.mul_f64(rest / done as f64))
    }
}

/// Something that simulates an experiment.
pub trait Runner {
    /// The latest report, if there is a new one. Those without threads work now, for about `slice`.
    fn poll(&mut self, slice: Duration) -> Option<Report>;
    /// Ends it; what is complete is kept, and reported.
    fn stop(&mut self);
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long an experiment takes is told to whoever waits; what is simulated does not depend on it"
)]
fn wall_clock() -> WallInstant {
    WallInstant::now()
}

/// Simulates on threads.
pub struct Threaded {
    slot: Arc<Slot>,
}

/// What threads and the screen share.
struct Slot {
    report: Mutex<(Report, bool)>,
    stop: AtomicBool,
    start: WallInstant,
    refreshed: Mutex<WallInstant>,
    waker: Waker,
}

impl Slot {
    /// Changes the report, and wakes the screen.
    fn change(&self, change: impl FnOnce(&mut Report)) {
        let mut report = locked(&self.report);
        change(&mut report.0);
        report.0.elapsed = self.start.elapsed();
        report.1 = true;
        drop(report);
        (self.waker)();
    }

    /// Whether it is time to work out anew what can be said.
    fn due(&self) -> bool {
        let mut refreshed = locked(&self.refreshed);
        let due = refreshed.elapsed() >= REFRESH;
        if due {
            *refreshed = wall_clock();
        }
        due
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads that simulate: one core is left to the screen and to playback.
fn threads() -> NonZeroUsize {
    let all = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(all - 1).unwrap_or(NonZeroUsize::MIN)
}

impl Threaded {
    /// Begins.
    pub fn start(prepared: &Prepared, waker: Waker) -> Self {
        let slot = Arc::new(Slot {
            report: Mutex::new((Report::new(prepared), true)),
            stop: AtomicBool::new(false),
            start: wall_clock(),
            refreshed: Mutex::new(wall_clock()),
            waker,
        });
        let (shared, prepared) = (Arc::clone(&slot), prepared.clone());
        let work = move || {
            let done = catch_unwind(AssertUnwindSafe(|| simulate(&prepared, &shared)));
            if done.is_err() {
                shared.change(|report| report.over = Some(Over::Broken));
            }
        };
        let begun = std::thread::Builder::new()
            .name("experiment".to_owned())
            .spawn(work);
        if begun.is_err() {
            slot.change(|report| report.over = Some(Over::Broken));
        }
        Self { slot }
    }
}

fn simulate(prepared: &Prepared, slot: &Slot) {
    match prepared {
        Prepared::Comparison { variants, plan, .. } => {
            let progress = |progress: Progress| slot.change(|report| report.progress = progress);
            let control = Control::new(threads(), &slot.stop, &progress);
            let found = compare_told(variants.clone(), plan, &control, &|so_far| {
                if slot.due() {
                    let found = Found::Compared(Arc::new(so_far()));
                    slot.change(|report| report.found = found);
                }
            });
            let over = over(found.stop);
            slot.change(|report| {
                report.found = Found::Compared(Arc::new(found));
                report.over = Some(over);
            });
        }
        Prepared::Sweep { plan } => {
            let cells = Shard::WHOLE.cells(plan);
            let mut rows: Vec<Row> = Vec::new();
            let mut done = |row: Row| {
                insert(&mut rows, row);
                let known = (slot.due() || rows.len() == 1).then(|| Arc::new(rows.clone()));
                if let Some(rows) = known {
                    slot.change(|report| report.found = Found::Swept(rows));
                }
                Ok::<(), Infallible>(())
            };
            let told = || slot.change(|report| report.progress.done += 1);
            let count = threads().get();
            let Ok(()) = sweep::run_told(plan, &cells, count, &slot.stop, &mut done, &told);
            let over = if rows.len() == cells.len() {
                Over::Complete
            } else {
                Over::Stopped
            };
            slot.change(|report| {
                // Cells that cannot be built need no run; those given up were told of.
                report.progress.done = rows.iter().map(|row| row.replications).sum();
                report.found = Found::Swept(Arc::new(rows));
                report.over = Some(over);
            });
        }
        Prepared::Deadline(of) => {
            let progress = |progress: Progress| slot.change(|report| report.progress = progress);
            let control = Control::new(threads(), &slot.stop, &progress);
            let found = deadline(&of.scenario, &of.model, &of.plan, &control);
            slot.change(|report| (report.found, report.over) = searched(found));
        }
        Prepared::Examination(examination) => {
            let progress = |progress: Progress| slot.change(|report| report.progress = progress);
            let control = Control::new(threads(), &slot.stop, &progress);
            let found = examination.run(&control, &|found| {
                slot.change(|report| report.found = Found::Examined(Arc::new(found)));
            });
            let over = examined(&found);
            slot.change(|report| {
                report.found = Found::Examined(Arc::new(found));
                report.over = Some(over);
            });
        }
    }
}

/// What a search for the last moment found, and how it ended.
fn searched(found: Result<Deadline, Problems>) -> (Found, Option<Over>) {
    match found {
        Ok(found) => {
            let over = if found.interrupted {
                Over::Stopped
            } else {
                Over::Complete
            };
            let found = match found.acted.len() {
                0 => Found::Nothing,
                _ => Found::Acted(Arc::new(found)),
            };
            (found, Some(over))
        }
        Err(problems) => (Found::Unfit(Arc::new(problems)), Some(Over::Stopped)),
    }
}

fn examined(found: &[Finding]) -> Over {
    let mut outcomes = found.iter().map(|finding| &finding.outcome);
    if outcomes.any(|outcome| *outcome == Outcome::Interrupted) {
        Over::Stopped
    } else {
        Over::Complete
    }
}

fn over(stop: Stop) -> Over {
    if stop == Stop::Interrupted {
        Over::Stopped
    } else {
        Over::Complete
    }
}

/// Puts a row where its number belongs.
fn insert(rows: &mut Vec<Row>, row: Row) {
    let at = rows.partition_point(|known| known.cell < row.cell);
    rows.insert(at, row);
}

impl Runner for Threaded {
    fn poll(&mut self, _: Duration) -> Option<Report> {
        let mut report = locked(&self.slot.report);
        std::mem::take(&mut report.1).then(|| report.0.clone())
    }

    fn stop(&mut self) {
        self.slot.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Threaded {
    /// Nobody looks any more: the threads end by themselves.
    fn drop(&mut self) {
        self.stop();
    }
}

/// Simulates whenever it is polled.
pub struct Sliced {
    steps: Work,
    report: Report,
    /// Whether the report is new.
    changed: bool,
    refreshed: WallInstant,
    start: WallInstant,
}

enum Work {
    Comparison(Box<ComparisonSteps>),
    Sweep(Box<Steps>, Vec<Row>),
    Deadline(Result<Box<DeadlineSteps>, Problems>),
    Examination(Box<doctor::Steps>),
}

impl Sliced {
    /// Begins.
    pub fn start(prepared: &Prepared) -> Self {
        let steps = match prepared {
            Prepared::Comparison { variants, plan, .. } => {
                let variants: Vec<Variant> = variants.clone();
                Work::Comparison(Box::new(ComparisonSteps::new(variants, plan)))
            }
            Prepared::Sweep { plan } => {
                let cells = Shard::WHOLE.cells(plan);
                Work::Sweep(Box::new(Steps::new(Arc::clone(plan), cells)), Vec::new())
            }
            Prepared::Deadline(of) => {
                let steps = DeadlineSteps::new(&of.scenario, &of.model, &of.plan);
                Work::Deadline(steps.map(Box::new))
            }
            Prepared::Examination(examination) => {
                Work::Examination(Box::new(Arc::clone(examination).steps()))
            }
        };
        Self {
            steps,
            report: Report::new(prepared),
            changed: true,
            refreshed: wall_clock(),
            start: wall_clock(),
        }
    }

    /// One step; whether a run, or all of it, came to its end.
    fn step(&mut self) -> bool {
        let done = self.report.progress.done;
        match &mut self.steps {
            Work::Comparison(steps) => {
                steps.step(EVENTS);
                self.report.progress = steps.progress();
                self.report.over = steps.stop().map(over);
            }
            Work::Sweep(steps, rows) => {
                if let Some(row) = steps.step(EVENTS) {
                    insert(rows, row);
                }
                self.report.progress.done = steps.replications();
                self.report.over = steps.is_over().then_some(Over::Complete);
            }
            Work::Deadline(Ok(steps)) => {
                let mut asked = 0;
                steps.step(&mut || {
                    asked += 1;
                    asked < ASKED
                });
                self.report.progress = steps.progress();
                self.report.over = match steps.refused() {
                    Some(_) => Some(Over::Stopped),
                    None => steps.is_over().then_some(Over::Complete),
                };
            }
            Work::Deadline(Err(_)) => self.report.over = Some(Over::Stopped),
            Work::Examination(steps) => {
                steps.step(EVENTS);
                self.report.progress = steps.progress();
                self.report.over = steps.is_over().then_some(Over::Complete);
            }
        }
        self.report.progress.done > done || self.report.over.is_some()
    }

    fn refresh(&mut self) {
        self.refreshed = wall_clock();
        self.report.found = match &self.steps {
            Work::Comparison(steps) => Found::Compared(Arc::new(steps.so_far())),
            Work::Sweep(_, rows) => Found::Swept(Arc::new(rows.clone())),
            Work::Deadline(Ok(steps)) => {
                let found = steps
                    .refused()
                    .cloned()
                    .map_or_else(|| Ok(steps.so_far()), Err);
                searched(found).0
            }
            Work::Deadline(Err(problems)) => Found::Unfit(Arc::new(problems.clone())),
            Work::Examination(steps) => Found::Examined(Arc::new(steps.findings())),
        };
    }
}

impl Runner for Sliced {
    fn poll(&mut self, slice: Duration) -> Option<Report> {
        let begin = wall_clock();
        let mut ended = false;
        while self.report.over.is_none() && begin.elapsed() < slice {
            ended |= self.step();
        }
        if ended {
            self.report.elapsed = self.start.elapsed();
            self.changed = true;
            if self.report.over.is_some() || self.refreshed.elapsed() >= REFRESH {
                self.refresh();
            }
        }
        std::mem::take(&mut self.changed).then(|| self.report.clone())
    }

    fn stop(&mut self) {
        if self.report.over.is_none() {
            match &mut self.steps {
                Work::Comparison(steps) => steps.interrupt(),
                Work::Deadline(Ok(steps)) => steps.interrupt(),
                Work::Examination(steps) => steps.interrupt(),
                Work::Sweep(..) | Work::Deadline(Err(_)) => {}
            }
            self.refresh();
            self.report.over = Some(Over::Stopped);
            self.changed = true;
        }
    }
}
