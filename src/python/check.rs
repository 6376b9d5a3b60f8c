//! The check of a workspace, with its findings as a table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use pyo3::prelude::*;

use super::interrupt::interruptible;
use super::run::Run;
use super::table::{ROWS, Table};
use super::workspace::Workspace;
use crate::check::{Finding, Findings, check};
use crate::error::{Error, Result};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::{scan, workspace};

/// The numbers of runs, jobs, jobs compared with params.json, and paths that were checked.
type Seen = (usize, usize, usize, usize);

/// Checks some runs of a workspace; by default all runs, and the files around them. Returns the findings as a table, and the
/// numbers of runs, jobs, jobs compared with their params.json, and recorded paths that were checked.
#[pyfunction]
#[pyo3(signature = (workspace, runs=None))]
pub fn check_workspace(
    py: Python<'_>,
    workspace: Py<Workspace>,
    runs: Option<Vec<Py<Run>>>,
) -> PyResult<(Table, Seen)> {
    let workspace = workspace.get().workspace().clone();
    let selected: Option<Vec<Arc<LoadedRun>>> =
        runs.map(|runs| runs.iter().map(|run| Arc::clone(run.get().loaded())).collect());
    let stop = CancelToken::default();
    let findings = interruptible(py, std::slice::from_ref(&stop.clone()), move || -> Result<Findings> {
        let Some(selected) = selected else {
            let (runs, unreadable) = all_runs(&workspace)?;
            return Ok(check(&workspace, &runs, &unreadable, true, &stop));
        };
        let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
        for loaded in selected {
            let run = loaded.run().clone();
            match loaded.refusal() {
                Some(error) => unreadable.push((run, error.clone())),
                None => runs.push(run),
            }
        }
        Ok(check(&workspace, &runs, &unreadable, false, &stop))
    })??;
    let seen = (findings.runs, findings.jobs, findings.compared, findings.paths);
    let batch = batch(&findings.findings).map_err(internal)?;
    let table = scan::Table {
        schema: batch.schema(),
        batches: vec![batch],
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    Ok((Table::new(table), seen))
}

type UnreadableRun = (workspace::Run, Error);

/// The runs of all experiments, oldest first in each, and those that cannot be read with the reason.
fn all_runs(workspace: &workspace::Workspace) -> Result<(Vec<workspace::Run>, Vec<UnreadableRun>)> {
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for experiment in workspace.experiments()? {
        match workspace.runs(&experiment) {
            Ok(readable) => runs.extend(readable.into_iter().rev()),
            Err(error) => unreadable.push((workspace.unreadable_experiment(&experiment), error)),
        }
        unreadable.extend(workspace.unreadable_runs(&experiment).unwrap_or_default());
    }
    Ok((runs, unreadable))
}

fn batch(findings: &[Finding]) -> std::result::Result<RecordBatch, ArrowError> {
    let texts = |text: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(findings.iter().map(text).collect::<StringViewArray>())
    };
    let lines: Int64Array =
        findings.iter().map(|finding| finding.line.and_then(|line| i64::try_from(line).ok())).collect();
    let columns: [(&str, ArrayRef); 10] = [
        ("severity", texts(&|finding| Some(finding.severity.as_str().to_owned()))),
        ("kind", texts(&|finding| Some(finding.trouble.as_str().to_owned()))),
        ("experiment", texts(&|finding| finding.experiment.clone())),
        ("run", texts(&|finding| finding.run.clone())),
        ("job_id", texts(&|finding| finding.job_id.clone())),
        ("file", texts(&|finding| finding.file.as_ref().map(|file| file.to_string_lossy().into_owned()))),
        ("line", Arc::new(lines)),
        ("field", texts(&|finding| finding.field.clone())),
        ("what", texts(&|finding| Some(finding.text.clone()))),
        ("advice", texts(&|finding| Some(finding.advice.clone()))),
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
    Error::format(format!("findings do not fit into a table: {error}"))
        .hint("this is a fault of xpframe, please report it")
}
