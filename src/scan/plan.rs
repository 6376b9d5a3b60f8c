//! The columns of some runs, and how to build any of them for any of the jobs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::absent_results;
use super::leaves::Leaves;
use super::planned_run::{PlannedRun, note_repeats};
use super::repeats::Repeats;
use super::request::TableRequest;
use super::results::{Holders, ResultReader, needs_results};
use super::run_batch::RunBatch;
use super::schema_builder::{Decided, SchemaBuilder};
use super::table::{Table, internal};
use super::upstream::Upstream;
use super::upstream_arrays::UpstreamRows;
use super::warnings;
use crate::columns::{
    Chosen, Column, ColumnSource, Columns, Naming, PathTree, Selection, StoredPaths, named,
};
use crate::error::Result;
use crate::file::Signature;
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::table::{Built, Rows, StringLayout, TimeSources, build, field};
use crate::threads;

/// Runs are read at the same time on at most this many threads.
const MAX_THREADS: usize = 8;
/// More threads may wait for a network, for so many runs with files of so many bytes.
const MAX_WINDOW_RUNS: usize = 64;
const MAX_WINDOW_BYTES: u64 = 32 << 20;
/// A run of few jobs costs about this many calls.
const CALLS_PER_RUN: u32 = 32;

/// The columns of some runs. Names and types are decided on all jobs, never on the jobs of one batch.
#[derive(Debug)]
pub struct ScanPlan {
    request: TableRequest,
    runs: Vec<PlannedRun>,
    tree: PathTree,
    columns: Vec<Column>,
    /// The jobs upstream, if a column is about them
    upstream: Option<Upstream>,
    schema: SchemaRef,
    /// Notes on result files that no job has
    notes: Vec<String>,
    /// Which rows of a job that several runs list are about its directory
    holders: Holders,
}

impl ScanPlan {
    /// Decides the columns of the runs.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task).
    pub fn of(request: &TableRequest) -> Result<Self> {
        let mut builder = SchemaBuilder::new(request);
        let wanted = if needs_results(&request.selection) { &request.results[..] } else { &[] };
        let mut results = ResultReader::new(wanted);
        let mut runs = Vec::with_capacity(request.runs.len());
        let mut repeats = Repeats::default();
        let mut bytes_in_memory = 0;
        let is_single = request.runs.len() == 1;
        let signatures = threads::each_waiting(&request.runs, |loaded| loaded.signature());
        for (window, signatures) in windows(&request.runs, &signatures) {
            let window = own_copies(window, is_single);
            let needs_configs = builder.needs_configs || results.needs_configs();
            read_together(&window, signatures, needs_configs, builder.needs_record);
            for (loaded, signature) in window.into_iter().zip(signatures.iter().cloned()) {
                if loaded.cancel_token().is_cancelled() {
                    break;
                }
                let of_tasks = builder.observe(&loaded)?;
                let jobs = request.scope.choose(runs.len(), loaded.rows().rows.len(), of_tasks);
                if !wanted.is_empty() {
                    results.observe(&loaded, jobs.deciding.as_deref(), &jobs.listed_later)?;
                }
                if !is_single {
                    repeats.add(&loaded);
                }
                bytes_in_memory += signature.bytes();
                let is_freed = bytes_in_memory > request.keep_bytes && !is_single;
                runs.push(PlannedRun::new(loaded, signature, jobs, is_freed));
            }
        }
        let may_repeat = match &request.scope.paths {
            Some(paths) => paths.may_repeat,
            None => repeats.may_repeat() && !request.distinct,
        };
        let holders = if may_repeat { Holders::LastRun } else { Holders::LastRunOfExperiment };
        let mut notes = Vec::new();
        if !wanted.is_empty() {
            let tokens: Vec<CancelToken> =
                request.runs.iter().map(|run| run.cancel_token().clone()).collect();
            // other runs may have the parameters of the handles
            let checks = !request.scope.is_decided();
            let read = results.read(&mut builder.tree, &tokens, checks, holders)?;
            if checks {
                notes = absent_results::notes(wanted, &read);
            }
            runs.iter_mut().zip(read).for_each(|(run, results)| run.results = Some(results));
        }
        note_repeats(&mut runs, &repeats, request.distinct, holders);
        let Decided { tree, columns, upstream } =
            builder.finish(has_several_workspaces(&request.runs), may_repeat, &runs)?;
        let schema = described(&columns, &tree, upstream.as_ref(), request.layout);
        let request = TableRequest { runs: Vec::new(), ..request.clone() };
        Ok(Self { request, runs, tree, columns, upstream, schema, notes, holders })
    }

    /// The same columns by other names, one for each.
    #[must_use]
    pub fn named(mut self, naming: Naming) -> Self {
        let names = named(&self.columns, naming);
        for (column, name) in self.columns.iter_mut().zip(names) {
            column.renamed = Some(name);
        }
        self.schema = described(&self.columns, &self.tree, self.upstream.as_ref(), self.request.layout);
        self
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The names of the columns that a pattern means, as [`Selection`] finds them: among all columns of the jobs, not only those of
    /// the request.
    ///
    /// # Errors
    /// `Column`.
    pub fn find(&self, pattern: &str) -> Result<Vec<String>> {
        let handles: Vec<Option<&str>> =
            self.request.results.iter().map(|result| result.name.as_deref()).collect();
        let columns = Columns::new(&self.tree, true, true).with_files(&handles);
        let chosen = Selection::Chosen(vec![Chosen::new(pattern)]);
        let found = chosen.choose(&mut (&columns, &self.tree), &self.tree, usize::MAX)?;
        Ok(found.into_iter().map(|column| column.name).collect())
    }

    /// The paths and types of the values of all jobs, for the [`super::Scope`] of a request for some of them.
    #[must_use]
    pub fn paths(&self) -> StoredPaths {
        let upstream = self.upstream.as_ref().map(Upstream::paths);
        StoredPaths { tree: self.tree.clone(), upstream, may_repeat: self.holders == Holders::LastRun }
    }

    /// The Arrow schema of the columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The run at an index.
    #[must_use]
    pub fn run(&self, index: usize) -> &LoadedRun {
        &self.runs[index].loaded
    }

    /// The positions of the jobs of the requested tasks in the run at an index; all jobs if there are none.
    pub(super) fn chosen(&self, index: usize) -> Option<&[usize]> {
        self.runs[index].rows.as_deref()
    }

    /// The number of jobs of the requested tasks in the run at an index.
    #[must_use]
    pub fn jobs(&self, index: usize) -> usize {
        self.runs[index].jobs
    }

    /// The position of a column, by its name in the table.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.shown() == name)
    }

    /// A table of these columns without rows or batches.
    #[must_use]
    pub fn empty(&self) -> Table {
        Table {
            schema: Arc::clone(&self.schema),
            batches: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Says in the metadata of the columns of times where their times come from.
    ///
    /// # Errors
    /// `Format`, if Arrow refuses: a fault of this crate.
    pub(super) fn note_times(&self, table: &mut Table, times: TimeSources) -> Result<()> {
        let note = |(field, column): (&FieldRef, &Column)| match column.source {
            ColumnSource::System(system) if column.steps.is_empty() => {
                times.note(field, system, &self.request.zone)
            }
            _ => Arc::clone(field),
        };
        let fields: Vec<FieldRef> = table.schema.fields().iter().zip(&self.columns).map(note).collect();
        table.schema = Arc::new(Schema::new(fields));
        for batch in &mut table.batches {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let (schema, arrays) = (Arc::clone(&table.schema), batch.columns().to_vec());
            *batch = RecordBatch::try_new_with_options(schema, arrays, &options).map_err(internal)?;
        }
        Ok(())
    }

    /// The run at an index: see [`PlannedRun::open`].
    ///
    /// # Errors
    /// `Io`, if the run was freed and its files have changed since, other than by growing.
    pub(super) fn open(&self, index: usize, cancel: &CancelToken) -> Result<Arc<LoadedRun>> {
        self.runs[index].open(cancel)
    }

    /// Whether runs that were not asked for, but have jobs upstream, have changed since the columns were decided.
    #[must_use]
    pub fn upstream_has_changed(&self) -> bool {
        self.upstream.as_ref().is_some_and(Upstream::has_changed)
    }

    /// Builds some columns of some jobs of the opened run at an index. `rows` count among the jobs of the requested tasks; all
    /// jobs if there are none.
    ///
    /// # Errors
    /// `Io`, if the run was read again and its files have changed since the columns were decided, other than by growing.
    pub(super) fn build(
        &self,
        loaded: &Arc<LoadedRun>,
        index: usize,
        columns: &[usize],
        rows: Option<&[usize]>,
    ) -> Result<RunBatch> {
        let planned = &self.runs[index];
        let chosen = planned.positions(rows);
        let read = planned.results.as_ref();
        let results = read.map(|read| &read.results);
        let rows = Rows { loaded, chosen: chosen.as_deref(), results, listed_later: planned.listed_later() };
        let schema: SchemaRef = Arc::new(project(&self.schema, columns));
        let columns: Vec<Column> = columns.iter().map(|&column| self.columns[column].clone()).collect();
        let built = self.build_columns((index, loaded), rows, &columns, schema)?;
        // lines that were appended while it was read are not in the decided columns
        if !Arc::ptr_eq(loaded, &planned.loaded) {
            planned.check()?;
        }
        let mut errors = loaded.errors();
        errors.extend(built.errors.iter().cloned());
        if let Some(read) = read.filter(|_| columns.iter().any(|column| self.is_result(column))) {
            errors.extend(read.errors.iter().cloned());
        }
        errors.extend(self.tree.too_deep().map(|name| warnings::too_deep(&name)));
        let Built { batch, surrogates, times, .. } = built;
        Ok(RunBatch { batch, errors, surrogates, times })
    }

    /// Builds columns of the jobs themselves and of jobs upstream.
    fn build_columns(
        &self,
        (index, loaded): (usize, &Arc<LoadedRun>),
        rows: Rows<'_>,
        columns: &[Column],
        schema: SchemaRef,
    ) -> Result<Built> {
        let (layout, zone) = (self.request.layout, &self.request.zone);
        let is_single = |column: &Column| column.steps.is_empty() && column.merged.is_none();
        if columns.iter().all(is_single) {
            return build(rows, columns, &self.tree, schema, layout, zone).map_err(internal);
        }
        let leaves = Leaves::of(columns);
        let numbered = || leaves.columns.iter().enumerate();
        let (numbers, own): (Vec<usize>, Vec<Column>) = numbered()
            .filter(|(_, leaf)| leaf.steps.is_empty())
            .map(|(number, leaf)| (number, leaf.clone()))
            .unzip();
        let own_schema = crate::table::schema(&own, &self.tree, layout);
        let mut built = build(rows, &own, &self.tree, own_schema, layout, zone).map_err(internal)?;
        let mut arrays: Vec<Option<ArrayRef>> = vec![None; leaves.columns.len()];
        for (number, array) in numbers.into_iter().zip(built.batch.columns()) {
            arrays[number] = Some(Arc::clone(array));
        }
        if let Some(upstream) = &self.upstream {
            let positions: Vec<usize> = rows.positions().collect();
            let listed_later = if self.holders == Holders::LastRun { rows.listed_later } else { &[] };
            let rows = UpstreamRows { run: index, loaded, positions: &positions, listed_later };
            let others: Vec<(usize, &Column)> =
                numbered().filter(|(_, leaf)| !leaf.steps.is_empty()).collect();
            let others = upstream.build(&rows, &others, &self.request)?;
            others.arrays.into_iter().for_each(|(number, array)| arrays[number] = Some(array));
            built.errors.extend(others.errors);
            built.surrogates.extend(others.surrogates);
        }
        let arrays = arrays.into_iter().flatten().collect();
        let arrays = leaves.unite(arrays, columns, layout).map_err(internal)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        built.batch = RecordBatch::try_new_with_options(schema, arrays, &options).map_err(internal)?;
        Ok(built)
    }

    fn is_result(&self, column: &Column) -> bool {
        if !column.steps.is_empty() {
            return false;
        }
        match column.source {
            ColumnSource::File(_) | ColumnSource::FilePath(_) => true,
            ColumnSource::Values(path, _) => self.tree.root(path) == PathTree::RESULT,
            _ => false,
        }
    }

    /// Notes on values of some columns that are displayed differently from the files. `surrogates` are those of their batches.
    #[must_use]
    pub fn warnings(&self, columns: &[usize], surrogates: Vec<String>) -> Vec<String> {
        let columns: Vec<&Column> = columns.iter().map(|&column| &self.columns[column]).collect();
        let notes = self.notes.iter().filter(|_| columns.iter().any(|column| self.is_result(column)));
        notes.cloned().chain(warnings::warnings(&columns, &self.tree, surrogates)).collect()
    }
}

/// Reads runs at the same time.
fn read_together(runs: &[Arc<LoadedRun>], signatures: &[Signature], needs_configs: bool, needs_record: bool) {
    for (loaded, signature) in runs.iter().zip(signatures) {
        loaded.note_files(signature);
    }
    let groups: Vec<&[Arc<LoadedRun>]> = runs.chunks(1).collect();
    threads::each_waiting_group(&groups, (threads(), CALLS_PER_RUN), |group| {
        for loaded in group {
            // configs take all threads; their columns are built while the record is read
            if needs_record && !needs_configs {
                loaded.read_with_record();
            } else {
                loaded.read(needs_configs);
            }
        }
    });
}

/// Whether runs are of more than one workspace.
pub(super) fn has_several_workspaces(runs: &[Arc<LoadedRun>]) -> bool {
    let roots: BTreeSet<&Path> = runs.iter().map(|loaded| loaded.run().workspace().root()).collect();
    roots.len() > 1
}

/// Copies of several runs can be freed again; the caller's own stay in memory.
fn own_copies(runs: &[Arc<LoadedRun>], is_single: bool) -> Vec<Arc<LoadedRun>> {
    let own_copy = |loaded: &Arc<LoadedRun>| {
        if is_single || loaded.is_read() { Arc::clone(loaded) } else { Arc::new(loaded.fresh()) }
    };
    runs.iter().map(own_copy).collect()
}

/// The schema of columns, of which some are those of upstream jobs.
fn described(
    columns: &[Column],
    tree: &PathTree,
    upstream: Option<&Upstream>,
    layout: StringLayout,
) -> SchemaRef {
    let of_column = |column: &Column| {
        let upstream = upstream.filter(|_| !column.steps.is_empty());
        field(column, upstream.map_or(tree, Upstream::tree), layout)
    };
    Arc::new(Schema::new(columns.iter().map(of_column).collect::<Vec<_>>()))
}

fn project(schema: &Schema, columns: &[usize]) -> Schema {
    Schema::new(columns.iter().map(|&column| Arc::clone(&schema.fields()[column])).collect::<Vec<_>>())
}

/// The runs that are read at the same time, with their signatures: some for each thread, and more if their files are small, so
/// that threads that wait for a network have enough to wait for.
fn windows<'r>(
    runs: &'r [Arc<LoadedRun>],
    signatures: &'r [Signature],
) -> impl Iterator<Item = (&'r [Arc<LoadedRun>], &'r [Signature])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let is_small = |signature: &&Signature| {
            bytes += signature.bytes();
            bytes <= MAX_WINDOW_BYTES
        };
        let small = signatures[start..].iter().take_while(is_small).count().min(MAX_WINDOW_RUNS);
        let end = (start + small.max(2 * threads())).min(runs.len());
        let window = (&runs[start..end], &signatures[start..end]);
        start = end;
        (!window.0.is_empty()).then_some(window)
    })
}

/// The number of threads that read runs at the same time.
pub(super) fn threads() -> usize {
    threads::at_most(MAX_THREADS)
}
