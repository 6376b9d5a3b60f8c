//! The symlinks of a workspace, and where they lead.

use std::fs;
use std::path::{Path, PathBuf};

use super::listing::{entries, is_real_dir, is_symlink};
use super::look;
use super::root::Workspace;
use crate::threads;

/// Where a symlink leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To something in the workspace
    Inside,
    /// To something outside of the workspace
    Outside,
    /// To nothing
    Nowhere,
    /// The system does not tell
    Unknown,
}

/// A symlink of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it is
    pub path: PathBuf,
    /// What is written in it
    pub target: PathBuf,
    /// Where that leads
    pub leads: Leads,
}

impl Workspace {
    /// The symlink at `path`, if there is one.
    #[must_use]
    pub fn link(&self, path: &Path) -> Option<Link> {
        let target = fs::read_link(path).ok()?;
        let leads = match (look::real_path(path), fs::canonicalize(self.root())) {
            (Ok(Some(real)), Ok(root)) if real.starts_with(&root) => Leads::Inside,
            (Ok(Some(_)), _) => Leads::Outside,
            (Ok(None), _) => Leads::Nowhere,
            (Err(_), _) => Leads::Unknown,
        };
        Some(Link { path: path.to_path_buf(), target, leads })
    }

    /// The symlinks that name the latest run of an experiment.
    #[must_use]
    pub fn current_links(&self, experiment: &str) -> Vec<Link> {
        let places = [
            self.experiments_dir().join(experiment).join("current"),
            self.root().join(".events/experiments").join(experiment).join("current"),
            self.root().join(".experimaestro/experiments").join(experiment),
        ];
        places.iter().filter_map(|path| self.link(path)).collect()
    }

    /// The symlinks in place of experiments, of tasks and of job directories.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        let jobs = self.root().join("jobs");
        for directory in [self.experiments_dir(), self.xp_dir(), jobs.clone()] {
            // a migration leaves a link `xp` that leads nowhere, on purpose
            if is_symlink(&directory) && fs::metadata(&directory).is_ok() {
                links.extend(self.link(&directory));
            }
            self.links_in(&directory, &mut links);
        }
        for (task, _) in entries(&jobs).into_iter().flatten() {
            let task = jobs.join(task);
            if is_real_dir(&task).unwrap_or(false) {
                self.links_in(&task, &mut links);
            }
        }
        links.sort_by(|a, b| a.path.cmp(&b.path));
        links
    }

    fn links_in(&self, directory: &Path, links: &mut Vec<Link>) {
        let listed = entries(directory).into_iter().flatten().filter(|(_, kind)| kind.is_symlink());
        let paths: Vec<PathBuf> = listed.map(|(name, _)| directory.join(name)).collect();
        links.extend(threads::each_waiting(&paths, |path| self.link(path)).into_iter().flatten());
    }
}
