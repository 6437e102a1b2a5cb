//! Experiments: many runs, and what can be said from all of them together.
//!
//! This is the only place of the core with threads. Whatever is computed does not depend on how
//! many there are: runs are numbered, and their results are put together in the order of numbers.

pub mod sweep;
