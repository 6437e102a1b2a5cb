//! Access logs and logs of load tests, as arrivals, demand and workers.
//!
//! ```text
//! lines ─► Record ─► Collector (window, sorted) ─► Sweep (in flight, stretches) ─► Measured ─► scenario, check
//! ```

mod beside;
mod burst;
mod check;
mod collect;
mod demand;
mod format;
mod measured;
mod number;
mod packed;
mod reader;
mod record;
mod route;
mod sketch;
mod sweep;
mod work;
mod workers;
mod write;

pub use beside::{Beside, Replayed};
pub use burst::Dispersion;
pub use check::{Check, Compared, Traces};
pub use collect::Collector;
pub use demand::Demand;
pub use format::{FORMATS, FormatDef, Said};
pub use measured::{ClassFigures, Measured, Pick, ServerFigures};
pub use reader::{Fault, FileFigures, begins, read, recognise};
pub use workers::Workers;
pub use write::{Arrivals, Scenario};

#[cfg(test)]
mod tests;
