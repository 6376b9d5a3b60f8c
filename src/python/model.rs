//! Columns of many runs, and their batches: what lazy queries read from.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::to_schema_pycapsule;

use super::arrow::{Question, Table};
use super::interrupt::{PATIENCE, interruptible};
use super::run::Run;
use crate::error::{Error, ErrorKind, quoted};
use crate::progress::{CancelToken, Progress};
use crate::scan::{self, NextBatch, RowChoice};
use crate::table::StringLayout;

/// The columns of some runs, decided on all their jobs.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Model {
    model: Arc<scan::ScanPlan>,
}

#[pymethods]
impl Model {
    /// The Arrow schema, as a PyCapsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.model.schema().as_ref())
    }

    /// The names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.model.columns().iter().map(|column| column.shown()).collect()
    }

    /// The group of each column: system, tag, parameter or fact.
    #[getter]
    fn groups(&self) -> Vec<&str> {
        self.model.columns().iter().map(|column| column.group()).collect()
    }

    /// (workspace, experiment, run, number of jobs) of each run.
    #[getter]
    fn runs(&self) -> Vec<(String, String, String, usize)> {
        let facts = |at| {
            let run = self.model.run(at).run();
            let root = run.workspace().root().to_string_lossy().into_owned();
            (root, run.experiment().to_owned(), run.id().to_owned(), self.model.jobs(at))
        };
        (0..self.model.runs()).map(facts).collect()
    }

    /// A table of these columns without rows.
    fn empty(&self) -> Table {
        Table::new(self.model.empty())
    }

    /// Begins to build columns of jobs: `wanted` are (position of the run, positions of its jobs or None for all) pairs. A table is
    /// a run. With `most`, it has about so many jobs at most: it is a part of a run, or several small runs, ever more of them.
    #[pyo3(signature = (columns, wanted, most=None))]
    fn batches(
        &self,
        columns: Vec<String>,
        wanted: Vec<(usize, Option<Vec<usize>>)>,
        most: Option<usize>,
    ) -> PyResult<Batches> {
        let position = |name: &String| {
            let unknown =
                || Error::new(ErrorKind::Column, format!("no column {}", quoted(name))).at_field(name);
            self.model.position(name).ok_or_else(unknown)
        };
        let columns: Result<Vec<usize>, Error> = columns.iter().map(position).collect();
        let wanted = wanted.into_iter().map(|(run, rows)| RowChoice { run, rows }).collect();
        let columns = columns?;
        let model = Arc::clone(&self.model);
        let ahead = scan::Batches::ahead(model, columns.clone(), wanted, most.unwrap_or(usize::MAX).max(1));
        Ok(Batches { model: Arc::clone(&self.model), columns, most, ahead: Mutex::new(ahead) })
    }
}

/// Tables of one run, a part of one, or some, in the order in which they were wanted, built ahead on other threads.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Batches {
    model: Arc<scan::ScanPlan>,
    columns: Vec<usize>,
    most: Option<usize>,
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

    /// Waits a few milliseconds for the next table; says whether it is there, or none is left.
    fn wait(&self, py: Python<'_>) -> bool {
        py.detach(|| self.ahead.lock().unwrap_or_else(PoisonError::into_inner).wait(Some(PATIENCE)))
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        loop {
            let next = || {
                let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
                match self.most {
                    Some(most) => ahead.next_together(most, PATIENCE),
                    None => ahead.next(Some(PATIENCE)),
                }
            };
            match py.detach(next) {
                NextBatch::End => return Ok(None),
                NextBatch::NotYet => py.check_signals()?,
                NextBatch::Ready(part) => {
                    let part = part?;
                    let (schema, batches) = (part.batch.schema(), vec![part.batch]);
                    let warnings = self.model.warnings(&self.columns, part.surrogates);
                    return Ok(Some(Table::new(scan::Table {
                        schema,
                        batches,
                        errors: part.errors,
                        warnings,
                    })));
                }
            }
        }
    }
}

/// Decides the columns of runs. `keep_bytes` of their files are kept for the batches.
#[pyfunction]
#[pyo3(signature = (runs, question: "dict[str, object]", *, keep_bytes))]
pub fn read_model(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    question: Question,
    keep_bytes: u64,
) -> PyResult<Model> {
    let request = question.request(&runs, StringLayout::View, keep_bytes)?;
    let model = interruptible(py, &stops_of(&runs), move || scan::ScanPlan::of(&request))??;
    Ok(Model { model: Arc::new(model) })
}

/// What stops the readers of these runs.
pub(super) fn stops_of(runs: &[Py<Run>]) -> Vec<CancelToken> {
    runs.iter().map(|run| run.get().loaded().cancel_token().clone()).collect()
}

/// What this process has read so far: (files, bytes, objects, bytes expected, bytes understood).
#[pyfunction]
pub fn progress_counters() -> (u64, u64, u64, u64, u64) {
    let Progress { files, bytes, objects, expected, done } = Progress::now();
    (files, bytes, objects, expected, done)
}

/// How far reading is: (bytes understood, bytes of the files that were begun), both since the process began.
#[pyfunction]
pub fn progress() -> (u64, u64) {
    let progress = Progress::now();
    (progress.done, progress.expected)
}
