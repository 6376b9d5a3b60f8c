//! A run whose jobs.jsonl was lost, or is empty.

use std::fs;

use serde::Deserialize;

use super::job_states::JobStates;
use super::json_file::read_json;
use crate::error::Error;
use crate::file;
use crate::workspace::Run;

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusFile {
    job_states: Option<JobStates>,
}

/// Why a run has fewer facts of its jobs, or no jobs at all, if its jobs.jsonl has none. A run that submitted no job has no
/// such file either: its status.json names no job, though its objects.jsonl may hold the configs of actions.
pub(super) fn lost_job_list(run: &Run, has_jobs: bool) -> Option<Error> {
    let has = |name: &str| fs::metadata(run.path().join(name)).is_ok_and(|file| file.len() > 0);
    let path = run.path().join("jobs.jsonl");
    let is = if file::is_there(&path).unwrap_or(false) { "is empty" } else { "is missing" };
    let lost = |reason: String, hint| Error::format(format!("{is}, {reason}")).at_file(&path).hint(hint);
    if has_jobs {
        // runs of version 1 have none of these files
        let lacking = match (has("configs.json"), has("objects.jsonl") || has("status.json")) {
            (true, _) => "no times of submission",
            (false, true) => "neither tags nor times of submission",
            (false, false) => return None,
        };
        let hint = "restore it from a backup; the jobs are those that the run links to";
        return Some(lost(format!("so the jobs have {lacking}"), hint));
    }
    // what is wrong with the status.json is reported where the run is read
    let status: Option<StatusFile> = read_json(&run.path().join("status.json"), &mut Vec::new());
    let evidence = match status.map(|status| status.job_states.map_or(0, |states| states.len())) {
        Some(0) => return None,
        Some(1) => "status.json names a job".to_owned(),
        Some(count) => format!("status.json names {count} jobs"),
        None if has("objects.jsonl") => "objects.jsonl holds configs".to_owned(),
        None => return None,
    };
    let hint = "restore it from a backup, or the links below its jobs/ directory";
    Some(lost(format!("so the run shows no jobs, although its {evidence}"), hint))
}
