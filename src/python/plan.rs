//! The columns of many runs, and their batches, for lazy queries.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::to_schema_pycapsule;

use super::interrupt::{PATIENCE, interruptible};
use super::request::{TableRequest, cancel_tokens, scope_of};
use super::run::Run;
use super::table::Table;
use crate::columns::{Column, Naming, StoredPaths};
use crate::error::{Error, ErrorKind, quoted};
use crate::scan::{self, NextBatch, RowChoice};
use crate::table::StringLayout;

/// The columns of some runs, decided on all their jobs.
#[pyclass(frozen, module = "xpframe._core")]
pub struct ScanPlan {
    plan: Arc<scan::ScanPlan>,
    naive_times: bool,
}

#[pymethods]
impl ScanPlan {
    /// The Arrow schema, as a PyCapsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let table = self.plan.empty();
        let table = if self.naive_times { table.with_naive_times().map_err(PyErr::from)? } else { table };
        to_schema_pycapsule(py, table.schema.as_ref())
    }

    /// The names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.plan.columns().iter().map(|column| column.shown()).collect()
    }

    /// (name in the table, full name, group) of each column; the group is one of those of `Table.column_metadata`. The two
    /// names differ where a dict renamed the column.
    #[getter]
    fn columns(&self) -> Vec<(&str, &str, &str)> {
        let columns = self.plan.columns().iter();
        columns.map(|column| (column.shown(), column.name.as_str(), column.group())).collect()
    }

    /// The full names of the columns whose values each column has: its own, then those that fill its nulls.
    #[getter]
    fn sources(&self) -> Vec<Vec<&str>> {
        self.plan.columns().iter().map(Column::sources).collect()
    }

    /// (workspace, experiment, run, number of jobs) of each run.
    #[getter]
    fn runs(&self) -> Vec<(String, String, String, usize)> {
        let facts = |index| {
            let run = self.plan.run(index).run();
            let root = run.workspace().root().to_string_lossy().into_owned();
            (root, run.experiment().to_owned(), run.id().to_owned(), self.plan.jobs(index))
        };
        (0..self.plan.runs()).map(facts).collect()
    }

    /// Whether a run that was not asked for, but has jobs upstream of those that were, has changed since.
    #[getter]
    fn upstream_has_changed(&self) -> bool {
        self.plan.upstream_has_changed()
    }

    /// The full names of the columns that a name, short name or glob means, among all columns of the jobs.
    fn find(&self, pattern: &str) -> PyResult<Vec<String>> {
        Ok(self.plan.find(pattern)?)
    }

    /// The paths and types of all values as bytes, for `plan_scan` of some of the runs.
    fn paths<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.plan.paths().to_bytes())
    }

    /// A table of these columns without rows.
    fn empty(&self) -> PyResult<Table> {
        let table = self.plan.empty();
        Ok(Table::new(if self.naive_times { table.with_naive_times()? } else { table }))
    }

    /// Starts to build columns of jobs. `selection` has (index of the run, indices of its jobs or None for all) pairs. Each table
    /// is a run. With `batch_size`, a table has about so many jobs at most: it is a part of a run, or several small runs.
    #[pyo3(signature = (columns, selection, batch_size=None))]
    fn batches(
        &self,
        columns: Vec<String>,
        selection: Vec<(usize, Option<Vec<usize>>)>,
        batch_size: Option<usize>,
    ) -> PyResult<Batches> {
        let position = |name: &String| {
            let unknown =
                || Error::new(ErrorKind::Column, format!("no column {}", quoted(name))).at_field(name);
            self.plan.position(name).ok_or_else(unknown)
        };
        let columns = columns.iter().map(position).collect::<Result<Vec<usize>, Error>>()?;
        let choices = selection.into_iter().map(|(run, rows)| RowChoice { run, rows }).collect();
        let at_once = batch_size.unwrap_or(usize::MAX).max(1);
        let ahead = scan::Batches::ahead(Arc::clone(&self.plan), columns.clone(), choices, at_once);
        Ok(Batches {
            plan: Arc::clone(&self.plan),
            naive_times: self.naive_times,
            columns,
            batch_size,
            ahead: Mutex::new(ahead),
        })
    }
}

/// Tables of one run, a part of one, or several, in the order of the selection, built ahead on other threads.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Batches {
    plan: Arc<scan::ScanPlan>,
    naive_times: bool,
    columns: Vec<usize>,
    batch_size: Option<usize>,
    ahead: Mutex<scan::Batches>,
}

#[pymethods]
impl Batches {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __len__(&self) -> usize {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).remaining()
    }

    /// Waits a few milliseconds for the next table; returns whether it is ready, or there are no more.
    fn wait(&self, py: Python<'_>) -> bool {
        py.detach(|| self.ahead.lock().unwrap_or_else(PoisonError::into_inner).wait(Some(PATIENCE)))
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        loop {
            let next = || {
                let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
                match self.batch_size {
                    Some(size) => ahead.next_together(size, PATIENCE),
                    None => ahead.next(Some(PATIENCE)),
                }
            };
            match py.detach(next) {
                NextBatch::End => return Ok(None),
                NextBatch::NotYet => py.check_signals()?,
                NextBatch::Ready(part) => {
                    let part = part?;
                    let (schema, batches) = (part.batch.schema(), vec![part.batch]);
                    let warnings = self.plan.warnings(&self.columns, part.surrogates);
                    let table = scan::Table { schema, batches, errors: part.errors, warnings };
                    let table = if self.naive_times { table.with_naive_times()? } else { table };
                    return Ok(Some(Table::new(table)));
                }
            }
        }
    }
}

/// Decides the columns of runs. `keep_bytes` of their files stay in memory for the batches. `rows` has the positions of the jobs of
/// each run to keep; `paths`, the bytes of a plan of more runs, decides the columns instead of these runs. `listed_later` has the
/// positions of the jobs of each run that a later one of those lists too.
#[pyfunction]
#[pyo3(signature = (runs, request, *, several_runs, keep_bytes, rows=None, paths=None, listed_later=None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub fn plan_scan(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    request: &TableRequest,
    several_runs: bool,
    keep_bytes: u64,
    rows: Option<Vec<Vec<usize>>>,
    paths: Option<&[u8]>,
    listed_later: Option<Vec<Vec<usize>>>,
) -> PyResult<ScanPlan> {
    let tokens = cancel_tokens(&runs);
    let paths = paths.map(StoredPaths::from_bytes).transpose()?.map(Arc::new);
    let scope = scan::Scope { paths, listed_later: listed_later.map(Arc::new), ..scope_of(rows) };
    let (naming, naive_times) = (request.naming(), request.naive_times());
    let request = request.for_runs(&runs, several_runs, StringLayout::View, keep_bytes, scope)?;
    let plan = interruptible(py, &tokens, move || {
        scan::ScanPlan::of(&request)
            .map(|plan| if naming == Naming::Full { plan } else { plan.named(naming) })
    })??;
    Ok(ScanPlan { plan: Arc::new(plan), naive_times })
}
