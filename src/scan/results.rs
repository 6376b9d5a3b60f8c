//! Reads the result files of the jobs of a plan, once.

use std::path::{Path, PathBuf};

use ahash::HashMap;

use crate::columns::{Chosen, PathTree, Selection, System, UpstreamName};
use crate::error::{Error, Result};
use crate::loaded::LoadedRun;
use crate::progress::CancelToken;
use crate::records::JobDirectories;
use crate::results::{
    FileState, Handle, HandleReport, ResultJob, ResultOptions, Scalars, Target, read_scalars,
};
use crate::table::RunResults;
use crate::threads;
use crate::values::{Record, Value};

/// The result files that are asked for.
#[derive(Debug, Clone)]
pub struct ResultRequest {
    /// The part of the columns' names, as in `result.<name>.<key>`; nothing for `result.<key>`
    pub name: Option<String>,
    /// Which files
    pub handle: Handle,
    /// How they are read
    pub options: ResultOptions,
}

/// Whether some column that is asked for may be a result.
pub(super) fn needs_results(selection: &Selection) -> bool {
    let Selection::Chosen(patterns) = selection else { return true };
    patterns.iter().flat_map(Chosen::patterns).any(|pattern| !is_upstream(pattern) && may_be_result(pattern))
}

/// Whether a name may be that of a result.
pub(super) fn may_be_result(pattern: &str) -> bool {
    let is_outside = ["tags.", "config."].iter().any(|prefix| pattern.starts_with(prefix))
        || System::all().any(|system| system.name() == pattern);
    !is_outside
}

/// Whether a name is spelled as a column of a job upstream.
pub(super) fn is_upstream(pattern: &str) -> bool {
    UpstreamName::parse(pattern).is_some()
}

/// A job of a run, and what each handle means for it.
#[derive(Debug)]
struct PlannedJob {
    position: usize,
    job_id: String,
    /// Nothing if its name cannot be that of a directory
    directory: Option<PathBuf>,
    /// Whether a later run lists it too, which may not be among those that are read
    is_listed_later: bool,
    targets: Vec<Target>,
}

/// Which rows of a job that several runs list get its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holders {
    /// That of the last run: several runs of an experiment were asked for, which may have executed the job anew
    LastRun,
    /// That of the last run of each experiment
    LastRunOfExperiment,
    /// Each of them
    Each,
}

/// What handles mean for the jobs of some runs.
pub(super) struct ResultReader<'r> {
    requests: &'r [ResultRequest],
    reports: Vec<HandleReport>,
    runs: Vec<ObservedRun>,
    jobs: usize,
    /// The directories of the jobs, by the roots of their workspaces
    directories: HashMap<PathBuf, JobDirectories>,
}

/// The jobs of a run that are asked about.
struct ObservedRun {
    /// The directory of its experiment
    experiment: PathBuf,
    /// How many jobs it has
    count: usize,
    jobs: Vec<PlannedJob>,
}

/// The directories of so many jobs without a file are kept, for what it may be called.
const MAX_MISSING: usize = 3;

/// The results of the jobs of a run, and every loss.
#[derive(Debug, Default)]
pub(super) struct ReadResults {
    pub results: RunResults,
    /// The directories of the first jobs without a file, by handle
    pub missing: Vec<Vec<PathBuf>>,
    pub errors: Vec<Error>,
}

impl<'r> ResultReader<'r> {
    pub fn new(requests: &'r [ResultRequest]) -> Self {
        let reports = requests.iter().map(|_| HandleReport::default()).collect();
        let directories = HashMap::default();
        Self { requests, reports, runs: Vec::new(), jobs: 0, directories }
    }

    /// Whether handles are resolved in the configs of jobs.
    pub fn needs_configs(&self) -> bool {
        self.requests.iter().any(|request| request.handle.is_parameter())
    }

    /// Notes what the handles mean for some jobs of a run; all of its jobs if there are none. `listed_later` says which of its
    /// jobs a later run lists too, by their positions, besides the runs that are noted here.
    ///
    /// # Errors
    /// `InvalidArgument`: a handle means several paths of one job.
    pub fn observe(
        &mut self,
        loaded: &LoadedRun,
        chosen: Option<&[usize]>,
        listed_later: &[bool],
    ) -> Result<()> {
        let rows = loaded.rows();
        let count = rows.rows.len();
        let positions: Vec<usize> = chosen.map_or_else(|| (0..count).collect(), <[usize]>::to_vec);
        let objects = self.needs_configs().then(|| loaded.objects());
        let directories = self.directories.entry(loaded.run().workspace().root().to_path_buf()).or_default();
        let mut jobs = Vec::with_capacity(positions.len());
        for position in positions {
            let row = &rows.rows[position];
            let job_id = rows.job_id(row).into_owned();
            let workspace = loaded.run().workspace();
            let task_id = rows.task_id(row);
            let usual = workspace.job_dir(&task_id, &job_id).ok();
            // what cannot be listed is reported with the states of jobs
            let found = directories.of(workspace, &task_id, &job_id, &mut Vec::new());
            let directory = found.ok().flatten().or_else(|| usual.clone());
            let mut targets = Vec::with_capacity(self.requests.len());
            for (request, report) in self.requests.iter().zip(&mut self.reports) {
                let target = match (&request.handle, objects, &usual) {
                    (Handle::Glob(glob), ..) => Target::Glob(glob.clone()),
                    (handle, Some(objects), Some(usual)) => {
                        handle.target(&objects.graph, objects.roots[position], usual, report)?
                    }
                    _ => Target::None,
                };
                targets.push(match (&usual, &directory) {
                    (Some(usual), Some(directory)) if usual != directory => target.moved(usual, directory),
                    _ => target,
                });
            }
            let is_listed_later = listed_later.get(position).copied().unwrap_or_default();
            jobs.push(PlannedJob { position, job_id, directory, is_listed_later, targets });
        }
        self.jobs += jobs.len();
        let experiment = loaded.run().path().parent().map(Path::to_path_buf).unwrap_or_default();
        self.runs.push(ObservedRun { experiment, count, jobs });
        Ok(())
    }

    /// Reads the files of all jobs, for those rows that get them, and notes what they hold.
    ///
    /// # Errors
    /// `InvalidArgument`, if `checks`: no job has a parameter of that name; `TooManyColumns`.
    pub fn read(
        self,
        tree: &mut PathTree,
        cancel: &[CancelToken],
        checks: bool,
        holders: Holders,
    ) -> Result<Vec<ReadResults>> {
        if checks {
            self.check()?;
        }
        let last_run = self.last_runs(holders == Holders::LastRunOfExperiment);
        let mut all = Vec::with_capacity(self.runs.len());
        for (index, ObservedRun { experiment, count, jobs }) in self.runs.iter().enumerate() {
            let token = cancel.get(index).cloned().unwrap_or_default();
            let experiment = (holders == Holders::LastRunOfExperiment).then_some(experiment.as_path());
            let holds = |job: &&PlannedJob| {
                let is_last_here =
                    |directory: &PathBuf| last_run.get(&(experiment, directory.as_path())) == Some(&index);
                let is_last = !job.is_listed_later && job.directory.as_ref().is_some_and(is_last_here);
                is_last || (holders == Holders::Each && job.directory.is_some())
            };
            let last: Vec<&PlannedJob> = jobs.iter().filter(holds).collect();
            let mut read = ReadResults::default();
            let mut parts = Vec::with_capacity(self.requests.len());
            for handle in 0..self.requests.len() {
                let scalars = self.scalars(handle, &last, &token);
                let mut files = vec![(FileState::None, None); *count];
                for job in jobs.iter().filter(|job| job.directory.is_some()) {
                    files[job.position].0 = FileState::Later;
                }
                let mut missing = Vec::new();
                for (job, result) in last.iter().zip(&scalars.jobs) {
                    if result.state == FileState::Missing && missing.len() < MAX_MISSING {
                        missing.extend(job.directory.clone());
                    }
                    let path = result.path.as_ref().map(|path| path.to_string_lossy().into_owned());
                    files[job.position] = (result.state, path);
                }
                read.results.files.push(files);
                read.missing.push(missing);
                parts.push(scalars);
            }
            self.unite(parts, &last, *count, &mut read);
            tree.observe_results(&read.results.store, read.results.records.iter().flatten().copied())?;
            all.push(read);
        }
        Ok(all)
    }

    fn check(&self) -> Result<()> {
        if self.jobs > 0 {
            for (request, report) in self.requests.iter().zip(&self.reports) {
                request.handle.check(report)?;
            }
        }
        Ok(())
    }

    /// The last run that lists the job of each directory; the last of each experiment if `by_experiment`.
    fn last_runs(&self, by_experiment: bool) -> HashMap<(Option<&Path>, &Path), usize> {
        let mut last_run = HashMap::default();
        for (index, run) in self.runs.iter().enumerate() {
            let experiment = by_experiment.then_some(run.experiment.as_path());
            for directory in run.jobs.iter().filter_map(|job| job.directory.as_deref()) {
                last_run.insert((experiment, directory), index);
            }
        }
        last_run
    }

    /// What the only handle means for the jobs of each run, in the order of their rows; nothing for jobs that a later run lists.
    ///
    /// # Errors
    /// `InvalidArgument`, if `checks`: no job has a parameter of that name.
    pub fn jobs(self, checks: bool) -> Result<Vec<Vec<Option<ResultJob>>>> {
        if checks {
            self.check()?;
        }
        let last_run = self.last_runs(false);
        let runs = self.runs.iter().enumerate().map(|(index, run)| {
            let target = |job: &PlannedJob| {
                let directory = job.directory.as_ref()?;
                let is_last = last_run.get(&(None, directory.as_path())) == Some(&index);
                let (job_id, directory) = (job.job_id.clone(), directory.clone());
                is_last.then_some(ResultJob { job_id, directory, target: job.targets.first()?.clone() })
            };
            run.jobs.iter().map(target).collect()
        });
        Ok(runs.collect())
    }

    fn scalars(&self, handle: usize, jobs: &[&PlannedJob], cancel: &CancelToken) -> Scalars {
        let asked = jobs.iter().filter_map(|job| {
            let (job_id, target) = (job.job_id.clone(), job.targets.get(handle)?.clone());
            Some(ResultJob { job_id, directory: job.directory.clone()?, target })
        });
        let asked: Vec<ResultJob> = asked.collect();
        read_scalars(&asked, &self.requests[handle].options, threads::at_most(usize::MAX), cancel)
    }

    /// One record a job: that of the only handle, or one with the records of each by the names of the handles.
    fn unite(&self, parts: Vec<Scalars>, jobs: &[&PlannedJob], count: usize, read: &mut ReadResults) {
        let ReadResults { results: RunResults { store, records, .. }, errors, .. } = read;
        *records = vec![None; count];
        let mut named: Vec<Vec<(&str, Record)>> = vec![Vec::new(); jobs.len()];
        for (request, part) in self.requests.iter().zip(parts) {
            errors.extend(part.errors);
            let moved = store.append(part.store, 0, |_| Value::Null);
            for (index, (job, result)) in jobs.iter().zip(part.jobs).enumerate() {
                let Some(record) = result.record.map(|record| moved.record(record)) else { continue };
                match &request.name {
                    None => records[job.position] = Some(record),
                    Some(name) => named[index].push((name, record)),
                }
            }
        }
        for (job, named) in jobs.iter().zip(named).filter(|(_, named)| !named.is_empty()) {
            let keys: Vec<_> = named.iter().map(|(name, _)| store.intern(name.as_bytes())).collect();
            let values: Vec<Value> = named.iter().map(|&(_, record)| Value::Dict(record)).collect();
            records[job.position] = Some(store.push_record(&keys, &values));
        }
    }
}
