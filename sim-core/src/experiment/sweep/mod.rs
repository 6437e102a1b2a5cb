//! Sweeps: one scenario in many variants, as cells of a table.
//!
//! A [`Plan`] varies a scenario along axes; every combination is a [`Cell`] with a number and an
//! identity. [`run`] simulates cells on several threads and gives a [`Row`] for each, the same for
//! any number of threads; [`Steps`] do the same a little at a time, without threads; a [`Journal`] keeps rows so that a sweep can go on where it ended; a
//! [`Shard`] is a part of a plan for another machine, and [`merge`] puts shards together. Random
//! numbers are common to all cells: replication n of each faces the same requests.

mod arguments;
pub(crate) mod axis;
mod check;
mod journal;
mod keys;
mod merge;
mod plan;
mod range;
mod read;
mod row;
mod run;
mod sensitivity;
mod shard;
mod steps;
#[cfg(test)]
mod tests;
pub(crate) mod value;
mod waves;
mod write;

pub(crate) use keys::PlanSpec;

pub use arguments::{Arguments, Misused};
pub use journal::{Header, Journal, Mismatch, line_of};
pub(crate) use journal::{checked, line};
pub use merge::{Gap, merge};
pub use plan::{Cell, Plan};
pub use row::{Figure, Row, write_rows};
pub use run::{THREADS_MAX, run, run_told};
pub use sensitivity::{Explained, Sensitivity, sensitivity, write_sensitivity};
pub use shard::Shard;
pub use steps::Steps;
