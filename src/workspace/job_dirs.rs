//! Where the directories of jobs are: below `jobs/`, behind a link that a move of the workspace broke, or in an archive.
//!
//! experimaestro's setting `folders` copies or moves the directories of jobs to other disks (docs/format.md §13.11). A moved
//! directory leaves an absolute link behind, which dangles once the workspace is moved with its archive.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::listing::is_symlink;
use super::look;
use super::names::plain;
use super::root::Workspace;
use crate::error::Result;
use crate::file::is_absent;

/// How many directories above the workspace an archive is looked for, after a move of both.
const MAX_LEVELS_ABOVE: usize = 2;

/// The files that only the directory of a job has.
const JOB_FILES: [&str; 2] = ["params.json", ".experimaestro"];

impl Workspace {
    /// The directory of a job: the path is built, not looked at.
    ///
    /// # Errors
    /// `InvalidName`: a name is not one plain path component.
    pub fn job_dir(&self, task_id: &str, job_id: &str) -> Result<PathBuf> {
        Ok(self.task_dir(task_id)?.join(plain("job", job_id)?))
    }

    /// The directory of a job, looked for: that below `jobs/`; else the one that a dangling link meant before the workspace was
    /// moved; else the one in an archive. The usual path if there is none at all.
    ///
    /// # Errors
    /// `InvalidName`: a name is not one plain path component.
    pub fn find_job_dir(&self, task_id: &str, job_id: &str) -> Result<PathBuf> {
        let usual = self.job_dir(task_id, job_id)?;
        if !fs::metadata(&usual).is_err_and(|error| is_absent(&error)) {
            return Ok(usual);
        }
        let moved = || self.behind_broken_link(&usual, job_id);
        let archived = || {
            let directories =
                self.archives().iter().map(|archive| archive.join("jobs").join(task_id).join(job_id));
            directories.into_iter().find(|directory| look::is_dir(directory).unwrap_or(false))
        };
        Ok(moved().or_else(archived).unwrap_or(usual))
    }

    /// The identifier that a job had before its class was deprecated: `experimaestro deprecated list --fix` links its directory to
    /// that of the former identifier.
    #[must_use]
    pub fn former_job_id(&self, task_id: &str, job_id: &str) -> Option<String> {
        let target = fs::read_link(self.job_dir(task_id, job_id).ok()?).ok()?;
        let name = target.file_name()?.to_str().filter(|name| *name != job_id)?;
        Some(name.to_owned())
    }

    /// Whether the directories of a task's jobs may be elsewhere than in its listing: it is a link, or there are archives.
    pub(crate) fn may_be_elsewhere(&self, task_id: &str) -> bool {
        let is_link = |directory: Result<PathBuf>| directory.is_ok_and(|directory| is_symlink(&directory));
        !self.archives().is_empty()
            || is_symlink(&self.root().join("jobs"))
            || is_link(self.task_dir(task_id))
    }

    /// What the link at the path of a job, of its task or of `jobs/` meant before the workspace was moved: an end of its target,
    /// below this workspace or near it.
    fn behind_broken_link(&self, usual: &Path, job_id: &str) -> Option<PathBuf> {
        let meant = usual.ancestors().take(3).find_map(|link| {
            let target = fs::read_link(link).ok().filter(|target| target.is_absolute())?;
            Some(target.join(usual.strip_prefix(link).ok()?))
        })?;
        let names: Vec<Component<'_>> =
            meant.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let is_job = |directory: &Path| {
            look::is_dir(directory).unwrap_or(false)
                && (directory.ends_with(job_id) || JOB_FILES.iter().any(|file| directory.join(file).exists()))
        };
        let ends =
            || (0..names.len().saturating_sub(1)).map(|start| names[start..].iter().collect::<PathBuf>());
        let above =
            self.root().ancestors().take(1 + MAX_LEVELS_ABOVE).filter(|above| above.parent().is_some());
        above
            .into_iter()
            .find_map(|above| ends().map(|end| above.join(end)).find(|directory| is_job(directory)))
    }
}
