//! Threads, progress, cancelling, failure.

use super::run::simulate;
use crate::engine::{End, Simulation};
use crate::model::Model;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far an experiment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Runs done.
    pub done: u64,
    /// Runs that are known to be needed so far, and those that will be needed by the variance seen.
    pub planned: u64,
}

/// How an experiment is to be run: nothing here changes what comes out.
pub struct Control<'a> {
    /// Threads that simulate.
    pub threads: NonZeroUsize,
    /// Set from outside to stop: what is complete is kept.
    pub cancel: &'a AtomicBool,
    /// Told after every run, from whatever thread did it.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    done: AtomicU64,
    planned: AtomicU64,
    hoped: AtomicU64,
    /// Why the experiment says nothing.
    failed: Mutex<Option<String>>,
}

impl<'a> Control<'a> {
    /// A way to run experiments on so many threads.
    pub fn new(
        threads: NonZeroUsize,
        cancel: &'a AtomicBool,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Self {
        Self {
            threads,
            cancel,
            progress,
            done: AtomicU64::new(0),
            planned: AtomicU64::new(0),
            hoped: AtomicU64::new(0),
            failed: Mutex::new(None),
        }
    }

    /// Whether to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Runs a replication to its end; `None` if told to stop before.
    pub fn simulate(&self, model: &Arc<Model>, replication: u64) -> Option<Simulation> {
        let simulation = simulate(model, replication, self.cancel)?;
        self.hear(&simulation);
        Some(simulation)
    }

    /// Hears how a run ended: after a policy that failed nothing that was measured says anything of the system.
    pub(super) fn hear(&self, simulation: &Simulation) {
        if simulation.end() == Some(End::PolicyFailed)
            && let Some(why) = simulation.early_end()
        {
            self.fail(why);
        }
    }

    /// The experiment says nothing, and why.
    pub(super) fn fail(&self, why: String) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several the same one, whichever came first.
        *failed = failed.take().into_iter().chain([why]).min();
    }

    /// Why the experiment says nothing, where that is so.
    pub fn failure(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    /// Says that so many runs more are needed.
    pub fn plan(&self, runs: u64) {
        self.planned.fetch_add(runs, Ordering::Relaxed);
    }

    /// Says that about so many runs more will follow those that are planned: an estimate for
    /// progress, which replaces the one before.
    pub(crate) fn hope(&self, runs: u64) {
        self.hoped.store(runs, Ordering::Relaxed);
    }

    /// Says that a run is done.
    pub fn did_one(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let hoped = self.hoped.load(Ordering::Relaxed);
        let planned = (self.planned.load(Ordering::Relaxed) + hoped).max(done);
        (self.progress)(Progress { done, planned });
    }

    /// Does `count` jobs on all threads, begun in the order of their numbers, and gives back their
    /// results in that order, up to the first that was given up.
    ///
    /// Results are taken by number and not as they finish, because the slow ones are the congested
    /// ones: whoever takes the first thirty to finish measures a better system than there is.
    pub fn map<T: Send>(&self, count: usize, job: impl Fn(usize) -> Option<T> + Sync) -> Vec<T> {
        let results: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
        let next = AtomicU64::new(0);
        let work = &|| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed) as usize;
                if number >= count || self.cancelled() {
                    return;
                }
                let result = job(number);
                let given_up = result.is_none();
                if let Ok(mut results) = results.lock() {
                    results[number] = result;
                }
                if given_up {
                    // What comes after would be thrown away.
                    next.fetch_max(count as u64, Ordering::Relaxed);
                }
            }
        };
        crew(self.threads.get().min(count), "replications", work);
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().map_while(|result| result).collect()
    }
}

/// Has so many threads do the same, the one that calls among them, and waits for all. Where fewer can be had it takes
/// longer, and nothing else; without the feature `threads` there is one.
pub(super) fn crew(threads: usize, name: &str, work: impl Fn() + Copy + Send) {
    #[cfg(feature = "threads")]
    std::thread::scope(|scope| {
        for index in 1..threads {
            let thread = std::thread::Builder::new().name(format!("{name}-{index}"));
            if thread.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    #[cfg(not(feature = "threads"))]
    {
        let _ = (threads, name);
        work();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Runs something on so many threads, without progress.
    pub(in crate::experiment) fn on<T>(threads: usize, what: impl FnOnce(&Control<'_>) -> T) -> T {
        let cancel = AtomicBool::new(false);
        let threads = NonZeroUsize::new(threads).expect("at least one");
        what(&Control::new(threads, &cancel, &|_| {}))
    }

    #[test]
    fn results_come_by_number_whatever_takes_long() {
        let squares: Vec<usize> = (0..50).map(|i| i * i).collect();
        for threads in [1, 2, 7] {
            let found = on(threads, |control| {
                control.map(50, |i| {
                    let mut waste = 0u64;
                    for k in 0..(50 - i as u64) * 2_000 {
                        waste = waste.wrapping_mul(31).wrapping_add(k);
                    }
                    (waste != 1).then_some(i * i)
                })
            });
            assert_eq!(found, squares, "{threads} threads");
        }
    }

    #[test]
    fn what_follows_something_given_up_is_left_out() {
        for threads in [1, 3] {
            let found = on(threads, |control| {
                control.map(20, |i| (i != 7).then_some(i))
            });
            assert_eq!(found, (0..7).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_policy_that_fails_is_heard_of_whoever_simulates_first() {
        let text = "horizon = \"1s\"\ntraffic = [{ to = \"web\", rate = 100 }]\n[service.web]\ndemand = \"1ms\"\n\
            balancer.policy = { kind = \"script\", code = \"fn pick() { if now() > 0.5 { return 9; } return 0; }\" }\n\
            server = [{ name = \"a\", workers = 1 }]\n";
        let model = Arc::new(crate::scenario::parse(text).expect("a scenario"));
        let why = |threads| {
            on(threads, |control| {
                control.map(7, |i| control.simulate(&model, i as u64));
                control.failure().expect("it fails in all")
            })
        };
        assert_eq!(why(1), why(3));
        assert!(why(1).contains("9 was picked"), "{}", why(1));
    }

    #[test]
    fn cancelling_keeps_what_is_complete() {
        let cancel = AtomicBool::new(false);
        let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
        let found = control.map(20, |i| {
            if i == 4 {
                cancel.store(true, Ordering::Relaxed);
            }
            Some(i)
        });
        assert_eq!(found, [0, 1, 2, 3, 4]);
    }
}
