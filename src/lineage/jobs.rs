//! The jobs of some runs and of those that they come from, and the steps between them.

use std::sync::Arc;

use ahash::HashMap;

use super::elsewhere::listed_id;
use super::nearest::Nearest;
use super::run_jobs::{RunJobs, UnlistedJob};
use crate::columns::{PathId, PathTree, Step, task_matches};
use crate::error::Result;
use crate::file::Signature;
use crate::loaded::LoadedRun;
use crate::values::{ObjectIx, index};

/// A job of a [`Lineage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobIx(pub(super) u32);

/// The job that a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No job
    None,
    /// One job
    Job(JobIx),
    /// Several jobs are equally near
    Several,
}

/// Where the config of a job is: the run of the lineage, and the object in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigLocation {
    /// The config of a job that the run lists, at this position
    Listed(usize, usize),
    /// An object of the run
    Object(usize, ObjectIx),
}

/// Opens the runs of a plan, which may be read again.
pub trait Planned {
    /// The number of runs.
    fn count(&self) -> usize;

    /// A run with its jobs and configs.
    ///
    /// # Errors
    /// `Io`, if its files have changed since they were read.
    fn open(&self, run: usize) -> Result<Arc<LoadedRun>>;
}

/// The jobs of some runs and those that they come from.
#[derive(Debug, Default)]
pub struct Lineage {
    pub(super) runs: Vec<LineageRun>,
    /// The number of runs that were asked for; others are behind them
    planned: usize,
    /// The row of a job that the run that names it does not list
    pub(super) elsewhere: HashMap<u32, u32>,
    nearest: HashMap<String, Nearest>,
    places: HashMap<PathId, Vec<Link>>,
}

/// A run of a lineage.
#[derive(Debug)]
pub(super) struct LineageRun {
    /// The run itself, unless it was asked for
    pub loaded: Option<(Arc<LoadedRun>, Signature)>,
    pub jobs: RunJobs,
    /// The number of its first job in the lineage
    pub base: u32,
}

impl Lineage {
    /// The jobs of planned runs, and the rows of the jobs that these do not list.
    ///
    /// # Errors
    /// As [`Planned::open`].
    pub fn of(planned: &impl Planned) -> Result<Self> {
        let mut lineage = Self { planned: planned.count(), ..Self::default() };
        let mut opened = Vec::new();
        for run in 0..planned.count() {
            let loaded = planned.open(run)?;
            lineage.push(RunJobs::of(&loaded), None);
            opened.push(loaded.run().clone());
        }
        lineage.find_elsewhere(planned, &opened)?;
        Ok(lineage)
    }

    pub(super) fn push(&mut self, jobs: RunJobs, loaded: Option<(Arc<LoadedRun>, Signature)>) {
        let base = self.runs.last().map_or(0, |last| last.base + index(last.jobs.len()));
        self.runs.push(LineageRun { loaded, jobs, base });
    }

    /// The number of jobs.
    pub(super) fn len(&self) -> usize {
        self.runs.last().map_or(0, |last| last.base as usize + last.jobs.len())
    }

    /// The number of runs that were asked for: they come first.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.planned
    }

    /// The number of runs, with those that were not asked for.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// A run that was not asked for.
    #[must_use]
    pub fn other_run(&self, run: usize) -> Option<&Arc<LoadedRun>> {
        self.runs.get(run)?.loaded.as_ref().map(|(loaded, _)| loaded)
    }

    /// Whether the files of a run that was not asked for have changed since it was read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        let others = self.runs.iter().filter_map(|run| run.loaded.as_ref());
        others.into_iter().any(|(loaded, before)| loaded.signature() != *before)
    }

    /// The job that a planned run lists at a position.
    #[must_use]
    pub fn listed(&self, run: usize, position: usize) -> JobIx {
        JobIx(self.runs[run].base + index(position))
    }

    /// The number of jobs that a run lists.
    #[must_use]
    pub fn listed_count(&self, run: usize) -> usize {
        self.runs[run].jobs.task_of.len()
    }

    /// The run of a job, and its number there.
    pub(super) fn locate(&self, job: u32) -> (usize, usize) {
        let run = self.runs.partition_point(|run| run.base <= job) - 1;
        (run, (job - self.runs[run].base) as usize)
    }

    pub(super) fn unlisted(&self, job: u32) -> Option<&UnlistedJob> {
        let (run, number) = self.locate(job);
        self.runs[run].jobs.unlisted(number)
    }

    /// The same job where a run lists it, if one does.
    pub(super) fn canonical(&self, job: u32) -> u32 {
        self.elsewhere.get(&job).copied().unwrap_or(job)
    }

    /// The job whose object has the fields of a job: another one for a stub.
    pub(super) fn whole(&self, job: u32) -> u32 {
        if self.unlisted(job).is_some_and(|unlisted| unlisted.is_stub) { self.canonical(job) } else { job }
    }

    /// The identifier of the task of a job; of an unlisted one that no run lists, its class.
    pub(super) fn task(&self, job: u32) -> &str {
        let (run, number) = self.locate(self.canonical(job));
        let jobs = &self.runs[run].jobs;
        match jobs.unlisted(number) {
            Some(unlisted) => &unlisted.typename,
            None => jobs.tasks.get(jobs.task_of[number] as usize).map_or("", String::as_str),
        }
    }

    /// The identifier of a job that its run does not list.
    #[must_use]
    pub fn unlisted_id(&self, job: JobIx) -> Option<&str> {
        self.unlisted(job.0).map(|unlisted| unlisted.job_id.as_str())
    }

    /// Where the config of a job is.
    #[must_use]
    pub fn config(&self, job: JobIx) -> ConfigLocation {
        let (run, number) = self.locate(self.whole(job.0));
        match self.runs[run].jobs.unlisted(number) {
            None => ConfigLocation::Listed(run, number),
            Some(unlisted) => ConfigLocation::Object(run, unlisted.object),
        }
    }

    /// The run that lists a job, and its position there; nothing if none does.
    #[must_use]
    pub fn row(&self, job: JobIx) -> Option<(usize, usize)> {
        let (run, number) = self.locate(self.canonical(job.0));
        (number < self.runs[run].jobs.task_of.len()).then_some((run, number))
    }

    /// The jobs that some job needs, each once.
    #[must_use]
    pub fn upstream_jobs(&self) -> Vec<JobIx> {
        let mut is_needed = vec![false; self.len()];
        for run in &self.runs {
            for number in 0..run.jobs.len() {
                run.jobs.needs(number).iter().for_each(|&need| is_needed[(run.base + need) as usize] = true);
            }
        }
        (0..index(self.len())).filter(|&job| is_needed[job as usize]).map(JobIx).collect()
    }

    /// The jobs that are not listed by the run that names them.
    #[must_use]
    pub fn unlisted_jobs(&self) -> Vec<JobIx> {
        let of_run = |run: &LineageRun| {
            let first = run.base + index(run.jobs.task_of.len());
            (first..run.base + index(run.jobs.len())).map(JobIx)
        };
        self.runs.iter().flat_map(of_run).collect()
    }

    /// The identifiers of the tasks of these jobs, each once.
    #[must_use]
    pub fn tasks_of(&self, jobs: &[JobIx]) -> Vec<String> {
        let tasks: std::collections::BTreeSet<&str> = jobs.iter().map(|job| self.task(job.0)).collect();
        tasks.into_iter().map(str::to_owned).collect()
    }

    /// Takes a step from each of some jobs.
    ///
    /// # Errors
    /// As [`Planned::open`].
    pub fn follow(
        &mut self,
        from: &[Link],
        step: &Step,
        tree: &PathTree,
        planned: &impl Planned,
    ) -> Result<Vec<Link>> {
        match step {
            Step::Task(task) if !self.nearest.contains_key(task) => {
                let job_id = |job| self.job_id(JobIx(job), |run| planned.open(run).ok());
                let nearest = Nearest::of(self, |id| task_matches(task, id), &job_id);
                self.nearest.insert(task.clone(), nearest);
            }
            Step::Place(path) if !self.places.contains_key(path) => {
                let links = self.at_place(&tree.path(*path), planned)?;
                self.places.insert(*path, links);
            }
            _ => {}
        }
        let links: &[Link] = match step {
            Step::Task(task) => self.nearest.get(task).map_or(&[], |nearest| &nearest.links),
            Step::Place(path) => self.places.get(path).map_or(&[], Vec::as_slice),
        };
        let next = |link: &Link| match link {
            Link::Job(job) => links.get(self.whole(job.0) as usize).copied().unwrap_or(Link::None),
            link => *link,
        };
        Ok(from.iter().map(next).collect())
    }

    /// Leads links of the rows of a planned run to the jobs that this run itself names, where they lead to a job of a run behind
    /// a stub that it names too.
    ///
    /// # Errors
    /// As [`Planned::open`].
    pub fn settle(&self, run: usize, links: &mut [Link], planned: &impl Planned) -> Result<()> {
        let is_other = |job: &JobIx| self.locate(job.0).0 >= self.planned;
        let others =
            links.iter().filter_map(|link| if let Link::Job(job) = link { Some(*job) } else { None });
        let mut own: HashMap<JobIx, JobIx> = others.filter(is_other).map(|job| (job, job)).collect();
        if own.is_empty() {
            return Ok(());
        }
        let loaded = planned.open(run)?;
        let (jobs, rows) = (&self.runs[run].jobs, loaded.rows());
        for (job, own) in &mut own {
            let Some(job_id) = self.job_id(*job, |run| planned.open(run).ok()) else { continue };
            let position = rows.position(job_id.as_bytes()).filter(|&position| position < jobs.task_of.len());
            let unlisted = || jobs.unlisted.iter().position(|unlisted| unlisted.job_id == job_id);
            let number = position.or_else(|| unlisted().map(|position| jobs.task_of.len() + position));
            *own = number.map_or(*job, |number| self.listed(run, number));
        }
        for link in links {
            if let Link::Job(job) = link
                && let Some(own) = own.get(job)
            {
                *job = *own;
            }
        }
        Ok(())
    }

    /// The identifier of a job. `open` gives the runs that were asked for.
    #[must_use]
    pub fn job_id(&self, job: JobIx, open: impl Fn(usize) -> Option<Arc<LoadedRun>>) -> Option<String> {
        let (run, number) = self.locate(job.0);
        if let Some(unlisted) = self.runs[run].jobs.unlisted(number) {
            return Some(unlisted.job_id.clone());
        }
        let loaded = self.other_run(run).cloned().or_else(|| open(run))?;
        listed_id(&loaded, number)
    }

    /// Two jobs of a task that are equally near to a job.
    #[must_use]
    pub fn equally_near(&self, job: JobIx, task: &str) -> Option<[JobIx; 2]> {
        let (a, b) = self.nearest.get(task)?.several.get(&self.whole(job.0))?;
        Some([JobIx(*a), JobIx(*b)])
    }
}
