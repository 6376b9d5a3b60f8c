//! The states of the jobs of a run. Jobs that were done are not looked at again.

use std::sync::OnceLock;

use once_cell::sync::OnceCell;

use super::run::LoadedRun;
use crate::error::Error;
use crate::records::{Evidence, JobEnding, JobKey, JobRows, JobState, JobStatus, JobStatuses, State};

/// A job that was seen to be done.
#[derive(Debug, Default)]
struct DoneJob {
    /// When its marker was written, in microseconds since 1970 UTC, if that was learnt
    marked: OnceLock<i64>,
    /// Nothing before its times are first needed
    status: OnceLock<Box<JobStatus>>,
}

/// The jobs that were seen to be done, by position. They stay done: no file of theirs is looked at again.
#[derive(Debug, Default)]
pub(super) struct DoneJobs(OnceCell<Box<[OnceLock<DoneJob>]>>);

impl DoneJobs {
    fn get(&self, position: usize) -> Option<&DoneJob> {
        self.0.get()?.get(position)?.get()
    }

    /// Notes a job. `jobs` is the number of jobs of the run.
    fn note(&self, position: usize, jobs: usize) -> Option<&DoneJob> {
        let all = self.0.get_or_init(|| (0..jobs).map(|_| OnceLock::new()).collect());
        Some(all.get(position)?.get_or_init(DoneJob::default))
    }
}

/// The states of the jobs of a run, as they are when they are asked for. Threads share it. Jobs are named by their positions.
#[derive(Debug)]
pub struct JobLooks<'r> {
    statuses: JobStatuses<'r>,
    rows: &'r JobRows,
    done: &'r DoneJobs,
    is_slow: bool,
    /// Whether the run recorded the states of its jobs in their order
    is_in_order: bool,
}

impl LoadedRun {
    /// The states of its jobs. Nothing is looked at yet.
    #[must_use]
    pub fn job_looks(&self) -> JobLooks<'_> {
        let rows = self.rows();
        let record = self.record();
        let statuses = JobStatuses::open(&self.run, record).sharing(&self.offsets, rows);
        let is_in_order = *self.is_in_order.get_or_init(|| record.job_states.are_of(rows.job_ids()));
        JobLooks { statuses, rows, done: &self.done, is_slow: self.is_slow(), is_in_order }
    }
}

impl JobLooks<'_> {
    /// Asks about many jobs, on several threads; what `ask` says of each, in order, and what is wrong with their files.
    pub fn each<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        ask: impl Fn(&J, &mut Vec<Error>) -> R + Sync,
    ) -> (Vec<R>, Vec<Error>) {
        let (shares, errors) = self.each_in_shares(jobs, ask);
        (shares.into_iter().flatten().collect(), errors)
    }

    /// The same, see [`JobStatuses::each_in_shares`].
    pub fn each_in_shares<J: Sync, R: Send>(
        &self,
        jobs: &[J],
        ask: impl Fn(&J, &mut Vec<Error>) -> R + Sync,
    ) -> (Vec<Vec<R>>, Vec<Error>) {
        JobStatuses::each_in_shares(jobs, self.is_slow, ask)
    }

    /// The state of a job with the reason of its failure, without the times: opens the fewest files. Wrong files are told in
    /// `errors`.
    pub fn state(&self, position: usize, errors: &mut Vec<Error>) -> (State, Option<String>) {
        if self.done.get(position).is_some() {
            return (State::Done, None);
        }
        let found = self.with_key(position, |job| self.statuses.state(job, errors));
        let JobState { state, failure, is_marked_done, done_at } = found;
        if let (Some(done), Some(marked)) = (self.note(position, is_marked_done), done_at) {
            let _ = done.marked.set(marked);
        }
        (state, failure)
    }

    /// Everything known of the execution of a job. Wrong files are told in `errors`.
    pub fn status(&self, position: usize, errors: &mut Vec<Error>) -> JobStatus {
        if let Some(status) = self.done.get(position).and_then(|done| done.status.get()) {
            return JobStatus::clone(status);
        }
        let before = errors.len();
        let status = self.with_key(position, |job| self.statuses.job(job, errors));
        // what is wrong with files is told each time; a job without directory has no end, and costs no call
        let is_final = status.state == State::Done && status.ended_at.is_some() && errors.len() == before;
        if let Some(done) = self.note(position, is_final) {
            let _ = done.status.set(Box::new(status.clone()));
        }
        status
    }

    /// How a job ended, without the times. Wrong files are told in `errors`.
    pub fn ending(&self, position: usize, errors: &mut Vec<Error>) -> JobEnding {
        if self.done.get(position).is_some() {
            return JobEnding::done();
        }
        let ending = self.with_key(position, |job| self.statuses.ending(job, errors));
        self.note(position, ending.state == State::Done && ending.directory.is_some());
        ending
    }

    /// Everything known of the execution of a job, with what its files say side by side.
    pub fn evidence(&self, position: usize, errors: &mut Vec<Error>) -> (JobStatus, Evidence) {
        self.with_key(position, |job| self.statuses.evidence(job, errors))
    }

    /// When the state of a job changed last, in microseconds since 1970 UTC, as far as files tell.
    #[must_use]
    pub fn changed(&self, position: usize) -> Option<i64> {
        let known = self.done.get(position).and_then(|done| done.marked.get().copied());
        let changed = || self.with_key(position, |job| self.statuses.changed(job));
        known.or_else(changed)
    }

    /// Notes a job if it is final: done, and its directory was looked at.
    fn note(&self, position: usize, is_final: bool) -> Option<&DoneJob> {
        if is_final { self.done.note(position, self.rows.rows.len()) } else { None }
    }

    fn with_key<R>(&self, position: usize, ask: impl FnOnce(JobKey<'_>) -> R) -> R {
        let row = &self.rows.rows[position];
        let (task_id, job_id) = (self.rows.task_id(row), self.rows.job_id(row));
        let listed = self.is_in_order.then_some(position);
        ask(self.statuses.key(&task_id, &job_id, listed))
    }
}
