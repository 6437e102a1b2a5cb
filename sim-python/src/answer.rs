//! What a command found, or why it did not.

use crate::table::Table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, PoisonError};

/// What a command found: files as `-o` would write them, made when they are asked for.
#[pyclass(frozen)]
pub struct Answer {
    // A run is no thing that several threads may look at.
    inner: Mutex<sim_cli::Answer>,
    #[pyo3(get)]
    exit: u8,
    #[pyo3(get)]
    printed: String,
    #[pyo3(get)]
    warnings: Vec<String>,
}

impl Answer {
    /// For Python.
    pub fn new(inner: sim_cli::Answer) -> Self {
        Self {
            exit: inner.exit,
            printed: inner.printed.clone(),
            warnings: inner.warnings.clone(),
            inner: Mutex::new(inner),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&sim_cli::Answer) -> T) -> T {
        act(&self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl Answer {
    /// The names of all files.
    fn names(&self) -> Vec<String> {
        self.with(sim_cli::Answer::names)
    }

    /// The bytes of a file; `None` where there is none of this name.
    fn file<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.with(|inner| inner.file(name)))?;
        Some(PyBytes::new(py, &bytes))
    }

    /// A file as a table; `None` where there is none of this name.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Option<Table>> {
        py.detach(|| {
            let bytes = self.with(|inner| inner.file(name));
            bytes.map(|bytes| Table::read(&bytes)).transpose()
        })
        .map_err(PyValueError::new_err)
    }

    /// How times of a run are spread, by their path in the summary: lower edges and upper edges of buckets in seconds,
    /// as the bytes of doubles, and counts, as those of unsigned integers of 64 bits.
    fn times<'py>(&self, py: Python<'py>, path: &str) -> Option<[Bound<'py, PyBytes>; 3]> {
        let times = self.with(|inner| inner.times_ns(path))?;
        let seconds = |ns: f64| (ns * 1e-9).to_ne_bytes();
        let lower: Vec<u8> = times.iter().flat_map(|(low, _, _)| seconds(*low)).collect();
        let upper: Vec<u8> = times.iter().flat_map(|(_, up, _)| seconds(*up)).collect();
        let counts: Vec<u8> = times.iter().flat_map(|(_, _, n)| n.to_ne_bytes()).collect();
        Some([lower, upper, counts].map(|bytes| PyBytes::new(py, &bytes)))
    }
}

/// Why a command did not do what was asked.
#[pyclass(frozen, get_all)]
pub struct Refusal {
    exit: u8,
    message: String,
    help: String,
    problems: Vec<String>,
}

impl From<sim_cli::Refusal> for Refusal {
    fn from(refusal: sim_cli::Refusal) -> Self {
        let sim_cli::Refusal {
            exit,
            message,
            help,
            problems,
        } = refusal;
        Self {
            exit,
            message,
            help,
            problems,
        }
    }
}
