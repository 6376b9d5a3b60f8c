//! Finds what is wrong with a workspace, by comparing its files with each other.
//!
//! A [`Finding`] says how severe it is, what kind of trouble it is, where, and what to do. [`check`] reads run after run, then the
//! links and job directories of the workspace. Each file is read at most a few times, so the time grows with the bytes.

mod duplicates;
mod finding;
mod jobs;
mod reported_errors;
mod run;
mod stray_files;
mod suspects;
mod values;

use std::path::PathBuf;

use ahash::{HashMap, HashSet};

use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::workspace::{Run, Workspace};

use self::values::PathCheck;

pub use finding::{Finding, Severity, Trouble};

/// The findings of a check, and how much it checked.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Run by run, then those about links and job directories
    pub findings: Vec<Finding>,
    /// The number of runs
    pub runs: usize,
    /// The number of their jobs
    pub jobs: usize,
    /// The number of jobs that were compared with their params.json
    pub compared: usize,
    /// The number of recorded paths that were checked
    pub paths: usize,
}

/// The state of a check.
struct Check<'c> {
    workspace: &'c Workspace,
    cancel: &'c CancelToken,
    result: Findings,
    /// The former roots that were reported
    former_roots: HashSet<String>,
    /// The recorded paths that were checked
    paths: HashMap<PathBuf, PathCheck>,
    /// The identifiers of the jobs of all runs
    job_ids: HashSet<String>,
}

/// Checks `runs` and the links of the workspace. `unreadable` are the runs and experiments whose directories cannot be read, with the
/// reason. `everything` says that these are all its runs, so that the job directories of no run are reported too.
#[must_use]
pub fn check(
    workspace: &Workspace,
    runs: &[Run],
    unreadable: &[(Run, Error)],
    everything: bool,
    cancel: &CancelToken,
) -> Findings {
    let mut check = Check {
        workspace,
        cancel,
        result: Findings::default(),
        former_roots: HashSet::default(),
        paths: HashMap::default(),
        job_ids: HashSet::default(),
    };
    let mut experiments: Vec<&str> = runs.iter().map(Run::experiment).collect();
    experiments.sort_unstable();
    experiments.dedup();
    for run in runs {
        if cancel.is_cancelled() {
            break;
        }
        check.run(&LoadedRun::new(run.clone(), cancel.clone()));
    }
    for (run, error) in unreadable {
        check.unreadable_run(run, error);
    }
    for experiment in experiments {
        check.current(experiment);
        check.copies(experiment);
    }
    if everything && !cancel.is_cancelled() {
        check.links();
        // a run that cannot be read may list any job
        if unreadable.is_empty() {
            check.orphans();
        }
        check.unreadable_names();
    }
    check.result
}
