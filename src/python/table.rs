//! The table behind every frame, as an Arrow object that any library takes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StructArray, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyString, PyTuple};
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use super::argument::Name;
use super::capsule::requested_schema as requested_schema_of;
use super::counts::Numbered;
use super::errors::exceptions;
use super::interrupt::interruptible;
use super::pickle::to_bytes;
use super::request::{TableRequest, cancel_tokens, invalid, scope_of};
use super::run::Run;
use crate::columns::Naming;
use crate::error::{Error, ErrorKind, did_you_mean, quoted};
use crate::scan;
use crate::table::StringLayout;

/// The key in the metadata of a schema that names its rows, if they are not jobs.
pub(super) const ROWS: &str = "xpframe.rows";

/// A table of jobs: one row per job, one Arrow record batch per run.
///
/// Any library with the Arrow PyCapsule interface reads it, any number of times: `polars.DataFrame(table)`,
/// `pyarrow.table(table)`, DuckDB by the name of the variable.
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

    /// The record batches, as a PyCapsule: a new stream at each call. Of a requested schema, layouts of text and
    /// dictionaries are honoured if the values fit; other requests are ignored, as the interface allows.
    #[pyo3(signature = (requested_schema: "object | None" = None) -> "object")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let Some(requested) = requested_schema else {
            return Self::stream(py, &self.table.schema, self.table.batches.clone());
        };
        let requested = requested_schema_of(&requested).map_err(PyErr::from)?;
        let table = py.detach(|| self.table.in_layout_of(&requested)).map_err(PyErr::from)?;
        Self::stream(py, &table.schema, table.batches)
    }

    fn __len__(&self) -> usize {
        self.table.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = self.shape();
        let what = self.table.schema.metadata().get(ROWS).map_or("jobs", String::as_str);
        let what = if rows == 1 { what.strip_suffix('s').unwrap_or(what) } else { what };
        let plural = if columns == 1 { "" } else { "s" };
        format!("<xpframe.Table: {rows} {what}, {columns} column{plural}>")
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("xpframe.display.table")?.getattr("table_html")?.call1((slf,))
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

    /// The metadata of a column: `xpframe.group` (system, tag, parameter, fact, result, lineage), `xpframe.path` (its keys,
    /// a JSON list), `xpframe.python` (its Python types).
    fn column_metadata(&self, name: Name) -> PyResult<HashMap<String, String>> {
        Ok(self.table.schema.field(self.position(&name)?).metadata().clone())
    }

    /// The number of jobs and of columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.__len__(), self.table.schema.fields().len())
    }

    /// The memory of the columns in bytes; a shared buffer counts once per column.
    #[getter]
    fn nbytes(&self) -> usize {
        self.table
            .batches
            .iter()
            .flat_map(RecordBatch::columns)
            .map(|array| array.get_array_memory_size())
            .sum()
    }

    /// The errors of reading: exceptions of `xpframe.errors`, not raised.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        exceptions(py, &self.table.errors)
    }

    /// Notes on values that differ from the files.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.table.warnings.clone()
    }

    /// The columns with this name or these names, in this order; nothing is copied.
    #[pyo3(signature = (names: "str | list[str] | tuple[str, ...]"))]
    fn select(&self, names: &Bound<'_, PyAny>) -> PyResult<Self> {
        let names = names_argument(names)?;
        let mut positions = Vec::with_capacity(names.len());
        for name in &names {
            let position = self.position(name)?;
            if positions.contains(&position) {
                return Err(Error::new(
                    ErrorKind::Column,
                    format!("column {} is selected twice", quoted(name)),
                )
                .into());
            }
            positions.push(position);
        }
        Ok(Self { table: self.table.project(&positions)? })
    }

    /// The first rows, at most `count`; nothing is copied.
    #[pyo3(signature = (count: "int"))]
    fn head(&self, count: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows =
            count.extract().map_err(|_| invalid("count", count, "it is a number of rows, 0 or more"))?;
        Ok(Self { table: self.table.head(rows) })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Restored<'py>> {
        let py = slf.py();
        let table = &slf.get().table;
        let batches = PyBytes::new(py, &py.detach(|| to_bytes(table))?);
        let restore = py.import("xpframe._core")?.getattr("restore_table")?;
        Ok((restore, (batches, slf.get().errors(py)?, table.warnings.clone())))
    }

    /// The record batches, each as a table; nothing is copied.
    fn batches(&self) -> Vec<Self> {
        let alone = |batch: &RecordBatch| Self {
            table: scan::Table { batches: vec![batch.clone()], ..self.table.clone() },
        };
        self.table.batches.iter().map(alone).collect()
    }

    /// A polars DataFrame; numbers, text, times and lists are shared, not copied.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert_to(slf, "polars", None)
    }

    /// A pandas DataFrame. With `zero_copy`, all columns except text and enums have Arrow dtypes and share memory.
    #[pyo3(signature = (*, zero_copy: "bool | None" = None))]
    fn to_pandas<'py>(
        slf: &Bound<'py, Self>,
        zero_copy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let flag = zero_copy.map_or(Ok(false), |value| {
            value.extract().map_err(|_| invalid("zero_copy", value, "it is True or False"))
        });
        convert_to(slf, "pandas", Some(flag?))
    }

    /// A pyarrow Table. Text is copied as `large_string`, for which pyarrow has compute functions; other columns share memory.
    /// `pyarrow.table(table)` shares text as well, as `string_view`, for which pyarrow has few functions.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert_to(slf, "pyarrow", None)
    }

    /// Writes the table to a file, in the format of its ending: `.parquet`, `.arrow`, `.csv` or `.jsonl`; see
    /// `xpframe.export.write`.
    #[pyo3(signature = (path: "object", **options: "object") -> "Any")]
    fn write<'py>(
        slf: &Bound<'py, Self>,
        path: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("xpframe.export")?.getattr("write")?.call((slf, path), options)
    }

    /// The values of a column as a list of Python values, without any library. Times are microseconds since 1970 UTC.
    fn column_values<'py>(&self, py: Python<'py>, name: Name) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let position = self.position(&name)?;
        let mut values = Vec::with_capacity(self.__len__());
        for batch in &self.table.batches {
            super::plain::values(py, batch.column(position), &mut values)?;
        }
        Ok(values)
    }

    /// The number of jobs with each value of a column, or each combination of values of several: a list of (values, number of jobs) pairs, in the
    /// order of first occurrence. Raises `InvalidArgumentError` for lists and structs.
    #[pyo3(signature = (names: "str | list[str] | tuple[str, ...]"))]
    fn value_counts<'py>(
        &self,
        py: Python<'py>,
        names: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<(Bound<'py, PyTuple>, usize)>> {
        let names = names_argument(names)?;
        let columns: Vec<ArrayRef> = names.iter().map(|name| self.column(name)).collect::<PyResult<_>>()?;
        let numbered = py.detach(|| {
            let numbered = columns.iter().map(|column| Numbered::by(column));
            numbered.reduce(|first, second| Ok(first?.and(&second?)))
        });
        let Some(numbered) = numbered.transpose()? else { return Ok(Vec::new()) };
        let values = |&row: &usize| {
            let values = columns.iter().map(|column| super::plain::value(py, column, row));
            PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)
        };
        let pairs = numbered.firsts.iter().zip(numbered.counts());
        pairs.map(|(row, count)| Ok((values(row)?, count))).collect()
    }

    /// The table in a layout that pyarrow can compute on: text as `large_utf8`, enums with keys of 32 bits.
    fn _arrow_for_pyarrow(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { table: py.detach(|| self.table.for_pyarrow())? })
    }

    /// The table in the layout that pandas shares: text as `large_utf8`, enums by the smallest integers, in one batch.
    fn _arrow_for_pandas(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { table: py.detach(|| self.table.for_pandas())? })
    }
}

impl Table {
    /// A column as one array.
    fn column(&self, name: &str) -> PyResult<ArrayRef> {
        let position = self.position(name)?;
        let parts: Vec<&dyn Array> =
            self.table.batches.iter().map(|batch| batch.column(position).as_ref()).collect();
        match parts[..] {
            [] => Ok(new_empty_array(self.table.schema.field(position).data_type())),
            [_] => Ok(Arc::clone(self.table.batches[0].column(position))),
            _ => Ok(concat(&parts).map_err(|error| Error::format(error.to_string()))?),
        }
    }

    fn position(&self, name: &str) -> PyResult<usize> {
        let position = self.table.schema.index_of(name).map_err(|_| {
            let names = self.column_names();
            let hint = did_you_mean(name, names.iter().copied())
                .unwrap_or_else(|| format!("there are {}", names.len()));
            Error::new(ErrorKind::Column, format!("no column {}", quoted(name))).at_field(name).hint(hint)
        });
        Ok(position?)
    }
}

/// What pickle wants: a function and its arguments.
type Restored<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>, Vec<Bound<'py, PyAny>>, Vec<String>));

/// A name, or several.
fn names_argument(names: &Bound<'_, PyAny>) -> PyResult<Vec<Name>> {
    if names.is_instance_of::<PyString>() || names.is_instance_of::<PyBytes>() {
        return Ok(vec![names.extract()?]);
    }
    let several = names.try_iter().map_err(|_| invalid("names", names, "give a name, or a list of names"))?;
    several.map(|name| name?.extract()).collect()
}

/// Makes a frame of a backend.
fn convert_to<'py>(
    table: &Bound<'py, Table>,
    backend: &str,
    zero_copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = table.py();
    let options = PyDict::new(py);
    if let Some(zero_copy) = zero_copy {
        options.set_item("zero_copy", zero_copy)?;
    }
    let make = py.import("xpframe.backends.convert")?.getattr("converter_for")?.call1((backend,))?;
    make.call((table,), Some(&options))
}

/// Reads runs into a table. Text is laid out for `backend`: pandas, polars or pyarrow.
#[pyfunction]
#[pyo3(signature = (runs, request, *, several_runs, backend, rows=None))]
pub fn read_table(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    request: &TableRequest,
    several_runs: bool,
    backend: &str,
    rows: Option<Vec<Vec<usize>>>,
) -> PyResult<Table> {
    let layout = if backend == "polars" { StringLayout::View } else { StringLayout::Large };
    let tokens = cancel_tokens(&runs);
    let (naming, naive_times) = (request.naming(), request.naive_times());
    let request = request.for_runs(&runs, several_runs, layout, u64::MAX, scope_of(rows))?;
    let for_pandas = backend == "pandas";
    let table = interruptible(py, &tokens, move || {
        let table = if naming == Naming::Identifier {
            request.read_plan(&Arc::new(scan::ScanPlan::of(&request)?.named(naming)))?
        } else {
            request.read()?
        };
        let table = if naive_times { table.with_naive_times()? } else { table };
        if for_pandas { table.for_pandas() } else { Ok(table) }
    })??;
    Ok(Table::new(table))
}
