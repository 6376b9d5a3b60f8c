//! A table with a row for each failed job.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ahash::HashSet;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::plan::has_several_workspaces;
use super::request::TableRequest;
use super::scope::Scope;
use super::table::{Table, internal};
use crate::columns::{Chosen, Selection, Type};
use crate::error::{ErrorKind, Result};
use crate::failures::{JobFailure, failures};
use crate::loaded::LoadedRun;
use crate::records::Zone;
use crate::table::{StringLayout, data_type, strings};
use crate::threads;

/// Whose failures are asked for.
#[derive(Debug, Clone)]
pub struct FailureRequest {
    /// The runs to read, in the order of their rows
    pub runs: Vec<Arc<LoadedRun>>,
    /// Whether the columns `experiment` and `run` are wanted
    pub several_runs: bool,
    /// Tasks to keep: identifiers, their last component, or globs; all if there is none
    pub tasks: Option<Vec<String>>,
    /// The layout of text
    pub layout: StringLayout,
    /// Which of their jobs are kept
    pub scope: Scope,
}

/// A text column of failures: its name, and what stands in it.
type TextColumn = (&'static str, fn(&JobFailure) -> Option<&str>);

const BEFORE_CODE: [TextColumn; 1] = [("failure", |found| Some(&found.failure))];
const BEHIND_CODE: [TextColumn; 6] = [
    ("exception", |found| found.exception.as_deref()),
    ("message", |found| found.message.as_deref()),
    ("location", |found| found.location.as_deref()),
    ("cause", |found| found.cause.as_deref()),
    ("blocked_by", |found| found.blocked_by.as_deref()),
    ("cause_group", |found| Some(&found.cause_group)),
];

impl FailureRequest {
    /// Reads the failed jobs of the runs: their identifiers and tags, then `failure`, `exit_code`, `exception`, `message`,
    /// `location`, `cause`, `blocked_by`, `cause_group`, `log` and `tail`. A job that several of the runs list is in the last of
    /// them only: its directory holds its last attempt.
    ///
    /// # Errors
    /// `InvalidArgument` (an unknown task), `TooManyColumns`. What cannot be read is in the table's `errors`.
    pub fn read(&self) -> Result<Table> {
        // the plan reads copies of unread runs
        threads::each_waiting(&self.runs, |loaded| loaded.read(false));
        let jobs = self.jobs()?;
        let schema = schema(&jobs.schema, self.layout);
        let mut table = Table { schema: Arc::clone(&schema), batches: Vec::new(), ..jobs.clone() };
        let rows = latest_rows(&self.runs, &jobs.batches);
        for ((loaded, batch), rows) in self.runs.iter().zip(&jobs.batches).zip(rows) {
            let (tasks, ids) = (texts_of(batch, "task"), texts_of(batch, "job_id"));
            let keys: Vec<(&str, &str)> =
                rows.iter().map(|&row| (tasks[row].as_str(), ids[row].as_str())).collect();
            let (found, errors) = failures(loaded, &keys);
            table.errors.extend(errors);
            let positions = found.iter().map(|(position, _)| rows[*position] as u64).collect();
            let found: Vec<JobFailure> = found.into_iter().map(|(_, failure)| failure).collect();
            table.batches.push(self.batch(&schema, batch, &positions, &found)?);
        }
        Ok(table)
    }

    /// All jobs of the runs with their tags.
    fn jobs(&self) -> Result<Table> {
        let mut names = Vec::new();
        if has_several_workspaces(&self.runs) {
            names.push("workspace");
        }
        if self.several_runs {
            names.extend(["experiment", "run"]);
        }
        names.extend(["job_id", "task", "tags.*"]);
        match self.request(&names).read() {
            // no job has a tag
            Err(error) if error.kind() == ErrorKind::Column => {
                names.pop();
                self.request(&names).read()
            }
            read => read,
        }
    }

    fn request(&self, names: &[&str]) -> TableRequest {
        TableRequest {
            runs: self.runs.clone(),
            several_runs: self.several_runs,
            distinct: false,
            tasks: self.tasks.clone(),
            selection: Selection::Chosen(names.iter().copied().map(Chosen::new).collect()),
            results: Vec::new(),
            max_columns: usize::MAX,
            short_names: false,
            layout: self.layout,
            zone: Zone::local(),
            keep_bytes: u64::MAX,
            scope: self.scope.clone(),
        }
    }

    fn batch(
        &self,
        schema: &SchemaRef,
        jobs: &RecordBatch,
        positions: &UInt64Array,
        found: &[JobFailure],
    ) -> Result<RecordBatch> {
        let kept = jobs.columns().iter().map(|column| take(column, positions, None));
        let mut columns: Vec<ArrayRef> = kept.collect::<std::result::Result<_, _>>().map_err(internal)?;
        let texts = |(_, text): &TextColumn| strings(found.iter().map(text), self.layout);
        columns.extend(BEFORE_CODE.iter().map(texts));
        columns.push(Arc::new(found.iter().map(|failure| failure.exit_code).collect::<Int64Array>()));
        columns.extend(BEHIND_CODE.iter().map(texts));
        let logs = found.iter().map(|failure| failure.log.as_ref().map(|log| log.to_string_lossy()));
        columns.push(strings(logs, self.layout));
        columns.push(strings(found.iter().map(|failure| failure.tail.as_deref()), self.layout));
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(internal)
    }
}

/// The columns of the jobs, then those of their failures.
fn schema(jobs: &SchemaRef, layout: StringLayout) -> SchemaRef {
    let text = data_type(&Type::Utf8, layout);
    let field = |name: &str, kind: &DataType| -> FieldRef {
        let metadata = HashMap::from([("xpframe.group".to_owned(), "system".to_owned())]);
        Arc::new(Field::new(name, kind.clone(), true).with_metadata(metadata))
    };
    let texts = |(name, _): &TextColumn| field(name, &text);
    let mut fields: Vec<FieldRef> = jobs.fields().iter().cloned().collect();
    fields.extend(BEFORE_CODE.iter().map(texts));
    fields.push(field("exit_code", &DataType::Int64));
    fields.extend(BEHIND_CODE.iter().map(texts));
    fields.extend([field("log", &text), field("tail", &text)]);
    Arc::new(Schema::new(fields))
}

/// The rows of each run without jobs that a later one lists too.
fn latest_rows(runs: &[Arc<LoadedRun>], batches: &[RecordBatch]) -> Vec<Vec<usize>> {
    if batches.len() < 2 {
        return batches.iter().map(|batch| (0..batch.num_rows()).collect()).collect();
    }
    let mut seen: HashSet<(PathBuf, String, String)> = HashSet::default();
    let mut rows: Vec<Vec<usize>> = Vec::with_capacity(batches.len());
    for (loaded, batch) in runs.iter().zip(batches).rev() {
        let root = loaded.run().workspace().root();
        let keys = texts_of(batch, "task").into_iter().zip(texts_of(batch, "job_id")).enumerate();
        let new = keys.filter(|(_, (task, job))| seen.insert((root.to_owned(), task.clone(), job.clone())));
        rows.push(new.map(|(row, _)| row).collect());
    }
    rows.reverse();
    rows
}

/// The texts of a column that has no null.
fn texts_of(batch: &RecordBatch, name: &str) -> Vec<String> {
    let Some(column) = batch.column_by_name(name) else { return Vec::new() };
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match column.data_type() {
        DataType::Utf8View => column.as_string_view().iter().map(owned).collect(),
        _ => column.as_string::<i64>().iter().map(owned).collect(),
    }
}
