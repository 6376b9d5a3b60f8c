//! The events of an experiment, of which this run's are taken.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ahash::HashMap;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::moment::Moment;
use super::state::StateWord;
use crate::error::{Error, Result};
use crate::file;
use crate::json;
use crate::workspace::Run;

/// An action announced by the driver.
#[derive(Deserialize)]
pub(super) struct ActionAdded {
    event_type: String,
    #[serde(default)]
    run_id: Option<String>,
    pub action_id: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub action_class: Option<String>,
}

/// What the scheduler of one run thought of a job at some time.
#[derive(Deserialize)]
struct JobState {
    event_type: String,
    #[serde(default)]
    run_id: Option<String>,
    job_id: String,
    #[serde(default)]
    scheduler_state: Option<String>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(default)]
    timestamp: Option<f64>,
}

/// The last state that the scheduler of a run gave a job.
#[derive(Debug)]
pub(super) struct LastEvent {
    pub word: StateWord,
    /// When, in microseconds since 1970 UTC
    pub time: Option<i64>,
}

/// The actions that the run `run_id` added, in order; the same action may come twice.
pub(super) fn actions(run: &Run, run_id: &str, errors: &mut Vec<Error>) -> Vec<ActionAdded> {
    let mut added = Vec::new();
    each(run, "ActionAddedEvent", errors, |event: ActionAdded, name| {
        if event.event_type == name && event.run_id.as_deref() == Some(run_id) {
            added.push(event);
        }
    });
    added
}

/// The last state that the scheduler of the run `run_id` gave each job.
pub(super) fn job_states(run: &Run, run_id: &str, errors: &mut Vec<Error>) -> HashMap<String, LastEvent> {
    let mut last = HashMap::default();
    each(run, "ExperimentJobStateEvent", errors, |event: JobState, name| {
        if event.event_type == name
            && event.run_id.as_deref() == Some(run_id)
            && let Some(word) =
                StateWord::read(&event.scheduler_state.unwrap_or_default(), event.failure_reason.as_deref())
        {
            let time = event.timestamp.and_then(Moment::from_unix).and_then(Moment::utc);
            last.insert(event.job_id, LastEvent { word, time });
        }
    });
    last
}

/// The permanent event files of the run `run_id` that also hold events of other runs of its experiment, with these runs: after
/// a kill, the next run goes on writing into the file that was left behind (docs/format.md §7).
#[must_use]
pub fn foreign_events(run: &Run, run_id: &str) -> Vec<(PathBuf, BTreeSet<String>)> {
    #[derive(Deserialize)]
    struct OfRun {
        #[serde(default)]
        run_id: Option<String>,
    }
    let files = run.event_files().unwrap_or_default();
    let mut foreign = Vec::new();
    for file in files.into_iter().filter(|file| file.starts_with(run.path())) {
        let bytes = file::read_small(&file).ok().flatten().unwrap_or_default();
        let others: BTreeSet<String> = json::lines(&bytes)
            .filter_map(|line| json::from_slice::<OfRun>(line.bytes).ok()?.run_id)
            .filter(|id| !id.is_empty() && id != run_id)
            .collect();
        if !others.is_empty() {
            foreign.push((file, others));
        }
    }
    foreign
}

/// Reads the events whose lines mention the event type `name`.
fn each<T: DeserializeOwned>(run: &Run, name: &str, errors: &mut Vec<Error>, mut take: impl FnMut(T, &str)) {
    each_line(run, name, errors, |line| {
        take(json::from_slice(line)?, name);
        Ok(())
    });
}

/// Reads the lines that mention a `name`. A last line without line end is being written, or was cut when the driver was
/// killed: it is left out in silence.
pub(super) fn each_line(
    run: &Run,
    name: &str,
    errors: &mut Vec<Error>,
    mut read: impl FnMut(&[u8]) -> Result<()>,
) {
    let files = run.event_files().unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    });
    let mention = Finder::new(name);
    for file in files {
        let bytes = match file::read_small(&file) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let (mut lines, mut wrong) = (json::Lines::after(0, &bytes), Vec::new());
        for line in lines.by_ref().filter(|line| mention.find(line.bytes).is_some()) {
            match read(line.bytes) {
                Err(error) if line.ended => wrong.push((line.number, error)),
                Ok(()) | Err(_) => {}
            }
        }
        let cut_lines = lines.cut_lines();
        wrong.retain(|(number, _)| !cut_lines.contains(number));
        wrong.extend(lines.skipped());
        errors.extend(wrong.into_iter().map(|(line, error)| error.at_file(&file).at_line(line)));
    }
}
