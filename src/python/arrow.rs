//! The table behind every frame, as an Arrow object that any library takes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use super::errors::exceptions;
use super::run::Run;
use crate::columns::{Chosen, Selection};
use crate::records::Zone;
use crate::scan::{self, Request};
use crate::table::Texts;

/// A table of jobs: one row a job, one Arrow record batch a run.
///
/// Any library that knows the Arrow PyCapsule interface takes it: `polars.DataFrame(table)`, `pyarrow.table(table)`, DuckDB by
/// its variable's name. It can be taken any number of times.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Table {
    request: Request,
    table: scan::Table,
}

#[pymethods]
impl Table {
    /// The Arrow schema, as a PyCapsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.table.schema.as_ref())
    }

    /// The record batches, as a PyCapsule: a new stream at each call.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let field = Arc::new(Field::new("", DataType::Struct(self.table.schema.fields().clone()), false));
        let field = Arc::new(field.as_ref().clone().with_metadata(self.table.schema.metadata().clone()));
        let batches: Vec<RecordBatch> = self.table.batches.clone();
        let arrays = batches.into_iter().map(|batch| Ok(Arc::new(StructArray::from(batch)) as ArrayRef));
        to_stream_pycapsule(py, Box::new(ArrayIterator::new(arrays, field)), requested_schema)
    }

    fn __len__(&self) -> usize {
        self.table.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = (self.__len__(), self.table.schema.fields().len());
        format!("<xpframe.Table: {rows} jobs, {columns} columns>")
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

    /// The number of jobs and of columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.__len__(), self.table.schema.fields().len())
    }

    /// Bytes of memory that the columns take, buffers that are shared counted once a column.
    #[getter]
    fn nbytes(&self) -> usize {
        self.table.batches.iter().flat_map(RecordBatch::columns).map(|array| array.get_array_memory_size()).sum()
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

    /// The same table in the layout that pandas shares without copying: text as `large_utf8`, in one batch.
    fn _arrow_for_pandas(&self, py: Python<'_>) -> PyResult<Self> {
        if self.request.texts == Texts::Large {
            return Ok(Self { request: self.request.clone(), table: self.table.clone() });
        }
        let request = Request { texts: Texts::Large, ..self.request.clone() };
        read(py, request)
    }
}

fn read(py: Python<'_>, request: Request) -> PyResult<Table> {
    let table = py.detach(|| {
        let mut table = request.read()?;
        if request.texts == Texts::Large {
            table.join()?;
        }
        crate::error::Result::Ok(table)
    })?;
    Ok(Table { request, table })
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
    let selection = columns.map_or(Selection::Default, |columns| {
        Selection::Chosen(columns.into_iter().map(|(pattern, rename)| Chosen { pattern, rename }).collect())
    });
    let request = Request {
        runs: runs.iter().map(|run| Arc::clone(run.get().loaded())).collect(),
        several_runs,
        tasks,
        selection,
        max_columns,
        short_names,
        texts: if for_pandas { Texts::Large } else { Texts::View },
        zone: zone.map_or_else(|| Ok(Zone::local()), Zone::named)?,
    };
    read(py, request)
}
