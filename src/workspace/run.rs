//! A run: one launch of one experiment, and the names below its directory.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::layout::{Layout, holds_run};
use super::listing::{confined, entries, is_real_dir, names};
use super::look;
use super::names::plain;
use super::root::Workspace;
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};
use crate::threads;

/// The files of a saved object, in the order of preference.
pub(super) const SAVED_FILES: [&str; 2] = ["experimaestro.json", "definition.json"];

/// One launch of one experiment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    workspace: Workspace,
    experiment: String,
    id: String,
    path: PathBuf,
    layout: Layout,
}

/// A job as a run's directory of links names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedJob {
    /// The task of the job
    pub task_id: String,
    /// The identifier of the job
    pub job_id: String,
    /// Where the link pointed when it was written; nothing for a real directory
    pub target: Option<PathBuf>,
}

impl Run {
    pub(super) fn new(
        workspace: &Workspace,
        experiment: &str,
        id: &str,
        path: PathBuf,
        layout: Layout,
    ) -> Self {
        Self {
            workspace: workspace.clone(),
            experiment: experiment.to_owned(),
            id: id.to_owned(),
            path,
            layout,
        }
    }

    /// The same run, whose workspace has the archives of its jobs among these, by the roots of workspaces.
    #[must_use]
    pub fn with_archives(self, archives: &HashMap<PathBuf, Vec<PathBuf>>) -> Self {
        Self { workspace: self.workspace.with_archives(archives), ..self }
    }

    /// A run without a name and without files, for jobs whose run is not known.
    #[must_use]
    pub fn without_files(workspace: &Workspace) -> Self {
        // `jobs/` has none of the files of a run
        Self::new(workspace, "", "", workspace.root().join("jobs"), Layout::V2)
    }

    /// The workspace it is in.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The name of its experiment.
    #[must_use]
    pub fn experiment(&self) -> &str {
        &self.experiment
    }

    /// Its identifier: local time as `%Y%m%d_%H%M%S`, perhaps `.1`, `.2` … for launches in one second; `v1`
    /// for 1.x.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its directory, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The layout it belongs to.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether the directory has no file of a run and no links to jobs: it was made, and nothing was written.
    ///
    /// # Errors
    /// `Io`: the system does not tell.
    pub fn is_empty(&self) -> Result<bool> {
        let refused = |error| Error::io(&self.path, &error);
        let is_dir = |name: &str| look::is_dir(&self.path.join(name)).map_err(refused);
        Ok(!holds_run(&self.path).map_err(refused)? && !is_dir("jobs")? && !is_dir("jobs.bak")?)
    }

    /// The file that the driver of this run's experiment holds locked while it runs.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        let directory = match self.layout {
            Layout::V1 => &*self.path,
            Layout::V2 => self.path.parent().unwrap_or(&self.path),
        };
        directory.join("lock")
    }

    /// The jobs named by the symlinks of `jobs/`, then those only in `jobs.bak/` (1.x); sorted by task and
    /// job in each. The links are read, not followed. A run without these directories has none: `jobs.jsonl`
    /// is the reliable list.
    ///
    /// # Errors
    /// `Io`: a directory cannot be listed.
    pub fn linked_jobs(&self) -> Result<Vec<LinkedJob>> {
        let mut jobs = self.links_in("jobs")?;
        let first = jobs.len();
        for job in self.links_in("jobs.bak")? {
            let same =
                |linked: &LinkedJob| (&linked.task_id, &linked.job_id).cmp(&(&job.task_id, &job.job_id));
            if jobs[..first].binary_search_by(same).is_err() {
                jobs.push(job);
            }
        }
        Ok(jobs)
    }

    fn links_in(&self, directory: &str) -> Result<Vec<LinkedJob>> {
        let directory = self.path.join(directory);
        let mut jobs = Vec::new();
        if !is_real_dir(&directory)? {
            return Ok(jobs);
        }
        for task_id in names(&directory, |_, kind| kind.is_dir())? {
            let task = directory.join(&task_id);
            let job_ids = names(&task, |_, kind| kind.is_dir() || kind.is_symlink())?;
            jobs.extend(threads::each_waiting(&job_ids, |job_id| {
                let target = fs::read_link(task.join(job_id)).ok();
                LinkedJob { task_id: task_id.clone(), job_id: job_id.clone(), target }
            }));
        }
        Ok(jobs)
    }

    /// Where the link of one job pointed when it was written.
    #[must_use]
    pub fn link_target(&self, task_id: &str, job_id: &str) -> Option<PathBuf> {
        let names = [plain("task", task_id).ok()?, plain("job", job_id).ok()?];
        ["jobs", "jobs.bak"].iter().find_map(|directory| {
            let task = self.path.join(directory).join(names[0]);
            fs::read_link(task.join(names[1])).ok()
        })
    }

    /// Whether the run has a link to a job, or its directory.
    pub(super) fn has_link(&self, task_id: &str, job_id: &str) -> bool {
        let (Ok(task_id), Ok(job_id)) = (plain("task", task_id), plain("job", job_id)) else { return false };
        let entry = |directory: &str| self.path.join(directory).join(task_id).join(job_id);
        ["jobs", "jobs.bak"].iter().any(|directory| entry(directory).symlink_metadata().is_ok())
    }

    /// The files of experiment events: the permanent ones of this run in numeric order, then the live ones of
    /// its experiment. They may hold events of other runs. A live file that is a hard link of a permanent one
    /// is left out.
    ///
    /// # Errors
    /// `Io`: a directory cannot be listed.
    pub fn event_files(&self) -> Result<Vec<PathBuf>> {
        let root = self.workspace.root();
        let id = self.experiment.as_str();
        let permanent = numbered(&self.path.join("events"), |stem| stem.strip_prefix("event-"))?;
        let mut live =
            numbered(&root.join(".events/experiments"), |stem| stem.strip_prefix(id)?.strip_prefix('-'))?;
        if plain("experiment", id).is_ok() {
            let nested = root.join(".events/experiments").join(id);
            live.extend(numbered(&nested, |stem| stem.strip_prefix("events-"))?);
        }
        live.extend(numbered(&root.join(".experimaestro/experiments"), |stem| {
            stem.strip_prefix("events-")?.strip_suffix(id)?.strip_suffix('@')
        })?);
        let inodes: HashSet<FileId> = permanent.iter().filter_map(|file| file_id(file)).collect();
        live.retain(|file| file_id(file).is_none_or(|id| !inodes.contains(&id)));
        Ok(permanent.into_iter().chain(live).collect())
    }

    /// The names of the saved objects of this run, sorted: directories under `data/` in which the saving
    /// succeeded.
    ///
    /// # Errors
    /// `Io`: `data/`, or what is in it, cannot be looked at.
    pub fn saved(&self) -> Result<Vec<String>> {
        self.names_of_data(true)
    }

    /// The names under `data/` under which nothing can be loaded, sorted: their saving failed.
    ///
    /// # Errors
    /// `Io`: `data/`, or what is in it, cannot be looked at.
    pub fn unsaved(&self) -> Result<Vec<String>> {
        self.names_of_data(false)
    }

    fn names_of_data(&self, has_file: bool) -> Result<Vec<String>> {
        let data = self.path.join("data");
        let mut chosen = Vec::new();
        for name in names(&data, |_, kind| kind.is_dir() || kind.is_symlink())? {
            match self.saved_in(&data.join(&name)) {
                Ok(file) if file.is_some() == has_file => chosen.push(name),
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(chosen)
    }

    /// The file of the saved object `name`.
    ///
    /// # Errors
    /// `InvalidName`; `JobNotFound`: nothing was saved under that name; `Io`.
    pub fn saved_file(&self, name: &str) -> Result<PathBuf> {
        let directory = self.path.join("data").join(plain("saved object", name)?);
        if let Some(file) = self.saved_in(&directory)? {
            return Ok(file);
        }
        let names = self.saved().unwrap_or_default();
        let reason = if directory.is_dir() {
            format!("the saved object {} has a directory but no file: its saving failed", quoted(name))
        } else {
            format!(
                "run {} of {} saved nothing under the name {}",
                self.id,
                quoted(&self.experiment),
                quoted(name)
            )
        };
        let all = if names.is_empty() {
            "it saved nothing".into()
        } else {
            format!("it saved: {}", names.join(", "))
        };
        let near = did_you_mean(name, names.iter().map(String::as_str));
        Err(Error::new(ErrorKind::JobNotFound, reason)
            .at_file(&self.path.join("data"))
            .hint(near.into_iter().chain([all]).collect::<Vec<_>>().join(" ")))
    }

    /// The file of a saved object in `directory`, which must lie where the run does.
    fn saved_in(&self, directory: &Path) -> Result<Option<PathBuf>> {
        let bounds = match self.layout {
            Layout::V1 => self.workspace.xp_dir(),
            Layout::V2 => self.workspace.experiments_dir(),
        };
        let bounds = if self.path.starts_with(&bounds) { bounds } else { self.path.clone() };
        for file in SAVED_FILES.map(|file| directory.join(file)) {
            let Some(real) = confined(&file, &bounds)? else { continue };
            if look::is_file(&real).map_err(|error| Error::io(&file, &error))? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

/// The files of `directory` named by `number` around decimal digits and `.jsonl`, in numeric order.
fn numbered(directory: &Path, number: impl Fn(&str) -> Option<&str>) -> Result<Vec<PathBuf>> {
    // whatever has the name is listed: what is no file is told when it is read
    let mut files: Vec<(u64, String)> = entries(directory)?
        .filter_map(|(name, _)| {
            let digits = number(name.strip_suffix(".jsonl")?)?;
            // `u64::from_str` would take a sign
            let n = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
            Some((n, name))
        })
        .collect();
    files.sort_unstable();
    Ok(files.into_iter().map(|(_, name)| directory.join(name)).collect())
}

/// What two hard links of one file have in common: device and inode.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> Option<FileId> {
    None
}
