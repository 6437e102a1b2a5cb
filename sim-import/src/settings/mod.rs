//! Settings of programs, as scenarios.
