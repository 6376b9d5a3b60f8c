//! The conductor: runs and what was asked of them become batches.
//!
//! Only the files are opened that the asked columns need: tags need jobs.jsonl, parameters the run's objects, states the
//! directories of the jobs.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::columns::{Column, Columns, Places, Selection, Source, Type, glob_matches};
use crate::error::{Error, Kind, Result, did_you_mean};
use crate::loaded::LoadedRun;
use crate::records::Zone;
use crate::table::{Rows, Texts, build, for_pandas, in_layout_of, schema, shorten};
use crate::values::ObjectIx;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The runs to read, in the order of their rows
    pub runs: Vec<Arc<LoadedRun>>,
    /// Whether `experiment` and `run` are shown by default
    pub several_runs: bool,
    /// Tasks to keep: identifiers, their last component, or globs; all if there is none
    pub tasks: Option<Vec<String>>,
    /// The columns
    pub selection: Selection,
    /// More columns than this are an error
    pub max_columns: usize,
    /// Whether names lose their prefixes
    pub short_names: bool,
    /// The layout of text
    pub texts: Texts,
    /// The zone of times that were written without one
    pub zone: Zone,
}

/// The rows of the runs that were asked for.
#[derive(Debug, Clone)]
pub struct Table {
    /// Of every batch
    pub schema: SchemaRef,
    /// One a run
    pub batches: Vec<RecordBatch>,
    /// What could not be read
    pub errors: Vec<Error>,
    /// What is shown otherwise than it stands in the files
    pub warnings: Vec<String>,
}

/// How many places are looked at for each column that is allowed: most have no column of their own.
const PLACES_PER_COLUMN: usize = 50;

impl Request {
    /// Reads the runs and builds the columns.
    ///
    /// # Errors
    /// `Column`, `TooManyColumns`, `InvalidArgument` (an unknown task). What cannot be read is in the table's `errors`.
    pub fn read(&self) -> Result<Table> {
        let places = self.places()?;
        let columns = Columns::new(&places, self.several_runs);
        let chosen = self.rows_of_runs()?;
        let mut selected = self.selection.choose(&columns, &places, self.max_columns)?;
        if self.tasks.is_some() && self.selection == Selection::Default {
            self.keep_those_of_tasks(&mut selected, &places, &chosen)?;
        }
        let mut table = self.build(&selected, &places, &chosen).map_err(internal)?;
        if self.short_names {
            let renamed = shorten(&selected, &table.batches).map_err(internal)?;
            table.schema = renamed.first().map_or(table.schema, RecordBatch::schema);
            table.batches = renamed;
        }
        Ok(table)
    }

    /// What stands where, in all jobs of the runs: names and types never depend on which of them are shown.
    fn places(&self) -> Result<Places> {
        let mut places = Places::new(self.max_columns.saturating_mul(PLACES_PER_COLUMN).max(10_000));
        let needs_configs = self.needs_configs();
        for loaded in &self.runs {
            let rows = loaded.rows();
            places.see_tags(&rows.store, rows.rows.iter().filter_map(|row| row.tags))?;
            if needs_configs {
                let objects = loaded.objects();
                places.see_configs(&objects.graph, rows.rows.iter().filter_map(|row| loaded.job(&rows.job_id(row))))?;
            }
        }
        Ok(places)
    }

    /// Whether a column may be asked for that stands in the configs of the jobs.
    fn needs_configs(&self) -> bool {
        match &self.selection {
            Selection::Default => true,
            Selection::Chosen(chosen) => !chosen.iter().all(|asked| {
                let Columns { all } = Columns::new(&Places::new(2), true);
                let system = all.iter().any(|column| column.name == asked.pattern);
                system || asked.pattern.starts_with("tags.")
            }),
        }
    }

    /// The positions of the jobs to show, for each run; all if there are none.
    fn rows_of_runs(&self) -> Result<Vec<Option<Vec<usize>>>> {
        let Some(tasks) = &self.tasks else { return Ok(vec![None; self.runs.len()]) };
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut chosen = Vec::with_capacity(self.runs.len());
        for loaded in &self.runs {
            let rows = loaded.rows();
            let mut positions = Vec::new();
            for (at, row) in rows.rows.iter().enumerate() {
                let task_id = rows.task_id(row);
                if let Some(task) = tasks.iter().find(|task| is_task(task, &task_id)) {
                    positions.push(at);
                    found.insert(task);
                }
                if !known.contains(task_id.as_ref()) {
                    known.insert(task_id.into_owned());
                }
            }
            chosen.push(Some(positions));
        }
        match tasks.iter().find(|task| !found.contains(task.as_str())) {
            None => Ok(chosen),
            Some(missing) => Err(unknown_task(missing, &known)),
        }
    }

    /// Leaves out the tags and parameters that none of the chosen jobs has.
    fn keep_those_of_tasks(
        &self,
        selected: &mut Vec<Column>,
        places: &Places,
        chosen: &[Option<Vec<usize>>],
    ) -> Result<()> {
        let mut theirs = Places::new(usize::MAX);
        for (loaded, positions) in self.runs.iter().zip(chosen) {
            let rows = Rows { loaded, chosen: positions.as_deref() };
            let known = rows.known();
            theirs.see_tags(&known.store, rows.jobs().filter_map(|row| row.tags))?;
            let roots: Vec<ObjectIx> = rows.jobs().filter_map(|row| loaded.job(&known.job_id(row))).collect();
            theirs.see_configs(&loaded.objects().graph, roots)?;
        }
        selected.retain(|column| match column.source {
            Source::System(_) => true,
            Source::Values(at, part) => {
                let there = theirs.find(&places.path(at));
                there.is_some_and(|there| theirs.has(there, part))
            }
            Source::Class(at) | Source::Identifier(at) => {
                theirs.find(&places.path(at)).is_some_and(|there| theirs.get(there).has_configs())
            }
        });
        Ok(())
    }

    fn build(
        &self,
        columns: &[Column],
        places: &Places,
        chosen: &[Option<Vec<usize>>],
    ) -> std::result::Result<Table, ArrowError> {
        let schema = schema(columns, places, self.texts);
        let mut batches = Vec::with_capacity(self.runs.len());
        let mut surrogates: BTreeSet<String> = BTreeSet::new();
        let mut errors = Vec::new();
        for (loaded, positions) in self.runs.iter().zip(chosen) {
            let rows = Rows { loaded, chosen: positions.as_deref() };
            let built = build(rows, columns, places, Arc::clone(&schema), self.texts, &self.zone)?;
            batches.push(built.batch);
            surrogates.extend(built.surrogates);
            errors.extend(loaded.errors());
            errors.extend(built.errors);
        }
        let mut warnings: Vec<String> = split_warnings(columns).into_iter().collect();
        warnings.extend(digits_warning(columns));
        if !surrogates.is_empty() {
            let names: Vec<String> = surrogates.into_iter().collect();
            warnings.push(format!("unpaired surrogates are shown as escapes (\\ud800) in {}", names.join(", ")));
        }
        Ok(Table { schema, batches, errors, warnings })
    }
}

impl Table {
    /// The table in the layout that pandas shares without copying: text as `large_utf8`, enums with keys as small as pandas
    /// makes them, in one batch.
    ///
    /// # Errors
    /// `Format`, if the batches do not fit together: a fault of this crate.
    pub fn for_pandas(&self) -> Result<Self> {
        let batch = concat_batches(&self.schema, &self.batches).and_then(|batch| for_pandas(&batch)).map_err(internal)?;
        Ok(Self { schema: batch.schema(), batches: vec![batch], ..self.clone() })
    }

    /// The table with text and dictionaries as `wanted` has them; columns of other types stay as they are.
    ///
    /// # Errors
    /// `Format`, if text does not fit into the layout that is wanted.
    pub fn in_layout_of(&self, wanted: &Schema) -> Result<Self> {
        let batches = self.batches.iter().map(|batch| in_layout_of(batch, wanted));
        let batches: std::result::Result<Vec<RecordBatch>, ArrowError> = batches.collect();
        let empty = || in_layout_of(&RecordBatch::new_empty(Arc::clone(&self.schema)), wanted);
        let batches = batches.map_err(internal)?;
        let schema = batches.first().map_or_else(|| empty().map(|batch| batch.schema()), |batch| Ok(batch.schema()));
        Ok(Self { schema: schema.map_err(internal)?, batches, ..self.clone() })
    }

    /// The columns at these positions.
    ///
    /// # Errors
    /// `Format`, if there is no such position.
    pub fn project(&self, positions: &[usize]) -> Result<Self> {
        let batches: std::result::Result<_, ArrowError> =
            self.batches.iter().map(|batch| batch.project(positions)).collect();
        let schema = self.schema.project(positions).map_err(internal)?;
        Ok(Self { schema: Arc::new(schema), batches: batches.map_err(internal)?, ..self.clone() })
    }
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
    Error::new(Kind::InvalidArgument, format!("no job of task {missing:?}")).hint(hint)
}

fn split_warnings(columns: &[Column]) -> Option<String> {
    let split = columns.iter().filter(|column| match column.source {
        Source::Values(_, part) => column.name.ends_with(&format!("@{}", part.suffix())),
        _ => false,
    });
    let names: Vec<&str> = split.map(|column| column.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("values of several types are split into {}", names.join(", ")))
}

fn digits_warning(columns: &[Column]) -> Option<String> {
    let digits = columns.iter().filter(|column| column.kind == Type::Digits);
    let names: Vec<&str> = digits.map(|column| column.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("integers of more than 38 digits are given as text in {}", names.join(", ")))
}

/// Arrow refused what this crate made of a file: a fault to report.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: ArrowError) -> Error {
    Error::format(format!("the columns do not fit together: {error}")).hint("this is a fault of xpframe, please report it")
}
