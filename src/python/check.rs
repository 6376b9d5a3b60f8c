//! What the doctor found, as Python asks for it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use pyo3::prelude::*;

use super::arrow::{ROWS, Table};
use super::interrupt::interruptible;
use super::run::Run;
use super::workspace::Workspace;
use crate::check::{Finding, Findings, check};
use crate::error::{Error, Result};
use crate::progress::CancelToken;
use crate::{scan, workspace};

/// How many runs, jobs, comparisons with params.json, and paths were looked at.
type Seen = (usize, usize, usize, usize);

/// Looks for what is wrong in a workspace: in some of its runs, or in all runs and around them. Gives the findings as a table,
/// and the numbers of runs, jobs, jobs compared with their params.json and recorded paths that were looked at.
#[pyfunction]
#[pyo3(signature = (workspace, runs=None))]
pub fn check_workspace(
    py: Python<'_>,
    workspace: Py<Workspace>,
    runs: Option<Vec<Py<Run>>>,
) -> PyResult<(Table, Seen)> {
    let place = workspace.get().workspace().clone();
    let asked: Option<Vec<workspace::Run>> =
        runs.map(|runs| runs.iter().map(|run| run.get().loaded().run().clone()).collect());
    let stop = CancelToken::default();
    let found = interruptible(py, std::slice::from_ref(&stop.clone()), move || -> Result<Findings> {
        let everything = asked.is_none();
        let runs = match asked {
            Some(runs) => runs,
            None => all_runs(&place)?,
        };
        Ok(check(&place, &runs, everything, &stop))
    })??;
    let seen = (found.runs, found.jobs, found.compared, found.paths);
    let batch = batch(&found.findings).map_err(internal)?;
    let table = scan::Table {
        schema: batch.schema(),
        batches: vec![batch],
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    Ok((Table::new(table), seen))
}

/// The runs of all experiments, oldest first in each.
fn all_runs(place: &workspace::Workspace) -> Result<Vec<workspace::Run>> {
    let mut runs = Vec::new();
    for experiment in place.experiments()? {
        runs.extend(place.runs(&experiment)?.into_iter().rev());
    }
    Ok(runs)
}

fn batch(findings: &[Finding]) -> std::result::Result<RecordBatch, ArrowError> {
    let texts = |text: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(findings.iter().map(text).collect::<StringViewArray>())
    };
    let lines: Int64Array =
        findings.iter().map(|one| one.line.and_then(|line| i64::try_from(line).ok())).collect();
    let columns: [(&str, ArrayRef); 10] = [
        ("severity", texts(&|one| Some(one.severity.as_str().to_owned()))),
        ("kind", texts(&|one| Some(one.trouble.as_str().to_owned()))),
        ("experiment", texts(&|one| one.experiment.clone())),
        ("run", texts(&|one| one.run.clone())),
        ("job_id", texts(&|one| one.job_id.clone())),
        ("file", texts(&|one| one.file.as_ref().map(|file| file.to_string_lossy().into_owned()))),
        ("line", Arc::new(lines)),
        ("field", texts(&|one| one.field.clone())),
        ("what", texts(&|one| Some(one.text.clone()))),
        ("advice", texts(&|one| Some(one.advice.clone()))),
    ];
    let field = |name: &str, array: &ArrayRef| {
        Field::new(name, array.data_type().clone(), !matches!(name, "severity" | "kind" | "what" | "advice"))
    };
    let fields: Vec<Field> = columns.iter().map(|(name, array)| field(name, array)).collect();
    let metadata = HashMap::from([(ROWS.to_owned(), "findings".to_owned())]);
    let schema = Schema::new(fields).with_metadata(metadata);
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: ArrowError) -> Error {
    Error::format(format!("the findings do not fit into a table: {error}"))
        .hint("this is a fault of xpframe, please report it")
}
