//! Measurements: how far the engine is from what the machine can do.
//!
//! [`bare`] is the yardstick, a loop that can simulate one system only; [`w1`] is the engine on the
//! same workload; [`contest`] measures
//! several programs in turns, so that a busy neighbour hits all of them alike; [`fleet`] is what can
//! happen to many servers at once; [`shop`] is a system in which there is something to find.

pub mod bare;
pub mod contest;
pub mod features;
pub mod fleet;
pub mod shop;
pub mod w1;
