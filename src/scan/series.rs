//! The rows that jobs wrote, as one long table: which columns it has.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::absent_results;
use super::plan::ScanPlan;
use super::request::TableRequest;
use super::results::{ResultReader, ResultRequest};
use super::series_paths::SeriesPaths;
use super::series_read::{KeptBatch, read_chunks};
use super::series_rows::{Body, Chunk, Kind, chunk_of};
use super::series_tables::observe;
use super::table::{Table, internal};
use crate::columns::{Column, ColumnSource, Columns, PathTree, StoredPaths, System, Type};
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::progress::CancelToken;
use crate::results::{CellType, FileSchema, Handle, Patterns, Pins, ResultJob, SeriesOptions, locate};
use crate::table::{StringLayout, data_type, schema};
use crate::threads;
use crate::values::{Record, Store, Value};

/// Files of at most so many bytes are kept as arrays once their columns are decided, so that they are read once.
const MAX_KEPT_BYTES: u64 = 64 << 20;

/// Which rows of which jobs are asked for.
#[derive(Debug, Clone)]
pub struct SeriesRequest {
    /// The jobs, and the columns of theirs that each row repeats
    pub jobs: TableRequest,
    /// The files
    pub result: ResultRequest,
    /// Which of their rows
    pub options: SeriesOptions,
    /// What decided the columns over more jobs; without it, these jobs do
    pub paths: Option<Arc<SeriesPaths>>,
}

/// A job with files of its own.
#[derive(Debug, Clone)]
pub(super) struct SeriesJob {
    /// Its row among all jobs, and what the handle means for it
    pub target: (u32, ResultJob),
    /// The sizes of its files, together
    pub bytes: u64,
    pub files: usize,
}

/// The rows of some jobs: their columns are decided over all of them.
#[derive(Debug)]
pub struct SeriesPlan {
    /// One row a job, text as dictionaries
    pub(super) jobs: RecordBatch,
    /// The columns of the jobs that each row repeats, and what decided them
    job_columns: Vec<Column>,
    job_paths: StoredPaths,
    /// The jobs that have files of their own
    pub(super) targets: Vec<SeriesJob>,
    pub(super) options: SeriesOptions,
    pub(super) layout: StringLayout,
    /// Whether some job has several files
    pub(super) has_files: bool,
    pub(super) kind: Option<Kind>,
    pub(super) tree: PathTree,
    pub(super) columns: Vec<Column>,
    pub(super) schema: SchemaRef,
    pub(super) errors: Vec<Error>,
    /// Files, metrics or columns that were asked for and that no job has
    pub(super) notes: Vec<String>,
    /// What stops the reads that decide the columns
    pub(super) cancel: CancelToken,
    /// All rows, if few enough were read to decide the columns
    pub(super) kept: Option<Vec<KeptBatch>>,
}

impl SeriesRequest {
    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Self::plan`]; `Io`, if rows have values for which the decided columns have no room.
    pub fn read(&self) -> Result<Table> {
        let mut plan = self.prepare()?;
        let chunks = read_chunks(&plan.all_targets(), usize::MAX, &plan.options, &plan.cancel);
        match &self.paths {
            None => plan.decide(&chunks, &self.result.handle)?,
            Some(paths) => plan.follow(paths, &chunks)?,
        }
        let mut table = plan.table(chunks, None)?;
        table.warnings.append(&mut plan.notes);
        Ok(table)
    }

    /// Decides the columns. Of event files and trec text the first job that has rows tells; other files are read once, unless
    /// the user knows their types.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task or handle).
    pub fn plan(&self) -> Result<SeriesPlan> {
        let mut plan = self.prepare()?;
        if plan.options.result.schema.is_some() {
            plan.decide(&[], &self.result.handle)?;
            return Ok(plan);
        }
        plan.options.pins = Some(Arc::new(Pins::default()));
        let mut targets = plan.all_targets().into_iter();
        let mut chunks = Vec::new();
        for target in targets.by_ref() {
            chunks.push(chunk_of(std::slice::from_ref(&target), &plan.options, usize::MAX, &plan.cancel));
            if chunks.last().is_some_and(|chunk: &Chunk| chunk.kind().is_some()) {
                break;
            }
        }
        if chunks.last().and_then(Chunk::kind) == Some(Kind::Records) {
            let rest: Vec<(u32, ResultJob)> = targets.collect();
            chunks.extend(read_chunks(&rest, usize::MAX, &plan.options, &plan.cancel));
        }
        plan.decide(&chunks, &self.result.handle)?;
        let is_small = plan.targets.iter().map(|job| job.bytes).sum::<u64>() <= MAX_KEPT_BYTES;
        if plan.kind == Some(Kind::Records) && is_small {
            plan.keep(chunks)?;
        }
        Ok(plan)
    }

    fn prepare(&self) -> Result<SeriesPlan> {
        let mut request = TableRequest { results: Vec::new(), ..self.jobs.clone() };
        if let Some(paths) = &self.paths {
            request.scope.paths = Some(Arc::new(paths.jobs.clone()));
        }
        let plan = Arc::new(ScanPlan::of(&request)?);
        let handles = [self.result.clone()];
        let mut reader = ResultReader::new(&handles);
        for index in 0..plan.runs() {
            reader.observe(plan.run(index), plan.chosen(index), &[])?;
        }
        let table = request.read_plan(&plan)?;
        let jobs = concat_batches(&table.schema, &table.batches).map_err(internal)?;
        let targets: Vec<(u32, ResultJob)> = (0..)
            .zip(reader.jobs(self.paths.is_none())?.into_iter().flatten())
            .filter_map(|(row, job)| Some((row, job?)))
            .collect();
        let targets = located(&targets);
        Ok(SeriesPlan {
            jobs: with_dictionaries(&jobs, self.jobs.layout)?,
            job_columns: plan.columns().to_vec(),
            job_paths: plan.paths(),
            has_files: targets.iter().any(|job| job.files > 1),
            targets,
            options: self.options.clone(),
            layout: self.jobs.layout,
            kind: None,
            tree: PathTree::new(self.jobs.max_columns.max(10_000)),
            columns: Vec::new(),
            schema: Arc::new(Schema::empty()),
            errors: table.errors,
            notes: Vec::new(),
            // Ctrl-C cancels the tokens of all runs
            cancel: self.jobs.runs.first().map(|run| run.cancel_token().clone()).unwrap_or_default(),
            kept: None,
        })
    }
}

/// The jobs with the sizes of their files, which are not opened.
fn located(targets: &[(u32, ResultJob)]) -> Vec<SeriesJob> {
    const JOBS_TOGETHER: u32 = 32;
    let chunks: Vec<&[(u32, ResultJob)]> = targets.chunks(JOBS_TOGETHER as usize).collect();
    let of_chunk = |targets: &[(u32, ResultJob)]| {
        let of_job = |(row, job): &(u32, ResultJob)| {
            let entries = locate(&job.directory, &job.target).entries;
            let sizes = entries.iter().flat_map(|entry| entry.files()).map(|file| file.metadata());
            SeriesJob {
                target: (*row, job.clone()),
                bytes: sizes.flatten().map(|metadata| metadata.len()).sum(),
                files: entries.len(),
            }
        };
        targets.iter().map(of_job).collect::<Vec<_>>()
    };
    let pace = (threads::at_most(usize::MAX), JOBS_TOGETHER);
    threads::each_waiting_group(&chunks, pace, of_chunk).into_iter().flatten().collect()
}

impl SeriesPlan {
    /// The jobs with the columns that each of their rows repeats.
    #[must_use]
    pub fn jobs(&self) -> Table {
        let batches = vec![self.jobs.clone()];
        let (errors, warnings) = (self.errors.clone(), self.notes.clone());
        Table { schema: self.jobs.schema(), batches, errors, warnings }
    }

    /// A table of these columns without rows.
    #[must_use]
    pub fn empty(&self) -> Table {
        Table { schema: Arc::clone(&self.schema), batches: vec![], errors: vec![], warnings: vec![] }
    }

    /// The columns of the jobs that each row repeats.
    #[must_use]
    pub fn job_columns(&self) -> &[Column] {
        &self.job_columns
    }

    /// What decided the columns, for a request for some of the jobs.
    #[must_use]
    pub fn paths(&self) -> SeriesPaths {
        let (jobs, tree) = (self.job_paths.clone(), self.tree.clone());
        SeriesPaths { jobs, tree, kind: self.kind, has_files: self.has_files }
    }

    /// Whether the rows are scalars of event files, which have steps.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        self.kind == Some(Kind::Points)
    }

    pub(super) fn all_targets(&self) -> Vec<(u32, ResultJob)> {
        self.targets.iter().map(|job| job.target.clone()).collect()
    }

    /// The rows of the first job with rows, whatever their metrics.
    fn rows_of_all_metrics(&self) -> Option<Chunk> {
        let mut options = self.options.clone();
        if options.result.metrics.is_all() && options.result.columns.is_all() {
            return None;
        }
        (options.result.metrics, options.result.columns) = (Patterns::default(), Patterns::default());
        let rows_of =
            |job: &SeriesJob| chunk_of(std::slice::from_ref(&job.target), &options, 1, &self.cancel);
        self.targets.iter().map(rows_of).find(|chunk| chunk.kind().is_some())
    }

    /// Decides the columns by what was read, or by the types that the user knows.
    fn decide(&mut self, chunks: &[Chunk], handle: &Handle) -> Result<()> {
        let mut all = None;
        if let Some(schema) = &self.options.result.schema {
            self.kind = Some(Kind::Records);
            observe_schema(&mut self.tree, schema)?;
        } else {
            let of_rows = chunks.iter().find_map(Chunk::kind);
            all = if of_rows.is_none() { self.rows_of_all_metrics() } else { None };
            self.kind = of_rows.or_else(|| all.as_ref()?.kind());
            self.observe(chunks)?;
        }
        self.notes.extend(self.note(handle, all.as_ref()));
        self.describe()
    }

    /// What was asked for that no job has, or that files of this kind do not have. `all` has rows where no metric is wanted.
    fn note(&self, handle: &Handle, all: Option<&Chunk>) -> Option<String> {
        let options = &self.options.result;
        let directories = self.targets.iter().map(|job| &job.target.1.directory);
        let handle_name = || quoted(&handle.to_string());
        match self.kind {
            _ if self.targets.is_empty() => None,
            _ if self.targets.iter().all(|job| job.files == 0) => {
                Some(absent_results::absent_file(handle, directories))
            }
            Some(Kind::Records) if !options.metrics.is_all() => Some(format!(
                "metrics are rows of event files and trec text; columns of other files are chosen by Result({}, columns=…)",
                handle_name()
            )),
            Some(Kind::Records) if !options.columns.is_all() && columns_of(&self.tree).is_empty() => {
                Some(format!("{} has no column {}", handle_name(), options.columns))
            }
            Some(_) => {
                let wanted = options.metrics.and(&options.columns);
                all.map(|all| absent_results::absent_metric(&wanted, &all.names()))
            }
            None => None,
        }
    }

    /// Takes the columns that more jobs decided, if they have room for what was read.
    ///
    /// # Errors
    /// `Io`, if they have not: a file was changed.
    fn follow(&mut self, paths: &SeriesPaths, chunks: &[Chunk]) -> Result<()> {
        (self.tree, self.kind, self.has_files) = (paths.tree.clone(), paths.kind, paths.has_files);
        self.describe()?;
        if self.options.result.schema.is_some() {
            return Ok(());
        }
        let changed = match self.kind {
            None => chunks.iter().any(|chunk| chunk.kind().is_some()).then(|| "rows".to_owned()),
            Some(Kind::Records) => {
                let decided = columns_of(&self.tree);
                self.observe(chunks)?;
                let is_new = |column: &Column| !decided.contains(column);
                let now = columns_of(&self.tree).into_iter().find(is_new);
                now.map(|column| format!("values of {}", column.shown()))
            }
            Some(Kind::Points | Kind::Measures) => None,
        };
        let Some(changed) = changed else { return Ok(()) };
        let reason = format!("files have {changed} that they had not when the parts were made");
        Err(Error::new(ErrorKind::Io, reason).hint("make the parts again"))
    }

    fn observe(&mut self, chunks: &[Chunk]) -> Result<()> {
        for chunk in chunks {
            match &chunk.body {
                Body::Records(store, records) => {
                    self.tree.observe_results(store, records.iter().copied())?;
                }
                Body::Tables(tables) => observe(&mut self.tree, tables.iter())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Names and types of the columns, as they were decided.
    ///
    /// # Errors
    /// `Column`: a column of the jobs was given the name of another one.
    fn describe(&mut self) -> Result<()> {
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
                if self.options.result.schema.is_some() {
                    self.columns.iter_mut().for_each(name_as_in_schema(&self.tree));
                }
                fields.extend(schema(&self.columns, &self.tree, self.layout).fields().iter().cloned());
            }
        }
        let mut names = ahash::HashSet::default();
        if let Some(twice) = fields.iter().find(|field| !names.insert(field.name().clone())) {
            let reason = format!("two columns would be called {}", quoted(twice.name()));
            return Err(Error::new(ErrorKind::Column, reason)
                .at_field(twice.name())
                .hint("the files have a column of that name: give the column of the jobs another one"));
        }
        self.schema = Arc::new(Schema::new(fields));
        Ok(())
    }
}

/// Notes the columns of a schema as if files had them.
fn observe_schema(tree: &mut PathTree, schema: &FileSchema) -> Result<()> {
    let mut store = Store::default();
    let mut keys = Vec::with_capacity(schema.0.len());
    let mut values = Vec::with_capacity(schema.0.len());
    for (name, kind) in &schema.0 {
        keys.push(store.intern(name.as_bytes()));
        values.push(match kind {
            CellType::Bool => Value::Bool(true),
            CellType::Int => Value::Int(0),
            CellType::Float => Value::Float(0.0),
            _ => Value::Str(store.push_text(b"")),
        });
    }
    let record: Record = store.push_record(&keys, &values);
    tree.observe_results(&store, [record])
}

/// Calls a column as the user does in the schema.
fn name_as_in_schema(tree: &PathTree) -> impl Fn(&mut Column) {
    |column| {
        if let (ColumnSource::Values(path, _), Some(_)) = (column.source, &column.renamed) {
            column.renamed = tree.path(path).last().map(|&key| key.to_owned());
        }
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
