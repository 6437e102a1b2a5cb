//! The part of the Python package that is Rust: runs commands of `stampede`, and hands over what they find.
//!
//! What a function is called in Python, and which options it has, stands in `python/stampede`; nothing here knows one
//! command from another.

mod answer;
mod conduct;
mod policy;
mod table;

use pyo3::prelude::*;

/// What the package is built on.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::answer::{Answer, Refusal};
    #[pymodule_export]
    use super::conduct::command;
    #[pymodule_export]
    use super::policy::{Fleet, add_policy};
    #[pymodule_export]
    use super::table::Table;
}
