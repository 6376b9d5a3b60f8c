//! Why jobs failed: the exception of each, where it was raised, and which failures have one cause.
//!
//! A failed job is one whose state is `error` or `lost`. Its marker file says how it ended, its log says why; of a log the last
//! 64 KiB are read and, of a longer one, the first 16 KiB (docs/format.md §16). What is shown of a log has no terminal sequences
//! and no control characters.

mod blocked;
mod fingerprint;
mod job;
mod last_words;
mod location;
mod log;
mod reason;
mod records;
mod rich;
mod tail;
mod text;
mod traceback;

pub use fingerprint::{fingerprint, masked};
pub use job::{JobFailure, Logs, explain};
pub use log::{HEAD_BYTES, TAIL_BYTES};

use ahash::HashMap;

use self::blocked::Blockers;
use self::job::log_of;
use crate::error::Error;
use crate::loaded::{JobLooks, LoadedRun};
use crate::records::{JobEnding, State};
use crate::threads;

/// The reason of a job that a failed one kept from starting.
const DEPENDENCY: &str = "DEPENDENCY";

/// The failures among some jobs of a run, given as (task, job) identifiers: the position of each failed job with its failure, in
/// order. What cannot be read is in the errors.
#[must_use]
pub fn failures(loaded: &LoadedRun, jobs: &[(&str, &str)]) -> (Vec<(usize, JobFailure)>, Vec<Error>) {
    let (rows, looks) = (loaded.rows(), loaded.job_looks());
    let (endings, mut errors) = looks.each(jobs, |(_, job_id), errors| {
        let position = rows.find(job_id)?;
        Some(looks.ending(position, errors))
    });
    let failed =
        |(position, ending): (usize, Option<JobEnding>)| Some((position, ending.filter(has_failed)?));
    let failed: Vec<(usize, JobEnding)> = endings.into_iter().enumerate().filter_map(failed).collect();
    let read = threads::each_waiting(&failed, |(position, ending)| {
        let mut errors = Vec::new();
        let (task_id, job_id) = jobs[*position];
        let is_cancelled = loaded.cancel_token().is_cancelled();
        let logs = if is_cancelled { Logs::default() } else { log_of(task_id, job_id, ending, &mut errors) };
        (explain(task_id, job_id, ending, &logs), errors)
    });
    let mut found = Vec::with_capacity(failed.len());
    for ((position, _), (failure, wrong)) in failed.into_iter().zip(read) {
        found.push((position, failure));
        errors.extend(wrong);
    }
    name_blockers(loaded, &looks, jobs, &mut found, &mut errors);
    (found, errors)
}

fn has_failed(ending: &JobEnding) -> bool {
    matches!(ending.state, State::Error | State::Lost)
}

/// Fills in what blocked the jobs that never started; they have the cause of what blocked them.
fn name_blockers(
    loaded: &LoadedRun,
    looks: &JobLooks<'_>,
    jobs: &[(&str, &str)],
    found: &mut [(usize, JobFailure)],
    errors: &mut Vec<Error>,
) {
    if found.iter().all(|(_, failure)| failure.failure != DEPENDENCY) {
        return;
    }
    let mut groups: HashMap<String, String> = found
        .iter()
        .filter(|(_, failure)| failure.failure != DEPENDENCY)
        .map(|(position, failure)| (jobs[*position].1.to_owned(), failure.cause_group.clone()))
        .collect();
    let mut blockers = Blockers::new(loaded, looks);
    for (position, failure) in found.iter_mut().filter(|(_, failure)| failure.failure == DEPENDENCY) {
        let Some((task_id, job_id)) = blockers.of(jobs[*position].1, errors) else { continue };
        let Some(blocker) = loaded.rows().find(&job_id) else { continue };
        let group = groups.entry(job_id.clone()).or_insert_with(|| {
            let ending = looks.ending(blocker, errors);
            let logs = log_of(&task_id, &job_id, &ending, errors);
            explain(&task_id, &job_id, &ending, &logs).cause_group
        });
        failure.cause_group.clone_from(group);
        failure.blocked_by = Some(job_id);
    }
}
