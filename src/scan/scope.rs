//! What narrows a request: some of the jobs, with columns that all jobs decide.

use std::sync::Arc;

use crate::columns::StoredPaths;

/// Which jobs of the runs are kept, and the columns that other runs decided together with them.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The jobs to keep of each run, counted among those of the requested tasks; all jobs if there are none. Names and types of
    /// columns do not depend on it
    pub rows: Option<Arc<Vec<Vec<usize>>>>,
    /// The paths and types of all runs, of which these are some. Without it, the runs decide them
    pub paths: Option<Arc<StoredPaths>>,
    /// The positions of the jobs of each run that a later run lists too, which is none of these
    pub listed_later: Option<Arc<Vec<Vec<usize>>>>,
}

/// Some jobs of a run, by their positions; all jobs if there are none.
pub(super) struct ChosenJobs {
    /// Those of the requested tasks that are kept
    pub rows: Option<Vec<usize>>,
    /// Those that decide columns
    pub deciding: Option<Vec<usize>>,
    /// Whether a later run lists each of them too; empty if it is not said
    pub listed_later: Vec<bool>,
}

impl Scope {
    /// Whether the columns were decided before.
    pub(super) fn is_decided(&self) -> bool {
        self.paths.is_some()
    }

    /// The jobs of the run at an index, which has `jobs` jobs, that are kept, and those that decide columns. `of_tasks` are those of
    /// the requested tasks; all jobs if there are none.
    pub(super) fn choose(&self, run: usize, jobs: usize, of_tasks: Option<Vec<usize>>) -> ChosenJobs {
        let rows = self.keep(run, jobs, of_tasks.as_ref());
        let deciding = if self.is_decided() { rows.clone() } else { of_tasks };
        ChosenJobs { rows, deciding, listed_later: self.listed_later(run, jobs) }
    }

    /// Whether a later run lists each of the jobs of the run at an index; empty if it is not said.
    fn listed_later(&self, run: usize, jobs: usize) -> Vec<bool> {
        let Some(positions) = self.listed_later.as_ref().and_then(|all| all.get(run)) else {
            return Vec::new();
        };
        let mut listed = vec![false; jobs];
        for &position in positions {
            if let Some(listed) = listed.get_mut(position) {
                *listed = true;
            }
        }
        listed
    }

    /// The positions of the jobs to keep in the run at an index, which has `jobs` jobs, out of those of the requested tasks; all
    /// jobs if there are none.
    fn keep(&self, run: usize, jobs: usize, of_tasks: Option<&Vec<usize>>) -> Option<Vec<usize>> {
        let Some(kept) = self.rows.as_ref().and_then(|all| all.get(run)) else { return of_tasks.cloned() };
        let position = |&row: &usize| match of_tasks {
            None => Some(row).filter(|&row| row < jobs),
            Some(positions) => positions.get(row).copied(),
        };
        Some(kept.iter().filter_map(position).collect())
    }
}
