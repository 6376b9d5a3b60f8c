//! The directories of the jobs of a run, by one listing a task.

use std::path::PathBuf;
use std::sync::OnceLock;

use ahash::HashSet;

use crate::error::{Error, Result};
use crate::workspace::{Workspace, plain};

/// How many chains hold the tasks. A run has a few tasks, seldom hundreds.
const CHAINS: usize = 256;

/// The job directories of the tasks that were asked for. Each `jobs/<task>/` is listed at most once.
///
/// The tasks are in chains, by a hash of their identifiers, and never leave: a thread that looks for one writes nothing. A lock is
/// written even to read, and two threads then wait for each other: the states of 100,000 jobs without directories took two
/// threads as long as one (28 ms and 23 ms).
#[derive(Debug)]
pub struct JobDirectories {
    chains: Box<[Link]>,
    hasher: ahash::RandomState,
}

/// The place of a task in its chain; empty at the end.
type Link = OnceLock<Box<ListedTask>>;

#[derive(Debug)]
struct ListedTask {
    task_id: String,
    listing: Listing,
    next: Link,
}

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

impl Default for JobDirectories {
    fn default() -> Self {
        Self { chains: (0..CHAINS).map(|_| Link::new()).collect(), hasher: ahash::RandomState::new() }
    }
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
        let mut link = &self.chains[chain_of(self.hasher.hash_one(task_id))];
        loop {
            if link.get().is_none() {
                plain("task", task_id)?;
            }
            let task = link.get_or_init(|| {
                let listing = Listing::read(workspace, task_id, errors);
                Box::new(ListedTask { task_id: task_id.to_owned(), listing, next: Link::new() })
            });
            if task.task_id == task_id {
                return task.listing.of(job_id);
            }
            link = &task.next;
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of CHAINS fits")]
fn chain_of(hash: u64) -> usize {
    (hash % CHAINS as u64) as usize
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
