//! A workspace for Python.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::argument::{Name, PathArgument};
use super::errors::exceptions;
use super::run::Run;
use super::status::status_dict;
use crate::records::{Zone, statuses_without_run};
use crate::{columns, error, workspace};

/// A handle on a workspace: names of experiments and runs. Reads directories only.
#[pyclass(frozen, module = "xpframe._core")]
pub struct Workspace {
    workspace: workspace::Workspace,
}

impl Workspace {
    pub(super) fn workspace(&self) -> &workspace::Workspace {
        &self.workspace
    }
}

#[pymethods]
impl Workspace {
    /// Opens a workspace. With `without_experiments`, an empty directory and one that only has `jobs/` are workspaces too.
    #[new]
    #[pyo3(signature = (path, archives=Vec::new(), *, without_experiments=false))]
    fn new(
        py: Python<'_>,
        path: PathArgument,
        archives: Vec<(PathBuf, Vec<PathBuf>)>,
        without_experiments: bool,
    ) -> PyResult<Self> {
        let open = if without_experiments {
            workspace::Workspace::open_without_experiments
        } else {
            workspace::Workspace::open
        };
        let workspace = py.detach(|| open(&path.0))?;
        Ok(Self { workspace: workspace.with_archives(&archives.into_iter().collect()) })
    }

    fn __getnewargs__(&self) -> (PathBuf,) {
        (self.root(),)
    }

    /// The root directory.
    #[getter]
    fn root(&self) -> PathBuf {
        self.workspace.root().to_path_buf()
    }

    /// The names of the experiments, sorted.
    fn experiments(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(py.detach(|| self.workspace.experiments())?)
    }

    /// The experiments that no listing has, since their names are not UTF-8 or their directory cannot be listed: exceptions of
    /// `xpframe.errors`, not raised.
    fn unreadable_experiments<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        exceptions(py, &py.detach(|| self.workspace.unreadable_experiments()))
    }

    /// Runs of an experiment that is one of several, in the order of their rows: `which` is `latest`, `all` (the oldest first) or
    /// the identifier of a run. In place of what cannot be read stands a run without jobs, whose `errors` say why.
    fn readable_runs(&self, py: Python<'_>, experiment: Name, which: &str) -> PyResult<Vec<Run>> {
        let workspace = &self.workspace;
        let (read, refused) = py.detach(|| match which {
            "latest" => (workspace.latest(&experiment).map(|run| vec![run]), Vec::new()),
            "all" => {
                let refused = workspace.unreadable_runs(&experiment).unwrap_or_default();
                let runs = workspace.runs(&experiment);
                (runs.map(|runs| runs.into_iter().rev().collect()), refused)
            }
            run_id => (workspace.run(&experiment, run_id).map(|run| vec![run]), Vec::new()),
        });
        let (runs, refused) = match read {
            Ok(runs) => (runs, refused),
            Err(error) if error.kind() == error::ErrorKind::Io => {
                (Vec::new(), vec![(workspace.unreadable_experiment(&experiment), error)])
            }
            Err(error) => return Err(error.into()),
        };
        let runs = runs.into_iter().map(|run| Run::new(py, run));
        runs.chain(refused.into_iter().map(|(run, error)| Run::unreadable(py, run, error))).collect()
    }

    /// The runs of an experiment, newest first.
    fn runs(&self, py: Python<'_>, experiment: Name) -> PyResult<Vec<Run>> {
        let runs = py.detach(|| self.workspace.runs(&experiment))?;
        runs.into_iter().map(|run| Run::new(py, run)).collect()
    }

    /// The run that `current` names, else the newest.
    fn latest(&self, py: Python<'_>, experiment: Name) -> PyResult<Run> {
        Run::new(py, py.detach(|| self.workspace.latest(&experiment))?)
    }

    /// A run by its identifier.
    fn run(&self, py: Python<'_>, experiment: Name, run_id: Name) -> PyResult<Run> {
        Run::new(py, py.detach(|| self.workspace.run(&experiment, &run_id))?)
    }

    /// The job directories as (task_id, job_id), also of jobs that no run lists, and the directories that cannot be listed:
    /// exceptions of `xpframe.errors`, not raised.
    fn jobs<'py>(&self, py: Python<'py>) -> PyResult<JobDirectories<'py>> {
        let mut jobs = Vec::new();
        let mut errors = Vec::new();
        py.detach(|| match self.workspace.jobs() {
            Ok(listed) => {
                for job in listed {
                    match job {
                        Ok(job) => jobs.push(job),
                        Err(error) => errors.push(error),
                    }
                }
            }
            Err(error) => errors.push(error),
        });
        Ok((jobs, exceptions(py, &errors)?))
    }

    /// What the directories of jobs say, each given as (task_id, job_id), whatever their run is: a list of dicts with state,
    /// failure, exit_code, retries, and the times submitted_at, started_at and ended_at in microseconds since 1970 UTC.
    fn job_statuses<'py>(
        &self,
        py: Python<'py>,
        jobs: Vec<(String, String)>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let (statuses, _) = py.detach(|| statuses_without_run(&self.workspace, &jobs));
        let zone = Zone::local();
        statuses.iter().map(|status| status_dict(py, status, &zone)).collect()
    }

    /// The directory of a job, which need not exist.
    fn job_directory(&self, task_id: Name, job_id: Name) -> PyResult<PathBuf> {
        Ok(self.workspace.job_dir(&task_id, &job_id)?)
    }

    /// The newest run that has a link to a job; None if there is none.
    fn run_of_job(&self, py: Python<'_>, task_id: Name, job_id: Name) -> PyResult<Option<Run>> {
        let newest = py.detach(|| self.workspace.run_of_job(&task_id, &job_id));
        newest.map(|run| Run::new(py, run)).transpose()
    }
}

/// Job directories, and what could not be listed.
type JobDirectories<'py> = (Vec<(String, String)>, Vec<Bound<'py, PyAny>>);

/// Whether a directory looks like a workspace. A ReadError if the system does not tell.
#[pyfunction]
pub fn is_workspace(py: Python<'_>, path: PathArgument) -> PyResult<bool> {
    Ok(py.detach(|| workspace::Workspace::recognized(&path.0))?)
}

/// Shell patterns of what is read: of experiments, relative to the root; of each job and of failed jobs, relative to the job.
#[pyfunction]
pub fn read_patterns(experiments: Vec<String>) -> (Vec<String>, Vec<String>, Vec<String>) {
    let names: Vec<&str> = experiments.iter().map(String::as_str).collect();
    let (of_jobs, of_failed_jobs) = workspace::job_patterns();
    (workspace::run_patterns(&names), of_jobs, of_failed_jobs)
}

/// Whether a name matches a shell pattern.
#[pyfunction]
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    columns::glob_matches(pattern, name)
}

/// The names nearest to the wanted name, at most three.
#[pyfunction]
pub fn near_misses(wanted: &str, names: Vec<String>) -> Vec<String> {
    error::near_misses(wanted, names.iter().map(String::as_str)).into_iter().map(str::to_owned).collect()
}
