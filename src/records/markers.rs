//! The marker files that a job leaves in its directory: `<name>.done`, `<name>.failed`, `<name>.pid`.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::file::is_absent;
use crate::json;

/// The marker files of a job, as far as they were looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers {
    pub done: Option<Marker>,
    pub failed: Option<Marker>,
    /// Whether the job left the file that names its process; unknown if only `done` was looked for
    pid: Option<Marker>,
    /// Whether there is a params.json; nothing if the directory was not listed
    has_params: Option<bool>,
}

/// A marker file.
#[derive(Debug, Clone)]
pub(super) struct Marker {
    pub file: PathBuf,
    /// When it was written, if that was looked up
    written: Option<SystemTime>,
}

impl Marker {
    /// When it was written, if that was looked up.
    pub fn written_if_known(&self) -> Option<SystemTime> {
        self.written
    }

    /// When it was written; asks the system if that is not known yet. Nothing if it is gone, or cannot be looked at.
    pub fn written(&self, errors: &mut Vec<Error>) -> Option<SystemTime> {
        self.written.or_else(|| look(&self.file, errors).as_ref().map(modified))
    }
}

fn modified(metadata: &fs::Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

impl Markers {
    /// Whether the job left no sign of itself.
    pub fn is_empty(&self) -> bool {
        self.done.is_none() && self.failed.is_none() && self.pid.is_none()
    }

    /// The file that names the process of a job without a marker of its end. Nothing may be known of that of a job with one.
    pub fn pid(&self) -> Option<&Marker> {
        self.pid.as_ref()
    }

    /// When the process of the job began, as its pid file has it; looks for that file if the directory was not listed.
    pub fn began(&self, errors: &mut Vec<Error>) -> Option<SystemTime> {
        match (&self.pid, &self.done) {
            (Some(pid), _) => pid.written(errors),
            (None, Some(done)) if self.has_params.is_none() => {
                let pid = Marker { file: done.file.with_extension("pid"), written: None };
                pid.written(errors)
            }
            (None, _) => None,
        }
    }

    /// Whether the directory has a params.json; nothing if that was not looked for.
    pub fn has_params(&self) -> Option<bool> {
        self.has_params
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

/// Looks for the markers of a job in the fewest calls: if it is probably done for that marker, else, or if it is not there, in a
/// listing of the directory. Markers are named by the last part of the task, before 2.1.4 sometimes in another case.
pub(super) fn markers(
    directory: &Path,
    task_id: &str,
    is_probably_done: bool,
    errors: &mut Vec<Error>,
) -> Markers {
    let name = last_part(task_id);
    if is_probably_done {
        // what is wrong with it is told below
        let done = marker(directory.join(format!("{name}.done")), &mut Vec::new());
        if done.is_some() {
            return Markers { done, ..Markers::default() };
        }
    }
    match fs::read_dir(directory).and_then(|entries| listed_markers(directory, name, entries, errors)) {
        Ok(markers) => markers,
        Err(error) if is_absent(&error) => Markers::default(),
        Err(error) => {
            // files in a directory that cannot be listed may be there to look at
            let mut markers_here = named_markers(directory, name, errors);
            if markers_here.is_empty() {
                errors.push(Error::io(directory, &error));
            }
            markers_here.has_params = None;
            markers_here
        }
    }
}

fn last_part(task_id: &str) -> &str {
    task_id.rsplit('.').next().unwrap_or(task_id)
}

/// The markers among the entries of a directory: those named `name` or, if there is none, named so but for the case.
fn listed_markers(
    directory: &Path,
    name: &str,
    entries: impl Iterator<Item = io::Result<DirEntry>>,
    errors: &mut Vec<Error>,
) -> io::Result<Markers> {
    let mut has_params = false;
    let mut found: Vec<(String, DirEntry)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        has_params |= file == "params.json";
        let Some((stem, "done" | "failed" | "pid")) = file.rsplit_once('.') else { continue };
        if stem.eq_ignore_ascii_case(name) {
            found.push((file, entry));
        }
    }
    let stem = |file: &str| file.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let stems = || found.iter().filter_map(|(file, _)| stem(file));
    let spelled = stems().find(|stem| stem == name).or_else(|| stems().min());
    let mut markers = Markers { has_params: Some(has_params), ..Markers::default() };
    for (file, entry) in &found {
        let Some((_, suffix)) = file.rsplit_once('.').filter(|(stem, _)| Some(*stem) == spelled.as_deref())
        else {
            continue;
        };
        let path = directory.join(file);
        let is_regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        let marker =
            if is_regular { Some(Marker { file: path, written: None }) } else { marker(path, errors) };
        match suffix {
            "done" => markers.done = marker,
            "failed" => markers.failed = marker,
            _ => markers.pid = marker,
        }
    }
    Ok(markers)
}

fn named_markers(directory: &Path, name: &str, errors: &mut Vec<Error>) -> Markers {
    let mut named = |suffix: &str| marker(directory.join(format!("{name}.{suffix}")), errors);
    Markers { done: named("done"), failed: named("failed"), pid: named("pid"), has_params: None }
}

/// The marker file at a path, if it is there.
fn marker(file: PathBuf, errors: &mut Vec<Error>) -> Option<Marker> {
    let metadata = look(&file, errors)?;
    if !metadata.is_file() {
        errors.push(Error::format("is not a regular file").at_file(&file));
        return None;
    }
    Some(Marker { file, written: Some(modified(&metadata)) })
}

/// The metadata of what has this name; nothing if it is gone. What cannot be looked at is told.
pub(super) fn look(path: &Path, errors: &mut Vec<Error>) -> Option<fs::Metadata> {
    match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) => {
            errors.extend((!is_absent(&error)).then(|| Error::io(path, &error)));
            None
        }
    }
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
