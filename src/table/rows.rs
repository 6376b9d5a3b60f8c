//! The jobs of a run that a batch is built of.

use crate::loaded::LoadedRun;
use crate::records::{JobRow, JobRows};

/// Some of the jobs of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'r> {
    /// The run
    pub loaded: &'r LoadedRun,
    /// The positions of the jobs; all if there are none
    pub chosen: Option<&'r [usize]>,
}

impl<'r> Rows<'r> {
    /// What the run recorded of its jobs.
    #[must_use]
    pub fn known(&self) -> &'r JobRows {
        self.loaded.rows()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chosen.map_or_else(|| self.known().rows.len(), <[usize]>::len)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of the jobs among those of the run, in order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + Clone + 'r {
        let (chosen, all) = (self.chosen, self.known().rows.len());
        (0..self.len()).map(move |at| chosen.map_or(at, |chosen| chosen[at])).filter(move |&at| at < all)
    }

    /// The jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> + Clone + 'r {
        let rows = &self.known().rows;
        self.positions().map(|at| &rows[at])
    }
}
