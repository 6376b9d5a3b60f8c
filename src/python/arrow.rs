//! The table behind every frame, as an Arrow object that any library takes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use pyo3_arrow::PySchema;
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use super::errors::exceptions;
use super::model::stops_of;
use super::run::Run;
use super::wait::interruptible;
use crate::columns::{Chosen, Selection};
use crate::error::{Error, Kind, did_you_mean};
use crate::records::Zone;
use crate::scan::{self, Request};
use crate::table::Texts;

/// What the metadata of a schema says that its rows are, where they are not jobs.
pub(super) const ROWS: &str = "xpframe.rows";

/// A table of jobs: one row a job, one Arrow record batch a run.
///
/// Any library that knows the Arrow PyCapsule interface takes it: `polars.DataFrame(table)`, `pyarrow.table(table)`, DuckDB by
/// its variable's name. It can be taken any number of times.
#[pyclass(frozen, module = "xpframe")]
pub struct Table {
    table: scan::Table,
}

impl Table {
    pub(super) fn new(table: scan::Table) -> Self {
        Self { table }
    }

    fn stream<'py>(
        py: Python<'py>,
        schema: &SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let field = Field::new("", DataType::Struct(schema.fields().clone()), false);
        let field = Arc::new(field.with_metadata(schema.metadata().clone()));
        let arrays = batches.into_iter().map(|batch| Ok(Arc::new(StructArray::from(batch)) as ArrayRef));
        to_stream_pycapsule(py, Box::new(ArrayIterator::new(arrays, field)), None)
    }
}

#[pymethods]
impl Table {
    /// The Arrow schema, as a PyCapsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.table.schema.as_ref())
    }

    /// The record batches, as a PyCapsule: a new stream at each call. Of a requested schema, other layouts of text and other
    /// dictionaries are honoured; anything else is left as it is, as the interface allows.
    #[pyo3(signature = (requested_schema: "object | None" = None) -> "object")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let Some(requested) = requested_schema else {
            return Self::stream(py, &self.table.schema, self.table.batches.clone());
        };
        let requested = PySchema::from_arrow_pycapsule(&requested)?.into_inner();
        let table = py.detach(|| self.table.in_layout_of(&requested)).map_err(PyErr::from)?;
        Self::stream(py, &table.schema, table.batches)
    }

    fn __len__(&self) -> usize {
        self.table.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = self.shape();
        let what = self.table.schema.metadata().get(ROWS).map_or("jobs", String::as_str);
        format!("<xpframe.Table: {rows} {what}, {columns} columns>")
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("xpframe.display")?.getattr("table_html")?.call1((slf,))
    }

    /// The names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.table.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The names and Arrow types of the columns: a list of (name, type) pairs, the types as text.
    #[getter]
    fn schema(&self) -> Vec<(&str, String)> {
        let fields = self.table.schema.fields().iter();
        fields.map(|field| (field.name().as_str(), field.data_type().to_string())).collect()
    }

    /// What is known of a column: `xpframe.group` (system, tag, parameter, fact), `xpframe.path` (its keys, a JSON list),
    /// `xpframe.python` (the Python types seen).
    fn column_metadata(&self, name: &str) -> PyResult<HashMap<String, String>> {
        Ok(self.table.schema.field(self.position(name)?).metadata().clone())
    }

    /// The number of jobs and of columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.__len__(), self.table.schema.fields().len())
    }

    /// Bytes of memory that the columns take, buffers that are shared counted once a column.
    #[getter]
    fn nbytes(&self) -> usize {
        self.table
            .batches
            .iter()
            .flat_map(RecordBatch::columns)
            .map(|array| array.get_array_memory_size())
            .sum()
    }

    /// What could not be read: exceptions of `xpframe.errors`, not raised.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        exceptions(py, &self.table.errors)
    }

    /// What is shown otherwise than it stands in the files, in words.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.table.warnings.clone()
    }

    /// Some of the columns, in the order given; nothing is copied.
    fn select(&self, names: Vec<String>) -> PyResult<Self> {
        let positions: PyResult<Vec<usize>> = names.iter().map(|name| self.position(name)).collect();
        Ok(Self { table: self.table.project(&positions?)? })
    }

    /// The record batches, each as a table of its own; nothing is copied.
    fn batches(&self) -> Vec<Self> {
        let alone = |batch: &RecordBatch| Self {
            table: scan::Table { batches: vec![batch.clone()], ..self.table.clone() },
        };
        self.table.batches.iter().map(alone).collect()
    }

    /// A polars DataFrame; numbers, text, times and lists are shared, not copied.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "polars", None)
    }

    /// A pandas DataFrame. With `zero_copy`, every column but text and enums has an Arrow dtype, and shares its memory.
    #[pyo3(signature = (*, zero_copy=false))]
    fn to_pandas<'py>(slf: &Bound<'py, Self>, zero_copy: bool) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "pandas", Some(zero_copy))
    }

    /// A pyarrow Table; nothing is copied.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "pyarrow", None)
    }

    /// Writes the table to a file, by its ending: `.parquet`, `.arrow`, `.csv` or `.jsonl`; see `xpframe.export.write`.
    #[pyo3(signature = (path: "object", **options: "object") -> "Any")]
    fn write<'py>(
        slf: &Bound<'py, Self>,
        path: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("xpframe.export")?.getattr("write")?.call((slf, path), options)
    }

    /// The values of a column as a list of Python values; needs no other library. Times are microseconds since 1970 UTC.
    fn column_values<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let position = self.position(name)?;
        let mut values = Vec::with_capacity(self.__len__());
        for batch in &self.table.batches {
            super::plain::values(py, batch.column(position), &mut values)?;
        }
        Ok(values)
    }

    /// The table in the layout that pandas shares: text as `large_utf8`, enums by the smallest integers, in one batch.
    fn _arrow_for_pandas(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { table: py.detach(|| self.table.for_pandas())? })
    }
}

impl Table {
    fn position(&self, name: &str) -> PyResult<usize> {
        let position = self.table.schema.index_of(name).map_err(|_| {
            let names = self.column_names();
            let hint = did_you_mean(name, names.iter().copied())
                .unwrap_or_else(|| format!("there are {}", names.len()));
            Error::new(Kind::Column, format!("no column {name:?}")).at_field(name).hint(hint)
        });
        Ok(position?)
    }
}

/// Makes a frame of a backend, by what `xpframe.frames` knows of it.
fn hand_over<'py>(
    table: &Bound<'py, Table>,
    backend: &str,
    zero_copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = table.py();
    let options = PyDict::new(py);
    if let Some(zero_copy) = zero_copy {
        options.set_item("zero_copy", zero_copy)?;
    }
    let make = py.import("xpframe.frames")?.getattr("hand_over")?.call1((backend,))?;
    make.call((table,), Some(&options))
}

/// Reads runs into a table.
///
/// `columns` are (pattern, new name or None) pairs, None for the default ones; `zone` is an IANA name, None for the local zone;
/// `for_pandas` chooses the layout of text.
#[pyfunction]
#[pyo3(signature = (runs, *, several_runs, tasks, columns, max_columns, short_names, for_pandas, zone))]
#[allow(clippy::too_many_arguments, reason = "keyword-only, called from one place in Python")]
pub fn read_table(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    several_runs: bool,
    tasks: Option<Vec<String>>,
    columns: Option<Vec<(String, Option<String>)>>,
    max_columns: usize,
    short_names: bool,
    for_pandas: bool,
    zone: Option<&str>,
) -> PyResult<Table> {
    let asked = Asked { several_runs, tasks, columns, max_columns, short_names, for_pandas, zone };
    let request = asked.request(&runs, u64::MAX)?;
    let table = interruptible(py, &stops_of(&runs), move || {
        let table = request.read()?;
        if for_pandas { table.for_pandas() } else { Ok(table) }
    })??;
    Ok(Table::new(table))
}

/// What Python asks for.
pub(super) struct Asked<'a> {
    pub several_runs: bool,
    pub tasks: Option<Vec<String>>,
    pub columns: Option<Vec<(String, Option<String>)>>,
    pub max_columns: usize,
    pub short_names: bool,
    pub for_pandas: bool,
    pub zone: Option<&'a str>,
}

impl Asked<'_> {
    pub fn request(self, runs: &[Py<Run>], keep_bytes: u64) -> crate::error::Result<Request> {
        let selection = self.columns.map_or(Selection::Default, |columns| {
            Selection::Chosen(
                columns.into_iter().map(|(pattern, rename)| Chosen { pattern, rename }).collect(),
            )
        });
        Ok(Request {
            runs: runs.iter().map(|run| Arc::clone(run.get().loaded())).collect(),
            several_runs: self.several_runs,
            tasks: self.tasks,
            selection,
            max_columns: self.max_columns,
            short_names: self.short_names,
            texts: if self.for_pandas { Texts::Large } else { Texts::View },
            zone: self.zone.map_or_else(|| Ok(Zone::local()), Zone::named)?,
            keep_bytes,
        })
    }
}
