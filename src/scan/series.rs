//! The rows that jobs wrote, as one long table.

use std::sync::Arc;

use ahash::HashSet;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::plan::ScanPlan;
use super::request::TableRequest;
use super::results::{ResultReader, ResultRequest};
use super::series_rows::{Body, Chunk, Kind, chunk_of, dictionary};
use super::table::{Table, internal};
use crate::columns::{Column, ColumnSource, Columns, PathTree, System, Type};
use crate::error::{Error, Result};
use crate::progress::CancelToken;
use crate::results::{Patterns, ResultJob, SeriesOptions, locate};
use crate::table::{StringLayout, build_records, data_type, schema};
use crate::threads;

/// How many jobs are read together.
const JOBS_TOGETHER: u32 = 32;

/// Which rows of which jobs are asked for.
#[derive(Debug, Clone)]
pub struct SeriesRequest {
    /// The jobs, and the columns of theirs that each row repeats
    pub jobs: TableRequest,
    /// The files
    pub result: ResultRequest,
    /// Which of their rows
    pub options: SeriesOptions,
}

/// The rows of some jobs: their columns are decided over all of them.
#[derive(Debug)]
pub struct SeriesPlan {
    /// One row a job, text as dictionaries
    jobs: RecordBatch,
    /// The rows of the jobs that have files of their own, and what the handle means for each
    targets: Vec<(u32, ResultJob)>,
    options: SeriesOptions,
    layout: StringLayout,
    /// Whether some job has several files
    has_files: bool,
    kind: Option<Kind>,
    tree: PathTree,
    columns: Vec<Column>,
    schema: SchemaRef,
    errors: Vec<Error>,
    cancel: Vec<CancelToken>,
}

impl SeriesRequest {
    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn read(&self) -> Result<Table> {
        let mut plan = self.prepare()?;
        let chunks = plan.chunks(None);
        plan.decide(&chunks)?;
        plan.table(chunks)
    }

    /// Decides the columns. Of event files and trec text the first job that has rows tells; other files are read once.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task or handle).
    pub fn plan(&self) -> Result<SeriesPlan> {
        let mut plan = self.prepare()?;
        let token = plan.cancel.first().cloned().unwrap_or_default();
        let first = plan.targets.chunks(1).map(|job| chunk_of(job, &plan.options, &token));
        let first: Vec<Chunk> = first.filter(|chunk| chunk.kind().is_some()).take(1).collect();
        match first.first().and_then(Chunk::kind) {
            Some(Kind::Records) => {
                let chunks = plan.chunks(None);
                plan.decide(&chunks)?;
            }
            _ => plan.decide(&first)?,
        }
        Ok(plan)
    }

    fn prepare(&self) -> Result<SeriesPlan> {
        let request = TableRequest { results: Vec::new(), ..self.jobs.clone() };
        let plan = Arc::new(ScanPlan::of(&request)?);
        let handles = [self.result.clone()];
        let mut reader = ResultReader::new(&handles);
        for index in 0..plan.runs() {
            reader.observe(plan.run(index), plan.chosen(index))?;
        }
        let table = request.read_plan(&plan)?;
        let jobs = concat_batches(&table.schema, &table.batches).map_err(internal)?;
        let targets: Vec<(u32, ResultJob)> = (0..)
            .zip(reader.jobs()?.into_iter().flatten())
            .filter_map(|(row, job)| Some((row, job?)))
            .collect();
        let has_several = |(_, job): &(u32, ResultJob)| locate(&job.directory, &job.target).entries.len() > 1;
        Ok(SeriesPlan {
            jobs: with_dictionaries(&jobs, self.jobs.layout)?,
            has_files: targets.iter().any(has_several),
            targets,
            options: self.options.clone(),
            layout: self.jobs.layout,
            kind: None,
            tree: PathTree::new(self.jobs.max_columns.max(10_000)),
            columns: Vec::new(),
            schema: Arc::new(Schema::empty()),
            errors: table.errors,
            cancel: self.jobs.runs.iter().map(|run| run.cancel_token().clone()).collect(),
        })
    }
}

impl SeriesPlan {
    /// The jobs with the columns that each of their rows repeats.
    #[must_use]
    pub fn jobs(&self) -> Table {
        let batches = vec![self.jobs.clone()];
        Table { schema: self.jobs.schema(), batches, errors: self.errors.clone(), warnings: Vec::new() }
    }

    /// A table of these columns without rows.
    #[must_use]
    pub fn empty(&self) -> Table {
        Table { schema: Arc::clone(&self.schema), batches: vec![], errors: vec![], warnings: vec![] }
    }

    /// The rows of the jobs at these positions.
    ///
    /// # Errors
    /// `TooManyColumns`, if values do not fit into arrays.
    pub fn read(&self, rows: &[u32]) -> Result<Table> {
        self.table(self.chunks(Some(rows)))
    }

    fn chunks(&self, rows: Option<&[u32]>) -> Vec<Chunk> {
        let wanted: Option<HashSet<u32>> = rows.map(|rows| rows.iter().copied().collect());
        let is_wanted = |row: &u32| wanted.as_ref().is_none_or(|wanted| wanted.contains(row));
        let targets: Vec<(u32, ResultJob)> =
            self.targets.iter().filter(|(row, _)| is_wanted(row)).cloned().collect();
        let chunks: Vec<&[(u32, ResultJob)]> = targets.chunks(JOBS_TOGETHER as usize).collect();
        let token = self.cancel.first().cloned().unwrap_or_default();
        threads::each_waiting_group(&chunks, (threads::at_most(usize::MAX), JOBS_TOGETHER), |jobs| {
            if self.cancel.iter().any(CancelToken::is_cancelled) {
                return Chunk::default();
            }
            chunk_of(jobs, &self.options, &token)
        })
    }

    /// What the rows of the first job with rows are, whatever their metrics.
    fn kind_of_all_metrics(&self) -> Option<Kind> {
        self.options.result.metrics.0.as_ref()?;
        let mut options = self.options.clone();
        options.result.metrics = Patterns::default();
        let token = self.cancel.first().cloned().unwrap_or_default();
        self.targets.chunks(1).find_map(|job| chunk_of(job, &options, &token).kind())
    }

    /// Decides the columns by what was read.
    fn decide(&mut self, chunks: &[Chunk]) -> Result<()> {
        self.kind = chunks.iter().find_map(Chunk::kind).or_else(|| self.kind_of_all_metrics());
        for chunk in chunks {
            if let Body::Records(store, records) = &chunk.body {
                self.tree.observe_results(store, records.iter().copied())?;
            }
        }
        let text = |name: &str, kind: &Type| -> FieldRef {
            Arc::new(Field::new(name, data_type(kind, self.layout), true))
        };
        let mut fields: Vec<FieldRef> = self.jobs.schema().fields().iter().cloned().collect();
        if self.has_files {
            fields.push(text("file", &Type::Enum));
        }
        match self.kind {
            None => {}
            Some(Kind::Points) => fields.extend([
                text("metric", &Type::Enum),
                text("step", &Type::Int64),
                text("wall_time", &Type::Float64),
                text("value", &Type::Float64),
            ]),
            Some(Kind::Measures) => fields.extend([
                text("measure", &Type::Enum),
                text("query", &Type::Enum),
                text("value", &Type::Float64),
            ]),
            Some(Kind::Records) => {
                self.columns = columns_of(&self.tree);
                fields.extend(schema(&self.columns, &self.tree, self.layout).fields().iter().cloned());
            }
        }
        self.schema = Arc::new(Schema::new(fields));
        Ok(())
    }

    fn table(&self, chunks: Vec<Chunk>) -> Result<Table> {
        let mut table = self.empty();
        table.errors.extend(self.errors.iter().cloned());
        for mut chunk in chunks {
            table.errors.append(&mut chunk.errors);
            if chunk.rows.is_empty() {
                continue;
            }
            if chunk.kind() != self.kind {
                let job = self.targets.iter().find(|(row, _)| Some(row) == chunk.rows.first());
                let error = Error::format("a file of another format than the first: its rows are left out")
                    .hint("choose jobs of one task by task=");
                table.errors.push(match job {
                    Some((_, job)) => error.at_job(&job.job_id),
                    None => error,
                });
                continue;
            }
            table.batches.push(self.batch(chunk)?);
        }
        Ok(table)
    }

    fn batch(&self, chunk: Chunk) -> Result<RecordBatch> {
        let count = chunk.rows.len();
        let rows = UInt32Array::from(chunk.rows);
        let repeated = self.jobs.columns().iter().map(|column| take(column, &rows, None));
        let mut arrays: Vec<ArrayRef> = repeated.collect::<std::result::Result<_, _>>().map_err(internal)?;
        if self.has_files {
            arrays.push(dictionary(chunk.file, &chunk.files, self.layout).map_err(internal)?);
        }
        match chunk.body {
            Body::Nothing => {}
            Body::Points(points) => arrays.extend(points.arrays(self.layout).map_err(internal)?),
            Body::Measures(measures) => arrays.extend(measures.arrays(self.layout).map_err(internal)?),
            Body::Records(store, records) => {
                let built = build_records(&store, &records, &self.columns, &self.tree, self.layout);
                arrays.extend(built.map_err(internal)?.0);
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(internal)
    }
}

/// The columns of the records of files, called as in the files unless a system column is called so.
fn columns_of(tree: &PathTree) -> Vec<Column> {
    let is_value = |column: &Column| matches!(column.source, ColumnSource::Values(path, _) if tree.root(path) == PathTree::RESULT);
    let is_reserved =
        |name: &str| ["file", "metric"].contains(&name) || System::all().any(|system| system.name() == name);
    let all = Columns::new(tree, false, false).all.into_iter().filter(is_value);
    all.map(|column| {
        let short = column.name.strip_prefix("result.").unwrap_or(&column.name);
        let renamed = (!is_reserved(short)).then(|| short.to_owned());
        Column { renamed, ..column }
    })
    .collect()
}

/// Text as dictionaries, so that a row repeats a number.
fn with_dictionaries(batch: &RecordBatch, layout: StringLayout) -> Result<RecordBatch> {
    let kind = data_type(&Type::Enum, layout);
    let (mut fields, mut arrays): (Vec<FieldRef>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        if matches!(field.data_type(), DataType::Utf8View | DataType::LargeUtf8) {
            fields.push(Arc::new(field.as_ref().clone().with_data_type(kind.clone())));
            arrays.push(cast(array, &kind).map_err(internal)?);
        } else {
            fields.push(Arc::clone(field));
            arrays.push(Arc::clone(array));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(internal)
}
