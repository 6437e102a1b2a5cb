//! Drives a simulation in slices, so that progress can be shown and Ctrl-C obeyed. How it is sliced
//! changes nothing about what happens.

use crate::exit::Failure;
use crate::progress::Progress;
use crate::terminal::Out;
use sim_core::engine::Simulation;
use sim_core::record::RequestRecord;
use sim_core::time::Instant as Moment;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a slice takes: short enough to feel prompt, long enough to cost nothing.
const SLICE: Duration = Duration::from_millis(50);
/// Time between two looks at the clock, about: they are to cost nothing that can be measured.
const LOOK: Duration = Duration::from_micros(200);
/// The clock is looked at after as many times of being asked at the latest, should events become dear.
const ASKED: u32 = 64;

/// How a run went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Driven {
    /// How long it took.
    pub wall: Duration,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Runs to the end, or until the user wants to stop.
pub(crate) fn drive(
    simulation: &mut Simulation,
    progress: Progress,
    out: &Out<'_>,
    log: &mut dyn FnMut(Vec<RequestRecord>) -> Result<(), Failure>,
) -> Result<Driven, Failure> {
    let end = Moment(simulation.model().horizon.0);
    drive_until(simulation, end, progress, out, log)
}

/// Runs until a moment, or until the user wants to stop. The request log is handed to `log` as it
/// comes, for it may be longer than memory.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a run takes is told in `host`, and nothing else depends on it"
)]
pub(crate) fn drive_until(
    simulation: &mut Simulation,
    end: Moment,
    mut progress: Progress,
    out: &Out<'_>,
    log: &mut dyn FnMut(Vec<RequestRecord>) -> Result<(), Failure>,
) -> Result<Driven, Failure> {
    let (stop, told) = (out.stop()?, out.told());
    let asked = || stop.load(Ordering::Relaxed);
    let start = Instant::now();
    // Every how many times of being asked the clock is looked at.
    let mut every = 1;
    loop {
        let (mut looked, mut times) = (Instant::now(), 0);
        let over = looked + SLICE;
        let goes_on = simulation.run_while(end, || {
            times += 1;
            if asked() || times < every {
                return !asked();
            }
            let now = Instant::now();
            let took = now - looked;
            (looked, times) = (now, 0);
            every = if took > LOOK { every / 2 } else { every * 2 }.clamp(1, ASKED);
            now < over
        });
        log(simulation.recorder_mut().take_log())?;
        let interrupted = goes_on && asked();
        if interrupted {
            simulation.end_here();
            log(simulation.recorder_mut().take_log())?;
        }
        if interrupted || !goes_on {
            progress.finish();
            return Ok(Driven {
                wall: start.elapsed(),
                interrupted,
            });
        }
        told(simulation.now().0, simulation.model().horizon.0);
        progress.show(simulation, start.elapsed());
    }
}
