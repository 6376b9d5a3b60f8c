//! What the files of a job say of its state, side by side: for whoever compares them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::job_files::JobFiles;
use super::json_file::read_json;
use super::markers::Marker;
use crate::error::Error;

/// What the files of one job say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The directory of the job, if it is there or cannot be looked at
    pub directory: Option<PathBuf>,
    /// The marker of success
    pub done: Option<PathBuf>,
    /// The marker of failure
    pub failed: Option<PathBuf>,
    /// The file that names its process
    pub pid: Option<PathBuf>,
    /// The state that its status.json says
    pub written: Option<String>,
    /// The state that the run's status.json says
    pub recorded: Option<String>,
    /// The size of its params.json in bytes, if it has one
    pub params: Option<u64>,
    /// Whether the process that it names is still there; nothing where that cannot be told
    pub process: Option<bool>,
}

#[derive(Deserialize)]
struct PidFile {
    #[serde(default)]
    pid: Option<u64>,
    #[serde(default)]
    host: Option<String>,
}

impl Evidence {
    /// What the files of a job say. Its state was decided before, and what was wrong with them was told then.
    pub(super) fn of(files: &mut JobFiles<'_>, recorded: Option<&str>, errors: &mut Vec<Error>) -> Self {
        let file = |marker: Option<&Marker>| marker.map(|marker| marker.file.clone());
        let pid = file(files.markers.pid());
        // of a job without markers it was looked at, and told, when its state was decided
        let untold = &mut Vec::new();
        let params = files.params_size(if files.markers.is_empty() { untold } else { errors });
        Self {
            directory: files.directory.clone().filter(|_| files.may_be_there()),
            done: file(files.markers.done.as_ref()),
            failed: file(files.markers.failed.as_ref()),
            process: pid.as_ref().and_then(|file| is_there(file, files.job_id)),
            pid,
            written: files.status.as_ref().and_then(|status| status.state.clone()),
            recorded: recorded.map(str::to_owned),
            params,
        }
    }
}

/// Whether the process of a job still runs on this machine. Another process may have got its number: the job's identifier
/// stands in its command line.
fn is_there(file: &Path, job_id: &str) -> Option<bool> {
    let recorded: PidFile = read_json(file, &mut Vec::<Error>::new())?;
    let here = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    if recorded.host? != here.trim() {
        return None;
    }
    let command = fs::read(format!("/proc/{}/cmdline", recorded.pid?)).unwrap_or_default();
    Some(memchr::memmem::find(&command, job_id.as_bytes()).is_some())
}
