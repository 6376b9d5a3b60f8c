//! The jobs of a run that become the rows of a batch.

use crate::loaded::LoadedRun;
use crate::records::{JobRow, JobRows};

/// Some or all of the jobs of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'r> {
    /// The run
    pub loaded: &'r LoadedRun,
    /// The positions of the jobs in the run; all jobs if there are none
    pub chosen: Option<&'r [usize]>,
}

impl<'r> Rows<'r> {
    /// All jobs of the run, as its files record them.
    #[must_use]
    pub fn recorded(&self) -> &'r JobRows {
        self.loaded.rows()
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chosen.map_or_else(|| self.recorded().rows.len(), <[usize]>::len)
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of the jobs in the run, in the order of the rows.
    pub fn positions(&self) -> impl Iterator<Item = usize> + Clone + 'r {
        let (chosen, count) = (self.chosen, self.recorded().rows.len());
        let position = move |row| chosen.map_or(row, |chosen| chosen[row]);
        (0..self.len()).map(position).filter(move |&position| position < count)
    }

    /// The jobs, in the order of the rows.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> + Clone + 'r {
        let rows = &self.recorded().rows;
        self.positions().map(|position| &rows[position])
    }
}
