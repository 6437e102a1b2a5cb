//! Runs a command on a thread of its own, while the one of Python looks after signals and progress.

use crate::answer::{Answer, Refusal};
use crate::policy;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use sim_cli::{Inside, answer};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Time between two looks at whether somebody pressed Ctrl-C, and how far it is.
const LOOK: Duration = Duration::from_millis(50);

/// Commands that run now.
static RUNNING: AtomicU64 = AtomicU64::new(0);

/// Does what `stampede WORDS…` does. `given` are texts that words can name as files; `progress` is called with how much is
/// done, of how much.
#[pyfunction]
#[pyo3(signature = (words, given, progress=None))]
pub fn command(
    py: Python<'_>,
    words: Vec<String>,
    given: Vec<(String, String)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    if RUNNING.fetch_add(1, Ordering::Relaxed) == 0 {
        // Of a command that was given up.
        policy::take_raised();
    }
    let found = py.detach(|| conduct(&words, &given, progress.as_ref()));
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    let found = found?;
    // What a policy raised says more than what became of the command for it.
    let failed = found.as_ref().map_or(true, |found| found.exit != 0);
    if failed && let Some(raised) = policy::take_raised() {
        return Err(raised);
    }
    Ok(match found {
        Ok(found) => Py::new(py, Answer::new(found))?.into_any(),
        Err(refusal) => Py::new(py, Refusal::from(refusal))?.into_any(),
    })
}

/// The same, without Python. What a signal's handler raises ends the command, and is raised once it has ended.
fn conduct(
    words: &[String],
    given: &[(String, String)],
    progress: Option<&Py<PyAny>>,
) -> PyResult<Result<sim_cli::Answer, sim_cli::Refusal>> {
    let stop = AtomicBool::new(false);
    let (done, of) = (AtomicU64::new(0), AtomicU64::new(0));
    let told = |now: u64, all: u64| {
        of.store(all, Ordering::Relaxed);
        done.fetch_max(now, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        let (end, ended) = sync_channel(1);
        let (stop, told) = (&stop, &told);
        let work = move || {
            let inside = Inside {
                given,
                stop,
                progress: told,
            };
            let found = answer(words, &inside);
            // Nobody listens when Python is about to end.
            let _ = end.send(());
            found
        };
        let worker = std::thread::Builder::new()
            .name("stampede".to_owned())
            .spawn_scoped(scope, work)?;
        let mut raised: PyResult<()> = Ok(());
        let mut last = None;
        // A sender that is gone is one of a worker that failed.
        while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if raised.is_err() {
                continue;
            }
            let now = (done.load(Ordering::Relaxed), of.load(Ordering::Relaxed));
            raised = Python::attach(|py| {
                py.check_signals()?;
                if let Some(progress) = progress.filter(|_| last != Some(now)) {
                    progress.call1(py, now)?;
                    last = Some(now);
                }
                Ok(())
            });
            stop.store(raised.is_err(), Ordering::Relaxed);
        }
        let found = worker.join();
        raised?;
        found.map_err(|_| {
            PyRuntimeError::new_err(
                "this is a mistake of the program; please report it, with the scenario",
            )
        })
    })
}
