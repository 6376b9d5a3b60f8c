//! A run: one launch of one experiment, and the names below its directory.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::listing::{confined, entries, is_real_dir, names};
use super::look;
use super::names::plain;
use super::root::Workspace;
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};

/// The identifier given to the one run of a 1.x experiment.
pub(super) const V1_RUN_ID: &str = "v1";

/// The files that make a directory a run, whatever its name.
const RUN_FILES: [&str; 6] =
    ["objects.jsonl", "jobs.jsonl", "configs.json", "state.json", "status.json", "environment.json"];

/// The files of a saved object, in the order of preference.
const SAVED_FILES: [&str; 2] = ["experimaestro.json", "definition.json"];

/// The directory layout that a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `xp/<experiment>`, written by 1.x
    V1,
    /// `experiments/<experiment>/<run>`, written by 2.x and by migrations
    V2,
}

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

    /// The run whose directory is `path`: `…/experiments/<experiment>/<run>`, also through `current`;
    /// `…/xp/<experiment>` of 1.x; or a directory anywhere that holds the files of a run.
    ///
    /// # Errors
    /// `RunNotFound`: nothing there, or not a run; `InvalidName`: a link that leaves the workspace; `Io`: the system does not tell
    /// what is there.
    pub fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|error| Error::io(path, &error))?;
        if let Some(run) = Self::by_place(&path)? {
            return Ok(run);
        }
        let refused = |error: io::Error| Error::io(&path, &error);
        let Some(real) = look::real_path(&path).map_err(refused)? else {
            return Err(Error::new(ErrorKind::RunNotFound, "there is no such run directory").at_file(&path));
        };
        if let Some(run) = Self::by_place(&real)? {
            return Ok(run);
        }
        if holds_run(&real).map_err(refused)? { Ok(Self::bare(&path)) } else { Err(not_a_run(&path)) }
    }

    /// The run that the names above `path` tell of.
    fn by_place(path: &Path) -> Result<Option<Self>> {
        let Some((parent, name)) = parent_and_name(path) else { return Ok(None) };
        let Some((grandparent, parent_name)) = parent_and_name(parent) else { return Ok(None) };
        let refused = |error: io::Error| Error::io(path, &error);
        let is_run_of = |root: &Path| {
            let is_dir = look::is_dir(path).map_err(refused)?;
            Ok::<bool, Error>(is_dir && (Workspace::recognized(root)? || holds_run(path).map_err(refused)?))
        };
        if parent_name == "xp" && is_run_of(grandparent)? {
            return Workspace::assumed(grandparent.to_path_buf()).run(name, V1_RUN_ID).map(Some);
        }
        let Some((root, "experiments")) = parent_and_name(grandparent) else { return Ok(None) };
        let workspace = Workspace::assumed(root.to_path_buf());
        if name == "current" && look::link_target(path).map_err(refused)?.is_some() {
            return workspace.latest(parent_name).map(Some);
        }
        if is_run_of(root)? {
            return workspace.run(parent_name, name).map(Some);
        }
        Ok(None)
    }

    /// A run directory that was copied out of its workspace, or is part of one in an unusual place.
    fn bare(path: &Path) -> Self {
        let around =
            path.ancestors().find(|above| above.file_name().is_some_and(|name| name == "experiments"));
        let root = around.and_then(Path::parent).unwrap_or(path);
        let text = |path: &Path| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let experiment = path.parent().map(text).unwrap_or_default();
        Self::new(
            &Workspace::assumed(root.to_path_buf()),
            &experiment,
            &text(path),
            path.to_path_buf(),
            Layout::V2,
        )
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
        let mut found = self.links_in("jobs")?;
        let first = found.len();
        for job in self.links_in("jobs.bak")? {
            let same = |known: &LinkedJob| (&known.task_id, &known.job_id).cmp(&(&job.task_id, &job.job_id));
            if found[..first].binary_search_by(same).is_err() {
                found.push(job);
            }
        }
        Ok(found)
    }

    fn links_in(&self, directory: &str) -> Result<Vec<LinkedJob>> {
        let directory = self.path.join(directory);
        let mut found = Vec::new();
        if !is_real_dir(&directory)? {
            return Ok(found);
        }
        for task_id in names(&directory, |_, kind| kind.is_dir())? {
            let task = directory.join(&task_id);
            for job_id in names(&task, |_, kind| kind.is_dir() || kind.is_symlink())? {
                let target = fs::read_link(task.join(&job_id)).ok();
                found.push(LinkedJob { task_id: task_id.clone(), job_id, target });
            }
        }
        Ok(found)
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
        let known: HashSet<FileId> = permanent.iter().filter_map(|file| file_id(file)).collect();
        live.retain(|file| file_id(file).is_none_or(|id| !known.contains(&id)));
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
        let mut found = Vec::new();
        for name in names(&data, |_, kind| kind.is_dir() || kind.is_symlink())? {
            match self.saved_in(&data.join(&name)) {
                Ok(file) if file.is_some() == has_file => found.push(name),
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(found)
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
        let known = self.saved().unwrap_or_default();
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
        let all = if known.is_empty() {
            "it saved nothing".into()
        } else {
            format!("it saved: {}", known.join(", "))
        };
        let near = did_you_mean(name, known.iter().map(String::as_str));
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

/// Whether `directory` holds at least one of the files that only a run has.
pub(super) fn holds_run(directory: &Path) -> io::Result<bool> {
    for file in RUN_FILES {
        if look::is_file(&directory.join(file))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parent_and_name(path: &Path) -> Option<(&Path, &str)> {
    Some((path.parent()?, path.file_name()?.to_str()?))
}

fn not_a_run(path: &Path) -> Error {
    let inside = path.parent().filter(|parent| path.is_file() && holds_run(parent).unwrap_or(false));
    let newest = parent_and_name(path)
        .and_then(|(parent, name)| Workspace::assumed(parent.parent()?.to_path_buf()).runs(name).ok())
        .and_then(|runs| runs.into_iter().next());
    let hint = match (inside, newest) {
        (Some(run), _) => format!("give the directory {}", run.display()),
        (None, Some(newest)) => {
            format!("this is an experiment: give one of its runs, as {}", newest.path().display())
        }
        (None, None) if Workspace::is_workspace(path) => {
            "this is a workspace: give experiments/<name>/<run> below it".into()
        }
        (None, None) => format!("expected there: {}", RUN_FILES[..4].join(", ")),
    };
    Error::new(ErrorKind::RunNotFound, "this is not the directory of a run").at_file(path).hint(hint)
}

/// The files of `directory` named by `number` around decimal digits and `.jsonl`, in numeric order.
fn numbered(directory: &Path, number: impl Fn(&str) -> Option<&str>) -> Result<Vec<PathBuf>> {
    // whatever has the name is listed: what is no file is told when it is read
    let mut found: Vec<(u64, String)> = entries(directory)?
        .filter_map(|(name, _)| {
            let digits = number(name.strip_suffix(".jsonl")?)?;
            // `u64::from_str` would take a sign
            let n = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
            Some((n, name))
        })
        .collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, name)| directory.join(name)).collect())
}

/// What two hard links of one file have in common: device and inode.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> Option<FileId> {
    None
}
