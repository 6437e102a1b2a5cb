//! Experiments from the window: comparisons and sweeps of the open scenario, and the last moment at which something
//! helps, in the background.
//!
//! Nothing here knows of a screen. A [`Draft`] is what somebody asks for; with the [`Subject`]s it
//! names it becomes [`Prepared`], exactly what `stampede compare`, `sweep` or `deadline` would run; a
//! [`Runner`] simulates it, on threads or in slices, and gives [`Report`]s with what can be said so
//! far.
//!
//! | file | concern |
//! |---|---|
//! | `draft` | what is asked for, and what is asked for when nobody says |
//! | `choices` | paths, values and measures to pick from |
//! | `subject` | which scenario: as opened, or a future |
//! | `prepare` | from a draft to what is run, or to what is wrong with it |
//! | `runner` | who drives it |
//! | `outcome` | tables, files and the command |

pub mod choices;
pub mod draft;
pub mod outcome;
pub mod prepare;
pub mod runner;
pub mod subject;

pub use draft::{Draft, Kind, Spread, Vary};
pub use prepare::{Field, LastMoment, Prepared, Refusal, prepare};
pub use runner::{Found, Over, Report, Runner};
pub use subject::Subject;

/// An experiment that was begun.
pub struct Experiment {
    /// What was asked for.
    pub draft: Draft,
    /// What was made of it.
    pub prepared: Prepared,
    /// The command that does the same.
    pub command: String,
    /// What is known.
    pub report: Report,
}
