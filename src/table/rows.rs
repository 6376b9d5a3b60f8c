//! The jobs of a run that become the rows of a batch.

use crate::loaded::LoadedRun;
use crate::records::{JobRow, JobRows};
use crate::results::FileState;
use crate::values::{Record, Store};

/// What the result files of the jobs of a run hold. Jobs that were not asked about have nothing.
#[derive(Debug, Default)]
pub struct RunResults {
    /// What the records point into
    pub store: Store,
    /// One a job of the run
    pub records: Vec<Option<Record>>,
    /// One a handle, and in it one a job of the run: what became of the file, and where it is
    pub files: Vec<Vec<(FileState, Option<String>)>>,
}

/// Some or all of the jobs of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'r> {
    /// The run
    pub loaded: &'r LoadedRun,
    /// The positions of the jobs in the run; all jobs if there are none
    pub chosen: Option<&'r [usize]>,
    /// What was read of their results, if that was asked for
    pub results: Option<&'r RunResults>,
    /// Whether a later run lists the job too, by the positions of the jobs; empty if there is no later run
    pub listed_later: &'r [bool],
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

    /// Whether a later run lists the job at a position too: then its directory is about that run.
    #[must_use]
    pub fn is_listed_later(&self, position: usize) -> bool {
        self.listed_later.get(position).copied().unwrap_or_default()
    }

    /// The jobs, in the order of the rows.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> + Clone + 'r {
        let rows = &self.recorded().rows;
        self.positions().map(|position| &rows[position])
    }
}
