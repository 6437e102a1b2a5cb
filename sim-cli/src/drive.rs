//! Drives a simulation in slices, so that progress can be shown and Ctrl-C obeyed. How it is sliced
//! changes nothing about what happens.

use crate::exit::Failure;
use crate::interrupt;
use crate::progress::Progress;
use sim_core::engine::Simulation;
use sim_core::record::RequestRecord;
use std::time::{Duration, Instant};

/// Events in the first slice.
const SLICE: u64 = 50_000;
/// How long a slice should take: short enough to feel prompt, long enough to cost nothing.
const SLICE_TIME: Duration = Duration::from_millis(50);

/// How a run went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Driven {
    /// How long it took.
    pub wall: Duration,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Runs to the end, or until the user wants to stop. The request log is handed to `log` as it
/// comes, for it may be longer than memory.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a run takes is told in `host`, and nothing else depends on it"
)]
pub(crate) fn drive(
    simulation: &mut Simulation,
    mut progress: Progress,
    log: &mut dyn FnMut(Vec<RequestRecord>) -> Result<(), Failure>,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let mut slice = SLICE;
    loop {
        let slice_start = Instant::now();
        let goes_on = simulation.run_events(slice);
        log(simulation.recorder_mut().take_log())?;
        let interrupted = goes_on && interrupt::asked();
        if interrupted || !goes_on {
            progress.finish();
            return Ok(Driven {
                wall: start.elapsed(),
                interrupted,
            });
        }
        progress.show(simulation, start.elapsed());
        // Events cost more under overload: the slice follows.
        let took = slice_start.elapsed();
        if took > SLICE_TIME * 2 {
            slice = (slice / 2).max(1000);
        } else if took < SLICE_TIME / 2 {
            slice = (slice * 2).min(100_000_000);
        }
    }
}
