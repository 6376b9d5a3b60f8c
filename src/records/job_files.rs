//! The files of one job, as far as they were looked at.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::json_file::read_json;
use super::markers::{Markers, look};
use super::state::StateWord;
use crate::error::Error;
use crate::file::cannot_be_there;

/// What a job's `.experimaestro/status.json` says.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct StatusFile {
    pub state: Option<String>,
    failure_reason: Option<String>,
    scheduler_state: Option<String>,
    scheduler_failure_reason: Option<String>,
    pub submitted_time: Option<String>,
    pub started_time: Option<String>,
    pub ended_time: Option<String>,
    pub retry_count: Option<u64>,
    pub events_count: Option<u64>,
}

impl StatusFile {
    pub fn state(&self) -> Option<StateWord> {
        StateWord::read(self.state.as_deref()?, self.failure_reason.as_deref())
    }

    pub fn scheduler_state(&self) -> Option<StateWord> {
        StateWord::read(self.scheduler_state.as_deref()?, self.scheduler_failure_reason.as_deref())
    }

    pub fn error(&self) -> Option<StateWord> {
        self.scheduler_state()
            .filter(StateWord::is_error)
            .or_else(|| self.state().filter(StateWord::is_error))
    }
}

/// What is known of a job before its files are looked at.
#[derive(Debug, Clone, Copy)]
pub struct JobKey<'a> {
    /// The identifier of its task
    pub task_id: &'a str,
    /// Its identifier
    pub job_id: &'a str,
    pub(super) recorded: Option<&'a StateWord>,
}

impl<'a> JobKey<'a> {
    /// A job of which no run recorded a state.
    #[must_use]
    pub fn new(task_id: &'a str, job_id: &'a str) -> Self {
        Self { task_id, job_id, recorded: None }
    }
}

/// The files of one job, as far as they were looked at.
#[derive(Debug)]
pub(super) struct JobFiles<'a> {
    pub job_id: &'a str,
    /// The state that the run recorded, unless its word is unknown
    pub recorded: Option<&'a StateWord>,
    /// Nothing when there is no directory, so that nothing is looked for
    pub directory: Option<PathBuf>,
    pub markers: Markers,
    /// Nothing before it is first needed
    pub status: Option<StatusFile>,
}

impl<'a> JobFiles<'a> {
    pub fn new(key: JobKey<'a>) -> Self {
        let JobKey { job_id, recorded, .. } = key;
        Self { job_id, recorded, directory: None, markers: Markers::default(), status: None }
    }

    /// The job's status.json. It is empty if there is none, or if it is wrong.
    pub fn status(&mut self, errors: &mut Vec<Error>) -> &StatusFile {
        self.status.get_or_insert_with(|| {
            let before = errors.len();
            let file = self.directory.as_ref().map(|directory| directory.join(".experimaestro/status.json"));
            let status = file.and_then(|file| read_json(&file, errors)).unwrap_or_default();
            name_job(errors, before, self.job_id);
            status
        })
    }

    /// Whether the directory is there, or the system refuses to tell. A link may lead nowhere.
    pub fn may_be_there(&self) -> bool {
        let may_be_dir = |directory: &PathBuf| match directory.metadata() {
            Ok(metadata) => metadata.is_dir(),
            Err(error) => !cannot_be_there(&error),
        };
        self.markers.has_params().is_some() || self.directory.as_ref().is_some_and(may_be_dir)
    }

    /// The path of the job's status.json.
    pub fn status_path(&self) -> PathBuf {
        self.directory.as_deref().unwrap_or("".as_ref()).join(".experimaestro/status.json")
    }

    /// Whether the job ever ran: `started_time` of one that did not is the time of its directory.
    pub fn has_started(&self, errors: &mut Vec<Error>) -> bool {
        !self.markers.is_empty() || self.params_size(errors).is_some_and(|size| size > 0)
    }

    /// The size of the job's params.json, if it has one that can be looked at.
    pub fn params_size(&self, errors: &mut Vec<Error>) -> Option<u64> {
        if self.markers.has_params() == Some(false) {
            return None;
        }
        let before = errors.len();
        let metadata = look(&self.directory.as_ref()?.join("params.json"), errors);
        name_job(errors, before, self.job_id);
        metadata.filter(fs::Metadata::is_file).map(|metadata| metadata.len())
    }
}

/// Puts the job into the errors that were added since `before`.
pub(super) fn name_job(errors: &mut [Error], before: usize, job_id: &str) {
    for error in &mut errors[before..] {
        *error = error.clone().at_job(job_id);
    }
}
