//! Tests of the core from outside: theory, determinism, invariants, mechanisms, limits.
//!
//! They know scenarios, summaries and stories only, so that they would survive another engine.

mod determinism;
mod support;
mod zoo;
