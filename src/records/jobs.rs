//! The state and the times of a job.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use ahash::HashMap;
use once_cell::sync::OnceCell;

use super::ending::JobEnding;
use super::events::LastEvent;
use super::evidence::Evidence;
use super::job_dirs::JobDirectories;
use super::job_files::{JobFiles, JobKey, StatusFile, name_job};
use super::markers::{Failure, Marker, Markers, markers, read_failure};
use super::moment::Moment;
use super::offsets::{JobClock, Offsets};
use super::rows::{JobRows, first_submission};
use super::run::RunRecord;
use super::state::{FAILED, State, StateWord};
use super::unusual::ended_before_start;
use super::{alive, events};
use crate::error::{Error, quoted};
use crate::file;
use crate::threads;
use crate::workspace::Run;

/// What is known of the execution of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// How far it came
    pub state: State,
    /// Why it failed, in upper case: `FAILED` (also where no file says more), `DEPENDENCY`, `TIMEOUT`,
    /// `CANCELLED`, `MEMORY` …; there exactly when the state is an error
    pub failure: Option<String>,
    /// What the job said when it failed
    pub message: Option<String>,
    /// When it was submitted: only 2.0.x writes it here, `jobs.jsonl` has it always
    pub submitted_at: Option<Moment>,
    /// When it began to run, nothing if it never did
    pub started_at: Option<Moment>,
    /// When it ended, nothing unless it did
    pub ended_at: Option<Moment>,
    /// The exit code of its marker file of failure, if that is a number
    pub exit_code: Option<i64>,
    /// How many times it was run again
    pub retry_count: Option<u64>,
}

/// How far a job came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// Its state
    pub state: State,
    /// Why it failed, in upper case; there exactly when the state is an error
    pub failure: Option<String>,
    /// Whether it has a marker of success
    pub is_marked_done: bool,
    /// When that was written, in microseconds since 1970 UTC, if that was learnt
    pub done_at: Option<i64>,
}

impl JobStatus {
    /// A state of which nothing more is asked.
    #[must_use]
    pub fn of(state: State, failure: Option<String>) -> Self {
        Self {
            state,
            failure,
            message: None,
            submitted_at: None,
            started_at: None,
            ended_at: None,
            exit_code: None,
            retry_count: None,
        }
    }
}

/// What was read of the run for other purposes.
#[derive(Debug)]
struct Shared<'a> {
    offsets: &'a OnceCell<Offsets>,
    rows: &'a JobRows,
}

/// The states of the jobs of one run. Opened once; may be asked from several threads. Each `jobs/<task>/` is
/// listed at most once and the run's events are read at most once, only when a job needs them.
#[derive(Debug)]
pub struct JobStatuses<'a> {
    run: &'a Run,
    record: &'a RunRecord,
    directories: JobDirectories,
    events: OnceLock<HashMap<String, LastEvent>>,
    any_driver: OnceLock<Option<bool>>,
    offsets: OnceCell<Offsets>,
    shared: Option<Shared<'a>>,
    /// Whether the job that was looked at last was done
    was_done: AtomicBool,
}

/// The decision on one job, and what it was made from.
struct Decision {
    word: StateWord,
    failure: Failure,
    /// When the marker that says how the job ended was written, if times are wanted or that was learnt anyway
    ended: Option<SystemTime>,
}

impl<'a> JobStatuses<'a> {
    /// Prepares for the jobs of `run`. Reads nothing yet.
    #[must_use]
    pub fn open(run: &'a Run, record: &'a RunRecord) -> Self {
        Self {
            run,
            record,
            directories: JobDirectories::default(),
            events: OnceLock::new(),
            any_driver: OnceLock::new(),
            offsets: OnceCell::new(),
            shared: None,
            was_done: AtomicBool::new(true),
        }
    }

    /// Shares what was read of the run for other purposes: the offsets of its clock and its rows.
    #[must_use]
    pub fn sharing(self, offsets: &'a OnceCell<Offsets>, rows: &'a JobRows) -> Self {
        Self { shared: Some(Shared { offsets, rows }), ..self }
    }

    /// Asks about many jobs, on several threads, on many if the file system `is_slow`; what `ask` says of each, in order, in the
    /// shares in which threads asked, and what is wrong with their files.
    pub fn each_in_shares<J: Sync, R: Send>(
        jobs: &[J],
        is_slow: bool,
        ask: impl Fn(&J, &mut Vec<Error>) -> R + Sync,
    ) -> (Vec<Vec<R>>, Vec<Error>) {
        let wrong: Mutex<Vec<(usize, Vec<Error>)>> = Mutex::default();
        let answers = threads::shares_waiting_at(jobs, is_slow, |position, job| {
            let mut errors = Vec::new();
            let answer = ask(job, &mut errors);
            if !errors.is_empty() {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push((position, errors));
            }
            answer
        });
        let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
        wrong.sort_unstable_by_key(|&(position, _)| position);
        (answers, wrong.into_iter().flat_map(|(_, errors)| errors).collect())
    }

    /// The key of a job of the run; `listed` is its position in the states that the run recorded, if that is known.
    #[must_use]
    pub fn key<'j>(&'j self, task_id: &'j str, job_id: &'j str, listed: Option<usize>) -> JobKey<'j> {
        let states = &self.record.job_states;
        let recorded = listed.map_or_else(|| states.state(job_id), |position| states.state_at(position));
        JobKey { recorded, ..JobKey::new(task_id, job_id) }
    }

    /// The state of a job with the reason of its failure, without the times: opens the fewest files. Wrong
    /// files are told in `errors`.
    pub fn state(&self, job: JobKey<'_>, errors: &mut Vec<Error>) -> JobState {
        let mut files = self.files(job, errors);
        let Decision { word, .. } = self.decide(&mut files, false, errors);
        let done = files.markers.done;
        let written = done.as_ref().and_then(Marker::written_if_known);
        let done_at = written.and_then(Moment::from_system).and_then(Moment::utc);
        JobState { state: word.state, failure: word.reason, is_marked_done: done.is_some(), done_at }
    }

    /// How a job ended, without the times. Wrong files are told in `errors`.
    pub fn ending(&self, job: JobKey<'_>, errors: &mut Vec<Error>) -> JobEnding {
        let mut files = self.files(job, errors);
        let Decision { word, failure, .. } = self.decide(&mut files, false, errors);
        let JobFiles { directory, markers, .. } = files;
        JobEnding {
            state: word.state,
            reason: word.reason,
            message: failure.message,
            exit: failure.exit,
            is_marked: markers.failed.is_some(),
            has_pid: markers.pid().is_some(),
            directory,
        }
    }

    /// Everything known of the execution of a job. Wrong files are told in `errors`.
    pub fn job(&self, job: JobKey<'_>, errors: &mut Vec<Error>) -> JobStatus {
        self.status(&mut self.files(job, errors), errors)
    }

    /// Everything known of the execution of a job, with what its files say side by side.
    pub fn evidence(&self, job: JobKey<'_>, errors: &mut Vec<Error>) -> (JobStatus, Evidence) {
        let mut files = self.files_as(job, Some(false), errors);
        let status = self.status(&mut files, errors);
        let evidence = Evidence::of(&mut files, self.record.job_states.get(job.job_id), errors);
        (status, evidence)
    }

    fn status(&self, files: &mut JobFiles<'_>, errors: &mut Vec<Error>) -> JobStatus {
        let Decision { word, failure, ended } = self.decide(files, true, errors);
        if files.directory.is_none() {
            return JobStatus::of(word.state, word.reason);
        }
        files.status(errors);
        let status = files.status.take().unwrap_or_default();
        let (submitted_at, started_at, ended_at) = self.times((files, &status), &word, ended, errors);
        let retry_count = status.retry_count;
        files.status = Some(status);
        JobStatus {
            state: word.state,
            failure: word.reason,
            message: failure.message,
            submitted_at,
            started_at,
            ended_at,
            exit_code: failure.code,
            retry_count,
        }
    }

    /// When a job was submitted, when it began, and when it ended.
    fn times(
        &self,
        (files, status): (&JobFiles<'_>, &StatusFile),
        word: &StateWord,
        ended: Option<SystemTime>,
        errors: &mut Vec<Error>,
    ) -> (Option<Moment>, Option<Moment>, Option<Moment>) {
        let moment = |text: &Option<String>, field: &str, errors: &mut Vec<Error>| {
            let text = text.as_deref()?;
            let moment = Moment::parse(text);
            if moment.is_none() {
                let wrong = Error::format(format!("{} is not a time", quoted(text)));
                errors.push(wrong.at_file(&files.status_path()).at_job(files.job_id).at_field(field));
            }
            moment
        };
        let submitted_at = moment(&status.submitted_time, "submitted_time", errors)
            .map(|submitted| submitted.ahead_by(self.offsets().nearest(submitted)));
        // 1.x has no status file, but leaves the pid file of the last start behind
        let (mut written_start, mut started_at) = (None, None);
        if files.has_started(errors) {
            written_start = moment(&status.started_time, "started_time", errors);
            let before = errors.len();
            started_at = written_start.or_else(|| files.markers.began(errors).and_then(Moment::from_system));
            name_job(errors, before, files.job_id);
        }
        let mut written_end = None;
        let ended_at = match word.state {
            State::Done | State::Error if ended.is_some() || started_at.is_some() => {
                // a stale file may hold the end of an earlier attempt
                let is_current = status.state().is_some_and(|written| written.state == word.state);
                written_end =
                    if is_current { moment(&status.ended_time, "ended_time", errors) } else { None };
                written_end.or_else(|| ended.and_then(Moment::from_system))
            }
            _ => None,
        };
        let marker = ended.and_then(Moment::from_system);
        let directory = files.directory.as_deref();
        let clock = JobClock { run: self.offsets(), directory, events: status.events_count };
        let (started_at, ended_at) = clock.dated(started_at, ended_at, marker);
        if written_start.is_some() && written_end.is_some() {
            let wrong = ended_before_start(started_at, ended_at);
            errors.extend(wrong.map(|error| error.at_file(&files.status_path()).at_job(files.job_id)));
        }
        (submitted_at, started_at, ended_at)
    }

    /// How far the clock of the driver was ahead of UTC.
    fn offsets(&self) -> &Offsets {
        let offsets = self.shared.as_ref().map_or(&self.offsets, |shared| shared.offsets);
        let rows = self.shared.as_ref().map(|shared| shared.rows);
        offsets.get_or_init(|| Offsets::of_run(self.run, || first_submission(self.run, rows)))
    }

    /// When the state of a job changed last, in microseconds since 1970 UTC: its last marker; of a job without a marker of its end,
    /// as one that another one kept from starting, also the last event of the run; without both, its status.json.
    #[must_use]
    pub fn changed(&self, job: JobKey<'_>) -> Option<i64> {
        let untold = &mut Vec::new();
        let files = self.files(job, untold);
        let utc = |time: SystemTime| Moment::from_system(time).and_then(Moment::utc);
        if let Some(done) = &files.markers.done {
            return done.written(untold).and_then(utc);
        }
        let failed = files.markers.failed.as_ref().and_then(|marker| marker.written(untold));
        let marked = failed.max(files.markers.began(untold)).and_then(utc);
        if files.markers.failed.is_some() {
            return marked;
        }
        let event = self.last_event(job.job_id, untold).and_then(|event| event.time);
        let written = || utc(fs::metadata(files.status_path()).ok()?.modified().ok()?);
        marked.max(event).or_else(written)
    }

    /// Looks for the directory of a job and its markers in the fewest calls.
    fn files<'j>(&self, job: JobKey<'j>, errors: &mut Vec<Error>) -> JobFiles<'j> {
        self.files_as(job, None, errors)
    }

    /// Looks for the directory of a job and its markers, supposing that it is done or not; without a supposition, that it is as
    /// the run recorded, or as the job that was looked at last.
    fn files_as<'j>(&self, job: JobKey<'j>, is_done: Option<bool>, errors: &mut Vec<Error>) -> JobFiles<'j> {
        let JobKey { task_id, job_id, recorded } = job;
        let mut files = JobFiles::new(job);
        match self.directories.of(self.run.workspace(), task_id, job_id, errors) {
            Ok(Some(directory)) => {
                let before = errors.len();
                let is_probably_done = is_done.unwrap_or_else(|| match recorded.map(|word| word.state) {
                    Some(State::Done) => true,
                    Some(State::Error) => false,
                    _ => self.was_done.load(Ordering::Relaxed),
                });
                files.markers = markers(&directory, task_id, is_probably_done, errors);
                self.was_done.store(files.markers.done.is_some(), Ordering::Relaxed);
                name_job(errors, before, job_id);
                files.directory = Some(directory);
            }
            Ok(None) => {}
            Err(error) => errors.push(error.at_job(job_id)),
        }
        files
    }

    /// Decides by the rules of docs/format.md §8: markers first, unless a driver that is alive has queued the job again since;
    /// then the file that was written last.
    fn decide(&self, files: &mut JobFiles<'_>, with_times: bool, errors: &mut Vec<Error>) -> Decision {
        let before = errors.len();
        let marked = by_markers(&files.markers, with_times, errors);
        name_job(errors, before, files.job_id);
        if let Some(decision) = marked {
            let failed_at = decision.ended.filter(|_| decision.word.is_error());
            let again = failed_at.and_then(|failed| self.queued_again(files, failed, errors));
            return match again {
                Some(state) => Decision {
                    word: StateWord { state, reason: None },
                    failure: Failure::default(),
                    ended: None,
                },
                None => decision,
            };
        }
        let mut word = self.without_markers(files, errors);
        if word.is_error() {
            word.reason.get_or_insert_with(|| FAILED.to_owned());
        } else {
            word.reason = None;
        }
        Decision { word, failure: Failure::default(), ended: None }
    }

    /// The state that the driver of this run, which is alive, gave a failed job after its marker was written: a resumable task
    /// that is tried again, or a job that was submitted again.
    fn queued_again(
        &self,
        files: &JobFiles<'_>,
        failed: SystemTime,
        errors: &mut Vec<Error>,
    ) -> Option<State> {
        if self.record.alive != Some(true) {
            return None;
        }
        let event = self.last_event(files.job_id, errors)?;
        let is_open = event.word.state.is_queued() || event.word.state == State::Running;
        let is_later = event.time? > Moment::from_system(failed)?.utc()?;
        (is_open && is_later).then_some(event.word.state)
    }

    fn without_markers(&self, files: &mut JobFiles<'_>, errors: &mut Vec<Error>) -> StateWord {
        let word = |state| StateWord { state, reason: None };
        if files.directory.is_none() && files.recorded.is_some_and(|recorded| recorded.state == State::Done) {
            // a transient job whose directory was removed after its success
            return word(State::Done);
        }
        let recorded = files.recorded.cloned();
        let is_alive = self.record.alive == Some(true);
        let last =
            |errors: &mut Vec<Error>| self.last_event(files.job_id, errors).map(|event| event.word.clone());
        if is_alive && let Some(now) = last(errors).filter(|word| !word.is_error()) {
            // what the job's own files say of an error is then of an earlier run
            let runs = files.markers.pid().is_some() || now.state == State::Running;
            return if runs { word(State::Running) } else { now };
        }
        if let Some(error) = files.status(errors).error() {
            return error;
        }
        if let Some(error) =
            recorded.clone().filter(|recorded| recorded.is_error() && recorded.reason.is_some())
        {
            return error;
        }
        let event = last(errors);
        if let Some(error) = [&event, &recorded].into_iter().flatten().find(|word| word.is_error()) {
            return StateWord::error(error.reason.as_deref());
        }
        let status = files.status(errors);
        let sources = [event, status.scheduler_state(), status.state(), recorded];
        let says = |wanted: State| sources.iter().flatten().any(|word| word.state == wanted);
        if says(State::Done) && files.markers.pid().is_none() {
            return word(State::Done);
        }
        if files.markers.pid().is_some() || says(State::Running) {
            return word(if self.is_left(files, errors) { State::Lost } else { State::Running });
        }
        let recorded_state = sources.into_iter().flatten().find(|word| word.state != State::Unscheduled);
        match recorded_state {
            // nobody is left to start it
            Some(recorded_state) if recorded_state.state.is_queued() && self.record.alive == Some(false) => {
                word(State::Lost)
            }
            recorded_state => recorded_state.unwrap_or_else(|| word(State::Unscheduled)),
        }
    }

    /// Whether nobody is there to see the job end. Runs share the directories of jobs: one that an earlier run lost may be run
    /// by the driver of a later one, which leaves a pid file again.
    fn is_left(&self, files: &JobFiles<'_>, errors: &mut Vec<Error>) -> bool {
        let mut by_another = || {
            files.markers.pid().is_some()
                && *self.any_driver.get_or_init(|| alive::any_driver(self.run, errors)) == Some(true)
        };
        self.record.alive == Some(false) && !by_another()
    }

    /// The last state that the scheduler of this run gave the job.
    fn last_event(&self, job_id: &str, errors: &mut Vec<Error>) -> Option<&LastEvent> {
        self.events.get_or_init(|| events::job_states(self.run, &self.record.run_id, errors)).get(job_id)
    }
}

fn by_markers(markers: &Markers, with_times: bool, errors: &mut Vec<Error>) -> Option<Decision> {
    let done =
        |failure, ended| Decision { word: StateWord { state: State::Done, reason: None }, failure, ended };
    if let Some(marker) = &markers.done {
        let ended = if with_times { marker.written(errors) } else { None };
        return Some(done(Failure::default(), ended));
    }
    let marker = markers.failed.as_ref()?;
    let read = file::read_listed(&marker.file).unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    let ended = match &read {
        Some((_, metadata)) => metadata.modified().ok(),
        None => marker.written(errors),
    };
    let failure = read_failure(&read.map(|(bytes, _)| bytes).unwrap_or_default());
    if failure.code == Some(0) && failure.reason.is_none() {
        return Some(done(failure, ended));
    }
    let mut word = StateWord::error(failure.reason.as_deref());
    word.reason.get_or_insert_with(|| FAILED.to_owned());
    Some(Decision { word, failure, ended })
}
