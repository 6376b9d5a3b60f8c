//! What the files of a job say of its state, side by side: for whoever compares them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::json_file::read_json;
use super::markers::marker_name;
use crate::error::Error;

/// What the files of one job say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The directory of the job, if it is there
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
struct StatusFile {
    #[serde(default)]
    state: Option<String>,
}

#[derive(Deserialize)]
struct PidFile {
    #[serde(default)]
    pid: Option<u64>,
    #[serde(default)]
    host: Option<String>,
}

impl Evidence {
    /// Looks at the files of a job in `directory`. What is wrong with them is told where its state is decided.
    #[must_use]
    pub fn of(directory: &Path, task_id: &str, job_id: &str, recorded: Option<&str>) -> Self {
        let recorded = recorded.map(str::to_owned);
        if !directory.is_dir() {
            return Self { recorded, ..Self::default() };
        }
        let name = marker_name(directory, task_id);
        let marker = |suffix: &str| {
            let file = directory.join(format!("{name}.{suffix}"));
            file.is_file().then_some(file)
        };
        let status: Option<StatusFile> =
            read_json(&directory.join(".experimaestro/status.json"), &mut Vec::new());
        let pid = marker("pid");
        Self {
            done: marker("done"),
            failed: marker("failed"),
            process: pid.as_ref().and_then(|file| is_there(file, job_id)),
            pid,
            written: status.and_then(|status| status.state),
            recorded,
            params: fs::metadata(directory.join("params.json")).ok().map(|metadata| metadata.len()),
            directory: Some(directory.to_path_buf()),
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
