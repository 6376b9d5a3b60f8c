//! The columns of some runs, and how to build any of them for any of the jobs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};

use super::request::TableRequest;
use super::table::{Table, internal};
use crate::columns::{Column, ColumnSource, Columns, PathTree, Selection, Type, glob_matches};
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};
use crate::file::Signature;
use crate::loaded::{LoadedRun, ReadExtent};
use crate::objects::RunObjects;
use crate::progress::CancelToken;
use crate::table::{Rows, build, schema};
use crate::threads;
use crate::values::ObjectIx;

/// How many places are looked at for each column that is allowed: most have no column of their own.
const PLACES_PER_COLUMN: usize = 50;

/// The columns of some runs. Names and types are decided on all jobs, never on those that are built.
#[derive(Debug)]
pub struct ScanPlan {
    request: TableRequest,
    runs: Vec<KnownRun>,
    places: PathTree,
    columns: Vec<Column>,
    schema: SchemaRef,
}

/// A run, and what it was when the columns were decided.
#[derive(Debug)]
struct KnownRun {
    loaded: Arc<LoadedRun>,
    signature: Signature,
    /// How far it was read then, if it is to be read again
    ends: Option<ReadExtent>,
    /// The positions of the jobs of the asked tasks; all if there are none
    rows: Option<Vec<usize>>,
    jobs: usize,
}

impl KnownRun {
    /// Refuses a run whose files are not what they were when the columns were decided, or that and more.
    fn check(&self) -> Result<()> {
        let (run, now) = (self.loaded.run(), self.loaded.signature());
        let grew = |ends: &ReadExtent| self.signature.may_have_grown_to(&now) && ends.still_there(run);
        if now == self.signature || self.ends.as_ref().is_some_and(grew) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Io, "was changed while it was read").at_file(run.path()).hint("ask again"))
    }
}

/// The columns of some jobs of one run.
#[derive(Debug)]
pub struct RunBatch {
    /// The columns
    pub batch: RecordBatch,
    /// What could not be read
    pub errors: Vec<Error>,
    /// The columns that show unpaired surrogates as escapes
    pub surrogates: Vec<String>,
}

impl RunBatch {
    /// Parts with the same columns, one after the other.
    ///
    /// # Errors
    /// `Format`, if they do not fit together: a fault of this crate.
    pub(super) fn joined(mut parts: Vec<Self>) -> Result<Self> {
        if parts.len() == 1
            && let Some(alone) = parts.pop()
        {
            return Ok(alone);
        }
        let schema = parts.first().map_or_else(|| Arc::new(Schema::empty()), |part| part.batch.schema());
        let batch = concat_batches(&schema, parts.iter().map(|part| &part.batch)).map_err(internal)?;
        let (errors, surrogates): (Vec<_>, Vec<_>) =
            parts.into_iter().map(|part| (part.errors, part.surrogates)).unzip();
        Ok(Self { batch, errors: errors.concat(), surrogates: surrogates.concat() })
    }
}

impl ScanPlan {
    /// Decides the columns of the runs.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task).
    pub fn of(request: &TableRequest) -> Result<Self> {
        let mut deciding = SchemaBuilder::new(request);
        let mut runs = Vec::with_capacity(request.runs.len());
        let mut kept = 0;
        for window in request.runs.chunks(2 * threads()) {
            // a run that others hold too would stay in memory: of several, copies are read that can be let go
            let own = |loaded: &Arc<LoadedRun>| {
                let alone = request.runs.len() == 1 || loaded.is_read();
                if alone { Arc::clone(loaded) } else { Arc::new(loaded.fresh()) }
            };
            let window: Vec<Arc<LoadedRun>> = window.iter().map(own).collect();
            let signatures: Vec<Signature> = window.iter().map(|loaded| loaded.signature()).collect();
            threads::each(&window, threads(), |loaded| loaded.read(deciding.needs_configs));
            for (loaded, signature) in window.into_iter().zip(signatures) {
                if loaded.cancel_token().is_cancelled() {
                    break;
                }
                let rows = deciding.see(&loaded)?;
                kept += signature.bytes();
                let forget = kept > request.keep_bytes && request.runs.len() > 1;
                let jobs = rows.as_ref().map_or_else(|| loaded.rows().rows.len(), Vec::len);
                let ends = if forget { loaded.ends() } else { None };
                let loaded = if forget { Arc::new(loaded.fresh()) } else { loaded };
                runs.push(KnownRun { loaded, signature, ends, rows, jobs });
            }
        }
        let SchemaBuilder { places, theirs, .. } = deciding.finish()?;
        let columns = Columns::new(&places, request.several_runs, several_workspaces(&request.runs));
        let mut columns = request.selection.choose(&columns, &places, request.max_columns)?;
        if let Some(theirs) = theirs.filter(|_| request.selection == Selection::Default) {
            columns.retain(|column| has(&theirs, &places, column));
        }
        let schema = schema(&columns, &places, request.texts);
        let request = TableRequest { runs: Vec::new(), ..request.clone() };
        Ok(Self { request, runs, places, columns, schema })
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Their Arrow schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The run at a position.
    #[must_use]
    pub fn run(&self, at: usize) -> &LoadedRun {
        &self.runs[at].loaded
    }

    /// How many jobs of the asked tasks a run has.
    #[must_use]
    pub fn jobs(&self, at: usize) -> usize {
        self.runs[at].jobs
    }

    /// The position of a column, by the name it has in the table.
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

    /// The run at a position, to build parts of: read anew, under this `stop`, if it was forgotten; as far as it was read when
    /// the columns were decided.
    ///
    /// # Errors
    /// `Io`, if the run was changed since otherwise than by growing.
    pub(super) fn open(&self, at: usize, stop: &CancelToken) -> Result<Arc<LoadedRun>> {
        let known = &self.runs[at];
        if known.loaded.is_read() {
            return Ok(Arc::clone(&known.loaded));
        }
        known.check()?;
        let anew = known.loaded.stopped_by(stop.clone());
        Ok(Arc::new(match &known.ends {
            Some(ends) => anew.truncated_to(ends.clone()),
            None => anew,
        }))
    }

    /// Some of the columns of some of a run's jobs: `rows` counts among the jobs of the asked tasks, all if there is none.
    ///
    /// # Errors
    /// `Io`, if the run had to be read again and was changed, otherwise than by growing, since the columns were decided.
    pub fn part(&self, at: usize, columns: &[usize], rows: Option<&[usize]>) -> Result<RunBatch> {
        let loaded = self.open(at, self.runs[at].loaded.cancel_token())?;
        self.part_of(&loaded, at, columns, rows)
    }

    /// The same of a run that was opened.
    pub(super) fn part_of(
        &self,
        loaded: &Arc<LoadedRun>,
        at: usize,
        columns: &[usize],
        rows: Option<&[usize]>,
    ) -> Result<RunBatch> {
        let known = &self.runs[at];
        let chosen = match (&known.rows, rows) {
            (None, None) => None,
            (Some(positions), None) => Some(positions.clone()),
            (None, Some(rows)) => Some(rows.to_vec()),
            (Some(positions), Some(rows)) => {
                Some(rows.iter().filter_map(|&row| positions.get(row).copied()).collect())
            }
        };
        let asked: Vec<Column> = columns.iter().map(|&column| self.columns[column].clone()).collect();
        let schema: SchemaRef = Arc::new(project(&self.schema, columns));
        let rows = Rows { loaded, chosen: chosen.as_deref() };
        let built = build(rows, &asked, &self.places, schema, self.request.texts, &self.request.zone)
            .map_err(internal)?;
        // what came while it was read is not in the columns that were decided
        if !Arc::ptr_eq(loaded, &known.loaded) {
            known.check()?;
        }
        let mut errors = loaded.errors();
        errors.extend(built.errors);
        errors.extend(self.places.too_deep().map(|name| too_deep(&name)));
        Ok(RunBatch { batch: built.batch, errors, surrogates: built.surrogates })
    }

    /// What is shown otherwise than it stands in the files in some of the columns, in words.
    #[must_use]
    pub fn warnings(&self, columns: &[usize], surrogates: Vec<String>) -> Vec<String> {
        let columns: Vec<&Column> = columns.iter().map(|&column| &self.columns[column]).collect();
        let mut warnings: Vec<String> = split_warning(&columns).into_iter().collect();
        warnings.extend(
            self.places.too_deep().map(|name| format!("values nested too deep are left out of {name}")),
        );
        warnings.extend(digits_warning(&columns));
        let surrogates: BTreeSet<String> = surrogates.into_iter().collect();
        if !surrogates.is_empty() {
            let names: Vec<String> = surrogates.into_iter().collect();
            warnings
                .push(format!("unpaired surrogates are shown as escapes (\\ud800) in {}", names.join(", ")));
        }
        warnings
    }
}

/// The notes from which columns are decided.
struct SchemaBuilder<'r> {
    request: &'r TableRequest,
    needs_configs: bool,
    places: PathTree,
    /// The places of the jobs of the asked tasks, if there are any
    theirs: Option<PathTree>,
    known_tasks: BTreeSet<String>,
    found_tasks: BTreeSet<String>,
}

impl<'r> SchemaBuilder<'r> {
    fn new(request: &'r TableRequest) -> Self {
        let limit = request.max_columns.saturating_mul(PLACES_PER_COLUMN).max(10_000);
        Self {
            request,
            needs_configs: needs_configs(&request.selection),
            places: PathTree::new(limit),
            theirs: request.tasks.as_ref().map(|_| PathTree::new(limit)),
            known_tasks: BTreeSet::new(),
            found_tasks: BTreeSet::new(),
        }
    }

    /// Notes what stands where in all jobs of a run; says which of them are of the asked tasks.
    fn see(&mut self, loaded: &LoadedRun) -> Result<Option<Vec<usize>>> {
        let chosen = self.of_tasks(loaded);
        let all = Rows { loaded, chosen: None };
        see(&mut self.places, all, self.needs_configs)?;
        if let Some(theirs) = &mut self.theirs {
            see(theirs, Rows { loaded, chosen: chosen.as_deref() }, self.needs_configs)?;
        }
        Ok(chosen)
    }

    fn of_tasks(&mut self, loaded: &LoadedRun) -> Option<Vec<usize>> {
        let tasks = self.request.tasks.as_ref()?;
        let rows = loaded.rows();
        let mut positions = Vec::new();
        for (at, row) in rows.rows.iter().enumerate() {
            let task_id = rows.task_id(row);
            if let Some(task) = tasks.iter().find(|task| is_task(task, &task_id)) {
                positions.push(at);
                if !self.found_tasks.contains(task) {
                    self.found_tasks.insert(task.clone());
                }
            }
            if !self.known_tasks.contains(task_id.as_ref()) {
                self.known_tasks.insert(task_id.into_owned());
            }
        }
        Some(positions)
    }

    fn finish(self) -> Result<Self> {
        let missing = self.request.tasks.iter().flatten().find(|task| !self.found_tasks.contains(*task));
        match missing {
            Some(missing) => Err(unknown_task(missing, &self.known_tasks)),
            None => Ok(self),
        }
    }
}

/// Notes what stands where in some jobs; of many jobs on several threads.
fn see(places: &mut PathTree, rows: Rows<'_>, configs: bool) -> Result<()> {
    let store = &rows.known().store;
    let tags = |places: &mut PathTree| places.see_tags(store, rows.jobs().filter_map(|row| row.tags));
    if !configs {
        return tags(places);
    }
    let RunObjects { roots, graph, .. } = rows.loaded.objects();
    let roots: Vec<ObjectIx> = rows.positions().filter_map(|at| roots[at]).collect();
    let threads = threads::at_most(SHARES);
    if threads < 2 || roots.len() <= WORTH_A_SHARE {
        tags(places)?;
        return places.see_configs(graph, &roots);
    }
    let shares = roots.chunks(roots.len().div_ceil(SHARES).max(WORTH_A_SHARE));
    // the tags are one more
    let works: Vec<Option<&[ObjectIx]>> = std::iter::once(None).chain(shares.map(Some)).collect();
    let seen = threads::each(&works, threads, |share| {
        let mut seen = places.like();
        let noted = match share {
            None => tags(&mut seen),
            Some(roots) => seen.see_configs(graph, roots),
        };
        noted.map(|()| seen)
    });
    seen.into_iter().try_for_each(|seen| places.merge(&seen?))
}

/// Into so many shares the configs of a run are cut.
const SHARES: usize = 4;

/// Fewer jobs are looked at faster by one thread.
const WORTH_A_SHARE: usize = 4096;

/// Whether a column may be asked for that stands in the configs of the jobs.
fn needs_configs(selection: &Selection) -> bool {
    let Selection::Chosen(chosen) = selection else { return true };
    let Columns { all } = Columns::new(&PathTree::new(2), true, true);
    !chosen.iter().all(|asked| {
        asked.pattern.starts_with("tags.") || all.iter().any(|column| column.name == asked.pattern)
    })
}

fn several_workspaces(runs: &[Arc<LoadedRun>]) -> bool {
    let roots: BTreeSet<&Path> = runs.iter().map(|loaded| loaded.run().workspace().root()).collect();
    roots.len() > 1
}

/// Whether `theirs` has values for a column of `places`.
fn has(theirs: &PathTree, places: &PathTree, column: &Column) -> bool {
    let there = |at| theirs.find(&places.path(at));
    match column.source {
        ColumnSource::System(_) => true,
        ColumnSource::Values(at, part) => there(at).is_some_and(|at| theirs.has(at, part)),
        ColumnSource::Class(at) | ColumnSource::Identifier(at) => {
            there(at).is_some_and(|at| theirs.get(at).has_configs())
        }
    }
}

fn project(schema: &Schema, columns: &[usize]) -> Schema {
    Schema::new(columns.iter().map(|&column| Arc::clone(&schema.fields()[column])).collect::<Vec<_>>())
}

fn too_deep(name: &str) -> Error {
    Error::format(
        "values nested more than 64 deep in lists, or 8192 elsewhere, have no columns; they are left out",
    )
    .at_field(name)
    .hint("the objects have it: load_xp_info(…).jobs")
}

/// How many threads read at once.
pub(super) fn threads() -> usize {
    threads::at_most(8)
}

/// Whether `asked` means this task: its identifier, the last component of it, or a glob; the case does not matter.
fn is_task(asked: &str, task_id: &str) -> bool {
    let (asked, task_id) = (asked.to_lowercase(), task_id.to_lowercase());
    let last = task_id.rsplit('.').next().unwrap_or(&task_id);
    asked == task_id || asked == last || glob_matches(&asked, &task_id)
}

fn unknown_task(missing: &str, known: &BTreeSet<String>) -> Error {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let short = names.iter().map(|name| name.rsplit('.').next().unwrap_or(name));
    let hint = did_you_mean(missing, names.iter().copied().chain(short))
        .unwrap_or_else(|| format!("there are {}", names.join(", ")));
    Error::new(ErrorKind::InvalidArgument, format!("no job of task {}", quoted(missing))).hint(hint)
}

fn split_warning(columns: &[&Column]) -> Option<String> {
    let split = columns.iter().filter(|column| match column.source {
        ColumnSource::Values(_, part) => column.name.ends_with(&format!("@{}", part.suffix())),
        _ => false,
    });
    let names: Vec<&str> = split.map(|column| column.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("values of several types are split into {}", names.join(", ")))
}

fn digits_warning(columns: &[&Column]) -> Option<String> {
    let digits = columns.iter().filter(|column| column.kind == Type::Digits);
    let names: Vec<&str> = digits.map(|column| column.name.as_str()).collect();
    (!names.is_empty())
        .then(|| format!("integers of more than 38 digits are given as text in {}", names.join(", ")))
}
