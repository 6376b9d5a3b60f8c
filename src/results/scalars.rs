//! The results of jobs, one record a job.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::board::{BoardFilter, Points, ambiguous, read_board};
use super::csv::{CsvFile, CsvOptions, record, scan};
use super::documents;
use super::file_schema::FileSchema;
use super::format::{Format, looks_like_trec, unknown};
use super::locate::{Entry, Located, RunDirectory, Target, locate};
use super::problems::Problems;
use super::select::{Select, names};
use super::state::FileState;
use super::trec;
use super::user_format::{FileReader, chosen, read_user_rows};
use super::wanted::{Patterns, wanted_entries};
use crate::error::{Error, Result};
use crate::file;
use crate::progress::CancelToken;
use crate::threads;
use crate::values::{Record, Store, Value};

/// How the files of a handle are read, where their names do not say it.
#[derive(Debug, Clone, Default)]
pub struct ResultOptions {
    /// Their format, if their names do not say it
    pub format: Option<Format>,
    /// The function of the user that reads them, if their format is none of ours
    pub reader: Option<Arc<dyn FileReader>>,
    /// The row that is the job's result
    pub select: Select,
    /// How CSV and TSV files are written
    pub csv: CsvOptions,
    /// The metrics of event files and measures of trec text that are wanted
    pub metrics: Patterns,
    /// The columns, keys, metrics and measures that are wanted
    pub columns: Patterns,
    /// The columns of CSV files and JSON lines, if the user knows their types
    pub schema: Option<FileSchema>,
}

impl ResultOptions {
    /// The metrics of event files and measures of trec text that are wanted.
    pub(super) fn wanted_metrics(&self) -> Patterns {
        self.metrics.and(&self.columns)
    }
}

/// A job, and what a handle means for it.
#[derive(Debug, Clone)]
pub struct ResultJob {
    /// Its identifier, for errors
    pub job_id: String,
    /// Its directory
    pub directory: PathBuf,
    /// What the handle means
    pub target: Target,
}

/// What was read of one job.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// Its names and values in the store of [`Scalars`]; nothing where the state says why. Dicts nest as in the file
    pub record: Option<Record>,
    /// What became of the file
    pub state: FileState,
    /// The file, or the directory that it was looked for in
    pub path: Option<PathBuf>,
}

/// The results of some jobs, in their order.
#[derive(Debug, Default)]
pub struct Scalars {
    /// What the records point into
    pub store: Store,
    /// One a job
    pub jobs: Vec<JobResult>,
    /// Every loss, with file, line and job
    pub errors: Vec<Error>,
}

/// How many jobs one thread takes together.
const JOBS_TOGETHER: u32 = 16;
/// How much of a file of unknown name is looked at.
const SNIFFED: u64 = 1 << 16;

/// Reads the result of each job, on several threads. After a cancellation what comes back is not whole and to be thrown away.
#[must_use]
pub fn read_scalars(
    jobs: &[ResultJob],
    options: &ResultOptions,
    most_threads: usize,
    cancel: &CancelToken,
) -> Scalars {
    let chunks: Vec<&[ResultJob]> = jobs.chunks(JOBS_TOGETHER as usize).collect();
    let pace = (threads::at_most(most_threads), JOBS_TOGETHER);
    let read = threads::each_waiting_group(&chunks, pace, |jobs| {
        let mut scalars = Scalars::default();
        for job in jobs {
            if cancel.is_cancelled() {
                break;
            }
            scalars.read(job, options, cancel);
        }
        scalars
    });
    let mut all = Scalars::default();
    for scalars in read {
        all.append(scalars);
    }
    all
}

/// What one file or run directory gave.
struct Outcome {
    record: Option<Record>,
    state: FileState,
    errors: Vec<Error>,
}

impl Scalars {
    fn append(&mut self, other: Self) {
        if self.jobs.is_empty() {
            *self = other;
            return;
        }
        let moved = self.store.append(other.store, 0, |_| Value::Null);
        let renamed =
            |job: JobResult| JobResult { record: job.record.map(|record| moved.record(record)), ..job };
        self.jobs.extend(other.jobs.into_iter().map(renamed));
        self.errors.extend(other.errors);
    }

    fn read(&mut self, job: &ResultJob, options: &ResultOptions, cancel: &CancelToken) {
        let located = locate(&job.directory, &job.target);
        if options.reader.is_none() {
            self.errors.extend(located.errors.iter().map(|error| error.clone().at_job(&job.job_id)));
        }
        let boards: Vec<&RunDirectory> = located
            .entries
            .iter()
            .filter_map(|entry| if let Entry::Board(run) = entry { Some(run) } else { None })
            .collect();
        let outcome = match (&located.entries[..], located.state) {
            _ if options.reader.is_some() => self.user_rows(&located, job, options),
            (_, Some(state)) => Outcome { record: None, state, errors: Vec::new() },
            ([Entry::File { path, .. }], None) => self.file(path, job, options, cancel),
            (entries, None) if entries.len() == boards.len() => self.boards(&boards, job, options, cancel),
            (entries, None) => several(entries, job),
        };
        self.errors.extend(outcome.errors);
        self.jobs.push(JobResult { record: outcome.record, state: outcome.state, path: located.path });
    }

    /// What the function of the user makes of a file: the keys that are wanted of the row that is chosen.
    fn user_rows(&mut self, located: &Located, job: &ResultJob, options: &ResultOptions) -> Outcome {
        let Some(reader) = &options.reader else {
            return Outcome { record: None, state: FileState::None, errors: Vec::new() };
        };
        let rows = read_user_rows(reader.as_ref(), located, &job.job_id, &mut self.store);
        let mut outcome = Outcome { record: None, state: rows.state, errors: rows.errors };
        outcome.record = chosen(&self.store, &rows.records, &options.select);
        let Some(path) = &located.path else { return outcome };
        if let (None, FileState::Read) = (outcome.record, rows.state) {
            outcome.errors.extend(no_number(options, path, job));
        }
        self.trim(outcome, path, job, options)
    }

    /// Leaves the keys of a record that are wanted, with the types that the user knows.
    fn trim(
        &mut self,
        mut outcome: Outcome,
        path: &Path,
        job: &ResultJob,
        options: &ResultOptions,
    ) -> Outcome {
        outcome.record = outcome.record.map(|record| {
            let record = wanted_entries(&mut self.store, record, &options.columns);
            let Some(schema) = &options.schema else { return record };
            let (record, errors) = schema.record(&mut self.store, record);
            outcome.errors.extend(errors.into_iter().map(|error| error.at_file(path).at_job(&job.job_id)));
            record
        });
        outcome
    }

    fn file(
        &mut self,
        path: &Path,
        job: &ResultJob,
        options: &ResultOptions,
        cancel: &CancelToken,
    ) -> Outcome {
        let mark = self.store.mark();
        self.read_file(path, job, options, cancel).unwrap_or_else(|error| {
            self.store.rewind(mark);
            let error = error.at_file(path).at_job(&job.job_id);
            Outcome { record: None, state: FileState::Unreadable, errors: vec![error] }
        })
    }

    fn read_file(
        &mut self,
        path: &Path,
        job: &ResultJob,
        options: &ResultOptions,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let (record, state, problems) = match format_of(path, options.format)? {
            None => (None, FileState::Empty, Problems::of(path)),
            Some(format @ (Format::Csv | Format::Tsv)) => {
                let mut file = CsvFile::open(path, None, (format, &options.csv), cancel)?;
                let scan = scan(&mut file, Some(&options.select))?;
                let record = record(&file, &scan, options.schema.as_ref(), &mut self.store);
                (record, file.state(), file.into_problems())
            }
            Some(Format::Json) => {
                let read = documents::read_document(path, &options.select, &mut self.store, cancel)?;
                (read.record, read.state, read.problems)
            }
            Some(Format::JsonLines) => {
                let read = documents::read_line(path, &options.select, &mut self.store, cancel)?;
                (read.record, read.state, read.problems)
            }
            Some(Format::Trec) => {
                let (read, record) =
                    trec::read_all(path, &options.wanted_metrics(), &mut self.store, cancel)?;
                (record, read.state, read.problems)
            }
            Some(Format::TensorBoard) => {
                let run = RunDirectory { name: String::new(), files: vec![path.to_path_buf()] };
                return Ok(self.boards(&[&run], job, options, cancel));
            }
        };
        let mut errors = problems.finish(&job.job_id);
        if let (None, FileState::Read) = (record, state) {
            errors.extend(no_number(options, path, job));
        }
        Ok(self.trim(Outcome { record, state, errors }, path, job, options))
    }

    /// The metrics of the run directories of a job: what several of them have is null.
    fn boards(
        &mut self,
        runs: &[&RunDirectory],
        job: &ResultJob,
        options: &ResultOptions,
        cancel: &CancelToken,
    ) -> Outcome {
        let wanted = options.wanted_metrics();
        let decides = options.select.column().map(str::to_owned);
        let filter = BoardFilter { metrics: wanted.clone(), decides, steps: None };
        let boards: Vec<_> =
            runs.iter().map(|run| read_board(&run.files, &filter, &job.job_id, cancel)).collect();
        let mut errors: Vec<Error> = Vec::new();
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let mut is_ambiguous = false;
        let mut has_column = options.select.column().is_none();
        for (position, board) in boards.iter().enumerate() {
            let chosen = board.points.chosen(&options.select);
            for (name, row) in board.points.names.iter().zip(chosen) {
                has_column |= options.select.column().is_some_and(|column| names(name, column));
                let has_it = |points: &Points| points.names.contains(name);
                if boards[..position].iter().any(|earlier| has_it(&earlier.points)) || !wanted.matches(name) {
                    continue;
                }
                let holders: Vec<&str> = boards
                    .iter()
                    .zip(runs)
                    .filter(|(board, _)| has_it(&board.points))
                    .map(|(_, run)| run.name.as_str())
                    .collect();
                keys.push(self.store.intern(name.as_bytes()));
                if holders.len() > 1 {
                    is_ambiguous = true;
                    errors.push(ambiguous(name, &holders, &job.job_id));
                    values.push(Value::Null);
                } else {
                    values.push(row.map_or(Value::Null, |row| Value::Float(board.points.value[row])));
                }
            }
        }
        let state = state_of(boards.iter().map(|board| board.state), is_ambiguous);
        for board in boards {
            errors.extend(board.errors);
        }
        let is_used = !matches!(state, FileState::Empty | FileState::Unreadable);
        if let (true, false, Some(column)) = (is_used, has_column, options.select.column()) {
            let reason = format!("no metric {} to choose the step by", crate::error::quoted(column));
            let error = Error::format(reason).at_job(&job.job_id);
            let file = runs.first().and_then(|run| run.files.first());
            errors.push(match file {
                Some(file) => error.at_file(file),
                None => error,
            });
        }
        let record = is_used.then(|| self.store.push_record(&keys, &values));
        Outcome { record, state, errors }
    }
}

/// The error of a file in which the column of `max=` or `min=` has no number, if one decides.
fn no_number(options: &ResultOptions, path: &Path, job: &ResultJob) -> Option<Error> {
    let column = options.select.column()?;
    let reason = format!("no row has a number in {}", crate::error::quoted(column));
    Some(Error::format(reason).at_file(path).at_job(&job.job_id))
}

/// The state of a job with some run directories.
fn state_of(states: impl Iterator<Item = FileState>, is_ambiguous: bool) -> FileState {
    let states: Vec<FileState> = states.collect();
    let some = |state| states.contains(&state);
    if is_ambiguous {
        FileState::Several
    } else if some(FileState::Cut) || (some(FileState::Unreadable) && some(FileState::Read)) {
        FileState::Cut
    } else if some(FileState::Read) {
        FileState::Read
    } else if some(FileState::Unreadable) {
        FileState::Unreadable
    } else {
        FileState::Empty
    }
}

/// A job with several files where one was expected: none of them is its result.
fn several(entries: &[Entry], job: &ResultJob) -> Outcome {
    let shown: Vec<&str> = entries.iter().take(3).map(Entry::name).collect();
    let error = Error::format(format!("{} files fit the pattern: {}", entries.len(), shown.join(", ")))
        .at_file(&job.directory)
        .at_job(&job.job_id)
        .hint("give a pattern that one of them fits");
    Outcome { record: None, state: FileState::Several, errors: vec![error] }
}

/// The format of a file; nothing if it has no content that could tell.
///
/// # Errors
/// `Io`; `Format`: neither its name nor its content tells.
pub(super) fn format_of(path: &Path, format: Option<Format>) -> Result<Option<Format>> {
    let name = path.file_name().map(std::ffi::OsStr::to_string_lossy).unwrap_or_default();
    if let Some(format) = format.or_else(|| Format::of_name(&name)) {
        return Ok(Some(format));
    }
    let mut beginning = file::head(path, SNIFFED)?;
    if beginning.trim_ascii().is_empty() && (beginning.len() as u64) < SNIFFED {
        return Ok(None);
    }
    if beginning.len() as u64 == SNIFFED {
        // the last line may go on behind
        let end = memchr::memrchr(b'\n', &beginning).unwrap_or(beginning.len());
        beginning.truncate(end);
    }
    if looks_like_trec(&beginning) { Ok(Some(Format::Trec)) } else { Err(unknown(&name, &beginning)) }
}
