//! The state and the times of a job.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use ahash::{HashMap, HashSet};
use serde::Deserialize;

use super::ending::JobEnding;
use super::events::LastEvent;
use super::json_file::read_json;
use super::markers::{Failure, Markers, markers, read_failure};
use super::moment::Moment;
use super::offsets::{JobClock, Offsets};
use super::rows::first_submission;
use super::run::RunRecord;
use super::state::{FAILED, State, StateWord};
use super::unusual::ended_before_start;
use super::{alive, events};
use crate::error::{Error, quoted};
use crate::file;
use crate::threads;
use crate::workspace::{Run, plain};

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

/// The states of the jobs of one run. Opened once; may be asked from several threads. Each `jobs/<task>/` is
/// listed at most once and the run's events are read at most once, only when a job needs them.
#[derive(Debug)]
pub struct JobStatuses<'a> {
    run: &'a Run,
    record: &'a RunRecord,
    listings: RwLock<HashMap<String, Listing>>,
    events: OnceLock<HashMap<String, LastEvent>>,
    any_driver: OnceLock<Option<bool>>,
    offsets: OnceLock<Offsets>,
}

/// The job directories of a task; nothing when they cannot be listed, so that each has to be looked for.
type Listing = Option<HashSet<String>>;

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusFile {
    state: Option<String>,
    failure_reason: Option<String>,
    scheduler_state: Option<String>,
    scheduler_failure_reason: Option<String>,
    submitted_time: Option<String>,
    started_time: Option<String>,
    ended_time: Option<String>,
    retry_count: Option<u64>,
    events_count: Option<u64>,
}

impl StatusFile {
    fn state(&self) -> Option<StateWord> {
        StateWord::read(self.state.as_deref()?, self.failure_reason.as_deref())
    }

    fn scheduler_state(&self) -> Option<StateWord> {
        StateWord::read(self.scheduler_state.as_deref()?, self.scheduler_failure_reason.as_deref())
    }

    fn error(&self) -> Option<StateWord> {
        self.scheduler_state()
            .filter(StateWord::is_error)
            .or_else(|| self.state().filter(StateWord::is_error))
    }
}

/// The decision on one job, and what it was made from.
struct Decision {
    word: StateWord,
    failure: Failure,
    /// The marker that says how the job ended
    ended: Option<SystemTime>,
}

/// One job being looked at.
struct Look<'a> {
    job_id: &'a str,
    /// Nothing when there is no directory, so that nothing is looked for
    directory: Option<PathBuf>,
    markers: Markers,
    /// Read when first needed
    status: Option<StatusFile>,
}

impl Look<'_> {
    fn status(&mut self, errors: &mut Vec<Error>) -> &StatusFile {
        self.status.get_or_insert_with(|| {
            let before = errors.len();
            let file = self.directory.as_ref().map(|directory| directory.join(".experimaestro/status.json"));
            let status = file.and_then(|file| read_json(&file, errors)).unwrap_or_default();
            name_job(errors, before, self.job_id);
            status
        })
    }
}

/// Fewer jobs than that are looked at faster by one thread.
const WORTH_A_THREAD: usize = 256;

impl<'a> JobStatuses<'a> {
    /// Prepares for the jobs of `run`. Reads nothing yet.
    #[must_use]
    pub fn open(run: &'a Run, record: &'a RunRecord) -> Self {
        Self {
            run,
            record,
            listings: RwLock::default(),
            events: OnceLock::new(),
            any_driver: OnceLock::new(),
            offsets: OnceLock::new(),
        }
    }

    /// Asks about many jobs, on several threads; what `ask` says of each, in order, and what is wrong with their files.
    pub fn each<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        ask: impl Fn(&J, &mut Vec<Error>) -> R + Sync,
    ) -> (Vec<R>, Vec<Error>) {
        let threads = threads::at_most(8);
        let shares: Vec<&[J]> = jobs.chunks(jobs.len().div_ceil(threads).max(WORTH_A_THREAD)).collect();
        let answers = threads::each(&shares, threads, |jobs| {
            let mut errors = Vec::new();
            let said: Vec<R> = jobs.iter().map(|job| ask(job, &mut errors)).collect();
            (said, errors)
        });
        let (mut said, mut errors) = (Vec::with_capacity(jobs.len()), Vec::new());
        for (some, wrong) in answers {
            said.extend(some);
            errors.extend(wrong);
        }
        (said, errors)
    }

    /// The state of a job with the reason of its failure, without the times: opens the fewest files. Wrong
    /// files are told in `errors`.
    pub fn state(&self, task_id: &str, job_id: &str, errors: &mut Vec<Error>) -> (State, Option<String>) {
        let Decision { word, .. } = self.decide(&mut self.look(task_id, job_id, true, errors), errors);
        (word.state, word.reason)
    }

    /// How a job ended, without the times. Wrong files are told in `errors`.
    pub fn ending(&self, task_id: &str, job_id: &str, errors: &mut Vec<Error>) -> JobEnding {
        let mut look = self.look(task_id, job_id, true, errors);
        let Decision { word, failure, .. } = self.decide(&mut look, errors);
        let Look { directory, markers, .. } = look;
        JobEnding {
            state: word.state,
            reason: word.reason,
            message: failure.message,
            exit: failure.exit,
            is_marked: markers.failed.is_some(),
            has_pid: markers.pid.is_some(),
            directory,
        }
    }

    /// Everything known of the execution of a job. Wrong files are told in `errors`.
    pub fn job(&self, task_id: &str, job_id: &str, errors: &mut Vec<Error>) -> JobStatus {
        let mut look = self.look(task_id, job_id, false, errors);
        let Decision { word, failure, ended } = self.decide(&mut look, errors);
        look.status(errors);
        let Look { directory, markers, status, .. } = look;
        let status = status.unwrap_or_default();
        let mut moment = |text: &Option<String>, field: &str| {
            let text = text.as_deref()?;
            let moment = Moment::parse(text);
            if moment.is_none() {
                let file = directory.as_deref().unwrap_or(Path::new("")).join(".experimaestro/status.json");
                let wrong = Error::format(format!("{} is not a time", quoted(text)));
                errors.push(wrong.at_file(&file).at_job(job_id).at_field(field));
            }
            moment
        };
        let submitted_at = moment(&status.submitted_time, "submitted_time")
            .map(|submitted| submitted.ahead_by(self.offsets().nearest(submitted)));
        let has_started = has_started(directory.as_deref(), &markers);
        let written_start = if has_started { moment(&status.started_time, "started_time") } else { None };
        // 1.x has no status file, but leaves the pid file of the last start behind
        let started_at =
            written_start.or_else(|| markers.pid.filter(|_| has_started).and_then(Moment::from_system));
        let mut written_end = None;
        let ended_at = match word.state {
            State::Done | State::Error if ended.is_some() || started_at.is_some() => {
                // a stale file may hold the end of an earlier attempt
                let is_current = status.state().is_some_and(|written| written.state == word.state);
                written_end = if is_current { moment(&status.ended_time, "ended_time") } else { None };
                written_end.or_else(|| ended.and_then(Moment::from_system))
            }
            _ => None,
        };
        let marker = ended.and_then(Moment::from_system);
        let clock =
            JobClock { run: self.offsets(), directory: directory.as_deref(), events: status.events_count };
        let (started_at, ended_at) = clock.dated(started_at, ended_at, marker);
        if written_start.is_some() && written_end.is_some() {
            let file = || directory.as_deref().unwrap_or(Path::new("")).join(".experimaestro/status.json");
            let wrong = ended_before_start(started_at, ended_at);
            errors.extend(wrong.map(|error| error.at_file(&file()).at_job(job_id)));
        }
        JobStatus {
            state: word.state,
            failure: word.reason,
            message: failure.message,
            submitted_at,
            started_at,
            ended_at,
            exit_code: failure.code,
            retry_count: status.retry_count,
        }
    }

    /// How far the clock of the driver was ahead of UTC.
    fn offsets(&self) -> &Offsets {
        self.offsets.get_or_init(|| Offsets::of_run(self.run, || first_submission(self.run)))
    }

    /// When the last marker of a job was written, in microseconds since 1970 UTC; nothing without one.
    #[must_use]
    pub fn marked(&self, task_id: &str, job_id: &str) -> Option<i64> {
        let Markers { done, failed, pid } = self.look(task_id, job_id, false, &mut Vec::new()).markers;
        let last = [done, failed.map(|(_, time)| time), pid].into_iter().flatten().max()?;
        match Moment::from_system(last)? {
            Moment::Utc(micros) | Moment::Naive(micros) | Moment::Local(micros, _) => Some(micros),
        }
    }

    /// Looks for the directory of a job and its markers; not for how it began, if it ended and only the `end` matters.
    fn look<'j>(&self, task_id: &str, job_id: &'j str, end: bool, errors: &mut Vec<Error>) -> Look<'j> {
        let mut look = Look { job_id, directory: None, markers: Markers::default(), status: None };
        let names = plain("task", task_id).and_then(|_| plain("job", job_id));
        match names.and_then(|_| {
            // no path is built for a job without a directory
            let is_listed = self.is_listed(task_id, job_id, errors);
            is_listed.then(|| self.run.workspace().job_dir(task_id, job_id)).transpose()
        }) {
            Ok(Some(directory)) => {
                let before = errors.len();
                look.markers = markers(&directory, task_id, end, errors);
                name_job(errors, before, job_id);
                look.directory = Some(directory);
            }
            Ok(None) => {}
            Err(error) => errors.push(error.at_job(job_id)),
        }
        look
    }

    /// Whether the job may have a directory.
    fn is_listed(&self, task_id: &str, job_id: &str, errors: &mut Vec<Error>) -> bool {
        let lists = |listing: &Listing| listing.as_ref().is_none_or(|jobs| jobs.contains(job_id));
        if let Some(listing) = self.listings.read().unwrap_or_else(PoisonError::into_inner).get(task_id) {
            return lists(listing);
        }
        let mut listings = self.listings.write().unwrap_or_else(PoisonError::into_inner);
        lists(listings.entry(task_id.to_owned()).or_insert_with(|| {
            let jobs = self.run.workspace().jobs_of(task_id).map_err(|error| errors.push(error));
            jobs.ok().map(Iterator::collect)
        }))
    }

    /// Decides by the rules of docs/format.md §8: markers first, unless a driver that is alive has queued the job again since;
    /// then the file that was written last.
    fn decide(&self, look: &mut Look<'_>, errors: &mut Vec<Error>) -> Decision {
        if let Some(decision) = by_markers(&look.markers, look.job_id, errors) {
            let again = if decision.word.is_error() { self.queued_again(look, errors) } else { None };
            return match again {
                Some(state) => Decision {
                    word: StateWord { state, reason: None },
                    failure: Failure::default(),
                    ended: None,
                },
                None => decision,
            };
        }
        let mut word = self.without_markers(look, errors);
        if word.is_error() {
            word.reason.get_or_insert_with(|| FAILED.to_owned());
        } else {
            word.reason = None;
        }
        Decision { word, failure: Failure::default(), ended: None }
    }

    /// The state that the driver of this run, which is alive, gave a failed job after its marker was written: a resumable task
    /// that is tried again, or a job that was submitted again.
    fn queued_again(&self, look: &Look<'_>, errors: &mut Vec<Error>) -> Option<State> {
        if self.record.alive != Some(true) {
            return None;
        }
        let (_, failed) = look.markers.failed.as_ref()?;
        let event = self.last_event(look.job_id, errors)?;
        let is_open = event.word.state.is_queued() || event.word.state == State::Running;
        let is_later = event.time? > Moment::from_system(*failed)?.utc()?;
        (is_open && is_later).then_some(event.word.state)
    }

    fn without_markers(&self, look: &mut Look<'_>, errors: &mut Vec<Error>) -> StateWord {
        let recorded = self.record.job_states.state(look.job_id).cloned();
        let word = |state| StateWord { state, reason: None };
        if look.directory.is_none() && recorded.as_ref().is_some_and(|recorded| recorded.state == State::Done)
        {
            // a transient job whose directory was removed after its success
            return word(State::Done);
        }
        let is_alive = self.record.alive == Some(true);
        let last =
            |errors: &mut Vec<Error>| self.last_event(look.job_id, errors).map(|event| event.word.clone());
        if is_alive && let Some(now) = last(errors).filter(|word| !word.is_error()) {
            // what the job's own files say of an error is then of an earlier run
            let runs = look.markers.pid.is_some() || now.state == State::Running;
            return if runs { word(State::Running) } else { now };
        }
        if let Some(error) = look.status(errors).error() {
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
        let status = look.status(errors);
        let sources = [event, status.scheduler_state(), status.state(), recorded];
        let says = |wanted: State| sources.iter().flatten().any(|word| word.state == wanted);
        if says(State::Done) && look.markers.pid.is_none() {
            return word(State::Done);
        }
        if look.markers.pid.is_some() || says(State::Running) {
            return word(if self.is_left(look, errors) { State::Lost } else { State::Running });
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
    fn is_left(&self, look: &Look<'_>, errors: &mut Vec<Error>) -> bool {
        let mut by_another = || {
            look.markers.pid.is_some()
                && *self.any_driver.get_or_init(|| alive::any_driver(self.run, errors)) == Some(true)
        };
        self.record.alive == Some(false) && !by_another()
    }

    /// The last state that the scheduler of this run gave the job.
    fn last_event(&self, job_id: &str, errors: &mut Vec<Error>) -> Option<&LastEvent> {
        self.events.get_or_init(|| events::job_states(self.run, &self.record.run_id, errors)).get(job_id)
    }
}

/// Puts the job into the errors that were added since `before`.
fn name_job(errors: &mut [Error], before: usize, job_id: &str) {
    for error in &mut errors[before..] {
        *error = error.clone().at_job(job_id);
    }
}

fn by_markers(markers: &Markers, job_id: &str, errors: &mut Vec<Error>) -> Option<Decision> {
    let done = |failure, ended| Decision {
        word: StateWord { state: State::Done, reason: None },
        failure,
        ended: Some(ended),
    };
    if let Some(ended) = markers.done {
        return Some(done(Failure::default(), ended));
    }
    let (file, ended) = markers.failed.as_ref()?;
    let bytes = file::read_small(file).unwrap_or_else(|error| {
        errors.push(error.at_job(job_id));
        None
    });
    let failure = read_failure(&bytes.unwrap_or_default());
    if failure.code == Some(0) && failure.reason.is_none() {
        return Some(done(failure, *ended));
    }
    let mut word = StateWord::error(failure.reason.as_deref());
    word.reason.get_or_insert_with(|| FAILED.to_owned());
    Some(Decision { word, failure, ended: Some(*ended) })
}

/// Whether the job ever ran: `started_time` of one that did not is the time of its directory.
fn has_started(directory: Option<&Path>, markers: &Markers) -> bool {
    let has_params = |directory: &Path| {
        fs::metadata(directory.join("params.json"))
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
    };
    !markers.is_empty() || directory.is_some_and(has_params)
}
