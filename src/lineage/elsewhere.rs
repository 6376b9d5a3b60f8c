//! Finds the runs of the workspace that list jobs which the runs asked for do not list.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ahash::HashMap;
use indexmap::IndexSet;

use super::jobs::{Lineage, Planned};
use super::run_jobs::RunJobs;
use crate::error::Result;
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::values::index;
use crate::workspace::{Run, Workspace};

/// The identifier of a job that a run lists.
pub(super) fn listed_id(loaded: &LoadedRun, number: usize) -> Option<String> {
    let rows = loaded.rows();
    (number < rows.rows.len()).then(|| rows.job_id(&rows.rows[number]).into_owned())
}

/// The runs of some workspaces, the latest first, each opened when it is searched.
struct Runs {
    runs: HashMap<PathBuf, Vec<Arc<LoadedRun>>>,
    cancel: CancelToken,
}

impl Runs {
    fn of(&mut self, workspace: &Workspace) -> &[Arc<LoadedRun>] {
        let cancel = &self.cancel;
        self.runs.entry(workspace.root().to_owned()).or_insert_with(|| {
            // what cannot be listed has no rows here: the job is reported as one that no run lists
            let experiments = workspace.experiments().unwrap_or_default();
            let mut runs: Vec<Run> =
                experiments.iter().flat_map(|name| workspace.runs(name).unwrap_or_default()).collect();
            runs.sort_by(|a, b| (b.id(), b.experiment()).cmp(&(a.id(), a.experiment())));
            runs.into_iter().map(|run| Arc::new(LoadedRun::new(run, cancel.clone()))).collect()
        })
    }
}

impl Lineage {
    /// Finds the rows of unlisted jobs, and of those that these need. Configs of other runs are read only if a stub stands in
    /// for one of them.
    pub(super) fn find_elsewhere(&mut self, planned: &impl Planned, opened: &[Run]) -> Result<()> {
        let mut workspaces: Vec<Workspace> = opened.iter().map(|run| run.workspace().clone()).collect();
        if workspaces.is_empty() {
            return Ok(());
        }
        let cancel = planned.open(0)?.cancel_token().clone();
        let mut runs = Runs { runs: HashMap::default(), cancel };
        let with_configs = self.has_stubs();
        let mut searched = 0;
        while searched < self.runs.len() {
            self.link(searched, &mut workspaces, &mut runs, with_configs);
            searched += 1;
        }
        if with_configs {
            self.link_reached(&workspaces, &mut runs);
        }
        Ok(())
    }

    /// Finds the latest rows of jobs that only a run behind a stub names: that run may not be the latest to list them.
    fn link_reached(&mut self, workspaces: &[Workspace], all: &mut Runs) {
        let is_other = |lineage: &Self, job: u32| lineage.locate(job).0 >= lineage.planned();
        let unlisted = self.unlisted_jobs();
        let mut pending: Vec<u32> = unlisted.iter().map(|job| self.whole(job.0)).collect();
        let mut reached: IndexSet<u32, ahash::RandomState> = IndexSet::default();
        while let Some(job) = pending.pop() {
            if is_other(self, job) && reached.insert(job) {
                pending.extend(self.needs(job));
            }
        }
        for job in reached {
            let (run, number) = self.locate(job);
            let Some(job_id) = self.other_run(run).and_then(|loaded| listed_id(loaded, number)) else {
                continue;
            };
            let latest = all
                .of(&workspaces[run])
                .iter()
                .find_map(|loaded| Some((Arc::clone(loaded), loaded.rows().position(job_id.as_bytes())?)));
            if let Some((loaded, position)) = latest {
                let other = self.add(&loaded, false);
                if other != run {
                    self.elsewhere.insert(job, self.listed(other, position).0);
                }
            }
        }
    }

    fn has_stubs(&self) -> bool {
        self.runs.iter().flat_map(|run| &run.jobs.unlisted).any(|job| job.is_stub)
    }

    /// Finds the rows of the unlisted jobs of a run; adds the runs that have them.
    fn link(&mut self, run: usize, workspaces: &mut Vec<Workspace>, all: &mut Runs, with_configs: bool) {
        let unlisted = &self.runs[run].jobs.unlisted;
        if unlisted.is_empty() {
            return;
        }
        let first = self.runs[run].base + index(self.runs[run].jobs.task_of.len());
        let mut wanted: HashMap<String, u32> =
            (first..).zip(unlisted).map(|(number, job)| (job.job_id.clone(), number)).collect();
        let workspace = workspaces[run].clone();
        for loaded in all.of(&workspace) {
            if wanted.is_empty() || loaded.cancel_token().is_cancelled() {
                break;
            }
            let rows = loaded.rows();
            let found: Vec<(String, u32, usize)> = wanted
                .iter()
                .filter_map(|(job_id, &number)| {
                    Some((job_id.clone(), number, rows.position(job_id.as_bytes())?))
                })
                .collect();
            if found.is_empty() {
                continue;
            }
            let other = self.add(loaded, with_configs);
            if other == workspaces.len() {
                workspaces.push(workspace.clone());
            }
            for (job_id, number, position) in found {
                wanted.remove(&job_id);
                self.elsewhere.insert(number, self.listed(other, position).0);
            }
        }
    }

    /// The number of a run that was not asked for, added if it is new.
    fn add(&mut self, loaded: &Arc<LoadedRun>, with_configs: bool) -> usize {
        let is_same = |path: &Path| loaded.run().path() == path;
        let known = (self.planned()..self.runs())
            .find(|&run| self.other_run(run).is_some_and(|other| is_same(other.run().path())));
        known.unwrap_or_else(|| {
            let signature = loaded.signature();
            let jobs = if with_configs { RunJobs::of(loaded) } else { RunJobs::listed(loaded) };
            self.push(jobs, Some((Arc::clone(loaded), signature)));
            self.runs() - 1
        })
    }
}
