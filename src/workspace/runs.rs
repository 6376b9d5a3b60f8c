//! From names and paths to runs.
//!
//! A run is what experimaestro recorded as one, not each directory below an experiment: copies (`current` after `scp -r`,
//! `run.bak`) hold a run that has a directory of its own, and user code makes directories too (docs/format.md §1.1).

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{Layout, RUN_FILES, V1_RUN_ID, holds_run, recorded_run_id};
use super::listing::{confined, is_real_dir, is_symlink, link_target, names, real_dir};
use super::look;
use super::names::{is_launch, newer, plain};
use super::root::Workspace;
use super::run::Run;
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};

impl Workspace {
    /// The runs of `experiment`, newest first; the one run of a 1.x experiment is called `v1`. Symlinks, directories
    /// without the files of a run, and copies of a run are left out.
    ///
    /// # Errors
    /// `InvalidName`, `ExperimentNotFound`, or `Io`.
    pub fn runs(&self, experiment: &str) -> Result<Vec<Run>> {
        let homes = self.homes(experiment)?;
        let mut runs = Vec::new();
        if let Some(home) = homes.v2 {
            let Launches { runs: launches, .. } = launches(&home)?;
            let run = |name: String| Run::new(self, experiment, &name, home.join(&name), Layout::V2);
            runs.extend(launches.into_iter().map(run));
        }
        runs.extend(homes.v1.map(|home| Run::new(self, experiment, V1_RUN_ID, home, Layout::V1)));
        Ok(runs)
    }

    /// The directories of `experiment` that are copies of one of its runs, with the identifier of that run; sorted.
    ///
    /// # Errors
    /// As [`Workspace::runs`].
    pub fn copies(&self, experiment: &str) -> Result<Vec<(PathBuf, String)>> {
        let Some(home) = self.homes(experiment)?.v2 else { return Ok(Vec::new()) };
        let Launches { copies, .. } = launches(&home)?;
        Ok(copies.into_iter().map(|(name, run_id)| (home.join(name), run_id)).collect())
    }

    /// The directories of `experiment` that may be runs and of which the system does not tell, each with its error; sorted.
    ///
    /// # Errors
    /// As [`Workspace::runs`].
    pub fn unreadable_runs(&self, experiment: &str) -> Result<Vec<(Run, Error)>> {
        let Some(home) = self.homes(experiment)?.v2 else { return Ok(Vec::new()) };
        let Launches { unreadable, .. } = launches(&home)?;
        let run = |name: String| Run::new(self, experiment, &name, home.join(&name), Layout::V2);
        Ok(unreadable.into_iter().map(|(name, error)| (run(name), error)).collect())
    }

    /// A run without content in place of those of an experiment whose directory cannot be read.
    #[must_use]
    pub fn unreadable_experiment(&self, experiment: &str) -> Run {
        Run::new(self, experiment, "", self.experiments_dir().join(experiment), Layout::V2)
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

    /// The newest run, of any experiment, that links to a job.
    #[must_use]
    pub fn run_of_job(&self, task_id: &str, job_id: &str) -> Option<Run> {
        let experiments = self.experiments().unwrap_or_default();
        let runs = experiments.iter().flat_map(|experiment| self.runs(experiment).unwrap_or_default());
        runs.filter(|run| run.has_link(task_id, job_id)).max_by(|a, b| newer(a.id(), b.id()))
    }

    fn no_run(&self, experiment: &str, run_id: &str) -> Error {
        let runs = self.runs(experiment).unwrap_or_default();
        let count = match runs.as_slice() {
            [] => "it has no run at all".to_owned(),
            [only] => format!("its only run is {}", only.id()),
            [newest, ..] => format!("it has {} runs, the newest is {}", runs.len(), newest.id()),
        };
        let near = did_you_mean(run_id, runs.iter().map(Run::id));
        Error::new(
            ErrorKind::RunNotFound,
            format!("experiment {} has no run {}", quoted(experiment), quoted(run_id)),
        )
        .at_file(self.root())
        .hint(near.into_iter().chain([count]).collect::<Vec<_>>().join(" "))
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
        let experiments = self.experiments().unwrap_or_default();
        let count = match experiments.as_slice() {
            [] => "the workspace holds no experiment".to_owned(),
            [only] => format!("the workspace holds only {}", quoted(only)),
            _ => format!("the workspace holds {} experiments", experiments.len()),
        };
        let near = did_you_mean(experiment, experiments.iter().map(String::as_str));
        Error::new(ErrorKind::ExperimentNotFound, format!("no experiment {}", quoted(experiment)))
            .at_file(self.root())
            .hint(near.into_iter().chain([count]).collect::<Vec<_>>().join(" "))
    }

    /// The run that a `current` link names, if that run is there. Only the last component of the target
    /// counts: links of older versions are absolute and a workspace moves.
    fn current(&self, experiment: &str, home: &Path) -> Result<Option<String>> {
        // a link that was copied as what it leads to still tells which run is the latest
        let recorded = recorded_run_id(&home.join("current"));
        if let Some(id) = recorded.filter(|id| plain("run", id).is_ok())
            && is_real_dir(&home.join(&id))?
        {
            return Ok(Some(id));
        }
        let links = [
            home.join("current"),
            self.root().join(".events/experiments").join(experiment).join("current"),
            self.root().join(".experimaestro/experiments").join(experiment),
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

impl Run {
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
}

/// The directories of an experiment that hold runs.
struct Launches {
    /// The names of runs, newest first
    runs: Vec<String>,
    /// The names of copies, and the identifier of the run that each is a copy of; sorted
    copies: Vec<(String, String)>,
    /// The names of directories of which the system does not tell; sorted
    unreadable: Vec<(String, Error)>,
}

/// The runs in `home`. Directories that are named as experimaestro names them are runs; others are if they hold the files of one
/// that no other directory records.
fn launches(home: &Path) -> Result<Launches> {
    let all = names(home, |_, kind| kind.is_dir())?;
    let (mut runs, others): (Vec<String>, Vec<String>) = all.into_iter().partition(|name| is_launch(name));
    let mut run_ids: HashSet<String> = runs.iter().cloned().collect();
    let (mut copies, mut unreadable) = (Vec::new(), Vec::new());
    let mut recorded: Vec<(String, String)> = Vec::new();
    for name in others {
        let directory = home.join(&name);
        match holds_run(&directory) {
            Ok(true) => recorded.push((recorded_run_id(&directory).unwrap_or_else(|| name.clone()), name)),
            Ok(false) => {}
            Err(error) => unreadable.push((name, Error::io(&directory, &error))),
        }
    }
    // what has the name that it records comes before what was copied from it
    recorded.sort_by_key(|(id, name)| (id != name, name.clone()));
    for (id, name) in recorded {
        if run_ids.insert(id.clone()) {
            runs.push(name);
        } else {
            copies.push((name, id));
        }
    }
    runs.sort_by(|a, b| newer(b, a));
    copies.sort();
    Ok(Launches { runs, copies, unreadable })
}

/// The directories of one experiment.
struct Homes {
    v2: Option<PathBuf>,
    v1: Option<PathBuf>,
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
