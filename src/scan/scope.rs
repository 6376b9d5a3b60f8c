//! What narrows a request: some of the jobs, with columns that all jobs decide.

use std::sync::Arc;

use crate::columns::PathTree;

/// Which jobs of the runs are kept, and the columns that other runs decided together with them.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The jobs to keep of each run, counted among those of the requested tasks; all jobs if there are none. Names and types of
    /// columns do not depend on it
    pub rows: Option<Arc<Vec<Vec<usize>>>>,
    /// The paths and types of all runs, of which these are some. Without it, the runs decide them
    pub paths: Option<Arc<PathTree>>,
}

impl Scope {
    /// The positions of the jobs to keep in the run at an index, which has `jobs` jobs, out of those of the requested tasks; all
    /// jobs if there are none.
    pub(super) fn keep(&self, run: usize, jobs: usize, of_tasks: Option<&Vec<usize>>) -> Option<Vec<usize>> {
        let Some(kept) = self.rows.as_ref().and_then(|all| all.get(run)) else { return of_tasks.cloned() };
        let position = |&row: &usize| match of_tasks {
            None => Some(row).filter(|&row| row < jobs),
            Some(positions) => positions.get(row).copied(),
        };
        Some(kept.iter().filter_map(position).collect())
    }
}
