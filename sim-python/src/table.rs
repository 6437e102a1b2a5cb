//! A table of the command as columns, which any library that knows Arrow reads without a copy.

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use std::sync::Arc;

/// Columns that hold words, even where all of them look like numbers, or none is there.
const TEXTS: [&str; 37] = [
    "balancer",
    "by",
    "case",
    "cause",
    "change",
    "class",
    "clock",
    "cost",
    "digest",
    "effect",
    "figure",
    "found",
    "kind",
    "measure",
    "method",
    "needs",
    "notes",
    "outcome",
    "reference",
    "region",
    "server",
    "service",
    "sets",
    "source",
    "stage",
    "state",
    "subject",
    "title",
    "trigger",
    "variant",
    "verdict",
    "withheld",
    "difference_withheld",
    "difference_method",
    "description",
    "from",
    "against",
];

/// Columns that number or count something.
const WHOLES: [&str; 15] = [
    "attempts",
    "cell",
    "connections",
    "down",
    "events",
    "failed",
    "number",
    "rank",
    "rank_best",
    "rank_worst",
    "recovered",
    "replication",
    "replications",
    "samples",
    "waiting",
];

/// Columns of a table. A column of numbers holds doubles, but for those that number or count; an empty field is null.
#[pyclass(frozen)]
#[derive(Clone)]
pub struct Table {
    batch: RecordBatch,
}

impl Table {
    /// Reads a table as the command writes it.
    pub fn read(csv: &[u8]) -> Result<Self, String> {
        let wrong = |error: csv::Error| error.to_string();
        let mut reader = csv::Reader::from_reader(csv);
        let head: Vec<String> = reader
            .headers()
            .map_err(wrong)?
            .iter()
            .map(str::to_owned)
            .collect();
        let rows: Vec<csv::StringRecord> =
            reader.records().collect::<Result<_, _>>().map_err(wrong)?;
        let columns: Vec<ArrayRef> = head
            .iter()
            .enumerate()
            .map(|(at, name)| {
                column(name, || {
                    rows.iter().map(move |row| row.get(at).unwrap_or_default())
                })
            })
            .collect();
        let fields = head.iter().zip(&columns);
        let fields: Vec<Field> = fields
            .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
            .collect();
        // A table without columns has rows all the same.
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, columns, &options)
            .map(|batch| Self { batch })
            .map_err(|error| error.to_string())
    }
}

/// The narrowest kind that holds all fields of a column.
fn column<'a, Fields: Iterator<Item = &'a str>>(
    name: &str,
    fields: impl Fn() -> Fields,
) -> ArrayRef {
    let all = |fits: fn(&str) -> bool| fields().all(|field| field.is_empty() || fits(field));
    if !TEXTS.contains(&name) {
        if WHOLES.contains(&name) && all(|field| field.parse::<i64>().is_ok()) {
            let mut column = Int64Builder::new();
            fields().for_each(|field| column.append_option(field.parse().ok()));
            return Arc::new(column.finish());
        }
        if all(|field| field.parse::<f64>().is_ok()) {
            let mut column = Float64Builder::new();
            fields().for_each(|field| column.append_option(field.parse().ok()));
            return Arc::new(column.finish());
        }
        if all(|field| field.parse::<bool>().is_ok()) {
            let mut column = BooleanBuilder::new();
            fields().for_each(|field| column.append_option(field.parse().ok()));
            return Arc::new(column.finish());
        }
    }
    let mut column = StringBuilder::new();
    fields().for_each(|field| column.append_option((!field.is_empty()).then_some(field)));
    Arc::new(column.finish())
}

#[pymethods]
impl Table {
    /// A table from the bytes of a CSV file of the command.
    #[staticmethod]
    fn from_csv(csv: &[u8]) -> PyResult<Self> {
        Self::read(csv).map_err(PyValueError::new_err)
    }

    /// The table as a stream of Arrow.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Whoever asks for another schema is to cast: the interface allows to hand over one's own.
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    /// The names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let schema = self.batch.schema();
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    /// The fields of a column, as objects of Python.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        let Some(column) = self.batch.column_by_name(name) else {
            let message = format!(
                "no column is called {name:?}: {}",
                self.columns().join(", ")
            );
            return Err(PyKeyError::new_err(message));
        };
        objects(py, column)
    }
}

fn objects<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type};
    match column.data_type() {
        DataType::Int64 => PyList::new(py, column.as_primitive::<Int64Type>().iter()),
        DataType::Float64 => PyList::new(py, column.as_primitive::<Float64Type>().iter()),
        DataType::Boolean => PyList::new(py, column.as_boolean()),
        _ => PyList::new(py, column.as_string::<i32>()),
    }
}
