//! Why jobs failed, as Python asks for it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use pyo3::prelude::*;

use super::interrupt::interruptible;
use super::request::{cancel_tokens, scope_of};
use super::run::Run;
use super::table::{ROWS, Table};
use crate::error::{Error, Result};
use crate::scan::{self, FailureRequest};
use crate::table::StringLayout;

/// Reads why the jobs of runs failed: one row a failed job, with its tags, its exception and the end of its log. Text is laid out
/// for `backend`: pandas, polars or pyarrow. `rows` has the positions of the jobs of each run to keep.
#[pyfunction]
#[pyo3(signature = (runs, *, several_runs, tasks=None, backend="polars", rows=None))]
pub fn read_failures(
    py: Python<'_>,
    runs: Vec<Py<Run>>,
    several_runs: bool,
    tasks: Option<Vec<String>>,
    backend: &str,
    rows: Option<Vec<Vec<usize>>>,
) -> PyResult<Table> {
    let layout = if backend == "polars" { StringLayout::View } else { StringLayout::Large };
    let loaded = runs.iter().map(|run| run.get().loaded().usable()).collect();
    let request = FailureRequest { runs: loaded, several_runs, tasks, layout, scope: scope_of(rows) };
    let for_pandas = backend == "pandas";
    let table = interruptible(py, &cancel_tokens(&runs), move || {
        let table = named(request.read()?)?;
        if for_pandas { table.for_pandas() } else { Ok(table) }
    })??;
    Ok(Table::new(table))
}

/// The table, whose schema says that its rows are failures.
fn named(table: scan::Table) -> Result<scan::Table> {
    let metadata = HashMap::from([(ROWS.to_owned(), "failures".to_owned())]);
    let schema = Arc::new(table.schema.as_ref().clone().with_metadata(metadata));
    let renamed = |batch: &RecordBatch| {
        batch.clone().with_schema(Arc::clone(&schema)).map_err(|error| Error::format(error.to_string()))
    };
    let batches = table.batches.iter().map(renamed).collect::<Result<_>>()?;
    Ok(scan::Table { schema, batches, ..table })
}
