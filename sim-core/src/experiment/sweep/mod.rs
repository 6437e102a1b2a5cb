//! Sweeps: one scenario in many variants, as cells of a table.
//!
//! A [`Plan`] varies a scenario along axes; every combination is a [`Cell`] with a number and an
//! identity.

mod axis;
mod check;
mod keys;
mod measure;
mod plan;
mod value;
mod write;

pub use measure::Measure;
pub use plan::{Cell, Plan};
