//! The workspace: one directory that experimaestro wrote.

use std::io;
use std::path::{Path, PathBuf};

use super::listing::{confined, entries, is_real_dir, is_symlink, link_target, names};
use super::look;
use super::names::{newer, plain};
use super::run::{Layout, Run, V1_RUN_ID, holds_run};
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};

/// The empty file at the root of a workspace.
const MARKER: &str = ".__experimaestro__";

/// A directory that holds experiments and jobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Whether `path` looks like the root of a workspace: it has the marker file, or directories that only a
    /// workspace has. A mere `experiments/` is not enough, source trees have one too.
    ///
    /// # Errors
    /// `Io`: the system does not tell.
    pub fn recognized(path: &Path) -> Result<bool> {
        let has = |name: &str| look::is_dir(&path.join(name));
        let recognized = || {
            Ok(look::is_file(&path.join(MARKER))?
                || has("experiments")? && (has(".events")? || has("jobs")? || has_run(path)?)
                || has("xp")? && has("jobs")?)
        };
        recognized().map_err(|error| Error::io(path, &error))
    }

    /// Whether `path` certainly looks like the root of a workspace.
    #[must_use]
    pub fn is_workspace(path: &Path) -> bool {
        Self::recognized(path).unwrap_or(false)
    }

    /// The workspace at `path`, made absolute; symlinks that the caller typed are kept as typed.
    ///
    /// # Errors
    /// `WorkspaceNotFound`: there is no directory, or none that holds experiments; `Io`: the system does not tell.
    pub fn open(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
        let refused = |error: io::Error| Error::io(&root, &error);
        let has = |name: &str| look::is_dir(&root.join(name)).map_err(refused);
        if Self::recognized(&root)? || has("experiments")? || has("xp")? {
            return Ok(Self { root });
        }
        let reason = match look::metadata(&root).map_err(refused)? {
            Some(found) if found.is_dir() => "this directory is not an experimaestro workspace",
            Some(_) => "a workspace is a directory, this is a file",
            None => "there is no such directory",
        };
        let hint = root.ancestors().skip(1).find(|above| Self::is_workspace(above)).map_or_else(
            || format!("expected there: the marker {MARKER}, or experiments/, or xp/ of version 1"),
            |above| format!("the workspace around it is {}", above.display()),
        );
        Err(Error::new(ErrorKind::WorkspaceNotFound, reason).at_file(&root).hint(hint))
    }

    /// A workspace that was recognised by other means: nothing is checked.
    pub(super) fn assumed(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the experiments of 2.x.
    pub(super) fn experiments_dir(&self) -> PathBuf {
        self.root.join("experiments")
    }

    /// The directory of the experiments of 1.x.
    pub(super) fn xp_dir(&self) -> PathBuf {
        self.root.join("xp")
    }

    /// The names of the experiments of both layouts, sorted. Hidden and non-UTF-8 names are left out, and so
    /// are symlinks that lead out of the workspace.
    ///
    /// # Errors
    /// `Io`: a directory cannot be listed.
    pub fn experiments(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for parent in [self.experiments_dir(), self.xp_dir()] {
            for name in names(&parent, |_, kind| kind.is_dir() || kind.is_symlink())? {
                match real_dir(&parent.join(&name), &parent) {
                    Ok(Some(_)) => found.push(name),
                    Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                    Ok(None) | Err(_) => {}
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The runs of `experiment`, newest first; the one run of a 1.x experiment is called `v1`. Symlinks are
    /// not runs.
    ///
    /// # Errors
    /// `InvalidName`, `ExperimentNotFound`, or `Io`.
    pub fn runs(&self, experiment: &str) -> Result<Vec<Run>> {
        let homes = self.homes(experiment)?;
        let mut runs = Vec::new();
        if let Some(home) = homes.v2 {
            let mut ids = names(&home, |_, kind| kind.is_dir())?;
            ids.sort_by(|a, b| newer(b, a));
            runs.extend(
                ids.into_iter().map(|id| Run::new(self, experiment, &id, home.join(&id), Layout::V2)),
            );
        }
        runs.extend(homes.v1.map(|home| Run::new(self, experiment, V1_RUN_ID, home, Layout::V1)));
        Ok(runs)
    }

    /// The latest run: the one that the `current` link names, in any of the places where the versions keep
    /// it, else the newest.
    ///
    /// # Errors
    /// As [`Workspace::runs`], and `RunNotFound` when the experiment has no run.
    pub fn latest(&self, experiment: &str) -> Result<Run> {
        if let Some(home) = self.homes(experiment)?.v2
            && let Some(id) = self.current(experiment, &home)?
        {
            let path = home.join(&id);
            return Ok(Run::new(self, experiment, &id, path, Layout::V2));
        }
        self.runs(experiment)?.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::RunNotFound, format!("experiment {} has no run", quoted(experiment)))
                .at_file(&self.experiments_dir().join(experiment))
        })
    }

    /// The run `run_id` of `experiment`.
    ///
    /// # Errors
    /// `InvalidName`, `ExperimentNotFound`, `RunNotFound`, or `Io`.
    pub fn run(&self, experiment: &str, run_id: &str) -> Result<Run> {
        plain("run", run_id)?;
        let homes = self.homes(experiment)?;
        if let Some(home) = &homes.v2 {
            let path = home.join(run_id);
            let real = real_dir(&path, &self.experiments_dir())?;
            if real.is_some() && !is_symlink(&path) {
                return Ok(Run::new(self, experiment, run_id, path, Layout::V2));
            }
        }
        if let Some(home) = homes.v1
            && run_id == V1_RUN_ID
        {
            return Ok(Run::new(self, experiment, V1_RUN_ID, home, Layout::V1));
        }
        Err(self.no_run(experiment, run_id))
    }

    fn no_run(&self, experiment: &str, run_id: &str) -> Error {
        let known = self.runs(experiment).unwrap_or_default();
        let count = match known.as_slice() {
            [] => "it has no run at all".to_owned(),
            [only] => format!("its only run is {}", only.id()),
            [newest, ..] => format!("it has {} runs, the newest is {}", known.len(), newest.id()),
        };
        let near = did_you_mean(run_id, known.iter().map(Run::id));
        Error::new(
            ErrorKind::RunNotFound,
            format!("experiment {} has no run {}", quoted(experiment), quoted(run_id)),
        )
        .at_file(&self.root)
        .hint(near.into_iter().chain([count]).collect::<Vec<_>>().join(" "))
    }

    /// The directory of a job: the path is built, not looked at.
    ///
    /// # Errors
    /// `InvalidName`: a name is not one plain path component.
    pub fn job_dir(&self, task_id: &str, job_id: &str) -> Result<PathBuf> {
        Ok(self.root.join("jobs").join(plain("task", task_id)?).join(plain("job", job_id)?))
    }

    /// The names of the job directories of one task, in any order; none when the task has no directory.
    ///
    /// # Errors
    /// `InvalidName`, or `Io`.
    pub fn jobs_of(&self, task_id: &str) -> Result<impl Iterator<Item = String> + use<>> {
        // a job directory may be a symlink to another disk
        let found = entries(&self.root.join("jobs").join(plain("task", task_id)?))?;
        Ok(found.filter(|(_, kind)| kind.is_dir() || kind.is_symlink()).map(|(name, _)| name))
    }

    /// Every job directory as (task, job), also of jobs that no run knows; tasks sorted, one task listed at a
    /// time.
    ///
    /// # Errors
    /// `Io`: `jobs/` cannot be listed; the items fail for a task that cannot be listed.
    pub fn jobs(&self) -> Result<impl Iterator<Item = Result<(String, String)>>> {
        let tasks = names(&self.root.join("jobs"), |_, kind| kind.is_dir() || kind.is_symlink())?;
        Ok(tasks.into_iter().flat_map(move |task| -> Box<dyn Iterator<Item = _>> {
            match self.jobs_of(&task) {
                Ok(jobs) => Box::new(jobs.map(move |job| Ok((task.clone(), job)))),
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        }))
    }

    /// Where the experiment is, in each layout.
    fn homes(&self, experiment: &str) -> Result<Homes> {
        plain("experiment", experiment)?;
        let find = |parent: PathBuf| -> Result<Option<PathBuf>> {
            let home = parent.join(experiment);
            Ok(real_dir(&home, &parent)?.map(|_| home))
        };
        let homes = Homes { v2: find(self.experiments_dir())?, v1: find(self.xp_dir())? };
        if homes.v2.is_none() && homes.v1.is_none() { Err(self.no_experiment(experiment)) } else { Ok(homes) }
    }

    fn no_experiment(&self, experiment: &str) -> Error {
        let known = self.experiments().unwrap_or_default();
        let count = match known.as_slice() {
            [] => "the workspace holds no experiment".to_owned(),
            [only] => format!("the workspace holds only {}", quoted(only)),
            _ => format!("the workspace holds {} experiments", known.len()),
        };
        let near = did_you_mean(experiment, known.iter().map(String::as_str));
        Error::new(ErrorKind::ExperimentNotFound, format!("no experiment {}", quoted(experiment)))
            .at_file(&self.root)
            .hint(near.into_iter().chain([count]).collect::<Vec<_>>().join(" "))
    }

    /// The run that a `current` link names, if that run is there. Only the last component of the target
    /// counts: links of older versions are absolute and a workspace moves.
    fn current(&self, experiment: &str, home: &Path) -> Result<Option<String>> {
        let links = [
            home.join("current"),
            self.root.join(".events/experiments").join(experiment).join("current"),
            self.root.join(".experimaestro/experiments").join(experiment),
        ];
        for link in links {
            let Some(target) = link_target(&link)? else { continue };
            if let Some(id) = target.file_name().and_then(|name| name.to_str())
                && is_real_dir(&home.join(id))?
            {
                return Ok(Some(id.to_owned()));
            }
            self.refuse_outside(&link)?;
        }
        Ok(None)
    }

    /// Refuses a link to something that exists outside of `experiments/`; a dangling link is fine.
    fn refuse_outside(&self, link: &Path) -> Result<()> {
        confined(link, &self.experiments_dir()).map(drop)
    }
}

/// The directories of one experiment.
struct Homes {
    v2: Option<PathBuf>,
    v1: Option<PathBuf>,
}

/// Whether some experiment under `root` has a directory with the files of a run. Looks at a few only.
fn has_run(root: &Path) -> io::Result<bool> {
    let parent = root.join("experiments");
    let Ok(experiments) = entries(&parent) else { return Ok(false) };
    for (name, _) in experiments.take(8) {
        let experiment = parent.join(name);
        for (run, kind) in entries(&experiment).into_iter().flatten() {
            if kind.is_dir() && holds_run(&experiment.join(run))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The directory that `path` really is, below `bounds`; nothing where there is no directory.
fn real_dir(path: &Path, bounds: &Path) -> Result<Option<PathBuf>> {
    let Some(real) = confined(path, bounds)? else { return Ok(None) };
    let is_dir = look::is_dir(&real).map_err(|error| Error::io(path, &error))?;
    Ok(is_dir.then_some(real))
}
