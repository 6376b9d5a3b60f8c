//! The rows that jobs wrote, for Python.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::interrupt::interruptible;
use super::request::{TableRequest, cancel_tokens, scope_of};
use super::results::{patterns, result};
use super::run::Run;
use super::table::Table;
use crate::progress::CancelToken;
use crate::results::{Patterns, SeriesOptions};
use crate::scan::{self, SeriesPaths, SeriesQuery, SeriesRequest};
use crate::table::StringLayout;

/// The rows that some jobs wrote, with columns that are decided over all of them.
#[pyclass(frozen, module = "xpframe._core")]
pub struct SeriesPlan {
    plan: Arc<scan::SeriesPlan>,
}

#[pymethods]
impl SeriesPlan {
    /// The jobs, with the columns that each of their rows repeats.
    fn jobs(&self) -> Table {
        Table::new(self.plan.jobs())
    }

    /// A table of these columns without rows.
    fn empty(&self) -> Table {
        Table::new(self.plan.empty())
    }

    /// The columns of the jobs that each row repeats: the name of each, and the full names of the columns whose values it has.
    #[getter]
    fn job_columns(&self) -> Vec<(&str, Vec<&str>)> {
        self.plan.job_columns().iter().map(|column| (column.shown(), column.sources())).collect()
    }

    /// What decided the columns as bytes, for `read_series` of some of the jobs.
    fn paths<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.plan.paths().to_bytes())
    }

    /// Whether the rows are scalars of event files.
    #[getter]
    fn has_steps(&self) -> bool {
        self.plan.has_steps()
    }

    /// The jobs at these positions, in groups whose rows are in memory together. A query with a limit begins with few jobs.
    fn groups(&self, jobs: Vec<u32>, has_limit: bool) -> Vec<Vec<u32>> {
        self.plan.groups(&jobs, has_limit)
    }

    /// Reads for one query: some columns, metrics by patterns, steps from a first to a last, and at least `limit` rows of each part
    /// of the jobs, if it has so many.
    #[pyo3(signature = (*, columns, metrics, steps, limit))]
    fn reader(
        &self,
        columns: Option<Vec<String>>,
        metrics: Option<Vec<String>>,
        steps: Option<(i64, i64)>,
        limit: Option<usize>,
    ) -> SeriesReader {
        let query = SeriesQuery {
            columns,
            metrics: metrics.map_or_else(Patterns::default, Patterns::any_of),
            steps: steps.map(|(first, last)| first..=last),
            limit,
        };
        SeriesReader { plan: Arc::clone(&self.plan), query: Arc::new(query), cancel: CancelToken::default() }
    }
}

/// The reads of one query. They end when it is closed, by Ctrl-C or because nobody wants more rows.
#[pyclass(frozen, module = "xpframe._core")]
pub struct SeriesReader {
    plan: Arc<scan::SeriesPlan>,
    query: Arc<SeriesQuery>,
    cancel: CancelToken,
}

#[pymethods]
impl SeriesReader {
    /// The rows of the jobs at these positions.
    fn read(&self, py: Python<'_>, jobs: Vec<u32>) -> PyResult<Table> {
        let (plan, query, cancel) = (Arc::clone(&self.plan), Arc::clone(&self.query), self.cancel.clone());
        let read = move || plan.read(&jobs, &query, &cancel);
        Ok(Table::new(interruptible(py, std::slice::from_ref(&self.cancel), read)??))
    }

    /// Ends reads on other threads; their rows are not whole, and to be thrown away.
    fn close(&self) {
        self.cancel.cancel();
    }
}

/// What is asked of runs: `handle` is a text or a `Result`, `metrics` patterns of names.
fn series_request(
    runs: &[Py<Run>],
    request: &TableRequest,
    handle: &Bound<'_, PyAny>,
    metrics: &Bound<'_, PyAny>,
    layout: StringLayout,
    scope: scan::Scope,
) -> PyResult<SeriesRequest> {
    let mut result = result(None, handle)?;
    result.options.metrics = patterns("metrics", metrics)?;
    let options = SeriesOptions { result: result.options.clone(), ..SeriesOptions::default() };
    let jobs = request.for_runs(runs, false, layout, u64::MAX, scope)?;
    Ok(SeriesRequest { jobs, result, options, paths: None })
}

/// Reads the rows that jobs of runs wrote into a table, laid out for a backend. `rows` has the positions of the jobs of each run to
/// keep; `paths`, the bytes of a plan of more jobs, decides the columns instead of these jobs. `listed_later` has the positions of
/// the jobs of each run that a later run lists too.
#[pyfunction]
#[pyo3(signature = (runs, request, handle: "object", metrics: "object", *, backend, rows=None, paths=None, listed_later=None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub fn read_series(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    request: &TableRequest,
    handle: &Bound<'_, PyAny>,
    metrics: &Bound<'_, PyAny>,
    backend: &str,
    rows: Option<Vec<Vec<usize>>>,
    paths: Option<&[u8]>,
    listed_later: Option<Vec<Vec<usize>>>,
) -> PyResult<Table> {
    let layout = if backend == "polars" { StringLayout::View } else { StringLayout::Large };
    let tokens = cancel_tokens(&runs);
    let scope = scan::Scope { listed_later: listed_later.map(Arc::new), ..scope_of(rows) };
    let paths = paths.map(SeriesPaths::from_bytes).transpose()?.map(Arc::new);
    let request = series_request(&runs, request, handle, metrics, layout, scope)?;
    let request = SeriesRequest { paths, ..request };
    let for_pandas = backend == "pandas";
    let table = interruptible(py, &tokens, move || {
        let table = request.read()?;
        if for_pandas { table.for_pandas() } else { Ok(table) }
    })??;
    Ok(Table::new(table))
}

/// Decides the columns of the rows that jobs of runs wrote.
#[pyfunction]
#[pyo3(signature = (runs, request, handle: "object", metrics: "object", *, rows=None))]
pub fn plan_series(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    request: &TableRequest,
    handle: &Bound<'_, PyAny>,
    metrics: &Bound<'_, PyAny>,
    rows: Option<Vec<Vec<usize>>>,
) -> PyResult<SeriesPlan> {
    let tokens = cancel_tokens(&runs);
    let request = series_request(&runs, request, handle, metrics, StringLayout::View, scope_of(rows))?;
    let plan = interruptible(py, &tokens, move || request.plan())??;
    Ok(SeriesPlan { plan: Arc::new(plan) })
}
