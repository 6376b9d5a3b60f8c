//! The marker files that a job leaves in its directory: `<name>.done`, `<name>.failed`, `<name>.pid`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::file::is_absent;
use crate::json;

/// When the marker files of a job were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers {
    pub done: Option<SystemTime>,
    pub failed: Option<(PathBuf, SystemTime)>,
    pub pid: Option<SystemTime>,
}

impl Markers {
    /// Whether the job left no sign of itself.
    pub fn is_empty(&self) -> bool {
        self.done.is_none() && self.failed.is_none() && self.pid.is_none()
    }
}

/// What a job gave to `sys.exit`, as its `.failed` file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitValue {
    /// A number: the exit code
    Code(i64),
    /// A text, which Python prints and takes for a failure
    Text(String),
    /// Nothing
    Empty,
    /// Another value
    Other,
}

/// How a job failed, as its `.failed` file tells it.
#[derive(Debug, Default)]
pub(super) struct Failure {
    pub code: Option<i64>,
    pub exit: Option<ExitValue>,
    pub reason: Option<String>,
    pub message: Option<String>,
}

/// Looks for the markers of a job: named by the last part of its task, before 2.1.4 sometimes in another
/// case.
///
/// How a job began does not matter where only its `end` does, if it ended.
pub(super) fn markers(directory: &Path, task_id: &str, end: bool, errors: &mut Vec<Error>) -> Markers {
    let name = last_part(task_id);
    let markers_here = named_markers(directory, name, end, errors);
    if !markers_here.is_empty() {
        return markers_here;
    }
    match other_case(directory, name, errors) {
        Some(spelled) => named_markers(directory, &spelled, end, errors),
        None => markers_here,
    }
}

/// What the markers of a job are called before their suffix.
pub(super) fn marker_name(directory: &Path, task_id: &str) -> String {
    let name = last_part(task_id);
    if !named_markers(directory, name, true, &mut Vec::new()).is_empty() {
        return name.to_owned();
    }
    other_case(directory, name, &mut Vec::new()).unwrap_or_else(|| name.to_owned())
}

fn last_part(task_id: &str) -> &str {
    task_id.rsplit('.').next().unwrap_or(task_id)
}

fn named_markers(directory: &Path, name: &str, end: bool, errors: &mut Vec<Error>) -> Markers {
    let mut written = |suffix: &str| {
        let file = directory.join(format!("{name}.{suffix}"));
        let metadata = match fs::metadata(&file) {
            Ok(metadata) => metadata,
            Err(error) => {
                if !is_absent(&error) {
                    errors.push(Error::io(&file, &error));
                }
                return None;
            }
        };
        if !metadata.is_file() {
            errors.push(Error::format("is not a regular file").at_file(&file));
            return None;
        }
        Some((file, metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)))
    };
    let done = written("done").map(|(_, time)| time);
    // a done job is done whatever else is there
    let failed = if done.is_none() { written("failed") } else { None };
    let ended = done.is_some() || failed.is_some();
    let pid = if end && ended { None } else { written("pid").map(|(_, time)| time) };
    Markers { done, failed, pid }
}

/// The name of a marker in `directory` that equals `name` but for its case.
fn other_case(directory: &Path, name: &str, errors: &mut Vec<Error>) -> Option<String> {
    let listed: std::io::Result<Vec<_>> = fs::read_dir(directory).and_then(Iterator::collect);
    let listed = listed.unwrap_or_else(|error| {
        if !is_absent(&error) {
            errors.push(Error::io(directory, &error));
        }
        Vec::new()
    });
    listed.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).find_map(|file| {
        let (stem, suffix) = file.rsplit_once('.')?;
        let is_marker =
            matches!(suffix, "done" | "failed" | "pid") && stem != name && stem.eq_ignore_ascii_case(name);
        is_marker.then(|| stem.to_owned())
    })
}

/// Reads the content of `.failed`: an exit code as text (1.x), or an object (2.x). Anything else is a failure
/// without particulars.
pub(super) fn read_failure(bytes: &[u8]) -> Failure {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct FailedFile {
        #[serde(deserialize_with = "exit_value")]
        code: Option<ExitValue>,
        reason: Option<String>,
        failure_status: Option<String>,
        message: Option<String>,
    }
    if let Ok(code) = json::from_slice::<i64>(bytes) {
        return Failure { code: Some(code), exit: Some(ExitValue::Code(code)), ..Failure::default() };
    }
    let file: FailedFile = json::from_slice(bytes).unwrap_or_default();
    let code = match file.code {
        Some(ExitValue::Code(code)) => Some(code),
        _ => None,
    };
    let reason = file.reason.or(file.failure_status);
    Failure { code, exit: file.code, reason, message: file.message }
}

/// `sys.exit` takes anything, and experimaestro writes it down.
fn exit_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExitValue>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Code(i64),
        Text(String),
        Other(IgnoredAny),
    }
    Ok(Some(match Option::<Written>::deserialize(deserializer)? {
        None => ExitValue::Empty,
        Some(Written::Code(code)) => ExitValue::Code(code),
        Some(Written::Text(text)) => ExitValue::Text(text),
        Some(Written::Other(_)) => ExitValue::Other,
    }))
}
