//! The directories of the jobs of a run, by one listing a task.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use ahash::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::workspace::{Workspace, plain};

/// The job directories of the tasks that were asked for. Each `jobs/<task>/` is listed at most once.
#[derive(Debug, Default)]
pub struct JobDirectories(RwLock<HashMap<String, Listing>>);

/// The job directories of a task.
#[derive(Debug, Default)]
struct Listing {
    /// Nothing when they cannot be listed, so that each has to be looked for
    jobs: Option<HashSet<String>>,
    /// Those that are symlinks, which a move of the workspace may have broken
    links: HashSet<String>,
    /// Whether jobs that are not listed may be elsewhere: in an archive
    may_be_elsewhere: bool,
}

/// What a listing tells of one job.
enum Listed {
    Directory,
    /// It has to be looked for
    Somewhere,
    Nowhere,
}

impl JobDirectories {
    /// The directory of a job; nothing if it has none, so that no path is built and nothing is looked for.
    ///
    /// # Errors
    /// `InvalidName`.
    pub fn of(
        &self,
        workspace: &Workspace,
        task_id: &str,
        job_id: &str,
        errors: &mut Vec<Error>,
    ) -> Result<Option<PathBuf>> {
        match self.listed(workspace, task_id, job_id, errors)? {
            Listed::Directory => workspace.job_dir(task_id, job_id).map(Some),
            Listed::Somewhere => {
                let directory = workspace.find_job_dir(task_id, job_id)?;
                Ok(Some(directory).filter(|directory| directory.symlink_metadata().is_ok()))
            }
            Listed::Nowhere => Ok(None),
        }
    }

    fn listed(
        &self,
        workspace: &Workspace,
        task_id: &str,
        job_id: &str,
        errors: &mut Vec<Error>,
    ) -> Result<Listed> {
        if let Some(listing) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(task_id) {
            return listing.of(job_id);
        }
        plain("task", task_id)?;
        let mut listings = self.0.write().unwrap_or_else(PoisonError::into_inner);
        listings
            .entry(task_id.to_owned())
            .or_insert_with(|| Listing::read(workspace, task_id, errors))
            .of(job_id)
    }
}

impl Listing {
    fn read(workspace: &Workspace, task_id: &str, errors: &mut Vec<Error>) -> Self {
        let mut listing = Self { may_be_elsewhere: workspace.may_be_elsewhere(task_id), ..Self::default() };
        match workspace.jobs_of(task_id) {
            Ok(jobs) => {
                let name = |(job, is_link): (String, bool)| {
                    if is_link {
                        listing.links.insert(job.clone());
                    }
                    job
                };
                listing.jobs = Some(jobs.map(name).collect());
            }
            Err(error) => errors.push(error),
        }
        listing
    }

    /// What the listing tells of a job.
    ///
    /// # Errors
    /// `InvalidName`.
    fn of(&self, job_id: &str) -> Result<Listed> {
        Ok(match &self.jobs {
            Some(_) if self.links.contains(job_id) => Listed::Somewhere,
            Some(jobs) if jobs.contains(job_id) => Listed::Directory,
            jobs => {
                plain("job", job_id)?;
                match jobs {
                    None => Listed::Directory,
                    Some(_) if self.may_be_elsewhere => Listed::Somewhere,
                    Some(_) => Listed::Nowhere,
                }
            }
        })
    }
}
