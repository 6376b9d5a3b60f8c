//! The doctor: what is wrong with a workspace, as data. It reads everything and believes nothing twice.
//!
//! A [`Finding`] says how bad it is, what kind of trouble it is, where, and what to do. [`check`] looks at runs, one after the
//! other, and at what lies around them; no file is read more often than a few times, so its time grows with the bytes of the workspace.

mod duplicates;
mod finding;
mod jobs;
mod reported_errors;
mod run;
mod stray_files;
mod values;

use std::path::PathBuf;

use ahash::HashSet;

use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::workspace::{Run, Workspace};

pub use finding::{Finding, Severity, Trouble};

/// What was found, and how much was looked at.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// In the order in which it was found: run by run, then what lies around them
    pub findings: Vec<Finding>,
    /// How many runs were read
    pub runs: usize,
    /// How many jobs they have
    pub jobs: usize,
    /// How many of these were compared with their params.json
    pub compared: usize,
    /// How many recorded paths were looked for
    pub paths: usize,
}

/// What one check remembers from run to run.
struct Check<'c> {
    workspace: &'c Workspace,
    stop: &'c CancelToken,
    found: Findings,
    /// The roots that were recorded, told once
    moved: HashSet<String>,
    /// The recorded paths that were looked for
    paths: HashSet<PathBuf>,
    /// The jobs that some run knows
    known: HashSet<String>,
}

/// Looks at `runs`, and at what lies around them in the workspace. With `everything`, the runs are all that there are, so that
/// jobs of no run can be told.
#[must_use]
pub fn check(workspace: &Workspace, runs: &[Run], everything: bool, stop: &CancelToken) -> Findings {
    let mut check = Check {
        workspace,
        stop,
        found: Findings::default(),
        moved: HashSet::default(),
        paths: HashSet::default(),
        known: HashSet::default(),
    };
    let mut experiments: Vec<&str> = runs.iter().map(Run::experiment).collect();
    experiments.sort_unstable();
    experiments.dedup();
    for run in runs {
        if stop.is_cancelled() {
            break;
        }
        check.run(&LoadedRun::new(run.clone(), stop.clone()));
    }
    for experiment in experiments {
        check.current(experiment);
    }
    if everything && !stop.is_cancelled() {
        check.links();
        check.orphans();
        check.unreadable_names();
    }
    check.found
}
