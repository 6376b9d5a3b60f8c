//! One failed job: what its marker and its log say, put together.

use std::path::{Path, PathBuf};

use super::fingerprint::{fingerprint, masked};
use super::last_words::{LastWords, last_words};
use super::location::UserCode;
use super::log::LogText;
use super::reason::{self, Ending, Reason};
use super::text::clean_text;
use super::traceback::Raised;
use super::{DEPENDENCY, records};
use crate::error::Error;
use crate::records::{ExitValue, JobEnding, State};

/// The failure of a process that ended without a word.
const KILLED: &str = "KILLED";
/// The failure of a job that waited when its driver went away.
const LOST: &str = "LOST";
/// The reason of a failure that no file explains.
const FAILED: &str = "FAILED";
/// The failures of jobs that something outside ended.
const MEMORY: &str = "MEMORY";
const TIMEOUT: &str = "TIMEOUT";
const CANCELLED: &str = "CANCELLED";
/// A longer message is cut.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Why a job failed. Texts are printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFailure {
    /// `FAILED`, `KILLED`, `LOST`, `DEPENDENCY`, `TIMEOUT`, `CANCELLED`, `MEMORY` …
    pub failure: String,
    /// The code of its marker file, if that is a number
    pub exit_code: Option<i64>,
    /// The class of the exception, with its module
    pub exception: Option<String>,
    /// What the exception, or else the marker file, says
    pub message: Option<String>,
    /// The last frame in the user's code: `file:line in function`
    pub location: Option<String>,
    /// What the exception goes back to: `Class: message`
    pub cause: Option<String>,
    /// The job that failed first, for one that never started
    pub blocked_by: Option<String>,
    /// The same for failures of one cause
    pub cause_group: String,
    /// The log
    pub log: Option<PathBuf>,
    /// The last lines of the log that say something
    pub tail: Option<String>,
}

/// What was read of the logs of a job.
#[derive(Debug, Default)]
pub struct Logs {
    error: Option<(PathBuf, LogText)>,
    output: Option<(PathBuf, LogText)>,
}

impl Logs {
    /// The logs with these bytes; each is nothing where the job has none.
    #[must_use]
    pub fn of(error: Option<&[u8]>, output: Option<&[u8]>) -> Self {
        let text = |name: &str, bytes: Option<&[u8]>| {
            let (head, tail) = super::log::ends_of(bytes?);
            Some((PathBuf::from(name), LogText::of(head, tail)))
        };
        Self { error: text("job.err", error), output: text("job.out", output) }
    }
}

/// Reads the logs of a failed job: the standard output only if the other does not say how the job ended.
pub fn log_of(task_id: &str, job_id: &str, ending: &JobEnding, errors: &mut Vec<Error>) -> Logs {
    let Some(directory) = ending.directory.as_deref() else { return Logs::default() };
    let mut read = |path: PathBuf| match LogText::read(&path) {
        Ok(text) => text.map(|text| (path, text)),
        Err(error) => {
            errors.push(error.at_job(job_id));
            None
        }
    };
    let name = task_id.rsplit('.').next().unwrap_or(task_id);
    let mut error = read(directory.join(format!("{name}.err")));
    let mut stem = name.to_owned();
    let other = if error.is_none() && ending.reason.as_deref() != Some(DEPENDENCY) {
        // before 2.1.4 in another case
        other_case(directory, name)
    } else {
        None
    };
    if let Some(other) = other {
        error = read(directory.join(format!("{other}.err")));
        stem = other;
    }
    let is_enough = error.as_ref().is_some_and(|(_, text)| records::starts_traceback(&text.tail));
    let never_ran = ending.reason.as_deref() == Some(DEPENDENCY);
    let output = if is_enough || never_ran { None } else { read(directory.join(format!("{stem}.out"))) };
    Logs { error, output }
}

fn other_case(directory: &Path, name: &str) -> Option<String> {
    let names = directory.read_dir().ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let stems = names.filter_map(|file| file.strip_suffix(".err").map(str::to_owned));
    stems.filter(|stem| stem != name && stem.eq_ignore_ascii_case(name)).min()
}

/// Says why a job failed. `blocked_by` stays empty: other jobs say that.
#[must_use]
pub fn explain(task_id: &str, job_id: &str, ending: &JobEnding, logs: &Logs) -> JobFailure {
    let reason = ending.reason.clone().unwrap_or_else(|| FAILED.to_owned());
    let is_silent = !ending.is_marked && ending.has_pid && reason == FAILED;
    let never_ran = !ending.has_pid && logs.error.is_none() && logs.output.is_none();
    let failure = match ending.state {
        State::Lost if never_ran => LOST.to_owned(),
        State::Lost => KILLED.to_owned(),
        _ if is_silent => KILLED.to_owned(),
        _ => reason,
    };
    let how = match failure.as_str() {
        KILLED | MEMORY => Ending::Died,
        FAILED => Ending::Failed,
        _ => Ending::Stopped,
    };
    let (log, found) = best_reason(logs, how);
    let mut told = JobFailure { failure, log, tail: found.tail.clone(), ..JobFailure::default() };
    if let Some(ExitValue::Code(code)) = ending.exit {
        told.exit_code = Some(code);
    }
    tell_exception(&mut told, (task_id, job_id), &found, ending);
    if told.failure == KILLED && is_uncaught(&found, task_id) {
        FAILED.clone_into(&mut told.failure);
    }
    tell_last_words(&mut told, logs);
    told.cause_group = group(&told, task_id);
    told
}

/// The reason that the logs have, and the log that it is from: an announced one before one that is only likely.
fn best_reason(logs: &Logs, how: Ending) -> (Option<PathBuf>, Reason) {
    let read = |log: &Option<(PathBuf, LogText)>| {
        let (path, text) = log.as_ref()?;
        let mut found = reason::find(&text.tail, text.is_cut(), how);
        if text.is_cut() && found.raised.is_empty() && how != Ending::Stopped {
            found = reason::begun(&text.head, &text.tail).unwrap_or(found);
        } else if text.is_cut() && found.certain {
            let head: Vec<&str> = text.head.split('\n').collect();
            if let Some(root) = reason::root(&head).filter(|_| !records::starts_traceback(&text.tail)) {
                found.raised.insert(0, root);
            }
        }
        Some((path.clone(), found, text.is_empty()))
    };
    let error = read(&logs.error);
    let output = read(&logs.output);
    let says = |log: &Option<(PathBuf, Reason, bool)>| match log {
        None => 0,
        Some((_, found, _)) if found.certain => 4,
        Some((_, found, _)) if !found.raised.is_empty() || found.crash.is_some() => 3,
        Some((_, found, _)) if found.tail.is_some() => 2,
        Some(_) => 1,
    };
    let best = if says(&output) > says(&error) { output } else { error };
    best.map_or_else(|| (None, Reason::default()), |(path, found, _)| (Some(path), found))
}

fn tell_exception(
    told: &mut JobFailure,
    (task_id, job_id): (&str, &str),
    found: &Reason,
    ending: &JobEnding,
) {
    if let Some(last) = found.raised.last() {
        let code = UserCode::of(task_id, job_id, last.frames.iter());
        told.exception = text(&last.class);
        told.message = text(&last.message);
        told.location = code.last(&last.frames);
        let root = found.raised.first().filter(|_| found.raised.len() > 1);
        told.cause = root.map(one_line).or_else(|| member_of(last)).filter(|cause| *cause != one_line(last));
        return;
    }
    told.message = ending.message.as_deref().map(clean_text).and_then(|message| text(&message));
    match &ending.exit {
        Some(ExitValue::Text(said)) => {
            told.exception = Some("SystemExit".to_owned());
            told.message = text(&clean_text(said)).or(told.message.take());
        }
        Some(ExitValue::Empty) if ending.message.is_none() => told.exception = Some("SystemExit".to_owned()),
        _ => {}
    }
    if let Some((said, frames)) = &found.crash {
        let innermost: Vec<_> = frames.iter().rev().cloned().collect();
        told.location = UserCode::of(task_id, job_id, innermost.iter()).last(&innermost);
        told.message = told.message.take().or_else(|| text(said));
    }
}

/// Whether an exception ended the interpreter before anything could write a marker: nobody caught it below the launch script.
fn is_uncaught(found: &Reason, task_id: &str) -> bool {
    let script = format!("/{}.py", task_id.rsplit('.').next().unwrap_or(task_id));
    let first = found.raised.last().and_then(|raised| raised.frames.first());
    let is_script = first
        .is_some_and(|frame| frame.function.as_deref() == Some("<module>") && frame.file.ends_with(&script));
    found.certain || is_script
}

/// Says what ended the process where no exception did: a marker knows that it was told to end, and not why.
fn tell_last_words(told: &mut JobFailure, logs: &Logs) {
    if told.exception.is_some() || ![KILLED, MEMORY, TIMEOUT, CANCELLED].contains(&told.failure.as_str()) {
        return;
    }
    let mut texts = [&logs.error, &logs.output].into_iter().flatten();
    let Some(LastWords { message, failure }) = texts.find_map(|(_, log)| last_words(&log.tail)) else {
        return;
    };
    told.message = text(&message).or(told.message.take());
    if let Some(failure) = failure.filter(|_| [KILLED, CANCELLED].contains(&told.failure.as_str())) {
        failure.clone_into(&mut told.failure);
    }
}

/// What the first member of a group goes back to.
fn member_of(raised: &Raised) -> Option<String> {
    let mut member = raised.member.as_deref()?;
    while let Some(inner) = member.member.as_deref() {
        member = inner;
    }
    Some(one_line(member))
}

fn one_line(raised: &Raised) -> String {
    let text = if raised.message.is_empty() {
        raised.class.clone()
    } else {
        format!("{}: {}", raised.class, raised.message)
    };
    shortened(&text)
}

fn text(said: &str) -> Option<String> {
    let said = said.trim_end();
    (!said.is_empty()).then(|| shortened(said))
}

fn shortened(text: &str) -> String {
    if text.len() <= MAX_MESSAGE_BYTES {
        return text.to_owned();
    }
    let mut end = MAX_MESSAGE_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// The fingerprint of a failure. The task counts only where nothing else tells one cause from another.
fn group(told: &JobFailure, task_id: &str) -> String {
    let (exception, location) = (told.exception.as_deref(), told.location.as_deref());
    let message = told.message.as_deref().map(masked);
    if exception.is_none() && location.is_none() && message.is_none() {
        let code = told.exit_code.map(|code| code.to_string()).unwrap_or_default();
        return fingerprint(&["", &told.failure, &code, task_id]);
    }
    let failure = if exception.is_none() { told.failure.as_str() } else { "" };
    let location = location.map(without_hashes).unwrap_or_default();
    fingerprint(&[exception.unwrap_or(""), &location, &message.unwrap_or_default(), failure])
}

/// A location in which directories that are called by a hash are masked: code that was copied for a job is the same code.
fn without_hashes(location: &str) -> String {
    let is_hash = |part: &str| part.len() >= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    location.split('/').map(|part| if is_hash(part) { "#" } else { part }).collect::<Vec<_>>().join("/")
}
