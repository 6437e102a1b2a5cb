//! What depends on the machine and the hour, kept apart from the figures.

use crate::exit::Exit;
use serde::Serialize;
use sim_core::summary::Summary;
use std::path::Path;
use std::time::Duration;

/// About the run on this machine; the only part of the output that differs between two runs.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub(crate) struct Host {
    /// How long the simulation took, in seconds.
    pub wall_s: f64,
    /// Requests simulated per second of that.
    pub requests_per_s: f64,
    /// Events simulated per second of that.
    pub events_per_s: f64,
    /// Most memory the process held at once; absent where the system does not say.
    pub peak_rss_bytes: Option<u64>,
    /// The exit code that this run amounts to.
    pub exit_code: u8,
}

impl Host {
    /// About a run that took `wall`.
    pub(crate) fn new(summary: &Summary, wall: Duration, exit: Exit) -> Self {
        let wall_s = wall.as_secs_f64().max(1e-9);
        Self {
            wall_s,
            requests_per_s: summary.requests.arrived as f64 / wall_s,
            events_per_s: summary.events as f64 / wall_s,
            peak_rss_bytes: peak_rss_bytes(),
            exit_code: exit.code(),
        }
    }
}

fn peak_rss_bytes() -> Option<u64> {
    let status = crate::files::read_text(Path::new("/proc/self/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}
