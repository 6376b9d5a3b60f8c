//! A run of a plan: its jobs that are asked about, and how far it was read.

use std::sync::Arc;

use super::repeats::Repeats;
use super::results::{Holders, ReadResults};
use super::scope::ChosenJobs;
use crate::error::{Error, ErrorKind, Result};
use crate::file::Signature;
use crate::loaded::{LoadedRun, ReadExtent};
use crate::progress::CancelToken;

/// A run, and the state of its files when the columns were decided.
#[derive(Debug)]
pub(super) struct PlannedRun {
    pub loaded: Arc<LoadedRun>,
    signature: Signature,
    /// How far it was read then, if it must be read again
    extent: Option<ReadExtent>,
    /// The positions of the jobs of the requested tasks; all jobs if there are none
    pub rows: Option<Vec<usize>>,
    /// The positions of the jobs that decide the columns of jobs upstream: those of the requested tasks, kept or not, unless the
    /// columns were decided before; all jobs if there are none
    deciding: Option<Vec<usize>>,
    pub jobs: usize,
    /// What the result files of its jobs hold
    pub results: Option<ReadResults>,
    /// Whether a later run lists the job too, by the positions of the jobs; empty if there is one run
    listed_later: Vec<bool>,
}

impl PlannedRun {
    pub fn new(loaded: Arc<LoadedRun>, signature: Signature, chosen: ChosenJobs, is_freed: bool) -> Self {
        let ChosenJobs { rows, deciding, listed_later } = chosen;
        let jobs = rows.as_ref().map_or_else(|| loaded.rows().rows.len(), Vec::len);
        let extent = if is_freed { loaded.extent() } else { None };
        let loaded = if is_freed { Arc::new(loaded.fresh()) } else { loaded };
        Self { loaded, signature, extent, rows, deciding, jobs, results: None, listed_later }
    }

    /// The run, ready to build batches. A run that was freed is read again under `cancel`, as far as it was read when the columns
    /// were decided.
    ///
    /// # Errors
    /// `Io`, if the run was freed and its files have changed since, other than by growing.
    pub fn open(&self, cancel: &CancelToken) -> Result<Arc<LoadedRun>> {
        if self.loaded.is_read() {
            return Ok(Arc::clone(&self.loaded));
        }
        self.check()?;
        Ok(Arc::new(self.loaded.truncated_to(self.extent.clone(), cancel.clone())))
    }

    /// The token that cancels its readers.
    pub fn cancel_token(&self) -> &CancelToken {
        self.loaded.cancel_token()
    }

    /// Whether its configs are in memory.
    pub fn has_configs(&self) -> bool {
        self.loaded.objects_if_read().is_some()
    }

    /// The positions of the jobs that decide the columns of jobs upstream; all jobs if there are none.
    pub fn deciding(&self) -> Option<&[usize]> {
        self.deciding.as_deref()
    }

    /// Whether a later run lists the job too, by the positions of the jobs; empty if there is one run.
    pub fn listed_later(&self) -> &[bool] {
        &self.listed_later
    }

    /// Refuses a run whose files changed since the columns were decided, unless they only grew and the extent is known.
    pub fn check(&self) -> Result<()> {
        let (run, now) = (self.loaded.run(), self.loaded.signature());
        let only_grew =
            |extent: &ReadExtent| self.signature.may_have_grown_to(&now) && extent.still_there(run);
        if now == self.signature || self.extent.as_ref().is_some_and(only_grew) {
            return Ok(());
        }
        let reason = "was changed while it was read";
        Err(Error::new(ErrorKind::Io, reason).at_file(run.path()).hint("ask again"))
    }

    /// The positions in the run of some rows, which count among the jobs of the requested tasks; all jobs if there are none.
    pub fn positions(&self, rows: Option<&[usize]>) -> Option<Vec<usize>> {
        match (&self.rows, rows) {
            (None, rows) => rows.map(<[usize]>::to_vec),
            (Some(positions), None) => Some(positions.clone()),
            (Some(positions), Some(rows)) => {
                Some(rows.iter().filter_map(|&row| positions.get(row).copied()).collect())
            }
        }
    }
}

/// Notes the jobs that later runs list too, and leaves them out if each job is wanted once.
pub(super) fn note_repeats(runs: &mut [PlannedRun], repeats: &Repeats, distinct: bool, holders: Holders) {
    for (run, listed) in runs.iter_mut().zip(repeats.listed(distinct)) {
        if distinct {
            let once = |rows: Option<Vec<usize>>| -> Vec<usize> {
                let rows = rows.unwrap_or_else(|| (0..listed.of_experiment.len()).collect());
                rows.into_iter().filter(|&row| !listed.of_experiment[row]).collect()
            };
            let rows = once(run.rows.take());
            run.jobs = rows.len();
            run.rows = Some(rows);
            run.deciding = Some(once(run.deciding.take()));
        }
        let is_listed = if holders == Holders::LastRun { listed.of_workspace } else { listed.of_experiment };
        for (position, is_listed) in is_listed.into_iter().enumerate() {
            match run.listed_later.get_mut(position) {
                Some(listed) => *listed |= is_listed,
                None => run.listed_later.push(is_listed),
            }
        }
    }
}
