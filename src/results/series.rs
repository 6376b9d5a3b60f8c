//! The rows that one job wrote, some at a time.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

use super::board::{BoardFilter, Points, read_board};
use super::csv::{CsvFile, scan};
use super::documents;
use super::format::Format;
use super::locate::{Entry, locate};
use super::scalars::{ResultJob, ResultOptions, format_of};
use super::state::FileState;
use super::table::{Table, table};
use super::trec::{self, Measures};
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
        let (file, path) = match entry {
            Entry::Board(run) => (&run.name, run.files.first().map(AsRef::as_ref)),
            Entry::File { path, name } => (name, Some(path.as_path())),
        };
        let mut hand_on = |rows: Rows| {
            if !rows.is_empty() && !is_done {
                is_done = on_batch(SeriesBatch { file, is_one_of_several, rows }).is_break();
            }
            !is_done
        };
        let read = read_entry(entry, job, options, cancel, &mut hand_on);
        match read {
            Ok(end) => {
                states.push(end.state);
                errors.extend(end.errors);
            }
            Err(error) => {
                states.push(FileState::Unreadable);
                errors.push(error.at_file(path.unwrap_or(&job.directory)).at_job(&job.job_id));
            }
        }
    }
    let state = match states[..] {
        [state] => state,
        _ => FileState::Several,
    };
    SeriesEnd { state, errors }
}

fn read_entry(
    entry: &Entry,
    job: &ResultJob,
    options: &SeriesOptions,
    cancel: &CancelToken,
    hand_on: &mut dyn FnMut(Rows) -> bool,
) -> Result<SeriesEnd> {
    let (files, path) = match entry {
        Entry::Board(run) => (run.files.clone(), None),
        Entry::File { path, .. } => (vec![path.clone()], Some(path)),
    };
    let format = match path {
        None => Some(Format::TensorBoard),
        Some(path) => format_of(path, options.result.format)?,
    };
    let (state, problems) = match (format, path) {
        (Some(Format::TensorBoard), _) | (_, None) => {
            let filter =
                BoardFilter { metrics: options.result.metrics.clone(), steps: options.steps.clone() };
            let board = read_board(&files, &filter, &job.job_id, cancel);
            hand_on(Rows::Points(board.points));
            return Ok(SeriesEnd { state: board.state, errors: board.errors });
        }
        (None, _) => return Ok(SeriesEnd { state: FileState::Empty, errors: Vec::new() }),
        (Some(format @ (Format::Csv | Format::Tsv)), Some(path)) => {
            return read_table(path, format, job, options, cancel, hand_on);
        }
        (Some(format @ (Format::Json | Format::JsonLines)), Some(path)) => {
            let mut on_rows = |store, records| hand_on(Rows::Records(store, records));
            let read = documents::read_rows(path, format == Format::JsonLines, &mut on_rows, cancel)?;
            (read.state, read.problems)
        }
        (Some(Format::Trec), Some(path)) => {
            let (read, measures) = trec::read_measures(path, &options.result.metrics, cancel)?;
            hand_on(Rows::Measures(measures));
            (read.state, read.problems)
        }
    };
    Ok(SeriesEnd { state, errors: problems.finish(&job.job_id) })
}

/// The rows of a CSV or TSV file: the types first, then the columns, block by block.
fn read_table(
    path: &Path,
    format: Format,
    job: &ResultJob,
    options: &SeriesOptions,
    cancel: &CancelToken,
    hand_on: &mut dyn FnMut(Rows) -> bool,
) -> Result<SeriesEnd> {
    let mut file = CsvFile::open(path, None, (format, &options.result.csv), cancel)?;
    let types = scan(&mut file, None)?.types;
    let mut file = file.rewound(cancel)?;
    while file.next_block()? {
        if !hand_on(Rows::Table(table(&file, &types, options.columns.as_deref()))) {
            break;
        }
    }
    Ok(SeriesEnd { state: file.state(), errors: file.into_problems().finish(&job.job_id) })
}
