//! Reads the rows of a series plan: some of its columns, of some of its jobs.

use std::ops::RangeInclusive;
use std::sync::Arc;

use ahash::HashSet;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{filter_record_batch, take};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::series::SeriesPlan;
use super::series_rows::{Body, Chunk, Kind, chunk_of, dictionary};
use super::series_tables::{arrays, key_of, uncovered};
use super::table::{Table, internal};
use crate::columns::Column;
use crate::error::{Error, Result};
use crate::progress::CancelToken;
use crate::results::{Patterns, ResultJob, SeriesOptions};
use crate::table::build_records;
use crate::threads;

/// The most jobs that one thread reads together.
const MAX_JOBS_TOGETHER: u32 = 32;
/// How much of files is in memory together when rows are streamed, unless one job has more.
const BYTES_TOGETHER: u64 = 32 << 20;
/// The most jobs whose rows are handed on together.
const MAX_JOBS_IN_GROUP: usize = 512;
/// How many jobs are read first for a query that may stop early.
const FIRST_JOBS: usize = 4;

/// Which rows and columns of a plan are wanted.
#[derive(Debug, Clone, Default)]
pub struct SeriesQuery {
    /// The columns by their names in the table; all if there are none
    pub columns: Option<Vec<String>>,
    /// The metrics of event files and measures of trec text
    pub metrics: Patterns,
    /// The steps of event files
    pub steps: Option<RangeInclusive<i64>>,
    /// How many rows are enough
    pub limit: Option<usize>,
}

/// Rows that were read to decide the columns.
#[derive(Debug)]
pub(super) struct KeptBatch {
    /// The job of each row
    rows: UInt32Array,
    batch: RecordBatch,
    errors: Vec<Error>,
}

impl SeriesPlan {
    /// Splits jobs into groups whose rows are in memory together. A query with a limit may need few rows.
    #[must_use]
    pub fn groups(&self, rows: &[u32], has_limit: bool) -> Vec<Vec<u32>> {
        let bytes: ahash::HashMap<u32, u64> =
            self.targets.iter().map(|job| (job.target.0, job.bytes)).collect();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let (mut size, mut is_full) = (0, true);
        for &row in rows {
            let bytes = bytes.get(&row).copied().unwrap_or_default();
            if is_full || size + bytes > BYTES_TOGETHER {
                groups.push(Vec::new());
                size = 0;
            }
            size += bytes;
            let count = groups.len();
            if let Some(group) = groups.last_mut() {
                group.push(row);
                is_full = group.len() >= MAX_JOBS_IN_GROUP
                    || (has_limit && count == 1 && group.len() >= FIRST_JOBS);
            }
        }
        groups
    }

    /// The rows of the jobs at these positions. After a cancellation they are not whole and to be thrown away.
    ///
    /// # Errors
    /// `TooManyColumns`, if values do not fit into arrays.
    pub fn read(&self, rows: &[u32], query: &SeriesQuery, cancel: &CancelToken) -> Result<Table> {
        let wanted: HashSet<u32> = rows.iter().copied().collect();
        if let Some(kept) = &self.kept {
            return self.read_kept(kept, &wanted, query);
        }
        let targets: Vec<(u32, ResultJob)> = self
            .targets
            .iter()
            .filter(|job| wanted.contains(&job.target.0))
            .map(|job| job.target.clone())
            .collect();
        let mut options = self.options.clone();
        options.result.metrics = options.result.metrics.and(&query.metrics);
        options.steps.clone_from(&query.steps);
        if let (Some(Kind::Records), Some(names)) = (self.kind, &query.columns) {
            let shown = |column: &&Column| names.iter().any(|name| name == column.shown());
            let keys = self.columns.iter().filter(shown).filter_map(|column| key_of(column, &self.tree));
            options.columns = Some(keys.map(|(key, _)| key.to_owned()).collect());
        }
        let chunks = read_chunks(&targets, query.limit.unwrap_or(usize::MAX), &options, cancel);
        self.table(chunks, query.columns.as_deref())
    }

    /// The rows of these jobs among those that were kept.
    fn read_kept(&self, kept: &[KeptBatch], wanted: &HashSet<u32>, query: &SeriesQuery) -> Result<Table> {
        let positions = self.positions(query.columns.as_deref());
        let mut table = self.projected(&positions);
        let ids: HashSet<&str> = self
            .targets
            .iter()
            .filter(|job| wanted.contains(&job.target.0))
            .map(|job| job.target.1.job_id.as_str())
            .collect();
        for KeptBatch { rows, batch, errors } in kept {
            let is_about =
                |error: &&Error| error.location().job.as_deref().is_none_or(|job| ids.contains(job));
            table.errors.extend(errors.iter().filter(is_about).cloned());
            let mask: BooleanArray = rows.values().iter().map(|row| Some(wanted.contains(row))).collect();
            if mask.true_count() == 0 {
                continue;
            }
            let chosen = batch.project(&positions).map_err(internal)?;
            let is_whole = mask.true_count() == mask.len();
            let chosen =
                if is_whole { chosen } else { filter_record_batch(&chosen, &mask).map_err(internal)? };
            table.batches.push(chosen);
        }
        Ok(table)
    }

    /// Keeps the rows that were read to decide the columns.
    pub(super) fn keep(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        let mut kept = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let rows = UInt32Array::from(chunk.rows.clone());
            let mut table = self.table(vec![chunk], None)?;
            table.errors.drain(..self.errors.len());
            let batch =
                table.batches.pop().unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&self.schema)));
            let rows = if batch.num_rows() == rows.len() { rows } else { rows.slice(0, 0) };
            kept.push(KeptBatch { rows, batch, errors: table.errors });
        }
        self.kept = Some(kept);
        Ok(())
    }

    /// The positions of columns in the schema; all if there are no names.
    fn positions(&self, names: Option<&[String]>) -> Vec<usize> {
        let all = 0..self.schema.fields().len();
        let is_wanted = |name: &String| names.is_none_or(|names| names.contains(name));
        all.filter(|&position| is_wanted(self.schema.field(position).name())).collect()
    }

    fn projected(&self, positions: &[usize]) -> Table {
        let fields: Vec<FieldRef> =
            positions.iter().map(|&position| Arc::clone(&self.schema.fields()[position])).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        Table { schema, batches: Vec::new(), errors: self.errors.clone(), warnings: Vec::new() }
    }

    /// Some columns of what was read; all columns if no names are given.
    pub(super) fn table(&self, chunks: Vec<Chunk>, names: Option<&[String]>) -> Result<Table> {
        let positions = self.positions(names);
        let mut table = self.projected(&positions);
        for mut chunk in chunks {
            table.errors.append(&mut chunk.errors);
            if chunk.rows.is_empty() {
                continue;
            }
            if chunk.kind() != self.kind {
                table.errors.push(
                    self.at_first_job(
                        &chunk,
                        Error::format("a file of another format than the first: its rows are left out")
                            .hint("choose jobs of one task by task="),
                    ),
                );
                continue;
            }
            if let Some(column) = self.uncovered(&chunk) {
                let reason = "has columns or types that it had not when its columns were decided";
                let error = Error::format(reason).at_field(&column).hint("scan again");
                table.errors.push(self.at_first_job(&chunk, error));
            }
            table.batches.push(self.batch(chunk, &positions, &table.schema)?);
        }
        Ok(table)
    }

    fn at_first_job(&self, chunk: &Chunk, error: Error) -> Error {
        let first = chunk.rows.first();
        match self.targets.iter().find(|job| Some(&job.target.0) == first) {
            Some(job) => error.at_job(&job.target.1.job_id),
            None => error,
        }
    }

    /// A column of rows that were read after the columns were decided, and that these do not hold.
    fn uncovered(&self, chunk: &Chunk) -> Option<String> {
        let (Body::Tables(tables), Some(_)) = (&chunk.body, &self.options.pins) else { return None };
        tables.iter().find_map(|table| uncovered(table, &self.tree)).map(str::to_owned)
    }

    fn batch(&self, mut chunk: Chunk, positions: &[usize], schema: &SchemaRef) -> Result<RecordBatch> {
        let count = chunk.rows.len();
        let of_jobs = self.jobs.num_columns();
        let first_of_rows = of_jobs + usize::from(self.has_files);
        let rows = UInt32Array::from(std::mem::take(&mut chunk.rows));
        let mut built: Vec<ArrayRef> = Vec::with_capacity(positions.len());
        for &position in positions.iter().filter(|&&position| position < of_jobs) {
            built.push(take(self.jobs.column(position), &rows, None).map_err(internal)?);
        }
        if self.has_files && positions.contains(&of_jobs) {
            let file = std::mem::take(&mut chunk.file);
            built.push(dictionary(file, &chunk.files, self.layout).map_err(internal)?);
        }
        let wanted = positions.iter().filter_map(|position| position.checked_sub(first_of_rows));
        match chunk.body {
            Body::Points(points) => pick(wanted, &points.arrays(self.layout).map_err(internal)?, &mut built),
            Body::Measures(rows) => pick(wanted, &rows.arrays(self.layout).map_err(internal)?, &mut built),
            Body::Nothing => {}
            Body::Tables(_) | Body::Records(..) => {
                let columns: Vec<Column> = wanted.map(|index| self.columns[index].clone()).collect();
                built.extend(self.arrays_of(chunk, &columns)?);
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(schema), built, &options).map_err(internal)
    }

    /// Some columns of the rows of files.
    fn arrays_of(&self, mut chunk: Chunk, columns: &[Column]) -> Result<Vec<ArrayRef>> {
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        if let Body::Tables(tables) = &chunk.body {
            if let Some(built) = arrays(tables, columns, &self.tree, self.layout) {
                return Ok(built);
            }
            chunk.tables_as_records();
        }
        match &chunk.body {
            Body::Records(store, records) => {
                let built = build_records(store, records, columns, &self.tree, self.layout);
                Ok(built.map_err(internal)?.0)
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Reads the rows of jobs, `enough` rows or more of each chunk of them, on several threads.
pub(super) fn read_chunks(
    targets: &[(u32, ResultJob)],
    enough: usize,
    options: &SeriesOptions,
    cancel: &CancelToken,
) -> Vec<Chunk> {
    let threads = threads::at_most(usize::MAX);
    let share = u32::try_from(targets.len().div_ceil(4 * threads)).unwrap_or(u32::MAX);
    let together = share.clamp(1, MAX_JOBS_TOGETHER);
    let chunks: Vec<&[(u32, ResultJob)]> = targets.chunks(together as usize).collect();
    threads::each_waiting_group(&chunks, (threads, together), |jobs| {
        if cancel.is_cancelled() { Chunk::default() } else { chunk_of(jobs, options, enough, cancel) }
    })
}

/// Adds the arrays at some positions.
fn pick(positions: impl Iterator<Item = usize>, arrays: &[ArrayRef], built: &mut Vec<ArrayRef>) {
    built.extend(positions.filter_map(|position| arrays.get(position).cloned()));
}
