//! The rows that one job wrote, some at a time.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use super::board::{BoardFilter, Points, read_board};
use super::csv::{CsvFile, scan};
use super::documents;
use super::format::Format;
use super::locate::{Entry, Located, locate};
use super::pins::Pins;
use super::scalars::{ResultJob, ResultOptions, format_of};
use super::state::FileState;
use super::table::{Table, table, typed_table};
use super::trec::{self, Measures};
use super::user_format::read_user_rows;
use super::wanted::wanted_entries;
use crate::columns::escape;
use crate::error::{Error, Result};
use crate::progress::CancelToken;
use crate::values::{Record, Store};

/// Which rows are wanted.
#[derive(Debug, Clone, Default)]
pub struct SeriesOptions {
    /// How files are read; their row selection is not used
    pub result: ResultOptions,
    /// The steps of event files that are wanted
    pub steps: Option<RangeInclusive<i64>>,
    /// The columns of CSV and TSV files that are wanted, as they are called in the file; all if there are none
    pub columns: Option<Vec<String>>,
    /// How much of CSV files and JSON lines is read, if their columns were decided before
    pub pins: Option<Arc<Pins>>,
}

impl SeriesOptions {
    fn is_wanted(&self, column: &str) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.iter().any(|wanted| wanted == column))
            && (self.result.columns.matches(column) || self.result.columns.matches(&escape(column)))
    }

    fn size(&self, path: &Path) -> Result<Option<u64>> {
        self.pins.as_ref().map(|pins| pins.size(path)).transpose()
    }
}

/// Rows of a file.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time is handed on, and none is kept in a list")]
pub enum Rows {
    /// Scalars of a run directory of `TensorBoard`
    Points(Points),
    /// Values of measures
    Measures(Measures),
    /// Rows of a CSV or TSV file
    Table(Table),
    /// JSON objects, and what they point into
    Records(Store, Vec<Record>),
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Points(points) => points.len(),
            Self::Measures(measures) => measures.len(),
            Self::Table(table) => table.rows,
            Self::Records(_, records) => records.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Rows of one file of a job.
#[derive(Debug)]
pub struct SeriesBatch<'n> {
    /// The file or, for `TensorBoard`, its directory, below the job's directory
    pub file: &'n str,
    /// Whether the job has several such files
    pub is_one_of_several: bool,
    /// The rows
    pub rows: Rows,
}

/// What became of the file or files of a job.
#[derive(Debug)]
pub struct SeriesEnd {
    /// The state, as for [`super::JobResult`]; several files are read all the same
    pub state: FileState,
    /// Every loss, with file, line and job
    pub errors: Vec<Error>,
}

/// Reads all rows of a job. `on_batch` gets them in the order in which they were written, a few thousand at a time (event files
/// and trec text: all of a run directory or file), and stops the reading by [`ControlFlow::Break`].
pub fn read_series(
    job: &ResultJob,
    options: &SeriesOptions,
    cancel: &CancelToken,
    on_batch: &mut dyn FnMut(SeriesBatch<'_>) -> ControlFlow<()>,
) -> SeriesEnd {
    let located = locate(&job.directory, &job.target);
    if options.result.reader.is_some() {
        return read_user_series(&located, job, options, on_batch);
    }
    let mut errors: Vec<Error> = located.errors.into_iter().map(|error| error.at_job(&job.job_id)).collect();
    if let Some(state) = located.state {
        return SeriesEnd { state, errors };
    }
    let is_one_of_several = located.entries.len() > 1;
    let mut states = Vec::with_capacity(located.entries.len());
    let mut is_done = false;
    for entry in &located.entries {
        if is_done || cancel.is_cancelled() {
            break;
        }
        let mut hand_on = |rows: Rows| {
            if !rows.is_empty() && !is_done {
                is_done = on_batch(SeriesBatch { file: entry.name(), is_one_of_several, rows }).is_break();
            }
            !is_done
        };
        match read_entry(entry, job, options, cancel, &mut hand_on) {
            Ok(end) => {
                states.push(end.state);
                errors.extend(end.errors);
            }
            Err(error) => {
                let path = entry.files().first().map_or(job.directory.as_path(), AsRef::as_ref);
                states.push(FileState::Unreadable);
                errors.push(error.at_file(path).at_job(&job.job_id));
            }
        }
    }
    let state = match states[..] {
        [state] => state,
        _ => FileState::Several,
    };
    SeriesEnd { state, errors }
}

/// The rows that the function of the user makes of the file of a job.
fn read_user_series(
    located: &Located,
    job: &ResultJob,
    options: &SeriesOptions,
    on_batch: &mut dyn FnMut(SeriesBatch<'_>) -> ControlFlow<()>,
) -> SeriesEnd {
    let Some(reader) = &options.result.reader else {
        return SeriesEnd { state: FileState::None, errors: Vec::new() };
    };
    let mut store = Store::default();
    let mut read = read_user_rows(reader.as_ref(), located, &job.job_id, &mut store);
    if !read.records.is_empty() {
        let (rows, errors) = shaped(store, read.records, options);
        let path = located.path.as_deref().unwrap_or(&job.directory);
        read.errors.extend(errors.into_iter().map(|error| error.at_file(path).at_job(&job.job_id)));
        let file = located.entries.first().map_or("", Entry::name);
        let _ = on_batch(SeriesBatch { file, is_one_of_several: false, rows });
    }
    SeriesEnd { state: read.state, errors: read.errors }
}

/// Records with the keys that are wanted; as a table if the user knows their types.
fn shaped(mut store: Store, mut records: Vec<Record>, options: &SeriesOptions) -> (Rows, Vec<Error>) {
    if let Some(schema) = &options.result.schema {
        let (mut table, errors) = schema.table(&store, &records);
        table.columns.retain(|column| options.is_wanted(&column.name));
        return (Rows::Table(table), errors);
    }
    if !options.result.columns.is_all() {
        for record in &mut records {
            *record = wanted_entries(&mut store, *record, &options.result.columns);
        }
    }
    (Rows::Records(store, records), Vec::new())
}

fn read_entry(
    entry: &Entry,
    job: &ResultJob,
    options: &SeriesOptions,
    cancel: &CancelToken,
    hand_on: &mut dyn FnMut(Rows) -> bool,
) -> Result<SeriesEnd> {
    let path = match entry {
        Entry::Board(_) => None,
        Entry::File { path, .. } => Some(path),
    };
    let format = match path {
        None => Some(Format::TensorBoard),
        Some(path) => format_of(path, options.result.format)?,
    };
    let (state, problems) = match (format, path) {
        (Some(Format::TensorBoard), _) | (_, None) => {
            let metrics = options.result.wanted_metrics();
            let filter = BoardFilter { metrics, decides: None, steps: options.steps.clone() };
            let board = read_board(entry.files(), &filter, &job.job_id, cancel);
            hand_on(Rows::Points(board.points));
            return Ok(SeriesEnd { state: board.state, errors: board.errors });
        }
        (None, _) => return Ok(SeriesEnd { state: FileState::Empty, errors: Vec::new() }),
        (Some(format @ (Format::Csv | Format::Tsv)), Some(path)) => {
            return read_table(path, format, job, options, cancel, hand_on);
        }
        (Some(format @ (Format::Json | Format::JsonLines)), Some(path)) => {
            let mut misfits = Vec::new();
            let mut on_rows = |store, records| {
                let (rows, errors) = shaped(store, records, options);
                misfits.extend(errors);
                hand_on(rows)
            };
            let is_lines = format == Format::JsonLines;
            let read = documents::read_rows(path, options.size(path)?, is_lines, &mut on_rows, cancel)?;
            let mut problems = read.problems;
            problems.extend(misfits);
            (read.state, problems)
        }
        (Some(Format::Trec), Some(path)) => {
            let (read, measures) = trec::read_measures(path, &options.result.wanted_metrics(), cancel)?;
            hand_on(Rows::Measures(measures));
            (read.state, read.problems)
        }
    };
    Ok(SeriesEnd { state, errors: problems.finish(&job.job_id) })
}

/// The rows of a CSV or TSV file: the types first, unless the user knows them, then the columns, block by block.
fn read_table(
    path: &Path,
    format: Format,
    job: &ResultJob,
    options: &SeriesOptions,
    cancel: &CancelToken,
    hand_on: &mut dyn FnMut(Rows) -> bool,
) -> Result<SeriesEnd> {
    let mut file = CsvFile::open(path, options.size(path)?, (format, &options.result.csv), cancel)?;
    let mut misfits = Vec::new();
    if let Some(schema) = &options.result.schema {
        while file.next_block()? {
            let (table, errors) = typed_table(&file, schema, |name| options.is_wanted(name));
            misfits.extend(errors);
            if !hand_on(Rows::Table(table)) {
                break;
            }
        }
    } else {
        let types = scan(&mut file, None)?.types;
        file = file.rewound(cancel)?;
        while file.next_block()? {
            if !hand_on(Rows::Table(table(&file, &types, |name| options.is_wanted(name)))) {
                break;
            }
        }
    }
    let state = file.state();
    let mut problems = file.into_problems();
    problems.extend(misfits);
    Ok(SeriesEnd { state, errors: problems.finish(&job.job_id) })
}
