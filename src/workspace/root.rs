//! The workspace: one directory that experimaestro wrote.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{has_run, has_run_in, is_foreign};
use super::listing::{entries, names, real_dir};
use super::look;
use super::names::plain;
use crate::error::{Error, ErrorKind, Result};

/// The empty file at the root of a workspace.
pub(super) const MARKER: &str = ".__experimaestro__";
/// The directory at the root of a copy of a workspace, which `xpframe pull` makes.
pub const COPY_MARKER: &str = ".xpframe-pull";

/// A directory that holds experiments and jobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Workspace {
    root: PathBuf,
    /// The directories to which experimaestro's setting `folders` archives jobs
    archives: Vec<PathBuf>,
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
                || has("experiments")? && (has(".events")? || has("jobs")? || has_run(path))
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
            return Ok(Self::assumed(root));
        }
        let reason = match look::metadata(&root).map_err(refused)? {
            Some(metadata) if metadata.is_dir() => "this directory is not an experimaestro workspace",
            Some(_) => "a workspace is a directory, this is a file",
            None => "there is no such directory",
        };
        let hint = root.ancestors().skip(1).find(|above| Self::is_workspace(above)).map_or_else(
            || format!("expected there: the marker {MARKER}, or experiments/, or xp/ of version 1"),
            |above| format!("the workspace around it is {}", above.display()),
        );
        Err(Error::new(ErrorKind::WorkspaceNotFound, reason).at_file(&root).hint(hint))
    }

    /// The workspace at `path`, which may have no experiment yet, or none any more: the directory is empty, or has `jobs/`.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub fn open_without_experiments(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
        let is_new = look::is_dir(&root).unwrap_or(false)
            && (look::is_dir(&root.join("jobs")).unwrap_or(false)
                || root.read_dir().is_ok_and(|mut entries| entries.next().is_none()));
        if is_new { Ok(Self::assumed(root)) } else { Self::open(path) }
    }

    /// A workspace that was recognised by other means: nothing is checked.
    pub(super) fn assumed(root: PathBuf) -> Self {
        Self { root, archives: Vec::new() }
    }

    /// The same workspace, with the directories to which experimaestro's setting `folders` archives its jobs, given by the roots of
    /// workspaces: jobs that are not below `jobs/` are looked for there.
    #[must_use]
    pub fn with_archives(self, archives: &HashMap<PathBuf, Vec<PathBuf>>) -> Self {
        let is_here = |root: &Path| {
            root == self.root
                || fs::canonicalize(root)
                    .is_ok_and(|root| fs::canonicalize(&self.root).is_ok_and(|here| here == root))
        };
        let archives = archives.iter().find(|(root, _)| is_here(root)).map(|(_, archives)| archives.clone());
        Self { archives: archives.unwrap_or_default(), ..self }
    }

    /// The directories to which jobs were archived.
    pub(super) fn archives(&self) -> &[PathBuf] {
        &self.archives
    }

    /// Where it is, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether it is a copy of another machine's workspace: nobody holds locks in it.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.root.join(COPY_MARKER).is_dir()
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
    /// are symlinks that lead out of the workspace and the directories that file servers put everywhere (`@eaDir`). An experiment
    /// of which the system does not tell is in the list: whoever reads it is told.
    ///
    /// # Errors
    /// `Io`: nothing can be listed. Of one unreadable directory of two, `unreadable_experiments` tells.
    pub fn experiments(&self) -> Result<Vec<String>> {
        let (mut experiments, mut refused) = (Vec::new(), None);
        for parent in [self.experiments_dir(), self.xp_dir()] {
            let listed = names(&parent, |_, kind| kind.is_dir() || kind.is_symlink());
            let listed = listed.unwrap_or_else(|error| {
                refused.get_or_insert(error);
                Vec::new()
            });
            experiments.extend(listed.into_iter().filter(|name| {
                let path = parent.join(name);
                match real_dir(&path, &parent) {
                    Ok(Some(_)) => !is_foreign(name) || has_run_in(&path),
                    Ok(None) => false,
                    Err(error) => error.kind() == ErrorKind::Io,
                }
            }));
        }
        if let Some(error) = refused.filter(|_| experiments.is_empty()) {
            return Err(error);
        }
        experiments.sort_unstable();
        experiments.dedup();
        Ok(experiments)
    }

    /// The directory that holds the job directories of a task: the path is built, not looked at.
    ///
    /// # Errors
    /// `InvalidName`: the name is not one plain path component.
    pub fn task_dir(&self, task_id: &str) -> Result<PathBuf> {
        Ok(self.root.join("jobs").join(plain("task", task_id)?))
    }

    /// The names of the job directories of one task, in any order, and whether each is a symlink, as to another disk; none when
    /// the task has no directory.
    ///
    /// # Errors
    /// `InvalidName`, or `Io`.
    pub fn jobs_of(&self, task_id: &str) -> Result<impl Iterator<Item = (String, bool)> + use<>> {
        let jobs = entries(&self.root.join("jobs").join(plain("task", task_id)?))?;
        let jobs = jobs.filter(|(_, kind)| kind.is_dir() || kind.is_symlink());
        Ok(jobs.map(|(name, kind)| (name, kind.is_symlink())))
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
                Ok(jobs) => Box::new(jobs.map(move |(job, _)| Ok((task.clone(), job)))),
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        }))
    }
}
