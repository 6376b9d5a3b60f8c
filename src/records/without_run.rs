//! Jobs whose run is not known: what their directories say.

use super::job_files::JobKey;
use super::jobs::{JobStatus, JobStatuses};
use super::run::RunRecord;
use crate::error::Error;
use crate::workspace::{Run, Workspace};

/// The statuses of jobs by their own files, as (task, job), and what is wrong with these files. No driver is asked: a job that
/// left a pid file and no end counts as running.
#[must_use]
pub fn statuses_without_run(
    workspace: &Workspace,
    jobs: &[(String, String)],
) -> (Vec<JobStatus>, Vec<Error>) {
    let (run, record) = (Run::without_files(workspace), RunRecord::default());
    let statuses = JobStatuses::open(&run, &record);
    let ask = |(task_id, job_id): &(String, String), errors: &mut Vec<Error>| {
        statuses.job(JobKey::new(task_id, job_id), errors)
    };
    let (shares, errors) = JobStatuses::each_in_shares(jobs, false, ask);
    (shares.into_iter().flatten().collect(), errors)
}
